/* test_fiber.c: fibers start, wait, wake, end; deadlines and cancels; stacks.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/fiber.c"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt/fault.h"
#include "rt/sync.h"
#include "test.h"

static struct loop *
new_loop(const struct clock *clock)
{
    struct err err;
    struct loop *loop = loop_new(&(struct loop_options){.clock = clock}, &err);

    EXPECT(loop != NULL);
    return loop;
}

struct note {
    struct loop *loop;
    struct fiber *fiber;
    enum io_status status;
    int steps, turns;
    enum err_code code;
};

static void
count_step(void *arg)
{
    struct note *n = arg;
    n->steps++;
}

TEST(a_fiber_runs_at_once_and_its_stack_is_used_again)
{
    struct loop *loop = new_loop(NULL);
    struct note n = {0};

    for (int i = 0; i < 1000; i++)
        EXPECT(fiber_start(loop, count_step, &n, NULL));
    EXPECT_EQ(n.steps, 1000);
    EXPECT_EQ(fiber_stats(loop).n_running, 0);
    EXPECT_EQ(fiber_stats(loop).n_pooled, 1);
    loop_delete(loop);
}

static void
wait_until_woken(void *arg)
{
    struct note *n = arg;
    n->steps = 1;
    n->status = fiber_wait(NO_DEADLINE);
    n->steps = 2;
}

TEST(a_waiting_fiber_goes_on_when_woken)
{
    struct loop *loop = new_loop(NULL);
    struct note n = {0};

    EXPECT(fiber_start(loop, wait_until_woken, &n, &n.fiber));
    EXPECT_EQ(n.steps, 1);
    loop_turn(loop, 0);
    EXPECT_EQ(n.steps, 1);
    fiber_wake(n.fiber);
    fiber_wake(n.fiber);
    loop_turn(loop, 0);
    EXPECT_EQ(n.steps, 2);
    EXPECT_EQ(n.status, IO_OK);
    loop_delete(loop);
}

static void
sleep_an_hour(void *arg)
{
    struct note *n = arg;
    struct err err = ERR_INIT;

    n->steps = fiber_sleep(loop_deadline(fiber_loop(), 3600 * 1000), &err) ? 1 : -1;
    n->code = err.code;
}

TEST(a_sleep_ends_when_the_clock_is_moved)
{
    struct clock clock = {0};
    struct loop *loop = new_loop(&clock);
    struct note n = {0};

    EXPECT(fiber_start(loop, sleep_an_hour, &n, NULL));
    loop_turn(loop, 0);
    EXPECT_EQ(n.steps, 0);
    clock_advance(&clock, INT64_C(3599) * 1000000000);
    loop_turn(loop, 0);
    EXPECT_EQ(n.steps, 0);
    clock_advance(&clock, INT64_C(2) * 1000000000);
    loop_turn(loop, 0);
    EXPECT_EQ(n.steps, 1);
    loop_delete(loop);
}

TEST(a_cancelled_sleep_returns_through_its_frames)
{
    struct loop *loop = new_loop(NULL);
    struct note n = {0};

    EXPECT(fiber_start(loop, sleep_an_hour, &n, &n.fiber));
    fiber_cancel(n.fiber);
    loop_turn(loop, 0);
    EXPECT_EQ(n.steps, -1);
    EXPECT_EQ(n.code, ERR_CANCELLED);
    EXPECT_EQ(fiber_stats(loop).n_running, 0);
    loop_delete(loop);
}

static void
wait_twice_hard_first(void *arg)
{
    struct note *n = arg;
    fiber_wait_hard();
    n->steps = 1;
    n->status = fiber_wait(NO_DEADLINE);
    n->steps = 2;
}

TEST(a_hard_wait_outlasts_a_cancel_and_the_next_wait_does_not)
{
    struct loop *loop = new_loop(NULL);
    struct note n = {0};

    EXPECT(fiber_start(loop, wait_twice_hard_first, &n, &n.fiber));
    fiber_cancel(n.fiber);
    loop_turn(loop, 0);
    EXPECT_EQ(n.steps, 0);
    fiber_wake(n.fiber);
    loop_turn(loop, 0);
    EXPECT_EQ(n.steps, 2);
    EXPECT_EQ(n.status, IO_CANCELLED);
    loop_delete(loop);
}

static void
start_inner(void *arg)
{
    struct note *n = arg;
    EXPECT(fiber_start(n->loop, wait_until_woken, n, &n->fiber));
    EXPECT_EQ(n->steps, 1);              /* it ran up to its wait */
    EXPECT(fiber_self() != NULL && fiber_self() != n->fiber);
    n->steps = 10;
}

