/* test_json.c: RFC 8259 and Newtonsoft's reader. Expectations come from the RFC's grammar and from Newtonsoft's
 * documented behaviour, run where a message is quoted.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/json.c"

#include "test.h"

#define WITH_ARENA struct arena arena AUTO(arena_destroy) = ARENA(NULL, 16 << 20)

static const struct json *
strict(struct arena *a, const char *text)
{
    return json_parse(a, str_from_c(text), JSON_STRICT, NULL);
}

static struct str
rewritten(struct arena *a, const char *text, enum json_syntax syntax)
{
    const struct json *j = json_parse(a, str_from_c(text), syntax, NULL);
    struct buf b = buf_in(a);
    struct json_writer w = JSON_WRITER(&b);

    if (!j)
        return STR("refused");
    json_write(&w, j);
    return buf_str(&b);
}

static const char *const accepted[] = {
    "[]", "{}", " [ ] ", "0", "-0", "1", "-1", "1.5", "1e5", "1E+5", "1e-5", "-0.0e0", "123456789012345678901234567890",
    "1e400", "true", "false", "null", "\"\"", "\"a\"", "[1,2]", "{\"a\":1}", "{\"a\":1,\"b\":[]}", "{\"\":0}",
    "[\"\\u0041\\n\\/\\\\\\\"\\b\\f\\r\\t\"]", "\"\\ud83d\\ude00\"", "\"\xc3\xa9\"", "\"\x7f\"", "\t[\r\n1]\n",
    "[[[[1]]]]", "[1.0e+1]", "{\"a\":{\"a\":{}}}", "\xef\xbb\xbf{}", "\"\xf4\x8f\xbf\xbf\"", "[null,1,\"1\",{}]",
    "\"0123456789abcdef0123456789abcdef\"", "\"0123456789abcde\"",
};

static const char *const refused[] = {
    "", " ", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[,]", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
    "{'a':1}", "'a'", "[1 2]", "{\"a\" 1}", "{1:1}", "01", "-01", "-", "+1", ".5", "1.", "1.e5", "1e", "1e+", "0x1", "1a",
    "NaN", "Infinity", "-Infinity", "nul", "True", "truex", "undefined", "\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"",
    "\"\\u12g4\"", "\"\n\"", "\"\t\"", "[1]]", "{}{}", "1 2", "[1]/*c*/", "//c\n1", "\"\xc3\"", "\"\xff\"", "\"\xed\xa0\x80\"",
    "\"\xc0\xaf\"", "\"\xf4\x90\x80\x80\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\xef\xbb\xbf", "[\xa0]",
    "[\v1]", "{\"a\":1 \"b\":2}", "[1;2]", "{]", "[}", "new Date(1)", "\"0123456789abcdef\n\"",
};

TEST(the_grammar_of_rfc_8259_is_accepted)
{
    WITH_ARENA;
    struct json_problem problem;

    for (size_t i = 0; i < COUNTOF(accepted); i++)
        if (!json_parse(&arena, str_from_c(accepted[i]), JSON_STRICT, &problem))
            TEST_FAIL("refused %s: %s", accepted[i], problem.err.text);
}

TEST(anything_else_is_refused)
{
    WITH_ARENA;

    for (size_t i = 0; i < COUNTOF(refused); i++)
        if (strict(&arena, refused[i]))
            TEST_FAIL("accepted %s", refused[i]);
    EXPECT(!json_parse(&arena, str_from("[1\0]", 4), JSON_STRICT, NULL));
    EXPECT(!json_parse(&arena, str_from("\"a\0\"", 4), JSON_STRICT, NULL));
}

TEST(a_message_says_where_and_what)
{
    WITH_ARENA;
    struct json_problem p;

    EXPECT(!json_parse(&arena, STR("{\"a\": 1,\n  b}"), JSON_STRICT, &p));
    EXPECT_EQ(p.err.code, ERR_SYNTAX);
    EXPECT_EQ(p.at, 11);
    EXPECT_STR(str_from_c(p.err.text), "expected a member name in double quotes, found 'b' (line 2, column 3)");
    EXPECT(!json_parse(&arena, STR("[1"), JSON_STRICT, &p));
    EXPECT_STR(str_from_c(p.err.text), "expected ',' or ']', found the end (line 1, column 3)");
}

TEST(depth_ends_at_128)
{
    WITH_ARENA;
    struct json_problem p;
    char text[10001];

    memset(text, '[', 10000);
    EXPECT(!json_parse(&arena, str_from(text, 10000), JSON_STRICT, &p));
    EXPECT_EQ(p.err.code, ERR_LIMIT);
    EXPECT(!json_parse(&arena, str_from(text, 10000), JSON_LENIENT, &p));
    EXPECT_EQ(p.err.code, ERR_LIMIT);
    memset(text + 128, ']', 128);
    EXPECT(json_parse(&arena, str_from(text, 256), JSON_STRICT, &p) != NULL);
}

