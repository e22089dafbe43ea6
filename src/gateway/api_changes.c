/* api_changes.c: which APIs a publish has changed, and the purge of what is cached of them.
 *
 *     fingerprint   = address, operations, files | documents: global, workspace, products, API, operations
 *     a document    = its text | values of {{names}} | fragments it includes, likewise | backends, schemas if it names any
 * Too much in it costs misses, too little would leave answers of another configuration: where a name cannot be followed,
 * everything it might mean counts.
 * The purge runs on a fiber of the first worker, as the way into a shared cache belongs to the workers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/api_changes.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/vec.h"
#include "cache/tiers.h"
#include "gateway/warming.h"
#include "gateway/worker.h"
#include "model/model.h"
#include "rt/fiber.h"

#define FRAGMENT_DEPTH_MAX 8          /* of fragments in fragments; deeper ones do not load */

/* --- what a document depends on ------------------------------------------------------------------------------------ */

static uint64_t
hash_source(const struct source *s)
{
    return s ? hash_str(s->text) : 1;
}

static void
mix_str(uint64_t *h, struct str s)
{
    *h = hash_mix(*h, s.len ? hash_str(s) : 2);
}

static uint64_t
hash_backends(const struct model *m)
{
    uint64_t h = m->n_backends;

    for (uint32_t i = 0; i < m->n_backends; i++) {
        mix_str(&h, m->backends[i].name);
        mix_str(&h, m->backends[i].url);
        h = hash_mix(h, hash_source(m->backends[i].information));
    }
    return h;
}

static uint64_t
hash_schemas(const struct model *m)
{
    uint64_t h = m->n_schemas;

    for (uint32_t i = 0; i < m->n_schemas; i++) {
        mix_str(&h, m->schemas[i].name);
        h = hash_mix(h, hash_source(m->schemas[i].source));
    }
    return h;
}

/* The values of {{names}} in a text. */
static uint64_t
hash_values(const struct model *m, const struct workspace *w, struct str text)
{
    uint64_t h = 3;
    ptrdiff_t at = 0, end;

    while ((at = str_find(text, STR("{{"), (size_t)at)) >= 0 && (end = str_find(text, STR("}}"), (size_t)at)) >= 0) {
        struct str name = str_trim(str_sub(text, (size_t)at + 2, (size_t)end));
        const struct named_value *v = model_find_named_value(m, name, w);

        if (v)
            mix_str(&h, v->value.value);
        at += 2;
    }
    return h;
}

static uint64_t hash_document(const struct model *m, const struct workspace *w, const struct source *source, unsigned depth);

static uint64_t
hash_all_fragments(const struct model *m, const struct workspace *w, unsigned depth)
{
    uint64_t h = m->n_fragments;

    for (uint32_t i = 0; i < m->n_fragments; i++) {
        mix_str(&h, m->fragments[i].name);
        h = hash_mix(h, hash_document(m, w, m->fragments[i].policy, depth));
    }
    return h;
}

/* What stands between the next quotes. */
static struct str
quoted_after(struct str text, size_t from)
{
    while (from < text.len && text.p[from] != '"' && text.p[from] != '\'')
        from++;
    if (from >= text.len)
        return STR("");
    ptrdiff_t end = str_find_char(text, text.p[from], from + 1);
    return end < 0 ? STR("") : str_sub(text, from + 1, (size_t)end);
}

static uint64_t
hash_fragments(const struct model *m, const struct workspace *w, struct str text, unsigned depth)
{
    struct str attribute = STR("fragment-id");
    uint64_t h = 4;
    ptrdiff_t at = 0;

    if (depth == FRAGMENT_DEPTH_MAX)
        return h;
    while ((at = str_find(text, attribute, (size_t)at)) >= 0) {
        at += (ptrdiff_t)attribute.len;
        const struct fragment *f = model_find_fragment(m, quoted_after(text, (size_t)at), w);

        if (!f)                       /* a named value, or an entity in it */
            return hash_mix(h, hash_all_fragments(m, w, FRAGMENT_DEPTH_MAX));
        h = hash_mix(h, hash_document(m, w, f->policy, depth + 1));
    }
    return h;
}

static uint64_t
hash_document(const struct model *m, const struct workspace *w, const struct source *source, unsigned depth)
{
    uint64_t h = hash_source(source);

    if (!source)
        return h;
    h = hash_mix(h, hash_values(m, w, source->text));
    h = hash_mix(h, hash_fragments(m, w, source->text, depth));
    if (str_find(source->text, STR("backend-id"), 0) >= 0)
        h = hash_mix(h, hash_backends(m));
    if (str_find(source->text, STR("schema-id"), 0) >= 0)
        h = hash_mix(h, hash_schemas(m));
    return h;
}

/* --- an API -------------------------------------------------------------------------------------------------------- */

static uint64_t
hash_operations(const struct model *m, const struct api *api)
{
    uint64_t h = api->n_operations;

    for (uint32_t i = 0; i < api->n_operations; i++) {
        const struct operation *op = &api->operations[i];

        mix_str(&h, op->name);
        mix_str(&h, op->method);
        mix_str(&h, op->url_template);
        h = hash_mix(h, hash_document(m, api->workspace, op->policy, 0));
    }
    return h;
}

