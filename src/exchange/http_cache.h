/* http_cache.h: a shared cache by RFC 9111 between policies and backend (`apis.NAME.cache.mode: rfc9111`). forward-request goes
 * through it where no cache-lookup acts: policies run for every request, as if the backend had answered.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/attempt.h"

bool http_cache_applies(const struct exchange *ex);
/* As attempt_run(): ex->response is the answer, the backend's or a stored one. Yields. */
MUST_USE bool http_cache_run(struct exchange *ex, const struct attempt *conf);
