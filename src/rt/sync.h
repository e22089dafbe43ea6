/* sync.h: what fibers of one worker wait for: a condition, a semaphore. Between workers: mailbox.h.
 *
 *     while (list_is_empty(&p->idle))               // looked at again after each wake-up
 *         if (!fiber_cond_wait(&p->freed, deadline_ms, err))
 *             return false;                         // ERR_TIMEOUT or ERR_CANCELLED
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "base/list.h"

struct fiber_cond {
    struct list waiters;                 /* first come, first woken */
};

void fiber_cond_init(struct fiber_cond *c);
/* Until a signal. False with ERR_TIMEOUT or ERR_CANCELLED. Yields. */
bool fiber_cond_wait(struct fiber_cond *c, uint64_t deadline_ms, struct err *err);
/* Wakes the fiber that waits longest; true if there was one. A signal that meets nobody is gone. */
bool fiber_cond_signal(struct fiber_cond *c);
void fiber_cond_broadcast(struct fiber_cond *c);
bool fiber_cond_has_waiters(const struct fiber_cond *c);

/* Permits; a permit given while somebody waits goes to that one, so nobody overtakes. */
struct fiber_sem {
    uint32_t free;
    struct list waiters;
};

void fiber_sem_init(struct fiber_sem *s, uint32_t free);
/* Takes one. False with ERR_TIMEOUT or ERR_CANCELLED. Yields. */
bool fiber_sem_take(struct fiber_sem *s, uint64_t deadline_ms, struct err *err);
bool fiber_sem_try_take(struct fiber_sem *s);
void fiber_sem_give(struct fiber_sem *s);
