/* tunnel.h: a WebSocket or any other upgraded connection: bytes in both directions, pumped by callbacks, without a
 * fiber.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/client.h"
#include "http/server.h"

/* Joins the client of `call` to the upgraded `answer`, whose head goes to the client as `response`. Ends when
 * either side does: the other is closed after what is on its way has gone out, within 5 s; or when no byte has
 * moved for idle_ms. Closes the answer. on_done(ctx, call, bytes_up, bytes_down) once, then the call is over. Call
 * it from on_call. Never yields. */
void http_tunnel(struct http_call *call, const struct http_response *response,
                 struct http_answer *answer, uint64_t idle_ms,
                 void (*on_done)(void *ctx, struct http_call *call, uint64_t up, uint64_t down),
                 void *ctx);
