/* link.c: how a connection comes to be, says hello, and is given up.
 *
 *     waiting --timer--> connecting (a fiber) --hello--> up --broken, silent, late--> waiting, longer
 *
 * The hello is HELLO 3 with AUTH; a server that does not know it, or is told not to, gets AUTH, and a second connection that
 * key changes are redirected to. A hello that is not answered in time counts as a failure: a server that only crawls stays out.
 * A replica is no way in: it may be behind, so that what was purged lives on there, and takes nothing; the next endpoint, or the
 * name once it points elsewhere, leads to the primary. In a cluster any member shows the map, and replicas send us on themselves.
 * While anything is on its way a timer ticks: no reply between two ticks and what was asked before the first is still open:
 * the server is silent. It counts ticks, not time, so that a clock that jumps breaks nothing.
 * SPDX-License-Identifier: Apache-2.0 */
#include "redis/link.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "redis/conn.h"
#include "rt/timer.h"

#define BACKOFF_MIN_MS 50u
#define BACKOFF_MAX_MS 5000u
#define STEADY_MS 10000u     /* a connection that held so long starts the waiting anew */
#define TICK_MIN_MS 100u     /* else what an operation may take */
#define SILENT_TICKS 3u
#define LATE_MAX 5u          /* calls in a row that were given up */

enum link_state { LINK_WAITING, LINK_CONNECTING, LINK_UP, LINK_ENDING };

struct redis_link {
    const struct redis_link_options *options;
    struct redis_endpoint endpoint;   /* its own, or the conf's that is tried now */
    bool is_member;                   /* the endpoint was given and is ours to free */
    uint32_t at_endpoint;
    uint8_t state;                    /* enum link_state */
    struct redis_conn main, ear;      /* ear: RESP2 only, for pushes */
    struct fiber *fiber;              /* connecting */
    struct timer timer;               /* waiting: when to try; up: the next tick */
    struct redis_hello hello;
    uint32_t session, sessions;
    uint32_t backoff_ms;
    uint64_t up_ms;
    uint64_t ticked_replies, ticked_next;
    uint32_t silent;
};

#define COUNT(l, field) atomic_fetch_add_explicit(&(l)->options->figures->field, 1, memory_order_relaxed)

static struct redis_link *
link_of_main(struct redis_conn *c)
{
    return CONTAINER_OF(c, struct redis_link, main);
}

/* --- giving up and coming back ------------------------------------------------------------------------------------- */

static void begin(struct timer *t);

static void
wait_longer(struct redis_link *l)
{
    uint64_t now_ms = loop_now_ms(l->options->loop);
    uint32_t base;

    if (l->up_ms && now_ms - l->up_ms >= STEADY_MS)
        l->backoff_ms = 0;
    base = l->backoff_ms = MIN(MAX(l->backoff_ms * 2, BACKOFF_MIN_MS), BACKOFF_MAX_MS);
    l->up_ms = 0;
    timer_start(l->options->loop, &l->timer, now_ms + base / 2 + rand_below(&l->options->loop->rand, base), begin);
}

static void
go_down(struct redis_link *l, const struct err *why)
{
    bool was_up = l->state == LINK_UP;

    if (l->state == LINK_ENDING)
        return;
    l->state = LINK_WAITING;
    l->session = 0;
    l->hello.has_tracking = false;
    timer_stop(l->options->loop, &l->timer);
    if (was_up)
        COUNT(l, breaks);
    l->options->on_state(l, false, why);
    redis_conn_close(&l->main);
    redis_conn_close(&l->ear);
    wait_longer(l);
}

static void
on_broken(struct redis_link *l, const struct err *why)
{
    if (l->state == LINK_UP) {
        go_down(l, why);
        return;
    }
    /* The fiber that says hello notices by its call. */
    redis_conn_close(&l->main);
    redis_conn_close(&l->ear);
}

static void
on_main_broken(struct redis_conn *c, const struct err *why)
{
    on_broken(link_of_main(c), why);
}

static void
on_ear_broken(struct redis_conn *c, const struct err *why)
{
    on_broken(CONTAINER_OF(c, struct redis_link, ear), why);
}

void
redis_link_break(struct redis_link *l, const char *why)
{
    struct err err;

    if (l->state != LINK_UP)
        return;
    err_set(&err, ERR_PROTOCOL, "%s", why);
    go_down(l, &err);
}

