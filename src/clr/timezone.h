/* timezone.h: time zones by IANA or Windows name, from the system's tzdata.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/str.h"

struct timezone_rules;

/* The zone of a name, read into the arena. NULL when there is none. Reads a small file. */
const struct timezone_rules *timezone_load(struct arena *a, struct str name);
/* The IANA name behind a Windows one; other names come back as they are. */
struct str timezone_iana_name(struct str name);

/* Ticks east of UTC at an instant, and whether that is daylight saving time. */
int64_t timezone_offset(const struct timezone_rules *z, int64_t utc_ticks, bool *ret_daylight);
/* Of a clock reading there. In the hour that comes twice the standard one is meant; *ret_ambiguous and *ret_invalid tell the
 * hour that comes twice and the one that never comes. Any of the three may be NULL. */
int64_t timezone_offset_of_local(const struct timezone_rules *z, int64_t local_ticks, bool *ret_daylight, bool *ret_ambiguous,
                                 bool *ret_invalid);
/* The offset without daylight saving, as rules are now. */
int64_t timezone_base_offset(const struct timezone_rules *z);
bool timezone_has_daylight(const struct timezone_rules *z);

/* When in a year daylight saving begins or ends: a day of the week in a month, at a second of it. */
struct timezone_rule {
    int month, week, day_of_week;
    int64_t second;
};
/* The changes of every year from now on, in the clock's readings, and what is added between them; false when there are none of
 * this kind. */
bool timezone_yearly_rules(const struct timezone_rules *z, struct timezone_rule *ret_begins, struct timezone_rule *ret_ends,
                           int64_t *ret_delta);
/* The Windows name of a zone in order of the table; NULL past the end. */
const struct str *timezone_windows_name(size_t i);
