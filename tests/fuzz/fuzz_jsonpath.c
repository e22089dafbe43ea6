/* fuzz_jsonpath.c: paths against a small document, through the same entry that SelectTokens uses. The input is the path.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/clr.h"
#include "clr/jtoken.h"
#include "expr/program.h"

static const struct expr_env *
environment(void)
{
    static struct expr_env *env;

    if (!env)
        env = expr_env_new(clr_libraries, clr_libraries_n, NULL);
    return env;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct expr_limits limits = {.steps = 100000, .bytes = 16 << 20, .depth = 50, .regex_steps = 10000,
                                              .regex_timeout_ms = 100, .output_bytes = 1 << 20};
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 64 << 20);
    struct jtoken_list found = {0};
    struct expr_run run;

    expr_run_init(&run, environment(), &arena, &limits);
    run.steps_left = limits.steps;
    struct call c = expr_host_call(&run);
    struct jtoken *t = jtoken_parse_or_throw(
        &c, STR("{\"a\":[{\"b\":1,\"c\":\"x\"},{\"b\":2.5,\"c\":null}],\"d\":{\"e f\":true,\"g\":[[1,2],[3]]}}"), JSON_OBJECT);

    ASSERT(t);
    (void)jtoken_select(&c, t, str_from((const char *)data, size), size % 2 == 0, &found);
    return 0;
}
