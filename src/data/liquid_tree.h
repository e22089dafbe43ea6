/* liquid_tree.h: a compiled template, and what the files liquid_*.c share. Not for callers of liquid.h.
 *
 *     struct liquid -> nodes -> OUTPUT  variable: expression, filters
 *                            -> IF      branches: condition, nodes
 *                            -> FOR     collection, attributes, nodes ...
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/vec.h"
#include "data/liquid.h"

struct regex;

/* --- expressions --------------------------------------------------------------------------------------------------- */

enum liquid_expr_kind { EXPR_CONSTANT, EXPR_RANGE, EXPR_PATH, EXPR_THROWS };

/* A step of a path: a name, or what stands in brackets. */
struct liquid_part {
    struct str name;
    const struct liquid_expr *inner;           /* NULL: a plain name */
};

struct liquid_expr {
    enum liquid_expr_kind kind;
    union {
        struct liquid_value constant;
        struct { const struct liquid_expr *from, *to; } range;
        struct { const struct liquid_part *parts; uint32_t n; } path;
        const char *message;          /* EXPR_THROWS: of the exception that reading it throws */
    };
};

struct liquid_filter;

struct liquid_use {
    const struct liquid_filter *filter;   /* NULL: there is none of that name, the input stays */
    struct str name;
    const struct liquid_expr **args;
    uint32_t n_args;
    const struct regex *regex;        /* of a constant pattern */
};

/* {{ name | Filter: a, b }} */
struct liquid_variable {
    const struct liquid_expr *name;            /* NULL: empty */
    const struct liquid_use *uses;
    uint32_t n_uses;
};

enum liquid_operator {
    OP_NONE, OP_EQUAL, OP_NOT_EQUAL, OP_LESS, OP_MORE, OP_AT_MOST, OP_AT_LEAST, OP_CONTAINS, OP_STARTS, OP_ENDS, OP_HAS_KEY,
    OP_HAS_VALUE, OP_UNKNOWN,
};

/* `and` and `or` bind alike, from the right. */
struct liquid_condition {
    const struct liquid_expr *left, *right;
    enum liquid_operator op;
    struct str op_text;
    enum { LINK_NONE, LINK_AND, LINK_OR } link;
    const struct liquid_condition *rest;
};

/* --- nodes --------------------------------------------------------------------------------------------------------- */

enum liquid_node_kind {
    NODE_TEXT, NODE_OUTPUT, NODE_IF, NODE_UNLESS, NODE_CASE, NODE_FOR, NODE_JSON_ARRAY_FOR, NODE_TABLE_ROW, NODE_ASSIGN, NODE_CAPTURE, NODE_CYCLE,
    NODE_INCREMENT, NODE_DECREMENT, NODE_IF_CHANGED, NODE_BREAK, NODE_CONTINUE, NODE_BLOCK, NODE_THROW,
};

struct liquid_nodes {
    struct liquid_node *v;
    size_t n, cap;
};

struct liquid_branch {
    const struct liquid_condition *condition;   /* NULL: else */
    struct liquid_nodes list;
};

struct liquid_branches {
    struct liquid_branch *v;
    size_t n, cap;
};

struct liquid_loop {
    struct str variable, name;        /* name: of the loop, "item-list" */
    const struct liquid_expr *collection, *limit, *offset, *cols;
    bool continues, reversed;
    struct liquid_nodes list;
};

struct liquid_cycle {
    const struct liquid_expr *name;
    const struct liquid_expr **values;         /* an entry may be NULL: nothing stood there */
    uint32_t n;
};

struct liquid_node {
    enum liquid_node_kind kind;
    struct str text;                  /* TEXT; name of ASSIGN, CAPTURE, INCREMENT; message of THROW */
    union {
        const struct liquid_variable *variable;   /* OUTPUT, ASSIGN */
        struct liquid_branches *branches;         /* IF, UNLESS, CASE */
        struct liquid_loop *loop;
        struct liquid_cycle *cycle;
        struct liquid_nodes *list;                 /* CAPTURE, IF_CHANGED, BLOCK */
    };
};

