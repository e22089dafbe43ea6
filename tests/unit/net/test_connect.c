/* test_connect.c: names, overrides, several addresses, refusals; a small DNS server answers from the same loop.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/connect.c"

#include <fcntl.h>

#include "net/listener.h"
#include "test.h"

/* Answers A with the addresses in `v4`, AAAA with ::1 when has_v6; anything else and other names with NXDOMAIN. */
struct server {
    struct io_watch watch;
    int fd;
    const char *name;                    /* as text: "many.test" */
    uint8_t v4[3][4];
    int n_v4;
    bool has_v6, is_silent;
    uint32_t ttl_s;
    int n_asked;
};

static size_t
read_name(const uint8_t *p, char *to)
{
    size_t at = 12, n = 0;

    while (p[at]) {
        memcpy(to + n, p + at + 1, p[at]);
        n += p[at];
        to[n++] = '.';
        at += p[at] + 1u;
    }
    to[n ? n - 1 : 0] = 0;
    return at + 1;
}

static size_t
add_record(uint8_t *p, size_t at, uint8_t type, uint32_t ttl_s, const uint8_t *data, uint8_t len)
{
    const uint8_t head[] = {0xc0, 12, 0, type, 0, 1, 0, 0, (uint8_t)(ttl_s >> 8), (uint8_t)ttl_s, 0, len};

    memcpy(p + at, head, sizeof(head));
    memcpy(p + at + sizeof(head), data, len);
    return at + sizeof(head) + len;
}

static void
on_query(struct io_watch *w, bool can_in, bool can_out)
{
    struct server *s = CONTAINER_OF(w, struct server, watch);
    static const uint8_t v6_loopback[16] = {[15] = 1};
    struct sockaddr_storage from;
    socklen_t from_len = sizeof(from);
    uint8_t p[1024];
    char name[256];

    ssize_t n = recvfrom(s->fd, p, 512, 0, (struct sockaddr *)&from, &from_len);
    EXPECT(n > 12);
    s->n_asked++;
    if (s->is_silent)
        return;
    size_t question = read_name(p, name);
    uint8_t type = p[question + 1];
    size_t at = question + 4;
    bool is_known = strcmp(name, s->name) == 0;
    uint8_t answers = 0;
    for (int i = 0; is_known && type == 1 && i < s->n_v4; i++, answers++)
        at = add_record(p, at, 1, s->ttl_s, s->v4[i], 4);
    if (is_known && type == 28 && s->has_v6) {
        at = add_record(p, at, 28, s->ttl_s, v6_loopback, 16);
        answers++;
    }
    p[2] = 0x81;
    p[3] = is_known ? 0x80 : 0x83;
    p[6] = 0;
    p[7] = answers;
    memset(p + 8, 0, 4);
    EXPECT_EQ(sendto(s->fd, p, at, 0, (struct sockaddr *)&from, from_len), (ssize_t)at);
}

struct rig {
    struct clock clock;
    struct loop *loop;
    struct server dns;
    struct listener *listener;
    struct addr at;
    struct stream *accepted[8];
    int n_accepted;
    /* One call. */
    struct connect_target target;
    uint64_t timeout_ms;
    bool is_done, ok;
    struct addr peer;
    struct dns_result found;
    struct err err;
};

static void
on_stream(void *ctx, struct stream *s)
{
    struct rig *r = ctx;
    r->accepted[r->n_accepted++ % 8] = s;
}

static void
rig_open(struct rig *r)
{
    struct err err = ERR_INIT;
    struct addr at;
    union addr_socket a;
    socklen_t len;
    char servers[64];

    memset(r, 0, sizeof(*r));
    r->loop = loop_new(&(struct loop_options){.clock = &r->clock}, &err);
    EXPECT_OK(addr_parse(STR("127.0.0.1:0"), 0, &at, &err));
    int fd = listener_bind(&at, 0, 0, true, &err);
    EXPECT((r->listener = listener_new(r->loop,
                &(struct listener_options){.addr = at, .fd = fd, .on_stream = on_stream, .ctx = r}, &err)) != NULL);
    r->at = listener_addr(r->listener);
    r->dns = (struct server){.name = "many.test", .v4 = {{127, 0, 0, 1}}, .n_v4 = 1, .ttl_s = 30, .watch.on_ready = on_query};
    r->dns.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    len = addr_to_sockaddr(&at, &a);
    EXPECT_EQ(bind(r->dns.fd, &a.sa, len), 0);
    getsockname(r->dns.fd, &a.sa, &len);
    EXPECT_OK(io_watch_start(&r->dns.watch, r->loop, r->dns.fd, true, false, &err));
    snprintf(servers, sizeof(servers), "127.0.0.1:%u", ntohs(a.v4.sin_port));
    dns_set_servers(r->loop, servers);
    r->timeout_ms = 5000;
}

static void
rig_close(struct rig *r)
{
    for (int i = 0; i < 5; i++)
        loop_turn(r->loop, 1);
    for (int i = 0; i < MIN(r->n_accepted, 8); i++)
        stream_close(r->accepted[i]);
    listener_delete(r->listener);
    io_watch_stop(&r->dns.watch);
    close(r->dns.fd);
    loop_delete(r->loop);
}

static void
connect_once(void *arg)
{
    struct rig *r = arg;
    struct stream *s = connect_happy(r->loop, &r->target, loop_deadline(r->loop, r->timeout_ms), &r->err);

    r->ok = s != NULL;
    if (s)
        r->peer = s->peer;
    stream_close(s);
    r->is_done = true;
}

