/* bind_stmt.c: statements and bodies.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/bind.h"

static struct bound *
statement_node(struct binder *b, enum bound_kind kind, const struct node *n)
{
    return bound_new(b, kind, n, b->core->void_);
}

static bool
is_var(const struct node *type)
{
    return type && type->kind == NODE_TYPE_NAME && !type->a && !type->list && str_eq_lit(type->text, "var");
}

static struct bound *
declaration(struct binder *b, const struct node *n, struct symbol *s, struct bound *value)
{
    struct bound *d = statement_node(b, B_DECLARE, n);

    d->symbol = s;
    d->a = value;
    return d;
}

/* --- locals ------------------------------------------------------------------------------------------------------------------- */

static struct bound *
var_value(struct binder *b, const struct node *n)
{
    struct bound *x;

    if (!n->a)
        return bind_error(b, n, "`var %.*s` needs a value to take its type from (CS0818)", STR_ARG(n->text));
    if (n->a->kind == NODE_INITIALIZER)
        return bind_error(b, n->a, "`var` cannot take an array initializer; write `new[] { ... }` (CS0820)");
    x = bind_value(b, n->a);
    if (is_error(x))
        return x;
    if (!x->type || x->type->kind == TYPE_NULL || x->type->kind == TYPE_VOID)
        return bind_error(b, n, "`var %.*s` cannot take its type from %s (CS0815)", STR_ARG(n->text),
                          !x->type ? x->kind == B_LAMBDA_WAITS ? "a lambda" : x->kind == B_TUPLE_WAITS ? "a tuple of values without a type"
                                     : "a method without call brackets"
                          : x->type->kind == TYPE_NULL ? "null" : "a call that gives no value");
    return x;
}

static struct bound *
declarator(struct binder *b, const struct node *n, const struct node *type_node, const struct type *type, bool is_const)
{
    struct bound *value = NULL;
    struct symbol *s;

    if (type && n->a && !is_const) {
        /* The variable exists in its own first value: int x = (x = 1) + 1; */
        s = declare(b, SYMBOL_LOCAL, n->text, type, n);
        s->is_in_initializer = true;
        value = bind_as(b, n->a, type);
        s->is_in_initializer = false;
        return declaration(b, n, s, is_error(value) ? NULL : value);
    }
    if (!type) {
        value = var_value(b, n);
        type = value->type ? value->type : b->core->error;
    } else if (n->a) {
        value = bind_as(b, n->a, type);
    }
    if (value && is_error(value))
        type = type_node && !is_var(type_node) ? type : b->core->error;
    if (is_const) {
        if (!value)
            bind_error(b, n, "a constant needs a value (CS0145)");
        else if (!is_error(value) && !value->is_constant && !(value->kind == B_DEFAULT && type_is_reference(type)))
            bind_error(b, n->a ? n->a : n, "the value of a constant must be constant (CS0133)");
        else if (value->is_constant) {
            s = declare(b, SYMBOL_CONSTANT, n->text, type, n);
            s->value = value->value;
            return statement_node(b, B_EMPTY, n);
        }
    }
    s = declare(b, SYMBOL_LOCAL, n->text, type, n);
    s->is_read_only = is_const;
    return declaration(b, n, s, value && is_error(value) ? NULL : value);
}

static struct bound *
bind_local_here(struct binder *b, const struct node *n)
{
    const struct type *type = is_var(n->a) ? NULL : bind_type(b, n->a);
    struct bound *first = NULL, **last = &first;

    if (type && (type->kind == TYPE_VOID || type->kind == TYPE_STATIC))
        bind_error(b, n->a, "a variable cannot be of type `%.*s` (CS0723)", STR_ARG(type->name));
    if (!type && (n->flag || n->list->next))
        bind_error(b, n, n->flag ? "a constant needs a type, not `var` (CS0822)" : "`var` declares one variable (CS0819)");
    for (const struct node *it = n->list; it; it = it->next) {
        *last = declarator(b, it, n->a, type, n->flag);
        last = &(*last)->next;
    }
    if (first && !first->next)
        return first;
    /* Several share the block they stand in: a SEQUENCE of statements, not a BLOCK. */
    {
        struct bound *all = statement_node(b, B_SEQUENCE, n);
        all->list = first;
        return all;
    }
}

