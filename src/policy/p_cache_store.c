/* p_cache_store.c: <cache-store duration="60" cache-response="true" />
 * Stores the answer under the key that cache-lookup built. A body on its way is stored as it passes; it becomes an entry
 * when its end has come, never before.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"
#include "cache/control.h"
#include "cache/flight.h"
#include "cache/freshness.h"
#include "exchange/cache_report.h"
#include "exchange/stored_reply.h"
#include "exchange/storing.h"
#include "http/headers.h"
#include "http/message.h"
#include "model/api.h"
#include "policy/compile.h"
#include "policy/response_cache.h"

struct cache_store {
    struct pvalue duration, cache_response;
    bool any_status;              /* inside a when that looks at the status: that decides */
};

static const struct attr_def attrs[] = {
    VALUE_U32(struct cache_store, duration, "duration", .required = true, .about = "Seconds the answer is kept; 0 or below: not at all."),
    VALUE_BOOL(struct cache_store, cache_response, "cache-response",
               .about = "true stores any status, false none; left out, 200 alone is stored."),
    ATTR_END
};

/* --- whether ------------------------------------------------------------------------------------------------------- */

static bool
is_storable_status(const struct cache_store *s, struct exchange *ex, bool *ret)
{
    uint16_t status = ex->response->status;

    if (!pvalue_is_set(&s->cache_response)) {
        *ret = status == 200 || s->any_status;
        return true;
    }
    return pvalue_bool(ex, &s->cache_response, ret);
}

/* Of the statuses that are kept for a short time though the document does not store them. */
static bool
is_negative(const struct cache_settings *s, uint16_t status)
{
    static const uint16_t usual[] = {404, 405, 410, 414, 501};
    uint32_t n;

    if (!s->negative_ms)
        return false;
    for (uint32_t i = 0; i < s->negative_statuses.n; i++)
        if (num_parse_u32(s->negative_statuses.v[i], 599, &n, NULL) && n == status)
            return true;
    for (size_t i = 0; s->negative_statuses.n == 0 && i < COUNTOF(usual); i++)
        if (usual[i] == status)
            return true;
    return false;
}

/* Why this answer may not be stored; CACHE_STORED when it may. */
static enum cache_refusal
refusal_of(const struct reply *r, bool keeps_set_cookie)
{
    if (freshness_is_partial(r->status))
        return CACHE_REFUSED_PARTIAL;
    if (http_headers_has(r->headers, HTTP_SET_COOKIE) && !keeps_set_cookie)
        return CACHE_REFUSED_SET_COOKIE;
    if (http_list_has(http_headers_get(r->headers, HTTP_VARY), STR("*")))
        return CACHE_REFUSED_VARY_STAR;
    if (str_starts_with_nocase(http_headers_get(r->headers, HTTP_CONTENT_TYPE), STR("text/event-stream")))
        return CACHE_REFUSED_STREAM;
    return CACHE_STORED;
}

/* --- what ---------------------------------------------------------------------------------------------------------- */

static uint32_t
seconds(uint64_t ms)
{
    return (uint32_t)MIN(ms / 1000, (uint64_t)INT32_MAX);
}

/* How long it is served past its end: as the API's settings say, else as the backend does (RFC 5861). */
static void
set_stale_windows(const struct exchange *ex, const struct cache_control *control, struct storing *storing)
{
    const struct cache_settings *s = &ex->api->settings.cache;
    bool is_strict = control->flags & (CONTROL_MUST_REVALIDATE | CONTROL_PROXY_REVALIDATE);

    storing->revalidate_s = seconds(s->revalidate_ms);
    storing->error_s = seconds(s->error_ms);
    if (!s->backend_stale || is_strict)
        return;
    if (!s->revalidate_ms && control->stale_while_revalidate > 0)
        storing->revalidate_s = (uint32_t)MIN(control->stale_while_revalidate, (int64_t)INT32_MAX);
    if (!s->error_ms && control->stale_if_error > 0)
        storing->error_s = (uint32_t)MIN(control->stale_if_error, (int64_t)INT32_MAX);
}

static void
read_control(const struct http_headers *h, struct cache_control *ret)
{
    struct http_field *f;
    uint32_t at = 0;

    cache_control_init(ret);
    while (http_headers_has(h, HTTP_CACHE_CONTROL) && (f = http_headers_next(h, STR("Cache-Control"), &at)))
        cache_control_read(ret, f->value);
}

static bool
store(struct exchange *ex, struct cache_intent *intent, uint32_t duration_s)
{
    struct storing storing = {
        .key = intent->key, .place = intent->place, .born = intent->born, .flight = intent->flight,
        .request = intent->request_headers, .address = intent->address,
        .life_ms = (uint64_t)duration_s * 1000,
        .age_s = (uint32_t)MAX(cache_seconds_parse(http_headers_get(ex->response->headers, HTTP_AGE)), (int64_t)0),
    };
    enum cache_refusal why = CACHE_STORED;
    struct cache_control control;

    read_control(ex->response->headers, &control);
    set_stale_windows(ex, &control, &storing);
    intent->flight = NULL;
    ex->is_answer_stored = storing_run(ex, &storing, &why);
    if (ex->is_answer_stored)
        cache_report_stored(ex, storing.life_ms);
    else
        cache_report_refused(ex, &intent->key, why);
    return ex->is_answer_stored;
}

/* --- duration="0" after a write ------------------------------------------------------------------------------------ */

static struct str
parent_path(struct str path)
{
    ptrdiff_t slash = str_rfind_char(path, '/');

    return slash <= 0 ? STR("/") : str_sub(path, 0, (size_t)slash);
}

