/* A backend much faster than any proxy: fixed keep-alive responses picked by
 * the path (/1k, /100k, /10m, anything else = 1k); request bodies are counted off by
 * Content-Length, and /whole is answered behind its body.  usage: backend PORT */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn {
    int fd, out, is_late; /* the answer waits for the end of the body */
    size_t have, skip, remain;
    const char *at;
    char in[16384];
};
static struct {
    char *p;
    size_t n;
} doc[3];
static int ep;

static void
make(int i, size_t body)
{
    char h[256];
    int hl = snprintf(h, sizeof h,
                      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                      "Cache-Control: max-age=36000\r\nContent-Length: %zu\r\n\r\n",
                      body);
    char *p = malloc(hl + body);
    memcpy(p, h, hl);
    memset(p + hl, 'x', body);
    p[hl] = '{';
    p[hl + 1] = '"';
    p[hl + body - 6] = '"';
    memcpy(p + hl + body - 5, ":\"\"", 3);
    p[hl + body - 2] = '}';
    p[hl + body - 1] = '\n';
    doc[i].p = p;
    doc[i].n = hl + body;
}
static int
flush(struct conn *c)
{
    while (c->remain) {
        ssize_t w = send(c->fd, c->at, c->remain, MSG_NOSIGNAL);
        if (w < 0) {
            if (errno != EAGAIN)
                return -1;
            break;
        }
        c->at += w;
        c->remain -= w;
    }
    int out = c->remain != 0;
    if (out != c->out) {
        struct epoll_event v = {.events = out ? EPOLLOUT : EPOLLIN, .data.ptr = c};
        c->out = out;
        epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &v);
    }
    return 0;
}
static int
serve(struct conn *c)
{
    size_t pos = 0;
    while (!c->remain) {
        size_t s = c->have - pos < c->skip ? c->have - pos : c->skip;
        pos += s;
        c->skip -= s;
        if (c->skip || (pos == c->have && !c->is_late))
            break;
        if (c->is_late) {
            c->is_late = 0;
            c->at = doc[0].p;
            c->remain = doc[0].n;
            if (flush(c))
                return -1;
            continue;
        }
        char *r = c->in + pos, *e = memmem(r, c->have - pos, "\r\n\r\n", 4);
        if (!e)
            break;
        if (*r == 'P') {
            e[0] = 0;
            char *cl = strcasestr(r, "\r\ncontent-length:");
            if (cl)
                c->skip = strtoul(cl + 17, 0, 10);
        }
        char *path = strchr(r, ' ');
        int big = !path ? 0 : strstr(path, "/100k") == path + 1 ? 1 : strstr(path, "/10m") == path + 1 ? 2 : 0;
        pos = e + 4 - c->in;
        c->is_late = c->skip && path && strstr(path, "/whole") == path + 1;
        if (c->is_late)
            continue;
        c->at = doc[big].p;
        c->remain = doc[big].n;
        if (flush(c))
            return -1;
    }
    memmove(c->in, c->in + pos, c->have - pos);
    c->have -= pos;
    return c->have == sizeof c->in ? -1 : 0;
}
int
main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    make(0, 1024);
    make(1, 102400);
    make(2, 10 << 20);
    int one = 1, ls = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(atoi(argv[1])),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(ls, (void *)&a, sizeof a) || listen(ls, 4096)) {
        perror("listen");
        return 1;
    }
    ep = epoll_create1(0);
    struct epoll_event v = {.events = EPOLLIN}, evs[256];
    epoll_ctl(ep, EPOLL_CTL_ADD, ls, &v);
    for (;;) {
        int n = epoll_wait(ep, evs, 256, -1);
        for (int i = 0; i < n; i++) {
            struct conn *c = evs[i].data.ptr;
            int bad = 0;
            if (!c) {
                int fd;
                while ((fd = accept4(ls, 0, 0, SOCK_NONBLOCK)) >= 0) {
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    c = calloc(1, sizeof *c);
                    c->fd = fd;
                    v.events = EPOLLIN;
                    v.data.ptr = c;
                    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &v);
                }
                continue;
            }
            if (c->out)
                bad = flush(c) || (!c->remain && serve(c));
            else {
                ssize_t r = recv(c->fd, c->in + c->have, sizeof c->in - c->have, 0);
                if (r > 0) {
                    c->have += r;
                    bad = serve(c);
                } else
                    bad = !(r < 0 && errno == EAGAIN);
            }
            if (bad) {
                close(c->fd);
                free(c);
            }
        }
    }
}
