/* client.c: the members of a Redis and who has which slot.
 *
 *     seed link ---CLUSTER SLOTS---> slots[16384] -> member -> link
 *     MOVED: the map is asked for again, the command goes to where the error says
 *     ASK:   the command alone goes there, behind ASKING
 *
 * A single server is member 0 and every slot's. In a cluster member 0 is the way in, for the map; each primary has a link of its
 * own. Members that left the map keep their place for whoever comes next.
 * SPDX-License-Identifier: Apache-2.0 */
#include "redis/client.h"

#include <stdlib.h>

#include "base/num.h"
#include "rt/timer.h"

#define SLOTS 16384u
#define NOBODY 0xffffu
#define REFRESH_MIN_MS 1000u  /* between two questions for the map */
#define REFRESH_MS 500u       /* how long one may take */
#define REDIRECTS_MAX 3

struct member {
    struct redis_client *client;
    struct redis_link_options options;
    struct redis_link *link;          /* NULL: a free place */
    bool is_wanted;                   /* by the newest map */
};

struct redis_client {
    struct redis_client_options options;
    struct member members[REDIS_MEMBERS_MAX];
    uint32_t n_members;               /* places used so far */
    uint32_t n_links;                 /* not gone yet */
    uint16_t *slots;                  /* NULL: not a cluster */
    struct timer refresh;
    uint64_t refreshed_ms;
    bool is_refreshing, is_ending;
};

/* --- slots --------------------------------------------------------------------------------------------------------- */

/* CRC16 of XMODEM, a nibble at a time. */
static uint16_t
crc16(struct str s)
{
    static const uint16_t table[16] = {0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
                                       0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef};
    uint16_t crc = 0;

    for (size_t i = 0; i < s.len; i++) {
        uint8_t byte = (uint8_t)s.p[i];

        crc = (uint16_t)(crc << 4) ^ table[(crc >> 12) ^ (byte >> 4)];
        crc = (uint16_t)(crc << 4) ^ table[(crc >> 12) ^ (byte & 15)];
    }
    return crc;
}

uint16_t
redis_slot(struct str key)
{
    ptrdiff_t open = str_find_char(key, '{', 0), close = open < 0 ? -1 : str_find_char(key, '}', (size_t)open + 1);

    if (close > open + 1)
        key = str_sub(key, (size_t)open + 1, (size_t)close);
    return crc16(key) & (SLOTS - 1);
}

/* --- members ------------------------------------------------------------------------------------------------------- */

static void plan_refresh(struct redis_client *c);

static void
free_client(struct redis_client *c)
{
    void (*on_gone)(void *owner) = c->options.on_gone;
    void *owner = c->options.owner;

    free(c->slots);
    free(c);
    on_gone(owner);
}

static void
try_free(struct redis_client *c)
{
    if (c->is_ending && c->n_links == 0 && !c->is_refreshing)
        free_client(c);
}

static void
on_gone(void *owner)
{
    struct member *m = owner;

    m->client->n_links--;
    try_free(m->client);
}

static void
on_state(struct redis_link *l, bool is_up, const struct err *why)
{
    struct member *m = redis_link_options(l)->owner;
    struct redis_client *c = m->client;

    /* A cluster's way in is not where keys live, and nobody's business. */
    if (is_up && m == &c->members[0] && redis_link_hello(l)->is_cluster && !c->slots) {
        c->slots = xnew_array(uint16_t, SLOTS);
        memset(c->slots, 0xff, SLOTS * sizeof(*c->slots));
    }
    if (c->slots)
        plan_refresh(c);
    c->options.on_state(c->options.owner, (uint32_t)(m - c->members), is_up, why);
}

static void
on_push(struct redis_link *l, struct resp push)
{
    struct member *m = redis_link_options(l)->owner;

    m->client->options.on_push(m->client->options.owner, (uint32_t)(m - m->client->members), push);
}

