/* supply.c: the table, and who fetches.
 *
 * Locking:    supplies->lock covers the table, the list and all of an entry but what is _Atomic; none is held while a fetch runs.
 * Ownership:  the table holds one reference of an entry, each user and each fetch another. An entry that was dropped from the table
 *             (is_gone) goes on for those who have it, but is fresh for nobody.
 * Invariants: S1  is_fetching is true from when a fetch was decided on until finish() has woken the waiters
 *             S2  a waiter is linked exactly until finish() takes it off or it gives up
 *             S3  fresh_tag is 0 or the value's tag
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/supply.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "exchange/detached.h"
#include "observe/metrics.h"
#include "rt/fiber.h"
#include "rt/loop.h"
#include "rt/mailbox.h"

#define ENTRIES_MAX 2000
/* After failures in a row the next try waits, doubling. While nothing serves, the first two are free and the pause stays short: those
 * who ask hear of it. A fetch that was slow makes the next wait from the first on. */
#define FREE_FAILURES 2
#define PAUSE_MS 100
#define SLOW_PAUSE_MS 1000
#define PAUSE_MAX_MS 30000
#define PAUSE_MAX_WITHOUT_MS 5000

struct supplies {
    pthread_mutex_t lock;
    struct map by_key;
    struct list by_use;               /* entries, the latest used first */
};

struct supply_entry {
    _Atomic uint32_t refs;
    struct supplies *table;
    const struct supply_kind *kind;
    char *key;
    size_t key_len;
    struct list_node link;            /* by_use */
    bool is_gone, is_fetching;
    struct supply_value *value;       /* NULL: never had, or thrown away */
    uint64_t valid_until_ms, not_before_ms, forced_at_ms;
    uint32_t failures;                /* in a row */
    struct err failure;               /* of the last */
    struct list waiters;
    _Atomic uint64_t fresh_tag, fresh_until_ms;
};

/* On the stack of the fiber that waits. */
struct waiter {
    struct list_node link;
    struct message mail;
    struct loop *loop;
    struct fiber *fiber;
    bool is_done;
};

void
supply_value_unref(struct supply_value *v)
{
    if (v && atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) == 1)
        v->destroy(v);
}

/* ---- entries ---- */

struct supplies *
supplies_new(void)
{
    struct supplies *s = xnew(struct supplies);

    pthread_mutex_init(&s->lock, NULL);
    list_init(&s->by_use);
    return s;
}

struct supply_entry *
supply_entry_ref(struct supply_entry *e)
{
    atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
    return e;
}

void
supply_entry_unref(struct supply_entry *e)
{
    if (!e || atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) != 1)
        return;
    supply_value_unref(e->value);
    free(e->key);
    free(e);
}

/* Under the lock; gives the table's reference back. */
static void
drop(struct supplies *s, struct supply_entry *e)
{
    map_remove(&s->by_key, str_from(e->key, e->key_len));
    list_remove(&e->link);
    e->is_gone = true;
    atomic_store_explicit(&e->fresh_tag, 0, memory_order_relaxed);
    supply_entry_unref(e);
}

void
supplies_clear(struct supplies *s)
{
    struct supply_entry *e;

    pthread_mutex_lock(&s->lock);
    while ((e = list_first(&s->by_use, struct supply_entry, link)))
        drop(s, e);
    pthread_mutex_unlock(&s->lock);
}

