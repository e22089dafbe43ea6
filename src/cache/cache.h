/* cache.h: responses and values kept in memory and shared by every worker. Every call is safe from any thread, none
 * yields, none waits for more than another call's short critical section. One fetch for many misses: flight.h. Instants are milliseconds of one clock that
 * the caller chooses (the loop's monotonic one); the cache has none of its own.
 *
 * A look-up and, on a miss, a store:
 *     uint64_t born = cache_generation(c);                    // before the fetch begins
 *     switch (cache_find(c, &key, NULL, now, &entry)) { case CACHE_HIT: ... cache_entry_unref(entry); }
 *     struct cache_fill *f = cache_fill_begin(c, -1);         // then, while the body passes:
 *     cache_fill_add(f, bytes);
 *     cache_fill_commit(f, &item, &why);                      // complete, or cache_fill_abort(f)
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cache/journal.h"
#include "cache/key.h"
#include "cache/scope.h"

struct body;
struct cache;
struct cache_fill;
struct loop;

struct cache_limits {
    uint64_t bytes_max;               /* everything the cache holds, also what is being filled or still read */
    uint64_t entry_bytes_max;         /* one entry with key and head; 0: an eighth of bytes_max */
    uint32_t variants_max;            /* of one key; 0: 64. The least recently used goes */
    uint32_t workers;                 /* how many threads will use it; sets the number of shards */
    uint32_t sources;                 /* that may vouch for entries (below); numbered from 1 */
};

struct cache *cache_new(const struct cache_limits *limits);
/* No entry may be referenced any more. NULL is fine. */
void cache_delete(struct cache *c);
/* The most that one entry may take, with key and head. */
uint64_t cache_entry_max(const struct cache *c);
/* A smaller limit takes effect with the next store. */
void cache_set_bytes_max(struct cache *c, uint64_t bytes_max);
uint64_t cache_bytes(const struct cache *c);
/* Drops entries, as for new ones, until it holds no more than that: max of them at most. */
void cache_shrink(struct cache *c, uint64_t to_bytes, uint32_t max);

enum cache_refusal {
    CACHE_STORED,
#define REFUSAL(name, word, sentence) CACHE_REFUSED_##name,
#include "cache/refusals.def"
#undef REFUSAL
    CACHE_REFUSALS_END
};
const char *cache_refusal_word(enum cache_refusal why);
const char *cache_refusal_sentence(enum cache_refusal why);
/* Counts a refusal decided above the store. */
void cache_count_refusal(struct cache *c, enum cache_refusal why);
/* Remembers for a while why the answer to this key was not stored, for explanations: some keys, the latest ones. */
void cache_note_refusal(struct cache *c, const struct cache_key *key, enum cache_refusal why);
/* CACHE_STORED: nothing is remembered. */
enum cache_refusal cache_noted_refusal(const struct cache *c, const struct cache_key *key);

/* The number of the purge that took the key's last entry, when it is known still, for explanations: some keys, the latest ones. Else 0. */
uint64_t cache_noted_purge(struct cache *c, const struct cache_key *key);

/* ---- entries: immutable, counted ---- */

#define CACHE_PIECE_SIZE ((size_t)16 << 10)

/* What the parts of an entry mean is the caller's business: the cache copies them as they are. */
struct cache_item {
    struct cache_key key;
    struct str vary;                  /* cache_vary_add(); empty: every request matches */
    const struct cache_scopes *scopes; /* NULL: only SCOPE_ALL */
    uint64_t born;                    /* cache_generation() before the fetch */
    uint64_t stored_ms, expires_ms;   /* a hit in [stored, expires) */
    uint64_t stale_until_ms;          /* stale in [expires, stale_until), for whatever use; 0: never */
    uint32_t revalidate_s;            /* for so long after its end it is served while one fetch refreshes it */
    uint32_t error_s;                 /* for so long after its end it is served when fetching fails */
    uint32_t age_s;                   /* that it had when it was stored */
    uint32_t flags;                   /* the caller's */
    uint16_t status;                  /* of a response; 0 for a value */
    uint16_t tag;                     /* the caller's: value type, coding, ... */
    struct str head;                  /* rendered fields of a response, type bytes of a value */
    uint32_t source, source_epoch;    /* who vouches for it; source 0: nobody has to */
    bool is_unlisted;                 /* not published: only *ret has it */
};

