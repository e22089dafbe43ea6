/* h1_server.c: client connections that speak HTTP/1 (h1_server.h).
 *
 *     conn: idle -> head -> exchange (on_call's fiber, answer on its way) -> [drain] -> idle | closing
 *
 * A connection is a small struct with a stream and one timer; a read buffer is there only while bytes are; all
 * else belongs to the exchange, which is recycled. One turn of work() reads heads from the buffer and starts their
 * exchanges; an exchange that is answered at once ends inside it, so pipelined requests run in a loop, not in a
 * recursion.
 *
 * Ownership: the exchange is over when on_call has returned and the answer is out, in whatever order; its
 *            connection waits for that even when it is dead, since the call's views and its stream are its own.
 * Invariants: N1  while exchange != NULL nobody reads the stream but the exchange's body (or the watch for
 *                 a hang-up).
 *             N2  a connection with work() on the stack is not freed; is_dead says that it has to be.
 *             N3  once an answer is on its way, only its end, its failure or an abort lead to exchange_over().
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/h1_server.h"

#include <stdlib.h>

#include "base/buf.h"
#include "http/forward.h"
#include "http/h1_sender.h"
#include "rt/fiber.h"

#define FREE_EXCHANGES_MAX 128

struct h1_server {
    struct http_server *server;
    struct loop *loop;
    struct h1_buffers buffers;
    struct pace_limit pace, tunnel_pace;  /* of clients: a tunnel has no minimum rate */
    struct loop_spares spares;
    struct h1_exchange *free_exchanges;
    uint32_t n_free_exchanges;
    struct h1_scratch scratch;
    struct http_headers head_fields;  /* where heads are parsed; copied once they are whole */
    struct arena head_arena;
};

struct h1_conn {
    struct http_server_conn super;
    struct h1_server *h1;
    struct h1_input in;
    struct h1_exchange *exchange;     /* NULL: idle, or reading a head */
    struct timer timer;               /* runs to the earliest deadline there was; looks again when it fires */
    uint64_t deadline_ms;             /* of the state it is in; NO_DEADLINE during an exchange */
    uint64_t idle_until_ms;           /* while it waits for a request */
    struct pace pace;                 /* meanwhile: of what the socket still holds of the last answer */
    uint64_t quiet_since_ms;          /* the last answer's end */
    struct task task;                 /* work() later */
    uint64_t n_requests;
    bool is_processing;               /* N2 */
    bool is_dead;                     /* close when work() and the exchange are over */
    bool is_gentle;                   /* let the client read what we sent */
};

struct h1_exchange {
    struct http_call call;
    struct h1_conn *conn;
    struct h1_exchange *next_free;
    struct arena arena;
    struct h1_framing framing;
    struct h1_head_limits trailer_limits;
    uint64_t drain_left;
    bool has_returned, is_sent;       /* both: over */
    bool may_go_on;                   /* the connection was not promised to be closed */
    bool is_upgraded;
    bool is_watching;                 /* for the client to go */
    /* Set up by functions of their own. */
    struct h1_body body;
    struct h1_sender sender;
};

static const struct http_call_ops h1_call_ops;
static void work(struct h1_conn *c);
static void watch_peer(struct h1_exchange *ex);
static void wait_for_head(struct h1_conn *c, uint64_t timeout_ms);

static void
release_spares(struct loop_spares *spares)
{
    struct h1_server *s = CONTAINER_OF(spares, struct h1_server, spares);

    while (s->free_exchanges) {
        struct h1_exchange *ex = s->free_exchanges;
        s->free_exchanges = ex->next_free;
        free(ex);
    }
    s->n_free_exchanges = 0;
    h1_buffers_destroy(&s->buffers);
}

struct h1_server *
h1_server_new(struct http_server *server)
{
    struct h1_server *s = xnew(struct h1_server);

    s->server = server;
    s->loop = http_server_loop(server);
    s->spares.release = release_spares;
    list_push_back(&s->loop->spares, &s->spares.link);
    s->scratch.pool = &s->buffers;
    s->pace = http_limits_pace(&http_server_conf(server)->limits);
    s->tunnel_pace = (struct pace_limit){.halt_ms = s->pace.halt_ms};
    s->head_arena = ARENA(NULL, 1 << 20);
    s->head_fields = http_headers_in(&s->head_arena);
    return s;
}

