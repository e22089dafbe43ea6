/* zone_rules.c: see zone_rules.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/zone_rules.h"

#include "clr/datetime.h"
#include "clr/families.h"
#include "clr/times.h"

/* --- when daylight saving is ------------------------------------------------------------------------------------------------ */

/* The clock reading at which a transition of a year happens. */
static int64_t
transition_ticks(const struct transition *t, int year)
{
    struct civil c = {year, t->month, 1, 0, 0, 0, 0};
    int64_t first = 0;
    int day = t->day, days = days_in_month(year, t->month);

    if (!t->is_fixed) {
        if (!ticks_from_civil(&c, &first))
            return 0;
        day = (t->day_of_week - ticks_day_of_week(first) + 7) % 7 + 1 + (t->week - 1) * 7;
        while (day > days)
            day -= 7;
    }
    c.day = MIN(day, days);
    return ticks_from_civil(&c, &first) ? first + t->time_of_day : 0;
}

static const struct adjustment *
rule_for(const struct array *rules, int64_t local)
{
    int64_t date = local - local % TICKS_PER_DAY;

    for (uint32_t i = 0; rules && i < rules->n; i++) {
        const struct adjustment *r = (const struct adjustment *)rules->u.v[i].ref;
        if (r && date >= r->from && date <= r->to && r->delta && r->begins && r->ends)
            return r;
    }
    return NULL;
}

int64_t
zone_rules_offset_of_local(const struct array *rules, int64_t base, int64_t local, bool *ret_daylight, bool *ret_ambiguous,
                           bool *ret_invalid)
{
    const struct adjustment *r = rule_for(rules, local);
    bool daylight = false, ambiguous = false, invalid = false;
    struct civil now;

    if (r) {
        ticks_to_civil(local, &now);
        int64_t begins = transition_ticks(r->begins, now.year), ends = transition_ticks(r->ends, now.year);
        /* The clock jumps at `begins`, so what follows within delta never comes; before `ends` it comes twice. */
        daylight = begins < ends ? local >= begins + r->delta && local < ends - r->delta
                                 : local >= begins + r->delta || local < ends - r->delta;
        invalid = r->delta > 0 ? local >= begins && local < begins + r->delta : local >= ends && local < ends - r->delta;
        ambiguous = r->delta > 0 ? local >= ends - r->delta && local < ends : local >= begins + r->delta && local < begins;
    }
    if (ret_daylight)
        *ret_daylight = daylight;
    if (ret_ambiguous)
        *ret_ambiguous = ambiguous;
    if (ret_invalid)
        *ret_invalid = invalid;
    return base + (daylight ? r->delta : 0);
}

int64_t
zone_rules_offset(const struct array *rules, int64_t base, int64_t utc, bool *ret_daylight)
{
    int64_t local = utc + base;
    const struct adjustment *r = local >= 0 && local <= TICKS_MAX ? rule_for(rules, local) : NULL;
    bool daylight = false;
    struct civil now;

    if (r) {
        ticks_to_civil(local, &now);
        int64_t begins = transition_ticks(r->begins, now.year) - base, ends = transition_ticks(r->ends, now.year) - base - r->delta;
        daylight = begins < ends ? utc >= begins && utc < ends : utc >= begins || utc < ends;
    }
    if (ret_daylight)
        *ret_daylight = daylight;
    return base + (daylight ? r->delta : 0);
}

/* --- TransitionTime ------------------------------------------------------------------------------------------------------------ */

static const struct transition *
transition_at(const struct call *c, uint32_t i)
{
    static const struct transition none = {.month = 0};

    return c->args[i].ref ? (const struct transition *)c->args[i].ref : &none;
}

static bool
new_transition(struct call *c, bool is_fixed)
{
    struct value time = c->args[0];
    int64_t month = c->args[1].i64, third = c->args[2].i64;
    struct transition *t;

    if (time.i64 >= TICKS_PER_DAY || time.i64 % TICKS_PER_MS)
        return throw_argument(c, "timeOfDay", "The supplied DateTime must have the Year, Month, and Day properties set to 1. The time "
                                              "cannot be specified more precisely than whole milliseconds.");
    if (time.hi != KIND_UNSPECIFIED)
        return throw_argument(c, "timeOfDay", "The supplied DateTime must have the Kind property set to DateTimeKind.Unspecified.");
    if (month < 1 || month > 12)
        return throw_argument_range(c, "month", "The Month parameter must be in the range 1 through 12.");
    if (is_fixed && (third < 1 || third > 31))
        return throw_argument_range(c, "day", "The Day parameter must be in the range 1 through 31.");
    if (!is_fixed && (third < 1 || third > 5))
        return throw_argument_range(c, "week", "The Week parameter must be in the range 1 through 5.");
    if (!is_fixed && (uint64_t)c->args[3].i64 > 6)
        return throw_argument_range(c, "dayOfWeek", "The DayOfWeek enumeration must be in the range 0 through 6.");
    if ((t = object_new(c, c->ret_type, struct transition))) {
        t->time_of_day = time.i64;
        t->month = (int32_t)month;
        t->day = is_fixed ? (int32_t)third : 1;
        t->week = is_fixed ? 1 : (int32_t)third;
        t->day_of_week = is_fixed ? 0 : call_i32(c, 3);
        t->is_fixed = is_fixed;
    }
    return return_new(c, t);
}

