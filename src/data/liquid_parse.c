/* liquid_parse.c: template text becomes nodes.
 *
 *     text {{ output }} text {% tag %} ... {% endtag %}
 * A '-' inside the braces takes blanks away: before {{- those on the line, behind -}} one line end or the blanks, as
 * DotLiquid does. An output ends at the first '}', a tag at the first "%}", quoted or not. Unlike DotLiquid a tag may go over
 * several lines.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/liquid_parse.h"

/* --- tokens -------------------------------------------------------------------------------------------------------- */

enum token_kind { TOKEN_END, TOKEN_TEXT, TOKEN_OUTPUT, TOKEN_TAG };

struct token {
    enum token_kind kind;
    struct str all;                   /* with braces */
    struct str inside;                /* without braces and '-' */
    struct str name, markup;          /* TAG */
};

/* Where the next {{ or {% begins. */
static size_t
find_open(struct str s, size_t at)
{
    for (; at + 1 < s.len; at++)
        if (s.p[at] == '{' && (s.p[at + 1] == '{' || s.p[at + 1] == '%'))
            return at;
    return s.len;
}

static struct str
text_before(struct liquid_parser *p, size_t open)
{
    struct str text = str_sub(p->text, p->at, open);

    if (open + 2 < p->text.len && p->text.p[open + 2] == '-')
        while (text.len && (text.p[text.len - 1] == ' ' || text.p[text.len - 1] == '\t'))
            text.len--;
    return text;
}

/* What -}} takes away behind itself. */
static size_t
trimmed_after(struct str s, size_t at)
{
    if (at < s.len && s.p[at] == '\n')
        return at + 1;
    if (at + 1 < s.len && s.p[at] == '\r' && s.p[at + 1] == '\n')
        return at + 2;
    while (at < s.len && (s.p[at] == ' ' || s.p[at] == '\t'))
        at++;
    return at;
}

static bool
unterminated(struct liquid_parser *p, const struct token *t)
{
    bool is_tag = t->kind == TOKEN_TAG;

    return liquid_parse_error(p, t->all, "%s '%.*s' was not properly terminated: expected %s", is_tag ? "Tag" : "Variable",
                              (int)MIN(t->all.len, (size_t)60), t->all.p, is_tag ? "%}" : "}}");
}

/* What stands between the braces, which close at `close`. */
static void
cut_inside(struct liquid_parser *p, size_t open, size_t close, struct token *ret)
{
    size_t from = open + 2, to = close;

    p->at = close + 2;
    from += from < to && p->text.p[from] == '-';
    if (to > from && p->text.p[to - 1] == '-') {
        to--;
        p->at = trimmed_after(p->text, p->at);
    }
    ret->all = str_sub(p->text, open, close + 2);
    ret->inside = str_sub(p->text, from, to);
}

static bool
read_output(struct liquid_parser *p, struct token *ret)
{
    ptrdiff_t close = str_find_char(p->text, '}', p->at + 2);
    bool is_closed = close >= 0 && (size_t)close + 1 < p->text.len && p->text.p[close + 1] == '}';

    ret->kind = TOKEN_OUTPUT;
    ret->all = str_sub(p->text, p->at, close < 0 ? p->at + 2 : (size_t)close + 1);
    if (!is_closed)
        return unterminated(p, ret);
    cut_inside(p, p->at, (size_t)close, ret);
    return true;
}

static bool
read_tag(struct liquid_parser *p, struct token *ret)
{
    ptrdiff_t close = str_find(p->text, STR("%}"), p->at + 2);
    size_t from, end;

    ret->kind = TOKEN_TAG;
    ret->all = str_sub(p->text, p->at, p->at + 2);
    if (close < 0)
        return unterminated(p, ret);
    cut_inside(p, p->at, (size_t)close, ret);
    from = liquid_skip_blanks(ret->inside, 0);
    end = liquid_word_end(ret->inside, from);
    ret->name = str_sub(ret->inside, from, end);
    ret->markup = str_trim(str_skip(ret->inside, end));
    return end > from || liquid_parse_error(p, ret->all, "a tag needs a name");
}

static bool
next_token(struct liquid_parser *p, struct token *ret)
{
    size_t open = find_open(p->text, p->at);

    *ret = (struct token){.kind = TOKEN_END, .all = str_sub(p->text, p->text.len, p->text.len)};
    if (p->at == p->text.len)
        return true;
    if (open > p->at) {
        ret->kind = TOKEN_TEXT;
        ret->all = ret->inside = text_before(p, open);
        p->at = open;
        return true;
    }
    return p->text.p[open + 1] == '{' ? read_output(p, ret) : read_tag(p, ret);
}

