/* decimal.h: .NET's System.Decimal: a sign, 96 bits and a power of ten; sums, products and quotients are exact or rounded
 * half to even at the last digit that fits, and trailing zeros are kept as .NET keeps them.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/base.h"
#include "base/str.h"

#define DECIMAL_SCALE_MAX 28
#define DECIMAL_TEXT_MAX 40           /* sign, 29 digits, point, leading "0." and NUL */

/* (-1)^negative * (hi * 2^64 + lo) / 10^scale. 16 bytes; fits a value slot. */
struct decimal {
    uint64_t lo;
    uint32_t hi;
    uint8_t scale;                    /* 0-28 */
    uint8_t negative;                 /* 0 or 1; zero may be negative, and compares equal to zero */
    uint16_t unused;                  /* 0 */
};
_Static_assert(sizeof(struct decimal) == 16, "a decimal fills one value slot");

enum decimal_status { DECIMAL_OK, DECIMAL_OVERFLOW, DECIMAL_DIVIDE_BY_ZERO };

/* .NET's MidpointRounding, same numbers. */
enum decimal_rounding { ROUND_TO_EVEN, ROUND_AWAY_FROM_ZERO, ROUND_TO_ZERO, ROUND_TO_NEGATIVE, ROUND_TO_POSITIVE };

struct decimal decimal_from_i64(int64_t n);
struct decimal decimal_from_u64(uint64_t n);
/* Rounds to 15 significant digits (7 for a float), as .NET's conversions do. */
enum decimal_status decimal_from_double(double d, struct decimal *ret);
enum decimal_status decimal_from_float(float f, struct decimal *ret);
/* Digits with an optional sign and point ("-12.340"), as literals have them; digits that do not fit are rounded half to even.
 * False for other text; *ret_status tells an overflow. */
bool decimal_parse_plain(struct str text, struct decimal *ret, enum decimal_status *ret_status);
/* From digits d1 d2 ... dn (characters) with the point after the first `point` of them; point may be negative or > n. */
enum decimal_status decimal_from_digits(const char *digits, size_t n, int point, bool negative, struct decimal *ret);

enum decimal_status decimal_add(struct decimal a, struct decimal b, struct decimal *ret);
enum decimal_status decimal_subtract(struct decimal a, struct decimal b, struct decimal *ret);
enum decimal_status decimal_multiply(struct decimal a, struct decimal b, struct decimal *ret);
enum decimal_status decimal_divide(struct decimal a, struct decimal b, struct decimal *ret);
/* The sign is the dividend's. */
enum decimal_status decimal_remainder(struct decimal a, struct decimal b, struct decimal *ret);
struct decimal decimal_negate(struct decimal d);
/* To 0-28 fraction digits; a smaller scale stays. */
struct decimal decimal_round(struct decimal d, unsigned digits, enum decimal_rounding how);
struct decimal decimal_truncate(struct decimal d);

/* <0, 0, >0 */
int decimal_compare(struct decimal a, struct decimal b);
bool decimal_is_zero(struct decimal d);
/* Equal values have equal hashes, whatever their scale. */
uint64_t decimal_hash(struct decimal d);

double decimal_to_double(struct decimal d);
/* Towards zero; false when it does not fit. */
bool decimal_to_i64(struct decimal d, int64_t *ret);
bool decimal_to_u64(struct decimal d, uint64_t *ret);
/* All significant digits, without sign, without leading zeros ("" for zero); returns how many (at most 29). */
size_t decimal_digits(struct decimal d, char digits[30]);
/* As ToString(): "-12.340". Returns the length; NUL added. */
size_t decimal_to_text(struct decimal d, char text[DECIMAL_TEXT_MAX]);
