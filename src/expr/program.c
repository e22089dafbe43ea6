/* program.c: compiling and running an expression, from its text to its value.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/program.h"

#include "base/clock.h"
#include "expr/bind.h"
#include "expr/emit.h"
#include "rt/fiber.h"

#define NODES_MAX 4000000     /* what the binder may make for one expression, trials of overloads included */

static const struct type *
wanted_type(const struct expr_env *env, enum expr_wanted wanted)
{
    switch (wanted) {
    case EXPR_BOOL: return env->core.bool_;
    case EXPR_STRING: return env->core.string;
    default: return NULL;
    }
}

static bool
check_result(struct binder *b, const struct node *n, const struct type *type, enum expr_wanted wanted)
{
    if (wanted == EXPR_INT && type->kind != TYPE_INT && type->kind != TYPE_LONG && type->kind != TYPE_SHORT &&
        type->kind != TYPE_BYTE && type->kind != TYPE_USHORT && type->kind != TYPE_UINT && type->kind != TYPE_SBYTE)
        return !is_error(bind_error(b, n, "this place takes an int, the expression gives `%.*s`", STR_ARG(type->name)));
    if (wanted == EXPR_BOOL && type->kind != TYPE_BOOL)
        return !is_error(bind_error(b, n, "this place takes a bool, the expression gives `%.*s`", STR_ARG(type->name)));
    return true;
}

/* The result's type of a body is the common type of what it returns. */
static const struct type *
result_type(struct binder *b, const struct node *n, struct function_scope *f, enum expr_wanted wanted)
{
    const struct type *type = f->returned.n ? best_common_type(b, f->returned.v, (uint32_t)f->returned.n) : NULL;

    if (type)
        return type;
    if (f->returned.n == 1 && f->returned.v[0]->type && f->returned.v[0]->type->kind == TYPE_NULL)
        return b->core->object;
    if (f->returned.n == 0)
        return b->core->object;      /* flow.c says whether the end is reached */
    for (size_t i = 0; i < f->returned.n; i++)
        if (f->returned.v[i]->kind == B_TUPLE_WAITS)
            return convert(b, f->returned.v[i], b->core->object)->type;     /* which reports it */
        else if (!f->returned.v[i]->type || f->returned.v[i]->type->kind == TYPE_VOID)
            return bind_error(b, f->returned.v[i]->node, "the expression gives no value (CS0029)")->type;
    return b->core->object;
}

/* Binds the whole text as the body of a function without parameters. */
static struct bound *
bind_whole(struct binder *b, const struct node *n, struct function_scope *f, enum expr_wanted wanted)
{
    const struct type *type = wanted_type(b->env, wanted);
    struct scope scope;
    struct bound *body = NULL;
    uint32_t before = b->diags->errors;

    f->name = STR("expression");
    b->function = f;
    if (!type) {            /* what it returns is found out first, then it is bound to that */
        struct trial t;
        trial_begin(b, &t);
        scope_open(b, &scope);
        bind_body(b, n);
        scope_close(b, &scope);
        type = f->returned.n ? result_type(b, n, f, wanted) : NULL;
        if (!trial_end(b, &t))
            type = NULL;
        vec_free(&f->returned);
    }
    f->ret_type = type;
    scope_open(b, &scope);
    body = bind_body(b, n);
    scope_close(b, &scope);
    if (!type && b->diags->errors == before)
        f->ret_type = result_type(b, n, f, wanted);
    vec_free(&f->returned);
    return body;
}

static struct node *
parse_whole(struct str text, const struct text_map *map, struct arena *arena, struct diags *diags)
{
    struct tokens tokens = {0};
    struct parser p;
    size_t end = text.len;
    bool is_block = text.len >= 2 && text.p[1] == '{';
    struct node *n;

    if (text.len < 2 || text.p[0] != '@' || (text.p[1] != '(' && text.p[1] != '{') || text.len > INT32_MAX) {
        diag_add_mapped(diags, DIAG_ERROR, map, 0, 1, "an expression begins with '@(' or '@{'");
        return NULL;
    }
    /* The closing bracket belongs to the expression only when lexing C# finds it at the end. */
    if (expr_find_end(text, 0, false) == text.len && !is_block)
        end--;
    if (!lex(text, is_block ? 1 : 2, (uint32_t)end, map, arena, diags, &tokens)) {
        diag_add_mapped(diags, DIAG_ERROR, map, 0, 1, "the expression is too large");
        return NULL;
    }
    parser_init(&p, text, &tokens, map, arena, diags);
    n = is_block ? parse_block_text(&p) : parse_expression_text(&p);
    if (end == text.len && !is_block && diags->errors == 0)
        diag_add_mapped(diags, DIAG_ERROR, map, 0, 2, "the expression's closing ')' is missing (CS1026)");
    return diags->errors || p.failed ? NULL : n;
}

