/* flight.c: fetches under way, by key, and those who wait for them.
 *
 *     shard.flights[hash] -> flight -> flight        FETCHING: nothing is known of its answer yet
 *                              |                     FILLING:  head and fill are there to read along
 *                              \-> ticket, ticket    on the stacks of fibers, of any worker
 * One key can have several: an answer that varies is fetched once for each variant, as soon as it is known by which fields
 * it varies (hint). A flight belongs to who leads it; it leaves the shard when it ends, after its entry was published, so
 * that no look-up falls in between.
 * Locking:    shard->lock covers flights, tickets and marks. A ticket is unlinked by whoever ends the wait.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/flight.h"

#include <stdlib.h>

#include "cache/shard.h"
#include "rt/fiber.h"
#include "rt/wakeup.h"

#define SOLO_MS 10000                 /* nobody waits for a key whose answers cannot be shared */
#define RETRY_MS 1000                 /* a stale entry is served so long after a fetch failed before the next is tried */
#define FOLLOWS_MAX 64                /* looks of one request; then it goes alone */

struct cache_flight {
    struct cache *cache;
    struct cache_flight *next;        /* in its bucket */
    struct hash128 hash;
    struct str key;                   /* behind the struct */
    struct buf hint;                  /* fields that its answer is expected to vary by, as cache_vary_add(); may be empty */
    struct list tickets;
    uint64_t begun_ms;
    struct cache_entry *head;         /* FILLING: references to both */
    struct cache_fill *fill;
    void (*on_end)(void *ctx);
    void *ctx;
};

struct ticket {
    struct list_node link;            /* in flight->tickets until woken */
    struct wakeup *wakeup;
    struct fiber *fiber;
};

/* ---- under the shard's lock ---- */

static struct cache_flight **
bucket(struct shard *s, struct hash128 hash)
{
    return &s->flights[(hash.lo >> 32) % FLIGHT_BUCKETS];
}

static bool
is_for(const struct cache_flight *f, const struct cache_key *key)
{
    return f->hash.lo == key->hash.lo && str_eq(f->key, key->bytes);
}

/* A flight that may bring what this request needs. `*ret_vary` becomes the fields that such answers are known to vary by. */
static struct cache_flight *
candidate(struct cache *c, struct shard *s, const struct cache_key *key, const struct cache_request *request, uint64_t now_ms,
          struct str *ret_vary)
{
    for (struct cache_flight *f = *bucket(s, key->hash); f; f = f->next) {
        if (!is_for(f, key))
            continue;
        if (!f->fill && cache_vary_fits(buf_str(&f->hint), request))
            return f;
        if (!f->fill || now_ms >= f->head->expires_ms || !shard_is_alive(c, f->head, now_ms))
            continue;                 /* for other fields, over already, or purged since it began */
        if (cache_vary_fits(cache_entry_vary(f->head), request))
            return f;
        *ret_vary = cache_entry_vary(f->head);
    }
    return NULL;
}

static struct cache_flight *
take_off(struct cache *c, struct shard *s, const struct cache_key *key, const struct cache_request *request, struct str vary,
         uint64_t now_ms)
{
    struct cache_flight *f = xmalloc(sizeof(*f) + key->bytes.len), **at = bucket(s, key->hash);
    struct str name, value;

    *f = (struct cache_flight){.cache = c, .next = *at, .hash = key->hash, .key = str_from((char *)(f + 1), key->bytes.len),
                                .begun_ms = now_ms};
    memcpy(f + 1, key->bytes.p, key->bytes.len);
    list_init(&f->tickets);
    while (request && cache_vary_next(&vary, &name, &value))
        cache_vary_add(&f->hint, name, request->field(request->ctx, name));
    *at = f;
    atomic_fetch_add_explicit(&c->flights, 1, memory_order_relaxed);
    return f;
}

static void
wake_all(struct cache_flight *f)
{
    struct ticket *t;

    while ((t = list_take_first(&f->tickets, struct ticket, link)))
        wakeup_send(t->wakeup);
}

static struct solo_mark *
mark_of(struct shard *s, uint64_t hash)
{
    return &s->marks[(hash >> 40) % MARKS];
}

static bool
is_solo(struct shard *s, uint64_t hash, uint64_t now_ms)
{
    const struct solo_mark *m = mark_of(s, hash);

    return m->hash == hash && now_ms < m->until_ms;
}

/* By which fields a variant of this key varies that is there already. */
static struct str
known_vary(struct shard *s, const struct cache_key *key)
{
    for (struct cache_entry *e = *bucket_of(s, key->hash.lo); e; e = e->next)
        if (e->vary_len && entry_matches(e, key))
            return cache_entry_vary(e);
    return STR_NONE;
}

/* ---- waiting ---- */

static void
on_wakeup(void *ctx)
{
    struct ticket *t = ctx;

    fiber_wake(t->fiber);
}

