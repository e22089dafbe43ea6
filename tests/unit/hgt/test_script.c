#include "hgt/script.c"
#include "test.h"

struct parsed {
    struct arena arena;
    struct source source;
    struct diags diags;
    struct script script;
    bool ok;
};

static void
parse(struct parsed *p, const char *text)
{
    p->arena = ARENA(NULL, 1 << 20);
    p->source = (struct source){STR("t.hgt"), str_from_c(text)};
    diags_init(&p->diags, &p->arena);
    p->ok = script_parse(&p->source, &p->arena, &p->script, &p->diags);
}

TEST(a_block_is_what_is_indented_deeper)
{
    struct parsed p;

    parse(&p, "origin a\n    on GET /x once\n        status 503\n\n        header A: b\n    body fallback\n\ntest one\n");
    EXPECT(p.ok);
    struct step *origin = p.script.first;
    EXPECT_EQ(origin->kind, STEP_ORIGIN);
    EXPECT_STR(origin->name, "a");
    EXPECT_EQ(origin->rules->status, 503);
    EXPECT(origin->rules->once);
    EXPECT_STR(origin->rules->headers, "A: b\r\n");
    EXPECT_STR(origin->rules->next->body, "fallback");
    EXPECT_EQ(origin->next->kind, STEP_TEST);
    arena_destroy(&p.arena);
}

TEST(raw_lines_end_with_cr_lf_unless_they_end_in_a_backslash)
{
    struct parsed p;

    parse(&p, "raw\n    GET / HTTP/1.1\n    A: \\x00\\n\n\n    tail\\\n");
    EXPECT(p.ok);
    EXPECT_EQ(p.script.first->body.len, strlen("GET / HTTP/1.1\r\nA: ?\n\r\n\r\ntail"));
    EXPECT(memcmp(p.script.first->body.p + 19, "\0\n\r\n\r\ntail", 10) == 0);
    arena_destroy(&p.arena);
}

TEST(an_empty_line_after_raw_bytes_ends_the_head)
{
    struct parsed p;

    parse(&p, "raw\n    GET / HTTP/1.1\n\nexpect status 200\n");
    EXPECT(p.ok);
    EXPECT_STR(p.script.first->body, "GET / HTTP/1.1\r\n\r\n");
    arena_destroy(&p.arena);
}

TEST(expectations_have_a_subject_and_an_operator)
{
    struct parsed p;

    parse(&p, "expect header X-A not contains \"a b\"\nexpect status 2xx\nexpect origin o header H ~ ^a$\nexpect closed\n");
    EXPECT(p.ok);
    struct step *s = p.script.first;
    EXPECT_STR(s->expect.name, "X-A");
    EXPECT(s->expect.is_negated);
    EXPECT_EQ(s->expect.op, MATCH_CONTAINS);
    EXPECT_STR(s->expect.value, "a b");
    s = s->next;
    EXPECT_STR(s->expect.value, "2xx");
    s = s->next;
    EXPECT_STR(s->expect.part_name, "H");
    EXPECT_EQ(s->expect.op, MATCH_REGEX);
    EXPECT_EQ(s->next->expect.op, MATCH_PRESENT);
    arena_destroy(&p.arena);
}

TEST(a_misspelt_step_is_named_with_its_place)
{
    struct parsed p;
    struct buf out AUTO(buf_destroy) = BUF_INIT;

    parse(&p, "test a\nexpct status 200\n");
    EXPECT(!p.ok);
    diags_print(&p.diags, &out);
    EXPECT_STR(buf_str(&out), "t.hgt:2:1: error: no step begins with `expct`; did you mean `expect`?\n"
                              "     2 | expct status 200\n       | ^~~~~\n");
    arena_destroy(&p.arena);
}

TEST(a_loop_holds_steps_and_words)
{
    struct parsed p;

    parse(&p, "each V in a \"b c\" \"\"\n    request GET /${V}\n    expect status 200\ntest x\n");
    EXPECT(p.ok);
    EXPECT_EQ(p.script.first->values.n, 3);
    EXPECT_STR(p.script.first->values.v[1], "b c");
    EXPECT_EQ(p.script.first->steps->kind, STEP_REQUEST);
    EXPECT_EQ(p.script.first->steps->next->kind, STEP_EXPECT);
    EXPECT_EQ(p.script.first->next->kind, STEP_TEST);
    arena_destroy(&p.arena);
}

