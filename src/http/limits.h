/* limits.h: the server's limits as one struct drawn from limits.def.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

enum http_limit_kind { HTTP_LIMIT_BYTES, HTTP_LIMIT_COUNT, HTTP_LIMIT_MS };

struct http_limits {
#define LIMIT(field, name, kind, standard, min, max, status, doc) int64_t field;
#include "http/limits.def"
#undef LIMIT
};

struct http_limit_def {
    struct str name;                  /* in headgate.yaml */
    enum http_limit_kind kind;
    int64_t standard, min, max;
    uint16_t status;                  /* what a client sees; 0: a closed connection */
    struct str doc;
    size_t offset;                    /* in struct http_limits */
};

extern const struct http_limit_def http_limit_defs[];
extern const size_t http_limit_defs_n;

/* Every limit at its default. */
void http_limits_init(struct http_limits *l);
/* NULL when there is no such limit. */
const struct http_limit_def *http_limit_find(struct str name);
