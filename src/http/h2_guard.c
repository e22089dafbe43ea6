/* h2_guard.c: frame heads, header blocks, tokens and resets (h2_guard.h).
 *
 *     length:24 type:8 flags:8 stream:32 payload...        RFC 9113 4.1
 *
 * Whether frames are legal is nghttp2's business; this only counts.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/h2_guard.h"

enum frame_type {
    FRAME_DATA, FRAME_HEADERS, FRAME_PRIORITY, FRAME_RST_STREAM, FRAME_SETTINGS, FRAME_PUSH_PROMISE, FRAME_PING,
    FRAME_GOAWAY, FRAME_WINDOW_UPDATE, FRAME_CONTINUATION,
};

#define PROTOCOL_ERROR 1u
#define STREAM_CLOSED 5u
#define ENHANCE_YOUR_CALM 11u
#define FLAG_END_STREAM 1u
#define FLAG_END_HEADERS 4u
#define FLAG_PADDED 8u
#define PADDING_MAX 256u /* a padded frame no longer than that may be nothing else */

/* What a frame costs. SETTINGS and PING make us answer; the others make us work. A DATA frame that we send brings back
 * the updates of two windows and some; so does a new request. */
static const int32_t frame_costs[] = {
    [FRAME_PRIORITY] = 2, [FRAME_RST_STREAM] = 2, [FRAME_SETTINGS] = 20, [FRAME_PUSH_PROMISE] = 20, [FRAME_PING] = 4,
    [FRAME_GOAWAY] = 20, [FRAME_WINDOW_UPDATE] = 1,
};
#define COST_UNKNOWN 2      /* extensions, which we ignore */
#define COST_EMPTY_DATA 4
#define BYTES_PER_TOKEN 32  /* of a block that was no message */
#define LONG_BLOCK 1024     /* bytes; judged before anything behind it is looked at */
#define GAIN_HEADERS 8
#define GAIN_SENT_DATA 8

void
h2_guard_init(struct h2_guard *g, const struct h2_guard_limits *limits, bool has_preface, uint64_t now_ms)
{
    *g = (struct h2_guard){.limits = limits, .code = ENHANCE_YOUR_CALM, .parent_n = 4, .tokens_x1000 = (int64_t)limits->tokens * 1000, .refilled_ms = now_ms,
                           .preface_left = has_preface ? sizeof(H2_PREFACE) - 1 : 0};
}

static void
gain(struct h2_guard *g, int64_t x1000)
{
    g->tokens_x1000 = MIN(g->tokens_x1000 + x1000, (int64_t)g->limits->tokens * 1000);
}

static int32_t
frame_cost(uint8_t type, uint8_t flags, uint32_t length)
{
    if (type == FRAME_DATA && !(flags & FLAG_END_STREAM))
        return length == 0 || (length <= PADDING_MAX && (flags & FLAG_PADDED)) ? COST_EMPTY_DATA : 0;
    if (type == FRAME_HEADERS)
        return -GAIN_HEADERS;
    if (type == FRAME_CONTINUATION)
        return 0;
    return type < COUNTOF(frame_costs) ? frame_costs[type] : COST_UNKNOWN;
}

/* C3: a block is bounded in bytes and frames. */
static const char *
count_block(struct h2_guard *g, uint8_t type, uint8_t flags, uint32_t length)
{
    if (type == FRAME_HEADERS || type == FRAME_PUSH_PROMISE)
        g->block_bytes = g->block_frames = 0;
    else if (type != FRAME_CONTINUATION)
        return NULL;
    g->block_bytes += length;
    g->is_in_block = !(flags & FLAG_END_HEADERS);
    if (++g->block_frames > g->limits->block_frames)
        return "a header block in too many frames";
    if (g->block_bytes > g->limits->block_bytes)
        return "a header block that is too long";
    return NULL;
}

static uint32_t
stream_number(const uint8_t p[4])
{
    return ((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]) & INT32_MAX;
}

static const char *
refuse(struct h2_guard *g, uint32_t code, const char *why)
{
    g->code = code;
    return why;
}

/* Payload that only we look at. */
static const char *
on_payload(struct h2_guard *g, struct str bytes)
{
    size_t n = MIN(bytes.len, (size_t)(4 - g->parent_n));

    memcpy(g->parent + g->parent_n, bytes.p, n);
    g->parent_n += (uint8_t)n;
    if (n && g->parent_n == 4 && stream_number(g->parent) == stream_number(g->head + 5))
        return refuse(g, PROTOCOL_ERROR, "a stream that depends on itself");
    return NULL;
}

