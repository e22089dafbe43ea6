/* emit_expr.c: calls, objects, assignments to bytecode; which instruction each kind of expression becomes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/emitter.h"

/* --- calls ------------------------------------------------------------------------------------------------------------------------- */

const struct bound *
bound_unlinked(const struct bound *n)
{
    while (n->kind == B_SEQUENCE && !n->list && n->a)
        n = n->a;
    return n;
}

uint32_t
bound_count(const struct bound *list)
{
    uint32_t n = 0;

    for (; list; list = list->next)
        n++;
    return n;
}

static const void *
prepare_site(struct emitter *e, const struct member *m, const struct bound *list, uint32_t n)
{
    const struct value **constants;
    struct prepare p = {.env = e->b->env, .n = n, .arena = e->b->arena};
    uint32_t i = 0;

    if (!m->row || !m->row->prepare)
        return NULL;
    constants = arena_new_array(e->b->arena, const struct value *, n);
    if (!constants)
        return NULL;
    for (const struct bound *it = list; it; it = it->next, i++)
        constants[i] = bound_unlinked(it)->is_constant ? &bound_unlinked(it)->value : NULL;
    p.constant = constants;
    return m->row->prepare(&p);
}

static struct call_site
make_site(struct emitter *e, const struct bound *n, const struct member *m, native_fn *fn, uint32_t n_args)
{
    return (struct call_site){.fn = fn, .member = m, .owner = n->owner, .type_args = n->type_args, .ret_type = n->type,
                              .n_args = (uint16_t)n_args,
                              .needs_receiver = !(m->flags & MEMBER_IS_STATIC) && m->kind != MEMBER_CONSTRUCTOR &&
                                                n_args > 0};
}

/* Arguments into a row of registers; `out` variables are read back after the call. */
static uint32_t
emit_arguments(struct emitter *e, const struct bound *list, uint32_t n)
{
    uint32_t base = emit_registers(e, n), i = 0;

    for (const struct bound *it = list; it; it = it->next, i++) {
        const struct bound *x = bound_unlinked(it);
        if (x->kind != B_OUT_ARGUMENT)
            emit_to(e, x, base + i);
        else if (x->flag)
            emit_to(e, x->a, base + i);
        else
            emit_put(e, VM_ZERO, base + i, 0, 0);
    }
    return base;
}

/* An array of T may be one of something derived from T; not when nothing is. */
static enum vm_op
set_element_op(const struct type *element)
{
    return type_is_reference(element) && element->kind != TYPE_STRING ? VM_SET_ELEMENT_REF : VM_SET_ELEMENT;
}

static void
store_out_arguments(struct emitter *e, const struct bound *list, uint32_t base)
{
    uint32_t i = 0;

    for (const struct bound *it = list; it; it = it->next, i++) {
        const struct bound *x = bound_unlinked(it);
        if (x->kind != B_OUT_ARGUMENT || !x->a)
            continue;
        if (x->a->kind == B_SYMBOL) {
            if (!x->a->symbol->has_register && x->a->symbol->function == e->scope)
                symbol_begin(e, x->a->symbol);
            symbol_store(e, x->a->symbol, base + i);
        } else {
            uint32_t mark = e->next, array = emit_any(e, x->a->a), at = emit_any(e, x->a->list);
            emit_put(e, set_element_op(x->a->type), array, at, base + i);
            e->next = mark;
        }
    }
}

/* Registers for variables that a call declares must outlive the call's own. */
static void
begin_out_variables(struct emitter *e, const struct bound *list)
{
    for (const struct bound *it = list; it; it = it->next) {
        const struct bound *x = bound_unlinked(it);
        if (x->kind == B_OUT_ARGUMENT && x->a && x->a->kind == B_SYMBOL && !x->a->symbol->has_register &&
            x->a->symbol->function == e->scope)
            symbol_begin(e, x->a->symbol);
    }
}

