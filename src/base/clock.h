/* clock.h: one clock, wall and monotonic: the machine's time plus an offset that only `headgate test` moves.
 * Loops read it once a turn and keep it (rt/loop.h); code above asks the loop.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/base.h"

struct clock {
    _Atomic int64_t offset_ns;        /* added to both readings; 0 but in tests */
    _Atomic int64_t wall_offset_ns;   /* to the wall's alone: somebody set the clock of the machine */
};

/* Nanoseconds since an arbitrary start; never goes back. clock may be NULL: no offset. */
uint64_t clock_mono_ns(const struct clock *clock);
/* Nanoseconds since 1970-01-01T00:00:00Z. */
uint64_t clock_wall_ns(const struct clock *clock);
void clock_advance(struct clock *clock, int64_t by_ns);
/* The wall clock alone, either way. */
void clock_set_wall(struct clock *clock, int64_t by_ns);
