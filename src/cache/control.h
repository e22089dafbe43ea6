/* control.h: what Cache-Control and its kin say. One struct for requests and responses; a directive that is there and makes
 * no sense is read the careful way: a lifetime becomes 0, a list of fields becomes "all".
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

enum control_flag {
    CONTROL_NO_STORE = 1,
    CONTROL_NO_CACHE = 2,             /* without a list of fields */
    CONTROL_PRIVATE = 4,              /* without a list of fields */
    CONTROL_PUBLIC = 8,
    CONTROL_MUST_REVALIDATE = 16,
    CONTROL_PROXY_REVALIDATE = 32,
    CONTROL_MUST_UNDERSTAND = 64,     /* RFC 9111 5.2.2.3 */
    CONTROL_NO_TRANSFORM = 128,
    CONTROL_IMMUTABLE = 256,          /* RFC 8246 */
    CONTROL_ONLY_IF_CACHED = 512,
    CONTROL_ANY_STALE = 1024,         /* max-stale without a number */
};

#define CONTROL_SECONDS_MAX ((int64_t)1 << 31)   /* RFC 9111 1.2.2: more is as much */

struct cache_control {
    unsigned flags;                   /* or-ed enum control_flag */
    bool is_there;                    /* some directive was read */
    /* Seconds; -1: not there. */
    int64_t max_age, s_maxage, stale_while_revalidate, stale_if_error, min_fresh, max_stale;
    struct str no_cache_fields, private_fields;   /* no-cache="a, b"; views, of the last one; STR_NONE */
};

void cache_control_init(struct cache_control *c);
/* Adds the directives of one field line; call it for each. */
void cache_control_read(struct cache_control *c, struct str value);
/* A targeted field (RFC 9213): a Structured Field dictionary. False when it is empty or not a valid one, or a directive
 * we know has another type than it must: then the field is as if it were not there, and *c is not to be used. */
bool cache_control_read_targeted(struct cache_control *c, struct str value);
/* Surrogate-Control: content="..." is skipped, max-age=N+M gives M seconds of staleness. */
void cache_control_read_surrogate(struct cache_control *c, struct str value);
/* delta-seconds: digits only; above CONTROL_SECONDS_MAX that; -1 for anything else. */
int64_t cache_seconds_parse(struct str text);