/* In a switch section the variables belong to the switch block. */
static struct bound *
bind_local(struct binder *b, const struct node *n)
{
    struct scope *section = b->scope->is_section ? b->scope : NULL;
    struct bound *s;

    if (section)
        b->scope = section->outer;
    s = bind_local_here(b, n);
    if (section)
        b->scope = section;
    return s;
}

static void
declare_nothing(struct binder *b, const struct node *n)
{
    for (const struct node *it = n->list; it; it = it->next) {
        if (it->kind == NODE_DECONSTRUCT)
            declare_nothing(b, it);
        else if (!str_eq_lit(it->text, "_"))
            declare(b, SYMBOL_LOCAL, it->text, b->core->error, it);
    }
}

/* The fields of a kept value into variables; appended to *last. False after reporting. */
static bool
deconstruct_fields(struct binder *b, const struct node *n, struct bound *value, struct bound ***last)
{
    uint32_t count = 0, i = 0;

    for (const struct node *it = n->list; it; it = it->next)
        count++;
    if (is_error(value) || !value->type || !(value->type->flags & (TYPE_IS_TUPLE | TYPE_IS_REF_STRUCT)) || value->type->n_args != count) {
        if (!is_error(value))
            bind_error(b, n, "a tuple of %u values is expected on the right side, found `%.*s` (CS8132)", count,
                       STR_ARG(bound_type_name(value)));
        declare_nothing(b, n);
        return false;
    }
    for (const struct node *it = n->list; it; it = it->next, i++) {
        struct bound *field = bound_new(b, B_FIELD, it, value->type->args[i]);
        const struct type *type = it->kind == NODE_DECLARATOR && it->a && !is_var(it->a) ? bind_type(b, it->a) : field->type;
        field->a = value;
        field->index = i;
        if (it->kind == NODE_DECONSTRUCT) {
            if (!deconstruct_fields(b, it, field, last))
                return false;
            continue;
        }
        if (str_eq_lit(it->text, "_"))
            continue;
        **last = declaration(b, it, declare(b, SYMBOL_LOCAL, it->text, type, it), convert(b, field, type));
        *last = &(**last)->next;
    }
    return true;
}

/* (string a, int b) = (null, 1): a tuple without a type of its own takes that of the variables. */
static struct bound *
tuple_for_variables(struct binder *b, const struct node *n, struct bound *value)
{
    const struct type *types[TUPLE_VALUES_MAX];
    uint32_t count = 0;

    for (const struct node *it = n->list; it && count < TUPLE_VALUES_MAX; it = it->next)
        types[count++] = it->kind == NODE_DECLARATOR && it->a && !is_var(it->a) ? bind_type(b, it->a) : b->core->object;
    return convert(b, value, type_tuple(b->env, NULL, types, count));
}

/* var (a, b) = pair; */
static struct bound *
bind_deconstruct(struct binder *b, const struct node *n, struct bound *value)
{
    struct bound *all = statement_node(b, B_SEQUENCE, n), **last = &all->list, *kept = value;

    if (value->kind == B_TUPLE_WAITS)
        kept = value = tuple_for_variables(b, n, value);
    if (!is_error(value) && value->type) {
        kept = bound_keep(b, value, last);
        last = &(*last)->next;
    }
    return deconstruct_fields(b, n, kept, &last) ? all : bound_new(b, B_ERROR, n, b->core->error);
}

/* --- local functions ------------------------------------------------------------------------------------------------------------ */

