/* h1_input.c: reading HTTP/1 (h1_input.h).
 * Invariants: I1  floor <= at <= len <= buf->cap.
 *             I2  a piece handed out lies in buf and stays until the next try_read.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/h1_input.h"

#include <stdlib.h>

#include "base/arena.h"

#define FREE_BUFFERS_MAX 256
#define FREE_BULK_MAX 32
#define ROOM_MIN 2048u                /* a body does not read into less */

struct h1_buffer *
h1_buffer_take(struct h1_buffers *pool, uint32_t cap)
{
    struct h1_buffer *b = NULL;

    if (cap == H1_BUFFER_SIZE && (b = pool->free)) {
        pool->free = b->next;
        pool->n_free--;
    } else if (cap == H1_BULK_SIZE && (b = pool->free_bulk)) {
        pool->free_bulk = b->next;
        pool->n_free_bulk--;
    } else {
        b = xmalloc(sizeof(*b) + cap);
        b->cap = cap;
    }
    return b;
}

void
h1_buffer_give(struct h1_buffers *pool, struct h1_buffer *b)
{
    if (!b)
        return;
    if (b->cap == H1_BUFFER_SIZE && pool->n_free < FREE_BUFFERS_MAX) {
        b->next = pool->free;
        pool->free = b;
        pool->n_free++;
    } else if (b->cap == H1_BULK_SIZE && pool->n_free_bulk < FREE_BULK_MAX) {
        b->next = pool->free_bulk;
        pool->free_bulk = b;
        pool->n_free_bulk++;
    } else {
        free(b);
    }
}

static void
free_list(struct h1_buffer *b)
{
    while (b) {
        struct h1_buffer *next = b->next;
        free(b);
        b = next;
    }
}

void
h1_buffers_destroy(struct h1_buffers *pool)
{
    free_list(pool->free);
    free_list(pool->free_bulk);
    *pool = (struct h1_buffers){0};
}

/* Puts a fresh buffer under the unconsumed bytes. The old one stays as `head` when views may point into it. */
static void
replace_buffer(struct h1_input *in, uint32_t cap)
{
    struct h1_buffer *fresh = h1_buffer_take(in->pool, cap);
    uint32_t n = in->len - in->at;

    memcpy(fresh->bytes, in->buf->bytes + in->at, n);
    if (in->floor && !in->head)
        in->head = in->buf;
    else
        h1_buffer_give(in->pool, in->buf);
    in->buf = fresh;
    in->floor = in->at = 0;
    in->len = n;
}

/* Room behind len. */
static void
make_room(struct h1_input *in)
{
    uint32_t n = in->len - in->at;

    if (in->at > in->floor) {
        memmove(in->buf->bytes + in->floor, in->buf->bytes + in->at, n);
        in->at = in->floor;
        in->len = in->floor + n;
    }
    if (!in->floor && !in->head)
        return;                       /* a head: it grows by h1_input_grow() */
    if (in->was_full && in->buf->cap < H1_BULK_SIZE)
        replace_buffer(in, H1_BULK_SIZE);
    else if (in->buf->cap - in->len < ROOM_MIN)
        replace_buffer(in, MAX(H1_BUFFER_SIZE, n + ROOM_MIN));
}

int64_t
h1_input_read(struct h1_input *in)
{
    int64_t n;
    uint32_t room;

    if (!in->buf)
        in->buf = h1_buffer_take(in->pool, H1_BUFFER_SIZE);
    make_room(in);
    room = in->buf->cap - in->len;
    ASSERT(room > 0); /* I1 */
    n = stream_try_read(in->stream, in->buf->bytes + in->len, room);
    in->was_full = n == room;
    if (n > 0)
        in->len += (uint32_t)n;
    return n;
}

void
h1_input_grow(struct h1_input *in, uint32_t cap)
{
    ASSERT(!in->floor && !in->head && cap > in->buf->cap);
    replace_buffer(in, cap);
}

void
h1_input_shrink(struct h1_input *in)
{
    if (in->len - in->at < in->buf->cap / 2)
        replace_buffer(in, MAX(in->len - in->at, 256u));
}

void
h1_input_next(struct h1_input *in)
{
    uint32_t n = in->len - in->at;

    h1_buffer_give(in->pool, in->head);
    in->head = NULL;
    in->floor = 0;
    if (n == 0) {
        h1_input_release(in);
        return;
    }
    if (in->at)
        memmove(in->buf->bytes, in->buf->bytes + in->at, n);
    in->at = 0;
    in->len = n;
}

