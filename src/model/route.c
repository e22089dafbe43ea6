/* route.c: the walk of a request through the tree of path segments (route_table.h).
 *
 * First the longest prefix of the path that APIs have, then, from the root of the chosen API's operations, literal before
 * mixed before parameter before rest, coming back where a way leads nowhere. A node is visited at most once by a match: the
 * walk is bounded by the nodes of one API. Values are kept by position while walking, names come from the operation found.
 * SPDX-License-Identifier: Apache-2.0 */
#include "model/route.h"

#include "data/uri.h"
#include "model/route_table.h"

#define SEGMENT_MAX 512               /* longer segments match no literal */

struct walk {
    const struct route_table *table;
    const struct route_request *rq;
    struct str method;
    struct edge *edges;               /* of the API */
    uint32_t edges_cap;
    uint8_t method_number;
    struct route_match *match;
};

/* The child behind a literal segment in any case, or NO_NODE. */
static uint32_t
follow_in(struct edge *edges, uint32_t cap, uint32_t from, struct str segment)
{
    char lower[SEGMENT_MAX], delimiter;
    size_t n = 0;

    if (segment.len > sizeof(lower))
        return NO_NODE;
    for (size_t i = 0; i < segment.len; i++) {
        char c = segment.p[i];

        if (UNLIKELY(c == '%') && (delimiter = route_escaped_delimiter(segment, i))) {
            c = delimiter;
            i += 2;
        }
        lower[n++] = ascii_lower(c);
    }
    return route_find_edge(edges, cap, from, str_from(lower, n))->to;
}

/* Among prefixes. */
static uint32_t
follow(const struct route_table *t, uint32_t from, struct str segment)
{
    return follow_in(t->edges, t->edges_cap, from, segment);
}

/* The segment that begins at or behind *at; false at the end of the path. *at moves behind it. */
static bool
next_segment(struct str path, size_t *at, struct str *ret)
{
    size_t from = *at, to;

    if (from < path.len && path.p[from] == '/')
        from++;
    if (from >= path.len)
        return false;
    to = from;
    while (to < path.len && path.p[to] != '/')
        to++;
    *ret = str_sub(path, from, to);
    *at = to;
    return true;
}

/* The first value of a query parameter; STR_NONE when it is absent, "" when it has no '='. */
static struct str
query_value(struct str query, struct str wanted)
{
    struct str name, value;

    while (query_next(&query, &name, &value))
        if (query_text_is(name, wanted, true))
            return value.p ? value : str_sub(name, name.len, name.len);
    return STR_NONE;
}

static bool
conditions_hold(const struct uri_template *t, struct str query)
{
    for (uint32_t i = 0; i < t->n_query; i++) {
        const struct template_query *q = &t->query[i];
        struct str value;

        if (q->is_optional)
            continue;
        value = query_value(query, q->name);
        if (!value.p || (!q->is_parameter && !query_text_is(value, q->value, false)))
            return false;
    }
    return true;
}

static bool
method_fits(const struct walk *w, const struct route_operation *op)
{
    return op->method == METHOD_ANY ||
           (op->method == w->method_number && (op->method != METHOD_OTHER || str_eq(op->operation->method, w->method)));
}

static const struct route_operation *
pick_operation(const struct walk *w, const struct route_operation *list)
{
    for (; list; list = list->next)
        if (method_fits(w, list) && (!list->has_query || conditions_hold(list->template, w->rq->query)))
            return list;
    return NULL;
}

static void
set_parameter(struct route_match *m, struct str name, struct str value)
{
    if (m->n_parameters < ROUTE_PARAMETERS_MAX)
        m->parameters[m->n_parameters++] = (struct route_parameter){name, value};
}

static const struct parameter *
find_default(const struct operation *op, struct str name)
{
    for (uint32_t i = 0; i < op->n_template_parameters; i++)
        if (op->parameters[i].has_default && str_eq(op->parameters[i].name, name))
            return &op->parameters[i];
    return NULL;
}

