/* link.h: one connection to one Redis, kept up: it connects, says hello, carries the commands of all fibers of a worker in one
 * pipeline, and comes back by itself after a failure, waiting longer each time.
 *
 *     struct redis_call call = {.on_reply = keep_the_value, ...};        // on the fiber's stack
 *     if (!redis_link_send(link, &call, words, 2) || !redis_call_wait(&call, deadline_ms, &err)) ... // a miss
 *
 * A server that is silent, or late too often in a row, is taken for broken: the link closes, calls fail at once until a new
 * connection has answered in time (a breaker). One worker, its thread alone.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "net/connect.h"
#include "redis/conf.h"
#include "redis/resp.h"
#include "rt/fiber.h"

struct redis_conn;
struct redis_link;

/* Upper bounds of the histogram of answers, in microseconds, then infinity. */
#define REDIS_LATENCY_BOUNDS_US {100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000}
#define REDIS_LATENCY_BUCKETS 13

/* Counted by the links of one worker; read from any thread. */
struct redis_figures {
    _Atomic uint64_t commands, errors, timeouts, refused; /* refused: no link, or too much waiting to be sent */
    _Atomic uint64_t connects, breaks, bytes_in, bytes_out, pushes;
    _Atomic uint64_t latency_us;      /* sum over commands that were answered */
    _Atomic uint64_t latency[REDIS_LATENCY_BUCKETS];   /* how many of them, by their time */
};

/* Shared by the links of a worker; outlives them. */
struct redis_link_options {
    struct loop *loop;
    const struct redis_conf *conf;
    struct tls_client *tls;           /* NULL: plain */
    const struct connect_override *overrides;
    size_t n_overrides;
    struct str client_name;
    struct str channel;               /* subscribed to as part of the hello; empty: none */
    struct resp_limits limits;
    size_t unsent_max;                /* bytes that may wait for a slow server; above, commands are refused */
    uint32_t operation_ms;            /* a reply later than that counts against the server */
    struct redis_figures *figures;
    void *owner;
    /* From the loop or a fiber, never yielding. on_state: up, or broken (why is set). on_push: what came without a question;
     * on RESP2 a message of the second connection. */
    void (*on_state)(struct redis_link *l, bool is_up, const struct err *why);
    void (*on_push)(struct redis_link *l, struct resp push);
    void (*on_gone)(void *owner);     /* a deleted link has let go of everything */
};

enum redis_call_state { CALL_IDLE, CALL_SENT, CALL_DONE, CALL_BROKEN };

struct redis_call {
    /* With the reply, on the loop's stack or another fiber's, without yielding; NULL: the link broke before it came. May be
     * NULL itself. The call is the caller's again from here on. */
    void (*on_reply)(struct redis_call *c, const struct resp *reply);
    struct fiber *waiter;
    struct redis_conn *conn;
    uint64_t number;                  /* of its reply on this connection */
    uint64_t sent_ns;                 /* loop time when it was queued: before it was on its way */
    uint8_t state;                    /* enum redis_call_state */
};

/* Begins to connect at once. endpoint: instead of those of the conf, for a member of a cluster; copied. NULL: the conf's. */
struct redis_link *redis_link_new(const struct redis_link_options *options, const struct redis_endpoint *endpoint);
/* Calls in progress break, and no callback comes any more but on_gone: at once, or when a fiber that was connecting has
 * ended, a turn or two later. Until then options must stay. NULL is fine. */
void redis_link_delete(struct redis_link *l);

bool redis_link_is_up(const struct redis_link *l);
const struct redis_link_options *redis_link_options(const struct redis_link *l);
const struct redis_endpoint *redis_link_endpoint(const struct redis_link *l);
/* Which connection this is, counted from 1; 0 while down. What was learnt on an earlier one may be out of date. */
uint32_t redis_link_session(const struct redis_link *l);
/* From the hello: "7.0.15", cluster mode, whether it is a replica; whether key changes will be pushed. */
struct redis_hello {
    char version[24];
    uint8_t protocol;
    bool is_cluster, is_replica, has_tracking, has_channel;
};
const struct redis_hello *redis_link_hello(const struct redis_link *l);

/* Queues a command, sent with all others of this turn. False (and the call is idle): down, or too much waits. Words are
 * copied. */
MUST_USE bool redis_link_send(struct redis_link *l, struct redis_call *c, const struct str *words, uint32_t n);
/* Until the reply. False with ERR_TIMEOUT, ERR_CLOSED, ERR_CANCELLED; the reply is thrown away then. Yields. */
MUST_USE bool redis_call_wait(struct redis_call *c, uint64_t deadline_ms, struct err *err);
/* on_reply will not be called. An idle call is fine. */
void redis_call_abandon(struct redis_call *c);
/* Closes and connects anew: what is known of this connection is not to be trusted. */
void redis_link_break(struct redis_link *l, const char *why);
