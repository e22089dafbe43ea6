/* websocket.h: the handshake of RFC 6455, as far as a proxy that never looks into frames needs it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/h1_head.h"

/* Does this upgrade request keep the rules (robustness A15)? GET, version 13, a key of 16 bytes on HTTP/1. False: answer
 * with why->status; 426 goes with `Sec-WebSocket-Version: 13`. */
bool websocket_request_is_valid(const struct http_request *r, struct h1_refusal *why);
/* What Sec-WebSocket-Accept must say to this key. STR_NONE when the arena is full. */
struct str websocket_accept(struct arena *arena, struct str key);
/* Makes the fields of an upgrade to WebSocket complete for an HTTP/1 server: what came over HTTP/2 has no key. Other
 * protocols are left alone. False when the arena is full. */
bool websocket_complete(struct http_headers *h, struct str protocol);