static bool fixed_rule(struct call *c) { return new_transition(c, true); }
static bool floating_rule(struct call *c) { return new_transition(c, false); }
static bool month(struct call *c) { return return_i64(c, transition_at(c, 0)->month); }
static bool week(struct call *c) { return return_i64(c, transition_at(c, 0)->week); }
static bool day(struct call *c) { return return_i64(c, transition_at(c, 0)->day); }
static bool day_of_week(struct call *c) { return return_i64(c, transition_at(c, 0)->day_of_week); }
static bool is_fixed(struct call *c) { return return_bool(c, transition_at(c, 0)->is_fixed); }

static bool
time_of_day(struct call *c)
{
    c->ret = value_datetime(transition_at(c, 0)->time_of_day, KIND_UNSPECIFIED);
    return true;
}

static bool
same_transition(const struct transition *a, const struct transition *b)
{
    return a->is_fixed == b->is_fixed && a->time_of_day == b->time_of_day && a->month == b->month &&
           (a->is_fixed ? a->day == b->day : a->week == b->week && a->day_of_week == b->day_of_week);
}

static bool
transition_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    struct value pair[2] = {a, b};
    struct call both = {.args = pair};

    *ret = same_transition(transition_at(&both, 0), transition_at(&both, 1));
    return true;
}

static bool
transition_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    const struct transition *t = (const struct transition *)v.ref;

    *ret = t ? t->month ^ t->week << 8 : 0;
    return true;
}

static const struct type_hooks transition_hooks = {.equals = transition_equals, .hash = transition_hash};

static bool equal(struct call *c) { return return_bool(c, same_transition(transition_at(c, 0), transition_at(c, 1))); }
static bool not_equal(struct call *c) { return return_bool(c, !same_transition(transition_at(c, 0), transition_at(c, 1))); }

static bool
transition_equals_object(struct call *c)
{
    struct object *other = c->args[1].ref;

    return other && other->type == c->owner ? equal(c) : return_bool(c, false);
}

/* --- AdjustmentRule ---------------------------------------------------------------------------------------------------------------- */

static const struct adjustment *
rule_at(const struct call *c, uint32_t i)
{
    return (const struct adjustment *)c->args[i].ref;
}

static bool
create_rule(struct call *c)
{
    struct value from = c->args[0], to = c->args[1];
    int64_t delta = c->args[2].i64;
    struct adjustment *r;

    if (from.hi == KIND_LOCAL || to.hi == KIND_LOCAL)
        return throw_argument(c, from.hi == KIND_LOCAL ? "dateStart" : "dateEnd",
                              "The supplied DateTime must have the Kind property set to DateTimeKind.Unspecified.");
    if (from.i64 > to.i64)
        return throw_argument(c, "dateStart", "The DateStart property must come before the DateEnd property.");
    if (from.i64 % TICKS_PER_DAY || to.i64 % TICKS_PER_DAY)
        return throw_argument(c, from.i64 % TICKS_PER_DAY ? "dateStart" : "dateEnd",
                              "The supplied DateTime includes a TimeOfDay setting.   This is not supported.");
    if (delta < -14 * TICKS_PER_HOUR || delta > 14 * TICKS_PER_HOUR)
        return throw_argument_range(c, "daylightDelta", "The TimeSpan parameter must be within plus or minus 14.0 hours.");
    if (delta % TICKS_PER_MINUTE)
        return throw_argument(c, "daylightDelta", "The TimeSpan parameter cannot be specified more precisely than whole minutes.");
    if (same_transition(transition_at(c, 3), transition_at(c, 4)))
        return throw_argument(c, "daylightTransitionEnd", "The DaylightTransitionStart property must not equal the DaylightTransitionEnd "
                                                          "property.");
    if ((r = object_new(c, c->ret_type, struct adjustment)))
        *r = (struct adjustment){r->head, from.i64, to.i64, delta, (const struct transition *)c->args[3].ref,
                                 (const struct transition *)c->args[4].ref};
    return return_new(c, r);
}

static bool
return_date(struct call *c, int64_t ticks)
{
    c->ret = value_datetime(ticks, KIND_UNSPECIFIED);
    return true;
}

