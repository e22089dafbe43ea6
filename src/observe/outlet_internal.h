/* outlet_internal.h: what outlet.c and outlet_kafka.c share.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "observe/outlet.h"

struct kafka_outlet;

struct outlets {
    const struct clock *clock;
    pthread_mutex_t lock;             /* covers `list`, is_ending and the lists of the outlets' own queues */
    struct list list;                 /* struct outlet */
    int event_fd;                     /* wakes the thread */
    bool has_thread, is_ending;
    pthread_t thread;
    _Atomic uint64_t events, delivered, failed, dropped, truncated, bytes, waiting;
};

struct outlet {
    struct list_node link;            /* in outlets->list */
    struct outlets *all;
    uint32_t refs;                    /* under outlets->lock; 0: closes when it is empty */
    struct arena arena;               /* holds the texts of conf */
    struct str name;
    struct logger_target target;
    struct resolve_rule *resolve;
    uint32_t n_resolve;
    uint64_t fingerprint;             /* of the conf */
    /* FILE and HTTP. */
    struct list queue;
    uint64_t queued_bytes;
    bool is_sending;                  /* HTTP: somebody has its turn */
    int fd;                           /* FILE; -1: not open */
    uint64_t warned_ns;               /* when a failure was last reported */
    struct kafka_outlet *kafka;
};

/* At most once a minute for one outlet. */
void outlet_warn(struct outlet *o, const char *what, const char *why);
void outlet_count_end(struct outlet *o, bool is_delivered);

/* ---- outlet_kafka.c ---- */

MUST_USE bool kafka_open(struct outlet *o, struct str extra_ca_pem, struct err *err);
/* Waits for nothing; what is left counts as failed. */
void kafka_close(struct kafka_outlet *k);
bool kafka_put(struct kafka_outlet *k, const struct outlet_message *m);
/* Reports of delivery, errors, wishes for tokens. On our thread. */
void kafka_poll(struct kafka_outlet *k);
/* Messages not yet delivered. */
uint32_t kafka_waiting(struct kafka_outlet *k);
