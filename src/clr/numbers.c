/* numbers.c: the members of the number types and Boolean. All integers share their natives: c->owner says which one it is.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/numbers.h"

#include <math.h>

#include "clr/families.h"
#include "clr/number_format.h"

const struct integer_range *
integer_range(enum type_kind kind)
{
    static const struct integer_range ranges[] = {
        [TYPE_CHAR] = {0, UINT16_MAX, 16, false, "a character"},
        [TYPE_SBYTE] = {INT8_MIN, INT8_MAX, 8, true, "a signed byte"},
        [TYPE_BYTE] = {0, UINT8_MAX, 8, false, "an unsigned byte"},
        [TYPE_SHORT] = {INT16_MIN, INT16_MAX, 16, true, "an Int16"},
        [TYPE_USHORT] = {0, UINT16_MAX, 16, false, "a UInt16"},
        [TYPE_INT] = {INT32_MIN, INT32_MAX, 32, true, "an Int32"},
        [TYPE_UINT] = {0, UINT32_MAX, 32, false, "a UInt32"},
        [TYPE_LONG] = {INT64_MIN, INT64_MAX, 64, true, "an Int64"},
        [TYPE_ULONG] = {0, UINT64_MAX, 64, false, "a UInt64"},
    };

    return kind < COUNTOF(ranges) && ranges[kind].bits ? &ranges[kind] : NULL;
}

bool
throw_number_overflow(struct call *c, enum type_kind kind)
{
    const struct integer_range *r = integer_range(kind);

    return call_throw(c, EXC_OVERFLOW, "Value was either too large or too small for %s.",
                      r ? r->name : kind == TYPE_DECIMAL ? "a Decimal" : kind == TYPE_FLOAT ? "a Single" : "a Double");
}

bool
check_number(struct call *c, enum number_status status, enum type_kind kind)
{
    if (status == NUMBER_FORMAT)
        return call_throw(c, EXC_FORMAT, "Input string was not in a correct format.");
    return status == NUMBER_OK || throw_number_overflow(c, kind);
}

static unsigned
usual_style(enum type_kind kind)
{
    return kind == TYPE_DOUBLE || kind == TYPE_FLOAT ? STYLE_FLOAT_THOUSANDS : kind == TYPE_DECIMAL ? STYLE_NUMBER : STYLE_INTEGER;
}

enum number_status
try_parse_number(struct str text, enum type_kind kind, unsigned style, struct value *ret)
{
    const struct integer_range *r = integer_range(kind);
    enum number_status status;
    struct decimal d;

    *ret = value_i64(0);
    if (style == STYLE_USUAL)
        style = usual_style(kind);
    switch (kind) {
    case TYPE_DOUBLE: return number_parse_double(text, style, &ret->f64);
    case TYPE_FLOAT: return number_parse_float(text, style, &ret->f32);
    case TYPE_DECIMAL:
        if ((status = number_parse_decimal(text, style, &d)) == NUMBER_OK)
            *ret = value_from_decimal(d);
        return status;
    default: break;
    }
    return r->is_signed ? number_parse_i64(text, style, r->min, (int64_t)r->max, &ret->i64)
                        : number_parse_u64(text, style, r->max, &ret->u64);
}

bool
parse_number(struct call *c, struct str text, enum type_kind kind, struct value *ret)
{
    return check_number(c, try_parse_number(text, kind, STYLE_USUAL, ret), kind);
}

/* --- text ------------------------------------------------------------------------------------------------------------ */

static bool
format_number(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    const struct integer_range *r = integer_range(type->kind);
    struct buf b = call_buf(c);
    bool ok;

    switch (type->kind) {
    case TYPE_DOUBLE: ok = format_double(&b, v.f64, format); break;
    case TYPE_FLOAT: ok = format_float(&b, v.f32, format); break;
    case TYPE_DECIMAL: ok = format_decimal(&b, value_decimal(v), format); break;
    default: ok = r->is_signed ? format_i64(&b, v.i64, r->bits, format) : format_u64(&b, v.u64, r->bits, format);
    }
    if (!ok)
        return call_throw(c, EXC_FORMAT, "Format specifier was invalid.");
    *ret = string_from_buf(c, &b);
    return *ret != NULL;
}

