/* parse_expr.c: expressions and patterns. Statements and types are in parse.c, queries in parse_query.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/ast.h"

static struct node *unary(struct parser *p);

static struct node *
new_node(struct parser *p, enum node_kind kind, uint32_t at)
{
    struct node *n = parser_node(p, kind);

    n->at = at;
    return n;
}

static struct node *
error_node(struct parser *p)
{
    return parser_node(p, NODE_ERROR);
}

/* --- primary -------------------------------------------------------------------------------------------------------- */

/* Behind a name: is '<' the start of type arguments, or "less than"? C# decides by the token behind the '>'. */
static bool
is_type_argument_list(const struct parser *p)
{
    struct parser look = *p;
    size_t i = p->at;

    if (parser_kind(p) != TOK_LESS)
        return false;
    do
        i = parser_scan_type(&look, i + 1);
    while (i && p->tokens[i].kind == TOK_COMMA);
    if (!i || p->tokens[i].kind != TOK_GREATER)
        return false;
    switch ((int)p->tokens[i + 1].kind) {
    case TOK_OPEN_PAREN: case TOK_CLOSE_PAREN: case TOK_CLOSE_BRACKET: case TOK_CLOSE_BRACE: case TOK_COLON:
    case TOK_SEMICOLON: case TOK_COMMA: case TOK_DOT: case TOK_QUESTION: case TOK_EQUAL: case TOK_NOT_EQUAL:
    case TOK_BAR: case TOK_CARET: case TOK_AND_AND: case TOK_OR_OR: case TOK_AMPERSAND: case TOK_OPEN_BRACKET:
    case TOK_END:
        return true;
    }
    return false;
}

static struct node *
type_argument_list(struct parser *p)
{
    struct node *first = NULL, **last = &first;

    p->at++;
    do
        node_list_add(&last, parse_type(p));
    while (parser_accept(p, TOK_COMMA));
    parser_expect(p, TOK_GREATER);
    return first;
}

/* argument = (name ":")? ("out" | "ref")? expression | "out" type identifier */
static struct node *
argument(struct parser *p)
{
    struct node *n = parser_node(p, NODE_ARGUMENT);
    size_t behind;

    n->op = TOK_END;
    if (parser_kind(p) == TOK_IDENTIFIER && parser_peek(p, 1)->kind == TOK_COLON) {
        n->text = parser_peek(p, 0)->text;
        p->at += 2;
    }
    if (parser_kind(p) == TOK_OUT || parser_kind(p) == TOK_REF || parser_kind(p) == TOK_IN) {
        n->op = parser_kind(p);
        p->at++;
    }
    behind = n->op == TOK_OUT ? parser_scan_type(p, p->at) : 0;
    if (behind && p->tokens[behind].kind == TOK_IDENTIFIER) {
        n->a = parser_node(p, NODE_OUT_VAR);
        n->a->a = parse_type(p);
        n->a->text = parser_peek(p, 0)->text;
        p->at++;
        parser_finish(p, n->a);
    } else {
        n->a = parse_expression(p);
    }
    return parser_finish(p, n);
}

/* arguments = open (argument ("," argument)*)? close */
static struct node *
arguments(struct parser *p, enum token_kind open, enum token_kind close)
{
    struct node *first = NULL, **last = &first;

    parser_expect(p, open);
    while (parser_kind(p) != close && parser_kind(p) != TOK_END) {
        size_t before = p->at;
        node_list_add(&last, argument(p));
        if (!parser_accept(p, TOK_COMMA) || p->at == before)
            break;
        if (parser_kind(p) == close) {
            parser_error(p, "an argument is missing (CS1525)");
            break;
        }
    }
    parser_expect(p, close);
    return first;
}

/* literal = number | character | string | "true" | "false" | "null" */
static struct node *
literal(struct parser *p, enum node_kind kind)
{
    const struct token *t = parser_peek(p, 0);
    struct node *n = parser_node(p, kind);

    n->text = t->text;
    n->value = t->value;
    n->literal_kind = t->literal_kind;
    p->at++;
    return n;
}

