/* emit.c: from the bound tree to bytecode.
 *
 * Registers are handed out as a stack: parameters, then locals of open blocks, then what an expression needs for a moment.
 *     emit_to(e, n, r)   puts the value of n into register r
 *     emit_any(e, n)     gives a register that holds it: a local's own, or a new one
 * A local that a lambda captures and somebody changes lives in a cell; its register holds the cell.
 * Exceptions: handlers cover ranges of code; a jump out of a try block runs the finally blocks it leaves, written out again
 * at that place, outside of the ranges they belong to.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/emit.h"

#include <stdlib.h>

#define REGISTERS_MAX 60000
#define CODE_MAX 1000000
#define NO_REGISTER UINT32_MAX

enum frame_kind { FRAME_LOOP, FRAME_SWITCH, FRAME_TRY };

struct patches {
    uint32_t *v;
    size_t n, cap;
};

/* What a jump may leave or go to. */
struct frame {
    enum frame_kind kind;
    struct frame *outer;
    struct patches breaks, continues;
    /* try: */
    const struct bound *finally;      /* NULL: only catches */
    uint32_t range_from;
    VEC(struct handler) ranges;       /* target is filled in at the end */
};

struct emitter {
    struct binder *b;
    struct expr_program *program;
    struct unit *unit;
    struct emitter *outer;
    struct function_scope *scope;
    VEC(struct instruction) code;
    VEC(struct handler) handlers;
    VEC(struct symbol *) captured;
    struct frame *frame;
    uint32_t next, max;               /* registers */
    uint32_t catch_register;
};

/* Tables of the whole program while it grows. */
struct unit {
    VEC(struct value) constants;
    VEC(const struct type *) constant_types;
    VEC(const struct type *) types;
    VEC(struct call_site) sites;
    VEC(const struct function *) functions;
    bool failed;
};

static void emit_statement(struct emitter *e, const struct bound *n);
static const struct bound *unlinked(const struct bound *n);
static uint32_t emit_any(struct emitter *e, const struct bound *n);
static void emit_to(struct emitter *e, const struct bound *n, uint32_t to);

static void
fail(struct emitter *e, const char *what)
{
    if (!e->unit->failed)
        bind_error(e->b, NULL, "the expression is too large: %s", what);
    e->unit->failed = true;
}

static uint32_t
here(const struct emitter *e)
{
    return (uint32_t)e->code.n;
}

static uint32_t
put(struct emitter *e, enum vm_op op, uint32_t a, uint32_t b, uint32_t c)
{
    if (e->code.n >= CODE_MAX)
        fail(e, "too many instructions");
    else
        *vec_push(&e->code) = (struct instruction){(uint16_t)op, (uint16_t)a, (uint16_t)b, (uint16_t)c};
    return here(e) - 1;
}

static uint32_t
take_registers(struct emitter *e, uint32_t n)
{
    uint32_t first = e->next;

    e->next += n;
    if (e->next > REGISTERS_MAX) {
        fail(e, "too many variables");
        e->next = first;
        return 0;
    }
    e->max = MAX(e->max, e->next);
    return first;
}

/* --- tables ---------------------------------------------------------------------------------------------------------------- */

static uint32_t
constant_index(struct emitter *e, struct value v, const struct type *type)
{
    struct unit *u = e->unit;

    for (uint32_t i = u->constants.n > 64 ? (uint32_t)u->constants.n - 64 : 0; i < u->constants.n; i++)
        if (u->constants.v[i].lo == v.lo && u->constants.v[i].hi == v.hi && u->constant_types.v[i] == type)
            return i;
    if (u->constants.n == UINT16_MAX) {
        fail(e, "too many constants");
        return 0;
    }
    *vec_push(&u->constants) = v;
    *vec_push(&u->constant_types) = type;
    return (uint32_t)u->constants.n - 1;
}

static uint32_t
type_index(struct emitter *e, const struct type *type)
{
    struct unit *u = e->unit;

    for (uint32_t i = 0; i < u->types.n; i++)
        if (u->types.v[i] == type)
            return i;
    if (u->types.n == UINT16_MAX)
        fail(e, "too many types");
    else
        *vec_push(&u->types) = type;
    return (uint32_t)u->types.n - 1;
}

static uint32_t
add_site(struct emitter *e, struct call_site site)
{
    if (e->unit->sites.n == UINT16_MAX)
        fail(e, "too many calls");
    else
        *vec_push(&e->unit->sites) = site;
    return (uint32_t)e->unit->sites.n - 1;
}

/* --- jumps ------------------------------------------------------------------------------------------------------------------- */

static void
add_patch(struct patches *p, uint32_t at)
{
    *vec_push(p) = at;
}

static bool
is_short_jump(enum vm_op op)
{
    return op == VM_NEXT || (op >= VM_JUMP_EQ && op <= VM_JUMP_GT);
}

static void
set_jump(struct emitter *e, uint32_t at, uint32_t target)
{
    struct instruction *i = &e->code.v[at];
    int32_t offset = (int32_t)target - (int32_t)at - 1;

    if (is_short_jump((enum vm_op)i->op)) {
        if (offset != (int16_t)offset)
            fail(e, "a loop or condition is too long");
        i->c = (uint16_t)offset;
    } else {
        i->b = (uint16_t)offset;
        i->c = (uint16_t)((uint32_t)offset >> 16);
    }
}

static void
patch_here(struct emitter *e, struct patches *p)
{
    for (size_t i = 0; i < p->n; i++)
        set_jump(e, p->v[i], here(e));
    vec_free(p);
}

static void
jump_to(struct emitter *e, uint32_t target)
{
    set_jump(e, put(e, VM_JUMP, 0, 0, 0), target);
}

/* --- symbols ------------------------------------------------------------------------------------------------------------------ */

static bool
needs_cell(const struct symbol *s)
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

static uint32_t
own_register(struct emitter *e, struct symbol *s)
{
    if (!s->has_register) {
        s->reg = take_registers(e, 1);
        s->has_register = true;
    }
    return s->reg;
}

/* The cell of s, or its value when it has none, into `to`. */
static void
load_raw(struct emitter *e, struct symbol *s, uint32_t to)
{
    if (s->function == e->scope)
        put(e, VM_MOVE, to, own_register(e, s), 0);
    else
        put(e, VM_CAPTURED, to, capture_index(e, s), 0);
}

static void
load_symbol(struct emitter *e, struct symbol *s, uint32_t to)
{
    if (!needs_cell(s)) {
        load_raw(e, s, to);
    } else if (s->function == e->scope) {
        put(e, VM_CELL_GET, to, own_register(e, s), 0);
    } else {
        put(e, VM_CAPTURED, to, capture_index(e, s), 0);
        put(e, VM_CELL_GET, to, to, 0);
    }
}

