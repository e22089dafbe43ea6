/* p_cache_lookup.c: <cache-lookup vary-by-developer="false" vary-by-developer-groups="false"> <vary-by-header>Accept</...>
 * A hit answers from the cache: the rest of inbound and all of backend are skipped, outbound goes on behind the matching
 * cache-store. A miss remembers the key for that cache-store.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/advice.h"
#include "cache/flight.h"
#include "exchange/cache_report.h"
#include "http/headers.h"
#include "model/access.h"
#include "model/api.h"
#include "observe/metrics.h"
#include "policy/cache_choices.h"
#include "policy/compile.h"
#include "policy/response_cache.h"

struct vary {
    struct pvalue name;
};

struct cache_lookup {
    struct pvalue by_developer, by_groups, downstream, must_revalidate, allow_private;
    int caching_type;
    struct children headers, queries, customs;    /* struct vary */
    bool varies_by_authorization, varies_by_cookie;
    uint8_t custom_reads;             /* enum caller_source */
};

static const struct choice downstreams[] = {
    {"none", DOWNSTREAM_NONE}, {"private", DOWNSTREAM_PRIVATE}, {"public", DOWNSTREAM_PUBLIC}, {NULL},
};

static const struct attr_def header_attrs[] = {
    VALUE_STR(struct vary, name, "", .required = true, .is_header_name = true, .about = "Name of a header."), ATTR_END
};
static const struct attr_def query_attrs[] = {
    VALUE_STR(struct vary, name, "", .is_literal = true, .about = "Name of a query parameter; several are separated by ';', * is all."), ATTR_END
};
static const struct attr_def custom_attrs[] = {
    VALUE_STR(struct vary, name, "", .required = true, .about = "Any text; becomes part of the key."), ATTR_END
};

static const struct attr_def attrs[] = {
    VALUE_BOOL(struct cache_lookup, by_developer, "vary-by-developer", .fallback = "false",
               .about = "Keep entries apart by the owner of the subscription."),
    VALUE_BOOL(struct cache_lookup, by_groups, "vary-by-developer-groups", .fallback = "false",
               .about = "Keep entries apart by the owner's groups."),
    ATTR_CHOICE(struct cache_lookup, caching_type, "caching-type", caching_types, .fallback = "prefer-external",
                .about = "Which cache: internal, external, prefer-external."),
    VALUE_CHOICE(struct cache_lookup, downstream, "downstream-caching-type", downstreams, .fallback = "none",
                 .about = "What Cache-Control tells the client: none, private, public."),
    VALUE_BOOL(struct cache_lookup, must_revalidate, "must-revalidate", .fallback = "true",
               .about = "Adds must-revalidate for the client."),
    VALUE_BOOL(struct cache_lookup, allow_private, "allow-private-response-caching", .fallback = "false",
               .about = "Also for requests that carry Authorization."),
    ATTR_END
};

static const struct child_def children[] = {
    {.name = "vary-by-header", .offset = offsetof(struct cache_lookup, headers), .size = sizeof(struct vary),
     .attrs = header_attrs, .about = "The header's value is part of the key."},
    {.name = "vary-by-query-parameter", .offset = offsetof(struct cache_lookup, queries), .size = sizeof(struct vary),
     .attrs = query_attrs, .about = "Only these query parameters, and those of the operation's template, are part of the "
                                    "key; without one all are."},
    {.name = "vary-by-custom", .offset = offsetof(struct cache_lookup, customs), .size = sizeof(struct vary),
     .attrs = custom_attrs, .is_extension = true, .about = "The text is part of the key."},
    CHILD_END
};

/* --- the key ------------------------------------------------------------------------------------------------------- */

#define QUERY_NAMES_MAX 64

