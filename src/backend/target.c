/* target.c: addresses become origins: parse, apply the resolve rules, intern.
 * SPDX-License-Identifier: Apache-2.0 */
#include "backend/target.h"

#include "http/client.h"
#include "model/backend_conf.h"
#include "model/model.h"

#define CACHED_TARGETS_MAX 1000       /* of one worker; further ones are made for one request each */
#define CACHE_BYTES_MAX ((size_t)4 << 20)

/* "address:port" to connect to when a resolve rule names this host and port; empty otherwise. */
static struct str
resolved(struct arena *a, const struct service_settings *settings, const struct url *url)
{
    for (uint32_t i = 0; settings && i < settings->n_resolve; i++) {
        const struct resolve_rule *rule = &settings->resolve[i];

        if (!str_eq_nocase(rule->host, url->host) || (rule->port && rule->port != url->port))
            continue;
        if (str_starts_with(rule->address, STR("unix:")))
            return rule->address;
        bool needs_brackets = str_find_char(rule->address, ':', 0) >= 0 && rule->address.p[0] != '[';
        return str_printf(a, needs_brackets ? "[%.*s]:%u" : "%.*s:%u", STR_ARG(rule->address),
                          rule->to_port ? rule->to_port : url->port);
    }
    return STR("");
}

static struct str
without_brackets(struct str host)
{
    return host.len > 2 && host.p[0] == '[' ? str_sub(host, 1, host.len - 1) : host;
}

bool
target_make(struct arena *a, const struct target_env *env, struct str address, const struct backend_conf *conf,
            struct target *ret, struct err *err)
{
    struct target t = {.text = str_dup(a, address)};
    struct http_origin_conf origin;

    if (!url_parse(a, t.text, &t.base, err))
        return false;
    origin = (struct http_origin_conf){
        .is_tls = str_eq_lit(t.base.scheme, "https") || str_eq_lit(t.base.scheme, "wss"),
        .port = t.base.port,
        .protocol = (enum http_protocol)env->protocol,
        .host = without_brackets(t.base.host),
        .connect_to = resolved(a, env->settings, &t.base),
        .connections_max = conf ? conf->connections_max : 0,
        .waiting_max = conf ? conf->queue_max : 0,
    };
    if (origin.is_tls)
        origin.tls = env->tls;
    if (env->origins)
        t.origin = http_origin_get(env->origins, &origin);
    *ret = t;
    return true;
}

void
target_close(struct target *t)
{
    if (t->origin)
        http_origin_unref(t->origin);
    t->origin = NULL;
}

void
target_cache_create(struct target_cache *c, const struct target_env *env)
{
    *c = (struct target_cache){.env = env, .arena = ARENA(NULL, CACHE_BYTES_MAX)};
}

void
target_cache_destroy(struct target_cache *c)
{
    for (struct map_entry *e = map_next(&c->by_text, NULL); e; e = map_next(&c->by_text, e))
        target_close(e->value);
    map_destroy(&c->by_text);
    arena_destroy(&c->arena);
}

const struct target *
target_find(struct target_cache *c, struct str address, struct err *err)
{
    struct target *t = map_get(&c->by_text, address);

    if (t)
        return t;
    if (c->by_text.n_live >= CACHED_TARGETS_MAX) {
        err_set(err, ERR_LIMIT, "more than %d different backend addresses", CACHED_TARGETS_MAX);
        return NULL;
    }
    t = arena_new(&c->arena, struct target);
    if (!t) {
        err_set(err, ERR_NO_MEMORY, "no memory left for backend addresses");
        return NULL;
    }
    if (!target_make(&c->arena, c->env, address, NULL, t, err))
        return NULL;
    map_set(&c->by_text, t->text, t);
    return t;
}
