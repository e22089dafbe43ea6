/* h2_client.c: exchanges as streams of a connection that many share (client.h, struct http_session_ops).
 *
 *     exchange -> submit -> the fiber waits for the head -> answer; its body is read as it comes -> close
 *
 * What the server has not acted on is told to the caller, who may send it again: streams it refused, streams behind the
 * last one its GOAWAY names, requests whose head had not gone out when the connection died (RFC 9113 8.7).
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "http/h2.h"
#include "http/h2_inflow.h"
#include "http/websocket.h"

#define STREAMS_MAX 1000u         /* whatever the server allows */
#define HEAD_BYTES (64u << 10)
#define HEAD_FIELDS 200u
#define WINDOW (1u << 20)
#define PING_MS 10000u
#define WRITE_MS 30000u
#define SETTINGS_MS 5000u

static const struct h2_guard_limits guard_limits = {
    .block_bytes = 256 << 10, .block_frames = 64, .tokens = 4000, .tokens_per_s = 1000, .resets_of = UINT32_MAX,
};

struct h2_client {
    struct http_session super;
    struct h2_link link;
    struct h2_link_conf conf;
    struct h2_head_limits head;
    uint64_t n_exchanges;
    uint32_t interims_max;            /* 1xx answers to one request */
    bool is_gone;                     /* the pool has been told, or has told us */
};

/* A 1xx that has come inside nghttp2 and is told from the fiber. */
struct h2_interim {
    struct http_response response;
    struct h2_interim *next;
};

struct h2_exchange {
    struct http_answer answer;
    struct h2_stream stream;
    struct http_exchange_conf conf;
    enum http_method method;
    struct fiber *fiber;              /* waiting in h2_exchange() */
    struct h1_refusal refusal;        /* of the answer's head */
    struct h2_interim *interim, **interim_end;   /* not told yet, first come first; where the next one goes */
    uint32_t n_interim;
    bool is_tunnel;
    bool is_ready;                    /* the final head has come */
    bool is_malformed;
    struct timer timer;               /* for what is read of the body */
    void (*on_sent)(void *ctx, int status);
    void *on_sent_ctx;
};

static struct h2_client *
client_of(struct h2_link *l)
{
    return CONTAINER_OF(l, struct h2_client, link);
}

static struct h2_exchange *
exchange_of(struct h2_stream *s)
{
    return CONTAINER_OF(s, struct h2_exchange, stream);
}

/* ---- struct h2_link_ops ---- */

static bool
keep_interim(struct h2_exchange *x, const struct http_response *r)
{
    struct h2_interim *i;

    if (x->n_interim == client_of(x->stream.link)->interims_max || !(i = arena_new(x->stream.arena, struct h2_interim)))
        return false;
    i->response = *r;
    *x->interim_end = i;
    x->interim_end = &i->next;
    x->n_interim++;
    return true;
}

/* Inside nghttp2. */
static enum h2_head_verdict
on_head(struct h2_stream *s, bool is_end)
{
    struct h2_exchange *x = exchange_of(s);
    struct http_response r;
    enum h2_head_verdict verdict = h2_head_response(&s->head, !is_end, x->method, &r, &x->refusal);

    if (verdict == H2_HEAD_OK && r.status < 200) {
        if (is_end || !keep_interim(x, &r))
            verdict = H2_HEAD_BAD;
    } else if (verdict == H2_HEAD_OK) {
        x->answer.response = r;
        x->is_ready = s->is_head_done = true;
    } else {
        s->is_head_done = true;
    }
    x->is_malformed |= verdict != H2_HEAD_OK;
    return verdict == H2_HEAD_OK ? verdict : H2_HEAD_BAD;
}

static void
on_event(struct h2_stream *s, uint8_t events)
{
    struct h2_exchange *x = exchange_of(s);
    void (*on_sent)(void *, int) = x->on_sent;

    if (events & H2_EVENT_SENT)
        x->answer.timing.sent_ns = loop_now_ns(s->link->conf->loop);
    if ((events & H2_EVENT_HEAD) && x->is_ready && !x->answer.timing.head_ns)
        x->answer.timing.head_ns = loop_now_ns(s->link->conf->loop);
    if (x->fiber && (events & ~H2_EVENT_BODY))
        fiber_wake(x->fiber);
    if (on_sent && (events & (H2_EVENT_SENT | H2_EVENT_CLOSED))) {
        x->on_sent = NULL;
        if (events & H2_EVENT_BODY)
            h2_stream_raise(s, H2_EVENT_BODY);
        on_sent(x->on_sent_ctx, s->is_sent ? IO_OK : IO_ERROR); /* may close the answer */
        return;
    }
    if (events & H2_EVENT_BODY)
        h2_inflow_wake(s);
}

