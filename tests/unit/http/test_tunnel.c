/* A client, the gateway and an origin, all on one loop: an upgraded connection from end to end. */
#include "http/tunnel.c"
#include "test.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/connect.h"

struct fixture {
    struct clock clock;
    struct loop *loop;
    struct http_server *server;
    struct http_origins *origins;
    struct http_origin *origin;
    struct http_client *client;
    int client_fd, origin_fd;
    struct buf seen;
    bool is_done;
    uint64_t up, down;
};
static struct fixture *now; /* for connect_happy(), which stands in for the network */

struct stream *
connect_happy(struct loop *loop, const struct connect_target *target, uint64_t deadline_ms,
              struct err *err)
{
    int fds[2];

    EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    now->origin_fd = fds[0];
    return stream_from_fd(loop, fds[1], err);
}

static void
on_done(void *ctx, struct http_call *call, uint64_t up, uint64_t down)
{
    struct fixture *f = ctx;

    f->is_done = true;
    f->up = up;
    f->down = down;
}

static void
on_call(void *ctx, struct http_call *call)
{
    struct fixture *f = ctx;
    struct http_exchange_conf conf = {.want_upgrade = true};
    struct http_answer *answer;
    struct err err;

    if (!http_client_exchange(f->client, f->origin, &call->request, NULL, &conf, call->arena,
                              &answer, &err)) {
        http_call_send_error(call, 502, str_from_c(err.text));
        return;
    }
    if (answer->is_upgraded) {
        http_tunnel(call, &answer->response, answer, 60000, on_done, f);
        return;
    }
    http_call_respond(call, &answer->response, answer->body, &err);
    http_answer_close(answer);
}

static void
settle(struct fixture *f)
{
    for (int i = 0; i < 8; i++)
        loop_turn(f->loop, 0);
}

static void
pass_time(struct fixture *f, uint64_t ms)
{
    clock_advance(&f->clock, (int64_t)ms * 1000000);
    settle(f);
}

static void
put(struct fixture *f, int fd, struct str bytes)
{
    EXPECT_EQ(send(fd, bytes.p, bytes.len, MSG_NOSIGNAL), (long long)bytes.len);
    settle(f);
}

static struct str
received(struct fixture *f, int fd)
{
    char bytes[65536];
    ssize_t n;

    buf_clear(&f->seen);
    while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
        buf_add(&f->seen, bytes, (size_t)n);
    return buf_str(&f->seen);
}

static bool
is_closed(struct fixture *f, int fd)
{
    char byte;

    received(f, fd);
    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

#define L "\r\n"

/* Up to the point where both sides speak freely. */
static void
start(struct fixture *f)
{
    struct http_server_conf conf = {.on_call = on_call, .ctx = f};
    struct err err;
    int fds[2];

    *f = (struct fixture){0};
    now = f;
    f->loop = loop_new(&(struct loop_options){.clock = &f->clock}, &err);
    http_limits_init(&conf.limits);
    f->server = http_server_new(f->loop, &conf);
    f->origins = http_origins_new();
    f->origin =
        http_origin_get(f->origins, &(struct http_origin_conf){.host = STR("o"), .port = 80});
    f->client = http_client_new(f->loop, f->origins, NULL);
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    f->client_fd = fds[0];
    http_server_accept(f->server, stream_from_fd(f->loop, fds[1], &err));
    put(f, f->client_fd,
        STR("GET /chat HTTP/1.1" L "Host: o" L "Connection: Upgrade" L "Upgrade: websocket" L L));
    EXPECT(str_find(received(f, f->origin_fd), STR("Upgrade: websocket"), 0) > 0);
    put(f, f->origin_fd,
        STR("HTTP/1.1 101 Switching Protocols" L "Connection: Upgrade" L "Upgrade: websocket" L
            "Sec-WebSocket-Accept: x" L L "hi"));
    EXPECT_STR(received(f, f->client_fd),
               "HTTP/1.1 101 Switching Protocols" L "Sec-WebSocket-Accept: x" L
               "Connection: Upgrade" L "Upgrade: websocket" L L "hi");
}

static void
stop(struct fixture *f)
{
    pass_time(f, 10000);
    EXPECT(f->is_done);
    EXPECT_EQ(http_server_connections(f->server), 0);
    pass_time(f, 10000);              /* what is closed gently is gone by now */
    http_server_delete(f->server);
    http_client_delete(f->client);
    http_origin_unref(f->origin);
    http_origins_delete(f->origins);
    loop_delete(f->loop);
    close(f->client_fd);
    close(f->origin_fd);
    buf_destroy(&f->seen);
}

TEST(bytes_go_both_ways_until_the_origin_ends)
{
    struct fixture f;

    start(&f);
    put(&f, f.client_fd, STR("up 1"));
    EXPECT_STR(received(&f, f.origin_fd), "up 1");
    put(&f, f.origin_fd, STR("down 1"));
    EXPECT_STR(received(&f, f.client_fd), "down 1");
    put(&f, f.client_fd, STR("up 2"));
    EXPECT_STR(received(&f, f.origin_fd), "up 2");
    shutdown(f.origin_fd, SHUT_WR);
    settle(&f);
    EXPECT(is_closed(&f, f.client_fd) && f.is_done);
    EXPECT_EQ(f.up, 8);
    EXPECT_EQ(f.down, 8);
    stop(&f);
}

TEST(a_client_that_ends_is_still_heard_and_ends_the_origin)
{
    struct fixture f;

    start(&f);
    put(&f, f.client_fd, STR("bye"));
    shutdown(f.client_fd, SHUT_WR);
    settle(&f);
    EXPECT_STR(received(&f, f.origin_fd), "bye");
    EXPECT(is_closed(&f, f.origin_fd));
    put(&f, f.origin_fd, STR("last words"));
    EXPECT_STR(received(&f, f.client_fd), "last words");
    EXPECT(!f.is_done);
    pass_time(&f, 5100);              /* the origin goes on silently: cut */
    EXPECT(f.is_done && is_closed(&f, f.client_fd));
    stop(&f);
}

TEST(silence_ends_a_tunnel)
{
    struct fixture f;

    start(&f);
    pass_time(&f, 50000);
    put(&f, f.client_fd, STR("ping"));
    pass_time(&f, 50000);
    EXPECT(!f.is_done);
    pass_time(&f, 11000);
    EXPECT(f.is_done && is_closed(&f, f.client_fd) && is_closed(&f, f.origin_fd));
    EXPECT_EQ(http_server_conf(f.server)->load->tunnels_idle_closed, 1);
    stop(&f);
}

TEST(much_goes_through_with_back_pressure)
{
    struct fixture f;
    static char big[1 << 20];
    size_t sent = 0, got = 0;

    start(&f);
    for (int round = 0; round < 10000 && got < sizeof(big); round++) {
        ssize_t n = sent < sizeof(big)
                        ? send(f.client_fd, big + sent, sizeof(big) - sent, MSG_NOSIGNAL)
                        : 0;
        sent += n > 0 ? (size_t)n : 0;
        settle(&f);
        if (round % 3 == 0)
            got += received(&f, f.origin_fd).len;
    }
    EXPECT_EQ(got, sizeof(big));
    EXPECT(!f.is_done);
    shutdown(f.origin_fd, SHUT_WR);
    stop(&f);
}
