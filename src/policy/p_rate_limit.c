/* p_rate_limit.c: <rate-limit calls="20" renewal-period="60"> <api name="x" calls= renewal-period=><operation .../></api>
 * Counts a subscription's calls in a sliding window; the call above the limit is refused with 429. Without a subscription it
 * does nothing. Limits of an API or operation inside count apart; the call is refused when any is used up.
 * SPDX-License-Identifier: Apache-2.0 */
#include "model/access.h"
#include "model/api.h"
#include "policy/compile.h"
#include "policy/rate.h"

#define PERIOD_MAX_S 300

struct limit {
    struct str name, id;
    uint32_t calls, period_s;
    struct children inner;            /* struct limit: operations of an API */
};

struct rate_limit {
    uint32_t calls, period_s;
    struct rate_names names;
    struct children apis;             /* struct limit */
    struct str scope;                 /* of the document: what stands beside the subscription in the key */
};

#define LIMIT_ATTRS(what) \
    ATTR_STR(struct limit, name, "name", .about = "Name of the " what "."), \
    ATTR_STR(struct limit, id, "id", .about = "Id of the " what "; counts before the name."), \
    ATTR_U32(struct limit, calls, "calls", .required = true, .min = 1, .about = "Calls in a window."), \
    ATTR_U32(struct limit, period_s, "renewal-period", .required = true, .min = 1, .max = PERIOD_MAX_S, \
             .about = "Length of the window in seconds."), \
    ATTR_END

static const struct attr_def operation_attrs[] = {LIMIT_ATTRS("operation")};
static const struct attr_def api_attrs[] = {LIMIT_ATTRS("API")};

static const struct attr_def attrs[] = {
    ATTR_U32(struct rate_limit, calls, "calls", .required = true, .min = 1, .about = "Calls in a window."),
    ATTR_U32(struct rate_limit, period_s, "renewal-period", .required = true, .min = 1, .max = PERIOD_MAX_S,
             .about = "Length of the window in seconds, at most 300."),
    RATE_NAME_ATTRS(struct rate_limit, names),
    ATTR_END
};

static const struct child_def operation_children[] = {
    {.name = "operation", .offset = offsetof(struct limit, inner), .size = sizeof(struct limit), .attrs = operation_attrs,
     .unique = "id", .about = "A limit of its own for an operation."},
    CHILD_END
};

static const struct child_def children[] = {
    {.name = "api", .offset = offsetof(struct rate_limit, apis), .size = sizeof(struct limit), .attrs = api_attrs,
     .unique = "id", .children = operation_children, .about = "A limit of its own for an API."},
    CHILD_END
};

static bool
is_named(const struct limit *l, struct str id, struct str name)
{
    return l->id.len ? str_eq_nocase(l->id, id) : str_eq_nocase(l->name, name);
}

/* One limit on the way: the least that remains of all is what the client is told. */
struct taking {
    uint32_t limit, remaining, wait_s;
    bool is_refused;
    bool only_looks;
};

/* Counts one call, or only looks whether there is room for it. */
static void
take(struct exchange *ex, struct str key, uint32_t calls, uint32_t period_s, struct taking *t)
{
    struct window_state w;

    if (!limit_take(ex, key, period_s, t->only_looks ? calls - 1 : calls, t->only_looks ? 0 : 1, &w)) {
        t->is_refused = true;
        t->limit = calls;
        t->wait_s = MAX(t->wait_s, w.wait_s);
        return;
    }
    if (!t->is_refused && calls - MIN(w.used, calls) <= t->remaining) {
        t->remaining = calls - MIN(w.used, calls);
        t->limit = calls;
    }
}

static struct str
key_of(struct exchange *ex, struct str scope, struct str api, struct str operation)
{
    return str_printf(ex->arena, "rate-limit\x1f%.*s\x1f%.*s\x1f%.*s\x1f%.*s", STR_ARG(ex->subscription->name),
                      STR_ARG(scope), STR_ARG(api), STR_ARG(operation));
}

/* Limits inside of the policy's own that this request takes part in. */
static void
take_inner(const struct rate_limit *r, struct exchange *ex, struct taking *t)
{
    CHILDREN(&r->apis, struct limit, a) {
        if (!ex->api || !is_named(a, ex->api->root_name, ex->api->display_name))
            continue;
        take(ex, key_of(ex, r->scope, ex->api->root_name, STR("")), a->calls, a->period_s, t);
        CHILDREN(&a->inner, struct limit, o) {
            if (ex->operation && is_named(o, ex->operation->name, ex->operation->display_name))
                take(ex, key_of(ex, r->scope, ex->api->root_name, ex->operation->name), o->calls, o->period_s, t);
        }
    }
}

static void
take_all(const struct rate_limit *r, struct exchange *ex, struct taking *t)
{
    take(ex, key_of(ex, r->scope, STR(""), STR("")), r->calls, r->period_s, t);
    take_inner(r, ex, t);
}

/* Which product, API or operation the document belongs to. */
static struct str
scope_of(const struct exchange *ex)
{
    switch ((enum level)ex->at->level) {
    case LEVEL_PRODUCT: return ex->product ? ex->product->name : STR("");
    case LEVEL_API: return ex->api ? ex->api->name : STR("");
    case LEVEL_OPERATION: return ex->operation ? ex->operation->name : STR("");
    case LEVEL_GLOBAL:
    case LEVEL_WORKSPACE: break;
    }
    return STR("");
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct rate_limit *r = conf;
    struct taking t = {.remaining = UINT32_MAX};
    struct rate_limit scoped = *r;

    if (!ex->subscription || !ex->services->counters)
        return FLOW_NEXT;
    scoped.scope = str_printf(ex->arena, "%.*s:%.*s", STR_ARG(level_name((enum level)ex->at->level)), STR_ARG(scope_of(ex)));
    if (r->apis.n) {                  /* a call that one of several refuses is counted by none */
        t.only_looks = true;
        take_all(&scoped, ex, &t);
        t.only_looks = false;
        t.remaining = UINT32_MAX;
    }
    if (!t.is_refused)
        take_all(&scoped, ex, &t);
    if (t.is_refused)
        return rate_refuse(ex, &r->names, t.limit, t.wait_s);
    return rate_tell(ex, &r->names, t.limit, t.remaining) ? FLOW_NEXT : FLOW_ERROR;
}

static bool
are_named(struct compiler *c, const struct node *n, const struct children *limits)
{
    const struct node *k = n->first_child;
    bool ok = true;

    CHILDREN(limits, struct limit, l) {
        if (!l->name.len && !l->id.len)
            ok = compile_error(c, k, "<%.*s> needs a name or an id", STR_ARG(k->name));
        ok &= are_named(c, k, &l->inner);
        k = k->next;
    }
    return ok;
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    const struct rate_limit *r = conf;

    return are_named(c, n, &r->apis);
}

const struct policy_def policy_rate_limit = {
    .name = "rate-limit", .sections = IN_INBOUND, .scopes = AT_PRODUCT | AT_API | AT_OPERATION, .once = true,
    .attrs = attrs, .children = children, .size = sizeof(struct rate_limit), .compile = compile, .run = run,
    .summary = "Limits the calls of a subscription in a sliding window.",
    .usage = "Does nothing for calls without a subscription.\nCounters hold for the process, exact across workers, and for all nodes where "
             "an external cache is configured; a window slides in 20 steps. A refused call is not counted.",
};
