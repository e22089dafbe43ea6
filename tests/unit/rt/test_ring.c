/* test_ring.c: what io.h promises, kept by io_uring where epoll would keep it by itself: order, closing, full sockets, more
 * connections than buffers. The machine may have no io_uring: then there is nothing to test.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/ring.c"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "rt/fiber.h"
#include "rt/sync.h"
#include "test.h"

/* One side in the ring, the other a plain descriptor. */
struct rig {
    struct loop *loop;
    struct io io;
    int peer;
    struct io_op op;
    int64_t result;
    int n_done;
};

static bool
begin(struct rig *r)
{
    *r = (struct rig){.loop = loop_new(&(struct loop_options){.io = LOOP_IO_RING}, NULL)};
    return r->loop != NULL;
}

static void
pair_in(struct rig *r, struct io *io, int *ret_peer)
{
    int fd[2];
    struct err err = ERR_INIT;

    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    EXPECT_OK(io_open(io, r->loop, fd[0], &err));
    *ret_peer = fd[1];
}

static bool
begin_pair(struct rig *r)
{
    if (!begin(r))
        return false;
    pair_in(r, &r->io, &r->peer);
    return true;
}

static void
end(struct rig *r)
{
    io_close(&r->io);
    close(r->peer);
    loop_turn(r->loop, 0);
    EXPECT(r->loop->ring->listed == NULL);
    loop_delete(r->loop);
}

static void
on_done(struct io_op *op, int64_t result)
{
    struct rig *r = CONTAINER_OF(op, struct rig, op);

    r->result = result;
    r->n_done++;
}

/* What the peer gets: text, or "" at the end, or "-" when nothing is there. */
static const char *
peer_reads(int fd)
{
    static char text[256];
    ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

    if (n < 0)
        return "-";
    text[n] = 0;
    return text;
}

static void
fill_socket(int fd)
{
    static char much[65536];

    while (send(fd, much, sizeof(much), MSG_DONTWAIT) > 0)
        ;
}

static size_t
drain(int fd)
{
    char sink[65536];
    size_t sum = 0;
    ssize_t n;

    while ((n = recv(fd, sink, sizeof(sink), MSG_DONTWAIT)) > 0)
        sum += (size_t)n;
    return sum;
}

static uint32_t
ends_in_use(struct ring *ring)
{
    uint32_t n = 0;

    for (struct ends_block *b = ring->blocks; b; b = b->next)
        n += ENDS_A_BLOCK;
    for (struct ring_end *e = ring->free; e; e = e->next)
        n--;
    return n;
}

TEST(sends_of_a_turn_go_out_together_and_in_order)
{
    struct rig r;
    struct io other;
    int other_peer;

    if (!begin_pair(&r))
        return;
    pair_in(&r, &other, &other_peer);
    EXPECT_EQ(io_try_send(&r.io, "one ", 4), 4);
    EXPECT_EQ(io_try_send(&r.io, "two ", 4), 4);
    EXPECT_STR(str_from_c(peer_reads(r.peer)), "-");             /* the turn has not ended */
    EXPECT_EQ(io_try_send(&other, "x", 1), 1);
    EXPECT_EQ(io_try_send(&r.io, "three", 5), 5);    /* no longer behind its own bytes in the slab */
    loop_turn(r.loop, 0);
    EXPECT_STR(str_from_c(peer_reads(r.peer)), "one two three");
    EXPECT_STR(str_from_c(peer_reads(other_peer)), "x");
    EXPECT_EQ(r.loop->ring->slab_len, 0);
    io_close(&other);
    close(other_peer);
    end(&r);
}

TEST(a_large_send_waits_for_the_small_one_before_it)
{
    struct rig r;
    static char large[SLAB_WRITE_MAX + 1];
    const char *got;

    if (!begin_pair(&r))
        return;
    memset(large, 'L', sizeof(large));
    EXPECT_EQ(io_try_send(&r.io, "small", 5), 5);
    EXPECT_EQ(io_try_send(&r.io, large, sizeof(large)), (int64_t)sizeof(large));
    got = peer_reads(r.peer);                        /* both are out: a large one does not wait for the turn's end */
    EXPECT(strncmp(got, "smallLLL", 8) == 0);
    drain(r.peer);
    loop_turn(r.loop, 0);
    EXPECT_STR(str_from_c(peer_reads(r.peer)), "-");             /* and not once more */
    end(&r);
}

