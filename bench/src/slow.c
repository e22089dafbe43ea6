/* A crowd of slow clients: N connections, opened at a steady pace, each of which sends the beginning of a request and then
 * one byte now and then, never an end; or, as a reader, asks for 10 MiB and takes one byte of it now and then, with a receive
 * buffer as small as the kernel makes one. Says when each was closed by the server, counted from its own opening.
 * usage: slow PORT N head|body|reader OPENS_PER_S DRIP_S LIMIT_S
 * Prints "ready" when all are open and, when all are closed or LIMIT_S after the last opening, one line of figures.
 * Connections come from four addresses of the loopback, so that neither ports nor a limit for one address run out. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct slow {
    int fd; /* -1: not open, or closed by the server */
    uint64_t opened, drip;
};
static const char head[] = "GET /e/x HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ";
static const char body[] = "POST /e/whole HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n";
static const char reader[] = "GET /e/10m HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
static struct slow *crowd;
static int is_reader;
static unsigned n_open, n_closed, n_told;
static uint64_t took_max, took_sum;

static uint64_t
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int
open_one(int ep, int port, unsigned i, const char *begin, size_t len)
{
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + i % 4)};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct epoll_event v = {.events = is_reader ? EPOLLRDHUP : EPOLLIN, .data.u32 = i};

    setsockopt(fd, SOL_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &one, sizeof one);
    if (is_reader)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &one, sizeof one);
    if (fd < 0 || bind(fd, (void *)&from, sizeof from) || connect(fd, (void *)&to, sizeof to) ||
        send(fd, begin, len, MSG_NOSIGNAL) != (ssize_t)len || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &v)) {
        perror("open");
        return -1;
    }
    crowd[i].fd = fd;
    crowd[i].opened = crowd[i].drip = now();
    n_open++;
    return 0;
}

/* What the server said; -1 when it has closed. */
static int
listen_to(struct slow *s)
{
    char b[4096];
    if (is_reader)
        return -1;
    ssize_t r = recv(s->fd, b, sizeof b, MSG_DONTWAIT);

    if (r > 12 && !memcmp(b, "HTTP/1.1 408", 12))
        n_told++;
    return r > 0 || (r < 0 && errno == EAGAIN) ? 0 : -1;
}

static void
closed(struct slow *s)
{
    uint64_t took = now() - s->opened;

    close(s->fd);
    s->fd = -1;
    n_open--;
    n_closed++;
    took_sum += took;
    took_max = took > took_max ? took : took_max;
}

/* One byte on each connection whose time has come. They were opened in order and drip in order, so from `at` on. */
static unsigned
drip(unsigned at, unsigned n, uint64_t t, uint64_t every)
{
    for (unsigned seen = 0; seen < n; seen++, at = (at + 1) % n) {
        struct slow *s = crowd + at;

        if (s->fd < 0)
            continue;
        if (t - s->drip < every)
            break;
        char b = 'a';
        (void)!(is_reader ? recv(s->fd, &b, 1, MSG_DONTWAIT) : send(s->fd, &b, 1, MSG_NOSIGNAL | MSG_DONTWAIT));
        s->drip += every;
    }
    return at;
}

int
main(int argc, char **argv)
{
    if (argc < 7)
        return 2;
    int port = atoi(argv[1]), ep = epoll_create1(EPOLL_CLOEXEC);
    unsigned n = atoi(argv[2]), opened = 0, at = 0;
    double pace = atof(argv[4]);
    uint64_t every = atof(argv[5]) * 1e9, limit = atof(argv[6]) * 1e9, begun = now(), last = 0;
    const char *begin = !strcmp(argv[3], "head") ? head : !strcmp(argv[3], "body") ? body : reader;
    struct rlimit l = {65536, 65536};
    struct epoll_event evs[256];

    is_reader = begin == reader;
    setrlimit(RLIMIT_NOFILE, &l);
    crowd = calloc(n, sizeof *crowd);
    while (opened < n || (n_open && now() - last < limit)) {
        uint64_t t = now();
        while (opened < n && (t - begun) / 1e9 * pace >= opened) {
            if (open_one(ep, port, opened, begin, strlen(begin)))
                return 1;
            if (++opened == n) {
                last = now();
                puts("ready");
                fflush(stdout);
            }
        }
        at = opened ? drip(at % opened, opened, now(), every) : 0;
        int got = epoll_wait(ep, evs, 256, 2);
        for (int i = 0; i < got; i++)
            if (listen_to(crowd + evs[i].data.u32))
                closed(crowd + evs[i].data.u32);
    }
    printf("opened %u in_s %.2f closed %u told_408 %u mean_s %.2f slowest_s %.2f left %u\n", n, (last - begun) / 1e9, n_closed,
           n_told, n_closed ? took_sum / 1e9 / n_closed : 0, took_max / 1e9, n_open);
    return 0;
}
