/* json_read.c: JSON as .NET values: JToken.ToObject and what JsonConvert.DeserializeObject makes of a parsed text.
 *
 * Newtonsoft asks its reader for what a type needs ("read as an Int32") or takes the value that stands there and converts it;
 * the reader of a text and that of a token tree differ in what they accept, and the three ways differ in what they throw.
 * struct leaf_row says which types are read in the first way.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "clr/collections.h"
#include "clr/families.h"
#include "base/num.h"
#include "clr/json_parts.h"
#include "clr/uri.h"

struct reading {
    struct call *c;
    bool is_text;
    struct str text;                  /* is_text: what the token was parsed from */
    uint32_t depth;
};

static bool read_as(struct reading *r, struct jtoken *t, const struct type *to, struct value *ret);

/* ---- errors ---- */

/* Where the reader stands that fails over a token: behind a value, behind the bracket of a container, or, when it wanted no object,
 * behind the name of the object's first member, which it has looked at. */
enum place { AT_VALUE, AT_MEMBER };

/* The token in what its text was parsed to. */
static const struct json *
source_of(struct reading *r, struct jtoken *t)
{
    const struct json *j = json_parse_newtonsoft(r->c->run->arena, r->text, JSON_NULL, NULL);
    uint32_t *steps, n = 0;

    for (struct jtoken *up = t; up->parent; up = up->parent)
        n += up->type != JTYPE_PROPERTY;
    if (!(steps = call_alloc(r->c, n * sizeof(*steps))))
        return NULL;
    for (struct jtoken *up = t; up->parent; up = up->parent)
        if (up->type != JTYPE_PROPERTY)
            steps[--n] = jtoken_index(up->parent->type == JTYPE_PROPERTY ? up->parent : up);
    for (; j && t->parent; t = t->parent) {
        if (t->type == JTYPE_PROPERTY)
            continue;
        bool is_there = steps[n] < json_count(j);
        j = !is_there ? NULL : j->kind == JSON_OBJECT ? &j->members[steps[n]].value : &j->items[steps[n]];
        n++;
    }
    return j;
}

/* Where the value that begins at `at` ends. */
static size_t
end_of_value(struct str text, size_t at)
{
    char quote = text.p[at];

    if (quote == '{' || quote == '[')
        return at + 1;
    if (quote != '"' && quote != '\'') {
        while (at < text.len && !strchr(",:]} \t\r\n", text.p[at]))
            at++;
        return at;
    }
    for (at++; at < text.len && text.p[at] != quote; at++)
        at += text.p[at] == '\\';
    return MIN(at + 1, text.len);
}

static size_t
place_in_text(struct reading *r, struct jtoken *t, enum place place)
{
    const struct json *j = source_of(r, t);
    size_t at;

    if (!j || j->at >= r->text.len)
        return 0;
    at = end_of_value(r->text, j->at);
    if (place == AT_MEMBER) {
        char wanted = json_count(j) ? ':' : '}';
        size_t end = json_count(j) ? j->members[0].value.at : r->text.len;
        at = json_count(j) ? end : at;
        while (wanted == ':' ? at > 0 && r->text.p[at - 1] != ':' : at < end && r->text.p[at - 1] != '}')
            at += wanted == ':' ? (size_t)-1 : 1;
    }
    return at;
}

static bool fails(struct reading *r, enum exception_kind kind, struct jtoken *t, enum place place, const char *fmt, ...) PRINTF_LIKE(5, 6);

/* The message with where the token stands, as JsonPosition words it. */
static bool
fails(struct reading *r, enum exception_kind kind, struct jtoken *t, enum place place, const char *fmt, ...)
{
    struct buf text = call_buf(r->c);
    struct jtoken *named = t;
    struct string *path;
    uint32_t line, position;
    va_list ap;

    if (place == AT_MEMBER && r->is_text && ((struct jcontainer *)t)->n)
        named = ((struct jcontainer *)t)->items[0];
    if (!jtoken_path(r->c, named, &path))
        return false;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    buf_printf(&text, "%sPath '%.*s'", text.len && text.p[text.len - 1] == '\n' ? "" : " ", STR_ARG(string_str(path)));
    if (r->is_text) {
        json_line_and_position(r->text, place_in_text(r, t, place), &line, &position);
        buf_printf(&text, ", line %u, position %u", line, position);
    }
    return call_throw(r->c, kind, "%.*s.", STR_ARG(buf_str(&text)));
}

