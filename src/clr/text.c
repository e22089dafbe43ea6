/* text.c: comparing, searching and changing the case of strings.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/text.h"

#include <wctype.h>

#include "base/hash.h"
#include "base/unicode.h"
#include "base/utf8.h"

uint32_t
text_upper(uint32_t c)
{
    if (c < 0x80)
        return c >= 'a' && c <= 'z' ? c - 32 : c;
    return c == 0x131 || c == 0x17f ? c : towupper_l(c, unicode_locale()); /* never onto ASCII */
}

uint32_t
text_lower(uint32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    return c == 0x130 || c == 0x212a ? c : towlower_l(c, unicode_locale());
}

static struct string *
map_ascii(struct call *c, struct string *s, char first, char last)
{
    uint32_t i = 0;
    char *p;

    while (i < s->size && !(s->p[i] >= first && s->p[i] <= last))
        i++;
    if (i == s->size)
        return s;
    if (!(p = call_alloc(c, s->size)))
        return NULL;
    memcpy(p, s->p, s->size);
    for (; i < s->size; i++)
        if (p[i] >= first && p[i] <= last)
            p[i] ^= 0x20;
    return string_view_units(c, str_from(p, s->size), s->units);
}

static struct string *
map_text(struct call *c, struct string *s, uint32_t (*map)(uint32_t))
{
    struct buf b = call_buf(c);

    if (!call_charge(c, s->size / 8))
        return NULL;
    for (size_t i = 0; i < s->size;) {
        char *to = buf_reserve(&b, 4);
        uint32_t code_point = utf8_next(string_str(s), &i);
        if (!to)
            break;
        b.len += utf8_put(to, map(code_point));
    }
    return string_from_buf(c, &b);
}

struct string *
text_to_upper(struct call *c, struct string *s)
{
    return string_is_ascii(s) ? map_ascii(c, s, 'a', 'z') : map_text(c, s, text_upper);
}

struct string *
text_to_lower(struct call *c, struct string *s)
{
    return string_is_ascii(s) ? map_ascii(c, s, 'A', 'Z') : map_text(c, s, text_lower);
}

/* --- order ---------------------------------------------------------------------------------------------------------- */

#define UTF8_UNIT_BYTES 3             /* at most, of a text of one UTF-16 unit */

/* .NET's ordinal comparisons give the difference of the first UTF-16 units that differ, or that of the lengths. */
static int
first_unit(uint32_t c)
{
    return (int)(c > 0xffff ? 0xd7c0 + (c >> 10) : c);
}

static int
unit_difference(uint32_t x, uint32_t y)
{
    int difference = first_unit(x) - first_unit(y);

    return difference ? difference : (int)(x & 0x3ff) - (int)(y & 0x3ff);
}

static int
length_difference(struct str a, struct str b)
{
    return (int)utf8_units(a) - (int)utf8_units(b);
}

static int
compare_ordinal(struct str a, struct str b)
{
    size_t i = 0, j, n = MIN(a.len, b.len);

    while (i < n && a.p[i] == b.p[i])
        i++;
    if (i == n)
        return length_difference(str_skip(a, i), str_skip(b, i));
    if (!((a.p[i] | b.p[i]) & 0x80))
        return (unsigned char)a.p[i] - (unsigned char)b.p[i];
    while (i && (a.p[i] & 0xc0) == 0x80)
        i--;
    j = i;
    uint32_t x = utf8_next(a, &i), y = utf8_next(b, &j);
    return unit_difference(x, y);
}

/* The same of whole strings, where .NET looks at two units of each whatever their lengths: an end counts as 0 then. */
static int
compare_ordinal_whole(struct str a, struct str b)
{
    struct str longer = a.len < b.len ? b : a, shorter = a.len < b.len ? a : b;
    size_t at = shorter.len;

    if (longer.len == at || at > UTF8_UNIT_BYTES || utf8_units(shorter) > 1 || !str_starts_with(longer, shorter))
        return compare_ordinal(a, b);
    int next = first_unit(utf8_next(longer, &at));
    return a.len < b.len ? -next : next;
}

