/* quotas.h: what quota and quota-by-key share: fixed windows, calls and bytes, the refusal.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/limits.h"
#include "policy/policy.h"

struct quota_limit {
    uint64_t calls, bandwidth_bytes;  /* 0: no limit of that kind */
    uint32_t period_s;                /* 0: never renews */
    int64_t start_s;                  /* windows are counted from here, since 1970 */
};

/* The number of the window that is open now, and the seconds until it ends (0: never). Numbers begin at 1. */
uint64_t quota_window(const struct exchange *ex, const struct quota_limit *l, uint64_t *ret_left_s);
/* FLOW_NEXT when there is room; else the refusal (403, Retry-After). */
enum flow quota_check(struct exchange *ex, const struct quota_limit *l, struct str key);
/* Counts one call; the refusal when other calls came in between since the check. */
enum flow quota_take(struct exchange *ex, const struct quota_limit *l, struct str key);
/* At the end of the request: counts calls, and the bytes of both bodies. Those of an answer that says no length follow when it is out. */
void quota_count(struct exchange *ex, const struct quota_limit *l, struct str key, uint64_t calls);
