#include "data/uri.c"
#include "test.h"

static struct uri u;
static struct err err;

TEST(an_http_url_comes_apart)
{
    EXPECT_OK(uri_parse_http(STR("https://user:pw@api.example.org:8443/base/x?y=1"), &u, &err));
    EXPECT_STR(u.scheme, "https");
    EXPECT_STR(u.user_info, "user:pw");
    EXPECT_STR(u.host, "api.example.org");
    EXPECT_EQ(u.port, 8443);
    EXPECT_STR(u.path, "/base/x");
    EXPECT_STR(u.query, "y=1");
}

TEST(missing_parts_have_their_defaults)
{
    EXPECT_OK(uri_parse_http(STR("http://h"), &u, &err));
    EXPECT_EQ(u.port, 80);
    EXPECT(!u.has_port);
    EXPECT_STR(u.path, "");
    EXPECT(!u.query.p);
    EXPECT_OK(uri_parse_http(STR("HTTPS://h?q"), &u, &err));
    EXPECT_EQ(u.port, 443);
    EXPECT_STR(u.query, "q");
}

TEST(ipv6_hosts_lose_their_brackets)
{
    EXPECT_OK(uri_parse(STR("http://[::1]:81/"), &u, &err));
    EXPECT_STR(u.host, "::1");
    EXPECT_EQ(u.port, 81);
    EXPECT_ERR(uri_parse(STR("http://[::1/"), &u, &err), ERR_SYNTAX);
    EXPECT_ERR(uri_parse(STR("http://[::g]/"), &u, &err), ERR_SYNTAX);
    EXPECT_ERR(uri_parse(STR("http://[]/"), &u, &err), ERR_SYNTAX);
    EXPECT_ERR(uri_parse(STR("http://[::1]x/"), &u, &err), ERR_SYNTAX);
}

TEST(what_is_no_url_is_refused)
{
    static const char *const bad[] = {"", "x", "http://", "http:///x", "http://a b/", "http://h/\n", "http://h/#f",
                                      "://h", "1http://h", "http://h:0x50/", "http://h:70000/", "http://h\\x/",
                                      "http://{{host}}/"};

    for (size_t i = 0; i < COUNTOF(bad); i++)
        if (uri_parse(str_from_c(bad[i]), &u, &err))
            TEST_FAIL("'%s' was accepted", bad[i]);
    EXPECT_ERR(uri_parse_http(STR("ftp://h/"), &u, &err), ERR_INVALID);
}

TEST(a_query_is_stepped_through_pair_by_pair)
{
    struct str rest = STR("a=1&&b&c=x=y"), name, value;

    EXPECT(query_next(&rest, &name, &value));
    EXPECT_STR(name, "a");
    EXPECT_STR(value, "1");
    EXPECT(query_next(&rest, &name, &value));
    EXPECT_STR(name, "b");
    EXPECT(!value.p);
    EXPECT(query_next(&rest, &name, &value));
    EXPECT_STR(value, "x=y");
    EXPECT(!query_next(&rest, &name, &value));
}

TEST(texts_of_queries_are_the_same_however_they_are_escaped)
{
    EXPECT(query_text_is(STR("api-version"), STR("api-version"), false));
    EXPECT(query_text_is(STR("%61pi%2Dversion"), STR("api-version"), false));
    EXPECT(query_text_is(STR("api%2dversion"), STR("API-Version"), true));
    EXPECT(query_text_is(STR("a+b"), STR("a%20b"), false));
    EXPECT(query_text_is(STR(""), STR(""), false));
    EXPECT(query_text_is(STR_NONE, STR(""), false));
    EXPECT(query_text_is(STR("%4"), STR("%4"), false));
    EXPECT(query_text_is(STR("%zz"), STR("%zz"), false));
    EXPECT(!query_text_is(STR("A"), STR("a"), false));
    EXPECT(!query_text_is(STR("a%00"), STR("a"), true));
    EXPECT(!query_text_is(STR("a"), STR("ab"), true));
    EXPECT(!query_text_is(STR("%61b"), STR("a"), true));
    EXPECT(!query_text_is(STR("%2561"), STR("a"), true));      /* once */
}
