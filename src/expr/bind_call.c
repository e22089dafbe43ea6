/* bind_call.c: names, members, calls, creation, lambdas.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/bind.h"

/* --- members of a type ------------------------------------------------------------------------------------------------------- */

/* Walks where a member of a value of type t may be declared: t, its bases; of an interface its interfaces, then object. */
struct level {
    const struct type *type, *start;
    uint32_t i;
};

static const struct type *
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

static const struct member *
find_member(struct binder *b, const struct type *t, struct str name, const struct type **ret_owner)
{
    struct level l = {.type = t, .start = t};
    const struct type *owner;

    while ((owner = next_level(b, &l))) {
        const struct member *m = owner->def ? def_member(owner->def, name) : NULL;
        if (m) {
            *ret_owner = owner;
            return m;
        }
    }
    return NULL;
}

static bool
check_member(struct binder *b, const struct node *node, const struct member *m)
{
    if (m->flags & MEMBER_IS_LATER) {
        bind_error(b, node, "`%.*s.%.*s` is not supported yet", STR_ARG(m->owner->name), STR_ARG(m->name));
        return false;
    }
    if ((m->flags & MEMBER_IS_EXTRA) && b->is_strict)
        bind_warning(b, node, "`%.*s.%.*s` does not exist on Azure", STR_ARG(m->owner->name), STR_ARG(m->name));
    return true;
}

