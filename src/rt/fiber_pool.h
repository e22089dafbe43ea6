/* fiber_pool.h: the stacks of one worker; for fiber.c, loop.c and the fault handler.
 *
 *     slab: [guard 64 KiB][stack 256 KiB: ........ frames | struct fiber] [guard][stack] ...
 * A fiber's struct lies at the top of its stack: the page is touched anyway.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rt/fiber.h"
#include "rt/timer.h"

#if defined(HEADGATE_UCONTEXT) || !(defined(__x86_64__) || defined(__aarch64__))
#define FIBER_UCONTEXT 1
#include <ucontext.h>
#endif

struct fiber {
    void *sp;                            /* saved stack pointer while suspended */
    struct fiber_pool *pool;
    struct task task;                    /* posted while ready to run again (F1) */
    struct timer timer;                  /* the deadline of the wait it is in */
    void (*fn)(void *arg);
    void *arg;
    const void *request;
    struct fiber *next_free;             /* in the pool */
    uint64_t resumed_ns;                 /* for fiber_slice(); 0: not read yet */
    uint32_t slices;
    bool is_waiting, is_woken, is_timed_out, is_cancelled, is_hard, is_done;
    void *asan_stack, *tsan;             /* sanitizers' own records */
#ifdef FIBER_UCONTEXT
    ucontext_t context;
#endif
};

struct fiber_slab;

struct fiber_pool {
    struct loop *loop;
    struct fiber *free;                  /* last in, first out: the warmest stack goes first */
    struct fiber *shrunk;                /* free, and with one page left; taken when no other is */
    struct fiber_slab *slabs;
    struct fiber *resumed;               /* the fiber for which the worker works, loop stack calls included */
    struct fiber *to_start;              /* a fiber asks the loop to run another first */
    void (*call)(void *arg);             /* a fiber asks the loop to call this */
    void *call_arg;
    void *loop_sp;                       /* saved while a fiber runs */
    const void *loop_stack;              /* for AddressSanitizer */
    size_t loop_stack_size;
    void *asan_stack, *tsan;
    uint32_t n_created, n_free, n_max, workers;
    uint32_t deepest_bytes, n_given;
    bool has_light_guards, is_measuring;
#ifdef FIBER_UCONTEXT
    ucontext_t loop_context;
#endif
};

struct fiber_pool *fiber_pool_new(struct loop *loop, uint32_t fibers_max, uint32_t workers);
/* No fiber may be suspended any more. */
void fiber_pool_delete(struct fiber_pool *pool);

/* fiber_stack.c: a stack with its fiber at the top, zeroed but for `pool`; or one from the pool. NULL at the limit. */
struct fiber *fiber_stack_take(struct fiber_pool *pool, bool *ret_is_new);
/* Gives back what went deep; keeps the top 16 KiB. */
void fiber_stack_give(struct fiber *f);
/* Of stacks that lie unused, but for these many that were used last: gives back all but one page, of at most `most` of them. */
#define FIBER_STACKS_WARM 8u
void fiber_stacks_shrink(struct fiber_pool *pool, uint32_t most);
void fiber_slabs_unmap(struct fiber_pool *pool);
void fiber_stack_paint(struct fiber *f, const void *above);
static inline char *
fiber_stack_low(const struct fiber *f)
{
    return (char *)(((uintptr_t)(f + 1) + 63) & ~(uintptr_t)63) - FIBER_STACK_SIZE;
}
/* Whether the address lies in the guard below the stack. */
bool fiber_guard_has(const struct fiber *f, const void *address);
