/* origin.c: threads that answer as the script says.
 * SPDX-License-Identifier: Apache-2.0 */
#include "hgt/origin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "http/message.h"

#define SEEN_BYTES_MAX ((size_t)1 << 30)
#define CONNECTION_STACK_BYTES ((size_t)256 << 10)

struct connection {
    struct fake_origin *origin;
    int slot;
    int fd;
};

static struct timespec
wall_in_ms(uint64_t ms)
{
    uint64_t at = clock_wall_ns(NULL) + ms * 1000000u;

    return (struct timespec){(time_t)(at / 1000000000u), (long)(at % 1000000000u)};
}

/* False when everything is to end meanwhile. */
static bool
pause_ms(struct fake_origin *o, uint32_t ms)
{
    struct timespec until = wall_in_ms(ms);
    bool goes_on;

    pthread_mutex_lock(&o->lock);
    while (!o->is_stopping && pthread_cond_timedwait(&o->changed, &o->lock, &until) != ETIMEDOUT)
        continue;
    goes_on = !o->is_stopping;
    pthread_mutex_unlock(&o->lock);
    return goes_on;
}

static bool
path_matches(struct str pattern, struct str target)
{
    struct str rest = target, path;

    if (str_eq_lit(pattern, "*"))
        return true;
    if (pattern.len && pattern.p[pattern.len - 1] == '*')
        return str_starts_with(target, str_sub(pattern, 0, pattern.len - 1));
    if (str_find_char(pattern, '?', 0) >= 0)
        return str_eq(pattern, target);
    str_split_next(&rest, '?', &path);
    return str_eq(pattern, path);
}

/* The first rule that fits; a `once` rule is used up. The lock is held. */
static const struct rule *
pick_rule(struct fake_origin *o, struct str method, struct str target)
{
    uint32_t i = 0;

    for (const struct rule *r = o->step->rules; r; r = r->next, i++) {
        if ((o->used_rules >> (i & 31) & 1) && r->once)
            continue;
        if (!str_eq_lit(r->method, "*") && !str_eq(r->method, method))
            continue;
        if (!path_matches(r->path, target))
            continue;
        if (r->once)
            o->used_rules |= 1u << (i & 31);
        return r;
    }
    return NULL;
}

static struct wire_header *
keep_headers(struct arena *a, const struct wire_header *from, size_t n)
{
    struct wire_header *copy = arena_new_array(a, struct wire_header, n ? n : 1);

    for (size_t i = 0; i < n; i++)
        copy[i] = (struct wire_header){str_dup(a, from[i].name), str_dup(a, from[i].value)};
    return copy;
}

static struct str
certificate_of(const struct wire *w, struct arena *a)
{
    X509 *c = w->ssl ? SSL_get0_peer_certificate(w->ssl) : NULL;
    char name[256];
    int n = c ? X509_NAME_get_text_by_NID(X509_get_subject_name(c), NID_commonName, name, sizeof(name)) : -1;

    return n < 0 ? STR_NONE : str_dup(a, str_from(name, (size_t)n));
}

static const struct rule *
remember(struct fake_origin *o, const struct wire *w, const struct wire_message *m)
{
    struct str rest = m->start_line, method = STR_NONE, target = STR_NONE;
    struct seen_request *seen;
    const struct rule *rule;

    str_split_next(&rest, ' ', &method);
    str_split_next(&rest, ' ', &target);
    pthread_mutex_lock(&o->lock);
    if (o->is_stopping) {             /* what comes now belongs to a test that is over */
        pthread_mutex_unlock(&o->lock);
        return NULL;
    }
    seen = arena_new(&o->arena, struct seen_request);
    if (seen) {
        *seen = (struct seen_request){.method = str_dup(&o->arena, method), .target = str_dup(&o->arena, target),
            .headers = keep_headers(&o->arena, m->headers, m->n_headers), .n_headers = m->n_headers,
            .body = str_dup(&o->arena, m->body), .certificate = certificate_of(w, &o->arena), .fault = m->fault, .older = o->newest};
        if (!m->is_complete)
            seen->fault = STR("an incomplete body");
        o->newest = seen;
    }
    o->n_requests++;
    rule = pick_rule(o, method, target);
    pthread_cond_broadcast(&o->changed);
    pthread_mutex_unlock(&o->lock);
    return rule;
}

