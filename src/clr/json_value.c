/* json_value.c: the members of JValue and JRaw, the conversion operators of JToken, comparers of tokens.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/comparer.h"
#include "clr/families.h"
#include "clr/jtoken.h"

static struct jvalue *
self_of(const struct call *c)
{
    return (struct jvalue *)c->args[0].ref;
}

static const struct type *
named(struct call *c, const char *full_name)
{
    return type_find(c->run->env, str_from_c(full_name), NULL, 0);
}

/* ---- making, and implicit conversions to JToken: the same natives ---- */

#define FROM(name, type) \
    static bool \
    from_##name(struct call *c) \
    { \
        return return_new(c, jvalue_new(c, type, c->args[0])); \
    }
FROM(long, core_types(c->run->env)->long_)
FROM(ulong, core_types(c->run->env)->ulong_)
FROM(double, core_types(c->run->env)->double_)
FROM(float, core_types(c->run->env)->float_)
FROM(decimal, core_types(c->run->env)->decimal_)
FROM(bool, core_types(c->run->env)->bool_)
FROM(date_time, named(c, "System.DateTime"))
FROM(date_time_offset, named(c, "System.DateTimeOffset"))
FROM(guid, named(c, "System.Guid"))
FROM(time_span, named(c, "System.TimeSpan"))

static bool
from_char(struct call *c)
{
    uint16_t unit = (uint16_t)c->args[0].i64;
    struct string *s = string_from_units(c, &unit, 1);

    return s && return_new(c, jvalue_new(c, s->head.type, value_ref(s)));
}

/* Of strings, bytes, Uri, nullables and object: the object says what it is. A null string stays of type String. */
static bool
from_object(struct call *c)
{
    return return_new(c, jvalue_from_object(c, c->args[0].ref));
}

static bool
from_string(struct call *c)
{
    struct jvalue *v = jvalue_from_object(c, c->args[0].ref);

    if (v && !c->args[0].ref)
        v->t.type = JTYPE_STRING;
    return return_new(c, v);
}

static bool
copy_of_value(struct call *c)
{
    if (!c->args[0].ref)
        return throw_argument_null(c, "other");
    return return_new(c, jtoken_clone(c, (struct jtoken *)c->args[0].ref));
}

static bool
raw_new(struct call *c)
{
    struct jvalue *v = object_new(c, c->owner, struct jvalue);
    struct string *text = NULL;
    struct object *o = c->args[0].ref;

    if (!v || (o && !value_to_string(c, o->type, value_unbox(o), STR_NONE, &text)))
        return false;
    v->t.type = JTYPE_RAW;
    v->value_type = text ? text->head.type : NULL;
    v->v = value_ref(text);
    return return_ref(c, v);
}

static bool
create(struct call *c, enum jtype type)
{
    struct jvalue *v = jvalue_from_object(c, c->n_args ? c->args[0].ref : NULL);

    if (v)
        v->t.type = (uint8_t)type;
    return return_new(c, v);
}

static bool
create_comment(struct call *c)
{
    return create(c, JTYPE_COMMENT);
}

static bool
create_string(struct call *c)
{
    return create(c, JTYPE_STRING);
}

static bool
create_null(struct call *c)
{
    return create(c, JTYPE_NULL);
}

static bool
create_undefined(struct call *c)
{
    return create(c, JTYPE_UNDEFINED);
}

/* ---- JValue ---- */

static bool
value_get(struct call *c)
{
    struct object *o;

    if (!self_of(c)->value_type)
        return return_ref(c, NULL);
    return value_box(c, self_of(c)->value_type, self_of(c)->v, &o) && return_ref(c, o);
}

static bool
value_set(struct call *c)
{
    struct jvalue *other = jvalue_from_object(c, c->args[1].ref), *self = self_of(c);

    if (!other)
        return false;
    /* A string put where a comment or raw text was stays one. */
    if (!((self->t.type == JTYPE_COMMENT || self->t.type == JTYPE_RAW) && other->t.type == JTYPE_STRING))
        self->t.type = other->t.type;
    self->value_type = other->value_type;
    self->v = other->v;
    return true;
}

