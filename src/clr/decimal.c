/* decimal.c: System.Decimal: operators, conversions, rounding. The arithmetic is data/decimal.c's.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "clr/families.h"
#include "clr/numbers.h"

static struct decimal
arg(const struct call *c, uint32_t i)
{
    return value_decimal(c->args[i]);
}

static bool
return_decimal(struct call *c, struct decimal d)
{
    c->ret = value_from_decimal(d);
    return true;
}

static bool
finish(struct call *c, enum decimal_status status, struct decimal d)
{
    switch (status) {
    case DECIMAL_OK: return return_decimal(c, d);
    case DECIMAL_OVERFLOW: return throw_number_overflow(c, TYPE_DECIMAL);
    case DECIMAL_DIVIDE_BY_ZERO: return call_throw_default(c, EXC_DIVIDE_BY_ZERO);
    }
    UNREACHABLE();
}

#define BINARY(name, operation) \
    static bool name(struct call *c) \
    { \
        struct decimal d = {0}; \
        return finish(c, operation(arg(c, 0), arg(c, 1), &d), d); \
    }
BINARY(add, decimal_add)
BINARY(subtract, decimal_subtract)
BINARY(multiply, decimal_multiply)
BINARY(divide, decimal_divide)
BINARY(remainder_of, decimal_remainder)

static bool
step(struct call *c, int64_t by)
{
    struct decimal d = {0};

    return finish(c, decimal_add(arg(c, 0), decimal_from_i64(by), &d), d);
}

static bool increment(struct call *c) { return step(c, 1); }
static bool decrement(struct call *c) { return step(c, -1); }
static bool negate(struct call *c) { return return_decimal(c, decimal_negate(arg(c, 0))); }
static bool plus(struct call *c) { return return_decimal(c, arg(c, 0)); }
static bool equal(struct call *c) { return return_bool(c, decimal_compare(arg(c, 0), arg(c, 1)) == 0); }
static bool not_equal(struct call *c) { return return_bool(c, decimal_compare(arg(c, 0), arg(c, 1)) != 0); }
static bool less(struct call *c) { return return_bool(c, decimal_compare(arg(c, 0), arg(c, 1)) < 0); }
static bool less_or_equal(struct call *c) { return return_bool(c, decimal_compare(arg(c, 0), arg(c, 1)) <= 0); }
static bool greater(struct call *c) { return return_bool(c, decimal_compare(arg(c, 0), arg(c, 1)) > 0); }
static bool greater_or_equal(struct call *c) { return return_bool(c, decimal_compare(arg(c, 0), arg(c, 1)) >= 0); }
static bool compare(struct call *c) { return return_i64(c, decimal_compare(arg(c, 0), arg(c, 1))); }

static bool
truncate_value(struct call *c)
{
    return return_decimal(c, decimal_truncate(arg(c, 0)));
}

static bool floor_of(struct call *c) { return return_decimal(c, decimal_round(arg(c, 0), 0, ROUND_TO_NEGATIVE)); }
static bool ceiling_of(struct call *c) { return return_decimal(c, decimal_round(arg(c, 0), 0, ROUND_TO_POSITIVE)); }

static bool
round_with(struct call *c, int64_t digits, int64_t mode)
{
    if (digits < 0 || digits > DECIMAL_SCALE_MAX)
        return throw_argument_range(c, "decimals", "Decimal can only round to between 0 and 28 digits of precision.");
    if (mode < ROUND_TO_EVEN || mode > ROUND_TO_POSITIVE)
        return throw_argument(c, "mode", "The value '%" PRId64 "' is not valid for this usage of the type MidpointRounding.", mode);
    return return_decimal(c, decimal_round(arg(c, 0), (unsigned)digits, (enum decimal_rounding)mode));
}

static bool round_plain(struct call *c) { return round_with(c, 0, ROUND_TO_EVEN); }
static bool round_digits(struct call *c) { return round_with(c, call_i32(c, 1), ROUND_TO_EVEN); }
static bool round_mode(struct call *c) { return round_with(c, 0, c->args[1].i64); }
static bool round_both(struct call *c) { return round_with(c, call_i32(c, 1), c->args[2].i64); }

static bool zero(struct call *c) { return return_decimal(c, decimal_from_i64(0)); }
static bool one(struct call *c) { return return_decimal(c, decimal_from_i64(1)); }
static bool minus_one(struct call *c) { return return_decimal(c, decimal_from_i64(-1)); }

static bool
max_value(struct call *c)
{
    return return_decimal(c, (struct decimal){.lo = UINT64_MAX, .hi = UINT32_MAX});
}

static bool
min_value(struct call *c)
{
    return return_decimal(c, (struct decimal){.lo = UINT64_MAX, .hi = UINT32_MAX, .negative = 1});
}

static bool
get_bits(struct call *c)
{
    struct decimal d = arg(c, 0);
    struct array *bits = array_new(c, core_types(c->run->env)->int_array, 4);

    if (!bits)
        return false;
    bits->u.v[0] = value_i64((int32_t)d.lo);
    bits->u.v[1] = value_i64((int32_t)(d.lo >> 32));
    bits->u.v[2] = value_i64((int32_t)d.hi);
    bits->u.v[3] = value_i64((int32_t)((uint32_t)d.scale << 16 | (uint32_t)d.negative << 31));
    return return_ref(c, bits);
}

static bool
from_int(struct call *c)
{
    return return_decimal(c, decimal_from_i64(c->args[0].i64));
}

static bool
from_ulong(struct call *c)
{
    return return_decimal(c, decimal_from_u64(c->args[0].u64));
}

static bool
from_double(struct call *c)
{
    if (fabs(c->args[0].f64) >= 0x1p96) /* beyond the largest decimal, even where fifteen digits of it would fit */
        return throw_number_overflow(c, TYPE_DECIMAL);
    return convert_number(c, TYPE_DOUBLE, c->args[0], TYPE_DECIMAL, &c->ret);
}

