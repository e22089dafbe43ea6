/* emit.c: from the bound tree to bytecode: functions, tables, jumps, registers of variables. Operators are in emit_op.c, other
 * expressions in emit_expr.c, statements in emit_stmt.c.
 *
 * Registers are handed out as a stack: parameters, then locals of open blocks, then what an expression needs for a moment.
 *     emit_to(e, n, r)   puts the value of n into register r
 *     emit_any(e, n)     gives a register that holds it: a local's own, or a new one
 * A local that a lambda captures and somebody changes lives in a cell; its register holds the cell.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/emitter.h"

#define CODE_MAX 1000000
#define CONSTANTS_SEARCHED 256        /* of the newest, for one to use again */

void
emit_fail(struct emitter *e, const char *what)
{
    if (!e->unit->failed)
        bind_error(e->b, NULL, "the expression is too large: %s", what);
    e->unit->failed = true;
}

uint32_t
emit_here(const struct emitter *e)
{
    return (uint32_t)e->code.n;
}

uint32_t
emit_put(struct emitter *e, enum vm_op op, uint32_t a, uint32_t b, uint32_t c)
{
    if (e->code.n >= CODE_MAX)
        emit_fail(e, "too many instructions");
    else
        *vec_push(&e->code) = (struct instruction){(uint16_t)op, (uint16_t)a, (uint16_t)b, (uint16_t)c};
    return emit_here(e) - 1;
}

uint32_t
emit_registers(struct emitter *e, uint32_t n)
{
    uint32_t first = e->next;

    e->next += n;
    if (e->next > REGISTERS_MAX) {
        emit_fail(e, "too many variables");
        e->next = first;
        return 0;
    }
    e->max = MAX(e->max, e->next);
    return first;
}

/* --- tables ---------------------------------------------------------------------------------------------------------------- */

/* Equal literals are one object, so that `(object)"a" == "a"`. */
static bool
is_same_constant(const struct type *type, struct value x, struct value y)
{
    if (type && type->kind == TYPE_STRING)
        return string_eq((struct string *)x.ref, (struct string *)y.ref);
    return x.lo == y.lo && x.hi == y.hi;
}

uint32_t
emit_constant(struct emitter *e, struct value v, const struct type *type)
{
    struct unit *u = e->unit;

    for (uint32_t i = u->constants.n > CONSTANTS_SEARCHED ? (uint32_t)u->constants.n - CONSTANTS_SEARCHED : 0; i < u->constants.n; i++)
        if (u->constant_types.v[i] == type && is_same_constant(type, u->constants.v[i], v))
            return i;
    if (u->constants.n == UINT16_MAX) {
        emit_fail(e, "too many constants");
        return 0;
    }
    *vec_push(&u->constants) = v;
    *vec_push(&u->constant_types) = type;
    return (uint32_t)u->constants.n - 1;
}

uint32_t
emit_pinned(struct emitter *e, struct value v, const struct type *type)
{
    uint32_t k = emit_constant(e, v, type);

    for (uint32_t i = 0; i < e->pinned.n; i++)
        if (e->pinned.v[i] == k)
            return REGISTERS_MAX + i;
    if (e->pinned.n == UINT16_MAX - REGISTERS_MAX)
        return NO_REGISTER;
    *vec_push(&e->pinned) = (uint16_t)k;
    return REGISTERS_MAX + (uint32_t)e->pinned.n - 1;
}

uint32_t
emit_type(struct emitter *e, const struct type *type)
{
    struct unit *u = e->unit;

    for (uint32_t i = 0; i < u->types.n; i++)
        if (u->types.v[i] == type)
            return i;
    if (u->types.n == UINT16_MAX)
        emit_fail(e, "too many types");
    else
        *vec_push(&u->types) = type;
    return (uint32_t)u->types.n - 1;
}

uint32_t
emit_site(struct emitter *e, struct call_site site)
{
    if (e->unit->sites.n == UINT16_MAX)
        emit_fail(e, "too many calls");
    else
        *vec_push(&e->unit->sites) = site;
    return (uint32_t)e->unit->sites.n - 1;
}

/* --- jumps ------------------------------------------------------------------------------------------------------------------- */

void
patch_add(struct patches *p, uint32_t at)
{
    *vec_push(p) = at;
}

