/* h2_inflow.h: the received body of a stream, between nghttp2's callbacks and a reader.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/h2_link.h"

/* Inside nghttp2: bytes came; the body ended, or will not. */
void h2_inflow_add(struct h2_stream *s, struct str bytes);
void h2_inflow_end(struct h2_stream *s, bool is_complete);
/* Outside: tells the waiting reader. */
void h2_inflow_wake(struct h2_stream *s);
/* The body for readers; lives in the stream. */
struct body *h2_inflow_body(struct h2_stream *s, int64_t length);
/* Frees what is unread. */
void h2_inflow_destroy(struct h2_stream *s);
