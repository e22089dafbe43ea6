/* p_validate_parameters.c: <validate-parameters specified-parameter-action="prevent" unspecified-parameter-action="ignore">
 *                            <headers specified-parameter-action="detect"> <parameter name="User-Agent" action="ignore" /> </headers>
 *                            <query/> <path/>
 * The request's path, query and header parameters against the operation's. A named parameter has its own action; then the
 * group's; then the policy's.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/codec.h"
#include "http/headers.h"
#include "model/route.h"
#include "policy/compile.h"
#include "policy/parameter_check.h"
#include "policy/schemas.h"

struct named_action {
    struct str name;
    struct pvalue action;
};

struct group {
    struct pvalue specified, unspecified;
    struct children parameters;
};

struct validate_parameters {
    struct pvalue specified, unspecified;
    struct str variable;
    struct children headers, query, path;
};

#define SPECIFIED(type_, required_) \
    VALUE_CHOICE(type_, specified, "specified-parameter-action", validation_actions, .required = (required_), \
                 .about = "For parameters that the operation has.")
#define UNSPECIFIED(type_, required_) \
    VALUE_CHOICE(type_, unspecified, "unspecified-parameter-action", validation_actions, .required = (required_), \
                 .about = "For others.", \
                 .unverified = "Headers that HTTP itself needs (Host, Accept, User-Agent, Content-Type ...) and the subscription key " \
                               "count only when a parameter element names them.")

static const struct attr_def attrs[] = {
    SPECIFIED(struct validate_parameters, true),
    UNSPECIFIED(struct validate_parameters, true),
    ATTR_STR(struct validate_parameters, variable, "errors-variable-name", .about = "Variable that gets what was found."),
    ATTR_END
};

static const struct attr_def named_attrs[] = {
    ATTR_STR(struct named_action, name, "name", .required = true, .about = "The parameter."),
    VALUE_CHOICE(struct named_action, action, "action", validation_actions, .required = true, .about = "Whether it is specified or not."),
    ATTR_END
};

static const struct child_def named[] = {
    {.name = "parameter", .offset = offsetof(struct group, parameters), .size = sizeof(struct named_action), .attrs = named_attrs,
     .unique = "name", .about = "An action for one."},
    CHILD_END
};

static const struct attr_def group_attrs[] = {SPECIFIED(struct group, false), UNSPECIFIED(struct group, false), ATTR_END};
static const struct attr_def path_attrs[] = {SPECIFIED(struct group, false), ATTR_END};

static const struct child_def children[] = {
    {.name = "headers", .offset = offsetof(struct validate_parameters, headers), .size = sizeof(struct group), .attrs = group_attrs,
     .children = named, .once = true, .about = "Actions for headers."},
    {.name = "query", .offset = offsetof(struct validate_parameters, query), .size = sizeof(struct group), .attrs = group_attrs,
     .children = named, .once = true, .about = "Actions for query parameters."},
    {.name = "path", .offset = offsetof(struct validate_parameters, path), .size = sizeof(struct group), .attrs = path_attrs,
     .children = named, .once = true, .about = "Actions for path parameters."},
    CHILD_END
};

/* --- actions ------------------------------------------------------------------------------------------------------- */

struct judge {
    const struct validate_parameters *p;
    struct exchange *ex;
    struct validation v;
    const struct operation *op;
};

/* What the parameter's own element says, else the group, else the policy. False with ex->error. */
static bool
action_of(struct judge *j, const struct children *groups, struct str name, bool is_specified, bool *ret_named, int *ret)
{
    const struct pvalue *value = is_specified ? &j->p->specified : &j->p->unspecified;
    const struct group *g = groups->n ? groups->v : NULL;

    *ret_named = false;
    if (g && pvalue_is_set(is_specified ? &g->specified : &g->unspecified))
        value = is_specified ? &g->specified : &g->unspecified;
    if (g)
        CHILDREN(&g->parameters, struct named_action, n)
            if (str_eq_nocase(n->name, name)) {
                value = &n->action;
                *ret_named = true;
            }
    return pvalue_enum(j->ex, value, validation_actions, ret) || !(j->v.has_failed = true);
}

/* --- one specified parameter ------------------------------------------------------------------------------------------- */

