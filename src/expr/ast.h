/* ast.h: the tree that the parser makes: what was written, before names and types mean anything.
 *
 * One struct for all nodes; ast.def says for each kind which fields it uses. Lists are chained through `next`.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/lex.h"

enum node_kind {
#define NODE(name, fields) NODE_##name,
#include "expr/ast.def"
#undef NODE
};

struct node {
    enum node_kind kind;
    enum token_kind op;               /* of operators, argument modifiers */
    uint32_t at, end;                 /* range in the text */
    uint32_t name_at, name_end;       /* of a MEMBER's name, for messages about it */
    struct str text;                  /* a name or decoded text */
    struct node *a, *b, *c;
    struct node *list, *more;
    struct node *next;                /* in the list that this node is part of */
    struct value value;               /* of a number or character */
    enum type_kind literal_kind;
    uint16_t depth;                   /* of the tree below */
    uint8_t rank;                     /* of an array type */
    bool flag;                        /* see ast.def */
    bool is_parenthesized;
    void *bound;                      /* for the binder: what a lambda was bound to, by parameter types */
};

/* Appends n, unless it is NULL, to the list whose end is *last. */
static inline void
node_list_add(struct node ***last, struct node *n)
{
    if (!n)
        return;
    **last = n;
    *last = &n->next;
}

struct parser {
    struct str text;
    const struct token *tokens;
    size_t n, at;
    const struct text_map *map;
    struct arena *arena;
    struct diags *diags;
    unsigned nesting;                 /* productions inside each other */
    size_t reported_at;               /* token of the newest report + 1: one a token */
    struct node none;                 /* what productions return after failed */
    bool failed;                      /* the arena is full, or nesting passed its limit: parse no more */
};

/* The body of "@(" expression ")": an expression; of "@{" statements "}": a BLOCK. Problems are in diags; NULL when nothing
 * could be made of it. */
struct node *parse_expression_text(struct parser *p);
struct node *parse_block_text(struct parser *p);

/* --- for signature.c and the two halves of the parser --- */
void parser_init(struct parser *p, struct str text, const struct tokens *tokens, const struct text_map *map,
                 struct arena *arena, struct diags *diags);
struct node *parse_type(struct parser *p);
struct node *parse_expression(struct parser *p);
struct node *parse_statement(struct parser *p);
struct node *parse_block(struct parser *p);
struct node *parse_parameters(struct parser *p);
struct node *parse_pattern(struct parser *p);
struct node *parse_query(struct parser *p);
struct node *parse_initializer(struct parser *p);
const struct token *parser_peek(const struct parser *p, size_t ahead);
enum token_kind parser_kind(const struct parser *p);
bool parser_accept(struct parser *p, enum token_kind kind);
bool parser_expect(struct parser *p, enum token_kind kind);
bool parser_is_word(const struct parser *p, const char *word);
struct node *parser_node(struct parser *p, enum node_kind kind);
struct node *parser_finish(struct parser *p, struct node *n);
/* Reports at the current token, once. Returns NULL. */
struct node *parser_error(struct parser *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* What stands at the current token, for a message: 'x' or the end. */
const char *parser_found(struct parser *p);
bool parser_enter(struct parser *p);
/* Index behind the type that starts at token i, or 0. */
size_t parser_scan_type(const struct parser *p, size_t i);