static bool
value_equals_value(struct call *c)
{
    struct jvalue *other = (struct jvalue *)c->args[1].ref;
    bool same = false;

    return (!other || jvalue_equals(c, self_of(c), other, &same)) && return_bool(c, same);
}

/* With a token or with the value of another object. */
static bool
hook_compare(struct call *c, const struct type *type, struct value a, struct value b, int *ret)
{
    struct object *o = b.ref;
    struct jvalue *other = object_is_jtoken(o) ? jtoken_value((struct jtoken *)o) : jvalue_from_object(c, o);

    if (!other)
        return object_is_jtoken(o) ? throw_argument(c, NULL, "Object must be of type JValue.") : false;
    return jvalue_compare(c, (struct jvalue *)a.ref, other, ret);
}

static bool
value_compare_to(struct call *c)
{
    int order;

    if (!c->args[1].ref)
        return return_i64(c, 1);
    return hook_compare(c, NULL, c->args[0], c->args[1], &order) && return_i64(c, order);
}

static bool
value_to_string_format(struct call *c)
{
    struct jvalue *v = self_of(c);
    struct string *format = call_string(c, 1), *text;

    if (!v->value_type)
        return return_new(c, string_lit(c, ""));
    return value_to_string(c, v->value_type, v->v, format ? string_str(format) : STR_NONE, &text) && return_ref(c, text);
}

static bool
value_to_string_plain(struct call *c)
{
    struct string *s;

    return value_to_string(c, c->args[0].ref->type, c->args[0], STR_NONE, &s) && return_ref(c, s);
}

/* ---- hooks ---- */

static bool
hook_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    struct jtoken *x = (struct jtoken *)a.ref, *y = (struct jtoken *)b.ref;

    *ret = x == y;
    if (x == y || !x || !y || !object_is_jtoken(&y->head) || jtoken_is_container(y) || y->type == JTYPE_PROPERTY)
        return true;
    return jvalue_equals(c, (struct jvalue *)x, (struct jvalue *)y, ret);
}

static bool
hook_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    struct jvalue *j = (struct jvalue *)v.ref;

    *ret = 0;
    return !j->value_type || value_hash(c, j->value_type, j->v, ret);
}

/* iterate and to_string come from JToken. */
static const struct type_hooks value_hooks = {.equals = hook_equals, .hash = hook_hash, .compare = hook_compare};

/* ---- explicit conversions ---- */

static bool
cast(struct call *c)
{
    return jtoken_cast(c, (struct jtoken *)c->args[0].ref, c->ret_type, &c->ret);
}

/* ---- JTokenEqualityComparer ---- */

static bool
tokens_equal(struct call *c, struct comparer *self, struct value a, struct value b, bool *ret)
{
    return jtoken_deep_equals(c, (struct jtoken *)a.ref, (struct jtoken *)b.ref, ret);
}

static bool token_hash(struct call *c, struct jtoken *t, uint32_t depth, uint32_t *ret);

/* Members are combined without regard to their order, as DeepEquals ignores it. */
static bool
container_hash(struct call *c, struct jtoken *t, uint32_t depth, uint32_t *ret)
{
    struct jtoken **children;
    uint32_t n, hash = 0;

    if (!jtoken_children(c, t, &children, &n))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t child;
        if (!token_hash(c, children[i], depth + 1, &child))
            return false;
        hash = t->type == JTYPE_OBJECT ? hash + child : hash * 31 + child;
    }
    *ret = hash;
    return true;
}

