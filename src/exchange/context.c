/* context.c: `context` itself, and IUrl.
 *
 *     context --> Request, Response         context_message.c
 *             --> Variables                 context_dictionary.c
 *             --> Api, Product, User ...    context_service.c
 * The host of a run is its exchange; without one (`headgate eval` without --context) `context` is null.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "clr/clr.h"
#include "clr/datetime.h"
#include "clr/guid.h"
#include "clr/uri.h"
#include "clr/values.h"
#include "exchange/context.h"
#include "exchange/context_dictionary.h"
#include "exchange/context_families.h"
#include "exchange/context_object.h"
#include "expr/program.h"
#include "model/api.h"

bool
return_view(struct call *c, struct exchange *ex, const void *of)
{
    struct view *v = object_new(c, c->ret_type, struct view);

    if (v) {
        v->ex = ex;
        v->of = of;
    }
    return return_new(c, v);
}

bool
return_view_or_null(struct call *c, struct exchange *ex, const void *of)
{
    return of ? return_view(c, ex, of) : return_ref(c, NULL);
}

bool
return_text(struct call *c, struct str s)
{
    return return_new(c, string_view(c, s.p ? s : STR("")));
}

bool
return_text_or_null(struct call *c, struct str s)
{
    return s.len ? return_new(c, string_view(c, s)) : return_ref(c, NULL);
}

static int64_t
ticks_of_unix(int64_t s)
{
    return TICKS_UNIX_EPOCH + s * TICKS_PER_SECOND;
}

bool
return_time(struct call *c, int64_t unix_s)
{
    c->ret = value_datetime(unix_s ? ticks_of_unix(unix_s) : 0, KIND_UTC);
    return true;
}

bool
return_time_or_null(struct call *c, int64_t unix_s)
{
    struct object *boxed;

    if (!unix_s)
        return return_ref(c, NULL);
    return value_box(c, type_strip_nullable(c->ret_type), value_datetime(ticks_of_unix(unix_s), KIND_UTC), &boxed) &&
           return_ref(c, boxed);
}

/* --- IUrl -------------------------------------------------------------------------------------------------------------------------- */

struct url_view {
    struct object head;
    struct exchange *ex;
    struct url url;
};

bool
return_url(struct call *c, struct exchange *ex, const struct url *url)
{
    struct url_view *v = object_new(c, c->ret_type, struct url_view);

    if (v) {
        v->ex = ex;
        v->url = *url;
    }
    return return_new(c, v);
}

static const struct url *
self_url(const struct call *c)
{
    return &((const struct url_view *)c->args[0].ref)->url;
}

static bool url_scheme(struct call *c) { return return_text(c, self_url(c)->scheme); }
static bool url_host(struct call *c) { return return_text(c, self_url(c)->host); }
static bool url_port(struct call *c) { return return_i64(c, self_url(c)->port); }
static bool url_path(struct call *c) { return return_text(c, self_url(c)->path); }

static bool
url_query(struct call *c)
{
    return return_new(c, dictionary_make(c, c->ret_type, &query_dictionary_ops, ((struct url_view *)c->args[0].ref)->ex,
                                         &self_url(c)->query));
}

static bool
url_query_string(struct call *c)
{
    struct str q = self_url(c)->query;

    if (!q.len)
        return return_new(c, string_lit(c, ""));
    return return_new(c, string_printf(c, "?%.*s", STR_ARG(q)));
}

static bool
url_text(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    struct str text = url_print(c->run->arena, &((const struct url_view *)v.ref)->url);

    *ret = text.p ? string_view(c, text) : NULL;
    return *ret || call_exceed(c, BUDGET_BYTES);
}

static const struct type_hooks url_hooks = {.to_string = url_text};

static bool
url_to_string(struct call *c)
{
    struct string *s;

    return url_text(c, NULL, c->args[0], STR_NONE, &s) && return_ref(c, s);
}

