/* json_convert.c: JsonConvert, JToken.FromObject and JToken.ToObject: between .NET values and JSON.
 *
 * Serialising builds a token tree and writes it; deserialising reads one. What can occur in an expression is known: numbers,
 * strings, dates, arrays, collections, dictionaries, tuples, anonymous types, tokens, and objects of the library, whose
 * properties are read through their member rows.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "clr/collections.h"
#include "clr/families.h"
#include "clr/jtoken.h"
#include "clr/json_settings.h"
#include "clr/type_object.h"
#include "expr/member.h"

enum { SERIALIZE_DEPTH_MAX = 64, WITHOUT_NULLS = 1 << 16 }; /* the latter is a flag beside the depth */

/* ---- to JSON ---- */

static struct jtoken *to_token(struct call *c, const struct type *type, struct value v, uint32_t depth);

static bool
implements(const struct type *t, const char *prefix)
{
    if (t->kind == TYPE_INTERFACE && str_starts_with(t->full_name, str_from_c(prefix)))
        return true;
    for (uint32_t i = 0; i < t->n_interfaces; i++)
        if (str_starts_with(t->interfaces[i]->full_name, str_from_c(prefix)))
            return true;
    return false;
}

static bool
is_pair(const struct type *t)
{
    return t && str_starts_with(t->full_name, STR("System.Collections.Generic.KeyValuePair`2"));
}

static bool
add_member(struct call *c, struct jcontainer *o, struct str name, const struct type *type, struct value v, uint32_t depth)
{
    struct jtoken *t = to_token(c, type, v, depth + 1);
    struct string *s;

    if ((depth & WITHOUT_NULLS) && t && t->type == JTYPE_NULL)
        return true;
    s = t ? string_new(c, name) : NULL;
    return s && jobject_set(c, o, s, t);
}

/* A sequence of KeyValuePair as an object. */
static struct jtoken *
from_dictionary(struct call *c, struct object *o, const struct type *pair, uint32_t depth)
{
    struct jcontainer *k = jobject_new(c);
    struct iterator it;
    struct value v;
    int got;

    if (!k || !sequence_open(c, o, pair, "value", &it))
        return NULL;
    while ((got = iterate_next(c, &it, &v)) > 0) {
        struct record *r = (struct record *)v.ref;
        struct string *name;

        if (!r || !value_to_string(c, pair->args[0], r->v[0], STR_NONE, &name) ||
            !add_member(c, k, string_str(name), pair->args[1], r->v[1], depth))
            return NULL;
    }
    return got == 0 ? &k->t : NULL;
}

static struct jtoken *
from_sequence(struct call *c, struct object *o, uint32_t depth)
{
    const struct type *element = type_element(o->type);
    struct jcontainer *k = jarray_new(c);
    struct iterator it;
    struct value v;
    int got;

    if (!element)
        element = core_types(c->run->env)->object;
    if (!k || !iterate(c, o, NULL, &it))
        return NULL;
    while ((got = iterate_next(c, &it, &v)) > 0) {
        struct jtoken *t = to_token(c, element, v, depth + 1);
        if (!t || !jcontainer_insert(c, k, UINT32_MAX, t))
            return NULL;
    }
    return got == 0 ? &k->t : NULL;
}

/* The fields of a tuple, pair or anonymous type, by position. */
static struct jtoken *
from_record(struct call *c, const struct type *type, struct record *r, uint32_t depth)
{
    static const struct str pair_names[] = {STR_INIT("Key"), STR_INIT("Value")};
    struct jcontainer *k = jobject_new(c);

    for (uint32_t i = 0; k && i < type->n_args; i++) {
        char item[16];
        struct str name = {item, (size_t)snprintf(item, sizeof(item), "Item%u", i + 1)};

        if (type->flags & TYPE_IS_ANONYMOUS)
            name = type->field_names[i];
        else if (is_pair(type))
            name = pair_names[i];
        if (!add_member(c, k, name, type->args[i], r ? r->v[i] : value_i64(0), depth))
            return NULL;
    }
    return (struct jtoken *)k;
}

static bool
is_record(const struct type *t)
{
    return t->flags & (TYPE_IS_ANONYMOUS | TYPE_IS_TUPLE) || is_pair(t) ||
           str_starts_with(t->full_name, STR("System.Tuple`")) || str_starts_with(t->full_name, STR("System.ValueTuple`"));
}

