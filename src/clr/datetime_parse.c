/* datetime_parse.c: dates and spans from text.
 *
 * DateTime.Parse guesses. Our reading: the text is cut into numbers, words and marks; h:m[:s[.f]] is the time, names are months
 * and weekdays, AM/PM, Z and GMT are what they are, a sign behind a time begins an offset; what numbers are left are the date, in
 * the invariant culture's order (month/day/year) unless the first one has more than two digits.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/datetime.h"
#include "clr/datetime_names.h"

#define TWO_DIGIT_YEAR_MAX 2029

struct number_part {
    int value;
    int digits;
};

struct parse {
    struct str text;
    size_t at;
    struct number_part part[3];       /* of the date */
    int n_parts;
    int month;                        /* by name; 0 none */
    int month_at;                     /* parts read before the name */
    int weekday;                      /* -1 none */
    bool has_time, has_offset, is_utc;
    bool has_t;                       /* between date and time */
    int meridiem;                     /* 1 AM, 2 PM */
    struct civil c;
    int64_t offset;
};

static bool
at_digit(const struct parse *p)
{
    return p->at < p->text.len && ascii_is_digit(p->text.p[p->at]);
}

static bool
accept(struct parse *p, char c)
{
    if (p->at >= p->text.len || p->text.p[p->at] != c)
        return false;
    p->at++;
    return true;
}

static void
skip_blanks(struct parse *p)
{
    while (p->at < p->text.len && ascii_is_blank(p->text.p[p->at]))
        p->at++;
}

/* Digits, at most `max` of them. False when there are none or more. */
static bool
read_number(struct parse *p, int max, struct number_part *ret)
{
    *ret = (struct number_part){0, 0};
    for (; at_digit(p); p->at++) {
        if (++ret->digits > max)
            return false;
        ret->value = ret->value * 10 + (p->text.p[p->at] - '0');
    }
    return ret->digits > 0;
}

/* Behind the point: ticks, rounded to the seventh digit. */
static bool
read_fraction(struct parse *p, int *ret_ticks)
{
    int value = 0, digits = 0;
    bool up = false;

    for (; at_digit(p); p->at++, digits++) {
        if (digits < 7)
            value = value * 10 + (p->text.p[p->at] - '0');
        else if (digits == 7)
            up = p->text.p[p->at] >= '5';
    }
    for (int i = digits; i < 7; i++)
        value *= 10;
    *ret_ticks = MIN(value + up, 9999999);
    return digits > 0;
}

/* hh, hhmm, hh:mm behind its sign. */
static bool
read_offset(struct parse *p, bool negative)
{
    struct number_part hours, minutes = {0, 0};

    if (!read_number(p, 4, &hours))
        return false;
    if (hours.digits > 2) {
        minutes.value = hours.value % 100;
        hours.value /= 100;
    } else if (accept(p, ':') && !read_number(p, 2, &minutes)) {
        return false;
    }
    if (hours.value > 14 || minutes.value > 59 || (hours.value == 14 && minutes.value))
        return false;
    p->offset = hours.value * TICKS_PER_HOUR + minutes.value * TICKS_PER_MINUTE;
    if (negative)
        p->offset = -p->offset;
    p->has_offset = true;
    return true;
}

/* The rest of a time whose hour was read and that stands at its colon. */
static bool
read_time(struct parse *p, int hour)
{
    struct number_part minute, second = {0, 0};

    if (p->has_time || !accept(p, ':') || !read_number(p, 2, &minute))
        return false;
    p->c.hour = hour;
    p->c.minute = minute.value;
    if (accept(p, ':')) {
        if (!read_number(p, 2, &second))
            return false;
        if (accept(p, '.') && !read_fraction(p, &p->c.fraction))
            return false;
    }
    p->c.second = second.value;
    p->has_time = true;
    return hour <= 24 && minute.value < 60 && second.value < 60;
}

static int
find_name(const char *const *names, int n, struct str word)
{
    for (int i = 0; i < n; i++)
        if (str_eq_nocase(word, str_from_c(names[i])) || str_eq_nocase(word, str_from(names[i], 3)))
            return i;
    return -1;
}

