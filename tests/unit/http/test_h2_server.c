/* HTTP/2 requests become calls, and answers come back: against nghttp2's client in memory.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/h2_server.c"

#include "h2_peer.h"
#include "rt/fiber.h"

/* A connection under test: server, link, peer, and what the gateway does with a call. */
struct bench {
    struct loop *loop;
    struct http_server *server;
    struct h2_conn *conn;
    struct peer peer;
    void (*on_call)(struct bench *b, struct http_call *call);
    int calls, sent;
    int last_status;                  /* of on_sent */
    struct buf body;                  /* that on_call read */
    int read_status;
    struct fiber *fiber;              /* to be woken */
    bool is_go;
};

static void
on_call(void *ctx, struct http_call *call)
{
    struct bench *b = ctx;

    b->calls++;
    b->on_call(b, call);
}

static void
on_sent(void *ctx, struct http_call *call, int status)
{
    struct bench *b = ctx;

    b->sent++;
    b->last_status = status;
}

static void
respond(struct bench *b, struct http_call *call, uint16_t status, struct body *body)
{
    struct http_response *r = arena_new(call->arena, struct http_response);

    r->status = status;
    r->headers = http_headers_in(call->arena);
    http_headers_add(&r->headers, STR("X-Path"), call->request.path);
    http_call_send(call, r, body, on_sent, b);
}

static void
answer_hello(struct bench *b, struct http_call *call)
{
    respond(b, call, 200, body_from_str(call->arena, STR("hello")));
}

static void
bench_begin(struct bench *b, void (*handler)(struct bench *, struct http_call *))
{
    struct http_server_conf conf = {.on_call = on_call, .ctx = b, .server_name = STR("gate")};

    *b = (struct bench){.on_call = handler, .last_status = 99, .read_status = 99};
    http_limits_init(&conf.limits);
    conf.limits.h2_streams = 11; /* one of them is ours, see below */
    b->loop = loop_new(&(struct loop_options){0}, NULL);
    b->server = http_server_new(b->loop, &conf);
    b->conn = conn_new(b->server);
    EXPECT(h2_link_open(&b->conn->link, &link_ops, &b->conn->conf, NULL));
    http_server_add(b->server, &b->conn->super);
    b->conn->link.n_held++; /* so that it can be looked at after its death */
    h2_link_start(&b->conn->link, STR_NONE);
    peer_init(&b->peer, b->loop, &b->conn->link, true);
}

static void
bench_end(struct bench *b)
{
    h2_link_die(&b->conn->link);
    b->conn->link.n_held--;
    h2_link_post(&b->conn->link);
    for (int i = 0; i < 5; i++)
        loop_turn(b->loop, 0);
    EXPECT_EQ(http_server_connections(b->server), 0);
    EXPECT_EQ(http_server_calls(b->server), 0);
    http_server_delete(b->server);
    peer_destroy(&b->peer);
    buf_destroy(&b->body);
    loop_delete(b->loop);
}

TEST(a_request_is_answered)
{
    struct bench b;

    bench_begin(&b, answer_hello);
    int32_t id = peer_request(&b.peer, "GET", "/a?b=1", NULL);
    peer_run(&b.peer);
    struct peer_stream *s = peer_stream(&b.peer, id);
    EXPECT_STR(str_from_c(s->status), "200");
    EXPECT_STR(buf_str(&s->body), "hello");
    EXPECT(peer_saw(&s->headers, "content-length: 5\n"));
    EXPECT(peer_saw(&s->headers, "x-path: /a\n"));
    EXPECT(peer_saw(&s->headers, "server: gate\n"));
    EXPECT(peer_saw(&s->headers, "date: "));
    EXPECT(s->is_ended && s->is_closed && s->error == 0);
    EXPECT_EQ(b.sent, 1);
    EXPECT_EQ(b.last_status, IO_OK);
    bench_end(&b);
}

static void
answer_with_secret(struct bench *b, struct http_call *call)
{
    struct http_response *r = arena_new(call->arena, struct http_response);

    r->status = 200;
    r->headers = http_headers_in(call->arena);
    http_headers_add(&r->headers, STR("Content-Type"), STR("text/plain"));
    http_headers_add(&r->headers, STR("Set-Cookie"), STR("a=secret"));
    call->request_id = STR("4bf92f3577b34da6");
    http_call_send(call, r, NULL, on_sent, b);
}