/* The query parameters that count; false when all do. */
static bool
query_names(const struct cache_lookup *l, struct exchange *ex, struct str *names, uint32_t *ret_n)
{
    uint32_t n = 0;

    CHILDREN(&l->queries, struct vary, v) {
        struct str rest = v->name.text, one;

        if (v->name.program)
            continue;
        while (str_split_next(&rest, ';', &one)) {
            one = str_trim(one);
            if (str_eq_lit(one, "*"))
                return false;
            if (one.len && n < QUERY_NAMES_MAX)
                names[n++] = one;
        }
    }
    if (n == 0)
        return false;
    for (uint32_t i = 0; ex->operation && i < ex->operation->n_template_parameters && n < QUERY_NAMES_MAX; i++)
        if (ex->operation->parameters[i].place == PARAMETER_QUERY)
            names[n++] = ex->operation->parameters[i].name;
    *ret_n = n;
    return true;
}

static void
add_query(const struct cache_lookup *l, struct exchange *ex, struct buf *b)
{
    struct str names[QUERY_NAMES_MAX];
    uint32_t n = 0;

    if (query_names(l, ex, names, &n))
        cache_key_add_query(b, ex->request.query, names, n, ex->arena);
    else
        cache_key_add_query(b, ex->request.query, NULL, 0, ex->arena);
}

/* By name, as they are a set. */
static bool
add_groups(struct exchange *ex, struct buf *b)
{
    uint32_t n = ex->user ? ex->user->n_groups : 0;
    struct str *names = arena_new_array(ex->arena, struct str, n + 1);

    if (!names)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        struct str name = ex->user->groups[i]->name;
        uint32_t at = i;

        for (; at > 0 && str_cmp(names[at - 1], name) > 0; at--)
            names[at] = names[at - 1];
        names[at] = name;
    }
    for (uint32_t i = 0; i < n; i++)
        cache_key_add(b, names[i]);
    return true;
}

static bool
add_people(const struct cache_lookup *l, struct exchange *ex, struct cache_intent *intent, struct buf *b)
{
    bool by_developer, by_groups;

    if (!pvalue_bool(ex, &l->by_developer, &by_developer) || !pvalue_bool(ex, &l->by_groups, &by_groups))
        return false;
    if (by_developer)
        cache_key_add(b, ex->user ? ex->user->name : STR_NONE);
    if (by_groups && !add_groups(ex, b))
        return false;
    intent->is_key_personal = by_developer || by_groups || l->varies_by_authorization || l->varies_by_cookie || l->customs.n;
    return true;
}

/* A part of the key, and whether it comes from the caller's token, if need be by way of variables that were made of it. */
static bool
add_custom(struct exchange *ex, const struct pvalue *part, struct cache_intent *intent, struct buf *b)
{
    uint8_t before = ex->step_sources;

    ex->step_sources = 0;
    if (!pvalue_str(ex, part, &intent->custom))
        return false;
    cache_key_add(b, intent->custom);
    intent->is_token_in_key |= (ex->step_sources & CALLER_TOKEN) != 0;
    ex->step_sources |= before;
    return true;
}

static bool
add_varies(const struct cache_lookup *l, struct exchange *ex, struct cache_intent *intent, struct buf *b)
{
    CHILDREN(&l->customs, struct vary, v)
        if (!add_custom(ex, &v->name, intent, b))
            return false;
    CHILDREN(&l->headers, struct vary, v) {
        struct str name;

        if (!pvalue_str(ex, &v->name, &name))
            return false;
        cache_key_add(b, name);
        cache_key_add(b, http_headers_get_joined(ex->request.headers, name));
        if (intent->keyed_fields)
            intent->keyed_fields[intent->n_keyed_fields++] = name;
    }
    return true;
}

/* The operation whose entries count: to HEAD, that of GET with the same template. */
static struct str
operation_name(const struct exchange *ex)
{
    const struct operation *own = ex->operation;

    if (!own || str_eq_lit(ex->request.method, "GET"))
        return own ? own->name : STR_NONE;
    for (uint32_t i = 0; i < ex->api->n_operations; i++) {
        const struct operation *op = &ex->api->operations[i];

        if (str_eq_lit(op->method, "GET") && str_eq(op->url_template, own->url_template))
            return op->name;
    }
    return own->name;
}