/* The last segment is an action (/items/update) when no GET operation has this template. */
static bool
is_action(const struct exchange *ex)
{
    const struct operation *own = ex->operation;

    for (uint32_t i = 0; own && i < ex->api->n_operations; i++) {
        const struct operation *op = &ex->api->operations[i];

        if (str_eq_lit(op->method, "GET") && str_eq(op->url_template, own->url_template))
            return false;
    }
    return own != NULL && !own->is_implicit;
}

/* An unsafe request that succeeded: what was stored for its path and the collection above is no longer true, by whatever path clients ask
 * for what the backend has there. */
static void
drop_written(struct exchange *ex)
{
    struct str path = ex->original_url.path;
    uint16_t status = ex->response->status;
    struct url written;

    if (http_method_is_safe(ex->request.method) || status < 200 || status >= 400)
        return;
    exchange_request_url(ex, &written);
    response_purge(ex, written.path, STR_NONE);    /* and what clients call it */
    response_purge(ex, parent_path(path), STR_NONE);
    if (!str_eq(ex->request.path, ex->original_request_path))
        response_purge(ex, parent_path(written.path), STR_NONE);
    if (is_action(ex))
        response_purge(ex, parent_path(parent_path(path)), STR_NONE);
}

/* --- the step ------------------------------------------------------------------------------------------------------ */

/* Whether the answer may be stored, for how long, and why not. False with ex->error set. */
static bool
decide(const struct cache_store *s, struct exchange *ex, uint32_t *duration_s, enum cache_refusal *ret)
{
    bool is_wanted;

    if (!is_storable_status(s, ex, &is_wanted))
        return false;
    if (!is_wanted && is_negative(&ex->api->settings.cache, ex->response->status)) {
        is_wanted = true;
        *duration_s = MAX(seconds(ex->api->settings.cache.negative_ms), 1u);
    }
    *ret = is_wanted ? refusal_of(ex->response, ex->api->settings.cache.keeps_set_cookie) : CACHE_REFUSED_STATUS;
    return true;
}

static enum flow
refuse(struct exchange *ex, struct cache_intent *intent, enum cache_refusal why)
{
    tiers_count_refusal(ex->services->tiers, why);
    cache_report_refused(ex, &intent->key, why);
    cache_flight_end(intent->flight, ex->response->status >= 500 ? FLIGHT_FAILED : FLIGHT_SOLO, response_now_ms(ex));
    intent->flight = NULL;
    return ex->is_detached ? FLOW_RETURN : FLOW_NEXT;
}

static enum flow
run_in_outbound(const struct cache_store *s, struct exchange *ex)
{
    struct cache_intent *intent = ex->cache;
    enum cache_refusal why;
    uint32_t duration_s;

    if (!ex->services->tiers || !exchange_response(ex))
        return FLOW_NEXT;
    if (!pvalue_lifetime(ex, &s->duration, &duration_s))
        return FLOW_ERROR;
    if (duration_s == 0)
        drop_written(ex);
    if (!intent || intent->is_stored || !intent->is_store_allowed)
        return FLOW_NEXT;
    if (duration_s == 0) {
        intent->is_stored = true;     /* nothing is: the first cache-store that runs counts */
        return refuse(ex, intent, CACHE_REFUSED_DURATION);
    }
    if (!decide(s, ex, &duration_s, &why))
        return FLOW_ERROR;
    if (why != CACHE_STORED)
        return refuse(ex, intent, why);
    intent->is_stored = true;
    leak_guard_check(ex, intent);
    response_note_vary(ex, intent);
    if (store(ex, intent, duration_s)) {
        if (!reply_fit_coding(ex, ex->response))
            return exchange_fail(ex, "no memory left to unpack an answer");
        response_set_downstream(ex, ex->response, intent, duration_s);
    }
    return ex->is_detached ? FLOW_RETURN : FLOW_NEXT;
}

static enum flow
run_early(const void *conf, struct exchange *ex)
{
    return run_in_outbound(conf, ex);
}

/* In inbound it acts as if it stood first in outbound. */
static enum flow
run(const void *conf, struct exchange *ex)
{
    if (ex->section != SECTION_INBOUND)
        return run_in_outbound(conf, ex);
    struct early_step *early = arena_new(ex->arena, struct early_step);
    if (!early)
        return FLOW_NEXT;
    *early = (struct early_step){.run = run_early, .conf = conf, .at = ex->at};
    ex->early = early;
    return FLOW_NEXT;
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    struct cache_store *s = conf;

    for (const struct node *p = n->parent; p; p = p->parent) {
        const struct attribute *a = str_eq_lit(p->name, "when") ? node_attr(p, "condition") : NULL;

        s->any_status |= a && str_find(a->text.value, STR("Response.StatusCode"), 0) >= 0;
    }
    leak_guard_store(c);
    return true;
}

const struct policy_def policy_cache_store = {
    .name = "cache-store", .sections = IN_OUTBOUND, .scopes = AT_ALL, .once = true,
    .attrs = attrs, .size = sizeof(struct cache_store), .compile = compile, .run = run,
    .summary = "Stores the answer for later requests with the same key.",
    .usage = "Needs a cache-lookup before it. Only GET; never 206, event streams, answers with Set-Cookie or Vary: *.\n"
             "Without cache-response only 200 is stored; inside a when whose condition reads the status, whatever status came.\n"
             "duration=\"0\" stores nothing and, after a write that succeeded, drops what was stored for the path and its "
             "parent.\nIn inbound it acts as if it stood first in outbound; Azure refuses that.",
};
