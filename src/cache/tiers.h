/* tiers.h: the cache as policies speak to it: the memory of this process and, where one is configured, an external store
 * that the nodes of a region share, behind one interface. cache.h is the memory alone.
 *
 *     struct cache_place place = {CACHING_PREFER_EXTERNAL, .owner = api->root_name};
 *     uint64_t born = tiers_generation(t);                    // before the fetch begins
 *     switch (tiers_find(t, &place, &key, &request, &entry)) { case CACHE_HIT: ... cache_entry_unref(entry); }
 *     struct cache_fill *f = tiers_fill_begin(t, -1);         // then, while the body passes:
 *     cache_fill_add(f, bytes);
 *     tiers_fill_commit(t, &place, f, &item, &why, NULL);     // complete, or cache_fill_abort(f)
 *
 * What the caching types mean (caching-type of a policy):
 *     internal          memory, never anything else
 *     prefer-external   the external store, its hot entries in memory too; memory alone while it is away or none is configured
 *     external          the external store alone; while it is away or none is configured every look-up misses
 * An entry of one type is not found by another, but for prefer-external without an external store, which is internal.
 *
 * A hit in memory never yields and allocates nothing. What says "Yields." does so only when the external store is asked, and
 * then for no longer than the deadline of one operation, unless it says otherwise. The external store failing is never an
 * error here: look-ups miss, stores are dropped, and figures and log say so.
 * One a worker, used on its thread alone; the memory below is shared by all.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cache/cache.h"
#include "cache/flight.h"

struct loop;
struct cache_tiers;

enum caching_type { CACHING_PREFER_EXTERNAL, CACHING_EXTERNAL, CACHING_INTERNAL };

/* Where an entry lives, and what its name in the external store is made of: apim:<owner>:r:<hash> for a response,
 * apim:-:v:<name> for a value. Views; they outlive the call, for a fill its commit. */
struct cache_place {
    enum caching_type type;
    struct str owner;                 /* a response's API, without revision; STR_NONE: of no single API */
    struct str name;                  /* a value's key as documents write it; STR_NONE for a response */
};

struct external;

/* How many sources of copies each worker's tiers may use (cache_limits.sources). */
#define TIERS_SOURCES 256u

/* worker: its number, from 0. */
struct cache_tiers *tiers_new(struct loop *loop, struct cache *memory, uint32_t worker);
/* After tiers_stop() has done its work; before, nothing is freed. NULL is fine. */
void tiers_delete(struct cache_tiers *t);
/* From now on this external store (a reference is taken), or none. What memory holds of the old one is not served any more. */
void tiers_set_external(struct cache_tiers *t, struct external *x);
/* Lets go of the external store; over when tiers_is_stopped(), some turns of the loop later. */
void tiers_stop(struct cache_tiers *t);
bool tiers_is_stopped(const struct cache_tiers *t);
struct cache *tiers_memory(const struct cache_tiers *t);
/* Whether this type has a cache at all: false for external when none is configured (a miss, nothing is stored). */
bool tiers_has(const struct cache_tiers *t, enum caching_type type);

/* As cache_find(), at the loop's present instant. Yields. */
enum cache_verdict tiers_find(struct cache_tiers *t, const struct cache_place *place, const struct cache_key *key,
                              const struct cache_request *request, struct cache_entry **ret);

/* The key under which memory holds what lies there: copies of an external store have one of their own. */
struct cache_key tiers_memory_key(const struct cache_tiers *t, const struct cache_place *place, const struct cache_key *key);

/* As cache_enter() (flight.h): one fetch of this process for many equal misses. Who leads the flight asks the external store
 * before it is told to fetch. Yields, for as long as how->wait_ms. */
void tiers_enter(struct cache_tiers *t, const struct cache_place *place, const struct cache_key *key,
                 const struct cache_enter *how, struct cache_entered *ret);

/* The number that purges compare with; read it before a fetch and keep it in the item's `born`. */
uint64_t tiers_generation(const struct cache_tiers *t);
struct cache_fill *tiers_fill_begin(struct cache_tiers *t, int64_t length);
/* As cache_fill_commit(); the external store gets it soon afterwards. Never yields: callable from the body's callbacks. */
bool tiers_fill_commit(struct cache_tiers *t, const struct cache_place *place, struct cache_fill *f,
                       const struct cache_item *item, enum cache_refusal *ret_why, struct cache_entry **ret);
