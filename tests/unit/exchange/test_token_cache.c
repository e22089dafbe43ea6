/* test_token_cache.c: what is found, what is not, and what goes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/token_cache.c"

#include "base/codec.h"
#include "test.h"

#define WITH_ARENA struct arena arena AUTO(arena_destroy) = ARENA(NULL, 8 << 20)

static const struct hash128 one = {1, 1}, two = {2, 2};

static struct str
token(struct arena *a, const char *claims)
{
    struct buf b = buf_in(a);

    codec_base64url_encode(&b, STR("{\"alg\":\"HS256\"}"));
    buf_add_char(&b, '.');
    codec_base64url_encode(&b, str_from_c(claims));
    buf_add_lit(&b, ".c2ln");
    return buf_str(&b);
}

TEST(a_token_is_found_by_text_and_mark)
{
    WITH_ARENA;
    struct token_cache *c = token_cache_new(1 << 20);
    struct str a = token(&arena, "{\"sub\":\"a\"}"), b = token(&arena, "{\"sub\":\"b\"}");
    struct kept_token *kept = token_cache_add(c, a, a, one, NULL, 0);

    EXPECT(kept != NULL);
    EXPECT_STR(json_str(json_get_lit(kept->token.claims, "sub"), STR_NONE), "a");
    EXPECT(token_cache_find(c, a, one, 0) == kept);
    EXPECT(token_cache_find(c, a, two, 0) == NULL);
    EXPECT(token_cache_find(c, b, one, 0) == NULL);
    token_cache_clear(c);
    EXPECT(token_cache_find(c, a, one, 0) == NULL);
    token_cache_delete(c);
}

TEST(the_text_that_is_compared_is_the_one_that_came)
{
    WITH_ARENA;
    struct token_cache *c = token_cache_new(1 << 20);
    struct str outer = STR("an.encrypted.token.as.it-came"), inner = token(&arena, "{\"sub\":\"inner\"}");
    struct kept_token *kept = token_cache_add(c, outer, inner, one, NULL, 0);

    EXPECT(token_cache_find(c, outer, one, 0) == kept);
    EXPECT(token_cache_find(c, inner, one, 0) == NULL);
    EXPECT_STR(json_str(json_get_lit(kept->token.claims, "sub"), STR_NONE), "inner");
    token_cache_delete(c);
}

TEST(memory_is_bounded_and_the_oldest_go)
{
    WITH_ARENA;
    struct token_cache *c = token_cache_new(100 << 10);
    struct str first = token(&arena, "{\"n\":0}"), last = first;

    token_cache_add(c, first, first, one, NULL, 0);
    for (int i = 1; i < 1000; i++) {
        last = token(&arena, str_printf(&arena, "{\"n\":%d}", i).p);
        token_cache_add(c, last, last, one, NULL, 0);
        EXPECT(c->bytes <= c->bytes_max);
    }
    EXPECT(token_cache_find(c, first, one, 0) == NULL);
    EXPECT(token_cache_find(c, last, one, 0) != NULL);
    token_cache_delete(c);
}

TEST(what_an_exchange_keeps_outlives_its_eviction)
{
    WITH_ARENA;
    struct token_cache *c = token_cache_new(1 << 20);
    struct str a = token(&arena, "{\"sub\":\"a\"}");
    struct kept_token *kept = token_cache_add(c, a, a, one, NULL, 0);
    struct arena exchange = ARENA(NULL, 1 << 20);

    EXPECT(token_keep(kept, &exchange));
    token_cache_delete(c);
    EXPECT_STR(json_str(json_get_lit(kept->token.claims, "sub"), STR_NONE), "a");
    arena_destroy(&exchange);
}

TEST(what_is_too_large_or_no_token_is_not_kept)
{
    WITH_ARENA;
    struct token_cache *c = token_cache_new(1 << 20), *off = token_cache_new(0);
    char *many = arena_alloc(&arena, 70000, 1, 1);
    struct str a = token(&arena, "{}");

    memset(many, 'x', 70000);
    EXPECT(token_cache_add(c, str_from(many, 70000), a, one, NULL, 0) == NULL);
    EXPECT(token_cache_add(c, STR("a.b.c"), STR("a.b.c"), one, NULL, 0) == NULL);
    EXPECT(token_cache_add(off, a, a, one, NULL, 0) == NULL);
    EXPECT(token_cache_find(off, a, one, 0) == NULL);
    token_cache_delete(c);
    token_cache_delete(off);
}

/* An issuer whose keys changed, or whose hour is over, proves nothing any more. */
TEST(a_new_key_set_ends_what_the_old_one_proved)
{
    static const struct supply_kind kind = {.name = "test"};
    WITH_ARENA;
    struct token_cache *c = token_cache_new(1 << 20);
    struct supplies *supplies = supplies_new();
    struct supply_entry *e = supply_entry_get(supplies, &kind, STR("issuer"));
    struct token_source source = {e, 7};
    struct str a = token(&arena, "{}");

    token_cache_add(c, a, a, one, &source, 1);
    EXPECT(token_cache_find(c, a, one, 0) == NULL);     /* the entry has no value at all */
    token_cache_delete(c);
    supply_entry_unref(e);
    supplies_delete(supplies);
}