/* Reads a property of a library object by its row. */
static bool
read_property(struct call *c, const struct type *type, const struct member *m, struct object *o, struct value *ret)
{
    struct value self = value_ref(o);
    struct call inner = {.run = c->run, .args = &self, .n_args = 1, .owner = type, .ret_type = m->ret, .member = m};

    if (!m->fn(&inner))
        return false;
    *ret = inner.ret;
    return true;
}

static struct jtoken *
from_properties(struct call *c, struct object *o, uint32_t depth)
{
    struct jcontainer *k = jobject_new(c);
    const struct member *m;

    for (const struct type *t = o->type; k && t; t = t->base) {
        for (uint32_t i = 0; (m = type_member(t, i)); i++) {
            struct value v;

            if (m->kind != MEMBER_PROPERTY || m->flags & (MEMBER_IS_STATIC | MEMBER_IS_LATER) || !m->fn ||
                m->ret->flags & TYPE_IS_OPEN)
                continue;
            if (!read_property(c, t, m, o, &v) || !add_member(c, k, m->name, m->ret, v, depth))
                return NULL;
        }
    }
    return (struct jtoken *)k;
}

static struct jtoken *
from_reference(struct call *c, struct object *o, uint32_t depth)
{
    const struct type *element = type_element(o->type);

    if (object_is_jtoken(o))
        return jtoken_clone(c, (struct jtoken *)o);
    if (is_pair(element) && implements(o->type, "System.Collections.Generic.I") &&
        (implements(o->type, "System.Collections.Generic.IDictionary`2") ||
         implements(o->type, "System.Collections.Generic.IReadOnlyDictionary`2")))
        return from_dictionary(c, o, element, depth);
    if (is_record(o->type))
        return from_record(c, o->type, (struct record *)o, depth);
    if (type_is_assignable(o->type, core_types(c->run->env)->enumerable))
        return from_sequence(c, o, depth);
    return from_properties(c, o, depth);
}

static bool
is_json_value(const struct type *t)
{
    static const char *const named[] = {"System.DateTime", "System.DateTimeOffset", "System.Guid", "System.TimeSpan",
                                        "System.Uri", "System.Numerics.BigInteger"};

    if ((t->kind >= TYPE_BOOL && t->kind <= TYPE_DECIMAL && t->kind != TYPE_CHAR) || t->kind == TYPE_ENUM ||
        t->kind == TYPE_STRING || (t->kind == TYPE_ARRAY && t->args[0]->kind == TYPE_BYTE && t->rank <= 1))
        return true;
    for (size_t i = 0; i < COUNTOF(named); i++)
        if (str_eq(t->full_name, str_from_c(named[i])))
            return true;
    return false;
}

static struct jtoken *
to_token(struct call *c, const struct type *type, struct value v, uint32_t depth)
{
    struct object *o;

    if ((depth & ~WITHOUT_NULLS) > SERIALIZE_DEPTH_MAX) {
        call_throw(c, EXC_JSON_SERIALIZATION, "Self referencing loop detected or nested deeper than %d levels.",
                   SERIALIZE_DEPTH_MAX);
        return NULL;
    }
    if (is_record(type) && type->flags & TYPE_IS_REF_STRUCT && !v.ref)
        return from_record(c, type, NULL, depth);
    if (!value_box(c, type, v, &o))
        return NULL;
    if (!o)
        return (struct jtoken *)jvalue_new(c, NULL, value_i64(0));
    if (o->type->kind == TYPE_CHAR) {
        uint16_t unit = (uint16_t)value_unbox(o).i64;
        struct string *s = string_from_units(c, &unit, 1);
        return s ? (struct jtoken *)jvalue_new(c, s->head.type, value_ref(s)) : NULL;
    }
    if (o->type->kind == TYPE_ENUM)
        return (struct jtoken *)jvalue_new(c, core_types(c->run->env)->long_, value_unbox(o));
    if (is_json_value(o->type))
        return (struct jtoken *)jvalue_new(c, o->type, value_unbox(o));
    return from_reference(c, o, depth);
}

struct jtoken *
jtoken_from_object(struct call *c, struct object *o)
{
    return to_token(c, core_types(c->run->env)->object, value_ref(o), 0);
}

/* ---- from JSON ---- */

static bool read_as(struct call *c, struct jtoken *t, const struct type *to, uint32_t depth, struct value *ret);

