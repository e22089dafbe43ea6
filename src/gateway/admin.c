/* admin.c: health, figures, and later the management of the gateway.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/admin.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/codec.h"
#include "base/file.h"
#include "base/log.h"
#include "cache/advice.h"
#include "gateway/cache_admin.h"
#include "gateway/master_link.h"
#include "gateway/worker.h"
#include "net/listener.h"
#include "net/stream.h"

#define TOKEN_BYTES 32
#define STOP_WAIT_MS 500u                /* for the last words of connections, at the end */
#define TOKEN_FILE "admin-token"

struct admin {
    struct gateway *gateway;
    struct loop *loop;
    struct http_server *server;
    struct listener *listener;
    struct cache_admin cache;
    struct message quiet;             /* sent once, by admin_stop_listening() */
    struct buf token;                 /* empty: none could be kept, so nothing that needs one is served */
    char *address;
    struct addr addr;                 /* where it really listens; a path is in address */
    pthread_t thread;
    bool is_started;
};

struct admin_route {
    const char *method, *path;
    bool is_open;                     /* served without the token when admin.open-health */
    void (*run)(struct admin *a, struct http_call *call);
};

static void
send_livez(struct admin *a, struct http_call *call)
{
    http_call_send_text(call, 200, STR("text/plain"), STR("alive\n"));
}

static void
send_readyz(struct admin *a, struct http_call *call)
{
    if (atomic_load(&a->gateway->is_ready))
        http_call_send_text(call, 200, STR("text/plain"), STR("ready\n"));
    else
        http_call_send_text(call, 503, STR("text/plain"), STR("not ready: draining, or no configuration yet\n"));
}

static void
send_metrics(struct admin *a, struct http_call *call)
{
    struct buf text = buf_in(call->arena);

    gateway_metrics_print(a->gateway, &text);
    http_call_send_text(call, 200, STR("text/plain; version=0.0.4"), buf_str(&text));
}

static void
send_cache_advice(struct admin *a, struct http_call *call)
{
    struct buf text = buf_in(call->arena);

    if (cache_advice_print(a->gateway->advice, &text))
        http_call_send_text(call, 200, STR("application/json"), buf_str(&text));
    else
        http_call_send_error(call, 500, STR("No memory left for the advice"));
}

static void
run_reload(struct admin *a, struct http_call *call)
{
    gateway_reload(a->gateway);
    http_call_send_text(call, 202, STR("text/plain"), STR("loading\n"));
}

static void
run_cache_purge(struct admin *a, struct http_call *call)
{
    cache_admin_purge(&a->cache, call);
}

static void
send_cache_entries(struct admin *a, struct http_call *call)
{
    cache_admin_entries(&a->cache, call);
}

static void
send_cache_stats(struct admin *a, struct http_call *call)
{
    cache_admin_stats(&a->cache, call);
}

static void
send_cache_purges(struct admin *a, struct http_call *call)
{
    cache_admin_purges(&a->cache, call);
}

static void
send_cache_flights(struct admin *a, struct http_call *call)
{
    cache_admin_flights(&a->cache, call);
}

static const struct admin_route routes[] = {
    {"GET", "/livez", true, send_livez},
    {"GET", "/readyz", true, send_readyz},
    {"GET", "/metrics", true, send_metrics},
    {"GET", "/cache/advice", false, send_cache_advice},
    {"POST", "/reload", false, run_reload},
    {"POST", "/cache/purge", false, run_cache_purge},
    {"GET", "/cache/entries", false, send_cache_entries},
    {"GET", "/cache/stats", false, send_cache_stats},
    {"GET", "/cache/purges", false, send_cache_purges},
    {"GET", "/cache/flights", false, send_cache_flights},
};

/* Compared in time that does not depend on where it differs. */
static bool
has_token(const struct admin *a, const struct http_call *call)
{
    struct str given = http_headers_get(&call->request.headers, HTTP_AUTHORIZATION);
    unsigned char difference = 0;

    if (!str_starts_with_nocase(given, STR("Bearer ")) || given.len - 7 != a->token.len || !a->token.len)
        return false;
    for (size_t i = 0; i < a->token.len; i++)
        difference |= (unsigned char)(given.p[i + 7] ^ a->token.p[i]);
    return difference == 0;
}

static void
on_call(void *ctx, struct http_call *call)
{
    struct admin *a = ctx;
    bool open = a->gateway->options->admin.metrics_open;

    for (size_t i = 0; i < COUNTOF(routes); i++) {
        const struct admin_route *r = &routes[i];

        if (!str_eq(call->request.path, str_from_c(r->path)))
            continue;
        if (!str_eq(call->request.method_text, str_from_c(r->method))) {
            http_call_send_error(call, 405, STR("Method not allowed"));
            return;
        }
        if (!(r->is_open && open) && !has_token(a, call)) {
            http_call_send_error(call, 401, STR("The admin listener needs the token of the state folder: Authorization: "
                                                "Bearer TOKEN."));
            return;
        }
        r->run(a, call);
        return;
    }
    http_call_send_error(call, 404, STR("Resource not found"));
}