static bool
read_word(struct parse *p)
{
    size_t from = p->at;
    struct str word;
    int found;

    while (p->at < p->text.len && ascii_is_alpha(p->text.p[p->at]))
        p->at++;
    word = str_sub(p->text, from, p->at);
    if ((found = find_name(month_names, 12, word)) >= 0) {
        if (p->month)
            return false;
        p->month = found + 1;
        p->month_at = p->n_parts;
        return true;
    }
    if ((found = find_name(day_names, 7, word)) >= 0) {
        if (p->weekday >= 0)
            return false;
        p->weekday = found;
        return true;
    }
    if (str_eq_nocase(word, STR("AM")) || str_eq_nocase(word, STR("A")) || str_eq_nocase(word, STR("PM")) ||
        str_eq_nocase(word, STR("P"))) {
        if (p->meridiem)
            return false;
        p->meridiem = ascii_lower(word.p[0]) == 'p' ? 2 : 1;
        return true;
    }
    if (str_eq_nocase(word, STR("Z")) || str_eq_nocase(word, STR("GMT"))) {
        if (p->has_offset)
            return false;
        p->has_offset = p->is_utc = true;
        p->offset = 0;
        return true;
    }
    p->has_t = str_eq_nocase(word, STR("T")) && p->n_parts + (p->month > 0) >= 2 && !p->has_time;
    return p->has_t;
}

static bool
read_token(struct parse *p)
{
    char c = p->text.p[p->at];
    struct number_part n;

    if (ascii_is_digit(c)) {
        if (!read_number(p, 8, &n))
            return false;
        if (p->at < p->text.len && p->text.p[p->at] == ':')
            return n.digits <= 2 && read_time(p, n.value);
        if (p->n_parts == 0 && !p->month) { /* "5 PM" */
            size_t back = p->at;
            skip_blanks(p);
            char next = p->at < p->text.len ? ascii_lower(p->text.p[p->at]) : '\0';
            char after = p->at + 1 < p->text.len ? ascii_lower(p->text.p[p->at + 1]) : '\0';
            p->at = back;
            if ((next == 'a' || next == 'p') && after == 'm' && !p->has_time) {
                p->c.hour = n.value;
                p->has_time = true;
                return n.digits <= 2;
            }
        }
        if (p->n_parts == 3)
            return false;
        p->part[p->n_parts++] = n;
        return true;
    }
    if (ascii_is_alpha(c))
        return read_word(p);
    p->at++;
    if (((c == '+' && p->n_parts == 3) || ((c == '+' || c == '-') && p->has_time)) && !p->has_offset)
        return read_offset(p, c == '-');
    return c == '/' || c == '-' || c == '.' || c == ',';
}

static int
full_year(struct number_part n)
{
    if (n.digits > 2)
        return n.value;
    return n.value + (n.value + 2000 > TWO_DIGIT_YEAR_MAX ? 1900 : 2000);
}

static bool
is_year(struct number_part n)
{
    return n.digits > 2;
}

/* Day and year around a month's name. */
static bool
resolve_named(struct parse *p, int year_now)
{
    struct number_part *v = p->part;

    p->c.month = p->month;
    switch (p->n_parts) {
    case 0: return false;
    case 1:
        if (is_year(v[0]) || v[0].value > 31) {
            p->c.year = full_year(v[0]);
            p->c.day = 1;
        } else {
            p->c.year = year_now;
            p->c.day = v[0].value;
        }
        return true;
    case 2: {
        bool year_first = is_year(v[0]);
        p->c.year = full_year(v[year_first ? 0 : 1]);
        p->c.day = v[year_first ? 1 : 0].value;
        return v[year_first ? 1 : 0].digits <= 2;
    }
    }
    return false;
}

static bool
resolve_numbers(struct parse *p, int year_now)
{
    struct number_part *v = p->part;

    if (p->n_parts == 3) {
        int y = is_year(v[0]) ? 0 : 2, m = is_year(v[0]) ? 1 : 0, d = is_year(v[0]) ? 2 : 1;
        p->c.year = full_year(v[y]);
        p->c.month = v[m].value;
        p->c.day = v[d].value;
        return v[m].digits <= 2 && v[d].digits <= 2 && v[y].digits <= 4;
    }
    if (p->n_parts != 2)
        return false;
    if (is_year(v[0]) && is_year(v[1]))
        return false;
    p->c.day = 1;
    p->c.year = year_now;
    if (is_year(v[0]) || is_year(v[1])) {
        p->c.year = v[is_year(v[0]) ? 0 : 1].value;
        p->c.month = v[is_year(v[0]) ? 1 : 0].value;
    } else {
        p->c.month = v[0].value;
        p->c.day = v[1].value;
    }
    return true;
}

static bool
apply_meridiem(struct civil *c, int meridiem)
{
    if (!meridiem)
        return true;
    if (c->hour > 12 || c->hour == 0)
        return c->hour > 12 && meridiem == 2;
    c->hour = c->hour % 12 + (meridiem == 2 ? 12 : 0);
    return true;
}

