/* trace_context.h: W3C trace context: a request's place in a trace, passed on or begun.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/rand.h"
#include "base/str.h"

#define TRACEPARENT_LEN 55

struct trace_context {
    uint8_t trace_id[16];
    uint8_t span_id[8];               /* ours; the backend's parent */
    uint8_t parent_id[8];             /* the client's; zero when the trace begins here */
    uint8_t flags;                    /* bit 0: sampled */
};

/* Continues the client's trace when the header is well-formed (W3C Trace Context, section 3.2), begins one
 * otherwise. header may be STR_NONE. True when the client's goes on. */
bool trace_context_begin(struct trace_context *t, struct str header, struct rand *rand);
/* "00-TRACE-SPAN-FLAGS". Exactly TRACEPARENT_LEN bytes, no NUL. */
void trace_context_print(const struct trace_context *t, char *to);
