/* http_cache.c: RFC 9111 for one request on its way to the backend.
 *
 *     GET, HEAD   enter -> fresh: serve            (with ranges and conditions of the client settled here)
 *                       -> stale: validate -> 304: freshen, serve the stored body
 *                                          -> else: the new answer, stored when it may be
 *                                          -> failed: stale, where it is allowed
 *                       -> nothing: fetch, storing as it comes
 *     others      forward; when that succeeded, what is stored for the address is no longer true
 * Whether an answer may be stored, how old and how long fresh it is: cache/freshness.c. One fetch for many, stale windows:
 * cache/flight.c. A refresh behind the client's back is the same fetch on a detached exchange.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/http_cache.h"

#include "cache/flight.h"
#include "cache/freshness.h"
#include "cache/tags.h"
#include "exchange/cache_report.h"
#include "exchange/detached.h"
#include "exchange/stored_reply.h"
#include "exchange/storing.h"
#include "exchange/strict_keying.h"
#include "http/body.h"
#include "http/conditional.h"
#include "http/headers.h"
#include "model/api.h"
#include "observe/metrics.h"
#include "rt/loop.h"

#define KEEP_S (24u * 3600)           /* an answer with a validator is kept so long past its end, to be validated */
#define AGE_MAX_S ((uint64_t)1 << 31)

/* One request and what is known of it. */
struct lookup {
    struct exchange *ex;
    const struct attempt *conf;
    const struct cache_settings *settings;
    struct cache_wanted wanted;
    struct storing storing;           /* key, place, address; the rest when an answer is there */
    struct http_headers *client;      /* the request's fields as policies left them */
    struct cache_entered got;
    bool is_head, has_range;
};

static uint64_t
now_ms(const struct exchange *ex)
{
    return loop_now_ms(ex->services->loop);
}

static uint64_t
wall_s(const struct exchange *ex)
{
    return loop_wall_ns(ex->services->loop) / 1000000000;
}

bool
http_cache_applies(const struct exchange *ex)
{
    return ex->api->settings.cache.mode == CACHE_MODE_RFC9111 && ex->services->tiers && !ex->cache &&
           !http_headers_has(ex->request.headers, HTTP_UPGRADE) && ex->api->kind != API_WEBSOCKET &&
           ex->api->kind != API_GRPC;
}

/* --- key and values ------------------------------------------------------------------------------------------------ */

static struct str
request_field(void *headers, struct str name)
{
    return vary_value(headers, name);
}

/* What backends negotiate by: with strict keying part of the key, so that it may be sent. */
static const struct str negotiated[] = {STR_INIT("Accept"), STR_INIT("Accept-Encoding"), STR_INIT("Accept-Language")};

/* api, its revision, and the whole address towards the backend. */
static bool
make_key(struct lookup *l)
{
    struct exchange *ex = l->ex;
    struct buf b = buf_in(ex->arena);
    struct url url;

    exchange_request_url(ex, &url);
    l->storing.address = storing_address_of(ex, &url, NULL, 0);
    l->storing.place = (struct cache_place){CACHING_PREFER_EXTERNAL, .owner = ex->api->root_name};
    cache_key_begin(&b, CACHE_RESPONSE);
    cache_key_add(&b, STR("http"));
    cache_key_add(&b, ex->api->name);
    cache_key_add(&b, ex->api->prefix);
    cache_key_add(&b, url.scheme);
    cache_key_add(&b, url.host);
    cache_key_add(&b, str_from((const char *)&url.port, sizeof(url.port)));
    cache_key_add(&b, http_headers_get(ex->request.headers, HTTP_HOST));
    cache_key_add(&b, url.path);
    cache_key_add(&b, url.query);
    for (size_t i = 0; i < COUNTOF(negotiated) && ex->api->settings.cache.strict_keying; i++)
        cache_key_add(&b, vary_value(ex->request.headers, negotiated[i]));
    return cache_key_end(&b, &l->storing.key);
}

/* --- serving ------------------------------------------------------------------------------------------------------- */

static uint64_t
age_of(const struct exchange *ex, const struct cache_entry *e)
{
    uint64_t now = now_ms(ex);

    return (now - MIN(now, cache_entry_stored_ms(e))) / 1000 + cache_entry_age_s(e);
}

