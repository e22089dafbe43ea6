/* string_change.c: a System.String cut, changed or split.
 *
 * A part of an ASCII string shares its bytes; what changes nothing returns the same object.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"
#include "clr/families.h"
#include "clr/string_parts.h"
#include "clr/text.h"
#include "clr/values.h"

/* --- changing --------------------------------------------------------------------------------------------------------- */

/* A part of s by bytes: a view of it. */
static bool
return_part(struct call *c, struct string *s, size_t from, size_t to)
{
    if (from == 0 && to == s->size)
        return return_ref(c, s);
    if (string_is_ascii(s))
        return return_new(c, string_view_units(c, str_sub(string_str(s), from, to), (uint32_t)(to - from)));
    return return_new(c, string_view(c, str_sub(string_str(s), from, to)));
}

enum { TRIM_START = 1, TRIM_END = 2 };

static bool
is_trimmed(uint32_t code_point, const struct array *set, int64_t single)
{
    if (single >= 0)
        return code_point == single;
    if (!set || set->n == 0)
        return text_is_white(code_point);
    return is_one_of(set, (int)code_point);
}

static bool
trim_set(struct call *c, unsigned ends, const struct array *set, int64_t single)
{
    struct string *s = call_string(c, 0);
    struct str text = string_str(s);
    size_t from = 0, to = s->size;

    while ((ends & TRIM_START) && from < to) {
        size_t next = from;
        if (!is_trimmed(utf8_next(text, &next), set, single))
            break;
        from = next;
    }
    while ((ends & TRIM_END) && to > from) {
        size_t at = to - 1, next;
        while (at > from && (text.p[at] & 0xc0) == 0x80)
            at--;
        next = at;
        if (!is_trimmed(utf8_next(text, &next), set, single))
            break;
        to = at;
    }
    return return_part(c, s, from, to);
}

static const struct array *
optional_array(const struct call *c, uint32_t i)
{
    return c->n_args > i ? (const struct array *)c->args[i].ref : NULL;
}

static bool trim(struct call *c) { return trim_set(c, TRIM_START | TRIM_END, optional_array(c, 1), -1); }
static bool trim_start(struct call *c) { return trim_set(c, TRIM_START, optional_array(c, 1), -1); }
static bool trim_end(struct call *c) { return trim_set(c, TRIM_END, optional_array(c, 1), -1); }
static bool trim_char(struct call *c) { return trim_set(c, TRIM_START | TRIM_END, NULL, c->args[1].i64); }
static bool trim_start_char(struct call *c) { return trim_set(c, TRIM_START, NULL, c->args[1].i64); }
static bool trim_end_char(struct call *c) { return trim_set(c, TRIM_END, NULL, c->args[1].i64); }

static bool
replace_text(struct call *c, struct string *s, struct str old, struct str new)
{
    struct str text = string_str(s);
    struct buf b = call_buf(c);
    ptrdiff_t at = str_find(text, old, 0);
    size_t from = 0;

    if (at < 0)
        return return_ref(c, s);
    if (!call_charge(c, s->size / 32))
        return false;
    for (; at >= 0; at = str_find(text, old, from)) {
        buf_add_str(&b, str_sub(text, from, (size_t)at));
        buf_add_str(&b, new);
        from = (size_t)at + old.len;
        if (b.failed)
            return call_exceed_buf(c, &b);
    }
    buf_add_str(&b, str_skip(text, from));
    return return_new(c, string_from_buf(c, &b));
}

static bool
replace(struct call *c)
{
    if (!call_string(c, 1))
        return throw_argument_null(c, "oldValue");
    if (call_string(c, 1)->size == 0)
        return throw_argument(c, "oldValue", "String cannot be of zero length.");
    return replace_text(c, call_string(c, 0), call_str(c, 1), call_str(c, 2));
}

