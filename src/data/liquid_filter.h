/* liquid_filter.h: how a filter is written. For the files liquid_filter*.c.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/liquid_tree.h"

#define LIQUID_ARGS_MAX 8

struct liquid_call {
    struct liquid_run *run;
    const struct liquid_use *use;
    struct liquid_value args[LIQUID_ARGS_MAX];   /* the input first; converted; absent ones are nil */
    uint32_t n;                       /* given, with the input */
    struct liquid_value ret;
};

struct liquid_filter {
    struct str name;
    const char *types;                /* see liquid_filter.c */
    /* False with an exception thrown or the run failed. */
    bool (*apply)(struct liquid_call *c);
    const char *parameter;            /* DotLiquid's name of the first one that cannot be left out */
    uint32_t pattern;                 /* which argument is a regular expression; 0: none */
};

/* A buffer that ends at the output limit, and the string made of it. */
struct buf liquid_call_buf(struct liquid_call *c);
bool liquid_return_buf(struct liquid_call *c, struct buf *b);
bool liquid_return_nil(struct liquid_call *c);
/* An argument that is a string; "" when it is absent or nil. */
struct str liquid_arg_text(const struct liquid_call *c, uint32_t i);
/* Nothing but white space. */
bool liquid_is_blank_text(struct liquid_call *c, struct str s);

#define FILTER(name) bool liquid_filter_##name(struct liquid_call *c)
FILTER(abs);
FILTER(append);
FILTER(at_least);
FILTER(at_most);
FILTER(capitalize);
FILTER(currency);
FILTER(divided_by);
FILTER(downcase);
FILTER(escape);
FILTER(lstrip);
FILTER(minus);
FILTER(modulo);
FILTER(newline_to_br);
FILTER(plus);
FILTER(prepend);
FILTER(remove);
FILTER(remove_first);
FILTER(replace);
FILTER(replace_first);
FILTER(round);
FILTER(rstrip);
FILTER(slice);
FILTER(split);
FILTER(strip);
FILTER(strip_html);
FILTER(strip_newlines);
FILTER(times);
FILTER(truncate);
FILTER(truncate_words);
FILTER(upcase);
FILTER(url_decode);
FILTER(url_encode);
