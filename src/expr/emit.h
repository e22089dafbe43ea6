/* emit.h: from the bound tree to bytecode.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/bind.h"
#include "expr/vm.h"

/* Writes the program of a body. False after reporting that a limit of the encoding was passed or the arena is full. */
bool emit_program(struct binder *b, struct bound *body, struct function_scope *function, struct expr_program *program);