static bool
replace_by(struct call *c, enum string_comparison how)
{
    struct string *s = call_string(c, 0), *old = call_string(c, 1);
    struct buf b = call_buf(c);
    uint32_t from = 0;
    int64_t at;

    if (!old)
        return throw_argument_null(c, "oldValue");
    if (old->size == 0)
        return throw_argument(c, "oldValue", "String cannot be of zero length.");
    if (how == ORDINAL)
        return replace_text(c, s, string_str(old), call_str(c, 2));
    while ((at = text_index_of(c, s, old, from, s->units - from, how)) >= 0) {
        struct string *before = string_slice(c, s, from, (uint32_t)at - from);
        if (!before)
            return false;
        buf_add_str(&b, string_str(before));
        buf_add_str(&b, call_str(c, 2));
        from = (uint32_t)at + old->units;
    }
    struct string *rest = at == -2 ? NULL : string_slice(c, s, from, s->units - from);
    if (!rest)
        return false;
    buf_add_str(&b, string_str(rest));
    return return_new(c, string_from_buf(c, &b));
}

static bool
replace_how(struct call *c)
{
    return check_comparison(c, 3) && replace_by(c, comparison(c, 3));
}

static bool
replace_case(struct call *c)
{
    return replace_by(c, call_bool(c, 3) ? INVARIANT_CULTURE_IGNORE_CASE : INVARIANT_CULTURE);
}

static bool
replace_char(struct call *c)
{
    char old_room[4], new_room[4];
    struct string *s = call_string(c, 0);
    int64_t old = c->args[1].i64, new = c->args[2].i64;
    char *p;

    if (old > 127 || new > 127)
        return replace_text(c, s, char_text(old_room, old), char_text(new_room, new));
    if (!s->size || !memchr(s->p, (int)old, s->size))
        return return_ref(c, s);
    if (!(p = call_alloc(c, s->size)))
        return false;
    for (uint32_t i = 0; i < s->size; i++)
        p[i] = s->p[i] == (char)old ? (char)new : s->p[i];
    return return_new(c, string_view_units(c, str_from(p, s->size), s->units));
}

static bool
insert(struct call *c)
{
    struct string *s = call_string(c, 0), *head, *tail;
    int64_t at = call_i32(c, 1);
    struct buf b = call_buf(c);

    if (!call_string(c, 2))
        return throw_argument_null(c, "value");
    if (at < 0 || at > s->units)
        return throw_argument_range(c, "startIndex", "Specified argument was out of the range of valid values.");
    head = string_slice(c, s, 0, (uint32_t)at);
    tail = string_slice(c, s, (uint32_t)at, s->units - (uint32_t)at);
    if (!head || !tail)
        return false;
    buf_add_str(&b, string_str(head));
    buf_add_str(&b, call_str(c, 2));
    buf_add_str(&b, string_str(tail));
    return return_new(c, string_from_buf(c, &b));
}

static bool
remove_part(struct call *c)
{
    struct string *s = call_string(c, 0), *head, *tail;
    int64_t at = call_i32(c, 1), n = c->n_args > 2 ? call_i32(c, 2) : (int64_t)s->units - at;
    struct buf b = call_buf(c);

    if (at < 0)
        return throw_argument_range(c, "startIndex", "StartIndex cannot be less than zero.");
    if (c->n_args == 2 && at >= s->units)
        return throw_argument_range(c, "startIndex", "startIndex must be less than length of string.");
    if (n < 0)
        return throw_argument_range(c, "count", "Count cannot be less than zero.");
    if (at > s->units - n)
        return throw_argument_range(c, "count", "Index and count must refer to a location within the string.");
    head = string_slice(c, s, 0, (uint32_t)at);
    tail = string_slice(c, s, (uint32_t)(at + n), s->units - (uint32_t)(at + n));
    if (!head || !tail)
        return false;
    buf_add_str(&b, string_str(head));
    buf_add_str(&b, string_str(tail));
    return return_new(c, string_from_buf(c, &b));
}

