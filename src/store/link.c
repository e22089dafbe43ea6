/* link.c: drafts become the model's arrays, and names in them pointers.
 *
 * The arrays are made first, so that their addresses hold; then every mention is looked up. A name that leads nowhere is
 * an error where requests would go another way without it, a warning elsewhere.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "store/loader.h"

/* ---- reports ---- */

static void
report(struct loader *l, enum diag_level level, const struct mention *m, const char *what)
{
    diag_add(l->diags, level, m->source, m->at, m->len, "no %s `%.*s`", what, STR_ARG(m->name));
}

static void
api_failed(struct loader *l, struct api_draft *d, const struct mention *m, const char *what)
{
    report(l, DIAG_ERROR, m, what);
    d->errors++;
    if (!d->first_error.p)
        d->first_error = str_printf(l->keep, "no %s `%.*s`", what, STR_ARG(m->name));
}

/* ---- arrays ---- */

#define FREEZE(field, from, type) \
    do { \
        type *all_ = arena_alloc(l->keep, MAX((from).n, (size_t)1), sizeof(type), _Alignof(type)); \
        if (all_ && (from).n) \
            memcpy(all_, (from).v, (from).n * sizeof(type)); \
        l->m->field = all_; \
        l->m->n_##field = all_ ? (uint32_t)(from).n : 0; \
    } while (0)

#define FREEZE_DRAFTS(field, from, type, member) \
    do { \
        type *all_ = arena_alloc(l->keep, MAX((from).n, (size_t)1), sizeof(type), _Alignof(type)); \
        for (size_t i_ = 0; all_ && i_ < (from).n; i_++) { \
            all_[i_] = (from).v[i_].member; \
            all_[i_].index = (uint32_t)i_; \
        } \
        l->m->field = all_; \
        l->m->n_##field = all_ ? (uint32_t)(from).n : 0; \
    } while (0)

/* Groups that every service has. */
static void
add_system_groups(struct loader *l)
{
    static const struct str names[] = {STR_INIT("administrators"), STR_INIT("developers"), STR_INIT("guests")};

    for (size_t i = 0; i < COUNTOF(names); i++) {
        bool is_there = false;

        for (size_t k = 0; k < l->groups.n && !is_there; k++)
            is_there = !l->groups.v[k].workspace && str_eq_nocase(l->groups.v[k].name, names[i]);
        if (!is_there)
            *vec_push(&l->groups) = (struct group){.name = names[i], .display_name = names[i], .type = STR("system")};
    }
}

static void
freeze(struct loader *l)
{
    add_system_groups(l);
    FREEZE_DRAFTS(apis, l->apis, struct api, api);
    FREEZE_DRAFTS(products, l->products, struct product, product);
    FREEZE_DRAFTS(subscriptions, l->subscriptions, struct subscription, subscription);
    FREEZE_DRAFTS(backends, l->backends, struct backend_conf, backend);
    FREEZE(version_sets, l->version_sets, struct version_set);
    FREEZE(groups, l->groups, struct group);
    FREEZE(users, l->users, struct user);
    FREEZE(named_values, l->named_values, struct named_value);
    FREEZE(fragments, l->fragments, struct fragment);
    FREEZE(schemas, l->schemas, struct schema_conf);
    FREEZE(loggers, l->loggers, struct logger);
}

/* ---- APIs ---- */

/* Revisions of one API: root name -> index + 1 of one of them, and from each to the next. */
struct revisions {
    struct map first;
    uint32_t *next;
};

static struct str
root_key(struct loader *l, const struct workspace *w, struct str root)
{
    return w ? str_printf(&l->scratch, "%.*s/%.*s", STR_ARG(w->name), STR_ARG(root)) : root;
}

