/* times.c: what the families about time share.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/times.h"

#include <math.h>

#include "clr/values.h"

bool
read_civil(struct call *c, uint32_t n, int64_t *ret_ticks)
{
    int64_t v[7] = {0};
    struct civil parts;

    for (uint32_t i = 0; i < n && i < 7; i++)
        v[i] = call_i32(c, i);
    if (v[3] < 0 || v[3] > 23 || v[4] < 0 || v[4] > 59 || v[5] < 0 || v[5] > 59)
        return throw_argument_range(c, NULL, "Hour, Minute, and Second parameters describe an un-representable DateTime.");
    if (v[6] < 0 || v[6] > 999)
        return throw_argument_range(c, "millisecond", "Valid values are between 0 and 999, inclusive.");
    parts = (struct civil){(int)v[0], (int)v[1], (int)v[2], (int)v[3], (int)v[4], (int)v[5], (int)(v[6] * TICKS_PER_MS)};
    if (!ticks_from_civil(&parts, ret_ticks))
        return throw_argument_range(c, NULL, "Year, Month, and Day parameters describe an un-representable DateTime.");
    return true;
}

bool
ticks_of_units(double n, int64_t unit, int64_t *ret)
{
    double whole = trunc(n);

    if (!(fabs(n) * (double)unit < 9.2233720368547758e18))
        return false;
    *ret = (int64_t)whole * unit + (int64_t)((n - whole) * (double)unit);
    return true;
}

bool
format_moment(struct call *c, const struct moment *m, struct str format, struct string **ret)
{
    struct buf b = call_buf(c);

    if (!datetime_format(&b, m, format))
        return call_throw(c, EXC_FORMAT, "Input string was not in a correct format.");
    *ret = string_from_buf(c, &b);
    return *ret != NULL;
}

bool
value_text(struct call *c)
{
    struct string *s;

    return value_to_string(c, c->owner, c->args[0], c->n_args > 1 ? call_str(c, 1) : STR_NONE, &s) && return_ref(c, s);
}

bool
ticks_equal(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    *ret = a.i64 == b.i64;
    return true;
}

bool
ticks_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    *ret = (int32_t)(v.u64 ^ v.u64 >> 32);
    return true;
}

bool
ticks_compare(struct call *c, const struct type *type, struct value a, struct value b, int *ret)
{
    *ret = a.i64 < b.i64 ? -1 : a.i64 > b.i64;
    return true;
}
