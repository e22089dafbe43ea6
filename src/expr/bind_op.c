/* bind_op.c: operators: promotion, lifting, user-defined ones, concatenation, ?? and ?:.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/bind.h"

#include <stdio.h>

/* --- null tests ----------------------------------------------------------------------------------------------------------------- */

struct bound *
bound_is_null(struct binder *b, struct bound *x, bool is_not)
{
    struct bound *n = bound_new(b, B_IS_NULL, x->node, b->core->bool_);

    n->a = x;
    n->flag = is_not;
    return n;
}

struct bound *
bound_not(struct binder *b, struct bound *x)
{
    struct bound *n = bound_new(b, B_NOT, x->node, b->core->bool_);

    if (x->is_constant)
        return bound_constant(b, x->node, b->core->bool_, value_bool(!x->value.i64));
    n->a = x;
    return n;
}

struct bound *
bound_unwrapped(struct binder *b, struct bound *x)
{
    struct bound *n;

    if (x->type->kind != TYPE_NULLABLE)
        return x;
    n = bound_new(b, B_NULLABLE_VALUE, x->node, x->type->args[0]);
    n->a = x;
    n->flag = true;
    return n;
}

struct bound *
bound_pair(struct binder *b, enum bound_kind kind, struct bound *x, struct bound *y)
{
    struct bound *n = bound_new(b, kind, x->node, b->core->bool_);

    n->a = x;
    n->b = y;
    return n;
}

static struct bound *
choose(struct binder *b, struct bound *test, struct bound *yes, struct bound *no)
{
    struct bound *n = bound_new(b, B_CONDITIONAL, test->node, yes->type);

    n->a = test;
    n->b = yes;
    n->c = no;
    return n;
}

/* --- unary and binary operators ------------------------------------------------------------------------------------------------- */

static enum operation
binary_operation(enum token_kind op, bool is_right_shift)
{
    switch ((int)op) {
    case TOK_PLUS: return OP_ADD;
    case TOK_MINUS: return OP_SUBTRACT;
    case TOK_STAR: return OP_MULTIPLY;
    case TOK_SLASH: return OP_DIVIDE;
    case TOK_PERCENT: return OP_REMAINDER;
    case TOK_AMPERSAND: return OP_AND;
    case TOK_BAR: return OP_OR;
    case TOK_CARET: return OP_XOR;
    case TOK_SHIFT_LEFT: return OP_SHIFT_LEFT;
    case TOK_EQUAL: return OP_EQUAL;
    case TOK_NOT_EQUAL: return OP_NOT_EQUAL;
    case TOK_LESS: return OP_LESS;
    case TOK_LESS_EQUAL: return OP_LESS_EQUAL;
    case TOK_GREATER: return is_right_shift ? OP_SHIFT_RIGHT : OP_GREATER;
    case TOK_GREATER_EQUAL: return OP_GREATER_EQUAL;
    }
    return OP_NONE;
}

static bool
is_comparison(enum operation op)
{
    return op >= OP_EQUAL && op <= OP_GREATER_EQUAL;
}

bool
is_arithmetic_type(const struct type *t)
{
    return type_is_numeric(t) || t->kind == TYPE_CHAR;
}

static struct bound *
not_applicable(struct binder *b, const struct node *node, const char *op, struct bound *x, struct bound *y)
{
    return bind_error(b, node, "operator '%s' does not apply to `%.*s` and `%.*s` (CS0019)", op,
                      STR_ARG(bound_type_name(x)), STR_ARG(bound_type_name(y)));
}

/* Binary numeric promotion (C# 12.4.7.3): the type both operands are computed in; NULL when they have none. */
static const struct type *
promote(struct binder *b, struct bound *x, struct bound *y)
{
    enum type_kind i = x->type->kind, j = y->type->kind;
    const struct core_types *c = b->core;
    struct value v;

    if (i == TYPE_DECIMAL || j == TYPE_DECIMAL)
        return i == TYPE_DOUBLE || i == TYPE_FLOAT || j == TYPE_DOUBLE || j == TYPE_FLOAT ? NULL : c->decimal_;
    if (i == TYPE_DOUBLE || j == TYPE_DOUBLE)
        return c->double_;
    if (i == TYPE_FLOAT || j == TYPE_FLOAT)
        return c->float_;
    if (i == TYPE_ULONG || j == TYPE_ULONG) {
        struct bound *other = i == TYPE_ULONG ? y : x;
        bool is_signed = other->type->kind == TYPE_SBYTE || other->type->kind == TYPE_SHORT || other->type->kind == TYPE_INT ||
                         other->type->kind == TYPE_LONG;
        if (is_signed && !(other->is_constant && fold_convert(other->value, other->type, c->ulong_, true, &v)))
            return NULL;
        return c->ulong_;
    }
    if (i == TYPE_LONG || j == TYPE_LONG)
        return c->long_;
    if (i == TYPE_UINT || j == TYPE_UINT) {
        struct bound *other = i == TYPE_UINT ? y : x;
        if (other->type->kind == TYPE_SBYTE || other->type->kind == TYPE_SHORT || other->type->kind == TYPE_INT)
            return other->is_constant && other->value.i64 >= 0 ? c->uint_ : c->long_;
        return c->uint_;
    }
    return c->int_;
}

