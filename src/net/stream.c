/* stream.c: what plain and TLS streams share, and the plain one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/stream.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/stream_internal.h"
#include "rt/timer.h"

/* --- plain --- */

static int64_t
plain_try_read(struct stream *s, void *p, size_t n)
{
    return io_try_recv(&s->io, p, n);
}

static int64_t
plain_try_writev(struct stream *s, const struct iovec *v, int n)
{
    return io_try_sendv(&s->io, v, n);
}

static int64_t
plain_try_flush(struct stream *s)
{
    return io_try_flush(&s->io);
}

static bool
plain_has_input(const struct stream *s)
{
    return false;
}

static void
plain_shutdown(struct stream *s)
{
    io_shutdown(&s->io);
}

static void
plain_destroy(struct stream *s)
{
    free(s);
}

static const struct stream_ops plain_ops = {
    .try_read = plain_try_read,
    .try_writev = plain_try_writev,
    .try_flush = plain_try_flush,
    .has_input = plain_has_input,
    .shutdown = plain_shutdown,
    .destroy = plain_destroy,
};

static struct stream *
from_fd(struct loop *loop, int fd, bool (*open)(struct io *, struct loop *, int, struct err *), struct err *err)
{
    struct stream *s = malloc(sizeof(*s));

    if (s) {
        *s = (struct stream){.ops = &plain_ops, .io.fd = -1};
        if (open(&s->io, loop, fd, err))
            return s;
    } else {
        err_set(err, ERR_NO_MEMORY, "no memory for a connection");
    }
    free(s);
    close(fd);
    return NULL;
}

struct stream *
stream_from_fd(struct loop *loop, int fd, struct err *err)
{
    return from_fd(loop, fd, io_open, err);
}

struct stream *
stream_from_fd_polled(struct loop *loop, int fd, struct err *err)
{
    return from_fd(loop, fd, io_open_polled, err);
}

int64_t
stream_try_write(struct stream *s, const void *p, size_t n)
{
    struct iovec v = {(void *)p, n};
    return s->ops->try_writev(s, &v, 1);
}

/* --- callbacks --- */

static void
on_readable(struct io_op *op, int64_t result)
{
    struct stream *s = CONTAINER_OF(op, struct stream, in);
    void (*fn)(struct stream *, void *) = s->when_readable;

    s->when_readable = NULL;
    fn(s, s->readable_ctx);
}

static void
on_writable(struct io_op *op, int64_t result)
{
    struct stream *s = CONTAINER_OF(op, struct stream, out);
    void (*fn)(struct stream *, void *) = s->when_writable;

    /* What TLS still holds goes first; only then is there room. */
    if (s->ops->try_flush(s) == IO_AGAIN) {
        io_when_writable(&s->io, &s->out);
        return;
    }
    s->when_writable = NULL;
    if (fn)
        fn(s, s->writable_ctx);
}

void
stream_when_readable(struct stream *s, void (*fn)(struct stream *s, void *ctx), void *ctx)
{
    io_cancel(&s->io, &s->in);
    s->when_readable = fn;
    s->readable_ctx = ctx;
    if (!fn)
        return;
    s->in.on_done = on_readable;
    bool was_dry = !s->io.can_in;
    s->io.can_in |= s->ops->has_input(s);
    io_when_readable(&s->io, &s->in);
    if (was_dry)
        s->io.can_in = false;
}

void
stream_when_writable(struct stream *s, void (*fn)(struct stream *s, void *ctx), void *ctx)
{
    s->when_writable = fn;
    s->writable_ctx = ctx;
    if (fn)
        stream_watch_out(s);
    else if (s->ops->try_flush(s) != IO_AGAIN)
        io_cancel(&s->io, &s->out);
}

void
stream_watch_out(struct stream *s)
{
    if (s->out.kind != 0)
        return;                          /* waits already */
    s->out.on_done = on_writable;
    io_when_writable(&s->io, &s->out);
}

/* --- fiber forms --- */

enum io_status
stream_wait_readable(struct stream *s, uint64_t deadline_ms)
{
    return s->ops->has_input(s) ? IO_OK : io_wait_readable(&s->io, deadline_ms);
}

int64_t
stream_read(struct stream *s, void *p, size_t n, uint64_t deadline_ms)
{
    for (;;) {
        int64_t got = s->ops->try_read(s, p, n);
        if (got != IO_AGAIN)
            return got;
        enum io_status status = io_wait_readable(&s->io, deadline_ms);
        if (status != IO_OK)
            return status;
    }
}

static enum io_status
wait_writable(struct stream *s, uint64_t deadline_ms)
{
    io_cancel(&s->io, &s->out);          /* our own wait flushes from now on */
    return io_wait_writable(&s->io, deadline_ms);
}

#define IOV_AT_ONCE 64

