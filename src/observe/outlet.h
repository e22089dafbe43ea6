/* outlet.h: the ends that messages of log-to-eventhub leave by: one for each logger, shared by all workers, kept over publishes while
 * nothing about the logger changes.
 *
 *     outlet_put()    a worker: never waits, never fails a request; above the queue's bound the message is dropped and counted
 *       KAFKA         into librdkafka's own queue; its threads deliver, ours hears of it
 *       FILE          into the outlet's queue; our thread writes one JSON line a message
 *       HTTP          into the outlet's queue; whoever gets true from outlet_begin() takes and sends until it is empty
 * Thread-safe.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "base/list.h"
#include "base/str.h"
#include "model/logger_target.h"

struct clock;
struct resolve_rule;

#define OUTLET_MESSAGE_MAX (200u * 1024)  /* longer ones are cut, between characters */

struct outlet_message {
    struct str text;
    struct str key;                   /* partition key; STR_NONE: none */
    int32_t partition;                /* -1: any */
};

/* A message in the queue of a FILE or HTTP outlet; texts live behind it. */
struct outlet_item {
    struct list_node link;
    struct outlet_message message;
    uint64_t wall_ns;
    uint32_t tries;
};

struct outlet_stats {
    uint64_t events, delivered, failed, dropped, truncated, bytes;
    uint64_t waiting;                 /* now */
};

struct outlets;
struct outlet;

struct outlet_conf {
    struct str name;                  /* of the logger */
    const struct logger_target *target;
    const struct resolve_rule *resolve;   /* names that lead elsewhere, for KAFKA */
    uint32_t n_resolve;
    struct str extra_ca_pem;          /* trusted beside the system's; empty: none */
};

struct outlets *outlets_new(const struct clock *clock);
/* Waits until everything is delivered, or until the machine's monotonic clock (no offset) says end_ns. False when messages are
 * left. */
bool outlets_flush(struct outlets *all, uint64_t end_ns);
/* After the last outlet_unref(). What is left is lost, and the log says how much. NULL is fine. */
void outlets_delete(struct outlets *all);
void outlets_stats(struct outlets *all, struct outlet_stats *ret);

/* A reference to the outlet of this logger: the one there is when nothing about it has changed. NULL with *err: Kafka refused its
 * configuration, or no thread could be started. Blocks shortly: at publish. */
struct outlet *outlet_open(struct outlets *all, const struct outlet_conf *conf, struct err *err);
/* The last one closes it once what waits is delivered. NULL is fine. Never blocks. */
void outlet_unref(struct outlet *o);

const struct logger_target *outlet_target(const struct outlet *o);
/* False when it was dropped. */
bool outlet_put(struct outlet *o, const struct outlet_message *m);
/* Counts a message that had nowhere to go. */
void outlets_count_lost(struct outlets *all);

/* HTTP. True for the one who shall send now: takes items until there is none, which ends its turn. */
bool outlet_begin(struct outlet *o);
/* The oldest; NULL when none is left: the turn is over. */
struct outlet_item *outlet_take(struct outlet *o);
/* Ends the turn before the queue is empty. */
void outlet_end(struct outlet *o);
/* Delivered or given up. */
void outlet_done(struct outlet *o, struct outlet_item *item, bool is_delivered);
/* Back to the front of the queue, to be tried again. */
void outlet_return(struct outlet *o, struct outlet_item *item);

/* Says in the log, at most once a minute, why messages are not delivered. */
void outlet_complain(struct outlet *o, const char *why);

/* KAFKA with an identity. True once when a token is wanted: the caller gets one and says so. */
bool outlet_wants_token(struct outlet *o);
/* expires_s: seconds since 1970. An empty token: there is none, *why tells. */
void outlet_set_token(struct outlet *o, struct str token, int64_t expires_s, const char *why);
