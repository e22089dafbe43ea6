/* gateway.c: making, publishing, running and ending a gateway.
 *
 * Threads: the caller's (new, start, drain, delete), one a worker, the watcher's and the admin listener's. Workers share the
 * cache, counters, origins and figures, which lock for themselves; everything else of a worker is reached by visiting
 * its loop (gateway_on_each_worker). The publisher's things are covered by publish_lock.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gateway.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "cache/advice.h"
#include "cache/external.h"
#include "cache/tiers.h"
#include "exchange/context_families.h"
#include "exchange/counters.h"
#include "exchange/fetch.h"
#include "exchange/supply.h"
#include "exchange/token_cache.h"
#include "expr/program.h"
#include "gateway/admin.h"
#include "gateway/api_changes.h"
#include "gateway/cache_snapshot.h"
#include "gateway/external_cache.h"
#include "gateway/listening.h"
#include "gateway/overrides.h"
#include "gateway/quota_file.h"
#include "gateway/settings.h"
#include "gateway/warming.h"
#include "gateway/worker.h"
#include "http/h2.h"
#include "model/route.h"
#include "net/conn_limits.h"
#include "net/listener.h"
#include "observe/outlet.h"
#include "rt/fiber.h"
#include "rt/offload.h"
#include "rt/watchdog.h"
#include "store/store.h"

#define STOP_WAIT_MS 5000             /* for calls that were cut off to end, at gateway_delete() */
#define SWEEP_EVERY_MS 1000
#define SWEEP_ENTRIES 1000
#define SWEEP_SOON_MS 10                /* after a purge */
#define PUBLISH_BYTES_MAX ((size_t)4 << 30)

/* ---- visiting workers ---- */

struct visit_wait {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t left;
};

struct visit {
    struct message super;
    struct worker *worker;
    void (*fn)(struct worker *w, void *arg);
    void *arg;
    struct visit_wait *wait;
};

static void
deliver_visit(struct message *m)
{
    struct visit *v = CONTAINER_OF(m, struct visit, super);
    struct visit_wait *wait = v->wait;

    v->fn(v->worker, v->arg);
    pthread_mutex_lock(&wait->lock);
    wait->left--;
    pthread_cond_signal(&wait->changed);
    pthread_mutex_unlock(&wait->lock);
}

void
gateway_on_each_worker(struct gateway *g, void (*fn)(struct worker *w, void *arg), void *arg)
{
    struct visit_wait wait = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, g->n_workers};
    struct visit *visits;

    if (!atomic_load(&g->is_running)) {
        for (uint32_t i = 0; i < g->n_workers; i++)
            fn(&g->workers[i], arg);
        return;
    }
    visits = xnew_array(struct visit, g->n_workers);
    for (uint32_t i = 0; i < g->n_workers; i++) {
        visits[i] = (struct visit){{.deliver = deliver_visit}, &g->workers[i], fn, arg, &wait};
        mailbox_send(g->workers[i].loop, &visits[i].super);
    }
    pthread_mutex_lock(&wait.lock);
    while (wait.left)
        pthread_cond_wait(&wait.changed, &wait.lock);
    pthread_mutex_unlock(&wait.lock);
    free(visits);
}

/* ---- snapshots on workers ---- */

struct snapshot_pin *
pin_take(struct worker *w)
{
    w->pin->users++;
    return w->pin;
}

void
pin_release(struct snapshot_pin *pin)
{
    if (--pin->users > 0 || pin->is_current)
        return;
    target_cache_destroy(&pin->targets);
    snapshot_unref(pin->snapshot);
    free(pin);
}

/* The worker's turn to go over to a new snapshot; NULL at the end of the gateway. */
static void
swap_snapshot(struct worker *w, void *arg)
{
    struct snapshot_pin *old = w->pin;

    w->pin = NULL;
    if (arg) {
        w->pin = xnew(struct snapshot_pin);
        *w->pin = (struct snapshot_pin){.snapshot = snapshot_ref(arg), .is_current = true};
        target_cache_create(&w->pin->targets, &w->pin->snapshot->backends->env);
    }
    if (!old)
        return;
    old->is_current = false;
    old->users++;
    pin_release(old);
}

/* ---- publishing ---- */

static void
remember_failure(struct gateway *g, struct diags *diags)
{
    struct str first = diags_first_error(diags, diags->arena);

    free((char *)g->failure.p);
    g->failure = str_from(xstrndup(first.p, first.len), first.len);
}

