/* loop.h: one event loop, one worker thread. A turn is: wait for events, read the clock, run due timers, deliver
 * events, run posted tasks (fibers that were woken among them) and the mail of other threads.
 *
 *     struct loop *loop = loop_new(&(struct loop_options){.clock = clock}, &err);
 *     loop_post(loop, &task);
 *     loop_run(loop);                   // until loop_stop()
 * All of it belongs to the thread that runs the loop; what other threads may call says so.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdatomic.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "base/rand.h"

struct fiber;
struct fiber_pool;
struct message;
struct ring;
struct timer_wheel;

/* How operations end that did not give a count. */
enum io_status {
    IO_OK = 0,
    IO_AGAIN = -1,      /* only from try-forms: nothing now */
    IO_EOF = -2,        /* the peer ended the stream in order */
    IO_ERROR = -3,      /* reset, broken TLS, ... */
    IO_TIMEOUT = -4,
    IO_CANCELLED = -5,
};

/* ERR_CLOSED, ERR_IO, ERR_TIMEOUT, ERR_CANCELLED; ERR_NONE for counts and IO_OK. */
enum err_code io_status_err(int64_t status);
/* "end of stream", "timeout", ... for messages. */
const char *io_status_text(int64_t status);

#define NO_DEADLINE UINT64_MAX

/* Work for the end of this turn; lives in its owner, which keeps it until it has run. */
struct task {                            /* zero-initialised: not posted */
    struct list_node link;
    void (*run)(struct task *);
};

/* What a room above keeps for later on this worker, and how it gives that back. In its owner, which adds and removes it. */
struct loop_spares {
    struct list_node link;               /* in loop->spares */
    void (*release)(struct loop_spares *);
};

struct loop {
    uint64_t now_ns, wall_ns;            /* read once a turn */
    struct timer_wheel *timers;
    struct list tasks;                   /* for the end of this turn */
    struct list later;                   /* for the end of the next */
    struct fiber_pool *fibers;
    struct fiber *running;               /* NULL on the loop's own stack */
    struct arena_cache blocks;           /* for arenas of this worker */
    struct rand rand;
    void *worker;                        /* whoever owns the loop puts itself here */
    void *resolver;                      /* net/dns.h; made at first use */
    void *tls;                           /* net/tls_stream.c: buffers shared by the streams of this loop */
    void *h2;                            /* http/h2_memory.h */
    const struct clock *clock;
    struct ring *ring;                   /* ring.h; NULL: epoll for all */
    int epoll_fd, wake_fd;
    _Atomic bool is_stopping;            /* by any thread */
    uint32_t no_yield;                   /* open NO_YIELD blocks (fiber.h) */
    struct epoll_event *events;          /* the batch in delivery, and where it stands */
    int n_events, at_event;
    uint64_t turns;
    void (*free_resolver)(void *);       /* how loop_delete() frees what rooms above hung in */
    void (*free_tls)(void *);
    void (*free_h2)(void *);
    struct list spares;                  /* struct loop_spares */
    struct list lingering;            /* streams that have had their last words (net/stream.c) */
    /* Written by other threads. */
    _Alignas(64) _Atomic(struct message *) mail;
    _Atomic uint32_t n_senders;          /* threads inside mailbox_send() */
    /* Read by the watchdog. */
    _Alignas(64) _Atomic uint64_t beat;  /* grows with each callback and each fiber that runs */
    _Atomic bool is_waiting;             /* in epoll_wait: not stuck */
    _Atomic uintptr_t thread;            /* pthread_t while loop_run() is in progress, 0 otherwise */
};

enum loop_io {                           /* in the order of the configuration's words */
    LOOP_IO_AUTO,                        /* io_uring where it works; HEADGATE_IO in the environment may say otherwise */
    LOOP_IO_EPOLL,
    LOOP_IO_RING,                        /* io_uring, or loop_new() fails */
};

struct loop_options {
    const struct clock *clock;           /* NULL: no offset. Must outlive the loop */
    uint32_t fibers_max;                 /* 0: 16384 */
    uint32_t workers;                    /* loops in this process, for sharing process limits; 0: 1 */
    enum loop_io io;
};

struct loop *loop_new(const struct loop_options *options, struct err *err);
/* Nothing may run or be registered any more. NULL is fine. */
void loop_delete(struct loop *loop);
/* Gives back what is kept for later: all blocks of arenas and all spares, and of stacks what fiber_stacks_shrink() does. On the loop's
 * thread. */
void loop_release_spares(struct loop *loop, uint32_t stacks);

/* Turns until loop_stop(). */
void loop_run(struct loop *loop);
/* One turn; waits at most wait_ms for something to happen (UINT64_MAX: as long as it takes). For tests and start-up. With
 * io_uring, the thread that makes the first turn of a loop makes them all. */
void loop_turn(struct loop *loop, uint64_t wait_ms);
/* From any thread; other threads than the loop's own wake it as well. */
void loop_stop(struct loop *loop);
/* From any thread: the loop begins a new turn soon (it reads the clock again). */
void loop_wake(struct loop *loop);
/* The loop that this thread is running, or NULL; loop_turn() and fiber_start() set it. */
struct loop *loop_self(void);
void loop_set_self(struct loop *loop);

/* Runs task->run on the loop's stack after the events of this turn, in order of posting. A task that is posted already
 * stays where it is. */
void loop_post(struct loop *loop, struct task *task);
/* The same, one turn later: events are looked at in between. */
void loop_post_later(struct loop *loop, struct task *task);
/* Takes it back; one that is not posted stays so. */
static inline void
loop_unpost(struct task *task)
{
    list_remove(&task->link);
}
static inline bool
task_is_posted(const struct task *task)
{
    return list_is_linked(&task->link);
}

/* Each callback says that the loop is alive, for the watchdog. One writer: a plain add, not an atomic one. */
static inline void
loop_beat(struct loop *loop)
{
    uint64_t beat = atomic_load_explicit(&loop->beat, memory_order_relaxed);
    atomic_store_explicit(&loop->beat, beat + 1, memory_order_relaxed);
}

/* Monotonic, as of this turn. */
static inline uint64_t
loop_now_ns(const struct loop *loop)
{
    return loop->now_ns;
}
static inline uint64_t
loop_now_ms(const struct loop *loop)
{
    return loop->now_ns / 1000000;
}
/* Nanoseconds since 1970, as of this turn. */
static inline uint64_t
loop_wall_ns(const struct loop *loop)
{
    return loop->wall_ns;
}
/* The absolute deadline for a timeout that begins now; NO_DEADLINE for 0 or UINT64_MAX. */
static inline uint64_t
loop_deadline(const struct loop *loop, uint64_t timeout_ms)
{
    return timeout_ms == 0 || timeout_ms >= UINT64_MAX / 2 ? NO_DEADLINE : loop_now_ms(loop) + timeout_ms;
}
