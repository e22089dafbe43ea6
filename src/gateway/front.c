/* front.c: one call, from its head to its log row.
 *
 *     call -> normal form of the path -> who is the client -> route -> key -> exchange -> plan -> answer -> log row
 * The exchange lives in the call's arena, on the call's fiber until the plan has ended, then until the answer is out
 * (on_sent). What fails before a plan is known is an error of the exchange all the same: on-error of the scopes known by
 * then runs, and the row says what happened.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/worker.h"

#include "base/codec.h"
#include "base/num.h"
#include "data/uri.h"
#include "exchange/cache_report.h"
#include "exchange/strict_keying.h"
#include "exchange/writes.h"
#include "gateway/explain_pass.h"
#include "gateway/warming.h"
#include "http/compress.h"
#include "http/path.h"
#include "http/tunnel.h"
#include "http/websocket.h"
#include "model/route.h"
#include "net/tls.h"
#include "observe/trace_context.h"
#include "rt/fiber.h"

#define STATUS_PATH "/status-0123456789abcdef"
#define SUBSCRIPTION_REALM_MAX 512

/* What one call needs besides its exchange. */
struct front {
    struct exchange ex;
    struct worker *worker;
    struct snapshot_pin *pin;
    struct http_call *call;
    struct api_entry *entry;          /* NULL before an API is known */
    struct http_client_id client;
    bool is_cut;                      /* the answer did not get to its end */
    struct http_response answer;
    struct body *body;                /* of the answer, once it was handed out; closed by on_sent() */
    char traceparent[TRACEPARENT_LEN];
    struct str request_id;
    struct route_match match;         /* last: its many parameters are not zeroed */
};

/* ---- the end: log row and figures ---- */

static uint64_t
elapsed_ms(uint64_t from_ns, uint64_t to_ns)
{
    return from_ns && to_ns > from_ns ? (to_ns - from_ns) / 1000000 : 0;
}

/* Of a call to a backend, which never takes no time: 0 says that there was none. */
static uint64_t
backend_ms(const struct exchange *ex)
{
    return ex->times.backend_end_ns ? MAX(elapsed_ms(ex->times.backend_start_ns, ex->times.backend_end_ns), (uint64_t)1) : 0;
}

/* An address as the log shows it: asterisks in the place of a subscription key. */
static struct str
without_key(struct exchange *ex, struct str url)
{
    struct str name = ex->api && ex->api->key_query.len ? ex->api->key_query : STR("subscription-key"), rest, pair, found;
    ptrdiff_t question = str_find_char(url, '?', 0);
    const char *between = "?";
    struct buf shown = buf_in(ex->arena);
    bool has_key = false, is_key;

    if (question < 0)
        return url;
    buf_add_str(&shown, str_sub(url, 0, (size_t)question));
    for (rest = str_skip(url, (size_t)question + 1); str_split_next(&rest, '&', &pair); between = "&") {
        struct str value = pair;

        str_split_next(&value, '=', &found);
        is_key = query_text_is(found, name, true);
        buf_printf(&shown, "%s%.*s", between, STR_ARG(is_key ? found : pair));
        if (is_key && value.p) {
            buf_add_lit(&shown, "=***");
            has_key = true;
        }
    }
    return has_key ? buf_str(&shown) : url;
}

static struct str
backend_url(struct exchange *ex)
{
    if (!ex->backend_authority.len)
        return STR_NONE;
    return str_printf(ex->arena, "%.*s://%.*s%.*s", STR_ARG(ex->backend_scheme), STR_ARG(ex->backend_authority),
                      STR_ARG(ex->backend_target));
}