/* interpolated string = begin (text | hole)* end ; hole = expression ("," expression)? format? */
static struct node *
interpolation(struct parser *p)
{
    struct node *n = parser_node(p, NODE_INTERPOLATION), **last = &n->list;

    p->at++;
    while (parser_kind(p) == TOK_TEXT || parser_kind(p) == TOK_HOLE_BEGIN) {
        struct node *hole;
        if (parser_kind(p) == TOK_TEXT) {
            node_list_add(&last, literal(p, NODE_STRING));
            continue;
        }
        hole = parser_node(p, NODE_HOLE);
        p->at++;
        hole->a = parse_expression(p);
        if (parser_accept(p, TOK_COMMA))
            hole->b = parse_expression(p);
        if (parser_kind(p) == TOK_HOLE_FORMAT) {
            hole->text = parser_peek(p, 0)->text;
            p->at++;
        }
        if (!parser_accept(p, TOK_HOLE_END)) {
            parser_error(p, "expected '}' at the end of an interpolation (CS8076)");
            while (parser_kind(p) != TOK_HOLE_END && parser_kind(p) != TOK_END)
                p->at++;
            parser_accept(p, TOK_HOLE_END);
        }
        node_list_add(&last, parser_finish(p, hole));
    }
    if (!parser_accept(p, TOK_INTERPOLATION_END))
        parser_error(p, "the interpolated string is not closed");
    return parser_finish(p, n);
}

/* tuple or parenthesized = "(" argument ("," argument)* ")" */
static struct node *
parenthesized(struct parser *p)
{
    struct node *n = parser_node(p, NODE_TUPLE), **last = &n->list;

    p->at++;
    do
        node_list_add(&last, argument(p));
    while (parser_accept(p, TOK_COMMA));
    parser_expect(p, TOK_CLOSE_PAREN);
    parser_finish(p, n);
    if (n->list->next || n->list->text.p)
        return n;
    n->list->a->at = n->list->a->kind == NODE_LAMBDA ? n->list->a->at : n->at;
    n->list->a->is_parenthesized = true;
    return n->list->a;
}

/* initialiser = "{" (element ("," element)* ","?)? "}" ; element = name "=" value | "[" arguments "]" "=" value | value
 * value = expression | initialiser */
struct node *
parse_initializer(struct parser *p)
{
    struct node *n = parser_node(p, NODE_INITIALIZER), **last = &n->list;

    if (!parser_enter(p)) {
        p->nesting--;
        return n;
    }
    parser_expect(p, TOK_OPEN_BRACE);
    while (parser_kind(p) != TOK_CLOSE_BRACE && parser_kind(p) != TOK_END) {
        struct node *element = NULL;
        size_t before = p->at;
        if (parser_kind(p) == TOK_IDENTIFIER && parser_peek(p, 1)->kind == TOK_ASSIGN) {
            element = parser_node(p, NODE_FIELD);
            element->text = parser_peek(p, 0)->text;
            p->at += 2;
        } else if (parser_kind(p) == TOK_OPEN_BRACKET) {
            element = parser_node(p, NODE_INDEX_FIELD);
            element->list = arguments(p, TOK_OPEN_BRACKET, TOK_CLOSE_BRACKET);
            parser_expect(p, TOK_ASSIGN);
        }
        if (element)
            element->a = parser_kind(p) == TOK_OPEN_BRACE ? parse_initializer(p) : parse_expression(p);
        else
            element = parser_kind(p) == TOK_OPEN_BRACE ? parse_initializer(p) : parse_expression(p);
        node_list_add(&last, parser_finish(p, element));
        if (!parser_accept(p, TOK_COMMA) || p->at == before)
            break;
    }
    parser_expect(p, TOK_CLOSE_BRACE);
    p->nesting--;
    return parser_finish(p, n);
}

/* anonymous object = "new" "{" (name "=")? expression, ... "}" */
static struct node *
anonymous_object(struct parser *p, uint32_t at)
{
    struct node *n = new_node(p, NODE_ANONYMOUS, at), **last = &n->list;

    parser_expect(p, TOK_OPEN_BRACE);
    while (parser_kind(p) != TOK_CLOSE_BRACE && parser_kind(p) != TOK_END) {
        struct node *field = parser_node(p, NODE_FIELD);
        if (parser_kind(p) == TOK_IDENTIFIER && parser_peek(p, 1)->kind == TOK_ASSIGN) {
            field->text = parser_peek(p, 0)->text;
            p->at += 2;
        }
        field->a = parse_expression(p);
        node_list_add(&last, parser_finish(p, field));
        if (!parser_accept(p, TOK_COMMA))
            break;
    }
    parser_expect(p, TOK_CLOSE_BRACE);
    return parser_finish(p, n);
}

