/* tiers.c: which tier answers.
 *
 *     type              no external store     it is there                      it is away
 *     internal          memory                memory                           memory
 *     prefer-external   memory                copies in memory, then it        memory, until it is back (strict: nothing)
 *     external          nothing               it                               nothing
 *
 * Copies, and what memory keeps while the store is away, lie under a key of their own (remote_copy_key), so that they never meet
 * what is internal; who vouches for them is said in remote.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/tiers.h"

#include <stdlib.h>

#include "cache/remote.h"
#include "rt/loop.h"

struct cache_tiers {
    struct loop *loop;
    struct cache *memory;
    struct remote *remote;            /* NULL: no external store */
    struct remote_epochs epochs;
    uint32_t worker;
    uint32_t n_ending;                /* remotes that are not gone yet */
    struct cache_alive_memo alive;
};

_Static_assert(TIERS_SOURCES == REDIS_MEMBERS_MAX, "a source for each member");

struct cache_tiers *
tiers_new(struct loop *loop, struct cache *memory, uint32_t worker)
{
    struct cache_tiers *t = xnew(struct cache_tiers);

    t->loop = loop;
    t->memory = memory;
    t->worker = worker;
    return t;
}

void
tiers_delete(struct cache_tiers *t)
{
    /* A fiber that has not come back yet still points here. */
    if (t && tiers_is_stopped(t))
        free(t);
}

static void
on_remote_gone(void *ctx)
{
    struct cache_tiers *t = ctx;

    t->n_ending--;
}

void
tiers_set_external(struct cache_tiers *t, struct external *x)
{
    struct remote *old = t->remote;

    if (old && old->x == x)
        return;
    t->remote = NULL;
    if (old) {
        t->n_ending++;
        remote_delete(old, on_remote_gone, t);
    }
    if (x)
        t->remote = remote_new(t->loop, x, t->worker, &t->epochs);
}

void
tiers_stop(struct cache_tiers *t)
{
    tiers_set_external(t, NULL);
}

bool
tiers_is_stopped(const struct cache_tiers *t)
{
    return !t->remote && t->n_ending == 0;
}

struct cache *
tiers_memory(const struct cache_tiers *t)
{
    return t->memory;
}

bool
tiers_has(const struct cache_tiers *t, enum caching_type type)
{
    return type != CACHING_EXTERNAL || t->remote;
}

/* The remote that this type speaks to; NULL: memory. */
static struct remote *
remote_of(const struct cache_tiers *t, const struct cache_place *place)
{
    return place->type == CACHING_INTERNAL ? NULL : t->remote;
}

struct cache_key
tiers_memory_key(const struct cache_tiers *t, const struct cache_place *place, const struct cache_key *key)
{
    return remote_of(t, place) ? remote_copy_key(key) : *key;
}

/* --- finding ------------------------------------------------------------------------------------------------------- */

/* An entry that was stored while the link was down counts for those alone whose link is down, too. */
static bool
counts(struct remote *r, const struct cache_place *place, const struct cache_key *key, const struct cache_entry *e)
{
    char name[REMOTE_NAME_MAX];

    return cache_entry_source_epoch(e) % 2 == 0 || !remote_source(r, remote_name(place, key, name)).is_up;
}

/* What memory has of the external store. */
static enum cache_verdict
find_copy(struct cache_tiers *t, struct remote *r, const struct cache_place *place, const struct cache_key *key,
          const struct cache_request *request, struct cache_entry **ret)
{
    struct cache_key copy = remote_copy_key(key);
    enum cache_verdict verdict = cache_find(t->memory, &copy, request, loop_now_ms(t->loop), ret);

    if ((verdict != CACHE_HIT && verdict != CACHE_STALE) || counts(r, place, key, *ret))
        return verdict;
    cache_entry_unref(*ret);
    return CACHE_MISS_UNPROVEN;
}