/* The short way: no format, an integer. */
static bool
integer_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    char digits[20], *end = digits + sizeof(digits), *p = end;
    uint64_t n = v.u64;
    bool negative = v.i64 < 0 && type->kind != TYPE_ULONG;

    if (format.len)
        return format_number(c, type, v, format, ret);
    if (negative)
        n = -n;
    do
        *--p = (char)('0' + n % 10);
    while (n /= 10);
    if (negative)
        *--p = '-';
    *ret = string_new(c, str_from(p, (size_t)(end - p)));
    return *ret != NULL;
}

static bool
bool_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    *ret = v.i64 ? string_lit(c, "True") : string_lit(c, "False");
    return *ret != NULL;
}

/* --- order and equality ------------------------------------------------------------------------------------------------ */

static int
order_doubles(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) ? (isnan(b) ? 0 : -1) : 1;
    return a < b ? -1 : a > b;
}

static int
order_numbers(enum type_kind kind, struct value a, struct value b)
{
    switch (kind) {
    case TYPE_DOUBLE: return order_doubles(a.f64, b.f64);
    case TYPE_FLOAT: return order_doubles((double)a.f32, (double)b.f32);
    case TYPE_DECIMAL: return decimal_compare(value_decimal(a), value_decimal(b));
    case TYPE_ULONG: return a.u64 < b.u64 ? -1 : a.u64 > b.u64;
    default: return a.i64 < b.i64 ? -1 : a.i64 > b.i64;
    }
}

static bool
hook_compare(struct call *c, const struct type *type, struct value a, struct value b, int *ret)
{
    *ret = order_numbers(type->kind, a, b);
    return true;
}

static bool
hook_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    *ret = order_numbers(type->kind, a, b) == 0;
    return true;
}

static bool
hook_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    uint64_t bits = v.u64;

    switch (type->kind) {
    case TYPE_DOUBLE: bits = v.f64 == 0 ? 0 : v.u64; break;
    case TYPE_FLOAT: bits = v.f32 == 0 ? 0 : (uint32_t)v.u64; break;
    case TYPE_DECIMAL: bits = decimal_hash(value_decimal(v)); break;
    default: break;
    }
    *ret = (int32_t)(bits ^ bits >> 32);
    return true;
}

static const struct type_hooks integer_hooks = {
    .to_string = integer_to_string, .equals = hook_equals, .hash = hook_hash, .compare = hook_compare,
};
static const struct type_hooks floating_hooks = {
    .to_string = format_number, .equals = hook_equals, .hash = hook_hash, .compare = hook_compare,
};
static const struct type_hooks bool_hooks = {
    .to_string = bool_to_string, .equals = hook_equals, .hash = hook_hash, .compare = hook_compare,
};

/* --- natives ----------------------------------------------------------------------------------------------------------- */

static bool
to_string(struct call *c)
{
    struct string *s;

    return value_to_string(c, c->owner, c->args[0], STR_NONE, &s) && return_ref(c, s);
}

static bool
to_string_format(struct call *c)
{
    struct string *s;

    return value_to_string(c, c->owner, c->args[0], call_str(c, 1), &s) && return_ref(c, s);
}

static bool
parse(struct call *c)
{
    if (!call_string(c, 0))
        return throw_argument_null(c, "s");
    return parse_number(c, call_str(c, 0), c->owner->kind, &c->ret);
}

/* Combinations of NumberStyles that no Parse takes. */
static bool
check_style(struct call *c, uint64_t style)
{
    enum type_kind kind = c->owner->kind;

    if (style & ~(uint64_t)(STYLE_HEX | 511))
        return throw_argument(c, "style", "An undefined NumberStyles value is being used.");
    if (!(style & STYLE_HEX))
        return true;
    if (kind == TYPE_DOUBLE || kind == TYPE_FLOAT || kind == TYPE_DECIMAL)
        return throw_argument(c, NULL, "The number style AllowHexSpecifier is not supported on floating point data types.");
    if (style & ~(uint64_t)STYLE_HEX_NUMBER)
        return throw_argument(c, NULL,
                              "With the AllowHexSpecifier bit set in the enum bit field, the only other valid bits that can be "
                              "combined into the enum value must be a subset of those in HexNumber.");
    return true;
}

