/* purge_order.h: what an operator names for a purge or a look into the cache, as JSON or as query parameters:
 *
 *     {"tag": ["shoes", "boots"], "prefix": "/shop", "soft": true, "dryRun": true, "by": "anna"}
 *     ?tag=shoes&tag=boots&prefix=/shop&soft=true
 *
 *     url         "/shop/items" with every query and variant, "/shop/items?a=1" that query alone; scheme and host may stand before it
 *     prefix      everything at that path and below it
 *     tag         a word of Surrogate-Key or Cache-Tag
 *     group       "API GROUP", a word of Cache-Groups
 *     api, operation      "shop", "shop/get-item"
 *     key         the key of a stored value; "response-cache:/path" as documents write it
 *     all         true
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "cache/scope.h"
#include "base/err.h"

#define ORDER_SCOPES_MAX 64u          /* of one order: what other nodes take at once */
#define ORDER_KEYS_MAX 64u
#define ORDER_BODY_MAX ((size_t)64 << 10)

struct named_entries {
    cache_scope_id scopes[ORDER_SCOPES_MAX];
    uint32_t n;
    struct str keys[ORDER_KEYS_MAX];  /* of values */
    uint32_t n_keys;
    bool is_soft, is_dry_run;
    struct str by;                    /* what the caller says of itself; STR_NONE */
    struct str what;                  /* all of it as a sentence, "tag shoes, prefix /shop" */
    /* For looking only. */
    uint32_t limit;
    bool with_details;
};

/* Texts are copied into the arena where they have to stay. ERR_INVALID, ERR_SYNTAX or ERR_LIMIT say what was expected. Names nothing:
 * n and n_keys are 0. body: JSON, or empty. query: STR_NONE, or the target's. */
bool named_entries_read(struct arena *arena, struct str query, struct str body, struct named_entries *ret, struct err *err);
