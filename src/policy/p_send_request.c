/* p_send_request.c: <send-request mode="new" response-variable-name="r" timeout="20" ignore-error="true">
 *                       <set-url>...</set-url> <set-method>...</set-method> <set-header/>* <set-body/> ...
 * A request of our own; its answer, read in full, goes into a variable. Any status is success; what fails is the way there.
 * send-one-way-request is the same without anybody waiting: an exchange of its own carries it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/context.h"
#include "exchange/detached.h"
#include "exchange/outgoing.h"
#include "http/client.h"
#include "http/headers.h"
#include "observe/metrics.h"
#include "policy/basic_auth.h"
#include "policy/compile.h"
#include "policy/credentials.h"
#include "policy/parts.h"

enum mode { MODE_NEW, MODE_COPY };

struct set_url {
    struct pvalue text;
};

struct send_request {
    struct pvalue mode, timeout_s, variable;
    bool ignore_error;
    struct children url, method, headers, body, basic, certificate, identity, proxy;
};

static const struct choice modes[] = {{"new", MODE_NEW}, {"copy", MODE_COPY}, {NULL}};

static const struct attr_def url_attrs[] = {
    VALUE_STR(struct set_url, text, "", .required = true, .about = "Absolute address."), ATTR_END
};

#define COMMON_ATTRS \
    VALUE_CHOICE(struct send_request, mode, "mode", modes, .fallback = "new", \
                 .about = "new starts from nothing, copy from the request as it is now."), \
    VALUE_U32(struct send_request, timeout_s, "timeout", .fallback = "60", .about = "Seconds until all of the answer is here.")

static const struct attr_def attrs[] = {
    COMMON_ATTRS,
    VALUE_STR(struct send_request, variable, "response-variable-name", .about = "Variable for the answer."),
    ATTR_BOOL(struct send_request, ignore_error, "ignore-error", .fallback = "false",
              .about = "On failure the variable is null and the request goes on."),
    ATTR_END
};

static const struct attr_def one_way_attrs[] = {COMMON_ATTRS, ATTR_END};

static const struct child_def children[] = {
    {.name = "set-url", .offset = offsetof(struct send_request, url), .size = sizeof(struct set_url), .attrs = url_attrs,
     .once = true, .about = "Where to send it; needed with mode new."},
    {.name = "set-method", .offset = offsetof(struct send_request, method), .policy = &policy_set_method, .once = true},
    {.name = "set-header", .offset = offsetof(struct send_request, headers), .policy = &policy_set_header},
    {.name = "set-body", .offset = offsetof(struct send_request, body), .policy = &policy_set_body, .once = true},
    {.name = "authentication-basic", .offset = offsetof(struct send_request, basic), .policy = &policy_authentication_basic},
    {.name = "authentication-certificate", .offset = offsetof(struct send_request, certificate),
     .policy = &policy_authentication_certificate, .once = true},
    {.name = "authentication-managed-identity", .offset = offsetof(struct send_request, identity),
     .policy = &policy_authentication_managed_identity, .once = true},
    {.name = "proxy", .offset = offsetof(struct send_request, proxy), .policy = &policy_proxy, .once = true},
    CHILD_END
};

/* --- making the request -------------------------------------------------------------------------------------------- */

static bool
start(const struct send_request *s, struct exchange *ex, struct outgoing *o)
{
    int mode;

    o->headers = arena_new(ex->arena, struct http_headers);
    if (!o->headers || !pvalue_enum(ex, &s->mode, modes, &mode))
        return false;
    *o->headers = http_headers_in(ex->arena);
    o->method = STR("GET");
    if (mode == MODE_NEW)
        return true;
    o->method = ex->request.method;
    exchange_request_url(ex, &o->url);
    if (!http_headers_copy(o->headers, ex->request.headers))
        return false;
    http_headers_remove_id(o->headers, HTTP_HOST);
    if (ex->section == SECTION_OUTBOUND || ex->section == SECTION_ON_ERROR)
        return true;                  /* the body of the request is not copied there */
    struct err err;
    if (!content_buffer(ex, ex->request.content, &err)) {
        exchange_fail_io(ex, &err);
        return false;
    }
    o->content = *ex->request.content;
    return true;
}

