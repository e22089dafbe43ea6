/* cmd_eval.c: `headgate eval 'EXPR'`: prints the value of a policy expression.
 *
 *     =TEXT                  the value as text, invariant culture
 *     null                   the value is null
 *     !Full.Exception.Name   evaluating threw it (!budget NAME when a budget was exceeded)
 *     !compile               the expression is refused; why goes to standard error
 * --batch FILE.tsv evaluates the first column of every line, --verify compares with the second. Both columns are escaped:
 * \\ \t \n \r.
 * SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/rand.h"
#include "cli/commands.h"
#include "cli/eval.h"

#define BATCH_BYTES_MAX ((size_t)256 << 20)

static int
usage(FILE *to, int status)
{
    fprintf(to, "usage: headgate eval [--context FILE] 'EXPR'\n"
                "       headgate eval [--context FILE] --batch FILE.tsv [--verify]\n\n"
                "EXPR is @(...), @{...}, or what stands between the brackets of @(...).\n"
                "  --context FILE   JSON that describes request, response, variables, user ...\n"
                "  --batch FILE     evaluate the first column of every line\n"
                "  --verify         compare with the second column; the exit status is 1 when one differs\n");
    return status;
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
    return buf_str(&b);
}

static void
print_escaped(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.p[i]) {
        case '\\': fputs("\\\\", stdout); break;
        case '\t': fputs("\\t", stdout); break;
        case '\n': fputs("\\n", stdout); break;
        case '\r': fputs("\\r", stdout); break;
        default: putchar(text.p[i]);
        }
    }
}

struct counts {
    uint32_t right, wrong;
};

static void
batch_line(struct evaluator *ev, struct str line, uint32_t number, bool verify, struct counts *counts)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, (size_t)512 << 20);
    struct str rest = line, text, expected, result;

    str_split_next(&rest, '\t', &text);
    text = unescape(&arena, text);
    expected = rest.p ? unescape(&arena, rest) : STR_NONE;
    result = eval_text(ev, &arena, text, verify ? NULL : stderr);
    if (!verify) {
        print_escaped(result);
        putchar('\n');
        return;
    }
    if (str_eq(result, expected)) {
        counts->right++;
        return;
    }
    counts->wrong++;
    printf("%u: ", number);
    print_escaped(text);
    printf("\n    expected ");
    print_escaped(expected);
    printf("\n    found    ");
    print_escaped(result);
    putchar('\n');
    if (str_starts_with(result, STR("!compile")))
        eval_text(ev, &arena, text, stdout);
}

static int
batch(struct evaluator *ev, const char *path, bool verify)
{
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct err err = ERR_INIT;
    struct counts counts = {0, 0};
    struct str rest, line;
    uint32_t number = 0;

    if (!file_read(path, BATCH_BYTES_MAX, &text, &err)) {
        fprintf(stderr, "headgate eval: %s\n", err.text);
        return 2;
    }
    rest = buf_str(&text);
    while (str_split_next(&rest, '\n', &line)) {
        number++;
        if (line.len)
            batch_line(ev, line, number, verify, &counts);
    }
    if (verify)
        printf("%u right, %u wrong\n", counts.right, counts.wrong);
    return counts.wrong > 0;
}

static int
one(struct evaluator *ev, const char *text)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, (size_t)512 << 20);
    struct str result = eval_text(ev, &arena, eval_wrap(&arena, str_from_c(text)), stderr);

    fwrite(result.p, 1, result.len, stdout);
    putchar('\n');
    return result.len && result.p[0] == '!';
}

int
cmd_eval(int argc, char **argv)
{
    static const struct option options[] = {
        {"context", required_argument, NULL, 'c'}, {"batch", required_argument, NULL, 'b'}, {"verify", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
    };
    const char *context = NULL, *file = NULL;
    bool verify = false;
    struct evaluator *ev;
    struct err err = ERR_INIT;
    const char *last = argv[argc - 1], *expression = NULL;
    int c, status;

    if (argc > 1 && last[0] == '-' && last[1] && last[1] != '-') { /* -1, not an option */
        expression = last;
        argc--;
    }
    optind = 1;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'c': context = optarg; break;
        case 'b': file = optarg; break;
        case 'v': verify = true; break;
        case 'h': return usage(stdout, 0);
        default: return usage(stderr, 2);
        }
    }
    if (!expression && optind < argc)
        expression = argv[optind++];
    if ((file != NULL) == (expression != NULL) || optind < argc)
        return usage(stderr, 2);
    ev = evaluator_new(context, &err);
    if (!ev) {
        fprintf(stderr, "headgate eval: %s\n", err.text);
        return 2;
    }
    status = file ? batch(ev, file, verify) : one(ev, expression);
    evaluator_delete(ev);
    return status;
}
