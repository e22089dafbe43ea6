/* h1_client.c: one exchange over an HTTP/1 connection to an origin (h1_client.h).
 *
 *     fiber:      write head, start sender --- wait for the head of the answer ------------> return
 *     callbacks:  sender: body -> socket ....... (goes on while the answer is read)
 *
 * The fiber is woken by bytes of the answer and by the sender's end; it looks at both. An answer may come before
 * the request is out (413, 401): it is taken, and the connection is not used again.
 * Invariants: U1  a connection goes back to the pool only when the answer was read to its end, the request
 *                 was sent to its end, and not a byte more has come.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/h1_client.h"

#include <stdlib.h>

#include "base/arena.h"
#include "http/proxy.h"
#include "http/upload.h"
#include "rt/fiber.h"

#define HEAD_BYTES ((uint32_t)64 << 10)
#define HEAD_FIELDS 200

static const struct pace_limit origin_pace = {.halt_ms = 30000};  /* an origin that takes nothing */

struct h1_answer {
    struct http_answer super;
    struct h1_upstream *up;
    struct h1_client *client;
    const struct http_request *request;
    struct http_exchange_conf conf;
    struct h1_framing framing;
    struct h1_head_limits limits;
    struct fiber *waiting;            /* for the head; NULL otherwise */
    uint32_t interims;
    bool has_bytes;                   /* something of an answer has come */
    bool holds_body;                  /* only the head has been sent: the body waits for a 100 */
    bool may_resend;                  /* the failure is one of a connection that was dead already */
    /* After an upgrade. */
    void (*on_up_sent)(void *ctx, int status);
    void *up_ctx;
    /* Set up by functions of their own. */
    bool has_body;                    /* a head has come, so body is set up */
    struct h1_body body;
    struct h1_sender sender;
};

static void
release_spares(struct loop_spares *spares)
{
    h1_buffers_destroy(&CONTAINER_OF(spares, struct h1_client, spares)->buffers);
}

void
h1_client_create(struct h1_client *c, struct loop *loop, const struct http_client_conf *conf)
{
    memset(&c->buffers, 0, sizeof(c->buffers));
    c->spares.release = release_spares;
    list_push_back(&loop->spares, &c->spares.link);
    c->scratch.pool = &c->buffers;
    c->head_arena = ARENA(NULL, 1 << 20);
    c->head_fields = http_headers_in(&c->head_arena);
    c->head_bytes = conf->head_bytes ? conf->head_bytes : HEAD_BYTES;
    c->head_fields_max = conf->head_fields ? conf->head_fields : HEAD_FIELDS;
    c->interims_max = conf->interims_max;
}

void
h1_client_destroy(struct h1_client *c)
{
    list_remove(&c->spares.link);
    h1_buffers_destroy(&c->buffers);
    arena_destroy(&c->head_arena);
}

struct h1_upstream *
h1_upstream_new(struct h1_client *c, struct http_pool *pool, struct stream *stream)
{
    struct h1_upstream *up = xnew(struct h1_upstream);

    up->in.stream = stream;
    up->in.pool = &c->buffers;
    up->pool = pool;
    return up;
}

void
h1_upstream_delete(struct h1_upstream *up)
{
    timer_stop(stream_loop(up->in.stream), &up->timer);
    stream_when_readable(up->in.stream, NULL, NULL);
    h1_input_release(&up->in);
    stream_close(up->in.stream);
    free(up);
}

void
h1_upstream_uploaded(struct h1_upstream *up)
{
    if (!up->is_uploading)
        return;
    up->is_uploading = false;
    upload_end(up->pool->origin);
}

static struct loop *
loop_of(const struct h1_answer *a)
{
    return stream_loop(a->up->in.stream);
}

/* ---- the request ---- */

