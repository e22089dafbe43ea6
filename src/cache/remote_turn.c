/* remote_turn.c: one fetch for all nodes.
 *
 *     SET headgate:lock:{NAME} TOKEN NX PX 3000     the first one has the turn; braces put the lock where the key lives
 *
 * The others read lock and key, so that the store tells them when either changes, and look again then: at what was stored, or
 * for a turn of their own when the lock is gone. Nobody waits longer than it was told to. Whoever holds a lock renews it once a
 * second, so that one whose node has died is gone after three; one that this process has lost, since the link broke before it
 * could be given back, is known by its token and taken over at once.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "cache/remote.h"
#include "rt/mailbox.h"

#define LOCK_MS 3000u
#define LOOK_MS 50u             /* at a store that pushes nothing */
#define LOOK_PUSHED_MS 1000u    /* at one that does: it may be late to notice that a lock has expired */
#define LOCK_NAME_MAX (REMOTE_NAME_MAX + 32u)
#define TOKEN_BYTES 16u

/* A lock that is held. */
struct tiers_turn {
    struct message ended;             /* on its way to the worker that holds it */
    struct remote *r;
    struct list_node held;            /* in r->turns */
    struct list_node known;           /* in r->x->turns; under its lock */
    struct redis_call renewal;
    uint64_t token;
    uint32_t name_len;
    char name[];
};

static struct str
token_text(uint64_t token, char text[TOKEN_BYTES + 1])
{
    return str_from(text, (size_t)snprintf(text, TOKEN_BYTES + 1, "%016" PRIx64, token));
}

static struct str
lock_name(struct str name, char text[LOCK_NAME_MAX])
{
    return str_from(text, (size_t)snprintf(text, LOCK_NAME_MAX, "headgate:lock:{%.*s}", STR_ARG(name)));
}

/* --- holding it ---------------------------------------------------------------------------------------------------- */

static struct tiers_turn *
turn_new(struct remote *r, struct str lock, uint64_t token)
{
    struct tiers_turn *turn = xcalloc(1, sizeof(*turn) + lock.len);

    turn->r = r;
    turn->token = token;
    turn->name_len = (uint32_t)lock.len;
    memcpy(turn->name, lock.p, lock.len);
    list_push_back(&r->turns, &turn->held);
    pthread_mutex_lock(&r->x->lock);
    list_push_back(&r->x->turns, &turn->known);
    pthread_mutex_unlock(&r->x->lock);
    return turn;
}

static void
turn_delete(struct tiers_turn *turn)
{
    redis_call_abandon(&turn->renewal);
    list_remove(&turn->held);
    pthread_mutex_lock(&turn->r->x->lock);
    list_remove(&turn->known);
    pthread_mutex_unlock(&turn->r->x->lock);
    free(turn);
}

/* A token of this process that nobody here holds: its lock was lost. */
static bool
is_lost(struct external *x, uint64_t token)
{
    struct tiers_turn *turn;
    bool is_held = false;

    if (token >> 32 != (x->id & UINT32_MAX))
        return false;
    pthread_mutex_lock(&x->lock);
    list_each(&x->turns, turn, struct tiers_turn, known)
        is_held |= turn->token == token;
    pthread_mutex_unlock(&x->lock);
    return !is_held;
}

void
remote_turns_keep(struct remote *r)
{
    char life[12];
    struct str words[] = {STR("PEXPIRE"), STR_NONE, str_from(life, (size_t)snprintf(life, sizeof(life), "%u", LOCK_MS))};
    struct redis_link *l;
    struct tiers_turn *turn;
    uint32_t member;

    list_each(&r->turns, turn, struct tiers_turn, held) {
        words[1] = str_from(turn->name, turn->name_len);
        if (turn->renewal.state == CALL_SENT || !remote_member(r, words[1], &member) ||
            !(l = redis_client_link(r->client, member)) || !redis_link_send(l, &turn->renewal, words, COUNTOF(words)))
            continue;                 /* the next second tries again */
    }
}

/* The lock goes away if it is still ours. */
static void
give_back(void *arg)
{
    static const char script[] = "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) end return 0";
    struct tiers_turn *turn = arg;
    struct remote *r = turn->r;
    char text[TOKEN_BYTES + 1];
    struct str lock = str_from(turn->name, turn->name_len);
    struct str words[] = {STR("EVAL"), str_from(script, sizeof(script) - 1), STR("1"), lock, token_text(turn->token, text)};
    struct redis_ask ask = {words, COUNTOF(words), NULL, NULL, 0, 0};

    /* Where scripts are not allowed, or nobody answers, it expires. */
    list_remove(&turn->held);
    if (!redis_client_run(r->client, lock, &ask, 1, remote_deadline(r), NULL))
        external_count(r->x, EXTERNAL_AWAY);
    turn_delete(turn);
}

static void
end_turn(struct message *m)
{
    struct tiers_turn *turn = CONTAINER_OF(m, struct tiers_turn, ended);
    struct remote *r = turn->r;

    if (!remote_start(r, give_back, turn))
        turn_delete(turn);
    remote_leave(r);
}

