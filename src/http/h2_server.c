/* h2_server.c: HTTP/2 streams of clients as calls.
 *
 *     stream begins -> struct h2_call in an arena of its own -> head complete -> http_call_start -> answer
 *
 * A call ends when its answer is out (or has failed) and its fiber has returned; until then it counts against the streams
 * a client may have, also when the client has reset the stream: resetting does not buy more work (robustness C1).
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdlib.h>

#include "http/grpc.h"
#include "http/h2.h"
#include "http/h2_inflow.h"

#define MAGIC 0x68326361u

struct h2_conn {
    struct http_server_conn super;
    struct h2_link link;
    struct h2_link_conf conf;
    struct h2_guard_limits guard;
    struct h2_head_limits head;
    struct http_limits limits;        /* as they were when the connection came */
    int64_t n_requests;
};

struct h2_call {
    struct http_call call;
    uint32_t magic;
    struct h2_stream stream;
    struct arena arena;               /* holds this struct too */
    struct h1_refusal refusal;        /* status 0: the request is fine */
    bool expects_continue;
    bool is_started;                  /* its fiber began, so it ends with on_returned */
    bool has_returned;
    bool is_over;                     /* the answer is out or has failed, and that has been told */
    uint64_t head_bytes_out;
};

static struct h2_call *
call_of(struct http_call *call)
{
    struct h2_call *c = CONTAINER_OF(call, struct h2_call, call);

    ASSERT(c->magic == MAGIC);
    return c;
}

static struct h2_conn *
conn_of(struct h2_link *l)
{
    return CONTAINER_OF(l, struct h2_conn, link);
}

/* ---- the end of a call ---- */

static void
release(struct h2_call *c)
{
    struct arena arena = c->arena;

    h2_stream_drop(&c->stream);
    if (c->is_started)
        http_call_ended(&c->call);
    arena_destroy(&arena);
}

static void
finish(struct h2_call *c, int status)
{
    struct h2_stream *s = &c->stream;

    if (c->is_started && !c->call.is_answered) {
        http_call_cancel(&c->call);
        return; /* whoever answers hears of it then, see is_gone() */
    }
    if (!c->is_over) {
        c->is_over = true;
        c->call.bytes_in += s->in.received;
        c->call.bytes_out = c->head_bytes_out + (s->out ? s->out->n_read : 0);
        body_close(h2_stream_take_out(s));
        http_call_sent(&c->call, status);
    }
    if (!c->is_started || c->has_returned)
        release(c);
}

static void
on_returned(struct http_call *call)
{
    struct h2_call *c = call_of(call);

    c->has_returned = true;
    if (c->is_over)
        release(c);
}

/* ---- answering: struct http_call_ops ---- */

/* Whoever answers a stream that is gone hears of it like of any other failure: later, and once. */
static bool
is_gone(struct h2_call *c, struct body *body)
{
    if (!c->stream.is_closed)
        return false;
    body_close(body);
    h2_stream_raise(&c->stream, H2_EVENT_CLOSED);
    return true;
}

static void
break_off(struct h2_call *c, struct body *body)
{
    body_close(body);
    h2_stream_reset(&c->stream, NGHTTP2_INTERNAL_ERROR);
}

/* Framing of an answer: its length as a field, and whether bytes follow. */
static int64_t
answer_length(const struct http_call *call, const struct http_response *r, const struct body *body, bool *ret_has_body)
{
    bool is_head = call->request.method == HTTP_METHOD_HEAD;

    *ret_has_body = body && body->length != 0 && !is_head && http_status_has_body(r->status);
    if (r->status < 200 || r->status == 204)
        return HTTP_LENGTH_UNKNOWN;
    if (!body && http_is_grpc(&r->headers))
        return HTTP_LENGTH_UNKNOWN; /* trailers only */
    if (is_head || r->status == 304)
        return body ? body->length : r->content_length > 0 ? r->content_length : HTTP_LENGTH_UNKNOWN;
    return body ? body->length : 0;
}

static uint64_t
head_bytes(const struct h2_fields *f)
{
    uint64_t n = 0;

    for (size_t i = 0; i < f->n; i++)
        n += f->v[i].namelen + f->v[i].valuelen;
    return n;
}

