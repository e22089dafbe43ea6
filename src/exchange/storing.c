/* storing.c: answers into the cache.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/storing.h"

#include "cache/flight.h"
#include "cache/freshness.h"
#include "cache/tags.h"
#include "exchange/cache_report.h"
#include "exchange/fetch.h"
#include "exchange/stored_reply.h"
#include "http/body.h"
#include "http/headers.h"
#include "model/api.h"
#include "observe/metrics.h"
#include "rt/loop.h"

uint64_t
storing_born(const struct exchange *ex)
{
    uint64_t now = tiers_generation(ex->services->tiers);

    return ex->born_max ? MIN(now, atomic_load(ex->born_max)) : now;
}

uint64_t
storing_born_of_values(const struct exchange *ex)
{
    return MIN(storing_born(ex), ex->born);
}

void
storing_has_purged(struct exchange *ex)
{
    ex->born = tiers_generation(ex->services->tiers);
}

/* --- by which address ---------------------------------------------------------------------------------------------- */

/* Whether requests of one key have come by one address: nobody has rewritten it, called a revision by its name in it, or taken parameters
 * away. */
static bool
is_told(const struct exchange *ex, const struct storing_address *a)
{
    struct str prefix = ex->api->prefix, received = ex->original_url.path, below = ex->original_request_path;

    return !a->names && str_eq(ex->request.path, below) && received.len == below.len + (prefix.len ? prefix.len + 1 : 0) &&
           str_eq(a->query, ex->original_url.query);
}

struct storing_address
storing_address_of(const struct exchange *ex, const struct url *asked, const struct str *names, uint32_t n_names)
{
    struct storing_address a = {.path = asked->path, .query = asked->query, .names = n_names ? names : NULL, .n_names = n_names};

    a.is_told = is_told(ex, &a);
    return a;
}

struct storing_address
storing_address_copy(const struct storing_address *from, struct arena *arena)
{
    struct storing_address a = *from;
    struct str *names = arena_new_array(arena, struct str, from->n_names + 1);

    a.path = names ? str_dup(arena, from->path) : STR_NONE;
    a.query = str_dup(arena, from->query);
    for (uint32_t i = 0; names && i < from->n_names; i++)
        names[i] = from->names[i];
    a.names = from->names ? names : NULL;
    a.n_names = names ? from->n_names : 0;
    return a;
}

static void
add_received(const struct exchange *ex, const struct storing_address *a, struct cache_scopes *ret)
{
    cache_scopes_add_path(ret, ex->original_url.path, ex->original_url.query);
    if (a->query.len && !a->is_told)
        cache_scopes_add(ret, cache_scope_url(ex->original_url.path, a->query, a->names, a->n_names));
}

static bool
is_purged_here(const struct exchange *ex, const struct storing_address *a, const struct cache_entry *e)
{
    struct cache_scopes here;

    if (LIKELY(a->is_told && !(cache_entry_flags(e) & ENTRY_SHARED)) || cache_is_newest(tiers_memory(ex->services->tiers), e))
        return false;
    here.n = 0;
    here.is_full = false;
    add_received(ex, a, &here);
    return !tiers_is_alive_at(ex->services->tiers, e, here.v, here.n);
}

void
storing_enter(struct exchange *ex, const struct cache_place *place, const struct cache_key *key, const struct cache_enter *how,
              const struct storing_address *address, struct cache_entered *ret)
{
    struct cache_tiers *tiers = ex->services->tiers;
    struct cache_key held = tiers_memory_key(tiers, place, key);
    bool was_purged = false;

    for (;;) {
        tiers_enter(tiers, place, key, how, ret);
        if (!ret->entry || LIKELY(!is_purged_here(ex, address, ret->entry)))
            break;
        cache_entry_unref(ret->entry);
        cache_fill_unref(ret->fill);
        *ret = (struct cache_entered){.part = ret->flight ? CACHE_FETCH : CACHE_ALONE, .verdict = CACHE_MISS_PURGED, .flight = ret->flight,
                                      .has_waited = ret->has_waited};
        if (ret->flight || was_purged)
            return;
        was_purged = true;
        cache_remove(tiers_memory(tiers), &held);
    }
    if (was_purged && ret->verdict == CACHE_MISS_ABSENT)
        ret->verdict = CACHE_MISS_PURGED;
}

/* --- what ---------------------------------------------------------------------------------------------------------- */

static void
add_tag(void *ctx, struct str tag)
{
    cache_scopes_add(ctx, cache_scope(SCOPE_TAG, tag));
}

static void
add_group(void *ctx, struct str group)
{
    cache_scopes_add(ctx, cache_scope(SCOPE_GROUP, group));
}

void
storing_scopes(const struct exchange *ex, const struct storing *s, const struct http_headers *answer, struct cache_scopes *ret)
{
    cache_scopes_add(ret, cache_scope(SCOPE_API, ex->api->root_name));
    if (ex->operation)
        cache_scopes_add(ret, cache_scope_operation(ex->api->root_name, ex->operation->name));
    add_received(ex, &s->address, ret);
    if (!str_eq(s->address.path, ex->original_url.path))
        cache_scopes_add_path(ret, s->address.path, s->address.query);
    for (uint32_t i = 0; i < s->n_tags; i++)
        add_tag(ret, s->tags[i]);
    cache_tags_of(answer, ex->api->root_name, add_tag, add_group, ret);
}

/* The fields that the answer's Vary names, with the values the request had. */
static struct str
vary_of(const struct storing *s, const struct reply *r, struct arena *arena)
{
    struct buf b = buf_in(arena);
    struct str list = http_headers_get_joined(r->headers, STR("Vary")), name;

    while (s->request && list.p && http_list_next(&list, &name))
        cache_vary_add(&b, name, vary_value(s->request, name));
    return b.len ? buf_str(&b) : STR("");
}

