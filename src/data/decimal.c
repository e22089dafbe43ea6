/* decimal.c: exact decimal arithmetic on 96-bit mantissas.
 *
 * Every operation computes the exact result in a wide integer with a scale, and reduce() brings it back to 96 bits and at most
 * 28 fraction digits: digits are dropped from the right, remembering the last one and whether anything below it was not zero,
 * and one half-to-even rounding ends it. Division is long division digit by digit until it ends, or fills the mantissa.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef unsigned __int128 u128;

#define MANTISSA_MAX ((((u128)1) << 96) - 1)

/* 256 bits in 32-bit limbs, lowest first: room for a 96-bit mantissa times 10^28, and for a product. */
#define WIDE_LIMBS 8
struct wide {
    uint32_t limb[WIDE_LIMBS];
};

static u128
mantissa(struct decimal d)
{
    return (u128)d.hi << 64 | d.lo;
}

static struct decimal
make(u128 m, unsigned scale, bool negative)
{
    return (struct decimal){.lo = (uint64_t)m, .hi = (uint32_t)(m >> 64), .scale = (uint8_t)scale, .negative = negative};
}

static struct wide
wide_from(u128 m)
{
    struct wide w = {0};

    for (int i = 0; i < 4; i++, m >>= 32)
        w.limb[i] = (uint32_t)m;
    return w;
}

