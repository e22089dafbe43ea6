/* p_cache_store_value.c: <cache-store-value key="k" value="@(...)" duration="60" />
 * Keeps a value of any type that has an encoding. A key response-cache:<path[?query]> makes a response of it, which
 * cache-lookup can hit.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/context.h"
#include "exchange/stored_reply.h"
#include "exchange/storing.h"
#include "expr/program.h"
#include "http/headers.h"
#include "policy/cache_choices.h"
#include "policy/response_cache.h"
#include "policy/value_cache.h"

struct cache_store_value {
    struct pvalue key, value, duration;
    int caching_type;
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct cache_store_value, key, "key", .required = true, .about = "Name of the value."),
    VALUE_ANY(struct cache_store_value, value, "value", .required = true, .about = "The value; null stores nothing."),
    VALUE_U32(struct cache_store_value, duration, "duration", .required = true, .about = "Seconds it is kept; 0 or below: not at all."),
    ATTR_CHOICE(struct cache_store_value, caching_type, "caching-type", caching_types, .fallback = "prefer-external",
                .about = "Which cache: internal, external, prefer-external."),
    ATTR_END
};

static void
say_not_stored(struct exchange *ex, const char *why)
{
    exchange_trace(ex, TRACE_ERROR, STR("cache-store-value"), str_dup(ex->arena, str_from_c(why)));
}

/* --- response-cache:<path> ----------------------------------------------------------------------------------------- */

/* What a warmed text most likely is. */
static struct str
guess_type(struct str body)
{
    body = str_trim(body);
    if (body.len && (body.p[0] == '{' || body.p[0] == '['))
        return STR("application/json");
    if (body.len && body.p[0] == '<')
        return str_starts_with_nocase(body, STR("<!doctype html")) || str_starts_with_nocase(body, STR("<html"))
                   ? STR("text/html") : STR("application/xml");
    return STR("text/plain");
}

/* The value as a response: one as it is, anything else as the body of a 200. */
static struct reply *
as_reply(struct exchange *ex, struct object *value)
{
    struct reply *r = context_reply_of(value);
    struct call call = expr_host_call(exchange_expr_run(ex));
    struct string *text;

    if (r)
        return r;
    r = reply_new(ex);
    if (!r || !value_to_string(&call, value->type, value_unbox(value), STR_NONE, &text))
        return NULL;
    content_set(&r->content, string_str(text));
    http_headers_add_id(r->headers, HTTP_CONTENT_TYPE, STR("Content-Type"), guess_type(string_str(text)));
    return r;
}

static void
store_response(struct exchange *ex, int caching_type, struct str path, struct str query, struct object *value,
               uint32_t seconds)
{
    struct reply *r = as_reply(ex, value);
    struct buf head = buf_in(ex->arena);
    struct cache_scopes scopes = {0};
    uint64_t now_ms = response_now_ms(ex);
    struct cache_item item = {.scopes = &scopes, .born = storing_born_of_values(ex), .stored_ms = now_ms,
                              .expires_ms = now_ms + (uint64_t)seconds * 1000};
    struct cache_place place = {.type = (enum caching_type)caching_type};
    enum cache_refusal why = CACHE_STORED;
    struct str body;

    if (!r || !content_read(ex, &r->content, true, &body, NULL) || !stored_head_encode(&head, r) ||
        !response_warm_key(ex, path, query, &item.key)) {
        say_not_stored(ex, "the value cannot be stored as a response");
        return;
    }
    item.status = r->status;
    item.head = buf_str(&head);
    response_warm_scopes(ex, path, query, &scopes);
    if (!tiers_store(ex->services->tiers, &place, &item, body, &why))
        value_cache_say_refused(ex, STR("cache-store-value"), why);
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct cache_store_value *s = conf;
    struct object *value;
    struct str name, path, query;
    uint32_t seconds;

    if (!pvalue_str(ex, &s->key, &name) || !pvalue_object(ex, &s->value, &value) || !pvalue_lifetime(ex, &s->duration, &seconds))
        return FLOW_ERROR;
    if (!value || seconds == 0 || !ex->services->tiers)
        return FLOW_NEXT;
    if (response_cache_address(name, &path, &query))
        store_response(ex, s->caching_type, path, query, value, seconds);
    else
        value_cache_store(ex, STR("cache-store-value"), s->caching_type, name, value, storing_born_of_values(ex), seconds, seconds);
    return FLOW_NEXT;
}

const struct policy_def policy_cache_store_value = {
    .name = "cache-store-value", .sections = IN_ALL, .scopes = AT_ALL,
    .attrs = attrs, .size = sizeof(struct cache_store_value), .run = run,
    .summary = "Keeps a value for later requests.",
    .usage = "Null stores nothing. A value without an encoding is not stored; the trace says so.\nA key "
             "response-cache:<path?query> stores a response (200, content type guessed) that cache-lookup can hit.",
};
