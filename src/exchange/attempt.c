/* attempt.c: renders the request for the wire, sends it, makes the answer a reply.
 * Nothing of the client's framing goes on: hop-by-hop fields are dropped, Host is the backend's unless a policy set one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/attempt.h"

#include "backend/backends.h"
#include "base/buf.h"
#include "data/uri.h"
#include "exchange/access_token.h"
#include "exchange/fetch.h"
#include "exchange/outgoing.h"
#include "http/client.h"
#include "http/forward.h"
#include "http/server.h"
#include "http/websocket.h"
#include "model/api.h"
#include "model/backend_conf.h"
#include "observe/metrics.h"
#include "rt/loop.h"

#define REDIRECTS_MAX 10

/* What one try sends; redirects change it. */
struct wire {
    struct http_request request;
    struct body *body;
    const struct target *target;
    bool has_trailers;            /* the client takes trailers (gRPC) */
};

static bool
no_memory(struct exchange *ex)
{
    exchange_fail(ex, "no memory left to send the request");
    return false;
}

static struct str
authority_of(struct exchange *ex, const struct url *url)
{
    if (url_has_default_port(url))
        return url->host;
    return str_concat_u64(ex->arena, str_concat(ex->arena, url->host, STR(":")), url->port);
}

/* The Host a policy set: one that is not the client's own. */
static struct str
host_set_by_policy(const struct exchange *ex)
{
    struct str host = http_headers_get(ex->request.headers, HTTP_HOST);

    if (!host.p || str_eq(host, ex->authority))
        return STR_NONE;
    return host;
}

static struct str
merged_query(struct exchange *ex, struct str base, struct str own)
{
    if (!base.len || !own.len)
        return base.len ? base : own;
    return str_printf(ex->arena, "%.*s&%.*s", STR_ARG(base), STR_ARG(own));
}

static struct str
target_text(struct exchange *ex, struct str path, struct str query)
{
    struct buf b = buf_in(ex->arena);

    if (!query.p || !query.len)
        return path;
    buf_reserve(&b, path.len + query.len + 1);
    buf_add_str(&b, path);
    buf_add_char(&b, '?');
    buf_add_str(&b, query);
    return buf_str(&b);
}

static bool
add_forwarding(struct exchange *ex, struct http_headers *headers)
{
    if (!ex->forwarding || !ex->client || !ex->peer)
        return true;
    return http_forward_add(ex->forwarding, ex->client, ex->peer, ex->arena, ex->client_version, headers);
}

/* The token of the identity that a backend's entity names, instead of whatever Authorization there is. Yields. */
static bool
add_identity(struct exchange *ex, struct http_headers *headers)
{
    const struct backend_credentials *c = &ex->backend->conf->credentials;
    struct str token;
    struct err err = ERR_INIT;

    if (!c->managed_identity_resource.len)
        return true;
    if (!identity_token(ex, c->managed_identity_resource, c->managed_identity_client, &token, &err)) {
        exchange_fail(ex, "backend '%.*s': no token for '%.*s': %s", STR_ARG(ex->backend->conf->name),
                      STR_ARG(c->managed_identity_resource), err.text);
        return false;
    }
    token = str_concat(ex->arena, STR("Bearer "), token);
    return (token.p && http_headers_set(headers, STR("Authorization"), token)) || no_memory(ex);
}

/* The query without the key, under the name that the API gives it. */
static struct str
query_without_key(struct exchange *ex, struct str query)
{
    struct buf kept = buf_in(ex->arena);
    struct str rest = query, pair, name, value;

    while (str_split_next(&rest, '&', &pair)) {
        value = pair;
        str_split_next(&value, '=', &name);
        if (query_text_is(name, ex->api->key_query, true))
            continue;
        if (kept.len)
            buf_add_char(&kept, '&');
        buf_add_str(&kept, pair);
    }
    return kept.len ? buf_str(&kept) : STR_NONE;
}

