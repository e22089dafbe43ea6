/* math.c: System.Math, System.Random, System.BitConverter.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/rand.h"
#include "clr/families.h"
#include "clr/numbers.h"

/* --- Math -------------------------------------------------------------------------------------------------------------- */

static bool
abs_integer(struct call *c, int64_t min)
{
    int64_t n = c->args[0].i64;

    if (n == min)
        return call_throw(c, EXC_OVERFLOW, "Negating the minimum value of a twos complement number is invalid.");
    return return_i64(c, n < 0 ? -n : n);
}

static bool abs_sbyte(struct call *c) { return abs_integer(c, INT8_MIN); }
static bool abs_short(struct call *c) { return abs_integer(c, INT16_MIN); }
static bool abs_int(struct call *c) { return abs_integer(c, INT32_MIN); }
static bool abs_long(struct call *c) { return abs_integer(c, INT64_MIN); }
static bool abs_double(struct call *c) { return return_f64(c, fabs(c->args[0].f64)); }

static bool
abs_float(struct call *c)
{
    c->ret = value_f32(fabsf(c->args[0].f32));
    return true;
}

static bool
abs_decimal(struct call *c)
{
    struct decimal d = value_decimal(c->args[0]);

    d.negative = 0;
    c->ret = value_from_decimal(d);
    return true;
}

static bool
pick(struct call *c, bool first)
{
    c->ret = c->args[first ? 0 : 1];
    return true;
}

static bool max_i64(struct call *c) { return pick(c, c->args[0].i64 >= c->args[1].i64); }
static bool min_i64(struct call *c) { return pick(c, c->args[0].i64 <= c->args[1].i64); }
static bool max_u64(struct call *c) { return pick(c, c->args[0].u64 >= c->args[1].u64); }
static bool min_u64(struct call *c) { return pick(c, c->args[0].u64 <= c->args[1].u64); }

/* NaN wins; +0 is above -0. */
static bool
max_double(struct call *c)
{
    double a = c->args[0].f64, b = c->args[1].f64;

    return pick(c, isnan(a) || a > b || (a == b && !signbit(a)));
}

static bool
min_double(struct call *c)
{
    double a = c->args[0].f64, b = c->args[1].f64;

    return pick(c, isnan(a) || a < b || (a == b && signbit(a)));
}

static bool
max_float(struct call *c)
{
    float a = c->args[0].f32, b = c->args[1].f32;

    return pick(c, isnan(a) || a > b || (a == b && !signbit(a)));
}

static bool
min_float(struct call *c)
{
    float a = c->args[0].f32, b = c->args[1].f32;

    return pick(c, isnan(a) || a < b || (a == b && signbit(a)));
}

static bool
max_decimal(struct call *c)
{
    return pick(c, decimal_compare(value_decimal(c->args[0]), value_decimal(c->args[1])) >= 0);
}

static bool
min_decimal(struct call *c)
{
    return pick(c, decimal_compare(value_decimal(c->args[0]), value_decimal(c->args[1])) <= 0);
}

static bool sign_i64(struct call *c) { return return_i64(c, (c->args[0].i64 > 0) - (c->args[0].i64 < 0)); }

static bool
sign_of(struct call *c, double d)
{
    if (isnan(d))
        return call_throw(c, EXC_ARITHMETIC, "Function does not accept floating point Not-a-Number values.");
    return return_i64(c, (d > 0) - (d < 0));
}

static bool sign_double(struct call *c) { return sign_of(c, c->args[0].f64); }
static bool sign_float(struct call *c) { return sign_of(c, (double)c->args[0].f32); }

static bool
sign_decimal(struct call *c)
{
    return return_i64(c, decimal_compare(value_decimal(c->args[0]), decimal_from_i64(0)));
}

#define FUNCTION(name, result) \
    static bool name(struct call *c) { double x = c->args[0].f64; return return_f64(c, result); }
