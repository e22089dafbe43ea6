/* convert.c: C#'s conversions: which one leads from an expression to a type, and the node that performs it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/bind.h"

static const struct conversion none = {CONVERT_NONE, NULL, NULL, NULL, NULL};

static struct conversion
plain(enum conversion_kind kind)
{
    return (struct conversion){.kind = kind};
}

bool
conversion_is_implicit(struct conversion c)
{
    return c.kind > CONVERT_NONE && c.kind < CONVERT_EXPLICIT;
}

/* The table of implicit numeric conversions of the C# specification (10.2.3). */
static bool
is_implicit_numeric(enum type_kind from, enum type_kind to)
{
#define K(k) (1u << (k))
    static const uint32_t table[TYPE_DECIMAL + 1] = {
        [TYPE_CHAR] = K(TYPE_USHORT) | K(TYPE_INT) | K(TYPE_UINT) | K(TYPE_LONG) | K(TYPE_ULONG) | K(TYPE_FLOAT) | K(TYPE_DOUBLE) | K(TYPE_DECIMAL),
        [TYPE_SBYTE] = K(TYPE_SHORT) | K(TYPE_INT) | K(TYPE_LONG) | K(TYPE_FLOAT) | K(TYPE_DOUBLE) | K(TYPE_DECIMAL),
        [TYPE_BYTE] = K(TYPE_SHORT) | K(TYPE_USHORT) | K(TYPE_INT) | K(TYPE_UINT) | K(TYPE_LONG) | K(TYPE_ULONG) | K(TYPE_FLOAT) | K(TYPE_DOUBLE) | K(TYPE_DECIMAL),
        [TYPE_SHORT] = K(TYPE_INT) | K(TYPE_LONG) | K(TYPE_FLOAT) | K(TYPE_DOUBLE) | K(TYPE_DECIMAL),
        [TYPE_USHORT] = K(TYPE_INT) | K(TYPE_UINT) | K(TYPE_LONG) | K(TYPE_ULONG) | K(TYPE_FLOAT) | K(TYPE_DOUBLE) | K(TYPE_DECIMAL),
        [TYPE_INT] = K(TYPE_LONG) | K(TYPE_FLOAT) | K(TYPE_DOUBLE) | K(TYPE_DECIMAL),
        [TYPE_UINT] = K(TYPE_LONG) | K(TYPE_ULONG) | K(TYPE_FLOAT) | K(TYPE_DOUBLE) | K(TYPE_DECIMAL),
        [TYPE_LONG] = K(TYPE_FLOAT) | K(TYPE_DOUBLE) | K(TYPE_DECIMAL),
        [TYPE_ULONG] = K(TYPE_FLOAT) | K(TYPE_DOUBLE) | K(TYPE_DECIMAL),
        [TYPE_FLOAT] = K(TYPE_DOUBLE),
    };
#undef K
    return from <= TYPE_DECIMAL && to <= TYPE_DECIMAL && (table[from] >> to & 1);
}

static bool
is_number_like(const struct type *t)
{
    return type_is_numeric(t) || t->kind == TYPE_CHAR;
}

/* Without user-defined operators and without looking at the expression. */
static struct conversion
standard(struct binder *b, const struct type *from, const struct type *to)
{
    if (from == to)
        return plain(CONVERT_IDENTITY);
    if (from->kind == TYPE_ERROR || to->kind == TYPE_ERROR)
        return plain(CONVERT_IDENTITY);
    if (from->kind == TYPE_VOID || to->kind == TYPE_VOID || to->kind == TYPE_STATIC)
        return none;
    if (from->kind == TYPE_NULL)
        return type_is_reference(to) || to->kind == TYPE_NULLABLE ? plain(CONVERT_NULL) : none;
    if (is_implicit_numeric(from->kind, to->kind))
        return plain(CONVERT_NUMERIC);
    if (to->kind == TYPE_NULLABLE) {
        const struct type *inner = type_strip_nullable(from);
        if (!conversion_is_implicit(standard(b, inner, to->args[0])))
            return none;
        return plain(from->kind == TYPE_NULLABLE ? CONVERT_LIFTED : CONVERT_NULLABLE);
    }
    if ((from->flags & TYPE_IS_TUPLE) && (to->flags & TYPE_IS_TUPLE) && from->n_args == to->n_args) {
        for (uint32_t i = 0; i < from->n_args; i++)
            if (!conversion_is_implicit(standard(b, from->args[i], to->args[i])))
                return none;
        return plain(CONVERT_TUPLE);
    }
    if (type_is_assignable(type_is_reference(to) ? type_strip_nullable(from) : from, to))
        return plain(type_is_value_type(from) ? CONVERT_BOX : CONVERT_REFERENCE);
    return none;
}

