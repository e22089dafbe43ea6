/* detached.c: an arena that holds the exchange which uses it, and the fiber that ends both; copies of exchanges.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/detached.h"

#include "backend/backends.h"
#include "exchange/fetch.h"
#include "exchange/outgoing.h"
#include "exchange/value_codec.h"
#include "http/client.h"
#include "http/forward.h"
#include "http/headers.h"
#include "model/api.h"
#include "model/route.h"
#include "rt/fiber.h"
#include "rt/loop.h"

struct detached {
    struct exchange ex;               /* first: one is found from the other */
    struct background background;     /* registered while it runs */
    struct fiber *fiber;
    struct arena arena;
    void (*fn)(struct exchange *ex, void *arg);
    void *arg;
};

struct exchange *
detached_new(const struct exchange *from, const struct exchange_limits *limits)
{
    struct arena arena = ARENA(from->services->arenas, limits ? limits->arena_max : from->arena->bytes_max);
    struct detached *d = arena_new(&arena, struct detached);

    if (!d) {
        arena_destroy(&arena);
        return NULL;
    }
    d->arena = arena;
    exchange_init(&d->ex, &d->arena, from->services, limits ? limits : from->limits, NULL);
    exchange_share_pin(&d->ex, from);
    d->ex.born = from->born;
    return &d->ex;
}

void
detached_delete(struct exchange *ex)
{
    struct detached *d = CONTAINER_OF(ex, struct detached, ex);
    struct arena arena = d->arena;    /* d lives in it */

    background_remove(&d->background);
    exchange_close(&d->ex);
    exchange_unpin(&d->ex);
    arena_destroy(&arena);
}

/* ---- copying ---- */

static bool
copy_request(const struct exchange *from, struct exchange *to)
{
    struct http_headers *headers = arena_new(to->arena, struct http_headers);

    if (!headers)
        return false;
    *headers = http_headers_in(to->arena);
    to->request = (struct request){.method = str_dup(to->arena, from->request.method), .headers = headers,
                                   .content = &to->own_content, .path = str_dup(to->arena, from->request.path)};
    if (from->request.query.p)
        to->request.query = str_dup(to->arena, from->request.query);
    return http_headers_dup(headers, from->request.headers);
}

static struct url
copy_url(struct arena *a, const struct url *u)
{
    return (struct url){.scheme = str_dup(a, u->scheme), .host = str_dup(a, u->host), .port = u->port,
                        .path = str_dup(a, u->path), .query = u->query.p ? str_dup(a, u->query) : STR_NONE};
}

static const struct addr *
copy_peer(struct arena *a, const struct addr *peer)
{
    struct addr *own = arena_new(a, struct addr);

    if (own)
        *own = *peer;
    return own;
}

static bool
copy_client(const struct exchange *from, struct exchange *to)
{
    struct http_client_id *id;

    to->client_ip = str_dup(to->arena, from->client_ip);
    to->gateway_base = str_dup(to->arena, from->gateway_base);
    to->authority = str_dup(to->arena, from->authority);
    to->peer = from->peer ? copy_peer(to->arena, from->peer) : NULL;
    to->client_version = from->client_version;
    if (!from->client)
        return true;
    id = arena_new(to->arena, struct http_client_id);
    if (!id)
        return false;
    *id = *from->client;
    id->address = str_dup(to->arena, id->address);
    id->scheme = str_dup(to->arena, id->scheme);
    id->host = str_dup(to->arena, id->host);
    to->client = id;
    return true;
}

static bool
copy_parameters(const struct exchange *from, struct exchange *to)
{
    struct route_parameter *all = arena_new_array(to->arena, struct route_parameter, MAX(from->n_parameters, 1u));

    if (!all)
        return false;
    for (uint32_t i = 0; i < from->n_parameters; i++)
        all[i] = (struct route_parameter){str_dup(to->arena, from->parameters[i].name),
                                          str_dup(to->arena, from->parameters[i].value)};
    to->parameters = all;
    to->n_parameters = from->n_parameters;
    return true;
}

