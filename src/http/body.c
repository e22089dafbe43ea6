/* body.c: what all bodies share, bytes in memory, and the small layers: trailers, tee, limit (body.h).
 * Invariants: B1  once status is not IO_OK no operation of the body is asked to read again.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/body.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/arena.h"
#include "http/message.h"
#include "rt/fiber.h"

int
body_try_read(struct body *b, struct str *ret_piece)
{
    int status;

    if (b->status != IO_OK)
        return b->status;
    status = b->ops->try_read(b, ret_piece);
    if (LIKELY(status == IO_OK)) {
        ASSERT(ret_piece->len > 0);
        b->n_read += ret_piece->len;
    } else if (status != IO_AGAIN) {
        b->status = (int8_t)status; /* B1 */
    }
    return status;
}

void
body_when_ready(struct body *b, body_ready_fn *fn, void *ctx)
{
    if (!b->is_closed)
        b->ops->when_ready(b, fn, ctx);
}

static void
wake_reader(void *fiber)
{
    fiber_wake(fiber);
}

int
body_read(struct body *b, struct str *ret_piece, uint64_t deadline_ms)
{
    int status;

    while ((status = body_try_read(b, ret_piece)) == IO_AGAIN) {
        body_when_ready(b, wake_reader, fiber_self());
        status = fiber_wait(deadline_ms);
        if (status != IO_OK) {
            body_when_ready(b, NULL, NULL);
            return status;
        }
    }
    return status;
}

const struct http_headers *
body_trailers(struct body *b)
{
    if (b->status != IO_EOF || b->is_closed)
        return NULL;
    if (b->ops->trailers)
        return b->ops->trailers(b);
    return b->below ? body_trailers(b->below) : NULL;
}

void
body_close(struct body *b)
{
    while (b && !b->is_closed) {
        struct body *below = b->below;
        if (b->ops->close)
            b->ops->close(b);
        b->is_closed = true;
        if (b->status == IO_OK)
            b->status = IO_CANCELLED;
        b = below;
    }
}

bool
body_rewind(struct body *b)
{
    if (b->is_closed || (b->n_read > 0 && (!b->ops->rewind || !b->ops->rewind(b))))
        return false;
    b->n_read = 0;
    b->status = IO_OK;
    return true;
}

/* ---- bytes in memory ---- */

bool
budget_take(struct budget *b, uint64_t bytes)
{
    if (!b)
        return true;
    if (atomic_fetch_sub_explicit(&b->left, (int64_t)bytes, memory_order_relaxed) <
            (int64_t)bytes ||
        !budget_take(b->above, bytes)) {
        atomic_fetch_add_explicit(&b->left, (int64_t)bytes, memory_order_relaxed);
        return false;
    }
    return true;
}

void
budget_give(struct budget *b, uint64_t bytes)
{
    for (; b; b = b->above)
        atomic_fetch_add_explicit(&b->left, (int64_t)bytes, memory_order_relaxed);
}

struct piece *
piece_new(size_t cap, struct budget *budget)
{
    struct piece *p;

    if (!budget_take(budget, cap))
        return NULL;
    p = xmalloc(sizeof(*p) + cap);
    *p = (struct piece){.refs = 1, .cap = (uint32_t)cap, .budget = budget};
    return p;
}

struct piece *
piece_ref(struct piece *p)
{
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

void
piece_unref(struct piece *p)
{
    if (!p || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) > 1)
        return;
    budget_give(p->budget, p->cap);
    free(p);
}

static void
push_piece(struct pieces *to, struct piece *p)
{
    if (to->n == to->cap) {
        to->cap = to->cap ? to->cap * 2 : 4;
        to->v = xrealloc(to->v, to->cap * sizeof(struct piece *));
    }
    to->v[to->n++] = p;
}

/* The last piece when nobody else has it, so that small additions share one. */
static struct piece *
open_piece(const struct pieces *to)
{
    struct piece *p = to->n ? to->v[to->n - 1] : NULL;

    return p && p->len < p->cap && atomic_load_explicit(&p->refs, memory_order_acquire) == 1 ? p
                                                                                             : NULL;
}

bool
pieces_add(struct pieces *to, struct str bytes, struct budget *budget)
{
    while (bytes.len) {
        struct piece *p = open_piece(to);
        size_t n;
        if (!p) {
            /* A body that fits into one piece gets one of its size, a long one standard pieces. */
            p = piece_new(to->n ? PIECE_SIZE : MIN(MAX(bytes.len, (size_t)1024), PIECE_SIZE * 4),
                          budget);
            if (!p)
                return false;
            push_piece(to, p);
        }
        n = MIN(bytes.len, (size_t)(p->cap - p->len));
        memcpy(p->bytes + p->len, bytes.p, n);
        p->len += (uint32_t)n;
        to->bytes += n;
        bytes = str_skip(bytes, n);
    }
    return true;
}

void
pieces_share(struct pieces *to, const struct pieces *from)
{
    for (uint32_t i = 0; i < from->n; i++)
        push_piece(to, piece_ref(from->v[i]));
    to->bytes += from->bytes;
}

