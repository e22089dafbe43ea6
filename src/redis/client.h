/* client.h: one Redis, or a cluster of them, as one worker sees it: which connection a key's commands go to, and following a
 * key that has moved. One key a command.
 *
 *     struct redis_ask ask = {words, 2, take_value, &found};
 *     if (!redis_client_run(client, key, &ask, 1, deadline_ms, &err)) ...      // away, or too late
 *
 * One worker, its thread alone.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "redis/link.h"

#define REDIS_MEMBERS_MAX 256u

struct redis_client;

struct redis_client_options {
    struct redis_link_options link;   /* its owner and callbacks are the client's business */
    void *owner;
    /* Never yielding. member: below REDIS_MEMBERS_MAX; a single server is member 0. why: of going down, or of not coming up. */
    void (*on_state)(void *owner, uint32_t member, bool is_up, const struct err *why);
    void (*on_push)(void *owner, uint32_t member, struct resp push);
    void (*on_gone)(void *owner);
};

/* Copies the options, not what they point to. Begins to connect at once. */
struct redis_client *redis_client_new(const struct redis_client_options *options);
/* Ends with on_gone(), at once or a turn or two later; calls in progress break. NULL is fine. */
void redis_client_delete(struct redis_client *c);

/* The member that this key's commands go to; false: none is up. */
MUST_USE bool redis_client_member(const struct redis_client *c, struct str key, uint32_t *ret);
/* NULL while it is down. */
struct redis_link *redis_client_link(const struct redis_client *c, uint32_t member);
/* What the server said of itself; NULL before anything is up. */
const struct redis_hello *redis_client_hello(const struct redis_client *c);

struct redis_ask {
    const struct str *words;
    uint32_t n;
    /* With the reply, an error among them, never yielding. NULL: nobody cares. */
    void (*take)(void *ctx, const struct redis_ask *ask, struct resp reply);
    void *ctx;
    uint64_t sent_ns;                 /* written: when it was queued */
    uint32_t member;                  /* written: whom it went to */
};
#define REDIS_ASKS_MAX 4u
/* Sends all of them in one go to where the key lives, and waits for all replies; where a cluster says that the key has moved,
 * once more there. False when they were not all answered: ERR_CONNECT (nobody is up), ERR_TIMEOUT, ERR_CLOSED, ERR_CANCELLED.
 * Yields. */
MUST_USE bool redis_client_run(struct redis_client *c, struct str key, struct redis_ask *asks, uint32_t n, uint64_t deadline_ms,
                               struct err *err);

/* Slot of a key: CRC16 of it, or of what stands between its first braces. */
uint16_t redis_slot(struct str key);
