/* scope.c: generation numbers of what can be purged, and how many entries each scope has.
 *
 *     records[]: {scope, hard, soft}     hard, soft: the generation of its last purge of that kind
 *
 * An entry carries one number, the generation up to which it is known to be alive: at first the one read before its
 * fetch, later the one of its last look-up. While no purge happens that number equals `now` and a hit compares two
 * integers; after a purge of anything each entry looks its scopes up once.
 * The table is bounded: when it is full the older half of the purges is forgotten, and `floor` says up to which number.
 * An entry not looked at since then cannot be proven alive, so it is dead: too many misses, never a stale hit.
 * Invariants:
 *   G1  now, floor, hard and soft never go back
 *   G2  a record is forgotten only when its generation is at or below floor
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/scope.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/hash.h"
#include "cache/key.h"

#define RECORDS_MAX 65536u

struct purge_record {
    cache_scope_id scope;             /* 0: free */
    uint64_t hard, soft;
};

struct scope_count {
    cache_scope_id scope;             /* 0: free */
    uint32_t n;
};

/* ---- names ---- */

cache_scope_id
cache_scope(enum cache_scope_kind kind, struct str name)
{
    cache_scope_id id = hash_mix(hash_128(name).lo, (uint64_t)kind << 56);

    return id ? id : 1;
}

cache_scope_id
cache_scope_operation(struct str api, struct str operation)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;

    buf_add_str(&b, api);
    buf_add_char(&b, '/');
    buf_add_str(&b, operation);
    return cache_scope(SCOPE_OPERATION, buf_str(&b));
}

cache_scope_id
cache_scope_unowned(void)
{
    return cache_scope(SCOPE_API, STR(""));
}

void
cache_scopes_add(struct cache_scopes *s, cache_scope_id id)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->v[i] == id)
            return;
    if (s->n == CACHE_SCOPES_MAX)
        s->is_full = true;
    else
        s->v[s->n++] = id;
}

/* A place as purges name it. One closing slash says nothing: "/a/" and "/a" are one. Nor does the case of letters, which routes do not
 * mind: the same answer lies under any of them. The buffer is for a text that had to change. */
static struct str
place_of(struct str path, struct buf *b)
{
    size_t i = 0;

    while (path.len > 0 && path.p[path.len - 1] == '/')
        path.len--;
    while (i < path.len && path.p[i] == ascii_lower(path.p[i]))
        i++;
    if (i == path.len)
        return str_from(path.p ? path.p : "", path.len);
    buf_clear(b);
    buf_add_str(b, path);
    for (; i < path.len; i++)
        b->p[i] = ascii_lower(b->p[i]);
    return buf_str(b);
}

cache_scope_id
cache_scope_path(struct str path)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;

    return cache_scope(SCOPE_PATH, place_of(path, &b));
}

cache_scope_id
cache_scope_prefix(struct str path)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;

    return cache_scope(SCOPE_PREFIX, place_of(path, &b));
}

cache_scope_id
cache_scope_url(struct str path, struct str query, const struct str *names, size_t n)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 4 << 20);
    struct buf b AUTO(buf_destroy) = BUF_INIT, place AUTO(buf_destroy) = BUF_INIT;

    cache_key_add(&b, place_of(path, &place));
    cache_key_add_query(&b, query, names, n, &arena);
    return cache_scope(SCOPE_URL, buf_str(&b));
}

void
cache_scopes_add_path(struct cache_scopes *s, struct str path, struct str query)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;

    path = place_of(path, &b);
    cache_scopes_add(s, cache_scope(SCOPE_PATH, path));
    if (query.len)
        cache_scopes_add(s, cache_scope_url(path, query, NULL, 0));
    for (size_t i = 0; i < path.len; i++)
        if (path.p[i] == '/')
            cache_scopes_add(s, cache_scope(SCOPE_PREFIX, str_sub(path, 0, i)));
}

/* ---- purges ---- */