/* Midnight at the end of a day, 24:00:00, is the next day. */
static bool
finish(struct parse *p, struct moment *ret)
{
    bool is_day_end = p->c.hour == 24;
    int64_t ticks;

    if (is_day_end && (p->c.minute || p->c.second || p->c.fraction))
        return false;
    if (is_day_end)
        p->c.hour = 0;
    if (!ticks_from_civil(&p->c, &ticks))
        return false;
    if (is_day_end)
        ticks += TICKS_PER_DAY;
    if (p->weekday >= 0 && ticks_day_of_week(ticks) != p->weekday)
        return false;
    if (ticks > TICKS_MAX || (p->has_offset && (ticks - p->offset < 0 || ticks - p->offset > TICKS_MAX)))
        return false;
    *ret = (struct moment){.ticks = ticks, .has_offset = p->has_offset, .is_utc_text = p->is_utc, .offset = p->offset};
    return true;
}

bool
datetime_parse(struct str text, int64_t now, struct moment *ret)
{
    struct parse p = {.text = text, .weekday = -1};
    struct civil today;
    bool has_date;

    ticks_to_civil(now, &today);
    for (skip_blanks(&p); p.at < text.len; skip_blanks(&p))
        if (!read_token(&p))
            return false;
    has_date = p.month || p.n_parts;
    if (!has_date && !p.has_time)
        return false;
    if (!has_date) {
        p.c.year = today.year;
        p.c.month = today.month;
        p.c.day = today.day;
    } else if (!(p.month ? resolve_named(&p, today.year) : resolve_numbers(&p, today.year))) {
        return false;
    }
    if ((p.meridiem && (!p.has_time || p.has_t)) || p.c.hour == 24)
        return false;
    return apply_meridiem(&p.c, p.meridiem) && finish(&p, ret);
}

/* --- exact ---------------------------------------------------------------------------------------------------------- */

struct exact {
    struct parse p;
    bool has_year, has_month, has_day;
    bool is_hour12;
};

static bool
exact_number(struct parse *p, size_t n, int max_digits, int *ret)
{
    struct number_part part = {0, 0};
    size_t from = p->at;

    while (at_digit(p) && (int)(p->at - from) < max_digits) {
        part.value = part.value * 10 + (p->text.p[p->at] - '0');
        p->at++;
    }
    *ret = part.value;
    return p->at > from && (n < 2 || p->at - from >= MIN(n, (size_t)max_digits));
}

static bool
exact_fraction(struct parse *p, size_t n, bool optional)
{
    int value = 0;
    size_t digits = 0;

    for (; digits < n && at_digit(p); p->at++, digits++)
        value = value * 10 + (p->text.p[p->at] - '0');
    if (!optional && digits < n)
        return false;
    for (size_t i = digits; i < 7; i++)
        value *= 10;
    p->c.fraction = value;
    return true;
}

static bool
exact_name(struct parse *p, const char *const *names, int n, bool is_short, int *ret)
{
    for (int i = 0; i < n; i++) {
        struct str name = is_short ? str_from(names[i], 3) : str_from_c(names[i]);
        if (str_starts_with_nocase(str_skip(p->text, p->at), name)) {
            p->at += name.len;
            *ret = i;
            return true;
        }
    }
    return false;
}

static bool
exact_zone(struct parse *p, bool z_allowed)
{
    if (z_allowed && accept(p, 'Z')) {
        p->has_offset = p->is_utc = true;
        return true;
    }
    if (accept(p, '+'))
        return read_offset(p, false);
    return accept(p, '-') && read_offset(p, true);
}

static bool
exact_specifier(struct exact *x, char letter, size_t n)
{
    struct parse *p = &x->p;
    int found = 0;

    switch (letter) {
    case 'y':
        x->has_year = true;
        if (!exact_number(p, n, n <= 2 ? 2 : 4, &found))
            return false;
        p->c.year = n <= 2 ? full_year((struct number_part){found, 2}) : found;
        return true;
    case 'M':
        x->has_month = true;
        if (n <= 2)
            return exact_number(p, n, 2, &p->c.month);
        if (!exact_name(p, month_names, 12, n == 3, &found))
            return false;
        p->c.month = found + 1;
        return true;
    case 'd':
        if (n > 2)
            return exact_name(p, day_names, 7, n == 3, &p->weekday);
        x->has_day = true;
        return exact_number(p, n, 2, &p->c.day);
    case 'h': x->is_hour12 = true; return exact_number(p, n, 2, &p->c.hour) && p->c.hour <= 12;
    case 'H': return exact_number(p, n, 2, &p->c.hour) && p->c.hour < 24;
    case 'm': return exact_number(p, n, 2, &p->c.minute) && p->c.minute < 60;
    case 's': return exact_number(p, n, 2, &p->c.second) && p->c.second < 60;
    case 'f':
    case 'F': return n <= 7 && exact_fraction(p, n, letter == 'F');
    case 't': {
        char c = p->at < p->text.len ? ascii_lower(p->text.p[p->at]) : '\0';
        p->meridiem = c == 'a' ? 1 : c == 'p' ? 2 : 0;
        p->at += p->meridiem ? 1 : 0;
        if (p->meridiem && n > 1 && !(accept(p, 'M') || accept(p, 'm')))
            return false;
        return p->meridiem != 0;
    }
    case 'z': return exact_zone(p, false);
    case 'K': exact_zone(p, true); return true;
    }
    return false;
}