static void
look_up_once(void *arg)
{
    struct rig *r = arg;

    r->ok = dns_lookup(r->target.host, loop_deadline(r->loop, r->timeout_ms), &r->found, &r->err);
    r->is_done = true;
}

static void
run(struct rig *r, void (*fn)(void *))
{
    r->is_done = false;
    r->err = ERR_INIT;
    EXPECT(fiber_start(r->loop, fn, r, NULL));
    for (int i = 0; i < 3000 && !r->is_done; i++)
        loop_turn(r->loop, 10);
    EXPECT(r->is_done);
}

TEST(a_name_is_asked_for_once_in_its_lifetime)
{
    struct rig r;
    rig_open(&r);
    r.target = (struct connect_target){.host = STR("Many.Test"), .port = r.at.port};

    run(&r, connect_once);
    EXPECT(r.ok);
    EXPECT(addr_eq(&r.peer, &r.at));
    EXPECT_EQ(r.dns.n_asked, 2);         /* A and AAAA */
    run(&r, connect_once);
    EXPECT(r.ok);
    EXPECT_EQ(r.dns.n_asked, 2);
    clock_advance(&r.clock, INT64_C(31) * 1000000000);
    loop_turn(r.loop, 0);
    run(&r, connect_once);
    EXPECT(r.ok);
    EXPECT_EQ(r.dns.n_asked, 4);
    rig_close(&r);
}

TEST(families_alternate)
{
    struct rig r;
    rig_open(&r);
    r.dns.n_v4 = 3;
    memcpy(r.dns.v4[1], (uint8_t[]){127, 0, 0, 2}, 4);
    memcpy(r.dns.v4[2], (uint8_t[]){127, 0, 0, 3}, 4);
    r.dns.has_v6 = true;
    r.target.host = STR("many.test");
    run(&r, look_up_once);
    EXPECT(r.ok);
    EXPECT_EQ(r.found.n, 4);
    EXPECT(r.found.v[0].kind != r.found.v[1].kind);
    rig_close(&r);
}

TEST(the_next_address_is_tried_when_one_refuses)
{
    struct rig r;
    rig_open(&r);
    r.dns.n_v4 = 2;
    memcpy(r.dns.v4[0], (uint8_t[]){127, 0, 0, 9}, 4);       /* nobody listens there */
    memcpy(r.dns.v4[1], (uint8_t[]){127, 0, 0, 1}, 4);
    r.target = (struct connect_target){.host = STR("many.test"), .port = r.at.port};
    run(&r, connect_once);
    EXPECT(r.ok);
    EXPECT(addr_eq(&r.peer, &r.at));
    rig_close(&r);
}

TEST(what_is_wrong_is_told_apart)
{
    struct rig r;
    rig_open(&r);
    r.target = (struct connect_target){.host = STR("none.test"), .port = r.at.port};
    run(&r, connect_once);
    EXPECT_EQ(r.err.code, ERR_NOT_FOUND);
    EXPECT(strstr(r.err.text, "none.test") != NULL);
    r.target = (struct connect_target){.host = STR("127.0.0.1"), .port = 1};
    run(&r, connect_once);
    EXPECT_EQ(r.err.code, ERR_CONNECT);
    EXPECT(strstr(r.err.text, "127.0.0.1:1") != NULL);
    r.dns.is_silent = true;
    r.timeout_ms = 50;
    r.target.host = STR("slow.test");
    run(&r, connect_once);
    EXPECT_EQ(r.err.code, ERR_TIMEOUT);
    rig_close(&r);
}

static bool
deny_loopback(void *ctx, const struct addr *a, struct err *err)
{
    return !addr_is_internal(a) || err_set(err, ERR_DENIED, "loopback is not allowed");
}

TEST(an_address_can_be_refused_at_connect_time)
{
    struct rig r;
    rig_open(&r);
    r.target = (struct connect_target){.host = STR("many.test"), .port = r.at.port, .allow = deny_loopback};
    run(&r, connect_once);
    EXPECT_EQ(r.err.code, ERR_DENIED);
    EXPECT_EQ(r.n_accepted, 0);
    rig_close(&r);
}

TEST(an_override_goes_elsewhere_without_a_question)
{
    struct rig r;
    rig_open(&r);
    struct connect_override o = {.host = STR("login.example"), .port = 443, .to = r.at};
    r.target = (struct connect_target){.host = STR("Login.example"), .port = 443, .overrides = &o, .n_overrides = 1};
    run(&r, connect_once);
    EXPECT(r.ok);
    EXPECT_EQ(r.dns.n_asked, 0);
    rig_close(&r);
}

TEST(many_fibers_share_one_question)
{
    struct rig r;
    rig_open(&r);
    r.target.host = STR("many.test");
    for (int i = 0; i < 10; i++)
        EXPECT(fiber_start(r.loop, look_up_once, &r, NULL));
    for (int i = 0; i < 100 && fiber_stats(r.loop).n_running; i++)
        loop_turn(r.loop, 10);
    EXPECT(r.ok);
    EXPECT_EQ(r.dns.n_asked, 2);
    rig_close(&r);
}

TEST(the_hosts_file_is_read)
{
    struct rig r;
    rig_open(&r);
    r.target.host = STR("localhost");
    run(&r, look_up_once);
    EXPECT(r.ok);
    EXPECT(addr_is_loopback(&r.found.v[0]));
    rig_close(&r);
}