TEST(a_fiber_can_start_another)
{
    struct loop *loop = new_loop(NULL);
    struct note n = {.loop = loop};

    EXPECT(fiber_start(loop, start_inner, &n, NULL));
    EXPECT_EQ(n.steps, 10);
    EXPECT_EQ(fiber_stats(loop).n_running, 1);
    fiber_wake(n.fiber);
    loop_turn(loop, 0);
    EXPECT_EQ(n.steps, 2);
    loop_delete(loop);
}

static void
on_loop_stack(void *arg)
{
    struct note *n = arg;
    EXPECT(fiber_self() == NULL);
    n->steps++;
}

static void
call_on_loop_stack(void *arg)
{
    struct note *n = arg;
    struct fiber *self = fiber_self();

    fiber_call_on_loop_stack(on_loop_stack, arg);
    EXPECT(fiber_self() == self);
    n->steps++;
}

TEST(a_deep_call_runs_on_the_loops_stack)
{
    struct loop *loop = new_loop(NULL);
    struct note n = {0};

    EXPECT(fiber_start(loop, call_on_loop_stack, &n, NULL));
    EXPECT_EQ(n.steps, 2);
    loop_delete(loop);
}

static void
spin_in_slices(void *arg)
{
    struct note *n = arg;
    uint64_t end_ns = clock_mono_ns(NULL) + 10000000000;

    while (n->turns < 3 && clock_mono_ns(NULL) < end_ns)
        EXPECT(fiber_slice(NULL));
    n->steps = 1;
}

TEST(a_busy_fiber_lets_others_run)
{
    struct loop *loop = new_loop(NULL);
    struct note n = {0};

    EXPECT(fiber_start(loop, spin_in_slices, &n, NULL));
    EXPECT_EQ(n.steps, 0);               /* it gave way long before its 10 s */
    while (!n.steps && n.turns < 1000) {
        loop_turn(loop, 0);
        n.turns++;
    }
    EXPECT(n.turns > 2 && n.turns < 1000);
    loop_delete(loop);
}

TEST(the_pool_has_a_limit)
{
    struct err err;
    struct loop *loop = loop_new(&(struct loop_options){.fibers_max = 3}, &err);
    struct note n[4] = {0};

    for (int i = 0; i < 3; i++)
        EXPECT(fiber_start(loop, wait_until_woken, &n[i], &n[i].fiber));
    EXPECT(!fiber_start(loop, wait_until_woken, &n[3], NULL));
    EXPECT_EQ(n[3].steps, 0);
    for (int i = 0; i < 3; i++)
        fiber_wake(n[i].fiber);
    loop_turn(loop, 0);
    EXPECT_EQ(fiber_stats(loop).n_running, 0);
    loop_delete(loop);
}

static NO_INLINE void
use_stack(size_t bytes)
{
    volatile char block[1024];

    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (char)i;
    if (bytes > sizeof(block))
        use_stack(bytes - sizeof(block));
    block[0] = 1;
}

static void
go_deep(void *arg)
{
    use_stack(*(size_t *)arg);
}

