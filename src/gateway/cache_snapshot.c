/* cache_snapshot.c: when the cache is written to its file, and read from it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cache_snapshot.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "cache/dump.h"
#include "exchange/stored_reply.h"
#include "gateway/worker.h"

#define PATH_BYTES 4096

static struct dump_moment
moment(const struct gateway *g)
{
    return (struct dump_moment){clock_mono_ns(g->clock) / 1000000, clock_wall_ns(g->clock) / 1000000};
}

/* The file's path as C wants it. */
static const char *
path_of(const struct gateway *g, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%.*s", STR_ARG(g->options->cache_memory.snapshot));
    return path;
}

static bool
has_shared_cache(const struct gateway *g)
{
    return g->external != NULL;
}

void
cache_snapshot_load(struct gateway *g)
{
    const struct cache_memory_options *o = &g->options->cache_memory;
    struct dump_moment at = moment(g);
    struct dump_figures figures;
    char path[PATH_BYTES];
    struct err err;

    if (!o->snapshot.len)
        return;
    g->has_cache_snapshot = !has_shared_cache(g);
    if (!g->has_cache_snapshot) {
        log_warn("cache.snapshot is not used: other nodes may purge the shared cache while this one is stopped");
        return;
    }
    if (cache_dump_read(g->cache, path_of(g, path), &at, o->snapshot_ms, stored_head_fix, &figures, &err))
        log_info("cache snapshot: %" PRIu64 " entries read, %" PRIu64 " left out", figures.entries, figures.left_out);
    else if (err.code != ERR_NOT_FOUND)
        log_warn("cache snapshot %.*s: %s, starting with an empty cache", STR_ARG(o->snapshot), err.text);
}

void
cache_snapshot_save(struct gateway *g)
{
    const struct cache_memory_options *o = &g->options->cache_memory;
    struct dump_moment at = moment(g);
    struct dump_figures figures;
    char path[PATH_BYTES];
    struct err err;

    if (!g->has_cache_snapshot || atomic_load(&g->is_replaced) || has_shared_cache(g))
        return;
    if (cache_dump_write(g->cache, path_of(g, path), &at, o->snapshot_ms, &figures, &err))
        log_info("cache snapshot: %" PRIu64 " entries written, %" PRIu64 " left out", figures.entries, figures.left_out);
    else
        log_warn("cache snapshot: %s, the next start begins with an empty cache", err.text);
}
