/* remote.h: one worker's way into the external store. Inside cache/ only; policies speak to tiers.h.
 *
 *     remote.c         connections, who vouches for copies, what the store pushes
 *     remote_value.c   finding, storing
 *     remote_log.c     purges: the stream, the lease, nodes and receipts
 *     remote_turn.c    one fetch for all nodes
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cache/external_internal.h"
#include "cache/tiers.h"
#include "rt/fiber.h"
#include "rt/sync.h"
#include "rt/timer.h"

#define REMOTE_NAME_MAX 1200u
#define VALUE_NAME_MAX 512u    /* longer names of values are cut and hashed */
#define REMOTE_HASH_HEX 32u
#define WATCH_LISTS 64u

/* Epochs of this worker's sources: they outlive the store they were counted for, so that no copy of an old one is ever taken
 * for one of the new. Odd: the link is down, and what is stored meanwhile counts until it comes back. */
struct remote_epochs {
    uint32_t v[REDIS_MEMBERS_MAX];
};

/* Somebody who wants to know that a key has changed. */
struct remote_watch {
    struct list_node link;
    struct hash128 hash;
    bool is_changed;
    struct fiber *waiter;             /* woken by a change; may be NULL */
};

/* Keeps a link's lease while nobody asks anything else. */
struct remote_ping {
    struct redis_call call;
    struct remote *remote;
    uint32_t member;
};

struct remote {
    struct loop *loop;
    struct cache *memory;
    struct external *x;
    uint32_t worker;
    struct remote_epochs *epochs;
    struct redis_client *client;
    struct list watches[WATCH_LISTS];
    struct list turns;                /* locks that are held from here */
    struct timer pulse;
    struct remote_ping *pings[REDIS_MEMBERS_MAX];
    struct fiber_cond confirmed;      /* a question for the generations was answered, or failed */
    struct fiber_cond nodes_changed;
    bool is_confirming, is_pulsing, pulse_again, is_ending;
    uint32_t n_fibers;                /* of ours, still running */
    struct buf outstanding, dropped;  /* of the last receipt */
    void (*on_gone)(void *ctx);
    void *on_gone_ctx;
};

/* --- remote.c ------------------------------------------------------------------------------------------------------ */

struct remote *remote_new(struct loop *loop, struct external *x, uint32_t worker, struct remote_epochs *epochs);
/* Ends with on_gone(ctx), at once or some turns later. Tells the other nodes when it can. */
void remote_delete(struct remote *r, void (*on_gone)(void *ctx), void *ctx);
/* Counts a fiber that uses r, which stays until it has ended. False when r is ending. */
bool remote_enter(struct remote *r);
void remote_leave(struct remote *r);
/* fn(arg) on a fiber that is counted so; false when none could be started. */
MUST_USE bool remote_start(struct remote *r, void (*fn)(void *arg), void *arg);

/* The name in the store, at the front of `text`; of a value whose name was cut the hash stands for it. Beside it there is room for
 * ':' and a hash. */
struct str remote_name(const struct cache_place *place, const struct cache_key *key, char text[REMOTE_NAME_MAX]);
/* A hash in names: REMOTE_HASH_HEX digits; `to` moves behind them. */
char *remote_put_hash(char *to, struct hash128 hash);
/* Copies lie in memory beside, not among, what is internal. */
static inline struct cache_key
remote_copy_key(const struct cache_key *key)
{
    struct cache_key copy = *key;

    copy.hash.lo ^= 0x5851f42d4c957f2du;
    copy.hash.hi ^= 0x14057b7ef767814fu;
    return copy;
}

/* The member that answers for a name now; false while it is away. */
MUST_USE bool remote_member(const struct remote *r, struct str name, uint32_t *ret);
/* The source that vouches for what is stored now under this name: the link's while it is up, and its absence while not. */
struct remote_source {
    uint32_t source, epoch;
    bool is_up, can_copy;             /* can_copy: changes of it will be heard of */
};
struct remote_source remote_source(const struct remote *r, struct str name);
/* The answer to a question sent then has come on this member's connection. */
void remote_heard(struct remote *r, uint32_t member, uint64_t sent_ns);
uint64_t remote_deadline(const struct remote *r);

void remote_watch(struct remote *r, struct remote_watch *w, const struct cache_key *key);
void remote_unwatch(struct remote_watch *w);
/* This worker changes the key itself, of which the store tells it nothing: look-ups that are on their way may bring what was there
 * before, and so may a copy, unless the new one has taken its place in memory. */
void remote_changes(struct remote *r, const struct cache_key *key, bool has_copy);

/* --- remote_value.c ------------------------------------------------------------------------------------------------ */

/* Yields. */
enum cache_verdict remote_find(struct remote *r, const struct cache_place *place, const struct cache_key *key,
                               const struct cache_request *request, struct cache_entry **ret);
/* Sends an entry (a reference is taken) on a fiber of its own. born: before its fetch. is_copy: it is published in memory, and
 * is taken back when the store holds something else in the end. */
void remote_store_later(struct remote *r, const struct cache_place *place, const struct cache_key *key,
                        struct cache_entry *entry, uint64_t born, bool is_copy);
/* The same, now. Yields. */
void remote_store(struct remote *r, const struct cache_place *place, const struct cache_key *key, struct cache_entry *entry,
                  uint64_t born, bool is_copy);

/* --- remote_turn.c ------------------------------------------------------------------------------------------------- */

/* As tiers_turn_take(). Yields. */
enum tiers_turn_kind remote_turn_take(struct remote *r, const struct cache_place *place, const struct cache_key *key,
                                      const struct cache_request *request, uint64_t wait_ms, struct tiers_turn **ret_turn,
                                      struct cache_entry **ret_entry);
/* Keeps the locks that are held for another while. */
void remote_turns_keep(struct remote *r);

/* --- remote_log.c -------------------------------------------------------------------------------------------------- */

/* Whether what is known of the generations may be used; asks when the lease has run out. Yields. */
bool remote_is_fresh(struct remote *r);
/* Purges everywhere; `del`: a name that is removed from the store as well; STR_NONE: none. Yields. */
void remote_purge(struct remote *r, const struct purge_order *order, struct str del, struct purge_receipt *ret);
/* On the worker that does it for the node: reads what is new, says how far this node is, at once or, when that is in progress, once
 * more. */
void remote_pulse(struct remote *r);
/* This node needs not be waited for any more. */
void remote_say_goodbye(struct remote *r);
/* What an operator published on the channel: "tag shoes", "soft path /a". */
void remote_on_message(struct remote *r, struct str text);
