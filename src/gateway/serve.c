/* serve.c: start, signals, drain. The main thread waits for signals, so that none interrupts a worker.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/serve.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "gateway/gateway.h"
#include "gateway/privileges.h"
#include "gateway/settings.h"
#include "gateway/state_dir.h"
#include "net/tls.h"
#include "rt/fault.h"

#define DIAGS_BYTES_MAX ((size_t)1 << 30)

static void
block_signals(sigset_t *set)
{
    static const int handled[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT};

    sigemptyset(set);
    for (size_t i = 0; i < COUNTOF(handled); i++)
        sigaddset(set, handled[i]);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);          /* a file at its limit is a full disk, not the end */
}

static bool
publish_first(struct gateway *g)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, DIAGS_BYTES_MAX);
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct diags diags;
    uint32_t errors;
    bool ok;

    diags_init(&diags, &arena);
    ok = gateway_publish(g, &diags);
    diags_print(&diags, &text);
    errors = diags_count(&diags, DIAG_ERROR);
    if (text.len)
        log_text(buf_str(&text));
    if (!ok)
        log_error("the configuration has %u error%s; nothing is served", errors, errors == 1 ? "" : "s");
    return ok;
}

static void
say_where(const struct gateway *g, const struct options *o)
{
    for (uint32_t i = 0; i < o->n_listeners; i++) {
        const struct listener_conf *l = &o->listeners[i];
        bool is_v6 = str_find_char(l->address, ':', 0) >= 0;
        if (str_starts_with(l->address, STR("unix:")))
            log_info("serving on %.*s", STR_ARG(l->address));
        else
            log_info(is_v6 ? "serving on %s://[%.*s]:%u" : "serving on %s://%.*s:%u", l->is_tls ? "https" : "http",
                     STR_ARG(l->address), gateway_port(g, i));
    }
    if (o->admin.is_on)
        log_info("admin on %.*s:%u", STR_ARG(o->admin.address), gateway_admin_port(g));
}

struct drainer {
    struct gateway *gateway;
    bool is_replaced;
    _Atomic bool is_done;
};

static void *
drain_thread(void *arg)
{
    struct drainer *d = arg;

    gateway_drain(d->gateway, d->is_replaced);
    d->is_done = true;
    kill(getpid(), SIGTERM); /* wakes the main thread */
    return NULL;
}

/* A second SIGTERM or SIGINT cuts the drain short. */
static void
drain(struct gateway *g, sigset_t *signals, bool is_replaced)
{
    struct drainer d = {.gateway = g, .is_replaced = is_replaced};
    pthread_t thread;
    int signo;

    log_info(is_replaced ? "another process serves now, draining" : "draining");
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
        default: drain(g, signals, signo == SIGUSR2); return 0;
        }
    }
}

/* Every connection takes a descriptor; the soft limit is often a thousand for the sake of old programs. */
static void
raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        log_warn("cannot raise the limit of open files");
}

/* What the machine allows is not all for clients; said where it is fewer than was asked for. */
static uint32_t
connections_max(const struct options *o)
{
    struct rlimit files;
    uint32_t max;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur == RLIM_INFINITY)
        return o->limits.connections;
    max = settings_connections(o, files.rlim_cur);
    if (max < o->limits.connections)
        log_info("%" PRIu32 " client connections at most, as %" PRIu64 " files may be open", max, (uint64_t)files.rlim_cur);
    return max;
}

/* The master has died: whoever follows it binds anew, so what is in flight ends well and then we go. */
static void
on_master_lost(void *ctx)
{
    log_warn("the master is gone");
    kill(getpid(), SIGUSR2);
}

static void *
read_system_store(void *arg)
{
    tls_system_store();
    return NULL;
}

/* Half the time of a start goes into two things that know nothing of each other: what expressions may call, and whom the
 * system trusts. After a crash that counts. */
static struct gateway *
make_gateway(const struct options *o, struct master_link *master, struct err *err)
{
    pthread_t reader;
    bool is_beside = pthread_create(&reader, NULL, read_system_store, NULL) == 0;
    struct gateway *g = gateway_new(o, NULL, master, err);

    if (is_beside)
        pthread_join(reader, NULL);
    return g;
}

/* All that may need privileges, in this order: the state folder, sockets and keys, then no more privileges. */
static struct gateway *
prepare(const struct serve_input *in, struct options *o, struct err *err)
{
    struct gateway *g;
    unsigned uid, gid;

    raise_descriptor_limit();
    o->limits.connections = connections_max(o);
    if (!privileges_find(o->user, o->group, &uid, &gid, err) || !state_dir_open(o->state, uid, gid, err))
        return NULL;
    if (o->state.len && !master_link_control(in->master, o->state, err))
        log_warn("%s, going on without `headgate upgrade`", err->text);
    if (!(g = make_gateway(o, in->master, err)))
        return NULL;
    if (privileges_drop(o->user, o->group, err) && master_link_watch(in->master, on_master_lost, NULL, err))
        return g;
    gateway_delete(g);
    return NULL;
}

int
serve(const struct serve_input *in)
{
    struct options options = *in->options;
    struct gateway *g;
    struct err err;
    sigset_t signals;
    int status = 1;

    block_signals(&signals);
    fault_install(gateway_describe_request);
    master_link_announce_death(in->master);
    g = prepare(in, &options, &err);
    if (!g) {
        log_error("%s", err.text);
        return 1;
    }
    if (publish_first(g)) {
        if (gateway_start(g, &err)) {
            if (!in->is_quiet)
                say_where(g, &options);
            master_link_ready(in->master);
            status = wait_for_signals(g, &signals);
        } else {
            log_error("%s", err.text);
        }
    }
    gateway_delete(g);
    return status;
}
