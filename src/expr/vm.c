/* vm.c: runs bytecode.
 *
 * One C call of vm_run() for each function on the way: natives call lambdas through call_invoke(), and the depth is bounded
 * (struct expr_limits.depth), so the C stack is. Registers come from run->stack, a stack of values in the arena.
 * Suspension needs nothing here: a native that waits yields its fiber with this frame on it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/vm.h"

#include <math.h>

#include "expr/member.h"

#define ARGUMENTS_OF_DELEGATE 16
#define STACK_VALUES 1024             /* registers in a chunk of the stack */
#define STACK_VALUES_FIRST 96         /* and in the first one */

/* Values are written in halves (a number and a zero), and a load of all 16 bytes right behind such stores waits until they have left
 * the store buffer: copies are made in halves as well. Keep the compiler from joining them: see CMakeLists.txt. */
static inline void
copy(struct value *to, const struct value *from)
{
    uint64_t lo = from->lo, hi = from->hi;

    to->lo = lo;
    to->hi = hi;
}

/* --- natives ---------------------------------------------------------------------------------------------------------------- */

static bool
is_same_signature(const struct member *x, const struct type *x_owner, const struct member *y, const struct type *y_owner)
{
    if (x->n_parameters != y->n_parameters || x->n_type_parameters != y->n_type_parameters || x->kind != y->kind)
        return false;
    for (uint32_t i = 0; i < x->n_parameters; i++)
        if (type_substitute(x->parameters[i].type, x_owner->args, NULL) != type_substitute(y->parameters[i].type, y_owner->args, NULL))
            return false;
    return true;
}

const struct member *
vm_find_virtual(const struct object *receiver, const struct member *m, const struct type *owner, const struct type **ret_owner)
{
    for (const struct type *t = receiver->type; t; t = t->base) {
        const struct member *one = t->def ? def_member(t->def, m->name) : NULL;
        for (; one; one = one->next_same_name) {
            if ((one->fn || one->set) && is_same_signature(one, t, m, owner)) {
                *ret_owner = t;
                return one;
            }
        }
    }
    /* A sequence computed on demand has an interface as its type: the members of what that inherits. */
    for (uint32_t i = 0; i < receiver->type->n_interfaces; i++) {
        const struct type *t = receiver->type->interfaces[i];
        for (const struct member *one = def_member(t->def, m->name); one; one = one->next_same_name) {
            if (one->fn && is_same_signature(one, t, m, owner)) {
                *ret_owner = t;
                return one;
            }
        }
    }
    return NULL;
}

static bool
call_virtual(struct call *c, const struct call_site *site, bool is_setter)
{
    const struct type *owner;
    const struct member *m = vm_find_virtual(c->args[0].ref, site->member, site->owner, &owner);
    native_fn *fn = !m ? NULL : is_setter ? m->set : m->fn;

    if (!fn)
        return call_throw(c, EXC_NOT_SUPPORTED, "%.*s.%.*s is not supported.", STR_ARG(c->args[0].ref->type->name),
                          STR_ARG(site->member->name));
    c->owner = owner;
    c->member = m;
    return fn(c);
}

static bool
call_site(struct expr_run *run, const struct call_site *site, struct value *args, struct value *ret)
{
    struct call c = {.run = run, .args = args, .n_args = site->n_args, .owner = site->owner, .type_args = site->type_args,
                     .ret_type = site->ret_type, .member = site->member, .prepared = site->prepared};
    bool ok;

    if (UNLIKELY(site->needs_receiver && !args[0].ref))
        return throw_null_reference(&c);
    if (UNLIKELY(--run->steps_left < 0))
        return call_exceed(&c, BUDGET_STEPS);
    if (LIKELY(site->fn != NULL))
        ok = site->fn(&c);
    else
        ok = call_virtual(&c, site, site->ret_type->kind == TYPE_VOID && site->member->kind != MEMBER_METHOD);
    if (LIKELY(ok))                   /* what throws leaves the variable it was meant for as it was */
        copy(ret, &c.ret);
    return ok;
}

/* A native method group: arguments go on as they are, behind its receiver. */
static bool
invoke_native(struct expr_run *run, struct delegate *d, const struct value *args, uint32_t n, struct value *ret)
{
    struct value all[ARGUMENTS_OF_DELEGATE + 1];
    struct call c = {.run = run, .args = all, .owner = d->owner, .type_args = d->type_args, .member = d->member,
                     .ret_type = type_substitute(d->member->ret, d->owner->args, d->type_args)};
    bool ok;

    if (d->has_target)
        all[c.n_args++] = d->target;
    for (uint32_t i = 0; i < n && c.n_args < COUNTOF(all); i++)
        all[c.n_args++] = args[i];
    if (d->member->fn) {
        ok = d->member->fn(&c);
    } else {
        struct call_site site = {.member = d->member, .owner = d->owner, .ret_type = c.ret_type};
        ok = call_virtual(&c, &site, false);
    }
    if (ok)
        *ret = c.ret;
    return ok;
}

