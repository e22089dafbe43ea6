/* cache_report.h: what the cache did for a request, told to whoever may know: Cache-Status (RFC 9211) where the API has
 * `cache-status: true`, and an explanation for callers with a pass (explain_pass.h):
 *
 *     Headgate-Cache: miss; why="expired"; key="api shop, operation get, http://backend/items?a=1, header Accept=text/html";
 *                     tier=memory; ttl=60; stored
 * Whoever looks up says it here; what costs something is done only when somebody asked.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cache/tiers.h"
#include "exchange/exchange.h"

struct cache_entered;
struct storing_address;

/* Why the cache was not asked. CACHE_BYPASS(id, word, sentence) */
#define CACHE_BYPASSES(CACHE_BYPASS) \
    CACHE_BYPASS(NONE, "bypass", "nothing here looks into the cache: no cache-lookup ran, and the API has no mode: rfc9111") \
    CACHE_BYPASS(METHOD, "method", "only GET and HEAD without a body are looked up") \
    CACHE_BYPASS(AUTHORIZATION, "bypass", "the request has Authorization, and the key does not tell its senders apart") \
    CACHE_BYPASS(KEY, "bypass", "an expression in the key failed") \
    CACHE_BYPASS(NO_EXTERNAL, "bypass", "caching-type is external, and no external cache is configured") \
    CACHE_BYPASS(CONDITION, "bypass", "If-Match and If-Unmodified-Since are the backend's to judge")
enum cache_bypass {
#define CACHE_BYPASS(id, word, sentence) CACHE_BYPASS_##id,
    CACHE_BYPASSES(CACHE_BYPASS)
#undef CACHE_BYPASS
};

/* Notes while an explanation is made. */
struct explanation {
    struct str key;                   /* its parts, for people */
    struct str why;
};

/* The figures of the exchange's operation on this worker; NULL when nobody counts. */
struct cache_series;
struct cache_series *cache_report_figures(const struct exchange *ex);
/* A value was looked up. */
void cache_report_value(const struct exchange *ex, bool is_hit);
/* The exchange is over: what the cache was for it. */
void cache_report_end(const struct exchange *ex);

static inline bool
cache_report_is_wanted(const struct exchange *ex)
{
    return ex->said.explanation != NULL;
}

/* Before the look-up, for explanations alone: the parts of the key, and what stands against a hit. `parts`: what cannot be read from
 * the key itself; STR_NONE: nothing. */
void cache_report_look(struct exchange *ex, const struct cache_place *place, const struct cache_key *key,
                       const struct cache_request *request, const struct storing_address *address, struct str parts);
/* After it. */
void cache_report_found(struct exchange *ex, const struct cache_entered *got);
/* This entry is being served. */
void cache_report_served(struct exchange *ex, const struct cache_entry *e);
/* The answer was not stored, or was, with so long to live. */
void cache_report_refused(struct exchange *ex, const struct cache_key *key, enum cache_refusal why);
void cache_report_stored(struct exchange *ex, uint64_t life_ms);
/* The fields of the answer, if any are wanted. */
void cache_report_write(struct exchange *ex);
