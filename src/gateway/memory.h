/* memory.h: what the process takes of the memory it may take, and what it does about it before the kernel does (robustness H3).
 *
 *     from 85 %   answers are the last of their connections, the cache gives memory back
 *     from 92 %   new requests are answered with 503 and Retry-After
 *     from 97 %   the exchanges that hold most are broken off, on each worker the costliest one each time it looks
 *
 * Each level includes those below it and ends 3 % under where it began. Operators' listeners and the status probe are served
 * throughout. What it may take is `limits: memory`, else what the control group allows, else the machine's memory.
 *
 * A process at work keeps what it frees: to have it back would cost more than most requests do (base/heap.h). When it has been idle
 * for five seconds, and when memory is tight, workers give back what they keep for later, and heaps what is free.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdatomic.h>

#include "base/base.h"

struct worker;
struct gateway;

enum memory_level { MEMORY_EASY, MEMORY_TIGHT, MEMORY_SCARCE, MEMORY_DESPERATE };

/* What workers give back at each of their looks; each includes those before. */
enum memory_step {
    MEMORY_BUSY,
    MEMORY_QUIET,                     /* what they keep for later */
    MEMORY_GIVE,                      /* what is free at the end of their heaps */
    MEMORY_TRIM,                      /* the first worker: all that is free in all heaps */
};
/* Whether it is quiet, in looks. */
struct memory_quiet {
    uint32_t looks;                   /* in a row that found the process idle */
    uint32_t giving, pause;           /* since heaps give back; until they may again */
    uint64_t settled;                 /* bytes used when all had been given back, or less since; 0: never */
};

/* The first worker's, but for what all read. */
struct memory_watch {
    uint64_t max;                     /* bytes; 0: nothing is known, no watch */
    char group[256];                  /* folder of our own control group, whose limit max is; empty: something else is */
    uint64_t cache_max;               /* what the cache is shrunk to at present; 0: as configured */
    uint64_t shrunk_ms;
    bool is_trimming;
    struct memory_quiet quiet;
    uint64_t calls, cpu_us;           /* so far, at the last look */
    _Atomic uint8_t step;             /* enum memory_step */
    _Atomic uint8_t level;            /* enum memory_level */
    _Atomic uint64_t used;
    _Atomic uint64_t times[MEMORY_DESPERATE + 1];   /* that each level began */
    _Atomic uint64_t refused, broken_off;
};

/* The next level, from the one before. */
enum memory_level memory_level(uint64_t used, uint64_t max, enum memory_level before);

/* One look, with so many bytes used. Heaps give back when they hold more than after the last time, and not more often
 * than twice a minute. */
enum memory_step memory_quiet_look(struct memory_quiet *q, bool is_idle, uint64_t used);

/* Finds out what the process may take. */
void memory_init(struct gateway *g);
/* Begins to look, on this worker's loop. */
void memory_start(struct worker *w);
/* No more looks, and what goes on is waited for; while the loops turn. Blocks. */
void memory_stop(struct gateway *g);
static inline enum memory_level
memory_now(const struct memory_watch *m)
{
    return (enum memory_level)atomic_load_explicit(&m->level, memory_order_relaxed);
}
