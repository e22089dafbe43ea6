/* p_mock_response.c: <mock-response status-code="200" content-type="application/json" />
 * Ends the pipeline with what the API's specification promises: an example of the operation, else a sample made from its
 * schema, else an empty body.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/headers.h"
#include "model/api.h"
#include "policy/policy.h"

struct mock_response {
    uint32_t status;
    struct str content_type;
    uint32_t index;
};

static const struct attr_def attrs[] = {
    ATTR_U32(struct mock_response, status, "status-code", .fallback = "200", .min = 200, .max = 599,
             .about = "Status of the answer, and which described response is used."),
    ATTR_STR(struct mock_response, content_type, "content-type",
             .about = "Which representation is used; the first one when left out."),
    ATTR_U32(struct mock_response, index, "index", .fallback = "0", .about = "Which example, counted from 0."),
    ATTR_END
};

static const struct representation *
find_representation(const struct operation *op, const struct mock_response *m)
{
    const struct operation_response *r = op ? operation_find_response(op, (uint16_t)m->status) : NULL;

    return r ? response_find_representation(r, m->content_type) : NULL;
}

static struct str
body_of(const struct representation *r, uint32_t index)
{
    if (r && r->n_examples)
        return r->examples[MIN(index, r->n_examples - 1)].body;
    return r ? r->sample : STR_NONE;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct mock_response *m = conf;
    const struct representation *r = find_representation(ex->operation, m);
    struct reply *reply = reply_new(ex);
    struct str body = body_of(r, m->index), type = r ? r->content_type : m->content_type;

    if (!reply)
        return exchange_fail(ex, "no memory left for an answer");
    reply->status = (uint16_t)m->status;
    if (type.len)
        http_headers_add_id(reply->headers, HTTP_CONTENT_TYPE, STR("Content-Type"), type);
    content_set(&reply->content, body.p ? body : STR(""));
    if (ex->response)
        content_close(&ex->response->content);
    ex->response = reply;
    return FLOW_RETURN;
}

const struct policy_def policy_mock_response = {
    .name = "mock-response", .sections = IN_INBOUND | IN_OUTBOUND | IN_ON_ERROR, .scopes = AT_ALL,
    .attrs = attrs, .size = sizeof(struct mock_response), .run = run,
    .summary = "Ends the pipeline with an example of the API's specification.",
    .usage = "The operation's example for that status and content type; else a sample made from its schema; else no body.",
};
