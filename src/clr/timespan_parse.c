/* timespan_parse.c: TimeSpan.ParseExact(): text that must have one of the named forms, or the form of a custom format.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/datetime.h"

struct exact_span {
    struct str text;
    size_t at;
    int64_t days, hours, minutes, seconds, fraction;
    bool has_days, has_hours, has_minutes, has_seconds, has_fraction;
};

static bool
read_digits(struct exact_span *x, size_t min, size_t max, int64_t *ret, size_t *ret_n)
{
    size_t from = x->at;

    *ret = 0;
    while (x->at < x->text.len && x->at - from < max && ascii_is_digit(x->text.p[x->at]))
        *ret = *ret * 10 + (x->text.p[x->at++] - '0');
    if (ret_n)
        *ret_n = x->at - from;
    return x->at - from >= min;
}

static bool
once(bool *seen)
{
    bool again = *seen;

    *seen = true;
    return !again;
}

static bool
read_fraction(struct exact_span *x, size_t n, bool optional)
{
    size_t got;

    if (n > 7 || !once(&x->has_fraction) || !read_digits(x, optional ? 0 : n, n, &x->fraction, &got))
        return false;
    for (; got < 7; got++)
        x->fraction *= 10;
    return true;
}

/* One letter n times. */
static bool
read_part(struct exact_span *x, char letter, size_t n)
{
    switch (letter) {
    case 'd': return n <= 8 && once(&x->has_days) && read_digits(x, n < 2 ? 1 : n, n < 2 ? 8 : n, &x->days, NULL);
    case 'h': return n <= 2 && once(&x->has_hours) && read_digits(x, n, 2, &x->hours, NULL);
    case 'm': return n <= 2 && once(&x->has_minutes) && read_digits(x, n, 2, &x->minutes, NULL);
    case 's': return n <= 2 && once(&x->has_seconds) && read_digits(x, n, 2, &x->seconds, NULL);
    case 'f': return read_fraction(x, n, false);
    case 'F': return read_fraction(x, n, true);
    }
    return false;
}

static bool
accept(struct exact_span *x, char c)
{
    if (x->at >= x->text.len || x->text.p[x->at] != c)
        return false;
    x->at++;
    return true;
}

static bool
match_custom(struct exact_span *x, struct str format)
{
    for (size_t i = 0; i < format.len;) {
        char c = format.p[i];
        size_t n = 1;

        if (c == '\\') {
            if (i + 1 >= format.len || !accept(x, format.p[i + 1]))
                return false;
            i += 2;
        } else if (c == '\'' || c == '"') {
            for (i++; i < format.len && format.p[i] != c; i++)
                if (!accept(x, format.p[i]))
                    return false;
            if (i++ >= format.len)
                return false;
        } else if (c == '%') {
            if (i + 1 >= format.len || format.p[i + 1] == '%')
                return false;
            i++;
        } else {
            while (i + n < format.len && format.p[i + n] == c)
                n++;
            if (!read_part(x, c, n))
                return false;
            i += n;
        }
    }
    return x->at == x->text.len;
}

/* c: d, or [d.]hh:mm[:ss[.fffffff]], as TimeSpan.Parse() read it once. */
static bool
match_constant(struct exact_span *x)
{
    int64_t first;

    if (!read_digits(x, 1, 8, &first, NULL))
        return false;
    if (x->at == x->text.len) {
        x->days = first;
        return true;
    }
    if (accept(x, '.')) {
        x->days = first;
        if (!read_digits(x, 1, 8, &first, NULL))
            return false;
    }
    x->hours = first;
    if (!accept(x, ':') || !read_digits(x, 1, 8, &x->minutes, NULL))
        return false;
    if (accept(x, ':')) {
        bool has_seconds = read_digits(x, 1, 8, &x->seconds, NULL);
        if (accept(x, '.') ? !read_fraction(x, 7, true) : !has_seconds)
            return false;
    }
    return x->at == x->text.len;
}

/* G: d:hh:mm:ss.fffffff; g: that and what can be left out of it: d, h:mm, h:mm:ss, d:h:mm where that is no time, d:h:mm:ss. */
static bool
match_general(struct exact_span *x, bool full)
{
    int64_t part[4];
    uint32_t n = 0, first;

    do
        if (n == COUNTOF(part) || !read_digits(x, 1, 8, &part[n++], NULL))
            return false;
    while (accept(x, ':'));
    if (accept(x, '.')) {
        if (n < 3 || !read_fraction(x, 7, true))
            return false;
    }
    if (x->at < x->text.len || (full && !(n == 4 && x->has_fraction)))
        return false;
    first = n == 1 || n == 4 || (n == 3 && !x->has_fraction && (part[0] > 23 || part[1] > 59 || part[2] > 59)) ? 0 : 1;
    int64_t *const to[] = {&x->days, &x->hours, &x->minutes, &x->seconds};
    for (uint32_t i = 0; i < n; i++)
        *to[first + i] = part[i];
    return true;
}

enum timespan_status
timespan_parse_exact(struct str text, struct str format, bool negative, int64_t *ret)
{
    struct exact_span x = {.text = text};
    bool is_standard = format.len == 1, matches;
    __int128 ticks;

    if (is_standard) {
        if (!strchr("ctTgG", format.p[0]))
            return TIMESPAN_FORMAT;
        x.text = str_trim(text);
        negative = accept(&x, '-');
    }
    if (format.len == 0)
        return TIMESPAN_FORMAT;
    if (!is_standard)
        matches = match_custom(&x, format);
    else
        matches = strchr("ctT", format.p[0]) ? match_constant(&x) : match_general(&x, format.p[0] == 'G');
    if (!matches)                      /* what is too large is found first, as numbers are read */
        return is_standard && strchr("ctT", format.p[0]) && (x.hours > 23 || x.minutes > 59 || x.seconds > 59) ? TIMESPAN_OVERFLOW
                                                                                                              : TIMESPAN_FORMAT;
    if (x.days > 10675199 || x.hours > 23 || x.minutes > 59 || x.seconds > 59)
        return TIMESPAN_OVERFLOW;
    ticks = (__int128)x.days * TICKS_PER_DAY + x.hours * TICKS_PER_HOUR + x.minutes * TICKS_PER_MINUTE +
            x.seconds * TICKS_PER_SECOND + x.fraction;
    if (ticks > (__int128)INT64_MAX + negative)
        return TIMESPAN_OVERFLOW;
    *ret = (int64_t)(negative ? -ticks : ticks);
    return TIMESPAN_OK;
}
