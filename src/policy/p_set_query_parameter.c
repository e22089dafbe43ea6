/* p_set_query_parameter.c: <set-query-parameter name="n" exists-action="override"><value>v</value></set-query-parameter>
 * Acts on the query of context.Request.Url. Values are plain text and are percent-encoded here; names compare without case.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/codec.h"
#include "policy/compile.h"
#include "policy/parts.h"

struct parameter_value {
    struct pvalue text;
};

struct set_query_parameter {
    struct pvalue name, action;
    struct children values;       /* struct parameter_value */
};

static const struct attr_def value_attrs[] = {
    VALUE_STR(struct parameter_value, text, "", .about = "One value, not encoded."),
    ATTR_END
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct set_query_parameter, name, "name", .required = true, .about = "Name of the parameter.",
              .unverified = "Names compare without case."),
    VALUE_CHOICE(struct set_query_parameter, action, "exists-action", exists_actions, .fallback = "override",
                 .about = "What to do when the parameter is there: override, skip, append, delete."),
    ATTR_END
};

static const struct child_def children[] = {
    {.name = "value", .offset = offsetof(struct set_query_parameter, values), .size = sizeof(struct parameter_value),
     .attrs = value_attrs, .about = "A value; several repeat the parameter."},
    CHILD_END
};

/* Steps through "a=1&b=2": one pair as written, and its decoded name. */
static bool
next_pair(struct exchange *ex, struct str *rest, struct str *ret_pair, struct str *ret_name)
{
    struct buf b = buf_in(ex->arena);

    if (!str_split_next(rest, '&', ret_pair))
        return false;
    ptrdiff_t equals = str_find_char(*ret_pair, '=', 0);
    struct str name = equals < 0 ? *ret_pair : str_sub(*ret_pair, 0, (size_t)equals);
    *ret_name = name;
    if (str_find_char(name, '%', 0) >= 0 || str_find_char(name, '+', 0) >= 0) {
        codec_percent_decode(&b, name, true);
        *ret_name = buf_str(&b);
    }
    return true;
}

static bool
is_present(struct exchange *ex, struct str name)
{
    struct str rest = ex->request.query, pair, found;

    while (next_pair(ex, &rest, &pair, &found))
        if (str_eq_nocase(found, name))
            return true;
    return false;
}

static void
add_separator(struct buf *b)
{
    if (b->len)
        buf_add_char(b, '&');
}

static void
keep_others(struct exchange *ex, struct str name, bool keep_all, struct buf *to)
{
    struct str rest = ex->request.query, pair, found;

    while (next_pair(ex, &rest, &pair, &found)) {
        if (pair.len == 0 || (!keep_all && str_eq_nocase(found, name)))
            continue;
        add_separator(to);
        buf_add_str(to, pair);
    }
}

static bool
add_values(const struct set_query_parameter *q, struct exchange *ex, struct str name, struct buf *to)
{
    CHILDREN(&q->values, struct parameter_value, v) {
        struct str text;

        if (!pvalue_str(ex, &v->text, &text))
            return false;
        if (v->text.program && !text.p)
            continue;
        add_separator(to);
        codec_percent_encode(to, name, "-._~");
        buf_add_char(to, '=');
        codec_percent_encode(to, text, "-._~!*'(),:;@/?$");
    }
    return true;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct set_query_parameter *q = conf;
    struct buf query = buf_in(ex->arena);
    struct str name;
    int action;

    if (!pvalue_str(ex, &q->name, &name) || !pvalue_enum(ex, &q->action, exists_actions, &action))
        return FLOW_ERROR;
    if (action == EXISTS_SKIP && is_present(ex, name))
        return FLOW_NEXT;
    keep_others(ex, name, action == EXISTS_APPEND, &query);
    if (action != EXISTS_DELETE && !add_values(q, ex, name, &query))
        return FLOW_ERROR;
    if (query.failed)
        return exchange_fail(ex, "no memory left for the query");
    ex->request.query = query.len ? buf_str(&query) : STR_NONE;
    return FLOW_NEXT;
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    const struct set_query_parameter *q = conf;

    if (q->action.program)
        return true;
    if (q->action.literal.choice == EXISTS_DELETE && q->values.n)
        compile_warning(c, n, "values have no effect with exists-action=\"delete\"");
    if (q->action.literal.choice != EXISTS_DELETE && !q->values.n)
        compile_warning(c, n, "there is no <value>: override removes the parameter, skip and append have no effect");
    return true;
}

const struct policy_def policy_set_query_parameter = {
    .name = "set-query-parameter", .sections = IN_INBOUND | IN_BACKEND, .scopes = AT_ALL,
    .attrs = attrs, .children = children, .size = sizeof(struct set_query_parameter), .compile = compile, .run = run,
    .summary = "Sets, appends to or removes a query parameter of the request.",
    .usage = "Values are written unencoded in the document and are encoded when the address is built.",
};
