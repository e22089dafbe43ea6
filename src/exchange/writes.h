/* writes.h: what an unsafe request that succeeded makes untrue in the cache (`apis.NAME.cache.drop-on-write`), from the API's
 * operations:
 *
 *     PUT    /shops/{shop}/items/{id}         /shops/1/items/7 and the collection above, /shops/1/items
 *     POST   /shops/{shop}/items              /shops/1/items, and the shop that has them, /shops/1
 *     POST   /shops/{shop}/items/{id}/ship    no GET has it, so it acts on what stands before it: as PUT above
 *     DELETE                                  the same, with everything below the resource
 * "Above" is the next shorter template that some GET has. `writes:` says something else for single operations.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/exchange.h"

#define WRITE_PATHS_MAX 16

enum write_source { WRITE_FROM_OPERATIONS, WRITE_FROM_SETTINGS, WRITE_FROM_PATH /* no operation to go by: path and parent */ };

struct write_path {
    struct str template;              /* below the API's prefix: "/items/{id}"; "" is the prefix itself */
    bool with_below;                  /* everything below it, too */
};

struct write_rule {
    enum write_source source;
    struct write_path paths[WRITE_PATHS_MAX];
    uint32_t n;                       /* 0 from settings: nothing is dropped */
};

/* The rule for one operation; what does not fit is left out. Views into api and op. */
void write_rule_of(const struct api *api, const struct operation *op, struct write_rule *ret);
/* Has it changed something that the API wants dropped? */
bool writes_apply(const struct exchange *ex);
/* Drops it, and what the answer names in Location and Content-Location, before the client has the answer. Yields. */
void writes_drop(struct exchange *ex);
