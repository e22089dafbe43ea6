/* json_schema_compile.c: nodes of a document become schemas.
 *
 * One table of keywords says in which drafts each exists; OpenAPI 2.0 and 3.0, which name no draft, know all of them. A
 * schema is allocated when something first refers to it and filled later from a list of open ones, so that circles and long
 * chains of references need no stack.
 * Resources (parts with an $id of their own) and anchors are gathered once, before anything is compiled.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/codec.h"
#include "base/map.h"
#include "base/vec.h"
#include "data/json_schema_tree.h"
#include "data/regex.h"

#define SCHEMAS_MAX 100000            /* of one document */

struct json_schemas {
    struct arena *keep;
    const struct doc *d;
    enum json_schema_dialect dialect;
    struct map by_node;               /* address of the node -> struct json_schema */
    struct schema_resource *resources;    /* the document first */
    VEC(struct open_schema) open;
    struct err *err;                  /* of the call at work */
    bool has_failed;
    uint32_t n;
};

struct open_schema {
    const struct doc_node *node;
    struct json_schema *schema;
};

/* A schema being filled. */
struct filler {
    struct json_schemas *all;
    struct json_schema *s;
    const struct doc_node *node;
};

static bool PRINTF_LIKE(4, 5)
fail(struct json_schemas *all, enum err_code code, const struct doc_node *at, const char *fmt, ...)
{
    struct line_column where = source_position(all->d->source, at->at);
    char text[ERR_TEXT_MAX];
    va_list ap;

    if (all->has_failed)
        return false;
    all->has_failed = true;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return err_set(all->err, code, "%.*s:%" PRIu32 ":%" PRIu32 ": %s", STR_ARG(all->d->source->name), where.line,
                   where.column, text);
}

static bool
no_memory(struct filler *f)
{
    return fail(f->all, ERR_NO_MEMORY, f->node, "the schemas need too much memory");
}

/* --- dialects ------------------------------------------------------------------------------------------------------ */

enum json_schema_dialect
json_schema_dialect_of(struct str uri, enum json_schema_dialect otherwise)
{
    static const struct { struct str word; enum json_schema_dialect dialect; } known[] = {
        {STR_INIT("draft-04"), SCHEMA_DRAFT_4}, {STR_INIT("draft-06"), SCHEMA_DRAFT_6}, {STR_INIT("draft-07"), SCHEMA_DRAFT_7},
        {STR_INIT("2019-09"), SCHEMA_2019_09}, {STR_INIT("2020-12"), SCHEMA_2020_12},
    };

    for (size_t i = 0; uri.p && i < COUNTOF(known); i++)
        if (str_find(uri, known[i].word, 0) >= 0)
            return known[i].dialect;
    return otherwise;
}

static bool
is_openapi_without_draft(enum json_schema_dialect d)
{
    return d == SCHEMA_OPENAPI_2 || d == SCHEMA_OPENAPI_3_0;
}

/* The draft whose keywords count; OpenAPI 3.1 is 2020-12. */
static enum json_schema_dialect
draft_of(enum json_schema_dialect d)
{
    return d == SCHEMA_OPENAPI_3_1 ? SCHEMA_2020_12 : d;
}

/* What stands beside $ref counts since 2019-09. */
static bool
ref_stands_alone(enum json_schema_dialect d)
{
    return is_openapi_without_draft(d) || draft_of(d) <= SCHEMA_DRAFT_7;
}

/* --- URIs ---------------------------------------------------------------------------------------------------------- */

/* scheme: and //authority in front of a path. */
static size_t
authority_end(struct str uri)
{
    ptrdiff_t colon = str_find_char(uri, ':', 0), slash = str_find_char(uri, '/', 0);
    size_t at = colon > 0 && (slash < 0 || colon < slash) ? (size_t)colon + 1 : 0;

    if (str_starts_with(str_skip(uri, at), STR("//"))) {
        slash = str_find_char(uri, '/', at + 2);
        return slash < 0 ? uri.len : (size_t)slash;
    }
    return at;
}

static bool
has_scheme(struct str uri)
{
    ptrdiff_t colon = str_find_char(uri, ':', 0), slash = str_find_char(uri, '/', 0);

    return colon > 0 && (slash < 0 || colon < slash);
}

/* Takes "." and ".." out of a path. */
static void
remove_dots(struct str path, struct buf *to)
{
    size_t start = to->len;
    struct str rest = path, segment;
    bool is_first = true;

    while (str_split_next(&rest, '/', &segment)) {
        bool is_last = !rest.p;

        if (str_eq_lit(segment, "..")) {
            ptrdiff_t slash = str_rfind_char(str_from(to->p + start, to->len - start), '/');
            to->len = slash < 0 ? start : start + (size_t)slash;
        } else if (!str_eq_lit(segment, ".")) {
            if (!is_first)
                buf_add_char(to, '/');
            buf_add_str(to, segment);
            is_first = false;
            continue;
        }
        if (is_last)
            buf_add_char(to, '/');
        is_first = false;
    }
}

