/* secret.h: values that files give by reference: env:NAME, file:PATH, or the text itself.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/doc.h"
#include "model/model.h"

struct store_files;

struct secret_rules {
    struct str folder;                /* that relative paths are taken from */
    enum diag_level missing;          /* how a reference that leads nowhere is reported; the value stays unset then */
    bool warn_if_plain;               /* of a value in the clear */
    struct store_files *files;        /* told of the file before it is read; may be NULL */
};

/* Resolves what node says. One line end at the end of a file is cut. Values live in `a`. Blocks (files). */
void secret_resolve(const struct secret_rules *rules, const struct doc *d, const struct doc_node *node, struct arena *a,
                    struct secret *ret);

/* path, or folder/path when it is relative; terminated. An empty path stays empty. */
struct str path_in(struct arena *a, struct str folder, struct str path);
