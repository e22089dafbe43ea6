/* master_link.c: questions to the master, one at a time, before workers start.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/master_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/num.h"
#include "gateway/master_protocol.h"
#include "net/listener.h"
#include "rt/fault.h"

struct master_link {
    int fd;
    bool is_restart;
    int end[2];                          /* a pipe that ends the watching thread */
    pthread_t thread;
    bool is_watching;
    void (*on_lost)(void *ctx);
    void *ctx;
};

struct master_link *
master_link_open(void)
{
    const char *text = getenv(MASTER_FD_NAME);
    struct master_link *link;
    uint32_t fd;

    if (!text || !num_parse_u32(str_from_c(text), INT32_MAX, &fd, NULL))
        return NULL;
    unsetenv(MASTER_FD_NAME);
    if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
        return NULL;
    link = xnew(struct master_link);
    *link = (struct master_link){.fd = (int)fd, .end = {-1, -1}, .is_restart = getenv(MASTER_RESTART_NAME) != NULL};
    unsetenv(MASTER_RESTART_NAME);
    return link;
}

bool
master_link_is_restart(const struct master_link *link)
{
    return link && link->is_restart;
}

void
master_link_close(struct master_link *link)
{
    if (!link)
        return;
    if (link->is_watching) {
        close(link->end[1]);
        pthread_join(link->thread, NULL);
        close(link->end[0]);
    }
    fault_tell(-1, NULL, 0);
    close(link->fd);
    free(link);
}

static bool
ask(struct master_link *link, const struct master_request *q, int *ret_fd, struct err *err)
{
    struct master_reply reply;
    struct iovec v = {&reply, sizeof(reply)};
    union { struct cmsghdr head; char bytes[CMSG_SPACE(sizeof(int))]; } control;
    struct msghdr msg = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control.bytes,
        .msg_controllen = sizeof(control.bytes)};
    ssize_t n;

    if (send(link->fd, q, sizeof(*q), MSG_NOSIGNAL) < 0)
        return err_set_errno(err, ERR_IO, errno, "the master does not answer");
    do
        n = recvmsg(link->fd, &msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof(reply))
        return err_set(err, ERR_IO, "the master does not answer");
    if (!reply.ok)
        return err_set(err, ERR_IO, "%.*s", (int)sizeof(reply.text) - 1, reply.text);
    const struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    if (ret_fd && c && c->cmsg_type == SCM_RIGHTS)
        memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
    return true;
}

int
master_link_socket(struct master_link *link, const struct addr *at, uint32_t index, uint32_t backlog, unsigned mode,
                   bool is_shared, struct err *err)
{
    struct master_request q = {.version = MASTER_PROTOCOL_VERSION, .kind = MASTER_SOCKET, .is_shared = is_shared,
        .index = index, .backlog = backlog, .mode = mode};
    int fd = -1;

    if (!link)
        return listener_bind(at, backlog, mode, is_shared, err);
    q.addr_len = addr_to_sockaddr(at, &q.addr);
    if (!ask(link, &q, &fd, err))
        return -1;
    if (fd < 0)
        err_set(err, ERR_IO, "the master sent no socket");
    return fd;
}

bool
master_link_control(struct master_link *link, struct str state_folder, struct err *err)
{
    struct master_request q = {.version = MASTER_PROTOCOL_VERSION, .kind = MASTER_CONTROL};
    char path[sizeof(q.addr.un.sun_path)];

    if (!link)
        return true;
    int n = snprintf(path, sizeof(path), "%.*s/" MASTER_CONTROL_NAME, STR_ARG(state_folder));
    if (n < 0 || (size_t)n >= sizeof(path))
        return err_set(err, ERR_LIMIT, "the path of the state folder is too long for a socket in it");
    struct addr at = {.kind = ADDR_UNIX, .path = path};
    q.addr_len = addr_to_sockaddr(&at, &q.addr);
    return ask(link, &q, NULL, err);
}

void
master_link_ready(struct master_link *link)
{
    struct master_request q = {.version = MASTER_PROTOCOL_VERSION, .kind = MASTER_READY};

    if (link)
        (void)!send(link->fd, &q, sizeof(q), MSG_NOSIGNAL);
}

void
master_link_announce_death(struct master_link *link)
{
    static const struct master_request q = {.version = MASTER_PROTOCOL_VERSION, .kind = MASTER_DYING};

    if (link)
        fault_tell(link->fd, &q, sizeof(q));
}

static void *
watch(void *arg)
{
    struct master_link *link = arg;
    struct pollfd fds[2] = {{.fd = link->fd, .events = POLLRDHUP}, {.fd = link->end[0]}};

    while (poll(fds, 2, -1) < 0 && errno == EINTR) {
    }
    if (!fds[1].revents)
        link->on_lost(link->ctx);
    return NULL;
}

bool
master_link_watch(struct master_link *link, void (*on_lost)(void *ctx), void *ctx, struct err *err)
{
    int failure;

    if (!link)
        return true;
    link->on_lost = on_lost;
    link->ctx = ctx;
    if (pipe2(link->end, O_CLOEXEC) < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot watch the master");
    failure = pthread_create(&link->thread, NULL, watch, link);
    link->is_watching = failure == 0;
    return link->is_watching || err_set_errno(err, ERR_IO, failure, "cannot watch the master");
}
