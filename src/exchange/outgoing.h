/* outgoing.h: requests of our own making (send-request and the like): to any address that the configuration lets us reach,
 * answered in full before they return.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/exchange.h"

struct backend_conf;

struct outgoing {
    struct str method;
    struct url url;
    struct http_headers *headers;
    struct content content;
    const struct loaded_certificate *certificate;   /* shown to it; NULL: none */
    const struct http_proxy *proxy;   /* on the way; NULL: none */
    uint32_t timeout_ms;          /* for all of it; 0: 60 s */
    bool is_trusted;              /* the address stands in headgate.yaml: egress rules do not apply */
};

/* Sends it and reads the whole answer: a reply whose head and body live in the exchange's arena. ERR_DENIED for private
 * addresses that nothing allows, ERR_TIMEOUT, ERR_CONNECT ... Yields. */
MUST_USE bool outgoing_send(struct exchange *ex, struct outgoing *o, struct reply **ret, struct err *err);

/* The same target with a certificate to show or a proxy on the way (both may be NULL: then it is `t`). conf: whose TLS rules hold, may be
 * NULL. NULL with *err. Lives as long as the exchange. */
const struct target *exchange_target_variant(struct exchange *ex, const struct target *t, const struct backend_conf *conf,
                                             const struct loaded_certificate *certificate, const struct http_proxy *proxy,
                                             struct err *err);

/* The target of an address that was computed: the worker remembers the origin, the path is the request's own. NULL with
 * *err. Lives as long as the exchange. */
const struct target *exchange_target(struct exchange *ex, struct str address, struct err *err);