static bool
pad(struct call *c, bool left)
{
    struct string *s = call_string(c, 0);
    int64_t width = call_i32(c, 1), n = width - s->units;
    char room[4];
    struct str fill = char_text(room, c->n_args > 2 ? c->args[2].i64 : ' ');
    struct buf b = call_buf(c);

    if (width < 0)
        return throw_argument_range(c, "totalWidth", "Non-negative number required.");
    if (n <= 0)
        return return_ref(c, s);
    if (!call_charge(c, (uint64_t)n / 64) || !buf_reserve(&b, fill.len * (size_t)n + s->size))
        return call_exceed_buf(c, &b);
    if (!left)
        buf_add_str(&b, string_str(s));
    for (; n > 0; n--)
        buf_add_str(&b, fill);
    if (left)
        buf_add_str(&b, string_str(s));
    return return_new(c, string_from_buf(c, &b));
}

static bool pad_left(struct call *c) { return pad(c, true); }
static bool pad_right(struct call *c) { return pad(c, false); }
static bool to_upper(struct call *c) { return return_new(c, text_to_upper(c, call_string(c, 0))); }
static bool to_lower(struct call *c) { return return_new(c, text_to_lower(c, call_string(c, 0))); }

/* Without tables only text that has no combining marks is known to be in form C. */
static bool
is_normalized(struct call *c)
{
    struct str s = string_str(call_string(c, 0));

    for (size_t i = 0; i < s.len;) {
        uint32_t code_point = utf8_next(s, &i);
        if (code_point >= 0x300 && code_point < 0x370)
            return return_bool(c, false);
    }
    return return_bool(c, true);
}

/* --- splitting -------------------------------------------------------------------------------------------------------- */

enum { SPLIT_REMOVE_EMPTY = 1, SPLIT_TRIM = 2 };

struct splitter {
    struct call *c;
    struct string *s;
    const struct array *chars;        /* single units; NULL or empty with strings == NULL: white space */
    const struct array *strings;
    int64_t single;                   /* one unit, or -1 */
    int64_t max, options;
};

/* Bytes of the separator at s[at], 0 when none stands there. */
static size_t
separator_at(const struct splitter *sp, struct str s, size_t at)
{
    size_t next = at;
    uint32_t code_point;

    if (sp->strings) {
        for (uint32_t i = 0; i < sp->strings->n; i++) {
            const struct string *one = (const struct string *)sp->strings->u.v[i].ref;
            if (one && one->size && str_starts_with(str_skip(s, at), string_str(one)))
                return one->size;
        }
        return 0;
    }
    code_point = utf8_next(s, &next);
    if (sp->single >= 0 ? code_point == sp->single
                        : sp->chars && sp->chars->n ? is_one_of(sp->chars, (int)code_point) : text_is_white(code_point))
        return next - at;
    return 0;
}

/* Next separator at or after `from`; false when none. */
static bool
find_separator(const struct splitter *sp, struct str s, size_t from, size_t *ret_at, size_t *ret_len)
{
    int64_t unit = sp->single >= 0 ? sp->single : sp->chars && sp->chars->n == 1 ? sp->chars->u.v[0].i64 : -1;

    if (unit >= 0 && unit < 128) {
        ptrdiff_t hit = str_find_char(s, (char)unit, from);
        *ret_at = (size_t)hit;
        *ret_len = 1;
        return hit >= 0;
    }
    for (size_t at = from; at < s.len; at++) {
        if ((s.p[at] & 0xc0) == 0x80)
            continue;
        if ((*ret_len = separator_at(sp, s, at))) {
            *ret_at = at;
            return true;
        }
    }
    return false;
}

static struct str
trim_white(struct str s)
{
    s = str_skip(s, white_prefix(s));
    while (s.len) {
        size_t at = s.len - 1, next;
        while (at && (s.p[at] & 0xc0) == 0x80)
            at--;
        next = at;
        if (!text_is_white(utf8_next(s, &next)))
            break;
        s.len = at;
    }
    return s;
}

