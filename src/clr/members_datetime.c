/* members_datetime.c: System.DateTime. Local time is UTC, so Now and UtcNow differ by their Kind alone.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "clr/families.h"
#include "clr/times.h"
#include "clr/values.h"

static int64_t
ticks_of(const struct call *c, uint32_t i)
{
    return c->args[i].i64;
}

static bool
return_datetime(struct call *c, int64_t ticks, uint64_t kind)
{
    c->ret = value_datetime(ticks, (enum datetime_kind)kind);
    return true;
}

/* Same kind as the receiver's. False after throwing when it leaves the calendar. */
static bool
return_moved(struct call *c, __int128 ticks)
{
    if (ticks < 0 || ticks > TICKS_MAX)
        return throw_argument_range(c, "value", "The added or subtracted value results in an un-representable DateTime.");
    return return_datetime(c, (int64_t)ticks, c->args[0].hi);
}

/* --- hooks ------------------------------------------------------------------------------------------------------------------ */

static bool
datetime_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    struct moment m = {.ticks = v.i64, .kind = (enum datetime_kind)v.hi};

    return format_moment(c, &m, format, ret);
}

static const struct type_hooks datetime_hooks = {
    .to_string = datetime_to_string, .equals = ticks_equal, .hash = ticks_hash, .compare = ticks_compare,
};

/* --- making ------------------------------------------------------------------------------------------------------------------ */

static bool
new_from_ticks(struct call *c)
{
    int64_t ticks = ticks_of(c, 0);

    if (ticks < 0 || ticks > TICKS_MAX)
        return throw_argument_range(c, "ticks", "Ticks must be between DateTime.MinValue.Ticks and DateTime.MaxValue.Ticks.");
    return return_datetime(c, ticks, c->n_args > 1 ? c->args[1].u64 : KIND_UNSPECIFIED);
}

static bool
new_from_parts(struct call *c, uint32_t n, uint64_t kind)
{
    int64_t ticks;

    return read_civil(c, n, &ticks) && return_datetime(c, ticks, kind);
}

static bool new_plain(struct call *c) { return new_from_parts(c, c->n_args, KIND_UNSPECIFIED); }
static bool new_of_kind(struct call *c) { return new_from_parts(c, c->n_args - 1, c->args[c->n_args - 1].u64); }

/* The only calendar that can be named is the Gregorian one. */
static bool
new_in_calendar_by(struct call *c, uint32_t n, uint64_t kind)
{
    if (!c->args[n].ref)
        return throw_argument_null(c, "calendar");
    return new_from_parts(c, n, kind);
}

static bool new_in_calendar(struct call *c) { return new_in_calendar_by(c, c->n_args - 1, KIND_UNSPECIFIED); }
static bool new_in_calendar_of_kind(struct call *c) { return new_in_calendar_by(c, c->n_args - 2, c->args[c->n_args - 1].u64); }
static bool now(struct call *c) { return return_datetime(c, clr_now_ticks(c), KIND_LOCAL); }
static bool utc_now(struct call *c) { return return_datetime(c, clr_now_ticks(c), KIND_UTC); }
static bool min_value(struct call *c) { return return_datetime(c, 0, KIND_UNSPECIFIED); }
static bool max_value(struct call *c) { return return_datetime(c, TICKS_MAX, KIND_UNSPECIFIED); }

static bool
today(struct call *c)
{
    int64_t ticks = clr_now_ticks(c);

    return return_datetime(c, ticks - ticks % TICKS_PER_DAY, KIND_LOCAL);
}

static bool
not_recognized(struct call *c)
{
    return call_throw(c, EXC_FORMAT, "String was not recognized as a valid DateTime.");
}

static bool
parse(struct call *c)
{
    struct moment m;

    if (!call_string(c, 0))
        return throw_argument_null(c, "s");
    uint64_t styles = c->n_args > 2 ? c->args[2].u64 : 0;
    if (!check_styles(c, styles, false))
        return false;
    if (!datetime_parse(call_str(c, 0), styles & STYLES_NO_CURRENT_DATE ? 0 : clr_now_ticks(c), &m) ||
        !moment_to_datetime(&m, styles, &c->ret))
        return not_recognized(c);
    return true;
}

/* (s, out) or (s, provider, styles, out) */
static bool
try_parse(struct call *c)
{
    struct moment m;
    uint64_t styles = c->n_args > 2 ? c->args[2].u64 : 0;
    struct value v = value_i64(0);
    bool ok;

    if (!check_styles(c, styles, false))
        return false;
    ok = call_string(c, 0) && datetime_parse(call_str(c, 0), styles & STYLES_NO_CURRENT_DATE ? 0 : clr_now_ticks(c), &m) &&
         moment_to_datetime(&m, styles, &v);
    c->args[c->n_args - 1] = v;
    return return_bool(c, ok);
}

