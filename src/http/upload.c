/* upload.c: bodies that are read ahead, and their turns (upload.h).
 *
 *     lead -> below          what was read of below, and then below itself
 *
 * Invariants: L1  while nothing but the lead was handed out, below has been read exactly as far as the lead goes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/upload.h"

#include "base/arena.h"
#include "base/buf.h"

#define LOOK_MS 1000                     /* between two looks at whether there is room for who has sent something */

struct lead {
    struct body super;
    struct buf bytes;
    size_t at;                           /* of them, handed out */
};

static int
lead_try_read(struct body *b, struct str *ret_piece)
{
    struct lead *l = (struct lead *)b;

    if (l->at == l->bytes.len)
        return body_try_read(b->below, ret_piece);
    *ret_piece = str_from(l->bytes.p + l->at, l->bytes.len - l->at);
    l->at = l->bytes.len;
    return IO_OK;
}

static void
lead_when_ready(struct body *b, body_ready_fn *fn, void *ctx)
{
    body_when_ready(b->below, fn, ctx);  /* the lead itself never says IO_AGAIN */
}

static const struct http_headers *
lead_trailers(struct body *b)
{
    return body_trailers(b->below);
}

static bool
lead_rewind(struct body *b)
{
    struct lead *l = (struct lead *)b;

    if (b->below->n_read != l->bytes.len) {
        if (!body_rewind(b->below))
            return false;
        l->bytes.len = 0;
    }
    l->at = 0;
    return true;
}

static const struct body_ops lead_ops = {
    .name = "lead", .try_read = lead_try_read, .when_ready = lead_when_ready, .trailers = lead_trailers, .rewind = lead_rewind,
};

/* Has the whole body come? */
static bool
is_whole(const struct body *b)
{
    const struct body *below = b->ops == &lead_ops ? b->below : b;

    return below->status == IO_EOF || below->length == 0 || (below->length > 0 && below->n_read == (uint64_t)below->length);
}

/* Reads on until there is enough, or the time is over, or below has ended; when nothing had come, until something has. Yields. */
static int
read_ahead(struct lead *l, uint64_t deadline_ms)
{
    bool was_empty = l->bytes.len == 0;
    struct str piece;
    int status = IO_OK;

    while (l->bytes.len < UPLOAD_LEAD && !is_whole(&l->super) && (status = body_read(l->super.below, &piece, deadline_ms)) == IO_OK) {
        buf_add_str(&l->bytes, piece);
        if (l->bytes.failed)
            return IO_ERROR;
        if (was_empty) /* the time is another one from here on */
            break;
    }
    return status;
}

static bool
has_turn(struct http_origin *o, const struct body *b)
{
    uint32_t n = atomic_load_explicit(&o->n_uploads, memory_order_relaxed), max = o->conf.connections_max;

    if (n < MAX(max / 2, 1u) || is_whole(b))
        return true;
    return b->ops == &lead_ops && ((const struct lead *)b)->bytes.len >= UPLOAD_LEAD && n < max - max / 4;
}

static bool
too_many(struct http_origin *o, struct err *err)
{
    return err_set(err, ERR_LIMIT, "too many of the %u connections to %.*s are taken by requests whose bodies come slowly",
                   o->conf.connections_max, STR_ARG(o->conf.host));
}

/* Waits for the turn of l. Whose client has sent nothing has no use for a turn and looks for none: ten thousand of them would keep a
 * worker busy with looking. Yields. */
static bool
wait_for_turn(struct http_origin *o, struct loop *loop, struct lead *l, uint64_t deadline_ms, struct err *err)
{
    while (!has_turn(o, &l->super)) {
        uint64_t now_ms = loop_now_ms(loop), until = l->bytes.len ? MIN(now_ms + LOOK_MS, deadline_ms) : deadline_ms;
        int status = now_ms < deadline_ms ? read_ahead(l, until) : IO_TIMEOUT;

        if (l->bytes.failed)
            return err_set(err, ERR_NO_MEMORY, "no memory left for the request's body");
        if (status == IO_OK && l->bytes.len >= UPLOAD_LEAD && !has_turn(o, &l->super)) /* now it is up to the others */
            status = fiber_wait(MIN(loop_now_ms(loop) + LOOK_MS, deadline_ms));
        if (l->super.below->status != IO_OK && l->super.below->status != IO_EOF)
            return err_set(err, ERR_CLOSED, "the request body broke: %s", io_status_text(l->super.below->status));
        if (status == IO_CANCELLED)
            return err_set(err, ERR_CANCELLED, "%s", io_status_text(status));
        if (status == IO_TIMEOUT && loop_now_ms(loop) >= deadline_ms)
            return too_many(o, err);
    }
    return true;
}

bool
upload_begin(struct http_origin *o, struct arena *arena, struct loop *loop, struct body **body, uint64_t deadline_ms, struct err *err)
{
    if (UNLIKELY(!has_turn(o, *body)) && (*body)->n_read == 0) {
        struct lead *l = arena_new(arena, struct lead);
        if (!l)
            return err_set(err, ERR_NO_MEMORY, "no memory left for the request's body");
        *l = (struct lead){.super = {.ops = &lead_ops, .below = *body, .length = (*body)->length}, .bytes = buf_in(arena)};
        if (!wait_for_turn(o, loop, l, deadline_ms, err))
            return false;
        *body = &l->super;
    }
    upload_again(o);
    return true;
}

void
upload_again(struct http_origin *o)
{
    atomic_fetch_add_explicit(&o->n_uploads, 1, memory_order_relaxed);
}

void
upload_end(struct http_origin *o)
{
    atomic_fetch_sub_explicit(&o->n_uploads, 1, memory_order_relaxed);
}