static void
store_symbol(struct emitter *e, struct symbol *s, uint32_t from)
{
    uint32_t mark = e->next, cell;

    if (!needs_cell(s)) {
        if (own_register(e, s) != from)
            put(e, VM_MOVE, s->reg, from, 0);
        return;
    }
    if (s->function == e->scope) {
        put(e, VM_CELL_SET, own_register(e, s), from, 0);
        return;
    }
    cell = take_registers(e, 1);
    put(e, VM_CAPTURED, cell, capture_index(e, s), 0);
    put(e, VM_CELL_SET, cell, from, 0);
    e->next = mark;
}

/* A variable begins: a register, and a fresh cell when it needs one. */
static void
begin_symbol(struct emitter *e, struct symbol *s)
{
    s->has_register = false;            /* a finally block is written more than once */
    own_register(e, s);
    if (needs_cell(s))
        put(e, VM_CELL_NEW, s->reg, 0, 0);
}

/* --- operators ------------------------------------------------------------------------------------------------------------------ */

enum number_class { CLASS_I32, CLASS_U32, CLASS_I64, CLASS_U64, CLASS_F64, CLASS_F32 };

static enum number_class
class_of(const struct type *t)
{
    switch ((int)t->kind) {
    case TYPE_INT: case TYPE_SHORT: case TYPE_USHORT: case TYPE_BYTE: case TYPE_SBYTE: case TYPE_CHAR: return CLASS_I32;
    case TYPE_UINT: return CLASS_U32;
    case TYPE_ULONG: return CLASS_U64;
    case TYPE_DOUBLE: return CLASS_F64;
    case TYPE_FLOAT: return CLASS_F32;
    }
    return CLASS_I64;
}

/* Rows by operation, columns by class. */
static enum vm_op
arithmetic_op(enum operation op, enum number_class class)
{
    static const uint16_t table[][5] = {
        [OP_ADD] = {VM_ADD_I32, VM_ADD_U32, VM_ADD_I64, VM_ADD_I64, VM_ADD_F64},
        [OP_SUBTRACT] = {VM_SUB_I32, VM_SUB_U32, VM_SUB_I64, VM_SUB_I64, VM_SUB_F64},
        [OP_MULTIPLY] = {VM_MUL_I32, VM_MUL_U32, VM_MUL_I64, VM_MUL_I64, VM_MUL_F64},
        [OP_DIVIDE] = {VM_DIV_I32, VM_DIV_U64, VM_DIV_I64, VM_DIV_U64, VM_DIV_F64},
        [OP_REMAINDER] = {VM_REM_I32, VM_REM_U64, VM_REM_I64, VM_REM_U64, VM_REM_F64},
        [OP_AND] = {VM_AND, VM_AND, VM_AND, VM_AND, VM_AND},
        [OP_OR] = {VM_OR, VM_OR, VM_OR, VM_OR, VM_OR},
        [OP_XOR] = {VM_XOR, VM_XOR, VM_XOR, VM_XOR, VM_XOR},
        [OP_SHIFT_LEFT] = {VM_SHL_I32, VM_SHL_U32, VM_SHL_I64, VM_SHL_I64, VM_SHL_I64},
        [OP_SHIFT_RIGHT] = {VM_SHR_I32, VM_SHR_I32, VM_SHR_I64, VM_SHR_U64, VM_SHR_I64},
    };
    return (enum vm_op)table[op][class];
}

static enum vm_op
checked_op(enum operation op, bool is_unsigned)
{
    switch ((int)op) {
    case OP_ADD: return is_unsigned ? VM_ADD_CHECKED_U64 : VM_ADD_CHECKED_I64;
    case OP_SUBTRACT: return is_unsigned ? VM_SUB_CHECKED_U64 : VM_SUB_CHECKED_I64;
    }
    return is_unsigned ? VM_MUL_CHECKED_U64 : VM_MUL_CHECKED_I64;
}

/* True when evaluating n may change a variable whose register an operand before it uses. */
static bool
may_assign(const struct bound *n)
{
    if (!n || n->kind == B_CONSTANT || n->kind == B_SYMBOL || n->kind == B_LAMBDA)
        return false;
    if (n->kind == B_ASSIGN || n->kind == B_OUT_ARGUMENT || n->kind == B_INVOKE || n->kind == B_IS || n->kind == B_CALL)
        return true;
    if (may_assign(n->a) || may_assign(n->b) || may_assign(n->c))
        return true;
    for (const struct bound *it = n->list; it; it = it->next)
        if (may_assign(it))
            return true;
    return false;
}

/* An operand that is read after `later` has been evaluated. */
static uint32_t
emit_operand(struct emitter *e, const struct bound *n, const struct bound *later)
{
    uint32_t reg;

    while (n->kind == B_SEQUENCE && !n->list)
        n = n->a;
    if (n->kind != B_SYMBOL || !may_assign(later))
        return emit_any(e, n);
    reg = take_registers(e, 1);
    emit_to(e, n, reg);
    return reg;
}

static uint32_t
widen_float(struct emitter *e, uint32_t reg, const struct type *type)
{
    uint32_t wide;

    if (type->kind != TYPE_FLOAT)
        return reg;
    wide = take_registers(e, 1);
    put(e, VM_F32_TO_F64, wide, reg, 0);
    return wide;
}

static void
emit_comparison(struct emitter *e, enum operation op, enum number_class class, uint32_t x, uint32_t y, uint32_t to)
{
    bool is_real = class == CLASS_F64 || class == CLASS_F32, is_unsigned = class == CLASS_U64;

    switch ((int)op) {
    case OP_EQUAL: case OP_NOT_EQUAL:
        put(e, is_real ? VM_EQ_F64 : VM_EQ_I64, to, x, y);
        if (op == OP_NOT_EQUAL)
            put(e, VM_NOT, to, to, 0);
        return;
    case OP_LESS: put(e, is_real ? VM_LT_F64 : is_unsigned ? VM_LT_U64 : VM_LT_I64, to, x, y); return;
    case OP_LESS_EQUAL: put(e, is_real ? VM_LE_F64 : is_unsigned ? VM_LE_U64 : VM_LE_I64, to, x, y); return;
    case OP_GREATER: put(e, is_real ? VM_LT_F64 : is_unsigned ? VM_LT_U64 : VM_LT_I64, to, y, x); return;
    }
    put(e, is_real ? VM_LE_F64 : is_unsigned ? VM_LE_U64 : VM_LE_I64, to, y, x);
}

