/* string_search.c: what a System.String holds, and where.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "clr/families.h"
#include "clr/string_parts.h"
#include "clr/text.h"
#include "clr/values.h"

static bool
contains(struct call *c)
{
    struct string *s = call_string(c, 0), *value = call_string(c, 1);
    int64_t at;

    if (!value)
        return throw_argument_null(c, "value");
    if (c->n_args < 3)
        return return_bool(c, str_find(string_str(s), string_str(value), 0) >= 0);
    if (!check_comparison(c, 2))
        return false;
    at = text_index_of(c, s, value, 0, s->units, comparison(c, 2));
    return at != -2 && return_bool(c, at >= 0);
}

/* The string of one char. */
static struct string *
char_string(struct call *c, int64_t unit)
{
    char room[4];

    return string_new(c, char_text(room, unit));
}

/* First unit equal to `wanted` in [from, from + n), or last when backwards; -1, -2 out of budget. */
static int64_t
find_char(struct call *c, struct string *s, int64_t wanted, uint32_t from, uint32_t n, bool backwards)
{
    const char *hit;
    const uint16_t *units;

    if (string_is_ascii(s)) {
        if (wanted > 127 || n == 0)
            return -1;
        hit = backwards ? memrchr(s->p + from, (int)wanted, n) : memchr(s->p + from, (int)wanted, n);
        return hit ? hit - s->p : -1;
    }
    if (!(units = string_wide(c, s)) || !call_charge(c, n / 16))
        return -2;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = backwards ? from + n - 1 - i : from + i;
        if (units[at] == wanted)
            return at;
    }
    return -1;
}

static bool
contains_char(struct call *c)
{
    struct string *s = call_string(c, 0);
    int64_t at = find_char(c, s, c->args[1].i64, 0, s->units, false);

    return at != -2 && return_bool(c, at >= 0);
}

static bool
contains_char_how(struct call *c)
{
    struct string *s = call_string(c, 0), *value = char_string(c, c->args[1].i64);
    int64_t at;

    if (!value || !check_comparison(c, 2))
        return false;
    at = text_index_of(c, s, value, 0, s->units, comparison(c, 2));
    return at != -2 && return_bool(c, at >= 0);
}

static bool
starts_how(struct call *c, enum string_comparison how)
{
    if (!call_string(c, 1))
        return throw_argument_null(c, "value");
    return return_bool(c, text_starts_with(c, call_string(c, 0), call_string(c, 1), how));
}

static bool
ends_how(struct call *c, enum string_comparison how)
{
    if (!call_string(c, 1))
        return throw_argument_null(c, "value");
    return return_bool(c, text_ends_with(c, call_string(c, 0), call_string(c, 1), how));
}

static enum string_comparison
culture_case(const struct call *c)
{
    return call_bool(c, 2) ? INVARIANT_CULTURE_IGNORE_CASE : INVARIANT_CULTURE;
}

static bool
starts_with(struct call *c)
{
    if (c->n_args > 2 && !check_comparison(c, 2))
        return false;
    return starts_how(c, c->n_args > 2 ? comparison(c, 2) : CURRENT_CULTURE);
}

static bool
ends_with(struct call *c)
{
    if (c->n_args > 2 && !check_comparison(c, 2))
        return false;
    return ends_how(c, c->n_args > 2 ? comparison(c, 2) : CURRENT_CULTURE);
}

static bool starts_with_case(struct call *c) { return starts_how(c, culture_case(c)); }
static bool ends_with_case(struct call *c) { return ends_how(c, culture_case(c)); }

static bool
starts_with_char(struct call *c)
{
    struct string *s = call_string(c, 0);
    int unit = s->units ? string_unit(c, s, 0) : -1;

    return return_bool(c, unit >= 0 && unit == c->args[1].i64);
}

static bool
ends_with_char(struct call *c)
{
    struct string *s = call_string(c, 0);
    int unit = s->units ? string_unit(c, s, s->units - 1) : -1;

    return return_bool(c, unit >= 0 && unit == c->args[1].i64);
}

