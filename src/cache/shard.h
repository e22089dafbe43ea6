/* shard.h: the memory store from inside: for the files of this room that work under a shard's lock (cache.c, flight.c,
 * fill.c, image.c). The story and the invariants are in cache.c.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "cache/entry.h"
#include "cache/ghost.h"

#define FLIGHT_BUCKETS 64u
#define MARKS 64u
#define REFUSAL_NOTES 4096u           /* a power of two */
#define REMOVALS 64u                  /* a power of two */

struct cache_flight;

/* A key whose answers turned out not to be storable: nobody waits for such a fetch for a while. */
struct solo_mark {
    uint64_t hash, until_ms;
};

/* A key of which an entry was dropped since a purge had hit it. */
struct purged_mark {
    uint64_t hash, generation;        /* of that purge */
};

struct shard {
    _Alignas(64) pthread_mutex_t lock;
    struct cache_entry **buckets;
    uint32_t n_buckets, n_entries;
    struct list small, main;
    uint64_t small_bytes, bytes;
    uint64_t table_bytes;             /* charged for buckets, ghost and counts */
    struct ghost ghost;
    struct scope_counts counts;
    struct cache_flight *flights[FLIGHT_BUCKETS];   /* by hash; flight.c */
    struct solo_mark marks[MARKS];
    struct purged_mark purged_marks[MARKS];
    uint64_t removals[REMOVALS];      /* generation of the last removal by key, by its hash: what was born before is not stored */
    uint64_t hits, stale, misses, stores, replaced, evictions, expired, purged, removed, ghost_hits;
    uint64_t collapsed, follows;
};

/* Whoever vouches for copies. */
struct source {
    _Atomic uint32_t epoch;
    _Atomic uint64_t until_ms;
};

struct cache {
    struct source *sources;
    uint32_t n_sources;
    _Atomic uint64_t lease_until_ms;
    struct shard *shards;
    uint32_t n_shards;                /* a power of two */
    uint32_t variants_max;
    uint64_t entry_bytes_max;         /* 0: an eighth of the budget */
    struct cache_budget budget;
    struct generations generations;
    struct purge_journal journal;
    _Atomic uint64_t refused[CACHE_REFUSALS_END];
    _Atomic uint64_t sweep_at;        /* shard << 32 | bucket */
    _Atomic uint32_t unswept;         /* shards that the sweep has to pass until all has been looked at since the last purge */
    _Atomic uint64_t flights;         /* under way */
    _Atomic uint64_t flights_landed;  /* ever */
    _Atomic uint64_t refusal_notes[REFUSAL_NOTES];  /* hash of the key above its low 8 bits, enum cache_refusal in them */
};

static inline struct shard *
shard_of(struct cache *c, const struct cache_key *key)
{
    return &c->shards[key->hash.hi & (c->n_shards - 1)];
}

static inline struct cache_entry **
bucket_of(struct shard *s, uint64_t hash)
{
    return &s->buckets[hash & (s->n_buckets - 1)];
}

/* What a look-up found, under the shard's lock. */
struct found {
    enum cache_verdict verdict;
    struct cache_entry *entry;        /* CACHE_HIT, CACHE_STALE: with a reference */
    struct cache_entry *gone;         /* was dead: to be given back outside the lock */
    uint64_t stale_since_ms, retry_ms;
};
/* Counts it too. */
void shard_find(struct cache *c, struct shard *s, const struct cache_key *key, const struct cache_request *request,
                uint64_t now_ms, struct found *ret);

/* Is it alive by the purges so far? Remembers the answer. Under the lock of the entry's shard. */
bool shard_is_alive(struct cache *c, struct cache_entry *e, uint64_t now_ms);

/* Charges the budget, evicting as needed. False when all that is left is in use. No lock may be held. */
bool cache_make_room(struct cache *c, uint32_t first, uint64_t bytes);
/* A chain of entries linked by `next`, taken out of a shard. */
void cache_give_back(struct cache_entry *chain);
/* Publishes an entry whose memory is charged; takes the caller's reference. False when it was purged meanwhile. */
bool cache_publish(struct cache *c, struct cache_entry *e, const struct cache_key *key, struct cache_entry **ret);
/* Why an item that would take so many bytes cannot be stored; CACHE_STORED when nothing stands against it. */
enum cache_refusal cache_refusal_of(const struct cache *c, const struct cache_item *item, uint64_t bytes);
