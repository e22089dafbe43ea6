/* fuzz_liquid.c: a template, a NUL, a body (XML when it begins with '<', else JSON). Compiling and rendering end, and the same
 * template prints the same twice.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/liquid_dotnet.h"
#include "data/json.h"
#include "data/liquid.h"

static const struct liquid_limits limits = {.iterations = 1000, .output_bytes = 1 << 16, .regex_steps = 10000};

static struct liquid_value
get_body(struct liquid_run *run, void *ctx)
{
    const struct str *body = ctx;
    struct liquid_value v;
    struct err err;

    if (!body->len || body->p[0] != '<')
        return liquid_of_json(run, json_parse(run->arena, *body, JSON_LENIENT, NULL), true);
    if (liquid_of_xml(run, *body, false, &v, &err))
        return v;
    liquid_fail(run, err.code, "%s", err.text);
    return liquid_nil();
}

static bool
render(struct arena *arena, const struct liquid *t, struct str *body, struct buf *to)
{
    struct liquid_root root = {STR_INIT("body"), get_body, body};
    struct liquid_run run = {.arena = arena, .dotnet = &liquid_dotnet, .limits = &limits, .roots = &root, .n_roots = 1,
                             .wall_ns = UINT64_C(1700000000000000000)};
    struct err err = ERR_INIT;
    bool ok = liquid_render(t, &run, to, &err);

    ASSERT(ok || err.code != ERR_NONE);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 64 << 20);
    struct str all = {(const char *)data, size}, text = all, body = STR("");
    ptrdiff_t nul = str_find_char(all, 0, 0);
    const struct liquid_note *notes;
    struct buf first AUTO(buf_destroy) = BUF_INIT, second AUTO(buf_destroy) = BUF_INIT;

    if (nul >= 0) {
        text = str_sub(all, 0, (size_t)nul);
        body = str_skip(all, (size_t)nul + 1);
    }
    const struct liquid *t = liquid_compile(&arena, text, &notes);
    for (const struct liquid_note *n = notes; n; n = n->next)
        ASSERT(n->at <= text.len && n->at + n->len <= text.len);
    if (t && render(&arena, t, &body, &first))
        ASSERT(render(&arena, t, &body, &second) && first.len == second.len && (!first.len || !memcmp(first.p, second.p, first.len)));
    return 0;
}