static bool
does_not_fit(struct reading *r, struct jtoken *t, const struct type *to)
{
    static const char normal_type[] = "so that it is a normal .NET type (e.g. not a primitive type like integer, not a collection type like "
                                      "an array or List<T>) that can be deserialized from a JSON object. JsonObjectAttribute can also be added "
                                      "to the type to force it to deserialize from a JSON object.",
                      collection[] = "to an array or a type that implements a collection interface (e.g. ICollection, IList) like List<T> that "
                                     "can be deserialized from a JSON array. JsonArrayAttribute can also be added to the type to force it to "
                                     "deserialize from a JSON array.";
    bool is_object = t->type == JTYPE_OBJECT;
    const char *wanted = json_is_value(type_strip_nullable(to)) || to->kind == TYPE_CHAR
                             ? "JSON primitive value (e.g. string, number, boolean, null)"
                         : is_object ? "JSON array (e.g. [1,2,3])"
                                     : "JSON object (e.g. {\"name\":\"value\"})";

    if (is_object && !jcontainer_open(r->c, (struct jcontainer *)t))
        return false;
    return fails(r, EXC_JSON_SERIALIZATION, t, is_object ? AT_MEMBER : AT_VALUE,
                 "Cannot deserialize the current JSON %s (e.g. %s) into type '%.*s' because the type requires a %s to "
                 "deserialize correctly.\nTo fix this error either change the JSON to a %s or change the deserialized type %s\n",
                 is_object ? "object" : "array", is_object ? "{\"name\":\"value\"}" : "[1,2,3]", STR_ARG(to->full_name), wanted, wanted,
                 is_object ? normal_type : collection);
}

/* "Error converting value ...": v cannot be what is asked for. */
static bool
cannot_convert(struct reading *r, struct jvalue *v, const struct type *to)
{
    bool quoted = v->value_type && v->value_type->kind == TYPE_STRING;
    struct string *text = NULL;

    if (v->value_type && !value_to_string(r->c, v->value_type, v->v, STR_NONE, &text))
        return false;
    return fails(r, EXC_JSON_SERIALIZATION, &v->t, AT_VALUE, "Error converting value %s%.*s%s to type '%.*s'.", quoted ? "\"" : "",
                 STR_ARG(text ? string_str(text) : STR("{null}")), quoted ? "\"" : "", STR_ARG(to->full_name));
}

/* Takes away the exception of a conversion: true when it was one, so that another can be thrown in its place. */
static bool
forget_exception(struct call *c)
{
    if (!c->run->exception)
        return false;
    c->run->exception = NULL;
    return true;
}

/* ---- tokens and objects ---- */

/* Strings that look like dates become dates now, if they did not when the text was read. */
static bool
read_token(struct call *c, struct jtoken *t, struct jtoken **ret)
{
    struct jcontainer *k = (struct jcontainer *)t;
    struct jvalue *v = (struct jvalue *)t;
    struct value date;

    *ret = t;
    if (jtoken_is_container(t) && k->source && k->keeps_text)
        *ret = jtoken_from_json(c, k->source, false);
    else if (t->type == JTYPE_STRING && v->v.ref && json_read_date(string_str((struct string *)v->v.ref), &date))
        *ret = (struct jtoken *)jvalue_new(c, type_find(c->run->env, STR("System.DateTime"), NULL, 0), date);
    return *ret != NULL;
}

bool
json_read_object(struct call *c, struct jtoken *t, struct value *ret)
{
    struct jvalue *v;
    struct object *o;

    if (!read_token(c, t, &t))
        return false;
    *ret = value_ref(t);
    if (jtoken_is_container(t) || t->type == JTYPE_PROPERTY)
        return true;
    v = (struct jvalue *)t;
    if (!v->value_type) {
        *ret = value_ref(NULL);
        return true;
    }
    if (!value_box(c, v->value_type, v->v, &o))
        return false;
    *ret = value_ref(o);
    return true;
}