struct liquid {
    struct liquid_nodes list;
    struct { struct str *v; size_t n, cap; } roots;   /* first names of all paths */
};

struct liquid_name {
    struct str name;
    struct liquid_value value;
};

/* A loop at work: its variable and its forloop. */
struct liquid_frame {
    struct liquid_frame *outer;
    struct str variable, loop_name;
    struct liquid_value item, loop;
};

/* --- values (liquid_value.c) ----------------------------------------------------------------------------------------- */

/* Reports an exception that DotLiquid would print; always false. */
bool liquid_throw(struct liquid_run *run, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool liquid_throw_syntax(struct liquid_run *run, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* As {{ }} prints it. */
void liquid_print(struct liquid_run *run, const struct liquid_value *v, struct buf *to);
/* ToString(): True, 1.50, 01/02/2024 03:04:05; nil is "". */
void liquid_add_text(struct liquid_run *run, const struct liquid_value *v, struct buf *to);
struct str liquid_text(struct liquid_run *run, const struct liquid_value *v);
const char *liquid_type_name(const struct liquid_value *v);
bool liquid_is_number(const struct liquid_value *v);
bool liquid_is_true(const struct liquid_value *v);
/* One UTF-16 unit of a text, from the byte at *at; surrogate pairs stay whole. */
struct str liquid_next_char(struct str s, size_t *at);
/* What .NET calls IEnumerable, strings included. */
bool liquid_is_sequence(const struct liquid_value *v);
uint64_t liquid_count(struct liquid_run *run, const struct liquid_value *v);
bool liquid_next(struct liquid_run *run, const struct liquid_value *v, struct liquid_walk *at, struct liquid_value *ret);
/* All elements of a sequence, those of sequences inside it in their place when is_flat. False: no memory (failed). */
struct liquid_values {
    struct liquid_value *v;
    size_t n, cap;
};
bool liquid_collect(struct liquid_run *run, const struct liquid_value *v, bool is_flat, struct liquid_values *ret);
/* Convert.ChangeType: false with the exception thrown. */
bool liquid_to_i64(struct liquid_run *run, const struct liquid_value *v, int64_t *ret);
bool liquid_to_i32(struct liquid_run *run, const struct liquid_value *v, int32_t *ret);
bool liquid_to_decimal(struct liquid_run *run, const struct liquid_value *v, struct decimal *ret);
double liquid_to_double(struct liquid_run *run, const struct liquid_value *v);
bool liquid_equals(struct liquid_run *run, const struct liquid_value *a, const struct liquid_value *b);
/* Comparer.Default of a and Convert.ChangeType(b, type of a). */
bool liquid_compare(struct liquid_run *run, const struct liquid_value *a, const struct liquid_value *b, int *ret);
/* [from, to] as a list that is never made. */
struct liquid_value liquid_range(struct liquid_run *run, int64_t from, int64_t to);
/* Member, element, Key, size ... as a path names it: false for none. part is a name or what brackets gave. */
bool liquid_member(struct liquid_run *run, const struct liquid_value *of, const struct liquid_value *part, bool is_bracket,
               struct liquid_value *ret);

/* --- filters (liquid_filter.c) ---------------------------------------------------------------------------------------- */

const struct liquid_filter *liquid_filter_find(struct str name);
/* The filter of this name in another case, for the note; STR_NONE. */
struct str liquid_filter_nearest(struct str name);
/* Which argument is a regular expression; 0: none. */
uint32_t liquid_filter_pattern(const struct liquid_filter *f);
/* Applies the filter; false with an exception thrown or the run failed. */
bool liquid_filter_apply(struct liquid_run *run, const struct liquid_use *use, struct liquid_value *args, uint32_t n,
                     struct liquid_value *ret);

/* n steps of work; false when the host ends the rendering. May yield. (liquid_render.c) */
bool liquid_step(struct liquid_run *run, uint64_t n);
