/* bind_member.c: names and members: what a name means here, what a dot leads to.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/bind.h"

/* --- members of a type ------------------------------------------------------------------------------------------------------- */

const struct type *
next_level(struct binder *b, struct level *l)
{
    const struct type *now = l->type;

    if (!now)
        return NULL;
    if (l->start->kind == TYPE_INTERFACE)
        l->type = l->i < l->start->n_interfaces ? l->start->interfaces[l->i++] : now->kind == TYPE_OBJECT ? NULL : b->core->object;
    else
        l->type = now->base;
    return now;
}

const struct member *
visible_member(const struct type *t, struct str name)
{
    const struct member *m = t->def ? def_member(t->def, name) : NULL;

    while (m && m->flags & MEMBER_IS_EXPLICIT)
        m = m->next_same_name;
    return m;
}

static const struct member *
find_member(struct binder *b, const struct type *t, struct str name, const struct type **ret_owner)
{
    struct level l = {.type = t, .start = t};
    const struct type *owner;

    while ((owner = next_level(b, &l))) {
        const struct member *m = visible_member(owner, name);
        if (m) {
            *ret_owner = owner;
            return m;
        }
    }
    return NULL;
}

bool
check_member(struct binder *b, const struct node *node, const struct member *m)
{
    if (m->flags & MEMBER_IS_LATER) {
        bind_error(b, name_in(b, node), "`%.*s.%.*s` is not supported yet", STR_ARG(m->owner->name), STR_ARG(m->name));
        return false;
    }
    if ((m->flags & MEMBER_IS_EXTRA) && b->is_strict)
        bind_warning(b, name_in(b, node), "`%.*s.%.*s` does not exist on Azure", STR_ARG(m->owner->name), STR_ARG(m->name));
    return true;
}

struct bound *
report_no_member(struct binder *b, const struct node *node, const struct type *t, struct str name, bool is_static)
{
    struct str near = nearest_member(b, t, name);

    node = name_in(b, node);
    if (near.p)
        return bind_error(b, node, "`%.*s` has no member `%.*s`; did you mean `%.*s`? (%s)", STR_ARG(t->name), STR_ARG(name),
                          STR_ARG(near), is_static ? "CS0117" : "CS1061");
    return bind_error(b, node, "`%.*s` has no member `%.*s` (%s)", STR_ARG(t->name), STR_ARG(name), is_static ? "CS0117" : "CS1061");
}

struct bound *
bound_call(struct binder *b, const struct node *node, const struct member *m, const struct type *owner,
           const struct type *const *type_args, const struct type *ret_type, struct bound *arguments)
{
    struct bound *n = bound_new(b, B_CALL, node, ret_type);

    if (!check_member(b, node, m))
        return bound_new(b, B_ERROR, node, b->core->error);
    n->member = m;
    n->owner = owner;
    n->list = arguments;
    if (type_args && m->n_type_parameters) {
        const struct type **copy = arena_new_array(b->arena, const struct type *, m->n_type_parameters);
        if (copy)
            memcpy(copy, type_args, m->n_type_parameters * sizeof(*copy));
        n->type_args = copy;
    }
    return n;
}

/* A receiver as its member takes it: value types are boxed for members of object and of interfaces. */
struct bound *
as_receiver(struct binder *b, struct bound *x, const struct type *owner)
{
    if (type_is_value_type(x->type) && !type_is_value_type(owner))
        return convert_with(b, x, owner, (struct conversion){.kind = CONVERT_BOX});
    return x;
}

struct bound *
bound_property(struct binder *b, const struct node *node, const struct member *m, const struct type *owner, struct bound *object)
{
    struct bound *n = bound_new(b, B_PROPERTY, node, type_substitute(m->ret, owner->args, NULL));

    if (!check_member(b, node, m))
        return bound_new(b, B_ERROR, node, b->core->error);
    if (m->kind == MEMBER_CONSTANT)
        return bound_constant(b, node, n->type, m->constant);
    n->member = m;
    n->owner = owner;
    n->a = object ? as_receiver(b, object, owner) : NULL;
    return n;
}

static struct bound *
methods(struct binder *b, const struct node *node, const struct type *owner, struct bound *object, struct str name)
{
    struct bound *n = bound_new(b, B_METHODS, node, NULL);
    const struct type **args = arena_new_array(b->arena, const struct type *, TYPE_PARAMETERS_MAX);

    n->owner = owner;
    n->a = object;
    n->text = name;
    n->type_args = args;
    for (const struct node *it = node->kind == NODE_NAME || node->kind == NODE_MEMBER ? node->list : NULL;
         args && it && n->index < TYPE_PARAMETERS_MAX; it = it->next) {
        args[n->index++] = bind_type(b, it);
        if (args[n->index - 1]->kind == TYPE_ERROR)
            return bound_new(b, B_ERROR, node, b->core->error);
    }
    return n;
}

