/* xwrite.c: XML text of a tree, as System.Xml's writer lays it out, and of plain values.
 *
 * Indentation stops inside an element that holds text, all the way down. A namespace without a declared prefix is declared
 * where it is first needed: as the default one of an element, as p1, p2 ... of an attribute.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "clr/datetime.h"
#include "clr/xtree.h"
#include "data/double_text.h"

/* ---- namespaces in scope ---- */

static bool
is_declaration(const struct xattribute *a)
{
    return str_eq_lit(a->name->space, XMLNS_URI) || (a->name->space.len == 0 && str_eq_lit(a->name->local, "xmlns"));
}

/* The prefix a declaration declares; "" for the default one. */
static struct str
declared_prefix(const struct xattribute *a)
{
    return a->name->space.len ? a->name->local : STR("");
}

struct str
xelement_space_of(const struct xelement *e, struct str prefix)
{
    if (str_eq_lit(prefix, "xml"))
        return STR(XML_URI);
    if (str_eq_lit(prefix, "xmlns"))
        return STR(XMLNS_URI);
    for (; e; e = e->node.parent)
        for (const struct xattribute *a = e->first_attribute; a; a = (const struct xattribute *)a->node.next)
            if (is_declaration(a) && str_eq(declared_prefix(a), prefix))
                return a->value;
    return STR_NONE;
}

bool
xelement_prefix_of(const struct xelement *e, struct str space, bool allow_default, struct str *ret)
{
    *ret = STR_NONE;
    if (str_eq_lit(space, XML_URI) || str_eq_lit(space, XMLNS_URI)) {
        *ret = str_eq_lit(space, XML_URI) ? STR("xml") : STR("xmlns");
        return true;
    }
    for (const struct xelement *at = e; at; at = at->node.parent) {
        for (const struct xattribute *a = at->first_attribute; a; a = (const struct xattribute *)a->node.next) {
            struct str prefix;
            if (!is_declaration(a) || !str_eq(a->value, space))
                continue;
            prefix = declared_prefix(a);
            /* Not hidden by a nearer declaration of the same prefix. */
            if ((prefix.len || allow_default) && str_eq(xelement_space_of(e, prefix), space)) {
                *ret = prefix;
                return true;
            }
        }
    }
    return false;
}

/* ---- writing ---- */

struct writer {
    struct call *c;
    struct buf *to;
    bool indented;
    uint32_t indent;
    bool any;                         /* something was written already */
    const struct xelement *root;      /* of the written part */
};

/* A prefix that the writer declared on the way down, because its declaration stands above the written part. */
struct declared {
    struct str prefix, space;
    const struct declared *outer;
};

/* What an element sees from above. */
struct scope {
    struct str default_space;
    const struct declared *declared;
    uint32_t depth;
};

static void
new_line(struct writer *w)
{
    char *at;

    if (!w->indented || !w->any)
        return;
    at = buf_reserve(w->to, 1 + 2 * (size_t)w->indent);
    if (!at)
        return;
    *at = '\n';
    memset(at + 1, ' ', 2 * (size_t)w->indent);
    w->to->len += 1 + 2 * (size_t)w->indent;
}

static void
write_text(struct buf *to, struct str s)
{
    size_t plain = 0;

    for (size_t i = 0; i < s.len; i++) {
        const char *escape = s.p[i] == '&' ? "&amp;" : s.p[i] == '<' ? "&lt;" : s.p[i] == '>' ? "&gt;" : s.p[i] == '\r' ? "\n" : NULL;
        if (!escape)
            continue;
        buf_add(to, s.p + plain, i - plain);
        buf_add_str(to, str_from_c(escape));
        i += s.p[i] == '\r' && i + 1 < s.len && s.p[i + 1] == '\n';
        plain = i + 1;
    }
    buf_add(to, s.p + plain, s.len - plain);
}

/* What is not escaped: every end of line becomes the writer's own. */
static void
write_raw(struct buf *to, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] != '\r')
            buf_add_char(to, s.p[i]);
        else if (i + 1 == s.len || s.p[i + 1] != '\n')
            buf_add_char(to, '\n');
}

/* "]]>" would end the section: it goes into two. */
static void
write_cdata(struct buf *to, struct str s)
{
    static const struct str end = STR_INIT("]]>");

    buf_add_lit(to, "<![CDATA[");
    for (size_t i = 0; i < s.len;) {
        ptrdiff_t at = str_find(s, end, i);
        size_t cut = at < 0 ? s.len : (size_t)at + 2;
        write_raw(to, str_sub(s, i, cut));
        if (at >= 0)
            buf_add_lit(to, "]]><![CDATA[");
        i = cut;
    }
    buf_add_str(to, end);
}

