/* p_cache_remove_value.c: <cache-remove-value key="k" />
 * Also response-cache:<path[?query]>: drops stored responses of that path.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/storing.h"
#include "policy/cache_choices.h"
#include "policy/response_cache.h"
#include "policy/value_cache.h"

struct cache_remove_value {
    struct pvalue key, fails;
    int caching_type;
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct cache_remove_value, key, "key", .required = true, .about = "Name of the value."),
    ATTR_CHOICE(struct cache_remove_value, caching_type, "caching-type", caching_types, .fallback = "prefer-external",
                .about = "Which cache: internal, external, prefer-external."),
    VALUE_BOOL(struct cache_remove_value, fails, "fail-on-cache-removal-error", .fallback = "false",
               .about = "Whether a removal that fails is an error of the request."),
    ATTR_END
};

/* False when the cache to remove from is not there. Yields. */
static bool
remove_key(const struct cache_remove_value *r, struct exchange *ex, struct str name)
{
    struct cache_place place = value_cache_place(r->caching_type, name);
    struct cache_key key;
    struct str path, query;
    bool is_removed;

    if (!ex->services->tiers)
        return false;
    if (response_cache_address(name, &path, &query)) {
        response_purge(ex, path, query);
        return true;
    }
    if (!value_cache_key(ex, name, &key))
        return false;
    is_removed = tiers_remove(ex->services->tiers, &place, &key);
    storing_has_purged(ex);
    return is_removed;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct cache_remove_value *r = conf;
    struct str name;
    bool fails;

    if (!pvalue_str(ex, &r->key, &name) || !pvalue_bool(ex, &r->fails, &fails))
        return FLOW_ERROR;
    if (!remove_key(r, ex, name) && fails)
        return exchange_fail(ex, "the value could not be removed from the cache");
    return FLOW_NEXT;
}

const struct policy_def policy_cache_remove_value = {
    .name = "cache-remove-value", .sections = IN_ALL, .scopes = AT_ALL,
    .attrs = attrs, .size = sizeof(struct cache_remove_value), .run = run,
    .summary = "Removes a stored value.",
    .usage = "A key response-cache:<path> drops the stored responses of that path with every query and variant; with ?query "
             "that query alone.",
};