TEST(what_a_full_socket_does_not_take_is_sent_later_and_more_is_refused_until_then)
{
    struct rig r;

    if (!begin_pair(&r))
        return;
    fill_socket(r.io.fd);
    EXPECT_EQ(io_try_send(&r.io, "later", 5), 5);
    loop_turn(r.loop, 0);
    EXPECT_EQ(io_try_flush(&r.io), IO_AGAIN);
    EXPECT_EQ(io_try_send(&r.io, "more", 4), IO_AGAIN);
    r.op.on_done = on_done;
    io_when_writable(&r.io, &r.op);
    loop_turn(r.loop, 0);
    EXPECT_EQ(r.n_done, 0);
    io_shutdown(&r.io);                              /* behind "later" */
    drain(r.peer);
    for (int i = 0; i < 5; i++)
        loop_turn(r.loop, 5);
    EXPECT_EQ(r.n_done, 1);
    EXPECT_EQ(io_try_flush(&r.io), IO_OK);
    EXPECT_STR(str_from_c(peer_reads(r.peer)), "later");
    EXPECT_STR(str_from_c(peer_reads(r.peer)), "");
    end(&r);
}

TEST(closing_sends_what_was_accepted_and_takes_the_receive_back)
{
    struct rig r;

    if (!begin_pair(&r))
        return;
    r.op.on_done = on_done;
    io_when_readable(&r.io, &r.op);
    loop_turn(r.loop, 0);                            /* the receive is in the kernel */
    EXPECT_EQ(io_try_send(&r.io, "bye", 3), 3);
    io_close(&r.io);
    EXPECT_STR(str_from_c(peer_reads(r.peer)), "bye");
    EXPECT_EQ(ends_in_use(r.loop->ring), 1);         /* R1 */
    for (int i = 0; i < 3; i++)
        loop_turn(r.loop, 1);
    EXPECT_STR(str_from_c(peer_reads(r.peer)), "");
    EXPECT_EQ(ends_in_use(r.loop->ring), 0);
    EXPECT_EQ(r.n_done, 0);
    end(&r);
}

TEST(a_descriptor_closed_in_the_turn_it_asked_in_touches_no_other)
{
    struct rig r;
    struct io second;
    int second_peer, before;
    char byte;

    if (!begin_pair(&r))
        return;
    r.op.on_done = on_done;
    io_when_readable(&r.io, &r.op);
    EXPECT_EQ(io_try_send(&r.io, "a", 1), 1);
    before = r.io.fd;
    io_close(&r.io);
    pair_in(&r, &second, &second_peer);
    EXPECT_EQ(second.fd, before);                    /* the number is used again */
    EXPECT_EQ(send(second_peer, "z", 1, 0), 1);
    for (int i = 0; i < 3; i++)
        loop_turn(r.loop, 1);
    EXPECT_STR(str_from_c(peer_reads(second_peer)), "-");
    EXPECT_EQ(io_try_recv(&second, &byte, 1), 1);    /* nobody else has taken it */
    EXPECT_EQ(r.n_done, 0);
    io_close(&second);
    close(second_peer);
    end(&r);
}

TEST(bytes_that_nobody_reads_give_their_buffer_back_and_are_not_lost)
{
    struct rig r;
    char got[32];

    if (!begin_pair(&r))
        return;
    r.op.on_done = on_done;
    io_when_readable(&r.io, &r.op);
    loop_turn(r.loop, 0);
    EXPECT_EQ(send(r.peer, "hello", 5, 0), 5);
    loop_turn(r.loop, 5);
    EXPECT_EQ(r.n_done, 1);
    EXPECT_EQ(io_try_recv(&r.io, got, 2), 2);
    loop_turn(r.loop, 0);
    EXPECT(!r.io.end->is_in_pooled);                 /* R2 */
    EXPECT(!io_is_quiet(&r.io));
    EXPECT_EQ(io_try_recv(&r.io, got + 2, sizeof(got) - 2), 3);
    EXPECT(memcmp(got, "hello", 5) == 0);
    EXPECT_EQ(io_try_recv(&r.io, got, sizeof(got)), IO_AGAIN);
    EXPECT(io_is_quiet(&r.io));
    shutdown(r.peer, SHUT_WR);
    loop_turn(r.loop, 5);
    EXPECT(r.io.is_hung_up);
    EXPECT_EQ(io_try_recv(&r.io, got, sizeof(got)), IO_EOF);
    EXPECT_EQ(io_try_recv(&r.io, got, sizeof(got)), IO_EOF);
    end(&r);
}

TEST(more_than_a_buffer_holds_is_read_from_the_socket)
{
    struct rig r;
    static char much[3 * POOL_BUFFER_SIZE], got[sizeof(much)];
    size_t sum = 0;
    int64_t n;

    if (!begin_pair(&r))
        return;
    for (size_t i = 0; i < sizeof(much); i++)
        much[i] = (char)(i * 31 >> 3);
    EXPECT_EQ(io_try_recv(&r.io, got, 1), IO_AGAIN);
    loop_turn(r.loop, 0);
    EXPECT_EQ(send(r.peer, much, sizeof(much), 0), (ssize_t)sizeof(much));
    loop_turn(r.loop, 5);
    while ((n = io_try_recv(&r.io, got + sum, sizeof(got) - sum)) > 0)
        sum += (size_t)n;
    EXPECT_EQ(sum, sizeof(much));
    EXPECT(memcmp(got, much, sizeof(much)) == 0);
    end(&r);
}

