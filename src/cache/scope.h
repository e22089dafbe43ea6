/* scope.h: what a purge can name: an API, an operation, a tag, a path, everything below a path. An entry lists the
 * scopes it belongs to; a purge gives a scope the next generation number; an entry older than that is dead (or, after
 * a soft purge, stale). So a purge costs the same whether it hits one entry or a million.
 *
 * A scope is known by a 64-bit hash of its kind and name, the same on every node: a collision could only purge too much.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>

#include "base/str.h"

enum cache_scope_kind {
    SCOPE_API = 1,
    SCOPE_OPERATION,          /* name: "api/operation" */
    SCOPE_TAG,
    SCOPE_PREFIX,             /* everything below a path, at segment borders */
    SCOPE_PATH,               /* one path, with every query */
    SCOPE_URL,                /* one path with one query, its pairs sorted */
    SCOPE_GROUP,              /* "api group", RFC 9875 */
    SCOPE_KEY,                /* one key, by its bytes: of what lies in an external store */
};

typedef uint64_t cache_scope_id;
#define SCOPE_ALL ((cache_scope_id)0)  /* every entry is in it without listing it */

cache_scope_id cache_scope(enum cache_scope_kind kind, struct str name);
cache_scope_id cache_scope_operation(struct str api, struct str operation);
/* Of entries whose API cannot be told when they are stored: who purges any API or operation names this one too. */
cache_scope_id cache_scope_unowned(void);

/* The scopes of one entry, gathered before it is stored. Above the limit the last ones are left out and is_full says so: a
 * purge that names one of those would not reach the entry, so that it is not stored. */
#define CACHE_SCOPES_MAX 256
struct cache_scopes {
    uint32_t n;
    bool is_full;
    cache_scope_id v[CACHE_SCOPES_MAX];
};
/* Adds once. */
void cache_scopes_add(struct cache_scopes *s, cache_scope_id id);
/* The path, the prefixes above it and, when there is a query, the URL. Path in normal form, query without '?'. The case of a path and
 * slashes at its end do not count, here and below. */
void cache_scopes_add_path(struct cache_scopes *s, struct str path, struct str query);
cache_scope_id cache_scope_path(struct str path);
/* Of everything below a path, at segment borders. */
cache_scope_id cache_scope_prefix(struct str path);
/* The scope of path?query, its pairs sorted; with names (n > 0) of those pairs alone. */
cache_scope_id cache_scope_url(struct str path, struct str query, const struct str *names, size_t n);

/* The purges that are remembered. Shared by all workers. */
struct generations {
    _Atomic uint64_t now;             /* grows by one a purge; never goes back */
    pthread_mutex_t lock;             /* covers what follows */
    struct purge_record *records;     /* open addressing by scope */
    uint32_t n, cap;
    uint64_t floor;                   /* purges up to here are forgotten: what was not looked at since is dead */
    uint64_t all_hard, all_soft;
};

enum scope_state { SCOPE_LIVE, SCOPE_STALE, SCOPE_DEAD };

void generations_create(struct generations *g);
void generations_destroy(struct generations *g);
/* Gives the n scopes (SCOPE_ALL among them perhaps) the next number, and returns it; n may be 0. */
uint64_t generations_purge(struct generations *g, const cache_scope_id *scopes, size_t n, bool is_soft);
/* A purge that another node made under this number: they all get it, or our next number when ours have passed it. */
void generations_purge_at(struct generations *g, const cache_scope_id *scopes, size_t n, bool is_soft, uint64_t number);
/* Nothing that exists now can be proven alive any more. */
void generations_forget(struct generations *g);
/* Takes the larger of ours and another node's, so that an empty or older peer revives nothing. */
void generations_raise(struct generations *g, uint64_t to);
/* What happened to these scopes after generation `since`. */
enum scope_state generations_state(struct generations *g, const cache_scope_id *scopes, size_t n, uint64_t since);

/* The number of the last purge after `since`, not a soft one, that hit these scopes; 0: none that is remembered. */
uint64_t generations_last(struct generations *g, const cache_scope_id *scopes, size_t n, uint64_t since);

/* How many entries of one shard each scope has; under the shard's lock. */
struct scope_counts {
    struct scope_count *v;            /* open addressing */
    uint32_t n, cap;
};
void scope_counts_add(struct scope_counts *t, cache_scope_id id);
void scope_counts_remove(struct scope_counts *t, cache_scope_id id);
uint32_t scope_counts_get(const struct scope_counts *t, cache_scope_id id);
void scope_counts_destroy(struct scope_counts *t);
size_t scope_counts_bytes(const struct scope_counts *t);