void
h1_server_delete(struct h1_server *s)
{
    if (!s)
        return;
    list_remove(&s->spares.link);
    release_spares(&s->spares);
    arena_destroy(&s->head_arena);
    free(s);
}

static const struct http_limits *
limits_of(const struct h1_conn *c)
{
    return &http_server_conf(c->h1->server)->limits;
}

/* ---- deadlines: one timer, moved as seldom as possible ---- */

static void on_deadline(struct timer *t);

static void
set_deadline(struct h1_conn *c, uint64_t at_ms)
{
    c->deadline_ms = at_ms;
    if (at_ms != NO_DEADLINE && (!timer_is_running(&c->timer) || c->timer.at_ms > at_ms))
        timer_start(c->h1->loop, &c->timer, at_ms, on_deadline);
}

/* ---- the end of a connection ---- */

static void
conn_free(struct h1_conn *c)
{
    struct stream *stream = c->in.stream;
    const struct http_limits *limits = limits_of(c);

    timer_stop(c->h1->loop, &c->timer);
    loop_unpost(&c->task);
    h1_input_release(&c->in);
    stream_when_readable(stream, NULL, NULL);
    if (c->is_gentle)
        stream_close_gently(stream, (size_t)limits->drain_bytes, (uint64_t)limits->drain_ms);
    else
        stream_close(stream);
    http_server_remove(&c->super);
    free(c);
}

/* Frees it now or, while it is in use, as soon as it is not. */
static void
conn_close(struct h1_conn *c, bool is_gentle)
{
    if (!c->is_dead)
        c->is_gentle = is_gentle;
    c->is_dead = true;
    if (!c->is_processing && !c->exchange)
        conn_free(c);
}

/* ---- answers that need no call: heads that cannot be understood, overload ---- */

static void
refuse(struct h1_conn *c, uint16_t status, const char *why)
{
    struct arena arena AUTO(arena_destroy) = ARENA(&c->h1->loop->blocks, ARENA_BLOCK_SIZE);
    struct http_response r = {.status = status, .headers = http_headers_in(&arena)};
    struct buf body = buf_in(&arena);
    struct h1_out out = {.want_close = true, .date = http_server_date(c->h1->server),
                         .server = http_server_conf(c->h1->server)->server_name};
    char *to = c->h1->scratch.bytes;
    size_t n;

    http_server_refused(c->h1->server, c->in.stream, status, why);
    http_error_body(&body, status, str_from_c(why));
    http_headers_add_id(&r.headers, HTTP_CONTENT_TYPE, STR("Content-Type"),
                        STR("application/json"));
    if (status == 503)
        http_headers_add_id(&r.headers, HTTP_RETRY_AFTER, STR("Retry-After"), STR("1"));
    if (status == 405)
        http_headers_add_id(&r.headers, HTTP_ALLOW, STR("Allow"),
                            STR("GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"));
    out.content_length = (int64_t)body.len;
    n = h1_write_response(to, &r, &out);
    memcpy(to + n, body.p, body.len);
    /* What does not fit into the socket of a client that reads nothing is lost. */
    stream_try_write(c->in.stream, to, n + body.len);
    conn_close(c, true);
}

/* ---- the end of an exchange ---- */

static void
exchange_recycle(struct h1_exchange *ex)
{
    struct h1_server *s = ex->conn->h1;

    body_close(&ex->body.super);
    if (ex->is_watching)
        stream_when_readable(ex->conn->in.stream, NULL, NULL);
    arena_destroy(&ex->arena);
    ex->conn->exchange = NULL;
    if (s->n_free_exchanges == FREE_EXCHANGES_MAX) {
        free(ex);
        return;
    }
    ex->next_free = s->free_exchanges;
    s->free_exchanges = ex;
    s->n_free_exchanges++;
}

static void
on_task(struct task *t)
{
    work(CONTAINER_OF(t, struct h1_conn, task));
}

