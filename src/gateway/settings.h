/* settings.h: what headgate.yaml says, in the words of the rooms that obey it. Inside gateway/ only.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/exchange.h"
#include "exchange/retry_budget.h"
#include "http/client.h"
#include "http/limits.h"
#include "model/options.h"

struct http_limits settings_limits(const struct options *o);
/* Without overrides, allow and h2, which are no settings. */
struct http_client_conf settings_client(const struct options *o);
/* What an origin gets where its backend says nothing. */
struct http_origin_conf settings_origin(const struct upstream_options *o);
void settings_retries(struct retry_budget *b, const struct options *o, const _Atomic int64_t *in_flight);
struct exchange_limits settings_exchange(const struct options *o);
/* How many client connections there may be, so that with all of them open a part of `descriptors` is left for backends and for
 * the operators' listener. */
uint32_t settings_connections(const struct options *o, uint64_t descriptors);
/* One a core unless it says otherwise. */
uint32_t settings_workers(const struct options *o);
/* Name servers and how long their answers are kept, for the loop's resolver. */
void settings_resolver(struct loop *loop, const struct upstream_options *o);