/* --- watching ------------------------------------------------------------------------------------------------------ */

static void
tick(struct timer *t)
{
    struct redis_link *l = CONTAINER_OF(t, struct redis_link, timer);
    struct redis_conn *c = &l->main;
    bool is_silent;

    redis_conn_read(c);
    if (l->state != LINK_UP)
        return;
    is_silent = c->first != c->next && c->replies == l->ticked_replies && c->first < l->ticked_next;
    l->silent = is_silent ? l->silent + 1 : 0;
    l->ticked_replies = c->replies;
    l->ticked_next = c->next;
    if (l->silent >= SILENT_TICKS) {
        redis_link_break(l, "the server does not answer");
        return;
    }
    if (c->first != c->next)
        timer_start(l->options->loop, t, loop_now_ms(l->options->loop) + MAX(l->options->operation_ms, TICK_MIN_MS), tick);
}

static void
watch(struct redis_link *l)
{
    if (timer_is_running(&l->timer))
        return;
    l->ticked_replies = l->main.replies;
    l->ticked_next = l->main.next;
    l->silent = 0;
    timer_start(l->options->loop, &l->timer, loop_now_ms(l->options->loop) + MAX(l->options->operation_ms, TICK_MIN_MS), tick);
}

/* --- pushes -------------------------------------------------------------------------------------------------------- */

static void
on_main_push(struct redis_conn *c, struct resp push)
{
    struct redis_link *l = link_of_main(c);

    if (l->state == LINK_UP)
        l->options->on_push(l, push);
}

static void
on_ear_push(struct redis_conn *c, struct resp push)
{
    struct redis_link *l = CONTAINER_OF(c, struct redis_link, ear);

    if (l->state == LINK_UP)
        l->options->on_push(l, push);
}

/* --- hello --------------------------------------------------------------------------------------------------------- */

/* A command whose reply the connecting fiber waits for. */
struct greeting {
    struct redis_call call;
    struct redis_link *link;
    bool is_ok, is_unknown;           /* no error; or one that says the command is not known */
    bool is_list;                     /* and not empty */
    uint64_t number;                  /* a number that was the reply */
    char error[200];
};

static void
copy_text(char *to, size_t size, struct str text)
{
    size_t n = MIN(text.len, size - 1);

    if (n)
        memcpy(to, text.p, n);
    to[n] = 0;
}

static void
take_hello_map(struct redis_hello *h, struct resp map)
{
    struct resp value;
    uint64_t n;

    if (resp_field(map, STR("version"), &value))
        copy_text(h->version, sizeof(h->version), resp_text(value));
    if (resp_field(map, STR("mode"), &value))
        h->is_cluster = str_eq_lit(resp_text(value), "cluster");
    if (resp_field(map, STR("role"), &value))
        h->is_replica = str_eq_lit(resp_text(value), "replica") || str_eq_lit(resp_text(value), "slave");
    if (resp_field(map, STR("proto"), &value) && resp_u64(value, &n))
        h->protocol = (uint8_t)MIN(n, (uint64_t)9);
}

static void
on_greeting(struct redis_call *c, const struct resp *reply)
{
    struct greeting *g = CONTAINER_OF(c, struct greeting, call);
    struct resp role;
    struct str text;

    if (!reply) {
        copy_text(g->error, sizeof(g->error), STR("the server closed the connection"));
        return;
    }
    text = resp_text(*reply);
    if (resp_type(*reply) == RESP_ERROR) {
        copy_text(g->error, sizeof(g->error), text);
        g->is_unknown = str_starts_with(text, STR("NOPROTO")) || str_find(text, STR("unknown command"), 0) >= 0 ||
                        str_find(text, STR("unknown subcommand"), 0) >= 0;
        return;
    }
    g->is_ok = true;
    g->is_list = resp_is_list(*reply) && resp_n(*reply);
    resp_u64(*reply, &g->number);
    if (resp_is_list(*reply))
        take_hello_map(&g->link->hello, *reply);
    if (resp_item(*reply, 0, &role))
        g->link->hello.is_replica |= str_eq_lit(resp_text(role), "slave");
}

/* True when the reply has come, whatever it says. Yields. */
static bool
greet(struct redis_link *l, struct redis_conn *c, const struct str *words, uint32_t n, uint64_t deadline_ms,
      struct greeting *ret, struct err *err)
{
    *ret = (struct greeting){.call = {.on_reply = on_greeting}, .link = l};
    if (!redis_conn_send(c, &ret->call, words, n))
        return err_set(err, ERR_CLOSED, "the server closed the connection");
    if (!redis_call_wait(&ret->call, deadline_ms, err))
        return err_prefix(err, "no reply to %.*s", STR_ARG(words[0]));
    return true;
}

