/* detached.h: exchanges that go on without a client: requests nobody waits for, fetches that serve many. Own arena, own hold on
 * the configuration that their maker saw.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/exchange.h"

/* An exchange that sees what `from` sees: model, backends, services. limits NULL: those of `from`; else they must outlive it.
 * NULL when memory is short. Started or deleted by the caller. */
struct exchange *detached_new(const struct exchange *from, const struct exchange_limits *limits);
void detached_delete(struct exchange *ex);
/* Runs fn(ex, arg) on a fiber of its own, at once until its first wait; the exchange is deleted when it returns. arg lives in
 * ex->arena or longer. False when no fiber is left: the exchange is deleted and fn has not run. */
MUST_USE bool detached_start(struct exchange *ex, void (*fn)(struct exchange *ex, void *arg), void *arg);