static int
compare_ordinal_nocase(struct str a, struct str b)
{
    size_t i = 0, j = 0;

    while (i < a.len && j < b.len) {
        uint32_t x = text_upper(utf8_next(a, &i)), y = text_upper(utf8_next(b, &j));
        if (x != y)
            return unit_difference(x, y);
    }
    return length_difference(str_skip(a, i), str_skip(b, j));
}

#define SYMBOLS_FROM 0x100            /* added to a character for its primary weight; marks are below */
#define DIGITS_FROM 0x200000
#define LETTERS_FROM 0x300000

/* What a culture-sensitive comparison sees of a text, as .NET's "word sort" under the invariant culture does:
 *   primary   marks and symbols, then digits, then letters whatever their accent and case; decides first
 *   accent, case   decide in this order between texts of the same primary weights
 *   specials  hyphens and apostrophes, not seen above ("co-op" stands beside "coop"); the last to decide */
struct weights {
    struct str text;
    size_t at;
    uint32_t pending;                 /* second letter of a ligature */
    uint32_t primary, accent;
    bool is_upper;
    bool has_special;
};

struct special {
    uint32_t position, c;             /* its place among the characters that are seen */
};

/* Marks in their order; those of Latin-1 as code points. */
static uint32_t
mark_weight(uint32_t c)
{
    static const uint16_t order[] = {
        ' ', 0xa0, '\t', '\n', '\v', '\f', '\r', '!', '"', '#', '$', '%', '&', '(', ')', '*', ',', '.', '/', ':', ';', '?', '@', '[',
        '\\', ']', '^', '_', '`', '{', '|', '}', '~', 0xa1, 0xa6, 0xa8, 0xaf, 0xb4, 0xb8, 0xbf, '+', '<', '=', '>', 0xb1, 0xab, 0xbb,
        0xd7, 0xf7, 0xa2, 0xa3, 0xa4, 0xa5, 0xa7, 0xa9, 0xac, 0xae, 0xb0, 0xb5, 0xb6, 0xb7,
    };

    if (c > 0xf7 || (c < 0x80 && (ascii_is_alpha((char)c) || ascii_is_digit((char)c))))
        return 0;
    for (size_t i = 0; i < COUNTOF(order); i++)
        if (order[i] == c)
            return 1 + (uint32_t)i;
    return 0;
}

/* Symbols beyond Latin-1, which stand after its marks and before the digits: punctuation, money, arrows, drawings, emoji. */
static bool
is_symbol(uint32_t c)
{
    return (c >= 0x2010 && c <= 0x206f) || (c >= 0x20a0 && c <= 0x20cf) || (c >= 0x2190 && c <= 0x2bff) ||
           (c >= 0x3001 && c <= 0x3020) || (c >= 0x1f000 && c <= 0x1faff);
}

/* What invariant comparison does not see. */
static bool
is_ignorable(uint32_t c)
{
    return c < 9 || (c > 13 && c < 32) || (c >= 127 && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) || c == 0xfeff ||
           (c >= 0x2060 && c <= 0x2064);
}

/* Small Latin letters with accents: the plain letter, and the rank of the accent. */
static uint32_t
base_letter(uint32_t c, uint32_t *accent)
{
    static const char plain[] = "aaaaaaaceeeeiiiidnooooo*ouuuuyty"; /* U+00E0 - U+00FF */
    static const char rank[] = "213546872134213495213540721342:3";  /* acute, grave, circumflex, diaeresis, tilde, ring, stroke ... */

    *accent = 0;
    if (c >= 0xe0 && c <= 0xff && plain[c - 0xe0] != '*') {
        *accent = (uint32_t)(rank[c - 0xe0] - '0') + 1;
        return (uint32_t)plain[c - 0xe0];
    }
    return c;
}