static void
open_member(struct redis_client *c, struct member *m, const struct redis_endpoint *endpoint)
{
    m->client = c;
    m->options = c->options.link;
    m->options.owner = m;
    m->options.on_state = on_state;
    m->options.on_push = on_push;
    m->options.on_gone = on_gone;
    m->is_wanted = true;
    if (endpoint)
        m->options.channel = STR_NONE;
    m->link = redis_link_new(&m->options, endpoint);
    c->n_links++;
}

/* The member with this address; a new one when there is none yet. NULL when there are too many. */
static struct member *
member_at(struct redis_client *c, struct redis_endpoint endpoint)
{
    struct member *free_place = NULL;

    for (uint32_t i = 1; i < c->n_members; i++) {
        struct member *m = &c->members[i];

        if (!m->link) {
            free_place = m;
            continue;
        }
        if (redis_link_endpoint(m->link)->port == endpoint.port && str_eq(redis_link_endpoint(m->link)->host, endpoint.host)) {
            m->is_wanted = true;
            return m;
        }
    }
    if (!free_place && c->n_members == REDIS_MEMBERS_MAX)
        return NULL;
    if (!free_place)
        free_place = &c->members[c->n_members++];
    open_member(c, free_place, &endpoint);
    return free_place;
}

/* --- the map ------------------------------------------------------------------------------------------------------- */

struct map_answer {
    struct redis_call call;
    struct redis_client *client;
    struct redis_endpoint asked;
    bool is_ok;
};

/* range = [first, last, [host, port, id, ...], replicas...]; an empty host is the one that was asked. */
static bool
take_range(struct redis_client *c, struct resp range, const struct redis_endpoint *asked)
{
    struct resp first, last, primary, host, port;
    uint64_t from, to, n;
    struct redis_endpoint endpoint = *asked;
    struct member *m;

    if (!resp_item(range, 0, &first) || !resp_item(range, 1, &last) || !resp_item(range, 2, &primary) ||
        !resp_item(primary, 0, &host) || !resp_item(primary, 1, &port) || !resp_u64(first, &from) || !resp_u64(last, &to) ||
        !resp_u64(port, &n) || from > to || to >= SLOTS || n == 0 || n > 65535)
        return false;
    if (resp_text(host).len)
        endpoint.host = resp_text(host);
    endpoint.port = (uint16_t)n;
    if (!(m = member_at(c, endpoint)))
        return false;
    for (uint64_t s = from; s <= to; s++)
        c->slots[s] = (uint16_t)(m - c->members);
    return true;
}

static void
drop_unwanted(struct redis_client *c)
{
    for (uint32_t i = 1; i < c->n_members; i++) {
        struct member *m = &c->members[i];

        if (!m->link || m->is_wanted)
            continue;
        struct redis_link *gone = m->link;
        struct err why;

        err_set(&why, ERR_CLOSED, "it has left the cluster");
        if (redis_link_is_up(gone))
            c->options.on_state(c->options.owner, i, false, &why);
        m->link = NULL;
        redis_link_delete(gone);
    }
}

static void
on_map(struct redis_call *call, const struct resp *reply)
{
    struct map_answer *a = CONTAINER_OF(call, struct map_answer, call);
    struct redis_client *c = a->client;
    struct resp range;

    if (!reply || !resp_is_list(*reply) || resp_n(*reply) == 0)
        return;
    for (uint32_t i = 1; i < c->n_members; i++)
        c->members[i].is_wanted = false;
    memset(c->slots, 0xff, SLOTS * sizeof(*c->slots));
    range = resp_first(*reply);
    for (uint32_t i = 0; i < resp_n(*reply); i++, range = resp_next(range))
        take_range(c, range, &a->asked);
    a->is_ok = true;
}