/* A piece of the string in its last form; false when it is left out. */
static bool
keep_piece(const struct splitter *sp, struct str *piece)
{
    if (sp->options & SPLIT_TRIM)
        *piece = trim_white(*piece);
    return piece->len || !(sp->options & SPLIT_REMOVE_EMPTY);
}

static bool
add_piece(const struct splitter *sp, struct str piece, struct array *to, uint32_t *n)
{
    struct string *s = string_is_ascii(sp->s) ? string_view_units(sp->c, piece, (uint32_t)piece.len) : string_view(sp->c, piece);

    if (!s)
        return false;
    to->u.v[(*n)++] = value_ref(s);
    return true;
}

/* Walks the pieces; counts them, or with `to` stores them. */
static bool
walk_pieces(const struct splitter *sp, struct array *to, uint32_t *n)
{
    struct str s = string_str(sp->s), piece;
    size_t from = 0, at = 0, len = 0;

    for (*n = 0; *n + 1 < sp->max && find_separator(sp, s, from, &at, &len); from = at + len) {
        piece = str_sub(s, from, at);
        if (!keep_piece(sp, &piece))
            continue;
        if (!to)
            ++*n;
        else if (!add_piece(sp, piece, to, n))
            return false;
    }
    /* With a limit the last piece is the rest, less separators and empty pieces before it when those go. */
    while (*n + 1 == sp->max && (sp->options & SPLIT_REMOVE_EMPTY) && find_separator(sp, s, from, &at, &len)) {
        piece = str_sub(s, from, at);
        if (keep_piece(sp, &piece))
            break;
        from = at + len;
    }
    piece = str_skip(s, from);
    if (!keep_piece(sp, &piece))
        return true;
    if (!to) {
        ++*n;
        return true;
    }
    return add_piece(sp, piece, to, n);
}

static bool
split(struct splitter *sp)
{
    struct call *c = sp->c;
    uint32_t n = 0;
    struct array *pieces;

    sp->s = call_string(c, 0);
    if (sp->options & ~(int64_t)3)
        return throw_argument(c, "options", "Illegal enum value: %" PRId64 ".", sp->options);
    if (sp->max < 0)
        return throw_argument_range(c, "count", "Count cannot be less than zero.");
    if (!call_charge(c, sp->s->size / 8))
        return false;
    if (sp->max > 0 && !walk_pieces(sp, NULL, &n))
        return false;
    if (!(pieces = array_new(c, core_types(c->run->env)->string_array, n)))
        return false;
    if (n && !walk_pieces(sp, pieces, &n))
        return false;
    return return_ref(c, pieces);
}

static bool
split_on(struct call *c, const struct array *chars, int64_t single, uint32_t count_at, uint32_t options_at)
{
    struct splitter sp = {.c = c, .chars = chars, .single = single};

    sp.max = count_at ? call_i32(c, count_at) : INT32_MAX;
    sp.options = options_at ? c->args[options_at].i64 : 0;
    return split(&sp);
}

static bool
split_on_strings(struct call *c, const struct array *strings, uint32_t count_at, uint32_t options_at)
{
    struct splitter sp = {.c = c, .strings = strings && strings->n ? strings : NULL, .single = -1};

    sp.max = count_at ? call_i32(c, count_at) : INT32_MAX;
    sp.options = options_at ? c->args[options_at].i64 : 0;
    return split(&sp);
}

static bool
split_on_string(struct call *c, uint32_t count_at, uint32_t options_at)
{
    struct array one = {.n = 1, .u.v = &c->args[1]};

    if (!call_string(c, 1) || call_string(c, 1)->size == 0) { /* null: white space; "": one piece */
        struct array none = {.n = 1, .u.v = (struct value[]){value_ref(NULL)}};
        return call_string(c, 1) ? split_on_strings(c, &none, count_at, options_at) : split_on(c, NULL, -1, count_at, options_at);
    }
    return split_on_strings(c, &one, count_at, options_at);
}