/* The exchange is gone; what now? */
static void
conn_go_on(struct h1_conn *c)
{
    if (c->is_processing)
        return;                       /* work() looks at it */
    if (c->is_dead) {
        conn_free(c);
        return;
    }
    h1_input_next(&c->in);
    c->quiet_since_ms = loop_now_ms(c->h1->loop);
    if (c->in.buf) {
        /* Not from here: this may be the stack of the fiber that is about to end. */
        c->task.run = on_task;
        loop_post(c->h1->loop, &c->task);
    } else {
        wait_for_head(c, (uint64_t)limits_of(c)->idle_ms);
    }
}

static void
exchange_over(struct h1_exchange *ex)
{
    struct h1_conn *c = ex->conn;

    if (!ex->body.is_whole || !ex->may_go_on || ex->body.super.status == IO_ERROR)
        conn_close(c, true);
    exchange_recycle(ex);
    conn_go_on(c);
}

/* Reads and drops the rest of a request body that nobody wanted, so that it is not taken for a request (A10). */
static void
drain(void *ctx)
{
    struct h1_exchange *ex = ctx;
    struct str piece;
    int status;

    while ((status = body_try_read(&ex->body.super, &piece)) == IO_OK) {
        if (piece.len > ex->drain_left) {
            exchange_over(ex);
            return;
        }
        ex->drain_left -= piece.len;
    }
    if (status == IO_AGAIN)
        body_when_ready(&ex->body.super, drain, ex);
    else
        exchange_over(ex);
}

static void
end_if_over(struct h1_exchange *ex)
{
    struct h1_conn *c = ex->conn;
    const struct http_limits *limits = limits_of(c);

    if (!ex->has_returned || !ex->is_sent)
        return;
    http_call_ended(&ex->call);
    h1_sender_stop(&ex->sender);
    if (ex->body.is_whole || c->is_dead || !ex->may_go_on || ex->body.super.is_closed ||
        ex->body.super.status != IO_OK) {
        exchange_over(ex);
        return;
    }
    ex->drain_left = (uint64_t)limits->drain_bytes;
    ex->body.total_at_ms = loop_now_ms(c->h1->loop) + (uint64_t)MAX(limits->drain_ms, 1);
    drain(ex);
}

static void
on_returned(struct http_call *call)
{
    struct h1_exchange *ex = (struct h1_exchange *)call;

    ex->has_returned = true;
    end_if_over(ex);
}

/* It takes its answer too slowly, or not at all. */
static void
drop_reader(struct h1_conn *c)
{
    http_server_count_unread(c->h1->server);
    stream_drop_unsent(c->in.stream);
    conn_close(c, false);
}

/* The answer has gone out, or has failed. */
static void
exchange_sent(struct h1_exchange *ex, int status)
{
    if (ex->is_sent)
        return;
    if (status != IO_OK)
        conn_close(ex->conn, false);
    ex->is_sent = true;
    ex->call.bytes_in += ex->body.n_wire;
    ex->call.bytes_out += ex->sender.bytes;
    http_call_sent(&ex->call, status);
    end_if_over(ex);
}

static void
on_sender_done(struct h1_sender *sender, int status)
{
    struct h1_exchange *ex = CONTAINER_OF(sender, struct h1_exchange, sender);

    if (status == IO_TIMEOUT)
        drop_reader(ex->conn);
    exchange_sent(ex, status);
}

static void
call_abort(struct http_call *call)
{
    struct h1_exchange *ex = (struct h1_exchange *)call;

    h1_sender_stop(&ex->sender);
    h1_body_break(&ex->body, IO_CANCELLED);
    conn_close(ex->conn, false);
    exchange_sent(ex, IO_CANCELLED);
}

/* ---- answering ---- */

/* An answer can be long in coming, and one of open length for ever: look out for a client that has gone. One that only
 * sends no more still gets its answer. */
static void
on_peer_event(struct stream *stream, void *ctx)
{
    struct h1_exchange *ex = ctx;

    ex->is_watching = false;
    if (!stream->io.is_reset) {
        watch_peer(ex);
    } else if (ex->call.is_answered) {
        if (ex->sender.is_busy)
            call_abort(&ex->call);
    } else {
        conn_close(ex->conn, false);
        http_call_cancel(&ex->call);
    }
}