static void
index_revisions(struct loader *l, struct revisions *r)
{
    r->first = MAP_INIT_NOCASE;
    r->next = xnew_array(uint32_t, l->m->n_apis + 1);
    for (uint32_t i = l->m->n_apis; i > 0; i--) {
        const struct api *api = &l->m->apis[i - 1];
        struct str key = root_key(l, api->workspace, api->root_name);

        r->next[i - 1] = (uint32_t)(uintptr_t)map_set(&r->first, key, (void *)(uintptr_t)i);
    }
}

/* Index + 1 of the first revision of an API, 0 when there is none. `name` may carry a revision, which is cut off. */
static uint32_t
first_revision(struct loader *l, const struct revisions *r, const struct workspace *w, struct str name)
{
    ptrdiff_t at = str_find(name, STR(";rev="), 0);
    struct str root = at < 0 ? name : str_sub(name, 0, (size_t)at);
    void *found = map_get(&r->first, root_key(l, w, root));

    return (uint32_t)(uintptr_t)(found || !w ? found : map_get(&r->first, root));
}

static const struct api_draft *
current_revision(struct loader *l, const struct revisions *r, const struct api *api)
{
    for (uint32_t i = first_revision(l, r, api->workspace, api->root_name); i; i = r->next[i - 1])
        if (l->m->apis[i - 1].is_current)
            return &l->apis.v[i - 1];
    return NULL;
}

/* What a revision's own file leaves out it has from the current one. */
static void
inherit(struct loader *l, const struct revisions *r, struct api_draft *d, struct api *api)
{
    const struct api_draft *from = api->is_current ? NULL : current_revision(l, r, api);

    if (!from && !api->is_current && !d->has_path)
        diag_add(l->diags, DIAG_ERROR, api->information, 0, 1,
                 "revision `%.*s` has no `path`, and there is no current revision of `%.*s` to take it from",
                 STR_ARG(api->name), STR_ARG(api->root_name));
    else if (!from && !api->is_current)
        diag_add(l->diags, DIAG_WARNING, api->information, 0, 1,
                 "there is no current revision of `%.*s`; this one is reached only with `;rev=%.*s` behind the path",
                 STR_ARG(api->root_name), STR_ARG(api->revision));
    if (!from)
        return;
    if (!d->has_path)
        api->path = from->api.path;
    if (!d->has_display_name)
        api->display_name = from->api.display_name;
    if (!d->has_protocols)
        api->protocols = from->api.protocols;
    if (!d->has_version)
        api->version = from->api.version;
    if (!d->has_subscription)
        api->is_subscription_required = from->api.is_subscription_required;
    if (!d->version_set.name.p)
        d->version_set = from->version_set;
}

static const struct version_set *
find_version_set(struct loader *l, const struct workspace *w, struct str name)
{
    for (uint32_t i = 0; i < l->m->n_version_sets; i++)
        if (l->m->version_sets[i].workspace == w && str_eq_nocase(l->m->version_sets[i].name, name))
            return &l->m->version_sets[i];
    return NULL;
}

static void
link_version(struct loader *l, struct api_draft *d, struct api *api)
{
    api->prefix = api->path;
    if (!d->version_set.name.p)
        return;
    api->version_set = find_version_set(l, api->workspace, d->version_set.name);
    if (!api->version_set)
        api_failed(l, d, &d->version_set, "version set");
    else if (api->version_set->scheme == VERSION_SEGMENT && api->version.len)
        api->prefix = api->path.len ? str_printf(l->keep, "%.*s/%.*s", STR_ARG(api->path), STR_ARG(api->version))
                                    : api->version;
}

static void
own_operations(struct api *api)
{
    for (uint32_t i = 0; i < api->n_operations; i++)
        ((struct operation *)api->operations)[i].api = api;
}

/* An API whose files have errors: the load fails, or, when asked to go on, it answers 503 alone. */
static void
settle_errors(struct loader *l, const struct api_draft *d, struct api *api)
{
    if (!d->errors || !(l->flags & LOAD_KEEP_GOING))
        return;
    api->problem = str_printf(l->keep, "it did not load: %.*s", STR_ARG(d->first_error));
    api->problem_status = 503;
    l->forgiven += d->errors;
}

