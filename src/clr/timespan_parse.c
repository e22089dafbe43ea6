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

/* c: [d.]hh:mm:ss[.fffffff]; G: d:hh:mm:ss.fffffff; g: [d:]h:mm:ss[.FFFFFFF] */
static bool
match_standard(struct exact_span *x, char letter)
{
    bool constant = strchr("ctT", letter) != NULL, full = letter == 'G';
    int64_t first;

    if (!read_digits(x, 1, 8, &first, NULL))
        return false;
    if (accept(x, constant ? '.' : ':')) {
        bool is_short = false;
        size_t mark = x->at;
        int64_t second;
        if (!read_digits(x, 1, 2, &second, NULL))
            return false;
        if (!constant) { /* h:mm:ss or d:h:mm:ss: as many colons tell */
            size_t colons = 0;
            for (size_t i = mark; i < x->text.len; i++)
                colons += x->text.p[i] == ':';
            is_short = colons == 1;
        }
        if (is_short) {
            if (full)
                return false;
            x->hours = first;
            x->minutes = second;
        } else {
            x->days = first;
            x->hours = second;
            if (!accept(x, ':') || !read_digits(x, 1, 2, &x->minutes, NULL))
                return false;
        }
    } else {
        x->hours = first;
        if (!accept(x, ':') || !read_digits(x, 1, 2, &x->minutes, NULL))
            return false;
    }
    if (!accept(x, ':') || !read_digits(x, 1, 2, &x->seconds, NULL))
        return false;
    if (accept(x, '.') ? !read_fraction(x, 7, true) : full)
        return false;
    return x->at == x->text.len;
}

enum timespan_status
timespan_parse_exact(struct str text, struct str format, bool negative, int64_t *ret)
{
    struct exact_span x = {.text = text};
    bool is_standard = format.len == 1;
    __int128 ticks;

    if (is_standard) {
        if (!strchr("ctTgG", format.p[0]))
            return TIMESPAN_FORMAT;
        x.text = str_trim(text);
        negative = accept(&x, '-');
    }
    if (format.len == 0 || !(is_standard ? match_standard(&x, format.p[0]) : match_custom(&x, format)))
        return TIMESPAN_FORMAT;
    if (x.days > 10675199 || x.hours > 23 || x.minutes > 59 || x.seconds > 59)
        return TIMESPAN_OVERFLOW;
    ticks = (__int128)x.days * TICKS_PER_DAY + x.hours * TICKS_PER_HOUR + x.minutes * TICKS_PER_MINUTE +
            x.seconds * TICKS_PER_SECOND + x.fraction;
    if (ticks > (__int128)INT64_MAX + negative)
        return TIMESPAN_OVERFLOW;
    *ret = (int64_t)(negative ? -ticks : ticks);
    return TIMESPAN_OK;
}