static bool
is_short_jump(enum vm_op op)
{
    return op == VM_NEXT || (op >= VM_JUMP_EQ && op <= VM_JUMP_NE_STRING) || (op >= VM_LOOP_EQ && op <= VM_LOOP_GT);
}

void
patch_set(struct emitter *e, uint32_t at, uint32_t target)
{
    struct instruction *i = &e->code.v[at];
    int32_t offset = (int32_t)target - (int32_t)at - 1;

    if (is_short_jump((enum vm_op)i->op)) {
        if (offset != (int16_t)offset)
            emit_fail(e, "a loop or condition is too long");
        i->c = (uint16_t)offset;
    } else {
        i->b = (uint16_t)offset;
        i->c = (uint16_t)((uint32_t)offset >> 16);
    }
}

void
patch_here(struct emitter *e, struct patches *p)
{
    for (size_t i = 0; i < p->n; i++)
        patch_set(e, p->v[i], emit_here(e));
    vec_free(p);
}

void
emit_jump_back(struct emitter *e, uint32_t target)
{
    patch_set(e, emit_put(e, VM_LOOP, 0, 0, 0), target);
}

/* --- symbols ------------------------------------------------------------------------------------------------------------------ */

bool
symbol_needs_cell(const struct symbol *s)
{
    return s->is_captured && (s->is_reassigned || s->is_used_by_function);
}

static uint32_t
capture_index(struct emitter *e, struct symbol *s)
{
    for (uint32_t i = 0; i < e->captured.n; i++)
        if (e->captured.v[i] == s)
            return i;
    *vec_push(&e->captured) = s;
    return (uint32_t)e->captured.n - 1;
}

uint32_t
symbol_register(struct emitter *e, struct symbol *s)
{
    if (!s->has_register) {
        s->reg = emit_registers(e, 1);
        s->has_register = true;
    }
    return s->reg;
}

/* The cell of s, or its value when it has none, into `to`. */
void
symbol_load_raw(struct emitter *e, struct symbol *s, uint32_t to)
{
    if (s->function == e->scope)
        emit_put(e, VM_MOVE, to, symbol_register(e, s), 0);
    else
        emit_put(e, VM_CAPTURED, to, capture_index(e, s), 0);
}

void
symbol_load(struct emitter *e, struct symbol *s, uint32_t to)
{
    if (!symbol_needs_cell(s)) {
        symbol_load_raw(e, s, to);
    } else if (s->function == e->scope) {
        emit_put(e, VM_CELL_GET, to, symbol_register(e, s), 0);
    } else {
        emit_put(e, VM_CAPTURED, to, capture_index(e, s), 0);
        emit_put(e, VM_CELL_GET, to, to, 0);
    }
}

void
symbol_store(struct emitter *e, struct symbol *s, uint32_t from)
{
    uint32_t mark = e->next, cell;

    if (!symbol_needs_cell(s)) {
        if (symbol_register(e, s) != from)
            emit_put(e, VM_MOVE, s->reg, from, 0);
        return;
    }
    if (s->function == e->scope) {
        emit_put(e, VM_CELL_SET, symbol_register(e, s), from, 0);
        return;
    }
    cell = emit_registers(e, 1);
    emit_put(e, VM_CAPTURED, cell, capture_index(e, s), 0);
    emit_put(e, VM_CELL_SET, cell, from, 0);
    e->next = mark;
}

/* A variable begins: a register, and a fresh cell when it needs one. */
void
symbol_begin(struct emitter *e, struct symbol *s)
{
    s->has_register = false;            /* a finally block is written more than once */
    symbol_register(e, s);
    if (symbol_needs_cell(s))
        emit_put(e, VM_CELL_NEW, s->reg, 0, 0);
}

/* --- functions -------------------------------------------------------------------------------------------------------------------------------------- */

static void *
copied(struct binder *b, const void *v, size_t n, size_t size)
{
    void *p = arena_alloc_zero(b->arena, n ? n : 1, size, 16);

    if (p && n)
        memcpy(p, v, n * size);
    return p;
}