/* How long it is fresh, from its birth at the origin; a soft purge has ended that early. */
static uint64_t
life_of(const struct lookup *l, const struct cache_entry *e)
{
    uint64_t life_s = (cache_entry_expires_ms(e) - cache_entry_stored_ms(e)) / 1000 + cache_entry_age_s(e), age_s = age_of(l->ex, e);

    return cache_entered_is_stale(&l->got) ? MIN(life_s, age_s - MIN(age_s, l->got.stale_ms / 1000)) : life_s;
}

/* Takes the reference over. */
static bool
serve(struct lookup *l, struct cache_entry *entry, struct body *coming, enum cache_outcome outcome)
{
    struct exchange *ex = l->ex;
    uint64_t age_s = age_of(ex, entry);
    struct reply *r = reply_from_entry(ex, entry, coming);

    if (!r) {
        exchange_fail(ex, "no memory left for a cached answer");
        return false;
    }
    if (ex->response)
        content_close(&ex->response->content);
    ex->response = r;
    ex->cache_outcome = (uint8_t)outcome;
    cache_report_served(ex, entry);
    http_headers_set(r->headers, STR("Age"), str_concat_u64(ex->arena, STR(""), MIN(age_s, AGE_MAX_S)));
    if (!reply_fit_coding(ex, r)) {
        exchange_fail(ex, "no memory left to unpack a cached answer");
        return false;
    }
    reply_settle_conditions(ex, l->client, l->is_head, r);
    return true;
}

/* The client wants only what is stored, and nothing is. */
static bool
answer_only_if_cached(struct lookup *l)
{
    struct reply *r = reply_new(l->ex);

    cache_flight_end(l->got.flight, FLIGHT_LANDED, now_ms(l->ex));
    cache_entry_unref(l->got.entry);
    if (!r) {
        exchange_fail(l->ex, "no memory left for an answer");
        return false;
    }
    r->status = 504;
    l->ex->response = r;
    l->ex->cache_outcome = CACHE_OUTCOME_MISS;
    return true;
}

/* --- fetching ------------------------------------------------------------------------------------------------------ */

/* What is sent: without the client's conditions, which are settled here, and with ours. */
static struct http_headers *
own_request(struct lookup *l, const struct cache_entry *stored)
{
    static const enum http_field_id conditions[] = {HTTP_IF_NONE_MATCH, HTTP_IF_MODIFIED_SINCE, HTTP_IF_RANGE, HTTP_RANGE};
    struct http_headers *own = arena_new(l->ex->arena, struct http_headers), *sent;
    struct reply head = {0};
    struct http_headers fields = http_headers_in(l->ex->arena);

    if (!own)
        return NULL;
    *own = http_headers_in(l->ex->arena);
    sent = strict_keying_fields(l->ex, &l->storing.key, negotiated, COUNTOF(negotiated));
    if (!sent || !http_headers_copy(own, sent))
        return NULL;
    for (size_t i = 0; i < COUNTOF(conditions); i++)
        http_headers_remove_id(own, conditions[i]);
    head.headers = &fields;
    if (!stored || !stored_head_decode(cache_entry_head(stored), &head))
        return own;
    if (http_headers_has(&fields, HTTP_ETAG))
        http_headers_set(own, STR("If-None-Match"), http_headers_get(&fields, HTTP_ETAG));
    if (http_headers_has(&fields, HTTP_LAST_MODIFIED))
        http_headers_set(own, STR("If-Modified-Since"), http_headers_get(&fields, HTTP_LAST_MODIFIED));
    return own;
}

static struct freshness_conf
conf_of(const struct cache_settings *s)
{
    return (struct freshness_conf){.heuristic_percent = s->heuristic_percent, .heuristic_max_s = s->heuristic_max_ms / 1000,
                                   .surrogate_control = s->surrogate_control, .keeps_set_cookie = s->keeps_set_cookie};
}

static uint32_t
window_s(uint64_t configured_ms, int64_t said_s, bool counts)
{
    if (configured_ms)
        return (uint32_t)MIN(configured_ms / 1000, (uint64_t)INT32_MAX);
    return counts && said_s > 0 ? (uint32_t)MIN(said_s, (int64_t)INT32_MAX) : 0;
}

/* Completes what is to be stored from what was found out about the answer. */
static void
set_times(struct lookup *l, const struct freshness *f)
{
    struct storing *s = &l->storing;

    s->age_s = f->age_s;
    s->life_ms = f->life_s > f->age_s ? (f->life_s - f->age_s) * 1000 : 0;
    s->must_validate = f->must_validate;
    s->revalidate_s = s->error_s = 0;
    if (!f->must_validate) {
        s->revalidate_s = window_s(l->settings->revalidate_ms, f->control.stale_while_revalidate, l->settings->backend_stale);
        s->error_s = window_s(l->settings->error_ms, f->control.stale_if_error, l->settings->backend_stale);
    }
    s->keep_s = f->has_validator || !f->must_validate ? KEEP_S : 0;
}

