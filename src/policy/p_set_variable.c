/* p_set_variable.c: <set-variable name="n" value="@(...)" />
 * A literal is always a string; an expression's value keeps its type. Null may be stored.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy.h"

struct set_variable {
    struct str name;
    struct pvalue value;
};

static const struct attr_def attrs[] = {
    ATTR_STR(struct set_variable, name, "name", .required = true, .about = "Name of the variable; case matters."),
    VALUE_ANY(struct set_variable, value, "value", .required = true,
              .about = "Its value. A literal is a string, an expression's value keeps its type."),
    ATTR_END
};

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct set_variable *s = conf;
    struct object *value;

    if (!pvalue_object(ex, &s->value, &value))
        return FLOW_ERROR;
    if (!exchange_set_variable(ex, s->name, value))
        return exchange_fail(ex, "no memory left for variable %.*s", STR_ARG(s->name));
    return FLOW_NEXT;
}

const struct policy_def policy_set_variable = {
    .name = "set-variable", .sections = IN_ALL, .scopes = AT_ALL,
    .attrs = attrs, .size = sizeof(struct set_variable), .run = run,
    .summary = "Keeps a value for later expressions, in context.Variables.",
};
