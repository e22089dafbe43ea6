/* xml_schema.h: XML against XML Schema 1.0, by libxml2. A compiled schema is immutable and shared by all threads; validating
 * cannot be bounded beforehand, so it belongs on an offload thread. Imports and includes are not followed.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct xml_schema;

/* NULL with *err (line and what is wrong). Blocks. */
struct xml_schema *xml_schema_new(struct str text, struct err *err);
/* NULL is fine. */
void xml_schema_delete(void *schema);

#define XML_SCHEMA_ERRORS_MAX 100

struct xml_schema_error {
    struct str message;
    uint32_t line;
};

struct xml_validation {
    struct str text;                  /* the document */
    bool is_soap;                     /* what is inside of the envelope's Body is validated, each element alone */
    struct arena *arena;              /* for errors */
    /* The result. */
    struct xml_schema_error *errors;
    uint32_t n_errors;
    struct err failed;                /* code != ERR_NONE: no XML, no envelope, no memory */
};

/* True: valid. Blocks, never yields. */
MUST_USE bool xml_schema_validate(const struct xml_schema *s, struct xml_validation *v);
