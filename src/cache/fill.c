/* fill.c: a body on its way into the cache, and everybody who reads it while it comes.
 *
 *     writer -> pieces[0] pieces[1] ... pieces[n-1]       all full but the last
 *                  ^reader        ^reader                 each at its own byte, on any worker
 * Normal:     pieces are charged to the budget; at the end they become the entry's (or are copied into it when they fit
 *             into one piece). Readers hold the fill, the fill holds the entry.
 * In transit: the cache cannot take it (too large, no room). Pieces passed by the slowest reader are freed and the writer
 *             stays at most TRANSIT_WINDOW ahead of it. With nobody left to read there is nothing left to do.
 * Locking:    fill->lock covers all but `cache`. Bytes that were added never move and never change, so that a reader
 *             uses what it was shown without the lock.
 * Invariants: L1  pieces[i] is the fill's to free exactly for i >= first
 *             L2  charge is what the pieces that are there cost the budget; 0 for those added in transit
 *             L3  while a reader is linked no piece that it may be shown moves or is freed
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/arena.h"
#include "cache/shard.h"
#include "http/body.h"
#include "http/message.h"
#include "rt/wakeup.h"

#define TRANSIT_WINDOW (4 * CACHE_PIECE_SIZE)
#define FIRST_PIECE_MIN ((size_t)512)

enum fill_state { FILL_OPEN, FILL_DONE, FILL_BROKEN };

struct cache_fill {
    struct cache *cache;
    _Atomic uint32_t refs;
    pthread_mutex_t lock;
    char **pieces;                    /* the first one starts small and grows while nobody reads */
    uint32_t n_pieces, pieces_cap, first;
    uint32_t n_charged;               /* pieces before this one are charged (L2) */
    size_t last_cap;
    uint64_t length, charge;
    int64_t announced;                /* the whole body's length, or -1 */
    uint8_t state;                    /* enum fill_state */
    enum cache_refusal why;           /* CACHE_STORED while nothing stands against it */
    struct list readers;
    struct wakeup *on_room;           /* the writer waits for readers; NULL: it does not */
    void *retired[2];                 /* a first piece that grew, a last one that was cut, while somebody read it */
    uint32_t n_retired;
    struct cache_entry *entry;        /* owns the pieces once they are published */
};

struct fill_body {
    struct body super;
    struct cache_fill *fill;          /* NULL once it was given back */
    struct list_node link;            /* in fill->readers */
    struct wakeup *wakeup;
    bool is_waiting;                  /* wants to be woken at the next change */
    body_ready_fn *fn;
    void *ctx;
    uint64_t at;                      /* bytes shown so far */
    uint64_t held;                    /* what it may still look at begins here */
};

/* ---- life ---- */

struct cache_fill *
cache_fill_begin(struct cache *c, int64_t length)
{
    struct cache_fill *f = xnew(struct cache_fill);

    f->cache = c;
    f->refs = 1;
    f->announced = length;
    pthread_mutex_init(&f->lock, NULL);
    list_init(&f->readers);
    return f;
}

struct cache_fill *
cache_fill_ref(struct cache_fill *f)
{
    atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    return f;
}

static void
uncharge(struct cache_fill *f, uint64_t bytes)
{
    f->charge -= bytes;
    atomic_fetch_sub_explicit(&f->cache->budget.bytes, bytes, memory_order_relaxed);
}

void
cache_fill_unref(struct cache_fill *f)
{
    if (!f || atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1)
        return;
    ASSERT(list_is_empty(&f->readers));
    for (uint32_t i = f->first; i < f->n_pieces; i++)
        free(f->pieces[i]);
    uncharge(f, f->charge);
    cache_entry_unref(f->entry);
    pthread_mutex_destroy(&f->lock);
    for (uint32_t i = 0; i < f->n_retired; i++)
        free(f->retired[i]);
    free(f->pieces);
    free(f);
}

/* ---- writing; the lock is held ---- */

static bool
charge(struct cache_fill *f, uint64_t bytes)
{
    if (f->why)
        return false;
    if (f->charge + bytes > cache_entry_max(f->cache))
        f->why = CACHE_REFUSED_TOO_LARGE;
    else if (!cache_make_room(f->cache, (uint32_t)((uintptr_t)f >> 6), bytes)) /* any shard: the key is not known yet */
        f->why = CACHE_REFUSED_NO_ROOM;
    else
        f->charge += bytes;
    return !f->why;
}

