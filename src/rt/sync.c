/* sync.c: waiters stand in the list of what they wait for, on their own stacks, and leave it however the wait ends.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/sync.h"

#include "rt/fiber.h"

struct waiter {
    struct list_node link;               /* linked exactly while nobody has chosen it */
    struct fiber *fiber;
};

/* True when chosen. A waiter that was chosen and cancelled in the same turn counts as chosen, so that what it was
 * given is not lost. */
static bool
wait_in(struct list *waiters, uint64_t deadline_ms, struct err *err)
{
    struct waiter w = {.fiber = fiber_self()};

    list_push_back(waiters, &w.link);
    for (;;) {
        enum io_status status = fiber_wait(deadline_ms);
        if (!list_is_linked(&w.link))
            return true;
        if (status == IO_OK)
            continue;                    /* woken for something else */
        list_remove(&w.link);
        return err_set(err, io_status_err(status), "%s", io_status_text(status));
    }
}

static bool
choose_first(struct list *waiters)
{
    struct waiter *w = list_take_first(waiters, struct waiter, link);

    if (!w)
        return false;
    fiber_wake(w->fiber);
    return true;
}

void
fiber_cond_init(struct fiber_cond *c)
{
    list_init(&c->waiters);
}

bool
fiber_cond_wait(struct fiber_cond *c, uint64_t deadline_ms, struct err *err)
{
    return wait_in(&c->waiters, deadline_ms, err);
}

bool
fiber_cond_signal(struct fiber_cond *c)
{
    return choose_first(&c->waiters);
}

void
fiber_cond_broadcast(struct fiber_cond *c)
{
    while (choose_first(&c->waiters)) {
    }
}

bool
fiber_cond_has_waiters(const struct fiber_cond *c)
{
    return !list_is_empty(&c->waiters);
}

void
fiber_sem_init(struct fiber_sem *s, uint32_t free)
{
    s->free = free;
    list_init(&s->waiters);
}

bool
fiber_sem_try_take(struct fiber_sem *s)
{
    if (s->free == 0)
        return false;
    s->free--;
    return true;
}

bool
fiber_sem_take(struct fiber_sem *s, uint64_t deadline_ms, struct err *err)
{
    return fiber_sem_try_take(s) || wait_in(&s->waiters, deadline_ms, err);
}

void
fiber_sem_give(struct fiber_sem *s)
{
    if (!choose_first(&s->waiters))      /* the permit goes to the waiter directly */
        s->free++;
}