static struct snapshot *
build_snapshot(struct gateway *g, struct diags *diags)
{
    bool is_first = !g->current;
    struct snapshot_input input = {.env = g->env, .metrics = g->metrics, .outlets = g->outlets,
                                   .backends = {.origins = g->origins, .origin = settings_origin(&g->options->upstream),
                                                .before = g->current ? g->current->backends : NULL},
                                    .is_strict = g->options->strict, .with_coverage = g->with_coverage,
                                   .keep_going = is_first && g->options->keep_going};
    struct snapshot *s;

    if (!store_load_telling(g->options, input.keep_going ? LOAD_KEEP_GOING : 0, g->files, &input.model, diags))
        return NULL;
    input.model->generation = ++g->generation;
    s = snapshot_new(&input, &g->documents, diags);
    model_unref(input.model);
    return s;
}

static void on_change(void *ctx);

/* Before the first load, so that what changes from then on is seen. What hinders it is said by gateway_start(). */
static void
watch(struct gateway *g)
{
    if (!g->watch && !g->current && g->options->watch.is_on && g->options->artifacts.len)
        g->watch = store_watch_new(g->options, g->files, on_change, g, &g->watch_failure);
}

bool
gateway_publish(struct gateway *g, struct diags *diags)
{
    struct worker_metrics *figures = metrics_of_worker(g->metrics, g->n_workers);
    struct external *external = NULL;
    struct snapshot *s;

    pthread_mutex_lock(&g->publish_lock);
    watch(g);
    s = build_snapshot(g, diags);
    if (s && !external_cache_prepare(g, s, &external, diags)) {
        snapshot_unref(s);
        s = NULL;
    }
    if (!s) {
        metric_add(figures, METRIC_PUBLISH_FAILURES, 1);
        remember_failure(g, diags);
        pthread_mutex_unlock(&g->publish_lock);
        return false;
    }
    external_cache_publish(g, external);
    gateway_on_each_worker(g, swap_snapshot, s);
    if (g->current) {
        /* What goes on under the old one cannot store past the purge, however late it asks its backend. */
        atomic_store(&g->current->born_max, cache_generation(g->cache));
        api_changes_purge(g, g->current->model, s->model);
    }
    snapshot_unref(g->current);
    g->current = s;
    metric_add(figures, METRIC_PUBLISHES, 1);
    atomic_store(&g->is_ready, true);
    pthread_mutex_unlock(&g->publish_lock);
    return true;
}

/* The watcher's thread, after a change. */
static void
on_change(void *ctx)
{
    struct gateway *g = ctx;
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, PUBLISH_BYTES_MAX);
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct diags diags;
    struct err err;
    uint32_t errors;
    bool ok;

    diags_init(&diags, &arena);
    if (!listener_set_reload(g->listening, g->options, &err))
        log_warn("%s, using the certificates of before", err.text);
    ok = gateway_publish(g, &diags);
    diags_print(&diags, &text);
    errors = diags_count(&diags, DIAG_ERROR);
    if (text.len)
        log_text(buf_str(&text));
    if (ok)
        log_info("published configuration %" PRIu64 ": %u APIs, %u operations", g->generation,
                 g->current->model->n_apis, g->current->model->n_operations);
    else
        log_error("the changed configuration has %u error%s, using the one of before", errors, errors == 1 ? "" : "s");
}

/* ---- making ---- */

/* Trusted proxies are parsed with the listeners, which need them for the PROXY protocol. */
static void
forward_from(struct gateway *g)
{
    const struct forwarding_options *o = &g->options->forwarding;

    g->forward = (struct http_forward_conf){.trusted = g->listening->proxy_peers, .trusted_n = g->listening->n_proxy_peers,
                                            .via_name = o->via, .loops_max = g->options->limits.loop_hops};
    if (o->x_forwarded)
        g->forward.add |= HTTP_ADD_X_FORWARDED_FOR | HTTP_ADD_X_FORWARDED_HOST | HTTP_ADD_X_FORWARDED_PROTO;
    if (o->forwarded)
        g->forward.add |= HTTP_ADD_FORWARDED;
    if (o->via.len)
        g->forward.add |= HTTP_ADD_VIA;
}

/* At a first start a log that cannot be written is a mistake to mend; after a crash it is none to stay away for. */
static bool
open_log(struct gateway *g, const struct master_link *master, struct err *err)
{
    const struct gateway_log_options *o = &g->options->gateway_log;

    return !o->is_on || log_sink_open(o, master_link_is_restart(master), &g->log_sink, err);
}

static bool
make_env(struct gateway *g, struct err *err)
{
    g->env = context_env_new(err);
    return g->env != NULL;
}