struct crowd {
    struct io io[POOL_BUFFERS * 2];
    struct io_op op[POOL_BUFFERS * 2];
    int peer[POOL_BUFFERS * 2];
};

static void
ignore(struct io_op *op, int64_t result)
{
}

TEST(more_connections_than_buffers_all_get_their_bytes)
{
    struct rig r;
    static struct crowd c;
    char byte;
    int n_read = 0;
    bool is_epoll;

    if (!begin(&r))
        return;
    for (int i = 0; i < (int)COUNTOF(c.io); i++) {
        pair_in(&r, &c.io[i], &c.peer[i]);
        c.op[i].on_done = ignore;
        io_when_readable(&c.io[i], &c.op[i]);
    }
    loop_turn(r.loop, 0);
    for (int i = 0; i < (int)COUNTOF(c.io); i++)
        EXPECT_EQ(send(c.peer[i], "x", 1, 0), 1);
    for (int i = 0; i < 100; i++)                    /* the kernel tells of twenty or so at a time */
        ring_wait(r.loop->ring, 0);
    ring_deliver(r.loop->ring, &is_epoll);           /* all at once: the pool has run out */
    for (int i = 0; i < (int)COUNTOF(c.io); i++)
        n_read += io_try_recv(&c.io[i], &byte, 1) == 1;
    EXPECT_EQ(n_read, (int)COUNTOF(c.io));
    for (int i = 0; i < (int)COUNTOF(c.io); i++) {
        io_close(&c.io[i]);
        close(c.peer[i]);
    }
    for (int i = 0; i < 100; i++)
        loop_turn(r.loop, 0);
    EXPECT_EQ(ends_in_use(r.loop->ring), 0);
    loop_delete(r.loop);
}

TEST(a_reset_is_told_to_readers_and_writers)
{
    struct rig r;
    char byte;

    if (!begin_pair(&r))
        return;
    EXPECT_EQ(send(r.io.fd, "unread", 6, 0), 6);     /* a close with unread bytes resets a unix socket too */
    r.op.on_done = on_done;
    io_when_readable(&r.io, &r.op);
    loop_turn(r.loop, 0);
    close(r.peer);
    r.peer = -1;
    for (int i = 0; i < 3; i++)
        loop_turn(r.loop, 5);
    EXPECT_EQ(r.n_done, 1);
    EXPECT_EQ(io_try_recv(&r.io, &byte, 1), IO_ERROR);
    EXPECT_EQ(r.io.error, ECONNRESET);
    EXPECT_EQ(io_try_send(&r.io, "x", 1), 1);
    loop_turn(r.loop, 0);
    EXPECT_EQ(io_try_send(&r.io, "x", 1), IO_ERROR);
    end(&r);
}

TEST(a_send_that_fails_is_told_by_the_next_one_and_what_has_come_can_still_be_read)
{
    struct rig r;
    char got[8];

    if (!begin_pair(&r))
        return;
    EXPECT_EQ(send(r.peer, "413", 3, 0), 3);
    close(r.peer);
    r.peer = -1;
    EXPECT_EQ(io_try_send(&r.io, "x", 1), 1);
    loop_turn(r.loop, 0);
    EXPECT_EQ(io_try_send(&r.io, "y", 1), IO_ERROR);
    EXPECT_EQ(r.io.error, EPIPE);
    EXPECT_EQ(io_try_recv(&r.io, got, sizeof(got)), 3);
    r.op.on_done = on_done;
    io_when_readable(&r.io, &r.op);
    loop_turn(r.loop, 5);
    EXPECT_EQ(io_try_recv(&r.io, got, sizeof(got)), IO_EOF);
    end(&r);
}

TEST(polled_descriptors_leave_their_bytes_in_the_socket_until_they_become_streams)
{
    struct rig r;
    struct err err = ERR_INIT;
    int fd[2];
    char got[16];

    if (!begin(&r))
        return;
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    EXPECT_OK(io_open_polled(&r.io, r.loop, fd[0], &err));
    r.peer = fd[1];
    r.op.on_done = on_done;
    io_when_readable(&r.io, &r.op);
    loop_turn(r.loop, 0);
    EXPECT_EQ(send(r.peer, "peek", 4, 0), 4);
    for (int i = 0; i < 3; i++)
        loop_turn(r.loop, 5);
    EXPECT_EQ(r.n_done, 1);
    EXPECT_EQ(recv(r.io.fd, got, sizeof(got), MSG_PEEK), 4);
    EXPECT_OK(io_become_stream(&r.io, &err));
    io_when_readable(&r.io, &r.op);
    for (int i = 0; i < 3; i++)
        loop_turn(r.loop, 5);
    EXPECT_EQ(r.n_done, 2);
    EXPECT_EQ(io_try_recv(&r.io, got, sizeof(got)), 4);
    end(&r);
}
