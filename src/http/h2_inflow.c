/* h2_inflow.c: received bodies of HTTP/2 streams: a ring of pieces between the session and a reader. The stream's window
 * is opened as its body is read; the connection's as bytes come, so that one body that nobody reads does not hold up
 * the others. What may lie here unread is bounded by the windows: 64 KiB until somebody reads, conf->window after.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/h2_inflow.h"

#include <stdlib.h>

#define PIECE_FIRST 1024u

static struct h2_stream *
stream_of(struct body *b)
{
    struct h2_inflow *in = CONTAINER_OF(b, struct h2_inflow, body);

    return CONTAINER_OF(in, struct h2_stream, in);
}

static struct piece *
queue_take(struct h2_inflow *in)
{
    struct piece *p = in->queue[in->first];

    in->first = (in->first + 1) % in->cap;
    in->n--;
    return p;
}

static struct piece *
queue_last(const struct h2_inflow *in)
{
    return in->n ? in->queue[(in->first + in->n - 1) % in->cap] : NULL;
}

static void
queue_put(struct h2_inflow *in, struct piece *p)
{
    if (in->n == in->cap) {
        uint32_t cap = in->cap ? in->cap * 2 : 4;
        struct piece **wider = xnew_array(struct piece *, cap);
        for (uint32_t i = 0; i < in->n; i++)
            wider[i] = in->queue[(in->first + i) % in->cap];
        free(in->queue);
        in->queue = wider;
        in->first = 0;
        in->cap = cap;
    }
    in->queue[(in->first + in->n++) % in->cap] = p;
}

/* The peer may send that much more. */
static void
open_window(struct h2_stream *s, size_t n)
{
    if (s->is_closed || !s->link->session || n == 0)
        return;
    nghttp2_session_consume_stream(s->link->session, s->id, n);
    h2_link_post(s->link);
}

void
h2_inflow_add(struct h2_stream *s, struct str bytes)
{
    struct h2_inflow *in = &s->in;
    struct piece *last = queue_last(in);

    in->received += bytes.len;
    if (in->max && in->received > in->max) {
        in->is_too_large = true;
        h2_inflow_end(s, false);
    }
    if (in->is_unwanted || in->is_broken) {
        open_window(s, bytes.len);
        return;
    }
    while (bytes.len) {
        if (!last || last->len == last->cap) {
            size_t cap = bytes.len > PIECE_FIRST || last ? PIECE_SIZE : PIECE_FIRST;
            if (!(last = piece_new(cap, NULL)))
                break;
            last->len = 0;
            queue_put(in, last);
        }
        size_t n = MIN(bytes.len, (size_t)(last->cap - last->len));
        memcpy(last->bytes + last->len, bytes.p, n);
        last->len += (uint32_t)n;
        bytes = str_skip(bytes, n);
    }
    h2_stream_raise(s, H2_EVENT_BODY);
}

void
h2_inflow_end(struct h2_stream *s, bool is_complete)
{
    struct h2_inflow *in = &s->in;

    if (in->is_complete || in->is_broken)
        return;
    in->is_complete = is_complete;
    in->is_broken = !is_complete;
    h2_stream_raise(s, H2_EVENT_BODY);
}

void
h2_inflow_wake(struct h2_stream *s)
{
    struct h2_inflow *in = &s->in;
    body_ready_fn *ready = in->ready;

    in->ready = NULL;
    if (ready)
        ready(in->ready_ctx);
}

/* From the first read on the peer may send a window's worth ahead. */
static void
first_read(struct h2_stream *s)
{
    struct h2_link *l = s->link;

    s->in.was_read = true;
    if (s->in.is_complete || s->is_closed || !l->session)
        return;
    nghttp2_session_set_local_window_size(l->session, NGHTTP2_FLAG_NONE, s->id, (int32_t)l->conf->window);
    if (l->ops->on_first_read)
        l->ops->on_first_read(s);
    h2_link_post(l);
}

static int
inflow_try_read(struct body *b, struct str *ret_piece)
{
    struct h2_stream *s = stream_of(b);
    struct h2_inflow *in = &s->in;
    uint64_t now_ms = loop_now_ms(s->link->conf->loop);

    piece_unref(in->lent);
    in->lent = NULL;
    if (!in->was_read)
        first_read(s);
    if (in->n) {
        in->lent = queue_take(in);
        if (in->is_waited)
            in->waited_ms += now_ms - in->since_ms;
        in->is_waited = false;
        *ret_piece = str_from(in->lent->bytes, in->lent->len);
        open_window(s, in->lent->len);
        return IO_OK;
    }
    if (in->is_complete)
        return IO_EOF;
    if (in->is_broken)
        return in->is_late ? IO_TIMEOUT : IO_ERROR;
    if (!in->is_waited)
        in->since_ms = now_ms;
    in->is_waited = true;
    return IO_AGAIN;
}

static void
inflow_when_ready(struct body *b, body_ready_fn *fn, void *ctx)
{
    struct h2_inflow *in = &stream_of(b)->in;

    in->ready = fn;
    in->ready_ctx = ctx;
}

static const struct http_headers *
inflow_trailers(struct body *b)
{
    struct h2_inflow *in = &stream_of(b)->in;

    return in->is_complete && in->n == 0 ? in->trailers : NULL;
}

static void
inflow_close(struct body *b)
{
    struct h2_stream *s = stream_of(b);
    struct h2_inflow *in = &s->in;
    size_t unread = 0;

    piece_unref(in->lent);
    in->lent = NULL;
    while (in->n) {
        struct piece *p = queue_take(in);
        unread += p->len;
        piece_unref(p);
    }
    free(in->queue);
    in->queue = NULL;
    in->cap = in->first = 0;
    in->ready = NULL;
    in->is_unwanted = true;
    in->is_waited = false;
    open_window(s, unread);
}

static const struct body_ops inflow_ops = {
    .name = "h2", .try_read = inflow_try_read, .when_ready = inflow_when_ready, .trailers = inflow_trailers,
    .close = inflow_close,
};

struct body *
h2_inflow_body(struct h2_stream *s, int64_t length)
{
    s->in.body = (struct body){.ops = &inflow_ops, .length = length};
    return &s->in.body;
}

void
h2_inflow_destroy(struct h2_stream *s)
{
    if (!s->in.is_unwanted)
        inflow_close(&s->in.body);
}