static void
flush_log(struct task *task)
{
    struct worker *w = CONTAINER_OF(task, struct worker, flush_log);

    gateway_log_flush(&w->log);
}

/* Once a second a few dead entries go, oftener after a purge, so that memory comes back without anybody scanning the cache. */
static void
sweep_cache(struct timer *t)
{
    struct worker *w = CONTAINER_OF(t, struct worker, sweep);

    cache_sweep(w->gateway->cache, loop_now_ms(w->loop), SWEEP_ENTRIES);
    timer_start(w->loop, t, loop_now_ms(w->loop) + (cache_wants_sweep(w->gateway->cache) ? SWEEP_SOON_MS : SWEEP_EVERY_MS), sweep_cache);
}

/* Whatever an expression or a backend's name makes of it: nobody reaches the operators' listener through a data listener
 * (robustness D7). */
static bool
allow_address(void *ctx, const struct addr *a, struct err *err)
{
    const struct gateway *g = ctx;
    const struct addr *admin = &g->admin_addr;
    bool is_admin;

    if (!atomic_load_explicit(&g->has_admin_addr, memory_order_acquire))
        return true;
    if (a->kind == ADDR_UNIX)
        is_admin = admin->kind == ADDR_UNIX && a->path && strcmp(a->path, admin->path) == 0;
    else
        is_admin = a->port == admin->port && (addr_is_loopback(a) || addr_same_ip(a, admin));
    return !is_admin || err_set(err, ERR_DENIED, "the admin listener cannot be a backend");
}

static bool
make_worker(struct gateway *g, struct worker *w, uint32_t index, struct err *err)
{
    struct http_server_conf conf = {.limits = settings_limits(g->options), .load = &g->load, .on_call = front_on_call, .cost = front_cost, .ctx = w,
                                    .on_refused = refusals_on_refused, .accept_h2 = h2_server_accept};
    struct http_client_conf client = settings_client(g->options);
    struct loop_options loop_options = {.clock = g->clock, .fibers_max = g->options->limits.fibers, .workers = g->n_workers,
                                        .io = (enum loop_io)g->options->io};

    client.overrides = g->overrides;
    client.n_overrides = g->n_overrides;
    client.h2 = &h2_session_ops;
    client.allow = allow_address;
    client.allow_ctx = g;
    *w = (struct worker){.gateway = g, .index = index, .flush_log = {.run = flush_log}};
    w->metrics = metrics_of_worker(g->metrics, index);
    if (!(w->loop = loop_new(&loop_options, err)))
        return false;
    w->loop->worker = w;
    w->refusals.loop = w->loop;
    list_init(&w->background);
    if (index == 0)
        timer_start(w->loop, &w->sweep, loop_now_ms(w->loop) + SWEEP_EVERY_MS, sweep_cache);
    if (index == 0)
        quota_file_start(w);
    memory_start(w);
    w->server = http_server_new(w->loop, &conf);
    settings_resolver(w->loop, &g->options->upstream);
    w->client = http_client_new(w->loop, g->origins, &client);
    w->tiers = tiers_new(w->loop, g->cache, index);
    w->listeners = xnew_array(struct listener *, g->options->n_listeners);
    w->tokens = token_cache_new(g->options->service.jwt.cache_bytes);
    w->services = (struct services){.loop = w->loop, .client = w->client, .tiers = w->tiers, .env = g->env,
        .advice = g->advice, .arenas = &w->loop->blocks, .rand = &w->loop->rand, .counters = g->counters, .figures = w->metrics,
        .background = &w->background, .detached = &w->detached, .supplies = g->supplies, .tokens = w->tokens,
        .offload = g->offload, .outlets = g->outlets, .bodies = &g->bodies, .retries = &g->retries, .gateway = w};
    w->detached_services = w->services;
    w->detached_services.counters = NULL;
    w->services.detached_services = w->detached_services.detached_services = &w->detached_services;
    gateway_log_create(&w->log, g->log_sink, &g->options->gateway_log, &w->loop->rand);
    return true;
}

static void
tell_advice(void *ctx, const char *text)
{
    log_warn("%s", text);
}

struct gateway *
gateway_new(const struct options *options, struct clock *clock, struct master_link *master,
            struct err *err)
{
    struct gateway *g = xnew(struct gateway);