static bool
from_float(struct call *c)
{
    return convert_number(c, TYPE_FLOAT, c->args[0], TYPE_DECIMAL, &c->ret);
}

static bool
new_from_parts(struct call *c)
{
    int64_t scale = c->args[4].i64;

    if (scale > DECIMAL_SCALE_MAX)
        return throw_argument_range(c, "scale", "Decimal's scale value must be between 0 and 28, inclusive.");
    return return_decimal(c, (struct decimal){.lo = (uint64_t)(uint32_t)c->args[0].i64 | (uint64_t)(uint32_t)c->args[1].i64 << 32,
                                              .hi = (uint32_t)c->args[2].i64,
                                              .negative = call_bool(c, 3),
                                              .scale = (uint8_t)scale});
}

static bool
new_from_bits(struct call *c)
{
    const struct array *bits = (const struct array *)c->args[0].ref;
    uint32_t flags;

    if (!bits)
        return throw_argument_null(c, "bits");
    flags = bits->n == 4 ? (uint32_t)bits->u.v[3].i64 : 1;
    if ((flags & ~UINT32_C(0x80ff0000)) || (flags >> 16 & 0xff) > DECIMAL_SCALE_MAX)
        return throw_argument(c, NULL, "Decimal byte array constructor requires an array of length four containing valid decimal bytes.");
    return return_decimal(c, (struct decimal){.lo = (uint64_t)(uint32_t)bits->u.v[0].i64 | (uint64_t)(uint32_t)bits->u.v[1].i64 << 32,
                                              .hi = (uint32_t)bits->u.v[2].i64,
                                              .negative = flags >> 31,
                                              .scale = (uint8_t)(flags >> 16)});
}

/* A currency value counts ten-thousandths; zeros at the end of its fraction are not kept. */
static bool
from_currency(struct call *c)
{
    int64_t n = c->args[0].i64;
    struct decimal d;
    uint8_t scale = 4;

    while (scale && n % 10 == 0) {
        n /= 10;
        scale--;
    }
    d = decimal_from_i64(n);
    d.scale = scale;
    return return_decimal(c, d);
}