static bool
is_cheaper(struct binder *b, const struct type *x, const struct type *y)
{
    return y == NULL || (x != y && conversion_is_implicit(standard(b, x, y)));
}

/* An int constant that fits goes to the smaller types too (C# 10.2.11). */
static bool
is_constant_conversion(const struct bound *x, const struct type *to)
{
    struct value ignored;

    if (!x->is_constant || (x->type->kind != TYPE_INT && x->type->kind != TYPE_LONG))
        return false;
    if (x->type->kind == TYPE_LONG)
        return to->kind == TYPE_ULONG && x->value.i64 >= 0;
    switch ((int)to->kind) {
    case TYPE_SBYTE: case TYPE_BYTE: case TYPE_SHORT: case TYPE_USHORT: case TYPE_UINT: case TYPE_ULONG:
        return fold_convert(x->value, x->type, to, true, &ignored);
    }
    return false;
}

/* Operators declared by `in` (and its bases): the one whose parameter is the most specific type that takes `from` and whose
 * result is the nearest to `to`. */
static void
search_operators(struct binder *b, const struct type *in, const struct type *from, const struct bound *x, const struct type *to,
                 bool allow_explicit, struct conversion *best)
{
    static const struct str names[] = {STR_INIT("op_Implicit"), STR_INIT("op_Explicit")};

    for (const struct type *t = in; t; t = t->base) {
        for (size_t which = 0; which < (allow_explicit ? 2u : 1u) && t->def; which++) {
            for (const struct member *m = def_member(t->def, names[which]); m; m = m->next_same_name) {
                const struct type *takes = type_substitute(m->parameters[0].type, t->args, NULL);
                const struct type *gives = type_substitute(m->ret, t->args, NULL);
                struct conversion in_step = from ? standard(b, from, takes) : none, out_step = standard(b, gives, to);
                bool is_in = conversion_is_implicit(in_step) ||
                             (x && is_constant_conversion(x, type_strip_nullable(takes)));
                bool is_out = conversion_is_implicit(out_step);
                if (allow_explicit && !is_in && from)
                    is_in = conversion_is_implicit(standard(b, takes, from)) && !is_number_like(from);
                if (allow_explicit && !is_out)
                    is_out = conversion_is_implicit(standard(b, to, gives)) ||
                             (is_number_like(to) && is_number_like(gives));
                if (!is_in || !is_out || (m->flags & MEMBER_IS_LATER))
                    continue;
                if (best->user && !(gives == to && best->user_to != to) &&
                    !(is_cheaper(b, takes, best->user_from) && (gives == to) == (best->user_to == to)) &&
                    takes != from)
                    continue;
                if (best->user && best->user_to == to && gives != to)
                    continue;
                *best = (struct conversion){m->is_implicit ? CONVERT_USER : CONVERT_USER_EXPLICIT, m, t, takes, gives};
            }
        }
    }
}

static struct conversion
user_defined(struct binder *b, const struct type *from, const struct bound *x, const struct type *to, bool allow_explicit)
{
    struct conversion best = none;
    const struct type *to_inner = type_strip_nullable(to), *from_inner = type_strip_nullable(from);

    /* No operator converts from or to object or an interface; decimal's are standard conversions. */
    if (to->kind == TYPE_INTERFACE || to->kind == TYPE_OBJECT || from->kind == TYPE_INTERFACE || from->kind == TYPE_OBJECT ||
        from->kind == TYPE_VOID)
        return none;
    if (is_number_like(from_inner) && is_number_like(to_inner))
        return none;
    search_operators(b, to, from, x, to, allow_explicit, &best);
    if (to_inner != to)
        search_operators(b, to_inner, from, x, to, allow_explicit, &best);
    if (from->kind != TYPE_NULL)
        search_operators(b, from, from, x, to, allow_explicit, &best);
    return best;
}

struct conversion
classify_types(struct binder *b, const struct type *from, const struct type *to)
{
    struct conversion c = standard(b, from, to);

    return c.kind != CONVERT_NONE ? c : user_defined(b, from, NULL, to, false);
}

