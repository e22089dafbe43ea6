/* p_cors.c: <cors allow-credentials="true"> <allowed-origins><origin>https://a.example</origin></allowed-origins>
 *               <allowed-methods preflight-result-max-age="300"><method>*</method></allowed-methods>
 *               <allowed-headers><header>*</header></allowed-headers> <expose-headers/> </cors>
 * A preflight is answered before anything else runs, the subscription check included (cors_preflight, called through
 * plan_run_preflight). A request with an Origin that matches goes on, and its final answer says so, errors too.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/cors.h"

#include <string.h>

#include "base/buf.h"
#include "http/headers.h"
#include "policy/compile.h"

struct item {
    struct pvalue text;
};

struct item_list {
    struct children items;        /* struct item */
    struct pvalue max_age_s;      /* of allowed-methods */
};

struct cors {
    struct pvalue credentials, terminate;
    struct children origins, methods, headers, exposed;   /* struct item_list, one each */
};

static const struct attr_def item_attrs[] = {
    VALUE_STR(struct item, text, "", .required = true, .about = "One name; * is any."), ATTR_END
};

static const struct attr_def header_item_attrs[] = {
    VALUE_STR(struct item, text, "", .required = true, .is_header_name = true, .about = "One name; * is any."), ATTR_END
};

static const struct attr_def method_list_attrs[] = {
    VALUE_U32(struct item_list, max_age_s, "preflight-result-max-age", .fallback = "0",
              .about = "Seconds a browser may keep the answer of a preflight."),
    ATTR_END
};

#define ITEMS(name_, attrs_) \
    {.name = (name_), .offset = offsetof(struct item_list, items), .size = sizeof(struct item), .attrs = (attrs_)}

static const struct child_def origin_items[] = {ITEMS("origin", item_attrs), CHILD_END};
static const struct child_def method_items[] = {ITEMS("method", item_attrs), CHILD_END};
static const struct child_def header_items[] = {ITEMS("header", header_item_attrs), CHILD_END};

static const struct attr_def attrs[] = {
    VALUE_BOOL(struct cors, credentials, "allow-credentials", .fallback = "false",
               .about = "Whether browsers may send cookies and credentials."),
    VALUE_BOOL(struct cors, terminate, "terminate-unmatched-request", .fallback = "true",
               .about = "Whether a GET or HEAD from another origin ends here with an empty 200.",
               .unverified = "The default is true, as gateways behave; the attribute table of the reference says false."),
    ATTR_END
};

static const struct child_def children[] = {
    {.name = "allowed-origins", .offset = offsetof(struct cors, origins), .size = sizeof(struct item_list),
     .children = origin_items, .required = true, .once = true, .about = "Origins that may call: scheme, host, port, or *."},
    {.name = "allowed-methods", .offset = offsetof(struct cors, methods), .size = sizeof(struct item_list),
     .attrs = method_list_attrs, .children = method_items, .once = true,
     .about = "Methods besides GET and POST; * is all."},
    {.name = "allowed-headers", .offset = offsetof(struct cors, headers), .size = sizeof(struct item_list),
     .children = header_items, .once = true, .about = "Headers a request may carry; * is all."},
    {.name = "expose-headers", .offset = offsetof(struct cors, exposed), .size = sizeof(struct item_list),
     .children = header_items, .once = true, .about = "Headers of answers that scripts may read; * is all."},
    CHILD_END
};

/* --- matching ------------------------------------------------------------------------------------------------------ */

/* "https://shop.example.": the same name for DNS, another origin for browsers. */
static bool
ends_in_dot(struct str origin)
{
    ptrdiff_t at = str_find(origin, STR("://"), 0);
    size_t i = at < 0 ? 0 : (size_t)at + 3;

    while (i < origin.len && !memchr("/:?#", origin.p[i], 4))
        i++;
    return i > 0 && origin.p[i - 1] == '.';
}

