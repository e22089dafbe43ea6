/* freshness.h: RFC 9111 as arithmetic: may a shared cache store this answer, how long is it fresh, how old is it, may it serve
 * this request. Pure functions of heads and instants; who calls them keeps the clock and the entries.
 *
 *     stored     request + answer -> storable, and for how long      (section 3, 4.2)
 *     wanted     request          -> what the client accepts of it   (section 5.2.1)
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cache/cache.h"
#include "cache/control.h"
#include "http/message.h"

struct freshness_conf {
    uint32_t heuristic_percent;       /* of the time since Last-Modified; 0: no heuristics */
    uint64_t heuristic_max_s;
    bool surrogate_control;           /* counts before Cache-Control */
    bool keeps_set_cookie;            /* store answers that set cookies */
};

/* When an answer was asked for and when its head came, by the wall clock. */
struct exchange_instants {
    uint64_t asked_s, answered_s;
};

struct freshness {
    enum cache_refusal refusal;       /* CACHE_STORED: it may be stored, and what follows counts */
    struct cache_control control;     /* what governs it: of the targeted field, else Cache-Control */
    uint32_t age_s;                   /* when it came (4.2.3) */
    uint64_t life_s;                  /* fresh while its age is below; 0: only for validation */
    bool is_heuristic;
    bool must_validate;               /* never served stale (must-revalidate and the like) */
    bool has_validator;               /* ETag or Last-Modified */
    struct str omit_fields[3];        /* lists of fields that are not stored (no-cache="...", private="..."); or STR_NONE */
};

void freshness_of(const struct freshness_conf *conf, const struct http_headers *request, uint16_t status,
                  const struct http_headers *answer, const struct exchange_instants *when, struct freshness *ret);

/* What a request's own directives ask of a stored answer. */
struct cache_wanted {
    bool no_store, only_if_cached;
    bool must_validate;               /* no-cache, Pragma: no-cache */
    int64_t max_age_s, min_fresh_s;   /* -1: not said */
    int64_t max_stale_s;              /* -1: nothing stale; CONTROL_SECONDS_MAX: however stale */
};
void cache_wanted_of(const struct http_headers *request, struct cache_wanted *ret);
/* Is a stored answer of this age and life one the client takes without asking the origin? stale_s: how long past its life. */
bool cache_wanted_takes(const struct cache_wanted *w, uint64_t age_s, uint64_t life_s);

/* What one client has asked for beside the address: a part, a part that is not there, or a condition that did not hold. Such answers
 * stand for nothing else, whatever they or a policy say. */
bool freshness_is_partial(uint16_t status);
/* Fields that only concern one connection or one proxy, or that are not to be stored (3.1). */
bool freshness_is_stored_field(enum http_field_id id, struct str name);
/* Fields of a 304 that do not replace the stored ones (3.2): what describes the stored bytes. */
bool freshness_is_kept_field(struct str name);

/* A field's value as it is compared for Vary (4.1): repeated lines joined, blanks around commas gone; the members of
 * Accept-Encoding and Accept-Language in lower case and in one order. In the headers' arena; STR_NONE: absent. */
struct str vary_value(const struct http_headers *h, struct str name);
