/* cache.c: responses and values kept in memory and shared by every worker.
 *
 *     shard[64..] -> bucket -> entry -> entry        (variants of one key among them, latest used first)
 *                 \-> small, main: the queues of S3-FIFO, by bytes; ghost: what small let go lately
 *
 * A new entry joins `small`, a tenth of the bytes. Leaving it, what was asked for more than once moves to `main`, the
 * rest is dropped and its key noted in `ghost`; a key found there starts in `main`. Leaving `main`, what was asked for
 * goes round again. So a hit moves nothing: it adds one to a 2-bit counter and takes a reference.
 * Locking:    shard->lock covers buckets, queues, counts and the entries' own fields of that kind. What was published
 *             never changes otherwise, so readers take a reference and read without the lock. generations.lock is
 *             taken inside a shard's. Memory is given back outside.
 * Ownership:  the shard holds one reference, each reader one more; the last cache_entry_unref() frees, anywhere.
 * Memory:     the budget counts what is published, being filled, or evicted and still read, and the tables. Room is
 *             made before anything is allocated, from the first shard that holds at least its share.
 * Invariants, walked by cache_check():
 *   C1  an entry is in one bucket, on one queue and counted in its scopes exactly while it is published
 *   C2  shard->bytes is the sum of its entries, shard->small_bytes of those on `small`; the sum of all shards and
 *       tables never exceeds the budget's bytes
 *   C3  no key has more than variants_max entries
 *   C4  a scope's count is the number of published entries that list it
 * Not here: what may be stored and for how long (policies, RFC 9111), the body's way into a fill, Redis.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/cache.h"

#include <stdlib.h>

#include "cache/shard.h"

#define SHARDS_MIN 64u
#define BUCKETS_MIN 64u
#define VARIANTS_MAX 64u
#define USES_MAX 3u
#define SMALL_PART 10u /* `small` holds one part in this many */

enum entry_queue { QUEUE_NONE, QUEUE_SMALL, QUEUE_MAIN };

/* ---- words ---- */

const char *
cache_refusal_word(enum cache_refusal why)
{
    switch (why) {
    case CACHE_STORED: return "stored";
#define REFUSAL(name, word, sentence) case CACHE_REFUSED_##name: return word;
#include "cache/refusals.def"
#undef REFUSAL
    case CACHE_REFUSALS_END: break;
    }
    return "";
}

const char *
cache_refusal_sentence(enum cache_refusal why)
{
    switch (why) {
    case CACHE_STORED: return "it was stored";
#define REFUSAL(name, word, sentence) case CACHE_REFUSED_##name: return sentence;
#include "cache/refusals.def"
#undef REFUSAL
    case CACHE_REFUSALS_END: break;
    }
    return "";
}

const char *
cache_verdict_word(enum cache_verdict v)
{
    switch (v) {
    case CACHE_HIT: return "hit";
    case CACHE_STALE: return "stale";
    case CACHE_MISS_ABSENT: return "absent";
    case CACHE_MISS_VARIANT: return "variant";
    case CACHE_MISS_EXPIRED: return "expired";
    case CACHE_MISS_PURGED: return "purged";
    case CACHE_MISS_UNPROVEN: return "unproven";
    }
    return "";
}

void
cache_note_refusal(struct cache *c, const struct cache_key *key, enum cache_refusal why)
{
    uint64_t hash = key->hash.lo;

    atomic_store_explicit(&c->refusal_notes[hash & (REFUSAL_NOTES - 1)], (hash & ~(uint64_t)0xff) | (uint64_t)why, memory_order_relaxed);
}

enum cache_refusal
cache_noted_refusal(const struct cache *c, const struct cache_key *key)
{
    uint64_t hash = key->hash.lo;
    uint64_t note = atomic_load_explicit(&c->refusal_notes[hash & (REFUSAL_NOTES - 1)], memory_order_relaxed);

    return (note & ~(uint64_t)0xff) == (hash & ~(uint64_t)0xff) ? (enum cache_refusal)(note & 0xff) : CACHE_STORED;
}

/* ---- creation ---- */

static uint32_t
power_of_two(uint32_t at_least)
{
    uint32_t n = 1;

    while (n < at_least)
        n *= 2;
    return n;
}

