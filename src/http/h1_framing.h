/* h1_framing.h: the one place that decides where an HTTP/1 message ends and whether its connection lives on. Every
 * rule that keeps two readers of the same bytes from seeing two different messages stands here (robustness A1-A3,
 * A7, A9, A11, A16, A17, B1-B3).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/h1_head.h"

enum h1_body_kind {
    H1_BODY_NONE,
    H1_BODY_LENGTH,                   /* content_length bytes, at least one */
    H1_BODY_CHUNKED,
    H1_BODY_UNTIL_CLOSE,              /* responses only */
};

struct h1_framing {
    enum h1_body_kind kind;
    bool keep_alive;                  /* as far as this message goes */
    bool expects_continue;            /* a request that waits for 100 */
};

/* Judges a parsed request and fills what the head means: authority, scheme (from an absolute target, else
 * `scheme`), path, query, content_length, has_body. False: refuse with *why and close. */
bool h1_frame_request(struct http_request *request, struct str scheme, bool has_underscore,
                      struct h1_framing *ret, struct h1_refusal *why);
/* The same for the answer to a request with this method; fills content_length. 1xx heads are framed too (no body). */
bool h1_frame_response(struct http_response *response, enum http_method method,
                       struct h1_framing *ret, struct h1_refusal *why);
/* Takes what a trailer may not say out of it (A14). */
void h1_clean_trailers(struct http_headers *trailers, bool has_underscore);