/* The head: method, address, fields. */
static bool
render(struct exchange *ex, struct wire *w)
{
    const struct url *base = &w->target->base;
    struct http_request *rq = &w->request;
    bool drops_key = ex->limits->drops_key && ex->api;
    struct str own_query = drops_key && ex->request.query.len ? query_without_key(ex, ex->request.query) : ex->request.query;
    struct str host = host_set_by_policy(ex), query = merged_query(ex, base->query, own_query);

    w->has_trailers = http_list_has(http_headers_get(ex->request.headers, HTTP_TE), STR("trailers"));
    *rq = (struct http_request){.method = http_method_from(ex->request.method), .version = HTTP_1_1,
                                .method_text = ex->request.method, .scheme = base->scheme};
    rq->headers = http_headers_in(ex->arena);
    rq->protocol = ex->call ? ex->call->request.protocol : STR_NONE;
    if (!http_headers_copy(&rq->headers, ex->request.headers))
        return no_memory(ex);
    http_strip_hop_by_hop(&rq->headers, w->has_trailers);
    http_headers_remove_id(&rq->headers, HTTP_HOST);
    if (ex->proxy)
        http_headers_remove_id(&rq->headers, HTTP_PROXY_AUTHORIZATION);
    if (drops_key)
        http_headers_remove(&rq->headers, ex->api->key_header);
    if (!websocket_complete(&rq->headers, rq->protocol) || !add_forwarding(ex, &rq->headers))
        return no_memory(ex);
    if (ex->backend && !backend_add_credentials(ex->backend, ex->arena, &rq->headers, &query))
        return no_memory(ex);
    if (ex->backend && !add_identity(ex, &rq->headers))
        return false;
    rq->authority = host.p ? host : authority_of(ex, base);
    rq->path = exchange_join_paths(ex->arena, base->path, ex->request.path);
    rq->query = query;
    rq->target = target_text(ex, rq->path, query);
    if (!rq->target.p || !rq->authority.p)
        return no_memory(ex);
    return true;
}

static bool
take_body(struct exchange *ex, const struct attempt *conf, struct wire *w)
{
    struct content *content = ex->request.content;
    struct err err;

    if (content->state == CONTENT_CONSUMED && ex->is_body_sent) {
        exchange_fail(ex, "the request body was sent already; buffer-request-body=\"true\" keeps it for another try");
        return false;
    }
    if (conf->buffers_request && !content_buffer(ex, content, &err)) {
        exchange_fail_io(ex, &err);
        return false;
    }
    ex->is_body_sent |= content->state == CONTENT_STREAM;
    if (!content_body(ex, content, &w->body))
        return no_memory(ex);
    w->request.has_body = w->body != NULL;
    w->request.content_length = w->body ? w->body->length : 0;
    return true;
}

/* --- the answer ---------------------------------------------------------------------------------------------------- */

static void
drop_reply(struct exchange *ex)
{
    if (ex->response)
        content_close(&ex->response->content);
    ex->response = NULL;
    exchange_close_answers(ex);
}

/* The head's texts become the exchange's own: the connection they are views of goes back before the exchange ends. */
static bool
own_head(struct exchange *ex, struct reply *r)
{
    struct http_headers *own = arena_new(ex->arena, struct http_headers);

    if (!own)
        return false;
    *own = http_headers_in(ex->arena);
    if (!http_headers_dup(own, r->headers))
        return false;
    r->headers = own;
    if (r->reason.p)
        r->reason = str_dup(ex->arena, r->reason);
    return true;
}

static bool
keep_answer(struct exchange *ex, struct http_answer *answer, struct fetch *fetch)
{
    struct reply *r = arena_new(ex->arena, struct reply);

    if (!r || !exchange_hold_answer(ex, answer, fetch)) {
        fetch_close(fetch, answer);
        return no_memory(ex);
    }
    r->status = answer->response.status;
    r->reason = answer->response.reason.len ? answer->response.reason : STR_NONE;
    r->headers = &answer->response.headers;
    http_strip_hop_by_hop(r->headers, false);
    http_headers_remove_id(r->headers, HTTP_CONTENT_LENGTH);
    if (fetch && !own_head(ex, r))
        return no_memory(ex);
    r->announced_length = answer->response.content_length;
    if (answer->body)
        r->content = (struct content){.state = CONTENT_STREAM, .stream = answer->body};
    if (answer->is_upgraded)
        ex->upgraded = answer;
    ex->response = r;
    ex->backend_status = r->status;
    ex->backend_protocol = http_version_name(answer->response.version);
    ex->is_forwarded = true;
    return true;
}

