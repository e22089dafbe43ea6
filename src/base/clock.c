/* clock.c: the only file that asks the kernel for the time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

static uint64_t
read_ns(clockid_t id, const struct clock *clock)
{
    struct timespec ts;
    int64_t offset = clock ? atomic_load_explicit(&clock->offset_ns, memory_order_relaxed) : 0;

    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec + (uint64_t)offset;
}

uint64_t
clock_mono_ns(const struct clock *clock)
{
    return read_ns(CLOCK_MONOTONIC, clock);
}

uint64_t
clock_wall_ns(const struct clock *clock)
{
    int64_t set = clock ? atomic_load_explicit(&clock->wall_offset_ns, memory_order_relaxed) : 0;

    return read_ns(CLOCK_REALTIME, clock) + (uint64_t)set;
}

void
clock_advance(struct clock *clock, int64_t by_ns)
{
    atomic_fetch_add(&clock->offset_ns, by_ns);
}

void
clock_set_wall(struct clock *clock, int64_t by_ns)
{
    atomic_fetch_add(&clock->wall_offset_ns, by_ns);
}