static bool
submit(struct h2_call *c, const struct http_response *r, int64_t length, struct body *body)
{
    struct h2_stream *s = &c->stream;
    struct h2_extras extras = {http_server_date(c->call.server), http_server_conf(c->call.server)->server_name,
                               c->call.request_id};
    struct h2_fields f = h2_response_fields(s->arena, r, length, &extras);
    nghttp2_data_provider provider;

    if (!f.v)
        return false;
    if (body)
        provider = h2_stream_provider(s, body);
    c->head_bytes_out += head_bytes(&f);
    s->progress_ms = loop_now_ms(s->link->conf->loop);
    h2_link_post(s->link);
    return nghttp2_submit_response(s->link->session, s->id, f.v, f.n, body ? &provider : NULL) == 0;
}

static void
call_send(struct http_call *call, const struct http_response *r, struct body *body)
{
    struct h2_call *c = call_of(call);
    struct http_response refusal;
    bool has_body;
    int64_t length;

    if (is_gone(c, body))
        return;
    if (UNLIKELY(call->request.protocol.p && r->status < 300)) { /* it would say that the tunnel stands (RFC 8441) */
        break_off(c, body);
        return;
    }
    if (http_is_grpc(&call->request.headers) && !http_is_grpc(&r->headers)) {
        body_close(body);
        body = NULL;
        if (!http_grpc_refusal(call->arena, r, &refusal)) {
            break_off(c, NULL);
            return;
        }
        r = &refusal;
    }
    length = answer_length(call, r, body, &has_body);
    if (!has_body) {
        body_close(body);
        body = NULL;
    }
    if (call->must_close)
        h2_link_drain(c->stream.link);
    if (!submit(c, r, length, body))
        break_off(c, c->stream.out ? NULL : body);
}

static bool
call_interim(struct http_call *call, uint16_t status, const struct http_headers *headers)
{
    struct h2_call *c = call_of(call);
    struct http_response r = {.status = status};
    struct h2_fields f;

    if (c->stream.is_closed)
        return false;
    if (headers)
        r.headers = *headers;
    f = h2_response_fields(c->stream.arena, &r, HTTP_LENGTH_UNKNOWN, &(struct h2_extras){0});
    if (!f.v)
        return false;
    c->head_bytes_out += head_bytes(&f);
    h2_link_post(c->stream.link);
    return nghttp2_submit_headers(c->stream.link->session, NGHTTP2_FLAG_NONE, c->stream.id, NULL, f.v, f.n, NULL) == 0;
}

/* RFC 8441: what is 101 on HTTP/1 is 200 here, and the key's echo has no use. */
static struct body *
call_upgrade(struct http_call *call, const struct http_response *response, struct body *down)
{
    struct h2_call *c = call_of(call);
    struct http_response r = *response;

    if (!call->request.protocol.p)
        return NULL;
    if (r.status == 101)
        r.status = 200;
    struct body *up = h2_inflow_body(&c->stream, HTTP_LENGTH_UNKNOWN);
    if (is_gone(c, down))
        return up;
    r.headers = http_headers_in(call->arena);
    if (!http_headers_copy(&r.headers, &response->headers)) {
        break_off(c, down);
        return up;
    }
    http_headers_remove_id(&r.headers, HTTP_SEC_WEBSOCKET_ACCEPT);
    if (!submit(c, &r, HTTP_LENGTH_UNKNOWN, down))
        break_off(c, c->stream.out ? NULL : down);
    return up;
}

static void
call_abort(struct http_call *call)
{
    struct h2_call *c = call_of(call);

    if (!is_gone(c, NULL))
        break_off(c, NULL);
}

static void
call_drop(struct http_call *call)
{
    struct h2_call *c = call_of(call);

    if (!is_gone(c, NULL))
        h2_stream_reset(&c->stream, NGHTTP2_ENHANCE_YOUR_CALM);
}

static const struct http_call_ops call_ops = {
    .send = call_send, .interim = call_interim, .upgrade = call_upgrade, .abort = call_abort, .drop = call_drop,
};

