/* The server side of HTTP/1 over a socket pair: bytes in, bytes out, one loop. */
#include "http/server.c"
#include "http/h1_server.c"
#include "test.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
    struct clock clock;
    struct loop *loop;
    struct http_server *server;
    struct http_load load;
    int fd;                           /* the client's end */
    struct buf got;                   /* what the server sent */
    bool is_ended;                    /* the server closed */
    /* How on_call answers. */
    uint32_t calls;
    struct str answer;                /* body; "echo": the request body; "stream": pieces later; "abort" */
    bool ignores_body, must_close;
    struct buf seen;                  /* request lines and bodies */
    int sent_status;
    enum io_status waited;            /* what ended the wait of the answer "wait" */
    struct body *later;
};

static void
on_sent_note(void *ctx, struct http_call *call, int status)
{
    ((struct fixture *)ctx)->sent_status = status;
}

/* A body that gives what the test puts into it. */
struct fed {
    struct body super;
    struct str bytes;
    bool is_over, is_broken;
    body_ready_fn *fn;
    void *ctx;
};
static struct fed fed;

static int
fed_try_read(struct body *b, struct str *ret_piece)
{
    *ret_piece = fed.bytes;
    fed.bytes = STR_NONE;
    return ret_piece->len ? IO_OK : fed.is_broken ? IO_ERROR : fed.is_over ? IO_EOF : IO_AGAIN;
}

static void
fed_when_ready(struct body *b, body_ready_fn *fn, void *ctx)
{
    fed.fn = fn;
    fed.ctx = ctx;
}

static const struct body_ops fed_ops = {
    .name = "fed", .try_read = fed_try_read, .when_ready = fed_when_ready};

static void
note_request(struct fixture *f, struct http_call *call)
{
    struct str piece;
    int status = IO_EOF;

    buf_printf(&f->seen, "%.*s %.*s", STR_ARG(call->request.method_text),
               STR_ARG(call->request.target));
    if (call->body && !f->ignores_body) {
        buf_add_lit(&f->seen, " [");
        while ((status = body_read(call->body, &piece, NO_DEADLINE)) == IO_OK)
            buf_add_str(&f->seen, piece);
        buf_printf(&f->seen, "]%s", status == IO_EOF ? "" : io_status_text(status));
    }
    if (call->request.protocol.p)
        buf_printf(&f->seen, " -> %.*s", STR_ARG(call->request.protocol));
    buf_add_lit(&f->seen, "\n");
}

static void
on_call(void *ctx, struct http_call *call)
{
    struct fixture *f = ctx;
    struct http_response r = {.status = 200, .headers = http_headers_in(call->arena)};
    struct err err = ERR_INIT;

    f->calls++;
    note_request(f, call);
    call->must_close = f->must_close;
    if (str_eq_lit(f->answer, "abort"))
        return;
    if (str_eq_lit(f->answer, "wait"))
        f->waited = fiber_wait(NO_DEADLINE);
    if (str_eq_lit(f->answer, "trailers")) {
        struct http_headers t = http_headers_in(call->arena);
        http_headers_add(&t, STR("X-Sum"), STR("1"));
        http_call_respond(call, &r, body_with_trailers(call->arena, body_from_str(call->arena, STR("body")), &t), &err);
        return;
    }
    if (str_eq_lit(f->answer, "fed")) {
        struct http_response *kept = arena_new(call->arena, struct http_response);
        *kept = r;
        fed = (struct fed){.super = {.ops = &fed_ops, .length = HTTP_LENGTH_UNKNOWN}};
        http_call_send(call, kept, &fed.super, on_sent_note, f);
        return;
    }
    if (str_eq_lit(f->answer, "upgrade")) {
        struct http_response *kept = arena_new(call->arena, struct http_response);
        *kept = r;
        fed = (struct fed){.super = {.ops = &fed_ops, .length = HTTP_LENGTH_UNKNOWN}};
        f->later = http_call_upgrade(call, kept, &fed.super, on_sent_note, f);
        return;
    }
    http_call_respond(call, &r, f->answer.len ? body_from_str(call->arena, f->answer) : NULL, &err);
    f->sent_status = err.code == ERR_NONE ? IO_OK : IO_ERROR;
}

