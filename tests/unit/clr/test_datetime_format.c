#include "clr/datetime_format.c"
#include "test.h"

static struct buf out;

static struct moment
at(int y, int mo, int d, int h, int mi, int s, int fraction)
{
    struct civil c = {y, mo, d, h, mi, s, fraction};
    struct moment m = {0};

    EXPECT(ticks_from_civil(&c, &m.ticks));
    return m;
}

static struct str
done(bool ok)
{
    struct str s = ok ? buf_str(&out) : STR("!");

    buf_clear(&out);
    return s;
}

#define T(when, format) ({ struct moment m_ = (when); done(datetime_format(&out, &m_, STR(format))); })
#define S(ticks, format) done(timespan_format(&out, ticks, STR(format)))

TEST(standard_formats)
{
    struct moment m = at(2024, 3, 5, 14, 5, 9, 0), utc = m, offset = m;

    utc.kind = KIND_UTC;
    offset.has_offset = true;
    offset.offset = -5 * TICKS_PER_HOUR;
    EXPECT_STR(T(m, ""), "03/05/2024 14:05:09");
    EXPECT_STR(T(m, "D"), "Tuesday, 05 March 2024");
    EXPECT_STR(T(m, "t"), "14:05");
    EXPECT_STR(T(m, "o"), "2024-03-05T14:05:09.0000000");
    EXPECT_STR(T(utc, "o"), "2024-03-05T14:05:09.0000000Z");
    EXPECT_STR(T(offset, "o"), "2024-03-05T14:05:09.0000000-05:00");
    EXPECT_STR(T(m, "R"), "Tue, 05 Mar 2024 14:05:09 GMT");
    EXPECT_STR(T(offset, "R"), "Tue, 05 Mar 2024 19:05:09 GMT");
    EXPECT_STR(T(offset, ""), "03/05/2024 14:05:09 -05:00");
    EXPECT_STR(T(m, "y"), "2024 March");
    EXPECT_STR(T(m, "m"), "March 05");
    EXPECT_STR(T(m, "Z"), "!");
}

TEST(custom_formats)
{
    struct moment m = at(2024, 3, 5, 14, 5, 9, 450000);

    EXPECT_STR(T(m, "d/M/yy h:m:s tt"), "5/3/24 2:5:9 PM");
    EXPECT_STR(T(m, "%h"), "2");
    EXPECT_STR(T(m, "ss.fff"), "09.045");
    EXPECT_STR(T(m, "ss.FFF"), "09.045");
    EXPECT_STR(T(at(2024, 1, 1, 0, 0, 30, 0), "ss.FFF"), "30");
    EXPECT_STR(T(m, "yyyy'-'MM'x'"), "2024-03x");
    EXPECT_STR(T(m, "\\yy"), "y24");
    EXPECT_STR(T(m, "ddd MMM dddd MMMM"), "Tue Mar Tuesday March");
    EXPECT_STR(T(m, "yyyyMMddTHHmmssZ"), "20240305T140509Z");
    EXPECT_STR(T(m, "ffffffff"), "!");
    EXPECT_STR(T(m, "yyyy 'open"), "!");
    EXPECT_STR(T(m, "zzz"), "+00:00");
}

TEST(spans)
{
    EXPECT_STR(S(0, ""), "00:00:00");
    EXPECT_STR(S(15000000, ""), "00:00:01.5000000");
    EXPECT_STR(S(-(TICKS_PER_DAY + 2 * TICKS_PER_HOUR), "c"), "-1.02:00:00");
    EXPECT_STR(S(3 * TICKS_PER_HOUR + 5000000, "g"), "3:00:00.5");
    EXPECT_STR(S(3 * TICKS_PER_HOUR, "G"), "0:03:00:00.0000000");
    EXPECT_STR(S(3 * TICKS_PER_HOUR, "hh\\:mm"), "03:00");
    EXPECT_STR(S(3 * TICKS_PER_HOUR, "hh:mm"), "!");
    EXPECT_STR(S(TICKS_PER_DAY, "d' days'"), "1 days");
}
