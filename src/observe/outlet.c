/* outlet.c: outlets, the queue of those that have none of their own, and the thread that serves them.
 *
 *     outlets -> list -> outlet (KAFKA) -> librdkafka's queue
 *                     -> outlet (FILE)  -> queue -> our thread -> file
 *                     -> outlet (HTTP)  -> queue -> whoever has the turn (exchange/log_delivery.c)
 * Locking:    outlets->lock covers the list, all counts of references and all queues; nothing waits while it is held. Figures are
 *             atomic. An outlet's conf never changes.
 * Ownership:  snapshots hold references; an outlet without any is closed by our thread when it is empty.
 * Invariants: O1  queued_bytes is the sum of the items in the queue and at most target.queue_bytes
 *             O2  every message that was put is delivered, failed or waiting, and counted as such once
 * SPDX-License-Identifier: Apache-2.0 */
#include "observe/outlet_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "model/model.h"

#define WARN_EVERY_NS (60ull * 1000000000)
#define IDLE_MS 1000                      /* how often the thread looks after closed outlets and failed files */
#define LINES_AT_ONCE 256u

/* ---- counting and telling ---- */

static void
wake(struct outlets *all)
{
    uint64_t one = 1;
    ssize_t n = write(all->event_fd, &one, sizeof(one));

    (void)n;                              /* full: it is awake already */
}

void
outlet_count_end(struct outlet *o, bool is_delivered)
{
    atomic_fetch_add(is_delivered ? &o->all->delivered : &o->all->failed, 1);
    atomic_fetch_sub(&o->all->waiting, 1);
}

void
outlets_count_lost(struct outlets *all)
{
    atomic_fetch_add(&all->events, 1);
    atomic_fetch_add(&all->dropped, 1);
}

void
outlet_warn(struct outlet *o, const char *what, const char *why)
{
    uint64_t now = clock_mono_ns(NULL);
    bool is_due;

    pthread_mutex_lock(&o->all->lock);
    is_due = !o->warned_ns || now - o->warned_ns > WARN_EVERY_NS;
    if (is_due)
        o->warned_ns = now;
    pthread_mutex_unlock(&o->all->lock);
    if (is_due)
        log_warn("logger %.*s: %s: %s", STR_ARG(o->name), what, why);
}

void
outlet_complain(struct outlet *o, const char *why)
{
    outlet_warn(o, "a message was not delivered", why);
}

void
outlets_stats(struct outlets *all, struct outlet_stats *ret)
{
    *ret = (struct outlet_stats){.events = all->events, .delivered = all->delivered, .failed = all->failed, .dropped = all->dropped,
                                 .truncated = all->truncated, .bytes = all->bytes, .waiting = all->waiting};
}

/* ---- queues ---- */

/* A copy on malloc. */
static struct outlet_item *
item_new(const struct outlet_message *m, uint64_t wall_ns)
{
    struct outlet_item *item = xcalloc(1, sizeof(*item) + m->text.len + m->key.len + 1);
    char *bytes = (char *)(item + 1);

    memcpy(bytes, m->text.p, m->text.len);
    if (m->key.p)
        memcpy(bytes + m->text.len, m->key.p, m->key.len);
    item->message = (struct outlet_message){{bytes, m->text.len}, m->key.p ? str_from(bytes + m->text.len, m->key.len) : STR_NONE,
                                            m->partition};
    item->wall_ns = wall_ns;
    return item;
}

static uint64_t
item_bytes(const struct outlet_item *item)
{
    return sizeof(*item) + item->message.text.len + item->message.key.len;
}

static bool
enqueue(struct outlet *o, const struct outlet_message *m)
{
    struct outlet_item *item = item_new(m, clock_wall_ns(o->all->clock));
    bool has_room;

    pthread_mutex_lock(&o->all->lock);
    has_room = o->queued_bytes + item_bytes(item) <= o->target.queue_bytes;
    if (has_room) {
        o->queued_bytes += item_bytes(item);
        list_push_back(&o->queue, &item->link);
    }
    pthread_mutex_unlock(&o->all->lock);
    if (!has_room)
        free(item);
    else if (o->target.kind == LOGGER_TARGET_FILE)
        wake(o->all);
    return has_room;
}

