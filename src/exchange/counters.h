/* counters.h: what rate limits, quotas and concurrency limits count: by name, for the whole process, exact across workers.
 * The table is bounded: above counters_max the one used longest ago goes (never one that is held). Any thread; a call holds
 * one shard's lock for a few dozen instructions. Instants are the caller's: monotonic for windows that slide, wall for
 * windows of the calendar.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct counters;

struct counters *counters_new(uint32_t counters_max /* 0: 1,000,000 */);
void counters_delete(struct counters *c);
/* Forgets everything but who is inside. */
void counters_clear(struct counters *c);

/* --- sliding windows: 20 slots a period -----------------------------------------------------------------------------
 *
 * A key may be looked at over several periods: what is taken counts in the windows of all of them, and a period that is new to it
 * begins with what the longest of the others knows. */

struct window_state {
    uint32_t used;                /* in the period that ends now, with what was just taken */
    uint32_t wait_s;              /* when refused: seconds until enough slots have left, at least 1 */
};
/* Takes n of `limit` calls a period. False when that would be above it; then nothing is taken. */
bool window_take(struct counters *c, struct str key, uint32_t period_s, uint32_t limit, uint32_t n, uint64_t now_ms,
                 struct window_state *ret);
/* Takes n whatever the limit says (what is counted after the answer). */
void window_add(struct counters *c, struct str key, uint32_t period_s, uint32_t n, uint64_t now_ms);
/* Gives n back of what was taken last. */
void window_give_back(struct counters *c, struct str key, uint32_t n);

/* --- fixed windows: number `window` of some calendar ---------------------------------------------------------------- */

struct quota_state {
    uint64_t calls, bytes;        /* in this window */
};
/* Adds to the window; a newer number starts from zero, an older one is as if it were the newest. Returns what there was
 * before the addition. Adding nothing reads. */
struct quota_state quota_add(struct counters *c, struct str key, uint64_t window, uint64_t calls, uint64_t bytes);
/* Raises what this window holds to at least that: what all nodes together have counted. */
void quota_raise(struct counters *c, struct str key, uint64_t window, uint64_t calls, uint64_t bytes);
/* Bytes that are known when their request is over and nobody may wait: whoever counts next takes them along. */
void quota_add_late(struct counters *c, struct str key, uint64_t window, uint64_t bytes);
uint64_t quota_take_late(struct counters *c, struct str key, uint64_t window);
/* Grows with every change of a quota. */
uint64_t quotas_version(const struct counters *c);
/* For keeping quotas over a restart: all of them as text lines, and back. */
struct buf;
bool quotas_save(struct counters *c, struct buf *to);
bool quotas_load(struct counters *c, struct str text, struct err *err);

/* --- permits: what was taken for all nodes in advance ---------------------------------------------------------------- */

struct permit_state {
    uint32_t used;                /* in the period, by all nodes, with what was taken in advance */
    uint64_t refused_until_ms;    /* nobody can be let in before; 0: not known */
};
/* Takes n of those at hand. False when there are not enough, or they have lapsed; *ret then says until when nobody needs to ask
 * (under the same limit). */
bool permit_take(struct counters *c, struct str key, uint32_t limit, uint32_t n, uint64_t now_ms, struct permit_state *ret);
void permit_add(struct counters *c, struct str key, uint32_t limit, uint32_t n, uint32_t used, uint64_t until_ms);
void permit_refuse(struct counters *c, struct str key, uint32_t limit, uint64_t until_ms);

/* --- how many are inside -------------------------------------------------------------------------------------------- */

/* One more, unless that were above max. */
bool gauge_enter(struct counters *c, struct str key, uint32_t max);
void gauge_leave(struct counters *c, struct str key);

/* Counters that had to make room, so far. */
uint64_t counters_evicted(const struct counters *c);
