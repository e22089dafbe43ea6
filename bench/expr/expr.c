/* expr.c: what expressions cost, in processor time of this thread: a line a figure, the best of ROUNDS rounds, with its goal.
 *     expr [ROUNDS [FIGURE]]     figures: concat json linq loop compile
 * concat   an expression of two headers and the method, its arena included
 * json     a 500-byte body: parsed, a field changed, written, and a header set; through the policies set-body and set-header
 * linq     Where and Select over 1,000 numbers
 * loop     a million integer additions
 * compile  every expression of the corpus beside the project (or of tests/expr, where that is missing), on a new arena each
 * The same work in nginx with Lua is measured by run.sh beside this file.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/vec.h"
#include "exchange/context_families.h"
#include "exchange/exchange.h"
#include "expr/program.h"
#include "http/headers.h"
#include "policy/document.h"
#include "policy/plan.h"
#include "rt/loop.h"

#define ARENA_BYTES ((size_t)256 << 20)

struct bench {
    struct expr_env *env;
    struct arena_cache blocks;
    struct arena lasting;         /* programs, texts */
    struct services services;
    struct exchange_limits limits;
    struct loop loop;
    unsigned rounds;
};

static double
cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void
die(const struct diags *diags)
{
    struct buf out = BUF_INIT;

    diags_print(diags, &out);
    fwrite(out.p, 1, out.len, stderr);
    exit(1);
}

static void
report(const char *name, double value, const char *unit, double goal)
{
    printf("%-8s %10.1f %s   goal %.0f %s%s\n", name, value, unit, goal, unit, value <= goal ? "" : "   missed");
}

static struct expr_program *
compile(struct bench *b, const char *text)
{
    struct diags diags;
    struct expr_program *p;

    diags_init(&diags, &b->lasting);
    p = expr_compile(b->env, str_from_c(text), &(struct expr_options){.wanted = EXPR_ANY}, &b->lasting, &diags);
    if (!p)
        die(&diags);
    return p;
}

/* A request as browsers and clients send it, on the exchange's arena. */
static void
begin_exchange(struct bench *b, struct exchange *ex, struct arena *arena)
{
    static const char *const fields[][2] = {
        {"Host", "api.example"}, {"User-Agent", "curl/8.5.0"}, {"Accept", "application/json"}, {"X-Tenant", "acme"},
        {"Content-Type", "application/json"}, {"X-Request-Id", "5f2c9b6e-7d0a"}, {"Content-Length", "500"}, {"X-User", "user-1234"},
    };
    struct http_headers *headers = arena_new(arena, struct http_headers);

    exchange_init(ex, arena, &b->services, &b->limits, NULL);
    *headers = http_headers_in(arena);
    for (size_t i = 0; i < COUNTOF(fields); i++)
        if (!http_headers_add(headers, str_from_c(fields[i][0]), str_from_c(fields[i][1])))
            abort();
    ex->request.headers = headers;
    ex->request.method = STR("POST");
}

/* --- figures ------------------------------------------------------------------------------------------------------------------ */

static double
measure_concat(struct bench *b)
{
    struct expr_program *p = compile(b, "@(context.Request.Headers.GetValueOrDefault(\"X-Tenant\",\"a\") + \":\" + context.Request.Method)");
    struct arena arena = ARENA(&b->blocks, ARENA_BYTES);
    struct exchange ex;
    struct arena_mark mark;
    const int n = 200000;
    double from;
    struct str text;

    begin_exchange(b, &ex, &arena);
    if (!expr_run_text(p, exchange_expr_run(&ex), &text) || !str_eq_lit(text, "acme:POST"))
        abort();
    mark = arena_mark(&arena);
    from = cpu_ns();
    for (int i = 0; i < n; i++) {
        if (!expr_run_text(p, ex.expr_run, &text))
            abort();
        arena_rewind(&arena, mark);
        ex.expr_run->bytes_left = b->limits.expr.bytes;
    }
    from = (cpu_ns() - from) / n;
    exchange_close(&ex);
    arena_destroy(&arena);
    return from;
}

