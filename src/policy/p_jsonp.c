/* p_jsonp.c: <jsonp callback-parameter-name="cb" />
 * Wraps a JSON answer into a call of the function that the query parameter names.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/codec.h"
#include "http/headers.h"
#include "http/server.h"
#include "policy/policy.h"

struct jsonp {
    struct pvalue parameter;
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct jsonp, parameter, "callback-parameter-name", .required = true,
              .about = "Query parameter that names the function."),
    ATTR_END
};

/* The decoded value of a query parameter of the request as received; STR_NONE when absent. */
static struct str
parameter_value(struct exchange *ex, struct str name)
{
    struct str rest = ex->original_url.query, pair;

    while (str_split_next(&rest, '&', &pair)) {
        ptrdiff_t equals = str_find_char(pair, '=', 0);
        struct buf b = buf_in(ex->arena);

        if (!str_eq(equals < 0 ? pair : str_sub(pair, 0, (size_t)equals), name))
            continue;
        if (equals < 0)
            return STR("");
        codec_percent_decode(&b, str_skip(pair, (size_t)equals + 1), true);
        return b.len ? buf_str(&b) : STR("");
    }
    return STR_NONE;
}

/* identifier ("." identifier)*, ASCII letters, digits, _ and $. */
static bool
is_identifier(struct str s)
{
    bool at_start = true;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool is_letter = ascii_is_alpha(c) || c == '_' || c == '$';

        if (c == '.' && !at_start) {
            at_start = true;
            continue;
        }
        if (!is_letter && (at_start || !ascii_is_digit(c)))
            return false;
        at_start = false;
    }
    return !at_start;
}

/* No answer to HEAD, no 204 and no 304 has a body that could be wrapped; to HEAD the length of the wrapped one is not known. */
static bool
is_without_body(const struct exchange *ex, struct reply *r)
{
    if (!http_status_has_body(r->status))
        return true;
    if (!ex->call || ex->call->request.method != HTTP_METHOD_HEAD)
        return false;
    r->announced_length = -1;
    http_headers_set(r->headers, STR("Content-Type"), STR("application/javascript"));
    return true;
}

static enum flow
wrap(struct exchange *ex, struct reply *r, struct str callback)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct str body;
    struct err err;

    if (!content_read_decoded(ex, &r->content, r->headers, true, &body, &err))
        return exchange_fail_io(ex, &err);
    buf_add_str(&b, callback);
    buf_add_char(&b, '(');
    buf_add_str(&b, body);
    buf_add_lit(&b, ");");
    if (!content_set_copy(ex, &r->content, buf_str(&b), &err))
        return exchange_fail_io(ex, &err);
    http_headers_remove_id(r->headers, HTTP_CONTENT_ENCODING);
    http_headers_set(r->headers, STR("Content-Type"), STR("application/javascript"));
    return FLOW_NEXT;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct jsonp *j = conf;
    struct reply *r = exchange_response(ex);
    struct str name, callback;

    if (!pvalue_str(ex, &j->parameter, &name))
        return FLOW_ERROR;
    callback = parameter_value(ex, name);
    if (!callback.p || !r)
        return FLOW_NEXT;
    if (!is_identifier(callback))
        return exchange_refuse(ex, E_CALLBACK_PARAMETER_INVALID, name);
    return is_without_body(ex, r) ? FLOW_NEXT : wrap(ex, r, callback);
}

const struct policy_def policy_jsonp = {
    .name = "jsonp", .sections = IN_OUTBOUND, .scopes = AT_ALL, .once = true, .body = BODY_WHOLE,
    .attrs = attrs, .size = sizeof(struct jsonp), .run = run,
    .summary = "Wraps a JSON answer into a function call for old scripts.",
    .usage = "Without the parameter the answer stays as it is. A value that is no JavaScript identifier is refused with 400.",
};
