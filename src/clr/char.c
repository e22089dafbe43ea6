/* char.c: System.Char: one UTF-16 unit.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "clr/families.h"
#include "clr/numbers.h"
#include "clr/text.h"

static bool
unit_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    char room[4];

    *ret = string_new(c, str_from(room, utf8_put(room, (uint32_t)v.i64)));
    return *ret != NULL;
}

static bool
compare_units(struct call *c, const struct type *type, struct value a, struct value b, int *ret)
{
    *ret = (int)(a.i64 - b.i64);
    return true;
}

static const struct type_hooks char_hooks = {.to_string = unit_to_string, .compare = compare_units};

static bool
is_surrogate_unit(uint32_t u)
{
    return u >= 0xd800 && u < 0xe000;
}

static bool is_letter_or_digit_unit(uint32_t u) { return text_is_letter(u) || text_is_digit(u); }
static bool is_high_unit(uint32_t u) { return u >= 0xd800 && u < 0xdc00; }
static bool is_low_unit(uint32_t u) { return u >= 0xdc00 && u < 0xe000; }

/* The unit meant by (char) or (string, int); -1 after throwing. */
static int
unit_argument(struct call *c)
{
    struct string *s;
    int64_t i;

    if (c->n_args == 1)
        return (int)c->args[0].i64;
    if (!(s = call_string(c, 0))) {
        throw_argument_null(c, "s");
        return -1;
    }
    i = call_i32(c, 1);
    if (i < 0 || i >= s->units) {
        throw_argument_range(c, "index", "Index was out of range. Must be non-negative and less than the size of the collection.");
        return -1;
    }
    return string_unit(c, s, (uint32_t)i);
}

#define KIND_OF(name, test) \
    static bool name(struct call *c) \
    { \
        int unit = unit_argument(c); \
        return unit >= 0 && return_bool(c, test((uint32_t)unit)); \
    }
KIND_OF(is_letter, text_is_letter)
KIND_OF(is_digit, text_is_digit)
KIND_OF(is_letter_or_digit, is_letter_or_digit_unit)
KIND_OF(is_number, text_is_number)
KIND_OF(is_upper, text_is_upper)
KIND_OF(is_lower, text_is_lower)
KIND_OF(is_white, text_is_white)
KIND_OF(is_punctuation, text_is_punctuation)
KIND_OF(is_symbol, text_is_symbol)
KIND_OF(is_control, text_is_control)
KIND_OF(is_separator, text_is_separator)
KIND_OF(is_surrogate, is_surrogate_unit)
KIND_OF(is_high_surrogate, is_high_unit)
KIND_OF(is_low_surrogate, is_low_unit)

static bool to_upper(struct call *c) { return return_i64(c, (uint16_t)text_upper((uint32_t)c->args[0].i64)); }
static bool to_lower(struct call *c) { return return_i64(c, (uint16_t)text_lower((uint32_t)c->args[0].i64)); }

static bool
to_string(struct call *c)
{
    struct string *s;

    return unit_to_string(c, NULL, c->args[0], STR_NONE, &s) && return_ref(c, s);
}

static bool
is_surrogate_pair(struct call *c)
{
    return return_bool(c, is_high_unit((uint32_t)c->args[0].i64) && is_low_unit((uint32_t)c->args[1].i64));
}

static bool
get_category(struct call *c)
{
    int unit = unit_argument(c);

    return unit >= 0 && return_i64(c, unicode_category((uint32_t)unit));
}

static bool
is_surrogate_pair_at(struct call *c)
{
    struct string *s = call_string(c, 0);
    int64_t i = call_i32(c, 1);

    if (unit_argument(c) < 0)
        return false;
    return return_bool(c, i + 1 < s->units && is_high_unit((uint32_t)string_unit(c, s, (uint32_t)i)) &&
                              is_low_unit((uint32_t)string_unit(c, s, (uint32_t)i + 1)));
}

