#include "http/h1_head.c"
#include "test.h"

#include "base/arena.h"

TEST(scalar_and_vector_scans_agree_on_every_byte_at_every_place)
{
    char bytes[40];

    for (int place = 0; place < 40; place++) {
        for (int b = 0; b < 256; b++) {
            memset(bytes, 'a', sizeof(bytes));
            bytes[place] = (char)b;
            EXPECT(h1_scan_value(bytes, bytes + 40) == h1_scan_value_scalar(bytes, bytes + 40));
            EXPECT(h1_scan_target(bytes, bytes + 40) == h1_scan_target_scalar(bytes, bytes + 40));
        }
    }
}

TEST(values_lose_blanks_at_both_ends_only)
{
    struct h1_head_limits limits = {.target_bytes = 100, .fields = 10};
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_headers h = http_headers_in(&arena);
    struct h1_refusal why;
    bool u;

    EXPECT_EQ(h1_parse_fields(STR("a: \t b c\t \r\nB:d\r\n\r\nrest"), &limits, &h, &u, &why), 19);
    EXPECT_EQ(h.n, 2);
    EXPECT_STR(h.v[0].value, "b c");
    EXPECT_STR(h.v[1].name, "B");
    EXPECT_STR(h.v[1].value, "d");
    EXPECT(!u);
}
