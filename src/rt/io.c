/* io.c: operations on top of edge-triggered epoll.
 *
 * The kernel reports a descriptor once when something changes; can_in and can_out keep what it said until a call shows
 * otherwise: EAGAIN, or a count below what was asked for. An operation that finds nothing waits in io->in or io->out
 * and is tried again at the next report.
 * A hung-up descriptor stays readable for us: its last report may have come before the data in front of the end was
 * read, and no further one will come.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/io.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "rt/fiber.h"
#include "rt/ring.h"

enum io_kind { IO_KIND_NONE, IO_KIND_RECV, IO_KIND_ACCEPT, IO_KIND_POLL_IN, IO_KIND_SENDV, IO_KIND_CONNECT, IO_KIND_POLL_OUT };

#define IS_WATCH 1u                      /* in the low bit of epoll's data */

bool
io_open_polled(struct io *io, struct loop *loop, int fd, struct err *err)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u64 = (uintptr_t)io};

    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot watch descriptor %d", fd);
    *io = (struct io){.loop = loop, .fd = fd, .can_out = true};
    return true;
}

static bool
open_in_ring(struct io *io, struct loop *loop, int fd, struct err *err)
{
    struct ring_end *end = ring_end_new(loop->ring, io);

    if (!end)
        return err_set(err, ERR_NO_MEMORY, "no memory for a connection");
    *io = (struct io){.loop = loop, .end = end, .fd = fd, .can_out = true};
    return true;
}

bool
io_open(struct io *io, struct loop *loop, int fd, struct err *err)
{
    return loop->ring ? open_in_ring(io, loop, fd, err) : io_open_polled(io, loop, fd, err);
}

/* Events of this turn that are still to come must not find what is gone. */
static void
forget_events(struct loop *loop, uint64_t data)
{
    for (int i = loop->at_event; i < loop->n_events; i++)
        if (loop->events[i].data.u64 == data)
            loop->events[i].data.u64 = 0;
}

bool
io_become_stream(struct io *io, struct err *err)
{
    struct loop *loop = io->loop;

    ASSERT(!io->in && !io->out);
    if (!loop->ring)
        return true;
    forget_events(loop, (uintptr_t)io);
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
    return open_in_ring(io, loop, io->fd, err);
}

void
io_move(struct io *to, struct io *from)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u64 = (uintptr_t)to};

    ASSERT(!from->in && !from->out);
    if (from->end) {
        *to = *from;
        ring_end_move(to->end, to);
        *from = (struct io){.fd = -1};
        return;
    }
    forget_events(from->loop, (uintptr_t)from);
    *to = *from;
    from->fd = -1;
    /* Changing it makes the kernel report what is ready anew, so nothing forgotten is lost. */
    int result = epoll_ctl(to->loop->epoll_fd, EPOLL_CTL_MOD, to->fd, &e);
    ASSERT(result == 0);
}

void
io_close(struct io *io)
{
    if (io->fd < 0 || !io->loop)
        return;
    io_cancel(io, io->in);
    io_cancel(io, io->out);
    if (io->end)
        ring_end_close(io->end);
    else
        forget_events(io->loop, (uintptr_t)io);
    if (io->is_shared)
        epoll_ctl(io->loop->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
    close(io->fd);
    io->fd = -1;
    io->end = NULL;
}

void
io_shutdown(struct io *io)
{
    if (io->end)
        ring_shutdown(io->end);
    else
        shutdown(io->fd, SHUT_WR);
}

int64_t
io_try_flush(struct io *io)
{
    return io->end ? ring_try_flush(io->end) : IO_OK;
}

bool
io_is_quiet(struct io *io)
{
    char byte;

    if (io->is_hung_up || (io->end && ring_has_input(io->end)))
        return false;
    if (!io->can_in)
        return true;
    /* Something was reported: look, without taking. */
    ssize_t n = recv(io->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && !io->end)
        io->can_in = false;
    return n < 0;
}

static int64_t
io_failed(struct io *io)
{
    io->error = errno;
    return IO_ERROR;
}

int64_t
io_try_recv(struct io *io, void *p, size_t n)
{
    if (io->end)
        return ring_try_recv(io->end, p, n);
    if (!io->can_in)
        return IO_AGAIN;
    ssize_t got;
    do
        got = read(io->fd, p, n);
    while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        io->can_in = false;
        return IO_AGAIN;
    }
    if (got < 0)
        return io_failed(io);
    if (got == 0)
        return IO_EOF;
    if ((size_t)got < n && !io->is_hung_up)
        io->can_in = false;
    return got;
}

