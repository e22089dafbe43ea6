/* fetch.c: moves a body from its connection into the cache by callbacks, without a fiber.
 *
 *     pump: try_read -> cache_fill_add -> ... -> end: commit, end of the flight, connection back, arena freed
 * Waits for the backend (when_ready) or, when the cache could not take it and readers are slow, for them (on_room).
 * Invariants: F1  a fetch is held by an exchange or pumps by itself, never both
 *             F2  an answer that broke is aborted in the fill: its readers see it break, nothing is stored
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/fetch.h"

#include "http/body.h"
#include "http/client.h"
#include "observe/metrics.h"
#include "rt/loop.h"
#include "rt/wakeup.h"

#define TURN_BYTES_MAX ((uint64_t)256 << 10)  /* then other work of the worker comes first */

struct fetch {
    struct background background;     /* registered exactly while it pumps (F1) */
    struct arena arena;               /* this struct lies in it */
    const struct services *services;
    struct http_answer *answer;
    struct body *stream;
    struct filling how;
    struct cache_scopes scopes;
    struct wakeup *on_room;           /* made when readers first have to be waited for */
    struct task task;
};

struct fetch *
fetch_new(struct exchange *ex)
{
    struct arena arena = ARENA(ex->services->arenas, ex->limits->arena_max);
    struct fetch *f = arena_new(&arena, struct fetch);

    if (!f) {
        arena_destroy(&arena);
        return NULL;
    }
    f->arena = arena;
    f->services = ex->services;
    return f;
}

struct arena *
fetch_arena(struct fetch *f)
{
    return &f->arena;
}

void
fetch_close(struct fetch *f, struct http_answer *answer)
{
    http_answer_close(answer);
    if (f) {
        struct arena arena = f->arena;
        arena_destroy(&arena);
    }
}

struct fetch *
exchange_find_fetch(const struct exchange *ex, const struct body *stream)
{
    for (struct exchange_answer *held = ex->answers; held; held = held->next)
        if (held->fetch && held->answer->body == stream)
            return held->fetch;
    return NULL;
}

static void
take_over(struct exchange *ex, struct fetch *f)
{
    struct exchange_answer *held = ex->answers;

    while (held->fetch != f)
        held = held->next;
    f->answer = held->answer;
    f->stream = held->answer->body;
    exchange_give_answer(ex, held->answer);
}

/* ---- pumping ---- */

static void
count(struct cache_series *figures, enum cache_refusal why, uint64_t bytes)
{
    if (!figures)
        return;
    if (why == CACHE_STORED)
        metric_bump(&figures->bytes_stored, bytes);
    else
        metric_bump(&figures->refused[why], 1);
}

static void
commit(struct fetch *f)
{
    enum cache_refusal why = CACHE_STORED;
    struct cache_entry *entry = NULL;

    if (tiers_fill_commit(f->services->tiers, &f->how.place, f->how.fill, &f->how.item, &why, &entry))
        count(f->how.figures, CACHE_STORED, cache_entry_body_length(entry));
    else
        count(f->how.figures, why, 0);
    cache_entry_unref(entry);
}

static void
finish(struct fetch *f, int status)
{
    if (status == IO_EOF) {
        commit(f);
    } else {
        cache_fill_abort(f->how.fill);
        count(f->how.figures, CACHE_REFUSED_ABORTED, 0);
    }
    cache_flight_end(f->how.flight, status == IO_EOF ? FLIGHT_LANDED : FLIGHT_FAILED, loop_now_ms(f->services->loop));
    background_remove(&f->background);
    loop_unpost(&f->task);
    wakeup_delete(f->on_room);
    body_close(f->stream);
    fetch_close(f, f->answer);
}

static void pump(struct fetch *f);

static void
on_ready(void *ctx)
{
    pump(ctx);
}

static void
on_turn(struct task *t)
{
    pump(CONTAINER_OF(t, struct fetch, task));
}

/* Room for one more piece; else somebody who reads wakes us. */
static bool
has_room(struct fetch *f)
{
    if (!f->on_room)
        f->on_room = wakeup_new(f->services->loop, on_ready, f);
    return cache_fill_has_room(f->how.fill, f->on_room);
}

static void
pump(struct fetch *f)
{
    uint64_t before = f->stream->n_read;
    struct str piece;
    int status;

    for (;;) {
        if (f->stream->n_read - before > TURN_BYTES_MAX) {
            f->task.run = on_turn;
            loop_post_later(f->services->loop, &f->task);
            return;
        }
        if (!has_room(f))
            return;
        status = body_try_read(f->stream, &piece);
        if (status == IO_AGAIN) {
            body_when_ready(f->stream, on_ready, f);
            return;
        }
        if (status == IO_OK && !cache_fill_add(f->how.fill, piece))
            status = IO_CANCELLED;    /* it cannot be stored, and nobody listens */
        if (status != IO_OK)
            break;
    }
    finish(f, status);
}

static void
stop(struct background *b)
{
    finish(CONTAINER_OF(b, struct fetch, background), IO_CANCELLED);
}

void
fetch_fill(struct exchange *ex, struct fetch *f, const struct filling *how)
{
    take_over(ex, f);
    f->how = *how;
    if (how->item.scopes) {
        f->scopes = *how->item.scopes;
        f->how.item.scopes = &f->scopes;
    }
    f->background.stop = stop;
    background_add(f->services, &f->background);
    pump(f);
}

/* ---- background ---- */

void
background_add(const struct services *s, struct background *b)
{
    if (s->background)
        list_push_back(s->background, &b->link);
}

void
background_remove(struct background *b)
{
    list_remove(&b->link);
}
