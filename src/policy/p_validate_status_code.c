/* p_validate_status_code.c: <validate-status-code unspecified-status-code-action="prevent" errors-variable-name="e">
 *                              <status-code code="404" action="ignore" /> </validate-status-code>
 * The answer's status against those that the operation describes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "model/api.h"
#include "policy/validation.h"

struct code_action {
    uint32_t code;
    struct pvalue action;
};

struct validate_status_code {
    struct pvalue unspecified;
    struct str variable, variable_alias;
    struct children codes;
};

static const struct attr_def attrs[] = {
    VALUE_CHOICE(struct validate_status_code, unspecified, "unspecified-status-code-action", validation_actions, .required = true,
                 .about = "For a status that the operation does not describe."),
    ATTR_STR(struct validate_status_code, variable, "errors-variable-name", .about = "Variable that gets what was found."),
    ATTR_STR(struct validate_status_code, variable_alias, "error-variable-name", .about = "The same, as some documents write it."),
    ATTR_END
};

static const struct attr_def code_attrs[] = {
    ATTR_U32(struct code_action, code, "code", .required = true, .min = 100, .max = 999, .about = "The status."),
    VALUE_CHOICE(struct code_action, action, "action", validation_actions, .required = true,
                 .about = "For it, when the operation does not describe it."),
    ATTR_END
};

static const struct child_def children[] = {
    {.name = "status-code", .offset = offsetof(struct validate_status_code, codes), .size = sizeof(struct code_action),
     .attrs = code_attrs, .unique = "code", .about = "An action for one."},
    CHILD_END
};

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct validate_status_code *p = conf;
    struct validation v = validation_begin(ex, p->variable.len ? p->variable : p->variable_alias);
    const struct pvalue *value = &p->unspecified;
    struct str code;
    int action;

    if (!ex->response || (ex->operation && operation_find_response(ex->operation, ex->response->status)))
        return FLOW_NEXT;
    v.is_response = true;
    CHILDREN(&p->codes, struct code_action, c)
        if (c->code == ex->response->status)
            value = &c->action;
    if (!pvalue_enum(ex, value, validation_actions, &action))
        return FLOW_ERROR;
    code = str_printf(ex->arena, "%u", ex->response->status);
    validation_find(&v, action, &(struct finding){.name = code, .type = STR("StatusCode"), .rule = STR("Unspecified"), .is_internal = true,
        .details = str_printf(ex->arena, "Response status code %.*s is not allowed.", STR_ARG(code))});
    return validation_end(&v);
}

const struct policy_def policy_validate_status_code = {
    .name = "validate-status-code", .sections = IN_OUTBOUND | IN_ON_ERROR, .scopes = AT_ALL, .once = true, .attrs = attrs,
    .children = children, .size = sizeof(struct validate_status_code), .run = run,
    .summary = "Validates the answer's status against those of the API's definition.",
    .usage = "A status that the operation describes, by its code, its class (4XX) or default, is fine whatever its element says.",
};
