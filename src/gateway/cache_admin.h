/* cache_admin.h: the cache for operators, over the admin listener. What an order names: gateway/purge_order.h.
 *
 *     POST /cache/purge     drops, or with "dryRun" counts; answers with a receipt
 *     GET  /cache/entries   what lies in this node's memory: those that an order names, or any
 *     GET  /cache/stats     figures
 *     GET  /cache/purges    the last purges, newest first: what, by whom, when
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/server.h"

struct gateway;

/* Of the admin listener; its thread only. */
struct cache_admin {
    struct gateway *gateway;
    struct loop *loop;
    uint64_t filled_ms;               /* when `left` was brought up to date */
    double left;                      /* purges that may come at once */
};

void cache_admin_init(struct cache_admin *c, struct gateway *g, struct loop *loop);
/* Each answers the call. Yields. */
void cache_admin_purge(struct cache_admin *c, struct http_call *call);
void cache_admin_entries(struct cache_admin *c, struct http_call *call);
void cache_admin_stats(struct cache_admin *c, struct http_call *call);
void cache_admin_purges(struct cache_admin *c, struct http_call *call);
/* Fetches under way, and how many wait for each. */
void cache_admin_flights(struct cache_admin *c, struct http_call *call);