static bool
does_not_fit(struct call *c, struct jtoken *t, const struct type *to)
{
    struct string *path;

    if (!jtoken_path(c, t, &path))
        return false;
    if (t->type == JTYPE_OBJECT || t->type == JTYPE_ARRAY)
        return call_throw(c, EXC_JSON_SERIALIZATION,
                          "Cannot deserialize the current JSON %s (e.g. %s) into type '%.*s' because the type requires a "
                          "JSON %s to deserialize correctly. Path '%.*s'.",
                          t->type == JTYPE_OBJECT ? "object" : "array",
                          t->type == JTYPE_OBJECT ? "{\"name\":\"value\"}" : "[1,2,3]", STR_ARG(to->full_name),
                          t->type == JTYPE_OBJECT ? "array (e.g. [1,2,3])" : "object (e.g. {\"name\":\"value\"})",
                          STR_ARG(string_str(path)));
    return call_throw(c, EXC_JSON_SERIALIZATION, "Error converting value of type %s to type '%.*s'. Path '%.*s'.",
                      jtype_name(t->type), STR_ARG(to->full_name), STR_ARG(string_str(path)));
}

/* As a token or object: strings that look like dates become dates now, if they did not when the text was read. */
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

static bool
read_object(struct call *c, struct jtoken *t, struct value *ret)
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

/* Elements of a JArray as values of `element`. */
static bool
read_elements(struct call *c, struct jtoken *t, const struct type *to, const struct type *element, uint32_t depth,
              struct value **ret, uint32_t *ret_n)
{
    struct jcontainer *k = (struct jcontainer *)t;

    if (t->type != JTYPE_ARRAY)
        return does_not_fit(c, t, to);
    if (!jcontainer_open(c, k))
        return false;
    *ret_n = k->n;
    *ret = call_alloc(c, (size_t)k->n * sizeof(**ret));
    for (uint32_t i = 0; *ret && i < k->n; i++)
        if (!call_charge(c, 1) || !read_as(c, k->items[i], element, depth + 1, &(*ret)[i]))
            return false;
    return *ret != NULL;
}

static bool
read_array(struct call *c, struct jtoken *t, const struct type *to, uint32_t depth, struct value *ret)
{
    struct array *a;
    struct value *v;
    uint32_t n;

    if (to->args[0]->kind == TYPE_BYTE && t->type != JTYPE_ARRAY)
        return jtoken_cast(c, t, to, ret);
    if (!read_elements(c, t, to, to->args[0], depth, &v, &n) || !(a = array_new(c, to, n)))
        return false;
    for (uint32_t i = 0; i < n; i++)
        array_set(a, i, v[i]);
    *ret = value_ref(a);
    return true;
}

static bool
read_list(struct call *c, struct jtoken *t, const struct type *to, uint32_t depth, struct value *ret)
{
    struct clr_list *l = clr_list_new(c, type_find_lit(c->run->env, "System.Collections.Generic.List", to->args[0]), 0);

    if (!l || !read_elements(c, t, to, to->args[0], depth, &l->v, &l->n))
        return false;
    l->cap = l->n;
    *ret = value_ref(l);
    return true;
}

static bool
read_set(struct call *c, struct jtoken *t, const struct type *to, uint32_t depth, struct value *ret)
{
    const struct type *set_type = type_find_lit(c->run->env, "System.Collections.Generic.HashSet", to->args[0]);
    struct clr_table *s = object_new(c, set_type, struct clr_table);
    struct table_entry *e;
    struct value *v;
    uint32_t n;
    bool added;

    if (!s || !read_elements(c, t, to, to->args[0], depth, &v, &n))
        return false;
    table_init(&s->t, to->args[0], NULL);
    for (uint32_t i = 0; i < n; i++)
        if (!table_put(c, &s->t, v[i], &e, &added))
            return false;
    *ret = value_ref(s);
    return true;
}

static bool
read_dictionary(struct call *c, struct jtoken *t, const struct type *to, uint32_t depth, struct value *ret)
{
    struct jcontainer *k = (struct jcontainer *)t;
    struct clr_table *d = clr_dictionary_new(
        c, type_find_lit(c->run->env, "System.Collections.Generic.Dictionary", to->args[0], to->args[1]), NULL);

    if (!d)
        return false;
    if (t->type != JTYPE_OBJECT)
        return does_not_fit(c, t, to);
    if (!jcontainer_open(c, k))
        return false;
    for (uint32_t i = 0; i < k->n; i++) {
        struct jproperty *p = (struct jproperty *)k->items[i];
        struct value key = value_ref(p->name), v;

        if (to->args[0]->kind != TYPE_STRING) {
            struct jvalue *name = jvalue_new(c, p->name->head.type, key);
            if (!name || !read_as(c, &name->t, to->args[0], depth + 1, &key))
                return false;
        }
        if (!call_charge(c, 1) || !read_as(c, p->value, to->args[1], depth + 1, &v) || !clr_dictionary_set(c, d, key, v))
            return false;
    }
    *ret = value_ref(d);
    return true;
}

