/* apiops.c: the kinds of resource that are one small file each: named values, version sets, fragments, products,
 * subscriptions, groups, tags, loggers, diagnostics, workspaces; and the walk over a folder.
 *
 * One reader a kind, called for each directory of its collection by read_collection().
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/num.h"
#include "store/loader.h"
#include "store/secret.h"

typedef void read_fn(struct loader *l, struct str path, struct str name);

static read_fn read_named_value;

/* Calls read for each directory in `path`/`collection`; warns about files that lie between them. */
static void
read_collection(struct loader *l, struct str path, const char *collection, read_fn *read)
{
    static const char *const folders_only[] = {"*", NULL};
    struct arena_mark mark = arena_mark(&l->scratch);
    struct str folder = path_join(&l->scratch, path, str_from_c(collection));
    struct names all = folder_list(l, folder, true);

    if (read != read_named_value)        /* these are looked up by their display names, as they are written */
        folder_check_case(l, folder, &all);
    for (size_t i = 0; i < all.n; i++)
        read(l, path_join(&l->scratch, folder, all.v[i]), keep_str(l, all.v[i]));
    if (all.n)
        folder_warn_unknown(l, folder, folders_only);
    arena_rewind(&l->scratch, mark);
}

/* ---- named values ---- */

static const struct named_value_override *
find_override(struct loader *l, const struct named_value *v)
{
    for (uint32_t i = 0; i < l->service.n_named_values; i++)
        if (str_eq(l->service.named_values[i].name, v->display_name) ||
            str_eq(l->service.named_values[i].name, v->name))
            return &l->service.named_values[i];
    return NULL;
}

static enum diag_level
missing_secret(const struct loader *l)
{
    return l->flags & LOAD_SECRETS_OPTIONAL ? DIAG_NOTE : DIAG_ERROR;
}

/* Why it has none, and what to do about it. */
static struct str
how_to_give(struct loader *l, const struct info *i, const struct named_value *v)
{
    struct str vault = doc_get_str(&i->doc, doc_get_map(&i->doc, i->properties, "keyVault"), "secretIdentifier", STR_NONE);

    if (v->value.reference.p)
        return str_printf(l->keep, "%.*s refers to %.*s, which is not there", STR_ARG(i->source->name), STR_ARG(v->value.reference));
    return str_printf(l->keep, "%.*s holds no `value`%s%.*s; give one under `named-values:` of headgate.yaml, `%.*s: {value: env:NAME}` or "
                      "`file:PATH`", STR_ARG(i->source->name), vault.p ? ", it is kept in the key vault at " : "", STR_ARG(vault),
                      STR_ARG(v->display_name));
}

static void
read_value(struct loader *l, const struct info *i, struct named_value *v)
{
    const struct doc_node *value = doc_get(i->properties, "value");
    const struct named_value_override *given = find_override(l, v);

    if (given) {
        v->value = given->value;
        v->is_secret = v->is_secret || given->is_secret;
    } else if (value && doc_is_scalar(value) && value->kind != DOC_NULL) {
        const struct secret_rules rules = {l->root, missing_secret(l), v->is_secret, l->files};
        secret_resolve(&rules, &i->doc, value, l->keep, &v->value);
    } else {
        doc_report(&i->doc, DIAG_WARNING, i->properties,
                   "named value `%.*s` has no value here; give it as env:NAME or file:PATH, or under `named-values:` of "
                   "headgate.yaml", STR_ARG(v->display_name));
    }
    if (!v->value.is_set)
        v->missing = how_to_give(l, i, v);
    if (v->value.is_set || !(l->flags & LOAD_SECRETS_OPTIONAL))
        return;
    v->value = (struct secret){.value = STR("0"), .is_set = true};   /* reads as a number, a text, a host */
    v->stand_in = str_printf(l->keep, "{{%.*s}}", STR_ARG(v->display_name));
}

static void
add_named_value(struct loader *l, const struct named_value *v)
{
    struct str key = v->workspace ? str_printf(l->keep, "%.*s/%.*s", STR_ARG(v->workspace->name),
                                               STR_ARG(v->display_name))
                                  : v->display_name;

    *vec_push(&l->named_values) = *v;
    if (map_set(&l->named_value_index, key, (void *)(uintptr_t)l->named_values.n))
        diag_add(l->diags, DIAG_ERROR, v->information, 0, 1, "there is another named value with the display name `%.*s`",
                 STR_ARG(v->display_name));
}

