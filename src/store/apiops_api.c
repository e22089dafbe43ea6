/* apiops_api.c: apis/<name>[;rev=N]/: information, specification, policies of the API and its operations.
 *
 * The specification is the source of operations; a directory below operations/ that fits none of them is an error,
 * since its policy would silently protect nothing.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/uri.h"
#include "http/headers.h"
#include "http/path.h"
#include "store/config.h"
#include "store/loader.h"
#include "store/openapi.h"

#define KEY_HEADER_DEFAULT "Ocp-Apim-Subscription-Key"
#define KEY_QUERY_DEFAULT "subscription-key"

/* ---- apiInformation.json ---- */

static enum api_kind
kind_by_name(struct str text)
{
    for (int kind = API_HTTP; kind < API_OTHER_KIND; kind++)
        if (str_eq_nocase(text, str_from_c(api_kind_name((enum api_kind)kind))))
            return (enum api_kind)kind;
    return API_OTHER_KIND;
}

static uint8_t
read_protocols(const struct info *i)
{
    static const char *const names[] = {"http", "https", "ws", "wss"};
    const struct doc_node *list = doc_get_list(&i->doc, i->properties, "protocols");
    uint8_t bits = 0;

    doc_each(it, list) {
        size_t k = 0;

        while (k < COUNTOF(names) && !(doc_is_scalar(it) && str_eq_nocase(it->text, str_from_c(names[k]))))
            k++;
        if (k == COUNTOF(names))
            doc_report(&i->doc, DIAG_ERROR, it, "expected http, https, ws or wss");
        else
            bits |= (uint8_t)(1u << k);
    }
    return bits;
}

static struct str
trim_slashes(struct str s)
{
    while (s.len && s.p[0] == '/')
        s = str_skip(s, 1);
    while (s.len && s.p[s.len - 1] == '/')
        s.len--;
    return s;
}

/* What headgate.yaml says, if anything. */
static struct str
given_service_url(const struct loader *l, const struct api *api)
{
    for (uint32_t i = 0; i < l->service.n_apis; i++)
        if (str_eq_nocase(l->service.apis[i].name, api->root_name) && l->service.apis[i].service_url.len)
            return l->service.apis[i].service_url;
    return STR_NONE;
}

static void
read_service_url(struct loader *l, const struct info *i, struct api *api)
{
    const struct doc_node *n = doc_get(i->properties, "serviceUrl");
    struct err err = ERR_INIT;
    struct uri u;

    api->service_url = given_service_url(l, api);
    if (api->service_url.len)            /* the file's may name values that nobody has given here */
        return;
    api->service_url = expand_named_values(l, i, n, doc_get_str(&i->doc, i->properties, "serviceUrl", STR("")));
    if (!api->service_url.len || uri_parse_http(api->service_url, &u, &err))
        return;
    doc_report(&i->doc, DIAG_ERROR, n, "`serviceUrl`: %s", err.text);
    api->service_url = STR("");
}

static void
read_kind(struct loader *l, const struct info *i, struct api *api)
{
    struct str text = info_str(l, i, "type");

    if (!text.len)
        text = info_str(l, i, "apiType");
    api->kind_text = text.len ? text : STR("http");
    api->kind = text.len ? kind_by_name(text) : API_HTTP;
    if (api->kind == API_HTTP || api->kind == API_WEBSOCKET || api->kind == API_GRPC)
        return;
    api->problem = str_printf(l->keep, "the kind '%.*s'", STR_ARG(api->kind_text));
    api->problem_status = 501;
    doc_report(&i->doc, DIAG_WARNING, doc_get(i->properties, "type"), "APIs of the kind '%.*s' are not built yet; it answers 501",
               STR_ARG(api->kind_text));
}

/* The usual text, one for all APIs, where it is that or missing: each request looks at it. */
static struct str
keep_unless(struct loader *l, struct str text, struct str usual)
{
    return !text.p || str_eq(text, usual) ? usual : keep_str(l, text);
}

static size_t
count_slashes(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += s.p[i] == '/';
    return n;
}

/* Requests are matched in the normal form of their paths, whose segments are never empty or dots: an API elsewhere would never be met.
 * Blanks and letters beyond ASCII are fine as they are, clients escape them. */
