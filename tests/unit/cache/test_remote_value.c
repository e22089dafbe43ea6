/* What becomes of an entry of the external store on a machine that has been started since it was stored.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/remote_value.c"
#include "test.h"

#define DAY_MS (24ull * 3600 * 1000)

/* The item that a look-up makes of an entry with these instants, in milliseconds from the machine's start. */
static struct cache_item
read_back(struct loop *loop, int64_t stored_ms, int64_t expires_ms, struct wire v)
{
    struct remote r = {.loop = loop};
    struct cache_key key = {.bytes = STR("rkey")};
    struct fetch f = {.r = &r, .key = &key};
    struct cache_scopes none = {0};
    uint64_t start_ms = wall_ms(&r) - loop_now_ms(loop);

    v.stored_ms = start_ms + (uint64_t)stored_ms;
    v.expires_ms = start_ms + (uint64_t)expires_ms;
    return item_of(&f, &v, &none, false);
}

TEST(the_age_goes_on_over_a_restart_of_the_machine)
{
    struct err err;
    struct loop *loop = loop_new(&(struct loop_options){0}, &err);
    struct cache_item item;

    item = read_back(loop, -90500, (int64_t)DAY_MS, (struct wire){.age_s = 7, .revalidate_s = 30, .error_s = 60});
    EXPECT_EQ(item.stored_ms, 0);
    EXPECT_EQ(item.age_s, 7 + 90);
    EXPECT_EQ(item.expires_ms, DAY_MS);
    EXPECT_EQ(item.revalidate_s, 30);
    EXPECT_EQ(item.error_s, 60);
    item = read_back(loop, 0, (int64_t)DAY_MS, (struct wire){.age_s = 7});
    EXPECT_EQ(item.age_s, 7);
    item = read_back(loop, -(int64_t)DAY_MS, 1, (struct wire){.age_s = UINT32_MAX});
    EXPECT_EQ(item.age_s, 1u << 31);
    loop_delete(loop);
}

TEST(what_had_expired_before_the_start_has_used_up_its_windows)
{
    struct err err;
    struct loop *loop = loop_new(&(struct loop_options){0}, &err);
    struct cache_item item = read_back(loop, -90500, -30500, (struct wire){.revalidate_s = 30, .error_s = 60});

    EXPECT_EQ(item.expires_ms, 0);
    EXPECT_EQ(item.revalidate_s, 0);
    EXPECT_EQ(item.error_s, 60 - 31);
    EXPECT_EQ(item.age_s, 90);
    loop_delete(loop);
}
