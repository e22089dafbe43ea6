/* dates.h: points in time as configuration files write them.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* ISO 8601: 2026-01-31, 2026-01-31T10:00:00Z, with fractions, with an offset (+02:00); without either UTC is meant.
 * Seconds since 1970; fractions are cut. Years 1 to 9999. */
MUST_USE bool date_parse_iso(struct str text, int64_t *ret_s, struct err *err);