struct cache_entry;
enum cache_kind cache_entry_kind(const struct cache_entry *e);
uint16_t cache_entry_status(const struct cache_entry *e);
uint16_t cache_entry_tag(const struct cache_entry *e);
struct str cache_entry_key(const struct cache_entry *e);
struct str cache_entry_vary(const struct cache_entry *e);
struct str cache_entry_head(const struct cache_entry *e);
uint64_t cache_entry_body_length(const struct cache_entry *e);
/* The body lies in pieces, each CACHE_PIECE_SIZE long but the last. A body of one piece is contiguous. */
uint32_t cache_entry_pieces(const struct cache_entry *e);
struct str cache_entry_piece(const struct cache_entry *e, uint32_t i);
uint64_t cache_entry_stored_ms(const struct cache_entry *e);
uint64_t cache_entry_expires_ms(const struct cache_entry *e);
uint64_t cache_entry_stale_until_ms(const struct cache_entry *e);
uint32_t cache_entry_revalidate_s(const struct cache_entry *e);
uint32_t cache_entry_error_s(const struct cache_entry *e);
uint32_t cache_entry_age_s(const struct cache_entry *e);
uint32_t cache_entry_flags(const struct cache_entry *e);
/* Beside the caller's flags: it comes from a dump, and there were purges between its birth and the dump that nobody knows any more. */
#define CACHE_ENTRY_OLD 0x80000000u
/* References are dropped on any thread; the last one frees. */
struct cache_entry *cache_entry_ref(struct cache_entry *e);
void cache_entry_unref(struct cache_entry *e);  /* NULL is fine */

/* ---- variants ---- */

/* Appends one request field that the answer varies by, with the value the request had (STR_NONE: absent). */
void cache_vary_add(struct buf *b, struct str name, struct str value);
/* Steps through them; false at the end. */
bool cache_vary_next(struct str *rest, struct str *ret_name, struct str *ret_value);
/* How a look-up asks for the request's value of a field (joined with ", " when repeated); STR_NONE: absent. Called
 * with the shard locked: no waiting, no calls into the cache. */
struct cache_request {
    struct str (*field)(void *ctx, struct str name);
    void *ctx;
};
/* Would an answer with these fields answer the request? Without a request only one without fields does. */
bool cache_vary_fits(struct str vary, const struct cache_request *request);

/* ---- finding and storing ---- */

enum cache_verdict {
    CACHE_HIT,
    CACHE_STALE,              /* past expiry or softly purged, inside its stale window */
    CACHE_MISS_ABSENT,
    CACHE_MISS_VARIANT,       /* the key is there, for other field values */
    CACHE_MISS_EXPIRED,
    CACHE_MISS_PURGED,
    CACHE_MISS_UNPROVEN,      /* its source does not vouch for it any more */
};
const char *cache_verdict_word(enum cache_verdict v);

/* request may be NULL: then only entries without vary match. CACHE_HIT and CACHE_STALE give a reference. */
enum cache_verdict cache_find(struct cache *c, const struct cache_key *key, const struct cache_request *request,
                              uint64_t now_ms, struct cache_entry **ret);

/* ---- a body on its way into the cache (fill.c); counted, one thread writes, any reads along ----
 *
 *     writer   begin -> add ... -> commit | abort           each ends its own reference
 *     readers  cache_fill_body()                            see every byte, then the end; a body that was aborted breaks
 * When the cache cannot take it after all (too large, no room), readers still get it whole: pieces are then given back
 * as the slowest reader passes them, and the writer has to keep to its pace. */