void
tiers_turn_end(struct tiers_turn *turn)
{
    if (!turn)
        return;
    turn->ended.deliver = end_turn;
    if (loop_self() == turn->r->loop)
        end_turn(&turn->ended);
    else
        mailbox_send(turn->r->loop, &turn->ended);
}

/* --- asking for it ------------------------------------------------------------------------------------------------- */

struct lock_answer {
    bool is_ours, is_refused;
    uint64_t holder;                  /* its token; 0: not known */
};

static void
take_set(void *ctx, const struct redis_ask *ask, struct resp reply)
{
    struct lock_answer *a = ctx;

    a->is_ours = resp_type(reply) == RESP_STRING;
    a->is_refused = resp_type(reply) == RESP_ERROR;
}

static void
take_holder(void *ctx, const struct redis_ask *ask, struct resp reply)
{
    struct lock_answer *a = ctx;

    if (!num_parse_hex(resp_text(reply), &a->holder, NULL))
        a->holder = 0;
}

/* Sets the lock, unless somebody else has it. False when nobody answered, or locks are not to be had. Yields. */
static bool
set_lock(struct remote *r, struct str lock, uint64_t token, bool by_force, struct lock_answer *ret)
{
    char life[12], text[TOKEN_BYTES + 1];
    struct str words[] = {STR("SET"), lock, token_text(token, text), STR("PX"),
                          str_from(life, (size_t)snprintf(life, sizeof(life), "%u", LOCK_MS)), STR("NX")};
    struct str look[] = {STR("GET"), lock};
    struct redis_ask asks[] = {{words, COUNTOF(words) - by_force, take_set, ret, 0, 0},
                               {look, COUNTOF(look), take_holder, ret, 0, 0}};

    *ret = (struct lock_answer){0};
    return redis_client_run(r->client, lock, asks, COUNTOF(asks), remote_deadline(r), NULL) && !ret->is_refused;
}

static bool
ask_for_lock(struct remote *r, struct str lock, uint64_t token, bool *ret_is_ours)
{
    struct lock_answer a;

    if (!set_lock(r, lock, token, false, &a))
        return false;
    if (!a.is_ours && is_lost(r->x, a.holder) && !set_lock(r, lock, token, true, &a))
        return false;
    *ret_is_ours = a.is_ours;
    return true;
}

/* Until key or lock change, the time is up, or it is time to look by ourselves. False at the end of the time. Yields. */
static bool
wait_for_change(struct remote *r, struct remote_watch *w, bool is_pushed, uint64_t end_ms)
{
    uint64_t until_ms = MIN(end_ms, loop_now_ms(r->loop) + (is_pushed ? LOOK_PUSHED_MS : LOOK_MS));

    w->waiter = fiber_self();
    while (!w->is_changed)
        if (fiber_wait(until_ms) != IO_OK)
            break;
    w->waiter = NULL;
    w->is_changed = false;
    return !r->is_ending && loop_now_ms(r->loop) < end_ms && !fiber_is_cancelled(fiber_self());
}

/* A fresh entry. Yields. */
static bool
is_stored(struct remote *r, const struct cache_place *place, const struct cache_key *key, const struct cache_request *request,
          struct cache_entry **ret)
{
    struct cache_entry *found = NULL;
    enum cache_verdict verdict = remote_find(r, place, key, request, &found);

    if (verdict == CACHE_HIT)
        *ret = found;
    else
        cache_entry_unref(found);
    return verdict == CACHE_HIT;
}

enum tiers_turn_kind
remote_turn_take(struct remote *r, const struct cache_place *place, const struct cache_key *key,
                 const struct cache_request *request, uint64_t wait_ms, struct tiers_turn **ret_turn,
                 struct cache_entry **ret_entry)
{
    char name_text[REMOTE_NAME_MAX], lock_text[LOCK_NAME_MAX];
    struct str name = remote_name(place, key, name_text), lock = lock_name(name, lock_text);
    uint64_t token = atomic_fetch_add(&r->x->tokens, 1), end_ms = loop_now_ms(r->loop) + wait_ms;
    enum tiers_turn_kind kind = TURN_ALONE;
    struct remote_watch w = {0};
    bool is_ours = false, has_waited = false;

    remote_watch(r, &w, key);
    while (ask_for_lock(r, lock, token, &is_ours)) {
        /* Whoever had it before may have stored: between our look-up and this, or while we waited. */
        if ((has_waited || !is_ours) && is_stored(r, place, key, request, ret_entry)) {
            kind = TURN_FILLED;
            break;
        }
        if (is_ours) {
            kind = TURN_OURS;
            break;
        }
        if (!has_waited)
            external_count(r->x, EXTERNAL_TURNS_WAITED);
        has_waited = true;
        if (!wait_for_change(r, &w, remote_source(r, name).can_copy, end_ms))
            break;
    }
    remote_unwatch(&w);
    if (kind == TURN_FILLED)
        external_count(r->x, EXTERNAL_TURNS_FILLED);
    if (is_ours && remote_enter(r)) {
        *ret_turn = turn_new(r, lock, token);
        if (kind != TURN_OURS) {
            tiers_turn_end(*ret_turn);
            *ret_turn = NULL;
        }
    }
    return kind;
}