static void
write_attribute_value(struct buf *to, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        switch (s.p[i]) {
        case '&': buf_add_lit(to, "&amp;"); break;
        case '<': buf_add_lit(to, "&lt;"); break;
        case '>': buf_add_lit(to, "&gt;"); break;
        case '"': buf_add_lit(to, "&quot;"); break;
        case '\n': buf_add_lit(to, "&#xA;"); break;
        case '\r': buf_add_lit(to, "&#xD;"); break;
        case '\t': buf_add_lit(to, "&#x9;"); break;
        default: buf_add_char(to, s.p[i]);
        }
    }
}

static void
write_attribute(struct writer *w, struct str prefix, struct str local, struct str value)
{
    buf_add_char(w->to, ' ');
    if (prefix.len) {
        buf_add_str(w->to, prefix);
        buf_add_char(w->to, ':');
    }
    buf_add_str(w->to, local);
    buf_add_lit(w->to, "=\"");
    write_attribute_value(w->to, value);
    buf_add_char(w->to, '"');
}

static bool write_node(struct writer *w, const struct xnode *n, struct scope scope, bool mixed);

/* Whether the prefix is declared between e and the written root, both included. */
static bool
is_declared_inside(const struct writer *w, const struct xelement *e, struct str prefix)
{
    if (str_eq_lit(prefix, "xml"))
        return true;
    for (;; e = e->node.parent) {
        for (const struct xattribute *a = e->first_attribute; a; a = (const struct xattribute *)a->node.next)
            if (is_declaration(a) && str_eq(declared_prefix(a), prefix))
                return true;
        if (e == w->root || !e->node.parent)
            return false;
    }
}

static bool
is_declared_by_writer(const struct scope *scope, struct str prefix, struct str space)
{
    for (const struct declared *d = scope->declared; d; d = d->outer)
        if (str_eq(d->prefix, prefix))
            return str_eq(d->space, space);
    return false;
}

/* The prefix an element is written with. *ret_declare: its namespace must be declared with it here. */
static struct str
element_prefix(const struct writer *w, const struct xelement *e, struct scope *scope, bool *ret_declare)
{
    struct str space = e->name->space, prefix;

    for (const struct xattribute *a = e->first_attribute; a; a = (const struct xattribute *)a->node.next)
        if (a->name->space.len == 0 && str_eq_lit(a->name->local, "xmlns"))
            scope->default_space = a->value;
    if (space.len && xelement_prefix_of(e, space, true, &prefix) && prefix.len) {
        *ret_declare = !is_declared_inside(w, e, prefix) && !is_declared_by_writer(scope, prefix, space);
        return prefix;
    }
    *ret_declare = !str_eq(scope->default_space, space);
    scope->default_space = space;
    return STR("");
}

/* A declaration that .NET's writer adds by itself; it stands behind the attributes, the last one first. */
static bool
declare_prefix(struct writer *w, struct scope *scope, struct str prefix, struct str space)
{
    struct declared *d = call_alloc(w->c, sizeof(*d));

    if (!d)
        return false;
    *d = (struct declared){prefix, space, scope->declared};
    scope->declared = d;
    return true;
}

static bool
write_attributes(struct writer *w, const struct xelement *e, struct scope *scope)
{
    uint32_t invented = 0;

    for (const struct xattribute *a = e->first_attribute; a; a = (const struct xattribute *)a->node.next) {
        struct str space = a->name->space, prefix = STR("");
        bool is_known = space.len == 0 || is_declaration(a) || xelement_prefix_of(e, space, false, &prefix);

        if (!is_known)
            prefix = str_printf(w->c->run->arena, "p%u", ++invented);
        else if (is_declaration(a) && space.len)
            prefix = STR("xmlns");
        if (!is_known || (prefix.len && !is_declaration(a) && !is_declared_inside(w, e, prefix) &&
                          !is_declared_by_writer(scope, prefix, space))) {
            if (!declare_prefix(w, scope, prefix, space))
                return false;
        }
        write_attribute(w, prefix, a->name->local, a->value);
    }
    return true;
}

static bool
holds_text(const struct xelement *e)
{
    for (const struct xnode *n = e->first; n; n = n->next)
        if (xnode_is_text(n))
            return true;
    return false;
}

static void
write_name(struct writer *w, struct str prefix, struct str local)
{
    if (prefix.len) {
        buf_add_str(w->to, prefix);
        buf_add_char(w->to, ':');
    }
    buf_add_str(w->to, local);
}

