#include "http/message.c"
#include "test.h"

TEST(authorities_are_checked_and_compared)
{
    static const char *const good[] = {"a",         "a.b:80",       "[::1]", "[::1]:8080",
                                       "1.2.3.4:1", "a_b.example.", "h:"};
    static const char *const bad[] = {"",   "a b", "u@h", "a:b", "a:99999", "a:0",   "[::1",
                                      "[]", "a,b", "a/b", ":80", "h\x80",   "[::1]x"};

    for (size_t i = 0; i < COUNTOF(good); i++)
        if (!http_authority_is_valid(str_from_c(good[i])))
            TEST_FAIL("'%s' was refused", good[i]);
    for (size_t i = 0; i < COUNTOF(bad); i++)
        if (http_authority_is_valid(str_from_c(bad[i])))
            TEST_FAIL("'%s' was accepted", bad[i]);
    EXPECT(http_authority_eq(STR("Example.com."), STR("example.com:80"), STR("http")));
    EXPECT(!http_authority_eq(STR("example.com"), STR("example.com:80"), STR("https")));
    EXPECT(http_authority_eq(STR("[::1]:443"), STR("[::1]"), STR("https")));
}

TEST(dates_come_in_three_forms)
{
    char text[30];
    uint64_t s = 0;

    http_date_format(784111777, text);
    EXPECT_STR(str_from_c(text), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT(http_date_parse(STR("Sun, 06 Nov 1994 08:49:37 GMT"), &s) && s == 784111777);
    EXPECT(http_date_parse(STR("Sunday, 06-Nov-94 08:49:37 GMT"), &s) && s == 784111777);
    EXPECT(http_date_parse(STR("Sun Nov  6 08:49:37 1994"), &s) && s == 784111777);
    EXPECT(!http_date_parse(STR("Sun, 36 Nov 1994 08:49:37 GMT"), &s));
    EXPECT(!http_date_parse(STR("Sun, 06 Nov 1994 08:49:37 GMT x"), &s));
    EXPECT(http_date_parse(STR("SUN, 06 nov 1994 08:49:37 gmt"), &s) && s == 784111777);
    EXPECT(!http_date_parse(STR("0"), &s));
    static const char *const wrong[] = {
        "Sun, 06  Nov 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT", "Sun 06 Nov 1994 08:49:37 GMT", "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08.49.37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 AEST",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "",
    };
    for (size_t i = 0; i < COUNTOF(wrong); i++)
        if (http_date_parse(str_from_c(wrong[i]), &s))
            TEST_FAIL("'%s' was taken", wrong[i]);
}

TEST(methods_are_case_sensitive)
{
    EXPECT_EQ(http_method_from(STR("GET")), HTTP_METHOD_GET);
    EXPECT_EQ(http_method_from(STR("get")), HTTP_METHOD_OTHER);
    EXPECT_STR(http_reason(404), "Not Found");
}

TEST(methods_promise_what_the_registry_says)
{
    EXPECT(http_method_is_idempotent(STR("PUT")) && !http_method_is_safe(STR("PUT")));
    EXPECT(http_method_is_idempotent(STR("PROPFIND")) && http_method_is_safe(STR("PROPFIND")));
    EXPECT(http_method_is_idempotent(STR("UNLOCK")) && !http_method_is_safe(STR("UNLOCK")));
    EXPECT(!http_method_is_idempotent(STR("POST")) && !http_method_is_idempotent(STR("LOCK")));
    EXPECT(!http_method_is_idempotent(STR("CONNECT")) && !http_method_is_idempotent(STR("PURGE")));
    EXPECT(!http_method_is_idempotent(STR("propfind")) && !http_method_is_idempotent(STR("")));
}