/* Two products of an API have documents of their own, which make different answers of what the backend says (robustness E10). */
static struct str
product_name(const struct exchange *ex)
{
    return ex->at->level == LEVEL_PRODUCT && ex->product ? ex->product->name : STR_NONE;
}

/* For strict keying, warming, and purges of queries; the fields' names are added as they are evaluated. */
static bool
note_keyed(const struct cache_lookup *l, struct exchange *ex, struct cache_intent *intent)
{
    if (LIKELY(!ex->received && ex->api->settings.cache.on_publish != ON_PUBLISH_WARM && l->queries.n == 0))
        return true;
    intent->keyed_fields = arena_new_array(ex->arena, struct str, l->headers.n + 1);
    intent->keyed_query = arena_new_array(ex->arena, struct str, QUERY_NAMES_MAX);
    if (!intent->keyed_fields || !intent->keyed_query)
        return false;
    intent->is_query_keyed = !query_names(l, ex, intent->keyed_query, &intent->n_keyed_query);
    return true;
}

static bool
build_key(const struct cache_lookup *l, struct exchange *ex, struct cache_intent *intent)
{
    struct buf b = buf_in(ex->arena);
    struct url url;

    if (!note_keyed(l, ex, intent))
        return false;
    exchange_request_url(ex, &url);
    intent->address = storing_address_of(ex, &url, intent->keyed_query, intent->is_query_keyed ? 0 : intent->n_keyed_query);
    buf_reserve(&b, 256);
    cache_key_begin(&b, CACHE_RESPONSE);
    intent->is_token_in_key = (l->custom_reads & CALLER_TOKEN) != 0;
    cache_key_add(&b, ex->api->name);
    cache_key_add(&b, ex->api->prefix);   /* purges name answers by it: moved elsewhere an API begins anew */
    cache_key_add(&b, operation_name(ex));
    cache_key_add(&b, product_name(ex));
    cache_key_add(&b, url.scheme);
    cache_key_add(&b, url.host);
    cache_key_add(&b, str_from((const char *)&url.port, sizeof(url.port)));
    cache_key_add(&b, url.path);
    add_query(l, ex, &b);
    if (!add_people(l, ex, intent, &b) || !add_varies(l, ex, intent, &b))
        return false;
    intent->is_key_unproven = intent->is_token_in_key && !ex->is_caller_proven &&
                              http_headers_has(ex->request.headers, HTTP_AUTHORIZATION);
    return cache_key_end(&b, &intent->key);
}

/* --- looking up ---------------------------------------------------------------------------------------------------- */

/* A warmed value that is fresh, and that a purge of this API would have reached; NULL: none. */
static struct cache_entry *
warmed_at(struct exchange *ex, const struct cache_place *place, struct str path, struct str query)
{
    struct cache_entry *found;
    struct cache_key key;

    if (!response_warm_key(ex, path, query, &key) || tiers_find(ex->services->tiers, place, &key, NULL, &found) != CACHE_HIT)
        return NULL;
    if (response_is_warmed_for(found, ex->api->root_name))
        return found;
    cache_entry_unref(found);
    return NULL;
}

/* A value stored as response-cache:<path> serves a look-up that tells nobody apart. NULL when there is none. */
static struct cache_entry *
find_warmed(const struct cache_lookup *l, struct exchange *ex, const struct cache_intent *intent)
{
    struct cache_place place = {.type = intent->place.type};
    struct cache_entry *found;
    bool by_developer, by_groups;

    if (l->customs.n || l->varies_by_authorization || !pvalue_bool(ex, &l->by_developer, &by_developer) ||
        !pvalue_bool(ex, &l->by_groups, &by_groups) || by_developer || by_groups)
        return NULL;
    found = warmed_at(ex, &place, ex->original_url.path, ex->original_url.query);
    return found ? found : warmed_at(ex, &place, intent->address.path, ex->request.query);
}

/* Whether this request takes part at all. */
static bool
is_candidate(const struct cache_lookup *l, struct exchange *ex)
{
    bool is_get = str_eq_lit(ex->request.method, "GET") || str_eq_lit(ex->request.method, "HEAD");

    return ex->services->tiers && tiers_has(ex->services->tiers, (enum caching_type)l->caching_type) && is_get &&
           content_is_empty(ex->request.content);
}

