/* bind_new.c: creation: objects and their initialisers, arrays, anonymous objects.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/bind.h"

static bool initialize(struct binder *b, const struct node *init, struct bound *object, struct bound ***last);

static bool
initialize_value(struct binder *b, const struct node *n, struct bound *target, const struct node *value, struct bound ***last)
{
    struct bound *set;

    if (is_error(target))
        return false;
    if (!target->type) {
        bind_error(b, n, "only a field or property can be set in an initializer (CS1913)");
        return false;
    }
    if (value->kind == NODE_INITIALIZER && (!target->type || target->type->kind != TYPE_ARRAY))
        return initialize(b, value, target, last);
    set = assign_to(b, n, target, bind_as(b, value, target->type));
    if (is_error(set))
        return false;
    **last = set;
    *last = &set->next;
    return true;
}

static bool
initialize_element(struct binder *b, const struct node *n, struct bound *object, struct bound ***last)
{
    struct argument args[ARGUMENTS_MAX];
    struct bound *group = bound_member_value(b, n, object, STR("Add")), *call;
    uint32_t count = 0;

    if (is_error(group) || group->kind != B_METHODS)
        return false;
    group->index = 0;
    if (n->kind == NODE_INITIALIZER) {
        for (const struct node *it = n->list; it && count < ARGUMENTS_MAX - 2; it = it->next)
            args[count++] = (struct argument){.value = bind_value(b, it), .op = TOK_END, .node = it};
    } else {
        args[count++] = (struct argument){.value = bind_value(b, n), .op = TOK_END, .node = n};
    }
    call = call_methods(b, n, group, args, count);
    if (is_error(call))
        return false;
    **last = call;
    *last = &call->next;
    return true;
}

/* { Name = value, [index] = value, element, { key, value } } as statements on an object kept in a variable. */
static bool
initialize(struct binder *b, const struct node *init, struct bound *object, struct bound ***last)
{
    for (const struct node *it = init->list; it; it = it->next) {
        bool ok;
        if (it->kind == NODE_FIELD)
            ok = initialize_value(b, it, bound_member_value(b, it, object, it->text), it->a, last);
        else if (it->kind == NODE_INDEX_FIELD)
            ok = initialize_value(b, it, bound_index(b, it, object, it->list), it->a, last);
        else
            ok = initialize_element(b, it, object, last);
        if (!ok)
            return false;
    }
    return true;
}

static struct bound *
with_initializer(struct binder *b, const struct node *n, struct bound *object)
{
    struct bound *effects = NULL, **last = &effects, *kept;

    if (!n->b || is_error(object))
        return object;
    kept = bound_keep(b, object, last);
    last = &(*last)->next;
    if (!initialize(b, n->b, kept, &last))
        return bound_new(b, B_ERROR, n, b->core->error);
    return bound_sequence(b, effects, kept);
}

static struct bound *
construct(struct binder *b, const struct node *n, const struct type *type)
{
    struct argument args[ARGUMENTS_MAX];
    uint32_t count = bind_arguments(b, n->list, args);
    const struct member *first = type->def ? def_member(type->def, STR(".ctor")) : NULL;
    struct candidate c, other;

    if (type->kind == TYPE_DELEGATE && count == 1 && args[0].value->type && args[0].value->type->kind == TYPE_DELEGATE) {
        struct bound *group = bound_new(b, B_METHODS, n, NULL);      /* new D(d) is new D(d.Invoke) */
        const struct type *ignored;
        group->a = args[0].value;
        group->text = STR("Invoke");
        return method_group_for(b, group, type, &ignored);
    }
    if (type->kind == TYPE_DELEGATE)
        return count == 1 ? convert(b, args[0].value, type) : bind_error(b, n, "a delegate is made of one method or lambda (CS0149)");
    if (type->kind == TYPE_NULLABLE)
        return count == 1 ? convert(b, convert(b, args[0].value, type->args[0]), type) : bound_default(b, n, type);
    if (type->kind == TYPE_STATIC || type->kind == TYPE_INTERFACE || (type->flags & TYPE_IS_ABSTRACT))
        return bind_error(b, n, "`%.*s` cannot be created with 'new' (CS0144)", STR_ARG(type->name));
    if (has_error(args, count))
        return bound_new(b, B_ERROR, n, b->core->error);
    if (count == 0 && type_is_value_type(type) &&
        (!first || overload_resolve(b, first, type, NULL, 0, false, RECEIVER_ANY, args, 0, &c, &other) == OVERLOAD_NONE))
        return bound_default(b, n, type);
    if (!first)
        return bind_error(b, n, "`%.*s` has no constructor that expressions may call (CS1729)", STR_ARG(type->name));
    switch (overload_resolve(b, first, type, NULL, 0, false, RECEIVER_ANY, args, count, &c, &other)) {
    case OVERLOAD_FOUND: return finish_call(b, n, &c, NULL, args);
    case OVERLOAD_AMBIGUOUS: return report_ambiguous(b, n, type->name, &c, &other);
    case OVERLOAD_NONE: break;
    }
    if (!check_member(b, n, first))
        return bound_new(b, B_ERROR, n, b->core->error);
    return overload_report(b, n, first, type, type->name, args, count, false);
}