/* The element type of `new T[3][]` stands before sizes, so ranks behind them belong to it. */
static struct node *
new_array(struct parser *p, struct node *element, uint32_t at)
{
    struct node *n = new_node(p, NODE_NEW_ARRAY, at), **last = &n->list;

    n->a = element;
    n->rank = 1;
    parser_expect(p, TOK_OPEN_BRACKET);
    if (!element && parser_kind(p) != TOK_CLOSE_BRACKET && parser_kind(p) != TOK_COMMA) {
        parser_error(p, "expected ']', found %s: an array with a size needs a type in front of it (CS1031)", parser_found(p));
        return parser_finish(p, n);
    }
    if (parser_kind(p) != TOK_CLOSE_BRACKET && parser_kind(p) != TOK_COMMA) {
        node_list_add(&last, parse_expression(p));
        while (parser_accept(p, TOK_COMMA)) {
            n->rank++;
            node_list_add(&last, parse_expression(p));
        }
    } else {
        while (parser_accept(p, TOK_COMMA))
            n->rank++;
    }
    parser_expect(p, TOK_CLOSE_BRACKET);
    while (parser_kind(p) == TOK_OPEN_BRACKET && n->list &&
           (parser_peek(p, 1)->kind == TOK_CLOSE_BRACKET || parser_peek(p, 1)->kind == TOK_COMMA)) {
        struct node *outer = new_node(p, NODE_TYPE_ARRAY, at);
        outer->rank = 1;
        for (p->at++; parser_accept(p, TOK_COMMA);)
            outer->rank++;
        parser_expect(p, TOK_CLOSE_BRACKET);
        outer->a = n->a;
        n->a = parser_finish(p, outer);
    }
    if (parser_kind(p) == TOK_OPEN_BRACE)
        n->b = parse_initializer(p);
    return parser_finish(p, n);
}

/* new = "new" (anonymous | "[" "]" initialiser | type "[" sizes "]" initialiser? | type arguments? initialiser?) */
static struct node *
new_expression(struct parser *p)
{
    uint32_t at = parser_peek(p, 0)->at;
    struct node *n, *type;

    p->at++;
    if (parser_kind(p) == TOK_OPEN_BRACE)
        return anonymous_object(p, at);
    if (parser_kind(p) == TOK_OPEN_BRACKET)
        return new_array(p, NULL, at);
    type = parse_type(p);
    if (parser_kind(p) == TOK_OPEN_BRACKET)
        return new_array(p, type, at);
    if (type->kind == NODE_TYPE_ARRAY) {        /* new int[] { ... } */
        n = new_node(p, NODE_NEW_ARRAY, at);
        n->rank = type->rank;
        n->a = type->a;
        if (parser_kind(p) != TOK_OPEN_BRACE)
            parser_error(p, "array creation must have array size or array initializer (CS1586)");
        else
            n->b = parse_initializer(p);
        return parser_finish(p, n);
    }
    n = new_node(p, NODE_NEW, at);
    n->a = type;
    if (parser_kind(p) == TOK_OPEN_PAREN)
        n->list = arguments(p, TOK_OPEN_PAREN, TOK_CLOSE_PAREN);
    else if (parser_kind(p) != TOK_OPEN_BRACE)
        parser_error(p, "a new expression requires (), [], or {} after the type (CS1526)");
    if (parser_kind(p) == TOK_OPEN_BRACE)
        n->b = parse_initializer(p);
    return parser_finish(p, n);
}

/* typeof, default, checked, unchecked: word "(" ... ")" */
static struct node *
word_with_operand(struct parser *p, enum node_kind kind, bool is_type)
{
    struct node *n = parser_node(p, kind);

    n->flag = parser_kind(p) == TOK_CHECKED;
    p->at++;
    if (kind == NODE_DEFAULT && parser_kind(p) != TOK_OPEN_PAREN)
        return n;
    parser_expect(p, TOK_OPEN_PAREN);
    n->a = is_type ? parse_type(p) : parse_expression(p);
    parser_expect(p, TOK_CLOSE_PAREN);
    return parser_finish(p, n);
}

