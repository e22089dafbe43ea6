/* ring.c: connected streams on io_uring (ring.h).
 *
 *     listed ends --ring_flush()--> submission queue --kernel--> completions --ring_deliver()--> io_go_on()
 *     slab: [ bytes of end A | bytes of end C | ... ]   what was accepted for sending in this turn
 *     pool: 128 buffers; the kernel takes one when it has bytes for it, and we give it back within the turn
 *
 * An end asks for things by bits (`wants`) and stands on one list until the turn ends; only then do its wishes become
 * operations of the kernel, so that a closed descriptor is in none that is still to come. Sends are never left waiting in
 * the kernel (MSG_DONTWAIT): they end within the call that submits them, and the slab is free again after it. What a
 * socket did not take is kept in memory of the end, which polls for room and sends it itself; nothing more is accepted
 * until then.
 * Large writes do not pass the slab: they go to the socket at once, behind what stands there for the same end.
 * Invariants: R1  an end has at most one operation of a kind in the kernel; it is freed when all have ended and its io is
 *                 closed. While a receive is there, `in` is empty.
 *             R2  between two turns no end holds a buffer of the pool: what nobody has read moves to memory of its own.
 *             R3  `slab_len` returns to 0 only when no send that points into the slab is in the kernel's queue.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/ring.h"

#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define QUEUE_SIZE 512u
#define COMPLETIONS_SIZE 4096u
#define POOL_BUFFERS 128u                /* a power of two */
#define POOL_BUFFER_SIZE 8192u
#define POOL_ID 0
#define SLAB_SIZE ((size_t)256 << 10)
#define SLAB_WRITE_MAX ((size_t)16 << 10)    /* more than that is worth a call of its own, and no copy */
#define ENDS_A_BLOCK 64

/* In the low bits of user_data; the rest is the end. */
enum tag { TAG_NONE, TAG_RECV, TAG_SEND, TAG_POLL, TAG_EPOLL };
#define TAG_MASK UINT64_C(7)

enum want { WANT_SEND = 1, WANT_RECV = 2, WANT_POLL = 4, WANT_CANCEL = 8, WANT_KEEP = 16 };

struct ring_end {
    struct io *io;                       /* NULL: closed */
    struct ring *ring;
    struct ring_end *next;               /* on the list of this turn, or free */
    char *in;                            /* received and not read: [in_at, in_len); of the pool, or ours */
    char *kept;                          /* accepted and not taken by the socket: [kept_at, kept_len); ours */
    uint32_t in_at, in_len, kept_at, kept_len;
    uint32_t slab_at, slab_len;          /* accepted in this turn */
    uint16_t in_error, out_error;        /* errno a receive, a send has ended with */
    uint8_t wants;                       /* enum want, for the end of this turn */
    bool is_listed;
    bool is_sending, is_receiving, is_polling;   /* in the kernel, or in its queue */
    bool is_delivering;                  /* complete() is on the stack with it */
    bool is_in_pooled;
    bool may_have_more;                  /* in the socket: read it without a buffer of the pool */
    bool was_asked;                      /* for bytes, ever: until then nobody knows what the socket holds */
    bool has_ended;                      /* the peer sends no more */
    bool shuts;                          /* once nothing is kept */
};

struct ends_block {
    struct ends_block *next;
    struct ring_end ends[ENDS_A_BLOCK];
};

struct ring {
    struct io_uring uring;
    struct loop *loop;
    struct ring_end *listed, **listed_end;
    struct ring_end *free;
    struct ends_block *blocks;
    struct io_uring_buf_ring *pool;
    char *pool_bytes;
    char *slab;
    size_t slab_len;
    uint32_t n_sends;                    /* submitted, their completions not seen yet */
    bool is_enabled;                     /* by the thread that runs the loop */
    bool is_epoll_watched;
};

/* --- ends --- */

static struct ring_end *
end_take(struct ring *ring)
{
    struct ring_end *end;

    if (!ring->free) {
        struct ends_block *b = calloc(1, sizeof(*b));
        if (!b)
            return NULL;
        b->next = ring->blocks;
        ring->blocks = b;
        for (int i = ENDS_A_BLOCK; i-- > 0;) {
            b->ends[i].next = ring->free;
            ring->free = &b->ends[i];
        }
    }
    end = ring->free;
    ring->free = end->next;
    return end;
}