/* RFC 7541 7.1.3; and what is another one in every answer would drive out what they share. */
TEST(secrets_and_request_ids_stay_out_of_the_compression_table)
{
    struct bench b;

    bench_begin(&b, answer_with_secret);
    int32_t id = peer_request(&b.peer, "GET", "/", NULL);
    peer_run(&b.peer);
    struct peer_stream *s = peer_stream(&b.peer, id);
    EXPECT(peer_saw(&s->headers, "x-request-id: 4bf92f3577b34da6\n"));
    EXPECT_STR(buf_str(&s->alone), "x-request-id\nset-cookie\n");
    bench_end(&b);
}

TEST(answers_of_one_turn_leave_in_one_write)
{
    struct bench b;

    bench_begin(&b, answer_hello);
    peer_run(&b.peer);
    uint32_t writes = b.peer.writes;
    for (int i = 0; i < 10; i++)
        peer_request(&b.peer, "GET", "/", NULL);
    struct buf all AUTO(buf_destroy) = BUF_INIT;
    const uint8_t *bytes;
    ssize_t n;
    while ((n = nghttp2_session_mem_send(b.peer.session, &bytes)) > 0)
        buf_add(&all, bytes, (size_t)n);
    h2_link_feed(&b.conn->link, buf_str(&all));
    peer_run(&b.peer);
    EXPECT_EQ(b.calls, 10);
    EXPECT_EQ(b.peer.writes - writes, 1);
    bench_end(&b);
}

static void
answer_empty(struct bench *b, struct http_call *call)
{
    respond(b, call, str_eq_lit(call->request.path, "/204") ? 204 : str_eq_lit(call->request.path, "/304") ? 304 : 200,
            body_from_str(call->arena, STR("never sent")));
}

TEST(head_204_and_304_have_no_body)
{
    struct bench b;

    bench_begin(&b, answer_empty);
    int32_t head = peer_request(&b.peer, "HEAD", "/", NULL), none = peer_request(&b.peer, "GET", "/204", NULL);
    int32_t same = peer_request(&b.peer, "GET", "/304", NULL);
    peer_run(&b.peer);
    EXPECT(peer_saw(&peer_stream(&b.peer, head)->headers, "content-length: 10\n"));
    EXPECT_EQ(peer_stream(&b.peer, head)->body.len, 0);
    EXPECT(peer_stream(&b.peer, head)->is_ended);
    EXPECT(!peer_saw(&peer_stream(&b.peer, none)->headers, "content-length"));
    EXPECT_EQ(peer_stream(&b.peer, none)->body.len, 0);
    EXPECT_EQ(peer_stream(&b.peer, same)->body.len, 0);
    EXPECT_EQ(b.sent, 3);
    bench_end(&b);
}

/* ---- bodies ---- */

static void
read_then_answer(struct bench *b, struct http_call *call)
{
    struct str piece;
    int status = IO_EOF;

    while (call->body && (status = body_read(call->body, &piece, NO_DEADLINE)) == IO_OK)
        buf_add_str(&b->body, piece);
    b->read_status = status;
    const struct http_headers *trailers = call->body ? body_trailers(call->body) : NULL;
    if (trailers)
        buf_printf(&b->body, " [%.*s]", STR_ARG(http_headers_get_name(trailers, STR("x-sum"))));
    respond(b, call, 200, NULL);
}

/* Sends `left` bytes, then ends, with trailers if asked. */
struct upload {
    size_t left;
    bool want_trailers, stall;
};

static ssize_t
upload_read(nghttp2_session *session, int32_t id, uint8_t *buf, size_t max, uint32_t *flags, nghttp2_data_source *source,
            void *ctx)
{
    struct upload *u = source->ptr;
    size_t n = MIN(max, u->left);
    static nghttp2_nv trailer[] = {NV("x-sum", "42")};

    if (u->stall && n == 0)
        return NGHTTP2_ERR_DEFERRED;
    memset(buf, 'u', n);
    u->left -= n;
    if (u->left == 0 && !u->stall) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (u->want_trailers) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            nghttp2_submit_trailer(session, id, trailer, 1);
        }
    }
    return (ssize_t)n;
}

static int32_t
upload(struct bench *b, struct upload *u)
{
    nghttp2_data_provider provider = {.source.ptr = u, .read_callback = upload_read};

    return peer_request(&b->peer, "POST", "/up", &provider);
}

TEST(a_body_longer_than_its_window_arrives_whole_with_trailers)
{
    struct upload u = {.left = 3 << 20, .want_trailers = true};
    struct bench b;

    bench_begin(&b, read_then_answer);
    int32_t id = upload(&b, &u);
    peer_run(&b.peer);
    EXPECT_EQ(b.read_status, IO_EOF);
    EXPECT_EQ(b.body.len, (3 << 20) + 5);
    EXPECT(str_ends_with(buf_str(&b.body), STR(" [42]")));
    EXPECT_STR(str_from_c(peer_stream(&b.peer, id)->status), "200");
    bench_end(&b);
}