/* A type of tokens. JSON null is a JValue, and for JObject and the like null. */
static bool
read_token_as(struct call *c, struct jtoken *t, const struct type *to, struct value *ret)
{
    *ret = value_ref(NULL);
    if (type_is_assignable(t->head.type, to)) {
        if (!read_token(c, t, &t))
            return false;
        *ret = value_ref(t);
        return true;
    }
    if (t->type == JTYPE_NULL)
        return true;
    return call_throw(c, EXC_INVALID_CAST, "Unable to cast object of type '%.*s' to type '%.*s'.",
                      STR_ARG(t->head.type->full_name), STR_ARG(to->full_name));
}

/* ---- single values ---- */

/* What the reader is asked for, by the type that is wanted. `as` is what "Could not convert string to ..." names, `what` what
 * "Error reading ..." does. */
struct leaf_row {
    const char *type, *as, *what;
    const char *texts;                /* the kinds of token that a text may hold there */
};

enum { KIND_INTEGER = 'i', KIND_FLOAT = 'f', KIND_STRING = 's', KIND_BOOLEAN = 'b', KIND_DATE = 'd', KIND_OTHER = '-' };

static const struct leaf_row leaf_rows[] = {
    {"System.Int32", "integer", "integer", "is"},
    {"System.Int16", "integer", "integer", "is"},
    {"System.Byte", "integer", "integer", "is"},
    {"System.Double", "double", "double", "ifs"},
    {"System.Single", "double", "double", "ifs"},
    {"System.Decimal", "decimal", "decimal", "ifs"},
    {"System.Boolean", "boolean", "boolean", "ifsb"},
    {"System.String", "string", "string", "ifsbd"},
    {"System.DateTime", "DateTime", "date", "sd"},
    {"System.DateTimeOffset", "DateTimeOffset", "date", "sd"},
    {"System.Byte[]", "bytes", "bytes", "s"},
};

/* What a token tree may hold there: whatever the casts take, except these. */
static bool
is_leaf_token(const struct leaf_row *row, char kind)
{
    if (str_eq_lit(str_from_c(row->as), "boolean") || str_eq_lit(str_from_c(row->as), "string"))
        return true;
    return strchr(row->texts, kind) || (kind == KIND_FLOAT && str_eq_lit(str_from_c(row->as), "integer"));
}

static const struct leaf_row *
leaf_row(const struct type *t)
{
    for (size_t i = 0; i < COUNTOF(leaf_rows); i++)
        if (str_eq(t->full_name, str_from_c(leaf_rows[i].type)))
            return &leaf_rows[i];
    return NULL;
}

static char
kind_of(const struct jtoken *t)
{
    switch (t->type) {
    case JTYPE_INTEGER: return KIND_INTEGER;
    case JTYPE_FLOAT: return KIND_FLOAT;
    case JTYPE_STRING: return KIND_STRING;
    case JTYPE_BOOLEAN: return KIND_BOOLEAN;
    case JTYPE_DATE: return KIND_DATE;
    default: return KIND_OTHER;
    }
}

/* JsonToken's name of what a token begins with. */
static const char *
token_name(const struct jtoken *t)
{
    return t->type == JTYPE_OBJECT ? "StartObject" : t->type == JTYPE_ARRAY ? "StartArray" : jtype_name((enum jtype)t->type);
}

/* The text's first character, where a reader that looks for another value stops. */
static char
first_char(struct call *c, struct jtoken *t)
{
    struct buf b = call_buf(c);

    if (t->type == JTYPE_OBJECT || t->type == JTYPE_ARRAY)
        return t->type == JTYPE_OBJECT ? '{' : '[';
    return jtoken_write(c, t, false, &b) && b.len ? buf_str(&b).p[0] : ' ';
}

