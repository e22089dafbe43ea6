#include "data/dates.c"
#include "test.h"

static int64_t
seconds(const char *text)
{
    int64_t s = -1;
    struct err err = ERR_INIT;

    if (!date_parse_iso(str_from_c(text), &s, &err))
        return -1;
    return s;
}

TEST(dates_count_from_1970)
{
    EXPECT_EQ(seconds("1970-01-01"), 0);
    EXPECT_EQ(seconds("1970-01-02T00:00:01Z"), 86401);
    EXPECT_EQ(seconds("2000-02-29T12:00:00Z"), 951825600);
    EXPECT_EQ(seconds("2026-01-31T10:00:00"), 1769853600);
    EXPECT_EQ(seconds("1969-12-31T00:00:00Z"), -86400);
}

TEST(fractions_are_cut_and_offsets_taken_away)
{
    EXPECT_EQ(seconds("2026-01-31T10:00:00.9999999Z"), 1769853600);
    EXPECT_EQ(seconds("2026-01-31T12:00:00+02:00"), 1769853600);
    EXPECT_EQ(seconds("2026-01-31 05:30:00-0430"), 1769853600);
    EXPECT_EQ(seconds("2026-01-31T10:00Z"), 1769853600);
}

TEST(what_is_no_date_is_refused)
{
    static const char *const bad[] = {"", "2026", "2026-13-01", "2026-02-29", "2026-01-01T", "2026-01-01T25:00:00",
                                      "2026-01-01T10:00:00X", "2026-01-01T10:00:00.Z", "2026-1-1", "0000-01-01",
                                      "2026-01-01T10:00:00+15:00", "2026-01-01T10:00:00Z "};

    for (size_t i = 0; i < COUNTOF(bad); i++)
        if (date_parse_iso(str_from_c(bad[i]), &(int64_t){0}, NULL))
            TEST_FAIL("'%s' was accepted", bad[i]);
}
