/* Connection strings as Azure, the .NET client and others write them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "redis/conf.c"
#include "test.h"

static struct arena arena = {.bytes_max = 1 << 20};

static struct redis_conf
good(const char *text)
{
    struct redis_conf c = {0};
    struct err err = ERR_INIT;

    EXPECT_OK(redis_conf_parse(&arena, str_from_c(text), &c, &err));
    return c;
}

static struct err
bad(const char *text)
{
    struct redis_conf c = {0};
    struct err err = ERR_INIT;

    EXPECT(!redis_conf_parse(&arena, str_from_c(text), &c, &err));
    return err;
}

TEST(as_azure_writes_it)
{
    struct redis_conf c = good("shop.redis.cache.windows.net:6380,password=a+b/c=,ssl=True,abortConnect=False");

    EXPECT_EQ(c.n_endpoints, 1);
    EXPECT_STR(c.endpoints[0].host, "shop.redis.cache.windows.net");
    EXPECT_EQ(c.endpoints[0].port, 6380);
    EXPECT_STR(c.password, "a+b/c=");
    EXPECT(c.is_tls && !c.user.len);
}

TEST(servers_options_and_their_defaults)
{
    struct redis_conf c = good(" a , [::1]:7000,10.0.0.3:7001, user=gw, password=x,defaultDatabase=3,connectTimeout=250,"
                               "name=me,sslHost=h,syncTimeout=5000,protocol=resp2,$CONFIG=");

    EXPECT_EQ(c.n_endpoints, 3);
    EXPECT_EQ(c.endpoints[0].port, 6379);
    EXPECT_STR(c.endpoints[1].host, "::1");
    EXPECT_EQ(c.endpoints[1].port, 7000);
    EXPECT_EQ(c.database, 3);
    EXPECT_EQ(c.connect_ms, 250);
    EXPECT_EQ(c.protocol, 2);
    EXPECT_STR(c.user, "gw");
    EXPECT_STR(c.client_name, "me");
    EXPECT_STR(c.tls_name, "h");
    EXPECT_EQ(good("h,ssl=yes").endpoints[0].port, 6380);
    EXPECT_STR(good("unix:/run/r.sock,password=p").endpoints[0].host, "unix:/run/r.sock");
    EXPECT(!good("h,password=").password.p);
}

TEST(urls)
{
    struct redis_conf c = good("rediss://gw:p%2Cq%40r@h.example:7777/4");

    EXPECT(c.is_tls);
    EXPECT_STR(c.user, "gw");
    EXPECT_STR(c.password, "p,q@r");
    EXPECT_STR(c.endpoints[0].host, "h.example");
    EXPECT_EQ(c.endpoints[0].port, 7777);
    EXPECT_EQ(c.database, 4);
    c = good("redis://:secret@[::1]");
    EXPECT(!c.is_tls && !c.user.len);
    EXPECT_STR(c.password, "secret");
    EXPECT_EQ(c.endpoints[0].port, 6379);
    EXPECT_EQ(good("redis://a:1,b:2").n_endpoints, 2);
    EXPECT_EQ(good("redis://h/?timeout=5").n_endpoints, 1);
}

TEST(mistakes_are_named)
{
    EXPECT_EQ(bad("").code, ERR_SYNTAX);
    EXPECT_EQ(bad("password=x").code, ERR_SYNTAX);
    EXPECT_EQ(bad("h:0").code, ERR_SYNTAX);
    EXPECT_EQ(bad("h:65536").code, ERR_SYNTAX);
    EXPECT_EQ(bad("h:1x").code, ERR_SYNTAX);
    EXPECT_EQ(bad("[::1").code, ERR_SYNTAX);
    EXPECT_EQ(bad("[::1]7000").code, ERR_SYNTAX);
    EXPECT_EQ(bad("h i").code, ERR_SYNTAX);
    EXPECT_EQ(bad("h,ssl=maybe").code, ERR_SYNTAX);
    EXPECT_EQ(bad("h,defaultDatabase=x").code, ERR_SYNTAX);
    EXPECT_EQ(bad("h,protocol=resp4").code, ERR_INVALID);
    EXPECT_EQ(bad("h,colour=blue").code, ERR_INVALID);
    EXPECT_EQ(bad("h,serviceName=mymaster").code, ERR_UNSUPPORTED);
    EXPECT_EQ(bad("redis://h/x").code, ERR_SYNTAX);
    EXPECT_EQ(bad("redis://").code, ERR_SYNTAX);
}

TEST(a_cut_password_is_not_quoted)
{
    struct err err = bad("h,password=abc,se cret");

    EXPECT_EQ(err.code, ERR_SYNTAX);
    EXPECT(!strstr(err.text, "cret"));
}

TEST(equal_means_the_same_server_in_the_same_way)
{
    struct redis_conf a = good("h:1,password=x,ssl=true"), b = good("redis://h:1"), c = good("h:1,ssl=1,password=x");

    EXPECT(redis_conf_eq(&a, &c) && !redis_conf_eq(&a, &b));
}
