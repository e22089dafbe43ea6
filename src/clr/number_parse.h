/* number_parse.h: numbers from text as .NET's Parse reads them, invariant culture.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"
#include "data/decimal.h"

enum number_status { NUMBER_OK, NUMBER_FORMAT, NUMBER_OVERFLOW };

/* System.Globalization.NumberStyles, same bits. */
enum number_style {
    STYLE_LEADING_WHITE = 1, STYLE_TRAILING_WHITE = 2, STYLE_LEADING_SIGN = 4, STYLE_TRAILING_SIGN = 8,
    STYLE_PARENTHESES = 16, STYLE_POINT = 32, STYLE_THOUSANDS = 64, STYLE_EXPONENT = 128, STYLE_CURRENCY = 256,
    STYLE_HEX = 512,
    STYLE_USUAL = 1 << 30,            /* what Parse(text) takes: depends on the type */
    STYLE_INTEGER = 7, STYLE_NUMBER = 111, STYLE_FLOAT = 167, STYLE_FLOAT_THOUSANDS = 231, STYLE_HEX_NUMBER = 515,
};

/* Within [min, max]; hexadecimal text is read as the bits of a number of `bits` width. */
enum number_status number_parse_i64(struct str text, unsigned style, int64_t min, int64_t max, int64_t *ret);
enum number_status number_parse_u64(struct str text, unsigned style, uint64_t max, uint64_t *ret);
enum number_status number_parse_double(struct str text, unsigned style, double *ret);
enum number_status number_parse_float(struct str text, unsigned style, float *ret);
enum number_status number_parse_decimal(struct str text, unsigned style, struct decimal *ret);