static const char *
on_frame(struct h2_guard *g)
{
    uint32_t length = (uint32_t)g->head[0] << 16 | (uint32_t)g->head[1] << 8 | g->head[2];
    uint8_t type = g->head[3], flags = g->head[4];
    uint32_t stream = stream_number(g->head + 5);
    const char *why = count_block(g, type, flags, length);
    int32_t cost = frame_cost(type, flags, length);

    g->payload_left = length;
    g->parent_n = type == FRAME_PRIORITY && length == 5 ? 0 : 4;
    if (why)
        return why;
    if (type == FRAME_PRIORITY && stream == 0)
        return refuse(g, PROTOCOL_ERROR, "PRIORITY on stream 0");
    if ((type == FRAME_DATA || type == FRAME_HEADERS) && g->is_over && g->is_over(g->ctx, (int32_t)stream))
        return refuse(g, STREAM_CLOSED, "frames for a stream that has ended");
    if (cost < 0)
        gain(g, -(int64_t)cost * 1000);
    else
        g->tokens_x1000 -= (int64_t)cost * 1000;
    return g->tokens_x1000 < 0 ? "a flood of control frames" : NULL;
}

const char *
h2_guard_malformed(struct h2_guard *g)
{
    g->code = ENHANCE_YOUR_CALM;
    g->tokens_x1000 -= (int64_t)(GAIN_HEADERS + g->block_bytes / BYTES_PER_TOKEN) * 1000;
    return g->tokens_x1000 < 0 ? "a flood of malformed header blocks" : NULL;
}

/* One step: preface, payload or frame head; how many bytes it took. */
static size_t
step(struct h2_guard *g, struct str bytes, const char **ret_why)
{
    size_t n;

    if (g->preface_left) {
        n = MIN(bytes.len, (size_t)g->preface_left);
        g->preface_left -= (uint8_t)n;
    } else if (g->payload_left) {
        n = MIN(bytes.len, (size_t)g->payload_left);
        g->payload_left -= (uint32_t)n;
        if (UNLIKELY(g->parent_n < 4))
            *ret_why = on_payload(g, str_sub(bytes, 0, n));
    } else {
        n = MIN(bytes.len, (size_t)(H2_FRAME_HEAD - g->head_n));
        memcpy(g->head + g->head_n, bytes.p, n);
        g->head_n += (uint8_t)n;
        if (g->head_n == H2_FRAME_HEAD) {
            g->head_n = 0;
            *ret_why = on_frame(g);
        }
    }
    return n;
}

/* After a whole frame: what it closes or spoils must be known before the next is counted. */
static bool
is_turn_of_others(const struct h2_guard *g)
{
    bool is_head = g->head[3] == FRAME_HEADERS || g->head[3] == FRAME_CONTINUATION;

    return g->head[3] == FRAME_RST_STREAM || (is_head && !g->is_in_block && g->block_bytes >= LONG_BLOCK);
}

const char *
h2_guard_read(struct h2_guard *g, struct str bytes, uint64_t now_ms, size_t *ret_n)
{
    const char *why = NULL;
    bool is_turn = false;
    size_t at = 0;

    if (now_ms > g->refilled_ms) {
        gain(g, (int64_t)MIN(now_ms - g->refilled_ms, (uint64_t)60000) * g->limits->tokens_per_s);
        g->refilled_ms = now_ms;
    }
    while (at < bytes.len && !why && !is_turn) {
        at += step(g, str_skip(bytes, at), &why);
        is_turn = !g->payload_left && !g->head_n && !g->preface_left && is_turn_of_others(g);
    }
    *ret_n = at;
    return why;
}

const char *
h2_guard_closed(struct h2_guard *g, bool was_reset)
{
    g->n_closed++;
    g->n_reset += was_reset;
    if (g->n_reset * 2 >= g->limits->resets_of)
        return "streams opened only to be reset";
    if (g->n_closed >= g->limits->resets_of)
        g->n_closed = g->n_reset = 0;
    return NULL;
}

bool
h2_guard_is_in_head(const struct h2_guard *g)
{
    return g->preface_left || g->head_n || g->is_in_block || (g->payload_left && g->head[3] != FRAME_DATA);
}

void
h2_guard_sent_data(struct h2_guard *g, uint32_t n)
{
    gain(g, (int64_t)n * GAIN_SENT_DATA * 1000);
}
