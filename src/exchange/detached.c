/* detached.c: an arena that holds the exchange which uses it, and the fiber that ends both.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/detached.h"

#include "rt/fiber.h"
#include "rt/loop.h"

struct detached {
    struct exchange ex;               /* first: one is found from the other */
    struct arena arena;
    void (*fn)(struct exchange *ex, void *arg);
    void *arg;
};

struct exchange *
detached_new(const struct exchange *from, const struct exchange_limits *limits)
{
    struct arena arena = ARENA(from->services->arenas, limits ? limits->arena_max : from->arena->bytes_max);
    struct detached *d = arena_new(&arena, struct detached);

    if (!d) {
        arena_destroy(&arena);
        return NULL;
    }
    d->arena = arena;
    exchange_init(&d->ex, &d->arena, from->services, limits ? limits : from->limits, NULL);
    exchange_share_pin(&d->ex, from);
    return &d->ex;
}

void
detached_delete(struct exchange *ex)
{
    struct detached *d = CONTAINER_OF(ex, struct detached, ex);
    struct arena arena = d->arena;    /* d lives in it */

    exchange_close(&d->ex);
    exchange_unpin(&d->ex);
    arena_destroy(&arena);
}

static void
run(void *arg)
{
    struct detached *d = arg;

    d->fn(&d->ex, d->arg);
    detached_delete(&d->ex);
}

bool
detached_start(struct exchange *ex, void (*fn)(struct exchange *ex, void *arg), void *arg)
{
    struct detached *d = CONTAINER_OF(ex, struct detached, ex);

    d->fn = fn;
    d->arg = arg;
    if (fiber_start(ex->services->loop, run, d, NULL))
        return true;
    detached_delete(ex);
    return false;
}
