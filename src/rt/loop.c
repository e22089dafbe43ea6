/* loop.c: the turn of a worker: wait, clock, timers, events, tasks, mail.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/loop.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "rt/fault.h"
#include "rt/fiber_pool.h"
#include "rt/io.h"
#include "rt/mailbox.h"
#include "rt/ring.h"
#include "rt/timer.h"

#define EVENTS_MAX 256
#define TASK_ROUNDS 4                    /* tasks that post tasks: so often before events are looked at again */

static THREAD_LOCAL struct loop *this_threads_loop;

struct loop *
loop_self(void)
{
    return this_threads_loop;
}

void
loop_set_self(struct loop *loop)
{
    this_threads_loop = loop;
}

static void
loop_read_clock(struct loop *loop)
{
    loop->now_ns = clock_mono_ns(loop->clock);
    loop->wall_ns = clock_wall_ns(loop->clock);
}

static bool
loop_open_descriptors(struct loop *loop, struct err *err)
{
    struct epoll_event wake = {.events = EPOLLIN | EPOLLET, .data.u64 = 0};

    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->epoll_fd < 0 || loop->wake_fd < 0)
        return err_set_errno(err, ERR_IO, errno, "no descriptor for an event loop");
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &wake) < 0)
        return err_set_errno(err, ERR_IO, errno, "epoll_ctl");
    return true;
}

/* io_uring when it is wanted and there. */
static bool
loop_open_ring(struct loop *loop, enum loop_io wanted, struct err *err)
{
    const char *env = wanted == LOOP_IO_AUTO ? getenv("HEADGATE_IO") : NULL;

    if (env && strcmp(env, "epoll") == 0)
        wanted = LOOP_IO_EPOLL;
    else if (env && strcmp(env, "io_uring") == 0)
        wanted = LOOP_IO_RING;
    if (wanted != LOOP_IO_EPOLL)
        loop->ring = ring_new(loop);
    if (loop->ring || wanted != LOOP_IO_RING)
        return true;
    return err_set(err, ERR_UNSUPPORTED, "io_uring does not work here: it needs Linux 6.1 and the permission to use it");
}

struct loop *
loop_new(const struct loop_options *options, struct err *err)
{
    struct loop *loop = aligned_alloc(64, (sizeof(*loop) + 63) & ~(size_t)63);
    uint64_t seed;

    if (!loop) {
        err_set(err, ERR_NO_MEMORY, "no memory for an event loop");
        return NULL;
    }
    *loop = (struct loop){.clock = options->clock, .epoll_fd = -1, .wake_fd = -1};
    list_init(&loop->tasks);
    list_init(&loop->later);
    list_init(&loop->lingering);
    list_init(&loop->spares);
    loop_read_clock(loop);
    loop->timers = timer_wheel_new(loop_now_ms(loop));
    loop->fibers = fiber_pool_new(loop, options->fibers_max, options->workers);
    loop->events = xnew_array(struct epoll_event, EVENTS_MAX);
    rand_secret(&seed, sizeof(seed));
    rand_seed(&loop->rand, seed);
    if (loop_open_descriptors(loop, err) && loop_open_ring(loop, options->io, err))
        return loop;
    loop_delete(loop);
    return NULL;
}

void
loop_release_spares(struct loop *loop, uint32_t stacks)
{
    for (struct list_node *n = loop->spares.head.next; n != &loop->spares.head; n = n->next) {
        struct loop_spares *s = CONTAINER_OF(n, struct loop_spares, link);
        s->release(s);
    }
    arena_cache_destroy(&loop->blocks);
    fiber_stacks_shrink(loop->fibers, stacks);
}

void
loop_delete(struct loop *loop)
{
    if (!loop)
        return;
    while (atomic_load_explicit(&loop->n_senders, memory_order_acquire))
        sched_yield();                   /* on its way out of mailbox_send() */
    if (loop->free_resolver)
        loop->free_resolver(loop->resolver);
    if (loop->free_tls)
        loop->free_tls(loop->tls);
    if (loop->free_h2)
        loop->free_h2(loop->h2);
    fiber_pool_delete(loop->fibers);
    timer_wheel_delete(loop->timers);
    arena_cache_destroy(&loop->blocks);
    ring_delete(loop->ring);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    free(loop->events);
    if (this_threads_loop == loop)
        this_threads_loop = NULL;
    free(loop);
}

void
loop_post(struct loop *loop, struct task *task)
{
    if (!task_is_posted(task))
        list_push_back(&loop->tasks, &task->link);
}

void
loop_post_later(struct loop *loop, struct task *task)
{
    if (!task_is_posted(task))
        list_push_back(&loop->later, &task->link);
}

static void
move_all(struct list *to, struct list *from)
{
    if (list_is_empty(from))
        return;
    from->head.next->prev = to->head.prev;
    to->head.prev->next = from->head.next;
    from->head.prev->next = &to->head;
    to->head.prev = from->head.prev;
    list_init(from);
}

