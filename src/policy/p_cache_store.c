/* p_cache_store.c: <cache-store duration="60" cache-response="true" />
 * Stores the answer under the key that cache-lookup built. A body on its way is stored as it passes; it becomes an entry
 * when its end has come, never before.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/body.h"
#include "http/headers.h"
#include "http/message.h"
#include "model/api.h"
#include "policy/compile.h"
#include "policy/response_cache.h"
#include "rt/loop.h"

struct cache_store {
    struct pvalue duration, cache_response;
    bool any_status;              /* inside a when that looks at the status: that decides */
};

static const struct attr_def attrs[] = {
    VALUE_U32(struct cache_store, duration, "duration", .required = true, .about = "Seconds the answer is kept; 0: not at all."),
    VALUE_BOOL(struct cache_store, cache_response, "cache-response",
               .about = "true stores any status, false none; left out, 200 alone is stored."),
    ATTR_END
};

/* A body on its way through. */
struct filling {
    struct cache_tiers *tiers;
    struct cache_place place;
    struct cache_fill *fill;      /* NULL once it has ended */
    int64_t length;               /* of the body, or -1 */
    uint64_t seen;
    struct cache_item item;
    struct cache_scopes scopes;
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

/* Why this answer may not be stored; CACHE_STORED when it may. */
static enum cache_refusal
refusal_of(const struct reply *r)
{
    if (r->status == 206 || r->status == 304)
        return CACHE_REFUSED_PARTIAL;
    if (http_headers_has(r->headers, HTTP_SET_COOKIE))
        return CACHE_REFUSED_SET_COOKIE;
    if (http_list_has(http_headers_get(r->headers, HTTP_VARY), STR("*")))
        return CACHE_REFUSED_VARY_STAR;
    if (str_starts_with_nocase(http_headers_get(r->headers, HTTP_CONTENT_TYPE), STR("text/event-stream")))
        return CACHE_REFUSED_STREAM;
    return CACHE_STORED;
}

/* --- what ---------------------------------------------------------------------------------------------------------- */

static void
add_scopes(struct exchange *ex, const struct cache_intent *intent, struct cache_scopes *scopes)
{
    if (ex->api)
        cache_scopes_add(scopes, cache_scope(SCOPE_API, ex->api->root_name));
    cache_scopes_add_path(scopes, ex->original_url.path, ex->original_url.query);
    if (!str_eq(intent->path, ex->original_url.path))
        cache_scopes_add_path(scopes, intent->path, ex->request.query);
}

/* The fields that the backend's Vary names, with the values this request had. */
static struct str
vary_of(struct exchange *ex, const struct cache_intent *intent, const struct reply *r)
{
    struct buf b = buf_in(ex->arena);
    struct str list = http_headers_get_joined(r->headers, STR("Vary")), name;

    while (intent->request_headers && list.p && http_list_next(&list, &name))
        cache_vary_add(&b, name, http_headers_get_joined(intent->request_headers, name));
    return b.len ? buf_str(&b) : STR("");
}

static bool
make_item(struct exchange *ex, const struct cache_intent *intent, uint32_t duration_s, struct filling *f)
{
    struct buf head = buf_in(ex->arena);
    uint64_t now_ms = response_now_ms(ex);

    add_scopes(ex, intent, &f->scopes);
    f->item = (struct cache_item){
        .key = intent->key, .vary = vary_of(ex, intent, ex->response), .scopes = &f->scopes, .born = intent->born,
        .stored_ms = now_ms, .expires_ms = now_ms + (uint64_t)duration_s * 1000, .status = ex->response->status,
    };
    if (!response_head_encode(&head, ex->response))
        return false;
    f->item.head = buf_str(&head);
    return true;
}

/* --- how ----------------------------------------------------------------------------------------------------------- */

static void
end_fill(struct filling *f, bool is_complete)
{
    struct cache_fill *fill = f->fill;

    f->fill = NULL;
    if (fill && is_complete)
        tiers_fill_commit(f->tiers, &f->place, fill, &f->item, NULL, NULL);
    else
        cache_fill_abort(fill);
}

/* With its last byte a body of known length is complete: whoever sends it need not read on to its end. */
static bool
on_piece(void *ctx, struct str piece)
{
    struct filling *f = ctx;
    bool ok = cache_fill_add(f->fill, piece);

    f->seen += piece.len;
    if (ok && f->length >= 0 && f->seen == (uint64_t)f->length)
        end_fill(f, true);
    return ok && f->fill;
}

static void
on_end(void *ctx, int status)
{
    end_fill(ctx, status == IO_EOF);
}

/* The request ends and the body was given up on the way. */
static void
give_up(void *filling)
{
    end_fill(filling, false);
}

/* Puts a tee into the answer's body. */
static bool
store_stream(struct exchange *ex, struct filling *f)
{
    struct content *content = &ex->response->content;
    struct body *tee = body_tee(ex->arena, content->stream, on_piece, on_end, f);

    if (!tee || !arena_defer(ex->arena, give_up, f))
        return false;
    f->fill = tiers_fill_begin(f->tiers);
    f->length = content->stream->length;
    content->stream = tee;
    return true;
}

static bool
store_bytes(struct exchange *ex, struct filling *f)
{
    struct str bytes;

    if (!content_read(ex, &ex->response->content, true, &bytes, NULL))
        return false;
    return tiers_store(f->tiers, &f->place, &f->item, bytes, NULL);
}

static bool
store(struct exchange *ex, struct cache_intent *intent, uint32_t duration_s)
{
    struct filling *f = arena_new(ex->arena, struct filling);
    struct content *content = &ex->response->content;
    struct err err;

    if (!f || !make_item(ex, intent, duration_s, f))
        return false;
    f->tiers = ex->services->tiers;
    f->place = intent->place;
    /* A later step that takes the body out of the way would cut the tee off. */
    if (content->state == CONTENT_STREAM && plan_touches_answer_body(ex->plan) && !content_buffer(ex, content, &err))
        return false;
    return content->state == CONTENT_STREAM ? store_stream(ex, f) : store_bytes(ex, f);
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

/* An unsafe request that succeeded: what was stored for its path and the collection above is no longer true. */
static void
drop_written(struct exchange *ex)
{
    struct str path = ex->original_url.path;
    uint16_t status = ex->response->status;

    if (http_method_is_safe(http_method_from(ex->request.method)) || status < 200 || status >= 400)
        return;
    response_purge(ex, path, STR_NONE);
    response_purge(ex, parent_path(path), STR_NONE);
    if (is_action(ex))
        response_purge(ex, parent_path(parent_path(path)), STR_NONE);
}

/* --- the step ------------------------------------------------------------------------------------------------------ */

static enum flow
run_in_outbound(const struct cache_store *s, struct exchange *ex)
{
    struct cache_intent *intent = ex->cache;
    uint32_t duration_s;
    bool is_wanted;

    if (!ex->services->tiers || !exchange_response(ex))
        return FLOW_NEXT;
    if (!pvalue_u32(ex, &s->duration, &duration_s))
        return FLOW_ERROR;
    if (duration_s == 0) {
        drop_written(ex);
        return FLOW_NEXT;
    }
    if (!intent || intent->is_stored || !intent->is_store_allowed)
        return FLOW_NEXT;
    if (!is_storable_status(s, ex, &is_wanted))
        return FLOW_ERROR;
    enum cache_refusal why = is_wanted ? refusal_of(ex->response) : CACHE_REFUSED_STATUS;
    if (why != CACHE_STORED) {
        tiers_count_refusal(ex->services->tiers, why);
        return FLOW_NEXT;
    }
    intent->is_stored = true;
    if (store(ex, intent, duration_s))
        response_set_downstream(ex, ex->response, intent, duration_s);
    return FLOW_NEXT;
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
