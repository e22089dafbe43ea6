/* server.c: what all client connections share: calls and their fibers, limits that hold for the process, draining,
 * and answers made of text (server.h). The protocols are h1_server.c and h2_server.c.
 *
 *     server -> conn -> conn -> ...       (http_server_conn, either protocol)
 *                \-> call (one on HTTP/1, many on HTTP/2) -> fiber: conf.on_call
 * Invariants: V1  load->exchanges counts the calls between http_call_start() and http_call_ended().
 *             V2  a call is answered once: is_answered is set by the first of send, upgrade and abort.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/server.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/buf.h"
#include "http/h1_server.h"
#include "http/path.h"
#include "net/stream.h"
#include "rt/fiber.h"

struct http_server {
    struct loop *loop;
    struct http_server_conf conf;
    struct http_load own_load;
    struct list conns;                /* oldest first */
    struct list calls;                /* http_call_start() to http_call_ended() */
    uint32_t n_conns, n_calls;
    bool is_draining;
    void (*on_empty)(void *ctx);
    void *on_empty_ctx;
    uint64_t date_s;                  /* of date_text */
    char date_text[30];
    struct h1_server *h1;
};

struct http_server *
http_server_new(struct loop *loop, const struct http_server_conf *conf)
{
    struct http_server *s = xnew(struct http_server);

    s->loop = loop;
    s->conf = *conf;
    if (!s->conf.load)
        s->conf.load = &s->own_load;
    list_init(&s->conns);
    list_init(&s->calls);
    s->h1 = h1_server_new(s);
    return s;
}

void
http_server_delete(struct http_server *s)
{
    if (!s)
        return;
    ASSERT(s->n_conns == 0 && s->n_calls == 0);
    h1_server_delete(s->h1);
    free(s);
}

void
http_server_accept(struct http_server *s, struct stream *stream)
{
    if (s->conf.accept_h2 && stream->is_tls && str_eq_lit(stream_tls_info(stream).alpn, "h2"))
        s->conf.accept_h2(s, stream, STR_NONE);
    else
        h1_server_accept(s->h1, stream);
}

void
http_server_set_limits(struct http_server *s, const struct http_limits *limits)
{
    s->conf.limits = *limits;
}

void
http_server_add(struct http_server *s, struct http_server_conn *c)
{
    c->server = s;
    list_push_back(&s->conns, &c->link);
    s->n_conns++;
}

static void
tell_if_empty(struct http_server *s)
{
    void (*on_empty)(void *ctx) = s->on_empty;

    if (s->n_conns == 0 && on_empty) {
        s->on_empty = NULL;
        on_empty(s->on_empty_ctx);
    }
}

void
http_server_remove(struct http_server_conn *c)
{
    list_remove(&c->link);
    c->server->n_conns--;
    tell_if_empty(c->server);
}

void
http_server_drain(struct http_server *s, void (*on_empty)(void *ctx), void *ctx)
{
    struct http_server_conn *c;

    s->is_draining = true;
    s->on_empty = on_empty;
    s->on_empty_ctx = ctx;
    list_each(&s->conns, c, struct http_server_conn, link)
        c->drain(c);
    tell_if_empty(s);
}

void
http_server_close_all(struct http_server *s)
{
    struct http_server_conn *c;

    list_each(&s->conns, c, struct http_server_conn, link)
        c->close(c);
}

struct loop *
http_server_loop(const struct http_server *s)
{
    return s->loop;
}

const struct http_server_conf *
http_server_conf(const struct http_server *s)
{
    return &s->conf;
}

bool
http_server_is_draining(const struct http_server *s)
{
    return s->is_draining;
}

bool
http_server_is_pressed(const struct http_server *s)
{
    return atomic_load_explicit(&s->conf.load->is_pressed, memory_order_relaxed);
}

uint32_t
http_server_connections(const struct http_server *s)
{
    return s->n_conns;
}

uint32_t
http_server_calls(const struct http_server *s)
{
    return s->n_calls;
}

struct str
http_server_date(struct http_server *s)
{
    uint64_t now_s = loop_wall_ns(s->loop) / 1000000000;

    if (now_s != s->date_s) {
        http_date_format(now_s, s->date_text);
        s->date_s = now_s;
    }
    return str_from(s->date_text, 29);
}

void
http_server_count_refusal(struct http_server *s, uint16_t status)
{
    if (status >= 400 && status < 600)
        atomic_fetch_add_explicit(&s->conf.load->refusals[status - 400], 1, memory_order_relaxed);
}

void
http_server_refused(struct http_server *s, const struct stream *from, uint16_t status, const char *why)
{
    http_server_count_refusal(s, status);
    if (s->conf.on_refused)
        s->conf.on_refused(s->conf.ctx, from, status, why);
}

void
http_server_count_unread(struct http_server *s)
{
    atomic_fetch_add_explicit(&s->conf.load->unread, 1, memory_order_relaxed);
}

void
http_server_count_idle(struct http_server *s, bool is_tunnel)
{
    struct http_load *load = s->conf.load;

    atomic_fetch_add_explicit(is_tunnel ? &load->tunnels_idle_closed : &load->idle_closed, 1, memory_order_relaxed);
}

/* ---- calls ---- */

static void
call_fiber(void *arg)
{
    struct http_call *call = arg;

    call->fiber = fiber_self();
    call->server->conf.on_call(call->server->conf.ctx, call);
    call->fiber = NULL;
    if (!call->is_answered)
        http_call_abort(call);
    call->on_returned(call);
}

