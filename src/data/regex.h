/* regex.h: regular expressions as .NET writes and matches them.
 *
 *     pattern --parse--> tree --+--> PCRE2 (JIT): nearly all patterns
 *                               \--> our backtracker: balancing groups, RightToLeft, lookbehind of varying length
 * Text is UTF-8 (WTF-8); positions are bytes. Groups are numbered as .NET does: unnamed ones first, from the left, then the
 * named ones.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct regex;

/* System.Text.RegularExpressions.RegexOptions, same bits. */
enum regex_option {
    REGEX_IGNORE_CASE = 1, REGEX_MULTILINE = 2, REGEX_EXPLICIT_CAPTURE = 4, REGEX_COMPILED = 8, REGEX_SINGLELINE = 16,
    REGEX_IGNORE_WHITESPACE = 32, REGEX_RIGHT_TO_LEFT = 64, REGEX_ECMASCRIPT = 256, REGEX_CULTURE_INVARIANT = 512,
};

/* NULL and ERR_SYNTAX with .NET's kind of sentence, ERR_LIMIT for what is too large. Immutable, for all threads; freed by
 * regex_delete(). */
struct regex *regex_new(struct str pattern, unsigned options, struct err *err);
void regex_delete(struct regex *r);
static inline void
regex_delete_any(void *r)
{
    regex_delete(r);
}

/* Groups with group 0. */
uint32_t regex_groups(const struct regex *r);
/* The number that group i is asked for by ($5 of (?<5>...)), and its name ("5" when it has none). i < regex_groups(). */
uint32_t regex_group_number(const struct regex *r, uint32_t i);
struct str regex_group_name(const struct regex *r, uint32_t i);
/* The position i of a number or name; -1 when there is none. */
int regex_find_number(const struct regex *r, uint32_t number);
int regex_find_name(const struct regex *r, struct str name);
bool regex_is_right_to_left(const struct regex *r);

enum regex_status { REGEX_MATCH, REGEX_NO_MATCH, REGEX_TOO_LONG /* steps or depth */, REGEX_NO_MEMORY };

struct regex_span {
    size_t from, to;                  /* from == SIZE_MAX: did not take part */
};

/* The first match at or after `from` (RightToLeft: at or before); spans has room for regex_groups(). steps: how much work it
 * may take (10,000,000 is about a tenth of a second). Lookbehind sees what is before `from`. Never yields. */
enum regex_status regex_match(const struct regex *r, struct str text, size_t from, uint64_t steps, struct regex_span *spans);

/* All that each group of the match at spans[0] captured, in order: ret[i] of ret_n[i] spans for group i, from the arena. */
enum regex_status regex_captures(const struct regex *r, struct str text, const struct regex_span *spans, uint64_t steps,
                                 struct arena *a, struct regex_span **ret, uint32_t *ret_n);
