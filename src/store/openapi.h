/* openapi.h: OpenAPI 2.0, 3.0 and 3.1 documents as the source of an API's operations, by the service's import rules:
 *   - the resource name is the operationId in lower case, runs of other than letters and digits as '-', 76 at most,
 *     "-1" and so on for a repeat; without operationId it is made from method and path;
 *   - a required query parameter becomes part of the URL template, cookies are dropped, so are bodies of GET, HEAD, OPTIONS;
 *   - the first https server is the service URL.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/doc.h"
#include "model/api.h"

struct openapi {
    struct str title, description;
    struct str service_url;           /* empty: none */
    struct operation *operations;     /* op->api is for the caller to set */
    uint32_t n_operations;
    struct str *operation_ids;        /* as written, one for each operation; for directories named so */
};

/* Everything in *ret lives in `keep` or in the doc's source. Problems become diags; false when the document cannot be
 * used at all. */
bool openapi_read(const struct doc *d, struct arena *keep, struct openapi *ret);

/* JSON that fits a schema: its example, default or first enum value where there is one, else made up by type. STR_NONE
 * when nothing can be said (no schema, or one that never ends). */
struct str openapi_sample(const struct doc *d, const struct doc_node *schema, struct arena *keep);

/* Follows "$ref" inside the document; NULL, and a diag, when one leads nowhere, outside, or in a circle. */
const struct doc_node *openapi_deref(const struct doc *d, const struct doc_node *n);
