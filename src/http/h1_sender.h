/* h1_sender.h: an HTTP/1 message on its way out: a head that is written already, then a body pumped from wherever
 * it comes. Runs on callbacks: no fiber, no stack, while it waits for the socket or for the body. Server and
 * client use it.
 *
 * Head and small pieces are gathered in one buffer of the worker and go out in one send; large pieces are sent
 * from where they are. Only what a socket did not take at once is kept, in a pooled buffer.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/h1_input.h"
#include "http/h1_write.h"
#include "http/pace.h"

enum h1_sender_kind {
    H1_SEND_NOTHING,                  /* the head is all */
    H1_SEND_COUNTED,                  /* content_length bytes, no more and no less */
    H1_SEND_CHUNKED,
    H1_SEND_RAW,                      /* until the body ends: HTTP/1.0, tunnels */
};

/* Where heads and small pieces are gathered; one a worker. */
#define H1_SEND_PIECES 16             /* large pieces that go out in one call */
#define H1_SCRATCH_SIZE ((size_t)320 << 10)     /* the largest head that limits allow, and what we add; touched as far as used */
struct h1_scratch {
    struct h1_buffers *pool;
    char bytes[H1_SCRATCH_SIZE];
};

struct h1_sender {
    struct stream *stream;
    struct h1_scratch *scratch;
    struct arena *arena;              /* for trailers and heads that are too large for the scratch */
    struct body *body;                /* NULL: no more to read */
    enum h1_sender_kind kind;
    uint64_t left;                    /* of a counted body */
    uint64_t bytes;                   /* handed to the socket so far */
    void (*on_done)(struct h1_sender *s, int status);
    /* What the socket has not taken: stash first, then the pieces. */
    struct h1_buffer *stash;
    uint32_t stash_at, stash_len;
    uint32_t n_pieces, at_piece;      /* of pieces: all, and the first that has not gone whole */
    const struct pace_limit *limit;   /* of the peer */
    struct pace pace;                 /* and its timer: while the socket is full */
    struct timer timer;
    bool is_busy;                     /* started and not done */
    struct task task;                 /* goes on in another turn */
    bool is_body_awaited, is_socket_awaited;
    bool drops_trailers;              /* the reader did not say that it takes them (TE: trailers) */
    int8_t status;                    /* how it ended; IO_OK */
    int8_t body_status;               /* IO_OK, or how the body broke when that was the reason */
    struct str pieces[H1_SEND_PIECES];    /* last, as it need not be zeroed */
};

/* Ready to start: the fields that say what goes where, all others zero. limit outlives it. body and its framing are the caller's to
 * add. */
void h1_sender_init(struct h1_sender *s, struct stream *stream, struct h1_scratch *scratch,
                    struct arena *arena, const struct pace_limit *limit,
                    void (*on_done)(struct h1_sender *s, int status));
/* Sends head_len bytes of s->scratch, then the body (NULL: none), framed as `kind` says. on_done is called exactly
 * once, maybe before this returns: IO_OK, or what broke it: IO_TIMEOUT, the stream's error, or the body's (then
 * body_status is not IO_OK). The body is not closed. */
void h1_sender_start(struct h1_sender *s, enum h1_sender_kind kind, struct body *body,
                     size_t head_len);
/* Stops; on_done is not called. Fine when it is done or was never started. */
void h1_sender_stop(struct h1_sender *s);