static void
write_log_row(struct front *f, uint16_t status, uint64_t now_ns)
{
    struct exchange *ex = &f->ex;
    struct worker *w = f->worker;
    struct http_call *call = f->call;
    const struct gateway_log_options *log = &w->gateway->options->gateway_log;
    struct str key = ex->api ? ex->api->key_header : STR_NONE;
    bool is_success = status >= 200 && status < 400 && !f->is_cut;

    if (!gateway_log_wants(&w->log, is_success))
        return;
    gateway_log_add(&w->log, &(struct log_row){
        .time_ns = ex->timestamp_ns,
        .request_id = f->request_id,
        .region = ex->model ? ex->model->settings.deployment.region : STR_NONE,
        .is_success = is_success,
        .caller_address = ex->client_ip,
        .method = call->request.method_text,
        .url = without_key(ex, url_print(ex->arena, &ex->original_url)),
        .client_protocol = http_version_name(call->request.version),
        .client_tls_version = call->stream->is_tls ? str_from_c(stream_tls_info(call->stream).version) : STR_NONE,
        .response_code = status,
        .request_bytes = call->bytes_in,
        .response_bytes = call->bytes_out,
        .total_ms = elapsed_ms(call->started_ns, now_ns),
        .backend_ms = backend_ms(ex),
        .cache_ms = ex->times.cache_ns / 1000000,
        .client_ms = elapsed_ms(call->started_ns, call->head_ns),
        .cache = cache_outcome_is_hit(ex->cache_outcome) ? STR("hit") : ex->cache_outcome ? STR("miss") : STR("none"),
        .api_id = ex->api ? ex->api->root_name : STR_NONE,
        .api_revision = ex->api ? ex->api->revision : STR_NONE,
        .operation_id = ex->operation ? ex->operation->name : STR_NONE,
        .product_id = ex->product ? ex->product->name : STR_NONE,
        .subscription_id = ex->subscription ? ex->subscription->name : STR_NONE,
        .user_id = ex->user ? ex->user->name : STR_NONE,
        .workspace_id = ex->api && ex->api->workspace ? ex->api->workspace->name : STR_NONE,
        .backend_id = ex->backend_id,
        .backend_method = ex->backend_authority.len ? ex->request.method : STR_NONE,
        .backend_url = without_key(ex, backend_url(ex)),
        .backend_protocol = ex->backend_protocol,
        .request_headers_json = gateway_log_headers(ex->arena, &call->request.headers, &log->headers, &log->mask_headers, key),
        .response_headers_json = gateway_log_headers(ex->arena, &f->answer.headers, &log->headers, &log->mask_headers, key),
        .backend_response_code = ex->backend_status,
        .last_error_elapsed_ms = ex->error.id == E_NONE ? 0 : elapsed_ms(call->started_ns, ex->error.at_ns),
        .last_error_source = ex->error.source,
        .last_error_reason = ex->error.reason,
        .last_error_message = ex->error.message,
        .last_error_scope = ex->error.scope,
        .last_error_section = ex->error.section,
        .trace_records_json = exchange_trace_json(ex),
        .traceparent = str_from(f->traceparent, TRACEPARENT_LEN),
    });
    if (!task_is_posted(&w->flush_log))
        loop_post(w->loop, &w->flush_log);
}

static void
count(struct front *f, uint16_t status, uint64_t now_ns)
{
    struct exchange *ex = &f->ex;
    uint64_t backend_us = ex->times.backend_end_ns > ex->times.backend_start_ns
                              ? (ex->times.backend_end_ns - ex->times.backend_start_ns) / 1000 : 0;

    if (cache_outcome_is_hit(ex->cache_outcome))
        metric_add(f->worker->metrics, METRIC_CACHE_HITS, 1);
    else if (ex->cache_outcome)
        metric_add(f->worker->metrics, METRIC_CACHE_MISSES, 1);
    cache_report_end(ex);
    if (ex->is_answer_stored)
        warming_note(f->worker->gateway->warming, ex);
    if (f->entry)
        metrics_count_request(f->worker->metrics, f->entry->metrics_slot, status, (now_ns - f->call->started_ns) / 1000,
                              backend_us, ex->cache_outcome);
}

