/* Requests and responses as bytes, with the verdict each must get: robustness.md A1-A9, A11, A16, A17, B1-B3. */
#include "http/h1_framing.c"
#include "test.h"

#include "base/arena.h"

static const struct h1_head_limits limits = {.target_bytes = 8192, .fields = 100};

/* The status a request is refused with, 0 when it is accepted, -1 when it is not all there. */
static int
judge(struct str bytes, struct http_request *rq, struct h1_framing *f, struct arena *arena)
{
    struct h1_refusal why = {0};
    bool has_underscore;
    ptrdiff_t n;

    *rq = (struct http_request){.headers = http_headers_in(arena)};
    n = h1_parse_request(bytes, &limits, rq, &has_underscore, &why);
    if (n == H1_MORE)
        return -1;
    if (n == H1_BAD || !h1_frame_request(rq, STR("http"), has_underscore, f, &why))
        return why.status && why.why ? why.status : 999;
    return n == (ptrdiff_t)bytes.len ? 0 : 998;
}

#define L "\r\n"
#define GET "GET / HTTP/1.1" L "Host: a" L
#define POST "POST /p HTTP/1.1" L "Host: a" L
#define CASE(status, bytes) {status, {bytes, sizeof(bytes) - 1}}

static const struct {
    int status;
    struct str bytes;
} requests[] = {
    /* fine */
    CASE(0, GET L),
    CASE(0, "GET /a?b=c&d HTTP/1.1" L "Host: example.com:8080" L "Accept: */*" L L),
    CASE(0, "OPTIONS * HTTP/1.1" L "Host: a" L L),
    CASE(0, "GET http://b/x?y HTTP/1.1" L "Host: a" L L),
    CASE(0, "GET / HTTP/1.0" L L),
    CASE(0, "PURGE /x HTTP/1.1" L "Host: a" L L),
    CASE(0, GET "X-Text: caf\xc3\xa9 \xff" L L),
    CASE(0, GET "X-Empty:" L "X-Blank: \t " L "X-Tab: a\tb" L L),
    CASE(0, POST "Content-Length: 5" L L),
    CASE(0, POST "Content-Length: 0" L L),
    CASE(0, POST "Content-Length: 0000005" L L),
    CASE(0, POST "Content-Length: 9223372036854775807" L L),
    CASE(0, POST "Transfer-Encoding: chunked" L L),
    CASE(0, POST "transfer-encoding:\t CHUNKED \t" L L),
    CASE(0, POST "Content-Length: 5" L "Expect: 100-continue" L L),
    CASE(0, POST "Content-Length: 5" L "Expect: 100-Continue" L L),
    CASE(0, GET "x_custom: 1" L L),
    /* A1: two framings */
    CASE(400, POST "Content-Length: 5" L "Transfer-Encoding: chunked" L L),
    CASE(400, POST "Transfer-Encoding: chunked" L "Content-Length: 5" L L),
    CASE(400, GET "Transfer-Encoding: chunked" L "Content-Length: 0" L L),
    /* A2: transfer codings */
    CASE(501, POST "Transfer-Encoding: gzip" L L),
    CASE(501, POST "Transfer-Encoding: gzip, chunked" L L),
    CASE(501, POST "Transfer-Encoding: deflate" L L),
    CASE(400, POST "Transfer-Encoding: identity" L L),
    CASE(400, POST "Transfer-Encoding: identity, chunked" L L),
    CASE(400, POST "Transfer-Encoding: chunked" L "Transfer-Encoding: chunked" L L),
    CASE(400, POST "Transfer-Encoding: chunked" L "Transfer-Encoding: identity" L L),
    CASE(400, POST "Transfer-Encoding: ,chunked" L L),
    CASE(400, POST "Transfer-Encoding: chunked," L L),
    CASE(400, POST "Transfer-Encoding: chunked, chunked" L L),
    CASE(400, POST "Transfer-Encoding: chunked, gzip" L L),
    CASE(400, POST "Transfer-Encoding: xchunked" L L),
    CASE(400, POST "Transfer-Encoding: chunkedx" L L),
    CASE(400, POST "Transfer-Encoding: \"chunked\"" L L),
    CASE(400, POST "Transfer-Encoding: chunked;q=1" L L),
    CASE(400, POST "Transfer-Encoding: chunked\xa0" L L),
    CASE(400, POST "Transfer-Encoding: \xff" "chunked" L L),
    CASE(400, POST "Transfer-Encoding: chu nked" L L),
    CASE(400, POST "Transfer-Encoding:" L L),
    CASE(400, POST "Transfer-Encoding: \x0b" "chunked" L L),
    CASE(400, POST "Transfer-Encoding: chunked\x00" L L),
    CASE(400, POST "Transfer-Encoding :chunked" L L),
    CASE(400, POST " Transfer-Encoding: chunked" L L),
    CASE(400, POST "X: y" L "\tTransfer-Encoding: chunked" L L),
    CASE(400, POST "Transfer-Encoding:" L " chunked" L L),
    CASE(400, POST "\x00Transfer-Encoding: chunked" L L),
    CASE(400, POST "Transfer\x80-Encoding: chunked" L L),
    /* A3: lengths */
    CASE(400, POST "Content-Length: 5" L "Content-Length: 5" L L),
    CASE(400, POST "Content-Length: 5" L "Content-Length: 6" L L),
    CASE(400, POST "Content-Length: 5, 5" L L),
    CASE(400, POST "Content-Length: +5" L L),
    CASE(400, POST "Content-Length: -5" L L),
    CASE(400, POST "Content-Length: 0x5" L L),
    CASE(400, POST "Content-Length: 1_0" L L),
    CASE(400, POST "Content-Length: 5 5" L L),
    CASE(400, POST "Content-Length: " L L),
    CASE(400, POST "Content-Length: five" L L),
    CASE(400, POST "Content-Length: 5.0" L L),
    CASE(400, POST "Content-Length: 9223372036854775808" L L),
    CASE(400, POST "Content-Length: 99999999999999999999" L L),
    CASE(400, POST "Content-Length: 0000000000000000000000000000000000000005" L L),
    /* A5: line ends and controls */
    CASE(400, "GET / HTTP/1.1\nHost: a\n\n"),
    CASE(400, "GET / HTTP/1.1" L "Host: a\n" L),
    CASE(400, "GET / HTTP/1.1" L "Host: a" L "\n"),
    CASE(400, GET "X: a\rb" L L),
    CASE(400, GET "X: a\nb" L L),
    CASE(400, GET "X:\rContent-Length: 23" L L),
    CASE(400, GET "X: a\x00" "b" L L),
    CASE(400, GET "X: a\x01" L L),
    CASE(400, GET "X: a\x1f" L L),
    CASE(400, GET "X: a\x7f" L L),
    CASE(400, GET "X\x7f: a" L L),
    CASE(400, GET "X\x01: a" L L),
    CASE(400, GET "X: a\r\r\n" L),
    /* A6: names */
    CASE(400, GET "X : a" L L),
    CASE(400, GET "X\t: a" L L),
    CASE(400, GET " X: a" L L),
    CASE(400, GET "X a: b" L L),
    CASE(400, GET ": a" L L),
    CASE(400, GET "novalue" L L),
    CASE(400, GET "X(a): b" L L),
    CASE(400, GET "\"X\": b" L L),
    CASE(400, "GET / HTTP/1.1" L " Host: a" L L),
    /* A7: underscores */
    CASE(400, POST "Transfer_Encoding: chunked" L L),
    CASE(400, POST "transfer_encoding: chunked" L L),
    CASE(400, POST "Content_Length: 5" L L),
    CASE(400, GET "X_Forwarded_For: 1.2.3.4" L L),
    CASE(400, GET "X-Forwarded_For: 1.2.3.4" L L),
    CASE(400, GET "HOST_: a" L "Ocp_Apim_Subscription_Key: k" L L),
    /* A8: request line */
    CASE(400, "GET  / HTTP/1.1" L "Host: a" L L),
    CASE(400, "GET / HTTP/1.1 " L "Host: a" L L),
    CASE(400, "GET /  HTTP/1.1" L "Host: a" L L),
    CASE(400, "GET\t/ HTTP/1.1" L "Host: a" L L),
    CASE(400, " GET / HTTP/1.1" L "Host: a" L L),
    CASE(400, "GET /" L L),
    CASE(400, "GET / " L L),
    CASE(400, "GET / x HTTP/1.1" L "Host: a" L L),
    CASE(400, "GET HTTP/1.1" L "Host: a" L L),
    CASE(400, "GET / http/1.1" L "Host: a" L L),
    CASE(400, "GET / HTTP/1.2" L "Host: a" L L),
    CASE(400, "GET / HTTP/1.10" L "Host: a" L L),
    CASE(400, "GET / HTTP/1,1" L "Host: a" L L),
    CASE(400, "GET / HTTP/01.1" L "Host: a" L L),
    CASE(400, "GET / HTTPS/1.1" L "Host: a" L L),
    CASE(505, "GET / HTTP/2.0" L "Host: a" L L),
    CASE(505, "GET / HTTP/0.9" L "Host: a" L L),
    CASE(505, "GET / HTTP/3.0" L "Host: a" L L),
    CASE(400, "G(T / HTTP/1.1" L "Host: a" L L),
    CASE(400, "GET /a#b HTTP/1.1" L "Host: a" L L),
    CASE(400, "GET /a\x80 HTTP/1.1" L "Host: a" L L),
    CASE(400, "GET /a\x01 HTTP/1.1" L "Host: a" L L),
    CASE(400, "GET /a\x00 HTTP/1.1" L "Host: a" L L),
    CASE(400, "GET a HTTP/1.1" L "Host: a" L L),
    CASE(400, "GET ftp://a/ HTTP/1.1" L "Host: a" L L),
    CASE(400, "GET http:///x HTTP/1.1" L "Host: a" L L),
    CASE(400, "GET * HTTP/1.1" L "Host: a" L L),
    CASE(400, "*GET / HTTP/1.1\r" "Host: a" L L),
    /* A9: Host */
    CASE(400, "GET / HTTP/1.1" L L),
    CASE(400, GET "Host: a" L L),
    CASE(400, GET "host: b" L L),
    CASE(400, "GET / HTTP/1.0" L "Host: a" L "Host: a" L L),
    CASE(400, "GET / HTTP/1.1" L "Host: a, b" L L),
    CASE(400, "GET / HTTP/1.1" L "Host: a b" L L),
    CASE(400, "GET / HTTP/1.1" L "Host: u@a" L L),
    CASE(400, "GET / HTTP/1.1" L "Host: a/b" L L),
    CASE(400, "GET / HTTP/1.1" L "Host: a:80:80" L L),
    CASE(400, "GET / HTTP/1.1" L "Host: a:x" L L),
    CASE(400, "GET / HTTP/1.1" L "Host:" L L),
    CASE(400, "GET http://u@b/ HTTP/1.1" L "Host: b" L L),
    /* A11: expectations */
    CASE(417, POST "Content-Length: 5" L "Expect: 100-continue, x" L L),
    CASE(417, POST "Content-Length: 5" L "Expect: y" L L),
    CASE(417, POST "Content-Length: 5" L "Expect: 100-continue" L "Expect: 100-continue" L L),
    CASE(417, POST "Content-Length: 5" L "Expect:" L L),
    /* A16, A17 */
    CASE(400, "POST / HTTP/1.0" L "Transfer-Encoding: chunked" L L),
    CASE(405, "TRACE / HTTP/1.1" L "Host: a" L L),
    CASE(405, "TRACK / HTTP/1.1" L "Host: a" L L),
    CASE(405, "CONNECT a:443 HTTP/1.1" L "Host: a" L L),
    /* not all there, and nothing wrong so far */
    CASE(-1, "GE"),
    CASE(-1, "GET /"),
    CASE(-1, "GET / HTT"),
    CASE(-1, "GET / HTTP/1.1\r"),
    CASE(-1, GET),
    CASE(-1, GET "\r"),
    CASE(-1, GET "X-Ha"),
    CASE(-1, GET "X-Half: val"),
    CASE(-1, GET "X-Half: val\r"),
};

