/* dns.c: c-ares on the worker's loop, and what it said, kept for its TTL.
 *
 *     resolver (loop->resolver) -> names -> entry { addresses or failure, expiry, who waits }
 * Sockets belong to c-ares; we watch them level-triggered as it asks. Its calls run on the loop's stack.
 * An entry is being asked for by at most one question; all who want the name meanwhile wait for that one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/dns.h"

#include <ares.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "rt/fiber.h"
#include "rt/io.h"
#include "rt/sync.h"
#include "rt/timer.h"

#define TTL_MIN_MS 1000
#define TTL_MAX_MS (300 * 1000)
#define FAILURE_MS 1000
#define NAMES_MAX 4096
#define QUERY_TIMEOUT_MS 2000            /* the first try; c-ares doubles it for the second */
#define QUERY_TRIES 2

struct entry {
    struct resolver *resolver;
    struct fiber_cond answered;
    uint32_t n_users;                    /* fibers that hold a pointer to it */
    bool is_pending;
    enum err_code failure;               /* ERR_NONE: result holds */
    const char *failure_text;
    uint64_t expires_ms;
    struct dns_result result;
};

struct resolver {
    struct loop *loop;
    ares_channel channel;                /* NULL: to be made */
    struct list watches;                 /* struct socket_watch */
    struct timer timer;                  /* c-ares' own time-outs */
    struct map names;                    /* lower-case name -> struct entry */
    char *servers;                       /* NULL: the system's */
    uint64_t ttl_max_ms;
};

struct socket_watch {
    struct io_watch watch;
    struct list_node link;
    struct resolver *resolver;
};

/* --- c-ares and the loop --- */

static void plan_timeout(struct resolver *r);

static void
on_socket(struct io_watch *w, bool can_in, bool can_out)
{
    struct socket_watch *s = CONTAINER_OF(w, struct socket_watch, watch);
    struct resolver *r = s->resolver;
    int fd = w->fd;

    ares_process_fd(r->channel, can_in ? fd : ARES_SOCKET_BAD, can_out ? fd : ARES_SOCKET_BAD);
    plan_timeout(r);                     /* s may be gone */
}

static void
on_ares_timeout(struct timer *t)
{
    struct resolver *r = CONTAINER_OF(t, struct resolver, timer);

    ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    plan_timeout(r);
}

static void
plan_timeout(struct resolver *r)
{
    struct timeval tv, *next = r->channel ? ares_timeout(r->channel, NULL, &tv) : NULL;

    if (!next) {
        timer_stop(r->loop, &r->timer);
        return;
    }
    uint64_t in_ms = (uint64_t)next->tv_sec * 1000 + (uint64_t)next->tv_usec / 1000 + 1;
    timer_start(r->loop, &r->timer, loop_now_ms(r->loop) + in_ms, on_ares_timeout);
}

static struct socket_watch *
find_watch(struct resolver *r, int fd)
{
    struct socket_watch *s;

    list_each(&r->watches, s, struct socket_watch, link) {
        if (s->watch.fd == fd)
            return s;
    }
    return NULL;
}

/* c-ares says what it wants to know about a socket of its; neither means that it closes it. */
static void
on_socket_state(void *ctx, ares_socket_t fd, int in, int out)
{
    struct resolver *r = ctx;
    struct socket_watch *s = find_watch(r, fd);

    if (s && !in && !out) {
        io_watch_stop(&s->watch);
        list_remove(&s->link);
        free(s);
        return;
    }
    if (!in && !out)
        return;
    if (!s) {
        s = xnew(struct socket_watch);
        s->resolver = r;
        s->watch.on_ready = on_socket;
        s->watch.fd = fd;
        list_push_back(&r->watches, &s->link);
    }
    /* Where it cannot be watched the query runs into its time-out. */
    (void)!io_watch_start(&s->watch, r->loop, fd, in, out, NULL);
}

