/* apiops_backend.c: backends/<name>/backendInformation.json: single backends and pools, credentials, TLS, proxy, breaker.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"
#include "data/uri.h"
#include "store/loader.h"

#define POOL_MEMBERS_MAX 256

static struct str
expanded(struct loader *l, const struct info *i, const struct doc_node *map, const char *key)
{
    const struct doc_node *n = doc_get(map, key);

    return expand_what_is_known(l, i, n, doc_get_str(&i->doc, map, key, STR("")));
}

/* {"name": ["value", ...]}, named values put in. */
static const struct named_strings *
read_named_strings(struct loader *l, const struct info *i, const struct doc_node *map, uint32_t *ret_n)
{
    struct named_strings *all = map && map->n ? arena_new_array(l->keep, struct named_strings, map->n) : NULL;

    *ret_n = 0;
    doc_each(it, all ? map : NULL) {
        struct named_strings *one = &all[(*ret_n)++];
        uint32_t n;
        struct str *values = doc_get_strs(&i->doc, map, str_dup(&l->scratch, it->key).p, &n), *kept;

        one->name = keep_str(l, it->key);
        kept = arena_new_array(l->keep, struct str, MAX(n, 1u));
        for (uint32_t k = 0; kept && k < n; k++)
            kept[one->n_values++] = expand_what_is_known(l, i, it, values[k]);
        one->values = kept;
    }
    return all;
}

static void
add_certificates(struct loader *l, const struct info *i, const struct doc_node *credentials, const char *key,
                 struct mentions *to)
{
    const struct doc_node *list = doc_get_list(&i->doc, credentials, key);

    doc_each(it, list) {
        struct mention *slot = doc_is_scalar(it) ? avec_push(l->keep, to) : NULL;
        struct str name = slot ? id_name(l, it->text, "certificates") : STR_NONE;

        if (slot)
            *slot = mention_at(l, i, it, name.p ? name : it->text);
    }
}

static void
read_credentials(struct loader *l, const struct info *i, struct backend_draft *draft)
{
    const struct doc_node *c = doc_get_map(&i->doc, i->properties, "credentials");
    const struct doc_node *authorization = doc_get_map(&i->doc, c, "authorization");
    const struct doc_node *identity = doc_get_map(&i->doc, c, "managedIdentity");
    struct backend_credentials *to = &draft->backend.credentials;

    to->authorization_scheme = expanded(l, i, authorization, "scheme");
    to->authorization_parameter = expanded(l, i, authorization, "parameter");
    to->headers = read_named_strings(l, i, doc_get_map(&i->doc, c, "header"), &to->n_headers);
    to->query = read_named_strings(l, i, doc_get_map(&i->doc, c, "query"), &to->n_query);
    to->managed_identity_client = expanded(l, i, identity, "clientId");
    to->managed_identity_resource = expanded(l, i, identity, "resource");
    add_certificates(l, i, c, "certificate", &draft->certificates);
    add_certificates(l, i, c, "certificateIds", &draft->certificates);
}

/* ISO 8601, PT30S. */
static uint64_t
read_duration(const struct info *i, const struct doc_node *map, const char *key, uint64_t fallback_ms)
{
    struct str text = doc_get_str(&i->doc, map, key, STR_NONE);
    struct err err = ERR_INIT;

    if (text.p && !num_parse_iso_duration(text, &fallback_ms, &err))
        doc_report(&i->doc, DIAG_ERROR, doc_get(map, key), "`%s`: %s", key, err.text);
    return fallback_ms;
}

