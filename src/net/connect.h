/* connect.h: from a host name to a connected stream: overrides, resolver, happy eyeballs (RFC 8305), TLS.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "net/dns.h"
#include "net/stream.h"
#include "net/tls.h"

/* `resolve:` of headgate.yaml: name:port goes to an address instead. Immutable, shared. Port 0: every port (the
 * asked-for port is kept when the address has port 0). */
struct connect_override {
    struct str host;                     /* lower case */
    uint16_t port;
    struct addr to;
};

struct connect_target {
    struct str host;                     /* name or address, without brackets; "unix:/path" for a unix socket */
    uint16_t port;
    struct tls_client *tls;              /* NULL: plain */
    enum tls_offer tls_offer;
    struct str tls_name;                 /* for SNI and the name check; empty: host */
    const struct connect_override *overrides;
    size_t n_overrides;
    uint32_t head_start_ms;              /* of one address over the next; 0: 250 ms */
    /* Asked for each address before it is tried; false with *err set refuses it. NULL: all are allowed. */
    bool (*allow)(void *ctx, const struct addr *a, struct err *err);
    void *allow_ctx;
};

/* Tries the addresses one after another, a head start apart or as soon as one fails, IPv6 and IPv4 alternating; the first to
 * connect wins. NULL with ERR_NOT_FOUND (no such name), ERR_CONNECT (refused, unreachable), ERR_DENIED (allow), ERR_TLS,
 * ERR_TIMEOUT, ERR_CANCELLED. Yields. */
struct stream *connect_happy(struct loop *loop, const struct connect_target *target, uint64_t deadline_ms,
                             struct err *err);