/* The reader does not find what it is asked for. */
static bool
is_not_there(struct reading *r, struct jtoken *t, const struct leaf_row *row)
{
    if (!r->is_text)
        return fails(r, EXC_JSON_READER, t, AT_VALUE, "Error reading %s. Unexpected token: %s.", row->what, token_name(t));
    if (t->type == JTYPE_FLOAT && str_eq_lit(str_from_c(row->as), "integer")) {
        struct buf b = call_buf(r->c);
        return jtoken_write(r->c, t, false, &b) &&
               fails(r, EXC_JSON_READER, t, AT_VALUE, "Input string '%.*s' is not a valid integer.", STR_ARG(buf_str(&b)));
    }
    return fails(r, EXC_JSON_READER, t, AT_VALUE, "Unexpected character encountered while parsing value: %c.", first_char(r->c, t));
}

/* The reader found a value it cannot convert. */
static bool
is_not_readable(struct reading *r, struct jvalue *v, const struct type *to, const struct leaf_row *row)
{
    struct string *text;

    if (!v->value_type || !value_to_string(r->c, v->value_type, v->v, STR_NONE, &text))
        return false;
    if (to->kind == TYPE_BYTE || to->kind == TYPE_SHORT) { /* read as an Int32 first */
        struct value whole;
        if (jtoken_cast(r->c, &v->t, core_types(r->c->run->env)->int_, &whole))
            return cannot_convert(r, v, to);
        if (!forget_exception(r->c))
            return false;
    }
    if (v->t.type == JTYPE_STRING)
        return fails(r, EXC_JSON_READER, &v->t, AT_VALUE, "Could not convert string to %s: %.*s.", row->as, STR_ARG(string_str(text)));
    if (r->is_text && str_eq_lit(str_from_c(row->as), "integer"))
        return fails(r, EXC_JSON_READER, &v->t, AT_VALUE, "JSON integer %.*s is too large or small for an Int32.",
                     STR_ARG(string_str(text)));
    return fails(r, EXC_JSON_READER, &v->t, AT_VALUE, "Could not convert to %s: %.*s.", row->as, STR_ARG(string_str(text)));
}

static bool
is_empty_text(const struct jvalue *v)
{
    return v && v->t.type == JTYPE_STRING && (!v->v.ref || !((struct string *)v->v.ref)->size);
}

/* As the reader reads it: `to` is not nullable, t no null. */
static bool
read_leaf(struct reading *r, struct jtoken *t, const struct type *to, const struct leaf_row *row, struct value *ret)
{
    struct jvalue *v = jtoken_value(t);
    char kind = kind_of(t);

    if (!v || !(r->is_text ? strchr(row->texts, kind) != NULL : is_leaf_token(row, kind)))
        return is_not_there(r, t, row);
    if (r->is_text && to->kind == TYPE_STRING && kind == KIND_BOOLEAN)
        return (*ret = value_ref(string_new(r->c, v->v.i64 ? STR("true") : STR("false")))).ref != NULL;
    if (to->kind == TYPE_ARRAY)
        return jtoken_cast(r->c, t, to, ret);
    if (jtoken_cast(r->c, t, to, ret))
        return true;
    /* A token's BigInteger is cast, which throws of itself. */
    if (!r->is_text && kind == KIND_INTEGER && v->value_type && str_eq_lit(v->value_type->full_name, "System.Numerics.BigInteger"))
        return false;
    return forget_exception(r->c) && is_not_readable(r, v, to, row);
}

/* The value that stands there, converted. */
static bool
read_converted(struct reading *r, struct jtoken *t, const struct type *to, struct value *ret)
{
    struct jvalue *v = jtoken_value(t);

    if (!v)
        return does_not_fit(r, t, to);
    if (jtoken_cast(r->c, t, to, ret))
        return true;
    return forget_exception(r->c) && cannot_convert(r, v, to);
}