static void
read_named_value(struct loader *l, struct str path, struct str name)
{
    static const char *const known[] = {"namedValueInformation.json", NULL};
    struct named_value v = {.name = name, .display_name = name, .workspace = l->workspace};
    struct info i;

    folder_warn_unknown(l, path, known);
    if (!info_open(l, path, known[0], true, &i))
        return;
    v.information = i.source;
    v.display_name = info_str(l, &i, "displayName");
    if (!v.display_name.len)
        v.display_name = name;
    v.is_secret = doc_get_bool(&i.doc, i.properties, "secret", false);
    v.tags = keep_strs(l, &i, i.properties, "tags", &v.n_tags);
    read_value(l, &i, &v);
    add_named_value(l, &v);
    info_close(l, &i);
}

/* Those of headgate.yaml that no file of the folder has. */
static void
add_other_named_values(struct loader *l)
{
    for (uint32_t i = 0; i < l->service.n_named_values; i++) {
        const struct named_value_override *o = &l->service.named_values[i];
        struct named_value v = {.name = keep_str(l, o->name), .display_name = keep_str(l, o->name), .value = o->value,
                                .is_secret = o->is_secret};
        bool is_there = map_has(&l->named_value_index, o->name);

        if (!o->value.is_set)
            v.missing = STR("`named-values:` of headgate.yaml gives none that is there");

        for (size_t k = 0; k < l->named_values.n && !is_there; k++)
            is_there = str_eq(l->named_values.v[k].name, o->name);
        if (!is_there)
            add_named_value(l, &v);
    }
}

void
read_named_values(struct loader *l, struct str path)
{
    read_collection(l, path, "named values", read_named_value);
    if (!l->workspace)
        add_other_named_values(l);
}

/* ---- version sets, fragments, groups ---- */

static bool
read_scheme(const struct info *i, enum versioning_scheme *ret)
{
    static const char *const names[] = {[VERSION_SEGMENT] = "Segment", [VERSION_QUERY] = "Query",
                                        [VERSION_HEADER] = "Header"};
    struct str text = doc_get_str(&i->doc, i->properties, "versioningScheme", STR("Segment"));

    for (size_t k = 0; k < COUNTOF(names); k++) {
        if (str_eq_nocase(text, str_from_c(names[k]))) {
            *ret = (enum versioning_scheme)k;
            return true;
        }
    }
    doc_report(&i->doc, DIAG_ERROR, doc_get(i->properties, "versioningScheme"),
               "`versioningScheme` must be Segment, Query or Header, found '%.*s'", STR_ARG(text));
    return false;
}

static void
read_version_set(struct loader *l, struct str path, struct str name)
{
    static const char *const known[] = {"versionSetInformation.json", "apiVersionSetInformation.json", NULL};
    struct version_set v = {.name = name, .workspace = l->workspace};
    struct info i;

    folder_warn_unknown(l, path, known);
    /* The second, of older extractors, may be there instead. */
    if (!info_open(l, path, known[1], false, &i) && !info_open(l, path, known[0], true, &i))
        return;
    v.display_name = info_str(l, &i, "displayName");
    v.description = info_str(l, &i, "description");
    v.query_name = info_str(l, &i, "versionQueryName");
    v.header_name = info_str(l, &i, "versionHeaderName");
    if (!read_scheme(&i, &v.scheme)) {
        info_close(l, &i);
        return;
    }
    if ((v.scheme == VERSION_QUERY && !v.query_name.len) || (v.scheme == VERSION_HEADER && !v.header_name.len))
        doc_report(&i.doc, DIAG_ERROR, i.properties, "`%s` is missing",
                   v.scheme == VERSION_QUERY ? "versionQueryName" : "versionHeaderName");
    *vec_push(&l->version_sets) = v;
    info_close(l, &i);
}

