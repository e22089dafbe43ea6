/* object.c: System.Object, Enum, Nullable, Exception and Tuple.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "clr/families.h"
#include "clr/format.h"
#include "clr/number_format.h"
#include "clr/type_object.h"
#include "clr/values.h"

/* --- Object -------------------------------------------------------------------------------------------------------------- */

struct plain_object {
    struct object head;
};

static bool
object_create(struct call *c)
{
    return return_new(c, object_new(c, c->owner, struct plain_object));
}

static bool
object_to_string(struct call *c)
{
    struct object *o = c->args[0].ref;
    struct string *s;

    return value_to_string(c, o->type, value_unbox(o), STR_NONE, &s) && return_ref(c, s);
}

static bool
objects_equal(struct call *c, struct object *a, struct object *b)
{
    bool equal;

    if (a == b || !a || !b)
        return return_bool(c, a == b);
    if (a->type != b->type && (object_is_box(a) || object_is_box(b)))
        return return_bool(c, false);
    return value_equals(c, a->type, value_unbox(a), value_unbox(b), &equal) && return_bool(c, equal);
}

static bool
object_equals(struct call *c)
{
    return objects_equal(c, c->args[0].ref, c->args[1].ref);
}

static bool
object_reference_equals(struct call *c)
{
    return return_bool(c, c->args[0].ref == c->args[1].ref);
}

static bool
object_get_hash_code(struct call *c)
{
    struct object *o = c->args[0].ref;
    int32_t hash;

    if (o->type->kind == TYPE_STRING) /* as String.GetHashCode() */
        return return_i64(c, (int32_t)hash_128(string_str((struct string *)o)).lo);
    return value_hash(c, o->type, value_unbox(o), &hash) && return_i64(c, hash);
}

/* --- Enum ---------------------------------------------------------------------------------------------------------------- */

static bool
enum_name_of(const struct type *type, int64_t value, struct str *ret)
{
    struct str name;
    int64_t v;

    for (uint32_t i = 0; type_enum_member(type, i, &name, &v); i++)
        if (v == value) {
            *ret = name;
            return true;
        }
    return false;
}

/* "A, C" of the largest members that make up the value; false when some bit has no name. */
static bool
add_flag_names(struct buf *to, const struct type *type, int64_t value)
{
    struct str names[64], name;
    int64_t left = value, v, best;
    uint32_t n = 0;

    while (left && n < COUNTOF(names)) {
        best = 0;
        for (uint32_t i = 0; type_enum_member(type, i, &name, &v); i++)
            if (v && (left & v) == v && (uint64_t)v > (uint64_t)best) {
                best = v;
                names[n] = name;
            }
        if (!best)
            return false;
        n++;
        left &= ~best;
    }
    while (n--) {
        buf_add_str(to, names[n]);
        if (n)
            buf_add_lit(to, ", ");
    }
    return true;
}

static bool
enum_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    char letter = format.len ? ascii_lower(format.p[0]) : 'g';
    struct buf b = call_buf(c);
    struct str name;

    if (format.len > 1 || !strchr("gfdx", letter))
        return call_throw(c, EXC_FORMAT, "Format String can be only \"G\", \"g\", \"X\", \"x\", \"F\", \"f\", \"D\" or \"d\".");
    if (letter == 'd' || letter == 'x') {
        if (!format_i64(&b, v.i64, 32, letter == 'd' ? STR("D") : STR("X8")))
            return call_throw_default(c, EXC_FORMAT);
    } else if (enum_name_of(type, v.i64, &name)) {
        *ret = string_view(c, name);
        return *ret != NULL;
    } else if (v.i64 == 0 || !((type->flags & TYPE_IS_FLAGS) || letter == 'f') || !add_flag_names(&b, type, v.i64)) {
        buf_clear(&b);
        buf_add_i64(&b, v.i64);
    }
    *ret = string_from_buf(c, &b);
    return *ret != NULL;
}

static bool
enum_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    *ret = a.i64 == b.i64;
    return true;
}

static bool
enum_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    *ret = (int32_t)v.i64;
    return true;
}

