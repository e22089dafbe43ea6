/* clr.h: the .NET library that expressions may call, one `struct library` a family, listed in clr.c.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/type.h"

/* All families without `context` (exchange/context.c). */
extern const struct library *const clr_libraries[];
extern const size_t clr_libraries_n;