static void
shard_create(struct shard *s)
{
    *s = (struct shard){.n_buckets = BUCKETS_MIN};
    pthread_mutex_init(&s->lock, NULL);
    s->buckets = xnew_array(struct cache_entry *, s->n_buckets);
    list_init(&s->small);
    list_init(&s->main);
    ghost_resize(&s->ghost, s->n_buckets);
}

struct cache *
cache_new(const struct cache_limits *limits)
{
    struct cache *c = xnew(struct cache);

    c->n_shards = power_of_two(MAX(SHARDS_MIN, limits->workers * 4));
    c->variants_max = limits->variants_max ? limits->variants_max : VARIANTS_MAX;
    c->entry_bytes_max = limits->entry_bytes_max;
    atomic_init(&c->budget.bytes_max, limits->bytes_max);
    generations_create(&c->generations);
    purge_journal_create(&c->journal);
    c->n_sources = limits->sources + 1;
    c->sources = xnew_array(struct source, c->n_sources);
    if (posix_memalign((void **)&c->shards, _Alignof(struct shard), c->n_shards * sizeof(struct shard)) != 0)
        UNREACHABLE();
    for (uint32_t i = 0; i < c->n_shards; i++)
        shard_create(&c->shards[i]);
    return c;
}

void
cache_set_bytes_max(struct cache *c, uint64_t bytes_max)
{
    atomic_store_explicit(&c->budget.bytes_max, bytes_max, memory_order_relaxed);
}

void
cache_count_refusal(struct cache *c, enum cache_refusal why)
{
    atomic_fetch_add_explicit(&c->refused[why], 1, memory_order_relaxed);
}

/* ---- one shard; its lock is held ---- */

static void
queue_leave(struct shard *s, struct cache_entry *e)
{
    list_remove(&e->link);
    if (e->queue == QUEUE_SMALL)
        s->small_bytes -= e->charge;
    e->queue = QUEUE_NONE;
}

static void
queue_join(struct shard *s, struct cache_entry *e, enum entry_queue queue)
{
    list_push_front(queue == QUEUE_SMALL ? &s->small : &s->main, &e->link);
    if (queue == QUEUE_SMALL)
        s->small_bytes += e->charge;
    e->queue = (uint8_t)queue;
}

/* Takes the entry *at out of everything (C1). The shard's reference passes to the caller. */
static struct cache_entry *
unlink_entry(struct shard *s, struct cache_entry **at)
{
    struct cache_entry *e = *at;

    *at = e->next;
    e->next = NULL;
    queue_leave(s, e);
    s->bytes -= e->charge;
    s->n_entries--;
    for (uint32_t i = 0; i < e->n_scopes; i++)
        scope_counts_remove(&s->counts, e->scopes[i]);
    return e;
}

static struct cache_entry *
unlink_found(struct shard *s, struct cache_entry *e)
{
    struct cache_entry **at = bucket_of(s, e->hash);

    while (*at != e)
        at = &(*at)->next;
    return unlink_entry(s, at);
}

/* The buckets are as many as the entries, so that chains stay short; the ghost reaches as far. */
static void
grow_buckets(struct shard *s)
{
    struct cache_entry **old = s->buckets;
    uint32_t old_n = s->n_buckets;

    if (s->n_entries <= s->n_buckets)
        return;
    s->n_buckets *= 2;
    s->buckets = xnew_array(struct cache_entry *, s->n_buckets);
    for (uint32_t i = 0; i < old_n; i++) {
        struct cache_entry **low = &s->buckets[i], **high = &s->buckets[i + old_n];
        for (struct cache_entry *e = old[i]; e; e = e->next) {
            struct cache_entry ***to = e->hash & old_n ? &high : &low;
            **to = e;
            *to = &e->next;
        }
        *low = *high = NULL;
    }
    free(old);
    ghost_resize(&s->ghost, s->n_buckets);
}

static uint64_t
measure_tables(const struct shard *s)
{
    return heap_bytes(s->n_buckets * sizeof(*s->buckets)) + heap_bytes(s->ghost.n * sizeof(*s->ghost.marks)) +
           heap_bytes(scope_counts_bytes(&s->counts));
}

static void
charge_tables(struct cache *c, struct shard *s)
{
    uint64_t bytes = measure_tables(s);

    atomic_fetch_add_explicit(&c->budget.bytes, bytes - s->table_bytes, memory_order_relaxed);
    s->table_bytes = bytes;
}