static void
emit_prologue(struct emitter *e)
{
    for (uint32_t i = 0; i < e->scope->n_parameters; i++) {
        struct symbol *s = e->scope->parameters[i];
        s->reg = emit_registers(e, 1);
        s->has_register = true;
    }
    for (uint32_t i = 0; i < e->scope->n_parameters; i++) {
        struct symbol *s = e->scope->parameters[i];
        uint32_t cell;
        if (!symbol_needs_cell(s))
            continue;
        cell = emit_registers(e, 1);
        emit_put(e, VM_CELL_NEW, cell, 0, 0);
        emit_put(e, VM_CELL_SET, cell, s->reg, 0);
        s->reg = cell;
    }
}

/* Pinned constants get the registers behind those that the function turned out to need. */
static void
place_pinned(struct emitter *e)
{
    static const struct {
        char a, b, c;
    } kinds[] = {
#define OP(name, a, b, c) {#a[0], #b[0], #c[0]},
#include "expr/vm_ops.def"
#undef OP
    };
    uint32_t by = REGISTERS_MAX - e->max;

    for (size_t i = 0; e->pinned.n && i < e->code.n; i++) {
        struct instruction *at = &e->code.v[i];
        if (kinds[at->op].a == 'R' && at->a >= REGISTERS_MAX)
            at->a = (uint16_t)(at->a - by);
        if (kinds[at->op].b == 'R' && at->b >= REGISTERS_MAX)
            at->b = (uint16_t)(at->b - by);
        if ((kinds[at->op].c == 'R') && at->c >= REGISTERS_MAX)
            at->c = (uint16_t)(at->c - by);
    }
    e->max += (uint32_t)e->pinned.n;
}

const struct function *
emit_function(struct emitter *outer, struct function_scope *scope, const struct bound *body, struct unit *unit, struct binder *b,
              struct expr_program *program, struct emitter *ret)
{
    struct emitter *e = ret;
    struct function *f = arena_new(b->arena, struct function);

    *e = (struct emitter){.b = b, .program = program, .unit = unit, .outer = outer, .scope = scope};
    emit_prologue(e);
    emit_statement(e, body);
    emit_put(e, VM_RETURN_VOID, 0, 0, 0);
    place_pinned(e);
    if (f && !unit->failed) {
        *f = (struct function){.program = program, .n_code = (uint32_t)e->code.n, .n_handlers = (uint32_t)e->handlers.n,
                               .n_registers = (uint16_t)e->max, .n_parameters = (uint16_t)scope->n_parameters,
                               .n_captured = (uint16_t)e->captured.n, .n_pinned = (uint16_t)e->pinned.n, .name = scope->name};
        f->pinned = copied(b, e->pinned.v, e->pinned.n, sizeof(*e->pinned.v));
        f->code = copied(b, e->code.v, e->code.n, sizeof(*e->code.v));
        f->handlers = copied(b, e->handlers.v, e->handlers.n, sizeof(*e->handlers.v));
    }
    vec_free(&e->code);
    vec_free(&e->handlers);
    vec_free(&e->pinned);
    if (!f || unit->failed || !f->code || !f->handlers || !f->pinned) {
        unit->failed = true;
        vec_free(&e->captured);
        return NULL;
    }
    return f;
}

bool
emit_program(struct binder *b, struct bound *body, struct function_scope *function, struct expr_program *program)
{
    struct unit unit = {0};
    struct emitter e;
    bool ok;

    program->main = emit_function(NULL, function, body, &unit, b, program, &e);
    program->constants = copied(b, unit.constants.v, unit.constants.n, sizeof(*unit.constants.v));
    program->constant_types = copied(b, unit.constant_types.v, unit.constant_types.n, sizeof(*unit.constant_types.v));
    program->types = copied(b, unit.types.v, unit.types.n, sizeof(*unit.types.v));
    program->sites = copied(b, unit.sites.v, unit.sites.n, sizeof(*unit.sites.v));
    program->functions = copied(b, unit.functions.v, unit.functions.n, sizeof(*unit.functions.v));
    program->n_constants = (uint32_t)unit.constants.n;
    program->n_types = (uint32_t)unit.types.n;
    program->n_sites = (uint32_t)unit.sites.n;
    program->n_functions = (uint32_t)unit.functions.n;
    ok = !unit.failed && program->constants && program->constant_types && program->types && program->sites && program->functions;
    vec_free(&unit.constants);
    vec_free(&unit.constant_types);
    vec_free(&unit.types);
    vec_free(&unit.sites);
    vec_free(&unit.functions);
    CHECK(!ok || vm_verify(program));
    return ok;
}
