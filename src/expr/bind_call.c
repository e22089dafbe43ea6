/* bind_call.c: calls, indexers, assignment to what they give.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/bind.h"

/* --- calls ------------------------------------------------------------------------------------------------------------------------ */

uint32_t
bind_arguments(struct binder *b, const struct node *list, struct argument *to)
{
    uint32_t n = 0;

    for (const struct node *it = list; it; it = it->next) {
        struct argument *arg;
        if (n == ARGUMENTS_MAX - 2) {
            bind_error(b, it, "more than %d arguments", ARGUMENTS_MAX - 2);
            return n;
        }
        arg = &to[n++];
        *arg = (struct argument){.name = it->text, .op = it->op == TOK_IN ? TOK_END : it->op, .node = it->a};
        if (it->a->kind == NODE_OUT_VAR) {
            bool is_var = !it->a->a || (it->a->a->kind == NODE_TYPE_NAME && str_eq_lit(it->a->a->text, "var"));
            const struct type *type = is_var ? NULL : bind_type(b, it->a->a);
            arg->value = bound_new(b, B_OUT_ARGUMENT, it->a, type);
            if (!str_eq_lit(it->a->text, "_")) {
                struct symbol *s = declare(b, SYMBOL_LOCAL, it->a->text, type ? type : b->core->error, it->a);
                s->is_reassigned = true;
                arg->value->a = bound_symbol(b, it->a, s);
            }
        } else if (arg->op == TOK_OUT && it->a->kind == NODE_NAME && str_eq_lit(it->a->text, "_") && !find_symbol(b, it->a->text)) {
            arg->value = bound_new(b, B_OUT_ARGUMENT, it->a, NULL);
        } else {
            arg->value = bind_value(b, it->a);
            if (arg->op != TOK_END && arg->value->kind != B_SYMBOL && arg->value->kind != B_ELEMENT && !is_error(arg->value))
                arg->value = bind_error(b, it->a, "an 'out' argument must be a variable (CS1510)");
            else if (arg->op != TOK_END && arg->value->kind == B_SYMBOL && arg->value->symbol->is_read_only)
                arg->value = bind_error(b, it->a, "`%.*s` cannot be changed, so it is no 'out' argument (CS1657)",
                                        STR_ARG(arg->value->symbol->name));
        }
    }
    return n;
}

bool
has_error(const struct argument *args, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (is_error(args[i].value))
            return true;
    return false;
}

/* Puts the receiver in front of the arguments and makes the call. */
struct bound *
finish_call(struct binder *b, const struct node *node, struct candidate *c, struct bound *object, struct argument *args)
{
    struct bound *list = overload_arguments(b, node, c, args), *receiver, *call;

    if (list && is_error(list))
        return list;
    if (object && !(c->member->flags & MEMBER_IS_STATIC)) {
        receiver = bound_link(b, as_receiver(b, object, c->owner));
        receiver->next = list;
        list = receiver;
    }
    call = bound_call(b, node, c->member, c->owner, c->type_args, c->ret_type, list);
    call->flag = object && !(c->member->flags & MEMBER_IS_STATIC) && type_is_reference(object->type);
    return call;
}

struct bound *
report_ambiguous(struct binder *b, const struct node *node, struct str name, const struct candidate *x, const struct candidate *y)
{
    return bind_error(b, name_in(b, node), "the call of `%.*s` is ambiguous between \"%s\" and \"%s\" (CS0121)", STR_ARG(name),
                      x->member->row->signature, y->member->row ? y->member->row->signature : "?");
}

