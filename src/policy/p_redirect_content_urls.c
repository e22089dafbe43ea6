/* p_redirect_content_urls.c: <redirect-content-urls />
 * In outbound, the backend's base address in the answer's body becomes the gateway's own; in inbound, the other way round in
 * the request's. A plain comparison of text; headers are not touched.
 * SPDX-License-Identifier: Apache-2.0 */
#include "backend/target.h"
#include "policy/replace.h"

/* The base address without a trailing slash, as it would stand in a document. */
static struct str
backend_base(struct exchange *ex)
{
    struct url base;
    struct str text;

    if (!ex->target || !ex->target->text.p)
        return STR_NONE;
    base = ex->target->base;
    base.query = STR_NONE;
    text = url_print(ex->arena, &base);
    return text.len && text.p[text.len - 1] == '/' ? str_sub(text, 0, text.len - 1) : text;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    struct str backend = backend_base(ex), gateway = ex->gateway_base;
    bool is_request = ex->section == SECTION_INBOUND || ex->section == SECTION_BACKEND;

    if (!backend.len || !gateway.len)
        return FLOW_NEXT;
    return replace_in_body(ex, is_request ? gateway : backend, is_request ? backend : gateway) ? FLOW_NEXT : FLOW_ERROR;
}

const struct policy_def policy_redirect_content_urls = {
    .name = "redirect-content-urls", .sections = IN_INBOUND | IN_OUTBOUND, .scopes = AT_ALL, .once = true, .body = BODY_WHOLE,
    .run = run,
    .summary = "Replaces the backend's address in bodies by the gateway's.",
    .usage = "https://backend.host/base matches as it is written; with the default port spelled out it does not.",
};
