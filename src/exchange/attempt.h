/* attempt.h: one try to send the request that policies edit to where it goes now. Each try renders a head of its own, has its
 * own deadline and its own answer.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/exchange.h"

struct attempt {
    uint32_t timeout_ms;          /* to the head of the answer; 0: only the call's own deadline */
    uint32_t continue_ms;         /* asks the backend with Expect and waits so long before the body goes out; 0: does not ask */
    uint8_t protocol;             /* enum http_protocol */
    bool follows_redirects;
    bool buffers_request;         /* keep the body for a further try */
};

/* Sends ex->request to ex->target; ex->response is the answer then, its body still to come. False with ex->error set.
 * Yields. */
MUST_USE bool attempt_run(struct exchange *ex, const struct attempt *conf);
