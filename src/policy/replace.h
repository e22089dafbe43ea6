/* replace.h: replacing text in the body of a message.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "policy/policy.h"

/* Every `from` by `to` in the body that the section's policies act on; false with ex->error set. Reads the body, yields. */
MUST_USE bool replace_in_body(struct exchange *ex, struct str from, struct str to);
