/* num.h: the one place where text becomes a number. Strict: digits only, no sign (but in _i64), no blanks.
 * On failure *ret is untouched and *err quotes the text.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "base/str.h"

MUST_USE bool num_parse_u64(struct str text, uint64_t max, uint64_t *ret, struct err *err);
MUST_USE bool num_parse_u32(struct str text, uint32_t max, uint32_t *ret, struct err *err);
/* An optional '-' or '+', then digits. */
MUST_USE bool num_parse_i64(struct str text, int64_t min, int64_t max, int64_t *ret, struct err *err);
/* 1-16 hexadecimal digits, no prefix. */
MUST_USE bool num_parse_hex(struct str text, uint64_t *ret, struct err *err);
/* true/false in any case. */
MUST_USE bool num_parse_bool(struct str text, bool *ret, struct err *err);
/* 10, 10B, 64KiB, 256MiB, 1GiB (also K, M, G, KB, MB, GB: powers of 1000 with B, of 1024 without). */
MUST_USE bool num_parse_size(struct str text, uint64_t *ret_bytes, struct err *err);
/* 250ms, 10s, 5m, 1h, 2d, combined as 1h30m; a bare number is seconds. */
MUST_USE bool num_parse_duration(struct str text, uint64_t *ret_ms, struct err *err);
/* ISO 8601: PT1M, P1DT2H, PT0.5S. Years and months are refused, as their length is not fixed. */
MUST_USE bool num_parse_iso_duration(struct str text, uint64_t *ret_ms, struct err *err);