    g->options = options;
    g->clock = clock ? clock : &g->own_clock;
    g->n_workers = settings_workers(options);
    pthread_mutex_init(&g->publish_lock, NULL);
    pthread_mutex_init(&g->external_lock, NULL);
    g->metrics = metrics_new(g->n_workers + 1, options->limits.emitted_series); /* the last: the process's own */
    g->cache = cache_new(&(struct cache_limits){.bytes_max = options->cache_memory.bytes,
        .entry_bytes_max = options->cache_memory.object_bytes, .variants_max = options->cache_memory.variants,
        .workers = g->n_workers, .sources = g->n_workers * TIERS_SOURCES});
    g->advice = cache_advice_new(tell_advice, NULL);
    g->warming = warming_new();
    g->counters = counters_new(options->limits.counters);
    settings_retries(&g->retries, options, &g->load.exchanges);
    quota_file_load(g);
    g->supplies = supplies_new();
    g->outlets = outlets_new(g->clock);
    g->files = store_files_new();
    g->admin_limits = conn_limits_new(options->admin.connections, 0);
    g->origins = http_origins_new();
    g->keep = ARENA(NULL, (size_t)16 << 20);
    g->overrides = overrides_new(options, &g->keep, &g->n_overrides);
    g->offload = offload_new(options->offload_threads, 0);
    g->exchange_limits = settings_exchange(options);
    memory_init(g);
    atomic_init(&g->bodies.left, (int64_t)MIN(options->limits.buffered_total_bytes, (uint64_t)INT64_MAX));
    g->workers = xnew_array(struct worker, g->n_workers);
    if (!make_env(g, err) || !open_log(g, master, err))
        goto failed;
    g->listening = listener_set_new(options, g->clock, g->n_workers, master, err);
    g->master = master;
    if (!g->listening)
        goto failed;
    forward_from(g);
    for (uint32_t i = 0; i < g->n_workers; i++)
        if (!make_worker(g, &g->workers[i], i, err))
            goto failed;
    return g;
failed:
    gateway_delete(g);
    return NULL;
}

/* ---- running ---- */

static void *
worker_thread(void *arg)
{
    struct worker *w = arg;

    loop_run(w->loop);
    return NULL;
}

static void
on_stream(void *ctx, struct stream *s)
{
    struct worker *w = ctx;

    metric_add(w->metrics, METRIC_CONNECTIONS_ACCEPTED, 1);
    http_server_accept(w->server, s);
}

static bool
start_listeners(struct gateway *g, struct worker *w, struct err *err)
{
    for (uint32_t i = 0; i < g->options->n_listeners; i++) {
        w->listeners[i] = listener_set_start(g->listening, g->options, i, w->index, w->loop, on_stream, w, err);
        if (!w->listeners[i])
            return false;
    }
    return true;
}

/* What a request is, for the watchdog and the last words of a crash. Runs in a signal handler. */
size_t
gateway_describe_request(const void *request, char *text, size_t size)
{
    const struct exchange *ex = request; /* struct front begins with it */
    const struct str parts[] = {ex->request.method, STR(" "), ex->original_url.host, ex->original_url.path};
    size_t at = 0;

    for (size_t i = 0; i < COUNTOF(parts); i++)
        for (size_t k = 0; k < parts[i].len && at < size; k++)
            text[at++] = parts[i].p[k];
    return at;
}

static bool
start_watchdog(struct gateway *g, struct err *err)
{
    struct loop **loops = xnew_array(struct loop *, g->n_workers);

    for (uint32_t i = 0; i < g->n_workers; i++)
        loops[i] = g->workers[i].loop;
    g->watchdog = watchdog_new(&(struct watchdog_options){.loops = loops, .n_loops = g->n_workers,
        .stuck_ms = (uint32_t)g->options->watchdog.warn_ms, .abort_ms = (uint32_t)g->options->watchdog.abort_ms,
        .describe = gateway_describe_request}, err);
    free(loops);
    return g->watchdog != NULL;
}

static void
remember_admin(struct gateway *g)
{
    g->admin_addr = admin_addr(g->admin);
    if (g->admin_addr.kind == ADDR_UNIX)
        g->admin_addr.path = str_dup(&g->keep, str_from_c(g->admin_addr.path)).p;
    atomic_store_explicit(&g->has_admin_addr, true, memory_order_release);
}

bool
gateway_start(struct gateway *g, struct err *err)
{
    for (uint32_t i = 0; i < g->n_workers; i++)
        if (!start_listeners(g, &g->workers[i], err))
            return false;
    cache_snapshot_load(g);
    atomic_store(&g->is_running, true);
    for (uint32_t i = 0; i < g->n_workers; i++) {
        if (pthread_create(&g->workers[i].thread, NULL, worker_thread, &g->workers[i]) != 0)
            return err_set(err, ERR_IO, "no thread for worker %u", i);
        g->workers[i].is_started = true;
    }
    if (!start_watchdog(g, err))
        return false;
    if (g->options->admin.is_on && !(g->admin = admin_start(g, err)))
        return false;
    if (g->admin)
        remember_admin(g);
    if (g->watch_failure.code != ERR_NONE)
        return err_set(err, g->watch_failure.code, "%s", g->watch_failure.text);
    return !g->watch || store_watch_start(g->watch, err);
}

