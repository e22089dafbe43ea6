/* dates.c: ISO 8601 to seconds.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/dates.h"

struct reader {
    struct str text;
    size_t at;
};

/* Exactly n digits, at least min and at most max. */
static bool
read_digits(struct reader *r, size_t n, int min, int max, int *ret)
{
    int value = 0;

    for (size_t i = 0; i < n; i++) {
        if (r->at + i >= r->text.len || !ascii_is_digit(r->text.p[r->at + i]))
            return false;
        value = value * 10 + (r->text.p[r->at + i] - '0');
    }
    r->at += n;
    *ret = value;
    return value >= min && value <= max;
}

static bool
accept(struct reader *r, char c)
{
    if (r->at >= r->text.len || ascii_lower(r->text.p[r->at]) != c)
        return false;
    r->at++;
    return true;
}

static int
days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && is_leap);
}

/* Days from 1970-01-01; years begin in March, so that the leap day is the last of its year. */
static int64_t
days_from_epoch(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1, era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool
read_offset(struct reader *r, int64_t *seconds)
{
    int sign, hours, minutes = 0;

    if (r->at == r->text.len || accept(r, 'z'))
        return true;
    sign = accept(r, '+') ? 1 : accept(r, '-') ? -1 : 0;
    if (!sign || !read_digits(r, 2, 0, 14, &hours))
        return false;
    (void)accept(r, ':');
    if (r->at < r->text.len && !read_digits(r, 2, 0, 59, &minutes))
        return false;
    *seconds -= sign * (hours * 3600 + minutes * 60);
    return true;
}

static bool
read_time(struct reader *r, int64_t *seconds)
{
    int hours, minutes, secs = 0, digit;

    if (!read_digits(r, 2, 0, 23, &hours) || !accept(r, ':') || !read_digits(r, 2, 0, 59, &minutes))
        return false;
    if (accept(r, ':') && !read_digits(r, 2, 0, 59, &secs))
        return false;
    if (accept(r, '.')) {
        if (!read_digits(r, 1, 0, 9, &digit))
            return false;
        while (read_digits(r, 1, 0, 9, &digit))
            ;
    }
    *seconds += hours * 3600 + minutes * 60 + secs;
    return read_offset(r, seconds);
}

bool
date_parse_iso(struct str text, int64_t *ret_s, struct err *err)
{
    struct reader r = {.text = text};
    int year, month, day;
    int64_t seconds;

    if (!read_digits(&r, 4, 1, 9999, &year) || !accept(&r, '-') || !read_digits(&r, 2, 1, 12, &month) ||
        !accept(&r, '-') || !read_digits(&r, 2, 1, days_in_month(year, month), &day))
        return err_set(err, ERR_SYNTAX, "expected a date such as 2026-01-31T10:00:00Z, found '%.*s'", STR_ARG(text));
    seconds = days_from_epoch(year, month, day) * 86400;
    if ((r.at < text.len && (!(accept(&r, 't') || accept(&r, ' ')) || !read_time(&r, &seconds))) || r.at != text.len)
        return err_set(err, ERR_SYNTAX, "expected a date such as 2026-01-31T10:00:00Z, found '%.*s'", STR_ARG(text));
    *ret_s = seconds;
    return true;
}