/* How large the first piece becomes: what is announced, else doubling, as long as nobody reads. */
static size_t
first_cap(const struct cache_fill *f, size_t want)
{
    if (f->announced >= 0)
        return MIN(MAX((size_t)f->announced, (size_t)1), CACHE_PIECE_SIZE);
    if (!list_is_empty(&f->readers))
        return CACHE_PIECE_SIZE;
    return MIN(MAX(MAX(FIRST_PIECE_MIN, f->last_cap * 2), (size_t)f->length + want), CACHE_PIECE_SIZE);
}

/* Moves the first piece to larger memory. Whoever reads it keeps the old (L3). */
static void
enlarge_first(struct cache_fill *f, size_t cap)
{
    char *larger;

    if (list_is_empty(&f->readers)) {
        f->pieces[0] = xrealloc(f->pieces[0], cap);
        return;
    }
    larger = xmalloc(cap);
    memcpy(larger, f->pieces[0], (size_t)f->length);
    ASSERT(f->n_retired == 0); /* with readers it grows once, to its full size */
    f->retired[f->n_retired++] = f->pieces[0];
    f->pieces[0] = larger;
}

static void
push_piece(struct cache_fill *f, size_t cap)
{
    if (f->n_pieces == f->pieces_cap)
        f->pieces = xrealloc(f->pieces, (f->pieces_cap = f->pieces_cap ? f->pieces_cap * 2 : 4) * sizeof(char *));
    f->pieces[f->n_pieces++] = xmalloc(cap);
}

/* Room behind the last byte. Without a charge only somebody who reads makes it worth while. */
static bool
grow(struct cache_fill *f, size_t want)
{
    bool is_growing = f->n_pieces == 1 && f->last_cap < CACHE_PIECE_SIZE && f->length < CACHE_PIECE_SIZE;
    size_t cap = is_growing || !f->n_pieces ? first_cap(f, want) : CACHE_PIECE_SIZE;

    if (is_growing && cap <= f->last_cap)
        cap = CACHE_PIECE_SIZE;       /* more came than was announced */
    if (charge(f, heap_bytes(cap) - (is_growing ? heap_bytes(f->last_cap) : 0))) {
        f->n_charged = is_growing ? 1 : f->n_pieces + 1;
    } else if (list_is_empty(&f->readers)) {
        return false;
    } else if (is_growing) {
        uncharge(f, f->charge);       /* its size is no longer what was charged (L2) */
        f->n_charged = 0;
    }
    if (is_growing)
        enlarge_first(f, cap);
    else
        push_piece(f, cap);
    f->last_cap = cap;
    return true;
}

static void
wake_readers(struct cache_fill *f)
{
    struct fill_body *r;

    list_each(&f->readers, r, struct fill_body, link) {
        if (r->is_waiting)
            wakeup_send(r->wakeup);
        r->is_waiting = false;
    }
}

bool
cache_fill_add(struct cache_fill *f, struct str bytes)
{
    bool ok;

    pthread_mutex_lock(&f->lock);
    ok = !f->why || !list_is_empty(&f->readers);
    while (ok && bytes.len) {
        size_t used = f->n_pieces ? (size_t)(f->length - (uint64_t)(f->n_pieces - 1) * CACHE_PIECE_SIZE) : 0;
        size_t n = MIN(bytes.len, f->last_cap - used);
        if (n == 0) {
            ok = grow(f, MIN(bytes.len, CACHE_PIECE_SIZE));
            continue;
        }
        memcpy(f->pieces[f->n_pieces - 1] + used, bytes.p, n);
        f->length += n;
        bytes = str_skip(bytes, n);
    }
    if (ok)
        wake_readers(f);
    pthread_mutex_unlock(&f->lock);
    return ok;
}

/* Where the slowest reader stands. */
static uint64_t
slowest(struct cache_fill *f)
{
    uint64_t at = f->length;
    struct fill_body *r;

    list_each(&f->readers, r, struct fill_body, link)
        at = MIN(at, r->held);
    return at;
}

bool
cache_fill_has_room(struct cache_fill *f, struct wakeup *on_room)
{
    bool has_room;

    pthread_mutex_lock(&f->lock);
    has_room = !f->why || list_is_empty(&f->readers) || f->length - slowest(f) < TRANSIT_WINDOW;
    f->on_room = has_room ? NULL : on_room;
    pthread_mutex_unlock(&f->lock);
    return has_room;
}

/* ---- the end ---- */

/* Takes the reference over. */
static enum cache_refusal
publish(struct cache *c, struct cache_entry *e, const struct cache_item *item, struct cache_entry **ret)
{
    if (!item->is_unlisted)
        return cache_publish(c, e, &item->key, ret) ? CACHE_STORED : CACHE_REFUSED_PURGED;
    *ret = e;
    return CACHE_STORED;
}

/* The pieces become an entry's, the last one cut to its length; the fill keeps the entry for those who read. What they may
 * look at stays where it is: a last piece that is being read is copied (L3). */
