/* origin.c: origins by their values, and permits for their connections (origin.h, client.h).
 *
 *     table: key -> origin -> pools (one a worker) and waiters (fibers of any worker)
 * Locking:    table->lock covers the table and the fall of refs to 0; origin->lock covers permits, waiters and
 *             pools. The table's may be held when an origin's is taken, never the other way round.
 * Invariants: O1  permits <= connections_max; when somebody waits, they are equal.
 *             O2  a waiter is linked exactly until it is granted something or gives up.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/origin.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/map.h"
#include "http/relief.h"
#include "net/tls.h"
#include "rt/fiber.h"

#define CONNECTIONS_MAX 1024
#define WAITING_MAX 1024
#define IDLE_MS 60000
#define PATIENCE_MS 100               /* then the first in the queue gets the next permit, whatever worker it is on */

struct http_origins {
    pthread_mutex_t lock;
    struct map by_key;
    _Atomic uint64_t cut;
};

struct http_origins *
http_origins_new(void)
{
    struct http_origins *t = xnew(struct http_origins);

    pthread_mutex_init(&t->lock, NULL);
    return t;
}

void
http_origins_delete(struct http_origins *t)
{
    if (!t)
        return;
    ASSERT(t->by_key.n_live == 0);
    map_destroy(&t->by_key);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* Every value that makes an origin what it is, separated by what none of them can hold. */
static struct str
conf_key(const struct http_origin_conf *c, struct buf *to)
{
    buf_printf(to, "%.*s\n%u\n%d\n%p\n%.*s\n%u %u %u %u", STR_ARG(c->host), c->port, c->protocol,
               (void *)c->tls, STR_ARG(c->tls_name), c->connections_max, c->waiting_max, c->idle_ms,
               c->requests_max);
    if (c->proxy.host.len)
        buf_printf(to, "\n%.*s\n%u\n%.*s", STR_ARG(c->proxy.host), c->proxy.port, STR_ARG(c->proxy.authorization));
    return buf_str(to);
}

static struct str
keep(struct str s)
{
    return s.len ? str_from(xstrndup(s.p, s.len), s.len) : STR_NONE;
}

/* What stands before the path in requests to a proxy. */
static void
make_absolute(struct http_origin *o)
{
    bool is_v6 = str_find_char(o->conf.host, ':', 0) >= 0;
    struct buf b = BUF_INIT;

    buf_printf(&b, "http://%s%.*s%s", is_v6 ? "[" : "", STR_ARG(o->conf.host), is_v6 ? "]" : "");
    if (o->conf.port != 80)
        buf_printf(&b, ":%u", o->conf.port);
    o->absolute = keep(buf_str(&b));
    buf_destroy(&b);
}

static struct http_origin *
origin_new(struct http_origins *t, const struct http_origin_conf *conf, struct str key)
{
    struct http_origin *o = xnew(struct http_origin);

    o->conf = *conf;
    o->conf.host = keep(conf->host);
    o->conf.tls_name = keep(conf->tls_name);
    o->conf.tls = tls_client_ref(conf->tls);
    o->conf.proxy.host = keep(conf->proxy.host);
    o->conf.proxy.authorization = keep(conf->proxy.authorization);
    if (conf->proxy.host.len)
        make_absolute(o);
    if (!o->conf.connections_max)
        o->conf.connections_max = CONNECTIONS_MAX;
    if (!o->conf.waiting_max)
        o->conf.waiting_max = WAITING_MAX;
    if (!o->conf.idle_ms)
        o->conf.idle_ms = IDLE_MS;
    o->table = t;
    o->key = xstrndup(key.p, key.len);
    o->refs = 1;
    pthread_mutex_init(&o->lock, NULL);
    list_init(&o->waiters);
    list_init(&o->pools);
    return o;
}

static void
origin_delete(struct http_origin *o)
{
    ASSERT(o->permits == 0 && list_is_empty(&o->waiters) && list_is_empty(&o->pools));
    tls_client_unref(o->conf.tls);
    free((char *)o->conf.host.p);
    free((char *)o->conf.tls_name.p);
    free((char *)o->conf.proxy.host.p);
    free((char *)o->conf.proxy.authorization.p);
    free((char *)o->absolute.p);
    pthread_mutex_destroy(&o->lock);
    free(o->key);
    free(o);
}

struct http_origin *
http_origin_get(struct http_origins *t, const struct http_origin_conf *conf)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct str key = conf_key(conf, &b);
    struct http_origin *o;

    pthread_mutex_lock(&t->lock);
    o = map_get(&t->by_key, key);
    if (o) {
        http_origin_ref(o);
    } else {
        o = origin_new(t, conf, key);
        map_set(&t->by_key, str_from_c(o->key), o);
    }
    pthread_mutex_unlock(&t->lock);
    return o;
}

