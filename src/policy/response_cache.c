/* response_cache.c: what the cache policies share about responses.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/response_cache.h"

#include "cache/advice.h"
#include "cache/flight.h"
#include "cache/freshness.h"
#include "exchange/cache_report.h"
#include "exchange/stored_reply.h"
#include "exchange/storing.h"
#include "exchange/strict_keying.h"
#include "http/headers.h"
#include "model/api.h"
#include "model/model.h"
#include "model/route.h"
#include "observe/metrics.h"
#include "rt/loop.h"

#define AGE_MAX_S ((uint64_t)1 << 31)

uint64_t
response_now_ms(const struct exchange *ex)
{
    return loop_now_ms(ex->services->loop);
}

struct str
response_request_field(void *headers, struct str name)
{
    return vary_value(headers, name);
}

/* --- the client's own cache ---------------------------------------------------------------------------------------- */

bool
response_set_downstream(struct exchange *ex, struct reply *r, const struct cache_intent *intent, uint64_t seconds_left)
{
    static const struct str words[2][2] = {
        {STR_INIT("private, max-age="), STR_INIT("private, must-revalidate, max-age=")},
        {STR_INIT("public, max-age="), STR_INIT("public, must-revalidate, max-age=")},
    };
    struct str value = STR("no-store");

    http_headers_remove_id(r->headers, HTTP_EXPIRES);
    http_headers_remove_id(r->headers, HTTP_PRAGMA);
    if (intent->downstream != DOWNSTREAM_NONE)
        value = str_concat_u64(ex->arena, words[intent->downstream == DOWNSTREAM_PUBLIC][intent->must_revalidate],
                               seconds_left);
    return value.p && http_headers_set_id(r->headers, HTTP_CACHE_CONTROL, STR("Cache-Control"), value);
}

/* --- serving ------------------------------------------------------------------------------------------------------- */

/* An answer from the cache, and what the client wants of it once outbound has run. */
struct served {
    struct reply *reply;
    struct content content;       /* as it was put there: policies that replace it end our say */
};

static bool
has_conditions(const struct http_headers *h)
{
    return http_headers_has(h, HTTP_IF_NONE_MATCH) || http_headers_has(h, HTTP_IF_MODIFIED_SINCE) ||
           http_headers_has(h, HTTP_RANGE);
}

static void
settle_conditions(struct exchange *ex, void *arg)
{
    struct served *s = arg;
    struct reply *r = s->reply;
    bool is_untouched = ex->response == r && r->content.state == s->content.state &&
                        r->content.stream == s->content.stream && r->content.bytes.p == s->content.bytes.p;

    if (is_untouched)
        reply_settle_conditions(ex, ex->request.headers, str_eq_lit(ex->request.method, "HEAD"), r);
}

static bool
keep_conditions(struct exchange *ex, struct reply *r)
{
    struct served *s;

    if (LIKELY(!has_conditions(ex->request.headers)))
        return true;
    s = arena_new(ex->arena, struct served);
    if (!s)
        return false;
    *s = (struct served){r, r->content};
    return exchange_defer(ex, settle_conditions, s);
}

bool
response_serve(struct exchange *ex, const struct cache_intent *intent, struct cache_entry *entry, struct body *coming)
{
    uint64_t now_ms = response_now_ms(ex), end_ms = cache_entry_expires_ms(entry);
    uint64_t age_s = (now_ms - MIN(now_ms, cache_entry_stored_ms(entry))) / 1000 + cache_entry_age_s(entry);
    uint64_t left_s = end_ms > now_ms ? (end_ms - now_ms) / 1000 : 0;
    struct reply *r = reply_from_entry(ex, entry, coming);

    if (!r)
        return false;
    if (ex->response)
        content_close(&ex->response->content);
    ex->response = r;
    cache_report_served(ex, entry);
    if (!reply_fit_coding(ex, r))
        return false;
    response_set_downstream(ex, r, intent, left_s);
    http_headers_set_id(r->headers, HTTP_AGE, STR("Age"), str_concat_u64(ex->arena, STR(""), MIN(age_s, AGE_MAX_S)));
    return keep_conditions(ex, r);
}

