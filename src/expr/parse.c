/* parse.c: statements, types and parameters; what all productions share. Expressions are in parse_expr.c.
 *
 * Each production has one function with its rule above it. A production that cannot go on reports at its token, returns
 * what it has and leaves the token; statements then skip to the next ';' or '}', so that several errors are found at once.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/ast.h"

#include <stdarg.h>

#define NESTING_MAX 1000     /* productions inside each other: about 110 brackets, 64 KiB of stack */
#define TERMS_MAX 4000       /* of a + b + ... */
#define TREE_DEPTH_MAX 1500  /* of left-deep chains: a.b().c() ... */

/* --- shared by all productions ------------------------------------------------------------------------------------ */

void
parser_init(struct parser *p, struct str text, const struct tokens *tokens, const struct text_map *map,
            struct arena *arena, struct diags *diags)
{
    *p = (struct parser){.text = text, .tokens = tokens->v, .n = tokens->n, .map = map, .arena = arena, .diags = diags};
}

const struct token *
parser_peek(const struct parser *p, size_t ahead)
{
    return &p->tokens[MIN(p->at + ahead, p->n - 1)];
}

enum token_kind
parser_kind(const struct parser *p)
{
    return p->failed ? TOK_END : parser_peek(p, 0)->kind;
}

struct node *
parser_error(struct parser *p, const char *fmt, ...)
{
    const struct token *t = parser_peek(p, 0);
    struct buf text = buf_in(p->arena);
    va_list ap;

    if (p->reported_at == p->at + 1 || t->kind == TOK_UNKNOWN)
        return NULL;
    p->reported_at = p->at + 1;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    diag_add_mapped(p->diags, DIAG_ERROR, p->map, t->at, MAX(t->len, 1u), "%.*s", (int)text.len, text.p ? text.p : "");
    return NULL;
}

bool
parser_accept(struct parser *p, enum token_kind kind)
{
    if (parser_kind(p) != kind || kind == TOK_END)
        return false;
    p->at++;
    return true;
}

const char *
parser_found(struct parser *p)
{
    const struct token *t = parser_peek(p, 0);
    struct buf text = buf_in(p->arena);
    struct str shown = str_sub(p->text, t->at, t->at + MIN(t->len, 40u));

    if (t->kind == TOK_END)
        return "the end";
    if (t->kind == TOK_HOLE_END)
        return "'}'";
    buf_printf(&text, "'%.*s'", STR_ARG(shown));
    shown = buf_str(&text);
    return shown.p ? shown.p : "something else";
}

bool
parser_expect(struct parser *p, enum token_kind kind)
{
    bool is_sign = kind > TOK_UNKNOWN;

    if (parser_accept(p, kind))
        return true;
    parser_error(p, is_sign ? "expected '%s', found %s%s" : "expected %s, found %s%s", token_kind_text(kind), parser_found(p),
                 kind == TOK_SEMICOLON ? " (CS1002)" : kind == TOK_CLOSE_PAREN ? " (CS1026)"
                 : kind == TOK_CLOSE_BRACE ? " (CS1513)" : " (CS1003)");
    return false;
}

/* A contextual keyword. */
bool
parser_is_word(const struct parser *p, const char *word)
{
    const struct token *t = parser_peek(p, 0);

    return !p->failed && t->kind == TOK_IDENTIFIER && str_eq(t->text, str_from_c(word)) && t->len == t->text.len;
}

struct node *
parser_node(struct parser *p, enum node_kind kind)
{
    struct node *n = p->failed ? NULL : arena_new(p->arena, struct node);

    if (!n) {                /* full, or too deep: every production ends at once, on this one node */
        p->failed = true;
        p->none = (struct node){.kind = NODE_ERROR, .list = NULL};
        return &p->none;
    }
    n->kind = kind;
    n->at = parser_peek(p, 0)->at;
    n->end = n->at + parser_peek(p, 0)->len;
    n->depth = 1;
    return n;
}

static unsigned
depth_of(const struct node *n)
{
    unsigned depth = 0;

    for (; n; n = n->next)
        depth = MAX(depth, n->depth);
    return depth;
}