static bool
read_enum(struct reading *r, struct jtoken *t, const struct type *to, struct value *ret)
{
    struct jvalue *v = jtoken_value(t);
    struct str text, name;
    int64_t n;

    if (!v)
        return does_not_fit(r, t, to);
    if (v->value_type->kind >= TYPE_BOOL && v->value_type->kind <= TYPE_ULONG) {
        *ret = value_i64((int32_t)v->v.i64);
        return true;
    }
    if (v->t.type != JTYPE_STRING || !v->v.ref)
        return cannot_convert(r, v, to);
    text = str_trim(string_str((struct string *)v->v.ref));
    for (uint32_t i = 0; type_enum_member(to, i, &name, &n); i++) {
        if (str_eq_nocase(name, text)) {
            *ret = value_i64(n);
            return true;
        }
    }
    if (!num_parse_i64(text, INT32_MIN, INT32_MAX, &n, NULL))
        return cannot_convert(r, v, to);
    *ret = value_i64(n);
    return true;
}

/* ---- values that hold others ---- */

/* Elements of a JArray as values of `element`. */
static bool
read_elements(struct reading *r, struct jtoken *t, const struct type *to, const struct type *element, struct value **ret,
              uint32_t *ret_n)
{
    struct jcontainer *k = (struct jcontainer *)t;

    if (t->type != JTYPE_ARRAY)
        return jtoken_is_container(t) ? does_not_fit(r, t, to) : cannot_convert(r, jtoken_value(t), to);
    if (!jcontainer_open(r->c, k))
        return false;
    *ret_n = k->n;
    *ret = call_alloc(r->c, (size_t)k->n * sizeof(**ret));
    for (uint32_t i = 0; *ret && i < k->n; i++)
        if (!call_charge(r->c, 1) || !read_as(r, k->items[i], element, &(*ret)[i]))
            return false;
    return *ret != NULL;
}

static bool
read_array(struct reading *r, struct jtoken *t, const struct type *to, struct value *ret)
{
    struct array *a;
    struct value *v;
    uint32_t n;

    if (!read_elements(r, t, to, to->args[0], &v, &n) || !(a = array_new(r->c, to, n)))
        return false;
    for (uint32_t i = 0; i < n; i++)
        array_set(a, i, v[i]);
    *ret = value_ref(a);
    return true;
}

static bool
read_list(struct reading *r, struct jtoken *t, const struct type *to, struct value *ret)
{
    struct clr_list *l = clr_list_new(r->c, type_find_lit(r->c->run->env, "System.Collections.Generic.List", to->args[0]), 0);

    if (!l || !read_elements(r, t, to, to->args[0], &l->v, &l->n))
        return false;
    l->cap = l->n;
    *ret = value_ref(l);
    return true;
}

static bool
read_set(struct reading *r, struct jtoken *t, const struct type *to, struct value *ret)
{
    const struct type *set_type = type_find_lit(r->c->run->env, "System.Collections.Generic.HashSet", to->args[0]);
    struct clr_table *s = object_new(r->c, set_type, struct clr_table);
    struct table_entry *e;
    struct value *v;
    uint32_t n;
    bool added;

    if (!s || !read_elements(r, t, to, to->args[0], &v, &n))
        return false;
    table_init(&s->t, to->args[0], NULL);
    for (uint32_t i = 0; i < n; i++)
        if (!table_put(r->c, &s->t, v[i], &e, &added))
            return false;
    *ret = value_ref(s);
    return true;
}

/* A JObject, or the exception for what stands in its place. */
static bool
check_object(struct reading *r, struct jtoken *t, const struct type *to)
{
    if (t->type == JTYPE_OBJECT)
        return jcontainer_open(r->c, (struct jcontainer *)t);
    return jtoken_is_container(t) ? does_not_fit(r, t, to) : cannot_convert(r, jtoken_value(t), to);
}

static bool
read_dictionary(struct reading *r, struct jtoken *t, const struct type *to, struct value *ret)
{
    struct jcontainer *k = (struct jcontainer *)t;
    struct clr_table *d = clr_dictionary_new(
        r->c, type_find_lit(r->c->run->env, "System.Collections.Generic.Dictionary", to->args[0], to->args[1]), NULL);

    if (!d || !check_object(r, t, to))
        return false;
    for (uint32_t i = 0; i < k->n; i++) {
        struct jproperty *p = (struct jproperty *)k->items[i];
        struct value key = value_ref(p->name), v;

        if (to->args[0]->kind != TYPE_STRING) {
            struct jvalue *name = jvalue_new(r->c, p->name->head.type, key);
            if (!name || !read_as(r, &name->t, to->args[0], &key))
                return false;
        }
        if (!call_charge(r->c, 1) || !read_as(r, p->value, to->args[1], &v) || !clr_dictionary_set(r->c, d, key, v))
            return false;
    }
    *ret = value_ref(d);
    return true;
}