/* Which fields of an answer are stored. ctx: struct freshness. */
static bool
wants_field(const void *ctx, const struct http_field *field)
{
    const struct freshness *f = ctx;

    for (size_t i = 0; i < COUNTOF(f->omit_fields); i++)
        if (f->omit_fields[i].len && http_list_has(f->omit_fields[i], field->name))
            return false;
    return freshness_is_stored_field((enum http_field_id)field->id, field->name);
}

/* RFC 9110 6.6.1: whoever stores an answer without a date gives it one. */
static void
add_date(struct exchange *ex, struct http_headers *h)
{
    char text[30];

    if (http_headers_has(h, HTTP_DATE))
        return;
    http_date_format(wall_s(ex), text);
    http_headers_add_id(h, HTTP_DATE, STR("Date"), str_dup(ex->arena, str_from(text, 29)));
}

static void
end_flight(struct lookup *l, enum flight_end how)
{
    cache_flight_end(l->got.flight, how, now_ms(l->ex));
    l->got.flight = NULL;
}

/* A new answer has come: it is stored when it may be, and the client gets what it asked for of it. */
static bool
take_answer(struct lookup *l, const struct http_headers *sent, const struct exchange_instants *when)
{
    struct exchange *ex = l->ex;
    struct reply *r = ex->response;
    struct freshness_conf conf = conf_of(l->settings);
    struct freshness *f = arena_new(ex->arena, struct freshness);
    enum cache_refusal why = CACHE_REFUSED_METHOD;

    ex->cache_outcome = CACHE_OUTCOME_MISS;
    if (f && !l->is_head && !l->wanted.no_store) {
        freshness_of(&conf, sent, r->status, r->headers, when, f);
        why = f->refusal;
        if (!why && f->life_s <= f->age_s && !f->has_validator)
            why = CACHE_REFUSED_EXPIRED;
    }
    if (why) {
        if (f && !l->is_head) {
            tiers_count_refusal(ex->services->tiers, why);
            cache_report_refused(ex, &l->storing.key, why);
        }
        end_flight(l, r->status >= 500 ? FLIGHT_FAILED : FLIGHT_SOLO);
    } else {
        add_date(ex, r->headers);
        set_times(l, f);
        l->storing.request = sent;
        l->storing.flight = l->got.flight;
        l->storing.wants_field = wants_field;
        l->storing.ctx = f;
        l->got.flight = NULL;
        ex->is_answer_stored = storing_run(ex, &l->storing, &why);
        if (ex->is_answer_stored)
            cache_report_stored(ex, l->storing.life_ms);
        else
            cache_report_refused(ex, &l->storing.key, why);
    }
    if (l->settings->surrogate_control)
        http_headers_remove(r->headers, STR("Surrogate-Control"));
    if (ex->is_answer_stored && !reply_fit_coding(ex, r)) {
        exchange_fail(ex, "no memory left to unpack an answer");
        return false;
    }
    reply_settle_conditions(ex, l->client, l->is_head, r);
    return true;
}

/* --- validation ---------------------------------------------------------------------------------------------------- */

/* The stored fields with those of a 304 in place of them (3.2). */
static bool
merge(struct exchange *ex, struct reply *stored, const struct http_headers *newer)
{
    for (uint32_t i = 0; i < newer->n; i++) {
        const struct http_field *f = &newer->v[i];
        bool is_repeated = false;

        if (!freshness_is_stored_field((enum http_field_id)f->id, f->name) || freshness_is_kept_field(f->name))
            continue;
        for (uint32_t k = 0; k < i; k++)
            is_repeated |= str_eq_nocase(newer->v[k].name, f->name);
        if (!is_repeated)
            http_headers_remove(stored->headers, f->name);
        if (!http_headers_add_id(stored->headers, (enum http_field_id)f->id, f->name, f->value))
            return false;
    }
    return true;
}