/* Level by level up the bases, then extensions; the first level with an applicable overload wins. */
struct bound *
call_methods(struct binder *b, const struct node *node, struct bound *group, struct argument *args, uint32_t n)
{
    enum receiver_kind kind = group->a ? RECEIVER_IS_VALUE : RECEIVER_IS_TYPE;
    struct level l = {.type = group->owner, .start = group->owner};
    const struct member *first = NULL, *extensions;
    const struct type *owner, *first_owner = NULL;
    struct argument with_receiver[ARGUMENTS_MAX];
    struct candidate c, other;

    if (has_error(args, n))
        return bound_new(b, B_ERROR, node, b->core->error);
    while ((owner = next_level(b, &l))) {
        const struct member *m = visible_member(owner, group->text);
        if (!m || m->kind == MEMBER_PROPERTY)
            continue;
        if (!first) {
            first = m;
            first_owner = owner;
        }
        switch (overload_resolve(b, m, owner, group->type_args, group->index, false, kind, args, n, &c, &other)) {
        case OVERLOAD_FOUND: return finish_call(b, node, &c, group->a, args);
        case OVERLOAD_AMBIGUOUS: return report_ambiguous(b, node, group->text, &c, &other);
        case OVERLOAD_NONE: break;
        }
    }
    extensions = group->a ? map_get(&b->env->extensions, group->text) : NULL;
    if (extensions && n < ARGUMENTS_MAX - 1) {
        with_receiver[0] = (struct argument){.value = group->a, .op = TOK_END};
        if (n)
            memcpy(with_receiver + 1, args, n * sizeof(*args));
        switch (overload_resolve(b, extensions, NULL, group->type_args, group->index, true, RECEIVER_IS_VALUE, with_receiver,
                                 n + 1, &c, &other)) {
        case OVERLOAD_FOUND: return finish_call(b, node, &c, NULL, with_receiver);
        case OVERLOAD_AMBIGUOUS: return report_ambiguous(b, node, group->text, &c, &other);
        case OVERLOAD_NONE: break;
        }
        if (!first)
            return overload_report(b, node, extensions, extensions->owner->open, group->text, with_receiver, n + 1, true);
    }
    if (!first)
        return report_no_member(b, node, group->owner, group->text, !group->a);
    if (check_member(b, node, first))
        return overload_report(b, node, first, first_owner, group->text, args, n, false);
    return bound_new(b, B_ERROR, node, b->core->error);
}

static struct bound *
invoke(struct binder *b, const struct node *node, struct bound *delegate, struct argument *args, uint32_t n)
{
    const struct type *parameters[ARGUMENTS_MAX], *ret_type;
    uint32_t expected = delegate_signature(delegate->type, parameters, ARGUMENTS_MAX, &ret_type);
    struct bound *call = bound_new(b, B_INVOKE, node, ret_type), **last = &call->list;

    if (has_error(args, n))
        return bound_new(b, B_ERROR, node, b->core->error);
    if (n != expected)
        return bind_error(b, node, "`%.*s` takes %u argument%s, found %u (CS1593)",
                          STR_ARG(delegate->kind == B_SYMBOL && delegate->symbol->name.p ? delegate->symbol->name : delegate->type->name),
                          expected, expected == 1 ? "" : "s", n);
    call->a = delegate;
    for (uint32_t i = 0; i < n; i++) {
        struct bound *value = convert(b, args[i].value, parameters[i]);
        if (is_error(value))
            return value;
        *last = bound_link(b, value);
        last = &(*last)->next;
    }
    return call;
}

/* A local function takes its arguments by name and has defaults as methods do. */
static struct bound *
call_local_function(struct binder *b, const struct node *n, struct symbol *s)
{
    struct argument args[ARGUMENTS_MAX], ordered[ARGUMENTS_MAX] = {{0}};
    uint32_t count = bind_arguments(b, n->list, args), at = 0, total = 0;
    struct bound *f = bound_symbol(b, n->a, s);

    use_symbol(b, s, false);
    if (s->type->kind == TYPE_ERROR)      /* which was reported where it is declared */
        return bound_new(b, B_ERROR, n, s->type);
    for (const struct node *p = s->node->list; p; p = p->next)
        total++;
    for (uint32_t i = 0; i < count; i++) {
        at = i;
        if (args[i].name.p) {
            at = 0;
            for (const struct node *p = s->node->list; p && !str_eq(p->text, args[i].name); p = p->next)
                at++;
            if (at == total)
                return bind_error(b, args[i].node, "`%.*s` has no parameter `%.*s` (CS1739)", STR_ARG(s->name), STR_ARG(args[i].name));
        }
        if (at >= total)
            return invoke(b, n, f, args, count);
        if (ordered[at].value)
            return bind_error(b, args[i].node, "parameter `%.*s` has its argument already (CS1744)", STR_ARG(args[i].name));
        ordered[at] = args[i];
    }
    at = 0;
    for (const struct node *p = s->node->list; p; p = p->next, at++) {
        if (ordered[at].value)
            continue;
        if (!p->b)
            return invoke(b, n, f, args, count);
        ordered[at] = (struct argument){.value = bind_value(b, p->b), .op = TOK_END, .node = p->b};
    }
    return invoke(b, n, f, ordered, total);
}

/* nameof(a.b.c) is "c". */
static struct bound *
bind_nameof(struct binder *b, const struct node *n)
{
    const struct node *x = n->list->a;

    if (x->kind != NODE_NAME && x->kind != NODE_MEMBER)
        return bind_error(b, x, "nameof needs a name (CS8081)");
    if (x->kind == NODE_NAME && is_error(bind_expression(b, x)))
        return bound_new(b, B_ERROR, n, b->core->error);
    return bound_string(b, n, x->text);
}