/* a + b nests to the left; each level is a call, so that the depth is bounded. */
static bool
invoke_both(struct call *c, const struct delegate *d, const struct value *args, uint32_t n, struct value *ret)
{
    bool ok;

    if (!call_enter(c))
        return false;
    ok = call_invoke(c, &d->first->head, args, n, NULL) && call_invoke(c, &d->second->head, args, n, ret);
    call_leave(c);
    return ok;
}

bool
call_invoke(struct call *c, struct object *delegate, const struct value *args, uint32_t n, struct value *ret)
{
    struct delegate *d = (struct delegate *)delegate;
    struct value ignored;

    if (!d)
        return throw_null_reference(c);
    if (!call_charge(c, 1))
        return false;
    if (UNLIKELY(d->first != NULL))
        return invoke_both(c, d, args, n, ret ? ret : &ignored);
    if (!d->function)
        return invoke_native(c->run, d, args, n, ret ? ret : &ignored);
    return vm_run(c->run, d->function, d->captured, args, ret ? ret : &ignored);
}

/* --- helpers of the loop, kept out of it -------------------------------------------------------------------------------------- */

static struct call
plain_call(struct expr_run *run)
{
    return (struct call){.run = run};
}

static NO_INLINE bool
throw_kind(struct expr_run *run, enum exception_kind kind)
{
    struct call c = plain_call(run);

    return call_throw_default(&c, kind);
}

/* The slice is over, or the budget: other fibers get a turn. */
static NO_INLINE bool
end_slice(struct expr_run *run)
{
    struct call c = plain_call(run);

    return call_charge(&c, 0);
}

static int64_t
wrap(int64_t i, uint16_t kind)
{
    switch (kind) {
    case TYPE_CHAR: case TYPE_USHORT: return (uint16_t)i;
    case TYPE_SBYTE: return (int8_t)i;
    case TYPE_BYTE: return (uint8_t)i;
    case TYPE_SHORT: return (int16_t)i;
    case TYPE_INT: return (int32_t)i;
    case TYPE_UINT: return (uint32_t)i;
    }
    return i;
}

/* Out of range gives what x86-64's conversion gives, as .NET's does: the most negative number of the width computed in. */
static int64_t
int_from_double(double d, uint16_t kind)
{
    if (kind == TYPE_ULONG) {
        if (d >= 9223372036854775808.0 && d < 18446744073709551616.0)
            return (int64_t)(uint64_t)d;
        return d > -9223372036854775808.0 && d < 9223372036854775808.0 ? (int64_t)d : INT64_MIN;
    }
    if (kind == TYPE_LONG || kind == TYPE_UINT)
        return wrap(d >= -9223372036854775808.0 && d < 9223372036854775808.0 ? (int64_t)d : INT64_MIN, kind);
    return wrap(d > -2147483649.0 && d < 2147483648.0 ? (int64_t)d : INT32_MIN, kind);
}

static bool
int_from_double_checked(struct expr_run *run, double d, uint16_t kind, int64_t *ret)
{
    double t = trunc(d);

    if (kind == TYPE_ULONG ? !(t >= 0 && t < 18446744073709551616.0) : !(t >= -9223372036854775808.0 && t < 9223372036854775808.0))
        return throw_kind(run, EXC_OVERFLOW);
    *ret = kind == TYPE_ULONG ? (int64_t)(uint64_t)t : (int64_t)t;
    return wrap(*ret, kind) == *ret || throw_kind(run, EXC_OVERFLOW);
}

/* A high surrogate before a low one, each written alone: "\uD83D" + "\uDE00" is one character. */
static bool
has_split_pair(struct str s)
{
    for (size_t i = 0; i + 5 < s.len; i++) {
        const unsigned char *q = (const unsigned char *)s.p + i;
        if (q[0] == 0xed && q[1] >= 0xa0 && q[1] < 0xb0 && q[3] == 0xed && q[4] >= 0xb0)
            return true;
    }
    return false;
}

