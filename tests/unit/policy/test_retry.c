/* How long retry waits: the table of the reference, and its vendor's example 10, 20, 40, 80, 100. */
#include "policy/p_retry.c"

#include "test.h"

#define SET(value) {.text = STR_INIT(value)}

TEST(only_an_interval_is_always_that)
{
    struct retry r = {.interval = SET("10")};
    struct waits w = {.count = 50, .interval_s = 10};
    struct rand rand;

    rand_seed(&rand, 1);
    for (uint32_t n = 1; n <= 50; n++)
        EXPECT_EQ(wait_s(&r, &w, n, &rand), 10);
}

TEST(delta_makes_it_linear)
{
    struct retry r = {.interval = SET("10"), .delta = SET("5")};
    struct waits w = {.count = 50, .interval_s = 10, .delta_s = 5};
    struct rand rand;

    rand_seed(&rand, 1);
    for (uint32_t n = 1; n <= 50; n++)
        EXPECT_EQ(wait_s(&r, &w, n, &rand), 10 + (n - 1) * 5.0);
}

TEST(the_first_one_may_come_at_once)
{
    struct retry r = {.interval = SET("10"), .delta = SET("5")};
    struct waits w = {.count = 50, .interval_s = 10, .delta_s = 5, .first_fast = true};
    struct rand rand;

    rand_seed(&rand, 1);
    EXPECT_EQ(wait_s(&r, &w, 1, &rand), 0);
    EXPECT_EQ(wait_s(&r, &w, 2, &rand), 15);
}

TEST(with_max_interval_it_doubles_by_chance_up_to_that)
{
    struct retry r = {.interval = SET("10"), .delta = SET("10"), .max_interval = SET("100")};
    struct waits w = {.count = 50, .interval_s = 10, .delta_s = 10, .max_interval_s = 100};
    static const double middle[] = {10, 20, 40, 80};
    struct rand rand;

    for (uint64_t seed = 1; seed <= 200; seed++) {
        rand_seed(&rand, seed);
        EXPECT_EQ(wait_s(&r, &w, 1, &rand), 10);
        for (uint32_t n = 2; n <= 4; n++) {
            double s = wait_s(&r, &w, n, &rand), growth = middle[n - 1] - 10;
            EXPECT(s >= 10 + 0.8 * growth && s <= 10 + 1.2 * growth);
        }
        for (uint32_t n = 5; n <= 50; n++)
            EXPECT_EQ(wait_s(&r, &w, n, &rand), 100);
    }
}

TEST(a_max_interval_below_the_interval_counts)
{
    struct retry r = {.interval = SET("10"), .delta = SET("1"), .max_interval = SET("3")};
    struct waits w = {.count = 50, .interval_s = 10, .delta_s = 1, .max_interval_s = 3};
    struct rand rand;

    rand_seed(&rand, 1);
    EXPECT_EQ(wait_s(&r, &w, 1, &rand), 3);
}
