/* basic_auth.h: authentication-basic on the headers of a message.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "policy/policy.h"

extern const struct policy_def policy_authentication_basic;
MUST_USE bool basic_auth_apply(const void *conf, struct exchange *ex, struct http_headers *headers);
