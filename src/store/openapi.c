/* openapi.c: OpenAPI documents become operations (rules in the header). Versions 2.0 and 3.x differ in where bodies,
 * types and servers stand; each difference has its own function, the walk over paths and methods is one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/openapi.h"

#include <stdio.h>

#include "base/map.h"
#include "base/num.h"
#include "base/vec.h"
#include "data/uri.h"
#include "data/uri_template.h"

#define REFERENCES_MAX 32             /* one after the other */
#define NAME_MAX_LEN 76
#define DISPLAY_NAME_MAX 300
#define OPERATIONS_MAX 20000

struct importer {
    const struct doc *doc;
    struct arena *keep;
    bool is_v2;
    struct map names;                 /* resource names taken */
    struct { struct operation *v; size_t n, cap; } operations;
    struct { struct str *v; size_t n, cap; } ids;
};

/* One operation on its way. */
struct place {
    const struct doc_node *path, *item, *method;
};

/* Text that outlives the tree: a view when it stands in the source, else a copy. */
static struct str
keep(struct importer *im, struct str s)
{
    struct str whole = im->doc->source->text;

    return !s.p || (s.p >= whole.p && s.p + s.len <= whole.p + whole.len) ? s : str_dup(im->keep, s);
}

static struct str
keep_text(struct importer *im, const struct doc_node *map, const char *key)
{
    return keep(im, doc_get_str(im->doc, map, key, STR_NONE));
}

const struct doc_node *
openapi_deref(const struct doc *d, const struct doc_node *n)
{
    const struct doc_node *ref, *first = n;

    for (int steps = 0; n && n->kind == DOC_MAP && (ref = doc_get(n, "$ref")) && ref->kind == DOC_STRING; steps++) {
        if (steps == REFERENCES_MAX) {
            doc_report(d, DIAG_WARNING, first, "`$ref` leads in a circle, ignored");
            return NULL;
        }
        if (!str_starts_with(ref->text, STR("#"))) {
            doc_report(d, DIAG_WARNING, ref, "`$ref` leads outside this document, ignored");
            return NULL;
        }
        n = doc_pointer(d->root, ref->text);
        if (!n)
            doc_report(d, DIAG_WARNING, ref, "`$ref` leads nowhere, ignored");
    }
    return n;
}

/* ---- pointers ---- */

/* A step of a pointer in a fragment: '~' and '/' have names of their own, and '%' begins an escape. */
static void
pointer_add(struct buf *to, struct str step)
{
    buf_add_char(to, '/');
    for (size_t i = 0; i < step.len; i++) {
        char c = step.p[i];

        if (c == '~' || c == '/' || c == '%')
            buf_add_str(to, c == '~' ? STR("~0") : c == '/' ? STR("~1") : STR("%25"));
        else
            buf_add_char(to, c);
    }
}

/* Where a node stands: looked for downwards by its position, which is unique but for aliases. */
static bool
find_pointer(const struct doc_node *n, const struct doc_node *wanted, struct buf *to)
{
    uint32_t index = 0;

    if (n == wanted)
        return true;
    doc_each(it, n) {
        size_t before = to->len;
        char number[16];

        if (it->at > wanted->at)
            return false;
        if (it->next && it->next->at <= wanted->at && it->next->key_at <= wanted->at) {
            index++;
            continue;
        }
        snprintf(number, sizeof(number), "%u", index++);
        pointer_add(to, n->kind == DOC_MAP ? it->key : str_from_c(number));
        if (find_pointer(it, wanted, to))
            return true;
        to->len = before;
    }
    return false;
}

/* The pointer of a schema: what its $ref says, or the way to it. Its name is the last step of a $ref. */
static struct str
schema_pointer(struct importer *im, const struct doc_node *schema, struct str *ret_name)
{
    const struct doc_node *ref = doc_get(schema, "$ref");
    struct buf text = BUF_INIT;
    struct str ret = STR_NONE;

    if (!schema)
        return STR_NONE;
    if (ref && ref->kind == DOC_STRING) {
        ptrdiff_t slash = str_rfind_char(ref->text, '/');
        if (ret_name)
            *ret_name = keep(im, str_skip(ref->text, (size_t)(slash + 1)));
        return keep(im, ref->text);
    }
    buf_add_char(&text, '#');
    if (find_pointer(im->doc->root, schema, &text))
        ret = str_dup(im->keep, buf_str(&text));
    buf_destroy(&text);
    return ret;
}

