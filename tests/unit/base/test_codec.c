#include "base/codec.c"
#include "test.h"

TEST(base64_round_trips_and_refuses_spare_bits)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct err err;

    codec_base64_encode(&b, STR("any carnal pleas"));
    EXPECT_STR(buf_str(&b), "YW55IGNhcm5hbCBwbGVhcw==");
    buf_clear(&b);
    EXPECT_OK(codec_base64_decode(&b, STR("YW55IGNhcm5hbCBwbGVhcw=="), &err));
    EXPECT_STR(buf_str(&b), "any carnal pleas");
    buf_clear(&b);
    EXPECT_ERR(codec_base64_decode(&b, STR("YW55IGNhcm5hbCBwbGVhcx=="), &err), ERR_SYNTAX);
    EXPECT_ERR(codec_base64url_decode(&b, STR("YQ=="), &err), ERR_SYNTAX);
    EXPECT_OK(codec_base64url_decode(&b, STR("YQ"), &err));
    EXPECT_STR(buf_str(&b), "a");
}

TEST(percent_keeps_what_is_not_an_escape)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;

    codec_percent_decode(&b, STR("a%20b%zz%4"), false);
    EXPECT_STR(buf_str(&b), "a b%zz%4");
}

TEST(hex_of_words_agrees_with_hex_of_bytes)
{
    static const uint32_t words[] = {0, 1, 0x0123abcd, 0x9a9a9a9a, 0xf0e1d2c3, 0xffffffff, 0x00000a09};

    for (size_t i = 0; i < COUNTOF(words); i++) {
        uint32_t be = htobe32(words[i]);
        char word[8], bytes[8];
        struct buf b AUTO(buf_destroy) = BUF_INIT;

        codec_hex_encode(&b, str_from((const char *)&be, 4), false);
        codec_hex_word(word, words[i]);
        codec_hex_bytes4(bytes, &be);
        EXPECT(str_eq(str_from(word, 8), buf_str(&b)));
        EXPECT(str_eq(str_from(bytes, 8), buf_str(&b)));
    }
}
