/* json_schema_tree.h: a compiled schema. Not for callers of json_schema.h.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/decimal.h"
#include "data/json_schema.h"

struct regex;

/* Schemas inside schemas while validating, and references after one another. */
#define SCHEMA_DEPTH_MAX 1000

/* A number of a schema or a document: a decimal when it fits one exactly. */
struct schema_number {
    double d;
    struct decimal decimal;
    bool is_decimal;
};
struct schema_number schema_number_of(const struct json *j);
struct schema_number schema_number_of_text(struct str text);

struct schema_bound {
    bool is_set, is_exclusive;
    struct schema_number n;
};

/* What stands for the rest: true, false or a schema. */
enum schema_rest_kind { REST_UNSAID, REST_ANY, REST_NONE, REST_SCHEMA };
struct schema_rest {
    enum schema_rest_kind kind;
    const struct json_schema *schema;
};

struct schema_list {
    const struct json_schema **v;
    uint32_t n;
};

struct schema_pattern {
    struct str text;
    const struct regex *regex;        /* NULL: not a regular expression, `problem` says why */
    struct str problem;
    const struct json_schema *schema; /* of patternProperties */
};

/* What is known of a property name. */
struct schema_property {
    struct str name;
    const struct json_schema *schema; /* NULL: only named in `required` */
    bool is_required;
    uint32_t hash;
};

struct schema_dependency {
    struct str name;
    const struct str *required;
    uint32_t n_required;
    const struct json_schema *schema; /* NULL: names only */
};

enum schema_format {
    FORMAT_NONE,
#define FORMAT(id, name, check) FORMAT_##id,
#include "data/json_schema_formats.def"
#undef FORMAT
};
/* FORMAT_NONE for what is not checked. */
enum schema_format schema_format_by_name(struct str name);
bool schema_format_check(enum schema_format f, struct str text);

/* A document, or a part of it with an $id of its own. */
struct schema_resource {
    struct str base;                  /* its URI without fragment */
    struct schema_anchor {
        struct schema_anchor *next;
        struct str name;
        const struct doc_node *node;
        bool is_dynamic;
        const struct json_schema *schema;   /* of a dynamic one, compiled */
    } *anchors;
    const struct doc_node *root;
    uint32_t from, to;                /* its bytes in the source */
    bool is_recursive;                /* $recursiveAnchor */
    const struct json_schema *root_schema;   /* of a recursive one */
    struct schema_resource *next;
};

struct json_schema {
    unsigned types;                   /* enum json_schema_types; 0: any */
    bool always_false;
    bool takes_whole_floats;          /* 1.0 is an integer */
    bool tracks;                      /* has unevaluated...: needs to know what others looked at */
    const struct schema_resource *resource;

    const struct json_schema *ref;
    struct str dynamic;               /* name of a $dynamicRef whose target (ref) has that dynamic anchor; STR_NONE */
    bool is_recursive_ref;

    const struct json *const *values; /* enum */
    uint32_t n_values;
    const struct json *constant;

    struct schema_bound maximum, minimum;
    struct schema_bound exclusive_maximum, exclusive_minimum;   /* those that are numbers of their own */
    struct schema_bound multiple_of;
    int64_t min_length, max_length;   /* -1: none, as all that follow */
    const struct schema_pattern *pattern;
    enum schema_format format;
    struct str format_name;
    bool is_base64;

    struct schema_property *properties;   /* in order of the document */
    uint32_t n_properties;
    const uint32_t *required;         /* positions, in order of the keyword */
    uint32_t n_required;
    uint32_t *slots;                  /* hash -> position + 1; of slots_size, a power of two */
    uint32_t slots_size;
    const struct schema_pattern *patterns;
    uint32_t n_patterns;
    struct schema_rest additional;    /* of properties */
    const struct json_schema *names;
    int64_t min_properties, max_properties;
    const struct schema_dependency *dependencies;
    uint32_t n_dependencies;
    struct schema_rest unevaluated_properties;

    struct schema_list prefix;
    struct schema_rest items;         /* behind the prefix */
    bool has_tuple;                   /* `items` was a list or prefixItems stood there: another message */
    const struct json_schema *contains;
    int64_t min_contains, max_contains;
    bool contains_evaluates;          /* 2020-12 */
    int64_t min_items, max_items;
    bool unique_items;
    struct schema_rest unevaluated_items;

    struct schema_list all_of, any_of, one_of;
    const struct json_schema *not, *if_, *then, *else_;
};

uint32_t schema_name_hash(struct str name);
const struct schema_property *schema_find_property(const struct json_schema *s, struct str name, bool ignore_case);