/* ---- names ---- */

static struct str
base_name(struct importer *im, struct str id)
{
    struct buf b = buf_in(im->keep);

    for (size_t i = 0; i < id.len && b.len < NAME_MAX_LEN; i++) {
        char c = ascii_lower(id.p[i]);
        if (ascii_is_alpha(c) || ascii_is_digit(c))
            buf_add_char(&b, c);
        else if (b.len && b.p[b.len - 1] != '-')
            buf_add_char(&b, '-');
    }
    while (b.len && b.p[b.len - 1] == '-')
        b.len--;
    return b.len ? buf_str(&b) : STR("operation");
}

static struct str
unique_name(struct importer *im, struct str id)
{
    struct str name = base_name(im, id), base = name;

    for (int i = 1; map_has(&im->names, name) && i < 1000; i++)
        name = str_printf(im->keep, "%.*s-%d", STR_ARG(base), i);
    map_set(&im->names, name, im);
    return name;
}

/* ---- parameters ---- */

/* Where type, default and enum stand: in the schema, or in version 2 beside the name. */
static const struct doc_node *
parameter_schema(struct importer *im, const struct doc_node *p)
{
    const struct doc_node *content;

    if (im->is_v2)
        return p;
    if (doc_get(p, "schema"))
        return doc_get(p, "schema");
    content = doc_get_map(im->doc, p, "content");
    return content && content->first ? doc_get(content->first, "schema") : NULL;
}

static struct str
first_type(const struct doc_node *schema)
{
    const struct doc_node *type = doc_get(schema, "type");

    doc_each(it, type)
        if (!str_eq_lit(it->text, "null"))
            return it->text;
    return type && doc_is_scalar(type) ? type->text : STR_NONE;
}

static const struct { struct str name; enum parameter_style style; bool explode; } styles[] = {
    {STR_INIT("simple"), STYLE_SIMPLE, false}, {STR_INIT("form"), STYLE_FORM, true}, {STR_INIT("label"), STYLE_LABEL, false},
    {STR_INIT("matrix"), STYLE_MATRIX, false}, {STR_INIT("spaceDelimited"), STYLE_SPACE, false},
    {STR_INIT("pipeDelimited"), STYLE_PIPE, false}, {STR_INIT("deepObject"), STYLE_DEEP, true},
    /* version 2 */
    {STR_INIT("csv"), STYLE_SIMPLE, false}, {STR_INIT("ssv"), STYLE_SPACE, false}, {STR_INIT("tsv"), STYLE_TAB, false},
    {STR_INIT("pipes"), STYLE_PIPE, false}, {STR_INIT("multi"), STYLE_FORM, true},
};

static void
fill_style(struct importer *im, const struct doc_node *p, enum parameter_place place, struct parameter *ret)
{
    struct str fallback = place != PARAMETER_QUERY ? STR("simple") : im->is_v2 ? STR("csv") : STR("form");
    struct str name = doc_get_str(im->doc, p, im->is_v2 ? "collectionFormat" : "style", fallback);

    for (size_t i = 0; i < COUNTOF(styles); i++) {
        if (!str_eq(name, styles[i].name))
            continue;
        ret->style = styles[i].style;
        ret->explode = doc_get_bool(im->doc, p, "explode", styles[i].explode);
    }
    ret->is_json = !im->is_v2 && doc_get(p, "content") && !doc_get(p, "schema");
}