static struct bound *
operator_call(struct binder *b, const struct node *node, struct candidate *c, struct argument *args)
{
    struct bound *list = overload_arguments(b, node, c, args), *call;

    if (list && is_error(list))
        return list;
    call = bound_call(b, node, c->member, c->owner, NULL, c->ret_type, list);
    return c->owner == b->core->decimal_ ? fold_call(b, call) : call;
}

/* An operator that x's or y's type declares. NULL when none applies. */
static struct bound *
user_operator(struct binder *b, const struct node *node, const char *op, struct bound *x, struct bound *y)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "operator %s", op);
    struct argument args[2] = {{.value = x, .op = TOK_END, .node = x->node}, {.value = y, .op = TOK_END, .node = node}};
    const struct type *types[2] = {x->type, y ? y->type : NULL};
    uint32_t n = y ? 2 : 1;

    for (uint32_t i = 0; i < 2; i++) {
        for (const struct type *t = types[i] ? type_strip_nullable(types[i]) : NULL; t && t->def; t = t->base) {
            struct candidate c;
            const struct member *first = def_member(t->def, str_from(text, (size_t)len));
            if (first && overload_resolve(b, first, t, NULL, 0, false, RECEIVER_ANY, args, n, &c, NULL) == OVERLOAD_FOUND)
                return operator_call(b, node, &c, args);
        }
    }
    return NULL;
}

static struct bound *
numeric_binary(struct binder *b, const struct node *node, enum operation op, struct bound *x, struct bound *y,
               const struct type *type)
{
    const struct type *result = is_comparison(op) ? b->core->bool_ : type;
    struct bound *n;

    if (type->kind == TYPE_DECIMAL)
        return user_operator(b, node, token_kind_text(node->op), convert(b, x, type), convert(b, y, type));
    x = convert(b, x, type);
    y = op == OP_SHIFT_LEFT || op == OP_SHIFT_RIGHT ? convert(b, y, b->core->int_) : convert(b, y, type);
    if (is_error(x) || is_error(y))
        return is_error(x) ? x : y;
    if (x->is_constant && y->is_constant)
        return fold_binary(b, node, op, type, result, x, y);
    n = bound_new(b, B_BINARY, node, result);
    n->op = op;
    n->a = x;
    n->b = y;
    n->is_checked = b->is_checked;
    return n;
}

static bool
is_bool_operand(const struct bound *x)
{
    return type_strip_nullable(x->type)->kind == TYPE_BOOL || x->type->kind == TYPE_NULL;
}

/* bool? & bool? and |: null is "unknown", so false & null is false and true | null is true. Written as choices:
 *     x & y   x == false ? false : y == false ? false : x is null || y is null ? null : true
 * and for | the same with true and false changed. */
static struct bound *
three_valued(struct binder *b, const struct node *node, enum operation op, struct bound *x, struct bound *y)
{
    const struct type *type = type_nullable_of(b->core->bool_);
    struct bound *effect_x, *effect_y, *kept_x, *kept_y, *deciding, *other, *unknown, *n;
    bool decides = op == OP_OR;

    kept_x = bound_keep(b, convert(b, x, type), &effect_x);
    kept_y = bound_keep(b, convert(b, y, type), &effect_y);
    deciding = convert(b, bound_constant(b, node, b->core->bool_, value_bool(decides)), type);
    other = convert(b, bound_constant(b, node, b->core->bool_, value_bool(!decides)), type);
    unknown = bound_pair(b, B_OR, bound_is_null(b, kept_x, false), bound_is_null(b, kept_y, false));
    n = choose(b, unknown, bound_default(b, node, type), other);
    for (int i = 0; i < 2; i++) {
        struct bound *kept = i ? kept_x : kept_y, *value = bound_unwrapped(b, kept);
        n = choose(b, bound_pair(b, B_AND, bound_is_null(b, kept, true), decides ? value : bound_not(b, value)), deciding, n);
    }
    effect_x->next = effect_y;
    return bound_sequence(b, effect_x, n);
}