/* ---- requests: struct h2_link_ops ---- */

static struct h2_stream *
on_begin(struct h2_link *l, int32_t id)
{
    struct h2_conn *conn = conn_of(l);
    struct loop *loop = conn->conf.loop;
    struct arena arena = ARENA(&loop->blocks, (size_t)conn->limits.exchange_bytes);
    struct h2_call *c;

    if (l->n_held >= conn->conf.streams_max || !(c = arena_new(&arena, struct h2_call)))
        return NULL;
    c->arena = arena;
    c->magic = MAGIC;
    c->call = (struct http_call){.ops = &call_ops, .server = conn->super.server, .arena = &c->arena,
                                 .stream = l->stream, .started_ns = loop_now_ns(loop)};
    h2_stream_init(&c->stream, l, id, &c->arena);
    c->stream.in.max = (uint64_t)conn->limits.body_bytes;
    conn->n_requests++;
    return &c->stream;
}

static enum h2_head_verdict
on_head(struct h2_stream *s, bool is_end)
{
    struct h2_call *c = CONTAINER_OF(s, struct h2_call, stream);
    struct http_call *call = &c->call;
    enum h2_head_verdict verdict = h2_head_request(&s->head, !is_end, &call->request, &c->expects_continue,
                                                   &c->refusal);

    s->is_head_done = true;
    call->head_ns = loop_now_ns(s->link->conf->loop);
    call->bytes_in = s->head.bytes;
    if (verdict == H2_HEAD_OK)
        c->refusal.status = 0;
    if (verdict == H2_HEAD_OK && s->in.max && call->request.content_length > (int64_t)s->in.max)
        c->refusal = (struct h1_refusal){413, "the request body is too large"};
    if (call->request.has_body)
        call->body = h2_inflow_body(s, call->request.content_length);
    return verdict;
}

/* An answer of our own to a request that never reached a fiber. */
static void
refuse(struct h2_call *c, uint16_t status, const char *why)
{
    http_server_refused(c->call.server, c->call.stream, status, why);
    http_call_send_error(&c->call, status, str_from_c(why));
}

static void
start(struct h2_call *c)
{
    struct h2_link *l = c->stream.link;
    struct h2_conn *conn = conn_of(l);

    if ((conn->limits.requests && conn->n_requests >= conn->limits.requests) || http_server_is_pressed(c->call.server))
        h2_link_drain(l);
    if (c->refusal.status) {
        refuse(c, c->refusal.status, c->refusal.why);
        return;
    }
    c->is_started = true; /* the fiber may run to its end inside */
    if (http_call_start(&c->call, on_returned))
        return;
    c->is_started = false;
    refuse(c, 503, "The gateway is at its limit of requests in flight.");
}

static void
on_event(struct h2_stream *s, uint8_t events)
{
    struct h2_call *c = CONTAINER_OF(s, struct h2_call, stream);

    c->call.is_body_too_large |= s->in.is_too_large;
    if ((events & H2_EVENT_HEAD) && !s->is_closed && !s->is_doomed && !s->link->why) {
        if (events & ~H2_EVENT_HEAD)
            h2_stream_raise(s, events & (uint8_t)~H2_EVENT_HEAD);
        start(c); /* may free c */
        return;
    }
    if (events & H2_EVENT_BODY)
        h2_inflow_wake(s);
    if (events & H2_EVENT_SENT) {
        if (!s->is_closed && !s->in.is_complete)
            h2_stream_reset(s, NGHTTP2_NO_ERROR); /* nobody reads the rest of the request (RFC 9113 8.1) */
        finish(c, IO_OK);
    } else if (events & H2_EVENT_CLOSED) {
        finish(c, s->is_sent ? IO_OK : IO_ERROR);
    }
}

/* Somebody waits for a body that came to a halt, or comes more slowly than it may. */
static bool
is_body_late(const struct h2_inflow *in, const struct http_limits *limits, uint64_t now_ms)
{
    uint64_t waits_ms = now_ms - in->since_ms, waited_ms = in->waited_ms + waits_ms, grace_ms = (uint64_t)limits->body_grace_ms;

    if (!in->is_waited)
        return false;
    if (limits->body_idle_ms && waits_ms > (uint64_t)limits->body_idle_ms)
        return true;
    return waited_ms > grace_ms && in->received * 1000 < (waited_ms - grace_ms) * (uint64_t)limits->body_rate;
}