static bool
may_be_null(const struct bound *receiver)
{
    receiver = bound_unlinked(receiver);
    return type_is_reference(receiver->type) &&
           !(receiver->kind == B_CONSTANT && receiver->value.ref) && receiver->kind != B_NEW_ARRAY && receiver->kind != B_NEW_RECORD &&
           receiver->kind != B_CONCAT && !(receiver->kind == B_CONVERT && receiver->conversion == CONVERT_BOX && receiver->a->type->kind != TYPE_NULLABLE);
}

static void
emit_call(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t n_args = bound_count(n->list), base = emit_arguments(e, n->list, n_args);
    struct call_site site = make_site(e, n, n->member, n->member->fn, n_args);

    site.needs_receiver = site.needs_receiver && (may_be_null(n->list) || !n->member->fn);
    site.prepared = prepare_site(e, n->member, n->list, n_args);
    emit_put(e, VM_CALL, to, emit_site(e, site), base);
    store_out_arguments(e, n->list, base);
}

static void
emit_property(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t n_args = (n->a ? 1 : 0) + bound_count(n->list), base = emit_registers(e, n_args), i = 0;
    struct call_site site = make_site(e, n, n->member, n->member->fn, n_args);

    if (n->a)
        emit_to(e, n->a, base + i++);
    for (const struct bound *it = n->list; it; it = it->next)
        emit_to(e, it, base + i++);
    site.needs_receiver = n->a && (may_be_null(n->a) || !n->member->fn);
    emit_put(e, VM_CALL, to, emit_site(e, site), base);
}

static void
emit_invoke(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t n_args = bound_count(n->list), base = emit_registers(e, n_args + 1), i = 1;

    emit_to(e, n->a, base);
    for (const struct bound *it = n->list; it; it = it->next)
        emit_to(e, it, base + i++);
    emit_put(e, VM_INVOKE, to, base, n_args);
}

static void
emit_method_delegate(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t receiver = n->a ? emit_any(e, n->a) : to;
    struct call_site site = make_site(e, n, n->member, n->member->fn, n->a ? 1 : 0);

    site.ret_type = n->target;
    site.type = n->type;
    site.needs_receiver = n->a && type_is_reference(n->a->type);
    if (!n->a)
        emit_put(e, VM_ZERO, to, 0, 0);
    emit_put(e, VM_DELEGATE, to, emit_site(e, site), receiver);
}

static void
emit_lambda(struct emitter *e, const struct bound *n, uint32_t to)
{
    struct emitter inner = {0};
    const struct function *f = emit_function(e, n->function, n->a, e->unit, e->b, e->program, &inner);
    uint32_t base, index;

    if (!f)
        return;
    *vec_push(&e->unit->functions) = f;
    index = (uint32_t)e->unit->functions.n - 1;
    if (index >= UINT16_MAX)
        emit_fail(e, "too many lambdas");
    base = emit_registers(e, (uint32_t)inner.captured.n + 1);
    for (uint32_t i = 0; i < inner.captured.n; i++)
        symbol_load_raw(e, inner.captured.v[i], base + 1 + i);
    emit_put(e, VM_ZERO, base, 0, 0);
    vec_free(&inner.captured);
    /* The delegate's type travels in the register before the captured values. */
    emit_put(e, VM_CONST, base, emit_constant(e, value_ref(n->type), NULL), 0);
    emit_put(e, VM_CLOSURE, to, index, base);
}

/* --- objects ------------------------------------------------------------------------------------------------------------------------- */

static void
emit_concat(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t n_parts = bound_count(n->list), base = emit_registers(e, n_parts), i = 0;

    for (const struct bound *it = n->list; it; it = it->next)
        emit_to(e, it, base + i++);
    emit_put(e, VM_CONCAT, to, base, n_parts);
}