static void
emit_binary(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t x = widen_float(e, emit_operand(e, n->a, n->b), n->a->type);
    uint32_t y = n->b->type->kind == TYPE_FLOAT ? widen_float(e, emit_any(e, n->b), n->b->type) : emit_any(e, n->b);
    enum number_class class = class_of(n->a->type);
    bool can_overflow = n->op == OP_ADD || n->op == OP_SUBTRACT || n->op == OP_MULTIPLY;

    if (n->op >= OP_EQUAL && n->op <= OP_GREATER_EQUAL) {
        emit_comparison(e, n->op, class, x, y, to);
        return;
    }
    if (class == CLASS_F32) {
        put(e, arithmetic_op(n->op, CLASS_F64), to, x, y);
        put(e, VM_F64_TO_F32, to, to, 0);
    } else if (n->is_checked && can_overflow && (class == CLASS_I32 || class == CLASS_U32)) {
        put(e, arithmetic_op(n->op, CLASS_I64), to, x, y);
        put(e, VM_RANGE, to, to, n->type->kind);
    } else if (n->is_checked && can_overflow && (class == CLASS_I64 || class == CLASS_U64) && n->type->kind != TYPE_ENUM) {
        put(e, checked_op(n->op, class == CLASS_U64), to, x, y);
    } else {
        put(e, arithmetic_op(n->op, class), to, x, y);
    }
}

static void
emit_unary(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t x = emit_any(e, n->a);
    enum number_class class = class_of(n->type);

    if (n->op == OP_COMPLEMENT) {
        put(e, VM_COMPLEMENT, to, x, 0);
        if (class == CLASS_U32)
            put(e, VM_WRAP, to, to, TYPE_UINT);
        return;
    }
    switch (class) {
    case CLASS_F64: put(e, VM_NEG_F64, to, x, 0); return;
    case CLASS_F32:
        put(e, VM_F32_TO_F64, to, x, 0);
        put(e, VM_NEG_F64, to, to, 0);
        put(e, VM_F64_TO_F32, to, to, 0);
        return;
    case CLASS_I32:
        put(e, n->is_checked ? VM_NEG_I64 : VM_NEG_I32, to, x, 0);
        if (n->is_checked)
            put(e, VM_RANGE, to, to, TYPE_INT);
        return;
    default: put(e, n->is_checked ? VM_NEG_CHECKED_I64 : VM_NEG_I64, to, x, 0);
    }
}

static void
emit_number_conversion(struct emitter *e, const struct bound *n, uint32_t x, uint32_t to)
{
    const struct type *from = n->a->type;
    enum type_kind kind = n->target->kind == TYPE_ENUM ? TYPE_LONG : n->target->kind;
    bool from_real = from->kind == TYPE_DOUBLE || from->kind == TYPE_FLOAT;

    if (from->kind == TYPE_FLOAT) {
        put(e, VM_F32_TO_F64, to, x, 0);
        x = to;
    }
    if (kind == TYPE_DOUBLE || kind == TYPE_FLOAT) {
        if (!from_real)
            put(e, from->kind == TYPE_ULONG ? VM_U64_TO_F64 : VM_I64_TO_F64, to, x, 0);
        else if (x != to)
            put(e, VM_MOVE, to, x, 0);
        if (kind == TYPE_FLOAT)
            put(e, VM_F64_TO_F32, to, to, 0);
        return;
    }
    if (from_real)
        put(e, n->is_checked ? VM_F64_TO_INT_CHECKED : VM_F64_TO_INT, to, x, kind);
    else if (n->is_checked && n->conversion != CONVERT_NUMERIC)
        put(e, from->kind == TYPE_ULONG ? VM_RANGE_U64 : VM_RANGE, to, x, kind);
    else
        put(e, VM_WRAP, to, x, kind);
}

static void
emit_convert(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t x;

    if (n->conversion == CONVERT_REFERENCE) {
        emit_to(e, n->a, to);
        return;
    }
    x = emit_any(e, n->a);
    switch ((int)n->conversion) {
    case CONVERT_NUMERIC: case CONVERT_CONSTANT: case CONVERT_NARROW: case CONVERT_ENUM:
        emit_number_conversion(e, n, x, to);
        return;
    case CONVERT_NULLABLE: case CONVERT_BOX:
        if (n->a->type->kind == TYPE_NULLABLE)
            put(e, VM_MOVE, to, x, 0);
        else
            put(e, VM_BOX, to, x, type_index(e, n->a->type));
        return;
    case CONVERT_UNBOX:
        if (n->target->kind == TYPE_NULLABLE)
            put(e, VM_UNBOX_NULLABLE, to, x, type_index(e, n->target->args[0]));
        else
            put(e, VM_UNBOX, to, x, type_index(e, n->target));
        return;
    }
    put(e, VM_CAST, to, x, type_index(e, n->target));
}

/* --- conditions ------------------------------------------------------------------------------------------------------------------ */

static bool
is_integer_comparison(const struct bound *n)
{
    enum number_class class;

    if (n->kind != B_BINARY || n->op < OP_EQUAL || n->op > OP_GREATER_EQUAL)
        return false;
    class = class_of(n->a->type);
    return class != CLASS_F64 && class != CLASS_F32 && (class != CLASS_U64 || n->op == OP_EQUAL || n->op == OP_NOT_EQUAL);
}

/* Jumps when n is `sense`; falls through otherwise. */
static void
emit_jump(struct emitter *e, const struct bound *n, bool sense, struct patches *to)
{
    static const uint16_t when_true[] = {VM_JUMP_EQ, VM_JUMP_NE, VM_JUMP_LT, VM_JUMP_LE, VM_JUMP_GT, VM_JUMP_GE};
    static const uint16_t when_false[] = {VM_JUMP_NE, VM_JUMP_EQ, VM_JUMP_GE, VM_JUMP_GT, VM_JUMP_LE, VM_JUMP_LT};
    uint32_t mark = e->next, x, y;
    struct patches skip = {0};

    while (n->kind == B_SEQUENCE && !n->list)
        n = n->a;
    if (n->kind == B_CONSTANT) {
        if ((n->value.i64 != 0) == sense)
            add_patch(to, put(e, VM_JUMP, 0, 0, 0));
    } else if (n->kind == B_NOT) {
        emit_jump(e, n->a, !sense, to);
    } else if (n->kind == B_AND || n->kind == B_OR) {
        if ((n->kind == B_OR) == sense) {
            emit_jump(e, n->a, sense, to);
            emit_jump(e, n->b, sense, to);
        } else {
            emit_jump(e, n->a, !sense, &skip);
            emit_jump(e, n->b, sense, to);
            patch_here(e, &skip);
        }
    } else if (n->kind == B_IS_NULL) {
        x = emit_any(e, n->a);
        add_patch(to, put(e, n->flag == sense ? VM_JUMP_NOT_NULL : VM_JUMP_NULL, x, 0, 0));
    } else if (is_integer_comparison(n)) {
        x = emit_operand(e, n->a, n->b);
        y = emit_any(e, n->b);
        add_patch(to, put(e, (enum vm_op)(sense ? when_true : when_false)[n->op - OP_EQUAL], x, y, 0));
    } else {
        x = emit_any(e, n);
        add_patch(to, put(e, sense ? VM_JUMP_TRUE : VM_JUMP_FALSE, x, 0, 0));
    }
    e->next = mark;
}

