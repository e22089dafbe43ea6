/* double_text.h: the digits of binary floating point numbers: the fewest that read back as the same number, or as many as asked.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/base.h"

/* Room for every exact digit of a double and a terminating NUL. */
#define DOUBLE_DIGITS_MAX 1100

/* 0.d1d2d3... * 10^point; n == 0 is zero. No sign. */
struct double_digits {
    int point;
    uint32_t n;
    char digits[DOUBLE_DIGITS_MAX];
};

/* d finite; its sign is ignored. */
void double_digits_shortest(double d, struct double_digits *ret);
void double_digits_shortest_float(float f, struct double_digits *ret);
/* Rounded to `significant` digits (1-...), halves away from zero. Trailing zeros are dropped. */
void double_digits_significant(double d, int significant, struct double_digits *ret);

#define DOUBLE_TEXT_MAX 32
/* As .NET's invariant ToString(), so -0 is 0: 1, 0.1, 1E+20, 1E-05, NaN, -Infinity. Returns the length; NUL added. */
size_t double_to_text(double d, char text[DOUBLE_TEXT_MAX]);
size_t float_to_text(float f, char text[DOUBLE_TEXT_MAX]);
