/* members_timespan.c: System.TimeSpan.
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
too_long(struct call *c)
{
    return call_throw(c, EXC_OVERFLOW, "TimeSpan overflowed because the duration is too long.");
}

static bool
return_span(struct call *c, __int128 ticks)
{
    if (ticks < INT64_MIN || ticks > INT64_MAX)
        return too_long(c);
    return return_i64(c, (int64_t)ticks);
}

static bool
span_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    struct buf b = call_buf(c);

    if (!timespan_format(&b, v.i64, format))
        return call_throw(c, EXC_FORMAT, "Input string was not in a correct format.");
    *ret = string_from_buf(c, &b);
    return *ret != NULL;
}

static const struct type_hooks span_hooks = {
    .to_string = span_to_string, .equals = ticks_equal, .hash = ticks_hash, .compare = ticks_compare,
};

/* --- making ------------------------------------------------------------------------------------------------------------------ */

static bool
new_from_ticks(struct call *c)
{
    return return_i64(c, ticks_of(c, 0));
}

/* hours, minutes, seconds; or days first, and perhaps milliseconds last */
static bool
new_from_parts(struct call *c)
{
    uint32_t first = c->n_args > 3 ? 1 : 0;
    __int128 ticks = first ? (__int128)c->args[0].i64 * TICKS_PER_DAY : 0;

    ticks += (__int128)c->args[first].i64 * TICKS_PER_HOUR + (__int128)c->args[first + 1].i64 * TICKS_PER_MINUTE +
             (__int128)c->args[first + 2].i64 * TICKS_PER_SECOND;
    if (c->n_args > 4)
        ticks += c->args[4].i64 * TICKS_PER_MS;
    if (ticks < INT64_MIN || ticks > INT64_MAX)
        return throw_argument_range(c, NULL, "TimeSpan overflowed because the duration is too long.");
    return return_i64(c, (int64_t)ticks);
}

static bool
from_units(struct call *c, int64_t unit)
{
    int64_t ticks;

    if (isnan(c->args[0].f64))
        return throw_argument(c, NULL, "TimeSpan does not accept floating point Not-a-Number values.");
    if (!ticks_of_units(c->args[0].f64, unit, &ticks))
        return too_long(c);
    return return_i64(c, ticks);
}

static bool from_days(struct call *c) { return from_units(c, TICKS_PER_DAY); }
static bool from_hours(struct call *c) { return from_units(c, TICKS_PER_HOUR); }
static bool from_minutes(struct call *c) { return from_units(c, TICKS_PER_MINUTE); }
static bool from_seconds(struct call *c) { return from_units(c, TICKS_PER_SECOND); }
static bool from_milliseconds(struct call *c) { return from_units(c, TICKS_PER_MS); }
static bool zero(struct call *c) { return return_i64(c, 0); }
static bool min_value(struct call *c) { return return_i64(c, INT64_MIN); }
static bool max_value(struct call *c) { return return_i64(c, INT64_MAX); }

static bool
check_span(struct call *c, enum timespan_status status)
{
    switch (status) {
    case TIMESPAN_OK: return true;
    case TIMESPAN_FORMAT: return call_throw(c, EXC_FORMAT, "String was not recognized as a valid TimeSpan.");
    case TIMESPAN_OVERFLOW:
        return call_throw(c, EXC_OVERFLOW,
                          "The TimeSpan could not be parsed because at least one of the numeric components is out of range or "
                          "contains too many digits.");
    }
    UNREACHABLE();
}

static bool
parse(struct call *c)
{
    int64_t ticks = 0;

    if (!call_string(c, 0))
        return throw_argument_null(c, "input");
    return check_span(c, timespan_parse(call_str(c, 0), &ticks)) && return_i64(c, ticks);
}

