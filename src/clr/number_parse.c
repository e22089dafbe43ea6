/* number_parse.c: numbers from text as .NET's Parse reads them: one scanner for all types, which checks the shape by style and
 * leaves the digits; each type then makes its value of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/number_parse.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DIGITS_MAX 800 /* more cannot change a double; of what follows only "not zero" counts */

struct scanned {
    bool negative;
    int64_t point;                    /* digits before the point, exponent included */
    uint32_t n;                       /* without leading zeros; trailing ones kept (decimals show them) */
    char digits[DIGITS_MAX + 1];
};

static bool
is_white(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Digits, thousands separators and point. False when there is no digit. */
static bool
scan_digits(struct str s, size_t *at, unsigned style, struct scanned *ret)
{
    bool any = false, behind = false;

    for (; *at < s.len; ++*at) {
        char c = s.p[*at];
        if (ascii_is_digit(c)) {
            any = true;
            if (!behind && (ret->n || c != '0'))
                ret->point++;
            if (ret->n || c != '0' || behind) {
                if (ret->n < DIGITS_MAX)
                    ret->digits[ret->n++] = c;
                else if (c != '0')
                    ret->digits[DIGITS_MAX - 1] |= 1; /* keeps a tie from being one */
            }
        } else if (c == '.' && (style & STYLE_POINT) && !behind) {
            behind = true;
        } else if (!(c == ',' && (style & STYLE_THOUSANDS) && any && !behind)) {
            break;
        }
    }
    return any;
}

static void
scan_exponent(struct str s, size_t *at, struct scanned *ret)
{
    size_t i = *at + 1;
    bool negative = false;
    int64_t exponent = 0;

    if (i < s.len && (s.p[i] == '+' || s.p[i] == '-'))
        negative = s.p[i++] == '-';
    if (i >= s.len || !ascii_is_digit(s.p[i]))
        return;
    for (; i < s.len && ascii_is_digit(s.p[i]); i++)
        exponent = exponent > 99999 ? exponent : exponent * 10 + (s.p[i] - '0');
    ret->point += negative ? -exponent : exponent;
    *at = i;
}

static bool
scan(struct str s, unsigned style, struct scanned *ret)
{
    size_t at = 0;
    bool has_sign = false, in_parentheses = false;

    ret->negative = false;
    ret->point = 0;
    ret->n = 0;
    for (; at < s.len; at++) {
        char c = s.p[at];
        if (is_white(c) && (style & STYLE_LEADING_WHITE) && !has_sign)
            continue;
        if (!has_sign && (c == '-' || c == '+') && (style & STYLE_LEADING_SIGN)) {
            ret->negative = c == '-';
            has_sign = true;
        } else if (!has_sign && c == '(' && (style & STYLE_PARENTHESES)) {
            ret->negative = in_parentheses = has_sign = true;
        } else {
            break;
        }
    }
    if (!scan_digits(s, &at, style, ret))
        return false;
    if (at < s.len && ascii_lower(s.p[at]) == 'e' && (style & STYLE_EXPONENT))
        scan_exponent(s, &at, ret);
    for (; at < s.len; at++) {
        char c = s.p[at];
        if (is_white(c) && (style & STYLE_TRAILING_WHITE))
            continue;
        if (!has_sign && (c == '-' || c == '+') && (style & STYLE_TRAILING_SIGN)) {
            ret->negative = c == '-';
            has_sign = true;
        } else if (in_parentheses && c == ')') {
            in_parentheses = false;
        } else if (c != '\0') {
            return false;
        }
    }
    return !in_parentheses;
}

static enum number_status
parse_hex(struct str s, unsigned style, uint64_t max, uint64_t *ret)
{
    uint64_t n = 0;
    bool any = false;

    while ((style & STYLE_LEADING_WHITE) && s.len && is_white(s.p[0]))
        s = str_skip(s, 1);
    while ((style & STYLE_TRAILING_WHITE) && s.len && is_white(s.p[s.len - 1]))
        s.len--;
    for (size_t i = 0; i < s.len; i++) {
        int digit = ascii_hex_value(s.p[i]);
        if (digit < 0)
            return NUMBER_FORMAT;
        any = true;
        if (n > max >> 4)
            return NUMBER_OVERFLOW;
        n = n << 4 | (unsigned)digit;
    }
    if (any)
        *ret = n;
    return any ? NUMBER_OK : NUMBER_FORMAT;
}

/* The whole number in the digits; what stands behind the point must be zero. */
static enum number_status
whole(const struct scanned *d, uint64_t max, uint64_t *ret)
{
    uint64_t n = 0;

    for (int64_t i = 0; i < (int64_t)d->n && i < d->point; i++)
        if (__builtin_mul_overflow(n, (uint64_t)10, &n) || __builtin_add_overflow(n, (uint64_t)(d->digits[i] - '0'), &n))
            return NUMBER_OVERFLOW;
    for (int64_t i = MAX(d->point, (int64_t)0); i < (int64_t)d->n; i++)
        if (d->digits[i] != '0')
            return NUMBER_OVERFLOW;
    for (int64_t i = d->n; i < d->point && n; i++)
        if (__builtin_mul_overflow(n, (uint64_t)10, &n))
            return NUMBER_OVERFLOW;
    if (n > max)
        return NUMBER_OVERFLOW;
    *ret = n;
    return NUMBER_OK;
}

/* What nearly every number is: digits and perhaps a sign. */
static bool
parse_short(struct str s, int64_t *ret)
{
    size_t i = s.len && s.p[0] == '-';
    int64_t n = 0;

    if (s.len == i || s.len - i > 18)
        return false;
    for (bool negative = i > 0;; i++) {
        if (i == s.len) {
            *ret = negative ? -n : n;
            return true;
        }
        if (!ascii_is_digit(s.p[i]))
            return false;
        n = n * 10 + (s.p[i] - '0');
    }
}

enum number_status
number_parse_i64(struct str text, unsigned style, int64_t min, int64_t max, int64_t *ret)
{
    struct scanned d;
    uint64_t n = 0;
    int64_t value;
    enum number_status status;

    if (style & STYLE_HEX) { /* the bits of the type: FFFFFFFF is -1 */
        status = parse_hex(text, style, (uint64_t)max * 2 + 1, &n);
        if (status == NUMBER_OK)
            *ret = n > (uint64_t)max ? (int64_t)(n - (uint64_t)max * 2 - 2) : (int64_t)n;
        return status;
    }
    if ((style & STYLE_LEADING_SIGN) && parse_short(text, &value)) {
        if (value < min || value > max)
            return NUMBER_OVERFLOW;
        *ret = value;
        return NUMBER_OK;
    }
    if (!scan(text, style, &d))
        return NUMBER_FORMAT;
    status = whole(&d, d.negative ? -(uint64_t)min : (uint64_t)max, &n);
    if (status == NUMBER_OK)
        *ret = d.negative ? (int64_t)-n : (int64_t)n;
    return status;
}

enum number_status
number_parse_u64(struct str text, unsigned style, uint64_t max, uint64_t *ret)
{
    struct scanned d;
    uint64_t n = 0;
    enum number_status status;

    if (style & STYLE_HEX)
        return parse_hex(text, style, max, ret);
    if (!scan(text, style, &d))
        return NUMBER_FORMAT;
    status = whole(&d, max, &n);
    if (status == NUMBER_OK && d.negative && n)
        return NUMBER_OVERFLOW;
    if (status == NUMBER_OK)
        *ret = n;
    return status;
}

static bool
parse_name(struct str text, double *ret)
{
    struct str s = text;

    while (s.len && is_white(s.p[0]))
        s = str_skip(s, 1);
    while (s.len && is_white(s.p[s.len - 1]))
        s.len--;
    if (str_eq_nocase(s, STR("NaN")) || str_eq_nocase(s, STR("-NaN")) || str_eq_nocase(s, STR("+NaN")))
        *ret = NAN;
    else if (str_eq_nocase(s, STR("Infinity")) || str_eq_nocase(s, STR("+Infinity")))
        *ret = INFINITY;
    else if (str_eq_nocase(s, STR("-Infinity")))
        *ret = -INFINITY;
    else
        return false;
    return true;
}

/* The digits as text for the C library, which rounds correctly. */
static bool
scan_floating(struct str text, unsigned style, char plain[DIGITS_MAX + 40], bool *negative)
{
    struct scanned d;

    if (!scan(text, style, &d))
        return false;
    *negative = d.negative;
    int n = sprintf(plain, "0.%.*s", (int)d.n, d.digits);
    sprintf(plain + n, "e%" PRId64, d.n ? d.point : (int64_t)0);
    return true;
}

enum number_status
number_parse_double(struct str text, unsigned style, double *ret)
{
    char plain[DIGITS_MAX + 40];
    bool negative;

    if (!scan_floating(text, style, plain, &negative))
        return parse_name(text, ret) ? NUMBER_OK : NUMBER_FORMAT;
    *ret = strtod(plain, NULL);
    if (negative)
        *ret = -*ret;
    return NUMBER_OK;
}

enum number_status
number_parse_float(struct str text, unsigned style, float *ret)
{
    char plain[DIGITS_MAX + 40];
    bool negative;
    double named;

    if (!scan_floating(text, style, plain, &negative)) {
        if (!parse_name(text, &named))
            return NUMBER_FORMAT;
        *ret = (float)named;
        return NUMBER_OK;
    }
    *ret = strtof(plain, NULL);
    if (negative)
        *ret = -*ret;
    return NUMBER_OK;
}

enum number_status
number_parse_decimal(struct str text, unsigned style, struct decimal *ret)
{
    struct scanned d;
    bool any = false;

    if (!scan(text, style, &d))
        return NUMBER_FORMAT;
    if (d.point > 40 && d.n)
        return NUMBER_OVERFLOW;
    for (uint32_t i = 0; i < d.n && !any; i++)
        any = d.digits[i] != '0';
    if (!any && d.point - (int64_t)d.n < -DECIMAL_SCALE_MAX) {
        *ret = (struct decimal){.scale = DECIMAL_SCALE_MAX};
        return NUMBER_OK;
    }
    if (decimal_from_digits(d.digits, d.n, (int)MAX(d.point, (int64_t)-100), d.negative && any, ret) != DECIMAL_OK)
        return NUMBER_OVERFLOW;
    return NUMBER_OK;
}
