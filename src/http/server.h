/* server.h: client connections become calls. One struct http_server per worker; HTTP/1 (h1_server.c) and HTTP/2
 * (h2_server.c) sit behind the same struct http_call.
 *
 *     accept -> connection (no fiber, no buffer while idle) -> head parsed -> fiber: on_call(ctx, call)
 *               -> exactly one of http_call_send / respond / upgrade / abort -> next head
 *
 * A call, its arena, its request and its body live until on_call has returned and the answer is out (or has failed);
 * then `on_sent` runs, and the connection goes on or closes. on_call may return before: what http_call_send() took
 * over is pumped by callbacks, without a stack.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/list.h"
#include "http/body.h"
#include "http/limits.h"
#include "http/message.h"

struct buf;
struct fiber;
struct http_call;
struct http_server;
struct loop;
struct stream;

/* status: IO_OK when the whole answer went out, else what broke it. Runs on the loop's stack, or, when all went
 * out at once, inside http_call_send(). */
typedef void http_sent_fn(void *ctx, struct http_call *call, int status);

struct http_call_ops {
    void (*send)(struct http_call *call, const struct http_response *response, struct body *body);
    bool (*interim)(struct http_call *call, uint16_t status, const struct http_headers *headers);
    struct body *(*upgrade)(struct http_call *call, const struct http_response *response,
                            struct body *down);
    void (*abort)(struct http_call *call);
    void (*drop)(struct http_call *call);         /* as if the client had gone, in any state */
};

struct http_call {
    const struct http_call_ops *ops;
    struct http_server *server;
    struct arena *arena;              /* of this exchange, http_limits.exchange_bytes at most */
    struct http_request request;      /* as received; views into the connection's buffer, alive as long as the call */
    struct body *body;                /* of the request; NULL: none. Closed by the server */
    struct stream *stream;            /* the connection: its addresses and TLS facts; not for reading or writing */
    void *user;                       /* the gateway's */
    struct str request_id;            /* goes out as x-request-id, unless the answer has one; empty: none */
    uint64_t started_ns;              /* monotonic, when the first byte of the head was read */
    uint64_t head_ns;                 /* monotonic, when the head was complete */
    uint64_t bytes_in, bytes_out;     /* on the wire of this exchange, heads included, TLS and frames not */
    uint16_t status_sent;             /* 0 until a final head has been handed out */
    bool is_answered;                 /* one of the four endings has been chosen */
    bool is_body_too_large;           /* reading the body failed because of limits.body_bytes: answer 413 */
    bool must_close;                  /* the connection ends with this answer (set it before answering) */
    /* For server.c. */
    struct list_node node;            /* server->calls */
    struct fiber *fiber;              /* that on_call runs on; NULL before and after */
    http_sent_fn *on_sent;
    void *on_sent_ctx;
    void (*on_returned)(struct http_call *call);
};

/* Hands the answer over; on_sent (may be NULL) is called exactly once. `response` and `body` (NULL: none) live in the
 * call's arena, or at least until on_sent, where the caller closes the body. Framing and Date are the server's. A body
 * whose length is known is sent with Content-Length, others chunked (HTTP/1.0: until close). To HEAD, and with 204 and
 * 304, the body is not read. A body that breaks half-way breaks the connection or resets the stream: never a
 * well-formed short answer. Trailers go to clients that sent `TE: trailers`. Never yields. */
void http_call_send(struct http_call *call, const struct http_response *response, struct body *body,
                    http_sent_fn *on_sent, void *ctx);
/* The same from the call's fiber, until all is sent. ERR_CLOSED or ERR_TIMEOUT when the client did not take it,
 * ERR_PROTOCOL when the body broke. Yields. */
bool http_call_respond(struct http_call *call, const struct http_response *response,
                       struct body *body, struct err *err);
/* A small answer from text in the arena; content_type may be STR_NONE. Does not yield; on_sent as set before. */
void http_call_send_text(struct http_call *call, uint16_t status, struct str content_type,
                         struct str text);
/* The gateway's error body: { "statusCode": 404, "message": "..." }. */
void http_call_send_error(struct http_call *call, uint16_t status, struct str message);
/* That body alone. */
void http_error_body(struct buf *to, uint16_t status, struct str message);
/* A 1xx answer before the final one; headers may be NULL. False when the client cannot get it (HTTP/1.0). 100 is sent
 * by the body's first read when the client waits for it. Never yields. */
bool http_call_interim(struct http_call *call, uint16_t status, const struct http_headers *headers);
/* Accepts what request.protocol asks for: sends a 101 (HTTP/1) or a 200 (extended CONNECT) with these fields, then
 * the bytes of `down` as they come, until it ends or breaks; on_sent then. Returns the bytes from the client,
 * open-ended; NULL, with nothing sent, when the client did not ask for an upgrade. Both directions are opaque from
 * here on, and the connection (the stream) is never used for another call. tunnel.h joins two such ends. Never
 * yields. */
struct body *http_call_upgrade(struct http_call *call, const struct http_response *response,
                               struct body *down, http_sent_fn *on_sent, void *ctx);
/* Breaks the answer off: closes the connection, resets the stream. Before an answer was begun this too is an
 * ending. */
