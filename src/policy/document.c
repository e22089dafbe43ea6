/* document.c: reads policy documents as people write them into a tree.
 *
 * One pass over the text with the open elements on the tree itself, so that depth costs no stack. Taken beside well-formed
 * XML, because real documents have it:
 *   - C# in attributes and texts with raw quotes, `<`, `&&`, newlines; or escaped; or both in one file
 *   - single quotes, blanks around '=', a raw '&' or '<' in a literal, quotes nested in a literal attribute
 *   - set-body with markup, templates or half-open HTML inside: kept as written up to </set-body>
 *   - comments anywhere, CDATA, a declaration, a byte-order mark; several elements at the top (parts of a document)
 * Not taken: document types (entities of one's own), unclosed or crossed elements, attributes without a value.
 * After an error the reader goes on at the next '<' and so reports several.
 * Not here: where an expression ends (expression_end.c), named values (named_values.c).
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/document.h"

#include <stdio.h>

#include "base/err.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "policy/attribute_end.h"
#include "policy/entity.h"

#define ERRORS_MAX 50             /* then the rest is not looked at: each costs a look ahead */

/* A run of an element's text as it stands in the source. */
struct piece {
    uint32_t from, to;
    bool is_cdata;
};

/* An element whose end tag has not come yet. */
struct open_element {
    struct node *node;
    uint32_t pieces_from;         /* its pieces are the reader's from here on */
    uint32_t content_at;
};

struct reader {
    struct arena *arena;
    const struct source *source;
    struct str text;
    size_t at;
    const struct document_limits *limits;
    struct diags *diags;
    struct document *doc;
    struct node *last;            /* at the top level */
    VEC(struct open_element) open;
    VEC(struct piece) pieces;
    uint32_t errors_before, n_mended;
    bool is_over;                 /* a limit was hit: stop */
    bool is_cut;                  /* something runs to the end of the text and may hide end tags */
};

