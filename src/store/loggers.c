/* loggers.c: what loggers of the folder and of headgate.yaml mean: where the messages of log-to-eventhub go.
 *
 * A logger of the folder says it by the credentials of an event hub:
 *     connectionString   Endpoint=sb://NAME.servicebus.windows.net/;SharedAccessKeyName=...;SharedAccessKey=...;EntityPath=HUB
 *     endpointAddress    NAME.servicebus.windows.net, with identityClientId
 * One of headgate.yaml wins over it, or adds another.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/loader.h"

#define KAFKA_TLS_PORT 9093
#define KAFKA_PLAIN_PORT 9092
#define QUEUE_BYTES (16u << 20)
#define TIMEOUT_MS (5u * 60 * 1000)

static void
complain(struct loader *l, struct str name, const char *what)
{
    diag_add(l->diags, l->flags & LOAD_SECRETS_OPTIONAL ? DIAG_NOTE : DIAG_WARNING, NULL, 0, 0,
             "logger `%.*s`: %s; its messages are dropped", STR_ARG(name), what);
}

struct str
connection_part(struct str connection, const char *key)
{
    struct str part;

    while (str_split_next(&connection, ';', &part)) {
        ptrdiff_t at = str_find(part, STR("="), 0);

        if (at > 0 && str_eq_nocase(str_trim(str_sub(part, 0, (size_t)at)), str_from_c(key)))
            return str_trim(str_skip(part, (size_t)at + 1));
    }
    return STR_NONE;
}

struct str
connection_host(struct str endpoint)
{
    ptrdiff_t at = str_find(endpoint, STR("://"), 0);
    struct str host = at < 0 ? endpoint : str_skip(endpoint, (size_t)at + 3);

    at = str_find(host, STR("/"), 0);
    return str_trim(at < 0 ? host : str_sub(host, 0, (size_t)at));
}

static struct str
with_port(struct loader *l, struct str host, unsigned port)
{
    bool has_port = str_find(host, STR(":"), 0) >= 0;

    return has_port ? keep_str(l, host) : str_printf(l->keep, "%.*s:%u", STR_ARG(host), port);
}

/* An event hub by its connection string: Kafka with the string itself as the password. */
static void
use_connection(struct loader *l, struct str name, struct str connection, struct str hub, struct logger_target *to)
{
    struct str host = connection_host(connection_part(connection, "Endpoint")), path = connection_part(connection, "EntityPath");
    bool is_emulator = str_eq_nocase(connection_part(connection, "UseDevelopmentEmulator"), STR("true"));

    to->topic = hub.len ? keep_str(l, hub) : keep_str(l, path);
    if (!host.len || !to->topic.len) {
        complain(l, name, host.len ? "it names no event hub" : "its connection string has no Endpoint");
        return;
    }
    to->kind = LOGGER_TARGET_KAFKA;
    to->is_tls = !is_emulator;
    to->servers = with_port(l, host, is_emulator ? KAFKA_PLAIN_PORT : KAFKA_TLS_PORT);
    to->username = STR("$ConnectionString");
    to->password = keep_str(l, connection);
}

/* An event hub by its address: Kafka with a token of a managed identity. */
static void
use_identity(struct loader *l, struct str name, struct str endpoint, struct str hub, struct str client_id, struct logger_target *to)
{
    struct str host = connection_host(endpoint);
    ptrdiff_t port = str_find(host, STR(":"), 0);

    if (!host.len || !hub.len) {
        complain(l, name, "it names no event hub");
        return;
    }
    to->kind = LOGGER_TARGET_KAFKA;
    to->is_tls = true;
    to->topic = keep_str(l, hub);
    to->servers = with_port(l, host, KAFKA_TLS_PORT);
    to->resource = str_printf(l->keep, "https://%.*s", STR_ARG(port < 0 ? host : str_sub(host, 0, (size_t)port)));
    if (!str_eq_nocase(client_id, STR("SystemAssigned")))
        to->client_id = keep_str(l, client_id);
}

/* ---- the folder ---- */

