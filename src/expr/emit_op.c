/* emit_op.c: operators, conversions and conditions to bytecode.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/emitter.h"

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
uint32_t
emit_operand(struct emitter *e, const struct bound *n, const struct bound *later)
{
    uint32_t reg;

    while (n->kind == B_SEQUENCE && !n->list)
        n = n->a;
    if (n->kind != B_SYMBOL || !may_assign(later))
        return emit_any(e, n);
    reg = emit_registers(e, 1);
    emit_to(e, n, reg);
    return reg;
}

static uint32_t
widen_float(struct emitter *e, uint32_t reg, const struct type *type)
{
    uint32_t wide;

    if (type->kind != TYPE_FLOAT)
        return reg;
    wide = emit_registers(e, 1);
    emit_put(e, VM_F32_TO_F64, wide, reg, 0);
    return wide;
}

static void
emit_comparison(struct emitter *e, enum operation op, enum number_class class, uint32_t x, uint32_t y, uint32_t to)
{
    bool is_real = class == CLASS_F64 || class == CLASS_F32, is_unsigned = class == CLASS_U64;

    switch ((int)op) {
    case OP_EQUAL: case OP_NOT_EQUAL:
        emit_put(e, is_real ? VM_EQ_F64 : VM_EQ_I64, to, x, y);
        if (op == OP_NOT_EQUAL)
            emit_put(e, VM_NOT, to, to, 0);
        return;
    case OP_LESS: emit_put(e, is_real ? VM_LT_F64 : is_unsigned ? VM_LT_U64 : VM_LT_I64, to, x, y); return;
    case OP_LESS_EQUAL: emit_put(e, is_real ? VM_LE_F64 : is_unsigned ? VM_LE_U64 : VM_LE_I64, to, x, y); return;
    case OP_GREATER: emit_put(e, is_real ? VM_LT_F64 : is_unsigned ? VM_LT_U64 : VM_LT_I64, to, y, x); return;
    }
    emit_put(e, is_real ? VM_LE_F64 : is_unsigned ? VM_LE_U64 : VM_LE_I64, to, y, x);
}

/* x + 1, x - 1, 1 + x: the number stands in the instruction. */
static bool
emit_add_number(struct emitter *e, const struct bound *n, enum number_class class, uint32_t to)
{
    const struct bound *x = n->a, *y = bound_unlinked(n->b);
    int64_t number;

    if ((class != CLASS_I32 && class != CLASS_I64) || n->is_checked || (n->op != OP_ADD && n->op != OP_SUBTRACT))
        return false;
    if (n->op == OP_ADD && bound_unlinked(x)->is_constant) {
        x = n->b;
        y = bound_unlinked(n->a);
    }
    if (!y->is_constant || y->value.i64 < -INT16_MAX || y->value.i64 > INT16_MAX)
        return false;
    number = n->op == OP_ADD ? y->value.i64 : -y->value.i64;
    emit_put(e, class == CLASS_I32 ? VM_ADD_I32_N : VM_ADD_I64_N, to, emit_any(e, x), (uint16_t)number);
    return true;
}

void
emit_binary(struct emitter *e, const struct bound *n, uint32_t to)
{
    enum number_class class = class_of(n->a->type);
    bool can_overflow = n->op == OP_ADD || n->op == OP_SUBTRACT || n->op == OP_MULTIPLY;
    uint32_t x, y;

    if (emit_add_number(e, n, class, to))
        return;
    x = widen_float(e, emit_operand(e, n->a, n->b), n->a->type);
    y = widen_float(e, emit_any(e, n->b), n->b->type);
    if (n->op >= OP_EQUAL && n->op <= OP_GREATER_EQUAL) {
        emit_comparison(e, n->op, class, x, y, to);
        return;
    }
    if (class == CLASS_F32) {
        emit_put(e, arithmetic_op(n->op, CLASS_F64), to, x, y);
        emit_put(e, VM_F64_TO_F32, to, to, 0);
    } else if (n->is_checked && can_overflow && (class == CLASS_I32 || class == CLASS_U32)) {
        uint32_t wide = emit_registers(e, 1); /* not `to`: a variable keeps its value when the result does not fit */
        emit_put(e, arithmetic_op(n->op, CLASS_I64), wide, x, y);
        emit_put(e, VM_RANGE, to, wide, n->type->kind);
    } else if (n->is_checked && can_overflow && (class == CLASS_I64 || class == CLASS_U64) && n->type->kind != TYPE_ENUM) {
        emit_put(e, checked_op(n->op, class == CLASS_U64), to, x, y);
    } else {
        emit_put(e, arithmetic_op(n->op, class), to, x, y);
    }
}

void
emit_unary(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t x = emit_any(e, n->a);
    enum number_class class = class_of(n->type);

    if (n->op == OP_COMPLEMENT) {
        emit_put(e, VM_COMPLEMENT, to, x, 0);
        if (class == CLASS_U32)
            emit_put(e, VM_WRAP, to, to, TYPE_UINT);
        return;
    }
    switch (class) {
    case CLASS_F64: emit_put(e, VM_NEG_F64, to, x, 0); return;
    case CLASS_F32:
        emit_put(e, VM_F32_TO_F64, to, x, 0);
        emit_put(e, VM_NEG_F64, to, to, 0);
        emit_put(e, VM_F64_TO_F32, to, to, 0);
        return;
    case CLASS_I32:
        if (n->is_checked) {
            uint32_t wide = emit_registers(e, 1);
            emit_put(e, VM_NEG_I64, wide, x, 0);
            emit_put(e, VM_RANGE, to, wide, TYPE_INT);
        } else {
            emit_put(e, VM_NEG_I32, to, x, 0);
        }
        return;
    default: emit_put(e, n->is_checked ? VM_NEG_CHECKED_I64 : VM_NEG_I64, to, x, 0);
    }
}

