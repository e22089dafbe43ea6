/* flight.h: one fetch for many equal misses. Whoever misses first leads the fetch; those who come meanwhile wait, or read its
 * answer along as soon as its head is known to be stored.
 *
 *     struct cache_entered got;
 *     cache_enter(c, &key, &how, &got);             yields while somebody else fetches
 *     CACHE_SERVE   got.entry, fresh or stale; with got.flight: and refresh it behind the client's back
 *     CACHE_FOLLOW  got.entry has head, variants and times, got.fill the body (cache_entered_follow())
 *     CACHE_FETCH   lead: born = cache_generation(), fetch, then cache_flight_head() and cache_flight_end(), once
 *     CACHE_ALONE   fetch without anybody waiting for it
 * A fetch that fails is not copied to those who waited: the next of them leads. A fetch whose answer turns out not to be
 * storable sends all of them on their own ways, and nobody waits for that key for some seconds.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cache/cache.h"

struct arena;
struct body;
struct cache_flight;
struct loop;

struct cache_enter {
    const struct cache_request *request;   /* as for cache_find(); must stay while it waits */
    struct loop *loop;
    uint64_t wait_ms;                 /* the longest wait, all waits together; 0: does not wait */
    bool may_refresh;                 /* the caller can fetch in the background */
    bool may_lead;                    /* false: never gives a flight, for looks without consequences */
    bool wants_stale;                 /* stale entries may be served inside their windows; else they are only for validation */
    uint8_t ahead_percent;            /* hot entries are refreshed in this last part of their life; 0: not */
};

enum cache_part { CACHE_SERVE, CACHE_FOLLOW, CACHE_FETCH, CACHE_ALONE };

struct cache_entered {
    enum cache_part part;
    enum cache_verdict verdict;       /* of the last look */
    struct cache_entry *entry;        /* a reference. FETCH, ALONE: NULL, or stale: to validate, or for when fetching fails */
    struct cache_fill *fill;          /* FOLLOW: a reference */
    struct cache_flight *flight;      /* FETCH, or SERVE with a refresh due */
    uint64_t stale_ms;                /* how long the entry has been stale; 0: fresh */
    bool has_waited;
    bool is_external;                 /* the entry was read from the external store */
    bool is_for_error;                /* SERVE: it is stale, and fetching has failed a moment ago */
};

/* What it got is past its freshness: its time is over, or a soft purge ended it a moment ago. */
static inline bool
cache_entered_is_stale(const struct cache_entered *got)
{
    return got->verdict == CACHE_STALE && got->part != CACHE_FOLLOW;
}

/* FOLLOW: opens the body for a reader on this loop, and gives the reference to the fill back. NULL when it has broken since, or
 * is not kept from its beginning any more (or the arena is full): got is ALONE then, without an entry. */
struct body *cache_entered_follow(struct cache_entered *got, struct arena *arena, struct loop *loop);

/* Yields. */
void cache_enter(struct cache *c, const struct cache_key *key, const struct cache_enter *how, struct cache_entered *ret);

/* The head of the answer is here and will be stored: those who wait read along. `head` is an entry without body, made by
 * cache_head_new(). Takes the reference to it and one to the fill. */
void cache_flight_head(struct cache_flight *f, struct cache_entry *head, struct cache_fill *fill);
/* An entry that is in no shard and has no body: what followers see of an answer that is still coming. */
struct cache_entry *cache_head_new(struct cache *c, const struct cache_item *item);

enum flight_end {
    FLIGHT_LANDED,                    /* its entry is published, or was purged on the way */
    FLIGHT_FAILED,                    /* no answer: the next one tries; stale entries may be served for some time */
    FLIGHT_SOLO,                      /* the answer is for nobody else */
};
/* Wakes everybody. On any thread. NULL is fine. */
void cache_flight_end(struct cache_flight *f, enum flight_end how, uint64_t now_ms);
/* fn(ctx) once it has ended. One of them. */
void cache_flight_on_end(struct cache_flight *f, void (*fn)(void *ctx), void *ctx);
/* What is known of one, for people. */
struct cache_flight_seen {
    struct str key;                   /* its bytes */
    uint64_t begun_ms;
    uint32_t waiting;                 /* for the head of its answer */
    bool is_filling;                  /* the head is here, and the body is read along by whoever comes */
};
/* Walks those under way, with a shard locked: no waiting, no calls into the cache. fn false: no more. */
void cache_flights_list(struct cache *c, bool (*fn)(void *ctx, const struct cache_flight_seen *f), void *ctx);
/* Flights under way, for a calm end of the process. */
uint64_t cache_flights(const struct cache *c);
/* Those that have ended, in whatever way, ever. */
uint64_t cache_flights_landed(const struct cache *c);
