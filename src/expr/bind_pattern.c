/* bind_pattern.c: casts, `is`, `as` and patterns.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/bind.h"

struct bound *
bind_cast(struct binder *b, const struct node *n)
{
    const struct type *to = bind_type(b, n->a);
    struct bound *x = bind_value(b, n->b);

    if (to->kind == TYPE_ERROR)
        return bound_new(b, B_ERROR, n, to);
    return convert_explicit(b, n, x, to);
}

static struct bound *
is_type(struct binder *b, const struct node *n, struct bound *x, const struct type *type, struct symbol *symbol)
{
    struct bound *r;

    if (is_error(x) || type->kind == TYPE_ERROR)
        return is_error(x) ? x : bound_new(b, B_ERROR, n, type);
    if (!x->type)
        return bind_error(b, n, "a lambda has no type to test (CS0837)");
    if (symbol && classify_explicit(b, x, type).kind == CONVERT_NONE)
        return bind_error(b, n, "`%.*s` can never be `%.*s` (CS8121)", STR_ARG(x->type->name), STR_ARG(type->name));
    if (type_is_value_type(x->type) && x->type->kind != TYPE_NULLABLE)
        x = convert_with(b, x, b->core->object, (struct conversion){.kind = CONVERT_BOX});
    r = bound_new(b, B_IS, n, b->core->bool_);
    r->a = x;
    r->target = type_strip_nullable(type);
    r->symbol = symbol;
    return r;
}

/* Where a pattern's variable lives: the innermost scope; '_' is no variable. */
static struct symbol *
pattern_variable(struct binder *b, const struct node *n, const struct type *type)
{
    if (!n->text.p || str_eq_lit(n->text, "_"))
        return NULL;
    return declare(b, SYMBOL_LOCAL, n->text, type, n);
}

struct bound *
bind_pattern(struct binder *b, const struct node *n, struct bound *value)
{
    const struct type *type;
    struct bound *x;

    if (n->kind == NODE_PATTERN_VAR) {
        struct symbol *s = pattern_variable(b, n, value->type);
        struct bound *yes = bound_constant(b, n, b->core->bool_, value_bool(true)), *set;
        if (!s)
            return yes;
        set = bound_new(b, B_ASSIGN, n, value->type);
        set->a = bound_symbol(b, n, s);
        set->b = value;
        return bound_sequence(b, set, yes);
    }
    if (n->kind == NODE_PATTERN_TYPE) {
        if (n->a->kind == NODE_TYPE_NAME && str_eq_lit(n->a->text, "var") && !n->a->a)
            return bind_pattern(b, &(struct node){.kind = NODE_PATTERN_VAR, .text = n->text, .at = n->at, .end = n->end}, value);
        type = bind_type(b, n->a);
        if (type->kind == TYPE_NULLABLE)
            return n->text.p ? bind_error(b, n, "a pattern cannot be of the nullable type `%.*s` (CS8116)", STR_ARG(type->name))
                             : is_type(b, n, value, type, NULL);
        return is_type(b, n, value, type, pattern_variable(b, n, type));
    }
    if ((n->a->kind == NODE_NAME || n->a->kind == NODE_MEMBER) && !find_symbol(b, n->a->kind == NODE_NAME ? n->a->text : STR("")) &&
        type_is_named(b, n->a, &type))
        return is_type(b, n, value, type, NULL);
    x = bind_value(b, n->a);
    if (is_error(x) || is_error(value))
        return is_error(x) ? x : value;
    if (x->type && x->type->kind == TYPE_NULL)
        return type_is_reference(value->type) || value->type->kind == TYPE_NULLABLE ? bound_is_null(b, value, false)
               : bind_error(b, n, "`%.*s` is never null (CS0037)", STR_ARG(value->type->name));
    if (!x->is_constant)
        return bind_error(b, n, "expected a constant (CS0150)");
    if (value->type->kind == TYPE_OBJECT || value->type->kind == TYPE_INTERFACE) {
        /* object is 5: of that type and equal */
        struct bound *test = is_type(b, n, value, x->type, NULL);
        return bound_pair(b, B_AND, test, bound_binary(b, n, TOK_EQUAL, false, convert_explicit(b, n, value, x->type), x));
    }
    x = convert(b, x, type_strip_nullable(value->type));
    return is_error(x) ? x : bound_binary(b, n, TOK_EQUAL, false, value, x);
}

struct bound *
bind_as_type(struct binder *b, const struct node *n)
{
    struct bound *x = bind_value(b, n->a), *r;
    const struct type *type = bind_type(b, n->b);

    if (is_error(x) || type->kind == TYPE_ERROR)
        return is_error(x) ? x : bound_new(b, B_ERROR, n, type);
    if (type_is_value_type(type) && type->kind != TYPE_NULLABLE)
        return bind_error(b, n, "'as' needs a type that can be null; `%.*s` cannot (CS0077)", STR_ARG(type->name));
    if (!x->type)
        return bind_error(b, n, "a lambda has no type (CS0837)");
    if (x->type->kind == TYPE_NULL)
        return bound_default(b, n, type);
    if (classify_explicit(b, x, type).kind == CONVERT_NONE || classify_explicit(b, x, type).kind >= CONVERT_USER_EXPLICIT)
        return bind_error(b, n, "`%.*s` can never be `%.*s` (CS0039)", STR_ARG(x->type->name), STR_ARG(type->name));
    if (type_is_value_type(x->type) && x->type->kind != TYPE_NULLABLE)
        x = convert_with(b, x, b->core->object, (struct conversion){.kind = CONVERT_BOX});
    r = bound_new(b, B_AS, n, type);
    r->a = x;
    r->target = type_strip_nullable(type);
    return r;
}
