/* route_build.c: APIs and operations become the table of route_table.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "base/hash.h"
#include "model/route_table.h"

#define HUGE_PAGE ((size_t)2 << 20)
#define SMALL_CHUNK ((size_t)32 << 10)

static const struct str method_names[] = {
    STR_INIT(""), STR_INIT("GET"), STR_INIT("POST"), STR_INIT("PUT"), STR_INIT("DELETE"), STR_INIT("PATCH"), STR_INIT("HEAD"),
    STR_INIT("OPTIONS"), STR_INIT("TRACE"), STR_INIT("CONNECT"),
};

uint8_t
route_method_number(struct str method)
{
    for (uint8_t i = 0; i < COUNTOF(method_names); i++)
        if (str_eq(method_names[i], method))
            return i;
    return METHOD_OTHER;
}

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

static struct str
edge_text(const struct edge *e)
{
    const char *far;

    if (e->len <= EDGE_TEXT_MAX)
        return str_from(e->text, e->len);
    memcpy(&far, e->text + EDGE_HEAD, sizeof(far));
    return str_from(far, e->len);
}

static bool
is_edge(const struct edge *e, uint32_t from, struct str lower)
{
    return e->from == from && e->len == lower.len && memcmp(edge_text(e).p, lower.p, lower.len) == 0;
}

struct edge *
route_find_edge(struct edge *edges, uint32_t cap, uint32_t from, struct str lower)
{
    uint32_t at = (uint32_t)hash_segment(from, lower) & (cap - 1);

    while (edges[at].to != NO_NODE && !is_edge(&edges[at], from, lower))
        at = (at + 1) & (cap - 1);
    return &edges[at];
}

/* Much memory comes on huge pages, where the kernel has them: a walk would miss in the page tables, too. Zeroed. */
static void *
new_pages(size_t size)
{
    void *p = size < HUGE_PAGE ? xmalloc(size) : aligned_alloc(HUGE_PAGE, (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));

    ASSERT(p);
    if (size >= HUGE_PAGE)
        (void)madvise(p, size, MADV_HUGEPAGE);
    return memset(p, 0, size);
}

static void *
hot_alloc(struct route_hot *h, size_t size)
{
    void *p;

    size = (size + 7) & ~(size_t)7;
    if (size > h->left) {
        h->left = h->chunks.n < 8 ? SMALL_CHUNK : HUGE_PAGE;
        h->next = new_pages(h->left);
        *vec_push(&h->chunks) = h->next;
    }
    p = h->next;
    h->next += size;
    h->left -= size;
    return p;
}

static void
grow_edges(struct route_table *t)
{
    struct edge *old = t->edges;
    uint32_t old_cap = t->edges_cap;

    t->edges_cap = old_cap ? old_cap * 2 : 64;
    t->edges = new_pages(t->edges_cap * sizeof(*t->edges));
    for (uint32_t i = 0; i < old_cap; i++)
        if (old[i].to != NO_NODE)
            *route_find_edge(t->edges, t->edges_cap, old[i].from, edge_text(&old[i])) = old[i];
    free(old);
}

/* The first of n fresh cells, nodes or edges. */
static uint32_t
new_cells(struct route_table *t, uint32_t n)
{
    uint32_t first = t->n_nodes, cap = MAX(t->nodes_cap, 64u);

    while (cap - first < n)
        cap *= 2;
    if (cap > t->nodes_cap) {
        struct route_node *old = t->nodes;

        t->nodes = new_pages(cap * sizeof(*t->nodes));
        if (old)
            memcpy(t->nodes, old, first * sizeof(*old));
        free(old);
        t->nodes_cap = cap;
    }
    t->n_nodes += n;
    return first;
}

static uint32_t
new_node(struct route_table *t)
{
    return new_cells(t, 1);
}

/* A literal as paths in normal form spell it: what a path may not hold is percent-encoded. */
static struct str
normal_literal(struct arena *a, struct str text)
{
    static const char hex[] = "0123456789abcdef";
    struct buf b = buf_in(a);

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        char delimiter = c == '%' ? route_escaped_delimiter(text, i) : 0;
        if (delimiter) {
            buf_add_char(&b, delimiter);
            i += 2;
        } else if (c <= 0x20 || c >= 0x7f || strchr("\"<>[]\\^`|", c)) {
            buf_add_char(&b, '%');
            buf_add_char(&b, hex[c >> 4]);
            buf_add_char(&b, hex[c & 15]);
        } else {
            buf_add_char(&b, ascii_lower((char)c));
        }
    }
    return buf_str(&b);
}

