#include "observe/emitted.c"
#include "test.h"

static struct str
printed(struct emitted *e, struct buf *to)
{
    buf_clear(to);
    emitted_print(e, to);
    return buf_str(to);
}

static bool
has(struct emitted *e, struct buf *to, const char *line)
{
    return str_find(printed(e, to), str_from_c(line), 0) > 0;
}

TEST(names_become_labels_and_values_are_escaped)
{
    struct arena a = ARENA(NULL, 1 << 20);
    struct emitted *e = emitted_new(10);
    struct buf out AUTO(buf_destroy) = BUF_INIT;
    struct emitted_dimension d[] = {{STR("API ID"), STR("a\"b\\c\nd")}, {STR("9x"), STR("\xff\x01ok")}, {STR("overflow"), STR("é")},
                                    {STR(""), STR("")}, {STR("ä"), STR("1")}};

    EXPECT(emitted_add(e, &a, STR("n\"s"), STR("m"), d, COUNTOF(d), 1.5));
    EXPECT(has(e, &out, "headgate_emitted_sum{namespace=\"n\\\"s\",metric=\"m\",API_ID=\"a\\\"b\\\\c\\nd\",dimension_=\"\","
                        "dimension_9x=\"\xef\xbf\xbd\xef\xbf\xbdok\",dimension___=\"1\",dimension_overflow=\"é\"} 1.5\n"));
    emitted_delete(e);
    arena_destroy(&a);
}

TEST(the_order_of_dimensions_does_not_matter_and_the_last_of_two_counts)
{
    struct arena a = ARENA(NULL, 1 << 20);
    struct emitted *e = emitted_new(10);
    struct buf out AUTO(buf_destroy) = BUF_INIT;
    struct emitted_dimension x[] = {{STR("b"), STR("2")}, {STR("a"), STR("1")}};
    struct emitted_dimension y[] = {{STR("a"), STR("0")}, {STR("b"), STR("2")}, {STR("a"), STR("1")}};

    EXPECT(emitted_add(e, &a, STR("n"), STR("m"), x, 2, 1));
    EXPECT(emitted_add(e, &a, STR("n"), STR("m"), y, 3, -3));
    EXPECT_EQ(emitted_series(e), 1);
    EXPECT(has(e, &out, "headgate_emitted_sum{namespace=\"n\",metric=\"m\",a=\"1\",b=\"2\"} -2\n"
                        "headgate_emitted_count{namespace=\"n\",metric=\"m\",a=\"1\",b=\"2\"} 2\n"));
    emitted_delete(e);
    arena_destroy(&a);
}

TEST(series_and_values_are_bounded)
{
    struct arena a = ARENA(NULL, 8 << 20);
    struct emitted *e = emitted_new(3);
    struct buf out AUTO(buf_destroy) = BUF_INIT;
    char text[16], large[400];
    uint32_t with_own = 0;

    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), "%d", i);
        with_own += emitted_add(e, &a, STR("n"), STR("m"), &(struct emitted_dimension){STR("d"), str_from_c(text)}, 1, 1);
    }
    EXPECT_EQ(with_own, 3);
    EXPECT_EQ(emitted_series(e), 3);
    EXPECT(has(e, &out, "headgate_emitted_sum{namespace=\"n\",metric=\"m\",overflow=\"true\"} 97\n"));
    EXPECT(emitted_add(e, &a, STR("n"), STR("m"), &(struct emitted_dimension){STR("d"), STR("2")}, 1, 1));
    emitted_delete(e);

    e = emitted_new(3);
    memset(large, 'x', sizeof(large));
    memcpy(large + 255, "é", 2);
    EXPECT(emitted_add(e, &a, STR("n"), STR("m"), &(struct emitted_dimension){STR("d"), str_from(large, sizeof(large))}, 1, 1));
    EXPECT(str_find(printed(e, &out), STR("xx\"} 1\n"), 0) > 0);
    EXPECT(str_find(printed(e, &out), str_from(large, 255), 0) > 0);
    EXPECT(str_find(printed(e, &out), str_from(large, 257), 0) < 0);
    emitted_delete(e);
    arena_destroy(&a);
}