/* KeyValuePair, tuples and anonymous types, by the names of their fields. */
static bool
read_record(struct call *c, struct jtoken *t, const struct type *to, uint32_t depth, struct value *ret)
{
    static const char *const pair_names[] = {"Key", "Value"};
    struct record *r = record_new(c, to);

    if (!r)
        return false;
    if (t->type != JTYPE_OBJECT)
        return does_not_fit(c, t, to);
    for (uint32_t i = 0; i < to->n_args; i++) {
        struct jproperty *p;
        char item[16];
        struct str name = {item, (size_t)snprintf(item, sizeof(item), "Item%u", i + 1)};

        if (to->flags & TYPE_IS_ANONYMOUS)
            name = to->field_names[i];
        else if (is_pair(to))
            name = str_from_c(pair_names[i]);
        if (!jobject_find_nocase(c, (struct jcontainer *)t, name, &p) ||
            (p && !read_as(c, p->value, to->args[i], depth + 1, &r->v[i])))
            return false;
    }
    *ret = value_ref(r);
    return true;
}

static bool
read_enum(struct call *c, struct jtoken *t, const struct type *to, struct value *ret)
{
    struct jvalue *v = jtoken_value(t);
    struct str name;
    int64_t n;

    if (v && v->t.type == JTYPE_INTEGER) {
        *ret = v->v;
        return true;
    }
    for (uint32_t i = 0; v && v->t.type == JTYPE_STRING && v->v.ref && type_enum_member(to, i, &name, &n); i++) {
        if (str_eq_nocase(name, string_str((struct string *)v->v.ref))) {
            *ret = value_i64(n);
            return true;
        }
    }
    return does_not_fit(c, t, to);
}

static bool
is_list_like(const struct type *to)
{
    static const char *const names[] = {"List", "IList", "ICollection", "IEnumerable", "IReadOnlyList", "IReadOnlyCollection"};
    struct str space = STR("System.Collections.Generic.");

    for (size_t i = 0; to->n_args == 1 && i < COUNTOF(names); i++)
        if (str_starts_with(to->full_name, space) && to->full_name.len > space.len + strlen(names[i]) &&
            memcmp(to->full_name.p + space.len, names[i], strlen(names[i])) == 0 &&
            to->full_name.p[space.len + strlen(names[i])] == '`')
            return true;
    return false;
}

static bool
is_dictionary_like(const struct type *to)
{
    return to->n_args == 2 && (str_starts_with(to->full_name, STR("System.Collections.Generic.Dictionary`2")) ||
                               str_starts_with(to->full_name, STR("System.Collections.Generic.IDictionary`2")) ||
                               str_starts_with(to->full_name, STR("System.Collections.Generic.IReadOnlyDictionary`2")));
}

/* A type that holds other values. */
static bool
read_structured(struct call *c, struct jtoken *t, const struct type *to, uint32_t depth, struct value *ret)
{
    if (to->kind == TYPE_ARRAY)
        return read_array(c, t, to, depth, ret);
    if (is_list_like(to))
        return read_list(c, t, to, depth, ret);
    if (is_dictionary_like(to))
        return read_dictionary(c, t, to, depth, ret);
    if (str_starts_with(to->full_name, STR("System.Collections.Generic.HashSet`1")) ||
        str_starts_with(to->full_name, STR("System.Collections.Generic.ISet`1")))
        return read_set(c, t, to, depth, ret);
    if (is_record(to))
        return read_record(c, t, to, depth, ret);
    return call_throw(c, EXC_JSON_SERIALIZATION, "Could not create an instance of type %.*s.", STR_ARG(to->full_name));
}