static bool
token_hash(struct call *c, struct jtoken *t, uint32_t depth, uint32_t *ret)
{
    int32_t value = 0;
    uint32_t inner = 0;

    if (depth > JTOKEN_DEPTH_MAX)
        return call_exceed(c, BUDGET_DEPTH);
    if (jtoken_is_container(t) || t->type == JTYPE_PROPERTY) {
        if (!container_hash(c, t, depth, &inner))
            return false;
        if (t->type == JTYPE_PROPERTY &&
            !value_hash(c, core_types(c->run->env)->string, value_ref(((struct jproperty *)t)->name), &value))
            return false;
    } else if (!hook_hash(c, NULL, value_ref(t), &value)) {
        return false;
    }
    *ret = (inner * 31 + (uint32_t)value) * 31 + t->type;
    return true;
}

static bool
tokens_hash(struct call *c, struct comparer *self, struct value v, int32_t *ret)
{
    uint32_t hash = 0;

    if (v.ref && !token_hash(c, (struct jtoken *)v.ref, 0, &hash))
        return false;
    *ret = (int32_t)hash;
    return true;
}

static const struct comparer_ops token_ops = {tokens_equal, tokens_hash, NULL};

static bool
token_comparer_new(struct call *c)
{
    struct comparer *comparer = object_new(c, c->ret_type, struct comparer);

    if (comparer)
        comparer->ops = &token_ops;
    return return_new(c, comparer);
}

static bool
token_comparer_equals(struct call *c)
{
    bool same;

    return tokens_equal(c, NULL, c->args[1], c->args[2], &same) && return_bool(c, same);
}

static bool
token_comparer_hash(struct call *c)
{
    int32_t hash;

    return tokens_hash(c, NULL, c->args[1], &hash) && return_i64(c, hash);
}

/* ---- BigInteger: only what a parsed number needs; digits in a struct string ---- */

static bool
big_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    return (*ret = string_view(c, string_str((struct string *)v.ref))) != NULL;
}

static bool
big_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    *ret = a.ref && b.ref && a.ref->type == b.ref->type && string_eq((struct string *)a.ref, (struct string *)b.ref);
    return true;
}

static const struct type_hooks big_hooks = {.to_string = big_to_string, .equals = big_equals};

static const struct type_row types[] = {
    CLASS("Newtonsoft.Json.Linq.JValue", "JToken", "IComparable, IFormattable, IEquatable<JValue>, IComparable<JValue>",
          &value_hooks),
    CLASS("Newtonsoft.Json.Linq.JRaw", "JValue", NULL, NULL),
    CLASS("Newtonsoft.Json.Linq.JTokenEqualityComparer", NULL, "IEqualityComparer<JToken>", NULL),
    {TYPE_CLASS, "System.Numerics.BigInteger", NULL, NULL, &big_hooks, TYPE_IS_HIDDEN | TYPE_IS_ABSTRACT, NULL},
};

#define IMPLICIT(type, fn) M("JToken", "static implicit operator JToken(" type " value)", fn)
#define EXPLICIT(type) M("JToken", "static explicit operator " type "(JToken value)", cast)

