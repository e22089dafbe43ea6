/* state_dir.h: the one folder for what must survive a restart: 0700, with the version of its format in it.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#define STATE_FORMAT 1

/* Makes the folder (and missing parents) when it is not there, owned by uid and gid when we are root ((unsigned)-1: as
 * it is); closes it to others; writes the format file, or checks the one that is there: an older format is read, a
 * newer one refused. An empty path is fine: nothing is kept. */
MUST_USE bool state_dir_open(struct str path, unsigned uid, unsigned gid, struct err *err);