/* Any member that is up knows the map. */
static struct redis_link *
some_link(const struct redis_client *c)
{
    for (uint32_t i = 0; i < c->n_members; i++)
        if (c->members[i].link && redis_link_is_up(c->members[i].link))
            return c->members[i].link;
    return NULL;
}

static void
refresh_fiber(void *arg)
{
    struct redis_client *c = arg;
    struct str words[] = {STR("CLUSTER"), STR("SLOTS")};
    struct redis_link *l = some_link(c);
    struct map_answer a = {.call = {.on_reply = on_map}, .client = c};

    c->is_refreshing = true;
    c->refreshed_ms = loop_now_ms(c->options.link.loop);
    if (l) {
        a.asked = *redis_link_endpoint(l);
        if (redis_link_send(l, &a.call, words, 2) && redis_call_wait(&a.call, c->refreshed_ms + REFRESH_MS, NULL) && a.is_ok)
            drop_unwanted(c);
    }
    c->is_refreshing = false;
    if (c->is_ending)
        try_free(c);
    else if (!a.is_ok)
        plan_refresh(c);
}

static void
begin_refresh(struct timer *t)
{
    struct redis_client *c = CONTAINER_OF(t, struct redis_client, refresh);

    if (c->is_refreshing || !fiber_start(c->options.link.loop, refresh_fiber, c, NULL))
        plan_refresh(c);
}

/* Soon, and not more often than once a second. */
static void
plan_refresh(struct redis_client *c)
{
    uint64_t now_ms = loop_now_ms(c->options.link.loop);

    if (c->is_ending || timer_is_running(&c->refresh))
        return;
    timer_start(c->options.link.loop, &c->refresh, MAX(now_ms + 1, c->refreshed_ms ? c->refreshed_ms + REFRESH_MIN_MS : 0),
                begin_refresh);
}

/* --- running commands ---------------------------------------------------------------------------------------------- */

struct run_call {
    struct redis_call call;
    struct redis_client *client;
    const struct redis_ask *ask;
    struct redirect *redirect;
};

/* Where an error has sent the commands. */
struct redirect {
    enum { STAYS, MOVED, ASKED } kind;
    uint32_t member;
};

/* redirect = ("MOVED" | "ASK") " " slot " " host ":" port */
static bool
take_redirect(struct redis_client *c, struct str text, uint32_t from, struct redirect *ret)
{
    struct str word, slot;
    struct redis_endpoint endpoint = {0};
    ptrdiff_t colon;
    uint32_t port, s;
    struct member *m;

    if (!c->slots || !str_split_next(&text, ' ', &word) || (!str_eq_lit(word, "MOVED") && !str_eq_lit(word, "ASK")) ||
        !str_split_next(&text, ' ', &slot) || !num_parse_u32(slot, SLOTS - 1, &s, NULL) ||
        (colon = str_rfind_char(text, ':')) < 0 || !num_parse_u32(str_skip(text, (size_t)colon + 1), 65535, &port, NULL))
        return false;
    endpoint.host = colon ? str_sub(text, 0, (size_t)colon) : redis_link_endpoint(c->members[from].link)->host;
    endpoint.port = (uint16_t)port;
    if (!(m = member_at(c, endpoint)))
        return false;
    *ret = (struct redirect){str_eq_lit(word, "MOVED") ? MOVED : ASKED, (uint32_t)(m - c->members)};
    if (ret->kind == MOVED) {
        c->slots[s] = (uint16_t)ret->member;
        plan_refresh(c);
    }
    return true;
}

static void
on_run_reply(struct redis_call *call, const struct resp *reply)
{
    struct run_call *r = CONTAINER_OF(call, struct run_call, call);

    if (!reply || !r->ask)
        return;
    if (resp_type(*reply) == RESP_ERROR && take_redirect(r->client, resp_text(*reply), r->ask->member, r->redirect))
        return;
    if (r->client->slots && resp_type(*reply) == RESP_ERROR && str_starts_with(resp_text(*reply), STR("CLUSTERDOWN")))
        plan_refresh(r->client);
    if (r->ask->take)
        r->ask->take(r->ask->ctx, r->ask, *reply);
}

