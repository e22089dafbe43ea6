/* uri_template.h: the URL templates of operations, "/items/{id}/{file}.{ext}?lang={lang}".
 *
 *     template  = *( "/" segment ) [ "?" query ]
 *     segment   = literal | "{" name [ "?" | "=" default ] "}" | mixed | "*" | "{*" name "}"      the last two end the path
 *     mixed     = literals and parameters in turn, "{file}.{ext}"; each literal is found as far right as possible
 *     query     = name "=" ( literal | "{" name "}" ) *( "&" ... )
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define TEMPLATE_PARAMETERS_MAX 32

struct template_part {
    struct str text;                  /* a literal, or a parameter's name */
    bool is_parameter;
};

enum segment_kind { SEGMENT_LITERAL, SEGMENT_MIXED, SEGMENT_PARAMETER, SEGMENT_REST };

struct template_segment {
    enum segment_kind kind;
    bool is_optional;                 /* {id?} or {id=5}; only at the end of the path */
    bool has_default;
    struct str text;                  /* SEGMENT_LITERAL: the text; PARAMETER and REST: the name, "" for "*" */
    struct str default_value;
    const struct template_part *parts;   /* SEGMENT_MIXED */
    uint32_t n_parts;
};

struct template_query {
    struct str name;
    struct str value;                 /* the literal, or the parameter's name */
    struct str default_value;
    bool is_parameter, is_optional, has_default;
};

struct uri_template {
    const struct template_segment *segments;
    const struct template_query *query;
    uint32_t n_segments, n_query;
    uint32_t n_path_parameters;       /* those of all segments; an unnamed "*" is none */
};

/* Views of `text`; lists in `a`. ERR_SYNTAX says what and where ("at 7"). */
MUST_USE bool uri_template_parse(struct str text, struct arena *a, struct uri_template *ret, struct err *err);

/* Matches one mixed segment; values in the order of its parameters, views of `segment`. Case is ignored in literals. */
bool template_match_mixed(const struct template_segment *s, struct str segment, struct str *values);
