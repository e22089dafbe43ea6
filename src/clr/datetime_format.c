/* datetime_format.c: dates and spans as text. A standard format is a custom one with a name, so there is one writer for each.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/datetime.h"
#include "clr/datetime_names.h"

/* Decimal with leading zeros up to `width`. */
static void
add_padded(struct buf *to, int64_t n, unsigned width)
{
    char digits[20];
    unsigned len = 0;

    do {
        digits[sizeof(digits) - ++len] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    while (len < width && len < sizeof(digits))
        digits[sizeof(digits) - ++len] = '0';
    buf_add(to, digits + sizeof(digits) - len, len);
}

static void
add_name(struct buf *to, const char *name, bool is_short)
{
    buf_add(to, name, is_short ? 3 : strlen(name));
}

/* The first n of seven digits of a second's fraction; with `trim` without trailing zeros. False when that leaves none. */
static bool
add_fraction(struct buf *to, int fraction, size_t n, bool trim)
{
    static const int powers[] = {10000000, 1000000, 100000, 10000, 1000, 100, 10, 1};
    int value = fraction / powers[n];

    while (trim && n && value % 10 == 0) {
        value /= 10;
        n--;
    }
    if (n)
        add_padded(to, value, (unsigned)n);
    return n > 0;
}

static void
add_offset(struct buf *to, int64_t offset, size_t n)
{
    int64_t minutes = (offset < 0 ? -offset : offset) / TICKS_PER_MINUTE;

    buf_add_char(to, offset < 0 ? '-' : '+');
    add_padded(to, minutes / 60, n == 1 ? 1 : 2);
    if (n >= 3) {
        buf_add_char(to, ':');
        add_padded(to, minutes % 60, 2);
    }
}

static void
add_zone(struct buf *to, const struct moment *m)
{
    if (m->has_offset)
        add_offset(to, m->offset, 3);
    else if (m->kind == KIND_UTC)
        buf_add_char(to, 'Z');
    else if (m->kind == KIND_LOCAL)
        add_offset(to, 0, 3);
}

/* How often format[at] stands there in a row. */
static size_t
run_length(struct str format, size_t at)
{
    size_t n = 1;

    while (at + n < format.len && format.p[at + n] == format.p[at])
        n++;
    return n;
}

/* One quoted text or escaped character; moves *at behind it. False when it does not end. */
static bool
add_literal(struct buf *to, struct str format, size_t *at)
{
    char quote = format.p[*at];

    if (quote == '\\') {
        if (*at + 1 >= format.len)
            return false;
        buf_add_char(to, format.p[*at + 1]);
        *at += 2;
        return true;
    }
    for (size_t i = *at + 1; i < format.len; i++) {
        if (format.p[i] == quote) {
            *at = i + 1;
            return true;
        }
        if (format.p[i] == '\\' && ++i >= format.len)
            return false;
        buf_add_char(to, format.p[i]);
    }
    return false;
}

/* One specifier of n letters. False: not one. */
static bool
add_specifier(struct buf *to, const struct moment *m, const struct civil *c, char letter, size_t n)
{
    int hour12 = c->hour % 12 ? c->hour % 12 : 12;

    switch (letter) {
    case 'd':
        if (n <= 2)
            add_padded(to, c->day, (unsigned)n);
        else
            add_name(to, day_names[ticks_day_of_week(m->ticks)], n == 3);
        return true;
    case 'M':
        if (n <= 2)
            add_padded(to, c->month, (unsigned)n);
        else
            add_name(to, month_names[c->month - 1], n == 3);
        return true;
    case 'y': add_padded(to, n <= 2 ? c->year % 100 : c->year, (unsigned)MIN(n, (size_t)20)); return true;
    case 'h': add_padded(to, hour12, n == 1 ? 1 : 2); return true;
    case 'H': add_padded(to, c->hour, n == 1 ? 1 : 2); return true;
    case 'm': add_padded(to, c->minute, n == 1 ? 1 : 2); return true;
    case 's': add_padded(to, c->second, n == 1 ? 1 : 2); return true;
    case 'f':
    case 'F':
        if (n > 7)
            return false;
        if (!add_fraction(to, c->fraction, n, letter == 'F') && to->len && to->p[to->len - 1] == '.')
            to->len--;                /* the point goes with them; that of a TimeSpan stays */
        return true;
    case 't': buf_add(to, c->hour < 12 ? "AM" : "PM", n == 1 ? 1 : 2); return true;
    case 'g': buf_add_lit(to, "A.D."); return true;
    case 'z': add_offset(to, m->has_offset ? m->offset : 0, n); return true;
    }
    return false;
}

static bool
custom_format(struct buf *to, const struct moment *m, struct str format)
{
    struct civil c;

    ticks_to_civil(m->ticks, &c);
    for (size_t i = 0; i < format.len && !to->failed;) {
        char letter = format.p[i];
        size_t n = 1;

        switch (letter) {
        case 'd': case 'M': case 'y': case 'h': case 'H': case 'm': case 's': case 'f': case 'F': case 't': case 'z': case 'g':
            n = run_length(format, i);
            if (!add_specifier(to, m, &c, letter, n))
                return false;
            break;
        case 'K': add_zone(to, m); break;
        case '\'': case '"': case '\\':
            if (!add_literal(to, format, &i))
                return false;
            continue;
        case '%': /* one specifier alone */
            if (i + 1 >= format.len || format.p[i + 1] == '%')
                return false;
            if (!custom_format(to, m, str_sub(format, i + 1, i + 2)))
                return false;
            n = 2;
            break;
        default: buf_add_char(to, letter);
        }
        i += n;
    }
    return true;
}

bool
datetime_format(struct buf *to, const struct moment *m, struct str format)
{
    struct moment utc = *m;
    const char *pattern;

    if (format.len == 0)
        return custom_format(to, m, m->has_offset ? STR("MM/dd/yyyy HH:mm:ss zzz") : STR("MM/dd/yyyy HH:mm:ss"));
    if (format.len > 1)
        return custom_format(to, m, format);
    pattern = datetime_standard_pattern(format.p[0]);
    if (!pattern || (format.p[0] == 'U' && m->has_offset))
        return false;
    if (m->has_offset && strchr("rRu", format.p[0]))
        utc.ticks -= m->offset;
    return custom_format(to, &utc, str_from_c(pattern));
}

/* --- spans ---------------------------------------------------------------------------------------------------------- */

struct span {
    bool negative;
    int64_t days;
    int hours, minutes, seconds, fraction;
};

static struct span
span_parts(int64_t ticks)
{
    uint64_t t = ticks < 0 ? -(uint64_t)ticks : (uint64_t)ticks;

    return (struct span){ticks < 0, (int64_t)(t / TICKS_PER_DAY), (int)(t / TICKS_PER_HOUR % 24),
                         (int)(t / TICKS_PER_MINUTE % 60), (int)(t / TICKS_PER_SECOND % 60), (int)(t % TICKS_PER_SECOND)};
}

static void
span_standard(struct buf *to, const struct span *s, char letter)
{
    bool general = letter == 'g' || letter == 'G';

    if (s->negative)
        buf_add_char(to, '-');
    if (s->days || letter == 'G') {
        add_padded(to, s->days, 1);
        buf_add_char(to, general ? ':' : '.');
    }
    add_padded(to, s->hours, letter == 'g' ? 1 : 2);
    buf_add_char(to, ':');
    add_padded(to, s->minutes, 2);
    buf_add_char(to, ':');
    add_padded(to, s->seconds, 2);
    if (s->fraction || letter == 'G') {
        buf_add_char(to, '.');
        add_fraction(to, s->fraction, 7, letter == 'g');
    }
}

static bool
span_specifier(struct buf *to, const struct span *s, char letter, size_t n)
{
    switch (letter) {
    case 'd': return n <= 8 && (add_padded(to, s->days, (unsigned)n), true);
    case 'h': return n <= 2 && (add_padded(to, s->hours, (unsigned)n), true);
    case 'm': return n <= 2 && (add_padded(to, s->minutes, (unsigned)n), true);
    case 's': return n <= 2 && (add_padded(to, s->seconds, (unsigned)n), true);
    case 'f':
    case 'F': return n <= 7 && (add_fraction(to, s->fraction, n, letter == 'F'), true);
    }
    return false;
}

static bool
span_custom(struct buf *to, const struct span *s, struct str format)
{
    for (size_t i = 0; i < format.len && !to->failed;) {
        char letter = format.p[i];
        size_t n = run_length(format, i);

        switch (letter) {
        case 'd': case 'h': case 'm': case 's': case 'f': case 'F':
            if (!span_specifier(to, s, letter, n))
                return false;
            i += n;
            break;
        case '\'': case '"': case '\\':
            if (!add_literal(to, format, &i))
                return false;
            break;
        case '%':
            if (i + 1 >= format.len || !span_specifier(to, s, format.p[i + 1], 1))
                return false;
            i += 2;
            break;
        default: return false; /* other characters have to be quoted */
        }
    }
    return true;
}

bool
timespan_format(struct buf *to, int64_t ticks, struct str format)
{
    struct span s = span_parts(ticks);

    if (format.len > 1)
        return span_custom(to, &s, format);
    if (format.len == 1 && !strchr("ctTgG", format.p[0]))
        return false;
    span_standard(to, &s, format.len ? format.p[0] : 'c');
    return true;
}
