#include "exchange/counters.c"
#include "test.h"

TEST(a_window_refuses_what_is_above_its_limit_until_slots_have_left)
{
    struct counters *c = counters_new(0);
    struct window_state w;

    for (uint32_t i = 1; i <= 3; i++) {
        EXPECT(window_take(c, STR("k"), 20, 3, 1, 1000000 + i * 1000, &w));
        EXPECT_EQ(w.used, i);
    }
    /* Slots are one second; the first call lies in slot 1001 and leaves with the beginning of slot 1021. */
    EXPECT(!window_take(c, STR("k"), 20, 3, 1, 1010000, &w));
    EXPECT_EQ(w.wait_s, 11);
    EXPECT(!window_take(c, STR("k"), 20, 3, 1, 1020999, &w));
    EXPECT_EQ(w.wait_s, 1);
    EXPECT(window_take(c, STR("k"), 20, 3, 1, 1021000, &w));
    EXPECT_EQ(w.used, 3);
    EXPECT(window_take(c, STR("k"), 20, 3, 3, 1099000, &w));
    counters_delete(c);
}

TEST(keys_do_not_share)
{
    struct counters *c = counters_new(0);
    struct window_state w;

    EXPECT(window_take(c, STR("a"), 60, 1, 1, 5000, &w));
    EXPECT(window_take(c, STR("b"), 60, 1, 1, 5000, &w));
    EXPECT(!window_take(c, STR("a"), 60, 1, 1, 5000, &w));
    counters_delete(c);
}

TEST(a_key_is_looked_at_over_several_periods)
{
    struct counters *c = counters_new(1000);
    struct window_state w;

    for (uint32_t i = 0; i < 3; i++)
        EXPECT(window_take(c, STR("k"), 20, 3, 1, 1000000 + i * 1000, &w));
    EXPECT(!window_take(c, STR("k"), 20, 3, 1, 1003000, &w));
    EXPECT(window_take(c, STR("k"), 300, 4, 0, 1003000, &w) && w.used == 3);      /* new to the key: it knows what was */
    EXPECT(window_take(c, STR("k"), 300, 4, 1, 1030000, &w) && w.used == 4);
    EXPECT(window_take(c, STR("k"), 20, 3, 0, 1030000, &w) && w.used == 1);       /* what the other took counts here, too */
    EXPECT(!window_take(c, STR("k"), 300, 4, 1, 1100000, &w));
    EXPECT(window_take(c, STR("k"), 20, 3, 2, 1100000, &w) && w.used == 2);
    EXPECT(!window_take(c, STR("k"), 300, 6, 1, 1100000, &w));
    EXPECT(window_take(c, STR("k"), 300, 6, 0, 1100000, &w) && w.used == 6);
    window_give_back(c, STR("k"), 2);
    EXPECT(window_take(c, STR("k"), 300, 6, 0, 1100000, &w) && w.used == 4);
    EXPECT(window_take(c, STR("k"), 20, 3, 0, 1100000, &w) && w.used == 0);
    window_give_back(c, STR("k"), 50);
    EXPECT(window_take(c, STR("k"), 300, 6, 0, 1100000, &w) && w.used == 0);
    counters_delete(c);
}

TEST(a_short_period_begins_with_what_a_long_one_has_of_it)
{
    struct counters *c = counters_new(1000);
    struct window_state w;

    EXPECT(window_take(c, STR("k"), 300, 10, 2, 1000000, &w));
    EXPECT(window_take(c, STR("k"), 300, 10, 3, 1200000, &w));
    EXPECT(window_take(c, STR("k"), 60, 10, 0, 1210000, &w) && w.used == 3);
    EXPECT(window_take(c, STR("k"), 60, 10, 0, 1280000, &w) && w.used == 0);
    counters_delete(c);
}

TEST(periods_of_a_key_are_bounded)
{
    struct counters *c = counters_new(1000);
    struct window_state w;

    EXPECT(window_take(c, STR("k"), 300, 10, 7, 1000000, &w));
    for (uint32_t period = 1; period < 300; period++)
        EXPECT(window_take(c, STR("k"), period, 10, 0, 1000000, &w) && w.used == 7);
    EXPECT(window_take(c, STR("k"), 300, 10, 0, 1000000, &w) && w.used == 7);
    counters_delete(c);
}