/* RFC 3986, 5.2, without query and fragment. */
static struct str
resolve_uri(struct arena *a, struct str base, struct str ref)
{
    struct buf b = buf_in(a);
    size_t end = authority_end(base);
    ptrdiff_t slash;

    if (!ref.len)
        return base;
    if (has_scheme(ref) || !base.len)
        return ref;
    if (str_starts_with(ref, STR("/"))) {
        buf_add_str(&b, str_sub(base, 0, end));
        remove_dots(ref, &b);
        return buf_str(&b);
    }
    slash = str_rfind_char(base, '/');
    buf_add_str(&b, str_sub(base, 0, end));
    struct str directory = slash >= (ptrdiff_t)end ? str_sub(base, end, (size_t)slash + 1) : end < base.len || !end ? STR("") : STR("/");
    remove_dots(str_concat(a, directory, ref), &b);
    return buf_str(&b);
}

static struct str
without_fragment(struct str uri, struct str *ret_fragment)
{
    ptrdiff_t hash = str_find_char(uri, '#', 0);

    *ret_fragment = hash < 0 ? STR("") : str_skip(uri, (size_t)hash + 1);
    return hash < 0 ? uri : str_sub(uri, 0, (size_t)hash);
}

/* --- resources and anchors ------------------------------------------------------------------------------------------- */

static const char *
id_keyword(enum json_schema_dialect d)
{
    return is_openapi_without_draft(d) ? NULL : draft_of(d) == SCHEMA_DRAFT_4 ? "id" : "$id";
}

static struct str
string_entry(const struct doc_node *map, const char *key)
{
    const struct doc_node *n = key ? doc_get(map, key) : NULL;

    return n && n->kind == DOC_STRING ? n->text : STR_NONE;
}

static void
add_anchor(struct json_schemas *all, struct schema_resource *r, struct str name, const struct doc_node *n, bool is_dynamic)
{
    struct schema_anchor *a = name.len ? arena_new(all->keep, struct schema_anchor) : NULL;

    if (a) {
        *a = (struct schema_anchor){.next = r->anchors, .name = str_dup(all->keep, name), .node = n, .is_dynamic = is_dynamic};
        r->anchors = a;
    }
}

static struct schema_resource *
add_resource(struct json_schemas *all, const struct schema_resource *outer, struct str id, const struct doc_node *n, uint32_t to)
{
    struct schema_resource *r = arena_new(all->keep, struct schema_resource), **last = &all->resources;
    struct str fragment;

    if (!r)
        return NULL;
    *r = (struct schema_resource){.root = n, .from = n->at, .to = to, .base = STR("")};
    if (id.len)
        r->base = str_dup(all->keep, resolve_uri(all->keep, outer ? outer->base : STR(""), without_fragment(id, &fragment)));
    while (*last)
        last = &(*last)->next;
    *last = r;
    return r;
}

static bool
holds_no_schemas(struct str key)
{
    return str_eq_lit(key, "enum") || str_eq_lit(key, "const") || str_eq_lit(key, "default") || str_eq_lit(key, "example") ||
           str_eq_lit(key, "examples");
}

/* Gathers what has a name below n; `to` is where n ends in the source. */
static void
gather(struct json_schemas *all, struct schema_resource *r, const struct doc_node *n, uint32_t to)
{
    struct str id = string_entry(n, id_keyword(all->dialect)), fragment = STR("");
    const struct doc_node *recursive = doc_get(n, "$recursiveAnchor");

    if (n->kind == DOC_MAP && id.len && !(ref_stands_alone(all->dialect) && string_entry(n, "$ref").p)) {
        struct str base = without_fragment(id, &fragment);
        struct schema_resource *own = base.len && n != r->root ? add_resource(all, r, id, n, to) : NULL;

        if (own)
            r = own;
        else if (base.len)
            r->base = str_dup(all->keep, base);
        add_anchor(all, r, fragment, n, false);
    }
    if (n->kind == DOC_MAP) {
        add_anchor(all, r, string_entry(n, "$anchor"), n, false);
        add_anchor(all, r, string_entry(n, "$dynamicAnchor"), n, true);
        r->is_recursive |= n == r->root && recursive && recursive->kind == DOC_BOOL && str_eq_lit(recursive->text, "true");
    }
    doc_each(it, n) {
        if (n->kind != DOC_MAP || !holds_no_schemas(it->key))
            gather(all, r, it, it->next ? it->next->at : to);
    }
}