static void
set_edge(struct edge *e, uint32_t from, uint32_t to, struct str lower)
{
    *e = (struct edge){.from = from, .to = to, .len = (uint16_t)lower.len};
    if (lower.len <= EDGE_TEXT_MAX)
        memcpy(e->text, lower.p, lower.len);
    else
        memcpy(e->text + EDGE_HEAD, &lower.p, sizeof(lower.p));
}

/* The child behind a literal among prefixes, made when it is not there. */
static uint32_t
enter_prefix(struct route_table *t, uint32_t from, struct str segment)
{
    struct str lower = normal_literal(t->arena, segment);
    struct edge *e;

    if ((t->n_edges + 1) * 2 > t->edges_cap)
        grow_edges(t);
    e = route_find_edge(t->edges, t->edges_cap, from, lower);
    if (e->to == NO_NODE) {
        set_edge(e, from, new_node(t), lower);
        t->nodes[from].has_literals = true;
        t->n_edges++;
    }
    return e->to;
}

/* An API under construction. */
struct tree {
    uint32_t root;
    uint8_t edges_log2;               /* of the table in front of it, which has room for all literals */
};

static uint32_t
enter_literal(struct route_table *t, const struct tree *tree, uint32_t from, struct str segment)
{
    struct str lower = normal_literal(t->arena, segment);
    uint32_t cap = (uint32_t)1 << tree->edges_log2, to;

    to = route_find_edge(route_api_edges(t, tree->root, tree->edges_log2), cap, from, lower)->to;
    if (to == NO_NODE) {
        to = new_node(t);                /* may move the table */
        set_edge(route_find_edge(route_api_edges(t, tree->root, tree->edges_log2), cap, from, lower), from, to, lower);
        t->nodes[from].has_literals = true;
    }
    return to;
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
    struct mixed_edge **last = &t->nodes[from].mixed, *m;
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
    for (uint32_t i = 0; i < s->n_parts; i++)
        m->n_values += s->parts[i].is_parameter;
    return to;
}

