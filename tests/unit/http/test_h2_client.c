/* Exchanges with HTTP/2 servers: against nghttp2's server in memory.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/h2_client.c"

#include "h2_peer.h"
#include "rt/fiber.h"

/* What client.c gives to a session; one connection is all there is here. */
struct http_client {
    struct loop *loop;
    struct http_client_conf conf;
    int gone;
};

static struct http_client fake;

struct loop *
http_client_loop(const struct http_client *c)
{
    return c->loop;
}

const struct http_client_conf *
http_client_conf(const struct http_client *c)
{
    return &c->conf;
}

void
http_session_gone(struct http_session *s)
{
    fake.gone++;
}

/* One exchange on a fiber of its own. */
struct trip {
    struct http_session *session;
    struct arena arena;
    struct http_request request;
    struct http_exchange_conf conf;
    struct body *body;
    struct http_answer *answer;
    struct err err;
    struct buf got;                   /* the answer's body, then " [trailer]" */
    int read_status;
    bool is_ok, is_unprocessed, is_done, keep_open;
    int interims;
    struct fiber *fiber;
};

struct bench {
    struct loop *loop;
    struct h2_client *client;
    struct peer peer;
};

static void
bench_begin(struct bench *b)
{
    *b = (struct bench){.loop = loop_new(&(struct loop_options){0}, NULL)};
    fake = (struct http_client){.loop = b->loop, .conf.interims_max = 8};
    struct http_session *session = h2_open(&fake, &(struct http_origin_conf){.idle_ms = 60000}, NULL, NULL);
    b->client = CONTAINER_OF(session, struct h2_client, super);
    b->client->link.n_held++;
    peer_init(&b->peer, b->loop, &b->client->link, false);
    peer_run(&b->peer);
}

static void
bench_end(struct bench *b)
{
    h2_link_die(&b->client->link);
    EXPECT_EQ(b->client->link.n_held, 1);
    b->client->link.n_held--;
    h2_link_post(&b->client->link);
    for (int i = 0; i < 5; i++)
        loop_turn(b->loop, 0);
    peer_destroy(&b->peer);
    loop_delete(b->loop);
}

static void
trip_fiber(void *arg)
{
    struct trip *t = arg;
    struct str piece;

    t->fiber = fiber_self();
    t->is_ok = h2_do_exchange(t->session, &t->request, t->body, &t->conf, &t->arena, &t->answer, &t->is_unprocessed,
                              &t->err);
    t->read_status = IO_EOF;
    if (t->is_ok && t->answer->body && !t->keep_open) {
        while ((t->read_status = body_read(t->answer->body, &piece, NO_DEADLINE)) == IO_OK)
            buf_add_str(&t->got, piece);
        const struct http_headers *trailers = body_trailers(t->answer->body);
        for (uint32_t i = 0; trailers && i < trailers->n; i++)
            buf_printf(&t->got, " [%.*s]", STR_ARG(trailers->v[i].value));
    }
    if (t->is_ok && !t->keep_open)
        http_answer_close(t->answer);
    t->is_done = true;
}

void
http_answer_close(struct http_answer *a)
{
    a->ops->close(a);
}

static void
trip_begin(struct trip *t, struct bench *b, const char *method)
{
    *t = (struct trip){.session = &b->client->super, .arena = ARENA(NULL, 1 << 20), .err = ERR_INIT, .conf = t->conf,
                       .keep_open = t->keep_open};
    t->request = (struct http_request){.method_text = str_from_c(method), .method = http_method_from(str_from_c(method)),
                                       .scheme = STR("http"), .authority = STR("origin.example"), .target = STR("/x"),
                                       .headers = http_headers_in(&t->arena)};
    http_headers_add(&t->request.headers, STR("X-Ask"), STR("1"));
}

static void
trip_go(struct trip *t, struct bench *b)
{
    EXPECT(fiber_start(b->loop, trip_fiber, t, NULL));
    peer_run(&b->peer);
}

static void
trip_end(struct trip *t)
{
    EXPECT(t->is_done);
    buf_destroy(&t->got);
    arena_destroy(&t->arena);
}

struct reply {
    const char *text;
    size_t left;
    bool want_trailers, stall;
};

