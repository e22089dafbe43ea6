/* snapshot.c: from a model to plans.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/snapshot.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "backend/backends.h"
#include "base/hash.h"
#include "base/vec.h"
#include "observe/metrics.h"
#include "observe/outlet.h"
#include "policy/schemas.h"

#define SNAPSHOT_BYTES_MAX ((size_t)8 << 30)

struct cached_document {
    struct policy_document *document;
    uint64_t text_hash;
    bool is_used;                     /* by the publish at work; others go afterwards */
};

struct builder {
    const struct snapshot_input *in;
    struct snapshot *s;
    struct document_cache *cache;
    struct diags *diags;
    struct policy_document *global;   /* never NULL once begun */
    struct map plans;                 /* by their documents */
    bool failed;
};

/* ---- names that documents refer to ---- */

struct names {
    struct policy_names super;
    const struct model *model;
    const struct workspace *workspace;
};

static bool
find_named_value(void *ctx, struct str name, struct str *ret)
{
    struct names *n = ctx;
    const struct named_value *v = model_find_named_value(n->model, name, n->workspace);

    if (!v || !v->value.is_set) {
        *ret = v ? v->missing : STR_NONE;
        return false;
    }
    *ret = v->stand_in.p ? v->stand_in : v->value.value;
    return true;
}

static bool
has_stand_ins(const struct model *m)
{
    for (uint32_t i = 0; i < m->n_named_values; i++)
        if (m->named_values[i].stand_in.p)
            return true;
    return false;
}

static const struct source *
find_fragment(void *ctx, struct str id)
{
    struct names *n = ctx;
    const struct fragment *f = model_find_fragment(n->model, id, n->workspace);

    return f ? f->policy : NULL;
}

static bool
find_backend(void *ctx, struct str id)
{
    struct names *n = ctx;

    return model_find_backend(n->model, id, n->workspace) != NULL;
}

static bool
find_certificate(void *ctx, struct str id)
{
    struct names *n = ctx;

    return model_find_certificate(n->model, id) != NULL;
}

static bool
find_logger(void *ctx, struct str id)
{
    struct names *n = ctx;

    return model_find_logger(n->model, id) != NULL;
}

static const struct source *
find_schema(void *ctx, struct str id, bool *ret_is_xml)
{
    struct names *n = ctx;
    const struct schema_conf *s = model_find_schema(n->model, id);

    if (s)
        *ret_is_xml = s->is_xml;
    return s ? s->source : NULL;
}

static void
names_init(struct names *n, const struct model *model, const struct workspace *w)
{
    *n = (struct names){
        .super = {.ctx = n, .named_value = find_named_value, .fragment = find_fragment, .backend = find_backend,
                  .certificate = find_certificate, .logger = find_logger, .schema = find_schema,
                  .has_stand_ins = has_stand_ins(model)},
        .model = model, .workspace = w,
    };
}

/* Everything but its own text that decides how a document compiles. */
static uint64_t
fingerprint(const struct model *m, bool is_strict)
{
    uint64_t h = is_strict;

    for (uint32_t i = 0; i < m->n_named_values; i++)
        h = hash_mix(h, hash_mix(hash_str(m->named_values[i].display_name), hash_str(m->named_values[i].value.value)));
    for (uint32_t i = 0; i < m->n_fragments; i++)
        h = hash_mix(h, hash_mix(hash_str(m->fragments[i].name),
                                 m->fragments[i].policy ? hash_str(m->fragments[i].policy->text) : 0));
    for (uint32_t i = 0; i < m->n_backends; i++)
        h = hash_mix(h, hash_str(m->backends[i].name));
    for (uint32_t i = 0; i < m->n_certificates; i++)
        h = hash_mix(h, hash_str(m->certificates[i].name));
    for (uint32_t i = 0; i < m->n_schemas; i++)
        h = hash_mix(h, hash_mix(hash_str(m->schemas[i].name), hash_str(m->schemas[i].source->text)));
    for (uint32_t i = 0; i < m->n_loggers; i++)
        h = hash_mix(h, hash_str(m->loggers[i].name));
    return h;
}

/* ---- documents ---- */

void
document_cache_destroy(struct document_cache *c)
{
    for (struct map_entry *e = map_next(&c->documents, NULL); e; e = map_next(&c->documents, e)) {
        struct cached_document *d = e->value;
        policy_document_unref(d->document);
        free(d);
    }
    map_destroy(&c->documents);
}