/* Blanks and what an address may not hold, as people write them in set-url, are percent-encoded. */
static struct str
encoded(struct exchange *ex, struct str address)
{
    struct buf b = buf_in(ex->arena);
    bool is_clean = true;

    for (size_t i = 0; i < address.len; i++)
        is_clean &= (unsigned char)address.p[i] > ' ' && (unsigned char)address.p[i] < 0x7f && !strchr("\"<>\\^`{|}", address.p[i]);
    if (is_clean)
        return address;
    for (size_t i = 0; i < address.len; i++) {
        unsigned char c = (unsigned char)address.p[i];

        if (c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}", c))
            buf_printf(&b, "%%%02X", c);
        else
            buf_add_char(&b, (char)c);
    }
    return buf_str(&b);
}

/* False when the expression fails. An address that leads nowhere is no such failure but one of the way: *no_way tells of it. */
static bool
apply_url(const struct send_request *s, struct exchange *ex, struct outgoing *o, struct err *no_way)
{
    const struct set_url *u = s->url.v;
    struct str address;

    if (s->url.n == 0) {
        if (!o->url.host.len)
            err_set(no_way, ERR_SYNTAX, "there is no set-url, so no address to send to");
        return true;
    }
    if (!pvalue_str(ex, &u->text, &address))
        return false;
    if (!url_parse(ex->arena, encoded(ex, str_trim(address)), &o->url, no_way))
        err_prefix(no_way, "set-url");
    return true;
}

/* False when the exchange has failed. With *no_way set the request is made, but there is no address to send it to. */
static bool
make(const struct send_request *s, struct exchange *ex, struct outgoing *o, struct err *no_way)
{
    const char *header = s->headers.v;
    uint32_t seconds;

    *o = (struct outgoing){0};
    *no_way = ERR_INIT;
    if (!pvalue_u32(ex, &s->timeout_s, &seconds) || !start(s, ex, o) || !apply_url(s, ex, o, no_way))
        return false;
    o->timeout_ms = MIN(seconds, 86400u) * 1000;
    if (s->method.n && !set_method_value(s->method.v, ex, &o->method))
        return false;
    for (uint32_t i = 0; i < s->headers.n; i++)
        if (!set_header_apply(header + i * policy_set_header.size, ex, o->headers))
            return false;
    if (s->body.n && !set_body_apply(s->body.v, ex, &o->content, o->headers))
        return false;
    if (s->basic.n && !basic_auth_apply(s->basic.v, ex, o->headers))
        return false;
    if (s->identity.n && !managed_identity_apply(s->identity.v, ex, o->headers))
        return false;
    if (s->certificate.n && !client_certificate_find(s->certificate.v, ex, &o->certificate))
        return false;
    return s->proxy.n == 0 || proxy_find(s->proxy.v, ex, &o->proxy);
}

/* --- send-request -------------------------------------------------------------------------------------------------- */

static enum flow
set_result(struct exchange *ex, struct str variable, struct reply *reply)
{
    struct object *o = reply ? context_object_of_reply(ex, reply) : NULL;

    if (!variable.len)
        return FLOW_NEXT;
    if ((reply && !o) || !exchange_set_variable(ex, variable, o))
        return exchange_fail(ex, "no memory left for variable %.*s", STR_ARG(variable));
    return FLOW_NEXT;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct send_request *s = conf;
    struct outgoing o;
    struct reply *reply;
    struct str variable;
    struct err err;

    if (!pvalue_str(ex, &s->variable, &variable) || !make(s, ex, &o, &err))
        return FLOW_ERROR;
    bool has_way = err.code == ERR_NONE;
    if (has_way && outgoing_send(ex, &o, &reply, &err))
        return set_result(ex, variable, reply);
    exchange_trace(ex, TRACE_ERROR, STR("send-request"), str_dup(ex->arena, str_from_c(err.text)));
    if (s->ignore_error && err.code != ERR_CANCELLED)
        return set_result(ex, variable, NULL);
    return has_way ? exchange_fail_io(ex, &err) : exchange_fail(ex, "%s", err.text);
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    const struct attribute *mode = node_attr(n, "mode");
    const struct send_request *s = conf;
    struct err err;
    struct url url;

    if (s->url.n == 0 && (!mode || !str_eq_nocase(mode->text.value, STR("copy"))))
        return compile_error(c, n, "<%.*s> with mode new needs a <set-url>", STR_ARG(n->name));
    CHILDREN(&s->url, struct set_url, u) {
        struct str text = str_trim(u->text.text);

        if (!u->text.program && str_find(text, STR("{"), 0) < 0 && !compile_is_placeholder(c, text) &&
            !url_parse(c->arena, text, &url, &err))
            return compile_strict(c, n, "set-url: %s; the request fails", err.text);
    }
    return true;
}

