/* fiber.c: what the runtime's primitives cost: nanoseconds an operation, best of five runs.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <time.h>

#include "rt/fiber.h"
#include "rt/timer.h"

#define RUNS 5
#define ROUNDS 2000000

static struct loop *loop;

static void
nothing(void *arg)
{
}

static void
start_and_end(void)
{
    for (int i = 0; i < ROUNDS; i++)
        if (!fiber_start(loop, nothing, NULL, NULL))
            return;
}

static void
call_deep(void *arg)
{
    for (int i = 0; i < ROUNDS; i++)
        fiber_call_on_loop_stack(nothing, NULL);
}

static void
two_switches(void)
{
    (void)!fiber_start(loop, call_deep, NULL, NULL);
}

static void
wait_often(void *arg)
{
    for (int i = 0; i < ROUNDS; i++)
        fiber_wait(NO_DEADLINE);
}

static void
wake_and_wait(void)
{
    struct fiber *f = NULL;

    if (!fiber_start(loop, wait_often, NULL, &f))
        return;
    for (int i = 0; i < ROUNDS; i++) {
        struct task *task;
        fiber_wake(f);
        task = list_take_first(&loop->tasks, struct task, link);
        task->run(task);                 /* as a turn does it, without the system call */
    }
}

static void
on_timer(struct timer *t)
{
}

static void
set_and_stop_timer(void)
{
    static struct timer t;
    uint64_t now = loop_now_ms(loop);

    for (int i = 0; i < ROUNDS; i++) {
        timer_start(loop, &t, now + 30000, on_timer);
        timer_stop(loop, &t);
    }
}

static void
measure(const char *what, void (*fn)(void))
{
    double best = 1e9;

    for (int run = 0; run < RUNS; run++) {
        uint64_t begin = clock_mono_ns(NULL);
        fn();
        double ns = (double)(clock_mono_ns(NULL) - begin) / ROUNDS;
        best = ns < best ? ns : best;
    }
    printf("%-36s %6.1f ns\n", what, best);
}

int
main(void)
{
    struct err err;

    if (!(loop = loop_new(&(struct loop_options){0}, &err))) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    measure("start a fiber, run it, end it", start_and_end);
    measure("call on the loop's stack and back", two_switches);
    measure("wake a fiber, run it until it waits", wake_and_wait);
    measure("start a timer and stop it", set_and_stop_timer);
    loop_delete(loop);
    return 0;
}
