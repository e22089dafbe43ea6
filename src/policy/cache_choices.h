/* cache_choices.h: which cache a policy speaks to.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cache/tiers.h"
#include "policy/policy.h"

static const struct choice caching_types[] = {
    {"prefer-external", CACHING_PREFER_EXTERNAL}, {"external", CACHING_EXTERNAL}, {"internal", CACHING_INTERNAL}, {NULL},
};
