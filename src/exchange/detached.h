/* detached.h: exchanges that go on without a client: requests nobody waits for, fetches that serve many. Own arena, own hold on
 * the configuration that their maker saw. They are ended with the process (exchange/fetch.h, background).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/exchange.h"

/* An exchange that sees what `from` sees: model, backends, services. limits NULL: those of `from`; else they must outlive it.
 * NULL when memory is short. Started or deleted by the caller. */
struct exchange *detached_new(const struct exchange *from, const struct exchange_limits *limits);
/* The same as a copy of `from` as it is now: route, identity, head without a body, variables. It counts no limits. Variables that
 * have no encoding are left out, and the trace says which. Yields when a variable holds a response whose body still comes. */
struct exchange *detached_copy(struct exchange *from);
/* A proxy's own copy for it. NULL when the arena is full. */
const struct http_proxy *detached_proxy(struct exchange *ex, const struct http_proxy *from);
void detached_delete(struct exchange *ex);
/* Runs fn(ex, arg) on a fiber of its own, at once until its first wait; the exchange is deleted when it returns. arg lives in
 * ex->arena or longer. False when no fiber is left: the exchange is deleted and fn has not run. */
MUST_USE bool detached_start(struct exchange *ex, void (*fn)(struct exchange *ex, void *arg), void *arg);