/* Closes a node at the token before the current one, and bounds the depth of the tree. */
struct node *
parser_finish(struct parser *p, struct node *n)
{
    const struct token *last = &p->tokens[p->at ? p->at - 1 : 0];
    unsigned depth = 0;

    if (p->failed)
        return n;
    n->end = MAX(n->at + 1, last->at + last->len);
    if (n->kind == NODE_BINARY && n->a && n->a->kind == NODE_BINARY) {
        /* The left spine of a + b + c is walked in loops, so its terms are counted, not its depth. */
        n->value.i64 = n->a->value.i64 + 1;
        depth = n->value.i64 < TERMS_MAX ? n->a->depth - 1u : TREE_DEPTH_MAX;
    }
    depth = MAX(depth, n->a && n->kind != NODE_BINARY ? n->a->depth : 0u);
    depth = MAX(depth, n->b ? n->b->depth : 0u);
    depth = MAX(depth, n->c ? n->c->depth : 0u);
    depth = MAX(depth, depth_of(n->list));
    depth = MAX(depth, depth_of(n->more));
    n->depth = (uint16_t)(depth + 1);
    if (n->depth > TREE_DEPTH_MAX && !p->failed) {
        parser_error(p, "the expression is nested too deeply (more than %d levels)", TREE_DEPTH_MAX);
        p->failed = true;
    }
    return n;
}

/* Opens a production that may contain itself; pair with p->nesting--. */
bool
parser_enter(struct parser *p)
{
    if (++p->nesting <= NESTING_MAX)
        return true;
    if (!p->failed)
        parser_error(p, "the expression is nested too deeply");
    p->failed = true;
    return false;
}

/* --- types --------------------------------------------------------------------------------------------------------- */

static bool
is_type_keyword(enum token_kind kind)
{
    switch ((int)kind) {
    case TOK_BOOL: case TOK_BYTE: case TOK_CHAR: case TOK_DECIMAL: case TOK_DOUBLE: case TOK_FLOAT: case TOK_INT:
    case TOK_LONG: case TOK_OBJECT: case TOK_SBYTE: case TOK_SHORT: case TOK_STRING: case TOK_UINT: case TOK_ULONG:
    case TOK_USHORT: case TOK_VOID:
        return true;
    }
    return false;
}

static size_t
scan_type_arguments(const struct parser *p, size_t i)
{
    do {
        i = parser_scan_type(p, i + 1);
    } while (i && p->tokens[i].kind == TOK_COMMA);
    return i && p->tokens[i].kind == TOK_GREATER ? i + 1 : 0;
}

static size_t
scan_tuple_type(const struct parser *p, size_t i)
{
    unsigned n = 0;

    do {
        i = parser_scan_type(p, i + 1);
        if (i && p->tokens[i].kind == TOK_IDENTIFIER)
            i++;
        n++;
    } while (i && p->tokens[i].kind == TOK_COMMA);
    return i && n > 1 && p->tokens[i].kind == TOK_CLOSE_PAREN ? i + 1 : 0;
}

/* Looks without building: the token behind a type, 0 when there is none. Bounded by the tokens it passes. */
size_t
parser_scan_type(const struct parser *p, size_t i)
{
    struct parser *mutable = (struct parser *)p;

    if (i >= p->n || p->failed)
        return 0;
    if (mutable->nesting > NESTING_MAX - 4)
        return 0;
    mutable->nesting++;
    if (is_type_keyword(p->tokens[i].kind)) {
        i++;
    } else if (p->tokens[i].kind == TOK_IDENTIFIER) {
        for (;;) {
            i++;
            if (p->tokens[i].kind == TOK_LESS) {
                size_t behind = scan_type_arguments(p, i);
                if (!behind)
                    break;
                i = behind;
            }
            if ((p->tokens[i].kind != TOK_DOT && p->tokens[i].kind != TOK_DOUBLE_COLON) ||
                p->tokens[i + 1].kind != TOK_IDENTIFIER)
                break;
            i++;
        }
    } else {
        i = p->tokens[i].kind == TOK_OPEN_PAREN ? scan_tuple_type(p, i) : 0;
    }
    mutable->nesting--;
    while (i) {
        size_t j = i;
        if (p->tokens[i].kind == TOK_QUESTION) {
            i++;
        } else if (p->tokens[i].kind == TOK_OPEN_BRACKET) {
            for (j = i + 1; p->tokens[j].kind == TOK_COMMA; j++)
                ;
            if (p->tokens[j].kind != TOK_CLOSE_BRACKET)
                break;
            i = j + 1;
        } else {
            break;
        }
    }
    return i;
}

