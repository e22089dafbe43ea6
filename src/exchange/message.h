/* message.h: the request and the responses that policies look at and edit: plain structs in the exchange's arena. They are
 * never what is on the wire: each attempt renders its own head from them, and the front renders the answer.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "backend/url.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct body;          /* http/body.h */
struct fiber_cond;    /* rt/sync.h */
struct pieces;
struct exchange;
struct http_headers;  /* http/headers.h */

/* What a message carries. Reading without keeping turns a body into CONSUMED: to expressions it is then null, and nothing
 * is sent in its place unless set-body puts something there. */
enum content_state {
    CONTENT_NONE,                 /* no body */
    CONTENT_STREAM,               /* bytes still come from `stream` */
    CONTENT_BYTES,                /* all of it is in `bytes` */
    CONTENT_PIECES,               /* all of it is in `pieces`, counted, outside the arena */
    CONTENT_CONSUMED,
    CONTENT_READING,              /* a fiber reads the stream to its end; other branches of wait that need the body wait for it */
};

struct content {
    enum content_state state;
    struct body *stream;          /* STREAM: owned by the message, closed by content_close() */
    struct str bytes;             /* BYTES: the exchange's arena, or a plan's; PIECES: joined at first need, or STR_NONE */
    struct pieces *pieces;        /* PIECES: freed with the exchange's arena */
    struct fiber_cond *reading;   /* READING: what others wait for */
};

/* Reads a STREAM to its end into PIECES, or waits for the fiber that does; other states stay. ERR_LIMIT above the limit of one body,
 * ERR_BUSY when those of all exchanges are at theirs. Yields. */
MUST_USE bool content_buffer(struct exchange *ex, struct content *c, struct err *err);
/* All of a body as one view, Content-Encoding as it came; it becomes CONSUMED when !is_kept. STR_NONE for NONE and
 * CONSUMED. Yields. */
MUST_USE bool content_read(struct exchange *ex, struct content *c, bool is_kept, struct str *ret, struct err *err);
/* The same with gzip, deflate or br undone when `headers` say so; what is kept stays as it came. Yields. */
MUST_USE bool content_read_decoded(struct exchange *ex, struct content *c, const struct http_headers *headers, bool is_kept,
                                   struct str *ret, struct err *err);
/* A reader of what the message carries, for sending it: NULL for NONE and CONSUMED. A STREAM is handed over and becomes
 * CONSUMED; others can be asked for again. False when the arena is full. May yield. */
MUST_USE bool content_body(struct exchange *ex, struct content *c, struct body **ret);
bool content_is_empty(const struct content *c);
/* Puts bytes that live as long as the exchange in place of whatever was there. */
void content_set(struct content *c, struct str bytes);
/* Copies bytes of any size: a large body is kept outside the arena and counted. ERR_NO_MEMORY
 * leaves what was there. */
MUST_USE bool content_set_copy(struct exchange *ex, struct content *c, struct str bytes, struct err *err);
/* NULL is fine. */
void content_close(struct content *c);

struct request {
    struct str method;
    struct http_headers *headers;
    struct content *content;      /* the exchange's; branches of wait share it */
    /* Where it goes below the backend's base address (exchange_request_url() gives the whole). */
    struct str path;              /* below the API's prefix; begins with '/', or is empty */
    struct str query;             /* without '?'; STR_NONE when there is none */
};

/* A response that policies see: context.Response, and what send-request leaves in a variable. */
struct reply {
    uint16_t status;
    int64_t announced_length;     /* of a body that is not sent (the answer to HEAD, 304); -1: not said */
    struct str reason;            /* STR_NONE: the standard phrase */
    struct http_headers *headers;
    struct content content;
};

/* 200, no headers, no body. NULL when the arena is full. */
struct reply *reply_new(struct exchange *ex);
/* Its own head and its own view of the same kept bytes; a stream stays with `from`. NULL when the arena is full. */
struct reply *reply_copy(struct exchange *ex, const struct reply *from);