static void
on_sent(struct h1_sender *sender, int status)
{
    struct h1_answer *a = CONTAINER_OF(sender, struct h1_answer, sender);

    a->super.timing.sent_ns = loop_now_ns(loop_of(a));
    if (!a->holds_body)
        h1_upstream_uploaded(a->up);
    if (a->waiting)
        fiber_wake(a->waiting);
    (void)status;                     /* kept in the sender; wait_for_head() and answer_close() look */
}

/* Methods that mean a body even when there is none: "Content-Length: 0" goes out. */
static bool
means_body(enum http_method method)
{
    return method == HTTP_METHOD_POST || method == HTTP_METHOD_PUT || method == HTTP_METHOD_PATCH;
}

static enum h1_sender_kind
frame_request(const struct http_request *rq, const struct body *body, struct h1_out *out)
{
    if (!body) {
        out->content_length = means_body(rq->method) ? 0 : HTTP_LENGTH_UNKNOWN;
        return H1_SEND_NOTHING;
    }
    out->content_length = body->length;
    out->is_chunked = body->length < 0;
    return body->length < 0   ? H1_SEND_CHUNKED
           : body->length > 0 ? H1_SEND_COUNTED
                              : H1_SEND_NOTHING;
}

/* Writes the head and begins to send. False when the head cannot be sent. */
static bool
send_request(struct h1_answer *a, struct body *body, enum h1_sender_kind *ret_kind, struct err *err)
{
    struct h1_out out = {.want_trailers = a->conf.want_trailers,
                         .upgrade = a->conf.want_upgrade ? a->request->protocol : STR_NONE};
    const struct http_origin *origin = a->up->pool->origin;
    enum h1_sender_kind kind = frame_request(a->request, body, &out);
    bool waits = a->conf.continue_ms && kind != H1_SEND_NOTHING;
    size_t n = 0;

    out.expect_continue = waits;
    if (origin->conf.proxy.host.len && !http_proxy_needs_tunnel(&origin->conf)) {
        out.absolute = origin->absolute;
        out.proxy_authorization = origin->conf.proxy.authorization;
    }
    if (h1_request_size(a->request, &out) <= H1_SCRATCH_SIZE - H1_BUFFER_SIZE)
        n = h1_write_request(a->client->scratch.bytes, a->request, &out);
    if (n == 0)
        return err_set(err, ERR_INVALID, "the request to %.*s has a head that cannot be sent",
                       STR_ARG(a->request->authority));
    *ret_kind = kind;
    a->holds_body = waits;
    h1_sender_start(&a->sender, waits ? H1_SEND_NOTHING : kind, body, n);
    return true;
}

/* ---- the head of the answer ---- */

static void
wake_waiting(struct stream *stream, void *ctx)
{
    struct h1_answer *a = ctx;

    (void)stream;
    fiber_wake(a->waiting);
}

/* Bytes, the sender's end or the deadline. Yields. */
static enum io_status
wait_for_news(struct h1_answer *a, uint64_t deadline_ms)
{
    enum io_status status;

    a->waiting = fiber_self();
    stream_when_readable(a->up->in.stream, wake_waiting, a);
    status = fiber_wait(deadline_ms);
    stream_when_readable(a->up->in.stream, NULL, NULL);
    a->waiting = NULL;
    return status;
}

static uint64_t
head_deadline(const struct h1_answer *a)
{
    const struct http_deadlines *d = &a->conf.deadlines;
    uint64_t at = d->total_at_ms ? d->total_at_ms : NO_DEADLINE;

    if (d->first_byte_ms && !a->sender.is_busy)
        at = MIN(at, a->super.timing.sent_ns / 1000000 + d->first_byte_ms);
    return at;
}

static bool
protocol_error(struct err *err, const char *why)
{
    return err_set(err, ERR_PROTOCOL, "the answer is not HTTP/1.1 as it must be: %s", why);
}