FUNCTION(floor_of, floor(x))
FUNCTION(ceiling_of, ceil(x))
FUNCTION(truncate_of, trunc(x))
FUNCTION(sqrt_of, sqrt(x))
FUNCTION(cbrt_of, cbrt(x))
FUNCTION(asinh_of, asinh(x))
FUNCTION(acosh_of, acosh(x))
FUNCTION(atanh_of, atanh(x))
FUNCTION(exp_of, exp(x))
FUNCTION(log_of, log(x))
FUNCTION(log10_of, log10(x))
FUNCTION(log2_of, log2(x))
FUNCTION(sin_of, sin(x))
FUNCTION(cos_of, cos(x))
FUNCTION(tan_of, tan(x))
FUNCTION(asin_of, asin(x))
FUNCTION(acos_of, acos(x))
FUNCTION(atan_of, atan(x))
FUNCTION(sinh_of, sinh(x))
FUNCTION(cosh_of, cosh(x))
FUNCTION(tanh_of, tanh(x))
FUNCTION(pow_of, pow(x, c->args[1].f64))
FUNCTION(atan2_of, atan2(x, c->args[1].f64))
FUNCTION(ieee_remainder, remainder(x, c->args[1].f64))

static bool
log_base(struct call *c)
{
    double a = c->args[0].f64, base = c->args[1].f64;

    if (isnan(a) || isnan(base) || base == 1)
        return return_f64(c, isnan(base) ? base : isnan(a) ? a : (double)NAN);
    if (a != 1 && (base == 0 || isinf(base)))
        return return_f64(c, (double)NAN);
    return return_f64(c, log(a) / log(base));
}

static double
round_half(double x, int64_t mode)
{
    switch (mode) {
    case ROUND_AWAY_FROM_ZERO: return round(x);
    case ROUND_TO_ZERO: return trunc(x);
    case ROUND_TO_NEGATIVE: return floor(x);
    case ROUND_TO_POSITIVE: return ceil(x);
    default: return nearbyint(x);
    }
}

static bool
round_with(struct call *c, int64_t digits, int64_t mode)
{
    double x = c->args[0].f64, power;

    if (digits < 0 || digits > 15)
        return throw_argument_range(c, "digits", "Rounding digits must be between 0 and 15, inclusive.");
    if (mode < ROUND_TO_EVEN || mode > ROUND_TO_POSITIVE)
        return throw_argument(c, "mode", "The value '%" PRId64 "' is not valid for this usage of the type MidpointRounding.", mode);
    if (!(fabs(x) < 1e16))
        return return_f64(c, x);
    power = pow(10, (double)digits);
    return return_f64(c, round_half(x * power, mode) / power);
}

static bool round_plain(struct call *c) { return round_with(c, 0, ROUND_TO_EVEN); }
static bool round_digits(struct call *c) { return round_with(c, call_i32(c, 1), ROUND_TO_EVEN); }
static bool round_mode(struct call *c) { return round_with(c, 0, c->args[1].i64); }
static bool round_both(struct call *c) { return round_with(c, call_i32(c, 1), c->args[2].i64); }

static bool big_mul(struct call *c) { return return_i64(c, c->args[0].i64 * c->args[1].i64); }

static bool
div_rem(struct call *c, int64_t min)
{
    int64_t a = c->args[0].i64, b = c->args[1].i64;

    if (b == 0)
        return call_throw_default(c, EXC_DIVIDE_BY_ZERO);
    if (a == min && b == -1)
        return call_throw_default(c, EXC_OVERFLOW);
    c->args[2] = value_i64(a % b);
    return return_i64(c, a / b);
}

static bool div_rem_int(struct call *c) { return div_rem(c, INT32_MIN); }
static bool div_rem_long(struct call *c) { return div_rem(c, INT64_MIN); }

static bool
clamp_i64(struct call *c)
{
    int64_t v = c->args[0].i64, min = c->args[1].i64, max = c->args[2].i64;

    if (min > max)
        return throw_argument(c, NULL, "'%" PRId64 "' cannot be greater than %" PRId64 ".", min, max);
    return return_i64(c, v < min ? min : v > max ? max : v);
}

