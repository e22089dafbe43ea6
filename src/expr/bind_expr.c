/* bind_expr.c: what each kind of expression binds to; literals, ?., checked, tuples.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/bind.h"

#define DEPTH_MAX 1600        /* nodes inside each other while binding; the caller's stack is large enough for them */

/* --- literals ------------------------------------------------------------------------------------------------------------------ */

static const struct type *
literal_type(struct binder *b, enum type_kind kind)
{
    switch ((int)kind) {
    case TYPE_INT: return b->core->int_;
    case TYPE_UINT: return b->core->uint_;
    case TYPE_LONG: return b->core->long_;
    case TYPE_ULONG: return b->core->ulong_;
    case TYPE_FLOAT: return b->core->float_;
    case TYPE_DECIMAL: return b->core->decimal_;
    }
    return b->core->double_;
}

#define NUMBER_STYLES_FLOAT 167

/* 1.50m is what decimal.Parse makes of it, exponents included. */
static struct bound *
decimal_literal(struct binder *b, const struct node *n)
{
    for (const struct member *m = def_member(b->core->decimal_->def, STR("Parse")); m; m = m->next_same_name) {
        struct bound *text, *call;
        if (m->n_parameters != 2 || m->parameters[0].type != b->core->string || m->parameters[1].type->kind != TYPE_ENUM)
            continue;
        text = bound_link(b, bound_string(b, n, n->text));
        text->next = bound_link(b, bound_constant(b, n, m->parameters[1].type, value_i64(NUMBER_STYLES_FLOAT)));
        call = bound_call(b, n, m, b->core->decimal_, NULL, b->core->decimal_, text);
        call = fold_call(b, call);
        return call->is_constant || is_error(call) ? call : bind_error(b, n, "the decimal constant is too large (CS0594)");
    }
    return bind_error(b, n, "decimal constants are not supported yet");
}

/* interpolation = pieces; each hole is its value's text, with its alignment and format */
static struct bound *
interpolation(struct binder *b, const struct node *n)
{
    struct bound *concat = bound_new(b, B_CONCAT, n, b->core->string), **last = &concat->list;

    for (const struct node *it = n->list; it; it = it->next) {
        struct bound *piece;
        if (it->kind == NODE_STRING) {
            piece = bound_string(b, it, it->text);
        } else {
            piece = bound_new(b, B_TO_STRING, it, b->core->string);
            piece->a = bind_value(b, it->a);
            piece->text = it->text;
            if (is_error(piece->a))
                return piece->a;
            if (!piece->a->type)
                return convert(b, piece->a, b->core->object);
            if (it->b) {
                struct bound *alignment = bind_as(b, it->b, b->core->int_);
                if (is_error(alignment))
                    return alignment;
                if (!alignment->is_constant || alignment->value.i64 < -1000000 || alignment->value.i64 > 1000000)
                    return bind_error(b, it->b, "the alignment must be a constant number (CS0150)");
                piece->index = (uint32_t)(alignment->value.i64 + 1000001);
            }
        }
        *last = bound_link(b, piece);
        last = &(*last)->next;
    }
    return concat;
}

/* --- ?. ---------------------------------------------------------------------------------------------------------------------------- */

static struct bound *
bind_conditional_access(struct binder *b, const struct node *n)
{
    struct bound *x = bind_value(b, n->a), *outer = b->receiver, *c, *value;
    const struct type *type;

    if (is_error(x))
        return x;
    if (!x->type || (!type_is_reference(x->type) && x->type->kind != TYPE_NULLABLE))
        return bind_error(b, n, "operator '?.' does not apply to `%.*s`, which is never null (CS0023)",
                          STR_ARG(bound_type_name(x)));
    c = bound_new(b, B_CONDITIONAL_ACCESS, n, NULL);
    c->a = x;
    c->symbol = symbol_new(b, SYMBOL_TEMPORARY, STR_NONE, x->type, n);
    b->receiver = bound_unwrapped(b, bound_symbol(b, x->node, c->symbol));
    value = bind_expression(b, n->b);
    b->receiver = outer;
    if (is_error(value))
        return value;
    if (!value->type)
        return bind_error(b, n, "a method needs call brackets here (CS0428)");
    type = value->type->kind == TYPE_VOID ? value->type : type_nullable_of(value->type);
    c->type = type;
    c->b = type->kind == TYPE_VOID ? value : convert(b, value, type);
    c->c = type->kind == TYPE_VOID ? NULL : bound_default(b, n, type);
    return c;
}