#define CHARS ((const struct array *)c->args[1].ref)
static bool split_chars(struct call *c) { return split_on(c, CHARS, -1, 0, 0); }
static bool split_chars_count(struct call *c) { return split_on(c, CHARS, -1, 2, 0); }
static bool split_chars_options(struct call *c) { return split_on(c, CHARS, -1, 0, 2); }
static bool split_chars_both(struct call *c) { return split_on(c, CHARS, -1, 2, 3); }
static bool split_char(struct call *c) { return split_on(c, NULL, c->args[1].i64, 0, 2); }
static bool split_char_count(struct call *c) { return split_on(c, NULL, c->args[1].i64, 2, 3); }
static bool split_strings(struct call *c) { return split_on_strings(c, CHARS, 0, 2); }
static bool split_strings_count(struct call *c) { return split_on_strings(c, CHARS, 2, 3); }
static bool split_string(struct call *c) { return split_on_string(c, 0, 2); }
static bool split_string_count(struct call *c) { return split_on_string(c, 2, 3); }

/* --- rows -------------------------------------------------------------------------------------------------------------- */

static const struct member_row members[] = {
    M("String", "string Trim()", trim),
    M("String", "string Trim(params char[] trimChars)", trim),
    M("String", "string Trim(char trimChar)", trim_char),
    M("String", "string TrimStart()", trim_start),
    M("String", "string TrimStart(params char[] trimChars)", trim_start),
    M("String", "string TrimStart(char trimChar)", trim_start_char),
    M("String", "string TrimEnd()", trim_end),
    M("String", "string TrimEnd(params char[] trimChars)", trim_end),
    M("String", "string TrimEnd(char trimChar)", trim_end_char),
    M("String", "string Replace(string oldValue, string newValue)", replace),
    M("String", "string Replace(string oldValue, string newValue, StringComparison comparisonType)", replace_how),
    M("String", "string Replace(string oldValue, string newValue, bool ignoreCase, CultureInfo culture)", replace_case),
    M("String", "string Replace(char oldChar, char newChar)", replace_char),
    M("String", "string Insert(int startIndex, string value)", insert),
    M("String", "string Remove(int startIndex)", remove_part),
    M("String", "string Remove(int startIndex, int count)", remove_part),
    M("String", "string PadLeft(int totalWidth)", pad_left),
    M("String", "string PadLeft(int totalWidth, char paddingChar)", pad_left),
    M("String", "string PadRight(int totalWidth)", pad_right),
    M("String", "string PadRight(int totalWidth, char paddingChar)", pad_right),
    M("String", "string ToUpper()", to_upper),
    M("String", "string ToUpper(CultureInfo culture)", to_upper),
    M("String", "string ToUpperInvariant()", to_upper),
    M("String", "string ToLower()", to_lower),
    M("String", "string ToLower(CultureInfo culture)", to_lower),
    M("String", "string ToLowerInvariant()", to_lower),
    M("String", "bool IsNormalized()", is_normalized),
    M("String", "string[] Split(params char[] separator)", split_chars),
    M("String", "string[] Split(char[] separator, int count)", split_chars_count),
    M("String", "string[] Split(char[] separator, StringSplitOptions options)", split_chars_options),
    M("String", "string[] Split(char[] separator, int count, StringSplitOptions options)", split_chars_both),
    M("String", "string[] Split(char separator, StringSplitOptions options = default)", split_char),
    M("String", "string[] Split(char separator, int count, StringSplitOptions options = default)", split_char_count),
    M("String", "string[] Split(string[] separator, StringSplitOptions options)", split_strings),
    M("String", "string[] Split(string[] separator, int count, StringSplitOptions options)", split_strings_count),
    M("String", "string[] Split(string separator, StringSplitOptions options = default)", split_string),
    M("String", "string[] Split(string separator, int count, StringSplitOptions options = default)", split_string_count),
};

const struct library clr_string_change = {"string changing", NULL, 0, members, COUNTOF(members)};
