/* origin.h: inside http/: the connections that an origin may have, counted for the process.
 *
 * A connection holds a permit from before it is made until it is closed, idle or not. When all are out, exchanges
 * wait in one queue over all workers. A connection that becomes free goes to a waiter of its own worker when there
 * is one, as connections do not change thread; a waiter that stands at the head for long gets its permit all the
 * same.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "http/client.h"
#include "net/tls.h"
#include "rt/mailbox.h"
#include "rt/sync.h"

struct h1_upstream;

struct http_origin {
    struct http_origin_conf conf;     /* its texts are ours */
    struct str absolute;              /* behind a proxy: "http://host:port" */
    struct http_origins *table;
    char *key;                        /* in the table */
    _Atomic uint32_t refs;
    pthread_mutex_t lock;             /* covers what follows */
    uint32_t permits;                 /* out */
    struct list waiters;              /* struct origin_waiter, first come first */
    struct list pools;                /* struct http_pool, one a worker */
    _Atomic uint32_t n_waiting;       /* length of waiters, readable without the lock */
    uint64_t relief_at_ms;            /* the last look at answers that lie (relief.h); lock */
    _Atomic uint32_t n_uploads;       /* exchanges over HTTP/1 whose request bodies are not out (upload.h) */
};

static inline enum tls_offer
http_tls_offer(enum http_protocol p)
{
    return p == HTTP_PROTOCOL_1 ? TLS_OFFER_HTTP1 : p == HTTP_PROTOCOL_2 ? TLS_OFFER_HTTP2 : TLS_OFFER_EITHER;
}

/* On the waiting fiber's stack. */
struct origin_waiter {
    struct list_node link;            /* linked while nothing was granted; origin->lock */
    struct message mail;              /* a permit from another worker */
    struct loop *loop;
    struct fiber *fiber;
    struct h1_upstream *connection;   /* what a connection of this worker became free for */
    uint64_t since_ms;
    bool is_granted;
};

/* The connections of one origin on one worker. */
struct http_pool {
    struct http_origin *origin;       /* referenced; the key of the client's map */
    struct http_client *client;
    struct list_node link;            /* origin->pools */
    struct list idle;                 /* struct h1_upstream, the latest used first */
    struct list busy;                 /* struct h1_upstream, with an exchange */
    struct list sessions;             /* struct http_session */
    _Atomic uint32_t n_idle;          /* read by other workers */
    _Atomic uint32_t n_lying;         /* of busy, at the last look; read by other workers */
    uint32_t n_users;                 /* connections, and exchanges about to have one: the pool stays */
    bool is_h2;                       /* the last connection spoke HTTP/2 */
    bool is_opening;                  /* a session is being opened: others wait for it */
    struct fiber_cond opened;
};

/* A permit, or a connection of this worker that became free (then *ret_connection).  Yields when none is
 * there: ERR_TIMEOUT, ERR_CANCELLED, ERR_LIMIT when the queue is full. */
bool origin_permit_take(struct http_origin *o, struct loop *loop, uint64_t deadline_ms,
                        struct h1_upstream **ret_connection, struct err *err);
/* The connection is closed. */
void origin_permit_give(struct http_origin *o);
/* Answers of it that were broken off for others. */
void origin_count_cut(struct http_origin *o, size_t n);
/* The connection is free and could be kept: true when a waiter of this loop has taken it. False with
 * *ret_must_close when another worker needs the permit more. */
bool origin_hand_over(struct http_origin *o, struct loop *loop, struct h1_upstream *connection,
                      bool *ret_must_close);
/* On the loop's thread: closes an idle connection of its client to this origin, if there is one. */
void http_client_evict(struct loop *loop, struct http_origin *o);
