/* vm.h: the bytecode that emit.c writes and vm.c runs.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/program.h"

enum vm_op {
#define OP(name, a, b, c) VM_##name,
#include "expr/vm_ops.def"
#undef OP
    VM_OP_COUNT
};

/* 16-bit operands are what limits a function to 65,535 registers, constants and sites. */
struct instruction {
    uint16_t op, a, b, c;
};

/* Where an exception thrown in [from, to) goes on: first match wins, inner ones stand first. */
struct handler {
    uint32_t from, to, target;
    uint16_t reg;                     /* takes the exception */
};

struct call_site {
    native_fn *fn;                    /* NULL: found by the receiver's type */
    const struct member *member;
    const struct type *owner;
    const struct type *const *type_args;
    const struct type *ret_type;
    const void *prepared;
    uint16_t n_args;
    bool needs_receiver;              /* NullReference when argument 0 is null */
    /* TO_STRING: */
    const struct type *type;
    struct str format;
    int32_t alignment;
};

struct function {
    const struct expr_program *program;
    struct instruction *code;
    struct handler *handlers;
    uint32_t n_code, n_handlers;
    uint16_t n_registers, n_parameters, n_captured;
    uint16_t n_pinned;                /* constants in the last of the registers, for as long as the function runs */
    const uint16_t *pinned;
    struct str name;
};

struct expr_program {
    const struct expr_env *env;
    struct str text;
    const struct type *type;
    const struct function *main;
    struct value *constants;
    const struct type **constant_types;     /* for the disassembler */
    const struct type **types;
    struct call_site *sites;
    const struct function **functions;
    uint32_t n_constants, n_types, n_sites, n_functions;
    bool is_constant;
    struct value value;
};

/* A captured variable that changes. */
struct cell {
    struct value v;
};

/* Runs a function. args: n_parameters values. False with run->exception or run->exceeded set. */
bool vm_run(struct expr_run *run, const struct function *f, struct value *captured, const struct value *args, struct value *ret);
/* The member of the receiver's own type that implements a member without function; NULL when there is none. */
const struct member *vm_find_virtual(const struct object *receiver, const struct member *m, const struct type *owner,
                                     const struct type **ret_owner);
void vm_disassemble(const struct function *f, struct buf *to);
/* Debug builds: operands in range, jumps inside, no register read before it is written, no end but a return or throw. */
bool vm_verify(const struct expr_program *p);
