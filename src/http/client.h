/* client.h: requests to other servers over pooled connections.
 *
 *     struct http_exchange_conf conf = { .deadlines = {...} };
 *     struct http_answer *answer;
 *     if (!http_client_exchange(client, origin, &request, body, &conf, arena, &answer, &err)) -> err.code
 *     ... answer->response, body_read(answer->body, ...) ...
 *     http_answer_close(answer);                    the connection goes back to the pool, or is closed
 *
 * Idle connections belong to a worker; how many an origin may have holds for the process: permits, one queue, a
 * mailbox that wakes. HTTP/1 and HTTP/2 connections sit behind the same call.
 *
 * err.code: ERR_CONNECT never reached it (name, refused, TLS: ERR_TLS); ERR_TIMEOUT a deadline, its name in the text;
 * ERR_CLOSED it hung up; ERR_PROTOCOL its answer was not HTTP; ERR_LIMIT too many wait for this origin;
 * ERR_CANCELLED.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/list.h"
#include "http/body.h"
#include "http/message.h"

struct http_client;
struct http_origin;
struct http_origins;
struct loop;
struct stream;
struct addr;
struct connect_override;
struct tls_client;

enum http_protocol { HTTP_PROTOCOL_1, HTTP_PROTOCOL_AUTO /* ALPN on TLS, else 1 */, HTTP_PROTOCOL_2 /* prior knowledge */ };

/* An HTTP proxy on the way, spoken to in plain text. */
struct http_proxy {
    struct str host;                  /* empty: none */
    uint16_t port;
    struct str authorization;         /* value of Proxy-Authorization; empty: none */
};

/* What makes two origins different: each with the same values is one origin. */
struct http_origin_conf {
    struct str host;                  /* as for DNS; v6 without brackets; "unix:/path" */
    uint16_t port;
    enum http_protocol protocol;
    struct tls_client *tls;           /* NULL: plain. A reference is kept */
    struct str tls_name;              /* for SNI and the name check; empty: host */
    uint32_t connections_max;         /* of the process; 0: 1024 */
    uint32_t waiting_max;             /* exchanges queued for one; 0: 1024 */
    uint32_t idle_ms;                 /* an idle connection is kept this long; 0: 60 s */
    uint32_t requests_max;            /* then it is replaced; 0: no limit */
    struct http_proxy proxy;          /* through which it is reached */
};

/* The table of origins; shared by all workers. */
struct http_origins *http_origins_new(void);
void http_origins_delete(struct http_origins *o);
/* One more reference to the origin of these values. Thread-safe. */
struct http_origin *http_origin_get(struct http_origins *o, const struct http_origin_conf *conf);
struct http_origin *http_origin_ref(struct http_origin *o);
void http_origin_unref(struct http_origin *o);
const struct http_origin_conf *http_origin_conf(const struct http_origin *o);
/* Connections now, and exchanges that wait for one: for metrics. */
void http_origin_load(const struct http_origin *o, uint32_t *ret_connections,
                      uint32_t *ret_waiting);
/* The same of all origins together. */
void http_origins_load(struct http_origins *t, uint64_t *ret_connections, uint64_t *ret_waiting);
/* Answers that were broken off for others so far (relief.h). */
uint64_t http_origins_cut(const struct http_origins *t);

struct http_client_conf {
    /* Asked for each address before connecting, and then the exchange's own; NULL: all are allowed. */
    bool (*allow)(void *ctx, const struct addr *address, struct err *err);
    void *allow_ctx;
    const struct connect_override *overrides;     /* `resolve:`; borrowed */
    size_t n_overrides;
    uint32_t head_bytes;              /* of an answer; 0: 64 KiB */
    uint32_t head_fields;             /* 0: 200 */
    uint32_t interims_max;            /* 1xx answers to one request */
    uint32_t connect_ms;              /* where an exchange says nothing; 0: 10 s */
    uint32_t head_start_ms;           /* of one address over the next; 0: 250 ms */
    uint32_t idle_max;                /* idle connections kept for one origin; above it the oldest is closed. 0: 256 */
    uint32_t queue_ms;                /* longest wait for one of an origin's connections; 0: as long as connecting may take */
    const struct http_session_ops *h2;            /* h2_session_ops; NULL: HTTP/1 only */
};

/* One a worker. */
struct http_client *http_client_new(struct loop *loop, struct http_origins *origins,
                                    const struct http_client_conf *conf);
/* Closes idle connections; those in use go on. */
void http_client_close_idle(struct http_client *c);
/* Closes idle connections; none may be in use. */
void http_client_delete(struct http_client *c);