static void
check_path(struct loader *l, const struct info *i, struct str path)
{
    const struct doc_node *n = doc_get(i->properties, "path");
    struct buf full = buf_in(&l->scratch);
    struct err err = ERR_INIT;
    struct str normal;

    buf_add_char(&full, '/');
    for (size_t k = 0; k < path.len; k++) {
        uint8_t c = (uint8_t)path.p[k];
        if (c == ' ' || c >= 0x80)
            buf_printf(&full, "%%%02X", c);
        else
            buf_add_char(&full, (char)c);
    }
    if (str_find_char(path, '{', 0) >= 0)
        doc_report(&i->doc, DIAG_ERROR, n, "`path` has no parameters, those are for operations");
    else if (!http_path_normalise(&l->scratch, buf_str(&full), 0, &normal, &err))
        doc_report(&i->doc, DIAG_ERROR, n, "`path`: %s", err.text);
    else if (count_slashes(normal) != count_slashes(buf_str(&full)) || (normal.len > 1 && str_ends_with(normal, STR("/"))))
        doc_report(&i->doc, DIAG_ERROR, n, "`path` must be written as requests are matched: '%.*s'", STR_ARG(str_skip(normal, 1)));
}

static void
check_key_names(const struct info *i, const struct doc_node *keys, const struct api *api)
{
    if (!http_name_is_valid(api->key_header))
        doc_report(&i->doc, DIAG_ERROR, doc_get(keys, "header"), "`header` is no name of a header");
    if (!api->key_query.len)
        doc_report(&i->doc, DIAG_ERROR, doc_get(keys, "query"), "`query` is empty; leave it out for the usual name");
}

static void
fill_api(struct loader *l, const struct info *i, struct api_draft *draft)
{
    const struct doc_node *keys = doc_get_map(&i->doc, i->properties, "subscriptionKeyParameterNames");
    const struct doc_node *set = doc_get(i->properties, "apiVersionSetId");
    struct api *api = &draft->api;

    api->information = i->source;
    api->display_name = info_str(l, i, "displayName");
    api->description = info_str(l, i, "description");
    api->path = trim_slashes(info_str(l, i, "path"));
    api->protocols = read_protocols(i);
    api->version = info_str(l, i, "apiVersion");
    api->is_current = doc_get_bool(&i->doc, i->properties, "isCurrent", api->is_current);
    api->is_subscription_required = doc_get_bool(&i->doc, i->properties, "subscriptionRequired", true);
    api->key_header = keep_unless(l, doc_get_str(&i->doc, keys, "header", STR_NONE), STR(KEY_HEADER_DEFAULT));
    api->key_header_id = (uint16_t)http_field_id(api->key_header);
    api->key_query = keep_unless(l, doc_get_str(&i->doc, keys, "query", STR_NONE), STR(KEY_QUERY_DEFAULT));
    if (doc_get(i->properties, "apiRevision"))
        api->revision = info_str(l, i, "apiRevision");
    if (set && doc_is_scalar(set) && set->text.len && set->kind != DOC_NULL) {
        struct str name = id_name(l, set->text, "apiVersionSets");
        draft->version_set = mention_at(l, i, set, name.p ? name : set->text);
    }
    draft->has_path = doc_get(i->properties, "path") != NULL;
    draft->has_display_name = api->display_name.len > 0;
    draft->has_protocols = doc_get(i->properties, "protocols") != NULL;
    draft->has_version = doc_get(i->properties, "apiVersion") != NULL;
    draft->has_subscription = doc_get(i->properties, "subscriptionRequired") != NULL;
    check_path(l, i, api->path);
    check_key_names(i, keys, api);
    if (!draft->has_path && api->is_current)
        doc_report(&i->doc, DIAG_ERROR, i->properties, "`path` is missing");
    read_kind(l, i, api);
    read_service_url(l, i, api);
}

/* ---- the specification ---- */

struct specification {
    struct openapi openapi;
    bool is_there;
};