static struct conversion
classify_waiting(struct binder *b, const struct bound *x, const struct type *to)
{
    const struct type *ignored;

    if (x->kind == B_DEFAULT_WAITS)
        return plain(CONVERT_DEFAULT);
    if (x->kind == B_THROW)
        return plain(CONVERT_THROW);
    if (to->kind != TYPE_DELEGATE)
        return none;
    if (x->kind == B_METHODS || x->kind == B_FUNCTION_WAITS) {
        struct trial t;
        bool fits;
        trial_begin(b, &t);
        fits = !is_error(method_group_for(b, (struct bound *)x, to, &ignored));
        return trial_end(b, &t) && fits ? plain(CONVERT_METHOD_GROUP) : none;
    }
    if (x->kind == B_LAMBDA_WAITS) {
        const struct type *parameters[ARGUMENTS_MAX], *ret_type;
        uint32_t n = delegate_signature(to, parameters, ARGUMENTS_MAX, &ret_type);
        for (uint32_t i = 0; i < n; i++)
            if (parameters[i]->flags & TYPE_IS_OPEN)
                return none;
        return lambda_fits(b, x->node, to) ? plain(CONVERT_LAMBDA) : none;
    }
    return none;
}

/* Its list is of links. */
static bool
is_tuple_literal(const struct bound *x)
{
    return x->kind == B_TUPLE_WAITS || (x->kind == B_NEW_RECORD && x->node && x->node->kind == NODE_TUPLE);
}

/* A tuple as it is written converts when each of its values does. */
static struct conversion
classify_literal(struct binder *b, const struct bound *x, const struct type *to)
{
    const struct type *tuple = type_strip_nullable(to);
    uint32_t i = 0;

    if (!(tuple->flags & TYPE_IS_TUPLE))
        return none;
    for (const struct bound *it = x->list; it; it = it->next, i++)
        if (i == tuple->n_args || !conversion_is_implicit(classify(b, it->a, tuple->args[i])))
            return none;
    return i == tuple->n_args ? plain(tuple == to ? CONVERT_TUPLE : CONVERT_NULLABLE) : none;
}

struct conversion
classify(struct binder *b, const struct bound *x, const struct type *to)
{
    struct conversion c;

    if (!x->type)
        return x->kind == B_TUPLE_WAITS ? classify_literal(b, x, to) : classify_waiting(b, x, to);
    c = standard(b, x->type, to);
    if (c.kind == CONVERT_NONE && is_tuple_literal(x))
        c = classify_literal(b, x, to);
    if (c.kind != CONVERT_NONE)
        return c;
    if (is_constant_conversion(x, type_strip_nullable(to)))
        return plain(to->kind == TYPE_NULLABLE ? CONVERT_NULLABLE : CONVERT_CONSTANT);
    if (to->kind == TYPE_ENUM && x->is_constant && type_is_integral(x->type) && x->value.i64 == 0)
        return plain(CONVERT_ENUM_ZERO);
    return user_defined(b, x->type, x, to, false);
}

/* Nothing derives from it, so it implements no interface but its own. */
static bool
is_sealed(const struct type *t)
{
    return t->kind == TYPE_STRING || t->kind == TYPE_ARRAY || t->kind == TYPE_DELEGATE || (t->flags & (TYPE_IS_ANONYMOUS | TYPE_IS_TUPLE));
}

/* object[] to IList<string>: the elements may turn out to be strings. */
static bool
is_array_interface(struct binder *b, const struct type *array, const struct type *to)
{
    struct bound element = {.kind = B_SYMBOL};

    if (array->kind != TYPE_ARRAY || to->n_args != 1 || !type_is_reference(array->args[0]) || !type_is_reference(to->args[0]))
        return false;
    element.type = array->args[0];
    return type_is_assignable(type_array_of(to->args[0]), to) && classify_explicit(b, &element, to->args[0]).kind != CONVERT_NONE;
}

static bool
is_enum_or_number(const struct type *t)
{
    return t->kind == TYPE_ENUM || is_number_like(t);
}