static enum cache_refusal
commit_pieces(struct cache_fill *f, const struct cache_item *item, uint64_t bytes, struct cache_entry **ret)
{
    size_t used = (size_t)(f->length - (uint64_t)(f->n_pieces - 1) * CACHE_PIECE_SIZE);
    char **last = &f->pieces[f->n_pieces - 1], *shown = *last;
    struct cache_entry *e;

    uncharge(f, heap_bytes(f->last_cap) - heap_bytes(used));
    if (list_is_empty(&f->readers)) {
        *last = xrealloc(*last, used);
        shown = *last;
    } else {
        f->retired[f->n_retired++] = shown;
        *last = xmalloc(used);
        memcpy(*last, shown, used);
    }
    e = entry_new(&f->cache->budget, item, STR_NONE, f->pieces, f->length);
    e->charge = bytes + f->charge;
    f->charge = 0;
    f->entry = cache_entry_ref(e);
    f->first = f->n_pieces;
    *last = shown;
    return publish(f->cache, e, item, ret);
}

/* An entry with its body inside. */
static enum cache_refusal
store_inside(struct cache *c, const struct cache_item *item, struct str body, struct cache_entry **ret)
{
    uint64_t bytes = entry_bytes(item, body.len);
    enum cache_refusal why = cache_refusal_of(c, item, bytes);
    struct cache_entry *e;

    if (why)
        return why;
    if (!cache_make_room(c, (uint32_t)item->key.hash.hi, bytes))
        return CACHE_REFUSED_NO_ROOM;
    e = entry_new(&c->budget, item, body, NULL, body.len);
    e->charge = bytes;
    return publish(c, e, item, ret);
}

static enum cache_refusal
commit(struct cache_fill *f, const struct cache_item *item, struct cache_entry **ret)
{
    uint64_t bytes = entry_bytes(item, f->length);
    enum cache_refusal why = f->why;

    if (!why && f->length <= CACHE_PIECE_SIZE)
        return store_inside(f->cache, item, str_from(f->n_pieces ? f->pieces[0] : "", (size_t)f->length), ret);
    if (!why)
        why = cache_refusal_of(f->cache, item, bytes + f->charge);
    if (!why && !cache_make_room(f->cache, (uint32_t)item->key.hash.hi, bytes))
        why = CACHE_REFUSED_NO_ROOM;
    return why ? why : commit_pieces(f, item, bytes, ret);
}

static bool
report(struct cache *c, enum cache_refusal why, enum cache_refusal *ret_why)
{
    if (why)
        cache_count_refusal(c, why);
    if (ret_why)
        *ret_why = why;
    return why == CACHE_STORED;
}

static void
end(struct cache_fill *f, enum fill_state state)
{
    f->state = (uint8_t)state;
    f->on_room = NULL;
    wake_readers(f);
}

bool
cache_fill_commit(struct cache_fill *f, const struct cache_item *item, enum cache_refusal *ret_why,
                  struct cache_entry **ret)
{
    enum cache_refusal why;

    pthread_mutex_lock(&f->lock);
    why = commit(f, item, ret);
    end(f, FILL_DONE);
    pthread_mutex_unlock(&f->lock);
    report(f->cache, why, ret_why);
    cache_fill_unref(f);
    return why == CACHE_STORED;
}

void
cache_fill_abort(struct cache_fill *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    end(f, FILL_BROKEN);
    pthread_mutex_unlock(&f->lock);
    cache_count_refusal(f->cache, f->why ? f->why : CACHE_REFUSED_ABORTED);
    cache_fill_unref(f);
}

bool
cache_fill_refuse(struct cache_fill *f, enum cache_refusal why, enum cache_refusal *ret_why)
{
    pthread_mutex_lock(&f->lock);
    why = f->why ? f->why : why;
    end(f, FILL_DONE);
    pthread_mutex_unlock(&f->lock);
    report(f->cache, why, ret_why);
    cache_fill_unref(f);
    return false;
}

bool
cache_store_entry(struct cache *c, const struct cache_item *item, struct str body, enum cache_refusal *ret_why,
                  struct cache_entry **ret)
{
    struct cache_fill *f;

    if (body.len <= CACHE_PIECE_SIZE)
        return report(c, store_inside(c, item, body, ret), ret_why);
    f = cache_fill_begin(c, (int64_t)body.len);
    cache_fill_add(f, body);
    return cache_fill_commit(f, item, ret_why, ret);
}

bool
cache_store(struct cache *c, const struct cache_item *item, struct str body, enum cache_refusal *ret_why)
{
    return cache_store_entry(c, item, body, ret_why, NULL);
}

