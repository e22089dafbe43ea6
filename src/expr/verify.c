/* verify.c: the check that bytecode cannot leave its bounds, run on every program of a debug build.
 *
 * First each instruction alone: operands in range, jumps inside. Then the flow: registers have no types and a stack chunk is used
 * again by the next call, so one that is read before it is written would be somebody else's value under a wrong type. For each
 * instruction we keep the set of registers that every way to it has written, and go on until no set shrinks.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/vec.h"
#include "expr/type.h"
#include "expr/vm.h"

#define FLOW_WORDS_MAX ((size_t)1 << 22)      /* larger functions are checked instruction by instruction only */

static const struct {
    char a, b, c;
} kinds[] = {
#define OP(name, a, b, c) {#a[0], #b[0], #c[0]},
#include "expr/vm_ops.def"
#undef OP
};

struct flow {
    const struct function *f;
    uint64_t *written;                /* words a set, a set an instruction */
    bool *is_reached;
    size_t words;
    VEC(uint32_t) left;               /* instructions to look at (again) */
};

/* How many registers from the V operand on an instruction reads. */
static uint32_t
row_length(const struct expr_program *p, const struct instruction *i)
{
    switch ((int)i->op) {
    case VM_CALL: return p->sites[i->b].n_args;
    case VM_INVOKE: case VM_ELEMENT_AT: case VM_SET_ELEMENT_AT: return i->c + 1u;
    case VM_CLOSURE: return p->functions[i->b]->n_captured + 1u;
    case VM_CONCAT: return i->c;
    case VM_RECORD: return p->types[i->c]->n_args;
    case VM_ARRAY: return p->types[i->c]->rank;
    }
    return 0;
}

static bool
is_operand_right(const struct function *f, char kind, uint16_t value)
{
    const struct expr_program *p = f->program;

    switch (kind) {
    case 'W': case 'R': return value < f->n_registers;
    case 'V': return value <= f->n_registers;
    case 'K': return value < p->n_constants;
    case 'T': return value < p->n_types;
    case 'S': return value < p->n_sites;
    case 'F': return value < p->n_functions;
    }
    return true;
}

/* Where it may jump; -1 when it does not. */
static int64_t
target_of(const struct instruction *i, uint32_t at)
{
    if (i->op == VM_CHARGE)
        return -1;
    if (kinds[i->op].c == 'J')
        return (int64_t)at + 1 + (int16_t)i->c;
    if (kinds[i->op].b == 'L')
        return (int64_t)at + 1 + (int32_t)((uint32_t)i->b | (uint32_t)i->c << 16);
    return -1;
}

static bool
goes_on(const struct instruction *i)
{
    return i->op != VM_JUMP && i->op != VM_LOOP && i->op != VM_RETURN && i->op != VM_RETURN_VOID && i->op != VM_THROW &&
           i->op != VM_RETHROW;
}

static bool
is_instruction_right(const struct function *f, uint32_t at)
{
    const struct instruction *i = &f->code[at];
    int64_t target;

    if (i->op >= VM_OP_COUNT || !is_operand_right(f, kinds[i->op].a, i->a) || !is_operand_right(f, kinds[i->op].b, i->b) ||
        !is_operand_right(f, kinds[i->op].c, i->c))
        return false;
    if (kinds[i->op].b == 'V' && i->b + row_length(f->program, i) > f->n_registers)
        return false;
    if (kinds[i->op].c == 'V' && i->c + row_length(f->program, i) > f->n_registers)
        return false;
    target = target_of(i, at);
    if (target < -1 || target >= (int64_t)f->n_code || (target == -1 && kinds[i->op].b == 'L' && i->op != VM_CHARGE))
        return false;
    return !goes_on(i) || at + 1 < f->n_code;
}

static bool
is_written(const uint64_t *set, uint32_t reg)
{
    return set[reg / 64] >> (reg % 64) & 1;
}

static void
write(uint64_t *set, uint32_t reg)
{
    set[reg / 64] |= (uint64_t)1 << (reg % 64);
}

