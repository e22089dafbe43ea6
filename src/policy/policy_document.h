/* policy_document.h: a compiled document, for plan.c.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdatomic.h>

#include "policy/compile.h"

struct policy_document {
    struct arena arena;           /* owns all below */
    _Atomic uint32_t refs;
    struct source source;
    enum level level;
    const struct unit *units[SECTION_COUNT];  /* NULL: the section is absent, which is <base /> */
    struct str unsupported;       /* first policy that is not supported yet; STR_NONE */
    bool needs_schemas;
    const struct str *schema_pointers;
    uint32_t n_schema_pointers;
};
