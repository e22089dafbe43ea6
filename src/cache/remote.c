/* remote.c: connections of one worker to the external store, who vouches for the copies in memory, and what is pushed.
 *
 *     source = 1 + worker * members + member       its epoch is even while the link is up, odd while it is down
 *
 * Up: the copies that were read over this link count, while the link's last answer is younger than the lease. Down: they are
 * dead at once; what is stored instead counts until the link is back, so that memory serves while the store is away.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/remote.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/codec.h"

#define UNSENT_MAX ((size_t)64 << 20)
#define REPLY_SLACK ((size_t)256 << 10)
#define REPLY_NODES 262144u
#define CUT_BYTES 64u          /* what is kept of a long name, before '~' and the hash */

/* --- names --------------------------------------------------------------------------------------------------------- */

char *
remote_put_hash(char *to, struct hash128 hash)
{
    codec_hex_word(to, (uint32_t)(hash.hi >> 32));
    codec_hex_word(to + 8, (uint32_t)hash.hi);
    codec_hex_word(to + 16, (uint32_t)(hash.lo >> 32));
    codec_hex_word(to + 24, (uint32_t)hash.lo);
    return to + REMOTE_HASH_HEX;
}

static char *
put(char *to, struct str s)
{
    if (s.len)
        memcpy(to, s.p, s.len);
    return to + s.len;
}

struct str
remote_name(const struct cache_place *place, const struct cache_key *key, char text[REMOTE_NAME_MAX])
{
    char *to = put(text, STR("apim:"));
    struct str owner = place->owner.len ? str_sub(place->owner, 0, VALUE_NAME_MAX) : STR("-");

    if (!place->name.p) {
        to = put(put(to, owner), STR(":r:"));
        to = remote_put_hash(to, key->hash);
    } else if (place->name.len <= VALUE_NAME_MAX) {
        to = put(put(to, STR("-:v:")), place->name);
    } else {
        to = put(put(put(to, STR("-:v:")), str_sub(place->name, 0, CUT_BYTES)), STR("~"));
        to = remote_put_hash(to, key->hash);
    }
    return str_from(text, (size_t)(to - text));
}

static bool
hash_from_hex(struct str hex, struct hash128 *ret)
{
    uint64_t n[2] = {0};

    if (hex.len < REMOTE_HASH_HEX)
        return false;
    for (uint32_t i = 0; i < REMOTE_HASH_HEX; i++) {
        int digit = ascii_hex_value(hex.p[i]);

        if (digit < 0)
            return false;
        n[i / 16] = n[i / 16] << 4 | (uint64_t)digit;
    }
    *ret = (struct hash128){n[0], n[1]};
    return true;
}

static struct hash128
hash_of_value(struct str name)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct cache_key key = {0};

    cache_key_begin(&b, CACHE_VALUE);
    cache_key_add(&b, name);
    if (!cache_key_end(&b, &key))
        return (struct hash128){0};
    return key.hash;
}

/* --- what changes -------------------------------------------------------------------------------------------------- */

static uint32_t
source_of(const struct remote *r, uint32_t member)
{
    return 1 + r->worker * REDIS_MEMBERS_MAX + member;
}

static struct list *
watches_of(struct remote *r, struct hash128 hash)
{
    return &r->watches[hash.lo % WATCH_LISTS];
}

void
remote_watch(struct remote *r, struct remote_watch *w, const struct cache_key *key)
{
    w->hash = key->hash;
    w->is_changed = false;
    list_push_back(watches_of(r, w->hash), &w->link);
}

void
remote_unwatch(struct remote_watch *w)
{
    list_remove(&w->link);
}

static bool
is_watched(const struct remote_watch *w, struct hash128 hash)
{
    return w->hash.lo == hash.lo && w->hash.hi == hash.hi;
}

/* The copies that links of this worker vouch for: the worker that vouches for another one is told as well, unless it is who has
 * changed the key. */
static void
hash_changed(struct remote *r, struct hash128 hash)
{
    struct cache_key copy = remote_copy_key(&(struct cache_key){.hash = hash});
    struct remote_watch *w;

    if (cache_remove_copies(r->memory, copy.hash, source_of(r, 0), source_of(r, REDIS_MEMBERS_MAX - 1)))
        external_count(r->x, EXTERNAL_COPIES_DROPPED);
    list_each(watches_of(r, hash), w, struct remote_watch, link) {
        if (!is_watched(w, hash))
            continue;
        w->is_changed = true;
        if (w->waiter)
            fiber_wake(w->waiter);
    }
}

