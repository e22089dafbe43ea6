/* retry_budget.c: two numbers compared (retry_budget.h). Each worker may be one retry late in what it sees of the others, no more: who
 * enters has counted itself before it looks.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/retry_budget.h"

#include "base/base.h"

bool
retry_budget_enter(struct retry_budget *b)
{
    int64_t allowed;

    if (!b || !b->percent)
        return true;
    allowed = atomic_load_explicit(b->in_flight, memory_order_relaxed) * b->percent / 100;
    if (atomic_fetch_add_explicit(&b->under_way, 1, memory_order_relaxed) < MAX(allowed, (int64_t)b->at_least))
        return true;
    atomic_fetch_sub_explicit(&b->under_way, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&b->refused, 1, memory_order_relaxed);
    return false;
}

void
retry_budget_leave(struct retry_budget *b)
{
    if (b && b->percent)
        atomic_fetch_sub_explicit(&b->under_way, 1, memory_order_relaxed);
}
