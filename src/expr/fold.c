/* fold.c: arithmetic on constants, as C# does it while compiling: overflow is an error there.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "expr/bind.h"
#include "expr/vm.h"

static const struct {
    int64_t min, max;
} ranges[TYPE_DOUBLE] = {
    [TYPE_CHAR] = {0, UINT16_MAX}, [TYPE_SBYTE] = {INT8_MIN, INT8_MAX}, [TYPE_BYTE] = {0, UINT8_MAX},
    [TYPE_SHORT] = {INT16_MIN, INT16_MAX}, [TYPE_USHORT] = {0, UINT16_MAX}, [TYPE_INT] = {INT32_MIN, INT32_MAX},
    [TYPE_UINT] = {0, UINT32_MAX}, [TYPE_LONG] = {INT64_MIN, INT64_MAX},
};

static bool
is_integer(const struct type *t)
{
    return (t->kind >= TYPE_CHAR && t->kind <= TYPE_ULONG) || t->kind == TYPE_ENUM;
}

static double
as_double(struct value v, const struct type *from)
{
    switch ((int)from->kind) {
    case TYPE_DOUBLE: return v.f64;
    case TYPE_FLOAT: return v.f32;
    case TYPE_ULONG: return (double)v.u64;
    }
    return (double)v.i64;
}

static int64_t
wrap(int64_t i, enum type_kind to)
{
    switch ((int)to) {
    case TYPE_CHAR: case TYPE_USHORT: return (uint16_t)i;
    case TYPE_SBYTE: return (int8_t)i;
    case TYPE_BYTE: return (uint8_t)i;
    case TYPE_SHORT: return (int16_t)i;
    case TYPE_INT: return (int32_t)i;
    case TYPE_UINT: return (uint32_t)i;
    }
    return i;
}

bool
fold_convert(struct value v, const struct type *from, const struct type *to, bool must_fit, struct value *ret)
{
    enum type_kind kind = to->kind == TYPE_ENUM ? TYPE_LONG : to->kind;

    if (kind == TYPE_DOUBLE || kind == TYPE_FLOAT) {
        double d = as_double(v, from);
        *ret = kind == TYPE_DOUBLE ? value_f64(d) : value_f32((float)d);
        return true;
    }
    if (!is_integer(from)) {
        double d = trunc(as_double(v, from));
        if (!(d >= -9223372036854775808.0 && d < 18446744073709551616.0)) {
            *ret = value_i64(0);
            return !must_fit;
        }
        v = d < 9223372036854775808.0 ? value_i64((int64_t)d) : value_i64((int64_t)(uint64_t)d);
        if (d >= 9223372036854775808.0 && must_fit && kind != TYPE_ULONG)
            return false;
        if (must_fit && d < 0 && kind == TYPE_ULONG)
            return false;
    } else if (must_fit && kind == TYPE_ULONG) {
        *ret = v;
        return from->kind == TYPE_ULONG || v.i64 >= 0;
    } else if (must_fit && from->kind == TYPE_ULONG && v.i64 < 0) {
        return false;
    }
    if (must_fit && kind != TYPE_ULONG && (v.i64 < ranges[kind].min || v.i64 > ranges[kind].max))
        return false;
    *ret = value_i64(wrap(v.i64, kind));
    return true;
}

static struct bound *
overflow(struct binder *b, const struct node *node)
{
    return bind_error(b, node, "the constant operation overflows (CS0220)");
}

static struct bound *
boolean(struct binder *b, const struct node *node, bool value)
{
    return bound_constant(b, node, b->core->bool_, value_bool(value));
}

static struct bound *
fold_double(struct binder *b, const struct node *node, enum operation op, const struct type *type, double x, double y)
{
    double d = 0;

    switch ((int)op) {
    case OP_ADD: d = x + y; break;
    case OP_SUBTRACT: d = x - y; break;
    case OP_MULTIPLY: d = x * y; break;
    case OP_DIVIDE: d = x / y; break;
    case OP_REMAINDER: d = fmod(x, y); break;
    case OP_EQUAL: return boolean(b, node, x == y);
    case OP_NOT_EQUAL: return boolean(b, node, x != y);
    case OP_LESS: return boolean(b, node, x < y);
    case OP_LESS_EQUAL: return boolean(b, node, x <= y);
    case OP_GREATER: return boolean(b, node, x > y);
    case OP_GREATER_EQUAL: return boolean(b, node, x >= y);
    }
    return bound_constant(b, node, type, type->kind == TYPE_FLOAT ? value_f32((float)d) : value_f64(d));
}

static bool
fold_ulong(enum operation op, uint64_t x, uint64_t y, uint64_t *ret)
{
    switch ((int)op) {
    case OP_ADD: return !__builtin_add_overflow(x, y, ret);
    case OP_SUBTRACT: return !__builtin_sub_overflow(x, y, ret);
    case OP_MULTIPLY: return !__builtin_mul_overflow(x, y, ret);
    case OP_DIVIDE: *ret = x / y; return true;
    case OP_REMAINDER: *ret = x % y; return true;
    }
    return true;
}

static bool
fold_long(enum operation op, int64_t x, int64_t y, int64_t *ret)
{
    switch ((int)op) {
    case OP_ADD: return !__builtin_add_overflow(x, y, ret);
    case OP_SUBTRACT: return !__builtin_sub_overflow(x, y, ret);
    case OP_MULTIPLY: return !__builtin_mul_overflow(x, y, ret);
    case OP_DIVIDE: *ret = x == INT64_MIN && y == -1 ? x : x / y; return !(x == INT64_MIN && y == -1);
    case OP_REMAINDER: *ret = y == -1 ? 0 : x % y; return true;
    }
    return true;
}

static int
compare_integers(const struct type *type, int64_t x, int64_t y)
{
    if (type->kind == TYPE_ULONG)
        return (uint64_t)x < (uint64_t)y ? -1 : (uint64_t)x > (uint64_t)y;
    return x < y ? -1 : x > y;
}

struct bound *
fold_binary(struct binder *b, const struct node *node, enum operation op, const struct type *type, const struct type *result,
            struct bound *x, struct bound *y)
{
    int64_t i = x->value.i64, j = y->value.i64, value = 0;
    unsigned bits = type->kind == TYPE_INT || type->kind == TYPE_UINT ? 31 : 63;
    bool fits = true;
    int order;

    if (type->kind == TYPE_DOUBLE || type->kind == TYPE_FLOAT)
        return fold_double(b, node, op, type, as_double(x->value, type), as_double(y->value, type));
    order = compare_integers(type, i, j);
    switch (op) {
    case OP_EQUAL: return boolean(b, node, order == 0);
    case OP_NOT_EQUAL: return boolean(b, node, order != 0);
    case OP_LESS: return boolean(b, node, order < 0);
    case OP_LESS_EQUAL: return boolean(b, node, order <= 0);
    case OP_GREATER: return boolean(b, node, order > 0);
    case OP_GREATER_EQUAL: return boolean(b, node, order >= 0);
    case OP_AND: value = i & j; break;
    case OP_OR: value = i | j; break;
    case OP_XOR: value = i ^ j; break;
    case OP_SHIFT_LEFT: value = wrap((int64_t)((uint64_t)i << (j & bits)), type->kind); break;
    case OP_SHIFT_RIGHT: value = type->kind == TYPE_ULONG ? (int64_t)((uint64_t)i >> (j & bits)) : i >> (j & bits); break;
    default:
        if ((op == OP_DIVIDE || op == OP_REMAINDER) && j == 0)
            return bind_error(b, node, "division by constant zero (CS0020)");
        if (type->kind == TYPE_ULONG)
            fits = fold_ulong(op, (uint64_t)i, (uint64_t)j, (uint64_t *)&value);
        else
            fits = fold_long(op, i, j, &value);
        if (type->kind != TYPE_ULONG && type->kind != TYPE_ENUM && value != wrap(value, type->kind))
            fits = false;
        if (!fits && !b->is_unchecked)
            return overflow(b, node);
        value = wrap(value, type->kind);
    }
    return bound_constant(b, node, result, value_i64(value));
}

struct bound *
fold_unary(struct binder *b, const struct node *node, enum operation op, struct bound *x)
{
    int64_t value;

    if (op == OP_NOT)
        return boolean(b, node, !x->value.i64);
    if (x->type->kind == TYPE_DOUBLE)
        return bound_constant(b, node, x->type, value_f64(-x->value.f64));
    if (x->type->kind == TYPE_FLOAT)
        return bound_constant(b, node, x->type, value_f32(-x->value.f32));
    if (op == OP_COMPLEMENT)
        return bound_constant(b, node, x->type, value_i64(wrap(~x->value.i64, x->type->kind)));
    if (__builtin_sub_overflow((int64_t)0, x->value.i64, &value) || value != wrap(value, x->type->kind)) {
        if (!b->is_unchecked)
            return overflow(b, node);
        value = wrap((int64_t)(0 - (uint64_t)x->value.i64), x->type->kind);
    }
    return bound_constant(b, node, x->type, value_i64(value));
}

/* A run of its own, on the compiler's arena: constants it makes live as long as the program. */
struct bound *
fold_call(struct binder *b, struct bound *call)
{
    struct expr_run run;
    struct value args[8];
    struct call c = {.run = &run, .args = args, .owner = call->owner, .member = call->member, .ret_type = call->type};

    expr_run_init(&run, b->env, b->arena, NULL);
    for (const struct bound *it = call->list; it && c.n_args < COUNTOF(args); it = it->next) {
        const struct bound *x = it->kind == B_SEQUENCE ? it->a : it;
        if (!x->is_constant)
            return call;
        args[c.n_args++] = x->value;
    }
    if (!call->member->fn || !call->member->fn(&c)) {
        if (run.exception && run.exception->head.type == b->env->exceptions[EXC_DIVIDE_BY_ZERO])
            return bind_error(b, call->node, "division by constant zero (CS0020)");
        if (run.exception && run.exception->head.type == b->env->exceptions[EXC_OVERFLOW])
            return overflow(b, call->node);
        return call;
    }
    return bound_constant(b, call->node, call->type, c.ret);
}