struct cache_entry *
cache_freshen(struct cache *c, const struct cache_item *item, struct cache_entry *old)
{
    uint64_t bytes = entry_bytes(item, old->body_len);
    struct cache_entry *e, *published = NULL;
    enum cache_refusal why = cache_refusal_of(c, item, bytes);

    if (why || !cache_make_room(c, (uint32_t)item->key.hash.hi, bytes)) {
        cache_count_refusal(c, why ? why : CACHE_REFUSED_NO_ROOM);
        return NULL;
    }
    e = entry_with_body_of(&c->budget, item, old);
    e->charge = bytes;
    return cache_publish(c, e, &item->key, &published) ? published : NULL;
}

/* ---- reading along ---- */

/* In transit: frees what nobody can see any more, and lets the writer go on. The lock is held. */
static void
pass(struct cache_fill *f)
{
    uint64_t at = slowest(f);

    for (; f->first < f->n_pieces && (uint64_t)(f->first + 1) * CACHE_PIECE_SIZE <= at; f->first++) {
        free(f->pieces[f->first]);
        f->pieces[f->first] = NULL;
        if (f->first < f->n_charged)
            uncharge(f, heap_bytes(f->first + 1 == f->n_pieces ? f->last_cap : CACHE_PIECE_SIZE));
    }
    if (f->on_room && (list_is_empty(&f->readers) || f->length - at < TRANSIT_WINDOW)) {
        wakeup_send(f->on_room);
        f->on_room = NULL;
    }
}

static int
fill_try_read(struct body *b, struct str *ret_piece)
{
    struct fill_body *r = (struct fill_body *)b;
    struct cache_fill *f = r->fill;
    int status = IO_OK;

    pthread_mutex_lock(&f->lock);
    r->held = r->at;
    if (f->why && !f->entry)
        pass(f);
    if (r->at < f->length) {
        size_t i = (size_t)(r->at / CACHE_PIECE_SIZE), from = (size_t)(r->at % CACHE_PIECE_SIZE);
        size_t n = (size_t)MIN(f->length - r->at, (uint64_t)(CACHE_PIECE_SIZE - from));
        *ret_piece = str_from(f->pieces[i] + from, n);
        r->at += n;
    } else {
        status = f->state == FILL_OPEN ? IO_AGAIN : f->state == FILL_DONE ? IO_EOF : IO_ERROR;
    }
    pthread_mutex_unlock(&f->lock);
    return status;
}

static void
fill_when_ready(struct body *b, body_ready_fn *fn, void *ctx)
{
    struct fill_body *r = (struct fill_body *)b;
    struct cache_fill *f = r->fill;

    r->fn = fn;
    r->ctx = ctx;
    pthread_mutex_lock(&f->lock);
    r->is_waiting = fn != NULL;
    if (fn && (r->at < f->length || f->state != FILL_OPEN)) {
        r->is_waiting = false;
        wakeup_send(r->wakeup);       /* it came in between */
    }
    pthread_mutex_unlock(&f->lock);
}

static void
on_change(void *ctx)
{
    struct fill_body *r = ctx;
    body_ready_fn *fn = r->fn;

    r->fn = NULL;
    if (fn)
        fn(r->ctx);
}

static void
fill_close(struct body *b)
{
    struct fill_body *r = (struct fill_body *)b;
    struct cache_fill *f = r->fill;

    if (!f)
        return;
    r->fill = NULL;
    pthread_mutex_lock(&f->lock);
    list_remove(&r->link);
    if (f->why && !f->entry)
        pass(f);
    pthread_mutex_unlock(&f->lock);
    wakeup_delete(r->wakeup);
    cache_fill_unref(f);
}

static const struct body_ops fill_ops = {
    .name = "cache fill", .try_read = fill_try_read, .when_ready = fill_when_ready, .close = fill_close,
};

static void
close_with_arena(void *body)
{
    body_close(body);
}

struct body *
cache_fill_body(struct cache_fill *f, struct arena *arena, struct loop *loop)
{
    struct fill_body *r = arena_new(arena, struct fill_body);
    bool is_whole;

    if (!r || !arena_defer(arena, close_with_arena, r))
        return NULL;
    r->super = (struct body){.ops = &fill_ops, .length = f->announced};
    pthread_mutex_lock(&f->lock);
    if (f->state == FILL_DONE)
        r->super.length = (int64_t)f->length;
    is_whole = !f->why && f->state != FILL_BROKEN;
    if (is_whole) {
        list_push_back(&f->readers, &r->link);
        r->wakeup = wakeup_new(loop, on_change, r);
        r->fill = cache_fill_ref(f);
    }
    pthread_mutex_unlock(&f->lock);
    return is_whole ? &r->super : NULL;
}