static void
link_apis(struct loader *l, const struct revisions *r)
{
    for (uint32_t i = 0; i < l->m->n_apis; i++) {
        struct api *api = (struct api *)&l->m->apis[i];
        struct api_draft *d = &l->apis.v[i];

        inherit(l, r, d, api);
        link_version(l, d, api);
        own_operations(api);
        settle_errors(l, d, api);
    }
}

/* ---- products ---- */

struct containment {
    uint32_t api, product;
};

static int
compare_containment(const void *x, const void *y)
{
    const struct containment *a = x, *b = y;

    if (a->api != b->api)
        return a->api < b->api ? -1 : 1;
    return a->product < b->product ? -1 : a->product > b->product;
}

static void
link_groups_of(struct loader *l, const struct product_draft *d, struct product *p)
{
    const struct group **all = arena_new_array(l->keep, const struct group *, MAX(d->groups.n, (size_t)1));

    for (size_t i = 0; all && i < d->groups.n; i++) {
        const struct group *g = model_find_group(l->m, d->groups.v[i].name, p->workspace);
        if (g)
            all[p->n_groups++] = g;
        else
            report(l, DIAG_WARNING, &d->groups.v[i], "group");
    }
    p->groups = all;
}

/* What is in p, by index; one entry for every revision. */
static void
collect_apis(struct loader *l, const struct revisions *r, const struct mentions *apis, enum diag_level when_absent,
             const struct product *p, struct containment **all, size_t *n, size_t *cap)
{
    for (size_t k = 0; k < apis->n; k++) {
        uint32_t api = first_revision(l, r, p->workspace, apis->v[k].name);

        if (!api)
            report(l, when_absent, &apis->v[k], "API");
        for (; api; api = r->next[api - 1]) {
            if (*n == *cap)
                *all = vec_grow_(*all, cap, sizeof(**all));
            (*all)[(*n)++] = (struct containment){api - 1, p->index};
        }
    }
}

static void
set_apis_of(struct loader *l, struct product *p, const struct containment *all, size_t n)
{
    const struct api **apis = arena_new_array(l->keep, const struct api *, MAX(n, (size_t)1));

    for (size_t i = 0; apis && i < n; i++)
        apis[p->n_apis++] = &l->m->apis[all[i].api];
    p->apis = apis;
}

/* `all` sorted by API: each gets its stretch, and the first open product of it. */
static void
set_products_of_apis(struct loader *l, const struct containment *all, size_t n)
{
    const struct product **products = arena_new_array(l->keep, const struct product *, MAX(n, (size_t)1));

    for (size_t i = 0; products && i < n; i++) {
        struct api *api = (struct api *)&l->m->apis[all[i].api];
        const struct product *p = &l->m->products[all[i].product];

        products[i] = p;
        if (!api->n_products)
            api->products = &products[i];
        else if (api->products[api->n_products - 1] == p)
            continue;
        ((const struct product **)api->products)[api->n_products++] = p;
        if (p->is_subscription_required)
            continue;
        if (api->open_product && api->is_current)
            diag_add(l->diags, DIAG_WARNING, api->information, 0, 1,
                     "API `%.*s` is in two products without subscription, `%.*s` and `%.*s`, using the first", STR_ARG(api->name),
                     STR_ARG(api->open_product->name), STR_ARG(p->name));
        else if (!api->open_product)
            api->open_product = p;
    }
}

static void
link_products(struct loader *l, const struct revisions *r)
{
    struct containment *all = NULL;
    size_t n = 0, cap = 0;

    for (uint32_t i = 0; i < l->m->n_products; i++) {
        struct product *p = (struct product *)&l->m->products[i];
        size_t from = n;

        link_groups_of(l, &l->products.v[i], p);
        collect_apis(l, r, &l->products.v[i].apis, DIAG_ERROR, p, &all, &n, &cap);
        /* Such a list names every API of the product, also those that the extractor was told to leave out. */
        collect_apis(l, r, &l->products.v[i].listed_apis, DIAG_WARNING, p, &all, &n, &cap);
        set_apis_of(l, p, all + from, n - from);
    }
    if (n)
        qsort(all, n, sizeof(*all), compare_containment);
    set_products_of_apis(l, all, n);
    free(all);
}

