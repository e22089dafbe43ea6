/* log_delivery.c: the turn of an HTTP outlet.
 *
 * One exchange has the turn: it takes messages, oldest first, and posts each until the queue is empty. After BATCH tries it hands over
 * to a fresh exchange, since an arena only grows. A failed message goes back to the front and is tried again after a pause that
 * doubles, until it is older than the logger's timeout; what the endpoint refuses for good (4xx) is given up at once.
 * The snapshot that the exchange holds keeps the outlet alive. A cancelled turn (the process ends) leaves its messages in the queue.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/log_delivery.h"

#include "data/jwt.h"
#include "exchange/access_token.h"
#include "exchange/detached.h"
#include "exchange/outgoing.h"
#include "http/headers.h"
#include "observe/outlet.h"
#include "rt/fiber.h"
#include "rt/loop.h"

#define BATCH 32u
#define PAUSE_MS 200u
#define PAUSE_MS_MAX 30000u
#define SEND_MS 30000u
#define TOKEN_S 900                   /* life of a token that does not say it */

enum sent { SENT_OK, SENT_AGAIN, SENT_NEVER, SENT_CANCELLED };

static void start(struct exchange *ex, struct outlet *o, void (*fn)(struct exchange *ex, void *arg));

/* The properties as the REST interface of event hubs takes them. */
static bool
add_properties(struct exchange *ex, const struct outlet_message *m, struct http_headers *headers)
{
    struct buf b = buf_in(ex->arena);

    if (!m->key.p && m->partition < 0)
        return true;
    buf_add_char(&b, '{');
    if (m->partition >= 0)
        buf_printf(&b, "\"PartitionId\":\"%" PRId32 "\"", m->partition);
    if (m->key.p) {
        buf_add_str(&b, m->partition >= 0 ? STR(",\"PartitionKey\":\"") : STR("\"PartitionKey\":\""));
        for (size_t i = 0; i < m->key.len; i++)           /* a header is ASCII: the rest as JSON escapes or not at all */
            if ((unsigned char)m->key.p[i] >= ' ' && (unsigned char)m->key.p[i] < 0x7f)
                buf_add_json_escaped(&b, str_sub(m->key, i, i + 1));
        buf_add_char(&b, '"');
    }
    buf_add_char(&b, '}');
    return !b.failed && http_headers_add(headers, STR("BrokerProperties"), buf_str(&b));
}

static bool
make(struct exchange *ex, const struct logger_target *t, const struct outlet_message *m, struct outgoing *o, struct err *err)
{
    *o = (struct outgoing){.method = STR("POST"), .headers = arena_new(ex->arena, struct http_headers), .timeout_ms = SEND_MS,
                           .is_trusted = true, .content = {.state = CONTENT_BYTES, .bytes = m->text}};
    if (!url_parse(ex->arena, t->url, &o->url, err))
        return false;
    if (!o->headers)
        return err_set(err, ERR_NO_MEMORY, "no memory left for a message");
    *o->headers = http_headers_in(ex->arena);
    if (http_headers_add(o->headers, STR("Content-Type"), STR("text/plain; charset=utf-8")) && add_properties(ex, m, o->headers) &&
        (!t->authorization.len || http_headers_add(o->headers, STR("Authorization"), t->authorization)))
        return true;
    return err_set(err, ERR_NO_MEMORY, "no memory left for a message");
}

static enum sent
post(struct exchange *ex, struct outlet *o, const struct outlet_message *m)
{
    struct outgoing out;
    struct reply *reply;
    struct err err;

    if (!make(ex, outlet_target(o), m, &out, &err) || !outgoing_send(ex, &out, &reply, &err)) {
        if (err.code == ERR_CANCELLED)
            return SENT_CANCELLED;
        outlet_complain(o, err.text);
        return SENT_AGAIN;
    }
    if (reply->status / 100 == 2)
        return SENT_OK;
    outlet_complain(o, str_printf(ex->arena, "the endpoint answered %u", reply->status).p);
    return reply->status / 100 == 4 && reply->status != 408 && reply->status != 429 ? SENT_NEVER : SENT_AGAIN;
}

