/* timer.c: a hierarchical wheel of six rings, 2^42 ms ahead, everything O(1).
 *
 *     ring 0: 64 slots of 1 ms     ring 1: 4,096 of 64 ms     ring 2: 64 of 262 s     ring 3: 64 of 4.7 hours     ...
 * A timer stands on the lowest ring that reaches as far as it is away. When the wheel's time reaches a slot of a higher
 * ring, its timers move down ("cascade"); on ring 0 they fire. The wheel jumps from one occupied slot to the next, so a
 * long sleep or a clock moved by a test costs nothing per millisecond.
 * Ring 1 is so long because a slot cascades as a whole: time-outs of some seconds or minutes, which is what connections
 * have, move down with those of their own 64 ms and no others. Ten thousand that were opened within two seconds stand in
 * some thirty slots of it; on a ring of 4 s slots they would all move in one turn, and every request would wait.
 * Invariants:
 *   T1  words has the bit of each slot that is not empty, and no other; any[ring] that of each word that is not 0
 *   T2  a linked timer's slot begins after the wheel's time, less than a whole turn of its ring: nothing is ever behind
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/timer.h"

#include <stdlib.h>

#define RINGS 6
#define WORDS 69
#define SLOTS (WORDS * 64u)

/* Slots are 1 << shift ms long; the ring has as many as `mask` has values, from 64 * word on. */
static const struct ring_of_slots {
    uint8_t shift, word;
    uint32_t mask;
} rings[RINGS] = {{0, 0, 63}, {6, 1, 4095}, {18, 65, 63}, {24, 66, 63}, {30, 67, 63}, {36, 68, 63}};

struct timer_wheel {
    uint64_t now_ms;                     /* slots up to here have fired */
    uint64_t any[RINGS];
    uint64_t words[WORDS];
    struct list slots[SLOTS];
};

struct timer_wheel *
timer_wheel_new(uint64_t now_ms)
{
    struct timer_wheel *w = xnew(struct timer_wheel);

    w->now_ms = now_ms;
    for (unsigned slot = 0; slot < SLOTS; slot++)
        list_init(&w->slots[slot]);
    return w;
}

void
timer_wheel_delete(struct timer_wheel *w)
{
    free(w);
}

static const struct ring_of_slots *
ring_of_word(unsigned word)
{
    return &rings[word <= rings[1].word ? word : word < rings[2].word ? 1 : word - rings[2].word + 2];
}

static void
mark(struct timer_wheel *w, unsigned slot)
{
    unsigned word = slot / 64;
    const struct ring_of_slots *r = ring_of_word(word);

    w->words[word] |= UINT64_C(1) << (slot % 64);
    w->any[r - rings] |= UINT64_C(1) << (word - r->word);
}

static void
unmark(struct timer_wheel *w, unsigned slot)
{
    unsigned word = slot / 64;
    const struct ring_of_slots *r = ring_of_word(word);

    w->words[word] &= ~(UINT64_C(1) << (slot % 64));
    if (!w->words[word])
        w->any[r - rings] &= ~(UINT64_C(1) << (word - r->word));
}

static void
wheel_insert(struct timer_wheel *w, struct timer *t)
{
    uint64_t at = MAX(t->at_ms, w->now_ms + 1);                       /* T2 */
    const struct ring_of_slots *r = rings;
    uint64_t ahead;

    while ((ahead = (at >> r->shift) - (w->now_ms >> r->shift)) > r->mask && r < &rings[RINGS - 1])
        r++;
    /* Beyond the horizon: the last slot, again. */
    unsigned slot = r->word * 64u + (unsigned)(((w->now_ms >> r->shift) + MIN(ahead, r->mask)) & r->mask);
    list_push_back(&w->slots[slot], &t->link);
    mark(w, slot);
}

static void
wheel_remove(struct timer_wheel *w, struct timer *t)
{
    struct list_node *neighbour = t->link.next;
    bool was_last = neighbour == t->link.prev;

    list_remove(&t->link);
    /* The only neighbour is the slot's head, or a list on wheel_fire()'s stack. */
    if (was_last && (char *)neighbour >= (char *)w->slots && (char *)neighbour < (char *)(w->slots + SLOTS))
        unmark(w, (unsigned)((struct list *)(void *)neighbour - w->slots));
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

/* How far bit n is from the first one set at or after it, around the word. */
static unsigned
distance(uint64_t word, unsigned n)
{
    return (unsigned)__builtin_ctzll(word >> n | word << (-n & 63));
}

/* When the next occupied slot of a ring begins. */
static uint64_t
next_of_ring(const struct timer_wheel *w, const struct ring_of_slots *r)
{
    uint64_t first = (w->now_ms >> r->shift) + 1, any = w->any[r - rings];
    unsigned from = (unsigned)first & r->mask, word = from / 64;

    if (!any)
        return NO_DEADLINE;
    if (w->words[r->word + word] >> (from % 64))
        return (first + distance(w->words[r->word + word], from % 64)) << r->shift;
    word = (word + 1 + distance(any, (word + 1) & 63)) & 63;
    from = word * 64 + (unsigned)__builtin_ctzll(w->words[r->word + word]);
    return (first + ((from - first) & r->mask)) << r->shift;
}

uint64_t
timer_wheel_next_ms(const struct timer_wheel *w)
{
    uint64_t next = NO_DEADLINE;

    for (const struct ring_of_slots *r = rings; r < &rings[RINGS]; r++)
        next = MIN(next, next_of_ring(w, r));
    return next;
}

static void
wheel_fire(struct timer_wheel *w, unsigned slot)
{
    struct list taken;
    struct list_node *n;

    if (list_is_empty(&w->slots[slot]))
        return;
    /* Moved aside as a whole, so that callbacks may start and stop what they like. */
    taken = w->slots[slot];
    taken.head.next->prev = taken.head.prev->next = &taken.head;
    list_init(&w->slots[slot]);
    unmark(w, slot);
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
    uint64_t at;

    while ((at = timer_wheel_next_ms(w)) <= now_ms) {
        w->now_ms = at;
        /* Slots of all rings that begin now: the wheel's own place on a ring is empty otherwise (T2). */
        for (unsigned i = RINGS; i-- > 0;)
            wheel_fire(w, rings[i].word * 64u + (unsigned)((at >> rings[i].shift) & rings[i].mask));
    }
    /* No occupied slot lies between, so moving on keeps T2. */
    if (now_ms > w->now_ms)
        w->now_ms = now_ms;
}