static struct str
cut(struct str text, size_t max)
{
    if (text.len <= max)
        return text;
    while (max > 0 && ((unsigned char)text.p[max] & 0xc0) == 0x80)
        max--;
    return str_sub(text, 0, max);
}

bool
outlet_put(struct outlet *o, const struct outlet_message *m)
{
    struct outlet_message cut_one = *m;
    bool ok;

    cut_one.text = cut(m->text, OUTLET_MESSAGE_MAX);
    atomic_fetch_add(&o->all->events, 1);
    if (cut_one.text.len < m->text.len)
        atomic_fetch_add(&o->all->truncated, 1);
    atomic_fetch_add(&o->all->waiting, 1);
    ok = o->kafka ? kafka_put(o->kafka, &cut_one) : enqueue(o, &cut_one);
    if (ok) {
        atomic_fetch_add(&o->all->bytes, cut_one.text.len);
        return true;
    }
    atomic_fetch_sub(&o->all->waiting, 1);
    atomic_fetch_add(&o->all->dropped, 1);
    return false;
}

static struct outlet_item *
take_locked(struct outlet *o)
{
    struct outlet_item *item = list_take_first(&o->queue, struct outlet_item, link);

    if (item)
        o->queued_bytes -= item_bytes(item);
    return item;
}

bool
outlet_begin(struct outlet *o)
{
    bool is_mine;

    pthread_mutex_lock(&o->all->lock);
    is_mine = !o->is_sending && !list_is_empty(&o->queue);
    o->is_sending |= is_mine;
    pthread_mutex_unlock(&o->all->lock);
    return is_mine;
}

struct outlet_item *
outlet_take(struct outlet *o)
{
    struct outlet_item *item;

    pthread_mutex_lock(&o->all->lock);
    item = take_locked(o);
    if (!item)
        o->is_sending = false;
    pthread_mutex_unlock(&o->all->lock);
    return item;
}

void
outlet_end(struct outlet *o)
{
    pthread_mutex_lock(&o->all->lock);
    o->is_sending = false;
    pthread_mutex_unlock(&o->all->lock);
}

void
outlet_done(struct outlet *o, struct outlet_item *item, bool is_delivered)
{
    outlet_count_end(o, is_delivered);
    free(item);
}

void
outlet_return(struct outlet *o, struct outlet_item *item)
{
    pthread_mutex_lock(&o->all->lock);
    list_push_front(&o->queue, &item->link);
    o->queued_bytes += item_bytes(item);
    pthread_mutex_unlock(&o->all->lock);
}

/* ---- files ---- */

static void
add_line(struct buf *to, const struct outlet *o, const struct outlet_item *item)
{
    time_t seconds = (time_t)(item->wall_ns / 1000000000);
    char text[32];
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    buf_printf(to, "{\"time\":\"%s.%03uZ\",\"logger\":\"", text, (unsigned)(item->wall_ns / 1000000 % 1000));
    buf_add_json_escaped(to, o->name);
    buf_add_char(to, '"');
    if (item->message.partition >= 0)
        buf_printf(to, ",\"partitionId\":\"%" PRId32 "\"", item->message.partition);
    if (item->message.key.p) {
        buf_add_lit(to, ",\"partitionKey\":\"");
        buf_add_json_escaped(to, item->message.key);
        buf_add_char(to, '"');
    }
    buf_add_lit(to, ",\"body\":\"");
    buf_add_json_escaped(to, item->message.text);
    buf_add_lit(to, "\"}\n");
}

static bool
write_all(int fd, struct str bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.p, bytes.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = str_skip(bytes, (size_t)n);
    }
    return true;
}

/* What could not be written counts as failed: a line that is half there would not be helped by another try. */
static void
write_batch(struct outlet *o, struct outlet_item **items, uint32_t n)
{
    struct buf lines AUTO(buf_destroy) = BUF_INIT;
    bool ok;

    for (uint32_t i = 0; i < n; i++)
        add_line(&lines, o, items[i]);
    if (o->fd < 0)
        o->fd = open(o->target.file.p, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0640);
    ok = o->fd >= 0 && write_all(o->fd, buf_str(&lines));
    if (!ok)
        outlet_warn(o, o->target.file.p, strerror(errno));
    for (uint32_t i = 0; i < n; i++)
        outlet_done(o, items[i], ok);
}