/* An answer that all policies had passed broke off on its way: whose connection it was says whether its body can be read on. */
static void
note_cut(struct front *f)
{
    struct exchange *ex = &f->ex;
    bool is_backend = f->body && (f->body->status == IO_ERROR || f->body->status == IO_TIMEOUT); /* not CANCELLED: closed early */

    f->is_cut = true;
    if (ex->error.id != E_NONE)
        return;
    ex->at = NULL;                    /* no policy is at work any more */
    if (is_backend)
        exchange_refuse(ex, E_BACKEND_CONNECTION_FAILURE, STR("Underlying transport connection was unexpectedly closed."));
    else
        exchange_refuse(ex, E_CLIENT_CONNECTION_FAILURE, STR("The operation was canceled."));
    ex->error.source = STR("transfer-response");
}

/* The answer is out, or has failed. Runs on the loop's stack or inside http_call_send(). */
static void
on_sent(void *ctx, struct http_call *call, int status)
{
    struct front *f = ctx;
    uint64_t now_ns = loop_now_ns(f->worker->loop);
    uint16_t code = status == IO_OK ? call->status_sent : 0;
    bool is_gone = status != IO_OK && f->ex.error.id == E_CLIENT_CONNECTION_FAILURE; /* before there was an answer */

    if (UNLIKELY(status != IO_OK))
        note_cut(f);
    exchange_run_after_answer(&f->ex, f->body ? f->body->n_read : 0);
    body_close(f->body);
    count(f, code, now_ns);
    write_log_row(f, is_gone ? 0 : call->status_sent, now_ns);
    exchange_close(&f->ex);
    f->worker->exchanges--;
    pin_release(f->pin);
}

/* ---- answering ---- */

static struct body *
answer_body(struct front *f, struct reply *r)
{
    struct body *body = NULL;

    return content_body(&f->ex, &r->content, &body) ? body : NULL;
}

/* Always true. */
static bool
blame(struct front *f, uint16_t status, struct str message)
{
    http_server_count_refusal(f->worker->server, status);
    http_call_send_error(f->call, status, message);
    return true;
}

/* A request body that broke its framing, or came too slowly, is the client's fault whatever became of it further on. */
static bool
blame_client(struct front *f)
{
    const struct body *b = f->call->body;

    if (!b || f->ex.error.id == E_NONE)
        return false;
    if (f->call->is_body_too_large)
        return blame(f, 413, STR("The request body is too large."));
    if (b->status == IO_ERROR)
        return blame(f, 400, STR("The request body is not valid HTTP."));
    return b->status == IO_TIMEOUT && blame(f, 408, STR("The request body came too slowly."));
}

static void
on_tunnel_end(void *ctx, struct http_call *call, uint64_t up, uint64_t down)
{
    on_sent(ctx, call, IO_OK);
}

/* The backend has taken the upgrade and no policy has put another answer in its place: bytes both ways from now on. */
static void
open_tunnel(struct front *f)
{
    struct http_answer *upgraded = f->ex.upgraded;

    exchange_give_answer(&f->ex, upgraded);
    http_tunnel(f->call, &f->answer, upgraded, f->worker->gateway->options->timeouts.tunnel_idle_ms, on_tunnel_end, f);
}

static void
send_answer(struct front *f)
{
    struct reply *r = f->ex.response;
    struct body *body;

    f->call->on_sent = on_sent;
    f->call->on_sent_ctx = f;
    if (blame_client(f))
        return;
    if (!r) {                         /* not even the default answer had room */
        http_call_send_error(f->call, 500, STR("Internal server error"));
        return;
    }
    f->answer.status = r->status;
    f->answer.reason = r->reason;
    f->answer.headers = *r->headers;
    f->answer.content_length = r->announced_length;
    if (f->ex.upgraded && r->status == 101) {
        open_tunnel(f);
        return;
    }
    body = answer_body(f, r);
    if (f->ex.api && f->ex.api->settings.compress &&
        !http_compress(f->call->arena, &f->call->request, &f->answer, &body)) {
        body_close(body);
        http_call_send_error(f->call, 500, STR("Internal server error"));
        return;
    }
    f->body = body;
    http_call_send(f->call, &f->answer, body, on_sent, f);
}

