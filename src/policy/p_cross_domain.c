/* p_cross_domain.c: <cross-domain><cross-domain-policy>...</cross-domain-policy></cross-domain>
 * Serves the policy file of old plug-ins at /crossdomain.xml.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/headers.h"
#include "policy/compile.h"

struct cross_domain {
    struct str document;
};

static const struct child_def children[] = {
    {.name = "cross-domain-policy", .is_opaque = true, .about = "The document to serve, as it is."},
    CHILD_END
};

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    struct cross_domain *d = conf;
    const struct node *policy = node_child(n, "cross-domain-policy");

    if (policy)
        d->document = str_printf(c->arena, "<?xml version=\"1.0\"?>\n<cross-domain-policy>%.*s</cross-domain-policy>",
                                 STR_ARG(policy->text.value));
    return true;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct cross_domain *d = conf;

    if (!d->document.p || !str_eq_lit(ex->original_url.path, "/crossdomain.xml"))
        return FLOW_NEXT;
    ex->response = reply_new(ex);
    if (!ex->response)
        return exchange_fail(ex, "no memory left for an answer");
    http_headers_add(ex->response->headers, STR("Content-Type"), STR("text/x-cross-domain-policy"));
    content_set(&ex->response->content, d->document);
    return FLOW_RETURN;
}

const struct policy_def policy_cross_domain = {
    .name = "cross-domain", .sections = IN_INBOUND, .scopes = AT_GLOBAL,
    .children = children, .size = sizeof(struct cross_domain), .compile = compile, .run = run,
    .summary = "Serves a cross-domain policy file at /crossdomain.xml.",
    .usage = "Answers GET /crossdomain.xml, which no API has to match.",
};
