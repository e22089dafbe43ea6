#include "gateway/refusals.c"
#include "test.h"

static struct clock fake = {0};

TEST(the_first_is_told_and_others_once_a_minute)
{
    struct loop_options options = {.clock = &fake, .workers = 1};
    struct loop *loop = loop_new(&options, NULL);
    struct addr from = {.kind = ADDR_V4, .ip = {203, 0, 113, 9}}, unix_peer = {.kind = ADDR_UNIX};
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct refusals r = {.loop = loop};

    refusals_note(&r, &from, 200, "nothing that is refused");
    EXPECT(!timer_is_running(&r.quiet));
    refusals_note(&r, &from, 400, "told at once");
    EXPECT_EQ(r.n, 0);
    EXPECT(timer_is_running(&r.quiet));
    refusals_note(&r, &unix_peer, 431, "the request head is too large");
    refusals_note(&r, &from, 400, "a bad name");
    refusals_note(&r, &from, 400, "a bad line");
    refusals_text(&r, &text);
    EXPECT_STR(buf_str(&text), "refused 3 more requests before routing: 2 with 400, 1 with 431, the last from 203.0.113.9: 400, a bad line");
    on_quiet_end(&r.quiet);              /* as the loop does after a minute */
    EXPECT_EQ(r.n, 0);
    EXPECT_EQ(r.counts[0], 0);
    EXPECT(timer_is_running(&r.quiet));
    timer_stop(loop, &r.quiet);
    on_quiet_end(&r.quiet);              /* nothing came: the next is told at once again */
    EXPECT(!timer_is_running(&r.quiet));
    refusals_stop(&r);
    loop_delete(loop);
}