static void
read_openapi(struct loader *l, const struct source *source, struct api *api, struct specification *ret)
{
    struct doc d;

    api->specification = source;
    ret->is_there = true;
    if (!doc_parse_loosely(&d, source, &l->scratch, l->diags) || !openapi_read(&d, l->keep, &ret->openapi))
        return;
    if (!api->service_url.len)
        api->service_url = ret->openapi.service_url;
    if (!api->description.len)
        api->description = ret->openapi.description;
}

static void
refuse_specification(struct loader *l, struct str path, struct api *api)
{
    if (api->problem.p)
        return;
    api->problem = STR("a kind of definition");
    api->problem_status = 501;
    diag_add(l->diags, DIAG_WARNING, NULL, 0, 0, "%.*s: definitions of this kind are not read yet; the API answers 501",
             STR_ARG(path));
}

static void
read_specification(struct loader *l, struct str path, struct api *api, struct specification *ret)
{
    static const char *const readable[] = {"specification.yaml", "specification.yml", "specification.json"};
    static const char *const others[] = {"specification.graphql", "specification.wadl", "specification.wsdl"};

    for (size_t i = 0; i < COUNTOF(readable); i++) {
        struct str file = path_join(&l->scratch, path, str_from_c(readable[i]));
        const struct source *source = folder_read(l, file);

        if (source && ret->is_there)
            diag_add(l->diags, DIAG_WARNING, source, 0, 1, "a second specification, ignored");
        else if (source)
            read_openapi(l, source, api, ret);
    }
    for (size_t i = 0; i < COUNTOF(others) && !ret->is_there; i++) {
        struct str file = path_join(&l->scratch, path, str_from_c(others[i]));
        if (folder_read(l, file))
            refuse_specification(l, file, api);
    }
}

/* ---- operations ---- */

/* An API that describes none serves everything below its path; a WebSocket has its handshake. */
static struct operation *
implicit_operation(struct loader *l, const struct api *api)
{
    struct operation *op = arena_new(l->keep, struct operation);
    bool is_socket = api->kind == API_WEBSOCKET;

    if (op)
        *op = (struct operation){.name = is_socket ? STR("onHandshake") : STR("any"),
                                 .display_name = is_socket ? STR("onHandshake") : STR("Any request"),
                                 .method = is_socket ? STR("GET") : STR(""), .url_template = STR("/*"),
                                 .is_implicit = true};
    return op;
}

static struct operation *
find_operation(struct operation *operations, uint32_t n, const struct str *ids, struct str name)
{
    for (uint32_t i = 0; i < n; i++)
        if (str_eq_nocase(operations[i].name, name))
            return &operations[i];
    for (uint32_t i = 0; ids && i < n; i++)
        if (str_eq_nocase(ids[i], name))
            return &operations[i];
    return NULL;
}

struct operation_names {
    const struct operation *v;
    uint32_t n, at;
};

static bool
next_operation(void *ctx, struct str *candidate)
{
    struct operation_names *o = ctx;

    if (o->at == o->n)
        return false;
    *candidate = o->v[o->at++].name;
    return true;
}

static void
report_no_operation(struct loader *l, struct str path, const struct operation *operations, uint32_t n, struct str name)
{
    struct operation_names ctx = {operations, n, 0};
    struct str near = diag_nearest(name, next_operation, &ctx);

    if (n == 1 && operations[0].is_implicit) {
        diag_add(l->diags, DIAG_ERROR, NULL, 0, 0, "%.*s: the API has no operation `%.*s`: there is no specification that names any",
                 STR_ARG(path), STR_ARG(name));
        return;
    }
    diag_add(l->diags, DIAG_ERROR, NULL, 0, 0, "%.*s: the specification has no operation `%.*s`%s%.*s%s", STR_ARG(path),
             STR_ARG(name), near.p ? "; did you mean `" : "", STR_ARG(near), near.p ? "`?" : "");
}

static void
read_operation_policies(struct loader *l, struct str path, struct operation *operations, uint32_t n,
                        const struct str *ids)
{
    static const char *const known[] = {"policy.xml", NULL};
    struct str folder = path_join(&l->scratch, path, STR("operations"));
    struct names all = folder_list(l, folder, true);

    folder_check_case(l, folder, &all);
    for (size_t i = 0; i < all.n; i++) {
        struct str own = path_join(&l->scratch, folder, all.v[i]);
        struct operation *op = find_operation(operations, n, ids, all.v[i]);

        folder_warn_unknown(l, own, known);
        if (!op) {
            report_no_operation(l, own, operations, n, all.v[i]);
            continue;
        }
        if (!str_eq_nocase(op->name, all.v[i]))
            op->name = keep_str(l, all.v[i]);
        op->policy = folder_read(l, path_join(&l->scratch, own, STR("policy.xml")));
    }
}

