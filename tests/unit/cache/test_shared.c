/* One entry at two places: purges that name the other place, soft ones, everything, and looks that were made before.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/shared.c"
#include "test.h"

static struct cache_alive_memo memo;

static struct cache *
new_cache(void)
{
    memo = (struct cache_alive_memo){0};
    return cache_new(&(struct cache_limits){.bytes_max = 1 << 20, .workers = 1});
}

/* Stored under /en; a reference. */
static struct cache_entry *
stored(struct cache *c, uint32_t flags)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct cache_scopes scopes = {0};
    struct cache_item item = {.born = cache_generation(c), .expires_ms = 1000, .scopes = &scopes, .flags = flags};
    struct cache_entry *e = NULL;

    cache_key_begin(&b, CACHE_RESPONSE);
    cache_key_add(&b, STR("one"));
    EXPECT(cache_key_end(&b, &item.key));
    cache_scopes_add_path(&scopes, STR("/shop/en"), STR("a=1"));
    EXPECT(cache_store_entry(c, &item, STR("body"), NULL, &e));
    return e;
}

static bool
is_alive_for(struct cache *c, struct cache_entry *e, const char *path)
{
    struct cache_scopes here = {0};

    cache_scopes_add_path(&here, str_from_c(path), STR("a=1"));
    return cache_is_alive_at(c, &memo, e, here.v, here.n);
}

static void
purge(struct cache *c, cache_scope_id scope, bool is_soft)
{
    cache_purge(c, &scope, 1, is_soft, NULL);
}

TEST(a_purge_of_the_other_place_counts_there_alone)
{
    struct cache *c = new_cache();
    struct cache_entry *e = stored(c, 0);

    EXPECT(is_alive_for(c, e, "/shop/de"));
    purge(c, cache_scope_path(STR("/shop/fr")), false);
    EXPECT(is_alive_for(c, e, "/shop/de"));
    EXPECT(is_alive_for(c, e, "/shop/de"));
    purge(c, cache_scope_path(STR("/shop/de")), false);
    EXPECT(!is_alive_for(c, e, "/shop/de"));
    EXPECT(!is_alive_for(c, e, "/shop/de"));
    EXPECT(is_alive_for(c, e, "/shop/en"));
    EXPECT(is_alive_for(c, e, "/shop/it"));
    EXPECT(!is_alive_for(c, e, "/shop/de"));
    cache_entry_unref(e);
    cache_delete(c);
}

TEST(a_look_of_the_entry_itself_does_not_hide_it)
{
    struct cache *c = new_cache();
    struct cache_entry *e = stored(c, 0), *again = NULL;
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct cache_key key;

    cache_key_begin(&b, CACHE_RESPONSE);
    cache_key_add(&b, STR("one"));
    EXPECT(cache_key_end(&b, &key));
    purge(c, cache_scope_url(STR("/shop/de"), STR("a=1"), NULL, 0), false);
    EXPECT_EQ(cache_find(c, &key, NULL, 0, &again), CACHE_HIT);
    EXPECT(!is_alive_for(c, again, "/shop/de"));
    cache_entry_unref(again);
    cache_entry_unref(e);
    cache_delete(c);
}

TEST(a_soft_purge_of_all_is_no_news_and_one_of_the_place_is)
{
    struct cache *c = new_cache();
    struct cache_entry *e = stored(c, 0);

    purge(c, SCOPE_ALL, true);
    EXPECT(is_alive_for(c, e, "/shop/de"));
    cache_entry_unref(e);
    e = stored(c, 0);
    purge(c, cache_scope_prefix(STR("/shop/de")), true);
    EXPECT(is_alive_for(c, e, "/shop/de"));   /* the prefix is above what lies below it */
    EXPECT(!is_alive_for(c, e, "/shop/de/x"));
    cache_entry_unref(e);
    cache_delete(c);
}

TEST(purges_that_a_restart_forgot_may_have_named_any_other_place)
{
    struct cache *c = new_cache();
    struct cache_entry *e = stored(c, CACHE_ENTRY_OLD);

    EXPECT(is_alive_for(c, e, "/shop/en"));
    EXPECT(!is_alive_for(c, e, "/shop/de"));
    cache_entry_unref(e);
    cache_delete(c);
}
