/* conditional.h: what a client asks of an answer that is at hand: not again if it has it, or one range of it (RFC 9110 13, 14).
 * Only what caches may decide: If-Match and If-Unmodified-Since are the origin's.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/message.h"

/* Weak comparison of two entity tags, as If-None-Match wants it. */
bool http_etag_matches(struct str a, struct str b);
/* Is one of the list's tags this one? `*` is any. */
bool http_etag_listed(struct str list, struct str etag);
/* Would an answer with these fields be a 304 to the request? If-None-Match alone counts when it is there. */
bool http_is_not_modified(const struct http_headers *request, const struct http_headers *answer);
/* Does If-Range, when it is there, name this very answer? A range counts only then. */
bool http_range_applies(const struct http_headers *request, const struct http_headers *answer);

enum http_range_result {
    HTTP_RANGE_ALL,                   /* none asked for, not valid, or several that are not one piece: send it all */
    HTTP_RANGE_PART,
    HTTP_RANGE_UNSATISFIABLE,         /* 416 */
};
/* A Range field against a body of `length` bytes. *ret_from is the first byte, *ret_to the one behind the last. */
enum http_range_result http_range_read(struct str field, uint64_t length, uint64_t *ret_from, uint64_t *ret_to);
