/* offload.c: a queue, its lock, and threads that come when all others are busy and stay.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/offload.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/list.h"
#include "rt/fiber.h"
#include "rt/mailbox.h"

#define THREADS_MAX 64
#define STACK_BYTES ((size_t)16 << 20)   /* XSLT recursion is what we are here for */

struct call {                            /* on the waiting fiber's stack */
    struct message done;
    struct list_node link;
    void (*fn)(void *arg);
    void *arg;
    struct fiber *fiber;
    struct loop *loop;
};

struct offload {
    pthread_mutex_t lock;                /* covers everything below */
    pthread_cond_t has_work;
    struct list queue;
    uint32_t n_queued, queue_max;
    uint32_t n_threads, threads_max, n_idle;
    bool is_ending;
    pthread_t threads[THREADS_MAX];
};

static void
on_done(struct message *m)
{
    fiber_wake(CONTAINER_OF(m, struct call, done)->fiber);
}

static void *
work(void *arg)
{
    struct offload *pool = arg;

    pthread_mutex_lock(&pool->lock);
    for (;;) {
        struct call *c = list_take_first(&pool->queue, struct call, link);
        if (c) {
            pool->n_queued--;
            pthread_mutex_unlock(&pool->lock);
            c->fn(c->arg);
            mailbox_send(c->loop, &c->done);        /* c is gone from here on */
            pthread_mutex_lock(&pool->lock);
            continue;
        }
        if (pool->is_ending)
            break;
        pool->n_idle++;
        pthread_cond_wait(&pool->has_work, &pool->lock);
        pool->n_idle--;
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

struct offload *
offload_new(uint32_t threads_max, uint32_t queue_max)
{
    struct offload *pool = xnew(struct offload);

    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->has_work, NULL);
    list_init(&pool->queue);
    pool->threads_max = threads_max ? MIN(threads_max, (uint32_t)THREADS_MAX) : 4;
    pool->queue_max = queue_max ? queue_max : 1024;
    return pool;
}

/* Signals stay with the threads that expect them. */
static bool
start_thread(struct offload *pool)
{
    pthread_attr_t attr;
    sigset_t all, before;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(&pool->threads[pool->n_threads], &attr, work, pool) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    pool->n_threads += ok;
    return ok;
}

static bool
enqueue(struct offload *pool, struct call *c)
{
    bool ok;

    pthread_mutex_lock(&pool->lock);
    ok = pool->n_queued < pool->queue_max;
    if (ok && pool->n_idle <= pool->n_queued && pool->n_threads < pool->threads_max)
        ok = start_thread(pool) || pool->n_threads > 0;
    if (ok) {
        list_push_back(&pool->queue, &c->link);
        pool->n_queued++;
        pthread_cond_signal(&pool->has_work);
    }
    pthread_mutex_unlock(&pool->lock);
    return ok;
}

bool
offload_call(struct offload *pool, void (*fn)(void *arg), void *arg, struct err *err)
{
    struct call c = {.done.deliver = on_done, .fn = fn, .arg = arg, .fiber = fiber_self(), .loop = fiber_loop()};

    if (!pool || !c.fiber) {
        fn(arg);
        return true;
    }
    if (!enqueue(pool, &c))
        return err_set(err, ERR_LIMIT, "%" PRIu32 " calls wait for an offload thread already", pool->queue_max);
    fiber_wait_hard();
    return true;
}

void
offload_delete(struct offload *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->is_ending = true;
    pthread_cond_broadcast(&pool->has_work);
    pthread_mutex_unlock(&pool->lock);
    for (uint32_t i = 0; i < pool->n_threads; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->has_work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}
