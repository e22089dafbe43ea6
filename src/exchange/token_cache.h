/* token_cache.h: tokens that were verified before, so that the same one costs a look-up until it expires. One a worker: no locks.
 *
 * A token is found by its whole text and by what it was verified against (`mark`: keys, issuers, rules, as a hash of them all), so
 * another configuration or another key set does not find it. Entries that named issuers hold on to them: a new key set ends
 * what the old one proved.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/hash.h"
#include "data/jwt.h"
#include "exchange/supply.h"

#define TOKEN_CACHE_SOURCES_MAX 8     /* issuers that one entry depends on */

struct token_cache;

/* A token and all it points to, in one piece of memory; counted by plain numbers, as only its worker touches it. */
struct kept_token {
    struct jwt token;
    bool is_issuer_known, has_passed; /* the user's: what else was found out about it under its mark */
    uint32_t n_sources;
    struct token_source {
        struct supply_entry *entry;   /* referenced */
        uint64_t tag;                 /* of the value it was verified with */
    } sources[TOKEN_CACHE_SOURCES_MAX];
};

/* bytes_max 0: nothing is kept. */
struct token_cache *token_cache_new(size_t bytes_max);
void token_cache_delete(struct token_cache *c);
void token_cache_clear(struct token_cache *c);

/* A token that was kept under this mark, whose sources are still what they were; NULL. Valid until the next call; token_keep()
 * makes it last. */
struct kept_token *token_cache_find(struct token_cache *c, struct str text, struct hash128 mark, uint64_t now_ms);
/* Keeps a verified token. `inner` is the signed text when `text` was encrypted, else the same. What does not fit is not kept. NULL
 * then. */
struct kept_token *token_cache_add(struct token_cache *c, struct str text, struct str inner, struct hash128 mark,
                                         const struct token_source *sources, uint32_t n_sources);
/* Makes it last as long as the arena. False when that is full. */
MUST_USE bool token_keep(struct kept_token *t, struct arena *a);
