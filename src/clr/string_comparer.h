/* string_comparer.h: StringComparer objects, for those who make dictionaries of texts.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "clr/comparer.h"
#include "clr/values.h"

/* NULL after a budget. */
struct comparer *string_comparer_new(struct call *c, enum string_comparison how);
/* Its StringComparison; -1 for any other comparer. */
int string_comparer_how(const struct comparer *comparer);
