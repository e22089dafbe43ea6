#include "clr/datetime.c"
#include "clr/guid.h"
#include "test.h"

TEST(days_and_ticks_agree_both_ways)
{
    struct civil c = {2024, 1, 1, 0, 0, 0, 0}, back;
    int64_t ticks = 0;

    EXPECT(ticks_from_civil(&c, &ticks));
    EXPECT_EQ(ticks, INT64_C(638396640000000000));
    for (int64_t day = 0; day < 3652059; day += 13) {
        ticks_to_civil(day * TICKS_PER_DAY + 5, &back);
        if (!ticks_from_civil(&back, &ticks) || ticks != day * TICKS_PER_DAY + 5) {
            EXPECT_EQ(day, -1);
            break;
        }
    }
    ticks_to_civil(TICKS_MAX, &back);
    EXPECT_EQ(back.year * 10000 + back.month * 100 + back.day, 99991231);
}

TEST(months_are_cut_to_their_length)
{
    struct civil c = {2024, 2, 29, 0, 0, 0, 0};
    int64_t ticks = 0, later = 0;

    EXPECT(ticks_from_civil(&c, &ticks));
    EXPECT(ticks_add_months(ticks, 12, &later));
    ticks_to_civil(later, &c);
    EXPECT_EQ(c.day, 28);
    EXPECT_EQ(ticks_day_of_year(ticks), 60);
    EXPECT_EQ(ticks_day_of_week(ticks), 4);
    EXPECT_EQ(ticks_add_months(ticks, 120000, &later), false);
}

TEST(guids_have_five_forms)
{
    uint8_t g[16] = {0}, swapped[16];
    char text[GUID_TEXT_MAX];
    static const char forms[] = "ndbpx";

    EXPECT(guid_parse(STR("{0f8fad5b-d9cb-469f-a165-70867728950e}"), g));
    EXPECT_STR(str_from(text, guid_format(g, '\0', text)), "0f8fad5b-d9cb-469f-a165-70867728950e");
    for (const char *f = forms; *f; f++) {
        uint8_t again[16] = {0};
        EXPECT(guid_parse(str_from(text, guid_format(g, *f, text)), again));
        EXPECT_EQ(memcmp(g, again, 16), 0);
    }
    guid_swap(g, swapped);
    EXPECT_EQ(swapped[0], 0x5b);
    EXPECT_EQ(guid_parse(STR("zz"), g), false);
    EXPECT_EQ(guid_format(g, 'q', text), 0);
}
