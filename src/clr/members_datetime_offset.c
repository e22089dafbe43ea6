/* members_datetime_offset.c: System.DateTimeOffset: {lo: UTC ticks, hi: offset in ticks}.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "clr/families.h"
#include "clr/times.h"
#include "clr/values.h"

#define FILE_TIME_EPOCH INT64_C(504911232000000000) /* 1601-01-01 */

static int64_t
utc_of(const struct call *c, uint32_t i)
{
    return c->args[i].i64;
}

static int64_t
offset_of(const struct call *c, uint32_t i)
{
    return (int64_t)c->args[i].hi;
}

static int64_t
clock_of(const struct call *c, uint32_t i)
{
    return utc_of(c, i) + offset_of(c, i);
}

static bool
return_offset(struct call *c, __int128 utc, int64_t offset)
{
    if (utc < 0 || utc > TICKS_MAX || utc + offset < 0 || utc + offset > TICKS_MAX)
        return throw_argument_range(c, NULL, "The UTC time represented when the offset is applied must be between year 0 and 10,000.");
    c->ret = value_datetime_offset((int64_t)utc, offset);
    return true;
}

static bool
check_offset(struct call *c, int64_t offset)
{
    if (offset % TICKS_PER_MINUTE)
        return throw_argument(c, "offset", "Offset must be specified in whole minutes.");
    if (offset < -14 * TICKS_PER_HOUR || offset > 14 * TICKS_PER_HOUR)
        return throw_argument_range(c, "offset", "Offset must be within plus or minus 14 hours.");
    return true;
}

static bool
offset_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    struct moment m = {.ticks = v.i64 + (int64_t)v.hi, .has_offset = true, .offset = (int64_t)v.hi};

    return format_moment(c, &m, format, ret);
}

static const struct type_hooks offset_hooks = {
    .to_string = offset_to_string, .equals = ticks_equal, .hash = ticks_hash, .compare = ticks_compare,
};

/* --- making ------------------------------------------------------------------------------------------------------------------ */

/* Every kind of DateTime is UTC here. */
static bool
from_datetime(struct call *c)
{
    return return_offset(c, utc_of(c, 0), 0);
}

static bool
new_with_offset(struct call *c)
{
    uint64_t kind = c->args[0].hi;
    int64_t offset = c->args[1].i64;

    if (!check_offset(c, offset))
        return false;
    if (kind == KIND_UTC && offset)
        return throw_argument(c, "offset", "The UTC Offset for Utc DateTime instances must be 0.");
    if (kind == KIND_LOCAL && offset)
        return throw_argument(c, "offset", "The UTC Offset of the local dateTime parameter does not match the offset argument.");
    return return_offset(c, (__int128)utc_of(c, 0) - offset, offset);
}

static bool
new_from_ticks(struct call *c)
{
    int64_t ticks = c->args[0].i64, offset = c->args[1].i64;

    if (ticks < 0 || ticks > TICKS_MAX)
        return throw_argument_range(c, "ticks", "Ticks must be between DateTime.MinValue.Ticks and DateTime.MaxValue.Ticks.");
    return check_offset(c, offset) && return_offset(c, (__int128)ticks - offset, offset);
}

static bool
new_from_parts(struct call *c)
{
    int64_t ticks, offset = c->args[c->n_args - 1].i64;

    return check_offset(c, offset) && read_civil(c, c->n_args - 1, &ticks) && return_offset(c, (__int128)ticks - offset, offset);
}

static bool now(struct call *c) { return return_offset(c, clr_now_ticks(c), 0); }
static bool min_value(struct call *c) { return return_offset(c, 0, 0); }
static bool max_value(struct call *c) { return return_offset(c, TICKS_MAX, 0); }
static bool unix_epoch(struct call *c) { return return_offset(c, TICKS_UNIX_EPOCH, 0); }

static bool
from_unix(struct call *c, int64_t unit, int64_t min, int64_t max)
{
    int64_t n = c->args[0].i64;

    if (n < min || n > max)
        return throw_argument_range(c, unit == TICKS_PER_SECOND ? "seconds" : "milliseconds",
                                    "Valid values are between %" PRId64 " and %" PRId64 ", inclusive.", min, max);
    return return_offset(c, TICKS_UNIX_EPOCH + (__int128)n * unit, 0);
}