static const char document[] =
    "<policies><inbound>"
    "<set-body>@{ var body = context.Request.Body.As<JObject>(preserveContent: true); body[\"status\"] = \"checked\";"
    " return body.ToString(Newtonsoft.Json.Formatting.None); }</set-body>"
    "<set-header name=\"X-Cache-Key\" exists-action=\"override\"><value>@(context.Request.Method + \":\" + context.Request.Url.Path"
    " + \":\" + context.Request.Headers.GetValueOrDefault(\"X-Tenant\",\"\") + \":\" + context.Request.Headers.GetValueOrDefault(\"X-User\",\"\"))"
    "</value></set-header></inbound></policies>";

static const char json[] =
    "{\"id\":123456,\"status\":\"new\",\"active\":true,\"score\":12.5,\"owner\":{\"name\":\"Ada\",\"mail\":\"ada@example.org\","
    "\"roles\":[\"admin\",\"audit\",\"dev\"]},\"items\":[{\"sku\":\"A-1\",\"qty\":2,\"price\":9.99},{\"sku\":\"B-2\",\"qty\":1,\"price\":19.5},"
    "{\"sku\":\"C-3\",\"qty\":7,\"price\":0.75}],\"note\":\"lorem ipsum lorem ipsum lorem ipsum lorem ipsum lorem ipsum lorem ipsum lorem ipsum\","
    "\"tags\":[\"x\",\"y\",\"z\"],\"meta\":{\"trace\":\"0af7651916cd43dd8448eb211c80319c\",\"ts\":1700000000}}";

/* One exchange: what the plan costs on it is told apart from what the empty exchange costs. */
static void
one_exchange(struct bench *b, struct plan *plan, struct str body, bool has_plan)
{
    struct arena arena = ARENA(&b->blocks, ARENA_BYTES);
    struct exchange ex;

    begin_exchange(b, &ex, &arena);
    content_set(ex.request.content, body);
    ex.plan = plan;
    if (has_plan) {
        plan_run(&ex);
        if (ex.request.content->state != CONTENT_BYTES || ex.request.content->bytes.len == body.len)
            abort();
    }
    exchange_close(&ex);
    arena_destroy(&arena);
}

static double
measure_json(struct bench *b)
{
    struct source *source = arena_new(&b->lasting, struct source);
    struct policy_document *documents[LEVEL_COUNT] = {NULL};
    static const struct policy_names names;
    struct str body = str_printf(&b->lasting, "%-500s", json);
    struct diags diags;
    struct plan *plan;
    const int n = 20000;
    double with, without;

    *source = (struct source){STR("bench.xml"), str_from_c(document)};
    diags_init(&diags, &b->lasting);
    documents[LEVEL_API] = policy_document_new(&(struct policy_input){.source = source, .level = LEVEL_API, .names = &names, .env = b->env}, &diags);
    if (!documents[LEVEL_API])
        die(&diags);
    plan = plan_new(documents);
    without = cpu_ns();
    for (int i = 0; i < n; i++)
        one_exchange(b, plan, body, false);
    without = cpu_ns() - without;
    with = cpu_ns();
    for (int i = 0; i < n; i++)
        one_exchange(b, plan, body, true);
    with = cpu_ns() - with;
    plan_delete(plan);
    policy_document_unref(documents[LEVEL_API]);
    return (with - without) / n / 1e3;
}

/* One run on a fresh arena, n times; microseconds a run. */
static double
measure_program(struct bench *b, const char *text, int n)
{
    struct expr_program *p = compile(b, text);
    double from = cpu_ns();

    for (int i = 0; i < n; i++) {
        struct arena arena = ARENA(&b->blocks, ARENA_BYTES);
        struct expr_run run;
        struct value v;
        expr_run_init(&run, b->env, &arena, NULL);
        if (!expr_run(p, &run, &v))
            abort();
        arena_destroy(&arena);
    }
    return (cpu_ns() - from) / n / 1e3;
}

static double
measure_linq(struct bench *b)
{
    return measure_program(b, "@(Enumerable.Range(0, 1000).Where(x => x % 3 != 0).Select(x => x * 2).Sum())", 300);
}

static double
measure_loop(struct bench *b)
{
    return measure_program(b, "@{ int s = 0; for (int i = 0; i < 1000000; i++) s += i; return s; }", 5) / 1e3;
}

/* --- every expression of the corpus --------------------------------------------------------------------------------------------- */

struct texts {
    struct str *v;
    size_t n, cap;
};

