/* bind_lambda.c: lambdas and method groups, which take their types from the delegate they become.
 *
 * Overload resolution asks of one lambda whether it fits each of ten delegates, and binds its body for every answer; lambdas inside
 * lambdas would be bound ten times ten times. What was answered is kept: it depends on the lambda, on what was asked and on the types
 * of the parameters around it, which the types of all variables follow from.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/hash.h"
#include "expr/bind.h"

enum { ANSWERS_MAX = 256, ANSWER_TYPES_MAX = 16 };

struct lambda_answer {
    const struct node *body, *parameters;
    const struct type *target;        /* the delegate it should fit; NULL when the type of its result was asked */
    const struct type *types[ANSWER_TYPES_MAX];     /* of its own parameters, then of those around it, the nearest first */
    uint32_t n_types;
    const struct type *result;        /* NULL: it does not fit */
};

/* By hash; the newer question takes the place of an older one. */
struct lambda_answers {
    struct lambda_answer slots[ANSWERS_MAX];
};

static bool
add_type(struct lambda_answer *q, const struct type *t)
{
    if (q->n_types == ANSWER_TYPES_MAX)
        return false;
    q->types[q->n_types++] = t;
    return true;
}

/* False when there are too many parameters to tell the question from others. */
static bool
make_question(const struct binder *b, const struct node *n, const struct type *target, const struct type *const *parameters,
              uint32_t n_parameters, struct lambda_answer *ret)
{
    *ret = (struct lambda_answer){.body = n->b, .parameters = n->list, .target = target};
    for (uint32_t i = 0; i < n_parameters; i++)
        if (!add_type(ret, parameters[i]))
            return false;
    for (const struct function_scope *f = b->function; f; f = f->outer)
        for (uint32_t i = 0; i < f->n_parameters; i++)
            if (!add_type(ret, f->parameters[i]->type))
                return false;
    return true;
}

static struct lambda_answer *
answer_slot(struct binder *b, const struct lambda_answer *q)
{
    uint64_t h = hash_mix((uintptr_t)q->body, (uintptr_t)q->target);

    if (!b->answers && !(b->answers = calloc(1, sizeof(*b->answers))))
        return NULL;
    for (uint32_t i = 0; i < q->n_types; i++)
        h = hash_mix(h, (uintptr_t)q->types[i]);
    return &b->answers->slots[h % ANSWERS_MAX];
}

static bool
find_answer(struct binder *b, const struct lambda_answer *q, const struct type **ret)
{
    const struct lambda_answer *a = answer_slot(b, q);

    if (!a || a->body != q->body || a->parameters != q->parameters || a->target != q->target || a->n_types != q->n_types ||
        (q->n_types && memcmp(a->types, q->types, q->n_types * sizeof(*q->types)) != 0))
        return false;
    *ret = a->result;
    return true;
}

/* What a binding that was given up says is no answer. */
static void
keep_answer(struct binder *b, struct lambda_answer *q, const struct type *result)
{
    struct lambda_answer *a = answer_slot(b, q);

    if (!a || b->is_given_up || b->nodes_left == 0)
        return;
    q->result = result;
    *a = *q;
}

void
lambda_forget_answers(struct binder *b)
{
    free(b->answers);
    b->answers = NULL;
}

struct bound *
bind_lambda(struct binder *b, const struct node *n)
{
    struct bound *x = bound_new(b, B_LAMBDA_WAITS, n, NULL);
    bool typed = true;

    for (const struct node *it = n->list; it; it = it->next)
        typed &= it->a != NULL;
    x->flag = typed && n->list;       /* explicit parameter types */
    return x;
}

/* Opens the lambda's own function, binds its body, closes it. */
static struct bound *
lambda_body(struct binder *b, const struct node *n, struct function_scope *f, const struct type *const *parameters, uint32_t n_parameters)
{
    struct binder saved = *b;
    struct scope scope;
    struct bound *body;
    uint32_t i = 0;

    f->outer = b->function;
    b->function = f;
    b->loops = b->switches = b->finallies = 0;
    b->in_catch = false;
    scope_open(b, &scope);
    for (const struct node *it = n->list; it && i < n_parameters; it = it->next, i++) {
        struct symbol *s = declare(b, SYMBOL_PARAMETER, it->text, parameters[i], it);
        f->parameters[f->n_parameters++] = s;
        for (struct node *alias = it->list; alias; alias = alias->next)
            declare(b, SYMBOL_ALIAS, alias->text, b->core->object, alias->a);
    }
    for (; i < n_parameters; i++)           /* delegate { } ignores them */
        f->parameters[f->n_parameters++] = symbol_new(b, SYMBOL_PARAMETER, STR_NONE, parameters[i], n);
    body = bind_body(b, n->b);
    scope_close(b, &scope);
    b->function = saved.function;
    b->loops = saved.loops;
    b->switches = saved.switches;
    b->finallies = saved.finallies;
    b->in_catch = saved.in_catch;
    return body;
}