/* --- the rest ------------------------------------------------------------------------------------------------------------------------- */

static struct bound *
bind_checked(struct binder *b, const struct node *n)
{
    bool was_checked = b->is_checked, was_unchecked = b->is_unchecked;
    struct bound *x;

    b->is_checked = n->flag;
    b->is_unchecked = !n->flag;
    x = bind_value(b, n->a);
    b->is_checked = was_checked;
    b->is_unchecked = was_unchecked;
    return x;
}

static struct bound *
bind_throw(struct binder *b, const struct node *n)
{
    struct bound *t = bound_new(b, B_THROW, n, NULL);

    if (!n->a) {
        if (!b->in_catch)
            return bind_error(b, n, "'throw' without an exception may stand only in a catch block (CS0156)");
        return t;
    }
    t->a = bind_value(b, n->a);
    if (is_error(t->a))
        return t->a;
    t->a = convert(b, t->a, b->core->exception);
    return is_error(t->a) ? t->a : t;
}

static struct bound *
bind_tuple(struct binder *b, const struct node *n)
{
    const struct type *types[TUPLE_VALUES_MAX];
    struct str names[TUPLE_VALUES_MAX];
    struct bound *t = bound_new(b, B_NEW_RECORD, n, NULL), **last = &t->list;
    bool waits = false;
    uint32_t count = 0;

    for (const struct node *it = n->list; it; it = it->next) {
        struct bound *x = bind_value(b, it->a);
        if (is_error(x))
            return x;
        if (count == TUPLE_VALUES_MAX)
            return bind_error(b, n, "a tuple has at most %d values", TUPLE_VALUES_MAX);
        if (x->type && x->type->kind == TYPE_VOID)
            return bind_error(b, it, "a call that gives no value cannot stand in a tuple (CS8210)");
        waits |= !x->type || x->type->kind == TYPE_NULL;
        names[count] = it->text.p ? it->text : it->a->kind == NODE_NAME || it->a->kind == NODE_MEMBER ? it->a->text : STR_NONE;
        types[count++] = x->type;
        *last = bound_link(b, x);
        last = &(*last)->next;
    }
    if (count < 2)
        return bind_error(b, n, "a tuple has at least two values (CS8124)");
    if (waits)
        t->kind = B_TUPLE_WAITS;
    else
        t->type = type_tuple(b->env, names, types, count);
    return t;
}

static struct bound *
bind_typeof(struct binder *b, const struct node *n)
{
    const struct type *t = bind_type(b, n->a);
    struct box *box = arena_new(b->arena, struct box);

    if (t->kind == TYPE_ERROR || !box)
        return bound_new(b, B_ERROR, n, b->core->error);
    *box = (struct box){.head = {b->core->type_type}, .v = value_ref(t)};
    return bound_constant(b, n, b->core->type_type, value_ref(box));
}

/* Of the simple types; others would need unsafe code. */
static struct bound *
bind_sizeof(struct binder *b, const struct node *n)
{
    static const uint8_t sizes[] = {[TYPE_BOOL] = 1, [TYPE_CHAR] = 2, [TYPE_SBYTE] = 1, [TYPE_BYTE] = 1, [TYPE_SHORT] = 2, [TYPE_USHORT] = 2,
                                    [TYPE_INT] = 4, [TYPE_UINT] = 4, [TYPE_LONG] = 8, [TYPE_ULONG] = 8, [TYPE_FLOAT] = 4, [TYPE_DOUBLE] = 8,
                                    [TYPE_DECIMAL] = 16};
    const struct type *t = bind_type(b, n->a);

    if (t->kind == TYPE_ERROR)
        return bound_new(b, B_ERROR, n, t);
    if (t->kind == TYPE_ENUM)
        return bound_constant(b, n, b->core->int_, value_i64(4));
    if (t->kind >= COUNTOF(sizes) || !sizes[t->kind])
        return bind_error(b, n, "`%.*s` has no size that an expression may ask for (CS0233)", STR_ARG(t->name));
    return bound_constant(b, n, b->core->int_, value_i64(sizes[t->kind]));
}

