/* counters.c: named counters of the process.
 *
 *     shard[64] -> bucket -> counter -> counter        by the SipHash of kind and key: keys come from clients
 *              \-> used: list, longest ago first
 * Locking: shard->lock covers buckets, list and counters.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/counters.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/num.h"

#define SHARDS 64
#define BUCKETS_MIN 64
#define COUNTERS_MAX_DEFAULT 1000000
#define SLOTS 20
#define WINDOWS_MAX 8                 /* of one key; a further period takes the place of the last */

enum kind { KIND_WINDOW, KIND_QUOTA, KIND_GAUGE, KIND_PERMIT };

/* One period of a key. */
struct window {
    struct window *next;
    uint32_t period_s;                /* 0: not in use yet */
    uint64_t slot;                    /* number of the newest slot that was written */
    uint32_t counts[SLOTS];           /* of slot - 19 ... slot, at number % SLOTS */
};

struct counter {
    struct list_node used_link;
    struct counter *next;             /* in its bucket */
    uint64_t hash;
    uint8_t kind;
    uint32_t key_len;
    union {
        struct window window;         /* the first; further ones are of malloc */
        struct {
            uint64_t number, calls, bytes;
            uint64_t late_bytes;      /* not in bytes yet, nor told to other nodes */
        } quota;
        struct {
            uint64_t until_ms, refused_until_ms;
            uint32_t left, used, limit;
        } permit;
        uint32_t inside;
    } u;
    char key[];
};

struct shard {
    _Alignas(64) pthread_mutex_t lock;
    struct counter **buckets;
    uint32_t n_buckets, n;
    struct list used;
};

struct counters {
    struct shard shards[SHARDS];
    uint32_t shard_max;
    _Atomic uint64_t evicted;
    _Atomic uint64_t quotas_version;
};

static void
counter_delete(struct counter *k)
{
    struct window *next = k->kind == KIND_WINDOW ? k->u.window.next : NULL;

    for (struct window *w; (w = next);) {
        next = w->next;
        free(w);
    }
    free(k);
}

struct counters *
counters_new(uint32_t counters_max)
{
    struct counters *c = xnew(struct counters);

    c->shard_max = MAX((counters_max ? counters_max : COUNTERS_MAX_DEFAULT) / SHARDS, 1u);
    for (int i = 0; i < SHARDS; i++) {
        struct shard *s = &c->shards[i];

        pthread_mutex_init(&s->lock, NULL);
        s->n_buckets = BUCKETS_MIN;
        s->buckets = xnew_array(struct counter *, BUCKETS_MIN);
        list_init(&s->used);
    }
    return c;
}

void
counters_delete(struct counters *c)
{
    struct counter *counter;

    for (int i = 0; c && i < SHARDS; i++) {
        struct shard *s = &c->shards[i];

        while ((counter = list_take_first(&s->used, struct counter, used_link)))
            counter_delete(counter);
        free(s->buckets);
        pthread_mutex_destroy(&s->lock);
    }
    free(c);
}

uint64_t
counters_evicted(const struct counters *c)
{
    return c->evicted;
}

/* --- the table; shard->lock held ----------------------------------------------------------------------------------- */

static struct counter **
bucket_of(struct shard *s, uint64_t hash)
{
    return &s->buckets[(hash >> 8) & (s->n_buckets - 1)];
}

static void
grow(struct shard *s)
{
    uint32_t old_n = s->n_buckets;
    struct counter **old = s->buckets;

    s->n_buckets *= 2;
    s->buckets = xnew_array(struct counter *, s->n_buckets);
    for (uint32_t i = 0; i < old_n; i++) {
        for (struct counter *k = old[i], *next; k; k = next) {
            struct counter **bucket = bucket_of(s, k->hash);

            next = k->next;
            k->next = *bucket;
            *bucket = k;
        }
    }
    free(old);
}

static void
drop(struct shard *s, struct counter *k)
{
    struct counter **link = bucket_of(s, k->hash);

    while (*link != k)
        link = &(*link)->next;
    *link = k->next;
    list_remove(&k->used_link);
    s->n--;
    counter_delete(k);
}

void
counters_clear(struct counters *c)
{
    struct counter *k;

    for (int i = 0; i < SHARDS; i++) {
        struct shard *s = &c->shards[i];

        pthread_mutex_lock(&s->lock);
        list_each(&s->used, k, struct counter, used_link)
            if (k->kind != KIND_GAUGE || !k->u.inside)
                drop(s, k);
        pthread_mutex_unlock(&s->lock);
    }
}