/* `set` holds on a way to `at`. */
static void
arrive(struct flow *w, uint32_t at, const uint64_t *set)
{
    uint64_t *known = w->written + at * w->words;
    bool shrinks = !w->is_reached[at];

    for (size_t k = 0; k < w->words; k++) {
        uint64_t both = w->is_reached[at] ? known[k] & set[k] : set[k];
        shrinks |= both != known[k];
        known[k] = both;
    }
    if (shrinks)
        *vec_push(&w->left) = at;
    w->is_reached[at] = true;
}

static bool
reads_only_written(const struct flow *w, const struct instruction *i, const uint64_t *set)
{
    const char operand_kinds[3] = {kinds[i->op].a, kinds[i->op].b, kinds[i->op].c};
    const uint16_t values[3] = {i->a, i->b, i->c};
    uint32_t n = row_length(w->f->program, i);

    for (int k = 0; k < 3; k++) {
        if (operand_kinds[k] == 'R' && !is_written(set, values[k]))
            return false;
        for (uint32_t j = 0; operand_kinds[k] == 'V' && j < n; j++)
            if (!is_written(set, values[k] + j))
                return false;
    }
    return true;
}

static bool
step(struct flow *w, uint32_t at, uint64_t *set)
{
    const struct instruction *i = &w->f->code[at];
    int64_t target = target_of(i, at);

    memcpy(set, w->written + at * w->words, w->words * sizeof(*set));
    if (!reads_only_written(w, i, set))
        return false;
    for (uint32_t h = 0; h < w->f->n_handlers; h++) {
        const struct handler *one = &w->f->handlers[h];
        if (at >= one->from && at < one->to) {
            bool was_written = is_written(set, one->reg);
            write(set, one->reg);
            arrive(w, one->target, set);
            if (!was_written)
                set[one->reg / 64] &= ~((uint64_t)1 << (one->reg % 64));
        }
    }
    if (target >= 0)
        arrive(w, (uint32_t)target, set);
    if (kinds[i->op].a == 'W')
        write(set, i->a);
    if (goes_on(i))
        arrive(w, at + 1, set);
    return true;
}

static bool
is_flow_right(const struct function *f)
{
    struct flow w = {.f = f, .words = (f->n_registers + 63u) / 64 + 1};
    uint64_t *set;
    bool ok = true;

    if (f->n_code * w.words > FLOW_WORDS_MAX)
        return true;
    w.written = xnew_array(uint64_t, f->n_code * w.words);
    w.is_reached = xnew_array(bool, f->n_code);
    set = xnew_array(uint64_t, w.words);
    for (uint32_t k = 0; k < f->n_parameters; k++)
        write(set, k);
    for (uint32_t k = 0; k < f->n_pinned; k++)
        write(set, f->n_registers - 1u - k);
    arrive(&w, 0, set);
    while (ok && w.left.n)
        ok = step(&w, w.left.v[--w.left.n], set);
    vec_free(&w.left);
    free(set);
    free(w.is_reached);
    free(w.written);
    return ok;
}

static bool
is_function_right(const struct function *f)
{
    if (!f->n_code || f->n_parameters + f->n_pinned > f->n_registers)
        return false;
    for (uint32_t at = 0; at < f->n_code; at++)
        if (!is_instruction_right(f, at))
            return false;
    for (uint32_t h = 0; h < f->n_handlers; h++)
        if (f->handlers[h].from > f->handlers[h].to || f->handlers[h].to > f->n_code || f->handlers[h].target >= f->n_code ||
            f->handlers[h].reg >= f->n_registers)
            return false;
    for (uint32_t k = 0; k < f->n_pinned; k++)
        if (f->pinned[k] >= f->program->n_constants)
            return false;
    return is_flow_right(f);
}

bool
vm_verify(const struct expr_program *p)
{
    for (uint32_t i = 0; i < p->n_functions; i++)
        if (!is_function_right(p->functions[i]))
            return false;
    return is_function_right(p->main);
}
