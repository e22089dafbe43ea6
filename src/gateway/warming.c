/* warming.c: what clients asked for, and asking for it again.
 *
 *     apis: name -> heads: "GET /a?b HTTP/1.1\r\nHost: x\r\nAccept: y\r\n" in the order they were last stored
 * The requests come in through a pair of sockets, one end of which is a connection to our own server: so they pass whatever clients pass.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/warming.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/map.h"
#include "base/num.h"
#include "base/vec.h"
#include "exchange/fetch.h"
#include "gateway/worker.h"
#include "http/headers.h"
#include "http/server.h"
#include "model/api.h"
#include "net/stream.h"
#include "observe/metrics.h"
#include "policy/response_cache.h"
#include "rt/fiber.h"

#define REQUEST_MS 60000u
#define COMPLAINTS_MAX 3u             /* in the log, of one warming */

struct warming {
    pthread_mutex_t lock;             /* covers the rest */
    struct map apis;                  /* -> struct map: heads -> themselves; keys are malloc's */
};

struct warming *
warming_new(void)
{
    struct warming *w = xnew(struct warming);

    *w = (struct warming){0};
    pthread_mutex_init(&w->lock, NULL);
    return w;
}

static void
delete_heads(struct map *heads)
{
    for (struct map_entry *e = map_next(heads, NULL); e; e = map_next(heads, e))
        free(e->value);
    map_destroy(heads);
    free(heads);
}

void
warming_clear(struct warming *w)
{
    pthread_mutex_lock(&w->lock);
    for (struct map_entry *e = map_next(&w->apis, NULL); e; e = map_next(&w->apis, e)) {
        delete_heads(e->value);
        free((char *)(uintptr_t)e->key.p);
    }
    map_destroy(&w->apis);
    w->apis = MAP_INIT;
    pthread_mutex_unlock(&w->lock);
}