/* [from, from + n) of the arguments at i and i + 1, where given. False after throwing. */
static bool
forward_range(struct call *c, uint32_t i, uint32_t n_given, const struct string *s, uint32_t *ret_from, uint32_t *ret_n)
{
    int64_t from = n_given > 0 ? call_i32(c, i) : 0, n;

    if (from < 0 || from > s->units)
        return throw_argument_range(c, "startIndex", "Index was out of range. Must be non-negative and less than the size of the collection.");
    n = n_given > 1 ? call_i32(c, i + 1) : s->units - from;
    if (n < 0 || n > s->units - from)
        return throw_argument_range(c, "count", "Count must be positive and count must refer to a location within the string/array/collection.");
    *ret_from = (uint32_t)from;
    *ret_n = (uint32_t)n;
    return true;
}

/* The same for LastIndexOf: from `start` backwards, `count` units. A text may be looked for from just behind the end, a character not;
 * in an empty string no character's start is wrong. */
static bool
backward_range(struct call *c, uint32_t i, uint32_t n_given, const struct string *s, bool is_text, uint32_t *ret_from, uint32_t *ret_n)
{
    int64_t start = n_given > 0 ? call_i32(c, i) : (int64_t)s->units - 1, n = n_given > 1 ? call_i32(c, i + 1) : start + 1;

    if (s->units == 0 && (!is_text || start == -1 || start == 0)) {
        *ret_from = *ret_n = 0;
        return true;
    }
    if (start < (n_given ? 0 : -1) || start > (int64_t)s->units - !is_text)
        return throw_argument_range(c, "startIndex", "Index was out of range. Must be non-negative and less than the size of the collection.");
    if (start == s->units) {
        start--;
        n -= n > 0;
    }
    if (n < 0 || n > start + 1)
        return throw_argument_range(c, "count", "Count must be positive and count must refer to a location within the string/array/collection.");
    *ret_from = (uint32_t)(start + 1 - n);
    *ret_n = (uint32_t)n;
    return true;
}

static bool
index_of_char(struct call *c)
{
    struct string *s = call_string(c, 0);
    uint32_t from, n;
    int64_t at;

    if (!forward_range(c, 2, c->n_args - 2, s, &from, &n))
        return false;
    at = find_char(c, s, c->args[1].i64, from, n, false);
    return at != -2 && return_i64(c, at);
}

static bool
index_of_char_how(struct call *c)
{
    struct string *s = call_string(c, 0), *value = char_string(c, c->args[1].i64);
    int64_t at;

    if (!value || !check_comparison(c, 2))
        return false;
    at = text_index_of(c, s, value, 0, s->units, comparison(c, 2));
    return at != -2 && return_i64(c, at);
}

static bool
find_text(struct call *c, uint32_t n_given, enum string_comparison how, bool backwards)
{
    struct string *s = call_string(c, 0), *value = call_string(c, 1);
    uint32_t from, n;
    int64_t at;

    if (!value)
        return throw_argument_null(c, "value");
    if (backwards ? !backward_range(c, 2, n_given, s, true, &from, &n) : !forward_range(c, 2, n_given, s, &from, &n))
        return false;
    if (backwards && value->units == 0) /* "" is found at the start of the search, or before the end */
        return return_i64(c, s->units ? (int64_t)from + n - 1 : 0);
    at = backwards ? text_last_index_of(c, s, value, from, n, how) : text_index_of(c, s, value, from, n, how);
    return at != -2 && return_i64(c, at);
}

static bool
index_of(struct call *c)
{
    return find_text(c, c->n_args - 2, CURRENT_CULTURE, false);
}

static bool
index_of_how(struct call *c)
{
    return check_comparison(c, c->n_args - 1) && find_text(c, c->n_args - 3, comparison(c, c->n_args - 1), false);
}

static bool
last_index_of(struct call *c)
{
    return find_text(c, c->n_args - 2, CURRENT_CULTURE, true);
}

static bool
last_index_of_how(struct call *c)
{
    return check_comparison(c, c->n_args - 1) && find_text(c, c->n_args - 3, comparison(c, c->n_args - 1), true);
}

static bool
last_index_of_char(struct call *c)
{
    struct string *s = call_string(c, 0);
    uint32_t from, n;
    int64_t at;

    if (!backward_range(c, 2, c->n_args - 2, s, false, &from, &n))
        return false;
    at = find_char(c, s, c->args[1].i64, from, n, true);
    return at != -2 && return_i64(c, at);
}

