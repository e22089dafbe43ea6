/* text.h: comparing, searching and changing the case of strings as .NET does under the invariant culture.
 *
 * ASCII text, nearly all there is, is worked on as bytes; other text as UTF-16 units (string_wide()).
 * Culture-sensitive order is the invariant culture's word sort for Latin text: marks, digits, letters; accents decide between
 * equal letters, case between equal accents, small letters first; hyphens and apostrophes last.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/unicode.h"
#include "clr/values.h"

/* Simple (one to one) mappings of a code point. */
uint32_t text_upper(uint32_t code_point);
uint32_t text_lower(uint32_t code_point);
/* All of a string; the same object when nothing changes. NULL: out of budget. */
struct string *text_to_upper(struct call *c, struct string *s);
struct string *text_to_lower(struct call *c, struct string *s);

/* What string.Compare() gives, also by number; NULL sorts first. */
int text_compare(const struct string *a, const struct string *b, enum string_comparison how);
/* The same for parts of strings. */
int text_compare_str(struct str a, struct str b, enum string_comparison how);
bool text_equals(const struct string *a, const struct string *b, enum string_comparison how);
/* Equal texts under `how` have equal hashes. */
uint64_t text_hash(const struct string *s, enum string_comparison how);
bool text_starts_with(struct call *c, struct string *s, struct string *prefix, enum string_comparison how);
bool text_ends_with(struct call *c, struct string *s, struct string *suffix, enum string_comparison how);

/* Unit index of the first `needle` that lies in [from, from + count); -1 none, -2 out of budget. An empty needle is at from. */
int64_t text_index_of(struct call *c, struct string *s, struct string *needle, uint32_t from, uint32_t count,
                      enum string_comparison how);
/* Of the last one in [from, from + count). */
int64_t text_last_index_of(struct call *c, struct string *s, struct string *needle, uint32_t from, uint32_t count,
                           enum string_comparison how);

/* Char.IsLetter ... of a UTF-16 unit; its category is in base/unicode.h. */
bool text_is_number(uint32_t c);
bool text_is_letter(uint32_t c);
bool text_is_digit(uint32_t c);
bool text_is_upper(uint32_t c);
bool text_is_lower(uint32_t c);
bool text_is_white(uint32_t c);
bool text_is_punctuation(uint32_t c);
bool text_is_symbol(uint32_t c);
bool text_is_control(uint32_t c);
bool text_is_separator(uint32_t c);
