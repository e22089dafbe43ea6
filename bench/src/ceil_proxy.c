/* The floor of work for a pass-through: each client connection is paired with
 * its own upstream connection and bytes are relayed, nothing is parsed.
 * usage: ceil_proxy PORT UPSTREAM_PORT */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct end {
    int fd;
    struct end *peer;
    int dead;
};
static char buf[262144];
static struct sockaddr_in
addr(int p)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(p), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}
int
main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    int one = 1, ls = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), ep = epoll_create1(0);
    struct sockaddr_in a = addr(atoi(argv[1])), up = addr(atoi(argv[2]));
    setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(ls, (void *)&a, sizeof a) || listen(ls, 4096)) {
        perror("listen");
        return 1;
    }
    struct epoll_event v = {.events = EPOLLIN}, evs[256];
    epoll_ctl(ep, EPOLL_CTL_ADD, ls, &v);
    for (;;) {
        int n = epoll_wait(ep, evs, 256, -1);
        for (int i = 0; i < n; i++) {
            struct end *e = evs[i].data.ptr;
            if (!e) {
                int fd;
                while ((fd = accept4(ls, 0, 0, SOCK_NONBLOCK)) >= 0) {
                    int u = socket(AF_INET, SOCK_STREAM, 0);
                    if (connect(u, (void *)&up, sizeof up)) {
                        close(u);
                        close(fd);
                        continue;
                    }
                    struct end *x = calloc(2, sizeof *x);
                    x[0].fd = fd;
                    x[1].fd = u;
                    x[0].peer = x + 1;
                    x[1].peer = x;
                    for (int k = 0; k < 2; k++) {
                        setsockopt(x[k].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                        v.data.ptr = x + k;
                        v.events = EPOLLIN;
                        epoll_ctl(ep, EPOLL_CTL_ADD, x[k].fd, &v);
                    }
                }
                continue;
            }
            if (e->dead)
                continue;
            ssize_t r = recv(e->fd, buf, sizeof buf, MSG_DONTWAIT);
            if (r < 0 && errno == EAGAIN)
                continue;
            /* 1 KiB exchanges always fit the socket buffer, so the send may block */
            ssize_t o = 0;
            while (r > 0 && o < r) {
                ssize_t w = send(e->peer->fd, buf + o, r - o, MSG_NOSIGNAL);
                if (w < 0 && errno != EAGAIN) {
                    r = -1;
                    break;
                }
                if (w > 0)
                    o += w;
            }
            if (r <= 0) {
                e->dead = e->peer->dead = 1;
                close(e->fd);
                close(e->peer->fd);
            } /* pair is leaked: a bench */
        }
    }
}
