#include "base/num.c"
#include "test.h"

TEST(numbers_are_digits_only)
{
    struct err err;
    uint32_t n = 7;

    EXPECT_OK(num_parse_u32(STR("42"), 100, &n, &err));
    EXPECT_EQ(n, 42);
    EXPECT_ERR(num_parse_u32(STR("+42"), 100, &n, &err), ERR_SYNTAX);
    EXPECT_ERR(num_parse_u32(STR(""), 100, &n, &err), ERR_SYNTAX);
    EXPECT_ERR(num_parse_u32(STR("101"), 100, &n, &err), ERR_LIMIT);
    EXPECT_ERR(num_parse_u32(STR("99999999999999999999999"), 100, &n, &err), ERR_LIMIT);
    EXPECT_EQ(n, 42);
}

TEST(sizes_have_units)
{
    struct err err;
    uint64_t n;

    EXPECT_OK(num_parse_size(STR("256MiB"), &n, &err));
    EXPECT_EQ(n, 256 << 20);
    EXPECT_OK(num_parse_size(STR("2kb"), &n, &err));
    EXPECT_EQ(n, 2000);
    EXPECT_ERR(num_parse_size(STR("2 parsecs"), &n, &err), ERR_SYNTAX);
}

TEST(durations_combine_units)
{
    struct err err;
    uint64_t ms;

    EXPECT_OK(num_parse_duration(STR("1h30m"), &ms, &err));
    EXPECT_EQ(ms, 5400000);
    EXPECT_OK(num_parse_duration(STR("10"), &ms, &err));
    EXPECT_EQ(ms, 10000);
    EXPECT_ERR(num_parse_duration(STR("1h30"), &ms, &err), ERR_SYNTAX);
    EXPECT_OK(num_parse_iso_duration(STR("PT1M30.5S"), &ms, &err));
    EXPECT_EQ(ms, 90500);
    EXPECT_ERR(num_parse_iso_duration(STR("P1M"), &ms, &err), ERR_SYNTAX);
}
