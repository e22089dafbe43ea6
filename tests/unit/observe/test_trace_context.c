#include "observe/trace_context.c"
#include "test.h"

TEST(a_well_formed_parent_is_continued)
{
    struct trace_context t;
    struct rand rand;
    char text[TRACEPARENT_LEN];

    rand_seed(&rand, 7);
    trace_context_begin(&t, STR("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), &rand);
    trace_context_print(&t, text);
    EXPECT_STR(str_from(text, 36), "00-4bf92f3577b34da6a3ce929d0e0e4736-");
    EXPECT(memcmp(text + 36, "00f067aa0ba902b7", 16) != 0);
    EXPECT_EQ(t.parent_id[1], 0xf0);
}

TEST(a_malformed_parent_begins_a_trace)
{
    static const char *const bad[] = {
        "", "00", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A",
        "FF-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "0A-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
    };
    struct trace_context t;
    struct rand rand;

    rand_seed(&rand, 7);
    for (size_t i = 0; i < COUNTOF(bad); i++) {
        EXPECT(!trace_context_begin(&t, str_from_c(bad[i]), &rand));
        EXPECT(memcmp(t.trace_id, "\x4b\xf9\x2f\x35", 4) != 0);
        EXPECT_EQ(t.parent_id[0] | t.parent_id[1] | t.parent_id[7], 0);
    }
}

TEST(a_later_version_may_say_more)
{
    struct trace_context t;
    struct rand rand;

    rand_seed(&rand, 7);
    EXPECT(trace_context_begin(&t, STR("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-what"), &rand));
    EXPECT_EQ(t.trace_id[0], 0x4b);
    EXPECT_EQ(t.flags, 0);
}
