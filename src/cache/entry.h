/* entry.h: what an entry looks like in memory; for the files of this room. Everybody else reads through cache.h.
 *
 *     malloc 1:  struct cache_entry | scopes[] | pieces[] | head | vary | key | body, when it is at most one piece
 *     malloc 2:  a piece of 16 KiB      (longer bodies only; the last piece is cut to its length)
 *
 * The first two groups of fields are written before the entry is published and never again, so that readers need no
 * lock; the third belongs to the shard and is read and written under its lock.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/list.h"
#include "cache/cache.h"

/* What is held, against what may be. Shared by all threads. */
struct cache_budget {
    _Atomic uint64_t bytes;
    _Atomic uint64_t bytes_max;
};

struct cache_entry {
    _Atomic uint32_t refs;            /* one is the shard's while published */
    uint8_t kind;
    uint16_t status, tag, n_scopes;
    uint32_t n_pieces, head_len, vary_len, key_len;
    uint64_t body_len;
    uint64_t hash;                    /* of the key */
    uint64_t stored_ms, expires_ms, stale_until_ms;
    uint64_t born;                    /* the generation before its fetch */
    uint32_t source, source_epoch;    /* 0: nobody vouches */
    uint32_t revalidate_s, error_s, age_s, flags;
    uint64_t charge;                  /* bytes taken from the budget, given back by the last reference */
    struct cache_budget *budget;
    struct cache_entry *body_of;      /* whose pieces these are: a reference; NULL: our own */

    /* The shard's. */
    uint8_t uses;                     /* since it was queued, at most 3 */
    uint8_t queue;                    /* enum entry_queue */
    uint32_t retry_ms;                /* a fetch has failed: no other until so long after stored_ms */
    uint64_t stale_since_ms;          /* expires_ms, or when a soft purge was first noticed */
    uint64_t generation;              /* alive as far as purges up to this one go */
    struct cache_entry *next;         /* in its bucket, latest used variant first */
    struct list_node link;            /* in its queue */
    cache_scope_id scopes[];
};

/* What malloc really takes for a block of this size. */
static inline uint64_t
heap_bytes(uint64_t size)
{
    return (MAX(size, (uint64_t)24) + 8 + 15) & ~(uint64_t)15;
}

/* An entry of one reference with all but the shard's fields set. The body: `inside` when it is at most one piece, else
 * the pieces, which become the entry's. The budget has been charged for it. */
struct cache_entry *entry_new(struct cache_budget *budget, const struct cache_item *item, struct str inside,
                              char **pieces, uint64_t body_len);
/* The same with the body of another entry: a longer one is shared, not copied. */
struct cache_entry *entry_with_body_of(struct cache_budget *budget, const struct cache_item *item, struct cache_entry *old);
/* What entry_new() will charge for; the pieces of a longer body come on top. */
uint64_t entry_bytes(const struct cache_item *item, uint64_t body_len);
bool entry_has_scope(const struct cache_entry *e, cache_scope_id scope);
bool entry_matches(const struct cache_entry *e, const struct cache_key *key);
