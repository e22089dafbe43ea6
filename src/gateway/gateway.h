/* gateway.h: the serving process: workers with their listeners, the published configuration, and the way from one to
 * the other.
 *
 *     main thread:  gateway_new -> gateway_publish -> gateway_start -> (signals) -> gateway_drain -> gateway_delete
 *     workers:      loop -> listeners -> http server -> front.c -> plan -> answer, log row, figures
 *     watcher:      a change -> gateway_publish on its own thread -> each worker swaps its snapshot at its next turn
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/clock.h"
#include "base/diag.h"
#include "base/err.h"
#include "model/options.h"

struct gateway;
struct origin;
struct master_link;

/* Allocates and binds; nothing is served yet. options and clock (NULL: the machine's) must outlive the gateway.
 * master: where listening sockets come from; NULL to bind here. */
struct gateway *gateway_new(const struct options *options, struct clock *clock, struct master_link *master,
                            struct err *err);

/* Loads, compiles and publishes the configuration that options name: all or nothing. On failure the old one serves on and
 * diags says why. Blocks until every running worker has taken it over. One caller at a time; others wait. */
bool gateway_publish(struct gateway *g, struct diags *diags);
/* Starts the workers, the admin listener and, when options say so, the watcher. */
bool gateway_start(struct gateway *g, struct err *err);

/* The port of a listener, useful when 0 was asked for. */
uint16_t gateway_port(const struct gateway *g, uint32_t listener);
uint16_t gateway_admin_port(const struct gateway *g);

/* Readiness fails; after the announced time nothing new is accepted; exchanges in flight finish. Returns when all are
 * done or the limit of options->drain has passed. is_replaced: another process serves on the same sockets already, so
 * nothing is announced and the admin listener stops at once. Blocks. */
void gateway_drain(struct gateway *g, bool is_replaced);
/* Opens the gateway log again (after rotation). */
void gateway_reopen_logs(struct gateway *g);
/* As if a file had changed. */
void gateway_reload(struct gateway *g);
/* Stops the workers at once (drain first for a kind end) and frees everything. NULL is fine. */
void gateway_delete(struct gateway *g);

/* One line about the request a fiber works for: for watchdog and fault handler, safe in a signal handler. */
size_t gateway_describe_request(const void *request, char *text, size_t size);

/* Prometheus text of all figures. */
void gateway_metrics_print(struct gateway *g, struct buf *to);

/* For `headgate test` only. */

/* Empties caches, rate-limit counters and idle connections, and writes out the log, on all workers. */
void gateway_reset(struct gateway *g);
/* Writes out the rows of every exchange whose answer is out. */
void gateway_flush_logs(struct gateway *g);
/* Until nothing goes on without a client: refreshes, fills, one-way requests. False when the time is over first. Blocks. */
bool gateway_wait_background(struct gateway *g, uint32_t ms);
/* From now on documents are compiled so that gateway_coverage() can tell which of their steps ran. */
void gateway_want_coverage(struct gateway *g);
void gateway_coverage(struct gateway *g, void (*fn)(void *ctx, const struct origin *at, bool ran), void *ctx);
/* Moves the clock and waits until every worker has taken notice and run the timers that are due. */
void gateway_advance(struct gateway *g, uint64_t by_ms);
/* The same for the wall clock alone, either way. */
void gateway_set_wall_clock(struct gateway *g, int64_t by_ms);
