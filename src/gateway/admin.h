/* admin.h: the admin listener: a loop and thread of its own, so that it answers when workers are busy.
 *
 *     GET /livez     200 while the process turns
 *     GET /readyz    200 when a configuration is published and no drain has begun, else 503 and why
 *     GET /metrics   Prometheus text
 *     POST /reload, /cache/...   gateway/cache_admin.h
 *     GET /cache/advice    what is odd about the keys of the cache, as JSON (cache/advice.h)
 * The rest needs the bearer token of the state folder (made at first start); /metrics and health too, unless
 * admin.open-health says otherwise.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"

struct admin;
struct gateway;

/* Binds and starts. NULL when it cannot. */
struct admin *admin_start(struct gateway *g, struct err *err);
struct addr admin_addr(const struct admin *a);
/* Accepts nothing new and closes what is idle, since another process answers on the same socket. NULL is fine. */
void admin_stop_listening(struct admin *a);
void admin_stop(struct admin *a);