/* Requests with Authorization only when the author says so, or when the key tells their senders apart. */
static bool
is_private(const struct cache_lookup *l, struct exchange *ex, const struct cache_intent *intent, bool *ret)
{
    bool allowed;

    *ret = false;
    if (!http_headers_has(ex->request.headers, HTTP_AUTHORIZATION) || l->varies_by_authorization || intent->is_token_in_key)
        return true;
    if (!pvalue_bool(ex, &l->allow_private, &allowed))
        return false;
    *ret = !allowed;
    return true;
}

/* An expression in the key that throws: neither looked up nor stored, the request goes on. */
static enum flow
go_without(struct exchange *ex, const struct last_error *before)
{
    exchange_trace(ex, TRACE_ERROR, STR("cache-lookup"), ex->error.message);
    tiers_count_refusal(ex->services->tiers, CACHE_REFUSED_KEY);
    ex->error = *before;
    ex->said.bypass = CACHE_BYPASS_KEY;
    return FLOW_NEXT;
}

static enum flow
serve(struct exchange *ex, const struct cache_intent *intent, struct cache_entry *entry, struct body *coming,
      enum cache_outcome outcome)
{
    if (!response_serve(ex, intent, entry, coming))
        return exchange_fail(ex, "no memory left for a cached answer");
    ex->cache_outcome = (uint8_t)outcome;
    return FLOW_CACHE_HIT;
}

static void
drop_entry(void *entry)
{
    cache_entry_unref(entry);
}

/* The leader's exchange ends without a cache-store: what came is for nobody else. */
static void
end_flight(struct exchange *ex, void *arg)
{
    struct cache_intent *intent = arg;

    cache_flight_end(intent->flight, ex->error.id ? FLIGHT_FAILED : FLIGHT_SOLO, response_now_ms(ex));
    intent->flight = NULL;
}

static void
note_query(const struct cache_lookup *l, struct exchange *ex, struct cache_advice *a)
{
    struct str names[QUERY_NAMES_MAX], rest = ex->request.query, pair;
    bool is_each;
    uint32_t n = 0;

    is_each = !query_names(l, ex, names, &n);
    for (uint32_t i = 0; i < n; i++)
        is_each |= str_eq_lit(names[i], "*");
    for (uint32_t seen = 0; seen < QUERY_NAMES_MAX && str_split_next(&rest, '&', &pair); seen++) {
        ptrdiff_t equals = str_find_char(pair, '=', 0);
        struct str name = equals < 0 ? pair : str_sub(pair, 0, (size_t)equals);
        bool counts = is_each;

        for (uint32_t i = 0; i < n && !counts; i++)
            counts = cache_query_is_named(pair, names[i]);
        if (counts && name.len)
            cache_advice_miss(a, ex->api->root_name, ADVICE_QUERY, name, pair);
    }
}

/* One more key that was not there: what its parts were, for the advisor. */
static void
note_miss(const struct cache_lookup *l, struct exchange *ex, const struct cache_intent *intent)
{
    struct cache_advice *a = ex->services->advice;
    struct str api = ex->api->root_name;

    if (!a)
        return;
    note_query(l, ex, a);
    CHILDREN(&l->headers, struct vary, v)
        if (!v->name.program)
            cache_advice_miss(a, api, ADVICE_HEADER, v->name.text, http_headers_get_joined(ex->request.headers, v->name.text));
    if (l->customs.n)
        cache_advice_miss(a, api, ADVICE_CUSTOM, STR("vary-by-custom"), intent->custom);
    if (l->by_developer.literal.truth)
        cache_advice_miss(a, api, ADVICE_DEVELOPER, STR("vary-by-developer"), ex->user ? ex->user->name : STR(""));
}

