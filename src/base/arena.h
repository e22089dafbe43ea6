/* arena.h: memory that lives as long as one exchange. Single owner, single worker.
 *
 *     struct arena a AUTO(arena_destroy) = ARENA(&worker->blocks, 8 << 20);
 *     struct str copy = str_dup(&a, text);
 *
 * Allocation bumps a pointer inside 16 KiB blocks (larger ones for larger requests); nothing is freed alone.
 * What malloc owns elsewhere (xmlDoc, EVP contexts) is registered with arena_defer() and freed with the arena.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/base.h"

struct arena_block;
struct arena_deferred;

/* Empty blocks kept for the next arena; one a worker, zero-initialised. Not for sharing between threads. */
struct arena_cache {
    struct arena_block *blocks;
    uint32_t n;
};

struct arena {
    char *next, *end;                 /* free room in the newest block */
    struct arena_block *blocks;       /* newest first */
    struct arena_deferred *deferred;  /* newest first */
    struct arena_cache *cache;        /* where blocks come from and go to; may be NULL */
    size_t bytes;                     /* held in blocks */
    size_t bytes_max;
};

#define ARENA(cache_, bytes_max_) ((struct arena){.cache = (cache_), .bytes_max = (bytes_max_)})
#define ARENA_BLOCK_SIZE ((size_t)16 << 10)

/* Sanitizer builds poison what is free, so that each allocation has to pass the slow path. */
#if defined(__SANITIZE_ADDRESS__) || defined(HEADGATE_ASAN)
#define ARENA_ALWAYS_SLOW 1
#else
#define ARENA_ALWAYS_SLOW 0
#endif

/* n zeroed objects. NULL once the arena's limit is reached; n * size is checked. Never yields. */
#define arena_new(a, type) ((type *)arena_alloc_zero((a), 1, sizeof(type), _Alignof(type)))
#define arena_new_array(a, type, n) ((type *)arena_alloc_zero((a), (n), sizeof(type), _Alignof(type)))
void *arena_alloc_zero(struct arena *a, size_t n, size_t size, size_t align);
/* The same, not zeroed. */
void *arena_alloc_slow(struct arena *a, size_t n, size_t size, size_t align);
static inline void *
arena_alloc(struct arena *a, size_t n, size_t size, size_t align)
{
    uintptr_t at = ((uintptr_t)a->next + (align - 1)) & ~(uintptr_t)(align - 1);
    size_t bytes;

    if (UNLIKELY(__builtin_mul_overflow(n, size, &bytes)))
        return NULL;
    if (ARENA_ALWAYS_SLOW || UNLIKELY(!a->next || at > (uintptr_t)a->end || bytes > (uintptr_t)a->end - at))
        return arena_alloc_slow(a, n, size, align);
    a->next = (char *)at + bytes;
    return (void *)at;
}

/* Grows the newest allocation in place when it can, else copies. old may be NULL. */
void *arena_grow(struct arena *a, void *old, size_t old_size, size_t new_size, size_t align);

/* A place to come back to: rewinding frees everything allocated, and runs everything deferred, after the mark.
 * Between mark and rewind nothing may yield and nothing may escape. */
struct arena_mark {
    struct arena_block *block;
    char *next;
    struct arena_deferred *deferred;
};
struct arena_mark arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, struct arena_mark mark);

/* Calls fn(arg) when the arena is destroyed or rewound past this point, last registered first.
 * False when the arena is full: then nothing is registered and the caller frees. */
MUST_USE bool arena_defer(struct arena *a, void (*fn)(void *arg), void *arg);

/* Runs what was deferred, gives the blocks back. The arena is empty and usable afterwards. NULL is fine. */
void arena_destroy(struct arena *a);
void arena_cache_destroy(struct arena_cache *cache);
