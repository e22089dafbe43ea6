/* string_parts.h: what the files about System.String share.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "clr/values.h"

/* Argument i as a StringComparison; check it first: false after throwing for a number that is none. */
enum string_comparison comparison(const struct call *c, uint32_t i);
bool check_comparison(struct call *c, uint32_t i);
/* Whether a char[] holds the unit. */
bool is_one_of(const struct array *chars, int unit);
/* Bytes of white space at the start of s; Unicode's. */
size_t white_prefix(struct str s);
/* A unit as text, in room. */
struct str char_text(char room[4], int64_t unit);