struct bound *
bind_call(struct binder *b, const struct node *n)
{
    struct argument *args;            /* not on the stack: calls stand inside calls */
    struct bound *callee;
    uint32_t count = 2;

    for (const struct node *it = n->list; it; it = it->next)
        count++;
    args = arena_new_array(b->arena, struct argument, count);
    if (!args)
        return bound_new(b, B_ERROR, n, b->core->error);
    if (n->a->kind == NODE_NAME) {
        struct symbol *s = find_symbol(b, n->a->text);
        if (!s && str_eq_lit(n->a->text, "nameof") && n->list && !n->list->next)
            return bind_nameof(b, n);
        if (s && s->kind == SYMBOL_FUNCTION)
            return call_local_function(b, n, s);
    }
    b->called = n->a;
    callee = bind_expression(b, n->a);
    count = bind_arguments(b, n->list, args);
    if (is_error(callee))
        return callee;
    if (callee->kind == B_METHODS && callee->a && callee->a->type->kind == TYPE_DELEGATE && str_eq_lit(callee->text, "Invoke"))
        return invoke(b, n, callee->a, args, count);
    if (callee->kind == B_METHODS) {
        /* A nullable's ToString() gives "" for null. */
        if (callee->a && callee->a->type->kind == TYPE_NULLABLE && count == 0 && str_eq_lit(callee->text, "ToString")) {
            struct bound *text = bound_new(b, B_TO_STRING, n, b->core->string);
            text->a = callee->a;
            return text;
        }
        return call_methods(b, n, callee, args, count);
    }
    if (callee->type && callee->type->kind == TYPE_DELEGATE)
        return invoke(b, n, callee, args, count);
    return bind_error(b, name_in(b, n->a), "`%.*s` is not a method (CS1955)", STR_ARG(n->a->text.p ? n->a->text : STR("this")));
}

/* --- indexers ------------------------------------------------------------------------------------------------------------------------ */

static struct bound *
element(struct binder *b, const struct node *n, struct bound *array)
{
    struct bound *e = bound_new(b, B_ELEMENT, n, array->type->args[0]), **last = &e->list;
    uint32_t count = 0;

    e->a = array;
    for (const struct node *it = n->list; it; it = it->next, count++) {
        struct bound *i = bind_value(b, it->a);
        if (is_error(i))
            return i;
        if (i->type && (i->type->kind == TYPE_LONG || i->type->kind == TYPE_UINT || i->type->kind == TYPE_ULONG))
            i = convert_explicit(b, it, i, b->core->int_);
        i = convert(b, i, b->core->int_);
        if (is_error(i))
            return i;
        *last = bound_link(b, i);
        last = &(*last)->next;
    }
    if (count != array->type->rank)
        return bind_error(b, n, "`%.*s` takes %u ind%s (CS0022)", STR_ARG(array->type->name), array->type->rank,
                          array->type->rank == 1 ? "ex" : "ices");
    return e;
}

struct bound *
bound_index(struct binder *b, const struct node *n, struct bound *object, const struct node *list)
{
    struct argument args[ARGUMENTS_MAX];
    struct level l = {.type = object->type, .start = object->type};
    const struct type *owner, *first_owner = NULL;
    const struct member *first = NULL;
    uint32_t count = bind_arguments(b, list, args);
    struct candidate c;

    if (has_error(args, count))
        return bound_new(b, B_ERROR, n, b->core->error);
    while ((owner = next_level(b, &l))) {
        const struct member *m = visible_member(owner, STR("this"));
        struct bound *p;
        if (!m)
            continue;
        first_owner = first ? first_owner : owner;
        first = first ? first : m;
        if (overload_resolve(b, m, owner, NULL, 0, false, RECEIVER_IS_VALUE, args, count, &c, NULL) == OVERLOAD_NONE)
            continue;
        p = bound_property(b, n, c.member, owner, object);
        if (is_error(p))
            return p;
        p->list = overload_arguments(b, n, &c, args);
        return p->list && is_error(p->list) ? p->list : p;
    }
    if (first)
        return overload_report(b, n, first, first_owner, STR("[]"), args, count, false);
    return bind_error(b, n, "`%.*s` cannot be indexed with [] (CS0021)", STR_ARG(object->type->name));
}

struct bound *
bind_index(struct binder *b, const struct node *n)
{
    struct bound *object = bind_value(b, n->a);

    if (is_error(object))
        return object;
    if (!object->type || object->type->kind == TYPE_NULL || object->type->kind == TYPE_VOID)
        return bind_error(b, n, "this cannot be indexed with [] (CS0021)");
    if (object->type->kind == TYPE_ARRAY)
        return element(b, n, object);
    return bound_index(b, n, object, n->list);
}