static void
collect_lines(struct bench *b, const char *path, struct texts *to)
{
    struct buf text = BUF_INIT;
    struct str rest, line;
    struct err err;

    if (!file_read(path, (size_t)1 << 24, &text, &err))
        return;
    rest = buf_str(&text);
    while (str_split_next(&rest, '\n', &line)) {
        struct str one;
        struct buf plain = buf_in(&b->lasting);
        str_split_next(&line, '\t', &one);
        buf_printf(&plain, "%s", one.len > 1 && one.p[0] == '@' ? "" : "@(");
        for (size_t i = 0; i < one.len; i++) {
            char c = one.p[i];
            if (c == '\\' && i + 1 < one.len) {
                c = one.p[++i];
                c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
            }
            buf_add_char(&plain, c);
        }
        if (one.p[0] != '@')
            buf_add_char(&plain, ')');
        if (one.len)
            *vec_push(to) = str_dup(&b->lasting, buf_str(&plain));
    }
}

/* The expressions that stand in a document: from each "@(" or "@{" to its end, entities decoded. */
static void
collect_document(struct bench *b, const char *path, struct texts *to)
{
    struct buf text = BUF_INIT;
    struct err err;
    struct str s;

    if (!file_read(path, (size_t)1 << 24, &text, &err))
        return;
    s = str_dup(&b->lasting, buf_str(&text));
    buf_destroy(&text);
    for (size_t i = 0; i + 1 < s.len; i++) {
        size_t end = s.p[i] == '@' && (s.p[i + 1] == '(' || s.p[i + 1] == '{') ? expr_find_end(s, i, true) : 0;
        if (!end)
            continue;
        *vec_push(to) = str_sub(s, i, end);
        i = end - 1;
    }
}

static void
collect(struct bench *b, struct texts *to)
{
    FILE *list = popen("find ../shared/corpus/policies ../shared/corpus/articles -name '*.xml' 2>/dev/null | sort", "r");
    char path[4096];

    collect_lines(b, "../shared/corpus/expressions.tsv", to);
    while (list && fgets(path, sizeof(path), list)) {
        path[strcspn(path, "\n")] = 0;
        collect_document(b, path, to);
    }
    if (list)
        pclose(list);
}

static double
measure_compile(struct bench *b)
{
    static struct texts texts;
    size_t right = 0;
    double from;

    if (!texts.n)
        collect(b, &texts);
    from = cpu_ns();
    for (size_t i = 0; i < texts.n; i++) {
        struct arena arena = ARENA(&b->blocks, ARENA_BYTES);
        struct diags diags;
        diags_init(&diags, &arena);
        right += expr_compile(b->env, texts.v[i], &(struct expr_options){.wanted = EXPR_ANY}, &arena, &diags) != NULL;
        arena_destroy(&arena);
    }
    from = (cpu_ns() - from) / 1e6;
    if (!b->rounds--)
        printf("         %zu expressions, %zu of them right\n", texts.n, right);
    return from;
}

/* ------------------------------------------------------------------------------------------------------------------------------------ */

static const struct figure {
    const char *name, *unit;
    double goal;
    double (*measure)(struct bench *b);
} figures[] = {
    {"concat", "ns", 150, measure_concat}, {"json", "us", 4, measure_json}, {"linq", "us", 60, measure_linq},
    {"loop", "ms", 8, measure_loop}, {"compile", "ms", 1000, measure_compile},
};

int
main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 7;
    struct bench b = {.lasting = ARENA(NULL, (size_t)1 << 30)};
    struct err err;

    b.env = context_env_new(&err);
    if (!b.env) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    b.limits = (struct exchange_limits){.buffered_body_max = 1 << 20, .expr = expr_limits_default};
    b.services.loop = &b.loop;
    b.services.env = b.env;
    for (size_t i = 0; i < COUNTOF(figures); i++) {
        double best = 0;
        if (argc > 2 && strcmp(argv[2], figures[i].name))
            continue;
        b.rounds = rounds - 1;
        for (unsigned r = 0; r < rounds; r++) {
            double now = figures[i].measure(&b);
            best = r == 0 || now < best ? now : best;
        }
        report(figures[i].name, best, figures[i].unit, figures[i].goal);
    }
    expr_env_delete(b.env);
    arena_destroy(&b.lasting);
    arena_cache_destroy(&b.blocks);
    return 0;
}
