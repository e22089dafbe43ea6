/* credentials.h: credentials, certificates and proxies, as policies of the request and as children of send-request.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "policy/policy.h"

struct http_headers;
struct http_proxy;
struct loaded_certificate;

extern const struct policy_def policy_authentication_managed_identity, policy_authentication_certificate, policy_proxy;

/* Each false with ex->error set. Yield. */

/* The token of authentication-managed-identity as Authorization, or into its variable. */
MUST_USE bool managed_identity_apply(const void *conf, struct exchange *ex, struct http_headers *headers);
/* The certificate that authentication-certificate names; lives as long as the configuration. */
MUST_USE bool client_certificate_find(const void *conf, struct exchange *ex, const struct loaded_certificate **ret);
/* The proxy, in the exchange's arena. */
MUST_USE bool proxy_find(const void *conf, struct exchange *ex, const struct http_proxy **ret);