void
remote_changes(struct remote *r, const struct cache_key *key, bool has_copy)
{
    struct remote_watch *w;

    if (!has_copy)
        cache_remove_hash(r->memory, remote_copy_key(key).hash);
    list_each(watches_of(r, key->hash), w, struct remote_watch, link)
        w->is_changed |= !w->waiter && is_watched(w, key->hash);
}

/* name = "apim:" owner ":r:" hash [":" hash] | "apim:-:v:" value */
static void
value_changed(struct remote *r, struct str name)
{
    struct str value_prefix = STR("apim:-:v:"), rest;
    struct hash128 hash;
    ptrdiff_t kind;

    if (str_starts_with(name, value_prefix)) {
        rest = str_skip(name, value_prefix.len);
        hash_changed(r, hash_of_value(rest));
        /* It may be a cut name, or look like one: then both are meant. */
        if (rest.len == CUT_BYTES + 1 + REMOTE_HASH_HEX && rest.p[CUT_BYTES] == '~' &&
            hash_from_hex(str_skip(rest, CUT_BYTES + 1), &hash))
            hash_changed(r, hash);
    } else if ((kind = str_find(name, STR(":r:"), 0)) >= 0 && hash_from_hex(str_skip(name, (size_t)kind + 3), &hash)) {
        hash_changed(r, hash);
    }
}

static void
key_changed(struct remote *r, struct str name)
{
    struct str lock_prefix = STR("headgate:lock:{");

    if (str_eq(name, KEY_PURGES))
        remote_pulse(r);
    else if (str_eq(name, KEY_NODES))
        fiber_cond_broadcast(&r->nodes_changed);
    else if (str_starts_with(name, lock_prefix) && name.p[name.len - 1] == '}')
        value_changed(r, str_sub(name, lock_prefix.len, name.len - 1));
    else
        value_changed(r, name);
}

/* --- who vouches --------------------------------------------------------------------------------------------------- */

static bool
is_up(uint32_t epoch)
{
    return epoch % 2 == 0;
}

/* The next epoch of this parity. */
static void
turn_epoch(struct remote *r, uint32_t member, bool to_up, uint64_t until_ms)
{
    uint32_t *epoch = &r->epochs->v[member];

    *epoch += is_up(*epoch) == to_up ? 2 : 1;
    cache_source_set(r->memory, source_of(r, member), *epoch, until_ms);
}

static void
wake_watches(struct remote *r)
{
    struct remote_watch *w;

    for (uint32_t i = 0; i < WATCH_LISTS; i++) {
        list_each(&r->watches[i], w, struct remote_watch, link) {
            w->is_changed = true;
            if (w->waiter)
                fiber_wake(w->waiter);
        }
    }
}

/* All copies that were read over this link. */
static void
everything_changed(struct remote *r, uint32_t member)
{
    turn_epoch(r, member, true, loop_now_ms(r->loop) + LEASE_MS / 2);
    wake_watches(r);
    remote_pulse(r);
}

bool
remote_member(const struct remote *r, struct str name, uint32_t *ret)
{
    return redis_client_member(r->client, name, ret);
}

struct remote_source
remote_source(const struct remote *r, struct str name)
{
    struct remote_source s = {0};
    uint32_t member = 0;

    if (remote_member(r, name, &member)) {
        s.is_up = is_up(r->epochs->v[member]);
        s.can_copy = redis_link_hello(redis_client_link(r->client, member))->has_tracking;
    }
    s.source = source_of(r, member);
    s.epoch = r->epochs->v[member];
    return s;
}

void
remote_heard(struct remote *r, uint32_t member, uint64_t sent_ns)
{
    if (is_up(r->epochs->v[member]))
        cache_source_extend(r->memory, source_of(r, member), r->epochs->v[member], sent_ns / 1000000 + LEASE_MS);
}

uint64_t
remote_deadline(const struct remote *r)
{
    return loop_now_ms(r->loop) + r->x->options.operation_ms;
}

/* --- the client's callbacks ---------------------------------------------------------------------------------------- */