/* Nothing to serve: the request goes to the backend, leading the others that want the same, or on its own. */
static enum flow
fetch(const struct cache_lookup *l, struct exchange *ex, struct cache_intent *intent, struct cache_entered *got)
{
    note_miss(l, ex, intent);
    ex->cache_outcome = CACHE_OUTCOME_MISS;
    intent->flight = got->flight;
    if (got->entry && arena_defer(ex->arena, drop_entry, got->entry)) {
        if (got->stale_ms < (uint64_t)cache_entry_error_s(got->entry) * 1000)
            intent->stale = got->entry;
    } else {
        cache_entry_unref(got->entry);
    }
    intent->is_store_allowed = str_eq_lit(ex->request.method, "GET");
    if (response_begin_miss(ex, intent) && (!intent->flight || exchange_defer(ex, end_flight, intent)))
        return FLOW_NEXT;
    end_flight(ex, intent);
    return FLOW_NEXT;
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

/* For explanations: what varies beside the address, by name. */
static struct str
parts_text(const struct cache_lookup *l, struct exchange *ex)
{
    struct buf text = buf_in(ex->arena);
    bool by_developer, by_groups;
    struct str part;

    if (!cache_report_is_wanted(ex) || !pvalue_bool(ex, &l->by_developer, &by_developer) || !pvalue_bool(ex, &l->by_groups, &by_groups))
        return STR("");
    if (by_developer)
        buf_printf(&text, ", developer %.*s", STR_ARG(ex->user ? ex->user->name : STR("(nobody)")));
    for (uint32_t i = 0; by_groups && ex->user && i < ex->user->n_groups; i++)
        buf_printf(&text, ", group %.*s", STR_ARG(ex->user->groups[i]->name));
    CHILDREN(&l->customs, struct vary, v)
        if (pvalue_str(ex, &v->name, &part))
            buf_printf(&text, ", custom %.*s", STR_ARG(part));
    CHILDREN(&l->headers, struct vary, v)
        if (pvalue_str(ex, &v->name, &part)) {
            struct str value = http_headers_get_joined(ex->request.headers, part);
            buf_printf(&text, ", header %.*s=%.*s", STR_ARG(part), STR_ARG(value.p ? value : STR("(absent)")));
        }
    return text.len ? str_skip(buf_str(&text), 2) : STR("");
}

static enum flow
look_up(const struct cache_lookup *l, struct exchange *ex, struct cache_intent *intent)
{
    const struct cache_settings *settings = &ex->api->settings.cache;
    struct cache_request request = {response_request_field, ex->request.headers};
    bool is_whole_get = str_eq_lit(ex->request.method, "GET") && !http_headers_has(ex->request.headers, HTTP_RANGE);
    struct cache_enter how = {
        .request = &request, .loop = ex->services->loop, .wait_ms = settings->collapse ? settings->collapse_wait_ms : 0,
        .may_lead = is_whole_get && plan_can_store(ex->plan), .may_refresh = plan_can_store(ex->plan), .wants_stale = true,
        .ahead_percent = (uint8_t)settings->ahead_percent,
    };
    struct cache_entered got;
    struct cache_entry *warmed;
    struct body *coming = NULL;

    cache_report_look(ex, &intent->place, &intent->key, &request, &intent->address, parts_text(l, ex));
    storing_enter(ex, &intent->place, &intent->key, &how, &intent->address, &got);
    cache_report_found(ex, &got);
    if (got.part == CACHE_FOLLOW)
        coming = cache_entered_follow(&got, ex->arena, ex->services->loop);
    if (got.part <= CACHE_FOLLOW) {
        if (got.flight)
            response_refresh(ex, intent, got.flight);
        return serve(ex, intent, got.entry, coming, outcome_of(&got));
    }
    warmed = find_warmed(l, ex, intent);
    if (!warmed)
        return fetch(l, ex, intent, &got);
    cache_entry_unref(got.entry);
    cache_flight_end(got.flight, FLIGHT_LANDED, response_now_ms(ex));
    return serve(ex, intent, warmed, NULL, CACHE_OUTCOME_WARMED);
}

static bool
is_same(const struct cache_intent *a, const struct cache_intent *b)
{
    return a->key.hash.lo == b->key.hash.lo && str_eq(a->key.bytes, b->key.bytes);
}

/* A look-up of an outer scope has missed before this one: what comes is stored under the inner one's key. Whoever waits for the outer
 * one's fetch must not wait for us, least of all this request. False when both are the same: it has been looked up already. */
static bool
take_over(struct exchange *ex, const struct cache_intent *intent)
{
    struct cache_intent *outer = ex->cache;

    if (LIKELY(!outer))
        return true;
    if (is_same(outer, intent) && outer->place.type == intent->place.type)
        return false;
    cache_flight_end(outer->flight, is_same(outer, intent) ? FLIGHT_LANDED : FLIGHT_SOLO, response_now_ms(ex));
    outer->flight = NULL;
    return true;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct cache_lookup *l = conf;
    struct last_error before = ex->error;
    struct cache_intent *intent;
    bool is_hidden;
    int downstream;

    if (ex->is_detached || !is_candidate(l, ex)) {
        ex->said.bypass = ex->services->tiers && !tiers_has(ex->services->tiers, (enum caching_type)l->caching_type)
                              ? CACHE_BYPASS_NO_EXTERNAL : CACHE_BYPASS_METHOD;
        return FLOW_NEXT;
    }
    intent = arena_new(ex->arena, struct cache_intent);
    if (!intent || !build_key(l, ex, intent) || !is_private(l, ex, intent, &is_hidden) ||
        !pvalue_enum(ex, &l->downstream, downstreams, &downstream) ||
        !pvalue_bool(ex, &l->must_revalidate, &intent->must_revalidate))
        return go_without(ex, &before);
    if (is_hidden) {
        ex->said.bypass = CACHE_BYPASS_AUTHORIZATION;
        return FLOW_NEXT;
    }
    intent->downstream = (uint8_t)downstream;
    intent->place = (struct cache_place){(enum caching_type)l->caching_type, .owner = ex->api->root_name};
    return take_over(ex, intent) ? look_up(l, ex, intent) : FLOW_NEXT;
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    struct cache_lookup *l = conf;

    bool takes_authorization = l->allow_private.program || l->allow_private.literal.truth;

    CHILDREN(&l->headers, struct vary, v) {
        l->varies_by_authorization |= str_eq_nocase(v->name.text, STR("Authorization"));
        l->varies_by_cookie |= str_eq_nocase(v->name.text, STR("Cookie"));
    }
    CHILDREN(&l->customs, struct vary, v)
        if (v->name.program)
            l->custom_reads |= caller_sources(v->name.text);
    leak_guard_lookup(c, n, l->by_developer.program || l->by_developer.literal.truth || l->by_groups.program ||
                      l->by_groups.literal.truth || l->varies_by_authorization || l->varies_by_cookie || l->customs.n,
                      l->custom_reads, takes_authorization);
    CHILDREN(&l->queries, struct vary, q)
        if (q->name.program)
            return compile_error(c, n, "vary-by-query-parameter takes names, not an expression");
    for (const struct node *k = n->next; k; k = k->next)
        if (str_eq_lit(k->name, "base"))
            compile_warning(c, n, "on a hit what stands behind it does not run: <base />, with the checks and limits it brings");
    /* Azure needs both attributes; real documents leave them out. */
    if (c->in->is_strict && (!node_attr(n, "vary-by-developer") || !node_attr(n, "vary-by-developer-groups")))
        return compile_strict(c, n, "Azure needs vary-by-developer and vary-by-developer-groups");
    return true;
}

const struct policy_def policy_cache_lookup = {
    .name = "cache-lookup", .sections = IN_INBOUND, .scopes = AT_ALL, .once = true, .not_in_fragment = true,
    .attrs = attrs, .children = children, .size = sizeof(struct cache_lookup), .compile = compile, .run = run,
    .summary = "Answers from the cache when a matching answer was stored.",
    .usage = "For GET and HEAD without a body; others pass. On a hit outbound goes on behind the matching cache-store.\n"
             "Requests with Authorization take no part unless allow-private-response-caching is true or the key holds the "
             "header (vary-by-header) or a part of it (vary-by-custom).\nA failing cache never fails the request.",
};