static void PRINTF_LIKE(4, 5)
error(struct reader *r, size_t at, size_t len, const char *fmt, ...)
{
    char message[ERR_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    diag_add(r->diags, DIAG_ERROR, r->source, (uint32_t)at, (uint32_t)len, "%s", message);
    r->is_over |= r->diags->errors - r->errors_before >= ERRORS_MAX;
}

/* After a mistake whose meaning is plain: the tree is as its author wanted it. */
static void
mended(struct reader *r)
{
    r->n_mended++;
}

static void
stop(struct reader *r, size_t at, const char *limit, uint32_t max)
{
    error(r, at, 1, "more than %" PRIu32 " %s", max, limit);
    r->is_over = true;
}

static bool
looks_at(const struct reader *r, size_t at, struct str what)
{
    return str_starts_with(str_skip(r->text, at), what);
}

/* An expression that does not end: where its mistake is, as far as that can be told. */
static struct expression_fault
report_expression(struct reader *r, size_t start, char quote)
{
    struct expression_fault f = expression_find_fault(r->text, start, quote);
    struct line_column opened = source_position(r->source, (uint32_t)f.opened_at);
    char found[32] = "the end";

    if (f.found)
        snprintf(found, sizeof(found), "'%c'", f.found);
    if (!f.len)
        error(r, start, 2, "this expression is not closed: its brackets or quotes do not match");
    else if (!f.expected)
        error(r, f.at, f.len, "more than %u brackets are open at once", EXPRESSION_BRACKETS_MAX);
    else if (f.expected == '$')
        error(r, f.at, f.len, "more than %u interpolated strings are in each other", EXPRESSION_INTERPOLATED_MAX);
    else if (f.expected == '"')
        error(r, f.at, f.len, "this string is not closed, expected \"");
    else
        error(r, f.at, f.len, "expected '%c', found %s; the '%c' of %" PRIu32 ":%" PRIu32 " is open", f.expected, found,
              r->text.p[f.opened_at], opened.line, opened.column);
    return f;
}

/* Behind the next `end`, or the end of the text with an error about `what`. */
static size_t
skip_past(struct reader *r, size_t at, struct str end, const char *what)
{
    ptrdiff_t found = str_find(r->text, end, at);

    if (found >= 0)
        return (size_t)found + end.len;
    if (!r->is_cut)
        error(r, at, 1, "this %s is not closed, expected %.*s", what, STR_ARG(end));
    r->is_cut = true;
    return r->text.len;
}

/* --- texts: pieces decoded, with the way back ---------------------------------------------------------------------- */

struct text_builder {
    struct arena *arena;
    struct buf bytes;
    struct { struct text_segment *v; size_t n, cap; } segments;
};

static void
add_segment(struct text_builder *b, uint32_t from, bool is_fixed)
{
    struct text_segment *s = avec_push(b->arena, &b->segments);

    if (s)
        *s = (struct text_segment){.at = (uint32_t)b->bytes.len, .from = from, .is_fixed = is_fixed};
}

static void
add_raw(struct text_builder *b, struct str text, uint32_t from, uint32_t to)
{
    if (from == to)
        return;
    add_segment(b, from, false);
    buf_add_str(&b->bytes, str_sub(text, from, to));
}

static void
add_decoded(struct text_builder *b, struct str text, uint32_t from, uint32_t to)
{
    uint32_t plain = from;

    for (uint32_t at = from; at < to;) {
        uint32_t code_point;
        size_t width = text.p[at] == '&' ? entity_decode(str_sub(text, 0, to), at, &code_point) : 0;
        char utf8[4];

        if (!width) {
            at++;
            continue;
        }
        add_raw(b, text, plain, at);
        add_segment(b, at, true);
        buf_add(&b->bytes, utf8, utf8_put(utf8, code_point));
        at += (uint32_t)width;
        plain = at;
    }
    add_raw(b, text, plain, to);
}

/* An expression loses the blanks around it; a literal keeps them, as set-body wants them. */
void
doc_text_find_expression(struct doc_text *t)
{
    size_t at = skip_blanks(t->value, 0), end;

    t->is_expression = false;
    if (at + 1 >= t->value.len || t->value.p[at] != '@' || !(end = expression_end(t->value, at, false)))
        return;
    if (skip_blanks(t->value, end) < t->value.len)
        return;
    t->is_expression = true;
    t->value = str_sub(t->value, at, end);
    if (t->map.n == 0) {
        t->map.base += (uint32_t)at;
        return;
    }
    for (uint32_t i = 0; i < t->map.n; i++) {
        struct text_segment *s = &t->map.segments[i];

        if (s->at >= at) {
            s->at -= (uint32_t)at;
        } else if (i + 1 == t->map.n || t->map.segments[i + 1].at > at) {
            s->from += s->is_fixed ? 0 : (uint32_t)at - s->at;
            s->at = 0;
        } else {
            s->at = 0;            /* wholly cut off: a later one has the same start and wins */
        }
    }
}

static struct doc_text
make_text(struct reader *r, const struct piece *pieces, size_t n)
{
    struct doc_text t = {.value = STR(""), .map.source = r->source};
    bool is_plain = n == 1 && (pieces[0].is_cdata ||
                               str_find_char(str_sub(r->text, pieces[0].from, pieces[0].to), '&', 0) < 0);

    if (is_plain) {
        t.value = str_sub(r->text, pieces[0].from, pieces[0].to);
        t.map.base = pieces[0].from;
    } else if (n > 0) {
        struct text_builder b = {.arena = r->arena, .bytes = buf_in(r->arena)};

        for (size_t i = 0; i < n; i++) {
            if (pieces[i].is_cdata)
                add_raw(&b, r->text, pieces[i].from, pieces[i].to);
            else
                add_decoded(&b, r->text, pieces[i].from, pieces[i].to);
        }
        t.value = b.bytes.len ? buf_str(&b.bytes) : STR("");
        t.map.base = pieces[0].from;
        t.map.n = (uint32_t)b.segments.n;
        t.map.segments = b.segments.v;
    }
    doc_text_find_expression(&t);
    return t;
}

/* --- attributes ---------------------------------------------------------------------------------------------------- */

/* Reports that the closing quote of the value in [from, end) was forgotten, and goes on behind it. */
static struct piece
forgotten_quote(struct reader *r, size_t *at, size_t end)
{
    size_t from = *at + 1;

    error(r, *at, end - *at, "this attribute value is not closed, expected %c behind it", r->text.p[*at]);
    mended(r);
    *at = end;
    return (struct piece){(uint32_t)from, (uint32_t)end, false};
}

/* Reports an expression that does not end; where its attribute seems to end, 0 when nothing looks like that. */
static size_t
broken_end(struct reader *r, size_t start, char quote)
{
    struct expression_fault f = report_expression(r, start, quote);
    bool is_string = f.expected == '"';

    if (f.len && !f.found && !is_string && f.at < r->text.len && r->text.p[f.at] == quote)
        return f.at;
    return expression_guess_end(r->text, is_string ? f.at + 1 : start + 2, quote, !is_string);
}

/* A value over several lines that begins with '@' and is no expression: "@ var a ... }", without its '{', or one that closes
 * too early. Where it seems to end; `end` when it is only a text. */
static size_t
half_expression(struct reader *r, size_t start, char quote, size_t end, bool *ret_broken)
{
    size_t behind = expression_end(r->text, start, true), guess = expression_guess_end(r->text, start + 1, quote, true);

    if (!guess || guess < end || (!behind && !ascii_is_blank(r->text.p[start + 1])))
        return end;
    if (behind)
        error(r, behind - 1, 1, "this closes the expression, but more follows: a bracket too many, or one missing before");
    else
        error(r, start, 1, "expected '(' or '{' behind '@'");
    mended(r);
    *ret_broken = true;
    return guess;
}

/* The value behind the opening quote at *at; *at is then behind the closing one. */
static struct piece
attribute_value(struct reader *r, size_t *at, bool *ret_broken)
{
    char quote = r->text.p[*at];
    size_t from = *at + 1, start = skip_blanks(r->text, from), end;
    bool is_expression = start + 1 < r->text.len && r->text.p[start] == '@' &&
                         (r->text.p[start + 1] == '(' || r->text.p[start + 1] == '{');

    if (is_expression) {
        size_t behind = expression_end(r->text, start, true);

        if (!behind) {
            *ret_broken = true;
            end = broken_end(r, start, quote);
            if (end) {
                mended(r);
                *at = end + 1;
                return (struct piece){(uint32_t)from, (uint32_t)end, false};
            }
        }
        end = skip_blanks(r->text, behind);
        if (behind && end < r->text.len && r->text.p[end] == quote) {
            *at = end + 1;
            return (struct piece){(uint32_t)from, (uint32_t)end, false};
        }
        if (behind && goes_on_as_tag(r->text, end))
            return forgotten_quote(r, at, behind);
    }
    if (!is_expression && (end = run_on_end(r->text, from, quote)))
        return forgotten_quote(r, at, end);
    end = literal_end(r->text, from, quote);
    if (start + 1 < end && r->text.p[start] == '@' && !*ret_broken && !quote_ends_value(r->text, end))
        end = half_expression(r, start, quote, end, ret_broken);
    if (end == r->text.len && !*ret_broken)
        return forgotten_quote(r, at, tag_end(r->text, from));
    *at = MIN(end + 1, r->text.len);
    return (struct piece){(uint32_t)from, (uint32_t)end, false};
}

static void
add_attribute(struct reader *r, struct node *n, struct attribute ***last, struct str name, size_t name_at,
              struct piece value)
{
    struct attribute *a;

    for (a = n->attrs; a; a = a->next) {
        if (str_eq(a->name, name)) {
            error(r, name_at, name.len, "attribute %.*s appears twice", STR_ARG(name));
            mended(r);
            return;
        }
    }
    a = arena_new(r->arena, struct attribute);
    if (!a)
        return;
    *a = (struct attribute){.name = name, .name_at = (uint32_t)name_at, .text = make_text(r, &value, 1)};
    **last = a;
    *last = &a->next;
}

/* attribute = name "=" value. True to go on in this tag. */
static bool
attribute(struct reader *r, struct node *n, struct attribute ***last)
{
    size_t name_at = r->at, end = skip_name(r->text, r->at);
    struct str name = str_sub(r->text, name_at, end);

    if (name.len == 0) {
        error(r, name_at, 1, "unexpected '%c' in the tag of <%.*s>", r->text.p[name_at], STR_ARG(n->name));
        ptrdiff_t close = str_find_char(r->text, '>', name_at);
        r->at = close < 0 ? r->text.len : (size_t)close;
        return close >= 0;
    }
    r->at = skip_blanks(r->text, end);
    if (r->at >= r->text.len || r->text.p[r->at] != '=') {
        error(r, name_at, name.len, "attribute %.*s has no value", STR_ARG(name));
        return true;
    }
    r->at = skip_blanks(r->text, r->at + 1);
    if (r->at >= r->text.len || (r->text.p[r->at] != '"' && r->text.p[r->at] != '\'')) {
        error(r, name_at, name.len, "the value of attribute %.*s is not quoted", STR_ARG(name));
        mended(r);
        size_t from = r->at, to = expression_end(r->text, from, true);
        r->at = MAX(r->at, to);
        while (r->at < r->text.len && !ascii_is_blank(r->text.p[r->at]) && !strchr("\"'>", r->text.p[r->at]) &&
               !looks_at(r, r->at, STR("/>")))
            r->at++;
        to = to ? to : r->at;
        r->at += looks_at(r, r->at, STR("\"")) || looks_at(r, r->at, STR("'"));
        add_attribute(r, n, last, name, name_at, (struct piece){(uint32_t)from, (uint32_t)to, false});
        return true;
    }
    bool is_broken = false;
    struct piece value = attribute_value(r, &r->at, &is_broken);
    add_attribute(r, n, last, name, name_at, value);
    for (struct attribute *a = n->attrs; a && is_broken; a = a->next)
        a->text.is_broken |= a->name_at == name_at;
    return true;
}

/* --- elements ------------------------------------------------------------------------------------------------------ */

static struct open_element *
innermost(struct reader *r)
{
    return r->open.n ? &r->open.v[r->open.n - 1] : NULL;
}

static void
link_node(struct reader *r, struct node *n)
{
    struct node *parent = r->open.n ? innermost(r)->node : NULL;
    struct node **first = parent ? &parent->first_child : &r->doc->first;
    struct node **last = parent ? &parent->last_child : &r->last;

    n->parent = parent;
    if (*last)
        (*last)->next = n;
    else
        *first = n;
    *last = n;
}

/* Takes the node that was linked last out of its parent again; O(children), on an error's path. */
static void
unlink_last(struct reader *r)
{
    struct node *parent = innermost(r)->node, *gone = parent->last_child, *before = parent->first_child;

    if (before == gone) {
        parent->first_child = parent->last_child = NULL;
        return;
    }
    while (before->next != gone)
        before = before->next;
    before->next = NULL;
    parent->last_child = before;
}

/* <value>x<value>: behind anything, no element stands directly in one of its own name without an attribute. */
static bool
is_end_without_slash(const struct reader *r, const struct node *n)
{
    return n->parent && !n->attrs && str_eq(n->parent->name, n->name) && r->open.v[r->open.n - 1].content_at < n->at;
}

static void
finish_text(struct reader *r, const struct open_element *e)
{
    bool is_broken = e->node->text.is_broken;

    e->node->text = make_text(r, r->pieces.v + e->pieces_from, r->pieces.n - e->pieces_from);
    e->node->text.is_broken = is_broken;
    r->pieces.n = e->pieces_from;
}

static void
close_element(struct reader *r, size_t content_end)
{
    struct open_element e = *innermost(r);

    if (e.node->first_child) {
        e.node->markup = str_sub(r->text, e.content_at, content_end);
        e.node->markup_at = e.content_at;
    }
    finish_text(r, &e);
    r->open.n--;
}

static void
add_piece(struct reader *r, size_t from, size_t to, bool is_cdata)
{
    if (from < to)
        *vec_push(&r->pieces) = (struct piece){(uint32_t)from, (uint32_t)to, is_cdata};
}

/* When an element's text is an expression, takes all of it: inside, '<' means less. */
static void
text_expression(struct reader *r)
{
    size_t start = r->at;
    bool is_cdata = false;

    for (;;) {
        start = skip_blanks(r->text, start);
        if (looks_at(r, start, STR("<!--")))
            start = skip_past(r, start, STR("-->"), "comment");
        else if (!is_cdata && looks_at(r, start, STR("<![CDATA[")))
            start += strlen("<![CDATA["), is_cdata = true;
        else
            break;
    }
    if (!looks_at(r, start, STR("@(")) && !looks_at(r, start, STR("@{")))
        return;
    if (is_cdata)
        return;                       /* CDATA ends by its own mark; nothing in it needs care */
    size_t end = expression_end(r->text, start, true);
    if (end) {
        add_piece(r, start, end, false);
        r->at = end;
        return;
    }
    report_expression(r, start, 0);
    struct str name = innermost(r)->node->name;
    for (ptrdiff_t tag = str_find(r->text, STR("</"), start); tag >= 0;
         tag = str_find(r->text, STR("</"), (size_t)tag + 2)) {
        if (looks_at(r, (size_t)tag + 2, name)) {
            add_piece(r, start, (size_t)tag, false);
            innermost(r)->node->text.is_broken = true;
            mended(r);
            r->at = (size_t)tag;
            return;
        }
    }
}

/* Where the end tag </name> of an element with opaque content begins; text.len when there is none. Comments and CDATA are
 * stepped over. */
static size_t
opaque_end(struct reader *r, struct str name)
{
    for (size_t at = r->at; at < r->text.len;) {
        ptrdiff_t next = str_find_char(r->text, '<', at);

        if (next < 0)
            break;
        at = (size_t)next;
        if (looks_at(r, at, STR("<!--"))) {
            at = skip_past(r, at, STR("-->"), "comment");
        } else if (looks_at(r, at, STR("<![CDATA["))) {
            at = skip_past(r, at, STR("]]>"), "CDATA section");
        } else if (looks_at(r, at, STR("</")) && looks_at(r, at + 2, name) &&
                   (at + 2 + name.len >= r->text.len || !is_name_char(r->text.p[at + 2 + name.len]))) {
            return at;
        } else {
            at++;
        }
    }
    return r->text.len;
}

/* Behind the comments that begin at `at`, or `at` when none does. */
static size_t
skip_comments(struct reader *r, size_t at)
{
    for (size_t next = at;;) {
        next = skip_blanks(r->text, next);
        if (!looks_at(r, next, STR("<!--")))
            return at;
        at = next = skip_past(r, next, STR("-->"), "comment");
    }
}

static bool
holds_markup(struct str text)
{
    for (ptrdiff_t at = str_find_char(text, '<', 0); at >= 0; at = str_find_char(text, '<', (size_t)at + 1))
        if ((size_t)at + 1 < text.len && is_name_start(text.p[at + 1]))
            return true;
    return false;
}

/* The content of set-body: markup is kept as written, text is decoded, comments and CDATA marks go. */
static void
opaque_content(struct reader *r, struct node *n)
{
    size_t end = opaque_end(r, n->name);
    bool has_markup = false;

    if (innermost(r)->pieces_from < r->pieces.n)
        return;                       /* an expression: what follows it is read as usual */
    size_t from = r->at;
    for (size_t at = r->at; at < end;) {
        ptrdiff_t next = str_find_char(str_sub(r->text, 0, end), '<', at);
        size_t stop_at = next < 0 ? end : (size_t)next;

        if (looks_at(r, stop_at, STR("<!--")) && stop_at < end) {
            add_piece(r, from, stop_at, false);
            at = from = MIN(skip_past(r, stop_at, STR("-->"), "comment"), end);
        } else if (looks_at(r, stop_at, STR("<![CDATA[")) && stop_at < end) {
            add_piece(r, from, stop_at, false);
            at = MIN(skip_past(r, stop_at, STR("]]>"), "CDATA section"), end);
            add_piece(r, stop_at + strlen("<![CDATA["), at - MIN(strlen("]]>"), at), true);
            from = at;
        } else {
            has_markup |= holds_markup(str_sub(r->text, stop_at, MIN(stop_at + 2, end)));
            at = stop_at + 1;
        }
    }
    add_piece(r, from, end, false);
    if (has_markup) {
        r->pieces.n = innermost(r)->pieces_from;
        add_piece(r, skip_comments(r, r->at), end, true);
    }
    r->at = end;
}

/* <set-body><value>...</value></set-body>, as tool kits write it. */
static bool
wraps_value(const struct reader *r)
{
    size_t at = skip_blanks(r->text, r->at);
    ptrdiff_t end = looks_at(r, at, STR("<value>")) ? str_find(r->text, STR("</value>"), at) : -1;

    return end >= 0 && looks_at(r, skip_blanks(r->text, (size_t)end + strlen("</value>")), STR("</set-body"));
}

/* Elements whose content is not policies and may be anything. */
static bool
is_opaque(const struct reader *r, const struct node *n)
{
    if (str_eq_lit(n->name, "set-body"))
        return !wraps_value(r);
    return (str_eq_lit(n->name, "value") && n->parent && str_eq_lit(n->parent->name, "set-body")) ||
           str_eq_lit(n->name, "xsl:stylesheet") || str_eq_lit(n->name, "xsl:transform") ||
           str_eq_lit(n->name, "cross-domain-policy");
}

/* element = "<" name attribute* ("/>" | ">" content end-tag) */
static void
start_tag(struct reader *r)
{
    size_t name_at = r->at + 1, end = skip_name(r->text, name_at);
    struct node *n = arena_new(r->arena, struct node);
    struct attribute **last;
    uint32_t n_attributes = 0;

    if (!n || ++r->doc->n_nodes > r->limits->nodes_max) {
        stop(r, r->at, "elements", r->limits->nodes_max);
        return;
    }
    *n = (struct node){.name = str_sub(r->text, name_at, end), .at = (uint32_t)r->at, .len = (uint32_t)(end - r->at),
                       .source = r->source, .text = {.value = STR(""), .map.source = r->source}};
    last = &n->attrs;
    link_node(r, n);
    r->at = end;
    for (;;) {
        r->at = skip_blanks(r->text, r->at);
        if (r->at >= r->text.len || r->text.p[r->at] == '<') {
            error(r, n->at, n->len, "the tag of <%.*s> is not closed, expected >", STR_ARG(n->name));
            break;
        }
        if (r->text.p[r->at] == '/') {
            if (looks_at(r, ++r->at, STR(">")))
                r->at++;
            else
                error(r, r->at - 1, 1, "expected '/>', found '/'"), mended(r);
            n->is_empty_tag = true;
            return;
        }
        if (r->text.p[r->at] == '>') {
            r->at++;
            break;
        }
        if (++n_attributes > r->limits->attributes_max) {
            stop(r, r->at, "attributes in one element", r->limits->attributes_max);
            return;
        }
        if (!attribute(r, n, &last))
            return;
    }
    if (is_end_without_slash(r, n)) {
        error(r, n->at, n->len, "expected </%.*s>, found <%.*s>", STR_ARG(n->name), STR_ARG(n->name));
        mended(r);
        unlink_last(r);
        close_element(r, n->at);
        return;
    }
    if (r->open.n >= r->limits->depth_max) {
        stop(r, n->at, "elements inside each other", r->limits->depth_max);
        return;
    }
    *vec_push(&r->open) = (struct open_element){.node = n, .pieces_from = (uint32_t)r->pieces.n,
                                                .content_at = (uint32_t)r->at};
    text_expression(r);
    if (is_opaque(r, n))
        opaque_content(r, n);
}

static bool
next_once(void *ctx, struct str *candidate)
{
    struct str *name = ctx;

    *candidate = *name;
    *name = STR_NONE;
    return candidate->p;
}

/* An end tag that no open element has: the innermost one's, when it is nearly written so. */
static void
stray_end_tag(struct reader *r, size_t tag_at, size_t len, struct str name)
{
    struct str open = innermost(r)->node->name;

    if (!diag_nearest(name, next_once, &(struct str){open.p, open.len}).p) {
        error(r, tag_at, len, "</%.*s> closes nothing, expected </%.*s>", STR_ARG(name), STR_ARG(open));
        return;
    }
    error(r, tag_at, len, "expected </%.*s>, found </%.*s>", STR_ARG(open), STR_ARG(name));
    mended(r);
    close_element(r, tag_at);
}

/* end-tag = "</" name ">". One that closes an outer element closes those between with an error each. */
static void
end_tag(struct reader *r)
{
    size_t tag_at = r->at, name_at = r->at + 2, end = skip_name(r->text, name_at);
    struct str name = str_sub(r->text, name_at, end);
    size_t outer = r->open.n;

    r->at = skip_blanks(r->text, end);
    if (r->at < r->text.len && r->text.p[r->at] == '>')
        r->at++;
    else
        error(r, tag_at, end - tag_at, "the end tag </%.*s is not closed, expected >", STR_ARG(name));
    while (outer > 0 && !str_eq(r->open.v[outer - 1].node->name, name))
        outer--;
    if (outer == 0) {
        if (r->open.n)
            stray_end_tag(r, tag_at, end - tag_at, name);
        else
            error(r, tag_at, end - tag_at, "</%.*s> closes nothing", STR_ARG(name));
        return;
    }
    while (r->open.n > outer) {
        struct node *n = innermost(r)->node;

        error(r, n->at, n->len, "<%.*s> is not closed, expected </%.*s> before </%.*s>", STR_ARG(n->name),
              STR_ARG(n->name), STR_ARG(name));
        close_element(r, tag_at);
    }
    close_element(r, tag_at);
}

/* Text up to the next markup. Outside of all elements only blanks may stand. */
static void
text_run(struct reader *r)
{
    size_t from = r->at;

    for (r->at++; r->at < r->text.len; r->at++) {
        char next = r->text.p[r->at] == '<' && r->at + 1 < r->text.len ? r->text.p[r->at + 1] : 0;

        if (next && (is_name_start(next) || next == '/' || next == '!' || next == '?'))
            break;
    }
    if (r->open.n) {
        add_piece(r, from, r->at, false);
        return;
    }
    from = skip_blanks(r->text, from);
    if (from < r->at)
        error(r, from, str_trim(str_sub(r->text, from, r->at)).len, "text outside of any element");
}

static void
declaration(struct reader *r)
{
    ptrdiff_t end = str_find_char(r->text, '>', r->at);
    size_t to = end < 0 ? r->text.len : (size_t)end + 1;

    error(r, r->at, MIN(to - r->at, (size_t)9), "document type declarations are not accepted");
    r->at = to;
}

static void
read_content(struct reader *r)
{
    while (r->at < r->text.len && !r->is_over) {
        if (r->text.p[r->at] != '<') {
            text_run(r);
        } else if (looks_at(r, r->at, STR("<!--"))) {
            r->at = skip_past(r, r->at, STR("-->"), "comment");
        } else if (looks_at(r, r->at, STR("<![CDATA["))) {
            size_t from = r->at + strlen("<![CDATA[");

            r->at = skip_past(r, r->at, STR("]]>"), "CDATA section");
            if (r->open.n)
                add_piece(r, from, MAX(r->at - strlen("]]>"), from), true);
        } else if (looks_at(r, r->at, STR("<?"))) {
            r->at = skip_past(r, r->at, STR("?>"), "instruction");
        } else if (looks_at(r, r->at, STR("<!"))) {
            declaration(r);
        } else if (looks_at(r, r->at, STR("</"))) {
            end_tag(r);
        } else if (r->at + 1 < r->text.len && is_name_start(r->text.p[r->at + 1])) {
            start_tag(r);
        } else {
            text_run(r);
        }
    }
}

static void
close_all(struct reader *r)
{
    while (r->open.n) {
        struct node *n = innermost(r)->node;

        if (!r->is_over && !r->is_cut)
            error(r, n->at, n->len, "<%.*s> is not closed, expected </%.*s>", STR_ARG(n->name), STR_ARG(n->name));
        close_element(r, r->text.len);
    }
}

/* False, with the place of the first bad byte in a diagnostic. */
static bool
check_utf8(struct reader *r)
{
    size_t width;

    if (utf8_is_valid(r->text))
        return true;
    for (size_t at = 0; at < r->text.len; at += width) {
        width = utf8_sequence_len(r->text, at);
        if (!width) {
            error(r, at, 1, "this byte is not UTF-8; save the file as UTF-8");
            return false;
        }
    }
    return true;
}

bool
document_read(struct arena *a, const struct source *source, const struct document_limits *limits, struct diags *diags,
              struct document *ret)
{
    static const struct document_limits defaults = DOCUMENT_LIMITS_DEFAULT;
    struct reader r = {.arena = a, .source = source, .text = source->text, .diags = diags, .doc = ret,
                       .limits = limits ? limits : &defaults, .errors_before = diags->errors};

    *ret = (struct document){.source = source, .arena = a};
    if (r.text.len > r.limits->bytes_max) {
        error(&r, 0, 0, "the document is larger than %" PRIu32 " bytes", r.limits->bytes_max);
        return false;
    }
    if (!check_utf8(&r))
        return false;
    if (str_starts_with(r.text, STR("\xef\xbb\xbf")))
        r.at = 3;
    read_content(&r);
    close_all(&r);
    vec_free(&r.open);
    vec_free(&r.pieces);
    if (!ret->first && diags->errors == r.errors_before)
        error(&r, 0, 0, "the document has no element");
    ret->is_readable = ret->first && diags->errors - r.errors_before == r.n_mended;
    return diags->errors == r.errors_before;
}

const struct attribute *
node_attr(const struct node *n, const char *name)
{
    struct str wanted = str_from_c(name);

    for (const struct attribute *a = n->attrs; a; a = a->next)
        if (str_eq(a->name, wanted))
            return a;
    return NULL;
}

const struct node *
node_child(const struct node *n, const char *name)
{
    struct str wanted = str_from_c(name);

    for (const struct node *c = n->first_child; c; c = c->next)
        if (str_eq(c->name, wanted))
            return c;
    return NULL;
}