static bool
concat(struct expr_run *run, struct value *parts, uint32_t n, struct value *ret)
{
    struct call c = plain_call(run);
    size_t size = 0;
    uint64_t units = 0;
    struct string *s;
    bool is_ascii = true;
    char *to;

    for (uint32_t i = 0; i < n; i++) {
        const struct string *part = (const struct string *)parts[i].ref;
        if (!part)
            continue;
        size += part->size;
        units += part->units;
        is_ascii = is_ascii && part->units == part->size;
    }
    if (size > run->limits->output_bytes)
        return call_exceed(&c, BUDGET_OUTPUT);
    run->bytes_left -= (int64_t)(size + sizeof(*s));
    run->steps_left -= (int64_t)(size / 64);
    if (run->bytes_left < 0 || !(s = arena_alloc(run->arena, 1, sizeof(*s) + size + 1, 16)))
        return call_exceed(&c, BUDGET_BYTES);
    to = (char *)(s + 1);
    for (uint32_t i = 0; i < n; i++) {
        const struct string *part = (const struct string *)parts[i].ref;
        if (!part || !part->size)
            continue;
        memcpy(to, part->p, part->size);
        to += part->size;
    }
    *to = 0;
    *s = (struct string){.head = {run->env->core.string}, .p = (char *)(s + 1), .size = (uint32_t)size, .units = (uint32_t)units};
    *ret = value_ref(s);
    if (!is_ascii && has_split_pair(string_str(s))) {
        const uint16_t *wide = string_wide(&c, s);
        s = wide ? string_from_units(&c, wide, s->units) : NULL;
        *ret = value_ref(s);
    }
    return s != NULL;
}

/* A hole of an interpolation, or a piece of a concatenation. */
static bool
to_string(struct expr_run *run, const struct call_site *site, struct value v, struct value *ret)
{
    struct call c = plain_call(run);
    struct string *s;
    uint32_t width = (uint32_t)(site->alignment < 0 ? -site->alignment : site->alignment);
    struct buf b;

    if (!value_to_string(&c, site->type, v, site->format, &s))
        return false;
    if (!s)
        s = string_lit(&c, "");
    *ret = value_ref(s);
    if (!s || s->units >= width)
        return s != NULL;
    b = call_buf(&c);
    for (uint32_t i = s->units; site->alignment > 0 && i < width; i++)
        buf_add_char(&b, ' ');
    buf_add_str(&b, string_str(s));
    for (uint32_t i = s->units; site->alignment < 0 && i < width; i++)
        buf_add_char(&b, ' ');
    s = string_from_buf(&c, &b);
    *ret = value_ref(s);
    return s != NULL;
}

static bool
box(struct expr_run *run, const struct type *type, struct value v, struct value *ret)
{
    struct call c = plain_call(run);
    struct object *o;

    if (!value_box(&c, type, v, &o))
        return false;
    *ret = value_ref(o);
    return true;
}

/* An enum unboxes to its number type and back, as in .NET. */
static bool
is_unboxable(const struct type *from, const struct type *to)
{
    return from == to || (from->kind == TYPE_ENUM && to->kind == TYPE_INT) || (from->kind == TYPE_INT && to->kind == TYPE_ENUM) ||
           ((to->flags & TYPE_IS_TUPLE) && type_is_assignable(from, to));
}

static bool
unbox(struct expr_run *run, const struct type *type, struct object *o, struct value *ret)
{
    struct call c = plain_call(run);

    if (!o)
        return throw_null_reference(&c);
    if (!is_unboxable(o->type, type))
        return call_throw_default(&c, EXC_INVALID_CAST);
    *ret = value_unbox(o);
    return true;
}

static bool
cast(struct expr_run *run, const struct type *type, struct object *o)
{
    struct call c = plain_call(run);

    return !o || type_is_assignable(o->type, type) || throw_invalid_cast(&c, o->type, type);
}

static bool
new_record(struct expr_run *run, const struct type *type, const struct value *fields, struct value *ret)
{
    struct call c = plain_call(run);
    struct record *r = record_new(&c, type);

    if (!r)
        return false;
    memcpy(r->v, fields, type->n_args * sizeof(*fields));
    *ret = value_ref(r);
    return true;
}

/* Tuples are shared and never change, so assigning to a field puts a changed copy in the variable's place. */
static bool
copy_record(struct expr_run *run, const struct type *type, const struct record *from, struct value *ret)
{
    struct call c = plain_call(run);
    struct record *r = record_new(&c, type);

    if (!r)
        return false;
    if (from)
        memcpy(r->v, from->v, type->n_args * sizeof(*r->v));
    *ret = value_ref(r);
    return true;
}

