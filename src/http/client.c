/* client.c: which connection an exchange gets, and what happens when it turns out to be dead (client.h).
 *
 *     client -> pool (one an origin) -> idle h1 connections, latest used first; h2 sessions
 * Invariants: P1  n_idle is the length of idle; each of them watches for bytes or the end, both of which close it.
 *             P2  a pool lives while it has users: connections, or exchanges that are about to have one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/client.h"

#include <stdlib.h>

#include "base/map.h"
#include "http/grpc.h"
#include "http/h1_client.h"
#include "http/proxy.h"
#include "http/upload.h"
#include "net/connect.h"
#include "rt/fiber.h"

#define CONNECT_MS 10000
#define INTERIMS_MAX 8                /* robustness B3 */
#define IDLE_MAX 256

struct http_client {
    struct loop *loop;
    struct http_origins *origins;
    struct http_client_conf conf;
    struct map pools;                 /* by the origin's address */
    struct h1_client h1;
};

struct http_client *
http_client_new(struct loop *loop, struct http_origins *origins,
                const struct http_client_conf *conf)
{
    struct http_client *c = xnew(struct http_client);

    c->loop = loop;
    c->origins = origins;
    if (conf)
        c->conf = *conf;
    if (!c->conf.interims_max)
        c->conf.interims_max = INTERIMS_MAX;
    if (!c->conf.connect_ms)
        c->conf.connect_ms = CONNECT_MS;
    if (!c->conf.idle_max)
        c->conf.idle_max = IDLE_MAX;
    h1_client_create(&c->h1, loop, &c->conf);
    return c;
}

struct loop *
http_client_loop(const struct http_client *c)
{
    return c->loop;
}

const struct http_client_conf *
http_client_conf(const struct http_client *c)
{
    return &c->conf;
}

struct h1_client *
http_client_h1(struct http_client *c)
{
    return &c->h1;
}

/* ---- pools ---- */

static struct str
pool_key(struct http_origin *const *origin)
{
    return str_from((const char *)origin, sizeof(*origin));
}

static struct http_pool *
pool_get(struct http_client *c, struct http_origin *origin)
{
    struct http_pool *p = map_get(&c->pools, pool_key(&origin));

    if (p)
        return p;
    p = xnew(struct http_pool);
    p->origin = http_origin_ref(origin);
    p->client = c;
    list_init(&p->idle);
    list_init(&p->busy);
    list_init(&p->sessions);
    fiber_cond_init(&p->opened);
    map_set(&c->pools, pool_key(&p->origin), p);
    pthread_mutex_lock(&origin->lock);
    list_push_back(&origin->pools, &p->link);
    pthread_mutex_unlock(&origin->lock);
    return p;
}

static void
pool_unuse(struct http_pool *p)
{
    struct http_origin *origin = p->origin;

    if (--p->n_users > 0)
        return;
    map_remove(&p->client->pools, pool_key(&p->origin));
    pthread_mutex_lock(&origin->lock);
    list_remove(&p->link);
    pthread_mutex_unlock(&origin->lock);
    free(p);                          /* P2 */
    http_origin_unref(origin);
}

/* Closes a connection and gives its place back. */
static void
upstream_close(struct h1_upstream *up)
{
    struct http_pool *p = up->pool;

    bool has_permit = !up->is_dropped;

    h1_upstream_delete(up);
    if (has_permit)
        origin_permit_give(p->origin);
    pool_unuse(p);
}

static void
idle_remove(struct h1_upstream *up)
{
    list_remove(&up->idle_link);
    atomic_fetch_sub_explicit(&up->pool->n_idle, 1, memory_order_relaxed);
}

static void
idle_close(struct h1_upstream *up)
{
    idle_remove(up);
    upstream_close(up);
}

/* Bytes nobody asked for, or the end: both make it unfit (B2). */
static void
on_idle_event(struct stream *stream, void *ctx)
{
    (void)stream;
    idle_close(ctx);
}

static void
on_idle_timer(struct timer *t)
{
    struct h1_upstream *up = CONTAINER_OF(t, struct h1_upstream, timer);

    if (!list_is_linked(&up->idle_link))
        return;                       /* in use; started anew when it is idle again */
    if (loop_now_ms(up->pool->client->loop) < up->idle_until_ms)
        timer_start(up->pool->client->loop, t, up->idle_until_ms, on_idle_timer);
    else
        idle_close(up);
}