/* Next character that counts; false at the end. */
static bool
next_weights(struct weights *w)
{
    if (w->pending) {
        w->primary = LETTERS_FROM + w->pending;
        w->accent = 0;
        w->pending = 0;
        return true;
    }
    while (w->at < w->text.len) {
        uint32_t c = utf8_next(w->text, &w->at), low;

        if (c == '-' || c == '\'') {
            w->has_special = true;
            continue;
        }
        if (is_ignorable(c))
            continue;
        low = text_lower(c);
        w->is_upper = low != c;
        w->accent = 0;
        if ((w->primary = mark_weight(c)))
            return true;
        if (is_symbol(c)) {
            w->primary = SYMBOLS_FROM + c;
            return true;
        }
        if (c >= '0' && c <= '9') {
            w->primary = DIGITS_FROM + c;
            return true;
        }
        if (low == 0xdf || low == 0xe6) { /* sharp s and ae are two letters */
            w->primary = LETTERS_FROM + (low == 0xdf ? 's' : 'a');
            w->pending = low == 0xdf ? 's' : 'e';
            return true;
        }
        w->primary = LETTERS_FROM + base_letter(low, &w->accent);
        return true;
    }
    return false;
}

/* The next hyphen or apostrophe: its place among the other characters. */
static bool
next_special(struct str text, size_t *at, uint32_t *seen, struct special *ret)
{
    while (*at < text.len) {
        uint32_t c = utf8_next(text, at);
        if (c == '-' || c == '\'') {
            *ret = (struct special){*seen, c};
            return true;
        }
        *seen += !is_ignorable(c);
    }
    return false;
}

static int
compare_specials(struct str a, struct str b)
{
    size_t i = 0, j = 0;
    uint32_t seen_a = 0, seen_b = 0;
    struct special p = {0}, q = {0};

    for (;;) {
        bool more_a = next_special(a, &i, &seen_a, &p), more_b = next_special(b, &j, &seen_b, &q);
        if (!more_a || !more_b)
            return (int)more_a - (int)more_b;
        if (p.position != q.position)
            return p.position < q.position ? -1 : 1;
        if (p.c != q.c)
            return p.c < q.c ? -1 : 1;
    }
}

static int
compare_culture(struct str a, struct str b, bool ignore_case)
{
    struct weights x = {.text = a}, y = {.text = b};
    int accents = 0, cases = 0;

    for (;;) {
        bool more_a = next_weights(&x), more_b = next_weights(&y);
        if (!more_a || !more_b) {
            if (more_a != more_b)
                return more_a ? 1 : -1;
            break;
        }
        if (x.primary != y.primary)
            return x.primary < y.primary ? -1 : 1;
        if (!accents && x.accent != y.accent)
            accents = x.accent < y.accent ? -1 : 1;
        if (!cases && x.is_upper != y.is_upper)
            cases = x.is_upper ? 1 : -1;
    }
    if (accents || (cases && !ignore_case))
        return accents ? accents : cases;
    return x.has_special || y.has_special ? compare_specials(a, b) : 0;
}

int
text_compare_str(struct str a, struct str b, enum string_comparison how)
{
    switch (how) {
    case ORDINAL: return compare_ordinal(a, b);
    case ORDINAL_IGNORE_CASE: return compare_ordinal_nocase(a, b);
    case CURRENT_CULTURE:
    case INVARIANT_CULTURE: return compare_culture(a, b, false);
    case CURRENT_CULTURE_IGNORE_CASE:
    case INVARIANT_CULTURE_IGNORE_CASE: return compare_culture(a, b, true);
    }
    UNREACHABLE();
}

int
text_compare(const struct string *a, const struct string *b, enum string_comparison how)
{
    if (a == b)
        return 0;
    if (!a || !b)
        return a ? 1 : -1;
    return how == ORDINAL ? compare_ordinal_whole(string_str(a), string_str(b)) : text_compare_str(string_str(a), string_str(b), how);
}

