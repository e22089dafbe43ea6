/* metrics.c: per-worker figures, summed and printed for Prometheus.
 *
 *     metrics -> worker[0] -> counters[], series[slot] -> requests, histograms
 *             -> worker[1] ...
 *             -> names[slot]        the label; grows under the lock, entries never move or go
 * A worker allocates the series of a slot at the first request of that API and publishes the pointer with a release store;
 * the reader (any thread) loads it with acquire. A grown table is published the same way, and the old one is kept until
 * the end, since a reader may still walk it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "observe/metrics.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/vec.h"
#include "observe/emitted.h"

struct metrics {
    uint32_t n_workers;
    struct worker_metrics *workers;
    struct emitted *emitted;
    pthread_mutex_t lock;             /* covers names, slots and retired */
    struct map slots;                 /* API id -> slot + 1 */
    VEC(struct str) names;
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
        m->workers[i].emitted = m->emitted;
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

/* A table of series carries the one it replaced behind its last slot, so that all are freed at the end. */
static struct api_series **
series_table_new(uint32_t cap, struct api_series **older)
{
    struct api_series **table = xcalloc((size_t)cap + 1, sizeof(struct api_series *));

    table[cap] = (struct api_series *)(void *)older;
    return table;
}

static void
worker_free(struct worker_metrics *w)
{
    struct api_series **table = w->series;
    uint32_t cap = w->series_cap;

    for (uint32_t i = 0; i < cap; i++)
        free(table[i]);
    while (table) {
        struct api_series **older = (struct api_series **)(void *)table[cap];
        free(table);
        table = older;
        cap /= 2;
    }
}

void
metrics_delete(struct metrics *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; i < m->n_workers; i++)
        worker_free(&m->workers[i]);
    free(m->workers);
    emitted_delete(m->emitted);
    for (size_t i = 0; i < m->names.n; i++)
        free((char *)m->names.v[i].p);
    vec_free(&m->names);
    map_destroy(&m->slots);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

struct worker_metrics *
metrics_of_worker(struct metrics *m, uint32_t worker)
{
    ASSERT(worker < m->n_workers);
    return &m->workers[worker];
}

uint32_t
metrics_api_slot(struct metrics *m, struct str api_id)
{
    uintptr_t slot;

    pthread_mutex_lock(&m->lock);
    slot = (uintptr_t)map_get(&m->slots, api_id);
    if (!slot) {
        struct str name = {xstrndup(api_id.p, api_id.len), api_id.len};
        *vec_push(&m->names) = name;
        slot = m->names.n;
        map_set(&m->slots, name, (void *)slot);
    }
    pthread_mutex_unlock(&m->lock);
    return (uint32_t)(slot - 1);
}

#define SERIES_CAP_MIN 16u

static NO_INLINE struct api_series *
series_make(struct worker_metrics *w, uint32_t slot)
{
    struct api_series *s;

    while (slot >= w->series_cap) {
        uint32_t cap = w->series_cap ? w->series_cap * 2 : SERIES_CAP_MIN;
        struct api_series **table = series_table_new(cap, w->series);

        for (uint32_t i = 0; i < w->series_cap; i++)
            table[i] = w->series[i];
        __atomic_store_n(&w->series, table, __ATOMIC_RELEASE);
        __atomic_store_n(&w->series_cap, cap, __ATOMIC_RELEASE); /* after the table: never too large for it */
    }
    s = xnew(struct api_series);
    __atomic_store_n(&w->series[slot], s, __ATOMIC_RELEASE);
    return s;
}

static inline void
bump(uint64_t *counter, uint64_t n)
{
    __atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static void
observe_duration(struct histogram *h, uint64_t us)
{
    size_t i = 0;

    while (i < COUNTOF(bounds_ms) && us > (uint64_t)bounds_ms[i] * 1000)
        i++;
    bump(&h->buckets[i], 1);
    bump(&h->sum_us, us);
}

void
metrics_count_request(struct worker_metrics *w, uint32_t api_slot, uint16_t status, uint64_t total_us,
                      uint64_t backend_us, enum cache_outcome cache)
{
    struct api_series *s = api_slot < w->series_cap ? w->series[api_slot] : NULL;

    if (UNLIKELY(!s))
        s = series_make(w, api_slot);
    bump(&s->requests[status < 600 ? status / 100 : 0], 1);
    observe_duration(&s->total, total_us);
    if (backend_us)
        observe_duration(&s->backend, backend_us);
    bump(&s->cache[cache], 1);
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

_Static_assert(sizeof(struct api_series) % sizeof(uint64_t) == 0, "api_series is summed as an array of uint64_t");

/* The sum of one API's series; false when no worker has answered for it. */
static bool
series_sum(const struct metrics *m, uint32_t slot, struct api_series *sum)
{
    bool any = false;

    *sum = (struct api_series){0};
    for (uint32_t i = 0; i < m->n_workers; i++) {
        struct worker_metrics *w = &m->workers[i];
        uint32_t cap = __atomic_load_n(&w->series_cap, __ATOMIC_ACQUIRE);
        struct api_series **table = __atomic_load_n(&w->series, __ATOMIC_ACQUIRE);
        struct api_series *s = slot < cap ? __atomic_load_n(&table[slot], __ATOMIC_ACQUIRE) : NULL;

        if (!s)
            continue;
        add_u64s((uint64_t *)sum, (const uint64_t *)s, sizeof(*s) / sizeof(uint64_t));
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
    for (uint32_t slot = 0; slot < m->names.n; slot++)
        if (series_sum(m, slot, &sum))
            print(to, m->names.v[slot], &sum);
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
    pthread_mutex_unlock(&m->lock);
    emitted_print(m->emitted, to);
}