void
h1_input_release(struct h1_input *in)
{
    h1_buffer_give(in->pool, in->head);
    h1_buffer_give(in->pool, in->buf);
    in->head = in->buf = NULL;
    in->floor = in->at = in->len = 0;
    in->was_full = false;
}

/* ---- bodies ---- */

static void
consume(struct h1_body *b, size_t n)
{
    b->in->at += (uint32_t)n;
    b->n_wire += n;
}

static int
fail(struct h1_body *b, const char *why)
{
    b->why = why;
    return IO_ERROR;
}

static int
whole(struct h1_body *b)
{
    b->is_whole = true;
    return IO_EOF;
}

/* Up to `max` bytes that are there. */
static int
take_piece(struct h1_body *b, uint64_t max, struct str *ret_piece)
{
    struct str bytes = h1_input_bytes(b->in);

    *ret_piece = str_sub(bytes, 0, (size_t)MIN(max, (uint64_t)bytes.len));
    consume(b, ret_piece->len);
    return IO_OK;
}

static int
counted_piece(struct h1_body *b, struct str *ret_piece)
{
    if (b->left == 0)
        return whole(b);
    if (b->in->at == b->in->len)
        return IO_AGAIN;
    take_piece(b, b->left, ret_piece);
    b->left -= ret_piece->len;
    b->is_whole = b->left == 0;
    return IO_OK;
}

/* Never more than a buffer holds beside what a read may ask for. */
static size_t
trailer_max(const struct h1_body *b)
{
    uint32_t max = b->limits->trailer_bytes ? b->limits->trailer_bytes : H1_TRAILER_BYTES;

    return MIN(max, H1_BUFFER_SIZE - ROOM_MIN);
}

/* The trailer section stands at in->at once the last chunk's line is read. */
static int
trailer_section(struct h1_body *b)
{
    struct h1_refusal why;
    bool has_underscore;
    struct str bytes = h1_input_bytes(b->in);
    ptrdiff_t n;

    if (bytes.len >= 2 && bytes.p[0] == '\r' && bytes.p[1] == '\n') {
        consume(b, 2);
        return whole(b);
    }
    if (!b->trailers && !(b->trailers = arena_new(b->arena, struct http_headers)))
        return fail(b, "no memory left for trailers");
    b->trailers->arena = b->arena;
    n = h1_parse_fields(bytes, b->limits, b->trailers, &has_underscore, &why);
    if (n == H1_BAD)
        return fail(b, why.why);
    if (n == H1_MORE)
        return bytes.len >= trailer_max(b) ? fail(b, "trailers that are too large") : IO_AGAIN;
    if (n > (ptrdiff_t)trailer_max(b))
        return fail(b, "trailers that are too large");
    h1_clean_trailers(b->trailers, has_underscore);
    /* The views must outlive the buffer's next turn. */
    struct http_headers kept = http_headers_in(b->arena);
    if (!http_headers_dup(&kept, b->trailers))
        return fail(b, "no memory left for trailers");
    *b->trailers = kept;
    consume(b, (size_t)n);
    return whole(b);
}

static int
chunked_piece(struct h1_body *b, struct str *ret_piece)
{
    struct str bytes = h1_input_bytes(b->in), rest = bytes;
    enum h1_chunk_event event = h1_chunk_next(&b->chunk, &rest, ret_piece, &b->why);

    consume(b, bytes.len - rest.len);
    switch (event) {
    case H1_CHUNK_PIECE:
        return IO_OK;
    case H1_CHUNK_MORE:
        return IO_AGAIN;
    case H1_CHUNK_END:
        return trailer_section(b);
    case H1_CHUNK_BAD:
        break;
    }
    return IO_ERROR;
}

/* What the bytes at hand give. */
static int
next_piece(struct h1_body *b, struct str *ret_piece)
{
    switch (b->kind) {
    case H1_BODY_NONE:
        return whole(b);
    case H1_BODY_LENGTH:
        return counted_piece(b, ret_piece);
    case H1_BODY_CHUNKED:
        return chunked_piece(b, ret_piece);
    case H1_BODY_UNTIL_CLOSE:
        return b->in->at == b->in->len ? IO_AGAIN : take_piece(b, UINT64_MAX, ret_piece);
    }
    UNREACHABLE();
}