/* KeyValuePair, tuples and anonymous types, by the names of their fields. */
static bool
read_record(struct reading *r, struct jtoken *t, const struct type *to, struct value *ret)
{
    static const char *const pair_names[] = {"Key", "Value"};
    struct record *made = record_new(r->c, to);

    if (!made || !check_object(r, t, to))
        return false;
    for (uint32_t i = 0; i < to->n_args; i++) {
        struct jproperty *p;
        char item[16];
        struct str name = {item, (size_t)snprintf(item, sizeof(item), "Item%u", i + 1)};

        if (to->flags & TYPE_IS_ANONYMOUS)
            name = to->field_names[i];
        else if (json_is_pair(to))
            name = str_from_c(pair_names[i]);
        if (!jobject_find_nocase(r->c, (struct jcontainer *)t, name, &p) ||
            (p && !read_as(r, p->value, to->args[i], &made->v[i])))
            return false;
    }
    *ret = value_ref(made);
    return true;
}

static bool
is_list_like(const struct type *to)
{
    static const char *const names[] = {"List", "IList", "ICollection", "IEnumerable", "IReadOnlyList", "IReadOnlyCollection"};
    struct str space = STR("System.Collections.Generic.");

    for (size_t i = 0; to->n_args == 1 && i < COUNTOF(names); i++)
        if (type_begins(to, space) && to->full_name.len > space.len + strlen(names[i]) &&
            memcmp(to->full_name.p + space.len, names[i], strlen(names[i])) == 0 &&
            to->full_name.p[space.len + strlen(names[i])] == '`')
            return true;
    return false;
}

static bool
is_dictionary_like(const struct type *to)
{
    return to->n_args == 2 && (type_begins(to, STR("System.Collections.Generic.Dictionary`2")) ||
                               type_begins(to, STR("System.Collections.Generic.IDictionary`2")) ||
                               type_begins(to, STR("System.Collections.Generic.IReadOnlyDictionary`2")));
}

static bool
read_structured(struct reading *r, struct jtoken *t, const struct type *to, struct value *ret)
{
    if (to->kind == TYPE_ARRAY)
        return read_array(r, t, to, ret);
    if (is_list_like(to))
        return read_list(r, t, to, ret);
    if (is_dictionary_like(to))
        return read_dictionary(r, t, to, ret);
    if (type_begins(to, STR("System.Collections.Generic.HashSet`1")) ||
        type_begins(to, STR("System.Collections.Generic.ISet`1")))
        return read_set(r, t, to, ret);
    if (json_is_record(to))
        return read_record(r, t, to, ret);
    return call_throw(r->c, EXC_JSON_SERIALIZATION, "Could not create an instance of type %.*s.", STR_ARG(to->full_name));
}

/* ---- any type ---- */

/* `to` is not nullable, t neither null nor a property. */
static bool
read_plain(struct reading *r, struct jtoken *t, const struct type *to, struct value *ret)
{
    const struct leaf_row *row = leaf_row(to);
    struct jvalue *v = jtoken_value(t);

    if (to->kind == TYPE_ENUM)
        return read_enum(r, t, to, ret);
    if (to->kind == TYPE_ARRAY && to->args[0]->kind == TYPE_BYTE && t->type == JTYPE_ARRAY)
        return read_array(r, t, to, ret);
    if (row) {
        if (v && v->t.type == JTYPE_STRING && v->v.ref && str_eq_lit(to->full_name, "System.DateTime") &&
            json_read_date(string_str((struct string *)v->v.ref), ret))
            return true;
        return read_leaf(r, t, to, row, ret);
    }
    if (v && v->t.type == JTYPE_STRING && str_eq_lit(to->full_name, "System.Uri"))
        return (*ret = value_ref(uri_new_any(r->c, to, string_str((struct string *)v->v.ref)))).ref != NULL;
    if (json_is_value(to) || to->kind == TYPE_CHAR)
        return read_converted(r, t, to, ret);
    return read_structured(r, t, to, ret);
}

