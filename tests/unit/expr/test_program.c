/* Runs tests/expr/ (every .txt: an expression a line, "// expect: VALUE" in the margin; "!compile CS0165" wants that code in the
 * message) and, where it lies beside the project, the corpus of expressions; then budgets and broken input. */
#include "expr/program.c"

#include <dirent.h>

#include "base/file.h"
#include "base/rand.h"
#include "clr/clr.h"
#include "test.h"

static struct expr_env *
library(void)
{
    static struct expr_env *env;
    struct err err = ERR_INIT;

    if (!env && !(env = expr_env_new(clr_libraries, clr_libraries_n, &err)))
        TEST_FAIL("%s", err.text);
    return env;
}

/* The exception's type and message as "!Type: message", without the message's carriage returns. */
static struct str
exception_text(struct arena *a, const struct exception *x)
{
    struct str message = string_str(x->message);
    struct buf b = buf_in(a);

    for (size_t i = 0; i < message.len; i++)
        if (message.p[i] != '\r')
            buf_add_char(&b, message.p[i]);
    return str_printf(a, "!%.*s: %.*s", STR_ARG(x->head.type->full_name), STR_ARG(buf_str(&b)));
}

/* "=TEXT", "null", "!Exception: MESSAGE", "!budget NAME", "!compile MESSAGE". */
static struct str
evaluate(struct arena *a, struct str text, const struct expr_limits *limits)
{
    struct expr_options options = {.wanted = EXPR_ANY};
    struct diags diags;
    struct expr_program *p;
    struct rand rand;
    struct expr_run run;
    struct call c;
    struct object *o = NULL;
    struct string *s = NULL;

    diags_init(&diags, a);
    p = expr_compile(library(), text, &options, a, &diags);
    if (!p)
        return str_printf(a, "!compile %.*s", STR_ARG(diags.first ? diags.first->message : STR("")));
    rand_seed(&rand, 1);
    expr_run_init(&run, library(), a, limits);
    run.rand = &rand;
    c = expr_host_call(&run);
    if (expr_run_object(p, &run, &o) && (!o || value_to_string(&c, o->type, value_unbox(o), STR_NONE, &s)))
        return !o ? STR("null") : str_concat(a, STR("="), s ? string_str(s) : STR(""));
    if (run.exception)
        return exception_text(a, run.exception);
    return str_printf(a, "!budget %s", expr_budget_name(run.exceeded));
}

static void
expect_value(struct str text, struct str expected, const char *file, unsigned line)
{
    struct arena a AUTO(arena_destroy) = ARENA(NULL, (size_t)256 << 20);
    struct str got = evaluate(&a, text, NULL);
    bool is_open = str_starts_with(expected, STR("!")) && str_find(expected, STR(": "), 0) < 0;    /* says the type alone */
    bool is_code = str_starts_with(expected, STR("!compile CS")) && str_find_char(str_skip(expected, 9), ' ', 0) < 0;
    bool is_same = str_eq(expected, STR("!compile")) ? str_starts_with(got, expected)
                                                     : str_eq(got, expected) || (is_open && str_starts_with(got, str_printf(&a, "%.*s: ", STR_ARG(expected))));

    if (is_code)
        is_same = str_starts_with(got, STR("!compile ")) && str_find(got, str_printf(&a, "(%.*s)", STR_ARG(str_skip(expected, 9))), 0) > 0;
    if (!is_same)
        TEST_FAIL("%s:%u: %.*s is %.*s, expected %.*s", file, line, STR_ARG(text), STR_ARG(got), STR_ARG(expected));
}

static struct str
unescape(struct arena *a, struct str text)
{
    struct buf b = buf_in(a);

    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (c == '\\' && i + 1 < text.len) {
            c = text.p[++i];
            c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
        }
        buf_add_char(&b, c);
    }
    return b.len ? buf_str(&b) : STR("");
}

