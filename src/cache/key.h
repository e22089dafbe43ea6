/* key.h: what a cache entry is found by: length-prefixed fields, so that no two lists of fields give the same bytes,
 * hashed with XXH3-128 (the same on every node) and compared in full on a hit.
 *
 *     struct buf b = buf_in(arena);
 *     cache_key_begin(&b, CACHE_RESPONSE);
 *     cache_key_add(&b, api_id);
 *     cache_key_add(&b, path);
 *     cache_key_add_query(&b, query, NULL, 0, arena);
 *     struct cache_key key;
 *     if (!cache_key_end(&b, &key)) ...          // the arena is full
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "base/hash.h"

/* Responses and values never meet, whatever their fields say. */
enum cache_kind { CACHE_RESPONSE = 'r', CACHE_VALUE = 'v' };

struct cache_key {
    struct str bytes;         /* a view of the buffer it was built in */
    struct hash128 hash;
};

void cache_key_begin(struct buf *b, enum cache_kind kind);
/* One field. STR_NONE (absent) differs from the empty text. */
void cache_key_add(struct buf *b, struct str field);
/* Whether a pair of a query has this name, however the client spells it: escapes are undone, '+' is a blank, and case does not
 * matter, as context.Request.Url.Query reads it. */
bool cache_query_is_named(struct str pair, struct str name);
/* The query's pairs, sorted by name; pairs of one name keep their order. Escapes of unreserved characters are undone
 * and the others upper-cased, so that spellings of one query agree; nothing else is decoded. With names (n > 0) only
 * those pairs count. Scratch memory comes from the arena and is given back. */
void cache_key_add_query(struct buf *b, struct str query, const struct str *names, size_t n, struct arena *arena);
/* False when the buffer's limit was hit on the way. */
MUST_USE bool cache_key_end(struct buf *b, struct cache_key *ret);