static void
write_file(struct outlet *o)
{
    struct outlet_item *items[LINES_AT_ONCE];
    uint32_t n;

    do {
        pthread_mutex_lock(&o->all->lock);
        for (n = 0; n < LINES_AT_ONCE && (items[n] = take_locked(o)); n++)
            ;
        pthread_mutex_unlock(&o->all->lock);
        if (n)
            write_batch(o, items, n);
    } while (n == LINES_AT_ONCE);
    if (o->fd >= 0)
        close(o->fd);                     /* so that a file that was moved away is made anew */
    o->fd = -1;
}

/* ---- the thread ---- */

/* Not in the list any more. */
static void
outlet_free(struct outlet *o)
{
    struct outlet_item *item;

    kafka_close(o->kafka);
    while ((item = take_locked(o)))
        outlet_done(o, item, false);
    if (o->fd >= 0)
        close(o->fd);
    arena_destroy(&o->arena);
    free(o);
}

/* Nobody who could send for an HTTP outlet is left once it is closed. */
static bool
is_empty(struct outlet *o)
{
    return o->kafka ? kafka_waiting(o->kafka) == 0 : list_is_empty(&o->queue) || o->target.kind == LOGGER_TARGET_HTTP;
}

static struct outlet *
behind(struct outlets *all, struct outlet *o)
{
    return o->link.next == &all->list.head ? NULL : list_entry(o->link.next, struct outlet, link);
}

/* The outlet behind `after` (NULL: the first), held; `after` is let go. Closed ones that are empty are taken out on the way. */
static struct outlet *
step(struct outlets *all, struct outlet *after)
{
    struct outlet *next, *dead = NULL;

    pthread_mutex_lock(&all->lock);
    next = after ? behind(all, after) : list_first(&all->list, struct outlet, link);
    if (next)
        next->refs++;
    if (after && --after->refs == 0 && is_empty(after)) {
        list_remove(&after->link);
        dead = after;
    }
    pthread_mutex_unlock(&all->lock);
    if (dead)
        outlet_free(dead);
    return next;
}

static void
serve_all(struct outlets *all)
{
    for (struct outlet *o = step(all, NULL); o; o = step(all, o)) {
        if (o->kafka)
            kafka_poll(o->kafka);
        else if (o->target.kind == LOGGER_TARGET_FILE)
            write_file(o);
    }
}

static bool
is_ending(struct outlets *all)
{
    bool yes;

    pthread_mutex_lock(&all->lock);
    yes = all->is_ending;
    pthread_mutex_unlock(&all->lock);
    return yes;
}