/* An expression may go on over lines that begin with a blank; the margin stands on the last one. */
static unsigned
run_file(const char *path)
{
    struct arena a AUTO(arena_destroy) = ARENA(NULL, (size_t)64 << 20);
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct str rest, line, pending = STR("");
    struct err err;
    unsigned number = 0, cases = 0;

    if (!file_read(path, 1 << 20, &text, &err)) {
        TEST_FAIL("%s", err.text);
        return 0;
    }
    rest = buf_str(&text);
    while (str_split_next(&rest, '\n', &line)) {
        ptrdiff_t margin = str_find(line, STR("// expect: "), 0);
        struct str expected = margin < 0 ? STR_NONE : str_trim(str_skip(line, (size_t)margin + 11));
        number++;
        if (line.len == 0 || line.p[0] == '#')
            continue;
        pending = str_printf(&a, "%.*s%s%.*s", STR_ARG(pending), pending.len ? "\n" : "",
                             STR_ARG(margin < 0 ? line : str_sub(line, 0, (size_t)margin)));
        if (margin < 0)
            continue;
        line = str_trim(pending);
        if (!str_starts_with(line, STR("@(")) && !str_starts_with(line, STR("@{")))
            line = line.p[0] == '{' ? str_concat(&a, STR("@"), line) : str_printf(&a, "@(%.*s)", STR_ARG(line));
        expect_value(line, unescape(&a, expected), path, number);
        cases++;
        pending = STR("");
    }
    return cases;
}

TEST(expressions_of_our_own_give_what_their_margin_says)
{
    DIR *d = opendir(SOURCE_DIR "/tests/expr");
    unsigned cases = 0, files = 0;

    for (struct dirent *f; d && (f = readdir(d));) {
        char path[1024];
        if (!str_ends_with(str_from_c(f->d_name), STR(".txt")))
            continue;
        snprintf(path, sizeof(path), "%s/tests/expr/%s", SOURCE_DIR, f->d_name);
        cases += run_file(path);
        files++;
    }
    EXPECT(d != NULL);
    if (d)
        closedir(d);
    printf("%u cases in %u files of tests/expr\n", cases, files);
    EXPECT(cases >= 1500);
}

TEST(the_corpus_of_expressions_is_right)
{
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct str rest, line, expression;
    struct err err;
    unsigned number = 0;

    if (!file_read(SOURCE_DIR "/../shared/corpus/expressions.tsv", 1 << 24, &text, &err))
        return;         /* not checked out beside the project */
    rest = buf_str(&text);
    while (str_split_next(&rest, '\n', &line)) {
        struct arena a AUTO(arena_destroy) = ARENA(NULL, (size_t)64 << 20);
        number++;
        if (!line.len)
            continue;
        str_split_next(&line, '\t', &expression);
        expect_value(unescape(&a, expression), unescape(&a, line), "expressions.tsv", number);
    }
}

static struct str
repeated(struct arena *a, const char *piece, size_t n, const char *end)
{
    struct buf b = buf_in(a);

    for (size_t i = 0; i < n; i++)
        buf_add_str(&b, str_from_c(piece));
    buf_add_str(&b, str_from_c(end));
    return buf_str(&b);
}

static void
expect_budget(const char *text, const char *expected)
{
    struct arena a AUTO(arena_destroy) = ARENA(NULL, (size_t)256 << 20);
    struct expr_limits small = expr_limits_default;

    small.steps = 1000000;
    small.bytes = 4 << 20;
    small.output_bytes = 1 << 20;
    EXPECT_STR(evaluate(&a, str_from_c(text), &small), expected);
}

TEST(a_run_that_exceeds_a_budget_ends)
{
    expect_budget("@{ while (true) { } }", "!budget steps");
    expect_budget("@{ int F(int n) => F(n + 1); return F(0); }", "!budget call depth");
    expect_budget("@{ var s = \"x\"; while (true) { s += s; } }", "!budget output size");
    expect_budget("@{ var l = new List<int>(); while (true) { l.Add(new byte[1000].Length); } }", "!budget memory");
    expect_budget("@{ try { while (true) { } } catch (Exception) { return 1; } finally { } }", "!budget steps");
    expect_budget("@(new int[1000000000].Length)", "!budget memory");
    expect_budget("@(Enumerable.Range(0, int.MaxValue).Count(x => x > 5))", "!budget steps");
}