bool
text_equals(const struct string *a, const struct string *b, enum string_comparison how)
{
    if (how == ORDINAL || !a || !b)
        return string_eq(a, b);
    if (how == ORDINAL_IGNORE_CASE && string_is_ascii(a) && string_is_ascii(b))
        return str_eq_nocase(string_str(a), string_str(b));
    return text_compare(a, b, how) == 0;
}

uint64_t
text_hash(const struct string *s, enum string_comparison how)
{
    uint64_t h = 0x1505;
    struct weights w = {.text = string_str(s)};

    if (how == ORDINAL)
        return hash_str(string_str(s));
    if (how == ORDINAL_IGNORE_CASE) {
        if (string_is_ascii(s))
            return hash_str_nocase(string_str(s));
        for (size_t i = 0; i < s->size;)
            h = hash_mix(h, text_upper(utf8_next(string_str(s), &i)));
        return h;
    }
    while (next_weights(&w))
        h = hash_mix(h, (uint64_t)w.primary << 8 ^ w.accent);
    return h;
}

/* --- searching ------------------------------------------------------------------------------------------------------ */

static bool
ignores_case(enum string_comparison how)
{
    return how == CURRENT_CULTURE_IGNORE_CASE || how == INVARIANT_CULTURE_IGNORE_CASE || how == ORDINAL_IGNORE_CASE;
}

static bool
is_culture(enum string_comparison how)
{
    return how < ORDINAL;
}

/* A culture-sensitive search finds what is ignorable everywhere, as it finds "". */
static bool
is_all_ignorable(struct str s)
{
    for (size_t i = 0; i < s.len;)
        if (!is_ignorable(utf8_next(s, &i)))
            return false;
    return true;
}

static bool
ascii_match(const char *a, const char *b, size_t n, bool fold)
{
    if (!fold)
        return memcmp(a, b, n) == 0;
    for (size_t i = 0; i < n; i++)
        if (ascii_lower(a[i]) != ascii_lower(b[i]))
            return false;
    return true;
}

static bool
wide_match(const uint16_t *a, const uint16_t *b, size_t n, bool fold)
{
    if (!fold)
        return memcmp(a, b, n * 2) == 0;
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i] && text_upper(a[i]) != text_upper(b[i]))
            return false;
    return true;
}

/* The units of any string, ASCII ones included. */
static const uint16_t *
units_of(struct call *c, struct string *s)
{
    uint16_t *units;

    if (!string_is_ascii(s))
        return string_wide(c, s);
    if (!(units = call_alloc(c, (size_t)s->size * 2 + 2)))
        return NULL;
    for (uint32_t i = 0; i < s->size; i++)
        units[i] = (unsigned char)s->p[i];
    return units;
}

static int64_t
search_wide(struct call *c, struct string *s, struct string *needle, uint32_t from, uint32_t last, bool fold, bool backwards)
{
    const uint16_t *hay = units_of(c, s), *wanted = units_of(c, needle);

    if (!hay || !wanted || !call_charge(c, (last - from) / 8))
        return -2;
    for (uint32_t n = 0; n <= last - from; n++) {
        uint32_t at = backwards ? last - n : from + n;
        if (wide_match(hay + at, wanted, needle->units, fold))
            return at;
    }
    return -1;
}

static int64_t
search(struct call *c, struct string *s, struct string *needle, uint32_t from, uint32_t count, enum string_comparison how,
       bool backwards)
{
    bool fold = ignores_case(how);
    uint32_t last;

    if (is_culture(how) && is_all_ignorable(string_str(needle)))
        return backwards ? from + count : from;
    if (needle->units > count)
        return -1;
    last = from + count - needle->units;
    if (!string_is_ascii(s) || !string_is_ascii(needle)) {
        if (string_is_ascii(s) && !fold)
            return -1;
        return search_wide(c, s, needle, from, last, fold, backwards);
    }
    if (!fold && !backwards) {
        ptrdiff_t found = str_find(str_sub(string_str(s), 0, from + count), string_str(needle), from);
        return found < 0 ? -1 : found;
    }
    if (!call_charge(c, (last - from) / 16))
        return -2;
    for (uint32_t n = 0; n <= last - from; n++) {
        uint32_t at = backwards ? last - n : from + n;
        if (ascii_match(s->p + at, needle->p, needle->size, fold))
            return at;
    }
    return -1;
}

