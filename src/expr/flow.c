/* flow.c: definite assignment and reachability, by C#'s rules (9.4).
 *
 * One walk over the bound tree with the set of variables that surely have a value. Only variables that could lack one are in
 * the set. After a jump the state is dead: everything counts as assigned, as nothing there runs. A condition has two
 * states, one for each outcome. Loops need no second turn: what a turn assigns only adds to what held before it.
 * A local function is walked twice: once to report what is wrong inside, once, at its first use, for what it needs to have a value
 * when it is called and what it has given a value when it returns.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/bind.h"

#define WORDS 4
#define TRACKED_MAX (WORDS * 64)      /* later variables count as assigned */

struct state {
    uint64_t assigned[WORDS];
    bool is_dead;
};

struct summary {
    struct state needs, gives;
};

struct flow {
    struct binder *b;
    struct variables {
        const struct symbol *v[TRACKED_MAX];
        uint32_t n;
    } *seen;                          /* a symbol's index is its number there + 1 */
    struct state *breaks, *continues; /* what holds where they lead to */
    struct state *returns;            /* of a local function: what holds at each of its returns; else NULL */
    struct state *needs;              /* what is read without a value is collected here instead of reported; or NULL */
    bool has_warned;
};

static void flow_statement(struct flow *f, const struct bound *n, struct state *s);
static void flow_expression(struct flow *f, const struct bound *n, struct state *s);
static void flow_condition(struct flow *f, const struct bound *n, struct state *s, struct state *when_true, struct state *when_false);

static struct state
dead(void)
{
    struct state s = {.is_dead = true};

    memset(s.assigned, 0xff, sizeof(s.assigned));
    return s;
}

static void
meet(struct state *to, const struct state *other)
{
    for (size_t i = 0; i < WORDS; i++)
        to->assigned[i] &= other->assigned[i];
    to->is_dead &= other->is_dead;
}

static void
add(struct state *to, const struct state *other)
{
    for (size_t i = 0; i < WORDS; i++)
        to->assigned[i] |= other->assigned[i];
}

/* A variable begins without a value. */
static void
begin(struct flow *f, struct symbol *v, struct state *s)
{
    uint32_t i = v->index - 1;

    if (!v->index) {
        if (f->seen->n == TRACKED_MAX)
            return;
        i = f->seen->n++;
        f->seen->v[i] = v;
        v->index = i + 1;
    }
    if (!s->is_dead)
        s->assigned[i / 64] &= ~((uint64_t)1 << (i % 64));
}

static void
assign(struct symbol *v, struct state *s)
{
    if (v->index)
        s->assigned[(v->index - 1) / 64] |= (uint64_t)1 << ((v->index - 1) % 64);
}

static bool
is_assigned(const struct symbol *v, const struct state *s)
{
    return !v->index || (s->assigned[(v->index - 1) / 64] >> ((v->index - 1) % 64) & 1);
}

static void
report_unassigned(struct flow *f, const struct symbol *v, const struct node *node, const struct symbol *called)
{
    if (called)
        bind_error(f->b, node, "`%.*s` may have no value yet when `%.*s` is called here (CS0165)", STR_ARG(v->name), STR_ARG(called->name));
    else
        bind_error(f->b, node, "`%.*s` may have no value yet (CS0165)", STR_ARG(v->name));
}

static void
flow_error(struct flow *f, const struct node *node, const char *text)
{
    if (!f->needs)
        bind_error(f->b, node, "%s", text);
}

/* --- functions -------------------------------------------------------------------------------------------------------------- */

static void
check_function(struct flow *f, const struct bound *body, const struct function_scope *function, struct state *s)
{
    struct flow inner = {.b = f->b, .seen = f->seen, .has_warned = true, .needs = f->needs, .returns = f->returns};

    flow_statement(&inner, body, s);
    if (!s->is_dead && function->ret_type && function->ret_type->kind != TYPE_VOID && !is_error(body))
        flow_error(f, body->node, function->outer ? "not all code paths of this function return a value (CS1643)"
                   : "not all code paths return a value (CS0161)");
}

/* What a local function needs and gives; one that calls itself adds nothing by that. */
static const struct summary *
summarize(struct flow *f, struct symbol *function)
{
    struct summary *summary = function->flow;
    struct state s = {.is_dead = false}, returns = dead();
    struct flow inner = {.b = f->b, .seen = f->seen, .returns = &returns, .has_warned = true};

    if (summary)
        return summary;
    function->flow = summary = arena_new(f->b->arena, struct summary);
    if (!summary)
        return NULL;
    summary->gives = dead();
    inner.needs = &summary->needs;
    check_function(&inner, function->body->a, function->body->function, &s);
    meet(&s, &returns);
    summary->gives = s;
    return summary;
}

