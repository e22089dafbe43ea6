/* cmd_explain.c: `headgate explain 'EXPR'`: the type of an expression and the bytecode it becomes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/eval.h"

int
cmd_explain(int argc, char **argv)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, (size_t)512 << 20);
    struct buf out AUTO(buf_destroy) = BUF_INIT;
    struct err err = ERR_INIT;
    struct evaluator *ev;
    struct expr_program *p;

    if (argc != 2 || !strcmp(argv[1], "--help")) {
        fprintf(argc == 2 ? stdout : stderr, "usage: headgate explain 'EXPR'\n\n"
                "Prints the type of a policy expression and the bytecode it becomes. EXPR is @(...), @{...}, or what stands between\n"
                "the brackets of @(...).\n");
        return argc == 2 ? 0 : 2;
    }
    ev = evaluator_new(NULL, &err);
    if (!ev) {
        fprintf(stderr, "headgate explain: %s\n", err.text);
        return 2;
    }
    p = eval_compile(ev, &arena, eval_wrap(&arena, str_from_c(argv[1])), stderr);
    if (p) {
        expr_program_explain(p, &out);
        fwrite(out.p, 1, out.len, stdout);
    }
    evaluator_delete(ev);
    return p ? 0 : 1;
}
