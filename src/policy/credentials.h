/* credentials.h: credentials that policies and children of send-request put on a message.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "policy/policy.h"

struct http_headers;

extern const struct policy_def policy_authentication_managed_identity;

/* The token of authentication-managed-identity as Authorization, or into its variable. False with ex->error set. Yields. */
MUST_USE bool managed_identity_apply(const void *conf, struct exchange *ex, struct http_headers *headers);