/* length: of the body when it is known, else -1. Never NULL: a fill that cannot get memory is refused at its end. */
struct cache_fill *cache_fill_begin(struct cache *c, int64_t length);
/* Copies. False once the fill is bound to be refused and nobody reads it: the caller may stop and must still end it. */
bool cache_fill_add(struct cache_fill *f, struct str bytes);
/* Whether more may be added now. If not, on_room is sent once that is so; one writer, asked on its own thread. */
struct wakeup;
bool cache_fill_has_room(struct cache_fill *f, struct wakeup *on_room);
/* Publishes under item->key, in place of the variant that matches the same request. Ends the writer's reference. ret_why
 * and ret may be NULL; *ret is a reference to what was stored. */
bool cache_fill_commit(struct cache_fill *f, const struct cache_item *item, enum cache_refusal *ret_why,
                       struct cache_entry **ret);
/* Nothing is stored, readers see the body break. Ends the writer's reference; NULL is fine. */
void cache_fill_abort(struct cache_fill *f);
/* Nothing is stored, for a reason found above; readers get it whole. Ends the writer's reference; always false. */
bool cache_fill_refuse(struct cache_fill *f, enum cache_refusal why, enum cache_refusal *ret_why);
struct cache_fill *cache_fill_ref(struct cache_fill *f);
void cache_fill_unref(struct cache_fill *f);   /* NULL is fine */
/* A body that reads along from the first byte, on the worker of `loop`; it keeps its own reference, given back when it is
 * closed or its arena goes. NULL when the arena is full, or the first bytes are gone already. */
struct body *cache_fill_body(struct cache_fill *f, struct arena *arena, struct loop *loop);
/* The three in one, for a body at hand. */
bool cache_store(struct cache *c, const struct cache_item *item, struct str body, enum cache_refusal *ret_why);
/* The same; *ret is a reference to what was stored. */
bool cache_store_entry(struct cache *c, const struct cache_item *item, struct str body, enum cache_refusal *ret_why,
                       struct cache_entry **ret);

/* A new head for the body of `old`, in its place. A reference to it; NULL when it could not be stored. */
struct cache_entry *cache_freshen(struct cache *c, const struct cache_item *item, struct cache_entry *old);

/* ---- entries that somebody vouches for ---- */

/* An entry with a source is a copy of something kept elsewhere. It counts while its source has the epoch it was stored
 * under and, unless the source is open-ended, until the source's instant and the lease of all have passed. So what a lost
 * link held becomes dead at once, by one number. Any thread. */
void cache_source_set(struct cache *c, uint32_t source, uint32_t epoch, uint64_t until_ms /* UINT64_MAX: open-ended */);
/* Later than what is set; an epoch that has passed changes nothing. */
void cache_source_extend(struct cache *c, uint32_t source, uint32_t epoch, uint64_t until_ms);
void cache_lease_extend(struct cache *c, uint64_t until_ms);
const cache_scope_id *cache_entry_scopes(const struct cache_entry *e, uint32_t *ret_n);
uint32_t cache_entry_source(const struct cache_entry *e);
uint32_t cache_entry_source_epoch(const struct cache_entry *e);

/* ---- invalidation ---- */

/* The number that purges compare with. Only grows. */
uint64_t cache_generation(const struct cache *c);
void cache_generation_raise(struct cache *c, uint64_t to);
/* Removes all variants of one key; how many there were. What was fetched before is not stored under it any more. */
uint32_t cache_remove(struct cache *c, const struct cache_key *key);
/* The same, known by the hash alone. */
uint32_t cache_remove_hash(struct cache *c, struct hash128 hash);
/* The same of those alone that sources from `first` (above 0) to `last` vouch for. */
uint32_t cache_remove_copies(struct cache *c, struct hash128 hash, uint32_t first, uint32_t last);
/* Removes this entry, if it is still there. */
void cache_drop(struct cache *c, const struct cache_key *key, const struct cache_entry *e);
/* Entries of these scopes become dead, or stale when soft, for every look-up that begins after the return. Costs the
 * same for any number of entries; their memory comes back by eviction and cache_sweep(). *ret_entries (may be NULL)
 * is how many entries the scopes hold, an entry in two of them counted twice; it may be above what was still alive. */
