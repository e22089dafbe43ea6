/* disasm.c: bytecode for people.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/member.h"
#include "expr/value_ops.h"
#include "expr/vm.h"

static const struct {
    struct str name;
    char operands[3];
} ops[] = {
#define OP(name, a, b, c) {STR_INIT(#name), {#a[0], #b[0], #c[0]}},
#include "expr/vm_ops.def"
#undef OP
};

static void
write_constant(const struct expr_program *p, uint16_t k, struct buf *to)
{
    const struct type *t = p->constant_types[k];
    struct value v = p->constants[k];

    if (!t)
        buf_printf(to, "%.*s", STR_ARG(((const struct type *)v.ref)->name));
    else if (t->kind == TYPE_STRING && v.ref) {
        buf_add_char(to, '"');
        buf_add_json_escaped(to, string_str((struct string *)v.ref));
        buf_add_char(to, '"');
    } else if (t->kind == TYPE_DOUBLE)
        buf_printf(to, "%.17g", v.f64);
    else if (t->kind == TYPE_BOOL)
        buf_printf(to, "%s", v.i64 ? "true" : "false");
    else if (type_is_integral(t) || t->kind == TYPE_ENUM)
        buf_printf(to, "%" PRId64, v.i64);
    else
        buf_printf(to, "<%.*s>", STR_ARG(t->name));
}

static void
write_site(const struct expr_program *p, uint16_t s, struct buf *to)
{
    const struct call_site *site = &p->sites[s];

    if (site->member)
        buf_printf(to, "%.*s.%.*s", STR_ARG(site->owner->name), STR_ARG(site->member->name));
    else
        buf_printf(to, "%.*s:%.*s", STR_ARG(site->type->name), STR_ARG(site->format));
}

static void
write_operand(const struct function *f, const struct instruction *i, uint32_t at, int which, struct buf *to)
{
    char kind = ops[i->op].operands[which];
    uint16_t value = which == 0 ? i->a : which == 1 ? i->b : i->c;

    if (kind == 'X' || (kind == 'L' && which == 2))
        return;
    buf_add_lit(to, " ");
    if (i->op == VM_CHARGE) {
        buf_printf(to, "%d steps", (int32_t)((uint32_t)i->b | (uint32_t)i->c << 16));
        return;
    }
    switch (kind) {
    case 'W': case 'R': case 'V': buf_printf(to, "r%u", value); break;
    case 'K': write_constant(f->program, value, to); break;
    case 'T': buf_add_str(to, f->program->types[value]->name); break;
    case 'S': write_site(f->program, value, to); break;
    case 'I': buf_printf(to, "%d", (int16_t)value); break;
    case 'F': buf_printf(to, "lambda %u", value); break;
    case 'J': buf_printf(to, "-> %d", (int)at + 1 + (int16_t)value); break;
    case 'L': buf_printf(to, "-> %d", (int)at + 1 + (int32_t)((uint32_t)i->b | (uint32_t)i->c << 16)); break;
    default: buf_printf(to, "%u", value);
    }
}

void
vm_disassemble(const struct function *f, struct buf *to)
{
    for (uint32_t at = 0; at < f->n_code; at++) {
        const struct instruction *i = &f->code[at];
        buf_printf(to, "%5u  %-18.*s", at, STR_ARG(ops[i->op].name));
        for (int which = 0; which < 3; which++)
            write_operand(f, i, at, which, to);
        buf_add_char(to, '\n');
    }
    for (uint32_t k = 0; k < f->n_pinned; k++) {
        buf_printf(to, "       r%u is ", f->n_registers - f->n_pinned + k);
        write_constant(f->program, f->pinned[k], to);
        buf_add_char(to, '\n');
    }
    for (uint32_t h = 0; h < f->n_handlers; h++)
        buf_printf(to, "       handler %u..%u -> %u (r%u)\n", f->handlers[h].from, f->handlers[h].to, f->handlers[h].target,
                   f->handlers[h].reg);
}
