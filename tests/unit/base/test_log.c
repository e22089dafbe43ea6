/* test_log.c: standard error that nobody reads holds nobody up, and loses no line in silence.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/log.c"

#include "test.h"

#include <fcntl.h>
#include <signal.h>

/* Standard error in a test's hands. */
struct rig {
    int before, ends[2];                 /* ends[0]: the reader's */
    char got[300000];
    size_t n;
};

static void
rig_open(struct rig *r, bool is_socket)
{
    fflush(stderr);
    memset(r, 0, sizeof(*r));
    r->before = dup(STDERR_FILENO);
    EXPECT_EQ(is_socket ? socketpair(AF_UNIX, SOCK_STREAM, 0, r->ends) : pipe(r->ends), 0);
    fcntl(r->ends[0], F_SETFL, O_NONBLOCK);
    dup2(r->ends[1], STDERR_FILENO);
    sink.n_lost = 0;
}

static void
rig_close(struct rig *r)
{
    dup2(r->before, STDERR_FILENO);
    close(r->before);
    close(r->ends[0]);
    close(r->ends[1]);
}

static struct str
all_read(struct rig *r)
{
    ssize_t n;

    for (r->n = 0; (n = read(r->ends[0], r->got + r->n, sizeof(r->got) - r->n)) > 0;)
        r->n += (size_t)n;
    return str_from(r->got, r->n);
}

static void
fill_and_go_on(bool is_socket)
{
    static struct rig r;
    struct str text;
    uint32_t n = 0;

    rig_open(&r, is_socket);
    while (!sink.n_lost && n < 100000)   /* before: stood still here */
        log_warn("line %" PRIu32, n++);
    for (int i = 0; i < 9; i++)
        log_warn("and more");
    EXPECT_EQ(sink.n_lost, 10);
    text = all_read(&r);
    EXPECT(str_find(text, STR("line 0\n"), 0) >= 0);
    EXPECT(str_ends_with(text, STR("\n")));
    log_warn("there is room again");
    text = all_read(&r);
    EXPECT(str_find(text, STR("10 lines before this one were lost"), 0) >= 0);
    EXPECT(str_ends_with(text, STR("there is room again\n")));
    EXPECT_EQ(sink.n_lost, 0);
    rig_close(&r);
}

TEST(a_full_pipe_holds_nobody_up)
{
    fill_and_go_on(false);
}

TEST(nor_does_a_socket)
{
    fill_and_go_on(true);
}

TEST(long_texts_arrive_whole)
{
    static struct rig r;
    static char text[60000];

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\n';
    rig_open(&r, false);
    log_text(str_from(text, sizeof(text)));
    EXPECT_EQ(all_read(&r).len, sizeof(text));
    log_warn("%.*s", 50000, text);
    EXPECT(all_read(&r).len > 50000);
    EXPECT_EQ(sink.n_lost, 0);
    rig_close(&r);
}

TEST(a_reader_that_has_gone_costs_nothing)
{
    static struct rig r;

    signal(SIGPIPE, SIG_IGN);
    rig_open(&r, false);
    close(r.ends[0]);
    log_warn("to nobody");
    EXPECT_EQ(sink.n_lost, 0);
    rig_close(&r);
}