static bool
fits_parameters(struct binder *b, const struct node *n, const struct type *const *parameters, uint32_t n_parameters)
{
    uint32_t i = 0;

    if (n->flag)
        return true;
    for (const struct node *it = n->list; it; it = it->next, i++)
        if (i >= n_parameters || (it->a && bind_type(b, it->a) != parameters[i]))
            return false;
    return i == n_parameters;
}

struct bound *
lambda_for(struct binder *b, const struct node *n, const struct type *delegate)
{
    const struct type *parameters[ARGUMENTS_MAX], *ret_type;
    uint32_t count = delegate_signature(delegate, parameters, ARGUMENTS_MAX, &ret_type);
    struct function_scope *f = arena_new(b->arena, struct function_scope);
    struct bound *r;

    if (!f || !fits_parameters(b, n, parameters, count))
        return NULL;
    f->ret_type = ret_type;
    f->returns_void = ret_type->kind == TYPE_VOID;
    r = bound_new(b, B_LAMBDA, n, delegate);
    r->function = f;
    r->a = lambda_body(b, n, f, parameters, count);
    return r;
}

/* Binds with an open result; the types it returns are in f. */
static bool
infer_lambda(struct binder *b, const struct node *n, const struct type *const *parameters, uint32_t n_parameters, struct function_scope *f)
{
    if (!fits_parameters(b, n, parameters, n_parameters))
        return false;
    f->ret_type = NULL;
    return !is_error(lambda_body(b, n, f, parameters, n_parameters));
}

bool
lambda_fits(struct binder *b, const struct node *n, const struct type *delegate)
{
    const struct type *parameters[ARGUMENTS_MAX], *ret_type, *answer;
    uint32_t count = delegate_signature(delegate, parameters, ARGUMENTS_MAX, &ret_type);
    struct lambda_answer q;
    bool is_question = make_question(b, n, delegate, parameters, count, &q), fits;
    struct trial t;

    if (is_question && find_answer(b, &q, &answer))
        return answer != NULL;
    trial_begin(b, &t);
    fits = lambda_for(b, n, delegate) != NULL;
    fits = trial_end(b, &t) && fits;
    if (is_question)
        keep_answer(b, &q, fits ? delegate : NULL);
    return fits;
}

static const struct type *
find_result(struct binder *b, const struct node *n, const struct type *const *parameters, uint32_t n_parameters)
{
    const struct type *result = NULL;
    struct function_scope *f;
    struct trial t;
    bool ok;

    trial_begin(b, &t);
    f = arena_new(b->arena, struct function_scope);
    ok = f && infer_lambda(b, n, parameters, n_parameters, f);
    if (ok && f->returned.n == 0)
        result = b->core->void_;
    else if (ok)
        result = best_common_type(b, f->returned.v, (uint32_t)f->returned.n);
    if (f)
        vec_free(&f->returned);
    ok = trial_end(b, &t) && ok;
    return ok && result && result->kind != TYPE_ERROR ? result : NULL;
}

const struct type *
lambda_result(struct binder *b, const struct node *n, const struct type *const *parameters, uint32_t n_parameters)
{
    struct lambda_answer q;
    bool is_question = make_question(b, n, NULL, parameters, n_parameters, &q);
    const struct type *result;

    if (is_question && find_answer(b, &q, &result))
        return result;
    result = find_result(b, n, parameters, n_parameters);
    if (is_question)
        keep_answer(b, &q, result);
    return result;
}

struct bound *
lambda_explain(struct binder *b, const struct node *n, const struct type *const *parameters, uint32_t n_parameters)
{
    struct function_scope *f = arena_new(b->arena, struct function_scope);

    if (f) {
        infer_lambda(b, n, parameters, n_parameters, f);
        vec_free(&f->returned);
    }
    return bound_new(b, B_ERROR, n, b->core->error);
}

