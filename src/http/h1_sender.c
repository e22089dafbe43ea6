/* h1_sender.c: pumping a message out (h1_sender.h).
 *
 *     fill: body -> scratch, until something large comes, or the body ends or has nothing at hand
 *     send: scratch, pieces -> socket; what does not go is stashed and the socket is awaited
 * Invariants: S1  the body is read only when stash and pieces are empty, so a piece stays valid until it is sent;
 *                 only from a body that keeps its pieces more than one is taken at a time.
 *             S2  on_done is called once, and nothing is awaited afterwards.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/h1_sender.h"

#include "base/arena.h"

#define GATHER_MAX ((size_t)4 << 10)  /* larger pieces are sent from where they are */
#define GATHER_ALL_MAX ((size_t)64 << 10)     /* then it is time to send */
#define RUN_BYTES_MAX ((uint64_t)1 << 20)   /* then other connections get their turn */

static void run(struct h1_sender *s);

static void
on_body_ready(void *ctx)
{
    struct h1_sender *s = ctx;

    s->is_body_awaited = false;
    run(s);
}

static void
stop_waiting(struct h1_sender *s)
{
    if (s->is_socket_awaited)
        stream_when_writable(s->stream, NULL, NULL);
    if (s->is_body_awaited)
        body_when_ready(s->body, NULL, NULL);
    s->is_socket_awaited = s->is_body_awaited = false;
    loop_unpost(&s->task);
    timer_stop(stream_loop(s->stream), &s->timer);
    h1_buffer_give(s->scratch->pool, s->stash);
    s->stash = NULL;
}

static void
done(struct h1_sender *s, int status)
{
    ASSERT(s->is_busy); /* S2 */
    stop_waiting(s);
    s->is_busy = false;
    s->status = (int8_t)status;
    s->on_done(s, status);
}

static void
on_writable(struct stream *stream, void *ctx)
{
    struct h1_sender *s = ctx;

    (void)stream;
    s->is_socket_awaited = false;
    timer_stop(stream_loop(s->stream), &s->timer);
    run(s);
}

static void
on_timer(struct timer *t)
{
    struct h1_sender *s = CONTAINER_OF(t, struct h1_sender, timer);
    struct loop *loop = stream_loop(s->stream);

    if (pace_look_at_stream(&s->pace, s->limit, loop_now_ms(loop), s->stream, s->bytes))
        timer_start(loop, &s->timer, pace_next_ms(&s->pace), on_timer);
    else
        done(s, IO_TIMEOUT);
}

static void
await_socket(struct h1_sender *s)
{
    struct loop *loop = stream_loop(s->stream);

    s->is_socket_awaited = true;
    pace_begin(&s->pace, loop_now_ms(loop));
    timer_start(loop, &s->timer, pace_next_ms(&s->pace), on_timer);
    stream_when_writable(s->stream, on_writable, s);
}

/* The gathered bytes that did not go. `gathered` lies in the scratch or in an arena: what another sender may
 * overwrite. */
static void
keep(struct h1_sender *s, struct str gathered)
{
    if (gathered.len == 0)
        return;
    s->stash = h1_buffer_take(
        s->scratch->pool, gathered.len <= H1_BUFFER_SIZE ? H1_BUFFER_SIZE : (uint32_t)gathered.len);
    memcpy(s->stash->bytes, gathered.p, gathered.len);
    s->stash_at = 0;
    s->stash_len = (uint32_t)gathered.len;
}

static void
add_large(struct h1_sender *s, struct str piece)
{
    s->pieces[s->n_pieces++] = piece;
}

static void
drop_front(struct str *s, uint64_t *n)
{
    size_t k = MIN(*n, (uint64_t)s->len);

    *s = str_skip(*s, k);
    *n -= k;
}

/* n bytes have gone from gathered and the pieces. */
static void
drop_sent(struct h1_sender *s, struct str *gathered, uint64_t n)
{
    s->bytes += n;
    drop_front(gathered, &n);
    while (s->at_piece < s->n_pieces) {
        drop_front(&s->pieces[s->at_piece], &n);
        if (s->pieces[s->at_piece].len)
            return;
        s->at_piece++;
    }
    s->at_piece = s->n_pieces = 0;
}

/* Sends gathered, then the pieces. IO_OK when all went, IO_AGAIN when the socket is full. */
static int
send_out(struct h1_sender *s, struct str gathered)
{
    while (gathered.len || s->n_pieces) {
        struct iovec v[1 + H1_SEND_PIECES];
        int n = 0;
        int64_t sent;
        if (gathered.len)
            v[n++] = (struct iovec){(void *)gathered.p, gathered.len};
        for (uint32_t i = s->at_piece; i < s->n_pieces; i++)
            v[n++] = (struct iovec){(void *)s->pieces[i].p, s->pieces[i].len};
        sent = stream_try_writev(s->stream, v, n);
        if (sent == IO_AGAIN)
            keep(s, gathered);
        if (sent < 0)
            return (int)sent;
        drop_sent(s, &gathered, (uint64_t)sent);
    }
    return IO_OK;
}

/* Sends the stash left from before. */
static int
send_stash(struct h1_sender *s)
{
    struct h1_buffer *stash = s->stash;
    int status;

    if (!stash)
        return send_out(s, STR_NONE);
    s->stash = NULL;
    status = send_out(s, str_from(stash->bytes + s->stash_at, s->stash_len - s->stash_at));
    h1_buffer_give(s->scratch->pool, stash);
    return status;
}

/* A piece of the body, framed: small ones into the scratch, a large one left where it is. IO_EOF when it is time
 * to send. */