static bool
parse_styled(struct call *c)
{
    if (!call_string(c, 0))
        return throw_argument_null(c, "s");
    if (!check_style(c, c->args[1].u64))
        return false;
    return check_number(c, try_parse_number(call_str(c, 0), c->owner->kind, (unsigned)c->args[1].i64, &c->ret), c->owner->kind);
}

static bool
try_parse(struct call *c)
{
    struct value v = value_i64(0);
    bool ok = call_string(c, 0) && try_parse_number(call_str(c, 0), c->owner->kind, STYLE_USUAL, &v) == NUMBER_OK;

    c->args[1] = ok ? v : value_i64(0);
    return return_bool(c, ok);
}

static bool
try_parse_styled(struct call *c)
{
    struct value v = value_i64(0);
    bool ok;

    if (!check_style(c, c->args[1].u64))
        return false;
    ok = call_string(c, 0) && try_parse_number(call_str(c, 0), c->owner->kind, (unsigned)c->args[1].i64, &v) == NUMBER_OK;
    c->args[3] = ok ? v : value_i64(0);
    return return_bool(c, ok);
}

static bool
get_type_code(struct call *c)
{
    return return_i64(c, type_code(c->owner));
}

static bool
compare_to(struct call *c)
{
    return return_i64(c, order_numbers(c->owner->kind, c->args[0], c->args[1]));
}

static bool
compare_to_object(struct call *c)
{
    struct object *other = c->args[1].ref;

    if (!other)
        return return_i64(c, 1);
    if (other->type != c->owner)
        return throw_argument(c, NULL, "Object must be of type %.*s.", STR_ARG(str_skip(c->owner->full_name, sizeof("System.") - 1)));
    return return_i64(c, order_numbers(c->owner->kind, c->args[0], value_unbox(other)));
}

static bool
equals(struct call *c)
{
    return return_bool(c, order_numbers(c->owner->kind, c->args[0], c->args[1]) == 0);
}

static bool
equals_object(struct call *c)
{
    struct object *other = c->args[1].ref;

    return return_bool(c, other && other->type == c->owner && order_numbers(c->owner->kind, c->args[0], value_unbox(other)) == 0);
}

static bool
get_hash_code(struct call *c)
{
    int32_t hash = 0;

    return hook_hash(c, c->owner, c->args[0], &hash) && return_i64(c, hash);
}

/* double and float */
static double
floating(const struct call *c, uint32_t i)
{
    return c->owner->kind == TYPE_FLOAT ? (double)c->args[i].f32 : c->args[i].f64;
}

static bool
return_floating(struct call *c, double d)
{
    c->ret = c->owner->kind == TYPE_FLOAT ? value_f32((float)d) : value_f64(d);
    return true;
}

static bool is_nan(struct call *c) { return return_bool(c, isnan(floating(c, 0))); }
static bool is_infinity(struct call *c) { return return_bool(c, isinf(floating(c, 0)) != 0); }
static bool is_positive_infinity(struct call *c) { return return_bool(c, floating(c, 0) == (double)INFINITY); }
static bool is_negative_infinity(struct call *c) { return return_bool(c, floating(c, 0) == (double)-INFINITY); }
static bool is_finite(struct call *c) { return return_bool(c, isfinite(floating(c, 0)) != 0); }
static bool is_negative(struct call *c) { return return_bool(c, signbit(floating(c, 0)) != 0); }

/* isnormal() of the width that the type has. */
static bool
is_of_class(struct call *c, int class)
{
    return return_bool(c, c->owner->kind == TYPE_FLOAT ? fpclassify(c->args[0].f32) == class : fpclassify(c->args[0].f64) == class);
}

static bool is_normal(struct call *c) { return is_of_class(c, FP_NORMAL); }
static bool is_subnormal(struct call *c) { return is_of_class(c, FP_SUBNORMAL); }
static bool nan_value(struct call *c) { return return_floating(c, (double)NAN); }
static bool positive_infinity(struct call *c) { return return_floating(c, (double)INFINITY); }
static bool negative_infinity(struct call *c) { return return_floating(c, (double)-INFINITY); }

/* Boolean */
static int
bool_of(struct str text)
{
    struct str s = str_trim(text);

    return str_eq_nocase(s, STR("True")) ? 1 : str_eq_nocase(s, STR("False")) ? 0 : -1;
}