static void
count_attempt(struct exchange *ex, const struct http_answer *answer, const struct err *err)
{
    struct worker_metrics *figures = ex->services->figures;

    if (!figures)
        return;
    if (!answer) {
        if (err->code == ERR_CONNECT || err->code == ERR_TLS || err->code == ERR_NOT_FOUND)
            metric_add(figures, METRIC_UPSTREAM_CONNECT_FAILURES, 1);
        return;
    }
    metric_add(figures, answer->timing.is_reused ? METRIC_UPSTREAM_REUSED : METRIC_UPSTREAM_CONNECTS, 1);
    if (answer->timing.is_resent)
        metric_add(figures, METRIC_UPSTREAM_RESENT, 1);
}

/* The earlier of the exchange's deadline and that of one call; 0: none. */
static uint64_t
call_end_ms(const struct exchange *ex)
{
    uint64_t at_ms = ex->limits->call_ms ? loop_deadline(ex->services->loop, ex->limits->call_ms) : 0;

    return !at_ms ? ex->deadline_ms : ex->deadline_ms ? MIN(at_ms, ex->deadline_ms) : at_ms;
}

/* A 1xx of the backend goes on (RFC 9110 15.2), as long as the client may still get one. */
static void
pass_interim(void *ctx, const struct http_response *interim)
{
    struct exchange *ex = ctx;
    struct http_headers headers = http_headers_in(ex->arena);

    if (!ex->call || !http_headers_copy(&headers, &interim->headers))
        return;
    http_strip_hop_by_hop(&headers, false);
    http_headers_remove_id(&headers, HTTP_CONTENT_LENGTH);
    http_call_interim(ex->call, interim->status, &headers);
}

/* The request cannot be sent to its end because its client did not. Sets the error. */
static bool
is_request_broken(struct exchange *ex)
{
    const struct body *b = ex->call ? ex->call->body : NULL;

    if (!b || (b->status != IO_ERROR && b->status != IO_TIMEOUT))
        return false;
    if (ex->call->is_body_too_large)
        exchange_refuse(ex, E_BODY_TOO_LARGE, STR("Request body is too large."));
    else
        exchange_refuse(ex, E_CLIENT_CONNECTION_FAILURE,
                        b->status == IO_TIMEOUT ? STR("The request body came too slowly.")
                                                : STR("The request body did not come to its end."));
    return true;
}

static bool
exchange_once(struct exchange *ex, const struct attempt *conf, const struct wire *w, struct fetch *fetch,
              struct http_answer **ret)
{
    struct http_origin *origin = w->target->origins[conf->protocol];
    struct http_exchange_conf how = {
        .deadlines = {.first_byte_ms = conf->timeout_ms, .idle_ms = ex->limits->answer_idle_ms, .total_at_ms = call_end_ms(ex)},
        .want_upgrade = w->request.protocol.len > 0,
        .continue_ms = w->body ? conf->continue_ms : 0,
        .want_trailers = w->has_trailers,
        .on_interim = pass_interim,
        .ctx = ex,
    };
    struct err err;

    ex->times.backend_start_ns = loop_now_ns(ex->services->loop);
    ex->backend_scheme = w->request.scheme;
    ex->backend_authority = w->request.authority;
    ex->backend_target = w->request.target;
    bool ok = http_client_exchange(ex->services->client, origin, &w->request, w->body, &how,
                                   fetch ? fetch_arena(fetch) : ex->arena, ret, &err);
    ex->times.backend_end_ns = loop_now_ns(ex->services->loop);
    count_attempt(ex, ok ? *ret : NULL, &err);
    if (!ok) {
        ex->upstream_error = str_dup(ex->arena, str_from_c(err.text));
        if (!fetch && is_request_broken(ex)) /* no fault of the backend's */
            ;
        else if (err.code == ERR_LIMIT)   /* too many wait for this backend */
            exchange_refuse(ex, E_BACKEND_UNAVAILABLE, ex->upstream_error);
        else
            exchange_fail_io(ex, &err);
    }
    return ok;
}