/* Scheme, host and port of an origin; a path or trailing slash behind it is let pass. */
static bool
same_origin(struct exchange *ex, struct str a, struct str b)
{
    struct url x, y;

    if (!url_parse(ex->arena, a, &x, NULL) || !url_parse(ex->arena, b, &y, NULL))
        return str_eq_nocase(a, b);
    return str_eq(x.scheme, y.scheme) && str_eq(x.host, y.host) && x.port == y.port && ends_in_dot(a) == ends_in_dot(b);
}

/* Whether `wanted` is in the list; false with *ret_failed when an expression failed. */
static bool
lists(struct exchange *ex, const struct children *list, struct str wanted,
      bool (*same)(struct exchange *ex, struct str a, struct str b), bool *ret_any, bool *ret_failed)
{
    const struct item_list *l = list->v;
    struct str text;

    *ret_any = *ret_failed = false;
    if (list->n == 0)
        return false;
    CHILDREN(&l->items, struct item, i) {
        if (!pvalue_str(ex, &i->text, &text)) {
            *ret_failed = true;
            return false;
        }
        text = str_trim(text);
        *ret_any = str_eq_lit(text, "*");
        if (*ret_any || same(ex, text, wanted))
            return true;
    }
    return false;
}

static bool
same_text(struct exchange *ex, struct str a, struct str b)
{
    return str_eq_nocase(a, b);
}

/* What the answer will say. */
struct verdict {
    struct str origin;
    bool is_allowed, any_origin, credentials, failed;
};

static struct verdict
judge(const struct cors *c, struct exchange *ex)
{
    struct verdict v = {.origin = http_headers_get_name(ex->request.headers, STR("Origin"))};

    if (!pvalue_bool(ex, &c->credentials, &v.credentials)) {
        v.failed = true;
        return v;
    }
    v.is_allowed = lists(ex, &c->origins, v.origin, same_origin, &v.any_origin, &v.failed);
    return v;
}

/* Echoes the origin, so that caches between us and the browser must keep answers apart. */
static bool
add_common(struct exchange *ex, const struct verdict *v)
{
    bool is_star = v->any_origin && !v->credentials;
    bool ok = exchange_add_answer_header(ex, STR("Access-Control-Allow-Origin"), is_star ? STR("*") : v->origin, true);

    if (v->credentials)
        ok &= exchange_add_answer_header(ex, STR("Access-Control-Allow-Credentials"), STR("true"), true);
    if (!is_star)
        ok &= exchange_add_answer_header(ex, STR("Vary"), STR("Origin"), false);
    return ok;
}

/* --- preflights ---------------------------------------------------------------------------------------------------- */

static bool
method_is_allowed(const struct cors *c, struct exchange *ex, struct str method, bool *ret_failed)
{
    bool any;

    return str_eq_lit(method, "GET") || str_eq_lit(method, "POST") || lists(ex, &c->methods, method, same_text, &any, ret_failed);
}

static bool
headers_are_allowed(const struct cors *c, struct exchange *ex, struct str wanted, bool *ret_failed)
{
    struct str rest = wanted, name;
    bool any;

    while (wanted.p && http_list_next(&rest, &name))
        if (!lists(ex, &c->headers, name, same_text, &any, ret_failed))
            return false;
    return true;
}

static bool
answer_preflight(const struct cors *c, struct exchange *ex, const struct verdict *v, struct str method, struct str headers)
{
    const struct item_list *methods = c->methods.v;
    struct reply *r = reply_new(ex);
    uint32_t max_age_s = 0;

    if (!r || (c->methods.n && !pvalue_u32(ex, &methods->max_age_s, &max_age_s)))
        return false;
    content_set(&r->content, STR(""));
    ex->response = r;
    http_headers_set(r->headers, STR("Access-Control-Allow-Methods"), method);
    if (headers.len)
        http_headers_set(r->headers, STR("Access-Control-Allow-Headers"), headers);
    if (max_age_s)
        http_headers_set(r->headers, STR("Access-Control-Max-Age"), str_printf(ex->arena, "%" PRIu32, max_age_s));
    return add_common(ex, v);
}