static bool
bool_parse(struct call *c)
{
    int b = bool_of(call_str(c, 0));

    if (!call_string(c, 0))
        return throw_argument_null(c, "value");
    if (b < 0)
        return call_throw(c, EXC_FORMAT, "String was not recognized as a valid Boolean.");
    return return_bool(c, b);
}

static bool
bool_try_parse(struct call *c)
{
    int b = bool_of(call_str(c, 0));

    c->args[1] = value_bool(b == 1);
    return return_bool(c, b >= 0);
}

static bool true_string(struct call *c) { return return_new(c, string_lit(c, "True")); }
static bool false_string(struct call *c) { return return_new(c, string_lit(c, "False")); }

/* --- conversion -------------------------------------------------------------------------------------------------------- */

/* A whole number, at most 64 bits and a sign, into an integer kind. */
static bool
store_whole(struct call *c, bool negative, uint64_t magnitude, enum type_kind to, struct value *ret)
{
    const struct integer_range *r = integer_range(to);

    if (negative ? magnitude > -(uint64_t)r->min : magnitude > r->max)
        return throw_number_overflow(c, to);
    *ret = value_i64((int64_t)(negative ? -magnitude : magnitude));
    return true;
}

static bool
double_to_integer(struct call *c, double d, enum type_kind to, struct value *ret)
{
    double rounded = nearbyint(d); /* half to even */

    if (!(fabs(rounded) < 18446744073709551616.0))
        return throw_number_overflow(c, to);
    return store_whole(c, rounded < 0, (uint64_t)fabs(rounded), to, ret);
}

static bool
decimal_to_integer(struct call *c, struct decimal d, enum type_kind to, struct value *ret)
{
    struct decimal whole = decimal_round(d, 0, ROUND_TO_EVEN);

    if (whole.hi)
        return throw_number_overflow(c, to);
    return store_whole(c, whole.negative, whole.lo, to, ret);
}

static double
number_as_double(enum type_kind from, struct value v)
{
    switch (from) {
    case TYPE_DOUBLE: return v.f64;
    case TYPE_FLOAT: return (double)v.f32;
    case TYPE_DECIMAL: return decimal_to_double(value_decimal(v));
    case TYPE_ULONG: return (double)v.u64;
    default: return (double)v.i64;
    }
}

static bool
to_decimal(struct call *c, enum type_kind from, struct value v, struct value *ret)
{
    struct decimal d;
    enum decimal_status status = DECIMAL_OK;

    switch (from) {
    case TYPE_DOUBLE: status = decimal_from_double(v.f64, &d); break;
    case TYPE_FLOAT: status = decimal_from_float(v.f32, &d); break;
    case TYPE_ULONG: d = decimal_from_u64(v.u64); break;
    default: d = decimal_from_i64(v.i64);
    }
    if (status != DECIMAL_OK)
        return throw_number_overflow(c, TYPE_DECIMAL);
    *ret = value_from_decimal(d);
    return true;
}

static const char *
kind_name(enum type_kind kind)
{
    switch (kind) {
    case TYPE_BOOL: return "Boolean";
    case TYPE_CHAR: return "Char";
    case TYPE_FLOAT: return "Single";
    case TYPE_DOUBLE: return "Double";
    case TYPE_DECIMAL: return "Decimal";
    default: {
        const struct integer_range *r = integer_range(kind);
        return !r ? "Object" : kind == TYPE_SBYTE ? "SByte" : kind == TYPE_BYTE ? "Byte" : strchr(r->name, ' ') + 1;
    }
    }
}

static bool
no_sense(struct call *c, enum type_kind from, enum type_kind to)
{
    return call_throw(c, EXC_INVALID_CAST, "Invalid cast from '%s' to '%s'.", kind_name(from), kind_name(to));
}

