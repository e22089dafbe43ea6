/* value_cache.h: what the three cache-*-value policies share.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cache/tiers.h"
#include "exchange/exchange.h"

/* The key of a value: shared by all APIs. False when the arena is full. */
MUST_USE bool value_cache_key(struct exchange *ex, struct str name, struct cache_key *ret);
/* Where it lies. */
static inline struct cache_place
value_cache_place(int caching_type, struct str name)
{
    return (struct cache_place){.type = (enum caching_type)caching_type, .name = name};
}
