/* listener.c: from the accept queue to a stream that the protocol can read.
 *
 *     accept -> limits -> PROXY header -> TLS handshake -> on_stream()
 * The last three steps run on callbacks; a connection in them costs a struct, a timer and no stack.
 * Out of descriptors, the listener gives up a spare one to tell the next client so (by closing), waits 100 ms and goes
 * on: it never spins on a queue that it cannot empty, and never stops for good.
 * Ownership: a listener lives until listener_delete() and its last stream is closed.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/proxy_protocol.h"
#include "net/stream_internal.h"
#include "net/tls.h"
#include "rt/timer.h"

#define ACCEPTS_A_TURN 32
#define PAUSE_MS 100
#define HANDSHAKE_TIMEOUT_MS 10000
#define FREE_STEP_MS 20
#define FREE_WAIT_MS 2000

struct listener {
    struct listener_options options;
    struct loop *loop;
    struct io io;
    struct io_op accept;
    struct io_peer peer;                 /* filled by accept */
    struct task go_on;                   /* after ACCEPTS_A_TURN */
    struct timer pause;
    struct list waiting;                 /* struct arrival: PROXY header not there yet */
    int spare_fd;
    bool is_deleted;
    struct listener_stats stats;
};

/* A connection whose PROXY header is not complete. */
struct arrival {
    struct list_node link;
    struct stream *stream;
    struct timer limit;
    uint64_t deadline_ms;
};

static void accept_some(struct listener *l);

/* --- binding --- */

/* A socket file that nobody listens on any more is in the way of a new one. */
static void
remove_dead_socket(const union addr_socket *at, socklen_t len)
{
    struct stat st;

    if (lstat(at->un.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, &at->sa, len) < 0 && errno == ECONNREFUSED)
        unlink(at->un.sun_path);
    if (fd >= 0)
        close(fd);
}

static bool
set_option(int fd, int level, int name, int value, const char *text, struct err *err)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) == 0 || err_set_errno(err, ERR_IO, errno, "%s", text);
}

static bool
bind_tcp(int fd, const struct addr *at, const union addr_socket *sock, socklen_t len, bool is_shared, struct err *err)
{
    char text[ADDR_TEXT_MAX];

    if (!set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR", err) ||
        (is_shared && !set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT", err)) ||
        (at->kind == ADDR_V6 && !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0, "IPV6_V6ONLY", err)))
        return false;
    addr_text(at, text);
    return bind(fd, &sock->sa, len) == 0 || err_set_errno(err, ERR_IO, errno, "cannot bind %s", text);
}

static bool
bind_unix(int fd, const union addr_socket *sock, socklen_t len, unsigned mode, struct err *err)
{
    const char *path = sock->un.sun_path;

    remove_dead_socket(sock, len);
    /* Nobody connects before listen(), so the mode is right by the time it matters. */
    if (bind(fd, &sock->sa, len) < 0)
        return err_set_errno(err, errno == EADDRINUSE ? ERR_EXISTS : ERR_IO, errno, "cannot bind unix:%s", path);
    return chmod(path, mode ? mode : 0660) == 0 || err_set_errno(err, ERR_IO, errno, "cannot set the mode of %s", path);
}