/* A request that did not go out whole: is that fatal? */
static bool
is_request_broken(struct h1_answer *a, struct err *err)
{
    if (a->sender.is_busy || a->sender.status == IO_OK)
        return false;
    if (a->sender.body_status == IO_OK)
        return false;                 /* the socket: an answer may still be there to read */
    err_set(err, ERR_CLOSED, "the request body broke: %s", io_status_text(a->sender.body_status));
    return true;
}

/* Reads until new bytes are there. Yields. */
static bool
read_answer(struct h1_answer *a, uint64_t deadline_ms, struct err *err)
{
    for (;;) {
        int64_t n = h1_input_read(&a->up->in);
        enum io_status status;
        if (n > 0) {
            a->has_bytes = true;
            return true;
        }
        if (n != IO_AGAIN) {
            a->may_resend = !a->has_bytes;
            return err_set(err, ERR_CLOSED,
                           a->has_bytes ? "the connection ended inside the head of the answer"
                                        : "the connection was closed before an answer");
        }
        if (is_request_broken(a, err))
            return false;
        status = wait_for_news(a, MIN(deadline_ms, head_deadline(a)));
        if (status != IO_OK)
            return err_set(err, io_status_err(status), "%s",
                           status == IO_TIMEOUT ? "no answer in time" : io_status_text(status));
    }
}

/* Makes room for a head that is longer than the buffer. */
static bool
grow_for_head(struct h1_answer *a, struct err *err)
{
    struct h1_input *in = &a->up->in;

    if (in->len - in->at >= a->client->head_bytes)
        return protocol_error(err, "its head is too large");
    if (in->len == in->buf->cap && in->at == 0)
        h1_input_grow(in, MIN(in->buf->cap * 2, a->client->head_bytes));
    return true;
}

/* Parses one head, reading as much as it takes. *ret_n is its length. Yields. */
static bool
read_head(struct h1_answer *a, struct http_response *ret, size_t *ret_n, uint64_t deadline_ms,
          struct err *err)
{
    struct h1_refusal why;
    ptrdiff_t n = H1_MORE;

    for (;;) {
        if (a->up->in.buf && a->up->in.at < a->up->in.len) {
            *ret = (struct http_response){.headers = a->client->head_fields};
            n = h1_parse_response(h1_input_bytes(&a->up->in), &a->limits, ret, &why);
            a->client->head_fields = ret->headers;
            if (n == H1_BAD)
                return protocol_error(err, why.why);
            if (n > 0)
                break;
            if (!grow_for_head(a, err))
                return false;
        }
        if (!read_answer(a, deadline_ms, err))
            return false;
    }
    if (!h1_frame_response(ret, a->request->method, &a->framing, &why))
        return protocol_error(err, why.why);
    *ret_n = (size_t)n;
    return true;
}

/* A 1xx: told, counted, dropped. */
static bool
interim(struct h1_answer *a, const struct http_response *r, size_t n, struct err *err)
{
    if (r->status == 101)
        return protocol_error(err, "a 101 that nobody asked for");
    if (++a->interims > a->client->interims_max)
        return protocol_error(err, "too many interim answers");
    if (r->status != 100 && a->conf.on_interim)
        a->conf.on_interim(a->conf.ctx, r);
    a->up->in.at += (uint32_t)n;
    if (a->up->in.at == a->up->in.len)
        a->up->in.at = a->up->in.len = 0;
    return true;
}

static bool
is_upgrade(const struct h1_answer *a, const struct http_response *r)
{
    return r->status == 101 && a->conf.want_upgrade;
}

/* Reads heads until a final one. Yields. */
static bool
final_head(struct h1_answer *a, struct http_response *ret, size_t *ret_n, struct err *err)
{
    for (;;) {
        if (!read_head(a, ret, ret_n, NO_DEADLINE, err))
            return false;
        if (ret->status >= 200 || is_upgrade(a, ret))
            return true;
        if (!interim(a, ret, *ret_n, err))
            return false;
    }
}