/* Is it alive by the purges so far? Remembers the answer, so that the next look-up compares two numbers. A soft purge
 * ends its freshness when it is first noticed. */
bool
shard_is_alive(struct cache *c, struct cache_entry *e, uint64_t now_ms)
{
    uint64_t now = cache_generation(c);
    enum scope_state state;

    if (LIKELY(e->generation == now))
        return true;
    state = generations_state(&c->generations, e->scopes, e->n_scopes, e->generation);
    if (state == SCOPE_DEAD)
        return false;
    e->generation = MAX(e->generation, now);
    if (state == SCOPE_STALE)
        e->stale_since_ms = MIN(e->stale_since_ms, now_ms);
    return true;
}

static bool
is_vouched_for(const struct cache *c, const struct cache_entry *e, uint64_t now_ms)
{
    const struct source *s = &c->sources[e->source];
    uint64_t until_ms = atomic_load_explicit(&s->until_ms, memory_order_acquire);

    return atomic_load_explicit(&s->epoch, memory_order_acquire) == e->source_epoch &&
           (until_ms == UINT64_MAX ||
            (now_ms < until_ms && now_ms < atomic_load_explicit(&c->lease_until_ms, memory_order_acquire)));
}

/* Kept past its freshness as long as its stale window says, counted from the moment it became stale. */
static enum cache_verdict
judge(struct cache *c, struct cache_entry *e, uint64_t now_ms)
{
    if (!shard_is_alive(c, e, now_ms))
        return CACHE_MISS_PURGED;
    if (e->source && !is_vouched_for(c, e, now_ms))
        return CACHE_MISS_UNPROVEN;
    if (LIKELY(now_ms < e->stale_since_ms))
        return CACHE_HIT;
    if (now_ms - e->stale_since_ms < e->stale_until_ms - e->expires_ms)
        return CACHE_STALE;
    return e->stale_since_ms < e->expires_ms ? CACHE_MISS_PURGED : CACHE_MISS_EXPIRED;
}

static struct purged_mark *
purged_mark_at(struct shard *s, uint64_t hash)
{
    return &s->purged_marks[hash / BUCKETS_MIN % MARKS];
}

/* Counts an entry that is about to go, and remembers which purge it was. */
static void
note_gone(struct cache *c, struct shard *s, const struct cache_entry *e, enum cache_verdict why)
{
    struct purged_mark *mark = purged_mark_at(s, e->hash);

    *(why == CACHE_MISS_PURGED ? &s->purged : &s->expired) += 1;
    if (why == CACHE_MISS_PURGED)
        *mark = (struct purged_mark){e->hash, generations_last(&c->generations, e->scopes, e->n_scopes, e->generation)};
    else if (mark->hash == e->hash)
        *mark = (struct purged_mark){0};
}

uint64_t
cache_noted_purge(struct cache *c, const struct cache_key *key)
{
    struct shard *s = shard_of(c, key);
    struct purged_mark mark;

    pthread_mutex_lock(&s->lock);
    mark = *purged_mark_at(s, key->hash.lo);
    pthread_mutex_unlock(&s->lock);
    return mark.hash == key->hash.lo ? mark.generation : 0;
}

/* ---- eviction ---- */

/* Does this queue's oldest entry stay for another round? */
static bool
is_kept(struct shard *s, struct cache_entry *e)
{
    if (e->queue == QUEUE_MAIN)
        return e->uses-- > 0;
    if (e->uses > 1) {
        e->uses = 0;
        return true;
    }
    ghost_add(&s->ghost, e->hash);
    return false;
}

/* The entry that S3-FIFO gives up next, unlinked; NULL when the shard is empty. */
static struct cache_entry *
evict(struct shard *s)
{
    while (s->n_entries) {
        bool from_small = !list_is_empty(&s->small) &&
                          (s->small_bytes * SMALL_PART >= s->bytes || list_is_empty(&s->main));
        struct cache_entry *e = list_last(from_small ? &s->small : &s->main, struct cache_entry, link);
        if (!is_kept(s, e)) {
            s->evictions++;
            return unlink_found(s, e);
        }
        queue_leave(s, e);
        queue_join(s, e, QUEUE_MAIN);
    }
    return NULL;
}