int
listener_bind(const struct addr *at, uint32_t backlog, unsigned mode, bool is_shared, struct err *err)
{
    union addr_socket sock;
    socklen_t len = addr_to_sockaddr(at, &sock);
    int fd = socket(sock.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool ok;

    if (fd < 0) {
        err_set_errno(err, ERR_IO, errno, "cannot make a socket");
        return -1;
    }
    ok = at->kind == ADDR_UNIX ? bind_unix(fd, &sock, len, mode, err) : bind_tcp(fd, at, &sock, len, is_shared, err);
    if (ok && listen(fd, (int)MIN(backlog ? backlog : 4096, (uint32_t)INT32_MAX)) < 0)
        ok = err_set_errno(err, ERR_IO, errno, "cannot listen");
    if (ok)
        return fd;
    close(fd);
    return -1;
}

bool
listener_address_is_free(const struct addr *at, struct err *err)
{
    union addr_socket sock;
    socklen_t len = addr_to_sockaddr(at, &sock);

    for (int waited_ms = 0; at->kind != ADDR_UNIX && at->port != 0; waited_ms += FREE_STEP_MS) {
        int fd = socket(sock.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), failure;
        bool ok = fd >= 0 && bind_tcp(fd, at, &sock, len, false, NULL);
        failure = errno;
        if (fd >= 0)
            close(fd);
        if (ok || failure != EADDRINUSE)
            break;                       /* what else is wrong shows in listener_bind() */
        if (waited_ms >= FREE_WAIT_MS) {
            char text[ADDR_TEXT_MAX];
            addr_text(at, text);
            return err_set_errno(err, ERR_IO, failure, "cannot bind %s", text);
        }
        usleep(FREE_STEP_MS * 1000);
    }
    return true;
}

/* --- lifetime --- */

static void
free_if_unused(struct listener *l)
{
    if (!l->is_deleted || l->stats.open > 0)
        return;
    tls_server_unref(l->options.tls);
    free(l);
}

void
listener_on_close(struct listener *l, struct stream *s)
{
    if (l->options.limits) {
        if (s->is_address_counted)
            conn_limits_give_address(l->options.limits, &s->peer);
        conn_limits_give_total(l->options.limits);
    }
    l->stats.open--;
    free_if_unused(l);
}

/* --- the steps of a new connection --- */

static void
on_tls(void *ctx, struct stream *s, enum io_status status)
{
    struct listener *l = ctx;

    if (s)
        l->options.on_stream(l->options.ctx, s);
    else if (status == IO_TIMEOUT)
        l->stats.timed_out++;
    else
        l->stats.tls_failed++;
    l->stats.open--;                     /* what on_tls itself held */
    free_if_unused(l);
}

/* The address is known: count it, then TLS or straight on. */
static void
admit(struct listener *l, struct stream *s, uint64_t deadline_ms)
{
    if (l->options.limits && !conn_limits_take_address(l->options.limits, &s->peer)) {
        l->stats.refused_address++;
        stream_close(s);
        return;
    }
    s->is_address_counted = l->options.limits != NULL;
    if (!l->options.tls) {
        l->options.on_stream(l->options.ctx, s);
        return;
    }
    l->stats.open++;                     /* the listener outlives the handshake */
    tls_accept(l->options.tls, s, deadline_ms, on_tls, l);
}

static void
arrival_end(struct arrival *a, struct listener *l)
{
    timer_stop(l->loop, &a->limit);
    list_remove(&a->link);
    free(a);
}

static void
on_arrival_limit(struct timer *t)
{
    struct arrival *a = CONTAINER_OF(t, struct arrival, limit);
    struct stream *s = a->stream;

    s->listener->stats.timed_out++;
    arrival_end(a, s->listener);
    stream_close(s);
}

/* Looks without taking, so that what follows the header stays in the socket. 1: done, 0: more is needed, -1: refuse. */
static int
read_proxy_header(struct stream *s, struct proxy_header *ret)
{
    char bytes[PROXY_HEADER_MAX];
    ssize_t n = recv(s->io.fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (n == 0)
        return -1;
    int len = proxy_header_parse(str_from(bytes, (size_t)n), ret, NULL);
    if (len <= 0)
        return len;
    return recv(s->io.fd, bytes, (size_t)len, MSG_DONTWAIT) == len ? 1 : -1;
}

static void
on_arrival_readable(struct stream *s, void *ctx)
{
    struct arrival *a = ctx;
    struct listener *l = s->listener;
    struct proxy_header header;
    uint64_t deadline_ms = a->deadline_ms;
    int result = read_proxy_header(s, &header);

    if (result == 0 && !s->io.is_hung_up) {
        s->io.can_in = false;            /* the kernel reports more bytes anew */
        stream_when_readable(s, on_arrival_readable, a);
        return;
    }
    arrival_end(a, l);
    if (result <= 0 || !io_become_stream(&s->io, NULL)) {
        l->stats.refused_proxy++;
        stream_close(s);
        return;
    }
    if (!header.is_local && header.source.kind != ADDR_NONE) {
        s->peer = header.source;
        s->has_proxied_addr = true;
    }
    admit(l, s, deadline_ms);
}

/* Without a list, only peers on this machine may speak for others. */
static bool
is_trusted_proxy(const struct listener *l, const struct addr *a)
{
    if (a->kind == ADDR_UNIX)
        return true;
    if (l->options.n_proxy_peers == 0)
        return addr_is_loopback(a);
    return addr_nets_have(l->options.proxy_peers, l->options.n_proxy_peers, a);
}

static void
expect_proxy_header(struct listener *l, struct stream *s, uint64_t deadline_ms)
{
    struct arrival *a;

    if (!is_trusted_proxy(l, &s->peer)) {
        l->stats.refused_proxy++;
        stream_close(s);
        return;
    }
    a = xnew(struct arrival);
    a->stream = s;
    a->deadline_ms = deadline_ms;
    list_push_back(&l->waiting, &a->link);
    timer_start(l->loop, &a->limit, deadline_ms, on_arrival_limit);
    stream_when_readable(s, on_arrival_readable, a);
}

static void
take_connection(struct listener *l, int fd)
{
    struct stream *s;
    uint64_t timeout_ms = l->options.handshake_timeout_ms ? l->options.handshake_timeout_ms : HANDSHAKE_TIMEOUT_MS;

    l->stats.accepted++;
    if (l->options.limits && !conn_limits_take_total(l->options.limits)) {
        l->stats.refused_total++;
        close(fd);
        return;
    }
    s = l->options.is_proxy_protocol ? stream_from_fd_polled(l->loop, fd, NULL) : stream_from_fd(l->loop, fd, NULL);
    if (!s) {
        if (l->options.limits)
            conn_limits_give_total(l->options.limits);
        return;
    }
    s->peer = addr_from_sockaddr((const struct sockaddr *)&l->peer.addr, l->peer.len);
    s->listener = l;
    l->stats.open++;
    uint64_t deadline_ms = loop_now_ms(l->loop) + timeout_ms;
    if (l->options.is_proxy_protocol)
        expect_proxy_header(l, s, deadline_ms);
    else
        admit(l, s, deadline_ms);
}

/* --- accepting --- */

static void
on_pause_over(struct timer *t)
{
    struct listener *l = CONTAINER_OF(t, struct listener, pause);

    if (l->spare_fd < 0)
        l->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    accept_some(l);
}

static void
out_of_descriptors(struct listener *l)
{
    if (l->spare_fd >= 0) {
        close(l->spare_fd);
        int fd = accept4(l->io.fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            close(fd);
        l->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    l->stats.accept_pauses++;
    timer_start(l->loop, &l->pause, loop_now_ms(l->loop) + PAUSE_MS, on_pause_over);
}

static void
on_accept(struct io_op *op, int64_t result)
{
    struct listener *l = CONTAINER_OF(op, struct listener, accept);

    if (result < 0) {
        out_of_descriptors(l);           /* or of memory: the cure is the same */
        return;
    }
    take_connection(l, (int)result);
    accept_some(l);
}

static void
on_go_on(struct task *task)
{
    accept_some(CONTAINER_OF(task, struct listener, go_on));
}

static void
accept_some(struct listener *l)
{
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        if (l->io.fd < 0 || l->io.in)
            return;                      /* stopped by on_stream(), or waiting */
        int64_t result = io_accept(&l->io, &l->accept, &l->peer);
        if (result == IO_AGAIN)
            return;
        if (result < 0) {
            out_of_descriptors(l);
            return;
        }
        take_connection(l, (int)result);
    }
    l->go_on.run = on_go_on;
    loop_post_later(l->loop, &l->go_on);
}

struct listener *
listener_new(struct loop *loop, const struct listener_options *options, struct err *err)
{
    struct listener *l = xnew(struct listener);
    int on = 1;

    l->options = *options;
    l->loop = loop;
    l->accept.on_done = on_accept;
    l->spare_fd = -1;
    list_init(&l->waiting);
    if (!io_open_polled(&l->io, loop, options->fd, err)) {
        close(options->fd);
        free(l);
        return NULL;
    }
    l->io.is_shared = true;              /* a master may hold it too */
    if (options->addr.kind != ADDR_UNIX) /* accepted sockets inherit it */
        setsockopt(options->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (options->tls)
        tls_server_ref(options->tls);
    l->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    l->io.can_in = true;                 /* the queue may hold some from before */
    accept_some(l);
    return l;
}

void
listener_stop(struct listener *l)
{
    io_close(&l->io);
    timer_stop(l->loop, &l->pause);
    loop_unpost(&l->go_on);
    if (l->spare_fd >= 0)
        close(l->spare_fd);
    l->spare_fd = -1;
}

void
listener_delete(struct listener *l)
{
    struct arrival *a;

    if (!l)
        return;
    listener_stop(l);
    while ((a = list_first(&l->waiting, struct arrival, link))) {
        struct stream *s = a->stream;
        arrival_end(a, l);
        stream_close(s);
    }
    l->is_deleted = true;
    free_if_unused(l);
}

struct listener_stats
listener_stats(const struct listener *l)
{
    return l->stats;
}

const struct listener_options *
listener_options(const struct listener *l)
{
    return &l->options;
}

struct addr
listener_addr(const struct listener *l)
{
    union addr_socket a;
    socklen_t len = sizeof(a);

    if (l->options.addr.kind == ADDR_UNIX || getsockname(l->io.fd, &a.sa, &len) < 0)
        return l->options.addr;
    return addr_from_sockaddr(&a.sa, len);
}