/* 304: the stored body under a new head. Without memory for that the stored answer serves as it is. */
static bool
freshen(struct lookup *l, const struct http_headers *sent, const struct exchange_instants *when)
{
    struct exchange *ex = l->ex;
    struct cache_entry *old = l->got.entry, *fresh = NULL;
    struct reply *merged = reply_new(ex);
    struct freshness_conf conf = conf_of(l->settings);
    struct freshness *f = arena_new(ex->arena, struct freshness);
    struct cache_scopes scopes = {0};
    struct cache_item item;

    l->got.entry = NULL;
    if (merged && f && stored_head_decode(cache_entry_head(old), merged) && merge(ex, merged, ex->response->headers)) {
        merged->status = cache_entry_status(old);
        if (!http_headers_has(ex->response->headers, HTTP_DATE))
            http_headers_remove_id(merged->headers, HTTP_DATE);
        add_date(ex, merged->headers);
        if (http_headers_has(ex->response->headers, HTTP_AGE)) /* stored ones have none */
            http_headers_set(merged->headers, STR("Age"), http_headers_get(ex->response->headers, HTTP_AGE));
        freshness_of(&conf, sent, merged->status, merged->headers, when, f);
        set_times(l, f);
        l->storing.request = sent;
        l->storing.wants_field = wants_field;
        l->storing.ctx = f;
        if (!l->wanted.no_store && storing_item(ex, &l->storing, merged, ex->arena, &item, &scopes) && !f->refusal && !scopes.is_full)
            fresh = tiers_freshen(ex->services->tiers, &l->storing.place, &item, old);
    }
    end_flight(l, FLIGHT_LANDED);
    if (!fresh)
        return serve(l, old, NULL, CACHE_OUTCOME_VALIDATED);
    cache_entry_unref(old);
    return serve(l, fresh, NULL, CACHE_OUTCOME_VALIDATED);
}

/* --- failures ------------------------------------------------------------------------------------------------------ */

/* May the stale answer stand in? When the backend could not be reached, unless the answer forbids it (4.2.4); for an error it
 * answered, when that was allowed (RFC 5861). */
static bool
may_stand_in(const struct lookup *l, bool is_answered)
{
    const struct cache_entry *e = l->got.entry;

    if (!e || cache_entry_flags(e) & ENTRY_MUST_VALIDATE || l->wanted.must_validate)
        return false;
    return !is_answered || l->got.stale_ms < (uint64_t)cache_entry_error_s(e) * 1000;
}

static bool
is_failure(uint16_t status)
{
    return status == 500 || (status >= 502 && status <= 504);
}

static bool
stand_in(struct lookup *l)
{
    struct cache_entry *e = l->got.entry;

    l->got.entry = NULL;
    l->ex->error = (struct last_error){0};
    return serve(l, e, NULL, CACHE_OUTCOME_STALE_ERROR);
}

/* --- one fetch ----------------------------------------------------------------------------------------------------- */

static bool
attempt(struct lookup *l, struct http_headers *sent)
{
    struct exchange *ex = l->ex;
    bool ok;

    ex->request.headers = sent;
    ex->is_answer_kept = true;
    ok = attempt_run(ex, l->conf);
    ex->is_answer_kept = false;
    ex->request.headers = l->client;
    return ok;
}

static bool
fetch(struct lookup *l)
{
    struct exchange *ex = l->ex;
    struct cache_entry *stored = l->got.entry;
    /* A range of something unknown is the backend's to give, and not stored. */
    bool is_plain = l->has_range && !stored && !ex->received;
    struct http_headers *sent = is_plain ? l->client : own_request(l, stored);
    struct exchange_instants when = {.asked_s = wall_s(ex)};
    bool ok;

    if (!sent) {
        end_flight(l, FLIGHT_FAILED);
        exchange_fail(ex, "no memory left to send the request");
        return false;
    }
    l->storing.born = storing_born(ex);
    ok = attempt(l, sent);
    when.answered_s = wall_s(ex);
    if (!ok || is_failure(ex->response->status)) {
        end_flight(l, FLIGHT_FAILED);
        if (may_stand_in(l, ok))
            return stand_in(l);
    }
    if (!ok)
        return false;
    if (stored && ex->response->status == 304)
        return freshen(l, sent, &when);
    return take_answer(l, sent, &when);
}

static void
drop_entry(struct lookup *l)
{
    cache_entry_unref(l->got.entry);
    l->got.entry = NULL;
}

/* --- refreshing behind the client's back --------------------------------------------------------------------------- */

struct refresh {
    struct lookup lookup;
    struct attempt conf;
};