/* type arguments = "<" type ("," type)* ">" */
static struct node *
type_arguments(struct parser *p)
{
    struct node *first = NULL, **last = &first;

    parser_expect(p, TOK_LESS);
    do
        node_list_add(&last, parse_type(p));
    while (parser_accept(p, TOK_COMMA));
    parser_expect(p, TOK_GREATER);
    return first;
}

/* type name = keyword | identifier arguments? ("." identifier arguments?)* */
static struct node *
type_name(struct parser *p)
{
    struct node *n = parser_node(p, NODE_TYPE_NAME);

    n->text = str_sub(p->text, n->at, n->end);
    if (is_type_keyword(parser_kind(p))) {
        n->flag = true;
        p->at++;
        return parser_finish(p, n);
    }
    if (parser_is_word(p, "global") && parser_peek(p, 1)->kind == TOK_DOUBLE_COLON)
        p->at += 2;
    for (;;) {
        struct node *outer;
        if (parser_kind(p) != TOK_IDENTIFIER) {
            parser_error(p, "expected a type, found %s (CS1031)", parser_found(p));
            return n;
        }
        n->text = parser_peek(p, 0)->text;
        p->at++;
        if (parser_kind(p) == TOK_LESS)
            n->list = type_arguments(p);
        parser_finish(p, n);
        if (parser_kind(p) != TOK_DOT && parser_kind(p) != TOK_DOUBLE_COLON)
            return n;
        p->at++;
        outer = parser_node(p, NODE_TYPE_NAME);
        outer->at = n->at;
        outer->a = n;
        n = outer;
    }
}

/* tuple type = "(" type name? ("," type name?)+ ")" */
static struct node *
tuple_type(struct parser *p)
{
    struct node *n = parser_node(p, NODE_TYPE_TUPLE), **last = &n->list;

    parser_expect(p, TOK_OPEN_PAREN);
    do {
        struct node *item = parser_node(p, NODE_PARAMETER);
        item->a = parse_type(p);
        if (parser_kind(p) == TOK_IDENTIFIER) {
            item->text = parser_peek(p, 0)->text;
            p->at++;
        }
        node_list_add(&last, parser_finish(p, item));
    } while (parser_accept(p, TOK_COMMA));
    parser_expect(p, TOK_CLOSE_PAREN);
    return parser_finish(p, n);
}

/* type = (type name | tuple type) ("?" | "[" ","* "]")* ; of int[][,] the left brackets are the outer ones */
struct node *
parse_type(struct parser *p)
{
    struct node *n, *ranks = NULL;

    if (!parser_enter(p)) {
        p->nesting--;
        return parser_node(p, NODE_TYPE_NAME);
    }
    n = parser_kind(p) == TOK_OPEN_PAREN ? tuple_type(p) : type_name(p);
    for (;;) {
        struct node *outer;
        if (parser_kind(p) == TOK_QUESTION) {
            outer = parser_node(p, NODE_TYPE_NULLABLE);
            p->at++;
            outer->at = n->at;
            outer->a = n;
            n = parser_finish(p, outer);
        } else if (parser_kind(p) == TOK_OPEN_BRACKET &&
                   (parser_peek(p, 1)->kind == TOK_CLOSE_BRACKET || parser_peek(p, 1)->kind == TOK_COMMA)) {
            outer = parser_node(p, NODE_TYPE_ARRAY);
            outer->rank = 1;
            for (p->at++; parser_accept(p, TOK_COMMA);)
                outer->rank += outer->rank < 8;
            parser_expect(p, TOK_CLOSE_BRACKET);
            outer->next = ranks;
            ranks = outer;
        } else {
            break;
        }
    }
    while (ranks) {          /* the last bracket is the innermost element */
        struct node *outer = ranks;
        ranks = ranks->next;
        outer->next = NULL;
        outer->at = n->at;
        outer->a = n;
        n = parser_finish(p, outer);
    }
    p->nesting--;
    return n;
}

