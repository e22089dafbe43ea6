/* route.c: the tree of path segments (picture in the header) and the walk through it.
 *
 * Nodes are numbers. Node 0 stands above everything: its edges are host names, "" for any host, each leading to the
 * root of a tree of API prefixes. A node that ends prefixes lists the APIs there (versions by header or query, and
 * revisions, share a prefix); each API has a root node of its own for its operations, in the same table.
 *
 *     edge table:  (node, lower-case segment) -> node        literal segments, one probe each
 *     node:        mixed segments, one parameter, rest       in this order, after the literal
 *
 * A node is visited at most once by a match: the walk is bounded by the nodes of one API.
 * Positions in the path are kept while walking, names are looked up in the template of the operation that matched.
 * SPDX-License-Identifier: Apache-2.0 */
#include "model/route.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/vec.h"
#include "data/uri.h"
#include "data/uri_template.h"
#include "model/model.h"

#define NO_NODE 0u                    /* node 0 is nobody's child */
#define SEGMENT_MAX 512               /* longer segments match no literal */

struct edge {
    uint32_t from, to;                /* to == NO_NODE: a free slot */
    uint64_t hash;
    struct str segment;               /* lower case */
};

struct route_operation {
    const struct operation *operation;
    const struct uri_template *template;
    struct route_operation *next;     /* more query conditions first */
};

struct mixed_edge {
    const struct template_segment *segment;
    uint32_t to;
    struct mixed_edge *next;
};

struct route_api {
    const struct api *api;
    uint32_t operations;              /* root node */
    struct route_api *next;
};

struct route_node {
    struct mixed_edge *mixed;
    uint32_t parameter;               /* child, or NO_NODE */
    struct route_operation *leaf;     /* operations that end here */
    struct route_operation *rest;     /* operations whose rest begins here */
    struct route_api *apis;           /* that have this prefix */
};

struct route_table {
    struct arena *arena;
    struct edge *edges;
    uint32_t edges_cap, n_edges;      /* a power of two, at most half full */
    VEC(struct route_node) nodes;
    bool has_hosts, has_host_wildcards;
};

/* ---- edges ---- */

static uint64_t
hash_segment(uint32_t from, struct str lower)
{
    uint64_t h = hash_mix(from, lower.len), word;
    size_t i = 0;

    for (; i + 8 <= lower.len; i += 8) {
        memcpy(&word, lower.p + i, 8);
        h = hash_mix(h, word);
    }
    word = 0;
    if (i < lower.len)
        memcpy(&word, lower.p + i, lower.len - i);
    return hash_mix(h, word);
}

static struct edge *
find_slot(const struct route_table *t, uint32_t from, struct str lower, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (t->edges_cap - 1);

    while (t->edges[at].to != NO_NODE &&
           (t->edges[at].hash != hash || t->edges[at].from != from || !str_eq(t->edges[at].segment, lower)))
        at = (at + 1) & (t->edges_cap - 1);
    return &t->edges[at];
}

static uint32_t
follow_lower(const struct route_table *t, uint32_t from, struct str lower)
{
    return find_slot(t, from, lower, hash_segment(from, lower))->to;
}

/* The child behind a literal segment in any case, or NO_NODE. */
static uint32_t
follow(const struct route_table *t, uint32_t from, struct str segment)
{
    char lower[SEGMENT_MAX];

    if (segment.len > sizeof(lower))
        return NO_NODE;
    for (size_t i = 0; i < segment.len; i++)
        lower[i] = ascii_lower(segment.p[i]);
    return follow_lower(t, from, str_from(lower, segment.len));
}

static void
grow_edges(struct route_table *t)
{
    struct edge *old = t->edges;
    uint32_t old_cap = t->edges_cap;

    t->edges_cap = old_cap ? old_cap * 2 : 64;
    t->edges = xcalloc(t->edges_cap, sizeof(*t->edges));
    for (uint32_t i = 0; i < old_cap; i++)
        if (old[i].to != NO_NODE)
            *find_slot(t, old[i].from, old[i].segment, old[i].hash) = old[i];
    free(old);
}

static uint32_t
new_node(struct route_table *t)
{
    *vec_push(&t->nodes) = (struct route_node){0};
    return (uint32_t)t->nodes.n - 1;
}

