/* bind.c: scopes, names, messages.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/bind.h"

#include <stdarg.h>

#include "expr/value_ops.h"

/* --- nodes and messages --------------------------------------------------------------------------------------------------- */

struct bound *
bound_new(struct binder *b, enum bound_kind kind, const struct node *node, const struct type *type)
{
    struct bound *n = arena_new(b->arena, struct bound);

    if (!n) {
        b->nodes_left = 0;
        n = (struct bound *)&b->spare;
        *n = (struct bound){0};
    } else if (b->nodes_left > 0) {
        b->nodes_left--;
    }
    n->kind = kind;
    n->node = node;
    n->type = type;
    return n;
}

static void
add_message(struct binder *b, enum diag_level level, const struct node *node, const char *fmt, va_list ap)
{
    struct buf text = buf_in(b->arena);

    if (b->trial && level != DIAG_ERROR)
        return;
    if (b->trial) {             /* nobody reads it: the number is enough */
        b->diags->errors++;
        return;
    }
    buf_vprintf(&text, fmt, ap);
    diag_add_mapped(b->diags, level, b->map, node ? node->at : 0, node ? node->end - node->at : 1, "%.*s", (int)text.len,
                    text.p ? text.p : "");
}

struct bound *
bind_error(struct binder *b, const struct node *node, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_message(b, DIAG_ERROR, node, fmt, ap);
    va_end(ap);
    return bound_new(b, B_ERROR, node, b->core->error);
}

void
bind_warning(struct binder *b, const struct node *node, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_message(b, DIAG_WARNING, node, fmt, ap);
    va_end(ap);
}

const struct node *
name_in(struct binder *b, const struct node *node)
{
    const struct node *access = node && node->kind == NODE_CALL ? node->a : node;
    struct node *name;

    if (!access || access->kind != NODE_MEMBER || !access->name_end || !(name = arena_new(b->arena, struct node)))
        return node;
    *name = *access;
    name->at = access->name_at;
    name->end = access->name_end;
    return name;
}

struct str
bound_type_name(const struct bound *x)
{
    if (x->type)
        return x->type->name;
    return x->kind == B_METHODS || x->kind == B_FUNCTION_WAITS ? STR("method group") : x->kind == B_DEFAULT_WAITS ? STR("default")
           : x->kind == B_THROW ? STR("throw") : x->kind == B_TUPLE_WAITS ? STR("tuple without a type") : STR("lambda");
}

bool
is_error(const struct bound *n)
{
    return n->kind == B_ERROR || (n->type && n->type->kind == TYPE_ERROR);
}

void
bind_report_given_up(struct binder *b)
{
    const struct node *n = b->given_up_at;

    b->given_up_at = NULL;
    diag_add_mapped(b->diags, DIAG_ERROR, b->map, n->at, n->end - n->at,
                    "the expression is too large or nested too deeply to be checked");
}

void
trial_begin(struct binder *b, struct trial *t)
{
    t->outer = b->diags;
    t->scope = b->scope;
    t->symbols = b->scope ? b->scope->symbols : NULL;
    t->mark = arena_mark(b->arena);
    diags_init(&t->diags, b->arena);
    t->diags.max = 1;
    b->diags = &t->diags;
    b->trial++;
}

bool
trial_end(struct binder *b, struct trial *t)
{
    b->diags = t->outer;
    b->trial--;
    if (t->scope)
        t->scope->symbols = t->symbols;
    arena_rewind(b->arena, t->mark);
    if (b->given_up_at && !b->trial)
        bind_report_given_up(b);
    return t->diags.errors == 0;
}

struct bound *
bound_constant(struct binder *b, const struct node *node, const struct type *type, struct value value)
{
    struct bound *n = bound_new(b, B_CONSTANT, node, type);

    n->is_constant = true;
    n->value = value;
    return n;
}

struct bound *
bound_string(struct binder *b, const struct node *node, struct str text)
{
    return bound_constant(b, node, b->core->string, value_ref(string_constant(b->arena, b->core->string, text)));
}

struct bound *
bound_default(struct binder *b, const struct node *node, const struct type *type)
{
    if (type_is_numeric(type) || type->kind == TYPE_BOOL || type->kind == TYPE_CHAR || type->kind == TYPE_ENUM)
        return bound_constant(b, node, type, value_i64(0));
    return bound_new(b, B_DEFAULT, node, type);
}

struct bound *
bound_symbol(struct binder *b, const struct node *node, struct symbol *symbol)
{
    struct bound *n = bound_new(b, B_SYMBOL, node, symbol->type);

    n->symbol = symbol;
    return n;
}

struct bound *
bound_link(struct binder *b, struct bound *x)
{
    struct bound *n = bound_new(b, B_SEQUENCE, x->node, x->type);

    n->a = x;
    return n;
}

struct bound *
bound_sequence(struct binder *b, struct bound *effect, struct bound *result)
{
    struct bound *n;

    if (!effect)
        return result;
    n = bound_new(b, B_SEQUENCE, result->node, result->type);
    n->list = effect;
    n->a = result;
    return n;
}

struct bound *
bound_keep(struct binder *b, struct bound *value, struct bound **ret_effect)
{
    struct symbol *s = symbol_new(b, SYMBOL_TEMPORARY, STR_NONE, value->type, value->node);
    struct bound *effect = bound_new(b, B_ASSIGN, value->node, value->type);

    effect->a = bound_symbol(b, value->node, s);
    effect->b = value;
    *ret_effect = effect;
    return bound_symbol(b, value->node, s);
}

/* --- symbols ----------------------------------------------------------------------------------------------------------------- */

