/* overrides.c: rules of `resolve:` become addresses.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/overrides.h"

#include "store/store.h"

static bool
address_of(const struct resolve_rule *r, struct addr *ret)
{
    if (str_starts_with(r->address, STR("unix:")))
        return addr_parse(r->address, 0, ret, NULL);
    if (!addr_parse_ip(r->address, ret, NULL))
        return false;
    ret->port = r->to_port;
    return true;
}

struct connect_override *
overrides_new(const struct options *options, struct arena *a, size_t *ret_n)
{
    const struct resolve_rule *rules;
    uint32_t n = config_resolve_rules(&options->service, a, &rules);
    struct connect_override *all = arena_new_array(a, struct connect_override, MAX(n, 1u));

    *ret_n = 0;
    for (uint32_t i = 0; all && i < n; i++) {
        struct connect_override *o = &all[*ret_n];

        *o = (struct connect_override){.host = rules[i].host, .port = rules[i].port};
        *ret_n += address_of(&rules[i], &o->to);
    }
    return all;
}