static bool
to_currency(struct call *c)
{
    struct decimal d = decimal_round(arg(c, 0), 4, ROUND_TO_EVEN);

    for (uint8_t scale = d.scale; scale < 4; scale++)
        if (d.hi || __builtin_mul_overflow(d.lo, UINT64_C(10), &d.lo))
            return call_throw(c, EXC_OVERFLOW, "Value was either too large or too small for a Currency.");
    if (d.hi || d.lo > (uint64_t)INT64_MAX + d.negative)
        return call_throw(c, EXC_OVERFLOW, "Value was either too large or too small for a Currency.");
    return return_i64(c, (int64_t)(d.negative ? -d.lo : d.lo));
}

static bool to_double(struct call *c) { return return_f64(c, decimal_to_double(arg(c, 0))); }

static bool
to_float(struct call *c)
{
    c->ret = value_f32((float)decimal_to_double(arg(c, 0)));
    return true;
}

/* A cast cuts the fraction off, and always checks the range. */
static bool
to_integer(struct call *c, enum type_kind kind)
{
    return convert_number(c, TYPE_DECIMAL, value_from_decimal(decimal_truncate(arg(c, 0))), kind, &c->ret);
}

static bool to_sbyte(struct call *c) { return to_integer(c, TYPE_SBYTE); }
static bool to_byte(struct call *c) { return to_integer(c, TYPE_BYTE); }
static bool to_short(struct call *c) { return to_integer(c, TYPE_SHORT); }
static bool to_ushort(struct call *c) { return to_integer(c, TYPE_USHORT); }
static bool to_int(struct call *c) { return to_integer(c, TYPE_INT); }
static bool to_uint(struct call *c) { return to_integer(c, TYPE_UINT); }
static bool to_long(struct call *c) { return to_integer(c, TYPE_LONG); }
static bool to_ulong(struct call *c) { return to_integer(c, TYPE_ULONG); }

/* Convert knows no way from a decimal to a character, a cast does. */
static bool
to_char(struct call *c)
{
    struct decimal d = decimal_truncate(arg(c, 0));
    double units = decimal_to_double(d);

    if (units < 0 || units > UINT16_MAX)
        return throw_number_overflow(c, TYPE_CHAR);
    return return_i64(c, (int64_t)units);
}


#define D "Decimal"
#define INTO(keyword, name, fn) \
    M_PURE(D, "static explicit operator " keyword "(decimal value)", fn), M(D, "static " keyword " To" name "(decimal d)", fn)

static const struct type_row types[] = {
    ENUM("System.MidpointRounding", "ToEven = 0, AwayFromZero = 1, ToZero = 2, ToNegativeInfinity = 3, ToPositiveInfinity = 4"),
};