static bool
url_to_uri(struct call *c)
{
    struct str text = url_print(c->run->arena, self_url(c));

    return text.p ? return_new(c, uri_new(c, c->ret_type, text)) : call_exceed(c, BUDGET_BYTES);
}

/* UrlPort: an int that may be compared with text, since the reference calls it a number and the toolkit a string. */
static bool
port_text(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    *ret = string_printf(c, "%" PRId64, v.i64);
    return *ret != NULL;
}

static const struct type_hooks port_hooks = {.to_string = port_text};

static bool
port_to_int(struct call *c)
{
    return return_i64(c, c->args[0].i64);
}

static bool
port_to_string(struct call *c)
{
    struct string *s;

    return port_text(c, NULL, c->args[0], STR_NONE, &s) && return_ref(c, s);
}

static bool
port_equals(struct call *c, uint32_t port, uint32_t text)
{
    struct string *s;

    return port_text(c, NULL, c->args[port], STR_NONE, &s) && return_bool(c, string_eq(s, call_string(c, text)));
}

static bool port_is_text(struct call *c) { return port_equals(c, 0, 1); }
static bool port_is_not_text(struct call *c) { return port_equals(c, 0, 1) && return_bool(c, !c->ret.i64); }
static bool port_is(struct call *c) { return return_bool(c, c->args[0].i64 == c->args[1].i64); }
static bool port_is_not(struct call *c) { return return_bool(c, c->args[0].i64 != c->args[1].i64); }
static bool port_below(struct call *c) { return return_bool(c, c->args[0].i64 < c->args[1].i64); }
static bool port_above(struct call *c) { return return_bool(c, c->args[0].i64 > c->args[1].i64); }
static bool port_at_most(struct call *c) { return return_bool(c, c->args[0].i64 <= c->args[1].i64); }
static bool port_at_least(struct call *c) { return return_bool(c, c->args[0].i64 >= c->args[1].i64); }
static bool text_is_port(struct call *c) { return port_equals(c, 1, 0); }
static bool text_is_not_port(struct call *c) { return port_equals(c, 1, 0) && return_bool(c, !c->ret.i64); }

/* --- context ------------------------------------------------------------------------------------------------------------------------- */

static bool
context_get(struct call *c)
{
    struct exchange *ex = c->run->host;

    if (!ex)
        return return_ref(c, NULL);
    if (!ex->context && return_view(c, ex, NULL))
        ex->context = c->ret.ref;
    return return_new(c, ex->context);
}

struct object *
context_object(struct exchange *ex)
{
    struct expr_run *run = exchange_expr_run(ex);

    if (!run)
        return NULL;
    struct call call = expr_host_call(run);
    call.ret_type = type_find_lit(run->env, "IContext");
    return context_get(&call) ? call.ret.ref : NULL;
}

static struct exchange *
self_exchange(const struct call *c)
{
    return self_view(c)->ex;
}

static bool
context_variables(struct call *c)
{
    return return_new(c, dictionary_make(c, c->ret_type, &variable_dictionary_ops, self_exchange(c), NULL));
}

static bool context_request(struct call *c) { return return_view(c, self_exchange(c), &self_exchange(c)->request); }

static bool
context_response(struct call *c)
{
    struct exchange *ex = self_exchange(c);
    struct reply_object *o;

    if (!ex->response)
        return return_ref(c, NULL);
    if ((o = object_new(c, c->ret_type, struct reply_object))) {
        o->ex = ex;
        o->reply = ex->response;
    }
    return return_new(c, o);
}