/* --- nodes --------------------------------------------------------------------------------------------------------- */

/* A block being filled: ends at {% endNAME %}. part() takes tags that belong to it (else, when): false for a tag it does
 * not know. */
struct block {
    struct token begin;
    struct liquid_nodes *into;
    bool (*part)(struct liquid_parser *p, struct block *b, const struct token *t);
    struct liquid_branches *branches;
    struct str left;                  /* of case: what `when` compares with */
};

static bool parse_block(struct liquid_parser *p, struct block *b);

static void *
need(struct liquid_parser *p, void *allocated)
{
    if (!allocated)
        p->has_failed = true;
    return allocated;
}

static struct liquid_node *
add_node(struct liquid_parser *p, struct liquid_nodes *list, enum liquid_node_kind kind)
{
    struct liquid_node *n = need(p, avec_push(p->keep, list));

    if (n)
        *n = (struct liquid_node){.kind = kind};
    return n;
}

static void
add_text(struct liquid_parser *p, struct liquid_nodes *list, struct str text)
{
    struct liquid_node *n = text.len ? add_node(p, list, NODE_TEXT) : NULL;

    if (n)
        n->text = text;
}

static struct liquid_branch *
add_branch(struct liquid_parser *p, struct block *b, const struct liquid_condition *c)
{
    struct liquid_branch *branch = need(p, avec_push(p->keep, b->branches));

    if (branch)
        *branch = (struct liquid_branch){.condition = c};
    return branch;
}

/* --- if, unless ---------------------------------------------------------------------------------------------------- */

static bool
if_part(struct liquid_parser *p, struct block *b, const struct token *t)
{
    const struct liquid_condition *c = NULL;
    struct liquid_branch *branch;

    if (!str_eq_lit(t->name, "else") && !str_eq_lit(t->name, "elsif") && !str_eq_lit(t->name, "elseif"))
        return false;
    if (!str_eq_lit(t->name, "else") && !(c = liquid_parse_condition(p, t->markup)))
        return true;
    if ((branch = add_branch(p, b, c)))
        b->into = &branch->list;
    return true;
}

static bool
parse_if(struct liquid_parser *p, struct liquid_nodes *into, const struct token *t)
{
    bool is_unless = str_eq_lit(t->name, "unless");
    struct liquid_branches *branches = need(p, arena_new(p->keep, struct liquid_branches));
    struct liquid_node *n = add_node(p, into, is_unless ? NODE_UNLESS : NODE_IF);
    struct block b = {.begin = *t, .part = if_part, .branches = branches};
    const struct liquid_condition *c = liquid_parse_condition(p, t->markup);
    struct liquid_branch *first;

    if (!branches || !n || !c || !(first = add_branch(p, &b, c)))
        return false;
    n->branches = branches;
    b.into = &first->list;
    return parse_block(p, &b);
}

/* --- case ---------------------------------------------------------------------------------------------------------- */

static const struct liquid_condition *
equals_condition(struct liquid_parser *p, struct str left, struct str right)
{
    struct liquid_condition *c = need(p, arena_new(p->keep, struct liquid_condition));

    if (c)
        *c = (struct liquid_condition){.left = liquid_parse_expr(p, left), .right = liquid_parse_expr(p, right), .op = OP_EQUAL};
    return c;
}

/* value [or value ...], with commas too. */
static bool
when_values(struct liquid_parser *p, struct block *b, struct str s)
{
    const struct liquid_condition *first = NULL;
    struct liquid_condition *last = NULL;
    struct liquid_branch *branch;
    struct str value;
    size_t at = 0;

    while (liquid_find_fragment(s, &at, false, &value)) {
        const struct liquid_condition *c;

        if (str_eq_lit(value, "or") && first)
            continue;
        if (!(c = equals_condition(p, b->left, value)))
            return false;
        if (last) {
            last->link = LINK_OR;
            last->rest = c;
        } else {
            first = c;
        }
        last = (struct liquid_condition *)c;
    }
    if (!first)
        return liquid_parse_error(p, s, "Syntax Error in 'case' tag - Valid when condition: {%% when [condition] "
                                        "[or condition2...] %%}");
    if (!(branch = add_branch(p, b, first)))
        return false;
    b->into = &branch->list;
    return true;
}

