/* backends.c: the backends of one configuration, ready to be called.
 * SPDX-License-Identifier: Apache-2.0 */
#include "backend/backends.h"

#include <stdlib.h>

#include "backend/certificates.h"
#include "base/buf.h"
#include "base/codec.h"
#include "base/file.h"
#include "http/client.h"
#include "http/headers.h"
#include "model/api.h"
#include "model/backend_conf.h"
#include "model/model.h"
#include "net/tls.h"

#define BACKENDS_BYTES_MAX ((size_t)256 << 20)
#define CERTIFICATE_BYTES_MAX ((size_t)1 << 20)

static struct hash128
fingerprint(const struct tls_client_options *o)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    const struct tls_identity none = {0}, *id = o->identity ? o->identity : &none;

    buf_printf(&b, "%d %d %p %zu %zu %zu %zu ", o->no_verify_chain, o->no_verify_name, (const void *)o->trust_like,
               o->extra_ca_pem.len, id->cert.len, id->key.len, id->password.len);
    buf_add_str(&b, o->extra_ca_pem);
    buf_add_str(&b, id->cert);
    buf_add_str(&b, id->key);
    buf_add_str(&b, id->password);
    return hash_128(buf_str(&b));
}

/* The context of the configuration before where nothing about it has changed: origins are told apart by it, so their
 * connections, sessions and limits live on. */
static struct tls_client *
keep_or_make(struct backends *b, const struct tls_client_options *options, struct err *err)
{
    struct backend_tls made = {.of = fingerprint(options)};
    const struct backends *before = b->before;

    for (uint32_t i = 0; before && i < before->n_tls && !made.client; i++)
        if (before->tls[i].of.hi == made.of.hi && before->tls[i].of.lo == made.of.lo)
            made.client = tls_client_ref(before->tls[i].client);
    if (!made.client && !(made.client = tls_client_new(options, err)))
        return NULL;
    b->tls[b->n_tls++] = made;
    return made.client;
}

/* A backend with TLS rules of its own, or a certificate to show, gets a client context of its own; others share one. */
static bool
make_tls(struct backends *b, const struct backend_conf *conf, struct target_env *env, struct err *err)
{
    const struct backend_credentials *c = &conf->credentials;
    struct tls_client_options options = {.trust_like = b->env.tls, .no_verify_chain = !conf->verify_chain,
                                         .no_verify_name = !conf->verify_name};

    if (conf->verify_chain && conf->verify_name && c->n_certificates == 0)
        return true;
    if (c->n_certificates) {
        env->tls = certificates_tls(b->certificates, certificates_of(b->certificates, c->certificates[0]), conf->verify_chain,
                                    conf->verify_name, err);
        return env->tls || err_prefix(err, "its certificate");
    }
    env->tls = keep_or_make(b, &options, err);
    return env->tls != NULL;
}

static bool
make_proxy(struct backends *b, const struct backend_conf *conf, struct target_env *env, struct err *err)
{
    struct http_proxy *proxy = arena_new(&b->arena, struct http_proxy);

    if (!conf->proxy_url.len)
        return true;
    env->proxy = proxy;
    return target_read_proxy(&b->arena, conf->proxy_url, conf->proxy_user, conf->proxy_password, proxy, err) || err_prefix(err, "its proxy");
}

static void
make_backend(struct backends *b, const struct backend_conf *conf, struct diags *diags)
{
    struct backend *backend = &b->v[conf->index];
    struct target_env env = b->env;
    struct err err;

    *backend = (struct backend){.conf = conf, .problem = conf->problem};
    if (conf->problem.p)
        return;
    if (conf->is_pool) {
        backend->problem = STR("it is a pool, which is not supported yet");
        return;
    }
    if (make_tls(b, conf, &env, &err) && make_proxy(b, conf, &env, &err) && target_make(&b->arena, &env, conf->url, conf, &backend->target, &err))
        return;
    backend->problem = str_dup(&b->arena, str_from_c(err.text));
    diag_add(diags, DIAG_ERROR, conf->information, 0, 0, "backend %.*s: %s", STR_ARG(conf->name), err.text);
}

static void
make_api_target(struct backends *b, const struct api *api, struct diags *diags)
{
    struct err err;

    if (api->service_url.len == 0 || target_make(&b->arena, &b->env, api->service_url, NULL, &b->apis[api->index], &err))
        return;
    diag_add(diags, DIAG_ERROR, api->information, 0, 0, "service URL of API %.*s: %s", STR_ARG(api->name), err.text);
}

