/* doc.h: a YAML or JSON file as one tree whose nodes know where they stand, for configuration files and OpenAPI
 * documents. (JSON values of requests and expressions are data/json.h.)
 *
 *     struct doc d;
 *     if (doc_parse(&d, source, arena, diags))
 *         path = doc_get_str(&d, doc_get(d.root, "properties"), "path", STR("/"));
 *
 * A getter that finds something of another type reports it, with position, and gives the fallback.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/str.h"

enum doc_kind { DOC_NULL, DOC_BOOL, DOC_NUMBER, DOC_STRING, DOC_LIST, DOC_MAP };

struct doc_node {
    enum doc_kind kind;
    uint32_t at, len;                 /* bytes in the source; for a list or map its first line at most */
    uint32_t key_at;                  /* of the key, for an entry of a map; its length is key.len or more */
    uint32_t n;                       /* children */
    uint32_t weight;                  /* nodes of this subtree, aliases counted as if written out */
    struct str key;                   /* entry of a map; STR_NONE otherwise */
    struct str text;                  /* scalars: as written, quotes and escapes resolved */
    struct doc_node *first;           /* children in document order */
    struct doc_node *next;            /* sibling */
};

struct doc {
    const struct source *source;
    struct arena *arena;
    struct diags *diags;
    struct doc_node *root;            /* never NULL after a successful parse; DOC_NULL for an empty file */
};

#define DOC_DEPTH_MAX 100
#define DOC_NODES_MAX 2000000         /* aliases written out */

/* Parses by what the text begins with: '{' or '[' is JSON, anything else YAML 1.2 (core types; anchors and merge
 * keys too). Tree in `a`, texts in `a` or the source. A problem is a diag, and false. */
bool doc_parse(struct doc *ret, const struct source *source, struct arena *a, struct diags *diags);
/* What is nearly JSON (a comma too many, a name without quotes) is read as YAML, of which JSON is a part, with a warning. For
 * documents of a kind that services read so, too: descriptions of APIs. */
bool doc_parse_loosely(struct doc *ret, const struct source *source, struct arena *a, struct diags *diags);
bool doc_parse_yaml(struct doc *ret, const struct source *source, struct arena *a, struct diags *diags);
bool doc_parse_json(struct doc *ret, const struct source *source, struct arena *a, struct diags *diags);

/* The entry of a map, or NULL; map may be NULL or no map. */
const struct doc_node *doc_get(const struct doc_node *map, const char *key);
const struct doc_node *doc_get_key(const struct doc_node *map, struct str key);
/* "#/components/schemas/item" (RFC 6901 after the '#'); NULL when it leads nowhere. */
const struct doc_node *doc_pointer(const struct doc_node *root, struct str pointer);

#define doc_each(it, parent) \
    for (const struct doc_node *it = (parent) ? (parent)->first : NULL; it; it = it->next)

/* Values of entries. A number or a truth is fine where text is wanted (its text as written). null counts as absent. */
struct str doc_get_str(const struct doc *d, const struct doc_node *map, const char *key, struct str fallback);
bool doc_get_bool(const struct doc *d, const struct doc_node *map, const char *key, bool fallback);
uint32_t doc_get_u32(const struct doc *d, const struct doc_node *map, const char *key, uint32_t max,
                     uint32_t fallback);
/* A map or list, or NULL. */
const struct doc_node *doc_get_map(const struct doc *d, const struct doc_node *map, const char *key);
const struct doc_node *doc_get_list(const struct doc *d, const struct doc_node *map, const char *key);
/* A list of scalars as texts in the doc's arena; a single scalar is a list of one. */
struct str *doc_get_strs(const struct doc *d, const struct doc_node *map, const char *key, uint32_t *ret_n);

bool doc_is_scalar(const struct doc_node *n);
/* "a list", "text", ...: for messages. */
const char *doc_kind_name(const struct doc_node *n);

/* Problems at a node, or at its key. */
void doc_report(const struct doc *d, enum diag_level level, const struct doc_node *n, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void doc_report_key(const struct doc *d, enum diag_level level, const struct doc_node *n, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* As compact JSON. */
void doc_write_json(const struct doc_node *n, struct buf *to);