static void
watch_peer(struct h1_exchange *ex)
{
    struct stream *stream = ex->conn->in.stream;

    /* Where the next request, or the end of them, waits already, there would be no end of events. */
    if (!ex->body.is_whole || ex->is_watching || stream->io.can_in || stream->ops->has_input(stream))
        return;
    ex->is_watching = true;
    stream_when_readable(stream, on_peer_event, ex);
}

static bool
must_close(const struct h1_exchange *ex)
{
    const struct h1_conn *c = ex->conn;
    const struct http_limits *limits = limits_of(c);
    bool is_body_open = !ex->body.is_whole;

    return !ex->framing.keep_alive || ex->call.must_close ||
           http_server_is_draining(c->h1->server) || http_server_is_pressed(c->h1->server) ||
           (limits->requests && c->n_requests >= (uint64_t)limits->requests) ||
           (is_body_open &&
            (ex->body.before_wait || ex->body.super.is_closed || ex->body.super.status != IO_OK ||
             (ex->body.kind == H1_BODY_LENGTH && ex->body.left > (uint64_t)limits->drain_bytes)));
}

/* Chooses the framing of the answer and whether the connection lives on. */
static enum h1_sender_kind
frame_answer(struct h1_exchange *ex, const struct http_response *r, const struct body *body,
             struct h1_out *out)
{
    bool is_1_1 = ex->call.request.version >= HTTP_1_1;
    enum h1_sender_kind kind = H1_SEND_NOTHING;

    *out = (struct h1_out){.content_length = HTTP_LENGTH_UNKNOWN, .want_close = must_close(ex),
                           .date = http_server_date(ex->conn->h1->server),
                           .server = http_server_conf(ex->conn->h1->server)->server_name,
                           .request_id = ex->call.request_id};
    if (ex->call.request.method == HTTP_METHOD_HEAD) {
        out->content_length = body ? body->length : r->content_length;
    } else if (!http_status_has_body(r->status)) {
        kind = H1_SEND_NOTHING;
    } else if (!body || body->length >= 0) {
        out->content_length = body ? body->length : 0;
        kind = body && body->length > 0 ? H1_SEND_COUNTED : H1_SEND_NOTHING;
    } else if (is_1_1) {
        out->is_chunked = true;
        kind = H1_SEND_CHUNKED;
    } else {
        out->want_close = true;
        kind = H1_SEND_RAW;
    }
    out->want_keep_alive = !is_1_1 && !out->want_close;
    ex->may_go_on = !out->want_close;
    return kind;
}

/* Writes the head into the scratch. 0 when it holds what no head may hold, or is beyond measure. */
static size_t
write_head(struct h1_exchange *ex, const struct http_response *r, const struct h1_out *out)
{
    if (h1_response_size(r, out) > H1_SCRATCH_SIZE - H1_BUFFER_SIZE)
        return 0;
    return h1_write_response(ex->conn->h1->scratch.bytes, r, out);
}

static void
call_send(struct http_call *call, const struct http_response *response, struct body *body)
{
    struct h1_exchange *ex = (struct h1_exchange *)call;
    struct h1_conn *c = ex->conn;
    struct http_response broken = {.status = 500, .headers = http_headers_in(&ex->arena)};
    struct h1_out out;
    enum h1_sender_kind kind;
    size_t n;

    if (c->is_dead) {
        exchange_sent(ex, IO_ERROR);
        return;
    }
    kind = frame_answer(ex, response, body, &out);
    n = write_head(ex, response, &out);
    if (n == 0) {
        call->status_sent = 500;
        call->must_close = true;
        kind = frame_answer(ex, &broken, NULL, &out);
        n = write_head(ex, &broken, &out);
        body = NULL;
    }
    if (kind == H1_SEND_CHUNKED || kind == H1_SEND_RAW)
        watch_peer(ex);
    h1_sender_start(&ex->sender, kind, body, n); /* the exchange may be over behind this */
}

