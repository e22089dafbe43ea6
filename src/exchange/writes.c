/* writes.c: from an operation to the paths that it changes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/writes.h"

#include "cache/tiers.h"
#include "http/message.h"
#include "http/server.h"
#include "model/api.h"
#include "model/route.h"

#define SCOPES_MAX 60u                /* of one purge; others take 64 */

/* --- templates ----------------------------------------------------------------------------------------------------- */

/* Without query and closing slash. */
static struct str
path_of(struct str template)
{
    ptrdiff_t question = str_find_char(template, '?', 0);

    if (question >= 0)
        template = str_sub(template, 0, (size_t)question);
    while (str_ends_with(template, STR("/")))
        template = str_sub(template, 0, template.len - 1);
    return template;
}

static struct str
parent_of(struct str path)
{
    ptrdiff_t slash = str_rfind_char(path, '/');

    return slash <= 0 ? STR("") : str_sub(path, 0, (size_t)slash);
}

static bool
is_parameter(struct str segment)
{
    return str_starts_with(segment, STR("{")) && str_ends_with(segment, STR("}"));
}

static struct str
last_segment(struct str path)
{
    ptrdiff_t slash = str_rfind_char(path, '/');

    return slash < 0 ? path : str_skip(path, (size_t)slash + 1);
}

/* The same places, whatever their parameters are called. */
static bool
is_same_shape(struct str a, struct str b)
{
    struct str x, y;

    while (a.len && b.len) {
        str_split_next(&a, '/', &x);
        str_split_next(&b, '/', &y);
        if (!str_eq(x, y) && !(is_parameter(x) && is_parameter(y)))
            return false;
    }
    return a.len == b.len;
}

static bool
has_get(const struct api *api, struct str path)
{
    for (uint32_t i = 0; i < api->n_operations; i++) {
        const struct operation *op = &api->operations[i];

        if ((op->method.len == 0 || str_eq_lit(op->method, "GET")) && !op->is_implicit && is_same_shape(path_of(op->url_template), path))
            return true;
    }
    return false;
}

/* The template itself or the nearest above it that some GET has; false when there is none. The root counts below a parameter alone:
 * what stands there is a list of everything, or a page that says hello. */
static bool
nearest_get(const struct api *api, struct str path, struct str *ret)
{
    for (;; path = parent_of(path)) {
        if (path.len && has_get(api, path)) {
            *ret = path;
            return true;
        }
        if (path.len == 0)
            return false;
        if (parent_of(path).len == 0 && is_parameter(last_segment(path)) && has_get(api, STR(""))) {
            *ret = STR("");
            return true;
        }
    }
}

/* --- the rule ------------------------------------------------------------------------------------------------------ */

static void
add_path(struct write_rule *r, struct str template, bool with_below)
{
    if (r->n < WRITE_PATHS_MAX)
        r->paths[r->n++] = (struct write_path){template, with_below};
}

/* "/items/{id} /search*", or "none". */
static void
read_settings(struct str text, struct write_rule *ret)
{
    struct str one;

    ret->source = WRITE_FROM_SETTINGS;
    while (!str_eq_lit(text, "none") && str_split_next(&text, ' ', &one)) {
        bool with_below = str_ends_with(one, STR("*"));

        if (one.len)
            add_path(ret, path_of(with_below ? str_sub(one, 0, one.len - 1) : one), with_below);
    }
}

/* Others than plain HTTP post what they read, too: they need settings. */
static bool
says_something(const struct api *api, const struct operation *op)
{
    return (api->kind == API_HTTP || api->kind == API_ODATA) && !op->is_implicit && str_find_char(op->url_template, '*', 0) < 0;
}

void
write_rule_of(const struct api *api, const struct operation *op, struct write_rule *ret)
{
    const struct str_pairs *settings = &api->settings.cache.writes;
    struct str path = path_of(op->url_template), resource, above;

    *ret = (struct write_rule){.source = WRITE_FROM_PATH};
    for (uint32_t i = 0; i < settings->n; i++) {
        if (str_eq(settings->v[i].name, op->name)) {
            read_settings(settings->v[i].value, ret);
            return;
        }
    }
    if (!says_something(api, op) || !nearest_get(api, path, &resource))
        return;
    ret->source = WRITE_FROM_OPERATIONS;
    add_path(ret, resource, str_eq_lit(op->method, "DELETE") && str_eq(resource, path));
    if (resource.len && nearest_get(api, parent_of(resource), &above))
        add_path(ret, above, false);
    else if (resource.len && parent_of(resource).len == 0 && is_parameter(last_segment(resource)) && has_get(api, STR("")))
        add_path(ret, STR(""), false);
}

/* --- one request --------------------------------------------------------------------------------------------------- */

struct drops {
    cache_scope_id scopes[SCOPES_MAX];
    uint32_t n;
    struct buf what;
};