void
document_cache_coverage(struct document_cache *c, void (*fn)(void *ctx, const struct origin *at, bool ran), void *ctx)
{
    for (struct map_entry *e = map_next(&c->documents, NULL); e; e = map_next(&c->documents, e)) {
        struct cached_document *d = e->value;
        policy_document_coverage(d->document, fn, ctx);
    }
}

static void
drop_unused(struct document_cache *c)
{
    struct map kept = MAP_INIT;

    for (struct map_entry *e = map_next(&c->documents, NULL); e; e = map_next(&c->documents, e)) {
        struct cached_document *d = e->value;
        if (d->is_used) {
            d->is_used = false;
            map_set_copy(&kept, e->key, d);
        } else {
            policy_document_unref(d->document);
            free(d);
        }
    }
    map_destroy(&c->documents);
    c->documents = kept;
}

static struct str
template_parameters_key(struct builder *b, const struct operation *op)
{
    return op ? op->url_template : STR("");
}

/* The compiled document, from the cache when text and surroundings are the same. NULL: none, or broken (then
 * b->failed is set). The cache owns it. */
static struct policy_document *
compile(struct builder *b, const struct source *source, enum level level, const struct workspace *w,
        const struct operation *op)
{
    struct str template = template_parameters_key(b, op), key;
    uint64_t text_hash;
    struct cached_document *old;
    struct names names;
    struct str *parameters = NULL;
    struct policy_input input;
    struct policy_document *document;

    if (!source)
        return NULL;
    key = str_printf(&b->s->arena, "%d %.*s", level, STR_ARG(source->name));
    text_hash = hash_mix(hash_str(source->text), hash_str(template));
    old = map_get(&b->cache->documents, key);
    if (old && old->text_hash == text_hash) {
        old->is_used = true;
        return old->document;
    }
    if (op) {
        parameters = arena_new_array(&b->s->arena, struct str, op->n_template_parameters);
        for (uint32_t i = 0; i < op->n_template_parameters; i++)
            parameters[i] = op->parameters[i].name;
    }
    names_init(&names, b->in->model, w);
    names.super.has_no_proxies = b->in->has_no_proxies;
    input = (struct policy_input){.source = source, .level = level, .env = b->in->env, .names = &names.super,
        .parameters = parameters, .n_parameters = op ? op->n_template_parameters : 0, .is_strict = b->in->is_strict, .with_coverage = b->in->with_coverage};
    document = policy_document_new(&input, b->diags);
    if (!document) {
        b->failed = true;
        return NULL;
    }
    if (!old) {
        old = xnew(struct cached_document);
        map_set_copy(&b->cache->documents, key, old);
    } else {
        policy_document_unref(old->document);
    }
    *old = (struct cached_document){document, text_hash, true};
    return document;
}

/* ---- plans ---- */

/* The plan of these documents: one, whoever asks. */
static struct plan *
make_plan(struct builder *b, struct policy_document *const documents[LEVEL_COUNT])
{
    struct str key = str_from((const char *)documents, LEVEL_COUNT * sizeof(*documents));
    struct plan *p = map_get(&b->plans, key);

    if (p)
        return p;
    p = plan_new(documents);
    map_set_copy(&b->plans, key, p);
    *vec_push(&b->s->plans) = p;
    return p;
}

static bool
is_uniform(struct plan *const *row, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        if (row[i] != row[0])
            return false;
    return true;
}

/* One plan without a product, one for each product of the API. */
static struct plan **
make_row(struct builder *b, const struct api *api, struct policy_document *api_document,
         struct policy_document *operation_document)
{
    struct plan **row = arena_new_array(&b->s->arena, struct plan *, api->n_products + 1);
    struct policy_document *documents[LEVEL_COUNT] = {
        [LEVEL_GLOBAL] = b->global, [LEVEL_API] = api_document, [LEVEL_OPERATION] = operation_document,
        [LEVEL_WORKSPACE] = api->workspace ? compile(b, api->workspace->policy, LEVEL_WORKSPACE, api->workspace, NULL) : NULL,
    };

