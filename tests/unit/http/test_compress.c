/* Which answers are packed, and what they say about it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/compress.c"

#include "test.h"

static struct arena arena = {.bytes_max = 16 << 20};
static char text[4096];

static struct http_response
answer(const char *type)
{
    struct http_response r = {.status = 200, .headers = http_headers_in(&arena)};

    http_headers_add(&r.headers, STR("Content-Type"), str_from_c(type));
    http_headers_add(&r.headers, STR("ETag"), STR("\"v1\""));
    return r;
}

static bool
is_packed(struct http_response *r, const char *accept, size_t length)
{
    struct http_request rq = {.headers = http_headers_in(&arena)};
    struct body *body = body_from_str(&arena, str_from(text, length)), *before = body;

    if (accept)
        http_headers_add(&rq.headers, STR("Accept-Encoding"), str_from_c(accept));
    EXPECT(http_compress(&arena, &rq, r, &body));
    return body != before;
}

TEST(the_better_coding_wins)
{
    EXPECT_EQ(http_accepted_coding(STR("gzip, deflate, br")), HTTP_CODING_BROTLI);
    EXPECT_EQ(http_accepted_coding(STR("gzip")), HTTP_CODING_GZIP);
    EXPECT_EQ(http_accepted_coding(STR("br;q=0.5, gzip;q=0.8")), HTTP_CODING_GZIP);
    EXPECT_EQ(http_accepted_coding(STR("br;q=0, gzip;q=0.001")), HTTP_CODING_GZIP);
    EXPECT_EQ(http_accepted_coding(STR("*")), HTTP_CODING_BROTLI);
    EXPECT_EQ(http_accepted_coding(STR("br;q=0, *")), HTTP_CODING_GZIP);
    EXPECT_EQ(http_accepted_coding(STR("identity")), HTTP_CODING_IDENTITY);
    EXPECT_EQ(http_accepted_coding(STR("gzip;q=0")), HTTP_CODING_IDENTITY);
    EXPECT_EQ(http_accepted_coding(STR("identity, gzip;q=0.5")), HTTP_CODING_IDENTITY);
    EXPECT_EQ(http_accepted_coding(STR("identity;q=0.5, gzip;q=0.5")), HTTP_CODING_GZIP);
    EXPECT_EQ(http_accepted_coding(STR_NONE), HTTP_CODING_IDENTITY);
}

TEST(a_packed_answer_says_so)
{
    struct http_response r = answer("application/json; charset=utf-8");

    http_headers_add(&r.headers, STR("Content-Length"), STR("4096"));
    http_headers_add(&r.headers, STR("Vary"), STR("Origin"));
    EXPECT(is_packed(&r, "gzip", sizeof(text)));
    EXPECT_STR(http_headers_get(&r.headers, HTTP_CONTENT_ENCODING), "gzip");
    EXPECT_STR(http_headers_get(&r.headers, HTTP_VARY), "Origin, Accept-Encoding");
    EXPECT_STR(http_headers_get(&r.headers, HTTP_ETAG), "W/\"v1\"");
    EXPECT(!http_headers_has(&r.headers, HTTP_CONTENT_LENGTH));
}

TEST(a_client_that_takes_nothing_still_hears_vary)
{
    struct http_response r = answer("text/plain");

    EXPECT(!is_packed(&r, NULL, sizeof(text)));
    EXPECT_STR(http_headers_get(&r.headers, HTTP_VARY), "Accept-Encoding");
    EXPECT_STR(http_headers_get(&r.headers, HTTP_ETAG), "\"v1\"");
}

TEST(what_is_not_packed)
{
    struct http_response r = answer("text/plain");

    EXPECT(!is_packed(&r, "gzip", 100));
    r = answer("image/png");
    EXPECT(!is_packed(&r, "gzip", sizeof(text)));
    r = answer("text/plain");
    r.status = 206;
    EXPECT(!is_packed(&r, "gzip", sizeof(text)));
    r = answer("text/plain");
    http_headers_add(&r.headers, STR("Content-Encoding"), STR("br"));
    EXPECT(!is_packed(&r, "gzip", sizeof(text)));
    r = answer("text/plain");
    http_headers_add(&r.headers, STR("Cache-Control"), STR("public, no-transform"));
    EXPECT(!is_packed(&r, "gzip", sizeof(text)));
    r = answer("application/problem+json");
    EXPECT(is_packed(&r, "gzip", sizeof(text)));
    arena_destroy(&arena);
}
