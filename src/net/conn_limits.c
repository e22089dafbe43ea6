/* conn_limits.c: how many connections there are, in all and from each client address, for all workers together.
 *
 *     shard[64]: lock, buckets -> node (one address) -> node
 * A node lives while its address has connections, so the table is bounded by total_max.
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "net/conn_limits.h"

#define SHARDS 64
#define BUCKETS 64                       /* a shard */

struct node {
    struct node *next;
    struct addr addr;
    uint32_t n;
};

struct conn_limits {
    uint32_t total_max, per_address_max;
    _Atomic uint32_t total;
    _Atomic uint64_t refused_total;
    struct {
        pthread_mutex_t lock;
        struct node *buckets[BUCKETS];
    } shards[SHARDS];
};

struct conn_limits *
conn_limits_new(uint32_t total_max, uint32_t per_address_max)
{
    struct conn_limits *l = xnew(struct conn_limits);

    l->total_max = total_max;
    l->per_address_max = per_address_max;
    for (int i = 0; i < SHARDS; i++)
        pthread_mutex_init(&l->shards[i].lock, NULL);
    return l;
}

void
conn_limits_delete(struct conn_limits *l)
{
    if (!l)
        return;
    ASSERT(atomic_load(&l->total) == 0);
    for (int i = 0; i < SHARDS; i++)
        pthread_mutex_destroy(&l->shards[i].lock);
    free(l);
}

uint32_t
conn_limits_total(const struct conn_limits *l)
{
    return atomic_load_explicit(&l->total, memory_order_relaxed);
}

bool
conn_limits_take_total(struct conn_limits *l)
{
    uint32_t before = atomic_fetch_add_explicit(&l->total, 1, memory_order_relaxed);

    if (!l->total_max || before < l->total_max)
        return true;
    conn_limits_give_total(l);
    atomic_fetch_add_explicit(&l->refused_total, 1, memory_order_relaxed);
    return false;
}

uint64_t
conn_limits_refused_total(const struct conn_limits *l)
{
    return atomic_load_explicit(&l->refused_total, memory_order_relaxed);
}

void
conn_limits_give_total(struct conn_limits *l)
{
    atomic_fetch_sub_explicit(&l->total, 1, memory_order_relaxed);
}

static struct node **
find(struct conn_limits *l, uint64_t hash, const struct addr *a)
{
    struct node **at = &l->shards[hash % SHARDS].buckets[hash / SHARDS % BUCKETS];

    while (*at && !addr_same_ip(&(*at)->addr, a))
        at = &(*at)->next;
    return at;
}

static bool
is_limited(const struct conn_limits *l, const struct addr *a)
{
    return l->per_address_max && a->kind != ADDR_UNIX && a->kind != ADDR_NONE;
}

bool
conn_limits_take_address(struct conn_limits *l, const struct addr *a)
{
    uint64_t hash;
    bool ok = true;

    if (!is_limited(l, a))
        return true;
    hash = addr_hash_ip(a);
    pthread_mutex_lock(&l->shards[hash % SHARDS].lock);
    struct node **at = find(l, hash, a);
    if (!*at) {
        *at = xnew(struct node);
        (*at)->addr = *a;
    }
    if ((*at)->n < l->per_address_max)
        (*at)->n++;
    else
        ok = false;
    pthread_mutex_unlock(&l->shards[hash % SHARDS].lock);
    return ok;
}

void
conn_limits_give_address(struct conn_limits *l, const struct addr *a)
{
    uint64_t hash;

    if (!is_limited(l, a))
        return;
    hash = addr_hash_ip(a);
    pthread_mutex_lock(&l->shards[hash % SHARDS].lock);
    struct node **at = find(l, hash, a), *node = *at;
    ASSERT(node && node->n > 0);
    if (--node->n == 0) {
        *at = node->next;
        free(node);
    }
    pthread_mutex_unlock(&l->shards[hash % SHARDS].lock);
}