/* An optional parameter that the path does not have: the template's default, the operation's, or none at all. */
static void
set_path_default(struct route_match *m, const struct route_operation *found, struct str name)
{
    const struct uri_template *t = found->template;
    const struct parameter *p = find_default(found->operation, name);

    for (uint32_t i = 0; i < t->n_segments; i++) {
        if (t->segments[i].has_default && str_eq(t->segments[i].text, name)) {
            set_parameter(m, name, t->segments[i].default_value);
            return;
        }
    }
    if (p)
        set_parameter(m, name, p->default_value);
}

static void
set_query_parameters(const struct walk *w, const struct route_operation *found)
{
    const struct uri_template *t = found->template;

    for (uint32_t i = 0; i < t->n_query; i++) {
        const struct template_query *q = &t->query[i];
        const struct parameter *p;
        struct str value;

        if (!q->is_parameter)
            continue;
        value = query_value(w->rq->query, q->name);
        if (value.p)
            set_parameter(w->match, q->value, value);
        else if (q->has_default)
            set_parameter(w->match, q->value, q->default_value);
        else if ((p = find_default(found->operation, q->value)))
            set_parameter(w->match, q->value, p->default_value);
    }
}

/* Names the values that were stored on the way, and fills in defaults. */
static void
name_parameters(const struct walk *w, const struct route_operation *found, uint32_t n_values)
{
    struct route_match *m = w->match;

    m->operation = found->operation;
    m->n_parameters = MIN(n_values, (uint32_t)found->n_names);
    for (uint32_t i = 0; i < m->n_parameters; i++)
        m->parameters[i].name = found->names[i];
    for (uint32_t i = m->n_parameters; found->has_optional && i < found->n_names; i++)
        set_path_default(m, found, found->names[i]);
    if (found->has_query)
        set_query_parameters(w, found);
}

static bool
match_rest(const struct walk *w, const struct route_node *n, size_t at, uint32_t n_values, bool is_root)
{
    struct str path = w->match->operation_path;
    const struct route_operation *found;

    if (!n->rest || (at >= path.len && !is_root) || !(found = pick_operation(w, n->rest)))
        return false;
    if (found->has_named_rest && n_values < ROUTE_PARAMETERS_MAX)
        w->match->parameters[n_values++].value = str_skip(path, at + (at < path.len && path.p[at] == '/'));
    name_parameters(w, found, n_values);
    return true;
}

static bool
match_end(const struct walk *w, const struct route_node *n, uint32_t n_values)
{
    const struct route_operation *found = pick_operation(w, n->leaf);

    if (found)
        name_parameters(w, found, n_values);
    return found != NULL;
}

static bool match_node(const struct walk *w, uint32_t node, size_t at, uint32_t n_values, bool is_root);

/* Its literals may stand escaped in the request: they are looked for in the decoded text, and the values are those parts of the raw one. */
static bool
match_mixed_decoded(const struct template_segment *s, struct str segment, struct str *values)
{
    char plain[SEGMENT_MAX];
    uint16_t from[SEGMENT_MAX + 1];
    size_t n = 0;

    if (segment.len > sizeof(plain) || str_find_char(segment, '%', 0) < 0)
        return false;
    for (size_t i = 0; i < segment.len; n++) {
        int high = segment.p[i] == '%' && i + 2 < segment.len ? ascii_hex_value(segment.p[i + 1]) : -1;
        int low = high < 0 ? -1 : ascii_hex_value(segment.p[i + 2]);

        from[n] = (uint16_t)i;
        plain[n] = (char)(low < 0 ? segment.p[i] : high * 16 + low);
        i += low < 0 ? 1 : 3;
    }
    from[n] = (uint16_t)segment.len;
    if (!template_match_mixed(s, str_from(plain, n), values))
        return false;
    for (uint32_t i = 0, k = 0; i < s->n_parts; i++) {
        size_t at;

        if (!s->parts[i].is_parameter)
            continue;
        at = (size_t)(values[k].p - plain);
        values[k] = str_sub(segment, from[at], from[at + values[k].len]);
        k++;
    }
    return true;
}

