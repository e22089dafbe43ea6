/* compile.h: from the tree of a document to units of steps. For plan.c and the `compile` hooks of policies.
 *
 *     unit    steps[]   a section of one document, flat: a container is followed by what is inside it
 *     step    run, conf, next       `next` skips what is inside; the last step of a branch goes on behind its container,
 *                                   the last one of a range (retry) or of the section to STEP_END
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/vec.h"
#include "policy/document.h"
#include "policy/leak_guard.h"
#include "policy/plan.h"
#include "policy/policy.h"

#define STEP_END UINT32_MAX

struct step {
    enum flow (*run)(const void *conf, struct exchange *ex);
    const void *conf;
    uint32_t next;
    uint32_t container;           /* the step it is inside of; STEP_END at the top */
    const struct policy_def *def;
    uint8_t identity;             /* whose identity its expressions read: enum caller_source */
    struct origin origin;
};

struct unit {
    struct step *steps;
    uint32_t n;
    uint8_t *ran;                 /* by step, for test coverage: any worker may set it; NULL: nobody asks */
};

/* How the last step of a block goes on. */
enum block { BLOCK_SECTION, BLOCK_BRANCH, BLOCK_RANGE };

struct compiler {
    struct arena *arena;          /* the document's: confs, programs, texts */
    const struct policy_input *in;
    struct diags *diags;
    enum section section;
    VEC(struct step) steps;       /* of the section at work */
    VEC(bool) ends_branch;        /* beside steps: last of a branch */
    uint32_t at;                  /* the step whose policy is being compiled */
    struct str path;              /* of that step */
    struct str unsupported;       /* first policy that is not supported yet */
    bool needs_schemas;           /* some policy does */
    struct { struct str *v; size_t n, cap; } schema_pointers;   /* places of definitions that policies name */
    const struct fragment_use *fragments;  /* those being expanded, innermost first */
    uint32_t n_fragments;
    bool has_open_names;          /* named values that nobody knows were reported: their tokens stand for anything */
    bool is_fragment_alone;       /* a <fragment> checked by itself: nobody knows where it will stand */
    bool has_failed;
    struct leak_facts leak;
};

/* Compiles the policies inside `parent` into a block of the step at work. path is LastError.Path of what holds them. The
 * first step in *ret_from; STEP_END for an empty block. */
bool compile_block(struct compiler *c, const struct node *parent, struct str path, enum block kind, uint32_t *ret_from);
/* Reports a <fragment> whose file is larger than Azure takes. */
bool compile_fragment_size(struct compiler *c, const struct node *root);
/* Fills `conf` from the node's attributes, text and children by the tables. */
bool compile_element(struct compiler *c, const struct node *n, const struct attr_def *attrs,
                     const struct child_def *children, void *conf);
/* Whether the table has a row for each of the node's attributes but id and xmlns; another is a warning, under --strict an error.
 * NULL: none. compile_element() does it; for elements that a policy reads by itself. */
bool compile_known_attributes(struct compiler *c, const struct node *n, const struct attr_def *attrs);
/* A text of the document as a value of the given type; def's name is used in messages. */
bool compile_value(struct compiler *c, const struct attr_def *def, const struct doc_text *text, struct pvalue *ret);

/* In a document checked alone: text that somebody else fills in, {{name}}, {x}, ${x} or #{x}#. */
bool compile_is_placeholder(const struct compiler *c, struct str text);

/* outer\name, or outer\name[index]. */
struct str compile_path(struct compiler *c, struct str outer, const struct node *n, uint32_t index, bool is_indexed);

/* Diagnostics; errors return false. */
bool compile_error(struct compiler *c, const struct node *n, const char *fmt, ...) PRINTF_LIKE(3, 4);
void compile_warning(struct compiler *c, const struct node *n, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* An error under --strict, else a warning. */
bool compile_strict(struct compiler *c, const struct node *n, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Known and not built yet: a warning, and the API answers 501. "what (file:line)". */
struct str compile_unsupported(struct compiler *c, const struct node *n, const char *what);
/* Has the schema at this pointer of every API's definition compiled; ex->schemas knows it by the pointer. */
bool compile_schema_pointer(struct compiler *c, const struct node *n, struct str pointer);
/* The name of something outside the document: an error, or a note when the document is alone. */
bool compile_unknown_name(struct compiler *c, const struct node *n, const char *what, struct str name);

/* Runs a block of a range from inside its container's run(). Yields. */
enum flow plan_run_range(struct exchange *ex, uint32_t from);