static void
drop(struct drops *d, struct str path, bool with_below)
{
    cache_scope_id ids[CACHE_PREFIX_SCOPES] = {cache_scope_path(path)};

    if (d->n + CACHE_PREFIX_SCOPES > SCOPES_MAX)
        return;
    if (with_below)
        cache_prefix_scopes(path, ids);
    for (uint32_t i = 0; i < (with_below ? CACHE_PREFIX_SCOPES : 1u); i++)
        d->scopes[d->n++] = ids[i];
    buf_printf(&d->what, "%s%.*s%s", d->what.len ? ", " : "", STR_ARG(path), with_below ? "*" : "");
}

/* {name} replaced as the request had it; false when it had no such parameter. */
static bool
fill_in(const struct exchange *ex, struct str template, struct buf *to)
{
    struct str rest = template, segment;

    while (rest.len) {
        str_split_next(&rest, '/', &segment);
        if (segment.len == 0)
            continue;
        buf_add_char(to, '/');
        if (is_parameter(segment)) {
            struct str name = str_sub(segment, 1, segment.len - 1), value = STR_NONE;
            for (uint32_t i = 0; i < ex->n_parameters; i++)
                if (str_eq_nocase(ex->parameters[i].name, name))
                    value = ex->parameters[i].value;
            if (!value.p)
                return false;
            segment = value;
        }
        buf_add_str(to, segment);
    }
    return true;
}

/* What stands before the operation's own path in `path`, which policies may have rewritten; STR_NONE when they have. */
static struct str
prefix_of(const struct exchange *ex, struct str path)
{
    struct str below = ex->original_request_path;

    return str_ends_with(path, below) ? str_sub(path, 0, path.len - below.len) : STR_NONE;
}

/* As the client sees it, and as the backend does: another API may show the same backend. */
static void
drop_below_prefixes(struct exchange *ex, struct str backend_path, struct str path, bool with_below, struct drops *d)
{
    struct str prefix = prefix_of(ex, ex->original_url.path), behind = prefix_of(ex, backend_path);

    if (prefix.p)
        drop(d, str_concat(ex->arena, prefix, path), with_below);
    if (behind.p && !str_eq(behind, prefix))
        drop(d, str_concat(ex->arena, behind, path), with_below);
}

static void
drop_by_rule(struct exchange *ex, struct str backend_path, struct drops *d)
{
    struct write_rule rule;

    write_rule_of(ex->api, ex->operation, &rule);
    if (rule.source == WRITE_FROM_PATH) {
        drop(d, ex->original_url.path, false);
        if (parent_of(ex->original_url.path).len)
            drop(d, parent_of(ex->original_url.path), false);
    }
    for (uint32_t i = 0; i < rule.n; i++) {
        struct buf path = buf_in(ex->arena);

        if (fill_in(ex, rule.paths[i].template, &path))
            drop_below_prefixes(ex, backend_path, path.len ? buf_str(&path) : STR(""), rule.paths[i].with_below, d);
    }
}

/* An address that the answer names: of the backend, or, once a policy has rewritten it, ours. */
static void
drop_named(struct exchange *ex, enum http_field_id id, const struct url *asked, struct drops *d)
{
    struct str text = http_headers_get(ex->response->headers, id), behind, prefix;
    struct url named;

    if (!text.len || !url_resolve(ex->arena, asked, text, &named))
        return;
    drop(d, named.path, false);
    behind = prefix_of(ex, asked->path);
    prefix = prefix_of(ex, ex->original_url.path);
    if (behind.p && prefix.p && str_starts_with(named.path, behind))
        drop(d, str_concat(ex->arena, prefix, str_skip(named.path, behind.len)), false);
}

bool
writes_apply(const struct exchange *ex)
{
    uint16_t status = ex->response ? ex->response->status : 0;

    if (!ex->api || !ex->operation || !ex->api->settings.cache.drops_on_write || !ex->services->tiers ||
        http_method_is_safe(ex->request.method) || (ex->call && http_method_is_safe(ex->call->request.method_text)))
        return false;
    /* An answer that a policy spoiled does not undo what the backend did. */
    return (status >= 200 && status < 400) || (ex->backend_status >= 200 && ex->backend_status < 400);
}

void
writes_drop(struct exchange *ex)
{
    struct drops *d = arena_new(ex->arena, struct drops);
    struct url asked;

    if (!d)
        return;
    d->what = buf_in(ex->arena);
    exchange_request_url(ex, &asked);
    drop_by_rule(ex, asked.path, d);
    if (d->n && ex->response) {
        drop_named(ex, HTTP_LOCATION, &asked, d);
        drop_named(ex, HTTP_CONTENT_LOCATION, &asked, d);
    }
    if (d->n)
        tiers_purge(ex->services->tiers, &(struct purge_order){.scopes = d->scopes, .n = d->n, .what = buf_str(&d->what),
            .by = str_printf(ex->arena, "%.*s %.*s", STR_ARG(ex->request.method), STR_ARG(ex->original_url.path))}, NULL);
}