struct bound *
bind_new(struct binder *b, const struct node *n)
{
    const struct type *type = bind_type(b, n->a);

    if (type->kind == TYPE_ERROR) {
        struct argument args[ARGUMENTS_MAX];
        bind_arguments(b, n->list, args);
        return bound_new(b, B_ERROR, n, type);
    }
    return with_initializer(b, n, construct(b, n, type));
}

/* Elements of { ... }, nested once for each further dimension. */
static bool
array_elements(struct binder *b, const struct node *init, const struct type *element_type, uint8_t rank, struct bound ***last,
               uint32_t *counts)
{
    uint32_t n = 0;

    for (const struct node *it = init->list; it; it = it->next, n++) {
        struct bound *value;
        if (rank > 1) {
            if (it->kind != NODE_INITIALIZER) {
                bind_error(b, it, "expected a nested array initializer (CS0846)");
                return false;
            }
            if (!array_elements(b, it, element_type, (uint8_t)(rank - 1), last, counts + 1))
                return false;
            continue;
        }
        value = bind_as(b, it, element_type);
        if (is_error(value))
            return false;
        **last = bound_link(b, value);
        *last = &(**last)->next;
    }
    if (counts[0] != UINT32_MAX && counts[0] != n) {
        bind_error(b, init, "an array initializer of length %u is expected (CS0847)", counts[0]);
        return false;
    }
    counts[0] = n;
    return true;
}

struct bound *
bind_array_initializer(struct binder *b, const struct node *init, const struct type *array)
{
    uint32_t counts[8] = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    struct bound *n = bound_new(b, B_NEW_ARRAY, init, array), **last = &n->list, **sizes = &n->more;

    n->flag = true;
    if (array->rank > 8 || !array_elements(b, init, array->args[0], array->rank, &last, counts))
        return bound_new(b, B_ERROR, init, b->core->error);
    for (uint8_t i = 0; array->rank > 1 && i < array->rank; i++) {
        *sizes = bound_constant(b, init, b->core->int_, value_i64(counts[i] == UINT32_MAX ? 0 : counts[i]));
        sizes = &(*sizes)->next;
    }
    return n;
}

struct values {
    struct bound **v;
    size_t n, cap;
};

/* The elements of nested initialisers, bound to see their types only, or to report what is wrong with them. */
static void
collect_elements(struct binder *b, const struct node *init, uint8_t rank, struct values *to)
{
    for (const struct node *it = init ? init->list : NULL; it; it = it->next)
        if (rank > 1 && it->kind == NODE_INITIALIZER)
            collect_elements(b, it, (uint8_t)(rank - 1), to);
        else
            *vec_push(to) = bind_value(b, it);
}