static struct node *
keyword_type(struct parser *p)
{
    struct node *n = parser_node(p, NODE_TYPE_NAME);

    n->flag = true;
    n->text = str_sub(p->text, n->at, n->end);
    p->at++;
    if (parser_kind(p) != TOK_DOT)
        parser_error(p, "the type `%.*s` cannot stand here; a member of it could: `%.*s.` (CS1525)", STR_ARG(n->text), STR_ARG(n->text));
    return n;
}

static struct node *
name(struct parser *p)
{
    struct node *n;

    if (parser_is_word(p, "global") && parser_peek(p, 1)->kind == TOK_DOUBLE_COLON && parser_peek(p, 2)->kind == TOK_IDENTIFIER)
        p->at += 2;
    n = parser_node(p, NODE_NAME);
    n->text = parser_peek(p, 0)->text;
    p->at++;
    if (is_type_argument_list(p))
        n->list = type_argument_list(p);
    return parser_finish(p, n);
}

static struct node *
anonymous_method(struct parser *p)
{
    struct node *n = parser_node(p, NODE_LAMBDA);

    p->at++;
    if (parser_kind(p) == TOK_OPEN_PAREN)
        n->list = parse_parameters(p);
    else
        n->flag = true;
    n->b = parse_block(p);
    return parser_finish(p, n);
}

/* What a primary expression begins with. */
static struct node *
atom(struct parser *p)
{
    struct node *n;

    switch ((int)parser_kind(p)) {
    case TOK_NUMBER: return literal(p, NODE_NUMBER);
    case TOK_CHARACTER: return literal(p, NODE_CHARACTER);
    case TOK_TEXT: return literal(p, NODE_STRING);
    case TOK_TRUE: return literal(p, NODE_TRUE);
    case TOK_FALSE: return literal(p, NODE_FALSE);
    case TOK_NULL: return literal(p, NODE_NULL);
    case TOK_INTERPOLATION_BEGIN: return interpolation(p);
    case TOK_OPEN_PAREN: return parenthesized(p);
    case TOK_NEW: return new_expression(p);
    case TOK_TYPEOF: return word_with_operand(p, NODE_TYPEOF, true);
    case TOK_DEFAULT: return word_with_operand(p, NODE_DEFAULT, true);
    case TOK_CHECKED: case TOK_UNCHECKED: return word_with_operand(p, NODE_CHECKED, false);
    case TOK_DELEGATE: return anonymous_method(p);
    case TOK_IDENTIFIER: return name(p);
    case TOK_BOOL: case TOK_BYTE: case TOK_CHAR: case TOK_DECIMAL: case TOK_DOUBLE: case TOK_FLOAT: case TOK_INT:
    case TOK_LONG: case TOK_OBJECT: case TOK_SBYTE: case TOK_SHORT: case TOK_STRING: case TOK_UINT: case TOK_ULONG:
    case TOK_USHORT:
        return keyword_type(p);
    case TOK_SIZEOF: return word_with_operand(p, NODE_SIZEOF, true);
    case TOK_STACKALLOC:
        parser_error(p, "'%s' is not allowed in policy expressions", token_kind_text(parser_kind(p)));
        return error_node(p);
    }
    n = error_node(p);
    parser_error(p, "expected an expression, found %s (CS1525)", parser_found(p));
    return n;
}

/* One "." name behind n. */
static struct node *
member(struct parser *p, struct node *n)
{
    struct node *m = new_node(p, NODE_MEMBER, n->at);

    m->a = n;
    if (parser_kind(p) != TOK_IDENTIFIER) {
        parser_error(p, "expected a member's name after '.' (CS1001)");
        return parser_finish(p, m);
    }
    m->text = parser_peek(p, 0)->text;
    m->name_at = parser_peek(p, 0)->at;
    m->name_end = m->name_at + parser_peek(p, 0)->len;
    p->at++;
    if (is_type_argument_list(p))
        m->list = type_argument_list(p);
    return parser_finish(p, m);
}