/* Func<...> or Action<...> with the function's signature: a local function is a delegate that its block holds. */
static const struct type *
function_type(struct binder *b, const struct node *n)
{
    const struct type *args[TYPE_PARAMETERS_MAX], *ret_type = bind_type(b, n->a), *t;
    uint32_t count = 0;

    for (const struct node *it = n->list; it; it = it->next) {
        if (count == TYPE_PARAMETERS_MAX - 1) {
            bind_error(b, n, "a local function has at most %d parameters", TYPE_PARAMETERS_MAX - 1);
            return b->core->error;
        }
        if (it->op != TOK_END)
            bind_error(b, it, "'%s' parameters of local functions are not supported", token_kind_text(it->op));
        args[count++] = it->a ? bind_type(b, it->a) : b->core->error;
        if (args[count - 1]->kind == TYPE_ERROR)
            return b->core->error;
    }
    if (ret_type->kind == TYPE_ERROR)
        return ret_type;
    if (ret_type->kind != TYPE_VOID)
        args[count++] = ret_type;
    t = type_find(b->env, ret_type->kind == TYPE_VOID ? STR("System.Action") : STR("System.Func"), args, count);
    if (!t)
        bind_error(b, n, "a local function has too many parameters");
    return t ? t : b->core->error;
}

static void
declare_functions(struct binder *b, const struct node *list)
{
    for (const struct node *it = list; it; it = it->next) {
        struct symbol *s;
        if (it->kind != NODE_LOCAL_FUNCTION)
            continue;
        s = declare(b, SYMBOL_FUNCTION, it->text, function_type(b, it), it);
        s->is_used_by_function = true;
        s->is_reassigned = true;      /* it is in a cell before it has its value */
    }
}

static struct bound *
bind_local_function(struct binder *b, const struct node *n)
{
    struct symbol *s = find_symbol(b, n->text);
    struct node as_lambda = *n;
    struct node *lambda_node;

    if (!s || s->node != n || s->type->kind == TYPE_ERROR)
        return statement_node(b, B_EMPTY, n);
    as_lambda.kind = NODE_LAMBDA;
    as_lambda.a = NULL;
    lambda_node = arena_new(b->arena, struct node);
    if (!lambda_node)
        return statement_node(b, B_EMPTY, n);
    *lambda_node = as_lambda;
    b->next_is_local_function = true;
    s->body = lambda_for(b, lambda_node, s->type);
    if (s->body)
        s->body->symbol = s;
    return statement_node(b, B_EMPTY, n);
}

/* --- blocks ----------------------------------------------------------------------------------------------------------------------- */

static struct bound *
bind_list(struct binder *b, const struct node *list, const struct node *n)
{
    struct bound *block = statement_node(b, B_BLOCK, n), **last = &block->list;
    struct scope *scope = b->scope;

    scope->statements = list;
    declare_functions(b, list);
    for (const struct node *it = list; it; it = it->next) {
        struct bound *s = bind_statement(b, it);
        if (!s)
            continue;
        *last = s;
        last = &s->next;
    }
    for (struct symbol *s = scope->symbols; s; s = s->next) {
        struct bound *d;
        if (s->kind != SYMBOL_FUNCTION || !s->body)
            continue;
        d = declaration(b, s->node, s, s->body);    /* first of all in the block */
        d->flag = true;
        d->next = block->list;
        block->list = d;
    }
    return block;
}

struct bound *
bind_block(struct binder *b, const struct node *n)
{
    struct scope scope;
    struct bound *block;

    scope_open(b, &scope);
    block = bind_list(b, n->list, n);
    scope_close(b, &scope);
    return block;
}

/* A statement that is no block, in a scope of its own. */
static struct bound *
bind_embedded(struct binder *b, const struct node *n)
{
    struct scope scope;
    struct bound *s;

    if (!n)
        return statement_node(b, B_EMPTY, NULL);
    if (n->kind == NODE_LOCAL || n->kind == NODE_LOCAL_FUNCTION)
        bind_error(b, n, "a declaration needs a block { } here (CS1023)");
    scope_open(b, &scope);
    s = bind_statement(b, n);
    scope_close(b, &scope);
    return s ? s : statement_node(b, B_EMPTY, n);
}

/* --- expression statements ------------------------------------------------------------------------------------------------------------ */

