/* fiber.h: straight-line code that waits. A fiber has a stack of its own from the worker's pool, runs until it waits
 * or ends, and never changes thread. The compiler may keep errno and thread-local addresses across a wait, so look
 * at neither; hold no lock across one.
 *
 *     fiber_start(loop, serve, call, NULL);         // runs at once until its first wait
 *     if (!fiber_sleep(loop_deadline(loop, 50), &err)) return;       // ERR_CANCELLED
 * Deadlines are absolute, in milliseconds of loop_now_ms(); 0 and NO_DEADLINE mean none.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rt/loop.h"

#if defined(__SANITIZE_ADDRESS__) || defined(HEADGATE_ASAN)
#define FIBER_STACK_SIZE ((size_t)1 << 20)
#else
#define FIBER_STACK_SIZE ((size_t)256 << 10)
#endif
#define FIBER_GUARD_SIZE ((size_t)64 << 10)

/* Starts fn(arg), now: returns when fn first waits or ends. From a fiber or from the loop's stack. *ret (may be NULL)
 * is set before fn runs and is valid until fn returns; fn's owner has to clear its copy by then.
 * False when the pool is at its limit or memory is short; nothing has run. */
MUST_USE bool fiber_start(struct loop *loop, void (*fn)(void *arg), void *arg, struct fiber **ret);

/* The running fiber, NULL on the loop's own stack; and the loop of this thread. */
struct fiber *fiber_self(void);
struct loop *fiber_loop(void);

/* Until the deadline. False only with ERR_CANCELLED. Yields. */
bool fiber_sleep(uint64_t deadline_ms, struct err *err);
/* Lets others run when this fiber has had its share (1 ms) since it was last resumed; for loops over client data.
 * False with ERR_CANCELLED. Yields. */
bool fiber_slice(struct err *err);
bool fiber_yield(struct err *err);

/* Asks a fiber to end: the wait it is in, and each later one, fails with IO_CANCELLED / ERR_CANCELLED, so that it
 * returns through its frames. Does nothing to a fiber that never waits. Same thread only. */
void fiber_cancel(struct fiber *f);
bool fiber_is_cancelled(const struct fiber *f);
/* The running fiber may wait again, for the few waits that must happen on the way out. */
void fiber_clear_cancel(void);

/* The ground under all waits. fiber_wait() suspends until fiber_wake(), the deadline (IO_TIMEOUT) or a cancel
 * (IO_CANCELLED); a wake that comes first is kept, so none is lost. Whoever waits looks again afterwards at what it
 * waited for. fiber_wait_hard() ignores cancels: for waits on somebody who holds pointers into our stack. Yields. */
enum io_status fiber_wait(uint64_t deadline_ms);
void fiber_wait_hard(void);
/* The fiber runs again in this or the next turn. Same thread only. */
void fiber_wake(struct fiber *f);

/* Calls fn(arg) on the loop's own 8 MiB stack: for library calls that go deep, are short and never wait. On the
 * loop's stack already it is a plain call. */
void fiber_call_on_loop_stack(void (*fn)(void *arg), void *arg);

/* What the running fiber works for, for the watchdog and the fault handler (watchdog.h): an opaque pointer that
 * stays readable while it is set. */
void fiber_set_request(const void *request);
const void *fiber_request(const struct fiber *f);

/* Where none may wait: NO_YIELD { ... } asserts it in builds with checks. No break, return or goto out of it. */
#ifdef HEADGATE_CHECKS
#define NO_YIELD for (int once_ = no_yield_begin(); once_; once_ = no_yield_end())
#else
#define NO_YIELD if (1)
#endif
int no_yield_begin(void);
int no_yield_end(void);

/* Figures of this worker's pool. */
struct fiber_stats {
    uint32_t n_running;                  /* started and not ended */
    uint32_t n_pooled;                   /* stacks waiting to be used again */
    uint32_t n_max;                      /* as options and kernel allow */
    uint32_t deepest_bytes;              /* of stack, to a page; 0 while nobody passed 16 KiB */
    bool has_light_guards;               /* MADV_GUARD_INSTALL (Linux 6.13): no limit by vm.max_map_count */
};
struct fiber_stats fiber_stats(const struct loop *loop);
/* Paints stacks and measures each fiber exactly at its end (deepest_bytes): for tests, slow. */
void fiber_measure_depth(struct loop *loop, bool is_on);
