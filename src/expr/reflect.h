/* reflect.h: members of objects by their names at run time, for hosts whose own language has no types (templates).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/native.h"

/* The value of the property `name`, or of a method of that name without parameters; *ret_found false when the object has
 * neither (*ret is NULL then). False after an exception or a budget. */
MUST_USE bool reflect_get(struct call *c, struct object *o, struct str name, struct object **ret, bool *ret_found);
/* o[key]; *ret_found false when the object has no indexer that takes a string, or says that the key is missing. */
MUST_USE bool reflect_index(struct call *c, struct object *o, struct str key, struct object **ret, bool *ret_found);
