/* fuzz_h2_server.c: frames of a hostile client into a server's connection, through guard, nghttp2, heads and bodies, with
 * answers going back. The first byte says how the rest is cut into reads and whether the preface comes for free.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/h2_server.c"

#include "rt/fiber.h"

static const char opening[] = H2_PREFACE "\0\0\0\4\0\0\0\0\0";

/* Reads what comes, answers what came. */
static void
on_call(void *ctx, struct http_call *call)
{
    struct http_response *r = arena_new(call->arena, struct http_response);
    struct str piece;

    ASSERT(call->request.path.len && call->request.authority.p);
    for (uint32_t i = 0; i < call->request.headers.n; i++) {
        const struct http_field *f = &call->request.headers.v[i];
        ASSERT(http_name_is_valid(f->name) && http_value_is_valid(f->value));
    }
    *r = (struct http_response){.status = 200, .headers = http_headers_in(call->arena)};
    if (str_eq_lit(call->request.path, "/echo")) {
        http_call_send(call, r, call->body, NULL, NULL);
        return;
    }
    if (call->request.protocol.p) {
        http_call_upgrade(call, r, body_from_str(call->arena, STR("tunnel")), NULL, NULL);
        return;
    }
    while (call->body && body_read(call->body, &piece, NO_DEADLINE) == IO_OK)
        continue;
    http_call_send(call, r, body_from_str(call->arena, call->request.path), NULL, NULL);
}

static struct http_server *
server(struct loop **ret_loop)
{
    static struct loop *loop;
    static struct http_server *s;
    struct http_server_conf conf = {.on_call = on_call};

    if (!s) {
        http_limits_init(&conf.limits);
        loop = loop_new(&(struct loop_options){0}, NULL);
        s = http_server_new(loop, &conf);
    }
    *ret_loop = loop;
    return s;
}

static void
turn(struct loop *loop, struct h2_conn *conn)
{
    static char out[64 << 10];

    loop_turn(loop, 0);
    while (!h2_link_is_dead(&conn->link) && h2_link_collect(&conn->link, out, sizeof(out)) > 0)
        continue;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct loop *loop;
    struct http_server *s = server(&loop);
    struct h2_conn *conn = conn_new(s);
    struct str rest = str_from((const char *)data, size);
    size_t cut = SIZE_MAX;

    if (!h2_link_open(&conn->link, &link_ops, &conn->conf, NULL))
        return 0;
    http_server_add(s, &conn->super);
    conn->link.n_held++;
    h2_link_start(&conn->link, STR_NONE);
    if (size) {
        cut = (data[0] & 0x7f) ? (data[0] & 0x7f) * 3u : SIZE_MAX;
        if (!(data[0] & 0x80))
            h2_link_feed(&conn->link, str_from(opening, sizeof(opening) - 1));
        rest = str_skip(rest, 1);
    }
    while (rest.len && !h2_link_is_dead(&conn->link)) {
        h2_link_feed(&conn->link, str_sub(rest, 0, cut));
        rest = str_skip(rest, cut);
        turn(loop, conn);
    }
    turn(loop, conn);
    h2_link_die(&conn->link);
    conn->link.n_held--;
    h2_link_post(&conn->link);
    for (int i = 0; i < 100 && http_server_connections(s); i++)
        loop_turn(loop, 0);
    ASSERT(http_server_connections(s) == 0 && http_server_calls(s) == 0);
    return 0;
}