enum cache_verdict
tiers_find(struct cache_tiers *t, const struct cache_place *place, const struct cache_key *key,
           const struct cache_request *request, struct cache_entry **ret)
{
    struct remote *r = remote_of(t, place);
    enum cache_verdict verdict = CACHE_MISS_ABSENT, outside;

    if (!r)
        return tiers_has(t, place->type) ? cache_find(t->memory, key, request, loop_now_ms(t->loop), ret) : verdict;
    if (place->type == CACHING_PREFER_EXTERNAL &&
        ((verdict = find_copy(t, r, place, key, request, ret)) == CACHE_HIT || verdict == CACHE_STALE))
        return verdict;
    if (!remote_enter(r))
        return verdict;
    outside = remote_find(r, place, key, request, ret);
    remote_leave(r);
    return outside == CACHE_MISS_ABSENT ? verdict : outside;
}

bool
tiers_is_alive_at(struct cache_tiers *t, const struct cache_entry *e, const cache_scope_id *scopes, uint32_t n)
{
    return cache_is_alive_at(t->memory, &t->alive, e, scopes, n);
}

uint64_t
tiers_generation(const struct cache_tiers *t)
{
    return cache_generation(t->memory);
}

/* --- storing ------------------------------------------------------------------------------------------------------- */

struct cache_fill *
tiers_fill_begin(struct cache_tiers *t, int64_t length)
{
    return cache_fill_begin(t->memory, length);
}

/* What becomes of an entry that is about to be stored. */
struct plan {
    struct cache_item item;           /* for memory */
    struct cache_scopes scopes;       /* its own, and its key's */
    struct cache_key key;             /* as the store knows it */
    bool is_sent, is_copy;
};

/* Why it cannot be stored at all; CACHE_STORED when it can. */
static enum cache_refusal
plan_store(struct cache_tiers *t, struct remote *r, const struct cache_place *place, const struct cache_item *item,
           struct plan *ret)
{
    char text[REMOTE_NAME_MAX];
    struct remote_source source = remote_source(r, remote_name(place, &item->key, text));
    bool is_preferred = place->type == CACHING_PREFER_EXTERNAL;

    ret->item = *item;
    ret->key = item->key;
    ret->scopes.n = 0;
    ret->scopes.is_full = false;
    cache_scopes_add(&ret->scopes, cache_scope(SCOPE_KEY, item->key.bytes));
    for (uint32_t i = 0; item->scopes && i < item->scopes->n; i++)
        cache_scopes_add(&ret->scopes, item->scopes->v[i]);
    ret->item.scopes = &ret->scopes;
    ret->item.key = remote_copy_key(&item->key);
    ret->is_sent = source.is_up && item->born >= atomic_load(&r->x->born_min);
    ret->is_copy = ret->is_sent && is_preferred && source.can_copy;
    if (!ret->is_sent && (!is_preferred || source.is_up || r->x->options.is_strict))
        return CACHE_REFUSED_EXTERNAL_AWAY;
    ret->item.source = source.source;
    ret->item.source_epoch = source.epoch;
    ret->item.is_unlisted = ret->is_sent && !ret->is_copy;
    return CACHE_STORED;
}

bool
tiers_fill_commit(struct cache_tiers *t, const struct cache_place *place, struct cache_fill *f,
                  const struct cache_item *item, enum cache_refusal *ret_why, struct cache_entry **ret)
{
    struct remote *r = remote_of(t, place);
    struct cache_entry *entry;
    enum cache_refusal why;
    struct plan plan;

    if (!tiers_has(t, place->type))
        return cache_fill_refuse(f, CACHE_REFUSED_NO_EXTERNAL, ret_why);
    if (!r)
        return cache_fill_commit(f, item, ret_why, ret);
    if ((why = plan_store(t, r, place, item, &plan)) != CACHE_STORED)
        return cache_fill_refuse(f, why, ret_why);
    if (!cache_fill_commit(f, &plan.item, ret_why, &entry))
        return false;
    if (plan.is_sent)
        remote_store_later(r, place, &plan.key, entry, item->born, plan.is_copy);
    if (ret)
        *ret = entry;
    else
        cache_entry_unref(entry);
    return true;
}

