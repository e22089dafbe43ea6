/* model.c: the life of a model and its names.
 *
 * A name of a workspace is kept as "workspace/name", a name of the service as it is ('/' is in no resource name).
 * SPDX-License-Identifier: Apache-2.0 */
#include "model/model.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "model/route.h"

#define MODEL_BYTES_MAX ((size_t)8 << 30)
#define NAME_KEY_MAX 320

struct model_index {
    struct map apis, products, backends, fragments, loggers, users, groups, named_values, certificates;
};

struct model *
model_new(void)
{
    struct model *m = xnew(struct model);

    m->arena = ARENA(NULL, MODEL_BYTES_MAX);
    m->refs = 1;
    return m;
}

struct model *
model_ref(struct model *m)
{
    atomic_fetch_add(&m->refs, 1);
    return m;
}

void
model_unref(struct model *m)
{
    if (!m || atomic_fetch_sub(&m->refs, 1) != 1)
        return;
    arena_destroy(&m->arena);
    free(m);
}

void
model_unrefp(struct model **m)
{
    model_unref(*m);
}

static void
free_index(void *index)
{
    struct model_index *ix = index;

    map_destroy(&ix->apis);
    map_destroy(&ix->products);
    map_destroy(&ix->backends);
    map_destroy(&ix->fragments);
    map_destroy(&ix->loggers);
    map_destroy(&ix->users);
    map_destroy(&ix->groups);
    map_destroy(&ix->named_values);
    map_destroy(&ix->certificates);
}

static struct str
full_name(struct model *m, const struct workspace *w, struct str name)
{
    return w ? str_printf(&m->arena, "%.*s/%.*s", STR_ARG(w->name), STR_ARG(name)) : name;
}

static void *
find(const struct map *names, struct str name, const struct workspace *w)
{
    char key[NAME_KEY_MAX];
    void *found = NULL;

    if (w && w->name.len + 1 + name.len <= sizeof(key)) {
        memcpy(key, w->name.p, w->name.len);
        key[w->name.len] = '/';
        if (name.len)
            memcpy(key + w->name.len + 1, name.p, name.len);
        found = map_get(names, str_from(key, w->name.len + 1 + name.len));
    }
    return found ? found : map_get(names, name);
}

const struct api *
model_find_api(const struct model *m, struct str name, const struct workspace *w)
{
    return find(&m->index->apis, name, w);
}

const struct product *
model_find_product(const struct model *m, struct str name, const struct workspace *w)
{
    return find(&m->index->products, name, w);
}

const struct backend_conf *
model_find_backend(const struct model *m, struct str name, const struct workspace *w)
{
    return find(&m->index->backends, name, w);
}

const struct schema_conf *
model_find_schema(const struct model *m, struct str name)
{
    for (uint32_t i = 0; i < m->n_schemas; i++)
        if (str_eq_nocase(m->schemas[i].name, name))
            return &m->schemas[i];
    return NULL;
}

const struct fragment *
model_find_fragment(const struct model *m, struct str name, const struct workspace *w)
{
    return find(&m->index->fragments, name, w);
}

const struct logger *
model_find_logger(const struct model *m, struct str name)
{
    return map_get(&m->index->loggers, name);
}

const struct user *
model_find_user(const struct model *m, struct str name)
{
    return map_get(&m->index->users, name);
}

const struct group *
model_find_group(const struct model *m, struct str name, const struct workspace *w)
{
    return find(&m->index->groups, name, w);
}

const struct named_value *
model_find_named_value(const struct model *m, struct str display_name, const struct workspace *w)
{
    return find(&m->index->named_values, display_name, w);
}

/* Hexadecimal digits alone, in upper case; false when the text is longer than a thumbprint may be. */
static bool
bare_thumbprint(struct str text, char *to, size_t max, size_t *ret_len)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (ascii_is_blank(text.p[i]) || text.p[i] == ':')
            continue;
        if (n == max || ascii_hex_value(text.p[i]) < 0)
            return false;
        to[n++] = ascii_is_alpha(text.p[i]) ? (char)(text.p[i] & ~0x20) : text.p[i];
    }
    *ret_len = n;
    return n > 0;
}

const struct certificate *
model_find_certificate(const struct model *m, struct str id_or_thumbprint)
{
    const struct certificate *c = map_get(&m->index->certificates, id_or_thumbprint);
    char bare[64];
    size_t len;

    if (!c && bare_thumbprint(id_or_thumbprint, bare, sizeof(bare), &len))
        c = map_get(&m->index->certificates, str_from(bare, len));
    return c;
}

bool
region_is(struct str a, struct str b)
{
    for (;; a = str_skip(a, 1), b = str_skip(b, 1)) {
        while (a.len && a.p[0] == ' ')
            a = str_skip(a, 1);
        while (b.len && b.p[0] == ' ')
            b = str_skip(b, 1);
        if (!a.len || !b.len)
            return a.len == b.len;
        if (ascii_lower(a.p[0]) != ascii_lower(b.p[0]))
            return false;
    }
}

const struct cache_conf *
model_find_cache(const struct model *m, struct str region)
{
    const struct cache_conf *fallback = NULL;

    for (uint32_t i = 0; i < m->n_caches; i++) {
        if (region.len && region_is(m->caches[i].use_from, region))
            return &m->caches[i];
        if (!fallback && region_is(m->caches[i].use_from, STR("default")))
            fallback = &m->caches[i];
    }
    return fallback;
}

#define INDEX(map_, array, n_, workspace_, name_) \
    for (uint32_t i = 0; i < m->n_; i++) \
        if (m->array[i].name_.len) \
            map_set(&ix->map_, full_name(m, workspace_, m->array[i].name_), (void *)&m->array[i])

bool
model_index_names(struct model *m)
{
    static const struct map no_case = {.ignore_case = true};
    struct model_index *ix = arena_new(&m->arena, struct model_index);

    if (!ix || !arena_defer(&m->arena, free_index, ix))
        return false;
    *ix = (struct model_index){no_case, no_case, no_case, no_case, no_case, no_case, no_case, MAP_INIT, no_case};
    m->index = ix;
    INDEX(apis, apis, n_apis, m->apis[i].workspace, name);
    INDEX(products, products, n_products, m->products[i].workspace, name);
    INDEX(backends, backends, n_backends, m->backends[i].workspace, name);
    INDEX(fragments, fragments, n_fragments, m->fragments[i].workspace, name);
    INDEX(loggers, loggers, n_loggers, NULL, name);
    INDEX(users, users, n_users, NULL, name);
    INDEX(groups, groups, n_groups, m->groups[i].workspace, name);
    INDEX(named_values, named_values, n_named_values, m->named_values[i].workspace, display_name);
    INDEX(certificates, certificates, n_certificates, NULL, thumbprint);
    INDEX(certificates, certificates, n_certificates, NULL, name);
    return true;
}

bool
model_compile(struct model *m, struct diags *diags)
{
    const struct subscription *clash = NULL;

    m->keys = access_table_new(&m->arena, m->subscriptions, m->n_subscriptions, &clash);
    if (clash)
        diag_add(diags, DIAG_ERROR, NULL, 0, 0, "subscription `%.*s` has the key of another subscription",
                 STR_ARG(clash->name));
    m->routes = route_table_new(&m->arena, m, diags);
    return m->keys && m->routes;
}