struct http_origin *
http_origin_ref(struct http_origin *o)
{
    atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
    return o;
}

void
http_origin_unref(struct http_origin *o)
{
    struct http_origins *t;
    bool is_last;

    if (!o)
        return;
    t = o->table;
    pthread_mutex_lock(&t->lock);
    is_last = atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) == 1;
    if (is_last)
        map_remove(&t->by_key, str_from_c(o->key));
    pthread_mutex_unlock(&t->lock);
    if (is_last)
        origin_delete(o);
}

const struct http_origin_conf *
http_origin_conf(const struct http_origin *o)
{
    return &o->conf;
}

void
http_origin_load(const struct http_origin *o, uint32_t *ret_connections, uint32_t *ret_waiting)
{
    struct http_origin *locked = (struct http_origin *)o;

    pthread_mutex_lock(&locked->lock);
    *ret_connections = o->permits;
    pthread_mutex_unlock(&locked->lock);
    *ret_waiting = atomic_load_explicit(&locked->n_waiting, memory_order_relaxed);
}

void
http_origins_load(struct http_origins *t, uint64_t *ret_connections, uint64_t *ret_waiting)
{
    uint32_t connections, waiting;

    *ret_connections = *ret_waiting = 0;
    pthread_mutex_lock(&t->lock);
    for (struct map_entry *e = map_next(&t->by_key, NULL); e; e = map_next(&t->by_key, e)) {
        http_origin_load(e->value, &connections, &waiting);
        *ret_connections += connections;
        *ret_waiting += waiting;
    }
    pthread_mutex_unlock(&t->lock);
}

void
origin_count_cut(struct http_origin *o, size_t n)
{
    atomic_fetch_add_explicit(&o->table->cut, n, memory_order_relaxed);
}

uint64_t
http_origins_cut(const struct http_origins *t)
{
    return atomic_load_explicit(&((struct http_origins *)t)->cut, memory_order_relaxed);
}

/* ---- permits ---- */

/* On the waiter's own loop. */
static void
on_permit(struct message *m)
{
    struct origin_waiter *w = CONTAINER_OF(m, struct origin_waiter, mail);

    w->is_granted = true;
    fiber_wake(w->fiber);
}

/* The lock is held. */
static struct origin_waiter *
dequeue(struct http_origin *o, struct origin_waiter *w)
{
    list_remove(&w->link);
    atomic_fetch_sub_explicit(&o->n_waiting, 1, memory_order_relaxed);
    return w;
}

void
origin_permit_give(struct http_origin *o)
{
    struct origin_waiter *w;

    pthread_mutex_lock(&o->lock);
    w = list_first(&o->waiters, struct origin_waiter, link);
    if (w) {
        dequeue(o, w);
        w->mail.deliver = on_permit;
        mailbox_send(w->loop, &w->mail);
    } else {
        o->permits--;
    }
    pthread_mutex_unlock(&o->lock);
}

