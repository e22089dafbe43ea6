/* p_limit_concurrency.c: <limit-concurrency key="@(...)" max-count="3">...</limit-concurrency>
 * At most max-count requests are inside at once, in the whole process; the next one is refused with 429. Whoever is inside
 * leaves however it ends: by an error, by return-response, or when the client has gone.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/counters.h"
#include "policy/compile.h"

struct limit_concurrency {
    struct pvalue key;
    uint32_t max;
    uint32_t from;
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct limit_concurrency, key, "key", .required = true, .about = "What is limited; may be shared by several."),
    ATTR_U32(struct limit_concurrency, max, "max-count", .required = true, .min = 1, .about = "How many may be inside."),
    ATTR_END
};

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct limit_concurrency *l = conf;
    struct str key;
    enum flow flow;

    if (!pvalue_str(ex, &l->key, &key))
        return FLOW_ERROR;
    if (!ex->services->counters)
        return plan_run_range(ex, l->from);
    if (!gauge_enter(ex->services->counters, key, l->max))
        return exchange_refuse(ex, E_CONCURRENCY_LIMIT_EXCEEDED);
    flow = plan_run_range(ex, l->from);
    gauge_leave(ex->services->counters, key);
    return flow;
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    struct limit_concurrency *l = conf;

    return compile_block(c, n, c->path, BLOCK_RANGE, &l->from);
}

const struct policy_def policy_limit_concurrency = {
    .name = "limit-concurrency", .sections = IN_ALL, .scopes = AT_ALL, .is_container = true, .is_range = true,
    .attrs = attrs, .size = sizeof(struct limit_concurrency), .compile = compile, .run = run,
    .summary = "Lets a number of requests at a time run its policies.",
    .usage = "There is no queue: a request too many is refused with 429 at once.\nAround forward-request it holds until the "
             "head of the answer has come.",
};
