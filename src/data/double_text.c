/* double_text.c: digits by the C library's exact conversions, with shortcuts for the numbers people write.
 *
 * Shortest form: 15 digits that read back are, less trailing zeros, the shortest, since no two decimals of 15 digits share a
 * double; else 16, else 17. Numbers below the normal range are tried from one digit up. A decimal with few fraction digits is
 * found without the C library: when d * 10^k is whole and divides back to d, those are the digits.
 * Halves: an exact tie at p fraction digits means that d * 2^(p+1) is an odd whole number; only then is the C library's
 * half-to-even replaced.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/double_text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
strip_zeros(struct double_digits *d)
{
    while (d->n && d->digits[d->n - 1] == '0')
        d->n--;
    if (!d->n)
        d->point = 0;
    d->digits[d->n] = '\0';
}

static void
from_u64(uint64_t n, int point_shift, struct double_digits *ret)
{
    char reversed[20];
    uint32_t len = 0;

    for (; n; n /= 10)
        reversed[len++] = (char)('0' + n % 10);
    for (uint32_t i = 0; i < len; i++)
        ret->digits[i] = reversed[len - 1 - i];
    ret->n = len;
    ret->point = (int)len - point_shift;
    strip_zeros(ret);
}

/* "d.ddde+xx" of printf into digits. */
static void
from_scientific(const char *text, struct double_digits *ret)
{
    const char *p = text;

    ret->n = 0;
    for (; *p != 'e'; p++)
        if (*p != '.')
            ret->digits[ret->n++] = *p;
    ret->point = atoi(p + 1) + 1;
    strip_zeros(ret);
}

static bool
few_fraction_digits(double d, struct double_digits *ret)
{
    static const double powers[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};

    for (int k = 0; k < (int)COUNTOF(powers); k++) {
        double scaled = d * powers[k];
        if (scaled >= 1e15)
            return false;
        if (scaled == floor(scaled) && scaled / powers[k] == d) {
            from_u64((uint64_t)scaled, k, ret);
            return true;
        }
    }
    return false;
}

void
double_digits_shortest(double d, struct double_digits *ret)
{
    char text[40];
    int from;

    d = fabs(d);
    if (d == 0) {
        *ret = (struct double_digits){.n = 0};
        return;
    }
    if (few_fraction_digits(d, ret))
        return;
    from = d < DBL_MIN ? 1 : 15;
    for (int significant = from; significant <= 17; significant++) {
        snprintf(text, sizeof(text), "%.*e", significant - 1, d);
        if (significant == 17 || strtod(text, NULL) == d)
            break;
    }
    from_scientific(text, ret);
}

void
double_digits_shortest_float(float f, struct double_digits *ret)
{
    char text[40];
    int from;

    f = fabsf(f);
    if (f == 0) {
        *ret = (struct double_digits){.n = 0};
        return;
    }
    from = f < FLT_MIN ? 1 : 6;
    for (int significant = from; significant <= 9; significant++) {
        snprintf(text, sizeof(text), "%.*e", significant - 1, (double)f);
        if (significant == 9 || strtof(text, NULL) == f)
            break;
    }
    from_scientific(text, ret);
}

/* Drops digits behind the first `keep`, halves away from zero. */
static void
round_digits(struct double_digits *d, int keep)
{
    if ((uint32_t)keep >= d->n) {
        strip_zeros(d);
        return;
    }
    bool up = d->digits[keep] >= '5';
    d->n = (uint32_t)keep;
    if (up) {
        while (d->n && d->digits[d->n - 1] == '9')
            d->n--;
        if (d->n) {
            d->digits[d->n - 1]++;
        } else {
            d->digits[0] = '1';
            d->n = 1;
            d->point++;
        }
    }
    strip_zeros(d);
}

void
double_digits_significant(double d, int significant, struct double_digits *ret)
{
    char text[DOUBLE_DIGITS_MAX + 16];
    int exponent, fraction;

    d = fabs(d);
    if (d == 0) {
        *ret = (struct double_digits){.n = 0};
        return;
    }
    significant = MIN(MAX(significant, 1), DOUBLE_DIGITS_MAX - 330);
    snprintf(text, sizeof(text), "%.*e", significant - 1, d);
    exponent = atoi(strchr(text, 'e') + 1);
    fraction = significant - 1 - exponent;
    if (fraction < 0 && d < 1e22) { /* whole numbers below the last digit: exact as they stand */
        snprintf(text, sizeof(text), "%.0fe0", d);
        ret->n = 0;
        for (const char *p = text; *p != 'e'; p++)
            ret->digits[ret->n++] = *p;
        ret->point = (int)ret->n;
        if (d == floor(d)) {
            round_digits(ret, significant);
            return;
        }
        snprintf(text, sizeof(text), "%.*e", significant - 1, d);
    } else if (fraction >= 0 && fraction < 1074 && fmod(ldexp(d, fraction + 1), 2) == 1) {
        snprintf(text, sizeof(text), "%.*e", significant, d);
        from_scientific(text, ret);
        round_digits(ret, significant);
        return;
    }
    from_scientific(text, ret);
}

/* .NET's general form: scientific from 10^15 on and below 10^-5. */
static size_t
general(const struct double_digits *d, bool negative, int limit, char *text)
{
    size_t len = 0;
    uint32_t i = 0;

    if (negative)
        text[len++] = '-';
    if (!d->n) {
        text[len++] = '0';
    } else if (d->point > MAX(limit, (int)d->n) || d->point < -3) {
        text[len++] = d->digits[0];
        if (d->n > 1) {
            text[len++] = '.';
            memcpy(text + len, d->digits + 1, d->n - 1);
            len += d->n - 1;
        }
        len += (size_t)sprintf(text + len, "E%+03d", d->point - 1);
    } else {
        if (d->point <= 0)
            text[len++] = '0';
        for (int at = 0; at < d->point; at++)
            text[len++] = i < d->n ? d->digits[i++] : '0';
        if (i < d->n || d->point < 0) {
            text[len++] = '.';
            for (int zeros = d->point; zeros < 0; zeros++)
                text[len++] = '0';
            memcpy(text + len, d->digits + i, d->n - i);
            len += d->n - i;
        }
    }
    text[len] = '\0';
    return len;
}

static size_t
not_finite(double d, char *text)
{
    strcpy(text, isnan(d) ? "NaN" : d < 0 ? "-Infinity" : "Infinity");
    return strlen(text);
}

size_t
double_to_text(double d, char text[DOUBLE_TEXT_MAX])
{
    struct double_digits digits;

    if (!isfinite(d))
        return not_finite(d, text);
    double_digits_shortest(d, &digits);
    return general(&digits, d < 0, 15, text); /* -0 is 0 */
}

size_t
float_to_text(float f, char text[DOUBLE_TEXT_MAX])
{
    struct double_digits digits;

    if (!isfinite(f))
        return not_finite((double)f, text);
    double_digits_shortest_float(f, &digits);
    return general(&digits, f < 0, 7, text);
}