static void
emit_to_string(struct emitter *e, const struct bound *n, uint32_t to)
{
    struct call_site site = {.type = n->a->type, .format = n->text, .alignment = n->index ? (int32_t)n->index - 1000001 : 0};

    emit_put(e, VM_TO_STRING, to, emit_any(e, n->a), emit_site(e, site));
}

static void
emit_new_array(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t n_elements = bound_count(n->list), array = emit_registers(e, 1), sizes, i = 0;

    if (!n->flag) {
        sizes = emit_registers(e, n_elements);
        for (const struct bound *it = n->list; it; it = it->next)
            emit_to(e, it, sizes + i++);
        emit_put(e, VM_ARRAY, to, sizes, emit_type(e, n->type));
        return;
    }
    if (n_elements > UINT16_MAX)
        emit_fail(e, "an array initializer has too many elements");
    if (n->more) {
        sizes = emit_registers(e, n->type->rank);
        for (const struct bound *it = n->more; it; it = it->next)
            emit_to(e, it, sizes + i++);
    } else {
        sizes = emit_registers(e, 1);
        emit_put(e, VM_CONST, sizes, emit_constant(e, value_i64(n_elements), e->b->core->int_), 0);
    }
    emit_put(e, VM_ARRAY, array, sizes, emit_type(e, n->type));
    i = 0;
    for (const struct bound *it = n->list; it; it = it->next) {
        uint32_t mark = e->next;
        emit_put(e, VM_STORE, array, emit_any(e, it), i++);
        e->next = mark;
    }
    emit_put(e, VM_MOVE, to, array, 0);
}

static void
emit_new_record(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t base = emit_registers(e, bound_count(n->list)), i = 0;

    for (const struct bound *it = n->list; it; it = it->next)
        emit_to(e, it, base + i++);
    emit_put(e, VM_RECORD, to, base, emit_type(e, n->type));
}

static void
emit_record_with(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t record = emit_registers(e, 1), mark;

    emit_put(e, VM_RECORD_COPY, record, emit_any(e, n->a), emit_type(e, n->type));
    mark = e->next;
    emit_put(e, VM_SET_FIELD, record, emit_any(e, n->b), n->index);
    e->next = mark;
    emit_put(e, VM_MOVE, to, record, 0);
}

static void
emit_element(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t base, i = 1, n_indices = bound_count(n->list);

    if (n_indices == 1) {
        uint32_t array = emit_operand(e, n->a, n->list);
        emit_put(e, VM_ELEMENT, to, array, emit_any(e, n->list));
        return;
    }
    base = emit_registers(e, n_indices + 1);
    emit_to(e, n->a, base);
    for (const struct bound *it = n->list; it; it = it->next)
        emit_to(e, it, base + i++);
    emit_put(e, VM_ELEMENT_AT, to, base, n_indices);
}

static void
assign_element(struct emitter *e, const struct bound *n, uint32_t to)
{
    const struct bound *target = n->a;
    uint32_t base, i = 1, n_indices = bound_count(target->list);

    base = emit_registers(e, n_indices + 1);
    emit_to(e, target->a, base);
    for (const struct bound *it = target->list; it; it = it->next)
        emit_to(e, it, base + i++);
    emit_to(e, n->b, to);
    if (n_indices == 1)
        emit_put(e, set_element_op(target->type), base, base + 1, to);
    else
        emit_put(e, VM_SET_ELEMENT_AT, to, base, n_indices);
}

static void
assign_property(struct emitter *e, const struct bound *n, uint32_t to)
{
    const struct bound *target = n->a;
    uint32_t n_args = (target->a ? 1 : 0) + bound_count(target->list) + 1, base = emit_registers(e, n_args), i = 0;
    struct call_site site = make_site(e, target, target->member, target->member->set, n_args);
    uint32_t ignored = emit_registers(e, 1);

    if (target->a)
        emit_to(e, target->a, base + i++);
    for (const struct bound *it = target->list; it; it = it->next)
        emit_to(e, it, base + i++);
    emit_to(e, n->b, base + i);
    site.needs_receiver = target->a && may_be_null(target->a);
    site.ret_type = e->b->core->void_;
    emit_put(e, VM_CALL, ignored, emit_site(e, site), base);
    emit_put(e, VM_MOVE, to, base + i, 0);
}