struct conversion
classify_explicit(struct binder *b, const struct bound *x, const struct type *to)
{
    struct conversion c = classify(b, x, to);
    const struct type *from = x->type;

    if (c.kind != CONVERT_NONE || !from)
        return c;
    if (is_number_like(from) && is_number_like(to))
        return plain(CONVERT_NARROW);
    if (is_enum_or_number(from) && is_enum_or_number(to))
        return plain(CONVERT_ENUM);
    if (from->kind == TYPE_NULLABLE || to->kind == TYPE_NULLABLE) {
        struct bound inner = {.kind = B_SYMBOL, .type = type_strip_nullable(from)};
        struct conversion step = classify_explicit(b, &inner, type_strip_nullable(to));
        if (type_is_value_type(inner.type) && type_is_value_type(type_strip_nullable(to)) && step.kind != CONVERT_NONE &&
            step.kind != CONVERT_USER && step.kind != CONVERT_USER_EXPLICIT)
            return plain(to->kind != TYPE_NULLABLE ? CONVERT_UNWRAP
                         : from->kind == TYPE_NULLABLE ? CONVERT_LIFTED : CONVERT_NULLABLE);
    }
    if (from->kind == TYPE_OBJECT || from->kind == TYPE_INTERFACE || from == b->core->value_type || from == b->core->enum_) {
        if (type_is_value_type(to))
            return from->kind != TYPE_INTERFACE || type_is_assignable(type_strip_nullable(to), from) ? plain(CONVERT_UNBOX) : none;
        if (type_is_reference(to) && !(from->kind == TYPE_INTERFACE && is_sealed(to)))
            return plain(CONVERT_DOWN);
    }
    if (type_is_reference(from) && type_is_reference(to) && type_is_assignable(to, from))
        return plain(CONVERT_DOWN);
    c = user_defined(b, from, x, to, true);
    if (c.kind != CONVERT_NONE)
        return c;
    if (to->kind == TYPE_INTERFACE && type_is_reference(from) && (!is_sealed(from) || is_array_interface(b, from, to)))
        return plain(CONVERT_DOWN);
    if (from->kind == TYPE_DELEGATE && to->kind == TYPE_DELEGATE && from->def == to->def && (to->def->in | to->def->out))
        return plain(CONVERT_DOWN);
    if (from->kind == TYPE_ARRAY && to->kind == TYPE_ARRAY && type_is_reference(from->args[0]) && type_is_reference(to->args[0]))
        return plain(CONVERT_DOWN);
    return none;
}

/* --- performing ------------------------------------------------------------------------------------------------------------- */

static struct bound *
convert_node(struct binder *b, struct bound *x, const struct type *to, enum conversion_kind kind)
{
    struct bound *n = bound_new(b, B_CONVERT, x->node, to);

    n->a = x;
    n->conversion = kind;
    n->target = to;
    n->is_checked = b->is_checked;
    return n;
}

/* decimal's conversions are members of decimal. */
static struct bound *
convert_decimal(struct binder *b, struct bound *x, const struct type *to)
{
    const struct type *decimal = b->core->decimal_;
    static const struct str names[] = {STR_INIT("op_Implicit"), STR_INIT("op_Explicit")};

    for (size_t i = 0; i < 2; i++) {
        for (const struct member *m = def_member(decimal->def, names[i]); m; m = m->next_same_name) {
            if (m->parameters[0].type == x->type && m->ret == to) {
                struct bound *call = bound_call(b, x->node, m, decimal, NULL, to, bound_link(b, x));
                return x->is_constant ? fold_call(b, call) : call;
            }
        }
    }
    return bind_error(b, x->node, "the conversion from `%.*s` to `%.*s` is not supported yet", STR_ARG(x->type->name),
                      STR_ARG(to->name));
}

static struct bound *
convert_numeric(struct binder *b, struct bound *x, const struct type *to, enum conversion_kind kind)
{
    struct value v;

    if (x->type == to)
        return x;
    if (x->type->kind == TYPE_DECIMAL || to->kind == TYPE_DECIMAL) {
        if (x->type->kind == TYPE_ENUM)
            x = convert_node(b, x, b->core->long_, CONVERT_ENUM);
        return convert_decimal(b, x, to);
    }
    if (x->is_constant) {
        if (!fold_convert(x->value, x->type, to, false, &v) ||
            (!b->is_unchecked && !fold_convert(x->value, x->type, to, true, &v) && kind != CONVERT_NUMERIC &&
             to->kind != TYPE_FLOAT && to->kind != TYPE_DOUBLE))
            return bind_error(b, x->node, "the constant does not fit into `%.*s` (CS0221)", STR_ARG(to->name));
        return bound_constant(b, x->node, to, v);
    }
    return convert_node(b, x, to, kind);
}

