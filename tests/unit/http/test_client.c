/* Exchanges with a scripted origin over socket pairs: pools, resends, deadlines, and answers that must not be
 * trusted. */
#include "http/client.c"
#include "test.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"

#define ORIGINS_MAX 16

struct fixture {
    struct clock clock;
    struct loop *loop;
    struct http_origins *origins;
    struct http_origin *origin;
    struct http_client *client;
    int fd[ORIGINS_MAX];              /* the origin's ends, in the order they were connected */
    int n;
    bool is_down;                     /* connecting fails */
    struct buf seen;                  /* what the origin received last */
};
static struct fixture *now; /* for connect_happy(), which stands in for the network */

struct stream *
connect_happy(struct loop *loop, const struct connect_target *target, uint64_t deadline_ms,
              struct err *err)
{
    int fds[2];

    if (now->is_down) {
        err_set(err, ERR_CONNECT, "refused");
        return NULL;
    }
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    now->fd[now->n++] = fds[0];
    return stream_from_fd(loop, fds[1], err);
}

static void
start(struct fixture *f, const struct http_origin_conf *conf)
{
    struct http_origin_conf standard = {.host = STR("origin"), .port = 80};
    struct err err;

    *f = (struct fixture){0};
    now = f;
    f->loop = loop_new(&(struct loop_options){.clock = &f->clock}, &err);
    f->origins = http_origins_new();
    f->origin = http_origin_get(f->origins, conf ? conf : &standard);
    f->client = http_client_new(f->loop, f->origins, NULL);
}

static void
settle(struct fixture *f)
{
    for (int i = 0; i < 6; i++)
        loop_turn(f->loop, 0);
}

static void
pass_time(struct fixture *f, uint64_t ms)
{
    clock_advance(&f->clock, (int64_t)ms * 1000000);
    settle(f);
}

static void
finish(struct fixture *f)
{
    uint32_t connections, waiting;

    http_client_delete(f->client);
    settle(f);
    http_origin_load(f->origin, &connections, &waiting);
    EXPECT_EQ(connections, 0);
    EXPECT_EQ(waiting, 0);
    http_origin_unref(f->origin);
    http_origins_delete(f->origins);
    loop_delete(f->loop);
    for (int i = 0; i < f->n; i++)
        close(f->fd[i]);
    buf_destroy(&f->seen);
}

/* ---- one exchange on a fiber ---- */

struct exchange {
    struct fixture *f;
    struct arena arena;
    struct http_request request;
    struct http_exchange_conf conf;
    struct body *body;
    bool holds_answer;                /* does not read or close it */
    bool is_over, ok;
    struct err err;
    struct http_answer *answer;
    uint16_t status;
    struct buf text;                  /* of the answer */
    int end;                          /* how its body ended */
    struct http_timing timing;
    struct str trailer;
};

static void
read_answer_body(struct exchange *x)
{
    struct str piece;

    x->end = IO_EOF;
    while (x->answer->body && (x->end = body_read(x->answer->body, &piece, NO_DEADLINE)) == IO_OK)
        buf_add_str(&x->text, piece);
    if (x->answer->body && body_trailers(x->answer->body))
        x->trailer = str_dup(&x->arena, body_trailers(x->answer->body)->v[0].value);
}

static void
exchange_fiber(void *arg)
{
    struct exchange *x = arg;

    x->ok = http_client_exchange(x->f->client, x->f->origin, &x->request, x->body, &x->conf,
                                 &x->arena, &x->answer, &x->err);
    if (x->ok) {
        x->status = x->answer->response.status;
        x->timing = x->answer->timing;
        if (!x->holds_answer) {
            read_answer_body(x);
            http_answer_close(x->answer);
        }
    }
    x->is_over = true;
}

static void
prepare(struct exchange *x, struct fixture *f, const char *method)
{
    *x = (struct exchange){.f = f, .arena = ARENA(NULL, 1 << 20), .end = 99};
    x->request = (struct http_request){
        .method = http_method_from(str_from_c(method)),
        .method_text = str_from_c(method),
        .authority = STR("origin"),
        .path = STR("/x"),
        .headers = http_headers_in(&x->arena),
    };
}

static void
go(struct exchange *x)
{
    EXPECT(fiber_start(x->f->loop, exchange_fiber, x, NULL));
    settle(x->f);
}

