/* key_text.h: the key of a stored answer, taken apart again for people. The layouts, each begun by its kind:
 *
 *     'r'  api, its prefix, operation, product, scheme, host, port, path, pairs of the query, what else varies
 *                                                                                            cache-lookup (policy/p_cache_lookup.c)
 *     'r'  "http", api, its prefix, scheme, host, port, Host, path, query                    RFC 9111 mode (exchange/http_cache.c)
 *     'r'  "response-cache", path, pairs of the query                                        values stored as response-cache:<path>
 *     'v'  name                                                                              values
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "cache/key.h"

enum cache_key_form { KEY_FORM_UNKNOWN, KEY_FORM_POLICY, KEY_FORM_HTTP, KEY_FORM_WARMED, KEY_FORM_VALUE };

#define KEY_PARTS_MAX 32
struct cache_key_text {
    enum cache_key_form form;
    struct str api, operation;        /* STR_NONE: not part of it */
    struct str product;               /* whose document looks it up; STR_NONE: no product's */
    struct str url;                   /* the backend's address, or the path; of a value: its name */
    struct str parts[KEY_PARTS_MAX];  /* what else varies, in order; STR_NONE: absent */
    uint32_t n_parts;
};

/* Views of bytes, but what is joined comes from the arena. False, with KEY_FORM_UNKNOWN, when it is of no known layout. */
bool cache_key_read(struct arena *arena, struct str bytes, struct cache_key_text *ret);