/* Makes room; a gauge that somebody is inside of stays. */
static void
evict(struct counters *c, struct shard *s)
{
    struct counter *k;

    list_each(&s->used, k, struct counter, used_link) {
        if (k->kind == KIND_GAUGE && k->u.inside)
            continue;
        drop(s, k);
        c->evicted++;
        return;
    }
}

static struct counter *
find(struct shard *s, enum kind kind, struct str key, uint64_t hash)
{
    for (struct counter *k = *bucket_of(s, hash); k; k = k->next)
        if (k->hash == hash && k->kind == kind && str_eq(str_from(k->key, k->key_len), key))
            return k;
    return NULL;
}

static struct counter *
add(struct counters *c, struct shard *s, enum kind kind, struct str key, uint64_t hash)
{
    struct counter *k = xcalloc(1, sizeof(*k) + key.len);
    struct counter **bucket;

    if (s->n >= c->shard_max)
        evict(c, s);
    if (s->n >= s->n_buckets)
        grow(s);
    bucket = bucket_of(s, hash);
    k->hash = hash;
    k->kind = (uint8_t)kind;
    k->key_len = (uint32_t)key.len;
    memcpy(k->key, key.p, key.len);
    k->next = *bucket;
    *bucket = k;
    s->n++;
    return k;
}

static uint64_t
hash_of(enum kind kind, struct str key)
{
    return hash_mix(hash_sip(key), kind + 1);
}

/* Locks the shard and finds (or makes) the counter, as the one used last. unlock(). */
static struct counter *
lock_counter(struct counters *c, enum kind kind, struct str key, struct shard **ret_shard)
{
    uint64_t hash = hash_of(kind, key);
    struct shard *s = *ret_shard = &c->shards[hash % SHARDS];
    struct counter *k;

    pthread_mutex_lock(&s->lock);
    k = find(s, kind, key, hash);
    if (!k)
        k = add(c, s, kind, key, hash);
    list_remove(&k->used_link);
    list_push_back(&s->used, &k->used_link);
    return k;
}

static void
unlock(struct shard *s)
{
    pthread_mutex_unlock(&s->lock);
}

/* --- sliding windows ----------------------------------------------------------------------------------------------- */

static uint64_t
slot_ms_of(const struct window *w)
{
    return MAX((uint64_t)w->period_s * 1000 / SLOTS, (uint64_t)1);
}

/* Slots are 1/20 of the period; one that begins empties what it replaces. */
static void
advance(struct window *w, uint64_t now_ms)
{
    uint64_t slot = now_ms / slot_ms_of(w), steps = slot - w->slot;

    if (slot <= w->slot)
        return;
    for (uint64_t i = 1; i <= MIN(steps, (uint64_t)SLOTS); i++)
        w->counts[(w->slot + i) % SLOTS] = 0;
    w->slot = slot;
}

/* What another window knows, as late as it can have been. */
static void
seed(struct window *w, const struct window *from, uint64_t now_ms)
{
    for (uint64_t i = 0; i < SLOTS && i <= from->slot; i++) {
        uint64_t number = from->slot - i, at_ms = MIN((number + 1) * slot_ms_of(from) - 1, now_ms);

        if (w->slot - at_ms / slot_ms_of(w) < SLOTS)
            w->counts[at_ms / slot_ms_of(w) % SLOTS] += from->counts[number % SLOTS];
    }
}

/* The key's window of this period, at this instant. */
static struct window *
window_of(struct counter *k, uint32_t period_s, uint64_t now_ms)
{
    struct window *w = &k->u.window, *longest = NULL, *last = w;
    uint32_t n = 0;

    for (; w && w->period_s && w->period_s != period_s; w = w->next, n++) {
        advance(w, now_ms);
        longest = !longest || w->period_s > longest->period_s ? w : longest;
        last = w;
    }
    if (w && w->period_s) {
        advance(w, now_ms);
        return w;
    }
    if (!w && n < WINDOWS_MAX)
        last = last->next = xcalloc(1, sizeof(*w));
    *last = (struct window){.period_s = period_s};
    last->slot = now_ms / slot_ms_of(last);
    if (longest && longest != last)
        seed(last, longest, now_ms);
    return last;
}

static void
count_in_all(struct counter *k, uint32_t n, uint64_t now_ms)
{
    for (struct window *w = &k->u.window; w; w = w->next) {
        advance(w, now_ms);
        w->counts[w->slot % SLOTS] += n;
    }
}

