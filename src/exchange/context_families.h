/* context_families.h: the families that make up `context`. An environment for policies is made of clr_libraries and these:
 * context_env_new().
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/type.h"

extern const struct library context_root, context_dictionary, context_message, context_service, context_authorization;

/* expr_env_new() with all families of clr and of context. */
struct expr_env *context_env_new(struct err *err);
