/* p_validate_headers.c: <validate-headers specified-header-action="ignore" unspecified-header-action="prevent"
 *                          errors-variable-name="e"> <header name="X" action="ignore" /> </validate-headers>
 * The answer's headers against what the operation describes for its status.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/headers.h"
#include "policy/parameter_check.h"
#include "policy/schemas.h"

struct named_action {
    struct str name;
    struct pvalue action;
};

struct validate_headers {
    struct pvalue specified, unspecified;
    struct str variable;
    struct children headers;
};

static const struct attr_def attrs[] = {
    VALUE_CHOICE(struct validate_headers, specified, "specified-header-action", validation_actions, .required = true,
                 .about = "For headers that the operation describes."),
    VALUE_CHOICE(struct validate_headers, unspecified, "unspecified-header-action", validation_actions, .required = true,
                 .about = "For others.",
                 .unverified = "Headers of HTTP itself (Content-Type, Content-Length, Date ...) count only when a header element names them."),
    ATTR_STR(struct validate_headers, variable, "errors-variable-name", .about = "Variable that gets what was found."),
    ATTR_END
};

static const struct attr_def named_attrs[] = {
    ATTR_STR(struct named_action, name, "name", .required = true, .is_header_name = true, .about = "The header."),
    VALUE_CHOICE(struct named_action, action, "action", validation_actions, .required = true, .about = "Whether it is specified or not."),
    ATTR_END
};

static const struct child_def children[] = {
    {.name = "header", .offset = offsetof(struct validate_headers, headers), .size = sizeof(struct named_action), .attrs = named_attrs,
     .unique = "name", .about = "An action for one."},
    CHILD_END
};

struct judge {
    const struct validate_headers *p;
    struct exchange *ex;
    struct validation v;
    const struct operation_response *r;   /* NULL: the status is not described */
};

static bool
action_of(struct judge *j, struct str name, bool is_specified, bool *ret_named, int *ret)
{
    const struct pvalue *value = is_specified ? &j->p->specified : &j->p->unspecified;

    *ret_named = false;
    CHILDREN(&j->p->headers, struct named_action, n)
        if (str_eq_nocase(n->name, name)) {
            value = &n->action;
            *ret_named = true;
        }
    return pvalue_enum(j->ex, value, validation_actions, ret) || !(j->v.has_failed = true);
}

#define HEADER_VALUES_MAX 64

static bool
check_described(struct judge *j)
{
    for (uint32_t i = 0; j->r && i < j->r->n_headers; i++) {
        const struct parameter *h = &j->r->headers[i];
        struct str values[HEADER_VALUES_MAX];
        struct parameter_values found = {.name = h->name, .values = values};
        const struct http_field *f;
        uint32_t at = 0;
        bool is_named;
        int action;

        if (str_eq_nocase(h->name, STR("Content-Type")))   /* OpenAPI: says nothing here */
            continue;
        if (!action_of(j, h->name, true, &is_named, &action))
            return false;
        if (action == VALIDATION_IGNORE)
            continue;
        while (found.n < HEADER_VALUES_MAX && (f = http_headers_next(j->ex->response->headers, h->name, &at)))
            values[found.n++] = f->value;
        if (found.n ? !parameter_check(&j->v, action, KIND_RESPONSE_HEADER, h,
                                       api_schemas_header(j->ex->schemas, j->ex->operation, j->r, i), &found)
                    : h->is_required && !parameter_missing(&j->v, action, KIND_RESPONSE_HEADER, h->name))
            return false;
    }
    return true;
}

/* What servers send of their own accord. */
static bool
is_usual(struct str name)
{
    static const char *const usual[] = {"Connection", "Content-Encoding", "Content-Length", "Content-Type", "Date", "Keep-Alive",
                                        "Trailer", "Transfer-Encoding", "Upgrade", "Vary", "Via"};

    for (size_t i = 0; i < COUNTOF(usual); i++)
        if (str_eq_nocase(name, str_from_c(usual[i])))
            return true;
    return false;
}

static bool
is_described(const struct judge *j, struct str name)
{
    for (uint32_t i = 0; j->r && i < j->r->n_headers; i++)
        if (str_eq_nocase(j->r->headers[i].name, name))
            return true;
    return false;
}

static bool
check_others(struct judge *j)
{
    const struct http_headers *h = j->ex->response->headers;

    for (uint32_t i = 0; i < h->n; i++) {
        bool is_named;
        int action;

        if (is_described(j, h->v[i].name))
            continue;
        if (!action_of(j, h->v[i].name, false, &is_named, &action))
            return false;
        if ((is_named || !is_usual(h->v[i].name)) && !parameter_unspecified(&j->v, action, KIND_RESPONSE_HEADER, h->v[i].name))
            return false;
    }
    return true;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct validate_headers *p = conf;
    struct judge j = {.p = p, .ex = ex, .v = validation_begin(ex, p->variable)};
    int action;

    if (!ex->response)
        return FLOW_NEXT;
    j.v.is_response = true;
    if (!ex->operation || ex->operation->is_implicit || api_schemas_state(ex->schemas) != DEFINITION_THERE) {
        if (!pvalue_enum(ex, &p->specified, validation_actions, &action))
            return FLOW_ERROR;
        parameter_no_definition(&j.v, action);
        return validation_end(&j.v);
    }
    j.r = operation_find_response(ex->operation, ex->response->status);
    if (check_described(&j))
        check_others(&j);
    return validation_end(&j.v);
}

const struct policy_def policy_validate_headers = {
    .name = "validate-headers", .sections = IN_OUTBOUND | IN_ON_ERROR, .scopes = AT_ALL, .once = true, .needs_schemas = true,
    .attrs = attrs, .children = children, .size = sizeof(struct validate_headers), .run = run,
    .summary = "Validates the answer's headers against the API's definition.",
    .usage = "What the definition says for the answer's status counts: the code, its class (4XX), or default.\n"
             "prevent answers 502; the client learns nothing of the backend's answer.",
};
