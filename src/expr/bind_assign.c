/* bind_assign.c: assignment, compound assignment, ++ and --, deconstruction into variables.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/bind.h"

/* Parts of a target that must not be evaluated twice are kept in variables. Effects are appended to *effects. */
static struct bound *
keep_parts(struct binder *b, struct bound *target, struct bound ***effects)
{
    struct bound *n = bound_new(b, target->kind, target->node, target->type), **last = &n->list;

    if (target->kind == B_SYMBOL)
        return target;
    *n = *target;
    n->list = NULL;
    if (target->a) {
        n->a = bound_keep(b, target->a, *effects);
        *effects = &(**effects)->next;
    }
    for (struct bound *it = target->list; it; it = it->next) {
        struct bound *value = it->kind == B_SEQUENCE ? it->a : it;
        if (!value->is_constant) {
            value = bound_keep(b, value, *effects);
            *effects = &(**effects)->next;
        }
        *last = bound_link(b, value);
        last = &(*last)->next;
    }
    return n;
}

static enum token_kind
compound_operator(enum token_kind op, bool *ret_shift)
{
    *ret_shift = op == TOK_GREATER;
    switch ((int)op) {
    case TOK_ADD_ASSIGN: return TOK_PLUS;
    case TOK_SUBTRACT_ASSIGN: return TOK_MINUS;
    case TOK_MULTIPLY_ASSIGN: return TOK_STAR;
    case TOK_DIVIDE_ASSIGN: return TOK_SLASH;
    case TOK_REMAINDER_ASSIGN: return TOK_PERCENT;
    case TOK_AND_ASSIGN: return TOK_AMPERSAND;
    case TOK_OR_ASSIGN: return TOK_BAR;
    case TOK_XOR_ASSIGN: return TOK_CARET;
    case TOK_SHIFT_LEFT_ASSIGN: return TOK_SHIFT_LEFT;
    }
    return TOK_GREATER;
}

static bool
is_narrow(const struct type *t)
{
    return (t->kind >= TYPE_CHAR && t->kind <= TYPE_USHORT) || t->kind == TYPE_ENUM;
}

/* The result of x op y back to the target's type: `byte b; b += 1` casts silently. */
static struct bound *
back_to(struct binder *b, const struct node *n, struct bound *value, const struct bound *operand, const struct type *type)
{
    if (is_error(value) || conversion_is_implicit(classify(b, value, type)))
        return convert(b, value, type);
    if (conversion_is_implicit(classify(b, operand, type)) || is_narrow(type_strip_nullable(type)))
        return convert_explicit(b, n, value, type);
    return convert(b, value, type);
}

static struct bound *
bind_compound(struct binder *b, const struct node *n)
{
    bool is_shift;
    enum token_kind op = compound_operator(n->op, &is_shift);
    struct bound *target = bind_expression(b, n->a), *y = bind_value(b, n->b), *effects = NULL, **last = &effects, *value;

    if (is_error(target) || is_error(y))
        return is_error(target) ? target : y;
    target = keep_parts(b, target, &last);
    value = bound_binary(b, n, op, is_shift, target, y);
    return bound_sequence(b, effects, assign_to(b, n, target, back_to(b, n, value, y, target->type)));
}

/* ++x, x++ */
struct bound *
bind_increment(struct binder *b, const struct node *n, bool is_postfix)
{
    struct bound *target = bind_expression(b, n->a), *effects = NULL, **last = &effects, *one, *value, *old, *set;
    enum token_kind op = n->op == TOK_INCREMENT ? TOK_PLUS : TOK_MINUS;

    if (is_error(target))
        return target;
    if (!target->type || !is_arithmetic_type(type_strip_nullable(target->type)))
        return bind_error(b, n, "operator '%s' does not apply to `%.*s` (CS0023)", token_kind_text(n->op),
                          STR_ARG(target->type ? target->type->name : STR("lambda")));
    target = keep_parts(b, target, &last);
    one = bound_constant(b, n, b->core->int_, value_i64(1));
    if (!is_postfix) {
        value = back_to(b, n, bound_binary(b, n, op, false, target, one), one, target->type);
        return bound_sequence(b, effects, assign_to(b, n, target, value));
    }
    old = bound_keep(b, target, last);
    last = &(*last)->next;
    value = bound_binary(b, n, op, false, old, one);
    set = assign_to(b, n, target, back_to(b, n, value, one, target->type));
    if (is_error(set))
        return set;
    *last = set;
    return bound_sequence(b, effects, old);
}

/* (a, b) = (b, a) and (x, y) = pair: all values first, then the assignments. */
static struct bound *
bind_tuple_assignment(struct binder *b, const struct node *n)
{
    struct bound *value = bind_value(b, n->b), *effects = NULL, **last = &effects, *kept;
    uint32_t i = 0, count = 0;

    for (const struct node *it = n->a->list; it; it = it->next)
        count++;
    if (is_error(value))
        return value;
    if (!value->type || !(value->type->flags & TYPE_IS_TUPLE) || value->type->n_args != count)
        return bind_error(b, n, "a tuple of %u values is expected on the right side (CS8132)", count);
    kept = bound_keep(b, value, last);
    last = &(*last)->next;
    for (const struct node *it = n->a->list; it; it = it->next, i++) {
        struct bound *field = bound_new(b, B_FIELD, it, value->type->args[i]), *target, *set;
        if (it->a->kind == NODE_NAME && str_eq_lit(it->a->text, "_"))
            continue;
        field->a = kept;
        field->index = i;
        target = bind_expression(b, it->a);
        set = is_error(target) ? target : assign_to(b, it, target, convert(b, field, target->type));
        if (is_error(set))
            return set;
        *last = set;
        last = &(*last)->next;
    }
    return bound_sequence(b, effects, kept);
}

struct bound *
bind_assignment(struct binder *b, const struct node *n)
{
    struct bound *target;

    if (n->op != TOK_ASSIGN)
        return bind_compound(b, n);
    if (n->a->kind == NODE_TUPLE)
        return bind_tuple_assignment(b, n);
    if (n->a->kind == NODE_NAME && str_eq_lit(n->a->text, "_") && !find_symbol(b, n->a->text))
        return bind_value(b, n->b);
    target = bind_expression(b, n->a);
    if (is_error(target)) {
        bind_value(b, n->b);
        return target;
    }
    if (!target->type)
        return bind_error(b, n->a, "this cannot be assigned to (CS0131)");
    return assign_to(b, n, target, bind_as(b, n->b, target->type));
}