static void
on_stream(void *ctx, struct stream *s)
{
    struct admin *a = ctx;

    http_server_accept(a->server, s);
}

/* Reads the token, or makes one and writes it with mode 0600. */
static bool
load_token(struct admin *a, const struct options *o, struct err *err)
{
    char path[4096];
    uint8_t secret[TOKEN_BYTES];
    struct str text;
    struct buf content AUTO(buf_destroy) = BUF_INIT;

    if (o->admin.token_file.len)
        snprintf(path, sizeof(path), "%.*s", STR_ARG(o->admin.token_file));
    else if (o->state.len)
        snprintf(path, sizeof(path), "%.*s/" TOKEN_FILE, STR_ARG(o->state));
    else
        return true; /* nowhere to keep one */
    if (file_read(path, 4096, &content, err)) {
        text = str_trim(buf_str(&content));
        if (text.len < 16)
            return err_set(err, ERR_INVALID, "%s: a token has at least 16 characters", path);
        buf_add_str(&a->token, text);
        return true;
    }
    if (err->code != ERR_NOT_FOUND)
        return false;
    rand_secret(secret, sizeof(secret));
    codec_base64url_encode(&a->token, str_from((char *)secret, sizeof(secret)));
    return file_write_atomic(path, buf_str(&a->token), 0600, err);
}

static bool
listen_at(struct admin *a, const struct options *o, struct err *err)
{
    char text[4096];
    struct listener_options lo = {.name = "admin", .limits = a->gateway->admin_limits, .on_stream = on_stream, .ctx = a};

    if (str_starts_with(o->admin.address, STR("unix:")))
        snprintf(text, sizeof(text), "%.*s", STR_ARG(o->admin.address));
    else
        snprintf(text, sizeof(text), str_find_char(o->admin.address, ':', 0) >= 0 ? "[%.*s]:%u" : "%.*s:%u",
                 STR_ARG(o->admin.address), o->admin.port);
    a->address = xstrndup(text, strlen(text));
    if (!addr_parse(str_from_c(a->address), 0, &lo.addr, err))
        return false;
    lo.fd = master_link_socket(a->gateway->master, &lo.addr, 0, 128, 0600, false, err);
    if (lo.fd < 0 || !(a->listener = listener_new(a->loop, &lo, err)))
        return false;
    a->addr = lo.addr.kind == ADDR_UNIX ? lo.addr : listener_addr(a->listener);
    return true;
}

static void *
run(void *arg)
{
    struct admin *a = arg;

    loop_run(a->loop);
    return NULL;
}

struct admin *
admin_start(struct gateway *g, struct err *err)
{
    struct admin *a = xnew(struct admin);
    struct http_server_conf conf = {.on_call = on_call, .ctx = a, .server_name = STR("headgate")};
    struct loop_options loop_options = {.clock = g->clock, .io = LOOP_IO_EPOLL}; /* nothing to gain here */

    a->gateway = g;
    http_limits_init(&conf.limits);
    if (!load_token(a, g->options, err) || !(a->loop = loop_new(&loop_options, err)))
        goto failed;
    cache_admin_init(&a->cache, g, a->loop);
    if (a->token.len)
        atomic_store_explicit(&g->explain_token, str_dup(&g->keep, buf_str(&a->token)).p, memory_order_release);
    a->server = http_server_new(a->loop, &conf);
    if (!listen_at(a, g->options, err))
        goto failed;
    if (pthread_create(&a->thread, NULL, run, a) != 0) {
        err_set(err, ERR_IO, "no thread for the admin listener");
        goto failed;
    }
    a->is_started = true;
    return a;
failed:
    err_prefix(err, "admin listener");
    admin_stop(a);
    return NULL;
}

struct addr
admin_addr(const struct admin *a)
{
    return a->addr;
}

static void
stop_listening(struct message *m)
{
    struct admin *a = CONTAINER_OF(m, struct admin, quiet);

    listener_stop(a->listener);
    http_server_drain(a->server, NULL, NULL);
}

void
admin_stop_listening(struct admin *a)
{
    if (!a || a->quiet.deliver)
        return;
    a->quiet.deliver = stop_listening;
    mailbox_send(a->loop, &a->quiet);
}

void
admin_stop(struct admin *a)
{
    if (!a)
        return;
    if (a->is_started) {
        loop_stop(a->loop);
        loop_wake(a->loop);
        pthread_join(a->thread, NULL);
    }
    if (a->server) {
        http_server_close_all(a->server);
        while (http_server_connections(a->server) || http_server_calls(a->server))
            loop_turn(a->loop, 10);
        /* Streams outlive their connections by their last words (stream_close_gently). */
        for (uint32_t waited = 0; a->listener && listener_stats(a->listener).open && waited < STOP_WAIT_MS; waited += 10)
            loop_turn(a->loop, 10);
        http_server_delete(a->server);
        stream_close_lingering(a->loop);
    }
    listener_delete(a->listener);
    loop_delete(a->loop);
    buf_destroy(&a->token);
    free(a->address);
    free(a);
}