static void
fill_parameter(struct importer *im, const struct doc_node *p, enum parameter_place place, struct parameter *ret)
{
    const struct doc_node *schema = parameter_schema(im, p), *target = openapi_deref(im->doc, schema), *fallback;
    uint32_t n;
    struct str *values;

    *ret = (struct parameter){.name = keep_text(im, p, "name"), .place = place,
                              .is_required = place == PARAMETER_PATH || doc_get_bool(im->doc, p, "required", false)};
    ret->schema_pointer = schema_pointer(im, schema, &ret->type_name);
    fill_style(im, p, place, ret);
    if (!target)
        return;
    ret->type = keep(im, first_type(target));
    fallback = doc_get(target, "default");
    if (doc_is_scalar(fallback) && fallback->kind != DOC_NULL) {
        ret->has_default = true;
        ret->default_value = keep(im, fallback->text);
    }
    if (!doc_get_list(im->doc, target, "enum"))
        return;
    values = doc_get_strs(im->doc, target, "enum", &n);
    ret->values = arena_new_array(im->keep, struct str, MAX(n, 1u));
    for (uint32_t i = 0; ret->values && i < n; i++)
        ((struct str *)ret->values)[ret->n_values++] = keep(im, values[i]);
}

struct parameters {
    const struct doc_node **v;        /* references followed; those of the operation before those of the path */
    size_t n, cap;
    const struct doc_node *body;      /* version 2: in: body */
    bool has_form;                    /* version 2: in: formData */
};

static bool
is_there(const struct doc *d, const struct parameters *all, const struct doc_node *p)
{
    for (size_t i = 0; i < all->n; i++)
        if (str_eq(doc_get_str(d, all->v[i], "name", STR_NONE), doc_get_str(d, p, "name", STR_NONE)) &&
            str_eq(doc_get_str(d, all->v[i], "in", STR_NONE), doc_get_str(d, p, "in", STR_NONE)))
            return true;
    return false;
}

static void
collect_parameters(struct importer *im, const struct doc_node *holder, struct parameters *all)
{
    doc_each(it, doc_get_list(im->doc, holder, "parameters")) {
        const struct doc_node *p = openapi_deref(im->doc, it), **slot;
        struct str in = p ? doc_get_str(im->doc, p, "in", STR_NONE) : STR_NONE;

        if (!p || p->kind != DOC_MAP || is_there(im->doc, all, p))
            continue;
        if (str_eq_lit(in, "body"))
            all->body = p;
        else if (str_eq_lit(in, "formData"))
            all->has_form = true;
        else if ((slot = avec_push(im->doc->arena, all)))
            *slot = p;
    }
}

static const struct doc_node *
find_parameter(struct importer *im, const struct parameters *all, const char *in, struct str name)
{
    for (size_t i = 0; i < all->n; i++)
        if (str_eq(doc_get_str(im->doc, all->v[i], "in", STR_NONE), str_from_c(in)) &&
            str_eq(doc_get_str(im->doc, all->v[i], "name", STR_NONE), name))
            return all->v[i];
    return NULL;
}

/* One parameter of the URL's path; a template may name one that the document does not describe. */
static void
add_path_parameter(struct importer *im, struct operation *op, const struct parameters *all, struct str name)
{
    const struct doc_node *p = find_parameter(im, all, "path", name);
    struct parameter *to = (struct parameter *)&op->parameters[op->n_parameters++];

    if (p)
        fill_parameter(im, p, PARAMETER_PATH, to);
    else
        *to = (struct parameter){.name = keep(im, name), .place = PARAMETER_PATH, .is_required = true};
}

static void
add_path_parameters(struct importer *im, struct operation *op, const struct parameters *all,
                    const struct uri_template *t)
{
    for (uint32_t i = 0; i < t->n_segments; i++) {
        const struct template_segment *s = &t->segments[i];

        for (uint32_t k = 0; k < s->n_parts; k++)
            if (s->parts[k].is_parameter)
                add_path_parameter(im, op, all, s->parts[k].text);
        if (s->kind == SEGMENT_PARAMETER || (s->kind == SEGMENT_REST && s->text.len))
            add_path_parameter(im, op, all, s->text);
    }
    for (uint32_t i = 0; i < t->n_query; i++)
        if (t->query[i].is_parameter)
            add_path_parameter(im, op, all, t->query[i].value);
}

static void
add_others(struct importer *im, struct operation *op, const struct parameters *all, enum parameter_place place,
           bool required)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct doc_node *p = all->v[i];

        if (str_eq(doc_get_str(im->doc, p, "in", STR_NONE), place == PARAMETER_QUERY ? STR("query") : STR("header")) &&
            doc_get_bool(im->doc, p, "required", false) == required)
            fill_parameter(im, p, place, (struct parameter *)&op->parameters[op->n_parameters++]);
    }
}