static void
never_read(struct bench *b, struct http_call *call)
{
    b->fiber = fiber_self();
    while (!b->is_go)
        fiber_wait_hard();
    respond(b, call, 200, NULL);
}

TEST(an_unread_body_is_held_back_by_its_window_and_then_reset_in_peace)
{
    struct upload u = {.left = 3 << 20};
    struct bench b;

    bench_begin(&b, never_read);
    int32_t id = upload(&b, &u);
    peer_run(&b.peer);
    EXPECT_EQ((3 << 20) - u.left, H2_WINDOW_FIRST);
    b.is_go = true;
    fiber_wake(b.fiber);
    peer_run(&b.peer);
    struct peer_stream *s = peer_stream(&b.peer, id);
    EXPECT_STR(str_from_c(s->status), "200");
    EXPECT(s->is_closed && s->error == NGHTTP2_NO_ERROR);
    EXPECT_EQ(b.last_status, IO_OK);
    EXPECT_EQ(b.peer.goaway, 0);
    bench_end(&b);
}

TEST(one_unread_body_does_not_hold_up_the_others)
{
    struct upload stuck = {.left = 1 << 20}, good = {.left = 1 << 20};
    struct bench b;

    bench_begin(&b, never_read);
    upload(&b, &stuck);
    peer_run(&b.peer);
    b.on_call = read_then_answer;
    int32_t id = upload(&b, &good);
    peer_run(&b.peer);
    EXPECT_EQ(b.body.len, 1 << 20);
    EXPECT_STR(str_from_c(peer_stream(&b.peer, id)->status), "200");
    b.is_go = true;
    fiber_wake(b.fiber);
    peer_run(&b.peer);
    bench_end(&b);
}