static bool
case_part(struct liquid_parser *p, struct block *b, const struct token *t)
{
    struct liquid_branch *branch;

    if (str_eq_lit(t->name, "when")) {
        when_values(p, b, t->markup);
        return true;
    }
    if (!str_eq_lit(t->name, "else"))
        return false;
    if (t->markup.len)
        liquid_parse_error(p, t->all, "Syntax Error in 'case' tag - Valid else condition: {%% else %%} (no parameters)");
    else if ((branch = add_branch(p, b, NULL)))
        b->into = &branch->list;
    return true;
}

static bool
parse_case(struct liquid_parser *p, struct liquid_nodes *into, const struct token *t)
{
    struct liquid_branches *branches = need(p, arena_new(p->keep, struct liquid_branches));
    struct liquid_node *n = add_node(p, into, NODE_CASE);
    struct liquid_nodes before = {0};  /* what stands before the first `when` is never rendered */
    struct block b = {.begin = *t, .part = case_part, .branches = branches, .into = &before};
    size_t at = 0;

    if (!branches || !n)
        return false;
    if (!liquid_find_fragment(t->markup, &at, false, &b.left))
        return liquid_parse_error(p, t->all, "Syntax Error in 'case' tag - Valid syntax: case [condition]");
    n->branches = branches;
    return parse_block(p, &b);
}

/* --- loops --------------------------------------------------------------------------------------------------------- */

/* name: value, anywhere behind the collection. */
static void
loop_attributes(struct liquid_parser *p, struct str s, struct liquid_loop *loop)
{
    for (size_t at = 0; at < s.len;) {
        size_t end = liquid_word_end(s, at), colon = liquid_skip_blanks(s, end), from, to;
        struct str name = str_sub(s, at, end), value;

        if (end == at || colon >= s.len || s.p[colon] != ':') {
            at = end == at ? at + 1 : end;
            continue;
        }
        from = liquid_skip_blanks(s, colon + 1);
        to = liquid_fragment_end(s, from, false);
        value = str_sub(s, from, to);
        at = MAX(to, colon + 1);
        if (to == from)
            continue;
        if (str_eq_lit(name, "limit"))
            loop->limit = liquid_parse_expr(p, value);
        else if (str_eq_lit(name, "cols"))
            loop->cols = liquid_parse_expr(p, value);
        else if (str_eq_lit(name, "offset") && str_eq_lit(value, "continue"))
            loop->continues = true;
        else if (str_eq_lit(name, "offset"))
            loop->offset = liquid_parse_expr(p, value);
    }
}

/* variable in collection [reversed] */
static bool
loop_head(struct liquid_parser *p, struct str s, struct liquid_loop *loop)
{
    size_t end = liquid_word_end(s, 0), at = liquid_skip_blanks(s, end), from;
    struct str collection;

    loop->variable = str_sub(s, 0, end);
    if (!end || at == end || !str_starts_with(str_skip(s, at), STR("in")) || at + 2 >= s.len || !ascii_is_blank(s.p[at + 2]))
        return false;
    from = at = liquid_skip_blanks(s, at + 2);
    while (liquid_fragment_end(s, at, false) > at)
        at = liquid_fragment_end(s, at, false);
    if (at == from)
        return false;
    collection = str_sub(s, from, at);
    loop->collection = liquid_parse_expr(p, collection);
    loop->name = str_printf(p->keep, "%.*s-%.*s", STR_ARG(loop->variable), STR_ARG(collection));
    loop->reversed = str_starts_with(str_skip(s, liquid_skip_blanks(s, at)), STR("reversed"));
    loop_attributes(p, str_skip(s, at), loop);
    return loop->name.p != NULL;
}

static bool
parse_loop(struct liquid_parser *p, struct liquid_nodes *into, const struct token *t, enum liquid_node_kind kind, struct str head)
{
    struct liquid_loop *loop = need(p, arena_new(p->keep, struct liquid_loop));
    struct liquid_node *n = add_node(p, into, kind);
    struct block b = {.begin = *t};

    if (!loop || !n)
        return false;
    n->loop = loop;
    if (!loop_head(p, head, loop))
        return liquid_parse_error(p, t->all, "Syntax Error in '%.*s' tag - Valid syntax: %.*s [item] in [collection]%s",
                                  STR_ARG(t->name), STR_ARG(t->name), kind == NODE_TABLE_ROW ? " cols:[number]" : "");
    b.into = &loop->list;
    return parse_block(p, &b);
}