static void
wide_multiply(struct wide *w, uint32_t by)
{
    uint64_t carry = 0;

    for (int i = 0; i < WIDE_LIMBS; i++) {
        carry += (uint64_t)w->limb[i] * by;
        w->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* Divides in place, returns the remainder. */
static uint32_t
wide_divide(struct wide *w, uint32_t by)
{
    uint64_t rest = 0;

    for (int i = WIDE_LIMBS - 1; i >= 0; i--) {
        rest = rest << 32 | w->limb[i];
        w->limb[i] = (uint32_t)(rest / by);
        rest %= by;
    }
    return (uint32_t)rest;
}

static int
wide_compare(const struct wide *a, const struct wide *b)
{
    for (int i = WIDE_LIMBS - 1; i >= 0; i--)
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    return 0;
}

static void
wide_add(struct wide *a, const struct wide *b)
{
    uint64_t carry = 0;

    for (int i = 0; i < WIDE_LIMBS; i++) {
        carry += (uint64_t)a->limb[i] + b->limb[i];
        a->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* a -= b, a >= b */
static void
wide_subtract(struct wide *a, const struct wide *b)
{
    int64_t borrow = 0;

    for (int i = 0; i < WIDE_LIMBS; i++) {
        borrow += (int64_t)a->limb[i] - b->limb[i];
        a->limb[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
}

static bool
wide_fits(const struct wide *w)
{
    return !(w->limb[3] | w->limb[4] | w->limb[5] | w->limb[6] | w->limb[7]);
}

static u128
wide_low(const struct wide *w)
{
    return (u128)w->limb[2] << 64 | (u128)w->limb[1] << 32 | w->limb[0];
}

static struct wide
wide_scaled(struct decimal d, unsigned scale)
{
    struct wide w = wide_from(mantissa(d));

    for (unsigned s = d.scale; s < scale; s++)
        wide_multiply(&w, 10);
    return w;
}

/* w / 10^scale as a decimal, rounded half to even where digits have to go. */
static enum decimal_status
reduce(struct wide *w, int scale, bool negative, struct decimal *ret)
{
    uint32_t last = 0;
    bool sticky = false;
    u128 m;

    while (!wide_fits(w) || scale > DECIMAL_SCALE_MAX) {
        if (scale == 0)
            return DECIMAL_OVERFLOW;
        sticky |= last != 0;
        last = wide_divide(w, 10);
        scale--;
    }
    m = wide_low(w);
    if (last > 5 || (last == 5 && (sticky || (m & 1)))) {
        if (m == MANTISSA_MAX) { /* 2^96 ends in 6: one digit less, rounded up */
            if (scale == 0)
                return DECIMAL_OVERFLOW;
            m = m / 10;
            scale--;
        }
        m++;
    }
    *ret = make(m, (unsigned)scale, negative);
    return DECIMAL_OK;
}

struct decimal
decimal_from_u64(uint64_t n)
{
    return make(n, 0, false);
}

struct decimal
decimal_from_i64(int64_t n)
{
    return n < 0 ? make(-(uint64_t)n, 0, true) : make((uint64_t)n, 0, false);
}

enum decimal_status
decimal_from_digits(const char *digits, size_t n, int point, bool negative, struct decimal *ret)
{
    u128 m = 0;
    int scale;
    size_t used = 0;
    bool sticky = false;
    unsigned last = 0;

    for (; used < n && m <= (MANTISSA_MAX - 9) / 10 && (int)used - point < DECIMAL_SCALE_MAX; used++)
        m = m * 10 + (unsigned)(digits[used] - '0');
    if (used < n && (int)used - point < DECIMAL_SCALE_MAX) { /* one more may fit exactly */
        u128 more = m * 10 + (unsigned)(digits[used] - '0');
        if (more <= MANTISSA_MAX) {
            m = more;
            used++;
        }
    }
    if (used < n) {
        last = (unsigned)(digits[used] - '0');
        for (size_t i = used + 1; i < n && !sticky; i++)
            sticky = digits[i] != '0';
        if (last > 5 || (last == 5 && (sticky || (m & 1))))
            m++;
    }
    scale = (int)used - point;
    for (; scale < 0 && m; scale++) {
        if (m > MANTISSA_MAX / 10)
            return DECIMAL_OVERFLOW;
        m *= 10;
    }
    if (scale < 0)
        scale = 0;
    if (m > MANTISSA_MAX) {
        if (scale == 0)
            return DECIMAL_OVERFLOW;
        m = m / 10 + 1;
        scale--;
    }
    if (scale > DECIMAL_SCALE_MAX) { /* leading zeros alone took all the room */
        m = 0;
        scale = DECIMAL_SCALE_MAX;
    }
    *ret = make(m, (unsigned)scale, negative);
    return DECIMAL_OK;
}

bool
decimal_parse_plain(struct str text, struct decimal *ret, enum decimal_status *ret_status)
{
    char digits[128];
    size_t n = 0, any = 0;
    int point = -1;
    bool negative = text.len && text.p[0] == '-', seen = false;

    for (size_t i = text.len && (text.p[0] == '-' || text.p[0] == '+'); i < text.len; i++) {
        char c = text.p[i];
        if (c == '.' && point < 0) {
            point = (int)n;
        } else if (ascii_is_digit(c)) {
            any++;
            seen |= c != '0';
            if (n == sizeof(digits))
                continue;
            digits[n++] = c;
        } else {
            return false;
        }
    }
    if (!any)
        return false;
    /* Leading zeros before the point take no room. */
    size_t zeros = 0;
    while (zeros < n && digits[zeros] == '0' && (point < 0 || (int)zeros < point))
        zeros++;
    *ret_status = decimal_from_digits(digits + zeros, n - zeros, (point < 0 ? (int)n : point) - (int)zeros, negative && seen, ret);
    return true;
}

/* Through the shortest exact way: the C library's correctly rounded digits. */
static enum decimal_status
from_double_digits(double d, int significant, struct decimal *ret)
{
    char text[40], digits[20];
    int exponent, n = 0;

    if (!isfinite(d))
        return DECIMAL_OVERFLOW;
    if (d == 0) {
        *ret = make(0, 0, false);
        return DECIMAL_OK;
    }
    snprintf(text, sizeof(text), "%.*e", significant - 1, fabs(d));
    for (const char *p = text; *p != 'e'; p++)
        if (*p != '.')
            digits[n++] = *p;
    exponent = atoi(strchr(text, 'e') + 1);
    while (n > 1 && digits[n - 1] == '0')
        n--;
    if (exponent < -DECIMAL_SCALE_MAX - 1) {
        *ret = make(0, 0, false);
        return DECIMAL_OK;
    }
    enum decimal_status status = decimal_from_digits(digits, (size_t)n, exponent + 1, d < 0, ret);
    if (status == DECIMAL_OK && decimal_is_zero(*ret))
        *ret = make(0, 0, false);
    return status;
}

enum decimal_status
decimal_from_double(double d, struct decimal *ret)
{
    return from_double_digits(d, 15, ret);
}

enum decimal_status
decimal_from_float(float f, struct decimal *ret)
{
    return from_double_digits((double)f, 7, ret);
}

enum decimal_status
decimal_add(struct decimal a, struct decimal b, struct decimal *ret)
{
    unsigned scale = MAX(a.scale, b.scale);
    struct wide x, y;
    int order;

    if (a.scale == b.scale && !a.hi && !b.hi && a.negative == b.negative) { /* nearly every sum */
        *ret = make((u128)a.lo + b.lo, scale, a.negative);
        return DECIMAL_OK;
    }
    x = wide_scaled(a, scale);
    y = wide_scaled(b, scale);
    if (a.negative == b.negative) {
        wide_add(&x, &y);
        return reduce(&x, (int)scale, a.negative, ret);
    }
    order = wide_compare(&x, &y);
    if (order >= 0) {
        wide_subtract(&x, &y);
        return reduce(&x, (int)scale, order == 0 ? false : a.negative, ret);
    }
    wide_subtract(&y, &x);
    return reduce(&y, (int)scale, b.negative, ret);
}

enum decimal_status
decimal_subtract(struct decimal a, struct decimal b, struct decimal *ret)
{
    b.negative = !b.negative;
    return decimal_add(a, b, ret);
}

enum decimal_status
decimal_multiply(struct decimal a, struct decimal b, struct decimal *ret)
{
    const uint32_t by[3] = {(uint32_t)b.lo, (uint32_t)(b.lo >> 32), b.hi};
    struct wide sum = {0};

    if ((!mantissa(a) || !mantissa(b)) && (mantissa(a) | mantissa(b)) > UINT32_MAX) { /* then .NET's zero has no scale */
        *ret = (struct decimal){0};
        return DECIMAL_OK;
    }
    for (int i = 0; i < 3; i++) {
        struct wide part = wide_from(mantissa(a));
        wide_multiply(&part, by[i]);
        for (int limb = WIDE_LIMBS - 1; limb >= 0; limb--) /* part <<= 32 * i */
            part.limb[limb] = limb >= i ? part.limb[limb - i] : 0;
        wide_add(&sum, &part);
    }
    return reduce(&sum, a.scale + b.scale, a.negative != b.negative, ret);
}

static void
strip_zeros(u128 *m, int *scale)
{
    while (*scale > 0 && *m % 10 == 0) {
        *m /= 10;
        --*scale;
    }
}

enum decimal_status
decimal_divide(struct decimal a, struct decimal b, struct decimal *ret)
{
    u128 divisor = mantissa(b), quotient, rest;
    int scale = a.scale - b.scale;
    bool is_scaled = false;

    if (!divisor)
        return DECIMAL_DIVIDE_BY_ZERO;
    quotient = mantissa(a) / divisor;
    rest = mantissa(a) % divisor;
    while (rest || scale < 0) {
        u128 next = quotient * 10 + rest * 10 / divisor; /* quotient <= 2^96: no wrap */
        if (scale == DECIMAL_SCALE_MAX || next > MANTISSA_MAX) {
            if (scale < 0)
                return DECIMAL_OVERFLOW;
            if (rest > divisor - rest || (rest == divisor - rest && (quotient & 1)))
                quotient++;
            if (quotient > MANTISSA_MAX) {
                if (scale == 0)
                    return DECIMAL_OVERFLOW;
                quotient = quotient / 10 + 1;
                scale--;
            }
            break;
        }
        is_scaled |= rest != 0;
        rest = rest * 10 % divisor;
        quotient = next;
        scale++;
    }
    if (is_scaled)
        strip_zeros(&quotient, &scale);
    *ret = make(quotient, (unsigned)scale, a.negative != b.negative);
    return DECIMAL_OK;
}

enum decimal_status
decimal_remainder(struct decimal a, struct decimal b, struct decimal *ret)
{
    unsigned scale = MAX(a.scale, b.scale);
    struct wide x, y;
    struct wide steps[200];
    int n = 0;

    if (!mantissa(b))
        return DECIMAL_DIVIDE_BY_ZERO;
    x = wide_scaled(a, scale);
    y = wide_scaled(b, scale);
    if (wide_compare(&x, &y) < 0) {
        *ret = a;
        return DECIMAL_OK;
    }
    /* Binary long division: y, 2y, 4y ... up to x, then down again. x / y < 2^(96 + 94). */
    if (wide_fits(&x) && wide_fits(&y)) {
        *ret = make(wide_low(&x) % wide_low(&y), scale, a.negative);
        return DECIMAL_OK;
    }
    for (;;) {
        struct wide top = y;
        for (n = 0; n < (int)COUNTOF(steps) && wide_compare(&top, &x) <= 0; n++) {
            steps[n] = top;
            wide_add(&top, &top);
        }
        if (n == 0)
            break;
        while (n-- > 0)
            if (wide_compare(&steps[n], &x) <= 0)
                wide_subtract(&x, &steps[n]);
    }
    return reduce(&x, (int)scale, a.negative, ret);
}

struct decimal
decimal_negate(struct decimal d)
{
    d.negative = !d.negative;
    return d;
}

/* Whether the mantissa goes up by one when `last` (0-9, with `sticky` below it) is dropped. */
static bool
rounds_up(u128 m, unsigned last, bool sticky, bool negative, enum decimal_rounding how)
{
    switch (how) {
    case ROUND_TO_EVEN: return last > 5 || (last == 5 && (sticky || (m & 1)));
    case ROUND_AWAY_FROM_ZERO: return last >= 5;
    case ROUND_TO_ZERO: return false;
    case ROUND_TO_NEGATIVE: return negative && (last || sticky);
    case ROUND_TO_POSITIVE: return !negative && (last || sticky);
    }
    UNREACHABLE();
}

struct decimal
decimal_round(struct decimal d, unsigned digits, enum decimal_rounding how)
{
    u128 m = mantissa(d);
    unsigned last = 0, scale = d.scale;
    bool sticky = false;

    if (scale <= digits)
        return d;
    for (; scale > digits; scale--) {
        sticky |= last != 0;
        last = (unsigned)(m % 10);
        m /= 10;
    }
    return make(m + rounds_up(m, last, sticky, d.negative, how), scale, d.negative);
}

struct decimal
decimal_truncate(struct decimal d)
{
    return decimal_round(d, 0, ROUND_TO_ZERO);
}

bool
decimal_is_zero(struct decimal d)
{
    return !d.lo && !d.hi;
}

int
decimal_compare(struct decimal a, struct decimal b)
{
    bool zero_a = decimal_is_zero(a), zero_b = decimal_is_zero(b);
    unsigned scale = MAX(a.scale, b.scale);
    struct wide x, y;
    int order;

    if (zero_a || zero_b)
        return zero_a ? (zero_b ? 0 : b.negative ? 1 : -1) : a.negative ? -1 : 1;
    if (a.negative != b.negative)
        return a.negative ? -1 : 1;
    x = wide_scaled(a, scale);
    y = wide_scaled(b, scale);
    order = wide_compare(&x, &y);
    return a.negative ? -order : order;
}

uint64_t
decimal_hash(struct decimal d)
{
    u128 m = mantissa(d);
    int scale = d.scale;

    strip_zeros(&m, &scale);
    return (uint64_t)m * 0x9e3779b97f4a7c15u ^ (uint64_t)(m >> 64) ^ (uint64_t)scale << 40 ^
           (m ? (uint64_t)d.negative << 60 : 0);
}

double
decimal_to_double(struct decimal d)
{
    double m = (double)d.lo + (double)d.hi * 18446744073709551616.0;

    m /= pow(10, d.scale);
    return d.negative ? -m : m;
}

bool
decimal_to_u64(struct decimal d, uint64_t *ret)
{
    struct decimal whole = decimal_truncate(d);

    if (whole.hi || (whole.negative && whole.lo))
        return false;
    *ret = whole.lo;
    return true;
}

bool
decimal_to_i64(struct decimal d, int64_t *ret)
{
    struct decimal whole = decimal_truncate(d);

    if (whole.hi || whole.lo > (uint64_t)INT64_MAX + whole.negative)
        return false;
    *ret = whole.negative ? (int64_t)-whole.lo : (int64_t)whole.lo;
    return true;
}

size_t
decimal_digits(struct decimal d, char digits[30])
{
    char reversed[30];
    size_t n = 0;

    for (u128 m = mantissa(d); m; m /= 10)
        reversed[n++] = (char)('0' + (unsigned)(m % 10));
    for (size_t i = 0; i < n; i++)
        digits[i] = reversed[n - 1 - i];
    digits[n] = '\0';
    return n;
}

size_t
decimal_to_text(struct decimal d, char text[DECIMAL_TEXT_MAX])
{
    char digits[30];
    size_t n = decimal_digits(d, digits), len = 0, whole;

    if (d.negative && n)
        text[len++] = '-';
    whole = n > d.scale ? n - d.scale : 0;
    if (whole == 0)
        text[len++] = '0';
    memcpy(text + len, digits, whole);
    len += whole;
    if (d.scale) {
        text[len++] = '.';
        for (size_t zeros = d.scale > n ? d.scale - n : 0; zeros; zeros--)
            text[len++] = '0';
        memcpy(text + len, digits + whole, n - whole);
        len += n - whole;
    }
    text[len] = '\0';
    return len;
}
