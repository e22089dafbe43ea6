/* count.c: how many entries the scopes of a purge hold. Shards keep the number for each scope, so that it costs the same for any number of
 * entries; several scopes that share entries would count them twice, so a small cache is walked then.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/shard.h"

uint64_t
cache_count(struct cache *c, const cache_scope_id *scopes, size_t n)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < c->n_shards; i++) {
        struct shard *s = &c->shards[i];
        pthread_mutex_lock(&s->lock);
        for (size_t k = 0; k < n; k++)
            count += scopes[k] == SCOPE_ALL ? s->n_entries : scope_counts_get(&s->counts, scopes[k]);
        pthread_mutex_unlock(&s->lock);
    }
    return count;
}

struct counting {
    const cache_scope_id *scopes;
    size_t n;
    uint64_t found;
};

static void
count_once(void *ctx, const struct cache_entry *e)
{
    struct counting *w = ctx;
    bool is_named = false;

    for (size_t k = 0; k < w->n && !is_named; k++)
        is_named = w->scopes[k] == SCOPE_ALL || entry_has_scope(e, w->scopes[k]);
    w->found += is_named;
}

uint64_t
cache_count_live(struct cache *c, const cache_scope_id *scopes, size_t n, uint64_t now_ms)
{
    cache_scope_id all = SCOPE_ALL;
    struct counting w = {.scopes = scopes, .n = n};

    cache_sweep(c, now_ms, CACHE_COUNT_LOOKS);
    if (n < 2 || cache_count(c, &all, 1) > CACHE_COUNT_LOOKS)
        return cache_count(c, scopes, n);
    cache_each(c, count_once, &w);
    return w.found;
}