TEST(a_repeated_name_keeps_its_place_and_takes_the_last_value)
{
    WITH_ARENA;
    struct json_problem p;
    struct buf big = buf_in(&arena);

    EXPECT_STR(rewritten(&arena, "{\"a\":1,\"b\":2,\"a\":3}", JSON_STRICT), "{\"a\":3,\"b\":2}");
    EXPECT_STR(rewritten(&arena, "{\"a\":1,\"b\":2,\"a\":3}", JSON_LENIENT), "{\"a\":3,\"b\":2}");
    EXPECT(!json_parse(&arena, STR("{\"a\":1,\"\\u0061\":3}"), JSON_STRICT_UNIQUE, &p));
    EXPECT_EQ(p.err.code, ERR_INVALID);
    EXPECT_EQ(p.at, 16);
    EXPECT(json_parse(&arena, STR("{\"a\":{\"a\":1},\"A\":3}"), JSON_STRICT_UNIQUE, &p) != NULL);

    buf_add_char(&big, '{');
    for (int i = 0; i < 1000; i++)
        buf_printf(&big, "\"n%d\":%d,", i, i);
    buf_add_lit(&big, "\"n7\":\"last\"}");
    const struct json *j = json_parse(&arena, buf_str(&big), JSON_STRICT, &p);
    EXPECT_EQ(json_count(j), 1000);
    EXPECT_STR(json_str(&j->members[7].value, STR("")), "last");
    EXPECT_EQ(json_i64(json_get_lit(j, "n999"), -1), 999);
    EXPECT(!json_parse(&arena, buf_str(&big), JSON_STRICT_UNIQUE, &p));
}

TEST(numbers_keep_their_text)
{
    WITH_ARENA;

    EXPECT_STR(rewritten(&arena, "[1.10, 9007199254740993, 1E3, -0]", JSON_STRICT), "[1.10,9007199254740993,1E3,-0]");
    EXPECT_EQ(json_i64(strict(&arena, "9007199254740993"), 0), 9007199254740993);
    EXPECT_EQ(json_i64(strict(&arena, "1e3"), 0), 1000);
    EXPECT_EQ(json_i64(strict(&arena, "1.5"), -7), -7);
    EXPECT_EQ(json_i64(strict(&arena, "99999999999999999999"), -7), -7);
    EXPECT(json_double(strict(&arena, "0.25"), 0) == 0.25);
}

TEST(strings_are_unescaped_into_utf8)
{
    WITH_ARENA;

    EXPECT_STR(json_str(strict(&arena, "\"\\u00e9\\ud83d\\ude00\\n\\u0041\""), STR("")), "é😀\nA");
    EXPECT_STR(json_str(strict(&arena, "\"plain\""), STR("")), "plain");
    const struct json *lone = json_parse(&arena, STR("\"\\ud800x\""), JSON_LENIENT, NULL);
    EXPECT_STR(json_str(lone, STR("")), "\xed\xa0\x80x");
}

TEST(paths_reach_into_the_tree)
{
    WITH_ARENA;
    const struct json *j = strict(&arena, "{\"a\":{\"b\":[1,{\"c\":\"x\"}]},\"t\":true}");

    EXPECT_STR(json_str(json_path(j, "a.b[1].c"), STR("")), "x");
    EXPECT_EQ(json_i64(json_path(j, "a.b[0]"), 0), 1);
    EXPECT(json_path(j, "a.b[2].c") == NULL);
    EXPECT(json_path(j, "a.z.y") == NULL);
    EXPECT(json_bool(json_path(j, "t"), false));
    EXPECT(json_bool(json_path(j, "missing"), true));
    EXPECT_STR(json_str(json_path(j, "t"), STR("none")), "none");
}

TEST(the_writer_lays_out_as_newtonsoft_does)
{
    WITH_ARENA;
    struct buf b = buf_in(&arena);
    struct json_writer w = JSON_WRITER_INDENTED(&b);

    json_write(&w, strict(&arena, "{\"a\":[1,{\"b\":null}],\"e\":[],\"o\":{}}"));
    EXPECT_STR(buf_str(&b), "{\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n  \"e\": [],\n  \"o\": {}\n}");
    buf_clear(&b);
    json_write_escaped(&b, STR("\"\\\n\x01\x1f/<\xc3\xa9\xe2\x80\xa8\xc2\x85"), true);
    EXPECT_STR(buf_str(&b), "\\\"\\\\\\n\\u0001\\u001f/<\xc3\xa9\\u2028\\u0085");
}

TEST(lenient_text_is_read_as_newtonsoft_reads_it)
{
    WITH_ARENA;
    static const struct { const char *text, *compact; } cases[] = {
        {"{'single':'quotes', unquoted: 1, /*c*/ \"t\":[1,]}", "{\"single\":\"quotes\",\"unquoted\":1,\"t\":[1]}"},
        {"[1,,2]", "[1,undefined,2]"}, {"[,]", "[undefined]"}, {"{a:1,}", "{\"a\":1}"}, {"[0x1F,017,.5,1.]", "[31,15,.5,1.]"},
        {"// c\n[1 // d\n]", "[1]"}, {"[-01,-0]", "[-1,-0]"}, {"\"a\nb\"", "\"a\\nb\""}, {"[NaN,-Infinity]", "[NaN,-Infinity]"},
        {"{\"a\":,\"b\":1}", "{\"a\":undefined,\"b\":1}"}, {"new Date(1, 'x')", "[\"Date\",1,\"x\"]"}, {"'\\''", "\"'\""},
    };

    for (size_t i = 0; i < COUNTOF(cases); i++)
        EXPECT_STR(rewritten(&arena, cases[i].text, JSON_LENIENT), cases[i].compact);
}