/* The result that an operator with the literal null has; the other operand is evaluated all the same. */
static struct bound *
beside_null(struct binder *b, struct bound *other, struct bound *result)
{
    struct bound *effect;

    if (other->is_constant || other->kind == B_SYMBOL)
        return result;
    bound_keep(b, other, &effect);
    return bound_sequence(b, effect, result);
}

/* T? op T?: null when either is, or false in a comparison; == and != compare nulls too. Both operands are evaluated, x first. */
static struct bound *
lifted_binary(struct binder *b, const struct node *node, enum token_kind op, bool is_shift, struct bound *x, struct bound *y)
{
    enum operation operation = binary_operation(op, is_shift);
    struct bound *effect_x = NULL, *effect_y = NULL, *inner, *n, *test = NULL;
    struct bound *kept_x = x, *kept_y = y;
    bool y_may_be_null = y->type->kind == TYPE_NULLABLE;

    if (is_bool_operand(x) && is_bool_operand(y) && (operation == OP_AND || operation == OP_OR))
        return three_valued(b, node, operation, x, y);
    if (x->type->kind == TYPE_NULL || y->type->kind == TYPE_NULL) {
        struct bound *other = x->type->kind == TYPE_NULL ? y : x;
        if (operation == OP_EQUAL || operation == OP_NOT_EQUAL)
            return bound_is_null(b, other, operation == OP_NOT_EQUAL);
        if (is_comparison(operation))
            return beside_null(b, other, bound_constant(b, node, b->core->bool_, value_bool(false)));
        return beside_null(b, other, bound_default(b, node, other->type));
    }
    if (x->type->kind == TYPE_NULLABLE || !x->is_constant)
        kept_x = bound_keep(b, x, &effect_x);        /* before y, also when it cannot be null */
    if (y_may_be_null || !(y->is_constant || y->kind == B_SYMBOL))
        kept_y = bound_keep(b, y, &effect_y);
    inner = bound_binary(b, node, op, is_shift, bound_unwrapped(b, kept_x), bound_unwrapped(b, kept_y));
    if (is_error(inner))
        return inner;
    if (x->type->kind == TYPE_NULLABLE)
        test = bound_is_null(b, kept_x, true);
    if (operation == OP_EQUAL || operation == OP_NOT_EQUAL) {
        struct bound *equal = operation == OP_EQUAL ? inner : bound_not(b, inner);
        if (test && y_may_be_null)
            n = choose(b, test, bound_pair(b, B_AND, bound_is_null(b, kept_y, true), equal), bound_is_null(b, kept_y, false));
        else
            n = bound_pair(b, B_AND, test ? test : bound_is_null(b, kept_y, true), equal);
        if (operation == OP_NOT_EQUAL)
            n = bound_not(b, n);
    } else {
        if (y_may_be_null)
            test = test ? bound_pair(b, B_AND, test, bound_is_null(b, kept_y, true)) : bound_is_null(b, kept_y, true);
        if (is_comparison(operation)) {
            n = bound_pair(b, B_AND, test, inner);
        } else {
            const struct type *type = type_nullable_of(inner->type);
            n = choose(b, test, convert(b, inner, type), bound_default(b, node, type));
        }
    }
    if (effect_x && effect_y) {
        effect_x->next = effect_y;
        return bound_sequence(b, effect_x, n);
    }
    return bound_sequence(b, effect_x ? effect_x : effect_y, n);
}

static bool
is_enum_operand(const struct bound *x, const struct type *type)
{
    return x->type == type || (x->is_constant && type_is_integral(x->type) && x->value.i64 == 0);
}

static struct bound *
enum_binary(struct binder *b, const struct node *node, enum operation op, struct bound *x, struct bound *y)
{
    const struct type *type = x->type->kind == TYPE_ENUM ? x->type : y->type, *result = type;
    struct bound *n;

    if (is_enum_operand(x, type) && is_enum_operand(y, type)) {
        if (is_comparison(op))
            result = b->core->bool_;
        else if (op == OP_SUBTRACT)
            result = b->core->int_;
        else if (op != OP_AND && op != OP_OR && op != OP_XOR)
            return NULL;
    } else if (!((op == OP_ADD || op == OP_SUBTRACT) && (x->type == type ? type_is_integral(y->type) : type_is_integral(x->type)))) {
        return NULL;
    }
    if (x->is_constant && y->is_constant)
        return fold_binary(b, node, op, type, result, x, y);
    n = bound_new(b, B_BINARY, node, result);
    n->op = op;
    n->a = x;
    n->b = y;
    return n;
}