/* Its exchange is over and it could serve another. */
static void
idle_add(struct h1_upstream *up)
{
    struct http_pool *p = up->pool;
    struct loop *loop = p->client->loop;

    if (atomic_load_explicit(&p->n_idle, memory_order_relaxed) >= p->client->conf.idle_max)
        idle_close(list_last(&p->idle, struct h1_upstream, idle_link));
    list_push_front(&p->idle, &up->idle_link);
    atomic_fetch_add_explicit(&p->n_idle, 1, memory_order_relaxed);
    up->idle_until_ms = loop_now_ms(loop) + p->origin->conf.idle_ms;
    if (!timer_is_running(&up->timer))
        timer_start(loop, &up->timer, up->idle_until_ms, on_idle_timer);
    stream_when_readable(up->in.stream, on_idle_event, up);
}

static bool
is_fit(struct h1_upstream *up)
{
    const struct http_origin_conf *conf = &up->pool->origin->conf;

    return (!conf->requests_max || up->served < conf->requests_max) &&
           !stream_is_stale(up->in.stream);
}

void
http_pool_release(struct h1_upstream *up, bool is_reusable)
{
    struct http_pool *p = up->pool;
    bool must_close;

    h1_upstream_uploaded(up);
    h1_input_next(&up->in);
    if (!is_reusable || !is_fit(up)) {
        upstream_close(up);
        return;
    }
    if (origin_hand_over(p->origin, p->client->loop, up, &must_close))
        return;
    if (must_close)
        upstream_close(up);
    else
        idle_add(up);
}

static struct h1_upstream *
idle_take(struct http_pool *p)
{
    struct h1_upstream *up;

    while ((up = list_first(&p->idle, struct h1_upstream, idle_link))) {
        idle_remove(up);
        stream_when_readable(up->in.stream, NULL, NULL);
        if (!stream_is_stale(up->in.stream))
            return up;
        upstream_close(up);
    }
    return NULL;
}

void
http_client_evict(struct loop *loop, struct http_origin *o)
{
    struct http_pool *p, *found = NULL;
    struct h1_upstream *up;

    pthread_mutex_lock(&o->lock);
    list_each(&o->pools, p, struct http_pool, link)
        if (p->client->loop == loop)
            found = p;
    pthread_mutex_unlock(&o->lock);
    /* Pools of this loop come and go on this thread only. */
    if (found && (up = list_last(&found->idle, struct h1_upstream, idle_link)))
        idle_close(up);
}

void
http_client_close_idle(struct http_client *c)
{
    struct h1_upstream *up;
    struct map_entry *e = map_next(&c->pools, NULL);

    while (e) {
        struct http_pool *p = e->value;
        p->n_users++;
        while ((up = list_first(&p->idle, struct h1_upstream, idle_link)))
            idle_close(up);
        bool is_last = p->n_users == 1;
        pool_unuse(p);
        e = map_next(&c->pools, is_last ? NULL : e); /* the map has changed: begin anew */
    }
}

void
http_client_delete(struct http_client *c)
{
    if (!c)
        return;
    for (;;) {
        struct map_entry *e = map_next(&c->pools, NULL);
        struct http_pool *p = e ? e->value : NULL;
        struct h1_upstream *up;
        struct http_session *s;
        if (!p)
            break;
        p->n_users++;
        while ((up = list_first(&p->idle, struct h1_upstream, idle_link)))
            idle_close(up);
        while ((s = list_first(&p->sessions, struct http_session, link))) {
            const struct http_session_ops *ops = s->ops;
            http_session_gone(s);
            ops->retire(s);
        }
        ASSERT(p->n_users == 1);      /* none is in use any more */
        pool_unuse(p);
    }
    map_destroy(&c->pools);
    h1_client_destroy(&c->h1);
    free(c);
}

/* ---- sessions: connections with many exchanges ---- */

void
http_session_gone(struct http_session *s)
{
    struct http_pool *p = s->pool;

    if (!p)
        return;
    s->pool = NULL;
    list_remove(&s->link);
    origin_permit_give(p->origin);
    pool_unuse(p);
}

static struct http_session *
session_with_room(struct http_pool *p)
{
    struct http_session *s;

    list_each(&p->sessions, s, struct http_session, link)
        if (s->ops->has_room(s))
            return s;
    return NULL;
}

static struct http_session *
session_add(struct http_pool *p, struct stream *stream, struct err *err)
{
    struct http_session *s = p->client->conf.h2->open(p->client, &p->origin->conf, stream, err);

    if (!s)
        return NULL;
    s->pool = p;
    list_push_back(&p->sessions, &s->link);
    return s;
}

/* ---- a connection for an exchange ---- */

/* What was found: one of the two. */
struct carrier {
    struct h1_upstream *up;
    struct http_session *session;
    bool is_reused;
};

static uint64_t
connect_deadline(const struct http_client *c, const struct http_exchange_conf *conf)
{
    uint32_t ms = conf->deadlines.connect_ms ? conf->deadlines.connect_ms : c->conf.connect_ms;
    uint64_t at = loop_now_ms(c->loop) + ms;

    return conf->deadlines.total_at_ms ? MIN(at, conf->deadlines.total_at_ms) : at;
}

