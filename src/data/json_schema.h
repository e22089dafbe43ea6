/* json_schema.h: JSON Schema: drafts 4, 6, 7, 2019-09, 2020-12, and what OpenAPI 2.0, 3.0 and 3.1 make of them.
 *
 *     schemas = json_schemas_new(keep, &doc, SCHEMA_OPENAPI_3_0)       a document that holds schemas, once a load
 *     s = json_schemas_get(schemas, "#/components/schemas/item", &err) compiled with all it refers to; immutable
 *     json_schema_validate(s, value, &run)                             on any thread
 * Messages and their order are those of Newtonsoft.Json.Schema, as it reads a document from front to back. References lead to
 * places of the same document only.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "data/doc.h"
#include "data/json.h"

struct json_schema;
struct json_schemas;

enum json_schema_dialect {
    SCHEMA_DRAFT_4,
    SCHEMA_DRAFT_6,
    SCHEMA_DRAFT_7,
    SCHEMA_2019_09,
    SCHEMA_2020_12,
    SCHEMA_OPENAPI_2,                 /* keywords of all drafts; `nullable` and $ref as OpenAPI has them */
    SCHEMA_OPENAPI_3_0,
    SCHEMA_OPENAPI_3_1,               /* 2020-12, formats are asserted */
};

/* What a `$schema` names; `otherwise` for what is not known. */
enum json_schema_dialect json_schema_dialect_of(struct str uri, enum json_schema_dialect otherwise);

/* The document's tree and source have to live while schemas are being compiled; what is compiled lives in `keep`. NULL when
 * the arena is full. */
struct json_schemas *json_schemas_new(struct arena *keep, const struct doc *d, enum json_schema_dialect dialect);
/* The schema at a pointer ("" or "#": all of the document), compiled at first use. NULL with *err: it leads nowhere, a keyword
 * has a value it cannot have (ERR_SYNTAX), a reference leads out of the document or nowhere (ERR_NOT_FOUND), too large. */
const struct json_schema *json_schemas_get(struct json_schemas *s, struct str pointer, struct err *err);
/* The same for a node of the tree. */
const struct json_schema *json_schemas_get_node(struct json_schemas *s, const struct doc_node *n, struct err *err);
/* Frees what compiling needed; the schemas stay. */
void json_schemas_done(struct json_schemas *s);

/* What the schema's type allows, for values that come as text. */
enum json_schema_types {
    SCHEMA_STRING = 1, SCHEMA_NUMBER = 2, SCHEMA_INTEGER = 4, SCHEMA_BOOLEAN = 8, SCHEMA_OBJECT = 16, SCHEMA_ARRAY = 32,
    SCHEMA_NULL = 64,
};
/* 0: it does not say. References are followed. */
unsigned json_schema_types(const struct json_schema *s);
/* Of the elements of an array; NULL when it does not say. */
const struct json_schema *json_schema_items(const struct json_schema *s);
/* Of a property by name; NULL. */
const struct json_schema *json_schema_property(const struct json_schema *s, struct str name);

enum schema_additional { ADDITIONAL_AS_SCHEMA, ADDITIONAL_ALLOWED, ADDITIONAL_FORBIDDEN };

struct json_schema_error {
    struct str message;
    uint32_t line, position;          /* as Newtonsoft's reader counts: behind what was read, UTF-16 units */
};

#define SCHEMA_ERRORS_MAX 100

/* One validation. The first part is the caller's. */
struct json_schema_run {
    struct arena *arena;              /* messages and scratch */
    struct str text;                  /* what the value was parsed from, for positions */
    uint64_t steps_max, regex_steps;
    enum schema_additional additional;
    bool ignore_case;                 /* of property names */
    bool only_first;                  /* stop at the first error */
    /* The result. */
    struct json_schema_error *errors; /* in order of position */
    uint32_t n_errors;                /* SCHEMA_ERRORS_MAX at most */
    struct err failed;                /* code != ERR_NONE: a limit was reached, nothing is known */
    /* The validator's. */
    uint64_t steps;
    uint32_t depth, quiet;
    size_t cursor;                    /* of the last position, with its line */
    uint32_t cursor_line;
    size_t cursor_line_at;
};

/* True: valid. False with errors, or with run->failed set. Recurses (SCHEMA_DEPTH_MAX): for a large stack. Never yields. */
MUST_USE bool json_schema_validate(const struct json_schema *s, const struct json *value, struct json_schema_run *run);