/* The same, and an error is one. */
static bool
must_greet(struct redis_link *l, struct redis_conn *c, const struct str *words, uint32_t n, uint64_t deadline_ms,
           struct err *err)
{
    struct greeting g;

    if (!greet(l, c, words, n, deadline_ms, &g, err))
        return false;
    return g.is_ok || err_set(err, ERR_DENIED, "%.*s: %s", STR_ARG(words[0]), g.error);
}

static bool
authenticate(struct redis_link *l, struct redis_conn *c, uint64_t deadline_ms, struct err *err)
{
    const struct redis_conf *conf = l->options->conf;
    struct str words[3] = {STR("AUTH"), conf->user.len ? conf->user : conf->password, conf->password};

    return !conf->password.p || must_greet(l, c, words, conf->user.len ? 3 : 2, deadline_ms, err);
}

/* HELLO 3 [AUTH user password] SETNAME name. *ret: it is spoken. */
static bool
hello3(struct redis_link *l, uint64_t deadline_ms, bool *ret, struct err *err)
{
    const struct redis_conf *conf = l->options->conf;
    struct str words[7] = {STR("HELLO"), STR("3")};
    struct greeting g;
    uint32_t n = 2;

    if (conf->password.p) {
        words[n++] = STR("AUTH");
        words[n++] = conf->user.len ? conf->user : STR("default");
        words[n++] = conf->password;
    }
    if (!greet(l, &l->main, words, n, deadline_ms, &g, err))
        return false;
    *ret = g.is_ok && l->hello.protocol == 3;
    /* Old servers refuse what they do not know, some only after AUTH. */
    if (!g.is_ok && !g.is_unknown && !(conf->password.p && str_starts_with(str_from_c(g.error), STR("NOAUTH"))))
        return err_set(err, ERR_DENIED, "HELLO: %s", g.error);
    return true;
}

/* What HELLO would have said: whether it is a member of a cluster, and whether a replica. Who may not ask finds out when it writes.
 * Yields. */
static bool
ask_what_it_is(struct redis_link *l, uint64_t deadline_ms, struct err *err)
{
    struct str slots[] = {STR("CLUSTER"), STR("SLOTS")}, role[] = {STR("ROLE")};
    struct greeting g;

    if (!greet(l, &l->main, slots, 2, deadline_ms, &g, err))
        return false;
    l->hello.is_cluster = g.is_list;
    return greet(l, &l->main, role, 1, deadline_ms, &g, err);
}

static bool
is_primary(struct redis_link *l, struct err *err)
{
    return !l->hello.is_replica || l->hello.is_cluster ||
           err_set(err, ERR_DENIED, "the server is a replica: it can only be read, and may be behind; name the primary");
}

/* RESP2: a second connection hears what the first one's keys do. Yields. */
static bool
open_ear(struct redis_link *l, struct stream *stream, uint64_t deadline_ms, uint64_t *ret_id, struct err *err)
{
    struct str subscribe[] = {STR("SUBSCRIBE"), STR("__redis__:invalidate")}, id[] = {STR("CLIENT"), STR("ID")};
    struct greeting g;

    redis_conn_open(&l->ear, l->options, stream);
    if (!authenticate(l, &l->ear, deadline_ms, err) || !greet(l, &l->ear, id, 2, deadline_ms, &g, err))
        return false;
    *ret_id = g.is_ok ? g.number : 0;
    if (!must_greet(l, &l->ear, subscribe, 2, deadline_ms, err))
        return false;
    l->ear.is_subscribed = true;
    return true;
}

static bool
ask_for_tracking(struct redis_link *l, uint64_t redirect, uint64_t deadline_ms, struct err *err)
{
    char id[24];
    struct str words[6] = {STR("CLIENT"), STR("TRACKING"), STR("ON"), STR("NOLOOP")};
    struct greeting g;
    uint32_t n = 4;

    if (redirect) {
        words[n++] = STR("REDIRECT");
        words[n++] = str_from(id, (size_t)snprintf(id, sizeof(id), "%" PRIu64, redirect));
    }
    if (!greet(l, &l->main, words, n, deadline_ms, &g, err))
        return false;
    l->hello.has_tracking = g.is_ok;  /* without it memory keeps no copies; that is all */
    return true;
}

