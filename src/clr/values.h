/* values.h: the 128-bit value types of the library in and out of a struct value.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/decimal.h"
#include "expr/native.h"

static inline struct decimal
value_decimal(struct value v)
{
    struct decimal d;

    memcpy(&d, &v, sizeof(d));
    return d;
}

static inline struct value
value_from_decimal(struct decimal d)
{
    struct value v;

    memcpy(&v, &d, sizeof(v));
    return v;
}

/* The text that an argument shows as: "" for null. */
static inline struct str
call_str(const struct call *c, uint32_t i)
{
    const struct string *s = (const struct string *)c->args[i].ref;

    return s ? string_str(s) : STR("");
}

/* The 100 ns ticks since 0001-01-01 UTC of the run's clock. */
int64_t clr_now_ticks(struct call *c);
/* An optional argument that is a boxed StringComparison etc. is an i64 like every enum. */
enum string_comparison {
    CURRENT_CULTURE, CURRENT_CULTURE_IGNORE_CASE, INVARIANT_CULTURE, INVARIANT_CULTURE_IGNORE_CASE, ORDINAL, ORDINAL_IGNORE_CASE,
};