/* Ends the call with the default answer of an error found before the plan, after on-error of `plan`. */
static void
answer_error(struct front *f, const struct plan *plan, enum flow flow)
{
    (void)flow; /* FLOW_ERROR: ex->error is set */
    f->ex.plan = plan;
    plan_run_error(&f->ex);
    send_answer(f);
}

/* A request that no policy may see: malformed paths, loops. */
static void
refuse(struct front *f, uint16_t status, struct str message)
{
    http_server_count_refusal(f->worker->server, status);
    f->call->on_sent = on_sent;
    f->call->on_sent_ctx = f;
    http_call_send_error(f->call, status, message);
}

/* ---- the way in ---- */

static struct str
get_header(const void *ctx, struct str name)
{
    return http_headers_get_name(ctx, name);
}

/* The name a request asks for decides what its client had to show, and the handshake was another name's (D2). */
static bool
is_misdirected(struct front *f)
{
    struct stream *s = f->call->stream;
    struct str host;
    uint16_t port;

    if (LIKELY(!s->is_tls))
        return false;
    http_authority_split(f->call->request.authority, STR("https"), &host, &port);
    return tls_stream_is_misdirected(s, str_lower(f->ex.arena, host));
}

/* False when the call has been answered. */
static bool
normalise(struct front *f, const struct snapshot *s)
{
    struct http_request *rq = &f->call->request;
    unsigned flags = s->any_encoded_slash ? HTTP_PATH_ENCODED_SLASH : 0;
    struct err err;

    if (http_is_loop(&f->worker->gateway->forward, &rq->headers)) {
        refuse(f, 508, STR("The request has been through this gateway too often."));
        return false;
    }
    if (is_misdirected(f)) {
        refuse(f, 421, STR("This connection was made for another name, which asks for other client certificates."));
        return false;
    }
    if (UNLIKELY(str_eq_lit(rq->path, "*")) && rq->method == HTTP_METHOD_OPTIONS) { /* about the server as a whole */
        f->ex.original_url.path = STR("");
        refuse(f, 404, STR("Resource not found"));
        return false;
    }
    if (!http_path_normalise(f->ex.arena, rq->path, flags, &rq->path, &err)) {
        refuse(f, 400, str_dup(f->ex.arena, str_from_c(err.text)));
        return false;
    }
    f->ex.original_url.path = rq->path;
    return true;
}

static bool
has_encoded_slash(struct str path)
{
    return str_find(path, STR("%2F"), 0) >= 0 || str_find(path, STR("%5C"), 0) >= 0;
}

static bool
identify(struct front *f)
{
    struct http_request *rq = &f->call->request;
    struct exchange *ex = &f->ex;
    struct str host;

    if (!http_client_identify(&f->worker->gateway->forward, &f->call->stream->peer, f->call->stream->is_tls, ex->arena,
                              rq, &f->client)) {
        refuse(f, 500, STR("Internal server error"));
        return false;
    }
    ex->client_ip = f->client.address;
    ex->peer = &f->call->stream->peer;
    ex->client_version = rq->version;
    ex->authority = rq->authority;
    host = f->client.host.len ? f->client.host : rq->authority;
    http_authority_split(host, f->client.scheme, &ex->original_url.host, &ex->original_url.port);
    ex->original_url.host = str_lower(ex->arena, ex->original_url.host);
    ex->original_url.scheme = f->client.scheme;
    ex->original_url.path = rq->path;
    ex->original_url.query = rq->query;
    return true;
}

