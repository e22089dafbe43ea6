/* xtree.c: making, parsing, moving and comparing the nodes of an XML tree.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/xtree.h"

#include "clr/collections.h"
#include "data/xml.h"

/* ---- making ---- */

const struct type *
xtype(struct call *c, enum xkind kind)
{
    const struct expr_env *env = c->run->env;

    switch (kind) {
    case XKIND_ELEMENT: return type_find(env, STR("System.Xml.Linq.XElement"), NULL, 0);
    case XKIND_ATTRIBUTE: return type_find(env, STR("System.Xml.Linq.XAttribute"), NULL, 0);
    case XKIND_TEXT: return type_find(env, STR("System.Xml.Linq.XText"), NULL, 0);
    case XKIND_CDATA: return type_find(env, STR("System.Xml.Linq.XCData"), NULL, 0);
    case XKIND_INSTRUCTION: return type_find(env, STR("System.Xml.Linq.XProcessingInstruction"), NULL, 0);
    case XKIND_COMMENT: return type_find(env, STR("System.Xml.Linq.XComment"), NULL, 0);
    case XKIND_DOCUMENT: return type_find(env, STR("System.Xml.Linq.XDocument"), NULL, 0);
    case XKIND_DOCUMENT_TYPE: return type_find(env, STR("System.Xml.Linq.XDocumentType"), NULL, 0);
    }
    UNREACHABLE();
}

static void *
node_new(struct call *c, enum xkind kind, size_t size)
{
    struct xnode *n = object_new_(c, xtype(c, kind), size);

    if (n)
        n->kind = kind;
    return n;
}

struct xname *
xname_new(struct call *c, struct str space, struct str local)
{
    struct xname *n = object_new(c, type_find(c->run->env, STR("System.Xml.Linq.XName"), NULL, 0), struct xname);

    if (n) {
        n->space = space.p ? space : STR("");
        n->local = local;
    }
    return n;
}

struct xname *
xname_parse(struct call *c, struct str text)
{
    struct str space = STR("");
    ptrdiff_t close;

    if (text.len && text.p[0] == '{') {
        close = str_rfind_char(text, '}');
        if (close <= 1 || (size_t)close + 1 == text.len) {
            throw_argument(c, NULL, "'%.*s' is an invalid expanded name.", STR_ARG(text));
            return NULL;
        }
        space = str_sub(text, 1, (size_t)close);
        text = str_skip(text, (size_t)close + 1);
    }
    if (xml_is_name(text))
        return xname_new(c, space, text);
    if (text.len == 0) {
        throw_argument(c, "expandedName", "'%.*s' is an invalid expanded name.", STR_ARG(text));
        return NULL;
    }
    size_t bad = 0;
    while (bad + 1 < text.len && xml_is_name(str_sub(text, 0, bad + 1)))
        bad++;
    call_throw(c, EXC_XML, "The '%c' character, hexadecimal value 0x%02X, cannot be %s a name.", text.p[bad],
               (unsigned char)text.p[bad], bad ? "included in" : "at the beginning of");
    return NULL;
}

struct xelement *
xelement_new(struct call *c, struct xname *name)
{
    struct xelement *e = node_new(c, name ? XKIND_ELEMENT : XKIND_DOCUMENT, sizeof(*e));

    if (e)
        e->name = name;
    return e;
}

struct xattribute *
xattribute_new(struct call *c, struct xname *name, struct str value)
{
    struct xattribute *a = node_new(c, XKIND_ATTRIBUTE, sizeof(*a));

    if (a) {
        a->name = name;
        a->value = value;
    }
    return a;
}

struct xtext *
xtext_new(struct call *c, enum xkind kind, struct str text)
{
    struct xtext *t = node_new(c, kind, sizeof(*t));

    if (t)
        t->text = text;
    return t;
}

/* ---- linking ---- */

static void
link_before(struct xelement *into, struct xnode *before, struct xnode *n)
{
    n->parent = into;
    n->next = before;
    n->prev = before ? before->prev : into->last;
    *(n->prev ? &n->prev->next : &into->first) = n;
    *(before ? &before->prev : &into->last) = n;
    into->has_content = true;
    into->version++;
}

void
xnode_unlink(struct xnode *n)
{
    struct xelement *parent = n->parent;

    *(n->prev ? &n->prev->next : &parent->first) = n->next;
    *(n->next ? &n->next->prev : &parent->last) = n->prev;
    n->parent = NULL;
    n->prev = n->next = NULL;
    parent->version++;
    if (!parent->first)
        parent->has_content = false;
}

