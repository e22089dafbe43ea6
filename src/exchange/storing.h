/* storing.h: the answer at hand goes into the cache. A body that is here becomes an entry at once; one that still comes is
 * pumped into a fill by the worker (exchange/fetch.h), and this exchange reads it from there like everybody else.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cache/tiers.h"
#include "exchange/exchange.h"

struct cache_enter;
struct cache_entered;
struct cache_flight;
struct http_field;

/* Flags of entries. ENTRY_SHARED: requests that came by other addresses have its key, too. */
enum { ENTRY_MUST_VALIDATE = 1, ENTRY_SHARED = 2 };

/* Where an answer is asked for, beside the address as received, and what of that its key holds. */
struct storing_address {
    struct str path, query;           /* towards the backend */
    const struct str *names;          /* of the parameters that count; NULL: all */
    uint32_t n_names;
    bool is_told;                     /* the key tells the address as received */
};
/* Of the request as it stands now, `asked` being its exchange_request_url(). */
struct storing_address storing_address_of(const struct exchange *ex, const struct url *asked, const struct str *names, uint32_t n_names);
/* For an exchange that goes on by itself; of the names the list alone is copied. path is STR_NONE when the arena is full. */
struct storing_address storing_address_copy(const struct storing_address *from, struct arena *arena);
/* tiers_enter(), but what it finds counts only if no purge since its birth has named the address of this request: requests that policies
 * rewrite to one address, or whose parameters do not count, share an entry that knows the address of one of them. Yields. */
void storing_enter(struct exchange *ex, const struct cache_place *place, const struct cache_key *key, const struct cache_enter *how,
                   const struct storing_address *address, struct cache_entered *ret);

struct storing {
    struct cache_key key;
    struct cache_place place;
    uint64_t born;                    /* storing_born() before the fetch */
    struct cache_flight *flight;      /* that the exchange leads; NULL: none. Ended, or handed on to the fill, in any case */
    const struct http_headers *request;   /* as they were when the answer was asked for: values for its Vary */
    struct storing_address address;
    uint64_t life_ms;                 /* fresh for so long from now; 0: only for validation */
    uint32_t age_s;                   /* of struct cache_item */
    bool must_validate;
    uint32_t revalidate_s, error_s, keep_s;   /* past its end: served while refreshed, served on errors, kept to be validated */
    const struct str *tags;           /* beside those that the answer names itself */
    uint32_t n_tags;
    bool (*wants_field)(const void *ctx, const struct http_field *f);   /* NULL: all fields are stored */
    const void *ctx;
};
/* The `born` of what is about to be fetched. */
uint64_t storing_born(const struct exchange *ex);
/* That of a value made by policies: from whatever the exchange has read since it began, so that a purge since then counts. */
uint64_t storing_born_of_values(const struct exchange *ex);
/* The exchange has purged something itself: what it stores from now on is meant to replace that. */
void storing_has_purged(struct exchange *ex);
/* False when it is not stored (*ret_why, may be NULL); the exchange's answer is whole all the same. Yields. */
bool storing_run(struct exchange *ex, const struct storing *s, enum cache_refusal *ret_why);
/* What is purged with an answer: API, operation, tags, paths with all that lies above them. */
void storing_scopes(const struct exchange *ex, const struct storing *s, const struct http_headers *answer, struct cache_scopes *ret);
/* Fills in what belongs to the entry and not to its body; texts in `arena`. False when that is full. */
bool storing_item(struct exchange *ex, const struct storing *s, const struct reply *r, struct arena *arena, struct cache_item *ret,
                  struct cache_scopes *scopes);
