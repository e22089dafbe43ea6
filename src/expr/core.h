/* core.h: the library every environment has: object, string, the numbers, arrays, exceptions, delegates, tuples.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/native.h"

extern const struct library expr_core;
/* "System.FormatException" ... */
struct str exception_type_name(enum exception_kind kind);