struct http_deadlines {
    uint32_t connect_ms;              /* name, connection and handshake; 0: the client's */
    uint32_t first_byte_ms;           /* from the request sent to the head of the answer; 0: no limit but total */
    uint32_t idle_ms;                 /* between two reads of the answer's body; 0: no limit but total */
    uint64_t total_at_ms;             /* loop_now_ms() value; 0: none. Until the end of the answer's body */
};

struct http_exchange_conf {
    struct http_deadlines deadlines;
    uint32_t continue_ms;             /* HTTP/1: asks for 100 and waits so long before the body goes out; 0: does not ask */
    bool want_upgrade;                /* sends Connection: Upgrade with request->protocol; see http_answer_upgrade */
    bool no_resend;                   /* never a second try on a fresh connection */
    bool want_trailers;               /* TE: trailers goes out */
    void (*on_interim)(void *ctx, const struct http_response *interim); /* each 1xx but 100 and 101; may be NULL */
    void *ctx;
    bool (*allow)(void *ctx, const struct addr *address, struct err *err);   /* besides the client's; may be NULL */
    void *allow_ctx;
};

/* What went on, for logs and metrics; all of the last try. */
struct http_timing {
    uint64_t begun_ns, connected_ns, sent_ns, head_ns;   /* monotonic */
    bool is_reused;                   /* an idle connection served it */
    bool is_resent;                   /* a reused connection was dead; this is the second */
};

struct http_answer {
    const struct http_answer_ops *ops;
    struct http_response response;    /* views into the connection's buffer, alive until http_answer_close */
    struct body *body;                /* NULL: none (HEAD, 204, 304, length 0) */
    struct stream *stream;            /* for its addresses and TLS facts */
    struct http_timing timing;
    struct arena *arena;
    bool is_upgraded;                 /* a 101 that was asked for: body is the bytes from the other side, open-ended */
};

struct http_answer_ops {
    void (*close)(struct http_answer *a);
    void (*upgrade)(struct http_answer *a, struct body *up, void (*on_sent)(void *ctx, int status),
                    void *ctx);
};

/* Sends the request and waits for the head of the answer. The body may still be going out then; the answer's end
 * waits for it, or gives it up. Host, framing and Connection are written from `request` (authority, body); the
 * other fields go out as they are: removing hop-by-hop ones is the caller's (forward.h). Once nothing of an answer
 * has come on a reused connection, an idempotent request whose body is replayable is sent again, once. The answer
 * lives in `arena`; request and body must live until it is closed. conf may be NULL. Yields. */
bool http_client_exchange(struct http_client *c, struct http_origin *origin,
                          const struct http_request *request, struct body *body,
                          const struct http_exchange_conf *conf, struct arena *arena,
                          struct http_answer **ret, struct err *err);
/* Ends the exchange; a connection whose answer was read to its end is kept, others are closed. NULL is fine. Never
 * yields. */
void http_answer_close(struct http_answer *a);
/* After is_upgraded: sends the bytes of `up` as they come; on_sent(ctx, status) once when it has ended (our side
 * is shut down then) or broken. Closing the answer stops it, without on_sent. Never yields. */
void http_answer_upgrade(struct http_answer *a, struct body *up,
                         void (*on_sent)(void *ctx, int status), void *ctx);

/* ---- for a protocol that carries many exchanges on one connection (h2_client.c) ---- */

struct http_pool;                     /* the connections of one origin on one worker */
struct http_session {
    const struct http_session_ops *ops;
    struct list_node link;            /* the pool's */
    struct http_pool *pool;
};
struct http_session_ops {
    /* Takes the connected stream in any case. NULL with *err. Does not yield. */
    struct http_session *(*open)(struct http_client *c, const struct http_origin_conf *origin, struct stream *stream,
                                 struct err *err);
    /* One more exchange now? */
    bool (*has_room)(const struct http_session *s);
    /* As http_client_exchange(), without a second try: ERR_CLOSED with *ret_is_unprocessed says that a second one
     * is safe for any method (GOAWAY, REFUSED_STREAM). Yields. */
    bool (*exchange)(struct http_session *s, const struct http_request *request, struct body *body,
                     const struct http_exchange_conf *conf, struct arena *arena,
                     struct http_answer **ret, bool *ret_is_unprocessed, struct err *err);
    /* No more exchanges; those under way finish. The pool has forgotten it. */
    void (*retire)(struct http_session *s);
};
/* The session's connection is gone, or takes no more: the pool forgets it. The first call counts. */
void http_session_gone(struct http_session *s);
struct loop *http_client_loop(const struct http_client *c);
const struct http_client_conf *http_client_conf(const struct http_client *c);