/* == and != of references, strings, bools, and null. NULL when they do not compare. */
static struct bound *
equality(struct binder *b, const struct node *node, struct bound *x, struct bound *y, bool is_not)
{
    bool x_null = x->type->kind == TYPE_NULL, y_null = y->type->kind == TYPE_NULL;
    struct bound *n;

    if (x_null && y_null)
        return bound_constant(b, node, b->core->bool_, value_bool(!is_not));
    if (x_null || y_null) {
        struct bound *other = x_null ? y : x;
        if (!type_is_reference(other->type) && other->type->kind != TYPE_NULLABLE)
            return NULL;
        return bound_is_null(b, other, is_not);
    }
    if (x->type->kind == TYPE_STRING && y->type->kind == TYPE_STRING && x->is_constant && y->is_constant)
        return bound_constant(b, node, b->core->bool_,
                              value_bool(string_eq((struct string *)x->value.ref, (struct string *)y->value.ref) != is_not));
    if (x->type->kind == TYPE_STRING && y->type->kind == TYPE_STRING) {
        n = bound_new(b, B_STRING_EQUAL, node, b->core->bool_);
    } else {
        if (!type_is_reference(x->type) || !type_is_reference(y->type))
            return NULL;
        if (classify_explicit(b, x, y->type).kind == CONVERT_NONE && classify_explicit(b, y, x->type).kind == CONVERT_NONE)
            return NULL;
        n = bound_new(b, B_REFERENCE_EQUAL, node, b->core->bool_);
    }
    n->a = x;
    n->b = y;
    n->flag = is_not;
    return n;
}

static struct bound *
logical(struct binder *b, const struct node *node, enum operation op, struct bound *x, struct bound *y)
{
    struct bound *n;

    if (op != OP_AND && op != OP_OR && op != OP_XOR && op != OP_EQUAL && op != OP_NOT_EQUAL)
        return NULL;
    if (x->is_constant && y->is_constant)
        return fold_binary(b, node, op, b->core->int_, b->core->bool_, x, y);
    n = bound_new(b, B_BINARY, node, b->core->bool_);
    n->op = op;
    n->a = x;
    n->b = y;
    return n;
}

static bool
is_lifted_operand(const struct bound *x)
{
    const struct type *inner = type_strip_nullable(x->type);

    return x->type->kind == TYPE_NULLABLE &&
           (is_arithmetic_type(inner) || inner->kind == TYPE_BOOL || inner->kind == TYPE_ENUM || inner->kind == TYPE_STRUCT);
}

/* (a, b) == (c, d): field by field. */
static struct bound *
tuple_equality(struct binder *b, const struct node *node, enum token_kind op, struct bound *x, struct bound *y)
{
    struct bound *effect_x, *effect_y, *kept_x = bound_keep(b, x, &effect_x), *kept_y = bound_keep(b, y, &effect_y), *all = NULL;

    for (uint32_t i = 0; i < x->type->n_args; i++) {
        struct bound *l = bound_new(b, B_FIELD, node, x->type->args[i]), *r = bound_new(b, B_FIELD, node, y->type->args[i]), *one;
        l->a = kept_x;
        r->a = kept_y;
        l->index = r->index = i;
        one = bound_binary(b, node, op, false, l, r);
        if (is_error(one))
            return one;
        all = all ? bound_pair(b, op == TOK_EQUAL ? B_AND : B_OR, all, one) : one;
    }
    effect_x->next = effect_y;
    return bound_sequence(b, effect_x, all);
}

