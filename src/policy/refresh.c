/* refresh.c: an answer fetched again behind the client's back, so that the next one need not wait.
 * The detached exchange runs the plan from behind cache-lookup to its cache-store and ends there.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/flight.h"
#include "exchange/detached.h"
#include "http/headers.h"
#include "observe/metrics.h"
#include "policy/plan.h"
#include "policy/response_cache.h"
#include "rt/loop.h"

#define REFRESHES_MAX 1000            /* of one worker, with other work that nobody waits for */

struct refresh {
    struct cache_intent intent;
    struct plan_place place;
};

static void
count(const struct exchange *ex, enum metric id)
{
    if (ex->services->figures)
        metric_add(ex->services->figures, id, 1);
}

static void
run(struct exchange *ex, void *arg)
{
    struct refresh *r = arg;

    plan_run_from(ex, &r->place);
    if (!r->intent.is_stored)
        count(ex, METRIC_CACHE_REFRESH_FAILURES);
    cache_flight_end(r->intent.flight, FLIGHT_FAILED, loop_now_ms(ex->services->loop));
    if (ex->services->detached)
        --*ex->services->detached;
}

/* The intent for the copy: its key lives in the copy's arena. */
static bool
copy_intent(const struct cache_intent *from, struct exchange *to, struct cache_intent *ret)
{
    *ret = *from;
    ret->key.bytes = str_dup(to->arena, from->key.bytes);
    ret->address = storing_address_copy(&from->address, to->arena);
    ret->is_store_allowed = true;
    ret->is_stored = false;
    ret->stale = NULL;
    return ret->key.bytes.p && ret->address.path.p;
}

/* NULL when there is no memory for it. */
static struct refresh *
prepare(struct exchange *own, const struct cache_intent *intent)
{
    struct refresh *r = arena_new(own->arena, struct refresh);

    return r && copy_intent(intent, own, &r->intent) && response_begin_miss(own, &r->intent) ? r : NULL;
}

/* The copy does not know any more which fields are the client's own. */
static struct exchange *
copy_keyed(struct exchange *ex, const struct cache_intent *intent)
{
    struct http_headers *headers = ex->request.headers;
    struct str query = ex->request.query;
    struct exchange *own = response_keep_keyed(ex, intent) ? detached_copy(ex) : NULL;

    ex->request.headers = headers;
    ex->request.query = query;
    return own;
}

static bool
start(struct exchange *ex, const struct cache_intent *intent, struct cache_flight *flight)
{
    uint32_t *running = ex->services->detached;
    struct exchange *own = running && *running >= REFRESHES_MAX ? NULL : copy_keyed(ex, intent);
    struct refresh *r = own ? prepare(own, intent) : NULL;

    if (!r) {
        if (own)
            detached_delete(own);
        return false;
    }
    r->intent.flight = flight;
    plan_place_behind(ex, &r->place);
    if (running)
        ++*running;
    if (detached_start(own, run, r))
        return true;
    if (running)
        --*running;
    return false;
}

void
response_refresh(struct exchange *ex, const struct cache_intent *intent, struct cache_flight *flight)
{
    count(ex, METRIC_CACHE_REFRESHES);
    if (start(ex, intent, flight))
        return;
    count(ex, METRIC_CACHE_REFRESH_FAILURES);
    cache_flight_end(flight, FLIGHT_FAILED, loop_now_ms(ex->services->loop));
}
