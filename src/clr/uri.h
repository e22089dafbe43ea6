/* uri.h: System.Uri objects, for those who make them from parts they know.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/native.h"

/* An absolute Uri of text; NULL after throwing UriFormatException. `type` is System.Uri. */
struct object *uri_new(struct call *c, const struct type *type, struct str text);
/* The same, also of a relative one. */
struct object *uri_new_any(struct call *c, const struct type *type, struct str text);
/* Uri.OriginalString of a System.Uri. */
struct str uri_original(const struct object *uri);