uint16_t
gateway_port(const struct gateway *g, uint32_t listener)
{
    return g->listening->v[listener].addr.port;
}

uint16_t
gateway_admin_port(const struct gateway *g)
{
    return g->admin_addr.port;
}

void
gateway_reload(struct gateway *g)
{
    if (g->watch)
        store_watch_poke(g->watch);
    else
        on_change(g);
}

void
gateway_reopen_logs(struct gateway *g)
{
    struct err err;

    if (g->log_sink && !log_sink_reopen(g->log_sink, &err))
        log_warn("%s, writing to the file of before", err.text);
}

/* ---- ending ---- */

static void
sleep_ms(uint64_t ms)
{
    struct timespec ts = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

    nanosleep(&ts, NULL);
}

static void
stop_listeners(struct worker *w, void *arg)
{
    for (uint32_t i = 0; i < w->gateway->options->n_listeners; i++)
        if (w->listeners[i])
            listener_stop(w->listeners[i]);
    http_server_drain(w->server, NULL, NULL);
}

static void
count_connections(struct worker *w, void *arg)
{
    uint32_t *n = arg, more = http_server_connections(w->server) + http_server_calls(w->server) + w->detached;

    more += !list_is_empty(&w->background);
    __atomic_fetch_add(n, more, __ATOMIC_RELAXED);
}

static uint32_t
connections_left(struct gateway *g)
{
    uint32_t n = 0;

    gateway_on_each_worker(g, count_connections, &n);
    return n;
}

void
gateway_drain(struct gateway *g, bool is_replaced)
{
    uint64_t end_ns;

    if (is_replaced) {
        atomic_store(&g->is_replaced, true);
        admin_stop_listening(g->admin);
    } else {
        atomic_store(&g->is_ready, false);
        sleep_ms(g->options->drain.announce_ms);
    }
    gateway_on_each_worker(g, stop_listeners, NULL);
    end_ns = clock_mono_ns(NULL) + g->options->drain.limit_ms * 1000000u;
    while (connections_left(g) && clock_mono_ns(NULL) < end_ns)
        sleep_ms(20);
    if (!outlets_flush(g->outlets, end_ns))
        log_warn("messages of loggers are left, ending without them");
}

static void
cut_off(struct worker *w, void *arg)
{
    struct background *b;

    for (uint32_t i = 0; i < w->gateway->options->n_listeners; i++)
        if (w->listeners && w->listeners[i])
            listener_stop(w->listeners[i]);
    http_server_close_all(w->server);
    while ((b = list_first(&w->background, struct background, link)))
        b->stop(b);
}

/* While the loop still turns: shared connections to backends say goodbye in a later turn. */
static void
close_client(struct worker *w, void *arg)
{
    http_client_delete(w->client);
    w->client = NULL;
}

static void
nothing(struct worker *w, void *arg)
{
}

static void
stop_workers(struct gateway *g)
{
    gateway_on_each_worker(g, cut_off, NULL);
    /* Streams outlive their connections by their last words (stream_close_gently). */
    for (uint32_t waited = 0;
         (connections_left(g) || conn_limits_total(g->listening->limits)) && waited < STOP_WAIT_MS; waited += 5)
        sleep_ms(5);
    if (!connections_left(g))
        gateway_on_each_worker(g, close_client, NULL);
    external_cache_stop(g);
    quota_file_stop(g);
    memory_stop(g);
    gateway_on_each_worker(g, nothing, NULL);
    for (uint32_t i = 0; i < g->n_workers; i++) {
        if (!g->workers[i].is_started)
            continue;
        loop_stop(g->workers[i].loop);
        loop_wake(g->workers[i].loop);
        pthread_join(g->workers[i].thread, NULL);
    }
    atomic_store(&g->is_running, false);
}

