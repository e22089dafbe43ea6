/* grpc.h: what a proxy must know of gRPC: how to recognise it, and how to say no in its words. Messages pass as
 * bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/message.h"

/* content-type: application/grpc, with or without +proto and parameters. */
bool http_is_grpc(const struct http_headers *h);
/* An answer that is not gRPC's (an error of ours or of a policy) to a gRPC request, as a trailers-only answer: 200
 * with grpc-status and grpc-message. The other fields stay. False when the arena is full. */
bool http_grpc_refusal(struct arena *arena, const struct http_response *from,
                       struct http_response *ret);