static uint64_t
queue_deadline(const struct http_client *c, const struct http_exchange_conf *conf)
{
    uint64_t at = loop_now_ms(c->loop) + c->conf.queue_ms;

    if (!c->conf.queue_ms)
        return connect_deadline(c, conf);
    return conf->deadlines.total_at_ms ? MIN(at, conf->deadlines.total_at_ms) : at;
}

/* Both rules that there can be. */
struct allow_rules {
    const struct http_client_conf *client;
    const struct http_exchange_conf *exchange;
};

static bool
is_allowed(void *ctx, const struct addr *address, struct err *err)
{
    const struct allow_rules *r = ctx;

    return (!r->client->allow || r->client->allow(r->client->allow_ctx, address, err)) &&
           (!r->exchange->allow || r->exchange->allow(r->exchange->allow_ctx, address, err));
}

/* Connects; the permit is taken already and given back on failure. Yields. */
static struct stream *
open_stream(struct http_pool *p, const struct http_exchange_conf *conf, uint64_t deadline_ms,
            struct err *err)
{
    const struct http_client *c = p->client;
    const struct http_origin_conf *o = &p->origin->conf;
    bool has_proxy = o->proxy.host.len > 0, has_tunnel = has_proxy && http_proxy_needs_tunnel(o);
    struct allow_rules rules = {&c->conf, conf};
    struct connect_target target = {
        .host = has_proxy ? o->proxy.host : o->host, .port = has_proxy ? o->proxy.port : o->port,
        .tls = has_proxy ? NULL : o->tls, .tls_offer = http_tls_offer(o->protocol),
        .tls_name = o->tls_name,
        .overrides = c->conf.overrides, .n_overrides = c->conf.n_overrides,
        .head_start_ms = c->conf.head_start_ms,
        .allow = is_allowed, .allow_ctx = &rules,
    };
    struct stream *stream = connect_happy(c->loop, &target, deadline_ms, err);

    if (stream && has_tunnel)
        stream = http_proxy_tunnel(stream, o, deadline_ms, err);
    if (!stream)
        origin_permit_give(p->origin);
    return stream;
}

static bool
speaks_h2(const struct http_pool *p, struct stream *stream)
{
    if (!p->client->conf.h2)
        return false;
    switch (p->origin->conf.protocol) {
    case HTTP_PROTOCOL_1:
        return false;
    case HTTP_PROTOCOL_2:
        return true;
    case HTTP_PROTOCOL_AUTO:
        break;
    }
    return stream->is_tls && str_eq_lit(stream_tls_info(stream).alpn, "h2");
}

/* A fresh connection, or one that became free while we waited for a permit. Yields. */
static bool
carrier_open(struct http_pool *p, const struct http_exchange_conf *conf, struct carrier *ret,
             struct err *err)
{
    struct stream *stream;

    if (!origin_permit_take(p->origin, p->client->loop, queue_deadline(p->client, conf), &ret->up, err))
        return false;
    ret->is_reused = ret->up != NULL;
    if (ret->up)
        return true;
    if (!(stream = open_stream(p, conf, connect_deadline(p->client, conf), err)))
        return false;
    p->n_users++;                     /* the connection */
    p->is_h2 = speaks_h2(p, stream);
    if (!p->is_h2) {
        ret->up = h1_upstream_new(&p->client->h1, p, stream);
        return true;
    }
    ret->session = session_add(p, stream, err);
    if (!ret->session) {
        origin_permit_give(p->origin);
        pool_unuse(p);
    }
    return ret->session != NULL;
}

/* While one exchange opens a session to an origin known to speak HTTP/2, the others wait for it. Yields. */
static bool
session_wait(struct http_pool *p, const struct http_exchange_conf *conf, struct http_session **ret,
             struct err *err)
{
    uint64_t deadline_ms = connect_deadline(p->client, conf);

    while (p->is_opening && !(*ret = session_with_room(p)))
        if (!fiber_cond_wait(&p->opened, deadline_ms, err))
            return false;
    return true;
}

/* Yields. */
static bool
carrier_get(struct http_pool *p, const struct http_exchange_conf *conf, bool want_fresh,
            struct carrier *ret, struct err *err)
{
    bool may_share = p->is_h2 || p->origin->conf.protocol == HTTP_PROTOCOL_2, ok;

    *ret = (struct carrier){.is_reused = true};
    if ((ret->session = session_with_room(p)))
        return true;
    if (!want_fresh && (ret->up = idle_take(p)))
        return true;
    if (may_share && !session_wait(p, conf, &ret->session, err))
        return false;
    if (ret->session)
        return true;
    p->is_opening = may_share;
    ok = carrier_open(p, conf, ret, err);
    if (may_share) {
        p->is_opening = false;
        fiber_cond_broadcast(&p->opened);
    }
    return ok;
}

