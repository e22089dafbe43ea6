/* h2_head.h: header blocks of HTTP/2 as messages, and messages as header blocks. nghttp2 decodes HPACK and checks the
 * order of pseudo-fields; what may stand in a field, what makes a request whole and what it means is decided here and,
 * with the very rules of HTTP/1, in h1_framing.c.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <nghttp2/nghttp2.h>

#include "http/h1_framing.h"

struct h2_head_limits {
    uint32_t bytes;                   /* names and values, and 32 a field, as SETTINGS counts them */
    uint32_t fields;
    uint32_t target_bytes;
};

/* A header block while it comes. */
struct h2_head {
    struct arena *arena;              /* keeps copies of all text */
    const struct h2_head_limits *limits;
    struct http_headers headers;      /* without pseudo-fields */
    struct str method, scheme, authority, path, protocol;
    uint16_t status;                  /* :status */
    uint32_t bytes, fields;
    bool has_underscore;
    bool is_too_large;                /* nothing is kept any more: 431 */
};

enum h2_field_verdict {
    H2_FIELD_OK,
    H2_FIELD_BAD,                     /* malformed: the stream ends with PROTOCOL_ERROR (robustness C7, C8) */
    H2_FIELD_FLOOD,                   /* far above the limits: the connection ends with ENHANCE_YOUR_CALM (C5) */
};

void h2_head_init(struct h2_head *h, struct arena *arena, const struct h2_head_limits *limits);
/* One decoded field; both are copied. */
enum h2_field_verdict h2_head_add(struct h2_head *h, struct str name, struct str value);

enum h2_head_verdict {
    H2_HEAD_OK,
    H2_HEAD_BAD,                      /* PROTOCOL_ERROR */
    H2_HEAD_REFUSED,                  /* answer with why->status */
};
/* The block was a request's. A `Host` field is there afterwards, and one Cookie. An extended CONNECT becomes a GET with
 * ret->protocol, so that it finds its operation (RFC 8441). */
enum h2_head_verdict h2_head_request(struct h2_head *h, bool has_body, struct http_request *ret,
                                     bool *ret_expects_continue, struct h1_refusal *why);
/* The block was an answer's. */
enum h2_head_verdict h2_head_response(struct h2_head *h, bool has_body, enum http_method method,
                                      struct http_response *ret, struct h1_refusal *why);

/* Fields for nghttp2; names and values stay where they are, but for names that had to be put in lower case. */
struct h2_fields {
    nghttp2_nv *v;                    /* NULL: a name or value that may not be sent, or the arena is full */
    size_t n;
};
/* What the server adds where the message has no such field; empty: not at all. */
struct h2_extras {
    struct str date, server, request_id;
};
/* content_length below 0: none. */
struct h2_fields h2_response_fields(struct arena *arena, const struct http_response *r, int64_t content_length,
                                    const struct h2_extras *extras);
struct h2_fields h2_request_fields(struct arena *arena, const struct http_request *r, int64_t content_length,
                                   bool want_trailers, bool is_tunnel);
struct h2_fields h2_trailer_fields(struct arena *arena, const struct http_headers *trailers);