static void
use_function(struct flow *f, const struct bound *n, struct state *s, bool is_called)
{
    const struct summary *summary = n->symbol->body ? summarize(f, n->symbol) : NULL;

    for (uint32_t i = 0; summary && i < f->seen->n; i++) {
        uint64_t bit = (uint64_t)1 << (i % 64);
        if (!(summary->needs.assigned[i / 64] & bit) || (s->assigned[i / 64] & bit))
            continue;
        if (f->needs)
            f->needs->assigned[i / 64] |= bit;
        else
            report_unassigned(f, f->seen->v[i], n->node, n->symbol);
        s->assigned[i / 64] |= bit;
    }
    if (summary && is_called)
        add(s, &summary->gives);
}

static void
use(struct flow *f, const struct bound *n, struct state *s)
{
    if (n->symbol->kind == SYMBOL_FUNCTION) {
        use_function(f, n, s, false);
        return;
    }
    if (is_assigned(n->symbol, s))
        return;
    if (f->needs)
        assign(n->symbol, f->needs);
    else
        report_unassigned(f, n->symbol, n->node, NULL);
    assign(n->symbol, s);             /* said once */
}

void
flow_check(struct binder *b, struct bound *body, struct function_scope *function)
{
    struct variables seen = {.n = 0};
    struct flow f = {.b = b, .seen = &seen};
    struct state s = {.is_dead = false};

    memset(s.assigned, 0xff, sizeof(s.assigned));
    check_function(&f, body, function, &s);
}

/* --- expressions --------------------------------------------------------------------------------------------------------------- */

static void
flow_list(struct flow *f, const struct bound *list, struct state *s)
{
    for (; list; list = list->next)
        flow_expression(f, list, s);
}

static void
flow_outs(const struct bound *list, struct state *s)
{
    for (; list; list = list->next) {
        const struct bound *x = list->kind == B_SEQUENCE && !list->list ? list->a : list;
        if (x->kind == B_OUT_ARGUMENT && x->a && x->a->kind == B_SYMBOL)
            assign(x->a->symbol, s);
    }
}

static void
flow_choice(struct flow *f, const struct bound *n, struct state *s)
{
    struct state other;

    flow_expression(f, n->a, s);
    other = *s;
    if (n->b)
        flow_expression(f, n->b, s);
    if (n->c)
        flow_expression(f, n->c, &other);
    meet(s, &other);
}

static void
flow_expression(struct flow *f, const struct bound *n, struct state *s)
{
    struct state t, other;

    if (!n)
        return;
    switch (n->kind) {
    case B_SYMBOL: use(f, n, s); return;
    case B_AND: case B_OR: case B_NOT:
        flow_condition(f, n, s, &t, &other);
        meet(&t, &other);
        *s = t;
        return;
    case B_CONDITIONAL:
        flow_condition(f, n->a, s, &t, &other);
        flow_expression(f, n->b, &t);
        flow_expression(f, n->c, &other);
        meet(&t, &other);
        *s = t;
        return;
    case B_COALESCE: case B_CONDITIONAL_ACCESS: flow_choice(f, n, s); return;
    case B_IS:
        flow_expression(f, n->a, s);
        if (n->symbol && !n->symbol->index)
            begin(f, n->symbol, s);
        return;
    case B_ASSIGN:
        if (n->a->kind != B_SYMBOL)
            flow_expression(f, n->a, s);
        flow_expression(f, n->b, s);
        if (n->a->kind == B_SYMBOL)
            assign(n->a->symbol, s);
        return;
    case B_OUT_ARGUMENT:
        if (n->a && (n->flag || n->a->kind != B_SYMBOL))
            flow_expression(f, n->a, s);
        return;
    case B_LAMBDA: {
        struct state inside = n->symbol ? dead() : *s;
        struct flow lambda = {.b = f->b, .seen = f->seen, .needs = f->needs};
        inside.is_dead = false;
        if (!n->symbol || !f->needs)
            check_function(&lambda, n->a, n->function, &inside);
        return;
    }
    case B_INVOKE:
        if (n->a->kind != B_SYMBOL || n->a->symbol->kind != SYMBOL_FUNCTION)
            flow_expression(f, n->a, s);
        flow_list(f, n->list, s);
        flow_outs(n->list, s);
        if (n->a->kind == B_SYMBOL && n->a->symbol->kind == SYMBOL_FUNCTION)
            use_function(f, n->a, s, true);
        return;
    case B_THROW:
        flow_expression(f, n->a, s);
        *s = dead();
        return;
    case B_SEQUENCE:                                  /* the effects come first */
        flow_list(f, n->list, s);
        flow_outs(n->list, s);
        flow_expression(f, n->a, s);
        return;
    default:
        flow_expression(f, n->a, s);
        flow_list(f, n->list, s);
        flow_expression(f, n->b, s);
        flow_outs(n->list, s);
    }
}

