/* Streams that are being closed gently when their loop ends.
 * SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>
#include <unistd.h>

#include "net/stream.h"
#include "test.h"

TEST(who_lingers_is_let_go_with_the_loop)
{
    struct err err;
    struct loop *loop = loop_new(&(struct loop_options){.io = LOOP_IO_EPOLL}, &err);
    struct stream *s;
    int fds[2];
    char c;

    EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    s = stream_from_fd(loop, fds[0], &err);
    EXPECT(s != NULL);
    EXPECT_EQ(stream_try_write(s, "x", 1), 1);
    stream_close_gently(s, 1024, 10000);
    EXPECT(!list_is_empty(&loop->lingering));
    stream_close_lingering(loop);
    EXPECT(list_is_empty(&loop->lingering));
    EXPECT_EQ(read(fds[1], &c, 1), 1);
    EXPECT_EQ(read(fds[1], &c, 1), 0);
    close(fds[1]);
    loop_delete(loop);
}