/* A value type and the literal null: the lifted operator, whose result is known (or whose type is). NULL when there is none. */
static struct bound *
with_null(struct binder *b, const struct node *node, enum operation op, struct bound *x, struct bound *y)
{
    struct bound *value = x->type->kind == TYPE_NULL ? y : x, *n, *effect;
    const struct type *type = value->type;
    char text[32];

    if (!type_is_value_type(type) || type->kind == TYPE_NULLABLE)
        return NULL;
    if (op == OP_EQUAL || op == OP_NOT_EQUAL) {
        snprintf(text, sizeof(text), "operator %s", op == OP_EQUAL ? "==" : "!=");
        if (!is_arithmetic_type(type) && type->kind != TYPE_BOOL && type->kind != TYPE_ENUM && !def_member(type->def, str_from_c(text)))
            return NULL;
        bind_warning(b, node, "a `%.*s` is never null (CS8073)", STR_ARG(type->name));
        n = bound_constant(b, node, b->core->bool_, value_bool(op == OP_NOT_EQUAL));
    } else if (is_comparison(op)) {
        snprintf(text, sizeof(text), "operator %s", token_kind_text(node->op));
        if (!is_arithmetic_type(type) && type->kind != TYPE_ENUM && !def_member(type->def, str_from_c(text)))
            return NULL;
        n = bound_constant(b, node, b->core->bool_, value_bool(false));
    } else {
        if (!is_arithmetic_type(type) && !(type->kind == TYPE_BOOL && (op == OP_AND || op == OP_OR || op == OP_XOR)))
            return NULL;
        if (type->kind == TYPE_BOOL && op != OP_XOR)
            return three_valued(b, node, op, x, y);
        if (type->kind != TYPE_BOOL && type->kind != TYPE_DECIMAL)
            type = promote(b, value, value);
        n = bound_default(b, node, type_nullable_of(type));
    }
    if (value->is_constant)
        return n;
    bound_keep(b, value, &effect);    /* it is evaluated all the same */
    return bound_sequence(b, effect, n);
}

/* delegate + delegate, delegate - delegate; a lambda takes the other one's type. NULL when it is none. */
static struct bound *
delegate_binary(struct binder *b, const struct node *node, enum operation op, struct bound *x, struct bound *y)
{
    const struct type *type = x->type && x->type->kind == TYPE_DELEGATE ? x->type : y->type;
    const struct member *m;
    struct bound *list;

    if ((op != OP_ADD && op != OP_SUBTRACT) || !type || type->kind != TYPE_DELEGATE || !b->core->delegate_->def)
        return NULL;
    m = def_member(b->core->delegate_->def, op == OP_ADD ? STR("Combine") : STR("Remove"));
    x = convert(b, x, type);
    y = convert(b, y, type);
    if (!m || is_error(x) || is_error(y))
        return is_error(x) ? x : is_error(y) ? y : NULL;
    list = bound_link(b, x);
    list->next = bound_link(b, y);
    list = bound_call(b, node, m, b->core->delegate_, NULL, b->core->delegate_, list);
    return convert_with(b, list, type, (struct conversion){.kind = CONVERT_REFERENCE});
}

/* A predefined operator takes an operand whose type converts by itself to what the other one is. */
static bool
convert_operand(struct binder *b, struct bound **x, struct bound **y)
{
    struct bound **sides[2][2] = {{x, y}, {y, x}};

    for (size_t i = 0; i < 2; i++) {
        const struct type *to = (*sides[i][0])->type;
        bool is_predefined = is_arithmetic_type(to) || to->kind == TYPE_BOOL || to->kind == TYPE_STRING;
        if (is_predefined && classify(b, *sides[i][1], to).kind == CONVERT_USER) {
            *sides[i][1] = convert(b, *sides[i][1], to);
            return true;
        }
    }
    return false;
}