static void
flow_condition(struct flow *f, const struct bound *n, struct state *s, struct state *when_true, struct state *when_false)
{
    struct state t, other, first_false, first_true;

    while (n->kind == B_SEQUENCE && !n->list)
        n = n->a;
    switch (n->kind) {
    case B_CONSTANT:
        *when_true = n->value.i64 ? *s : dead();
        *when_false = n->value.i64 ? dead() : *s;
        return;
    case B_NOT: flow_condition(f, n->a, s, when_false, when_true); return;
    case B_AND:
        flow_condition(f, n->a, s, &t, &first_false);
        flow_condition(f, n->b, &t, when_true, &other);
        meet(&other, &first_false);
        *when_false = other;
        return;
    case B_OR:
        flow_condition(f, n->a, s, &first_true, &t);
        flow_condition(f, n->b, &t, &other, when_false);
        meet(&other, &first_true);
        *when_true = other;
        return;
    case B_IS:
        flow_expression(f, n, s);
        *when_true = *when_false = *s;
        if (n->symbol)
            assign(n->symbol, when_true);
        return;
    case B_SEQUENCE:
        flow_list(f, n->list, s);
        flow_condition(f, n->a, s, when_true, when_false);
        return;
    default:
        flow_expression(f, n, s);
        *when_true = *when_false = *s;
    }
}

/* --- statements ------------------------------------------------------------------------------------------------------------------ */

static void
flow_loop(struct flow *f, const struct bound *n, struct state *s)
{
    struct state *outer_breaks = f->breaks, *outer_continues = f->continues;
    struct state breaks = dead(), continues = dead(), inside = *s, after = dead();

    f->breaks = &breaks;
    f->continues = &continues;
    if (!n->flag && n->a)
        flow_condition(f, n->a, s, &inside, &after);
    flow_statement(f, n->b, &inside);
    meet(&inside, &continues);
    for (const struct bound *it = n->list; it; it = it->next)
        flow_statement(f, it, &inside);
    if (n->flag) {
        struct state again;
        flow_condition(f, n->a, &inside, &again, &after);
    }
    meet(&after, &breaks);
    *s = after;
    f->breaks = outer_breaks;
    f->continues = outer_continues;
}

static void
flow_foreach(struct flow *f, const struct bound *n, struct state *s)
{
    struct state *outer_breaks = f->breaks, *outer_continues = f->continues;
    struct state breaks = dead(), continues = dead(), inside;

    flow_expression(f, n->a, s);
    inside = *s;
    f->breaks = &breaks;
    f->continues = &continues;
    flow_statement(f, n->b, &inside);
    f->breaks = outer_breaks;
    f->continues = outer_continues;
}

/* The constant that a label compares with; NULL when it is a pattern of another kind or has a condition. */
static const struct bound *
label_constant(const struct bound *test)
{
    while (test->kind == B_SEQUENCE && !test->list)
        test = test->a;
    return (test->kind == B_BINARY || test->kind == B_STRING_EQUAL) && test->b->is_constant ? test->b : NULL;
}

int
switch_matches(const struct bound *n, const struct bound *test)
{
    const struct bound *value = n->a, *constant = label_constant(test);

    while (value->kind == B_SEQUENCE && !value->list)
        value = value->a;
    if (!value->is_constant || !constant || constant->type != value->type)
        return -1;
    if (value->type->kind == TYPE_STRING)
        return string_eq((struct string *)value->value.ref, (struct string *)constant->value.ref);
    return value->value.i64 == constant->value.i64;
}

bool
switch_is_exhaustive(const struct bound *n)
{
    unsigned seen = 0;

    for (const struct bound *section = n->a->type && n->a->type->kind == TYPE_BOOL ? n->list : NULL; section; section = section->next)
        for (const struct bound *test = section->list; test; test = test->next)
            if (label_constant(test))
                seen |= 1u << (label_constant(test)->value.i64 != 0);
    return seen == 3;
}