static void
emit_bool(struct emitter *e, const struct bound *n, uint32_t to)
{
    struct patches no = {0};
    uint32_t yes = constant_index(e, value_bool(true), e->b->core->bool_), end;
    uint32_t result = to;

    emit_jump(e, n, false, &no);
    put(e, VM_CONST, result, yes, 0);
    end = put(e, VM_JUMP, 0, 0, 0);
    patch_here(e, &no);
    put(e, VM_ZERO, result, 0, 0);
    set_jump(e, end, here(e));
}

static void
emit_conditional(struct emitter *e, const struct bound *n, uint32_t to)
{
    struct patches no = {0};
    uint32_t end;

    emit_jump(e, n->a, false, &no);
    emit_to(e, n->b, to);
    end = put(e, VM_JUMP, 0, 0, 0);
    patch_here(e, &no);
    emit_to(e, n->c, to);
    set_jump(e, end, here(e));
}

/* a ?? b and a?.b: a once, into the node's variable. */
static void
emit_null_choice(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t null_jump, end;

    emit_to(e, n->a, own_register(e, n->symbol));
    null_jump = put(e, VM_JUMP_NULL, n->symbol->reg, 0, 0);
    emit_to(e, n->b, to);
    end = put(e, VM_JUMP, 0, 0, 0);
    set_jump(e, null_jump, here(e));
    if (n->c)
        emit_to(e, n->c, to);
    set_jump(e, end, here(e));
    n->symbol->has_register = false;
}

/* --- calls ------------------------------------------------------------------------------------------------------------------------- */

static const struct bound *
unlinked(const struct bound *n)
{
    while (n->kind == B_SEQUENCE && !n->list && n->a)
        n = n->a;
    return n;
}

static uint32_t
count(const struct bound *list)
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
        constants[i] = unlinked(it)->is_constant ? &unlinked(it)->value : NULL;
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
    uint32_t base = take_registers(e, n), i = 0;

    for (const struct bound *it = list; it; it = it->next, i++) {
        const struct bound *x = unlinked(it);
        if (x->kind != B_OUT_ARGUMENT)
            emit_to(e, x, base + i);
        else if (x->flag)
            emit_to(e, x->a, base + i);
        else
            put(e, VM_ZERO, base + i, 0, 0);
    }
    return base;
}

static void
store_out_arguments(struct emitter *e, const struct bound *list, uint32_t base)
{
    uint32_t i = 0;

    for (const struct bound *it = list; it; it = it->next, i++) {
        const struct bound *x = unlinked(it);
        if (x->kind != B_OUT_ARGUMENT || !x->a)
            continue;
        if (x->a->kind == B_SYMBOL) {
            if (!x->a->symbol->has_register && x->a->symbol->function == e->scope)
                begin_symbol(e, x->a->symbol);
            store_symbol(e, x->a->symbol, base + i);
        } else {
            uint32_t mark = e->next, array = emit_any(e, x->a->a), at = emit_any(e, x->a->list);
            put(e, VM_SET_ELEMENT, array, at, base + i);
            e->next = mark;
        }
    }
}

/* Registers for variables that a call declares must outlive the call's own. */
static void
begin_out_variables(struct emitter *e, const struct bound *list)
{
    for (const struct bound *it = list; it; it = it->next) {
        const struct bound *x = unlinked(it);
        if (x->kind == B_OUT_ARGUMENT && x->a && x->a->kind == B_SYMBOL && !x->a->symbol->has_register &&
            x->a->symbol->function == e->scope)
            begin_symbol(e, x->a->symbol);
    }
}

static bool
may_be_null(const struct bound *receiver)
{
    receiver = unlinked(receiver);
    return type_is_reference(receiver->type) &&
           !(receiver->kind == B_CONSTANT && receiver->value.ref) && receiver->kind != B_NEW_ARRAY && receiver->kind != B_NEW_RECORD &&
           receiver->kind != B_CONCAT && !(receiver->kind == B_CONVERT && receiver->conversion == CONVERT_BOX && receiver->a->type->kind != TYPE_NULLABLE);
}

static void
emit_call(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t n_args = count(n->list), base = emit_arguments(e, n->list, n_args);
    struct call_site site = make_site(e, n, n->member, n->member->fn, n_args);

    site.needs_receiver = site.needs_receiver && (may_be_null(n->list) || !n->member->fn);
    site.prepared = prepare_site(e, n->member, n->list, n_args);
    put(e, VM_CALL, to, add_site(e, site), base);
    store_out_arguments(e, n->list, base);
}

static void
emit_property(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t n_args = (n->a ? 1 : 0) + count(n->list), base = take_registers(e, n_args), i = 0;
    struct call_site site = make_site(e, n, n->member, n->member->fn, n_args);

    if (n->a)
        emit_to(e, n->a, base + i++);
    for (const struct bound *it = n->list; it; it = it->next)
        emit_to(e, it, base + i++);
    site.needs_receiver = n->a && (may_be_null(n->a) || !n->member->fn);
    put(e, VM_CALL, to, add_site(e, site), base);
}

static void
emit_invoke(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t n_args = count(n->list), base = take_registers(e, n_args + 1), i = 1;

    emit_to(e, n->a, base);
    for (const struct bound *it = n->list; it; it = it->next)
        emit_to(e, it, base + i++);
    put(e, VM_INVOKE, to, base, n_args);
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
        put(e, VM_ZERO, to, 0, 0);
    put(e, VM_DELEGATE, to, add_site(e, site), receiver);
}

static const struct function *emit_function(struct emitter *outer, struct function_scope *scope, const struct bound *body,
                                            struct unit *unit, struct binder *b, struct expr_program *program, struct emitter *ret);

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
        fail(e, "too many lambdas");
    base = take_registers(e, (uint32_t)inner.captured.n + 1);
    for (uint32_t i = 0; i < inner.captured.n; i++)
        load_raw(e, inner.captured.v[i], base + 1 + i);
    put(e, VM_ZERO, base, 0, 0);
    vec_free(&inner.captured);
    /* The delegate's type travels in the register before the captured values. */
    put(e, VM_CONST, base, constant_index(e, value_ref(n->type), NULL), 0);
    put(e, VM_CLOSURE, to, index, base);
}

/* --- objects ------------------------------------------------------------------------------------------------------------------------- */

static void
emit_concat(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t n_parts = count(n->list), base = take_registers(e, n_parts), i = 0;

    for (const struct bound *it = n->list; it; it = it->next)
        emit_to(e, it, base + i++);
    put(e, VM_CONCAT, to, base, n_parts);
}

