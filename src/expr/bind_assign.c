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
    if (target->kind == B_FIELD) {
        n->a = keep_parts(b, target->a, effects);
        return n;
    }
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

/* tuple.field = value: a changed copy goes where the tuple came from. */
static struct bound *
assign_field(struct binder *b, const struct node *node, struct bound *target, struct bound *value)
{
    struct bound *effects = NULL, **last = &effects, *owner = target->a, *kept, *with, *set;

    if (!(owner->type->flags & TYPE_IS_TUPLE))
        return bind_error(b, node, "properties of anonymous objects are read-only (CS0200)");
    if (owner->kind != B_SYMBOL && owner->kind != B_ELEMENT && owner->kind != B_FIELD)
        return bind_error(b, node, "this tuple is not a variable, so its fields cannot be assigned (CS1612)");
    owner = keep_parts(b, owner, &last);
    kept = bound_keep(b, value, last);
    last = &(*last)->next;
    with = bound_new(b, B_RECORD_WITH, node, owner->type);
    with->a = owner;
    with->b = kept;
    with->index = target->index;
    set = assign_to(b, node, owner, with);
    if (is_error(set))
        return set;
    *last = set;
    return bound_sequence(b, effects, kept);
}

struct bound *
assign_to(struct binder *b, const struct node *node, struct bound *target, struct bound *value)
{
    struct bound *n;

    if (is_error(target) || is_error(value))
        return is_error(target) ? target : value;
    if (target->kind == B_SYMBOL) {
        if (target->symbol->is_read_only || target->symbol->kind == SYMBOL_FUNCTION)
            return bind_error(b, node, "`%.*s` cannot be assigned to (CS1656)", STR_ARG(target->symbol->name));
        use_symbol(b, target->symbol, true);
    } else if (target->kind == B_PROPERTY) {
        if (!target->member->set || !(target->member->flags & MEMBER_HAS_SETTER))
            return bind_error(b, node, "`%.*s` is read-only (CS0200)", STR_ARG(target->member->name));
    } else if (target->kind == B_FIELD) {
        return assign_field(b, node, target, value);
    } else if (target->kind != B_ELEMENT) {
        return bind_error(b, node, "the left side of an assignment must be a variable, property or indexer (CS0131)");
    }
    n = bound_new(b, B_ASSIGN, node, target->type);
    n->a = target;
    n->b = value;
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

/* The result of x op y back to the target's type: `byte b; b += 1` casts silently, as 1 itself would go into a byte (C# 12.21.4). */
static struct bound *
back_to(struct binder *b, const struct node *n, struct bound *value, const struct bound *operand, const struct type *type, bool is_shift)
{
    if (is_error(value) || conversion_is_implicit(classify(b, value, type)))
        return convert(b, value, type);
    if (is_shift || conversion_is_implicit(classify(b, operand, type)) || type_strip_nullable(type)->kind == TYPE_ENUM)
        return convert_explicit(b, n, value, type);
    if (operand->is_constant && operand->type && type_is_integral(operand->type) && type_is_integral(type))
        return convert(b, (struct bound *)operand, type);       /* says why */
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
    return bound_sequence(b, effects, assign_to(b, n, target, back_to(b, n, value, y, target->type, op == TOK_SHIFT_LEFT || is_shift)));
}

/* ++x, x++ */
struct bound *
bind_increment(struct binder *b, const struct node *n, bool is_postfix)
{
    struct bound *target = bind_expression(b, n->a), *effects = NULL, **last = &effects, *one, *value, *old, *set;
    enum token_kind op = n->op == TOK_INCREMENT ? TOK_PLUS : TOK_MINUS;

    if (is_error(target))
        return target;
    if (!target->type || (!is_arithmetic_type(type_strip_nullable(target->type)) && type_strip_nullable(target->type)->kind != TYPE_ENUM))
        return bind_error(b, n, "operator '%s' does not apply to `%.*s` (CS0023)", token_kind_text(n->op),
                          STR_ARG(bound_type_name(target)));
    target = keep_parts(b, target, &last);
    one = bound_constant(b, n, b->core->int_, value_i64(1));
    if (!is_postfix) {
        value = back_to(b, n, bound_binary(b, n, op, false, target, one), one, target->type, true);
        return bound_sequence(b, effects, assign_to(b, n, target, value));
    }
    old = bound_keep(b, target, last);
    last = &(*last)->next;
    value = bound_binary(b, n, op, false, old, one);
    set = assign_to(b, n, target, back_to(b, n, value, one, target->type, true));
    if (is_error(set))
        return set;
    *last = set;
    return bound_sequence(b, effects, old);
}

/* The fields of a kept tuple to the targets written in n; appended to *last. NULL, or the error. */
static struct bound *
assign_fields(struct binder *b, const struct node *n, struct bound *kept, struct bound ***last)
{
    uint32_t i = 0, count = 0;

    for (const struct node *it = n->list; it; it = it->next)
        count++;
    if (!kept->type || !(kept->type->flags & (TYPE_IS_TUPLE | TYPE_IS_REF_STRUCT)) || kept->type->n_args != count)
        return bind_error(b, n, "a tuple of %u values is expected on the right side, found `%.*s` (CS8132)", count,
                          STR_ARG(bound_type_name(kept)));
    for (const struct node *it = n->list; it; it = it->next, i++) {
        struct bound *field = bound_new(b, B_FIELD, it, kept->type->args[i]), *target, *set;
        if (it->a->kind == NODE_NAME && str_eq_lit(it->a->text, "_") && !find_symbol(b, it->a->text))
            continue;
        field->a = kept;
        field->index = i;
        if (it->a->kind == NODE_TUPLE) {
            set = assign_fields(b, it->a, field, last);
            if (set)
                return set;
            continue;
        }
        target = bind_expression(b, it->a);
        set = is_error(target) ? target : assign_to(b, it, target, convert(b, field, target->type));
        if (is_error(set))
            return set;
        **last = set;
        *last = &set->next;
    }
    return NULL;
}

/* (a, b) = (null, 1): a tuple without a type of its own takes that of what it is assigned to. */
static struct bound *
tuple_for_targets(struct binder *b, const struct node *n, struct bound *value)
{
    const struct type *types[TUPLE_VALUES_MAX];
    const struct bound *element = value->list;
    uint32_t count = 0;

    for (const struct node *it = n->list; it && element && count < TUPLE_VALUES_MAX; it = it->next, element = element->next) {
        bool is_discard = it->a->kind == NODE_NAME && str_eq_lit(it->a->text, "_") && !find_symbol(b, it->a->text);
        struct bound *target = is_discard || it->a->kind == NODE_TUPLE ? NULL : bind_expression(b, it->a);
        if (target && is_error(target))
            return target;
        types[count++] = target && target->type ? target->type : element->a->type ? element->a->type : b->core->object;
    }
    return convert(b, value, type_tuple(b->env, NULL, types, count));
}

/* (a, b) = (b, a) and (x, y) = pair: all values first, then the assignments. */
static struct bound *
bind_tuple_assignment(struct binder *b, const struct node *n)
{
    struct bound *value = bind_value(b, n->b), *effects = NULL, **last = &effects, *kept, *error;

    if (value->kind == B_TUPLE_WAITS)
        value = tuple_for_targets(b, n->a, value);
    if (is_error(value))
        return value;
    if (!value->type)
        return bind_error(b, n->b, "a tuple is expected on the right side (CS8132)");
    kept = bound_keep(b, value, last);
    last = &(*last)->next;
    error = assign_fields(b, n->a, kept, &last);
    return error ? error : bound_sequence(b, effects, kept);
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