/* Fields of anonymous types and tuples. */
static struct bound *
record_field(struct binder *b, const struct node *node, struct bound *object, struct str name)
{
    const struct type *t = object->type;

    if (!(t->flags & (TYPE_IS_ANONYMOUS | TYPE_IS_TUPLE)))
        return NULL;
    for (uint32_t i = 0; i < t->n_args; i++) {
        struct bound *n;
        bool is_item = (t->flags & TYPE_IS_TUPLE) && name.len == 5 && str_starts_with(name, STR("Item")) && name.p[4] == (char)('1' + i);
        if (!is_item && !(t->field_names && str_eq(t->field_names[i], name)))
            continue;
        n = bound_new(b, B_FIELD, node, t->args[i]);
        n->a = object;
        n->index = i;
        return n;
    }
    return NULL;
}

static struct bound *
nullable_member(struct binder *b, const struct node *node, struct bound *object, struct str name)
{
    struct bound *n;

    if (object->type->kind != TYPE_NULLABLE)
        return NULL;
    if (str_eq_lit(name, "HasValue"))
        return bound_is_null(b, object, true);
    if (!str_eq_lit(name, "Value"))
        return NULL;
    n = bound_new(b, B_NULLABLE_VALUE, node, object->type->args[0]);
    n->a = object;
    return n;
}

/* Only what can be called counts where a call follows: list.Count() is LINQ's, although List has a property of that name. */
static bool
is_hidden_from_call(struct binder *b, const struct member *m, const struct type *owner, struct str name)
{
    return m->kind == MEMBER_PROPERTY && type_substitute(m->ret, owner->args, NULL)->kind != TYPE_DELEGATE && map_get(&b->env->extensions, name);
}

static struct bound *
member_value(struct binder *b, const struct node *node, struct bound *object, struct str name, bool is_called)
{
    const struct type *owner;
    const struct member *m;
    struct bound *n;

    if (is_error(object))
        return object;
    if (!object->type)
        return bind_error(b, node, "a %s has no members (CS0023)", object->kind == B_LAMBDA_WAITS ? "lambda"
                          : object->kind == B_TUPLE_WAITS ? "tuple of values without a type" : "method without call brackets");
    if (object->type->kind == TYPE_NULL || object->type->kind == TYPE_VOID)
        return bind_error(b, node, "operator '.' does not apply to %s (CS0023)", object->type->kind == TYPE_NULL ? "null" : "a call without a value");
    if ((n = record_field(b, node, object, name)) || (n = nullable_member(b, node, object, name)))
        return n;
    if (object->type->kind == TYPE_ARRAY && object->type->rank == 1 && str_eq_lit(name, "Length")) {
        n = bound_new(b, B_ARRAY_LENGTH, node, b->core->int_);
        n->a = object;
        return n;
    }
    m = find_member(b, object->type, name, &owner);
    if (m && is_called && is_hidden_from_call(b, m, owner, name))
        return methods(b, node, object->type, object, name);
    if (m && (m->kind == MEMBER_PROPERTY || m->kind == MEMBER_CONSTANT)) {
        if (m->flags & MEMBER_IS_STATIC)
            return bind_error(b, name_in(b, node), "`%.*s` belongs to the type: write `%.*s.%.*s` (CS0176)", STR_ARG(name),
                              STR_ARG(owner->name), STR_ARG(name));
        return bound_property(b, node, m, owner, object);
    }
    if (m || map_get(&b->env->extensions, name))
        return methods(b, node, object->type, object, name);
    return report_no_member(b, node, object->type, name, false);
}

struct bound *
bound_member_value(struct binder *b, const struct node *node, struct bound *object, struct str name)
{
    return member_value(b, node, object, name, false);
}

static struct bound *
static_member(struct binder *b, const struct node *node, const struct type *t, struct str name)
{
    const struct type *owner;
    const struct member *m;

    for (uint32_t i = 0; t->kind == TYPE_ENUM && i < t->def->n_values; i++)
        if (str_eq(t->def->values[i].name, name))
            return bound_constant(b, node, t, value_i64(t->def->values[i].value));
    m = find_member(b, t, name, &owner);
    if (!m)
        return report_no_member(b, node, t, name, true);
    if (m->kind == MEMBER_PROPERTY || m->kind == MEMBER_CONSTANT) {
        if (!(m->flags & MEMBER_IS_STATIC))
            return bind_error(b, name_in(b, node), "`%.*s.%.*s` needs an object before the dot (CS0120)", STR_ARG(t->name), STR_ARG(name));
        return bound_property(b, node, m, owner, NULL);
    }
    return methods(b, node, t, NULL, name);
}

static struct bound *
in_namespace(struct binder *b, const struct node *n, struct str space)
{
    struct str full = str_printf(b->arena, "%.*s.%.*s", STR_ARG(space), STR_ARG(n->text));
    const struct type *type;
    struct bound *r;

    if (type_is_named(b, n, &type)) {
        r = bound_new(b, B_TYPE, n, NULL);
        r->target = bind_type_name(b, n);
        return r;
    }
    if (!map_has(&b->env->spaces, full))
        return bind_error(b, name_in(b, n), "there is no type or namespace `%.*s` (CS0234)", STR_ARG(full));
    r = bound_new(b, B_NAMESPACE, n, NULL);
    r->text = full;
    return r;
}

