/* target.c: addresses become origins.
 * SPDX-License-Identifier: Apache-2.0 */
#include "backend/target.h"

#include "base/codec.h"
#include "model/backend_conf.h"

#define CACHED_TARGETS_MAX 1000       /* of one worker; further ones are made for one request each */
#define CACHE_BYTES_MAX ((size_t)4 << 20)

static struct str
without_brackets(struct str host)
{
    return host.len > 2 && host.p[0] == '[' ? str_sub(host, 1, host.len - 1) : host;
}

bool
target_is_tls(const struct target *t)
{
    return str_eq_lit(t->base.scheme, "https") || str_eq_lit(t->base.scheme, "wss");
}

bool
target_read_proxy(struct arena *a, struct str address, struct str user, struct str password, struct http_proxy *ret, struct err *err)
{
    struct buf header = buf_in(a);
    struct url url;

    if (!url_parse(a, address, &url, err))
        return false;
    if (!str_eq_lit(url.scheme, "http") || !str_eq_lit(url.path, "/") || url.query.p)
        return err_set(err, ERR_INVALID, "expected a proxy as http://host:port, found '%.*s'", STR_ARG(address));
    *ret = (struct http_proxy){.host = without_brackets(url.host), .port = url.port};
    if (!user.len && !password.len)
        return true;
    buf_add_lit(&header, "Basic ");
    codec_base64_encode(&header, str_printf(a, "%.*s:%.*s", STR_ARG(user), STR_ARG(password)));
    ret->authorization = buf_str(&header);
    return ret->authorization.p || err_set(err, ERR_NO_MEMORY, "no memory left for a proxy's credentials");
}

void
target_make_variant(const struct target_env *env, const struct target *from, const struct backend_conf *conf, struct target *ret)
{
    struct http_origin_conf origin = env->origin;

    origin.host = without_brackets(from->base.host);
    origin.port = from->base.port;
    origin.tls = target_is_tls(from) ? env->tls : NULL;
    if (conf && conf->connections_max)
        origin.connections_max = conf->connections_max;
    if (conf && conf->queue_max)
        origin.waiting_max = conf->queue_max;
    *ret = *from;
    if (env->proxy)
        origin.proxy = *env->proxy;
    for (unsigned p = 0; p < COUNTOF(ret->origins); p++) {
        origin.protocol = (enum http_protocol)p;
        ret->origins[p] = env->origins ? http_origin_get(env->origins, &origin) : NULL;
    }
}

bool
target_make(struct arena *a, const struct target_env *env, struct str address, const struct backend_conf *conf,
            struct target *ret, struct err *err)
{
    struct target t = {.text = str_dup(a, address)};

    if (!url_parse(a, t.text, &t.base, err))
        return false;
    if (target_is_tls(&t) && !env->tls)
        return err_set(err, ERR_UNSUPPORTED, "'%.*s': TLS is not set up", STR_ARG(address));
    target_make_variant(env, &t, conf, ret);
    return true;
}

void
target_close(struct target *t)
{
    for (unsigned p = 0; p < COUNTOF(t->origins); p++) {
        if (t->origins[p])
            http_origin_unref(t->origins[p]);
        t->origins[p] = NULL;
    }
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
        err_set(err, ERR_LIMIT, "no memory left to remember backend addresses");
        return NULL;
    }
    if (!target_make(&c->arena, c->env, address, NULL, t, err))
        return NULL;
    map_set(&c->by_text, t->text, t);
    return t;
}
