#include "base/diag.c"
#include "test.h"

static const char *const names[] = {"GetValue", "GetValueOrDefault", "ContainsKey", NULL};

static bool
next_name(void *ctx, struct str *candidate)
{
    int *i = ctx;

    if (!names[*i])
        return false;
    *candidate = str_from_c(names[(*i)++]);
    return true;
}

TEST(a_problem_shows_its_line_and_a_caret)
{
    struct arena a AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct source s = {STR("f.xml"), STR("one\ntwo three\nfour")};
    struct buf out AUTO(buf_destroy) = BUF_INIT;
    struct diags d;

    diags_init(&d, &a);
    diag_add(&d, DIAG_ERROR, &s, 8, 5, "expected %s", "four");
    diags_print(&d, &out);
    EXPECT_STR(buf_str(&out), "f.xml:2:5: error: expected four\n     2 | two three\n       |     ^~~~~\n");
    EXPECT_STR(diags_first_error(&d, &a), "f.xml:2:5: expected four");
}

TEST(the_nearest_name_is_offered_only_when_near)
{
    int i = 0;

    EXPECT_STR(diag_nearest(STR("GetValueOrDefalt"), next_name, &i), "GetValueOrDefault");
    i = 0;
    EXPECT(!diag_nearest(STR("Banana"), next_name, &i).p);
}

TEST(what_several_parts_find_is_there_once)
{
    struct arena a AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct source fragment = {STR("f.xml"), STR("one")};
    struct buf out AUTO(buf_destroy) = BUF_INIT;
    const char *parts[] = {"a", "b", "b", "c"};
    struct diags d;

    diags_init(&d, &a);
    for (size_t i = 0; i < COUNTOF(parts); i++) {
        d.part = parts[i];
        diag_add(&d, DIAG_ERROR, &fragment, 0, 3, "no %s", "one");
        d.part = NULL;
    }
    diag_add(&d, DIAG_ERROR, &fragment, 1, 2, "no %s", "one");
    diags_print(&d, &out);
    EXPECT_STR(buf_str(&out), "f.xml:1:1: error: no one\n     1 | one\n       | ^~~\n       | (3 documents include this)\n"
                              "f.xml:1:2: error: no one\n     1 | one\n       |  ^~\n");
    EXPECT_EQ(d.errors, 5);              /* whoever asks whether there was one */
    EXPECT_EQ(diags_count(&d, DIAG_ERROR), 2);
}

TEST(repeats_take_no_room_of_others)
{
    struct arena a AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct source fragment = {STR("f.xml"), STR("one")}, own = {STR("p.xml"), STR("two")};
    struct buf out AUTO(buf_destroy) = BUF_INIT;
    char parts[40];
    struct diags d;

    diags_init(&d, &a);
    d.max = 2;
    for (size_t i = 0; i < COUNTOF(parts); i++) {
        d.part = &parts[i];
        diag_add(&d, DIAG_ERROR, &fragment, 0, 3, "no");
    }
    for (uint32_t i = 0; i < 3; i++)
        diag_add(&d, DIAG_ERROR, &own, i, 1, "no");
    diags_print(&d, &out);
    EXPECT(str_find(buf_str(&out), STR("(40 documents include this)\n"), 0) > 0);
    EXPECT(str_ends_with(buf_str(&out), STR("... and 2 more\n")));
}