static bool
is_statement_expression(const struct node *n)
{
    if (n->is_parenthesized)
        return false;
    switch ((int)n->kind) {
    case NODE_CALL: case NODE_ASSIGN: case NODE_POSTFIX: case NODE_NEW: case NODE_THROW: case NODE_ERROR: return true;
    case NODE_UNARY: return n->op == TOK_INCREMENT || n->op == TOK_DECREMENT;
    case NODE_CONDITIONAL_ACCESS: return is_statement_expression(n->b);
    }
    return false;
}

static struct bound *
bind_do(struct binder *b, const struct node *n)
{
    struct bound *s = statement_node(b, B_DO, n);

    if (!n->a)
        return NULL;
    if (n->a->kind == NODE_POSTFIX && !n->a->is_parenthesized) {       /* nobody sees the old value: i++; is ++i; */
        struct node *prefix = arena_new(b->arena, struct node);
        if (!prefix)
            return NULL;
        *prefix = *n->a;
        prefix->kind = NODE_UNARY;
        s->a = bind_expression(b, prefix);
        return s;
    }
    s->a = bind_expression(b, n->a);
    if (!is_error(s->a) && !is_statement_expression(n->a))
        return bind_error(b, n->a, "this expression does nothing; only a call, an assignment, '++', '--' and 'new' can be a statement (CS0201)");
    if (!is_error(s->a) && (s->a->kind == B_METHODS || s->a->kind == B_FUNCTION_WAITS))
        return bind_error(b, n->a, "a method needs call brackets (CS0201)");
    return s;
}

/* --- control ---------------------------------------------------------------------------------------------------------------------------- */

static struct bound *
bind_if(struct binder *b, const struct node *n)
{
    struct bound *s = statement_node(b, B_IF, n), *chain = s;
    struct scope *outer = b->scope;

    /* A long else-if chain is walked, not recursed into; each `if` behind an `else` has a scope of its own. */
    for (;;) {
        struct scope *inner;
        chain->a = bind_condition(b, n->a);
        chain->b = bind_embedded(b, n->b);
        if (!n->c || n->c->kind != NODE_IF)
            break;
        n = n->c;
        chain->c = statement_node(b, B_IF, n);
        chain = chain->c;
        inner = arena_new(b->arena, struct scope);
        if (!inner)
            return s;
        scope_open(b, inner);
    }
    if (n->c)
        chain->c = bind_embedded(b, n->c);
    while (b->scope != outer)
        scope_close(b, b->scope);
    return s;
}

static struct bound *
bind_while(struct binder *b, const struct node *n, bool is_do)
{
    struct bound *s = statement_node(b, B_LOOP, n);
    struct scope scope;

    scope_open(b, &scope);
    if (!is_do)
        s->a = bind_condition(b, n->a);
    b->loops++;
    s->b = bind_embedded(b, is_do ? n->a : n->b);
    b->loops--;
    if (is_do)
        s->a = bind_condition(b, n->b);
    s->flag = is_do;
    scope_close(b, &scope);
    return s;
}

static struct bound *
bind_for(struct binder *b, const struct node *n)
{
    struct bound *block = statement_node(b, B_BLOCK, n), **last = &block->list, *loop = statement_node(b, B_LOOP, n);
    struct scope scope;

    scope_open(b, &scope);
    for (const struct node *it = n->list; it; it = it->next) {
        struct bound *s = bind_statement(b, it);
        if (!s)
            continue;
        *last = s;
        last = &s->next;
    }
    if (n->a)
        loop->a = bind_condition(b, n->a);
    b->loops++;
    loop->b = bind_embedded(b, n->b);
    b->loops--;
    *last = loop;
    last = &loop->list;
    for (const struct node *it = n->more; it; it = it->next) {
        struct bound *s = bind_do(b, it);
        if (!s)
            continue;
        *last = s;
        last = &s->next;
    }
    scope_close(b, &scope);
    return block;
}