static int64_t
sent(struct io *io, ssize_t n, size_t wanted)
{
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        io->can_out = false;
        return IO_AGAIN;
    }
    if (n < 0)
        return io_failed(io);
    if ((size_t)n < wanted)
        io->can_out = false;
    return n;
}

int64_t
io_try_send(struct io *io, const void *p, size_t n)
{
    ssize_t done;

    if (io->end)
        return ring_try_sendv(io->end, &(struct iovec){(void *)p, n}, 1);
    if (!io->can_out)
        return IO_AGAIN;
    do
        done = send(io->fd, p, n, MSG_NOSIGNAL);
    while (done < 0 && errno == EINTR);
    return sent(io, done, n);
}

int64_t
io_try_sendv(struct io *io, const struct iovec *v, int n)
{
    struct msghdr m = {.msg_iov = (struct iovec *)v, .msg_iovlen = (size_t)n};
    size_t wanted = 0;
    ssize_t done;

    if (io->end)
        return ring_try_sendv(io->end, v, n);
    if (n == 1)
        return io_try_send(io, v->iov_base, v->iov_len);
    if (!io->can_out)
        return IO_AGAIN;
    for (int i = 0; i < n; i++)
        wanted += v[i].iov_len;
    do
        done = sendmsg(io->fd, &m, MSG_NOSIGNAL);
    while (done < 0 && errno == EINTR);
    return sent(io, done, wanted);
}

static int64_t
try_accept(struct io *io, struct io_peer *ret_peer)
{
    int fd;

    if (!io->can_in)
        return IO_AGAIN;
    /* A connection that died in the queue is no reason to stop. */
    do {
        ret_peer->len = sizeof(ret_peer->addr);
        fd = accept4(io->fd, (struct sockaddr *)&ret_peer->addr, &ret_peer->len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (fd >= 0)
        return fd;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return io_failed(io);
    io->can_in = false;
    return IO_AGAIN;
}

static int64_t
connect_result(struct io *io)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (!io->can_out)
        return IO_AGAIN;
    if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0)
        return IO_OK;
    io->error = error ? error : errno;
    return IO_ERROR;
}

static int64_t
op_try(struct io *io, struct io_op *op)
{
    switch ((enum io_kind)op->kind) {
    case IO_KIND_NONE: break;
    case IO_KIND_RECV: return io_try_recv(io, op->p, op->n);
    case IO_KIND_ACCEPT: return try_accept(io, op->p);
    case IO_KIND_POLL_IN: return io->can_in ? IO_OK : IO_AGAIN;
    case IO_KIND_SENDV: return io_try_sendv(io, op->p, (int)op->n);
    case IO_KIND_CONNECT: return connect_result(io);
    case IO_KIND_POLL_OUT: return io->can_out ? IO_OK : IO_AGAIN;
    }
    UNREACHABLE();
}

static bool
op_is_in(const struct io_op *op)
{
    return op->kind <= IO_KIND_POLL_IN;
}

/* Begins to wait. */
static int64_t
op_keep(struct io *io, struct io_op *op, enum io_kind kind, const void *p, size_t n)
{
    struct io_op **place = kind <= IO_KIND_POLL_IN ? &io->in : &io->out;

    ASSERT(!*place);                     /* one operation a direction */
    op->kind = (uint8_t)kind;
    op->p = (void *)p;
    op->n = (uint32_t)MIN(n, (size_t)UINT32_MAX);
    op->task = (struct task){.run = NULL};
    *place = op;
    if (!io->end)
        return IO_AGAIN;
    if (kind > IO_KIND_POLL_IN)
        ring_want_out(io->end);
    else if (!io->can_in)
        ring_want_in(io->end);
    return IO_AGAIN;
}