static void
emit_number_conversion(struct emitter *e, const struct bound *n, uint32_t x, uint32_t to)
{
    const struct type *from = n->a->type;
    enum type_kind kind = n->target->kind == TYPE_ENUM ? TYPE_LONG : n->target->kind;
    bool from_real = from->kind == TYPE_DOUBLE || from->kind == TYPE_FLOAT;

    if (from->kind == TYPE_FLOAT) {
        uint32_t wide = emit_registers(e, 1);
        emit_put(e, VM_F32_TO_F64, wide, x, 0);
        x = wide;
    }
    if (kind == TYPE_DOUBLE || kind == TYPE_FLOAT) {
        if (!from_real)
            emit_put(e, from->kind == TYPE_ULONG ? VM_U64_TO_F64 : VM_I64_TO_F64, to, x, 0);
        else if (x != to)
            emit_put(e, VM_MOVE, to, x, 0);
        if (kind == TYPE_FLOAT)
            emit_put(e, VM_F64_TO_F32, to, to, 0);
        return;
    }
    if (from_real)
        emit_put(e, n->is_checked ? VM_F64_TO_INT_CHECKED : VM_F64_TO_INT, to, x, kind);
    else if (n->is_checked && n->conversion != CONVERT_NUMERIC)
        emit_put(e, from->kind == TYPE_ULONG ? VM_RANGE_U64 : VM_RANGE, to, x, kind);
    else
        emit_put(e, VM_WRAP, to, x, kind);
}

void
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
            emit_put(e, VM_MOVE, to, x, 0);
        else
            emit_put(e, VM_BOX, to, x, emit_type(e, n->a->type));
        return;
    case CONVERT_UNBOX:
        if (n->target->kind == TYPE_NULLABLE)
            emit_put(e, VM_UNBOX_NULLABLE, to, x, emit_type(e, n->target->args[0]));
        else
            emit_put(e, VM_UNBOX, to, x, emit_type(e, n->target));
        return;
    }
    emit_put(e, VM_CAST, to, x, emit_type(e, n->target));
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

/* x is T v: the variable is set where the test has succeeded, so the jump stands behind that. */
static void
emit_is_jump(struct emitter *e, const struct bound *n, bool sense, struct patches *to)
{
    uint32_t x = emit_any(e, n->a), test = emit_registers(e, 1), no;

    emit_put(e, VM_IS, test, x, emit_type(e, n->target));
    no = emit_put(e, sense && !n->symbol ? VM_JUMP_TRUE : VM_JUMP_FALSE, test, 0, 0);
    if (n->symbol)
        emit_pattern_variable(e, n, x);
    if (!sense || !n->symbol) {
        patch_add(to, no);
        return;
    }
    patch_add(to, emit_put(e, VM_JUMP, 0, 0, 0));
    patch_set(e, no, emit_here(e));
}

/* Jumps when n is `sense`; falls through otherwise. */
void
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
            patch_add(to, emit_put(e, VM_JUMP, 0, 0, 0));
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
        patch_add(to, emit_put(e, n->flag == sense ? VM_JUMP_NOT_NULL : VM_JUMP_NULL, x, 0, 0));
    } else if (n->kind == B_IS) {
        emit_is_jump(e, n, sense, to);
    } else if (n->kind == B_STRING_EQUAL) {
        x = emit_operand(e, n->a, n->b);
        y = emit_any(e, n->b);
        patch_add(to, emit_put(e, n->flag == sense ? VM_JUMP_NE_STRING : VM_JUMP_EQ_STRING, x, y, 0));
    } else if (is_integer_comparison(n)) {
        x = emit_operand(e, n->a, n->b);
        y = emit_any(e, n->b);
        patch_add(to, emit_put(e, (enum vm_op)(sense ? when_true : when_false)[n->op - OP_EQUAL], x, y, 0));
    } else {
        x = emit_any(e, n);
        patch_add(to, emit_put(e, sense ? VM_JUMP_TRUE : VM_JUMP_FALSE, x, 0, 0));
    }
    e->next = mark;
}

void
emit_bool(struct emitter *e, const struct bound *n, uint32_t to)
{
    struct patches no = {0};
    uint32_t yes = emit_constant(e, value_bool(true), e->b->core->bool_), end;
    uint32_t result = to;

    emit_jump(e, n, false, &no);
    emit_put(e, VM_CONST, result, yes, 0);
    end = emit_put(e, VM_JUMP, 0, 0, 0);
    patch_here(e, &no);
    emit_put(e, VM_ZERO, result, 0, 0);
    patch_set(e, end, emit_here(e));
}

void
emit_conditional(struct emitter *e, const struct bound *n, uint32_t to)
{
    struct patches no = {0};
    uint32_t end;

    emit_jump(e, n->a, false, &no);
    emit_to(e, n->b, to);
    end = emit_put(e, VM_JUMP, 0, 0, 0);
    patch_here(e, &no);
    emit_to(e, n->c, to);
    patch_set(e, end, emit_here(e));
}

/* a ?? b and a?.b: a once, into the node's variable. */
void
emit_null_choice(struct emitter *e, const struct bound *n, uint32_t to)
{
    uint32_t null_jump, end;

    emit_to(e, n->a, symbol_register(e, n->symbol));
    null_jump = emit_put(e, VM_JUMP_NULL, n->symbol->reg, 0, 0);
    emit_to(e, n->b, to);
    end = emit_put(e, VM_JUMP, 0, 0, 0);
    patch_set(e, null_jump, emit_here(e));
    if (n->c)
        emit_to(e, n->c, to);
    patch_set(e, end, emit_here(e));
    n->symbol->has_register = false;
}