/* parameters = "(" (modifier? type name ("=" expression)? ","...)? ")" ; a lambda's may lack types */
struct node *
parse_parameters(struct parser *p)
{
    struct node *first = NULL, **last = &first;

    parser_expect(p, TOK_OPEN_PAREN);
    while (parser_kind(p) != TOK_CLOSE_PAREN && parser_kind(p) != TOK_END) {
        struct node *n = parser_node(p, NODE_PARAMETER);
        n->op = TOK_END;
        if (parser_kind(p) == TOK_OUT || parser_kind(p) == TOK_REF || parser_kind(p) == TOK_PARAMS ||
            parser_kind(p) == TOK_THIS) {
            n->op = parser_kind(p);
            p->at++;
        }
        if (parser_kind(p) != TOK_IDENTIFIER || (parser_peek(p, 1)->kind != TOK_COMMA &&
                                                 parser_peek(p, 1)->kind != TOK_CLOSE_PAREN))
            n->a = parse_type(p);
        if (parser_kind(p) == TOK_IDENTIFIER)
            n->text = parser_peek(p, 0)->text;
        if (!parser_expect(p, TOK_IDENTIFIER))
            break;
        if (parser_accept(p, TOK_ASSIGN))
            n->b = parse_expression(p);
        node_list_add(&last, parser_finish(p, n));
        if (!parser_accept(p, TOK_COMMA))
            break;
    }
    parser_expect(p, TOK_CLOSE_PAREN);
    return first;
}

/* --- statements ----------------------------------------------------------------------------------------------------- */

/* Behind an error: to the start of what is probably the next statement. */
static void
skip_statement(struct parser *p)
{
    unsigned nesting = 0;

    for (; parser_kind(p) != TOK_END; p->at++) {
        enum token_kind kind = parser_kind(p);
        if (kind == TOK_SEMICOLON && nesting == 0) {
            p->at++;
            return;
        }
        if (kind == TOK_CLOSE_BRACE && nesting == 0)
            return;
        nesting += kind == TOK_OPEN_BRACE;
        nesting -= kind == TOK_CLOSE_BRACE;
    }
}

/* A statement that ends with its line, without a semicolon: that is missing there, and the next line is one of its own. */
static bool
misses_semicolon(struct parser *p)
{
    const struct token *t = parser_peek(p, 0);
    size_t end;

    if (p->failed || p->reported_at == p->at + 1 || p->at == 0 || t->kind == TOK_UNKNOWN || t->kind == TOK_END)
        return false;
    end = (t - 1)->at + (t - 1)->len;
    if (str_find_char(str_sub(p->text, end, t->at), '\n', 0) < 0)
        return false;
    diag_add_mapped(p->diags, DIAG_ERROR, p->map, (uint32_t)end, 1, "expected ';' (CS1002)");
    return true;
}

static void
end_statement(struct parser *p)
{
    if (parser_kind(p) != TOK_SEMICOLON && misses_semicolon(p))
        return;
    if (!parser_accept(p, TOK_SEMICOLON)) {
        parser_expect(p, TOK_SEMICOLON);
        skip_statement(p);
    }
}

/* block = "{" statement* "}" */
struct node *
parse_block(struct parser *p)
{
    struct node *n = parser_node(p, NODE_BLOCK), **last = &n->list;

    parser_expect(p, TOK_OPEN_BRACE);
    while (parser_kind(p) != TOK_CLOSE_BRACE && parser_kind(p) != TOK_END) {
        size_t before = p->at;
        node_list_add(&last, parse_statement(p));
        if (p->at == before)
            p->at++;        /* nothing was taken: it has been reported */
    }
    parser_expect(p, TOK_CLOSE_BRACE);
    return parser_finish(p, n);
}

static struct node *
parenthesized(struct parser *p)
{
    struct node *n;

    parser_expect(p, TOK_OPEN_PAREN);
    n = parse_expression(p);
    parser_expect(p, TOK_CLOSE_PAREN);
    return n;
}

/* declarator = identifier ("=" (expression | array initialiser))? */
static struct node *
declarator(struct parser *p)
{
    struct node *n = parser_node(p, NODE_DECLARATOR);

    if (parser_kind(p) == TOK_IDENTIFIER)
        n->text = parser_peek(p, 0)->text;
    if (!parser_expect(p, TOK_IDENTIFIER))
        return n;
    if (parser_accept(p, TOK_ASSIGN))
        n->a = parser_kind(p) == TOK_OPEN_BRACE ? parse_initializer(p) : parse_expression(p);
    return parser_finish(p, n);
}

