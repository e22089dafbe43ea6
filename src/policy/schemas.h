/* schemas.h: the schemas of an API's definition, compiled for the validate policies when a plan of the API has one.
 *
 *     operation o -> parameters[i], request[i], responses[r] -> representations[i], headers[i]     as in model/api.h
 * Immutable; part of a snapshot.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/diag.h"
#include "model/api.h"

struct api_schemas;
struct json_schema;

/* A definition above this size is not used, as the reference says. */
#define API_DEFINITION_MAX ((size_t)4 << 20)

enum definition_state {
    DEFINITION_THERE,
    DEFINITION_MISSING,               /* none, or it could not be read */
    DEFINITION_EMPTY,                 /* it describes no operations */
};

/* One place that may have a schema. */
struct schema_slot {
    const struct json_schema *schema; /* NULL: nothing is said, or it is broken */
    bool is_broken;                   /* what is said leads nowhere; reported when it was compiled */
};

/* pointers: further places of the definition, which documents name by schema-ref. Problems are warnings. NULL only when the
 * arena is full. Blocks; off the workers. */
struct api_schemas *api_schemas_new(struct arena *keep, const struct api *api, const struct str *pointers, uint32_t n_pointers,
                                    struct diags *diags);
/* s may be NULL: missing. */
enum definition_state api_schemas_state(const struct api_schemas *s);
/* i as in the operation's own arrays; never NULL for what is in them. */
const struct schema_slot *api_schemas_parameter(const struct api_schemas *s, const struct operation *op, uint32_t i);
const struct schema_slot *api_schemas_request(const struct api_schemas *s, const struct operation *op, uint32_t i);
const struct schema_slot *api_schemas_response(const struct api_schemas *s, const struct operation *op,
                                               const struct operation_response *r, uint32_t i);
const struct schema_slot *api_schemas_header(const struct api_schemas *s, const struct operation *op,
                                             const struct operation_response *r, uint32_t i);
/* NULL: no document named this pointer. */
const struct schema_slot *api_schemas_pointer(const struct api_schemas *s, struct str pointer);
