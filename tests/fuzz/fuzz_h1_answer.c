/* fuzz_h1_answer.c: the bytes as what an origin sends back, cut where the first bytes say, then closed. Whatever comes, the
 * exchange ends, with an answer or a clear error, and a connection is only kept when nothing was left over on it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/client.h"
#include "net/connect.h"
#include "rt/fiber.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct world {
    struct clock clock;
    struct loop *loop;
    struct http_origins *origins;
    struct http_origin *origin;
    struct http_client *client;
    int fd;                           /* the origin's end of the last connection */
} *world;

/* Stands in for the network. */
struct stream *
connect_happy(struct loop *loop, const struct connect_target *target, uint64_t deadline_ms, struct err *err)
{
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return NULL;
    world->fd = fds[0];
    return stream_from_fd(loop, fds[1], err);
}

struct run {
    enum http_method method;
    bool is_over, ok;
    struct err err;
};

static void
exchange(void *arg)
{
    struct run *r = arg;
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_request rq = {.method = r->method, .method_text = http_method_text(r->method), .authority = STR("o"),
                              .path = STR("/"), .headers = http_headers_in(&arena)};
    struct http_exchange_conf conf = {.no_resend = true, .want_upgrade = r->method == HTTP_METHOD_OPTIONS,
                                      .deadlines = {.first_byte_ms = 5000, .idle_ms = 5000}};
    struct http_answer *answer;
    struct str piece;
    int status = IO_EOF;

    rq.protocol = conf.want_upgrade ? STR("x") : STR_NONE;
    r->ok = http_client_exchange(world->client, world->origin, &rq, NULL, &conf, &arena, &answer, &r->err);
    if (r->ok) {
        ASSERT(answer->response.status >= 200 || answer->is_upgraded);
        while (answer->body && (status = body_read(answer->body, &piece, NO_DEADLINE)) == IO_OK)
            ASSERT(piece.len > 0);
        ASSERT(status != IO_AGAIN);
        http_answer_close(answer);
    } else {
        ASSERT(r->err.code != ERR_NONE);
    }
    r->is_over = true;
}

static void
settle(void)
{
    for (int i = 0; i < 3; i++)
        loop_turn(world->loop, 0);
}

static void
world_new(void)
{
    world = xnew(struct world);
    world->loop = loop_new(&(struct loop_options){.clock = &world->clock, .fibers_max = 100}, NULL);
    world->origins = http_origins_new();
    world->origin = http_origin_get(world->origins, &(struct http_origin_conf){.host = STR("o"), .port = 80});
    world->client = http_client_new(world->loop, world->origins, &(struct http_client_conf){.head_bytes = 4096});
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum http_method methods[] = {HTTP_METHOD_GET, HTTP_METHOD_HEAD, HTTP_METHOD_POST, HTTP_METHOD_OPTIONS};
    struct run r = {.err = ERR_INIT};
    uint32_t connections, waiting;

    if (!world)
        world_new();
    if (size < 2)
        return 0;
    r.method = methods[data[0] & 3];
    if (!fiber_start(world->loop, exchange, &r, NULL))
        return 0;
    for (size_t at = 2, step = (size_t)data[1] * 4 + 1; at < size && !r.is_over; at += step) {
        size_t n = MIN(step, size - at);
        if (send(world->fd, data + at, n, MSG_NOSIGNAL) != (ssize_t)n)
            break;
        settle();
    }
    close(world->fd);
    settle();
    clock_advance(&world->clock, (int64_t)20000 * 1000000);
    settle();
    ASSERT(r.is_over);
    http_origin_load(world->origin, &connections, &waiting);
    ASSERT(connections == 0 && waiting == 0);
    return 0;
}
