/* conn.c: a pipeline of commands over a stream.
 * SPDX-License-Identifier: Apache-2.0 */
#include "redis/conn.h"

#include <stdatomic.h>
#include <stdlib.h>

#define CHUNK_BYTES ((size_t)16 << 10)
#define READ_BYTES ((size_t)64 << 10)  /* the replies to what a turn has asked, in one go */
#define KEPT_BYTES ((size_t)256 << 10) /* an input buffer above that is not kept for the next reply */
#define IOVECS 16
#define RING_MIN 64u

struct out_chunk {
    struct out_chunk *next;
    size_t len, cap;
    char bytes[];
};

/* Written by this worker alone, so that no bus has to be locked. */
#define COUNT(c, field, n) count_up(&(c)->options->figures->field, (uint64_t)(n))

static inline void
count_up(_Atomic uint64_t *figure, uint64_t n)
{
    atomic_store_explicit(figure, atomic_load_explicit(figure, memory_order_relaxed) + n, memory_order_relaxed);
}

static void
broken(struct redis_conn *c, const struct err *why)
{
    if (c->stream)
        c->on_broken(c, why);
}

/* --- sending ------------------------------------------------------------------------------------------------------- */

static void on_writable(struct stream *s, void *ctx);

static void
drop_sent(struct redis_conn *c, size_t n)
{
    c->unsent -= n;
    c->out_at += n;
    while (c->out && c->out_at >= c->out->len) {
        struct out_chunk *done = c->out;

        c->out_at -= done->len;
        c->out = done->next;
        if (!c->out)
            c->out_end = &c->out;
        if (!c->spare && done->cap <= CHUNK_BYTES)
            c->spare = done;
        else
            free(done);
    }
}

static void
send_waiting(struct redis_conn *c)
{
    while (c->out) {
        struct iovec v[IOVECS];
        int n = 0;
        int64_t sent;

        for (struct out_chunk *k = c->out; k && n < IOVECS; k = k->next, n++)
            v[n] = (struct iovec){k->bytes + (n ? 0 : c->out_at), k->len - (n ? 0 : c->out_at)};
        sent = stream_try_writev(c->stream, v, n);
        if (sent == IO_AGAIN) {
            stream_when_writable(c->stream, on_writable, c);
            return;
        }
        if (sent < 0) {
            struct err err;

            err_set(&err, ERR_CLOSED, "the connection was closed while a command was sent");
            broken(c, &err);
            return;
        }
        COUNT(c, bytes_out, sent);
        drop_sent(c, (size_t)sent);
    }
}

static void
on_writable(struct stream *s, void *ctx)
{
    send_waiting(ctx);
}

static void
flush(struct task *task)
{
    struct redis_conn *c = CONTAINER_OF(task, struct redis_conn, flush);

    if (c->stream)
        send_waiting(c);
}

static struct out_chunk *
chunk_with_room(struct redis_conn *c, size_t size)
{
    struct out_chunk *last = c->out ? CONTAINER_OF(c->out_end, struct out_chunk, next) : NULL, *k;

    if (last && last->cap - last->len > size)
        return last;
    if (c->spare && c->spare->cap > size) {
        k = c->spare;
        c->spare = NULL;
    } else {
        size_t cap = MAX(CHUNK_BYTES, size + 1);

        k = xmalloc(sizeof(*k) + cap);
        k->cap = cap;
    }
    k->next = NULL;
    k->len = 0;
    *c->out_end = k;
    c->out_end = &k->next;
    return k;
}

/* Calls between first and next keep their places. */
static void
grow_ring(struct redis_conn *c)
{
    uint32_t cap = c->ring_cap ? c->ring_cap * 2 : RING_MIN;
    struct redis_call **ring;

    if (c->next - c->first < c->ring_cap)
        return;
    ring = xnew_array(struct redis_call *, cap);
    for (uint64_t i = c->first; i != c->next; i++)
        ring[i & (cap - 1)] = c->ring[i & (c->ring_cap - 1)];
    free(c->ring);
    c->ring = ring;
    c->ring_cap = cap;
}