static const struct member_row members[] = {
    M("JValue", "new(JValue other)", copy_of_value),
    M("JValue", "new(long value)", from_long),
    M("JValue", "new(decimal value)", from_decimal),
    M("JValue", "new(char value)", from_char),
    M("JValue", "new(ulong value)", from_ulong),
    M("JValue", "new(double value)", from_double),
    M("JValue", "new(float value)", from_float),
    M("JValue", "new(DateTime value)", from_date_time),
    M("JValue", "new(DateTimeOffset value)", from_date_time_offset),
    M("JValue", "new(bool value)", from_bool),
    M("JValue", "new(string value)", from_string),
    M("JValue", "new(Guid value)", from_guid),
    M("JValue", "new(Uri value)", from_object),
    M("JValue", "new(TimeSpan value)", from_time_span),
    M("JValue", "new(object value)", from_object),
    P("JValue", "object Value { get; set; }", value_get, value_set),
    M("JValue", "int CompareTo(JValue obj)", value_compare_to),
    M("JValue", "int CompareTo(object obj)", value_compare_to),
    M("JValue", "bool Equals(JValue other)", value_equals_value),
    M("JValue", "string ToString(string format)", value_to_string_format),
    M("JValue", "string ToString(IFormatProvider formatProvider)", value_to_string_plain),
    M("JValue", "string ToString(string format, IFormatProvider formatProvider)", value_to_string_format),
    M("JValue", "static JValue CreateComment(string value)", create_comment),
    M("JValue", "static JValue CreateString(string value)", create_string),
    M("JValue", "static JValue CreateNull()", create_null),
    M("JValue", "static JValue CreateUndefined()", create_undefined),
    M("JRaw", "new(JRaw other)", copy_of_value),
    M("JRaw", "new(object rawJson)", raw_new),
    M_LATER("JRaw", "static JRaw Create(JsonReader reader)"),
    M("JTokenEqualityComparer", "new()", token_comparer_new),
    M("JTokenEqualityComparer", "bool Equals(JToken x, JToken y)", token_comparer_equals),
    M("JTokenEqualityComparer", "int GetHashCode(JToken obj)", token_comparer_hash),
    M("JToken", "static JTokenEqualityComparer EqualityComparer { get; }", token_comparer_new),

    IMPLICIT("bool", from_bool), IMPLICIT("sbyte", from_long), IMPLICIT("byte", from_long), IMPLICIT("short", from_long),
    IMPLICIT("ushort", from_long), IMPLICIT("int", from_long), IMPLICIT("uint", from_long), IMPLICIT("long", from_long),
    IMPLICIT("ulong", from_ulong), IMPLICIT("double", from_double), IMPLICIT("float", from_float),
    IMPLICIT("decimal", from_decimal), IMPLICIT("DateTime", from_date_time), IMPLICIT("Guid", from_guid),
    IMPLICIT("DateTimeOffset", from_date_time_offset), IMPLICIT("TimeSpan", from_time_span), IMPLICIT("string", from_string),
    IMPLICIT("byte[]", from_object), IMPLICIT("Uri", from_object), IMPLICIT("bool?", from_object),
    IMPLICIT("sbyte?", from_object), IMPLICIT("byte?", from_object), IMPLICIT("short?", from_object),
    IMPLICIT("ushort?", from_object), IMPLICIT("int?", from_object), IMPLICIT("uint?", from_object),
    IMPLICIT("long?", from_object), IMPLICIT("ulong?", from_object), IMPLICIT("double?", from_object),
    IMPLICIT("float?", from_object), IMPLICIT("decimal?", from_object), IMPLICIT("DateTime?", from_object),
    IMPLICIT("DateTimeOffset?", from_object), IMPLICIT("Guid?", from_object), IMPLICIT("TimeSpan?", from_object),

    EXPLICIT("bool"), EXPLICIT("sbyte"), EXPLICIT("byte"), EXPLICIT("char"), EXPLICIT("short"), EXPLICIT("ushort"),
    EXPLICIT("int"), EXPLICIT("uint"), EXPLICIT("long"), EXPLICIT("ulong"), EXPLICIT("double"), EXPLICIT("float"),
    EXPLICIT("decimal"), EXPLICIT("DateTime"), EXPLICIT("DateTimeOffset"), EXPLICIT("Guid"), EXPLICIT("TimeSpan"),
    EXPLICIT("string"), EXPLICIT("byte[]"), EXPLICIT("Uri"), EXPLICIT("bool?"), EXPLICIT("sbyte?"), EXPLICIT("byte?"),
    EXPLICIT("char?"), EXPLICIT("short?"), EXPLICIT("ushort?"), EXPLICIT("int?"), EXPLICIT("uint?"), EXPLICIT("long?"),
    EXPLICIT("ulong?"), EXPLICIT("double?"), EXPLICIT("float?"), EXPLICIT("decimal?"), EXPLICIT("DateTime?"),
    EXPLICIT("DateTimeOffset?"), EXPLICIT("Guid?"), EXPLICIT("TimeSpan?"),
};

const struct library clr_json_value = LIBRARY("json value", types, members);
