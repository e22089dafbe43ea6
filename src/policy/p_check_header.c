/* p_check_header.c: <check-header name="X" failed-check-httpcode="401" failed-check-error-message="no" ignore-case="true">
 *                       <value>a</value></check-header>
 * The header must be there and, when values are given, be one of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/headers.h"
#include "policy/compile.h"

struct allowed {
    struct pvalue text;
};

struct check_header {
    struct pvalue name, status, message, ignore_case;
    struct children values;       /* struct allowed */
};

static const struct attr_def value_attrs[] = {
    VALUE_STR(struct allowed, text, "", .about = "A value that passes."), ATTR_END
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct check_header, name, "name", .required = true, .is_header_name = true, .about = "Name of the header."),
    VALUE_U32(struct check_header, status, "failed-check-httpcode", .fallback = "401", .min = 200, .max = 999, .about = "Status of a refusal.",
              .unverified = "Azure needs it; left out, it is 401."),
    VALUE_STR(struct check_header, message, "failed-check-error-message",
              .about = "Message of a refusal; goes into the JSON body unescaped.",
              .unverified = "Azure needs it; left out, it is the message of context.LastError."),
    VALUE_BOOL(struct check_header, ignore_case, "ignore-case", .fallback = "false", .about = "Compare without case."),
    ATTR_END
};

static const struct child_def children[] = {
    {.name = "value", .offset = offsetof(struct check_header, values), .size = sizeof(struct allowed), .attrs = value_attrs,
     .about = "A value that passes; without one the header only has to be there."},
    CHILD_END
};

static enum flow
refuse(const struct check_header *h, struct exchange *ex, struct str name, struct str value)
{
    struct str message;
    uint32_t status;

    if (!pvalue_u32(ex, &h->status, &status) || !pvalue_str(ex, &h->message, &message))
        return FLOW_ERROR;
    if (value.p)
        exchange_refuse(ex, E_HEADER_VALUE_NOT_ALLOWED, name, value);
    else
        exchange_refuse(ex, E_HEADER_NOT_FOUND, name);
    exchange_refusal_override(ex, (uint16_t)(status >= 200 && status <= 999 ? status : 401), message);
    return FLOW_ERROR;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct check_header *h = conf;
    struct str name, value, allowed;
    bool ignore_case;

    if (!pvalue_str(ex, &h->name, &name) || !pvalue_bool(ex, &h->ignore_case, &ignore_case))
        return FLOW_ERROR;
    value = http_headers_get_joined(ex->request.headers, str_trim(name));
    if (!value.p)
        return refuse(h, ex, name, STR_NONE);
    if (h->values.n == 0)
        return FLOW_NEXT;
    CHILDREN(&h->values, struct allowed, v) {
        if (!pvalue_str(ex, &v->text, &allowed))
            return FLOW_ERROR;
        if (ignore_case ? str_eq_nocase(allowed, value) : str_eq(allowed, value))
            return FLOW_NEXT;
    }
    return refuse(h, ex, name, value);
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    if (node_attr(n, "failed-check-httpcode") && node_attr(n, "failed-check-error-message"))
        return true;
    return compile_strict(c, n, "Azure needs failed-check-httpcode and failed-check-error-message");
}

const struct policy_def policy_check_header = {
    .name = "check-header", .sections = IN_INBOUND, .scopes = AT_ALL,
    .attrs = attrs, .children = children, .size = sizeof(struct check_header), .compile = compile, .run = run,
    .summary = "Refuses requests without a header, or with another value than those given.",
    .usage = "A header that is there several times is compared as its values joined.",
};