/* One try at one member. */
static bool
run_at(struct redis_client *c, uint32_t member, bool is_asking, struct redis_ask *asks, uint32_t n, uint64_t deadline_ms,
       struct redirect *redirect, struct err *err)
{
    struct run_call calls[REDIS_ASKS_MAX], asking = {.call = {.on_reply = on_run_reply}};
    struct redis_link *l = redis_client_link(c, member);
    struct str words[] = {STR("ASKING")};
    bool ok = l != NULL;
    uint32_t sent = 0;

    redirect->kind = STAYS;
    if (ok && is_asking)
        ok = redis_link_send(l, &asking.call, words, 1);
    for (; ok && sent < n; sent++) {
        calls[sent] = (struct run_call){.call = {.on_reply = on_run_reply}, .client = c, .ask = &asks[sent],
                                        .redirect = redirect};
        if (!(ok = redis_link_send(l, &calls[sent].call, asks[sent].words, asks[sent].n)))
            break;
        asks[sent].sent_ns = calls[sent].call.sent_ns;
        asks[sent].member = member;
    }
    if (!ok)
        err_set(err, ERR_CONNECT, "the server is away");
    for (uint32_t i = 0; ok && i < sent; i++)
        ok = redis_call_wait(&calls[i].call, deadline_ms, err);
    for (uint32_t i = 0; i < sent; i++)
        redis_call_abandon(&calls[i].call);
    redis_call_abandon(&asking.call);
    return ok;
}

bool
redis_client_run(struct redis_client *c, struct str key, struct redis_ask *asks, uint32_t n, uint64_t deadline_ms,
                 struct err *err)
{
    struct redirect redirect = {STAYS, 0};

    ASSERT(n <= REDIS_ASKS_MAX);
    if (!redis_client_member(c, key, &redirect.member))
        return err_set(err, ERR_CONNECT, "the server is away");
    for (int i = 0; i <= REDIRECTS_MAX; i++) {
        if (!run_at(c, redirect.member, redirect.kind == ASKED, asks, n, deadline_ms, &redirect, err))
            return false;
        if (redirect.kind == STAYS)
            return true;
    }
    return err_set(err, ERR_PROTOCOL, "the key is moved again and again");
}

/* --- the client ---------------------------------------------------------------------------------------------------- */

struct redis_client *
redis_client_new(const struct redis_client_options *options)
{
    struct redis_client *c = xnew(struct redis_client);

    c->options = *options;
    c->n_members = 1;
    open_member(c, &c->members[0], NULL);
    return c;
}

void
redis_client_delete(struct redis_client *c)
{
    uint32_t n;

    if (!c)
        return;
    c->is_ending = true;
    timer_stop(c->options.link.loop, &c->refresh);
    n = c->n_links;
    c->n_links++; /* stays while we walk */
    for (uint32_t i = 0; n && i < c->n_members; i++) {
        struct redis_link *l = c->members[i].link;

        c->members[i].link = NULL;
        redis_link_delete(l);
    }
    c->n_links--;
    try_free(c);
}

bool
redis_client_member(const struct redis_client *c, struct str key, uint32_t *ret)
{
    uint32_t member = c->slots ? c->slots[redis_slot(key)] : 0;

    if (member == NOBODY || !redis_client_link(c, member))
        return false;
    *ret = member;
    return true;
}

struct redis_link *
redis_client_link(const struct redis_client *c, uint32_t member)
{
    struct redis_link *l = member < c->n_members ? c->members[member].link : NULL;

    return l && redis_link_is_up(l) ? l : NULL;
}

const struct redis_hello *
redis_client_hello(const struct redis_client *c)
{
    struct redis_link *l = some_link(c);

    return l ? redis_link_hello(l) : NULL;
}