static bool
read_boxed(struct reading *r, struct jtoken *t, const struct type *plain, struct value *ret)
{
    struct object *boxed;

    if (!read_plain(r, t, plain, ret) || !value_box(r->c, plain, *ret, &boxed))
        return false;
    *ret = value_ref(boxed);
    return true;
}

static bool
read_as(struct reading *r, struct jtoken *t, const struct type *to, struct value *ret)
{
    const struct type *plain = type_strip_nullable(to);
    bool may_be_null = plain != to || type_is_reference(to), ok;
    struct jvalue *v;

    if (r->depth >= SERIALIZE_DEPTH_MAX)
        return call_exceed(r->c, BUDGET_DEPTH);
    if (t->type == JTYPE_PROPERTY)
        t = ((struct jproperty *)t)->value;
    if (to->kind == TYPE_OBJECT)
        return json_read_object(r->c, t, ret);
    if (type_is_assignable(to, core_types(r->c->run->env)->object) && type_begins(to, STR("Newtonsoft.Json.Linq.")))
        return read_token_as(r->c, t, to, ret);
    v = jtoken_value(t);
    /* Empty text is null to all but strings and the types that cannot be null; to those it is no value either. */
    if (v && (!v->value_type || (is_empty_text(v) && plain->kind != TYPE_STRING &&
                                 (may_be_null ? plain->kind != TYPE_ARRAY || plain->args[0]->kind != TYPE_BYTE
                                              : leaf_row(plain) != NULL)))) {
        *ret = value_ref(NULL);
        return may_be_null || fails(r, EXC_JSON_SERIALIZATION, t, AT_VALUE, "Error converting value {null} to type '%.*s'.",
                                    STR_ARG(to->full_name));
    }
    r->depth++;
    ok = plain == to ? read_plain(r, t, plain, ret) : read_boxed(r, t, plain, ret);
    r->depth--;
    return ok;
}

bool
json_read_as(struct call *c, struct jtoken *t, const struct type *to, struct str text, struct value *ret)
{
    struct reading r = {.c = c, .is_text = text.p != NULL, .text = text};

    return read_as(&r, t, to, ret);
}

/* ToObject() of a token casts it where a cast exists. */
static bool
is_cast(const struct jtoken *t, const struct type *plain)
{
    if (plain->kind == TYPE_ENUM)
        return t->type != JTYPE_STRING && t->type != JTYPE_INTEGER;
    return (json_is_value(plain) && plain->kind != TYPE_ARRAY) || plain->kind == TYPE_CHAR;
}

bool
jtoken_to_object(struct call *c, struct jtoken *t, const struct type *to, struct value *ret)
{
    const struct type *plain = type_strip_nullable(to);

    if (plain->kind == TYPE_ENUM && is_cast(t, plain)) {
        struct object *boxed;
        const struct type *number = core_types(c->run->env)->int_;
        if (plain != to && t->type == JTYPE_NULL) {
            *ret = value_ref(NULL);
            return true;
        }
        if (!jtoken_cast(c, t, number, ret) || (plain != to && !value_box(c, plain, *ret, &boxed)))
            return false;
        if (plain != to)
            *ret = value_ref(boxed);
        return true;
    }
    if (is_cast(t, plain))
        return jtoken_cast(c, t, to, ret);
    if (json_read_as(c, t, to, STR_NONE, ret))
        return true;
    if (plain->kind == TYPE_ENUM && t->type == JTYPE_STRING && forget_exception(c))
        return throw_argument(c, NULL, "Could not convert '%.*s' to %.*s.",
                              STR_ARG(string_str((struct string *)((struct jvalue *)t)->v.ref)), STR_ARG(plain->name));
    return false;
}
