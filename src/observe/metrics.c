/* metrics.c: per-worker figures, summed and printed for Prometheus.
 *
 *     metrics -> worker[0] -> counters[], apis[slot]   -> requests, histograms
 *             |            |              caches[slot] -> outcomes, refusals, bytes of one operation
 *             -> worker[1] ...
 *             -> names[slot] of each    the labels; grow under the lock, entries never move or go
 * A worker allocates the series of a slot at the first request of that API and publishes the pointer with a release store;
 * the reader (any thread) loads it with acquire. A grown table is published the same way, and the old one is kept until
 * the end, since a reader may still walk it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "observe/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/vec.h"
#include "observe/emitted.h"

/* Who has which slot. */
struct slots {
    struct map by_name;               /* -> slot + 1 */
    VEC(struct str) names;            /* of an operation: API, NUL, operation */
};

struct metrics {
    uint32_t n_workers;
    struct worker_metrics *workers;
    struct emitted *emitted;
    pthread_mutex_t lock;             /* covers the slots */
    struct slots apis, caches;
};

static const uint32_t bounds_ms[DURATION_BUCKETS - 1] = DURATION_BOUNDS;

struct metric_row {
    const char *name, *kind, *help;
};

static const struct metric_row rows[METRIC_COUNT] = {
#define COUNTER "counter"
#define GAUGE "gauge"
#define METRIC(id, kind, name, help) [METRIC_##id] = {name, kind, help},
#include "observe/metrics.def"
#undef METRIC
};

