/* message.h: the request and the responses that policies look at and edit: plain structs in the exchange's arena. They are
 * never what is on the wire: each attempt renders its own head from them, and the front renders the answer.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct body;          /* http/body.h */
struct exchange;
struct http_headers;  /* http/headers.h */

/* An absolute address in parts, each as it is written (percent-encoding kept). */
struct url {
    struct str scheme;            /* lower case */
    struct str host;              /* lower case, IPv6 in brackets */
    uint16_t port;                /* never 0 */
    struct str path;              /* begins with '/' */
    struct str query;             /* without '?'; STR_NONE when there is none */
};

/* Parts of "http[s]://host[:port][/path][?query]"; a fragment is dropped. Views into text, but what has to change
 * (case, a missing path) comes from the arena. ERR_SYNTAX quotes the text. */
bool url_parse(struct arena *a, struct str text, struct url *ret, struct err *err);
/* The whole address; the scheme's own port is left out. */
struct str url_print(struct arena *a, const struct url *url);
bool url_has_default_port(const struct url *url);

/* What a message carries. Reading without keeping turns a body into CONSUMED: to expressions it is then null, and nothing
 * is sent in its place unless set-body puts something there. */
enum content_state {
    CONTENT_NONE,                 /* no body */
    CONTENT_STREAM,               /* bytes still come from `stream` */
    CONTENT_BYTES,                /* all of it is in `bytes` */
    CONTENT_CONSUMED,
};

struct content {
    enum content_state state;
    struct body *stream;          /* STREAM: owned by the message, closed by content_close() */
    struct str bytes;             /* BYTES: the exchange's arena, a plan's, or a buffer the exchange holds for us */
};

/* All of a body as one piece, Content-Encoding as it came. STREAM is read to its end (limits: ERR_LIMIT above
 * ex->limits->buffered_body_max) and becomes BYTES, or CONSUMED when !is_kept. NONE gives STR_NONE. Yields. */
MUST_USE bool content_read(struct exchange *ex, struct content *c, bool is_kept, struct str *ret, struct err *err);
/* The same with gzip, deflate or br undone when `headers` say so; what is kept stays as it came. Yields. */
MUST_USE bool content_read_decoded(struct exchange *ex, struct content *c, const struct http_headers *headers, bool is_kept,
                                   struct str *ret, struct err *err);
/* Puts bytes that live as long as the exchange in place of whatever was there. */
void content_set(struct content *c, struct str bytes);
void content_close(struct content *c);

struct request {
    struct str method;
    struct http_headers *headers;
    struct content content;
    /* Where it goes below the backend's base address (exchange_request_url() gives the whole). */
    struct str path;              /* below the API's prefix; begins with '/', or is empty */
    struct str query;             /* without '?'; STR_NONE when there is none */
};

/* A response that policies see: context.Response, and what send-request leaves in a variable. */
struct reply {
    uint16_t status;
    struct str reason;            /* STR_NONE: the standard phrase */
    struct http_headers *headers;
    struct content content;
};

/* 200, no headers, no body. NULL when the arena is full. */
struct reply *reply_new(struct exchange *ex);
/* Its own head and its own view of the same kept bytes; a stream stays with `from`. NULL when the arena is full. */
struct reply *reply_copy(struct exchange *ex, const struct reply *from);
