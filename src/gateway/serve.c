/* serve.c: start, signals, drain. The main thread waits for signals, so that none interrupts a worker.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/serve.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "gateway/gateway.h"
#include "rt/fault.h"

#define DIAGS_BYTES_MAX ((size_t)1 << 30)

static void
block_signals(sigset_t *set)
{
    static const int handled[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGQUIT};

    sigemptyset(set);
    for (size_t i = 0; i < COUNTOF(handled); i++)
        sigaddset(set, handled[i]);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static bool
publish_first(struct gateway *g)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, DIAGS_BYTES_MAX);
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct diags diags;
    bool ok;

    diags_init(&diags, &arena);
    ok = gateway_publish(g, &diags);
    diags_print(&diags, &text);
    if (text.len)
        fputs(buf_str(&text).p, stderr);
    if (!ok)
        log_error("the configuration has %u errors; nothing is served", diags.errors);
    return ok;
}

static void
say_where(const struct gateway *g, const struct options *o)
{
    for (uint32_t i = 0; i < o->n_listeners; i++) {
        const struct listener_conf *l = &o->listeners[i];
        if (str_starts_with(l->address, STR("unix:")))
            log_info("serving on %.*s", STR_ARG(l->address));
        else
            log_info("serving on %s://%.*s:%u", l->is_tls ? "https" : "http", STR_ARG(l->address), gateway_port(g, i));
    }
    if (o->admin.is_on)
        log_info("admin on %.*s:%u", STR_ARG(o->admin.address), gateway_admin_port(g));
}

struct drainer {
    struct gateway *gateway;
    sigset_t signals;
    _Atomic bool is_done;
};

static void *
drain_thread(void *arg)
{
    struct drainer *d = arg;

    gateway_drain(d->gateway);
    d->is_done = true;
    kill(getpid(), SIGTERM); /* wakes the main thread */
    return NULL;
}

/* A second SIGTERM or SIGINT cuts the drain short. */
static void
drain(struct gateway *g, sigset_t *signals)
{
    struct drainer d = {.gateway = g, .signals = *signals};
    pthread_t thread;
    int signo;

    log_info("draining");
    if (pthread_create(&thread, NULL, drain_thread, &d) != 0)
        return;
    do
        sigwait(signals, &signo);
    while (signo != SIGTERM && signo != SIGINT);
    if (!d.is_done) {
        log_warn("asked to stop again, closing what is left");
        _exit(1);
    }
    pthread_join(thread, NULL);
}

static int
wait_for_signals(struct gateway *g, sigset_t *signals)
{
    for (;;) {
        int signo;

        sigwait(signals, &signo);
        switch (signo) {
        case SIGHUP:
            gateway_reopen_logs(g);
            gateway_reload(g);
            break;
        case SIGUSR1: gateway_reopen_logs(g); break;
        default: drain(g, signals); return 0;
        }
    }
}

int
serve(const struct serve_input *in)
{
    struct gateway *g;
    struct err err;
    sigset_t signals;
    int status = 1;

    block_signals(&signals);
    fault_install(gateway_describe_request);
    g = gateway_new(in->options, NULL, in->listen_fds, in->n_listen_fds, &err);
    if (!g) {
        log_error("%s", err.text);
        return 1;
    }
    if (publish_first(g)) {
        if (gateway_start(g, &err)) {
            if (!in->is_quiet)
                say_where(g, in->options);
            if (in->on_ready)
                in->on_ready(in->ctx);
            status = wait_for_signals(g, &signals);
        } else {
            log_error("%s", err.text);
        }
    }
    gateway_delete(g);
    return status;
}