static struct node *
call_or_index(struct parser *p, struct node *n)
{
    bool is_call = parser_kind(p) == TOK_OPEN_PAREN;
    struct node *m = new_node(p, is_call ? NODE_CALL : NODE_INDEX, n->at);

    m->a = n;
    m->list = is_call ? arguments(p, TOK_OPEN_PAREN, TOK_CLOSE_PAREN) : arguments(p, TOK_OPEN_BRACKET, TOK_CLOSE_BRACKET);
    return parser_finish(p, m);
}

static struct node *suffixes(struct parser *p, struct node *n);

/* "?." or "?[" : what follows works on the value unless it is null. */
static struct node *
conditional_access(struct parser *p, struct node *n)
{
    struct node *m = new_node(p, NODE_CONDITIONAL_ACCESS, n->at);
    struct node *receiver = parser_node(p, NODE_RECEIVER);

    p->at++;
    m->a = n;
    if (!parser_enter(p)) {
        p->nesting--;
        return m;
    }
    if (parser_accept(p, TOK_DOT))
        m->b = suffixes(p, member(p, receiver));
    else
        m->b = suffixes(p, call_or_index(p, receiver));
    p->nesting--;
    return parser_finish(p, m);
}

/* `a ?[b] : c` and `a ?.5 : c` are conditionals. */
static bool
is_conditional_access(const struct parser *p)
{
    size_t i = p->at + 1;
    unsigned nesting = 0;

    if (parser_peek(p, 1)->kind == TOK_DOT)
        return true;
    if (parser_peek(p, 1)->kind != TOK_OPEN_BRACKET || parser_peek(p, 1)->at != parser_peek(p, 0)->at + 1)
        return false;
    for (; i < p->n; i++) {
        nesting += p->tokens[i].kind == TOK_OPEN_BRACKET;
        nesting -= p->tokens[i].kind == TOK_CLOSE_BRACKET;
        if (nesting == 0)
            return i + 1 < p->n && p->tokens[i + 1].kind != TOK_COLON;
    }
    return true;
}

/* suffixes = ("." name | "(" arguments ")" | "[" arguments "]" | "?." ... | "?[" ... | "++" | "--")* */
static struct node *
suffixes(struct parser *p, struct node *n)
{
    while (!p->failed) {
        switch ((int)parser_kind(p)) {
        case TOK_DOT:
        case TOK_DOUBLE_COLON:
            p->at++;
            n = member(p, n);
            continue;
        case TOK_OPEN_PAREN:
        case TOK_OPEN_BRACKET:
            n = call_or_index(p, n);
            continue;
        case TOK_QUESTION:
            if (!is_conditional_access(p))
                return n;
            return conditional_access(p, n);
        case TOK_INCREMENT:
        case TOK_DECREMENT: {
            struct node *m = new_node(p, NODE_POSTFIX, n->at);
            m->op = parser_kind(p);
            m->a = n;
            p->at++;
            n = parser_finish(p, m);
            continue;
        }
        }
        break;
    }
    return n;
}

/* --- operators ------------------------------------------------------------------------------------------------------ */

/* "(" type ")" operand: C#'s rule for what is a cast and what a parenthesis. */
static bool
is_cast(const struct parser *p)
{
    size_t behind = parser_scan_type(p, p->at + 1);
    enum token_kind kind;

    if (!behind || p->tokens[behind].kind != TOK_CLOSE_PAREN)
        return false;
    kind = p->tokens[behind + 1].kind;
    if (behind == p->at + 2 && p->tokens[p->at + 1].kind != TOK_IDENTIFIER)
        return true;                                 /* (int)-1 */
    if (p->tokens[behind - 1].kind == TOK_QUESTION || p->tokens[behind - 1].kind == TOK_CLOSE_BRACKET)
        return kind != TOK_DOT;                      /* (int?)x, (string[])x */
    switch ((int)kind) {
    case TOK_IDENTIFIER: case TOK_NUMBER: case TOK_CHARACTER: case TOK_TEXT: case TOK_INTERPOLATION_BEGIN:
    case TOK_OPEN_PAREN: case TOK_TILDE: case TOK_BANG:
        return true;
    case TOK_AS: case TOK_IS:
        return false;
    }
    return kind >= TOK_AS && kind < TOK_COUNT && kind != TOK_IN;
}