struct bound *
bound_binary(struct binder *b, const struct node *node, enum token_kind op, bool is_shift, struct bound *x, struct bound *y)
{
    enum operation operation = binary_operation(op, is_shift);
    const char *text = operation == OP_SHIFT_RIGHT ? ">>" : token_kind_text(op);
    struct node *with_op;
    struct bound *n = NULL;

    if (is_error(x) || is_error(y))
        return is_error(x) ? x : y;
    if (x->kind == B_DEFAULT_WAITS && y->type)
        x = bound_default(b, x->node, y->type);
    if (y->kind == B_DEFAULT_WAITS && x->type)
        y = bound_default(b, y->node, x->type);
    if (x->kind == B_TUPLE_WAITS && y->type)
        x = convert(b, x, y->type);
    if (y->kind == B_TUPLE_WAITS && x->type)
        y = convert(b, y, x->type);
    if (is_error(x) || is_error(y))
        return is_error(x) ? x : y;
    if ((n = delegate_binary(b, node, operation, x, y)))
        return n;
    if (!x->type || !y->type || x->type->kind == TYPE_VOID || y->type->kind == TYPE_VOID)
        return not_applicable(b, node, text, x, y);
    if (operation == OP_ADD && (x->type->kind == TYPE_STRING || y->type->kind == TYPE_STRING)) {
        /* XNamespace + string is XNamespace's own. */
        const struct type *other = x->type->kind == TYPE_STRING ? y->type : x->type;
        if (other->kind == TYPE_CLASS && (n = user_operator(b, node, text, x, y)))
            return n;
        return bound_concat(b, node, x, y);
    }
    /* numeric_binary() asks the node which operator of decimal it is; a compound assignment has none. */
    with_op = arena_new(b->arena, struct node);
    if (!with_op)
        return x;
    *with_op = *node;
    with_op->op = op;
    if ((x->type->flags & y->type->flags & TYPE_IS_TUPLE) && x->type->n_args == y->type->n_args &&
        (op == TOK_EQUAL || op == TOK_NOT_EQUAL))
        return tuple_equality(b, node, op, x, y);
    if (is_arithmetic_type(x->type) && is_arithmetic_type(y->type)) {
        const struct type *type = promote(b, x, y);
        if (operation == OP_SHIFT_LEFT || operation == OP_SHIFT_RIGHT)
            type = type_is_integral(x->type) && type_is_integral(y->type) && conversion_is_implicit(classify(b, y, b->core->int_))
                   ? promote(b, x, x) : NULL;
        if ((operation == OP_AND || operation == OP_OR || operation == OP_XOR) && type && !type_is_integral(type))
            type = NULL;
        if (type)
            n = numeric_binary(b, with_op, operation, x, y, type);
        return n ? n : not_applicable(b, node, text, x, y);
    }
    if ((x->type->kind == TYPE_NULL) != (y->type->kind == TYPE_NULL) && (n = with_null(b, node, operation, x, y)))
        return n;
    if (x->type->kind == TYPE_ENUM || y->type->kind == TYPE_ENUM) {
        if (x->type->kind != TYPE_NULLABLE && y->type->kind != TYPE_NULLABLE)
            n = enum_binary(b, node, operation, x, y);
        if (n)
            return n;
    }
    if (x->type->kind == TYPE_BOOL && y->type->kind == TYPE_BOOL) {
        n = logical(b, node, operation, x, y);
        return n ? n : not_applicable(b, node, text, x, y);
    }
    if (is_lifted_operand(x) || is_lifted_operand(y)) {
        struct bound xi = {.kind = B_SYMBOL, .type = type_strip_nullable(x->type), .node = node};
        if (type_is_value_type(xi.type) || x->type->kind == TYPE_NULL)
            if (y->type->kind == TYPE_NULL || type_is_value_type(type_strip_nullable(y->type)))
                return lifted_binary(b, node, op, is_shift, x, y);
    }
    n = user_operator(b, node, text, x, y);
    if (!n && convert_operand(b, &x, &y))
        return bound_binary(b, node, op, is_shift, x, y);
    if (!n && (operation == OP_EQUAL || operation == OP_NOT_EQUAL))
        n = equality(b, node, x, y, operation == OP_NOT_EQUAL);
    return n ? n : not_applicable(b, node, text, x, y);
}

/* A piece of a concatenation: a string as it is, another value by its ToString(). */
static struct bound *
concat_piece(struct binder *b, struct bound *x)
{
    struct bound *n;

    if (x->type->kind == TYPE_STRING)
        return x;
    if (x->type->kind == TYPE_NULL)
        return bound_string(b, x->node, STR(""));
    n = bound_new(b, B_TO_STRING, x->node, b->core->string);
    n->a = x;
    return n;
}

/* A surrogate pair written in two halves is joined at run time, by the instruction that knows how. */
static bool
is_split(struct str x, struct str y)
{
    return x.len >= 3 && y.len >= 3 && (unsigned char)x.p[x.len - 3] == 0xed && (unsigned char)y.p[0] == 0xed;
}

/* "a" + b + c is one CONCAT of three. */
struct bound *
bound_concat(struct binder *b, const struct node *node, struct bound *x, struct bound *y)
{
    struct bound *n, **last;

    x = concat_piece(b, x);
    y = concat_piece(b, y);
    if (x->is_constant && y->is_constant && !is_split(string_str((struct string *)x->value.ref), string_str((struct string *)y->value.ref)))
        return bound_string(b, node, str_concat(b->arena, string_str((struct string *)x->value.ref), string_str((struct string *)y->value.ref)));
    n = bound_new(b, B_CONCAT, node, b->core->string);
    last = &n->list;
    if (x->kind == B_CONCAT && !b->trial) {
        n->list = x->list;
        last = x->more ? &x->more->next : &n->list;
        while (*last)
            last = &(*last)->next;
    } else {
        *last = bound_link(b, x);
        last = &(*last)->next;
    }
    *last = bound_link(b, y);
    n->more = *last;              /* the end of the list, so that a long chain is joined in one pass */
    return n;
}