bool
tiers_store(struct cache_tiers *t, const struct cache_place *place, const struct cache_item *item, struct str body,
            enum cache_refusal *ret_why)
{
    struct remote *r = remote_of(t, place);
    struct cache_entry *entry;
    enum cache_refusal why;
    struct plan plan;

    if (!tiers_has(t, place->type))
        return cache_fill_refuse(cache_fill_begin(t->memory, -1), CACHE_REFUSED_NO_EXTERNAL, ret_why);
    if (!r)
        return cache_store(t->memory, item, body, ret_why);
    if ((why = plan_store(t, r, place, item, &plan)) != CACHE_STORED)
        return cache_fill_refuse(cache_fill_begin(t->memory, -1), why, ret_why);
    if (!cache_store_entry(t->memory, &plan.item, body, ret_why, &entry))
        return false;
    if (plan.is_sent && remote_enter(r)) {
        remote_store(r, place, &plan.key, entry, item->born, plan.is_copy);
        remote_leave(r);
    }
    cache_entry_unref(entry);
    return true;
}

struct cache_entry *
tiers_freshen(struct cache_tiers *t, const struct cache_place *place, const struct cache_item *item, struct cache_entry *old)
{
    struct cache_entry *fresh = NULL;
    struct cache_fill *f;

    if (!remote_of(t, place))
        return tiers_has(t, place->type) ? cache_freshen(t->memory, item, old) : NULL;
    f = cache_fill_begin(t->memory, (int64_t)cache_entry_body_length(old));
    for (uint32_t i = 0; i < cache_entry_pieces(old); i++)
        cache_fill_add(f, cache_entry_piece(old, i));
    return tiers_fill_commit(t, place, f, item, NULL, &fresh) ? fresh : NULL;
}

void
tiers_count_refusal(struct cache_tiers *t, enum cache_refusal why)
{
    cache_count_refusal(t->memory, why);
}

/* --- invalidation -------------------------------------------------------------------------------------------------- */

/* Removed is what a purge of this one key removes: on all nodes, and for fetches that began before. */
static bool
remove_everywhere(struct cache_tiers *t, struct remote *r, const struct cache_place *place, const struct cache_key *key,
                  const struct purge_order *as, struct purge_receipt *ret)
{
    struct cache_key copy = remote_copy_key(key);
    cache_scope_id scope = cache_scope(SCOPE_KEY, key->bytes);
    char text[REMOTE_NAME_MAX];
    struct str name = remote_name(place, key, text);
    struct purge_order order = as ? *as : (struct purge_order){.what = name};

    order.scopes = &scope;
    order.n = 1;
    order.is_soft = false;            /* a value is there or not */
    cache_remove_hash(t->memory, copy.hash);
    if (!remote_enter(r))
        return false;
    remote_purge(r, &order, name, ret);
    remote_leave(r);
    return ret->is_shared;
}

bool
tiers_remove(struct cache_tiers *t, const struct cache_place *place, const struct cache_key *key)
{
    struct remote *r = remote_of(t, place);
    struct purge_receipt receipt = {0};

    if (!tiers_has(t, place->type))
        return false;
    if (r)
        return remove_everywhere(t, r, place, key, NULL, &receipt);
    cache_remove(t->memory, key);
    return true;
}

/* What the external store takes is written down when it comes back from there, like what others purge. */
static void
note_purge(struct cache_tiers *t, const struct purge_order *order, uint64_t generation, uint64_t entries)
{
    struct purge_note head = {.generation = generation, .at_s = loop_wall_ns(t->loop) / 1000000000, .entries = entries,
                              .is_soft = order->is_soft};

    purge_journal_add(cache_journal(t->memory), &head, order->scopes, order->n, order->what, order->by);
}

