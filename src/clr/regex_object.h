/* regex_object.h: what the files regex*.c share: a Regex, a Match, and one search.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "clr/values.h"
#include "data/regex.h"

struct regex_object {
    struct object head;
    const struct regex *regex;
    struct string *pattern;
    int64_t options;
    int64_t timeout_ms;               /* -1: none of its own */
};

/* Capture, Group and Match are one struct: what a Match has more is behind pointers. */
struct match {
    struct object head;
    const struct regex_object *regex;
    struct string *input;
    struct regex_span span;           /* from == SIZE_MAX: no success */
    uint32_t group;                   /* position of a Group */
    struct regex_span *spans;         /* of all groups of the match */
};

/* GroupCollection, CaptureCollection, MatchCollection. */
struct collection {
    struct object head;
    const struct match *match;        /* groups, captures */
    struct match **items;             /* captures, matches */
    uint32_t n;
};

/* A type of System.Text.RegularExpressions. */
const struct type *regex_type(struct call *c, const char *name);

/* The pattern of a call whose arguments `pattern` and `options` are constant, compiled with the program; NULL otherwise. */
const void *regex_prepare(const struct prepare *p, uint32_t pattern, uint32_t options);
/* Compiles into o. False after throwing. */
bool regex_fill(struct call *c, struct regex_object *o, struct string *pattern, int64_t options, const int64_t *timeout_ticks);
/* The Regex behind a static call: pattern at args[at], options and timeout from options_at on. NULL after throwing. */
struct regex_object *regex_static(struct call *c, uint32_t at, uint32_t options_at);

static inline struct regex_object *
self_regex(const struct call *c)
{
    return (struct regex_object *)c->args[0].ref;
}

/* What one match may cost. */
uint64_t regex_steps_of(struct call *c, const struct regex_object *o);
/* Room for the spans of all groups; NULL: call_exceed. */
struct regex_span *regex_spans_new(struct call *c, const struct regex_object *o);
/* 1 found, 0 not, -1 thrown: a Regex with a timeout throws, others exceed the run's budget. */
int regex_search(struct call *c, const struct regex_object *o, struct string *input, size_t from, struct regex_span *spans);
/* Where a search begins, and where it goes on after a match (an empty one steps over a character; false at the end). */
size_t regex_start(const struct regex_object *o, const struct string *input);
bool regex_next_start(const struct regex_object *o, const struct string *input, struct regex_span span, size_t *ret);
/* Argument i, startat in units, as bytes. False after throwing. */
bool regex_start_argument(struct call *c, struct string *input, uint32_t i, size_t *ret);

/* A Match, Group or Capture; spans NULL: without success. NULL: call_exceed. */
struct match *regex_match_new(struct call *c, const struct type *type, const struct regex_object *o, struct string *input,
                              struct regex_span *spans, uint32_t group);
/* Returns the Match from a byte position on; a failed one is a Match without success. */
bool regex_match_from(struct call *c, const struct regex_object *o, struct string *input, size_t from, const struct type *type);

/* The group meant by digits or a name; -1: none. */
int regex_group_of(const struct regex *r, struct str name);
/* A replacement pattern with what the match holds in place of $1 and its kind. */
void regex_add_replacement(struct buf *to, const struct regex_object *o, struct string *input, const struct regex_span *spans,
                           struct str by);