static void
read_fragment(struct loader *l, struct str path, struct str name)
{
    static const char *const known[] = {"policyFragmentInformation.json", "policy.xml", NULL};
    struct fragment f = {.name = name, .workspace = l->workspace};
    struct info i;

    folder_warn_unknown(l, path, known);
    if (info_open(l, path, known[0], false, &i)) {
        f.description = info_str(l, &i, "description");
        info_close(l, &i);
    }
    f.policy = folder_read(l, path_join(&l->scratch, path, STR("policy.xml")));
    if (!f.policy)
        diag_add(l->diags, DIAG_ERROR, NULL, 0, 0, "%.*s/policy.xml: no such file", STR_ARG(path));
    *vec_push(&l->fragments) = f;
}

static void
read_group(struct loader *l, struct str path, struct str name)
{
    static const char *const known[] = {"groupInformation.json", "*", NULL};
    struct group g = {.name = name, .workspace = l->workspace};
    struct info i;

    folder_warn_unknown(l, path, known);
    if (!info_open(l, path, known[0], true, &i))
        return;
    g.display_name = info_str(l, &i, "displayName");
    g.description = info_str(l, &i, "description");
    g.type = info_str(l, &i, "type");
    g.external_id = info_str(l, &i, "externalId");
    *vec_push(&l->groups) = g;
    info_close(l, &i);
}

/* ---- links: directories that name another resource, or files in them that do ---- */

static void
read_links(struct loader *l, struct str path, const char *collection, const char *file, const char *id_key,
           const char *kind, struct mentions *to)
{
    struct arena_mark mark = arena_mark(&l->scratch);
    struct str folder = path_join(&l->scratch, path, str_from_c(collection));
    struct names all = folder_list(l, folder, true);

    for (size_t k = 0; k < all.n; k++) {
        struct mention *slot = avec_push(l->keep, to);
        struct source *place = arena_new(l->keep, struct source);
        struct info i;

        if (!slot || !place)
            break;
        place->name = path_join(l->keep, folder, all.v[k]);
        *slot = (struct mention){.name = keep_str(l, all.v[k]), .source = place};
        if (!info_open(l, path_join(&l->scratch, folder, all.v[k]), file, false, &i))
            continue;
        const struct doc_node *id = doc_get(i.properties, id_key);
        struct str name = id && doc_is_scalar(id) ? id_name(l, id->text, kind) : STR_NONE;
        *slot = mention_at(l, &i, id, name.p ? name : all.v[k]);
        info_close(l, &i);
    }
    arena_rewind(&l->scratch, mark);
}

/* The form of older extractors: one file with a list of {"name": ...}. */
static void
read_listed(struct loader *l, struct str path, const char *file, struct mentions *to)
{
    struct arena_mark mark = arena_mark(&l->scratch);
    struct info i = {.source = folder_read(l, path_join(&l->scratch, path, str_from_c(file)))};

    if (i.source && doc_parse(&i.doc, i.source, &l->scratch, l->diags)) {
        if (i.doc.root->kind != DOC_LIST)
            doc_report(&i.doc, DIAG_ERROR, i.doc.root, "expected [{\"name\": ...}], found %s", doc_kind_name(i.doc.root));
        doc_each(it, i.doc.root->kind == DOC_LIST ? i.doc.root : NULL) {
            const struct doc_node *name = it->kind == DOC_MAP ? doc_get(it, "name") : it;
            struct mention *slot = name && name->kind == DOC_STRING ? avec_push(l->keep, to) : NULL;

            if (slot)
                *slot = mention_at(l, &i, name, name->text);
            else
                doc_report(&i.doc, DIAG_ERROR, it, "expected {\"name\": ...}, found %s", doc_kind_name(it));
        }
    }
    arena_rewind(&l->scratch, mark);
}

/* ---- products ---- */

