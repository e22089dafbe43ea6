/* conn.h: commands and replies of one connection, in order: what is between a stream and link.h, which makes connections.
 * Inside redis/ only.
 *
 *     ring: call 7, call 8, (given up), call 10      replies come in the order of the commands
 *     out:  chunk -> chunk                            sent at the end of the turn, in one write where it fits
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "net/stream.h"
#include "redis/link.h"

struct out_chunk;

struct redis_conn {
    const struct redis_link_options *options;
    struct stream *stream;            /* NULL: closed */
    struct buf in;
    size_t in_at;                     /* bytes before are dealt with */
    struct resp_parser parser;
    struct redis_call **ring;         /* by number & (cap - 1); NULL: nobody waits */
    uint32_t ring_cap;
    uint64_t first, next;             /* numbers: of the next reply, of the next command */
    struct out_chunk *out, **out_end, *spare;
    size_t out_at, unsent;            /* sent of the first chunk; bytes not sent yet */
    struct task flush;
    uint64_t replies;                 /* so far, for whoever watches */
    uint32_t late;                    /* calls given up since one was answered in time */
    bool is_subscribed;               /* RESP2: messages are pushes */
    /* Never yield. on_broken: close it; called at most once. */
    void (*on_push)(struct redis_conn *c, struct resp push);
    void (*on_broken)(struct redis_conn *c, const struct err *why);
};

/* Takes the stream. A closed or zeroed conn becomes open. */
void redis_conn_open(struct redis_conn *c, const struct redis_link_options *options, struct stream *stream);
/* Calls without a reply break. A closed or zeroed one stays so. */
void redis_conn_close(struct redis_conn *c);
/* Frees what a closed one keeps. */
void redis_conn_destroy(struct redis_conn *c);
MUST_USE bool redis_conn_send(struct redis_conn *c, struct redis_call *call, const struct str *words, uint32_t n);
/* Deals with all that has come. Also called by whoever is about to give a call up. */
void redis_conn_read(struct redis_conn *c);
void redis_conn_abandon(struct redis_conn *c, struct redis_call *call);
