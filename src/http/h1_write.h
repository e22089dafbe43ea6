/* h1_write.h: heads and chunk lines as bytes. Framing is written here and nowhere else; fields of the message that
 * concern framing or the connection are left out.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/message.h"

/* How the message will be framed on this connection. */
struct h1_out {
    int64_t content_length;           /* >= 0 is written; HTTP_LENGTH_UNKNOWN: no Content-Length */
    bool is_chunked;
    bool want_close;                  /* Connection: close */
    bool want_keep_alive;             /* Connection: keep-alive, for HTTP/1.0 */
    bool want_trailers;               /* TE: trailers, named in Connection */
    bool expect_continue;
    struct str absolute;              /* requests: put before the path, for a proxy; STR_NONE: none */
    struct str proxy_authorization;   /* STR_NONE: none */
    struct str upgrade;               /* Connection: Upgrade with this word; STR_NONE: none */
    struct str date;                  /* written unless the message has one; STR_NONE: none */
    struct str server;                /* likewise */
    struct str request_id;            /* likewise */
};

/* Bytes that the head takes at most. */
size_t h1_response_size(const struct http_response *r, const struct h1_out *out);
size_t h1_request_size(const struct http_request *r, const struct h1_out *out);
/* Writes into room of that size; returns the bytes used, 0 when a name or value holds what it may not (a line end, a
 * control character): such a head is never sent. */
size_t h1_write_response(char *to, const struct http_response *r, const struct h1_out *out);
size_t h1_write_request(char *to, const struct http_request *r, const struct h1_out *out);

#define H1_CHUNK_LINE_MAX 18
/* "1f4\r\n"; returns the bytes used. */
size_t h1_write_chunk_line(char to[H1_CHUNK_LINE_MAX], uint64_t size);
/* "0\r\n", the trailers, an empty line. trailers may be NULL. NULL-p when the arena is full or a value is invalid. */
struct str h1_write_last_chunk(struct arena *arena, const struct http_headers *trailers);