static void
on_tick(struct h2_stream *s, uint64_t now_ms)
{
    if (h2_stream_is_stuck(s, &s->link->conf->pace, now_ms))
        h2_stream_reset(s, NGHTTP2_CANCEL);
}

static bool
takes_more(const struct h2_client *c)
{
    return !h2_link_is_dead(&c->link) && !c->link.is_closing && !c->link.is_draining &&
           nghttp2_session_check_request_allowed(c->link.session);
}

static void
tell_gone(struct h2_client *c)
{
    if (c->is_gone)
        return;
    c->is_gone = true;
    http_session_gone(&c->super);
}

static void
on_change(struct h2_link *l)
{
    if (!takes_more(client_of(l)))
        tell_gone(client_of(l));
}

static void
on_end(struct h2_link *l)
{
    free(client_of(l));
}

static const struct h2_link_ops link_ops = {
    .on_head = on_head, .on_event = on_event, .on_tick = on_tick, .on_change = on_change, .on_end = on_end,
};

/* ---- the answer ---- */

static void
on_timer(struct timer *t)
{
    struct h2_exchange *x = CONTAINER_OF(t, struct h2_exchange, timer);
    struct h2_stream *s = &x->stream;
    const struct http_deadlines *d = &x->conf.deadlines;
    uint64_t now_ms = loop_now_ms(s->link->conf->loop), at_ms = d->total_at_ms ? d->total_at_ms : NO_DEADLINE;
    bool is_late = now_ms >= at_ms;

    if (d->idle_ms && s->in.is_waited) {
        is_late |= now_ms >= s->in.since_ms + d->idle_ms;
        at_ms = MIN(at_ms, s->in.since_ms + d->idle_ms);
    } else if (d->idle_ms) {
        at_ms = MIN(at_ms, now_ms + d->idle_ms);
    }
    if (is_late && !s->in.is_complete) {
        h2_stream_reset(s, NGHTTP2_CANCEL);
        h2_inflow_end(s, false);
    } else if (!s->in.is_complete && !s->in.is_broken) {
        timer_start(s->link->conf->loop, t, at_ms, on_timer);
    }
}

static void
answer_close(struct http_answer *a)
{
    struct h2_exchange *x = CONTAINER_OF(a, struct h2_exchange, answer);
    struct h2_stream *s = &x->stream;

    timer_stop(s->link->conf->loop, &x->timer);
    h2_stream_reset(s, NGHTTP2_CANCEL); /* nothing when both sides have ended */
    h2_stream_take_out(s);              /* the request's body stays the caller's */
    h2_stream_drop(s);
}

static void
answer_upgrade(struct http_answer *a, struct body *up, void (*on_sent)(void *ctx, int status), void *ctx)
{
    struct h2_exchange *x = CONTAINER_OF(a, struct h2_exchange, answer);

    x->on_sent = on_sent;
    x->on_sent_ctx = ctx;
    h2_stream_bring(&x->stream, up);
    if (x->stream.is_closed)
        h2_stream_raise(&x->stream, H2_EVENT_CLOSED);
}

static const struct http_answer_ops answer_ops = {.close = answer_close, .upgrade = answer_upgrade};

/* ---- exchanging ---- */

