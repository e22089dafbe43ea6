/* emitter.h: what the parts of the emitter share: the function being written and how its instructions are put.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/emit.h"

#define NO_REGISTER UINT32_MAX
#define REGISTERS_MAX 60000           /* numbers from here on stand for pinned constants until the function is finished */

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

struct unit;

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
    VEC(uint16_t) pinned;             /* constants that loops use, in registers behind all others */
    uint32_t next, max;               /* registers */
    uint32_t loops;                   /* around the place being written */
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

/* --- emit.c: instructions, tables, registers --- */
/* Reports once that a limit of the encoding was passed; nothing is written after it. */
void emit_fail(struct emitter *e, const char *what);
/* Where the next instruction goes. */
uint32_t emit_here(const struct emitter *e);
/* Appends an instruction; returns its place. */
uint32_t emit_put(struct emitter *e, enum vm_op op, uint32_t a, uint32_t b, uint32_t c);
/* n registers in a row, until e->next is set back; returns the first. */
uint32_t emit_registers(struct emitter *e, uint32_t n);
uint32_t emit_constant(struct emitter *e, struct value v, const struct type *type);
/* A register that holds the constant while the function runs; NO_REGISTER when there are too many. */
uint32_t emit_pinned(struct emitter *e, struct value v, const struct type *type);
uint32_t emit_type(struct emitter *e, const struct type *type);
uint32_t emit_site(struct emitter *e, struct call_site site);
/* Jumps whose target is not known yet. patch_here() also frees the list. */
void patch_add(struct patches *p, uint32_t at);
void patch_set(struct emitter *e, uint32_t at, uint32_t target);
void patch_here(struct emitter *e, struct patches *p);
/* To the top of a loop. */
void emit_jump_back(struct emitter *e, uint32_t target);
/* A variable that lambdas see change lives in a cell. */
bool symbol_needs_cell(const struct symbol *s);
uint32_t symbol_register(struct emitter *e, struct symbol *s);
/* The cell of s, or its value when it has none, into `to`. */
void symbol_load_raw(struct emitter *e, struct symbol *s, uint32_t to);
void symbol_load(struct emitter *e, struct symbol *s, uint32_t to);
void symbol_store(struct emitter *e, struct symbol *s, uint32_t from);
/* A variable begins: a register, and a fresh cell when it needs one. */
void symbol_begin(struct emitter *e, struct symbol *s);
const struct function *emit_function(struct emitter *outer, struct function_scope *scope, const struct bound *body,
                                     struct unit *unit, struct binder *b, struct expr_program *program, struct emitter *ret);

/* --- emit_op.c: operators and conditions --- */
/* An operand that is read after `later` has been evaluated. */
uint32_t emit_operand(struct emitter *e, const struct bound *n, const struct bound *later);
void emit_binary(struct emitter *e, const struct bound *n, uint32_t to);
void emit_unary(struct emitter *e, const struct bound *n, uint32_t to);
void emit_convert(struct emitter *e, const struct bound *n, uint32_t to);
/* Jumps when n is `sense`; falls through otherwise. */
void emit_jump(struct emitter *e, const struct bound *n, bool sense, struct patches *to);
void emit_bool(struct emitter *e, const struct bound *n, uint32_t to);
void emit_conditional(struct emitter *e, const struct bound *n, uint32_t to);
/* a ?? b and a?.b: a once, into the node's variable. */
void emit_null_choice(struct emitter *e, const struct bound *n, uint32_t to);

/* --- emit_expr.c: other expressions --- */
const struct bound *bound_unlinked(const struct bound *n);
uint32_t bound_count(const struct bound *list);
/* The value of n in register `to`; registers that it needs meanwhile are given back. */
void emit_to(struct emitter *e, const struct bound *n, uint32_t to);
/* A register that holds the value of n: a variable's own, or a new one. */
uint32_t emit_any(struct emitter *e, const struct bound *n);
/* x, known to be n->target, into the variable of the pattern n. */
void emit_pattern_variable(struct emitter *e, const struct bound *n, uint32_t x);
/* Variables of patterns and `out var` inside an expression get their registers before it, so that they outlive it. */
void emit_variables(struct emitter *e, const struct bound *n);

/* --- emit_stmt.c --- */
void emit_statement(struct emitter *e, const struct bound *n);