static void
done(struct exchange *x)
{
    EXPECT(x->is_over);
    buf_destroy(&x->text);
    arena_destroy(&x->arena);
}

/* What the origin received on connection i. */
static struct str
received(struct fixture *f, int i)
{
    char bytes[65536];
    ssize_t n;

    buf_clear(&f->seen);
    while ((n = recv(f->fd[i], bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
        buf_add(&f->seen, bytes, (size_t)n);
    return buf_str(&f->seen);
}

static bool
is_closed(struct fixture *f, int i)
{
    char byte;

    received(f, i);
    return recv(f->fd[i], &byte, 1, MSG_DONTWAIT) == 0;
}

static void
reply(struct fixture *f, int i, struct str bytes)
{
    EXPECT_EQ(send(f->fd[i], bytes.p, bytes.len, MSG_NOSIGNAL), (long long)bytes.len);
    settle(f);
}

#define L "\r\n"
#define OK "HTTP/1.1 200 OK" L
#define OK2 OK "Content-Length: 2" L L "ok"

TEST(an_exchange_leaves_its_connection_for_the_next)
{
    struct fixture f;
    struct exchange x;

    start(&f, NULL);
    for (int i = 0; i < 3; i++) {
        prepare(&x, &f, "GET");
        http_headers_add(&x.request.headers, STR("Accept"), STR("*/*"));
        go(&x);
        EXPECT_STR(received(&f, 0), "GET /x HTTP/1.1\r\nHost: origin\r\nAccept: */*\r\n\r\n");
        reply(&f, 0, STR(OK2));
        EXPECT(x.ok && x.status == 200 && x.end == IO_EOF);
        EXPECT_STR(buf_str(&x.text), "ok");
        EXPECT_EQ(x.timing.is_reused, i > 0);
        done(&x);
    }
    EXPECT_EQ(f.n, 1);
    finish(&f);
}

TEST(bodies_go_out_framed_by_what_is_known)
{
    struct fixture f;
    struct exchange x;
    struct http_headers trailers;

    start(&f, NULL);
    prepare(&x, &f, "POST");
    x.body = body_from_str(&x.arena, STR("hello"));
    go(&x);
    EXPECT_STR(received(&f, 0),
               "POST /x HTTP/1.1\r\nHost: origin\r\nContent-Length: 5\r\n\r\nhello");
    reply(&f, 0, STR("HTTP/1.1 204 No Content" L L));
    EXPECT(x.ok && x.status == 204);
    done(&x);
    prepare(&x, &f, "POST");
    go(&x);
    EXPECT_STR(received(&f, 0), "POST /x HTTP/1.1\r\nHost: origin\r\nContent-Length: 0\r\n\r\n");
    reply(&f, 0, STR(OK2));
    done(&x);
    prepare(&x, &f, "PUT");
    trailers = http_headers_in(&x.arena);
    http_headers_add(&trailers, STR("X-Sum"), STR("1"));
    x.body = body_with_trailers(&x.arena, body_from_str(&x.arena, STR("hello")), &trailers);
    go(&x);
    EXPECT_STR(received(&f, 0),
               "PUT /x HTTP/1.1\r\nHost: origin\r\nTransfer-Encoding: chunked\r\n\r\n"
               "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n");
    reply(&f, 0, STR(OK2));
    EXPECT(x.ok && f.n == 1);
    done(&x);
    finish(&f);
}

TEST(answers_are_read_however_they_are_framed)
{
    static const struct {
        struct str bytes;
        const char *text;
        bool is_closed;               /* the origin closes to end it */
        bool is_kept;
    } cases[] = {
        {STR_INIT(OK "Transfer-Encoding: chunked" L L "5" L "hello" L "1;x" L "!" L "0" L "X-T: v" L L), "hello!", false, true},
        {STR_INIT(OK "Content-Length: 0" L L), "", false, true},
        {STR_INIT(OK L "until the end"), "until the end", true, false},
        {STR_INIT("HTTP/1.0 200 OK" L "Content-Length: 2" L L "ok"), "ok", false, false},
        {STR_INIT("HTTP/1.1 103 Early Hints" L "Link: x" L L OK2), "ok", false, true},
        {STR_INIT("HTTP/1.1 100 Continue" L L "HTTP/1.1 102 Processing" L L OK2), "ok", false, true},
        {STR_INIT(OK "Connection: close" L "Content-Length: 2" L L "ok"), "ok", false, false},
    };

    for (size_t i = 0; i < COUNTOF(cases); i++) {
        struct fixture f;
        struct exchange x;
        start(&f, NULL);
        prepare(&x, &f, "GET");
        go(&x);
        for (size_t at = 0; at < cases[i].bytes.len; at++)
            reply(&f, 0, str_sub(cases[i].bytes, at, at + 1));
        if (cases[i].is_closed)
            shutdown(f.fd[0], SHUT_WR);
        settle(&f);
        EXPECT(x.is_over && x.ok && x.end == IO_EOF);
        EXPECT_STR(buf_str(&x.text), cases[i].text);
        EXPECT_EQ(is_closed(&f, 0), !cases[i].is_kept);
        done(&x);
        finish(&f);
    }
}

TEST(answers_that_can_be_read_two_ways_are_errors)
{
    static const struct str cases[] = {
        STR_INIT(OK "Content-Length: 2" L "Transfer-Encoding: chunked" L L "0" L L),
        STR_INIT(OK "Content-Length: 2" L "Content-Length: 2" L L "ok"),
        STR_INIT("HTTP/1.1 101 Switching Protocols" L L),
        STR_INIT("HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
        STR_INIT("hello"),
        STR_INIT("HTTP/2.0 200 OK" L L),
        STR_INIT(OK "X: a\x01" L L),
        STR_INIT("HTTP/1.1 100 Continue" L L "HTTP/1.1 100 Continue" L L "HTTP/1.1 100 Continue" L L
                 "HTTP/1.1 100 Continue" L L "HTTP/1.1 100 Continue" L L "HTTP/1.1 100 Continue" L L
                 "HTTP/1.1 100 Continue" L L "HTTP/1.1 100 Continue" L L
                 "HTTP/1.1 100 Continue" L L OK2),
    };

    for (size_t i = 0; i < COUNTOF(cases); i++) {
        struct fixture f;
        struct exchange x;
        start(&f, NULL);
        prepare(&x, &f, "GET");
        go(&x);
        reply(&f, 0, cases[i]);
        EXPECT(x.is_over && !x.ok);
        EXPECT_EQ(x.err.code, ERR_PROTOCOL);
        EXPECT(is_closed(&f, 0) && f.n == 1);
        done(&x);
        finish(&f);
    }
}

TEST(half_an_answer_is_a_broken_body)
{
    static const struct str cases[] = {
        STR_INIT(OK "Content-Length: 5" L L "he"),
        STR_INIT(OK "Transfer-Encoding: chunked" L L "5" L "he"),
        STR_INIT(OK "Transfer-Encoding: chunked" L L "2" L "he" L),
        STR_INIT(OK "Transfer-Encoding: chunked" L L "2" L "he" L "0" L),
        STR_INIT(OK "Transfer-Encoding: chunked" L L "2" L "hex" L "0" L L),
    };

    for (size_t i = 0; i < COUNTOF(cases); i++) {
        struct fixture f;
        struct exchange x;
        start(&f, NULL);
        prepare(&x, &f, "GET");
        go(&x);
        reply(&f, 0, cases[i]);
        shutdown(f.fd[0], SHUT_WR);
        settle(&f);
        EXPECT(x.is_over && x.ok && x.end == IO_ERROR);
        done(&x);
        finish(&f);
    }
}

TEST(surplus_bytes_close_a_connection)
{
    struct fixture f;
    struct exchange x;

    start(&f, NULL);
    prepare(&x, &f, "GET");
    go(&x);
    reply(&f, 0, STR(OK2 "HTTP/1.1 200 OK" L));
    EXPECT(x.ok && is_closed(&f, 0));
    done(&x);
    prepare(&x, &f, "HEAD");
    go(&x);
    reply(&f, 1, STR(OK "Content-Length: 2" L L));
    EXPECT(x.ok && x.end == IO_EOF && !is_closed(&f, 1));
    done(&x);
    reply(&f, 1, STR("ok"));          /* the body a HEAD must not have, late */
    EXPECT(is_closed(&f, 1));
    prepare(&x, &f, "GET");
    go(&x);
    EXPECT_EQ(f.n, 3);
    reply(&f, 2, STR(OK2));
    done(&x);
    finish(&f);
}

TEST(a_request_that_met_a_dead_connection_is_sent_again_once)
{
    static const struct {
        const char *method;
        bool is_resent;
    } cases[] = {{"GET", true}, {"PUT", true}, {"DELETE", true}, {"PROPFIND", true}, {"REPORT", true}, {"POST", false},
                 {"PATCH", false}, {"LOCK", false}, {"ANYTHING", false}};

    for (size_t i = 0; i < COUNTOF(cases); i++) {
        struct fixture f;
        struct exchange x;
        start(&f, NULL);
        prepare(&x, &f, "GET");
        go(&x);
        reply(&f, 0, STR(OK2));
        done(&x);
        prepare(&x, &f, cases[i].method);
        x.body = body_from_str(&x.arena, STR("data"));
        go(&x);
        EXPECT(received(&f, 0).len > 0);
        close(f.fd[0]);               /* it read the request, and died */
        f.fd[0] = -1;
        settle(&f);
        EXPECT_EQ(f.n, cases[i].is_resent ? 2 : 1);
        if (cases[i].is_resent) {
            EXPECT(str_ends_with(received(&f, 1), STR(L L "data")));
            reply(&f, 1, STR(OK2));
            EXPECT(x.ok && x.timing.is_resent);
        } else {
            EXPECT(x.is_over && !x.ok && x.err.code == ERR_CLOSED);
        }
        done(&x);
        finish(&f);
    }
}

TEST(a_fresh_connection_that_dies_is_not_tried_again)
{
    struct fixture f;
    struct exchange x;

    start(&f, NULL);
    prepare(&x, &f, "GET");
    go(&x);
    shutdown(f.fd[0], SHUT_RDWR);
    settle(&f);
    EXPECT(x.is_over && !x.ok && x.err.code == ERR_CLOSED && f.n == 1);
    done(&x);
    f.is_down = true;
    prepare(&x, &f, "GET");
    go(&x);
    EXPECT(x.is_over && !x.ok && x.err.code == ERR_CONNECT);
    done(&x);
    finish(&f);
}

TEST(deadlines_are_told_apart)
{
    struct fixture f;
    struct exchange x;

    start(&f, NULL);
    prepare(&x, &f, "GET");
    x.conf.deadlines.first_byte_ms = 500;
    go(&x);
    pass_time(&f, 400);
    EXPECT(!x.is_over);
    pass_time(&f, 200);
    EXPECT(x.is_over && !x.ok && x.err.code == ERR_TIMEOUT);
    done(&x);
    prepare(&x, &f, "GET");
    x.conf.deadlines.idle_ms = 1000;
    go(&x);
    reply(&f, 1, STR(OK "Content-Length: 5" L L "he"));
    pass_time(&f, 900);
    reply(&f, 1, STR("l"));
    pass_time(&f, 900);
    EXPECT(!x.is_over);
    pass_time(&f, 200);
    EXPECT(x.is_over && x.ok && x.end == IO_TIMEOUT);
    done(&x);
    prepare(&x, &f, "GET");
    x.conf.deadlines.total_at_ms = loop_now_ms(f.loop) + 2000;
    go(&x);
    reply(&f, 2, STR(OK "Content-Length: 5" L L "he"));
    pass_time(&f, 2100);
    EXPECT(x.is_over && x.ok && x.end == IO_TIMEOUT);
    done(&x);
    finish(&f);
}

TEST(idle_connections_are_closed_in_time_and_when_the_origin_closes)
{
    struct fixture f;
    struct exchange x;

    start(&f, &(struct http_origin_conf){.host = STR("o"), .port = 1, .idle_ms = 5000});
    for (int i = 0; i < 2; i++) {
        prepare(&x, &f, "GET");
        go(&x);
        reply(&f, i, STR(OK2));
        done(&x);
        if (i == 0) {
            pass_time(&f, 4900);
            EXPECT(!is_closed(&f, 0));
            pass_time(&f, 200);
            EXPECT(is_closed(&f, 0));
        } else {
            shutdown(f.fd[1], SHUT_WR);
            settle(&f);
            EXPECT(is_closed(&f, 1));
        }
    }
    finish(&f);
}

TEST(connections_of_an_origin_are_limited_and_waited_for_in_order)
{
    struct fixture f;
    struct exchange x[4];
    uint32_t connections, waiting;

    start(&f, &(struct http_origin_conf){
                  .host = STR("o"), .port = 1, .connections_max = 2, .waiting_max = 1});
    for (int i = 0; i < 4; i++) {
        prepare(&x[i], &f, "GET");
        go(&x[i]);
    }
    EXPECT_EQ(f.n, 2);
    EXPECT(x[3].is_over && !x[3].ok && x[3].err.code == ERR_LIMIT);
    http_origin_load(f.origin, &connections, &waiting);
    EXPECT(connections == 2 && waiting == 1);
    reply(&f, 0, STR(OK2));
    EXPECT(x[0].ok && !x[2].is_over && f.n == 2);
    EXPECT(received(&f, 0).len > 0);
    reply(&f, 0, STR(OK2));
    EXPECT(x[2].ok);
    close(f.fd[1]);
    f.fd[1] = -1;
    settle(&f);
    EXPECT(x[1].is_over && !x[1].ok);
    for (int i = 0; i < 4; i++)
        done(&x[i]);
    finish(&f);
}

TEST(waiting_for_a_connection_ends_at_its_deadline)
{
    struct fixture f;
    struct exchange x, y;

    start(&f, &(struct http_origin_conf){.host = STR("o"), .port = 1, .connections_max = 1});
    prepare(&x, &f, "GET");
    go(&x);
    prepare(&y, &f, "GET");
    y.conf.deadlines.connect_ms = 300;
    go(&y);
    pass_time(&f, 400);
    EXPECT(y.is_over && !y.ok && y.err.code == ERR_TIMEOUT);
    reply(&f, 0, STR(OK2));
    EXPECT(x.ok);
    done(&x);
    done(&y);
    finish(&f);
}

TEST(an_early_answer_is_taken_and_ends_the_connection)
{
    struct fixture f;
    struct exchange x;
    static char big[8 << 20];

    start(&f, NULL);
    prepare(&x, &f, "POST");
    x.body = body_from_str(&x.arena, str_from(big, sizeof(big)));
    go(&x);
    reply(&f, 0, STR("HTTP/1.1 413 Content Too Large" L "Content-Length: 2" L L "no"));
    EXPECT(x.is_over && x.ok && x.status == 413);
    EXPECT(is_closed(&f, 0));
    done(&x);
    finish(&f);
}

TEST(a_request_body_that_breaks_ends_the_exchange)
{
    struct fixture f;
    struct exchange x;

    start(&f, NULL);
    prepare(&x, &f, "POST");
    x.body = body_broken(&x.arena, IO_ERROR);
    go(&x);
    EXPECT(x.is_over && !x.ok && x.err.code == ERR_CLOSED);
    EXPECT(!str_ends_with(received(&f, 0), STR("0\r\n\r\n")));
    done(&x);
    finish(&f);
}

TEST(expect_holds_the_body_back_for_a_second)
{
    struct fixture f;
    struct exchange x;

    start(&f, NULL);
    for (int i = 0; i < 2; i++) {
        prepare(&x, &f, "POST");
        x.conf.continue_ms = 1000;
        x.body = body_from_str(&x.arena, STR("hello"));
        go(&x);
        EXPECT(str_ends_with(received(&f, 0),
                             STR("Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")));
        if (i == 0)
            reply(&f, 0, STR("HTTP/1.1 100 Continue" L L));
        else
            pass_time(&f, 1100);
        EXPECT_STR(received(&f, 0), "hello");
        reply(&f, 0, STR(OK2));
        EXPECT(x.ok && x.status == 200);
        done(&x);
    }
    prepare(&x, &f, "POST");
    x.conf.continue_ms = 1000;
    x.body = body_from_str(&x.arena, STR("hello"));
    go(&x);
    received(&f, 0);
    reply(&f, 0, STR("HTTP/1.1 401 Unauthorized" L "Content-Length: 0" L L));
    EXPECT(x.ok && x.status == 401 && is_closed(&f, 0));
    done(&x);
    finish(&f);
}

TEST(trailers_arrive_behind_the_body)
{
    struct fixture f;
    struct exchange x;

    start(&f, NULL);
    prepare(&x, &f, "GET");
    x.conf.want_trailers = true;
    go(&x);
    EXPECT(str_find(received(&f, 0), STR("TE: trailers\r\nConnection: TE\r\n"), 0) > 0);
    reply(&f, 0,
          STR(OK "Transfer-Encoding: chunked" L L "2" L "ok" L "0" L "X-Sum: 7" L
                 "Content-Length: 1" L L));
    EXPECT_STR(x.trailer, "7");
    done(&x);
    finish(&f);
}

TEST(an_upgrade_hands_out_both_directions)
{
    struct fixture f;
    struct exchange x;
    struct str piece;

    start(&f, NULL);
    prepare(&x, &f, "GET");
    x.conf.want_upgrade = true;
    x.request.protocol = STR("websocket");
    x.holds_answer = true;
    go(&x);
    EXPECT(str_find(received(&f, 0), STR("Connection: Upgrade\r\nUpgrade: websocket\r\n"), 0) > 0);
    reply(&f, 0, STR("HTTP/1.1 101 Switching Protocols" L "Upgrade: websocket" L L "first"));
    EXPECT(x.ok && x.answer->is_upgraded);
    EXPECT_EQ(body_try_read(x.answer->body, &piece), IO_OK);
    EXPECT_STR(piece, "first");
    http_answer_upgrade(x.answer, body_from_str(&x.arena, STR("up")), NULL, NULL);
    settle(&f);
    EXPECT_STR(received(&f, 0), "up");
    EXPECT(is_closed(&f, 0));         /* our side was shut down behind it */
    http_answer_close(x.answer);
    done(&x);
    finish(&f);
}

TEST(a_head_that_cannot_be_sent_is_refused)
{
    struct fixture f;
    struct exchange x;

    start(&f, NULL);
    prepare(&x, &f, "GET");
    http_headers_add(&x.request.headers, STR("X"), STR("a\r\nY: b"));
    go(&x);
    EXPECT(x.is_over && !x.ok && x.err.code == ERR_INVALID);
    done(&x);
    finish(&f);
}

/* ---- bodies that come slowly (upload.h) ---- */

/* A client's body: what was fed of it so far. */
struct slow_body {
    struct body super;
    struct str fed;                   /* and not yet read */
    bool is_over;
    body_ready_fn *ready;
    void *ctx;
};

static int
slow_try_read(struct body *b, struct str *ret_piece)
{
    struct slow_body *s = (struct slow_body *)b;

    if (!s->fed.len)
        return s->is_over ? IO_EOF : IO_AGAIN;
    *ret_piece = s->fed;
    s->fed = STR_NONE;
    return IO_OK;
}

static void
slow_when_ready(struct body *b, body_ready_fn *fn, void *ctx)
{
    struct slow_body *s = (struct slow_body *)b;

    s->ready = fn;
    s->ctx = ctx;
}

static const struct body_ops slow_ops = {.name = "slow", .try_read = slow_try_read, .when_ready = slow_when_ready};

static void
feed(struct slow_body *s, struct exchange *x, struct str bytes, bool is_over)
{
    body_ready_fn *ready = s->ready;

    s->fed = bytes;
    s->is_over = is_over;
    s->ready = NULL;
    if (ready)
        ready(s->ctx);
    settle(x->f);
}

static void
post_slowly(struct exchange *x, struct slow_body *s, struct fixture *f, int64_t length)
{
    prepare(x, f, "POST");
    *s = (struct slow_body){.super = {.ops = &slow_ops, .length = length}};
    x->body = &s->super;
    go(x);
}

TEST(requests_whose_bodies_do_not_come_take_half_of_the_connections)
{
    struct fixture f;
    struct exchange x[4];
    struct slow_body body[3];

    start(&f, &(struct http_origin_conf){.host = STR("o"), .port = 1, .connections_max = 4});
    for (int i = 0; i < 3; i++)
        post_slowly(&x[i], &body[i], &f, HTTP_LENGTH_UNKNOWN);
    EXPECT_EQ(f.n, 2);
    prepare(&x[3], &f, "GET");        /* the others do not wait for them */
    go(&x[3]);
    EXPECT_EQ(f.n, 3);
    EXPECT(str_starts_with(received(&f, 2), STR("GET ")));
    reply(&f, 2, STR(OK2));
    EXPECT(x[3].ok);
    done(&x[3]);
    feed(&body[2], &x[2], STR("some"), false);
    EXPECT(received(&f, 2).len == 0 && f.n == 3); /* not on the idle one either */
    feed(&body[2], &x[2], STR(" more"), true);    /* whole: nothing to wait for */
    EXPECT(str_ends_with(received(&f, 2), STR(L L "9" L "some more" L "0" L L)));
    reply(&f, 2, STR(OK2));
    EXPECT(x[2].ok);
    feed(&body[0], &x[0], STR("end"), true);
    feed(&body[1], &x[1], STR("end"), true);
    reply(&f, 0, STR(OK2));
    reply(&f, 1, STR(OK2));
    EXPECT_EQ(f.origin->n_uploads, 0);
    for (int i = 0; i < 3; i++)
        done(&x[i]);
    finish(&f);
}

TEST(a_slow_body_gets_the_place_of_one_that_is_through)
{
    struct fixture f;
    struct exchange x[2];
    struct slow_body body[2];

    start(&f, &(struct http_origin_conf){.host = STR("o"), .port = 1, .connections_max = 2});
    for (int i = 0; i < 2; i++)
        post_slowly(&x[i], &body[i], &f, 6);
    EXPECT_EQ(f.n, 1);
    feed(&body[1], &x[1], STR("abc"), false);
    feed(&body[0], &x[0], STR("abcdef"), true);
    pass_time(&f, 1000);
    EXPECT_EQ(f.n, 2);
    EXPECT(str_ends_with(received(&f, 1), STR(L L "abc")));
    feed(&body[1], &x[1], STR("def"), true);
    EXPECT_STR(received(&f, 1), "def");
    for (int i = 0; i < 2; i++) {
        reply(&f, i, STR(OK2));
        EXPECT(x[i].ok);
        done(&x[i]);
    }
    EXPECT_EQ(f.origin->n_uploads, 0);
    finish(&f);
}

TEST(a_slow_body_without_a_place_is_given_up_in_time)
{
    struct fixture f;
    struct exchange x[2];
    struct slow_body body[2];

    start(&f, &(struct http_origin_conf){.host = STR("o"), .port = 1, .connections_max = 1});
    for (int i = 0; i < 2; i++)
        post_slowly(&x[i], &body[i], &f, 6);
    EXPECT_EQ(f.n, 1);
    for (int i = 0; i < 60 && !x[1].is_over; i++)
        pass_time(&f, 250);
    EXPECT(x[1].is_over && !x[1].ok && x[1].err.code == ERR_LIMIT);
    close(f.fd[0]);
    f.fd[0] = -1;
    settle(&f);
    EXPECT(x[0].is_over && !x[0].ok);
    EXPECT_EQ(f.origin->n_uploads, 0);
    for (int i = 0; i < 2; i++)
        done(&x[i]);
    finish(&f);
}

TEST(a_body_that_was_read_ahead_is_sent_again_to_a_fresh_connection)
{
    struct fixture f;
    struct exchange x[2], first;
    struct slow_body body[2];

    start(&f, &(struct http_origin_conf){.host = STR("o"), .port = 1, .connections_max = 2});
    prepare(&first, &f, "GET");
    post_slowly(&x[0], &body[0], &f, 6);
    go(&first);
    reply(&f, 1, STR(OK2));
    done(&first);
    prepare(&x[1], &f, "PUT");
    body[1] = (struct slow_body){.super = {.ops = &slow_ops, .length = 4}};
    x[1].body = &body[1].super;
    go(&x[1]);
    feed(&body[1], &x[1], STR("data"), true);
    EXPECT(str_ends_with(received(&f, 1), STR(L L "data")));
    close(f.fd[1]);                   /* the kept connection was dead */
    f.fd[1] = -1;
    settle(&f);
    EXPECT_EQ(f.n, 3);
    EXPECT(str_ends_with(received(&f, 2), STR(L L "data")));
    reply(&f, 2, STR(OK2));
    EXPECT(x[1].ok && x[1].timing.is_resent);
    feed(&body[0], &x[0], STR("abcdef"), true);
    reply(&f, 0, STR(OK2));
    EXPECT_EQ(f.origin->n_uploads, 0);
    done(&x[0]);
    done(&x[1]);
    finish(&f);
}