int64_t
text_index_of(struct call *c, struct string *s, struct string *needle, uint32_t from, uint32_t count, enum string_comparison how)
{
    return search(c, s, needle, from, count, how, false);
}

int64_t
text_last_index_of(struct call *c, struct string *s, struct string *needle, uint32_t from, uint32_t count,
                   enum string_comparison how)
{
    return search(c, s, needle, from, count, how, true);
}

bool
text_starts_with(struct call *c, struct string *s, struct string *prefix, enum string_comparison how)
{
    if (!ignores_case(how) && str_starts_with(string_str(s), string_str(prefix)))
        return true;
    if (is_culture(how) && is_all_ignorable(string_str(prefix)))
        return true;
    if (string_is_ascii(s) && string_is_ascii(prefix))
        return ignores_case(how) && str_starts_with_nocase(string_str(s), string_str(prefix));
    return prefix->units <= s->units &&
           search(c, s, prefix, 0, prefix->units, ignores_case(how) ? ORDINAL_IGNORE_CASE : ORDINAL, false) == 0;
}

bool
text_ends_with(struct call *c, struct string *s, struct string *suffix, enum string_comparison how)
{
    uint32_t from;

    if (!ignores_case(how) && str_ends_with(string_str(s), string_str(suffix)))
        return true;
    if (is_culture(how) && is_all_ignorable(string_str(suffix)))
        return true;
    if (suffix->units > s->units)
        return false;
    from = s->units - suffix->units;
    return search(c, s, suffix, from, suffix->units, ignores_case(how) ? ORDINAL_IGNORE_CASE : ORDINAL, false) == (int64_t)from;
}

/* --- kinds of characters --------------------------------------------------------------------------------------------- */

bool
text_is_letter(uint32_t c)
{
    return c < 0x80 ? ascii_is_alpha((char)c) : unicode_category(c) <= CATEGORY_OTHER_LETTER;
}

bool
text_is_digit(uint32_t c)
{
    return c < 0x80 ? ascii_is_digit((char)c) : unicode_category(c) == CATEGORY_DECIMAL_DIGIT;
}

bool
text_is_number(uint32_t c)
{
    enum unicode_category k = unicode_category(c);

    return k >= CATEGORY_DECIMAL_DIGIT && k <= CATEGORY_OTHER_NUMBER;
}

bool
text_is_upper(uint32_t c)
{
    return c < 0x80 ? c >= 'A' && c <= 'Z' : unicode_category(c) == CATEGORY_UPPERCASE_LETTER;
}

bool
text_is_lower(uint32_t c)
{
    return c < 0x80 ? c >= 'a' && c <= 'z' : unicode_category(c) == CATEGORY_LOWERCASE_LETTER;
}

bool
text_is_separator(uint32_t c)
{
    enum unicode_category k = unicode_category(c);

    return k >= CATEGORY_SPACE_SEPARATOR && k <= CATEGORY_PARAGRAPH_SEPARATOR;
}

bool
text_is_white(uint32_t c)
{
    return (c >= 9 && c <= 13) || c == 0x85 || (c == 0x20 || c > 0x7f ? text_is_separator(c) : false);
}

bool
text_is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

bool
text_is_symbol(uint32_t c)
{
    enum unicode_category k = unicode_category(c);

    return k >= CATEGORY_MATH_SYMBOL && k <= CATEGORY_OTHER_SYMBOL;
}

bool
text_is_punctuation(uint32_t c)
{
    enum unicode_category k = unicode_category(c);

    return k >= CATEGORY_CONNECTOR_PUNCTUATION && k <= CATEGORY_OTHER_PUNCTUATION;
}