struct bound *
bound_unary(struct binder *b, const struct node *node, enum token_kind op, struct bound *x)
{
    enum operation operation = op == TOK_MINUS ? OP_NEGATE : op == TOK_BANG ? OP_NOT : op == TOK_TILDE ? OP_COMPLEMENT : OP_NONE;
    const struct type *type = x->type;
    struct bound *n;

    if (is_error(x))
        return x;
    if (type && type->kind == TYPE_NULLABLE && (is_lifted_operand(x))) {
        struct bound *effect, *kept = bound_keep(b, x, &effect), *inner = bound_unary(b, node, op, bound_unwrapped(b, kept));
        if (is_error(inner))
            return inner;
        type = type_nullable_of(inner->type);
        return bound_sequence(b, effect, choose(b, bound_is_null(b, kept, true), convert(b, inner, type), bound_default(b, node, type)));
    }
    if (type && operation == OP_NOT && type->kind == TYPE_BOOL)
        return bound_not(b, x);
    if (type && is_arithmetic_type(type) && operation != OP_NOT && type->kind != TYPE_DECIMAL) {
        type = promote(b, x, x);
        if (operation == OP_NEGATE && x->type->kind == TYPE_UINT)
            type = x->is_constant && x->value.i64 == 2147483648 && x->node->kind == NODE_NUMBER ? b->core->int_ : b->core->long_;
        if (operation == OP_NEGATE && type->kind == TYPE_INT && x->type->kind == TYPE_UINT)
            return bound_constant(b, node, type, value_i64(INT32_MIN));
        if (operation == OP_NEGATE && x->type->kind == TYPE_ULONG) {
            if (x->is_constant && x->value.u64 == (uint64_t)1 << 63 && x->node->kind == NODE_NUMBER)
                return bound_constant(b, node, b->core->long_, value_i64(INT64_MIN));
            type = NULL;
        }
        if (type && operation == OP_COMPLEMENT && !type_is_integral(type))
            type = NULL;
        if (type) {
            x = convert(b, x, type);
            if (operation == OP_NONE || is_error(x))
                return x;
            if (x->is_constant)
                return fold_unary(b, node, operation, x);
            n = bound_new(b, B_UNARY, node, type);
            n->op = operation;
            n->a = x;
            n->is_checked = b->is_checked;
            return n;
        }
    }
    if (type && type->kind == TYPE_ENUM && operation == OP_COMPLEMENT) {
        n = bound_new(b, B_UNARY, node, type);
        n->op = operation;
        n->a = x;
        return n;
    }
    n = type && type->kind != TYPE_NULL ? user_operator(b, node, token_kind_text(op), x, NULL) : NULL;
    return n ? n : bind_error(b, node, "operator '%s' does not apply to `%.*s` (CS0023)", token_kind_text(op),
                              STR_ARG(bound_type_name(x)));
}

/* The left spine of a long chain is walked in a loop, as "a" + b + ... may have thousands of terms. */
struct bound *
bind_binary(struct binder *b, const struct node *n)
{
    VEC(const struct node *) spine = {0};
    const struct node *it = n;
    struct bound *x;

    for (; it->kind == NODE_BINARY && it->op != TOK_COALESCE && it->op != TOK_AND_AND && it->op != TOK_OR_OR; it = it->a)
        *vec_push(&spine) = it;
    x = bind_value(b, it);
    while (spine.n > 0) {
        const struct node *one = spine.v[--spine.n];
        struct bound *y = bind_value(b, one->b);
        x = bound_binary(b, one, one->op, one->flag, x, y);
    }
    vec_free(&spine);
    return x;
}

