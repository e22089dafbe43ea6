/* fiber.c: starting, suspending and waking fibers. All switches go between the loop's stack and one fiber's:
 *
 *     loop stack:  fiber_run(f) ---switch---> f runs ... fiber_wait() ---switch---> fiber_run() goes on
 * A fiber that starts another, or wants a call made on the loop's stack, asks for it and switches out; fiber_run()
 * does it and switches back in, so that nothing but the loop ever runs below a fiber.
 * A stack runs many fibers one after another: fiber_main() is an endless loop that switches out after each, and the
 * next start only switches in again.
 * Invariants:
 *   F1  a fiber's task is posted only while is_waiting; its timer runs only while is_waiting
 *   F2  loop->running is NULL exactly while the loop's own stack runs
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/fiber.h"

#include <stdlib.h>

#include "rt/fiber_pool.h"

#if defined(__SANITIZE_ADDRESS__) || defined(HEADGATE_ASAN)
#include <sanitizer/common_interface_defs.h>
#define ASAN_LEAVE(save, low, size) __sanitizer_start_switch_fiber((save), (low), (size))
#define ASAN_ARRIVE(saved, low, size) __sanitizer_finish_switch_fiber((saved), (low), (size))
#else
#define ASAN_LEAVE(save, low, size) ((void)(save), (void)(low), (void)(size))
#define ASAN_ARRIVE(saved, low, size) ((void)(saved), (void)(low), (void)(size))
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#define TSAN_NEW() __tsan_create_fiber(0)
#define TSAN_CURRENT() __tsan_get_current_fiber()
#define TSAN_SWITCH(to) __tsan_switch_to_fiber((to), 0)
#define TSAN_DELETE(f) __tsan_destroy_fiber(f)
#else
#define TSAN_NEW() NULL
#define TSAN_CURRENT() NULL
#define TSAN_SWITCH(to) ((void)(to))
#define TSAN_DELETE(f) ((void)(f))
#endif

#define SLICE_NS 1000000
#define SLICES_BETWEEN_LOOKS 16          /* calls of fiber_slice() for one look at the clock */

struct fiber *
fiber_self(void)
{
    struct loop *loop = loop_self();
    return loop ? loop->running : NULL;
}

struct loop *
fiber_loop(void)
{
    return loop_self();
}

/* --- the switch --- */

static void fiber_main(void *arg) NO_RETURN;

#ifdef FIBER_UCONTEXT

static void
context_main(unsigned high, unsigned low)
{
    fiber_main((void *)((uintptr_t)high << 16 << 16 | low));
}

static void
context_make(struct fiber *f)
{
    uintptr_t p = (uintptr_t)f;

    getcontext(&f->context);
    f->context.uc_stack.ss_sp = fiber_stack_low(f);
    f->context.uc_stack.ss_size = (size_t)((char *)f - fiber_stack_low(f));
    makecontext(&f->context, (void (*)(void))context_main, 2, (unsigned)(p >> 16 >> 16), (unsigned)p);
    f->sp = (char *)f - 1024;
}

static void
switch_in(struct fiber_pool *pool, struct fiber *f)
{
    swapcontext(&pool->loop_context, &f->context);
}

static void
switch_out(struct fiber_pool *pool, struct fiber *f)
{
    f->sp = (char *)__builtin_frame_address(0) - 1024;    /* a bound for painting; the real one is libc's */
    swapcontext(&f->context, &pool->loop_context);
}

#else

void fiber_switch(void **save_sp, void *to_sp);
void fiber_entry(void);

static void
context_make(struct fiber *f)
{
    uintptr_t *sp = (uintptr_t *)((uintptr_t)f & ~(uintptr_t)15);

#if defined(__x86_64__)
    sp -= 2;                             /* keeps 16-byte alignment where fiber_entry begins */
    *--sp = (uintptr_t)fiber_entry;
    *--sp = 0;                           /* rbp */
    *--sp = (uintptr_t)fiber_main;       /* rbx */
    *--sp = (uintptr_t)f;                /* r12 */
    *--sp = 0;                           /* r13 */
    *--sp = 0;                           /* r14 */
    *--sp = 0;                           /* r15 */
#else
    sp -= 20;
    for (int i = 0; i < 20; i++)
        sp[i] = 0;
    sp[8] = (uintptr_t)f;                /* x19 */
    sp[9] = (uintptr_t)fiber_main;       /* x20 */
    sp[19] = (uintptr_t)fiber_entry;     /* x30 */
#endif
    f->sp = sp;
}

