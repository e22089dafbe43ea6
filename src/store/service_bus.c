/* service_bus.c: namespaces of Service Bus in headgate.yaml: where a message goes, and the key that signs for it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/loader.h"

/* sb:// is https://; a plain address is kept, for a broker on this machine. */
static struct str
base_of(struct loader *l, struct str endpoint)
{
    bool is_plain = str_starts_with_nocase(endpoint, STR("http://"));

    return str_printf(l->keep, "%s%.*s", is_plain ? "http://" : "https://", STR_ARG(connection_host(endpoint)));
}

static bool
read_one(struct loader *l, const struct service_bus_option *o, struct service_bus *to)
{
    struct str connection = str_trim(o->connection.value), endpoint = connection_part(connection, "Endpoint");
    struct str host = o->name_space.len ? o->name_space : connection_host(endpoint);

    if (!host.len) {
        diag_add(l->diags, l->flags & LOAD_SECRETS_OPTIONAL ? DIAG_NOTE : DIAG_ERROR, NULL, 0, 0,
                 "headgate.yaml: a namespace of service-bus has neither `namespace` nor an Endpoint in its connection string");
        return false;
    }
    *to = (struct service_bus){
        .host = keep_str(l, host), .base = endpoint.len ? base_of(l, endpoint) : str_concat(l->keep, STR("https://"), host),
        .key_name = keep_str(l, connection_part(connection, "SharedAccessKeyName")),
        .key = keep_str(l, connection_part(connection, "SharedAccessKey"))};
    return true;
}

void
read_service_buses(struct loader *l)
{
    const struct service_options *s = &l->service;
    struct service_bus *all = arena_new_array(l->keep, struct service_bus, MAX(s->n_service_buses, 1u));
    uint32_t n = 0;

    for (uint32_t i = 0; all && i < s->n_service_buses; i++)
        n += read_one(l, &s->service_buses[i], &all[n]);
    l->m->service_buses = all;
    l->m->n_service_buses = n;
}
