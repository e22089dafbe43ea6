/* strict_keying.h: what of a request may reach the backend when its answer may be stored for others
 * (`apis.NAME.cache.strict-keying`). A field that the key does not hold and the backend reflects would poison the entry.
 *
 *     kept      fields that policies set, fields of the key, fields that stored variants of the key vary by, Host, Via, CDN-Loop,
 *               and traceparent, which the gateway writes anew
 *     dropped   every other field as the client sent it
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cache/cache.h"
#include "exchange/exchange.h"
#include "http/headers.h"

/* Remembers what the client sent, before the first policy; nothing unless the API wants it. False when the arena is full. */
bool strict_keying_begin(struct exchange *ex);
/* The request's fields without those; ex->request.headers itself when the API does not ask for it, or the exchange is detached:
 * then its maker has done it. NULL when the arena is full. */
struct http_headers *strict_keying_fields(struct exchange *ex, const struct cache_key *key, const struct str *names, uint32_t n);
/* The pairs of a query that have one of these names. STR_NONE when the arena is full. */
struct str strict_keying_query(struct exchange *ex, struct str query, const struct str *names, uint32_t n);
/* A field of this kind is there as the client sent it. */
bool strict_keying_is_own(const struct exchange *ex, enum http_field_id id);
