/* shared.c: entries that are served at more places than they were stored for.
 *
 *     stored by  GET /shop/en/items     scopes: /shop/en/items, /shop/en, /shop ..., /items (the backend's)
 *     asked for  GET /shop/de/items     rewritten to the same backend's address: the same key
 * A purge of the second path names nothing that the entry knows of itself. So who asks from there compares the purges of the own
 * scopes with the generation in which the entry was born; the number that its shard raises with each look says nothing of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>

#include "cache/shard.h"

/* That everything is stale since a soft purge is known from its shard; here is asked for more. */
static bool
is_alive(struct cache *c, const struct cache_entry *e, const struct cache_scopes *foreign)
{
    enum scope_state state = generations_state(&c->generations, foreign->v, foreign->n, e->born);

    return state == SCOPE_LIVE || (state == SCOPE_STALE && generations_state(&c->generations, NULL, 0, e->born) == SCOPE_STALE);
}

bool
cache_is_alive_at(struct cache *c, struct cache_entry *e, const cache_scope_id *scopes, uint32_t n)
{
    uint64_t now = cache_generation(c), place = now;
    struct cache_scopes foreign;

    if (e->born == now && !(e->flags & CACHE_ENTRY_OLD))
        return true;
    foreign.n = 0;
    foreign.is_full = false;
    for (uint32_t i = 0; i < n; i++) {
        if (entry_has_scope(e, scopes[i]))
            continue;
        cache_scopes_add(&foreign, scopes[i]);
        place = hash_mix(place, scopes[i]);
    }
    if (foreign.n == 0 || atomic_load_explicit(&e->alive_at, memory_order_relaxed) == place)
        return true;
    if (e->flags & CACHE_ENTRY_OLD || !is_alive(c, e, &foreign))
        return false;
    atomic_store_explicit(&e->alive_at, place, memory_order_relaxed);
    return true;
}