static bool date_start(struct call *c) { return return_date(c, rule_at(c, 0)->from); }
static bool date_end(struct call *c) { return return_date(c, rule_at(c, 0)->to); }
static bool delta(struct call *c) { return return_i64(c, rule_at(c, 0)->delta); }
static bool begins(struct call *c) { return return_ref(c, rule_at(c, 0)->begins); }
static bool ends(struct call *c) { return return_ref(c, rule_at(c, 0)->ends); }

static bool
rule_equals(struct call *c)
{
    const struct adjustment *a = rule_at(c, 0), *b = rule_at(c, 1);
    struct value pair[4] = {value_ref(a->begins), value_ref(b ? b->begins : NULL), value_ref(a->ends), value_ref(b ? b->ends : NULL)};
    struct call both = {.args = pair};

    return return_bool(c, b && a->from == b->from && a->to == b->to && a->delta == b->delta &&
                              same_transition(transition_at(&both, 0), transition_at(&both, 1)) &&
                              same_transition(transition_at(&both, 2), transition_at(&both, 3)));
}

static bool
rule_hash(struct call *c)
{
    return return_i64(c, (int32_t)(rule_at(c, 0)->from / TICKS_PER_DAY));
}

struct array *
zone_rules_of(struct call *c, const struct timezone_rules *z)
{
    const struct type *rule_type = c->ret_type->args[0], *transition_type;
    struct timezone_rule from_file[2];
    int64_t delta_ticks = 0;
    bool has = z && timezone_yearly_rules(z, &from_file[0], &from_file[1], &delta_ticks);
    struct array *rules = array_new(c, c->ret_type, has ? 1 : 0);
    struct transition *t[2];
    struct adjustment *r;

    if (!rules || !has)
        return rules;
    transition_type = type_find(c->run->env, STR("System.TimeZoneInfo.TransitionTime"), NULL, 0);
    if (!(r = object_new(c, rule_type, struct adjustment)))
        return NULL;
    for (int i = 0; i < 2; i++) {
        if (!(t[i] = object_new(c, transition_type, struct transition)))
            return NULL;
        t[i]->time_of_day = from_file[i].second * TICKS_PER_SECOND;
        t[i]->month = from_file[i].month;
        t[i]->week = from_file[i].week;
        t[i]->day = 1;
        t[i]->day_of_week = from_file[i].day_of_week;
    }
    *r = (struct adjustment){r->head, 0, TICKS_MAX - TICKS_MAX % TICKS_PER_DAY, delta_ticks, t[0], t[1]};
    rules->u.v[0] = value_ref(r);
    return rules;
}

#define R "TimeZoneInfo.AdjustmentRule"
#define T "TimeZoneInfo.TransitionTime"

static const struct type_row types[] = {
    CLASS_ABSTRACT("System.TimeZoneInfo.AdjustmentRule", NULL, NULL, NULL),
    REF_STRUCT("System.TimeZoneInfo.TransitionTime", NULL, &transition_hooks),
};

static const struct member_row members[] = {
    M("System." T, "static TransitionTime CreateFixedDateRule(DateTime timeOfDay, int month, int day)", fixed_rule),
    M("System." T, "static TransitionTime CreateFloatingDateRule(DateTime timeOfDay, int month, int week, DayOfWeek dayOfWeek)",
      floating_rule),
    M("System." T, "DateTime TimeOfDay { get; }", time_of_day),
    M("System." T, "int Month { get; }", month),
    M("System." T, "int Week { get; }", week),
    M("System." T, "int Day { get; }", day),
    M("System." T, "System.DayOfWeek DayOfWeek { get; }", day_of_week),
    M("System." T, "bool IsFixedDateRule { get; }", is_fixed),
    M("System." T, "bool Equals(TransitionTime other)", equal),
    M("System." T, "bool Equals(object obj)", transition_equals_object),
    M("System." T, "static bool operator ==(TransitionTime t1, TransitionTime t2)", equal),
    M("System." T, "static bool operator !=(TransitionTime t1, TransitionTime t2)", not_equal),
    M("System." R,
      "static AdjustmentRule CreateAdjustmentRule(DateTime dateStart, DateTime dateEnd, TimeSpan daylightDelta, TransitionTime "
      "daylightTransitionStart, TransitionTime daylightTransitionEnd)",
      create_rule),
    M("System." R, "DateTime DateStart { get; }", date_start),
    M("System." R, "DateTime DateEnd { get; }", date_end),
    M("System." R, "TimeSpan DaylightDelta { get; }", delta),
    M("System." R, "TransitionTime DaylightTransitionStart { get; }", begins),
    M("System." R, "TransitionTime DaylightTransitionEnd { get; }", ends),
    M("System." R, "bool Equals(AdjustmentRule other)", rule_equals),
    M("System." R, "int GetHashCode()", rule_hash),
};

const struct library clr_zone_rules = LIBRARY("time zone rules", types, members);
