/* h1_input.h: the bytes read from an HTTP/1 connection, and the message bodies among them. Both sides use it: the
 * server for requests, the client for answers.
 *
 *     buf:  [ head, views into it  |  consumed  |  at .... len  |  free ]
 *           0                    floor                             cap
 * A connection has a buffer only while there are bytes or somebody waits for the rest of a message; buffers come
 * from the worker's pool. What lies below `floor` stays as it is, since the head's names and values are views of it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/body.h"
#include "http/h1_chunk.h"
#include "http/h1_framing.h"
#include "net/stream.h"
#include "rt/timer.h"

#define H1_BUFFER_SIZE ((uint32_t)16 << 10)
#define H1_TRAILER_BYTES ((uint32_t)8 << 10)
#define H1_BULK_SIZE ((uint32_t)64 << 10)   /* for bodies that fill a buffer at once */

/* Empty buffers of a worker, newest first, so that the next one is warm. Zero-initialised. */
struct h1_buffer {
    struct h1_buffer *next;
    uint32_t cap;
    char bytes[];
};
struct h1_buffers {
    struct h1_buffer *free, *free_bulk;
    uint32_t n_free, n_free_bulk;
};
struct h1_buffer *h1_buffer_take(struct h1_buffers *pool, uint32_t cap);
void h1_buffer_give(struct h1_buffers *pool, struct h1_buffer *b);   /* NULL is fine */
void h1_buffers_destroy(struct h1_buffers *pool);

struct h1_input {
    struct stream *stream;
    struct h1_buffers *pool;
    struct h1_buffer *buf;            /* NULL: nothing read, nothing waited for */
    struct h1_buffer *head;           /* an older buffer that views still point into; NULL when buf is the only one */
    uint32_t floor, at, len;          /* in buf */
    bool was_full;                    /* the last read filled all its room: there is more where it came from */
};

static inline struct str
h1_input_bytes(const struct h1_input *in)
{
    return in->buf ? str_from(in->buf->bytes + in->at, in->len - in->at) : STR_NONE;
}

/* Reads once, behind what is there. A count, or IO_AGAIN, IO_EOF, IO_ERROR. Makes room by moving unconsumed bytes
 * down to the floor, or, when bodies have little or want more, by a fresh buffer. Never yields. */
int64_t h1_input_read(struct h1_input *in);
/* Room for a head that did not fit: cap bytes in one piece, of which `len` are kept. Views of the old one are
 * void. */
void h1_input_grow(struct h1_input *in, uint32_t cap);
/* A part of a head that has to wait moves to memory of its own size, so that slow heads do not hold whole buffers. */
void h1_input_shrink(struct h1_input *in);
/* The message is over: views are void, unconsumed bytes go to the front. Gives the buffer back when there are
 * none. */
void h1_input_next(struct h1_input *in);
void h1_input_release(struct h1_input *in);

/* A message body, embedded in the exchange it belongs to. */
struct h1_body {
    struct body super;
    struct h1_input *in;
    struct loop *loop;
    struct arena *arena;              /* for trailers */
    enum h1_body_kind kind;
    uint64_t left;                    /* of a counted body */
    struct h1_chunk chunk;
    struct http_headers *trailers;
    const struct h1_head_limits *limits;
    const char *why;                  /* what was wrong with it, NULL otherwise */
    bool is_whole;                    /* its last byte has been consumed: the connection may go on */
    /* Who waits. */
    body_ready_fn *on_ready;
    void *on_ready_ctx;
    struct timer timer;
    /* When waiting has been too long; 0: no such limit. */
    uint64_t total_at_ms;
    uint32_t idle_ms;
    uint32_t grace_ms, rate;          /* bytes a second that must come once the grace is used up by waiting */
    uint64_t waited_ms, wait_began_ms;
    bool is_overdue;                  /* the timer fired and nothing has come since */
    uint64_t n_wire;                  /* bytes consumed, chunk lines included */
    /* Called once, before the first wait for bytes: sends 100 Continue. May be NULL. */
    void (*before_wait)(struct h1_body *b);
    void *before_wait_ctx;
};

/* Sets up the body behind a parsed head: in->at stands behind the head. Limits and hooks are the caller's to set. */
void h1_body_begin(struct h1_body *b, struct h1_input *in, struct arena *arena,
                   const struct h1_framing *framing, int64_t content_length,
                   const struct h1_head_limits *limits);
/* Whoever reads it gets this status from now on; whoever waits is told. */
void h1_body_break(struct h1_body *b, int status);