static bool
new_array(struct expr_run *run, const struct type *type, const struct value *sizes, struct value *ret)
{
    struct call c = plain_call(run);
    uint64_t n = 1;
    struct array *a;
    uint32_t *lengths = NULL;

    for (uint8_t i = 0; i < type->rank; i++) {
        if (sizes[i].i64 < 0)
            return throw_kind(run, EXC_OVERFLOW);
        n *= (uint64_t)sizes[i].i64;
        if (n > UINT32_MAX)
            return call_exceed(&c, BUDGET_BYTES);
    }
    if (type->rank > 1) {
        lengths = call_alloc(&c, type->rank * sizeof(*lengths));
        for (uint8_t i = 0; lengths && i < type->rank; i++)
            lengths[i] = (uint32_t)sizes[i].i64;
    }
    if ((type->rank > 1 && !lengths) || !(a = array_new(&c, type, (uint32_t)n)))
        return false;
    a->lengths = lengths;
    *ret = value_ref(a);
    return true;
}

/* The place of an element of a rectangular array. */
static bool
locate(struct expr_run *run, const struct value *base, uint32_t n, uint32_t *ret)
{
    struct array *a = (struct array *)base[0].ref;
    uint64_t at = 0;

    if (!a)
        return throw_kind(run, EXC_NULL_REFERENCE);
    for (uint32_t i = 0; i < n; i++) {
        if ((uint64_t)base[i + 1].i64 >= a->lengths[i])
            return throw_kind(run, EXC_INDEX_OUT_OF_RANGE);
        at = at * a->lengths[i] + (uint64_t)base[i + 1].i64;
    }
    *ret = (uint32_t)at;
    return true;
}

struct iterator_object {
    struct object head;
    struct iterator it;
};

static bool
begin_iteration(struct expr_run *run, const struct type *as, struct object *o, struct value *ret)
{
    struct call c = plain_call(run);
    struct iterator_object *i;

    if (!o)
        return throw_null_reference(&c);
    i = object_new(&c, as, struct iterator_object);
    *ret = value_ref(i);
    return i && iterate(&c, o, as, &i->it);
}

static int
next_element(struct expr_run *run, struct object *iterator, struct value *ret)
{
    struct call c = plain_call(run);

    return iterate_next(&c, &((struct iterator_object *)iterator)->it, ret);
}

static bool
make_closure(struct expr_run *run, const struct function *f, const struct value *base, struct value *ret)
{
    struct call c = plain_call(run);
    struct delegate *d = call_alloc(&c, sizeof(*d) + f->n_captured * sizeof(struct value));

    if (!d)
        return false;
    d->head.type = (const struct type *)base[0].ref;
    d->function = f;
    d->captured = (struct value *)(d + 1);
    memcpy(d->captured, base + 1, f->n_captured * sizeof(*base));
    *ret = value_ref(d);
    return true;
}

static bool
make_delegate(struct expr_run *run, const struct call_site *site, struct value receiver, struct value *ret)
{
    struct call c = plain_call(run);
    struct delegate *d;

    if (site->needs_receiver && !receiver.ref)
        return throw_null_reference(&c);
    d = object_new(&c, site->type, struct delegate);
    if (!d)
        return false;
    d->member = site->member;
    d->owner = site->owner;
    d->type_args = site->type_args;
    d->has_target = site->n_args > 0;
    d->target = receiver;
    *ret = value_ref(d);
    return true;
}

static bool
dispose(struct expr_run *run, struct object *o)
{
    struct call c = plain_call(run);

    return !o || !o->type->hooks->dispose || o->type->hooks->dispose(&c, o);
}

static bool
throw_object(struct expr_run *run, struct object *o)
{
    if (!o)
        return throw_kind(run, EXC_NULL_REFERENCE);
    run->exception = (struct exception *)o;
    return false;
}

/* The innermost handler of an exception thrown at ip. */
static const struct handler *
find_handler(const struct expr_run *run, const struct function *f, uint32_t ip)
{
    if (run->exceeded || !run->exception)
        return NULL;
    for (uint32_t i = 0; i < f->n_handlers; i++)
        if (ip >= f->handlers[i].from && ip < f->handlers[i].to)
            return &f->handlers[i];
    return NULL;
}

/* --- the loop ---------------------------------------------------------------------------------------------------------------------- */

/* The one long function: a case an instruction. Returns false when the function ends with an exception. */
static bool
execute(struct expr_run *run, const struct function *f, struct value *captured, struct value *r, struct value *ret)
{
    static const void *const labels[] = {
#define OP(name, a, b, c) &&DO_##name,
#include "expr/vm_ops.def"
#undef OP
    };
    const struct expr_program *p = f->program;
    const struct instruction *code = f->code, *ip = code, *i;
    const struct handler *handler;

#define NEXT do { i = ip++; goto *labels[i->op]; } while (0)
#define A r[i->a]
#define B r[i->b]
#define C r[i->c]
#define LONG_JUMP (int32_t)((uint32_t)i->b | (uint32_t)i->c << 16)
#define SHORT_JUMP (int16_t)i->c
#define SET_I64(x) do { A = value_i64(x); NEXT; } while (0)
#define SET_F64(x) do { A = value_f64(x); NEXT; } while (0)
#define TRY(x) do { if (UNLIKELY(!(x))) goto thrown; NEXT; } while (0)
/* Back to the top of a loop: `by` is negative, and what a turn costs. */
#define LOOP_BACK(by) do { \
        ip += (by); \
        run->steps_left += (by); \
        if (UNLIKELY(run->steps_left < run->slice_left) && !end_slice(run)) \
            goto thrown; \
        NEXT; \
    } while (0)
