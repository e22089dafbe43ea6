/* quotas.c: fixed windows of calls and bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/quotas.h"

#include "http/body.h"
#include "http/server.h"
#include "rt/loop.h"

uint64_t
quota_window(const struct exchange *ex, const struct quota_limit *l, uint64_t *ret_left_s)
{
    int64_t since = (int64_t)(loop_wall_ns(ex->services->loop) / 1000000000) - l->start_s;

    *ret_left_s = 0;
    if (l->period_s == 0)
        return 1;
    since = MAX(since, (int64_t)0);
    *ret_left_s = l->period_s - (uint64_t)since % l->period_s;
    return (uint64_t)since / l->period_s + 1;
}

/* A .NET TimeSpan: [d.]hh:mm:ss. */
static struct str
time_span(struct exchange *ex, uint64_t seconds)
{
    uint64_t days = seconds / 86400;
    unsigned h = (unsigned)(seconds / 3600 % 24), m = (unsigned)(seconds / 60 % 60), s = (unsigned)(seconds % 60);

    return days ? str_printf(ex->arena, "%" PRIu64 ".%02u:%02u:%02u", days, h, m, s)
                : str_printf(ex->arena, "%02u:%02u:%02u", h, m, s);
}

static enum flow
refuse(struct exchange *ex, bool is_calls, uint64_t left_s)
{
    if (left_s == 0)
        return exchange_refuse(ex, is_calls ? E_CALL_QUOTA_EXCEEDED_FOR_GOOD : E_BANDWIDTH_QUOTA_EXCEEDED_FOR_GOOD);
    exchange_refuse(ex, is_calls ? E_CALL_QUOTA_EXCEEDED : E_BANDWIDTH_QUOTA_EXCEEDED, time_span(ex, left_s));
    exchange_refusal_header(ex, STR("Retry-After"), str_printf(ex->arena, "%" PRIu64, left_s));
    return FLOW_ERROR;
}

enum flow
quota_check(struct exchange *ex, const struct quota_limit *l, struct str key)
{
    uint64_t left_s, window = quota_window(ex, l, &left_s);
    struct quota_state now = limit_quota(ex, key, window, left_s, 0, 0);

    if (l->calls && now.calls >= l->calls)
        return refuse(ex, true, left_s);
    if (l->bandwidth_bytes && now.bytes >= l->bandwidth_bytes)
        return refuse(ex, false, left_s);
    return FLOW_NEXT;
}

enum flow
quota_take(struct exchange *ex, const struct quota_limit *l, struct str key)
{
    uint64_t left_s, window = quota_window(ex, l, &left_s);
    struct quota_state before = limit_quota(ex, key, window, left_s, 1, 0);

    return l->calls && before.calls >= l->calls ? refuse(ex, true, left_s) : FLOW_NEXT;
}

static uint64_t
content_bytes(const struct content *c)
{
    switch (c->state) {
    case CONTENT_STREAM:
        return c->stream->length > 0 ? (uint64_t)c->stream->length : c->stream->n_read;
    case CONTENT_BYTES:
        return c->bytes.len;
    case CONTENT_PIECES:
        return c->pieces->bytes;
    case CONTENT_NONE:
    case CONTENT_CONSUMED:
    case CONTENT_READING:
        return 0;
    }
    UNREACHABLE();
}

static uint64_t
quota_bytes(const struct exchange *ex)
{
    uint64_t request = ex->call && ex->call->body ? ex->call->body->n_read : content_bytes(ex->request.content);

    return request + (ex->response ? content_bytes(&ex->response->content) : 0);
}

/* An answer of open length whose bytes pass by. */
struct passing {
    uint64_t window, counted;         /* bytes that were read before its end was known */
    struct str key;
};

static void
count_rest(struct exchange *ex, void *arg, uint64_t body_bytes)
{
    const struct passing *p = arg;

    if (body_bytes > p->counted)
        quota_add_late(ex->services->counters, p->key, p->window, body_bytes - p->counted);
}

void
quota_count(struct exchange *ex, const struct quota_limit *l, struct str key, uint64_t calls)
{
    const struct content *answer = ex->response ? &ex->response->content : NULL;
    uint64_t left_s, window = quota_window(ex, l, &left_s);
    struct passing *p;

    if (answer && answer->state == CONTENT_STREAM && answer->stream->length < 0 && (p = arena_new(ex->arena, struct passing))) {
        *p = (struct passing){.window = window, .counted = answer->stream->n_read, .key = key};
        if (!exchange_after_answer(ex, count_rest, p))
            exchange_trace(ex, TRACE_ERROR, STR("quota"), STR("no memory left to count the answer's bytes"));
    }
    limit_quota(ex, key, window, left_s, calls, quota_bytes(ex));
}
