/* Load generator, one thread. RATE 0: closed loop (each connection sends again
 * as soon as it is answered). RATE > 0: open loop at a constant rate; latency
 * counts from the moment a request was due, so queueing is not hidden.
 * Bodies are discarded with MSG_TRUNC (no copy), so it is lighter than wrk.
 * A connection whose answer says `Connection: close`, or that is closed between two requests, is opened again; one closed
 * with a request on it is an error. So is any status but 200.
 * usage: gen PORT PATH CONNS SECONDS RATE [PIPELINE] [spin|sleep] */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct conn {
    int fd;
    unsigned waiting;
    int is_last; /* the server closes it after this answer */
    size_t have, body;
    uint64_t due;
    char buf[8192];
};
static uint64_t
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}
enum { NH = 2000000 }; /* histogram, 0.5 us steps up to 1 s */
static uint32_t hist[NH];
static uint64_t done, errors, maxlat;
static char trash[1 << 20];
static size_t clen = (size_t)-1;

static void
finish(struct conn *c, uint64_t t)
{
    uint64_t l = t - c->due, b = l / 500;
    if (l > maxlat)
        maxlat = l;
    hist[b < NH ? b : NH - 1]++;
    done++;
    c->waiting--;
}
/* Returns -1 on a broken connection. */
static int
on_read(struct conn *c)
{
    for (;;) {
        if (c->body) {
            ssize_t r = recv(c->fd, trash, c->body < sizeof trash ? c->body : sizeof trash,
                             MSG_TRUNC | MSG_DONTWAIT);
            if (r <= 0)
                return r < 0 && errno == EAGAIN ? 0 : -1;
            c->body -= r;
            if (c->body) {
                if (r < 65536)
                    return 0;
                continue;
            }
            finish(c, now());
            if (!c->waiting)
                return 0;
        }
        ssize_t r = recv(c->fd, c->buf + c->have, sizeof c->buf - c->have, MSG_DONTWAIT);
        if (r <= 0)
            return r < 0 && errno == EAGAIN ? 0 : -1;
        size_t full = c->have + r == sizeof c->buf;
        c->have += r;
        size_t pos = 0;
        uint64_t t = now();
        while (pos < c->have) {
            char *p = c->buf + pos, *e = memmem(p, c->have - pos, "\r\n\r\n", 4);
            if (!e)
                break;
            if (memcmp(p + 9, "200", 3))
                errors++;
            *e = 0;
            c->is_last = strcasestr(p, "\nconnection: close") != 0;
            if (clen == (size_t)-1) {
                char *q = strcasestr(p, "\ncontent-length:");
                if (!q) {
                    fprintf(stderr, "no content-length\n");
                    exit(1);
                }
                clen = strtoul(q + 16, 0, 10);
            }
            *e = '\r';
            size_t hl = e + 4 - p, got = c->have - pos - hl;
            if (got < clen) {
                if (c->waiting > 1 && got + hl < 8192 && clen < 4096)
                    break;
                c->body = clen - got;
                pos = c->have;
                break;
            }
            pos += hl + clen;
            finish(c, t);
        }
        memmove(c->buf, c->buf + pos, c->have - pos);
        c->have -= pos;
        if (c->body)
            continue;
        if (!full)
            return 0;
    }
}
static int ep;
static struct sockaddr_in address;

static int
open_conn(struct conn *c)
{
    int one = 1;

    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    c->is_last = 0;
    c->have = c->body = c->waiting = 0;
    if (connect(c->fd, (void *)&address, sizeof address)) {
        perror("connect");
        return -1;
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event v = {.events = EPOLLIN, .data.ptr = c};
    return epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &v);
}
int
main(int argc, char **argv)
{
    if (argc < 6)
        return 2;
    int port = atoi(argv[1]), nc = atoi(argv[3]);
    double secs = atof(argv[4]), rate = atof(argv[5]);
    unsigned pipe = argc > 6 ? atoi(argv[6]) : 1;
    int spin = argc > 7 && !strcmp(argv[7], "spin");
    char req[512];
    int rl = snprintf(req, sizeof req,
                      "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench/1\r\nAccept: "
                      "application/json\r\n\r\n",
                      argv[2]);
    char *reqs = malloc(rl * pipe);
    for (unsigned i = 0; i < pipe; i++)
        memcpy(reqs + i * rl, req, rl);
    address = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    ep = epoll_create1(0);
    struct conn *cs = calloc(nc, sizeof *cs), **idle = calloc(nc + 1, sizeof *idle);
    unsigned ih = 0, it = 0;
    for (int i = 0; i < nc; i++) {
        if (open_conn(cs + i))
            return 1;
        idle[it++] = cs + i;
    }
    uint64_t t0 = now(), end = t0 + (uint64_t)(secs * 1e9), issued = 0;
    struct epoll_event evs[256];
    unsigned cap = nc + 1;
    for (;;) {
        uint64_t t = now(), wake = end;
        if (t >= end)
            break;
        while (ih != it) {
            uint64_t due = t;
            if (rate > 0) {
                due = t0 + (uint64_t)(issued * 1e9 / rate);
                if (due > t) {
                    wake = due < end ? due : end;
                    break;
                }
            }
            struct conn *c = idle[ih];
            ih = (ih + 1) % cap;
            c->due = due;
            c->waiting = pipe;
            issued++;
            if (send(c->fd, reqs, rl * pipe, MSG_NOSIGNAL) != (ssize_t)rl * pipe) {
                errors++;
            }
        }
        int n;
        if (spin)
            n = epoll_wait(ep, evs, 256, 0);
        else {
            t = now();
            uint64_t d = wake > t ? wake - t : 0;
            struct timespec ts = {d / 1000000000, d % 1000000000};
            n = epoll_pwait2(ep, evs, 256, &ts, 0);
        }
        for (int i = 0; i < n; i++) {
            struct conn *c = evs[i].data.ptr;
            unsigned waited = c->waiting;
            int f = on_read(c);
            if (f || (c->is_last && !c->waiting)) {
                if (c->waiting)
                    errors++;
                close(c->fd);
                if (open_conn(c))
                    return 1;
            }
            if (waited && !c->waiting) {
                idle[it] = c;
                it = (it + 1) % cap;
            }
        }
    }
    double el = (now() - t0) / 1e9;
    uint64_t acc = 0;
    double q[4] = {.5, .9, .99, .999}, r[4] = {0};
    int k = 0;
    for (unsigned i = 0; i < NH && k < 4; i++) {
        acc += hist[i];
        while (k < 4 && done && acc >= q[k] * done)
            r[k++] = (i + 1) * .5;
    }
    printf("reqs %lu rps %.0f p50 %.1f p90 %.1f p99 %.1f p999 %.1f max %.0f errors %lu\n",
           (unsigned long)done, done / el, r[0], r[1], r[2], r[3], maxlat / 1e3,
           (unsigned long)errors);
    return 0;
}