bool
origin_hand_over(struct http_origin *o, struct loop *loop, struct h1_upstream *connection,
                 bool *ret_must_close)
{
    struct origin_waiter *w, *first, *found = NULL;

    *ret_must_close = false;
    if (LIKELY(atomic_load_explicit(&o->n_waiting, memory_order_relaxed) == 0))
        return false;
    pthread_mutex_lock(&o->lock);
    first = list_first(&o->waiters, struct origin_waiter, link);
    list_each(&o->waiters, w, struct origin_waiter, link) {
        if (w->loop == loop) {
            found = w;
            break;
        }
    }
    if (found && (found == first || loop_now_ms(loop) < first->since_ms + PATIENCE_MS)) {
        dequeue(o, found);
        found->connection = connection;
        found->is_granted = true;
        fiber_wake(found->fiber);
    } else {
        found = NULL;
        *ret_must_close = first != NULL;
    }
    pthread_mutex_unlock(&o->lock);
    return found != NULL;
}

/* Gives up. True when it was granted something meanwhile. */
static bool
was_granted(struct http_origin *o, struct origin_waiter *w)
{
    bool is_linked;

    pthread_mutex_lock(&o->lock);
    is_linked = list_is_linked(&w->link);
    if (is_linked)
        dequeue(o, w);
    pthread_mutex_unlock(&o->lock);
    if (is_linked)
        return false;
    while (!w->is_granted)
        fiber_wait_hard();            /* the mail is on its way and points at us */
    return true;
}

/* Asks a worker that holds an idle connection to close one. The lock is held. */
struct evict_message {
    struct message super;
    struct http_origin *origin;       /* referenced */
};

static void
on_evict(struct message *m)
{
    struct evict_message *e = CONTAINER_OF(m, struct evict_message, super);

    http_client_evict(loop_self(), e->origin);
    http_origin_unref(e->origin);
    free(e);
}

static void
ask_for_idle(struct http_origin *o)
{
    struct http_pool *p;

    list_each(&o->pools, p, struct http_pool, link) {
        if (atomic_load_explicit(&p->n_idle, memory_order_relaxed) == 0)
            continue;
        struct evict_message *e = xnew(struct evict_message);
        e->super.deliver = on_evict;
        e->origin = http_origin_ref(o);
        mailbox_send(http_client_loop(p->client), &e->super);
        return;
    }
}

/* Until something is granted. Meanwhile answers that lie about are broken off. Yields. */
static enum io_status
wait_in_line(struct http_origin *o, const struct origin_waiter *w, uint64_t deadline_ms)
{
    enum io_status status = IO_OK;

    while (status == IO_OK && !w->is_granted) {
        uint64_t now_ms = loop_now_ms(w->loop);
        relief_ask(o, now_ms);
        status = fiber_wait(MIN(deadline_ms, now_ms + RELIEF_LOOK_MS));
        if (status == IO_TIMEOUT && loop_now_ms(w->loop) < deadline_ms)
            status = IO_OK;
    }
    return status;
}

bool
origin_permit_take(struct http_origin *o, struct loop *loop, uint64_t deadline_ms,
                   struct h1_upstream **ret_connection, struct err *err)
{
    struct origin_waiter w = {.loop = loop, .fiber = fiber_self(), .since_ms = loop_now_ms(loop)};
    enum io_status status;

    *ret_connection = NULL;
    pthread_mutex_lock(&o->lock);
    if (o->permits < o->conf.connections_max) {
        o->permits++;
        pthread_mutex_unlock(&o->lock);
        return true;
    }
    if (atomic_load_explicit(&o->n_waiting, memory_order_relaxed) >= o->conf.waiting_max) {
        pthread_mutex_unlock(&o->lock);
        return err_set(err, ERR_LIMIT,
                       "%u exchanges wait for one of the %u connections to %.*s already",
                       o->conf.waiting_max, o->conf.connections_max, STR_ARG(o->conf.host));
    }
    list_push_back(&o->waiters, &w.link);
    atomic_fetch_add_explicit(&o->n_waiting, 1, memory_order_relaxed);
    ask_for_idle(o);
    pthread_mutex_unlock(&o->lock);
    status = wait_in_line(o, &w, deadline_ms);
    if (w.is_granted || was_granted(o, &w)) {
        *ret_connection = w.connection;
        return true;                  /* too late perhaps: the next wait says so */
    }
    return err_set(err, io_status_err(status), "no free connection to %.*s: %s",
                   STR_ARG(o->conf.host), io_status_text(status));
}