#define LOOP_WHEN(test) do { if (test) LOOP_BACK(SHORT_JUMP); NEXT; } while (0)
#define THROW(kind) do { throw_kind(run, EXC_##kind); goto thrown; } while (0)

    NEXT;
DO_MOVE: copy(&A, &B); NEXT;
DO_CONST: A = p->constants[i->b]; NEXT;
DO_ZERO: A = value_i64(0); NEXT;

DO_ADD_I32: SET_I64((int32_t)((uint32_t)B.i64 + (uint32_t)C.i64));
DO_ADD_I32_N: SET_I64((int32_t)((uint32_t)B.i64 + (uint32_t)SHORT_JUMP));
DO_SUB_I32: SET_I64((int32_t)((uint32_t)B.i64 - (uint32_t)C.i64));
DO_MUL_I32: SET_I64((int32_t)((uint32_t)B.i64 * (uint32_t)C.i64));
DO_DIV_I32:
    if (C.i64 == 0)
        THROW(DIVIDE_BY_ZERO);
    if (C.i64 == -1 && B.i64 == INT32_MIN)
        THROW(OVERFLOW);
    SET_I64(B.i64 / C.i64);
DO_REM_I32:
    if (C.i64 == 0)
        THROW(DIVIDE_BY_ZERO);
    if (C.i64 == -1 && B.i64 == INT32_MIN)
        THROW(OVERFLOW);
    SET_I64(B.i64 % C.i64);
DO_ADD_U32: SET_I64((int64_t)(uint32_t)((uint32_t)B.i64 + (uint32_t)C.i64));
DO_SUB_U32: SET_I64((int64_t)(uint32_t)((uint32_t)B.i64 - (uint32_t)C.i64));
DO_MUL_U32: SET_I64((int64_t)(uint32_t)((uint32_t)B.i64 * (uint32_t)C.i64));
DO_ADD_I64: SET_I64((int64_t)(B.u64 + C.u64));
DO_ADD_I64_N: SET_I64((int64_t)(B.u64 + (uint64_t)(int64_t)SHORT_JUMP));
DO_SUB_I64: SET_I64((int64_t)(B.u64 - C.u64));
DO_MUL_I64: SET_I64((int64_t)(B.u64 * C.u64));
DO_DIV_I64:
    if (C.i64 == 0)
        THROW(DIVIDE_BY_ZERO);
    if (C.i64 == -1 && B.i64 == INT64_MIN)
        THROW(OVERFLOW);
    SET_I64(B.i64 / C.i64);
DO_REM_I64:
    if (C.i64 == 0)
        THROW(DIVIDE_BY_ZERO);
    if (C.i64 == -1 && B.i64 == INT64_MIN)
        THROW(OVERFLOW);
    SET_I64(B.i64 % C.i64);
DO_DIV_U64:
    if (C.u64 == 0)
        THROW(DIVIDE_BY_ZERO);
    SET_I64((int64_t)(B.u64 / C.u64));
DO_REM_U64:
    if (C.u64 == 0)
        THROW(DIVIDE_BY_ZERO);
    SET_I64((int64_t)(B.u64 % C.u64));
