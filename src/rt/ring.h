/* ring.h: io_uring behind io.h: the receives and sends of a whole turn go to the kernel in one call, the one that waits.
 *
 *     io_try_send -> copied behind what others send in this turn ----\
 *     io_when_readable -> a receive, once, into a buffer that the      >-- ring_wait(): one system call
 *                         kernel picks when there are bytes --------/
 * Only connected streams live here; listeners and descriptors of libraries stay on the loop's epoll descriptor, which the
 * ring polls as one of its own. Callers cannot tell the two apart: what io.h says holds for both. Where the kernel or a
 * sandbox has no io_uring, ring_new() says so and the loop uses epoll for all.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rt/io.h"

struct ring;
struct ring_end;                         /* a connection's share: one a struct io */

/* NULL where io_uring is missing, forbidden or too old (Linux 6.1 has all that is needed). */
struct ring *ring_new(struct loop *loop);
/* NULL is fine. */
void ring_delete(struct ring *ring);

/* Hands over what this turn has asked for, then waits at most timeout_ms (-1: as long as it takes) for something to
 * happen. False when the wait failed in a way that will not pass. */
bool ring_wait(struct ring *ring, int timeout_ms);
/* Hands over without waiting, for callers that leave the loop. */
void ring_flush(struct ring *ring);
/* Runs the operations that can go on. *ret_epoll: the loop's epoll descriptor has events; ring_watch_epoll() once they
 * have been taken. */
void ring_deliver(struct ring *ring, bool *ret_epoll);
void ring_watch_epoll(struct ring *ring);

/* --- for io.c; the rules are those of io.h --- */

/* NULL without memory. */
struct ring_end *ring_end_new(struct ring *ring, struct io *io);
/* What was accepted for sending goes to the socket as far as it takes it; then nothing of the end touches io or its
 * descriptor any more, which the caller closes. */
void ring_end_close(struct ring_end *end);
void ring_end_move(struct ring_end *end, struct io *to);
int64_t ring_try_recv(struct ring_end *end, void *p, size_t n);
int64_t ring_try_sendv(struct ring_end *end, const struct iovec *v, int n);
/* IO_OK: nothing that was accepted is left with us but what goes with this turn. */
int64_t ring_try_flush(struct ring_end *end);
/* The socket will be asked for bytes, or for room, when the turn ends. */
void ring_want_in(struct ring_end *end);
void ring_want_out(struct ring_end *end);
/* shutdown(SHUT_WR), behind all that was accepted. */
void ring_shutdown(struct ring_end *end);
/* A receive has something to say: bytes at hand, the end or a failure. */
bool ring_has_input(const struct ring_end *end);
