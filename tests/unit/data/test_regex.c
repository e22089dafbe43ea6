#include "data/regex.c"
#include "test.h"

#define GROUPS 16

/* "from-to" of each group, "!" no match, "?" bad pattern. */
static struct str
spans_of(const char *pattern, unsigned options, const char *text)
{
    static struct buf out;
    struct err err = ERR_INIT;
    struct regex *r = regex_new(str_from_c(pattern), options, &err);
    struct regex_span spans[GROUPS];
    enum regex_status status;

    buf_clear(&out);
    if (!r)
        return STR("?");
    status = regex_match(r, str_from_c(text), options & REGEX_RIGHT_TO_LEFT ? strlen(text) : 0, 1000000, spans);
    if (status != REGEX_MATCH) {
        regex_delete(r);
        return status == REGEX_NO_MATCH ? STR("!") : STR("too long");
    }
    for (uint32_t i = 0; i < regex_groups(r); i++)
        if (spans[i].from == SIZE_MAX)
            buf_printf(&out, "%s-", i ? " " : "");
        else
            buf_printf(&out, "%s%zu-%zu", i ? " " : "", spans[i].from, spans[i].to);
    regex_delete(r);
    return buf_str(&out);
}

TEST(plain_patterns_run_on_pcre)
{
    EXPECT_STR(spans_of("b+", 0, "abbc"), "1-3");
    EXPECT_STR(spans_of("(\\d+)-(\\d+)", 0, "x12-345"), "1-7 1-3 4-7");
    EXPECT_STR(spans_of("abc", REGEX_IGNORE_CASE, "xABC"), "1-4");
    EXPECT_STR(spans_of("a(?i)b", 0, "aB"), "0-2");
    EXPECT_STR(spans_of("(?i:a)b", 0, "AB"), "!");
    EXPECT_STR(spans_of("^b$", REGEX_MULTILINE, "a\nb\nc"), "2-3");
    EXPECT_STR(spans_of("b$", 0, "ab\n"), "1-2");
    EXPECT_STR(spans_of("b\\z", 0, "ab\n"), "!");
    EXPECT_STR(spans_of("a.b", 0, "a\nb"), "!");
    EXPECT_STR(spans_of("a.b", REGEX_SINGLELINE, "a\nb"), "0-3");
    EXPECT_STR(spans_of("a b # c", REGEX_IGNORE_WHITESPACE, "ab"), "0-2");
    EXPECT_STR(spans_of("[a-z-[aeiou]]+", 0, "aebcd"), "2-5");
    EXPECT_STR(spans_of("[^\\W_]+", 0, "__ab1"), "2-5");
    EXPECT_STR(spans_of("\\p{IsGreek}+", 0, "a\u03b1\u03b2"), "1-5");
    EXPECT_STR(spans_of("x{2", 0, "x{2"), "0-3");
    EXPECT_STR(spans_of("(?<=https://)[^/]+", 0, "https://host/path"), "8-12");
    EXPECT_STR(spans_of("(a)\\1", 0, "aa"), "0-2 0-1");
    EXPECT_STR(spans_of("(a)?(?(1)b|c)", 0, "xc"), "1-2 -");
}

TEST(named_groups_come_after_unnamed_ones)
{
    EXPECT_STR(spans_of("(?<n>a)(b)", 0, "ab"), "0-2 1-2 0-1");
    EXPECT_STR(spans_of("(?<n>a)|(?<n>b)", 0, "b"), "0-1 0-1");
    EXPECT_STR(spans_of("(a)(?<n>b)\\k<n>", 0, "abb"), "0-3 0-1 1-2");
    EXPECT_STR(spans_of("(a)(?:b)", REGEX_EXPLICIT_CAPTURE, "ab"), "0-2");
}

TEST(the_backtracker_does_the_rest)
{
    EXPECT_STR(spans_of("a", REGEX_RIGHT_TO_LEFT, "xaya"), "3-4");
    EXPECT_STR(spans_of("\\d+", REGEX_RIGHT_TO_LEFT, "a12b345c"), "4-7");
    EXPECT_STR(spans_of("(?<=a+)b", 0, "xaab"), "3-4");
    EXPECT_STR(spans_of("\\((?:[^()]|(?<o>\\()|(?<-o>\\)))*(?(o)(?!))\\)", 0, "((a))"), "0-5 -");
    EXPECT_STR(spans_of("^(?:(?<o>a)|(?<-o>b))+(?(o)(?!))$", 0, "aabb"), "0-4 -");
    EXPECT_STR(spans_of("^(?:(?<o>a)|(?<-o>b))+(?(o)(?!))$", 0, "aab"), "!");
}

TEST(captures_of_a_repeated_group_are_all_kept)
{
    struct err err = ERR_INIT;
    struct arena a = ARENA(NULL, 1 << 20);
    struct regex *r = regex_new(STR("(?:(\\w),?)+"), 0, &err);
    struct regex_span spans[GROUPS], *all[GROUPS];
    uint32_t n[GROUPS];

    EXPECT(r != NULL);
    EXPECT_EQ(regex_match(r, STR("a,b,c"), 0, 100000, spans), REGEX_MATCH);
    EXPECT_EQ(regex_captures(r, STR("a,b,c"), spans, 100000, &a, all, n), REGEX_MATCH);
    EXPECT_EQ(n[1], 3);
    EXPECT_EQ(all[1][0].from, 0);
    EXPECT_EQ(all[1][2].from, 4);
    regex_delete(r);
    arena_destroy(&a);
}

TEST(bad_patterns_and_endless_ones_are_told)
{
    EXPECT_STR(spans_of("(a", 0, ""), "?");
    EXPECT_STR(spans_of("a)", 0, ""), "?");
    EXPECT_STR(spans_of("[a", 0, ""), "?");
    EXPECT_STR(spans_of("*a", 0, ""), "?");
    EXPECT_STR(spans_of("\\q", 0, ""), "?");
    EXPECT_STR(spans_of("\\k<x>", 0, ""), "?");
    EXPECT_STR(spans_of("a{3,2}", 0, ""), "?");
    EXPECT_STR(spans_of("^(a+)+$", 0, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"), "too long");
    EXPECT_STR(spans_of("^(?<x>a+)+$(?<-x>b)?", 0, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"), "too long");
}