static void
remove_fields(struct http_headers *h, const enum http_field_id *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (http_headers_has(h, ids[i]))
            http_headers_remove_id(h, ids[i]);
}

/* What makes a backend answer not at all would be stored as if it were the answer. A part that a client asks for is not stored, and
 * what says of which version it is to be goes with it: else it would be put behind parts of another one. */
static void
remove_conditions(struct http_headers *h)
{
    static const enum http_field_id always[] = {HTTP_CACHE_CONTROL, HTTP_PRAGMA, HTTP_IF_NONE_MATCH, HTTP_IF_MODIFIED_SINCE};
    static const enum http_field_id of_whole[] = {HTTP_IF_MATCH, HTTP_IF_UNMODIFIED_SINCE, HTTP_IF_RANGE};

    remove_fields(h, always, COUNTOF(always));
    if (!http_headers_has(h, HTTP_RANGE))
        remove_fields(h, of_whole, COUNTOF(of_whole));
}

bool
response_keep_keyed(struct exchange *ex, const struct cache_intent *intent)
{
    struct http_headers *kept;
    struct str query = ex->request.query;

    if (LIKELY(!ex->received))
        return true;
    kept = strict_keying_fields(ex, &intent->key, intent->keyed_fields, intent->n_keyed_fields);
    if (!intent->is_query_keyed && query.len)
        query = strict_keying_query(ex, query, intent->keyed_query, intent->n_keyed_query);
    if (!kept || (ex->request.query.len && !query.p))
        return false;
    ex->request.headers = kept;
    ex->request.query = query;
    return true;
}

bool
response_begin_miss(struct exchange *ex, struct cache_intent *intent)
{
    struct http_headers *seen = arena_new(ex->arena, struct http_headers);

    if (!seen || !response_keep_keyed(ex, intent))
        return false;
    *seen = http_headers_in(ex->arena);
    if (!http_headers_copy(seen, ex->request.headers))
        return false;
    intent->request_headers = seen;
    intent->born = storing_born(ex);
    remove_conditions(ex->request.headers);
    ex->cache = intent;
    ex->is_answer_kept = intent->is_store_allowed;
    return true;
}

void
response_note_vary(const struct exchange *ex, const struct cache_intent *intent)
{
    struct str list = http_headers_get_joined(ex->response->headers, STR("Vary")), name;

    if (!ex->services->advice || !ex->api || !intent->request_headers)
        return;
    while (list.p && http_list_next(&list, &name))
        cache_advice_miss(ex->services->advice, ex->api->root_name, ADVICE_HEADER, name,
                          http_headers_get_joined(intent->request_headers, name));
}

/* --- when the backend fails ---------------------------------------------------------------------------------------- */

static bool
has_failed(const struct exchange *ex, enum flow flow)
{
    uint16_t status = flow == FLOW_NEXT && ex->is_forwarded && ex->response ? ex->response->status : 0;

    if (flow == FLOW_ERROR)
        return ex->section == SECTION_BACKEND &&
               (ex->error.id == E_BACKEND_CONNECTION_FAILURE || ex->error.id == E_TIMEOUT ||
                ex->error.id == E_BACKEND_UNAVAILABLE || (ex->error.id == E_BACKEND_STATUS && ex->error.status >= 500));
    return status == 500 || (status >= 502 && status <= 504);
}

enum flow
response_instead_of_failure(struct exchange *ex, enum flow flow)
{
    struct cache_intent *intent = ex->cache;
    struct cache_entry *stale = intent->stale;

    if ((flow != FLOW_NEXT && flow != FLOW_ERROR) || !has_failed(ex, flow))
        return flow;
    cache_flight_end(intent->flight, FLIGHT_FAILED, response_now_ms(ex));
    intent->flight = NULL;
    if (!stale)
        return flow;
    intent->is_store_allowed = false;
    if (!response_serve(ex, intent, cache_entry_ref(stale), NULL))
        return flow;
    exchange_trace(ex, TRACE_ERROR, STR("cache-lookup"), STR("The backend failed, a stale answer stands in for it."));
    ex->cache_outcome = CACHE_OUTCOME_STALE_ERROR;
    ex->error = (struct last_error){0};
    return FLOW_CACHE_HIT;
}

