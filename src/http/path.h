/* path.h: the one normal form of a request's path, used for routing, policies, cache keys, logs and forwarding.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct arena;

enum http_path_flags {
    HTTP_PATH_ENCODED_SLASH = 1,      /* %2f and %5c are let through, as they are */
    HTTP_PATH_KEEP_EMPTY = 2,         /* `//` stays; otherwise it becomes `/` */
};

/* Normal form: starts with '/'; dot segments removed; unreserved characters plain, all other escapes kept with
 * upper-case digits and never decoded a second time; raw bytes that a path may not hold are refused. ERR_SYNTAX
 * (400) says what and where: a climb above the root, %00, a broken escape, encoded slash or backslash, bytes that
 * are not UTF-8 once decoded, a dot segment with parameters ("..;"). A path that is in normal form already comes
 * back as it is, without a copy. */
bool http_path_normalise(struct arena *arena, struct str path, unsigned flags, struct str *ret,
                         struct err *err);

/* The query as it may be forwarded: what RFC 3986 does not allow there (raw `"<>\^{|}`, a lone '%') is escaped,
 * nothing is decoded. A view when it is fine already; STR_NONE stays. False when the arena is full. */
bool http_query_normalise(struct arena *arena, struct str query, struct str *ret);

/* The parts of a request target: origin-form, absolute-form (scheme and authority too), "*". Views. False for
 * others. */
struct http_target {
    struct str scheme, authority;     /* STR_NONE unless absolute-form */
    struct str path, query;           /* query: STR_NONE without '?' */
};
bool http_target_split(struct str target, struct http_target *ret);