/* T? -> U?: null stays null. */
static struct bound *
convert_lifted(struct binder *b, struct bound *x, const struct type *to)
{
    struct bound *effect, *kept = bound_keep(b, x, &effect), *inner = bound_new(b, B_NULLABLE_VALUE, x->node, x->type->args[0]);
    struct bound *n = bound_new(b, B_CONDITIONAL, x->node, to);

    if (x->type == to)
        return x;
    inner->a = kept;
    inner->flag = true;
    n->a = bound_is_null(b, kept, true);
    n->b = convert(b, convert_explicit(b, x->node, inner, to->args[0]), to);
    n->c = bound_default(b, x->node, to);
    return bound_sequence(b, effect, n);
}

static struct bound *
convert_user(struct binder *b, struct bound *x, const struct type *to, struct conversion c)
{
    struct bound *in = x, *call;

    if (in->type != c.user_from)
        in = conversion_is_implicit(classify(b, in, c.user_from)) ? convert(b, in, c.user_from)
             : convert_explicit(b, x->node, in, c.user_from);
    call = bound_call(b, x->node, c.user, c.user_owner, NULL, c.user_to, bound_link(b, in));
    return c.user_to == to ? call : convert_explicit(b, x->node, call, to);
}

static struct bound *
convert_literal(struct binder *b, struct bound *x, const struct type *to)
{
    struct bound *n = bound_new(b, B_NEW_RECORD, x->node, to), **last = &n->list;
    uint32_t i = 0;

    for (struct bound *it = x->list; it; it = it->next, i++) {
        struct bound *value = convert(b, it->a, to->args[i]);
        if (is_error(value))
            return value;
        *last = bound_link(b, value);
        last = &(*last)->next;
    }
    return n;
}

static struct bound *
convert_tuple(struct binder *b, struct bound *x, const struct type *to)
{
    struct bound *effect, *kept, *n, **last;

    if (is_tuple_literal(x))
        return convert_literal(b, x, to);
    kept = bound_keep(b, x, &effect);
    n = bound_new(b, B_NEW_RECORD, x->node, to);
    last = &n->list;
    for (uint32_t i = 0; i < to->n_args; i++) {
        struct bound *field = bound_new(b, B_FIELD, x->node, x->type->args[i]);
        field->a = kept;
        field->index = i;
        *last = convert(b, field, to->args[i]);
        last = &(*last)->next;
    }
    return bound_sequence(b, effect, n);
}

struct bound *
convert_with(struct binder *b, struct bound *x, const struct type *to, struct conversion c)
{
    const struct type *ignored;
    struct bound *n;

    switch (c.kind) {
    case CONVERT_NONE: break;
    case CONVERT_IDENTITY: return x;
    case CONVERT_NUMERIC: case CONVERT_CONSTANT: case CONVERT_NARROW: return convert_numeric(b, x, to, c.kind);
    case CONVERT_ENUM:
        if (x->type->kind == TYPE_DECIMAL || to->kind == TYPE_DECIMAL)
            return convert_numeric(b, x, to, c.kind);
        if (x->is_constant && type_is_integral(x->type) && to->kind == TYPE_ENUM)
            return bound_constant(b, x->node, to, x->value);
        if (x->is_constant && x->type->kind == TYPE_ENUM)
            return convert_explicit(b, x->node, bound_constant(b, x->node, b->core->long_, x->value), to);
        return convert_node(b, x, to, c.kind);
    case CONVERT_ENUM_ZERO: return bound_constant(b, x->node, to, value_i64(0));
    case CONVERT_NULL: case CONVERT_DEFAULT:
        return bound_default(b, x->node, to);
    case CONVERT_NULLABLE:
        n = convert_explicit(b, x->node, x, to->args[0]);
        return is_error(n) ? n : convert_node(b, n, to, CONVERT_NULLABLE);
    case CONVERT_LIFTED: return convert_lifted(b, x, to);
    case CONVERT_REFERENCE:
        n = bound_new(b, B_CONVERT, x->node, to);
        n->a = x;
        n->conversion = CONVERT_REFERENCE;
        n->target = to;
        return n;
    case CONVERT_BOX: case CONVERT_UNBOX: case CONVERT_DOWN: return convert_node(b, x, to, c.kind);
    case CONVERT_UNWRAP:
        n = bound_new(b, B_NULLABLE_VALUE, x->node, x->type->args[0]);
        n->a = x;
        return convert_explicit(b, x->node, n, to);
    case CONVERT_LAMBDA:
        n = lambda_for(b, x->node, to);
        return n ? n : bind_error(b, x->node, "the lambda does not fit `%.*s` (CS1593)", STR_ARG(to->name));
    case CONVERT_METHOD_GROUP: return method_group_for(b, x, to, &ignored);
    case CONVERT_THROW:
        n = bound_new(b, B_THROW, x->node, to);
        n->a = x->a;
        return n;
    case CONVERT_TUPLE: return convert_tuple(b, x, to);
    case CONVERT_USER: case CONVERT_USER_EXPLICIT: return convert_user(b, x, to, c);
    case CONVERT_EXPLICIT: break;
    }
    return bind_error(b, x->node, "`%.*s` does not convert to `%.*s` (CS0029)", STR_ARG(bound_type_name(x)),
                      STR_ARG(to->name));
}