DO_ADD_CHECKED_I64: {
    int64_t sum;
    if (__builtin_add_overflow(B.i64, C.i64, &sum))
        THROW(OVERFLOW);
    SET_I64(sum);
}
DO_SUB_CHECKED_I64: {
    int64_t difference;
    if (__builtin_sub_overflow(B.i64, C.i64, &difference))
        THROW(OVERFLOW);
    SET_I64(difference);
}
DO_MUL_CHECKED_I64: {
    int64_t product;
    if (__builtin_mul_overflow(B.i64, C.i64, &product))
        THROW(OVERFLOW);
    SET_I64(product);
}
DO_ADD_CHECKED_U64: {
    uint64_t sum;
    if (__builtin_add_overflow(B.u64, C.u64, &sum))
        THROW(OVERFLOW);
    SET_I64((int64_t)sum);
}
DO_SUB_CHECKED_U64: {
    uint64_t difference;
    if (__builtin_sub_overflow(B.u64, C.u64, &difference))
        THROW(OVERFLOW);
    SET_I64((int64_t)difference);
}
DO_MUL_CHECKED_U64: {
    uint64_t product;
    if (__builtin_mul_overflow(B.u64, C.u64, &product))
        THROW(OVERFLOW);
    SET_I64((int64_t)product);
}
DO_AND: SET_I64(B.i64 & C.i64);
DO_OR: SET_I64(B.i64 | C.i64);
DO_XOR: SET_I64(B.i64 ^ C.i64);
DO_SHL_I32: SET_I64((int32_t)((uint32_t)B.i64 << (C.i64 & 31)));
DO_SHL_U32: SET_I64((int64_t)(uint32_t)((uint32_t)B.i64 << (C.i64 & 31)));
DO_SHL_I64: SET_I64((int64_t)(B.u64 << (C.i64 & 63)));
DO_SHR_I32: SET_I64(B.i64 >> (C.i64 & 31));
DO_SHR_I64: SET_I64(B.i64 >> (C.i64 & 63));
DO_SHR_U64: SET_I64((int64_t)(B.u64 >> (C.i64 & 63)));
DO_NEG_I32: SET_I64((int32_t)(0 - (uint32_t)B.i64));
DO_NEG_I64: SET_I64((int64_t)(0 - B.u64));
DO_NEG_CHECKED_I64:
    if (B.i64 == INT64_MIN)
        THROW(OVERFLOW);
    SET_I64(-B.i64);
DO_COMPLEMENT: SET_I64(~B.i64);
DO_NOT: SET_I64(!B.i64);
DO_WRAP: SET_I64(wrap(B.i64, i->c));
DO_RANGE:
    if (i->c == TYPE_ULONG ? B.i64 < 0 : wrap(B.i64, i->c) != B.i64)
        THROW(OVERFLOW);
    SET_I64(B.i64);
DO_RANGE_U64:
    if (B.i64 < 0 ? i->c != TYPE_ULONG : wrap(B.i64, i->c) != B.i64)
        THROW(OVERFLOW);
    SET_I64(B.i64);

DO_ADD_F64: SET_F64(B.f64 + C.f64);
DO_SUB_F64: SET_F64(B.f64 - C.f64);
DO_MUL_F64: SET_F64(B.f64 * C.f64);
DO_DIV_F64: SET_F64(B.f64 / C.f64);
DO_REM_F64: SET_F64(fmod(B.f64, C.f64));
DO_NEG_F64: SET_F64(-B.f64);
DO_I64_TO_F64: SET_F64((double)B.i64);
DO_U64_TO_F64: SET_F64((double)B.u64);
DO_F32_TO_F64: SET_F64((double)B.f32);
DO_F64_TO_F32: A = value_f32((float)B.f64); NEXT;
DO_F64_TO_INT: SET_I64(int_from_double(B.f64, i->c));
DO_F64_TO_INT_CHECKED: {
    int64_t value;
    if (!int_from_double_checked(run, B.f64, i->c, &value))
        goto thrown;
    SET_I64(value);
}

DO_EQ_I64: SET_I64(B.i64 == C.i64);
DO_LT_I64: SET_I64(B.i64 < C.i64);
DO_LE_I64: SET_I64(B.i64 <= C.i64);
DO_LT_U64: SET_I64(B.u64 < C.u64);
DO_LE_U64: SET_I64(B.u64 <= C.u64);
DO_EQ_F64: SET_I64(B.f64 == C.f64);
DO_LT_F64: SET_I64(B.f64 < C.f64);
DO_LE_F64: SET_I64(B.f64 <= C.f64);
DO_EQ_STRING: SET_I64(string_eq((struct string *)B.ref, (struct string *)C.ref));
DO_IS_NULL: SET_I64(B.ref == NULL);