/* The IEnumerable<T> that foreach walks: what GetEnumerator() promises, else the one interface, else IEnumerable. */
static const struct type *
sequence_type(struct binder *b, const struct type *t)
{
    const struct type *element = NULL;

    for (const struct type *base = t; base && base->def && !element; base = base->base) {
        const struct member *m = def_member(base->def, STR("GetEnumerator"));
        if (m && m->ret->n_args == 1)
            element = type_substitute(m->ret->args[0], base->args, NULL);
    }
    if (!element)
        element = type_element(t);
    if (element)
        return type_construct(b->env->enumerable_t, &element, 1, 0, NULL);
    return type_is_assignable(t, b->core->enumerable) ? b->core->enumerable : NULL;
}

static struct bound *
bind_foreach(struct binder *b, const struct node *n)
{
    struct bound *loop = statement_node(b, B_FOREACH, n), *element;
    const struct type *element_type, *type;
    struct scope scope;

    loop->a = bind_value(b, n->b);
    scope_open(b, &scope);
    loop->target = is_error(loop->a) || !loop->a->type || loop->a->type->kind == TYPE_NULL ? NULL : sequence_type(b, loop->a->type);
    if (!loop->target && !is_error(loop->a))
        loop->a = bind_error(b, n->b, "`%.*s` is not a sequence that foreach can walk (CS1579)",
                             STR_ARG(bound_type_name(loop->a)));
    element_type = !loop->target ? b->core->error : loop->target->n_args ? loop->target->args[0] : b->core->object;
    loop->symbol2 = symbol_new(b, SYMBOL_TEMPORARY, STR_NONE, element_type, n);
    element = bound_symbol(b, n, loop->symbol2);
    b->loops++;
    if (n->list) {
        struct bound *names = bind_deconstruct(b, n, loop->target ? element : bound_new(b, B_ERROR, n, b->core->error));
        loop->b = statement_node(b, B_BLOCK, n);
        loop->b->list = is_error(names) ? NULL : names;
        element = bind_embedded(b, n->c);
        if (loop->b->list)
            loop->b->list->next = element;
    } else {
        type = is_var(n->a) ? element_type : bind_type(b, n->a);
        loop->c = convert_explicit(b, n->a, element, type);
        loop->symbol = declare(b, SYMBOL_LOCAL, n->text, type, n);
        loop->symbol->is_read_only = true;
        loop->b = bind_embedded(b, n->c);
    }
    b->loops--;
    scope_close(b, &scope);
    return loop;
}

/* --- switch --------------------------------------------------------------------------------------------------------------------------------- */

static bool
is_same_constant(const struct bound *x, const struct bound *y)
{
    if (x->type->kind == TYPE_STRING)
        return string_eq((struct string *)x->value.ref, (struct string *)y->value.ref);
    return x->value.i64 == y->value.i64;
}

/* A label that has been bound: its pattern without the `when`, to compare others with. */
struct label {
    const struct bound *pattern;      /* NULL: default */
    bool is_certain;                  /* no `when`, or one that is true */
};

static struct bound *
bind_label(struct binder *b, const struct node *n, struct bound *value, struct label *ret)
{
    struct bound *test, *both;

    *ret = (struct label){.is_certain = true};
    if (!n->a) {
        test = bound_constant(b, n, b->core->bool_, value_bool(true));
        test->flag = true;
        return test;
    }
    test = bind_pattern(b, n->a, value);
    ret->pattern = test;
    if (!n->b || is_error(test))
        return test;
    both = bound_new(b, B_AND, n, b->core->bool_);
    both->a = test;
    both->b = bind_condition(b, n->b);
    ret->is_certain = both->b->is_constant && both->b->value.i64;
    return both;
}

static const struct bound *
bare(const struct bound *test)
{
    while (test->kind == B_SEQUENCE && !test->list)
        test = test->a;
    return test;
}