static bool
convert_text(struct call *c, struct string *s, enum type_kind to, struct value *ret)
{
    int b;

    *ret = value_i64(0);
    if (to == TYPE_CHAR) {
        if (!s)
            return throw_argument_null(c, "value");
        if (s->units != 1)
            return call_throw(c, EXC_FORMAT, "String must be exactly one character long.");
        *ret = value_i64(string_unit(c, s, 0));
        return true;
    }
    if (!s)
        return true;
    if (to != TYPE_BOOL)
        return parse_number(c, string_str(s), to, ret);
    if ((b = bool_of(string_str(s))) < 0)
        return call_throw(c, EXC_FORMAT, "String was not recognized as a valid Boolean.");
    *ret = value_bool(b == 1);
    return true;
}

bool
convert_number(struct call *c, enum type_kind from, struct value v, enum type_kind to, struct value *ret)
{
    bool is_floating = from == TYPE_DOUBLE || from == TYPE_FLOAT || from == TYPE_DECIMAL;

    if (from == TYPE_STRING)
        return convert_text(c, (struct string *)v.ref, to, ret);
    if (from == to) {
        *ret = v;
        return true;
    }
    if ((to == TYPE_CHAR && (is_floating || from == TYPE_BOOL)) ||
        (from == TYPE_CHAR && (to == TYPE_BOOL || to == TYPE_DOUBLE || to == TYPE_FLOAT || to == TYPE_DECIMAL)))
        return no_sense(c, from, to);
    switch (to) {
    case TYPE_BOOL: *ret = value_bool(number_as_double(from, v) != 0); return true;
    case TYPE_DOUBLE: *ret = value_f64(number_as_double(from, v)); return true;
    case TYPE_FLOAT: *ret = value_f32((float)number_as_double(from, v)); return true;
    case TYPE_DECIMAL: return to_decimal(c, from, v, ret);
    default: break;
    }
    if (from == TYPE_DECIMAL)
        return decimal_to_integer(c, value_decimal(v), to, ret);
    if (is_floating)
        return double_to_integer(c, number_as_double(from, v), to, ret);
    if (from == TYPE_ULONG)
        return store_whole(c, false, v.u64, to, ret);
    return store_whole(c, v.i64 < 0, v.i64 < 0 ? -v.u64 : v.u64, to, ret);
}

/* --- rows ---------------------------------------------------------------------------------------------------------------- */

#define COMMON_ROWS(name, keyword) \
    M(name, "string ToString()", to_string), \
    M(name, "string ToString(IFormatProvider provider)", to_string), \
    M(name, "TypeCode GetTypeCode()", get_type_code), \
    M(name, "int CompareTo(" keyword " value)", compare_to), \
    M(name, "int CompareTo(object value)", compare_to_object), \
    M(name, "bool Equals(" keyword " obj)", equals), \
    M(name, "bool Equals(object obj)", equals_object), \
    M(name, "int GetHashCode()", get_hash_code)

#define NUMBER_ROWS(name, keyword) \
    COMMON_ROWS(name, keyword), \
    M(name, "string ToString(string format)", to_string_format), \
    M(name, "string ToString(string format, IFormatProvider provider)", to_string_format), \
    M(name, "static " keyword " Parse(string s, IFormatProvider provider)", parse), \
    M(name, "static " keyword " Parse(string s, NumberStyles style, IFormatProvider provider)", parse_styled), \
    M(name, "static bool TryParse(string s, NumberStyles style, IFormatProvider provider, out " keyword " result)", \
      try_parse_styled), \
    M(name, "static " keyword " Parse(string s)", parse), \
    M(name, "static " keyword " Parse(string s, NumberStyles style)", parse_styled), \
    M(name, "static bool TryParse(string s, out " keyword " result)", try_parse)

#define FLOATING_ROWS(name, keyword) \
    NUMBER_ROWS(name, keyword), \
    M(name, "static " keyword " NaN { get; }", nan_value), \
    M(name, "static " keyword " PositiveInfinity { get; }", positive_infinity), \
    M(name, "static " keyword " NegativeInfinity { get; }", negative_infinity), \
    M(name, "static bool IsNaN(" keyword " d)", is_nan), \
    M(name, "static bool IsInfinity(" keyword " d)", is_infinity), \
    M(name, "static bool IsPositiveInfinity(" keyword " d)", is_positive_infinity), \
    M(name, "static bool IsNegativeInfinity(" keyword " d)", is_negative_infinity), \
    M(name, "static bool IsFinite(" keyword " d)", is_finite), \
    M(name, "static bool IsNegative(" keyword " d)", is_negative), \
    M(name, "static bool IsNormal(" keyword " d)", is_normal), \
    M(name, "static bool IsSubnormal(" keyword " d)", is_subnormal)

