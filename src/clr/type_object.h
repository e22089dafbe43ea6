/* type_object.h: System.Type and what it stands for.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/native.h"

/* The type that a System.Type object names; NULL for NULL. */
const struct type *type_of_object(const struct object *type_object);
/* A System.Type; NULL after a budget was exceeded. */
struct object *type_object_new(struct call *c, const struct type *t);
