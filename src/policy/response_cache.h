/* response_cache.h: what cache-lookup leaves for cache-store, and how a response lies in the cache. Shared by the cache
 * policies.
 *
 *     key     api, revision, operation | scheme, host, port, path of the backend's address | query (what varies) | developer,
 *             groups, custom parts | vary-by-header values
 *     vary    fields that the backend's own Vary names, with this request's values
 *     scopes  api, operation, the path as received and the path at the lookup: what purges name
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cache/tiers.h"
#include "exchange/exchange.h"

enum downstream_caching { DOWNSTREAM_NONE, DOWNSTREAM_PRIVATE, DOWNSTREAM_PUBLIC };

struct cache_intent {
    struct cache_key key;
    struct cache_place place;
    uint64_t born;                    /* tiers_generation() before the fetch */
    struct str path;                  /* context.Request.Url.Path at the lookup */
    const struct http_headers *request_headers;   /* as they were at the lookup, for the backend's Vary */
    uint8_t downstream;               /* enum downstream_caching */
    bool must_revalidate;
    bool is_store_allowed;            /* false: looked up, but this request's answer may not be stored */
    bool is_stored;                   /* the first cache-store that runs counts */
};

/* The response of an entry; takes the reference over. NULL when the arena is full (the reference is given back). */
struct reply *response_from_entry(struct exchange *ex, struct cache_entry *e);
/* Adds reason and fields to `to` as response_from_entry() reads them. */
bool response_head_encode(struct buf *to, const struct reply *r);
/* Makes a head that another build has written fit for this one: the ids of its fields may differ. False when it is damaged. */
bool response_head_fix(char *head, size_t len);
/* Cache-Control, Expires and Pragma for the client. */
bool response_set_downstream(struct exchange *ex, struct reply *r, const struct cache_intent *intent, uint64_t seconds_left);
/* The key that a value stored as response-cache:<path[?query]> has. */
bool response_warm_key(struct exchange *ex, struct str path, struct str query, struct cache_key *ret);
/* "/path?query" behind "response-cache:"; false when the key is not of that kind. */
bool response_cache_address(struct str key, struct str *ret_path, struct str *ret_query);
/* Drops what was stored for a path: every query and variant of it, or with a query that query alone. Yields. */
void response_purge(struct exchange *ex, struct str path, struct str query);
/* Milliseconds on the cache's clock. */
uint64_t response_now_ms(const struct exchange *ex);
