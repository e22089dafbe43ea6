/* rate.h: what rate-limit and rate-limit-by-key share: headers and variables that tell the client and later policies.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/limits.h"
#include "policy/policy.h"

struct rate_names {
    struct str retry_header, retry_variable, remaining_header, remaining_variable, total_header;
};

#define RATE_NAME_ATTRS(type, field) \
    ATTR_STR(type, field.retry_header, "retry-after-header-name", .fallback = "Retry-After", .is_header_name = true, \
             .about = "Header of a refusal that says when to come back."), \
    ATTR_STR(type, field.retry_variable, "retry-after-variable-name", .about = "Variable for those seconds."), \
    ATTR_STR(type, field.remaining_header, "remaining-calls-header-name", .is_header_name = true, \
             .about = "Header with the calls that are left."), \
    ATTR_STR(type, field.remaining_variable, "remaining-calls-variable-name", .about = "Variable with the calls that are left."), \
    ATTR_STR(type, field.total_header, "total-calls-header-name", .is_header_name = true, .about = "Header with the limit.")

/* After a call was let through: what remains of `limit`. False when memory is short. */
MUST_USE bool rate_tell(struct exchange *ex, const struct rate_names *names, uint32_t limit, uint32_t remaining);
/* A refusal: 429, Retry-After. Always FLOW_ERROR. */
enum flow rate_refuse(struct exchange *ex, const struct rate_names *names, uint32_t limit, uint32_t wait_s);