struct bound *
bind_member(struct binder *b, const struct node *n)
{
    bool is_called = b->called == n;
    struct bound *object = bind_expression(b, n->a);
    const struct type *nested;

    if (is_error(object))
        return object;
    if (!n->text.p)
        return bound_new(b, B_ERROR, n, b->core->error);
    if (object->kind == B_NAMESPACE)
        return in_namespace(b, n, object->text);
    if (object->kind == B_TYPE && !def_member(object->target->def, n->text) && type_is_named(b, n, &nested)) {
        struct bound *r = bound_new(b, B_TYPE, n, NULL);
        r->target = bind_type_name(b, n);
        return r;
    }
    if (object->kind == B_TYPE)
        return static_member(b, n, object->target, n->text);
    return member_value(b, n, object, n->text, is_called);
}

/* --- names ---------------------------------------------------------------------------------------------------------------------- */

struct name_walk {
    struct binder *b;
    struct scope *scope;
    struct symbol *symbol;
    size_t global;
};

static bool
next_name(void *ctx, struct str *candidate)
{
    struct name_walk *w = ctx;

    while (w->scope) {
        if (!w->symbol) {
            w->scope = w->scope->outer;
            w->symbol = w->scope ? w->scope->symbols : NULL;
            continue;
        }
        *candidate = w->symbol->name;
        w->symbol = w->symbol->next;
        return true;
    }
    if (!w->b->env->globals || w->global >= w->b->env->globals->members.n)
        return false;
    *candidate = w->b->env->globals->members.v[w->global++]->name;
    return true;
}

/* A block around declares the name, further down. */
static bool
is_declared_later(const struct binder *b, struct str name)
{
    for (const struct scope *s = b->scope; s; s = s->outer)
        for (const struct node *it = s->statements; it; it = it->next)
            for (const struct node *one = it->kind == NODE_LOCAL || it->kind == NODE_DECONSTRUCT ? it->list : NULL; one; one = one->next)
                if (str_eq(one->text, name))
                    return true;
    return false;
}

static struct bound *
unknown_name(struct binder *b, const struct node *n)
{
    struct name_walk walk = {.b = b, .scope = b->scope, .symbol = b->scope ? b->scope->symbols : NULL};
    struct str near = b->trial ? STR_NONE : diag_nearest(n->text, next_name, &walk);

    if (is_declared_later(b, n->text))
        return bind_error(b, n, "`%.*s` is used before it is declared (CS0841)", STR_ARG(n->text));
    if (near.p)
        return bind_error(b, n, "the name `%.*s` does not exist here; did you mean `%.*s`? (CS0103)", STR_ARG(n->text), STR_ARG(near));
    return bind_error(b, n, "the name `%.*s` does not exist here (CS0103)", STR_ARG(n->text));
}

const struct type *
bind_type_name(struct binder *b, const struct node *n)
{
    const struct type *type;

    if (!type_is_named(b, n, &type))
        return b->core->error;
    if (type->def && (type->def->flags & TYPE_IS_LATER))
        bind_error(b, n, "the type `%.*s` is not supported yet", STR_ARG(type->name));
    if (type->def && (type->def->flags & TYPE_IS_EXTRA) && b->is_strict)
        bind_warning(b, n, "the type `%.*s` does not exist on Azure", STR_ARG(type->name));
    return type;
}

struct bound *
bind_name(struct binder *b, const struct node *n)
{
    struct symbol *s = n->list ? NULL : find_symbol(b, n->text);
    const struct type *type;
    struct bound *r;

    if (s && s->kind == SYMBOL_ALIAS)
        return bind_expression(b, s->node);
    if (s && s->kind == SYMBOL_CONSTANT)
        return bound_constant(b, n, s->type, s->value);
    if (s) {
        if (s->type->kind == TYPE_ERROR)
            return bound_new(b, B_ERROR, n, s->type);
        use_symbol(b, s, false);
        s->is_used_in_initializer |= s->is_in_initializer;
        if (s->kind == SYMBOL_FUNCTION) {
            r = bound_new(b, B_FUNCTION_WAITS, n, NULL);
            r->symbol = s;
            return r;
        }
        return bound_symbol(b, n, s);
    }
    if (b->env->globals) {
        const struct member *m = def_member(b->env->globals, n->text);
        if (m && m->kind != MEMBER_METHOD)
            return bound_property(b, n, m, b->env->globals->open, NULL);
        if (m)
            return methods(b, n, b->env->globals->open, NULL, n->text);
    }
    if (type_is_named(b, n, &type)) {
        r = bound_new(b, B_TYPE, n, NULL);
        r->target = bind_type_name(b, n);
        return r;
    }
    if (map_has(&b->env->spaces, n->text)) {
        r = bound_new(b, B_NAMESPACE, n, NULL);
        r->text = n->text;
        return r;
    }
    return unknown_name(b, n);
}