/* By the first format that fits. */
static enum timespan_status
read_span_exact(struct call *c, bool has_many, bool negative, int64_t *ret)
{
    const struct array *formats = (const struct array *)c->args[1].ref;
    enum timespan_status status = TIMESPAN_FORMAT;

    if (!has_many)
        return timespan_parse_exact(call_str(c, 0), call_str(c, 1), negative, ret);
    for (uint32_t i = 0; i < formats->n && status != TIMESPAN_OK; i++) {
        const struct string *format = (const struct string *)formats->u.v[i].ref;
        status = format ? timespan_parse_exact(call_str(c, 0), string_str(format), negative, ret) : TIMESPAN_FORMAT;
    }
    return status == TIMESPAN_OK ? status : TIMESPAN_FORMAT;
}

static bool
parse_exact_by(struct call *c, bool has_many)
{
    int64_t ticks = 0;

    if (!c->args[0].ref || !c->args[1].ref)
        return throw_argument_null(c, !c->args[0].ref ? "input" : has_many ? "formats" : "format");
    return check_span(c, read_span_exact(c, has_many, c->n_args > 3 && c->args[3].i64, &ticks)) && return_i64(c, ticks);
}

static bool parse_exact(struct call *c) { return parse_exact_by(c, false); }
static bool parse_exact_many(struct call *c) { return parse_exact_by(c, true); }

static bool
try_parse_exact_by(struct call *c, bool has_many)
{
    int64_t ticks = 0;
    bool ok = c->args[0].ref && c->args[1].ref &&
              read_span_exact(c, has_many, c->n_args > 4 && c->args[3].i64, &ticks) == TIMESPAN_OK;

    c->args[c->n_args - 1] = value_i64(ok ? ticks : 0);
    return return_bool(c, ok);
}

static bool try_parse_exact(struct call *c) { return try_parse_exact_by(c, false); }
static bool try_parse_exact_many(struct call *c) { return try_parse_exact_by(c, true); }

static bool
try_parse(struct call *c)
{
    int64_t ticks = 0;
    bool ok = call_string(c, 0) && timespan_parse(call_str(c, 0), &ticks) == TIMESPAN_OK;

    c->args[c->n_args - 1] = value_i64(ok ? ticks : 0);
    return return_bool(c, ok);
}

/* --- parts -------------------------------------------------------------------------------------------------------------------- */

static bool ticks(struct call *c) { return return_i64(c, ticks_of(c, 0)); }
static bool days(struct call *c) { return return_i64(c, ticks_of(c, 0) / TICKS_PER_DAY); }
static bool hours(struct call *c) { return return_i64(c, ticks_of(c, 0) / TICKS_PER_HOUR % 24); }
static bool minutes(struct call *c) { return return_i64(c, ticks_of(c, 0) / TICKS_PER_MINUTE % 60); }
static bool seconds(struct call *c) { return return_i64(c, ticks_of(c, 0) / TICKS_PER_SECOND % 60); }
static bool milliseconds(struct call *c) { return return_i64(c, ticks_of(c, 0) / TICKS_PER_MS % 1000); }
static bool total_days(struct call *c) { return return_f64(c, (double)ticks_of(c, 0) / (double)TICKS_PER_DAY); }
static bool total_hours(struct call *c) { return return_f64(c, (double)ticks_of(c, 0) / (double)TICKS_PER_HOUR); }
static bool total_minutes(struct call *c) { return return_f64(c, (double)ticks_of(c, 0) / (double)TICKS_PER_MINUTE); }
static bool total_seconds(struct call *c) { return return_f64(c, (double)ticks_of(c, 0) / (double)TICKS_PER_SECOND); }
static bool total_milliseconds(struct call *c) { return return_f64(c, (double)ticks_of(c, 0) / (double)TICKS_PER_MS); }

/* --- arithmetic ---------------------------------------------------------------------------------------------------------------- */

