/* value_ops.h: what natives.c gives the VM beside native.h.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/native.h"

/* What every type inherits: equality by reference (boxes and records by value), the type's name as text, no order. */
extern const struct type_hooks object_hooks;
/* A string constant of a program: like string_new(), in the program's arena. NULL when that is full. */
struct string *string_constant(struct arena *arena, const struct type *string_type, struct str text);
