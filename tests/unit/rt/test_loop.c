/* test_loop.c: tasks, conditions, semaphores, mail, offload threads, operations, the watchdog.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/loop.c"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt/fault.h"
#include "rt/fiber.h"
#include "rt/offload.h"
#include "rt/sync.h"
#include "rt/watchdog.h"
#include "test.h"

static struct loop *
new_loop(void)
{
    struct err err;
    struct loop *loop = loop_new(&(struct loop_options){0}, &err);
    EXPECT(loop != NULL);
    return loop;
}

/* --- tasks --- */

struct chain {
    struct task task;
    struct loop *loop;
    int left, run;
};

static void
run_chain(struct task *t)
{
    struct chain *c = CONTAINER_OF(t, struct chain, task);
    c->run++;
    if (c->left-- > 0)
        loop_post(c->loop, t);
}

struct shelf {
    struct loop_spares spares;
    int n;
};

static void
clear_shelf(struct loop_spares *spares)
{
    CONTAINER_OF(spares, struct shelf, spares)->n = 0;
}

TEST(what_is_kept_for_later_is_given_back_when_asked)
{
    struct err err;
    struct loop *loop = loop_new(&(struct loop_options){0}, &err);
    struct shelf shelves[2] = {{.spares.release = clear_shelf, .n = 3}, {.spares.release = clear_shelf, .n = 5}};
    struct arena arena = ARENA(&loop->blocks, 1 << 20);

    EXPECT(arena_alloc(&arena, 40000, 1, 16) != NULL && arena_alloc(&arena, 100, 1, 16) != NULL);
    arena_destroy(&arena);
    EXPECT_EQ(loop->blocks.n, 1);
    list_push_back(&loop->spares, &shelves[0].spares.link);
    list_push_back(&loop->spares, &shelves[1].spares.link);
    loop_release_spares(loop, 1);
    EXPECT_EQ(shelves[0].n + shelves[1].n, 0);
    EXPECT_EQ(loop->blocks.n, 0);
    list_remove(&shelves[1].spares.link);
    shelves[0].n = shelves[1].n = 2;
    loop_release_spares(loop, 1);
    EXPECT_EQ(shelves[0].n, 0);
    EXPECT_EQ(shelves[1].n, 2);
    list_remove(&shelves[0].spares.link);
    loop_delete(loop);
}

TEST(a_task_runs_once_a_post_and_may_post_itself)
{
    struct loop *loop = new_loop();
    struct chain c = {.task.run = run_chain, .loop = loop, .left = 100};

    loop_post(loop, &c.task);
    loop_post(loop, &c.task);
    loop_turn(loop, 0);
    EXPECT(c.run >= 1 && c.run < 20);    /* events are looked at before it goes on */
    for (int i = 0; i < 200; i++)
        loop_turn(loop, 0);
    EXPECT_EQ(c.run, 101);
    loop_post(loop, &c.task);
    loop_unpost(&c.task);
    loop_turn(loop, 0);
    EXPECT_EQ(c.run, 101);
    loop_delete(loop);
}

/* --- conditions and semaphores --- */

struct queue {
    struct loop *loop;
    struct fiber_cond filled;
    struct fiber_sem sem;
    int items, taken;
    enum err_code code;
    char order[16];
    size_t n_order;
};

static void
take_item(void *arg)
{
    struct queue *q = arg;
    struct err err = ERR_INIT;

    while (q->items == 0)
        if (!fiber_cond_wait(&q->filled, loop_deadline(q->loop, 20), &err)) {
            q->code = err.code;
            return;
        }
    q->items--;
    q->taken++;
}

TEST(a_condition_wakes_who_waits_longest_and_times_out_the_rest)
{
    struct loop *loop = new_loop();
    struct queue q = {.loop = loop};

    fiber_cond_init(&q.filled);
    for (int i = 0; i < 2; i++)
        EXPECT(fiber_start(loop, take_item, &q, NULL));
    q.items = 1;
    EXPECT(fiber_cond_signal(&q.filled));
    loop_turn(loop, 0);
    EXPECT_EQ(q.taken, 1);
    for (int i = 0; i < 10 && !q.code; i++)
        loop_turn(loop, 10);
    EXPECT_EQ(q.code, ERR_TIMEOUT);
    EXPECT(!fiber_cond_signal(&q.filled));
    loop_delete(loop);
}

