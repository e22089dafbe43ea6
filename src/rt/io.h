/* io.h: operations on descriptors that complete later. The seam towards the kernel is the operation, not readiness, so
 * that another backend than epoll can stand behind it.
 *
 *     io_open(&conn->io, loop, fd);                 // registered once, edge-triggered, for both directions
 *     int64_t n = io_recv(&conn->io, &op, buf, size);       // a count, IO_EOF, IO_ERROR: done, on_done is not called
 *     if (n == IO_AGAIN) ...                        // op->on_done(op, n) will be called from the loop
 * An operation tries first: what can complete at once never goes to the loop. After a short read the descriptor counts
 * as dry until the kernel reports more, so there is no second read just to hear EAGAIN. One operation a direction.
 *
 * Behind it stands epoll, or io_uring (ring.h) where the loop has one: then small sends are accepted at once and go to the
 * kernel together when the turn ends; what a socket does not take, io sends itself and accepts nothing more until then.
 * A send that fails that way is told by the next operation.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include "rt/loop.h"

struct io_op {
    void (*on_done)(struct io_op *op, int64_t result);   /* a count or enum io_status; the op is free again */
    struct task task;                    /* to complete from the loop what was found ready */
    void *p;                             /* buffer, iovec or address */
    uint32_t n;
    uint8_t kind;                        /* enum io_kind in io.c; 0: not in progress */
};

struct ring_end;

struct io {
    struct loop *loop;
    struct ring_end *end;                /* its place in the ring (ring.h); NULL: epoll */
    struct io_op *in, *out;              /* in progress */
    int fd;                              /* -1: closed */
    int error;                           /* errno of the last IO_ERROR */
    bool can_in, can_out;                /* as far as we know: try before waiting */
    bool is_hung_up;                     /* the peer sends no more, or the socket failed: reads do not wait any more */
    bool is_reset;                       /* the socket failed: nothing goes in either direction */
    bool is_shared;                      /* other processes hold the same socket: closing has to unregister */
};

/* Takes fd (non-blocking) and registers it. A fresh connection counts as writable and not yet readable. False with
 * ERR_IO; fd stays the caller's then. */
MUST_USE bool io_open(struct io *io, struct loop *loop, int fd, struct err *err);
/* The same for descriptors whose owner accepts connections, or looks at bytes without taking them: epoll always. */
MUST_USE bool io_open_polled(struct io *io, struct loop *loop, int fd, struct err *err);
/* From now on it is as io_open() would have made it; nothing may be in progress. */
MUST_USE bool io_become_stream(struct io *io, struct err *err);
/* Moves a registration to another struct, since a stream turned into a TLS stream; nothing may be in progress. */
void io_move(struct io *to, struct io *from);
/* Cancels what is in progress (on_done is not called) and closes fd. Closed or zeroed io with fd -1 is fine. */
void io_close(struct io *io);

/* Now or never: a count, IO_AGAIN, IO_EOF (recv), IO_ERROR. n == 0 is not allowed for recv. */
int64_t io_try_recv(struct io *io, void *p, size_t n);
int64_t io_try_sendv(struct io *io, const struct iovec *v, int n);
int64_t io_try_send(struct io *io, const void *p, size_t n);

/* IO_OK: all that was accepted has gone to the kernel or goes when the turn ends; IO_AGAIN: the socket is full, and
 * io_when_writable() completes when it no longer is; IO_ERROR. */
int64_t io_try_flush(struct io *io);
/* No more sending: FIN behind what was accepted. */
void io_shutdown(struct io *io);
/* Nothing has come, neither bytes nor the end, as far as is known without reading. */
bool io_is_quiet(struct io *io);

/* The same, completing later when IO_AGAIN is returned; buffers must live until then. sendv completes when some bytes
 * have gone, not all. */
int64_t io_recv(struct io *io, struct io_op *op, void *p, size_t n);
int64_t io_sendv(struct io *io, struct io_op *op, const struct iovec *v, int n);
/* Accepts one connection: the result is a descriptor (non-blocking, close-on-exec), or IO_ERROR with io->error. */
struct io_peer {
    struct sockaddr_storage addr;
    socklen_t len;
};
int64_t io_accept(struct io *io, struct io_op *op, struct io_peer *ret_peer);
/* IO_OK when connected. */
int64_t io_connect(struct io *io, struct io_op *op, const struct sockaddr *addr, socklen_t len);
/* Completes with IO_OK when a recv or send would not wait: for idle connections, which keep no buffer. Never calls
 * on_done from within; always returns IO_AGAIN. */
int64_t io_when_readable(struct io *io, struct io_op *op);
int64_t io_when_writable(struct io *io, struct io_op *op);
/* Forgets the operation; on_done is not called. One that is not in progress stays so. */
void io_cancel(struct io *io, struct io_op *op);

/* Fiber forms: wait until done, the deadline or a cancel; results as above, never IO_AGAIN. Yield. */
int64_t io_read(struct io *io, void *p, size_t n, uint64_t deadline_ms);
/* All of it: returns the sum, or the failure. */
int64_t io_writev_all(struct io *io, const struct iovec *v, int n, uint64_t deadline_ms);
enum io_status io_wait_readable(struct io *io, uint64_t deadline_ms);
enum io_status io_wait_writable(struct io *io, uint64_t deadline_ms);

/* Descriptors of libraries that want to hear about readiness (c-ares): level-triggered. fd stays the caller's. */
struct io_watch {
    struct loop *loop;
    int fd;
    void (*on_ready)(struct io_watch *w, bool can_in, bool can_out);
};
MUST_USE bool io_watch_start(struct io_watch *w, struct loop *loop, int fd, bool in, bool out, struct err *err);
void io_watch_stop(struct io_watch *w);

/* For the loop: hands one event of the kernel to its io or watch. */
void io_deliver(uint64_t data, uint32_t events);
/* For the ring: operations in these directions may be able to go on. io may be gone afterwards. */
void io_go_on(struct io *io, bool in, bool out);
