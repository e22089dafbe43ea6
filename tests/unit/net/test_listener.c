/* test_listener.c: accepting, limits, PROXY protocol, running out of descriptors, gentle ends.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/listener.c"

#include <sys/resource.h>

#include "test.h"

struct rig {
    struct clock clock;
    struct loop *loop;
    struct listener *listener;
    struct conn_limits *limits;
    struct addr at;
    struct stream *streams[64];
    uint32_t n;
};

static void
on_stream(void *ctx, struct stream *s)
{
    struct rig *r = ctx;
    r->streams[r->n++ % 64] = s;
}

static void
rig_open_at(struct rig *r, const char *where, struct listener_options o, uint32_t total, uint32_t per_address)
{
    struct err err = ERR_INIT;

    memset(r, 0, sizeof(*r));
    r->loop = loop_new(&(struct loop_options){.clock = &r->clock}, &err);
    r->limits = conn_limits_new(total, per_address);
    EXPECT_OK(addr_parse(str_from_c(where), 0, &o.addr, &err));
    o.fd = listener_bind(&o.addr, 0, 0600, o.addr.kind != ADDR_UNIX, &err);
    EXPECT(o.fd >= 0);
    o.limits = r->limits;
    o.on_stream = on_stream;
    o.ctx = r;
    EXPECT((r->listener = listener_new(r->loop, &o, &err)) != NULL);
    r->at = listener_addr(r->listener);
}

static void
turn(struct rig *r)
{
    for (int i = 0; i < 5; i++)
        loop_turn(r->loop, 2);
}

static void
rig_close(struct rig *r)
{
    for (uint32_t i = 0; i < MIN(r->n, 64u); i++)
        stream_close(r->streams[i]);
    turn(r);
    EXPECT_EQ(conn_limits_total(r->limits), 0);
    listener_delete(r->listener);
    conn_limits_delete(r->limits);
    loop_delete(r->loop);
}

static int
dial(struct rig *r)
{
    union addr_socket a;
    socklen_t len = addr_to_sockaddr(&r->at, &a);
    int fd = socket(a.sa.sa_family, SOCK_STREAM, 0);

    EXPECT_EQ(connect(fd, &a.sa, len), 0);
    return fd;
}

/* What the other side sees: 1 open, 0 closed. */
static int
is_open(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

TEST(a_connection_becomes_a_stream_with_its_peers_address)
{
    struct rig r;
    rig_open_at(&r, "127.0.0.1:0", (struct listener_options){.fd = -1}, 0, 0);
    int fd = dial(&r);
    char buf[16], text[ADDR_TEXT_MAX];

    turn(&r);
    EXPECT_EQ(r.n, 1);
    EXPECT_STR(addr_ip_text(&r.streams[0]->peer, text), "127.0.0.1");
    EXPECT_EQ(stream_local_addr(r.streams[0]).port, r.at.port);
    EXPECT_EQ(stream_try_read(r.streams[0], buf, sizeof(buf)), IO_AGAIN);
    EXPECT_EQ(send(fd, "abc", 3, 0), 3);
    turn(&r);
    EXPECT_EQ(stream_try_read(r.streams[0], buf, sizeof(buf)), 3);
    EXPECT_EQ(stream_try_read(r.streams[0], buf, sizeof(buf)), IO_AGAIN);
    EXPECT(!stream_is_stale(r.streams[0]));
    shutdown(fd, SHUT_WR);
    turn(&r);
    EXPECT(stream_is_stale(r.streams[0]));
    EXPECT_EQ(stream_try_read(r.streams[0], buf, sizeof(buf)), IO_EOF);
    close(fd);
    rig_close(&r);
}

TEST(data_before_the_end_is_read_even_after_a_short_read)
{
    struct rig r;
    rig_open_at(&r, "127.0.0.1:0", (struct listener_options){.fd = -1}, 0, 0);
    int fd = dial(&r);
    char buf[16];

    EXPECT_EQ(send(fd, "abc", 3, 0), 3);
    close(fd);                           /* data and end arrive in one report */
    turn(&r);
    EXPECT_EQ(stream_try_read(r.streams[0], buf, sizeof(buf)), 3);
    EXPECT_EQ(stream_try_read(r.streams[0], buf, sizeof(buf)), IO_EOF);
    rig_close(&r);
}

TEST(a_dual_stack_listener_shows_ipv4_clients_as_ipv4)
{
    struct rig r;
    rig_open_at(&r, "*:0", (struct listener_options){.fd = -1}, 0, 0);
    struct addr v4 = {.kind = ADDR_V4, .port = r.at.port, .ip = {127, 0, 0, 1}};
    r.at = v4;
    int fd = dial(&r);

    turn(&r);
    EXPECT_EQ(r.n, 1);
    EXPECT_EQ(r.streams[0]->peer.kind, ADDR_V4);
    close(fd);
    rig_close(&r);
}

TEST(a_unix_socket_has_its_mode_and_replaces_a_dead_one)
{
    struct rig r;
    char where[64];
    struct stat st;

    snprintf(where, sizeof(where), "unix:/tmp/headgate-test-%d.sock", (int)getpid());
    for (int round = 0; round < 2; round++) {        /* the second finds the first's file */
        rig_open_at(&r, where, (struct listener_options){.fd = -1}, 0, 5);
        EXPECT_EQ(stat(where + 5, &st), 0);
        EXPECT_EQ(st.st_mode & 0777, 0600);
        int fd = dial(&r);
        turn(&r);
        EXPECT_EQ(r.n, 1);
        EXPECT_EQ(r.streams[0]->peer.kind, ADDR_UNIX);
        close(fd);
        rig_close(&r);
    }
    unlink(where + 5);
}

TEST(an_address_in_use_is_said_so)
{
    struct rig r;
    struct err err = ERR_INIT;
    rig_open_at(&r, "127.0.0.1:0", (struct listener_options){.fd = -1}, 0, 0);

    EXPECT_EQ(listener_bind(&r.at, 0, 0, false, &err), -1);
    EXPECT(strstr(err.text, "Address already in use") != NULL);
    rig_close(&r);
}

TEST(an_address_that_another_process_shares_is_not_free)
{
    struct rig r;
    struct err err = ERR_INIT;
    rig_open_at(&r, "127.0.0.1:0", (struct listener_options){.fd = -1}, 0, 0);

    EXPECT(!listener_address_is_free(&r.at, &err)); /* although it could be joined */
    EXPECT(strstr(err.text, "Address already in use") != NULL);
    rig_close(&r);
    EXPECT(listener_address_is_free(&r.at, &err));
}

TEST(limits_hold_for_all_and_for_each_address)
{
    struct rig r;
    int fd[6];
    rig_open_at(&r, "127.0.0.1:0", (struct listener_options){.fd = -1}, 4, 3);

    for (int i = 0; i < 4; i++)
        fd[i] = dial(&r);
    turn(&r);
    EXPECT_EQ(r.n, 3);
    EXPECT_EQ(listener_stats(r.listener).refused_address, 1);
    EXPECT(is_open(fd[2]) && !is_open(fd[3]));
    stream_close(r.streams[2]);
    r.n = 2;
    fd[4] = dial(&r);                    /* there is room again */
    turn(&r);
    EXPECT_EQ(r.n, 3);
    for (int i = 0; i < 5; i++)
        close(fd[i]);
    rig_close(&r);
}

static struct listener_options
proxied(void)
{
    return (struct listener_options){.fd = -1, .is_proxy_protocol = true};
}

TEST(a_proxy_header_gives_the_address_and_leaves_the_rest)
{
    struct rig r;
    char buf[64], text[ADDR_TEXT_MAX];
    rig_open_at(&r, "127.0.0.1:0", proxied(), 0, 0);
    int fd = dial(&r);

    EXPECT_EQ(send(fd, "PROXY TCP4 192.0.2.7 198.", 25, 0), 25);
    turn(&r);
    EXPECT_EQ(r.n, 0);
    EXPECT_EQ(send(fd, "51.100.1 5000 443\r\nGET /", 24, 0), 24);
    turn(&r);
    EXPECT_EQ(r.n, 1);
    EXPECT_STR(addr_text(&r.streams[0]->peer, text), "192.0.2.7:5000");
    EXPECT(r.streams[0]->has_proxied_addr);
    EXPECT_EQ(stream_try_read(r.streams[0], buf, sizeof(buf)), 5);
    EXPECT(memcmp(buf, "GET /", 5) == 0);
    close(fd);
    rig_close(&r);
}

TEST(no_header_a_foreign_proxy_and_a_slow_one_are_closed)
{
    struct rig r;
    struct addr_net other = {.base = {.kind = ADDR_V4, .ip = {10}}, .bits = 8};
    struct listener_options o = proxied();
    rig_open_at(&r, "127.0.0.1:0", o, 0, 0);
    int fd = dial(&r), slow = dial(&r);

    EXPECT_EQ(send(fd, "GET / HTTP/1.1\r\n", 16, 0), 16);
    turn(&r);
    EXPECT(!is_open(fd));
    EXPECT(is_open(slow));
    EXPECT_EQ(listener_stats(r.listener).refused_proxy, 1);
    clock_advance(&r.clock, INT64_C(11) * 1000000000);
    turn(&r);
    EXPECT(!is_open(slow));
    EXPECT_EQ(r.n, 0);
    close(fd);
    close(slow);
    rig_close(&r);
    o.proxy_peers = &other;
    o.n_proxy_peers = 1;
    rig_open_at(&r, "127.0.0.1:0", o, 0, 0);
    fd = dial(&r);
    turn(&r);
    EXPECT(!is_open(fd));
    EXPECT_EQ(listener_stats(r.listener).refused_proxy, 1);
    close(fd);
    rig_close(&r);
}

TEST(out_of_descriptors_it_pauses_and_goes_on)
{
    struct rig r;
    struct rlimit before, tight;
    int fd[8];
    rig_open_at(&r, "127.0.0.1:0", (struct listener_options){.fd = -1}, 0, 0);

    for (int i = 0; i < 8; i++)
        fd[i] = dial(&r);
    getrlimit(RLIMIT_NOFILE, &before);
    tight = before;
    tight.rlim_cur = (rlim_t)fd[7] + 3;  /* two more and no further */
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
    turn(&r);
    uint64_t pauses = listener_stats(r.listener).accept_pauses;
    EXPECT(pauses >= 1 && pauses <= 2);
    EXPECT(r.n >= 1 && r.n < 8);
    setrlimit(RLIMIT_NOFILE, &before);
    clock_advance(&r.clock, INT64_C(200) * 1000000);
    turn(&r);
    EXPECT(r.n + pauses >= 8);           /* all but those that were closed to make room */
    for (int i = 0; i < 8; i++)
        close(fd[i]);
    rig_close(&r);
}

TEST(a_gentle_close_lets_the_peer_read_the_answer)
{
    struct rig r;
    char big[100000] = {0}, buf[16];
    rig_open_at(&r, "127.0.0.1:0", (struct listener_options){.fd = -1}, 0, 0);
    int fd = dial(&r);

    turn(&r);
    EXPECT_EQ(stream_try_write(r.streams[0], "bye", 3), 3);
    EXPECT(send(fd, big, sizeof(big), MSG_DONTWAIT) > 0);
    stream_close_gently(r.streams[0], 1 << 20, 2000);
    r.n = 0;
    turn(&r);
    EXPECT_EQ(recv(fd, buf, sizeof(buf), 0), 3);
    EXPECT_EQ(recv(fd, buf, sizeof(buf), 0), 0);
    EXPECT_EQ(listener_stats(r.listener).open, 1);
    close(fd);
    turn(&r);
    EXPECT_EQ(listener_stats(r.listener).open, 0);
    rig_close(&r);
}

TEST(a_listener_outlives_its_deletion_until_the_last_stream)
{
    struct rig r;
    rig_open_at(&r, "127.0.0.1:0", (struct listener_options){.fd = -1}, 0, 0);
    int fd = dial(&r);

    turn(&r);
    listener_delete(r.listener);
    stream_close(r.streams[0]);          /* ASan would tell if the listener were gone */
    close(fd);
    turn(&r);
    conn_limits_delete(r.limits);
    loop_delete(r.loop);
}