/* --- response-cache:<path> ----------------------------------------------------------------------------------------- */

bool
response_cache_address(struct str key, struct str *ret_path, struct str *ret_query)
{
    struct str prefix = STR("response-cache:");

    if (!str_starts_with(key, prefix))
        return false;
    key = str_skip(key, prefix.len);
    ptrdiff_t question = str_find_char(key, '?', 0);
    *ret_path = question < 0 ? key : str_sub(key, 0, (size_t)question);
    *ret_query = question < 0 ? STR_NONE : str_skip(key, (size_t)question + 1);
    return true;
}

bool
response_warm_key(struct exchange *ex, struct str path, struct str query, struct cache_key *ret)
{
    struct buf b = buf_in(ex->arena);

    cache_key_begin(&b, CACHE_RESPONSE);
    cache_key_add(&b, STR("response-cache"));
    cache_key_add(&b, path);
    cache_key_add_query(&b, query, NULL, 0, ex->arena);
    return cache_key_end(&b, ret);
}

/* What clients of this API call a path that is meant as context.Request.Url.Path says it; STR_NONE when they cannot be told. */
static struct str
path_as_received(struct exchange *ex, struct str path)
{
    struct str below = ex->original_request_path, received = ex->original_url.path;
    struct url url;
    size_t base;

    exchange_request_url(ex, &url);
    if (str_eq(path, url.path))
        return received;
    if (!ex->api || !str_ends_with(url.path, below) || !str_ends_with(received, below))
        return STR_NONE;              /* rewritten */
    base = url.path.len - below.len;
    if (!str_eq(str_sub(path, 0, base), str_sub(url.path, 0, base)))
        return STR_NONE;
    return str_concat(ex->arena, str_sub(received, 0, received.len - below.len), str_skip(path, base));
}

/* The API and the operation that clients ask for under this path. False: none, or more than the path decides that. */
static bool
add_owner(const struct exchange *ex, struct str path, struct str query, struct cache_scopes *scopes)
{
    struct route_request wanted = {.method = STR("GET"), .host = ex->original_url.host, .path = path, .query = query,
                                   .is_secure = true};
    struct route_match match;

    if (!ex->model || !str_starts_with(path, STR("/")) || route_find(ex->model->routes, &wanted, &match) != ROUTE_FOUND)
        return false;
    cache_scopes_add(scopes, cache_scope(SCOPE_API, match.api->root_name));
    cache_scopes_add(scopes, cache_scope_operation(match.api->root_name, match.operation->name));
    return true;
}

void
response_warm_scopes(struct exchange *ex, struct str path, struct str query, struct cache_scopes *scopes)
{
    struct str received = path_as_received(ex, path);
    bool is_owned = add_owner(ex, path, query, scopes);

    cache_scopes_add_path(scopes, path, query);
    if (received.p && !str_eq(received, path) && add_owner(ex, received, query, scopes)) {
        cache_scopes_add_path(scopes, received, query);
        is_owned = true;
    }
    if (!is_owned)
        cache_scopes_add(scopes, cache_scope_unowned());
}

bool
response_is_warmed_for(const struct cache_entry *e, struct str api)
{
    cache_scope_id own = cache_scope(SCOPE_API, api), unowned = cache_scope_unowned();
    uint32_t n;
    const cache_scope_id *scopes = cache_entry_scopes(e, &n);

    for (uint32_t i = 0; i < n; i++)
        if (scopes[i] == own || scopes[i] == unowned)
            return true;
    return false;
}

static cache_scope_id
scope_of(struct str path, struct str query)
{
    return query.p ? cache_scope_url(path, query, NULL, 0) : cache_scope_path(path);
}

void
response_purge(struct exchange *ex, struct str path, struct str query)
{
    struct str received = path_as_received(ex, path);
    cache_scope_id scopes[2] = {scope_of(path, query)};
    struct purge_order order = {.scopes = scopes, .n = 1, .what = path, .by = ex->at ? ex->at->policy : STR_NONE};

    if (received.p && !str_eq(received, path))
        scopes[order.n++] = scope_of(received, query);
    if (!ex->services->tiers)
        return;
    tiers_purge(ex->services->tiers, &order, NULL);
    storing_has_purged(ex);
}