DO_JUMP: ip += LONG_JUMP; NEXT;
DO_JUMP_TRUE: ip += A.i64 ? LONG_JUMP : 0; NEXT;
DO_JUMP_FALSE: ip += A.i64 ? 0 : LONG_JUMP; NEXT;
DO_JUMP_NULL: ip += A.ref ? 0 : LONG_JUMP; NEXT;
DO_JUMP_NOT_NULL: ip += A.ref ? LONG_JUMP : 0; NEXT;
DO_JUMP_EQ: ip += A.i64 == B.i64 ? SHORT_JUMP : 0; NEXT;
DO_JUMP_NE: ip += A.i64 != B.i64 ? SHORT_JUMP : 0; NEXT;
DO_JUMP_LT: ip += A.i64 < B.i64 ? SHORT_JUMP : 0; NEXT;
DO_JUMP_GE: ip += A.i64 >= B.i64 ? SHORT_JUMP : 0; NEXT;
DO_JUMP_LE: ip += A.i64 <= B.i64 ? SHORT_JUMP : 0; NEXT;
DO_JUMP_GT: ip += A.i64 > B.i64 ? SHORT_JUMP : 0; NEXT;
DO_JUMP_EQ_STRING: ip += string_eq((struct string *)A.ref, (struct string *)B.ref) ? SHORT_JUMP : 0; NEXT;
DO_JUMP_NE_STRING: ip += string_eq((struct string *)A.ref, (struct string *)B.ref) ? 0 : SHORT_JUMP; NEXT;
DO_LOOP: LOOP_BACK(LONG_JUMP);
DO_LOOP_EQ: LOOP_WHEN(A.i64 == B.i64);
DO_LOOP_NE: LOOP_WHEN(A.i64 != B.i64);
DO_LOOP_LT: LOOP_WHEN(A.i64 < B.i64);
DO_LOOP_GE: LOOP_WHEN(A.i64 >= B.i64);
DO_LOOP_LE: LOOP_WHEN(A.i64 <= B.i64);
DO_LOOP_GT: LOOP_WHEN(A.i64 > B.i64);
DO_CHARGE:
    run->steps_left -= LONG_JUMP;
    if (UNLIKELY(run->steps_left < run->slice_left) && !end_slice(run))
        goto thrown;
    NEXT;
DO_RETURN:
    copy(ret, &A);
    return true;
DO_RETURN_VOID:
    *ret = value_i64(0);
    return true;
DO_THROW:
    throw_object(run, A.ref);
    goto thrown;
DO_RETHROW:
    throw_object(run, A.ref);
    goto thrown;

DO_CALL: TRY(call_site(run, &p->sites[i->b], &C, &A));
DO_INVOKE: {
    struct call c = plain_call(run);
    TRY(call_invoke(&c, B.ref, &B + 1, i->c, &A));
}
DO_CLOSURE: TRY(make_closure(run, p->functions[i->b], &C, &A));
DO_DELEGATE: TRY(make_delegate(run, &p->sites[i->b], C, &A));
DO_CAPTURED: copy(&A, &captured[i->b]); NEXT;
DO_CELL_NEW: {
    struct call c = plain_call(run);
    struct cell *cell = call_alloc(&c, sizeof(*cell));
    A = value_ref(cell);
    TRY(cell != NULL);
}
DO_CELL_GET: copy(&A, &((struct cell *)B.ref)->v); NEXT;
DO_CELL_SET: copy(&((struct cell *)A.ref)->v, &B); NEXT;

DO_CONCAT: TRY(concat(run, &B, i->c, &A));
DO_TO_STRING: TRY(to_string(run, &p->sites[i->c], B, &A));
DO_BOX: TRY(box(run, p->types[i->c], B, &A));
DO_UNBOX: TRY(unbox(run, p->types[i->c], B.ref, &A));
DO_UNBOX_NULLABLE:
    if (B.ref && !is_unboxable(B.ref->type, p->types[i->c]))
        THROW(INVALID_CAST);
    copy(&A, &B);
    NEXT;
DO_NULLABLE_VALUE:
    if (!B.ref) {
        struct call c = plain_call(run);
        call_throw(&c, EXC_INVALID_OPERATION, "Nullable object must have a value.");
        goto thrown;
    }
    A = value_unbox(B.ref);
    NEXT;
DO_NULLABLE_GET: A = value_unbox(B.ref); NEXT;
DO_CAST:
    if (!cast(run, p->types[i->c], B.ref))
        goto thrown;
    copy(&A, &B);
    NEXT;
