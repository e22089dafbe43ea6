/* arena.c: bump allocation in chained blocks.
 *
 *     arena -> block (newest) -> block -> block (oldest)
 *              [header|used....|free]
 * Blocks of the standard size go back to the worker's cache, larger ones to free().
 * Invariants:
 *   A1  next and end lie in the newest block, or both are NULL
 *   A2  bytes is the sum of the blocks' sizes and never above bytes_max
 * Under AddressSanitizer the free part of each block is poisoned.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define CACHED_BLOCKS_MAX 256

struct arena_block {
    struct arena_block *older;
    size_t size;                      /* header included */
    char *next;                       /* where allocation stood when a newer block was begun */
    _Alignas(16) char bytes[];
};

struct arena_deferred {
    struct arena_deferred *older;
    void (*fn)(void *);
    void *arg;
};

static struct arena_block *
block_take(struct arena *a, size_t size)
{
    struct arena_block *b;

    if (size == ARENA_BLOCK_SIZE && a->cache && a->cache->blocks) {
        b = a->cache->blocks;
        a->cache->blocks = b->older;
        a->cache->n--;
    } else if (!(b = malloc(size))) {
        return NULL;
    }
    b->size = size;
    return b;
}

static void
block_give(struct arena *a, struct arena_block *b)
{
    UNPOISON(b->bytes, b->size - sizeof(*b));
    if (b->size == ARENA_BLOCK_SIZE && a->cache && a->cache->n < CACHED_BLOCKS_MAX) {
        b->older = a->cache->blocks;
        a->cache->blocks = b;
        a->cache->n++;
        return;
    }
    free(b);
}

void *
arena_alloc_slow(struct arena *a, size_t n, size_t size, size_t align)
{
    size_t bytes, need;
    struct arena_block *b;
    uintptr_t at;

    ASSERT(align && (align & (align - 1)) == 0 && align <= 64);
    if (!size_mul(n, size, &bytes))
        return NULL;
    at = ((uintptr_t)a->next + (align - 1)) & ~(uintptr_t)(align - 1);
    if (!a->next || at > (uintptr_t)a->end || bytes > (uintptr_t)a->end - at) {
        if (!size_add(bytes, sizeof(*b) + align, &need))
            return NULL;
        need = MAX(need, ARENA_BLOCK_SIZE);
        if (need > a->bytes_max - MIN(a->bytes, a->bytes_max) || !(b = block_take(a, need)))
            return NULL;
        if (a->blocks)
            a->blocks->next = a->next;
        b->older = a->blocks;
        a->blocks = b;
        a->bytes += need;
        a->next = b->bytes;
        a->end = (char *)b + need;
        POISON(a->next, (size_t)(a->end - a->next));
        at = ((uintptr_t)a->next + (align - 1)) & ~(uintptr_t)(align - 1);
    }
    a->next = (char *)at + bytes;
    UNPOISON((void *)at, bytes);
    return (void *)at;
}

void *
arena_alloc_zero(struct arena *a, size_t n, size_t size, size_t align)
{
    void *p = arena_alloc(a, n, size, align);

    return p ? memset(p, 0, n * size) : NULL;
}

void *
arena_grow(struct arena *a, void *old, size_t old_size, size_t new_size, size_t align)
{
    void *p;

    if (old && new_size <= old_size)
        return old;
    if (old && (char *)old + old_size == a->next && new_size - old_size <= (size_t)(a->end - a->next)) {
        UNPOISON(a->next, new_size - old_size);
        a->next += new_size - old_size;
        return old;
    }
    p = arena_alloc(a, new_size, 1, align);
    if (p && old_size)
        memcpy(p, old, old_size);
    return p;
}

struct arena_mark
arena_mark(const struct arena *a)
{
    return (struct arena_mark){a->blocks, a->next, a->deferred};
}

static void
run_deferred(struct arena *a, struct arena_deferred *until)
{
    while (a->deferred != until) {
        struct arena_deferred *d = a->deferred;
        a->deferred = d->older;
        d->fn(d->arg);
    }
}

void
arena_rewind(struct arena *a, struct arena_mark mark)
{
    run_deferred(a, mark.deferred);
    while (a->blocks != mark.block) {
        struct arena_block *b = a->blocks;
        a->blocks = b->older;
        a->bytes -= b->size;
        block_give(a, b);
    }
    a->next = mark.next;
    a->end = a->blocks ? (char *)a->blocks + a->blocks->size : NULL;
    if (a->next)
        POISON(a->next, (size_t)(a->end - a->next));
}

bool
arena_defer(struct arena *a, void (*fn)(void *arg), void *arg)
{
    struct arena_deferred *d = arena_new(a, struct arena_deferred);

    if (!d)
        return false;
    *d = (struct arena_deferred){a->deferred, fn, arg};
    a->deferred = d;
    return true;
}

void
arena_destroy(struct arena *a)
{
    if (!a)
        return;
    arena_rewind(a, (struct arena_mark){NULL, NULL, NULL});
    ASSERT(a->bytes == 0); /* A2 */
}

void
arena_cache_destroy(struct arena_cache *cache)
{
    while (cache->blocks) {
        struct arena_block *b = cache->blocks;
        cache->blocks = b->older;
        free(b);
    }
    cache->n = 0;
}
