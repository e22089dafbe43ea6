/* origin.h: a fake backend: answers by the rules of its script, and remembers what it saw. One thread for accepting, one a
 * connection; all are joined by origin_stop().
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>

#include "hgt/identity.h"
#include "hgt/script.h"
#include "hgt/wire.h"

struct seen_request {
    struct str method, target;
    struct wire_header *headers;
    size_t n_headers;
    struct str body;
    struct str certificate;           /* common name of the client's; STR_NONE: it showed none */
    struct str fault;
    struct seen_request *older;
};

struct fake_origin {
    struct str name;
    struct str url_as;                /* the URL documents name; STR_NONE: http://127.0.0.1:port */
    uint16_t port;
    SSL_CTX *tls;                     /* NULL: plain */
    const struct step *step;          /* its rules */
    struct fake_origin *next;
    struct fake_origin *const *all;   /* the first one, for tunnels to others */

    pthread_mutex_t lock;             /* covers all below */
    pthread_cond_t changed;
    struct arena arena;               /* of what was seen */
    struct seen_request *newest;
    uint32_t n_requests, n_connections;
    uint32_t used_rules;              /* bit i: rule i was `once` and is used up */
    int listener;
    int open[1024];                   /* descriptors of connections, -1 free */
    uint32_t n_threads;
    bool is_stopping;
    pthread_t acceptor;
};

/* Listens on a free port (or again on o->port) and answers. */
bool origin_start(struct fake_origin *o, struct err *err);
/* Closes everything and joins the threads. */
void origin_stop(struct fake_origin *o);
/* Ends every connection, and forgets what was seen and which rules were used: nothing of one test reaches the next. Idle
 * connections of the gateway's have to be closed before, or it may try to use one. */
void origin_reset(struct fake_origin *o);
/* Waits until n requests were seen; false after wait_ms. */
bool origin_wait(struct fake_origin *o, uint32_t n, int wait_ms);
void origin_destroy(struct fake_origin *o);
