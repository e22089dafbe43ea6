/* limits.c: limits.def as a table.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/limits.h"

#define BYTES HTTP_LIMIT_BYTES
#define COUNT HTTP_LIMIT_COUNT
#define MS HTTP_LIMIT_MS

const struct http_limit_def http_limit_defs[] = {
#define LIMIT(field, name, kind, standard, min, max, status, doc) \
    {STR_INIT(name), kind, standard, min, max, status, STR_INIT(doc), offsetof(struct http_limits, field)},
#include "http/limits.def"
#undef LIMIT
};
const size_t http_limit_defs_n = COUNTOF(http_limit_defs);

void
http_limits_init(struct http_limits *l)
{
    for (size_t i = 0; i < http_limit_defs_n; i++)
        *(int64_t *)((char *)l + http_limit_defs[i].offset) = http_limit_defs[i].standard;
}

const struct http_limit_def *
http_limit_find(struct str name)
{
    for (size_t i = 0; i < http_limit_defs_n; i++)
        if (str_eq(name, http_limit_defs[i].name))
            return &http_limit_defs[i];
    return NULL;
}