/* (s, format or formats, provider [, styles]) */
static bool
parse_exact_by(struct call *c, bool has_many)
{
    struct moment m;
    uint64_t styles = c->n_args > 3 ? c->args[3].u64 : 0;

    if (!c->args[0].ref || !c->args[1].ref)
        return throw_argument_null(c, !c->args[0].ref ? "s" : has_many ? "formats" : "format");
    if (!check_styles(c, styles, false))
        return false;
    if (!read_exact(c, call_str(c, 0), c->args[1].ref, has_many, styles, &m) || !moment_to_datetime(&m, styles, &c->ret))
        return not_recognized(c);
    return true;
}

static bool parse_exact(struct call *c) { return parse_exact_by(c, false); }
static bool parse_exact_many(struct call *c) { return parse_exact_by(c, true); }

static bool
try_parse_exact_by(struct call *c, bool has_many)
{
    struct moment m;
    uint64_t styles = c->args[3].u64;
    struct value v = value_i64(0);
    bool ok;

    if (!check_styles(c, styles, false))
        return false;
    ok = c->args[0].ref && c->args[1].ref && read_exact(c, call_str(c, 0), c->args[1].ref, has_many, styles, &m) &&
         moment_to_datetime(&m, styles, &v);
    c->args[4] = v;
    return return_bool(c, ok);
}

static bool try_parse_exact(struct call *c) { return try_parse_exact_by(c, false); }
static bool try_parse_exact_many(struct call *c) { return try_parse_exact_by(c, true); }
static bool to_universal(struct call *c) { return return_datetime(c, ticks_of(c, 0), KIND_UTC); }
static bool to_local(struct call *c) { return return_datetime(c, ticks_of(c, 0), KIND_LOCAL); }
static bool specify_kind(struct call *c) { return return_datetime(c, ticks_of(c, 0), c->args[1].u64); }

/* --- parts ------------------------------------------------------------------------------------------------------------------- */

#define PART(name, field) \
    static bool name(struct call *c) \
    { \
        struct civil parts; \
        ticks_to_civil(ticks_of(c, 0), &parts); \
        return return_i64(c, parts.field); \
    }
PART(year, year)
PART(month, month)
PART(day, day)
PART(hour, hour)
PART(minute, minute)
PART(second, second)
PART(millisecond, fraction / TICKS_PER_MS)

static bool date(struct call *c) { return return_datetime(c, ticks_of(c, 0) - ticks_of(c, 0) % TICKS_PER_DAY, c->args[0].hi); }
static bool time_of_day(struct call *c) { return return_i64(c, ticks_of(c, 0) % TICKS_PER_DAY); }
static bool ticks(struct call *c) { return return_i64(c, ticks_of(c, 0)); }
static bool kind(struct call *c) { return return_i64(c, (int64_t)c->args[0].hi); }
static bool day_of_week(struct call *c) { return return_i64(c, ticks_day_of_week(ticks_of(c, 0))); }
static bool day_of_year(struct call *c) { return return_i64(c, ticks_day_of_year(ticks_of(c, 0))); }
static bool is_daylight_saving(struct call *c) { return return_bool(c, false); }

static bool
is_leap(struct call *c)
{
    int64_t y = c->args[0].i64;

    if (y < 1 || y > 9999)
        return throw_argument_range(c, "year", "Year must be between 1 and 9999.");
    return return_bool(c, is_leap_year((int)y));
}

static bool
days_in(struct call *c)
{
    int64_t y = c->args[0].i64, m = c->args[1].i64;

    if (m < 1 || m > 12)
        return throw_argument_range(c, "month", "Month must be between one and twelve.");
    if (y < 1 || y > 9999)
        return throw_argument_range(c, "year", "Year must be between 1 and 9999.");
    return return_i64(c, days_in_month((int)y, (int)m));
}

/* --- arithmetic -------------------------------------------------------------------------------------------------------------- */

static bool
add_units(struct call *c, int64_t unit)
{
    int64_t by;

    if (!ticks_of_units(c->args[1].f64, unit, &by))
        return throw_argument_range(c, "value", "Value to add was out of range.");
    return return_moved(c, (__int128)ticks_of(c, 0) + by);
}

static bool add_days(struct call *c) { return add_units(c, TICKS_PER_DAY); }
static bool add_hours(struct call *c) { return add_units(c, TICKS_PER_HOUR); }
static bool add_minutes(struct call *c) { return add_units(c, TICKS_PER_MINUTE); }
static bool add_seconds(struct call *c) { return add_units(c, TICKS_PER_SECOND); }
static bool add_milliseconds(struct call *c) { return add_units(c, TICKS_PER_MS); }
static bool add_ticks(struct call *c) { return return_moved(c, (__int128)ticks_of(c, 0) + c->args[1].i64); }
static bool subtract_span(struct call *c) { return return_moved(c, (__int128)ticks_of(c, 0) - c->args[1].i64); }
static bool subtract(struct call *c) { return return_i64(c, ticks_of(c, 0) - ticks_of(c, 1)); }