static bool
match_mixed(const struct walk *w, const struct mixed_edge *m, struct str segment, size_t at, uint32_t n_values)
{
    struct str values[TEMPLATE_PARAMETERS_MAX];

    for (; m; m = m->next) {
        if (!template_match_mixed(m->segment, segment, values) && !match_mixed_decoded(m->segment, segment, values))
            continue;
        for (uint32_t i = 0; i < m->n_values && n_values + i < ROUTE_PARAMETERS_MAX; i++)
            w->match->parameters[n_values + i].value = values[i];
        if (match_node(w, m->to, at, n_values + m->n_values, false))
            return true;
    }
    return false;
}

/* Literal, mixed, parameter, rest: the first that leads to an operation with this method and query. */
static bool
match_node(const struct walk *w, uint32_t node, size_t at, uint32_t n_values, bool is_root)
{
    const struct route_node *n = &w->table->nodes[node];
    struct str segment;
    size_t next = at;
    uint32_t child;

    if (!next_segment(w->match->operation_path, &next, &segment))
        return match_end(w, n, n_values) || match_rest(w, n, at, n_values, is_root);
    /* A root has some, unread. */
    child = is_root || n->has_literals ? follow_in(w->edges, w->edges_cap, node, segment) : NO_NODE;
    if (child != NO_NODE && match_node(w, child, next, n_values, false))
        return true;
    if (n->mixed && match_mixed(w, n->mixed, segment, next, n_values))
        return true;
    if (n->parameter != NO_NODE && segment.len && n_values < ROUTE_PARAMETERS_MAX) {
        w->match->parameters[n_values].value = segment;
        if (match_node(w, n->parameter, next, n_values + 1, false))
            return true;
    }
    return match_rest(w, n, at, n_values, is_root);
}

static bool
protocol_fits(const struct route_api *a, const struct route_request *rq)
{
    uint8_t wanted = rq->is_secure ? PROTOCOL_HTTPS | PROTOCOL_WSS : PROTOCOL_HTTP | PROTOCOL_WS;

    if (rq->is_plain_trusted)
        wanted |= PROTOCOL_HTTPS | PROTOCOL_WSS;
    return !a->protocols || (a->protocols & wanted);
}

static bool
version_fits(const struct api *api, const struct route_request *rq)
{
    const struct version_set *set = api->version_set;
    struct str wanted = STR_NONE;

    if (set->scheme == VERSION_QUERY)
        return query_text_is(query_value(rq->query, set->query_name), api->version, true);
    if (rq->get_header)
        wanted = rq->get_header(rq->headers, set->header_name);
    return str_eq_nocase(wanted, api->version);
}

/* An API without versions takes what the versions of others at its place leave. */
static const struct route_api *
pick_api(const struct route_api *list, const struct route_request *rq, struct str revision)
{
    const struct route_api *plain = NULL;

    for (; list; list = list->next) {
        if ((revision.p ? !str_eq(list->api->revision, revision) : !list->is_current) || !protocol_fits(list, rq))
            continue;
        if (list->needs_version && version_fits(list->api, rq))
            return list;
        if (!list->needs_version && !plain)
            plain = list;
    }
    return plain;
}

/* "shop;rev=2" -> "shop" and "2". False when there is no such end. */
static bool
split_revision(struct str segment, struct str *ret_name, struct str *ret_revision)
{
    ptrdiff_t at = str_rfind_char(segment, ';');

    if (at < 0 || !str_starts_with_nocase(str_skip(segment, (size_t)at), STR(";rev=")))
        return false;
    *ret_name = str_sub(segment, 0, (size_t)at);
    *ret_revision = str_skip(segment, (size_t)at + 5);
    return true;
}

