/* h2_link.c: a stream, an nghttp2 session and what happens between them (h2_link.h).
 *
 * Life: open -> start -> (feed, collect)* -> end -> die -> on_end. The link's memory goes only from its own task, when it
 * is dead and no stream object points to it, so whoever is on the stack can still look at it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/h2_link.h"

#include <stdlib.h>

#include "http/h2_inflow.h"
#include "http/h2_memory.h"

#define READ_BYTES ((size_t)32 << 10)
#define READ_ROUNDS 4
#define FLUSH_BYTES ((size_t)80 << 10)
#define FLUSH_ROUNDS 4
#define LINK_WINDOW (1 << 20)    /* of the connection; given back as bytes come */
#define HEADS_A_TURN 16u         /* of one connection */
#define TICK_MS 1000u
#define GOAWAY_STEP_MS 1000u
#define OUTBOUND_MAX 1000u       /* frames waiting for a peer that does not read */
#define LINGER_BYTES ((size_t)64 << 10) /* read after our GOAWAY, so that the peer sees it and no reset */
#define LINGER_MS 1000u

static void arm_timer(struct h2_link *l, uint64_t now_ms);

/* ---- streams ---- */

void
h2_stream_init(struct h2_stream *s, struct h2_link *l, int32_t id, struct arena *arena)
{
    s->link = l;
    s->id = -1;
    s->arena = arena;
    s->is_closed = true;
    s->progress_ms = loop_now_ms(l->conf->loop);
    h2_head_init(&s->head, arena, l->conf->head);
    l->n_held++;
    if (id > 0)
        h2_stream_opened(s, id);
}

void
h2_stream_opened(struct h2_stream *s, int32_t id)
{
    struct h2_link *l = s->link;

    s->id = id;
    s->is_closed = false;
    nghttp2_session_set_stream_user_data(l->session, id, s);
    list_push_back(&l->streams, &s->node);
    if (l->n_open++ == 0)
        arm_timer(l, loop_now_ms(l->conf->loop));
}

/* The session does not know it any more. */
static void
stream_closed(struct h2_stream *s, uint32_t error)
{
    struct h2_link *l = s->link;

    s->is_closed = true;
    s->error = error;
    list_remove(&s->node);
    if (--l->n_open == 0)
        l->idle_since_ms = loop_now_ms(l->conf->loop);
    h2_inflow_end(s, false);
    h2_stream_raise(s, H2_EVENT_CLOSED);
}

void
h2_stream_drop(struct h2_stream *s)
{
    struct h2_link *l = s->link;

    if (!s->is_closed) {
        nghttp2_session_set_stream_user_data(l->session, s->id, NULL);
        stream_closed(s, 0);
    }
    h2_inflow_destroy(s);
    body_close(h2_stream_take_out(s));
    list_remove(&s->event_node);
    l->n_held--;
    h2_link_post(l);
}

void
h2_stream_raise(struct h2_stream *s, uint8_t events)
{
    s->events |= events;
    if (!list_is_linked(&s->event_node))
        list_push_back(&s->link->events, &s->event_node);
    h2_link_post(s->link);
}

void
h2_stream_reset(struct h2_stream *s, uint32_t code)
{
    if (s->is_closed)
        return;
    s->is_ours = true;
    nghttp2_submit_rst_stream(s->link->session, NGHTTP2_FLAG_NONE, s->id, code);
    h2_link_post(s->link);
}

bool
h2_stream_is_stuck(struct h2_stream *s, const struct pace_limit *limit, uint64_t now_ms)
{
    struct pace_limit share = *limit;

    if (!s->out || s->is_sent || s->is_closed || s->is_out_waiting || s->link->rest) {
        s->is_paced = false;
        return false;
    }
    if (!s->is_paced)
        pace_begin(&s->pace, s->progress_ms);
    s->is_paced = true;
    if (share.rate)
        share.rate = MAX(share.rate / MAX(s->link->n_open, 1u), 1u);
    return !pace_look(&s->pace, &share, now_ms, s->out_bytes);
}