static struct bound *
no_conversion(struct binder *b, struct bound *x, const struct type *to)
{
    if (x->kind == B_LAMBDA_WAITS && to->kind == TYPE_DELEGATE) {
        struct bound *n = lambda_for(b, x->node, to);       /* says what is wrong inside */
        return n ? n : bind_error(b, x->node, "`%.*s` takes another number of parameters (CS1593)", STR_ARG(to->name));
    }
    if ((x->kind == B_METHODS || x->kind == B_FUNCTION_WAITS) && to->kind == TYPE_DELEGATE) {
        const struct type *ignored;
        return method_group_for(b, x, to, &ignored);
    }
    if (x->kind == B_TUPLE_WAITS)
        return bind_error(b, x->node, "the tuple does not convert to `%.*s` (CS8135)", STR_ARG(to->name));
    if (!x->type)
        return bind_error(b, x->node, "%s does not convert to `%.*s` (CS1660)",
                          x->kind == B_LAMBDA_WAITS ? "a lambda" : "a method without call brackets", STR_ARG(to->name));
    if (x->type->kind == TYPE_NULL)
        return bind_error(b, x->node, "null does not convert to `%.*s`, which is a value type (CS0037)", STR_ARG(to->name));
    if (x->type->kind == TYPE_VOID)
        return bind_error(b, x->node, "the call gives no value (CS0029)");
    if (classify_explicit(b, x, to).kind != CONVERT_NONE)
        return bind_error(b, x->node, "`%.*s` does not convert to `%.*s` by itself; write a cast: (%.*s) (CS0266)",
                          STR_ARG(x->type->name), STR_ARG(to->name), STR_ARG(to->name));
    return bind_error(b, x->node, "`%.*s` does not convert to `%.*s` (CS0029)", STR_ARG(x->type->name), STR_ARG(to->name));
}

struct bound *
convert(struct binder *b, struct bound *x, const struct type *to)
{
    struct conversion c;

    if (is_error(x) || to->kind == TYPE_ERROR)
        return x;
    c = classify(b, x, to);
    return conversion_is_implicit(c) ? convert_with(b, x, to, c) : no_conversion(b, x, to);
}

struct bound *
convert_explicit(struct binder *b, const struct node *node, struct bound *x, const struct type *to)
{
    struct conversion c;

    if (is_error(x) || to->kind == TYPE_ERROR)
        return x;
    c = classify_explicit(b, x, to);
    if (c.kind != CONVERT_NONE)
        return convert_with(b, x, to, c);
    if (!x->type || x->type->kind == TYPE_NULL)
        return no_conversion(b, x, to);
    return bind_error(b, node, "`%.*s` cannot be cast to `%.*s` (CS0030)", STR_ARG(x->type->name), STR_ARG(to->name));
}

const struct type *
best_common_type(struct binder *b, struct bound **v, uint32_t n)
{
    const struct type *best = NULL;

    for (uint32_t i = 0; i < n; i++) {
        bool fits = true;
        if (!v[i]->type || v[i]->type->kind == TYPE_NULL || v[i]->type->kind == TYPE_VOID)
            continue;
        if (is_error(v[i]))
            return v[i]->type;
        for (uint32_t j = 0; fits && j < n; j++)
            fits = conversion_is_implicit(classify(b, v[j], v[i]->type));
        if (fits && (!best || !conversion_is_implicit(classify_types(b, v[i]->type, best))))
            best = v[i]->type;
    }
    return best;
}