bool
pieces_flatten(struct pieces *p, struct budget *budget)
{
    struct piece *all;

    if (p->n <= 1)
        return true;
    all = p->bytes < UINT32_MAX ? piece_new((size_t)p->bytes, budget) : NULL;
    if (!all)
        return false;
    for (uint32_t i = 0; i < p->n; i++) {
        memcpy(all->bytes + all->len, p->v[i]->bytes, p->v[i]->len);
        all->len += p->v[i]->len;
        piece_unref(p->v[i]);
    }
    p->v[0] = all;
    p->n = 1;
    return true;
}

struct str
pieces_join(const struct pieces *p, struct arena *arena)
{
    char *start, *to;

    if (p->bytes == 0)
        return STR("");
    if (p->n == 1)
        return str_from(p->v[0]->bytes, p->v[0]->len);
    start = to = arena_alloc(arena, p->bytes, 1, 1);
    if (!start)
        return STR_NONE;
    for (uint32_t i = 0; i < p->n; i++) {
        memcpy(to, p->v[i]->bytes, p->v[i]->len);
        to += p->v[i]->len;
    }
    return str_from(start, (size_t)p->bytes);
}

void
pieces_destroy(struct pieces *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; i < p->n; i++)
        piece_unref(p->v[i]);
    free(p->v);
    *p = PIECES_INIT;
}

/* A body that never has to wait. */
static void
ready_at_once(struct body *b, body_ready_fn *fn, void *ctx)
{
    (void)b, (void)fn, (void)ctx; /* never asked: try_read does not say IO_AGAIN */
}

struct body_text {
    struct body super;
    struct str bytes;
};

static int
text_try_read(struct body *b, struct str *ret_piece)
{
    struct body_text *t = (struct body_text *)b;

    if (b->n_read == t->bytes.len)
        return IO_EOF;
    *ret_piece = str_skip(t->bytes, (size_t)b->n_read);
    return IO_OK;
}

static bool
rewind_by_count(struct body *b)
{
    (void)b; /* reading goes by n_read, which body_rewind() resets */
    return true;
}

static const struct body_ops text_ops = {
    .name = "text",
    .try_read = text_try_read,
    .when_ready = ready_at_once,
    .rewind = rewind_by_count,
};

struct body *
body_from_str(struct arena *arena, struct str bytes)
{
    struct body_text *t = arena_new(arena, struct body_text);

    if (!t)
        return NULL;
    t->super = (struct body){.ops = &text_ops, .length = (int64_t)bytes.len, .keeps_pieces = true};
    t->bytes = bytes;
    return &t->super;
}

struct body_pieces {
    struct body super;
    struct pieces pieces;
    uint32_t at;                      /* the next piece */
};

static int
pieces_try_read(struct body *b, struct str *ret_piece)
{
    struct body_pieces *p = (struct body_pieces *)b;

    if (p->at == p->pieces.n)
        return IO_EOF;
    *ret_piece = str_from(p->pieces.v[p->at]->bytes, p->pieces.v[p->at]->len);
    p->at++;
    return IO_OK;
}

static bool
pieces_rewind(struct body *b)
{
    ((struct body_pieces *)b)->at = 0;
    return true;
}

static void
pieces_close(struct body *b)
{
    pieces_destroy(&((struct body_pieces *)b)->pieces);
}

static const struct body_ops pieces_ops = {
    .name = "pieces",
    .try_read = pieces_try_read,
    .when_ready = ready_at_once,
    .rewind = pieces_rewind,
    .close = pieces_close,
};

/* A body nobody closed still gives its pieces back when its arena goes. */
static void
close_with_arena(void *body)
{
    body_close(body);
}

struct body *
body_from_pieces(struct arena *arena, const struct pieces *pieces)
{
    struct body_pieces *p = arena_new(arena, struct body_pieces);

    if (!p || !arena_defer(arena, close_with_arena, p))
        return NULL;
    p->super =
        (struct body){.ops = &pieces_ops, .length = (int64_t)pieces->bytes, .keeps_pieces = true};
    pieces_share(&p->pieces, pieces);
    return &p->super;
}

/* ---- layers ---- */

static void
below_when_ready(struct body *b, body_ready_fn *fn, void *ctx)
{
    body_when_ready(b->below, fn, ctx);
}

static bool
below_rewind(struct body *b)
{
    return body_rewind(b->below);
}

struct body_trailer {
    struct body super;
    const struct http_headers *trailers;
};

static int
below_try_read(struct body *b, struct str *ret_piece)
{
    return body_try_read(b->below, ret_piece);
}

static const struct http_headers *
own_trailers(struct body *b)
{
    return ((struct body_trailer *)b)->trailers;
}

static const struct body_ops trailer_ops = {
    .name = "trailers",
    .try_read = below_try_read,
    .when_ready = below_when_ready,
    .trailers = own_trailers,
    .rewind = below_rewind,
};

