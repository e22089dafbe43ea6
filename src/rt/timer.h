/* timer.h: intrusive timers on the loop's wheel: start, stop and fire cost a few instructions each, and no system
 * call. Resolution 1 ms; a timer never fires early.
 *     timer_start(loop, &conn->idle_timer, loop_now_ms(loop) + 60000, on_idle);
 *     static void on_idle(struct timer *t) { struct conn *c = CONTAINER_OF(t, struct conn, idle_timer); ... }
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/list.h"
#include "rt/loop.h"

struct timer {                           /* zero-initialised: not started */
    struct list_node link;
    uint64_t at_ms;
    void (*fn)(struct timer *);
};

/* Calls fn once when the loop's clock reaches at_ms; restarts a timer that is running. NO_DEADLINE and 0 stop it.
 * fn may start, stop or free any timer, its own included. */
void timer_start(struct loop *loop, struct timer *t, uint64_t at_ms, void (*fn)(struct timer *));
/* A timer that is not running stays so. */
void timer_stop(struct loop *loop, struct timer *t);
static inline bool
timer_is_running(const struct timer *t)
{
    return list_is_linked(&t->link);
}

/* For the loop. */
struct timer_wheel *timer_wheel_new(uint64_t now_ms);
void timer_wheel_delete(struct timer_wheel *w);
/* Fires what is due at now_ms, in order of time. */
void timer_wheel_run(struct timer_wheel *w, uint64_t now_ms);
/* When to look again, at the latest; NO_DEADLINE when nothing is started. May be before the first timer is due. */
uint64_t timer_wheel_next_ms(const struct timer_wheel *w);
