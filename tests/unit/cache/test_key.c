/* Keys: fields that must not run together, queries that must agree or differ (robustness E3).
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/key.c"
#include "test.h"

static struct arena arena = {.bytes_max = 1 << 20};

static bool
same(struct buf *x, struct buf *y)
{
    struct cache_key a, b;
    bool ok = cache_key_end(x, &a) && cache_key_end(y, &b);

    return ok && str_eq(a.bytes, b.bytes) && a.hash.hi == b.hash.hi && a.hash.lo == b.hash.lo;
}

static bool
queries_agree(const char *x, const char *y)
{
    struct buf a = buf_in(&arena), b = buf_in(&arena);

    cache_key_begin(&a, CACHE_RESPONSE);
    cache_key_begin(&b, CACHE_RESPONSE);
    cache_key_add_query(&a, str_from_c(x), NULL, 0, &arena);
    cache_key_add_query(&b, str_from_c(y), NULL, 0, &arena);
    return same(&a, &b);
}

static bool
fields_agree(const char *x1, const char *x2, const char *y1, const char *y2)
{
    struct buf a AUTO(buf_destroy) = BUF_INIT, b AUTO(buf_destroy) = BUF_INIT;

    cache_key_begin(&a, CACHE_VALUE);
    cache_key_begin(&b, CACHE_VALUE);
    cache_key_add(&a, str_from_c(x1));
    cache_key_add(&a, str_from_c(x2));
    cache_key_add(&b, str_from_c(y1));
    cache_key_add(&b, str_from_c(y2));
    return same(&a, &b);
}

TEST(fields_cannot_run_into_each_other)
{
    EXPECT(fields_agree("ab", "c", "ab", "c"));
    EXPECT(!fields_agree("ab", "c", "a", "bc"));
    EXPECT(!fields_agree("", "x", "x", ""));
    EXPECT(!fields_agree("", "x", NULL, "x"));
}

TEST(a_response_and_a_value_never_meet)
{
    struct buf a AUTO(buf_destroy) = BUF_INIT, b AUTO(buf_destroy) = BUF_INIT;

    cache_key_begin(&a, CACHE_RESPONSE);
    cache_key_begin(&b, CACHE_VALUE);
    cache_key_add(&a, STR("k"));
    cache_key_add(&b, STR("k"));
    EXPECT(!same(&a, &b));
}

TEST(queries_that_must_agree)
{
    EXPECT(queries_agree("b=2&a=1", "a=1&b=2"));
    EXPECT(queries_agree("a=%41%7e", "a=A~"));
    EXPECT(queries_agree("a=%c3%a9", "a=%C3%A9"));
    EXPECT(queries_agree("", ""));
}

TEST(queries_that_must_differ)
{
    EXPECT(!queries_agree("a=1&a=2", "a=2&a=1"));
    EXPECT(!queries_agree("a=1&a=1", "a=1"));
    EXPECT(!queries_agree("a", "a="));
    EXPECT(!queries_agree("a=1;b=2", "a=1&b=2"));
    EXPECT(!queries_agree("a=%2B", "a=+"));
    EXPECT(!queries_agree("a=%26b", "a=&b"));
    EXPECT(!queries_agree("a=%3d", "a=="));
    EXPECT(!queries_agree("A=1", "a=1"));
    EXPECT(!queries_agree("a=%zz", "a=%25zz"));
    EXPECT(!queries_agree("a=1", "a=1&"));
}

TEST(named_parameters_alone_count)
{
    struct str names[] = {STR("page"), STR("size")};
    struct buf a = buf_in(&arena), b = buf_in(&arena);

    cache_key_begin(&a, CACHE_RESPONSE);
    cache_key_begin(&b, CACHE_RESPONSE);
    cache_key_add_query(&a, STR("size=10&utm=x&page=2"), names, 2, &arena);
    cache_key_add_query(&b, STR("page=2&size=10&utm=y"), names, 2, &arena);
    EXPECT(same(&a, &b));
}

TEST(a_full_arena_makes_no_key)
{
    struct arena tiny AUTO(arena_destroy) = ARENA(NULL, 20 << 10);
    struct buf b = buf_in(&tiny);
    struct cache_key key;
    static char query[30 << 10];

    memset(query, '&', sizeof(query));
    cache_key_begin(&b, CACHE_RESPONSE);
    cache_key_add_query(&b, str_from(query, sizeof(query)), NULL, 0, &tiny);
    EXPECT(!cache_key_end(&b, &key));
    arena_destroy(&arena);
}

TEST(a_name_is_told_in_any_spelling_of_the_client)
{
    EXPECT(cache_query_is_named(STR("$filter=x"), STR("$filter")));
    EXPECT(cache_query_is_named(STR("%24filter=x"), STR("$filter")));
    EXPECT(cache_query_is_named(STR("%24Filter"), STR("$filter")));
    EXPECT(cache_query_is_named(STR("filter%5Bname%5d=x=y"), STR("filter[name]")));
    EXPECT(cache_query_is_named(STR("gr%C3%B6%C3%9Fe=1"), STR("größe")));
    EXPECT(cache_query_is_named(STR("a+b=1"), STR("a b")) && cache_query_is_named(STR("a%20b=1"), STR("a b")));
    EXPECT(cache_query_is_named(STR("%24filter=x"), STR("%24filter")));
    EXPECT(cache_query_is_named(STR("%zz=x"), STR("%zz")) && cache_query_is_named(STR("%4"), STR("%4")));
    EXPECT(cache_query_is_named(STR("=x"), STR("")));
    EXPECT(!cache_query_is_named(STR("%24filter=x"), STR("filter")));
    EXPECT(!cache_query_is_named(STR("filters=x"), STR("filter")) && !cache_query_is_named(STR("filte=x"), STR("filter")));
    EXPECT(!cache_query_is_named(STR("x=filter"), STR("filter")));
    EXPECT(!cache_query_is_named(STR("%2524filter=x"), STR("$filter")));
}