void http_call_abort(struct http_call *call);

/* ---- for the protocols below (h1_server.c, h2_server.c) ---- */

/* Admits the call and runs on_call on a fiber. False when limits.exchanges is reached or no fiber is left; then
 * nothing has run and the protocol answers 503 itself. `arena` must be set up. on_returned(call) is called when
 * on_call has returned; a call that was not answered by then is aborted first. */
bool http_call_start(struct http_call *call, void (*on_returned)(struct http_call *call));
/* Once for each call, when its answer has gone out (IO_OK) or has failed: runs on_sent. */
void http_call_sent(struct http_call *call, int status);
/* The client has gone: on_call's waits fail with ERR_CANCELLED, so that no work goes on that nobody wants; it still ends by
 * answering into the void. Not when the answer is on its way. */
void http_call_cancel(struct http_call *call);
/* The call is over: on_call has returned and the answer is out. Gives its place back. */
void http_call_ended(struct http_call *call);
/* Connections of either protocol are counted here, and told to drain through `drain`. */
struct http_server_conn {
    struct list_node link;
    struct http_server *server;
    void (*drain)(struct http_server_conn *c);    /* the next answer is the last */
    void (*close)(struct http_server_conn *c);    /* now */
};
void http_server_add(struct http_server *s, struct http_server_conn *c);
void http_server_remove(struct http_server_conn *c);
/* Counts an answer that the HTTP of a request has earned: no policy has seen it, or its body turned out wrong. */
void http_server_count_refusal(struct http_server *s, uint16_t status);
/* The same of a request that never became a call: conf.on_refused hears of it, too. why lives for good. */
void http_server_refused(struct http_server *s, const struct stream *from, uint16_t status, const char *why);
/* Counts an answer that was given up because its client took nothing of it in time. */
void http_server_count_unread(struct http_server *s);
/* Counts a connection that was closed because no request came on it in time, or a tunnel because no byte did. */
void http_server_count_idle(struct http_server *s, bool is_tunnel);
struct loop *http_server_loop(const struct http_server *s);
const struct http_server_conf *http_server_conf(const struct http_server *s);
bool http_server_is_draining(const struct http_server *s);
/* No connection is to be kept, for want of memory. */
bool http_server_is_pressed(const struct http_server *s);
/* "Sun, 06 Nov 1994 08:49:37 GMT", made once a second. Valid until the next call. */
struct str http_server_date(struct http_server *s);

/* What all workers' servers share: limits that hold for the process. Zero-initialised. */
struct http_load {
    _Atomic int64_t exchanges;        /* in flight */
    _Atomic uint64_t calls;           /* so far */
    _Atomic uint64_t refusals[200];   /* requests refused for their HTTP, by status - 400 */
    _Atomic uint64_t unread;          /* answers whose client took nothing, or too little, of them */
    _Atomic uint64_t idle_closed, tunnels_idle_closed;
    _Atomic bool is_pressed;          /* memory is tight: answers are the last of their connections */
    _Atomic uint64_t h2_dropped;      /* HTTP/2 connections that cost too much */
};

struct http_server_conf {
    struct http_limits limits;
    struct http_load *load;           /* NULL: the server keeps its own */
    void (*on_call)(void *ctx, struct http_call *call);
    uint64_t (*cost)(void *ctx, const struct http_call *call);    /* bytes it holds; NULL: its arena's */
    void (*on_refused)(void *ctx, const struct stream *from, uint16_t status, const char *why);    /* no call came of it; NULL: nobody asks */
    void *ctx;
    struct str server_name;           /* value of Server; empty: no such field */
    /* Takes a connection that speaks HTTP/2 (ALPN, or prior knowledge on plain text) with the bytes read from it
     * so far: h2_server_accept. NULL: HTTP/1 only. */
    void (*accept_h2)(struct http_server *s, struct stream *stream, struct str first);
};

/* conf is copied, but for what it points to. */
struct http_server *http_server_new(struct loop *loop, const struct http_server_conf *conf);
/* Takes the stream over (the TLS handshake is done). */
void http_server_accept(struct http_server *s, struct stream *stream);
/* For configuration that changed: counts from the next request on. */
void http_server_set_limits(struct http_server *s, const struct http_limits *limits);
/* Nothing new is wanted: `Connection: close` on the next answer of each connection, idle ones are closed 1 s after
 * their last answer (robustness 3.3), HTTP/2 gets GOAWAY in two steps. on_empty(ctx), may be NULL, when the last
 * is gone. */
void http_server_drain(struct http_server *s, void (*on_empty)(void *ctx), void *ctx);
/* Closes what is left at once. Calls whose fiber still runs see their answers fail; delete comes after they ended. */
void http_server_close_all(struct http_server *s);
/* Drops the call that holds the most memory, if that is min bytes or more: HTTP/1 loses the connection, HTTP/2 the stream. */
bool http_server_break_costliest(struct http_server *s, uint64_t min);
/* No connection may be left. NULL is fine. */
void http_server_delete(struct http_server *s);
uint32_t http_server_connections(const struct http_server *s);
uint32_t http_server_calls(const struct http_server *s);
