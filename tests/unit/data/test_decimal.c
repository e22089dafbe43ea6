#include "data/decimal.c"
#include "test.h"

static struct decimal
dec(const char *text)
{
    struct decimal d = {0};
    enum decimal_status status = DECIMAL_OVERFLOW;

    EXPECT(decimal_parse_plain(str_from_c(text), &d, &status));
    EXPECT_EQ(status, DECIMAL_OK);
    return d;
}

static struct str
text_of(struct decimal d)
{
    static char text[DECIMAL_TEXT_MAX];

    return str_from(text, decimal_to_text(d, text));
}

#define EXPECT_OP(op, a, b, expected) \
    do { \
        struct decimal r_ = {0}; \
        EXPECT_EQ(op(dec(a), dec(b), &r_), DECIMAL_OK); \
        EXPECT_STR(text_of(r_), expected); \
    } while (0)

TEST(text_keeps_trailing_zeros)
{
    EXPECT_STR(text_of(dec("1.50")), "1.50");
    EXPECT_STR(text_of(dec("-0.0010")), "-0.0010");
    EXPECT_STR(text_of(dec("79228162514264337593543950335")), "79228162514264337593543950335");
    EXPECT_STR(text_of(dec("0.1234567890123456789012345678949")), "0.1234567890123456789012345679");
    EXPECT_STR(text_of(dec("000012.30")), "12.30");
}

TEST(arithmetic_is_exact_and_rounds_half_to_even)
{
    EXPECT_OP(decimal_add, "1.10", "1", "2.10");
    EXPECT_OP(decimal_add, "0.1", "0.2", "0.3");
    EXPECT_OP(decimal_subtract, "1", "1.00", "0.00");
    EXPECT_OP(decimal_subtract, "1", "3.5", "-2.5");
    EXPECT_OP(decimal_multiply, "1.0", "2.00", "2.000");
    EXPECT_OP(decimal_multiply, "-1.5", "1.5", "-2.25");
    EXPECT_OP(decimal_multiply, "12345678901234567890", "0.00000000000000000001", "0.12345678901234567890");
    EXPECT_OP(decimal_divide, "10", "4", "2.5");
    EXPECT_OP(decimal_divide, "1", "3", "0.3333333333333333333333333333");
    EXPECT_OP(decimal_divide, "2", "3", "0.6666666666666666666666666667");
    EXPECT_OP(decimal_divide, "2.00", "4", "0.50");
    EXPECT_OP(decimal_divide, "6", "0.02", "300");
    EXPECT_OP(decimal_remainder, "5.50", "2", "1.50");
    EXPECT_OP(decimal_remainder, "-7", "3", "-1");
    EXPECT_OP(decimal_remainder, "79228162514264337593543950335", "0.0000000000000000000000000003",
              "0.0000000000000000000000000000");
    EXPECT_OP(decimal_add, "79228162514264337593543950335", "0.4", "79228162514264337593543950335");
}

TEST(what_does_not_fit_is_told)
{
    struct decimal r;

    EXPECT_EQ(decimal_add(dec("79228162514264337593543950335"), dec("1"), &r), DECIMAL_OVERFLOW);
    EXPECT_EQ(decimal_multiply(dec("79228162514264337593543950335"), dec("2"), &r), DECIMAL_OVERFLOW);
    EXPECT_EQ(decimal_divide(dec("1"), dec("0.0"), &r), DECIMAL_DIVIDE_BY_ZERO);
    EXPECT_EQ(decimal_from_double(1e30, &r), DECIMAL_OVERFLOW);
}

TEST(rounding_knows_its_modes)
{
    EXPECT_STR(text_of(decimal_round(dec("-2.5"), 0, ROUND_TO_EVEN)), "-2");
    EXPECT_STR(text_of(decimal_round(dec("2.355"), 2, ROUND_AWAY_FROM_ZERO)), "2.36");
    EXPECT_STR(text_of(decimal_round(dec("1.25"), 1, ROUND_TO_EVEN)), "1.2");
    EXPECT_STR(text_of(decimal_round(dec("1.251"), 1, ROUND_TO_EVEN)), "1.3");
    EXPECT_STR(text_of(decimal_round(dec("-1.1"), 0, ROUND_TO_NEGATIVE)), "-2");
    EXPECT_STR(text_of(decimal_truncate(dec("-1.9"))), "-1");
}

TEST(equal_values_hash_alike)
{
    EXPECT_EQ(decimal_compare(dec("1.0"), dec("1.00")), 0);
    EXPECT_EQ(decimal_hash(dec("1.0")), decimal_hash(dec("1.00")));
    EXPECT_EQ(decimal_compare(dec("-2"), dec("1")), -1);
    EXPECT_EQ(decimal_compare(dec("10"), dec("9.99")), 1);
}

TEST(doubles_convert_by_fifteen_digits)
{
    struct decimal r;

    EXPECT_EQ(decimal_from_double(0.1, &r), DECIMAL_OK);
    EXPECT_STR(text_of(r), "0.1");
    EXPECT_EQ(decimal_from_double(1234567.891, &r), DECIMAL_OK);
    EXPECT_STR(text_of(r), "1234567.891");
    EXPECT_EQ(decimal_from_double(1e20, &r), DECIMAL_OK);
    EXPECT_STR(text_of(r), "100000000000000000000");
    EXPECT_EQ(decimal_from_double(1e-40, &r), DECIMAL_OK);
    EXPECT_STR(text_of(r), "0");
    EXPECT(decimal_to_double(dec("1.5")) == 1.5);
}
