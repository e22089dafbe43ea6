#include "http/path.c"
#include "test.h"

static const struct {
    const char *path, *normal;        /* NULL: refused */
    unsigned flags;
} paths[] = {
    {"/", "/", 0},
    {"/a/b.c/d-e_f~g", "/a/b.c/d-e_f~g", 0},
    {"/a/", "/a/", 0},
    {"/a;x=1/b:@!$&'()*+,;=", "/a;x=1/b:@!$&'()*+,;=", 0},
    {"//", "/", 0},
    {"/a//b///c", "/a/b/c", 0},
    {"/a//b", "/a//b", HTTP_PATH_KEEP_EMPTY},
    {"/./a", "/a", 0},
    {"/a/.", "/a/", 0},
    {"/a/./b", "/a/b", 0},
    {"/a/../b", "/b", 0},
    {"/a/b/..", "/a/", 0},
    {"/a/..", "/", 0},
    {"/a/b/../../c", "/c", 0},
    {"/..", NULL, 0},
    {"/a/../..", NULL, 0},
    {"/a/../../b", NULL, 0},
    {"/%2e%2e/a", NULL, 0},
    {"/a/%2e%2E/b", "/b", 0},
    {"/a/%2e/b", "/a/b", 0},
    {"/a/.%2e/b", "/b", 0},
    {"/a/...", "/a/...", 0},
    {"/a/.b", "/a/.b", 0},
    {"/a/..b/c", "/a/..b/c", 0},
    {"/a/..;/b", NULL, 0},
    {"/a/.;x/b", NULL, 0},
    {"/a/%2e%2e;x/b", NULL, 0},
    {"/%41%7e%2d", "/A~-", 0},
    {"/a%20b", "/a%20b", 0},
    {"/a%c3%a4", "/a%C3%A4", 0},
    {"/a%3ab", "/a%3Ab", 0},
    {"/%252e%252e/a", "/%252e%252e/a", 0},
    {"/a%252fb", "/a%252fb", 0},
    {"/a%2fb", NULL, 0},
    {"/a%5cb", NULL, 0},
    {"/a%2fb%5C", "/a%2Fb%5C", HTTP_PATH_ENCODED_SLASH},
    {"/a\\b", NULL, 0},
    {"/a\\b", NULL, HTTP_PATH_ENCODED_SLASH},
    {"/a%00", NULL, 0},
    {"/a%", NULL, 0},
    {"/a%4", NULL, 0},
    {"/a%zz", NULL, 0},
    {"/%c0%af", NULL, 0},
    {"/%c0%ae%c0%ae/", NULL, 0},
    {"/%ff", NULL, 0},
    {"/%e0%80%af", NULL, 0},
    {"/%ed%a0%80", NULL, 0},
    {"/%c3x", NULL, 0},
    {"/%c3", NULL, 0},
    {"/%c3%41", NULL, 0},
    {"/%f4%90%80%80", NULL, 0},
    {"/%f0%9f%98%80", "/%F0%9F%98%80", 0},
    {"/a b", NULL, 0},
    {"/a\xc3\xa4", NULL, 0},
    {"/{id}|^`<>\"[]", "/%7Bid%7D%7C%5E%60%3C%3E%22%5B%5D", 0},
    {"a", NULL, 0},
    {"", NULL, 0},
};

TEST(each_path_has_one_normal_form)
{
    for (size_t i = 0; i < COUNTOF(paths); i++) {
        struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
        struct str normal = STR_NONE, again;
        struct err err = ERR_INIT;
        bool ok =
            http_path_normalise(&arena, str_from_c(paths[i].path), paths[i].flags, &normal, &err);
        if (ok != (paths[i].normal != NULL) || (ok && !str_eq(normal, str_from_c(paths[i].normal))))
            TEST_FAIL("'%s' gives '%.*s' %s", paths[i].path, STR_ARG(normal), ok ? "" : err.text);
        if (ok && (!http_path_normalise(&arena, normal, paths[i].flags, &again, &err) ||
                   !str_eq(normal, again)))
            TEST_FAIL("'%.*s' is not its own normal form", STR_ARG(normal));
    }
}

TEST(a_path_in_normal_form_is_not_copied)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct str path = STR("/products/17/price.json"), normal;

    EXPECT(http_path_normalise(&arena, path, 0, &normal, NULL));
    EXPECT(normal.p == path.p);
    EXPECT_EQ(arena.bytes, 0);
}

TEST(queries_are_escaped_where_they_must_be)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct str q;

    EXPECT(http_query_normalise(&arena, STR("a=b%20c&d=/?:@[]"), &q));
    EXPECT_STR(q, "a=b%20c&d=/?:@[]");
    EXPECT(http_query_normalise(&arena, STR("a={\"x\"}|%zz\\%4"), &q));
    EXPECT_STR(q, "a=%7B%22x%22%7D%7C%25zz%5C%254");
    EXPECT(http_query_normalise(&arena, STR_NONE, &q));
    EXPECT(!q.p);
}

TEST(targets_come_in_three_forms)
{
    struct http_target t;

    EXPECT(http_target_split(STR("/a?b?c"), &t));
    EXPECT_STR(t.path, "/a");
    EXPECT_STR(t.query, "b?c");
    EXPECT(!t.authority.p);
    EXPECT(http_target_split(STR("/a"), &t) && !t.query.p);
    EXPECT(http_target_split(STR("/a?"), &t) && t.query.p && t.query.len == 0);
    EXPECT(http_target_split(STR("http://h:1/x"), &t));
    EXPECT_STR(t.authority, "h:1");
    EXPECT_STR(t.path, "/x");
    EXPECT(http_target_split(STR("*"), &t));
    EXPECT(!http_target_split(STR("h:443"), &t));
    EXPECT(!http_target_split(STR("http://"), &t));
    EXPECT(!http_target_split(STR(""), &t));
}
