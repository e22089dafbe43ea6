/* external.h: the external store of a process: where it is, who this node is, and what all workers know of it together. Each
 * worker has its own way there (remote.h). Counted; any thread.
 *
 *     generations   {headgate}:purges, a stream: its last id is the number of the last purge of all nodes
 *     lease         what is known of them may be used until 2 s after the question was sent that confirmed it
 *     nodes         {headgate}:nodes, a hash: how far each node has applied the purges, written once a second
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/log.h"
#include "cache/cache.h"
#include "net/connect.h"
#include "redis/link.h"

struct external;

struct external_options {
    struct str connection;            /* redis/conf.h */
    struct str trust_pem;             /* beside the system's CAs */
    const struct connect_override *overrides;
    size_t n_overrides;
    struct cache *memory;             /* outlives the last reference */
    uint32_t n_workers;
    struct str node;                  /* what receipts call this node; an id is added */
    uint32_t operation_ms;            /* longest wait for one operation; 0: 50 */
    uint64_t compress_bytes;          /* bodies from here on are compressed; 0: never */
    uint64_t value_bytes_max;         /* larger ones are not stored there */
    bool is_strict;                   /* while it is away prefer-external misses too, instead of using memory alone */
    /* Makes the head of a stored response fit for this build, in place; false: it is damaged. NULL: it is taken as it is. */
    bool (*fix_head)(char *head, size_t len);
    struct offload *offload;          /* for packing large bodies; NULL: the worker does it */
    /* About being away and back, for the log. From any worker; may be NULL. */
    void (*tell)(void *ctx, enum log_level level, const char *text);
    void *tell_ctx;
};

/* Everything is copied but overrides and memory. ERR_SYNTAX and others: the connection string; ERR_TLS. */
struct external *external_new(const struct external_options *options, struct err *err);
struct external *external_ref(struct external *x);
void external_unref(struct external *x);  /* NULL is fine */
/* Whether these options lead to the same store in the same way. */
bool external_is_same(const struct external *x, const struct external_options *options);

struct external_stats {
    uint32_t connections;             /* of the workers, that are up */
    uint64_t hits, misses, stores, removes, purges;
    uint64_t purges_alone;            /* that the store had not taken when they were answered */
    uint64_t purges_outstanding;      /* whose receipts named nodes that had not been heard of */
    uint64_t odd;                     /* values that could not be read: taken for misses */
    uint64_t dead;                    /* values that a purge, an expiry or an older copy of the store had ended */
    uint64_t away;                    /* operations that found nobody to ask */
    uint64_t store_errors;            /* refused by the server, or not answered in time */
    uint64_t copies_dropped;          /* from memory, since the store said that they changed */
    uint64_t turns_waited, turns_filled;
    uint64_t commands, errors, timeouts, connects, breaks, bytes_in, bytes_out;
    uint64_t latency_us, latency[REDIS_LATENCY_BUCKETS];   /* as in struct redis_figures */
    uint64_t generation;
    uint32_t nodes;                   /* heard of lately, this one among them */
};
void external_stats(struct external *x, struct external_stats *ret);