/* path + "?a={a}" for each required query parameter. */
static struct str
template_with_query(struct importer *im, struct str path, const struct parameters *all)
{
    struct buf b = buf_in(im->keep);
    char mark = str_find_char(path, '?', 0) < 0 ? '?' : '&';

    buf_add_str(&b, path);
    for (size_t i = 0; i < all->n; i++) {
        struct str name = doc_get_str(im->doc, all->v[i], "name", STR_NONE);

        if (!str_eq_lit(doc_get_str(im->doc, all->v[i], "in", STR_NONE), "query") ||
            !doc_get_bool(im->doc, all->v[i], "required", false))
            continue;
        buf_printf(&b, "%c%.*s={%.*s}", mark, STR_ARG(name), STR_ARG(name));
        mark = '&';
    }
    return mark == '?' || b.len == path.len ? keep(im, path) : buf_str(&b);
}

static bool
read_parameters(struct importer *im, const struct place *at, struct parameters *all, struct operation *op)
{
    struct uri_template t;
    struct err err = ERR_INIT;
    struct str path = at->path->key;

    op->url_template = template_with_query(im, path, all);
    if (!uri_template_parse(path, im->doc->arena, &t, &err)) {
        doc_report_key(im->doc, DIAG_ERROR, at->path, "%s", err.text);
        return false;
    }
    op->parameters = arena_new_array(im->keep, struct parameter, all->n + t.n_path_parameters + t.n_query + 1);
    if (!op->parameters)
        return false;
    add_path_parameters(im, op, all, &t);
    add_others(im, op, all, PARAMETER_QUERY, true);
    op->n_template_parameters = op->n_parameters;
    add_others(im, op, all, PARAMETER_QUERY, false);
    add_others(im, op, all, PARAMETER_HEADER, true);
    add_others(im, op, all, PARAMETER_HEADER, false);
    return true;
}

/* ---- bodies ---- */

static bool
is_json_type(struct str type)
{
    return str_find(type, STR("json"), 0) >= 0 || str_starts_with(type, STR("*/*")) ||
           str_starts_with(type, STR("application/*"));
}

/* Text as it is written, everything else (and text that stands for JSON) as JSON. */
static struct str
example_body(struct importer *im, const struct doc_node *value, struct str type)
{
    struct buf text = BUF_INIT;
    struct str ret;

    if (value->kind == DOC_STRING && (!is_json_type(type) || (value->text.len && strchr("{[", value->text.p[0]))))
        return keep(im, value->text);
    doc_write_json(value, &text);
    ret = str_dup(im->keep, buf_str(&text));
    buf_destroy(&text);
    return ret;
}

static void
add_example(struct importer *im, struct representation *r, struct str name, const struct doc_node *value)
{
    if (value && r->examples)
        ((struct example *)r->examples)[r->n_examples++] =
            (struct example){keep(im, name), example_body(im, value, r->content_type)};
}

/* content_type: { schema, example, examples: {name: {value}} } */
static void
read_media(struct importer *im, const struct doc_node *media, struct representation *r)
{
    const struct doc_node *schema = doc_get(media, "schema"), *examples = doc_get_map(im->doc, media, "examples");

    *r = (struct representation){.content_type = keep(im, media->key)};
    r->schema_pointer = schema_pointer(im, schema, &r->type_name);
    if (doc_get(media, "example") || (examples && examples->n))
        r->examples = arena_new_array(im->keep, struct example, (examples ? examples->n : 0) + 1);
    add_example(im, r, STR("default"), doc_get(media, "example"));
    doc_each(it, examples) {
        const struct doc_node *one = openapi_deref(im->doc, it);
        add_example(im, r, it->key, doc_get(one, "value"));
    }
    if (!r->n_examples && is_json_type(r->content_type))
        r->sample = openapi_sample(im->doc, schema, im->keep);
}

