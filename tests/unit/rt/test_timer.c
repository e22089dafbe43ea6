/* test_timer.c: timers fire once, in order, never early, over any distance.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/timer.c"

#include "test.h"

struct shot {
    struct timer timer;
    uint64_t fired_ms;
    struct timer_wheel *wheel;
    struct shot *victim;                 /* stopped when this one fires */
    struct loop *loop;
    uint64_t again_ms;                   /* started again for then */
};

static uint64_t last_ms;
static int n_fired;

static void
on_shot(struct timer *t)
{
    struct shot *s = CONTAINER_OF(t, struct shot, timer);

    s->fired_ms = s->wheel->now_ms;
    EXPECT(s->fired_ms >= t->at_ms);
    EXPECT(t->at_ms >= last_ms);
    last_ms = t->at_ms;
    n_fired++;
    if (s->victim)
        timer_stop(s->loop, &s->victim->timer);
    if (s->again_ms) {
        uint64_t at = s->again_ms;
        s->again_ms = 0;
        last_ms = 0;
        timer_start(s->loop, t, at, on_shot);
    }
}

static struct loop
wheel_at(uint64_t now_ms)
{
    last_ms = 0;
    n_fired = 0;
    return (struct loop){.timers = timer_wheel_new(now_ms)};
}

TEST(timers_fire_in_order_at_their_time)
{
    static const uint64_t at[] = {1001, 1063, 1064, 1065, 5000, 5001, 262144 + 1000, 90061000, 1000 + (UINT64_C(1) << 41)};
    struct loop loop = wheel_at(1000);
    struct shot shots[COUNTOF(at)] = {0};

    for (size_t i = COUNTOF(at); i-- > 0;) {
        shots[i] = (struct shot){.wheel = loop.timers, .loop = &loop};
        timer_start(&loop, &shots[i].timer, at[i], on_shot);
    }
    for (size_t i = 0; i < COUNTOF(at); i++) {
        timer_wheel_run(loop.timers, at[i] - 1);
        EXPECT_EQ(n_fired, i);
        timer_wheel_run(loop.timers, at[i]);
        EXPECT_EQ(n_fired, i + 1);
        EXPECT_EQ(shots[i].fired_ms, at[i]);
    }
    EXPECT_EQ(timer_wheel_next_ms(loop.timers), NO_DEADLINE);
    timer_wheel_delete(loop.timers);
}

TEST(a_long_jump_fires_all_that_is_due)
{
    struct loop loop = wheel_at(77);
    struct shot shots[500];

    for (int i = 0; i < 500; i++) {
        shots[i] = (struct shot){.wheel = loop.timers, .loop = &loop};
        timer_start(&loop, &shots[i].timer, 78 + (uint64_t)i * i * 37, on_shot);
    }
    timer_wheel_run(loop.timers, 400 * 400 * 37);
    EXPECT_EQ(n_fired, 400);
    timer_wheel_run(loop.timers, UINT64_C(1) << 40);
    EXPECT_EQ(n_fired, 500);
    timer_wheel_delete(loop.timers);
}

TEST(the_next_look_is_never_after_a_timer_and_is_soon_exact)
{
    struct loop loop = wheel_at(123456);
    struct shot s = {.wheel = loop.timers, .loop = &loop};
    int looks = 0;

    timer_start(&loop, &s.timer, 123456 + 777777, on_shot);
    while (!n_fired && looks < 20) {
        uint64_t next = timer_wheel_next_ms(loop.timers);
        EXPECT(next <= s.timer.at_ms);
        timer_wheel_run(loop.timers, next);
        looks++;
    }
    EXPECT_EQ(n_fired, 1);
    EXPECT(looks <= RINGS);
    timer_wheel_delete(loop.timers);
}

TEST(a_timer_may_stop_others_and_start_itself)
{
    struct loop loop = wheel_at(10);
    struct shot victim = {.wheel = loop.timers, .loop = &loop};
    struct shot s = {.wheel = loop.timers, .loop = &loop, .victim = &victim, .again_ms = 15};

    timer_start(&loop, &s.timer, 20, on_shot);
    timer_start(&loop, &victim.timer, 20, on_shot);          /* same slot */
    timer_wheel_run(loop.timers, 20);
    EXPECT_EQ(n_fired, 1);
    EXPECT(!timer_is_running(&victim.timer));
    EXPECT(timer_is_running(&s.timer));  /* for a time that has passed: next millisecond */
    timer_wheel_run(loop.timers, 21);
    EXPECT_EQ(n_fired, 2);
    EXPECT_EQ(timer_wheel_next_ms(loop.timers), NO_DEADLINE);
    timer_wheel_delete(loop.timers);
}