/* local = "const"? type declarator ("," declarator)* */
static struct node *
local(struct parser *p)
{
    struct node *n = parser_node(p, NODE_LOCAL), **last = &n->list;

    n->flag = parser_accept(p, TOK_CONST);
    n->a = parse_type(p);
    do
        node_list_add(&last, declarator(p));
    while (parser_accept(p, TOK_COMMA));
    return parser_finish(p, n);
}

/* local function = "static"? type identifier parameters (block | "=>" expression ";") */
static struct node *
local_function(struct parser *p)
{
    struct node *n = parser_node(p, NODE_LOCAL_FUNCTION);

    parser_accept(p, TOK_STATIC);
    n->a = parse_type(p);
    n->text = parser_peek(p, 0)->text;
    parser_expect(p, TOK_IDENTIFIER);
    n->list = parse_parameters(p);
    if (parser_accept(p, TOK_ARROW)) {
        n->b = parse_expression(p);
        parser_finish(p, n);
        end_statement(p);
        return n;
    }
    n->b = parse_block(p);
    return parser_finish(p, n);
}

/* names = "(" (name | "_" | names) ("," ...)* ")" ; without a `var` before them each has a type of its own */
static struct node *
deconstruct_names(struct parser *p, bool is_var)
{
    struct node *n = parser_node(p, NODE_DECONSTRUCT), **last = &n->list;

    if (!parser_enter(p)) {
        p->nesting--;
        return n;
    }
    parser_expect(p, TOK_OPEN_PAREN);
    do {
        bool is_inner_var = !is_var && parser_is_word(p, "var") && parser_peek(p, 1)->kind == TOK_OPEN_PAREN;
        struct node *one;
        p->at += is_inner_var;
        if (parser_kind(p) == TOK_OPEN_PAREN) {
            node_list_add(&last, deconstruct_names(p, is_var || is_inner_var));
            continue;
        }
        one = parser_node(p, NODE_DECLARATOR);
        if (!is_var && !(parser_is_word(p, "_") && parser_peek(p, 1)->kind != TOK_IDENTIFIER))
            one->a = parse_type(p);
        one->text = parser_peek(p, 0)->text;
        parser_expect(p, TOK_IDENTIFIER);
        node_list_add(&last, parser_finish(p, one));
    } while (parser_accept(p, TOK_COMMA));
    parser_expect(p, TOK_CLOSE_PAREN);
    p->nesting--;
    return parser_finish(p, n);
}

/* deconstruct = "var"? names "=" expression ";" */
static struct node *
deconstruct(struct parser *p)
{
    bool is_var = parser_is_word(p, "var");
    struct node *n;

    p->at += is_var;
    n = deconstruct_names(p, is_var);
    if (parser_kind(p) == TOK_IN)
        return n;
    parser_expect(p, TOK_ASSIGN);
    n->b = parse_expression(p);
    parser_finish(p, n);
    end_statement(p);
    return n;
}

/* The token behind names that begin at token i, where a "(" stands; 0 when these are none. */
static size_t
scan_names(const struct parser *p, size_t i, bool is_var)
{
    struct parser *mutable = (struct parser *)p;
    bool ok = ++mutable->nesting < NESTING_MAX;

    do {
        bool is_inner_var = ok && !is_var && str_eq_lit(p->tokens[i + 1].text, "var") && p->tokens[i + 1].kind == TOK_IDENTIFIER;
        i++;
        if (ok && p->tokens[i + is_inner_var].kind == TOK_OPEN_PAREN) {
            size_t behind = scan_names(p, i + is_inner_var, is_var || is_inner_var);
            ok = behind > 0;
            i = behind;
            continue;
        }
        if (ok && !is_var && !(str_eq_lit(p->tokens[i].text, "_") && p->tokens[i + 1].kind != TOK_IDENTIFIER))
            i = parser_scan_type(p, i);
        ok = ok && i && p->tokens[i].kind == TOK_IDENTIFIER;
        i++;
    } while (ok && p->tokens[i].kind == TOK_COMMA);
    mutable->nesting--;
    return ok && p->tokens[i].kind == TOK_CLOSE_PAREN ? i + 1 : 0;
}