/* As cache_store(); returns when the external store has it or has been given up on. Yields. */
bool tiers_store(struct cache_tiers *t, const struct cache_place *place, const struct cache_item *item, struct str body,
                 enum cache_refusal *ret_why);
/* As cache_freshen(); the external store gets it soon afterwards. Never yields. */
struct cache_entry *tiers_freshen(struct cache_tiers *t, const struct cache_place *place, const struct cache_item *item,
                                  struct cache_entry *old);
void tiers_count_refusal(struct cache_tiers *t, enum cache_refusal why);

/* As cache_is_alive_at(). */
bool tiers_is_alive_at(struct cache_tiers *t, const struct cache_entry *e, const cache_scope_id *scopes, uint32_t n);

/* Removes all variants of one key. False when the cache it lies in could not be asked (it is removed from the memory of
 * this node in any case, and elsewhere as soon as the store is back). Yields. */
bool tiers_remove(struct cache_tiers *t, const struct cache_place *place, const struct cache_key *key);

/* A purge of scopes, in all tiers and on all nodes. */
struct purge_order {
    const cache_scope_id *scopes;
    size_t n;
    bool is_soft;
    struct str what, by;              /* for people: "tag shoes", "admin 127.0.0.1"; may be empty */
    bool is_counted;                  /* the other nodes say in the receipt how many entries they dropped */
};
struct purge_receipt {
    uint64_t generation;              /* the purge's number */
    uint64_t entries;                 /* alive, that this node's scopes held */
    uint32_t nodes_reached;           /* they serve nothing older any more; this one counts */
    uint32_t nodes_outstanding;       /* known, and not heard of in time */
    struct str outstanding;           /* their names, ", " between; lives until the next purge on this worker */
    struct str dropped;               /* of a counted purge, by the other nodes: "12 NAME", ", " between; lives as long */
    bool is_shared;                   /* the external store has taken it; false without one, or while it is away */
};
/* Effective on this node for every look-up that begins after the return, and on the others that the receipt counts as
 * reached. Waits for nodes that vanished lately, at most for the lease of generations (2.2 s). ret may be NULL. Yields. */
void tiers_purge(struct cache_tiers *t, const struct purge_order *order, struct purge_receipt *ret);

/* tiers_remove() with a receipt (without `entries`) and a line in the journal, as `as` says; its scopes do not matter. Yields. */
bool tiers_remove_as(struct cache_tiers *t, const struct cache_place *place, const struct cache_key *key, const struct purge_order *as,
                     struct purge_receipt *ret);

/* Commands of others (counters, say) to the external store, all about one key. False without one, or when it has not answered
 * within the deadline of one operation. Yields. */
struct redis_ask;
MUST_USE bool tiers_command(struct cache_tiers *t, struct str key, struct redis_ask *asks, uint32_t n);
/* Whether it makes sense to try. */
bool tiers_can_command(const struct cache_tiers *t, struct str key);

/* One fetch for all nodes: the first one to ask for a missing key has the turn, the others wait for what it stores. Ask
 * after the process's own collapsing, once a key. */
struct tiers_turn;
enum tiers_turn_kind {
    TURN_OURS,                        /* fetch; tiers_turn_end() when it is stored or has failed */
    TURN_FILLED,                      /* another node stored it meanwhile: *ret_entry is a hit */
    TURN_ALONE,                       /* waited in vain, or the store is away: fetch without a turn */
};
/* Waits for another node's fetch, at most wait_ms. *ret_turn is NULL unless TURN_OURS with an external store. Yields. */
enum tiers_turn_kind tiers_turn_take(struct cache_tiers *t, const struct cache_place *place, const struct cache_key *key,
                                     const struct cache_request *request, uint64_t wait_ms, struct tiers_turn **ret_turn,
                                     struct cache_entry **ret_entry);
/* Never yields. NULL is fine. */
void tiers_turn_end(struct tiers_turn *turn);
