/* fiber_stack.c: stacks in slabs of 64, reserved but not committed, each with a guard below.
 *
 * Guards are page-table marks where the kernel knows MADV_GUARD_INSTALL (Linux 6.13): no mapping of their own, so no
 * limit by vm.max_map_count. Elsewhere each guard is an mprotect() that costs two mappings, and the process keeps to
 * a share of the default limit of 65530 so that malloc and OpenSSL still find room.
 * A 4 KiB guard would not do: a single pcre2_match() frame of 32 KiB steps over it into the neighbour.
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/fiber_pool.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) ((void)(low), (void)(high))
#endif

#define SLAB_STACKS 64
#define SLOT_SIZE (FIBER_GUARD_SIZE + FIBER_STACK_SIZE)
#define KEEP_BYTES ((size_t)16 << 10)    /* of each stack, whatever happens */
#define PAGE ((size_t)4096)
#define PAINT 0xa5
#define LOOK_EVERY 16u                   /* ends of fibers, while few stacks are pooled: a look costs a cold page */
#define LOOK_ALWAYS 64u                  /* pooled stacks from which on each is looked at */
#define MPROTECT_FIBERS_MAX 24000u
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#if defined(__clang__)
#define NO_SANITIZE __attribute__((no_sanitize("address", "thread")))
#else
#define NO_SANITIZE __attribute__((no_sanitize_address, no_sanitize_thread))
#endif

struct fiber_slab {
    struct fiber_slab *older;
    char *base;
    uint32_t n_used;
};

static struct fiber_slab *
slab_new(struct fiber_pool *pool)
{
    size_t size = SLAB_STACKS * SLOT_SIZE;
    char *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct fiber_slab *slab;

    if (base == MAP_FAILED)
        return NULL;
    madvise(base, size, MADV_NOHUGEPAGE);
    slab = xnew(struct fiber_slab);
    slab->base = base;
    slab->older = pool->slabs;
    pool->slabs = slab;
    return slab;
}

/* Emulated kernels say yes to any advice: the real one refuses to write there. */
static bool
is_guarded(char *at)
{
    return syscall(SYS_clock_gettime, CLOCK_MONOTONIC, at + FIBER_GUARD_SIZE - 64) < 0;
}

static bool
guard_install(struct fiber_pool *pool, char *at)
{
    if (pool->has_light_guards) {
        if (madvise(at, FIBER_GUARD_SIZE, MADV_GUARD_INSTALL) == 0 && (pool->n_created > 0 || is_guarded(at)))
            return true;
        pool->has_light_guards = false;
        pool->n_max = MIN(pool->n_max, MPROTECT_FIBERS_MAX / pool->workers);
    }
    return pool->n_created < pool->n_max && mprotect(at, FIBER_GUARD_SIZE, PROT_NONE) == 0;
}

static struct fiber *
stack_new(struct fiber_pool *pool)
{
    struct fiber_slab *slab = pool->slabs;

    if (pool->n_created >= pool->n_max)
        return NULL;
    if ((!slab || slab->n_used == SLAB_STACKS) && !(slab = slab_new(pool)))
        return NULL;
    char *guard = slab->base + slab->n_used * SLOT_SIZE;
    if (!guard_install(pool, guard))
        return NULL;
    slab->n_used++;
    pool->n_created++;
    char *top = guard + SLOT_SIZE;
    (void)VALGRIND_STACK_REGISTER(guard + FIBER_GUARD_SIZE, top);
    struct fiber *f = (struct fiber *)(((uintptr_t)top - sizeof(struct fiber)) & ~(uintptr_t)63);
    ASSERT(fiber_stack_low(f) == guard + FIBER_GUARD_SIZE);
    f->pool = pool;
    return f;
}

struct fiber *
fiber_stack_take(struct fiber_pool *pool, bool *ret_is_new)
{
    struct fiber **from = pool->free ? &pool->free : &pool->shrunk, *f = *from;

    *ret_is_new = !f;
    if (!f)
        return stack_new(pool);
    *from = f->next_free;
    pool->n_free--;
    return f;
}