static void
connect_client(struct fixture *f)
{
    int fds[2];
    struct err err;

    if (f->fd > 0)
        close(f->fd);
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    f->fd = fds[0];
    f->is_ended = false;
    http_server_accept(f->server, stream_from_fd(f->loop, fds[1], &err));
}

/* Over TCP, where leaving is more than sending no more. */
static void
connect_tcp_client(struct fixture *f)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct err err;

    if (f->fd > 0)
        close(f->fd);
    EXPECT_EQ(bind(listener, (struct sockaddr *)&at, len), 0);
    EXPECT_EQ(listen(listener, 1), 0);
    EXPECT_EQ(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(f->fd, (struct sockaddr *)&at, len), 0);
    f->is_ended = false;
    http_server_accept(f->server, stream_from_fd(f->loop, accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), &err));
    close(listener);
}

static void
reset_client(struct fixture *f)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    EXPECT_EQ(setsockopt(f->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    close(f->fd);
    f->fd = 0;
}

static void
start(struct fixture *f, void (*adjust)(struct http_limits *))
{
    struct http_server_conf conf = {.on_call = on_call, .ctx = f, .load = &f->load};
    struct err err;

    *f = (struct fixture){.answer = STR("hello"), .sent_status = 99};
    f->loop = loop_new(&(struct loop_options){.clock = &f->clock}, &err);
    http_limits_init(&conf.limits);
    if (adjust)
        adjust(&conf.limits);
    f->server = http_server_new(f->loop, &conf);
    connect_client(f);
}

/* Runs the loop until nothing happens, collecting what the server sends. */
static void
settle(struct fixture *f)
{
    char bytes[65536];
    ssize_t n;

    for (int quiet = 0; quiet < 4; quiet++) {
        loop_turn(f->loop, 0);
        while ((n = recv(f->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
            buf_add(&f->got, bytes, (size_t)n);
            quiet = 0;
        }
        f->is_ended |= n == 0;
    }
}

static void
put(struct fixture *f, struct str bytes)
{
    buf_clear(&f->got);
    EXPECT_EQ(send(f->fd, bytes.p, bytes.len, MSG_NOSIGNAL), (long long)bytes.len);
    settle(f);
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
    http_server_close_all(f->server);
    settle(f);
    EXPECT_EQ(http_server_connections(f->server), 0);
    EXPECT_EQ(http_server_calls(f->server), 0);
    EXPECT_EQ(f->load.exchanges, 0);
    http_server_delete(f->server);
    pass_time(f, 10000);
    loop_delete(f->loop);
    close(f->fd);
    buf_destroy(&f->got);
    buf_destroy(&f->seen);
}

static bool
got(struct fixture *f, const char *part)
{
    return str_find(buf_str(&f->got), str_from_c(part), 0) >= 0;
}

static int
count_of(struct str in, const char *part)
{
    int n = 0;

    for (ptrdiff_t at = 0; (at = str_find(in, str_from_c(part), (size_t)at)) >= 0; at++)
        n++;
    return n;
}

#define L "\r\n"
#define GET(path) "GET " path " HTTP/1.1" L "Host: a" L L
#define EXPECT_ANSWER(f, status, part) \
    do { \
        if (!str_starts_with(buf_str(&(f)->got), STR("HTTP/1.1 " status)) || !got((f), part)) \
            TEST_FAIL("expected %s ... %s, got:\n%.*s", status, part, STR_ARG(buf_str(&(f)->got))); \
    } while (0)

TEST(a_request_is_answered_and_the_connection_lives_on)
{
    struct fixture f;

    start(&f, NULL);
    put(&f, STR(GET("/one")));
    EXPECT_ANSWER(&f, "200 OK", "Content-Length: 5" L);
    EXPECT(got(&f, L L "hello") && got(&f, L "Date: ") && !got(&f, "Connection"));
    put(&f, STR(GET("/two")));
    EXPECT_ANSWER(&f, "200 OK", L L "hello");
    EXPECT(!f.is_ended);
    EXPECT_STR(buf_str(&f.seen), "GET /one\nGET /two\n");
    EXPECT_EQ(f.sent_status, IO_OK);
    finish(&f);
}

TEST(a_request_may_come_byte_by_byte)
{
    struct fixture f;
    struct str bytes = STR("POST /x HTTP/1.1" L "Host: a" L "Transfer-Encoding: chunked" L L
                           "5;x=y" L "hello" L "1" L "!" L "0" L "X-T: 1" L L GET("/next"));

    start(&f, NULL);
    for (size_t i = 0; i < bytes.len; i++) {
        EXPECT_EQ(send(f.fd, bytes.p + i, 1, 0), 1);
        settle(&f);
    }
    EXPECT_STR(buf_str(&f.seen), "POST /x [hello!]\nGET /next\n");
    EXPECT_EQ(count_of(buf_str(&f.got), "HTTP/1.1 200"), 2);
    finish(&f);
}

TEST(pipelined_requests_are_answered_in_order)
{
    struct fixture f;
    struct buf many AUTO(buf_destroy) = BUF_INIT;

    start(&f, NULL);
    for (int i = 0; i < 100; i++)
        buf_printf(&many, "POST /%d HTTP/1.1" L "Host: a" L "Content-Length: 2" L L "%02d", i, i);
    put(&f, buf_str(&many));
    EXPECT_EQ(f.calls, 100);
    EXPECT_EQ(count_of(buf_str(&f.got), "HTTP/1.1 200"), 100);
    EXPECT(str_starts_with(buf_str(&f.seen), STR("POST /0 [00]\nPOST /1 [01]\nPOST /2 [02]\n")));
    finish(&f);
}

TEST(an_error_in_a_pipeline_ends_it)
{
    struct fixture f;

    start(&f, NULL);
    put(&f, STR(GET("/one") "GET /two HTTP/1.1" L "Bad Header: x" L L GET("/three")));
    EXPECT_EQ(f.calls, 1);
    EXPECT_EQ(count_of(buf_str(&f.got), "HTTP/1.1"), 2);
    EXPECT(got(&f, "HTTP/1.1 400 Bad Request") && got(&f, "Connection: close") && f.is_ended);
    EXPECT(got(&f, "{ \"statusCode\": 400, \"message\": \"a header name that is not a token\" }"));
    finish(&f);
}

static void
small_limits(struct http_limits *l)
{
    l->head_bytes = 2048;
    l->target_bytes = 100;
    l->head_fields = 10;
    l->body_bytes = 10;
    l->requests = 3;
    l->exchanges = 1;
}

TEST(limits_answer_with_their_status)
{
    static const struct {
        const char *status;
        struct str bytes;
    } cases[] = {
        {"414", STR_INIT("GET /0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789 HTTP/1.1" L)},
        {"431", STR_INIT("GET / HTTP/1.1" L "Host: a" L "A:1" L "A:1" L "A:1" L "A:1" L "A:1" L "A:1" L "A:1" L "A:1" L "A:1" L "A:1" L)},
        {"413", STR_INIT("POST / HTTP/1.1" L "Host: a" L "Content-Length: 11" L L)},
        {"417", STR_INIT("POST / HTTP/1.1" L "Host: a" L "Content-Length: 1" L "Expect: magic" L L)},
        {"501", STR_INIT("POST / HTTP/1.1" L "Host: a" L "Transfer-Encoding: gzip" L L)},
        {"505", STR_INIT("GET / HTTP/3.0" L)},
        {"405", STR_INIT("TRACE / HTTP/1.1" L "Host: a" L L)},
    };

    for (size_t i = 0; i < COUNTOF(cases); i++) {
        struct fixture f;
        start(&f, small_limits);
        put(&f, cases[i].bytes);
        EXPECT(str_starts_with(buf_str(&f.got), STR("HTTP/1.1 ")));
        EXPECT(str_starts_with(str_skip(buf_str(&f.got), 9), str_from_c(cases[i].status)));
        EXPECT(got(&f, "\"statusCode\": ") && f.is_ended && f.calls == 0);
        finish(&f);
    }
}

TEST(a_head_beyond_its_limit_is_refused_and_one_at_the_limit_is_not)
{
    struct fixture f;
    struct buf head AUTO(buf_destroy) = BUF_INIT;

    for (int over = 0; over < 2; over++) {
        start(&f, small_limits);
        buf_clear(&head);
        buf_add_lit(&head, "GET / HTTP/1.1" L "Host: a" L "X: ");
        while (head.len < 2048u - 4 + (size_t)over)
            buf_add_char(&head, 'x');
        buf_add_lit(&head, L L);
        put(&f, buf_str(&head));
        EXPECT_ANSWER(&f, "", over ? "431" : "200");
        finish(&f);
    }
}

TEST(a_large_head_is_taken_within_the_limit)
{
    struct fixture f;
    struct buf head AUTO(buf_destroy) = BUF_INIT;

    start(&f, NULL);
    buf_add_lit(&head, "GET / HTTP/1.1" L "Host: a" L "X: ");
    while (head.len < 60000)
        buf_add_char(&head, 'x');
    buf_add_lit(&head, L L);
    put(&f, buf_str(&head));
    EXPECT_ANSWER(&f, "200", "hello");
    put(&f, STR(GET("/again")));
    EXPECT_ANSWER(&f, "200", "hello");
    finish(&f);
}

TEST(a_chunked_body_beyond_its_limit_breaks)
{
    struct fixture f;

    start(&f, small_limits);
    put(&f, STR("POST / HTTP/1.1" L "Host: a" L "Transfer-Encoding: chunked" L L "6" L "123456" L
                "5" L "12345" L "0" L L));
    EXPECT_STR(buf_str(&f.seen), "POST / [123456]the connection failed\n");
    finish(&f);
}

TEST(requests_of_a_connection_are_counted)
{
    struct fixture f;

    start(&f, small_limits);
    put(&f, STR(GET("/1") GET("/2") GET("/3") GET("/4")));
    EXPECT_EQ(f.calls, 3);
    EXPECT_EQ(count_of(buf_str(&f.got), "Connection: close"), 1);
    EXPECT(f.is_ended);
    finish(&f);
}

TEST(a_client_that_has_gone_cancels_what_is_done_for_it)
{
    struct fixture f;

    start(&f, NULL);
    f.answer = STR("wait");
    put(&f, STR(GET("/")));
    shutdown(f.fd, SHUT_WR);             /* sends no more, and may still want its answer */
    settle(&f);
    EXPECT_EQ(http_server_calls(f.server), 1);
    EXPECT_EQ(f.waited, IO_OK);
    connect_tcp_client(&f);              /* closes the first */
    put(&f, STR(GET("/")));
    for (int i = 0; i < 1000 && f.calls < 2; i++)
        loop_turn(f.loop, 10);
    EXPECT_EQ(f.waited, IO_OK);
    reset_client(&f);
    for (int i = 0; i < 1000 && f.waited == IO_OK; i++)
        loop_turn(f.loop, 10);
    EXPECT_EQ(f.waited, IO_CANCELLED);
    connect_client(&f);
    finish(&f);
}

TEST(exchanges_in_flight_are_limited)
{
    struct fixture f;
    int first;

    start(&f, small_limits);
    f.answer = STR("fed");
    put(&f, STR(GET("/1")));
    first = f.fd;
    f.fd = 0;
    connect_client(&f);
    put(&f, STR(GET("/2")));
    EXPECT_ANSWER(&f, "503", "Retry-After: 1");
    EXPECT_EQ(f.load.refusals[503 - 400], 1);
    close(first);
    settle(&f);
    finish(&f);
}

TEST(slow_heads_end_with_408_and_silence_with_nothing)
{
    struct fixture f;

    start(&f, NULL);
    put(&f, STR("GET / HTTP/1.1" L "Host"));
    pass_time(&f, 9900);
    put(&f, STR(": a"));
    EXPECT(!f.is_ended);
    pass_time(&f, 200);
    EXPECT_ANSWER(&f, "408", "\"statusCode\": 408");
    EXPECT(f.is_ended);
    connect_client(&f);
    buf_clear(&f.got);
    pass_time(&f, 10100);
    EXPECT(f.is_ended && f.got.len == 0);
    finish(&f);
}

TEST(an_idle_connection_is_closed_after_its_time)
{
    struct fixture f;

    start(&f, NULL);
    put(&f, STR(GET("/")));
    pass_time(&f, 74000);
    EXPECT(!f.is_ended);
    put(&f, STR(GET("/")));
    EXPECT_ANSWER(&f, "200", "hello");
    pass_time(&f, 74000);
    EXPECT(!f.is_ended);
    pass_time(&f, 2000);
    EXPECT(f.is_ended);
    finish(&f);
}

TEST(a_slow_body_breaks_at_its_minimum_rate)
{
    struct fixture f;

    start(&f, NULL);
    put(&f, STR("POST / HTTP/1.1" L "Host: a" L "Content-Length: 100000" L L "x"));
    for (int s = 0; s < 4; s++)
        pass_time(&f, 1000);
    EXPECT_EQ(f.seen.len, 9);
    pass_time(&f, 1100);
    EXPECT(str_find(buf_str(&f.seen), STR("]timed out"), 0) > 0);
    finish(&f);
}

TEST(a_steady_body_may_take_its_time)
{
    struct fixture f;
    char part[300];

    memset(part, 'y', sizeof(part));
    start(&f, NULL);
    f.answer = STR("ok");
    put(&f, STR("POST / HTTP/1.1" L "Host: a" L "Content-Length: 9000" L L));
    for (int s = 0; s < 30; s++) {
        pass_time(&f, 1000);
        put(&f, str_from(part, sizeof(part)));
    }
    EXPECT_ANSWER(&f, "200", "ok");
    finish(&f);
}

TEST(expect_is_answered_when_the_body_is_read)
{
    struct fixture f;

    start(&f, NULL);
    put(&f, STR("POST / HTTP/1.1" L "Host: a" L "Content-Length: 3" L "Expect: 100-continue" L L));
    EXPECT_STR(buf_str(&f.got), "HTTP/1.1 100 Continue\r\n\r\n");
    put(&f, STR("abc"));
    EXPECT_ANSWER(&f, "200", "hello");
    EXPECT_STR(buf_str(&f.seen), "POST / [abc]\n");
    /* Not read: no 100, and the connection ends, as what comes next might be the body or a request. */
    f.ignores_body = true;
    put(&f, STR("POST / HTTP/1.1" L "Host: a" L "Content-Length: 3" L "Expect: 100-continue" L L));
    EXPECT_ANSWER(&f, "200", "Connection: close");
    EXPECT(!got(&f, "100 Continue") && f.is_ended);
    finish(&f);
}

TEST(an_unread_body_is_drained_and_never_taken_for_a_request)
{
    struct fixture f;

    start(&f, NULL);
    f.ignores_body = true;
    put(&f, STR("POST /a HTTP/1.1" L "Host: a" L "Content-Length: 35" L L));
    EXPECT_ANSWER(&f, "200", "hello");
    put(&f, STR(GET("/smuggled") GET("/real")));
    EXPECT_STR(buf_str(&f.seen), "POST /a\nGET /real\n");
    /* Too long to drain: closed. */
    put(&f, STR("POST /b HTTP/1.1" L "Host: a" L "Content-Length: 100000" L L));
    EXPECT_ANSWER(&f, "200", "Connection: close");
    EXPECT(f.is_ended);
    /* Too slow to drain: closed. */
    connect_client(&f);
    put(&f, STR("POST /c HTTP/1.1" L "Host: a" L "Content-Length: 10" L L));
    EXPECT(!f.is_ended);
    pass_time(&f, 2100);
    EXPECT(f.is_ended);
    finish(&f);
}

TEST(the_framing_of_an_answer_follows_request_and_status)
{
    struct fixture f;

    start(&f, NULL);
    put(&f, STR("HEAD / HTTP/1.1" L "Host: a" L L));
    EXPECT_ANSWER(&f, "200", "Content-Length: 5");
    EXPECT(str_ends_with(buf_str(&f.got), STR(L L)));
    put(&f, STR("GET / HTTP/1.0" L "Connection: keep-alive" L L));
    EXPECT_ANSWER(&f, "200", "Connection: keep-alive");
    put(&f, STR("GET / HTTP/1.0" L L));
    EXPECT_ANSWER(&f, "200", "Connection: close");
    EXPECT(f.is_ended);
    finish(&f);
}

TEST(a_body_of_open_length_is_chunked_and_flushed_as_it_comes)
{
    struct fixture f;

    start(&f, NULL);
    f.answer = STR("fed");
    put(&f, STR(GET("/")));
    EXPECT_ANSWER(&f, "200", "Transfer-Encoding: chunked" L L);
    buf_clear(&f.got);
    fed.bytes = STR("data: 1\n\n");
    fed.fn(fed.ctx);
    settle(&f);
    EXPECT_STR(buf_str(&f.got), "9\r\ndata: 1\n\n\r\n");
    buf_clear(&f.got);
    fed.is_over = true;
    fed.fn(fed.ctx);
    settle(&f);
    EXPECT_STR(buf_str(&f.got), "0\r\n\r\n");
    EXPECT_EQ(f.sent_status, IO_OK);
    put(&f, STR(GET("/again")));
    EXPECT_ANSWER(&f, "200", "chunked");
    finish(&f);
}

TEST(trailers_go_to_clients_that_take_them)
{
    struct fixture f;

    start(&f, NULL);
    f.answer = STR("trailers");
    put(&f, STR(GET("/")));
    EXPECT(str_ends_with(buf_str(&f.got), STR("4" L "body" L "0" L L)));
    put(&f, STR("GET / HTTP/1.1" L "Host: a" L "TE: gzip, Trailers;q=1" L "Connection: TE" L L));
    EXPECT(str_ends_with(buf_str(&f.got), STR("4" L "body" L "0" L "X-Sum: 1" L L)));
    finish(&f);
}

TEST(a_body_that_breaks_never_ends_well)
{
    struct fixture f;

    start(&f, NULL);
    f.answer = STR("fed");
    put(&f, STR(GET("/")));
    fed.bytes = STR("part");
    fed.fn(fed.ctx);
    fed.is_broken = true;
    fed.fn(fed.ctx);
    settle(&f);
    EXPECT(f.is_ended && !got(&f, "0\r\n\r\n"));
    EXPECT_EQ(f.sent_status, IO_ERROR);
    finish(&f);
}

TEST(an_aborted_call_closes_without_an_answer)
{
    struct fixture f;

    start(&f, NULL);
    f.answer = STR("abort");
    put(&f, STR(GET("/")));
    EXPECT(f.is_ended && f.got.len == 0);
    finish(&f);
}

TEST(a_client_that_leaves_ends_an_endless_answer)
{
    struct fixture f;

    start(&f, NULL);
    f.answer = STR("fed");
    connect_tcp_client(&f);
    put(&f, STR(GET("/")));
    for (int i = 0; i < 1000 && f.calls < 1; i++)
        loop_turn(f.loop, 10);
    shutdown(f.fd, SHUT_WR);             /* no more requests, but still somebody who reads */
    settle(&f);
    EXPECT_EQ(f.sent_status, 99);
    connect_tcp_client(&f);
    put(&f, STR(GET("/")));
    for (int i = 0; i < 1000 && f.calls < 2; i++)
        loop_turn(f.loop, 10);
    f.sent_status = 99;
    reset_client(&f);
    for (int i = 0; i < 1000 && f.sent_status == 99; i++)
        loop_turn(f.loop, 10);
    EXPECT_EQ(f.sent_status, IO_CANCELLED);
    http_server_close_all(f.server);     /* the first may not have been told */
    settle(&f);
    EXPECT_EQ(http_server_connections(f.server), 0);
    connect_client(&f);
    finish(&f);
}

TEST(a_large_answer_waits_for_a_slow_reader_and_gives_up_on_a_dead_one)
{
    struct fixture f;
    static char big[8 << 20];

    memset(big, 'b', sizeof(big));
    start(&f, NULL);
    f.answer = str_from(big, sizeof(big));
    put(&f, STR(GET("/")));
    EXPECT(got(&f, "Content-Length: 8388608"));
    EXPECT_EQ(f.sent_status, IO_OK);
    EXPECT(f.got.len > sizeof(big));
    EXPECT_EQ(send(f.fd, GET("/"), sizeof(GET("/")) - 1, 0), sizeof(GET("/")) - 1);
    f.sent_status = 99;
    for (int i = 0; i < 10; i++)
        loop_turn(f.loop, 0);
    clock_advance(&f.clock, 31000000000);
    for (int i = 0; i < 10; i++)
        loop_turn(f.loop, 0);
    EXPECT_EQ(f.sent_status, IO_ERROR);
    EXPECT_EQ(http_server_connections(f.server), 0);
    finish(&f);
}

static void
advance(struct fixture *f, uint64_t ms)
{
    clock_advance(&f->clock, (int64_t)ms * 1000000);
    for (int i = 0; i < 10; i++)
        loop_turn(f->loop, 0);
}

/* Robustness reference, T5: the whole answer fits into the socket, and the client takes nothing of it. */
TEST(an_answer_left_in_the_kernel_is_given_up)
{
    struct fixture f;
    static char big[400 << 10];
    char byte;
    int small = 4096;

    memset(big, 'b', sizeof(big));
    start(&f, NULL);
    connect_tcp_client(&f);
    EXPECT(setsockopt(f.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)) == 0);
    f.answer = str_from(big, sizeof(big));
    EXPECT_EQ(send(f.fd, GET("/"), sizeof(GET("/")) - 1, 0), sizeof(GET("/")) - 1);
    for (int i = 0; i < 1000 && !f.calls; i++)
        loop_turn(f.loop, 10);
    advance(&f, 3000);
    EXPECT_EQ(http_server_connections(f.server), 1);
    advance(&f, 8000);
    EXPECT_EQ(http_server_connections(f.server), 1);
    advance(&f, 30000);
    EXPECT_EQ(http_server_connections(f.server), 0);
    EXPECT_EQ(http_server_conf(f.server)->load->unread, 1);
    EXPECT_EQ(http_server_conf(f.server)->load->idle_closed, 0);
    while (recv(f.fd, &byte, 1, 0) > 0)
        ;
    EXPECT_EQ(errno, ECONNRESET);         /* nothing is kept for it */
    finish(&f);
}

TEST(an_upgrade_is_bytes_both_ways)
{
    struct fixture f;
    struct str piece;

    start(&f, NULL);
    f.answer = STR("upgrade");
    put(&f, STR("GET /ws HTTP/1.1" L "Host: a" L "Connection: Upgrade" L "Upgrade: websocket" L L
                "early"));
    EXPECT_ANSWER(&f, "101 Switching Protocols", "Connection: Upgrade" L "Upgrade: websocket" L L);
    EXPECT(!got(&f, "chunked") && !got(&f, "Content-Length"));
    EXPECT_EQ(body_try_read(f.later, &piece), IO_OK);
    EXPECT_STR(piece, "early");
    EXPECT_EQ(body_try_read(f.later, &piece), IO_AGAIN);
    buf_clear(&f.got);
    fed.bytes = STR("down");
    fed.fn(fed.ctx);
    put(&f, STR("up"));
    EXPECT_EQ(body_try_read(f.later, &piece), IO_OK);
    EXPECT_STR(piece, "up");
    fed.is_over = true;
    fed.fn(fed.ctx);
    settle(&f);
    EXPECT(f.is_ended);
    finish(&f);
}

TEST(who_speaks_http_1_0_or_sends_a_body_gets_no_upgrade)
{
    struct fixture f;

    start(&f, NULL);
    put(&f, STR("GET /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
    EXPECT(got(&f, "hello"));
    put(&f, STR("POST /b HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx"));
    EXPECT(got(&f, "hello"));
    put(&f, STR("GET /c HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
    EXPECT(got(&f, "hello"));
    EXPECT_STR(buf_str(&f.seen), "GET /a -> websocket\nPOST /b [x]\nGET /c\n");
    finish(&f);
}

TEST(draining_closes_on_the_next_answer_and_after_a_quiet_second)
{
    struct fixture f;

    start(&f, NULL);
    put(&f, STR(GET("/")));
    http_server_drain(f.server, NULL, NULL);
    settle(&f);
    EXPECT(!f.is_ended);
    put(&f, STR(GET("/")));
    EXPECT_ANSWER(&f, "200", "Connection: close");
    EXPECT(f.is_ended);
    finish(&f);
    start(&f, NULL);
    put(&f, STR(GET("/")));
    http_server_drain(f.server, NULL, NULL);
    pass_time(&f, 900);
    EXPECT(!f.is_ended);
    pass_time(&f, 200);
    EXPECT(f.is_ended);
    finish(&f);
}

TEST(an_idle_connection_holds_no_buffer_and_little_memory)
{
    struct fixture f;
    struct h1_conn *c;

    start(&f, NULL);
    put(&f, STR(GET("/")));
    c = (struct h1_conn *)list_first(&f.server->conns, struct http_server_conn, link);
    EXPECT(!c->in.buf && !c->exchange);
    EXPECT(sizeof(struct h1_conn) + sizeof(struct stream) < 700);
    put(&f, STR("GET /slow HTTP/1.1" L));
    EXPECT(c->in.buf->cap <= 512);
    finish(&f);
}
