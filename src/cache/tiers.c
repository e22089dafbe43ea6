/* tiers.c: which tier answers. Without an external store all of it is memory, but for `external`, which then has nothing.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/tiers.h"

#include <stdlib.h>

#include "rt/loop.h"

struct cache_tiers {
    struct loop *loop;
    struct cache *memory;
};

struct cache_tiers *
tiers_new(struct loop *loop, struct cache *memory)
{
    struct cache_tiers *t = xnew(struct cache_tiers);

    *t = (struct cache_tiers){.loop = loop, .memory = memory};
    return t;
}

void
tiers_delete(struct cache_tiers *t)
{
    free(t);
}

struct cache *
tiers_memory(const struct cache_tiers *t)
{
    return t->memory;
}

bool
tiers_has(const struct cache_tiers *t, enum caching_type type)
{
    return type != CACHING_EXTERNAL;
}

enum cache_verdict
tiers_find(struct cache_tiers *t, const struct cache_place *place, const struct cache_key *key,
           const struct cache_request *request, struct cache_entry **ret)
{
    if (!tiers_has(t, place->type))
        return CACHE_MISS_ABSENT;
    return cache_find(t->memory, key, request, loop_now_ms(t->loop), ret);
}

uint64_t
tiers_generation(const struct cache_tiers *t)
{
    return cache_generation(t->memory);
}

struct cache_fill *
tiers_fill_begin(struct cache_tiers *t)
{
    return cache_fill_begin(t->memory);
}

bool
tiers_fill_commit(struct cache_tiers *t, const struct cache_place *place, struct cache_fill *f,
                  const struct cache_item *item, enum cache_refusal *ret_why, struct cache_entry **ret)
{
    if (!tiers_has(t, place->type))
        return cache_fill_refuse(f, CACHE_REFUSED_NO_EXTERNAL, ret_why);
    return cache_fill_commit(f, item, ret_why, ret);
}

bool
tiers_store(struct cache_tiers *t, const struct cache_place *place, const struct cache_item *item, struct str body,
            enum cache_refusal *ret_why)
{
    if (!tiers_has(t, place->type))
        return cache_fill_refuse(cache_fill_begin(t->memory), CACHE_REFUSED_NO_EXTERNAL, ret_why);
    return cache_store(t->memory, item, body, ret_why);
}

void
tiers_count_refusal(struct cache_tiers *t, enum cache_refusal why)
{
    cache_count_refusal(t->memory, why);
}

bool
tiers_remove(struct cache_tiers *t, const struct cache_place *place, const struct cache_key *key)
{
    if (!tiers_has(t, place->type))
        return false;
    cache_remove(t->memory, key);
    return true;
}

void
tiers_purge(struct cache_tiers *t, const struct purge_order *order, struct purge_receipt *ret)
{
    uint64_t entries, generation = cache_purge(t->memory, order->scopes, order->n, order->is_soft, ret ? &entries : NULL);

    if (ret)
        *ret = (struct purge_receipt){.generation = generation, .entries = entries, .nodes_reached = 1,
                                      .outstanding = STR("")};
}

enum tiers_turn_kind
tiers_turn_take(struct cache_tiers *t, const struct cache_place *place, const struct cache_key *key,
                const struct cache_request *request, uint64_t wait_ms, struct tiers_turn **ret_turn,
                struct cache_entry **ret_entry)
{
    *ret_turn = NULL;
    return TURN_OURS;
}

void
tiers_turn_end(struct tiers_turn *turn)
{
}
