/* p_retry.c: <retry condition="@(...)" count="3" interval="1" max-interval="10" delta="1" first-fast-retry="true">...</retry>
 * Runs what is inside, then again while the condition holds, at most count times more. An error inside counts as a try:
 * the condition decides, with context.LastError set; after the last try the error stands.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/rand.h"
#include "exchange/retry_budget.h"
#include "policy/compile.h"
#include "rt/fiber.h"

#define COUNT_MAX 50

struct retry {
    struct pvalue condition, count, interval, max_interval, delta, first_fast;
    uint32_t from;
};

static const struct attr_def attrs[] = {
    VALUE_BOOL(struct retry, condition, "condition", .required = true,
               .about = "True: try again. Evaluated after each execution."),
    VALUE_U32(struct retry, count, "count", .required = true, .min = 1, .max = COUNT_MAX,
              .about = "How often to try again."),
    VALUE_F64(struct retry, interval, "interval", .fallback = "0", .about = "Seconds to wait before a further try.",
              .unverified = "Left out, it is 0."),
    VALUE_F64(struct retry, max_interval, "max-interval", .about = "Longest wait, in seconds; makes the wait exponential."),
    VALUE_F64(struct retry, delta, "delta", .about = "Seconds the wait grows by: linear, or exponential with max-interval."),
    VALUE_BOOL(struct retry, first_fast, "first-fast-retry", .fallback = "false",
               .about = "The first further try comes without a wait."),
    ATTR_END
};

/* The attributes but condition, evaluated once at entry. */
struct waits {
    uint32_t count;
    double interval_s, max_interval_s, delta_s;
    bool first_fast;
};

static bool
evaluate(const struct retry *r, struct exchange *ex, struct waits *w)
{
    if (!pvalue_u32(ex, &r->count, &w->count) || !pvalue_f64(ex, &r->interval, &w->interval_s) ||
        !pvalue_f64(ex, &r->max_interval, &w->max_interval_s) || !pvalue_f64(ex, &r->delta, &w->delta_s) ||
        !pvalue_bool(ex, &r->first_fast, &w->first_fast))
        return false;
    w->count = MIN(w->count, (uint32_t)COUNT_MAX);
    return true;
}

/* Seconds before further try n (from 1). */
static double
wait_s(const struct retry *r, const struct waits *w, uint32_t n, struct rand *rand)
{
    double growth;

    if (n == 1 && w->first_fast)
        return 0;
    if (!pvalue_is_set(&r->delta))
        return w->interval_s;
    if (!pvalue_is_set(&r->max_interval))
        return w->interval_s + (n - 1) * w->delta_s;
    growth = (double)((UINT64_C(1) << (n - 1)) - 1) * w->delta_s * (0.8 + 0.4 * rand_unit(rand));
    return MIN(w->max_interval_s, w->interval_s + growth);
}

static bool
sleep_s(struct exchange *ex, double seconds, struct err *err)
{
    if (seconds <= 0)
        return true;
    return fiber_sleep(loop_deadline(ex->services->loop, (uint64_t)(MIN(seconds, 86400.0) * 1000.0)), err);
}

/* Whether to try again. A condition that fails because there is no response after a failed try counts as true. */
static bool
wants_retry(const struct retry *r, struct exchange *ex, bool has_failed, bool *ret)
{
    struct last_error error = ex->error;

    if (pvalue_bool(ex, &r->condition, ret))
        return true;
    if (!has_failed || ex->response)
        return false;
    ex->error = error;
    *ret = true;
    return true;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct retry *r = conf;
    const struct origin *at = ex->at;
    struct retry_budget *budget = ex->services->retries;
    struct last_error before = ex->error;
    struct waits w;
    struct err err;

    if (!evaluate(r, ex, &w))
        return FLOW_ERROR;
    for (uint32_t n = 1;; n++) {
        enum flow flow = plan_run_range(ex, r->from);
        struct last_error error = ex->error;
        bool again;

        if (n > 1)
            retry_budget_leave(budget);
        if ((flow != FLOW_NEXT && flow != FLOW_ERROR) || n > w.count)
            return flow;
        ex->at = at;
        if (!wants_retry(r, ex, flow == FLOW_ERROR, &again))
            return FLOW_ERROR;
        ex->error = error;
        if (!again || !retry_budget_enter(budget))
            return flow;
        if (!sleep_s(ex, wait_s(r, &w, n, ex->services->rand), &err)) {
            retry_budget_leave(budget);
            return exchange_fail_io(ex, &err);
        }
        ex->error = before;
    }
}

/* Literals alone: what an expression gives below zero is no wait. */
static bool
is_wait(struct compiler *c, const struct node *n, const struct pvalue *v, const char *name)
{
    if (!pvalue_is_set(v) || v->program || v->literal.real >= 0)
        return true;
    return compile_error(c, n, "%s: '%.*s' is below 0", name, STR_ARG(v->text));
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    struct retry *r = conf;

    bool ok = is_wait(c, n, &r->interval, "interval");

    ok &= is_wait(c, n, &r->max_interval, "max-interval");
    ok &= is_wait(c, n, &r->delta, "delta");
    if (node_child(n, "wait"))
        compile_strict(c, node_child(n, "wait"), "Azure does not allow wait in retry");
    if (!node_attr(n, "interval"))
        compile_strict(c, n, "Azure needs the attribute interval");
    if (node_attr(n, "max-interval") && !node_attr(n, "delta"))
        compile_warning(c, n, "max-interval has no effect without delta: the wait does not grow");
    return compile_block(c, n, c->path, BLOCK_RANGE, &r->from) && ok;
}

const struct policy_def policy_retry = {
    .name = "retry", .sections = IN_ALL, .scopes = AT_ALL, .is_container = true, .is_range = true,
    .attrs = attrs, .size = sizeof(struct retry), .compile = compile, .run = run,
    .summary = "Runs its policies again while a condition holds.",
    .usage = "Waits: interval; with delta interval + (n-1) delta; with max-interval too, the smaller of that and interval + "
             "(2^(n-1) - 1) delta, times a random factor of 0.8 to 1.2.\nSending a request body a second time needs "
             "buffer-request-body=\"true\" on forward-request.\nreturn-response inside leaves the loop.",
};
