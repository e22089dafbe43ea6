/* flow.c: definite assignment and reachability, by C#'s rules (9.4).
 *
 * One walk over the bound tree with the set of variables that surely have a value. Only variables declared without one are
 * in the set. After a jump the state is dead: everything counts as assigned, as nothing there runs. A condition has two
 * states, one for each outcome. Loops need no second turn: what a turn assigns only adds to what held before it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/bind.h"

#define WORDS 4
#define TRACKED_MAX (WORDS * 64)      /* later variables count as assigned */

struct state {
    uint64_t assigned[WORDS];
    bool is_dead;
};

struct flow {
    struct binder *b;
    uint32_t n;                       /* variables seen; a symbol's index is its number + 1 */
    struct state *breaks, *continues; /* what holds where they lead to */
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
    uint32_t i;

    if (f->n == TRACKED_MAX)
        return;
    i = f->n++;
    v->index = i + 1;
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
use(struct flow *f, const struct bound *n, struct state *s)
{
    if (is_assigned(n->symbol, s))
        return;
    bind_error(f->b, n->node, "`%.*s` may have no value yet (CS0165)", STR_ARG(n->symbol->name));
    assign(n->symbol, s);             /* said once */
}

/* --- functions -------------------------------------------------------------------------------------------------------------- */

static void
check_function(struct flow *f, const struct bound *body, const struct function_scope *function, struct state *s)
{
    struct flow inner = {.b = f->b, .n = f->n, .has_warned = true};

    flow_statement(&inner, body, s);
    f->n = inner.n;
    if (!s->is_dead && function->ret_type && function->ret_type->kind != TYPE_VOID && !is_error(body))
        bind_error(f->b, body->node, function->outer ? "not all code paths of this function return a value (CS1643)"
                   : "not all code paths return a value (CS0161)");
}

void
flow_check(struct binder *b, struct bound *body, struct function_scope *function)
{
    struct flow f = {.b = b};
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
        inside.is_dead = false;
        check_function(f, n->a, n->function, &inside);
        return;
    }
    case B_THROW:
        flow_expression(f, n->a, s);
        *s = dead();
        return;
    default:
        flow_expression(f, n->a, s);
        flow_list(f, n->list, s);
        flow_expression(f, n->b, s);
        flow_outs(n->list, s);
        if (n->kind == B_SEQUENCE && n->list)         /* the effects come first */
            flow_expression(f, n->a, s);
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

static void
flow_switch(struct flow *f, const struct bound *n, struct state *s)
{
    struct state *outer_breaks = f->breaks, breaks = dead(), tested;
    bool has_default = false;

    flow_expression(f, n->a, s);
    tested = *s;
    f->breaks = &breaks;
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
            meet(&inside, &yes);
        }
        flow_statement(f, section->more, &inside);
        if (!inside.is_dead)
            bind_error(f->b, section->node, "control cannot fall through to the next section: end it with break or return (CS0163)");
    }
    if (!has_default)
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

static void
flow_block(struct flow *f, const struct bound *list, struct state *s)
{
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
        if (n->a)
            flow_expression(f, n->a, s);
        else if (n->symbol->kind == SYMBOL_LOCAL)
            begin(f, n->symbol, s);
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
        *s = dead();
        return;
    case B_DISPOSE: case B_EMPTY: case B_ERROR: return;
    default: flow_expression(f, n, s);
    }
}
