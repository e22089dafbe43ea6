/* parse_query.c: queries (from x in y select z), which become calls while they are read, as C#'s specification translates them.
 *
 * Range variables that a later clause needs travel in an anonymous object, the parameter of the next lambda, whose ALIAS list
 * says where each one is found.
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/ast.h"

struct range {
    struct node *source;      /* the calls so far */
    struct node *aliases;     /* of the current parameter: NULL when it is the one range variable itself */
    struct str parameter;     /* its name */
};

static struct node *
name_node(struct parser *p, struct str text)
{
    struct node *n = parser_node(p, NODE_NAME);

    n->text = text;
    return n;
}

static struct node *
member_node(struct parser *p, struct node *of, struct str text)
{
    struct node *n = parser_node(p, NODE_MEMBER);

    n->a = of;
    n->text = text;
    return parser_finish(p, n);
}

static struct node *
parameter_node(struct parser *p, const struct range *r)
{
    struct node *n = parser_node(p, NODE_PARAMETER);

    n->text = r->parameter;
    n->op = TOK_END;
    n->list = r->aliases;
    return n;
}

static struct node *
lambda_node(struct parser *p, const struct range *r, struct str second, struct node *body)
{
    struct node *n = parser_node(p, NODE_LAMBDA);

    n->list = parameter_node(p, r);
    if (second.p) {
        n->list->next = parser_node(p, NODE_PARAMETER);
        n->list->next->text = second;
        n->list->next->op = TOK_END;
    }
    n->b = body;
    return parser_finish(p, n);
}

static struct node *
query_call(struct parser *p, struct node *of, const char *method, struct node *first, struct node *second)
{
    struct node *n = parser_node(p, NODE_CALL), **last = &n->list;
    struct node *values[2] = {first, second};

    n->at = of->at;
    n->a = member_node(p, of, str_from_c(method));
    n->a->at = of->at;
    for (size_t i = 0; i < 2; i++) {
        struct node *one;
        if (!values[i])
            continue;
        one = parser_node(p, NODE_ARGUMENT);
        one->op = TOK_END;
        one->a = values[i];
        node_list_add(&last, parser_finish(p, one));
    }
    return parser_finish(p, n);
}

/* new { parameter, name = value }, and the aliases that lead through it; the new parameter is called "<t>". */
static struct node *
widen(struct parser *p, struct range *r, struct str name_, struct node *value)
{
    static const struct str transparent = STR_INIT("<t>");
    struct node *n = parser_node(p, NODE_ANONYMOUS), *aliases = NULL, **last = &aliases;
    struct node *old = parser_node(p, NODE_FIELD), *added = parser_node(p, NODE_FIELD), *alias;

    old->text = r->aliases ? STR("<o>") : r->parameter;
    old->a = name_node(p, r->parameter);
    added->text = name_;
    added->a = value;
    old->next = added;
    n->list = old;
    for (const struct node *it = r->aliases; it; it = it->next) {
        /* A path <t>.x becomes <t>.<o>.x: its innermost name is the parameter. */
        alias = parser_node(p, NODE_ALIAS);
        alias->text = it->text;
        alias->a = member_node(p, member_node(p, name_node(p, transparent), STR("<o>")), it->text);
        for (const struct node *path = it->a->a; path->kind == NODE_MEMBER; path = path->a) {
            struct node *inner = alias->a->a;
            alias->a->a = member_node(p, inner, STR("<o>"));
        }
        node_list_add(&last, alias);
    }
    if (!r->aliases) {
        alias = parser_node(p, NODE_ALIAS);
        alias->text = r->parameter;
        alias->a = member_node(p, name_node(p, transparent), r->parameter);
        node_list_add(&last, alias);
    }
    alias = parser_node(p, NODE_ALIAS);
    alias->text = name_;
    alias->a = member_node(p, name_node(p, transparent), name_);
    node_list_add(&last, alias);
    r->aliases = aliases;
    r->parameter = transparent;
    return parser_finish(p, n);
}

static struct str
range_variable(struct parser *p, struct node **ret_type)
{
    struct str text;

    *ret_type = parser_peek(p, 1)->kind == TOK_IN || parser_peek(p, 1)->kind == TOK_ASSIGN ? NULL : parse_type(p);
    text = parser_peek(p, 0)->text;
    parser_expect(p, TOK_IDENTIFIER);
    return text;
}

static struct node *
cast_source(struct parser *p, struct node *source, struct node *type)
{
    struct node *n;

    if (!type)
        return source;
    n = query_call(p, source, "Cast", NULL, NULL);
    n->a->list = type;
    return n;
}

/* Copies of the current range before widening, for the lambda that computes the new value. */
static void
from_clause(struct parser *p, struct range *r)
{
    struct range before = *r;
    struct node *type, *source, *value;
    struct str text = range_variable(p, &type);

    parser_expect(p, TOK_IN);
    source = cast_source(p, parse_expression(p), type);
    value = widen(p, r, text, name_node(p, text));
    r->source = query_call(p, r->source, "SelectMany", lambda_node(p, &before, STR_NONE, source),
                           lambda_node(p, &before, text, value));
}