/* --- redirects ----------------------------------------------------------------------------------------------------- */

static bool
is_redirect(uint16_t status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Location against the address that was asked (RFC 3986 5.2, without fragments). */
static struct str
absolute(struct exchange *ex, const struct wire *w, struct str location)
{
    struct str origin = str_printf(ex->arena, "%.*s://%.*s", STR_ARG(w->request.scheme), STR_ARG(authority_of(ex, &w->target->base)));
    ptrdiff_t slash = str_rfind_char(w->request.path, '/');

    if (str_find(location, STR("://"), 0) > 0)
        return location;
    if (str_starts_with(location, STR("//")))
        return str_printf(ex->arena, "%.*s:%.*s", STR_ARG(w->request.scheme), STR_ARG(location));
    if (str_starts_with(location, STR("/")))
        return str_concat(ex->arena, origin, location);
    return str_printf(ex->arena, "%.*s%.*s%.*s", STR_ARG(origin), (int)slash + 1, w->request.path.p, STR_ARG(location));
}

/* Points w at the answer's Location: method and body change as browsers do it, credentials stay with their host. */
static bool
redirect(struct exchange *ex, struct http_answer *answer, struct wire *w, struct err *err)
{
    struct str location = http_headers_get(&answer->response.headers, HTTP_LOCATION);
    const struct target *target = exchange_target(ex, absolute(ex, w, str_dup(ex->arena, location)), err);
    uint16_t status = answer->response.status;

    if (!target)
        return false;
    if (status == 303 || (status <= 302 && str_eq_lit(w->request.method_text, "POST"))) {
        w->request.method = HTTP_METHOD_GET;
        w->request.method_text = STR("GET");
        w->request.has_body = false;
        w->request.content_length = 0;
        w->body = NULL;
    } else if (w->body && !body_rewind(w->body)) {
        return err_set(err, ERR_INVALID, "the request body cannot be sent again to follow a redirect");
    }
    bool is_same_host = str_eq(target->base.host, w->target->base.host) && target->base.port == w->target->base.port;
    if (!is_same_host)
        http_headers_remove(&w->request.headers, STR("Authorization"));
    /* Certificates stay with their host, as Authorization does; the proxy is on every way. */
    target = exchange_target_variant(ex, target, NULL, is_same_host ? ex->certificate : NULL, ex->proxy, err);
    if (!target)
        return false;
    w->target = target;
    w->request.scheme = target->base.scheme;
    w->request.authority = authority_of(ex, &target->base);
    w->request.path = target->base.path;
    w->request.query = target->base.query;
    w->request.target = target_text(ex, w->request.path, w->request.query);
    return true;
}

bool
attempt_run(struct exchange *ex, const struct attempt *conf)
{
    struct wire w = {0};
    struct fetch *fetch;
    struct http_answer *answer;
    struct err err;

    drop_reply(ex);
    ex->backend_status = 0;
    w.target = exchange_target_variant(ex, ex->target, ex->backend ? ex->backend->conf : NULL, ex->certificate, ex->proxy, &err);
    if (!w.target) {
        exchange_fail(ex, "%s", err.text);
        return false;
    }
    ex->backend_id = ex->backend ? ex->backend->conf->name : STR_NONE;
    if (!render(ex, &w) || !take_body(ex, conf, &w))
        return false;
    for (int hops = 0;; hops++) {
        fetch = ex->is_answer_kept ? fetch_new(ex) : NULL;
        if (!exchange_once(ex, conf, &w, fetch, &answer)) {
            fetch_close(fetch, NULL);
            return false;
        }
        bool follows = conf->follows_redirects && is_redirect(answer->response.status) && hops < REDIRECTS_MAX &&
                       http_headers_has(&answer->response.headers, HTTP_LOCATION);
        if (!follows)
            return keep_answer(ex, answer, fetch);
        bool ok = redirect(ex, answer, &w, &err);
        fetch_close(fetch, answer);
        if (!ok) {
            exchange_fail_io(ex, &err);
            return false;
        }
    }
}
