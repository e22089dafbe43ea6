/* external_cache.h: from what the configuration says about shared caches to what the workers use. The publisher's thread.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/diag.h"
#include "gateway/worker.h"

/* The external cache of this snapshot: the one in use when nothing has changed, a new one (a reference either way), or NULL when
 * none is configured for the region. False, with a problem in diags, when it is configured wrongly. */
bool external_cache_prepare(struct gateway *g, const struct snapshot *s, struct external **ret, struct diags *diags);
/* Makes it the one in use, on all workers; takes the reference. */
void external_cache_publish(struct gateway *g, struct external *x);
/* Its figures, when there is one. */
void external_cache_collect(struct gateway *g, struct worker_metrics *figures);
/* How long its answers took, for /metrics; nothing without one. */
void external_cache_print(struct gateway *g, struct buf *to);
/* Lets go of it on all workers, and waits until they have; before their loops end. */
void external_cache_stop(struct gateway *g);