static bool
add_calendar(struct call *c, int64_t months)
{
    int64_t moved;

    if (!ticks_add_months(ticks_of(c, 0), months, &moved))
        return throw_argument_range(c, "months", "The added or subtracted value results in an un-representable DateTime.");
    return return_datetime(c, moved, c->args[0].hi);
}

static bool
add_months(struct call *c)
{
    int64_t months = c->args[1].i64;

    if (months < -120000 || months > 120000)
        return throw_argument_range(c, "months", "Months value must be between +/-120000.");
    return add_calendar(c, months);
}

static bool
add_years(struct call *c)
{
    int64_t years = c->args[1].i64;

    if (years < -10000 || years > 10000)
        return throw_argument_range(c, "years", "Years value must be between +/-10000.");
    return add_calendar(c, years * 12);
}

static bool equal(struct call *c) { return return_bool(c, ticks_of(c, 0) == ticks_of(c, 1)); }
static bool not_equal(struct call *c) { return return_bool(c, ticks_of(c, 0) != ticks_of(c, 1)); }
static bool less(struct call *c) { return return_bool(c, ticks_of(c, 0) < ticks_of(c, 1)); }
static bool less_or_equal(struct call *c) { return return_bool(c, ticks_of(c, 0) <= ticks_of(c, 1)); }
static bool greater(struct call *c) { return return_bool(c, ticks_of(c, 0) > ticks_of(c, 1)); }
static bool greater_or_equal(struct call *c) { return return_bool(c, ticks_of(c, 0) >= ticks_of(c, 1)); }

static bool
compare(struct call *c)
{
    return return_i64(c, (ticks_of(c, 0) > ticks_of(c, 1)) - (ticks_of(c, 0) < ticks_of(c, 1)));
}

static bool
compare_to_object(struct call *c)
{
    return compare_with_boxed(c, "DateTime");
}

static bool
text_in(struct call *c, struct str format)
{
    struct string *s;

    return value_to_string(c, c->owner, c->args[0], format, &s) && return_ref(c, s);
}

static bool long_date(struct call *c) { return text_in(c, STR("D")); }
static bool long_time(struct call *c) { return text_in(c, STR("T")); }
static bool short_date(struct call *c) { return text_in(c, STR("d")); }
static bool short_time(struct call *c) { return text_in(c, STR("t")); }

#define D "DateTime"

static const struct type_row types[] = {
    STRUCT("System.DateTime", "IComparable, IComparable<DateTime>, IEquatable<DateTime>, IFormattable", &datetime_hooks),
    ENUM("System.DateTimeKind", "Unspecified = 0, Utc = 1, Local = 2"),
    ENUM("System.DayOfWeek", "Sunday = 0, Monday = 1, Tuesday = 2, Wednesday = 3, Thursday = 4, Friday = 5, Saturday = 6"),
};

