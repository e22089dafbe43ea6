/* secret.h: values that files give by reference: env:NAME, file:PATH, or the text itself.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/doc.h"
#include "model/model.h"

/* Resolves what node says. Relative paths are taken from `folder`. One line end at the end of a file is cut.
 * A reference that leads nowhere is reported as `missing` (with it the value stays unset); one in the clear gets a
 * warning when warn_if_plain. Values live in `a`. Blocks (files). */
void secret_resolve(const struct doc *d, const struct doc_node *node, struct str folder, enum diag_level missing,
                    bool warn_if_plain, struct arena *a, struct secret *ret);

/* path, or folder/path when it is relative; terminated. An empty path stays empty. */
struct str path_in(struct arena *a, struct str folder, struct str path);