struct symbol *
symbol_new(struct binder *b, enum symbol_kind kind, struct str name, const struct type *type, const struct node *node)
{
    struct symbol *s = arena_new(b->arena, struct symbol);

    if (!s) {
        b->nodes_left = 0;
        s = &b->spare_symbol;
    }
    *s = (struct symbol){.kind = kind, .name = name, .type = type, .function = b->function, .node = node};
    return s;
}

void
scope_open(struct binder *b, struct scope *s)
{
    *s = (struct scope){.outer = b->scope, .function = b->function};
    b->scope = s;
}

void
scope_close(struct binder *b, struct scope *s)
{
    b->scope = s->outer;
    if (b->trial || !s->outer)
        return;
    if (s->symbols) {
        struct closed_scope *one = arena_new(b->arena, struct closed_scope);
        if (!one)
            return;
        one->symbols = s->symbols;
        one->next = s->closed;
        s->closed = one;
    }
    if (s->closed) {
        struct closed_scope *last = s->closed;
        while (last->next)
            last = last->next;
        last->next = s->outer->closed;
        s->outer->closed = s->closed;
    }
}

static bool
is_taken_inside(const struct scope *scope, struct str name)
{
    for (const struct closed_scope *c = scope->closed; c; c = c->next)
        for (const struct symbol *s = c->symbols; s; s = s->next)
            if (s->kind != SYMBOL_ALIAS && s->kind != SYMBOL_TEMPORARY && str_eq(s->name, name))
                return true;
    return false;
}

struct symbol *
find_symbol(const struct binder *b, struct str name)
{
    for (struct scope *scope = b->scope; scope; scope = scope->outer)
        for (struct symbol *s = scope->symbols; s; s = s->next)
            if (str_eq(s->name, name))
                return s;
    return NULL;
}

struct symbol *
declare(struct binder *b, enum symbol_kind kind, struct str name, const struct type *type, const struct node *node)
{
    struct symbol *known = find_symbol(b, name), *s;

    if (known && known->kind != SYMBOL_ALIAS && name.len && !str_eq_lit(name, "<t>")) {
        bool is_same_scope = false;
        for (struct symbol *it = b->scope->symbols; it; it = it->next)
            is_same_scope |= it == known;
        bind_error(b, node, is_same_scope ? "a variable named `%.*s` is already declared here (CS0128)"
                   : "`%.*s` is already the name of a variable of an enclosing block (CS0136)", STR_ARG(name));
    }
    else if (name.len && !str_eq_lit(name, "<t>") && kind != SYMBOL_ALIAS && is_taken_inside(b->scope, name))
        bind_error(b, node, "`%.*s` is already the name of a variable of a block inside this one (CS0136)", STR_ARG(name));
    s = symbol_new(b, kind, name, type, node);
    s->next = b->scope->symbols;
    b->scope->symbols = s;
    return s;
}

/* Notes who uses it, for cells and captures. */
void
use_symbol(struct binder *b, struct symbol *s, bool is_assigned)
{
    s->is_reassigned |= is_assigned;
    if (s->function == b->function)
        return;
    s->is_captured = true;
    for (struct function_scope *f = b->function; f && f != s->function; f = f->outer)
        s->is_used_by_function |= f->is_local_function;
}

/* --- types -------------------------------------------------------------------------------------------------------------------- */

struct type_scope
type_scope(const struct binder *b)
{
    return (struct type_scope){.env = b->env, .map = b->map, .diags = b->diags, .is_strict = b->is_strict};
}

const struct type *
bind_type(struct binder *b, const struct node *n)
{
    struct type_scope scope = type_scope(b);

    return resolve_type(&scope, n);
}

/* NAME and MEMBER nodes as a type's name. */
bool
type_is_named(struct binder *b, const struct node *n, const struct type **ret)
{
    struct type_scope scope = type_scope(b);
    struct node copy[8], *at = copy;
    size_t i = 0;

    scope.diags = NULL;
    for (const struct node *it = n; it; it = it->a) {
        if ((it->kind != NODE_NAME && it->kind != NODE_MEMBER) || i == COUNTOF(copy))
            return false;
        copy[i] = *it;
        copy[i].kind = NODE_TYPE_NAME;
        copy[i].flag = false;
        copy[i].a = it->kind == NODE_MEMBER ? &copy[i + 1] : NULL;
        if (it->kind == NODE_NAME)
            break;
        i++;
    }
    *ret = resolve_type(&scope, at);
    return (*ret)->kind != TYPE_ERROR;
}

struct member_walk {
    const struct type *type;
    size_t i;
    uint32_t extension;
    const struct map_entry *entry;
    const struct expr_env *env;
};

static bool
next_member_name(void *ctx, struct str *candidate)
{
    struct member_walk *w = ctx;

    while (w->type) {
        if (w->type->def && w->i < w->type->def->members.n) {
            const struct member *m = w->type->def->members.v[w->i++];
            if (m->kind == MEMBER_OPERATOR || m->kind == MEMBER_CONVERSION || m->kind == MEMBER_CONSTRUCTOR)
                continue;
            *candidate = m->name;
            return true;
        }
        w->type = w->type->base;
        w->i = 0;
    }
    w->entry = map_next(&w->env->extensions, w->entry);
    if (!w->entry)
        return false;
    *candidate = w->entry->key;
    return true;
}

struct str
nearest_member(struct binder *b, const struct type *t, struct str name)
{
    struct member_walk walk = {.type = t, .env = b->env};

    if (b->trial)
        return STR_NONE;
    return diag_nearest(name, next_member_name, &walk);
}
