/* convert.c: System.Convert. The rows are a table of sources by targets; each native names its two kinds and leaves the work to
 * convert_number().
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/codec.h"
#include "clr/datetime.h"
#include "clr/families.h"
#include "clr/jtoken.h"
#include "clr/numbers.h"
#include "clr/type_object.h"
#include "expr/member.h"

static const struct type *
simple_type(const struct core_types *core, enum type_kind kind)
{
    const struct type *const types[] = {
        [TYPE_BOOL] = core->bool_, [TYPE_CHAR] = core->char_, [TYPE_SBYTE] = core->sbyte_, [TYPE_BYTE] = core->byte_,
        [TYPE_SHORT] = core->short_, [TYPE_USHORT] = core->ushort_, [TYPE_INT] = core->int_, [TYPE_UINT] = core->uint_,
        [TYPE_LONG] = core->long_, [TYPE_ULONG] = core->ulong_, [TYPE_FLOAT] = core->float_, [TYPE_DOUBLE] = core->double_,
        [TYPE_DECIMAL] = core->decimal_,
    };

    return types[kind];
}

/* An object by its run-time type. JSON values are cast, a null among them is no null. */
static bool
convert_object(struct call *c, struct object *o, enum type_kind to, struct value *ret)
{
    if (!o) {
        *ret = value_i64(0);
        return true;
    }
    switch (o->type->kind) {
    case TYPE_BOOL: case TYPE_CHAR: case TYPE_SBYTE: case TYPE_BYTE: case TYPE_SHORT: case TYPE_USHORT: case TYPE_INT:
    case TYPE_UINT: case TYPE_LONG: case TYPE_ULONG: case TYPE_FLOAT: case TYPE_DOUBLE: case TYPE_DECIMAL: case TYPE_STRING:
        return convert_number(c, o->type->kind, value_unbox(o), to, ret);
    case TYPE_ENUM: return convert_number(c, TYPE_LONG, value_unbox(o), to, ret);
    default: break;
    }
    if (object_is_jtoken(o) && jtoken_value((struct jtoken *)o))
        return jtoken_cast(c, (struct jtoken *)o, simple_type(core_types(c->run->env), to), ret);
    return call_throw(c, EXC_INVALID_CAST, "Unable to cast object of type '%.*s' to type 'System.IConvertible'.",
                      STR_ARG(o->type->full_name));
}

/* ToInt32(DateTime) and the like exist only to fail. */
static bool
no_sense(struct call *c)
{
    return call_throw(c, EXC_INVALID_CAST, "Invalid cast from '%.*s' to '%.*s'.",
                      STR_ARG(str_skip(c->member->parameters[0].type->full_name, sizeof("System.") - 1)),
                      STR_ARG(str_skip(c->member->name, sizeof("To") - 1)));
}

#define CONVERT(target, to_kind) \
    static bool target##_from_bool(struct call *c) { return convert_number(c, TYPE_BOOL, c->args[0], to_kind, &c->ret); } \
    static bool target##_from_char(struct call *c) { return convert_number(c, TYPE_CHAR, c->args[0], to_kind, &c->ret); } \
    static bool target##_from_long(struct call *c) { return convert_number(c, TYPE_LONG, c->args[0], to_kind, &c->ret); } \
    static bool target##_from_ulong(struct call *c) { return convert_number(c, TYPE_ULONG, c->args[0], to_kind, &c->ret); } \
    static bool target##_from_float(struct call *c) { return convert_number(c, TYPE_FLOAT, c->args[0], to_kind, &c->ret); } \
    static bool target##_from_double(struct call *c) { return convert_number(c, TYPE_DOUBLE, c->args[0], to_kind, &c->ret); } \
    static bool target##_from_decimal(struct call *c) { return convert_number(c, TYPE_DECIMAL, c->args[0], to_kind, &c->ret); } \
    static bool target##_from_string(struct call *c) { return convert_number(c, TYPE_STRING, c->args[0], to_kind, &c->ret); } \
    static bool target##_from_object(struct call *c) { return convert_object(c, c->args[0].ref, to_kind, &c->ret); }