bool
redis_conn_send(struct redis_conn *c, struct redis_call *call, const struct str *words, uint32_t n)
{
    size_t size = resp_command_bytes(words, n);
    struct out_chunk *k;
    struct buf b;

    if (!c->stream || size > c->options->unsent_max || c->unsent > c->options->unsent_max - size) {
        COUNT(c, refused, 1);
        return false;
    }
    k = chunk_with_room(c, size);
    b = (struct buf){.p = k->bytes, .len = k->len, .cap = k->cap};
    if (!resp_command(&b, words, n) || b.p != k->bytes)
        UNREACHABLE();                /* it was large enough */
    c->unsent += b.len - k->len;
    k->len = b.len;
    grow_ring(c);
    call->conn = c;
    call->number = c->next++;
    call->sent_ns = loop_now_ns(c->options->loop);
    call->state = CALL_SENT;
    c->ring[call->number & (c->ring_cap - 1)] = call;
    COUNT(c, commands, 1);
    if (!task_is_posted(&c->flush))
        loop_post(c->options->loop, &c->flush);
    return true;
}

/* --- receiving ----------------------------------------------------------------------------------------------------- */

static void
end_call(struct redis_call *call, const struct resp *reply)
{
    struct fiber *waiter = call->waiter;

    call->state = reply ? CALL_DONE : CALL_BROKEN;
    call->waiter = NULL;
    if (call->on_reply)
        call->on_reply(call, reply);
    if (waiter)
        fiber_wake(waiter);
}

static bool
is_message(const struct redis_conn *c, struct resp reply)
{
    struct resp kind;

    if (!resp_item(reply, 0, &kind))
        return false;
    /* The answer to SUBSCRIBE is a push in RESP3, and yet an answer. */
    if (resp_type(reply) == RESP_PUSH)
        return !str_eq_lit(resp_text(kind), "subscribe");
    return c->is_subscribed && str_eq_lit(resp_text(kind), "message");
}

static void
count_latency(struct redis_conn *c, uint64_t us)
{
    static const uint32_t bounds_us[REDIS_LATENCY_BUCKETS - 1] = REDIS_LATENCY_BOUNDS_US;
    size_t i = 0;

    while (i < COUNTOF(bounds_us) && us > bounds_us[i])
        i++;
    COUNT(c, latency[i], 1);
    COUNT(c, latency_us, us);
}

/* The server as a whole is of no use now: a replica, or one without its primary; busy with a script, or still reading its data. */
static bool
is_out(struct str error)
{
    static const struct str words[] = {STR_INIT("READONLY "), STR_INIT("MASTERDOWN "), STR_INIT("BUSY "), STR_INIT("LOADING ")};

    for (size_t i = 0; i < COUNTOF(words); i++)
        if (str_starts_with(error, words[i]))
            return true;
    return false;
}

/* The answer to a command. A server that is out is left, and tried again until it is what it was. */
static void
end_answered(struct redis_conn *c, struct redis_call *call, struct resp reply)
{
    bool is_last = resp_type(reply) == RESP_ERROR && is_out(resp_text(reply));
    struct err err;

    if (is_last)
        err_set(&err, ERR_DENIED, "%.*s", STR_ARG(resp_text(reply)));
    if (call)
        end_call(call, &reply);
    if (is_last && c->stream)
        broken(c, &err);
}

/* False when nobody had asked. */
static bool
take_reply(struct redis_conn *c, struct resp reply)
{
    struct redis_call *call;

    if (is_message(c, reply)) {
        COUNT(c, pushes, 1);
        c->on_push(c, reply);
        return true;
    }
    if (c->first == c->next)
        return false;
    call = c->ring[c->first & (c->ring_cap - 1)];
    c->ring[c->first++ & (c->ring_cap - 1)] = NULL;
    c->replies++;
    if (resp_type(reply) == RESP_ERROR)
        COUNT(c, errors, 1);
    if (call) {
        c->late = 0;
        count_latency(c, (loop_now_ns(c->options->loop) - call->sent_ns) / 1000);
    }
    end_answered(c, call, reply);
    return true;
}