static bool
read_as(struct call *c, struct jtoken *t, const struct type *to, uint32_t depth, struct value *ret)
{
    const struct type *plain = type_strip_nullable(to);
    struct jvalue *v = jtoken_value(t);
    struct object *boxed;

    if (depth > SERIALIZE_DEPTH_MAX)
        return call_exceed(c, BUDGET_DEPTH);
    if (t->type == JTYPE_PROPERTY)
        t = ((struct jproperty *)t)->value;
    if (to->kind == TYPE_OBJECT)
        return read_object(c, t, ret);
    if (type_is_assignable(t->head.type, to)) {
        *ret = value_ref(NULL);
        return read_token(c, t, &t) && (*ret = value_ref(t), true);
    }
    if (v && !v->value_type && type_is_kept_in_ref(to)) {
        *ret = value_ref(NULL);
        return true;
    }
    if (plain->kind == TYPE_ENUM) {
        if (!read_enum(c, t, plain, ret))
            return false;
    } else if (v && v->t.type == JTYPE_STRING && v->v.ref && str_eq_lit(plain->full_name, "System.DateTime") &&
               json_read_date(string_str((struct string *)v->v.ref), ret)) {
        /* read as the reader would have */
    } else if (is_json_value(plain) && !(plain->kind == TYPE_ARRAY && t->type == JTYPE_ARRAY)) {
        return v ? jtoken_cast(c, t, to, ret) : does_not_fit(c, t, to);
    } else if (plain->kind == TYPE_CHAR) {
        return jtoken_cast(c, t, to, ret);
    } else if (!read_structured(c, t, plain, depth, ret)) {
        return false;
    }
    if (plain == to)
        return true;
    if (!value_box(c, plain, *ret, &boxed))
        return false;
    *ret = value_ref(boxed);
    return true;
}

bool
jtoken_to_object(struct call *c, struct jtoken *t, const struct type *to, struct value *ret)
{
    return read_as(c, t, to, 0, ret);
}

/* ---- JsonConvert ---- */

static bool
convert_serialize(struct call *c)
{
    bool indented = c->n_args > 1 && c->args[1].i64 == 1;
    struct jtoken *t = jtoken_from_object(c, c->args[0].ref);
    struct buf b = call_buf(c);

    return t && jtoken_write(c, t, indented, &b) && return_new(c, string_from_buf(c, &b));
}

/* (value [, type] [, formatting], settings) */
static bool
convert_serialize_by(struct call *c)
{
    const struct json_settings *s = (const struct json_settings *)c->args[c->n_args - 1].ref;
    const struct parameter *last = &c->member->parameters[c->n_args - 2];
    bool says_formatting = c->n_args > 2 && last->type->kind == TYPE_ENUM;
    bool indented = says_formatting ? c->args[c->n_args - 2].i64 == 1 : s && s->formatting == 1;
    struct jtoken *t = to_token(c, core_types(c->run->env)->object, c->args[0], s && s->null_values ? WITHOUT_NULLS : 0);
    struct buf b = call_buf(c);

    return t && jtoken_write(c, t, indented, &b) && return_new(c, string_from_buf(c, &b));
}

/* SerializeObject(value, params JsonConverter[]): none can exist here. */
static bool
convert_serialize_plain(struct call *c)
{
    c->n_args = 1;
    return convert_serialize(c);
}

/* Reads text by Newtonsoft's rules, strings that look like dates kept until their type is known. NULL: thrown. */
static struct jtoken *
parse_argument(struct call *c)
{
    struct json_problem problem = {0};
    struct string *text = call_string(c, 0);
    const struct json *j;

    if (!text) {
        throw_argument_null(c, "value");
        return NULL;
    }
    if (!call_charge(c, text->size / 64))
        return NULL;
    j = json_parse_newtonsoft(c->run->arena, string_str(text), JSON_NULL, &problem);
    if (j)
        return jtoken_from_json(c, j, true);
    if (problem.err.code == ERR_NO_MEMORY)
        call_exceed(c, BUDGET_BYTES);
    else
        call_throw(c, EXC_JSON_READER, "%s", problem.err.text);
    return NULL;
}

/* Empty text gives the default. */
static bool
is_blank(const struct string *s)
{
    return s && str_trim(string_str(s)).len == 0;
}

/* Whether the last argument is settings with DateParseHandling.None. */
static bool
keeps_dates(const struct call *c)
{
    struct object *last = c->n_args > 1 ? c->args[c->n_args - 1].ref : NULL;

    return last && str_eq_lit(last->type->full_name, "Newtonsoft.Json.JsonSerializerSettings") &&
           ((const struct json_settings *)last)->dates == DATES_AS_TEXT;
}

