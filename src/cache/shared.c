/* shared.c: entries that are served at more places than they were stored for.
 *
 *     stored by  GET /shop/en/items     scopes: /shop/en/items, /shop/en, /shop ..., /items (the backend's)
 *     asked for  GET /shop/de/items     rewritten to the same backend's address: the same key
 * A purge of the second path names nothing that the entry knows of itself. So who asks from there compares the purges of the own
 * scopes with the generation in which the entry was born; the number that its shard raises with each look says nothing of them. What was
 * found alive is remembered by the asker until the next purge of anything, as the purges lie under a lock that all share.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/shard.h"

/* That everything is stale since a soft purge is known from its shard; here is asked for more. */
static bool
is_alive(struct cache *c, const struct cache_entry *e, const struct cache_scopes *foreign)
{
    enum scope_state state = generations_state(&c->generations, foreign->v, foreign->n, e->born);

    return state == SCOPE_LIVE || (state == SCOPE_STALE && generations_state(&c->generations, NULL, 0, e->born) == SCOPE_STALE);
}

bool
cache_is_newest(const struct cache *c, const struct cache_entry *e)
{
    return e->born == cache_generation(c) && !(e->flags & CACHE_ENTRY_OLD);
}

bool
cache_is_alive_at(struct cache *c, struct cache_alive_memo *memo, const struct cache_entry *e, const cache_scope_id *scopes, uint32_t n)
{
    uint64_t now = cache_generation(c), look = hash_mix(e->hash, e->born) ^ (uintptr_t)e;
    struct cache_alive_look *known;
    struct cache_scopes foreign;

    if (cache_is_newest(c, e))
        return true;
    for (uint32_t i = 0; i < n; i++)
        look = hash_mix(look, scopes[i]);
    known = &memo->v[look % CACHE_ALIVE_LOOKS];
    if (known->look == look && known->generation == now)
        return true;
    foreign.n = 0;
    foreign.is_full = false;
    for (uint32_t i = 0; i < n; i++)
        if (!entry_has_scope(e, scopes[i]))
            cache_scopes_add(&foreign, scopes[i]);
    if (foreign.n && (e->flags & CACHE_ENTRY_OLD || !is_alive(c, e, &foreign)))
        return false;
    *known = (struct cache_alive_look){look, now};
    return true;
}