static void
switch_in(struct fiber_pool *pool, struct fiber *f)
{
    fiber_switch(&pool->loop_sp, f->sp);
}

static void
switch_out(struct fiber_pool *pool, struct fiber *f)
{
    fiber_switch(&f->sp, pool->loop_sp);
}

#endif

/* From the loop's stack to f, until f waits, ends or asks for something. */
static void
go_in(struct fiber_pool *pool, struct fiber *f)
{
    pool->loop->running = pool->resumed = f;
    f->resumed_ns = 0;
    ASAN_LEAVE(&pool->asan_stack, fiber_stack_low(f), FIBER_STACK_SIZE);
    TSAN_SWITCH(f->tsan);
    switch_in(pool, f);
    ASAN_ARRIVE(pool->asan_stack, NULL, NULL);
    pool->loop->running = NULL;          /* F2 */
}

/* Back to the loop. is_end: nothing of this stack is needed any more. */
static void
go_out(struct fiber *f, bool is_end)
{
    struct fiber_pool *pool = f->pool;

    ASAN_LEAVE(is_end ? NULL : &f->asan_stack, pool->loop_stack, pool->loop_stack_size);
    TSAN_SWITCH(pool->tsan);
    switch_out(pool, f);
    ASAN_ARRIVE(is_end ? NULL : f->asan_stack, &pool->loop_stack, &pool->loop_stack_size);
}

static void
fiber_main(void *arg)
{
    struct fiber *f = arg;

    ASAN_ARRIVE(NULL, &f->pool->loop_stack, &f->pool->loop_stack_size);
    for (;;) {
        f->fn(f->arg);
        f->is_done = true;
        go_out(f, true);
    }
}

/* Runs f until it waits or ends, doing on the way what it asks for. On the loop's stack. */
static void
fiber_run(struct fiber *f)
{
    struct fiber_pool *pool = f->pool;

    ASSERT(!pool->loop->running);
    pool->tsan = TSAN_CURRENT();
    for (;;) {
        loop_beat(pool->loop);
        go_in(pool, f);
        if (pool->call) {
            void (*call)(void *) = pool->call;
            pool->call = NULL;
            call(pool->call_arg);
        } else if (pool->to_start) {
            struct fiber *other = pool->to_start;
            pool->to_start = NULL;
            fiber_run(other);
        } else {
            break;
        }
    }
    pool->resumed = NULL;
    if (f->is_done)
        fiber_stack_give(f);
}

static void
on_ready(struct task *task)
{
    struct fiber *f = CONTAINER_OF(task, struct fiber, task);

    ASSERT(f->is_waiting);               /* F1 */
    fiber_run(f);
}

bool
fiber_start(struct loop *loop, void (*fn)(void *arg), void *arg, struct fiber **ret)
{
    bool is_new;
    struct fiber *f = fiber_stack_take(loop->fibers, &is_new);

    if (!f)
        return false;
    loop_set_self(loop);
    if (is_new) {
        context_make(f);
        f->task.run = on_ready;
        f->tsan = TSAN_NEW();
    }
    f->fn = fn;
    f->arg = arg;
    f->request = NULL;
    f->is_waiting = f->is_woken = f->is_timed_out = f->is_cancelled = f->is_hard = f->is_done = false;
    if (loop->fibers->is_measuring)
        fiber_stack_paint(f, (char *)f->sp - 256);
    if (ret)
        *ret = f;
    if (!loop->running) {
        fiber_run(f);
        return true;
    }
    loop->fibers->to_start = f;
    go_out(loop->running, false);
    return true;
}

void
fiber_call_on_loop_stack(void (*fn)(void *arg), void *arg)
{
    struct fiber *f = fiber_self();

    if (!f) {
        fn(arg);
        return;
    }
    f->pool->call = fn;
    f->pool->call_arg = arg;
    go_out(f, false);
}

/* --- waiting --- */

static void
on_deadline(struct timer *t)
{
    struct fiber *f = CONTAINER_OF(t, struct fiber, timer);

    f->is_timed_out = true;
    loop_post(f->pool->loop, &f->task);
}

