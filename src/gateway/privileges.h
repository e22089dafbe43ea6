/* privileges.h: becoming who we should be, once sockets are bound and keys are read.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* Looks names up (numbers are taken as they are); both empty: *ret_uid and *ret_gid are -1. The group defaults to the
 * user's own. */
MUST_USE bool privileges_find(struct str user, struct str group, unsigned *ret_uid, unsigned *ret_gid, struct err *err);
/* Becomes them for good: supplementary groups, group, user; checks that there is no way back; no new privileges by
 * exec. Nothing to do when user and group are empty or what we are already. */
MUST_USE bool privileges_drop(struct str user, struct str group, struct err *err);