static void
emit_assign(struct emitter *e, const struct bound *n, uint32_t to)
{
    struct symbol *s = n->a->symbol;

    if (n->a->kind == B_ELEMENT) {
        assign_element(e, n, to);
    } else if (n->a->kind == B_PROPERTY) {
        assign_property(e, n, to);
    } else if (s->function == e->scope && !symbol_needs_cell(s)) {
        emit_to(e, n->b, symbol_register(e, s));
        if (to != s->reg)
            emit_put(e, VM_MOVE, to, s->reg, 0);
    } else {
        if (s->function == e->scope && !s->has_register)
            symbol_begin(e, s);
        emit_to(e, n->b, to);
        symbol_store(e, s, to);
    }
}

void
emit_pattern_variable(struct emitter *e, const struct bound *n, uint32_t x)
{
    uint32_t mark = e->next, bare;

    if (!type_is_value_type(n->target)) {
        symbol_store(e, n->symbol, x);
        return;
    }
    bare = emit_registers(e, 1);
    emit_put(e, VM_UNBOX, bare, x, emit_type(e, n->target));
    symbol_store(e, n->symbol, bare);
    e->next = mark;
}

/* --- expressions ------------------------------------------------------------------------------------------------------------------------- */

static void
emit_throw(struct emitter *e, const struct bound *n)
{
    if (n->a)
        emit_put(e, VM_THROW, emit_any(e, n->a), 0, 0);
    else
        emit_put(e, VM_RETHROW, e->catch_register, 0, 0);
}

static void
emit_sequence(struct emitter *e, const struct bound *n, uint32_t to)
{
    for (const struct bound *it = n->list; it; it = it->next) {
        uint32_t mark, scratch;
        if (it->kind == B_ASSIGN && it->a->kind == B_SYMBOL && it->a->symbol->function == e->scope && !it->a->symbol->has_register)
            symbol_begin(e, it->a->symbol);
        mark = e->next;
        scratch = emit_registers(e, 1);
        emit_to(e, it, scratch);
        e->next = mark;
    }
    emit_to(e, n->a, to);
}

/* Variables of patterns and `out var` inside an expression get their registers before it, so that they outlive it. */
void
emit_variables(struct emitter *e, const struct bound *n)
{
    if (!n || n->kind == B_LAMBDA || n->kind == B_CONSTANT || n->kind == B_SYMBOL)
        return;
    if (n->kind == B_IS && n->symbol && !n->symbol->has_register)
        symbol_begin(e, n->symbol);
    if (n->kind == B_OUT_ARGUMENT || n->kind == B_CALL)
        begin_out_variables(e, n->kind == B_CALL ? n->list : NULL);
    if (n->kind == B_ASSIGN && n->a->kind == B_SYMBOL && n->a->symbol->kind == SYMBOL_LOCAL && !n->a->symbol->has_register &&
        n->a->symbol->function == e->scope)
        symbol_begin(e, n->a->symbol);
    emit_variables(e, n->a);
    emit_variables(e, n->b);
    emit_variables(e, n->c);
    for (const struct bound *it = n->list; it; it = it->next)
        emit_variables(e, it);
}

