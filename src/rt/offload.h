/* offload.h: threads for what blocks or goes deep without bound: XSLT, XSD, SQLite, getaddrinfo, files. They work on
 * copies and never touch a loop.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rt/loop.h"

struct offload;

/* Threads start when there is work, up to threads_max (0: 4); queue_max calls may wait (0: 1024). One a process. */
struct offload *offload_new(uint32_t threads_max, uint32_t queue_max);
/* Waits for calls in progress. NULL is fine. */
void offload_delete(struct offload *pool);

/* Runs fn(arg) on one of the threads and waits until it is done; a cancel does not cut it short, since fn may use our
 * stack through arg. False with ERR_LIMIT when the queue is full (fn has not run). Outside a fiber, or with a NULL
 * pool, it runs fn here. Yields. */
bool offload_call(struct offload *pool, void (*fn)(void *arg), void *arg, struct err *err);