static void
ares_library(void)
{
    ares_library_init(ARES_LIB_INIT_ALL);
}

static bool
channel_open(struct resolver *r)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct ares_options o = {.timeout = QUERY_TIMEOUT_MS, .tries = QUERY_TRIES, .sock_state_cb = on_socket_state,
        .sock_state_cb_data = r};

    if (r->channel)
        return true;
    pthread_once(&once, ares_library);
    if (ares_init_options(&r->channel, &o, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS) {
        r->channel = NULL;
        return false;
    }
    return !r->servers || ares_set_servers_ports_csv(r->channel, r->servers) == ARES_SUCCESS;
}

static void
channel_close(struct resolver *r)
{
    ares_channel channel = r->channel;

    r->channel = NULL;
    timer_stop(r->loop, &r->timer);
    if (channel)
        ares_destroy(channel);           /* answers what is pending with a failure */
}

/* --- entries --- */

static void
entry_drop(struct resolver *r, struct str name)
{
    free(map_remove(&r->names, name));
}

static void
drop_idle(struct resolver *r, bool only_expired)
{
    uint64_t now_ms = loop_now_ms(r->loop);

    for (struct map_entry *m = map_next(&r->names, NULL); m; m = map_next(&r->names, m)) {
        struct entry *e = m->value;
        if (e->is_pending || e->n_users > 0 || (only_expired && e->expires_ms > now_ms))
            continue;
        char name[256];
        struct str key = {name, MIN(m->key.len, sizeof(name))};
        memcpy(name, m->key.p, key.len);
        entry_drop(r, key);
        drop_idle(r, only_expired);      /* the map has changed: begin anew */
        return;
    }
}

static struct entry *
entry_of(struct resolver *r, struct str name)
{
    struct entry *e = map_get(&r->names, name);

    if (e)
        return e;
    if (r->names.n_live >= NAMES_MAX)
        drop_idle(r, true);
    if (r->names.n_live >= NAMES_MAX)
        drop_idle(r, false);
    e = xnew(struct entry);
    e->resolver = r;
    fiber_cond_init(&e->answered);
    map_set_copy(&r->names, name, e);
    return e;
}

static void
explain(struct entry *e, int status)
{
    switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_ENONAME:
        e->failure = ERR_NOT_FOUND;
        break;
    case ARES_ETIMEOUT:
        e->failure = ERR_TIMEOUT;
        break;
    default:
        e->failure = ERR_CONNECT;
    }
    e->failure_text = ares_strerror(status);
}

/* Families alternate, beginning with the one that the system's address rules put first (RFC 8305, section 4). */
static void
interleave(const struct addr *from, uint32_t n, struct dns_result *ret)
{
    uint32_t at[2] = {0, 0};             /* next candidate of the first family, of the other */

    ret->n = 0;
    for (uint32_t turn = 0; ret->n < n; turn++) {
        uint32_t *i = &at[turn % 2];
        while (*i < n && (from[*i].kind == from[0].kind) != (turn % 2 == 0))
            (*i)++;
        if (*i < n)
            ret->v[ret->n++] = from[(*i)++];
    }
}

static uint64_t
keep_answer(struct entry *e, const struct ares_addrinfo *info)
{
    struct addr found[DNS_ADDRS_MAX];
    uint64_t ttl_ms = e->resolver->ttl_max_ms;
    uint32_t n = 0;

    for (const struct ares_addrinfo_node *node = info->nodes; node && n < DNS_ADDRS_MAX; node = node->ai_next) {
        struct addr a = addr_from_sockaddr(node->ai_addr, node->ai_addrlen);
        if (a.kind != ADDR_V4 && a.kind != ADDR_V6)
            continue;
        found[n++] = a;
        ttl_ms = MIN(ttl_ms, (uint64_t)MAX(node->ai_ttl, 0) * 1000);
    }
    interleave(found, n, &e->result);
    return MAX(ttl_ms, (uint64_t)TTL_MIN_MS);
}