static bool
bad_clamp(struct call *c)
{
    struct string *min, *max;
    const struct type *type = c->ret_type;

    return value_to_string(c, type, c->args[1], STR_NONE, &min) && value_to_string(c, type, c->args[2], STR_NONE, &max) &&
           throw_argument(c, NULL, "'%.*s' cannot be greater than %.*s.", STR_ARG(string_str(min)), STR_ARG(string_str(max)));
}

static bool
clamp_u64(struct call *c)
{
    uint64_t v = c->args[0].u64, min = c->args[1].u64, max = c->args[2].u64;

    if (min > max)
        return bad_clamp(c);
    return return_i64(c, (int64_t)(v < min ? min : v > max ? max : v));
}

static bool
clamp_double(struct call *c)
{
    double v = c->args[0].f64, min = c->args[1].f64, max = c->args[2].f64;

    if (min > max)
        return bad_clamp(c);
    return return_f64(c, v < min ? min : v > max ? max : v);
}

static bool
clamp_float(struct call *c)
{
    float v = c->args[0].f32, min = c->args[1].f32, max = c->args[2].f32;

    if (min > max)
        return bad_clamp(c);
    c->ret = value_f32(v < min ? min : v > max ? max : v);
    return true;
}

static bool
clamp_decimal(struct call *c)
{
    struct decimal v = value_decimal(c->args[0]), min = value_decimal(c->args[1]), max = value_decimal(c->args[2]);

    if (decimal_compare(min, max) > 0)
        return bad_clamp(c);
    c->ret = value_from_decimal(decimal_compare(v, min) < 0 ? min : decimal_compare(v, max) > 0 ? max : v);
    return true;
}

/* --- Random ------------------------------------------------------------------------------------------------------------ */

struct random {
    struct object head;
    struct rand own;                  /* with a seed; the sequence is ours, only its repeatability is promised */
    bool has_seed;
};

static uint64_t
random_u64(struct call *c)
{
    struct random *r = (struct random *)c->args[0].ref;

    if (r->has_seed || !c->run->rand)
        return rand_u64(&r->own);
    return rand_u64(c->run->rand);
}

static bool
random_new(struct call *c)
{
    struct random *r = object_new(c, c->owner, struct random);
    uint64_t seed;

    if (!r)
        return false;
    r->has_seed = c->n_args > 0;
    if (r->has_seed) {
        rand_seed(&r->own, (uint64_t)c->args[0].i64);
    } else if (!c->run->rand) {
        rand_secret(&seed, sizeof(seed));
        rand_seed(&r->own, seed);
    }
    return return_ref(c, r);
}

static int64_t
random_below(struct call *c, uint64_t below)
{
    return (int64_t)(((unsigned __int128)random_u64(c) * below) >> 64);
}

static bool next(struct call *c) { return return_i64(c, random_below(c, INT32_MAX)); }

static bool
next_below(struct call *c)
{
    if (c->args[1].i64 < 0)
        return throw_argument_range(c, "maxValue", "'maxValue' must be greater than zero.");
    return return_i64(c, random_below(c, c->args[1].u64));
}

static bool
next_between(struct call *c)
{
    int64_t min = c->args[1].i64, max = c->args[2].i64;

    if (min > max)
        return throw_argument_range(c, "minValue", "'minValue' cannot be greater than maxValue.");
    return return_i64(c, (int64_t)((uint64_t)min + (uint64_t)random_below(c, (uint64_t)max - (uint64_t)min)));
}

static bool
next_long(struct call *c)
{
    return return_i64(c, random_below(c, INT64_MAX));
}

static bool next_double(struct call *c) { return return_f64(c, (double)(random_u64(c) >> 11) * 0x1p-53); }

static bool
next_bytes(struct call *c)
{
    struct array *bytes = (struct array *)c->args[1].ref;

    if (!bytes)
        return throw_argument_null(c, "buffer");
    for (uint32_t i = 0; i < bytes->n; i++)
        bytes->u.bytes[i] = (uint8_t)random_u64(c);
    return true;
}

static bool
shared_random(struct call *c)
{
    c->n_args = 0;
    return random_new(c);
}

/* --- BitConverter ------------------------------------------------------------------------------------------------------- */