/* The trusted certificates that are configured beside the system's, as one text. */
static struct str
read_trust(struct backends *b, const struct service_settings *settings, struct diags *diags)
{
    struct buf pem = buf_in(&b->arena);
    struct err err;

    for (uint32_t i = 0; i < settings->n_trust; i++) {
        if (!file_read(str_dup(&b->arena, settings->trust[i]).p, CERTIFICATE_BYTES_MAX, &pem, &err))
            diag_add(diags, DIAG_WARNING, NULL, 0, 0, "trust: %s, going on without it", err.text);
        buf_add_char(&pem, '\n');
    }
    return pem.len ? buf_str(&pem) : STR("");
}

/* What every https backend without rules of its own is reached with. */
static void
make_env(struct backends *b, const struct model *m, const struct backends_input *in, struct diags *diags)
{
    struct tls_client_options options = {.extra_ca_pem = read_trust(b, &m->settings, diags)};
    struct err err;

    b->env = (struct target_env){.origins = in->origins, .origin = in->origin, .extra_ca_pem = options.extra_ca_pem};
    b->env.tls = keep_or_make(b, &options, &err);
    if (!b->env.tls)
        diag_add(diags, DIAG_WARNING, NULL, 0, 0, "TLS to backends: %s, https backends cannot be reached", err.text);
}

struct backends *
backends_new(const struct model *m, const struct backends_input *in, struct diags *diags)
{
    struct backends *b = xnew(struct backends);

    b->arena = ARENA(NULL, BACKENDS_BYTES_MAX);
    b->n = m->n_backends;
    b->n_apis = m->n_apis;
    b->v = xnew_array(struct backend, m->n_backends + 1);
    b->apis = xnew_array(struct target, m->n_apis + 1);
    b->tls = xnew_array(struct backend_tls, m->n_backends + 1);
    b->before = in->before;
    make_env(b, m, in, diags);
    b->certificates = certificates_new(m, b->env.tls, diags);
    for (uint32_t i = 0; i < m->n_backends; i++)
        make_backend(b, &m->backends[i], diags);
    for (uint32_t i = 0; i < m->n_apis; i++)
        make_api_target(b, &m->apis[i], diags);
    b->before = NULL;
    return b;
}

void
backends_delete(struct backends *b)
{
    if (!b)
        return;
    for (uint32_t i = 0; i < b->n; i++)
        target_close(&b->v[i].target);
    for (uint32_t i = 0; i < b->n_apis; i++)
        target_close(&b->apis[i]);
    for (uint32_t i = 0; i < b->n_tls; i++)
        tls_client_unref(b->tls[i].client);
    certificates_delete(b->certificates);
    free(b->v);
    free(b->apis);
    free(b->tls);
    arena_destroy(&b->arena);
    free(b);
}

const struct backend *
backends_find(const struct backends *b, struct str name)
{
    for (uint32_t i = 0; b && i < b->n; i++)
        if (str_eq_nocase(b->v[i].conf->name, name))
            return &b->v[i];
    return NULL;
}

static bool
add_query(struct arena *a, const struct named_strings *parameter, struct str *query)
{
    struct buf b = buf_in(a);

    buf_add_str(&b, *query);
    for (uint32_t i = 0; i < parameter->n_values; i++) {
        if (b.len)
            buf_add_char(&b, '&');
        codec_percent_encode(&b, parameter->name, "-._~");
        buf_add_char(&b, '=');
        codec_percent_encode(&b, parameter->values[i], "-._~");
    }
    *query = buf_str(&b);
    return !b.failed;
}

bool
backend_add_credentials(const struct backend *b, struct arena *a, struct http_headers *headers, struct str *query)
{
    const struct backend_credentials *c = &b->conf->credentials;
    bool ok = true;

    if (c->authorization_scheme.len)
        ok &= http_headers_set(headers, STR("Authorization"),
                               str_printf(a, "%.*s %.*s", STR_ARG(c->authorization_scheme),
                                          STR_ARG(c->authorization_parameter)));
    for (uint32_t i = 0; i < c->n_headers; i++) {
        http_headers_remove(headers, c->headers[i].name);
        for (uint32_t k = 0; k < c->headers[i].n_values; k++)
            ok &= http_headers_add(headers, c->headers[i].name, c->headers[i].values[k]);
    }
    for (uint32_t i = 0; i < c->n_query; i++)
        ok &= add_query(a, &c->query[i], query);
    return ok;
}
