/* body.h: a message body, pulled piece by piece; the reader's pace is the back-pressure.
 *
 *     struct str piece;
 *     while ((status = body_read(b, &piece, deadline_ms)) == IO_OK)
 *         use(piece);                                     valid until the next read of the same body
 *     if (status == IO_EOF) complete, trailers known; else broken: never pass it on as if it were whole
 *
 * Each layer embeds struct body first, keeps the layer below and does one thing. A layer gives two operations that
 * never yield, so that the same stack serves a fiber (body_read) and the callback pump that sends a body after the
 * last policy without holding a stack. Bodies live in the arena of their exchange; body_close() gives back what is
 * outside it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "rt/loop.h"

struct arena;
struct body;
struct budget;
struct http_headers;

typedef void body_ready_fn(void *ctx);

struct body_ops {
    const char *name;
    /* IO_OK with a piece of at least one byte; IO_EOF; IO_AGAIN: nothing yet, see when_ready; another negative status
     * breaks the body for good. A piece is valid until the next try_read or close. Never yields. */
    int (*try_read)(struct body *b, struct str *ret_piece);
    /* After IO_AGAIN: calls fn(ctx) once, from the loop, when a try_read may give more (or an end, or an error).
     * fn == NULL takes the wish back. Never yields and never calls fn before it returns. */
    void (*when_ready)(struct body *b, body_ready_fn *fn, void *ctx);
    /* NULL when there were none, or the end has not been reached. May be NULL. */
    const struct http_headers *(*trailers)(struct body *b);
    /* Ends the body in any state. Leaves b->below to body_close(). May be NULL. */
    void (*close)(struct body *b);
    /* Starts from the first byte again; false when this body cannot. May be NULL. */
    bool (*rewind)(struct body *b);
};

struct body {
    const struct body_ops *ops;
    struct body *below;               /* closed along with this one; NULL at the bottom */
    int64_t length;                   /* bytes from the start, or HTTP_LENGTH_UNKNOWN */
    uint64_t n_read;                  /* bytes handed out so far */
    int8_t status;                    /* IO_OK while open, then the status that ended it */
    bool is_closed;
    bool keeps_pieces;                /* each piece stays valid until close: it lies in memory */
};

/* See body_ops. The end or an error stays: asking again gives it again. */
int body_try_read(struct body *b, struct str *ret_piece);
void body_when_ready(struct body *b, body_ready_fn *fn, void *ctx);
/* Waits on the running fiber; IO_TIMEOUT and IO_CANCELLED leave the body open. Yields. */
int body_read(struct body *b, struct str *ret_piece, uint64_t deadline_ms);
const struct http_headers *body_trailers(struct body *b);
/* NULL is fine; twice is fine. A body closed before its end makes its connection unusable for another exchange,
 * except that a server may drain a little (robustness A10). */
void body_close(struct body *b);
/* To the first byte, for a second try. False when what was read is gone. */
bool body_rewind(struct body *b);
static inline bool
body_is_replayable(const struct body *b)
{
    return !b || b->n_read == 0 || b->ops->rewind;
}

/* ---- bytes in memory: `pieces`, counted, outside any arena, shared by readers on any worker ---- */

/* One block of bytes. Immutable once it is in a list that somebody else reads. */
struct piece {
    _Atomic uint32_t refs;
    uint32_t len, cap;
    struct budget *budget;            /* what cap is charged to; may be NULL */
    char bytes[];
};

#define PIECE_SIZE ((size_t)16 << 10)

struct piece *piece_new(size_t cap, struct budget *budget); /* NULL when the budget is full */
struct piece *piece_ref(struct piece *p);
void piece_unref(struct piece *p);

/* A whole body in memory; the array is owned, each piece counted. */
struct pieces {
    struct piece **v;
    uint32_t n, cap;
    uint64_t bytes;
};

#define PIECES_INIT ((struct pieces){0})
/* False when the budget is full; what was added before stays. */
bool pieces_add(struct pieces *to, struct str bytes, struct budget *budget);
/* Shares from's pieces behind to's. */
void pieces_share(struct pieces *to, const struct pieces *from);
/* Makes one piece of all; false, and nothing has changed, when the budget is full. */
bool pieces_flatten(struct pieces *p, struct budget *budget);
/* One view of everything: the piece itself when there is one, else a copy in the arena. STR_NONE when it is full. */
struct str pieces_join(const struct pieces *p, struct arena *arena);
void pieces_destroy(struct pieces *p);

/* Bytes that many may take together: buffered bodies of the process, of an exchange. Thread-safe. */
struct budget {
    _Atomic int64_t left;
    struct budget *above;             /* charged as well; NULL: none */
};
bool budget_take(struct budget *b, uint64_t bytes);
void budget_give(struct budget *b, uint64_t bytes);

/* ---- makers; all allocate from the arena and return NULL when it is full ---- */

/* Memory that outlives the body. Replayable. */
struct body *body_from_str(struct arena *arena, struct str bytes);
/* Takes a share of each piece. Replayable. */
struct body *body_from_pieces(struct arena *arena, const struct pieces *pieces);
/* The same with trailers at the end; they must outlive the body. */
struct body *body_with_trailers(struct arena *arena, struct body *below,
                                const struct http_headers *trailers);
/* Everything that is read through it also goes to on_piece(ctx, piece); at the end on_end(ctx, status) once, also
 * when the body is closed early (IO_CANCELLED). on_piece false: the tee stops looking, reading goes on,
 * on_end(IO_ERROR). */
struct body *body_tee(struct arena *arena, struct body *below,
                      bool (*on_piece)(void *ctx, struct str piece),
                      void (*on_end)(void *ctx, int status), void *ctx);
/* More than max bytes: IO_ERROR, and *ret_was_hit (may be NULL) is set. */
struct body *body_limit(struct arena *arena, struct body *below, uint64_t max, bool *ret_was_hit);
/* An empty body that is already broken: for tests and for answers that failed half-way. */
struct body *body_broken(struct arena *arena, int status);

enum http_coding {
    HTTP_CODING_IDENTITY,
    HTTP_CODING_GZIP,
    HTTP_CODING_DEFLATE,
    HTTP_CODING_BROTLI,
    HTTP_CODING_ZSTD
};

/* The word of Content-Encoding; false for what we cannot decode. x-gzip is gzip. */
bool http_coding_from(struct str word, enum http_coding *ret);
struct str http_coding_name(enum http_coding coding);
/* Decoded bytes of the body below. Stops with IO_ERROR above max bytes, or above ratio times its input after the
 * first MiB (robustness B6; 0: 200), and sets *ret_was_hit (may be NULL). */
struct body *body_decode(struct arena *arena, struct body *below, enum http_coding coding,
                         uint64_t max, uint32_t ratio, bool *ret_was_hit);
/* Encodes the body below (gzip and brotli); each piece is flushed when the body below has nothing more at hand, so an
 * event stream stays live. */
struct body *body_encode(struct arena *arena, struct body *below, enum http_coding coding);

/* Reads to the end and keeps all: the "buffered" state of a body. ERR_LIMIT above max (413 or a policy error),
 * ERR_NO_MEMORY when the budget is full, ERR_TIMEOUT, ERR_CLOSED when the body broke. b is closed in any case.
 * Yields. */
bool body_read_all(struct body *b, uint64_t max, struct budget *budget, uint64_t deadline_ms,
                   struct pieces *ret, struct err *err);