struct bound *
bind_logical(struct binder *b, const struct node *n)
{
    VEC(const struct node *) spine = {0};
    const struct node *it = n;
    enum token_kind op = n->op;
    struct bound *x;

    for (; it->kind == NODE_BINARY && it->op == op; it = it->a)
        *vec_push(&spine) = it;
    x = bind_value(b, it);
    while (spine.n > 0) {
        const struct node *one = spine.v[--spine.n];
        struct bound *y = bind_value(b, one->b);
        if (is_error(x))
            continue;
        if (is_error(y)) {
            x = y;
            continue;
        }
        if (x->type && y->type && x->type->kind == TYPE_BOOL && y->type->kind == TYPE_BOOL) {
            if (x->is_constant && y->is_constant)
                x = bound_constant(b, one, b->core->bool_, value_bool(op == TOK_AND_AND ? x->value.i64 && y->value.i64 : x->value.i64 || y->value.i64));
            else
                x = bound_pair(b, op == TOK_AND_AND ? B_AND : B_OR, x, y);
            x->node = one;
            continue;
        }
        if (x->type && y->type && conversion_is_implicit(classify(b, x, b->core->bool_)) && conversion_is_implicit(classify(b, y, b->core->bool_)))
            x = bound_pair(b, op == TOK_AND_AND ? B_AND : B_OR, convert(b, x, b->core->bool_), convert(b, y, b->core->bool_));
        else
            x = not_applicable(b, one, token_kind_text(op), x, y);
    }
    vec_free(&spine);
    return x;
}

/* a ?? b */
struct bound *
bind_coalesce(struct binder *b, const struct node *n)
{
    struct bound *x = bind_value(b, n->a), *y = bind_value(b, n->b), *c, *value, *kept;
    const struct type *type;

    if (is_error(x) || is_error(y))
        return is_error(x) ? x : y;
    if (x->type && x->type->kind == TYPE_NULL)
        return y->type ? y : convert(b, y, b->core->object);
    if (!x->type || (!type_is_reference(x->type) && x->type->kind != TYPE_NULLABLE))
        return not_applicable(b, n, "??", x, y);
    c = bound_new(b, B_COALESCE, n, NULL);
    c->symbol = symbol_new(b, SYMBOL_TEMPORARY, STR_NONE, x->type, n);
    kept = bound_symbol(b, x->node, c->symbol);
    value = kept;
    if (x->type->kind == TYPE_NULLABLE && conversion_is_implicit(classify(b, y, x->type->args[0]))) {
        type = x->type->args[0];
        value = bound_unwrapped(b, kept);
    } else if (conversion_is_implicit(classify(b, y, x->type))) {
        type = x->type;
    } else if (y->type && conversion_is_implicit(classify(b, x->type->kind == TYPE_NULLABLE ? bound_unwrapped(b, kept) : kept, y->type))) {
        type = y->type;
        value = x->type->kind == TYPE_NULLABLE ? bound_unwrapped(b, kept) : kept;
    } else {
        return not_applicable(b, n, "??", x, y);
    }
    c->type = type;
    c->a = x;
    c->b = convert(b, value, type);
    c->c = convert(b, y, type);
    return c;
}

/* test ? x : y: one converts to the other's type. */
struct bound *
bind_conditional(struct binder *b, const struct node *n)
{
    struct bound *test = bind_condition(b, n->a), *x = bind_value(b, n->b), *y = bind_value(b, n->c);
    bool x_to_y, y_to_x;
    const struct type *type;

    if (is_error(test) || is_error(x) || is_error(y))
        return is_error(test) ? test : is_error(x) ? x : y;
    x_to_y = y->type && y->type->kind != TYPE_NULL && conversion_is_implicit(classify(b, x, y->type));
    y_to_x = x->type && x->type->kind != TYPE_NULL && conversion_is_implicit(classify(b, y, x->type));
    if (x->type && x->type == y->type && x->type->kind != TYPE_NULL)
        type = x->type;
    else if (x_to_y && y_to_x && (x->type->flags & TYPE_IS_TUPLE) && type_is_assignable(x->type, y->type))
        type = type_tuple(b->env, NULL, x->type->args, x->type->n_args);    /* they differ in names, so it has none */
    else if (x_to_y && y_to_x && classify(b, x, y->type).kind == CONVERT_CONSTANT)
        type = x->type;               /* as constants both fit, as types only the other way: int of `t ? 1 : a_byte` */
    else if (x_to_y && y_to_x && classify(b, y, x->type).kind == CONVERT_CONSTANT)
        type = y->type;
    else if (x_to_y != y_to_x)
        type = x_to_y ? y->type : x->type;
    else
        return bind_error(b, n, "the two sides of '?:' are `%.*s` and `%.*s`, and neither converts to the other (CS0173)",
                          STR_ARG(bound_type_name(x)), STR_ARG(bound_type_name(y)));
    x = convert(b, x, type);
    y = convert(b, y, type);
    if (test->is_constant && x->is_constant && y->is_constant)
        return bound_constant(b, n, type, test->value.i64 ? x->value : y->value);
    test = choose(b, test, x, y);
    test->node = n;
    return test;
}