static uint32_t
enter_segment(struct route_table *t, const struct tree *tree, uint32_t from, const struct template_segment *s)
{
    uint32_t to;

    if (s->kind == SEGMENT_LITERAL)
        return enter_literal(t, tree, from, s->text);
    if (s->kind == SEGMENT_MIXED)
        return enter_mixed(t, from, s);
    if (t->nodes[from].parameter == NO_NODE) {
        to = new_node(t);
        t->nodes[from].parameter = to;
    }
    return t->nodes[from].parameter;
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

/* The names of path parameters, in order. */
static void
collect_names(const struct uri_template *t, struct route_operation *to)
{
    for (uint32_t i = 0; i < t->n_segments; i++) {
        const struct template_segment *s = &t->segments[i];

        for (uint32_t k = 0; k < s->n_parts; k++)
            if (s->parts[k].is_parameter)
                to->names[to->n_names++] = s->parts[k].text;
        if (s->kind == SEGMENT_PARAMETER || (s->kind == SEGMENT_REST && s->text.len))
            to->names[to->n_names++] = s->text;
        to->has_optional = to->has_optional || s->is_optional;
        to->has_named_rest = s->kind == SEGMENT_REST && s->text.len;
    }
}

static struct route_operation *
new_operation(struct route_table *t, const struct operation *op, const struct uri_template *template)
{
    size_t size = sizeof(struct route_operation) + template->n_path_parameters * sizeof(struct str);
    struct route_operation *one = hot_alloc(&t->hot, size);

    one->operation = op;
    one->template = template;
    one->method = route_method_number(op->method);
    one->has_query = template->n_query > 0;
    collect_names(template, one);
    return one;
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
    one = new_operation(t, op, template);
    one->next = *list;
    *list = one;
    return true;
}

static bool
add_operation(struct route_table *t, const struct tree *tree, const struct operation *op,
              const struct uri_template *template, struct diags *diags)
{
    uint32_t node = tree->root;

    for (uint32_t i = 0; i < template->n_segments; i++) {
        const struct template_segment *s = &template->segments[i];

        if (s->kind == SEGMENT_REST)
            return add_to_list(t, &t->nodes[node].rest, op, template, diags);
        if (s->is_optional && !add_to_list(t, &t->nodes[node].leaf, op, template, diags))
            return false;
        if ((node = enter_segment(t, tree, node, s)) == NO_NODE)
            return false;
    }
    return add_to_list(t, &t->nodes[node].leaf, op, template, diags);
}

/* The templates of an API's operations; one that cannot be read is a diagnostic and stays without segments, `is_bad`. */
struct parsed {
    struct uri_template template;
    bool is_bad;
};

static struct parsed *
parse_templates(struct route_table *t, const struct api *api, uint32_t *ret_literals, struct diags *diags)
{
    struct parsed *all = arena_new_array(t->arena, struct parsed, api->n_operations);

    *ret_literals = 0;
    for (uint32_t i = 0; all && i < api->n_operations; i++) {
        const struct operation *op = &api->operations[i];
        struct err err = ERR_INIT;

        if (!uri_template_parse(op->url_template, t->arena, &all[i].template, &err)) {
            diag_add(diags, DIAG_ERROR, api->information, 0, 1, "operation `%.*s`: template '%.*s': %s",
                     STR_ARG(op->name), STR_ARG(op->url_template), err.text);
            all[i].is_bad = true;
            continue;
        }
        for (uint32_t k = 0; k < all[i].template.n_segments; k++)
            *ret_literals += all[i].template.segments[k].kind == SEGMENT_LITERAL;
    }
    return all;
}

/* Edge table and root, then all operations. False without memory. */
static bool
build_tree(struct route_table *t, const struct api *api, struct tree *ret, struct diags *diags)
{
    uint32_t literals;
    struct parsed *all = parse_templates(t, api, &literals, diags);

    if (!all)
        return false;
    ret->edges_log2 = 0;
    while (((uint64_t)1 << ret->edges_log2) * 3 / 4 < literals)      /* a free slot ends each search */
        ret->edges_log2++;
    new_cells(t, (uint32_t)1 << ret->edges_log2);
    ret->root = new_node(t);
    for (uint32_t i = 0; i < api->n_operations; i++)
        if (!all[i].is_bad && !add_operation(t, ret, &api->operations[i], &all[i].template, diags))
            return false;
    return true;
}

/* Without a version set nothing in a request says which version it is for. */
static struct str
told_version(const struct api *api)
{
    return api->version_set ? api->version : STR("");
}

static bool
same_place(const struct api *a, const struct api *b)
{
    return str_eq(a->revision, b->revision) && str_eq_nocase(told_version(a), told_version(b)) &&
           (a->version_set == b->version_set || !told_version(a).len);
}

static bool
is_clash(struct diags *diags, const struct api *first, const struct api *second)
{
    if (!same_place(first, second) || str_eq(first->root_name, second->root_name))
        return false;
    diag_add(diags, DIAG_ERROR, second->information, 0, 1, "API `%.*s` has the path '%.*s' of API `%.*s`; paths must differ%s",
             STR_ARG(second->name), STR_ARG(second->prefix), STR_ARG(first->name),
             second->version.len && !second->version_set ? " (`apiVersion` counts only with `apiVersionSetId`)" : "");
    return true;
}

static void
add_api_at(struct route_table *t, struct str host, const struct api *api, const struct tree *tree, struct diags *diags)
{
    struct route_api one = {.api = api, .operations = tree->root, .edges_log2 = tree->edges_log2,
                            .protocols = api->protocols, .is_current = api->is_current,
                            .needs_version = api->version_set && api->version_set->scheme != VERSION_SEGMENT};
    uint32_t node = enter_prefix(t, 0, host);
    struct str rest = api->prefix, segment;
    struct route_api *last;

    while (str_split_next(&rest, '/', &segment))
        if (segment.len)
            node = enter_prefix(t, node, segment);
    last = &t->nodes[node].first_api;
    if (!last->api) {
        *last = one;
        return;
    }
    for (;; last = last->next) {
        if (is_clash(diags, last->api, api))
            return;
        if (!last->next)
            break;
    }
    last->next = hot_alloc(&t->hot, sizeof(one));
    *last->next = one;
}

static bool
add_api(struct route_table *t, const struct api *api, struct diags *diags)
{
    struct tree tree;

    if (!build_tree(t, api, &tree, diags))
        return false;
    if (!api->settings.n_hosts)
        add_api_at(t, STR(""), api, &tree, diags);
    t->has_hosts = t->has_hosts || api->settings.n_hosts;
    for (uint32_t i = 0; i < api->settings.n_hosts; i++) {
        struct str host = api->settings.hosts[i];

        t->has_host_wildcards = t->has_host_wildcards || str_starts_with(host, STR("*."));
        add_api_at(t, host, api, &tree, diags);
    }
    return true;
}

static void
free_table(void *table)
{
    struct route_table *t = table;

    free(t->edges);
    free(t->nodes);
    for (size_t i = 0; i < t->hot.chunks.n; i++)
        free(t->hot.chunks.v[i]);
    vec_free(&t->hot.chunks);
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
    t->any_host = enter_prefix(t, 0, STR(""));
    for (uint32_t i = 0; i < m->n_apis; i++)
        if (!add_api(t, &m->apis[i], diags))
            return NULL;
    return t;
}