/* ---- exchanges ---- */

/* What http_client_exchange() was asked for. */
struct order {
    const struct http_request *request;
    const struct http_exchange_conf *conf;
    struct arena *arena;
    struct body *body;
    bool is_upload;                   /* the origin counts it: upload_begin() */
};

/* HTTP/2 carries many bodies at once. */
static bool
is_upload(const struct http_pool *p, const struct body *body)
{
    return body && body->length != 0 && !p->is_h2 && p->origin->conf.protocol != HTTP_PROTOCOL_2;
}

/* Yields. */
static bool
try_session(struct http_session *session, const struct order *o, struct http_timing timing, struct http_answer **ret,
            bool *ret_may_resend, struct err *err)
{
    bool is_unprocessed = false;
    bool ok = session->ops->exchange(session, o->request, o->body, o->conf, o->arena, ret, &is_unprocessed, err);

    *ret_may_resend = is_unprocessed;
    if (ok) {
        timing.sent_ns = (*ret)->timing.sent_ns;
        timing.head_ns = (*ret)->timing.head_ns;
        (*ret)->timing = timing;
    }
    return ok;
}

/* One try, with which the upload is over or the connection's affair. *ret_may_resend: it failed in a way that allows
 * another. Yields. */
static bool
try_exchange(struct http_pool *p, const struct order *o, bool want_fresh, struct http_answer **ret, bool *ret_may_resend,
             struct err *err)
{
    struct http_timing timing = {.begun_ns = loop_now_ns(p->client->loop), .is_resent = want_fresh};
    struct carrier carrier;
    bool has_carrier = carrier_get(p, o->conf, want_fresh, &carrier, err), is_untouched = false, ok;

    *ret_may_resend = false;
    if (o->is_upload && (!has_carrier || carrier.session))
        upload_end(p->origin);
    if (!has_carrier)
        return false;
    timing.is_reused = carrier.is_reused;
    timing.connected_ns = loop_now_ns(p->client->loop);
    if (carrier.session)
        return try_session(carrier.session, o, timing, ret, ret_may_resend, err);
    carrier.up->is_uploading = o->is_upload;
    if (http_is_grpc(&o->request->headers)) { /* its status comes in trailers, its messages both ways at once */
        http_pool_release(carrier.up, true);
        return err_set(err, ERR_UNSUPPORTED, "%.*s speaks HTTP/1 only, which cannot carry gRPC",
                       STR_ARG(o->request->authority));
    }
    ok = h1_upstream_exchange(carrier.up, o->request, o->body, o->conf, timing, o->arena, ret, &is_untouched, err);
    *ret_may_resend = carrier.is_reused && is_untouched && http_method_is_idempotent(o->request->method_text);
    return ok;
}

/* Yields. */
static bool
run_order(struct http_pool *p, struct order *o, struct http_answer **ret, struct err *err)
{
    struct http_origin *origin = p->origin;
    bool may_resend, ok;

    o->is_upload = is_upload(p, o->body);
    if (o->is_upload && !upload_begin(origin, o->arena, p->client->loop, &o->body, queue_deadline(p->client, o->conf), err))
        return false;
    ok = try_exchange(p, o, false, ret, &may_resend, err);
    if (!ok && may_resend && !o->conf->no_resend && (!o->body || body_rewind(o->body))) {
        if (o->is_upload)
            upload_again(origin);
        ok = try_exchange(p, o, true, ret, &may_resend, err);
    }
    if (ok && origin->conf.proxy.host.len && (*ret)->response.status == 407) {
        http_answer_close(*ret);      /* meant for us, not for whoever asked */
        ok = err_set(err, ERR_CONNECT, "the proxy %.*s wants other credentials", STR_ARG(origin->conf.proxy.host));
    }
    return ok;
}

bool
http_client_exchange(struct http_client *c, struct http_origin *origin,
                     const struct http_request *request, struct body *body,
                     const struct http_exchange_conf *conf, struct arena *arena,
                     struct http_answer **ret, struct err *err)
{
    static const struct http_exchange_conf standard = {0};
    struct order order = {.request = request, .conf = conf ? conf : &standard, .arena = arena, .body = body};
    struct http_pool *p = pool_get(c, origin);
    bool ok;

    p->n_users++;                     /* this exchange */
    ok = run_order(p, &order, ret, err);
    pool_unuse(p);
    return ok;
}

void
http_answer_close(struct http_answer *a)
{
    if (a)
        a->ops->close(a);
}

void
http_answer_upgrade(struct http_answer *a, struct body *up, void (*on_sent)(void *ctx, int status),
                    void *ctx)
{
    a->ops->upgrade(a, up, on_sent, ctx);
}