static void
emit_to_string(struct emitter *e, const struct bound *n, uint32_t to)
{
    struct call_site site = {.type = n->a->type, .format = n->text, .alignment = n->index ? (int32_t)n->index - 1000001 : 0};

    put(e, VM_TO_STRING, to, emit_any(e, n->a), add_site(e, site));
}

static void
emit_new_array(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t n_elements = count(n->list), array = take_registers(e, 1), sizes, i = 0;

    if (!n->flag) {
        sizes = take_registers(e, n_elements);
        for (const struct bound *it = n->list; it; it = it->next)
            emit_to(e, it, sizes + i++);
        put(e, VM_ARRAY, to, sizes, type_index(e, n->type));
        return;
    }
    if (n_elements > UINT16_MAX)
        fail(e, "an array initializer has too many elements");
    if (n->more) {
        sizes = take_registers(e, n->type->rank);
        for (const struct bound *it = n->more; it; it = it->next)
            emit_to(e, it, sizes + i++);
    } else {
        sizes = take_registers(e, 1);
        put(e, VM_CONST, sizes, constant_index(e, value_i64(n_elements), e->b->core->int_), 0);
    }
    put(e, VM_ARRAY, array, sizes, type_index(e, n->type));
    i = 0;
    for (const struct bound *it = n->list; it; it = it->next) {
        uint32_t mark = e->next;
        put(e, VM_STORE, array, emit_any(e, it), i++);
        e->next = mark;
    }
    put(e, VM_MOVE, to, array, 0);
}

static void
emit_new_record(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t base = take_registers(e, count(n->list)), i = 0;

    for (const struct bound *it = n->list; it; it = it->next)
        emit_to(e, it, base + i++);
    put(e, VM_RECORD, to, base, type_index(e, n->type));
}

static void
emit_element(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t base, i = 1, n_indices = count(n->list);

    if (n_indices == 1) {
        uint32_t array = emit_operand(e, n->a, n->list);
        put(e, VM_ELEMENT, to, array, emit_any(e, n->list));
        return;
    }
    base = take_registers(e, n_indices + 1);
    emit_to(e, n->a, base);
    for (const struct bound *it = n->list; it; it = it->next)
        emit_to(e, it, base + i++);
    put(e, VM_ELEMENT_AT, to, base, n_indices);
}

static void
assign_element(struct emitter *e, const struct bound *n, uint32_t to)
{
    const struct bound *target = n->a;
    uint32_t base, i = 1, n_indices = count(target->list);

    base = take_registers(e, n_indices + 1);
    emit_to(e, target->a, base);
    for (const struct bound *it = target->list; it; it = it->next)
        emit_to(e, it, base + i++);
    emit_to(e, n->b, to);
    if (n_indices == 1)
        put(e, VM_SET_ELEMENT, base, base + 1, to);
    else
        put(e, VM_SET_ELEMENT_AT, to, base, n_indices);
}

static void
assign_property(struct emitter *e, const struct bound *n, uint32_t to)
{
    const struct bound *target = n->a;
    uint32_t n_args = (target->a ? 1 : 0) + count(target->list) + 1, base = take_registers(e, n_args), i = 0;
    struct call_site site = make_site(e, target, target->member, target->member->set, n_args);
    uint32_t ignored = take_registers(e, 1);

    if (target->a)
        emit_to(e, target->a, base + i++);
    for (const struct bound *it = target->list; it; it = it->next)
        emit_to(e, it, base + i++);
    emit_to(e, n->b, base + i);
    site.needs_receiver = target->a && may_be_null(target->a);
    site.ret_type = e->b->core->void_;
    put(e, VM_CALL, ignored, add_site(e, site), base);
    put(e, VM_MOVE, to, base + i, 0);
}

static void
emit_assign(struct emitter *e, const struct bound *n, uint32_t to)
{
    struct symbol *s = n->a->symbol;

    if (n->a->kind == B_ELEMENT) {
        assign_element(e, n, to);
    } else if (n->a->kind == B_PROPERTY) {
        assign_property(e, n, to);
    } else if (s->function == e->scope && !needs_cell(s)) {
        emit_to(e, n->b, own_register(e, s));
        if (to != s->reg)
            put(e, VM_MOVE, to, s->reg, 0);
    } else {
        if (s->function == e->scope && !s->has_register)
            begin_symbol(e, s);
        emit_to(e, n->b, to);
        store_symbol(e, s, to);
    }
}

static void
emit_is(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t x = emit_any(e, n->a), mark = e->next, skip, value;

    if (!n->symbol) {
        put(e, VM_IS, to, x, type_index(e, n->target));
        return;
    }
    value = take_registers(e, 1);       /* `to` may be the register of x */
    put(e, VM_IS, value, x, type_index(e, n->target));
    skip = put(e, VM_JUMP_FALSE, value, 0, 0);
    if (type_is_value_type(n->target)) {
        uint32_t bare = take_registers(e, 1);
        put(e, VM_UNBOX, bare, x, type_index(e, n->target));
        store_symbol(e, n->symbol, bare);
    } else {
        store_symbol(e, n->symbol, x);
    }
    set_jump(e, skip, here(e));
    put(e, VM_MOVE, to, value, 0);
    e->next = mark;
}

/* --- expressions ------------------------------------------------------------------------------------------------------------------------- */

static void
emit_throw(struct emitter *e, const struct bound *n)
{
    if (n->a)
        put(e, VM_THROW, emit_any(e, n->a), 0, 0);
    else
        put(e, VM_RETHROW, e->catch_register, 0, 0);
}

static void
emit_sequence(struct emitter *e, const struct bound *n, uint32_t to)
{
    for (const struct bound *it = n->list; it; it = it->next) {
        uint32_t mark, scratch;
        if (it->kind == B_ASSIGN && it->a->kind == B_SYMBOL && it->a->symbol->function == e->scope && !it->a->symbol->has_register)
            begin_symbol(e, it->a->symbol);
        mark = e->next;
        scratch = take_registers(e, 1);
        emit_to(e, it, scratch);
        e->next = mark;
    }
    emit_to(e, n->a, to);
}

/* Variables of patterns and `out var` inside an expression get their registers before it, so that they outlive it. */
static void
begin_variables(struct emitter *e, const struct bound *n)
{
    if (!n || n->kind == B_LAMBDA || n->kind == B_CONSTANT || n->kind == B_SYMBOL)
        return;
    if (n->kind == B_IS && n->symbol && !n->symbol->has_register)
        begin_symbol(e, n->symbol);
    if (n->kind == B_OUT_ARGUMENT || n->kind == B_CALL)
        begin_out_variables(e, n->kind == B_CALL ? n->list : NULL);
    if (n->kind == B_ASSIGN && n->a->kind == B_SYMBOL && n->a->symbol->kind == SYMBOL_LOCAL && !n->a->symbol->has_register &&
        n->a->symbol->function == e->scope)
        begin_symbol(e, n->a->symbol);
    begin_variables(e, n->a);
    begin_variables(e, n->b);
    begin_variables(e, n->c);
    for (const struct bound *it = n->list; it; it = it->next)
        begin_variables(e, it);
}