/* A literal as paths in normal form spell it: what a path may not hold is percent-encoded. */
static struct str
normal_literal(struct arena *a, struct str text)
{
    static const char hex[] = "0123456789abcdef";
    struct buf b = buf_in(a);

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`|", c)) {
            buf_add_char(&b, '%');
            buf_add_char(&b, hex[c >> 4]);
            buf_add_char(&b, hex[c & 15]);
        } else {
            buf_add_char(&b, ascii_lower((char)c));
        }
    }
    return buf_str(&b);
}

/* The child behind a literal, made when it is not there. */
static uint32_t
enter_literal(struct route_table *t, uint32_t from, struct str segment)
{
    struct str lower = normal_literal(t->arena, segment);
    uint64_t hash = hash_segment(from, lower);
    struct edge *e;

    if ((t->n_edges + 1) * 2 > t->edges_cap)
        grow_edges(t);
    e = find_slot(t, from, lower, hash);
    if (e->to == NO_NODE) {
        uint32_t to = new_node(t);
        *e = (struct edge){.from = from, .to = to, .hash = hash, .segment = lower};
        t->n_edges++;
    }
    return e->to;
}

/* ---- building ---- */

static bool
same_mixed(const struct template_segment *a, const struct template_segment *b)
{
    if (a->n_parts != b->n_parts)
        return false;
    for (uint32_t i = 0; i < a->n_parts; i++)
        if (a->parts[i].is_parameter != b->parts[i].is_parameter ||
            (!a->parts[i].is_parameter && !str_eq_nocase(a->parts[i].text, b->parts[i].text)))
            return false;
    return true;
}

static uint32_t
enter_mixed(struct route_table *t, uint32_t from, const struct template_segment *s)
{
    struct mixed_edge **last = &t->nodes.v[from].mixed, *m;
    uint32_t to;

    for (; *last; last = &(*last)->next)
        if (same_mixed((*last)->segment, s))
            return (*last)->to;
    m = arena_new(t->arena, struct mixed_edge);
    if (!m)
        return NO_NODE;
    *last = m;
    to = new_node(t);
    *m = (struct mixed_edge){.segment = s, .to = to};
    return to;
}

static uint32_t
enter_segment(struct route_table *t, uint32_t from, const struct template_segment *s)
{
    uint32_t to;

    if (s->kind == SEGMENT_LITERAL)
        return enter_literal(t, from, s->text);
    if (s->kind == SEGMENT_MIXED)
        return enter_mixed(t, from, s);
    if (t->nodes.v[from].parameter == NO_NODE) {
        to = new_node(t);
        t->nodes.v[from].parameter = to;
    }
    return t->nodes.v[from].parameter;
}

static bool
same_conditions(const struct uri_template *a, const struct uri_template *b)
{
    if (a->n_query != b->n_query)
        return false;
    for (uint32_t i = 0; i < a->n_query; i++)
        if (!str_eq_nocase(a->query[i].name, b->query[i].name) ||
            a->query[i].is_parameter != b->query[i].is_parameter ||
            (!a->query[i].is_parameter && !str_eq(a->query[i].value, b->query[i].value)))
            return false;
    return true;
}

static uint32_t
count_conditions(const struct uri_template *t)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < t->n_query; i++)
        n += t->query[i].is_optional ? 0 : t->query[i].is_parameter ? 2 : 3;
    return n;
}

static void
report_clash(struct diags *diags, const struct operation *first, const struct operation *second)
{
    diag_add(diags, DIAG_WARNING, second->api->information, 0, 1,
             "operations `%.*s` and `%.*s` answer the same requests (%.*s %.*s), using the first", STR_ARG(first->name),
             STR_ARG(second->name), STR_ARG(second->method), STR_ARG(second->url_template));
}

static bool
add_to_list(struct route_table *t, struct route_operation **list, const struct operation *op,
            const struct uri_template *template, struct diags *diags)
{
    struct route_operation *one;

    for (; *list; list = &(*list)->next) {
        if (str_eq((*list)->operation->method, op->method) && same_conditions((*list)->template, template)) {
            report_clash(diags, (*list)->operation, op);
            return true;
        }
        if (count_conditions((*list)->template) < count_conditions(template))
            break;
    }
    one = arena_new(t->arena, struct route_operation);
    if (!one)
        return false;
    *one = (struct route_operation){.operation = op, .template = template, .next = *list};
    *list = one;
    return true;
}

static bool
add_operation(struct route_table *t, uint32_t root, const struct operation *op, struct diags *diags)
{
    struct uri_template *template = arena_new(t->arena, struct uri_template);
    struct err err = ERR_INIT;
    uint32_t node = root;

    if (!template)
        return false;
    if (!uri_template_parse(op->url_template, t->arena, template, &err)) {
        diag_add(diags, DIAG_ERROR, op->api->information, 0, 1, "operation `%.*s`: template '%.*s': %s",
                 STR_ARG(op->name), STR_ARG(op->url_template), err.text);
        return true;
    }
    for (uint32_t i = 0; i < template->n_segments; i++) {
        const struct template_segment *s = &template->segments[i];

        if (s->kind == SEGMENT_REST)
            return add_to_list(t, &t->nodes.v[node].rest, op, template, diags);
        if (s->is_optional && !add_to_list(t, &t->nodes.v[node].leaf, op, template, diags))
            return false;
        if ((node = enter_segment(t, node, s)) == NO_NODE)
            return false;
    }
    return add_to_list(t, &t->nodes.v[node].leaf, op, template, diags);
}

static bool
same_place(const struct api *a, const struct api *b)
{
    return str_eq(a->revision, b->revision) && str_eq_nocase(a->version, b->version) &&
           (a->version_set == b->version_set || !a->version.len);
}

static bool
add_api_at(struct route_table *t, struct str host, const struct api *api, uint32_t operations, struct diags *diags)
{
    uint32_t node = enter_literal(t, 0, host);
    struct str rest = api->prefix, segment;
    struct route_api *one, **last;

    while (str_split_next(&rest, '/', &segment))
        if (segment.len)
            node = enter_literal(t, node, segment);
    for (last = &t->nodes.v[node].apis; *last; last = &(*last)->next) {
        const struct api *other = (*last)->api;
        if (same_place(other, api) && !str_eq(other->root_name, api->root_name)) {
            diag_add(diags, DIAG_ERROR, api->information, 0, 1,
                     "API `%.*s` has the path '%.*s' of API `%.*s`; paths must differ", STR_ARG(api->name),
                     STR_ARG(api->prefix), STR_ARG(other->name));
            return true;
        }
    }
    one = arena_new(t->arena, struct route_api);
    if (!one)
        return false;
    *one = (struct route_api){.api = api, .operations = operations};
    *last = one;
    return true;
}

static bool
add_api(struct route_table *t, const struct api *api, struct diags *diags)
{
    uint32_t operations = new_node(t);

    for (uint32_t i = 0; i < api->n_operations; i++)
        if (!add_operation(t, operations, &api->operations[i], diags))
            return false;
    if (!api->settings.n_hosts)
        return add_api_at(t, STR(""), api, operations, diags);
    t->has_hosts = true;
    for (uint32_t i = 0; i < api->settings.n_hosts; i++) {
        struct str host = api->settings.hosts[i];

        t->has_host_wildcards = t->has_host_wildcards || str_starts_with(host, STR("*."));
        if (!add_api_at(t, host, api, operations, diags))
            return false;
    }
    return true;
}

static void
free_table(void *table)
{
    struct route_table *t = table;

    free(t->edges);
    vec_free(&t->nodes);
}

struct route_table *
route_table_new(struct arena *a, const struct model *m, struct diags *diags)
{
    struct route_table *t = arena_new(a, struct route_table);

    if (!t || !arena_defer(a, free_table, t))
        return NULL;
    t->arena = a;
    grow_edges(t);
    new_node(t);
    enter_literal(t, 0, STR(""));
    for (uint32_t i = 0; i < m->n_apis; i++)
        if (!add_api(t, &m->apis[i], diags))
            return NULL;
    return t;
}

/* ---- matching ---- */

struct walk {
    const struct route_table *table;
    const struct route_request *rq;
    struct str method;
    struct route_match *match;
};

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
        if (str_eq_nocase(name, wanted))
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
        if (!value.p || (!q->is_parameter && !str_eq(value, q->value)))
            return false;
    }
    return true;
}

static const struct route_operation *
pick_operation(const struct walk *w, const struct route_operation *list)
{
    for (; list; list = list->next) {
        struct str method = list->operation->method;
        if ((!method.len || str_eq(method, w->method)) &&
            (!list->template->n_query || conditions_hold(list->template, w->rq->query)))
            return list;
    }
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

/* Names the next path parameter: its value was stored on the way, or stands in the template or the operation. */
static void
name_path_parameter(struct route_match *m, const struct operation *op, struct str name, uint32_t n_matched,
                    const struct template_segment *s)
{
    const struct parameter *p;

    if (m->n_parameters < n_matched)
        m->parameters[m->n_parameters++].name = name;
    else if (s->has_default)
        set_parameter(m, name, s->default_value);
    else if ((p = find_default(op, name)))
        set_parameter(m, name, p->default_value);
}

static void
name_parameters(const struct walk *w, const struct route_operation *found, uint32_t n_matched)
{
    const struct uri_template *t = found->template;
    struct route_match *m = w->match;

    m->operation = found->operation;
    m->n_parameters = 0;
    for (uint32_t i = 0; i < t->n_segments; i++) {
        const struct template_segment *s = &t->segments[i];

        for (uint32_t k = 0; k < s->n_parts; k++)
            if (s->parts[k].is_parameter)
                name_path_parameter(m, found->operation, s->parts[k].text, n_matched, s);
        if (s->kind == SEGMENT_PARAMETER || (s->kind == SEGMENT_REST && s->text.len))
            name_path_parameter(m, found->operation, s->text, n_matched, s);
    }
    for (uint32_t i = 0; i < t->n_query; i++) {
        const struct template_query *q = &t->query[i];
        const struct parameter *p = q->is_parameter ? find_default(found->operation, q->value) : NULL;
        struct str value = query_value(w->rq->query, q->name);

        if (q->is_parameter && value.p)
            set_parameter(m, q->value, value);
        else if (q->is_parameter && (q->has_default || p))
            set_parameter(m, q->value, q->has_default ? q->default_value : p->default_value);
    }
}

static bool
match_rest(const struct walk *w, const struct route_node *n, size_t at, uint32_t n_values, bool is_root)
{
    struct str path = w->match->operation_path;
    const struct route_operation *found;

    if (!n->rest || (at >= path.len && !is_root) || !(found = pick_operation(w, n->rest)))
        return false;
    if (found->template->segments[found->template->n_segments - 1].text.len && n_values < ROUTE_PARAMETERS_MAX)
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

static bool
match_mixed(const struct walk *w, const struct mixed_edge *m, struct str segment, size_t at, uint32_t n_values)
{
    struct str values[TEMPLATE_PARAMETERS_MAX];

    for (; m; m = m->next) {
        uint32_t n = 0;

        if (!template_match_mixed(m->segment, segment, values))
            continue;
        for (uint32_t i = 0; i < m->segment->n_parts; i++)
            n += m->segment->parts[i].is_parameter;
        for (uint32_t i = 0; i < n && n_values + i < ROUTE_PARAMETERS_MAX; i++)
            w->match->parameters[n_values + i].value = values[i];
        if (match_node(w, m->to, at, n_values + n, false))
            return true;
    }
    return false;
}

/* Literal, mixed, parameter, rest: the first that leads to an operation with this method and query. */
static bool
match_node(const struct walk *w, uint32_t node, size_t at, uint32_t n_values, bool is_root)
{
    const struct route_node *n = &w->table->nodes.v[node];
    struct str segment;
    size_t next = at;
    uint32_t child;

    if (!next_segment(w->match->operation_path, &next, &segment))
        return match_end(w, n, n_values) || match_rest(w, n, at, n_values, is_root);
    child = follow(w->table, node, segment);
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
protocol_fits(const struct api *api, bool is_secure)
{
    uint8_t wanted = is_secure ? PROTOCOL_HTTPS | PROTOCOL_WSS : PROTOCOL_HTTP | PROTOCOL_WS;

    return !api->protocols || (api->protocols & wanted);
}

static bool
version_fits(const struct api *api, const struct route_request *rq)
{
    const struct version_set *set = api->version_set;
    struct str wanted = STR_NONE;

    if (!set || set->scheme == VERSION_SEGMENT)
        return true;
    if (set->scheme == VERSION_QUERY)
        wanted = query_value(rq->query, set->query_name);
    else if (rq->get_header)
        wanted = rq->get_header(rq->headers, set->header_name);
    return str_eq_nocase(wanted, api->version);
}

static const struct route_api *
pick_api(const struct route_api *list, const struct route_request *rq, struct str revision)
{
    for (; list; list = list->next) {
        const struct api *api = list->api;
        if ((revision.p ? str_eq(api->revision, revision) : api->is_current) && version_fits(api, rq) &&
            protocol_fits(api, rq->is_secure))
            return list;
    }
    return NULL;
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
    struct prefix p = {.node = root, .is_found = t->nodes.v[root].apis != NULL};
    uint32_t node = root;
    struct str segment, name, revision;
    size_t at = 0;

    while (next_segment(path, &at, &segment)) {
        uint32_t child = follow(t, node, segment);

        if (child == NO_NODE) {
            if (!split_revision(segment, &name, &revision))
                break;
            child = name.len ? follow(t, node, name) : node;
            if (child != NO_NODE && t->nodes.v[child].apis)
                p = (struct prefix){child, at, revision, true};
            break;
        }
        node = child;
        if (t->nodes.v[node].apis)
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
    struct walk w = {.table = t, .rq = rq, .method = method, .match = ret};
    struct prefix p = {0};
    const struct route_api *api;

    ret->api = NULL;
    ret->operation = NULL;
    ret->n_parameters = 0;
    if (t->has_hosts)
        p = find_host_prefix(t, rq);
    if (!p.is_found)
        p = find_prefix(t, follow_lower(t, 0, STR("")), rq->path);
    if (!p.is_found || !(api = pick_api(t->nodes.v[p.node].apis, rq, p.revision)))
        return ROUTE_NO_API;
    ret->api = api->api;
    ret->api_path = str_sub(rq->path, 0, p.end);
    ret->operation_path = str_skip(rq->path, p.end);
    if (!ret->operation_path.len)
        ret->operation_path = STR("/");
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