static int
add_piece(struct h1_sender *s, struct str piece, size_t *len)
{
    char *to = s->scratch->bytes;

    if (s->kind == H1_SEND_COUNTED) {
        if (piece.len > s->left)
            return IO_ERROR;          /* more than was announced: never on the wire */
        s->left -= piece.len;
    }
    if (s->kind == H1_SEND_CHUNKED)
        *len += h1_write_chunk_line(to + *len, piece.len);
    if (piece.len > GATHER_MAX || s->n_pieces) {
        add_large(s, piece);
        if (s->kind == H1_SEND_CHUNKED)
            add_large(s, STR("\r\n"));
        return s->kind == H1_SEND_CHUNKED || !s->body->keeps_pieces || s->n_pieces == H1_SEND_PIECES
                   ? IO_EOF
                   : IO_OK;
    }
    memcpy(to + *len, piece.p, piece.len);
    *len += piece.len;
    if (s->kind == H1_SEND_CHUNKED) {
        memcpy(to + *len, "\r\n", 2);
        *len += 2;
    }
    return *len + GATHER_MAX + H1_CHUNK_LINE_MAX + 2 > GATHER_ALL_MAX ? IO_EOF : IO_OK;
}

/* The body has ended: IO_OK when it is what was announced, and its end is in the scratch. */
static int
add_end(struct h1_sender *s, size_t *len)
{
    struct str last;

    if (s->kind == H1_SEND_COUNTED && s->left > 0)
        return IO_ERROR;
    if (s->kind == H1_SEND_CHUNKED) {
        last = h1_write_last_chunk(s->arena, s->drops_trailers ? NULL : body_trailers(s->body));
        if (!last.p)
            return IO_ERROR;
        if (last.len > H1_SCRATCH_SIZE - *len) {
            add_large(s, last);
        } else {
            memcpy(s->scratch->bytes + *len, last.p, last.len);
            *len += last.len;
        }
    }
    s->body = NULL;
    return IO_OK;
}

/* Gathers what the body has at hand. IO_OK: send and come back; IO_AGAIN: send and wait for the body; else it
 * broke. */
static int
fill(struct h1_sender *s, size_t *len)
{
    struct str piece;
    int status;

    while (s->body) {
        if (s->kind == H1_SEND_COUNTED && s->left == 0 && s->body->status == IO_OK &&
            s->body->length >= 0 && s->body->n_read == (uint64_t)s->body->length) {
            s->body = NULL;           /* all there, the end need not be read */
            return IO_OK;
        }
        status = body_try_read(s->body, &piece);
        if (status == IO_EOF)
            status = add_end(s, len);
        else if (status == IO_OK)
            status = add_piece(s, piece, len);
        if (status == IO_EOF)
            return IO_OK;
        if (status != IO_OK)
            return status;
    }
    return IO_OK;
}

/* A body broke. What was gathered goes out first: a reader may use it. */
static void
broken(struct h1_sender *s, int status, size_t len)
{
    s->body_status = (int8_t)status;
    s->at_piece = s->n_pieces = 0;
    if (len)
        send_out(s, str_from(s->scratch->bytes, len));
    done(s, status);
}

static void
on_turn(struct task *t)
{
    run(CONTAINER_OF(t, struct h1_sender, task));
}

static void
pump(struct h1_sender *s, size_t len)
{
    uint64_t bytes_before = s->bytes;

    for (;;) {
        int filled = fill(s, &len), sent;
        if (filled != IO_OK && filled != IO_AGAIN) {
            broken(s, filled, len);
            return;
        }
        sent = send_out(s, str_from(s->scratch->bytes, len));
        len = 0;
        if (sent == IO_AGAIN) {
            await_socket(s);
            return;
        }
        if (sent != IO_OK || !s->body) {
            done(s, sent);
            return;
        }
        if (filled == IO_AGAIN) {
            s->is_body_awaited = true;
            body_when_ready(s->body, on_body_ready, s);
            return;
        }
        if (s->bytes - bytes_before > RUN_BYTES_MAX) {
            s->task.run = on_turn;
            loop_post_later(stream_loop(s->stream), &s->task);
            return;
        }
    }
}

/* After a wait. */
static void
run(struct h1_sender *s)
{
    int sent = send_stash(s);

    if (sent == IO_AGAIN)
        await_socket(s);
    else if (sent != IO_OK || !s->body)
        done(s, sent);
    else
        pump(s, 0);
}

void
h1_sender_init(struct h1_sender *s, struct stream *stream, struct h1_scratch *scratch,
               struct arena *arena, const struct pace_limit *limit,
               void (*on_done)(struct h1_sender *s, int status))
{
    memset(s, 0, offsetof(struct h1_sender, pieces));
    s->stream = stream;
    s->scratch = scratch;
    s->arena = arena;
    s->limit = limit;
    s->on_done = on_done;
}

void
h1_sender_start(struct h1_sender *s, enum h1_sender_kind kind, struct body *body, size_t head_len)
{
    ASSERT(!s->is_busy && head_len <= H1_SCRATCH_SIZE - GATHER_MAX - H1_CHUNK_LINE_MAX - 2);
    s->is_busy = true;
    s->status = IO_OK;
    s->kind = kind;
    s->body = kind == H1_SEND_NOTHING ? NULL : body;
    s->left = kind == H1_SEND_COUNTED ? (uint64_t)body->length : 0;
    pump(s, head_len);
}

void
h1_sender_stop(struct h1_sender *s)
{
    if (!s->is_busy)
        return;
    stop_waiting(s);
    s->is_busy = false;
    s->status = IO_CANCELLED;
}