/* The moment at which waiting any longer breaks a limit; NO_DEADLINE without one. */
static uint64_t
wait_deadline(const struct h1_body *b)
{
    uint64_t now = loop_now_ms(b->loop), at = b->total_at_ms ? b->total_at_ms : NO_DEADLINE,
             may_wait;

    if (b->idle_ms)
        at = MIN(at, b->wait_began_ms + b->idle_ms);
    if (b->rate) {
        may_wait = b->grace_ms + b->n_wire * 1000 / b->rate;
        at = MIN(at, now + (may_wait > b->waited_ms ? may_wait - b->waited_ms : 0));
    }
    return at;
}

static int
body_next(struct body *super, struct str *ret_piece)
{
    struct h1_body *b = (struct h1_body *)super;
    int status = next_piece(b, ret_piece);

    while (status == IO_AGAIN) {
        int64_t n = h1_input_read(b->in);
        if (n == IO_EOF && b->kind == H1_BODY_UNTIL_CLOSE)
            return whole(b);
        if (n == IO_EOF)
            return fail(b, "the connection ended inside the body");
        if (n == IO_AGAIN && b->is_overdue)
            return IO_TIMEOUT;
        if (n < 0)
            return (int)n;
        b->is_overdue = false;
        status = next_piece(b, ret_piece);
    }
    return status;
}

static void
stop_waiting(struct h1_body *b)
{
    if (!b->on_ready)
        return;
    b->on_ready = NULL;
    b->waited_ms += loop_now_ms(b->loop) - b->wait_began_ms;
    timer_stop(b->loop, &b->timer);
    stream_when_readable(b->in->stream, NULL, NULL);
}

static void
tell_ready(struct h1_body *b)
{
    body_ready_fn *fn = b->on_ready;
    void *ctx = b->on_ready_ctx;

    stop_waiting(b);
    if (fn)
        fn(ctx);
}

static void
on_readable(struct stream *stream, void *ctx)
{
    (void)stream;
    tell_ready(ctx);
}

static void
on_timer(struct timer *t)
{
    struct h1_body *b = CONTAINER_OF(t, struct h1_body, timer);

    b->is_overdue = true;
    tell_ready(b);
}

static void
body_wait(struct body *super, body_ready_fn *fn, void *ctx)
{
    struct h1_body *b = (struct h1_body *)super;

    if (!fn) {
        stop_waiting(b);
        return;
    }
    if (b->before_wait) {
        void (*before_wait)(struct h1_body *) = b->before_wait;
        b->before_wait = NULL;
        before_wait(b);
    }
    if (!b->on_ready)
        b->wait_began_ms = loop_now_ms(b->loop);
    b->on_ready = fn;
    b->on_ready_ctx = ctx;
    timer_start(b->loop, &b->timer, wait_deadline(b), on_timer);
    stream_when_readable(b->in->stream, on_readable, b);
}

void
h1_body_break(struct h1_body *b, int status)
{
    if (b->super.status == IO_OK)
        b->super.status = (int8_t)status;
    tell_ready(b);
}

static const struct http_headers *
body_trailer_fields(struct body *super)
{
    struct http_headers *t = ((struct h1_body *)super)->trailers;

    return t && t->n ? t : NULL;
}

static void
body_end(struct body *super)
{
    stop_waiting((struct h1_body *)super);
}

static const struct body_ops h1_body_ops = {
    .name = "h1",
    .try_read = body_next,
    .when_ready = body_wait,
    .trailers = body_trailer_fields,
    .close = body_end,
};

void
h1_body_begin(struct h1_body *b, struct h1_input *in, struct arena *arena,
              const struct h1_framing *framing, int64_t content_length,
              const struct h1_head_limits *limits)
{
    *b = (struct h1_body){
        .super = {.ops = &h1_body_ops,
                  .length = framing->kind == H1_BODY_LENGTH || framing->kind == H1_BODY_NONE
                                ? content_length
                                : HTTP_LENGTH_UNKNOWN},
        .in = in,
        .loop = stream_loop(in->stream),
        .arena = arena,
        .kind = framing->kind,
        .left = framing->kind == H1_BODY_LENGTH ? (uint64_t)content_length : 0,
        .limits = limits,
        .chunk.extension_left = (uint16_t)limits->extension_bytes,
        .is_whole = framing->kind == H1_BODY_NONE,
    };
}