static void
suspend(struct fiber *f, uint64_t deadline_ms)
{
    struct loop *loop = f->pool->loop;

    CHECK(loop->no_yield == 0);
    f->is_timed_out = false;
    if (deadline_ms != 0 && deadline_ms != NO_DEADLINE)
        timer_start(loop, &f->timer, deadline_ms, on_deadline);
    f->is_waiting = true;
    go_out(f, false);
    f->is_waiting = false;
    timer_stop(loop, &f->timer);         /* F1 */
}

enum io_status
fiber_wait(uint64_t deadline_ms)
{
    struct fiber *f = fiber_self();
    struct loop *loop = fiber_loop();

    ASSERT(f);                           /* only fibers wait */
    if (!f->is_woken && !f->is_cancelled) {
        if (deadline_ms != 0 && deadline_ms <= loop_now_ms(loop))
            return IO_TIMEOUT;
        suspend(f, deadline_ms);
    }
    if (f->is_woken) {
        f->is_woken = false;
        return IO_OK;
    }
    if (f->is_cancelled)
        return IO_CANCELLED;
    ASSERT(f->is_timed_out);
    return IO_TIMEOUT;
}

void
fiber_wait_hard(void)
{
    struct fiber *f = fiber_self();

    ASSERT(f);
    f->is_hard = true;
    while (!f->is_woken)
        suspend(f, NO_DEADLINE);
    f->is_hard = false;
    f->is_woken = false;
}

void
fiber_wake(struct fiber *f)
{
    f->is_woken = true;
    if (f->is_waiting)
        loop_post(f->pool->loop, &f->task);
}

void
fiber_cancel(struct fiber *f)
{
    f->is_cancelled = true;
    if (f->is_waiting && !f->is_hard)
        loop_post(f->pool->loop, &f->task);
}

bool
fiber_is_cancelled(const struct fiber *f)
{
    return f->is_cancelled;
}

void
fiber_clear_cancel(void)
{
    fiber_self()->is_cancelled = false;
}

bool
fiber_sleep(uint64_t deadline_ms, struct err *err)
{
    for (;;) {
        enum io_status status = fiber_wait(deadline_ms);
        if (status == IO_TIMEOUT)
            return true;
        if (status == IO_CANCELLED)
            return err_set(err, ERR_CANCELLED, "cancelled");
    }
}

bool
fiber_yield(struct err *err)
{
    struct fiber *f = fiber_self();
    bool was_woken = f->is_woken;

    if (!f->is_cancelled) {
        loop_post_later(f->pool->loop, &f->task);
        suspend(f, NO_DEADLINE);
        f->is_woken |= was_woken;
    }
    return !f->is_cancelled || err_set(err, ERR_CANCELLED, "cancelled");
}

bool
fiber_slice(struct err *err)
{
    struct fiber *f = fiber_self();

    if (f->is_cancelled)
        return err_set(err, ERR_CANCELLED, "cancelled");
    if (++f->slices % SLICES_BETWEEN_LOOKS)
        return true;
    uint64_t now_ns = clock_mono_ns(NULL);
    if (f->resumed_ns == 0)
        f->resumed_ns = now_ns;
    return now_ns - f->resumed_ns < SLICE_NS || fiber_yield(err);
}

/* --- the rest --- */

void
fiber_set_request(const void *request)
{
    struct fiber *f = fiber_self();

    if (f)
        f->request = request;
}

const void *
fiber_request(const struct fiber *f)
{
    return f ? f->request : NULL;
}

int
no_yield_begin(void)
{
    loop_self()->no_yield++;
    return 1;
}

int
no_yield_end(void)
{
    loop_self()->no_yield--;
    return 0;
}

struct fiber_stats
fiber_stats(const struct loop *loop)
{
    const struct fiber_pool *pool = loop->fibers;

    return (struct fiber_stats){.n_running = pool->n_created - pool->n_free, .n_pooled = pool->n_free,
        .n_max = pool->n_max, .deepest_bytes = pool->deepest_bytes, .has_light_guards = pool->has_light_guards};
}

void
fiber_measure_depth(struct loop *loop, bool is_on)
{
    loop->fibers->is_measuring = is_on;
}

void
fiber_pool_delete(struct fiber_pool *pool)
{
    if (!pool)
        return;
    for (struct fiber *f = pool->free; f; f = f->next_free)
        TSAN_DELETE(f->tsan);
    for (struct fiber *f = pool->shrunk; f; f = f->next_free)
        TSAN_DELETE(f->tsan);
    fiber_slabs_unmap(pool);
    free(pool);
}