static bool
enum_compare(struct call *c, const struct type *type, struct value a, struct value b, int *ret)
{
    *ret = a.i64 < b.i64 ? -1 : a.i64 > b.i64;
    return true;
}

static const struct type_hooks enum_hooks = {
    .to_string = enum_to_string, .equals = enum_equals, .hash = enum_hash, .compare = enum_compare,
};

static bool
parse_enum_name(const struct type *type, struct str word, bool ignore_case, int64_t *ret)
{
    struct str name;
    int64_t v;

    for (uint32_t i = 0; type_enum_member(type, i, &name, &v); i++)
        if (ignore_case ? str_eq_nocase(name, word) : str_eq(name, word)) {
            *ret = v;
            return true;
        }
    return false;
}

static bool
parse_enum_number(struct str word, int64_t *ret)
{
    int64_t n = 0;
    bool negative = word.len && word.p[0] == '-';

    word = str_skip(word, negative || (word.len && word.p[0] == '+'));
    if (word.len == 0 || word.len > 10)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        if (!ascii_is_digit(word.p[i]))
            return false;
        n = n * 10 + (word.p[i] - '0');
    }
    *ret = negative ? -n : n;
    return n <= INT32_MAX;
}

/* "Name", "A, B" or a number. */
static bool
parse_enum(const struct type *type, struct str text, bool ignore_case, int64_t *ret)
{
    struct str rest = text, word;
    int64_t value = 0, one;

    if (str_trim(text).len == 0)
        return false;
    if (parse_enum_number(str_trim(text), ret))
        return true;
    while (str_split_next(&rest, ',', &word)) {
        if (!parse_enum_name(type, str_trim(word), ignore_case, &one))
            return false;
        value |= one;
    }
    *ret = value;
    return true;
}

static bool
enum_parse_as(struct call *c, const struct type *type, struct string *text, bool ignore_case, int64_t *ret)
{
    if (!text)
        return throw_argument_null(c, "value");
    if (type->kind != TYPE_ENUM)
        return throw_argument(c, "enumType", "Type provided must be an Enum.");
    if (str_trim(string_str(text)).len == 0)
        return throw_argument(c, NULL, "Must specify valid information for parsing in the string.");
    if (!parse_enum(type, string_str(text), ignore_case, ret))
        return throw_argument(c, NULL, "Requested value '%.*s' was not found.", STR_ARG(string_str(text)));
    return true;
}

static bool
enum_parse(struct call *c)
{
    int64_t v;

    return enum_parse_as(c, c->type_args[0], call_string(c, 0), c->n_args > 1 && call_bool(c, 1), &v) && return_i64(c, v);
}

static bool
enum_parse_type(struct call *c)
{
    struct object *type = c->args[0].ref, *boxed;
    int64_t v;

    if (!type)
        return throw_argument_null(c, "enumType");
    const struct type *t = type_of_object(type);
    if (!enum_parse_as(c, t, call_string(c, 1), c->n_args > 2 && call_bool(c, 2), &v))
        return false;
    return value_box(c, t, value_i64(v), &boxed) && return_ref(c, boxed);
}

static bool
enum_try_parse(struct call *c)
{
    uint32_t out = c->n_args - 1;
    int64_t v = 0;
    bool ok = call_string(c, 0) && c->type_args[0]->kind == TYPE_ENUM &&
              parse_enum(c->type_args[0], call_str(c, 0), c->n_args > 2 && call_bool(c, 1), &v);

    c->args[out] = value_i64(ok ? v : 0);
    return return_bool(c, ok);
}

/* A receiver of type Enum is boxed. */
static bool
enum_text(struct call *c)
{
    struct object *o = c->args[0].ref;
    struct string *s;

    return value_to_string(c, o->type, value_unbox(o), c->n_args > 1 ? call_str(c, 1) : STR_NONE, &s) && return_ref(c, s);
}

static bool
enum_text_plain(struct call *c)
{
    return object_to_string(c);
}