TEST(a_reset_reaches_the_reader_and_the_answer)
{
    struct upload u = {.left = 10, .stall = true};
    struct bench b;

    bench_begin(&b, read_then_answer);
    int32_t id = upload(&b, &u);
    peer_run(&b.peer);
    EXPECT_EQ(b.read_status, 99);
    nghttp2_submit_rst_stream(b.peer.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    peer_run(&b.peer);
    EXPECT_EQ(b.read_status, IO_ERROR);
    EXPECT_EQ(b.sent, 1);
    EXPECT_EQ(b.last_status, IO_ERROR);
    EXPECT_EQ(http_server_calls(b.server), 0);
    bench_end(&b);
}

TEST(a_dead_connection_reaches_the_reader_and_the_answer)
{
    struct upload u = {.left = 10, .stall = true};
    struct bench b;

    bench_begin(&b, read_then_answer);
    upload(&b, &u);
    peer_run(&b.peer);
    h2_link_die(&b.conn->link);
    for (int i = 0; i < 5; i++)
        loop_turn(b.loop, 0);
    EXPECT_EQ(b.last_status, IO_ERROR);
    bench_end(&b);
}

static void
answer_broken(struct bench *b, struct http_call *call)
{
    respond(b, call, 200, body_broken(call->arena, IO_ERROR));
}

TEST(a_broken_answer_is_a_reset_never_a_short_body)
{
    struct bench b;

    bench_begin(&b, answer_broken);
    int32_t id = peer_request(&b.peer, "GET", "/", NULL);
    peer_run(&b.peer);
    EXPECT(!peer_stream(&b.peer, id)->is_ended);
    EXPECT_EQ(peer_stream(&b.peer, id)->error, NGHTTP2_INTERNAL_ERROR);
    EXPECT_EQ(b.last_status, IO_ERROR);
    bench_end(&b);
}

static void
answer_with_trailers(struct bench *b, struct http_call *call)
{
    struct http_headers *t = arena_new(call->arena, struct http_headers);

    *t = http_headers_in(call->arena);
    http_headers_add(t, STR("Grpc-Status"), STR("0"));
    respond(b, call, 200, body_with_trailers(call->arena, body_from_str(call->arena, STR("message")), t));
}

TEST(trailers_follow_the_body)
{
    struct bench b;

    bench_begin(&b, answer_with_trailers);
    int32_t id = peer_request(&b.peer, "POST", "/", NULL);
    peer_run(&b.peer);
    EXPECT_STR(buf_str(&peer_stream(&b.peer, id)->body), "message");
    EXPECT(peer_saw(&peer_stream(&b.peer, id)->trailers, "grpc-status: 0\n"));
    EXPECT(peer_stream(&b.peer, id)->is_ended);
    bench_end(&b);
}

static void
answer_forbidden(struct bench *b, struct http_call *call)
{
    respond(b, call, 403, body_from_str(call->arena, STR("{}")));
}

TEST(a_grpc_client_is_refused_in_its_own_words)
{
    nghttp2_nv nv[] = {NV(":method", "POST"), NV(":scheme", "http"), NV(":path", "/"), NV(":authority", "a"),
                       NV("content-type", "application/grpc+proto"), NV("te", "trailers")};
    struct bench b;

    bench_begin(&b, answer_forbidden);
    int32_t id = nghttp2_submit_request(b.peer.session, NULL, nv, COUNTOF(nv), NULL, NULL);
    peer_run(&b.peer);
    struct peer_stream *s = peer_stream(&b.peer, id);
    EXPECT_STR(str_from_c(s->status), "200");
    EXPECT(peer_saw(&s->headers, "grpc-status: 7\n"));
    EXPECT(peer_saw(&s->headers, "grpc-message: HTTP 403 Forbidden\n"));
    EXPECT(!peer_saw(&s->headers, "content-length"));
    EXPECT_EQ(s->body.len, 0);
    EXPECT(s->is_ended);
    bench_end(&b);
}

/* ---- limits and refusals ---- */

TEST(nobody_answering_is_an_abort)
{
    struct bench b;

    void nothing(struct bench *bb, struct http_call *call) { }
    bench_begin(&b, nothing);
    int32_t id = peer_request(&b.peer, "GET", "/", NULL);
    peer_run(&b.peer);
    EXPECT(peer_stream(&b.peer, id)->is_closed && peer_stream(&b.peer, id)->error != 0);
    bench_end(&b);
}

TEST(a_reset_stream_counts_until_its_work_has_ended)
{
    struct bench b;

    bench_begin(&b, never_read); /* ten streams at most */
    struct fiber *fibers[10];
    for (int i = 0; i < 10; i++) {
        int32_t id = peer_request(&b.peer, "GET", "/", NULL);
        peer_run(&b.peer);
        fibers[i] = b.fiber;
        nghttp2_submit_rst_stream(b.peer.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
        peer_run(&b.peer);
    }
    int32_t refused = peer_request(&b.peer, "GET", "/", NULL);
    peer_run(&b.peer);
    EXPECT_EQ(b.calls, 10);
    EXPECT_EQ(peer_stream(&b.peer, refused)->error, NGHTTP2_REFUSED_STREAM);
    b.is_go = true;
    for (int i = 0; i < 10; i++)
        fiber_wake(fibers[i]);
    peer_run(&b.peer);
    EXPECT_EQ(http_server_calls(b.server), 0);
    int32_t again = peer_request(&b.peer, "GET", "/", NULL);
    peer_run(&b.peer);
    EXPECT_STR(str_from_c(peer_stream(&b.peer, again)->status), "200");
    bench_end(&b);
}

static enum io_status waited;

static void
wait_for_cancel(struct bench *b, struct http_call *call)
{
    waited = fiber_wait(NO_DEADLINE);
    answer_hello(b, call);
}

TEST(the_work_for_a_reset_stream_is_cancelled)
{
    struct bench b;

    bench_begin(&b, wait_for_cancel);
    int32_t id = peer_request(&b.peer, "GET", "/", NULL);
    peer_run(&b.peer);
    EXPECT_EQ(http_server_calls(b.server), 1);
    nghttp2_submit_rst_stream(b.peer.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    peer_run(&b.peer);
    EXPECT_EQ(waited, IO_CANCELLED);
    EXPECT_EQ(http_server_calls(b.server), 0);
    bench_end(&b);
}

TEST(streams_opened_to_be_reset_end_the_connection)
{
    struct bench b;
    int n = 0;

    bench_begin(&b, answer_hello);
    peer_run(&b.peer);
    for (; n < 1000 && !h2_link_is_dead(&b.conn->link); n++) {
        int32_t id = peer_request(&b.peer, "GET", "/", NULL);
        const uint8_t *bytes;
        struct buf both AUTO(buf_destroy) = BUF_INIT;
        for (ssize_t len; (len = nghttp2_session_mem_send(b.peer.session, &bytes)) > 0;)
            buf_add(&both, bytes, (size_t)len);
        nghttp2_submit_rst_stream(b.peer.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
        for (ssize_t len; (len = nghttp2_session_mem_send(b.peer.session, &bytes)) > 0;)
            buf_add(&both, bytes, (size_t)len);
        h2_link_feed(&b.conn->link, buf_str(&both));
        if (b.conn->link.why)
            break;
        loop_turn(b.loop, 0);
    }
    EXPECT(n >= 99 && n <= 100);
    EXPECT_EQ(b.calls, 0); /* the reset came with the request: nothing was begun */
    peer_run(&b.peer);
    EXPECT_EQ(b.peer.goaway, NGHTTP2_ENHANCE_YOUR_CALM + 1);
    bench_end(&b);
}

static void
frame(struct buf *to, size_t length, uint8_t type, uint8_t flags, uint32_t id)
{
    char head[9] = {(char)(length >> 16), (char)(length >> 8), (char)length, (char)type, (char)flags,
                    (char)(id >> 24), (char)(id >> 16), (char)(id >> 8), (char)id};

    buf_add(to, head, sizeof(head));
}

/* Feeds n frames of 16 KB at a time until the link gives up; the bytes it took. */
static size_t
flood(struct bench *b, size_t payload, uint8_t type, uint8_t flags, uint32_t id, bool want_read)
{
    struct buf bytes AUTO(buf_destroy) = BUF_INIT;
    char zeros[64] = "";
    size_t taken = 0;

    if (payload == 4)
        zeros[3] = 1; /* a window update of one byte */
    peer_run(&b->peer);
    b->peer.is_reading = want_read;
    while (bytes.len < 16000) {
        frame(&bytes, payload, type, flags, id);
        buf_add(&bytes, zeros, payload);
    }
    for (; taken < (1 << 20) && !b->conn->link.is_closing && !h2_link_is_dead(&b->conn->link); taken += bytes.len) {
        h2_link_feed(&b->conn->link, buf_str(&bytes));
        loop_turn(b->loop, 0);
    }
    b->peer.is_reading = true;
    peer_run(&b->peer);
    return taken;
}

TEST(floods_end_within_a_quarter_of_a_megabyte)
{
    static const struct { const char *name; size_t payload; uint8_t type, flags; uint32_t id; } floods[] = {
        {"PING", 8, NGHTTP2_PING, 0, 0},
        {"SETTINGS", 0, NGHTTP2_SETTINGS, 0, 0},
        {"PRIORITY", 5, NGHTTP2_PRIORITY, 0, 1},
        {"WINDOW_UPDATE", 4, NGHTTP2_WINDOW_UPDATE, 0, 0},
        {"empty DATA", 0, NGHTTP2_DATA, 0, 1},
        {"unknown", 0, 0x42, 0, 0},
    };

    for (size_t i = 0; i < 2 * COUNTOF(floods); i++) {
        struct upload u = {.stall = true};
        struct bench b;
        bench_begin(&b, read_then_answer);
        upload(&b, &u); /* stream 1 stays open */
        size_t f = i / 2, taken = flood(&b, floods[f].payload, floods[f].type, floods[f].flags, floods[f].id, i % 2);
        if (taken > 256 << 10 || !b.peer.goaway)
            TEST_FAIL("%s: %zu bytes, GOAWAY %u", floods[f].name, taken, b.peer.goaway);
        bench_end(&b);
    }
}

TEST(a_request_that_its_next_frame_breaks_is_not_begun)
{
    static const char head[] = "\x82\x86\x84\x01\x01" "a"; /* GET http / a */
    struct buf bytes AUTO(buf_destroy) = BUF_INIT;
    struct bench b;

    bench_begin(&b, answer_hello);
    peer_run(&b.peer);
    frame(&bytes, sizeof(head) - 1, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1);
    buf_add(&bytes, head, sizeof(head) - 1);
    frame(&bytes, 4, NGHTTP2_WINDOW_UPDATE, 0, 1);
    buf_add(&bytes, "\x7f\xff\xff\xff", 4); /* more than a window may be (RFC 9113 6.9.1) */
    h2_link_feed(&b.conn->link, buf_str(&bytes));
    peer_run(&b.peer);
    EXPECT_EQ(b.calls, 0);
    EXPECT_EQ(http_server_calls(b.server), 0);
    bench_end(&b);
}

TEST(a_header_block_without_end_is_cut_off)
{
    struct buf bytes AUTO(buf_destroy) = BUF_INIT;
    struct bench b;
    int n = 0;

    bench_begin(&b, answer_hello);
    peer_run(&b.peer);
    frame(&bytes, 0, NGHTTP2_HEADERS, 0, 1);
    h2_link_feed(&b.conn->link, buf_str(&bytes));
    for (; n < 100 && !b.conn->link.is_closing; n++) {
        buf_clear(&bytes);
        frame(&bytes, 0, NGHTTP2_CONTINUATION, 0, 1);
        h2_link_feed(&b.conn->link, buf_str(&bytes));
    }
    EXPECT_EQ(n, 8);
    peer_run(&b.peer);
    EXPECT_EQ(b.peer.goaway, NGHTTP2_ENHANCE_YOUR_CALM + 1);
    bench_end(&b);
}

TEST(a_head_above_the_limit_is_431_and_far_above_it_the_end)
{
    struct bench b;
    static char value[2000];
    nghttp2_nv nv[4 + 140] = {NV(":method", "GET"), NV(":scheme", "http"), NV(":authority", "a"), NV(":path", "/")};

    memset(value, 'v', sizeof(value) - 1);
    for (size_t i = 4; i < COUNTOF(nv); i++)
        nv[i] = (nghttp2_nv)NV("x", value);
    bench_begin(&b, answer_hello);
    int32_t id = nghttp2_submit_request(b.peer.session, NULL, nv, 4 + 40, NULL, NULL); /* 80 KB, packed into 2 */
    peer_run(&b.peer);
    EXPECT_STR(str_from_c(peer_stream(&b.peer, id)->status), "431");
    nghttp2_submit_request(b.peer.session, NULL, nv, COUNTOF(nv), NULL, NULL);
    peer_run(&b.peer);
    EXPECT_EQ(b.peer.goaway, NGHTTP2_ENHANCE_YOUR_CALM + 1);
    EXPECT_EQ(b.calls, 0);
    bench_end(&b);
}

/* ---- what a request may say ---- */

static const char *
outcome(nghttp2_nv *nv, size_t n)
{
    static char text[32];
    struct bench b;
    struct buf block AUTO(buf_destroy) = BUF_INIT;
    uint8_t packed[4096];
    nghttp2_hd_deflater *deflater;
    ssize_t len;

    bench_begin(&b, answer_hello);
    peer_run(&b.peer);
    nghttp2_hd_deflate_new(&deflater, 4096);
    len = nghttp2_hd_deflate_hd(deflater, packed, sizeof(packed), nv, n);
    nghttp2_hd_deflate_del(deflater);
    /* The peer's session must know the stream to read its answer. */
    int32_t id = peer_request(&b.peer, "GET", "/", NULL);
    const uint8_t *bytes;
    while (nghttp2_session_mem_send(b.peer.session, &bytes) > 0)
        continue;
    frame(&block, (size_t)len, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, (uint32_t)id);
    buf_add(&block, packed, (size_t)len);
    h2_link_feed(&b.conn->link, buf_str(&block));
    peer_run(&b.peer);
    struct peer_stream *s = peer_stream(&b.peer, id);
    snprintf(text, sizeof(text), "%s", s->status[0] ? s->status : s->error ? nghttp2_http2_strerror(s->error) : "-");
    bench_end(&b);
    return text;
}

#define OUTCOME(expected, ...) \
    do { \
        nghttp2_nv nv_[] = {__VA_ARGS__}; \
        EXPECT_STR(str_from_c(outcome(nv_, COUNTOF(nv_))), expected); \
    } while (0)
#define GET NV(":method", "GET"), NV(":scheme", "http"), NV(":path", "/")
#define HOST NV(":authority", "a.example")

TEST(malformed_requests_end_with_a_protocol_error)
{
    OUTCOME("200", GET, HOST);
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV("X-Upper", "1"));
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV("connection", "close"));
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV("keep-alive", "1"));
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV("proxy-connection", "close"));
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV("transfer-encoding", "chunked"));
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV("upgrade", "websocket"));
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV("te", "chunked"));
    OUTCOME("200", GET, HOST, NV("te", "trailers"));
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV("x", "a\r\nb: c"));
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV("x", "a\nb"));
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV("x", "a\x01" "b"));
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV("x", " a"));
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV("x", "a "));
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV("x y", "a"));
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV("x:", "a"));
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV("", "a"));
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV(":path", "/"));
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV(":unknown", "/"));
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV(":status", "200"));
    OUTCOME("PROTOCOL_ERROR", GET, NV("x", "y"), HOST);
    OUTCOME("PROTOCOL_ERROR", NV(":method", "GET"), NV(":scheme", "http"), HOST);
    OUTCOME("PROTOCOL_ERROR", NV(":method", "GET"), NV(":path", "/"), HOST);
    OUTCOME("PROTOCOL_ERROR", NV(":scheme", "http"), NV(":path", "/"), HOST);
    OUTCOME("PROTOCOL_ERROR", NV(":method", "G ET"), NV(":scheme", "http"), NV(":path", "/"), HOST);
    OUTCOME("PROTOCOL_ERROR", NV(":method", "GET"), NV(":scheme", "ht tp"), NV(":path", "/"), HOST);
    OUTCOME("PROTOCOL_ERROR", NV(":method", "GET"), NV(":scheme", "http"), NV(":path", "/ HTTP/1.1"), HOST);
    OUTCOME("PROTOCOL_ERROR", NV(":method", "GET"), NV(":scheme", "http"), NV(":path", "/\r\nx"), HOST);
    OUTCOME("PROTOCOL_ERROR", NV(":method", "GET"), NV(":scheme", "http"), NV(":path", ""), HOST);
    OUTCOME("PROTOCOL_ERROR", GET, NV(":authority", "a b"));
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV("content-length", "5"));
    OUTCOME("PROTOCOL_ERROR", GET);
    OUTCOME("PROTOCOL_ERROR", NV(":method", "OPTIONS"), NV(":scheme", "http"), NV(":path", "a/b"), HOST);
    OUTCOME("PROTOCOL_ERROR", GET, HOST, NV("host", "a.example"), NV("host", "a.example"));
    OUTCOME("PROTOCOL_ERROR", NV(":method", "GET"), NV(":scheme", "http"), NV(":path", "*"), HOST);
}