DO_AS: A = B.ref && type_is_assignable(B.ref->type, p->types[i->c]) ? B : value_i64(0); NEXT;
DO_IS: SET_I64(B.ref && type_is_assignable(B.ref->type, p->types[i->c]));
DO_FIELD: A = B.ref ? ((struct record *)B.ref)->v[i->c] : value_i64(0); NEXT;
DO_RECORD: TRY(new_record(run, p->types[i->c], &B, &A));
DO_RECORD_COPY: TRY(copy_record(run, p->types[i->c], (struct record *)B.ref, &A));
DO_SET_FIELD: copy(&((struct record *)A.ref)->v[i->c], &B); NEXT;
DO_ARRAY: TRY(new_array(run, p->types[i->c], &B, &A));
DO_ELEMENT: {
    struct array *a = (struct array *)B.ref;
    if (!a)
        THROW(NULL_REFERENCE);
    if (C.u64 >= a->n)
        THROW(INDEX_OUT_OF_RANGE);
    A = array_get(a, (uint32_t)C.u64);
    NEXT;
}
DO_SET_ELEMENT: {
    struct array *a = (struct array *)A.ref;
    if (!a)
        THROW(NULL_REFERENCE);
    if (B.u64 >= a->n)
        THROW(INDEX_OUT_OF_RANGE);
    array_set(a, (uint32_t)B.u64, C);
    NEXT;
}
DO_SET_ELEMENT_REF: {
    struct array *a = (struct array *)A.ref;
    if (!a)
        THROW(NULL_REFERENCE);
    if (B.u64 >= a->n)
        THROW(INDEX_OUT_OF_RANGE);
    if (!array_takes(a, C))
        THROW(ARRAY_TYPE_MISMATCH);
    array_set(a, (uint32_t)B.u64, C);
    NEXT;
}
DO_ELEMENT_AT: {
    uint32_t at;
    if (!locate(run, &B, i->c, &at))
        goto thrown;
    A = array_get((struct array *)B.ref, at);
    NEXT;
}
DO_SET_ELEMENT_AT: {
    uint32_t at;
    if (!locate(run, &B, i->c, &at))
        goto thrown;
    if (!array_takes((struct array *)B.ref, A))
        THROW(ARRAY_TYPE_MISMATCH);
    array_set((struct array *)B.ref, at, A);
    NEXT;
}
DO_STORE: array_set((struct array *)A.ref, i->c, B); NEXT;
DO_LENGTH:
    if (!B.ref)
        THROW(NULL_REFERENCE);
    SET_I64(((struct array *)B.ref)->n);
DO_ITERATE: TRY(begin_iteration(run, p->types[i->c], B.ref, &A));
DO_NEXT: {
    int more = next_element(run, B.ref, &A);
    if (UNLIKELY(more < 0))
        goto thrown;
    ip += more ? 0 : SHORT_JUMP;
    NEXT;
}
DO_DISPOSE: TRY(dispose(run, A.ref));

thrown:
    handler = find_handler(run, f, (uint32_t)(i - code));
    if (!handler)
        return false;
    r[handler->reg] = value_ref(run->exception);
    run->exception = NULL;
    ip = code + handler->target;
    NEXT;
}

/* Registers come in chunks, chained so that a deep call uses the one behind again: the first is small, as most expressions are. */
struct stack_chunk {
    struct stack_chunk *next;
    struct value *end;
    struct value v[];
};

static NO_INLINE bool
next_chunk(struct expr_run *run, uint32_t n)
{
    struct call c = plain_call(run);
    struct stack_chunk *chunk = run->chunk ? run->chunk->next : NULL;
    uint32_t size = MAX(n, run->chunk ? (uint32_t)STACK_VALUES : (uint32_t)STACK_VALUES_FIRST);

    if (!chunk || (size_t)(chunk->end - chunk->v) < n) {
        size_t bytes = sizeof(*chunk) + size * sizeof(struct value);
        chunk = arena_alloc(run->arena, 1, bytes, 16);
        run->bytes_left -= (int64_t)bytes;
        if (!chunk || run->bytes_left < 0)
            return call_exceed(&c, BUDGET_BYTES);
        chunk->next = NULL;
        chunk->end = chunk->v + size;
        if (run->chunk)
            run->chunk->next = chunk;
    }
    run->chunk = chunk;
    run->stack = chunk->v;
    run->stack_end = chunk->end;
    return true;
}

bool
vm_run(struct expr_run *run, const struct function *f, struct value *captured, const struct value *args, struct value *ret)
{
    struct value *stack = run->stack, *stack_end = run->stack_end, *r;
    struct stack_chunk *chunk = run->chunk;
    bool ok;

    if (UNLIKELY(run->depth >= run->limits->depth)) {
        struct call c = plain_call(run);
        return call_exceed(&c, BUDGET_DEPTH);
    }
    if (UNLIKELY((size_t)(stack_end - stack) < f->n_registers) && !next_chunk(run, f->n_registers))
        return false;
    r = run->stack;
    run->stack += f->n_registers;
    for (uint32_t i = 0; i < f->n_parameters; i++)
        copy(&r[i], &args[i]);
    for (uint32_t i = 0, first = f->n_registers - (uint32_t)f->n_pinned; i < f->n_pinned; i++)
        r[first + i] = f->program->constants[f->pinned[i]];
    run->depth++;
    ok = execute(run, f, captured, r, ret);
    run->depth--;
    if (LIKELY(chunk != NULL)) {          /* the first chunk stays the run's */
        run->stack = stack;
        run->stack_end = stack_end;
        run->chunk = chunk;
    } else {
        run->stack = r;
    }
    return ok;
}
