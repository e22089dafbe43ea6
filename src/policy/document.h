/* document.h: policy documents as people write them, read into a tree that knows where everything stood.
 *
 * Not XML: attribute values and texts may hold C# with raw quotes, `<` and `&&`. The reader follows C# by its own tokens
 * as soon as a value starts with @( or @{, and takes the escaped (well-formed) style as well. What it accepts beyond that
 * is listed at the top of document.c. It goes on after an error and reports several.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/diag.h"
#include "base/str.h"

/* Text of an attribute or element with the way back to its file. */
struct doc_text {
    struct str value;             /* entities decoded, comments dropped, named values put in once applied */
    struct text_map map;
    bool is_expression;           /* @(...) or @{...}, blanks around it cut off */
    bool is_broken;               /* an expression that does not end: reported, and not looked at again */
};

struct attribute {
    struct str name;
    uint32_t name_at;             /* offsets into the source */
    struct doc_text text;
    struct attribute *next;
};

struct node {
    struct str name;
    uint32_t at, len;             /* of the start tag's "<name", for messages */
    struct attribute *attrs;      /* in order */
    struct node *first_child, *last_child, *next, *parent;
    struct doc_text text;         /* all text directly inside */
    struct str markup;            /* everything between the tags as written, when elements were read inside */
    uint32_t markup_at;
    bool is_empty_tag;            /* <x /> */
    const struct source *source;  /* a fragment's nodes point to the fragment's file */
};

struct document {
    const struct source *source;
    struct arena *arena;
    struct node *first;           /* the top level: one <policies> or <fragment>, or parts of a document */
    uint32_t n_nodes;
    bool is_readable;             /* the tree is what its author meant, whatever small mistakes were reported */
};

struct document_limits {
    uint32_t bytes_max, nodes_max, depth_max, attributes_max;
};
#define DOCUMENT_LIMITS_DEFAULT {.bytes_max = 4 << 20, .nodes_max = 200000, .depth_max = 128, .attributes_max = 256}

/* Reads source->text; the tree points into it and lives in the arena. Problems go to diags; false when any is an error,
 * the tree then holds what could be read. limits may be NULL. */
bool document_read(struct arena *a, const struct source *source, const struct document_limits *limits, struct diags *diags,
                   struct document *ret);

/* NULL when absent. */
const struct attribute *node_attr(const struct node *n, const char *name);
const struct node *node_child(const struct node *n, const char *name);

#define EXPRESSION_BRACKETS_MAX 256u     /* open at once in an expression */
#define EXPRESSION_INTERPOLATED_MAX 16u  /* interpolated strings, one in the hole of another */

/* Where the C# expression that starts at text[at] ('@') ends: the offset behind its last bracket, or 0 when it is not
 * closed or has too many brackets or strings open at once. With is_encoded, entities count as what they stand for. */
size_t expression_end(struct str text, size_t at, bool is_encoded);
/* Why expression_end() is 0, with is_encoded: the place to show and what is missing there. */
struct expression_fault {
    size_t at, len;               /* len 0: nothing was found */
    char expected;                /* a closing bracket, or '"' for a string that is not closed; too many are open: 0, of $"" '$' */
    char found;                   /* the bracket or ';' in its place; 0: there the value ends, or the text */
    size_t opened_at;             /* the bracket that waits for `expected` */
};
/* quote: of the attribute that holds the expression; 0 in an element's text. */
struct expression_fault expression_find_fault(struct str text, size_t at, char quote);
/* Where the attribute with that expression ends all the same, looking from text[at] on: the offset of its closing quote, 0 when
 * none looks like it. minds_strings: quotes inside whole strings are none. */
size_t expression_guess_end(struct str text, size_t at, char quote, bool minds_strings);
/* Whether the braces at text[at] are the {{ of an interpolated string inside the expression `text`. */
bool expression_is_brace_escape(struct str text, size_t at);
/* Whether text[at] stands in code: not in a string, a character or a comment. */
bool expression_is_code(struct str text, size_t at);

/* Whether all of the text (blanks aside) is an expression; then blanks are cut off and is_expression is set. */
void doc_text_find_expression(struct doc_text *t);

/* Named values. lookup gives the value of a name; false when there is none, and in *ret why, where a
 * name is known all the same. */
struct named_value_source {
    void *ctx;
    bool (*lookup)(void *ctx, struct str name, struct str *ret);
    /* For a document on its own: unknown names are notes, and stand in expressions for an operand of any type. */
    bool is_unresolved_ok;
};
/* Puts values in place of every {{name}} of the tree (policies.md 1.6). False after an error. */
bool named_values_apply(struct document *d, const struct named_value_source *values, struct diags *diags);