static void *
run(void *arg)
{
    struct outlets *all = arg;
    uint64_t count;

    while (!is_ending(all)) {
        struct pollfd p = {.fd = all->event_fd, .events = POLLIN};

        if (poll(&p, 1, IDLE_MS) > 0 && read(all->event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
            break;
        serve_all(all);
    }
    return NULL;
}

/* Signals stay with the threads that expect them. */
static bool
start_thread(struct outlets *all, struct err *err)
{
    sigset_t every, before;
    int error;

    if (all->has_thread)
        return true;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    error = pthread_create(&all->thread, NULL, run, all);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    all->has_thread = error == 0;
    return all->has_thread || err_set_errno(err, ERR_IO, error, "a thread for loggers");
}

struct outlets *
outlets_new(const struct clock *clock)
{
    struct outlets *all = xnew(struct outlets);

    all->clock = clock;
    list_init(&all->list);
    pthread_mutex_init(&all->lock, NULL);
    all->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ASSERT(all->event_fd >= 0);
    return all;
}

bool
outlets_flush(struct outlets *all, uint64_t end_ns)
{
    while (atomic_load(&all->waiting)) {
        if (clock_mono_ns(NULL) >= end_ns)
            return false;
        wake(all);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return true;
}

void
outlets_delete(struct outlets *all)
{
    struct outlet *o;
    uint64_t failed;

    if (!all)
        return;
    pthread_mutex_lock(&all->lock);
    all->is_ending = true;
    pthread_mutex_unlock(&all->lock);
    wake(all);
    if (all->has_thread)
        pthread_join(all->thread, NULL);
    failed = atomic_load(&all->failed);
    while ((o = list_take_first(&all->list, struct outlet, link)))
        outlet_free(o);
    if (atomic_load(&all->failed) > failed)
        log_warn("%" PRIu64 " messages of loggers were not delivered", atomic_load(&all->failed) - failed);
    close(all->event_fd);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

/* ---- outlets ---- */

static uint64_t
mix_str(uint64_t h, struct str s)
{
    return hash_mix(h, hash_str(s) ^ s.len);
}

static uint64_t
fingerprint(const struct outlet_conf *conf)
{
    const struct logger_target *t = conf->target;
    struct str texts[] = {conf->name, t->servers, t->topic, t->username, t->password, t->resource, t->client_id, t->url,
                          t->authorization, t->file, conf->extra_ca_pem};
    uint64_t h = hash_mix((uint64_t)t->kind * 2 + t->is_tls, hash_mix(t->queue_bytes, t->timeout_ms));

    for (size_t i = 0; i < COUNTOF(texts); i++)
        h = mix_str(h, texts[i]);
    for (uint32_t i = 0; i < conf->n_resolve; i++) {
        h = mix_str(mix_str(h, conf->resolve[i].host), conf->resolve[i].address);
        h = hash_mix(h, ((uint64_t)conf->resolve[i].port << 16) | conf->resolve[i].to_port);
    }
    return h;
}

static void
copy_conf(struct outlet *o, const struct outlet_conf *conf)
{
    struct arena *a = &o->arena;
    const struct logger_target *t = conf->target;

    o->name = str_dup(a, conf->name);
    o->target = *t;
    o->target.servers = str_dup(a, t->servers);
    o->target.topic = str_dup(a, t->topic);
    o->target.username = str_dup(a, t->username);
    o->target.password = str_dup(a, t->password);
    o->target.resource = str_dup(a, t->resource);
    o->target.client_id = str_dup(a, t->client_id);
    o->target.url = str_dup(a, t->url);
    o->target.authorization = str_dup(a, t->authorization);
    o->target.file = str_dup(a, t->file);
    o->resolve = arena_new_array(a, struct resolve_rule, MAX(conf->n_resolve, 1u));
    o->n_resolve = o->resolve ? conf->n_resolve : 0;
    for (uint32_t i = 0; i < o->n_resolve; i++) {
        o->resolve[i] = conf->resolve[i];
        o->resolve[i].host = str_dup(a, conf->resolve[i].host);
        o->resolve[i].address = str_dup(a, conf->resolve[i].address);
    }
}

static struct outlet *
find_locked(struct outlets *all, uint64_t mark)
{
    struct outlet *o;

    list_each(&all->list, o, struct outlet, link)
        if (o->fingerprint == mark)
            return o;
    return NULL;
}

struct outlet *
outlet_open(struct outlets *all, const struct outlet_conf *conf, struct err *err)
{
    uint64_t mark = fingerprint(conf);
    struct outlet *o;

    pthread_mutex_lock(&all->lock);
    if ((o = find_locked(all, mark)))
        o->refs++;
    pthread_mutex_unlock(&all->lock);
    if (o || !start_thread(all, err))
        return o;
    o = xnew(struct outlet);
    *o = (struct outlet){.all = all, .refs = 1, .fingerprint = mark, .fd = -1, .arena = ARENA(NULL, (size_t)1 << 20)};
    list_init(&o->queue);
    copy_conf(o, conf);
    if (o->target.kind == LOGGER_TARGET_KAFKA && !kafka_open(o, conf->extra_ca_pem, err)) {
        outlet_free(o);
        return NULL;
    }
    pthread_mutex_lock(&all->lock);
    list_push_back(&all->list, &o->link);
    pthread_mutex_unlock(&all->lock);
    return o;
}

void
outlet_unref(struct outlet *o)
{
    if (!o)
        return;
    pthread_mutex_lock(&o->all->lock);
    o->refs--;
    pthread_mutex_unlock(&o->all->lock);
}

const struct logger_target *
outlet_target(const struct outlet *o)
{
    return &o->target;
}