static void
delete_worker(struct worker *w)
{
    struct gateway *g = w->gateway;

    if (!w->loop)
        return;
    timer_stop(w->loop, &w->sweep);
    timer_stop(w->loop, &w->save_quotas); /* of one that never ran, as the next */
    timer_stop(w->loop, &w->look_at_memory);
    refusals_stop(&w->refusals);
    swap_snapshot(w, NULL);
    gateway_log_destroy(&w->log);
    for (uint32_t i = 0; w->listeners && i < g->options->n_listeners; i++)
        listener_delete(w->listeners[i]);
    free(w->listeners);
    http_client_delete(w->client);
    http_server_delete(w->server);
    tiers_stop(w->tiers);
    tiers_delete(w->tiers);
    token_cache_delete(w->tokens);
    loop_delete(w->loop);
}

void
gateway_delete(struct gateway *g)
{
    if (!g)
        return;
    atomic_store(&g->is_ready, false);
    store_watch_stop(g->watch);
    admin_stop(g->admin);
    conn_limits_delete(g->admin_limits);
    watchdog_delete(g->watchdog);
    if (atomic_load(&g->is_running))
        stop_workers(g);
    for (uint32_t i = 0; i < g->n_workers; i++)
        delete_worker(&g->workers[i]);
    cache_snapshot_save(g);
    external_unref(g->external);
    snapshot_unref(g->current);
    outlets_delete(g->outlets);
    store_files_delete(g->files);
    document_cache_destroy(&g->documents);
    listener_set_delete(g->listening);
    http_origins_delete(g->origins);
    arena_destroy(&g->keep);
    cache_delete(g->cache);
    quota_file_finish(g);
    counters_delete(g->counters);
    supplies_delete(g->supplies);
    cache_advice_delete(g->advice);
    warming_delete(g->warming);
    expr_env_delete(g->env);
    offload_delete(g->offload);
    log_sink_close(g->log_sink);
    metrics_delete(g->metrics);
    pthread_mutex_destroy(&g->publish_lock);
    pthread_mutex_destroy(&g->external_lock);
    free((char *)g->failure.p);
    free(g->workers);
    free(g);
}

/* ---- looking at it ---- */

static void
collect_listeners(struct worker *w)
{
    uint64_t refused = 0, failed = 0, pauses = 0;

    for (uint32_t i = 0; i < w->gateway->options->n_listeners; i++) {
        struct listener_stats s = listener_stats(w->listeners[i]);
        refused += s.refused_total + s.refused_address + s.refused_proxy;
        failed += s.tls_failed + s.timed_out;
        pauses += s.accept_pauses;
    }
    metric_set(w->metrics, METRIC_CONNECTIONS_REFUSED, refused);
    metric_set(w->metrics, METRIC_HANDSHAKES_FAILED, failed);
    metric_set(w->metrics, METRIC_ACCEPT_PAUSES, pauses);
}

static void
collect_worker(struct worker *w, void *arg)
{
    struct fiber_stats fibers = fiber_stats(w->loop);

    metric_set(w->metrics, METRIC_CONNECTIONS_OPEN, http_server_connections(w->server));
    metric_set(w->metrics, METRIC_REQUESTS_IN_FLIGHT, http_server_calls(w->server));
    metric_set(w->metrics, METRIC_FIBERS, fibers.n_running);
    metric_set(w->metrics, METRIC_FIBER_STACK, fibers.deepest_bytes);
    metric_set(w->metrics, METRIC_LOOP_TURNS, w->loop->turns);
    collect_listeners(w);
    flush_log(&w->flush_log);
}

static void
collect_log(struct gateway *g, struct worker_metrics *figures)
{
    uint64_t written, lost;

    if (!g->log_sink)
        return;
    log_sink_count(g->log_sink, &written, &lost);
    metric_set(figures, METRIC_LOG_ROWS, written);
    metric_set(figures, METRIC_LOG_ROWS_DROPPED, lost);
}

static void
collect_cache(struct gateway *g, struct worker_metrics *figures)
{
    struct cache_stats stats;
    uint64_t refused = 0;

    cache_stats(g->cache, &stats);
    for (size_t i = 0; i < COUNTOF(stats.refused); i++)
        refused += stats.refused[i];
    metric_set(figures, METRIC_CACHE_STORES, stats.stores);
    metric_set(figures, METRIC_CACHE_COLLAPSED, stats.collapsed);
    metric_set(figures, METRIC_CACHE_REFUSED, refused);
    metric_set(figures, METRIC_CACHE_EVICTIONS, stats.evictions);
    metric_set(figures, METRIC_CACHE_STALE, stats.stale);
    metric_set(figures, METRIC_CACHE_EXPIRED, stats.expired);
    metric_set(figures, METRIC_CACHE_PURGED, stats.purged);
    metric_set(figures, METRIC_CACHE_PURGES, purge_journal_count(cache_journal(g->cache)));
    metric_set(figures, METRIC_CACHE_PURGES_REFUSED, atomic_load_explicit(&g->purges_refused, memory_order_relaxed));
    metric_set(figures, METRIC_CACHE_EXPLODING_FIELDS, cache_advice_exploding(g->advice));
    metric_set(figures, METRIC_CACHE_BYTES, stats.bytes);
    metric_set(figures, METRIC_CACHE_ENTRIES, stats.entries);
}