/* The constant a pattern compares with: the right side of an equality made by bind_pattern(). */
static const struct bound *
label_constant(const struct bound *test)
{
    test = bare(test);
    if (test->kind == B_AND && test->a->kind == B_IS)     /* of an object: the type first */
        test = bare(test->b);
    return (test->kind == B_BINARY || test->kind == B_STRING_EQUAL) && test->b->is_constant ? test->b : NULL;
}

/* Does an earlier label take all that this one would? */
static bool
is_subsumed(const struct label *label, const struct label *before)
{
    const struct bound *x = bare(label->pattern), *y = bare(before->pattern);
    const struct bound *constant = label_constant(x), *other = label_constant(y);
    const struct type *type = constant ? constant->type : x->kind == B_IS ? x->target : NULL;

    if (y->kind == B_CONSTANT || (y->kind == B_SEQUENCE && y->a->kind == B_CONSTANT))
        return true;                  /* var v */
    if (constant && other)
        return constant->type == other->type && is_same_constant(constant, other);
    if (x->kind == B_IS_NULL && y->kind == B_IS_NULL)
        return true;
    return type && y->kind == B_IS && !other && type_is_assignable(type, y->target);
}

static void
check_label(struct binder *b, const struct node *n, const struct label *label, const struct label *before, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!before[i].pattern || !before[i].is_certain || !is_subsumed(label, &before[i]))
            continue;
        if (label_constant(label->pattern) && label_constant(before[i].pattern))
            bind_error(b, n, "the switch has this label twice (CS0152)");
        else
            bind_error(b, n, "an earlier label takes all that this one would (CS8120)");
        return;
    }
}

struct labels {
    struct label *v;
    size_t n, cap;
    bool has_default;
};

static void
bind_labels(struct binder *b, const struct node *list, struct bound *value, struct labels *all, struct bound **tests)
{
    for (const struct node *it = list; it; it = it->next) {
        struct label label;
        struct bound *test = bind_label(b, it, value, &label);
        if (!it->a && all->has_default)
            bind_error(b, it, "the switch has two 'default' labels (CS0152)");
        all->has_default |= !it->a;
        if (label.pattern && !is_error(test)) {
            check_label(b, it, &label, all->v, all->n);
            *vec_push(all) = label;
        }
        *tests = bound_link(b, test);
        tests = &(*tests)->next;
    }
}

static struct bound *
bind_switch(struct binder *b, const struct node *n)
{
    struct bound *s = statement_node(b, B_SWITCH, n), **last = &s->list, *value;
    struct labels labels = {0};
    struct scope scope;

    s->a = bind_value(b, n->a);
    if (!is_error(s->a) && (!s->a->type || s->a->type->kind == TYPE_NULL || s->a->type->kind == TYPE_VOID))
        s->a = bind_error(b, n->a, "this value cannot be switched on (CS8119)");
    s->symbol = symbol_new(b, SYMBOL_TEMPORARY, STR_NONE, s->a->type ? s->a->type : b->core->error, n);
    value = bound_symbol(b, n->a, s->symbol);
    scope_open(b, &scope);
    b->switches++;
    for (const struct node *it = n->list; it; it = it->next) {
        struct bound *section = bound_new(b, B_SECTION, it, b->core->void_);
        struct scope inner;
        *last = section;
        last = &section->next;
        scope_open(b, &inner);
        inner.is_section = true;
        bind_labels(b, it->list, value, &labels, &section->list);
        section->more = bind_list(b, it->more, it);
        scope_close(b, &inner);
        if (!it->more)
            bind_error(b, it, "a switch section needs a statement (CS1522)");
    }
    b->switches--;
    scope_close(b, &scope);
    vec_free(&labels);
    return s;
}

/* --- jumps, exceptions ------------------------------------------------------------------------------------------------------------------------ */

