/* datetime.c: days and ticks of the proleptic Gregorian calendar.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/datetime.h"

bool
is_leap_year(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int
days_in_month(int year, int month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap_year(year));
}

/* Days from 0001-01-01; years counted from March, so that the leap day is a year's last. */
static int64_t
days_from_date(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 306;
}

bool
ticks_from_civil(const struct civil *c, int64_t *ret)
{
    if (c->year < 1 || c->year > 9999 || c->month < 1 || c->month > 12 || c->day < 1 ||
        c->day > days_in_month(c->year, c->month))
        return false;
    *ret = days_from_date(c->year, c->month, c->day) * TICKS_PER_DAY + c->hour * TICKS_PER_HOUR +
           c->minute * TICKS_PER_MINUTE + c->second * TICKS_PER_SECOND + c->fraction;
    return true;
}

void
ticks_to_civil(int64_t ticks, struct civil *ret)
{
    int64_t days = ticks / TICKS_PER_DAY + 306, rest = ticks % TICKS_PER_DAY; /* from 0000-03-01 */
    int64_t era = days / 146097, day_of_era = days % 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;

    ret->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    ret->month = (int)(month < 10 ? month + 3 : month - 9);
    ret->year = (int)(era * 400 + year_of_era + (ret->month <= 2));
    ret->hour = (int)(rest / TICKS_PER_HOUR);
    ret->minute = (int)(rest / TICKS_PER_MINUTE % 60);
    ret->second = (int)(rest / TICKS_PER_SECOND % 60);
    ret->fraction = (int)(rest % TICKS_PER_SECOND);
}

int
ticks_day_of_week(int64_t ticks)
{
    return (int)((ticks / TICKS_PER_DAY + 1) % 7); /* 0001-01-01 was a Monday */
}

int
ticks_day_of_year(int64_t ticks)
{
    struct civil c;

    ticks_to_civil(ticks, &c);
    return (int)(ticks / TICKS_PER_DAY - days_from_date(c.year, 1, 1)) + 1;
}

bool
ticks_add_months(int64_t ticks, int64_t months, int64_t *ret)
{
    struct civil c;
    int64_t month;

    ticks_to_civil(ticks, &c);
    if (months < -120000 || months > 120000)
        return false;
    month = (int64_t)c.year * 12 + c.month - 1 + months;
    if (month < 12 || month >= INT64_C(10000) * 12)
        return false;
    c.year = (int)(month / 12);
    c.month = (int)(month % 12) + 1;
    c.day = MIN(c.day, days_in_month(c.year, c.month));
    return ticks_from_civil(&c, ret);
}