static struct str
credential(const struct logger *g, const char *key)
{
    for (uint32_t i = 0; i < g->n_credentials; i++)
        if (str_eq_nocase(g->credentials[i].name, str_from_c(key)) && g->credentials[i].n_values)
            return str_trim(g->credentials[i].values[0]);
    return STR("");
}

static void
read_hub(struct loader *l, struct logger *g)
{
    struct str connection = credential(g, "connectionString"), endpoint = credential(g, "endpointAddress");
    struct str hub = credential(g, "name");

    g->target = (struct logger_target){.queue_bytes = QUEUE_BYTES, .timeout_ms = TIMEOUT_MS};
    if (connection.len)
        use_connection(l, g->name, connection, hub, &g->target);
    else if (endpoint.len)
        use_identity(l, g->name, endpoint, hub, credential(g, "identityClientId"), &g->target);
    else
        complain(l, g->name, "it has neither connectionString nor endpointAddress");
}

/* ---- headgate.yaml ---- */

static void
read_kafka(struct loader *l, const struct logger_option *o, struct logger_target *to)
{
    if (!o->servers.len || !o->topic.len) {
        complain(l, o->name, "`kafka` needs servers and topic");
        return;
    }
    to->kind = LOGGER_TARGET_KAFKA;
    to->servers = keep_str(l, o->servers);
    to->topic = keep_str(l, o->topic);
    to->is_tls = o->is_tls;
    to->username = keep_str(l, o->username);
    to->password = keep_str(l, o->password.value);
}

static void
read_option(struct loader *l, const struct logger_option *o, struct logger *g)
{
    struct logger_target *to = &g->target;

    *to = (struct logger_target){.queue_bytes = o->queue_bytes, .timeout_ms = o->timeout_ms};
    switch ((enum logger_sink)o->sink) {
    case LOGGER_SINK_EVENTHUB:
        if (o->connection.value.len)
            use_connection(l, o->name, str_trim(o->connection.value), o->topic, to);
        else
            use_identity(l, o->name, o->endpoint, o->topic, o->client_id, to);
        break;
    case LOGGER_SINK_KAFKA: read_kafka(l, o, to); break;
    case LOGGER_SINK_HTTP:
        to->kind = o->url.len ? LOGGER_TARGET_HTTP : LOGGER_TARGET_NONE;
        to->url = keep_str(l, o->url);
        to->authorization = keep_str(l, o->authorization.value);
        break;
    case LOGGER_SINK_FILE:
        to->kind = o->file.len ? LOGGER_TARGET_FILE : LOGGER_TARGET_NONE;
        to->file = keep_str(l, o->file);
        break;
    }
    if (to->kind == LOGGER_TARGET_NONE && o->sink >= LOGGER_SINK_HTTP)
        complain(l, o->name, o->sink == LOGGER_SINK_HTTP ? "`http` needs url" : "`file` needs file");
}

/* The logger of that name, made when the folder has none. */
static struct logger *
logger_named(struct loader *l, struct str name)
{
    for (size_t i = 0; i < l->loggers.n; i++)
        if (str_eq_nocase(l->loggers.v[i].name, name))
            return &l->loggers.v[i];
    struct logger *g = vec_push(&l->loggers);

    *g = (struct logger){.name = keep_str(l, name), .type = STR("azureEventHub"), .is_buffered = true};
    return g;
}

static bool
is_overridden(const struct loader *l, struct str name)
{
    for (uint32_t i = 0; i < l->service.n_loggers; i++)
        if (str_eq_nocase(l->service.loggers[i].name, name))
            return true;
    return false;
}

void
read_logger_targets(struct loader *l)
{
    for (size_t i = 0; i < l->loggers.n; i++)
        if (str_eq_nocase(l->loggers.v[i].type, STR("azureEventHub")) && !is_overridden(l, l->loggers.v[i].name))
            read_hub(l, &l->loggers.v[i]);
    for (uint32_t i = 0; i < l->service.n_loggers; i++)
        if (l->service.loggers[i].name.len)
            read_option(l, &l->service.loggers[i], logger_named(l, l->service.loggers[i].name));
}
