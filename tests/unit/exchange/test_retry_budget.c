#include "exchange/retry_budget.c"
#include "test.h"

TEST(a_share_of_what_is_in_flight)
{
    _Atomic int64_t in_flight = 100;
    struct retry_budget b = {.percent = 20, .at_least = 3, .in_flight = &in_flight};

    for (int i = 0; i < 20; i++)
        EXPECT(retry_budget_enter(&b));
    EXPECT(!retry_budget_enter(&b));
    retry_budget_leave(&b);
    EXPECT(retry_budget_enter(&b));
    EXPECT(!retry_budget_enter(&b));
    EXPECT_EQ(b.refused, 2);
    atomic_store(&in_flight, 200);
    EXPECT(retry_budget_enter(&b));
}

TEST(some_are_always_allowed)
{
    _Atomic int64_t in_flight = 1;
    struct retry_budget b = {.percent = 20, .at_least = 3, .in_flight = &in_flight};

    for (int i = 0; i < 3; i++)
        EXPECT(retry_budget_enter(&b));
    EXPECT(!retry_budget_enter(&b));
}

TEST(without_a_limit_none_is_refused)
{
    struct retry_budget b = {.percent = 0, .at_least = 3};

    for (int i = 0; i < 1000; i++)
        EXPECT(retry_budget_enter(&b) && retry_budget_enter(NULL));
    retry_budget_leave(&b);
    retry_budget_leave(NULL);
    EXPECT_EQ(b.refused, 0);
}
