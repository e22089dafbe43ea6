/* parameter_check.h: values of parameters and headers, which are text, against their schemas: for validate-parameters and
 * validate-headers.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/api.h"
#include "policy/validation.h"

struct schema_slot;

/* One parameter as the message has it. */
struct parameter_values {
    struct str name;                  /* as written there */
    const struct str *values;         /* decoded, in order; several: it was repeated */
    uint32_t n;
    /* Members of an object that stands in several parameters (deepObject, exploded forms). */
    const struct str *keys;
    bool is_object;
};

enum parameter_kind { KIND_PATH_PARAMETER, KIND_QUERY_PARAMETER, KIND_REQUEST_HEADER, KIND_RESPONSE_HEADER };
/* "PathParameter" ...; "path parameter", "header". */
struct str parameter_kind_type(enum parameter_kind kind);
struct str parameter_kind_text(enum parameter_kind kind);

/* Judges the values by what the definition says. False when that ends the validation. Yields. */
bool parameter_check(struct validation *v, int action, enum parameter_kind kind, const struct parameter *p,
                     const struct schema_slot *slot, const struct parameter_values *values);
/* "Unspecified header X is not allowed." */
bool parameter_unspecified(struct validation *v, int action, enum parameter_kind kind, struct str name);
/* A required one that is not there. */
bool parameter_missing(struct validation *v, int action, enum parameter_kind kind, struct str name);
/* The API's definition is not there or says nothing: one finding, and false in any case. */
bool parameter_no_definition(struct validation *v, int action);
