/* response_cache.h: what cache-lookup leaves for cache-store, and how a response lies in the cache. Shared by the cache
 * policies.
 *
 *     key     api, revision, operation | scheme, host, port, path of the backend's address | query (what varies) | developer,
 *             groups, custom parts | vary-by-header values
 *     vary    fields that the backend's own Vary names, with this request's values
 *     scopes  api, operation, tags, the path as received and the path at the lookup: what purges name
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cache/tiers.h"
#include "exchange/storing.h"

struct cache_control;
struct cache_flight;

enum downstream_caching { DOWNSTREAM_NONE, DOWNSTREAM_PRIVATE, DOWNSTREAM_PUBLIC };

struct cache_intent {
    struct cache_key key;
    struct cache_place place;
    uint64_t born;                    /* storing_born() before the fetch */
    struct str custom;                /* what the last vary-by-custom gave */
    struct storing_address address;   /* at the lookup */
    const struct http_headers *request_headers;   /* as they were at the lookup, for the backend's Vary */
    struct str *keyed_fields, *keyed_query;   /* with strict keying, warming or chosen parameters: the names that the key holds */
    uint32_t n_keyed_fields, n_keyed_query;
    bool is_query_keyed;              /* the whole of it */
    uint8_t downstream;               /* enum downstream_caching */
    bool must_revalidate;
    bool is_store_allowed;            /* false: looked up, but this request's answer may not be stored */
    bool is_key_personal;             /* the key tells callers apart */
    bool is_token_in_key;             /* a vary-by-custom was made of the caller's token */
    bool is_key_unproven;             /* by a token that no policy had validated */
    bool is_stored;                   /* the first cache-store that runs counts */
    struct cache_flight *flight;      /* that this request leads; NULL once it has ended or was handed on */
    struct cache_entry *stale;        /* served when the backend fails; a reference that the arena gives back */
};

/* Cache-Control, Expires and Pragma for the client. */
bool response_set_downstream(struct exchange *ex, struct reply *r, const struct cache_intent *intent, uint64_t seconds_left);
/* Makes the stored answer the exchange's: age, downstream words, and 304 or a range where the request asks for that, once
 * outbound has run. Takes the reference over; `coming` (NULL: the body is in the entry) is read along. False when memory is short. */
bool response_serve(struct exchange *ex, const struct cache_intent *intent, struct cache_entry *entry, struct body *coming);
/* The request goes to the backend, and its answer may be stored by the intent: remembers the headers, and removes what makes
 * a backend answer in part or not at all. False when the arena is full. */
bool response_begin_miss(struct exchange *ex, struct cache_intent *intent);
/* With strict keying: takes what the key does not hold from the request. False when the arena is full. */
bool response_keep_keyed(struct exchange *ex, const struct cache_intent *intent);
/* After backend: FLOW_CACHE_HIT when it failed, or answered 500, 502, 503 or 504, and a stale answer may stand in for it;
 * else `flow`. */
enum flow response_instead_of_failure(struct exchange *ex, enum flow flow);
/* The answer is about to be stored apart by the fields of its Vary: tells the advisor. */
void response_note_vary(const struct exchange *ex, const struct cache_intent *intent);
/* Fetches again what the intent's key stands for, on a detached exchange that goes on behind the step at work. Ends the
 * flight in any case. Yields only as detached_copy() does. */
void response_refresh(struct exchange *ex, const struct cache_intent *intent, struct cache_flight *flight);
/* The key that a value stored as response-cache:<path[?query]> has. */
bool response_warm_key(struct exchange *ex, struct str path, struct str query, struct cache_key *ret);
/* What a value that is stored so belongs to: its path, and the API and operation that clients ask for it, or ask for it by the path
 * that they call it by; no API when none can be told. */
void response_warm_scopes(struct exchange *ex, struct str path, struct str query, struct cache_scopes *scopes);
/* Whether a purge of this API reaches it. */
bool response_is_warmed_for(const struct cache_entry *e, struct str api);
/* "/path?query" behind "response-cache:"; false when the key is not of that kind. */
bool response_cache_address(struct str key, struct str *ret_path, struct str *ret_query);
/* Drops what was stored for a path: every query and variant of it, or with a query that query alone. A path as Url.Path says it
 * also stands for what clients of the API call it. Yields. */
void response_purge(struct exchange *ex, struct str path, struct str query);
/* Milliseconds on the cache's clock. */
uint64_t response_now_ms(const struct exchange *ex);
/* How a look-up asks for the request's fields. ctx: struct http_headers. */
struct str response_request_field(void *headers, struct str name);