static bool
numeric_value(struct call *c)
{
    int unit = unit_argument(c);

    if (unit < 0)
        return false;
    if (unit < 128)
        return return_f64(c, ascii_is_digit((char)unit) ? unit - '0' : -1);
    if (unit == 0xbc || unit == 0xbd || unit == 0xbe)
        return return_f64(c, (unit - 0xbb) * 0.25);
    if (text_is_digit((uint32_t)unit)) { /* blocks of ten begin where the one before is no digit of it */
        int value = 0;
        while (value < 9 && text_is_digit((uint32_t)(unit - value - 1)))
            value++;
        return return_f64(c, value);
    }
    return return_f64(c, -1);
}

static bool
convert_from_utf32(struct call *c)
{
    char room[4];
    int64_t code_point = c->args[0].i64;

    if (code_point < 0 || code_point > 0x10ffff || (code_point >= 0xd800 && code_point < 0xe000))
        return throw_argument_range(c, "utf32",
                                    "A valid UTF32 value is between 0x000000 and 0x10ffff, inclusive, and should not include "
                                    "surrogate codepoint values (0x00d800 ~ 0x00dfff).");
    return return_new(c, string_new(c, str_from(room, utf8_put(room, (uint32_t)code_point))));
}

static bool
convert_to_utf32(struct call *c)
{
    int64_t high = c->args[0].i64, low = c->args[1].i64;

    if (!is_high_unit((uint32_t)high))
        return throw_argument_range(c, "highSurrogate", "A valid high surrogate character is between 0xd800 and 0xdbff, inclusive.");
    if (!is_low_unit((uint32_t)low))
        return throw_argument_range(c, "lowSurrogate", "A valid low surrogate character is between 0xdc00 and 0xdfff, inclusive.");
    return return_i64(c, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
}

/* At a high surrogate the pair's code point, at any other unit that is no surrogate the unit. */
static bool
convert_to_utf32_at(struct call *c)
{
    struct string *s = call_string(c, 0);
    int unit = unit_argument(c), next;
    int64_t i;

    if (unit < 0)
        return false;
    i = call_i32(c, 1);
    if (!is_surrogate_unit((uint32_t)unit))
        return return_i64(c, unit);
    next = is_high_unit((uint32_t)unit) && i + 1 < s->units ? string_unit(c, s, (uint32_t)i + 1) : 0;
    if (!is_low_unit((uint32_t)next))
        return throw_argument(c, "s", "Found a %s surrogate char without a %s surrogate at index: %" PRId64 ". The input may not be "
                              "in this encoding, or may not contain valid Unicode (UTF-16) characters.",
                              is_high_unit((uint32_t)unit) ? "high" : "low", is_high_unit((uint32_t)unit) ? "following low" : "preceding high", i);
    return return_i64(c, 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00));
}

static bool
parse(struct call *c)
{
    struct string *s = call_string(c, 0);

    if (!s)
        return throw_argument_null(c, "s");
    if (s->units != 1)
        return call_throw(c, EXC_FORMAT, "String must be exactly one character long.");
    return return_i64(c, string_unit(c, s, 0));
}

static bool
try_parse(struct call *c)
{
    struct string *s = call_string(c, 0);
    bool ok = s && s->units == 1;

    c->args[1] = value_i64(ok ? string_unit(c, s, 0) : 0);
    return return_bool(c, ok);
}

static bool
equals(struct call *c)
{
    return return_bool(c, c->args[0].i64 == c->args[1].i64);
}

static bool
compare_to(struct call *c)
{
    return return_i64(c, c->args[0].i64 - c->args[1].i64);
}

static bool
equals_object(struct call *c)
{
    struct object *other = c->args[1].ref;

    return return_bool(c, other && other->type == c->owner && value_unbox(other).i64 == c->args[0].i64);
}

static bool
compare_to_object(struct call *c)
{
    struct object *other = c->args[1].ref;

    if (!other)
        return return_i64(c, 1);
    if (other->type != c->owner)
        return throw_argument(c, NULL, "Object must be of type Char.");
    return return_i64(c, c->args[0].i64 - value_unbox(other).i64);
}

static bool
get_type_code(struct call *c)
{
    return return_i64(c, CODE_CHAR);
}

#define KIND_ROWS(name, fn) M("Char", "static bool " name "(char c)", fn), M("Char", "static bool " name "(string s, int index)", fn)