static void
loop_run_tasks(struct loop *loop)
{
    for (int round = 0; round < TASK_ROUNDS && !list_is_empty(&loop->tasks); round++) {
        struct list now;
        struct task *task;

        list_init(&now);
        move_all(&now, &loop->tasks);
        while ((task = list_take_first(&now, struct task, link))) {
            loop_beat(loop);
            task->run(task);
        }
    }
}

static int
loop_wait_ms(const struct loop *loop, uint64_t wait_ms)
{
    uint64_t next = timer_wheel_next_ms(loop->timers);

    if (atomic_load_explicit(&loop->is_stopping, memory_order_relaxed) || !list_is_empty(&loop->tasks) || !list_is_empty(&loop->later) ||
        atomic_load_explicit(&loop->mail, memory_order_acquire))
        return 0;
    if (next != NO_DEADLINE)
        wait_ms = MIN(wait_ms, next > loop_now_ms(loop) ? next - loop_now_ms(loop) : 0);
    return wait_ms > INT32_MAX ? -1 : (int)wait_ms;
}

static void
loop_take_events(struct loop *loop, int timeout)
{
    loop->n_events = epoll_wait(loop->epoll_fd, loop->events, EVENTS_MAX, timeout);
    loop->at_event = 0;                  /* none is delivered yet: a timer that closes something forgets its events */
    if (loop->n_events < 0) {
        ASSERT(errno == EINTR);
        loop->n_events = 0;
    }
}

static void
loop_poll(struct loop *loop, uint64_t wait_ms)
{
    int timeout = loop_wait_ms(loop, wait_ms);

    if (timeout != 0)
        atomic_store_explicit(&loop->is_waiting, true, memory_order_relaxed);
    if (!loop->ring)
        loop_take_events(loop, timeout);
    else if (!ring_wait(loop->ring, timeout))
        UNREACHABLE();
    if (timeout != 0)
        atomic_store_explicit(&loop->is_waiting, false, memory_order_relaxed);
}

static void
loop_deliver_events(struct loop *loop)
{
    for (loop->at_event = 0; loop->at_event < loop->n_events; loop->at_event++) {
        const struct epoll_event *e = &loop->events[loop->at_event];
        if (e->data.u64 == 0)
            continue;                    /* the eventfd (edge-triggered, never read), or closed meanwhile */
        loop_beat(loop);
        io_deliver(e->data.u64, e->events);
    }
    loop->n_events = 0;
}

static void
loop_deliver_ring(struct loop *loop)
{
    bool has_events;

    ring_deliver(loop->ring, &has_events);
    if (!has_events)
        return;
    loop_take_events(loop, 0);
    loop_deliver_events(loop);
    ring_watch_epoll(loop->ring);        /* what is still ready is reported anew */
}

static void
turn(struct loop *loop, uint64_t wait_ms)
{
    loop_poll(loop, wait_ms);
    loop_read_clock(loop);
    move_all(&loop->tasks, &loop->later);
    loop->turns++;
    timer_wheel_run(loop->timers, loop_now_ms(loop));
    if (loop->ring)
        loop_deliver_ring(loop);
    else
        loop_deliver_events(loop);
    loop_run_tasks(loop);
    if (mailbox_deliver(loop))
        loop_run_tasks(loop);
}

void
loop_turn(struct loop *loop, uint64_t wait_ms)
{
    this_threads_loop = loop;
    turn(loop, wait_ms);
    if (loop->ring)
        ring_flush(loop->ring);          /* nobody knows when the next turn comes */
}

void
loop_run(struct loop *loop)
{
    fault_thread_begin();
    this_threads_loop = loop;
    atomic_store_explicit(&loop->thread, (uintptr_t)pthread_self(), memory_order_release);
    while (!atomic_load_explicit(&loop->is_stopping, memory_order_relaxed))
        turn(loop, NO_DEADLINE);
    if (loop->ring)
        ring_flush(loop->ring);
    atomic_store_explicit(&loop->is_stopping, false, memory_order_relaxed);
    atomic_store_explicit(&loop->thread, 0, memory_order_release);
    this_threads_loop = NULL;
    fault_thread_end();
}

void
loop_stop(struct loop *loop)
{
    atomic_store_explicit(&loop->is_stopping, true, memory_order_relaxed);
}

void
loop_wake(struct loop *loop)
{
    uint64_t one = 1;
    ssize_t n = write(loop->wake_fd, &one, sizeof(one));

    /* EAGAIN would need 2^64 - 2 unread wakes. */
    ASSERT(n == sizeof(one));
}

enum err_code
io_status_err(int64_t status)
{
    switch (status) {
    case IO_EOF: return ERR_CLOSED;
    case IO_ERROR: return ERR_IO;
    case IO_TIMEOUT: return ERR_TIMEOUT;
    case IO_CANCELLED: return ERR_CANCELLED;
    case IO_AGAIN: return ERR_IO;
    }
    return ERR_NONE;
}

const char *
io_status_text(int64_t status)
{
    switch (status) {
    case IO_EOF: return "the peer closed the connection";
    case IO_ERROR: return "the connection failed";
    case IO_TIMEOUT: return "timed out";
    case IO_CANCELLED: return "cancelled";
    case IO_AGAIN: return "nothing there yet";
    }
    return "done";
}