void
generations_create(struct generations *g)
{
    *g = (struct generations){.now = 1, .cap = 64};
    pthread_mutex_init(&g->lock, NULL);
    g->records = xnew_array(struct purge_record, g->cap);
}

void
generations_destroy(struct generations *g)
{
    free(g->records);
    pthread_mutex_destroy(&g->lock);
}

/* The record of this scope, or the free one where it would go. */
static struct purge_record *
record_at(const struct generations *g, cache_scope_id scope)
{
    uint32_t at = (uint32_t)scope & (g->cap - 1);

    while (g->records[at].scope && g->records[at].scope != scope)
        at = (at + 1) & (g->cap - 1);
    return &g->records[at];
}

static int
by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The number in the middle of all records: numbers may have gaps, as other nodes make purges too. */
static uint64_t
middle(const struct generations *g)
{
    uint64_t *numbers = xnew_array(uint64_t, g->n + 1), result;
    uint32_t n = 0;

    for (uint32_t i = 0; i < g->cap; i++)
        if (g->records[i].scope)
            numbers[n++] = MAX(g->records[i].hard, g->records[i].soft);
    qsort(numbers, n, sizeof(*numbers), by_number);
    result = numbers[n / 2];
    free(numbers);
    return result;
}

/* Room for one more record: forgets the older half once there are too many, else doubles. */
static void
make_room(struct generations *g)
{
    struct purge_record *old = g->records;
    uint32_t old_cap = g->cap;

    if (g->n * 2 < g->cap)
        return;
    if (g->n >= RECORDS_MAX)
        g->floor = MAX(g->floor, middle(g)); /* (G2) */
    else
        g->cap *= 2;
    g->records = xnew_array(struct purge_record, g->cap);
    g->n = 0;
    for (uint32_t i = 0; i < old_cap; i++) {
        if (!old[i].scope || MAX(old[i].hard, old[i].soft) <= g->floor)
            continue;
        *record_at(g, old[i].scope) = old[i];
        g->n++;
    }
    free(old);
}

static void
purge_scope(struct generations *g, cache_scope_id scope, uint64_t now, bool is_soft)
{
    struct purge_record *r;

    if (scope == SCOPE_ALL) {
        *(is_soft ? &g->all_soft : &g->all_hard) = now;
        return;
    }
    make_room(g);
    r = record_at(g, scope);
    g->n += r->scope == 0;
    r->scope = scope;
    *(is_soft ? &r->soft : &r->hard) = now;
}

uint64_t
generations_purge(struct generations *g, const cache_scope_id *scopes, size_t n, bool is_soft)
{
    uint64_t now;

    pthread_mutex_lock(&g->lock);
    now = atomic_load_explicit(&g->now, memory_order_relaxed) + (n == 0);
    for (size_t i = 0; i < n; i++)
        purge_scope(g, scopes[i], ++now, is_soft);
    atomic_store_explicit(&g->now, now, memory_order_release);
    pthread_mutex_unlock(&g->lock);
    return now;
}

void
generations_purge_at(struct generations *g, const cache_scope_id *scopes, size_t n, bool is_soft, uint64_t number)
{
    uint64_t now;

    pthread_mutex_lock(&g->lock);
    now = MAX(atomic_load_explicit(&g->now, memory_order_relaxed) + 1, number);
    for (size_t i = 0; i < n; i++)
        purge_scope(g, scopes[i], now, is_soft);
    atomic_store_explicit(&g->now, now, memory_order_release);
    pthread_mutex_unlock(&g->lock);
}

void
generations_forget(struct generations *g)
{
    uint64_t now;

    pthread_mutex_lock(&g->lock);
    now = atomic_load_explicit(&g->now, memory_order_relaxed) + 1;
    g->floor = now;
    atomic_store_explicit(&g->now, now, memory_order_release);
    pthread_mutex_unlock(&g->lock);
}