int64_t
stream_writev(struct stream *s, const struct iovec *v, int n, uint64_t deadline_ms)
{
    size_t skip = 0;                     /* of v[0], gone already */

    while (n > 0) {
        struct iovec now[IOV_AT_ONCE];
        int count = MIN(n, IOV_AT_ONCE);

        memcpy(now, v, (size_t)count * sizeof(*v));
        now[0].iov_base = (char *)now[0].iov_base + skip;
        now[0].iov_len -= skip;
        int64_t done = s->ops->try_writev(s, now, count);
        if (done == IO_AGAIN)
            done = wait_writable(s, deadline_ms);
        if (done < 0)
            return done;
        for (skip += (size_t)done; n > 0 && skip >= v->iov_len; n--, v++)
            skip -= v->iov_len;
    }
    for (;;) {
        int64_t status = s->ops->try_flush(s);
        if (status == IO_AGAIN)
            status = wait_writable(s, deadline_ms);
        else
            return status;
        if (status != IO_OK)
            return status;
    }
}

int64_t
stream_write(struct stream *s, const void *p, size_t n, uint64_t deadline_ms)
{
    struct iovec v = {(void *)p, n};
    return stream_writev(s, &v, 1, deadline_ms);
}

/* --- the rest --- */

bool
stream_is_stale(struct stream *s)
{
    /* A TLS ticket that came late is taken in by the next read. */
    return s->ops->has_input(s) || !io_is_quiet(&s->io);
}

void
stream_shutdown(struct stream *s)
{
    s->ops->shutdown(s);
}

void
stream_drop_unsent(struct stream *s)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(s->io.fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

void
stream_abort(struct stream *s)
{
    struct sockaddr none = {.sa_family = AF_UNSPEC};

    /* The one way to have it closed and keep the descriptor; where the socket is of another kind, the next best. */
    if (connect(s->io.fd, &none, sizeof(none)) < 0)
        (void)shutdown(s->io.fd, SHUT_RDWR);
}

void
stream_close(struct stream *s)
{
    if (!s)
        return;
    if (s->ops->farewell)
        s->ops->farewell(s);
    io_close(&s->io);
    if (s->listener)
        listener_on_close(s->listener, s);
    s->ops->destroy(s);
}

struct addr
stream_local_addr(const struct stream *s)
{
    union addr_socket a;
    socklen_t len = sizeof(a);

    if (getsockname(s->io.fd, &a.sa, &len) < 0)
        return (struct addr){0};
    return addr_from_sockaddr(&a.sa, len);
}

struct tls_info
stream_tls_info(struct stream *s)
{
    return s->ops->info ? s->ops->info(s) : (struct tls_info){0};
}

void
stream_set_nodelay(struct stream *s, bool is_on)
{
    int on = is_on;
    setsockopt(s->io.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* --- a gentle end --- */

struct last_words {
    struct list_node link;            /* in loop->lingering */
    struct stream *stream;
    struct timer limit;
    size_t bytes_left;
    bool has_shut;
};

static void
last_words_end(struct last_words *w)
{
    timer_stop(w->stream->io.loop, &w->limit);
    list_remove(&w->link);
    stream_close(w->stream);
    free(w);
}

void
stream_close_lingering(struct loop *loop)
{
    struct last_words *w;

    while ((w = list_first(&loop->lingering, struct last_words, link)))
        last_words_end(w);
}

static void
on_limit(struct timer *t)
{
    last_words_end(CONTAINER_OF(t, struct last_words, limit));
}

static void
on_more(struct stream *s, void *ctx)
{
    struct last_words *w = ctx;
    char sink[16384];

    for (int reads = 0; reads < 4; reads++) {
        int64_t n = s->ops->try_read(s, sink, sizeof(sink));
        if (n == IO_AGAIN)
            break;
        if (n < 0 || (size_t)n > w->bytes_left) {
            last_words_end(w);
            return;
        }
        w->bytes_left -= (size_t)n;
    }
    stream_when_readable(s, on_more, w);
}

static void
on_flushed(struct stream *s, void *ctx)
{
    s->ops->shutdown(s);
    stream_when_readable(s, on_more, ctx);
}

void
stream_close_gently(struct stream *s, size_t max_bytes, uint64_t max_ms)
{
    struct loop *loop;

    if (!s)
        return;
    struct last_words *w = malloc(sizeof(*w));
    if (!w || s->io.error) {
        free(w);
        stream_close(s);
        return;
    }
    *w = (struct last_words){.stream = s, .bytes_left = max_bytes};
    loop = s->io.loop;
    list_push_back(&loop->lingering, &w->link);
    timer_start(loop, &w->limit, loop_now_ms(loop) + MAX(max_ms, UINT64_C(1)), on_limit);
    stream_when_readable(s, NULL, NULL);
    if (s->ops->try_flush(s) == IO_AGAIN)
        stream_when_writable(s, on_flushed, w);
    else
        on_flushed(s, w);
}