static const struct representation *
read_content(struct importer *im, const struct doc_node *content, uint32_t *ret_n)
{
    struct representation *all;

    *ret_n = 0;
    if (!content || !content->n || !(all = arena_new_array(im->keep, struct representation, content->n)))
        return NULL;
    doc_each(it, content)
        if (it->kind == DOC_MAP)
            read_media(im, it, &all[(*ret_n)++]);
    return all;
}

/* Version 2: a schema, types listed at the operation or the document, examples by type. */
static const struct representation *
read_v2_bodies(struct importer *im, const struct place *at, const char *types_key, const struct doc_node *schema,
               const struct doc_node *examples, uint32_t *ret_n)
{
    const struct doc_node *holder = doc_get(at->method, types_key) ? at->method : im->doc->root;
    uint32_t n;
    struct str *types = doc_get_strs(im->doc, holder, types_key, &n), json = STR("application/json");
    struct representation *all;

    *ret_n = 0;
    if (!schema && !(examples && examples->n))
        return NULL;
    if (!n) {
        types = &json;
        n = 1;
    }
    if (!(all = arena_new_array(im->keep, struct representation, n)))
        return NULL;
    for (uint32_t i = 0; i < n; i++) {
        struct representation *r = &all[(*ret_n)++];
        const struct doc_node *example = doc_get_key(examples, types[i]);

        r->content_type = keep(im, types[i]);
        r->schema_pointer = schema_pointer(im, schema, &r->type_name);
        if (example && (r->examples = arena_new(im->keep, struct example)))
            add_example(im, r, STR("default"), example);
        else if (is_json_type(types[i]))
            r->sample = openapi_sample(im->doc, schema, im->keep);
    }
    return all;
}

static void
read_response_headers(struct importer *im, const struct doc_node *headers, struct operation_response *r)
{
    struct parameter *all;

    if (!headers || !headers->n || !(all = arena_new_array(im->keep, struct parameter, headers->n)))
        return;
    doc_each(it, headers) {
        const struct doc_node *h = openapi_deref(im->doc, it);

        if (!h)
            continue;
        fill_parameter(im, h, PARAMETER_HEADER, &all[r->n_headers]);
        all[r->n_headers++].name = keep(im, it->key);
    }
    r->headers = all;
}

static bool
read_status(struct importer *im, const struct doc_node *n, struct operation_response *r)
{
    uint32_t status;

    if (str_eq_lit(n->key, "default"))
        return true;
    if (n->key.len == 3 && str_eq_nocase(str_skip(n->key, 1), STR("XX")) && n->key.p[0] >= '1' && n->key.p[0] <= '5') {
        r->status_class = (uint8_t)(n->key.p[0] - '0');
        return true;
    }
    if (num_parse_u32(n->key, 999, &status, NULL) && status >= 100) {
        r->status = (uint16_t)status;
        return true;
    }
    if (!str_starts_with(n->key, STR("x-")))
        doc_report_key(im->doc, DIAG_WARNING, n, "`%.*s` is no status code, ignored", STR_ARG(n->key));
    return false;
}

static void
read_responses(struct importer *im, const struct place *at, struct operation *op)
{
    const struct doc_node *responses = doc_get_map(im->doc, at->method, "responses");
    struct operation_response *all;

    if (!responses || !responses->n || !(all = arena_new_array(im->keep, struct operation_response, responses->n)))
        return;
    doc_each(it, responses) {
        const struct doc_node *n = openapi_deref(im->doc, it);
        struct operation_response *r = &all[op->n_responses];

        if (!n || !read_status(im, it, r))
            continue;
        op->n_responses++;
        r->description = keep_text(im, n, "description");
        r->representations =
            im->is_v2 ? read_v2_bodies(im, at, "produces", doc_get(n, "schema"), doc_get_map(im->doc, n, "examples"),
                                       &r->n_representations)
                      : read_content(im, doc_get_map(im->doc, n, "content"), &r->n_representations);
        read_response_headers(im, doc_get_map(im->doc, n, "headers"), r);
    }
    op->responses = all;
}