static void
say_up(struct remote *r, uint32_t member)
{
    struct external *x = r->x;
    const struct redis_hello *h = redis_client_hello(r->client);
    const struct redis_endpoint *at = redis_link_endpoint(redis_client_link(r->client, member));
    uint64_t since_ms = atomic_exchange(&x->away_since_ms, 0);

    atomic_store(&x->is_refusal_told, false);
    if (since_ms)
        external_tell(x, LOG_INFO, "cache: %.*s:%u is back after %" PRIu64 " s", STR_ARG(at->host), at->port,
                      (loop_now_ms(r->loop) - since_ms) / 1000);
    else
        external_tell(x, LOG_INFO, "cache: connected to %.*s:%u (version %s, RESP%u%s%s)", STR_ARG(at->host), at->port,
                      h->version[0] ? h->version : "unknown", h->protocol, h->is_cluster ? ", cluster" : "",
                      h->has_tracking ? "" : ", no key tracking: memory keeps no copies");
}

/* Somebody has to mend it: a server that answers and does not want us will not come back by itself. */
static bool
is_refusal(const struct err *why)
{
    return why && (why->code == ERR_DENIED || why->code == ERR_TLS);
}

static void
say_down(struct remote *r, const struct err *why)
{
    struct external *x = r->x;
    uint64_t never = 0;
    bool is_known = !atomic_compare_exchange_strong(&x->away_since_ms, &never, MAX(loop_now_ms(r->loop), (uint64_t)1));

    if (is_refusal(why) && !atomic_exchange(&x->is_refusal_told, true) && is_known)
        external_tell(x, LOG_WARN, "cache: the external cache is there, and refuses us (%s)", why->text);
    if (is_known)
        return;
    external_tell(x, LOG_WARN, "cache: the external cache is away (%s), %s", why && why->code ? why->text : "unknown",
                  x->options.is_strict ? "every look-up that wants it misses" : "using memory alone where prefer-external asks");
}

static void
on_state(void *owner, uint32_t member, bool goes_up, const struct err *why)
{
    struct remote *r = owner;
    bool was_up = is_up(r->epochs->v[member]);

    if (goes_up) {
        turn_epoch(r, member, true, loop_now_ms(r->loop) + LEASE_MS / 2);
        if (!was_up && atomic_fetch_add(&r->x->links_up, 1) == 0)
            say_up(r, member);
        remote_pulse(r);
        return;
    }
    if (was_up) {
        turn_epoch(r, member, false, UINT64_MAX);
        if (atomic_fetch_sub(&r->x->links_up, 1) != 1)
            return;
    }
    if (atomic_load(&r->x->links_up) == 0)
        say_down(r, why);
}

static void
on_push(void *owner, uint32_t member, struct resp push)
{
    struct remote *r = owner;
    struct resp kind, keys, text;

    if (!resp_item(push, 0, &kind))
        return;
    if (str_eq_lit(resp_text(kind), "invalidate") && resp_item(push, 1, &keys)) {
        /* RESP3 */
    } else if (str_eq_lit(resp_text(kind), "message") && resp_item(push, 1, &text) && resp_item(push, 2, &keys)) {
        if (str_eq(resp_text(text), CHANNEL)) {
            remote_on_message(r, resp_text(keys));
            return;
        }
    } else {
        return;
    }
    if (!resp_is_list(keys)) {
        everything_changed(r, member); /* FLUSHALL, FLUSHDB */
        return;
    }
    struct resp key = resp_first(keys);
    for (uint32_t i = 0; i < resp_n(keys); i++, key = resp_next(key))
        key_changed(r, resp_text(key));
}

/* --- the pulse of the links ---------------------------------------------------------------------------------------- */

static void
on_pong(struct redis_call *call, const struct resp *reply)
{
    struct remote_ping *p = CONTAINER_OF(call, struct remote_ping, call);

    if (reply)
        remote_heard(p->remote, p->member, call->sent_ns);
}

/* Outside of clusters, where replicas send us on, a write that changes nothing: a replica would answer PING, too, but it may be behind.
 * Any reply will do but that of a server which is out, and that breaks the link. */
static void
ping(struct remote *r, uint32_t member)
{
    struct redis_link *l = redis_client_link(r->client, member);
    struct str words[] = {STR("DEL"), STR("headgate:lock:{}")}, plain[] = {STR("PING")};
    struct remote_ping *p = r->pings[member];
    bool is_plain;

    if (!l)
        return;
    is_plain = redis_link_hello(l)->is_cluster;
    if (!p) {
        p = r->pings[member] = xnew(struct remote_ping);
        *p = (struct remote_ping){.call = {.on_reply = on_pong}, .remote = r, .member = member};
    }
    if (p->call.state != CALL_SENT && !redis_link_send(l, &p->call, is_plain ? plain : words, is_plain ? 1 : COUNTOF(words)))
        p->call.state = CALL_IDLE;
}