uint64_t cache_purge(struct cache *c, const cache_scope_id *scopes, size_t n, bool is_soft, uint64_t *ret_entries);
/* A purge that another node made: it has this number, or our next one when ours have passed it. */
void cache_purge_at(struct cache *c, const cache_scope_id *scopes, size_t n, bool is_soft, uint64_t number);
/* Purges may have been missed: nothing that was stored so far can be proven alive. */
void cache_forget(struct cache *c);
/* Whether purges after `since` have hit these scopes. */
enum scope_state cache_state_since(struct cache *c, const cache_scope_id *scopes, size_t n, uint64_t since);
/* Nothing at all has been purged since its birth. */
bool cache_is_newest(const struct cache *c, const struct cache_entry *e);
/* Whether it may be served at a place that has these scopes, not all of them its own: no purge since its birth has named one of those. The
 * memo belongs to one thread and one cache. */
#define CACHE_ALIVE_LOOKS 64u
struct cache_alive_memo {
    struct cache_alive_look {
        uint64_t look, generation;    /* a hash of entry and place; up to which purge it was alive there */
    } v[CACHE_ALIVE_LOOKS];
};
bool cache_is_alive_at(struct cache *c, struct cache_alive_memo *memo, const struct cache_entry *e, const cache_scope_id *scopes, uint32_t n);
/* The scopes that hold what lies at a path and below it, for cache_purge(). */
#define CACHE_PREFIX_SCOPES 2
void cache_prefix_scopes(struct str path, cache_scope_id ret[CACHE_PREFIX_SCOPES]);
/* The count alone: a dry run. */
uint64_t cache_count(struct cache *c, const cache_scope_id *scopes, size_t n);
/* The same without the dead, and each entry once: frees up to CACHE_COUNT_LOOKS of them first. A larger cache may still hold some that
 * died since the sweep was there last, and counts an entry for each of several scopes. */
#define CACHE_COUNT_LOOKS 4096u
uint64_t cache_count_live(struct cache *c, const cache_scope_id *scopes, size_t n, uint64_t now_ms);
/* Frees dead entries, looking at up to max of them; goes on where the last call ended. How many were freed. */
uint32_t cache_sweep(struct cache *c, uint64_t now_ms, uint32_t max);
/* Whether a purge has left entries that no sweep has looked at since. */
bool cache_wants_sweep(const struct cache *c);

/* ---- seeing it ---- */

struct cache_stats {
    uint64_t hits, stale, misses;
    uint64_t collapsed;               /* served by a fetch of somebody else that they waited for */
    uint64_t follows;                 /* read an answer along while it came */
    uint64_t stores, replaced, evictions, expired, purged, removed, ghost_hits;
    uint64_t refused[CACHE_REFUSALS_END];
    uint64_t entries, bytes, bytes_max;
};
void cache_stats(struct cache *c, struct cache_stats *ret);
/* Calls fn for each entry, a shard at a time, with the shard locked: fn must not wait, nor call the cache. */
void cache_each(struct cache *c, void (*fn)(void *ctx, const struct cache_entry *e), void *ctx);
/* What else is known of an entry while its shard is locked. */
struct cache_seen {
    enum cache_verdict verdict;       /* of a look-up now */
    uint8_t uses;                     /* lately, at most 3 */
};
/* As cache_each(), with what a look-up would say; ends when fn returns false. */
void cache_list(struct cache *c, uint64_t now_ms, bool (*fn)(void *ctx, const struct cache_entry *e, const struct cache_seen *seen),
                void *ctx);
/* The variants of one key, as cache_list(). */
void cache_list_variants(struct cache *c, const struct cache_key *key, uint64_t now_ms,
                         bool (*fn)(void *ctx, const struct cache_entry *e, const struct cache_seen *seen), void *ctx);
/* The last purges. Whoever purges writes them down: tiers.h does. */
struct purge_journal *cache_journal(struct cache *c);
/* Walks everything; asserts the invariants named in cache.c. True, for CHECK(). */
bool cache_check(struct cache *c);