static bool
bytes_of(struct call *c, const void *p, uint32_t n)
{
    return return_new(c, array_of_bytes(c, p, n));
}

static bool get_bytes_1(struct call *c) { return bytes_of(c, &c->args[0].u64, 1); }
static bool get_bytes_2(struct call *c) { return bytes_of(c, &c->args[0].u64, 2); }
static bool get_bytes_4(struct call *c) { return bytes_of(c, &c->args[0].u64, 4); }
static bool get_bytes_8(struct call *c) { return bytes_of(c, &c->args[0].u64, 8); }

/* n bytes from (byte[] value, int startIndex), little-endian. False after throwing. */
static bool
read_bytes(struct call *c, uint32_t n, uint64_t *ret)
{
    const struct array *bytes = (const struct array *)c->args[0].ref;
    int64_t at = c->n_args > 1 ? call_i32(c, 1) : 0;

    if (!bytes)
        return throw_argument_null(c, "value");
    if (at < 0 || at >= bytes->n)
        return throw_argument_range(c, "startIndex", "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (at > (int64_t)bytes->n - n)
        return throw_argument(c, "value", "Destination array is not long enough to copy all the items in the collection. Check array index and length.");
    *ret = 0;
    memcpy(ret, bytes->u.bytes + at, n);
    return true;
}

#define READ(name, n, convert) \
    static bool name(struct call *c) { uint64_t u; return read_bytes(c, n, &u) && return_i64(c, (int64_t)convert u); }
READ(to_boolean, 1, !!)
READ(to_int16, 2, (int16_t))
READ(to_uint16, 2, (uint16_t))
READ(to_int32, 4, (int32_t))
READ(to_uint32, 4, (uint32_t))
READ(to_int64, 8, (int64_t))

static bool
to_single(struct call *c)
{
    c->ret = value_i64(0);
    return read_bytes(c, 4, &c->ret.u64);
}

static bool
to_hex(struct call *c)
{
    static const char digits[] = "0123456789ABCDEF";
    const struct array *bytes = (const struct array *)c->args[0].ref;
    int64_t from = c->n_args > 1 ? call_i32(c, 1) : 0, n;
    char *p, *to;

    if (!bytes)
        return throw_argument_null(c, "value");
    if (from < 0 || (from >= bytes->n && from > 0))
        return throw_argument_range(c, "startIndex", "StartIndex cannot be less than zero.");
    n = c->n_args > 2 ? call_i32(c, 2) : bytes->n - from;
    if (n < 0)
        return throw_argument_range(c, "length", "Value must be positive.");
    if (from > bytes->n - n)
        return throw_argument(c, "value", "Destination array is not long enough to copy all the items in the collection. Check array index and length.");
    if (n == 0)
        return return_new(c, string_lit(c, ""));
    if (!(p = to = call_alloc(c, (size_t)n * 3)))
        return false;
    for (int64_t i = 0; i < n; i++) {
        uint8_t byte = bytes->u.bytes[from + i];
        if (i)
            *to++ = '-';
        *to++ = digits[byte >> 4];
        *to++ = digits[byte & 15];
    }
    return return_new(c, string_view_units(c, str_from(p, (size_t)(to - p)), (uint32_t)(to - p)));
}

static bool is_little_endian(struct call *c) { return return_bool(c, true); }

static bool
int64_bits_to_double(struct call *c)
{
    c->ret = c->args[0];
    return true;
}

static bool
int32_bits_to_single(struct call *c)
{
    c->ret = value_i64((int64_t)(uint32_t)c->args[0].i64);
    return true;
}

static bool
single_to_int32_bits(struct call *c)
{
    uint32_t bits;

    memcpy(&bits, &c->args[0].f32, sizeof(bits));
    return return_i64(c, (int32_t)bits);
}

/* --- rows ---------------------------------------------------------------------------------------------------------------- */

#define PAIR(keyword, name, max, min) \
    M("Math", "static " keyword " Max(" keyword " val1, " keyword " val2)", max), \
    M("Math", "static " keyword " Min(" keyword " val1, " keyword " val2)", min)

static const struct type_row types[] = {
    STATIC_CLASS("System.Math"),
    CLASS("System.Random", NULL, NULL, NULL),
    STATIC_CLASS("System.BitConverter"),
};

static const struct member_row members[] = {
    CONSTANT("Math", "const double PI = 3.1415926535897931"),
    CONSTANT("Math", "const double E = 2.7182818284590451"),
    M("Math", "static sbyte Abs(sbyte value)", abs_sbyte),
    M("Math", "static short Abs(short value)", abs_short),
    M("Math", "static int Abs(int value)", abs_int),
    M("Math", "static long Abs(long value)", abs_long),
    M("Math", "static float Abs(float value)", abs_float),
    M("Math", "static double Abs(double value)", abs_double),
    M("Math", "static decimal Abs(decimal value)", abs_decimal),
    PAIR("sbyte", "SByte", max_i64, min_i64),
    PAIR("byte", "Byte", max_i64, min_i64),
    PAIR("short", "Int16", max_i64, min_i64),
    PAIR("ushort", "UInt16", max_i64, min_i64),
    PAIR("int", "Int32", max_i64, min_i64),
    PAIR("uint", "UInt32", max_i64, min_i64),
    PAIR("long", "Int64", max_i64, min_i64),
    PAIR("ulong", "UInt64", max_u64, min_u64),
    PAIR("float", "Single", max_float, min_float),
    PAIR("double", "Double", max_double, min_double),
    PAIR("decimal", "Decimal", max_decimal, min_decimal),
    M("Math", "static int Sign(sbyte value)", sign_i64),
    M("Math", "static int Sign(short value)", sign_i64),
    M("Math", "static int Sign(int value)", sign_i64),
    M("Math", "static int Sign(long value)", sign_i64),
    M("Math", "static int Sign(float value)", sign_float),
    M("Math", "static int Sign(double value)", sign_double),
    M("Math", "static int Sign(decimal value)", sign_decimal),
    M("Math", "static double Floor(double d)", floor_of),
    M("Math", "static double Ceiling(double a)", ceiling_of),
    M("Math", "static double Truncate(double d)", truncate_of),
    M("Math", "static double Round(double a)", round_plain),
    M("Math", "static double Round(double value, int digits)", round_digits),
    M("Math", "static double Round(double value, MidpointRounding mode)", round_mode),
    M("Math", "static double Round(double value, int digits, MidpointRounding mode)", round_both),
    M("Math", "static double Sqrt(double d)", sqrt_of),
    M("Math", "static double Cbrt(double d)", cbrt_of),
    M("Math", "static double Pow(double x, double y)", pow_of),
    M("Math", "static double Exp(double d)", exp_of),
    M("Math", "static double Log(double d)", log_of),
    M("Math", "static double Log(double a, double newBase)", log_base),
    M("Math", "static double Log10(double d)", log10_of),
    M("Math", "static double Log2(double x)", log2_of),
    M("Math", "static double Sin(double a)", sin_of),
    M("Math", "static double Cos(double d)", cos_of),
    M("Math", "static double Tan(double a)", tan_of),
    M("Math", "static double Asin(double d)", asin_of),
    M("Math", "static double Acos(double d)", acos_of),
    M("Math", "static double Atan(double d)", atan_of),
    M("Math", "static double Atan2(double y, double x)", atan2_of),
    M("Math", "static double Sinh(double value)", sinh_of),
    M("Math", "static double Cosh(double value)", cosh_of),
    M("Math", "static double Tanh(double value)", tanh_of),
    M("Math", "static double Asinh(double d)", asinh_of),
    M("Math", "static double Acosh(double d)", acosh_of),
    M("Math", "static double Atanh(double d)", atanh_of),
    M("Math", "static double IEEERemainder(double x, double y)", ieee_remainder),
    M("Math", "static long BigMul(int a, int b)", big_mul),
    M("Math", "static int DivRem(int a, int b, out int result)", div_rem_int),
    M("Math", "static long DivRem(long a, long b, out long result)", div_rem_long),
    M("Math", "static byte Clamp(byte value, byte min, byte max)", clamp_i64),
    M("Math", "static sbyte Clamp(sbyte value, sbyte min, sbyte max)", clamp_i64),
    M("Math", "static short Clamp(short value, short min, short max)", clamp_i64),
    M("Math", "static ushort Clamp(ushort value, ushort min, ushort max)", clamp_i64),
    M("Math", "static uint Clamp(uint value, uint min, uint max)", clamp_i64),
    M("Math", "static ulong Clamp(ulong value, ulong min, ulong max)", clamp_u64),
    M("Math", "static float Clamp(float value, float min, float max)", clamp_float),
    M("Math", "static decimal Clamp(decimal value, decimal min, decimal max)", clamp_decimal),
    M("Math", "static int Clamp(int value, int min, int max)", clamp_i64),
    M("Math", "static long Clamp(long value, long min, long max)", clamp_i64),
    M("Math", "static double Clamp(double value, double min, double max)", clamp_double),

    M("Random", "new()", random_new),
    M("Random", "new(int Seed)", random_new),
    M("Random", "static Random Shared { get; }", shared_random),
    M("Random", "int Next()", next),
    M("Random", "int Next(int maxValue)", next_below),
    M("Random", "int Next(int minValue, int maxValue)", next_between),
    M("Random", "long NextInt64()", next_long),
    M("Random", "long NextInt64(long maxValue)", next_below),
    M("Random", "long NextInt64(long minValue, long maxValue)", next_between),
    M("Random", "double NextDouble()", next_double),
    M("Random", "void NextBytes(byte[] buffer)", next_bytes),

    M("BitConverter", "static bool IsLittleEndian { get; }", is_little_endian),
    M("BitConverter", "static byte[] GetBytes(bool value)", get_bytes_1),
    M("BitConverter", "static byte[] GetBytes(char value)", get_bytes_2),
    M("BitConverter", "static byte[] GetBytes(short value)", get_bytes_2),
    M("BitConverter", "static byte[] GetBytes(ushort value)", get_bytes_2),
    M("BitConverter", "static byte[] GetBytes(int value)", get_bytes_4),
    M("BitConverter", "static byte[] GetBytes(uint value)", get_bytes_4),
    M("BitConverter", "static byte[] GetBytes(float value)", get_bytes_4),
    M("BitConverter", "static byte[] GetBytes(long value)", get_bytes_8),
    M("BitConverter", "static byte[] GetBytes(ulong value)", get_bytes_8),
    M("BitConverter", "static byte[] GetBytes(double value)", get_bytes_8),
    M("BitConverter", "static bool ToBoolean(byte[] value, int startIndex)", to_boolean),
    M("BitConverter", "static char ToChar(byte[] value, int startIndex)", to_uint16),
    M("BitConverter", "static short ToInt16(byte[] value, int startIndex)", to_int16),
    M("BitConverter", "static ushort ToUInt16(byte[] value, int startIndex)", to_uint16),
    M("BitConverter", "static int ToInt32(byte[] value, int startIndex)", to_int32),
    M("BitConverter", "static uint ToUInt32(byte[] value, int startIndex)", to_uint32),
    M("BitConverter", "static long ToInt64(byte[] value, int startIndex)", to_int64),
    M("BitConverter", "static ulong ToUInt64(byte[] value, int startIndex)", to_int64),
    M("BitConverter", "static float ToSingle(byte[] value, int startIndex)", to_single),
    M("BitConverter", "static double ToDouble(byte[] value, int startIndex)", to_int64),
    M("BitConverter", "static string ToString(byte[] value)", to_hex),
    M("BitConverter", "static string ToString(byte[] value, int startIndex)", to_hex),
    M("BitConverter", "static string ToString(byte[] value, int startIndex, int length)", to_hex),
    M("BitConverter", "static float Int32BitsToSingle(int value)", int32_bits_to_single),
    M("BitConverter", "static int SingleToInt32Bits(float value)", single_to_int32_bits),
    M("BitConverter", "static double Int64BitsToDouble(long value)", int64_bits_to_double),
    M("BitConverter", "static long DoubleToInt64Bits(double value)", int64_bits_to_double),
};

const struct library clr_math = LIBRARY("math", types, members);
