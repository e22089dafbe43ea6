/* liquid_parse.h: what liquid_parse.c (tags) and liquid_expr.c (what stands inside them) share.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/liquid_tree.h"

struct liquid_parser {
    struct arena *keep;
    struct str text;                  /* all of the template; every str of the parser is a view of it */
    size_t at;
    struct liquid *result;
    struct liquid_note *notes, **notes_end;
    bool has_failed;
    unsigned depth, range_depth;
};

bool liquid_parse_error(struct liquid_parser *p, struct str where, const char *fmt, ...) PRINTF_LIKE(3, 4);
void liquid_parse_warning(struct liquid_parser *p, struct str where, const char *fmt, ...) PRINTF_LIKE(3, 4);

bool liquid_is_word(char c);
size_t liquid_skip_blanks(struct str s, size_t at);
size_t liquid_word_end(struct str s, size_t at);
/* Where the fragment at `at` ends; `at` when there is none. */
size_t liquid_fragment_end(struct str s, size_t at, bool with_commas);
/* The first fragment at or after *at, which moves behind it. */
bool liquid_find_fragment(struct str s, size_t *at, bool with_commas, struct str *ret);

/* NULL only when p->has_failed is set. */
const struct liquid_expr *liquid_parse_expr(struct liquid_parser *p, struct str s);
const struct liquid_variable *liquid_parse_variable(struct liquid_parser *p, struct str s);
/* NULL after an error. */
const struct liquid_condition *liquid_parse_condition(struct liquid_parser *p, struct str s);
