/* datetime.h: instants as .NET counts them: 100 ns ticks since 0001-01-01, proleptic Gregorian calendar; with their text forms
 * (invariant culture). Local time is UTC here.
 *
 * In a struct value: DateTime {lo: ticks, hi: enum datetime_kind}, DateTimeOffset {lo: UTC ticks, hi: offset in ticks},
 * TimeSpan {lo: ticks}.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "expr/value.h"

#define TICKS_PER_MS INT64_C(10000)
#define TICKS_PER_SECOND INT64_C(10000000)
#define TICKS_PER_MINUTE (60 * TICKS_PER_SECOND)
#define TICKS_PER_HOUR (60 * TICKS_PER_MINUTE)
#define TICKS_PER_DAY (24 * TICKS_PER_HOUR)
#define TICKS_MAX INT64_C(3155378975999999999)  /* 9999-12-31T23:59:59.9999999 */
#define TICKS_UNIX_EPOCH INT64_C(621355968000000000)

enum datetime_kind { KIND_UNSPECIFIED, KIND_UTC, KIND_LOCAL };

/* A date and time of day. month and day from 1. */
struct civil {
    int year, month, day, hour, minute, second;
    int fraction;                     /* ticks of a second */
};

bool is_leap_year(int year);
/* 28-31; month in 1-12. */
int days_in_month(int year, int month);
/* False when the date does not exist or leaves 0001-9999. Time parts must be in range. */
MUST_USE bool ticks_from_civil(const struct civil *c, int64_t *ret);
void ticks_to_civil(int64_t ticks, struct civil *ret);
/* 0 Sunday - 6 Saturday. */
int ticks_day_of_week(int64_t ticks);
int ticks_day_of_year(int64_t ticks);
/* The day is cut to the month's last one. False outside of 0001-9999. */
MUST_USE bool ticks_add_months(int64_t ticks, int64_t months, int64_t *ret);

static inline int64_t
ticks_from_unix_ns(uint64_t ns)
{
    return TICKS_UNIX_EPOCH + (int64_t)(ns / 100);
}

static inline struct value
value_datetime(int64_t ticks, enum datetime_kind kind)
{
    return (struct value){.lo = (uint64_t)ticks, .hi = kind};
}

/* utc_ticks + offset must be in range. */
static inline struct value
value_datetime_offset(int64_t utc_ticks, int64_t offset_ticks)
{
    return (struct value){.lo = (uint64_t)utc_ticks, .hi = (uint64_t)offset_ticks};
}

/* A clock reading with what is known of its zone. */
struct moment {
    int64_t ticks;                    /* of the clock on the wall there */
    enum datetime_kind kind;          /* of a DateTime */
    bool has_offset;                  /* a DateTimeOffset, or text that named its zone */
    bool is_utc_text;                 /* the text said Z or GMT */
    int64_t offset;                   /* ticks east of UTC */
};

/* By a standard (d D f F g G m o r s t T u U y) or custom format; empty: G, for offsets with " zzz". False: FormatException. */
MUST_USE bool datetime_format(struct buf *to, const struct moment *m, struct str format);
/* What DateTime.Parse takes: ISO 8601, RFC 1123, 05/06/2024, "5 Jan 2024 10:00 PM" ... `now` completes a time without date and
 * a date without year. False: FormatException. */
MUST_USE bool datetime_parse(struct str text, int64_t now, struct moment *ret);
/* By one standard or custom format, as ParseExact. False: FormatException. */
MUST_USE bool datetime_parse_exact(struct str text, struct str format, int64_t now, struct moment *ret);

/* Standard (c t T g G) or custom; empty: c. False: FormatException. */
MUST_USE bool timespan_format(struct buf *to, int64_t ticks, struct str format);
enum timespan_status { TIMESPAN_OK, TIMESPAN_FORMAT, TIMESPAN_OVERFLOW };
/* [-]d, [-][d.]hh:mm[:ss[.fffffff]], [-]d:hh:mm:ss */
enum timespan_status timespan_parse(struct str text, int64_t *ret);
/* TimeSpan.ParseExact: by one standard (c t T g G) or custom format; `negative` is TimeSpanStyles.AssumeNegative, for custom ones. */
enum timespan_status timespan_parse_exact(struct str text, struct str format, bool negative, int64_t *ret);