static const struct schema_resource *
resource_of(const struct json_schemas *all, const struct doc_node *n)
{
    const struct schema_resource *best = all->resources;

    for (const struct schema_resource *r = all->resources->next; r; r = r->next)
        if (n->at >= r->from && n->at < r->to && r->from >= best->from)
            best = r;
    return best;
}

static struct schema_anchor *
find_anchor(const struct schema_resource *r, struct str name)
{
    struct schema_anchor *a = r->anchors;

    while (a && !str_eq(a->name, name))
        a = a->next;
    return a;
}

/* --- references ---------------------------------------------------------------------------------------------------- */

static struct json_schema *
get_node(struct json_schemas *all, const struct doc_node *n)
{
    struct str key = str_from((const char *)&n, sizeof(n));
    struct json_schema *s = map_get(&all->by_node, key);

    if (s)
        return s;
    s = all->n < SCHEMAS_MAX ? arena_new(all->keep, struct json_schema) : NULL;
    if (!s) {
        fail(all, ERR_LIMIT, n, "more than %d schemas, or no memory left for them", SCHEMAS_MAX);
        return NULL;
    }
    all->n++;
    map_set_copy(&all->by_node, key, s);
    *vec_push(&all->open) = (struct open_schema){n, s};
    return s;
}

/* Where a reference leads, seen from a schema of `from`; NULL after an error. */
static const struct doc_node *
follow(struct json_schemas *all, const struct doc_node *at, const struct schema_resource *from, struct str ref)
{
    struct str fragment, uri = without_fragment(ref, &fragment), whole;
    const struct schema_resource *r = from;
    const struct schema_anchor *a;
    const struct doc_node *n = NULL;

    if (uri.len) {
        whole = resolve_uri(all->keep, from->base, uri);
        for (r = all->resources; r && !str_eq(r->base, whole); r = r->next)
            ;
    }
    if (!r) {
        fail(all, ERR_NOT_FOUND, at, "`$ref` leads outside this document: %.*s", STR_ARG(ref));
        return NULL;
    }
    if (!fragment.len)
        n = r->root;
    else if (fragment.p[0] == '/')
        n = doc_pointer(r->root, str_concat(all->keep, STR("#"), fragment));
    else if ((a = find_anchor(r, fragment)))
        n = a->node;
    if (!n)
        fail(all, ERR_NOT_FOUND, at, "`$ref` leads nowhere: %.*s", STR_ARG(ref));
    return n;
}

static bool
set_ref(struct filler *f, const struct doc_node *v, const struct doc_node **ret_target)
{
    *ret_target = v->kind == DOC_STRING ? follow(f->all, v, f->s->resource, v->text) : NULL;
    if (v->kind != DOC_STRING)
        return fail(f->all, ERR_SYNTAX, v, "a reference is text");
    f->s->ref = *ret_target ? get_node(f->all, *ret_target) : NULL;
    return f->s->ref != NULL;
}

static bool
key_ref(struct filler *f, const struct doc_node *v)
{
    const struct doc_node *target;

    return set_ref(f, v, &target);
}

/* The target counts unless it has the dynamic anchor itself; then the outermost resource that has one is asked. */
static bool
key_dynamic_ref(struct filler *f, const struct doc_node *v)
{
    const struct doc_node *target;
    struct str name;

    if (!set_ref(f, v, &target))
        return false;
    without_fragment(v->text, &name);
    const struct schema_anchor *own = find_anchor(resource_of(f->all, target), name);
    if (!own || !own->is_dynamic || own->node != target)
        return true;
    f->s->dynamic = own->name;
    for (struct schema_resource *r = f->all->resources; r; r = r->next)
        for (struct schema_anchor *a = r->anchors; a; a = a->next)
            if (a->is_dynamic && str_eq(a->name, name) && !(a->schema = get_node(f->all, a->node)))
                return false;
    return true;
}

static bool
key_recursive_ref(struct filler *f, const struct doc_node *v)
{
    const struct doc_node *target;

    if (!set_ref(f, v, &target))
        return false;
    f->s->is_recursive_ref = resource_of(f->all, target)->is_recursive;
    for (struct schema_resource *r = f->all->resources; f->s->is_recursive_ref && r; r = r->next)
        if (r->is_recursive && !(r->root_schema = get_node(f->all, r->root)))
            return false;
    return true;
}

/* --- values of keywords -------------------------------------------------------------------------------------------- */

static bool
as_schema(struct filler *f, const struct doc_node *v, const struct json_schema **ret)
{
    *ret = get_node(f->all, v);
    return *ret != NULL;
}