static bool
write_element(struct writer *w, const struct xelement *e, struct scope scope, bool mixed)
{
    bool declare, text_before = false;
    struct str prefix = element_prefix(w, e, &scope, &declare);
    const struct declared *outer = scope.declared;

    buf_add_char(w->to, '<');
    write_name(w, prefix, e->name->local);
    if ((declare && !declare_prefix(w, &scope, prefix, e->name->space)) || !write_attributes(w, e, &scope))
        return false;
    for (const struct declared *d = scope.declared; d != outer; d = d->outer)
        write_attribute(w, d->prefix.len ? STR("xmlns") : STR(""), d->prefix.len ? d->prefix : STR("xmlns"), d->space);
    w->any = true;
    if (!e->has_content)
        return buf_add_lit(w->to, " />");
    buf_add_char(w->to, '>');
    scope.depth++;
    w->indent++;
    for (const struct xnode *n = e->first; n; n = n->next) {
        text_before |= xnode_is_text(n);
        if (!write_node(w, n, scope, mixed || text_before))
            return false;
    }
    w->indent--;
    if (e->first && !mixed && !holds_text(e))
        new_line(w);
    buf_add_lit(w->to, "</");
    write_name(w, prefix, e->name->local);
    return buf_add_char(w->to, '>');
}

static bool
write_leaf(struct writer *w, const struct xtext *t)
{
    switch (t->node.kind) {
    case XKIND_TEXT: write_text(w->to, t->text); break;
    case XKIND_CDATA: write_cdata(w->to, t->text); break;
    case XKIND_COMMENT: buf_add_lit(w->to, "<!--"); write_raw(w->to, t->text); buf_add_lit(w->to, "-->"); break;
    case XKIND_INSTRUCTION:
        buf_add_lit(w->to, "<?");
        buf_add_str(w->to, t->target);
        if (t->text.len)
            buf_add_char(w->to, ' ');
        write_raw(w->to, t->text);
        buf_add_lit(w->to, "?>");
        break;
    default:
        buf_add_lit(w->to, "<!DOCTYPE ");
        buf_add_str(w->to, t->target);
        buf_add_char(w->to, '>');
    }
    w->any = true;
    return true;
}

static bool
write_node(struct writer *w, const struct xnode *n, struct scope scope, bool mixed)
{
    const struct xattribute *a = (const struct xattribute *)n;
    struct str prefix = STR("");

    if (scope.depth > XTREE_DEPTH_MAX)
        return call_exceed(w->c, BUDGET_DEPTH);
    if (!call_charge(w->c, 1))
        return false;
    if (n->kind == XKIND_ATTRIBUTE) {
        if (a->name->space.len && n->parent)
            xelement_prefix_of(n->parent, a->name->space, false, &prefix);
        write_name(w, prefix, a->name->local);
        buf_add_lit(w->to, "=\"");
        write_attribute_value(w->to, a->value);
        return buf_add_char(w->to, '"');
    }
    if (n->kind == XKIND_DOCUMENT) {
        for (const struct xnode *child = ((const struct xelement *)n)->first; child; child = child->next)
            if (!write_node(w, child, scope, false))
                return false;
        return true;
    }
    if (!mixed && !xnode_is_text(n))
        new_line(w);
    return n->kind == XKIND_ELEMENT ? write_element(w, (const struct xelement *)n, scope, mixed) : write_leaf(w, (const struct xtext *)n);
}

/* The place in s of the first character that XML has no way to write; s.len when all can be written. */
static size_t
find_invalid(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char u = (unsigned char)s.p[i], next = i + 1 < s.len ? (unsigned char)s.p[i + 1] : 0;
        if (u < 0x20 ? u != '\t' && u != '\n' && u != '\r' : u == 0xed && next >= 0xa0)
            return i;
        if (u == 0xef && next == 0xbf && i + 2 < s.len && (unsigned char)s.p[i + 2] >= 0xbe)
            return i;
    }
    return s.len;
}

static bool
throw_invalid(struct call *c, const char *at)
{
    unsigned char u = (unsigned char)at[0];

    if (u == 0xed)
        return throw_argument(c, NULL, "The surrogate pair is invalid.");
    if (u == 0xef)
        return throw_argument(c, NULL, "'%.3s', hexadecimal value 0xFFF%c, is an invalid character.", at,
                              (unsigned char)at[2] == 0xbe ? 'E' : 'F');
    return throw_argument(c, NULL, "'%c', hexadecimal value 0x%02X, is an invalid character.", u ? u : '.', u);
}

bool
xnode_write(struct call *c, const struct xnode *n, bool indented, struct buf *to)
{
    struct writer w = {.c = c, .to = to, .indented = indented};
    size_t start = to->len, bad;
    struct str written;

    w.root = xnode_is_container(n) ? (const struct xelement *)n : NULL;
    if (!write_node(&w, n, (struct scope){.default_space = STR("")}, false))
        return false;
    if (to->failed)
        return call_exceed_buf(c, to);
    written = str_from(to->p + start, to->len - start);
    bad = find_invalid(written);
    return bad == written.len || throw_invalid(c, written.p + bad);
}

/* ---- values ---- */