static bool
check_specified(struct judge *j, const struct children *groups, uint32_t i, enum parameter_kind kind,
                const struct parameter_values *values)
{
    const struct parameter *p = &j->op->parameters[i];
    bool is_named;
    int action;

    if (!action_of(j, groups, p->name, true, &is_named, &action))
        return false;
    if (action == VALIDATION_IGNORE)
        return true;
    if (!values->n)
        return !p->is_required || parameter_missing(&j->v, action, kind, p->name);
    return parameter_check(&j->v, action, kind, p, api_schemas_parameter(j->ex->schemas, j->op, i), values);
}

static struct str
decoded(struct exchange *ex, struct str text, bool plus_is_blank)
{
    struct buf b = buf_in(ex->arena);

    if (!text.len || (!memchr(text.p, '%', text.len) && !(plus_is_blank && memchr(text.p, '+', text.len))))
        return text.p ? text : STR("");
    codec_percent_decode(&b, text, plus_is_blank);
    return b.len ? buf_str(&b) : STR("");
}

/* --- path ---------------------------------------------------------------------------------------------------------- */

static bool
check_path(struct judge *j)
{
    for (uint32_t i = 0; i < j->op->n_parameters; i++) {
        const struct parameter *p = &j->op->parameters[i];
        struct parameter_values values = {.name = p->name, .n = 0};
        struct str value;

        if (p->place != PARAMETER_PATH)
            continue;
        for (uint32_t k = 0; k < j->ex->n_parameters; k++)
            if (str_eq(j->ex->parameters[k].name, p->name)) {
                value = decoded(j->ex, j->ex->parameters[k].value, false);
                values.values = &value;
                values.n = 1;
            }
        if (!check_specified(j, &j->p->path, i, KIND_PATH_PARAMETER, &values))
            return false;
    }
    return true;
}

/* --- query --------------------------------------------------------------------------------------------------------- */

#define QUERY_MAX 512

struct query {
    struct { struct str name, value; bool is_used; } v[QUERY_MAX];
    uint32_t n;
};

static struct query *
read_query(struct exchange *ex)
{
    struct query *q = arena_new(ex->arena, struct query);
    struct str rest = ex->original_url.query, pair;

    while (q && rest.p && q->n < QUERY_MAX && str_split_next(&rest, '&', &pair)) {
        ptrdiff_t equals = str_find_char(pair, '=', 0);

        if (!pair.len)
            continue;
        q->v[q->n].name = decoded(ex, equals < 0 ? pair : str_sub(pair, 0, (size_t)equals), true);
        q->v[q->n++].value = decoded(ex, equals < 0 ? STR("") : str_skip(pair, (size_t)equals + 1), true);
    }
    return q;
}

/* name[key] of a deepObject; STR_NONE for others. */
static struct str
deep_key(struct str written, struct str name)
{
    if (written.len > name.len + 2 && str_starts_with(written, name) && written.p[name.len] == '[' && written.p[written.len - 1] == ']')
        return str_sub(written, name.len + 1, written.len - 1);
    return STR_NONE;
}

/* Gathers what belongs to a parameter: its own name, name[key], or the members of an exploded object. */
static void
gather(struct judge *j, struct query *q, const struct parameter *p, const struct json_schema *s, struct str *values, struct str *keys,
       struct parameter_values *ret)
{
    bool is_exploded = !p->is_json && p->style == STYLE_FORM && p->explode && s && json_schema_types(s) == SCHEMA_OBJECT;

    *ret = (struct parameter_values){.name = p->name, .values = values, .keys = keys,
                                     .is_object = p->style == STYLE_DEEP || is_exploded};
    for (uint32_t i = 0; i < q->n; i++) {
        struct str key = p->style == STYLE_DEEP ? deep_key(q->v[i].name, p->name)
                         : is_exploded && json_schema_property(s, q->v[i].name) ? q->v[i].name : STR_NONE;

        if (!ret->is_object && !str_eq_nocase(q->v[i].name, p->name))
            continue;
        if (ret->is_object && !key.p)
            continue;
        q->v[i].is_used = true;
        keys[ret->n] = key;
        values[ret->n++] = q->v[i].value;
    }
}

static bool
check_other_query(struct judge *j, struct query *q)
{
    for (uint32_t i = 0; i < q->n; i++) {
        bool is_named, is_key = j->ex->api && str_eq_nocase(q->v[i].name, j->ex->api->key_query);
        int action;

        if (q->v[i].is_used)
            continue;
        if (!action_of(j, &j->p->query, q->v[i].name, false, &is_named, &action))
            return false;
        if ((!is_key || is_named) && !parameter_unspecified(&j->v, action, KIND_QUERY_PARAMETER, q->v[i].name))
            return false;
    }
    return true;
}

