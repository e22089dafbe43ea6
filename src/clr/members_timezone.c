/* members_timezone.c: System.TimeZoneInfo and System.TimeZone. Local is UTC.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/collections.h"
#include "clr/datetime.h"
#include "clr/families.h"
#include "clr/timezone.h"
#include "clr/values.h"
#include "clr/zone_rules.h"

struct zone {
    struct object head;
    const struct timezone_rules *rules;   /* NULL: UTC, or a custom zone */
    struct string *id;
    struct string *display, *standard, *daylight; /* of a custom zone; NULL: made from the id */
    int64_t base;                         /* of a custom zone */
    const struct array *adjustments;      /* AdjustmentRule[] of a custom zone; may be NULL */
    bool is_custom;
};

static struct zone *
zone_at(const struct call *c, uint32_t i)
{
    return (struct zone *)c->args[i].ref;
}

static struct zone *
zone_new(struct call *c, const struct type *type, struct string *id, const struct timezone_rules *rules)
{
    struct zone *z = object_new(c, type, struct zone);

    if (z) {
        z->id = id;
        z->rules = rules;
    }
    return id ? z : NULL;
}

static bool utc(struct call *c) { return return_new(c, zone_new(c, c->ret_type, string_lit(c, "UTC"), NULL)); }
static bool local(struct call *c) { return return_new(c, zone_new(c, c->ret_type, string_lit(c, "UTC"), NULL)); }

static struct zone *
find_zone(struct call *c, const struct type *type, struct string *id)
{
    const struct timezone_rules *rules;

    if (!id) {
        throw_argument_null(c, "id");
        return NULL;
    }
    if (str_eq_nocase(string_str(id), STR("UTC")))
        return zone_new(c, type, id, NULL);
    if (!call_charge(c, 2000))
        return NULL;
    if (!(rules = timezone_load(c->run->arena, string_str(id)))) {
        call_throw(c, EXC_TIME_ZONE_NOT_FOUND, "The time zone ID '%.*s' was not found on the local computer.", STR_ARG(string_str(id)));
        return NULL;
    }
    return zone_new(c, type, id, rules);
}

static bool find_by_id(struct call *c) { return return_new(c, find_zone(c, c->ret_type, call_string(c, 0))); }

static int64_t
offset_at(const struct zone *z, int64_t utc_ticks)
{
    if (z && z->is_custom)
        return zone_rules_offset(z->adjustments, z->base, utc_ticks, NULL);
    return z && z->rules ? timezone_offset(z->rules, utc_ticks, NULL) : 0;
}

enum local_fact { FACT_DAYLIGHT, FACT_AMBIGUOUS, FACT_INVALID };

/* Of a clock reading, with the three facts about it. */
static int64_t
local_offset(const struct zone *z, int64_t ticks, bool facts[3])
{
    facts[FACT_DAYLIGHT] = facts[FACT_AMBIGUOUS] = facts[FACT_INVALID] = false;
    if (z && z->is_custom)
        return zone_rules_offset_of_local(z->adjustments, z->base, ticks, &facts[0], &facts[1], &facts[2]);
    return z && z->rules ? timezone_offset_of_local(z->rules, ticks, &facts[0], &facts[1], &facts[2]) : 0;
}

static int64_t
offset_of_local(const struct zone *z, int64_t ticks)
{
    bool facts[3];

    return local_offset(z, ticks, facts);
}

/* Neither UTC nor local time, which is UTC. */
static bool
is_elsewhere(const struct zone *z)
{
    return z && (z->rules || z->is_custom);
}

static bool
return_clock(struct call *c, int64_t ticks, enum datetime_kind kind)
{
    c->ret = value_datetime(MIN(MAX(ticks, INT64_C(0)), TICKS_MAX), kind);
    return true;
}

/* --- converting ------------------------------------------------------------------------------------------------------------------------- */