TEST(requests_that_are_refused_get_an_answer)
{
    OUTCOME("400", GET, HOST, NV("host", "b.example"));
    OUTCOME("400", GET, NV(":authority", "user@a.example"));
    OUTCOME("400", NV(":method", "A23456789B23456789C23456789D23456789E23456789F23456789G23456789HI"), NV(":scheme", "http"), NV(":path", "/"),
            HOST);
    OUTCOME("400", GET, HOST, NV("transfer_encoding", "chunked"));
    OUTCOME("405", NV(":method", "TRACE"), NV(":scheme", "http"), NV(":path", "/"), HOST);
    OUTCOME("405", NV(":method", "CONNECT"), HOST);
    OUTCOME("417", GET, HOST, NV("expect", "200-maybe"));
    OUTCOME("200", GET, HOST, NV("host", "A.example:80"));
    OUTCOME("200", GET, NV("host", "a.example"));
    OUTCOME("200", NV(":method", "OPTIONS"), NV(":scheme", "http"), NV(":path", "*"), HOST);
}

static void
answer_cookie(struct bench *b, struct http_call *call)
{
    buf_add_str(&b->body, http_headers_get(&call->request.headers, HTTP_COOKIE));
    buf_add_char(&b->body, '|');
    buf_add_str(&b->body, http_headers_get(&call->request.headers, HTTP_HOST));
    respond(b, call, 200, NULL);
}

