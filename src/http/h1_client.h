/* h1_client.h: inside http/: connections to origins that speak HTTP/1, and one exchange on one of them. Which
 * connection an exchange gets, and whether it is tried again, is client.c's.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/h1_sender.h"
#include "http/origin.h"

struct h1_answer;

struct h1_upstream {
    struct h1_input in;               /* its stream is the connection */
    struct http_pool *pool;
    struct list_node idle_link;       /* in pool->idle exactly while answer == NULL and nobody is about to use it */
    struct timer timer;               /* while idle; looks again when it fires */
    uint64_t idle_until_ms;
    uint32_t served;                  /* exchanges so far */
    struct list_node busy_link;       /* in pool->busy while answer != NULL */
    uint64_t seen_bytes;              /* of the answer, at the last look of relief.c */
    uint64_t lain_since_ms;           /* the look that saw them first */
    uint64_t begun_ns;                /* when the answer's head came */
    bool is_read;                     /* to its end, at the last look: dropping it breaks nothing off */
    bool is_dropped;                  /* its connection and permit are gone, what was read is still there */
    bool is_uploading;                /* counted by upload_begin(); the body is not out yet */
    struct h1_answer *answer;         /* the exchange that has it */
};

/* What h1 exchanges of one worker share. */
struct h1_client {
    struct h1_buffers buffers;
    struct loop_spares spares;
    struct h1_scratch scratch;
    struct http_headers head_fields;  /* where heads are parsed; copied once they are whole */
    struct arena head_arena;
    uint32_t head_bytes, head_fields_max, interims_max;
};
void h1_client_create(struct h1_client *c, struct loop *loop, const struct http_client_conf *conf);
void h1_client_destroy(struct h1_client *c);

/* Takes the connected stream. */
struct h1_upstream *h1_upstream_new(struct h1_client *c, struct http_pool *pool,
                                    struct stream *stream);
/* Closes; the permit is the caller's to give back. */
void h1_upstream_delete(struct h1_upstream *up);

/* Sends, and waits for the head of the answer. On failure the connection is closed, and *ret_is_untouched says
 * that not one byte of an answer had come. Yields. */
bool h1_upstream_exchange(struct h1_upstream *up, const struct http_request *request,
                          struct body *body, const struct http_exchange_conf *conf,
                          struct http_timing timing, struct arena *arena, struct http_answer **ret,
                          bool *ret_is_untouched, struct err *err);

/* The exchange's body is out, or never will be; more than once is fine. */
void h1_upstream_uploaded(struct h1_upstream *up);

/* A look: was the answer begun, does nobody wait for more of it, and has nothing been read of it for so long? */
bool h1_upstream_lies(struct h1_upstream *up, uint64_t now_ms, uint32_t lain_ms);
/* Gives the permit back and closes the connection; an answer that was not read to its end is broken off: whoever reads it next learns
 * that. What was read before stays. */
void h1_upstream_drop(struct h1_upstream *up);

struct h1_client *http_client_h1(struct http_client *c);
/* client.c: the exchange is over; is_reusable: the connection can serve another. */
void http_pool_release(struct h1_upstream *up, bool is_reusable);