static bool
find_any(struct call *c, bool backwards)
{
    struct string *s = call_string(c, 0);
    const struct array *any = (const struct array *)c->args[1].ref;
    uint32_t from, n;

    if (!any)
        return throw_argument_null(c, "anyOf");
    if (backwards ? !backward_range(c, 2, c->n_args - 2, s, false, &from, &n) : !forward_range(c, 2, c->n_args - 2, s, &from, &n))
        return false;
    if (!call_charge(c, n / 8))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = backwards ? from + n - 1 - i : from + i;
        int unit = string_unit(c, s, at);
        if (unit < 0)
            return false;
        if (is_one_of(any, unit))
            return return_i64(c, at);
    }
    return return_i64(c, -1);
}

static bool
index_of_any(struct call *c)
{
    return find_any(c, false);
}

static bool
last_index_of_any(struct call *c)
{
    return find_any(c, true);
}

static const struct member_row members[] = {
    M("String", "bool Contains(string value)", contains),
    M("String", "bool Contains(string value, StringComparison comparisonType)", contains),
    M("String", "bool Contains(char value)", contains_char),
    M("String", "bool Contains(char value, StringComparison comparisonType)", contains_char_how),
    M("String", "bool StartsWith(string value)", starts_with),
    M("String", "bool StartsWith(string value, StringComparison comparisonType)", starts_with),
    M("String", "bool StartsWith(string value, bool ignoreCase, CultureInfo culture)", starts_with_case),
    M("String", "bool StartsWith(char value)", starts_with_char),
    M("String", "bool EndsWith(string value)", ends_with),
    M("String", "bool EndsWith(string value, StringComparison comparisonType)", ends_with),
    M("String", "bool EndsWith(string value, bool ignoreCase, CultureInfo culture)", ends_with_case),
    M("String", "bool EndsWith(char value)", ends_with_char),
    M("String", "int IndexOf(char value)", index_of_char),
    M("String", "int IndexOf(char value, int startIndex)", index_of_char),
    M("String", "int IndexOf(char value, int startIndex, int count)", index_of_char),
    M("String", "int IndexOf(char value, StringComparison comparisonType)", index_of_char_how),
    M("String", "int IndexOf(string value)", index_of),
    M("String", "int IndexOf(string value, int startIndex)", index_of),
    M("String", "int IndexOf(string value, int startIndex, int count)", index_of),
    M("String", "int IndexOf(string value, StringComparison comparisonType)", index_of_how),
    M("String", "int IndexOf(string value, int startIndex, StringComparison comparisonType)", index_of_how),
    M("String", "int IndexOf(string value, int startIndex, int count, StringComparison comparisonType)", index_of_how),
    M("String", "int LastIndexOf(char value)", last_index_of_char),
    M("String", "int LastIndexOf(char value, int startIndex)", last_index_of_char),
    M("String", "int LastIndexOf(char value, int startIndex, int count)", last_index_of_char),
    M("String", "int LastIndexOf(string value)", last_index_of),
    M("String", "int LastIndexOf(string value, int startIndex)", last_index_of),
    M("String", "int LastIndexOf(string value, int startIndex, int count)", last_index_of),
    M("String", "int LastIndexOf(string value, StringComparison comparisonType)", last_index_of_how),
    M("String", "int LastIndexOf(string value, int startIndex, StringComparison comparisonType)", last_index_of_how),
    M("String", "int LastIndexOf(string value, int startIndex, int count, StringComparison comparisonType)", last_index_of_how),
    M("String", "int IndexOfAny(char[] anyOf)", index_of_any),
    M("String", "int IndexOfAny(char[] anyOf, int startIndex)", index_of_any),
    M("String", "int IndexOfAny(char[] anyOf, int startIndex, int count)", index_of_any),
    M("String", "int LastIndexOfAny(char[] anyOf)", last_index_of_any),
    M("String", "int LastIndexOfAny(char[] anyOf, int startIndex)", last_index_of_any),
    M("String", "int LastIndexOfAny(char[] anyOf, int startIndex, int count)", last_index_of_any),
};

const struct library clr_string_search = {"string searching", NULL, 0, members, COUNTOF(members)};