static bool
parse_for(struct liquid_parser *p, struct liquid_nodes *into, const struct token *t)
{
    return parse_loop(p, into, t, NODE_FOR, t->markup);
}

static bool
parse_table_row(struct liquid_parser *p, struct liquid_nodes *into, const struct token *t)
{
    return parse_loop(p, into, t, NODE_TABLE_ROW, t->markup);
}

/* JSONArrayFor, and JSONArray For as one page of the vendor has it. */
static bool
parse_json_array_for(struct liquid_parser *p, struct liquid_nodes *into, const struct token *t)
{
    struct str head = t->markup;

    if (str_eq_lit(t->name, "JSONArray")) {
        if (!str_starts_with(head, STR("For ")))
            return liquid_parse_error(p, t->all, "Unknown tag 'JSONArray'; did you mean 'JSONArrayFor'?");
        head = str_trim(str_skip(head, 4));
    }
    return parse_loop(p, into, t, NODE_JSON_ARRAY_FOR, head);
}

/* --- the rest ------------------------------------------------------------------------------------------------------ */

static bool
parse_assign(struct liquid_parser *p, struct liquid_nodes *into, const struct token *t)
{
    struct liquid_node *n = add_node(p, into, NODE_ASSIGN);
    size_t end = 0, equals;

    while (end < t->markup.len && (liquid_is_word(t->markup.p[end]) || strchr("-.[]()", t->markup.p[end])))
        end++;
    equals = liquid_skip_blanks(t->markup, end);
    if (!n)
        return false;
    if (!end || equals >= t->markup.len || t->markup.p[equals] != '=')
        return liquid_parse_error(p, t->all, "Syntax Error in 'assign' tag - Valid syntax: assign [var] = [source]");
    n->text = str_sub(t->markup, 0, end);
    n->variable = liquid_parse_variable(p, str_skip(t->markup, equals + 1));
    return true;
}

static struct str
first_word(struct str s)
{
    size_t at = 0;

    while (at < s.len && !liquid_is_word(s.p[at]))
        at++;
    return str_sub(s, at, liquid_word_end(s, at));
}

/* A block whose output goes elsewhere: capture, ifchanged, block. */
static bool
parse_inner_block(struct liquid_parser *p, struct liquid_nodes *into, const struct token *t, enum liquid_node_kind kind)
{
    struct liquid_nodes *list = need(p, arena_new(p->keep, struct liquid_nodes));
    struct liquid_node *n = add_node(p, into, kind);
    struct block b = {.begin = *t, .into = list};

    if (!list || !n)
        return false;
    n->list = list;
    n->text = first_word(t->markup);
    if (kind == NODE_CAPTURE && !n->text.len)
        return liquid_parse_error(p, t->all, "Syntax Error in 'capture' tag - Valid syntax: capture [var]");
    return parse_block(p, &b);
}

static bool
parse_capture(struct liquid_parser *p, struct liquid_nodes *into, const struct token *t)
{
    return parse_inner_block(p, into, t, NODE_CAPTURE);
}

static bool
parse_if_changed(struct liquid_parser *p, struct liquid_nodes *into, const struct token *t)
{
    return parse_inner_block(p, into, t, NODE_IF_CHANGED);
}

static bool
parse_named_block(struct liquid_parser *p, struct liquid_nodes *into, const struct token *t)
{
    return parse_inner_block(p, into, t, NODE_BLOCK);
}