static struct bound *
expression_inside(struct binder *b, const struct node *n)
{
    const struct type *type;

    switch (n->kind) {
    case NODE_NUMBER:
        return n->literal_kind == TYPE_DECIMAL ? decimal_literal(b, n) : bound_constant(b, n, literal_type(b, n->literal_kind), n->value);
    case NODE_CHARACTER: return bound_constant(b, n, b->core->char_, n->value);
    case NODE_STRING: return bound_string(b, n, n->text);
    case NODE_TRUE: case NODE_FALSE: return bound_constant(b, n, b->core->bool_, value_bool(n->kind == NODE_TRUE));
    case NODE_NULL: return bound_new(b, B_DEFAULT, n, b->core->null);
    case NODE_INTERPOLATION: return interpolation(b, n);
    case NODE_NAME: return bind_name(b, n);
    case NODE_TYPE_NAME: case NODE_TYPE_ARRAY: case NODE_TYPE_NULLABLE: case NODE_TYPE_TUPLE: {
        struct bound *t = bound_new(b, B_TYPE, n, NULL);
        t->target = bind_type(b, n);
        return t->target->kind == TYPE_ERROR ? bound_new(b, B_ERROR, n, t->target) : t;
    }
    case NODE_MEMBER: return bind_member(b, n);
    case NODE_CALL: return bind_call(b, n);
    case NODE_INDEX: return bind_index(b, n);
    case NODE_NEW: return bind_new(b, n);
    case NODE_NEW_ARRAY: return bind_new_array(b, n);
    case NODE_ANONYMOUS: return bind_anonymous(b, n);
    case NODE_LAMBDA: return bind_lambda(b, n);
    case NODE_CONDITIONAL_ACCESS: return bind_conditional_access(b, n);
    case NODE_RECEIVER: return b->receiver;
    case NODE_UNARY:
        return n->op == TOK_INCREMENT || n->op == TOK_DECREMENT ? bind_increment(b, n, false)
               : bound_unary(b, n, n->op, bind_value(b, n->a));
    case NODE_POSTFIX: return bind_increment(b, n, true);
    case NODE_BINARY:
        if (n->op == TOK_COALESCE)
            return bind_coalesce(b, n);
        return n->op == TOK_AND_AND || n->op == TOK_OR_OR ? bind_logical(b, n) : bind_binary(b, n);
    case NODE_ASSIGN: return bind_assignment(b, n);
    case NODE_CONDITIONAL: return bind_conditional(b, n);
    case NODE_CAST: return bind_cast(b, n);
    case NODE_IS: {
        struct bound *x = bind_value(b, n->a);
        return is_error(x) ? x : bind_pattern(b, n->b, x);
    }
    case NODE_AS: return bind_as_type(b, n);
    case NODE_TYPEOF: return bind_typeof(b, n);
    case NODE_SIZEOF: return bind_sizeof(b, n);
    case NODE_DEFAULT:
        if (!n->a)
            return bound_new(b, B_DEFAULT_WAITS, n, NULL);
        type = bind_type(b, n->a);
        return type->kind == TYPE_ERROR ? bound_new(b, B_ERROR, n, type) : bound_default(b, n, type);
    case NODE_CHECKED: return bind_checked(b, n);
    case NODE_THROW: return bind_throw(b, n);
    case NODE_TUPLE: return bind_tuple(b, n);
    case NODE_INITIALIZER: return bind_error(b, n, "an initializer cannot stand here; write `new T[] { ... }` (CS1525)");
    default: return bound_new(b, B_ERROR, n, b->core->error);
    }
}

struct bound *
bind_expression(struct binder *b, const struct node *n)
{
    struct bound *x;

    if (b->nodes_left == 0 || b->depth > DEPTH_MAX) {
        if (!b->is_given_up) {
            b->is_given_up = true;
            b->given_up_at = n;
            if (!b->trial)
                bind_report_given_up(b);
        }
        b->diags->errors += b->trial > 0;
        return bound_new(b, B_ERROR, n, b->core->error);
    }
    b->depth++;
    x = expression_inside(b, n);
    b->depth--;
    return x;
}

struct bound *
bind_value(struct binder *b, const struct node *n)
{
    struct bound *x = bind_expression(b, n);

    if (x->kind == B_TYPE || x->kind == B_NAMESPACE)
        return bind_error(b, n, "`%.*s` is a %s; a value is expected (CS0119)", STR_ARG(x->kind == B_TYPE ? x->target->name : x->text),
                          x->kind == B_TYPE ? "type" : "namespace");
    return x;
}

struct bound *
bind_as(struct binder *b, const struct node *n, const struct type *type)
{
    struct bound *x;

    if (n->kind == NODE_INITIALIZER && type->kind == TYPE_ARRAY)
        return bind_array_initializer(b, n, type);
    x = bind_value(b, n);
    return convert(b, x, type);
}

struct bound *
bind_condition(struct binder *b, const struct node *n)
{
    return bind_as(b, n, b->core->bool_);
}