static void
link_attribute(struct xelement *e, struct xattribute *a)
{
    a->node.parent = e;
    a->node.prev = e->last_attribute ? &e->last_attribute->node : NULL;
    a->node.next = NULL;
    if (e->last_attribute)
        e->last_attribute->node.next = &a->node;
    else
        e->first_attribute = a;
    e->last_attribute = a;
}

void
xattribute_unlink(struct xattribute *a)
{
    struct xelement *e = a->node.parent;
    struct xattribute *prev = (struct xattribute *)a->node.prev, *next = (struct xattribute *)a->node.next;

    if (prev)
        prev->node.next = &next->node;
    else
        e->first_attribute = next;
    if (next)
        next->node.prev = &prev->node;
    else
        e->last_attribute = prev;
    a->node.parent = NULL;
    a->node.prev = a->node.next = NULL;
}

struct xattribute *
xelement_attribute(const struct xelement *e, const struct xname *name)
{
    struct xattribute *a = e->first_attribute;

    while (a && !xname_eq(a->name, name))
        a = (struct xattribute *)a->node.next;
    return a;
}

bool
xelement_set_attribute(struct call *c, struct xelement *e, struct xname *name, struct str value)
{
    struct xattribute *a = xelement_attribute(e, name);

    if (a) {
        a->value = value;
        return true;
    }
    if (!(a = xattribute_new(c, name, value)))
        return false;
    link_attribute(e, a);
    return true;
}

void
xelement_clear(struct xelement *e)
{
    while (e->first)
        xnode_unlink(e->first);
    e->has_content = false;
}

struct xnode *
xnode_next_in(const struct xnode *top, const struct xnode *n)
{
    if (xnode_is_container(n) && ((const struct xelement *)n)->first)
        return ((const struct xelement *)n)->first;
    for (; n != top; n = &n->parent->node)
        if (n->next)
            return n->next;
    return NULL;
}

/* ---- cloning and comparing ---- */

static struct xnode *clone_at(struct call *c, const struct xnode *n, uint32_t depth);

static struct xnode *
clone_container(struct call *c, const struct xelement *e, uint32_t depth)
{
    struct xelement *copy = xelement_new(c, e->name);

    if (!copy)
        return NULL;
    copy->has_content = e->has_content;
    copy->declaration = e->declaration;
    for (const struct xattribute *a = e->first_attribute; a; a = (const struct xattribute *)a->node.next) {
        struct xattribute *b = xattribute_new(c, a->name, a->value);
        if (!b)
            return NULL;
        link_attribute(copy, b);
    }
    for (const struct xnode *n = e->first; n; n = n->next) {
        struct xnode *m = clone_at(c, n, depth + 1);
        if (!m)
            return NULL;
        link_before(copy, NULL, m);
    }
    return &copy->node;
}

static struct xnode *
clone_at(struct call *c, const struct xnode *n, uint32_t depth)
{
    const struct xtext *t = (const struct xtext *)n;
    struct xtext *copy;

    if (depth > XTREE_DEPTH_MAX || !call_charge(c, 1)) {
        if (depth > XTREE_DEPTH_MAX)
            call_exceed(c, BUDGET_DEPTH);
        return NULL;
    }
    if (xnode_is_container(n))
        return clone_container(c, (const struct xelement *)n, depth);
    if (n->kind == XKIND_ATTRIBUTE)
        return (struct xnode *)xattribute_new(c, ((const struct xattribute *)n)->name, ((const struct xattribute *)n)->value);
    if ((copy = xtext_new(c, n->kind, t->text)))
        copy->target = t->target;
    return (struct xnode *)copy;
}

struct xnode *
xnode_clone(struct call *c, const struct xnode *n)
{
    return clone_at(c, n, 0);
}

static bool deep_equals(struct call *c, const struct xnode *a, const struct xnode *b, uint32_t depth, bool *ret);