TEST(each_request_gets_its_verdict)
{
    for (size_t i = 0; i < COUNTOF(requests); i++) {
        struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
        struct http_request rq;
        struct h1_framing f = {0};
        int status = judge(requests[i].bytes, &rq, &f, &arena);
        if (status != requests[i].status)
            TEST_FAIL("case %zu: %d, expected %d:\n%.*s", i, status, requests[i].status,
                      STR_ARG(requests[i].bytes));
    }
}

/* However a head is cut, the parts never give another verdict than the whole: each prefix is "more" or already
 * bad. */
TEST(a_prefix_never_reads_as_something_else)
{
    for (size_t i = 0; i < COUNTOF(requests); i++) {
        for (size_t n = 0; n < requests[i].bytes.len; n++) {
            struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
            struct http_request rq;
            struct h1_framing f = {0};
            int status = judge(str_sub(requests[i].bytes, 0, n), &rq, &f, &arena);
            if (status != -1 && status != requests[i].status &&
                !(requests[i].status > 0 && status > 0))
                TEST_FAIL("case %zu cut at %zu: %d, expected %d", i, n, status, requests[i].status);
        }
    }
}

TEST(framing_is_read_from_the_head)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_request rq;
    struct h1_framing f = {0};

    EXPECT_EQ(judge(STR(POST "Content-Length: 005" L L), &rq, &f, &arena), 0);
    EXPECT_EQ(f.kind, H1_BODY_LENGTH);
    EXPECT_EQ(rq.content_length, 5);
    EXPECT(f.keep_alive && rq.has_body);
    EXPECT_EQ(
        judge(STR(POST "Transfer-Encoding: Chunked" L "Connection: x, Close" L L), &rq, &f, &arena),
        0);
    EXPECT_EQ(f.kind, H1_BODY_CHUNKED);
    EXPECT_EQ(rq.content_length, HTTP_LENGTH_UNKNOWN);
    EXPECT(!f.keep_alive);
    EXPECT_EQ(judge(STR("GET / HTTP/1.0" L "Connection: keep-alive" L L), &rq, &f, &arena), 0);
    EXPECT(f.keep_alive && f.kind == H1_BODY_NONE && !rq.has_body);
    EXPECT_EQ(judge(STR("GET / HTTP/1.0" L L), &rq, &f, &arena), 0);
    EXPECT(!f.keep_alive);
    EXPECT_EQ(judge(STR(POST "Expect: 100-continue" L "Content-Length: 1" L L), &rq, &f, &arena),
              0);
    EXPECT(f.expects_continue);
}