static void
emit_inside(struct emitter *e, const struct bound *n, uint32_t to)
{
    switch (n->kind) {
    case B_CONSTANT: put(e, VM_CONST, to, constant_index(e, n->value, n->type), 0); return;
    case B_DEFAULT: put(e, VM_ZERO, to, 0, 0); return;
    case B_SYMBOL: load_symbol(e, n->symbol, to); return;
    case B_THROW: emit_throw(e, n); return;
    case B_CALL: emit_call(e, n, to); return;
    case B_PROPERTY: emit_property(e, n, to); return;
    case B_INVOKE: emit_invoke(e, n, to); return;
    case B_FIELD: put(e, VM_FIELD, to, emit_any(e, n->a), n->index); return;
    case B_ELEMENT: emit_element(e, n, to); return;
    case B_ARRAY_LENGTH: put(e, VM_LENGTH, to, emit_any(e, n->a), 0); return;
    case B_NULLABLE_HAS_VALUE:
        put(e, VM_IS_NULL, to, emit_any(e, n->a), 0);
        put(e, VM_NOT, to, to, 0);
        return;
    case B_NULLABLE_VALUE: put(e, n->flag ? VM_NULLABLE_GET : VM_NULLABLE_VALUE, to, emit_any(e, n->a), 0); return;
    case B_CONVERT: emit_convert(e, n, to); return;
    case B_UNARY: emit_unary(e, n, to); return;
    case B_BINARY: emit_binary(e, n, to); return;
    case B_REFERENCE_EQUAL: case B_STRING_EQUAL: {
        uint32_t x = emit_operand(e, n->a, n->b);
        put(e, n->kind == B_STRING_EQUAL ? VM_EQ_STRING : VM_EQ_I64, to, x, emit_any(e, n->b));
        if (n->flag)
            put(e, VM_NOT, to, to, 0);
        return;
    }
    case B_IS_NULL:
        put(e, VM_IS_NULL, to, emit_any(e, n->a), 0);
        if (n->flag)
            put(e, VM_NOT, to, to, 0);
        return;
    case B_AND: case B_OR: emit_bool(e, n, to); return;
    case B_NOT: put(e, VM_NOT, to, emit_any(e, n->a), 0); return;
    case B_CONDITIONAL: emit_conditional(e, n, to); return;
    case B_COALESCE: case B_CONDITIONAL_ACCESS: emit_null_choice(e, n, to); return;
    case B_CONCAT: emit_concat(e, n, to); return;
    case B_TO_STRING: emit_to_string(e, n, to); return;
    case B_IS: emit_is(e, n, to); return;
    case B_AS: put(e, VM_AS, to, emit_any(e, n->a), type_index(e, n->target)); return;
    case B_ASSIGN: emit_assign(e, n, to); return;
    case B_NEW_ARRAY: emit_new_array(e, n, to); return;
    case B_NEW_RECORD: emit_new_record(e, n, to); return;
    case B_SEQUENCE: emit_sequence(e, n, to); return;
    case B_LAMBDA: emit_lambda(e, n, to); return;
    case B_METHOD_DELEGATE: emit_method_delegate(e, n, to); return;
    default: fail(e, "an expression that cannot be run");
    }
}

static void
emit_to(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t mark = e->next;

    if (e->unit->failed)
        return;
    emit_inside(e, n, to);
    e->next = mark;
}

static uint32_t
emit_any(struct emitter *e, const struct bound *n)
{
    uint32_t reg;

    n = unlinked(n);
    if (n->kind == B_SYMBOL && n->symbol->function == e->scope && !needs_cell(n->symbol))
        return own_register(e, n->symbol);
    if (n->kind == B_CONVERT && n->conversion == CONVERT_REFERENCE)
        return emit_any(e, n->a);
    reg = take_registers(e, 1);
    emit_to(e, n, reg);
    return reg;
}

/* Before a finally block is written again: its variables get new registers. */
static void
forget_registers(const struct bound *n)
{
    if (!n || n->kind == B_SYMBOL || n->kind == B_CONSTANT || n->kind == B_DISPOSE || n->kind == B_LAMBDA)
        return;
    if (n->symbol)
        n->symbol->has_register = false;
    if (n->symbol2)
        n->symbol2->has_register = false;
    if (n->kind == B_ASSIGN && n->a->kind == B_SYMBOL && n->a->symbol->kind == SYMBOL_TEMPORARY)
        n->a->symbol->has_register = false;
    forget_registers(n->a);
    forget_registers(n->b);
    forget_registers(n->c);
    for (const struct bound *it = n->list; it; it = it->next)
        forget_registers(it);
    for (const struct bound *it = n->more; it; it = it->next)
        forget_registers(it);
}

static void
emit_finally(struct emitter *e, const struct bound *finally)
{
    forget_registers(finally);
    emit_statement(e, finally);
}

/* --- try ------------------------------------------------------------------------------------------------------------------------------------ */

static void
open_frame(struct emitter *e, struct frame *f, enum frame_kind kind)
{
    *f = (struct frame){.kind = kind, .outer = e->frame, .range_from = here(e)};
    e->frame = f;
}

static void
close_range(struct emitter *e, struct frame *f)
{
    if (here(e) > f->range_from)
        *vec_push(&f->ranges) = (struct handler){.from = f->range_from, .to = here(e)};
}

/* Leaves the try blocks between here and `until`: their finally blocks run, outside of their own ranges. */
static void
leave_frames(struct emitter *e, struct frame *until)
{
    struct frame *inner = e->frame;

    for (struct frame *f = inner; f != until; f = f->outer)
        if (f->kind == FRAME_TRY)
            close_range(e, f);
    for (struct frame *f = inner; f != until; f = f->outer) {
        e->frame = f->outer;
        if (f->kind == FRAME_TRY && f->finally)
            emit_finally(e, f->finally);
    }
    e->frame = inner;
}

static void
resume_frames(struct emitter *e, struct frame *until)
{
    for (struct frame *f = e->frame; f != until; f = f->outer)
        if (f->kind == FRAME_TRY)
            f->range_from = here(e);
}