/* T1 */
static void
expect_marks(const struct timer_wheel *w)
{
    for (unsigned slot = 0; slot < SLOTS; slot++)
        EXPECT_EQ(w->words[slot / 64] >> (slot % 64) & 1, !list_is_empty(&w->slots[slot]));
    for (unsigned word = 0; word < WORDS; word++) {
        const struct ring_of_slots *r = ring_of_word(word);
        EXPECT(word >= r->word && word - r->word <= r->mask / 64);
        EXPECT_EQ(w->any[r - rings] >> (word - r->word) & 1, w->words[word] != 0);
    }
}

TEST(stopping_keeps_the_wheel_in_order)
{
    struct loop loop = wheel_at(0);
    struct shot shots[1000];
    unsigned seed = 7;
    int expected = 0;

    for (int i = 0; i < 1000; i++) {
        shots[i] = (struct shot){.wheel = loop.timers, .loop = &loop};
        seed = seed * 1103515245 + 12345;
        timer_start(&loop, &shots[i].timer, 1 + (seed >> 8) % 100000, on_shot);
    }
    for (int i = 0; i < 1000; i++)
        if (i % 3)
            timer_stop(&loop, &shots[i].timer);
        else
            expected++;
    expect_marks(loop.timers);
    timer_wheel_run(loop.timers, 100001);
    EXPECT_EQ(n_fired, expected);
    timer_wheel_delete(loop.timers);
}

/* Beside a list that is looked through from end to end: starts, stops and restarts at all distances, steps of all sizes. */
TEST(the_wheel_does_what_a_plain_list_would_do)
{
    static const uint64_t reach[] = {2, 60, 70, 4000, 5000, 250000, 300000, 20000000, UINT64_C(1) << 37, UINT64_C(1) << 43};
    uint64_t now = 987654321;
    struct loop loop = wheel_at(now);
    struct shot shots[300] = {0};
    struct rand r;

    rand_seed(&r, 41);
    for (int step = 0; step < 20000; step++) {
        struct shot *s = &shots[rand_below(&r, COUNTOF(shots))];
        uint64_t what = rand_below(&r, 4);
        if (what == 0) {
            timer_stop(&loop, &s->timer);
        } else if (what < 3) {
            s->wheel = loop.timers;
            timer_start(&loop, &s->timer, now + 1 + rand_below(&r, reach[rand_below(&r, COUNTOF(reach))]), on_shot);
        } else {
            int due = 0;
            now += rand_below(&r, reach[rand_below(&r, COUNTOF(reach) - 2)]);
            for (size_t i = 0; i < COUNTOF(shots); i++)
                due += timer_is_running(&shots[i].timer) && shots[i].timer.at_ms <= now;
            n_fired = 0;
            last_ms = 0;
            timer_wheel_run(loop.timers, now);
            EXPECT_EQ(n_fired, due);
            for (size_t i = 0; i < COUNTOF(shots); i++)
                EXPECT(!timer_is_running(&shots[i].timer) || (shots[i].timer.at_ms > now && timer_wheel_next_ms(loop.timers) <= shots[i].timer.at_ms));
        }
        if (step % 500 == 0)
            expect_marks(loop.timers);
    }
    timer_wheel_delete(loop.timers);
}

static unsigned
on_ring_0(const struct timer_wheel *w)
{
    unsigned n = 0;

    for (unsigned slot = 0; slot < 64; slot++)
        for (const struct list_node *i = w->slots[slot].head.next; i != &w->slots[slot].head; i = i->next)
            n++;
    return n;
}

/* What ten thousand connections that came within two seconds would cost one turn, if they moved down together. */
TEST(timers_of_some_seconds_move_down_in_small_parts)
{
    struct loop loop = wheel_at(500);
    struct shot *shots = xnew_array(struct shot, 10000);
    unsigned most = 0;

    for (unsigned i = 0; i < 10000; i++) {
        shots[i] = (struct shot){.wheel = loop.timers, .loop = &loop};
        timer_start(&loop, &shots[i].timer, 10500 + i / 5, on_shot);
    }
    for (uint64_t now = 501; now < 10500; now++) {
        unsigned before = on_ring_0(loop.timers);
        timer_wheel_run(loop.timers, now);
        most = MAX(most, on_ring_0(loop.timers) - before);
    }
    EXPECT_EQ(n_fired, 0);
    EXPECT(most <= 64 * 5);
    for (uint64_t now = 10500; now < 12500; now++) {
        int before = n_fired;
        timer_wheel_run(loop.timers, now);
        EXPECT_EQ(n_fired - before, 5);
    }
    EXPECT_EQ(timer_wheel_next_ms(loop.timers), NO_DEADLINE);
    timer_wheel_delete(loop.timers);
    free(shots);
}
