/* config.h: reading headgate.yaml by its table of keys; what store.h's callers need stands there.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "store/store.h"

/* As config_load() of store.h; with LOAD_SECRETS_OPTIONAL references that lead nowhere are notes. before: those of the running
 * process; what has changed of them and only counts from its next start on is a warning. files: told of the files that secrets are in.
 * Both may be NULL. */
bool config_load_again(const char *path, unsigned flags, const struct options *before, struct store_files *files, struct arena *a,
                       struct options *ret, struct diags *diags);
/* What `apis:` says of an API that it does not name. */
void config_api_defaults(struct arena *a, struct api_override *ret);