/* The channel that the options name, on the connection that hears pushes. Yields. */
static bool
subscribe(struct redis_link *l, struct redis_conn *c, uint64_t deadline_ms, struct err *err)
{
    struct str words[] = {STR("SUBSCRIBE"), l->options->channel};
    struct greeting g;

    if (!words[1].len)
        return true;
    if (!greet(l, c, words, 2, deadline_ms, &g, err))
        return false;
    l->hello.has_channel = g.is_ok;   /* who may not listen goes without */
    return true;
}

/* --- connecting ---------------------------------------------------------------------------------------------------- */

/* Yields. */
static struct stream *
connect_stream(struct redis_link *l, uint64_t deadline_ms, struct err *err)
{
    const struct redis_link_options *o = l->options;
    struct connect_target target = {.host = l->endpoint.host, .port = l->endpoint.port, .tls = o->tls,
                                    .tls_name = o->conf->tls_name, .overrides = o->overrides,
                                    .n_overrides = o->n_overrides};

    return connect_happy(o->loop, &target, deadline_ms, err);
}

static bool
say_hello(struct redis_link *l, uint64_t deadline_ms, struct err *err)
{
    const struct redis_conf *conf = l->options->conf;
    struct str name[] = {STR("CLIENT"), STR("SETNAME"), conf->client_name.len ? conf->client_name : l->options->client_name};
    char number[12];
    struct str select[] = {STR("SELECT"), str_from(number, (size_t)snprintf(number, sizeof(number), "%u", conf->database))};
    struct greeting g;
    bool is_resp3 = false;
    uint64_t redirect = 0;
    struct stream *stream;

    l->hello = (struct redis_hello){.protocol = 2};
    if (conf->protocol != 2 && !hello3(l, deadline_ms, &is_resp3, err))
        return false;
    if (!is_resp3) {
        l->hello.protocol = 2;
        if (!authenticate(l, &l->main, deadline_ms, err) || !(stream = connect_stream(l, deadline_ms, err)) ||
            !open_ear(l, stream, deadline_ms, &redirect, err) || !ask_what_it_is(l, deadline_ms, err))
            return false;
    }
    if (!is_primary(l, err))
        return false;
    if (!subscribe(l, is_resp3 ? &l->main : &l->ear, deadline_ms, err))
        return false;
    if (name[2].len && !greet(l, &l->main, name, 3, deadline_ms, &g, err))
        return false;
    if (conf->database && !must_greet(l, &l->main, select, 2, deadline_ms, err))
        return false;
    return !is_resp3 && !redirect ? true : ask_for_tracking(l, redirect, deadline_ms, err);
}

/* One question that has to be answered in time. Yields. */
static bool
is_quick(struct redis_link *l, uint64_t deadline_ms, struct err *err)
{
    uint64_t in_time_ms = loop_now_ms(l->options->loop) + l->options->operation_ms;
    struct str words[] = {STR("PING")};

    return must_greet(l, &l->main, words, 1, MIN(deadline_ms, in_time_ms), err);
}

static void
connected(struct redis_link *l)
{
    l->state = LINK_UP;
    l->session = ++l->sessions;
    l->up_ms = loop_now_ms(l->options->loop);
    l->silent = 0;
    COUNT(l, connects);
    l->options->on_state(l, true, NULL);
}

static void
free_link(struct redis_link *l)
{
    void (*on_gone)(void *owner) = l->options->on_gone;
    void *owner = l->options->owner;

    redis_conn_destroy(&l->main);
    redis_conn_destroy(&l->ear);
    if (l->is_member)
        free((char *)l->endpoint.host.p);
    free(l);
    on_gone(owner);
}

static void
next_endpoint(struct redis_link *l)
{
    const struct redis_conf *conf = l->options->conf;

    if (!l->is_member)
        l->endpoint = conf->endpoints[l->at_endpoint++ % conf->n_endpoints];
}