struct metrics *
metrics_new(uint32_t workers, uint32_t emitted_series)
{
    struct metrics *m = xnew(struct metrics);

    m->n_workers = workers;
    m->workers = xnew_array(struct worker_metrics, workers);
    m->emitted = emitted_new(emitted_series);
    for (uint32_t i = 0; i < workers; i++)
        m->workers[i] = (struct worker_metrics){.emitted = m->emitted, .metrics = m};
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

/* A table carries the one it replaced behind its last slot, so that all are freed at the end. */
static void **
table_new(uint32_t cap, void **older)
{
    void **table = xcalloc((size_t)cap + 1, sizeof(void *));

    table[cap] = older;
    return table;
}

static void
table_free(struct series_table *t)
{
    void **table = t->v;
    uint32_t cap = t->cap;

    for (uint32_t i = 0; i < cap; i++)
        free(table[i]);
    while (table) {
        void **older = table[cap];
        free(table);
        table = older;
        cap /= 2;
    }
}

static void
slots_destroy(struct slots *s)
{
    for (size_t i = 0; i < s->names.n; i++)
        free((char *)s->names.v[i].p);
    vec_free(&s->names);
    map_destroy(&s->by_name);
}

void
metrics_delete(struct metrics *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; i < m->n_workers; i++) {
        table_free(&m->workers[i].apis);
        table_free(&m->workers[i].caches);
    }
    free(m->workers);
    emitted_delete(m->emitted);
    slots_destroy(&m->apis);
    slots_destroy(&m->caches);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

struct worker_metrics *
metrics_of_worker(struct metrics *m, uint32_t worker)
{
    ASSERT(worker < m->n_workers);
    return &m->workers[worker];
}

/* The slot of a name; a new one when there are fewer than max, else UINT32_MAX. The lock is held. */
static uint32_t
slot_of(struct slots *s, struct str name, size_t max)
{
    uintptr_t slot = (uintptr_t)map_get(&s->by_name, name);

    if (!slot && s->names.n >= max)
        return UINT32_MAX;
    if (!slot) {
        struct str kept = {xstrndup(name.p, name.len), name.len};
        *vec_push(&s->names) = kept;
        slot = s->names.n;
        map_set(&s->by_name, kept, (void *)slot);
    }
    return (uint32_t)(slot - 1);
}

uint32_t
metrics_api_slot(struct metrics *m, struct str api_id)
{
    uint32_t slot;

    pthread_mutex_lock(&m->lock);
    slot = slot_of(&m->apis, api_id, SIZE_MAX);
    pthread_mutex_unlock(&m->lock);
    return slot;
}

#define SERIES_CAP_MIN 16u

static NO_INLINE void *
series_make(struct series_table *t, uint32_t slot, size_t size)
{
    void *s;

    while (slot >= t->cap) {
        uint32_t cap = t->cap ? t->cap * 2 : SERIES_CAP_MIN;
        void **table = table_new(cap, t->v);

        for (uint32_t i = 0; i < t->cap; i++)
            table[i] = t->v[i];
        __atomic_store_n(&t->v, table, __ATOMIC_RELEASE);
        __atomic_store_n(&t->cap, cap, __ATOMIC_RELEASE); /* after the table: never too large for it */
    }
    s = xcalloc(1, size);
    __atomic_store_n(&t->v[slot], s, __ATOMIC_RELEASE);
    return s;
}

static inline void *
series_at(struct series_table *t, uint32_t slot, size_t size)
{
    void *s = slot < t->cap ? t->v[slot] : NULL;

    return LIKELY(s) ? s : series_make(t, slot, size);
}

static struct str
operation_name(struct buf *b, struct str api, struct str operation)
{
    buf_clear(b);
    buf_add_str(b, api);
    buf_add_char(b, 0);
    buf_add_str(b, operation);
    return buf_str(b);
}

static NO_INLINE uint32_t
cache_slot(struct metrics *m, struct str api, struct str operation)
{
    struct buf name AUTO(buf_destroy) = BUF_INIT;
    uint32_t slot;

    pthread_mutex_lock(&m->lock);
    slot = slot_of(&m->caches, operation_name(&name, api, operation.len ? operation : STR("(any)")), METRICS_CACHE_OPERATIONS);
    if (slot == UINT32_MAX)
        slot = slot_of(&m->caches, operation_name(&name, api, STR("(other)")), SIZE_MAX);
    pthread_mutex_unlock(&m->lock);
    return slot;
}

struct cache_series *
metrics_cache_series(struct worker_metrics *w, _Atomic uint32_t *slot, struct str api, struct str operation)
{
    uint32_t at = atomic_load_explicit(slot, memory_order_relaxed);

    if (UNLIKELY(!at)) {
        at = cache_slot(w->metrics, api, operation) + 1;
        atomic_store_explicit(slot, at, memory_order_relaxed);
    }
    return series_at(&w->caches, at - 1, sizeof(struct cache_series));
}

static void
observe_duration(struct histogram *h, uint64_t us)
{
    size_t i = 0;

    while (i < COUNTOF(bounds_ms) && us > (uint64_t)bounds_ms[i] * 1000)
        i++;
    metric_bump(&h->buckets[i], 1);
    metric_bump(&h->sum_us, us);
}

void
metrics_count_request(struct worker_metrics *w, uint32_t api_slot, uint16_t status, uint64_t total_us,
                      uint64_t backend_us, enum cache_outcome cache)
{
    struct api_series *s = series_at(&w->apis, api_slot, sizeof(*s));

    metric_bump(&s->requests[status < 600 ? status / 100 : 0], 1);
    observe_duration(&s->total, total_us);
    if (backend_us)
        observe_duration(&s->backend, backend_us);
    metric_bump(&s->cache[cache], 1);
}

bool
cache_outcome_is_hit(enum cache_outcome o)
{
    switch (o) {
#define CACHE_OUTCOME(id, word, is_hit) case CACHE_OUTCOME_##id: return is_hit;
    CACHE_OUTCOMES(CACHE_OUTCOME)
#undef CACHE_OUTCOME
    case CACHE_OUTCOME_COUNT: break;
    }
    return false;
}

const char *
cache_outcome_word(enum cache_outcome o)
{
    switch (o) {
#define CACHE_OUTCOME(id, word, is_hit) case CACHE_OUTCOME_##id: return word;
    CACHE_OUTCOMES(CACHE_OUTCOME)
#undef CACHE_OUTCOME
    case CACHE_OUTCOME_COUNT: break;
    }
    return "";
}

uint64_t
metrics_errors(const struct metrics *m, unsigned id)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < m->n_workers; i++)
        sum += __atomic_load_n(&m->workers[i].errors[id], __ATOMIC_RELAXED);
    return sum;
}

uint64_t
metrics_total(const struct metrics *m, enum metric id)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < m->n_workers; i++)
        sum += __atomic_load_n(&m->workers[i].counters[id], __ATOMIC_RELAXED);
    return sum;
}