static bool
check_query(struct judge *j)
{
    struct query *q = read_query(j->ex);
    struct str *values = q ? arena_new_array(j->ex->arena, struct str, 2 * (size_t)q->n + 1) : NULL;

    if (!values) {
        exchange_fail(j->ex, "no memory left for a validation");
        return !(j->v.has_failed = true);
    }
    for (uint32_t i = 0; i < j->op->n_parameters; i++) {
        const struct parameter *p = &j->op->parameters[i];
        struct parameter_values found;

        if (p->place != PARAMETER_QUERY)
            continue;
        gather(j, q, p, api_schemas_parameter(j->ex->schemas, j->op, i)->schema, values, values + q->n, &found);
        if (!check_specified(j, &j->p->query, i, KIND_QUERY_PARAMETER, &found))
            return false;
    }
    return check_other_query(j, q);
}

/* --- headers ------------------------------------------------------------------------------------------------------- */

#define HEADER_VALUES_MAX 64

/* What a client sends of its own accord. */
static bool
is_usual_header(const struct api *api, struct str name)
{
    static const char *const usual[] = {
        "Host", "Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Cache-Control", "Connection", "Content-Encoding",
        "Content-Length", "Content-Type", "Expect", "Forwarded", "Keep-Alive", "Pragma", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
        "traceparent", "tracestate", "User-Agent", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
    };

    for (size_t i = 0; i < COUNTOF(usual); i++)
        if (str_eq_nocase(name, str_from_c(usual[i])))
            return true;
    return api && str_eq_nocase(name, api->key_header);
}

static bool
is_specified_header(const struct operation *op, struct str name)
{
    for (uint32_t i = 0; i < op->n_parameters; i++)
        if (op->parameters[i].place == PARAMETER_HEADER && str_eq_nocase(op->parameters[i].name, name))
            return true;
    return false;
}

static bool
check_other_headers(struct judge *j)
{
    const struct http_headers *h = j->ex->request.headers;

    for (uint32_t i = 0; i < h->n; i++) {
        struct str name = h->v[i].name;
        bool is_named;
        int action;

        if (is_specified_header(j->op, name))
            continue;
        if (!action_of(j, &j->p->headers, name, false, &is_named, &action))
            return false;
        if ((is_named || !is_usual_header(j->ex->api, name)) && !parameter_unspecified(&j->v, action, KIND_REQUEST_HEADER, name))
            return false;
    }
    return true;
}

static bool
check_headers(struct judge *j)
{
    for (uint32_t i = 0; i < j->op->n_parameters; i++) {
        const struct parameter *p = &j->op->parameters[i];
        struct str values[HEADER_VALUES_MAX];
        struct parameter_values found = {.name = p->name, .values = values};
        const struct http_field *f;
        uint32_t at = 0;

        if (p->place != PARAMETER_HEADER)
            continue;
        while (found.n < HEADER_VALUES_MAX && (f = http_headers_next(j->ex->request.headers, p->name, &at)))
            values[found.n++] = f->value;
        if (!check_specified(j, &j->p->headers, i, KIND_REQUEST_HEADER, &found))
            return false;
    }
    return check_other_headers(j);
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct validate_parameters *p = conf;
    struct judge j = {.p = p, .ex = ex, .v = validation_begin(ex, p->variable), .op = ex->operation};
    int action;

    if (!ex->operation || ex->operation->is_implicit || api_schemas_state(ex->schemas) != DEFINITION_THERE) {
        if (!pvalue_enum(ex, &p->specified, validation_actions, &action))
            return FLOW_ERROR;
        parameter_no_definition(&j.v, action);
        return validation_end(&j.v);
    }
    if (check_path(&j) && check_query(&j))
        check_headers(&j);
    return validation_end(&j.v);
}

const struct policy_def policy_validate_parameters = {
    .name = "validate-parameters", .sections = IN_INBOUND, .scopes = AT_ALL, .once = true, .needs_schemas = true, .attrs = attrs,
    .children = children, .size = sizeof(struct validate_parameters), .run = run,
    .summary = "Validates path, query and header parameters of the request against the API's definition.",
    .usage = "A value is read as its schema's type says, lists and objects by the parameter's style, then the schema judges it.\n"
             "Names of query parameters and headers match in any case. prevent answers 400 with the first thing found.",
};
