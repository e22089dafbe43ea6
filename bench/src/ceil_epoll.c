/* The floor of work for a cache hit: one thread, level-triggered epoll, one
 * recv and one send per readable connection, no parsing beyond "\r\n\r\n".
 * usage: ceil_epoll PORT BODYBYTES [copy | sendfile | tls CERT KEY]
 * CC in the environment picks the TCP congestion control of the connections. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn {
    int fd;
    unsigned match, want_out;
    size_t off, remain;
    SSL *ssl;
};
static char *resp;
static size_t len, total;
static int memfd = -1, ep;
static char in[65536];

/* Counts request ends, carrying how much of "\r\n\r\n" the last read ended on. */
static unsigned
count_requests(struct conn *c, const char *p, size_t n)
{
    static const char end[] = "\r\n\r\n";
    const char *e = p + n;
    unsigned k = 0;
    while (c->match && p < e) {
        if (*p == end[c->match]) {
            p++;
            if (++c->match == 4) {
                k++;
                c->match = 0;
            }
        } else
            c->match = *p == '\r' ? (p++, 1) : 0;
    }
    for (const char *q; p < e; p = q + 4) {
        if (!(q = memmem(p, e - p, end, 4))) {
            for (unsigned t = 3; t; t--)
                if ((size_t)(e - p) >= t && !memcmp(e - t, end, t)) {
                    c->match = t;
                    break;
                }
            break;
        }
        k++;
    }
    return k;
}

static void
arm(struct conn *c, unsigned out)
{
    if (c->want_out == out)
        return;
    struct epoll_event v = {.events = out ? EPOLLOUT : EPOLLIN, .data.ptr = c};
    c->want_out = out;
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &v);
}

static int
flush(struct conn *c)
{
    while (c->remain) {
        size_t n = total - c->off < c->remain ? total - c->off : c->remain;
        ssize_t w;
        if (c->ssl) {
            w = SSL_write(c->ssl, resp + c->off, n);
            if (w <= 0) {
                arm(c, 1);
                return 0;
            }
        } else if (memfd >= 0) {
            off_t o = c->off;
            w = sendfile(c->fd, memfd, &o, n);
        } else
            w = send(c->fd, resp + c->off, n, MSG_NOSIGNAL);
        if (w < 0) {
            if (errno == EAGAIN) {
                arm(c, 1);
                return 0;
            }
            return -1;
        }
        c->remain -= w;
        c->off = (c->off + w) % len;
    }
    arm(c, 0);
    return 0;
}

static int
on_event(struct conn *c, unsigned ev)
{
    if (c->want_out && (ev & EPOLLOUT)) {
        if (flush(c))
            return -1;
        if (c->remain)
            return 0;
    }
    for (;;) {
        ssize_t n = c->ssl ? SSL_read(c->ssl, in, sizeof in) : recv(c->fd, in, sizeof in, 0);
        if (n <= 0) {
            if (c->ssl) {
                int e = SSL_get_error(c->ssl, n);
                return e == SSL_ERROR_WANT_READ ? 0 : -1;
            }
            return n < 0 && errno == EAGAIN ? 0 : -1;
        }
        unsigned k = count_requests(c, in, n);
        if (k) {
            c->remain += k * len;
            if (flush(c))
                return -1;
        }
        if (!c->ssl || !SSL_has_pending(c->ssl) || c->remain)
            return 0;
    }
}

int
main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    signal(SIGPIPE, SIG_IGN); /* sendfile and OpenSSL have no MSG_NOSIGNAL */
    size_t body = strtoul(argv[2], 0, 10);
    char h[256];
    SSL_CTX *ctx = 0;
    int hl = snprintf(h, sizeof h,
                      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                      "Cache-Control: max-age=3600\r\nContent-Length: %zu\r\n\r\n",
                      body);
    len = hl + body;
    unsigned rep = len < 4096 ? 64 : 1;
    total = len * rep;
    resp = malloc(total);
    for (unsigned i = 0; i < rep; i++) {
        memcpy(resp + i * len, h, hl);
        memset(resp + i * len + hl, 'x', body);
    }
    if (argc > 3 && !strcmp(argv[3], "sendfile")) {
        memfd = memfd_create("resp", 0);
        if (write(memfd, resp, total) != (ssize_t)total)
            return 1;
    } else if (argc > 5 && !strcmp(argv[3], "tls")) {
        ctx = SSL_CTX_new(TLS_server_method());
        SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
        SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_read_ahead(ctx, 1);
        if (SSL_CTX_use_certificate_file(ctx, argv[4], SSL_FILETYPE_PEM) != 1 ||
            SSL_CTX_use_PrivateKey_file(ctx, argv[5], SSL_FILETYPE_PEM) != 1)
            return 1;
    }
    int one = 1, ls = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(atoi(argv[1])),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    char *cc = getenv("CC");
    if (cc && setsockopt(ls, IPPROTO_TCP, TCP_CONGESTION, cc, strlen(cc))) {
        perror("CC");
        return 1;
    }
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
            if (!c) {
                int fd;
                while ((fd = accept4(ls, 0, 0, SOCK_NONBLOCK)) >= 0) {
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    c = calloc(1, sizeof *c);
                    c->fd = fd;
                    if (ctx) {
                        c->ssl = SSL_new(ctx);
                        SSL_set_fd(c->ssl, fd);
                        SSL_set_accept_state(c->ssl);
                    }
                    v.events = EPOLLIN;
                    v.data.ptr = c;
                    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &v);
                }
            } else if (on_event(c, evs[i].events)) {
                if (c->ssl)
                    SSL_free(c->ssl);
                close(c->fd);
                free(c);
            }
        }
    }
}
