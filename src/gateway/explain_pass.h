/* explain_pass.h: who may hear how the cache works. The value of Headgate-Explain: "1763600000.MAC", good until that second (an hour
 * ahead at most), made with the admin listener's token. Nobody without the token can make one, and none is good for long.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"

#define EXPLAIN_PASS_MAX_S 3600u

/* Appends a pass that is good until then. */
bool explain_pass_make(struct buf *to, struct str token, uint64_t until_s);
bool explain_pass_is_good(struct str pass, struct str token, uint64_t now_s);