static bool
budget_take(struct cache_budget *b, uint64_t bytes)
{
    uint64_t held = atomic_load_explicit(&b->bytes, memory_order_relaxed);

    do {
        uint64_t max = atomic_load_explicit(&b->bytes_max, memory_order_relaxed);
        if (held > max || bytes > max - held)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&b->bytes, &held, held + bytes, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}

/* Evicts one entry from the first shard, beginning with this one, that holds its share or more; in a second round
 * from any that holds something. False when the cache is empty. */
static bool
evict_somewhere(struct cache *c, uint32_t first)
{
    uint64_t share = atomic_load_explicit(&c->budget.bytes, memory_order_relaxed) / c->n_shards;

    for (uint32_t i = 0; i < 2 * c->n_shards; i++) {
        struct shard *s = &c->shards[(first + i) & (c->n_shards - 1)];
        struct cache_entry *e = NULL;

        pthread_mutex_lock(&s->lock);
        if (i >= c->n_shards || s->bytes >= share)
            e = evict(s);
        pthread_mutex_unlock(&s->lock);
        if (e) {
            cache_entry_unref(e);
            return true;
        }
    }
    return false;
}

uint64_t
cache_bytes(const struct cache *c)
{
    return atomic_load_explicit(&c->budget.bytes, memory_order_relaxed);
}

void
cache_shrink(struct cache *c, uint64_t to_bytes, uint32_t max)
{
    while (max-- && cache_bytes(c) > to_bytes && evict_somewhere(c, max))
        ;
}

bool
cache_make_room(struct cache *c, uint32_t first, uint64_t bytes)
{
    if (bytes > atomic_load_explicit(&c->budget.bytes_max, memory_order_relaxed))
        return false;
    while (!budget_take(&c->budget, bytes))
        if (!evict_somewhere(c, first))
            return false;
    return true;
}

/* ---- finding ---- */

void
shard_find(struct cache *c, struct shard *s, const struct cache_key *key, const struct cache_request *request,
           uint64_t now_ms, struct found *ret)
{
    struct cache_entry **bucket = bucket_of(s, key->hash.lo), **at, *e;

    *ret = (struct found){.verdict = CACHE_MISS_ABSENT};
    for (at = bucket; *at; at = &(*at)->next) {
        if (!entry_matches(*at, key))
            continue;
        if (cache_vary_fits(cache_entry_vary(*at), request))
            break;
        ret->verdict = CACHE_MISS_VARIANT;
    }
    if ((e = *at)) {
        ret->verdict = judge(c, e, now_ms);
        if (ret->verdict == CACHE_HIT || ret->verdict == CACHE_STALE) {
            ret->entry = cache_entry_ref(e);
            ret->stale_since_ms = e->stale_since_ms;
            ret->retry_ms = e->stored_ms + e->retry_ms;
            e->uses = (uint8_t)MIN(e->uses + 1u, USES_MAX);
            if (e->vary_len && at != bucket) { /* latest used first */
                *at = e->next;
                e->next = *bucket;
                *bucket = e;
            }
        } else {
            note_gone(c, s, e, ret->verdict);
            ret->gone = unlink_entry(s, at);
        }
    }
    *(ret->verdict == CACHE_HIT ? &s->hits : ret->verdict == CACHE_STALE ? &s->stale : &s->misses) += 1;
}

enum cache_verdict
cache_find(struct cache *c, const struct cache_key *key, const struct cache_request *request, uint64_t now_ms,
           struct cache_entry **ret)
{
    struct shard *s = shard_of(c, key);
    struct found found;

    pthread_mutex_lock(&s->lock);
    shard_find(c, s, key, request, now_ms, &found);
    pthread_mutex_unlock(&s->lock);
    cache_entry_unref(found.gone);
    if (found.entry)
        *ret = found.entry;
    return found.verdict;
}

/* ---- storing ---- */

/* Unlinks the variant that the new entry replaces, and the least recently used one above the limit (C3). They are
 * chained by `next` into *gone. */
static void
drop_variants(struct cache *c, struct shard *s, const struct cache_entry *e, const struct cache_key *key,
              struct cache_entry **gone)
{
    struct cache_entry **at = bucket_of(s, e->hash), **last = NULL, *out;
    uint32_t variants = 0;

    while (*at) {
        if (!entry_matches(*at, key)) {
            at = &(*at)->next;
        } else if (str_eq(cache_entry_vary(*at), cache_entry_vary(e))) {
            out = unlink_entry(s, at);
            out->next = *gone;
            *gone = out;
            s->replaced++;
        } else {
            variants++;
            last = at;
            at = &(*at)->next;
        }
    }
    if (variants < c->variants_max)
        return;
    out = unlink_entry(s, last);
    out->next = *gone;
    *gone = out;
    s->evictions++;
}

static uint64_t *
removal_of(struct shard *s, uint64_t hash)
{
    return &s->removals[hash / BUCKETS_MIN % REMOVALS];
}

/* Publishes. False when a purge, or a removal of its key, came after it was born (that of a copy is a purge of its source); then *gone is the entry itself. */
static bool
insert(struct cache *c, struct shard *s, struct cache_entry *e, const struct cache_key *key, struct cache_entry **gone)
{
    struct cache_entry **bucket;
    bool is_ghost;

    if ((!e->source && e->generation < *removal_of(s, e->hash)) || !shard_is_alive(c, e, e->stored_ms)) {
        *gone = e;
        return false;
    }
    drop_variants(c, s, e, key, gone);
    bucket = bucket_of(s, e->hash);
    e->next = *bucket;
    *bucket = e;
    s->n_entries++;
    s->bytes += e->charge;
    s->stores++;
    for (uint32_t i = 0; i < e->n_scopes; i++)
        scope_counts_add(&s->counts, e->scopes[i]);
    is_ghost = ghost_take(&s->ghost, e->hash, s->n_entries);
    s->ghost_hits += is_ghost;
    queue_join(s, e, is_ghost ? QUEUE_MAIN : QUEUE_SMALL);
    grow_buckets(s);
    charge_tables(c, s);
    return true;
}

void
cache_give_back(struct cache_entry *chain)
{
    for (struct cache_entry *next; chain; chain = next) {
        next = chain->next;
        chain->next = NULL;
        cache_entry_unref(chain);
    }
}

bool
cache_publish(struct cache *c, struct cache_entry *e, const struct cache_key *key, struct cache_entry **ret)
{
    struct shard *s = shard_of(c, key);
    struct cache_entry *gone = NULL;
    bool is_stored;

    pthread_mutex_lock(&s->lock);
    is_stored = insert(c, s, e, key, &gone);
    if (is_stored && ret)
        *ret = cache_entry_ref(e);
    pthread_mutex_unlock(&s->lock);
    cache_give_back(gone);
    return is_stored;
}

uint64_t
cache_entry_max(const struct cache *c)
{
    uint64_t all = atomic_load_explicit(&c->budget.bytes_max, memory_order_relaxed);

    return c->entry_bytes_max ? c->entry_bytes_max : all / 8;
}

enum cache_refusal
cache_refusal_of(const struct cache *c, const struct cache_item *item, uint64_t bytes)
{
    if (MAX(item->expires_ms, item->stale_until_ms) <= item->stored_ms)
        return CACHE_REFUSED_EXPIRED;
    if (bytes > cache_entry_max(c) || item->head.len > UINT32_MAX / 2 || item->key.bytes.len > UINT32_MAX / 2)
        return CACHE_REFUSED_TOO_LARGE;
    return CACHE_STORED;
}

/* ---- those who vouch ---- */

void
cache_source_set(struct cache *c, uint32_t source, uint32_t epoch, uint64_t until_ms)
{
    struct source *s = &c->sources[source];

    ASSERT(source > 0 && source < c->n_sources);
    atomic_store_explicit(&s->until_ms, 0, memory_order_release);
    atomic_store_explicit(&s->epoch, epoch, memory_order_release);
    atomic_store_explicit(&s->until_ms, until_ms, memory_order_release);
}

static void
raise(_Atomic uint64_t *at, uint64_t to)
{
    uint64_t old = atomic_load_explicit(at, memory_order_relaxed);

    while (old < to && !atomic_compare_exchange_weak_explicit(at, &old, to, memory_order_release, memory_order_relaxed))
        ;
}

void
cache_source_extend(struct cache *c, uint32_t source, uint32_t epoch, uint64_t until_ms)
{
    struct source *s = &c->sources[source];

    if (atomic_load_explicit(&s->epoch, memory_order_acquire) == epoch)
        raise(&s->until_ms, until_ms);
}

void
cache_lease_extend(struct cache *c, uint64_t until_ms)
{
    raise(&c->lease_until_ms, until_ms);
}

/* ---- invalidation ---- */

uint64_t
cache_generation(const struct cache *c)
{
    return atomic_load_explicit(&c->generations.now, memory_order_acquire);
}

void
cache_generation_raise(struct cache *c, uint64_t to)
{
    generations_raise(&c->generations, to);
}

uint32_t
cache_remove(struct cache *c, const struct cache_key *key)
{
    struct shard *s = shard_of(c, key);
    struct cache_entry **at, *gone = NULL, *next;
    uint32_t n = 0;

    pthread_mutex_lock(&s->lock);
    *removal_of(s, key->hash.lo) = generations_purge(&c->generations, NULL, 0, false);
    for (at = bucket_of(s, key->hash.lo); *at;) {
        if (!entry_matches(*at, key)) {
            at = &(*at)->next;
            continue;
        }
        next = unlink_entry(s, at);
        next->next = gone;
        gone = next;
        n++;
    }
    s->removed += n;
    pthread_mutex_unlock(&s->lock);
    cache_give_back(gone);
    return n;
}

/* Of what sources from `first` to `last` vouch for, or nobody (0). */
static uint32_t
remove_hash(struct cache *c, struct hash128 hash, uint32_t first, uint32_t last)
{
    struct shard *s = shard_of(c, &(struct cache_key){.hash = hash});
    struct cache_entry *gone = NULL, *e;
    uint32_t n = 0;

    pthread_mutex_lock(&s->lock);
    for (struct cache_entry **at = bucket_of(s, hash.lo); *at;) {
        if ((*at)->hash != hash.lo || (*at)->source < first || (*at)->source > last) {
            at = &(*at)->next;
            continue;
        }
        e = unlink_entry(s, at);
        e->next = gone;
        gone = e;
        n++;
    }
    s->removed += n;
    pthread_mutex_unlock(&s->lock);
    cache_give_back(gone);
    return n;
}

uint32_t
cache_remove_hash(struct cache *c, struct hash128 hash)
{
    return remove_hash(c, hash, 0, UINT32_MAX);
}

uint32_t
cache_remove_copies(struct cache *c, struct hash128 hash, uint32_t first, uint32_t last)
{
    return remove_hash(c, hash, first, last);
}

void
cache_drop(struct cache *c, const struct cache_key *key, const struct cache_entry *e)
{
    struct shard *s = shard_of(c, key);
    struct cache_entry *gone = NULL;

    pthread_mutex_lock(&s->lock);
    for (struct cache_entry **at = bucket_of(s, key->hash.lo); *at && !gone; at = &(*at)->next) {
        if (*at != e)
            continue;
        gone = unlink_entry(s, at);
        s->removed++;
        break;
    }
    pthread_mutex_unlock(&s->lock);
    cache_entry_unref(gone);
}

/* The shard at which the sweep stands has to be passed twice. */
static void
want_sweep(struct cache *c)
{
    atomic_store_explicit(&c->unswept, c->n_shards + 1, memory_order_relaxed);
}

bool
cache_wants_sweep(const struct cache *c)
{
    return atomic_load_explicit(&c->unswept, memory_order_relaxed) > 0;
}

uint64_t
cache_purge(struct cache *c, const cache_scope_id *scopes, size_t n, bool is_soft, uint64_t *ret_entries)
{
    uint64_t number;

    if (ret_entries)
        *ret_entries = cache_count(c, scopes, n);
    number = generations_purge(&c->generations, scopes, n, is_soft);
    want_sweep(c);
    return number;
}

void
cache_purge_at(struct cache *c, const cache_scope_id *scopes, size_t n, bool is_soft, uint64_t number)
{
    generations_purge_at(&c->generations, scopes, n, is_soft, number);
    want_sweep(c);
}

void
cache_forget(struct cache *c)
{
    generations_forget(&c->generations);
    want_sweep(c);
}

enum scope_state
cache_state_since(struct cache *c, const cache_scope_id *scopes, size_t n, uint64_t since)
{
    return generations_state(&c->generations, scopes, n, since);
}

void
cache_prefix_scopes(struct str path, cache_scope_id ret[CACHE_PREFIX_SCOPES])
{
    ret[0] = cache_scope_prefix(path);
    ret[1] = cache_scope_path(path);
}

/* Frees what is dead among at most *left entries of the bucket. */
static uint32_t
sweep_bucket(struct cache *c, struct shard *s, struct cache_entry **at, uint64_t now_ms, uint32_t *left,
             struct cache_entry **gone)
{
    uint32_t n = 0;

    while (*at) {
        enum cache_verdict verdict = judge(c, *at, now_ms);
        *left -= *left > 0;
        if (verdict == CACHE_HIT || verdict == CACHE_STALE) {
            at = &(*at)->next;
            continue;
        }
        note_gone(c, s, *at, verdict);
        struct cache_entry *e = unlink_entry(s, at);
        e->next = *gone;
        *gone = e;
        n++;
    }
    return n;
}

uint32_t
cache_sweep(struct cache *c, uint64_t now_ms, uint32_t max)
{
    uint64_t place = atomic_load_explicit(&c->sweep_at, memory_order_relaxed);
    uint32_t shard = (uint32_t)(place >> 32), bucket = (uint32_t)place, freed = 0, visited = 0;

    while (max && visited <= c->n_shards) {
        struct shard *s = &c->shards[shard & (c->n_shards - 1)];
        struct cache_entry *gone = NULL;

        pthread_mutex_lock(&s->lock);
        for (; bucket < s->n_buckets && max; bucket++)
            freed += sweep_bucket(c, s, &s->buckets[bucket], now_ms, &max, &gone);
        if (bucket >= s->n_buckets) {
            bucket = 0;
            shard++;
            visited++;
            if (cache_wants_sweep(c))
                atomic_fetch_sub_explicit(&c->unswept, 1, memory_order_relaxed);
        }
        pthread_mutex_unlock(&s->lock);
        cache_give_back(gone);
    }
    atomic_store_explicit(&c->sweep_at, (uint64_t)(shard & (c->n_shards - 1)) << 32 | bucket, memory_order_relaxed);
    return freed;
}

/* ---- seeing it ---- */

void
cache_stats(struct cache *c, struct cache_stats *ret)
{
    *ret = (struct cache_stats){.bytes = atomic_load_explicit(&c->budget.bytes, memory_order_relaxed),
                                .bytes_max = atomic_load_explicit(&c->budget.bytes_max, memory_order_relaxed)};
    for (uint32_t i = 0; i < c->n_shards; i++) {
        struct shard *s = &c->shards[i];
        pthread_mutex_lock(&s->lock);
        ret->entries += s->n_entries;
        ret->hits += s->hits;
        ret->stale += s->stale;
        ret->misses += s->misses;
        ret->stores += s->stores;
        ret->replaced += s->replaced;
        ret->evictions += s->evictions;
        ret->expired += s->expired;
        ret->purged += s->purged;
        ret->removed += s->removed;
        ret->ghost_hits += s->ghost_hits;
        ret->collapsed += s->collapsed;
        ret->follows += s->follows;
        pthread_mutex_unlock(&s->lock);
    }
    for (uint32_t i = 0; i < CACHE_REFUSALS_END; i++)
        ret->refused[i] = atomic_load_explicit(&c->refused[i], memory_order_relaxed);
}

void
cache_each(struct cache *c, void (*fn)(void *ctx, const struct cache_entry *e), void *ctx)
{
    for (uint32_t i = 0; i < c->n_shards; i++) {
        struct shard *s = &c->shards[i];
        pthread_mutex_lock(&s->lock);
        for (uint32_t b = 0; b < s->n_buckets; b++)
            for (struct cache_entry *e = s->buckets[b]; e; e = e->next)
                fn(ctx, e);
        pthread_mutex_unlock(&s->lock);
    }
}

void
cache_list(struct cache *c, uint64_t now_ms, bool (*fn)(void *ctx, const struct cache_entry *e, const struct cache_seen *seen), void *ctx)
{
    bool goes_on = true;

    for (uint32_t i = 0; i < c->n_shards && goes_on; i++) {
        struct shard *s = &c->shards[i];
        pthread_mutex_lock(&s->lock);
        for (uint32_t b = 0; b < s->n_buckets && goes_on; b++)
            for (struct cache_entry *e = s->buckets[b]; e && goes_on; e = e->next)
                goes_on = fn(ctx, e, &(struct cache_seen){judge(c, e, now_ms), e->uses});
        pthread_mutex_unlock(&s->lock);
    }
}

void
cache_list_variants(struct cache *c, const struct cache_key *key, uint64_t now_ms,
                    bool (*fn)(void *ctx, const struct cache_entry *e, const struct cache_seen *seen), void *ctx)
{
    struct shard *s = shard_of(c, key);
    bool goes_on = true;

    pthread_mutex_lock(&s->lock);
    for (struct cache_entry *e = *bucket_of(s, key->hash.lo); e && goes_on; e = e->next)
        if (entry_matches(e, key))
            goes_on = fn(ctx, e, &(struct cache_seen){judge(c, e, now_ms), e->uses});
    pthread_mutex_unlock(&s->lock);
}

struct purge_journal *
cache_journal(struct cache *c)
{
    return &c->journal;
}

static void
check_key(const struct cache *c, const struct cache_entry *first)
{
    uint32_t variants = 0;

    for (const struct cache_entry *e = first; e; e = e->next)
        variants += e->hash == first->hash && str_eq(cache_entry_key(e), cache_entry_key(first));
    ASSERT(variants <= c->variants_max); /* C3 */
}

static void
check_shard(struct cache *c, struct shard *s)
{
    struct scope_counts counts = {0};
    uint64_t bytes = 0, small_bytes = 0, n = 0, queued = 0;

    for (uint32_t b = 0; b < s->n_buckets; b++) {
        for (struct cache_entry *e = s->buckets[b]; e; e = e->next, n++) {
            ASSERT((e->hash & (s->n_buckets - 1)) == b && list_is_linked(&e->link)); /* C1 */
            ASSERT(e->queue != QUEUE_NONE && atomic_load(&e->refs) > 0);             /* C1 */
            check_key(c, e);
            bytes += e->charge;
            small_bytes += e->queue == QUEUE_SMALL ? e->charge : 0;
            for (uint32_t i = 0; i < e->n_scopes; i++)
                scope_counts_add(&counts, e->scopes[i]);
        }
    }
    for (struct list_node *q = s->small.head.next; q != &s->small.head; q = q->next)
        queued++;
    for (struct list_node *q = s->main.head.next; q != &s->main.head; q = q->next)
        queued++;
    ASSERT(n == s->n_entries && n == queued);                      /* C1 */
    ASSERT(bytes == s->bytes && small_bytes == s->small_bytes);    /* C2 */
    ASSERT(counts.n == s->counts.n);                               /* C4 */
    for (uint32_t b = 0; b < s->n_buckets; b++)
        for (struct cache_entry *e = s->buckets[b]; e; e = e->next)
            for (uint32_t i = 0; i < e->n_scopes; i++)             /* C4 */
                ASSERT(scope_counts_get(&counts, e->scopes[i]) == scope_counts_get(&s->counts, e->scopes[i]));
    scope_counts_destroy(&counts);
}

bool
cache_check(struct cache *c)
{
    uint64_t held = 0;

    for (uint32_t i = 0; i < c->n_shards; i++) {
        struct shard *s = &c->shards[i];
        pthread_mutex_lock(&s->lock);
        check_shard(c, s);
        held += s->bytes + s->table_bytes;
        pthread_mutex_unlock(&s->lock);
    }
    ASSERT(held <= atomic_load(&c->budget.bytes)); /* C2; holds while no other thread evicts */
    return true;
}

void
cache_delete(struct cache *c)
{
    uint64_t table_bytes = 0;

    if (!c)
        return;
    for (uint32_t i = 0; i < c->n_shards; i++) {
        struct shard *s = &c->shards[i];
        for (uint32_t b = 0; b < s->n_buckets; b++)
            while (s->buckets[b])
                cache_entry_unref(unlink_entry(s, &s->buckets[b]));
        table_bytes += s->table_bytes;
        free(s->buckets);
        free(s->ghost.marks);
        scope_counts_destroy(&s->counts);
        pthread_mutex_destroy(&s->lock);
    }
    ASSERT(atomic_load(&c->budget.bytes) == table_bytes); /* else someone still reads or fills */
    generations_destroy(&c->generations);
    purge_journal_destroy(&c->journal);
    free(c->shards);
    free(c->sources);
    free(c);
}