/* Until the flight has news. False when the time is over. The ticket was linked with the lock held. Yields. */
static bool
wait_for_news(struct shard *s, struct ticket *t, uint64_t deadline_ms)
{
    enum io_status status = IO_OK;
    bool is_woken = false;

    while (!is_woken && status == IO_OK) {
        status = fiber_wait(deadline_ms);
        pthread_mutex_lock(&s->lock);
        is_woken = !list_is_linked(&t->link);
        if (!is_woken && status != IO_OK)
            list_remove(&t->link);
        pthread_mutex_unlock(&s->lock);
    }
    wakeup_delete(t->wakeup);
    return is_woken;
}

/* ---- entering ---- */

/* The last part of the life of an entry that is asked for: time to fetch it again before somebody has to wait. */
static bool
is_ahead_due(const struct cache_entry *e, const struct found *found, const struct cache_enter *how, uint64_t now_ms)
{
    uint64_t life = found->stale_since_ms - MIN(e->stored_ms, found->stale_since_ms);

    return how->ahead_percent && e->uses > 1 && (found->stale_since_ms - now_ms) * 100 < life * how->ahead_percent &&
           now_ms >= found->retry_ms;
}

/* What can be done with a stale entry at once. True when it is served. */
static bool
serves_stale(const struct found *found, const struct cache_enter *how, uint64_t now_ms, struct cache_entered *ret)
{
    const struct cache_entry *e = found->entry;

    ret->stale_ms = now_ms - found->stale_since_ms;
    if (!how->wants_stale)
        return false;
    if (how->may_refresh && ret->stale_ms < (uint64_t)e->revalidate_s * 1000)
        return true;
    ret->is_for_error = now_ms < found->retry_ms && ret->stale_ms < (uint64_t)e->error_s * 1000;
    return ret->is_for_error;
}

enum step { STEP_DONE, STEP_WAIT };

/* One look, under the lock: what this request does next. STEP_WAIT: the ticket is linked. */
static enum step
look(struct cache *c, struct shard *s, const struct cache_key *key, const struct cache_enter *how, uint64_t now_ms,
     struct ticket *ticket, struct found *found, struct cache_entered *ret)
{
    struct str vary = STR_NONE;
    struct cache_flight *f = NULL;

    shard_find(c, s, key, how->request, now_ms, found);
    ret->verdict = found->verdict;
    ret->entry = found->entry;
    ret->stale_ms = 0;
    ret->part = CACHE_SERVE;
    if (found->verdict == CACHE_HIT && !(how->ahead_percent && is_ahead_due(found->entry, found, how, now_ms)))
        return STEP_DONE;
    if (found->verdict == CACHE_MISS_VARIANT)
        vary = known_vary(s, key);
    f = candidate(c, s, key, how->request, now_ms, &vary);
    if (found->verdict == CACHE_HIT || (found->verdict == CACHE_STALE && serves_stale(found, how, now_ms, ret))) {
        if (!f && how->may_refresh && how->may_lead && now_ms >= found->retry_ms)
            ret->flight = take_off(c, s, key, how->request, vary, now_ms);
        return STEP_DONE;
    }
    if (f && f->fill) {
        ret->part = CACHE_FOLLOW;
        cache_entry_unref(ret->entry);
        ret->entry = cache_entry_ref(f->head);
        ret->fill = cache_fill_ref(f->fill);
        s->follows++;
        return STEP_DONE;
    }
    ret->part = CACHE_ALONE;
    if (!how->may_lead || (is_solo(s, key->hash.lo, now_ms) && !f))
        return STEP_DONE;
    if (!f) {
        ret->part = CACHE_FETCH;
        ret->flight = take_off(c, s, key, how->request, vary, now_ms);
        return STEP_DONE;
    }
    if (how->wait_ms == 0 || is_solo(s, key->hash.lo, now_ms))
        return STEP_DONE;
    ticket->wakeup = wakeup_new(how->loop, on_wakeup, ticket);
    ticket->fiber = fiber_self();
    list_push_back(&f->tickets, &ticket->link);
    return STEP_WAIT;
}

void
cache_enter(struct cache *c, const struct cache_key *key, const struct cache_enter *how, struct cache_entered *ret)
{
    struct shard *s = shard_of(c, key);
    uint64_t deadline_ms = 0;

    *ret = (struct cache_entered){0};
    for (int looks = 0;; looks++) {
        struct ticket ticket = {0};
        struct found found;
        enum step step;
        struct cache_enter now = *how;

        if (looks == FOLLOWS_MAX || (ret->has_waited && loop_now_ms(how->loop) >= deadline_ms))
            now.wait_ms = 0;
        pthread_mutex_lock(&s->lock);
        step = look(c, s, key, &now, loop_now_ms(how->loop), &ticket, &found, ret);
        pthread_mutex_unlock(&s->lock);
        cache_entry_unref(found.gone);
        if (step == STEP_DONE)
            break;
        cache_entry_unref(ret->entry);
        ret->entry = NULL;
        if (!ret->has_waited)
            deadline_ms = loop_deadline(how->loop, how->wait_ms);
        ret->has_waited = true;
        if (!wait_for_news(s, &ticket, deadline_ms) && fiber_is_cancelled(fiber_self())) {
            ret->part = CACHE_ALONE;
            break;
        }
    }
    if (ret->has_waited && ret->part <= CACHE_FOLLOW) {
        pthread_mutex_lock(&s->lock);
        s->collapsed++;
        pthread_mutex_unlock(&s->lock);
    }
}

