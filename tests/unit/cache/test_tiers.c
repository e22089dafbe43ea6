/* The tiers without an external store: memory, and nothing for those who ask for the external one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/tiers.c"
#include "test.h"

struct fixture {
    struct loop *loop;
    struct cache *memory;
    struct cache_tiers *tiers;
    struct buf key;
    struct cache_item item;
};

static void
set_up(struct fixture *f)
{
    struct err err;

    *f = (struct fixture){.loop = loop_new(&(struct loop_options){0}, &err), .key = BUF_INIT};
    f->memory = cache_new(&(struct cache_limits){.bytes_max = 1 << 20, .workers = 1});
    f->tiers = tiers_new(f->loop, f->memory, 0);
    cache_key_begin(&f->key, CACHE_VALUE);
    cache_key_add(&f->key, STR("k"));
    f->item = (struct cache_item){.born = tiers_generation(f->tiers), .stored_ms = loop_now_ms(f->loop),
                                  .expires_ms = loop_now_ms(f->loop) + 1000};
    EXPECT(cache_key_end(&f->key, &f->item.key));
}

static void
tear_down(struct fixture *f)
{
    tiers_delete(f->tiers);
    cache_delete(f->memory);
    loop_delete(f->loop);
    buf_destroy(&f->key);
}

TEST(without_an_external_store_prefer_external_is_the_memory)
{
    struct fixture f AUTO(tear_down);
    struct cache_place preferred = {CACHING_PREFER_EXTERNAL, .name = STR("k")}, internal = {CACHING_INTERNAL, .name = STR("k")};
    struct cache_entry *e;

    set_up(&f);
    EXPECT(tiers_store(f.tiers, &preferred, &f.item, STR("value"), NULL));
    EXPECT_EQ(tiers_find(f.tiers, &internal, &f.item.key, NULL, &e), CACHE_HIT);
    EXPECT_STR(cache_entry_piece(e, 0), "value");
    cache_entry_unref(e);
    EXPECT(tiers_remove(f.tiers, &preferred, &f.item.key));
    EXPECT_EQ(tiers_find(f.tiers, &internal, &f.item.key, NULL, &e), CACHE_MISS_ABSENT);
}

TEST(external_without_one_is_a_miss_and_stores_nothing)
{
    struct fixture f AUTO(tear_down);
    struct cache_place external = {CACHING_EXTERNAL, .name = STR("k")};
    enum cache_refusal why = CACHE_STORED;
    struct cache_stats stats;
    struct cache_entry *e;

    set_up(&f);
    EXPECT(!tiers_has(f.tiers, CACHING_EXTERNAL));
    EXPECT(!tiers_store(f.tiers, &external, &f.item, STR("value"), &why));
    EXPECT_EQ(why, CACHE_REFUSED_NO_EXTERNAL);
    EXPECT(!tiers_fill_commit(f.tiers, &external, tiers_fill_begin(f.tiers, -1), &f.item, &why, NULL));
    EXPECT_EQ(tiers_find(f.tiers, &external, &f.item.key, NULL, &e), CACHE_MISS_ABSENT);
    EXPECT(!tiers_remove(f.tiers, &external, &f.item.key));
    cache_stats(f.memory, &stats);
    EXPECT_EQ(stats.entries, 0);
    EXPECT_EQ(stats.refused[CACHE_REFUSED_NO_EXTERNAL], 2);
}

TEST(a_purge_tells_what_it_did)
{
    struct fixture f AUTO(tear_down);
    struct cache_place place = {CACHING_INTERNAL, .name = STR("k")};
    struct cache_scopes scopes = {0};
    cache_scope_id tag = cache_scope(SCOPE_TAG, STR("shoes"));
    struct purge_receipt receipt;
    struct cache_entry *e;

    set_up(&f);
    cache_scopes_add(&scopes, tag);
    f.item.scopes = &scopes;
    EXPECT(tiers_store(f.tiers, &place, &f.item, STR("value"), NULL));
    tiers_purge(f.tiers, &(struct purge_order){.scopes = &tag, .n = 1}, &receipt);
    EXPECT_EQ(receipt.entries, 1);
    EXPECT_EQ(receipt.nodes_reached, 1);
    EXPECT_EQ(receipt.nodes_outstanding, 0);
    EXPECT(!receipt.is_shared && receipt.generation == tiers_generation(f.tiers));
    EXPECT_EQ(tiers_find(f.tiers, &place, &f.item.key, NULL, &e), CACHE_MISS_PURGED);
}