static bool
as_rest(struct filler *f, const struct doc_node *v, struct schema_rest *ret)
{
    ret->kind = v->kind != DOC_BOOL ? REST_SCHEMA : str_eq_lit(v->text, "false") ? REST_NONE : REST_ANY;
    return ret->kind != REST_SCHEMA || as_schema(f, v, &ret->schema);
}

static bool
as_schemas(struct filler *f, const struct doc_node *v, struct schema_list *ret)
{
    if (v->kind != DOC_LIST)
        return fail(f->all, ERR_SYNTAX, v, "`%.*s` takes a list of schemas", STR_ARG(v->key));
    ret->v = arena_new_array(f->all->keep, const struct json_schema *, v->n + 1);
    if (!ret->v)
        return no_memory(f);
    doc_each(it, v)
        if (!as_schema(f, it, &ret->v[ret->n++]))
            return false;
    return true;
}

static bool
as_count(struct filler *f, const struct doc_node *v, int64_t *ret)
{
    struct schema_number n = schema_number_of_text(v->text);

    if (v->kind != DOC_NUMBER || n.d < 0 || n.d != (double)(int64_t)n.d)
        return fail(f->all, ERR_SYNTAX, v, "`%.*s` takes a whole number, found '%.*s'", STR_ARG(v->key), STR_ARG(v->text));
    *ret = (int64_t)n.d;
    return true;
}

static bool
as_bound(struct filler *f, const struct doc_node *v, struct schema_bound *ret)
{
    bool is_exclusive = ret->is_exclusive;

    if (v->kind != DOC_NUMBER)
        return fail(f->all, ERR_SYNTAX, v, "`%.*s` takes a number", STR_ARG(v->key));
    *ret = (struct schema_bound){.is_set = true, .is_exclusive = is_exclusive, .n = schema_number_of_text(v->text)};
    return true;
}

/* A truth changes `beside`, a number is a bound of its own. */
static bool
as_exclusive(struct filler *f, const struct doc_node *v, struct schema_bound *beside, struct schema_bound *own)
{
    if (v->kind == DOC_BOOL) {
        beside->is_exclusive = str_eq_lit(v->text, "true");
        return true;
    }
    own->is_exclusive = true;
    return as_bound(f, v, own);
}

static const struct json *
as_json(struct filler *f, const struct doc_node *v)
{
    struct buf text = buf_in(f->all->keep);
    const struct json *j;

    doc_write_json(v, &text);
    j = text.failed ? NULL : json_parse(f->all->keep, buf_str(&text), JSON_STRICT, NULL);
    if (!j)
        fail(f->all, ERR_SYNTAX, v, "a value that JSON cannot hold");
    return j;
}

static bool
as_pattern(struct filler *f, struct str text, struct schema_pattern *ret)
{
    struct regex *r;
    struct err err;

    *ret = (struct schema_pattern){.text = str_dup(f->all->keep, text)};
    r = regex_new(text, 0, &err);
    if (!r) {
        ret->problem = str_dup(f->all->keep, str_from_c(err.text));
        return true;
    }
    if (!arena_defer(f->all->keep, regex_delete_any, r)) {
        regex_delete(r);
        return no_memory(f);
    }
    ret->regex = r;
    return ret->text.p || no_memory(f);
}

static bool
as_names(struct filler *f, const struct doc_node *v, const struct str **ret, uint32_t *ret_n)
{
    struct str *names = arena_new_array(f->all->keep, struct str, v->n + 1);
    uint32_t n = 0;

    if (!names)
        return no_memory(f);
    doc_each(it, v) {
        if (!doc_is_scalar(it))
            return fail(f->all, ERR_SYNTAX, it, "expected a property name");
        names[n++] = str_dup(f->all->keep, it->text);
    }
    *ret = names;
    *ret_n = n;
    return true;
}

/* --- keywords: any value ------------------------------------------------------------------------------------------- */

static const struct { struct str name; unsigned type; } type_names[] = {
    {STR_INIT("string"), SCHEMA_STRING}, {STR_INIT("number"), SCHEMA_NUMBER}, {STR_INIT("integer"), SCHEMA_INTEGER},
    {STR_INIT("boolean"), SCHEMA_BOOLEAN}, {STR_INIT("object"), SCHEMA_OBJECT}, {STR_INIT("array"), SCHEMA_ARRAY},
    {STR_INIT("null"), SCHEMA_NULL},
};

static bool
add_type(struct filler *f, const struct doc_node *v)
{
    for (size_t i = 0; i < COUNTOF(type_names); i++)
        if (str_eq(v->text, type_names[i].name)) {
            f->s->types |= type_names[i].type;
            return true;
        }
    if (v->kind == DOC_NULL) {        /* YAML: type: [string, null] */
        f->s->types |= SCHEMA_NULL;
        return true;
    }
    return str_eq_lit(v->text, "file") || str_eq_lit(v->text, "any") ||
           fail(f->all, ERR_SYNTAX, v, "there is no type '%.*s'", STR_ARG(v->text));
}