/* [name :] value, value ... Without a name the values are the name. */
static bool
parse_cycle(struct liquid_parser *p, struct liquid_nodes *into, const struct token *t)
{
    struct liquid_cycle *cycle = need(p, arena_new(p->keep, struct liquid_cycle));
    struct { const struct liquid_expr **v; size_t n, cap; } values = {0};
    struct liquid_node *n = add_node(p, into, NODE_CYCLE);
    size_t end = liquid_fragment_end(t->markup, 0, false), colon = liquid_skip_blanks(t->markup, end);
    struct str rest = t->markup, piece, value, key;

    if (!cycle || !n)
        return false;
    if (!end)
        return liquid_parse_error(p, t->all, "Syntax Error in 'cycle' tag - Valid syntax: cycle [name :] var [, var2, var3 ...]");
    n->cycle = cycle;
    key = rest;
    if (colon < rest.len && rest.p[colon] == ':') {
        cycle->name = liquid_parse_expr(p, str_sub(rest, 0, end));
        rest = str_skip(rest, colon + 1);
    } else if (end > 1 && rest.p[end - 1] == ':') {
        cycle->name = liquid_parse_expr(p, str_sub(rest, 0, end - 1));
        rest = str_skip(rest, end);
    }
    for (rest = rest.len ? rest : STR_NONE; str_split_next(&rest, ',', &piece);) {
        const struct liquid_expr **slot = need(p, avec_push(p->keep, &values));
        size_t at = 0;

        if (!slot)
            return false;
        *slot = liquid_find_fragment(piece, &at, false, &value) ? liquid_parse_expr(p, value) : NULL;
    }
    if (!cycle->name) {
        struct liquid_expr *e = need(p, arena_new(p->keep, struct liquid_expr));
        if (!e)
            return false;
        *e = (struct liquid_expr){.kind = EXPR_CONSTANT, .constant = liquid_string(key)};
        cycle->name = e;
    }
    cycle->values = values.v;
    cycle->n = (uint32_t)values.n;
    return cycle->n > 0 || liquid_parse_error(p, t->all, "Syntax Error in 'cycle' tag - nothing to cycle through");
}

static bool
parse_counter(struct liquid_parser *p, struct liquid_nodes *into, const struct token *t)
{
    struct liquid_node *n = add_node(p, into, str_eq_lit(t->name, "increment") ? NODE_INCREMENT : NODE_DECREMENT);

    if (!n)
        return false;
    n->text = first_word(t->markup);
    return n->text.len || liquid_parse_error(p, t->all, "Syntax Error in '%.*s' tag - Valid syntax: %.*s [var]",
                                             STR_ARG(t->name), STR_ARG(t->name));
}

static bool
parse_interrupt(struct liquid_parser *p, struct liquid_nodes *into, const struct token *t)
{
    return add_node(p, into, str_eq_lit(t->name, "break") ? NODE_BREAK : NODE_CONTINUE) != NULL;
}

/* There is no file system to include from; DotLiquid says so when it gets there. */
static bool
parse_include(struct liquid_parser *p, struct liquid_nodes *into, const struct token *t)
{
    struct liquid_node *n = add_node(p, into, NODE_THROW);

    if (n)
        n->text = STR("Error - This liquid context does not allow includes");
    liquid_parse_warning(p, t->all, "templates cannot use others: %.*s gives an error text", STR_ARG(t->name));
    return n != NULL;
}

/* Up to {% endNAME %}; the same tag may stand inside of a comment. What was skipped in *ret. */
static bool
skip_block(struct liquid_parser *p, const struct token *t, bool nests, struct str *ret)
{
    struct str end = str_printf(p->keep, "end%.*s", STR_ARG(t->name));
    size_t from = p->at;
    unsigned level = 1;

    for (;;) {
        ptrdiff_t open = str_find(p->text, STR("{%"), p->at);
        struct token inner = {.kind = TOKEN_END};

        if (open < 0 || str_find(p->text, STR("%}"), (size_t)open + 2) < 0)
            return liquid_parse_error(p, t->all, "%.*s tag was never closed", STR_ARG(t->name));
        p->at = (size_t)open;
        cut_inside(p, p->at, (size_t)str_find(p->text, STR("%}"), p->at + 2), &inner);
        inner.name = first_word(inner.inside);
        level += nests && str_eq(inner.name, t->name);
        level -= str_eq(inner.name, end);
        if (level == 0) {
            *ret = str_sub(p->text, from, (size_t)open);
            return true;
        }
        p->at = (size_t)open + 2;
    }
}

static bool
parse_raw(struct liquid_parser *p, struct liquid_nodes *into, const struct token *t)
{
    struct str inside;

    if (!skip_block(p, t, false, &inside))
        return false;
    add_text(p, into, inside);
    return true;
}

static bool
parse_comment(struct liquid_parser *p, struct liquid_nodes *into, const struct token *t)
{
    struct str inside;

    return skip_block(p, t, true, &inside);
}

