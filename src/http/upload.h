/* upload.h: inside http/: how many of an origin's connections requests may hold whose bodies have not come yet.
 *
 * A request with a body takes a connection and keeps it for as long as its client cares to send. A crowd of slow clients would so
 * have all connections of an origin, and everyone else would wait (robustness H1, T5). So, of connections_max,
 *
 *     half           are for anyone
 *     a quarter more for requests of which 16 KiB, or all, have come
 *     the rest       only for requests that have come whole, those without a body first of all
 *
 * Whoever may not have one reads its body ahead meanwhile; the server's times for bodies hold, and the origin's queue time.
 * Over HTTP/2 one connection carries many requests: there is nothing to guard.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/origin.h"

#define UPLOAD_LEAD ((size_t)16 << 10)

/* Lets a request with this body through, when it is its turn: the origin counts it until upload_end(). *body becomes a layer over
 * what it was, in the arena, when it was read ahead; it can be rewound as long as only that was read. False: ERR_LIMIT when its turn
 * did not come in time, ERR_CLOSED when the body broke, ERR_CANCELLED, ERR_NO_MEMORY; nothing is counted then. Yields. */
bool upload_begin(struct http_origin *o, struct arena *arena, struct loop *loop, struct body **body, uint64_t deadline_ms,
                  struct err *err);
/* The same without a wait: a second try. */
void upload_again(struct http_origin *o);
/* The body has gone out, or never will. */
void upload_end(struct http_origin *o);
