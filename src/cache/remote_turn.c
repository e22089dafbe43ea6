/* remote_turn.c: one fetch for all nodes.
 *
 *     SET headgate:lock:{NAME} TOKEN NX PX ...     the first one has the turn; braces put the lock where the key lives
 *
 * The others read lock and key, so that the store tells them when either changes, and look again then: at what was stored, or
 * for a turn of their own when the lock is gone. Nobody waits longer than it was told to; a node that dies holding a lock holds
 * it until it expires.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "cache/remote.h"

#define LOCK_MAX_MS 30000u
#define LOOK_MS 50u             /* at a store that pushes nothing */
#define LOCK_NAME_MAX (REMOTE_NAME_MAX + 32u)

struct tiers_turn {
    struct remote *r;
    char token[24];
    uint32_t name_len;
    char name[];
};

struct lock_answer {
    bool is_ours, is_refused;
};

static void
take_lock(void *ctx, const struct redis_ask *ask, struct resp reply)
{
    struct lock_answer *a = ctx;

    a->is_ours = resp_type(reply) == RESP_STRING;
    a->is_refused = resp_type(reply) == RESP_ERROR;
}

static struct str
lock_name(struct str name, char text[LOCK_NAME_MAX])
{
    return str_from(text, (size_t)snprintf(text, LOCK_NAME_MAX, "headgate:lock:{%.*s}", STR_ARG(name)));
}

static struct tiers_turn *
turn_new(struct remote *r, struct str lock, struct str token)
{
    struct tiers_turn *turn = xcalloc(1, sizeof(*turn) + lock.len);

    turn->r = r;
    memcpy(turn->token, token.p, token.len);
    turn->name_len = (uint32_t)lock.len;
    memcpy(turn->name, lock.p, lock.len);
    return turn;
}

/* Asks for the lock. False when nobody answered, or locks are not to be had. Yields. */
static bool
ask_for_lock(struct remote *r, struct str lock, struct str token, uint64_t life_ms, bool *ret_is_ours)
{
    char life[24];
    struct lock_answer a = {0};
    struct str words[] = {STR("SET"), lock, token, STR("NX"), STR("PX"),
                          str_from(life, (size_t)snprintf(life, sizeof(life), "%" PRIu64, life_ms))};
    struct str look[] = {STR("STRLEN"), lock};
    struct redis_ask asks[] = {{words, COUNTOF(words), take_lock, &a, 0, 0}, {look, COUNTOF(look), NULL, NULL, 0, 0}};

    if (!redis_client_run(r->client, lock, asks, COUNTOF(asks), remote_deadline(r), NULL) || a.is_refused)
        return false;
    *ret_is_ours = a.is_ours;
    return true;
}

/* Until key or lock change, the time is up, or it is time to look by ourselves. False at the end of the time. Yields. */
static bool
wait_for_change(struct remote *r, struct remote_watch *w, bool is_pushed, uint64_t end_ms)
{
    uint64_t until_ms = is_pushed ? end_ms : MIN(end_ms, loop_now_ms(r->loop) + LOOK_MS);

    w->waiter = fiber_self();
    while (!w->is_changed)
        if (fiber_wait(until_ms) != IO_OK)
            break;
    w->waiter = NULL;
    w->is_changed = false;
    return !r->is_ending && loop_now_ms(r->loop) < end_ms && !fiber_is_cancelled(fiber_self());
}

/* The lock goes away if it is still ours. */
static void
give_back(void *arg)
{
    static const char script[] = "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) end return 0";
    struct tiers_turn *turn = arg;
    struct str lock = str_from(turn->name, turn->name_len);
    struct str words[] = {STR("EVAL"), str_from(script, sizeof(script) - 1), STR("1"), lock, str_from_c(turn->token)};
    struct redis_ask ask = {words, COUNTOF(words), NULL, NULL, 0, 0};

    /* Where scripts are not allowed, or nobody answers, it expires. */
    if (!redis_client_run(turn->r->client, lock, &ask, 1, remote_deadline(turn->r), NULL))
        external_count(turn->r->x, EXTERNAL_AWAY);
    free(turn);
}

void
tiers_turn_end(struct tiers_turn *turn)
{
    struct remote *r;

    if (!turn)
        return;
    r = turn->r;
    if (!remote_start(r, give_back, turn))
        free(turn);
    remote_leave(r);
}

enum tiers_turn_kind
remote_turn_take(struct remote *r, const struct cache_place *place, const struct cache_key *key,
                 const struct cache_request *request, uint64_t wait_ms, struct tiers_turn **ret_turn,
                 struct cache_entry **ret_entry)
{
    char name_text[REMOTE_NAME_MAX], lock_text[LOCK_NAME_MAX], token_text[24];
    struct str name = remote_name(place, key, name_text), lock = lock_name(name, lock_text);
    struct str token = str_from(token_text, (size_t)snprintf(token_text, sizeof(token_text), "%016" PRIx64,
                                                             atomic_fetch_add(&r->x->tokens, 1)));
    uint64_t end_ms = loop_now_ms(r->loop) + wait_ms;
    enum tiers_turn_kind kind = TURN_ALONE;
    struct remote_watch w = {0};
    bool is_ours = false, has_waited = false;

    remote_watch(r, &w, key);
    while (ask_for_lock(r, lock, token, MIN(MAX(wait_ms, (uint64_t)1000), (uint64_t)LOCK_MAX_MS), &is_ours)) {
        /* Whoever had it before may have stored: between our look-up and this, or while we waited. */
        if ((has_waited || !is_ours) && remote_find(r, place, key, request, ret_entry) == CACHE_HIT) {
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
