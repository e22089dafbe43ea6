/* wakeup.c: one word tells whether a wake-up is on its way, and whether somebody will still be there.
 *
 *     IDLE -send-> SENT -delivered-> IDLE        the owner frees
 *                     \-delete-> DEAD            whoever delivers frees
 * To the sender's own loop it goes as a task, which costs no system call; the task can be taken back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/wakeup.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "rt/mailbox.h"

enum { IDLE, SENT, DEAD };

struct wakeup {
    struct message mail;
    struct task task;
    struct loop *loop;
    void (*fn)(void *ctx);
    void *ctx;
    _Atomic uint32_t state;
};

struct wakeup *
wakeup_new(struct loop *loop, void (*fn)(void *ctx), void *ctx)
{
    struct wakeup *w = xnew(struct wakeup);

    w->loop = loop;
    w->fn = fn;
    w->ctx = ctx;
    return w;
}

static void
deliver(struct wakeup *w)
{
    uint32_t expected = SENT;

    if (atomic_compare_exchange_strong_explicit(&w->state, &expected, IDLE, memory_order_acq_rel, memory_order_acquire))
        w->fn(w->ctx);
    else
        free(w);                         /* DEAD */
}

static void
deliver_mail(struct message *m)
{
    deliver(CONTAINER_OF(m, struct wakeup, mail));
}

static void
run_task(struct task *t)
{
    deliver(CONTAINER_OF(t, struct wakeup, task));
}

void
wakeup_send(struct wakeup *w)
{
    uint32_t expected = IDLE;

    if (!atomic_compare_exchange_strong_explicit(&w->state, &expected, SENT, memory_order_acq_rel, memory_order_relaxed))
        return;
    if (loop_self() == w->loop) {
        w->task.run = run_task;
        loop_post(w->loop, &w->task);
    } else {
        w->mail.deliver = deliver_mail;
        mailbox_send(w->loop, &w->mail);
    }
}

void
wakeup_delete(struct wakeup *w)
{
    if (!w)
        return;
    if (task_is_posted(&w->task)) {
        loop_unpost(&w->task);
        free(w);
    } else if (atomic_exchange_explicit(&w->state, DEAD, memory_order_acq_rel) == IDLE) {
        free(w);
    }
}