struct body *
cache_entered_follow(struct cache_entered *got, struct arena *arena, struct loop *loop)
{
    struct body *body = cache_fill_body(got->fill, arena, loop);

    cache_fill_unref(got->fill);
    got->fill = NULL;
    if (body)
        return body;
    cache_entry_unref(got->entry);
    got->entry = NULL;
    got->part = CACHE_ALONE;
    return NULL;
}

/* ---- leading ---- */

struct cache_entry *
cache_head_new(struct cache *c, const struct cache_item *item)
{
    struct cache_entry *e = entry_new(&c->budget, item, STR_NONE, NULL, 0);

    e->charge = 0;                    /* as long as one answer is on its way; the entry that is stored is charged */
    return e;
}

void
cache_flight_head(struct cache_flight *f, struct cache_entry *head, struct cache_fill *fill)
{
    struct shard *s = &f->cache->shards[f->hash.hi & (f->cache->n_shards - 1)];

    pthread_mutex_lock(&s->lock);
    f->head = head;
    f->fill = fill;
    wake_all(f);
    pthread_mutex_unlock(&s->lock);
}

static void
leave(struct shard *s, struct cache_flight *f)
{
    struct cache_flight **at = bucket(s, f->hash);

    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
}

/* Stale entries of the key are served for a moment before the next fetch is tried. */
static void
put_off(struct shard *s, struct cache_flight *f, uint64_t now_ms)
{
    for (struct cache_entry *e = *bucket_of(s, f->hash.lo); e; e = e->next)
        if (e->hash == f->hash.lo && str_eq(cache_entry_key(e), f->key))
            e->retry_ms = (uint32_t)MIN(now_ms + RETRY_MS - MIN(e->stored_ms, now_ms), (uint64_t)UINT32_MAX);
}

void
cache_flight_end(struct cache_flight *f, enum flight_end how, uint64_t now_ms)
{
    struct shard *s;

    if (!f)
        return;
    s = &f->cache->shards[f->hash.hi & (f->cache->n_shards - 1)];
    pthread_mutex_lock(&s->lock);
    leave(s, f);
    if (how == FLIGHT_FAILED)
        put_off(s, f, now_ms);
    else if (how == FLIGHT_SOLO)
        *mark_of(s, f->hash.lo) = (struct solo_mark){f->hash.lo, now_ms + SOLO_MS};
    else
        mark_of(s, f->hash.lo)->until_ms = 0;
    wake_all(f);
    pthread_mutex_unlock(&s->lock);
    atomic_fetch_sub_explicit(&f->cache->flights, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&f->cache->flights_landed, 1, memory_order_release);
    cache_entry_unref(f->head);
    cache_fill_unref(f->fill);
    buf_destroy(&f->hint);
    if (f->on_end)
        f->on_end(f->ctx);
    free(f);
}

void
cache_flight_on_end(struct cache_flight *f, void (*fn)(void *ctx), void *ctx)
{
    f->on_end = fn;
    f->ctx = ctx;
}

uint64_t
cache_flights_landed(const struct cache *c)
{
    return atomic_load_explicit(&c->flights_landed, memory_order_acquire);
}

uint64_t
cache_flights(const struct cache *c)
{
    return atomic_load_explicit(&c->flights, memory_order_relaxed);
}

static struct cache_flight_seen
see(struct cache_flight *f)
{
    struct cache_flight_seen seen = {.key = f->key, .begun_ms = f->begun_ms, .is_filling = f->fill != NULL};

    for (struct list_node *t = f->tickets.head.next; t != &f->tickets.head; t = t->next)
        seen.waiting++;
    return seen;
}

void
cache_flights_list(struct cache *c, bool (*fn)(void *ctx, const struct cache_flight_seen *f), void *ctx)
{
    bool goes_on = true;

    for (uint32_t i = 0; i < c->n_shards && goes_on; i++) {
        struct shard *s = &c->shards[i];

        pthread_mutex_lock(&s->lock);
        for (uint32_t b = 0; b < FLIGHT_BUCKETS && goes_on; b++)
            for (struct cache_flight *f = s->flights[b]; f && goes_on; f = f->next) {
                struct cache_flight_seen seen = see(f);
                goes_on = fn(ctx, &seen);
            }
        pthread_mutex_unlock(&s->lock);
    }
}
