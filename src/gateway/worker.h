/* worker.h: one worker thread and what it owns; and what all workers share. Inside gateway/ only.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>

#include "backend/backends.h"
#include "exchange/exchange.h"
#include "exchange/retry_budget.h"
#include "gateway/gateway.h"
#include "gateway/memory.h"
#include "gateway/refusals.h"
#include "gateway/snapshot.h"
#include "http/body.h"
#include "http/client.h"
#include "http/forward.h"
#include "http/server.h"
#include "observe/gateway_log.h"
#include "observe/metrics.h"
#include "rt/loop.h"
#include "rt/mailbox.h"
#include "rt/timer.h"

struct admin;
struct cache_advice;
struct cache_tiers;
struct counters;
struct external;
struct listener;
struct listener_set;
struct master_link;
struct offload;
struct outlets;
struct store_files;
struct store_watch;
struct supplies;
struct token_cache;
struct warming;
struct watchdog;

/* A worker's hold on one snapshot: a plain count, as only the worker touches it. */
struct snapshot_pin {
    struct snapshot *snapshot;
    uint32_t users;                   /* exchanges on it */
    bool is_current;
    struct target_cache targets;      /* addresses that expressions computed */
};

struct worker {
    struct gateway *gateway;
    uint32_t index;
    pthread_t thread;
    bool is_started;
    struct loop *loop;
    struct http_server *server;       /* of all data listeners */
    struct http_client *client;
    struct cache_tiers *tiers;        /* this worker's way into the cache */
    struct listener **listeners;      /* gateway->options->n_listeners */
    struct snapshot_pin *pin;         /* the current one; NULL before the first publish */
    struct services services, detached_services;
    struct worker_metrics *metrics;
    struct gateway_log log;
    struct timer sweep;               /* of the first worker: gives memory of dead cache entries back */
    struct timer save_quotas;         /* of the first worker: quota_file.h */
    bool is_saving_quotas;
    struct timer look_at_memory;
    struct refusals refusals;
    struct task flush_log;            /* posted when rows wait, so that a turn writes once */
    struct token_cache *tokens;
    struct list background;           /* exchange/fetch.h: what goes on without a client */
    uint32_t detached;                /* requests under way that nobody waits for */
    uint32_t exchanges;               /* in flight, for the drain */
};

struct gateway {
    const struct options *options;
    struct clock *clock;
    struct clock own_clock;
    struct worker *workers;
    uint32_t n_workers;
    struct metrics *metrics;
    struct log_sink *log_sink;
    struct cache *cache;
    _Atomic(const char *) explain_token;  /* of the admin listener, in keep; NULL: none */
    _Atomic uint64_t purges_refused;  /* above cache.purges-per-second */
    struct counters *counters;
    struct supplies *supplies;
    struct outlets *outlets;
    struct cache_advice *advice;
    struct warming *warming;
    bool has_cache_snapshot;          /* a file is configured, and was read */
    struct expr_env *env;
    struct http_origins *origins;
    struct arena keep;                /* as long as the gateway */
    struct connect_override *overrides;   /* `resolve:`; in keep */
    size_t n_overrides;
    struct http_load load;
    struct memory_watch memory;
    struct offload *offload;
    struct budget bodies;             /* buffered bodies of all exchanges */
    struct retry_budget retries;
    struct watchdog *watchdog;
    struct http_forward_conf forward;
    struct exchange_limits exchange_limits;
    struct listener_set *listening;   /* bound sockets, one a listener and worker */
    struct master_link *master;       /* NULL: nobody started us */
    struct admin *admin;
    struct conn_limits *admin_limits; /* of its connections */
    struct addr admin_addr;           /* where it listens; no connection of ours may lead there. Path in keep */
    _Atomic bool has_admin_addr;
    struct store_watch *watch;
    struct store_files *files;        /* that loads have read beside the folder's own, for the watch */
    struct err watch_failure;         /* why there is none */
    /* The publisher's; the lock covers them. */
    pthread_mutex_t publish_lock;
    struct document_cache documents;
    struct snapshot *current;         /* one reference */
    pthread_mutex_t external_lock;    /* covers the next line for those who do not publish */
    struct external *external;        /* the shared cache that the configuration names; NULL: none */
    uint64_t generation;
    bool with_coverage;
    uint64_t quotas_saved;            /* quotas_version() of what the file holds; the first worker's while it runs */
    bool quotas_failed;
    _Atomic bool is_replaced;         /* another process serves in our place */
    _Atomic bool is_ready;            /* a configuration is published, and no drain has begun */
    _Atomic bool is_running;          /* the workers' loops turn */
    struct str failure;               /* first error of the last publish, for the readiness page; malloc */
};

/* front.c: answers one call. Runs on the call's fiber. ctx: the worker. */
void front_on_call(void *ctx, struct http_call *call);
/* Bytes of memory that it holds. */
uint64_t front_cost(void *ctx, const struct http_call *call);

/* The current snapshot for one more exchange; give it back with pin_release(). */
struct snapshot_pin *pin_take(struct worker *w);
void pin_release(struct snapshot_pin *pin);

/* Runs fn(worker, arg) on every worker's own loop, on all of them at once, and waits for all; directly when the workers do not run. */
void gateway_on_each_worker(struct gateway *g, void (*fn)(struct worker *w, void *arg), void *arg);