/* ---- subscriptions ---- */

static bool
ends_all(struct str scope)
{
    ptrdiff_t service = str_find(scope, STR("/service/"), 0);
    struct str rest = service < 0 ? scope : str_skip(scope, (size_t)service + 9), head;

    if (service >= 0) {
        (void)str_split_next(&rest, '/', &head);
        rest = rest.p ? rest : STR("");
    } else if (rest.len && *rest.p == '/') {
        rest = str_skip(rest, 1);
    }
    while (str_ends_with(rest, STR("/")))
        rest.len--;
    if (str_starts_with_nocase(rest, STR("workspaces/"))) {
        rest = str_skip(rest, 11);
        (void)str_split_next(&rest, '/', &head);
    }
    return !rest.len || str_eq_nocase(rest, STR("apis"));
}

/* A subscription to what is not there opens nothing, so that the rest may be served: extractors that are told to leave APIs out
 * still write the subscriptions to them. */
static void
link_scope(struct loader *l, const struct revisions *r, struct subscription_draft *d, struct subscription *s)
{
    struct str scope = d->scope.name, name;
    struct mention target = d->scope;

    if (str_find_char(scope, '/', 0) < 0) {
        diag_add(l->diags, DIAG_ERROR, d->scope.source, d->scope.at, d->scope.len,
                 "`scope` must be /apis, /apis/NAME or /products/NAME, found '%.*s'", STR_ARG(scope));
        return;
    }
    if ((name = id_name(l, scope, "products")).p) {
        s->scope = SUBSCRIPTION_TO_PRODUCT;
        s->product = model_find_product(l->m, name, s->workspace);
        target.name = name;
        if (!s->product)
            report(l, DIAG_WARNING, &target, "product");
    } else if ((name = id_name(l, scope, "apis")).p) {
        struct str rest = name, root = name;
        s->scope = SUBSCRIPTION_TO_API;
        (void)str_split_next(&rest, ';', &root);
        s->scope_api = keep_str(l, root);
        target.name = root;
        if (!first_revision(l, r, s->workspace, root))
            report(l, DIAG_WARNING, &target, "API");
    } else if (ends_all(scope)) {
        s->scope = SUBSCRIPTION_TO_ALL;
    } else {
        diag_add(l->diags, DIAG_ERROR, d->scope.source, d->scope.at, d->scope.len,
                 "`scope` must be /apis, /apis/NAME or /products/NAME, found '%.*s'", STR_ARG(scope));
    }
}

static void
link_owner(struct loader *l, const struct subscription_draft *d, struct subscription *s)
{
    const struct str *owner = map_get(&l->owners, s->name);
    struct mention m = d->owner;

    if (owner)
        m = (struct mention){.name = *owner};
    if (!m.name.p)
        return;
    s->owner = model_find_user(l->m, m.name);
    if (!s->owner && (owner || l->m->n_users))
        report(l, DIAG_WARNING, &m, "user");
}

/* ---- the rest ---- */

static void
link_members(struct loader *l, const struct backend_draft *d, struct backend_conf *b)
{
    for (uint32_t i = 0; i < b->n_members; i++) {
        struct pool_member *member = (struct pool_member *)&b->members[i];

        member->backend = model_find_backend(l->m, d->members.v[i].name, b->workspace);
        if (!member->backend)
            report(l, DIAG_ERROR, &d->members.v[i], "backend");
        else if (member->backend->is_pool)
            diag_add(l->diags, DIAG_ERROR, d->members.v[i].source, d->members.v[i].at, d->members.v[i].len,
                     "`%.*s` is a pool itself; members must be single backends", STR_ARG(d->members.v[i].name));
    }
}

