/* dump.h: what memory holds, on disk while the process is down.
 *
 *     head    "HGDUMP1\0"  u32 version (1)  u32 0  u64 written (ms since 1970)  u64 entries  u64 bytes behind the head
 *             u64 checksum of the head's bytes before it (XXH3-128, low half)
 *     entry   u32 length  u32 0  u64 checksum of what follows, then so many bytes: the entry as it lies in an external store (wire.h)
 *
 * Numbers are little-endian. A file serves one start: reading removes it first, so that what was purged afterwards can not come
 * back from it, whatever becomes of the process. Entries that somebody else vouches for (copies of an external store) are not
 * written, nor what is expired, purged or softly purged.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "cache/cache.h"

/* Two clocks at one moment: the cache's and the wall's. */
struct dump_moment {
    uint64_t now_ms, wall_ms;
};

struct dump_figures {
    uint64_t entries, bytes;
    uint64_t left_out;                /* no time, no room, or over meanwhile */
};

/* Writes into path.new, then renames; mode 0600. Stops after max_ms with what it has. False: nothing is at `path`. Blocks. */
MUST_USE bool cache_dump_write(struct cache *c, const char *path, const struct dump_moment *at, uint64_t max_ms,
                               struct dump_figures *ret, struct err *err);
/* Stores what is still good into a cache that is empty. fix_head as in external_options. ERR_NOT_FOUND: there is no file.
 * Anything odd in it, or a clock that was set back: ERR_INVALID, and the cache is empty. Blocks. */
MUST_USE bool cache_dump_read(struct cache *c, const char *path, const struct dump_moment *at, uint64_t max_ms,
                              bool (*fix_head)(char *head, size_t len), struct dump_figures *ret, struct err *err);
