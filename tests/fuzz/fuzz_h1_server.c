/* fuzz_h1_server.c: the bytes as a connection's input, cut where the first bytes say. Whatever comes, the server
 * answers in whole messages that our own parser accepts, reads no request behind an error, and ends with nothing
 * left over.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "http/h1_framing.h"
#include "http/server.h"
#include "net/stream.h"
#include "rt/fiber.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct clock clock;
    struct loop *loop;
    struct http_server *server;
    uint32_t calls;
};

/* Reads some bodies, leaves others, echoes what it read. */
static void
on_call(void *ctx, struct http_call *call)
{
    struct world *w = ctx;
    struct http_response r = {.status = 200, .headers = http_headers_in(call->arena)};
    struct pieces all = PIECES_INIT;
    struct err err;
    bool reads = call->body && call->request.path.len % 2 == 0;

    w->calls++;
    if (reads && !body_read_all(call->body, 10000, NULL, NO_DEADLINE, &all, &err)) {
        http_call_send_error(call, 400, STR("the body broke"));
        return;
    }
    http_call_respond(call, &r, reads ? body_from_pieces(call->arena, &all) : NULL, &err);
    pieces_destroy(&all);
}

static struct world *
world_new(void)
{
    struct world *w = xnew(struct world);
    struct http_server_conf conf = {.on_call = on_call, .ctx = w};

    w->loop = loop_new(&(struct loop_options){.clock = &w->clock, .fibers_max = 100}, NULL);
    http_limits_init(&conf.limits);
    conf.limits.head_bytes = 4096;
    conf.limits.head_fields = 20;
    w->server = http_server_new(w->loop, &conf);
    return w;
}

static void
settle(struct world *w, int fd, struct buf *got)
{
    char bytes[4096];
    ssize_t n;

    for (int quiet = 0; quiet < 3; quiet++) {
        loop_turn(w->loop, 0);
        while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
            buf_add(got, bytes, (size_t)n);
            quiet = 0;
        }
    }
}

/* Every byte that came is part of an answer. Bodies are counted, so that is all there is to know. */
static void
check_answers(struct str got)
{
    static const struct h1_head_limits limits = {.fields = 20};

    while (got.len) {
        struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
        struct http_response r = {.headers = http_headers_in(&arena)};
        struct h1_framing f;
        struct h1_refusal why;
        ptrdiff_t n = h1_parse_response(got, &limits, &r, &why);
        ASSERT(n > 0);
        got = str_skip(got, (size_t)n);
        /* An answer to HEAD announces what it does not send; here those bodies are empty. */
        ASSERT(h1_frame_response(&r, HTTP_METHOD_GET, &f, &why) && f.kind != H1_BODY_CHUNKED);
        ASSERT(f.kind != H1_BODY_UNTIL_CLOSE);
        if (f.kind == H1_BODY_LENGTH && got.len >= (size_t)r.content_length)
            got = str_skip(got, (size_t)r.content_length);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world *w; /* one for all inputs: making a loop is slow */
    struct buf got AUTO(buf_destroy) = BUF_INIT;
    int fds[2];

    if (!w)
        w = world_new();
    if (size < 3 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return 0;
    http_server_accept(w->server, stream_from_fd(w->loop, fds[1], NULL));
    size_t first = (size_t)data[0] * 8, step = (size_t)data[1] * 4 + 1;
    data += 2;
    size -= 2;
    for (size_t at = 0; at < size;) {
        size_t n = MIN(at == 0 && first ? first : step, size - at);
        if (send(fds[0], data + at, n, MSG_NOSIGNAL) != (ssize_t)n)
            break;
        at += n;
        settle(w, fds[0], &got);
    }
    clock_advance(&w->clock, (int64_t)20000 * 1000000); /* whatever waits gives up */
    settle(w, fds[0], &got);
    if (memmem(data, size, "HEAD", 4) == NULL)
        check_answers(buf_str(&got));
    close(fds[0]);
    clock_advance(&w->clock, (int64_t)200000 * 1000000);
    settle(w, -1, &got);
    ASSERT(http_server_connections(w->server) == 0 && http_server_calls(w->server) == 0);
    return 0;
}