static void
read_request(struct importer *im, const struct place *at, const struct parameters *all, struct operation *op)
{
    const struct doc_node *body;

    if (str_eq_lit(op->method, "GET") || str_eq_lit(op->method, "HEAD") || str_eq_lit(op->method, "OPTIONS"))
        return;
    if (im->is_v2) {
        if (all->body) {
            op->request = read_v2_bodies(im, at, "consumes", doc_get(all->body, "schema"), NULL, &op->n_request);
            op->is_request_body_required = doc_get_bool(im->doc, all->body, "required", false);
        }
        return;
    }
    body = openapi_deref(im->doc, doc_get_map(im->doc, at->method, "requestBody"));
    op->request = read_content(im, doc_get_map(im->doc, body, "content"), &op->n_request);
    op->is_request_body_required = doc_get_bool(im->doc, body, "required", false);
}

/* ---- operations ---- */

static struct str
upper(struct importer *im, struct str s)
{
    static const char *const methods[] = {"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"};

    for (size_t i = 0; i < COUNTOF(methods); i++)
        if (str_eq_nocase(s, str_from_c(methods[i])))
            return str_from_c(methods[i]);
    return STR_NONE;
}

static void
read_names(struct importer *im, const struct place *at, struct operation *op, struct str *ret_id)
{
    struct str id = doc_get_str(im->doc, at->method, "operationId", STR_NONE), summary;
    struct str *tags;
    uint32_t n;

    if (!id.len)
        id = str_printf(im->keep, "%.*s-%.*s", STR_ARG(at->method->key), STR_ARG(at->path->key));
    *ret_id = keep(im, id);
    op->name = unique_name(im, id);
    summary = doc_get_str(im->doc, at->method, "summary", STR_NONE);
    op->display_name = keep(im, str_sub(summary.len ? summary : id, 0, DISPLAY_NAME_MAX));
    op->description = keep_text(im, at->method, "description");
    tags = doc_get_strs(im->doc, at->method, "tags", &n);
    op->tags = n ? arena_new_array(im->keep, struct str, n) : NULL;
    for (uint32_t i = 0; op->tags && i < n; i++)
        ((struct str *)op->tags)[op->n_tags++] = keep(im, tags[i]);
}

static void
read_operation(struct importer *im, const struct place *at)
{
    struct parameters all = {0};
    struct operation op = {.method = upper(im, at->method->key)}, *slot;
    struct str id, *id_slot;

    if (im->operations.n == OPERATIONS_MAX)
        return;
    collect_parameters(im, at->method, &all);
    collect_parameters(im, at->item, &all);
    if (!read_parameters(im, at, &all, &op))
        return;
    read_names(im, at, &op, &id);
    read_request(im, at, &all, &op);
    read_responses(im, at, &op);
    slot = avec_push(im->keep, &im->operations);
    id_slot = avec_push(im->keep, &im->ids);
    if (!slot || !id_slot)
        return;
    *slot = op;
    *id_slot = id;
}

static void
read_path(struct importer *im, const struct doc_node *path, const struct doc_node *item)
{
    if (item->kind != DOC_MAP && item->kind != DOC_NULL)
        doc_report(im->doc, DIAG_ERROR, item, "expected a map of methods, found %s", doc_kind_name(item));
    if (item->kind != DOC_MAP)
        return;
    doc_each(method, item) {
        struct place at = {path, item, method};
        if (!upper(im, method->key).p)
            continue;
        if (method->kind == DOC_MAP)
            read_operation(im, &at);
        else
            doc_report(im->doc, DIAG_ERROR, method, "`%.*s` must be a map that describes an operation, found %s", STR_ARG(method->key),
                       doc_kind_name(method));
    }
}

static void
read_paths(struct importer *im, const struct doc_node *paths)
{
    bool is_lost = false;

    doc_each(path, paths) {
        const struct doc_node *item = openapi_deref(im->doc, path);

        if (str_starts_with(path->key, STR("x-")))
            continue;
        if (!str_starts_with(path->key, STR("/"))) {
            doc_report_key(im->doc, DIAG_ERROR, path, "a path must begin with '/'");
            continue;
        }
        is_lost = is_lost || !item;
        if (item)
            read_path(im, path, item);
    }
    if (is_lost && !im->operations.n)
        doc_report(im->doc, DIAG_ERROR, paths, "no operation of these paths can be read; an API without any serves everything below its path");
}