static bool
containers_equal(struct call *c, const struct xelement *a, const struct xelement *b, uint32_t depth, bool *ret)
{
    const struct xattribute *x = a->first_attribute, *y = b->first_attribute;
    const struct xnode *m = a->first, *n = b->first;

    *ret = xname_eq(a->name, b->name) && a->has_content == b->has_content;
    for (; *ret && x && y; x = (const struct xattribute *)x->node.next, y = (const struct xattribute *)y->node.next)
        *ret = xname_eq(x->name, y->name) && str_eq(x->value, y->value);
    *ret = *ret && !x && !y;
    for (; *ret && m && n; m = m->next, n = n->next)
        if (!deep_equals(c, m, n, depth + 1, ret))
            return false;
    *ret = *ret && !m && !n;
    return true;
}

static bool
deep_equals(struct call *c, const struct xnode *a, const struct xnode *b, uint32_t depth, bool *ret)
{
    *ret = a == b;
    if (a == b || !a || !b || a->kind != b->kind)
        return true;
    if (depth > XTREE_DEPTH_MAX)
        return call_exceed(c, BUDGET_DEPTH);
    if (!call_charge(c, 1))
        return false;
    if (xnode_is_container(a))
        return containers_equal(c, (const struct xelement *)a, (const struct xelement *)b, depth, ret);
    *ret = str_eq(((const struct xtext *)a)->text, ((const struct xtext *)b)->text) &&
           str_eq(((const struct xtext *)a)->target, ((const struct xtext *)b)->target);
    return true;
}

bool
xnode_deep_equals(struct call *c, const struct xnode *a, const struct xnode *b, bool *ret)
{
    return deep_equals(c, a, b, 0, ret);
}

/* ---- adding ---- */

/* A document holds one element, no text but blanks, no attributes. */
static bool
check_document(struct call *c, const struct xelement *d, const struct xnode *n)
{
    if (d->node.kind != XKIND_DOCUMENT)
        return true;
    if (xnode_is_text(n))
        return str_trim(((const struct xtext *)n)->text).len == 0 ||
               throw_argument(c, NULL, "Non-whitespace characters cannot be added to content.");
    if (n->kind == XKIND_ELEMENT)
        for (const struct xnode *child = d->first; child; child = child->next)
            if (child->kind == XKIND_ELEMENT)
                return call_throw(c, EXC_INVALID_OPERATION, "This operation would create an incorrectly structured document.");
    return true;
}

static bool
is_inside(const struct xnode *n, const struct xelement *e)
{
    for (; e; e = e->node.parent)
        if (&e->node == n)
            return true;
    return false;
}

bool
xelement_insert(struct call *c, struct xelement *into, struct xnode *before, struct xnode *n)
{
    if (n->kind == XKIND_DOCUMENT)
        return throw_argument(c, NULL, "A node of type Document cannot be added to content.");
    if (!check_document(c, into, n))
        return false;
    if ((n->parent || is_inside(n, into)) && !(n = xnode_clone(c, n)))
        return false;
    link_before(into, before, n);
    return true;
}

/* Text joins the text before it, as .NET does. */
static bool
add_text(struct call *c, struct xelement *into, struct xnode *before, struct str text)
{
    struct xnode *last = before ? before->prev : into->last;
    struct xtext *t;

    if (text.len == 0) {
        into->has_content |= into->node.kind == XKIND_ELEMENT;
        return true;
    }
    if (last && last->kind == XKIND_TEXT) {
        t = (struct xtext *)last;
        t->text = str_concat(c->run->arena, t->text, text);
        return t->text.p || call_exceed(c, BUDGET_BYTES);
    }
    t = xtext_new(c, XKIND_TEXT, text);
    return t && xelement_insert(c, into, before, &t->node);
}

static bool
add_attribute(struct call *c, struct xelement *into, struct xattribute *a)
{
    if (into->node.kind != XKIND_ELEMENT)
        return throw_argument(c, NULL, "An attribute cannot be added to content.");
    if (xelement_attribute(into, a->name))
        return call_throw(c, EXC_INVALID_OPERATION, "Duplicate attribute.");
    if (a->node.parent && !(a = xattribute_new(c, a->name, a->value)))
        return false;
    link_attribute(into, a);
    return true;
}

static bool
add_sequence(struct call *c, struct xelement *into, struct xnode *before, struct object *sequence)
{
    const struct type *element = type_element(sequence->type);
    struct iterator it;
    struct value v;
    int got;

    if (!iterate(c, sequence, NULL, &it))
        return false;
    if (++c->run->depth > c->run->limits->depth)
        return call_exceed(c, BUDGET_DEPTH);
    while ((got = iterate_next(c, &it, &v)) > 0) {
        struct object *o = v.ref;
        if ((element && !value_box(c, element, v, &o)) || !xelement_add_content(c, into, before, o))
            return false;
    }
    c->run->depth--;
    return got == 0;
}

