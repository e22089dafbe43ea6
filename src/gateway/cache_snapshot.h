/* cache_snapshot.h: the cache in memory over a restart: a file written when the process stops and read when it starts
 * (`cache.snapshot`, cache/dump.h).
 *
 * A process that another one has replaced writes none, as purges of the new one would be missing. Neither does one with a shared
 * cache: other nodes may purge while it is away, and the shared cache is warm anyway.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

struct gateway;

/* Before the workers run. What went wrong is logged: the cache is empty then. Blocks. */
void cache_snapshot_load(struct gateway *g);
/* After they have ended. Blocks. */
void cache_snapshot_save(struct gateway *g);