static bool
call_interim(struct http_call *call, uint16_t status, const struct http_headers *headers)
{
    struct h1_exchange *ex = (struct h1_exchange *)call;
    struct http_response r = {.status = status, .headers = http_headers_in(&ex->arena)};
    struct h1_out out = {.content_length = HTTP_LENGTH_UNKNOWN};
    size_t n;

    if (call->request.version < HTTP_1_1 || ex->conn->is_dead)
        return false;
    if (headers)
        r.headers = *headers;
    n = write_head(ex, &r, &out);
    if (n == 0)
        return false;
    /* A part of a head cannot be left standing: what does not go at once breaks the connection. */
    if (stream_try_write(ex->conn->in.stream, ex->conn->h1->scratch.bytes, n) != (int64_t)n)
        conn_close(ex->conn, false);
    call->bytes_out += n;
    return !ex->conn->is_dead;
}

static void
send_continue(struct h1_body *body)
{
    struct h1_exchange *ex = body->before_wait_ctx;

    if (!ex->call.is_answered)
        call_interim(&ex->call, 100, NULL);
}

static struct body *
call_upgrade(struct http_call *call, const struct http_response *response, struct body *down)
{
    struct h1_exchange *ex = (struct h1_exchange *)call;
    struct http_response r = *response;
    struct h1_out out = {.content_length = HTTP_LENGTH_UNKNOWN, .upgrade = call->request.protocol};
    struct h1_framing open = {.kind = H1_BODY_UNTIL_CLOSE};
    size_t n;

    r.status = 101;
    r.reason = STR_NONE;
    call->status_sent = 101;
    ex->is_upgraded = true;
    ex->sender.limit = &ex->conn->h1->tunnel_pace;
    ex->may_go_on = false;
    h1_body_begin(&ex->body, &ex->conn->in, &ex->arena, &open, HTTP_LENGTH_UNKNOWN,
                  &ex->trailer_limits);
    n = ex->conn->is_dead ? 0 : write_head(ex, &r, &out);
    if (n == 0)
        call_abort(call);
    else
        h1_sender_start(&ex->sender, H1_SEND_RAW, down, n);
    return &ex->body.super;
}

static void conn_close_now(struct http_server_conn *super);

static void
call_drop(struct http_call *call)
{
    conn_close_now(&((struct h1_exchange *)call)->conn->super);
}

static const struct http_call_ops h1_call_ops = {
    .send = call_send, .interim = call_interim, .upgrade = call_upgrade, .abort = call_abort, .drop = call_drop,
};

/* ---- heads ---- */

static struct h1_exchange *
exchange_new(struct h1_conn *c)
{
    struct h1_server *s = c->h1;
    struct h1_exchange *ex = s->free_exchanges;

    if (ex) {
        s->free_exchanges = ex->next_free;
        s->n_free_exchanges--;
    } else {
        ex = xmalloc(sizeof(*ex));
    }
    memset(ex, 0, offsetof(struct h1_exchange, body));
    ex->conn = c;
    ex->arena = ARENA(&s->loop->blocks, (size_t)limits_of(c)->exchange_bytes);
    ex->call.ops = &h1_call_ops;
    ex->call.server = s->server;
    ex->call.arena = &ex->arena;
    ex->call.stream = c->in.stream;
    h1_sender_init(&ex->sender, c->in.stream, &s->scratch, &ex->arena,
                   &s->pace, on_sender_done);
    c->exchange = ex;
    return ex;
}

static void
begin_body(struct h1_exchange *ex)
{
    struct h1_conn *c = ex->conn;
    const struct http_limits *limits = limits_of(c);

    ex->trailer_limits = (struct h1_head_limits){.fields = (uint32_t)limits->head_fields,
                                                 .trailer_bytes = (uint32_t)limits->trailer_bytes,
                                                 .extension_bytes = (uint32_t)limits->extension_bytes};
    h1_body_begin(&ex->body, &c->in, &ex->arena, &ex->framing, ex->call.request.content_length,
                  &ex->trailer_limits);
    ex->body.idle_ms = (uint32_t)limits->body_idle_ms;
    ex->body.grace_ms = (uint32_t)limits->body_grace_ms;
    ex->body.rate = (uint32_t)limits->body_rate;
    if (ex->framing.expects_continue && c->in.at == c->in.len) {
        ex->body.before_wait = send_continue;
        ex->body.before_wait_ctx = ex;
    }
    if (ex->framing.kind == H1_BODY_NONE)
        return;
    ex->call.body = &ex->body.super;
    if (limits->body_bytes && ex->framing.kind == H1_BODY_CHUNKED)
        ex->call.body = body_limit(&ex->arena, ex->call.body, (uint64_t)limits->body_bytes,
                                   &ex->call.is_body_too_large);
}