/* Two words in each 256 bytes of the page below what is kept. Reading a page that was never written costs no memory:
 * the kernel shows its one page of zeros. A frame that passed here without writing any of them is found another time. */
static NO_SANITIZE bool
went_deep(const struct fiber *f)
{
    const volatile uint64_t *line = (const uint64_t *)(fiber_stack_low(f) + FIBER_STACK_SIZE - KEEP_BYTES - PAGE);
    uint64_t any = 0;

    for (size_t i = 0; i < PAGE / 8; i += 32)
        any |= line[i] | line[i + 1];
    return any != 0;
}

static uint32_t
resident_depth(const struct fiber *f)
{
    unsigned char resident[FIBER_STACK_SIZE / PAGE];
    size_t page = 0;

    if (mincore(fiber_stack_low(f), FIBER_STACK_SIZE, resident) < 0)
        return 0;
    while (page < COUNTOF(resident) && !(resident[page] & 1))
        page++;
    return (uint32_t)(FIBER_STACK_SIZE - page * PAGE);
}

NO_SANITIZE void
fiber_stack_paint(struct fiber *f, const void *above)
{
    volatile char *p = fiber_stack_low(f);

    while (p < (const volatile char *)above)
        *p++ = (char)PAINT;
}

static NO_SANITIZE uint32_t
painted_depth(const struct fiber *f)
{
    const volatile unsigned char *low = (const unsigned char *)fiber_stack_low(f);
    size_t i = 0;

    while (i < FIBER_STACK_SIZE && low[i] == PAINT)
        i++;
    return (uint32_t)(FIBER_STACK_SIZE - i);
}

void
fiber_stack_give(struct fiber *f)
{
    struct fiber_pool *pool = f->pool;

    if (pool->is_measuring)
        pool->deepest_bytes = MAX(pool->deepest_bytes, painted_depth(f));
    if ((pool->n_free >= LOOK_ALWAYS || pool->n_given++ % LOOK_EVERY == 0 || pool->is_measuring) && went_deep(f)) {
        if (!pool->is_measuring)
            pool->deepest_bytes = MAX(pool->deepest_bytes, resident_depth(f));
        madvise(fiber_stack_low(f), FIBER_STACK_SIZE - KEEP_BYTES, MADV_DONTNEED);
    }
    f->next_free = pool->free;
    pool->free = f;
    pool->n_free++;
}

void
fiber_stacks_shrink(struct fiber_pool *pool, uint32_t most)
{
    struct fiber **from = &pool->free, *f;

    for (uint32_t i = 0; i < FIBER_STACKS_WARM && *from; i++)
        from = &(*from)->next_free;
    while (most-- > 0 && (f = *from)) {
        *from = f->next_free;
        char *low = fiber_stack_low(f);
        madvise(low, ((uintptr_t)f & ~(uintptr_t)(PAGE - 1)) - (uintptr_t)low, MADV_DONTNEED);
        f->next_free = pool->shrunk;
        pool->shrunk = f;
    }
}

bool
fiber_guard_has(const struct fiber *f, const void *address)
{
    const char *low = fiber_stack_low(f);

    return (const char *)address < low && (const char *)address >= low - FIBER_GUARD_SIZE;
}

void
fiber_slabs_unmap(struct fiber_pool *pool)
{
    while (pool->slabs) {
        struct fiber_slab *slab = pool->slabs;
        pool->slabs = slab->older;
        munmap(slab->base, SLAB_STACKS * SLOT_SIZE);
        free(slab);
    }
}

struct fiber_pool *
fiber_pool_new(struct loop *loop, uint32_t fibers_max, uint32_t workers)
{
    struct fiber_pool *pool = xnew(struct fiber_pool);

    pool->loop = loop;
    pool->n_max = fibers_max ? fibers_max : 16384;
    pool->workers = workers ? workers : 1;
    pool->has_light_guards = true;       /* until the kernel says no */
    return pool;
}
