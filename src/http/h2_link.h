/* h2_link.h: one HTTP/2 connection, whichever side we are: bytes between a stream and an nghttp2 session, the bodies of its
 * streams, and when to give up. h2_server.c makes calls of it, h2_client.c answers.
 *
 *     readable -> guard -> nghttp2 (callbacks only note what happened) -> events -> fibers, callbacks
 *     anything submitted -> one task at the end of the loop's turn: frames of all streams -> few large writes
 *
 * Nothing of ours runs inside nghttp2: what its callbacks learn is a bit in h2_stream.events, looked at afterwards. So any
 * code may submit, reset or close at any time.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <nghttp2/nghttp2.h>

#include "base/list.h"
#include "http/body.h"
#include "http/h2_guard.h"
#include "http/h2_head.h"
#include "http/pace.h"
#include "net/stream.h"
#include "rt/timer.h"

struct h2_link;
struct h2_stream;

enum h2_event {
    H2_EVENT_HEAD = 1,                /* a head is complete, on_head() has looked at it */
    H2_EVENT_BODY = 2,                /* received bytes, their end, or that they will not come */
    H2_EVENT_SENT = 4,                /* our side of the stream has ended in order */
    H2_EVENT_CLOSED = 8,              /* the session has forgotten the stream */
};

/* What came of a body and has not been read. A piece that was handed out is freed by the next read. */
struct h2_inflow {
    struct body body;
    struct piece **queue;             /* ring of cap, from `first` on */
    uint32_t first, n, cap;
    struct piece *lent;
    uint64_t received;
    uint64_t max;                     /* more than that breaks it; 0: no limit */
    bool is_too_large;                /* it did */
    bool is_complete;                 /* the peer has ended it */
    bool is_broken;                   /* it will never be complete */
    bool is_late;                     /* because it came too slowly */
    bool is_unwanted;                 /* closed by its reader: what comes is dropped */
    bool is_waited;                   /* its reader found nothing at since_ms */
    bool was_read;
    uint64_t since_ms, waited_ms;     /* for the minimum rate: only the reader's waiting counts */
    body_ready_fn *ready;
    void *ready_ctx;
    struct http_headers *trailers;
};

struct h2_stream {
    struct h2_link *link;
    int32_t id;                       /* -1: not submitted yet */
    uint8_t events;                   /* or-ed enum h2_event, not looked at yet */
    bool is_closed;                   /* the session does not know it any more */
    bool is_head_done;                /* a final head has come; what follows are trailers */
    bool is_begun;                    /* our head has gone out */
    bool is_sent;
    bool is_ours;                     /* we broke it off: not the peer's fault */
    bool is_doomed;                   /* a frame of the peer broke it: a reset is on its way out */
    uint32_t error;                   /* the code it was closed with */
    struct arena *arena;
    struct h2_head head;
    struct h2_inflow in;
    /* What goes out. */
    struct body *out;                 /* NULL: a head only, or bytes that nobody has brought yet */
    struct str out_piece;             /* of it, not yet framed */
    bool is_out_waiting;              /* deferred until `out` has something */
    bool is_out_broken;
    uint64_t progress_ms;             /* when a frame of ours went out last */
    uint64_t out_bytes;               /* of `out`, framed */
    struct pace pace;                 /* while is_paced: of what the peer's windows let through */
    bool is_paced;
    struct list_node event_node, node;
};

struct h2_link_ops {
    /* Inside nghttp2, so only note things. */
    struct h2_stream *(*on_begin)(struct h2_link *l, int32_t id);   /* a request begins; NULL: refused. Client: NULL */
    enum h2_head_verdict (*on_head)(struct h2_stream *s, bool is_end); /* not for trailers */
    /* Outside. */
    void (*on_event)(struct h2_stream *s, uint8_t events);    /* may free the stream */
    void (*on_tick)(struct h2_stream *s, uint64_t now_ms);    /* about once a second while streams are open */
    void (*on_first_read)(struct h2_stream *s);   /* of a received body that is not complete; may be NULL */
    void (*on_change)(struct h2_link *l);         /* slots, settings, GOAWAY, death may have changed; may be NULL */
    void (*on_end)(struct h2_link *l);            /* everything is gone: free the link. Once, the last call */
};