/* A head of n bytes is whole and sound: gives it an exchange and runs on_call. */
static void
start_exchange(struct h1_conn *c, const struct http_request *rq, const struct h1_framing *framing,
               size_t n)
{
    struct h1_exchange *ex = exchange_new(c);
    struct http_call *call = &ex->call;

    ex->framing = *framing;
    call->request = *rq;
    call->request.headers = http_headers_in(&ex->arena);
    c->n_requests++;
    c->in.at += (uint32_t)n;
    c->in.floor = c->in.at;
    call->bytes_in = n;
    call->started_ns = call->head_ns = loop_now_ns(c->h1->loop);
    begin_body(ex);
    if (!http_headers_reserve(&call->request.headers, MAX(rq->headers.n + 8, 16u)) ||
        !http_headers_copy(&call->request.headers, &rq->headers) ||
        (ex->framing.kind != H1_BODY_NONE && !call->body)) {
        exchange_recycle(ex);
        refuse(c, 500, "no memory left for this request");
        return;
    }
    ex->sender.drops_trailers = !http_list_has(http_headers_get(&rq->headers, HTTP_TE), STR("trailers"));
    if (framing->kind == H1_BODY_NONE && rq->version >= HTTP_1_1) /* RFC 9110 7.8 */
        call->request.protocol = http_upgrade_wanted(&rq->headers);
    set_deadline(c, NO_DEADLINE);
    if (!http_call_start(call, on_returned)) {
        exchange_recycle(ex);
        refuse(c, 503, "too many requests are being served, please try again later");
    } else if (c->exchange == ex && !call->is_answered) {
        watch_peer(ex);               /* it waits for something */
    }
}

/* The bytes are the connection preface of HTTP/2, or the beginning of it. */
static bool
is_h2_preface(struct str bytes, bool *ret_is_whole)
{
    static const struct str preface = STR_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    *ret_is_whole = bytes.len >= preface.len;
    return memcmp(bytes.p, preface.p, MIN(bytes.len, preface.len)) == 0;
}

/* Gives the connection to the other protocol. */
static void
hand_to_h2(struct h1_conn *c, struct str bytes)
{
    struct http_server *server = c->h1->server;
    struct stream *stream = c->in.stream;

    timer_stop(c->h1->loop, &c->timer);
    stream_when_readable(stream, NULL, NULL);
    http_server_conf(server)->accept_h2(server, stream, bytes);
    h1_input_release(&c->in);
    http_server_remove(&c->super);
    free(c);
}

enum head_result {
    HEAD_MORE,
    HEAD_DONE,                        /* an exchange was started, or the head was refused */
    HEAD_TAKEN,                       /* the connection is another protocol's now, and gone */
};

/* Not whole: no limit is broken, but more has to come. */
static enum head_result
head_needs_more(struct h1_conn *c, struct str bytes)
{
    uint32_t max = (uint32_t)limits_of(c)->head_bytes;

    if (bytes.len >= max) {
        refuse(c, 431, "the request head is too large");
        return HEAD_DONE;
    }
    if (bytes.len == c->in.buf->cap)
        h1_input_grow(&c->in, MIN(c->in.buf->cap * 2, max));
    return HEAD_MORE;
}

/* One empty line before a request is let pass (RFC 9112 2.2): some clients end a body with it. */
static struct str
behind_empty_line(struct h1_input *in)
{
    struct str bytes = h1_input_bytes(in);

    if (bytes.len >= 2 && bytes.p[0] == '\r' && bytes.p[1] == '\n')
        in->at += 2;
    return h1_input_bytes(in);
}

