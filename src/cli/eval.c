/* eval.c: compiles and runs an expression for the commands eval, explain and repl.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/eval.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/rand.h"
#include "base/utf8.h"
#include "exchange/context_families.h"
#include "exchange/context_file.h"

#define CONTEXT_BYTES_MAX ((size_t)64 << 20)

/* Reads the file and tries it once, so that what is wrong with it is said before the first expression. */
static bool
read_context(struct evaluator *ev, const char *path, struct err *err)
{
    struct arena a AUTO(arena_destroy) = ARENA(NULL, CONTEXT_BYTES_MAX * 4);

    if (!file_read(path, CONTEXT_BYTES_MAX, &ev->context, err))
        return false;
    if (!context_file_exchange(&a, ev->env, buf_str(&ev->context), err))
        return err_prefix(err, "%s", path);
    return true;
}

struct evaluator *
evaluator_new(const char *context_path, struct err *err)
{
    struct evaluator *ev = xnew(struct evaluator);
    uint64_t seed;

    ev->env = context_env_new(err);
    ev->rand = xnew(struct rand);
    rand_secret(&seed, sizeof(seed));
    rand_seed(ev->rand, seed);
    if (!ev->env || (context_path && !read_context(ev, context_path, err))) {
        evaluator_delete(ev);
        return NULL;
    }
    return ev;
}

void
evaluator_delete(struct evaluator *ev)
{
    if (!ev)
        return;
    expr_env_delete(ev->env);
    buf_destroy(&ev->context);
    free(ev->rand);
    free(ev);
}

struct str
eval_wrap(struct arena *a, struct str text)
{
    struct str trimmed = str_trim(text);

    if (str_starts_with(trimmed, STR("@(")) || str_starts_with(trimmed, STR("@{")))
        return trimmed;
    if (str_starts_with(trimmed, STR("{")))
        return str_concat(a, STR("@"), trimmed);
    return str_printf(a, "@(%.*s)", STR_ARG(text));
}

struct expr_program *
eval_compile(struct evaluator *ev, struct arena *a, struct str text, FILE *to)
{
    struct source *source = arena_new(a, struct source);
    struct text_map *map = arena_new(a, struct text_map);
    struct expr_options options = {.map = map, .wanted = EXPR_ANY};
    struct buf out AUTO(buf_destroy) = BUF_INIT;
    struct expr_program *p;
    struct diags diags;

    if (!source || !map)
        return NULL;
    *source = (struct source){STR("expression"), text};
    map->source = source;
    diags_init(&diags, a);
    p = expr_compile(ev->env, text, &options, a, &diags);
    if (to) {
        diags_print(&diags, &out);
        if (out.len)
            fwrite(out.p, 1, out.len, to);
    }
    return p;
}

/* As .NET's encoder writes text: U+FFFD for what is no part of a pair. */
static struct str
without_lone_surrogates(struct arena *a, struct str text)
{
    struct buf b = buf_in(a);

    if (utf8_is_valid(text))
        return text;
    for (size_t i = 0; i < text.len;) {
        uint32_t c = utf8_next(text, &i);
        char one[4];
        buf_add(&b, one, utf8_put(one, c >= 0xd800 && c < 0xe000 ? 0xfffd : c));
    }
    return buf_str(&b);
}

/* "=TEXT", "null", "!Type", "!budget steps". */
static struct str
result_text(struct arena *a, const struct expr_program *p, struct expr_run *run)
{
    struct object *o;
    struct call c = expr_host_call(run);
    struct string *s = NULL;
    bool ok = expr_run_object(p, run, &o);

    if (ok && !o)
        return STR("null");
    if (ok)
        ok = value_to_string(&c, o->type, value_unbox(o), STR_NONE, &s);
    if (ok)
        return str_concat(a, STR("="), s ? without_lone_surrogates(a, string_str(s)) : STR(""));
    if (run->exception)
        return str_concat(a, STR("!"), run->exception->head.type->full_name);
    return str_concat(a, STR("!budget "), str_from_c(expr_budget_name(run->exceeded)));
}

struct str
eval_text(struct evaluator *ev, struct arena *a, struct str text, FILE *to)
{
    struct expr_program *p = eval_compile(ev, a, text, to);
    struct expr_run run;

    if (!p)
        return STR("!compile");
    expr_run_init(&run, ev->env, a, NULL);
    run.rand = ev->rand;
    if (ev->context.len)
        run.host = context_file_exchange(a, ev->env, buf_str(&ev->context), NULL);
    return result_text(a, p, &run);
}