enum preflight
cors_preflight(const void *conf, struct exchange *ex)
{
    const struct cors *c = conf;
    struct str method = http_headers_get_name(ex->request.headers, STR("Access-Control-Request-Method"));
    struct str headers = http_headers_get_joined(ex->request.headers, STR("Access-Control-Request-Headers"));
    struct verdict v = judge(c, ex);
    bool terminates;

    if (v.failed || !pvalue_bool(ex, &c->terminate, &terminates))
        return PREFLIGHT_FAILED;
    v.is_allowed = v.is_allowed && method_is_allowed(c, ex, method, &v.failed) && headers_are_allowed(c, ex, headers, &v.failed);
    if (v.failed)
        return PREFLIGHT_FAILED;
    if (v.is_allowed)
        return answer_preflight(c, ex, &v, method, headers) ? PREFLIGHT_ANSWERED : PREFLIGHT_FAILED;
    if (!terminates)
        return PREFLIGHT_UNMATCHED;
    return exchange_response(ex) ? PREFLIGHT_ANSWERED : PREFLIGHT_FAILED;
}

/* --- requests ------------------------------------------------------------------------------------------------------ */

static enum flow
add_headers(const struct cors *c, struct exchange *ex, const struct verdict *v)
{
    const struct item_list *exposed = c->exposed.v;
    struct buf b = buf_in(ex->arena);
    struct str text;

    if (!add_common(ex, v))
        return exchange_fail(ex, "no memory left for CORS headers");
    if (c->exposed.n == 0)
        return FLOW_NEXT;
    CHILDREN(&exposed->items, struct item, i) {
        if (!pvalue_str(ex, &i->text, &text))
            return FLOW_ERROR;
        if (b.len)
            buf_add_lit(&b, ", ");
        buf_add_str(&b, str_trim(text));
    }
    exchange_add_answer_header(ex, STR("Access-Control-Expose-Headers"), buf_str(&b), true);
    return FLOW_NEXT;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct cors *c = conf;
    bool is_read = str_eq_lit(ex->request.method, "GET") || str_eq_lit(ex->request.method, "HEAD"), terminates;
    struct verdict v;

    if (ex->has_cors || !http_headers_get_name(ex->request.headers, STR("Origin")).p)
        return FLOW_NEXT;
    v = judge(c, ex);
    if (v.failed || !pvalue_bool(ex, &c->terminate, &terminates))
        return FLOW_ERROR;
    if (v.is_allowed) {
        ex->has_cors = true;
        return add_headers(c, ex, &v);
    }
    if (!is_read || !terminates)
        return FLOW_NEXT;
    ex->response = reply_new(ex);
    return ex->response ? FLOW_RETURN : exchange_fail(ex, "no memory left for an answer");
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    const struct cors *cors = conf;
    const struct item_list *origins = cors->origins.v;
    struct url url;
    bool ok = true;

    CHILDREN(&origins->items, struct item, i) {
        struct str text = str_trim(i->text.text);

        if (!i->text.program && !str_eq_lit(text, "*") && !compile_is_placeholder(c, text) && !url_parse(c->arena, text, &url, NULL))
            ok &= compile_strict(c, n, "'%.*s' is no origin: scheme://host[:port] or *", STR_ARG(text));
    }
    if (!cors->headers.n)
        compile_warning(c, n, "without <allowed-headers> a preflight that asks for headers is refused");
    return ok;
}

const struct policy_def policy_cors = {
    .name = "cors", .sections = IN_INBOUND, .scopes = AT_ALL, .once = true,
    .attrs = attrs, .children = children, .size = sizeof(struct cors), .compile = compile, .run = run,
    .summary = "Lets scripts of other origins call, and answers browsers' preflights.",
    .usage = "A preflight looks at the cors policies that stand directly in inbound, and at nothing else; it comes before the "
             "subscription check.\nAn OPTIONS operation of the API takes precedence over preflights.\nThe first cors that "
             "matches counts.",
};