static bool
enum_try_parse_type(struct call *c)
{
    const struct type *t = type_of_object(c->args[0].ref);
    uint32_t out = c->n_args - 1;
    int64_t v = 0;
    bool ok;

    if (!t)
        return throw_argument_null(c, "enumType");
    if (t->kind != TYPE_ENUM)
        return throw_argument(c, "enumType", "Type provided must be an Enum.");
    ok = call_string(c, 1) && parse_enum(t, call_str(c, 1), c->n_args > 3 && call_bool(c, 2), &v);
    c->args[out] = value_ref(NULL);
    return (!ok || value_box(c, t, value_i64(v), &c->args[out].ref)) && return_bool(c, ok);
}

static bool
enum_has_flag(struct call *c)
{
    struct object *o = c->args[0].ref, *flag = c->args[1].ref;

    if (!flag)
        return throw_argument_null(c, "flag");
    return return_bool(c, (value_unbox(o).i64 & value_unbox(flag).i64) == value_unbox(flag).i64);
}

/* --- Nullable ------------------------------------------------------------------------------------------------------------ */

static bool
nullable_has_value(struct call *c)
{
    return return_bool(c, c->args[0].ref != NULL);
}

static bool
nullable_value(struct call *c)
{
    if (!c->args[0].ref)
        return call_throw(c, EXC_INVALID_OPERATION, "Nullable object must have a value.");
    c->ret = value_unbox(c->args[0].ref);
    return true;
}

static bool
nullable_get_value_or_default(struct call *c)
{
    c->ret = c->args[0].ref ? value_unbox(c->args[0].ref) : c->n_args > 1 ? c->args[1] : value_i64(0);
    return true;
}

static bool
nullable_to_string(struct call *c)
{
    return c->args[0].ref ? object_to_string(c) : return_new(c, string_lit(c, ""));
}

static bool
nullable_get_hash_code(struct call *c)
{
    return c->args[0].ref ? object_get_hash_code(c) : return_i64(c, 0);
}

static bool
nullable_compare(struct call *c)
{
    struct object *a = c->args[0].ref, *b = c->args[1].ref;
    int order;

    if (!a || !b)
        return return_i64(c, (a != NULL) - (b != NULL));
    return value_compare(c, a->type, value_unbox(a), value_unbox(b), &order) && return_i64(c, order);
}

static bool
nullable_new(struct call *c)
{
    struct object *box;

    return value_box(c, type_strip_nullable(c->owner), c->args[0], &box) && return_ref(c, box);
}

static bool
nullable_underlying(struct call *c)
{
    const struct type *t = type_of_object(c->args[0].ref);

    if (!t)
        return throw_argument_null(c, "nullableType");
    return t->kind == TYPE_NULLABLE ? return_new(c, type_object_new(c, t->args[0])) : return_ref(c, NULL);
}

/* --- Exception ------------------------------------------------------------------------------------------------------------ */

static struct str
default_message(const struct type *type)
{
    static const struct {
        struct str type, message;
    } messages[] = {
#define EXCEPTION(name, full, base, message) {STR_INIT(full), STR_INIT(message)},
#include "expr/exceptions.def"
#undef EXCEPTION
    };

    for (size_t i = 0; i < COUNTOF(messages); i++)
        if (str_eq(messages[i].type, type->full_name))
            return messages[i].message;
    return STR("");
}

static struct exception *
exception_new(struct call *c, struct string *message)
{
    struct exception *e = object_new(c, c->owner, struct exception);

    if (!e)
        return NULL;
    e->message = message ? message : string_view(c, default_message(c->owner));
    return e->message ? e : NULL;
}

/* (), (message), (message, inner) */
static bool
exception_create(struct call *c)
{
    struct exception *e = exception_new(c, c->n_args > 0 ? call_string(c, 0) : NULL);

    if (e && c->n_args > 1)
        e->inner = (struct exception *)c->args[1].ref;
    return return_new(c, e);
}

static bool
argument_create(struct call *c, struct string *message, struct string *parameter)
{
    struct exception *e;
    struct str text = message ? string_str(message) : default_message(c->owner);

    if (parameter && parameter->size)
        message = string_printf(c, "%.*s\nParameter name: %.*s", STR_ARG(text), STR_ARG(string_str(parameter)));
    if ((e = exception_new(c, message)))
        e->parameter = parameter;
    return return_new(c, e);
}