    row[0] = make_plan(b, documents);
    for (uint32_t p = 0; p < api->n_products; p++) {
        documents[LEVEL_PRODUCT] = compile(b, api->products[p]->policy, LEVEL_PRODUCT, api->products[p]->workspace, NULL);
        row[p + 1] = documents[LEVEL_PRODUCT] ? make_plan(b, documents) : row[0];
    }
    return row;
}

static void
note_unsupported(struct api_entry *entry, struct plan *const *row, uint32_t n)
{
    for (uint32_t i = 0; i < n && !entry->unsupported.p; i++)
        entry->unsupported = plan_unsupported(row[i]);
}

/* Compiled only for APIs whose plans validate. */
static void
build_schemas(struct builder *b, const struct api *api, struct api_entry *entry)
{
    struct arena scratch AUTO(arena_destroy) = ARENA(NULL, (size_t)16 << 20);
    struct plan_pointers pointers = {0};
    bool needs = plan_needs_schemas(entry->plan, &scratch, &pointers);

    for (uint32_t p = 1; entry->plans && p <= api->n_products; p++)
        needs |= plan_needs_schemas(entry->plans[p], &scratch, &pointers);
    for (uint32_t i = 0; entry->by_operation && i < api->n_operations; i++)
        for (uint32_t p = 0; entry->by_operation[i] && p <= api->n_products; p++)
            needs |= plan_needs_schemas(entry->by_operation[i][p], &scratch, &pointers);
    if (needs)
        entry->schemas = api_schemas_new(&b->s->arena, api, pointers.v, (uint32_t)pointers.n, b->diags);
}

/* By the verbosity of the diagnostic that the log stands for. */
static uint8_t
detail_of(const struct diagnostic *d)
{
    static const struct { struct str name; uint8_t detail; } words[] = {
        {STR_INIT("error"), TRACE_DETAIL_ERRORS}, {STR_INIT("information"), TRACE_DETAIL_INFORMATION},
        {STR_INIT("verbose"), TRACE_DETAIL_ALL},
    };

    if (!str_eq_nocase(d->name, STR("azuremonitor")) && !str_eq_nocase(d->name, STR("local")))
        return TRACE_DETAIL_UNSAID;
    for (size_t i = 0; i < COUNTOF(words); i++)
        if (str_eq_nocase(words[i].name, d->verbosity))
            return words[i].detail;
    return TRACE_DETAIL_UNSAID;
}

/* The API's own diagnostic goes before the service's. */
static uint8_t
trace_detail(const struct model *m, const struct api *api)
{
    uint8_t detail = TRACE_DETAIL_UNSAID;

    for (uint32_t i = 0; i < api->n_diagnostics && detail == TRACE_DETAIL_UNSAID; i++)
        detail = detail_of(api->diagnostics[i]);
    for (uint32_t i = 0; i < m->n_diagnostics && detail == TRACE_DETAIL_UNSAID; i++)
        detail = detail_of(&m->diagnostics[i]);
    return detail;
}

static void
build_api(struct builder *b, const struct api *api)
{
    struct api_entry *entry = &b->s->apis[api->index];
    bool failed_before = b->failed;
    struct policy_document *document;

    b->failed = false;
    document = compile(b, api->policy, LEVEL_API, api->workspace, NULL);
    entry->trace_detail = trace_detail(b->in->model, api);
    entry->metrics_slot = metrics_api_slot(b->in->metrics, api->root_name);
    entry->cache_slots = arena_new_array(&b->s->arena, _Atomic uint32_t, api->n_operations + 1);
    entry->plans = make_row(b, api, document, NULL);
    entry->plan = entry->plans[0];
    entry->unsupported = api->problem;
    entry->is_broken = api->problem.p && api->problem_status == 503;
    note_unsupported(entry, entry->plans, api->n_products + 1);
    if (is_uniform(entry->plans, api->n_products + 1))
        entry->plans = NULL;
    for (uint32_t i = 0; i < api->n_operations; i++) {
        const struct operation *op = &api->operations[i];
        struct policy_document *own = compile(b, op->policy, LEVEL_OPERATION, api->workspace, op);

        if (!own)
            continue;
        if (!entry->by_operation)
            entry->by_operation = arena_new_array(&b->s->arena, struct plan **, api->n_operations);
        entry->by_operation[i] = make_row(b, api, document, own);
        note_unsupported(entry, entry->by_operation[i], api->n_products + 1);
    }
    build_schemas(b, api, entry);
    b->s->any_encoded_slash |= api->settings.allow_encoded_slash;
    if (b->failed && b->in->keep_going) {
        entry->unsupported = STR("a document of it has errors");
        entry->is_broken = true;
        b->failed = false;
    }
    b->failed |= failed_before;
}