TEST(an_absolute_target_overrides_host)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_request rq;
    struct h1_framing f = {0};

    EXPECT_EQ(judge(STR("GET HTTPS://b:8443?q HTTP/1.1" L "Host: a" L L), &rq, &f, &arena), 0);
    EXPECT_STR(rq.scheme, "https");
    EXPECT_STR(rq.authority, "b:8443");
    EXPECT_STR(rq.path, "/");
    EXPECT_STR(rq.query, "q");
    EXPECT_STR(http_headers_get(&rq.headers, HTTP_HOST), "b:8443");
}

TEST(limits_have_their_own_status)
{
    struct h1_head_limits small = {.target_bytes = 10, .fields = 2};
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_request rq = {.headers = http_headers_in(&arena)};
    struct h1_refusal why;
    bool u;

    EXPECT_EQ(
        h1_parse_request(STR("GET /123456789 HTTP/1.1" L "Host: a" L L), &small, &rq, &u, &why),
        36);
    EXPECT_EQ(
        h1_parse_request(STR("GET /1234567890 HTTP/1.1" L "Host: a" L L), &small, &rq, &u, &why),
        H1_BAD);
    EXPECT_EQ(why.status, 414);
    EXPECT_EQ(h1_parse_request(STR("GET /1234567890"), &small, &rq, &u, &why), H1_BAD);
    EXPECT_EQ(h1_parse_request(STR(GET "b: c" L L), &small, &rq, &u, &why), 33);
    EXPECT_EQ(h1_parse_request(STR(GET "b: c" L "d: e" L), &small, &rq, &u, &why), H1_BAD);
    EXPECT_EQ(why.status, 431);
}

