/* outgoing.c: requests of our own making.
 *
 * Where they may go (robustness G7): hosts that the configuration names as backends or service URLs, and everything public.
 * Private, link-local and loopback addresses need egress.allow; the check is made on the address at connect time, so a name
 * that changes its mind between check and use gains nothing.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/outgoing.h"

#include "backend/backends.h"
#include "backend/certificates.h"
#include "http/client.h"
#include "http/forward.h"
#include "model/backend_conf.h"
#include "model/model.h"
#include "net/addr.h"
#include "rt/loop.h"

#define TIMEOUT_MS_DEFAULT 60000

/* --- targets ------------------------------------------------------------------------------------------------------- */

static void
close_target(void *target)
{
    target_close(target);
}

/* Made for this exchange alone, when the worker remembers enough of them already. */
static const struct target *
own_target(struct exchange *ex, struct str address, struct err *err)
{
    struct target *t = arena_new(ex->arena, struct target);

    if (!t || !arena_defer(ex->arena, close_target, t)) {
        err_set(err, ERR_NO_MEMORY, "no memory left for an address");
        return NULL;
    }
    return target_make(ex->arena, ex->targets->env, address, NULL, t, err) ? t : NULL;
}

const struct target *
exchange_target(struct exchange *ex, struct str address, struct err *err)
{
    struct target *t = arena_new(ex->arena, struct target);
    const struct target *found;
    struct err why = ERR_INIT;
    struct str origin;

    if (!t) {
        err_set(err, ERR_NO_MEMORY, "no memory left for an address");
        return NULL;
    }
    if (!url_parse(ex->arena, address, &t->base, err))
        return NULL;
    origin = str_printf(ex->arena, "%.*s://%.*s:%u", STR_ARG(t->base.scheme), STR_ARG(t->base.host), t->base.port);
    found = target_find(ex->targets, origin, &why);
    if (!found && why.code == ERR_LIMIT)
        found = own_target(ex, origin, &why);
    if (!found) {
        err_set(err, why.code, "%s", why.text);
        return NULL;
    }
    memcpy(t->origins, found->origins, sizeof(t->origins));   /* borrowed: `found` lives as long */
    t->text = address;
    return t;
}

const struct target *
exchange_target_variant(struct exchange *ex, const struct target *t, const struct backend_conf *conf,
                        const struct loaded_certificate *certificate, const struct http_proxy *proxy, struct err *err)
{
    const struct http_origin_conf *as_is = t->origins[0] ? http_origin_conf(t->origins[0]) : NULL;
    struct target_env env = *ex->targets->env;
    struct target *variant;

    if (!certificate && !proxy)
        return t;
    variant = arena_new(ex->arena, struct target);
    if (!variant || !arena_defer(ex->arena, close_target, variant)) {
        err_set(err, ERR_NO_MEMORY, "no memory left for an address");
        return NULL;
    }
    if (as_is && as_is->tls)
        env.tls = as_is->tls;
    if (certificate && target_is_tls(t)) {
        env.tls = certificates_tls(ex->backends->certificates, certificate, !conf || conf->verify_chain, !conf || conf->verify_name, err);
        if (!env.tls)
            return NULL;
    }
    env.proxy = proxy ? proxy : as_is && as_is->proxy.host.len ? &as_is->proxy : NULL;
    target_make_variant(&env, t, conf, variant);
    return variant;
}

/* --- egress -------------------------------------------------------------------------------------------------------- */

struct egress {
    const struct exchange *ex;
    struct str host;
};

static bool
is_configured_host(const struct backends *b, struct str host)
{
    for (uint32_t i = 0; b && i < b->n; i++)
        if (str_eq(b->v[i].target.base.host, host))
            return true;
    for (uint32_t i = 0; b && i < b->n_apis; i++)
        if (str_eq(b->apis[i].base.host, host))
            return true;
    return false;
}

/* The host of an address that headgate.yaml itself names. */
static bool
is_host_of(struct arena *a, struct str address, struct str host)
{
    struct url url;

    return address.len && url_parse(a, address, &url, NULL) && str_eq(url.host, host);
}

static bool
is_allowed_by_rule(const struct service_settings *s, struct str host, const struct addr *address)
{
    struct addr_net net;

    for (uint32_t i = 0; i < s->n_egress_allow; i++) {
        if (str_eq_nocase(s->egress_allow[i], host))
            return true;
        if (addr_net_parse(s->egress_allow[i], &net, NULL) && addr_nets_have(&net, 1, address))
            return true;
    }
    return s->egress_allow_private && !addr_is_link_local(address);
}

