#include "clr/number_format.c"
#include "test.h"

static struct buf out;

static struct str
done(bool ok)
{
    if (!ok) {
        buf_clear(&out);
        return STR("!");
    }
    struct str s = buf_str(&out);
    buf_clear(&out);
    return s;
}

#define D(value, format) done(format_double(&out, value, STR(format)))
#define I(value, format) done(format_i64(&out, value, 32, STR(format)))
#define F(value, format) done(format_float(&out, value, STR(format)))

TEST(standard_formats)
{
    EXPECT_STR(I(42, ""), "42");
    EXPECT_STR(I(-5, "D3"), "-005");
    EXPECT_STR(I(255, "x4"), "00ff");
    EXPECT_STR(I(-1, "X"), "FFFFFFFF");
    EXPECT_STR(I(0, "X2"), "00");
    EXPECT_STR(I(1234567, "N0"), "1,234,567");
    EXPECT_STR(I(5, "F1"), "5.0");
    EXPECT_STR(I(1234, "C"), "\u00a41,234.00");
    EXPECT_STR(I(-1234, "C0"), "(\u00a41,234)");
    EXPECT_STR(I(12345, "G2"), "1.2E+04");
    EXPECT_STR(I(1234, "e2"), "1.23e+003");
    EXPECT_STR(I(1, "Z"), "!");
    EXPECT_STR(I(1, "R"), "!");
    EXPECT_STR(D(2.5, "F0"), "3");
    EXPECT_STR(D(-1234.567, "F2"), "-1234.57");
    EXPECT_STR(D(1234567.891, "N1"), "1,234,567.9");
    EXPECT_STR(D(1234567, "E3"), "1.235E+006");
    EXPECT_STR(D(0.00001234, "G3"), "1.23E-05");
    EXPECT_STR(D(0.1234, "P1"), "12.3 %");
    EXPECT_STR(D(100, "P0"), "10,000 %");
    EXPECT_STR(D(0.1, "F20"), "0.10000000000000000000");
    EXPECT_STR(D(2, "R"), "2");
    EXPECT_STR(D(1e20, "F0"), "100000000000000000000");
    EXPECT_STR(D(1.5, "D"), "!");
    EXPECT_STR(D(0, "E2"), "0.00E+000");
    EXPECT_STR(F(0.1f, ""), "0.1");
    EXPECT_STR(D(123.456, "G4"), "123.5");
    EXPECT_STR(D(1e-7, "g"), "1e-07");
}

TEST(custom_formats)
{
    EXPECT_STR(I(42, "000"), "042");
    EXPECT_STR(D(1234.567, "0.00"), "1234.57");
    EXPECT_STR(D(1234.5678, "#,##0.00"), "1,234.57");
    EXPECT_STR(D(1234, "0,0"), "1,234");
    EXPECT_STR(I(0, "#"), "");
    EXPECT_STR(D(-1.5, "#.#;(#.#);zero"), "(1.5)");
    EXPECT_STR(D(0, "#.#;(#.#);zero"), "zero");
    EXPECT_STR(D(0.001, "0.0;neg;zero"), "zero");
    EXPECT_STR(D(0.256, "0.0%"), "25.6%");
    EXPECT_STR(I(1234567, "0,,.0M"), "1.2M");
    EXPECT_STR(I(5, "'a'0\"b\"\\c"), "a5bc");
    EXPECT_STR(D(12345, "0.00E+00"), "1.23E+04");
    EXPECT_STR(D(12345, "0.00e0"), "1.23e4");
    EXPECT_STR(D(0.5, "#.##"), ".5");
    EXPECT_STR(D(-0.5, "0.0"), "-0.5");
    EXPECT_STR(I(1234567890, "(###) ###-####"), "(123) 456-7890");
    EXPECT_STR(I(12, "abc"), "abc");
    EXPECT_STR(I(7, "00000000000000000"), "00000000000000007");
    EXPECT_STR(I(1234567, "#,#"), "1,234,567");
    EXPECT_STR(I(-5, "0;"), "-5");
}

TEST(decimals_keep_their_zeros)
{
    struct decimal d;
    enum decimal_status s;

    EXPECT(decimal_parse_plain(STR("12.340"), &d, &s));
    EXPECT_STR(done(format_decimal(&out, d, STR(""))), "12.340");
    EXPECT_STR(done(format_decimal(&out, d, STR("F1"))), "12.3");
    EXPECT_STR(done(format_decimal(&out, d, STR("N4"))), "12.3400");
    EXPECT_STR(done(format_decimal(&out, d, STR("0.##"))), "12.34");
    EXPECT_STR(done(format_decimal(&out, d, STR("X"))), "!");
    EXPECT_STR(done(format_decimal(&out, d, STR("G3"))), "12.3");
}