static ssize_t
reply_read(nghttp2_session *session, int32_t id, uint8_t *buf, size_t max, uint32_t *flags, nghttp2_data_source *source,
           void *ctx)
{
    struct reply *r = source->ptr;
    size_t n = MIN(max, r->left);
    static nghttp2_nv trailer[] = {NV("grpc-status", "0")};

    if (n == 0 && r->stall)
        return NGHTTP2_ERR_DEFERRED;
    memset(buf, 'r', n);
    r->left -= n;
    if (r->left == 0 && !r->stall) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (r->want_trailers) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            nghttp2_submit_trailer(session, id, trailer, 1);
        }
    }
    return (ssize_t)n;
}

static void
reply(struct bench *b, int request, const char *status, struct reply *r)
{
    nghttp2_nv nv[] = {NV(":status", status), NV("x-answer", "yes")};
    nghttp2_data_provider provider = {.source.ptr = r, .read_callback = reply_read};

    nghttp2_submit_response(b->peer.session, b->peer.requests[request], nv, COUNTOF(nv), r ? &provider : NULL);
    peer_run(&b->peer);
}

TEST(an_exchange_goes_out_and_its_answer_comes_back)
{
    struct reply r = {.left = 100000, .want_trailers = true};
    struct trip t = {0};
    struct bench b;

    bench_begin(&b);
    trip_begin(&t, &b, "GET");
    trip_go(&t, &b);
    EXPECT_EQ(b.peer.n_requests, 1);
    struct peer_stream *s = peer_stream(&b.peer, b.peer.requests[0]);
    EXPECT(peer_saw(&s->headers, ":method: GET\n"));
    EXPECT(peer_saw(&s->headers, ":authority: origin.example\n"));
    EXPECT(peer_saw(&s->headers, ":path: /x\n"));
    EXPECT(peer_saw(&s->headers, "x-ask: 1\n"));
    EXPECT(s->is_ended);
    reply(&b, 0, "200", &r);
    EXPECT(t.is_ok);
    EXPECT_EQ(t.read_status, IO_EOF);
    EXPECT_EQ(t.got.len, 100000 + 4);
    EXPECT(str_ends_with(buf_str(&t.got), STR(" [0]")));
    trip_end(&t);
    bench_end(&b);
}

TEST(many_exchanges_share_the_connection)
{
    enum { N = 30 };
    struct reply r[N] = {{0}};
    static struct trip t[N];
    struct bench b;

    bench_begin(&b);
    for (int i = 0; i < N; i++) {
        trip_begin(&t[i], &b, "GET");
        trip_go(&t[i], &b);
    }
    for (int i = N - 1; i >= 0; i--) {
        r[i].left = (size_t)i + 1;
        reply(&b, i, "200", &r[i]);
    }
    for (int i = 0; i < N; i++) {
        EXPECT_EQ(t[i].got.len, i + 1);
        trip_end(&t[i]);
    }
    bench_end(&b);
}

TEST(a_body_goes_up_with_its_length)
{
    struct trip t = {0};
    struct bench b;
    static char big[200000];

    memset(big, 'b', sizeof(big));
    bench_begin(&b);
    trip_begin(&t, &b, "PUT");
    t.body = body_from_str(&t.arena, str_from(big, sizeof(big)));
    trip_go(&t, &b);
    struct peer_stream *s = peer_stream(&b.peer, b.peer.requests[0]);
    EXPECT(peer_saw(&s->headers, "content-length: 200000\n"));
    EXPECT_EQ(s->body.len, 200000);
    EXPECT(s->is_ended);
    reply(&b, 0, "204", NULL);
    EXPECT(t.is_ok);
    trip_end(&t);
    bench_end(&b);
}

TEST(what_the_server_refused_may_go_out_again)
{
    struct trip t = {0};
    struct bench b;

    bench_begin(&b);
    trip_begin(&t, &b, "POST");
    trip_go(&t, &b);
    nghttp2_submit_rst_stream(b.peer.session, NGHTTP2_FLAG_NONE, b.peer.requests[0], NGHTTP2_REFUSED_STREAM);
    peer_run(&b.peer);
    EXPECT(!t.is_ok && t.is_unprocessed);
    EXPECT_EQ(t.err.code, ERR_CLOSED);
    trip_end(&t);
    bench_end(&b);
}