static void
take_permit(void *arg)
{
    struct queue *q = arg;
    char name = (char)('a' + q->n_order + q->items++);

    if (!fiber_sem_take(&q->sem, NO_DEADLINE, NULL))
        return;
    q->order[q->n_order++] = name;
    fiber_sleep(loop_deadline(q->loop, 1), NULL);
    fiber_sem_give(&q->sem);
}

TEST(permits_are_given_in_order)
{
    struct loop *loop = new_loop();
    struct queue q = {.loop = loop};

    fiber_sem_init(&q.sem, 2);
    for (int i = 0; i < 5; i++) {
        q.items = i - (int)q.n_order;
        EXPECT(fiber_start(loop, take_permit, &q, NULL));
    }
    EXPECT_EQ(q.n_order, 2);
    for (int i = 0; i < 100 && q.n_order < 5; i++)
        loop_turn(loop, 5);
    EXPECT_STR(str_from(q.order, q.n_order), "abcde");
    for (int i = 0; i < 10; i++)
        loop_turn(loop, 2);
    EXPECT_EQ(q.sem.free, 2);
    loop_delete(loop);
}

/* --- between threads --- */

struct letter {
    struct message super;
    struct worker *from;
    int number;
};

struct worker {
    pthread_t thread;
    struct loop *loop;
    struct worker *other;
    int received, last;
    bool in_order;
};

#define LETTERS 20000

static void
on_letter(struct message *m)
{
    struct letter *l = CONTAINER_OF(m, struct letter, super);
    struct worker *w = l->from->other;

    w->in_order &= l->number == w->last + 1;
    w->last = l->number;
    free(l);
    if (++w->received == LETTERS)
        loop_stop(loop_self());
}

static void
send_letters(void *arg)
{
    struct worker *w = arg;

    for (int i = 1; i <= LETTERS; i++) {
        struct letter *l = xnew(struct letter);
        *l = (struct letter){.super.deliver = on_letter, .from = w, .number = i};
        mailbox_send(w->other->loop, &l->super);
        if (i % 1000 == 0)
            fiber_yield(NULL);
    }
}

static void *
run_worker(void *arg)
{
    struct worker *w = arg;

    EXPECT(fiber_start(w->loop, send_letters, w, NULL));
    if (w->received < LETTERS)
        loop_run(w->loop);
    while (fiber_stats(w->loop).n_running)
        loop_turn(w->loop, 1);
    return NULL;
}