static void
add_u64s(uint64_t *to, const uint64_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

_Static_assert(sizeof(struct api_series) % sizeof(uint64_t) == 0 && sizeof(struct cache_series) % sizeof(uint64_t) == 0,
               "series are summed as arrays of uint64_t");

/* The sum of the blocks at one slot, of the tables that lie at `table` in each worker's figures; false when no worker has one. */
static bool
series_sum(const struct metrics *m, size_t table, uint32_t slot, void *sum, size_t size)
{
    bool any = false;

    memset(sum, 0, size);
    for (uint32_t i = 0; i < m->n_workers; i++) {
        struct series_table *t = (struct series_table *)((char *)&m->workers[i] + table);
        uint32_t cap = __atomic_load_n(&t->cap, __ATOMIC_ACQUIRE);
        void **v = __atomic_load_n(&t->v, __ATOMIC_ACQUIRE);
        void *s = slot < cap ? __atomic_load_n(&v[slot], __ATOMIC_ACQUIRE) : NULL;

        if (!s)
            continue;
        add_u64s(sum, s, size / sizeof(uint64_t));
        any = true;
    }
    return any;
}

/* A label value: backslash, quote and line end escaped. */
static void
print_label(struct buf *to, const char *name, struct str value)
{
    buf_printf(to, "%s=\"", name);
    for (size_t i = 0; i < value.len; i++) {
        if (value.p[i] == '\n')
            buf_add_lit(to, "\\n");
        else if (value.p[i] == '\\' || value.p[i] == '"')
            buf_add(to, (char[]){'\\', value.p[i]}, 2);
        else
            buf_add_char(to, value.p[i]);
    }
    buf_add_char(to, '"');
}

static void
print_head(struct buf *to, const char *name, const char *kind, const char *help)
{
    buf_printf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void
print_histogram(struct buf *to, const char *name, struct str api, const struct histogram *h)
{
    uint64_t total = 0;

    for (size_t i = 0; i < DURATION_BUCKETS; i++) {
        total += h->buckets[i];
        buf_printf(to, "%s_bucket{", name);
        print_label(to, "api", api);
        if (i < COUNTOF(bounds_ms))
            buf_printf(to, ",le=\"%u\"} %" PRIu64 "\n", bounds_ms[i], total);
        else
            buf_printf(to, ",le=\"+Inf\"} %" PRIu64 "\n", total);
    }
    buf_printf(to, "%s_sum{", name);
    print_label(to, "api", api);
    buf_printf(to, "} %.3f\n%s_count{", (double)h->sum_us / 1000, name);
    print_label(to, "api", api);
    buf_printf(to, "} %" PRIu64 "\n", total);
}

static void
print_count(struct buf *to, const char *name, struct str api, const char *label, const char *value, uint64_t n)
{
    buf_printf(to, "%s{", name);
    print_label(to, "api", api);
    if (label)
        buf_printf(to, ",%s=\"%s\"", label, value);
    buf_printf(to, "} %" PRIu64 "\n", n);
}

static void
print_requests(struct buf *to, struct str api, const struct api_series *s)
{
    static const char *const classes[] = {"aborted", "1xx", "2xx", "3xx", "4xx", "5xx"};

    for (size_t i = 0; i < COUNTOF(classes); i++)
        if (s->requests[i])
            print_count(to, "headgate_requests_total", api, "class", classes[i], s->requests[i]);
}

static void
print_cache(struct buf *to, struct str api, const struct api_series *s)
{
    for (int i = CACHE_OUTCOME_NONE + 1; i < CACHE_OUTCOME_COUNT; i++)
        if (s->cache[i])
            print_count(to, "headgate_api_cache_total", api, "outcome", cache_outcome_word((enum cache_outcome)i), s->cache[i]);
}

static void
print_total(struct buf *to, struct str api, const struct api_series *s)
{
    print_histogram(to, "headgate_request_duration_ms", api, &s->total);
}

static void
print_backend(struct buf *to, struct str api, const struct api_series *s)
{
    print_histogram(to, "headgate_backend_duration_ms", api, &s->backend);
}

static void
print_family(struct metrics *m, struct buf *to, const char *name, const char *kind, const char *help,
             void (*print)(struct buf *, struct str, const struct api_series *))
{
    struct api_series sum;

    print_head(to, name, kind, help);
    for (uint32_t slot = 0; slot < m->apis.names.n; slot++)
        if (series_sum(m, offsetof(struct worker_metrics, apis), slot, &sum, sizeof(sum)))
            print(to, m->apis.names.v[slot], &sum);
}

/* ---- the cache, by operation ---- */

static void
print_of_operation(struct buf *to, const char *name, struct str names, const char *label, const char *value, uint64_t n)
{
    ptrdiff_t end = str_find_char(names, 0, 0);

    if (!n)
        return;
    buf_printf(to, "%s{", name);
    print_label(to, "api", str_sub(names, 0, (size_t)end));
    buf_add_char(to, ',');
    print_label(to, "operation", str_skip(names, (size_t)end + 1));
    buf_printf(to, ",%s=\"%s\"} %" PRIu64 "\n", label, value, n);
}

static void
print_outcomes(struct buf *to, const char *name, struct str names, const struct cache_series *s)
{
    for (int i = CACHE_OUTCOME_NONE + 1; i < CACHE_OUTCOME_COUNT; i++)
        print_of_operation(to, name, names, "outcome", cache_outcome_word((enum cache_outcome)i), s->outcomes[i]);
}

static void
print_refused(struct buf *to, const char *name, struct str names, const struct cache_series *s)
{
    for (int i = CACHE_STORED + 1; i < CACHE_REFUSALS_END; i++)
        print_of_operation(to, name, names, "reason", cache_refusal_word((enum cache_refusal)i), s->refused[i]);
}

static void
print_bytes(struct buf *to, const char *name, struct str names, const struct cache_series *s)
{
    print_of_operation(to, name, names, "direction", "served", s->bytes_served);
    print_of_operation(to, name, names, "direction", "stored", s->bytes_stored);
}

static void
print_values(struct buf *to, const char *name, struct str names, const struct cache_series *s)
{
    print_of_operation(to, name, names, "outcome", "hit", s->value_hits);
    print_of_operation(to, name, names, "outcome", "miss", s->value_misses);
}

static void
print_operations(struct metrics *m, struct buf *to)
{
    static const struct {
        const char *name, *help;
        void (*print)(struct buf *to, const char *name, struct str names, const struct cache_series *s);
    } families[] = {
        {"headgate_operation_cache_total", "cache lookups by operation and outcome", print_outcomes},
        {"headgate_operation_cache_refusals_total", "answers that were not stored, by operation and reason", print_refused},
        {"headgate_operation_cache_bytes_total", "bytes of bodies served from the cache and stored there, by operation", print_bytes},
        {"headgate_operation_cache_values_total", "look-ups of values, by operation and outcome", print_values},
    };
    struct cache_series sum;

    for (size_t i = 0; i < COUNTOF(families); i++) {
        print_head(to, families[i].name, "counter", families[i].help);
        for (uint32_t slot = 0; slot < m->caches.names.n; slot++)
            if (series_sum(m, offsetof(struct worker_metrics, caches), slot, &sum, sizeof(sum)))
                families[i].print(to, families[i].name, m->caches.names.v[slot], &sum);
    }
}

void
metrics_print(struct metrics *m, struct buf *to)
{
    metric_set(&m->workers[m->n_workers - 1], METRIC_EMITTED_SERIES, emitted_series(m->emitted));
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        print_head(to, rows[i].name, rows[i].kind, rows[i].help);
        buf_printf(to, "%s %" PRIu64 "\n", rows[i].name, metrics_total(m, (enum metric)i));
    }
    pthread_mutex_lock(&m->lock);
    print_family(m, to, "headgate_requests_total", "counter", "requests answered", print_requests);
    print_family(m, to, "headgate_request_duration_ms", "histogram", "time from the request's head to the answer's end",
                 print_total);
    print_family(m, to, "headgate_backend_duration_ms", "histogram", "time spent waiting for backends", print_backend);
    print_family(m, to, "headgate_api_cache_total", "counter", "cache lookups by outcome", print_cache);
    print_operations(m, to);
    pthread_mutex_unlock(&m->lock);
    emitted_print(m->emitted, to);
}