void
generations_raise(struct generations *g, uint64_t to)
{
    pthread_mutex_lock(&g->lock);
    if (to > atomic_load_explicit(&g->now, memory_order_relaxed))
        atomic_store_explicit(&g->now, to, memory_order_release);
    pthread_mutex_unlock(&g->lock);
}

enum scope_state
generations_state(struct generations *g, const cache_scope_id *scopes, size_t n, uint64_t since)
{
    enum scope_state state = SCOPE_LIVE;

    if (since == atomic_load_explicit(&g->now, memory_order_acquire))
        return SCOPE_LIVE;
    pthread_mutex_lock(&g->lock);
    if (since < g->floor || since < g->all_hard)
        state = SCOPE_DEAD;
    else if (since < g->all_soft)
        state = SCOPE_STALE;
    for (size_t i = 0; i < n && state != SCOPE_DEAD; i++) {
        const struct purge_record *r = record_at(g, scopes[i]);
        if (r->scope && since < r->hard)
            state = SCOPE_DEAD;
        else if (r->scope && since < r->soft)
            state = SCOPE_STALE;
    }
    pthread_mutex_unlock(&g->lock);
    return state;
}

uint64_t
generations_last(struct generations *g, const cache_scope_id *scopes, size_t n, uint64_t since)
{
    uint64_t last;

    pthread_mutex_lock(&g->lock);
    last = g->all_hard;
    for (size_t i = 0; i < n; i++) {
        const struct purge_record *r = record_at(g, scopes[i]);
        if (r->scope)
            last = MAX(last, r->hard);
    }
    pthread_mutex_unlock(&g->lock);
    return last > since ? last : 0;
}

/* ---- counts ---- */

static uint32_t
count_slot(const struct scope_counts *t, cache_scope_id id)
{
    uint32_t at = (uint32_t)id & (t->cap - 1);

    while (t->v[at].scope && t->v[at].scope != id)
        at = (at + 1) & (t->cap - 1);
    return at;
}

static void
counts_grow(struct scope_counts *t)
{
    struct scope_counts wider = {xnew_array(struct scope_count, t->cap ? t->cap * 2 : 16), t->n, t->cap ? t->cap * 2 : 16};

    for (uint32_t i = 0; i < t->cap; i++)
        if (t->v[i].scope)
            wider.v[count_slot(&wider, t->v[i].scope)] = t->v[i];
    free(t->v);
    *t = wider;
}

void
scope_counts_add(struct scope_counts *t, cache_scope_id id)
{
    struct scope_count *c;

    if ((t->n + 1) * 4 > t->cap * 3)
        counts_grow(t);
    c = &t->v[count_slot(t, id)];
    t->n += c->scope == 0;
    c->scope = id;
    c->n++;
}

/* Linear probing without tombstones: what follows the gap and may move into it does. */
static void
close_gap(struct scope_counts *t, uint32_t gap)
{
    uint32_t mask = t->cap - 1;

    for (uint32_t at = (gap + 1) & mask; t->v[at].scope; at = (at + 1) & mask) {
        uint32_t home = (uint32_t)t->v[at].scope & mask;
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        t->v[gap] = t->v[at];
        gap = at;
    }
    t->v[gap] = (struct scope_count){0};
}

void
scope_counts_remove(struct scope_counts *t, cache_scope_id id)
{
    uint32_t at = count_slot(t, id);

    ASSERT(t->v[at].scope == id);
    if (--t->v[at].n)
        return;
    close_gap(t, at);
    t->n--;
}

uint32_t
scope_counts_get(const struct scope_counts *t, cache_scope_id id)
{
    return t->cap ? t->v[count_slot(t, id)].n : 0;
}

void
scope_counts_destroy(struct scope_counts *t)
{
    free(t->v);
    *t = (struct scope_counts){0};
}

size_t
scope_counts_bytes(const struct scope_counts *t)
{
    return (size_t)t->cap * sizeof(*t->v);
}