static const struct status_range *
read_ranges(struct loader *l, const struct info *i, const struct doc_node *condition, uint32_t *ret_n)
{
    const struct doc_node *list = doc_get_list(&i->doc, condition, "statusCodeRanges");
    struct status_range *all = list && list->n ? arena_new_array(l->keep, struct status_range, list->n) : NULL;

    *ret_n = 0;
    doc_each(it, all ? list : NULL) {
        uint32_t min = doc_get_u32(&i->doc, it, "min", 599, 0), max = doc_get_u32(&i->doc, it, "max", 599, 0);

        if (it->kind != DOC_MAP || min < 100 || max < min)
            doc_report(&i->doc, DIAG_ERROR, it, "expected {\"min\": 100 to 599, \"max\": the same or more}");
        else
            all[(*ret_n)++] = (struct status_range){(uint16_t)min, (uint16_t)max};
    }
    return all;
}

static void
read_breaker(struct loader *l, const struct info *i, const struct doc_node *rule, struct breaker_rule *to)
{
    const struct doc_node *condition = doc_get_map(&i->doc, rule, "failureCondition");

    to->name = keep_str(l, doc_get_str(&i->doc, rule, "name", STR("")));
    to->trip_ms = read_duration(i, rule, "tripDuration", 60000);
    to->accept_retry_after = doc_get_bool(&i->doc, rule, "acceptRetryAfter", false);
    to->count = doc_get_u32(&i->doc, condition, "count", 1000000, 0);
    to->percentage = doc_get_u32(&i->doc, condition, "percentage", 100, 0);
    to->interval_ms = read_duration(i, condition, "interval", 60000);
    to->statuses = read_ranges(l, i, condition, &to->n_statuses);
    to->error_reasons = keep_strs(l, i, condition, "errorReasons", &to->n_error_reasons);
    if (!to->count == !to->percentage)
        doc_report(&i->doc, DIAG_ERROR, rule, "a breaker rule needs `count` or `percentage`, one of them");
}

static void
read_breakers(struct loader *l, const struct info *i, struct backend_conf *b)
{
    const struct doc_node *list =
        doc_get_list(&i->doc, doc_get_map(&i->doc, i->properties, "circuitBreaker"), "rules");
    struct breaker_rule *all = list && list->n ? arena_new_array(l->keep, struct breaker_rule, list->n) : NULL;

    doc_each(it, all ? list : NULL)
        read_breaker(l, i, it, &all[b->n_breakers++]);
    b->breakers = all;
}

static void
read_pool(struct loader *l, const struct info *i, struct backend_draft *draft)
{
    const struct doc_node *pool = doc_get_map(&i->doc, i->properties, "pool");
    const struct doc_node *list = doc_get_list(&i->doc, pool, "services");
    const struct doc_node *session = doc_get_map(&i->doc, doc_get_map(&i->doc, pool, "sessionAffinity"), "sessionId");
    struct backend_conf *b = &draft->backend;
    struct pool_member *all;

    b->is_pool = true;
    b->affinity_cookie = keep_str(l, doc_get_str(&i->doc, session, "name", STR("")));
    if (!list || !list->n || list->n > POOL_MEMBERS_MAX ||
        !(all = arena_new_array(l->keep, struct pool_member, list->n))) {
        doc_report(&i->doc, DIAG_ERROR, i->properties, "a pool needs `pool.services`, 1 to %d of them", POOL_MEMBERS_MAX);
        return;
    }
    doc_each(it, list) {
        const struct doc_node *id = doc_get(it, "id");
        struct str name = id && doc_is_scalar(id) ? id_name(l, id->text, "backends") : STR_NONE;
        struct mention *slot = name.p ? avec_push(l->keep, &draft->members) : NULL;

        if (!slot) {
            doc_report(&i->doc, DIAG_ERROR, it, "a member needs an `id` such as /backends/NAME");
            continue;
        }
        *slot = mention_at(l, i, id, name);
        all[b->n_members++] = (struct pool_member){.weight = doc_get_u32(&i->doc, it, "weight", 1000000, 1),
                                                   .priority = doc_get_u32(&i->doc, it, "priority", 1000000, 0)};
    }
    b->members = all;
}

