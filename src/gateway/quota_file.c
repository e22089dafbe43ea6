/* quota_file.c: the file of quotas.
 *
 *     headgate-quotas 1
 *     <window> <calls> <bytes> <key, hexadecimal>
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/quota_file.h"

#include <stdio.h>
#include <time.h>

#include "base/file.h"
#include "base/log.h"
#include "exchange/counters.h"
#include "rt/fiber.h"
#include "rt/offload.h"

#define EVERY_MS 500u
#define FILE_BYTES_MAX ((size_t)512 << 20)
#define FIRST_LINE "headgate-quotas 1\n"
#define PATH_MAX_BYTES 4096

static bool
path_of(const struct gateway *g, char path[PATH_MAX_BYTES])
{
    int n = snprintf(path, PATH_MAX_BYTES, "%.*s/quotas", STR_ARG(g->options->state));

    return g->options->state.len && n > 0 && n < PATH_MAX_BYTES;
}

void
quota_file_load(struct gateway *g)
{
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    char path[PATH_MAX_BYTES];
    struct str rest, first = STR(FIRST_LINE);
    struct err err = ERR_INIT;

    if (!path_of(g, path))
        return;
    if (!file_read(path, FILE_BYTES_MAX, &text, &err)) {
        if (err.code != ERR_NOT_FOUND)
            log_warn("quotas: %s, counting from zero", err.text);
        return;
    }
    rest = buf_str(&text);
    if (!str_starts_with(rest, first))
        err_set(&err, ERR_SYNTAX, "%s is of another format", path);
    else if (quotas_load(g->counters, str_skip(rest, first.len), &err))
        return;
    counters_clear(g->counters);
    log_warn("quotas: %s, counting from zero", err.text);
}

struct saving {
    struct gateway *g;
    bool ok;
    struct err err;
};

/* On a thread of its own: neither a worker nor the file's disk waits for the other. */
static void
save(void *arg)
{
    struct saving *s = arg;
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    char path[PATH_MAX_BYTES];

    buf_add_lit(&text, FIRST_LINE);
    s->ok = path_of(s->g, path) && quotas_save(s->g->counters, &text) && file_write_atomic(path, buf_str(&text), 0600, &s->err);
}

/* A disk that is full is said once, until it is not. */
static void
saved(struct gateway *g, const struct saving *s, uint64_t version)
{
    if (s->ok)
        g->quotas_saved = version;
    else if (!g->quotas_failed)
        log_warn("quotas: %s, a restart will count from the last state", s->err.text);
    g->quotas_failed = !s->ok;
}

static void
save_fiber(void *arg)
{
    struct worker *w = arg;
    struct saving s = {.g = w->gateway, .err = ERR_INIT};
    uint64_t version = quotas_version(w->gateway->counters);

    if (offload_call(w->gateway->offload, save, &s, NULL))
        saved(w->gateway, &s, version);
    w->is_saving_quotas = false;
}

static void
on_time(struct timer *t)
{
    struct worker *w = CONTAINER_OF(t, struct worker, save_quotas);
    struct gateway *g = w->gateway;

    timer_start(w->loop, t, loop_now_ms(w->loop) + EVERY_MS, on_time);
    if (w->is_saving_quotas || atomic_load(&g->is_replaced) || quotas_version(g->counters) == g->quotas_saved)
        return;
    w->is_saving_quotas = true;
    if (!fiber_start(w->loop, save_fiber, w, NULL))
        w->is_saving_quotas = false;
}

void
quota_file_start(struct worker *w)
{
    char path[PATH_MAX_BYTES];

    w->gateway->quotas_saved = quotas_version(w->gateway->counters);
    if (path_of(w->gateway, path))
        timer_start(w->loop, &w->save_quotas, loop_now_ms(w->loop) + EVERY_MS, on_time);
}

static void
stop_saving(struct worker *w, void *arg)
{
    timer_stop(w->loop, &w->save_quotas);
    if (w->is_saving_quotas)
        atomic_store((_Atomic bool *)arg, true);
}

void
quota_file_stop(struct gateway *g)
{
    struct timespec pause = {.tv_nsec = 2000000};
    _Atomic bool is_saving;

    for (;;) {
        is_saving = false;
        gateway_on_each_worker(g, stop_saving, &is_saving);
        if (!is_saving)
            return;
        nanosleep(&pause, NULL);
    }
}

void
quota_file_finish(struct gateway *g)
{
    struct saving s = {.g = g, .err = ERR_INIT};
    uint64_t version = quotas_version(g->counters);
    char path[PATH_MAX_BYTES];

    if (!path_of(g, path) || atomic_load(&g->is_replaced) || version == g->quotas_saved)
        return;
    save(&s);
    saved(g, &s, version);
}
