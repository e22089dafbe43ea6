/* limits.h: counting calls and bytes against limits: for this process (counters.h), or, where an external cache is configured,
 * for all nodes that share it.
 *
 * Windows slide on the store's clock, in 20 slots, as in memory. A node takes one hundredth of a limit at a time and spends it
 * by itself within the slot: so no more calls pass than the limit says, and up to a hundredth of it a node fewer. Limits below
 * 200 are exact. Quotas are exact.
 * While the store is away each node counts for itself, from what it knew: then up to the limit passes on each node.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/counters.h"
#include "exchange/exchange.h"

/* As window_take(). Yields. */
bool limit_take(struct exchange *ex, struct str key, uint32_t period_s, uint32_t limit, uint32_t n, struct window_state *ret);
/* As window_add(). Yields. */
void limit_add(struct exchange *ex, struct str key, uint32_t period_s, uint32_t n);
/* As window_give_back(). Yields. */
void limit_give_back(struct exchange *ex, struct str key, uint32_t period_s, uint32_t n);
/* As quota_add(). left_s: until the window ends; 0: never. Yields. */
struct quota_state limit_quota(struct exchange *ex, struct str key, uint64_t window, uint64_t left_s, uint64_t calls,
                               uint64_t bytes);