static struct bound *
no_member(struct binder *b, const struct node *node, const struct type *t, struct str name, bool is_static)
{
    struct str near = nearest_member(b, t, name);

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
static struct bound *
as_receiver(struct binder *b, struct bound *x, const struct type *owner)
{
    if (type_is_value_type(x->type) && !type_is_value_type(owner))
        return convert_with(b, x, owner, (struct conversion){.kind = CONVERT_BOX});
    return x;
}

static struct bound *
property(struct binder *b, const struct node *node, const struct member *m, const struct type *owner, struct bound *object)
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

struct bound *
bound_member_value(struct binder *b, const struct node *node, struct bound *object, struct str name)
{
    const struct type *owner;
    const struct member *m;
    struct bound *n;

    if (is_error(object))
        return object;
    if (!object->type)
        return bind_error(b, node, "a %s has no members (CS0023)", object->kind == B_METHODS ? "method without call brackets" : "lambda");
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
    if (m && (m->kind == MEMBER_PROPERTY || m->kind == MEMBER_CONSTANT)) {
        if (m->flags & MEMBER_IS_STATIC)
            return bind_error(b, node, "`%.*s` belongs to the type: write `%.*s.%.*s` (CS0176)", STR_ARG(name),
                              STR_ARG(owner->name), STR_ARG(name));
        return property(b, node, m, owner, object);
    }
    if (m || map_get(&b->env->extensions, name))
        return methods(b, node, object->type, object, name);
    return no_member(b, node, object->type, name, false);
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
        return no_member(b, node, t, name, true);
    if (m->kind == MEMBER_PROPERTY || m->kind == MEMBER_CONSTANT) {
        if (!(m->flags & MEMBER_IS_STATIC))
            return bind_error(b, node, "`%.*s.%.*s` needs an object before the dot (CS0120)", STR_ARG(t->name), STR_ARG(name));
        return property(b, node, m, owner, NULL);
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
        return bind_error(b, n, "there is no type or namespace `%.*s` (CS0234)", STR_ARG(full));
    r = bound_new(b, B_NAMESPACE, n, NULL);
    r->text = full;
    return r;
}

struct bound *
bind_member(struct binder *b, const struct node *n)
{
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
    return bound_member_value(b, n, object, n->text);
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

static struct bound *
unknown_name(struct binder *b, const struct node *n)
{
    struct name_walk walk = {.b = b, .scope = b->scope, .symbol = b->scope ? b->scope->symbols : NULL};
    struct str near = b->trial ? STR_NONE : diag_nearest(n->text, next_name, &walk);

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
        return bound_symbol(b, n, s);
    }
    if (b->env->globals) {
        const struct member *m = def_member(b->env->globals, n->text);
        if (m && m->kind != MEMBER_METHOD)
            return property(b, n, m, b->env->globals->open, NULL);
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
        }
    }
    return n;
}

static bool
has_error(const struct argument *args, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (is_error(args[i].value))
            return true;
    return false;
}

/* Puts the receiver in front of the arguments and makes the call. */
static struct bound *
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

static struct bound *
ambiguous(struct binder *b, const struct node *node, struct str name, const struct candidate *x, const struct candidate *y)
{
    return bind_error(b, node, "the call of `%.*s` is ambiguous between \"%s\" and \"%s\" (CS0121)", STR_ARG(name),
                      x->member->row->signature, y->member->row ? y->member->row->signature : "?");
}

/* Level by level up the bases, then extensions; the first level with an applicable overload wins. */
static struct bound *
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
        const struct member *m = owner->def ? def_member(owner->def, group->text) : NULL;
        if (!m)
            continue;
        if (!first) {
            first = m;
            first_owner = owner;
        }
        switch (overload_resolve(b, m, owner, group->type_args, group->index, false, kind, args, n, &c, &other)) {
        case OVERLOAD_FOUND: return finish_call(b, node, &c, group->a, args);
        case OVERLOAD_AMBIGUOUS: return ambiguous(b, node, group->text, &c, &other);
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
        case OVERLOAD_AMBIGUOUS: return ambiguous(b, node, group->text, &c, &other);
        case OVERLOAD_NONE: break;
        }
        if (!first)
            return overload_report(b, node, extensions, extensions->owner->open, group->text, with_receiver, n + 1, true);
    }
    if (!first)
        return no_member(b, node, group->owner, group->text, !group->a);
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
    for (const struct node *p = s->node->list; p; p = p->next)
        total++;
    for (uint32_t i = 0; i < count; i++) {
        at = i;
        if (args[i].name.p) {
            at = 0;
            for (const struct node *p = s->node->list; p && !str_eq(p->text, args[i].name); p = p->next)
                at++;
        }
        if (at >= total)
            return invoke(b, n, f, args, count);
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
    callee = bind_expression(b, n->a);
    count = bind_arguments(b, n->list, args);
    if (is_error(callee))
        return callee;
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
    return bind_error(b, n->a, "`%.*s` is not a method (CS1955)", STR_ARG(n->a->text.p ? n->a->text : STR("this")));
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

static struct bound *
index_bound(struct binder *b, const struct node *n, struct bound *object, const struct node *list)
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
        const struct member *m = owner->def ? def_member(owner->def, STR("this")) : NULL;
        struct bound *p;
        if (!m)
            continue;
        first_owner = first ? first_owner : owner;
        first = first ? first : m;
        if (overload_resolve(b, m, owner, NULL, 0, false, RECEIVER_IS_VALUE, args, count, &c, NULL) == OVERLOAD_NONE)
            continue;
        p = property(b, n, c.member, owner, object);
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
    return index_bound(b, n, object, n->list);
}

/* --- assignment ------------------------------------------------------------------------------------------------------------------------- */

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
        return bind_error(b, node, "fields of anonymous objects and tuples are read-only here (CS0200)");
    } else if (target->kind != B_ELEMENT) {
        return bind_error(b, node, "the left side of an assignment must be a variable, property or indexer (CS0131)");
    }
    n = bound_new(b, B_ASSIGN, node, target->type);
    n->a = target;
    n->b = value;
    return n;
}

/* --- creation ---------------------------------------------------------------------------------------------------------------------------- */

static bool initialize(struct binder *b, const struct node *init, struct bound *object, struct bound ***last);