/* R1 */
static void
end_free_if_over(struct ring_end *end)
{
    if (end->io || end->is_listed || end->is_sending || end->is_receiving || end->is_polling || end->is_delivering)
        return;
    end->next = end->ring->free;
    end->ring->free = end;
}

static void
want(struct ring_end *end, enum want what)
{
    struct ring *ring = end->ring;

    end->wants |= (uint8_t)what;
    if (end->is_listed)
        return;
    end->is_listed = true;
    end->next = NULL;
    *ring->listed_end = end;
    ring->listed_end = &end->next;
}

static void
pool_give(struct ring *ring, const char *p)
{
    size_t id = (size_t)(p - ring->pool_bytes) / POOL_BUFFER_SIZE;

    io_uring_buf_ring_add(ring->pool, ring->pool_bytes + id * POOL_BUFFER_SIZE, POOL_BUFFER_SIZE, (unsigned short)id,
                          io_uring_buf_ring_mask(POOL_BUFFERS), 0);
    io_uring_buf_ring_advance(ring->pool, 1);
}

/* io's view: a read has something to say. */
static void
update_can_in(struct ring_end *end)
{
    end->io->can_in = end->in || end->may_have_more || end->has_ended || end->in_error;
}

static void
drop_input(struct ring_end *end)
{
    if (!end->in)
        return;
    if (end->is_in_pooled)
        pool_give(end->ring, end->in);
    else
        free(end->in);
    end->in = NULL;
    end->in_at = end->in_len = 0;
}

/* R2: nobody took it in time. */
static void
keep_input(struct ring_end *end)
{
    uint32_t n = end->in_len - end->in_at;
    char *own;

    if (!end->in || !end->is_in_pooled)
        return;
    own = malloc(n);
    if (own)
        memcpy(own, end->in + end->in_at, n);
    else
        end->in_error = ENOMEM;          /* bytes are lost: the stream is broken */
    pool_give(end->ring, end->in);
    end->in = own;
    end->is_in_pooled = false;
    end->in_at = 0;
    end->in_len = own ? n : 0;
}

struct ring_end *
ring_end_new(struct ring *ring, struct io *io)
{
    struct ring_end *end = end_take(ring);

    if (end)
        *end = (struct ring_end){.io = io, .ring = ring};
    return end;
}

void
ring_end_move(struct ring_end *end, struct io *to)
{
    end->io = to;
}

/* --- sending --- */

/* What has come before, and an answer that is still on its way, can be read all the same. */
static int64_t
send_failed(struct ring_end *end, int error)
{
    end->out_error = (uint16_t)error;
    end->io->error = error;
    return IO_ERROR;
}

