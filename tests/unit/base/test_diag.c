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
