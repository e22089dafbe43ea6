/* stored_reply.h: responses as entries of the cache and back.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cache/cache.h"
#include "exchange/exchange.h"

/* Adds reason and fields to `to` as reply_from_entry() reads them. False when `to` is full. */
bool stored_head_encode(struct buf *to, const struct reply *r);
/* Makes a head that another build has written fit for this one: the ids of its fields may differ. False when it is damaged. */
bool stored_head_fix(char *head, size_t len);
/* The response of an entry, its body read in place; takes the reference over. `coming` (NULL: the body is in the entry) is the body
 * of one that is on its way, of the exchange's arena. NULL when the arena is full; the reference is given back then. */
struct reply *reply_from_entry(struct exchange *ex, struct cache_entry *e, struct body *coming);
/* Only the head: fields are views of the entry, which the caller keeps. False when it is not readable, or the arena full. */
bool stored_head_decode(struct str head, struct reply *r);
/* An answer that is stored serves everybody, so it is unpacked for a client that does not take its Content-Encoding, and says `Vary` to
 * caches behind us. One that is `no-transform`, or in a coding we do not know, stays as it is. False when the arena is full. */
MUST_USE bool reply_fit_coding(struct exchange *ex, struct reply *r);
/* What the client asked for of a stored answer (RFC 9110 13.2.2): 304 when it has it already, one range of its body. Leaves
 * anything but a 200 alone. */
void reply_settle_conditions(struct exchange *ex, const struct http_headers *request, bool is_head, struct reply *r);