static void
op_finish(struct io *io, struct io_op *op, int64_t result)
{
    *(op_is_in(op) ? &io->in : &io->out) = NULL;
    op->kind = IO_KIND_NONE;
    loop_unpost(&op->task);
    op->on_done(op, result);
}

static void
op_go_on(struct io *io, struct io_op *op)
{
    int64_t result = op_try(io, op);

    if (result != IO_AGAIN)
        op_finish(io, op, result);
}

int64_t
io_recv(struct io *io, struct io_op *op, void *p, size_t n)
{
    int64_t got = io_try_recv(io, p, n);
    return got == IO_AGAIN ? op_keep(io, op, IO_KIND_RECV, p, n) : got;
}

int64_t
io_sendv(struct io *io, struct io_op *op, const struct iovec *v, int n)
{
    int64_t done = io_try_sendv(io, v, n);
    return done == IO_AGAIN ? op_keep(io, op, IO_KIND_SENDV, v, (size_t)n) : done;
}

int64_t
io_accept(struct io *io, struct io_op *op, struct io_peer *ret_peer)
{
    int64_t fd = try_accept(io, ret_peer);
    return fd == IO_AGAIN ? op_keep(io, op, IO_KIND_ACCEPT, ret_peer, 0) : fd;
}

int64_t
io_connect(struct io *io, struct io_op *op, const struct sockaddr *addr, socklen_t len)
{
    if (connect(io->fd, addr, len) == 0)
        return IO_OK;
    if (errno != EINPROGRESS && errno != EINTR) /* POSIX: an interrupted one goes on, too, and is not to be made again */
        return io_failed(io);
    io->can_out = false;
    return op_keep(io, op, IO_KIND_CONNECT, NULL, 0);
}

static void
on_posted_in(struct task *task)
{
    struct io_op *op = CONTAINER_OF(task, struct io_op, task);
    op_finish(op->p, op, IO_OK);
}

static int64_t
op_poll(struct io *io, struct io_op *op, enum io_kind kind, bool is_ready)
{
    op_keep(io, op, kind, io, 0);
    if (is_ready) {
        op->task.run = on_posted_in;
        loop_post(io->loop, &op->task);
    }
    return IO_AGAIN;
}

int64_t
io_when_readable(struct io *io, struct io_op *op)
{
    return op_poll(io, op, IO_KIND_POLL_IN, io->can_in);
}

int64_t
io_when_writable(struct io *io, struct io_op *op)
{
    return op_poll(io, op, IO_KIND_POLL_OUT, io->can_out);
}

void
io_cancel(struct io *io, struct io_op *op)
{
    if (!op || op->kind == IO_KIND_NONE)
        return;
    *(op_is_in(op) ? &io->in : &io->out) = NULL;
    op->kind = IO_KIND_NONE;
    loop_unpost(&op->task);
}

/* --- from the kernel --- */