/* ---- bodies going out ---- */

static void
out_ready(void *ctx)
{
    struct h2_stream *s = ctx;

    s->is_out_waiting = false;
    s->progress_ms = loop_now_ms(s->link->conf->loop);
    if (s->is_closed)
        return;
    nghttp2_session_resume_data(s->link->session, s->id);
    h2_link_post(s->link);
}

/* The body is at its end: the stream too, unless trailers follow. */
static bool
end_out(struct h2_stream *s, uint32_t *flags)
{
    const struct http_headers *trailers = body_trailers(s->out);
    struct h2_fields f;

    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!trailers || trailers->n == 0)
        return true;
    f = h2_trailer_fields(s->arena, trailers);
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    return f.v && nghttp2_submit_trailer(s->link->session, s->id, f.v, f.n) == 0;
}

static ssize_t
read_out(nghttp2_session *session, int32_t id, uint8_t *to, size_t max, uint32_t *flags, nghttp2_data_source *source,
         void *ctx)
{
    struct h2_stream *s = source->ptr;
    int status = s->out ? IO_OK : IO_AGAIN;
    size_t n = 0;

    while (n < max && status == IO_OK) {
        size_t take = MIN(s->out_piece.len, max - n);
        if (take == 0) {
            status = body_try_read(s->out, &s->out_piece);
            continue;
        }
        memcpy(to + n, s->out_piece.p, take);
        s->out_piece = str_skip(s->out_piece, take);
        n += take;
    }
    if (status == IO_EOF && end_out(s, flags))
        return (ssize_t)n;
    if (n > 0 && status != IO_EOF) /* what else there is to say comes with the next call */
        return (ssize_t)n;
    if (status == IO_AGAIN) {
        s->is_out_waiting = true;
        if (s->out)
            body_when_ready(s->out, out_ready, s);
        return NGHTTP2_ERR_DEFERRED;
    }
    /* Never a well-formed short answer: the stream is reset. */
    s->is_out_broken = s->is_ours = true;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

nghttp2_data_provider
h2_stream_provider(struct h2_stream *s, struct body *body)
{
    s->out = body;
    s->out_piece = STR_NONE;
    return (nghttp2_data_provider){.source.ptr = s, .read_callback = read_out};
}

struct body *
h2_stream_take_out(struct h2_stream *s)
{
    struct body *out = s->out;

    if (out && s->is_out_waiting)
        body_when_ready(out, NULL, NULL);
    s->out = NULL;
    s->is_out_waiting = false;
    return out;
}

void
h2_stream_bring(struct h2_stream *s, struct body *body)
{
    s->out = body;
    out_ready(s);
}

/* ---- what nghttp2 tells ---- */

static struct h2_stream *
find(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

/* Stops nghttp2_session_mem_recv(); the link is dropped. NULL: nothing of the kind. */
static int
blame(struct h2_link *l, uint32_t code, const char *why)
{
    if (why && !l->why) {
        l->why = why;
        l->why_code = code;
    }
    return l->why ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static bool
was_reset_by_us(const struct h2_link *l, int32_t id)
{
    for (uint32_t i = 0; i < MIN(l->n_resets, H2_RESETS_KEPT); i++)
        if (l->reset_ids[i] == id)
            return true;
    return l->n_resets > H2_RESETS_KEPT; /* not all are known any more */
}

/* DATA and HEADERS for a stream that the peer has ended or passed over end the connection (RFC 9113 5.1); nghttp2 does
 * not remember such streams. */
static bool
is_over(void *ctx, int32_t id)
{
    struct h2_link *l = ctx;

    return id > 0 && id <= l->last_id && !nghttp2_session_find_stream(l->session, id) && !was_reset_by_us(l, id);
}

static int
malformed(struct h2_link *l, int32_t id)
{
    const char *why = l->conf->is_server ? h2_guard_malformed(&l->guard) : NULL;

    if (why)
        return blame(l, l->guard.code, why);
    nghttp2_submit_rst_stream(l->session, NGHTTP2_FLAG_NONE, id, NGHTTP2_PROTOCOL_ERROR);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int
on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct h2_link *l = ctx;
    struct h2_stream *s = find(session, frame->hd.stream_id);

    if (frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    if (s) { /* trailers, or an answer's head behind an interim one */
        h2_head_init(&s->head, s->arena, l->conf->head);
        return 0;
    }
    if (!l->conf->is_server || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    l->last_id = frame->hd.stream_id;
    if (!l->ops->on_begin(l, frame->hd.stream_id))
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
    return 0;
}

static int
on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name, nghttp2_rcbuf *value,
          uint8_t flags, void *ctx)
{
    struct h2_stream *s = find(session, frame->hd.stream_id);
    nghttp2_vec n = nghttp2_rcbuf_get_buf(name), v = nghttp2_rcbuf_get_buf(value);

    if (!s)
        return 0;
    switch (h2_head_add(&s->head, str_from((char *)n.base, n.len), str_from((char *)v.base, v.len))) {
    case H2_FIELD_OK: return 0;
    case H2_FIELD_BAD: return malformed(ctx, frame->hd.stream_id);
    case H2_FIELD_FLOOD: return blame(ctx, NGHTTP2_ENHANCE_YOUR_CALM, "a header block that unpacks to far more than the limit");
    }
    return 0;
}

/* nghttp2 would leave the field out and go on. */
static int
on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name, nghttp2_rcbuf *value,
                  uint8_t flags, void *ctx)
{
    return malformed(ctx, frame->hd.stream_id);
}

static void
trailers_done(struct h2_stream *s)
{
    struct http_headers *t = &s->head.headers;

    if (s->head.is_too_large)
        t->n = 0;
    h1_clean_trailers(t, s->head.has_underscore);
    s->in.trailers = t;
}

static int
on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    bool is_end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    struct h2_link *l = ctx;
    struct h2_stream *s;

    l->has_peer_settings |= frame->hd.type == NGHTTP2_SETTINGS;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    if (!(s = find(session, frame->hd.stream_id)))
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && s->is_head_done) {
        trailers_done(s);
    } else if (frame->hd.type == NGHTTP2_HEADERS) {
        if (l->ops->on_head(s, is_end) != H2_HEAD_BAD)
            h2_stream_raise(s, H2_EVENT_HEAD);
        else if (malformed(l, s->id) == NGHTTP2_ERR_CALLBACK_FAILURE)
            return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (is_end)
        h2_inflow_end(s, true);
    return 0;
}

static int
on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error, void *ctx)
{
    struct h2_link *l = ctx;

    if (frame->hd.type == NGHTTP2_HEADERS && l->conf->is_server && blame(l, NGHTTP2_ENHANCE_YOUR_CALM, h2_guard_malformed(&l->guard)))
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    /* Each makes us answer with a reset; streams that are known are counted when they close (C2). */
    struct h2_stream *s = find(session, frame->hd.stream_id);
    if (!s)
        return blame(l, l->guard.code, h2_guard_closed(&l->guard, true));
    s->is_doomed = true;
    return 0;
}

static int
on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n, void *ctx)
{
    struct h2_stream *s = find(session, id);

    nghttp2_session_consume_connection(session, n);
    if (s)
        h2_inflow_add(s, str_from((const char *)bytes, n));
    else
        nghttp2_session_consume_stream(session, id, n);
    return 0;
}

