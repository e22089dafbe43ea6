/* watchdog.h: a thread that looks at workers and names the request that keeps one from turning.
 *
 * When a worker has not moved for stuck_ms, the watchdog interrupts that very thread with a signal; its handler asks
 * describe() what it is doing (so nothing is read from a foreign thread), and the watchdog logs the answer once.
 * The fault handler (fault.h) uses the same describe() to name the request in which the process died.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rt/loop.h"

/* Writes one line about a request (fiber_set_request) into text. Runs in a signal handler: copies bytes, calls nothing. */
typedef size_t describe_fn(const void *request, char *text, size_t size);

struct watchdog_options {
    struct loop **loops;
    uint32_t n_loops;
    uint32_t stuck_ms;                   /* 0: 500 */
    uint32_t abort_ms;                   /* then the process dies of SIGABRT on the stuck thread; 0: never */
    describe_fn *describe;               /* may be NULL */
    /* Called on the watchdog's thread for each block that is found; NULL: log_warn. */
    void (*on_stuck)(void *ctx, uint32_t loop_index, uint64_t stuck_for_ms, const char *text);
    void *ctx;
};

struct watchdog;
struct watchdog *watchdog_new(const struct watchdog_options *options, struct err *err);
void watchdog_delete(struct watchdog *w);
/* Blocks found so far. */
uint64_t watchdog_count(const struct watchdog *w);