static bool context_api(struct call *c) { return return_view_or_null(c, self_exchange(c), self_exchange(c)->api); }
static bool context_operation(struct call *c) { return return_view_or_null(c, self_exchange(c), self_exchange(c)->operation); }
static bool context_product(struct call *c) { return return_view_or_null(c, self_exchange(c), self_exchange(c)->product); }
static bool context_subscription(struct call *c) { return return_view_or_null(c, self_exchange(c), self_exchange(c)->subscription); }
static bool context_user(struct call *c) { return return_view_or_null(c, self_exchange(c), self_exchange(c)->user); }
static bool context_deployment(struct call *c) { return return_view(c, self_exchange(c), NULL); }
static bool context_backend(struct call *c) { return return_view_or_null(c, self_exchange(c), self_exchange(c)->backend); }
static bool
context_workspace(struct call *c)
{
    struct exchange *ex = self_exchange(c);

    return return_view_or_null(c, ex, ex->api ? ex->api->workspace : NULL);
}

static bool context_graphql(struct call *c) { return return_ref(c, NULL); }
static bool context_tracing(struct call *c) { return return_bool(c, self_exchange(c)->is_tracing); }

static bool
context_last_error(struct call *c)
{
    struct exchange *ex = self_exchange(c);

    return return_view_or_null(c, ex, ex->error.id == E_NONE ? NULL : &ex->error);
}

static bool
context_request_id(struct call *c)
{
    c->ret = value_guid(self_exchange(c)->id);
    return true;
}

static bool
context_timestamp(struct call *c)
{
    c->ret = value_datetime(ticks_from_unix_ns(self_exchange(c)->timestamp_ns), KIND_UTC);
    return true;
}

static bool
context_elapsed(struct call *c)
{
    return return_i64(c, clr_now_ticks(c) - ticks_from_unix_ns(self_exchange(c)->timestamp_ns));
}

static bool
context_trace(struct call *c)
{
    struct exchange *ex = self_exchange(c);

    exchange_trace(ex, TRACE_INFORMATION, ex->at ? ex->at->policy : STR("expression"), call_str(c, 1));
    return true;
}

/* As some documents call it: who says it, and what. */
static bool
context_trace_of(struct call *c)
{
    exchange_trace(self_exchange(c), TRACE_INFORMATION, call_str(c, 1), call_str(c, 2));
    return true;
}

/* --- ILastError ----------------------------------------------------------------------------------------------------------------------- */

static const struct last_error *
self_error(const struct call *c)
{
    return self_view(c)->of;
}

static bool error_source(struct call *c) { return return_text_or_null(c, self_error(c)->source); }
static bool error_reason(struct call *c) { return return_text_or_null(c, self_error(c)->reason); }
static bool error_message(struct call *c) { return return_text_or_null(c, self_error(c)->message); }
static bool error_scope(struct call *c) { return return_text_or_null(c, self_error(c)->scope); }
static bool error_section(struct call *c) { return return_text_or_null(c, self_error(c)->section); }
static bool error_path(struct call *c) { return return_text_or_null(c, self_error(c)->path); }
static bool error_policy_id(struct call *c) { return return_text_or_null(c, self_error(c)->policy_id); }
static bool error_status(struct call *c) { return return_i64(c, self_error(c)->status); }

#define VIEW(name) {TYPE_CLASS, name, NULL, NULL, NULL, TYPE_IS_ABSTRACT, NULL}

static const struct type_row types[] = {
    VIEW("IContext"),
    VIEW("ILastError"),
    CLASS_ABSTRACT("IUrl", NULL, NULL, &url_hooks),
    STRUCT("UrlPort", NULL, &port_hooks),
};

