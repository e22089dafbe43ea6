/* program.h: from the text of an expression to a program, and running it.
 *
 *     env = expr_env_new(libraries)          once a process; immutable to its users, shared by all workers
 *     p = expr_compile(env, &text, ...)      when a document is loaded; immutable, shared, lives in the caller's arena
 *     expr_run(p, &run, &value)              on any worker; yields where natives do
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/diag.h"
#include "expr/native.h"

struct expr_program;

/* Reads the rows of all libraries. NULL and *err (naming the row) when one is wrong, which a test of ours notices. */
struct expr_env *expr_env_new(const struct library *const *libraries, size_t n, struct err *err);
void expr_env_delete(struct expr_env *env);

/* What the place of an expression takes. */
enum expr_wanted {
    EXPR_ANY,                         /* set-variable: any value */
    EXPR_TEXT,                        /* attributes and texts: anything, converted as expr_run_text() does */
    EXPR_BOOL,                        /* condition */
    EXPR_INT,                         /* code, duration, calls: int, long, short, byte */
    EXPR_STRING,                      /* string, or null */
};

/* Where the expression that starts at text[at] (an '@' before '(' or '{') ends: the offset behind its last bracket.
 * Found by lexing C#: strings, chars and comments may hold brackets. With has_entities, &quot; &apos; &#34; ... count as what
 * they stand for. 0 when it does not end (or `at` is no start). */
size_t expr_find_end(struct str text, size_t at, bool has_entities);
/* True when, blanks aside, all of text is one expression: then *ret is the part from '@' to the closing bracket. */
bool expr_is_expression(struct str text, struct str *ret);

struct expr_options {
    const struct text_map *map;       /* how offsets in text lead back to the document; NULL: none */
    enum expr_wanted wanted;
    bool is_strict;                   /* warn about members that Azure lacks */
};

/* text is "@(...)" or "@{...}", entities decoded and named values put in; it must live as long as the program. All that the
 * program needs is allocated from `arena`. NULL when there was an error; problems go to `diags`. */
struct expr_program *expr_compile(const struct expr_env *env, struct str text, const struct expr_options *options,
                                  struct arena *arena, struct diags *diags);
/* Static type of the result. */
const struct type *expr_program_type(const struct expr_program *p);
/* A constant program has its value already: false when it is not one. */
bool expr_program_constant(const struct expr_program *p, struct value *ret);
/* Types and bytecode, for people (`headgate explain`). */
void expr_program_explain(const struct expr_program *p, struct buf *to);

/* Budgets start full. limits NULL: the defaults; it must outlive the run. */
void expr_run_init(struct expr_run *run, const struct expr_env *env, struct arena *arena, const struct expr_limits *limits);
/* Runs with fresh budgets of steps, regex and depth; bytes go on counting down over all runs of the request.
 * False: run->exception (an exception nobody caught) or run->exceeded says why. The value is kept as
 * expr_program_type() says. Yields where natives do. */
MUST_USE bool expr_run(const struct expr_program *p, struct expr_run *run, struct value *ret);
/* The value as an object and its run-time type (boxes value types); what variables store. */
MUST_USE bool expr_run_object(const struct expr_program *p, struct expr_run *run, struct object **ret);
/* The value as text: bool True/False, numbers and dates invariant, null is "" (ret->p set, len 0). */
MUST_USE bool expr_run_text(const struct expr_program *p, struct expr_run *run, struct str *ret);
/* "Object reference not set ...", or the exceeded budget with the expression's text (p NULL: without). After a run that failed. */
struct str expr_run_error(const struct expr_run *run, const struct expr_program *p);

/* Natives outside of a program (the host formats a variable): a call that only carries the run. */
struct call expr_host_call(struct expr_run *run);
/* Walks all members for the manual and for completion: types in order of their rows; NULL past the end. */
const struct type *expr_env_type(const struct expr_env *env, uint32_t i);