static struct expr_program *
compile(const struct expr_env *env, struct str text, const struct expr_options *options, struct arena *arena, struct diags *diags)
{
    struct expr_env *mutable = (struct expr_env *)env;
    uint32_t before = diags->errors;
    struct expr_program *p = arena_new(arena, struct expr_program);
    struct function_scope *f = arena_new(arena, struct function_scope);
    struct binder b = {.env = mutable, .core = &env->core, .map = options->map, .arena = arena, .diags = diags,
                       .is_strict = options->is_strict, .nodes_left = NODES_MAX};
    struct node *n;
    struct bound *body;

    if (!p || !f) {
        diag_add_mapped(diags, DIAG_ERROR, options->map, 0, 1, "out of memory for expressions");
        return NULL;
    }
    diags->errors = 0;
    n = parse_whole(text, options->map, arena, diags);
    body = n ? bind_whole(&b, n, f, options->wanted) : NULL;
    if (body && diags->errors == 0) {
        check_result(&b, n, f->ret_type, options->wanted);
        flow_check(&b, body, f);
    }
    lambda_forget_answers(&b);
    if (!n && diags->errors == 0)
        diag_add_mapped(diags, DIAG_ERROR, options->map, 0, 1, "the expression cannot be read");
    *p = (struct expr_program){.env = env, .text = text, .type = f->ret_type};
    if (diags->errors == 0 && body->kind == B_RETURN && body->a->is_constant) {
        p->is_constant = true;
        p->value = body->a->value;
    }
    if (diags->errors == 0 && !emit_program(&b, body, f, p) && diags->errors == 0)
        diag_add_mapped(diags, DIAG_ERROR, options->map, 0, 1, "out of memory for expressions");
    diags->errors += before;
    return diags->errors == before ? p : NULL;
}

struct compilation {
    const struct expr_env *env;
    struct str text;
    const struct expr_options *options;
    struct arena *arena;
    struct diags *diags;
    struct expr_program *result;
};

static void
compile_on_loop_stack(void *arg)
{
    struct compilation *c = arg;

    c->result = compile(c->env, c->text, c->options, c->arena, c->diags);
}

/* A fiber's stack is too short for what people nest. Nothing in here waits. */
struct expr_program *
expr_compile(const struct expr_env *env, struct str text, const struct expr_options *options, struct arena *arena,
             struct diags *diags)
{
    struct compilation c = {env, text, options, arena, diags, NULL};

    fiber_call_on_loop_stack(compile_on_loop_stack, &c);
    return c.result;
}

const struct type *
expr_program_type(const struct expr_program *p)
{
    return p->type;
}

bool
expr_program_constant(const struct expr_program *p, struct value *ret)
{
    if (p->is_constant)
        *ret = p->value;
    return p->is_constant;
}

void
expr_program_explain(const struct expr_program *p, struct buf *to)
{
    buf_printf(to, "type: %.*s\n", STR_ARG(p->type->full_name));
    buf_printf(to, "registers: %u, constants: %u, call sites: %u, lambdas: %u\n", p->main->n_registers, p->n_constants, p->n_sites,
               p->n_functions);
    vm_disassemble(p->main, to);
    for (uint32_t i = 0; i < p->n_functions; i++) {
        buf_printf(to, "lambda %u (%u parameters, %u captured)\n", i, p->functions[i]->n_parameters, p->functions[i]->n_captured);
        vm_disassemble(p->functions[i], to);
    }
}

/* --- running --------------------------------------------------------------------------------------------------------------- */

void
expr_run_init(struct expr_run *run, const struct expr_env *env, struct arena *arena, const struct expr_limits *limits)
{
    *run = (struct expr_run){.arena = arena, .env = env, .limits = limits ? limits : &expr_limits_default};
    run->bytes_left = run->limits->bytes;
    run->steps_left = run->limits->steps;
    run->slice_left = run->steps_left - EXPR_SLICE_STEPS;
}

bool
expr_run(const struct expr_program *p, struct expr_run *run, struct value *ret)
{
    if (p->is_constant) {
        *ret = p->value;
        return true;
    }
    run->steps_left = run->limits->steps;
    run->slice_left = run->steps_left - EXPR_SLICE_STEPS;
    run->exceeded = BUDGET_NONE;
    run->exception = NULL;
    return vm_run(run, p->main, NULL, NULL, ret);
}

struct call
expr_host_call(struct expr_run *run)
{
    return (struct call){.run = run};
}

bool
expr_run_object(const struct expr_program *p, struct expr_run *run, struct object **ret)
{
    struct call c = expr_host_call(run);
    struct value v;

    return expr_run(p, run, &v) && value_box(&c, p->type, v, ret);
}

bool
expr_run_text(const struct expr_program *p, struct expr_run *run, struct str *ret)
{
    struct call c = expr_host_call(run);
    struct value v;
    struct string *s;

    if (!expr_run(p, run, &v) || !value_to_string(&c, p->type, v, STR_NONE, &s))
        return false;
    *ret = s ? string_str(s) : STR("");
    if (ret->len > run->limits->output_bytes)
        return call_exceed(&c, BUDGET_OUTPUT);
    return true;
}

struct str
expr_run_error(const struct expr_run *run, const struct expr_program *p)
{
    struct str text;

    if (run->exception)
        return string_str(run->exception->message);
    if (!p)
        text = str_printf(run->arena, "The expression exceeded its budget of %s.", expr_budget_name(run->exceeded));
    else
        text = str_printf(run->arena, "The expression exceeded its budget of %s: %.*s", expr_budget_name(run->exceeded),
                          (int)MIN(p->text.len, (size_t)200), p->text.p);
    return text.p ? text : STR("The expression exceeded its budget.");
}