static void
begin_trace(struct front *f)
{
    struct http_headers *h = &f->call->request.headers;
    struct str parent = http_headers_get(h, HTTP_TRACEPARENT);
    struct trace_context trace;
    struct rand *rand = &f->worker->loop->rand;

    if (!trace_context_begin(&trace, parent, rand) && parent.p)
        http_headers_remove(h, STR("tracestate")); /* it belongs to the trace that cannot be read */
    trace_context_print(&trace, f->traceparent);
    http_headers_set_id(h, HTTP_TRACEPARENT, STR("traceparent"), str_from(f->traceparent, TRACEPARENT_LEN));
    for (int i = 0; i < 2; i++)
        memcpy(f->ex.id + i * 8, &(uint64_t){rand_u64(rand)}, 8);
    f->ex.id[6] = (uint8_t)((f->ex.id[6] & 0x0f) | 0x40); /* RFC 9562: version 4 */
    f->ex.id[8] = (uint8_t)((f->ex.id[8] & 0x3f) | 0x80);
    f->request_id = exchange_id_text(f->ex.arena, f->ex.id);
    if (f->worker->gateway->options->forwarding.request_id)
        f->call->request_id = f->request_id;
}

/* True when the request is a preflight that policies answer, or that must not reach an operation. */
static bool
is_preflight(const struct http_request *rq)
{
    return rq->method == HTTP_METHOD_OPTIONS && http_headers_has(&rq->headers, HTTP_ORIGIN) &&
           http_headers_has(&rq->headers, HTTP_ACCESS_CONTROL_REQUEST_METHOD);
}

static void
take_match(struct front *f, const struct snapshot *s)
{
    struct exchange *ex = &f->ex;

    ex->api = f->match.api;
    ex->operation = f->match.operation;
    f->entry = f->match.api ? &s->apis[f->match.api->index] : NULL;
    ex->request.path = f->match.operation_path;
    ex->request.query = f->call->request.query;
    ex->original_request_path = f->match.operation_path;
    ex->schemas = f->entry ? f->entry->schemas : NULL;
    if (f->entry)
        ex->cache_slot = &f->entry->cache_slots[ex->operation ? (uint32_t)(ex->operation - ex->api->operations) : ex->api->n_operations];
    if (f->entry && f->entry->trace_detail != TRACE_DETAIL_UNSAID && f->worker->gateway->options->gateway_log.is_on)
        ex->trace_detail = f->entry->trace_detail;
    ex->backends = s->backends;
    ex->outlets = s->outlets;
    ex->targets = &f->pin->targets;
    ex->target = f->match.api ? &s->backends->apis[f->match.api->index] : NULL;
    ex->client = &f->client;
    ex->forwarding = &f->worker->gateway->forward;
    ex->parameters = f->match.parameters;
    ex->n_parameters = f->match.n_parameters;
}

/* The key by header, then by query parameter, under the names the API gives them. */
static struct str
find_key(struct front *f)
{
    const struct api *api = f->match.api;
    const struct http_headers *h = &f->call->request.headers;
    enum http_field_id id = (enum http_field_id)api->key_header_id;
    struct str key = id != HTTP_FIELD_OTHER ? http_headers_get(h, id) : http_headers_get_name(h, api->key_header);
    struct str rest = f->call->request.query, pair, name;
    struct buf decoded;

    if (key.p)
        return key;
    while (str_split_next(&rest, '&', &pair)) {
        str_split_next(&pair, '=', &name);
        if (!query_text_is(name, api->key_query, true))
            continue;
        decoded = buf_in(f->ex.arena);
        codec_percent_decode(&decoded, pair, true);
        return decoded.len ? buf_str(&decoded) : STR("");
    }
    return STR_NONE;
}

static void
challenge(struct front *f)
{
    struct exchange *ex = &f->ex;
    const struct api *api = ex->api;

    exchange_add_answer_header(ex, STR("WWW-Authenticate"),
        str_printf(ex->arena, "AzureApiManagementKey realm=\"%.*s://%.*s%.*s\",name=\"%.*s\",type=\"header\"",
                   STR_ARG(f->client.scheme), STR_ARG(f->client.host.len ? f->client.host : f->call->request.authority),
                   STR_ARG(f->match.api_path), STR_ARG(api->key_header)), true);
}