TEST(a_reset_after_work_began_is_not_unprocessed)
{
    struct trip t = {0};
    struct bench b;

    bench_begin(&b);
    trip_begin(&t, &b, "POST");
    trip_go(&t, &b);
    nghttp2_submit_rst_stream(b.peer.session, NGHTTP2_FLAG_NONE, b.peer.requests[0], NGHTTP2_INTERNAL_ERROR);
    peer_run(&b.peer);
    EXPECT(!t.is_ok && !t.is_unprocessed);
    EXPECT_EQ(t.err.code, ERR_CLOSED);
    trip_end(&t);
    bench_end(&b);
}

TEST(goaway_retires_and_streams_behind_it_are_unprocessed)
{
    struct reply r = {.left = 5};
    struct trip first = {0}, second = {0};
    struct bench b;

    bench_begin(&b);
    trip_begin(&first, &b, "GET");
    trip_go(&first, &b);
    trip_begin(&second, &b, "POST");
    trip_go(&second, &b);
    nghttp2_submit_goaway(b.peer.session, NGHTTP2_FLAG_NONE, b.peer.requests[0], NGHTTP2_NO_ERROR, NULL, 0);
    peer_run(&b.peer);
    EXPECT_EQ(fake.gone, 1);
    EXPECT(!h2_has_room(&b.client->super));
    EXPECT(second.is_done && !second.is_ok && second.is_unprocessed);
    EXPECT(!first.is_done);
    reply(&b, 0, "200", &r);
    EXPECT(first.is_ok);
    EXPECT_EQ(first.got.len, 5);
    trip_end(&first);
    trip_end(&second);
    bench_end(&b);
}

TEST(a_dead_connection_ends_what_waits)
{
    struct trip t = {0};
    struct bench b;

    bench_begin(&b);
    trip_begin(&t, &b, "GET");
    trip_go(&t, &b);
    h2_link_die(&b.client->link);
    loop_turn(b.loop, 0);
    loop_turn(b.loop, 0);
    EXPECT(t.is_done && !t.is_ok && !t.is_unprocessed);
    EXPECT_EQ(fake.gone, 1);
    trip_end(&t);
    bench_end(&b);
}

TEST(a_cancelled_exchange_resets_its_stream)
{
    struct trip t = {0};
    struct bench b;

    bench_begin(&b);
    trip_begin(&t, &b, "GET");
    trip_go(&t, &b);
    fiber_cancel(t.fiber);
    peer_run(&b.peer);
    EXPECT(t.is_done && !t.is_ok);
    EXPECT_EQ(t.err.code, ERR_CANCELLED);
    EXPECT_EQ(peer_stream(&b.peer, b.peer.requests[0])->error, NGHTTP2_CANCEL);
    trip_end(&t);
    bench_end(&b);
}

TEST(one_cancelled_before_it_went_out_leaves_nothing)
{
    struct trip t = {0};
    struct bench b;

    bench_begin(&b);
    trip_begin(&t, &b, "GET");
    EXPECT(fiber_start(b.loop, trip_fiber, &t, NULL));
    fiber_cancel(t.fiber);
    peer_run(&b.peer);
    EXPECT(t.is_done && !t.is_ok);
    trip_end(&t);
    peer_run(&b.peer);
    bench_end(&b);
}

TEST(no_head_in_time_is_a_timeout)
{
    struct trip t = {.conf.deadlines.first_byte_ms = 30};
    struct bench b;

    bench_begin(&b);
    trip_begin(&t, &b, "GET");
    trip_go(&t, &b);
    for (int i = 0; i < 100 && !t.is_done; i++)
        loop_turn(b.loop, 10);
    EXPECT(!t.is_ok);
    EXPECT_EQ(t.err.code, ERR_TIMEOUT);
    peer_run(&b.peer);
    trip_end(&t);
    bench_end(&b);
}

TEST(a_body_that_stalls_breaks)
{
    struct reply r = {.left = 10, .stall = true};
    struct trip t = {.conf.deadlines.idle_ms = 30};
    struct bench b;

    bench_begin(&b);
    trip_begin(&t, &b, "GET");
    trip_go(&t, &b);
    reply(&b, 0, "200", &r);
    for (int i = 0; i < 100 && !t.is_done; i++)
        loop_turn(b.loop, 10);
    EXPECT(t.is_ok);
    EXPECT_EQ(t.got.len, 10);
    EXPECT(t.read_status != IO_EOF);
    peer_run(&b.peer);
    trip_end(&t);
    bench_end(&b);
}

