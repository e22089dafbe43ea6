/* overrides.h: `resolve:` of headgate.yaml as connections take it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/options.h"
#include "net/connect.h"

/* For the life of the process: names lead to the same places under every configuration. Rules whose address is none are
 * left out. In `a`. */
struct connect_override *overrides_new(const struct options *options, struct arena *a, size_t *ret_n);
