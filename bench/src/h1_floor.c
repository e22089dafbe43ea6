/* h1_floor.c: what http/ costs without a gateway on top: one worker that answers from memory, or passes requests on.
 * usage: h1_floor PORT BODYBYTES            a body of that size from memory
 *        h1_floor PORT proxy UPSTREAM_PORT  every request goes to 127.0.0.1:UPSTREAM_PORT
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "http/client.h"
#include "http/forward.h"
#include "http/server.h"
#include "net/listener.h"

struct floor {
    struct http_server *server;
    struct http_client *client;
    struct http_origin *origin;       /* NULL: answer from memory */
    struct str body;
};

static void
answer_from_memory(struct floor *f, struct http_call *call)
{
    struct http_response r = {.status = 200, .headers = http_headers_in(call->arena)};

    http_headers_add_id(&r.headers, HTTP_CONTENT_TYPE, STR("Content-Type"),
                        STR("application/json"));
    http_headers_add_id(&r.headers, HTTP_CACHE_CONTROL, STR("Cache-Control"), STR("max-age=3600"));
    http_call_respond(call, &r, body_from_str(call->arena, f->body), NULL);
}

static void
pass_on(struct floor *f, struct http_call *call)
{
    struct http_request rq = call->request;
    struct http_answer *answer;
    struct err err;

    http_strip_hop_by_hop(&rq.headers, false);
    if (!http_client_exchange(f->client, f->origin, &rq, call->body, NULL, call->arena, &answer,
                              &err)) {
        http_call_send_error(call, 502, str_from_c(err.text));
        return;
    }
    http_strip_hop_by_hop(&answer->response.headers, false);
    http_call_respond(call, &answer->response, answer->body, NULL);
    http_answer_close(answer);
}

static void
on_call(void *ctx, struct http_call *call)
{
    struct floor *f = ctx;

    if (f->origin)
        pass_on(f, call);
    else
        answer_from_memory(f, call);
}

static void
on_stream(void *ctx, struct stream *stream)
{
    http_server_accept(((struct floor *)ctx)->server, stream);
}

static int
fail(const struct err *err)
{
    fprintf(stderr, "%s\n", err->text);
    return 1;
}

int
main(int argc, char **argv)
{
    struct floor f = {0};
    struct http_server_conf conf = {.on_call = on_call, .ctx = &f};
    struct listener_options listening = {.on_stream = on_stream, .ctx = &f};
    struct err err;
    struct loop *loop = loop_new(&(struct loop_options){0}, &err);
    uint32_t port = 0, size = 0;

    if (!loop || argc < 3 || !num_parse_u32(str_from_c(argv[1]), 65535, &port, &err) ||
        !num_parse_u32(str_from_c(argv[argc - 1]), 1 << 30, &size, &err) ||
        !addr_parse(STR("127.0.0.1"), (uint16_t)port, &listening.addr, &err))
        return argc < 3 ? 2 : fail(&err);
    if (argc == 4) {
        f.client = http_client_new(loop, NULL, NULL);
        f.origin =
            http_origin_get(http_origins_new(), &(struct http_origin_conf){.host = STR("127.0.0.1"),
                                                                           .port = (uint16_t)size});
    } else {
        f.body = str_from(memset(xmalloc(size), 'x', size), size);
    }
    http_limits_init(&conf.limits);
    f.server = http_server_new(loop, &conf);
    listening.fd = listener_bind(&listening.addr, 4096, 0, false, &err);
    if (listening.fd < 0 || !listener_new(loop, &listening, &err))
        return fail(&err);
    loop_run(loop);
    return 0;
}
