#include "data/double_text.c"
#include "test.h"

static struct str
text_of(double d)
{
    static char text[DOUBLE_TEXT_MAX];

    return str_from(text, double_to_text(d, text));
}

TEST(shortest_text_reads_back)
{
    EXPECT_STR(text_of(1), "1");
    EXPECT_STR(text_of(-0.0), "0");
    EXPECT_STR(text_of(0.1), "0.1");
    EXPECT_STR(text_of(0.1 + 0.2), "0.30000000000000004");
    EXPECT_STR(text_of(1.0 / 3), "0.3333333333333333");
    EXPECT_STR(text_of(1e20), "1E+20");
    EXPECT_STR(text_of(1e15), "1E+15");
    EXPECT_STR(text_of(123456789012345), "123456789012345");
    EXPECT_STR(text_of(0.0001), "0.0001");
    EXPECT_STR(text_of(0.00001), "1E-05");
    EXPECT_STR(text_of(5e-324), "5E-324");
    EXPECT_STR(text_of(1.7976931348623157e308), "1.7976931348623157E+308");
    EXPECT_STR(text_of(NAN), "NaN");
    EXPECT_STR(text_of(-INFINITY), "-Infinity");
}

TEST(halves_round_away_from_zero)
{
    struct double_digits ret;

    double_digits_significant(25, 1, &ret);
    EXPECT_STR(str_from(ret.digits, ret.n), "3");
    EXPECT_EQ(ret.point, 2);
    double_digits_significant(1234567, 4, &ret);
    EXPECT_STR(str_from(ret.digits, ret.n), "1235");
    double_digits_significant(999.9, 3, &ret);
    EXPECT_STR(str_from(ret.digits, ret.n), "1");
    EXPECT_EQ(ret.point, 4);
}

TEST(floats_have_their_own_shortest_text)
{
    char text[DOUBLE_TEXT_MAX];

    EXPECT_STR(str_from(text, float_to_text(0.1f, text)), "0.1");
    EXPECT_STR(str_from(text, float_to_text(1e7f, text)), "1E+07");
    EXPECT_STR(str_from(text, float_to_text(16777216, text)), "16777216");
}