static bool
compile_global(struct builder *b)
{
    static const struct source fallback_name = {STR_INIT("default global policy"), {NULL, 0}};
    struct source *fallback = arena_new(&b->s->arena, struct source);

    if (b->in->model->policy) {
        b->global = compile(b, b->in->model->policy, LEVEL_GLOBAL, NULL, NULL);
    } else {
        *fallback = (struct source){fallback_name.name, policy_default_global()};
        b->global = compile(b, fallback, LEVEL_GLOBAL, NULL, NULL);
    }
    return b->global != NULL;
}

/* Last: what opens a connection is only for a configuration that is published. */
static void
open_outlets(struct builder *b)
{
    const struct model *m = b->in->model;
    struct err err;

    b->s->outlets = b->in->outlets ? arena_new_array(&b->s->arena, struct outlet *, m->n_loggers) : NULL;
    for (uint32_t i = 0; b->s->outlets && i < m->n_loggers; i++) {
        const struct logger *g = &m->loggers[i];
        struct outlet_conf conf = {.name = g->name, .target = &g->target, .resolve = m->settings.resolve,
                                   .n_resolve = m->settings.n_resolve, .extra_ca_pem = b->s->backends->env.extra_ca_pem};

        if (g->target.kind == LOGGER_TARGET_NONE)
            continue;
        b->s->outlets[i] = outlet_open(b->in->outlets, &conf, &err);
        if (!b->s->outlets[i])
            diag_add(b->diags, DIAG_WARNING, NULL, 0, 0, "logger `%.*s`: %s; its messages are dropped", STR_ARG(g->name), err.text);
    }
}

struct snapshot *
snapshot_new(const struct snapshot_input *in, struct document_cache *cache, struct diags *diags)
{
    struct snapshot *s = xnew(struct snapshot);
    struct builder b = {.in = in, .s = s, .cache = cache, .diags = diags};
    uint64_t surroundings = fingerprint(in->model, in->is_strict);

    if (surroundings != cache->surroundings) {
        document_cache_destroy(cache);
        cache->documents = MAP_INIT;
        cache->surroundings = surroundings;
    }
    atomic_store(&s->refs, 1);
    atomic_store(&s->born_max, UINT64_MAX);
    s->arena = ARENA(NULL, SNAPSHOT_BYTES_MAX);
    s->model = model_ref(in->model);
    s->backends = backends_new(in->model, &in->backends, diags);
    s->apis = arena_new_array(&s->arena, struct api_entry, in->model->n_apis);
    if (!compile_global(&b)) {
        snapshot_unref(s);
        return NULL;
    }
    s->global_plan = make_plan(&b, (struct policy_document *[LEVEL_COUNT]){[LEVEL_GLOBAL] = b.global});
    for (uint32_t i = 0; i < in->model->n_apis; i++)
        build_api(&b, &in->model->apis[i]);
    map_destroy(&b.plans);
    if (b.failed) {
        snapshot_unref(s);
        return NULL;
    }
    open_outlets(&b);
    drop_unused(cache);
    return s;
}

struct snapshot *
snapshot_ref(struct snapshot *s)
{
    atomic_fetch_add(&s->refs, 1);
    return s;
}

void
snapshot_unref(struct snapshot *s)
{
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    for (size_t i = 0; i < s->plans.n; i++)
        plan_delete(s->plans.v[i]);
    vec_free(&s->plans);
    for (uint32_t i = 0; s->outlets && i < s->model->n_loggers; i++)
        outlet_unref(s->outlets[i]);
    backends_delete(s->backends);
    model_unref(s->model);
    arena_destroy(&s->arena);
    free(s);
}

const struct plan *
snapshot_plan(const struct snapshot *s, const struct api *api, const struct operation *op, const struct product *product)
{
    const struct api_entry *entry = &s->apis[api->index];
    struct plan *const *row = entry->by_operation ? entry->by_operation[op->index] : NULL;

    if (!row && !(row = entry->plans))
        return entry->plan;
    if (product)
        for (uint32_t p = 0; p < api->n_products; p++)
            if (api->products[p] == product)
                return row[p + 1];
    return row[0];
}
