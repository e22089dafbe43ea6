/* limits.h: the server's limits as one struct drawn from limits.def.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/pace.h"

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

/* What a client must take of an answer. */
static inline struct pace_limit
http_limits_pace(const struct http_limits *l)
{
    return (struct pace_limit){.halt_ms = (uint32_t)l->write_ms, .rate = (uint32_t)l->write_rate, .grace_ms = (uint32_t)l->write_grace_ms};
}