/* A delegate passes its arguments on as they are: no defaults, no params array, nothing boxed. */
static bool
is_same_shape(const struct bound *call, const struct type *const *parameters, uint32_t n)
{
    const struct bound *it = call->list;
    bool has_receiver = !(call->member->flags & MEMBER_IS_STATIC) || call->member->n_parameters == n + 1;

    if (call->member->n_parameters != n && call->member->n_parameters != n + (call->member->flags & MEMBER_IS_EXTENSION ? 1 : 0))
        return false;
    if (has_receiver && it)
        it = it->next;
    for (uint32_t i = 0; i < n && it; i++, it = it->next)
        if (it->type != parameters[i] && !(type_is_reference(it->type) && type_is_reference(parameters[i])))
            return false;
    return true;
}

/* Is a value of a type what a delegate hands on as another: the same, or both references that fit. */
static bool
is_handed_on(const struct type *from, const struct type *to)
{
    return from == to || (type_is_reference(from) && type_is_reference(to) && type_is_assignable(from, to));
}

/* A delegate's Invoke or a local function as a delegate of another type: the same object, as long as all values go on unchanged. */
static struct bound *
delegate_for(struct binder *b, struct bound *group, struct bound *value, const struct type *delegate, const struct type **ret_result)
{
    const struct type *from[ARGUMENTS_MAX], *to[ARGUMENTS_MAX], *gives, *wanted;
    uint32_t n = delegate_signature(value->type, from, ARGUMENTS_MAX, &gives);
    bool fits = n == delegate_signature(delegate, to, ARGUMENTS_MAX, &wanted);
    struct bound *r;

    *ret_result = gives;
    for (uint32_t i = 0; fits && i < n; i++)
        fits = is_handed_on(to[i], from[i]);
    if (fits && !(wanted->flags & TYPE_IS_OPEN))
        fits = wanted->kind == TYPE_VOID ? gives->kind == TYPE_VOID : is_handed_on(gives, wanted);
    if (!fits)
        return bind_error(b, group->node, "`%.*s` does not match `%.*s` (CS0123)",
                          STR_ARG(group->symbol ? group->symbol->name : STR("Invoke")), STR_ARG(delegate->name));
    r = bound_new(b, B_CONVERT, group->node, delegate);
    r->a = value;
    r->conversion = CONVERT_REFERENCE;
    r->target = delegate;
    return r;
}

/* A method named without calling it, as a delegate: its overload for the delegate's parameters. */
struct bound *
method_group_for(struct binder *b, struct bound *group, const struct type *delegate, const struct type **ret_result)
{
    const struct type *parameters[ARGUMENTS_MAX], *ret_type;
    uint32_t n = delegate_signature(delegate, parameters, ARGUMENTS_MAX, &ret_type);
    struct argument args[ARGUMENTS_MAX];
    struct bound *call, *r;

    if (group->kind == B_FUNCTION_WAITS)
        return delegate_for(b, group, bound_symbol(b, group->node, group->symbol), delegate, ret_result);
    if (group->a && group->a->type->kind == TYPE_DELEGATE && str_eq_lit(group->text, "Invoke"))
        return delegate_for(b, group, group->a, delegate, ret_result);
    for (uint32_t i = 0; i < n; i++)
        args[i] = (struct argument){.value = bound_new(b, B_DEFAULT, group->node, parameters[i]), .op = TOK_END, .node = group->node};
    call = call_methods(b, group->node, group, args, n);
    if (is_error(call))
        return call;
    *ret_result = call->type;
    if (!is_same_shape(call, parameters, n))
        return bind_error(b, group->node, "no overload of `%.*s` matches `%.*s` (CS0123)", STR_ARG(group->text), STR_ARG(delegate->name));
    if (!(ret_type->flags & TYPE_IS_OPEN) && ret_type->kind != TYPE_VOID && call->type != ret_type &&
        !type_is_assignable(call->type, ret_type))
        return bind_error(b, group->node, "`%.*s` returns `%.*s`, expected `%.*s` (CS0407)", STR_ARG(group->text),
                          STR_ARG(call->type->name), STR_ARG(ret_type->name));
    r = bound_new(b, B_METHOD_DELEGATE, group->node, delegate);
    r->member = call->member;
    r->owner = call->owner;
    r->type_args = call->type_args;
    r->a = group->a ? as_receiver(b, group->a, call->owner) : NULL;
    r->target = call->type;
    return r;
}
