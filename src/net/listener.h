/* listener.h: sockets that accept, one a worker and address (SO_REUSEPORT), and what stands between accept and the
 * first byte of the protocol: limits, PROXY protocol, the TLS handshake. None of that takes a fiber.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "net/conn_limits.h"
#include "net/stream.h"

struct tls_server;

/* A bound, listening socket: non-blocking, close-on-exec. mode: of a unix socket's file (0: 0660); an old socket file
 * that nobody answers is replaced. -1 on failure. is_shared: SO_REUSEPORT. */
int listener_bind(const struct addr *at, uint32_t backlog, unsigned mode, bool is_shared, struct err *err);
/* Before the first of several that share an address: is nobody listening there? The kernel would let us join another gateway, and
 * clients would get answers of both. One that is about to go, since its master has gone, has two seconds for it. Blocks. */
bool listener_address_is_free(const struct addr *at, struct err *err);

struct listener_options {
    struct addr addr;                    /* for messages and metrics; bound to by the caller (fd) */
    int fd;                              /* from listener_bind() or the master; the listener owns it */
    struct tls_server *tls;              /* NULL: plain. Referenced */
    const char *name;                    /* of the listener, for tickets and logs. Borrowed */
    bool is_proxy_protocol;              /* a PROXY header comes first, or the connection is closed */
    const struct addr_net *proxy_peers;  /* who may send it, others are closed; none: this machine. Borrowed */
    size_t n_proxy_peers;
    struct conn_limits *limits;          /* may be NULL. Borrowed */
    uint64_t handshake_timeout_ms;       /* PROXY header and TLS handshake together; 0: 10 s */
    /* A new connection, on the loop's stack; takes the stream. */
    void (*on_stream)(void *ctx, struct stream *s);
    void *ctx;
};

struct listener_stats {
    uint64_t accepted, refused_total, refused_address, refused_proxy, tls_failed, timed_out, accept_pauses;
    uint32_t open;                       /* streams alive, in handshake or handed over */
};

/* Starts accepting on this loop. */
struct listener *listener_new(struct loop *loop, const struct listener_options *options, struct err *err);
/* No more accepts; the descriptor is closed. Streams stay; connections in their handshake go on. */
void listener_stop(struct listener *l);
/* Stops; memory goes when the last stream has gone. NULL is fine. */
void listener_delete(struct listener *l);
struct listener_stats listener_stats(const struct listener *l);
const struct listener_options *listener_options(const struct listener *l);
/* Where it really listens (port 0 was asked for). */
struct addr listener_addr(const struct listener *l);