/* The replies that are complete. False when the connection has broken. */
static bool
parse(struct redis_conn *c)
{
    struct err err;

    for (;;) {
        struct str input = str_from(c->in.p + c->in_at, c->in.len - c->in_at);
        enum resp_result result = input.len ? resp_parse(&c->parser, input, &err) : RESP_MORE;

        if (result == RESP_DONE && !take_reply(c, resp_root(&c->parser, input))) {
            err_set(&err, ERR_PROTOCOL, "a reply to no command");
            result = RESP_BAD;
        }
        if (!c->stream)
            return false;             /* whoever took the reply has closed it */
        if (result == RESP_BAD) {
            broken(c, &err);
            return false;
        }
        if (result == RESP_MORE)
            break;
        c->in_at += c->parser.at;
        resp_parser_next(&c->parser);
    }
    if (c->in_at == c->in.len) {
        c->in_at = 0;
        buf_clear(&c->in);
        if (c->in.cap > KEPT_BYTES)
            buf_destroy(&c->in);
    } else if (c->in_at > c->in.len / 2) {
        memmove(c->in.p, c->in.p + c->in_at, c->in.len - c->in_at);
        c->in.len -= c->in_at;
        c->in_at = 0;
    }
    return true;
}

static void
on_readable(struct stream *s, void *ctx)
{
    redis_conn_read(ctx);
}

void
redis_conn_read(struct redis_conn *c)
{
    struct err err;

    while (c->stream) {
        size_t want = MAX(READ_BYTES, c->parser.want + 1);
        char *to = buf_reserve(&c->in, want);
        int64_t n = stream_try_read(c->stream, to, c->in.cap - c->in.len - 1);

        if (n == IO_AGAIN) {
            stream_when_readable(c->stream, on_readable, c);
            return;
        }
        if (n < 0) {
            err_set(&err, ERR_CLOSED, "the server closed the connection (%s)", io_status_text(n));
            broken(c, &err);
            return;
        }
        c->in.len += (size_t)n;
        COUNT(c, bytes_in, n);
        if (!parse(c))
            return;
    }
}

void
redis_conn_abandon(struct redis_conn *c, struct redis_call *call)
{
    if (call->state == CALL_SENT && c->ring)
        c->ring[call->number & (c->ring_cap - 1)] = NULL;
    call->state = CALL_IDLE;
}

/* --- opening and closing ------------------------------------------------------------------------------------------- */

void
redis_conn_open(struct redis_conn *c, const struct redis_link_options *options, struct stream *stream)
{
    ASSERT(!c->stream && c->first == c->next);
    c->options = options;
    c->stream = stream;
    c->flush.run = flush;
    c->out_end = &c->out;
    c->is_subscribed = false;
    c->late = 0;
    resp_parser_create(&c->parser, &options->limits);
    stream_when_readable(stream, on_readable, c);
}

void
redis_conn_close(struct redis_conn *c)
{
    struct out_chunk *next;

    if (!c->stream)
        return;
    stream_close(c->stream);
    c->stream = NULL;
    loop_unpost(&c->flush);
    for (; c->out; c->out = next) {
        next = c->out->next;
        free(c->out);
    }
    c->out_at = c->unsent = 0;
    buf_destroy(&c->in);
    c->in = BUF_INIT;
    c->in_at = 0;
    resp_parser_destroy(&c->parser);
    while (c->first != c->next) {
        struct redis_call *call = c->ring[c->first++ & (c->ring_cap - 1)];

        if (call)
            end_call(call, NULL);
    }
}

void
redis_conn_destroy(struct redis_conn *c)
{
    redis_conn_close(c);
    free(c->spare);
    free(c->ring);
    *c = (struct redis_conn){0};
}