static void
read_operations(struct loader *l, struct str path, struct api *api)
{
    struct specification s = {0};
    struct operation *all;
    uint32_t n;

    read_specification(l, path, api, &s);
    all = s.openapi.operations;
    n = s.openapi.n_operations;
    if (!n) {
        all = implicit_operation(l, api);
        n = all ? 1 : 0;
    }
    if (!api->problem.p || n > 1)
        read_operation_policies(l, path, all, n, s.openapi.operation_ids);
    for (uint32_t i = 0; i < n; i++)
        all[i].index = i;
    api->operations = all;
    api->n_operations = n;
}

/* ---- one API ---- */

static struct str
root_name(struct str name, struct str *ret_revision)
{
    ptrdiff_t at = str_find(name, STR(";rev="), 0);

    *ret_revision = at < 0 ? STR("1") : str_skip(name, (size_t)at + 5);
    return at < 0 ? name : str_sub(name, 0, (size_t)at);
}

static struct api_settings
settings_of(struct loader *l, struct str name)
{
    const struct api_override *o = NULL;
    struct api_override defaults;

    for (uint32_t i = 0; i < l->service.n_apis; i++) {
        if (str_eq_nocase(l->service.apis[i].name, name))
            o = &l->service.apis[i];
        else if (!o && str_eq_lit(l->service.apis[i].name, "*"))
            o = &l->service.apis[i];
    }
    if (!o) {
        config_api_defaults(l->keep, &defaults);
        o = &defaults;
    }
    return (struct api_settings){.hosts = o->hosts.v, .n_hosts = o->hosts.n, .compress = o->compress,
                                 .allow_encoded_slash = o->allow_encoded_slash, .cache = o->cache,
                                 .request_body_max = o->request_body_max, .response_buffer_max = o->response_buffer_max,
                                 .status_when_unsupported = o->status_when_unsupported};
}

static void
read_api(struct loader *l, struct str path, struct str name)
{
    static const char *const known[] = {
        "apiInformation.json", "specification.yaml", "specification.yml", "specification.json", "specification.graphql",
        "specification.wadl", "specification.wsdl", "policy.xml", "operations", "diagnostics", "releases", "schemas",
        "resolvers", "tags", "wikis", NULL};
    struct api_draft draft = {.api = {.name = name, .workspace = l->workspace}};
    struct api *api = &draft.api;
    uint32_t errors = l->diags->errors;
    struct diag **first = l->diags->last;
    struct info i;

    folder_warn_unknown(l, path, known);
    api->root_name = root_name(name, &api->revision);
    api->is_current = api->root_name.len == name.len;
    api->settings = settings_of(l, api->root_name);
    if (info_open(l, path, known[0], true, &i)) {
        fill_api(l, &i, &draft);
        info_close(l, &i);
        read_operations(l, path, api);
        api->policy = folder_read(l, path_join(&l->scratch, path, STR("policy.xml")));
        read_diagnostics(l, path, name);
    }
    draft.errors = l->diags->errors - errors;
    if (draft.errors && *first)
        draft.first_error = (*first)->message;
    if (api->information)
        *vec_push(&l->apis) = draft;
}

void
read_apis(struct loader *l, struct str path)
{
    struct arena_mark mark = arena_mark(&l->scratch);
    struct str folder = path_join(&l->scratch, path, STR("apis"));
    struct names all = folder_list(l, folder, true);

    folder_check_case(l, folder, &all);
    for (size_t i = 0; i < all.n; i++) {
        struct arena_mark own = arena_mark(&l->scratch);

        read_api(l, path_join(&l->scratch, folder, all.v[i]), keep_str(l, all.v[i]));
        arena_rewind(&l->scratch, own);
    }
    arena_rewind(&l->scratch, mark);
}