static bool
from_unix_seconds(struct call *c)
{
    return from_unix(c, TICKS_PER_SECOND, INT64_C(-62135596800), INT64_C(253402300799));
}

static bool
from_unix_milliseconds(struct call *c)
{
    return from_unix(c, TICKS_PER_MS, INT64_C(-62135596800000), INT64_C(253402300799999));
}

static bool
not_recognized(struct call *c)
{
    return call_throw(c, EXC_FORMAT, "String was not recognized as a valid DateTime.");
}

/* False: outside of the calendar. */
static bool
from_moment(const struct moment *m, uint64_t styles, struct value *ret)
{
    int64_t utc = m->ticks - m->offset, offset = styles & STYLES_TO_UNIVERSAL ? 0 : m->offset;

    if (utc < 0 || utc > TICKS_MAX || utc + offset < 0 || utc + offset > TICKS_MAX)
        return false;
    *ret = value_datetime_offset(utc, offset);
    return true;
}

static bool
parse(struct call *c)
{
    struct moment m;

    if (!call_string(c, 0))
        return throw_argument_null(c, "input");
    uint64_t styles = c->n_args > 2 ? c->args[2].u64 : 0;
    if (!check_styles(c, styles, true))
        return false;
    if (!datetime_parse(call_str(c, 0), clr_now_ticks(c), &m) || !from_moment(&m, styles, &c->ret))
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

    if (!check_styles(c, styles, true))
        return false;
    ok = call_string(c, 0) && datetime_parse(call_str(c, 0), clr_now_ticks(c), &m) && from_moment(&m, styles, &v);
    c->args[c->n_args - 1] = v;
    return return_bool(c, ok);
}

/* (input, format or formats, provider [, styles]) */
static bool
parse_exact_by(struct call *c, bool has_many)
{
    struct moment m;
    uint64_t styles = c->n_args > 3 ? c->args[3].u64 : 0;

    if (!c->args[0].ref || !c->args[1].ref)
        return throw_argument_null(c, !c->args[0].ref ? "input" : has_many ? "formats" : "format");
    if (!check_styles(c, styles, true))
        return false;
    if (!read_exact(c, call_str(c, 0), c->args[1].ref, has_many, styles, &m) || !from_moment(&m, styles, &c->ret))
        return not_recognized(c);
    return true;
}

static bool parse_exact(struct call *c) { return parse_exact_by(c, false); }
static bool parse_exact_many(struct call *c) { return parse_exact_by(c, true); }

static bool
try_parse_exact_by(struct call *c, bool has_many)
{
    struct moment m;
    struct value v = value_i64(0);
    bool ok;

    if (!check_styles(c, c->args[3].u64, true))
        return false;
    ok = c->args[0].ref && c->args[1].ref && read_exact(c, call_str(c, 0), c->args[1].ref, has_many, c->args[3].u64, &m) &&
         from_moment(&m, c->args[3].u64, &v);
    c->args[4] = v;
    return return_bool(c, ok);
}

static bool try_parse_exact(struct call *c) { return try_parse_exact_by(c, false); }
static bool try_parse_exact_many(struct call *c) { return try_parse_exact_by(c, true); }

static bool
from_file_time(struct call *c)
{
    __int128 ticks = (__int128)c->args[0].i64 + FILE_TIME_EPOCH;

    if (c->args[0].i64 < 0 || ticks > TICKS_MAX)
        return throw_argument_range(c, "fileTime", "Not a valid Win32 FileTime.");
    return return_offset(c, ticks, 0);
}

static bool
new_in_calendar(struct call *c)
{
    int64_t ticks, offset = c->args[8].i64;

    if (!c->args[7].ref)
        return throw_argument_null(c, "calendar");
    return check_offset(c, offset) && read_civil(c, 7, &ticks) && return_offset(c, (__int128)ticks - offset, offset);
}

/* --- parts -------------------------------------------------------------------------------------------------------------------- */

#define PART(name, field) \
    static bool name(struct call *c) \
    { \
        struct civil parts; \
        ticks_to_civil(clock_of(c, 0), &parts); \
        return return_i64(c, parts.field); \
    }