const struct policy_def policy_send_request = {
    .name = "send-request", .sections = IN_ALL, .scopes = AT_ALL,
    .attrs = attrs, .children = children, .size = sizeof(struct send_request), .compile = compile, .run = run,
    .summary = "Sends a request of its own and keeps the answer in a variable.",
    .usage = "Any status is success. A failure is an error unless ignore-error is true; then the variable is null.\nRedirects "
             "are not followed.\nPrivate addresses are reached only when they are hosts of configured backends, or when "
             "egress.allow names them.",
};

/* --- send-one-way-request ------------------------------------------------------------------------------------------ */

/* Copies what the maker's exchange would take with it. False when memory is short. */
static bool
copy_outgoing(struct exchange *ex, struct outgoing *from, struct exchange *to_ex, struct outgoing *to)
{
    struct http_headers *headers = arena_new(to_ex->arena, struct http_headers);
    struct str body;

    if (!headers || !content_read(ex, &from->content, true, &body, NULL))
        return false;
    *headers = http_headers_in(to_ex->arena);
    *to = (struct outgoing){.method = str_dup(to_ex->arena, from->method), .headers = headers, .timeout_ms = from->timeout_ms,
                            .certificate = from->certificate};
    if (from->proxy && !(to->proxy = detached_proxy(to_ex, from->proxy)))
        return false;
    if (body.p)
        to->content = (struct content){.state = CONTENT_BYTES, .bytes = str_dup(to_ex->arena, body)};
    return url_parse(to_ex->arena, str_dup(to_ex->arena, url_print(ex->arena, &from->url)), &to->url, NULL) &&
           http_headers_dup(headers, from->headers);
}

static void
count(struct exchange *ex, enum metric what)
{
    if (ex->services->figures)
        metric_add(ex->services->figures, what, 1);
}

static void
send_detached(struct exchange *ex, void *arg)
{
    struct reply *reply;

    if (!outgoing_send(ex, arg, &reply, NULL))
        count(ex, METRIC_ONE_WAY_FAILED);
    if (ex->services->detached)
        --*ex->services->detached;
}

/* False when there is no room: nothing is sent. */
static bool
send_without_us(struct exchange *ex, struct outgoing *o)
{
    uint32_t *count = ex->services->detached;
    struct exchange *own = count && *count >= ex->limits->one_way_max ? NULL : detached_new(ex, NULL);
    struct outgoing *copy = own ? arena_new(own->arena, struct outgoing) : NULL;

    if (!own)
        return false;
    if (!copy || !copy_outgoing(ex, o, own, copy)) {
        detached_delete(own);
        return false;
    }
    if (count)
        ++*count;
    if (detached_start(own, send_detached, copy))
        return true;
    if (count)
        --*count;
    return false;
}

static enum flow
run_one_way(const void *conf, struct exchange *ex)
{
    struct outgoing o;
    struct err err;

    if (!make(conf, ex, &o, &err))
        return FLOW_ERROR;
    if (err.code != ERR_NONE) {
        count(ex, METRIC_ONE_WAY_SENT);
        count(ex, METRIC_ONE_WAY_FAILED);
        exchange_trace(ex, TRACE_ERROR, STR("send-one-way-request"), str_dup(ex->arena, str_from_c(err.text)));
        return FLOW_NEXT;
    }
    if (send_without_us(ex, &o)) {
        count(ex, METRIC_ONE_WAY_SENT);
        return FLOW_NEXT;
    }
    count(ex, METRIC_ONE_WAY_DROPPED);
    exchange_trace(ex, TRACE_ERROR, STR("send-one-way-request"), STR("no room to send it"));
    return FLOW_NEXT;
}

const struct policy_def policy_send_one_way_request = {
    .name = "send-one-way-request", .sections = IN_ALL, .scopes = AT_ALL,
    .attrs = one_way_attrs, .children = children, .size = sizeof(struct send_request), .compile = compile, .run = run_one_way,
    .summary = "Sends a request of its own and does not wait.",
    .usage = "Expressions are evaluated before it is sent; what becomes of it changes nothing. It goes on when the client's "
             "request has ended.",
};
