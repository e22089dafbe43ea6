/* outgoing.h: requests of our own making (send-request and the like): to any address that the configuration lets us reach,
 * answered in full before they return.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/exchange.h"

struct outgoing {
    struct str method;
    struct url url;
    struct http_headers *headers;
    struct content content;
    uint32_t timeout_ms;          /* for all of it; 0: 60 s */
    bool is_trusted;              /* the address stands in headgate.yaml: egress rules do not apply */
};

/* Sends it and reads the whole answer: a reply whose head and body live in the exchange's arena. ERR_DENIED for private
 * addresses that nothing allows, ERR_TIMEOUT, ERR_CONNECT ... Yields. */
MUST_USE bool outgoing_send(struct exchange *ex, struct outgoing *o, struct reply **ret, struct err *err);

/* The target of an address that was computed: the worker remembers the origin, the path is the request's own. NULL with
 * *err. Lives as long as the exchange. */
const struct target *exchange_target(struct exchange *ex, struct str address, struct err *err);