static void
read_product(struct loader *l, struct str path, struct str name)
{
    static const char *const known[] = {"productInformation.json", "policy.xml", "apis", "groups", "apis.json", "groups.json",
                                        "*", NULL};
    struct product_draft draft = {.product = {.name = name, .workspace = l->workspace}};
    struct product *p = &draft.product;
    struct info i;

    folder_warn_unknown(l, path, known);
    if (!info_open(l, path, known[0], true, &i))
        return;
    p->display_name = info_str(l, &i, "displayName");
    p->description = info_str(l, &i, "description");
    p->terms = info_str(l, &i, "terms");
    p->is_subscription_required = doc_get_bool(&i.doc, i.properties, "subscriptionRequired", true);
    p->is_approval_required = doc_get_bool(&i.doc, i.properties, "approvalRequired", false);
    p->subscriptions_limit = doc_get_u32(&i.doc, i.properties, "subscriptionsLimit", UINT32_MAX, 0);
    p->state = str_eq_nocase(doc_get_str(&i.doc, i.properties, "state", STR("")), STR("published"))
                   ? PRODUCT_PUBLISHED : PRODUCT_NOT_PUBLISHED;
    info_close(l, &i);
    p->policy = folder_read(l, path_join(&l->scratch, path, STR("policy.xml")));
    read_links(l, path, "apis", "productApiInformation.json", "apiId", "apis", &draft.apis);
    read_links(l, path, "groups", "productGroupInformation.json", "groupId", "groups", &draft.groups);
    read_listed(l, path, "apis.json", &draft.listed_apis);
    read_listed(l, path, "groups.json", &draft.groups);
    *vec_push(&l->products) = draft;
}

/* ---- subscriptions ---- */

static bool
read_state(const struct info *i, enum subscription_state *ret)
{
    static const char *const names[] = {
        [SUBSCRIPTION_ACTIVE] = "active", [SUBSCRIPTION_SUSPENDED] = "suspended", [SUBSCRIPTION_EXPIRED] = "expired",
        [SUBSCRIPTION_SUBMITTED] = "submitted", [SUBSCRIPTION_REJECTED] = "rejected",
        [SUBSCRIPTION_CANCELLED] = "cancelled"};
    struct str text = doc_get_str(&i->doc, i->properties, "state", STR("active"));

    for (size_t k = 0; k < COUNTOF(names); k++) {
        if (str_eq_nocase(text, str_from_c(names[k]))) {
            *ret = (enum subscription_state)k;
            return true;
        }
    }
    doc_report(&i->doc, DIAG_ERROR, doc_get(i->properties, "state"), "'%.*s' is no state of a subscription",
               STR_ARG(text));
    return false;
}

/* A key that is not there cannot let anybody in, so that the rest may be served: a warning. */
static struct str
read_key(struct loader *l, const struct info *i, const char *key)
{
    const struct secret_rules rules = {l->root, l->flags & LOAD_SECRETS_OPTIONAL ? DIAG_NOTE : DIAG_WARNING, true, l->files};
    struct secret s;

    secret_resolve(&rules, &i->doc, doc_get(i->properties, key), l->keep, &s);
    return s.value;
}

static void
read_subscription(struct loader *l, struct str path, struct str name)
{
    static const char *const known[] = {"subscriptionInformation.json", NULL};
    struct subscription_draft draft = {.subscription = {.name = name, .workspace = l->workspace}};
    struct subscription *s = &draft.subscription;
    const struct doc_node *owner;
    struct info i;

    folder_warn_unknown(l, path, known);
    if (!info_open(l, path, known[0], true, &i))
        return;
    s->display_name = info_str(l, &i, "displayName");
    s->allow_tracing = doc_get_bool(&i.doc, i.properties, "allowTracing", false);
    s->primary_key = read_key(l, &i, "primaryKey");
    s->secondary_key = read_key(l, &i, "secondaryKey");
    s->created_s = info_date(l, &i, "createdDate");
    s->start_s = info_date(l, &i, "startDate");
    s->expiration_s = info_date(l, &i, "expirationDate");
    s->end_s = info_date(l, &i, "endDate");
    draft.scope = mention_at(l, &i, doc_get(i.properties, "scope"),
                             doc_get_str(&i.doc, i.properties, "scope", STR("/apis")));
    owner = doc_get(i.properties, "ownerId");
    if (owner && doc_is_scalar(owner))
        draft.owner = mention_at(l, &i, owner, id_name(l, owner->text, "users"));
    if (read_state(&i, &s->state))
        *vec_push(&l->subscriptions) = draft;
    info_close(l, &i);
}

/* ---- tags ---- */

