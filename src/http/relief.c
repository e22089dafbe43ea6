/* relief.c: which answers are broken off for others (relief.h).
 *
 *     waiter -> message to each worker -> its connections: count those that lie, drop the longest
 *
 * A look leaves in each connection what had been read of its answer: what is the same at the next look has lain since. The worker's
 * count is left in its pool, for the others' sum; it is as old as the last look.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/relief.h"

#include <stdlib.h>

#include "base/vec.h"
#include "http/h1_client.h"

struct look {
    struct message super;
    struct http_origin *origin;       /* referenced */
};

/* Those that were read to the end before all others: there is nothing to break off. */
static int
least_harm_first(const void *x, const void *y)
{
    const struct h1_upstream *a = *(struct h1_upstream *const *)x, *b = *(struct h1_upstream *const *)y;

    if (a->is_read != b->is_read)
        return a->is_read ? -1 : 1;
    if (a->lain_since_ms != b->lain_since_ms)
        return a->lain_since_ms < b->lain_since_ms ? -1 : 1;
    return a->begun_ns < b->begun_ns ? -1 : a->begun_ns > b->begun_ns;
}

/* This loop's pool; NULL when it has none. *ret_elsewhere: what lay with the others. */
static struct http_pool *
own_pool(struct http_origin *o, const struct loop *loop, uint32_t *ret_elsewhere)
{
    struct http_pool *p, *own = NULL;

    *ret_elsewhere = 0;
    pthread_mutex_lock(&o->lock);
    list_each(&o->pools, p, struct http_pool, link) {
        if (http_client_loop(p->client) == loop)
            own = p;
        else
            *ret_elsewhere += atomic_load_explicit(&p->n_lying, memory_order_relaxed);
    }
    pthread_mutex_unlock(&o->lock);
    return own;                       /* pools of this loop come and go on this thread only */
}

static void
relieve(struct http_origin *o, struct loop *loop)
{
    VEC(struct h1_upstream *) lying = {0};
    size_t n_read = 0, cut = 0;
    uint32_t elsewhere, half = MAX(o->conf.connections_max / 2, 1u);
    struct http_pool *p = own_pool(o, loop, &elsewhere);
    struct h1_upstream *up;

    if (!p)
        return;
    list_each(&p->busy, up, struct h1_upstream, busy_link)
        if (h1_upstream_lies(up, loop_now_ms(loop), RELIEF_LAIN_MS))
            *vec_push(&lying) = up;
    for (size_t i = 0; i < lying.n; i++)
        n_read += lying.v[i]->is_read;
    size_t all = lying.n + elsewhere, many = MAX(all > half ? all - half : 0, n_read);
    many = MIN(many, MIN(lying.n, (size_t)atomic_load_explicit(&o->n_waiting, memory_order_relaxed)));
    if (many)
        qsort(lying.v, lying.n, sizeof(*lying.v), least_harm_first);
    for (size_t i = 0; i < many; i++) {
        cut += !lying.v[i]->is_read;
        h1_upstream_drop(lying.v[i]);
    }
    origin_count_cut(o, cut);
    atomic_store_explicit(&p->n_lying, (uint32_t)(lying.n - many), memory_order_relaxed);
    vec_free(&lying);
}

static void
on_look(struct message *m)
{
    struct look *look = CONTAINER_OF(m, struct look, super);

    relieve(look->origin, loop_self());
    http_origin_unref(look->origin);
    free(look);
}

void
relief_ask(struct http_origin *o, uint64_t now_ms)
{
    struct http_pool *p;

    pthread_mutex_lock(&o->lock);
    if (now_ms >= o->relief_at_ms + RELIEF_LOOK_MS) {
        o->relief_at_ms = now_ms;
        list_each(&o->pools, p, struct http_pool, link) {
            struct look *look = xnew(struct look);
            look->super.deliver = on_look;
            look->origin = http_origin_ref(o);
            mailbox_send(http_client_loop(p->client), &look->super);
        }
    }
    pthread_mutex_unlock(&o->lock);
}