void
warming_delete(struct warming *w)
{
    if (!w)
        return;
    warming_clear(w);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

/* --- what was asked ------------------------------------------------------------------------------------------------ */

static bool
has_identity(const struct exchange *ex, const struct http_headers *h)
{
    return ex->subscription || ex->user || http_headers_has(h, HTTP_AUTHORIZATION) || http_headers_has(h, HTTP_COOKIE);
}

/* Names are in lower case, and once each. */
static void
add_field(struct buf *head, const struct http_headers *h, struct str name)
{
    struct str value = http_headers_get_joined(h, name);
    struct buf start AUTO(buf_destroy) = BUF_INIT;

    buf_printf(&start, "\r\n%.*s: ", STR_ARG(name));
    for (size_t i = 0; i < start.len; i++)
        start.p[i] = ascii_lower(start.p[i]);
    if (value.p && str_find(buf_str(head), buf_str(&start), 0) < 0)
        buf_printf(head, "%.*s%.*s\r\n", STR_ARG(str_skip(buf_str(&start), 2)), STR_ARG(value));
}

/* The fields that chose this answer among others. */
static void
add_fields(struct buf *head, const struct exchange *ex, const struct http_headers *h)
{
    static const struct str usual[] = {STR_INIT("Accept"), STR_INIT("Accept-Encoding"), STR_INIT("Accept-Language")};
    const struct cache_intent *intent = ex->cache;
    struct str vary = ex->response ? http_headers_get_joined(ex->response->headers, STR("Vary")) : STR_NONE, name;

    for (size_t i = 0; i < COUNTOF(usual); i++)
        add_field(head, h, usual[i]);
    for (uint32_t i = 0; intent && i < intent->n_keyed_fields; i++)
        add_field(head, h, intent->keyed_fields[i]);
    while (vary.p && http_list_next(&vary, &name))
        add_field(head, h, name);
}

static struct map *
heads_of(struct warming *w, struct str api)
{
    struct map *heads = map_get(&w->apis, api);

    if (heads)
        return heads;
    heads = xcalloc(1, sizeof(*heads));
    map_set(&w->apis, str_from(xstrndup(api.p, api.len), api.len), heads);
    return heads;
}

/* The latest stand last. */
static void
remember(struct warming *w, struct str api, struct str head)
{
    struct map *heads;
    struct map_entry *oldest;
    char *text;

    pthread_mutex_lock(&w->lock);
    heads = heads_of(w, api);
    text = map_remove(heads, head);
    if (!text && heads->n_live >= WARM_ADDRESSES && (oldest = map_next(heads, NULL)))
        free(map_remove(heads, oldest->key));
    if (!text)
        text = xstrndup(head.p, head.len);
    map_set(heads, str_from(text, head.len), text);
    pthread_mutex_unlock(&w->lock);
}

void
warming_note(struct warming *w, const struct exchange *ex)
{
    const struct cache_intent *intent = ex->cache;
    const struct http_headers *h = intent && intent->request_headers ? intent->request_headers : ex->request.headers;
    struct buf head AUTO(buf_destroy) = BUF_INIT;

    if (!ex->is_answer_stored || !ex->api || ex->api->settings.cache.on_publish != ON_PUBLISH_WARM || has_identity(ex, h))
        return;
    buf_printf(&head, "GET %.*s%s%.*s HTTP/1.1\r\nhost: %.*s\r\n", STR_ARG(ex->original_url.path), ex->original_url.query.len ? "?" : "",
               STR_ARG(ex->original_url.query), STR_ARG(ex->authority));
    add_fields(&head, ex, h);
    if (head.len <= WARM_HEAD_MAX && !head.failed)
        remember(w, ex->api->root_name, buf_str(&head));
}

/* --- asking again -------------------------------------------------------------------------------------------------- */

struct run {
    struct background background;
    struct worker *worker;
    struct fiber *fiber;
    VEC(struct str) heads;            /* malloc */
    char *api;
    uint32_t rate, fetched, failed;
    bool is_stopped;
};

static void
delete_run(struct run *r)
{
    background_remove(&r->background);
    for (size_t i = 0; i < r->heads.n; i++)
        free((char *)(uintptr_t)r->heads.v[i].p);
    vec_free(&r->heads);
    free(r->api);
    free(r);
}

static void
stop(struct background *b)
{
    struct run *r = CONTAINER_OF(b, struct run, background);

    background_remove(b);
    r->is_stopped = true;
    fiber_cancel(r->fiber);
}

/* A connection to our own server; the other end of it, or NULL. */
static struct stream *
connect_to_ourselves(struct worker *w)
{
    struct stream *ours, *theirs;
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return NULL;
    ours = stream_from_fd(w->loop, fds[0], NULL);
    theirs = stream_from_fd(w->loop, fds[1], NULL);
    if (ours && theirs && addr_parse_ip(STR("127.0.0.1"), &theirs->peer, NULL)) {
        http_server_accept(w->server, theirs);
        return ours;
    }
    stream_close(ours);
    stream_close(theirs);
    return NULL;
}

/* The status of an answer that came whole; 0 otherwise. Yields. */
static uint32_t
ask(struct stream *s, struct str head, uint64_t deadline_ms)
{
    struct buf request AUTO(buf_destroy) = BUF_INIT;
    char bytes[4096], status[16] = "";
    size_t have = 0;
    uint32_t code;
    int64_t n;

    buf_printf(&request, "%.*suser-agent: headgate-warm\r\nconnection: close\r\n\r\n", STR_ARG(head));
    if (stream_write(s, request.p, request.len, deadline_ms) != IO_OK)
        return 0;
    while ((n = stream_read(s, bytes, sizeof(bytes), deadline_ms)) > 0) {
        size_t take = MIN((size_t)n, sizeof(status) - 1 - have);

        memcpy(status + have, bytes, take);
        have += take;
    }
    return n == IO_EOF && have >= 12 && num_parse_u32(str_from(status + 9, 3), 599, &code, NULL) ? code : 0;
}

/* Yields. */
static void
fetch_one(struct run *r, struct str head)
{
    struct stream *s = connect_to_ourselves(r->worker);
    uint32_t status = s ? ask(s, head, loop_now_ms(r->worker->loop) + REQUEST_MS) : 0;
    ptrdiff_t end = str_find(head, STR(" HTTP/1.1"), 0);

    stream_close(s);
    if (r->is_stopped)
        return;
    if (status && status < 400) {
        r->fetched++;
        metric_add(r->worker->metrics, METRIC_CACHE_WARMED, 1);
        return;
    }
    metric_add(r->worker->metrics, METRIC_CACHE_WARM_FAILURES, 1);
    if (r->failed++ < COMPLAINTS_MAX)
        log_warn("cache: warming %s: %.*s: status %u", r->api, STR_ARG(str_sub(head, 0, (size_t)end)), status);
}

static void
run(void *arg)
{
    struct run *r = arg;
    struct worker *w = r->worker;
    uint64_t begun_ms = loop_now_ms(w->loop);
    size_t i;

    for (i = r->heads.n; i > 0 && !r->is_stopped; i--) {
        uint64_t due_ms = begun_ms + (uint64_t)(r->heads.n - i) * 1000 / r->rate;

        if (loop_now_ms(w->loop) < due_ms && !fiber_sleep(due_ms, NULL))
            break;
        fetch_one(r, r->heads.v[i - 1]);
        metric_add(w->metrics, METRIC_CACHE_WARM_WAITING, -1);
    }
    metric_add(w->metrics, METRIC_CACHE_WARM_WAITING, -(int64_t)i);
    log_info("cache: warmed %s: %u fetched, %u failed%s", r->api, r->fetched, r->failed, i ? ", the rest left out as the process ends" : "");
    delete_run(r);
}

static void
copy_heads(struct warming *w, struct str api, struct run *r)
{
    struct map *heads;

    pthread_mutex_lock(&w->lock);
    heads = map_get(&w->apis, api);
    for (struct map_entry *e = heads ? map_next(heads, NULL) : NULL; e; e = map_next(heads, e))
        *vec_push(&r->heads) = str_from(xstrndup(e->key.p, e->key.len), e->key.len);
    pthread_mutex_unlock(&w->lock);
}

void
warming_start(struct worker *w, struct str api, uint32_t rate)
{
    struct run *r = xcalloc(1, sizeof(*r));
    size_t n;

    r->worker = w;
    r->api = xstrndup(api.p, api.len);
    r->rate = rate;
    r->background.stop = stop;
    copy_heads(w->gateway->warming, api, r);
    n = r->heads.n;
    if (n == 0) {
        delete_run(r);
        return;
    }
    log_info("cache: warming %s: %zu addresses, %u a second", r->api, n, rate);
    metric_add(w->metrics, METRIC_CACHE_WARM_WAITING, (int64_t)n);
    background_add(&w->services, &r->background);
    if (fiber_start(w->loop, run, r, &r->fiber))
        return;
    metric_add(w->metrics, METRIC_CACHE_WARM_WAITING, -(int64_t)n);
    log_error("cache: no room to warm %s", r->api);
    delete_run(r);
}
