/* p_set_method.c: <set-method>POST</set-method>
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/headers.h"
#include "policy/parts.h"

struct set_method {
    struct pvalue method;
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct set_method, method, "", .required = true, .about = "The method, such as GET or POST."),
    ATTR_END
};

bool
set_method_value(const void *conf, struct exchange *ex, struct str *ret)
{
    const struct set_method *m = conf;
    struct str method;

    if (!pvalue_str(ex, &m->method, &method))
        return false;
    method = str_trim(method);
    if (!http_name_is_valid(method)) {
        exchange_fail(ex, "'%.*s' is not a method", STR_ARG(method));
        return false;
    }
    *ret = method;
    return true;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    return set_method_value(conf, ex, &ex->request.method) ? FLOW_NEXT : FLOW_ERROR;
}

const struct policy_def policy_set_method = {
    .name = "set-method", .sections = IN_INBOUND | IN_BACKEND | IN_ON_ERROR, .scopes = AT_ALL,
    .attrs = attrs, .size = sizeof(struct set_method), .run = run,
    .summary = "Changes the method of the request.",
};