static uint64_t
used_in(const struct window *w)
{
    uint64_t used = 0;

    for (int i = 0; i < SLOTS; i++)
        used += w->counts[i];
    return used;
}

/* Seconds until `excess` calls have left the window, oldest slots first. */
static uint32_t
wait_of(const struct window *w, uint64_t excess, uint64_t now_ms)
{
    uint64_t left = 0, slot_ms = slot_ms_of(w);

    for (uint64_t i = 0; i < SLOTS; i++) {
        uint64_t number = w->slot + 1 + i;                /* this one's place is taken by slot `number` */

        left += w->counts[number % SLOTS];
        if (left >= excess) {
            uint64_t at_ms = number * slot_ms;
            uint64_t ms = at_ms > now_ms ? at_ms - now_ms : 0;
            return MAX((uint32_t)((ms + 999) / 1000), 1u);
        }
    }
    return (uint32_t)(SLOTS * slot_ms / 1000);
}

bool
window_take(struct counters *c, struct str key, uint32_t period_s, uint32_t limit, uint32_t n, uint64_t now_ms,
            struct window_state *ret)
{
    struct shard *s;
    struct counter *k = lock_counter(c, KIND_WINDOW, key, &s);
    struct window *w = window_of(k, period_s, now_ms);
    uint64_t used = used_in(w);
    bool ok = used + n <= limit;

    if (ok && n)
        count_in_all(k, n, now_ms);
    ret->used = (uint32_t)MIN(ok ? used + n : used, (uint64_t)UINT32_MAX);
    ret->wait_s = ok ? 0 : wait_of(w, used + n - limit, now_ms);
    unlock(s);
    return ok;
}

void
window_add(struct counters *c, struct str key, uint32_t period_s, uint32_t n, uint64_t now_ms)
{
    struct shard *s;
    struct counter *k = lock_counter(c, KIND_WINDOW, key, &s);

    (void)window_of(k, period_s, now_ms);
    count_in_all(k, n, now_ms);
    unlock(s);
}

void
window_give_back(struct counters *c, struct str key, uint32_t n)
{
    struct shard *s;
    struct counter *k = lock_counter(c, KIND_WINDOW, key, &s);

    for (struct window *w = &k->u.window; w; w = w->next) {
        uint32_t left = n;

        for (uint64_t i = 0; i < SLOTS && i <= w->slot && left; i++) {
            uint32_t *count = &w->counts[(w->slot - i) % SLOTS], part = MIN(*count, left);

            *count -= part;
            left -= part;
        }
    }
    unlock(s);
}

/* --- fixed windows ------------------------------------------------------------------------------------------------- */

static void
open_window(struct counter *k, uint64_t window)
{
    if (window <= k->u.quota.number)
        return;
    k->u.quota.number = window;
    k->u.quota.calls = k->u.quota.bytes = k->u.quota.late_bytes = 0;
}

struct quota_state
quota_add(struct counters *c, struct str key, uint64_t window, uint64_t calls, uint64_t bytes)
{
    struct shard *s;
    struct counter *k = lock_counter(c, KIND_QUOTA, key, &s);
    struct quota_state before;

    open_window(k, window);
    before = (struct quota_state){k->u.quota.calls, k->u.quota.bytes};
    k->u.quota.calls += calls;
    k->u.quota.bytes += bytes;
    unlock(s);
    if (calls || bytes)
        c->quotas_version++;
    return before;
}

void
quota_raise(struct counters *c, struct str key, uint64_t window, uint64_t calls, uint64_t bytes)
{
    struct shard *s;
    struct counter *k = lock_counter(c, KIND_QUOTA, key, &s);

    open_window(k, window);
    if (window == k->u.quota.number) {
        k->u.quota.calls = MAX(k->u.quota.calls, calls);
        k->u.quota.bytes = MAX(k->u.quota.bytes, bytes);
    }
    unlock(s);
    c->quotas_version++;
}

void
quota_add_late(struct counters *c, struct str key, uint64_t window, uint64_t bytes)
{
    struct shard *s;
    struct counter *k = lock_counter(c, KIND_QUOTA, key, &s);

    open_window(k, window);
    k->u.quota.late_bytes += bytes;
    unlock(s);
    c->quotas_version++;
}