/* unary = ("+" | "-" | "!" | "~" | "++" | "--") unary | "(" type ")" unary | atom suffixes */
static struct node *
unary_inside(struct parser *p)
{
    struct node *n;

    switch ((int)parser_kind(p)) {
    case TOK_PLUS: case TOK_MINUS: case TOK_BANG: case TOK_TILDE: case TOK_INCREMENT: case TOK_DECREMENT:
        n = parser_node(p, NODE_UNARY);
        n->op = parser_kind(p);
        p->at++;
        n->a = unary(p);
        return parser_finish(p, n);
    case TOK_OPEN_PAREN:
        if (!is_cast(p))
            break;
        n = parser_node(p, NODE_CAST);
        p->at++;
        n->a = parse_type(p);
        parser_expect(p, TOK_CLOSE_PAREN);
        n->b = unary(p);
        return parser_finish(p, n);
    case TOK_THROW:
        n = parser_node(p, NODE_THROW);
        p->at++;
        n->a = parse_expression(p);
        return parser_finish(p, n);
    case TOK_AMPERSAND: case TOK_STAR:
        parser_error(p, "'unsafe' code is not allowed in policy expressions");
        p->at++;
        return unary(p);
    }
    if (parser_is_word(p, "await") && parser_peek(p, 1)->kind == TOK_IDENTIFIER) {
        parser_error(p, "'await' is not allowed in policy expressions");
        p->at++;
    }
    return suffixes(p, atom(p));
}

static struct node *
unary(struct parser *p)
{
    struct node *n = parser_enter(p) ? unary_inside(p) : error_node(p);

    p->nesting--;
    return n;
}

/* Binary operators by how tightly they bind; 0: none. ">" ">" without a blank between is a shift. */
static unsigned
binary_level(const struct parser *p, enum token_kind *ret_op, unsigned *ret_tokens)
{
    enum token_kind kind = parser_kind(p);
    const struct token *next = parser_peek(p, 1);

    *ret_op = kind;
    *ret_tokens = 1;
    switch ((int)kind) {
    case TOK_OR_OR: return 1;
    case TOK_AND_AND: return 2;
    case TOK_BAR: return 3;
    case TOK_CARET: return 4;
    case TOK_AMPERSAND: return 5;
    case TOK_EQUAL: case TOK_NOT_EQUAL: return 6;
    case TOK_GREATER:
        if (next->at == parser_peek(p, 0)->at + 1 && next->kind == TOK_GREATER) {
            *ret_tokens = 2;
            return parser_peek(p, 2)->kind == TOK_GREATER_EQUAL ? 0 : 8;
        }
        if (next->at == parser_peek(p, 0)->at + 1 && next->kind == TOK_GREATER_EQUAL)
            return 0;                       /* >>= */
        return 7;
    case TOK_LESS: case TOK_LESS_EQUAL: case TOK_GREATER_EQUAL: case TOK_IS: case TOK_AS: return 7;
    case TOK_SHIFT_LEFT: return 8;
    case TOK_PLUS: case TOK_MINUS: return 9;
    case TOK_STAR: case TOK_SLASH: case TOK_PERCENT: return 10;
    }
    return 0;
}

/* The type behind `is` or `as`: a '?' belongs to it only when no expression can begin behind. */
static struct node *
tested_type(struct parser *p)
{
    size_t from = p->at, behind = parser_scan_type(p, from);
    struct node *type;

    if (behind && p->tokens[behind - 1].kind == TOK_QUESTION) {
        switch ((int)p->tokens[behind].kind) {
        case TOK_CLOSE_PAREN: case TOK_CLOSE_BRACKET: case TOK_CLOSE_BRACE: case TOK_COMMA: case TOK_SEMICOLON:
        case TOK_COALESCE: case TOK_AND_AND: case TOK_OR_OR: case TOK_EQUAL: case TOK_NOT_EQUAL: case TOK_END:
        case TOK_COLON: case TOK_HOLE_END:
            return parse_type(p);
        }
        /* Hide the '?' from the type: parse up to it. */
        {
            struct token *tokens = (struct token *)p->tokens;
            enum token_kind kept = tokens[behind - 1].kind;
            tokens[behind - 1].kind = TOK_UNKNOWN;
            type = parse_type(p);
            tokens[behind - 1].kind = kept;
            return type;
        }
    }
    return parse_type(p);
}

