/* connect.c: one race of connection attempts (RFC 8305), run by the fiber that wants the connection.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/connect.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "rt/fiber.h"

#define HEAD_START_MS 250

struct attempt {
    struct stream *stream;               /* NULL: not begun, or failed */
    struct io_op op;
    struct race *race;
};

struct race {
    struct loop *loop;
    const struct connect_target *target;
    struct fiber *fiber;
    struct dns_result addrs;
    struct attempt attempts[DNS_ADDRS_MAX];
    struct attempt *winner;
    uint32_t n_begun, n_pending;
    struct err last;                     /* why the last one failed */
};

static void
attempt_failed(struct race *r, struct attempt *a, int error)
{
    char text[ADDR_TEXT_MAX];

    addr_text(&r->addrs.v[a - r->attempts], text);
    err_set_errno(&r->last, ERR_CONNECT, error, "cannot connect to '%.*s' (%s)", STR_ARG(r->target->host), text);
    stream_close(a->stream);
    a->stream = NULL;
}

static void
attempt_ended(struct race *r, struct attempt *a, int64_t result)
{
    if (result != IO_OK)
        attempt_failed(r, a, a->stream->io.error);
    else if (!r->winner)
        r->winner = a;
}

static void
on_connected(struct io_op *op, int64_t result)
{
    struct attempt *a = CONTAINER_OF(op, struct attempt, op);

    a->race->n_pending--;
    attempt_ended(a->race, a, result);
    fiber_wake(a->race->fiber);
}

static void
attempt_begin(struct race *r, struct attempt *a, const struct addr *to)
{
    union addr_socket sock;
    socklen_t len = addr_to_sockaddr(to, &sock);
    int fd, on = 1;

    if (r->target->allow && !r->target->allow(r->target->allow_ctx, to, &r->last))
        return;
    fd = socket(sock.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || !(a->stream = stream_from_fd(r->loop, fd, NULL))) {
        attempt_failed(r, a, errno);
        return;
    }
    if (to->kind != ADDR_UNIX) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    }
    a->stream->peer = *to;
    a->op.on_done = on_connected;
    a->race = r;
    int64_t result = io_connect(&a->stream->io, &a->op, &sock.sa, len);
    if (result == IO_AGAIN)
        r->n_pending++;
    else
        attempt_ended(r, a, result);
}

static void
race_end(struct race *r)
{
    for (uint32_t i = 0; i < r->n_begun; i++) {
        struct attempt *a = &r->attempts[i];
        if (a == r->winner || !a->stream)
            continue;
        io_cancel(&a->stream->io, &a->op);
        stream_close(a->stream);
    }
}

/* Yields. */
static struct stream *
race_run(struct race *r, uint64_t deadline_ms, struct err *err)
{
    enum io_status status = IO_OK;
    uint64_t next_ms = 0;

    while (!r->winner && status != IO_CANCELLED) {
        uint64_t now_ms = loop_now_ms(r->loop);
        bool has_more = r->n_begun < r->addrs.n;
        if (deadline_ms && now_ms >= deadline_ms) {
            status = IO_TIMEOUT;
            break;
        }
        if (has_more && (r->n_pending == 0 || now_ms >= next_ms)) {
            uint32_t i = r->n_begun++;
            attempt_begin(r, &r->attempts[i], &r->addrs.v[i]);
            next_ms = now_ms + (r->target->head_start_ms ? r->target->head_start_ms : HEAD_START_MS);
        } else if (r->n_pending == 0) {
            break;
        } else {
            uint64_t until = deadline_ms ? deadline_ms : NO_DEADLINE;
            status = fiber_wait(has_more ? MIN(until, next_ms) : until);
        }
    }
    race_end(r);
    if (r->winner)
        return r->winner->stream;
    if (status == IO_TIMEOUT || status == IO_CANCELLED)
        err_set(err, io_status_err(status), "connecting to '%.*s' port %u: %s", STR_ARG(r->target->host),
                r->target->port, io_status_text(status));
    else if (err)
        *err = r->last;
    return NULL;
}

static const struct connect_override *
find_override(const struct connect_target *t)
{
    for (size_t i = 0; i < t->n_overrides; i++) {
        const struct connect_override *o = &t->overrides[i];
        if (str_eq_nocase(o->host, t->host) && (o->port == 0 || o->port == t->port))
            return o;
    }
    return NULL;
}

/* Fills the addresses to try. unix_path has to live as long as they do. Yields. */
static bool
resolve(const struct connect_target *t, uint64_t deadline_ms, char unix_path[108], struct dns_result *ret,
        struct err *err)
{
    const struct connect_override *override = find_override(t);

    if (override) {
        *ret = (struct dns_result){.n = 1, .v = {override->to}};
        if (ret->v[0].port == 0)
            ret->v[0].port = t->port;
        return true;
    }
    if (str_starts_with(t->host, STR("unix:"))) {
        struct str path = str_skip(t->host, 5);
        if (path.len == 0 || path.len >= 108)
            return err_set(err, ERR_CONNECT, "'%.*s': expected a path of 1 to 107 bytes", STR_ARG(t->host));
        memcpy(unix_path, path.p, path.len);
        unix_path[path.len] = 0;
        *ret = (struct dns_result){.n = 1, .v = {{.kind = ADDR_UNIX, .path = unix_path}}};
        return true;
    }
    if (!dns_lookup(t->host, deadline_ms, ret, err))
        return false;
    for (uint32_t i = 0; i < ret->n; i++)
        ret->v[i].port = t->port;
    return true;
}

struct stream *
connect_happy(struct loop *loop, const struct connect_target *target, uint64_t deadline_ms, struct err *err)
{
    char unix_path[108];
    struct race race = {.loop = loop, .target = target, .fiber = fiber_self(),
        .last = {ERR_CONNECT, "no address to connect to"}};
    struct stream *s;

    if (deadline_ms == NO_DEADLINE)
        deadline_ms = 0;
    if (!resolve(target, deadline_ms, unix_path, &race.addrs, err) || !(s = race_run(&race, deadline_ms, err)))
        return NULL;
    if (s->peer.kind == ADDR_UNIX)
        s->peer.path = NULL;             /* unix_path ends here */
    if (!target->tls)
        return s;
    return tls_connect(target->tls, s, target->tls_name.len ? target->tls_name : target->host, target->tls_offer, deadline_ms,
                       err);
}