static void
link_tag(struct loader *l, struct str tag, const struct mentions *apis, const struct mentions *products)
{
    for (size_t k = 0; k < apis->n; k++)
        *vec_push(&l->tag_links) = (struct tag_link){.tag = tag, .api = apis->v[k], .workspace = l->workspace};
    for (size_t k = 0; k < products->n; k++)
        *vec_push(&l->tag_links) = (struct tag_link){.tag = tag, .product = products->v[k], .workspace = l->workspace};
}

static void
read_tag(struct loader *l, struct str path, struct str name)
{
    static const char *const known[] = {"tagInformation.json", "apis", "products", "operations", "*", NULL};
    struct mentions apis = {0}, products = {0};
    struct str display_name;
    struct info i;

    folder_warn_unknown(l, path, known);
    if (!info_open(l, path, known[0], true, &i))
        return;
    display_name = info_str(l, &i, "displayName");
    info_close(l, &i);
    read_links(l, path, "apis", "tagApiInformation.json", "apiId", "apis", &apis);
    read_links(l, path, "products", "tagProductInformation.json", "productId", "products", &products);
    link_tag(l, display_name.len ? display_name : name, &apis, &products);
}

/* ---- loggers and diagnostics ---- */

static void
read_logger(struct loader *l, struct str path, struct str name)
{
    static const char *const known[] = {"loggerInformation.json", NULL};
    struct logger g = {.name = name};
    const struct doc_node *credentials;
    struct info i;

    folder_warn_unknown(l, path, known);
    if (!info_open(l, path, known[0], true, &i))
        return;
    g.type = info_str(l, &i, "loggerType");
    g.description = info_str(l, &i, "description");
    g.resource_id = info_str(l, &i, "resourceId");
    g.is_buffered = doc_get_bool(&i.doc, i.properties, "isBuffered", true);
    credentials = doc_get_map(&i.doc, i.properties, "credentials");
    g.credentials = credentials ? arena_new_array(l->keep, struct named_strings, MAX(credentials->n, 1u)) : NULL;
    doc_each(it, credentials) {
        struct str *value = arena_new(l->keep, struct str);

        if (!g.credentials || !value || !doc_is_scalar(it))
            continue;
        l->valueless = STR_NONE;
        *value = expand_what_is_known(l, &i, it, it->text);
        if (l->valueless.p)
            doc_report(&i.doc, DIAG_WARNING, it, "named value `%.*s` has no value: nothing reaches this logger",
                       STR_ARG(l->valueless));
        g.credentials[g.n_credentials++] = (struct named_strings){keep_str(l, it->key), value, 1};
    }
    *vec_push(&l->loggers) = g;
    info_close(l, &i);
}

static const struct mask_rule *
read_masks(struct loader *l, const struct info *i, const struct doc_node *masking, const char *key, uint32_t *ret_n)
{
    const struct doc_node *list = doc_get_list(&i->doc, masking, key);
    struct mask_rule *all = list && list->n ? arena_new_array(l->keep, struct mask_rule, list->n) : NULL;

    *ret_n = 0;
    doc_each(it, all ? list : NULL)
        all[(*ret_n)++] = (struct mask_rule){
            keep_str(l, doc_get_str(&i->doc, it, "value", STR(""))),
            str_eq_nocase(doc_get_str(&i->doc, it, "mode", STR("Mask")), STR("Hide"))};
    return all;
}

static void
read_message(struct loader *l, const struct info *i, const struct doc_node *side, const char *key,
             struct diagnostic_message *to)
{
    const struct doc_node *n = doc_get_map(&i->doc, side, key), *masking;

    if (!n)
        return;
    masking = doc_get_map(&i->doc, n, "dataMasking");
    to->headers = keep_strs(l, i, n, "headers", &to->n_headers);
    to->body_bytes = doc_get_u32(&i->doc, doc_get_map(&i->doc, n, "body"), "bytes", 8192, 0);
    to->mask_headers = read_masks(l, i, masking, "headers", &to->n_mask_headers);
    to->mask_query = read_masks(l, i, masking, "queryParams", &to->n_mask_query);
}

