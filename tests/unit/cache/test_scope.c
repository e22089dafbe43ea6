/* Scopes, generations and counts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/scope.c"
#include "test.h"

TEST(a_purge_kills_what_was_born_before_it)
{
    struct generations g;
    cache_scope_id tag = cache_scope(SCOPE_TAG, STR("news")), other = cache_scope(SCOPE_TAG, STR("sport"));

    generations_create(&g);
    uint64_t born = g.now;
    EXPECT_EQ(generations_state(&g, &tag, 1, born), SCOPE_LIVE);
    generations_purge(&g, &tag, 1, false);
    EXPECT_EQ(generations_state(&g, &tag, 1, born), SCOPE_DEAD);
    EXPECT_EQ(generations_state(&g, &other, 1, born), SCOPE_LIVE);
    EXPECT_EQ(generations_state(&g, &tag, 1, g.now), SCOPE_LIVE);
    generations_destroy(&g);
}

TEST(a_soft_purge_makes_stale_and_everything_is_in_all)
{
    struct generations g;
    cache_scope_id tag = cache_scope(SCOPE_TAG, STR("news")), all = SCOPE_ALL;

    generations_create(&g);
    uint64_t born = g.now;
    generations_purge(&g, &tag, 1, true);
    EXPECT_EQ(generations_state(&g, &tag, 1, born), SCOPE_STALE);
    EXPECT_EQ(generations_state(&g, NULL, 0, born), SCOPE_LIVE);
    generations_purge(&g, &all, 1, false);
    EXPECT_EQ(generations_state(&g, NULL, 0, born), SCOPE_DEAD);
    generations_destroy(&g);
}

TEST(a_kind_is_part_of_the_name)
{
    EXPECT(cache_scope(SCOPE_TAG, STR("a")) != cache_scope(SCOPE_API, STR("a")));
    EXPECT(cache_scope_url(STR("/a"), STR("y=2&x=1"), NULL, 0) == cache_scope_url(STR("/a/"), STR("x=1&y=2"), NULL, 0));
    EXPECT(cache_scope_url(STR("/a"), STR("x=1"), NULL, 0) != cache_scope_url(STR("/b"), STR("x=1"), NULL, 0));
}

TEST(a_place_has_no_case_and_no_slash_at_its_end)
{
    struct cache_scopes s = {0}, other = {0};
    struct str id = STR("id");

    EXPECT(cache_scope_path(STR("/Shop/%C3%BC")) == cache_scope_path(STR("/shop/%c3%bc//")));
    EXPECT(cache_scope_path(STR("/shop/a")) != cache_scope_path(STR("/shop/b")));
    EXPECT(cache_scope_prefix(STR("/SHOP/")) == cache_scope_prefix(STR("/shop")));
    EXPECT(cache_scope_url(STR("/A"), STR("x=1"), NULL, 0) == cache_scope_url(STR("/a"), STR("x=1"), NULL, 0));
    EXPECT(cache_scope_url(STR("/a"), STR("x=A"), NULL, 0) != cache_scope_url(STR("/a"), STR("x=a"), NULL, 0));
    EXPECT(cache_scope_url(STR("/a"), STR("utm=1&id=2"), &id, 1) == cache_scope_url(STR("/a"), STR("id=2"), NULL, 0));
    cache_scopes_add_path(&s, STR("/Shop/Items/7"), STR("x=1"));
    cache_scopes_add_path(&other, STR("/shop/items/7/"), STR("x=1"));
    EXPECT_EQ(s.n, other.n);
    EXPECT(memcmp(s.v, other.v, s.n * sizeof(*s.v)) == 0);
}

TEST(forgetting_old_purges_never_revives)
{
    struct generations g;
    cache_scope_id first = cache_scope(SCOPE_TAG, STR("first"));

    generations_create(&g);
    uint64_t born = g.now;
    generations_purge(&g, &first, 1, false);
    for (uint64_t i = 1; i <= 3 * RECORDS_MAX; i++)
        generations_purge(&g, &(cache_scope_id){i * 0x9e3779b97f4a7c15u}, 1, false);
    EXPECT(g.n <= RECORDS_MAX);
    EXPECT_EQ(generations_state(&g, &first, 1, born), SCOPE_DEAD);
    EXPECT_EQ(generations_state(&g, &first, 1, g.now), SCOPE_LIVE);
    EXPECT_EQ(generations_state(&g, &first, 1, g.now - 10), SCOPE_LIVE);
    cache_scope_id recent = (3 * RECORDS_MAX - 5) * 0x9e3779b97f4a7c15u;
    EXPECT_EQ(generations_state(&g, &recent, 1, g.now - 10), SCOPE_DEAD);
    generations_destroy(&g);
}

TEST(a_generation_is_only_raised)
{
    struct generations g;

    generations_create(&g);
    generations_raise(&g, 100);
    EXPECT_EQ(g.now, 100);
    generations_raise(&g, 50);
    EXPECT_EQ(g.now, 100);
    generations_destroy(&g);
}

TEST(counts_survive_many_removals)
{
    struct scope_counts t = {0};
    enum { N = 500 };

    for (uint64_t round = 1; round <= 3; round++)
        for (uint64_t i = 1; i <= N; i++)
            scope_counts_add(&t, i * 64); /* one home for many: long probes */
    for (uint64_t i = 1; i <= N; i += 2)
        for (int k = 0; k < 3; k++)
            scope_counts_remove(&t, i * 64);
    for (uint64_t i = 1; i <= N; i++)
        EXPECT_EQ(scope_counts_get(&t, i * 64), i % 2 ? 0 : 3);
    EXPECT_EQ(t.n, N / 2);
    scope_counts_destroy(&t);
}