struct body *
body_with_trailers(struct arena *arena, struct body *below, const struct http_headers *trailers)
{
    struct body_trailer *t = arena_new(arena, struct body_trailer);

    if (!t)
        return NULL;
    /* Trailers need chunks in HTTP/1, so the length is not announced. */
    t->super = (struct body){.ops = &trailer_ops, .below = below, .length = HTTP_LENGTH_UNKNOWN};
    t->trailers = trailers;
    return &t->super;
}

struct body_tee {
    struct body super;
    bool (*on_piece)(void *ctx, struct str piece);
    void (*on_end)(void *ctx, int status);
    void *ctx;
};

static void
tee_end(struct body_tee *t, int status)
{
    void (*on_end)(void *ctx, int status) = t->on_end;

    t->on_end = NULL;
    t->on_piece = NULL;
    if (on_end)
        on_end(t->ctx, status);
}

static int
tee_try_read(struct body *b, struct str *ret_piece)
{
    struct body_tee *t = (struct body_tee *)b;
    int status = body_try_read(b->below, ret_piece);

    if (status == IO_OK) {
        if (t->on_piece && !t->on_piece(t->ctx, *ret_piece))
            tee_end(t, IO_ERROR);
        else if (b->length >= 0 && b->n_read + ret_piece->len == (uint64_t)b->length)
            tee_end(t, IO_EOF); /* whoever sends it by its length need not read the end */
    } else if (status != IO_AGAIN) {
        tee_end(t, status);
    }
    return status;
}

static void
tee_close(struct body *b)
{
    tee_end((struct body_tee *)b, IO_CANCELLED);
}

static const struct body_ops tee_ops = {
    .name = "tee", .try_read = tee_try_read, .when_ready = below_when_ready, .close = tee_close,
};

struct body *
body_tee(struct arena *arena, struct body *below, bool (*on_piece)(void *ctx, struct str piece),
         void (*on_end)(void *ctx, int status), void *ctx)
{
    struct body_tee *t = arena_new(arena, struct body_tee);

    if (!t)
        return NULL;
    *t = (struct body_tee){
        .super = {.ops = &tee_ops, .below = below, .length = below->length},
        .on_piece = on_piece, .on_end = on_end, .ctx = ctx,
    };
    return &t->super;
}

struct body_limit {
    struct body super;
    uint64_t max;
    bool *was_hit;
};

static int
limit_try_read(struct body *b, struct str *ret_piece)
{
    struct body_limit *l = (struct body_limit *)b;
    int status = body_try_read(b->below, ret_piece);

    if (status == IO_OK && ret_piece->len > l->max - b->n_read) {
        if (l->was_hit)
            *l->was_hit = true;
        return IO_ERROR;
    }
    return status;
}

static const struct body_ops limit_ops = {
    .name = "limit",
    .try_read = limit_try_read,
    .when_ready = below_when_ready,
    .rewind = below_rewind,
};

struct body *
body_limit(struct arena *arena, struct body *below, uint64_t max, bool *ret_was_hit)
{
    struct body_limit *l = arena_new(arena, struct body_limit);

    if (!l)
        return NULL;
    *l = (struct body_limit){{.ops = &limit_ops, .below = below, .length = below->length}, max, ret_was_hit};
    return &l->super;
}

static int
broken_try_read(struct body *b, struct str *ret_piece)
{
    (void)b, (void)ret_piece;
    return IO_ERROR;
}

static const struct body_ops broken_ops = {
    .name = "broken", .try_read = broken_try_read, .when_ready = ready_at_once,
};

struct body *
body_broken(struct arena *arena, int status)
{
    struct body *b = arena_new(arena, struct body);

    if (b)
        *b = (struct body){.ops = &broken_ops, .length = HTTP_LENGTH_UNKNOWN, .status = (int8_t)status};
    return b;
}

/* ---- the buffered state ---- */

bool
body_read_all(struct body *b, uint64_t max, struct budget *budget, uint64_t deadline_ms,
              struct pieces *ret, struct err *err)
{
    struct pieces all = PIECES_INIT;
    struct str piece;
    int status = IO_EOF;
    bool ok = true;

    if (b->length > 0 && (uint64_t)b->length > max)
        ok = err_set(err, ERR_LIMIT, "the body has %" PRId64 " bytes, more than %" PRIu64,
                     b->length, max);
    while (ok && (status = body_read(b, &piece, deadline_ms)) == IO_OK) {
        if (piece.len > max - all.bytes)
            ok = err_set(err, ERR_LIMIT, "the body has more than %" PRIu64 " bytes", max);
        else if (!pieces_add(&all, piece, budget))
            ok = err_set(err, ERR_NO_MEMORY, "no memory left to buffer the body");
    }
    if (ok && status != IO_EOF)
        ok = err_set(err, status == IO_ERROR ? ERR_CLOSED : io_status_err(status),
                     "the body broke after %" PRIu64 " bytes: %s", all.bytes,
                     io_status_text(status));
    body_close(b);
    if (ok)
        *ret = all;
    else
        pieces_destroy(&all);
    return ok;
}