static void
link_certificates(struct loader *l, const struct backend_draft *d, struct backend_conf *b)
{
    const struct certificate **all = arena_new_array(l->keep, const struct certificate *,
                                                     MAX(d->certificates.n, (size_t)1));

    for (size_t i = 0; all && i < d->certificates.n; i++) {
        const struct certificate *c = model_find_certificate(l->m, d->certificates.v[i].name);

        if (c) {
            all[b->credentials.n_certificates++] = c;
            continue;
        }
        report(l, DIAG_WARNING, &d->certificates.v[i], "certificate");
        b->problem = str_printf(l->keep, "its client certificate `%.*s` is not configured",
                                STR_ARG(d->certificates.v[i].name));
    }
    b->credentials.certificates = all;
}

static void
link_users(struct loader *l)
{
    for (uint32_t i = 0; i < l->m->n_users; i++) {
        const struct user *u = &l->m->users[i];
        const struct group **groups = (const struct group **)u->groups;
        uint32_t kept = 0;

        for (uint32_t k = 0; k < u->n_groups; k++) {
            const struct group *g = model_find_group(l->m, groups[k]->name, NULL);
            if (g)
                groups[kept++] = g;
            else
                diag_add(l->diags, DIAG_WARNING, NULL, 0, 0, "user `%.*s`: no group `%.*s`", STR_ARG(u->name),
                         STR_ARG(groups[k]->name));
        }
        ((struct user *)u)->n_groups = kept;
    }
}

static void
add_tag(struct loader *l, const struct str **tags, uint32_t *n, struct str tag)
{
    struct str *more = arena_new_array(l->keep, struct str, *n + 1);

    if (!more)
        return;
    if (*n)
        memcpy(more, *tags, *n * sizeof(*more));
    more[(*n)++] = tag;
    *tags = more;
}

static void
link_tags(struct loader *l, const struct revisions *r)
{
    for (size_t i = 0; i < l->tag_links.n; i++) {
        const struct tag_link *t = &l->tag_links.v[i];

        if (t->api.name.p) {
            uint32_t at = first_revision(l, r, t->workspace, t->api.name);
            if (!at)
                report(l, DIAG_WARNING, &t->api, "API");
            for (; at; at = r->next[at - 1]) {
                struct api *api = (struct api *)&l->m->apis[at - 1];
                add_tag(l, &api->tags, &api->n_tags, t->tag);
            }
        } else {
            struct product *p = (struct product *)model_find_product(l->m, t->product.name, t->workspace);
            if (p)
                add_tag(l, &p->tags, &p->n_tags, t->tag);
            else
                report(l, DIAG_WARNING, &t->product, "product");
        }
    }
}

/* The service's go into one array, those of an API are pointed to by it; drafts of one API stand together. */
static void
link_diagnostics(struct loader *l)
{
    size_t n = l->diagnostics.n;
    struct diagnostic *all = arena_new_array(l->keep, struct diagnostic, MAX(n, (size_t)1));
    const struct diagnostic **of_apis = arena_new_array(l->keep, const struct diagnostic *, MAX(n, (size_t)1));
    uint32_t n_service = 0, last = (uint32_t)n;

    for (size_t i = 0; all && of_apis && i < n; i++) {
        struct diagnostic_draft *d = &l->diagnostics.v[i];
        struct diagnostic *to = d->api.p ? &all[--last] : &all[n_service++];
        struct api *api = d->api.p ? (struct api *)model_find_api(l->m, d->api, d->workspace) : NULL;

        *to = d->diagnostic;
        to->logger = d->logger.name.p ? model_find_logger(l->m, d->logger.name) : NULL;
        if (d->logger.name.p && !to->logger)
            report(l, DIAG_WARNING, &d->logger, "logger");
        if (!api)
            continue;
        if (!api->n_diagnostics)
            api->diagnostics = &of_apis[i];
        of_apis[i] = to;
        api->n_diagnostics++;
    }
    l->m->diagnostics = all;
    l->m->n_diagnostics = n_service;
}