static bool
allow(void *ctx, const struct addr *address, struct err *err)
{
    const struct egress *e = ctx;
    char text[ADDR_TEXT_MAX];

    if (!addr_is_internal(address) || is_configured_host(e->ex->backends, e->host))
        return true;
    if (e->ex->model && (is_allowed_by_rule(&e->ex->model->settings, e->host, address) ||
                         is_host_of(e->ex->arena, e->ex->model->settings.default_openid_config, e->host)))
        return true;
    return err_set(err, ERR_DENIED, "%.*s is at %.*s, a private address; egress.allow would permit it", STR_ARG(e->host),
                   STR_ARG(addr_ip_text(address, text)));
}

/* --- sending ------------------------------------------------------------------------------------------------------- */

static bool
render(struct exchange *ex, struct outgoing *o, struct http_request *rq, struct body **ret_body)
{
    struct str host = http_headers_get(o->headers, HTTP_HOST), own = o->url.host;

    *rq = (struct http_request){.method = http_method_from(o->method), .version = HTTP_1_1, .method_text = o->method,
                                .scheme = o->url.scheme, .path = o->url.path, .query = o->url.query};
    if (!url_has_default_port(&o->url))
        own = str_printf(ex->arena, "%.*s:%u", STR_ARG(o->url.host), o->url.port);
    rq->headers = http_headers_in(ex->arena);
    rq->authority = host.len ? str_dup(ex->arena, host) : own;
    rq->target = o->url.query.len ? str_printf(ex->arena, "%.*s?%.*s", STR_ARG(o->url.path), STR_ARG(o->url.query)) : o->url.path;
    if (!http_headers_copy(&rq->headers, o->headers) || !content_body(ex, &o->content, ret_body))
        return false;
    http_strip_hop_by_hop(&rq->headers, false);
    http_headers_remove_id(&rq->headers, HTTP_HOST);
    if (o->proxy)
        http_headers_remove_id(&rq->headers, HTTP_PROXY_AUTHORIZATION);
    if (!http_loop_add(ex->arena, ex->request.headers, &rq->headers))
        return false;
    rq->has_body = *ret_body != NULL;
    rq->content_length = *ret_body ? (*ret_body)->length : 0;
    return rq->target.p && rq->authority.p;
}

/* The answer as a reply of its own: its connection goes back before we return. */
static bool
keep(struct exchange *ex, struct http_answer *answer, struct reply **ret, struct err *err)
{
    struct reply *r = reply_new(ex);

    if (!r || !http_headers_dup(r->headers, &answer->response.headers))
        return err_set(err, ERR_NO_MEMORY, "no memory left for an answer");
    r->status = answer->response.status;
    r->reason = str_dup(ex->arena, answer->response.reason);
    http_strip_hop_by_hop(r->headers, false);
    if (answer->body) {
        r->content = (struct content){.state = CONTENT_STREAM, .stream = answer->body};
        if (!content_buffer(ex, &r->content, err))
            return false;
    }
    *ret = r;
    return true;
}

/* What a proxy connects to is not ours to see, but an address that is written out is. */
static bool
may_pass_proxy(const struct egress *e, const struct outgoing *o, struct err *err)
{
    struct addr address;
    struct str host = o->url.host;

    if (!o->proxy || o->is_trusted)
        return true;
    if (host.len > 2 && host.p[0] == '[')
        host = str_sub(host, 1, host.len - 1);
    return !addr_parse_ip(host, &address, NULL) || allow((void *)(uintptr_t)e, &address, err);
}

bool
outgoing_send(struct exchange *ex, struct outgoing *o, struct reply **ret, struct err *err)
{
    struct egress egress = {ex, o->url.host};
    const struct target *target = exchange_target(ex, url_print(ex->arena, &o->url), err);
    uint64_t end_ms = loop_deadline(ex->services->loop, o->timeout_ms ? o->timeout_ms : TIMEOUT_MS_DEFAULT);
    struct http_exchange_conf how = {.deadlines.total_at_ms = end_ms, .allow = o->is_trusted ? NULL : allow, .allow_ctx = &egress};
    struct http_request rq;
    struct http_answer *answer;
    struct body *body;
    bool ok;

    if (target)
        target = exchange_target_variant(ex, target, NULL, o->certificate, o->proxy, err);
    if (!target || !may_pass_proxy(&egress, o, err))
        return false;
    if (!render(ex, o, &rq, &body))
        return err_set(err, ERR_NO_MEMORY, "no memory left for a request");
    if (!http_client_exchange(ex->services->client, target->origins[HTTP_PROTOCOL_1], &rq, body, &how, ex->arena, &answer, err))
        return false;
    ok = keep(ex, answer, ret, err);
    http_answer_close(answer);
    return ok;
}