void
io_deliver(uint64_t data, uint32_t events)
{
    const uint32_t hung_up = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

    if (data & IS_WATCH) {
        struct io_watch *w = (struct io_watch *)(uintptr_t)(data & ~(uint64_t)IS_WATCH);
        w->on_ready(w, events & (EPOLLIN | EPOLLHUP | EPOLLERR), events & (EPOLLOUT | EPOLLHUP | EPOLLERR));
        return;
    }
    struct io *io = (struct io *)(uintptr_t)data;
    const struct loop *loop = io->loop;
    io->can_in |= (events & (EPOLLIN | hung_up)) != 0;
    io->can_out |= (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
    io->is_hung_up |= (events & hung_up) != 0;
    io->is_reset |= (events & (EPOLLHUP | EPOLLERR)) != 0;
    if (io->in && io->can_in)
        op_go_on(io, io->in);
    if (loop->events[loop->at_event].data.u64 != data)
        return;                          /* closed by the first */
    if (io->out && io->can_out)
        op_go_on(io, io->out);
}

void
io_go_on(struct io *io, bool in, bool out)
{
    if (in && io->in)
        op_go_on(io, io->in);
    else if (out && io->out)
        op_go_on(io, io->out);
}

bool
io_watch_start(struct io_watch *w, struct loop *loop, int fd, bool in, bool out, struct err *err)
{
    struct epoll_event e = {.events = (in ? EPOLLIN : 0u) | (out ? EPOLLOUT : 0u), .data.u64 = (uintptr_t)w | IS_WATCH};
    bool is_known = w->loop != NULL;

    if (epoll_ctl(loop->epoll_fd, is_known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot watch descriptor %d", fd);
    w->loop = loop;
    w->fd = fd;
    return true;
}

void
io_watch_stop(struct io_watch *w)
{
    if (!w->loop)
        return;
    forget_events(w->loop, (uintptr_t)w | IS_WATCH);
    epoll_ctl(w->loop->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    w->loop = NULL;
}

/* --- fiber forms --- */

struct fiber_op {
    struct io_op op;
    struct fiber *fiber;
    int64_t result;
    bool is_done;
};

static void
on_fiber_op(struct io_op *op, int64_t result)
{
    struct fiber_op *f = CONTAINER_OF(op, struct fiber_op, op);

    f->result = result;
    f->is_done = true;
    fiber_wake(f->fiber);
}

static int64_t
fiber_op_wait(struct io *io, struct fiber_op *f, uint64_t deadline_ms)
{
    while (!f->is_done) {
        enum io_status status = fiber_wait(deadline_ms);
        if (status != IO_OK && !f->is_done) {
            io_cancel(io, &f->op);
            return status;
        }
    }
    return f->result;
}

#define FIBER_OP ((struct fiber_op){.op.on_done = on_fiber_op, .fiber = fiber_self()})

int64_t
io_read(struct io *io, void *p, size_t n, uint64_t deadline_ms)
{
    struct fiber_op f = FIBER_OP;
    int64_t got = io_recv(io, &f.op, p, n);

    return got == IO_AGAIN ? fiber_op_wait(io, &f, deadline_ms) : got;
}

enum io_status
io_wait_readable(struct io *io, uint64_t deadline_ms)
{
    struct fiber_op f = FIBER_OP;

    if (io->can_in)
        return IO_OK;
    io_when_readable(io, &f.op);
    return (enum io_status)fiber_op_wait(io, &f, deadline_ms);
}

enum io_status
io_wait_writable(struct io *io, uint64_t deadline_ms)
{
    struct fiber_op f = FIBER_OP;

    if (io->can_out)
        return IO_OK;
    io_when_writable(io, &f.op);
    return (enum io_status)fiber_op_wait(io, &f, deadline_ms);
}

#define IOV_AT_ONCE 64

int64_t
io_writev_all(struct io *io, const struct iovec *v, int n, uint64_t deadline_ms)
{
    int64_t sum = 0;
    size_t skip = 0;                     /* of v[0], gone already */

    while (n > 0) {
        struct iovec now[IOV_AT_ONCE];
        int count = MIN(n, IOV_AT_ONCE);

        for (int i = 0; i < count; i++)
            now[i] = v[i];
        now[0].iov_base = (char *)now[0].iov_base + skip;
        now[0].iov_len -= skip;
        int64_t done = io_try_sendv(io, now, count);
        if (done == IO_AGAIN)
            done = io_wait_writable(io, deadline_ms);
        if (done < 0)
            return done;
        sum += done;
        for (skip += (size_t)done; n > 0 && skip >= v->iov_len; n--, v++)
            skip -= v->iov_len;
    }
    return sum;
}