/* A text of each element of an array. */
struct name_walk {
    const char *first;
    size_t stride;
    uint32_t n, at;
};

#define NAMES_OF(all, count, type, member) \
    ((struct name_walk){.first = (const char *)(all) + offsetof(type, member), .stride = sizeof(type), .n = (count)})

static bool
next_name(void *ctx, struct str *candidate)
{
    struct name_walk *w = ctx;

    if (w->at == w->n)
        return false;
    memcpy(candidate, w->first + w->at++ * w->stride, sizeof(*candidate));
    return true;
}

/* Names of headgate.yaml or users.yaml that add to something of the folder. */
struct additions {
    struct diags *diags;
    const char *where, *what;
    struct name_walk names;
    struct map there;
};

static struct additions
additions_to(struct loader *l, const char *where, const char *what, struct name_walk names)
{
    struct additions a = {l->diags, where, what, names, MAP_INIT_NOCASE};
    struct str one;

    while (next_name(&names, &one))
        map_set(&a.there, one, l);
    return a;
}

static void
check_addition(const struct additions *a, struct str name)
{
    struct name_walk names = a->names;
    struct str near;

    if (map_has(&a->there, name) || str_eq_lit(name, "*"))
        return;
    near = diag_nearest(name, next_name, &names);
    diag_add(a->diags, DIAG_WARNING, NULL, 0, 0, "%s: no %s `%.*s`, ignored%s%.*s%s", a->where, a->what, STR_ARG(name),
             near.p ? "; did you mean `" : "", STR_ARG(near), near.p ? "`?" : "");
}

static void
check_additions(struct loader *l)
{
    const struct model *m = l->m;
    struct additions apis = additions_to(l, "`apis:` of headgate.yaml", "API", NAMES_OF(m->apis, m->n_apis, struct api, root_name));
    struct additions backends = additions_to(l, "`backends:` of headgate.yaml", "backend",
                                             NAMES_OF(m->backends, m->n_backends, struct backend_conf, name));
    struct additions owners = additions_to(l, "`owners:` of users.yaml", "subscription",
                                           NAMES_OF(m->subscriptions, m->n_subscriptions, struct subscription, name));

    for (uint32_t i = 0; i < l->service.n_apis; i++)
        check_addition(&apis, l->service.apis[i].name);
    for (uint32_t i = 0; i < l->service.n_backends; i++)
        check_addition(&backends, l->service.backends[i].name);
    for (struct map_entry *e = map_next(&l->owners, NULL); e; e = map_next(&l->owners, e))
        check_addition(&owners, e->key);
    map_destroy(&apis.there);
    map_destroy(&backends.there);
    map_destroy(&owners.there);
}

void
link_model(struct loader *l)
{
    struct revisions r;

    freeze(l);
    if (!model_index_names(l->m)) {
        diag_add(l->diags, DIAG_ERROR, NULL, 0, 0, "the configuration does not fit its memory limit");
        return;
    }
    index_revisions(l, &r);
    link_apis(l, &r);
    link_products(l, &r);
    for (uint32_t i = 0; i < l->m->n_subscriptions; i++) {
        link_scope(l, &r, &l->subscriptions.v[i], (struct subscription *)&l->m->subscriptions[i]);
        link_owner(l, &l->subscriptions.v[i], (struct subscription *)&l->m->subscriptions[i]);
    }
    for (uint32_t i = 0; i < l->m->n_backends; i++) {
        link_members(l, &l->backends.v[i], (struct backend_conf *)&l->m->backends[i]);
        link_certificates(l, &l->backends.v[i], (struct backend_conf *)&l->m->backends[i]);
    }
    link_users(l);
    check_additions(l);
    link_tags(l, &r);
    link_diagnostics(l);
    map_destroy(&r.first);
    free(r.next);
}