static const struct tag {
    struct str name;
    bool (*parse)(struct liquid_parser *p, struct liquid_nodes *into, const struct token *t);
} tags[] = {
    {STR_INIT("assign"), parse_assign},
    {STR_INIT("block"), parse_named_block},
    {STR_INIT("break"), parse_interrupt},
    {STR_INIT("capture"), parse_capture},
    {STR_INIT("case"), parse_case},
    {STR_INIT("comment"), parse_comment},
    {STR_INIT("continue"), parse_interrupt},
    {STR_INIT("cycle"), parse_cycle},
    {STR_INIT("decrement"), parse_counter},
    {STR_INIT("extends"), parse_include},
    {STR_INIT("for"), parse_for},
    {STR_INIT("if"), parse_if},
    {STR_INIT("ifchanged"), parse_if_changed},
    {STR_INIT("include"), parse_include},
    {STR_INIT("increment"), parse_counter},
    {STR_INIT("JSONArray"), parse_json_array_for},
    {STR_INIT("JSONArrayFor"), parse_json_array_for},
    {STR_INIT("literal"), parse_raw},
    {STR_INIT("raw"), parse_raw},
    {STR_INIT("tablerow"), parse_table_row},
    {STR_INIT("unless"), parse_if},
};

/* --- blocks -------------------------------------------------------------------------------------------------------- */

static bool
is_end_of(const struct block *b, const struct token *t)
{
    if (!b->begin.name.len || !str_starts_with(t->name, STR("end")))
        return false;
    struct str name = str_skip(t->name, 3);
    bool is_array = str_starts_with(b->begin.name, STR("JSONArray"));
    return str_eq(name, b->begin.name) || (is_array && (str_eq_lit(name, "JSONArrayFor") || str_eq_lit(name, "JSONArray")));
}

static bool
unknown_tag(struct liquid_parser *p, const struct block *b, const struct token *t)
{
    struct str name = b->begin.name;

    if (str_eq_lit(t->name, "else") && name.len)
        return liquid_parse_error(p, t->all, "%.*s tag does not expect else tag", STR_ARG(name));
    if (str_eq_lit(t->name, "end") && name.len)
        return liquid_parse_error(p, t->all, "'end' is not a valid delimiter for %.*s tags. Use end%.*s", STR_ARG(name),
                                  STR_ARG(name));
    return liquid_parse_error(p, t->all, "Unknown tag '%.*s'", STR_ARG(t->name));
}

static bool
parse_tag(struct liquid_parser *p, struct block *b, const struct token *t)
{
    for (size_t i = 0; i < COUNTOF(tags); i++)
        if (str_eq(t->name, tags[i].name))
            return tags[i].parse(p, b->into, t);
    if (b->part && b->part(p, b, t))
        return !p->has_failed;
    return unknown_tag(p, b, t);
}

static bool
parse_nodes(struct liquid_parser *p, struct block *b)
{
    struct token t;

    while (!p->has_failed && next_token(p, &t)) {
        struct liquid_node *n;

        switch (t.kind) {
        case TOKEN_END:
            return !b->begin.name.len ||
                   liquid_parse_error(p, b->begin.all, "%.*s tag was never closed", STR_ARG(b->begin.name));
        case TOKEN_TEXT:
            add_text(p, b->into, t.inside);
            break;
        case TOKEN_OUTPUT:
            if ((n = add_node(p, b->into, NODE_OUTPUT)))
                n->variable = liquid_parse_variable(p, t.inside);
            break;
        case TOKEN_TAG:
            if (is_end_of(b, &t))
                return true;
            if (!parse_tag(p, b, &t))
                return false;
            break;
        }
    }
    return false;
}

static bool
parse_block(struct liquid_parser *p, struct block *b)
{
    bool ok;

    if (p->depth >= LIQUID_DEPTH_MAX)
        return liquid_parse_error(p, b->begin.all, "Nesting too deep");
    p->depth++;
    ok = parse_nodes(p, b);
    p->depth--;
    return ok;
}

struct liquid *
liquid_compile(struct arena *keep, struct str text, const struct liquid_note **ret_notes)
{
    struct liquid_parser p = {.keep = keep, .text = text.p ? text : STR(""), .result = arena_new(keep, struct liquid)};
    struct block all = {.into = p.result ? &p.result->list : NULL};
    bool ok;

    p.notes_end = &p.notes;
    *ret_notes = NULL;
    if (!p.result)
        return NULL;
    ok = parse_nodes(&p, &all) && !p.has_failed;
    *ret_notes = p.notes;
    return ok ? p.result : NULL;
}

bool
liquid_mentions(const struct liquid *t, struct str root)
{
    for (size_t i = 0; i < t->roots.n; i++)
        if (str_eq(t->roots.v[i], root))
            return true;
    return false;
}