static void
flow_switch(struct flow *f, const struct bound *n, struct state *s)
{
    struct state *outer_breaks = f->breaks, breaks = dead(), tested;
    bool has_default = switch_is_exhaustive(n), is_decided = false;

    flow_expression(f, n->a, s);
    tested = *s;
    f->breaks = &breaks;
    for (const struct bound *section = n->list; section; section = section->next)
        for (const struct bound *test = section->list; test; test = test->next)
            is_decided |= switch_matches(n, test) > 0;
    for (const struct bound *section = n->list; section; section = section->next) {
        struct state inside = dead();
        for (const struct bound *test = section->list; test; test = test->next) {
            struct state yes, no;
            bool is_default = test->a && test->a->kind == B_CONSTANT && test->a->flag;
            has_default |= is_default;
            if (is_default)
                yes = no = tested;
            else
                flow_condition(f, test, &tested, &yes, &no);
            if (!is_default)
                tested = no;
            tested.is_dead = s->is_dead;
            if (is_default ? is_decided : switch_matches(n, test) == 0)
                yes = dead();
            meet(&inside, &yes);
        }
        flow_statement(f, section->more, &inside);
        if (!inside.is_dead)
            flow_error(f, section->node, "control cannot fall through to the next section: end it with break or return (CS0163)");
    }
    if (!has_default && !is_decided)
        meet(&breaks, &tested);
    f->breaks = outer_breaks;
    *s = breaks;
}

static void
flow_try(struct flow *f, const struct bound *n, struct state *s)
{
    struct state before = *s, after = *s, finally = *s;

    flow_statement(f, n->a, &after);
    for (const struct bound *c = n->list; c; c = c->next) {
        struct state inside = before, no;
        if (c->b)
            flow_condition(f, c->b, &inside, &inside, &no);
        inside.is_dead = before.is_dead;
        flow_statement(f, c->a, &inside);
        meet(&after, &inside);
    }
    if (n->b) {
        flow_statement(f, n->b, &finally);
        add(&after, &finally);
        after.is_dead |= finally.is_dead;
    }
    *s = after;
}

static void
flow_if(struct flow *f, const struct bound *n, struct state *s)
{
    struct state all = dead(), yes, no;

    for (;; n = n->c) {
        flow_condition(f, n->a, s, &yes, &no);
        flow_statement(f, n->b, &yes);
        meet(&all, &yes);
        *s = no;
        if (!n->c || n->c->kind != B_IF)
            break;
    }
    flow_statement(f, n->c, s);
    meet(s, &all);
}

/* Local functions stand first in their block, before the variables that they use. */
static void
begin_captured(struct flow *f, const struct bound *list, struct state *s)
{
    if (!list || list->kind != B_DECLARE || !list->flag)
        return;
    for (const struct bound *it = list; it; it = it->next) {
        const struct bound *first = it->kind == B_SEQUENCE ? it->list : it->kind == B_DECLARE ? it : NULL;
        for (const struct bound *d = first; d; d = d == it ? NULL : d->next)
            if (d->kind == B_DECLARE && !d->flag && d->symbol->kind == SYMBOL_LOCAL && d->symbol->is_used_by_function)
                begin(f, d->symbol, s);
    }
}

static void
flow_block(struct flow *f, const struct bound *list, struct state *s)
{
    begin_captured(f, list, s);
    for (const struct bound *it = list; it; it = it->next) {
        bool is_function = it->kind == B_DECLARE && it->flag;
        if (s->is_dead && !f->has_warned && it->kind != B_EMPTY && !is_function && !is_error(it)) {
            f->has_warned = true;
            bind_warning(f->b, it->node, "this code is never reached (CS0162)");
        }
        flow_statement(f, it, s);
    }
}

static void
flow_statement(struct flow *f, const struct bound *n, struct state *s)
{
    if (!n)
        return;
    switch (n->kind) {
    case B_BLOCK: flow_block(f, n->list, s); return;
    case B_SEQUENCE:
        for (const struct bound *it = n->list; it; it = it->next)
            flow_statement(f, it, s);
        flow_statement(f, n->a, s);
        return;
    case B_DECLARE:
        if (n->symbol->kind == SYMBOL_LOCAL && (!n->a || n->symbol->is_used_in_initializer || n->symbol->index))
            begin(f, n->symbol, s);
        if (n->a) {
            flow_expression(f, n->a, s);
            assign(n->symbol, s);
        }
        return;
    case B_DO: flow_expression(f, n->a, s); return;
    case B_IF: flow_if(f, n, s); return;
    case B_LOOP: flow_loop(f, n, s); return;
    case B_FOREACH: flow_foreach(f, n, s); return;
    case B_SWITCH: flow_switch(f, n, s); return;
    case B_TRY: flow_try(f, n, s); return;
    case B_BREAK:
        if (f->breaks)
            meet(f->breaks, s);
        *s = dead();
        return;
    case B_CONTINUE:
        if (f->continues)
            meet(f->continues, s);
        *s = dead();
        return;
    case B_RETURN:
        flow_expression(f, n->a, s);
        if (f->returns)
            meet(f->returns, s);
        *s = dead();
        return;
    case B_DISPOSE: case B_EMPTY: case B_ERROR: return;
    default: flow_expression(f, n, s);
    }
}
