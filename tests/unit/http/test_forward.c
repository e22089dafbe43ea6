#include "http/forward.c"
#include "test.h"

static struct http_headers
fields(struct arena *arena, const char *text)
{
    struct http_headers h = http_headers_in(arena);
    struct str rest = str_from_c(text), line;

    while (str_split_next(&rest, '\n', &line)) {
        ptrdiff_t colon = str_find_char(line, ':', 0);
        if (colon > 0)
            http_headers_add(&h, str_sub(line, 0, (size_t)colon),
                             str_trim(str_skip(line, (size_t)colon + 1)));
    }
    return h;
}

static struct str
names(struct arena *arena, const struct http_headers *h)
{
    struct buf b = buf_in(arena);

    for (uint32_t i = 0; i < h->n; i++)
        buf_printf(&b, "%s%.*s", i ? " " : "", STR_ARG(h->v[i].name));
    return buf_str(&b);
}

TEST(hop_by_hop_fields_end_here)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_headers h =
        fields(&arena,
               "A: 1\nConnection: close, X-Own\nKeep-Alive: 5\nx-own: 2\nTE: trailers\nUpgrade: x\n"
               "Connection: X-Two\nx-two: 3\nHTTP2-Settings: AA\nTransfer-Encoding: chunked\nB: 2");
    struct http_headers t = fields(&arena, "TE: deflate, Trailers\nConnection: te");

    http_strip_hop_by_hop(&h, false);
    EXPECT_STR(names(&arena, &h), "A B");
    http_strip_hop_by_hop(&t, true);
    EXPECT_STR(http_headers_get(&t, HTTP_TE), "trailers");
}

TEST(protected_fields_are_not_nominated_away)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_headers h = fields(
        &arena,
        "Host: a\nConnection: X-Forwarded-For, Authorization, Host, Cookie, Gone, content-length\n"
        "X-Forwarded-For: 1.2.3.4\nAuthorization: x\nGone: 1\nCookie: a=b\nContent-Length: 5");

    http_strip_hop_by_hop(&h, false);
    EXPECT_STR(names(&arena, &h), "Host X-Forwarded-For Authorization Cookie Content-Length");
}

TEST(an_upgrade_is_wanted_when_connection_says_so)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_headers yes = fields(&arena, "Connection: keep-alive, Upgrade\nUpgrade: websocket");
    struct http_headers no = fields(&arena, "Connection: keep-alive\nUpgrade: websocket");
    struct http_headers h2c =
        fields(&arena, "Connection: Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AA");

    EXPECT_STR(http_upgrade_wanted(&yes), "websocket");
    EXPECT(!http_upgrade_wanted(&no).p);
    EXPECT(!http_upgrade_wanted(&h2c).p);
}

static const struct {
    const char *peer, *fields, *address, *scheme;
} identities[] = {
    {"203.0.113.9", "X-Forwarded-For: 1.1.1.1\nX-Forwarded-Proto: https", "203.0.113.9", "http"},
    {"10.0.0.1", "X-Forwarded-For: 1.1.1.1\nX-Forwarded-Proto: https", "1.1.1.1", "https"},
    {"10.0.0.1", "X-Forwarded-For: 6.6.6.6, 1.1.1.1, 10.0.0.2", "1.1.1.1", "http"},
    {"10.0.0.1", "X-Forwarded-For: 6.6.6.6\nX-Forwarded-For: 1.1.1.1", "1.1.1.1", "http"},
    {"10.0.0.1", "X-Forwarded-For: 6.6.6.6, nonsense, 10.0.0.2", "10.0.0.2", "http"},
    {"10.0.0.1", "X-Forwarded-For: 10.0.0.3, 10.0.0.2", "10.0.0.3", "http"},
    {"10.0.0.1", "X-Forwarded-For: [2001:db8::1]:443", "2001:db8::1", "http"},
    {"10.0.0.1", "X-Forwarded-For: 1.1.1.1:8080", "1.1.1.1", "http"},
    {"10.0.0.1", "Forwarded: for=6.6.6.6, for=\"[2001:db8::7]:80\";proto=https, for=10.0.0.2;proto=http", "2001:db8::7", "http"},
    {"10.0.0.1", "", "10.0.0.1", "http"},
};

TEST(the_client_is_found_from_the_right_through_trusted_proxies)
{
    struct addr_net trusted;
    struct http_forward_conf conf = {.trusted = &trusted, .trusted_n = 1};
    struct err err;

    EXPECT_OK(addr_net_parse(STR("10.0.0.0/8"), &trusted, &err));
    for (size_t i = 0; i < COUNTOF(identities); i++) {
        struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
        struct http_request rq = {.authority = STR("gate"),
                                  .headers = fields(&arena, identities[i].fields)};
        struct http_client_id id;
        struct addr peer;
        EXPECT_OK(addr_parse_ip(str_from_c(identities[i].peer), &peer, &err));
        EXPECT(http_client_identify(&conf, &peer, false, &arena, &rq, &id));
        if (!str_eq(id.address, str_from_c(identities[i].address)) ||
            !str_eq(id.scheme, str_from_c(identities[i].scheme)))
            TEST_FAIL("case %zu: %.*s %.*s", i, STR_ARG(id.address), STR_ARG(id.scheme));
        EXPECT(id.is_peer_trusted || rq.headers.n == 0);
    }
}

TEST(what_we_add_stands_behind_what_was_there)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_headers h = fields(&arena, "X-Forwarded-For: 1.1.1.1\nVia: 1.0 a");
    struct http_forward_conf conf = {.add = 63, .via_name = STR("gate")};
    struct http_client_id id = {.scheme = STR("https"), .host = STR("api.example")};
    struct addr peer;
    struct err err;

    EXPECT_OK(addr_parse_ip(STR("2001:db8::1"), &peer, &err));
    EXPECT(http_forward_add(&conf, &id, &peer, &arena, HTTP_1_1, &h));
    EXPECT_STR(http_headers_get(&h, HTTP_X_FORWARDED_FOR), "1.1.1.1, 2001:db8::1");
    EXPECT_STR(http_headers_get(&h, HTTP_X_FORWARDED_PROTO), "https");
    EXPECT_STR(http_headers_get(&h, HTTP_X_FORWARDED_HOST), "api.example");
    EXPECT_STR(http_headers_get(&h, HTTP_X_FORWARDED_PORT), "443");
    EXPECT_STR(http_headers_get(&h, HTTP_FORWARDED),
               "for=\"[2001:db8::1]\";host=\"api.example\";proto=https");
    EXPECT_STR(http_headers_get(&h, HTTP_VIA), "1.0 a, 1.1 gate");
    EXPECT_STR(http_headers_get(&h, HTTP_CDN_LOOP), "headgate");
}

TEST(loops_are_counted_by_our_name_in_cdn_loop)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_forward_conf conf = {.loops_max = 3};
    struct http_headers none = fields(&arena, "Accept: a");
    struct http_headers two = fields(&arena, "CDN-Loop: headgate, other; x=headgate\nCDN-Loop: HEADGATE;v=1");
    struct http_headers three = fields(&arena, "CDN-Loop: headgate, headgate\nCDN-Loop: headgate");

    EXPECT(!http_is_loop(&conf, &none));
    for (int i = 0; i < 3; i++) {
        EXPECT(!http_is_loop(&conf, &none));
        EXPECT(http_loop_add(&arena, &none, &none));
    }
    EXPECT(http_is_loop(&conf, &none));

    EXPECT(!http_is_loop(&conf, &two));
    EXPECT(http_is_loop(&conf, &three));
}