/* ---- the document ---- */

/* A server's address with the defaults of its variables in it. */
static struct str
server_url(struct importer *im, const struct doc_node *server)
{
    struct str url = doc_get_str(im->doc, server, "url", STR_NONE);
    const struct doc_node *variables = doc_get_map(im->doc, server, "variables");
    struct buf out = buf_in(im->keep);
    ptrdiff_t open, close;
    size_t at = 0;

    while (variables && (open = str_find_char(url, '{', at)) >= 0 && (close = str_find_char(url, '}', (size_t)open)) >= 0) {
        const struct doc_node *v = doc_get_key(variables, str_sub(url, (size_t)open + 1, (size_t)close));

        buf_add_str(&out, str_sub(url, at, (size_t)open));
        buf_add_str(&out, doc_get_str(im->doc, v, "default", str_sub(url, (size_t)open, (size_t)close + 1)));
        at = (size_t)close + 1;
    }
    if (!at)
        return keep(im, url);
    buf_add_str(&out, str_skip(url, at));
    return buf_str(&out);
}

static struct str
first_https_server(struct importer *im)
{
    doc_each(it, doc_get_list(im->doc, im->doc->root, "servers")) {
        struct str url = server_url(im, it);
        struct uri u;

        if (str_starts_with_nocase(url, STR("https://")) && uri_parse_http(url, &u, NULL))
            return url;
    }
    return STR("");
}

static struct str
v2_server(struct importer *im)
{
    struct str host = doc_get_str(im->doc, im->doc->root, "host", STR_NONE);
    struct str base = doc_get_str(im->doc, im->doc->root, "basePath", STR(""));
    uint32_t n;
    struct str *schemes = doc_get_strs(im->doc, im->doc->root, "schemes", &n);

    for (uint32_t i = 0; host.len && i < n; i++)
        if (str_eq_nocase(schemes[i], STR("https")))
            return str_printf(im->keep, "https://%.*s%.*s", STR_ARG(host), STR_ARG(base));
    return STR("");
}

static bool
check_version(struct importer *im)
{
    const struct doc *d = im->doc;
    struct str v2 = doc_get_str(d, d->root, "swagger", STR_NONE), v3 = doc_get_str(d, d->root, "openapi", STR_NONE);

    if (d->root->kind != DOC_MAP) {
        doc_report(d, DIAG_ERROR, d->root, "expected an OpenAPI document, found %s", doc_kind_name(d->root));
        return false;
    }
    im->is_v2 = v2.p != NULL;
    if ((v2.p && str_starts_with(v2, STR("2."))) || str_starts_with(v3, STR("3.0")) || str_starts_with(v3, STR("3.1")))
        return true;
    if (v2.p || v3.p)
        doc_report(d, DIAG_ERROR, doc_get(d->root, v2.p ? "swagger" : "openapi"),
                   "version '%.*s': 2.0, 3.0 and 3.1 are read", STR_ARG(v2.p ? v2 : v3));
    else
        doc_report(d, DIAG_ERROR, d->root, "no OpenAPI document: neither `openapi` nor `swagger` is here");
    return false;
}

bool
openapi_read(const struct doc *d, struct arena *keep_in, struct openapi *ret)
{
    struct importer im = {.doc = d, .keep = keep_in};
    const struct doc_node *info;

    if (!check_version(&im))
        return false;
    info = doc_get_map(d, d->root, "info");
    ret->title = keep_text(&im, info, "title");
    ret->description = keep_text(&im, info, "description");
    ret->service_url = im.is_v2 ? v2_server(&im) : first_https_server(&im);
    read_paths(&im, doc_get_map(d, d->root, "paths"));
    read_paths(&im, doc_get_map(d, d->root, "x-ms-paths"));
    if (im.operations.n == OPERATIONS_MAX)
        doc_report(d, DIAG_WARNING, d->root, "more than %d operations, using the first", OPERATIONS_MAX);
    map_destroy(&im.names);
    ret->operations = im.operations.v;
    ret->n_operations = (uint32_t)im.operations.n;
    ret->operation_ids = im.ids.v;
    return true;
}