TEST(a_quota_starts_again_with_each_window)
{
    struct counters *c = counters_new(0);

    EXPECT_EQ(quota_add(c, STR("q"), 1, 1, 100).calls, 0);
    EXPECT_EQ(quota_add(c, STR("q"), 1, 1, 0).bytes, 100);
    EXPECT_EQ(quota_add(c, STR("q"), 1, 0, 0).calls, 2);
    EXPECT_EQ(quota_add(c, STR("q"), 2, 1, 0).calls, 0);
    counters_delete(c);
}

TEST(late_bytes_wait_for_who_counts_next)
{
    struct counters *c = counters_new(0), *d = counters_new(0);
    struct buf text AUTO(buf_destroy) = BUF_INIT;

    quota_add(c, STR("q"), 1, 1, 100);
    quota_add_late(c, STR("q"), 1, 30);
    quota_add_late(c, STR("q"), 1, 3);
    EXPECT_EQ(quota_add(c, STR("q"), 1, 0, 0).bytes, 100);
    EXPECT(quotas_save(c, &text) && quotas_load(d, buf_str(&text), NULL));
    EXPECT_EQ(quota_add(d, STR("q"), 1, 0, 0).bytes, 133);
    EXPECT_EQ(quota_take_late(c, STR("q"), 1), 33);
    EXPECT_EQ(quota_take_late(c, STR("q"), 1), 0);
    quota_add_late(c, STR("q"), 1, 5);
    EXPECT_EQ(quota_take_late(c, STR("q"), 2), 0);   /* of a window that is over */
    counters_delete(c);
    counters_delete(d);
}

TEST(quotas_survive_a_restart)
{
    struct counters *c = counters_new(0), *d = counters_new(0);
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct err err;

    quota_add(c, STR("a b\n"), 7, 3, 9);
    EXPECT(quotas_save(c, &text));
    EXPECT_OK(quotas_load(d, buf_str(&text), &err));
    EXPECT_EQ(quota_add(d, STR("a b\n"), 7, 0, 0).calls, 3);
    EXPECT_ERR(quotas_load(d, STR("x"), &err), ERR_SYNTAX);
    counters_delete(c);
    counters_delete(d);
}

TEST(a_gauge_counts_who_is_inside)
{
    struct counters *c = counters_new(0);

    EXPECT(gauge_enter(c, STR("g"), 2));
    EXPECT(gauge_enter(c, STR("g"), 2));
    EXPECT(!gauge_enter(c, STR("g"), 2));
    gauge_leave(c, STR("g"));
    EXPECT(gauge_enter(c, STR("g"), 2));
    gauge_leave(c, STR("g"));
    gauge_leave(c, STR("g"));
    counters_delete(c);
}

TEST(the_table_is_bounded)
{
    struct counters *c = counters_new(SHARDS * 10);
    struct window_state w;
    char key[32];

    for (int i = 0; i < 10000; i++) {
        snprintf(key, sizeof(key), "key-%d", i);
        window_take(c, str_from_c(key), 60, 10, 1, 1000, &w);
    }
    EXPECT(counters_evicted(c) >= 10000 - SHARDS * 10);
    counters_delete(c);
}

/* Robustness reference, G10: who invents a key for each request gets rid of his own counters, not of those in use. */
TEST(a_flood_of_keys_pushes_out_what_was_used_longest_ago)
{
    struct counters *c = counters_new(SHARDS * 100);
    struct window_state w;
    char key[32];

    EXPECT(gauge_enter(c, STR("held"), 1));
    EXPECT(window_take(c, STR("in use"), 60, 100000, 1, 1000, &w));
    EXPECT(window_take(c, STR("left alone"), 60, 100000, 1, 1000, &w));
    for (uint32_t i = 0; i < 100000; i++) {
        snprintf(key, sizeof(key), "key-%u", i);
        window_take(c, str_from_c(key), 60, 10, 1, 1000, &w);
        if (i % 100 == 0)
            EXPECT(window_take(c, STR("in use"), 60, 100000, 1, 1000, &w) && w.used == i / 100 + 2);
    }
    EXPECT(window_take(c, STR("left alone"), 60, 100000, 1, 1000, &w) && w.used == 1);
    EXPECT(!gauge_enter(c, STR("held"), 1));          /* who is inside is not forgotten */
    for (uint32_t i = 0; i < SHARDS; i++)
        EXPECT(c->shards[i].n <= 100 + 1);
    EXPECT(counters_evicted(c) > 100000 - SHARDS * 101);
    gauge_leave(c, STR("held"));
    counters_delete(c);
}