static const struct backend_override *
find_override(const struct loader *l, struct str name)
{
    for (uint32_t i = 0; i < l->service.n_backends; i++)
        if (str_eq_nocase(l->service.backends[i].name, name))
            return &l->service.backends[i];
    return NULL;
}

static void
read_single(struct loader *l, const struct info *i, struct backend_conf *b)
{
    const struct backend_override *o = find_override(l, b->name);
    const struct doc_node *tls = doc_get_map(&i->doc, i->properties, "tls");
    const struct doc_node *proxy = doc_get_map(&i->doc, i->properties, "proxy");
    const struct doc_node *url = doc_get(i->properties, "url");
    uint32_t errors = l->diags->errors;
    struct err err = ERR_INIT;
    struct uri u;

    b->url = o && o->url.len ? o->url : expanded(l, i, i->properties, "url");
    b->verify_chain = doc_get_bool(&i->doc, tls, "validateCertificateChain", true);
    b->verify_name = doc_get_bool(&i->doc, tls, "validateCertificateName", true);
    b->proxy_url = expanded(l, i, proxy, "url");
    b->proxy_user = expanded(l, i, proxy, "username");
    b->proxy_password = expanded(l, i, proxy, "password");
    if (l->valueless.p)
        return; /* said below, once for all of the backend */
    if (!b->url.len)
        b->problem = STR("it has no `url`");
    else if (errors == l->diags->errors && !uri_parse_http(b->url, &u, &err))
        b->problem = str_printf(l->keep, "its URL cannot be called: %s", err.text);
    if (b->problem.p)
        doc_report(&i->doc, DIAG_WARNING, url ? url : i->properties, "%.*s", STR_ARG(b->problem));
}

static void
apply_override(struct loader *l, struct backend_conf *b)
{
    const struct backend_override *o = find_override(l, b->name);

    if (!o)
        return;
    b->verify_chain = b->verify_chain && o->verify_chain;
    b->verify_name = b->verify_name && o->verify_name;
    b->probe = o->probe;
    b->connections_max = o->connections_max;
    b->queue_max = o->queue_max;
}

static void
read_backend(struct loader *l, struct str path, struct str name)
{
    static const char *const known[] = {"backendInformation.json", NULL};
    struct backend_draft draft = {.backend = {.name = name, .workspace = l->workspace}};
    struct backend_conf *b = &draft.backend;
    struct info i;

    folder_warn_unknown(l, path, known);
    if (!info_open(l, path, known[0], true, &i))
        return;
    l->valueless = STR_NONE;
    b->information = i.source;
    b->title = info_str(l, &i, "title");
    b->description = info_str(l, &i, "description");
    b->protocol = info_str(l, &i, "protocol");
    b->resource_id = info_str(l, &i, "resourceId");
    if (str_eq_nocase(doc_get_str(&i.doc, i.properties, "type", STR("Single")), STR("Pool")))
        read_pool(l, &i, &draft);
    else
        read_single(l, &i, b);
    read_credentials(l, &i, &draft);
    read_breakers(l, &i, b);
    apply_override(l, b);
    if (l->valueless.p) {
        b->problem = str_printf(l->keep, "its named value `%.*s` has no value", STR_ARG(l->valueless));
        doc_report(&i.doc, DIAG_WARNING, i.properties, "%.*s", STR_ARG(b->problem));
    }
    *vec_push(&l->backends) = draft;
    info_close(l, &i);
}

void
read_backends(struct loader *l, struct str path)
{
    struct arena_mark mark = arena_mark(&l->scratch);
    struct str folder = path_join(&l->scratch, path, STR("backends"));
    struct names all = folder_list(l, folder, true);

    folder_check_case(l, folder, &all);
    for (size_t i = 0; i < all.n; i++)
        read_backend(l, path_join(&l->scratch, folder, all.v[i]), keep_str(l, all.v[i]));
    arena_rewind(&l->scratch, mark);
}
