/* clr.c: the list of families. A family is a file: its rows stand at its end, as `const struct library clr_NAME`.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/clr.h"

#include "expr/core.h"

/* clang-format off */
const struct library *const clr_libraries[] = {
    &expr_core,
};
/* clang-format on */
const size_t clr_libraries_n = COUNTOF(clr_libraries);