/* Who calls, and the plan of the product that the call runs in. */
static enum access_result
take_access(struct front *f, const struct snapshot *s)
{
    struct exchange *ex = &f->ex;
    struct access access;
    enum access_result result = access_check(s->model, f->match.api, find_key(f),
                                             (int64_t)(ex->timestamp_ns / 1000000000u), &access);

    ex->subscription = access.subscription;
    ex->product = access.product;
    ex->user = access.user;
    ex->plan = snapshot_plan(s, f->match.api, f->match.operation, access.product);
    return result;
}

/* False when the call has been answered: no key, wrong key. */
static bool
check_access(struct front *f, const struct snapshot *s)
{
    struct exchange *ex = &f->ex;
    enum access_result result = take_access(f, s);

    if (result == ACCESS_ALLOWED)
        return true;
    challenge(f);
    answer_error(f, ex->plan, exchange_refuse(ex, result == ACCESS_KEY_MISSING ? E_SUBSCRIPTION_KEY_NOT_FOUND
                                                                              : E_SUBSCRIPTION_KEY_INVALID));
    return false;
}

/* Scheme, host and the API's own prefix, for policies that write our addresses into bodies. */
static void
set_gateway_base(struct front *f)
{
    struct exchange *ex = &f->ex;
    struct str host = f->client.host.len ? f->client.host : f->call->request.authority;
    struct buf base = buf_in(ex->arena);

    if (!buf_reserve(&base, f->client.scheme.len + 3 + host.len + f->match.api_path.len))
        return;
    buf_add_str(&base, f->client.scheme);
    buf_add_lit(&base, "://");
    buf_add_str(&base, host);
    buf_add_str(&base, f->match.api_path);
    ex->gateway_base = buf_str(&base);
}

static void
fill_request(struct front *f)
{
    struct exchange *ex = &f->ex;
    struct http_call *call = f->call;

    ex->request.method = call->request.method_text;
    ex->request.headers = &call->request.headers;
    if (call->body) {
        ex->request.content->state = CONTENT_STREAM;
        ex->request.content->stream = call->body;
    }
}

/* Finds the operation; false when the call has been answered. */
static bool
route(struct front *f, const struct snapshot *s)
{
    struct http_request *rq = &f->call->request;
    struct route_request wanted = {
        .method = rq->method_text, .host = f->ex.original_url.host, .path = rq->path, .query = rq->query,
        .is_secure = str_eq_lit(f->client.scheme, "https"),
        .is_plain_trusted = s->model->settings.https_only_in_plain || addr_is_loopback(&f->call->stream->peer),
        .get_header = get_header, .headers = &rq->headers,
    };
    enum route_result result = route_find(s->model->routes, &wanted, &f->match);

    /* An operation for OPTIONS stands above cors; that of an API that describes none is not one. */
    if (is_preflight(rq) && (result != ROUTE_FOUND || f->match.operation->is_implicit)) {
        struct str method = http_headers_get(&rq->headers, HTTP_ACCESS_CONTROL_REQUEST_METHOD);
        if (route_find_method(s->model->routes, &wanted, method, &f->match) == ROUTE_FOUND) {
            take_match(f, s);
            if (take_access(f, s) != ACCESS_ALLOWED) /* browsers send no key, but for one in the address */
                f->ex.plan = snapshot_plan(s, f->match.api, f->match.operation, f->match.api->open_product);
            if (plan_run_preflight(&f->ex)) {
                send_answer(f);
                return false;
            }
        }
    }
    take_match(f, s);
    if (result != ROUTE_FOUND && rq->method == HTTP_METHOD_GET) {
        f->ex.plan = s->global_plan;
        if (plan_run_unmatched(&f->ex)) {
            send_answer(f);
            return false;
        }
    }
    if (result != ROUTE_FOUND) {
        f->ex.operation = NULL;
        answer_error(f, f->entry ? f->entry->plan : s->global_plan, exchange_refuse(&f->ex, E_OPERATION_NOT_FOUND));
        return false;
    }
    if (s->any_encoded_slash && !f->match.api->settings.allow_encoded_slash && has_encoded_slash(rq->path)) {
        refuse(f, 400, STR("The path holds an encoded slash."));
        return false;
    }
    return true;
}

