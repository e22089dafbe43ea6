/* How long a node is waited for, and when it is forgotten: by the time that was spent listening.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/remote_log.c"
#include "redis/resp.h"
#include "test.h"

struct stand {
    struct clock clock;
    struct loop *loop;
    struct external x;
    struct remote r;
};

static void
set_up(struct stand *s)
{
    struct err err;

    *s = (struct stand){.x = {.id = 1}};
    s->loop = loop_new(&(struct loop_options){.clock = &s->clock}, &err);
    pthread_mutex_init(&s->x.lock, NULL);
    s->r = (struct remote){.loop = s->loop, .x = &s->x, .outstanding = BUF_INIT};
}

static void
tear_down(struct stand *s)
{
    buf_destroy(&s->r.outstanding);
    pthread_mutex_destroy(&s->x.lock);
    loop_delete(s->loop);
}

/* A look at the list, `ms` after the last one: what node 2 says there; NULL: it is not on the list. */
static void
look(struct stand *s, uint64_t ms, const char *says)
{
    struct buf list AUTO(buf_destroy) = BUF_INIT;
    struct resp_parser p;
    struct err err;

    clock_advance(&s->clock, (int64_t)ms * 1000000);
    loop_turn(s->loop, 0);
    buf_printf(&list, "*%u\r\n$16\r\n%016x\r\n$5\r\n0 1 a\r\n", says ? 4u : 2u, 1u);
    if (says)
        buf_printf(&list, "$16\r\n%016x\r\n$%zu\r\n%s\r\n", 2u, strlen(says), says);
    resp_parser_create(&p, &(struct resp_limits){.reply_bytes = 1000, .nodes = 20});
    EXPECT_EQ(resp_parse(&p, buf_str(&list), &err), RESP_DONE);
    take_nodes(&s->r, NULL, resp_root(&p, buf_str(&list)));
    resp_parser_destroy(&p);
}

/* Looks once a second at a node that says nothing new. */
static void
stay(struct stand *s, int seconds)
{
    for (int i = 0; i < seconds; i++)
        look(s, 1000, "7 1 b");
}

/* A purge that node 2 has not applied: whether it waits for it. */
static bool
waits(struct stand *s)
{
    struct purge_receipt receipt = {0};
    bool waits;

    count_nodes(&s->r, 100, &receipt, &waits);
    return waits;
}

TEST(a_silent_node_is_waited_for_five_seconds_and_forgotten_after_a_minute)
{
    struct stand s;
    set_up(&s);

    look(&s, 0, "7 1 b");
    stay(&s, 2);
    EXPECT(waits(&s));
    stay(&s, 6);
    EXPECT(!waits(&s));
    stay(&s, 40);
    EXPECT_EQ(dead_node(&s.x), 0);
    stay(&s, 15);
    EXPECT_EQ(dead_node(&s.x), 2);
    look(&s, 1000, NULL);
    EXPECT_EQ(s.x.n_nodes, 1);
    tear_down(&s);
}

TEST(an_absence_of_the_store_makes_nobody_silent)
{
    struct stand s;
    set_up(&s);

    look(&s, 0, "7 1 b");
    look(&s, 600000, "7 1 b");
    EXPECT(waits(&s));
    EXPECT_EQ(dead_node(&s.x), 0);
    look(&s, 600000, NULL);           /* its list was lost with the store's data */
    EXPECT_EQ(s.x.n_nodes, 2);
    tear_down(&s);
}

TEST(a_dead_node_is_forgotten_although_the_store_comes_and_goes)
{
    struct stand s;
    int looks = 0;
    set_up(&s);

    look(&s, 0, "7 1 b");
    while (dead_node(&s.x) == 0 && looks < 100) {
        look(&s, looks % 2 ? 20000 : 500, "7 1 b");
        looks++;
        EXPECT(looks <= 5 || !waits(&s));
    }
    EXPECT(looks > 20 && looks < 60); /* 2.5 s of listening in each 20.5 */
    tear_down(&s);
}

TEST(who_says_something_new_at_each_visit_is_never_silent)
{
    struct stand s;
    set_up(&s);

    for (int i = 0; i < 100; i++) {
        char says[32];

        snprintf(says, sizeof(says), "7 %d b", i);
        look(&s, 20000, says);
        EXPECT(waits(&s));
        EXPECT_EQ(dead_node(&s.x), 0);
    }
    tear_down(&s);
}