static int
on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *ctx)
{
    struct h2_link *l = ctx;
    struct h2_stream *s = find(session, id);
    bool was_reset = s && error != NGHTTP2_NO_ERROR && !s->is_sent && !s->is_ours;

    if (s)
        stream_closed(s, error);
    return blame(l, l->guard.code, l->conf->is_server ? h2_guard_closed(&l->guard, was_reset) : NULL);
}

static int
on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct h2_link *l = ctx;
    struct h2_stream *s;

    if (frame->hd.type == NGHTTP2_DATA)
        h2_guard_sent_data(&l->guard, 1);
    if (frame->hd.type == NGHTTP2_RST_STREAM)
        l->reset_ids[l->n_resets++ % H2_RESETS_KEPT] = frame->hd.stream_id;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    if (!(s = find(session, frame->hd.stream_id)))
        return 0;
    s->is_begun = true;
    s->progress_ms = loop_now_ms(l->conf->loop);
    s->out_bytes += frame->hd.type == NGHTTP2_DATA ? frame->hd.length : 0;
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) {
        s->is_sent = true;
        h2_stream_raise(s, H2_EVENT_SENT);
    }
    return 0;
}

/* ---- the session ---- */

static nghttp2_session_callbacks *
callbacks_new(void)
{
    nghttp2_session_callbacks *c;

    if (nghttp2_session_callbacks_new(&c) != 0)
        return NULL;
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(c, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback2(c, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame_recv);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c, on_invalid_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(c, on_frame_send);
    return c;
}

static nghttp2_option *
options_new(const struct h2_link_conf *conf)
{
    nghttp2_option *o;

    if (nghttp2_option_new(&o) != 0)
        return NULL;
    nghttp2_option_set_no_auto_window_update(o, 1);
    nghttp2_option_set_no_closed_streams(o, 1);
    nghttp2_option_set_max_outbound_ack(o, OUTBOUND_MAX / 10);
    nghttp2_option_set_peer_max_concurrent_streams(o, 100);
#ifdef HAVE_NGHTTP2_RESET_RATE_LIMIT
    nghttp2_option_set_stream_reset_rate_limit(o, 1000, 100); /* a second fence behind the guard's */
#endif
    return o;
}

static bool
session_new(struct h2_link *l)
{
    nghttp2_session_callbacks *callbacks = callbacks_new();
    nghttp2_option *options = options_new(l->conf);
    bool ok = callbacks && options &&
              (l->conf->is_server ? nghttp2_session_server_new3 : nghttp2_session_client_new3)(
                  &l->session, callbacks, l, options, h2_memory(l->conf->loop)) == 0;

    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(options);
    return ok;
}

static void
submit_settings(struct h2_link *l)
{
    const struct h2_link_conf *c = l->conf;
    nghttp2_settings_entry v[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, c->streams_max},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, c->head->bytes},
        {c->is_server ? NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL : NGHTTP2_SETTINGS_ENABLE_PUSH, c->is_server},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };

    nghttp2_submit_settings(l->session, NGHTTP2_FLAG_NONE, v, COUNTOF(v));
    nghttp2_session_set_local_window_size(l->session, NGHTTP2_FLAG_NONE, 0, LINK_WINDOW);
}

