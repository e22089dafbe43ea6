/* timer.c: a hierarchical wheel of seven levels with 64 slots each: 2^42 ms ahead, everything O(1).
 *
 *     level 0: 1 ms a slot     level 1: 64 ms     level 2: 4 s     ...
 * A timer sits on the level of the highest 6-bit digit in which its time differs from the wheel's. When the wheel's
 * time reaches a slot of a higher level, its timers move down ("cascade"); on level 0 they fire. The wheel jumps from
 * one occupied slot to the next, so a long sleep or a clock moved by a test costs nothing per millisecond.
 * Invariants:
 *   T1  occupied[level] has the bit of each slot that is not empty, and no other
 *   T2  a linked timer's slot lies after the wheel's own digit on its level: nothing is ever behind
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/timer.h"

#include <stdlib.h>

#define LEVELS 7
#define SLOTS 64
#define HORIZON_MS ((UINT64_C(1) << (6 * LEVELS)) - 1)

struct timer_wheel {
    uint64_t now_ms;                     /* slots up to here have fired */
    uint64_t occupied[LEVELS];
    struct list slots[LEVELS][SLOTS];
};

struct timer_wheel *
timer_wheel_new(uint64_t now_ms)
{
    struct timer_wheel *w = xnew(struct timer_wheel);

    w->now_ms = now_ms;
    for (int level = 0; level < LEVELS; level++)
        for (int slot = 0; slot < SLOTS; slot++)
            list_init(&w->slots[level][slot]);
    return w;
}

void
timer_wheel_delete(struct timer_wheel *w)
{
    free(w);
}

static void
wheel_insert(struct timer_wheel *w, struct timer *t)
{
    uint64_t at = MAX(t->at_ms, w->now_ms + 1);                       /* T2 */
    uint64_t differs = at ^ w->now_ms;
    int level = (63 - __builtin_clzll(differs)) / 6;

    if (level >= LEVELS) {                                            /* beyond the horizon: the last slot, again */
        level = LEVELS - 1;
        at = w->now_ms | HORIZON_MS;
    }
    unsigned slot = (at >> (6 * level)) & (SLOTS - 1);
    list_push_back(&w->slots[level][slot], &t->link);
    w->occupied[level] |= UINT64_C(1) << slot;
}

static void
wheel_remove(struct timer_wheel *w, struct timer *t)
{
    struct list_node *neighbour = t->link.next;
    bool was_last = neighbour == t->link.prev;

    list_remove(&t->link);
    if (!was_last)
        return;
    /* The only neighbour is the slot's head, or a list on wheel_fire()'s stack. */
    size_t index = (size_t)((struct list *)(void *)neighbour - &w->slots[0][0]);
    if ((char *)neighbour >= (char *)w->slots && (char *)neighbour < (char *)(w->slots + LEVELS))
        w->occupied[index / SLOTS] &= ~(UINT64_C(1) << (index % SLOTS));
}

void
timer_start(struct loop *loop, struct timer *t, uint64_t at_ms, void (*fn)(struct timer *))
{
    if (timer_is_running(t))
        wheel_remove(loop->timers, t);
    if (at_ms == 0 || at_ms == NO_DEADLINE)
        return;
    t->at_ms = at_ms;
    t->fn = fn;
    wheel_insert(loop->timers, t);
}

void
timer_stop(struct loop *loop, struct timer *t)
{
    if (timer_is_running(t))
        wheel_remove(loop->timers, t);
}

/* The occupied slot that comes first: on the lowest level that has one, as higher digits are equal below it. */
static uint64_t
next_slot(const struct timer_wheel *w, int *ret_level, unsigned *ret_slot)
{
    *ret_level = 0;
    *ret_slot = 0;
    for (int level = 0; level < LEVELS; level++) {
        if (!w->occupied[level])
            continue;
        *ret_level = level;
        *ret_slot = (unsigned)__builtin_ctzll(w->occupied[level]);
        uint64_t above = 6 * (unsigned)(level + 1) >= 64 ? 0 : w->now_ms >> (6 * (level + 1)) << (6 * (level + 1));
        return above | (uint64_t)*ret_slot << (6 * level);
    }
    return NO_DEADLINE;
}

uint64_t
timer_wheel_next_ms(const struct timer_wheel *w)
{
    int level;
    unsigned slot;

    return next_slot(w, &level, &slot);
}

static void
wheel_fire(struct timer_wheel *w, struct list *slot)
{
    struct list taken;
    struct list_node *n;

    /* Moved aside as a whole, so that callbacks may start and stop what they like. */
    if (list_is_empty(slot))
        return;
    taken = *slot;
    taken.head.next->prev = taken.head.prev->next = &taken.head;
    list_init(slot);
    while ((n = list_pop_front(&taken))) {
        struct timer *t = list_entry(n, struct timer, link);
        if (t->at_ms <= w->now_ms)
            t->fn(t);
        else
            wheel_insert(w, t);
    }
}

void
timer_wheel_run(struct timer_wheel *w, uint64_t now_ms)
{
    int level;
    unsigned slot;

    for (;;) {
        uint64_t at = next_slot(w, &level, &slot);
        if (at > now_ms)
            break;
        w->now_ms = at;
        w->occupied[level] &= ~(UINT64_C(1) << slot);
        wheel_fire(w, &w->slots[level][slot]);
    }
    /* No occupied slot lies between, so moving on keeps T2. */
    if (now_ms > w->now_ms)
        w->now_ms = now_ms;
}
