/* route_table.h: the tree of path segments, as route_build.c makes it and route.c walks it.
 *
 * Nodes are numbers. Node 0 stands above everything: its edges are host names, "" for any host, each leading to the
 * root of a tree of API prefixes. A node that ends prefixes lists the APIs there (versions by header or query, and
 * revisions, share a prefix); each API has a root node of its own for its operations, in the same table.
 *
 *     edge table:  (node, lower-case segment) -> node        literal segments, one probe each
 *     node:        mixed segments, one parameter, rest       in this order, after the literal
 *
 * With many APIs a request's way is cold memory, so each step is made to touch one cache line: short segments stand in
 * their edges, and what decides about an API or an operation is copied beside the pointer to it. All of an API lies together,
 * in a page or a few: nodes and edges are cells of one array,
 *
 *     ... | edge table of API a | root of a | its nodes ... | prefix node of a | edge table of API b | root of b | ...
 *
 * and prefixes, which all requests pass, have an edge table of their own.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/vec.h"
#include "data/uri_template.h"
#include "model/model.h"
#include "model/route.h"

#define NO_NODE 0u                    /* node 0 is nobody's child */
#define EDGE_TEXT_MAX 22              /* longer segments stand elsewhere */

struct edge {
    uint32_t from, to;                /* to == NO_NODE: a free slot */
    uint16_t len;
    char text[EDGE_TEXT_MAX];         /* lower case; of a longer one its first 14 bytes and a pointer to all of it */
};
_Static_assert(sizeof(struct edge) == 32, "two edges a cache line");
#define EDGE_HEAD (EDGE_TEXT_MAX - sizeof(char *))

/* Methods by number: those of method_names[], 0 any, METHOD_OTHER what is compared as text. */
enum { METHOD_ANY, METHOD_OTHER = 255 };
uint8_t route_method_number(struct str method);

struct route_operation {
    const struct operation *operation;
    struct route_operation *next;     /* more query conditions first */
    const struct uri_template *template;
    uint8_t method;
    uint8_t n_names;
    bool has_query;                   /* conditions or parameters there */
    bool has_optional;                /* some names may have no value */
    bool has_named_rest;
    struct str names[];               /* path parameters in order */
};

struct mixed_edge {
    const struct template_segment *segment;
    uint32_t to, n_values;
    struct mixed_edge *next;
};

/* One API of a prefix. */
struct route_api {
    const struct api *api;
    struct route_api *next;
    uint32_t operations;              /* root node; its edge table ends before it */
    uint8_t protocols;
    bool is_current, needs_version;   /* by header or query */
    uint8_t edges_log2;               /* cells of that table */
};

/* A node of prefixes or one of operations, never both. */
struct route_node {
    union {
        struct route_api first_api;   /* api == NULL: no API has this prefix */
        struct {
            struct mixed_edge *mixed;
            struct route_operation *leaf;     /* operations that end here */
            struct route_operation *rest;     /* operations whose rest begins here */
        };
    };
    uint32_t parameter;               /* child, or NO_NODE */
    bool has_literals;                /* edges leave it */
};
_Static_assert(sizeof(struct route_node) == sizeof(struct edge), "both are cells of one array");

/* Memory of what every request reads, close together and on huge pages where there is much of it. */
struct route_hot {
    VEC(char *) chunks;
    char *next;
    size_t left;
};

struct route_table {
    struct arena *arena;              /* templates, literals */
    struct route_hot hot;
    struct edge *edges;               /* of prefixes */
    uint32_t edges_cap, n_edges;      /* a power of two, at most half full */
    struct route_node *nodes;         /* and edge tables of APIs */
    uint32_t n_nodes, nodes_cap;
    uint32_t any_host;                /* root */
    bool has_hosts, has_host_wildcards;
};

/* The slot of an edge, free or taken, in a table of `cap` (a power of two, never full). */
struct edge *route_find_edge(struct edge *edges, uint32_t cap, uint32_t from, struct str lower);

/* The edge table in front of an API's root. */
static inline struct edge *
route_api_edges(const struct route_table *t, uint32_t root, uint8_t log2)
{
    return (struct edge *)(void *)&t->nodes[root - ((uint32_t)1 << log2)];
}

/* Delimiters that a segment may hold raw (RFC 3986) mean the same to most backends when they are escaped: literals are found either way,
 * so that no spelling passes an operation by. The one that "%XX" at `at` stands for, or 0. */
static inline char
route_escaped_delimiter(struct str s, size_t at)
{
    int high = at + 2 < s.len ? ascii_hex_value(s.p[at + 1]) : -1, low = high < 0 ? -1 : ascii_hex_value(s.p[at + 2]);
    char c = (char)(low < 0 ? 0 : high * 16 + low);

    return c && strchr("!$&'()*+,;=:@", c) ? c : 0;
}