static bool
send_body(struct fake_origin *o, struct wire *w, const struct rule *r, struct str body)
{
    size_t n = r->pieces ? r->pieces : 1, step = (body.len + n - 1) / n;
    char size[32];

    if (r->half)
        body = str_sub(body, 0, body.len / 2);
    for (size_t at = 0; at < body.len; at += step) {
        struct str piece = str_sub(body, at, at + step);

        if (at && r->piece_delay_ms && !pause_ms(o, r->piece_delay_ms))
            return false;
        if (r->is_chunked) {
            snprintf(size, sizeof(size), "%zx\r\n", piece.len);
            if (!wire_write(w, str_from_c(size)))
                return false;
        }
        if (!wire_write(w, piece) || (r->is_chunked && !wire_write(w, STR("\r\n"))))
            return false;
    }
    if (r->half)
        return false;
    if (!r->is_chunked)
        return true;
    return wire_write(w, STR("0\r\n")) && wire_write(w, r->trailers) && wire_write(w, STR("\r\n"));
}

static bool
has_header(struct str headers, struct str name)
{
    struct str line;

    while (str_split_next(&headers, '\n', &line))
        if (str_starts_with_nocase(line, name) && line.len > name.len && line.p[name.len] == ':')
            return true;
    return false;
}

/* Sends the rule's answer; false when the connection is to end. */
static bool
answer(struct fake_origin *o, struct wire *w, const struct rule *r, const struct wire_message *m, bool is_head)
{
    struct buf out AUTO(buf_destroy) = BUF_INIT;
    struct str body = r->echoes ? m->body : r->body;
    bool no_body = is_head || r->status == 204 || r->status == 304 || r->status < 200;

    if (r->delay_ms && !pause_ms(o, r->delay_ms))
        return false;
    if (r->raw.p)
        return wire_write(w, r->raw) && !r->closes;
    if (r->interim.p && (!wire_write(w, r->interim) || !wire_write(w, str_ends_with(r->interim, STR("\r\n"))
                                                                         ? STR("\r\n") : STR("\r\n\r\n"))))
        return false;
    struct str reason = http_reason(r->status);
    buf_printf(&out, "HTTP/1.1 %u %.*s\r\n", r->status, STR_ARG(reason));
    buf_add_str(&out, r->headers);
    if (r->is_chunked)
        buf_add_lit(&out, "Transfer-Encoding: chunked\r\n");
    else if (!r->no_length && r->status != 204 && r->status >= 200 && !has_header(r->headers, STR("Content-Length")))
        buf_printf(&out, "Content-Length: %zu\r\n", body.len);
    if (r->closes)
        buf_add_lit(&out, "Connection: close\r\n");
    buf_add_lit(&out, "\r\n");
    if (!no_body && !r->is_chunked && !r->pieces && !r->half) { /* one write, as a real server's */
        buf_add_str(&out, body);
        return wire_write(w, buf_str(&out)) && !r->closes && !r->no_length;
    }
    return wire_write(w, buf_str(&out)) && (no_body || send_body(o, w, r, body)) && !r->closes && !r->no_length;
}

/* ---- a proxy ---- */

/* The port of the backend that goes by "host:port". */
static uint16_t
port_of_authority(const struct fake_origin *self, struct str authority)
{
    struct str rest = authority, host;
    uint32_t port = 0;

    str_split_next(&rest, ':', &host);
    for (const struct fake_origin *o = *self->all; o; o = o->next)
        if (o->url_as.p && str_find(o->url_as, host, 0) >= 0)
            return o->port;
    return num_parse_u32(rest, UINT16_MAX, &port, NULL) ? (uint16_t)port : 0;
}