static bool argument_with_name(struct call *c) { return argument_create(c, call_string(c, 0), call_string(c, 1)); }
static bool argument_of_name(struct call *c) { return argument_create(c, NULL, call_string(c, 0)); }
static bool argument_name_first(struct call *c) { return argument_create(c, call_string(c, 1), call_string(c, 0)); }

static bool
argument_with_actual(struct call *c)
{
    struct object *actual = c->args[1].ref;
    struct exception *e;
    struct string *text;

    if (!argument_create(c, call_string(c, 2), call_string(c, 0)))
        return false;
    e = (struct exception *)c->ret.ref;
    e->actual = actual;
    if (!actual)
        return true;
    if (!value_to_string(c, actual->type, value_unbox(actual), STR_NONE, &text))
        return false;
    e->message = string_printf(c, "%.*s\nActual value was %.*s.", STR_ARG(string_str(e->message)), STR_ARG(string_str(text)));
    return e->message != NULL;
}

static struct exception *
self_exception(const struct call *c)
{
    return (struct exception *)c->args[0].ref;
}

static bool exception_message(struct call *c) { return return_ref(c, self_exception(c)->message); }
static bool exception_inner(struct call *c) { return return_ref(c, self_exception(c)->inner); }
static bool exception_parameter(struct call *c) { return return_ref(c, self_exception(c)->parameter); }
static bool exception_nothing(struct call *c) { return return_ref(c, NULL); }
static bool exception_actual(struct call *c) { return return_ref(c, self_exception(c)->actual); }
static bool exception_help_link(struct call *c) { return return_ref(c, self_exception(c)->help_link); }

static bool
exception_base(struct call *c)
{
    struct exception *e = self_exception(c);

    while (e->inner)
        e = e->inner;
    return return_ref(c, e);
}

static bool
exception_set_help_link(struct call *c)
{
    self_exception(c)->help_link = call_string(c, 1);
    return true;
}

static bool
exception_source(struct call *c)
{
    return return_ref(c, self_exception(c)->source);
}

static bool
exception_set_source(struct call *c)
{
    self_exception(c)->source = call_string(c, 1);
    return true;
}

/* --- Tuple ---------------------------------------------------------------------------------------------------------------- */

static bool
tuple_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    const struct record *r = (const struct record *)v.ref;
    struct buf b = call_buf(c);

    buf_add_char(&b, '(');
    for (uint32_t i = 0; i < type->n_args; i++) {
        struct string *s;
        if (i)
            buf_add_lit(&b, ", ");
        if (!value_to_string(c, type->args[i], r->v[i], STR_NONE, &s))
            return false;
        struct str text = s ? string_str(s) : STR("");
        buf_add_str(&b, i == 7 && text.len > 1 ? str_sub(text, 1, text.len - 1) : text); /* the Rest is not wrapped again */
    }
    buf_add_char(&b, ')');
    *ret = string_from_buf(c, &b);
    return *ret != NULL;
}

static bool
tuple_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    const struct record *x = (const struct record *)a.ref, *y = (const struct record *)b.ref;

    *ret = x == y;
    if (x == y || !x || !y || x->head.type != y->head.type)
        return true;
    for (uint32_t i = 0; i < type->n_args; i++)
        if (!value_equals(c, type->args[i], x->v[i], y->v[i], ret) || !*ret)
            return !*ret && !c->run->exception && !c->run->exceeded;
    return true;
}

static bool
tuple_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    const struct record *r = (const struct record *)v.ref;
    uint64_t h = type->n_args;
    int32_t one;

    for (uint32_t i = 0; r && i < type->n_args; i++) {
        one = 0;
        if (!(type_is_kept_in_ref(type->args[i]) && !r->v[i].ref) && !value_hash(c, type->args[i], r->v[i], &one))
            return false;
        h = hash_mix(h, (uint32_t)one);
    }
    *ret = (int32_t)h;
    return true;
}

static bool
tuple_compare(struct call *c, const struct type *type, struct value a, struct value b, int *ret)
{
    const struct record *x = (const struct record *)a.ref, *y = (const struct record *)b.ref;

    if (y->head.type != type)
        return throw_argument(c, NULL, "Argument must be of type %.*s.", STR_ARG(type->full_name));
    *ret = 0;
    for (uint32_t i = 0; i < type->n_args && *ret == 0; i++)
        if (!value_compare(c, type->args[i], x->v[i], y->v[i], ret))
            return false;
    return true;
}