static enum head_result
parse_head(struct h1_conn *c, struct str bytes)
{
    const struct http_limits *limits = limits_of(c);
    struct h1_head_limits head_limits = {.target_bytes = (uint32_t)limits->target_bytes,
                                         .fields = (uint32_t)limits->head_fields};
    struct http_request rq = {.headers = c->h1->head_fields};
    struct h1_refusal why;
    struct h1_framing framing;
    bool has_underscore;
    ptrdiff_t n = h1_parse_request(bytes, &head_limits, &rq, &has_underscore, &why);

    c->h1->head_fields = rq.headers;  /* its memory may have grown */
    if (n == H1_MORE)
        return head_needs_more(c, bytes);
    if (n > (ptrdiff_t)limits->head_bytes)
        refuse(c, 431, "the request head is too large");
    else if (n == H1_BAD ||
             !h1_frame_request(&rq, c->in.stream->is_tls ? STR("https") : STR("http"),
                               has_underscore, &framing, &why))
        refuse(c, why.status, why.why);
    else if (limits->body_bytes && rq.content_length > limits->body_bytes)
        refuse(c, 413, "the request body is too large");
    else
        start_exchange(c, &rq, &framing, (size_t)n);
    return HEAD_DONE;
}

static enum head_result
next_head(struct h1_conn *c)
{
    struct str bytes = behind_empty_line(&c->in);
    bool is_whole;

    if (bytes.len == 0) {
        h1_input_release(&c->in);
        return HEAD_DONE;
    }
    if (bytes.len == 1 && bytes.p[0] == '\r')
        return HEAD_MORE;
    if (bytes.p[0] == 'P' && c->n_requests == 0 && http_server_conf(c->h1->server)->accept_h2 &&
        is_h2_preface(bytes, &is_whole)) {
        if (!is_whole)
            return HEAD_MORE;
        hand_to_h2(c, bytes);
        return HEAD_TAKEN;
    }
    return parse_head(c, bytes);
}

/* ---- waiting and working ---- */

static void
on_readable(struct stream *stream, void *ctx)
{
    struct h1_conn *c = ctx;
    bool is_first = !c->in.buf;
    uint32_t len_before = is_first ? 0 : c->in.len - c->in.at;
    int64_t n;

    if (!is_first && c->in.buf->cap < H1_BUFFER_SIZE)
        h1_input_grow(&c->in, H1_BUFFER_SIZE);
    n = h1_input_read(&c->in);
    if (n == IO_AGAIN) {
        if (is_first)
            h1_input_release(&c->in);
        stream_when_readable(stream, on_readable, c);
        return;
    }
    if (n < 0) {
        conn_close(c, false);
        return;
    }
    if (is_first && c->n_requests > 0)
        c->deadline_ms = NO_DEADLINE; /* that of the idle time; the head's is set when it is not whole */
    /* A head is only worth parsing again when there is a new line end, or no more room. */
    if (len_before == 0 || c->in.len == c->in.buf->cap ||
        memchr(c->in.buf->bytes + c->in.at + len_before, '\n', (size_t)n))
        work(c);
    else
        stream_when_readable(stream, on_readable, c);
}

/* Idle, or in the middle of a head: no exchange. */
static void
wait_for_head(struct h1_conn *c, uint64_t timeout_ms)
{
    uint64_t now_ms = loop_now_ms(c->h1->loop);

    if (!c->in.buf && http_server_is_draining(c->h1->server))
        timeout_ms = MIN(timeout_ms, (uint64_t)limits_of(c)->quiet_ms);
    set_deadline(c, now_ms + timeout_ms);
    if (!c->in.buf) {
        c->idle_until_ms = c->deadline_ms;
        pace_begin(&c->pace, now_ms);
        set_deadline(c, MIN(c->idle_until_ms, c->n_requests ? pace_next_ms(&c->pace) : NO_DEADLINE));
    }
    stream_when_readable(c->in.stream, on_readable, c);
}