static bool
key_type(struct filler *f, const struct doc_node *v)
{
    if (v->kind != DOC_LIST)
        return add_type(f, v);
    doc_each(it, v)
        if (!add_type(f, it))
            return false;
    return true;
}

static bool
key_enum(struct filler *f, const struct doc_node *v)
{
    const struct json **values = arena_new_array(f->all->keep, const struct json *, v->n + 1);

    if (v->kind != DOC_LIST)
        return fail(f->all, ERR_SYNTAX, v, "`enum` takes a list");
    if (!values)
        return no_memory(f);
    doc_each(it, v)
        if (!(values[f->s->n_values++] = as_json(f, it)))
            return false;
    f->s->values = values;
    return true;
}

static bool
key_const(struct filler *f, const struct doc_node *v)
{
    f->s->constant = as_json(f, v);
    return f->s->constant != NULL;
}

/* --- keywords: numbers and texts ------------------------------------------------------------------------------------- */

static bool key_maximum(struct filler *f, const struct doc_node *v) { return as_bound(f, v, &f->s->maximum); }
static bool key_minimum(struct filler *f, const struct doc_node *v) { return as_bound(f, v, &f->s->minimum); }
static bool key_multiple_of(struct filler *f, const struct doc_node *v) { return as_bound(f, v, &f->s->multiple_of); }

static bool
key_exclusive_maximum(struct filler *f, const struct doc_node *v)
{
    return as_exclusive(f, v, &f->s->maximum, &f->s->exclusive_maximum);
}

static bool
key_exclusive_minimum(struct filler *f, const struct doc_node *v)
{
    return as_exclusive(f, v, &f->s->minimum, &f->s->exclusive_minimum);
}

static bool key_max_length(struct filler *f, const struct doc_node *v) { return as_count(f, v, &f->s->max_length); }
static bool key_min_length(struct filler *f, const struct doc_node *v) { return as_count(f, v, &f->s->min_length); }

static bool
key_pattern(struct filler *f, const struct doc_node *v)
{
    struct schema_pattern *p = arena_new(f->all->keep, struct schema_pattern);

    if (!doc_is_scalar(v))
        return fail(f->all, ERR_SYNTAX, v, "`pattern` takes a text");
    f->s->pattern = p;
    return p ? as_pattern(f, v->text, p) : no_memory(f);
}

static bool
key_format(struct filler *f, const struct doc_node *v)
{
    if (v->kind != DOC_STRING || f->all->dialect == SCHEMA_2020_12)   /* there it says something to people only */
        return true;
    f->s->format = schema_format_by_name(v->text);
    f->s->format_name = str_dup(f->all->keep, v->text);
    return true;
}

static bool
key_content_encoding(struct filler *f, const struct doc_node *v)
{
    f->s->is_base64 = str_eq_lit(v->text, "base64") && f->all->dialect <= SCHEMA_DRAFT_7;
    return true;
}

/* --- keywords: objects --------------------------------------------------------------------------------------------- */

static bool
add_property(struct filler *f, struct str name, const struct json_schema *schema, bool is_required, uint32_t *ret_at)
{
    struct json_schema *s = f->s;
    struct schema_property *p;

    for (uint32_t i = 0; i < s->n_properties && is_required; i++) {
        if (str_eq(s->properties[i].name, name)) {
            s->properties[i].is_required = true;
            *ret_at = i;
            return true;
        }
    }
    p = arena_grow(f->all->keep, s->properties, s->n_properties * sizeof(*p), (s->n_properties + 1) * sizeof(*p), _Alignof(*p));
    if (!p)
        return no_memory(f);
    s->properties = p;
    *ret_at = s->n_properties;
    s->properties[s->n_properties++] = (struct schema_property){.name = str_dup(f->all->keep, name), .schema = schema,
        .is_required = is_required, .hash = schema_name_hash(name)};
    return true;
}

static bool
key_properties(struct filler *f, const struct doc_node *v)
{
    uint32_t at;

    if (v->kind != DOC_MAP)
        return fail(f->all, ERR_SYNTAX, v, "`properties` takes an object");
    f->s->properties = arena_new_array(f->all->keep, struct schema_property, v->n + 1);
    if (!f->s->properties)
        return no_memory(f);
    doc_each(it, v) {
        const struct json_schema *s;

        if (!as_schema(f, it, &s))
            return false;
        at = f->s->n_properties++;
        f->s->properties[at] = (struct schema_property){.name = str_dup(f->all->keep, it->key), .schema = s,
                                                        .hash = schema_name_hash(it->key)};
    }
    return true;
}

