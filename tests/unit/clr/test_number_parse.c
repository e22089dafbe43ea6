#include "clr/number_parse.c"
#include "test.h"

static enum number_status
i32(const char *text, int64_t *ret)
{
    return number_parse_i64(str_from_c(text), STYLE_INTEGER, INT32_MIN, INT32_MAX, ret);
}

TEST(integers)
{
    int64_t n = 0;

    EXPECT_EQ(i32(" 42 ", &n), NUMBER_OK);
    EXPECT_EQ(n, 42);
    EXPECT_EQ(i32("-2147483648", &n), NUMBER_OK);
    EXPECT_EQ(n, INT32_MIN);
    EXPECT_EQ(i32("2147483648", &n), NUMBER_OVERFLOW);
    EXPECT_EQ(i32("99999999999999999999999", &n), NUMBER_OVERFLOW);
    EXPECT_EQ(i32("4.2", &n), NUMBER_FORMAT);
    EXPECT_EQ(i32("1,000", &n), NUMBER_FORMAT);
    EXPECT_EQ(i32("", &n), NUMBER_FORMAT);
    EXPECT_EQ(i32("+ 5", &n), NUMBER_FORMAT);
    EXPECT_EQ(i32("+005", &n), NUMBER_OK);
    EXPECT_EQ(n, 5);
    EXPECT_EQ(number_parse_i64(STR("FFFFFFFF"), STYLE_HEX_NUMBER, INT32_MIN, INT32_MAX, &n), NUMBER_OK);
    EXPECT_EQ(n, -1);
    uint64_t u;
    EXPECT_EQ(number_parse_u64(STR("18446744073709551615"), STYLE_INTEGER, UINT64_MAX, &u), NUMBER_OK);
    EXPECT_EQ(number_parse_u64(STR("-1"), STYLE_INTEGER, UINT64_MAX, &u), NUMBER_OVERFLOW);
    EXPECT_EQ(number_parse_u64(STR("-0"), STYLE_INTEGER, UINT64_MAX, &u), NUMBER_OK);
}

TEST(floating)
{
    double d = 0;

    EXPECT_EQ(number_parse_double(STR("1,234.5"), STYLE_FLOAT_THOUSANDS, &d), NUMBER_OK);
    EXPECT(d == 1234.5);
    EXPECT_EQ(number_parse_double(STR("-1.5e3 "), STYLE_FLOAT_THOUSANDS, &d), NUMBER_OK);
    EXPECT(d == -1500);
    EXPECT_EQ(number_parse_double(STR(".5"), STYLE_FLOAT_THOUSANDS, &d), NUMBER_OK);
    EXPECT(d == 0.5);
    EXPECT_EQ(number_parse_double(STR("0.001"), STYLE_FLOAT_THOUSANDS, &d), NUMBER_OK);
    EXPECT(d == 0.001);
    EXPECT_EQ(number_parse_double(STR("NaN"), STYLE_FLOAT_THOUSANDS, &d), NUMBER_OK);
    EXPECT(isnan(d));
    EXPECT_EQ(number_parse_double(STR("1e400"), STYLE_FLOAT_THOUSANDS, &d), NUMBER_OK);
    EXPECT(isinf(d));
    EXPECT_EQ(number_parse_double(STR("abc"), STYLE_FLOAT_THOUSANDS, &d), NUMBER_FORMAT);
    EXPECT_EQ(number_parse_double(STR("1.5x"), STYLE_FLOAT_THOUSANDS, &d), NUMBER_FORMAT);
}

TEST(decimals)
{
    struct decimal d;
    char text[DECIMAL_TEXT_MAX];

    EXPECT_EQ(number_parse_decimal(STR("1.50"), STYLE_NUMBER, &d), NUMBER_OK);
    EXPECT_STR(str_from(text, decimal_to_text(d, text)), "1.50");
    EXPECT_EQ(number_parse_decimal(STR("0.00"), STYLE_NUMBER, &d), NUMBER_OK);
    EXPECT_STR(str_from(text, decimal_to_text(d, text)), "0.00");
    EXPECT_EQ(number_parse_decimal(STR("0.010"), STYLE_NUMBER, &d), NUMBER_OK);
    EXPECT_STR(str_from(text, decimal_to_text(d, text)), "0.010");
    EXPECT_EQ(number_parse_decimal(STR("1,234-"), STYLE_NUMBER, &d), NUMBER_OK);
    EXPECT_STR(str_from(text, decimal_to_text(d, text)), "-1234");
    EXPECT_EQ(number_parse_decimal(STR("1e3"), STYLE_NUMBER, &d), NUMBER_FORMAT);
    EXPECT_EQ(number_parse_decimal(STR("99999999999999999999999999999999"), STYLE_NUMBER, &d), NUMBER_OVERFLOW);
}