/* new[] { ... }: the element type is the one all elements convert to. */
static struct bound *
implicit_array(struct binder *b, const struct node *n)
{
    struct values values = {0};
    const struct type *type;
    struct trial t;
    bool ok;

    trial_begin(b, &t);                /* of all at once: one may use what another declares */
    collect_elements(b, n->b, n->rank, &values);
    type = t.diags.errors ? NULL : best_common_type(b, values.v, (uint32_t)values.n);
    ok = trial_end(b, &t);
    if (!ok)
        collect_elements(b, n->b, n->rank, &values);
    vec_free(&values);
    if (!ok)
        return bound_new(b, B_ERROR, n, b->core->error);
    if (!type)
        return bind_error(b, n, "the elements of the array have no common type (CS0826)");
    return bind_array_initializer(b, n->b, type_array_rank(type, n->rank));
}

struct bound *
bind_new_array(struct binder *b, const struct node *n)
{
    const struct type *element_type = n->a ? bind_type(b, n->a) : NULL, *array;
    struct bound *r, **last;
    uint32_t i = 0;

    if (!element_type)
        return implicit_array(b, n);
    if (element_type->kind == TYPE_ERROR)
        return bound_new(b, B_ERROR, n, element_type);
    array = type_array_rank(element_type, n->rank);
    if (n->b) {
        r = bind_array_initializer(b, n->b, array);
        for (const struct node *it = n->list; it && !is_error(r); it = it->next, i++) {
            struct bound *size = bind_as(b, it, b->core->int_);
            uint32_t got = 0;
            for (struct bound *e = array->rank > 1 ? r->more : r->list; e; e = e->next)
                got++;
            if (!is_error(size) && array->rank == 1 && (!size->is_constant || size->value.i64 != got))
                return bind_error(b, it, "an array initializer of that length is expected (CS0847)");
        }
        return r;
    }
    r = bound_new(b, B_NEW_ARRAY, n, array);
    last = &r->list;
    for (const struct node *it = n->list; it; it = it->next) {
        struct bound *size = bind_value(b, it);
        if (!is_error(size) && size->type && type_is_integral(size->type))
            size = convert_explicit(b, it, size, b->core->int_);
        size = convert(b, size, b->core->int_);
        if (is_error(size))
            return size;
        if (size->is_constant && size->value.i64 < 0)
            return bind_error(b, it, "an array cannot have a negative size (CS0248)");
        *last = bound_link(b, size);
        last = &(*last)->next;
    }
    return r;
}

struct bound *
bind_anonymous(struct binder *b, const struct node *n)
{
    VEC(const struct type *) types = {0};
    VEC(struct str) names = {0};
    struct bound *r = bound_new(b, B_NEW_RECORD, n, NULL), **last = &r->list;
    bool failed = false;

    for (const struct node *it = n->list; it; it = it->next) {
        struct bound *x = bind_value(b, it->a);
        const struct node *named = it->a->kind == NODE_CONDITIONAL_ACCESS ? it->a->b : it->a;
        struct str name = it->text.p ? it->text : named->kind == NODE_NAME || named->kind == NODE_MEMBER ? named->text : STR_NONE;
        if (!is_error(x) && (!x->type || x->type->kind == TYPE_NULL || x->type->kind == TYPE_VOID))
            x = bind_error(b, it, "a property of an anonymous object needs a value with a type (CS0828)");
        if (!name.p && !is_error(x))
            x = bind_error(b, it, "a property of an anonymous object needs a name: name = value (CS0746)");
        for (size_t i = 0; i < names.n; i++)
            if (str_eq(names.v[i], name) && !is_error(x))
                x = bind_error(b, it, "`%.*s` stands twice in the anonymous object (CS0833)", STR_ARG(name));
        if (names.n == 250 && !is_error(x))
            x = bind_error(b, it, "an anonymous object has at most 250 properties");
        failed |= is_error(x);
        *vec_push(&types) = x->type;
        *vec_push(&names) = name;
        *last = bound_link(b, x);
        last = &(*last)->next;
    }
    if (failed)
        r = bound_new(b, B_ERROR, n, b->core->error);
    else
        r->type = type_anonymous(b->env, names.v, types.v, (uint32_t)names.n);
    vec_free(&types);
    vec_free(&names);
    return r;
}