PART(year, year)
PART(month, month)
PART(day, day)
PART(hour, hour)
PART(minute, minute)
PART(second, second)
PART(millisecond, fraction / TICKS_PER_MS)

static bool
return_datetime(struct call *c, int64_t ticks, enum datetime_kind kind)
{
    c->ret = value_datetime(ticks, kind);
    return true;
}

static bool date(struct call *c) { return return_datetime(c, clock_of(c, 0) - clock_of(c, 0) % TICKS_PER_DAY, KIND_UNSPECIFIED); }
static bool date_time(struct call *c) { return return_datetime(c, clock_of(c, 0), KIND_UNSPECIFIED); }
static bool utc_date_time(struct call *c) { return return_datetime(c, utc_of(c, 0), KIND_UTC); }
static bool local_date_time(struct call *c) { return return_datetime(c, utc_of(c, 0), KIND_LOCAL); }
static bool time_of_day(struct call *c) { return return_i64(c, clock_of(c, 0) % TICKS_PER_DAY); }
static bool offset(struct call *c) { return return_i64(c, offset_of(c, 0)); }
static bool ticks(struct call *c) { return return_i64(c, clock_of(c, 0)); }
static bool utc_ticks(struct call *c) { return return_i64(c, utc_of(c, 0)); }
static bool day_of_week(struct call *c) { return return_i64(c, ticks_day_of_week(clock_of(c, 0))); }
static bool day_of_year(struct call *c) { return return_i64(c, ticks_day_of_year(clock_of(c, 0))); }
static bool to_unix_seconds(struct call *c) { return return_i64(c, utc_of(c, 0) / TICKS_PER_SECOND - TICKS_UNIX_EPOCH / TICKS_PER_SECOND); }
static bool to_unix_milliseconds(struct call *c) { return return_i64(c, utc_of(c, 0) / TICKS_PER_MS - TICKS_UNIX_EPOCH / TICKS_PER_MS); }
static bool to_universal(struct call *c) { return return_offset(c, utc_of(c, 0), 0); }

static bool
to_offset(struct call *c)
{
    return check_offset(c, c->args[1].i64) && return_offset(c, utc_of(c, 0), c->args[1].i64);
}

static bool
to_file_time(struct call *c)
{
    return return_i64(c, utc_of(c, 0) - FILE_TIME_EPOCH);
}

/* --- arithmetic ---------------------------------------------------------------------------------------------------------------- */

static bool
moved(struct call *c, __int128 by)
{
    return return_offset(c, utc_of(c, 0) + by, offset_of(c, 0));
}

static bool
add_units(struct call *c, int64_t unit)
{
    int64_t by;

    if (!ticks_of_units(c->args[1].f64, unit, &by))
        return throw_argument_range(c, "value", "Value to add was out of range.");
    return moved(c, by);
}

static bool add_days(struct call *c) { return add_units(c, TICKS_PER_DAY); }
static bool add_hours(struct call *c) { return add_units(c, TICKS_PER_HOUR); }
static bool add_minutes(struct call *c) { return add_units(c, TICKS_PER_MINUTE); }
static bool add_seconds(struct call *c) { return add_units(c, TICKS_PER_SECOND); }
static bool add_milliseconds(struct call *c) { return add_units(c, TICKS_PER_MS); }
static bool add_ticks(struct call *c) { return moved(c, c->args[1].i64); }
static bool subtract_span(struct call *c) { return moved(c, -(__int128)c->args[1].i64); }
static bool subtract(struct call *c) { return return_i64(c, utc_of(c, 0) - utc_of(c, 1)); }

static bool
add_calendar(struct call *c, int64_t months)
{
    int64_t clock;

    if (!ticks_add_months(clock_of(c, 0), months, &clock))
        return throw_argument_range(c, "months", "The added or subtracted value results in an un-representable DateTime.");
    return return_offset(c, (__int128)clock - offset_of(c, 0), offset_of(c, 0));
}

static bool add_months(struct call *c) { return add_calendar(c, c->args[1].i64); }
static bool add_years(struct call *c) { return add_calendar(c, c->args[1].i64 * 12); }