struct h2_link_conf {
    struct loop *loop;
    bool is_server;
    const struct h2_guard_limits *guard;
    const struct h2_head_limits *head;
    uint32_t streams_max;             /* that the peer may open */
    uint32_t window;                  /* of a stream once its body is read */
    uint32_t idle_ms, head_ms;
    struct pace_limit pace;           /* of the peer: what it must take of the connection, its streams together */
    _Atomic uint64_t *unread;         /* counts connections ended for their pace; may be NULL */
    uint32_t ping_ms;                 /* silence while streams are open before a PING asks whether anybody is there, and
                                       * once more before the answer is taken to be no; 0: never */
};

#define H2_RESETS_KEPT 16u

struct h2_link {
    const struct h2_link_ops *ops;
    const struct h2_link_conf *conf;
    struct stream *stream;            /* closed with the last object, as calls look at its addresses; tests: NULL */
    nghttp2_session *session;         /* NULL: dead */
    struct h2_guard guard;
    struct task task;                 /* events and output, at the end of the turn; the link is only freed there */
    struct list events;               /* h2_stream.event_node */
    struct list streams;              /* open in the session: h2_stream.node */
    uint32_t n_open, n_held;          /* of these; of objects that point here */
    char *rest;                       /* output that the stream did not take */
    size_t rest_len, rest_at;
    uint64_t sent;                    /* that the stream took */
    struct pace pace;                 /* while there is a rest, or is_paced */
    bool is_paced;                    /* idle, and the socket still holds of what was sent */
    uint64_t looked_ms;               /* that idle time has been looked at for it */
    uint64_t idle_since_ms, head_since_ms, input_ms;
    struct timer timer;
    const char *why;                  /* the peer is at fault: dropped with this */
    uint32_t why_code;                /* in GOAWAY */
    int32_t last_id;                  /* highest stream that the peer opened */
    int32_t reset_ids[H2_RESETS_KEPT]; /* streams that we reset lately: frames on their way to them are let be */
    uint32_t n_resets;                /* so far */
    bool is_closing;                  /* dies once everything is out */
    bool is_draining;
    bool was_idle;                    /* ended because it had no stream for too long */
    bool has_peer_settings;           /* the peer's first SETTINGS have come */
    bool is_pinged;
    bool is_goaway_sent;              /* the second step */
};

/* A window's first size: enough for most bodies; opened to conf->window when a reader comes. */
#define H2_WINDOW_FIRST 65535u

/* Takes the stream (tests: NULL) and sends our settings. False when there is no memory for a session; the stream is
 * closed then. */
bool h2_link_open(struct h2_link *l, const struct h2_link_ops *ops, const struct h2_link_conf *conf,
                  struct stream *stream);
/* Handles `first` (already read) and starts reading. */
void h2_link_start(struct h2_link *l, struct str first);
/* Bytes of the peer. */
void h2_link_feed(struct h2_link *l, struct str bytes);
/* The next output, as much as fits; 0: nothing. max must be above H2_COLLECT_MIN. */
#define H2_COLLECT_MIN ((size_t)17 << 10)
size_t h2_link_collect(struct h2_link *l, char *to, size_t max);
/* Runs events and output at the end of this turn. */
void h2_link_post(struct h2_link *l);
/* GOAWAY with this code after what is queued, then dead. */
void h2_link_end(struct h2_link *l, uint32_t code);
/* Dead now: every open stream breaks, on_end comes when no object points here any more. */
void h2_link_die(struct h2_link *l);
/* GOAWAY in two steps (RFC 9113 6.8). */
void h2_link_drain(struct h2_link *l);
static inline bool
h2_link_is_dead(const struct h2_link *l)
{
    return !l->session;
}

/* id -1: not in the session yet, see h2_stream_opened(). */
void h2_stream_init(struct h2_stream *s, struct h2_link *l, int32_t id, struct arena *arena);
void h2_stream_opened(struct h2_stream *s, int32_t id);
/* The object goes: no event reaches it any more, the session forgets it. */
void h2_stream_drop(struct h2_stream *s);
/* What a stream sends after its head: takes the body. NULL: nothing for now, h2_stream_bring() comes later. */
nghttp2_data_provider h2_stream_provider(struct h2_stream *s, struct body *body);
void h2_stream_bring(struct h2_stream *s, struct body *body);
/* Its body back, NULL when there is none; nothing more is read of it. The stream must be over, or reset. */
struct body *h2_stream_take_out(struct h2_stream *s);
void h2_stream_reset(struct h2_stream *s, uint32_t code);
void h2_stream_raise(struct h2_stream *s, uint8_t events);
/* Does the peer's window keep our body back, or let so little through as the limit does not allow? What it must take a second is
 * shared by all streams. To be asked about once a second. */
bool h2_stream_is_stuck(struct h2_stream *s, const struct pace_limit *limit, uint64_t now_ms);
