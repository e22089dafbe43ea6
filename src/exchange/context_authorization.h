/* context_authorization.h: Authorization objects, for the policy that obtains one.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "clr/collections.h"

/* claims is a Dictionary<string, object> or NULL: none. NULL after a budget was exceeded. */
struct object *authorization_new(struct call *c, struct str access_token, struct clr_table *claims);
/* Dictionary<string, object>, to make claims of. */
const struct type *authorization_claims_type(const struct expr_env *env);
