/* test_sd_notify.c: one datagram, to a path or an abstract name; nothing when nobody listens.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sd_notify.c"

#include "test.h"

static void
expect_datagram(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    char got[64] = {0};

    memcpy(at.sun_path, name, strlen(name));
    if (*name == '@')
        at.sun_path[0] = 0;
    EXPECT_EQ(bind(fd, (struct sockaddr *)&at, len), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    sd_notify_printf("MAINPID=%d\nREADY=1", 42);
    EXPECT_EQ(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 18);
    EXPECT_STR(str_from_c(got), "MAINPID=42\nREADY=1");
    close(fd);
    unsetenv("NOTIFY_SOCKET");
}

TEST(a_word_reaches_the_supervisor)
{
    char name[64];

    snprintf(name, sizeof(name), "/tmp/headgate-notify-%d", (int)getpid());
    expect_datagram(name);
    unlink(name);
    snprintf(name, sizeof(name), "@headgate-notify-%d", (int)getpid());
    expect_datagram(name);
}

TEST(nobody_asked_is_fine)
{
    unsetenv("NOTIFY_SOCKET");
    sd_notify_printf("READY=1");
    setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
    sd_notify_printf("READY=1");
    setenv("NOTIFY_SOCKET", "relative", 1);
    sd_notify_printf("READY=1");
}