static void
let_clause(struct parser *p, struct range *r)
{
    struct range before = *r;
    struct node *value;
    struct str text = parser_peek(p, 0)->text;

    parser_expect(p, TOK_IDENTIFIER);
    parser_expect(p, TOK_ASSIGN);
    value = widen(p, r, text, parse_expression(p));
    r->source = query_call(p, r->source, "Select", lambda_node(p, &before, STR_NONE, value), NULL);
}

/* orderby = key ("ascending" | "descending")? ("," ...)* */
static void
orderby_clause(struct parser *p, struct range *r)
{
    bool is_first = true;

    do {
        struct node *key = lambda_node(p, r, STR_NONE, parse_expression(p));
        bool is_descending = parser_is_word(p, "descending");
        p->at += is_descending || parser_is_word(p, "ascending");
        r->source = query_call(p, r->source, is_first ? is_descending ? "OrderByDescending" : "OrderBy"
                               : is_descending ? "ThenByDescending" : "ThenBy", key, NULL);
        is_first = false;
    } while (parser_accept(p, TOK_COMMA));
}

static struct node *
append_argument(struct parser *p, struct node *call, struct node *value)
{
    struct node **last = &call->list, *one = parser_node(p, NODE_ARGUMENT);

    while (*last)
        last = &(*last)->next;
    one->op = TOK_END;
    one->a = value;
    *last = parser_finish(p, one);
    return call;
}

/* join = name "in" source "on" key "equals" key ("into" name)? */
static void
join_clause(struct parser *p, struct range *r)
{
    struct range before = *r, inner = {0};
    struct node *type, *source, *outer_key, *inner_key, *call, *value;
    struct str text = range_variable(p, &type), into = STR_NONE;

    parser_expect(p, TOK_IN);
    source = cast_source(p, parse_expression(p), type);
    p->at += parser_is_word(p, "on");
    outer_key = parse_expression(p);
    p->at += parser_is_word(p, "equals");
    inner_key = parse_expression(p);
    inner.parameter = text;
    if (parser_is_word(p, "into")) {
        p->at++;
        into = parser_peek(p, 0)->text;
        parser_expect(p, TOK_IDENTIFIER);
    }
    call = query_call(p, r->source, into.p ? "GroupJoin" : "Join", source, lambda_node(p, &before, STR_NONE, outer_key));
    append_argument(p, call, lambda_node(p, &inner, STR_NONE, inner_key));
    value = widen(p, r, into.p ? into : text, name_node(p, into.p ? into : text));
    append_argument(p, call, lambda_node(p, &before, into.p ? into : text, value));
    r->source = call;
}

/* select = "select" expression ; group = "group" expression "by" expression */
static bool
final_clause(struct parser *p, struct range *r)
{
    struct node *value, *key;

    if (parser_is_word(p, "select")) {
        p->at++;
        value = parse_expression(p);
        r->source = query_call(p, r->source, "Select", lambda_node(p, r, STR_NONE, value), NULL);
        return true;
    }
    if (!parser_is_word(p, "group"))
        return false;
    p->at++;
    value = parse_expression(p);
    if (parser_is_word(p, "by"))
        p->at++;
    else
        parser_error(p, "expected 'by' (CS0742)");
    key = parse_expression(p);
    r->source = query_call(p, r->source, "GroupBy", lambda_node(p, r, STR_NONE, key), lambda_node(p, r, STR_NONE, value));
    return true;
}

static bool
body_clause(struct parser *p, struct range *r)
{
    static const struct {
        const char *word;
        void (*parse)(struct parser *, struct range *);
    } clauses[] = {{"from", from_clause}, {"let", let_clause}, {"orderby", orderby_clause}, {"join", join_clause}};

    if (parser_is_word(p, "where")) {
        p->at++;
        r->source = query_call(p, r->source, "Where", lambda_node(p, r, STR_NONE, parse_expression(p)), NULL);
        return true;
    }
    for (size_t i = 0; i < COUNTOF(clauses); i++) {
        if (parser_is_word(p, clauses[i].word)) {
            p->at++;
            clauses[i].parse(p, r);
            return true;
        }
    }
    return false;
}

/* query = "from" name "in" source body ; body = clause* (select | group) ("into" name body)? */
struct node *
parse_query(struct parser *p)
{
    struct range r = {0};
    struct node *type;

    p->at++;
    r.parameter = range_variable(p, &type);
    parser_expect(p, TOK_IN);
    r.source = cast_source(p, parse_expression(p), type);
    for (;;) {
        while (body_clause(p, &r) && !p->failed)
            ;
        if (!final_clause(p, &r)) {
            parser_error(p, "a query must end with 'select' or 'group' (CS0742)");
            break;
        }
        if (!parser_is_word(p, "into"))
            break;
        p->at++;
        r.parameter = parser_peek(p, 0)->text;
        r.aliases = NULL;
        parser_expect(p, TOK_IDENTIFIER);
    }
    return r.source;
}
