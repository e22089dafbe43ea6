/* fetch.h: the answer of a backend that may outlive the exchange that asked for it, because it goes into the cache. It has
 * an arena of its own; what is left of it is pumped into a fill by the worker's loop, whoever still listens.
 *
 *     fetch = fetch_new(ex)                         attempt.c: the answer is made in fetch_arena()
 *     exchange_hold_answer(ex, answer, fetch)       dies with the exchange, unless
 *     fetch = exchange_find_fetch(ex, stream)       a cache-store wants it
 *     fetch_fill(ex, fetch, &filling)               goes on by itself from here
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cache/tiers.h"
#include "exchange/exchange.h"

struct cache_flight;
struct http_answer;

/* NULL when memory is short. */
struct fetch *fetch_new(struct exchange *ex);
struct arena *fetch_arena(struct fetch *f);
/* Closes the answer (NULL is fine) and frees what is the fetch's. NULL is fine. */
void fetch_close(struct fetch *f, struct http_answer *answer);

/* The fetch whose answer has this body; NULL when there is none. It stays the exchange's. */
struct fetch *exchange_find_fetch(const struct exchange *ex, const struct body *stream);

struct filling {
    struct cache_item item;           /* all its bytes, and those of place, in fetch_arena() */
    struct cache_place place;
    struct cache_fill *fill;          /* the writer's reference */
    struct cache_flight *flight;      /* NULL: nobody waits */
    struct cache_series *figures;     /* of the operation; NULL: nobody counts */
};
/* Takes the fetch from the exchange, reads the body to its end and stores it under `how`. Begins at once, never waits; the
 * fetch frees itself. */
void fetch_fill(struct exchange *ex, struct fetch *f, const struct filling *how);

/* ---- what goes on without a client, of one worker ---- */

struct background {
    struct list_node link;            /* in services->background; zero: not registered */
    void (*stop)(struct background *b);   /* at the end of the process: unlinks it, now or soon */
};
void background_add(const struct services *s, struct background *b);
void background_remove(struct background *b);