static bool
pump(int from, int to)
{
    char bytes[16384];
    ssize_t n = read(from, bytes, sizeof(bytes));

    for (ssize_t at = 0, sent; n > 0 && at < n; at += sent)
        if ((sent = send(to, bytes + at, (size_t)(n - at), MSG_NOSIGNAL)) <= 0)
            return false;
    return n > 0;
}

/* CONNECT: bytes go to and fro until one side ends. The proxy's own connection is plain. */
static void
tunnel(struct fake_origin *o, struct wire *w, const struct wire_message *m)
{
    struct str rest = m->start_line, authority;
    struct wire up;
    struct err err;

    str_split_next(&rest, ' ', &authority);
    str_split_next(&rest, ' ', &authority);
    if (!wire_connect(&up, port_of_authority(o, authority), NULL, NULL, &err)) {
        wire_write(w, STR("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"));
        return;
    }
    wire_write(w, STR("HTTP/1.1 200 Connection established\r\n\r\n"));
    for (bool is_open = true; is_open;) {
        struct pollfd both[2] = {{.fd = w->fd, .events = POLLIN}, {.fd = up.fd, .events = POLLIN}};
        int n = poll(both, 2, WIRE_WAIT_MS);

        is_open = n > 0 || (n < 0 && errno == EINTR);
        if (n > 0 && both[0].revents)
            is_open = pump(w->fd, up.fd);
        if (is_open && n > 0 && both[1].revents)
            is_open = pump(up.fd, w->fd);
    }
    wire_close(&up, false);
}

static void
serve(struct fake_origin *o, struct wire *w)
{
    for (;;) {
        struct arena a AUTO(arena_destroy) = ARENA(NULL, SEEN_BYTES_MAX);
        struct wire_message m;
        const struct rule *r;
        static const struct rule nothing = {.status = 404, .body = STR_INIT("no rule answers this")};

        if (!wire_read_message(w, &a, false, false, &m))
            return;
        r = remember(o, w, &m);
        if (!r)
            r = &nothing;
        if (r->tunnels) {
            tunnel(o, w, &m);
            return;
        }
        if (r->hang) {
            wire_wait_closed(w, WIRE_WAIT_MS * 6);
            return;
        }
        if (r->reset) {
            if (r->delay_ms)
                pause_ms(o, r->delay_ms);
            wire_close(w, true);
            return;
        }
        if (!answer(o, w, r, &m, str_starts_with(m.start_line, STR("HEAD "))))
            return;
    }
}

static void *
connection_thread(void *arg)
{
    struct connection *c = arg;
    struct fake_origin *o = c->origin;
    struct wire w;

    if (wire_accept(&w, c->fd, o->tls))
        serve(o, &w);
    pthread_mutex_lock(&o->lock);
    o->open[c->slot] = -1; /* before close, so that nobody shuts down a number given out again */
    wire_close(&w, false);
    o->n_threads--;
    pthread_cond_broadcast(&o->changed);
    pthread_mutex_unlock(&o->lock);
    free(c);
    return NULL;
}

/* The lock is held. */
static void
start_connection(struct fake_origin *o, int fd)
{
    struct connection *c = xnew(struct connection);
    pthread_attr_t attr;
    pthread_t thread;
    int slot = 0;

    while (slot < (int)COUNTOF(o->open) && o->open[slot] >= 0)
        slot++;
    if (slot == (int)COUNTOF(o->open) || o->is_stopping) {
        close(fd);
        free(c);
        return;
    }
    *c = (struct connection){o, slot, fd};
    o->open[slot] = fd;
    o->n_connections++;
    o->n_threads++;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, CONNECTION_STACK_BYTES);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    ASSERT(pthread_create(&thread, &attr, connection_thread, c) == 0);
    pthread_attr_destroy(&attr);
}

