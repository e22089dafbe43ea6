/* cors.h: the part of cors that answers preflights, for plan.c.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "policy/policy.h"

extern const struct policy_def policy_cors;

enum preflight { PREFLIGHT_ANSWERED, PREFLIGHT_UNMATCHED, PREFLIGHT_FAILED };
/* Looks at one cors policy for a preflight. ANSWERED: ex->response is set. Yields. */
enum preflight cors_preflight(const void *conf, struct exchange *ex);
