/* replace.h: replacing text in the body of a message.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "policy/policy.h"

/* Every `from` by `to`; false with ex->error set. Reads the body, yields. */
MUST_USE bool replace_in_content(struct exchange *ex, struct content *content, struct http_headers *headers, struct str from,
                                 struct str to);
