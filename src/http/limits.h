/* limits.h: the server's limits as one struct drawn from limits.def.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/base.h"

struct http_limits {
#define LIMIT(field, standard, doc) int64_t field;
#include "http/limits.def"
#undef LIMIT
};

/* Every limit at its default. */
static inline void
http_limits_init(struct http_limits *l)
{
    *l = (struct http_limits){
#define LIMIT(field, standard, doc) .field = standard,
#include "http/limits.def"
#undef LIMIT
    };
}
