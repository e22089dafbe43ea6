/* metrics.h: figures of the process and of each API, kept per worker and summed when somebody looks.
 *
 * A worker writes its own counters with plain stores that others may read (relaxed atomics cost the same); nothing is
 * shared, nothing is looked up by name: an API's slot is given out once, when it is published.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "base/str.h"
#include "cache/cache.h"

struct emitted;
struct metrics;

enum metric {
#define METRIC(id, kind, name, help) METRIC_##id,
#include "observe/metrics.def"
#undef METRIC
    METRIC_COUNT
};

/* Upper bounds of the duration histograms, in milliseconds (ecosystem reference, section 13), then infinity. */
#define DURATION_BOUNDS {1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000}
#define DURATION_BUCKETS 13

/* What the cache did for a request. CACHE_OUTCOME(id, word in metrics, whether it came from the cache alone) */
#define CACHE_OUTCOMES(CACHE_OUTCOME) \
    CACHE_OUTCOME(NONE, "none", false) \
    CACHE_OUTCOME(HIT, "hit", true) \
    CACHE_OUTCOME(EXTERNAL, "external", true) \
    CACHE_OUTCOME(WARMED, "warmed", true) \
    CACHE_OUTCOME(STALE, "stale", true) \
    CACHE_OUTCOME(STALE_ERROR, "stale-error", true) \
    CACHE_OUTCOME(COLLAPSED, "collapsed", true) \
    CACHE_OUTCOME(VALIDATED, "validated", false) \
    CACHE_OUTCOME(MISS, "miss", false)
enum cache_outcome {
#define CACHE_OUTCOME(id, word, is_hit) CACHE_OUTCOME_##id,
    CACHE_OUTCOMES(CACHE_OUTCOME)
#undef CACHE_OUTCOME
    CACHE_OUTCOME_COUNT
};
bool cache_outcome_is_hit(enum cache_outcome o);
const char *cache_outcome_word(enum cache_outcome o);

struct histogram {
    uint64_t sum_us;                  /* beside the buckets of quick answers */
    uint64_t buckets[DURATION_BUCKETS];
};

/* Of one API on one worker. */
struct api_series {
    uint64_t requests[6];             /* by first digit of the status; [0] for what was aborted */
    uint64_t cache[CACHE_OUTCOME_COUNT];
    struct histogram total, backend;
};

/* What the cache did for one operation, on one worker. */
struct cache_series {
    uint64_t outcomes[CACHE_OUTCOME_COUNT];
    uint64_t refused[CACHE_REFUSALS_END];     /* answers not stored, by enum cache_refusal */
    uint64_t value_hits, value_misses;        /* of cache-lookup-value and cache-value */
    uint64_t bytes_served, bytes_stored;      /* of bodies; served: from whole entries */
};
/* Operations that have such figures of their own; those above share one of their API, "(other)". */
#define METRICS_CACHE_OPERATIONS 2000u

/* Blocks of figures by slot, grown by their own worker only. */
struct series_table {
    void **v;
    uint32_t cap;
};

#define METRIC_ERRORS 128             /* more kinds of errors than there are */

struct worker_metrics {
    struct emitted *emitted;          /* observe/emitted.h: of the process */
    uint64_t counters[METRIC_COUNT];
    uint64_t errors[METRIC_ERRORS];   /* by number; whoever numbers them prints them */
    struct series_table apis;         /* struct api_series */
    struct series_table caches;       /* struct cache_series */
    struct metrics *metrics;          /* all of them */
};

/* emitted_series: how many series documents may make (emit-metric). */
struct metrics *metrics_new(uint32_t workers, uint32_t emitted_series);
void metrics_delete(struct metrics *m);
/* The figures of one worker; only that worker writes them. */
struct worker_metrics *metrics_of_worker(struct metrics *m, uint32_t worker);
/* The slot of an API; the same name always gets the same one. Takes a lock: at publish, not at a request. */
uint32_t metrics_api_slot(struct metrics *m, struct str api_id);

static inline void
metric_add(struct worker_metrics *w, enum metric id, int64_t n)
{
    __atomic_store_n(&w->counters[id], w->counters[id] + (uint64_t)n, __ATOMIC_RELAXED);
}

static inline void
metric_set(struct worker_metrics *w, enum metric id, uint64_t n)
{
    __atomic_store_n(&w->counters[id], n, __ATOMIC_RELAXED);
}

static inline void
metric_count_error(struct worker_metrics *w, unsigned id)
{
    __atomic_store_n(&w->errors[id], w->errors[id] + 1, __ATOMIC_RELAXED);
}

/* One answered request. backend_us is 0 when no backend was asked. */
void metrics_count_request(struct worker_metrics *w, uint32_t api_slot, uint16_t status, uint64_t total_us,
                           uint64_t backend_us, enum cache_outcome cache);

/* The figures of one operation, for its own worker. *slot is where its number is kept between calls, 0 at first: any thread may hold the
 * same one. */
struct cache_series *metrics_cache_series(struct worker_metrics *w, _Atomic uint32_t *slot, struct str api, struct str operation);
static inline void
metric_bump(uint64_t *counter, uint64_t n)
{
    __atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* The sum over all workers. */
uint64_t metrics_total(const struct metrics *m, enum metric id);
uint64_t metrics_errors(const struct metrics *m, unsigned id);
/* Prometheus text exposition format 0.0.4. */
void metrics_print(struct metrics *m, struct buf *to);
