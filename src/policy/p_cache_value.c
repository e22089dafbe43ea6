/* p_cache_value.c: <cache-value key="k" variable-name="v" expires-after="600" refresh-after="60"> <value>policies</value> </cache-value>
 * A value looked up, or computed by the policies inside and kept. One request computes a missing value, those that want the same
 * meanwhile wait for it. From refresh-after on the next request computes it anew, and the others take what is there.
 *
 *     stored          refresh-after               expires-after
 *       |--- fresh: taken ---|--- one computes, others take ---|--- one computes, others wait
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/flight.h"
#include "exchange/cache_report.h"
#include "exchange/storing.h"
#include "model/api.h"
#include "policy/cache_choices.h"
#include "policy/compile.h"
#include "policy/value_cache.h"
#include "rt/loop.h"

#define WAIT_MS 30000u                /* where no API says how long */
#define SECONDS_MAX ((uint32_t)INT32_MAX)

struct cache_value {
    struct pvalue key, default_value, expires_after, refresh_after;
    struct str variable;
    int caching_type;
    uint32_t from;                    /* the block */
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct cache_value, key, "key", .required = true, .about = "Name of the value."),
    ATTR_STR(struct cache_value, variable, "variable-name", .required = true,
             .about = "Variable for the value; the policies inside set it."),
    VALUE_U32(struct cache_value, expires_after, "expires-after", .fallback = "28800",
              .about = "Seconds the value is kept, counted from when it was computed.", .unverified = "Left out, it is 28800."),
    VALUE_U32(struct cache_value, refresh_after, "refresh-after",
              .about = "Seconds after which one request computes it anew; left out, as expires-after. 0: each time."),
    VALUE_ANY(struct cache_value, default_value, "default-value",
              .about = "For a miss when the policies inside leave the variable unset or null."),
    ATTR_CHOICE(struct cache_value, caching_type, "caching-type", caching_types, .fallback = "prefer-external",
                .about = "Which cache: internal, external, prefer-external."),
    ATTR_END
};

static const struct child_def children[] = {
    {.name = "value", .is_opaque = true, .about = "Policies that set the variable."},
    CHILD_END
};

/* One run of the policy. */
struct value_lookup {
    struct exchange *ex;
    const struct cache_value *conf;
    struct str name;
    struct object *stored;            /* what the cache had */
    bool has_stored;
    struct cache_flight *flight;      /* ours: the value is to be computed, and others may wait */
    struct value_lookup *next;        /* in ex->computing */
};

/* The policies inside of a cache-value of the same key: it must not wait for itself. */
static bool
is_inside_of_itself(const struct value_lookup *l)
{
    for (const struct value_lookup *o = l->ex->computing; o; o = o->next)
        if (o->conf->caching_type == l->conf->caching_type && str_eq(o->name, l->name))
            return true;
    return false;
}

/* What is there, and whether this request computes. */
static bool
look_up(struct value_lookup *l)
{
    struct exchange *ex = l->ex;
    struct cache_place place = value_cache_place(l->conf->caching_type, l->name);
    const struct cache_settings *settings = ex->api ? &ex->api->settings.cache : NULL;
    struct cache_enter how = {.loop = ex->services->loop, .may_lead = true, .may_refresh = true, .wants_stale = true};
    struct cache_entered got = {.part = CACHE_ALONE};
    struct cache_key key;

    how.wait_ms = !settings ? WAIT_MS : settings->collapse ? settings->collapse_wait_ms : 0;
    if (!ex->services->tiers || is_inside_of_itself(l) || !value_cache_key(ex, l->name, &key))
        return true;
    tiers_enter(ex->services->tiers, &place, &key, &how, &got);
    l->flight = got.flight;
    cache_fill_unref(got.fill);
    if (got.part == CACHE_SERVE)
        l->has_stored = value_cache_read(ex, got.entry, &l->stored);
    else
        cache_entry_unref(got.entry);
    cache_report_value(ex, l->has_stored);
    return l->flight || !l->has_stored;
}