/* (_, _) = x assigns to nothing, so it is an expression. */
static bool
is_all_discards(const struct parser *p, size_t from, size_t to)
{
    for (; from < to; from++)
        if (p->tokens[from].kind != TOK_OPEN_PAREN && p->tokens[from].kind != TOK_CLOSE_PAREN && p->tokens[from].kind != TOK_COMMA &&
            !str_eq_lit(p->tokens[from].text, "_"))
            return false;
    return true;
}

/* True at "var (a, b)" or "(T a, U b)" followed by `behind`. */
static bool
is_deconstruct(const struct parser *p, enum token_kind behind)
{
    bool is_var = parser_is_word(p, "var");
    size_t i = p->at + is_var;

    if (p->failed || p->tokens[MIN(i, p->n - 1)].kind != TOK_OPEN_PAREN)
        return false;
    i = scan_names(p, i, is_var);
    return i && p->tokens[i].kind == behind && !is_all_discards(p, p->at + is_var, i);
}

/* if = "if" "(" expression ")" statement ("else" statement)? */
static struct node *
if_statement(struct parser *p)
{
    struct node *n = parser_node(p, NODE_IF);

    p->at++;
    n->a = parenthesized(p);
    n->b = parse_statement(p);
    if (parser_accept(p, TOK_ELSE))
        n->c = parse_statement(p);
    return parser_finish(p, n);
}

/* while = "while" "(" expression ")" statement */
static struct node *
while_statement(struct parser *p)
{
    struct node *n = parser_node(p, NODE_WHILE);

    p->at++;
    n->a = parenthesized(p);
    n->b = parse_statement(p);
    return parser_finish(p, n);
}

/* do = "do" statement "while" "(" expression ")" ";" */
static struct node *
do_statement(struct parser *p)
{
    struct node *n = parser_node(p, NODE_DO);

    p->at++;
    n->a = parse_statement(p);
    parser_expect(p, TOK_WHILE);
    n->b = parenthesized(p);
    parser_finish(p, n);
    end_statement(p);
    return n;
}

static bool
is_declaration(const struct parser *p)
{
    size_t i;

    if (parser_kind(p) == TOK_CONST)
        return true;
    i = parser_scan_type(p, p->at);
    return i && p->tokens[i].kind == TOK_IDENTIFIER;
}

static struct node *
expression_statement(struct parser *p)
{
    struct node *n = parser_node(p, NODE_EXPRESSION);

    n->a = parse_expression(p);
    return parser_finish(p, n);
}

/* for = "for" "(" (local | expressions)? ";" expression? ";" expressions? ")" statement */
static struct node *
for_statement(struct parser *p)
{
    struct node *n = parser_node(p, NODE_FOR), **last = &n->list;

    p->at++;
    parser_expect(p, TOK_OPEN_PAREN);
    if (is_declaration(p)) {
        node_list_add(&last, local(p));
    } else if (parser_kind(p) != TOK_SEMICOLON) {
        do
            node_list_add(&last, expression_statement(p));
        while (parser_accept(p, TOK_COMMA));
    }
    parser_expect(p, TOK_SEMICOLON);
    if (parser_kind(p) != TOK_SEMICOLON)
        n->a = parse_expression(p);
    parser_expect(p, TOK_SEMICOLON);
    last = &n->more;
    while (parser_kind(p) != TOK_CLOSE_PAREN && parser_kind(p) != TOK_END) {
        node_list_add(&last, expression_statement(p));
        if (!parser_accept(p, TOK_COMMA))
            break;
    }
    parser_expect(p, TOK_CLOSE_PAREN);
    n->b = parse_statement(p);
    return parser_finish(p, n);
}

/* foreach = "foreach" "(" type (identifier | "(" names ")") "in" expression ")" statement */
static struct node *
foreach_statement(struct parser *p)
{
    struct node *n = parser_node(p, NODE_FOREACH);

    p->at++;
    parser_expect(p, TOK_OPEN_PAREN);
    if (is_deconstruct(p, TOK_IN)) {
        n->list = deconstruct(p)->list;
    } else {
        n->a = parse_type(p);
        n->text = parser_peek(p, 0)->text;
        parser_expect(p, TOK_IDENTIFIER);
    }
    parser_expect(p, TOK_IN);
    n->b = parse_expression(p);
    parser_expect(p, TOK_CLOSE_PAREN);
    n->c = parse_statement(p);
    return parser_finish(p, n);
}