static bool add(struct call *c) { return return_span(c, (__int128)ticks_of(c, 0) + ticks_of(c, 1)); }
static bool subtract(struct call *c) { return return_span(c, (__int128)ticks_of(c, 0) - ticks_of(c, 1)); }
static bool negate(struct call *c) { return return_span(c, -(__int128)ticks_of(c, 0)); }
static bool plus(struct call *c) { return return_i64(c, ticks_of(c, 0)); }
static bool duration(struct call *c) { return return_span(c, ticks_of(c, 0) < 0 ? -(__int128)ticks_of(c, 0) : ticks_of(c, 0)); }

static bool
scaled(struct call *c, double ticks_wanted)
{
    if (isnan(ticks_wanted))
        return throw_argument(c, NULL, "TimeSpan does not accept floating point Not-a-Number values.");
    ticks_wanted = nearbyint(ticks_wanted);
    if (!(fabs(ticks_wanted) < 9.2233720368547758e18))
        return too_long(c);
    return return_i64(c, (int64_t)ticks_wanted);
}

static bool multiply(struct call *c) { return scaled(c, (double)ticks_of(c, 0) * c->args[1].f64); }
static bool multiply_left(struct call *c) { return scaled(c, c->args[0].f64 * (double)ticks_of(c, 1)); }
static bool divide(struct call *c) { return scaled(c, (double)ticks_of(c, 0) / c->args[1].f64); }
static bool divide_spans(struct call *c) { return return_f64(c, (double)ticks_of(c, 0) / (double)ticks_of(c, 1)); }

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
    return compare_with_boxed(c, "TimeSpan");
}

#define T "TimeSpan"

static const struct type_row types[] = {
    STRUCT("System.TimeSpan", "IComparable, IComparable<TimeSpan>, IEquatable<TimeSpan>, IFormattable", &span_hooks),
};