static const struct type_row types[] = {
    HOOKS("System.Boolean", &bool_hooks),
    HOOKS("System.SByte", &integer_hooks),
    HOOKS("System.Byte", &integer_hooks),
    HOOKS("System.Int16", &integer_hooks),
    HOOKS("System.UInt16", &integer_hooks),
    HOOKS("System.Int32", &integer_hooks),
    HOOKS("System.UInt32", &integer_hooks),
    HOOKS("System.Int64", &integer_hooks),
    HOOKS("System.UInt64", &integer_hooks),
    HOOKS("System.Single", &floating_hooks),
    HOOKS("System.Double", &floating_hooks),
    HOOKS("System.Decimal", &floating_hooks),
    {TYPE_ENUM, "System.Globalization.NumberStyles", NULL, NULL, NULL, TYPE_IS_FLAGS | TYPE_IS_IMPORTED,
               "None = 0, AllowLeadingWhite = 1, AllowTrailingWhite = 2, AllowLeadingSign = 4, Integer = 7, AllowTrailingSign = 8, "
               "AllowParentheses = 16, AllowDecimalPoint = 32, AllowThousands = 64, Number = 111, AllowExponent = 128, Float = 167, "
               "AllowCurrencySymbol = 256, Currency = 383, Any = 511, AllowHexSpecifier = 512, HexNumber = 515"},
};

static const struct member_row members[] = {
    COMMON_ROWS("Boolean", "bool"),
    M("Boolean", "static string TrueString { get; }", true_string),
    M("Boolean", "static string FalseString { get; }", false_string),
    M("Boolean", "static bool Parse(string value)", bool_parse),
    M("Boolean", "static bool TryParse(string value, out bool result)", bool_try_parse),
    NUMBER_ROWS("SByte", "sbyte"),
    CONSTANT("SByte", "const sbyte MaxValue = 127"),
    CONSTANT("SByte", "const sbyte MinValue = -128"),
    NUMBER_ROWS("Byte", "byte"),
    CONSTANT("Byte", "const byte MaxValue = 255"),
    CONSTANT("Byte", "const byte MinValue = 0"),
    NUMBER_ROWS("Int16", "short"),
    CONSTANT("Int16", "const short MaxValue = 32767"),
    CONSTANT("Int16", "const short MinValue = -32768"),
    NUMBER_ROWS("UInt16", "ushort"),
    CONSTANT("UInt16", "const ushort MaxValue = 65535"),
    CONSTANT("UInt16", "const ushort MinValue = 0"),
    NUMBER_ROWS("Int32", "int"),
    CONSTANT("Int32", "const int MaxValue = 2147483647"),
    CONSTANT("Int32", "const int MinValue = -2147483648"),
    NUMBER_ROWS("UInt32", "uint"),
    CONSTANT("UInt32", "const uint MaxValue = 4294967295"),
    CONSTANT("UInt32", "const uint MinValue = 0"),
    NUMBER_ROWS("Int64", "long"),
    CONSTANT("Int64", "const long MaxValue = 9223372036854775807"),
    CONSTANT("Int64", "const long MinValue = -9223372036854775808"),
    NUMBER_ROWS("UInt64", "ulong"),
    CONSTANT("UInt64", "const ulong MaxValue = 18446744073709551615"),
    CONSTANT("UInt64", "const ulong MinValue = 0"),
    FLOATING_ROWS("Single", "float"),
    CONSTANT("Single", "const float MaxValue = 3.40282346638528859e38f"),
    CONSTANT("Single", "const float MinValue = -3.40282346638528859e38f"),
    CONSTANT("Single", "const float Epsilon = 1.4e-45f"),
    FLOATING_ROWS("Double", "double"),
    CONSTANT("Double", "const double MaxValue = 1.7976931348623157e308"),
    CONSTANT("Double", "const double MinValue = -1.7976931348623157e308"),
    CONSTANT("Double", "const double Epsilon = 4.9406564584124654e-324"),
    NUMBER_ROWS("Decimal", "decimal"),
};

const struct library clr_numbers = LIBRARY("numbers", types, members);