/* UTC of a DateTime that is meant in zone z. False after throwing. */
static bool
to_utc_ticks(struct call *c, struct value v, const struct zone *z, int64_t *ret)
{
    bool facts[3];

    if (v.hi != KIND_UNSPECIFIED) { /* UTC, and local is UTC */
        if (is_elsewhere(z))
            return throw_argument(c, "sourceTimeZone",
                                  "The conversion could not be completed because the supplied DateTime did not have the Kind property "
                                  "set correctly.  For example, when the Kind property is DateTimeKind.Local, the source time zone must "
                                  "be TimeZoneInfo.Local.");
        *ret = v.i64;
        return true;
    }
    *ret = v.i64;
    if (!is_elsewhere(z))
        return true;
    *ret = v.i64 - local_offset(z, v.i64, facts);
    if (facts[FACT_INVALID])
        return throw_argument(c, "dateTime",
                              "The supplied DateTime represents an invalid time.  For example, when the clock is adjusted forward, any "
                              "time in the period that is skipped is invalid.");
    return true;
}

static bool
convert_to_utc(struct call *c)
{
    int64_t ticks;

    if (c->n_args > 1 && !zone_at(c, 1))
        return throw_argument_null(c, "sourceTimeZone");
    return to_utc_ticks(c, c->args[0], c->n_args > 1 ? zone_at(c, 1) : NULL, &ticks) && return_clock(c, ticks, KIND_UTC);
}

static bool
from_utc_to(struct call *c, int64_t ticks, const struct zone *z)
{
    return return_clock(c, ticks + offset_at(z, ticks), is_elsewhere(z) ? KIND_UNSPECIFIED : KIND_UTC);
}

static bool
convert_from_utc(struct call *c)
{
    if (!zone_at(c, 1))
        return throw_argument_null(c, "destinationTimeZone");
    return from_utc_to(c, c->args[0].i64, zone_at(c, 1));
}

static bool
convert(struct call *c)
{
    const struct zone *to = zone_at(c, c->n_args - 1);
    int64_t ticks;

    if (!to || !zone_at(c, 1))
        return throw_argument_null(c, to ? "sourceTimeZone" : "destinationTimeZone");
    return to_utc_ticks(c, c->args[0], c->n_args > 2 ? zone_at(c, 1) : NULL, &ticks) && from_utc_to(c, ticks, to);
}

static bool
convert_offset(struct call *c)
{
    if (!zone_at(c, 1))
        return throw_argument_null(c, "destinationTimeZone");
    c->ret = value_datetime_offset(c->args[0].i64, offset_at(zone_at(c, 1), c->args[0].i64));
    return true;
}

static bool
convert_by_id(struct call *c)
{
    const struct type *type = c->owner;
    struct zone *from = NULL, *to;
    int64_t ticks;

    if (c->n_args > 2 && !(from = find_zone(c, type, call_string(c, 1))))
        return false;
    if (!(to = find_zone(c, type, call_string(c, c->n_args - 1))))
        return false;
    return to_utc_ticks(c, c->args[0], from, &ticks) && from_utc_to(c, ticks, to);
}

static bool
convert_offset_by_id(struct call *c)
{
    struct zone *to = find_zone(c, c->owner, call_string(c, 1));

    if (!to)
        return false;
    c->ret = value_datetime_offset(c->args[0].i64, offset_at(to, c->args[0].i64));
    return true;
}

/* --- asking -------------------------------------------------------------------------------------------------------------------------------- */

/* Where a DateTime is meant: its own zone unless its kind says UTC. */
static int64_t
offset_for(const struct zone *z, struct value v)
{
    return v.hi == KIND_UNSPECIFIED ? offset_of_local(z, v.i64) : offset_at(z, v.i64);
}

static bool get_utc_offset(struct call *c) { return return_i64(c, offset_for(zone_at(c, 0), c->args[1])); }
static bool get_utc_offset_of(struct call *c) { return return_i64(c, offset_at(zone_at(c, 0), c->args[1].i64)); }

static bool
base_offset(struct call *c)
{
    const struct zone *z = zone_at(c, 0);

    return return_i64(c, z->rules ? timezone_base_offset(z->rules) : z->base);
}

static bool
supports_daylight(struct call *c)
{
    const struct zone *z = zone_at(c, 0);

    return return_bool(c, z->rules ? timezone_has_daylight(z->rules) : z->adjustments && z->adjustments->n);
}