bool
http_call_start(struct http_call *call, void (*on_returned)(struct http_call *call))
{
    struct http_server *s = call->server;
    struct http_load *load = s->conf.load;

    call->on_returned = on_returned;
    if (!http_query_normalise(call->arena, call->request.query, &call->request.query))
        return false;
    if (atomic_fetch_add_explicit(&load->exchanges, 1, memory_order_relaxed) <
        s->conf.limits.exchanges) {
        s->n_calls++;
        list_push_back(&s->calls, &call->node);
        if (fiber_start(s->loop, call_fiber, call, NULL)) {
            atomic_fetch_add_explicit(&load->calls, 1, memory_order_relaxed);
            return true;
        }
        list_remove(&call->node);
        s->n_calls--;
    }
    atomic_fetch_sub_explicit(&load->exchanges, 1, memory_order_relaxed);
    return false;
}

void
http_call_cancel(struct http_call *call)
{
    if (call->fiber && !call->is_answered)
        fiber_cancel(call->fiber);
}

void
http_call_ended(struct http_call *call)
{
    atomic_fetch_sub_explicit(&call->server->conf.load->exchanges, 1, memory_order_relaxed); /* V1 */
    call->server->n_calls--;
    list_remove(&call->node);
}

bool
http_server_break_costliest(struct http_server *s, uint64_t min)
{
    struct http_call *call, *costliest = NULL;

    list_each(&s->calls, call, struct http_call, node) {
        uint64_t cost = s->conf.cost ? s->conf.cost(s->conf.ctx, call) : call->arena->bytes;
        if (cost >= min) {
            costliest = call;
            min = cost;
        }
    }
    if (costliest)
        costliest->ops->drop(costliest);
    return costliest != NULL;
}

void
http_call_sent(struct http_call *call, int status)
{
    http_sent_fn *on_sent = call->on_sent;

    call->on_sent = NULL;
    if (on_sent)
        on_sent(call->on_sent_ctx, call, status);
}

static void
answer(struct http_call *call, http_sent_fn *on_sent, void *ctx)
{
    ASSERT(!call->is_answered); /* V2 */
    call->is_answered = true;
    call->on_sent = on_sent;
    call->on_sent_ctx = ctx;
}

void
http_call_send(struct http_call *call, const struct http_response *response, struct body *body,
               http_sent_fn *on_sent, void *ctx)
{
    answer(call, on_sent, ctx);
    call->status_sent = response->status;
    call->ops->send(call, response, body);
}

struct body *
http_call_upgrade(struct http_call *call, const struct http_response *response, struct body *down,
                  http_sent_fn *on_sent, void *ctx)
{
    if (!call->request.protocol.p)
        return NULL;
    answer(call, on_sent, ctx);
    call->status_sent = response->status;
    return call->ops->upgrade(call, response, down);
}

bool
http_call_interim(struct http_call *call, uint16_t status, const struct http_headers *headers)
{
    ASSERT(status >= 100 && status < 200 && status != 101);
    return !call->is_answered && call->ops->interim(call, status, headers);
}

void
http_call_abort(struct http_call *call)
{
    call->is_answered = true;
    call->ops->abort(call);
}

/* ---- answering from the fiber ---- */

struct respond_wait {
    struct fiber *fiber;
    int status;
    bool is_done;
};

static void
on_responded(void *ctx, struct http_call *call, int status)
{
    struct respond_wait *w = ctx;

    (void)call;
    w->status = status;
    w->is_done = true;
    if (w->fiber != fiber_self())
        fiber_wake(w->fiber);
}

bool
http_call_respond(struct http_call *call, const struct http_response *response, struct body *body,
                  struct err *err)
{
    struct respond_wait w = {.fiber = fiber_self()};

    http_call_send(call, response, body, on_responded, &w);
    while (!w.is_done) {
        if (fiber_wait(NO_DEADLINE) == IO_CANCELLED && !w.is_done) {
            http_call_abort(call);
            while (!w.is_done)
                fiber_wait_hard();
        }
    }
    if (w.status == IO_OK)
        return true;
    if (body && body->status != IO_OK && body->status != IO_EOF)
        return err_set(err, ERR_PROTOCOL, "the body of the answer broke: %s",
                       io_status_text(body->status));
    return err_set(err, w.status == IO_ERROR ? ERR_CLOSED : io_status_err(w.status),
                   "the client did not take the answer: %s", io_status_text(w.status));
}

void
http_call_send_text(struct http_call *call, uint16_t status, struct str content_type,
                    struct str text)
{
    struct http_response *r = arena_new(call->arena, struct http_response);
    struct body *body = text.len ? body_from_str(call->arena, text) : NULL;

    if (!r || (text.len && !body)) {
        http_call_abort(call);
        return;
    }
    r->status = status;
    r->headers.arena = call->arena;
    if (content_type.len &&
        !http_headers_add_id(&r->headers, HTTP_CONTENT_TYPE, STR("Content-Type"), content_type)) {
        http_call_abort(call);
        return;
    }
    http_call_send(call, r, body, call->on_sent, call->on_sent_ctx);
}

void
http_call_send_error(struct http_call *call, uint16_t status, struct str message)
{
    struct buf b = buf_in(call->arena);

    http_error_body(&b, status, message);
    http_call_send_text(call, status, STR("application/json"), buf_str(&b));
}

void
http_error_body(struct buf *to, uint16_t status, struct str message)
{
    buf_printf(to, "{ \"statusCode\": %u, \"message\": \"", status);
    buf_add_json_escaped(to, message);
    buf_add_lit(to, "\" }");
}
