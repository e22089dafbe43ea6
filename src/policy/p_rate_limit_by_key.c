/* p_rate_limit_by_key.c: <rate-limit-by-key calls="10" renewal-period="60" counter-key="@(context.Request.IpAddress)" />
 * Counts by any key, shared by all documents that use it, whatever their periods; a request counts once for a key. When the condition or the count is an expression, counting waits
 * for the end of the request, so that it can look at the answer; the check is made here all the same.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "policy/rate.h"

#define PERIOD_MAX_S 300

struct rate_limit_by_key {
    struct pvalue calls, period_s, key, condition, count;
    bool after_response;
    struct str flexible_window;
    struct rate_names names;
};

static const struct attr_def attrs[] = {
    VALUE_U32(struct rate_limit_by_key, calls, "calls", .required = true, .min = 1, .about = "Calls in a window."),
    VALUE_U32(struct rate_limit_by_key, period_s, "renewal-period", .required = true, .min = 1, .max = PERIOD_MAX_S,
              .about = "Length of the window in seconds, at most 300.", .unverified = "What an expression gives above 300 counts as 300."),
    VALUE_STR(struct rate_limit_by_key, key, "counter-key", .required = true, .about = "What is counted.",
              .unverified = "A null key is the empty text. Several policies with one key count a request once, as the first says whose "
                            "condition holds; when one of them refuses it, none counts it, at its end neither."),
    VALUE_BOOL(struct rate_limit_by_key, condition, "increment-condition", .fallback = "true",
               .about = "Whether this request counts. An expression is evaluated at the end of the request; one that fails does not count."),
    VALUE_U32(struct rate_limit_by_key, count, "increment-count", .fallback = "1",
              .about = "How much it counts. An expression is evaluated at the end of the request."),
    ATTR_BOOL(struct rate_limit_by_key, after_response, "increment-after-response", .fallback = "false",
              .about = "Count at the end of the request."),
    ATTR_STR(struct rate_limit_by_key, flexible_window, "flexible-retry-window",
             .about = "Stands in documents that older services exported.",
             .no_effect = "the seconds of Retry-After are always those until the next call passes"),
    RATE_NAME_ATTRS(struct rate_limit_by_key, names),
    ATTR_END
};

/* A key that this request has met. */
struct rate_key {
    struct rate_key *next;
    struct str key;
    uint32_t counted;             /* how much for it so far */
    bool is_refused;              /* by one of the policies: then none of them counts it, now or at the end */
};

/* Counting that waits for the answer. */
struct waiting {
    const struct rate_limit_by_key *conf;
    struct rate_key *key;
    uint32_t period_s;
};

static void
count_later(struct exchange *ex, void *arg)
{
    const struct waiting *w = arg;
    struct last_error before = ex->error;
    bool counts;
    uint32_t n;

    if (w->key->is_refused)
        return;
    if (!pvalue_bool(ex, &w->conf->condition, &counts) || !pvalue_u32(ex, &w->conf->count, &n))
        exchange_trace(ex, TRACE_ERROR, STR("rate-limit-by-key"), ex->error.message);
    else if (counts && n && !w->key->counted)
        limit_add(ex, w->key->key, w->period_s, w->key->counted = n);
    ex->error = before;
}

static bool
defer(const struct rate_limit_by_key *r, struct exchange *ex, struct rate_key *key, uint32_t period_s)
{
    struct waiting *w = arena_new(ex->arena, struct waiting);

    if (!w)
        return false;
    *w = (struct waiting){r, key, period_s};
    return exchange_defer(ex, count_later, w);
}

/* The key as this request knows it, under the name that all documents share. Built by hand: every request pays for it. NULL: memory is
 * short. */
static struct rate_key *
rate_key_of(struct exchange *ex, struct str key)
{
    static const char prefix[] = "rate-limit-by-key\x1f";
    struct str name = {arena_alloc(ex->arena, 1, sizeof(prefix) - 1 + key.len, 1), sizeof(prefix) - 1 + key.len};
    struct rate_key **end = &ex->rate_keys;

    if (!name.p)
        return NULL;
    memcpy((char *)(uintptr_t)name.p, prefix, sizeof(prefix) - 1);
    if (key.len)
        memcpy((char *)(uintptr_t)name.p + sizeof(prefix) - 1, key.p, key.len);
    for (; *end; end = &(*end)->next)
        if (str_eq((*end)->key, name))
            return *end;
    *end = arena_new(ex->arena, struct rate_key);
    if (*end)
        (*end)->key = name;
    return *end;
}

/* Whether there is room, in this policy's period. What is counted later, or has been counted for this request, takes nothing now; in the
 * first case there must still be room for one call. */
static bool
take(struct exchange *ex, struct rate_key *key, uint32_t period_s, uint32_t calls, bool is_later, uint32_t n, struct window_state *w)
{
    if (key->counted && limit_take(ex, key->key, period_s, calls, 0, w))
        return true;
    if (key->counted) {
        limit_give_back(ex, key->key, period_s, key->counted);
        key->counted = 0;
        return false;
    }
    if (!limit_take(ex, key->key, period_s, is_later ? calls - MIN(calls, 1u) : calls, is_later ? 0 : n, w))
        return false;
    key->counted = is_later ? 0 : n;
    return true;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct rate_limit_by_key *r = conf;
    bool is_later = r->condition.program || r->count.program || r->after_response;
    struct window_state w;
    uint32_t calls, period_s, n = r->count.literal.number;
    struct rate_key *key;
    struct str text;

    if (!pvalue_str(ex, &r->key, &text) || !pvalue_u32(ex, &r->calls, &calls) || !pvalue_u32(ex, &r->period_s, &period_s))
        return FLOW_ERROR;
    if (period_s == 0)
        return exchange_fail_expression(ex, STR("renewal-period: expected a number from 1 to 300, the expression gave 0"));
    if (!ex->services->counters)
        return FLOW_NEXT;
    period_s = MIN(period_s, (uint32_t)PERIOD_MAX_S);
    key = rate_key_of(ex, text);
    if (!key)
        return exchange_fail(ex, "no memory left to count calls");
    if (!is_later && !r->condition.literal.truth)
        n = 0;
    key->is_refused = !take(ex, key, period_s, calls, is_later, n, &w);
    if (key->is_refused)
        return rate_refuse(ex, &r->names, calls, w.wait_s);
    if (is_later && !defer(r, ex, key, period_s))
        return exchange_fail(ex, "no memory left to count calls");
    return rate_tell(ex, &r->names, calls, calls - MIN(w.used, calls)) ? FLOW_NEXT : FLOW_ERROR;
}

const struct policy_def policy_rate_limit_by_key = {
    .name = "rate-limit-by-key", .sections = IN_INBOUND, .scopes = AT_ALL,
    .attrs = attrs, .size = sizeof(struct rate_limit_by_key), .run = run,
    .summary = "Limits calls by a key of any kind in a sliding window.",
    .usage = "One counter a key, shared by all documents; each looks at it by its own calls and period.\nWith an expression for increment-condition or "
             "increment-count the request is counted at its end; the refusal then comes one call later.",
};
