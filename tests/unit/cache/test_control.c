/* Cache-Control, targeted fields and Surrogate-Control: what each line says, and that nonsense is read the careful way.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/control.c"
#include "test.h"

static struct cache_control
control(const char *line)
{
    struct cache_control c;

    cache_control_init(&c);
    cache_control_read(&c, str_from_c(line));
    return c;
}

TEST(directives_are_read_in_any_case_with_or_without_quotes)
{
    struct cache_control c = control("MaX-AgE=3600, S-MaxAge=\"60\" ,no-store,, must-revalidate, x=\"a, max-age=5\", PUBLIC");

    EXPECT_EQ(c.max_age, 3600);
    EXPECT_EQ(c.s_maxage, 60);
    EXPECT_EQ(c.flags, CONTROL_NO_STORE | CONTROL_MUST_REVALIDATE | CONTROL_PUBLIC);
    EXPECT_EQ(c.stale_if_error, -1);
    EXPECT(control("").is_there == false);
}

TEST(lifetimes_that_are_no_numbers_are_over)
{
    static const char *const lines[] = {"max-age=-5", "max-age='3600'", "max-age=3600.5", "max-age=a100", "max-age=100a",
                                        "max-age=", "max-age", "max-age=\"\"", "max-age=3600 5"};

    for (size_t i = 0; i < COUNTOF(lines); i++)
        if (control(lines[i]).max_age != 0)
            TEST_FAIL("%s gives %lld", lines[i], (long long)control(lines[i]).max_age);
    EXPECT_EQ(control("max-age =3600").max_age, -1); /* not that directive */
    EXPECT_EQ(control("max-age=003600").max_age, 3600);
    EXPECT_EQ(control("max-age=99999999999999999999").max_age, CONTROL_SECONDS_MAX);
}

TEST(a_directive_that_contradicts_itself_is_over)
{
    EXPECT_EQ(control("max-age=10, max-age=10").max_age, 10);
    EXPECT_EQ(control("max-age=10, max-age=20").max_age, 0);
    struct cache_control c = control("s-maxage=1");
    cache_control_read(&c, STR("max-age=5"));
    EXPECT_EQ(c.max_age, 5);
    EXPECT_EQ(c.s_maxage, 1);
}

TEST(a_directive_inside_quotes_does_not_count)
{
    EXPECT_EQ(control("extension=\"max-age=100\", max-age=1").max_age, 1);
    EXPECT_EQ(control("max-age=1, extension=\"max-age=100, no-store\"").flags, 0);
    EXPECT_EQ(control("extension=\"\\\", max-age=100\", max-age=1").max_age, 1);
    EXPECT_EQ(control("extension=\"max-age=100").max_age, -1); /* not closed */
}

TEST(lists_of_fields)
{
    struct cache_control c = control("no-cache=\"Set-Cookie, X-A\", private=\"x-b\"");

    EXPECT_EQ(c.flags, 0);
    EXPECT_STR(c.no_cache_fields, "Set-Cookie, X-A");
    EXPECT_STR(c.private_fields, "x-b");
    EXPECT_EQ(control("no-cache=\"\"").flags, CONTROL_NO_CACHE);
    EXPECT_EQ(control("private").flags, CONTROL_PRIVATE);
}

TEST(request_directives)
{
    struct cache_control c = control("max-stale, min-fresh=5, only-if-cached");

    EXPECT_EQ(c.flags, CONTROL_ANY_STALE | CONTROL_ONLY_IF_CACHED);
    EXPECT_EQ(c.min_fresh, 5);
    EXPECT_EQ(control("max-stale=30").max_stale, 30);
}

static bool
targeted(const char *line, struct cache_control *ret)
{
    cache_control_init(ret);
    return cache_control_read_targeted(ret, str_from_c(line));
}

TEST(targeted_fields_are_structured_fields)
{
    struct cache_control c;

    EXPECT(targeted("max-age=60, foo, no-store=?0, a=(1 \"b\";x=1);y, c=:YWJj:, d=1.5, e=tok/en", &c));
    EXPECT_EQ(c.max_age, 60);
    EXPECT_EQ(c.flags, 0);
    EXPECT(targeted("max-age=60, max-age=5", &c));
    EXPECT_EQ(c.max_age, 5);
    EXPECT(targeted("max-age=99999999999", &c));
    EXPECT_EQ(c.max_age, CONTROL_SECONDS_MAX);
    EXPECT(targeted("no-store, private;a=1", &c));
    EXPECT_EQ(c.flags, CONTROL_NO_STORE | CONTROL_PRIVATE);
    EXPECT(targeted("no-cache=\"x-a\"", &c));
    EXPECT_STR(c.no_cache_fields, "x-a");
}

TEST(what_is_no_structured_field_is_as_if_it_were_not_there)
{
    static const char *const lines[] = {"", "  ", "MaX-aGe=3600", "max-age =100", "max-age= 100", "max-age=10000, &&&&&",
                                        "max-age=\"10000\"", "max-age", "max-age=1.5", "max-age=60,", "a=\"unclosed",
                                        "a=(1 2", "a=(1,2)", "no-store=1", "a=1234567890123456", "a b", "a=:YQ"};
    struct cache_control c;

    for (size_t i = 0; i < COUNTOF(lines); i++)
        if (targeted(lines[i], &c))
            TEST_FAIL("'%s' was taken", lines[i]);
}

TEST(surrogate_control)
{
    struct cache_control c;

    cache_control_init(&c);
    cache_control_read_surrogate(&c, STR("max-age=3600+60, content=\"ESI/1.0\", s-maxage=5"));
    EXPECT_EQ(c.max_age, 3600);
    EXPECT_EQ(c.stale_while_revalidate, 60);
    EXPECT_EQ(c.s_maxage, -1);
    cache_control_init(&c);
    cache_control_read_surrogate(&c, STR("no-store"));
    EXPECT_EQ(c.flags, CONTROL_NO_STORE);
}