/* A client that takes nothing of its answer, or sends its request drop by drop (robustness C6, H1). */
static void
on_tick(struct h2_stream *s, uint64_t now_ms)
{
    const struct http_limits *limits = &conn_of(s->link)->limits;
    bool is_tunnel = CONTAINER_OF(s, struct h2_call, stream)->call.request.protocol.p;
    struct pace_limit pace = s->link->conf->pace;

    if (is_tunnel)
        pace.rate = 0;
    if (h2_stream_is_stuck(s, &pace, now_ms)) {
        http_server_count_unread(conn_of(s->link)->super.server);
        h2_stream_reset(s, NGHTTP2_CANCEL);
    }
    if (!is_tunnel && is_body_late(&s->in, limits, now_ms)) {
        s->in.is_late = true;
        h2_inflow_end(s, false);
    }
}

static void
on_first_read(struct h2_stream *s)
{
    struct h2_call *c = CONTAINER_OF(s, struct h2_call, stream);

    if (c->expects_continue && !c->call.is_answered)
        call_interim(&c->call, 100, NULL);
    c->expects_continue = false;
}

static void
on_end(struct h2_link *l)
{
    struct h2_conn *conn = conn_of(l);

    if (l->why)
        atomic_fetch_add_explicit(&http_server_conf(conn->super.server)->load->h2_dropped, 1, memory_order_relaxed);
    if (l->was_idle)
        http_server_count_idle(conn->super.server, false);
    http_server_remove(&conn->super);
    free(conn);
}

static const struct h2_link_ops link_ops = {
    .on_begin = on_begin, .on_head = on_head, .on_event = on_event, .on_tick = on_tick,
    .on_first_read = on_first_read, .on_end = on_end,
};

/* ---- connections ---- */

static void
conn_drain(struct http_server_conn *c)
{
    h2_link_drain(&CONTAINER_OF(c, struct h2_conn, super)->link);
}

static void
conn_close(struct http_server_conn *c)
{
    h2_link_die(&CONTAINER_OF(c, struct h2_conn, super)->link);
}

static struct h2_conn *
conn_new(struct http_server *server)
{
    struct h2_conn *conn = xnew(struct h2_conn);
    const struct http_limits *limits = &conn->limits;

    conn->limits = http_server_conf(server)->limits;
    conn->super = (struct http_server_conn){.server = server, .drain = conn_drain, .close = conn_close};
    conn->guard = (struct h2_guard_limits){
        .block_bytes = (uint32_t)limits->h2_block_bytes, .block_frames = (uint32_t)limits->h2_block_frames,
        .tokens = (int32_t)limits->h2_control_frames, .tokens_per_s = (int32_t)limits->h2_control_frames / 4,
        .resets_of = (uint32_t)limits->h2_resets_of};
    conn->head = (struct h2_head_limits){.bytes = (uint32_t)limits->head_bytes, .fields = (uint32_t)limits->head_fields,
                                         .target_bytes = (uint32_t)limits->target_bytes};
    conn->conf = (struct h2_link_conf){
        .loop = http_server_loop(server), .is_server = true, .guard = &conn->guard, .head = &conn->head,
        .streams_max = (uint32_t)limits->h2_streams, .window = (uint32_t)limits->h2_window,
        .idle_ms = (uint32_t)limits->idle_ms, .head_ms = (uint32_t)limits->head_ms,
        .pace = http_limits_pace(limits), .unread = &http_server_conf(server)->load->unread};
    return conn;
}

void
h2_server_accept(struct http_server *server, struct stream *stream, struct str first)
{
    struct h2_conn *conn = conn_new(server);

    if (!h2_link_open(&conn->link, &link_ops, &conn->conf, stream)) {
        free(conn);
        return;
    }
    http_server_add(server, &conn->super);
    if (http_server_is_draining(server))
        h2_link_drain(&conn->link);
    h2_link_start(&conn->link, first);
}