static void
on_pulse(struct timer *t)
{
    struct remote *r = CONTAINER_OF(t, struct remote, pulse);

    for (uint32_t i = 0; i < REDIS_MEMBERS_MAX; i++)
        ping(r, i);
    remote_turns_keep(r);
    remote_pulse(r);
    timer_start(r->loop, t, loop_now_ms(r->loop) + BEAT_MS - BEAT_MS / 20 + rand_below(&r->loop->rand, BEAT_MS / 10), on_pulse);
}

/* --- beginning and ending ------------------------------------------------------------------------------------------ */

bool
remote_enter(struct remote *r)
{
    if (r->is_ending)
        return false;
    r->n_fibers++;
    return true;
}

static void
free_remote(struct remote *r)
{
    void (*done)(void *ctx) = r->on_gone;
    void *ctx = r->on_gone_ctx;

    for (uint32_t i = 0; i < REDIS_MEMBERS_MAX; i++)
        free(r->pings[i]);
    buf_destroy(&r->outstanding);
    buf_destroy(&r->dropped);
    external_unref(r->x);
    free(r);
    done(ctx);
}

static void
on_gone(void *owner)
{
    free_remote(owner);
}

void
remote_leave(struct remote *r)
{
    if (--r->n_fibers == 0 && r->is_ending)
        redis_client_delete(r->client);
}

struct started {
    struct remote *remote;
    void (*fn)(void *arg);
    void *arg;
};

static void
run_started(void *arg)
{
    struct started s = *(struct started *)arg;

    free(arg);
    s.fn(s.arg);
    remote_leave(s.remote);
}

bool
remote_start(struct remote *r, void (*fn)(void *arg), void *arg)
{
    struct started *s;

    if (!remote_enter(r))
        return false;
    s = xnew(struct started);
    *s = (struct started){r, fn, arg};
    if (fiber_start(r->loop, run_started, s, NULL))
        return true;
    free(s);
    remote_leave(r);
    return false;
}

struct remote *
remote_new(struct loop *loop, struct external *x, uint32_t worker, struct remote_epochs *epochs)
{
    struct remote *r = xnew(struct remote);
    struct redis_client_options options = {
        .link = {.loop = loop, .conf = &x->conf, .tls = x->tls, .overrides = x->options.overrides,
                 .n_overrides = x->options.n_overrides, .client_name = str_from_c(x->name),
                 .channel = worker == 0 ? CHANNEL : STR_NONE,
                 .limits = {.reply_bytes = x->options.value_bytes_max + REPLY_SLACK, .nodes = REPLY_NODES},
                 .unsent_max = UNSENT_MAX, .operation_ms = x->options.operation_ms, .figures = &x->redis[worker]},
        .owner = r, .on_state = on_state, .on_push = on_push, .on_gone = on_gone};

    *r = (struct remote){.loop = loop, .memory = x->options.memory, .x = external_ref(x), .worker = worker, .epochs = epochs};
    for (uint32_t i = 0; i < WATCH_LISTS; i++)
        list_init(&r->watches[i]);
    list_init(&r->turns);
    fiber_cond_init(&r->confirmed);
    fiber_cond_init(&r->nodes_changed);
    for (uint32_t i = 0; i < REDIS_MEMBERS_MAX; i++)
        turn_epoch(r, i, false, UINT64_MAX);
    r->client = redis_client_new(&options);
    timer_start(loop, &r->pulse, loop_now_ms(loop) + BEAT_MS, on_pulse);
    return r;
}

void
remote_delete(struct remote *r, void (*done)(void *ctx), void *ctx)
{
    remote_say_goodbye(r);
    r->is_ending = true;
    r->on_gone = done;
    r->on_gone_ctx = ctx;
    timer_stop(r->loop, &r->pulse);
    for (uint32_t i = 0; i < REDIS_MEMBERS_MAX; i++) {
        if (is_up(r->epochs->v[i]))
            atomic_fetch_sub(&r->x->links_up, 1);
        r->epochs->v[i] += 2;
        cache_source_set(r->memory, source_of(r, i), r->epochs->v[i], 0);
    }
    fiber_cond_broadcast(&r->confirmed);
    fiber_cond_broadcast(&r->nodes_changed);
    wake_watches(r);
    if (r->n_fibers == 0)
        redis_client_delete(r->client);
}