bool
xelement_add_content(struct call *c, struct xelement *into, struct xnode *before, struct object *content)
{
    struct str text;

    if (!content)
        return true;
    if (object_is_xobject(content)) {
        struct xnode *n = (struct xnode *)content;
        if (n->kind == XKIND_ATTRIBUTE)
            return add_attribute(c, into, (struct xattribute *)n);
        return xelement_insert(c, into, before, n);
    }
    if (content->type->kind != TYPE_STRING && type_is_assignable(content->type, core_types(c->run->env)->enumerable))
        return add_sequence(c, into, before, content);
    return xvalue_text(c, content, &text) && add_text(c, into, before, text);
}

/* ---- parsing ---- */

struct builder {
    struct call *c;
    struct xelement *document, *at;
    bool keep_blanks;
};

static struct str
keep(struct builder *b, struct str s)
{
    return s.len ? str_dup(b->c->run->arena, s) : STR("");
}

static bool
build_element(struct builder *b, const struct xml_event *e)
{
    struct xname *name = xname_new(b->c, keep(b, e->space), keep(b, e->local));
    struct xelement *element = name ? xelement_new(b->c, name) : NULL;

    if (!element)
        return false;
    for (uint32_t i = 0; i < e->n_attributes; i++) {
        const struct xml_attribute *a = &e->attributes[i];
        bool is_default = !a->prefix.p && str_eq_lit(a->local, "xmlns");
        struct xname *attribute_name = xname_new(b->c, is_default ? STR("") : keep(b, a->space), keep(b, a->local));
        struct xattribute *attribute = attribute_name ? xattribute_new(b->c, attribute_name, keep(b, a->value)) : NULL;
        if (!attribute)
            return false;
        link_attribute(element, attribute);
    }
    link_before(b->at, NULL, &element->node);
    element->has_content = !e->is_empty;
    if (!e->is_empty)
        b->at = element;
    return true;
}

static bool
build_text(struct builder *b, enum xkind kind, const struct xml_event *e)
{
    struct xtext *t = xtext_new(b->c, kind, keep(b, e->text));

    if (!t)
        return false;
    if (kind == XKIND_INSTRUCTION)
        t->target = keep(b, e->local);
    link_before(b->at, NULL, &t->node);
    return true;
}

/* Blanks between elements count where the nearest xml:space says so. */
static bool
keeps_blanks_here(const struct builder *b)
{
    if (b->keep_blanks)
        return true;
    for (const struct xelement *x = b->at; x; x = x->node.parent)
        for (const struct xattribute *a = x->first_attribute; a; a = (const struct xattribute *)a->node.next)
            if (str_eq_lit(a->name->local, "space") && str_eq_lit(a->name->space, XML_URI))
                return str_eq_lit(a->value, "preserve");
    return false;
}

static bool
on_event(void *ctx, const struct xml_event *e)
{
    struct builder *b = ctx;

    if (!call_charge(b->c, 2))
        return false;
    switch (e->kind) {
    case XML_EVENT_ELEMENT: return build_element(b, e);
    case XML_EVENT_END: b->at = b->at->node.parent; return true;
    case XML_EVENT_BLANK: return b->at == b->document || !keeps_blanks_here(b) || build_text(b, XKIND_TEXT, e);
    case XML_EVENT_TEXT:
        return (str_trim(e->text).len == 0 && !keeps_blanks_here(b)) || build_text(b, XKIND_TEXT, e);
    case XML_EVENT_CDATA: return build_text(b, XKIND_CDATA, e);
    case XML_EVENT_COMMENT: return build_text(b, XKIND_COMMENT, e);
    case XML_EVENT_INSTRUCTION: return build_text(b, XKIND_INSTRUCTION, e);
    }
    UNREACHABLE();
}

struct xelement *
xdocument_parse(struct call *c, struct str text, bool keep_blanks)
{
    struct builder b = {.c = c, .document = xelement_new(c, NULL), .keep_blanks = keep_blanks};
    struct err err = ERR_INIT;

    if (!(b.at = b.document))
        return NULL;
    if (xml_read(text, on_event, &b, &err))
        return b.document;
    if (!c->run->exception && !c->run->exceeded)
        call_throw(c, EXC_XML, "%s", err.text);
    return NULL;
}