static void run_task(struct task *task);

bool
h2_link_open(struct h2_link *l, const struct h2_link_ops *ops, const struct h2_link_conf *conf, struct stream *stream)
{
    uint64_t now_ms = loop_now_ms(conf->loop);

    *l = (struct h2_link){.ops = ops, .conf = conf, .stream = stream, .task.run = run_task, .idle_since_ms = now_ms,
                          .head_since_ms = conf->is_server ? now_ms : 0, .input_ms = now_ms};
    list_init(&l->events);
    list_init(&l->streams);
    h2_guard_init(&l->guard, conf->guard, conf->is_server, now_ms);
    l->guard.ctx = l;
    l->guard.is_over = conf->is_server ? is_over : NULL;
    if (!session_new(l)) {
        stream_close(stream);
        l->stream = NULL;
        return false;
    }
    submit_settings(l);
    return true;
}

/* ---- input ---- */

static void
note_head_time(struct h2_link *l)
{
    if (!h2_guard_is_in_head(&l->guard))
        l->head_since_ms = 0;
    else if (!l->head_since_ms)
        l->head_since_ms = loop_now_ms(l->conf->loop);
}

/* Through the guard and into nghttp2; 0 or its error. */
static ssize_t
feed(struct h2_link *l, struct str bytes)
{
    while (bytes.len) {
        size_t n;
        const char *why = h2_guard_read(&l->guard, bytes, l->input_ms, &n);
        if (blame(l, l->guard.code, why) != 0)
            return 0;
        ssize_t taken = nghttp2_session_mem_recv(l->session, (const uint8_t *)bytes.p, n);
        if (taken < 0)
            return taken;
        bytes = str_skip(bytes, n);
    }
    return 0;
}

