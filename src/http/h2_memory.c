/* h2_memory.c: lists of free blocks, one for each 64 bytes of size (h2_memory.h).
 *
 *     block: [size class, 16 bytes][what the caller sees ...]
 * Larger blocks, and those of a list that is long enough, are malloc's. Single worker, so no locks.
 * Under AddressSanitizer every block is malloc's, so that a use after free is seen.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/h2_memory.h"

#include <stdlib.h>
#include <string.h>

#include "rt/loop.h"

#define STEP ((size_t)64)
#define CLASSES 16u                      /* up to 1 KiB, header included */
#define KEPT_BYTES ((size_t)256 << 10)   /* in each list at most */
#define NO_CLASS CLASSES

#if defined(__SANITIZE_ADDRESS__) || defined(HEADGATE_ASAN)
#define CLASSES_USED 0u
#else
#define CLASSES_USED CLASSES
#endif

struct block {
    union {
        struct block *next;              /* while it is free */
        size_t size;                     /* while it is in use: header included */
    };
    uint32_t class;
    _Alignas(16) char bytes[];
};

struct h2_pool {
    nghttp2_mem mem;
    struct loop_spares spares;
    struct block *free[CLASSES];
    uint32_t n_free[CLASSES];
};

static struct block *
block_of(void *p)
{
    return CONTAINER_OF((char(*)[])p, struct block, bytes);
}

static void *
pool_malloc(size_t size, void *ctx)
{
    struct h2_pool *pool = ctx;
    uint32_t class = NO_CLASS;
    struct block *b;

    if (!size_add(size, sizeof(*b), &size))
        return NULL;
    if (size <= STEP * CLASSES_USED) {
        class = (uint32_t)((size - 1) / STEP);
        size = (class + 1) * STEP;
    }
    if (class < CLASSES && (b = pool->free[class])) {
        pool->free[class] = b->next;
        pool->n_free[class]--;
    } else if (!(b = malloc(size))) {
        return NULL;
    }
    b->size = size;
    b->class = class;
    return b->bytes;
}

static void
pool_free(void *p, void *ctx)
{
    struct h2_pool *pool = ctx;
    struct block *b = p ? block_of(p) : NULL;

    if (!b)
        return;
    if (b->class == NO_CLASS || pool->n_free[b->class] * b->size >= KEPT_BYTES) {
        free(b);
        return;
    }
    b->next = pool->free[b->class];
    pool->free[b->class] = b;
    pool->n_free[b->class]++;
}

static void *
pool_calloc(size_t n, size_t size, void *ctx)
{
    void *p = size_mul(n, size, &size) ? pool_malloc(size, ctx) : NULL;

    return p ? memset(p, 0, size) : NULL;
}

static void *
pool_realloc(void *old, size_t size, void *ctx)
{
    size_t have = old ? block_of(old)->size - sizeof(struct block) : 0;
    void *p;

    if (size <= have && have)
        return old;
    if (!(p = pool_malloc(size, ctx)))
        return NULL;
    if (old)
        memcpy(p, old, have);
    pool_free(old, ctx);
    return p;
}

static void
release_spares(struct loop_spares *spares)
{
    struct h2_pool *pool = CONTAINER_OF(spares, struct h2_pool, spares);

    for (uint32_t i = 0; i < CLASSES; i++) {
        while (pool->free[i]) {
            struct block *b = pool->free[i];
            pool->free[i] = b->next;
            free(b);
        }
        pool->n_free[i] = 0;
    }
}

static void
pool_delete(void *ctx)
{
    struct h2_pool *pool = ctx;

    list_remove(&pool->spares.link);
    release_spares(&pool->spares);
    free(pool);
}

nghttp2_mem *
h2_memory(struct loop *loop)
{
    struct h2_pool *pool = loop->h2;

    if (pool)
        return &pool->mem;
    pool = xnew(struct h2_pool);
    pool->mem = (nghttp2_mem){pool, pool_malloc, pool_free, pool_calloc, pool_realloc};
    pool->spares.release = release_spares;
    list_push_back(&loop->spares, &pool->spares.link);
    loop->h2 = pool;
    loop->free_h2 = pool_delete;
    return &pool->mem;
}