/* One sendmsg, now. A count, IO_AGAIN, IO_ERROR. */
static int64_t
send_now(struct ring_end *end, const struct iovec *v, int n)
{
    struct msghdr m = {.msg_iov = (struct iovec *)v, .msg_iovlen = (size_t)n};
    ssize_t done;

    do
        done = sendmsg(end->io->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (done < 0 && errno == EINTR);
    if (done >= 0)
        return done;
    return errno == EAGAIN || errno == EWOULDBLOCK ? IO_AGAIN : send_failed(end, errno);
}

/* The rest of what was accepted, behind what is kept already; the end sends it when there is room. */
static void
keep_output(struct ring_end *end, const char *p, size_t n)
{
    char *kept = malloc(n);

    ASSERT(!end->kept);
    if (!kept) {
        send_failed(end, ENOMEM);
        return;
    }
    memcpy(kept, p, n);
    end->kept = kept;
    end->kept_at = 0;
    end->kept_len = (uint32_t)n;
    end->io->can_out = false;
    ring_want_out(end);
}

static void
drop_kept(struct ring_end *end)
{
    free(end->kept);
    end->kept = NULL;
    end->kept_at = end->kept_len = 0;
}

/* The socket has room again. */
static void
send_kept(struct ring_end *end)
{
    while (end->kept) {
        struct iovec v = {end->kept + end->kept_at, end->kept_len - end->kept_at};
        int64_t n = send_now(end, &v, 1);
        if (n == IO_AGAIN) {
            ring_want_out(end);
            return;
        }
        if (n < 0 || (size_t)n == v.iov_len)
            drop_kept(end);
        else
            end->kept_at += (uint32_t)n;
    }
    if (end->shuts)
        shutdown(end->io->fd, SHUT_WR);
    end->shuts = false;
}

/* What stands in the slab for this end goes out now. */
static void
send_slab(struct ring_end *end)
{
    struct iovec v = {end->ring->slab + end->slab_at, end->slab_len};
    int64_t n;

    if (!end->slab_len || end->is_sending)
        return;
    end->slab_len = 0;
    end->wants &= (uint8_t)~WANT_SEND;
    n = send_now(end, &v, 1);
    if (n != IO_ERROR && (size_t)MAX(n, 0) < v.iov_len)
        keep_output(end, (char *)v.iov_base + MAX(n, 0), v.iov_len - (size_t)MAX(n, 0));
}

/* At once: large pieces, and what the slab has no room for. */
static int64_t
send_direct(struct ring_end *end, const struct iovec *v, int n)
{
    int64_t done;

    send_slab(end);
    if (end->out_error)
        return IO_ERROR;
    if (end->kept)
        return IO_AGAIN;
    done = send_now(end, v, n);
    if (done == IO_AGAIN)
        end->io->can_out = false;
    return done;
}

int64_t
ring_try_sendv(struct ring_end *end, const struct iovec *v, int n)
{
    struct ring *ring = end->ring;
    size_t sum = 0;

    if (end->out_error)
        return send_failed(end, end->out_error);
    if (end->is_sending)
        end->io->can_out = false;        /* a full queue delays it */
    if (!end->io->can_out)
        return IO_AGAIN;
    for (int i = 0; i < n; i++)
        sum += v[i].iov_len;
    if (sum + end->slab_len > SLAB_WRITE_MAX || sum > SLAB_SIZE - ring->slab_len ||
        (end->slab_len && end->slab_at + end->slab_len != ring->slab_len))
        return send_direct(end, v, n);
    if (!end->slab_len)
        end->slab_at = (uint32_t)ring->slab_len;
    for (int i = 0; i < n; i++) {
        memcpy(ring->slab + ring->slab_len, v[i].iov_base, v[i].iov_len);
        ring->slab_len += v[i].iov_len;
    }
    end->slab_len += (uint32_t)sum;
    want(end, WANT_SEND);
    return (int64_t)sum;
}

int64_t
ring_try_flush(struct ring_end *end)
{
    return end->out_error ? IO_ERROR : end->kept || end->is_sending ? IO_AGAIN : IO_OK;
}

void
ring_shutdown(struct ring_end *end)
{
    send_slab(end);
    if (end->kept || end->is_sending)
        end->shuts = true;
    else
        shutdown(end->io->fd, SHUT_WR);
}

/* A send has ended: it took so many bytes, or failed. */
static void
on_sent(struct ring_end *end, int result)
{
    uint32_t at = end->slab_at, len = end->slab_len;

    end->slab_len = 0;
    end->is_sending = false;
    if (!end->io)
        return;
    if (result < 0 && result != -EAGAIN && result != -EINTR)
        send_failed(end, -result);
    else if ((uint32_t)MAX(result, 0) < len)
        keep_output(end, end->ring->slab + at + MAX(result, 0), len - (uint32_t)MAX(result, 0));
}

/* --- receiving --- */

void
ring_want_in(struct ring_end *end)
{
    end->was_asked = true;
    if (!end->is_receiving && !end->has_ended && !end->in_error)
        want(end, WANT_RECV);
}

void
ring_want_out(struct ring_end *end)
{
    if (!end->is_polling)
        want(end, WANT_POLL);
}

bool
ring_has_input(const struct ring_end *end)
{
    return end->in || end->has_ended || end->in_error;
}

static int64_t
recv_failed(struct ring_end *end, int error)
{
    end->in_error = (uint16_t)error;
    end->io->error = error;
    end->io->can_in = end->io->is_hung_up = end->io->is_reset = true;
    return IO_ERROR;
}

/* The socket has more than a buffer of the pool held. */
static int64_t
recv_direct(struct ring_end *end, void *p, size_t n)
{
    ssize_t got;

    do
        got = recv(end->io->fd, p, n, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    end->may_have_more = got == (ssize_t)n;
    if (got == 0)
        end->has_ended = end->io->is_hung_up = true;
    update_can_in(end);
    if (got > 0)
        return got;
    if (got == 0)
        return IO_EOF;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return recv_failed(end, errno);
    ring_want_in(end);
    return IO_AGAIN;
}

int64_t
ring_try_recv(struct ring_end *end, void *p, size_t n)
{
    if (end->in) {
        n = MIN(n, (size_t)(end->in_len - end->in_at));
        memcpy(p, end->in + end->in_at, n);
        end->in_at += (uint32_t)n;
        if (end->in_at == end->in_len) {
            drop_input(end);
            update_can_in(end);
        }
        return (int64_t)n;
    }
    if (end->in_error)
        return recv_failed(end, end->in_error);
    if (end->has_ended)
        return IO_EOF;
    if ((end->may_have_more || !end->was_asked) && !end->is_receiving)
        return recv_direct(end, p, n);
    ring_want_in(end);
    return IO_AGAIN;
}

static void
on_received(struct ring_end *end, int result, uint32_t flags)
{
    struct ring *ring = end->ring;
    struct io *io = end->io;

    ASSERT(!end->in);                    /* R1 */
    end->is_receiving = false;
    if (flags & IORING_CQE_F_BUFFER) {
        end->in = ring->pool_bytes + (size_t)(flags >> IORING_CQE_BUFFER_SHIFT) * POOL_BUFFER_SIZE;
        end->is_in_pooled = true;
        end->in_at = 0;
        end->in_len = (uint32_t)MAX(result, 0);
        if (!io || result <= 0)
            drop_input(end);
    }
    if (!io || result == -ECANCELED)
        return;
    if (result > 0) {
        end->may_have_more = (flags & IORING_CQE_F_SOCK_NONEMPTY) || result == (int)POOL_BUFFER_SIZE;
        want(end, WANT_KEEP);
    } else if (result == -ENOBUFS || result == -EINTR || result == -EAGAIN) {
        end->may_have_more = true;
    } else if (result == 0) {
        end->has_ended = io->is_hung_up = true;
    } else {
        recv_failed(end, -result);
    }
    update_can_in(end);
}

/* --- the end of a turn --- */

static struct io_uring_sqe *
next_sqe(struct ring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);

    while (!sqe) {                       /* full: hand over what there is */
        int n = io_uring_submit(&ring->uring);
        ASSERT(n >= 0 || n == -EAGAIN || n == -EBUSY || n == -EINTR || n == -ENOMEM);
        if (n < 0)
            io_uring_get_events(&ring->uring);
        sqe = io_uring_get_sqe(&ring->uring);
    }
    return sqe;
}

static void
sqe_tag(struct io_uring_sqe *sqe, const struct ring_end *end, enum tag tag)
{
    sqe->user_data = (uintptr_t)end | tag;
}

/* The wishes of one end become operations. */
static void
end_submit(struct ring_end *end)
{
    struct ring *ring = end->ring;
    struct io_uring_sqe *sqe;

    keep_input(end);
    if ((end->wants & WANT_SEND) && end->slab_len) {
        sqe = next_sqe(ring);
        io_uring_prep_send(sqe, end->io->fd, ring->slab + end->slab_at, end->slab_len, MSG_NOSIGNAL | MSG_DONTWAIT);
        sqe_tag(sqe, end, TAG_SEND);
        end->is_sending = true;
        ring->n_sends++;
    }
    if ((end->wants & WANT_RECV) && !end->is_receiving) {
        sqe = next_sqe(ring);
        io_uring_prep_recv(sqe, end->io->fd, NULL, 0, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
        sqe->buf_group = POOL_ID;
        sqe_tag(sqe, end, TAG_RECV);
        end->is_receiving = true;
    }
    if ((end->wants & WANT_POLL) && !end->is_polling) {
        sqe = next_sqe(ring);
        io_uring_prep_poll_add(sqe, end->io->fd, POLLOUT);
        sqe_tag(sqe, end, TAG_POLL);
        end->is_polling = true;
    }
    if (end->wants & WANT_CANCEL) {
        if (end->is_receiving) {
            sqe = next_sqe(ring);
            io_uring_prep_cancel64(sqe, (uintptr_t)end | TAG_RECV, 0);
            sqe->user_data = TAG_NONE;
        }
        if (end->is_polling) {
            sqe = next_sqe(ring);
            io_uring_prep_cancel64(sqe, (uintptr_t)end | TAG_POLL, 0);
            sqe->user_data = TAG_NONE;
        }
    }
    end->wants = 0;
}

static void
queue_wishes(struct ring *ring)
{
    struct ring_end *end;

    while ((end = ring->listed)) {
        ring->listed = end->next;
        end->is_listed = false;
        end_submit(end);
        end_free_if_over(end);
    }
    ring->listed_end = &ring->listed;
    if (!ring->is_epoll_watched) {
        struct io_uring_sqe *sqe = next_sqe(ring);
        io_uring_prep_poll_add(sqe, ring->loop->epoll_fd, POLLIN);
        sqe->user_data = TAG_EPOLL;
        ring->is_epoll_watched = true;
    }
}

/* Sends have ended by the time the call returns; their bytes are looked after before the slab is used anew (R3). */
static void
reap_sends(struct ring *ring)
{
    struct io_uring_cqe *cqe;
    unsigned head;

    if (!ring->n_sends)
        return;
    io_uring_for_each_cqe(&ring->uring, head, cqe) {
        if ((cqe->user_data & TAG_MASK) != TAG_SEND)
            continue;
        on_sent((struct ring_end *)(uintptr_t)(cqe->user_data & ~TAG_MASK), cqe->res);
        cqe->user_data = TAG_NONE;
        if (--ring->n_sends == 0)
            break;
    }
    if (ring->n_sends == 0)
        ring->slab_len = 0;
}

static void
enable(struct ring *ring)
{
    if (ring->is_enabled)
        return;
    /* Debian's liburing 2.3 declares io_uring_enable_rings() and does not export it. */
    long result = syscall(__NR_io_uring_register, ring->uring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
    ASSERT(result == 0);
    ring->is_enabled = true;
    io_uring_register_ring_fd(&ring->uring); /* spares a look-up a call; nothing is lost without */
}

void
ring_flush(struct ring *ring)
{
    enable(ring);
    queue_wishes(ring);
    if (io_uring_sq_ready(&ring->uring))
        io_uring_submit(&ring->uring);
    reap_sends(ring);
}

bool
ring_wait(struct ring *ring, int timeout_ms)
{
    struct __kernel_timespec ts = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000LL};
    struct io_uring_cqe *cqe;
    int result;

    enable(ring);
    queue_wishes(ring);
    if (timeout_ms == 0)
        result = io_uring_submit_and_get_events(&ring->uring);
    else if (timeout_ms < 0)
        result = io_uring_submit_and_wait(&ring->uring, 1);
    else
        result = io_uring_submit_and_wait_timeout(&ring->uring, &cqe, 1, &ts, NULL);
    reap_sends(ring);
    return result >= 0 || result == -EINTR || result == -ETIME || result == -EAGAIN || result == -EBUSY || result == -ENOMEM;
}

/* --- completions --- */

/* The socket has room, or a send that a full queue had delayed has ended. */
static void
on_room(struct ring_end *end)
{
    send_kept(end);
    if (end->kept)
        return;
    end->io->can_out = true;
    io_go_on(end->io, false, true);
}

static void
complete(struct ring *ring, struct ring_end *end, enum tag tag, int result, uint32_t flags)
{
    end->is_delivering = true;
    if (tag == TAG_RECV) {
        on_received(end, result, flags);
        if (end->io && end->io->can_in)
            io_go_on(end->io, true, false);
    } else if (tag == TAG_POLL) {
        end->is_polling = false;
        if (end->io)
            on_room(end);
    } else {
        ring->n_sends--;
        on_sent(end, result);
        if (end->io)
            on_room(end);
    }
    end->is_delivering = false;
    end_free_if_over(end);
}

void
ring_deliver(struct ring *ring, bool *ret_epoll)
{
    unsigned n = io_uring_cq_ready(&ring->uring);
    struct io_uring_cqe *cqe;

    *ret_epoll = false;
    for (; n > 0 && io_uring_peek_cqe(&ring->uring, &cqe) == 0; n--) {
        enum tag tag = (enum tag)(cqe->user_data & TAG_MASK);
        struct ring_end *end = (struct ring_end *)(uintptr_t)(cqe->user_data & ~TAG_MASK);
        int result = cqe->res;
        uint32_t flags = cqe->flags;
        io_uring_cqe_seen(&ring->uring, cqe);
        if (tag == TAG_EPOLL)
            *ret_epoll = true;
        if (!end)
            continue;
        loop_beat(ring->loop);
        complete(ring, end, tag, result, flags);
    }
}

void
ring_watch_epoll(struct ring *ring)
{
    ring->is_epoll_watched = false;
}

/* Operations that wait in the queue, because the kernel was short of memory, name a descriptor that is about to be
 * closed: they become none. */
static void
forget_queued(struct ring_end *end)
{
    struct io_uring *u = &end->ring->uring;

    for (unsigned n = io_uring_sq_ready(u), i = 0; i < n; i++) {
        struct io_uring_sqe *sqe = &u->sq.sqes[(u->sq.sqe_tail - 1 - i) & u->sq.ring_mask];
        enum tag tag = (enum tag)(sqe->user_data & TAG_MASK);
        if ((sqe->user_data & ~TAG_MASK) != (uintptr_t)end)
            continue;
        end->ring->n_sends -= tag == TAG_SEND;
        end->is_sending &= tag != TAG_SEND;
        end->is_receiving &= tag != TAG_RECV;
        end->is_polling &= tag != TAG_POLL;
        io_uring_prep_nop(sqe);
        sqe->user_data = TAG_NONE;
    }
}

void
ring_end_close(struct ring_end *end)
{
    forget_queued(end);
    send_slab(end);
    drop_kept(end);
    drop_input(end);
    end->wants = 0;
    end->io = NULL;
    if (end->is_receiving || end->is_polling)
        want(end, WANT_CANCEL);
    end_free_if_over(end);
}

/* --- beginning and end --- */

static bool
pool_make(struct ring *ring)
{
    struct io_uring_buf_reg reg = {.ring_entries = POOL_BUFFERS, .bgid = POOL_ID};

    ring->pool = aligned_alloc(4096, 4096);
    ring->pool_bytes = aligned_alloc(4096, (size_t)POOL_BUFFERS * POOL_BUFFER_SIZE);
    ring->slab = malloc(SLAB_SIZE);
    if (!ring->pool || !ring->pool_bytes || !ring->slab)
        return false;
    memset(ring->pool, 0, 4096);
    reg.ring_addr = (uintptr_t)ring->pool;
    if (io_uring_register_buf_ring(&ring->uring, &reg, 0) != 0)
        return false;
    io_uring_buf_ring_init(ring->pool);
    for (unsigned i = 0; i < POOL_BUFFERS; i++)
        io_uring_buf_ring_add(ring->pool, ring->pool_bytes + (size_t)i * POOL_BUFFER_SIZE, POOL_BUFFER_SIZE,
                              (unsigned short)i, io_uring_buf_ring_mask(POOL_BUFFERS), (int)i);
    io_uring_buf_ring_advance(ring->pool, POOL_BUFFERS);
    return true;
}

struct ring *
ring_new(struct loop *loop)
{
    struct ring *ring = xnew(struct ring);
    struct io_uring_params p = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED |
                 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE,
        .cq_entries = COMPLETIONS_SIZE,
    };

    _Static_assert(POOL_BUFFERS * sizeof(struct io_uring_buf) <= 4096, "the pool's ring is one page");
    ring->loop = loop;
    ring->listed_end = &ring->listed;
    ring->uring.ring_fd = -1;
    if (io_uring_queue_init_params(QUEUE_SIZE, &ring->uring, &p) == 0 && pool_make(ring))
        return ring;
    ring_delete(ring);
    return NULL;
}

void
ring_delete(struct ring *ring)
{
    struct ends_block *b;

    if (!ring)
        return;
    if (ring->uring.ring_fd >= 0)
        io_uring_queue_exit(&ring->uring);
    while ((b = ring->blocks)) {
        ring->blocks = b->next;
        free(b);
    }
    free(ring->pool);
    free(ring->pool_bytes);
    free(ring->slab);
    free(ring);
}