/* --- IComparable ----------------------------------------------------------------------------------------------------------------- */

static bool
comparable_compare_to(struct call *c)
{
    struct object *a = c->args[0].ref, *b = c->args[1].ref;
    int order;

    if (!b)
        return return_i64(c, 1);
    if (a->type != b->type)
        return throw_argument(c, NULL, "Object must be of type %.*s.", STR_ARG(a->type->name));
    return value_compare(c, a->type, value_unbox(a), value_unbox(b), &order) && return_i64(c, order);
}

/* To another value of T, null among them. */
static bool
comparable_compare_to_same(struct call *c)
{
    const struct type *t = c->owner->args[0];
    int order;

    if (type_is_kept_in_ref(t) && !c->args[1].ref && type_is_reference(t))
        return return_i64(c, 1);
    return value_compare(c, t, value_unbox(c->args[0].ref), c->args[1], &order) && return_i64(c, order);
}

static bool
value_tuple_compare_to(struct call *c)
{
    int order;

    return value_compare(c, c->owner, c->args[0], c->args[1], &order) && return_i64(c, order);
}

/* --- Tuple's members ------------------------------------------------------------------------------------------------------------- */

static const struct type_hooks tuple_hooks = {
    .to_string = tuple_to_string, .equals = tuple_equals, .hash = tuple_hash, .compare = tuple_compare,
};

static bool
tuple_new(struct call *c)
{
    const struct type *type = c->owner->n_args ? c->owner : c->ret_type; /* new Tuple<...>() or Tuple.Create() */
    struct record *r = record_new(c, type);

    for (uint32_t i = 0; r && i < c->n_args; i++)
        r->v[i] = c->args[i];
    return return_new(c, r);
}

#define ITEM(n) \
    static bool tuple_item##n(struct call *c) \
    { \
        c->ret = ((struct record *)c->args[0].ref)->v[n - 1]; \
        return true; \
    }
ITEM(1) ITEM(2) ITEM(3) ITEM(4) ITEM(5) ITEM(6) ITEM(7) ITEM(8)

/* The eighth goes into a tuple of its own, the Rest. */
static bool
tuple_new_of_eight(struct call *c)
{
    struct record *rest = record_new(c, c->ret_type->args[7]), *r = record_new(c, c->ret_type);

    if (!rest || !r)
        return false;
    rest->v[0] = c->args[7];
    for (uint32_t i = 0; i < 7; i++)
        r->v[i] = c->args[i];
    r->v[7] = value_ref(rest);
    return return_ref(c, r);
}

#define T2 "Tuple<T1,T2>"
#define T3 "Tuple<T1,T2,T3>"
#define T4 "Tuple<T1,T2,T3,T4>"
#define T5 "Tuple<T1,T2,T3,T4,T5>"
#define T6 "Tuple<T1,T2,T3,T4,T5,T6>"
#define T7 "Tuple<T1,T2,T3,T4,T5,T6,T7>"
#define T8 "Tuple<T1,T2,T3,T4,T5,T6,T7,TRest>"

static const struct type_row types[] = {
    HOOKS("System.Enum", &enum_hooks),
    STATIC_CLASS("System.Tuple"),
    CLASS("System.Tuple<T1>", NULL, "IComparable", &tuple_hooks),
    CLASS("System." T2, NULL, "IComparable", &tuple_hooks),
    CLASS("System." T3, NULL, "IComparable", &tuple_hooks),
    CLASS("System." T4, NULL, "IComparable", &tuple_hooks),
    CLASS("System." T5, NULL, "IComparable", &tuple_hooks),
    CLASS("System." T6, NULL, "IComparable", &tuple_hooks),
    CLASS("System." T7, NULL, "IComparable", &tuple_hooks),
    CLASS("System." T8, NULL, "IComparable", &tuple_hooks),
};