static bool
h2_has_room(const struct http_session *s)
{
    const struct h2_client *c = CONTAINER_OF(s, struct h2_client, super);
    uint32_t max;

    if (!takes_more(c))
        return false;
    max = nghttp2_session_get_remote_settings(c->link.session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    if (!c->link.has_peer_settings)
        max = 100; /* RFC 9113 6.5.2 recommends no less */
    return c->link.n_held < MIN(max, STREAMS_MAX);
}

/* An extended CONNECT needs the server's word that it knows it (RFC 8441 3), so its SETTINGS are waited for. Yields. */
static bool
can_tunnel(struct h2_client *c, struct err *err)
{
    uint64_t deadline_ms = loop_deadline(c->conf.loop, SETTINGS_MS);

    while (!c->link.has_peer_settings && !h2_link_is_dead(&c->link) && loop_now_ms(c->conf.loop) < deadline_ms)
        if (!fiber_sleep(loop_now_ms(c->conf.loop) + 1, err))
            return false;
    if (h2_link_is_dead(&c->link))
        return err_set(err, ERR_CLOSED, "the connection ended");
    if (!nghttp2_session_get_remote_settings(c->link.session, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL))
        return err_set(err, ERR_UNSUPPORTED, "the server does not take upgrades over HTTP/2");
    return true;
}

static bool
submit(struct h2_exchange *x, struct h2_link *l, const struct http_request *rq, struct body *body)
{
    struct h2_stream *s = &x->stream;
    bool has_body = x->is_tunnel || (body && body->length != 0);
    int64_t length = x->is_tunnel ? HTTP_LENGTH_UNKNOWN : body ? body->length : rq->has_body ? 0 : HTTP_LENGTH_UNKNOWN;
    struct h2_fields f = h2_request_fields(s->arena, rq, length, x->conf.want_trailers, x->is_tunnel);
    nghttp2_data_provider provider = {0};
    int32_t id;

    if (!f.v)
        return false;
    if (has_body)
        provider = h2_stream_provider(s, x->is_tunnel ? NULL : body);
    id = nghttp2_submit_request(l->session, NULL, f.v, f.n, has_body ? &provider : NULL, NULL);
    if (id < 0)
        return false;
    h2_stream_opened(s, id);
    h2_link_post(l);
    return true;
}

static void
tell_interim(struct h2_exchange *x)
{
    for (struct h2_interim *i = x->interim; i; i = i->next)
        if (i->response.status != 100 && x->conf.on_interim)
            x->conf.on_interim(x->conf.ctx, &i->response);
    x->interim = NULL;
    x->interim_end = &x->interim;
}

/* Until the head, or what comes instead of it. Yields. */
static bool
wait_head(struct h2_exchange *x, struct err *err)
{
    const struct http_deadlines *d = &x->conf.deadlines;
    struct h2_stream *s = &x->stream;

    x->interim_end = &x->interim;
    while (!x->is_ready && !s->is_closed && !x->is_malformed) {
        uint64_t at_ms = d->total_at_ms ? d->total_at_ms : NO_DEADLINE;
        bool is_total = true;
        if (d->first_byte_ms && s->is_sent && x->answer.timing.sent_ns / 1000000 + d->first_byte_ms < at_ms) {
            at_ms = x->answer.timing.sent_ns / 1000000 + d->first_byte_ms;
            is_total = false;
        }
        x->fiber = fiber_self();
        enum io_status status = fiber_wait(at_ms);
        x->fiber = NULL;
        tell_interim(x);
        if (status == IO_TIMEOUT && loop_now_ms(s->link->conf->loop) >= at_ms && !x->is_ready)
            return err_set(err, ERR_TIMEOUT, is_total ? "no answer before the total deadline"
                                                      : "no answer within the first-byte limit");
        if (status == IO_CANCELLED)
            return err_set(err, ERR_CANCELLED, "cancelled");
    }
    tell_interim(x);
    return true;
}

static bool
fail(struct h2_exchange *x, bool *ret_is_unprocessed, struct err *err)
{
    struct h2_stream *s = &x->stream;

    if (x->is_malformed)
        return err_set(err, ERR_PROTOCOL, "%s", x->refusal.why ? x->refusal.why : "the answer's head is malformed");
    *ret_is_unprocessed = s->error == NGHTTP2_REFUSED_STREAM || !s->is_begun;
    return err_set(err, ERR_CLOSED, h2_link_is_dead(s->link) ? "the server closed the connection"
                                                             : "the server reset the stream (%s)",
                   nghttp2_http2_strerror(s->error));
}

/* 2xx to an extended CONNECT is what 101 is on HTTP/1; whoever asked for a WebSocket gets the echo of its key. */
static bool
note_upgrade(struct h2_exchange *x, const struct http_request *rq)
{
    struct http_response *r = &x->answer.response;
    struct str key = http_headers_get(&rq->headers, HTTP_SEC_WEBSOCKET_KEY), accept;

    if (!x->is_tunnel || r->status >= 300)
        return true;
    x->answer.is_upgraded = true;
    r->status = 101;
    if (!key.p)
        return true;
    accept = websocket_accept(x->answer.arena, key);
    return accept.p && http_headers_set(&r->headers, STR("sec-websocket-accept"), accept);
}

static void
take_answer(struct h2_exchange *x)
{
    struct h2_stream *s = &x->stream;
    bool has_body = x->answer.is_upgraded || !s->in.is_complete || s->in.n > 0;

    if (!x->answer.is_upgraded && (x->method == HTTP_METHOD_HEAD || !http_status_has_body(x->answer.response.status)))
        has_body = false;
    if (!has_body)
        return;
    x->answer.body = h2_inflow_body(s, x->answer.is_upgraded ? HTTP_LENGTH_UNKNOWN : x->answer.response.content_length);
    if (!s->in.is_complete && (x->conf.deadlines.idle_ms || x->conf.deadlines.total_at_ms))
        on_timer(&x->timer);
}

static bool
h2_do_exchange(struct http_session *session, const struct http_request *request, struct body *body,
               const struct http_exchange_conf *conf, struct arena *arena, struct http_answer **ret,
               bool *ret_is_unprocessed, struct err *err)
{
    struct h2_client *c = CONTAINER_OF(session, struct h2_client, super);
    struct h2_exchange *x;
    uint64_t begun_ns = loop_now_ns(c->conf.loop);
    bool is_tunnel = conf && conf->want_upgrade;

    *ret_is_unprocessed = true;
    if (is_tunnel && !can_tunnel(c, err))
        return false;
    if (!h2_has_room(session))
        return err_set(err, ERR_CLOSED, "the connection takes no more requests");
    if (!(x = arena_new(arena, struct h2_exchange)))
        return err_set(err, ERR_NO_MEMORY, "the exchange's memory is at its limit");
    *x = (struct h2_exchange){
        .answer = {.ops = &answer_ops, .stream = c->link.stream, .arena = arena,
                   .timing = {.begun_ns = begun_ns, .is_reused = c->n_exchanges++ > 0}},
        .method = request->method, .is_tunnel = is_tunnel};
    if (conf)
        x->conf = *conf;
    h2_stream_init(&x->stream, &c->link, -1, arena);
    if (!submit(x, &c->link, request, body)) {
        h2_stream_take_out(&x->stream);
        h2_stream_drop(&x->stream);
        return err_set(err, ERR_INVALID, "the request cannot be sent: a name or value holds what it may not");
    }
    *ret_is_unprocessed = false;
    if (!wait_head(x, err) || (!x->is_ready && !fail(x, ret_is_unprocessed, err)) || !note_upgrade(x, request)) {
        answer_close(&x->answer);
        return false;
    }
    take_answer(x);
    *ret = &x->answer;
    return true;
}

static struct http_session *
h2_open(struct http_client *client, const struct http_origin_conf *origin, struct stream *stream, struct err *err)
{
    struct h2_client *c = xnew(struct h2_client);
    const struct http_client_conf *conf = http_client_conf(client);

    c->super.ops = &h2_session_ops;
    c->interims_max = conf->interims_max;
    c->head = (struct h2_head_limits){.bytes = conf->head_bytes ? conf->head_bytes : HEAD_BYTES,
                                      .fields = conf->head_fields ? conf->head_fields : HEAD_FIELDS};
    c->conf = (struct h2_link_conf){.loop = http_client_loop(client), .guard = &guard_limits, .head = &c->head,
                                    .window = WINDOW, .idle_ms = origin->idle_ms, .head_ms = WRITE_MS, .pace = {.halt_ms = WRITE_MS},
                                    .ping_ms = PING_MS};
    if (!h2_link_open(&c->link, &link_ops, &c->conf, stream)) {
        free(c);
        err_set(err, ERR_NO_MEMORY, "no memory for an HTTP/2 session");
        return NULL;
    }
    h2_link_start(&c->link, STR_NONE);
    return &c->super;
}

static void
h2_retire(struct http_session *s)
{
    struct h2_client *c = CONTAINER_OF(s, struct h2_client, super);

    c->is_gone = true;
    h2_link_drain(&c->link);
}

const struct http_session_ops h2_session_ops = {
    .open = h2_open, .has_room = h2_has_room, .exchange = h2_do_exchange, .retire = h2_retire,
};