bool
tiers_remove_as(struct cache_tiers *t, const struct cache_place *place, const struct cache_key *key, const struct purge_order *as,
                struct purge_receipt *ret)
{
    struct remote *r = remote_of(t, place);
    cache_scope_id scope = cache_scope(SCOPE_KEY, key->bytes);
    struct purge_order order = *as;

    *ret = (struct purge_receipt){.nodes_reached = 1, .outstanding = STR(""), .dropped = STR("")};
    if (!tiers_has(t, place->type))
        return false;
    if (r && remove_everywhere(t, r, place, key, as, ret))
        return true;
    if (!r)
        cache_remove(t->memory, key);
    order.scopes = &scope;
    order.n = 1;
    ret->generation = cache_generation(t->memory);
    note_purge(t, &order, ret->generation, UINT64_MAX);
    return !r;
}

void
tiers_purge(struct cache_tiers *t, const struct purge_order *order, struct purge_receipt *ret)
{
    struct purge_receipt receipt = {.nodes_reached = 1, .outstanding = STR(""), .dropped = STR("")};
    uint64_t entries = ret ? cache_count_live(t->memory, order->scopes, order->n, loop_now_ms(t->loop)) : 0;
    struct remote *r = t->remote;

    if (r && remote_enter(r)) {
        remote_purge(r, order, STR_NONE, &receipt);
        remote_leave(r);
    } else {
        receipt.generation = cache_purge(t->memory, order->scopes, order->n, order->is_soft, NULL);
    }
    receipt.entries = entries;
    if (!receipt.is_shared)
        note_purge(t, order, receipt.generation, !r && !ret ? UINT64_MAX : receipt.entries);
    if (ret)
        *ret = receipt;
}

/* --- commands ------------------------------------------------------------------------------------------------------ */

bool
tiers_can_command(const struct cache_tiers *t, struct str key)
{
    uint32_t member;

    return t->remote && remote_member(t->remote, key, &member);
}

bool
tiers_command(struct cache_tiers *t, struct str key, struct redis_ask *asks, uint32_t n)
{
    struct remote *r = t->remote;
    bool ok;

    if (!r || !remote_enter(r))
        return false;
    ok = redis_client_run(r->client, key, asks, n, remote_deadline(r), NULL);
    remote_leave(r);
    return ok;
}

/* --- turns --------------------------------------------------------------------------------------------------------- */

enum tiers_turn_kind
tiers_turn_take(struct cache_tiers *t, const struct cache_place *place, const struct cache_key *key,
                const struct cache_request *request, uint64_t wait_ms, struct tiers_turn **ret_turn,
                struct cache_entry **ret_entry)
{
    struct remote *r = remote_of(t, place);
    enum tiers_turn_kind kind;

    *ret_turn = NULL;
    if (!r || !remote_source(r, KEY_PURGES).is_up || !remote_enter(r))
        return TURN_OURS;
    kind = remote_turn_take(r, place, key, request, wait_ms, ret_turn, ret_entry);
    remote_leave(r);
    return kind;
}

/* --- entering ------------------------------------------------------------------------------------------------------ */

/* What the external store has is served, and whoever waits for our flight finds it. */
static void
take_found(struct cache_tiers *t, struct cache_entered *got, struct cache_entry *found)
{
    cache_entry_unref(got->entry);
    cache_flight_end(got->flight, FLIGHT_LANDED, loop_now_ms(t->loop));
    *got = (struct cache_entered){.part = CACHE_SERVE, .verdict = CACHE_HIT, .entry = found, .has_waited = got->has_waited,
                                  .is_external = true};
}

/* Stale there and not here: as if it had been found here. */
static void
take_stale(struct cache_tiers *t, const struct cache_enter *how, struct cache_entered *got, struct cache_entry *found)
{
    uint64_t now_ms = loop_now_ms(t->loop);

    if (got->entry) {
        cache_entry_unref(found);
        return;
    }
    got->entry = found;
    got->verdict = CACHE_STALE;
    got->stale_ms = now_ms - MIN(now_ms, cache_entry_expires_ms(found));
    if (how->wants_stale && how->may_refresh && got->stale_ms < (uint64_t)cache_entry_revalidate_s(found) * 1000)
        got->part = CACHE_SERVE;
}