struct prefix {
    uint32_t node;                    /* the deepest with APIs */
    size_t end;                       /* of the path's part that led there */
    struct str revision;
    bool is_found;
};

/* Walks the prefixes below a host's root as far as the path leads. */
static struct prefix
find_prefix(const struct route_table *t, uint32_t root, struct str path)
{
    struct prefix p = {.node = root, .is_found = t->nodes[root].first_api.api != NULL};
    uint32_t node = root;
    struct str segment, name, revision;
    size_t at = 0;

    while (next_segment(path, &at, &segment)) {
        uint32_t child = t->nodes[node].has_literals ? follow(t, node, segment) : NO_NODE;

        if (child == NO_NODE) {
            if (!split_revision(segment, &name, &revision))
                break;
            child = name.len ? follow(t, node, name) : node;
            if (child != NO_NODE && t->nodes[child].first_api.api)
                p = (struct prefix){child, at, revision, true};
            break;
        }
        node = child;
        if (t->nodes[node].first_api.api)
            p = (struct prefix){node, at, STR_NONE, true};
    }
    return p;
}

/* The host's own tree, "*.example.org" for hosts below it, then the one for any host. */
static struct prefix
find_host_prefix(const struct route_table *t, const struct route_request *rq)
{
    struct prefix p = {0};
    uint32_t root = rq->host.len ? follow(t, 0, rq->host) : NO_NODE;
    struct str host = rq->host;

    if (root != NO_NODE)
        p = find_prefix(t, root, rq->path);
    while (!p.is_found && t->has_host_wildcards) {
        char wild[256] = "*";
        ptrdiff_t dot = str_find_char(host, '.', 0);

        if (dot < 0 || host.len - (size_t)dot > sizeof(wild) - 1)
            break;
        memcpy(wild + 1, host.p + dot, host.len - (size_t)dot);
        root = follow(t, 0, str_from(wild, 1 + host.len - (size_t)dot));
        if (root != NO_NODE)
            p = find_prefix(t, root, rq->path);
        host = str_skip(host, (size_t)dot + 1);
    }
    return p;
}

enum route_result
route_find_method(const struct route_table *t, const struct route_request *rq, struct str method,
                  struct route_match *ret)
{
    struct walk w = {.table = t, .rq = rq, .method = method, .method_number = route_method_number(method),
                     .match = ret};
    struct prefix p = {0};
    const struct route_api *api;

    ret->api = NULL;
    ret->operation = NULL;
    ret->n_parameters = 0;
    if (t->has_hosts)
        p = find_host_prefix(t, rq);
    if (!p.is_found)
        p = find_prefix(t, t->any_host, rq->path);
    if (!p.is_found || !(api = pick_api(&t->nodes[p.node].first_api, rq, p.revision)))
        return ROUTE_NO_API;
    __builtin_prefetch(api->api);        /* read next, and cold where there are many */
    ret->api = api->api;
    ret->api_path = str_sub(rq->path, 0, p.end);
    ret->operation_path = str_skip(rq->path, p.end);
    if (!ret->operation_path.len)
        ret->operation_path = STR("/");
    w.edges = route_api_edges(t, api->operations, api->edges_log2);
    w.edges_cap = (uint32_t)1 << api->edges_log2;
    return match_node(&w, api->operations, 0, 0, true) ? ROUTE_FOUND : ROUTE_NO_OPERATION;
}

enum route_result
route_find(const struct route_table *t, const struct route_request *rq, struct route_match *ret)
{
    return route_find_method(t, rq, rq->method, ret);
}

struct str
route_parameter_value(const struct route_match *m, struct str name)
{
    for (uint32_t i = 0; i < m->n_parameters; i++)
        if (str_eq(m->parameters[i].name, name))
            return m->parameters[i].value;
    return STR_NONE;
}
