/* h2_peer.h: the other end of an HTTP/2 connection for unit tests: an nghttp2 session of its own in memory, no sockets.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "http/h2_link.h"
#include "test.h"

#define PEER_STREAMS 512

/* What the peer saw of one stream. */
struct peer_stream {
    char status[8];
    struct buf headers, trailers;     /* "name: value\n" each */
    struct buf alone;                 /* "name\n" of those that were not to be kept in the compression table */
    struct buf body;
    int heads;                        /* HEADERS frames: 1, more with interim answers and trailers */
    bool is_ended, is_closed;
    uint32_t error;                   /* it was closed with */
};

struct peer {
    nghttp2_session *session;
    struct h2_link *link;             /* of the code under test */
    struct loop *loop;
    struct peer_stream streams[PEER_STREAMS];  /* by id / 2 */
    struct buf raw;                   /* bytes to send beside the session's */
    uint32_t goaway;                  /* error code of the last GOAWAY + 1; 0: none */
    int n_goaways, n_pings;
    int32_t last_id;
    int32_t requests[64];             /* ids of what the code under test asked, when the peer is a server */
    int n_requests;
    uint32_t writes;                  /* how often the link had something to say */
    bool is_reading;                  /* the link's output is taken */
};

static struct peer_stream *
peer_stream(struct peer *p, int32_t id)
{
    return &p->streams[id / 2 % PEER_STREAMS];
}

static int
peer_on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
               const uint8_t *value, size_t value_len, uint8_t flags, void *ctx)
{
    struct peer *p = ctx;
    struct peer_stream *s = peer_stream(p, frame->hd.stream_id);
    bool is_trailer = frame->headers.cat == NGHTTP2_HCAT_HEADERS && s->heads && s->status[0] != '1';
    struct buf *to = is_trailer ? &s->trailers : &s->headers;

    if (flags & NGHTTP2_NV_FLAG_NO_INDEX)
        buf_printf(&s->alone, "%.*s\n", (int)name_len, (const char *)name);
    if (name_len == 7 && memcmp(name, ":status", 7) == 0)
        snprintf(s->status, sizeof(s->status), "%.*s", (int)value_len, (const char *)value);
    else
        buf_printf(to, "%.*s: %.*s\n", (int)name_len, (const char *)name, (int)value_len, (const char *)value);
    return 0;
}

static int
peer_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct peer *p = ctx;
    struct peer_stream *s = peer_stream(p, frame->hd.stream_id);

    if (frame->hd.type == NGHTTP2_GOAWAY) {
        p->goaway = frame->goaway.error_code + 1;
        p->n_goaways++;
        p->last_id = frame->goaway.last_stream_id;
    }
    p->n_pings += frame->hd.type == NGHTTP2_PING;
    if (frame->hd.type == NGHTTP2_HEADERS)
        s->heads++;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        p->requests[p->n_requests++ % 64] = frame->hd.stream_id;
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        s->is_ended = true;
    return 0;
}

static int
peer_on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n, void *ctx)
{
    buf_add(&peer_stream(ctx, id)->body, bytes, n);
    return 0;
}

static int
peer_on_close(nghttp2_session *session, int32_t id, uint32_t error, void *ctx)
{
    struct peer_stream *s = peer_stream(ctx, id);

    s->is_closed = true;
    s->error = error;
    return 0;
}

static void
peer_init(struct peer *p, struct loop *loop, struct h2_link *link, bool is_client)
{
    nghttp2_session_callbacks *c;
    nghttp2_option *o;

    *p = (struct peer){.link = link, .loop = loop, .is_reading = true};
    nghttp2_session_callbacks_new(&c);
    nghttp2_session_callbacks_set_on_header_callback(c, peer_on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, peer_on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, peer_on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, peer_on_close);
    nghttp2_option_new(&o);
    nghttp2_option_set_max_send_header_block_length(o, 1 << 20);
    (is_client ? nghttp2_session_client_new2 : nghttp2_session_server_new2)(&p->session, c, p, o);
    nghttp2_session_callbacks_del(c);
    nghttp2_option_del(o);
    nghttp2_submit_settings(p->session, NGHTTP2_FLAG_NONE, NULL, 0);
}

static void
peer_destroy(struct peer *p)
{
    for (size_t i = 0; i < PEER_STREAMS; i++) {
        buf_destroy(&p->streams[i].headers);
        buf_destroy(&p->streams[i].trailers);
        buf_destroy(&p->streams[i].alone);
        buf_destroy(&p->streams[i].body);
    }
    buf_destroy(&p->raw);
    nghttp2_session_del(p->session);
}

/* Carries bytes both ways and turns the loop until nothing moves. */
static UNUSED void
peer_run(struct peer *p)
{
    static char out[96 << 10];

    for (int quiet = 0; quiet < 3;) {
        const uint8_t *bytes;
        ssize_t n;
        size_t len = 0;
        quiet++;
        while ((n = nghttp2_session_mem_send(p->session, &bytes)) > 0) {
            h2_link_feed(p->link, str_from((const char *)bytes, (size_t)n));
            quiet = 0;
        }
        if (p->raw.len) {
            h2_link_feed(p->link, buf_str(&p->raw));
            buf_clear(&p->raw);
            quiet = 0;
        }
        loop_turn(p->loop, 0);
        if (p->is_reading && !h2_link_is_dead(p->link))
            len = h2_link_collect(p->link, out, sizeof(out));
        if (len) {
            p->writes++;
            nghttp2_session_mem_recv(p->session, (uint8_t *)out, len);
            quiet = 0;
        }
    }
}

#define NV(name, value) {(uint8_t *)(name), (uint8_t *)(value), strlen(name), strlen(value), NGHTTP2_NV_FLAG_NONE}

/* A request without a body unless provider is given. */
static UNUSED int32_t
peer_request(struct peer *p, const char *method, const char *path, const nghttp2_data_provider *provider)
{
    nghttp2_nv nv[] = {NV(":method", method), NV(":scheme", "http"), NV(":authority", "api.example"), NV(":path", path)};

    return nghttp2_submit_request(p->session, NULL, nv, COUNTOF(nv), provider, NULL);
}

static UNUSED bool
peer_saw(struct buf *where, const char *line)
{
    return str_find(buf_str(where), str_from_c(line), 0) >= 0;
}