const struct http_proxy *
detached_proxy(struct exchange *ex, const struct http_proxy *from)
{
    struct http_proxy *copy = arena_new(ex->arena, struct http_proxy);

    if (copy)
        *copy = (struct http_proxy){.host = str_dup(ex->arena, from->host), .port = from->port,
                                    .authorization = str_dup(ex->arena, from->authorization)};
    return copy;
}

/* An address that an expression computed lies in the exchange's arena; the others in the configuration. */
static bool
copy_target(const struct exchange *from, struct exchange *to)
{
    const struct target *t = from->target;
    bool is_configured = !t || (from->backend && t == &from->backend->target) ||
                         (from->api && t == &from->backends->apis[from->api->index]);

    to->certificate = from->certificate;
    if (from->proxy && !(to->proxy = detached_proxy(to, from->proxy)))
        return false;
    to->target = is_configured ? t : exchange_target(to, str_dup(to->arena, t->text), NULL);
    return is_configured || to->target;
}

/* Through the value codec: an own copy of each. Yields. */
static bool
copy_variables(struct exchange *from, struct exchange *to)
{
    for (uint32_t i = 0; i < from->variables->n; i++) {
        struct variable *v = &from->variables->v[i];
        struct buf bytes AUTO(buf_destroy) = BUF_INIT;
        struct object *value = NULL;
        struct err err;

        if (v->value && (!value_encode(from, v->value, &bytes, &err) ||
                         !value_decode(to, str_dup(to->arena, buf_str(&bytes)), &value, &err))) {
            exchange_trace(from, TRACE_ERROR, STR("detached"),
                           str_printf(from->arena, "variable %.*s is left out: %s", STR_ARG(v->name), err.text));
            continue;
        }
        if (!exchange_set_variable(to, str_dup(to->arena, v->name), value))
            return false;
    }
    return true;
}

/* What belongs to the configuration stays where it is: the pin holds it. */
static void
share(const struct exchange *from, struct exchange *to)
{
    to->api = from->api;
    to->operation = from->operation;
    to->product = from->product;
    to->subscription = from->subscription;
    to->user = from->user;
    to->plan = from->plan;
    to->cache_slot = from->cache_slot;
    to->forwarding = from->forwarding;
    to->backend = from->backend;
    to->timestamp_ns = from->timestamp_ns;
    memcpy(to->id, from->id, sizeof(to->id));
    to->identity = from->identity;
    to->is_caller_proven = from->is_caller_proven;
    to->is_detached = true;
    if (from->services->detached_services)
        to->services = from->services->detached_services;
}

struct exchange *
detached_copy(struct exchange *from)
{
    struct exchange *to = detached_new(from, NULL);

    if (!to)
        return NULL;
    share(from, to);
    to->original_url = copy_url(to->arena, &from->original_url);
    to->original_request_path = str_dup(to->arena, from->original_request_path);
    if (copy_request(from, to) && copy_client(from, to) && copy_parameters(from, to) && copy_target(from, to) &&
        copy_variables(from, to))
        return to;
    detached_delete(to);
    return NULL;
}

/* ---- running ---- */

static void
run(void *arg)
{
    struct detached *d = arg;

    fiber_set_request(&d->ex);
    d->fn(&d->ex, d->arg);
    fiber_set_request(NULL);
    detached_delete(&d->ex);
}

/* The process ends. */
static void
stop(struct background *b)
{
    struct detached *d = CONTAINER_OF(b, struct detached, background);

    background_remove(b);
    fiber_cancel(d->fiber);
}

bool
detached_start(struct exchange *ex, void (*fn)(struct exchange *ex, void *arg), void *arg)
{
    struct detached *d = CONTAINER_OF(ex, struct detached, ex);

    d->fn = fn;
    d->arg = arg;
    d->background.stop = stop;
    background_add(ex->services, &d->background);
    if (fiber_start(ex->services->loop, run, d, &d->fiber))
        return true;
    detached_delete(ex);
    return false;
}
