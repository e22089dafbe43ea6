/* fuzz_expr_parse.c: any text as an expression: lexer, parser, binder, emitter; what compiles is run with tight budgets. */
#include <stdlib.h>

#include "base/rand.h"
#include "clr/clr.h"
#include "expr/program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct expr_env *env;
    static const struct expr_limits limits = {
        .steps = 20000, .bytes = 4 << 20, .depth = 20, .regex_steps = 10000, .regex_timeout_ms = 50, .output_bytes = 1 << 16,
    };
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, (size_t)64 << 20);
    struct expr_options options = {.wanted = EXPR_ANY};
    struct err err = ERR_INIT;
    struct diags diags;
    struct expr_program *p;
    struct expr_run run;
    struct rand rand;
    struct str text;

    if (!env && !(env = expr_env_new(clr_libraries, clr_libraries_n, &err)))
        abort();
    if (size > 4096)
        return 0;
    text = str_dup(&arena, str_from((const char *)data, size));
    expr_find_end(text, 0, false);
    expr_find_end(text, 0, true);
    diags_init(&diags, &arena);
    p = expr_compile(env, text, &options, &arena, &diags);
    if (!p) {
        ASSERT(diags.errors > 0);       /* a refusal says why */
        return 0;
    }
    rand_seed(&rand, 1);
    expr_run_init(&run, env, &arena, &limits);
    run.rand = &rand;
    if (!expr_run_text(p, &run, &text))
        ASSERT(run.exception || run.exceeded);
    return 0;
}