static void
run_refresh(struct exchange *ex, void *arg)
{
    struct refresh *r = arg;

    if (!fetch(&r->lookup))
        metric_add(ex->services->figures, METRIC_CACHE_REFRESH_FAILURES, 1);
    end_flight(&r->lookup, FLIGHT_FAILED);
    drop_entry(&r->lookup);
    if (ex->services->detached)
        --*ex->services->detached;
}

/* The flight and a reference to the entry go with it; false when there was no room for it, then they stay the caller's. */
static bool
start_refresh(struct lookup *l)
{
    struct exchange *ex = l->ex, *own = NULL;
    struct http_headers *sent = strict_keying_fields(ex, &l->storing.key, negotiated, COUNTOF(negotiated));
    struct refresh *r;

    if (sent) {
        ex->request.headers = sent;
        own = detached_copy(ex);
        ex->request.headers = l->client;
    }
    r = own ? arena_new(own->arena, struct refresh) : NULL;
    if (!r) {
        if (own)
            detached_delete(own);
        return false;
    }
    r->conf = *l->conf;
    r->lookup = (struct lookup){.ex = own, .conf = &r->conf, .settings = l->settings, .client = own->request.headers,
                                .wanted = {.max_age_s = -1, .min_fresh_s = -1, .max_stale_s = -1},
                                .got = {.entry = cache_entry_ref(l->got.entry), .flight = l->got.flight}};
    http_headers_remove_id(own->request.headers, HTTP_CACHE_CONTROL);
    if (!make_key(&r->lookup)) {
        drop_entry(&r->lookup);
        detached_delete(own);
        return false;
    }
    if (ex->services->detached)
        ++*ex->services->detached;
    metric_add(ex->services->figures, METRIC_CACHE_REFRESHES, 1);
    if (!detached_start(own, run_refresh, r)) {
        if (ex->services->detached)
            --*ex->services->detached;
        return false;
    }
    l->got.flight = NULL;
    return true;
}

/* --- looking up ---------------------------------------------------------------------------------------------------- */

/* Stale, and the client says that it takes that. */
static bool
takes_stale(const struct lookup *l)
{
    const struct cache_entry *e = l->got.entry;

    return e && !(cache_entry_flags(e) & ENTRY_MUST_VALIDATE) &&
           cache_wanted_takes(&l->wanted, age_of(l->ex, e), life_of(l, e));
}

static enum cache_outcome
outcome_of(const struct cache_entered *got)
{
    if (got->is_for_error)
        return CACHE_OUTCOME_STALE_ERROR;
    if (cache_entered_is_stale(got))
        return CACHE_OUTCOME_STALE;
    if (got->has_waited || got->part == CACHE_FOLLOW)
        return CACHE_OUTCOME_COLLAPSED;
    return got->is_external ? CACHE_OUTCOME_EXTERNAL : CACHE_OUTCOME_HIT;
}

/* Something may be served at once, as far as the cache goes; the client may want it fresher. */
static bool
serve_found(struct lookup *l)
{
    struct cache_entry *e = l->got.entry;
    struct body *coming = NULL;
    bool is_in_window = cache_entered_is_stale(&l->got) && !l->wanted.must_validate && l->wanted.max_age_s < 0 && l->wanted.min_fresh_s < 0;

    if (!is_in_window && !cache_wanted_takes(&l->wanted, age_of(l->ex, e), life_of(l, e))) {
        cache_fill_unref(l->got.fill);
        l->got.fill = NULL;
        l->ex->said.is_request = true;
        if (l->got.part == CACHE_FOLLOW)
            drop_entry(l);            /* a head without its body */
        if (l->wanted.only_if_cached)
            return answer_only_if_cached(l);
        return fetch(l);
    }
    if (l->got.part == CACHE_FOLLOW && !(coming = cache_entered_follow(&l->got, l->ex->arena, l->ex->services->loop)))
        return l->wanted.only_if_cached ? answer_only_if_cached(l) : fetch(l);
    if (l->got.flight && !start_refresh(l))
        end_flight(l, FLIGHT_FAILED);
    l->got.entry = NULL;
    return serve(l, e, coming, outcome_of(&l->got));
}