/* pattern = "var" name | type name | constant or type */
struct node *
parse_pattern(struct parser *p)
{
    struct node *n = parser_node(p, NODE_PATTERN_VALUE);
    size_t behind = parser_scan_type(p, p->at);

    if (parser_is_word(p, "var") && parser_peek(p, 1)->kind == TOK_IDENTIFIER) {
        n->kind = NODE_PATTERN_VAR;
        p->at++;
        n->text = parser_peek(p, 0)->text;
        p->at++;
    } else if (behind && p->tokens[behind].kind == TOK_IDENTIFIER &&
               !(str_eq_lit(p->tokens[behind].text, "when") && p->tokens[behind + 1].kind != TOK_COLON)) {
        n->kind = NODE_PATTERN_TYPE;
        n->a = parse_type(p);
        n->text = parser_peek(p, 0)->text;
        p->at++;
    } else {
        n->a = unary(p);
    }
    return parser_finish(p, n);
}

/* is pattern = type name? | constant */
static struct node *
is_pattern(struct parser *p)
{
    struct node *n = parser_node(p, NODE_PATTERN_TYPE);
    size_t behind = parser_scan_type(p, p->at);
    enum token_kind kind = parser_kind(p);

    if (parser_is_word(p, "var") && parser_peek(p, 1)->kind == TOK_IDENTIFIER)
        return parse_pattern(p);
    if (!behind || (kind == TOK_IDENTIFIER && behind == p->at + 1 && p->tokens[behind].kind != TOK_IDENTIFIER) ||
        kind == TOK_OPEN_PAREN) {
        n->kind = NODE_PATTERN_VALUE;           /* null, 5, a name that may be a constant or a type */
        n->a = unary(p);
        return parser_finish(p, n);
    }
    n->a = tested_type(p);
    if (parser_kind(p) == TOK_IDENTIFIER && !parser_is_word(p, "when")) {
        n->text = parser_peek(p, 0)->text;
        p->at++;
    }
    return parser_finish(p, n);
}

/* binary = unary (operator binary of a tighter level)* , left to right; `is` and `as` take a pattern or type */
static struct node *
binary(struct parser *p, unsigned level)
{
    struct node *n = unary(p);
    enum token_kind op;
    unsigned tokens, found;

    while ((found = binary_level(p, &op, &tokens)) >= level && found > 0) {
        struct node *m = new_node(p, op == TOK_IS ? NODE_IS : op == TOK_AS ? NODE_AS : NODE_BINARY, n->at);
        p->at += tokens;
        m->op = op;
        m->flag = tokens == 2;              /* a right shift */
        m->a = n;
        if (!parser_enter(p))
            m->b = error_node(p);
        else if (op == TOK_IS)
            m->b = is_pattern(p);
        else
            m->b = op == TOK_AS ? tested_type(p) : binary(p, found + 1);
        p->nesting--;
        n = parser_finish(p, m);
    }
    return n;
}

/* coalescing = binary ("??" coalescing)? */
static struct node *
coalescing(struct parser *p)
{
    struct node *n = binary(p, 1), *m;

    if (parser_kind(p) != TOK_COALESCE)
        return n;
    m = new_node(p, NODE_BINARY, n->at);
    m->op = TOK_COALESCE;
    p->at++;
    m->a = n;
    m->b = parser_enter(p) ? coalescing(p) : error_node(p);
    p->nesting--;
    return parser_finish(p, m);
}

/* conditional = coalescing ("?" expression ":" expression)? */
static struct node *
conditional(struct parser *p)
{
    struct node *test = coalescing(p), *n;

    if (parser_kind(p) != TOK_QUESTION)
        return test;
    n = new_node(p, NODE_CONDITIONAL, test->at);
    p->at++;
    n->a = test;
    n->b = parse_expression(p);
    parser_expect(p, TOK_COLON);
    n->c = parse_expression(p);
    return parser_finish(p, n);
}