static struct bound *
bind_return(struct binder *b, const struct node *n)
{
    struct function_scope *f = b->function;
    struct bound *s = statement_node(b, B_RETURN, n);

    if (b->finallies)
        return bind_error(b, n, "'return' cannot leave a finally block (CS0157)");
    if (!n->a) {
        if (!f->outer || (f->ret_type && !f->returns_void))
            return bind_error(b, n, f->outer ? "'return' needs a value here (CS0126)"
                              : "'return' needs a value: the expression must give one (CS0126)");
        return s;
    }
    if (f->returns_void) {
        bind_value(b, n->a);
        return bind_error(b, n, "this function gives no value, so 'return' takes none (CS0127)");
    }
    s->a = f->ret_type ? bind_as(b, n->a, f->ret_type) : bind_value(b, n->a);
    if (!f->ret_type && !is_error(s->a))
        *vec_push(&f->returned) = s->a;
    return s;
}

static struct bound *
bind_try(struct binder *b, const struct node *n)
{
    struct bound *s = statement_node(b, B_TRY, n), **last = &s->list;
    bool was_in_catch = b->in_catch;

    s->a = bind_block(b, n->a);
    for (const struct node *it = n->list; it; it = it->next) {
        struct bound *c = statement_node(b, B_CATCH, it);
        struct scope scope;
        c->target = it->a ? bind_type(b, it->a) : b->core->exception;
        if (c->target->kind != TYPE_ERROR && !type_is_assignable(c->target, b->core->exception))
            bind_error(b, it->a, "`%.*s` is not an exception (CS0155)", STR_ARG(c->target->name));
        for (struct bound *before = s->list; before; before = before->next)
            if (!before->b && c->target->kind != TYPE_ERROR && type_is_assignable(c->target, before->target))
                bind_error(b, it, "an earlier catch takes `%.*s` already (CS0160)", STR_ARG(c->target->name));
        scope_open(b, &scope);
        if (it->text.p)
            c->symbol = declare(b, SYMBOL_LOCAL, it->text, c->target, it);
        if (it->b)
            c->b = bind_condition(b, it->b);
        b->in_catch = true;
        c->a = bind_block(b, it->c);
        b->in_catch = was_in_catch;
        scope_close(b, &scope);
        *last = c;
        last = &c->next;
    }
    if (n->b) {
        unsigned loops = b->loops, switches = b->switches;
        b->finallies++;
        b->loops = b->switches = 0;
        s->b = bind_block(b, n->b);
        b->loops = loops;
        b->switches = switches;
        b->finallies--;
    }
    return s;
}

/* using (T x = a, y = b) body is: using (T x = a) using (T y = b) body. Without memory: as it is. */
static const struct node *
one_declarator_each(struct binder *b, const struct node *n)
{
    bool has_several = n->a->kind == NODE_LOCAL && !is_var(n->a->a) && n->a->list && n->a->list->next;
    struct node *copy = has_several ? arena_new_array(b->arena, struct node, 5) : NULL;

    if (!copy)
        return n;
    copy[0] = copy[1] = *n;           /* the outer and the inner statement, */
    copy[2] = copy[3] = *n->a;        /* their declarations */
    copy[4] = *n->a->list;
    copy[4].next = NULL;
    copy[2].list = &copy[4];
    copy[3].list = n->a->list->next;
    copy[0].a = &copy[2];
    copy[0].b = &copy[1];
    copy[1].a = &copy[3];
    copy[1].next = NULL;
    return copy;
}

