/* external_cache.c: choosing, making and handing out the external cache.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/external_cache.h"

#include <time.h>
#include <unistd.h>

#include "cache/external.h"
#include "cache/tiers.h"
#include "exchange/stored_reply.h"

#define VALUE_SLACK ((uint64_t)256 << 10)    /* key, head and scopes beside the body */
#define STOP_WAIT_MS 500u

static void
tell(void *ctx, enum log_level level, const char *text)
{
    log_at(level, "%s", text);
}

bool
external_cache_prepare(struct gateway *g, const struct snapshot *s, struct external **ret, struct diags *diags)
{
    const struct deployment *d = &s->model->settings.deployment;
    const struct cache_conf *conf = model_find_cache(s->model, d->region);
    char host[65] = "node";
    struct err err;

    *ret = NULL;
    if (!conf && s->model->n_caches)
        diag_add(diags, DIAG_WARNING, NULL, 0, 0, "caches: none of them is used from the region '%.*s' (deployment.region) or from "
                 "'default', going on without an external cache", STR_ARG(d->region));
    if (!conf)
        return true;
    if (!conf->connection.is_set) {
        diag_add(diags, DIAG_WARNING, NULL, 0, 0, "caches: %.*s has no connection string, going on without an external cache",
                 STR_ARG(conf->name));
        return true;
    }
    gethostname(host, sizeof(host) - 1);
    struct external_options options = {
        .connection = conf->connection.value, .trust_pem = s->backends->env.extra_ca_pem, .overrides = g->overrides,
        .n_overrides = g->n_overrides, .memory = g->cache, .n_workers = g->n_workers,
        .node = d->gateway_id.len ? d->gateway_id : str_from_c(host), .operation_ms = (uint32_t)conf->timeout_ms,
        .compress_bytes = conf->compress_bytes, .value_bytes_max = g->options->cache_memory.object_bytes + VALUE_SLACK,
        .is_strict = conf->is_strict, .fix_head = stored_head_fix, .offload = g->offload, .tell = tell};
    if (g->external && external_is_same(g->external, &options)) {
        *ret = external_ref(g->external);
        return true;
    }
    if ((*ret = external_new(&options, &err)))
        return true;
    diag_add(diags, DIAG_ERROR, NULL, 0, 0, "caches: the connection string of %.*s: %s", STR_ARG(conf->name), err.text);
    return false;
}

static void
set_external(struct worker *w, void *arg)
{
    tiers_set_external(w->tiers, arg);
}

void
external_cache_publish(struct gateway *g, struct external *x)
{
    struct external *old = g->external;

    pthread_mutex_lock(&g->external_lock);
    g->external = x;
    pthread_mutex_unlock(&g->external_lock);
    if (old != x)
        gateway_on_each_worker(g, set_external, x);
    external_unref(old);
}

/* False, with zeros, when there is none. */
static bool
read_stats(struct gateway *g, struct external_stats *ret)
{
    struct external *x;

    *ret = (struct external_stats){0};
    pthread_mutex_lock(&g->external_lock);
    x = g->external ? external_ref(g->external) : NULL;
    pthread_mutex_unlock(&g->external_lock);
    if (!x)
        return false;
    external_stats(x, ret);
    external_unref(x);
    return true;
}

void
external_cache_collect(struct gateway *g, struct worker_metrics *figures)
{
    struct external_stats s;

    if (!read_stats(g, &s))
        return;
    metric_set(figures, METRIC_EXTERNAL_UP, s.connections);
    metric_set(figures, METRIC_EXTERNAL_HITS, s.hits);
    metric_set(figures, METRIC_EXTERNAL_MISSES, s.misses);
    metric_set(figures, METRIC_EXTERNAL_STORES, s.stores);
    metric_set(figures, METRIC_EXTERNAL_STORE_ERRORS, s.store_errors);
    metric_set(figures, METRIC_EXTERNAL_REMOVES, s.removes);
    metric_set(figures, METRIC_EXTERNAL_PURGES, s.purges);
    metric_set(figures, METRIC_EXTERNAL_PURGES_ALONE, s.purges_alone);
    metric_set(figures, METRIC_EXTERNAL_PURGES_OUTSTANDING, s.purges_outstanding);
    metric_set(figures, METRIC_EXTERNAL_ODD, s.odd);
    metric_set(figures, METRIC_EXTERNAL_DEAD, s.dead);
    metric_set(figures, METRIC_EXTERNAL_AWAY, s.away);
    metric_set(figures, METRIC_EXTERNAL_COPIES_DROPPED, s.copies_dropped);
    metric_set(figures, METRIC_EXTERNAL_TURNS_WAITED, s.turns_waited);
    metric_set(figures, METRIC_EXTERNAL_TURNS_FILLED, s.turns_filled);
    metric_set(figures, METRIC_EXTERNAL_COMMANDS, s.commands);
    metric_set(figures, METRIC_EXTERNAL_ERRORS, s.errors);
    metric_set(figures, METRIC_EXTERNAL_TIMEOUTS, s.timeouts);
    metric_set(figures, METRIC_EXTERNAL_CONNECTS, s.connects);
    metric_set(figures, METRIC_EXTERNAL_BREAKS, s.breaks);
    metric_set(figures, METRIC_EXTERNAL_BYTES_IN, s.bytes_in);
    metric_set(figures, METRIC_EXTERNAL_BYTES_OUT, s.bytes_out);
    metric_set(figures, METRIC_EXTERNAL_NODES, s.nodes);
}

void
external_cache_print(struct gateway *g, struct buf *to)
{
    static const uint32_t bounds_us[REDIS_LATENCY_BUCKETS - 1] = REDIS_LATENCY_BOUNDS_US;
    struct external_stats s;
    uint64_t total = 0;

    if (!read_stats(g, &s))
        return;
    buf_add_lit(to, "# HELP headgate_external_cache_duration_ms time until commands to the external cache were answered\n"
                    "# TYPE headgate_external_cache_duration_ms histogram\n");
    for (size_t i = 0; i < REDIS_LATENCY_BUCKETS; i++) {
        total += s.latency[i];
        if (i < COUNTOF(bounds_us))
            buf_printf(to, "headgate_external_cache_duration_ms_bucket{le=\"%g\"} %" PRIu64 "\n", bounds_us[i] / 1000.0, total);
    }
    buf_printf(to, "headgate_external_cache_duration_ms_bucket{le=\"+Inf\"} %" PRIu64 "\n"
                   "headgate_external_cache_duration_ms_sum %.3f\nheadgate_external_cache_duration_ms_count %" PRIu64 "\n",
               total, (double)s.latency_us / 1000, total);
}

static void
stop(struct worker *w, void *arg)
{
    tiers_stop(w->tiers);
}

static void
count_stopped(struct worker *w, void *arg)
{
    *(_Atomic uint32_t *)arg += tiers_is_stopped(w->tiers);
}

void
external_cache_stop(struct gateway *g)
{
    struct timespec pause = {.tv_nsec = 5000000};
    _Atomic uint32_t n = 0;

    gateway_on_each_worker(g, stop, NULL);
    for (uint32_t waited = 0; waited < STOP_WAIT_MS; waited += 5) {
        n = 0;
        gateway_on_each_worker(g, count_stopped, &n);
        if (n == g->n_workers)
            return;
        nanosleep(&pause, NULL);
    }
}
