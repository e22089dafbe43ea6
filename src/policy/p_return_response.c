/* p_return_response.c: <return-response response-variable-name="r"> <set-status/> <set-header/>* <set-body/> </return-response>
 * Ends the pipeline with an answer of its own: the one in the variable, or an empty 200, then changed by the children.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/context.h"
#include "policy/parts.h"

struct return_response {
    struct str variable;
    struct children status, headers, body;
};

static const struct attr_def attrs[] = {
    ATTR_STR(struct return_response, variable, "response-variable-name",
             .about = "A variable with a response, as send-request leaves it."),
    ATTR_END
};

static const struct child_def children[] = {
    {.name = "set-status", .offset = offsetof(struct return_response, status), .policy = &policy_set_status, .once = true},
    {.name = "set-header", .offset = offsetof(struct return_response, headers), .policy = &policy_set_header},
    {.name = "set-body", .offset = offsetof(struct return_response, body), .policy = &policy_set_body, .once = true},
    CHILD_END
};

/* What the answer starts from; NULL with ex->error set. */
static struct reply *
start(const struct return_response *r, struct exchange *ex)
{
    const struct variable *variable;
    struct reply *from, *reply;

    if (!r->variable.len) {
        reply = reply_new(ex);
    } else {
        variable = exchange_variable(ex, r->variable);
        from = variable && variable->value ? context_reply_of(variable->value) : NULL;
        if (!from) {
            exchange_fail(ex, "variable '%.*s' holds no response", STR_ARG(r->variable));
            return NULL;
        }
        reply = reply_copy(ex, from);
    }
    if (!reply)
        exchange_fail(ex, "no memory left for an answer");
    return reply;
}

static bool
apply_headers(const struct return_response *r, struct exchange *ex, struct reply *reply)
{
    const char *conf = r->headers.v;

    for (uint32_t i = 0; i < r->headers.n; i++)
        if (!set_header_apply(conf + i * policy_set_header.size, ex, reply->headers))
            return false;
    return true;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct return_response *r = conf;
    struct reply *reply = start(r, ex);

    if (!reply)
        return FLOW_ERROR;
    if (r->status.n && !set_status_apply(r->status.v, ex, reply))
        return FLOW_ERROR;
    if (!apply_headers(r, ex, reply))
        return FLOW_ERROR;
    if (r->body.n && !set_body_apply(r->body.v, ex, &reply->content, reply->headers))
        return FLOW_ERROR;
    if (ex->response)
        content_close(&ex->response->content);
    ex->response = reply;
    return FLOW_RETURN;
}

const struct policy_def policy_return_response = {
    .name = "return-response", .sections = IN_ALL, .scopes = AT_ALL,
    .attrs = attrs, .children = children, .size = sizeof(struct return_response), .run = run,
    .summary = "Ends the pipeline and answers the client.",
    .usage = "Without a variable the answer starts as 200 with neither headers nor body. No other policy runs after it, of "
             "any scope or section.",
};