/* At an instant. */
static int64_t
instant_offset(const struct zone *z, int64_t utc_ticks, bool *ret_daylight)
{
    *ret_daylight = false;
    if (z->is_custom)
        return zone_rules_offset(z->adjustments, z->base, utc_ticks, ret_daylight);
    return z->rules ? timezone_offset(z->rules, utc_ticks, ret_daylight) : 0;
}

static bool
local_fact(struct call *c, enum local_fact fact)
{
    const struct zone *z = zone_at(c, 0);
    struct value v = c->args[1];
    bool facts[3] = {false, false, false};

    if (v.hi == KIND_UNSPECIFIED)
        local_offset(z, v.i64, facts);
    else
        instant_offset(z, v.i64, &facts[FACT_DAYLIGHT]);
    return return_bool(c, facts[fact]);
}

static bool is_daylight(struct call *c) { return local_fact(c, FACT_DAYLIGHT); }
static bool is_ambiguous(struct call *c) { return local_fact(c, FACT_AMBIGUOUS); }
static bool is_invalid(struct call *c) { return local_fact(c, FACT_INVALID); }

static bool
is_daylight_offset(struct call *c)
{
    bool daylight = false;

    instant_offset(zone_at(c, 0), c->args[1].i64, &daylight);
    return return_bool(c, daylight);
}

static bool
is_ambiguous_offset(struct call *c)
{
    const struct zone *z = zone_at(c, 0);
    bool facts[3], ignored;
    int64_t utc_ticks = c->args[1].i64;

    local_offset(z, utc_ticks + instant_offset(z, utc_ticks, &ignored), facts);
    return return_bool(c, facts[FACT_AMBIGUOUS]);
}

/* The offsets that an hour which comes twice may have: standard time first. */
static bool
ambiguous_offsets(struct call *c, int64_t local)
{
    const struct zone *z = zone_at(c, 0);
    bool facts[3];
    int64_t standard = local_offset(z, local, facts), later;
    struct array *a;

    if (!facts[FACT_AMBIGUOUS])
        return throw_argument(c, "dateTime", "The supplied DateTime is not in an ambiguous time range.");
    later = offset_at(z, local - standard - TICKS_PER_HOUR);
    if (!(a = array_new(c, c->ret_type, 2)))
        return false;
    a->u.v[0] = value_i64(MIN(standard, later));
    a->u.v[1] = value_i64(MAX(standard, later));
    return return_ref(c, a);
}

static bool get_ambiguous(struct call *c) { return ambiguous_offsets(c, c->args[1].i64); }

static bool
get_ambiguous_of(struct call *c)
{
    return ambiguous_offsets(c, c->args[1].i64 + offset_at(zone_at(c, 0), c->args[1].i64));
}

/* CreateCustomTimeZone(id, base, display, standard [, daylight, rules [, without daylight]]) */
static bool
create_custom(struct call *c)
{
    int64_t base = c->args[1].i64;
    struct zone *z;

    if (!call_string(c, 0))
        return throw_argument_null(c, "id");
    if (!call_string(c, 0)->size)
        return throw_argument(c, "id", "The specified ID parameter '' is not supported.");
    if (base < -14 * TICKS_PER_HOUR || base > 14 * TICKS_PER_HOUR)
        return throw_argument_range(c, "baseUtcOffset", "The TimeSpan parameter must be within plus or minus 14.0 hours.");
    if (base % TICKS_PER_MINUTE)
        return throw_argument(c, "baseUtcOffset", "The TimeSpan parameter cannot be specified more precisely than whole minutes.");
    if (!(z = zone_new(c, c->ret_type, call_string(c, 0), NULL)))
        return false;
    z->is_custom = true;
    z->base = base;
    z->display = call_string(c, 2);
    z->standard = call_string(c, 3);
    z->daylight = c->n_args > 4 ? call_string(c, 4) : NULL;
    z->adjustments = c->n_args > 5 && !(c->n_args > 6 && call_bool(c, 6)) ? (const struct array *)c->args[5].ref : NULL;
    return return_ref(c, z);
}

static bool
get_adjustment_rules(struct call *c)
{
    const struct zone *z = zone_at(c, 0);

    if (z->is_custom && z->adjustments)
        return return_ref(c, z->adjustments);
    return return_new(c, zone_rules_of(c, z->rules));
}