static void
emit_inside(struct emitter *e, const struct bound *n, uint32_t to)
{
    switch (n->kind) {
    case B_CONSTANT: emit_put(e, VM_CONST, to, emit_constant(e, n->value, n->type), 0); return;
    case B_DEFAULT: emit_put(e, VM_ZERO, to, 0, 0); return;
    case B_SYMBOL: symbol_load(e, n->symbol, to); return;
    case B_THROW: emit_throw(e, n); return;
    case B_CALL: emit_call(e, n, to); return;
    case B_PROPERTY: emit_property(e, n, to); return;
    case B_INVOKE: emit_invoke(e, n, to); return;
    case B_FIELD: emit_put(e, VM_FIELD, to, emit_any(e, n->a), n->index); return;
    case B_ELEMENT: emit_element(e, n, to); return;
    case B_ARRAY_LENGTH: emit_put(e, VM_LENGTH, to, emit_any(e, n->a), 0); return;
    case B_NULLABLE_HAS_VALUE:
        emit_put(e, VM_IS_NULL, to, emit_any(e, n->a), 0);
        emit_put(e, VM_NOT, to, to, 0);
        return;
    case B_NULLABLE_VALUE: emit_put(e, n->flag ? VM_NULLABLE_GET : VM_NULLABLE_VALUE, to, emit_any(e, n->a), 0); return;
    case B_CONVERT: emit_convert(e, n, to); return;
    case B_UNARY: emit_unary(e, n, to); return;
    case B_BINARY: emit_binary(e, n, to); return;
    case B_REFERENCE_EQUAL: case B_STRING_EQUAL: {
        uint32_t x = emit_operand(e, n->a, n->b);
        emit_put(e, n->kind == B_STRING_EQUAL ? VM_EQ_STRING : VM_EQ_I64, to, x, emit_any(e, n->b));
        if (n->flag)
            emit_put(e, VM_NOT, to, to, 0);
        return;
    }
    case B_IS_NULL:
        emit_put(e, VM_IS_NULL, to, emit_any(e, n->a), 0);
        if (n->flag)
            emit_put(e, VM_NOT, to, to, 0);
        return;
    case B_AND: case B_OR: emit_bool(e, n, to); return;
    case B_NOT: emit_put(e, VM_NOT, to, emit_any(e, n->a), 0); return;
    case B_CONDITIONAL: emit_conditional(e, n, to); return;
    case B_COALESCE: case B_CONDITIONAL_ACCESS: emit_null_choice(e, n, to); return;
    case B_CONCAT: emit_concat(e, n, to); return;
    case B_TO_STRING: emit_to_string(e, n, to); return;
    case B_IS:
        if (n->symbol)
            emit_bool(e, n, to);
        else
            emit_put(e, VM_IS, to, emit_any(e, n->a), emit_type(e, n->target));
        return;
    case B_AS: emit_put(e, VM_AS, to, emit_any(e, n->a), emit_type(e, n->target)); return;
    case B_ASSIGN: emit_assign(e, n, to); return;
    case B_NEW_ARRAY: emit_new_array(e, n, to); return;
    case B_NEW_RECORD: emit_new_record(e, n, to); return;
    case B_RECORD_WITH: emit_record_with(e, n, to); return;
    case B_SEQUENCE: emit_sequence(e, n, to); return;
    case B_LAMBDA: emit_lambda(e, n, to); return;
    case B_METHOD_DELEGATE: emit_method_delegate(e, n, to); return;
    default: emit_fail(e, "an expression that cannot be run");
    }
}

void
emit_to(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t mark = e->next;

    if (e->unit->failed)
        return;
    emit_inside(e, n, to);
    e->next = mark;
}

uint32_t
emit_any(struct emitter *e, const struct bound *n)
{
    uint32_t reg;

    n = bound_unlinked(n);
    if (n->kind == B_SYMBOL && n->symbol->function == e->scope && !symbol_needs_cell(n->symbol))
        return symbol_register(e, n->symbol);
    if (n->kind == B_CONVERT && n->conversion == CONVERT_REFERENCE)
        return emit_any(e, n->a);
    if (n->kind == B_CONSTANT && e->loops && (reg = emit_pinned(e, n->value, n->type)) != NO_REGISTER)
        return reg;
    reg = emit_registers(e, 1);
    emit_to(e, n, reg);
    return reg;
}
