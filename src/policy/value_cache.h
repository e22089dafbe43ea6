/* value_cache.h: what the cache-*-value policies share.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cache/tiers.h"
#include "exchange/exchange.h"

struct object;

/* The key of a value: shared by all APIs. False when the arena is full. */
MUST_USE bool value_cache_key(struct exchange *ex, struct str name, struct cache_key *ret);
/* Where it lies. */
static inline struct cache_place
value_cache_place(int caching_type, struct str name)
{
    return (struct cache_place){.type = (enum caching_type)caching_type, .name = name};
}

/* The entry's value as the exchange's own copy. Takes the reference over. False for what cannot be read: a miss. */
MUST_USE bool value_cache_read(struct exchange *ex, struct cache_entry *entry, struct object **ret);
/* Stores it: fresh for fresh_s, kept for keep_s (>= fresh_s), as what was fetched at generation `born`. What cannot be stored is
 * counted, and the trace of `policy` says why. Yields. */
bool value_cache_store(struct exchange *ex, struct str policy, int caching_type, struct str name, struct object *value, uint64_t born,
                       uint32_t fresh_s, uint32_t keep_s);
/* Says in the policy's trace why something was not stored. */
void value_cache_say_refused(struct exchange *ex, struct str policy, enum cache_refusal why);
