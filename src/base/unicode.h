/* unicode.h: general categories of UTF-16 units, as .NET knows them (Unicode 8), and the C library's tables of case.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <locale.h>
#include <stdint.h>

/* Same numbers as System.Globalization.UnicodeCategory. */
enum unicode_category {
    CATEGORY_UPPERCASE_LETTER, CATEGORY_LOWERCASE_LETTER, CATEGORY_TITLECASE_LETTER, CATEGORY_MODIFIER_LETTER,
    CATEGORY_OTHER_LETTER, CATEGORY_NON_SPACING_MARK, CATEGORY_SPACING_MARK, CATEGORY_ENCLOSING_MARK, CATEGORY_DECIMAL_DIGIT,
    CATEGORY_LETTER_NUMBER, CATEGORY_OTHER_NUMBER, CATEGORY_SPACE_SEPARATOR, CATEGORY_LINE_SEPARATOR,
    CATEGORY_PARAGRAPH_SEPARATOR, CATEGORY_CONTROL, CATEGORY_FORMAT, CATEGORY_SURROGATE, CATEGORY_PRIVATE_USE,
    CATEGORY_CONNECTOR_PUNCTUATION, CATEGORY_DASH_PUNCTUATION, CATEGORY_OPEN_PUNCTUATION, CATEGORY_CLOSE_PUNCTUATION,
    CATEGORY_INITIAL_QUOTE, CATEGORY_FINAL_QUOTE, CATEGORY_OTHER_PUNCTUATION, CATEGORY_MATH_SYMBOL, CATEGORY_CURRENCY_SYMBOL,
    CATEGORY_MODIFIER_SYMBOL, CATEGORY_OTHER_SYMBOL, CATEGORY_UNASSIGNED,
};

/* Unassigned beyond U+FFFF. */
enum unicode_category unicode_category(uint32_t c);
/* The C library's Unicode tables for the functions of <wctype.h> that take a locale, independent of the process's own locale. Made by
 * the first call, never freed; may be called by every thread. */
locale_t unicode_locale(void);
