/* h2.h: HTTP/2 for server.c and client.c, which own accepting, pools and permits; the rest of the gateway sees only
 * struct http_call and struct http_answer.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/client.h"
#include "http/server.h"

/* ---- server ---- */

struct h2_server_conn;

/* What a connection needs of its server. */
struct h2_server_conf {
    struct http_server *server;       /* goes into each call */
    struct loop *loop;
    const struct http_limits *limits; /* read anew for each connection */
    struct arena_cache *arena_cache;
    struct str server_name;
    /* The call is ready: admit it, start its fiber. False: it is answered with 503 here. */
    bool (*start)(struct http_call *call);
    /* The answer of a started call is out or has failed, and nothing of HTTP/2 needs it any more. The owner calls
     * h2_call_release() when its fiber has returned too. */
    void (*finished)(struct http_call *call, int status);
    /* The connection is gone, with all its calls. */
    void (*on_end)(void *ctx, struct h2_server_conn *conn);
    void *ctx;
};

/* True when these first bytes can only be HTTP/2's preface; *ret_more: a prefix of it so far. */
bool h2_is_preface(struct str bytes, bool *ret_more);
/* Takes the stream over; `first` are bytes already read from it. conf must outlive the connection. */
struct h2_server_conn *h2_server_accept(const struct h2_server_conf *conf, struct stream *stream, struct str first);
/* GOAWAY in two steps: requests already on their way are still served, new ones go elsewhere. on_end comes by itself. */
void h2_server_drain(struct h2_server_conn *conn);
/* Ends it now; calls in flight see their answers fail. */
void h2_server_close(struct h2_server_conn *conn);
/* Frees a call that was handed to `finished` (its arena with it). */
void h2_call_release(struct http_call *call);
bool h2_call_is(const struct http_call *call);

/* ---- client ---- */

/* One connection, shared by many exchanges of one worker. */
struct h2_client;

struct h2_client_conf {
    struct loop *loop;
    uint32_t head_bytes, head_fields;   /* of an answer */
    uint32_t window;                    /* of one answer's body in flight; 0: 1 MiB */
    uint32_t idle_ms;                   /* without an exchange; 0: 60 s */
    uint32_t ping_ms;                   /* silence with exchanges open before a PING asks; 0: 10 s. No answer in the
                                         * same time again: the connection is dead */
    /* It takes no exchange any more (GOAWAY, error, idle): forget it. It frees itself after its last exchange. */
    void (*on_retired)(void *ctx, struct h2_client *c);
    /* A slot has become free, or the server allows more. May be NULL. */
    void (*on_slot)(void *ctx, struct h2_client *c);
    void *ctx;
};

/* Takes the stream (ALPN said h2, or prior knowledge). Does not wait for the server's SETTINGS. */
struct h2_client *h2_client_new(const struct h2_client_conf *conf, struct stream *stream);
/* How many more exchanges it takes now. */
uint32_t h2_client_slots(const struct h2_client *c);
uint32_t h2_client_in_flight(const struct h2_client *c);
/* As http_client_exchange(), on this connection; a slot must be free. *ret_is_unseen (on failure): the server has not
 * acted on the request (REFUSED_STREAM, GOAWAY before it, never sent): any method may go out again on another
 * connection if its body is replayable. Yields. */
bool h2_client_exchange(struct h2_client *c, const struct http_request *request, struct body *body,
                        const struct http_exchange_conf *conf, struct arena *arena, struct http_answer **ret,
                        bool *ret_is_unseen, struct err *err);
/* Takes no more exchanges; closes when the last has ended. on_retired is not called. */
void h2_client_retire(struct h2_client *c);