TEST(depth_is_measured_exactly_on_painted_stacks)
{
    struct loop *loop = new_loop(NULL);
    size_t little = 4096, much = 60000;

    fiber_measure_depth(loop, true);
    EXPECT(fiber_start(loop, go_deep, &little, NULL));
    EXPECT(fiber_stats(loop).deepest_bytes > 4096 && fiber_stats(loop).deepest_bytes < 14000);
    EXPECT(fiber_start(loop, go_deep, &much, NULL));
    EXPECT(fiber_stats(loop).deepest_bytes > 60000 && fiber_stats(loop).deepest_bytes < 110000);
    loop_delete(loop);
}

static size_t
resident_pages_of(const struct fiber *f)
{
    unsigned char resident[FIBER_STACK_SIZE / 4096];
    size_t n = 0;

    EXPECT_EQ(mincore(fiber_stack_low(f), FIBER_STACK_SIZE, resident), 0);
    for (size_t i = 0; i < sizeof(resident); i++)
        n += resident[i] & 1;
    return n;
}

TEST(a_deep_stack_is_given_back_and_reported)
{
    struct loop *loop = new_loop(NULL);
    size_t much = 100000;

    EXPECT(fiber_start(loop, go_deep, &much, NULL));
    EXPECT(fiber_stats(loop).deepest_bytes > 100000);
    EXPECT(resident_pages_of(loop->fibers->free) <= 6);      /* the kept 16 KiB, and what was read */
    loop_delete(loop);
}

TEST(stacks_that_lie_unused_shrink_to_a_page_and_are_used_again)
{
    enum { CROWD = 100, SHRUNK = CROWD - FIBER_STACKS_WARM };
    struct loop *loop = new_loop(NULL);
    static struct note n[CROWD];
    size_t little = 9000;
    uint32_t n_small = 0;

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < CROWD; i++)
            EXPECT(fiber_start(loop, wait_until_woken, &n[i], &n[i].fiber));
        EXPECT_EQ(fiber_stats(loop).n_running, CROWD);
        for (int i = 0; i < CROWD; i++)
            fiber_wake(n[i].fiber);
        loop_turn(loop, 0);
        EXPECT_EQ(fiber_stats(loop).n_pooled, CROWD);
        fiber_stacks_shrink(loop->fibers, SHRUNK - 1);
        for (struct fiber *f = loop->fibers->shrunk; f; f = f->next_free, n_small++)
            EXPECT_EQ(resident_pages_of(f), 1);
        EXPECT_EQ(n_small, SHRUNK - 1);
        fiber_stacks_shrink(loop->fibers, SHRUNK);       /* the last one, and no warm one */
        EXPECT(fiber_start(loop, go_deep, &little, NULL));
        n_small = 0;
    }
    for (struct fiber *f = loop->fibers->free; f; f = f->next_free)
        n_small++;
    EXPECT_EQ(n_small, FIBER_STACKS_WARM);
    loop_delete(loop);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static size_t
describe_request(const void *request, char *text, size_t size)
{
    size_t n = MIN(strlen(request), size);
    memcpy(text, request, n);
    return n;
}

static void
overflow(void *arg)
{
    fiber_set_request("GET /deep");
    use_stack((size_t)1 << 30);
}

TEST(running_off_the_stack_is_named_as_such)
{
    int out[2];
    char text[4096];
    int status;

    EXPECT_EQ(pipe(out), 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct err err;
        dup2(out[1], 2);
        fault_install(describe_request);
        fault_thread_begin();
        struct loop *loop = loop_new(&(struct loop_options){0}, &err);
        loop_turn(loop, 0);
        _exit(fiber_start(loop, overflow, NULL, NULL) ? 0 : 1);
    }
    close(out[1]);
    size_t len = 0;
    for (ssize_t n; len < sizeof(text) - 1 && (n = read(out[0], text + len, sizeof(text) - 1 - len)) > 0;)
        len += (size_t)n;
    text[len] = 0;
    close(out[0]);
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    EXPECT(strstr(text, "fiber stack overflow while serving GET /deep") != NULL);
}
#endif