void
h2_link_feed(struct h2_link *l, struct str bytes)
{
    ssize_t error;

    if (h2_link_is_dead(l) || l->why)
        return;
    h2_link_post(l);
    l->input_ms = loop_now_ms(l->conf->loop);
    l->is_pinged = false;
    error = feed(l, bytes);
    if (nghttp2_session_get_outbound_queue_size(l->session) > OUTBOUND_MAX + l->n_open)
        blame(l, NGHTTP2_ENHANCE_YOUR_CALM, "a peer that does not read what its frames make us send");
    note_head_time(l);
    if (l->why)
        h2_link_end(l, l->why_code);
    else if (error == NGHTTP2_ERR_FLOODED)
        h2_link_end(l, NGHTTP2_ENHANCE_YOUR_CALM);
    else if (error)
        h2_link_end(l, error == NGHTTP2_ERR_NOMEM ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_PROTOCOL_ERROR);
}

static void
on_readable(struct stream *stream, void *ctx)
{
    struct h2_link *l = ctx;
    char bytes[READ_BYTES];

    for (int i = 0; i < READ_ROUNDS && !h2_link_is_dead(l); i++) {
        int64_t n = stream_try_read(stream, bytes, sizeof(bytes));
        if (n == IO_AGAIN)
            break;
        if (n < 0) {
            h2_link_die(l);
            return;
        }
        h2_link_feed(l, str_from(bytes, (size_t)n));
    }
    if (!h2_link_is_dead(l))
        stream_when_readable(stream, on_readable, l);
}

/* ---- output ---- */

size_t
h2_link_collect(struct h2_link *l, char *to, size_t max)
{
    size_t n = 0;

    while (l->session && max - n >= H2_COLLECT_MIN) {
        const uint8_t *chunk;
        ssize_t len = nghttp2_session_mem_send(l->session, &chunk);
        if (len < 0)
            h2_link_die(l);
        if (len <= 0)
            break;
        memcpy(to + n, chunk, (size_t)len);
        n += (size_t)len;
    }
    return n;
}

static void
on_writable(struct stream *stream, void *ctx)
{
    h2_link_post(ctx);
}

static void
keep_rest(struct h2_link *l, const char *p, size_t n)
{
    l->rest = memcpy(xmalloc(n), p, n);
    l->rest_len = n;
    l->rest_at = 0;
    l->is_paced = false;
    pace_begin(&l->pace, loop_now_ms(l->conf->loop));
    stream_when_writable(l->stream, on_writable, l);
}

/* True when nothing is left over from before. */
static bool
send_rest(struct h2_link *l)
{
    int64_t n;

    if (!l->rest)
        return true;
    n = stream_try_write(l->stream, l->rest + l->rest_at, l->rest_len - l->rest_at);
    if (n < 0 && n != IO_AGAIN) {
        h2_link_die(l);
        return false;
    }
    if (n > 0) {
        l->rest_at += (size_t)n;
        l->sent += (uint64_t)n;
        pace_begin(&l->pace, loop_now_ms(l->conf->loop));
    }
    if (l->rest_at < l->rest_len) {
        stream_when_writable(l->stream, on_writable, l);
        return false;
    }
    free(l->rest);
    l->rest = NULL;
    return true;
}

