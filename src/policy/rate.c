/* rate.c: what rate-limit and rate-limit-by-key tell the client and later policies.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/rate.h"

#include "exchange/context.h"
#include "http/headers.h"

static struct str
number(struct exchange *ex, uint32_t n)
{
    return str_printf(ex->arena, "%" PRIu32, n);
}

static bool
set_number(struct exchange *ex, struct str variable, uint32_t n)
{
    return !variable.len || exchange_set_variable(ex, variable, context_object_of_int(ex, (int32_t)MIN(n, (uint32_t)INT32_MAX)));
}

/* Loading warned of a name that is none; the answer goes without it. */
static bool
is_header(struct str name)
{
    return name.len && http_name_is_valid(name);
}

bool
rate_tell(struct exchange *ex, const struct rate_names *names, uint32_t limit, uint32_t remaining)
{
    bool ok = set_number(ex, names->remaining_variable, remaining);

    if (is_header(names->remaining_header))
        ok &= exchange_add_answer_header(ex, names->remaining_header, number(ex, remaining), true);
    if (is_header(names->total_header))
        ok &= exchange_add_answer_header(ex, names->total_header, number(ex, limit), true);
    if (!ok)
        exchange_fail(ex, "no memory left to count calls");
    return ok;
}

enum flow
rate_refuse(struct exchange *ex, const struct rate_names *names, uint32_t limit, uint32_t wait_s)
{
    struct str wait = number(ex, wait_s);

    exchange_refuse(ex, E_RATE_LIMIT_EXCEEDED, wait);
    if (is_header(names->retry_header))
        exchange_refusal_header(ex, names->retry_header, wait);
    if (is_header(names->remaining_header))
        exchange_refusal_header(ex, names->remaining_header, STR("0"));
    if (is_header(names->total_header))
        exchange_refusal_header(ex, names->total_header, number(ex, limit));
    (void)!set_number(ex, names->retry_variable, wait_s);
    (void)!set_number(ex, names->remaining_variable, 0);
    return FLOW_ERROR;
}
