/* config.h: reading headgate.yaml by its table of keys; what store.h's callers need stands there.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "store/store.h"

/* As config_load() of store.h; with LOAD_SECRETS_OPTIONAL references that lead nowhere are notes. files: told of the files that
 * secrets are in; may be NULL. */
bool config_load_flags(const char *path, unsigned flags, struct store_files *files, struct arena *a, struct options *ret,
                       struct diags *diags);
/* What `apis:` says of an API that it does not name. */
void config_api_defaults(struct arena *a, struct api_override *ret);
