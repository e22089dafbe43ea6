/* websocket.h: the handshake of RFC 6455, as far as a proxy that never looks into frames needs it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/h1_head.h"

/* Does this upgrade request keep the rules (robustness A15)? GET, version 13, a key of 16 bytes on HTTP/1. False: answer
 * with why->status; 426 goes with `Sec-WebSocket-Version: 13`. */
bool websocket_request_is_valid(const struct http_request *r, struct h1_refusal *why);
/* What Sec-WebSocket-Accept must say to this key. STR_NONE when the arena is full. */
struct str websocket_accept(struct arena *arena, struct str key);
/* A fresh key for a request that has none because it came over HTTP/2. STR_NONE when the arena is full. */
struct str websocket_new_key(struct arena *arena);