static bool
look_up(struct lookup *l)
{
    struct exchange *ex = l->ex;
    struct cache_request request = {request_field, l->client};
    struct cache_enter how = {
        .request = &request, .loop = ex->services->loop, .may_refresh = true, .wants_stale = true,
        .wait_ms = l->settings->collapse ? l->settings->collapse_wait_ms : 0,
        .may_lead = !l->is_head && !l->has_range && !l->wanted.no_store && !l->wanted.must_validate && !l->wanted.only_if_cached,
        .ahead_percent = (uint8_t)l->settings->ahead_percent,
    };
    bool ok;

    cache_report_look(ex, &l->storing.place, &l->storing.key, &request, &l->storing.address, STR_NONE);
    storing_enter(ex, &l->storing.place, &l->storing.key, &how, &l->storing.address, &l->got);
    cache_report_found(ex, &l->got);
    if (l->got.part <= CACHE_FOLLOW) {
        ok = serve_found(l);
    } else if (takes_stale(l)) {
        struct cache_entry *e = l->got.entry;
        l->got.entry = NULL;
        end_flight(l, FLIGHT_LANDED);
        ok = serve(l, e, NULL, CACHE_OUTCOME_STALE);
    } else {
        ok = l->wanted.only_if_cached ? answer_only_if_cached(l) : fetch(l);
    }
    drop_entry(l);
    return ok;
}

/* --- unsafe requests ----------------------------------------------------------------------------------------------- */

struct drops {
    cache_scope_id scopes[32];
    uint32_t n;
};

static void
add_drop(struct drops *d, cache_scope_id id)
{
    if (d->n < COUNTOF(d->scopes))
        d->scopes[d->n++] = id;
}

static void
drop_group(void *ctx, struct str group)
{
    add_drop(ctx, cache_scope(SCOPE_GROUP, group));
}

static bool
is_one_place(const struct url *a, const struct url *b)
{
    return str_eq_nocase(a->host, b->host) && a->port == b->port;
}

/* An address that the answer names, when it lies where the request went (4.4), or where its client sent it. */
static void
drop_named(struct exchange *ex, enum http_field_id id, const struct url *asked, struct drops *d)
{
    struct str text = http_headers_get(ex->response->headers, id);
    struct url named;

    if (!text.len || !url_resolve(ex->arena, asked, text, &named) ||
        (!is_one_place(&named, asked) && !is_one_place(&named, &ex->original_url)))
        return;
    add_drop(d, cache_scope_path(named.path));
}

static bool
forward_unsafe(struct exchange *ex, const struct attempt *conf)
{
    struct drops d = {0};
    struct url asked;

    exchange_request_url(ex, &asked);
    if (!attempt_run(ex, conf))
        return false;
    if (ex->response->status < 200 || ex->response->status >= 400)
        return true;
    add_drop(&d, cache_scope_path(ex->original_url.path));
    add_drop(&d, cache_scope_path(asked.path));
    drop_named(ex, HTTP_LOCATION, &asked, &d);
    drop_named(ex, HTTP_CONTENT_LOCATION, &asked, &d);
    cache_groups_of(ex->response->headers, STR("Cache-Group-Invalidation"), ex->api->root_name, drop_group, &d);
    tiers_purge(ex->services->tiers, &(struct purge_order){.scopes = d.scopes, .n = d.n, .what = asked.path,
                                                           .by = ex->request.method}, NULL);
    return true;
}

bool
http_cache_run(struct exchange *ex, const struct attempt *conf)
{
    struct lookup l = {.ex = ex, .conf = conf, .settings = &ex->api->settings.cache, .client = ex->request.headers};
    struct http_headers *h = ex->request.headers;

    l.is_head = str_eq_lit(ex->request.method, "HEAD");
    ex->said.bypass = CACHE_BYPASS_METHOD;
    if (!http_method_is_safe(ex->request.method))
        return forward_unsafe(ex, conf);
    if ((!l.is_head && !str_eq_lit(ex->request.method, "GET")) || !content_is_empty(ex->request.content))
        return attempt_run(ex, conf);
    ex->said.bypass = CACHE_BYPASS_CONDITION;
    if (http_headers_has(h, HTTP_IF_MATCH) || http_headers_has(h, HTTP_IF_UNMODIFIED_SINCE))
        return attempt_run(ex, conf);
    ex->said.bypass = CACHE_BYPASS_AUTHORIZATION;
    if (strict_keying_is_own(ex, HTTP_AUTHORIZATION))
        return attempt_run(ex, conf);
    l.has_range = http_headers_has(h, HTTP_RANGE);
    if (l.settings->client_directives)
        cache_wanted_of(h, &l.wanted);
    else
        l.wanted = (struct cache_wanted){.max_age_s = -1, .min_fresh_s = -1, .max_stale_s = -1};
    return make_key(&l) ? look_up(&l) : attempt_run(ex, conf);
}