static bool
initialize_value(struct binder *b, const struct node *n, struct bound *target, const struct node *value, struct bound ***last)
{
    struct bound *set;

    if (is_error(target))
        return false;
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
            ok = initialize_value(b, it, index_bound(b, it, object, it->list), it->a, last);
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
    case OVERLOAD_AMBIGUOUS: return ambiguous(b, n, type->name, &c, &other);
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

/* new[] { ... }: the element type is the one all elements convert to. */
static struct bound *
implicit_array(struct binder *b, const struct node *n)
{
    VEC(struct bound *) values = {0};
    const struct type *type;
    bool failed = false;

    for (const struct node *it = n->b ? n->b->list : NULL; it; it = it->next) {
        struct trial t;
        struct bound *kept = arena_new(b->arena, struct bound);
        trial_begin(b, &t);
        if (kept)
            *kept = *bind_value(b, it);
        failed |= !trial_end(b, &t);
        *vec_push(&values) = kept;
        if (failed)
            bind_value(b, it);          /* again, to report */
    }
    type = failed ? b->core->error : best_common_type(b, values.v, (uint32_t)values.n);
    vec_free(&values);
    if (failed)
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

/* --- lambdas and method groups ---------------------------------------------------------------------------------------------------------------- */

struct bound *
bind_lambda(struct binder *b, const struct node *n)
{
    struct bound *x = bound_new(b, B_LAMBDA_WAITS, n, NULL);
    bool typed = true;

    for (const struct node *it = n->list; it; it = it->next)
        typed &= it->a != NULL;
    x->flag = typed && n->list;       /* explicit parameter types */
    return x;
}

/* Opens the lambda's own function, binds its body, closes it. */
static struct bound *
lambda_body(struct binder *b, const struct node *n, struct function_scope *f, const struct type *const *parameters, uint32_t n_parameters)
{
    struct binder saved = *b;
    struct scope scope;
    struct bound *body;
    uint32_t i = 0;

    f->outer = b->function;
    b->function = f;
    b->loops = b->switches = b->finallies = 0;
    b->in_catch = false;
    scope_open(b, &scope);
    for (const struct node *it = n->list; it && i < n_parameters; it = it->next, i++) {
        struct symbol *s = declare(b, SYMBOL_PARAMETER, it->text, parameters[i], it);
        f->parameters[f->n_parameters++] = s;
        for (struct node *alias = it->list; alias; alias = alias->next)
            declare(b, SYMBOL_ALIAS, alias->text, b->core->object, alias->a);
    }
    for (; i < n_parameters; i++)           /* delegate { } ignores them */
        f->parameters[f->n_parameters++] = symbol_new(b, SYMBOL_PARAMETER, STR_NONE, parameters[i], n);
    body = bind_body(b, n->b);
    scope_close(b, &scope);
    b->function = saved.function;
    b->loops = saved.loops;
    b->switches = saved.switches;
    b->finallies = saved.finallies;
    b->in_catch = saved.in_catch;
    return body;
}

static bool
fits_parameters(struct binder *b, const struct node *n, const struct type *const *parameters, uint32_t n_parameters)
{
    uint32_t i = 0;

    if (n->flag)
        return true;
    for (const struct node *it = n->list; it; it = it->next, i++)
        if (i >= n_parameters || (it->a && bind_type(b, it->a) != parameters[i]))
            return false;
    return i == n_parameters;
}

struct bound *
lambda_for(struct binder *b, const struct node *n, const struct type *delegate)
{
    const struct type *parameters[ARGUMENTS_MAX], *ret_type;
    uint32_t count = delegate_signature(delegate, parameters, ARGUMENTS_MAX, &ret_type);
    struct function_scope *f = arena_new(b->arena, struct function_scope);
    struct bound *r;

    if (!f || !fits_parameters(b, n, parameters, count))
        return NULL;
    f->ret_type = ret_type;
    f->returns_void = ret_type->kind == TYPE_VOID;
    r = bound_new(b, B_LAMBDA, n, delegate);
    r->function = f;
    r->a = lambda_body(b, n, f, parameters, count);
    return r;
}

/* Binds with an open result; the types it returns are in f. */
static bool
infer_lambda(struct binder *b, const struct node *n, const struct type *const *parameters, uint32_t n_parameters, struct function_scope *f)
{
    if (!fits_parameters(b, n, parameters, n_parameters))
        return false;
    f->ret_type = NULL;
    return !is_error(lambda_body(b, n, f, parameters, n_parameters));
}

const struct type *
lambda_result(struct binder *b, const struct node *n, const struct type *const *parameters, uint32_t n_parameters)
{
    const struct type *result = NULL;
    struct function_scope *f;
    struct trial t;
    bool ok;

    trial_begin(b, &t);
    f = arena_new(b->arena, struct function_scope);
    ok = f && infer_lambda(b, n, parameters, n_parameters, f);
    if (ok && f->returned.n == 0)
        result = b->core->void_;
    else if (ok)
        result = best_common_type(b, f->returned.v, (uint32_t)f->returned.n);
    if (f)
        vec_free(&f->returned);
    ok = trial_end(b, &t) && ok;
    return ok && result && result->kind != TYPE_ERROR ? result : NULL;
}

struct bound *
lambda_explain(struct binder *b, const struct node *n, const struct type *const *parameters, uint32_t n_parameters)
{
    struct function_scope *f = arena_new(b->arena, struct function_scope);

    if (f) {
        infer_lambda(b, n, parameters, n_parameters, f);
        vec_free(&f->returned);
    }
    return bound_new(b, B_ERROR, n, b->core->error);
}

/* A delegate passes its arguments on as they are: no defaults, no params array, nothing boxed. */
static bool
is_same_shape(const struct bound *call, const struct type *const *parameters, uint32_t n)
{
    const struct bound *it = call->list;
    bool has_receiver = !(call->member->flags & MEMBER_IS_STATIC) || call->member->n_parameters == n + 1;

    if (call->member->n_parameters != n && call->member->n_parameters != n + (call->member->flags & MEMBER_IS_EXTENSION ? 1 : 0))
        return false;
    if (has_receiver && it)
        it = it->next;
    for (uint32_t i = 0; i < n && it; i++, it = it->next)
        if (it->type != parameters[i] && !(type_is_reference(it->type) && type_is_reference(parameters[i])))
            return false;
    return true;
}

/* A method named without calling it, as a delegate: its overload for the delegate's parameters. */
struct bound *
method_group_for(struct binder *b, struct bound *group, const struct type *delegate, const struct type **ret_result)
{
    const struct type *parameters[ARGUMENTS_MAX], *ret_type;
    uint32_t n = delegate_signature(delegate, parameters, ARGUMENTS_MAX, &ret_type);
    struct argument args[ARGUMENTS_MAX];
    struct bound *call, *r;

    for (uint32_t i = 0; i < n; i++)
        args[i] = (struct argument){.value = bound_new(b, B_DEFAULT, group->node, parameters[i]), .op = TOK_END, .node = group->node};
    call = call_methods(b, group->node, group, args, n);
    if (is_error(call))
        return call;
    *ret_result = call->type;
    if (!is_same_shape(call, parameters, n))
        return bind_error(b, group->node, "no overload of `%.*s` matches `%.*s` (CS0123)", STR_ARG(group->text), STR_ARG(delegate->name));
    if (!(ret_type->flags & TYPE_IS_OPEN) && ret_type->kind != TYPE_VOID && call->type != ret_type &&
        !type_is_assignable(call->type, ret_type))
        return bind_error(b, group->node, "`%.*s` returns `%.*s`, expected `%.*s` (CS0407)", STR_ARG(group->text),
                          STR_ARG(call->type->name), STR_ARG(ret_type->name));
    r = bound_new(b, B_METHOD_DELEGATE, group->node, delegate);
    r->member = call->member;
    r->owner = call->owner;
    r->type_args = call->type_args;
    r->a = group->a ? as_receiver(b, group->a, call->owner) : NULL;
    r->target = call->type;
    return r;
}