static const struct member_row members[] = {
    M(T, "new(long ticks)", new_from_ticks),
    M(T, "new(int hours, int minutes, int seconds)", new_from_parts),
    M(T, "new(int days, int hours, int minutes, int seconds)", new_from_parts),
    M(T, "new(int days, int hours, int minutes, int seconds, int milliseconds)", new_from_parts),
    M(T, "static TimeSpan Zero { get; }", zero),
    M(T, "static TimeSpan MinValue { get; }", min_value),
    M(T, "static TimeSpan MaxValue { get; }", max_value),
    CONSTANT(T, "const long TicksPerDay = 864000000000"),
    CONSTANT(T, "const long TicksPerHour = 36000000000"),
    CONSTANT(T, "const long TicksPerMinute = 600000000"),
    CONSTANT(T, "const long TicksPerSecond = 10000000"),
    CONSTANT(T, "const long TicksPerMillisecond = 10000"),
    M(T, "static TimeSpan FromDays(double value)", from_days),
    M(T, "static TimeSpan FromHours(double value)", from_hours),
    M(T, "static TimeSpan FromMinutes(double value)", from_minutes),
    M(T, "static TimeSpan FromSeconds(double value)", from_seconds),
    M(T, "static TimeSpan FromMilliseconds(double value)", from_milliseconds),
    M(T, "static TimeSpan FromTicks(long value)", new_from_ticks),
    M(T, "static TimeSpan Parse(string s)", parse),
    M(T, "static bool TryParse(string s, out TimeSpan result)", try_parse),
    M(T, "static TimeSpan Parse(string input, IFormatProvider formatProvider)", parse),
    M(T, "static bool TryParse(string input, IFormatProvider formatProvider, out TimeSpan result)", try_parse),
    M(T, "static TimeSpan ParseExact(string input, string format, IFormatProvider formatProvider)", parse_exact),
    M(T, "static TimeSpan ParseExact(string input, string[] formats, IFormatProvider formatProvider)", parse_exact_many),
    M(T, "static TimeSpan ParseExact(string input, string format, IFormatProvider formatProvider, TimeSpanStyles styles)", parse_exact),
    M(T, "static TimeSpan ParseExact(string input, string[] formats, IFormatProvider formatProvider, TimeSpanStyles styles)",
      parse_exact_many),
    M(T, "static bool TryParseExact(string input, string format, IFormatProvider formatProvider, out TimeSpan result)", try_parse_exact),
    M(T, "static bool TryParseExact(string input, string[] formats, IFormatProvider formatProvider, out TimeSpan result)",
      try_parse_exact_many),
    M(T, "static bool TryParseExact(string input, string format, IFormatProvider formatProvider, TimeSpanStyles styles, out TimeSpan result)",
      try_parse_exact),
    M(T,
      "static bool TryParseExact(string input, string[] formats, IFormatProvider formatProvider, TimeSpanStyles styles, out TimeSpan "
      "result)",
      try_parse_exact_many),
    M(T, "long Ticks { get; }", ticks),
    M(T, "int Days { get; }", days),
    M(T, "int Hours { get; }", hours),
    M(T, "int Minutes { get; }", minutes),
    M(T, "int Seconds { get; }", seconds),
    M(T, "int Milliseconds { get; }", milliseconds),
    M(T, "double TotalDays { get; }", total_days),
    M(T, "double TotalHours { get; }", total_hours),
    M(T, "double TotalMinutes { get; }", total_minutes),
    M(T, "double TotalSeconds { get; }", total_seconds),
    M(T, "double TotalMilliseconds { get; }", total_milliseconds),
    M(T, "TimeSpan Add(TimeSpan ts)", add),
    M(T, "TimeSpan Subtract(TimeSpan ts)", subtract),
    M(T, "TimeSpan Negate()", negate),
    M(T, "TimeSpan Duration()", duration),
    M(T, "TimeSpan Multiply(double factor)", multiply),
    M(T, "TimeSpan Divide(double divisor)", divide),
    M(T, "double Divide(TimeSpan ts)", divide_spans),
    M(T, "static TimeSpan operator +(TimeSpan t1, TimeSpan t2)", add),
    M(T, "static TimeSpan operator -(TimeSpan t1, TimeSpan t2)", subtract),
    M(T, "static TimeSpan operator -(TimeSpan t)", negate),
    M(T, "static TimeSpan operator +(TimeSpan t)", plus),
    M(T, "static TimeSpan operator *(TimeSpan timeSpan, double factor)", multiply),
    M(T, "static TimeSpan operator *(double factor, TimeSpan timeSpan)", multiply_left),
    M(T, "static TimeSpan operator /(TimeSpan timeSpan, double divisor)", divide),
    M(T, "static double operator /(TimeSpan t1, TimeSpan t2)", divide_spans),
    M(T, "static bool operator ==(TimeSpan t1, TimeSpan t2)", equal),
    M(T, "static bool operator !=(TimeSpan t1, TimeSpan t2)", not_equal),
    M(T, "static bool operator <(TimeSpan t1, TimeSpan t2)", less),
    M(T, "static bool operator <=(TimeSpan t1, TimeSpan t2)", less_or_equal),
    M(T, "static bool operator >(TimeSpan t1, TimeSpan t2)", greater),
    M(T, "static bool operator >=(TimeSpan t1, TimeSpan t2)", greater_or_equal),
    M(T, "bool Equals(TimeSpan obj)", equal),
    M(T, "static bool Equals(TimeSpan t1, TimeSpan t2)", equal),
    M(T, "int CompareTo(TimeSpan value)", compare),
    M(T, "int CompareTo(object value)", compare_to_object),
    M(T, "static int Compare(TimeSpan t1, TimeSpan t2)", compare),
    M(T, "string ToString()", value_text),
    M(T, "string ToString(string format)", value_text),
    M(T, "string ToString(string format, IFormatProvider formatProvider)", value_text),
};

const struct library clr_timespan = LIBRARY("TimeSpan", types, members);
