/* Keys taken apart again.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/key_text.c"
#include "test.h"

static struct arena arena = ARENA(NULL, 1 << 20);
static const uint16_t port = 8080;

static struct buf
key_of(enum cache_kind kind, const struct str *fields, size_t n)
{
    struct buf b = buf_in(&arena);

    cache_key_begin(&b, kind);
    for (size_t i = 0; i < n; i++)
        cache_key_add(&b, fields[i]);
    return b;
}

TEST(of_cache_lookup)
{
    struct str fields[] = {STR("shop"), STR("/s"), STR("get"), STR("gold"), STR("http"), STR("backend"), str_from((const char *)&port, 2),
                           STR("/items")};
    struct buf b = key_of(CACHE_RESPONSE, fields, COUNTOF(fields));
    struct cache_key_text t;

    cache_key_add_query(&b, STR("b=2&a=1"), NULL, 0, &arena);
    cache_key_add(&b, STR("Accept"));
    cache_key_add(&b, STR_NONE);
    EXPECT(cache_key_read(&arena, buf_str(&b), &t));
    EXPECT(t.form == KEY_FORM_POLICY && t.n_parts == 2);
    EXPECT_STR(t.api, "shop");
    EXPECT_STR(t.operation, "get");
    EXPECT_STR(t.product, "gold");
    EXPECT_STR(t.url, "http://backend:8080/items?a=1&b=2");
    EXPECT_STR(t.parts[0], "Accept");
    EXPECT(t.parts[1].p == NULL);
}

TEST(of_cache_lookup_in_an_api_named_as_another_layout)
{
    struct str fields[] = {STR("http"), STR("/s"), STR("get"), STR_NONE, STR("http"), STR("backend"), str_from((const char *)&port, 2),
                           STR("/items")};
    struct buf b = key_of(CACHE_RESPONSE, fields, COUNTOF(fields));
    struct cache_key_text t;

    cache_key_add_query(&b, STR_NONE, NULL, 0, &arena);
    EXPECT(cache_key_read(&arena, buf_str(&b), &t) && t.form == KEY_FORM_POLICY);
    EXPECT(t.product.p == NULL && t.n_parts == 0);
    EXPECT_STR(t.url, "http://backend:8080/items");
}

TEST(of_the_rfc_9111_mode)
{
    uint16_t usual = 443;
    struct str fields[] = {STR("http"), STR("shop"), STR("/s"), STR("https"), STR("backend"), str_from((const char *)&usual, 2), STR("gateway"),
                           STR("/items"), STR("b=2&a=1")};
    struct buf b = key_of(CACHE_RESPONSE, fields, COUNTOF(fields));
    struct cache_key_text t;

    EXPECT(cache_key_read(&arena, buf_str(&b), &t) && t.form == KEY_FORM_HTTP);
    EXPECT_STR(t.api, "shop");
    EXPECT_STR(t.url, "https://backend/items?b=2&a=1");
    EXPECT(t.n_parts == 1);
    EXPECT_STR(t.parts[0], "gateway");
}

TEST(of_values_and_warmed_answers)
{
    struct str name = STR("token"), warmed[] = {STR("response-cache"), STR("/items")};
    struct buf value = key_of(CACHE_VALUE, &name, 1), b = key_of(CACHE_RESPONSE, warmed, 2);
    struct cache_key_text t;

    EXPECT(cache_key_read(&arena, buf_str(&value), &t) && t.form == KEY_FORM_VALUE);
    EXPECT_STR(t.url, "token");
    cache_key_add_query(&b, STR_NONE, NULL, 0, &arena);
    EXPECT(cache_key_read(&arena, buf_str(&b), &t) && t.form == KEY_FORM_WARMED);
    EXPECT_STR(t.url, "/items");
}

TEST(what_is_cut_or_foreign_is_not_read)
{
    struct str fields[] = {STR("shop"), STR("/s"), STR("get"), STR_NONE, STR("http"), STR("backend"),
                           str_from((const char *)&port, 2), STR("/items")};
    struct buf b = key_of(CACHE_RESPONSE, fields, COUNTOF(fields));
    struct cache_key_text t;

    cache_key_add_query(&b, STR("a=1"), NULL, 0, &arena);
    for (size_t n = 0; n < b.len; n++)
        EXPECT(!cache_key_read(&arena, str_from(b.p, n), &t) && t.form == KEY_FORM_UNKNOWN);
    EXPECT(!cache_key_read(&arena, STR("r\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), &t));
}