/* Memory had nothing to serve. Yields. */
static void
ask_remote(struct cache_tiers *t, struct remote *r, const struct cache_place *place, const struct cache_key *key,
           const struct cache_enter *how, struct cache_entered *got)
{
    struct cache_entry *found = NULL;
    enum cache_verdict verdict;

    if (!remote_enter(r))
        return;
    verdict = remote_find(r, place, key, how->request, &found);
    remote_leave(r);
    if (verdict == CACHE_HIT)
        take_found(t, got, found);
    else if (verdict == CACHE_STALE)
        take_stale(t, how, got, found);
}

enum first_look { NOT_LOOKED, FOUND, FOUND_NOTHING };

/* Where memory keeps no copies, collapsing would let look-ups pass one at a time: so each asks by itself, and only misses meet.
 * Yields. */
static enum first_look
look_first(struct remote *r, const struct cache_place *place, const struct cache_key *key, const struct cache_enter *how,
           struct cache_entered *ret)
{
    const struct redis_hello *hello = redis_client_hello(r->client);
    struct cache_entry *found = NULL;
    enum cache_verdict verdict;

    if (!hello || (place->type == CACHING_PREFER_EXTERNAL && hello->has_tracking) || !remote_enter(r))
        return NOT_LOOKED;
    verdict = remote_find(r, place, key, how->request, &found);
    remote_leave(r);
    if (verdict == CACHE_HIT) {
        *ret = (struct cache_entered){.part = CACHE_SERVE, .verdict = CACHE_HIT, .entry = found, .is_external = true};
        return FOUND;
    }
    cache_entry_unref(found);
    return verdict == CACHE_STALE ? NOT_LOOKED : FOUND_NOTHING;
}

static void
end_turn(void *turn)
{
    tiers_turn_end(turn);
}

void
tiers_enter(struct cache_tiers *t, const struct cache_place *place, const struct cache_key *key,
            const struct cache_enter *how, struct cache_entered *ret)
{
    struct remote *r = remote_of(t, place);
    struct tiers_turn *turn = NULL;
    struct cache_entry *found = NULL;
    enum first_look first;
    uint64_t landed;
    struct cache_key copy;

    *ret = (struct cache_entered){.part = CACHE_ALONE, .verdict = CACHE_MISS_ABSENT};
    if (!r) {
        if (tiers_has(t, place->type))
            cache_enter(t->memory, key, how, ret);
        return;
    }
    landed = cache_flights_landed(t->memory);
    first = look_first(r, place, key, how, ret);
    if (first == FOUND)
        return;
    copy = remote_copy_key(key);
    cache_enter(t->memory, &copy, how, ret);
    if (ret->part == CACHE_SERVE && !counts(r, place, key, ret->entry)) {
        cache_entry_unref(ret->entry);
        *ret = (struct cache_entered){.part = ret->flight ? CACHE_FETCH : CACHE_ALONE, .verdict = CACHE_MISS_UNPROVEN,
                                      .flight = ret->flight, .has_waited = ret->has_waited};
    }
    /* Somebody may have stored it since the first look, but only if somebody has fetched anything. */
    if (ret->part >= CACHE_FETCH &&
        (first == NOT_LOOKED || ret->has_waited || landed != cache_flights_landed(t->memory)))
        ask_remote(t, r, place, key, how, ret);
    if (ret->part != CACHE_FETCH || how->wait_ms == 0)
        return;
    if (tiers_turn_take(t, place, key, how->request, how->wait_ms, &turn, &found) == TURN_FILLED)
        take_found(t, ret, found);
    else if (turn)
        cache_flight_on_end(ret->flight, end_turn, turn);
}
