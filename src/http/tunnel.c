/* tunnel.c: joins the two ends of an upgraded connection (tunnel.h).
 *
 *     client --(from_client: counted)--> answer's sender --> origin
 *     origin --(from_origin: counted)--> call's sender ----> client
 * Both directions are bodies, so the pumps that send messages move the bytes; this file counts them, watches for
 * silence, and ends the one when the other has ended.
 * Invariants: T1  finish() runs once, after the call's answer has ended; the answer is closed there or before.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/tunnel.h"

#include "base/arena.h"
#include "net/stream.h"
#include "rt/timer.h"

#define LAST_WORDS_MS 5000            /* for the second direction, after the first has ended (robustness H6) */

struct tunnel {
    struct http_call *call;
    struct http_answer *answer;
    struct loop *loop;
    struct body up, down;             /* counting layers */
    struct timer timer;
    uint64_t idle_ms, active_ms;
    bool is_up_over, is_over;
    void (*on_done)(void *ctx, struct http_call *call, uint64_t up, uint64_t down);
    void *ctx;
};

static int
counted_try_read(struct tunnel *t, struct body *b, struct str *ret_piece)
{
    int status = body_try_read(b->below, ret_piece);

    if (status == IO_OK)
        t->active_ms = loop_now_ms(t->loop);
    return status;
}

static int
up_try_read(struct body *b, struct str *ret_piece)
{
    return counted_try_read(CONTAINER_OF(b, struct tunnel, up), b, ret_piece);
}

static int
down_try_read(struct body *b, struct str *ret_piece)
{
    return counted_try_read(CONTAINER_OF(b, struct tunnel, down), b, ret_piece);
}

static void
when_ready(struct body *b, body_ready_fn *fn, void *ctx)
{
    body_when_ready(b->below, fn, ctx);
}

static const struct body_ops up_ops = {
    .name = "tunnel up", .try_read = up_try_read, .when_ready = when_ready};
static const struct body_ops down_ops = {
    .name = "tunnel down", .try_read = down_try_read, .when_ready = when_ready};

static void
on_timer(struct timer *timer)
{
    struct tunnel *t = CONTAINER_OF(timer, struct tunnel, timer);
    uint64_t until = t->active_ms + t->idle_ms;

    if (!t->is_up_over && loop_now_ms(t->loop) < until)
        timer_start(t->loop, timer, until, on_timer);
    else {
        if (!t->is_up_over)
            http_server_count_idle(t->call->server, true);
        http_call_abort(t->call);     /* finish() follows */
    }
}

/* The client said all it had to say, or broke: what the origin still says may follow for a moment. */
static void
on_up_sent(void *ctx, int status)
{
    struct tunnel *t = ctx;

    t->is_up_over = true;
    timer_start(t->loop, &t->timer, loop_now_ms(t->loop) + (status == IO_OK ? LAST_WORDS_MS : 1),
                on_timer);
}

/* The way down has ended, in whatever way: so has the tunnel. */
static void
finish(void *ctx, struct http_call *call, int status)
{
    struct tunnel *t = ctx;

    (void)status;
    t->is_over = true;
    timer_stop(t->loop, &t->timer);
    http_answer_close(t->answer);     /* T1; also stops the way up */
    if (t->on_done)
        t->on_done(t->ctx, call, t->up.n_read, t->down.n_read);
}

void
http_tunnel(struct http_call *call, const struct http_response *response,
            struct http_answer *answer, uint64_t idle_ms,
            void (*on_done)(void *ctx, struct http_call *call, uint64_t up, uint64_t down),
            void *ctx)
{
    struct tunnel *t = arena_new(call->arena, struct tunnel);
    struct body *from_client;

    if (!t) {
        http_answer_close(answer);
        http_call_abort(call);
        if (on_done)
            on_done(ctx, call, 0, 0);
        return;
    }
    *t = (struct tunnel){.call = call, .answer = answer, .loop = stream_loop(call->stream), .idle_ms = idle_ms,
                         .on_done = on_done, .ctx = ctx};
    t->active_ms = loop_now_ms(t->loop);
    t->down = (struct body){.ops = &down_ops, .below = answer->body, .length = HTTP_LENGTH_UNKNOWN};
    timer_start(t->loop, &t->timer, t->active_ms + idle_ms, on_timer);
    from_client = http_call_upgrade(call, response, &t->down, finish, t);
    if (!from_client) {
        http_call_abort(call);
        finish(t, call, IO_ERROR);
    } else if (!t->is_over) {
        t->up = (struct body){.ops = &up_ops, .below = from_client, .length = HTTP_LENGTH_UNKNOWN};
        http_answer_upgrade(answer, &t->up, on_up_sent, t);
    }
}
