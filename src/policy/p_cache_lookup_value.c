/* p_cache_lookup_value.c: <cache-lookup-value key="@(...)" variable-name="v" default-value="x" />
 * A hit puts the reader's own copy, of the type that was stored, into the variable. A miss without a default leaves the
 * variable as it was: unset, most often.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/cache_report.h"
#include "policy/cache_choices.h"
#include "policy/value_cache.h"
#include "rt/loop.h"

struct cache_lookup_value {
    struct pvalue key, default_value;
    struct str variable;
    int caching_type;
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct cache_lookup_value, key, "key", .required = true, .about = "Name of the value."),
    ATTR_STR(struct cache_lookup_value, variable, "variable-name", .required = true, .about = "Variable for the value."),
    VALUE_ANY(struct cache_lookup_value, default_value, "default-value", .about = "For a miss; without it a miss sets nothing."),
    ATTR_CHOICE(struct cache_lookup_value, caching_type, "caching-type", caching_types, .fallback = "prefer-external",
                .about = "Which cache: internal, external, prefer-external."),
    ATTR_END
};

/* Kept by cache-value, which may compute it anew by now: to a reader it is a value until it expires. */
static bool
is_kept(const struct exchange *ex, const struct cache_entry *entry)
{
    return loop_now_ms(ex->services->loop) >= cache_entry_expires_ms(entry);
}

/* True with the value in *ret on a hit. A value that cannot be read is a miss. */
static bool
find(const struct cache_lookup_value *l, struct exchange *ex, struct str name, struct object **ret)
{
    struct cache_place place = value_cache_place(l->caching_type, name);
    enum cache_verdict verdict;
    struct cache_entry *entry;
    struct cache_key key;

    if (!ex->services->tiers || !value_cache_key(ex, name, &key))
        return false;
    verdict = tiers_find(ex->services->tiers, &place, &key, NULL, &entry);
    if (verdict == CACHE_HIT || (verdict == CACHE_STALE && is_kept(ex, entry)))
        return value_cache_read(ex, entry, ret);
    if (verdict == CACHE_STALE)
        cache_entry_unref(entry);
    return false;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct cache_lookup_value *l = conf;
    struct object *value;
    struct str name;
    bool is_hit;

    if (!pvalue_str(ex, &l->key, &name))
        return FLOW_ERROR;
    is_hit = find(l, ex, name, &value);
    cache_report_value(ex, is_hit);
    if (!is_hit) {
        exchange_trace(ex, TRACE_VERBOSE, STR("cache-lookup-value"), STR("Cache lookup resulted in a miss."));
        if (!pvalue_is_set(&l->default_value))
            return FLOW_NEXT;
        if (!pvalue_object(ex, &l->default_value, &value))
            return FLOW_ERROR;
    }
    if (!exchange_set_variable(ex, l->variable, value))
        return exchange_fail(ex, "no memory left for variable %.*s", STR_ARG(l->variable));
    return FLOW_NEXT;
}

const struct policy_def policy_cache_lookup_value = {
    .name = "cache-lookup-value", .sections = IN_ALL, .scopes = AT_ALL, .not_in_fragment = true,
    .attrs = attrs, .size = sizeof(struct cache_lookup_value), .run = run,
    .summary = "Puts a stored value into a variable.",
    .usage = "A miss without default-value leaves the variable unset; context.Variables.ContainsKey tells.\nA failing cache "
             "is a miss.",
};