/* The handlers of a frame, now that their target is known. */
static void
close_frame(struct emitter *e, struct frame *f, uint32_t target, uint32_t reg)
{
    for (size_t i = 0; i < f->ranges.n; i++)
        *vec_push(&e->handlers) = (struct handler){f->ranges.v[i].from, f->ranges.v[i].to, target, (uint16_t)reg};
    vec_free(&f->ranges);
}

static void
emit_catch(struct emitter *e, const struct bound *c, uint32_t exception, struct patches *ends)
{
    uint32_t mark = e->next, test = take_registers(e, 1), outer_register = e->catch_register;
    struct patches next = {0};

    put(e, VM_IS, test, exception, type_index(e, c->target));
    add_patch(&next, put(e, VM_JUMP_FALSE, test, 0, 0));
    if (c->symbol) {
        begin_symbol(e, c->symbol);
        store_symbol(e, c->symbol, exception);
    }
    if (c->b) {                         /* an exception in a filter counts as false */
        struct frame filter;
        uint32_t ignored = take_registers(e, 1), ok;
        begin_variables(e, c->b);
        open_frame(e, &filter, FRAME_TRY);
        emit_jump(e, c->b, false, &next);
        close_range(e, &filter);
        e->frame = filter.outer;
        ok = put(e, VM_JUMP, 0, 0, 0);
        close_frame(e, &filter, here(e), ignored);
        add_patch(&next, put(e, VM_JUMP, 0, 0, 0));
        set_jump(e, ok, here(e));
    }
    e->catch_register = exception;
    emit_statement(e, c->a);
    e->catch_register = outer_register;
    add_patch(ends, put(e, VM_JUMP, 0, 0, 0));
    patch_here(e, &next);
    e->next = mark;
}

static void
emit_catches(struct emitter *e, const struct bound *n)
{
    uint32_t exception = take_registers(e, 1);
    struct patches ends = {0};
    struct frame f;

    open_frame(e, &f, FRAME_TRY);
    emit_statement(e, n->a);
    close_range(e, &f);
    e->frame = f.outer;
    add_patch(&ends, put(e, VM_JUMP, 0, 0, 0));
    close_frame(e, &f, here(e), exception);
    for (const struct bound *c = n->list; c; c = c->next)
        emit_catch(e, c, exception, &ends);
    put(e, VM_RETHROW, exception, 0, 0);
    patch_here(e, &ends);
}

static void
emit_try(struct emitter *e, const struct bound *n)
{
    uint32_t mark = e->next, exception, end;
    struct frame f;

    if (!n->b) {
        if (n->list)
            emit_catches(e, n);
        else
            emit_statement(e, n->a);
        e->next = mark;
        return;
    }
    exception = take_registers(e, 1);
    open_frame(e, &f, FRAME_TRY);
    f.finally = n->b;
    if (n->list)
        emit_catches(e, n);
    else
        emit_statement(e, n->a);
    close_range(e, &f);
    e->frame = f.outer;
    emit_finally(e, n->b);
    end = put(e, VM_JUMP, 0, 0, 0);
    close_frame(e, &f, here(e), exception);
    emit_finally(e, n->b);
    put(e, VM_RETHROW, exception, 0, 0);
    set_jump(e, end, here(e));
    e->next = mark;
}

/* --- statements -------------------------------------------------------------------------------------------------------------------------------- */

static void
emit_discard(struct emitter *e, const struct bound *n)
{
    uint32_t mark;

    begin_variables(e, n);
    mark = e->next;
    n = unlinked(n);
    if (n->kind == B_ASSIGN && n->a->kind == B_SYMBOL && n->a->symbol->function == e->scope && !needs_cell(n->a->symbol))
        emit_to(e, n->b, own_register(e, n->a->symbol));
    else
        emit_to(e, n, take_registers(e, 1));
    e->next = mark;
}

static void
emit_declare(struct emitter *e, const struct bound *n)
{
    uint32_t mark;

    if (n->flag)                        /* local functions: their cells exist since the block began */
        mark = e->next;
    else
        begin_symbol(e, n->symbol);
    if (!n->a)
        return;
    begin_variables(e, n->a);
    mark = e->next;
    if (needs_cell(n->symbol)) {
        uint32_t value = emit_any(e, n->a);
        store_symbol(e, n->symbol, value);
    } else {
        emit_to(e, n->a, n->symbol->reg);
    }
    e->next = mark;
}

static void
begin_functions(struct emitter *e, const struct bound *list)
{
    bool any = false;

    for (const struct bound *it = list; it; it = it->next)
        any |= it->kind == B_DECLARE && it->flag;
    for (const struct bound *it = list; any && it; it = it->next)
        if (it->kind == B_DECLARE) {
            own_register(e, it->symbol);
            if (needs_cell(it->symbol))
                put(e, VM_CELL_NEW, it->symbol->reg, 0, 0);
        }
}

static void
emit_block(struct emitter *e, const struct bound *list)
{
    uint32_t mark = e->next;
    bool has_functions = list && list->kind == B_DECLARE && list->flag;

    begin_functions(e, list);
    for (const struct bound *it = list; it; it = it->next) {
        if (has_functions && it->kind == B_DECLARE && !it->flag && needs_cell(it->symbol)) {
            if (it->a) {                /* the cell that the functions have already */
                uint32_t inner = e->next;
                begin_variables(e, it->a);
                store_symbol(e, it->symbol, emit_any(e, it->a));
                e->next = inner;
            }
            continue;
        }
        emit_statement(e, it);
    }
    e->next = mark;
}

static void
emit_if(struct emitter *e, const struct bound *n)
{
    struct patches ends = {0};

    for (;;) {
        struct patches no = {0};
        begin_variables(e, n->a);
        emit_jump(e, n->a, false, &no);
        emit_statement(e, n->b);
        if (!n->c) {
            patch_here(e, &no);
            break;
        }
        add_patch(&ends, put(e, VM_JUMP, 0, 0, 0));
        patch_here(e, &no);
        if (n->c->kind != B_IF) {
            emit_statement(e, n->c);
            break;
        }
        n = n->c;
    }
    patch_here(e, &ends);
}

/* jump test; top: charge; body; continue: steps; test: jump top when true */
static void
emit_loop(struct emitter *e, const struct bound *n)
{
    uint32_t mark = e->next, top, first = 0;
    struct patches again = {0};
    struct frame f;

    begin_variables(e, n->a);
    open_frame(e, &f, FRAME_LOOP);
    if (!n->flag && n->a)
        first = put(e, VM_JUMP, 0, 0, 0);
    top = put(e, VM_CHARGE, 0, 0, 0);
    emit_statement(e, n->b);
    patch_here(e, &f.continues);
    for (const struct bound *it = n->list; it; it = it->next)
        emit_statement(e, it);
    if (!n->flag && n->a)
        set_jump(e, first, here(e));
    if (n->a) {
        emit_jump(e, n->a, true, &again);
        for (size_t i = 0; i < again.n; i++)
            set_jump(e, again.v[i], top);
        vec_free(&again);
    } else {
        jump_to(e, top);
    }
    set_jump(e, top, here(e));            /* its length is what a turn costs */
    e->frame = f.outer;
    patch_here(e, &f.breaks);
    e->next = mark;
}