/* An API that uses what we cannot do yet, whose kind we cannot serve, or that did not load while others did. */
static bool
refuse_unsupported(struct front *f)
{
    struct exchange *ex = &f->ex;

    if (LIKELY(!f->entry->unsupported.p))
        return false;
    exchange_refuse(ex, f->entry->is_broken ? E_NOT_LOADED : E_NOT_SUPPORTED_YET, f->entry->unsupported);
    if (!f->entry->is_broken)
        exchange_refusal_override(ex, (uint16_t)ex->api->settings.status_when_unsupported, STR_NONE);
    answer_error(f, ex->plan, FLOW_ERROR);
    return true;
}

/* An API's own limit of request bodies, below the process's. False when the call has been answered. */
static bool
limit_body(struct front *f)
{
    struct http_call *call = f->call;
    uint64_t max = f->ex.api->settings.request_body_max;

    if (LIKELY(!max) || !call->body)
        return true;
    if (call->body->length >= 0 && (uint64_t)call->body->length > max) {
        refuse(f, 413, STR("The request body is too large."));
        return false;
    }
    if (call->body->length < 0 && !(call->body = body_limit(call->arena, call->body, max, &call->is_body_too_large))) {
        refuse(f, 500, STR("Internal server error"));
        return false;
    }
    f->ex.request.content->stream = call->body;
    return true;
}

/* Only WebSocket APIs take upgrades (robustness A15). Elsewhere an HTTP/1 request goes on as an ordinary one; one that
 * came as an extended CONNECT has no such meaning. False when the call has been answered. */
static bool
settle_upgrade(struct front *f)
{
    struct http_request *rq = &f->call->request;
    struct h1_refusal why;

    if (LIKELY(!rq->protocol.p))
        return true;
    if (f->ex.api->kind == API_WEBSOCKET && str_eq_nocase(rq->protocol, STR("websocket"))) {
        if (websocket_request_is_valid(rq, &why))
            return true;
        refuse(f, why.status, str_from_c(why.why));
        return false;
    }
    if (rq->version >= HTTP_2) {
        refuse(f, 501, STR("This API does not take upgrades."));
        return false;
    }
    rq->protocol = STR_NONE;
    return true;
}

/* Headgate-Explain: the field ends here in any case. */
static void
want_explanation(struct front *f)
{
    const char *token = atomic_load_explicit(&f->worker->gateway->explain_token, memory_order_acquire);
    struct str pass = http_headers_get(&f->call->request.headers, HTTP_HEADGATE_EXPLAIN);

    if (token && explain_pass_is_good(pass, str_from_c(token), f->ex.timestamp_ns / 1000000000u))
        f->ex.said.explanation = arena_new(f->ex.arena, struct explanation);
    http_headers_remove_id(&f->call->request.headers, HTTP_HEADGATE_EXPLAIN);
}

static void
serve(struct front *f, const struct snapshot *s)
{
    begin_trace(f);
    if (!identify(f) || !normalise(f, s))
        return;
    fill_request(f);
    if (UNLIKELY(http_headers_has(&f->call->request.headers, HTTP_HEADGATE_EXPLAIN)))
        want_explanation(f);
    if (!route(f, s) || !check_access(f, s) || refuse_unsupported(f) || !settle_upgrade(f) || !limit_body(f))
        return;
    set_gateway_base(f);
    http_strip_hop_by_hop(&f->call->request.headers, true);
    if (UNLIKELY(!strict_keying_begin(&f->ex))) {
        http_call_send_error(f->call, 500, STR("Internal server error"));
        return;
    }
    plan_run(&f->ex);
    if (UNLIKELY(writes_apply(&f->ex)))
        writes_drop(&f->ex);
    if (UNLIKELY(cache_report_is_wanted(&f->ex) || f->ex.api->settings.cache.says_status))
        cache_report_write(&f->ex);
    send_answer(f);
}

static bool
answer_status_probe(struct http_call *call)
{
    if (LIKELY(!str_eq_lit(call->request.path, STATUS_PATH)))
        return false;
    http_call_send_text(call, 200, STR("text/plain"), STR("Service Operational"));
    return true;
}

