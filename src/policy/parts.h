/* parts.h: policies that other policies hold: set-header in send-request, set-body in return-response ... Each works on a
 * message it is given.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "policy/policy.h"

struct http_headers;

enum exists_action { EXISTS_OVERRIDE, EXISTS_SKIP, EXISTS_APPEND, EXISTS_DELETE };
extern const struct choice exists_actions[];

extern const struct policy_def policy_set_header, policy_set_body, policy_set_status, policy_set_method;

/* One set-header on these headers. False with ex->error set. Yields. */
MUST_USE bool set_header_apply(const void *conf, struct exchange *ex, struct http_headers *headers);
/* One set-body: replaces the content; headers give its type to templates. Yields. */
MUST_USE bool set_body_apply(const void *conf, struct exchange *ex, struct content *content, struct http_headers *headers);
/* True when the body is computed from the message itself, so that it must still be there. */
MUST_USE bool set_status_apply(const void *conf, struct exchange *ex, struct reply *reply);
/* The method as text; ERR when it is no token. Yields. */
MUST_USE bool set_method_value(const void *conf, struct exchange *ex, struct str *ret);

/* A value for a head: CR, LF, NUL and other controls are refused, never cleaned. False with ex->error set. */
MUST_USE bool check_header_value(struct exchange *ex, struct str name, struct str value);