static const struct member_row members[] = {
    M("Object", "new()", object_create),
    M("Object", "string ToString()", object_to_string),
    M("Object", "bool Equals(object obj)", object_equals),
    M("Object", "int GetHashCode()", object_get_hash_code),
    M("Object", "static bool Equals(object objA, object objB)", object_equals),
    M("Object", "static bool ReferenceEquals(object objA, object objB)", object_reference_equals),

    M("Enum", "static T Parse<T>(string value)", enum_parse),
    M("Enum", "static T Parse<T>(string value, bool ignoreCase)", enum_parse),
    M("Enum", "static object Parse(Type enumType, string value)", enum_parse_type),
    M("Enum", "static object Parse(Type enumType, string value, bool ignoreCase)", enum_parse_type),
    M("Enum", "static bool TryParse<T>(string value, out T result)", enum_try_parse),
    M("Enum", "static bool TryParse<T>(string value, bool ignoreCase, out T result)", enum_try_parse),
    M("Enum", "static bool TryParse(Type enumType, string value, out object result)", enum_try_parse_type),
    M("Enum", "static bool TryParse(Type enumType, string value, bool ignoreCase, out object result)", enum_try_parse_type),
    M("Enum", "string ToString()", enum_text),
    M("Enum", "string ToString(IFormatProvider provider)", enum_text_plain),
    M("Enum", "string ToString(string format, IFormatProvider provider)", enum_text),
    M("Enum", "string ToString(string format)", enum_text),
    M_EXTRA("Enum", "bool HasFlag(Enum flag)", enum_has_flag),

    M("Nullable<T>", "bool HasValue { get; }", nullable_has_value),
    M("Nullable<T>", "T Value { get; }", nullable_value),
    M("Nullable<T>", "T GetValueOrDefault()", nullable_get_value_or_default),
    M("Nullable<T>", "T GetValueOrDefault(T defaultValue)", nullable_get_value_or_default),
    M("Nullable<T>", "string ToString()", nullable_to_string),
    M("Nullable<T>", "bool Equals(object other)", object_equals),
    M("Nullable<T>", "int GetHashCode()", nullable_get_hash_code),
    M("Nullable<T>", "new(T value)", nullable_new),
    M("Nullable", "static Type GetUnderlyingType(Type nullableType)", nullable_underlying),
    M("Nullable", "static int Compare<T>(T? n1, T? n2)", nullable_compare),
    M("Nullable", "static bool Equals<T>(T? n1, T? n2)", object_equals),

#define EXCEPTION(name, full, base, text) \
    {full, EXC_##name == EXC_ARGUMENT_NULL || EXC_##name == EXC_ARGUMENT_OUT_OF_RANGE ? "new(string paramName)" : "new(string message)", \
     EXC_##name == EXC_ARGUMENT_NULL || EXC_##name == EXC_ARGUMENT_OUT_OF_RANGE ? argument_of_name : exception_create, NULL, 0, NULL}, \
    {full, "new()", exception_create, NULL, 0, NULL}, \
    {full, "new(string message, Exception innerException)", exception_create, NULL, 0, NULL},
#include "expr/exceptions.def"
#undef EXCEPTION
    M("ArgumentException", "new(string message, string paramName)", argument_with_name),
    M("ArgumentNullException", "new(string paramName, string message)", argument_name_first),
    M("ArgumentOutOfRangeException", "new(string paramName, string message)", argument_name_first),
    M("ArgumentOutOfRangeException", "new(string paramName, object actualValue, string message)", argument_with_actual),
    M("Exception", "string Message { get; }", exception_message),
    M("Exception", "Exception InnerException { get; }", exception_inner),
    M("Exception", "string StackTrace { get; }", exception_nothing),
    P("Exception", "string HelpLink { get; set; }", exception_help_link, exception_set_help_link),
    P("Exception", "string Source { get; set; }", exception_source, exception_set_source),
    M_LATER("Exception", "object Data { get; }"),
    M_LATER("Exception", "int HResult { get; }"),
    M("ArgumentOutOfRangeException", "object ActualValue { get; }", exception_actual),
    M("Exception", "Exception GetBaseException()", exception_base),
    M("ArgumentException", "string ParamName { get; }", exception_parameter),

    M("IComparable", "int CompareTo(object obj)", comparable_compare_to),
    M("IComparable<T>", "int CompareTo(T other)", comparable_compare_to_same),
#define COMPARED(parameters) \
    M("ValueTuple<" parameters ">", "int CompareTo(ValueTuple<" parameters "> other)", value_tuple_compare_to)
    COMPARED("T1,T2"), COMPARED("T1,T2,T3"), COMPARED("T1,T2,T3,T4"), COMPARED("T1,T2,T3,T4,T5"), COMPARED("T1,T2,T3,T4,T5,T6"),
    COMPARED("T1,T2,T3,T4,T5,T6,T7"),

    M("Tuple", "static Tuple<T1> Create<T1>(T1 item1)", tuple_new),
    M("Tuple", "static " T2 " Create<T1,T2>(T1 item1, T2 item2)", tuple_new),
    M("Tuple", "static " T3 " Create<T1,T2,T3>(T1 item1, T2 item2, T3 item3)", tuple_new),
    M("Tuple", "static " T4 " Create<T1,T2,T3,T4>(T1 item1, T2 item2, T3 item3, T4 item4)", tuple_new),
    M("Tuple", "static " T5 " Create<T1,T2,T3,T4,T5>(T1 item1, T2 item2, T3 item3, T4 item4, T5 item5)", tuple_new),
    M("Tuple", "static " T6 " Create<T1,T2,T3,T4,T5,T6>(T1 item1, T2 item2, T3 item3, T4 item4, T5 item5, T6 item6)", tuple_new),
    M("Tuple",
      "static " T7 " Create<T1,T2,T3,T4,T5,T6,T7>(T1 item1, T2 item2, T3 item3, T4 item4, T5 item5, T6 item6, T7 item7)", tuple_new),
    M("Tuple",
      "static Tuple<T1,T2,T3,T4,T5,T6,T7,Tuple<T8>> Create<T1,T2,T3,T4,T5,T6,T7,T8>(T1 item1, T2 item2, T3 item3, T4 item4, T5 item5, "
      "T6 item6, T7 item7, T8 item8)", tuple_new_of_eight),
    M("Tuple<T1>", "new(T1 item1)", tuple_new),
    M(T8, "new(T1 item1, T2 item2, T3 item3, T4 item4, T5 item5, T6 item6, T7 item7, TRest rest)", tuple_new),
    M(T2, "new(T1 item1, T2 item2)", tuple_new),
    M(T3, "new(T1 item1, T2 item2, T3 item3)", tuple_new),
    M(T4, "new(T1 item1, T2 item2, T3 item3, T4 item4)", tuple_new),
    M(T5, "new(T1 item1, T2 item2, T3 item3, T4 item4, T5 item5)", tuple_new),
    M(T6, "new(T1 item1, T2 item2, T3 item3, T4 item4, T5 item5, T6 item6)", tuple_new),
    M(T7, "new(T1 item1, T2 item2, T3 item3, T4 item4, T5 item5, T6 item6, T7 item7)", tuple_new),
#define ITEM_1(type) M(type, "T1 Item1 { get; }", tuple_item1)
#define ITEM_2(type) ITEM_1(type), M(type, "T2 Item2 { get; }", tuple_item2)
#define ITEM_3(type) ITEM_2(type), M(type, "T3 Item3 { get; }", tuple_item3)
#define ITEM_4(type) ITEM_3(type), M(type, "T4 Item4 { get; }", tuple_item4)
#define ITEM_5(type) ITEM_4(type), M(type, "T5 Item5 { get; }", tuple_item5)
#define ITEM_6(type) ITEM_5(type), M(type, "T6 Item6 { get; }", tuple_item6)
#define ITEM_7(type) ITEM_6(type), M(type, "T7 Item7 { get; }", tuple_item7)
    ITEM_1("Tuple<T1>"),
    ITEM_2(T2),
    ITEM_3(T3),
    ITEM_4(T4),
    ITEM_5(T5),
    ITEM_6(T6),
    ITEM_7(T7),
    ITEM_7(T8),
    M(T8, "TRest Rest { get; }", tuple_item8),
};

const struct library clr_object = LIBRARY("object", types, members);