TEST(a_malformed_answer_is_a_protocol_error)
{
    nghttp2_nv nv[] = {NV(":status", "200"), NV("connection", "close")};
    struct trip t = {0};
    struct bench b;

    bench_begin(&b);
    trip_begin(&t, &b, "GET");
    trip_go(&t, &b);
    nghttp2_submit_headers(b.peer.session, NGHTTP2_FLAG_END_STREAM, b.peer.requests[0], NULL, nv, 2, NULL);
    peer_run(&b.peer);
    EXPECT(t.is_done && !t.is_ok);
    EXPECT(t.err.code == ERR_PROTOCOL || t.err.code == ERR_CLOSED);
    trip_end(&t);
    bench_end(&b);
}

static void
count_interim(void *ctx, const struct http_response *r)
{
    struct trip *t = ctx;

    EXPECT_EQ(r->status, 103);
    t->interims++;
}

TEST(interim_answers_are_told_and_bounded)
{
    nghttp2_nv nv[] = {NV(":status", "103"), NV("link", "</a.css>")};
    struct reply r = {.left = 3};
    struct trip t = {0};
    struct bench b;

    bench_begin(&b);
    trip_begin(&t, &b, "GET");
    t.conf.on_interim = count_interim;
    t.conf.ctx = &t;
    trip_go(&t, &b);
    for (int i = 0; i < 2; i++)
        nghttp2_submit_headers(b.peer.session, NGHTTP2_FLAG_NONE, b.peer.requests[0], NULL, nv, 2, NULL);
    reply(&b, 0, "200", &r);
    EXPECT_EQ(t.interims, 2);
    EXPECT(t.is_ok);
    trip_end(&t);
    t = (struct trip){0};
    trip_begin(&t, &b, "GET");
    trip_go(&t, &b);
    for (int i = 0; i < 9; i++)
        nghttp2_submit_headers(b.peer.session, NGHTTP2_FLAG_NONE, b.peer.requests[1], NULL, nv, 2, NULL);
    peer_run(&b.peer);
    EXPECT(t.is_done && !t.is_ok);
    EXPECT_EQ(t.err.code, ERR_PROTOCOL);
    trip_end(&t);
    bench_end(&b);
}

TEST(an_upgrade_needs_a_server_that_knows_it)
{
    struct trip t = {.conf.want_upgrade = true};
    struct bench b;

    bench_begin(&b);
    trip_begin(&t, &b, "GET");
    t.request.protocol = STR("websocket");
    trip_go(&t, &b);
    EXPECT(t.is_done && !t.is_ok);
    EXPECT_EQ(t.err.code, ERR_UNSUPPORTED);
    trip_end(&t);
    bench_end(&b);
}

TEST(an_upgrade_becomes_an_extended_connect)
{
    nghttp2_settings_entry knows = {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1};
    struct reply r = {.left = 4};
    struct trip t = {.conf.want_upgrade = true, .keep_open = true};
    struct bench b;

    bench_begin(&b);
    nghttp2_submit_settings(b.peer.session, NGHTTP2_FLAG_NONE, &knows, 1);
    peer_run(&b.peer);
    trip_begin(&t, &b, "GET");
    t.request.protocol = STR("websocket");
    http_headers_add(&t.request.headers, STR("Sec-WebSocket-Key"), STR("dGhlIHNhbXBsZSBub25jZQ=="));
    trip_go(&t, &b);
    struct peer_stream *s = peer_stream(&b.peer, b.peer.requests[0]);
    EXPECT(peer_saw(&s->headers, ":method: CONNECT\n"));
    EXPECT(peer_saw(&s->headers, ":protocol: websocket\n"));
    EXPECT(!peer_saw(&s->headers, "sec-websocket-key"));
    reply(&b, 0, "200", &r);
    EXPECT(t.is_ok && t.answer->is_upgraded);
    EXPECT_EQ(t.answer->response.status, 101);
    EXPECT_STR(http_headers_get(&t.answer->response.headers, HTTP_SEC_WEBSOCKET_ACCEPT), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    t.answer->ops->upgrade(t.answer, body_from_str(&t.arena, STR("up")), NULL, NULL);
    peer_run(&b.peer);
    EXPECT_STR(buf_str(&s->body), "up");
    t.answer->ops->close(t.answer);
    peer_run(&b.peer);
    trip_end(&t);
    bench_end(&b);
}