static void
collect_http(struct gateway *g, struct worker_metrics *figures)
{
    uint64_t refused = 0, connections, waiting;

    for (size_t i = 0; i < COUNTOF(g->load.refusals); i++)
        refused += atomic_load_explicit(&g->load.refusals[i], memory_order_relaxed);
    http_origins_load(g->origins, &connections, &waiting);
    metric_set(figures, METRIC_REQUESTS_REFUSED, refused);
    metric_set(figures, METRIC_ANSWERS_UNREAD, atomic_load_explicit(&g->load.unread, memory_order_relaxed));
    metric_set(figures, METRIC_ANSWERS_CUT, http_origins_cut(g->origins));
    metric_set(figures, METRIC_IDLE_CLOSED, atomic_load_explicit(&g->load.idle_closed, memory_order_relaxed));
    metric_set(figures, METRIC_TUNNELS_IDLE_CLOSED, atomic_load_explicit(&g->load.tunnels_idle_closed, memory_order_relaxed));
    metric_set(figures, METRIC_MEMORY_USED, atomic_load_explicit(&g->memory.used, memory_order_relaxed));
    metric_set(figures, METRIC_MEMORY_MAX, g->memory.max);
    metric_set(figures, METRIC_MEMORY_LEVEL, memory_now(&g->memory));
    metric_set(figures, METRIC_MEMORY_TIGHT, atomic_load_explicit(&g->memory.times[MEMORY_TIGHT], memory_order_relaxed));
    metric_set(figures, METRIC_MEMORY_REFUSED, atomic_load_explicit(&g->memory.refused, memory_order_relaxed));
    metric_set(figures, METRIC_MEMORY_BROKEN_OFF, atomic_load_explicit(&g->memory.broken_off, memory_order_relaxed));
    metric_set(figures, METRIC_COUNTERS_EVICTED, counters_evicted(g->counters));
    metric_set(figures, METRIC_RETRIES_UNDER_WAY, (uint64_t)atomic_load_explicit(&g->retries.under_way, memory_order_relaxed));
    metric_set(figures, METRIC_RETRIES_REFUSED, atomic_load_explicit(&g->retries.refused, memory_order_relaxed));
    metric_set(figures, METRIC_HTTP2_DROPPED, atomic_load_explicit(&g->load.h2_dropped, memory_order_relaxed));
    metric_set(figures, METRIC_UPSTREAM_CONNECTIONS, connections);
    metric_set(figures, METRIC_UPSTREAM_WAITING, waiting);
}

static void
print_refusals(struct gateway *g, struct buf *to)
{
    buf_add_lit(to, "# HELP headgate_refusals_total requests refused for their HTTP, by status\n"
                    "# TYPE headgate_refusals_total counter\n");
    for (size_t i = 0; i < COUNTOF(g->load.refusals); i++) {
        uint64_t n = atomic_load_explicit(&g->load.refusals[i], memory_order_relaxed);
        if (n)
            buf_printf(to, "headgate_refusals_total{status=\"%zu\"} %" PRIu64 "\n", i + 400, n);
    }
}

static void
print_errors(struct gateway *g, struct buf *to)
{
    buf_add_lit(to, "# HELP headgate_errors_total errors of the pipeline, by kind; on-error may have answered otherwise\n"
                    "# TYPE headgate_errors_total counter\n");
    for (unsigned id = E_NONE + 1; id < E_COUNT; id++) {
        uint64_t n = metrics_errors(g->metrics, id);
        if (!n)
            continue;
        buf_add_lit(to, "headgate_errors_total{error=\"");
        error_label((enum error_id)id, to);
        buf_printf(to, "\"} %" PRIu64 "\n", n);
    }
}

static void
collect_loggers(struct gateway *g, struct worker_metrics *figures)
{
    struct outlet_stats stats;

    outlets_stats(g->outlets, &stats);
    metric_set(figures, METRIC_LOGGER_EVENTS, stats.events);
    metric_set(figures, METRIC_LOGGER_DELIVERED, stats.delivered);
    metric_set(figures, METRIC_LOGGER_FAILED, stats.failed);
    metric_set(figures, METRIC_LOGGER_DROPPED, stats.dropped);
    metric_set(figures, METRIC_LOGGER_TRUNCATED, stats.truncated);
    metric_set(figures, METRIC_LOGGER_BYTES, stats.bytes);
    metric_set(figures, METRIC_LOGGER_WAITING, stats.waiting);
}