uint64_t
quota_take_late(struct counters *c, struct str key, uint64_t window)
{
    struct shard *s;
    struct counter *k = lock_counter(c, KIND_QUOTA, key, &s);
    uint64_t late;

    open_window(k, window);
    late = k->u.quota.late_bytes;
    k->u.quota.late_bytes = 0;
    unlock(s);
    return late;
}

uint64_t
quotas_version(const struct counters *c)
{
    return c->quotas_version;
}

bool
quotas_save(struct counters *c, struct buf *to)
{
    struct counter *k;

    for (int i = 0; i < SHARDS; i++) {
        struct shard *s = &c->shards[i];

        pthread_mutex_lock(&s->lock);
        list_each(&s->used, k, struct counter, used_link) {
            if (k->kind != KIND_QUOTA)
                continue;
            buf_printf(to, "%" PRIu64 " %" PRIu64 " %" PRIu64 " ", k->u.quota.number, k->u.quota.calls,
                       k->u.quota.bytes + k->u.quota.late_bytes);
            codec_hex_encode(to, str_from(k->key, k->key_len), false);
            buf_add_char(to, '\n');
        }
        pthread_mutex_unlock(&s->lock);
    }
    return !to->failed;
}

/* quota = number " " calls " " bytes " " hexadecimal key */
static bool
load_line(struct counters *c, struct str line, struct err *err)
{
    struct buf key AUTO(buf_destroy) = BUF_INIT;
    struct str field;
    uint64_t n[3];

    for (int i = 0; i < 3; i++)
        if (!str_split_next(&line, ' ', &field) || !num_parse_u64(field, UINT64_MAX, &n[i], err))
            return err_set(err, ERR_SYNTAX, "a saved quota is damaged");
    if (!codec_hex_decode(&key, line, err))
        return false;
    quota_add(c, buf_str(&key), n[0], n[1], n[2]);
    return true;
}

bool
quotas_load(struct counters *c, struct str text, struct err *err)
{
    struct str line;

    while (str_split_next(&text, '\n', &line))
        if (line.len && !load_line(c, line, err))
            return false;
    return true;
}

/* --- permits ------------------------------------------------------------------------------------------------------- */

/* Another limit makes another question of it: what is known does not answer that. */
static void
permit_for(struct counter *k, uint32_t limit)
{
    if (k->u.permit.limit == limit)
        return;
    memset(&k->u.permit, 0, sizeof(k->u.permit));
    k->u.permit.limit = limit;
}

bool
permit_take(struct counters *c, struct str key, uint32_t limit, uint32_t n, uint64_t now_ms, struct permit_state *ret)
{
    struct shard *s;
    struct counter *k = lock_counter(c, KIND_PERMIT, key, &s);
    bool ok;

    permit_for(k, limit);
    ok = now_ms < k->u.permit.until_ms && k->u.permit.left >= n;
    if (ok)
        k->u.permit.left -= n;
    *ret = (struct permit_state){k->u.permit.used, k->u.permit.refused_until_ms};
    unlock(s);
    return ok;
}

void
permit_add(struct counters *c, struct str key, uint32_t limit, uint32_t n, uint32_t used, uint64_t until_ms)
{
    struct shard *s;
    struct counter *k = lock_counter(c, KIND_PERMIT, key, &s);

    permit_for(k, limit);
    if (until_ms != k->u.permit.until_ms)
        k->u.permit.left = 0;         /* those of an earlier slot have lapsed */
    k->u.permit.left += n;
    k->u.permit.used = used;
    k->u.permit.until_ms = until_ms;
    k->u.permit.refused_until_ms = 0;
    unlock(s);
}

void
permit_refuse(struct counters *c, struct str key, uint32_t limit, uint64_t until_ms)
{
    struct shard *s;
    struct counter *k = lock_counter(c, KIND_PERMIT, key, &s);

    permit_for(k, limit);
    k->u.permit.refused_until_ms = until_ms;
    unlock(s);
}

/* --- gauges -------------------------------------------------------------------------------------------------------- */

bool
gauge_enter(struct counters *c, struct str key, uint32_t max)
{
    struct shard *s;
    struct counter *k = lock_counter(c, KIND_GAUGE, key, &s);
    bool ok = k->u.inside < max;

    k->u.inside += ok;
    unlock(s);
    return ok;
}

void
gauge_leave(struct counters *c, struct str key)
{
    struct shard *s;
    struct counter *k = lock_counter(c, KIND_GAUGE, key, &s);

    ASSERT(k->u.inside > 0);
    if (--k->u.inside == 0)
        drop(s, k);
    unlock(s);
}
