/* References against the address they stand in, as RFC 3986 5.4 has them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "backend/url.c"
#include "test.h"

TEST(references)
{
    static const char *const cases[][2] = {
        {"g", "http://a/b/c/g"}, {"./g", "http://a/b/c/g"}, {"g/", "http://a/b/c/g/"}, {"/g", "http://a/g"}, {"//g", "http://g/"},
        {"?y", "http://a/b/c/d?y"}, {"g?y", "http://a/b/c/g?y"}, {"#s", "http://a/b/c/d?q"}, {"g#s", "http://a/b/c/g"},
        {"", "http://a/b/c/d?q"}, {".", "http://a/b/c/"}, {"./", "http://a/b/c/"}, {"..", "http://a/b/"}, {"../", "http://a/b/"},
        {"../g", "http://a/b/g"}, {"../..", "http://a/"}, {"../../g", "http://a/g"}, {"../../../g", "http://a/g"},
        {"/./g", "http://a/g"}, {"/../g", "http://a/g"}, {"g.", "http://a/b/c/g."}, {"..g", "http://a/b/c/..g"},
        {"./g/.", "http://a/b/c/g/"}, {"g/../h", "http://a/b/c/h"}, {"http://x:81/y", "http://x:81/y"}, {"//h:8080/x", "http://h:8080/x"},
    };
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct url base, ret;
    struct err err;

    EXPECT(url_parse(&arena, STR("http://a/b/c/d?q"), &base, &err));
    for (size_t i = 0; i < COUNTOF(cases); i++) {
        EXPECT(url_resolve(&arena, &base, str_from_c(cases[i][0]), &ret));
        struct str found = url_print(&arena, &ret);
        if (!str_eq(found, str_from_c(cases[i][1])))
            TEST_FAIL("'%s' is %.*s, expected %s", cases[i][0], STR_ARG(found), cases[i][1]);
    }
    EXPECT(!url_resolve(&arena, &base, STR("ftp://x/"), &ret));
}