/* "x =>" or "(...) =>" */
static bool
is_lambda(const struct parser *p)
{
    unsigned nesting = 0;

    if (parser_kind(p) == TOK_IDENTIFIER)
        return parser_peek(p, 1)->kind == TOK_ARROW;
    if (parser_kind(p) != TOK_OPEN_PAREN)
        return false;
    for (size_t i = p->at; i < p->n; i++) {
        switch ((int)p->tokens[i].kind) {
        case TOK_OPEN_PAREN: nesting++; continue;
        case TOK_CLOSE_PAREN:
            if (--nesting == 0)
                return p->tokens[i + 1].kind == TOK_ARROW;
            continue;
        case TOK_IDENTIFIER: case TOK_COMMA: case TOK_DOT: case TOK_LESS: case TOK_GREATER: case TOK_QUESTION:
        case TOK_OPEN_BRACKET: case TOK_CLOSE_BRACKET: case TOK_OUT: case TOK_REF:
            continue;
        }
        if (p->tokens[i].kind >= TOK_AS)
            continue;
        return false;                       /* no parameter list holds this */
    }
    return false;
}

/* lambda = (identifier | parameters) "=>" (block | expression) */
static struct node *
lambda(struct parser *p)
{
    struct node *n = parser_node(p, NODE_LAMBDA);

    if (parser_kind(p) == TOK_IDENTIFIER) {
        n->list = parser_node(p, NODE_PARAMETER);
        n->list->text = parser_peek(p, 0)->text;
        n->list->op = TOK_END;
        p->at++;
    } else {
        bool typed = false, untyped = false;
        n->list = parse_parameters(p);
        for (const struct node *it = n->list; it; it = it->next) {
            typed |= it->a != NULL;
            untyped |= it->a == NULL;
        }
        if (typed && untyped)
            parser_error(p, "either all parameters of a lambda have types, or none (CS0748)");
    }
    parser_expect(p, TOK_ARROW);
    n->b = parser_kind(p) == TOK_OPEN_BRACE ? parse_block(p) : parse_expression(p);
    return parser_finish(p, n);
}

static bool
is_query(const struct parser *p)
{
    size_t behind;

    if (!parser_is_word(p, "from"))
        return false;
    if (parser_peek(p, 1)->kind == TOK_IDENTIFIER && parser_peek(p, 2)->kind == TOK_IN)
        return true;
    behind = parser_scan_type(p, p->at + 1);
    return behind && p->tokens[behind].kind == TOK_IDENTIFIER && p->tokens[behind + 1].kind == TOK_IN;
}

static enum token_kind
assignment_operator(const struct parser *p, unsigned *ret_tokens)
{
    const struct token *next = parser_peek(p, 1);

    *ret_tokens = 1;
    switch ((int)parser_kind(p)) {
    case TOK_ASSIGN: case TOK_ADD_ASSIGN: case TOK_SUBTRACT_ASSIGN: case TOK_MULTIPLY_ASSIGN: case TOK_DIVIDE_ASSIGN:
    case TOK_REMAINDER_ASSIGN: case TOK_AND_ASSIGN: case TOK_OR_ASSIGN: case TOK_XOR_ASSIGN: case TOK_SHIFT_LEFT_ASSIGN:
        return parser_kind(p);
    case TOK_GREATER:
        *ret_tokens = 2;
        return next->kind == TOK_GREATER_EQUAL && next->at == parser_peek(p, 0)->at + 1 ? TOK_GREATER : TOK_END;
    }
    return TOK_END;
}

/* expression = lambda | query | conditional (assignment-operator expression)? */
static struct node *
expression(struct parser *p)
{
    struct node *n, *m;
    enum token_kind op;
    unsigned tokens;

    if (parser_is_word(p, "async") && (parser_peek(p, 1)->kind == TOK_IDENTIFIER || parser_peek(p, 1)->kind == TOK_OPEN_PAREN)) {
        parser_error(p, "'async' is not allowed in policy expressions");
        p->at++;
    }
    if (is_lambda(p))
        return lambda(p);
    if (is_query(p))
        return parse_query(p);
    n = conditional(p);
    op = assignment_operator(p, &tokens);
    if (op == TOK_END)
        return n;
    m = new_node(p, NODE_ASSIGN, n->at);
    m->op = op;                             /* GREATER stands for >>= */
    p->at += tokens;
    m->a = n;
    m->b = parse_expression(p);
    return parser_finish(p, m);
}

struct node *
parse_expression(struct parser *p)
{
    struct node *n = parser_enter(p) ? expression(p) : error_node(p);

    p->nesting--;
    return n;
}