static void
emit_foreach(struct emitter *e, const struct bound *n)
{
    uint32_t mark = e->next, iterator = take_registers(e, 1), element, next;
    struct frame f;

    begin_variables(e, n->a);
    put(e, VM_ITERATE, iterator, emit_any(e, n->a), type_index(e, n->target));
    element = own_register(e, n->symbol2);
    open_frame(e, &f, FRAME_LOOP);
    next = put(e, VM_NEXT, element, iterator, 0);
    if (n->symbol) {
        begin_symbol(e, n->symbol);
        if (needs_cell(n->symbol))
            store_symbol(e, n->symbol, emit_any(e, n->c));
        else
            emit_to(e, n->c, n->symbol->reg);
    }
    emit_statement(e, n->b);
    patch_here(e, &f.continues);
    jump_to(e, next);
    set_jump(e, next, here(e));
    e->frame = f.outer;
    patch_here(e, &f.breaks);
    e->next = mark;
}

static void
emit_switch(struct emitter *e, const struct bound *n)
{
    uint32_t mark = e->next, n_sections = count(n->list), i = 0;
    struct patches *bodies = xnew_array(struct patches, n_sections + 1), *otherwise = NULL;
    struct frame f;

    begin_variables(e, n->a);
    emit_to(e, n->a, own_register(e, n->symbol));
    for (const struct bound *s = n->list; s; s = s->next, i++) {
        for (const struct bound *test = s->list; test; test = test->next) {
            if (unlinked(test)->flag && unlinked(test)->kind == B_CONSTANT) {
                otherwise = &bodies[i];
                continue;
            }
            begin_variables(e, test);
            emit_jump(e, test, true, &bodies[i]);
        }
    }
    open_frame(e, &f, FRAME_SWITCH);
    add_patch(otherwise ? otherwise : &f.breaks, put(e, VM_JUMP, 0, 0, 0));
    i = 0;
    for (const struct bound *s = n->list; s; s = s->next, i++) {
        patch_here(e, &bodies[i]);
        emit_statement(e, s->more);
    }
    e->frame = f.outer;
    patch_here(e, &f.breaks);
    free(bodies);
    e->next = mark;
}

static void
emit_break(struct emitter *e, bool is_continue)
{
    struct frame *f = e->frame;

    while (f && (f->kind == FRAME_TRY || (is_continue && f->kind == FRAME_SWITCH)))
        f = f->outer;
    if (!f)
        return;
    leave_frames(e, f);
    add_patch(is_continue ? &f->continues : &f->breaks, put(e, VM_JUMP, 0, 0, 0));
    resume_frames(e, f);
}

static void
emit_return(struct emitter *e, const struct bound *n)
{
    uint32_t mark = e->next, value;

    if (n->a) {
        begin_variables(e, n->a);
        value = unlinked(n->a)->kind == B_SYMBOL && e->frame ? take_registers(e, 1) : NO_REGISTER;
        if (value == NO_REGISTER)
            value = emit_any(e, n->a);
        else
            emit_to(e, n->a, value);        /* a finally block may change the variable */
        leave_frames(e, NULL);
        put(e, VM_RETURN, value, 0, 0);
    } else {
        leave_frames(e, NULL);
        put(e, VM_RETURN_VOID, 0, 0, 0);
    }
    resume_frames(e, NULL);
    e->next = mark;
}

static void
emit_statement(struct emitter *e, const struct bound *n)
{
    if (!n || e->unit->failed)
        return;
    switch (n->kind) {
    case B_BLOCK: emit_block(e, n->list); return;
    case B_SEQUENCE:
        for (const struct bound *it = n->list; it; it = it->next)
            emit_statement(e, it);
        if (n->a)
            emit_statement(e, n->a);
        return;
    case B_DECLARE: emit_declare(e, n); return;
    case B_DO: emit_discard(e, n->a); return;
    case B_ASSIGN:
        if (n->a->kind == B_SYMBOL && n->a->symbol->function == e->scope && !n->a->symbol->has_register)
            begin_symbol(e, n->a->symbol);
        emit_discard(e, n);
        return;
    case B_IF: emit_if(e, n); return;
    case B_LOOP: emit_loop(e, n); return;
    case B_FOREACH: emit_foreach(e, n); return;
    case B_SWITCH: emit_switch(e, n); return;
    case B_BREAK: emit_break(e, false); return;
    case B_CONTINUE: emit_break(e, true); return;
    case B_RETURN: emit_return(e, n); return;
    case B_TRY: emit_try(e, n); return;
    case B_DISPOSE: put(e, VM_DISPOSE, own_register(e, n->symbol), 0, 0); return;
    case B_EMPTY: return;
    default: emit_discard(e, n);
    }
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
        s->reg = take_registers(e, 1);
        s->has_register = true;
    }
    for (uint32_t i = 0; i < e->scope->n_parameters; i++) {
        struct symbol *s = e->scope->parameters[i];
        uint32_t cell;
        if (!needs_cell(s))
            continue;
        cell = take_registers(e, 1);
        put(e, VM_CELL_NEW, cell, 0, 0);
        put(e, VM_CELL_SET, cell, s->reg, 0);
        s->reg = cell;
    }
}

static const struct function *
emit_function(struct emitter *outer, struct function_scope *scope, const struct bound *body, struct unit *unit, struct binder *b,
              struct expr_program *program, struct emitter *ret)
{
    struct emitter *e = ret;
    struct function *f = arena_new(b->arena, struct function);

    *e = (struct emitter){.b = b, .program = program, .unit = unit, .outer = outer, .scope = scope};
    emit_prologue(e);
    emit_statement(e, body);
    put(e, VM_RETURN_VOID, 0, 0, 0);
    if (f && !unit->failed) {
        *f = (struct function){.program = program, .n_code = (uint32_t)e->code.n, .n_handlers = (uint32_t)e->handlers.n,
                               .n_registers = (uint16_t)e->max, .n_parameters = (uint16_t)scope->n_parameters,
                               .n_captured = (uint16_t)e->captured.n, .name = scope->name};
        f->code = copied(b, e->code.v, e->code.n, sizeof(*e->code.v));
        f->handlers = copied(b, e->handlers.v, e->handlers.n, sizeof(*e->handlers.v));
    }
    vec_free(&e->code);
    vec_free(&e->handlers);
    if (!f || unit->failed || !f->code || !f->handlers) {
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
    CHECK(!ok || vm_verify(program->main));
    return ok;
}