/* label = ("case" pattern ("when" expression)? | "default") ":" */
static struct node *
switch_label(struct parser *p)
{
    struct node *n = parser_node(p, NODE_LABEL);

    if (!parser_accept(p, TOK_DEFAULT)) {
        parser_expect(p, TOK_CASE);
        n->a = parse_pattern(p);
        if (parser_is_word(p, "when")) {
            p->at++;
            n->b = parse_expression(p);
        }
    }
    parser_expect(p, TOK_COLON);
    return parser_finish(p, n);
}

/* switch = "switch" "(" expression ")" "{" (label+ statement+)* "}" */
static struct node *
switch_statement(struct parser *p)
{
    struct node *n = parser_node(p, NODE_SWITCH), **last = &n->list;

    p->at++;
    n->a = parenthesized(p);
    parser_expect(p, TOK_OPEN_BRACE);
    while (parser_kind(p) == TOK_CASE || parser_kind(p) == TOK_DEFAULT) {
        struct node *section = parser_node(p, NODE_SECTION), **labels = &section->list, **body = &section->more;
        while (parser_kind(p) == TOK_CASE || parser_kind(p) == TOK_DEFAULT) {
            size_t before = p->at;
            node_list_add(&labels, switch_label(p));
            if (p->at == before)
                p->at++;
        }
        while (parser_kind(p) != TOK_CASE && parser_kind(p) != TOK_DEFAULT && parser_kind(p) != TOK_CLOSE_BRACE &&
               parser_kind(p) != TOK_END) {
            size_t before = p->at;
            node_list_add(&body, parse_statement(p));
            if (p->at == before)
                p->at++;
        }
        node_list_add(&last, parser_finish(p, section));
    }
    parser_expect(p, TOK_CLOSE_BRACE);
    return parser_finish(p, n);
}

/* catch = "catch" ("(" type identifier? ")")? ("when" "(" expression ")")? block */
static struct node *
catch_clause(struct parser *p)
{
    struct node *n = parser_node(p, NODE_CATCH);

    p->at++;
    if (parser_accept(p, TOK_OPEN_PAREN)) {
        n->a = parse_type(p);
        if (parser_kind(p) == TOK_IDENTIFIER) {
            n->text = parser_peek(p, 0)->text;
            p->at++;
        }
        parser_expect(p, TOK_CLOSE_PAREN);
    }
    if (parser_is_word(p, "when")) {
        p->at++;
        n->b = parenthesized(p);
    }
    n->c = parse_block(p);
    return parser_finish(p, n);
}

/* try = "try" block catch* ("finally" block)? */
static struct node *
try_statement(struct parser *p)
{
    struct node *n = parser_node(p, NODE_TRY), **last = &n->list;

    p->at++;
    n->a = parse_block(p);
    while (parser_kind(p) == TOK_CATCH)
        node_list_add(&last, catch_clause(p));
    if (parser_accept(p, TOK_FINALLY))
        n->b = parse_block(p);
    if (!n->list && !n->b)
        parser_error(p, "expected 'catch' or 'finally' (CS1524)");
    return parser_finish(p, n);
}

/* using = "using" "(" (local | expression) ")" statement */
static struct node *
using_statement(struct parser *p)
{
    struct node *n = parser_node(p, NODE_USING);

    p->at++;
    parser_expect(p, TOK_OPEN_PAREN);
    n->a = is_declaration(p) ? local(p) : parse_expression(p);
    parser_expect(p, TOK_CLOSE_PAREN);
    n->b = parse_statement(p);
    return parser_finish(p, n);
}

/* return = "return" expression? ";" ; throw = "throw" expression? ";" */
static struct node *
jump_statement(struct parser *p, enum node_kind kind, bool has_value)
{
    struct node *n = parser_node(p, kind);

    p->at++;
    if (has_value && parser_kind(p) != TOK_SEMICOLON)
        n->a = parse_expression(p);
    parser_finish(p, n);
    end_statement(p);
    return n;
}

static struct node *
throw_statement(struct parser *p)
{
    struct node *n = parser_node(p, NODE_EXPRESSION), *t = jump_statement(p, NODE_THROW, true);

    n->a = t;
    return parser_finish(p, n);
}