static void
fill_diagnostic(struct loader *l, const struct info *i, struct diagnostic *d)
{
    const struct doc_node *sampling = doc_get_map(&i->doc, i->properties, "sampling");
    const struct doc_node *frontend = doc_get_map(&i->doc, i->properties, "frontend");
    const struct doc_node *backend = doc_get_map(&i->doc, i->properties, "backend");

    d->always_log_errors = str_eq_nocase(doc_get_str(&i->doc, i->properties, "alwaysLog", STR("")), STR("allErrors"));
    d->log_client_ip = doc_get_bool(&i->doc, i->properties, "logClientIp", false);
    d->has_metrics = doc_get_bool(&i->doc, i->properties, "metrics", false);
    d->sampling_percentage = sampling ? doc_get_u32(&i->doc, sampling, "percentage", 100, 100) : 100;
    d->correlation_protocol = info_str(l, i, "httpCorrelationProtocol");
    d->verbosity = info_str(l, i, "verbosity");
    d->operation_name_format = info_str(l, i, "operationNameFormat");
    read_message(l, i, frontend, "request", &d->frontend_request);
    read_message(l, i, frontend, "response", &d->frontend_response);
    read_message(l, i, backend, "request", &d->backend_request);
    read_message(l, i, backend, "response", &d->backend_response);
}

void
read_diagnostics(struct loader *l, struct str path, struct str api)
{
    struct arena_mark mark = arena_mark(&l->scratch);
    struct str folder = path_join(&l->scratch, path, STR("diagnostics"));
    struct names all = folder_list(l, folder, true);

    for (size_t k = 0; k < all.n; k++) {
        struct diagnostic_draft draft = {.api = api, .workspace = l->workspace, .diagnostic = {.name = keep_str(l, all.v[k])}};
        const struct doc_node *logger;
        struct info i;

        if (!info_open(l, path_join(&l->scratch, folder, all.v[k]), "diagnosticInformation.json", true, &i))
            continue;
        fill_diagnostic(l, &i, &draft.diagnostic);
        logger = doc_get(i.properties, "loggerId");
        if (logger && doc_is_scalar(logger))
            draft.logger = mention_at(l, &i, logger, id_name(l, logger->text, "loggers"));
        *vec_push(&l->diagnostics) = draft;
        info_close(l, &i);
    }
    arena_rewind(&l->scratch, mark);
}

/* ---- the walk ---- */

static void
read_workspaces(struct loader *l, struct str path)
{
    struct str folder = path_join(&l->scratch, path, STR("workspaces"));
    struct names all = folder_list(l, folder, true);

    folder_check_case(l, folder, &all);
    l->workspaces = all.n ? arena_new_array(l->keep, struct workspace, all.n) : NULL;
    for (size_t k = 0; l->workspaces && k < all.n; k++) {
        struct workspace *w = &l->workspaces[l->m->n_workspaces++];
        struct str own = path_join(&l->scratch, folder, all.v[k]);
        struct info i;

        w->name = keep_str(l, all.v[k]);
        if (info_open(l, own, "workspaceInformation.json", false, &i)) {
            w->display_name = info_str(l, &i, "displayName");
            w->description = info_str(l, &i, "description");
            info_close(l, &i);
        }
        w->policy = folder_read(l, path_join(&l->scratch, own, STR("policy.xml")));
        l->workspace = w;
        read_folder(l, own);
        l->workspace = NULL;
    }
    l->m->workspaces = l->workspaces;
}

void
read_folder(struct loader *l, struct str path)
{
    static const char *const known[] = {
        "apis", "backends", "diagnostics", "gateways", "groups", "loggers", "named values", "policy fragments", "products", "schemas",
        "subscriptions", "tags", "version sets", "workspaces", "policy.xml", "users.yaml", "headgate.yaml",
        "workspaceInformation.json", "certificates", "configuration.extractor.yaml", NULL};
    folder_warn_unknown(l, path, known);
    read_named_values(l, path);
    read_collection(l, path, "version sets", read_version_set);
    read_collection(l, path, "policy fragments", read_fragment);
    read_collection(l, path, "schemas", read_schema);
    read_collection(l, path, "groups", read_group);
    read_collection(l, path, "loggers", read_logger);
    read_backends(l, path);
    read_apis(l, path);
    read_collection(l, path, "products", read_product);
    read_collection(l, path, "subscriptions", read_subscription);
    read_collection(l, path, "tags", read_tag);
    read_diagnostics(l, path, STR_NONE);
    if (!l->workspace)
        read_workspaces(l, path);
}
