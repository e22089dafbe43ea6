/* h2_guard.h: looks at the frames a peer sends before nghttp2 does, and says when they are an attack: header blocks
 * without end, floods of frames that cost us more than their sender, streams opened to be reset (robustness C1-C4). It also
 * reads the PRIORITY frames, which nghttp2 passes over once they are switched off.
 * Each connection has tokens; frames that carry nothing cost some, time and useful work bring some back.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

#define H2_FRAME_HEAD 9u
#define H2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

struct h2_guard_limits {
    uint32_t block_bytes;             /* one header block, compressed */
    uint32_t block_frames;            /* HEADERS and CONTINUATION of one block */
    int32_t tokens;                   /* at the start, and the most there can be */
    int32_t tokens_per_s;
    uint32_t resets_of;               /* drop when half of this many closed streams were reset early */
};

struct h2_guard {
    const struct h2_guard_limits *limits;
    /* Has the peer ended this stream, or passed it over? Asked for DATA and HEADERS; NULL: never. */
    bool (*is_over)(void *ctx, int32_t id);
    void *ctx;
    uint8_t head[H2_FRAME_HEAD];      /* of the frame that is being read */
    uint8_t head_n;
    uint8_t preface_left;             /* bytes of the client's preface still to come */
    bool is_in_block;                 /* a block without END_HEADERS so far */
    uint32_t payload_left;
    uint8_t parent[4];                /* of the PRIORITY frame that is being read: the stream it depends on */
    uint8_t parent_n;                 /* bytes of it, 4 when there is nothing to collect */
    uint32_t code;                    /* what a refusal's GOAWAY says */
    uint32_t block_bytes, block_frames;
    int64_t tokens_x1000;
    uint64_t refilled_ms;
    uint32_t n_closed, n_reset;       /* of the present window of resets_of streams */
};

/* limits must outlive the guard. has_preface: the peer is a client. */
void h2_guard_init(struct h2_guard *g, const struct h2_guard_limits *limits, bool has_preface, uint64_t now_ms);
/* All bytes that came, in order, a part at a time: *ret_n of them are for nghttp2 before the next call, so that what they
 * close is closed, and what they spoil is charged, when later frames are looked at. NULL: go on. Otherwise the connection
 * is to be dropped with g->code, ENHANCE_YOUR_CALM mostly, without looking further; the result says why. */
const char *h2_guard_read(struct h2_guard *g, struct str bytes, uint64_t now_ms, size_t *ret_n);
/* A stream has closed. was_reset: before its answer was complete, by the peer or through the peer's fault. Result as
 * above. */
const char *h2_guard_closed(struct h2_guard *g, bool was_reset);
/* The header block that is being read is not a message; its stream is about to be reset. It costs by its length, which
 * we had to decode. Result as above. */
const char *h2_guard_malformed(struct h2_guard *g);
/* In the middle of something that must not take long: preface, frame head, any frame but DATA, a header block. */
bool h2_guard_is_in_head(const struct h2_guard *g);
/* n DATA frames have gone out: the peer may answer each with updates of its windows. */
void h2_guard_sent_data(struct h2_guard *g, uint32_t n);