/* The block has run: its value is kept. */
static bool
keep(struct value_lookup *l, struct object *value, uint64_t born)
{
    uint32_t keep_s, fresh_s;

    if (!pvalue_lifetime(l->ex, &l->conf->expires_after, &keep_s))
        return false;
    fresh_s = keep_s;
    if (pvalue_is_set(&l->conf->refresh_after) && !pvalue_lifetime(l->ex, &l->conf->refresh_after, &fresh_s))
        return false;
    keep_s = MIN(keep_s, SECONDS_MAX);
    if (keep_s == 0 || !l->ex->services->tiers)
        return true;
    if (value_cache_store(l->ex, STR("cache-value"), l->conf->caching_type, l->name, value, born, MIN(fresh_s, keep_s), keep_s)) {
        cache_flight_end(l->flight, FLIGHT_LANDED, loop_now_ms(l->ex->services->loop));
        l->flight = NULL;
    }
    return true;
}

/* What the variable is when the block has left it unset or null: what the cache had, or the default. */
static bool
fall_back(struct value_lookup *l, struct object **ret, bool *ret_is_set)
{
    *ret = l->stored;
    *ret_is_set = l->has_stored || pvalue_is_set(&l->conf->default_value);
    return l->has_stored || !*ret_is_set || pvalue_object(l->ex, &l->conf->default_value, ret);
}

static enum flow
compute(struct value_lookup *l)
{
    struct exchange *ex = l->ex;
    const struct origin *at = ex->at;
    uint64_t born = ex->services->tiers ? storing_born(ex) : 0;
    const struct variable *v;
    struct object *value;
    enum flow flow;
    bool is_set;

    exchange_unset_variable(ex, l->conf->variable);
    flow = plan_run_range(ex, l->conf->from);
    if (flow != FLOW_NEXT)
        return flow;
    ex->at = at;
    v = exchange_variable(ex, l->conf->variable);
    if (v && v->value)
        return keep(l, v->value, born) ? FLOW_NEXT : FLOW_ERROR;
    if (!fall_back(l, &value, &is_set))
        return FLOW_ERROR;
    if (is_set && !exchange_set_variable(ex, l->conf->variable, value))
        return exchange_fail(ex, "no memory left for variable %.*s", STR_ARG(l->conf->variable));
    return FLOW_NEXT;
}

/* Branches of <wait> end in any order. */
static void
end_computing(struct value_lookup *l)
{
    struct value_lookup **at = &l->ex->computing;

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    struct value_lookup l = {.ex = ex, .conf = conf};
    enum flow flow;

    if (!pvalue_str(ex, &l.conf->key, &l.name))
        return FLOW_ERROR;
    if (look_up(&l)) {
        l.next = ex->computing;
        ex->computing = &l;
        flow = compute(&l);
        end_computing(&l);
        /* No value, or none that can be stored: the next of those who wait computes. */
        cache_flight_end(l.flight, FLIGHT_FAILED, loop_now_ms(ex->services->loop));
        return flow;
    }
    if (!exchange_set_variable(ex, l.conf->variable, l.stored))
        return exchange_fail(ex, "no memory left for variable %.*s", STR_ARG(l.conf->variable));
    return FLOW_NEXT;
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    struct cache_value *v = conf;
    const struct node *value = node_child(n, "value");

    if (!value)
        return compile_error(c, n, "<cache-value> needs a <value> with the policies that set the variable");
    for (const struct node *k = value->next; k; k = k->next)
        if (str_eq_lit(k->name, "value"))
            return compile_error(c, k, "<cache-value> takes one <value>");
    if (!compile_known_attributes(c, value, NULL) ||
        (str_trim(value->text.value).len && !compile_strict(c, value, "the text inside <value> is ignored")))
        return false;
    return compile_block(c, value, compile_path(c, c->path, value, 0, false), BLOCK_RANGE, &v->from);
}

const struct policy_def policy_cache_value = {
    .name = "cache-value", .sections = IN_ALL, .scopes = AT_ALL, .is_container = true, .is_range = true,
    .attrs = attrs, .children = children, .size = sizeof(struct cache_value), .compile = compile, .run = run,
    .summary = "Takes a value from the cache, or computes and keeps it.",
    .usage = "One request at a time computes a key; others take the value that is there, or wait for it.\nThe policies inside see the "
             "variable unset. If they leave it unset or null, a value that has not expired stays, with its times; on a miss "
             "default-value is taken and nothing is kept.\nexpires-after and refresh-after are evaluated after the policies inside.",
};
