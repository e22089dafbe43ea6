#include "clr/datetime_parse.c"
#include "test.h"

static int64_t now;

static struct str
iso(const char *text)
{
    static struct buf out;
    struct moment m;

    buf_clear(&out);
    if (!datetime_parse(str_from_c(text), now, &m))
        return STR("!");
    if (!datetime_format(&out, &m, STR("yyyy-MM-ddTHH:mm:ss.FFFFFFF")))
        return STR("?");
    if (m.has_offset)
        buf_printf(&out, "%+d", (int)(m.offset / TICKS_PER_MINUTE));
    return buf_str(&out);
}

static struct str
exact(const char *text, const char *format)
{
    static struct buf out;
    struct moment m;

    buf_clear(&out);
    if (!datetime_parse_exact(str_from_c(text), str_from_c(format), now, &m))
        return STR("!");
    if (!datetime_format(&out, &m, STR("s")))
        return STR("?");
    return buf_str(&out);
}

TEST(dates_are_guessed_as_dotnet_does)
{
    now = 638396640000000000; /* 2024-01-01 */
    EXPECT_STR(iso("2024-05-06"), "2024-05-06T00:00:00");
    EXPECT_STR(iso("05/06/2024"), "2024-05-06T00:00:00");
    EXPECT_STR(iso("2024-01-02T03:04:05Z"), "2024-01-02T03:04:05+0");
    EXPECT_STR(iso("2024-01-02T03:04:05.1234567+02:00"), "2024-01-02T03:04:05.1234567+120");
    EXPECT_STR(iso("2024-01-02 03:04"), "2024-01-02T03:04:00");
    EXPECT_STR(iso("Mon, 01 Jan 2024 10:20:30 GMT"), "2024-01-01T10:20:30+0");
    EXPECT_STR(iso("Tue, 01 Jan 2024 10:20:30 GMT"), "!");
    EXPECT_STR(iso("5 Jan 2024 10:00 PM"), "2024-01-05T22:00:00");
    EXPECT_STR(iso("January 5, 2024"), "2024-01-05T00:00:00");
    EXPECT_STR(iso("12:00 AM"), "2024-01-01T00:00:00");
    EXPECT_STR(iso("1/2/29"), "2029-01-02T00:00:00");
    EXPECT_STR(iso("1/2/30"), "1930-01-02T00:00:00");
    EXPECT_STR(iso("2024-02-30"), "!");
    EXPECT_STR(iso("13/01/2024"), "!");
    EXPECT_STR(iso("not a date"), "!");
    EXPECT_STR(iso(""), "!");
    EXPECT_STR(iso("2024"), "!");
    EXPECT_STR(iso("2024-01-01T24:00:00"), "!");
    EXPECT_STR(iso("2024-01-01T25:00:00"), "!");
}

TEST(exact_formats)
{
    EXPECT_STR(exact("20240506", "yyyyMMdd"), "2024-05-06T00:00:00");
    EXPECT_STR(exact("2024-05-06T07:08:09Z", "yyyy-MM-ddTHH:mm:ssK"), "2024-05-06T07:08:09");
    EXPECT_STR(exact("06 May 24 07 PM", "dd MMM yy hh tt"), "2024-05-06T19:00:00");
    EXPECT_STR(exact("2024-5-6", "yyyy-MM-dd"), "!");
    EXPECT_STR(exact("2024-05-06x", "yyyy-MM-dd"), "!");
}

TEST(spans)
{
    int64_t t = 0;

    EXPECT_EQ(timespan_parse(STR("1.02:03:04"), &t), TIMESPAN_OK);
    EXPECT_EQ(t, TICKS_PER_DAY + 2 * TICKS_PER_HOUR + 3 * TICKS_PER_MINUTE + 4 * TICKS_PER_SECOND);
    EXPECT_EQ(timespan_parse(STR("-00:00:01.5"), &t), TIMESPAN_OK);
    EXPECT_EQ(t, -15000000);
    EXPECT_EQ(timespan_parse(STR("6"), &t), TIMESPAN_OK);
    EXPECT_EQ(t, 6 * TICKS_PER_DAY);
    EXPECT_EQ(timespan_parse(STR("24:00"), &t), TIMESPAN_OVERFLOW);
    EXPECT_EQ(timespan_parse(STR("1:2:3:4"), &t), TIMESPAN_OK);
    EXPECT_EQ(timespan_parse(STR("x"), &t), TIMESPAN_FORMAT);
    EXPECT_EQ(timespan_parse(STR("1.5"), &t), TIMESPAN_FORMAT);
}