static struct node *
checked_block(struct parser *p)
{
    struct node *n = parser_node(p, NODE_CHECKED_BLOCK);

    n->flag = parser_kind(p) == TOK_CHECKED;
    p->at++;
    n->b = parse_block(p);
    return parser_finish(p, n);
}

static struct node *
refused(struct parser *p, const char *what)
{
    parser_error(p, "%s is not allowed in policy expressions", what);
    skip_statement(p);
    return NULL;
}

static bool
is_local_function(const struct parser *p)
{
    size_t i = parser_scan_type(p, p->at + (parser_kind(p) == TOK_STATIC));

    return i && p->tokens[i].kind == TOK_IDENTIFIER && p->tokens[i + 1].kind == TOK_OPEN_PAREN;
}

/* What begins with neither a keyword nor a brace: a declaration, a local function or an expression. */
static struct node *
simple_statement(struct parser *p)
{
    struct node *n;

    if (parser_is_word(p, "await") || parser_is_word(p, "async"))
        return refused(p, "'await'");
    if (parser_is_word(p, "dynamic") && parser_peek(p, 1)->kind == TOK_IDENTIFIER)
        return refused(p, "'dynamic'");
    if (parser_is_word(p, "yield") && (parser_peek(p, 1)->kind == TOK_RETURN || parser_peek(p, 1)->kind == TOK_BREAK))
        return refused(p, "'yield'");
    if (parser_kind(p) == TOK_IDENTIFIER && parser_peek(p, 1)->kind == TOK_COLON)
        return refused(p, "a label ('goto')");
    if (is_local_function(p))
        return local_function(p);
    if (is_deconstruct(p, TOK_ASSIGN))
        return deconstruct(p);
    n = is_declaration(p) ? local(p) : expression_statement(p);
    end_statement(p);
    return n;
}

static struct node *
statement(struct parser *p)
{
    switch ((int)parser_kind(p)) {
    case TOK_OPEN_BRACE: return parse_block(p);
    case TOK_SEMICOLON: {
        struct node *n = parser_node(p, NODE_EMPTY);
        p->at++;
        return n;
    }
    case TOK_IF: return if_statement(p);
    case TOK_WHILE: return while_statement(p);
    case TOK_DO: return do_statement(p);
    case TOK_FOR: return for_statement(p);
    case TOK_FOREACH: return foreach_statement(p);
    case TOK_SWITCH: return switch_statement(p);
    case TOK_BREAK: return jump_statement(p, NODE_BREAK, false);
    case TOK_CONTINUE: return jump_statement(p, NODE_CONTINUE, false);
    case TOK_RETURN: return jump_statement(p, NODE_RETURN, true);
    case TOK_THROW: return throw_statement(p);
    case TOK_TRY: return try_statement(p);
    case TOK_USING: return using_statement(p);
    case TOK_CHECKED:
    case TOK_UNCHECKED: return parser_peek(p, 1)->kind == TOK_OPEN_BRACE ? checked_block(p) : simple_statement(p);
    case TOK_LOCK: return refused(p, "'lock'");
    case TOK_GOTO: return refused(p, "'goto'");
    case TOK_UNSAFE: case TOK_FIXED: return refused(p, "'unsafe' code");
    case TOK_CLASS: case TOK_STRUCT: case TOK_INTERFACE: case TOK_ENUM: case TOK_NAMESPACE: case TOK_PUBLIC:
    case TOK_PRIVATE: case TOK_PROTECTED: return refused(p, "a type declaration");
    }
    return simple_statement(p);
}

struct node *
parse_statement(struct parser *p)
{
    struct node *n = parser_enter(p) ? statement(p) : NULL;

    p->nesting--;
    return n;
}

struct node *
parse_block_text(struct parser *p)
{
    struct node *n = parse_block(p);

    if (parser_kind(p) != TOK_END)
        parser_error(p, "expected the end of the expression, found %s", parser_found(p));
    return n;
}

struct node *
parse_expression_text(struct parser *p)
{
    struct node *n = parse_expression(p);

    if (parser_kind(p) != TOK_END)
        parser_error(p, "expected ')' after the expression, found %s (CS1026)", parser_found(p));
    return n;
}