TEST(mail_between_workers_arrives_whole_and_in_order)
{
    struct worker w[2] = {{.loop = new_loop(), .in_order = true}, {.loop = new_loop(), .in_order = true}};

    w[0].other = &w[1];
    w[1].other = &w[0];
    for (int i = 0; i < 2; i++)
        EXPECT_EQ(pthread_create(&w[i].thread, NULL, run_worker, &w[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(w[i].thread, NULL);
    for (int i = 0; i < 2; i++) {
        EXPECT_EQ(w[i].received, LETTERS);
        EXPECT(w[i].in_order);
        loop_delete(w[i].loop);
    }
}

struct job {
    struct offload *pool;
    pthread_mutex_t *gate;               /* held by the test: no job ends before it opens */
    pthread_t ran_on;
    int *n_done;
    int number, square;
    bool ok;
};

static void
square(void *arg)
{
    struct job *j = arg;

    pthread_mutex_lock(j->gate);
    pthread_mutex_unlock(j->gate);
    j->square = j->number * j->number;
    j->ran_on = pthread_self();
}

static void
offload_one(void *arg)
{
    struct job *j = arg;

    j->ok = offload_call(j->pool, square, j, NULL);
    ++*j->n_done;
}

TEST(blocking_work_runs_elsewhere_and_survives_a_cancel)
{
    struct loop *loop = new_loop();
    struct offload *pool = offload_new(3, 0);
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    struct job jobs[12];
    struct fiber *first = NULL;
    int n_done = 0;

    pthread_mutex_lock(&gate);
    for (int i = 0; i < 12; i++) {
        jobs[i] = (struct job){.pool = pool, .gate = &gate, .number = i, .n_done = &n_done};
        EXPECT(fiber_start(loop, offload_one, &jobs[i], i ? NULL : &first));
    }
    fiber_cancel(first);
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < 1000 && n_done < 12; i++)
        loop_turn(loop, 10);
    for (int i = 0; i < 12; i++) {
        EXPECT(jobs[i].ok);
        EXPECT_EQ(jobs[i].square, i * i);
        EXPECT(!pthread_equal(jobs[i].ran_on, pthread_self()));
    }
    offload_delete(pool);
    loop_delete(loop);
}

TEST(a_full_offload_queue_says_so)
{
    struct loop *loop = new_loop();
    struct offload *pool = offload_new(1, 1);
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    struct job jobs[4];
    int n_done = 0, refused = 0;

    pthread_mutex_lock(&gate);
    for (int i = 0; i < 4; i++) {
        jobs[i] = (struct job){.pool = pool, .gate = &gate, .number = i, .n_done = &n_done, .ok = true};
        EXPECT(fiber_start(loop, offload_one, &jobs[i], NULL));
        refused += !jobs[i].ok;
    }
    EXPECT(refused >= 2);                /* one runs, one waits */
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < 1000 && n_done < 4; i++)
        loop_turn(loop, 10);
    offload_delete(pool);
    loop_delete(loop);
}

/* --- operations --- */

struct talk {
    struct loop *loop;
    struct io io[2];
    int64_t result;
    char got[64];
    bool is_done;
};

static void
open_pair(struct talk *t)
{
    int fd[2];
    struct err err = ERR_INIT;

    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    for (int i = 0; i < 2; i++)
        EXPECT_OK(io_open(&t->io[i], t->loop, fd[i], &err));
}

static void
read_some(void *arg)
{
    struct talk *t = arg;
    t->result = io_read(&t->io[0], t->got, sizeof(t->got), loop_deadline(t->loop, 30));
    t->is_done = true;
}

TEST(a_read_completes_when_bytes_come_ends_in_time_and_sees_the_end)
{
    struct talk t = {.loop = new_loop()};
    open_pair(&t);

    EXPECT(fiber_start(t.loop, read_some, &t, NULL));
    EXPECT_EQ(io_try_send(&t.io[1], "hello", 5), 5);
    while (!t.is_done)
        loop_turn(t.loop, 10);
    EXPECT_EQ(t.result, 5);
    t.is_done = false;
    EXPECT(fiber_start(t.loop, read_some, &t, NULL));
    while (!t.is_done)
        loop_turn(t.loop, 10);
    EXPECT_EQ(t.result, IO_TIMEOUT);
    io_close(&t.io[1]);
    t.is_done = false;
    EXPECT(fiber_start(t.loop, read_some, &t, NULL));
    while (!t.is_done)
        loop_turn(t.loop, 10);
    EXPECT_EQ(t.result, IO_EOF);
    io_close(&t.io[0]);
    loop_delete(t.loop);
}

static void
write_much(void *arg)
{
    struct talk *t = arg;
    char *data = xcalloc(1, 3 << 20);
    struct iovec v[3] = {{data, 1 << 20}, {data, 1 << 20}, {data, 1 << 20}};

    t->result = io_writev_all(&t->io[1], v, 3, loop_deadline(t->loop, 10000));
    free(data);
    t->is_done = true;
}

TEST(a_write_larger_than_the_socket_waits_for_the_reader)
{
    struct talk t = {.loop = new_loop()};
    char sink[50000];
    int64_t sum = 0, n;
    open_pair(&t);

    EXPECT(fiber_start(t.loop, write_much, &t, NULL));
    EXPECT(!t.is_done);
    for (int i = 0; i < 10000 && sum < 3 << 20; i++) {
        loop_turn(t.loop, 1);
        while ((n = io_try_recv(&t.io[0], sink, sizeof(sink))) > 0)
            sum += n;
    }
    loop_turn(t.loop, 0);
    EXPECT(t.is_done);
    EXPECT_EQ(sum, 3 << 20);
    EXPECT_EQ(t.result, 3 << 20);
    io_close(&t.io[0]);
    io_close(&t.io[1]);
    loop_delete(t.loop);
}

struct closer {
    struct io_op op;
    struct talk *talk;
};

static void
close_both(struct io_op *op, int64_t result)
{
    struct closer *c = CONTAINER_OF(op, struct closer, op);
    io_close(&c->talk->io[0]);
    io_close(&c->talk->io[1]);
    c->talk->is_done = true;
}

TEST(closing_inside_a_callback_forgets_events_of_the_same_turn)
{
    struct talk t = {.loop = new_loop()};
    struct closer c[2] = {{.op.on_done = close_both, .talk = &t}, {.op.on_done = close_both, .talk = &t}};
    open_pair(&t);

    io_when_readable(&t.io[0], &c[0].op);
    io_when_readable(&t.io[1], &c[1].op);
    EXPECT_EQ(io_try_send(&t.io[0], "x", 1), 1);
    EXPECT_EQ(io_try_send(&t.io[1], "x", 1), 1);
    loop_turn(t.loop, 10);
    EXPECT(t.is_done);
    loop_turn(t.loop, 0);
    loop_delete(t.loop);
}

/* --- the watchdog --- */

struct stuck {
    struct loop *loop;
    char text[64];
    uint32_t index;
    _Atomic int n_reports;
    _Atomic bool may_go_on;
};

static size_t
describe(const void *request, char *text, size_t size)
{
    size_t n = MIN(strlen(request), size);
    memcpy(text, request, n);
    return n;
}

static void
on_stuck(void *ctx, uint32_t index, uint64_t stuck_for_ms, const char *text)
{
    struct stuck *s = ctx;

    snprintf(s->text, sizeof(s->text), "%s", text);
    s->index = index;
    atomic_fetch_add(&s->n_reports, 1);
    atomic_store(&s->may_go_on, true);
}

static void
spin(void *arg)
{
    struct stuck *s = arg;

    fiber_set_request("GET /slow");
    while (!atomic_load(&s->may_go_on)) {
    }
    fiber_set_request(NULL);
    loop_stop(s->loop);
}

static void
spin_later(void *arg)
{
    fiber_yield(NULL);                   /* the loop runs by then */
    spin(arg);
}

static void *
run_stuck(void *arg)
{
    struct stuck *s = arg;

    EXPECT(fiber_start(s->loop, spin_later, s, NULL));
    loop_run(s->loop);
    return NULL;
}

TEST(the_watchdog_names_the_request_that_blocks)
{
    struct stuck s = {.loop = new_loop()};
    struct err err = ERR_INIT;
    pthread_t thread;
    struct watchdog *w = watchdog_new(&(struct watchdog_options){.loops = &s.loop, .n_loops = 1, .stuck_ms = 50,
        .describe = describe, .on_stuck = on_stuck, .ctx = &s}, &err);

    EXPECT(w != NULL);
    EXPECT_EQ(pthread_create(&thread, NULL, run_stuck, &s), 0);
    pthread_join(thread, NULL);
    EXPECT_EQ(atomic_load(&s.n_reports), 1);
    EXPECT_STR(str_from_c(s.text), "GET /slow");
    EXPECT_EQ(watchdog_count(w), 1);
    watchdog_delete(w);
    loop_delete(s.loop);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static void
report_nothing(void *ctx, uint32_t index, uint64_t stuck_for_ms, const char *text)
{
}

static void NO_RETURN
be_stuck_for_good(int err_fd)
{
    struct stuck s = {.loop = new_loop()};
    struct err err;
    pthread_t thread;

    dup2(err_fd, STDERR_FILENO);
    fault_install(describe);
    watchdog_new(&(struct watchdog_options){.loops = &s.loop, .n_loops = 1, .stuck_ms = 50, .abort_ms = 100,
        .describe = describe, .on_stuck = report_nothing, .ctx = &s}, &err);
    pthread_create(&thread, NULL, run_stuck, &s);
    pthread_join(thread, NULL);
    _exit(0);
}

TEST(a_worker_that_stays_stuck_ends_the_process_with_its_name)
{
    char text[4096];
    size_t len = 0;
    int out[2], status;

    EXPECT_EQ(pipe(out), 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        be_stuck_for_good(out[1]);
    close(out[1]);
    for (ssize_t n; len < sizeof(text) - 1 && (n = read(out[0], text + len, sizeof(text) - 1 - len)) > 0;)
        len += (size_t)n;
    text[len] = 0;
    close(out[0]);
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    EXPECT(strstr(text, "while serving GET /slow") != NULL);
}
#endif
