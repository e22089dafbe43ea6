/* p_set_status.c: <set-status code="404" reason="Not Found" />
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/parts.h"

struct set_status {
    struct pvalue code, reason;
};

static const struct attr_def attrs[] = {
    VALUE_U32(struct set_status, code, "code", .required = true, .min = 200, .max = 999, .about = "The status code."),
    VALUE_STR(struct set_status, reason, "reason", .about = "The reason phrase.",
              .unverified = "Without one, or with an empty one, the usual phrase of the code is sent."),
    ATTR_END
};

bool
set_status_apply(const void *conf, struct exchange *ex, struct reply *reply)
{
    const struct set_status *s = conf;
    struct str reason;
    uint32_t code;

    if (!pvalue_u32(ex, &s->code, &code) || !pvalue_str(ex, &s->reason, &reason))
        return false;
    if (code < 200 || code > 999) {
        exchange_fail(ex, "%u is not the status of an answer", code);
        return false;
    }
    if (!check_header_value(ex, STR("reason"), reason))
        return false;
    reply->status = (uint16_t)code;
    reply->reason = reason.len ? reason : STR_NONE;
    return true;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    struct reply *reply = exchange_response(ex);

    return reply && set_status_apply(conf, ex, reply) ? FLOW_NEXT : FLOW_ERROR;
}

const struct policy_def policy_set_status = {
    .name = "set-status", .sections = IN_ALL, .scopes = AT_ALL,
    .attrs = attrs, .size = sizeof(struct set_status), .run = run,
    .summary = "Changes the status of the answer; headers and body stay.",
};
