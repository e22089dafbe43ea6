/* external_internal.h: the external store's state that all workers share. Inside cache/ only.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/vec.h"
#include "cache/external.h"
#include "redis/client.h"

#define LEASE_MS 2000u
#define BEAT_MS 1000u
#define NODES_MAX 256u
#define NODE_NAME_MAX 80u
#define NODE_SILENT_MS 5000u   /* nobody waits for a node that was not heard of for so long */
#define NODE_FORGOTTEN_MS 60000u
#define TELL_MS 60000u         /* between two lines that say the same */
#define LISTEN_GAP_MS (2 * BEAT_MS)  /* between two looks at the list; a longer one was an absence of ours */
#define PENDING_MAX 4096u      /* purges that wait for the store; above, one purge of all takes their place */
#define LOG_LENGTH "65536"     /* purges kept in the store, about */

#define KEY_PURGES STR("{headgate}:purges")
#define KEY_NODES STR("{headgate}:nodes")
#define CHANNEL STR("headgate:purge")

#define NODE_GONE UINT64_MAX   /* what a node that ends in peace says that it has applied: nobody waits for it */

/* What this process has heard of a node. */
struct node {
    uint64_t id;
    uint64_t applied, beat;
    uint64_t heard_ms;                /* external.listened_ms when it last said something new */
    char name[NODE_NAME_MAX];
};

/* A purge that the store has not heard of yet. */
struct pending_purge {
    cache_scope_id scopes[8];
    uint32_t n;
    bool is_soft;
};

/* How many entries a counted purge of another node dropped here, until that has been written down. */
struct purge_count {
    uint64_t number, entries;
};
#define PURGE_COUNTS_MAX 16u

enum external_figure {
    EXTERNAL_HITS, EXTERNAL_MISSES, EXTERNAL_STORES, EXTERNAL_REMOVES, EXTERNAL_PURGES, EXTERNAL_PURGES_ALONE,
    EXTERNAL_PURGES_OUTSTANDING, EXTERNAL_ODD, EXTERNAL_DEAD, EXTERNAL_AWAY, EXTERNAL_STORE_ERRORS, EXTERNAL_COPIES_DROPPED, EXTERNAL_TURNS_WAITED, EXTERNAL_TURNS_FILLED,
    EXTERNAL_FIGURES,
};

struct external {
    _Atomic uint32_t refs;
    struct arena arena;
    struct external_options options;  /* texts in the arena */
    struct redis_conf conf;
    struct tls_client *tls;
    struct redis_figures *redis;      /* one a worker */
    _Atomic uint64_t figures[EXTERNAL_FIGURES];
    uint64_t id;                      /* of this node */
    char value_end[24];               /* options.value_bytes_max in decimal: where a look-up stops reading */
    char name[NODE_NAME_MAX];
    _Atomic uint64_t tokens;          /* the next value's */
    _Atomic uint64_t beats;           /* each sign of life of this node has its own */
    _Atomic uint64_t said_ms;         /* our time of the last one */
    _Atomic uint32_t pulse_worker;    /* who gives them */
    _Atomic bool is_refused;          /* the store did not take the last one: it is full, say */
    _Atomic bool has_ended;           /* it has said goodbye: nobody shall wait for it any more */
    _Atomic uint64_t fresh_until_ms;  /* the lease of what is known of the generations */
    _Atomic uint64_t applied;         /* id of the last purge that was read from the stream and applied */
    _Atomic uint64_t floor;           /* values born before are dead: the stream does not reach back that far */
    _Atomic uint64_t born_min;        /* fetches that began before are not stored there: their number may mean something else */
    _Atomic uint32_t n_pending;
    _Atomic uint32_t links_up;
    _Atomic uint64_t away_since_ms;   /* our time; 0: not away */
    _Atomic bool is_refusal_told;     /* since then */
    _Atomic bool has_warned;          /* that the generations cannot be read */
    _Atomic uint64_t told_stores_ms, told_reads_ms;   /* our time when it was said that entries are refused, or may not be read */
    pthread_mutex_t lock;             /* covers what follows, and applying purges in their order */
    struct list turns;                /* locks that workers of this process hold: remote_turn.c */
    struct node nodes[NODES_MAX];
    uint32_t n_nodes;
    uint64_t listened_ms;             /* how long we have listened to the nodes: silence is measured by it, not by our absences */
    uint64_t looked_ms;               /* our time of the last look at their list; 0: none yet */
    VEC(struct pending_purge) pending;
    struct purge_count counts[PURGE_COUNTS_MAX];
    uint32_t n_counts;
};

static inline void
external_count(struct external *x, enum external_figure which)
{
    atomic_fetch_add_explicit(&x->figures[which], 1, memory_order_relaxed);
}

void external_tell(struct external *x, enum log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* True for one of those who ask in a minute. */
static inline bool
external_may_tell(_Atomic uint64_t *told_ms, uint64_t now_ms)
{
    uint64_t last_ms = atomic_load(told_ms);

    return (!last_ms || now_ms >= last_ms + TELL_MS) && atomic_compare_exchange_strong(told_ms, &last_ms, now_ms);
}

/* An id of the stream ("1700000000000-3") as one number: 44 bits of milliseconds, 20 of the sequence. 0 when it does not fit. */
uint64_t external_generation_parse(struct str id);
struct str external_generation_text(uint64_t generation, char text[40]);
