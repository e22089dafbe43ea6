/* p_emit_metric.c: <emit-metric name="orders" namespace="shop" value="1"> <dimension name="Client IP" value="..." />+ </emit-metric>
 * Adds a value to a figure of /metrics, told apart by its dimensions. Some dimensions have a value of their own ("API ID"); requests
 * decide what the others hold, so the number of series is bounded (observe/emitted.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "model/api.h"
#include "model/model.h"
#include "observe/emitted.h"
#include "observe/metrics.h"
#include "policy/compile.h"

#define CUSTOM_MAX 5u                 /* by the newest reference */
#define CUSTOM_MAX_OLD 10u            /* by older ones: more cannot be in a document that ran */

struct dimension {
    struct pvalue name, value;
};

struct emit_metric {
    struct str name, name_space;
    struct pvalue value;
    struct children dimensions;
};

static const struct attr_def dimension_attrs[] = {
    VALUE_STR(struct dimension, name, "name", .required = true, .about = "Name of the dimension."),
    VALUE_STR(struct dimension, value, "value", .about = "Its value; may be left out where the name has one of its own.",
              .unverified = "Left out for another name it is the empty text; Azure refuses such a document."),
    ATTR_END
};

static const struct attr_def attrs[] = {
    ATTR_STR(struct emit_metric, name, "name", .required = true, .about = "Name of the metric."),
    ATTR_STR(struct emit_metric, name_space, "namespace", .fallback = "API Management", .about = "Namespace of the metric."),
    VALUE_F64(struct emit_metric, value, "value", .fallback = "1", .about = "What is added.",
              .unverified = "NaN and infinities are not counted; the trace says so."),
    ATTR_END
};

static const struct child_def children[] = {
    {.name = "dimension", .offset = offsetof(struct emit_metric, dimensions), .size = sizeof(struct dimension),
     .attrs = dimension_attrs, .about = "What the figure is told apart by; at most five beside those with a value of their own."},
    CHILD_END
};

/* ---- dimensions that have a value of their own ---- */

static struct str
api_id(const struct exchange *ex)
{
    return ex->api ? ex->api->root_name : STR("");
}

static struct str
operation_id(const struct exchange *ex)
{
    return ex->operation ? ex->operation->name : STR("");
}

static struct str
product_id(const struct exchange *ex)
{
    return ex->product ? ex->product->name : STR("");
}

static struct str
user_id(const struct exchange *ex)
{
    return ex->user ? ex->user->name : STR("");
}

static struct str
subscription_id(const struct exchange *ex)
{
    return ex->subscription ? ex->subscription->name : STR("");
}

static struct str
location(const struct exchange *ex)
{
    return ex->model->settings.deployment.region;
}

static struct str
gateway_id(const struct exchange *ex)
{
    return ex->model->settings.deployment.gateway_id;
}

static const struct {
    struct str name;
    struct str (*value)(const struct exchange *ex);
} defaults[] = {
    {STR_INIT("API ID"), api_id}, {STR_INIT("Operation ID"), operation_id}, {STR_INIT("Product ID"), product_id},
    {STR_INIT("User ID"), user_id}, {STR_INIT("Subscription ID"), subscription_id}, {STR_INIT("Location"), location},
    {STR_INIT("Gateway ID"), gateway_id},
};

/* -1 when the name has no value of its own. */
static int
find_default(struct str name)
{
    for (size_t i = 0; i < COUNTOF(defaults); i++)
        if (str_eq(defaults[i].name, name))
            return (int)i;
    return -1;
}

/* ---- running ---- */

static bool
dimension_value(struct exchange *ex, const struct dimension *d, struct emitted_dimension *ret)
{
    int own;

    if (!pvalue_str(ex, &d->name, &ret->name))
        return false;
    if (pvalue_is_set(&d->value))
        return pvalue_str(ex, &d->value, &ret->value);
    own = find_default(ret->name);
    ret->value = own < 0 ? STR("") : defaults[own].value(ex);
    return true;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct emit_metric *e = conf;
    struct worker_metrics *figures = ex->services->figures;
    struct emitted_dimension dimensions[EMITTED_DIMENSIONS_MAX];
    uint32_t n = 0;
    double value;

    if (!pvalue_f64(ex, &e->value, &value))
        return FLOW_ERROR;
    CHILDREN(&e->dimensions, struct dimension, d)
        if (!dimension_value(ex, d, &dimensions[n++]))
            return FLOW_ERROR;
    if (!figures || !figures->emitted)
        return FLOW_NEXT;
    if (!isfinite(value))
        exchange_trace(ex, TRACE_ERROR, STR("emit-metric"), STR("the value is no finite number and was not counted"));
    else if (!emitted_add(figures->emitted, ex->arena, e->name_space, e->name, dimensions, n, value))
        metric_add(figures, METRIC_EMITTED_OVERFLOWS, 1);
    return FLOW_NEXT;
}

/* ---- loading ---- */

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    const struct emit_metric *e = conf;
    uint32_t custom = 0;

    CHILDREN(&e->dimensions, struct dimension, d) {
        bool is_own = !d->name.program && find_default(d->name.text) >= 0;

        custom += !is_own;
        if (!is_own && !d->name.program && !pvalue_is_set(&d->value) &&
            !compile_strict(c, n, "the dimension `%.*s` needs a value; without one it is empty", STR_ARG(d->name.text)))
            return false;
    }
    if (e->dimensions.n == 0 && !compile_strict(c, n, "Azure needs a <dimension>"))
        return false;
    if (custom > CUSTOM_MAX_OLD)
        return compile_error(c, n, "%u dimensions of its own, at most %u are allowed", custom, CUSTOM_MAX_OLD);
    if (e->dimensions.n > EMITTED_DIMENSIONS_MAX)
        return compile_error(c, n, "%u dimensions, at most %u are allowed", e->dimensions.n, EMITTED_DIMENSIONS_MAX);
    return custom <= CUSTOM_MAX || compile_strict(c, n, "%u dimensions of its own; Azure allows %u", custom, CUSTOM_MAX);
}

const struct policy_def policy_emit_metric = {
    .name = "emit-metric", .sections = IN_ALL, .scopes = AT_ALL,
    .attrs = attrs, .children = children, .size = sizeof(struct emit_metric), .compile = compile, .run = run,
    .summary = "Adds a value to a figure of /metrics.",
    .usage = "The figures are the summary `headgate_emitted`, labelled with namespace, metric and the dimensions, whose names are written "
             "with `_` for what no label may hold.\nAPI ID, Operation ID, Product ID, User ID, Subscription ID, Location and Gateway ID "
             "have a value of their own.\nThere are at most `limits: emitted-series` series; values that would need one more are counted "
             "in the metric's series with overflow=\"true\".",
};