TEST(deep_and_long_texts_are_errors_or_run)
{
    struct arena a AUTO(arena_destroy) = ARENA(NULL, (size_t)1 << 30);
    struct str open = repeated(&a, "(", 10000, "1"), close = repeated(&a, ")", 10000, ")");
    struct str text = str_printf(&a, "@(%.*s%.*s", STR_ARG(open), STR_ARG(close));
    struct str long_chain = str_printf(&a, "@(\"a\"%.*s)", STR_ARG(repeated(&a, " + \"b\" + DateTime.Now.Year", 1500, "")));
    struct str literal = str_printf(&a, "@(\"%.*s\".Length)", STR_ARG(repeated(&a, "xxxxxxxx", 1 << 20, "")));
    struct str bangs = str_printf(&a, "@(%.*s)", STR_ARG(repeated(&a, "!", 100000, "true")));
    struct str calls = str_printf(&a, "@(\"x\"%.*s)", STR_ARG(repeated(&a, ".Trim()", 400, "")));

    EXPECT(str_starts_with(evaluate(&a, text, NULL), STR("!compile")));
    EXPECT(str_starts_with(evaluate(&a, long_chain, NULL), STR("=ab")));
    EXPECT_STR(evaluate(&a, literal, NULL), "=8388608");
    EXPECT(str_starts_with(evaluate(&a, bangs, NULL), STR("!compile")));
    EXPECT_STR(evaluate(&a, calls, NULL), "=x");
}

TEST(a_message_names_what_is_near)
{
    struct arena a AUTO(arena_destroy) = ARENA(NULL, 64 << 20);

    EXPECT_STR(evaluate(&a, STR("@(\"a\".ToUper())"), NULL), "!compile `string` has no member `ToUper`; did you mean `ToUpper`? (CS1061)");
    EXPECT_STR(evaluate(&a, STR("@(new JObect())"), NULL), "!compile there is no type `JObect`; did you mean `JObject`? (CS0246)");
    EXPECT_STR(evaluate(&a, STR("@(context.Request)"), NULL), "!compile the name `context` does not exist here (CS0103)");
}

/* The first error, with what its caret is under: "MEMBER: message". */
static struct str
pointed(struct arena *a, struct str text)
{
    struct source source = {.name = STR("t"), .text = text};
    struct text_map map = {.source = &source};
    struct expr_options options = {.wanted = EXPR_ANY, .map = &map};
    struct diags diags;

    diags_init(&diags, a);
    if (expr_compile(library(), text, &options, a, &diags))
        return STR("compiles");
    return str_printf(a, "%.*s: %.*s", (int)diags.first->len, text.p + diags.first->offset, STR_ARG(diags.first->message));
}

TEST(a_statement_without_a_semicolon_is_told_of_where_it_ends)
{
    struct arena a AUTO(arena_destroy) = ARENA(NULL, 64 << 20);
    struct str text = STR("@{\n  var a = 1\n  return a\n}");
    struct expr_options options = {0};
    struct diags diags;

    diags_init(&diags, &a);
    EXPECT(!expr_compile(library(), text, &options, &a, &diags));
    EXPECT_EQ(diags.errors, 2);
    EXPECT_EQ(diags.first->offset, 14);
    EXPECT_STR(diags.first->message, "expected ';' (CS1002)");
    EXPECT_STR(evaluate(&a, STR("@{ foo\n) }"), NULL), "!compile expected ';' (CS1002)");
    EXPECT_STR(evaluate(&a, STR("@($\"{1 + }\")"), NULL), "!compile expected an expression, found '}' (CS1525)");
}

TEST(an_error_about_a_member_points_at_its_name)
{
    struct arena a AUTO(arena_destroy) = ARENA(NULL, 64 << 20);

    EXPECT_STR(pointed(&a, STR("@(\"abc\".Trim().Foo.Bar)")), "Foo: `string` has no member `Foo` (CS1061)");
    EXPECT_STR(pointed(&a, STR("@(\"a\" . /* x */ Foo(1))")), "Foo: `string` has no member `Foo` (CS1061)");
    EXPECT_STR(pointed(&a, STR("@(\"a\"?.Foo)")), "Foo: `string` has no member `Foo` (CS1061)");
    EXPECT_STR(pointed(&a, STR("@(string.Length)")), "Length: `string.Length` needs an object before the dot (CS0120)");
    EXPECT_STR(pointed(&a, STR("@(System.Foo.Bar)")), "Foo: there is no type or namespace `System.Foo` (CS0234)");
    EXPECT_STR(pointed(&a, STR("@(\"a\".Length())")), "Length: `Length` is not a method (CS1955)");
    EXPECT_STR(pointed(&a, STR("@(\"a\".Trim().IndexOf())")), "IndexOf: `IndexOf` takes 1 to 4 arguments, found 0 (CS1501)");
    EXPECT_STR(pointed(&a, STR("@(string.Format())")), "Format: `Format` takes at least 1 argument, found 0 (CS1501)");
    EXPECT_STR(pointed(&a, STR("@(Math.Sqrt(1, 2))")), "Sqrt: `Sqrt` takes 1 argument, found 2 (CS1501)");
    EXPECT_STR(pointed(&a, STR("@(\"a\".Substring(\"x\"))")), "\"x\": argument 1 of `Substring` is `string`, expected `int` (CS1503)");
}

