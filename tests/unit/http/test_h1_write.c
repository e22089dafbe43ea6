#include "http/h1_write.c"
#include "test.h"

static struct str
response(struct arena *arena, const struct http_response *r, const struct h1_out *out)
{
    size_t size = h1_response_size(r, out);
    char *to = arena_alloc(arena, size, 1, 1);
    size_t n = h1_write_response(to, r, out);

    EXPECT(n <= size);
    return str_from(to, n);
}

TEST(a_response_gets_its_framing_from_the_writer)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_response r = {.status = 200, .headers = http_headers_in(&arena)};
    struct h1_out out = {.content_length = 5, .want_close = true, .date = STR("D")};

    http_headers_add(&r.headers, STR("Content-Length"), STR("77"));
    http_headers_add(&r.headers, STR("transfer-encoding"), STR("chunked"));
    http_headers_add(&r.headers, STR("Connection"), STR("keep-alive"));
    http_headers_add(&r.headers, STR("X-Empty"), STR_NONE);
    http_headers_add(&r.headers, STR("Content-Type"), STR("text/plain"));
    EXPECT_STR(response(&arena, &r, &out),
               "HTTP/1.1 200 OK\r\nX-Empty: \r\nContent-Type: text/plain\r\nDate: D\r\n"
               "Content-Length: 5\r\nConnection: close\r\n\r\n");
    out = (struct h1_out){
        .content_length = HTTP_LENGTH_UNKNOWN, .is_chunked = true, .date = STR("D")};
    r.reason = STR("Fine");
    http_headers_set(&r.headers, STR("date"), STR("own"));
    EXPECT_STR(response(&arena, &r, &out),
               "HTTP/1.1 200 Fine\r\nX-Empty: \r\nContent-Type: text/plain\r\ndate: own\r\n"
               "Transfer-Encoding: chunked\r\n\r\n");
}

TEST(a_head_with_a_line_end_inside_is_never_written)
{
    static const char *const values[] = {"a\r\nX: y", "a\nb", "a\rb", "a\x01"};

    for (size_t i = 0; i < COUNTOF(values); i++) {
        struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
        struct http_response r = {.status = 200, .headers = http_headers_in(&arena)};
        struct http_request q = {.method_text = STR("GET"),
                                 .path = STR("/"),
                                 .authority = STR("a"),
                                 .headers = r.headers};
        struct h1_out out = {0};

        http_headers_add(&r.headers, STR("X"), str_from_c(values[i]));
        EXPECT_EQ(response(&arena, &r, &out).len, 0);
        r.headers.n = 0;
        http_headers_add(&r.headers, str_from_c(values[i]), STR("v"));
        EXPECT_EQ(response(&arena, &r, &out).len, 0);
        r.headers.n = 0;
        r.reason = str_from_c(values[i]);
        EXPECT_EQ(response(&arena, &r, &out).len, 0);
        q.query = str_from_c(values[i]);
        EXPECT_EQ(h1_write_request(arena_alloc(&arena, 1000, 1, 1), &q, &out), 0);
        q.query = STR_NONE;
        q.path = STR("/a b");
        EXPECT_EQ(h1_write_request(arena_alloc(&arena, 1000, 1, 1), &q, &out), 0);
        q.path = STR("/");
        q.authority = STR("a\r\nb");
        EXPECT_EQ(h1_write_request(arena_alloc(&arena, 1000, 1, 1), &q, &out), 0);
    }
}

TEST(a_request_names_its_host_first_and_once)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_request q = {.method_text = STR("PUT"),
                             .path = STR("/p"),
                             .query = STR("q=1"),
                             .authority = STR("b:81"),
                             .headers = http_headers_in(&arena)};
    struct h1_out out = {.content_length = HTTP_LENGTH_UNKNOWN, .want_trailers = true};
    char to[1000];

    http_headers_add(&q.headers, STR("host"), STR("old"));
    http_headers_add(&q.headers, STR("accept"), STR("*/*"));
    EXPECT_STR(str_from(to, h1_write_request(to, &q, &out)),
               "PUT /p?q=1 HTTP/1.1\r\nHost: b:81\r\naccept: */*\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
}

TEST(chunk_lines_are_hexadecimal)
{
    char to[H1_CHUNK_LINE_MAX];

    EXPECT_STR(str_from(to, h1_write_chunk_line(to, 1)), "1\r\n");
    EXPECT_STR(str_from(to, h1_write_chunk_line(to, 0x10)), "10\r\n");
    EXPECT_STR(str_from(to, h1_write_chunk_line(to, 0x3fff)), "3fff\r\n");
    EXPECT_STR(str_from(to, h1_write_chunk_line(to, UINT64_MAX)), "ffffffffffffffff\r\n");
}