TEST(cookies_are_joined_and_host_is_there)
{
    nghttp2_nv nv[] = {GET, HOST, NV("cookie", "a=1"), NV("cookie", "b=2")};
    struct bench b;

    bench_begin(&b, answer_cookie);
    nghttp2_submit_request(b.peer.session, NULL, nv, COUNTOF(nv), NULL, NULL);
    peer_run(&b.peer);
    EXPECT_STR(buf_str(&b.body), "a=1; b=2|a.example");
    bench_end(&b);
}

TEST(a_waiting_client_gets_100_with_the_first_read)
{
    nghttp2_nv nv[] = {NV(":method", "POST"), NV(":scheme", "http"), NV(":path", "/"), HOST, NV("expect", "100-continue")};
    struct upload u = {.left = 10};
    nghttp2_data_provider provider = {.source.ptr = &u, .read_callback = upload_read};
    struct bench b;

    bench_begin(&b, read_then_answer);
    int32_t id = nghttp2_submit_request(b.peer.session, NULL, nv, COUNTOF(nv), &provider, NULL);
    peer_run(&b.peer);
    EXPECT_STR(str_from_c(peer_stream(&b.peer, id)->status), "200");
    EXPECT(peer_stream(&b.peer, id)->heads >= 1);
    EXPECT_EQ(b.body.len, 10);
    bench_end(&b);
}