/* After a head with Expect: the body goes out at a 100 or when continue_ms is over; a final answer makes it needless.
 * *ret_is_final: the final head is in *ret already. Yields. */
static bool
await_continue(struct h1_answer *a, struct body *body, enum h1_sender_kind kind,
               struct http_response *ret, size_t *ret_n, bool *ret_is_final, struct err *err)
{
    struct err local = ERR_INIT;
    uint64_t until = loop_now_ms(loop_of(a)) + a->conf.continue_ms;

    *ret_is_final = false;
    while (read_head(a, ret, ret_n, until, &local)) {
        if (ret->status >= 200) {
            a->framing.keep_alive = false;    /* its body was announced and never came (A11) */
            *ret_is_final = true;
            return true;
        }
        if (!interim(a, ret, *ret_n, err))
            return false;
        if (ret->status == 100)
            break;
    }
    if (local.code != ERR_NONE &&
        (local.code != ERR_TIMEOUT || loop_now_ms(loop_of(a)) >= head_deadline(a)))
        return err_set(err, local.code, "%s", local.text);
    a->holds_body = false;
    h1_sender_start(&a->sender, kind, body, 0);
    return true;
}

/* ---- the answer ---- */

static void
answer_close(struct http_answer *super)
{
    struct h1_answer *a = (struct h1_answer *)super;
    struct h1_upstream *up = a->up;
    bool is_sent = !a->sender.is_busy && a->sender.status == IO_OK;

    if (!up)
        return;
    a->up = NULL;
    up->answer = NULL;
    list_remove(&up->busy_link);
    if (a->has_body)
        body_close(&a->body.super);
    h1_sender_stop(&a->sender);
    /* U1 */
    http_pool_release(up, is_sent && a->has_body && a->body.is_whole && a->framing.keep_alive &&
                              !super->is_upgraded && up->in.at == up->in.len);
}

static void
on_up_sent(struct h1_sender *sender, int status)
{
    struct h1_answer *a = CONTAINER_OF(sender, struct h1_answer, sender);

    if (status == IO_OK)
        stream_shutdown(a->up->in.stream);
    if (a->on_up_sent)
        a->on_up_sent(a->up_ctx, status);
}

static void
answer_upgrade(struct http_answer *super, struct body *up, void (*on_sent_)(void *ctx, int status),
               void *ctx)
{
    struct h1_answer *a = (struct h1_answer *)super;

    ASSERT(super->is_upgraded && !a->sender.is_busy);
    a->on_up_sent = on_sent_;
    a->up_ctx = ctx;
    h1_sender_init(&a->sender, a->up->in.stream, &a->client->scratch, super->arena, &origin_pace,
                   on_up_sent);
    h1_sender_start(&a->sender, H1_SEND_RAW, up, 0);
}

static const struct http_answer_ops h1_answer_ops = {.close = answer_close,
                                                     .upgrade = answer_upgrade};

/* The final head, n bytes of the buffer, becomes the answer. */
static bool
accept_answer(struct h1_answer *a, const struct http_response *r, size_t n, struct err *err)
{
    struct h1_input *in = &a->up->in;
    struct h1_framing open = {.kind = H1_BODY_UNTIL_CLOSE};

    in->at += (uint32_t)n;
    in->floor = in->at;
    a->super.timing.head_ns = loop_now_ns(loop_of(a));
    a->super.response = *r;
    a->super.response.headers = http_headers_in(a->super.arena);
    if (!http_headers_reserve(&a->super.response.headers, MAX(r->headers.n + 8, 16u)) ||
        !http_headers_copy(&a->super.response.headers, &r->headers))
        return err_set(err, ERR_NO_MEMORY, "no memory left for the answer");
    a->super.is_upgraded = is_upgrade(a, r);
    h1_body_begin(&a->body, in, a->super.arena, a->super.is_upgraded ? &open : &a->framing,
                  r->content_length, &a->limits);
    a->has_body = true;
    if (!a->super.is_upgraded) {
        a->body.total_at_ms = a->conf.deadlines.total_at_ms;
        a->body.idle_ms = a->conf.deadlines.idle_ms;
    }
    if (a->body.kind != H1_BODY_NONE)
        a->super.body = &a->body.super;
    return true;
}