/* Bodies in memory, and all the rest. */
static uint64_t
bytes_of(const struct content *c)
{
    return c->state == CONTENT_PIECES ? c->pieces->bytes : 0;
}

uint64_t
front_cost(void *ctx, const struct http_call *call)
{
    const struct front *f = call->user;
    uint64_t cost = call->arena->bytes;
    enum content_state state;

    if (!f)
        return cost;
    state = f->ex.request.content->state;
    cost += bytes_of(f->ex.request.content) + (f->ex.response ? bytes_of(&f->ex.response->content) : 0);
    if ((state == CONTENT_CONSUMED || state == CONTENT_READING) && !f->ex.is_body_sent && call->body)
        cost += call->body->n_read; /* a policy reads it */
    return cost;
}

/* No memory for another one. True when the call has been answered. */
static bool
refuse_for_memory(struct worker *w, struct http_call *call)
{
    struct memory_watch *m = &w->gateway->memory;
    struct http_response *r;
    struct buf b = buf_in(call->arena);

    if (LIKELY(memory_now(m) < MEMORY_SCARCE))
        return false;
    atomic_fetch_add_explicit(&m->refused, 1, memory_order_relaxed);
    http_server_count_refusal(w->server, 503);
    http_error_body(&b, 503, STR("The gateway is short of memory, please try again later."));
    if (!(r = arena_new(call->arena, struct http_response))) {
        http_call_abort(call);
        return true;
    }
    *r = (struct http_response){.status = 503, .headers = http_headers_in(call->arena)};
    http_headers_add_id(&r->headers, HTTP_CONTENT_TYPE, STR("Content-Type"), STR("application/json"));
    http_headers_add_id(&r->headers, HTTP_RETRY_AFTER, STR("Retry-After"), STR("5"));
    http_call_send(call, r, body_from_str(call->arena, buf_str(&b)), NULL, NULL);
    return true;
}

/* For requests that go on without us (send-one-way-request). */
static void
hold_pin(void *pin)
{
    ((struct snapshot_pin *)pin)->users++;
}

static void
drop_pin(void *pin)
{
    pin_release(pin);
}

/* Zeroed but for the exchange, which is set up by a function of its own, and the parameters of a match. */
static struct front *
front_new(struct arena *arena)
{
    struct front *f = arena_alloc(arena, 1, sizeof(*f), _Alignof(struct front));
    const size_t from = offsetof(struct front, worker), until = offsetof(struct front, match.parameters);

    if (f)
        memset((char *)f + from, 0, until - from);
    return f;
}

void
front_on_call(void *ctx, struct http_call *call)
{
    struct worker *w = ctx;
    struct snapshot_pin *pin;
    struct front *f;

    if (answer_status_probe(call) || refuse_for_memory(w, call))
        return;
    if (!w->pin) {
        http_call_send_error(call, 503, STR("No configuration has been published yet."));
        return;
    }
    f = front_new(call->arena);
    if (!f) {
        http_call_send_error(call, 500, STR("Internal server error"));
        return;
    }
    pin = pin_take(w);
    w->exchanges++;
    f->worker = w;
    f->pin = pin;
    f->call = call;
    call->user = f;
    exchange_init(&f->ex, call->arena, &w->services, &w->gateway->exchange_limits, call);
    f->ex.model = pin->snapshot->model;
    f->ex.born_max = &pin->snapshot->born_max;
    f->ex.pin = pin;
    f->ex.pin_take = hold_pin;
    f->ex.pin_release = drop_pin;
    f->ex.trace_detail = w->gateway->options->gateway_log.is_on ? (uint8_t)w->gateway->options->gateway_log.traces : TRACE_DETAIL_NONE;
    f->ex.timestamp_ns = loop_wall_ns(w->loop);
    f->ex.times.start_ns = call->started_ns;
    fiber_set_request(f);
    serve(f, pin->snapshot);
    fiber_set_request(NULL);
}