/* Frames of all streams into few large writes. The answers of one turn leave together. */
static void
flush(struct h2_link *l)
{
    char out[FLUSH_BYTES];

    for (int i = 0; i < FLUSH_ROUNDS && send_rest(l); i++) {
        size_t n = h2_link_collect(l, out, sizeof(out));
        if (n == 0)
            return;
        int64_t sent = stream_try_write(l->stream, out, n);
        if (sent < 0 && sent != IO_AGAIN) {
            h2_link_die(l);
            return;
        }
        l->sent += (uint64_t)MAX(sent, (int64_t)0);
        if (sent < (int64_t)n)
            keep_rest(l, out + MAX(sent, (int64_t)0), n - (size_t)MAX(sent, (int64_t)0));
        if (sizeof(out) - n >= H2_COLLECT_MIN)
            return;
    }
    if (!l->rest)
        h2_link_post(l);
}

/* ---- events, ends ---- */

/* Of what has come at once with many heads, some at a time: others have their turns in between. */
static void
handle_events(struct h2_link *l)
{
    struct h2_stream *s;
    unsigned n_heads = 0;

    while (n_heads < HEADS_A_TURN && (s = list_take_first(&l->events, struct h2_stream, event_node))) {
        uint8_t events = s->events;
        s->events = 0;
        n_heads += (events & H2_EVENT_HEAD) != 0;
        l->ops->on_event(s, events);
    }
}

static bool
is_finished(const struct h2_link *l)
{
    if (l->rest || nghttp2_session_want_write(l->session))
        return false;
    return l->is_closing || !nghttp2_session_want_read(l->session);
}

static void
run_task(struct task *task)
{
    struct h2_link *l = CONTAINER_OF(task, struct h2_link, task);

    bool is_crowded;

    handle_events(l);
    is_crowded = !list_is_empty(&l->events);
    if (!h2_link_is_dead(l)) {
        if (l->stream)
            flush(l);
        if (!h2_link_is_dead(l) && is_finished(l))
            h2_link_die(l);
    }
    if (!is_crowded)
        handle_events(l);
    if (!list_is_empty(&l->events) && !task_is_posted(&l->task))
        loop_post_later(l->conf->loop, &l->task);
    if (l->ops->on_change)
        l->ops->on_change(l);
    if (h2_link_is_dead(l) && l->n_held == 0 && !task_is_posted(&l->task)) {
        stream_close_gently(l->stream, LINGER_BYTES, LINGER_MS);
        l->stream = NULL;
        l->ops->on_end(l);
    }
}

void
h2_link_post(struct h2_link *l)
{
    if (!task_is_posted(&l->task))
        loop_post(l->conf->loop, &l->task);
}

void
h2_link_end(struct h2_link *l, uint32_t code)
{
    if (h2_link_is_dead(l) || l->is_closing)
        return;
    nghttp2_session_terminate_session(l->session, code);
    l->is_closing |= code != NGHTTP2_NO_ERROR;
    h2_link_post(l);
}

void
h2_link_die(struct h2_link *l)
{
    struct h2_stream *s;

    if (h2_link_is_dead(l))
        return;
    timer_stop(l->conf->loop, &l->timer);
    while ((s = list_first(&l->streams, struct h2_stream, node)))
        stream_closed(s, NGHTTP2_CANCEL);
    nghttp2_session_del(l->session);
    l->session = NULL;
    free(l->rest);
    l->rest = NULL;
    if (l->stream) {
        stream_when_readable(l->stream, NULL, NULL);
        stream_when_writable(l->stream, NULL, NULL);
        stream_shutdown(l->stream);
    }
    h2_link_post(l);
}

static void on_timer(struct timer *t);

/* A tick a second while there is something to watch, one at the end of an idle time. One that is due early enough is
 * left alone, so that a connection with one request after the other does not touch its timer. */
static void
arm_timer(struct h2_link *l, uint64_t now_ms)
{
    bool is_busy = l->n_open || l->rest || l->head_since_ms || l->is_draining || l->is_paced;
    bool is_looked_at = !l->conf->pace.rate || l->looked_ms == l->idle_since_ms;
    uint64_t idle_ms = is_looked_at ? l->conf->idle_ms : MIN(l->conf->idle_ms, PACE_LOOK_MS);
    uint64_t at_ms = is_busy ? now_ms + TICK_MS : MAX(l->idle_since_ms + idle_ms, now_ms + TICK_MS);

    if (!timer_is_running(&l->timer) || l->timer.at_ms > at_ms)
        timer_start(l->conf->loop, &l->timer, at_ms, on_timer);
}

