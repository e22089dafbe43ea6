/* doc_json.c: JSON files as a tree of nodes. JSON is YAML's flow form but for a few escapes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/doc.h"

bool
doc_parse_json(struct doc *ret, const struct source *source, struct arena *a, struct diags *diags)
{
    return doc_parse_yaml(ret, source, a, diags);
}
