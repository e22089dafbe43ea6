/* zone_rules.h: TimeZoneInfo.AdjustmentRule and TransitionTime, and the offsets that custom zones take from them.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "clr/timezone.h"
#include "expr/native.h"

struct transition {                   /* NULL: the default value */
    struct object head;
    int64_t time_of_day;              /* ticks */
    int32_t month, week, day, day_of_week;
    bool is_fixed;
};

struct adjustment {
    struct object head;
    int64_t from, to;                 /* dates, ticks; both included */
    int64_t delta;
    const struct transition *begins, *ends;
};

/* Ticks east of UTC of a clock reading under rules (an AdjustmentRule[], may be NULL), with the facts about it; any may be NULL. */
int64_t zone_rules_offset_of_local(const struct array *rules, int64_t base, int64_t local, bool *ret_daylight, bool *ret_ambiguous,
                                   bool *ret_invalid);
/* The same at an instant. */
int64_t zone_rules_offset(const struct array *rules, int64_t base, int64_t utc, bool *ret_daylight);
/* The rule that a zone of the system follows now, as AdjustmentRule[] of type c->ret_type; empty when it has no daylight saving. */
struct array *zone_rules_of(struct call *c, const struct timezone_rules *z);