static struct h1_answer *
answer_new(struct h1_upstream *up, struct h1_client *client, const struct http_request *request,
           const struct http_exchange_conf *conf, struct arena *arena)
{
    struct h1_answer *a = arena_alloc(arena, 1, sizeof(*a), _Alignof(struct h1_answer));

    if (!a)
        return NULL;
    memset(a, 0, offsetof(struct h1_answer, body));
    h1_sender_init(&a->sender, up->in.stream, &client->scratch, arena, &origin_pace, on_sent);
    a->super.ops = &h1_answer_ops;
    a->super.stream = up->in.stream;
    a->super.arena = arena;
    a->up = up;
    a->client = client;
    a->request = request;
    a->conf = *conf;
    a->limits = (struct h1_head_limits){.fields = client->head_fields_max, .extension_bytes = H1_CHUNK_EXTENSION_BYTES};
    up->answer = a;
    up->served++;
    up->seen_bytes = 0;
    list_push_back(&up->pool->busy, &up->busy_link);
    return a;
}

bool
h1_upstream_lies(struct h1_upstream *up, uint64_t now_ms, uint32_t lain_ms)
{
    const struct h1_answer *a = up->answer;
    const struct h1_body *b = &a->body;

    up->is_read = a->has_body && b->is_whole;
    if (up->is_dropped || !a->has_body || a->super.is_upgraded || b->on_ready || b->super.n_read == 0 ||
        (b->super.status != IO_OK && !b->is_whole)) {
        up->seen_bytes = 0;
        return false;
    }
    if (up->seen_bytes != b->super.n_read) {
        up->seen_bytes = b->super.n_read;
        up->lain_since_ms = now_ms;
        up->begun_ns = a->super.timing.head_ns;
    }
    return now_ms >= up->lain_since_ms + lain_ms;
}

void
h1_upstream_drop(struct h1_upstream *up)
{
    up->is_dropped = true;
    if (!up->answer->body.is_whole)
        h1_body_break(&up->answer->body, IO_TIMEOUT);
    stream_abort(up->in.stream);
    origin_permit_give(up->pool->origin);
}

/* Sends and waits. Yields. */
static bool
run_exchange(struct h1_answer *a, struct body *body, struct err *err)
{
    struct http_response r;
    enum h1_sender_kind kind = H1_SEND_NOTHING;
    bool is_final = false;
    size_t n = 0;

    if (!send_request(a, body, &kind, err))
        return false;
    if (a->conf.continue_ms && kind != H1_SEND_NOTHING &&
        !await_continue(a, body, kind, &r, &n, &is_final, err))
        return false;
    if (!is_final && !final_head(a, &r, &n, err))
        return false;
    return accept_answer(a, &r, n, err);
}

bool
h1_upstream_exchange(struct h1_upstream *up, const struct http_request *request, struct body *body,
                     const struct http_exchange_conf *conf, struct http_timing timing,
                     struct arena *arena, struct http_answer **ret, bool *ret_is_untouched,
                     struct err *err)
{
    struct h1_answer *a = answer_new(up, http_client_h1(up->pool->client), request, conf, arena);

    *ret_is_untouched = false;
    if (!a) {
        http_pool_release(up, false);
        return err_set(err, ERR_NO_MEMORY, "no memory left for an exchange with %.*s",
                       STR_ARG(request->authority));
    }
    a->super.timing = timing;
    if (run_exchange(a, body, err)) {
        *ret = &a->super;
        return true;
    }
    *ret_is_untouched = a->may_resend && !a->has_bytes;
    a->framing.keep_alive = false;
    answer_close(&a->super);
    return false;
}