/* After `properties`, wherever they stand. A truth is what draft 3 had in the property itself. */
static bool
key_required(struct filler *f, const struct doc_node *v)
{
    uint32_t *order = arena_new_array(f->all->keep, uint32_t, v->n + 1);

    if (v->kind == DOC_BOOL)
        return true;
    if (v->kind != DOC_LIST)
        return fail(f->all, ERR_SYNTAX, v, "`required` takes a list of property names");
    if (!order)
        return no_memory(f);
    doc_each(it, v)
        if (!doc_is_scalar(it) || !add_property(f, it->text, NULL, true, &order[f->s->n_required++]))
            return f->all->has_failed ? false : fail(f->all, ERR_SYNTAX, it, "expected a property name");
    f->s->required = order;
    return true;
}

static bool
key_pattern_properties(struct filler *f, const struct doc_node *v)
{
    struct schema_pattern *p = arena_new_array(f->all->keep, struct schema_pattern, v->n + 1);

    if (v->kind != DOC_MAP)
        return fail(f->all, ERR_SYNTAX, v, "`patternProperties` takes an object");
    if (!p)
        return no_memory(f);
    doc_each(it, v) {
        if (!as_pattern(f, it->key, &p[f->s->n_patterns]) || !as_schema(f, it, &p[f->s->n_patterns].schema))
            return false;
        f->s->n_patterns++;
    }
    f->s->patterns = p;
    return true;
}

static bool
key_additional_properties(struct filler *f, const struct doc_node *v)
{
    return as_rest(f, v, &f->s->additional);
}

static bool
key_unevaluated_properties(struct filler *f, const struct doc_node *v)
{
    f->s->tracks = true;
    return as_rest(f, v, &f->s->unevaluated_properties);
}

static bool key_property_names(struct filler *f, const struct doc_node *v) { return as_schema(f, v, &f->s->names); }
static bool key_max_properties(struct filler *f, const struct doc_node *v) { return as_count(f, v, &f->s->max_properties); }
static bool key_min_properties(struct filler *f, const struct doc_node *v) { return as_count(f, v, &f->s->min_properties); }

/* name: [names] or a schema. */
static bool
key_dependencies(struct filler *f, const struct doc_node *v)
{
    struct json_schema *s = f->s;
    size_t size = sizeof(struct schema_dependency);
    struct schema_dependency *d = arena_alloc_zero(f->all->keep, s->n_dependencies + v->n + 1, size, _Alignof(*d));

    if (v->kind != DOC_MAP)
        return fail(f->all, ERR_SYNTAX, v, "`%.*s` takes an object", STR_ARG(v->key));
    if (!d)
        return no_memory(f);
    for (uint32_t i = 0; i < s->n_dependencies; i++)
        d[i] = s->dependencies[i];
    doc_each(it, v) {
        struct schema_dependency *one = &d[s->n_dependencies++];

        one->name = str_dup(f->all->keep, it->key);
        if (it->kind == DOC_LIST ? !as_names(f, it, &one->required, &one->n_required) : !as_schema(f, it, &one->schema))
            return false;
    }
    s->dependencies = d;
    return true;
}

/* --- keywords: arrays ---------------------------------------------------------------------------------------------- */

static bool
key_items(struct filler *f, const struct doc_node *v)
{
    if (v->kind == DOC_LIST) {
        f->s->has_tuple = true;
        return as_schemas(f, v, &f->s->prefix);
    }
    return as_rest(f, v, &f->s->items);
}

/* Beside a list of items only. */
static bool
key_additional_items(struct filler *f, const struct doc_node *v)
{
    const struct doc_node *items = doc_get(f->node, "items");

    if (!items || items->kind != DOC_LIST)
        return true;
    return as_rest(f, v, &f->s->items);
}

static bool
key_prefix_items(struct filler *f, const struct doc_node *v)
{
    f->s->has_tuple = true;
    return as_schemas(f, v, &f->s->prefix);
}

static bool key_contains(struct filler *f, const struct doc_node *v) { return as_schema(f, v, &f->s->contains); }
static bool key_max_contains(struct filler *f, const struct doc_node *v) { return as_count(f, v, &f->s->max_contains); }
static bool key_min_contains(struct filler *f, const struct doc_node *v) { return as_count(f, v, &f->s->min_contains); }
static bool key_max_items(struct filler *f, const struct doc_node *v) { return as_count(f, v, &f->s->max_items); }
static bool key_min_items(struct filler *f, const struct doc_node *v) { return as_count(f, v, &f->s->min_items); }

static bool
key_unique_items(struct filler *f, const struct doc_node *v)
{
    f->s->unique_items = v->kind == DOC_BOOL && str_eq_lit(v->text, "true");
    return true;
}