/* Those that have a Windows name, UTC among them. */
static bool
get_system_zones(struct call *c)
{
    struct clr_list *l = clr_list_new(c, type_find_lit(c->run->env, "System.Collections.Generic.List", c->owner), 160);
    const struct str *name;

    for (size_t i = 0; l && (name = timezone_windows_name(i)); i++) {
        struct zone *z = find_zone(c, c->owner, string_view(c, *name));
        if (!z && c->run->exception) { /* not in this system's tzdata */
            c->run->exception = NULL;
            continue;
        }
        if (!z || !clr_list_add(c, l, value_ref(z)))
            return false;
    }
    return return_new(c, l);
}

/* The name in another of its forms: "X Standard Time" has "X Daylight Time". */
static bool
daylight_name(struct call *c)
{
    const struct zone *z = zone_at(c, 0);
    struct str s = string_str(z->id);
    ptrdiff_t at = str_find(s, STR("Standard Time"), 0);

    if (z->is_custom)
        return return_ref(c, z->daylight ? z->daylight : z->standard);
    if (at < 0 || !is_elsewhere(z))
        return return_ref(c, z->id);
    return return_new(c, string_printf(c, "%.*sDaylight Time", (int)at, s.p));
}

static bool display_name(struct call *c) { return return_ref(c, zone_at(c, 0)->is_custom ? zone_at(c, 0)->display : zone_at(c, 0)->id); }
static bool standard_name(struct call *c) { return return_ref(c, zone_at(c, 0)->is_custom ? zone_at(c, 0)->standard : zone_at(c, 0)->id); }

static bool id(struct call *c) { return return_ref(c, zone_at(c, 0)->id); }

static bool
has_same_rules(struct call *c)
{
    const struct zone *a = zone_at(c, 0), *b = zone_at(c, 1);

    if (!b)
        return return_bool(c, false);
    return return_bool(c, str_eq(timezone_iana_name(string_str(a->id)), timezone_iana_name(string_str(b->id))));
}

static bool
equals(struct call *c)
{
    return return_bool(c, zone_at(c, 1) && string_eq(zone_at(c, 0)->id, zone_at(c, 1)->id));
}

static bool
zone_text(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    const struct zone *z = (const struct zone *)v.ref;

    *ret = z->is_custom && z->display ? z->display : z->id;
    return true;
}

static bool
nothing(struct call *c)
{
    return true;
}

static bool to_universal(struct call *c) { return return_clock(c, c->args[1].i64, KIND_UTC); }
static bool to_local(struct call *c) { return return_clock(c, c->args[1].i64, KIND_LOCAL); }

static const struct type_hooks zone_hooks = {.to_string = zone_text};

#define Z "TimeZoneInfo"

static const struct type_row types[] = {
    CLASS_ABSTRACT("System.TimeZoneInfo", NULL, NULL, &zone_hooks),
    CLASS_ABSTRACT("System.TimeZone", NULL, NULL, &zone_hooks),
    TYPE_LATER("System.Globalization.DaylightTime"),
};

