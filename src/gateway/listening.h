/* listening.h: the sockets of all listeners, one a worker, bound before anything else happens (so that privileges can be
 * dropped), and the TLS settings behind them.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "gateway/master_link.h"
#include "model/options.h"
#include "net/listener.h"
#include "net/tls.h"

struct listening {
    struct addr addr;                 /* with the port that was got */
    int *fds;                         /* one a worker; -1 once a listener has taken it */
    struct tls_server *tls;           /* NULL: plain */
    struct tls_tickets *tickets;      /* their keys; NULL: none are given */
    char *name, *path;
};

struct listener_set {
    struct listening *v;              /* as options->listeners */
    uint32_t n, n_workers;
    struct conn_limits *limits;
    struct addr_net *proxy_peers;
    size_t n_proxy_peers;
};

/* Sockets come from the master, or are bound here when there is none. */
struct listener_set *listener_set_new(const struct options *options, const struct clock *clock, uint32_t n_workers,
                                      struct master_link *master, struct err *err);
/* Reads the certificates again; the old ones stay when that fails. */
bool listener_set_reload(struct listener_set *set, const struct options *options, struct err *err);
/* Starts listener i of a worker on its loop. */
struct listener *listener_set_start(struct listener_set *set, const struct options *options, uint32_t i, uint32_t worker,
                                    struct loop *loop, void (*on_stream)(void *ctx, struct stream *s), void *ctx,
                                    struct err *err);
void listener_set_delete(struct listener_set *set);