static bool
is_too_old(const struct exchange *ex, const struct outlet *o, const struct outlet_item *item)
{
    uint64_t age_ns = loop_wall_ns(ex->services->loop) - item->wall_ns;

    return (int64_t)age_ns > 0 && age_ns / 1000000 > outlet_target(o)->timeout_ms;
}

/* Tries one message. False: the turn is over, and its messages stay where they are. Yields. */
static bool
deliver(struct exchange *ex, struct outlet *o, struct outlet_item *item)
{
    enum sent sent = post(ex, o, &item->message);
    uint32_t pause = PAUSE_MS << MIN(item->tries, 8u);

    if (sent == SENT_OK || sent == SENT_NEVER || (sent == SENT_AGAIN && is_too_old(ex, o, item))) {
        outlet_done(o, item, sent == SENT_OK);
        return true;
    }
    item->tries++;
    outlet_return(o, item);
    return sent == SENT_AGAIN && fiber_sleep(loop_deadline(ex->services->loop, MIN(pause, PAUSE_MS_MAX)), NULL);
}

static void
take_turn(struct exchange *ex, void *arg)
{
    struct outlet *o = arg;
    struct outlet_item *item = NULL;
    uint32_t n = 0;

    while (n++ < BATCH && (item = outlet_take(o)))
        if (!deliver(ex, o, item))
            break;
    if (n <= BATCH && !item)
        return;
    outlet_end(o);
    if (n > BATCH && outlet_begin(o))
        start(ex, o, take_turn);
}

static void
get_token(struct exchange *ex, void *arg)
{
    struct outlet *o = arg;
    const struct logger_target *t = outlet_target(o);
    int64_t now_s = (int64_t)(loop_wall_ns(ex->services->loop) / 1000000000), expires_s = now_s + TOKEN_S;
    struct str token;
    struct jwt jwt;
    struct err err;

    if (!identity_token(ex, t->resource, t->client_id, &token, &err)) {
        outlet_set_token(o, STR_NONE, 0, err.text);
        return;
    }
    if (jwt_parse(ex->arena, token, JWT_TOLERANT, &jwt, NULL))
        expires_s = json_i64(json_get_lit(jwt.claims, "exp"), expires_s);
    outlet_set_token(o, token, expires_s, "");
}

struct delivery {
    struct outlet *outlet;
    void (*fn)(struct exchange *ex, void *arg);
};

static void
run(struct exchange *ex, void *arg)
{
    const struct delivery *d = arg;
    uint32_t *count = ex->services->detached;

    d->fn(ex, d->outlet);
    if (count)
        --*count;
}

/* On an exchange of its own; without room for one the next message tries again. */
static void
start(struct exchange *ex, struct outlet *o, void (*fn)(struct exchange *ex, void *arg))
{
    uint32_t *count = ex->services->detached;
    struct exchange *own = detached_new(ex, NULL);
    struct delivery *d = own ? arena_new(own->arena, struct delivery) : NULL;

    if (d) {
        *d = (struct delivery){o, fn};
        if (count)
            ++*count;
        if (detached_start(own, run, d))
            return;
        if (count)
            --*count;
    } else if (own) {
        detached_delete(own);
    }
    if (fn == take_turn)
        outlet_end(o);
    else
        outlet_set_token(o, STR_NONE, 0, "no room to ask for a token");
}

bool
log_deliver(struct exchange *ex, struct outlet *o, const struct outlet_message *m)
{
    bool ok = outlet_put(o, m);

    if (outlet_target(o)->kind == LOGGER_TARGET_HTTP && outlet_begin(o))
        start(ex, o, take_turn);
    else if (outlet_wants_token(o))
        start(ex, o, get_token);
    return ok;
}