/* The fiber: until up or failed. */
static void
connect_fiber(void *arg)
{
    struct redis_link *l = arg;
    uint64_t deadline_ms = loop_now_ms(l->options->loop) + l->options->conf->connect_ms;
    struct err err = ERR_INIT;
    struct stream *stream = connect_stream(l, deadline_ms, &err);

    if (stream) {
        redis_conn_open(&l->main, l->options, stream);
        if (say_hello(l, deadline_ms, &err) && is_quick(l, deadline_ms, &err) && l->state == LINK_CONNECTING &&
            l->main.stream) {
            l->fiber = NULL;
            connected(l);
            return;
        }
    }
    l->fiber = NULL;
    if (l->state == LINK_ENDING)
        free_link(l);
    else
        go_down(l, &err);
}

static void
begin(struct timer *t)
{
    struct redis_link *l = CONTAINER_OF(t, struct redis_link, timer);
    struct err err;

    next_endpoint(l);
    l->state = LINK_CONNECTING;
    if (fiber_start(l->options->loop, connect_fiber, l, &l->fiber))
        return;
    err_set(&err, ERR_LIMIT, "no fiber is free");
    go_down(l, &err);
}

struct redis_link *
redis_link_new(const struct redis_link_options *options, const struct redis_endpoint *endpoint)
{
    struct redis_link *l = xnew(struct redis_link);

    l->options = options;
    l->main = (struct redis_conn){.options = options, .on_push = on_main_push, .on_broken = on_main_broken};
    l->ear = (struct redis_conn){.options = options, .on_push = on_ear_push, .on_broken = on_ear_broken};
    if (endpoint) {
        l->is_member = true;
        l->endpoint = (struct redis_endpoint){
            str_from(xstrndup(endpoint->host.p, endpoint->host.len), endpoint->host.len), endpoint->port};
    }
    timer_start(options->loop, &l->timer, loop_now_ms(options->loop) + 1, begin);
    return l;
}

void
redis_link_delete(struct redis_link *l)
{
    if (!l)
        return;
    timer_stop(l->options->loop, &l->timer);
    l->state = LINK_ENDING;
    l->session = 0;
    redis_conn_close(&l->main);
    redis_conn_close(&l->ear);
    if (l->fiber)
        fiber_cancel(l->fiber);
    else
        free_link(l);
}

/* --- calls --------------------------------------------------------------------------------------------------------- */

bool
redis_link_send(struct redis_link *l, struct redis_call *c, const struct str *words, uint32_t n)
{
    c->state = CALL_IDLE;
    if (l->state != LINK_UP || !redis_conn_send(&l->main, c, words, n)) {
        if (l->state != LINK_UP)
            COUNT(l, refused);
        return false;
    }
    watch(l);
    return true;
}

static void
count_late(struct redis_conn *conn)
{
    struct err err;

    atomic_fetch_add_explicit(&conn->options->figures->timeouts, 1, memory_order_relaxed);
    if (++conn->late < LATE_MAX || !conn->stream)
        return;
    err_set(&err, ERR_TIMEOUT, "the server answers too late");
    conn->on_broken(conn, &err);
}

bool
redis_call_wait(struct redis_call *c, uint64_t deadline_ms, struct err *err)
{
    enum io_status status;

    while (c->state == CALL_SENT) {
        c->waiter = fiber_self();
        status = fiber_wait(deadline_ms);
        if (status == IO_OK)
            continue;
        if (status == IO_TIMEOUT)
            redis_conn_read(c->conn); /* the reply may lie in the socket, and only we be late */
        if (c->state != CALL_SENT)
            break;
        redis_call_abandon(c);
        if (status == IO_TIMEOUT)
            count_late(c->conn);
        return err_set(err, io_status_err(status), "the server did not answer in time");
    }
    c->waiter = NULL;
    if (c->state == CALL_BROKEN)
        return err_set(err, ERR_CLOSED, "the connection broke before the reply");
    return true;
}

void
redis_call_abandon(struct redis_call *c)
{
    if (c->state == CALL_SENT)
        redis_conn_abandon(c->conn, c);
    c->state = CALL_IDLE;
    c->waiter = NULL;
}

/* --- seeing it ----------------------------------------------------------------------------------------------------- */

bool
redis_link_is_up(const struct redis_link *l)
{
    return l->state == LINK_UP;
}

const struct redis_link_options *
redis_link_options(const struct redis_link *l)
{
    return l->options;
}

const struct redis_endpoint *
redis_link_endpoint(const struct redis_link *l)
{
    return &l->endpoint;
}

uint32_t
redis_link_session(const struct redis_link *l)
{
    return l->session;
}

const struct redis_hello *
redis_link_hello(const struct redis_link *l)
{
    return &l->hello;
}