static bool
exact_literal(struct parse *p, struct str format, size_t *i)
{
    char quote = format.p[*i];

    if (quote == '\\') {
        *i += 2;
        return *i <= format.len && accept(p, format.p[*i - 1]);
    }
    for (++*i; *i < format.len && format.p[*i] != quote; ++*i)
        if (!accept(p, format.p[*i]))
            return false;
    return (*i)++ < format.len;
}

bool
datetime_parse_exact(struct str text, struct str format, int64_t now, struct moment *ret)
{
    struct exact x = {.p = {.text = text, .weekday = -1}};
    struct civil today;

    if (format.len == 1) {
        const char *pattern = datetime_standard_pattern(format.p[0]);
        if (!pattern)
            return false;
        if (strchr("rRu", format.p[0]))
            x.p.is_utc = false;
        format = str_from_c(pattern);
    }
    for (size_t i = 0; i < format.len;) {
        char letter = format.p[i];
        size_t n = 1;

        if (letter == '%') {
            i++;
            continue;
        }
        if (letter == '\'' || letter == '"' || letter == '\\') {
            if (!exact_literal(&x.p, format, &i))
                return false;
            continue;
        }
        while (letter != 'K' && i + n < format.len && format.p[i + n] == letter)
            n++;
        if (strchr("dMyhHmsfFtzK", letter)) {
            /* An optional fraction takes its point along. */
            if (!exact_specifier(&x, letter, n))
                return false;
            i += n;
            continue;
        }
        if (!accept(&x.p, letter) && !(letter == '.' && i + 1 < format.len && format.p[i + 1] == 'F'))
            return false;
        i++;
    }
    if (x.p.at != text.len)
        return false;
    ticks_to_civil(now, &today);
    if (!x.has_year)
        x.p.c.year = x.has_month || x.has_day ? today.year : today.year;
    if (!x.has_month)
        x.p.c.month = x.has_year || x.has_day ? 1 : today.month;
    if (!x.has_day)
        x.p.c.day = x.has_year || x.has_month ? 1 : today.day;
    if (x.is_hour12 && !x.p.meridiem && x.p.c.hour == 12)
        x.p.c.hour = 0;
    return apply_meridiem(&x.p.c, x.p.meridiem) && finish(&x.p, ret);
}

/* --- spans ---------------------------------------------------------------------------------------------------------- */

/* Limits: hours 23, minutes and seconds 59; a first number alone, or before '.' or a fourth part, is days. */
enum timespan_status
timespan_parse(struct str text, int64_t *ret)
{
    struct parse p = {.text = str_trim(text)};
    struct number_part v[4] = {{0, 0}};
    int n = 0, fraction = 0;
    bool negative = accept(&p, '-'), has_days = false;

    if (!read_number(&p, 8, &v[n++]))
        return TIMESPAN_FORMAT;
    if (accept(&p, '.')) {
        has_days = true;
        if (!read_number(&p, 8, &v[n++]))
            return TIMESPAN_FORMAT;
    }
    while (n < 4 && accept(&p, ':'))
        if (!read_number(&p, 8, &v[n++]))
            return TIMESPAN_FORMAT;
    if (n >= 3 && accept(&p, '.')) {
        size_t from = p.at;
        if (!read_fraction(&p, &fraction) || p.at - from > 7)
            return p.at - from > 7 ? TIMESPAN_OVERFLOW : TIMESPAN_FORMAT;
    }
    if (p.at != p.text.len || (has_days && n == 2))
        return TIMESPAN_FORMAT;
    if (n == 1 || n == 4 || (n == 3 && !has_days && v[0].value > 23 && !fraction)) /* 25:00:00 is 25 days */
        has_days = true;
    int first = has_days ? 1 : 0;
    int64_t days = has_days ? v[0].value : 0;
    int64_t hours = first < n ? v[first].value : 0, minutes = first + 1 < n ? v[first + 1].value : 0,
            seconds = first + 2 < n ? v[first + 2].value : 0;
    if (days > 10675199 || hours > 23 || minutes > 59 || seconds > 59)
        return TIMESPAN_OVERFLOW;
    __int128 ticks = (__int128)days * TICKS_PER_DAY + hours * TICKS_PER_HOUR + minutes * TICKS_PER_MINUTE +
                     seconds * TICKS_PER_SECOND + fraction;
    if (ticks > (__int128)INT64_MAX + negative)
        return TIMESPAN_OVERFLOW;
    *ret = (int64_t)(negative ? -ticks : ticks);
    return TIMESPAN_OK;
}