/* Waits for the rest of a head; the clock runs from its first byte. */
static void
wait_for_rest(struct h1_conn *c)
{
    h1_input_shrink(&c->in);
    if (c->deadline_ms == NO_DEADLINE)
        wait_for_head(c, (uint64_t)limits_of(c)->head_ms);
    else
        stream_when_readable(c->in.stream, on_readable, c);
}

/* Works through the heads in the buffer, one exchange after the other while they end at once. */
static void
work(struct h1_conn *c)
{
    int64_t turns = limits_of(c)->pipelined;
    enum head_result result = HEAD_DONE;

    c->is_processing = true;
    while (c->in.buf && result == HEAD_DONE && turns-- > 0) {
        result = next_head(c);
        if (result == HEAD_TAKEN)
            return;
        if (c->exchange || c->is_dead)
            break;
        if (result == HEAD_DONE)
            h1_input_next(&c->in);
    }
    c->is_processing = false;
    if (c->exchange)
        return;                       /* conn_go_on() comes when it is over */
    if (c->is_dead)
        conn_free(c);
    else if (result == HEAD_MORE)
        wait_for_rest(c);
    else
        conn_go_on(c);
}

/* An answer may lie in the socket long after we are through with it: whether the client still takes of it. */
static bool
is_being_read(struct h1_conn *c)
{
    uint64_t now_ms = loop_now_ms(c->h1->loop);
    struct stream_progress progress;

    if (!stream_progress(c->in.stream, &progress) || progress.untaken < PACE_UNTAKEN_MIN) {
        set_deadline(c, c->idle_until_ms);
        return true;
    }
    if (!c->pace.is_measured)
        pace_begin(&c->pace, now_ms);
    if (!pace_look(&c->pace, &c->h1->pace, now_ms, progress.taken))
        return false;
    set_deadline(c, MIN(c->idle_until_ms, pace_next_ms(&c->pace)));
    return true;
}

static void
close_idle(struct h1_conn *c)
{
    if (!http_server_is_draining(c->h1->server))
        http_server_count_idle(c->h1->server, false);
    conn_close(c, false);
}

static void
on_deadline(struct timer *t)
{
    struct h1_conn *c = CONTAINER_OF(t, struct h1_conn, timer);

    if (loop_now_ms(c->h1->loop) < c->deadline_ms) {
        set_deadline(c, c->deadline_ms);
        return;
    }
    if (c->in.buf) {
        refuse(c, 408, "the request head did not come in time");
        return;
    }
    if (loop_now_ms(c->h1->loop) < c->idle_until_ms) {
        if (!is_being_read(c))
            drop_reader(c);
        return;
    }
    if (stream_is_stale(c->in.stream))
        on_readable(c->in.stream, c); /* a request, or the end, is just coming in */
    else
        close_idle(c);
}

static void
conn_drain(struct http_server_conn *super)
{
    struct h1_conn *c = (struct h1_conn *)super;

    if (!c->exchange && !c->in.buf)
        set_deadline(c, c->idle_until_ms =
                            MAX(loop_now_ms(c->h1->loop) + 1, c->quiet_since_ms + (uint64_t)limits_of(c)->quiet_ms));
}

static void
conn_close_now(struct http_server_conn *super)
{
    struct h1_conn *c = (struct h1_conn *)super;
    struct h1_exchange *ex = c->exchange;

    if (ex && ex->call.is_answered && !ex->is_sent) {
        call_abort(&ex->call);
        return;
    }
    conn_close(c, false);             /* frees it when nothing is under way */
    if (ex) {                         /* its answer will find the connection dead; the last word may end it all */
        http_call_cancel(&ex->call);
        h1_body_break(&ex->body, IO_CANCELLED);
    }
}

void
h1_server_accept(struct h1_server *s, struct stream *stream)
{
    struct h1_conn *c = xnew(struct h1_conn);

    c->h1 = s;
    c->super.drain = conn_drain;
    c->super.close = conn_close_now;
    c->in.stream = stream;
    c->in.pool = &s->buffers;
    c->deadline_ms = NO_DEADLINE;
    http_server_add(s->server, &c->super);
    wait_for_head(c, (uint64_t)limits_of(c)->head_ms);
}