static bool
encode_head(const struct storing *s, const struct reply *r, struct arena *arena, struct str *ret)
{
    struct buf head = buf_in(arena);
    struct http_headers kept = http_headers_in(arena);
    struct reply chosen = *r;

    for (uint32_t i = 0; s->wants_field && i < r->headers->n; i++) {
        const struct http_field *f = &r->headers->v[i];
        if (s->wants_field(s->ctx, f) && !http_headers_add_id(&kept, (enum http_field_id)f->id, f->name, f->value))
            return false;
    }
    if (s->wants_field)
        chosen.headers = &kept;
    if (!stored_head_encode(&head, &chosen))
        return false;
    *ret = buf_str(&head);
    return true;
}

bool
storing_item(struct exchange *ex, const struct storing *s, const struct reply *r, struct arena *arena, struct cache_item *ret,
             struct cache_scopes *scopes)
{
    uint64_t now_ms = loop_now_ms(ex->services->loop);

    storing_scopes(ex, s, r->headers, scopes);
    *ret = (struct cache_item){
        .key = s->key, .scopes = scopes, .born = s->born, .stored_ms = now_ms, .expires_ms = now_ms + s->life_ms,
        .status = r->status, .age_s = s->age_s, .revalidate_s = s->revalidate_s, .error_s = s->error_s,
    };
    ret->flags = (s->must_validate ? ENTRY_MUST_VALIDATE : 0) | (s->address.is_told ? 0 : ENTRY_SHARED);
    ret->stale_until_ms = ret->expires_ms + (uint64_t)MAX(MAX(s->revalidate_s, s->error_s), s->keep_s) * 1000;
    ret->key.bytes = str_dup(arena, s->key.bytes);
    ret->vary = vary_of(s, r, arena);
    return ret->key.bytes.p && encode_head(s, r, arena, &ret->head);
}

/* --- how ----------------------------------------------------------------------------------------------------------- */

static bool
refuse(struct exchange *ex, const struct storing *s, enum cache_refusal why, enum cache_refusal *ret_why)
{
    tiers_count_refusal(ex->services->tiers, why);
    cache_flight_end(s->flight, FLIGHT_SOLO, loop_now_ms(ex->services->loop));
    if (ret_why)
        *ret_why = why;
    return false;
}

/* The rest of the answer is pumped into the cache; this exchange and those who wait read it from there. */
static bool
store_stream(struct exchange *ex, const struct storing *s, struct fetch *fetch, enum cache_refusal *ret_why)
{
    struct content *content = &ex->response->content;
    struct filling filling = {.flight = s->flight, .place = s->place, .figures = cache_report_figures(ex)};
    struct cache_scopes scopes = {0};
    struct body *own;

    if (!storing_item(ex, s, ex->response, fetch_arena(fetch), &filling.item, &scopes))
        return refuse(ex, s, CACHE_REFUSED_NO_ROOM, ret_why);
    if (scopes.is_full)
        return refuse(ex, s, CACHE_REFUSED_TAGS, ret_why);
    filling.place.owner = str_dup(fetch_arena(fetch), s->place.owner); /* it may outlast the configuration */
    filling.fill = tiers_fill_begin(ex->services->tiers, content->stream->length);
    own = cache_fill_body(filling.fill, ex->arena, ex->services->loop);
    if (!own) {
        cache_fill_abort(filling.fill);
        return refuse(ex, s, CACHE_REFUSED_NO_ROOM, ret_why);
    }
    content->stream = own;
    if (filling.flight)
        cache_flight_head(filling.flight, cache_head_new(tiers_memory(ex->services->tiers), &filling.item),
                          cache_fill_ref(filling.fill));
    fetch_fill(ex, fetch, &filling);
    return true;
}

static bool
store_bytes(struct exchange *ex, const struct storing *s, enum cache_refusal *ret_why)
{
    struct cache_scopes scopes = {0};
    struct cache_series *figures;
    struct cache_item item;
    struct str bytes;
    bool ok;

    if (!storing_item(ex, s, ex->response, ex->arena, &item, &scopes) ||
        !content_read(ex, &ex->response->content, true, &bytes, NULL))
        return refuse(ex, s, CACHE_REFUSED_NO_ROOM, ret_why);
    if (scopes.is_full)
        return refuse(ex, s, CACHE_REFUSED_TAGS, ret_why);
    ok = tiers_store(ex->services->tiers, &s->place, &item, bytes, ret_why);
    figures = cache_report_figures(ex);
    if (ok && figures)
        metric_bump(&figures->bytes_stored, bytes.len);
    cache_flight_end(s->flight, FLIGHT_LANDED, loop_now_ms(ex->services->loop));
    return ok;
}

bool
storing_run(struct exchange *ex, const struct storing *s, enum cache_refusal *ret_why)
{
    struct content *content = &ex->response->content;
    struct fetch *fetch = NULL;

    if (content->state == CONTENT_STREAM && content->stream->length > 0 &&
        (uint64_t)content->stream->length > cache_entry_max(tiers_memory(ex->services->tiers)))
        return refuse(ex, s, CACHE_REFUSED_TOO_LARGE, ret_why);
    if (content->state == CONTENT_STREAM)
        fetch = exchange_find_fetch(ex, content->stream);
    if (fetch)
        return store_stream(ex, s, fetch, ret_why);
    if (!content_buffer(ex, content, NULL))
        return refuse(ex, s, CACHE_REFUSED_ABORTED, ret_why);
    return store_bytes(ex, s, ret_why);
}