static const struct member_row members[] = {
    M("<globals>", "static IContext context { get; }", context_get),
    M("IContext", "VariableCollection Variables { get; }", context_variables),
    M("IContext", "IRequest Request { get; }", context_request),
    M("IContext", "IResponse Response { get; }", context_response),
    M("IContext", "IContextApi Api { get; }", context_api),
    M("IContext", "IOperation Operation { get; }", context_operation),
    M("IContext", "IProduct Product { get; }", context_product),
    M("IContext", "ISubscription Subscription { get; }", context_subscription),
    M("IContext", "IUser User { get; }", context_user),
    M("IContext", "IDeployment Deployment { get; }", context_deployment),
    M("IContext", "ILastError LastError { get; }", context_last_error),
    M("IContext", "IBackend Backend { get; }", context_backend),
    M("IContext", "IWorkspace Workspace { get; }", context_workspace),
    M("IContext", "IGraphQL GraphQL { get; }", context_graphql),
    M("IContext", "Guid RequestId { get; }", context_request_id),
    M("IContext", "DateTime Timestamp { get; }", context_timestamp),
    M("IContext", "TimeSpan Elapsed { get; }", context_elapsed),
    M("IContext", "bool Tracing { get; }", context_tracing),
    M("IContext", "void Trace(string message)", context_trace),
    M_EXTRA("IContext", "void Trace(string source, string message)", context_trace_of),

    M("ILastError", "string Source { get; }", error_source),
    M("ILastError", "string Reason { get; }", error_reason),
    M("ILastError", "string Message { get; }", error_message),
    M("ILastError", "string Scope { get; }", error_scope),
    M("ILastError", "string Section { get; }", error_section),
    M("ILastError", "string Path { get; }", error_path),
    M("ILastError", "string PolicyId { get; }", error_policy_id),
    M_EXTRA("ILastError", "int HttpErrorCode { get; }", error_status),

    M("IUrl", "string Scheme { get; }", url_scheme),
    M("IUrl", "string Host { get; }", url_host),
    M("IUrl", "UrlPort Port { get; }", url_port),
    M("IUrl", "string Path { get; }", url_path),
    M_EXTRA("IUrl", "string AbsolutePath { get; }", url_path),
    M("IUrl", "QueryCollection Query { get; }", url_query),
    M("IUrl", "string QueryString { get; }", url_query_string),
    M("IUrl", "string ToString()", url_to_string),
    M("IUrl", "Uri ToUri()", url_to_uri),
    M("UrlPort", "static implicit operator int(UrlPort port)", port_to_int),
    M("UrlPort", "static explicit operator string(UrlPort port)", port_to_string),
    M("UrlPort", "static bool operator ==(UrlPort a, int b)", port_is),
    M("UrlPort", "static bool operator !=(UrlPort a, int b)", port_is_not),
    M("UrlPort", "static bool operator ==(int a, UrlPort b)", port_is),
    M("UrlPort", "static bool operator !=(int a, UrlPort b)", port_is_not),
    M("UrlPort", "static bool operator ==(UrlPort a, UrlPort b)", port_is),
    M("UrlPort", "static bool operator !=(UrlPort a, UrlPort b)", port_is_not),
    M("UrlPort", "static bool operator <(UrlPort a, int b)", port_below),
    M("UrlPort", "static bool operator >(UrlPort a, int b)", port_above),
    M("UrlPort", "static bool operator <=(UrlPort a, int b)", port_at_most),
    M("UrlPort", "static bool operator >=(UrlPort a, int b)", port_at_least),
    M("UrlPort", "static bool operator ==(UrlPort port, string text)", port_is_text),
    M("UrlPort", "static bool operator !=(UrlPort port, string text)", port_is_not_text),
    M("UrlPort", "static bool operator ==(string text, UrlPort port)", text_is_port),
    M("UrlPort", "static bool operator !=(string text, UrlPort port)", text_is_not_port),
    M("UrlPort", "string ToString()", port_to_string),
};

const struct library context_root = LIBRARY("context", types, members);

struct expr_env *
context_env_new(struct err *err)
{
    static const struct library *const own[] = {&context_root, &context_dictionary, &context_message, &context_service, &context_authorization};
    const struct library **all = xnew_array(const struct library *, clr_libraries_n + COUNTOF(own));
    struct expr_env *env;

    memcpy(all, clr_libraries, clr_libraries_n * sizeof(*all));
    memcpy(all + clr_libraries_n, own, sizeof(own));
    env = expr_env_new(all, clr_libraries_n + COUNTOF(own), err);
    free(all);
    return env;
}