static const struct member_row members[] = {
    M(D, "new(long ticks)", new_from_ticks),
    M(D, "new(long ticks, DateTimeKind kind)", new_from_ticks),
    M(D, "new(int year, int month, int day)", new_plain),
    M(D, "new(int year, int month, int day, int hour, int minute, int second)", new_plain),
    M(D, "new(int year, int month, int day, int hour, int minute, int second, DateTimeKind kind)", new_of_kind),
    M(D, "new(int year, int month, int day, int hour, int minute, int second, int millisecond)", new_plain),
    M(D, "new(int year, int month, int day, int hour, int minute, int second, int millisecond, DateTimeKind kind)", new_of_kind),
    M(D, "static DateTime Now { get; }", now),
    M(D, "static DateTime UtcNow { get; }", utc_now),
    M(D, "static DateTime Today { get; }", today),
    M(D, "static DateTime MinValue { get; }", min_value),
    M(D, "static DateTime MaxValue { get; }", max_value),
    M(D, "new(int year, int month, int day, Calendar calendar)", new_in_calendar),
    M(D, "new(int year, int month, int day, int hour, int minute, int second, Calendar calendar)", new_in_calendar),
    M(D, "new(int year, int month, int day, int hour, int minute, int second, int millisecond, Calendar calendar)", new_in_calendar),
    M(D, "new(int year, int month, int day, int hour, int minute, int second, int millisecond, Calendar calendar, DateTimeKind kind)",
      new_in_calendar_of_kind),
    M(D, "static DateTime Parse(string s)", parse),
    M(D, "static DateTime Parse(string s, IFormatProvider provider)", parse),
    M(D, "static DateTime Parse(string s, IFormatProvider provider, DateTimeStyles styles)", parse),
    M_EXTRA(D, "static bool TryParse(string s, out DateTime result)", try_parse),
    M_EXTRA(D, "static bool TryParse(string s, IFormatProvider provider, DateTimeStyles styles, out DateTime result)", try_parse),
    M_EXTRA(D, "static DateTime ParseExact(string s, string format, IFormatProvider provider)", parse_exact),
    M_EXTRA(D, "static DateTime ParseExact(string s, string format, IFormatProvider provider, DateTimeStyles style)", parse_exact),
    M_EXTRA(D, "static DateTime ParseExact(string s, string[] formats, IFormatProvider provider, DateTimeStyles style)",
            parse_exact_many),
    M_EXTRA(D, "static bool TryParseExact(string s, string format, IFormatProvider provider, DateTimeStyles style, out DateTime result)",
            try_parse_exact),
    M_EXTRA(D, "static bool TryParseExact(string s, string[] formats, IFormatProvider provider, DateTimeStyles style, out DateTime result)",
            try_parse_exact_many),
    M_EXTRA(D, "static DateTime SpecifyKind(DateTime value, DateTimeKind kind)", specify_kind),
    M_EXTRA(D, "DateTime ToUniversalTime()", to_universal),
    M_EXTRA(D, "DateTime ToLocalTime()", to_local),
    M(D, "static bool IsLeapYear(int year)", is_leap),
    M(D, "static int DaysInMonth(int year, int month)", days_in),
    M(D, "int Year { get; }", year),
    M(D, "int Month { get; }", month),
    M(D, "int Day { get; }", day),
    M(D, "int Hour { get; }", hour),
    M(D, "int Minute { get; }", minute),
    M(D, "int Second { get; }", second),
    M(D, "int Millisecond { get; }", millisecond),
    M(D, "long Ticks { get; }", ticks),
    M_EXTRA(D, "DateTimeKind Kind { get; }", kind),
    M(D, "DateTime Date { get; }", date),
    M(D, "TimeSpan TimeOfDay { get; }", time_of_day),
    M(D, "DayOfWeek DayOfWeek { get; }", day_of_week),
    M(D, "int DayOfYear { get; }", day_of_year),
    M(D, "bool IsDaylightSavingTime()", is_daylight_saving),
    M(D, "DateTime Add(TimeSpan value)", add_ticks),
    M(D, "DateTime AddTicks(long value)", add_ticks),
    M(D, "DateTime AddDays(double value)", add_days),
    M(D, "DateTime AddHours(double value)", add_hours),
    M(D, "DateTime AddMinutes(double value)", add_minutes),
    M(D, "DateTime AddSeconds(double value)", add_seconds),
    M(D, "DateTime AddMilliseconds(double value)", add_milliseconds),
    M(D, "DateTime AddMonths(int months)", add_months),
    M(D, "DateTime AddYears(int value)", add_years),
    M(D, "DateTime Subtract(TimeSpan value)", subtract_span),
    M(D, "TimeSpan Subtract(DateTime value)", subtract),
    M(D, "static DateTime operator +(DateTime d, TimeSpan t)", add_ticks),
    M(D, "static DateTime operator -(DateTime d, TimeSpan t)", subtract_span),
    M(D, "static TimeSpan operator -(DateTime d1, DateTime d2)", subtract),
    M(D, "static bool operator ==(DateTime d1, DateTime d2)", equal),
    M(D, "static bool operator !=(DateTime d1, DateTime d2)", not_equal),
    M(D, "static bool operator <(DateTime t1, DateTime t2)", less),
    M(D, "static bool operator <=(DateTime t1, DateTime t2)", less_or_equal),
    M(D, "static bool operator >(DateTime t1, DateTime t2)", greater),
    M(D, "static bool operator >=(DateTime t1, DateTime t2)", greater_or_equal),
    M(D, "bool Equals(DateTime value)", equal),
    M(D, "int CompareTo(DateTime value)", compare),
    M_EXTRA(D, "int CompareTo(object value)", compare_to_object),
    M_EXTRA(D, "static int Compare(DateTime t1, DateTime t2)", compare),
    M(D, "string ToString()", value_text),
    M(D, "string ToString(string format)", value_text),
    M(D, "string ToString(IFormatProvider provider)", value_text_plain),
    M(D, "string ToString(string format, IFormatProvider provider)", value_text),
    M_EXTRA(D, "string ToLongDateString()", long_date),
    M_EXTRA(D, "string ToLongTimeString()", long_time),
    M_EXTRA(D, "string ToShortDateString()", short_date),
    M_EXTRA(D, "string ToShortTimeString()", short_time),
};

const struct library clr_datetime = LIBRARY("DateTime", types, members);
