/* retry_budget.h: how many tries of `retry` may be under way or waited for at a time, beside those that go on anyway: when all of a
 * backend fails, each request would become as many as its document says. Off unless limits.retries-percent says otherwise, since a
 * document means what it says. One for the process; any thread.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct retry_budget {
    uint32_t percent;                 /* of the exchanges in flight; 0: no limit */
    uint32_t at_least;                /* so many at any rate */
    const _Atomic int64_t *in_flight; /* exchanges of the process */
    _Atomic int64_t under_way;        /* retries */
    _Atomic uint64_t refused;
};

/* One retry more. False, and counted, when that were too many. NULL: there is no limit. */
bool retry_budget_enter(struct retry_budget *b);
/* Once for each that entered. */
void retry_budget_leave(struct retry_budget *b);