/* using (x) body is: try { body } finally { dispose x } */
static struct bound *
bind_using(struct binder *b, const struct node *n)
{
    struct bound *block = statement_node(b, B_BLOCK, n), *first, *t = statement_node(b, B_TRY, n), *dispose = statement_node(b, B_DISPOSE, n);
    struct scope scope;

    n = one_declarator_each(b, n);
    scope_open(b, &scope);
    for (const struct node *it = n->a->kind == NODE_LOCAL ? n->a->list : NULL; it; it = it->next)
        if (!it->a)
            bind_error(b, it, "a variable of 'using' needs its value here (CS0210)");
    if (n->a->kind == NODE_LOCAL) {
        first = bind_local(b, n->a);
        if (first->kind == B_DECLARE) {
            first->symbol->is_read_only = true;
            dispose->symbol = first->symbol;
        }
    } else {
        struct bound *value = bind_value(b, n->a);
        first = statement_node(b, B_DO, n);
        dispose->symbol = symbol_new(b, SYMBOL_TEMPORARY, STR_NONE, value->type ? value->type : b->core->error, n);
        first->a = bound_new(b, B_ASSIGN, n, value->type);
        first->a->a = bound_symbol(b, n, dispose->symbol);
        first->a->b = value;
        if (is_error(value))
            first = value;
    }
    if (dispose->symbol && dispose->symbol->type->kind != TYPE_ERROR &&
        !conversion_is_implicit(classify_types(b, dispose->symbol->type, b->core->disposable)))
        bind_error(b, n->a, "`%.*s` cannot be disposed, so 'using' does not take it (CS1674)", STR_ARG(dispose->symbol->type->name));
    t->a = bind_embedded(b, n->b);
    t->b = dispose->symbol ? dispose : NULL;
    block->list = first;
    first->next = t;
    scope_close(b, &scope);
    return block;
}

static struct bound *
bind_checked_block(struct binder *b, const struct node *n)
{
    bool was_checked = b->is_checked, was_unchecked = b->is_unchecked;
    struct bound *s;

    b->is_checked = n->flag;
    b->is_unchecked = !n->flag;
    s = bind_block(b, n->b);
    b->is_checked = was_checked;
    b->is_unchecked = was_unchecked;
    return s;
}

struct bound *
bind_statement(struct binder *b, const struct node *n)
{
    switch ((int)n->kind) {
    case NODE_BLOCK: return bind_block(b, n);
    case NODE_LOCAL: return bind_local(b, n);
    case NODE_DECONSTRUCT: return bind_deconstruct(b, n, bind_value(b, n->b));
    case NODE_LOCAL_FUNCTION: return bind_local_function(b, n);
    case NODE_EXPRESSION: return bind_do(b, n);
    case NODE_EMPTY: return statement_node(b, B_EMPTY, n);
    case NODE_IF: return bind_if(b, n);
    case NODE_WHILE: return bind_while(b, n, false);
    case NODE_DO: return bind_while(b, n, true);
    case NODE_FOR: return bind_for(b, n);
    case NODE_FOREACH: return bind_foreach(b, n);
    case NODE_SWITCH: return bind_switch(b, n);
    case NODE_BREAK:
        if (!b->loops && !b->switches)
            return bind_error(b, n, "'break' stands in no loop or switch (CS0139)");
        return statement_node(b, B_BREAK, n);
    case NODE_CONTINUE:
        if (!b->loops)
            return bind_error(b, n, "'continue' stands in no loop (CS0139)");
        return statement_node(b, B_CONTINUE, n);
    case NODE_RETURN: return bind_return(b, n);
    case NODE_TRY: return bind_try(b, n);
    case NODE_USING: return bind_using(b, n);
    case NODE_CHECKED_BLOCK: return bind_checked_block(b, n);
    }
    return bound_new(b, B_ERROR, n, b->core->error);
}

/* An expression body gives its value, or is done when nothing is wanted. */
struct bound *
bind_body(struct binder *b, const struct node *body)
{
    struct function_scope *f = b->function;
    struct bound *s, *value;

    f->is_local_function = b->next_is_local_function;
    b->next_is_local_function = false;
    if (body->kind == NODE_BLOCK)
        return bind_block(b, body);
    value = bind_value(b, body);
    if (is_error(value))
        return value;
    if (f->returns_void || (!f->ret_type && value->type && value->type->kind == TYPE_VOID)) {
        if (!is_statement_expression(body))
            return bind_error(b, body, "this lambda may only call, assign or create something, as its result is not used (CS0201)");
        s = statement_node(b, B_DO, body);
        s->a = value;
        return s;
    }
    s = statement_node(b, B_RETURN, body);
    s->a = f->ret_type ? convert(b, value, f->ret_type) : value;
    if (!f->ret_type)
        *vec_push(&f->returned) = value;
    return is_error(s->a) ? s->a : s;
}