bool
xelement_value(struct call *c, const struct xelement *e, struct str *ret)
{
    const struct xnode *only = e->first;
    struct buf b = call_buf(c);

    if (!only || (only == e->last && xnode_is_text(only))) {
        *ret = only ? ((const struct xtext *)only)->text : STR("");
        return true;
    }
    for (const struct xnode *n = only; n; n = xnode_next_in(&e->node, n)) {
        if (!call_charge(c, 1))
            return false;
        if (xnode_is_text(n))
            buf_add_str(&b, ((const struct xtext *)n)->text);
    }
    *ret = b.len ? buf_str(&b) : STR("");
    return !b.failed || call_exceed_buf(c, &b);
}

static void
add_clock(struct buf *b, int64_t ticks)
{
    struct civil t;

    ticks_to_civil(ticks, &t);
    buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d", t.year, t.month, t.day, t.hour, t.minute, t.second);
    if (t.fraction) {
        buf_printf(b, ".%07d", t.fraction);
        while (!b->failed && b->p[b->len - 1] == '0')
            b->len--;
    }
}

/* xsd:duration: -P1DT2H3M4.5S */
static void
add_duration(struct buf *b, int64_t ticks)
{
    uint64_t t = ticks < 0 ? -(uint64_t)ticks : (uint64_t)ticks;
    uint64_t days = t / TICKS_PER_DAY, hours = t / TICKS_PER_HOUR % 24, minutes = t / TICKS_PER_MINUTE % 60;
    uint64_t seconds = t / TICKS_PER_SECOND % 60, fraction = t % TICKS_PER_SECOND;

    buf_add_str(b, ticks < 0 ? STR("-P") : STR("P"));
    if (days)
        buf_printf(b, "%" PRIu64 "D", days);
    if (hours || minutes || seconds || fraction || !days)
        buf_add_char(b, 'T');
    if (hours)
        buf_printf(b, "%" PRIu64 "H", hours);
    if (minutes)
        buf_printf(b, "%" PRIu64 "M", minutes);
    if (!seconds && !fraction && (hours || minutes || days))
        return;
    buf_printf(b, "%" PRIu64, seconds);
    if (fraction) {
        buf_printf(b, ".%07" PRIu64, fraction);
        while (!b->failed && b->p[b->len - 1] == '0')
            b->len--;
    }
    buf_add_char(b, 'S');
}

static bool
struct_text(struct call *c, struct object *value, struct buf *b)
{
    struct value v = value_unbox(value);
    struct str name = value->type->full_name;

    if (str_eq_lit(name, "System.DateTime")) {
        add_clock(b, v.i64);
        buf_add_str(b, v.hi == KIND_UTC ? STR("Z") : v.hi == KIND_LOCAL ? STR("+00:00") : STR(""));
    } else if (str_eq_lit(name, "System.DateTimeOffset")) {
        int64_t minutes = (int64_t)v.hi / TICKS_PER_MINUTE;
        add_clock(b, (int64_t)v.lo + (int64_t)v.hi);
        if (minutes == 0)
            buf_add_char(b, 'Z');
        else
            buf_printf(b, "%c%02d:%02d", minutes < 0 ? '-' : '+', (int)llabs(minutes) / 60, (int)llabs(minutes) % 60);
    } else if (str_eq_lit(name, "System.TimeSpan")) {
        add_duration(b, v.i64);
    } else {
        return false;
    }
    return true;
}

static bool
number_text(struct object *value, struct buf *b)
{
    char text[DOUBLE_TEXT_MAX];
    double d = value->type->kind == TYPE_FLOAT ? value_unbox(value).f32 : value_unbox(value).f64;

    if (value->type->kind != TYPE_FLOAT && value->type->kind != TYPE_DOUBLE)
        return false;
    if (isinf(d))
        return buf_add_str(b, d < 0 ? STR("-INF") : STR("INF"));
    if (value->type->kind == TYPE_FLOAT)
        return buf_add(b, text, float_to_text(value_unbox(value).f32, text));
    return buf_add(b, text, double_to_text(d, text));
}

bool
xvalue_text(struct call *c, struct object *value, struct str *ret)
{
    struct buf b = call_buf(c);
    struct string *s;

    if (!value)
        return throw_argument_null(c, "value");
    if (object_is_xobject(value))
        return throw_argument(c, NULL, "An XObject cannot be used as a value.");
    if (value->type->kind == TYPE_STRING) {
        *ret = string_str((struct string *)value);
        return true;
    }
    if (value->type->kind == TYPE_BOOL) {
        *ret = value_unbox(value).i64 ? STR("true") : STR("false");
        return true;
    }
    if (number_text(value, &b) || struct_text(c, value, &b)) {
        *ret = buf_str(&b);
        return ret->p || call_exceed(c, BUDGET_BYTES);
    }
    if (!value_to_string(c, value->type, value_unbox(value), STR_NONE, &s))
        return false;
    *ret = string_str(s);
    return true;
}
