/* watchdog.c: the thread that watches loops, and the handler that lets a stuck worker say what it is doing.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/watchdog.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "rt/fiber_pool.h"

#define TEXT_MAX 256
#define ANSWER_WAIT_MS 100
#define LATE_NS UINT64_C(1000000000)      /* so late, the watchdog has stood still, too */

/* Filled by the worker's own signal handler; `has_answer` hands it over. */
struct answer {
    _Atomic(describe_fn *) describe;
    char text[TEXT_MAX];
    _Atomic bool has_answer;
};

struct watched {
    struct loop *loop;
    uint64_t beat;                       /* as last seen */
    uint64_t since_ns;                   /* when it was first seen so */
    bool is_reported;
    struct answer answer;
};

struct watchdog {
    struct watchdog_options options;
    struct watched *watched;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t ending;
    bool is_ending;
    _Atomic uint64_t n_found;
};

static int
ask_signal(void)
{
    return SIGRTMIN + 1;
}

/* On the stuck worker, between two of its instructions. */
static void
on_ask(int signal_number, siginfo_t *info, void *context)
{
    struct answer *a = info->si_value.sival_ptr;
    const struct loop *loop = loop_self();
    const void *request = loop && loop->fibers->resumed ? fiber_request(loop->fibers->resumed) : NULL;
    describe_fn *describe = atomic_load_explicit(&a->describe, memory_order_acquire);
    int saved_errno = errno;
    size_t n = 0;

    if (request && describe)
        n = describe(request, a->text, TEXT_MAX - 1);
    a->text[n] = 0;
    atomic_store_explicit(&a->has_answer, true, memory_order_release);
    errno = saved_errno;
}

static void
sleep_ms(uint64_t ms)
{
    struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000 * 1000000)};
    nanosleep(&t, NULL);
}

static const char *
ask(struct watched *w, describe_fn *describe)
{
    uintptr_t thread = atomic_load_explicit(&w->loop->thread, memory_order_acquire);
    union sigval value = {.sival_ptr = &w->answer};

    atomic_store_explicit(&w->answer.has_answer, false, memory_order_relaxed);
    atomic_store_explicit(&w->answer.describe, describe, memory_order_release);
    if (!thread || pthread_sigqueue((pthread_t)thread, ask_signal(), value) != 0)
        return "";
    for (int waited = 0; waited < ANSWER_WAIT_MS; waited++) {
        if (atomic_load_explicit(&w->answer.has_answer, memory_order_acquire))
            return w->answer.text;
        sleep_ms(1);
    }
    return "";
}

static void
report(struct watchdog *d, uint32_t index, uint64_t stuck_for_ms)
{
    const char *text = ask(&d->watched[index], d->options.describe);

    atomic_fetch_add_explicit(&d->n_found, 1, memory_order_relaxed);
    if (d->options.on_stuck)
        d->options.on_stuck(d->options.ctx, index, stuck_for_ms, text);
    else
        log_warn("worker %" PRIu32 " has not turned for %" PRIu64 " ms%s%s", index, stuck_for_ms,
                 *text ? ", it is busy with " : "", text);
}

/* On the stuck thread, so that last words and core file show where it is stuck. */
static void
end_process(struct watched *w, uint32_t index, uint64_t stuck_for_ms)
{
    uintptr_t thread = atomic_load_explicit(&w->loop->thread, memory_order_acquire);

    log_error("worker %" PRIu32 " has not turned for %" PRIu64 " ms, ending the process", index, stuck_for_ms);
    if (thread)
        pthread_kill((pthread_t)thread, SIGABRT);
    sleep_ms(ANSWER_WAIT_MS);
    abort();
}

static void
look_at(struct watchdog *d, uint32_t index, uint64_t now_ns)
{
    struct watched *w = &d->watched[index];
    uint64_t beat = atomic_load_explicit(&w->loop->beat, memory_order_relaxed);
    bool is_idle = atomic_load_explicit(&w->loop->is_waiting, memory_order_relaxed) ||
                   !atomic_load_explicit(&w->loop->thread, memory_order_relaxed);

    if (is_idle || beat != w->beat) {
        w->beat = beat;
        w->since_ns = now_ns;
        w->is_reported = false;
        return;
    }
    uint64_t stuck_ms = (now_ns - w->since_ns) / 1000000;
    if (d->options.abort_ms && stuck_ms >= d->options.abort_ms)
        end_process(w, index, stuck_ms);
    if (stuck_ms < d->options.stuck_ms || w->is_reported)
        return;
    w->is_reported = true;
    report(d, index, stuck_ms);
}

/* Everybody stood still, we too (SIGSTOP, a frozen group, a machine that slept): that is nobody's fault. */
static void
begin_anew(struct watchdog *d, uint64_t now_ns)
{
    for (uint32_t i = 0; i < d->options.n_loops; i++)
        d->watched[i].since_ns = now_ns;
}

static void
look_at_all(struct watchdog *d, uint64_t late_ns)
{
    uint64_t now_ns = clock_mono_ns(NULL);

    if (now_ns > late_ns)
        begin_anew(d, now_ns);
    for (uint32_t i = 0; i < d->options.n_loops; i++)
        look_at(d, i, clock_mono_ns(NULL));
}

static void *
watch(void *arg)
{
    struct watchdog *d = arg;
    uint64_t period_ns = MAX(d->options.stuck_ms / 5, 5u) * UINT64_C(1000000);
    struct timespec next;

    pthread_mutex_lock(&d->lock);
    while (!d->is_ending) {
        clock_gettime(CLOCK_MONOTONIC, &next);
        uint64_t at_ns = (uint64_t)next.tv_sec * 1000000000 + (uint64_t)next.tv_nsec + period_ns;
        next.tv_sec = (time_t)(at_ns / 1000000000);
        next.tv_nsec = (long)(at_ns % 1000000000);
        pthread_cond_timedwait(&d->ending, &d->lock, &next);
        if (d->is_ending)
            break;
        look_at_all(d, at_ns + LATE_NS);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

static bool
start_thread(struct watchdog *d)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&d->thread, NULL, watch, d);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0;
}

struct watchdog *
watchdog_new(const struct watchdog_options *options, struct err *err)
{
    struct watchdog *d = xnew(struct watchdog);
    struct sigaction action = {.sa_sigaction = on_ask, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    pthread_condattr_t attr;

    d->options = *options;
    if (!d->options.stuck_ms)
        d->options.stuck_ms = 500;
    d->watched = xnew_array(struct watched, options->n_loops);
    for (uint32_t i = 0; i < options->n_loops; i++)
        d->watched[i].loop = options->loops[i];
    sigaction(ask_signal(), &action, NULL);
    pthread_mutex_init(&d->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&d->ending, &attr);
    if (start_thread(d))
        return d;
    err_set(err, ERR_IO, "cannot start the watchdog's thread");
    free(d->watched);
    free(d);
    return NULL;
}

void
watchdog_delete(struct watchdog *d)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    d->is_ending = true;
    pthread_cond_signal(&d->ending);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    pthread_cond_destroy(&d->ending);
    pthread_mutex_destroy(&d->lock);
    free(d->watched);
    free(d);
}

uint64_t
watchdog_count(const struct watchdog *d)
{
    return atomic_load_explicit(&d->n_found, memory_order_relaxed);
}
