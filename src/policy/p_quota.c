/* p_quota.c: <quota calls="10000" bandwidth="40000" renewal-period="3600"> <api ...><operation .../></api> </quota>
 * Calls and kilobytes of a subscription in a fixed window, counted from the subscription's start. Bytes are added after the
 * answer, so the request that crosses the limit still passes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "model/access.h"
#include "model/api.h"
#include "policy/compile.h"
#include "policy/quotas.h"

struct part {
    struct str name, id;
    uint32_t calls, bandwidth_kb, period_s;
    struct children inner;            /* struct part: operations of an API */
};

struct quota {
    struct part own;
    struct children apis;             /* struct part */
};

#define PERIOD_NOT_SET "4294967295"   /* of an inner part: the outer one's period counts */

#define PART_ATTRS(what) \
    ATTR_STR(struct part, name, "name", .about = "Name of the " what "."), \
    ATTR_STR(struct part, id, "id", .about = "Id of the " what "; counts before the name."), \
    ATTR_U32(struct part, calls, "calls", .about = "Calls in a window."), \
    ATTR_U32(struct part, bandwidth_kb, "bandwidth", .about = "Kilobytes in a window."), \
    ATTR_U32(struct part, period_s, "renewal-period", .fallback = PERIOD_NOT_SET, .about = "Length of the window in seconds.", \
             .unverified = "Left out, it is the outer element's."), \
    ATTR_END

static const struct attr_def operation_attrs[] = {PART_ATTRS("operation")};
static const struct attr_def api_attrs[] = {PART_ATTRS("API")};

static const struct attr_def attrs[] = {
    ATTR_U32(struct quota, own.calls, "calls", .about = "Calls in a window."),
    ATTR_U32(struct quota, own.bandwidth_kb, "bandwidth", .about = "Kilobytes in a window.",
             .unverified = "The bodies of request and answer are counted."),
    ATTR_U32(struct quota, own.period_s, "renewal-period", .required = true,
             .about = "Length of the window in seconds; 0: it never renews."),
    ATTR_END
};

static const struct child_def operation_children[] = {
    {.name = "operation", .offset = offsetof(struct part, inner), .size = sizeof(struct part), .attrs = operation_attrs,
     .unique = "id", .about = "A quota of its own for an operation."},
    CHILD_END
};

static const struct child_def children[] = {
    {.name = "api", .offset = offsetof(struct quota, apis), .size = sizeof(struct part), .attrs = api_attrs,
     .unique = "id", .children = operation_children, .about = "A quota of its own for an API."},
    CHILD_END
};

/* One quota this request takes part in. */
struct counted {
    struct quota_limit limit;
    struct str key;
};

#define COUNTED_MAX 16

struct counting {
    struct counted v[COUNTED_MAX];
    uint32_t n;
};

static void
add(struct exchange *ex, struct counting *c, const struct part *p, uint32_t period_s, struct str api, struct str operation)
{
    if (c->n == COUNTED_MAX)
        return;
    c->v[c->n++] = (struct counted){
        .limit = {.calls = p->calls, .bandwidth_bytes = (uint64_t)p->bandwidth_kb * 1024, .period_s = period_s,
                  .start_s = ex->subscription->start_s ? ex->subscription->start_s : ex->subscription->created_s},
        .key = str_printf(ex->arena, "quota\x1f%.*s\x1f%.*s\x1f%.*s\x1f%.*s", STR_ARG(ex->subscription->name),
                          STR_ARG(ex->product ? ex->product->name : STR("")), STR_ARG(api), STR_ARG(operation)),
    };
}

static bool
is_named(const struct part *p, struct str id, struct str name)
{
    return p->id.len ? str_eq_nocase(p->id, id) : str_eq_nocase(p->name, name);
}

static void
gather(const struct quota *q, struct exchange *ex, struct counting *c)
{
    uint32_t period_s = q->own.period_s;

    add(ex, c, &q->own, period_s, STR(""), STR(""));
    CHILDREN(&q->apis, struct part, a) {
        if (!ex->api || !is_named(a, ex->api->root_name, ex->api->display_name))
            continue;
        uint32_t api_period_s = a->period_s == UINT32_MAX ? period_s : a->period_s;
        if (a->calls || a->bandwidth_kb)
            add(ex, c, a, api_period_s, ex->api->root_name, STR(""));
        CHILDREN(&a->inner, struct part, o) {
            if (ex->operation && is_named(o, ex->operation->name, ex->operation->display_name))
                add(ex, c, o, o->period_s == UINT32_MAX ? api_period_s : o->period_s, ex->api->root_name, ex->operation->name);
        }
    }
}

static void
count_bytes(struct exchange *ex, void *arg)
{
    const struct counting *c = arg;

    for (uint32_t i = 0; i < c->n; i++)
        if (c->v[i].limit.bandwidth_bytes)
            quota_count(ex, &c->v[i].limit, c->v[i].key, 0);
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    struct counting *c;

    if (!ex->subscription || !ex->services->counters)
        return FLOW_NEXT;
    c = arena_new(ex->arena, struct counting);
    if (!c || !exchange_defer(ex, count_bytes, c))
        return exchange_fail(ex, "no memory left to count calls");
    struct counting all = {0};
    gather(conf, ex, &all);
    for (uint32_t i = 0; i < all.n; i++)
        if (quota_check(ex, &all.v[i].limit, all.v[i].key) == FLOW_ERROR)
            return FLOW_ERROR;
    for (uint32_t i = 0; i < all.n; i++)
        if (quota_take(ex, &all.v[i].limit, all.v[i].key) == FLOW_ERROR)
            return FLOW_ERROR;
    *c = all;
    return FLOW_NEXT;
}

/* What is inside has a name, and limits something: itself or what is inside it. */
static bool
are_complete(struct compiler *c, const struct node *n, const struct children *parts)
{
    const struct node *k = n->first_child;
    bool ok = true;

    CHILDREN(parts, struct part, p) {
        if (!p->name.len && !p->id.len)
            ok = compile_error(c, k, "<%.*s> needs a name or an id", STR_ARG(k->name));
        if (!p->calls && !p->bandwidth_kb && p->inner.n == 0)
            ok = compile_error(c, k, "<%.*s> needs calls or bandwidth", STR_ARG(k->name));
        ok &= are_complete(c, k, &p->inner);
        k = k->next;
    }
    return ok;
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    const struct quota *q = conf;

    if (!q->own.calls && !q->own.bandwidth_kb)
        return compile_error(c, n, "<quota> needs calls or bandwidth");
    return are_complete(c, n, &q->apis);
}

const struct policy_def policy_quota = {
    .name = "quota", .sections = IN_INBOUND, .scopes = AT_PRODUCT, .once = true,
    .attrs = attrs, .children = children, .size = sizeof(struct quota), .compile = compile, .run = run,
    .summary = "Limits the calls or bytes of a subscription in a fixed window.",
    .usage = "Does nothing for calls without a subscription.\nWindows are counted from the subscription's start.",
};