/* What is wrong in a text: "" when it parses. */
static const char *
complaint(const char *text)
{
    static char shown[400];
    struct parsed p;
    struct buf out AUTO(buf_destroy) = BUF_INIT;

    parse(&p, text);
    diags_print(&p.diags, &out);
    snprintf(shown, sizeof(shown), "%.*s", (int)MIN(out.len, strcspn(out.p ? out.p : "", "\n")), out.p ? out.p : "");
    arena_destroy(&p.arena);
    return shown;
}

#define EXPECT_COMPLAINT(text, wanted) EXPECT_STR(str_from_c(complaint(text)), wanted)

TEST(nothing_that_is_written_is_left_out_silently)
{
    EXPECT_COMPLAINT("env A b c\n", "t.hgt:1:9: error: expected the end of the line");
    EXPECT_COMPLAINT("advance 5s\n    request GET /x\n", "t.hgt:2:5: error: expected nothing: the line above takes no lines below it");
    EXPECT_COMPLAINT("origin o\n    chunked always\n", "t.hgt:2:13: error: expected the end of the line");
    EXPECT_COMPLAINT("origin o\n    on GET /x twice\n", "t.hgt:2:5: error: expected `on METHOD PATH [once]`");
    EXPECT_COMPLAINT("origin o\n    body x\n        y\n", "t.hgt:3:9: error: expected nothing: the line above takes no lines below it");
    EXPECT_COMPLAINT("api a at /a\n    policy\n",
                     "t.hgt:2:5: error: expected `policy` with the document below it, or `policy from PATH`");
    EXPECT_COMPLAINT("request GET /x on a times 3 at once\n",
                     "t.hgt:1:1: error: expected requests one after the other over HTTP/1 for `on CONNECTION`");
    EXPECT_COMPLAINT("request GET /x\nexpect status absent yes\n", "t.hgt:2:22: error: expected the end of the line");
}

TEST(names_of_parts_and_columns_are_checked)
{
    EXPECT_COMPLAINT("request GET /x\nexpect origin o requets 1\n",
                     "t.hgt:2:1: error: expected requests, connections, method, path, header NAME, body, certificate or fault");
    EXPECT_COMPLAINT("request GET /x\nexpect log ResponsCode 1\n",
                     "t.hgt:2:1: error: expected a column of the gateway log after `log`, such as ResponseCode");
    EXPECT_COMPLAINT("request GET /x\nexpect log RequestHeaders.Accept = x\nset id = log CorrelationId\nset p = origin o path\n", "");
}

TEST(the_steps_of_a_test_may_be_indented)
{
    struct parsed p;

    parse(&p, "test one\n    request GET /x\n        header A: b\n    expect status 200\ntest two\nrequest GET /y\n");
    EXPECT(p.ok);
    struct step *s = p.script.first->next;
    EXPECT_EQ(s->kind, STEP_REQUEST);
    EXPECT_STR(s->headers, "A: b\r\n");
    EXPECT_EQ(s->next->kind, STEP_EXPECT);
    EXPECT_EQ(s->next->next->kind, STEP_TEST);
    EXPECT_EQ(s->next->next->next->kind, STEP_REQUEST);
    arena_destroy(&p.arena);
}

TEST(blanks_and_tabs_are_not_measured_against_each_other)
{
    EXPECT_COMPLAINT("origin o\n    on GET /x\n\tbody y\n",
                     "t.hgt:3:2: error: expected the indentation of the lines above: blanks and tabs do not mix");
    EXPECT_COMPLAINT("origin o\n\ton GET /x\n\t\tbody y\n\ton GET /z\n\t\tbody\n            text\n", "");
}

TEST(a_byte_order_mark_is_not_a_word)
{
    EXPECT_COMPLAINT("\xef\xbb\xbftest a\r\nrequest GET /x\r\n", "");
}