uint64_t
api_fingerprint(const struct model *m, const struct api *api)
{
    uint64_t h = hash_mix(api->kind, (uint64_t)api->protocols << 2 | (uint64_t)api->is_current << 1 | api->is_subscription_required);

    mix_str(&h, api->prefix);
    mix_str(&h, api->service_url);
    mix_str(&h, api->problem);
    h = hash_mix(h, hash_source(api->information));
    h = hash_mix(h, hash_source(api->specification));
    h = hash_mix(h, hash_operations(m, api));
    h = hash_mix(h, hash_document(m, api->workspace, api->policy, 0));
    h = hash_mix(h, hash_document(m, NULL, m->policy, 0));
    if (api->workspace)
        h = hash_mix(h, hash_document(m, api->workspace, api->workspace->policy, 0));
    for (uint32_t i = 0; i < api->n_products; i++) {
        mix_str(&h, api->products[i]->name);
        h = hash_mix(h, hash_document(m, api->products[i]->workspace, api->products[i]->policy, 0));
    }
    return h;
}

/* --- the purge ----------------------------------------------------------------------------------------------------- */

struct change {
    struct str name;                  /* the root's; malloc, as it outlives the models */
    uint32_t warm_rate;               /* 0: it is dropped, and no more */
};

struct changes {
    struct worker *worker;            /* where it runs */
    VEC(struct change) apis;
};

static void
delete_changes(struct changes *c)
{
    for (size_t i = 0; i < c->apis.n; i++)
        free((char *)c->apis.v[i].name.p);
    vec_free(&c->apis);
    free(c);
}

/* Revisions share a scope, and come one after the other. */
static void
add_change(struct changes *c, const struct api *api, bool is_there)
{
    const struct cache_settings *s = &api->settings.cache;
    struct str root_name = api->root_name;

    for (size_t i = 0; i < c->apis.n; i++)
        if (str_eq(c->apis.v[i].name, root_name))
            return;
    *vec_push(&c->apis) = (struct change){str_from(xstrndup(root_name.p, root_name.len), root_name.len),
                                          is_there && s->on_publish == ON_PUBLISH_WARM ? s->warm_rate : 0};
}

static bool
wants_purge(const struct api *api)
{
    return api->settings.cache.on_publish != ON_PUBLISH_KEEP;
}

static const struct api *
same_api(const struct model *m, const struct api *api)
{
    for (uint32_t i = 0; i < m->n_apis; i++)
        if (str_eq(m->apis[i].name, api->name))
            return &m->apis[i];
    return NULL;
}

static void
find_changes(struct changes *c, const struct model *before, const struct model *now)
{
    for (uint32_t i = 0; i < now->n_apis; i++) {
        const struct api *api = &now->apis[i], *old = wants_purge(api) ? same_api(before, api) : NULL;

        if (wants_purge(api) && (!old || api_fingerprint(before, old) != api_fingerprint(now, api)))
            add_change(c, api, true);
    }
    for (uint32_t i = 0; i < before->n_apis; i++)
        if (wants_purge(&before->apis[i]) && !same_api(now, &before->apis[i]))
            add_change(c, &before->apis[i], false);
}

static void
purge(void *arg)
{
    struct changes *c = arg;
    struct worker *w = c->worker;

    for (size_t i = 0; i < c->apis.n; i++) {
        struct buf what AUTO(buf_destroy) = BUF_INIT;
        const struct change *change = &c->apis.v[i];
        cache_scope_id scopes[] = {cache_scope(SCOPE_API, change->name), cache_scope_unowned()};
        struct purge_receipt receipt;

        buf_printf(&what, "api %.*s", STR_ARG(change->name));
        tiers_purge(w->tiers, &(struct purge_order){.scopes = scopes, .n = COUNTOF(scopes), .what = buf_str(&what),
                                                    .by = STR("publish")}, &receipt);
        if (change->warm_rate)
            warming_start(w, change->name, change->warm_rate);
    }
    w->detached--;
    delete_changes(c);
}

static void
start_purge(struct worker *w, void *arg)
{
    struct changes *c = arg;

    if (w->index != 0)
        return;
    c->worker = w;
    w->detached++;
    if (fiber_start(w->loop, purge, c, NULL))
        return;
    w->detached--;
    for (size_t i = 0; i < c->apis.n; i++)
        cache_purge(tiers_memory(w->tiers), (cache_scope_id[]){cache_scope(SCOPE_API, c->apis.v[i].name), cache_scope_unowned()}, 2,
                    false, NULL);
    log_error("no room to drop the cached answers of %zu changed APIs from the shared cache", c->apis.n);
    delete_changes(c);
}

void
api_changes_purge(struct gateway *g, const struct model *before, const struct model *now)
{
    struct changes *c = xnew(struct changes);

    find_changes(c, before, now);
    if (c->apis.n && g->n_workers)
        gateway_on_each_worker(g, start_purge, c);
    else
        delete_changes(c);
}