TEST(a_call_of_a_local_function_is_checked)
{
    struct arena a AUTO(arena_destroy) = ARENA(NULL, 64 << 20);

    EXPECT_STR(evaluate(&a, STR("@{ foo F(int a) { return 1; } return F(1); }"), NULL),
               "!compile there is no type `foo` in policy expressions (CS0246)");
    EXPECT_STR(evaluate(&a, STR("@{ int F(foo a) { return 1; } return F(a: 1); }"), NULL),
               "!compile there is no type `foo` in policy expressions (CS0246)");
    EXPECT_STR(evaluate(&a, STR("@{ int F(int a, int b = 1) { return a - b; } return F(b: 2, a: 9); }"), NULL), "=7");
    EXPECT_STR(evaluate(&a, STR("@{ int F(int a, int b = 1) { return a - b; } return F(1, a: 5); }"), NULL),
               "!compile parameter `a` has its argument already (CS1744)");
    EXPECT_STR(evaluate(&a, STR("@{ int F(int a, int b = 1) { return a - b; } return F(1, c: 5); }"), NULL),
               "!compile `F` has no parameter `c` (CS1739)");
    EXPECT(str_starts_with(evaluate(&a, STR("@{ int F(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j, int k, int l, int m, "
                                            "int n, int o, int p, int q) { return a; } return 1; }"), NULL),
                           STR("!compile a local function has at most 16 parameters")));
}

TEST(several_errors_are_found_at_once)
{
    struct arena a AUTO(arena_destroy) = ARENA(NULL, 64 << 20);
    struct expr_options options = {.wanted = EXPR_ANY};
    struct diags diags;

    diags_init(&diags, &a);
    EXPECT(!expr_compile(library(), STR("@{ int a = \"x\"; var b = nope; return a.Foo; }"), &options, &a, &diags));
    EXPECT_EQ(diags.errors, 3);
    diags_init(&diags, &a);
    EXPECT(!expr_compile(library(), STR("@{ int a = ; var b = 1 1; return 2 }"), &options, &a, &diags));
    EXPECT_EQ(diags.errors, 3);
}

TEST(a_condition_must_be_bool_and_a_code_int)
{
    struct arena a AUTO(arena_destroy) = ARENA(NULL, 64 << 20);
    struct expr_options wants_bool = {.wanted = EXPR_BOOL}, wants_int = {.wanted = EXPR_INT};
    struct diags diags;

    diags_init(&diags, &a);
    EXPECT(expr_compile(library(), STR("@(1 < 2)"), &wants_bool, &a, &diags) != NULL);
    EXPECT(!expr_compile(library(), STR("@(\"true\")"), &wants_bool, &a, &diags));
    EXPECT(expr_compile(library(), STR("@(200 + 4)"), &wants_int, &a, &diags) != NULL);
    EXPECT(!expr_compile(library(), STR("@(\"200\")"), &wants_int, &a, &diags));
}

TEST(the_end_of_an_expression_is_found_by_lexing)
{
    EXPECT_EQ(expr_find_end(STR("@(x[\")\"])\" />"), 0, false), 9);
    EXPECT_EQ(expr_find_end(STR("@{ /* } */ return '}'; } tail"), 0, false), 24);
    EXPECT_EQ(expr_find_end(STR("@($\"{a[\"b\"]}}}\") tail"), 0, false), 16);
    EXPECT_EQ(expr_find_end(STR("@(@\"\\\" + 1) tail"), 0, false), 11);
    EXPECT_EQ(expr_find_end(STR("@(x[&quot;)&quot;]) tail"), 0, true), 19);
    EXPECT_EQ(expr_find_end(STR("@(never"), 0, false), 0);
}
