/* p_forward_request.c: <forward-request timeout="60" />
 * Sends the request to its backend and waits for the head of the answer; the body streams on behind it. Each execution is
 * a try of its own (exchange/attempt.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "backend/backends.h"
#include "exchange/attempt.h"
#include "exchange/http_cache.h"
#include "http/client.h"
#include "model/backend_conf.h"
#include "policy/compile.h"

struct forward_request {
    struct pvalue timeout_s, timeout_ms, continue_timeout_s, follow_redirects;
    int protocol;                 /* 1 + enum http_protocol; 0: as upstream.http2 says */
    bool buffer_request_body, buffer_response, fail_on_error_status;
};

static const struct choice protocols[] = {
    {"1", 1 + HTTP_PROTOCOL_1}, {"2", 1 + HTTP_PROTOCOL_2}, {"2or1", 1 + HTTP_PROTOCOL_AUTO}, {NULL},
};

static const struct attr_def attrs[] = {
    VALUE_U32(struct forward_request, timeout_s, "timeout",
              .about = "Seconds until the answer's head has come; 0: no limit. Without it 300, or what upstream.first-byte says."),
    VALUE_U32(struct forward_request, timeout_ms, "timeout-ms", .about = "The same in milliseconds; not together with timeout."),
    VALUE_U32(struct forward_request, continue_timeout_s, "continue-timeout",
              .about = "Asks an HTTP/1 backend with Expect: 100-continue before a body is sent, and waits so many seconds for its "
                       "word; then the body goes out. 0: does not ask."),
    ATTR_CHOICE(struct forward_request, protocol, "http-version", protocols,
                .about = "HTTP version towards the backend: 1, 2, or 2or1 for what TLS negotiates. Without it 1, or 2or1 where "
                         "upstream.http2 is true."),
    VALUE_BOOL(struct forward_request, follow_redirects, "follow-redirects", .fallback = "false",
              .about = "Whether redirects are followed here instead of going to the client."),
    ATTR_BOOL(struct forward_request, buffer_request_body, "buffer-request-body", .fallback = "false",
              .about = "Keep the request body, so that retry can send it again."),
    ATTR_BOOL(struct forward_request, buffer_response, "buffer-response", .fallback = "true",
              .about = "false: pieces of an answer are passed on as they come, which is what we do either way."),
    ATTR_BOOL(struct forward_request, fail_on_error_status, "fail-on-error-status-code", .fallback = "false",
              .about = "A backend status of 400 to 599 is an error: on-error runs, outbound does not.",
              .unverified = "LastError.Reason is the backend's status; the backend's answer stays in context.Response."),
    ATTR_END
};

static uint8_t
protocol_of(const struct forward_request *f, const struct exchange *ex)
{
    if (f->protocol)
        return (uint8_t)(f->protocol - 1);
    return ex->limits->offers_http2 ? HTTP_PROTOCOL_AUTO : HTTP_PROTOCOL_1;
}

static bool
evaluate(const struct forward_request *f, struct exchange *ex, struct attempt *ret)
{
    uint32_t seconds, ms;

    *ret = (struct attempt){.timeout_ms = ex->limits->first_byte_ms, .protocol = protocol_of(f, ex),
                            .buffers_request = f->buffer_request_body};
    if (!pvalue_bool(ex, &f->follow_redirects, &ret->follows_redirects) || !pvalue_u32(ex, &f->continue_timeout_s, &seconds))
        return false;
    ret->continue_ms = MIN(seconds, 86400u) * 1000;
    if (pvalue_is_set(&f->timeout_ms)) {
        if (!pvalue_u32(ex, &f->timeout_ms, &ms))
            return false;
        ret->timeout_ms = ms;
        return true;
    }
    if (!pvalue_is_set(&f->timeout_s))
        return true;
    if (!pvalue_u32(ex, &f->timeout_s, &seconds))
        return false;
    ret->timeout_ms = MIN(seconds, 86400u) * 1000;
    return true;
}

static enum flow
fail_on_status(struct exchange *ex)
{
    struct str status = str_printf(ex->arena, "%u", ex->response->status);
    enum flow flow = exchange_refuse(ex, E_BACKEND_STATUS, status, http_reason(ex->response->status));

    ex->error.status = ex->response->status;
    return flow;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct forward_request *f = conf;
    struct attempt attempt;

    if (ex->backend && ex->backend->problem.p)
        return exchange_fail(ex, "backend %.*s cannot be used: %.*s", STR_ARG(ex->backend->conf->name),
                             STR_ARG(ex->backend->problem));
    if (!ex->target || !ex->target->text.p)
        return exchange_refuse(ex, E_NO_BACKEND);
    if (!evaluate(f, ex, &attempt) || !(http_cache_applies(ex) ? http_cache_run(ex, &attempt) : attempt_run(ex, &attempt)))
        return FLOW_ERROR;
    if (f->fail_on_error_status && ex->response->status >= 400 && ex->response->status < 600)
        return fail_on_status(ex);
    return FLOW_NEXT;
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    const struct forward_request *f = conf;

    if (node_attr(n, "timeout") && node_attr(n, "timeout-ms"))
        return compile_strict(c, n, "timeout and timeout-ms exclude each other; timeout-ms counts");
    if (node_attr(n, "buffer-response") && f->buffer_response)
        compile_warning(c, n, "buffer-response=\"true\" has no effect: pieces of an answer are passed on as they come");
    return true;
}

const struct policy_def policy_forward_request = {
    .name = "forward-request", .sections = IN_BACKEND, .scopes = AT_ALL,
    .attrs = attrs, .size = sizeof(struct forward_request), .compile = compile, .run = run,
    .summary = "Sends the request to the backend.",
    .usage = "The address is the backend's base address and the path below the API's prefix, or what rewrite-uri made.\nA body "
             "that was sent is gone unless buffer-request-body is true; a second try without it is an error.\nA backend that "
             "answers 4xx or 5xx is no error unless fail-on-error-status-code is true.\nIn on-error it reaches a second "
             "backend, whose answer goes to the client as it is; Azure refuses that section.",
};
