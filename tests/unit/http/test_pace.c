#include "http/pace.c"
#include "test.h"

static const struct pace_limit limit = {.halt_ms = 30000, .rate = 240, .grace_ms = 10000};

/* Takes so many bytes at each step of so many ms; when it was found too slow, 0: not within ten minutes. */
static uint64_t
closed_after(const struct pace_limit *l, uint64_t step_ms, uint64_t bytes)
{
    struct pace p;
    uint64_t now_ms = 5000, taken = 77, next_step = now_ms + step_ms;

    pace_begin(&p, now_ms);
    while (now_ms < 605000) {
        uint64_t look_ms = pace_next_ms(&p);
        for (; next_step <= look_ms; next_step += step_ms)
            taken += bytes;
        now_ms = look_ms;
        if (!pace_look(&p, l, now_ms, taken))
            return now_ms - 5000;
    }
    return 0;
}

TEST(who_takes_nothing_has_the_grace)
{
    EXPECT_EQ(closed_after(&limit, 1000, 0), 10000);
}

TEST(who_takes_byte_by_byte_has_little_more)
{
    EXPECT(closed_after(&limit, 1000, 1) >= 10000);
    EXPECT(closed_after(&limit, 1000, 1) <= 11000);
    EXPECT(closed_after(&limit, 5000, 32) <= 11000);
}

TEST(who_keeps_to_the_rate_is_served_however_it_comes)
{
    EXPECT_EQ(closed_after(&limit, 1000, 260), 0);
    EXPECT_EQ(closed_after(&limit, 100, 30), 0);
    EXPECT_EQ(closed_after(&limit, 5000, 1460), 0);   /* a segment now and then */
    EXPECT_EQ(closed_after(&limit, 9000, 65536), 0);
    EXPECT(closed_after(&limit, 1000, 200) > 11000);
}

TEST(a_burst_is_no_credit_for_a_long_silence)
{
    struct pace p;

    pace_begin(&p, 1000);
    EXPECT(pace_look(&p, &limit, 3000, 0));
    EXPECT(pace_look(&p, &limit, 4000, 1 << 30));
    EXPECT_EQ(pace_next_ms(&p), 4000 + 30000);
    EXPECT(pace_look(&p, &limit, 33000, 1 << 30));
    EXPECT(!pace_look(&p, &limit, 34000, 1 << 30));
}

TEST(who_has_much_room_may_halt_at_once)
{
    struct pace p;

    pace_begin(&p, 1000);
    EXPECT(pace_look(&p, &limit, 3000, PACE_ROOM));
    EXPECT_EQ(pace_next_ms(&p), 1000 + 30000);
    EXPECT(!pace_look(&p, &limit, 31000, PACE_ROOM));
}

TEST(a_first_look_that_comes_far_too_late_is_enough)
{
    struct pace p;

    pace_begin(&p, 1000);
    EXPECT(!pace_look(&p, &limit, 11000, 0));
    pace_begin(&p, 1000);
    EXPECT(pace_look(&p, &limit, 10999, 0));
}

TEST(without_a_rate_any_byte_will_do)
{
    static const struct pace_limit halt = {.halt_ms = 30000}, none = {0}, no_halt = {.rate = 240, .grace_ms = 5000};

    EXPECT_EQ(closed_after(&halt, 20000, 1), 0);
    EXPECT_EQ(closed_after(&halt, 1000, 0), 30000);
    EXPECT_EQ(closed_after(&no_halt, 1000, 0), 5000);
    struct pace p;
    pace_begin(&p, 1000);
    EXPECT(pace_look(&p, &none, 1 << 30, 0));
}