static void
echo_tunnel(struct bench *b, struct http_call *call)
{
    struct http_response *r = arena_new(call->arena, struct http_response);

    r->status = 101;
    r->headers = http_headers_in(call->arena);
    http_headers_add(&r->headers, STR("Sec-WebSocket-Accept"), STR("x"));
    EXPECT_STR(call->request.protocol, "websocket");
    EXPECT_EQ(call->request.method, HTTP_METHOD_GET);
    EXPECT(call->body == NULL);
    struct body *up = http_call_upgrade(call, r, body_from_str(call->arena, STR("down")), on_sent, b);
    struct str piece;
    while (body_read(up, &piece, NO_DEADLINE) == IO_OK)
        buf_add_str(&b->body, piece);
}

TEST(an_extended_connect_is_a_tunnel)
{
    nghttp2_nv nv[] = {NV(":method", "CONNECT"), NV(":protocol", "websocket"), NV(":scheme", "https"), NV(":path", "/chat"),
                       HOST, NV("sec-websocket-version", "13")};
    struct upload u = {.left = 4};
    nghttp2_data_provider provider = {.source.ptr = &u, .read_callback = upload_read};
    struct bench b;

    bench_begin(&b, echo_tunnel);
    peer_run(&b.peer);
    int32_t id = nghttp2_submit_request(b.peer.session, NULL, nv, COUNTOF(nv), &provider, NULL);
    peer_run(&b.peer);
    EXPECT_STR(str_from_c(peer_stream(&b.peer, id)->status), "200");
    EXPECT(!peer_saw(&peer_stream(&b.peer, id)->headers, "sec-websocket-accept"));
    EXPECT_STR(buf_str(&peer_stream(&b.peer, id)->body), "down");
    EXPECT_STR(buf_str(&b.body), "uuuu");
    bench_end(&b);
}

