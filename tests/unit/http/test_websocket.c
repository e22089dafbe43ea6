/* The handshake of RFC 6455.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/websocket.c"

#include "test.h"

TEST(the_example_of_the_rfc)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);

    EXPECT_STR(websocket_accept(&arena, STR("dGhlIHNhbXBsZSBub25jZQ==")), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(requests_that_keep_the_rules_and_that_do_not)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_request r = {.method = HTTP_METHOD_GET, .version = HTTP_1_1, .headers = http_headers_in(&arena)};
    struct h1_refusal why;

    EXPECT(!websocket_request_is_valid(&r, &why));
    EXPECT_EQ(why.status, 426);
    http_headers_add(&r.headers, STR("Sec-WebSocket-Version"), STR("13"));
    EXPECT(!websocket_request_is_valid(&r, &why));
    EXPECT_EQ(why.status, 400);
    http_headers_add(&r.headers, STR("Sec-WebSocket-Key"), STR("dGhlIHNhbXBsZSBub25jZQ=="));
    EXPECT(websocket_request_is_valid(&r, &why));
    http_headers_add(&r.headers, STR("Sec-WebSocket-Key"), STR("dGhlIHNhbXBsZSBub25jZQ=="));
    EXPECT(!websocket_request_is_valid(&r, &why)); /* which of the two would the backend answer to? */
    http_headers_set(&r.headers, STR("Sec-WebSocket-Key"), STR("dGhlIHNhbXBsZSBub25jZQ=="));
    http_headers_add(&r.headers, STR("Sec-WebSocket-Version"), STR("8"));
    EXPECT(!websocket_request_is_valid(&r, &why));
    EXPECT_EQ(why.status, 426);
    http_headers_set(&r.headers, STR("Sec-WebSocket-Version"), STR("13"));
    EXPECT(websocket_request_is_valid(&r, &why));
    http_headers_set(&r.headers, STR("Sec-WebSocket-Key"), STR("c2hvcnQ="));
    EXPECT(!websocket_request_is_valid(&r, &why));
    r.method = HTTP_METHOD_POST;
    EXPECT(!websocket_request_is_valid(&r, &why));
}

TEST(a_key_is_made_where_there_is_none)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_headers h = http_headers_in(&arena);

    EXPECT(websocket_complete(&h, STR("other")));
    EXPECT_EQ(h.n, 0);
    EXPECT(websocket_complete(&h, STR("websocket")));
    EXPECT(is_key(http_headers_get(&h, HTTP_SEC_WEBSOCKET_KEY)));
}