static const struct type_row types[] = {
    HOOKS("System.Char", &char_hooks),
    ENUM("System.Globalization.UnicodeCategory",
         "UppercaseLetter = 0, LowercaseLetter = 1, TitlecaseLetter = 2, ModifierLetter = 3, OtherLetter = 4, NonSpacingMark = 5, "
         "SpacingCombiningMark = 6, EnclosingMark = 7, DecimalDigitNumber = 8, LetterNumber = 9, OtherNumber = 10, SpaceSeparator = 11, "
         "LineSeparator = 12, ParagraphSeparator = 13, Control = 14, Format = 15, Surrogate = 16, PrivateUse = 17, "
         "ConnectorPunctuation = 18, DashPunctuation = 19, OpenPunctuation = 20, ClosePunctuation = 21, InitialQuotePunctuation = 22, "
         "FinalQuotePunctuation = 23, OtherPunctuation = 24, MathSymbol = 25, CurrencySymbol = 26, ModifierSymbol = 27, "
         "OtherSymbol = 28, OtherNotAssigned = 29"),
};

static const struct member_row members[] = {
    CONSTANT("Char", "const char MaxValue = '\\uffff'"),
    CONSTANT("Char", "const char MinValue = '\\0'"),
    KIND_ROWS("IsLetter", is_letter),
    KIND_ROWS("IsDigit", is_digit),
    KIND_ROWS("IsLetterOrDigit", is_letter_or_digit),
    KIND_ROWS("IsNumber", is_number),
    KIND_ROWS("IsUpper", is_upper),
    KIND_ROWS("IsLower", is_lower),
    KIND_ROWS("IsWhiteSpace", is_white),
    KIND_ROWS("IsPunctuation", is_punctuation),
    KIND_ROWS("IsSymbol", is_symbol),
    KIND_ROWS("IsControl", is_control),
    KIND_ROWS("IsSeparator", is_separator),
    KIND_ROWS("IsSurrogate", is_surrogate),
    KIND_ROWS("IsHighSurrogate", is_high_surrogate),
    KIND_ROWS("IsLowSurrogate", is_low_surrogate),
    M("Char", "static bool IsSurrogatePair(char highSurrogate, char lowSurrogate)", is_surrogate_pair),
    M("Char", "static bool IsSurrogatePair(string s, int index)", is_surrogate_pair_at),
    M("Char", "static char ToUpper(char c)", to_upper),
    M("Char", "static char ToUpperInvariant(char c)", to_upper),
    M("Char", "static char ToLower(char c)", to_lower),
    M("Char", "static char ToLowerInvariant(char c)", to_lower),
    M("Char", "static char ToUpper(char c, CultureInfo culture)", to_upper),
    M("Char", "static char ToLower(char c, CultureInfo culture)", to_lower),
    M("Char", "TypeCode GetTypeCode()", get_type_code),
    M("Char", "string ToString()", to_string),
    M("Char", "string ToString(IFormatProvider provider)", to_string),
    M("Char", "static string ToString(char c)", to_string),
    M("Char", "static double GetNumericValue(char c)", numeric_value),
    M("Char", "static double GetNumericValue(string s, int index)", numeric_value),
    M("Char", "static string ConvertFromUtf32(int utf32)", convert_from_utf32),
    M("Char", "static int ConvertToUtf32(char highSurrogate, char lowSurrogate)", convert_to_utf32),
    M("Char", "static int ConvertToUtf32(string s, int index)", convert_to_utf32_at),
    M("Char", "static char Parse(string s)", parse),
    M("Char", "static bool TryParse(string s, out char result)", try_parse),
    M("Char", "bool Equals(char obj)", equals),
    M("Char", "bool Equals(object obj)", equals_object),
    M("Char", "int CompareTo(char value)", compare_to),
    M("Char", "int CompareTo(object value)", compare_to_object),
    M("Char", "static UnicodeCategory GetUnicodeCategory(char c)", get_category),
    M("Char", "static UnicodeCategory GetUnicodeCategory(string s, int index)", get_category),
};

const struct library clr_char = LIBRARY("char", types, members);