static bool equal(struct call *c) { return return_bool(c, utc_of(c, 0) == utc_of(c, 1)); }
static bool not_equal(struct call *c) { return return_bool(c, utc_of(c, 0) != utc_of(c, 1)); }
static bool less(struct call *c) { return return_bool(c, utc_of(c, 0) < utc_of(c, 1)); }
static bool less_or_equal(struct call *c) { return return_bool(c, utc_of(c, 0) <= utc_of(c, 1)); }
static bool greater(struct call *c) { return return_bool(c, utc_of(c, 0) > utc_of(c, 1)); }
static bool greater_or_equal(struct call *c) { return return_bool(c, utc_of(c, 0) >= utc_of(c, 1)); }

static bool
equals_exact(struct call *c)
{
    return return_bool(c, utc_of(c, 0) == utc_of(c, 1) && offset_of(c, 0) == offset_of(c, 1));
}

static bool
compare(struct call *c)
{
    return return_i64(c, (utc_of(c, 0) > utc_of(c, 1)) - (utc_of(c, 0) < utc_of(c, 1)));
}

#define D "DateTimeOffset"

static const struct type_row types[] = {
    STRUCT("System.DateTimeOffset", "IComparable, IComparable<DateTimeOffset>, IEquatable<DateTimeOffset>, IFormattable",
           &offset_hooks),
};