void
supplies_delete(struct supplies *s)
{
    if (!s)
        return;
    supplies_clear(s);
    map_destroy(&s->by_key);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static struct supply_entry *
entry_new(struct supplies *s, const struct supply_kind *kind, struct str key)
{
    struct supply_entry *e = xnew(struct supply_entry);

    e->refs = 1;
    e->table = s;
    e->kind = kind;
    e->key = xstrndup(key.p, key.len);
    e->key_len = key.len;
    list_init(&e->waiters);
    map_set(&s->by_key, str_from(e->key, e->key_len), e);
    return e;
}

/* The least recently used entry that nobody waits for goes. False when all are at work. */
static bool
make_room(struct supplies *s)
{
    for (struct list_node *n = s->by_use.head.prev; n != &s->by_use.head; n = n->prev) {
        struct supply_entry *e = list_entry(n, struct supply_entry, link);

        if (!e->is_fetching) {
            drop(s, e);
            return true;
        }
    }
    return false;
}

struct supply_entry *
supply_entry_get(struct supplies *s, const struct supply_kind *kind, struct str key)
{
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct supply_entry *e;

    buf_printf(&text, "%s\n%.*s", kind->name, STR_ARG(key));
    pthread_mutex_lock(&s->lock);
    e = map_get(&s->by_key, buf_str(&text));
    if (e)
        list_remove(&e->link);
    else if (s->by_key.n_live < ENTRIES_MAX || make_room(s))
        e = entry_new(s, kind, buf_str(&text));
    if (e)
        list_push_front(&s->by_use, &supply_entry_ref(e)->link);
    pthread_mutex_unlock(&s->lock);
    return e;
}

uint64_t
supply_fresh_tag(const struct supply_entry *e, uint64_t now_ms)
{
    struct supply_entry *open = (struct supply_entry *)(uintptr_t)e;

    if (now_ms >= atomic_load_explicit(&open->fresh_until_ms, memory_order_acquire))
        return 0;
    return atomic_load_explicit(&open->fresh_tag, memory_order_relaxed);
}

/* ---- fetching ---- */

static void
on_done(struct message *m)
{
    struct waiter *w = CONTAINER_OF(m, struct waiter, mail);

    w->is_done = true;
    fiber_wake(w->fiber);
}

static void
take_value(struct supply_entry *e, struct supply_value *value, const struct supply_life *life, uint64_t now_ms)
{
    supply_value_unref(e->value);
    e->value = value;
    e->failures = 0;
    e->not_before_ms = 0;
    e->valid_until_ms = now_ms + life->valid_ms;
    atomic_store_explicit(&e->fresh_tag, e->is_gone ? 0 : value->tag, memory_order_relaxed);
    atomic_store_explicit(&e->fresh_until_ms, now_ms + life->fresh_ms, memory_order_release);
}

static void
take_failure(struct supply_entry *e, const struct err *err, uint64_t now_ms)
{
    bool serves = e->value && (now_ms < e->valid_until_ms || e->kind->keeps_stale), is_slow = err->code == ERR_TIMEOUT;
    uint64_t pause = is_slow ? SLOW_PAUSE_MS : PAUSE_MS;
    uint32_t free_failures = serves || is_slow ? 0 : FREE_FAILURES;

    e->failures++;
    e->failure = *err;
    e->not_before_ms = 0;
    if (e->failures <= free_failures)
        return;
    pause <<= MIN(e->failures - free_failures - 1, 10u);
    e->not_before_ms = now_ms + MIN(pause, (uint64_t)(serves ? PAUSE_MAX_MS : PAUSE_MAX_WITHOUT_MS));
}

/* value NULL: it failed, *err says why. */
static void
finish(struct supply_entry *e, struct supply_value *value, const struct supply_life *life, const struct err *err, uint64_t now_ms)
{
    struct waiter *w;

    pthread_mutex_lock(&e->table->lock);
    if (value)
        take_value(e, value, life, now_ms);
    else
        take_failure(e, err, now_ms);
    e->is_fetching = false;           /* S1 */
    while ((w = list_take_first(&e->waiters, struct waiter, link))) {
        w->mail.deliver = on_done;
        mailbox_send(w->loop, &w->mail);
    }
    pthread_mutex_unlock(&e->table->lock);
}

struct fetch {
    struct supply_entry *entry;
    const void *what;
};

static void
count(const struct exchange *ex, bool ok)
{
    if (!ex->services->figures)
        return;
    metric_add(ex->services->figures, METRIC_SUPPLY_FETCHES, 1);
    if (!ok)
        metric_add(ex->services->figures, METRIC_SUPPLY_FAILURES, 1);
}

static void
run_fetch(struct exchange *ex, void *arg)
{
    struct fetch *f = arg;
    struct supply_value *value = NULL;
    struct supply_life life = {0};
    struct err err = ERR_INIT;

    if (!f->entry->kind->fetch(ex, f->what, &value, &life, &err))
        value = NULL;
    count(ex, value != NULL);
    finish(f->entry, value, &life, &err, loop_now_ms(ex->services->loop));
    supply_entry_unref(f->entry);
}

/* is_fetching is set already. */
static void
begin_fetch(struct exchange *ex, struct supply_entry *e, const void *what)
{
    struct exchange *own = detached_new(ex, &e->kind->limits);
    struct fetch *f = own ? arena_new(own->arena, struct fetch) : NULL;
    struct err err = ERR_INIT;

    if (f && (f->what = e->kind->copy(own->arena, what))) {
        f->entry = supply_entry_ref(e);
        if (detached_start(own, run_fetch, f))
            return;
        supply_entry_unref(e);
    } else if (own) {
        detached_delete(own);
    }
    err_set(&err, ERR_LIMIT, "no room for one more fetch");
    finish(e, NULL, NULL, &err, loop_now_ms(ex->services->loop));
}

/* Off the list, or its message awaited: nothing may point to the stack afterwards. */
static void
give_up(struct supply_entry *e, struct waiter *w)
{
    pthread_mutex_lock(&e->table->lock);
    bool was_linked = list_is_linked(&w->link);
    list_remove(&w->link);
    pthread_mutex_unlock(&e->table->lock);
    while (!was_linked && !w->is_done)
        fiber_wait_hard();            /* S2: the message is on its way */
}

/* Called with the lock, returns without: waits for the fetch at work, which this begins when there is none. Yields. */
static enum io_status
wait_for_fetch(struct exchange *ex, struct supply_entry *e, const void *what)
{
    struct waiter w = {.loop = ex->services->loop, .fiber = fiber_self()};
    uint64_t deadline_ms = loop_deadline(w.loop, e->kind->wait_ms);
    bool must_begin = !e->is_fetching;
    enum io_status status = IO_OK;

    e->is_fetching = true;
    list_push_back(&e->waiters, &w.link);
    pthread_mutex_unlock(&e->table->lock);
    if (must_begin)
        begin_fetch(ex, e, what);
    if (ex->deadline_ms)
        deadline_ms = MIN(deadline_ms, ex->deadline_ms);
    while (status == IO_OK && !w.is_done)
        status = fiber_wait(deadline_ms);
    if (w.is_done)
        return IO_OK;
    give_up(e, &w);
    return status;
}

/* What serves after a wait. With the lock. */
static struct supply_value *
outcome(struct supply_entry *e, enum io_status status, uint64_t now_ms, struct err *err)
{
    if (e->value && (now_ms < e->valid_until_ms || e->kind->keeps_stale))
        return supply_value_ref(e->value);
    if (status != IO_OK)
        err_set(err, io_status_err(status), "waiting for it: %s", io_status_text(status));
    else if (err)
        *err = e->failure;
    return NULL;
}

struct supply_value *
supply_get(struct exchange *ex, struct supply_entry *e, const void *what, struct err *err)
{
    uint64_t now_ms = loop_now_ms(ex->services->loop);
    enum io_status status = IO_OK;
    struct supply_value *v;

    pthread_mutex_lock(&e->table->lock);
    bool is_due = !supply_fresh_tag(e, now_ms), may_try = !e->is_fetching && now_ms >= e->not_before_ms;
    bool serves = e->value && (now_ms < e->valid_until_ms || (e->kind->keeps_stale && e->failures));
    if (serves && is_due && may_try) {
        e->is_fetching = true;
        v = supply_value_ref(e->value);
        pthread_mutex_unlock(&e->table->lock);
        begin_fetch(ex, e, what);
        return v;
    }
    if (!serves && (may_try || e->is_fetching)) {
        status = wait_for_fetch(ex, e, what);
        pthread_mutex_lock(&e->table->lock);
        now_ms = loop_now_ms(ex->services->loop);
    }
    v = outcome(e, status, now_ms, err);
    pthread_mutex_unlock(&e->table->lock);
    return v;
}

struct supply_value *
supply_get_newer(struct exchange *ex, struct supply_entry *e, const void *what, const struct supply_value *than, uint64_t gap_ms)
{
    uint64_t now_ms = loop_now_ms(ex->services->loop);
    struct supply_value *v = NULL;

    pthread_mutex_lock(&e->table->lock);
    bool may_force = !e->forced_at_ms || now_ms >= e->forced_at_ms + gap_ms;
    if (e->value == than && (e->is_fetching || (may_force && now_ms >= e->not_before_ms))) {
        if (!e->is_fetching)
            e->forced_at_ms = MAX(now_ms, 1u);
        wait_for_fetch(ex, e, what);
        pthread_mutex_lock(&e->table->lock);
    }
    if (e->value && e->value != than)
        v = supply_value_ref(e->value);
    pthread_mutex_unlock(&e->table->lock);
    return v;
}