/* Why answers were not stored, a line a reason. */
static void
print_cache_refusals(struct gateway *g, struct buf *to)
{
    struct cache_stats stats;

    cache_stats(g->cache, &stats);
    buf_add_lit(to, "# HELP headgate_cache_refusals_total answers and values that were not stored, by reason\n"
                    "# TYPE headgate_cache_refusals_total counter\n");
    for (uint32_t i = CACHE_STORED + 1; i < CACHE_REFUSALS_END; i++)
        if (stats.refused[i])
            buf_printf(to, "headgate_cache_refusals_total{reason=\"%s\"} %llu\n", cache_refusal_word((enum cache_refusal)i),
                       (unsigned long long)stats.refused[i]);
}

void
gateway_metrics_print(struct gateway *g, struct buf *to)
{
    struct worker_metrics *figures = metrics_of_worker(g->metrics, g->n_workers);

    gateway_on_each_worker(g, collect_worker, NULL);
    collect_cache(g, figures);
    collect_loggers(g, figures);
    external_cache_collect(g, figures);
    collect_log(g, figures);
    collect_http(g, figures);
    if (g->watchdog)
        metric_set(figures, METRIC_WATCHDOG_STALLS, watchdog_count(g->watchdog));
    metric_set(figures, METRIC_ADMIN_CONNECTIONS_REFUSED, conn_limits_refused_total(g->admin_limits));
    metrics_print(g->metrics, to);
    print_refusals(g, to);
    print_errors(g, to);
    print_cache_refusals(g, to);
    external_cache_print(g, to);
}

static void
reset_worker(struct worker *w, void *arg)
{
    http_client_close_idle(w->client);
    flush_log(&w->flush_log);
}

static void
flush_worker(struct worker *w, void *arg)
{
    flush_log(&w->flush_log);
}

static void
forget_tokens(struct worker *w, void *arg)
{
    token_cache_clear(w->tokens);
}

void
gateway_reset(struct gateway *g)
{
    cache_scope_id all = SCOPE_ALL;

    gateway_on_each_worker(g, reset_worker, NULL);
    gateway_on_each_worker(g, forget_tokens, NULL);
    counters_clear(g->counters);
    supplies_clear(g->supplies);
    cache_advice_reset(g->advice);
    warming_clear(g->warming);
    cache_purge(g->cache, &all, 1, false, NULL);
    cache_sweep(g->cache, UINT64_MAX / 2, UINT32_MAX);
}

void
gateway_flush_logs(struct gateway *g)
{
    gateway_on_each_worker(g, flush_worker, NULL);
    if (g->log_sink)
        log_sink_flush(g->log_sink);
}

static void
count_background(struct worker *w, void *arg)
{
    uint32_t *n = arg, more = w->detached + !list_is_empty(&w->background);

    __atomic_fetch_add(n, more, __ATOMIC_RELAXED);
}

bool
gateway_wait_background(struct gateway *g, uint32_t ms)
{
    for (uint32_t waited = 0; waited < ms; waited += 2) {
        uint32_t n = 0;

        gateway_on_each_worker(g, count_background, &n);
        if (n == 0)
            return true;
        sleep_ms(2);
    }
    return false;
}

void
gateway_want_coverage(struct gateway *g)
{
    g->with_coverage = true;
}

void
gateway_coverage(struct gateway *g, void (*fn)(void *ctx, const struct origin *at, bool ran), void *ctx)
{
    pthread_mutex_lock(&g->publish_lock);
    document_cache_coverage(&g->documents, fn, ctx);
    pthread_mutex_unlock(&g->publish_lock);
}

static void
look_at_clock(struct worker *w, void *arg)
{
}

/* Twice: the first visit may still belong to a turn that read the clock before. */
static void
let_all_look_at_clock(struct gateway *g)
{
    gateway_on_each_worker(g, look_at_clock, NULL);
    gateway_on_each_worker(g, look_at_clock, NULL);
}

void
gateway_advance(struct gateway *g, uint64_t by_ms)
{
    clock_advance(g->clock, (int64_t)by_ms * 1000000);
    let_all_look_at_clock(g);
}

void
gateway_set_wall_clock(struct gateway *g, int64_t by_ms)
{
    clock_set_wall(g->clock, by_ms * 1000000);
    let_all_look_at_clock(g);
}