static bool
convert_deserialize(struct call *c)
{
    struct jtoken *t;

    if (is_blank(call_string(c, 0)))
        return return_ref(c, NULL);
    if (!(t = parse_argument(c)))
        return false;
    return keeps_dates(c) && jtoken_is_container(t) ? return_ref(c, t) : read_object(c, t, &c->ret);
}

/* What a string cannot be converted to is the reader's error here. */
static bool
wrap_conversion_error(struct call *c)
{
    struct exception *e = c->run->exception;

    if (!e || !(str_eq_lit(e->head.type->full_name, "System.FormatException") ||
                str_eq_lit(e->head.type->full_name, "System.OverflowException")))
        return false;
    c->run->exception = NULL;
    return call_throw(c, EXC_JSON_READER, "%.*s", STR_ARG(string_str(e->message)));
}

static bool
deserialize_as(struct call *c, const struct type *to)
{
    struct jtoken *t;

    c->ret = value_i64(0);
    if (is_blank(call_string(c, 0)))
        return type_is_kept_in_ref(to) || call_throw(c, EXC_JSON_SERIALIZATION, "No JSON content found and type '%.*s' is not "
                                                                                "nullable. Path '', line 0, position 0.",
                                                     STR_ARG(to->full_name));
    if (!(t = parse_argument(c)))
        return false;
    if (!jtoken_is_container(t) && !((struct jvalue *)t)->value_type && !type_is_kept_in_ref(to))
        return call_throw(c, EXC_JSON_SERIALIZATION, "Error converting value {null} to type '%.*s'. Path ''.",
                          STR_ARG(to->full_name));
    if (keeps_dates(c) && object_is_jtoken(&t->head) && type_is_assignable(t->head.type, to))
        return return_ref(c, t);
    if (read_as(c, t, to, 0, &c->ret))
        return true;
    return wrap_conversion_error(c);
}

static bool convert_deserialize_as(struct call *c) { return deserialize_as(c, c->type_args[0]); }

static bool
convert_deserialize_type(struct call *c)
{
    const struct type *to = type_of_object(c->args[1].ref);
    struct object *boxed;

    if (!to)
        return convert_deserialize(c);
    return deserialize_as(c, to) && value_box(c, to, c->ret, &boxed) && return_ref(c, boxed);
}

static const struct type_row types[] = {
    STATIC_CLASS("Newtonsoft.Json.JsonConvert"),
};

static const struct member_row members[] = {
    M("JsonConvert", "static string SerializeObject(object value)", convert_serialize),
    M("JsonConvert", "static string SerializeObject(object value, Formatting formatting)", convert_serialize),
    M("JsonConvert", "static string SerializeObject(object value, params JsonConverter[] converters)", convert_serialize_plain),
    M("JsonConvert", "static string SerializeObject(object value, Formatting formatting, params JsonConverter[] converters)", convert_serialize),

    M("JsonConvert", "static string SerializeObject(object value, JsonSerializerSettings settings)", convert_serialize_by),
    M("JsonConvert", "static string SerializeObject(object value, Formatting formatting, JsonSerializerSettings settings)",
      convert_serialize_by),
    M("JsonConvert", "static string SerializeObject(object value, Type type, JsonSerializerSettings settings)", convert_serialize_by),
    M("JsonConvert", "static string SerializeObject(object value, Type type, Formatting formatting, JsonSerializerSettings settings)",
      convert_serialize_by),
    M("JsonConvert", "static object DeserializeObject(string value)", convert_deserialize),
    M("JsonConvert", "static object DeserializeObject(string value, JsonSerializerSettings settings)", convert_deserialize),
    M("JsonConvert", "static object DeserializeObject(string value, Type type)", convert_deserialize_type),
    M("JsonConvert", "static object DeserializeObject(string value, Type type, JsonSerializerSettings settings)",
      convert_deserialize_type),
    M("JsonConvert", "static object DeserializeObject(string value, Type type, params JsonConverter[] converters)",
      convert_deserialize_type),
    M("JsonConvert", "static T DeserializeObject<T>(string value, JsonSerializerSettings settings)", convert_deserialize_as),
    M("JsonConvert", "static T DeserializeObject<T>(string value, params JsonConverter[] converters)", convert_deserialize_as),
    M("JsonConvert", "static T DeserializeObject<T>(string value)", convert_deserialize_as),
    M("JsonConvert", "static T DeserializeAnonymousType<T>(string value, T anonymousTypeObject)", convert_deserialize_as),
};

const struct library clr_json_convert = LIBRARY("json convert", types, members);