CONVERT(boolean, TYPE_BOOL)
CONVERT(character, TYPE_CHAR)
CONVERT(sbyte, TYPE_SBYTE)
CONVERT(byte, TYPE_BYTE)
CONVERT(int16, TYPE_SHORT)
CONVERT(uint16, TYPE_USHORT)
CONVERT(int32, TYPE_INT)
CONVERT(uint32, TYPE_UINT)
CONVERT(int64, TYPE_LONG)
CONVERT(uint64, TYPE_ULONG)
CONVERT(single, TYPE_FLOAT)
CONVERT(real, TYPE_DOUBLE)
CONVERT(exact, TYPE_DECIMAL)

#define CONVERT_ROWS(keyword, name, target) \
    M("Convert", "static " keyword " To" name "(bool value)", target##_from_bool), \
    M("Convert", "static " keyword " To" name "(char value)", target##_from_char), \
    M("Convert", "static " keyword " To" name "(sbyte value)", target##_from_long), \
    M("Convert", "static " keyword " To" name "(byte value)", target##_from_long), \
    M("Convert", "static " keyword " To" name "(short value)", target##_from_long), \
    M("Convert", "static " keyword " To" name "(ushort value)", target##_from_long), \
    M("Convert", "static " keyword " To" name "(int value)", target##_from_long), \
    M("Convert", "static " keyword " To" name "(uint value)", target##_from_long), \
    M("Convert", "static " keyword " To" name "(long value)", target##_from_long), \
    M("Convert", "static " keyword " To" name "(ulong value)", target##_from_ulong), \
    M("Convert", "static " keyword " To" name "(float value)", target##_from_float), \
    M("Convert", "static " keyword " To" name "(double value)", target##_from_double), \
    M("Convert", "static " keyword " To" name "(decimal value)", target##_from_decimal), \
    M("Convert", "static " keyword " To" name "(string value)", target##_from_string), \
    M("Convert", "static " keyword " To" name "(string value, IFormatProvider provider)", target##_from_string), \
    M("Convert", "static " keyword " To" name "(object value)", target##_from_object), \
    M("Convert", "static " keyword " To" name "(object value, IFormatProvider provider)", target##_from_object), \
    M("Convert", "static " keyword " To" name "(DateTime value)", no_sense)
#define NO_DATE_ROW(keyword) M("Convert", "static DateTime ToDateTime(" keyword " value)", no_sense)
#define TEXT_ROWS(keyword, fn) \
    M("Convert", "static string ToString(" keyword " value)", fn), \
    M("Convert", "static string ToString(" keyword " value, IFormatProvider provider)", fn)

/* --- with a base --------------------------------------------------------------------------------------------------------- */

static bool
check_base(struct call *c, int64_t base)
{
    return base == 2 || base == 8 || base == 10 || base == 16 || throw_argument(c, NULL, "Invalid Base.");
}

static bool
from_base(struct call *c, enum type_kind kind)
{
    const struct integer_range *r = integer_range(kind);
    struct str s = call_str(c, 0);
    int64_t base = call_i32(c, 1);
    uint64_t n = 0, most = r->bits == 64 ? UINT64_MAX : ((uint64_t)1 << r->bits) - 1;

    if (!check_base(c, base))
        return false;
    c->ret = value_i64(0);
    if (!call_string(c, 0))
        return true;
    if (base == 10)
        return parse_number(c, s, kind, &c->ret);
    if (s.len == 0)
        return throw_argument_range(c, "startIndex", "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (s.p[0] == '-')
        return throw_argument(c, NULL, "String cannot contain a minus sign if the base is not 10.");
    if (s.p[0] == '+')
        s = str_skip(s, 1);
    if (base == 16 && s.len >= 2 && s.p[0] == '0' && ascii_lower(s.p[1]) == 'x')
        s = str_skip(s, 2);
    for (size_t i = 0; i < s.len; i++) {
        int digit = ascii_hex_value(s.p[i]);
        if (digit < 0 || digit >= base)
            return call_throw(c, EXC_FORMAT, i ? "Additional non-parsable characters are at the end of the string."
                                               : "Could not find any recognizable digits.");
        if (__builtin_mul_overflow(n, (uint64_t)base, &n) || __builtin_add_overflow(n, (uint64_t)digit, &n) || n > most)
            return throw_number_overflow(c, kind);
    }
    if (s.len == 0)
        return call_throw(c, EXC_FORMAT, "Could not find any recognizable digits.");
    if (r->is_signed && n > r->max)
        n |= ~most; /* the sign bit was set */
    return return_i64(c, (int64_t)n);
}

static bool sbyte_from_base(struct call *c) { return from_base(c, TYPE_SBYTE); }
static bool byte_from_base(struct call *c) { return from_base(c, TYPE_BYTE); }
static bool int16_from_base(struct call *c) { return from_base(c, TYPE_SHORT); }
static bool uint16_from_base(struct call *c) { return from_base(c, TYPE_USHORT); }
static bool int32_from_base(struct call *c) { return from_base(c, TYPE_INT); }
static bool uint32_from_base(struct call *c) { return from_base(c, TYPE_UINT); }
static bool int64_from_base(struct call *c) { return from_base(c, TYPE_LONG); }
static bool uint64_from_base(struct call *c) { return from_base(c, TYPE_ULONG); }

static bool
to_base(struct call *c, unsigned bits)
{
    int64_t base = call_i32(c, 1);
    uint64_t n = c->args[0].u64;
    char digits[65], *end = digits + sizeof(digits), *p = end;
    bool negative = base == 10 && c->args[0].i64 < 0;

    if (!check_base(c, base))
        return false;
    if (negative)
        n = -n;
    else if (bits < 64)
        n &= ((uint64_t)1 << bits) - 1;
    do
        *--p = "0123456789abcdef"[n % (uint64_t)base];
    while (n /= (uint64_t)base);
    if (negative)
        *--p = '-';
    return return_new(c, string_new(c, str_from(p, (size_t)(end - p))));
}

static bool byte_to_base(struct call *c) { return to_base(c, 8); }
static bool short_to_base(struct call *c) { return to_base(c, 16); }
static bool int_to_base(struct call *c) { return to_base(c, 32); }
static bool long_to_base(struct call *c) { return to_base(c, 64); }

/* --- text ------------------------------------------------------------------------------------------------------------------ */

#define TO_STRING(name, field) \
    static bool name(struct call *c) \
    { \
        struct string *s; \
        return value_to_string(c, core_types(c->run->env)->field, c->args[0], STR_NONE, &s) && return_ref(c, s); \
    }
TO_STRING(bool_to_string, bool_)
TO_STRING(char_to_string, char_)
TO_STRING(long_to_string, long_)
TO_STRING(ulong_to_string, ulong_)
TO_STRING(float_to_string, float_)
TO_STRING(double_to_string, double_)
TO_STRING(decimal_to_string, decimal_)

static bool
same_string(struct call *c)
{
    c->ret = c->args[0];
    return true;
}

static bool
object_to_string(struct call *c)
{
    struct object *o = c->args[0].ref;
    struct string *s;

    if (!o)
        return return_new(c, string_lit(c, ""));
    return value_to_string(c, o->type, value_unbox(o), STR_NONE, &s) && return_ref(c, s);
}

static bool
datetime_to_string(struct call *c)
{
    struct buf b = call_buf(c);
    struct moment m = {.ticks = c->args[0].i64, .kind = (enum datetime_kind)c->args[0].hi};

    return datetime_format(&b, &m, STR_NONE) && return_new(c, string_from_buf(c, &b));
}

static bool
string_to_datetime(struct call *c)
{
    struct moment m;

    c->ret = value_i64(0);
    if (!call_string(c, 0))
        return true;
    if (!datetime_parse(call_str(c, 0), clr_now_ticks(c), &m))
        return call_throw(c, EXC_FORMAT, "String was not recognized as a valid DateTime.");
    c->ret = m.has_offset ? value_datetime(m.ticks - m.offset, KIND_LOCAL) : value_datetime(m.ticks, KIND_UNSPECIFIED);
    return true;
}

static bool
object_to_datetime(struct call *c)
{
    struct object *o = c->args[0].ref;

    if (o && str_eq_lit(o->type->full_name, "System.DateTime")) {
        c->ret = value_unbox(o);
        return true;
    }
    if (o && object_is_jtoken(o) && jtoken_value((struct jtoken *)o))
        return jtoken_cast(c, (struct jtoken *)o, type_find_lit(c->run->env, "System.DateTime"), &c->ret);
    if (o && o->type->kind != TYPE_STRING)
        return call_throw(c, EXC_INVALID_CAST, "Invalid cast from '%.*s' to 'DateTime'.", STR_ARG(o->type->name));
    return string_to_datetime(c);
}

/* --- Base64 ---------------------------------------------------------------------------------------------------------------- */

enum { BASE64_LINE_BREAKS = 1 };

static bool
encode_base64(struct call *c, struct str bytes, int64_t options)
{
    struct buf plain = call_buf(c), lines = call_buf(c);

    codec_base64_encode(&plain, bytes);
    if (!(options & BASE64_LINE_BREAKS))
        return return_new(c, string_from_buf(c, &plain));
    for (size_t at = 0; at < plain.len; at += 76) {
        if (at)
            buf_add_lit(&lines, "\r\n");
        buf_add(&lines, plain.p + at, MIN(plain.len - at, (size_t)76));
    }
    return return_new(c, string_from_buf(c, &lines));
}

static bool
to_base64(struct call *c)
{
    const struct array *bytes = (const struct array *)c->args[0].ref;

    if (!bytes)
        return throw_argument_null(c, "inArray");
    if (!call_charge(c, bytes->n / 32))
        return false;
    return encode_base64(c, str_from((const char *)bytes->u.bytes, bytes->n), c->n_args > 1 ? c->args[1].i64 : 0);
}

static bool
to_base64_range(struct call *c)
{
    const struct array *bytes = (const struct array *)c->args[0].ref;
    int64_t from = call_i32(c, 1), n = call_i32(c, 2);

    if (!bytes)
        return throw_argument_null(c, "inArray");
    if (n < 0)
        return throw_argument_range(c, "length", "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (from < 0)
        return throw_argument_range(c, "offset", "Value must be positive.");
    if (from > bytes->n - n)
        return throw_argument_range(c, "offset", "Offset and length must refer to a position in the string.");
    return encode_base64(c, str_from((const char *)bytes->u.bytes + from, (size_t)n), c->n_args > 3 ? c->args[3].i64 : 0);
}

static bool
return_bytes(struct call *c, struct buf *b)
{
    if (b->failed || b->len > UINT32_MAX)
        return call_exceed(c, BUDGET_BYTES);
    return return_new(c, array_of_bytes(c, b->p, (uint32_t)b->len));
}

static bool
from_base64(struct call *c)
{
    struct buf b = call_buf(c);

    if (!call_string(c, 0))
        return throw_argument_null(c, "s");
    if (!call_charge(c, call_string(c, 0)->size / 32))
        return false;
    if (!codec_base64_decode_blanks(&b, call_str(c, 0), NULL))
        return b.failed ? call_exceed(c, BUDGET_BYTES)
                        : call_throw(c, EXC_FORMAT,
                                     "The input is not a valid Base-64 string as it contains a non-base 64 character, more than two "
                                     "padding characters, or an illegal character among the padding characters.");
    return return_bytes(c, &b);
}

static bool
to_hex(struct call *c)
{
    const struct array *bytes = (const struct array *)c->args[0].ref;
    struct buf b = call_buf(c);

    if (!bytes)
        return throw_argument_null(c, "inArray");
    codec_hex_encode(&b, str_from((const char *)bytes->u.bytes, bytes->n), true);
    return return_new(c, string_from_buf(c, &b));
}

static bool
from_hex(struct call *c)
{
    struct buf b = call_buf(c);

    if (!call_string(c, 0))
        return throw_argument_null(c, "s");
    if (!codec_hex_decode(&b, call_str(c, 0), NULL))
        return call_throw(c, EXC_FORMAT, "The input is not a valid hex string as it contains a non-hex character.");
    return return_bytes(c, &b);
}

/* Part of an array of characters as a string. */
static struct string *
chars_as_string(struct call *c, const struct array *chars, int64_t from, int64_t n)
{
    uint16_t *units = call_alloc(c, (size_t)n * sizeof(*units) + 1);

    for (int64_t i = 0; units && i < n; i++)
        units[i] = (uint16_t)chars->u.v[from + i].i64;
    return units ? string_from_units(c, units, (uint32_t)n) : NULL;
}

static bool
from_base64_chars(struct call *c)
{
    const struct array *chars = (const struct array *)c->args[0].ref;
    int64_t from = call_i32(c, 1), n = call_i32(c, 2);

    if (!chars)
        return throw_argument_null(c, "inArray");
    if (n < 0)
        return throw_argument_range(c, "length", "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (from < 0)
        return throw_argument_range(c, "offset", "Value must be positive.");
    if (from > chars->n - n)
        return throw_argument_range(c, "offset", "Offset and length must refer to a position in the string.");
    return (c->args[0].ref = (struct object *)chars_as_string(c, chars, from, n)) && from_base64(c);
}

static bool
to_base64_chars(struct call *c)
{
    struct value options = c->n_args > 5 ? c->args[5] : value_i64(0);
    struct array *out = (struct array *)c->args[3].ref;
    int64_t at = call_i32(c, 4);
    struct string *s;

    if (!c->args[0].ref || !out)
        return throw_argument_null(c, c->args[0].ref ? "outArray" : "inArray");
    c->n_args = 4;
    c->args[3] = options;
    if (!to_base64_range(c))
        return false;
    s = (struct string *)c->ret.ref;
    if (at < 0)
        return throw_argument_range(c, "offsetOut", "Value must be positive.");
    if (at > (int64_t)out->n - s->size)
        return throw_argument_range(c, "offsetOut", "Either offset did not refer to a position in the string, or there is an insufficient "
                                                    "length of destination character array.");
    for (uint32_t i = 0; i < s->size; i++)
        out->u.v[at + i] = value_i64(s->p[i]);
    return return_i64(c, s->size);
}

/* --- ChangeType, DBNull -------------------------------------------------------------------------------------------------------- */

static bool
db_null(struct call *c)
{
    const struct type *t = type_find(c->run->env, STR("System.DBNull"), NULL, 0);

    return return_new(c, object_new(c, t, struct box));
}

static bool
is_db_null(struct call *c)
{
    struct object *o = c->args[0].ref;

    return return_bool(c, o && str_eq_lit(o->type->full_name, "System.DBNull"));
}

static bool
get_type_code(struct call *c)
{
    struct object *o = c->args[0].ref;

    return return_i64(c, o ? type_code(o->type) : CODE_EMPTY);
}

static bool
change_to(struct call *c, const struct type *to)
{
    struct object *o = c->args[0].ref, *boxed;
    struct value v;

    if (!o) {
        if (type_is_value_type(to) && to->kind != TYPE_NULLABLE)
            return call_throw(c, EXC_INVALID_CAST, "Null object cannot be converted to a value type.");
        return return_ref(c, NULL);
    }
    if (o->type == to || to->kind == TYPE_OBJECT)
        return return_ref(c, o);
    if (to->kind == TYPE_STRING)
        return object_to_string(c);
    if (type_code(to) == CODE_DATE_TIME)
        return object_to_datetime(c) && value_box(c, to, c->ret, &boxed) && return_ref(c, boxed);
    if (!(to->kind >= TYPE_BOOL && to->kind <= TYPE_DECIMAL)) {
        if (type_code(o->type) == CODE_OBJECT)
            return call_throw(c, EXC_INVALID_CAST, "Object must implement IConvertible.");
        return call_throw(c, EXC_INVALID_CAST, "Invalid cast from '%.*s' to '%.*s'.", STR_ARG(o->type->full_name), STR_ARG(to->full_name));
    }
    if (type_code(o->type) == CODE_OBJECT && !object_is_jtoken(o))
        return call_throw(c, EXC_INVALID_CAST, "Object must implement IConvertible.");
    return convert_object(c, o, to->kind, &v) && value_box(c, to, v, &boxed) && return_ref(c, boxed);
}

static bool
change_type(struct call *c)
{
    const struct type *to = type_of_object(c->args[1].ref);

    return to ? change_to(c, to) : throw_argument_null(c, "conversionType");
}

static bool
change_type_code(struct call *c)
{
    const struct core_types *core = core_types(c->run->env);
    const struct type *const types[] = {
        [CODE_OBJECT] = core->object, [CODE_BOOLEAN] = core->bool_, [CODE_CHAR] = core->char_, [CODE_SBYTE] = core->sbyte_,
        [CODE_BYTE] = core->byte_, [CODE_INT16] = core->short_, [CODE_UINT16] = core->ushort_, [CODE_INT32] = core->int_,
        [CODE_UINT32] = core->uint_, [CODE_INT64] = core->long_, [CODE_UINT64] = core->ulong_, [CODE_SINGLE] = core->float_,
        [CODE_DOUBLE] = core->double_, [CODE_DECIMAL] = core->decimal_, [CODE_STRING] = core->string,
    };
    uint64_t code = c->args[1].u64;

    if (code == CODE_DATE_TIME)
        return change_to(c, type_find(c->run->env, STR("System.DateTime"), NULL, 0));
    if (code == CODE_EMPTY && !c->args[0].ref)
        return return_ref(c, NULL);
    if (code >= COUNTOF(types) || !types[code])
        return throw_argument(c, NULL, "Unknown TypeCode value.");
    return change_to(c, types[code]);
}

static bool
db_null_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    *ret = string_lit(c, "");
    return *ret != NULL;
}

static const struct type_hooks db_null_hooks = {.to_string = db_null_to_string};

static const struct type_row types[] = {
    {TYPE_CLASS, "System.DBNull", NULL, NULL, &db_null_hooks, TYPE_IS_ABSTRACT, NULL},
    STATIC_CLASS("System.Convert"),
    ENUM_FLAGS("System.Base64FormattingOptions", "None = 0, InsertLineBreaks = 1"),
};

static const struct member_row members[] = {
    CONVERT_ROWS("bool", "Boolean", boolean),
    CONVERT_ROWS("char", "Char", character),
    CONVERT_ROWS("sbyte", "SByte", sbyte),
    CONVERT_ROWS("byte", "Byte", byte),
    CONVERT_ROWS("short", "Int16", int16),
    CONVERT_ROWS("ushort", "UInt16", uint16),
    CONVERT_ROWS("int", "Int32", int32),
    CONVERT_ROWS("uint", "UInt32", uint32),
    CONVERT_ROWS("long", "Int64", int64),
    CONVERT_ROWS("ulong", "UInt64", uint64),
    CONVERT_ROWS("float", "Single", single),
    CONVERT_ROWS("double", "Double", real),
    CONVERT_ROWS("decimal", "Decimal", exact),
    M("Convert", "static sbyte ToSByte(string value, int fromBase)", sbyte_from_base),
    M("Convert", "static byte ToByte(string value, int fromBase)", byte_from_base),
    M("Convert", "static short ToInt16(string value, int fromBase)", int16_from_base),
    M("Convert", "static ushort ToUInt16(string value, int fromBase)", uint16_from_base),
    M("Convert", "static int ToInt32(string value, int fromBase)", int32_from_base),
    M("Convert", "static uint ToUInt32(string value, int fromBase)", uint32_from_base),
    M("Convert", "static long ToInt64(string value, int fromBase)", int64_from_base),
    M("Convert", "static ulong ToUInt64(string value, int fromBase)", uint64_from_base),
    M("Convert", "static string ToString(byte value, int toBase)", byte_to_base),
    M("Convert", "static string ToString(short value, int toBase)", short_to_base),
    M("Convert", "static string ToString(int value, int toBase)", int_to_base),
    M("Convert", "static string ToString(long value, int toBase)", long_to_base),
    TEXT_ROWS("bool", bool_to_string),
    TEXT_ROWS("char", char_to_string),
    TEXT_ROWS("sbyte", long_to_string),
    TEXT_ROWS("byte", long_to_string),
    TEXT_ROWS("short", long_to_string),
    TEXT_ROWS("ushort", long_to_string),
    TEXT_ROWS("int", long_to_string),
    TEXT_ROWS("uint", long_to_string),
    TEXT_ROWS("long", long_to_string),
    TEXT_ROWS("ulong", ulong_to_string),
    TEXT_ROWS("float", float_to_string),
    TEXT_ROWS("double", double_to_string),
    TEXT_ROWS("decimal", decimal_to_string),
    TEXT_ROWS("DateTime", datetime_to_string),
    TEXT_ROWS("string", same_string),
    TEXT_ROWS("object", object_to_string),
    M("Convert", "static DateTime ToDateTime(string value)", string_to_datetime),
    M("Convert", "static DateTime ToDateTime(string value, IFormatProvider provider)", string_to_datetime),
    M("Convert", "static DateTime ToDateTime(object value)", object_to_datetime),
    M("Convert", "static DateTime ToDateTime(object value, IFormatProvider provider)", object_to_datetime),
    NO_DATE_ROW("bool"),
    NO_DATE_ROW("char"),
    NO_DATE_ROW("sbyte"),
    NO_DATE_ROW("byte"),
    NO_DATE_ROW("short"),
    NO_DATE_ROW("ushort"),
    NO_DATE_ROW("int"),
    NO_DATE_ROW("uint"),
    NO_DATE_ROW("long"),
    NO_DATE_ROW("ulong"),
    NO_DATE_ROW("float"),
    NO_DATE_ROW("double"),
    NO_DATE_ROW("decimal"),
    M("Convert", "static DateTime ToDateTime(DateTime value)", same_string),
    M("Convert", "static string ToBase64String(byte[] inArray)", to_base64),
    M("Convert", "static string ToBase64String(byte[] inArray, Base64FormattingOptions options)", to_base64),
    M("Convert", "static string ToBase64String(byte[] inArray, int offset, int length)", to_base64_range),
    M("Convert", "static string ToBase64String(byte[] inArray, int offset, int length, Base64FormattingOptions options)",
      to_base64_range),
    M("Convert", "static byte[] FromBase64String(string s)", from_base64),
    M("Convert", "static string ToHexString(byte[] inArray)", to_hex),
    M("Convert", "static byte[] FromHexString(string s)", from_hex),
    M("Convert", "static bool IsDBNull(object value)", is_db_null),
    M("Convert", "static object DBNull { get; }", db_null),
    M("Convert", "static TypeCode GetTypeCode(object value)", get_type_code),
    M("Convert", "static object ChangeType(object value, Type conversionType)", change_type),
    M("Convert", "static object ChangeType(object value, Type conversionType, IFormatProvider provider)", change_type),
    M("Convert", "static object ChangeType(object value, TypeCode typeCode)", change_type_code),
    M("Convert", "static object ChangeType(object value, TypeCode typeCode, IFormatProvider provider)", change_type_code),
    M("Convert", "static byte[] FromBase64CharArray(char[] inArray, int offset, int length)", from_base64_chars),
    M("Convert", "static int ToBase64CharArray(byte[] inArray, int offsetIn, int length, char[] outArray, int offsetOut)",
      to_base64_chars),
    M("Convert",
      "static int ToBase64CharArray(byte[] inArray, int offsetIn, int length, char[] outArray, int offsetOut, "
      "Base64FormattingOptions options)",
      to_base64_chars),
};

const struct library clr_convert = LIBRARY("convert", types, members);