static void *
accept_thread(void *arg)
{
    struct fake_origin *o = arg;
    struct pollfd p = {.fd = o->listener, .events = POLLIN};

    for (;;) {
        if (poll(&p, 1, -1) < 0 && errno == EINTR)
            continue;
        /* Under the lock, so that none is in our hands while the others are being closed. */
        pthread_mutex_lock(&o->lock);
        int fd = accept4(o->listener, NULL, NULL, SOCK_CLOEXEC), failure = errno;
        if (fd >= 0)
            start_connection(o, fd);
        pthread_mutex_unlock(&o->lock);
        if (fd < 0 && failure != EINTR && failure != ECONNABORTED && failure != EAGAIN)
            return NULL; /* shut down by origin_stop() */
    }
}

bool
origin_start(struct fake_origin *o, struct err *err)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(o->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int one = 1;

    if (!o->arena.bytes_max) {
        pthread_mutex_init(&o->lock, NULL);
        pthread_cond_init(&o->changed, NULL);
        o->arena = ARENA(NULL, SEEN_BYTES_MAX);
    }
    for (size_t i = 0; i < COUNTOF(o->open); i++)
        o->open[i] = -1;
    o->is_stopping = false;
    o->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(o->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(o->listener, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(o->listener, 1024) != 0) {
        int failure = errno;
        close(o->listener);
        o->listener = -1;
        return err_set_errno(err, ERR_IO, failure, "origin %.*s", STR_ARG(o->name));
    }
    getsockname(o->listener, (struct sockaddr *)&at, &len);
    o->port = ntohs(at.sin_port);
    ASSERT(pthread_create(&o->acceptor, NULL, accept_thread, o) == 0);
    return true;
}

/* Closes all connections, those that wait to be accepted too, and waits for their threads. The lock is held. */
static void
end_connections(struct fake_origin *o)
{
    int fd;

    o->is_stopping = true;
    for (size_t i = 0; i < COUNTOF(o->open); i++)
        if (o->open[i] >= 0)
            shutdown(o->open[i], SHUT_RDWR);
    while ((fd = accept4(o->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        close(fd);
    pthread_cond_broadcast(&o->changed);
    while (o->n_threads)
        pthread_cond_wait(&o->changed, &o->lock);
    o->is_stopping = false;
}

void
origin_stop(struct fake_origin *o)
{
    if (o->listener < 0 || !o->arena.bytes_max)
        return;
    pthread_mutex_lock(&o->lock);
    shutdown(o->listener, SHUT_RDWR);
    end_connections(o);
    o->is_stopping = true;
    pthread_mutex_unlock(&o->lock);
    pthread_join(o->acceptor, NULL);
    close(o->listener);
    o->listener = -1;
}

void
origin_reset(struct fake_origin *o)
{
    pthread_mutex_lock(&o->lock);
    if (o->listener >= 0)
        end_connections(o);
    arena_destroy(&o->arena);
    o->newest = NULL;
    o->n_requests = o->n_connections = 0;
    o->used_rules = 0;
    pthread_mutex_unlock(&o->lock);
}

bool
origin_wait(struct fake_origin *o, uint32_t n, int wait_ms)
{
    struct timespec until = wall_in_ms((uint64_t)wait_ms);
    bool ok;

    pthread_mutex_lock(&o->lock);
    while (o->n_requests < n && pthread_cond_timedwait(&o->changed, &o->lock, &until) != ETIMEDOUT)
        ;
    ok = o->n_requests >= n;
    pthread_mutex_unlock(&o->lock);
    return ok;
}

void
origin_destroy(struct fake_origin *o)
{
    origin_stop(o);
    if (!o->arena.bytes_max)
        return;
    arena_destroy(&o->arena);
    SSL_CTX_free(o->tls);
    pthread_cond_destroy(&o->changed);
    pthread_mutex_destroy(&o->lock);
}