static const struct member_row members[] = {
    M_PURE(D, "static decimal operator +(decimal d1, decimal d2)", add),
    M_PURE(D, "static decimal operator -(decimal d1, decimal d2)", subtract),
    M_PURE(D, "static decimal operator *(decimal d1, decimal d2)", multiply),
    M_PURE(D, "static decimal operator /(decimal d1, decimal d2)", divide),
    M_PURE(D, "static decimal operator %(decimal d1, decimal d2)", remainder_of),
    M_PURE(D, "static decimal operator -(decimal d)", negate),
    M_PURE(D, "static decimal operator +(decimal d)", plus),
    M_PURE(D, "static decimal operator ++(decimal d)", increment),
    M_PURE(D, "static decimal operator --(decimal d)", decrement),
    M_PURE(D, "static bool operator ==(decimal d1, decimal d2)", equal),
    M_PURE(D, "static bool operator !=(decimal d1, decimal d2)", not_equal),
    M_PURE(D, "static bool operator <(decimal d1, decimal d2)", less),
    M_PURE(D, "static bool operator <=(decimal d1, decimal d2)", less_or_equal),
    M_PURE(D, "static bool operator >(decimal d1, decimal d2)", greater),
    M_PURE(D, "static bool operator >=(decimal d1, decimal d2)", greater_or_equal),
    M_PURE(D, "static implicit operator decimal(byte value)", from_int),
    M_PURE(D, "static implicit operator decimal(sbyte value)", from_int),
    M_PURE(D, "static implicit operator decimal(short value)", from_int),
    M_PURE(D, "static implicit operator decimal(ushort value)", from_int),
    M_PURE(D, "static implicit operator decimal(char value)", from_int),
    M_PURE(D, "static implicit operator decimal(int value)", from_int),
    M_PURE(D, "static implicit operator decimal(uint value)", from_int),
    M_PURE(D, "static implicit operator decimal(long value)", from_int),
    M_PURE(D, "static implicit operator decimal(ulong value)", from_ulong),
    M_PURE(D, "static explicit operator decimal(double value)", from_double),
    M_PURE(D, "static explicit operator decimal(float value)", from_float),
    INTO("sbyte", "SByte", to_sbyte),
    INTO("byte", "Byte", to_byte),
    INTO("short", "Int16", to_short),
    INTO("ushort", "UInt16", to_ushort),
    INTO("int", "Int32", to_int),
    INTO("uint", "UInt32", to_uint),
    INTO("long", "Int64", to_long),
    INTO("ulong", "UInt64", to_ulong),
    INTO("double", "Double", to_double),
    INTO("float", "Single", to_float),
    M_PURE(D, "static explicit operator char(decimal value)", to_char),
    M(D, "new(int value)", from_int),
    M(D, "new(uint value)", from_int),
    M(D, "new(long value)", from_int),
    M(D, "new(ulong value)", from_ulong),
    M(D, "new(double value)", from_double),
    M(D, "new(float value)", from_float),
    M(D, "new(int lo, int mid, int hi, bool isNegative, byte scale)", new_from_parts),
    M(D, "new(int[] bits)", new_from_bits),
    M(D, "static decimal FromOACurrency(long cy)", from_currency),
    M(D, "static long ToOACurrency(decimal value)", to_currency),
    M(D, "static decimal Zero { get; }", zero),
    M(D, "static decimal One { get; }", one),
    M(D, "static decimal MinusOne { get; }", minus_one),
    M(D, "static decimal MaxValue { get; }", max_value),
    M(D, "static decimal MinValue { get; }", min_value),
    M(D, "static decimal Add(decimal d1, decimal d2)", add),
    M(D, "static decimal Subtract(decimal d1, decimal d2)", subtract),
    M(D, "static decimal Multiply(decimal d1, decimal d2)", multiply),
    M(D, "static decimal Divide(decimal d1, decimal d2)", divide),
    M(D, "static decimal Remainder(decimal d1, decimal d2)", remainder_of),
    M(D, "static decimal Negate(decimal d)", negate),
    M(D, "static int Compare(decimal d1, decimal d2)", compare),
    M(D, "static bool Equals(decimal d1, decimal d2)", equal),
    M(D, "static decimal Truncate(decimal d)", truncate_value),
    M(D, "static decimal Floor(decimal d)", floor_of),
    M(D, "static decimal Ceiling(decimal d)", ceiling_of),
    M(D, "static decimal Round(decimal d)", round_plain),
    M(D, "static decimal Round(decimal d, int decimals)", round_digits),
    M(D, "static decimal Round(decimal d, MidpointRounding mode)", round_mode),
    M(D, "static decimal Round(decimal d, int decimals, MidpointRounding mode)", round_both),
    M(D, "static int[] GetBits(decimal d)", get_bits),
    /* Math's decimal overloads are the same natives. */
    M("Math", "static decimal Truncate(decimal d)", truncate_value),
    M("Math", "static decimal Floor(decimal d)", floor_of),
    M("Math", "static decimal Ceiling(decimal d)", ceiling_of),
    M("Math", "static decimal Round(decimal d)", round_plain),
    M("Math", "static decimal Round(decimal d, int decimals)", round_digits),
    M("Math", "static decimal Round(decimal d, MidpointRounding mode)", round_mode),
    M("Math", "static decimal Round(decimal d, int decimals, MidpointRounding mode)", round_both),
};

const struct library clr_decimal = LIBRARY("decimal", types, members);