static bool
key_unevaluated_items(struct filler *f, const struct doc_node *v)
{
    f->s->tracks = true;
    return as_rest(f, v, &f->s->unevaluated_items);
}

/* --- keywords: schemas over the same value ----------------------------------------------------------------------------- */

static bool key_all_of(struct filler *f, const struct doc_node *v) { return as_schemas(f, v, &f->s->all_of); }
static bool key_any_of(struct filler *f, const struct doc_node *v) { return as_schemas(f, v, &f->s->any_of); }
static bool key_one_of(struct filler *f, const struct doc_node *v) { return as_schemas(f, v, &f->s->one_of); }
static bool key_not(struct filler *f, const struct doc_node *v) { return as_schema(f, v, &f->s->not); }
static bool key_if(struct filler *f, const struct doc_node *v) { return as_schema(f, v, &f->s->if_); }
static bool key_then(struct filler *f, const struct doc_node *v) { return as_schema(f, v, &f->s->then); }
static bool key_else(struct filler *f, const struct doc_node *v) { return as_schema(f, v, &f->s->else_); }

/* --- the table ----------------------------------------------------------------------------------------------------- */

static const struct keyword {
    struct str name;
    enum json_schema_dialect first, last;     /* drafts */
    bool (*read)(struct filler *f, const struct doc_node *v);
} keywords[] = {
    {STR_INIT("$ref"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_ref},
    {STR_INIT("$recursiveRef"), SCHEMA_2019_09, SCHEMA_2019_09, key_recursive_ref},
    {STR_INIT("$dynamicRef"), SCHEMA_2020_12, SCHEMA_2020_12, key_dynamic_ref},
    {STR_INIT("type"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_type},
    {STR_INIT("enum"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_enum},
    {STR_INIT("const"), SCHEMA_DRAFT_6, SCHEMA_2020_12, key_const},
    {STR_INIT("maximum"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_maximum},
    {STR_INIT("minimum"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_minimum},
    {STR_INIT("exclusiveMaximum"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_exclusive_maximum},
    {STR_INIT("exclusiveMinimum"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_exclusive_minimum},
    {STR_INIT("multipleOf"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_multiple_of},
    {STR_INIT("maxLength"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_max_length},
    {STR_INIT("minLength"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_min_length},
    {STR_INIT("pattern"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_pattern},
    {STR_INIT("format"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_format},
    {STR_INIT("contentEncoding"), SCHEMA_DRAFT_7, SCHEMA_DRAFT_7, key_content_encoding},
    {STR_INIT("properties"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_properties},
    {STR_INIT("required"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_required},
    {STR_INIT("patternProperties"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_pattern_properties},
    {STR_INIT("additionalProperties"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_additional_properties},
    {STR_INIT("unevaluatedProperties"), SCHEMA_2019_09, SCHEMA_2020_12, key_unevaluated_properties},
    {STR_INIT("propertyNames"), SCHEMA_DRAFT_6, SCHEMA_2020_12, key_property_names},
    {STR_INIT("maxProperties"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_max_properties},
    {STR_INIT("minProperties"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_min_properties},
    {STR_INIT("dependencies"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_dependencies},
    {STR_INIT("dependentRequired"), SCHEMA_2019_09, SCHEMA_2020_12, key_dependencies},
    {STR_INIT("dependentSchemas"), SCHEMA_2019_09, SCHEMA_2020_12, key_dependencies},
    {STR_INIT("items"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_items},
    {STR_INIT("additionalItems"), SCHEMA_DRAFT_4, SCHEMA_2019_09, key_additional_items},
    {STR_INIT("prefixItems"), SCHEMA_2020_12, SCHEMA_2020_12, key_prefix_items},
    {STR_INIT("contains"), SCHEMA_DRAFT_6, SCHEMA_2020_12, key_contains},
    {STR_INIT("maxContains"), SCHEMA_2019_09, SCHEMA_2020_12, key_max_contains},
    {STR_INIT("minContains"), SCHEMA_2019_09, SCHEMA_2020_12, key_min_contains},
    {STR_INIT("maxItems"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_max_items},
    {STR_INIT("minItems"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_min_items},
    {STR_INIT("uniqueItems"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_unique_items},
    {STR_INIT("unevaluatedItems"), SCHEMA_2019_09, SCHEMA_2020_12, key_unevaluated_items},
    {STR_INIT("allOf"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_all_of},
    {STR_INIT("anyOf"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_any_of},
    {STR_INIT("oneOf"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_one_of},
    {STR_INIT("not"), SCHEMA_DRAFT_4, SCHEMA_2020_12, key_not},
    {STR_INIT("if"), SCHEMA_DRAFT_7, SCHEMA_2020_12, key_if},
    {STR_INIT("then"), SCHEMA_DRAFT_7, SCHEMA_2020_12, key_then},
    {STR_INIT("else"), SCHEMA_DRAFT_7, SCHEMA_2020_12, key_else},
};

static bool
is_known(const struct keyword *k, enum json_schema_dialect d)
{
    return is_openapi_without_draft(d) || (draft_of(d) >= k->first && draft_of(d) <= k->last);
}

/* --- filling ------------------------------------------------------------------------------------------------------- */

uint32_t
schema_name_hash(struct str name)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < name.len; i++)
        h = (h ^ (unsigned char)name.p[i]) * 16777619u;
    return h;
}

static bool
index_properties(struct filler *f)
{
    struct json_schema *s = f->s;

    if (!s->n_properties)
        return true;
    for (s->slots_size = 4; s->slots_size < 2 * s->n_properties; s->slots_size *= 2)
        ;
    s->slots = arena_new_array(f->all->keep, uint32_t, s->slots_size);
    if (!s->slots)
        return no_memory(f);
    for (uint32_t i = 0; i < s->n_properties; i++) {
        uint32_t at = s->properties[i].hash & (s->slots_size - 1);
        while (s->slots[at])
            at = (at + 1) & (s->slots_size - 1);
        s->slots[at] = i + 1;
    }
    return true;
}

static void
set_defaults(struct json_schemas *all, struct json_schema *s, const struct doc_node *n)
{
    enum json_schema_dialect draft = draft_of(all->dialect);

    s->resource = resource_of(all, n);
    s->min_length = s->max_length = s->min_properties = s->max_properties = s->min_items = s->max_items = -1;
    s->min_contains = s->max_contains = -1;
    s->takes_whole_floats = draft != SCHEMA_DRAFT_4;
    s->contains_evaluates = draft == SCHEMA_2020_12;
}

static bool
fill(struct json_schemas *all, const struct doc_node *n, struct json_schema *s)
{
    struct filler f = {.all = all, .s = s, .node = n};
    const struct doc_node *ref = doc_get(n, "$ref"), *v;

    set_defaults(all, s, n);
    if (n->kind == DOC_BOOL || n->kind == DOC_NULL) {
        s->always_false = str_eq_lit(n->text, "false");
        return true;
    }
    if (n->kind != DOC_MAP)
        return fail(all, ERR_SYNTAX, n, "a schema is an object");
    if (ref && ref->kind == DOC_STRING && ref_stands_alone(all->dialect))
        return key_ref(&f, ref);
    for (size_t i = 0; i < COUNTOF(keywords); i++)
        if (is_known(&keywords[i], all->dialect) && (v = doc_get_key(n, keywords[i].name)) && !keywords[i].read(&f, v))
            return false;
    v = doc_get(n, "nullable");
    if (v && v->kind == DOC_BOOL && str_eq_lit(v->text, "true") && s->types && is_openapi_without_draft(all->dialect))
        s->types |= SCHEMA_NULL;
    return index_properties(&f);
}

static bool
fill_open(struct json_schemas *all)
{
    while (all->open.n && !all->has_failed) {
        struct open_schema one = all->open.v[--all->open.n];
        fill(all, one.node, one.schema);
    }
    return !all->has_failed;
}

struct json_schemas *
json_schemas_new(struct arena *keep, const struct doc *d, enum json_schema_dialect dialect)
{
    struct json_schemas *all = arena_new(keep, struct json_schemas);
    struct schema_resource *whole;

    if (!all)
        return NULL;
    *all = (struct json_schemas){.keep = keep, .d = d, .dialect = dialect};
    whole = add_resource(all, NULL, STR_NONE, d->root, UINT32_MAX);
    if (whole && !is_openapi_without_draft(dialect))
        gather(all, whole, d->root, UINT32_MAX);
    return whole ? all : NULL;
}

const struct json_schema *
json_schemas_get_node(struct json_schemas *all, const struct doc_node *n, struct err *err)
{
    struct json_schema *s;

    all->err = err;
    all->has_failed = false;
    s = get_node(all, n);
    if (s && fill_open(all))
        return s;
    map_destroy(&all->by_node);       /* others may be half made */
    all->by_node = MAP_INIT;
    all->open.n = 0;
    return NULL;
}

const struct json_schema *
json_schemas_get(struct json_schemas *all, struct str pointer, struct err *err)
{
    const struct doc_node *n = pointer.len > 1 ? doc_pointer(all->d->root, pointer) : all->d->root;

    if (n)
        return json_schemas_get_node(all, n, err);
    err_set(err, ERR_NOT_FOUND, "there is nothing at %.*s", STR_ARG(pointer));
    return NULL;
}

void
json_schemas_done(struct json_schemas *all)
{
    if (!all)
        return;
    map_destroy(&all->by_node);
    vec_free(&all->open);
}
