/* h1_head.h: the strict HTTP/1 head parser, one grammar for requests, responses and trailers.
 *
 * A head is parsed from one contiguous buffer in one pass; a head that is not all there yet is parsed again from
 * its start when new bytes hold a line end. What RFC 9112 lets a recipient reject is rejected: lines end with CR
 * LF, nothing is folded, no blank stands before a colon, names are tokens, values hold no control characters but
 * HTAB. What a head means (framing, Host, Expect) is decided in h1_framing.h.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/message.h"

/* Why a message is refused: a status for a client, a sentence for it or for a log. */
struct h1_refusal {
    uint16_t status;
    const char *why;                  /* a literal */
};

struct h1_head_limits {
    uint32_t target_bytes;
    uint32_t fields;
    uint32_t trailer_bytes;           /* of a chunked body; 0: H1_TRAILER_BYTES */
    uint32_t extension_bytes;         /* of its chunk lines together */
};

enum {
    H1_MORE = 0,                      /* nothing wrong so far */
    H1_BAD = -1,
};

/* Each returns the length of the head, its empty line included, or H1_MORE, or H1_BAD with *why. Views point into
 * `bytes`. headers->v must have room for limits->fields fields; they never grow. Fields that nobody parsed are
 * left alone: scheme, authority, path, query, framing. has_underscore: a name with '_' is there, see
 * h1_frame_request(). */
ptrdiff_t h1_parse_request(struct str bytes, const struct h1_head_limits *limits,
                           struct http_request *ret, bool *ret_has_underscore,
                           struct h1_refusal *why);
ptrdiff_t h1_parse_response(struct str bytes, const struct h1_head_limits *limits,
                            struct http_response *ret, struct h1_refusal *why);
/* Field lines up to and with an empty line: trailers. */
ptrdiff_t h1_parse_fields(struct str bytes, const struct h1_head_limits *limits,
                          struct http_headers *ret, bool *ret_has_underscore,
                          struct h1_refusal *why);