static void
on_answer(void *ctx, int status, int timeouts, struct ares_addrinfo *info)
{
    struct entry *e = ctx;
    uint64_t keep_ms = FAILURE_MS;

    e->failure = ERR_NONE;
    if (status == ARES_SUCCESS && info)
        keep_ms = keep_answer(e, info);
    if (status != ARES_SUCCESS)
        explain(e, status);
    else if (e->result.n == 0)
        explain(e, ARES_ENODATA);
    e->expires_ms = loop_now_ms(e->resolver->loop) + keep_ms;
    e->is_pending = false;
    fiber_cond_broadcast(&e->answered);
    ares_freeaddrinfo(info);
}

struct question {
    struct resolver *resolver;
    struct entry *entry;
    const char *name;
};

static void
ask(void *arg)
{
    struct question *q = arg;
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC};

    q->entry->is_pending = true;
    if (channel_open(q->resolver))
        ares_getaddrinfo(q->resolver->channel, q->name, NULL, &hints, on_answer, q->entry);
    else
        on_answer(q->entry, ARES_ENOMEM, 0, NULL);
    plan_timeout(q->resolver);
}

/* --- the resolver of a loop --- */

static void
resolver_free(void *p)
{
    struct resolver *r = p;

    channel_close(r);
    for (struct map_entry *m = map_next(&r->names, NULL); m; m = map_next(&r->names, m))
        free(m->value);
    map_destroy(&r->names);
    free(r->servers);
    free(r);
}

static struct resolver *
resolver_of(struct loop *loop)
{
    struct resolver *r = loop->resolver;

    if (r)
        return r;
    r = xnew(struct resolver);
    r->loop = loop;
    r->ttl_max_ms = TTL_MAX_MS;
    list_init(&r->watches);
    loop->resolver = r;
    loop->free_resolver = resolver_free;
    return r;
}

void
dns_set_ttl_max(struct loop *loop, uint64_t ms)
{
    resolver_of(loop)->ttl_max_ms = ms;
}

void
dns_set_servers(struct loop *loop, const char *servers)
{
    struct resolver *r = resolver_of(loop);

    free(r->servers);
    r->servers = servers ? xstrndup(servers, strlen(servers)) : NULL;
    dns_forget(loop);
}

void
dns_forget(struct loop *loop)
{
    struct resolver *r = loop->resolver;

    if (!r)
        return;
    channel_close(r);                    /* the next question reads resolv.conf again */
    drop_idle(r, false);
}

bool
dns_lookup(struct str host, uint64_t deadline_ms, struct dns_result *ret, struct err *err)
{
    struct loop *loop = fiber_loop();
    struct addr ip;
    char name[256];

    if (addr_parse_ip(host, &ip, NULL)) {
        *ret = (struct dns_result){.n = 1, .v = {ip}};
        return true;
    }
    if (host.len == 0 || host.len >= sizeof(name) || memchr(host.p, 0, host.len))
        return err_set(err, ERR_NOT_FOUND, "'%.*s' is not a host name", STR_ARG(host));
    for (size_t i = 0; i < host.len; i++)
        name[i] = ascii_lower(host.p[i]);
    name[host.len] = 0;
    struct resolver *r = resolver_of(loop);
    struct entry *e = entry_of(r, str_from(name, host.len));
    struct question q = {r, e, name};
    bool ok = true;

    e->n_users++;
    if (!e->is_pending && e->expires_ms <= loop_now_ms(loop))
        fiber_call_on_loop_stack(ask, &q);
    while (ok && e->is_pending)
        ok = fiber_cond_wait(&e->answered, deadline_ms, err);
    if (!ok)
        err_prefix(err, "name lookup of '%s'", name);
    else if (e->failure != ERR_NONE)
        ok = err_set(err, e->failure, "name lookup of '%s': %s", name, e->failure_text);
    else
        *ret = e->result;
    e->n_users--;
    return ok;
}
