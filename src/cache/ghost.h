/* ghost.h: remembers which keys were evicted from the small queue lately, so that one that comes back goes straight to
 * the main queue. Four fingerprints a set; a set forgets its oldest; one older than `reach` evictions does not count.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdlib.h>

#include "base/base.h"

#define GHOST_WAYS 4u

struct ghost_mark {
    uint32_t fingerprint;
    uint32_t at;                      /* the eviction's number; 0: free */
};

struct ghost {
    struct ghost_mark *marks;
    uint32_t n;                       /* a power of two, at least GHOST_WAYS */
    uint32_t evictions;
};

/* Room for about n keys; what it knew is forgotten. */
static inline void
ghost_resize(struct ghost *g, uint32_t n)
{
    free(g->marks);
    g->n = MAX(n, GHOST_WAYS);
    g->marks = xnew_array(struct ghost_mark, g->n);
}

static inline struct ghost_mark *
ghost_set(const struct ghost *g, uint64_t hash)
{
    return &g->marks[(hash >> 32) & (g->n - 1) & ~(GHOST_WAYS - 1)];
}

static inline void
ghost_add(struct ghost *g, uint64_t hash)
{
    struct ghost_mark *set = ghost_set(g, hash), *oldest = set;

    for (uint32_t i = 1; i < GHOST_WAYS; i++)
        if (g->evictions - set[i].at > g->evictions - oldest->at)
            oldest = &set[i];
    if (++g->evictions == 0)
        g->evictions = 1;
    *oldest = (struct ghost_mark){(uint32_t)hash, g->evictions};
}

/* Was it evicted within the last `reach` evictions? It is forgotten by asking. */
static inline bool
ghost_take(struct ghost *g, uint64_t hash, uint32_t reach)
{
    struct ghost_mark *set = ghost_set(g, hash);

    for (uint32_t i = 0; i < GHOST_WAYS; i++) {
        if (!set[i].at || set[i].fingerprint != (uint32_t)hash || g->evictions - set[i].at > reach)
            continue;
        set[i].at = 0;
        return true;
    }
    return false;
}
