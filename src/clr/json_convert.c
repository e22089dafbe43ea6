/* json_convert.c: JsonConvert and JToken.FromObject: .NET values as JSON.
 *
 * Serialising builds a token tree and writes it. What can occur in an expression is known: numbers, strings, dates, arrays,
 * collections, dictionaries, tuples, anonymous types, tokens, and objects of the library, whose properties are read through
 * their member rows. The way back is json_read.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "clr/collections.h"
#include "clr/families.h"
#include "clr/jtoken.h"
#include "clr/json_parts.h"
#include "clr/json_settings.h"
#include "clr/type_object.h"
#include "expr/member.h"

enum { WITHOUT_NULLS = 1 << 16 };    /* a flag beside the depth */

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

bool
json_is_pair(const struct type *t)
{
    return t && type_begins(t, STR("System.Collections.Generic.KeyValuePair`2"));
}

static bool
add_entry(struct call *c, struct jcontainer *o, struct str name, const struct type *type, struct value v, uint32_t depth)
{
    struct jtoken *t = to_token(c, type, v, depth + 1);
    struct string *s = t ? string_new(c, name) : NULL;

    return s && jobject_set(c, o, s, t);
}

/* A member of a type, which NullValueHandling.Ignore leaves out where an entry of a dictionary stays. */
static bool
add_member(struct call *c, struct jcontainer *o, struct str name, const struct type *type, struct value v, uint32_t depth)
{
    if ((depth & WITHOUT_NULLS) && value_is_null(type, v))
        return true;
    return add_entry(c, o, name, type, v, depth);
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
            !add_entry(c, k, string_str(name), pair->args[1], r->v[1], depth))
            return NULL;
    }
    return got == 0 ? &k->t : NULL;
}

/* A rectangular array: the elements from *at on of dimension `dimension`, as arrays in arrays. */
static struct jtoken *
from_dimension(struct call *c, struct array *a, uint32_t dimension, uint32_t *at, uint32_t depth)
{
    struct jcontainer *k = jarray_new(c);

    for (uint32_t i = 0; k && i < a->lengths[dimension]; i++) {
        struct jtoken *t;
        if (dimension + 1 < a->head.type->rank)
            t = from_dimension(c, a, dimension + 1, at, depth + 1);
        else
            t = to_token(c, a->head.type->args[0], array_get(a, (*at)++), depth + 1);
        if (!t || !jcontainer_insert(c, k, UINT32_MAX, t))
            return NULL;
    }
    return (struct jtoken *)k;
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
        else if (json_is_pair(type))
            name = pair_names[i];
        if (!add_member(c, k, name, type->args[i], r ? r->v[i] : value_i64(0), depth))
            return NULL;
    }
    return (struct jtoken *)k;
}

bool
json_is_record(const struct type *t)
{
    return t->flags & (TYPE_IS_ANONYMOUS | TYPE_IS_TUPLE) || json_is_pair(t) ||
           type_begins(t, STR("System.Tuple`")) || type_begins(t, STR("System.ValueTuple`"));
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
    if (json_is_pair(element) && implements(o->type, "System.Collections.Generic.I") &&
        (implements(o->type, "System.Collections.Generic.IDictionary`2") ||
         implements(o->type, "System.Collections.Generic.IReadOnlyDictionary`2")))
        return from_dictionary(c, o, element, depth);
    if (json_is_record(o->type))
        return from_record(c, o->type, (struct record *)o, depth);
    if (o->type->kind == TYPE_ARRAY && o->type->rank > 1) {
        uint32_t at = 0;
        return from_dimension(c, (struct array *)o, 0, &at, depth);
    }
    if (type_is_assignable(o->type, core_types(c->run->env)->enumerable))
        return from_sequence(c, o, depth);
    return from_properties(c, o, depth);
}

bool
json_is_value(const struct type *t)
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
    if (json_is_record(type) && type->flags & TYPE_IS_REF_STRUCT && !v.ref)
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
    if (json_is_value(o->type))
        return (struct jtoken *)jvalue_new(c, o->type, value_unbox(o));
    return from_reference(c, o, depth);
}

struct jtoken *
jtoken_from_object(struct call *c, struct object *o)
{
    return to_token(c, core_types(c->run->env)->object, value_ref(o), 0);
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
    uint32_t last = c->n_args - 1;
    const struct json_settings *settings;

    if (last == 0 || !str_eq_lit(c->member->parameters[last].type->full_name, "Newtonsoft.Json.JsonSerializerSettings"))
        return false;
    settings = (const struct json_settings *)c->args[last].ref;
    return settings && settings->dates == DATES_AS_TEXT;
}

static bool
convert_deserialize(struct call *c)
{
    struct jtoken *t;

    if (is_blank(call_string(c, 0)))
        return return_ref(c, NULL);
    if (!(t = parse_argument(c)))
        return false;
    return keeps_dates(c) && jtoken_is_container(t) ? return_ref(c, t) : json_read_object(c, t, &c->ret);
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
    if (keeps_dates(c) && object_is_jtoken(&t->head) && type_is_assignable(t->head.type, to))
        return return_ref(c, t);
    return json_read_as(c, t, to, string_str(call_string(c, 0)), &c->ret);
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