static const struct member_row members[] = {
    M(D, "new(DateTime dateTime)", from_datetime),
    M(D, "new(DateTime dateTime, TimeSpan offset)", new_with_offset),
    M(D, "new(long ticks, TimeSpan offset)", new_from_ticks),
    M(D, "new(int year, int month, int day, int hour, int minute, int second, TimeSpan offset)", new_from_parts),
    M(D, "new(int year, int month, int day, int hour, int minute, int second, int millisecond, TimeSpan offset)", new_from_parts),
    M(D,
      "new(int year, int month, int day, int hour, int minute, int second, int millisecond, Calendar calendar, TimeSpan offset)",
      new_in_calendar),
    M(D, "static implicit operator DateTimeOffset(DateTime dateTime)", from_datetime),
    M(D, "static DateTimeOffset Now { get; }", now),
    M(D, "static DateTimeOffset UtcNow { get; }", now),
    M(D, "static DateTimeOffset MinValue { get; }", min_value),
    M(D, "static DateTimeOffset MaxValue { get; }", max_value),
    M(D, "static DateTimeOffset UnixEpoch { get; }", unix_epoch),
    M(D, "static DateTimeOffset FromUnixTimeSeconds(long seconds)", from_unix_seconds),
    M(D, "static DateTimeOffset FromUnixTimeMilliseconds(long milliseconds)", from_unix_milliseconds),
    M(D, "static DateTimeOffset Parse(string input)", parse),
    M(D, "static bool TryParse(string input, out DateTimeOffset result)", try_parse),
    M(D, "static DateTimeOffset Parse(string input, IFormatProvider formatProvider)", parse),
    M(D, "static DateTimeOffset Parse(string input, IFormatProvider formatProvider, DateTimeStyles styles)", parse),
    M(D, "static bool TryParse(string input, IFormatProvider formatProvider, DateTimeStyles styles, out DateTimeOffset result)", try_parse),
    M(D, "static DateTimeOffset ParseExact(string input, string format, IFormatProvider formatProvider)", parse_exact),
    M(D, "static DateTimeOffset ParseExact(string input, string format, IFormatProvider formatProvider, DateTimeStyles styles)",
      parse_exact),
    M(D, "static DateTimeOffset ParseExact(string input, string[] formats, IFormatProvider formatProvider, DateTimeStyles styles)",
      parse_exact_many),
    M(D,
      "static bool TryParseExact(string input, string format, IFormatProvider formatProvider, DateTimeStyles styles, out DateTimeOffset "
      "result)",
      try_parse_exact),
    M(D,
      "static bool TryParseExact(string input, string[] formats, IFormatProvider formatProvider, DateTimeStyles styles, out "
      "DateTimeOffset result)",
      try_parse_exact_many),
    M(D, "static DateTimeOffset FromFileTime(long fileTime)", from_file_time),
    M(D, "int Year { get; }", year),
    M(D, "int Month { get; }", month),
    M(D, "int Day { get; }", day),
    M(D, "int Hour { get; }", hour),
    M(D, "int Minute { get; }", minute),
    M(D, "int Second { get; }", second),
    M(D, "int Millisecond { get; }", millisecond),
    M(D, "long Ticks { get; }", ticks),
    M(D, "long UtcTicks { get; }", utc_ticks),
    M(D, "TimeSpan Offset { get; }", offset),
    M(D, "DateTime Date { get; }", date),
    M(D, "DateTime DateTime { get; }", date_time),
    M(D, "DateTime UtcDateTime { get; }", utc_date_time),
    M(D, "DateTime LocalDateTime { get; }", local_date_time),
    M(D, "TimeSpan TimeOfDay { get; }", time_of_day),
    M(D, "DayOfWeek DayOfWeek { get; }", day_of_week),
    M(D, "int DayOfYear { get; }", day_of_year),
    M(D, "long ToUnixTimeSeconds()", to_unix_seconds),
    M(D, "long ToUnixTimeMilliseconds()", to_unix_milliseconds),
    M(D, "long ToFileTime()", to_file_time),
    M(D, "DateTimeOffset ToOffset(TimeSpan offset)", to_offset),
    M(D, "DateTimeOffset ToUniversalTime()", to_universal),
    M(D, "DateTimeOffset ToLocalTime()", to_universal),
    M(D, "DateTimeOffset Add(TimeSpan timeSpan)", add_ticks),
    M(D, "DateTimeOffset AddTicks(long ticks)", add_ticks),
    M(D, "DateTimeOffset AddDays(double days)", add_days),
    M(D, "DateTimeOffset AddHours(double hours)", add_hours),
    M(D, "DateTimeOffset AddMinutes(double minutes)", add_minutes),
    M(D, "DateTimeOffset AddSeconds(double seconds)", add_seconds),
    M(D, "DateTimeOffset AddMilliseconds(double milliseconds)", add_milliseconds),
    M(D, "DateTimeOffset AddMonths(int months)", add_months),
    M(D, "DateTimeOffset AddYears(int years)", add_years),
    M(D, "DateTimeOffset Subtract(TimeSpan value)", subtract_span),
    M(D, "TimeSpan Subtract(DateTimeOffset value)", subtract),
    M(D, "static DateTimeOffset operator +(DateTimeOffset dateTimeOffset, TimeSpan timeSpan)", add_ticks),
    M(D, "static DateTimeOffset operator -(DateTimeOffset dateTimeOffset, TimeSpan timeSpan)", subtract_span),
    M(D, "static TimeSpan operator -(DateTimeOffset left, DateTimeOffset right)", subtract),
    M(D, "static bool operator ==(DateTimeOffset left, DateTimeOffset right)", equal),
    M(D, "static bool operator !=(DateTimeOffset left, DateTimeOffset right)", not_equal),
    M(D, "static bool operator <(DateTimeOffset left, DateTimeOffset right)", less),
    M(D, "static bool operator <=(DateTimeOffset left, DateTimeOffset right)", less_or_equal),
    M(D, "static bool operator >(DateTimeOffset left, DateTimeOffset right)", greater),
    M(D, "static bool operator >=(DateTimeOffset left, DateTimeOffset right)", greater_or_equal),
    M(D, "bool Equals(DateTimeOffset other)", equal),
    M(D, "static bool Equals(DateTimeOffset first, DateTimeOffset second)", equal),
    M(D, "bool EqualsExact(DateTimeOffset other)", equals_exact),
    M(D, "int CompareTo(DateTimeOffset other)", compare),
    M(D, "static int Compare(DateTimeOffset first, DateTimeOffset second)", compare),
    M(D, "string ToString()", value_text),
    M(D, "string ToString(string format)", value_text),
    M(D, "string ToString(IFormatProvider formatProvider)", value_text_plain),
    M(D, "string ToString(string format, IFormatProvider formatProvider)", value_text),
};

const struct library clr_datetime_offset = LIBRARY("DateTimeOffset", types, members);