/* The last stream that is served is named; the link dies with the last that is open. */
static void
say_goodbye(struct h2_link *l)
{
    l->is_goaway_sent = true;
    nghttp2_submit_goaway(l->session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(l->session),
                          NGHTTP2_NO_ERROR, NULL, 0);
    h2_link_post(l);
}

void
h2_link_drain(struct h2_link *l)
{
    if (h2_link_is_dead(l) || l->is_draining)
        return;
    l->is_draining = true;
    if (!l->conf->is_server) { /* who opens the streams needs no notice */
        say_goodbye(l);
        return;
    }
    nghttp2_submit_shutdown_notice(l->session);
    timer_start(l->conf->loop, &l->timer, loop_now_ms(l->conf->loop) + GOAWAY_STEP_MS, on_timer);
    h2_link_post(l);
}

/* Asks a silent peer, once, and then gives it as long again. */
static bool
is_peer_lost(struct h2_link *l, uint64_t now_ms)
{
    if (!l->conf->ping_ms || !l->n_open || now_ms - l->input_ms < l->conf->ping_ms)
        return false;
    if (!l->is_pinged) {
        nghttp2_submit_ping(l->session, NGHTTP2_FLAG_NONE, NULL);
        l->is_pinged = true;
        h2_link_post(l);
    }
    return now_ms - l->input_ms >= 2 * (uint64_t)l->conf->ping_ms;
}

/* Whether the peer takes what waits for it here, or of what lies in the socket long after we are through with it. */
static bool
is_being_read(struct h2_link *l, uint64_t now_ms)
{
    struct stream_progress progress;

    if (l->rest)
        return now_ms < pace_next_ms(&l->pace) || pace_look_at_stream(&l->pace, &l->conf->pace, now_ms, l->stream, l->sent);
    if (l->n_open || !l->stream || !stream_progress(l->stream, &progress) || progress.untaken < PACE_UNTAKEN_MIN) {
        l->is_paced = false;
        return true;
    }
    if (!l->is_paced)
        pace_begin(&l->pace, now_ms);
    l->is_paced = true;
    return pace_look(&l->pace, &l->conf->pace, now_ms, progress.taken);
}

static void
on_timer(struct timer *t)
{
    struct h2_link *l = CONTAINER_OF(t, struct h2_link, timer);
    uint64_t now_ms = loop_now_ms(l->conf->loop);
    struct h2_stream *s;

    if (!is_being_read(l, now_ms)) {
        if (l->conf->unread)
            atomic_fetch_add_explicit(l->conf->unread, 1, memory_order_relaxed);
        stream_drop_unsent(l->stream);
        h2_link_die(l);
        return;
    }
    l->looked_ms = l->idle_since_ms;
    if (l->head_since_ms && now_ms - l->head_since_ms > l->conf->head_ms) {
        h2_link_end(l, NGHTTP2_ENHANCE_YOUR_CALM);
        return;
    }
    list_each(&l->streams, s, struct h2_stream, node)
        l->ops->on_tick(s, now_ms);
    if (is_peer_lost(l, now_ms)) {
        h2_link_die(l);
        return;
    }
    /* What was on its way when the first GOAWAY went out has come by now. */
    if (l->is_draining && !l->is_goaway_sent)
        say_goodbye(l);
    else if (!l->n_open && now_ms - l->idle_since_ms >= l->conf->idle_ms) {
        l->was_idle = true;
        h2_link_end(l, NGHTTP2_NO_ERROR);
    }
    arm_timer(l, now_ms);
}

void
h2_link_start(struct h2_link *l, struct str first)
{
    h2_link_post(l);
    arm_timer(l, loop_now_ms(l->conf->loop));
    if (first.len)
        h2_link_feed(l, first);
    if (l->stream && !h2_link_is_dead(l))
        stream_when_readable(l->stream, on_readable, l);
}