TEST(draining_says_goaway_twice_and_finishes_what_was_begun)
{
    struct bench b;

    bench_begin(&b, never_read);
    int32_t id = peer_request(&b.peer, "GET", "/", NULL);
    peer_run(&b.peer);
    http_server_drain(b.server, NULL, NULL);
    peer_run(&b.peer);
    EXPECT_EQ(b.peer.n_goaways, 1);
    EXPECT_EQ(b.peer.last_id, INT32_MAX);
    for (int i = 0; i < 30 && b.peer.n_goaways < 2; i++) {
        loop_turn(b.loop, 100);
        peer_run(&b.peer);
    }
    EXPECT_EQ(b.peer.n_goaways, 2);
    EXPECT_EQ(b.peer.last_id, id);
    EXPECT(!h2_link_is_dead(&b.conn->link));
    b.is_go = true;
    fiber_wake(b.fiber);
    peer_run(&b.peer);
    EXPECT_STR(str_from_c(peer_stream(&b.peer, id)->status), "200");
    EXPECT(h2_link_is_dead(&b.conn->link));
    bench_end(&b);
}

TEST(a_client_that_opens_no_window_costs_one_frame_of_memory)
{
    struct bench b;
    nghttp2_settings_entry zero = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0};
    struct pace_limit limit = {.halt_ms = 30000, .rate = 240, .grace_ms = 10000};

    bench_begin(&b, answer_hello);
    nghttp2_submit_settings(b.peer.session, NGHTTP2_FLAG_NONE, &zero, 1);
    int32_t id = peer_request(&b.peer, "GET", "/", NULL);
    peer_run(&b.peer);
    struct h2_stream *s = nghttp2_session_get_stream_user_data(b.conn->link.session, id);
    EXPECT(s != NULL);
    EXPECT(!h2_stream_is_stuck(s, &limit, s->progress_ms + 2000));
    EXPECT(!h2_stream_is_stuck(s, &limit, s->progress_ms + 9999));
    EXPECT(h2_stream_is_stuck(s, &limit, s->progress_ms + 10000));
    s->is_paced = false;                  /* one byte a second, later */
    for (uint64_t ms = 0; ms < 13000; ms += 1000) {
        s->out_bytes++;
        EXPECT(h2_stream_is_stuck(s, &limit, s->progress_ms + ms) == (ms > 10000));
    }
    s->is_paced = false;                  /* and as much as it must */
    for (uint64_t ms = 0; ms < 100000; ms += 1000) {
        s->out_bytes += 240;
        EXPECT(!h2_stream_is_stuck(s, &limit, s->progress_ms + ms));
    }
    s->is_paced = false;
    link_ops.on_tick(s, s->progress_ms + 30001);
    peer_run(&b.peer);
    EXPECT_EQ(peer_stream(&b.peer, id)->error, NGHTTP2_CANCEL);
    EXPECT_EQ(b.last_status, IO_ERROR);
    bench_end(&b);
}