#define OK "HTTP/1.1 200 OK" L
enum { BAD_RESPONSE = -9 };

static const struct {
    int kind;                         /* enum h1_body_kind or BAD_RESPONSE */
    bool keep_alive;
    enum http_method method;
    struct str bytes;
} responses[] = {
    {H1_BODY_LENGTH, true, HTTP_METHOD_GET, STR_INIT(OK "Content-Length: 5" L L)},
    {H1_BODY_NONE, true, HTTP_METHOD_GET, STR_INIT(OK "Content-Length: 0" L L)},
    {H1_BODY_CHUNKED, true, HTTP_METHOD_GET, STR_INIT(OK "Transfer-Encoding: chunked" L L)},
    {H1_BODY_UNTIL_CLOSE, false, HTTP_METHOD_GET, STR_INIT(OK L)},
    {H1_BODY_UNTIL_CLOSE, false, HTTP_METHOD_GET, STR_INIT("HTTP/1.0 200 OK" L L)},
    {H1_BODY_NONE, true, HTTP_METHOD_HEAD, STR_INIT(OK "Content-Length: 5" L L)},
    {H1_BODY_NONE, true, HTTP_METHOD_HEAD, STR_INIT(OK "Transfer-Encoding: chunked" L L)},
    {H1_BODY_NONE, true, HTTP_METHOD_GET, STR_INIT("HTTP/1.1 304 Not Modified" L "Content-Length: 5" L L)},
    {H1_BODY_NONE, true, HTTP_METHOD_GET, STR_INIT("HTTP/1.1 204" L L)},
    {H1_BODY_NONE, false, HTTP_METHOD_GET, STR_INIT("HTTP/1.1 204 " L "Content-Length: 5" L L)},
    {H1_BODY_NONE, true, HTTP_METHOD_GET, STR_INIT("HTTP/1.1 100 Continue" L L)},
    {H1_BODY_LENGTH, false, HTTP_METHOD_GET, STR_INIT(OK "Connection: close" L "Content-Length: 5" L L)},
    {H1_BODY_LENGTH, true, HTTP_METHOD_GET, STR_INIT("HTTP/1.0 200 OK" L "Connection: keep-alive" L "Content-Length: 5" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT(OK "Content-Length: 5" L "Transfer-Encoding: chunked" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT(OK "Content-Length: 5" L "Content-Length: 5" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT(OK "Content-Length: 5" L "Content-Length: 7" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT(OK "Content-Length: -1" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT(OK "Transfer-Encoding: gzip, chunked" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT(OK "Transfer-Encoding: xchunked" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT("HTTP/1.0 200 OK" L "Transfer-Encoding: chunked" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_HEAD, STR_INIT(OK "Content-Length: 5" L "Transfer-Encoding: chunked" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT("HTTP/1.1 100 Continue" L "Content-Length: 5" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT("HTTP/1.1 103 Early Hints" L "Transfer-Encoding: chunked" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT("HTTP/1.1 20 OK" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT("HTTP/1.1 2000 OK" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT("HTTP/1.1 099 OK" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT("HTTP/1.1  200 OK" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT("HTTP/1.1 2x0 OK" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT("HTTP/2 200 OK" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT("ICY 200 OK" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT("HTTP/1.1 200 O\x01K" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT("HTTP/1.1 200 OK\nContent-Length: 1\n\n")},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT(OK "X: a\x0b" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT(OK "X : a" L L)},
    {BAD_RESPONSE, false, HTTP_METHOD_GET, STR_INIT(OK "X: a" L " b" L L)},
};

TEST(each_response_gets_its_framing)
{
    for (size_t i = 0; i < COUNTOF(responses); i++) {
        struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
        struct http_response rs = {.headers = http_headers_in(&arena)};
        struct h1_framing f = {0};
        struct h1_refusal why = {0};
        ptrdiff_t n = h1_parse_response(responses[i].bytes, &limits, &rs, &why);
        int kind = n > 0 && h1_frame_response(&rs, responses[i].method, &f, &why) ? (int)f.kind
                                                                                  : BAD_RESPONSE;
        if (kind != responses[i].kind || n == H1_MORE ||
            (kind != BAD_RESPONSE && f.keep_alive != responses[i].keep_alive))
            TEST_FAIL("case %zu: kind %d, keep-alive %d:\n%.*s", i, kind, f.keep_alive,
                      STR_ARG(responses[i].bytes));
    }
}

TEST(trailers_lose_what_they_may_not_say)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_headers t = http_headers_in(&arena);
    struct h1_refusal why;
    bool u;

    EXPECT(h1_parse_fields(STR("X-Sum: 1" L "Content-Length: 5" L "Cookie: a" L
                               "Content_Length: 1" L "grpc-status: 0" L L),
                           &limits, &t, &u, &why) > 0);
    h1_clean_trailers(&t, u);
    EXPECT_EQ(t.n, 2);
    EXPECT_STR(t.v[0].name, "X-Sum");
    EXPECT_STR(http_headers_get(&t, HTTP_GRPC_STATUS), "0");
    EXPECT(!http_headers_has(&t, HTTP_COOKIE));
}