static const struct member_row members[] = {
    M(Z, "static TimeZoneInfo Utc { get; }", utc),
    M(Z, "static TimeZoneInfo Local { get; }", local),
    M(Z, "static TimeZoneInfo FindSystemTimeZoneById(string id)", find_by_id),
    M(Z, "static DateTime ConvertTimeToUtc(DateTime dateTime)", convert_to_utc),
    M(Z, "static DateTime ConvertTimeToUtc(DateTime dateTime, TimeZoneInfo sourceTimeZone)", convert_to_utc),
    M(Z, "static DateTime ConvertTimeFromUtc(DateTime dateTime, TimeZoneInfo destinationTimeZone)", convert_from_utc),
    M(Z, "static DateTime ConvertTime(DateTime dateTime, TimeZoneInfo destinationTimeZone)", convert),
    M(Z, "static DateTime ConvertTime(DateTime dateTime, TimeZoneInfo sourceTimeZone, TimeZoneInfo destinationTimeZone)", convert),
    M(Z, "static DateTimeOffset ConvertTime(DateTimeOffset dateTimeOffset, TimeZoneInfo destinationTimeZone)", convert_offset),
    M(Z, "static DateTime ConvertTimeBySystemTimeZoneId(DateTime dateTime, string destinationTimeZoneId)", convert_by_id),
    M(Z, "static DateTime ConvertTimeBySystemTimeZoneId(DateTime dateTime, string sourceTimeZoneId, string destinationTimeZoneId)",
      convert_by_id),
    M(Z, "static DateTimeOffset ConvertTimeBySystemTimeZoneId(DateTimeOffset dateTimeOffset, string destinationTimeZoneId)",
      convert_offset_by_id),
    M(Z, "string Id { get; }", id),
    M(Z, "string DisplayName { get; }", display_name),
    M(Z, "string StandardName { get; }", standard_name),
    M(Z, "string DaylightName { get; }", daylight_name),
    M(Z, "TimeSpan BaseUtcOffset { get; }", base_offset),
    M(Z, "bool SupportsDaylightSavingTime { get; }", supports_daylight),
    M(Z, "TimeSpan GetUtcOffset(DateTime dateTime)", get_utc_offset),
    M(Z, "TimeSpan GetUtcOffset(DateTimeOffset dateTimeOffset)", get_utc_offset_of),
    M(Z, "bool IsDaylightSavingTime(DateTime dateTime)", is_daylight),
    M(Z, "bool IsDaylightSavingTime(DateTimeOffset dateTimeOffset)", is_daylight_offset),
    M(Z, "bool IsAmbiguousTime(DateTime dateTime)", is_ambiguous),
    M(Z, "bool IsInvalidTime(DateTime dateTime)", is_invalid),
    M(Z, "bool HasSameRules(TimeZoneInfo other)", has_same_rules),
    M(Z, "bool Equals(TimeZoneInfo other)", equals),
    M(Z, "static void ClearCachedData()", nothing),
    M(Z, "AdjustmentRule[] GetAdjustmentRules()", get_adjustment_rules),
    M(Z, "static IReadOnlyCollection<TimeZoneInfo> GetSystemTimeZones()", get_system_zones),
    M(Z, "static TimeZoneInfo CreateCustomTimeZone(string id, TimeSpan baseUtcOffset, string displayName, string standardDisplayName)",
      create_custom),
    M(Z,
      "static TimeZoneInfo CreateCustomTimeZone(string id, TimeSpan baseUtcOffset, string displayName, string standardDisplayName, "
      "string daylightDisplayName, AdjustmentRule[] adjustmentRules)",
      create_custom),
    M(Z,
      "static TimeZoneInfo CreateCustomTimeZone(string id, TimeSpan baseUtcOffset, string displayName, string standardDisplayName, "
      "string daylightDisplayName, AdjustmentRule[] adjustmentRules, bool disableDaylightSavingTime)",
      create_custom),
    M(Z, "bool IsAmbiguousTime(DateTimeOffset dateTimeOffset)", is_ambiguous_offset),
    M(Z, "TimeSpan[] GetAmbiguousTimeOffsets(DateTime dateTime)", get_ambiguous),
    M(Z, "TimeSpan[] GetAmbiguousTimeOffsets(DateTimeOffset dateTimeOffset)", get_ambiguous_of),
    M_LATER(Z, "string ToSerializedString()"),
    M_LATER(Z, "static TimeZoneInfo FromSerializedString(string source)"),
    M_LATER("TimeZone", "object GetDaylightChanges(int year)"),
    M_LATER("TimeZone", "static bool IsDaylightSavingTime(DateTime time, DaylightTime daylightTimes)"),
    M("TimeZone", "static TimeZone CurrentTimeZone { get; }", local),
    M("TimeZone", "string StandardName { get; }", id),
    M("TimeZone", "string DaylightName { get; }", id),
    M("TimeZone", "TimeSpan GetUtcOffset(DateTime time)", get_utc_offset),
    M("TimeZone", "bool IsDaylightSavingTime(DateTime time)", is_daylight),
    M("TimeZone", "DateTime ToUniversalTime(DateTime time)", to_universal),
    M("TimeZone", "DateTime ToLocalTime(DateTime time)", to_local),
};

const struct library clr_timezone = LIBRARY("TimeZoneInfo", types, members);
