/* xml_document.c: XmlDocument and its nodes, for documents written against System.Xml. Azure's list has System.Xml.Linq only; published
 * policies use these all the same.
 *
 * A node of this kind is a wrapper around one of the tree that XElement has too (xtree.h), made whenever one is asked for:
 *     XmlElement { n } -> struct xelement
 * so two wrappers may stand for the same node.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "clr/families.h"
#include "clr/string_io.h"
#include "clr/xtree.h"

struct dom {
    struct object head;
    struct xnode *n;
    struct dom *document;             /* itself for an XmlDocument */
    bool keeps_blanks;                /* of a document */
};

/* XmlNodeList, XmlAttributeCollection. */
struct node_list {
    struct object head;
    struct dom *document;
    uint32_t n;
    struct xnode **v;
};

static struct dom *
dom_at(const struct call *c, uint32_t i)
{
    return (struct dom *)c->args[i].ref;
}

static struct dom *self_of(const struct call *c) { return dom_at(c, 0); }

static struct dom *
wrap(struct call *c, struct dom *document, struct xnode *n)
{
    const char *name = "Node";
    char full[48];
    struct dom *d;

    if (n == document->n)
        return document;
    switch (n->kind) {
    case XKIND_ELEMENT: name = "Element"; break;
    case XKIND_ATTRIBUTE: name = "Attribute"; break;
    case XKIND_TEXT: name = "Text"; break;
    case XKIND_CDATA: name = "CDataSection"; break;
    case XKIND_COMMENT: name = "Comment"; break;
    case XKIND_INSTRUCTION: name = "ProcessingInstruction"; break;
    case XKIND_DOCUMENT_TYPE: name = "DocumentType"; break;
    case XKIND_DOCUMENT: break;
    }
    size_t len = (size_t)snprintf(full, sizeof(full), "System.Xml.Xml%s", name);
    if ((d = object_new(c, type_find(c->run->env, str_from(full, len), NULL, 0), struct dom))) {
        d->n = n;
        d->document = document;
    }
    return d;
}

static bool
return_node(struct call *c, struct xnode *n)
{
    return n ? return_new(c, wrap(c, self_of(c)->document, n)) : return_ref(c, NULL);
}

/* --- documents ------------------------------------------------------------------------------------------------------------------ */

static bool
document_new(struct call *c)
{
    struct dom *d = object_new(c, c->owner, struct dom);
    struct xelement *empty = object_new(c, xtype(c, XKIND_DOCUMENT), struct xelement);

    if (!d || !empty)
        return false;
    empty->node.kind = XKIND_DOCUMENT;
    d->n = &empty->node;
    d->document = d;
    return return_ref(c, d);
}

static bool
load_text(struct call *c, struct str text)
{
    struct xelement *x = xdocument_parse(c, text, self_of(c)->keeps_blanks);

    if (x)
        self_of(c)->n = &x->node;
    return x != NULL;
}

static bool
load_xml(struct call *c)
{
    return call_string(c, 1) ? load_text(c, string_str(call_string(c, 1))) : throw_argument_null(c, "xml");
}

static bool
load_reader(struct call *c)
{
    struct str text;

    if (!c->args[1].ref)
        return throw_argument_null(c, "txtReader");
    return reader_take_rest(c, c->args[1].ref, &text) && load_text(c, text);
}

static bool
document_element(struct call *c)
{
    struct xnode *n = ((struct xelement *)self_of(c)->n)->first;

    while (n && n->kind != XKIND_ELEMENT)
        n = n->next;
    return return_node(c, n);
}

static bool keeps_blanks(struct call *c) { return return_bool(c, self_of(c)->keeps_blanks); }

static bool
set_keeps_blanks(struct call *c)
{
    self_of(c)->keeps_blanks = call_bool(c, 1);
    return true;
}

/* CreateElement(name), (qualified name, namespace), (prefix, local, namespace); likewise attributes. NULL after throwing. */
static struct xname *
name_arguments(struct call *c)
{
    struct string *name = call_string(c, c->n_args > 3 ? 2 : 1), *space = c->n_args > 2 ? call_string(c, c->n_args - 1) : NULL;
    struct str local;
    ptrdiff_t colon;

    if (!name) {
        throw_argument_null(c, "name");
        return NULL;
    }
    local = string_str(name);
    colon = str_find_char(local, ':', 0);
    if (colon >= 0)
        local = str_skip(local, (size_t)colon + 1);
    return xname_new(c, space ? string_str(space) : STR(""), local);
}

static bool
create_element(struct call *c)
{
    struct xname *name = name_arguments(c);
    struct xelement *e = name ? xelement_new(c, name) : NULL;

    return e && return_node(c, &e->node);
}

static bool
create_attribute(struct call *c)
{
    struct xname *name = name_arguments(c);
    struct xattribute *a = name ? xattribute_new(c, name, STR("")) : NULL;

    return a && return_node(c, &a->node);
}

static bool
create_text(struct call *c, enum xkind kind)
{
    struct xtext *t = xtext_new(c, kind, call_string(c, 1) ? string_str(call_string(c, 1)) : STR(""));

    return t && return_node(c, &t->node);
}

static bool create_text_node(struct call *c) { return create_text(c, XKIND_TEXT); }
static bool create_cdata(struct call *c) { return create_text(c, XKIND_CDATA); }
static bool create_comment(struct call *c) { return create_text(c, XKIND_COMMENT); }

static bool
name_table(struct call *c)
{
    return return_new(c, object_new(c, type_find(c->run->env, STR("System.Xml.NameTable"), NULL, 0), struct dom));
}

/* --- what a node is ---------------------------------------------------------------------------------------------------------------- */

static const struct xname *
name_of(const struct xnode *n)
{
    return n->kind == XKIND_ELEMENT     ? ((const struct xelement *)n)->name
           : n->kind == XKIND_ATTRIBUTE ? ((const struct xattribute *)n)->name
                                        : NULL;
}

static bool
find_prefix(const struct xnode *n, const struct xname *name, struct str *ret)
{
    bool is_attribute = n->kind == XKIND_ATTRIBUTE;

    *ret = STR("");
    if (!name || !name->space.len || (is_attribute && !n->parent))
        return true;
    if (!xelement_prefix_of(is_attribute ? n->parent : (const struct xelement *)n, name->space, !is_attribute, ret))
        return false;
    if (!ret->p)
        *ret = STR("");
    return true;
}

static bool
local_name(struct call *c)
{
    const struct xnode *n = self_of(c)->n;
    const struct xname *name = name_of(n);
    struct str text = STR("");

    if (name)
        text = name->local;
    else
        switch (n->kind) {
        case XKIND_TEXT: text = STR("#text"); break;
        case XKIND_CDATA: text = STR("#cdata-section"); break;
        case XKIND_COMMENT: text = STR("#comment"); break;
        case XKIND_DOCUMENT: text = STR("#document"); break;
        default: text = ((const struct xtext *)n)->target;
        }
    return return_new(c, string_view(c, text));
}

static bool
name(struct call *c)
{
    const struct xname *xn = name_of(self_of(c)->n);
    struct str prefix;

    if (!find_prefix(self_of(c)->n, xn, &prefix))
        return false;
    return prefix.len ? return_new(c, string_printf(c, "%.*s:%.*s", STR_ARG(prefix), STR_ARG(xn->local))) : local_name(c);
}

static bool
prefix(struct call *c)
{
    struct str found;

    return find_prefix(self_of(c)->n, name_of(self_of(c)->n), &found) && return_new(c, string_view(c, found));
}

static bool
namespace_uri(struct call *c)
{
    const struct xname *xn = name_of(self_of(c)->n);

    return return_new(c, string_view(c, xn ? xn->space : STR("")));
}

static bool node_type(struct call *c) { return return_i64(c, self_of(c)->n->kind); }

static bool
value(struct call *c)
{
    const struct xnode *n = self_of(c)->n;

    if (xnode_is_container(n))
        return return_ref(c, NULL);
    return return_new(c, string_view(c, n->kind == XKIND_ATTRIBUTE ? ((const struct xattribute *)n)->value : ((const struct xtext *)n)->text));
}

static struct str
text_argument(const struct call *c, uint32_t i)
{
    return call_string(c, i) ? string_str(call_string(c, i)) : STR("");
}

static bool
set_value(struct call *c)
{
    struct xnode *n = self_of(c)->n;

    if (xnode_is_container(n))
        return call_throw(c, EXC_INVALID_OPERATION, "Cannot set a value on node type '%s'.", n->kind == XKIND_ELEMENT ? "Element" : "Document");
    if (n->kind == XKIND_ATTRIBUTE)
        ((struct xattribute *)n)->value = text_argument(c, 1);
    else
        ((struct xtext *)n)->text = text_argument(c, 1);
    return true;
}

static bool
inner_text(struct call *c)
{
    struct str text;

    if (!xnode_is_container(self_of(c)->n))
        return value(c);
    return xelement_value(c, (struct xelement *)self_of(c)->n, &text) && return_new(c, string_view(c, text));
}

static bool
set_inner_text(struct call *c)
{
    struct xnode *n = self_of(c)->n;
    struct xtext *t;

    if (!xnode_is_container(n))
        return set_value(c);
    xelement_clear((struct xelement *)n);
    if (!text_argument(c, 1).len)
        return true;
    return (t = xtext_new(c, XKIND_TEXT, text_argument(c, 1))) && xelement_insert(c, (struct xelement *)n, NULL, &t->node);
}

static bool
outer_xml(struct call *c)
{
    struct buf b = call_buf(c);

    return xnode_write(c, self_of(c)->n, false, &b) && return_new(c, string_from_buf(c, &b));
}

static bool
inner_xml(struct call *c)
{
    struct buf b = call_buf(c);

    if (!xnode_is_container(self_of(c)->n))
        return value(c);
    for (const struct xnode *n = ((struct xelement *)self_of(c)->n)->first; n; n = n->next)
        if (!xnode_write(c, n, false, &b))
            return false;
    return return_new(c, string_from_buf(c, &b));
}

static bool
set_inner_xml(struct call *c)
{
    struct xelement *into = (struct xelement *)self_of(c)->n, *from;
    struct buf b = call_buf(c);
    struct xnode *n;

    if (!xnode_is_container(self_of(c)->n))
        return set_value(c);
    if (self_of(c)->n->kind == XKIND_DOCUMENT)
        return load_text(c, text_argument(c, 1));
    buf_printf(&b, "<x>%.*s</x>", STR_ARG(text_argument(c, 1)));
    if (!(from = xdocument_parse(c, buf_str(&b), true)))
        return false;
    xelement_clear(into);
    while ((n = ((struct xelement *)from->first)->first)) {
        xnode_unlink(n);
        if (!xelement_insert(c, into, NULL, n))
            return false;
    }
    return true;
}

/* --- around a node ---------------------------------------------------------------------------------------------------------------------- */

static struct xelement *
container(const struct call *c)
{
    return xnode_is_container(self_of(c)->n) ? (struct xelement *)self_of(c)->n : NULL;
}

static bool parent_node(struct call *c) { return return_node(c, self_of(c)->n->parent && self_of(c)->n->kind != XKIND_ATTRIBUTE ? &self_of(c)->n->parent->node : NULL); }
static bool owner_document(struct call *c) { return return_ref(c, self_of(c) == self_of(c)->document ? NULL : self_of(c)->document); }
static bool first_child(struct call *c) { return return_node(c, container(c) ? container(c)->first : NULL); }
static bool last_child(struct call *c) { return return_node(c, container(c) ? container(c)->last : NULL); }
static bool next_sibling(struct call *c) { return return_node(c, self_of(c)->n->kind == XKIND_ATTRIBUTE ? NULL : self_of(c)->n->next); }
static bool previous_sibling(struct call *c) { return return_node(c, self_of(c)->n->kind == XKIND_ATTRIBUTE ? NULL : self_of(c)->n->prev); }
static bool has_children(struct call *c) { return return_bool(c, container(c) && container(c)->first); }

static struct node_list *
list_new(struct call *c, const char *type, uint32_t n)
{
    struct node_list *l = object_new(c, type_find(c->run->env, str_from_c(type), NULL, 0), struct node_list);

    if (l) {
        l->document = self_of(c)->document;
        l->v = call_alloc(c, MAX(n, 1u) * sizeof(*l->v));
    }
    return l && l->v ? l : NULL;
}

/* A sibling list as an XmlNodeList or XmlAttributeCollection. */
static struct node_list *
list_of(struct call *c, const char *type, struct xnode *first)
{
    struct node_list *l;
    uint32_t n = 0;

    for (struct xnode *it = first; it; it = it->next)
        n++;
    if (!(l = list_new(c, type, n)))
        return NULL;
    for (struct xnode *it = first; it; it = it->next)
        l->v[l->n++] = it;
    return l;
}

#define LIST "System.Xml.XmlNodeList"
#define ATTRIBUTES "System.Xml.XmlAttributeCollection"

static bool child_nodes(struct call *c) { return return_new(c, list_of(c, LIST, container(c) ? container(c)->first : NULL)); }

static bool
attributes(struct call *c)
{
    struct xelement *e = (struct xelement *)self_of(c)->n;

    if (e->node.kind != XKIND_ELEMENT)
        return return_ref(c, NULL);
    return return_new(c, list_of(c, ATTRIBUTES, e->first_attribute ? &e->first_attribute->node : NULL));
}

/* Whether a name as written ("p:local" or "local") and perhaps a namespace behind it are those of n. */
static bool
is_called(const struct xnode *n, struct str wanted, const struct string *space)
{
    const struct xname *xn = name_of(n);
    ptrdiff_t colon = str_find_char(wanted, ':', 0);
    struct str prefix;

    if (!xn)
        return false;
    if (space)
        return (str_eq_lit(wanted, "*") || str_eq(xn->local, wanted)) && str_eq(xn->space, string_str(space));
    if (str_eq_lit(wanted, "*"))
        return true;
    if (!find_prefix(n, xn, &prefix))
        return false;
    if (colon > 0)
        return str_eq(prefix, str_sub(wanted, 0, (size_t)colon)) && str_eq(xn->local, str_skip(wanted, (size_t)colon + 1));
    return !prefix.len && str_eq(xn->local, wanted);
}

/* node["name"]: the first child element of that name. */
static bool
child_named(struct call *c)
{
    struct xnode *n = container(c) ? container(c)->first : NULL;

    while (n && !(n->kind == XKIND_ELEMENT && is_called(n, text_argument(c, 1), c->n_args > 2 ? call_string(c, 2) : NULL)))
        n = n->next;
    return return_node(c, n);
}

static bool
elements_by_name(struct call *c)
{
    struct xnode *top = self_of(c)->n, *n = top;
    struct node_list *l;
    uint32_t count = 0;

    while ((n = xnode_next_in(top, n)))
        count++;
    if (!call_charge(c, count) || !(l = list_new(c, LIST, count)))
        return false;
    for (n = top; (n = xnode_next_in(top, n));)
        if (n->kind == XKIND_ELEMENT && is_called(n, text_argument(c, 1), c->n_args > 2 ? call_string(c, 2) : NULL))
            l->v[l->n++] = n;
    return return_ref(c, l);
}

static bool
select_all(struct call *c, struct xnode ***ret, uint32_t *ret_n)
{
    if (!call_string(c, 1))
        return throw_argument_null(c, "xpath");
    return xpath_select(c, self_of(c)->n, string_str(call_string(c, 1)), c->n_args > 2 ? (const struct xprefixes *)c->args[2].ref : NULL,
                        ret, ret_n);
}

static bool
select_single(struct call *c)
{
    struct xnode **v;
    uint32_t n;

    return select_all(c, &v, &n) && return_node(c, n ? v[0] : NULL);
}

static bool
select_nodes(struct call *c)
{
    struct node_list *l = list_new(c, LIST, 0);

    if (!l || !select_all(c, &l->v, &l->n))
        return false;
    return return_ref(c, l);
}

/* --- changing ------------------------------------------------------------------------------------------------------------------------------ */

/* Puts args[1] before `before`, out of where it stood. */
static bool
insert(struct call *c, struct xnode *before)
{
    struct dom *d = dom_at(c, 1);

    if (!d)
        return throw_argument_null(c, "newChild");
    if (!container(c) || d->n->kind == XKIND_ATTRIBUTE)
        return call_throw(c, EXC_INVALID_OPERATION, "The specified node cannot be inserted as the valid child of this node, because the "
                                                    "specified node is the wrong type.");
    for (struct xnode *up = self_of(c)->n; up; up = up->parent ? &up->parent->node : NULL)
        if (up == d->n)
            return throw_argument(c, NULL, "Cannot insert a node or any ancestor of that node as a child of itself.");
    if (d->n->parent)
        xnode_unlink(d->n);
    return xelement_insert(c, container(c), before, d->n) && return_ref(c, d);
}

static bool append_child(struct call *c) { return insert(c, NULL); }
static bool prepend_child(struct call *c) { return insert(c, container(c) ? container(c)->first : NULL); }
static bool insert_before(struct call *c) { return insert(c, dom_at(c, 2) ? dom_at(c, 2)->n : NULL); }

static bool
insert_after(struct call *c)
{
    return insert(c, dom_at(c, 2) ? dom_at(c, 2)->n->next : container(c) ? container(c)->first : NULL);
}

static bool
remove_child(struct call *c)
{
    struct dom *d = dom_at(c, 1);

    if (!d || !d->n->parent || &d->n->parent->node != self_of(c)->n)
        return throw_argument(c, NULL, "The node to be removed is not a child of this node.");
    xnode_unlink(d->n);
    return return_ref(c, d);
}

static bool
replace_child(struct call *c)
{
    struct dom *old = dom_at(c, 2);
    struct xnode *next = old ? old->n->next : NULL;

    if (!old || !old->n->parent || &old->n->parent->node != self_of(c)->n)
        return throw_argument(c, NULL, "The reference node is not a child of this node.");
    xnode_unlink(old->n);
    return insert(c, next) && return_ref(c, old);
}

static bool
remove_all(struct call *c)
{
    struct xelement *e = container(c);

    if (!e)
        return true;
    xelement_clear(e);
    while (e->first_attribute)
        xattribute_unlink(e->first_attribute);
    return true;
}

static bool
clone_node(struct call *c)
{
    struct xnode *copy = xnode_clone(c, self_of(c)->n);

    if (!copy)
        return false;
    if (!call_bool(c, 1) && xnode_is_container(copy))
        xelement_clear((struct xelement *)copy);
    return return_node(c, copy);
}

static bool
import_node(struct call *c)
{
    struct dom *d = dom_at(c, 1);
    struct xnode *copy;

    if (!d)
        return throw_argument_null(c, "node");
    if (!(copy = xnode_clone(c, d->n)))
        return false;
    if (!call_bool(c, 2) && xnode_is_container(copy))
        xelement_clear((struct xelement *)copy);
    return return_node(c, copy);
}

static bool
save(struct call *c)
{
    struct buf b = call_buf(c);

    if (!c->args[1].ref)
        return throw_argument_null(c, "writer");
    return xnode_write(c, self_of(c)->n, !self_of(c)->keeps_blanks, &b) && writer_add(c, c->args[1].ref, b.len ? buf_str(&b) : STR(""));
}

/* --- attributes ------------------------------------------------------------------------------------------------------------------------------ */

/* Of the name in args[1]; space NULL: the name may have a prefix. */
static struct xattribute *
attribute_called(struct call *c, const struct string *space)
{
    struct xattribute *a = ((struct xelement *)self_of(c)->n)->first_attribute;

    while (a && !is_called(&a->node, text_argument(c, 1), space))
        a = (struct xattribute *)a->node.next;
    return a;
}

static bool
get_attribute(struct call *c)
{
    const struct xattribute *a = attribute_called(c, c->n_args > 2 ? call_string(c, 2) : NULL);

    return return_new(c, string_view(c, a ? a->value : STR("")));
}

static bool has_attribute(struct call *c) { return return_bool(c, attribute_called(c, NULL) != NULL); }
static bool has_attributes(struct call *c) { return return_bool(c, ((struct xelement *)self_of(c)->n)->first_attribute != NULL); }
static bool is_empty(struct call *c) { return return_bool(c, !container(c)->first && !container(c)->has_content); }

static bool
get_attribute_node(struct call *c)
{
    struct xattribute *a = attribute_called(c, NULL);

    return return_node(c, a ? &a->node : NULL);
}

static bool
set_attribute(struct call *c)
{
    struct xelement *e = (struct xelement *)self_of(c)->n;
    struct xattribute *a = attribute_called(c, NULL);
    struct str local = text_argument(c, 1), space = STR("");
    ptrdiff_t colon = str_find_char(local, ':', 0);
    struct xname *xn;

    if (a) {
        a->value = text_argument(c, 2);
        return true;
    }
    if (str_eq_lit(local, "xmlns"))
        space = STR(XMLNS_URI);
    else if (colon > 0) {
        struct str p = str_sub(local, 0, (size_t)colon);
        space = str_eq_lit(p, "xmlns") ? STR(XMLNS_URI) : xelement_space_of(e, p);
        local = str_skip(local, (size_t)colon + 1);
    }
    return (xn = xname_new(c, space.p ? space : STR(""), local)) && xelement_set_attribute(c, e, xn, text_argument(c, 2));
}

static bool
remove_attribute(struct call *c)
{
    struct xattribute *a = attribute_called(c, NULL);

    if (a)
        xattribute_unlink(a);
    return true;
}

/* --- lists ---------------------------------------------------------------------------------------------------------------------------------- */

static struct node_list *
list_at(const struct call *c)
{
    return (struct node_list *)c->args[0].ref;
}

static bool count(struct call *c) { return return_i64(c, list_at(c)->n); }

static bool
item(struct call *c)
{
    struct node_list *l = list_at(c);
    int64_t i = call_i32(c, 1);

    if (i < 0 || i >= l->n)
        return return_ref(c, NULL);
    return return_new(c, wrap(c, l->document, l->v[i]));
}

static bool
item_named(struct call *c)
{
    struct node_list *l = list_at(c);

    for (uint32_t i = 0; i < l->n; i++)
        if (is_called(l->v[i], text_argument(c, 1), NULL))
            return return_new(c, wrap(c, l->document, l->v[i]));
    return return_ref(c, NULL);
}

static int
next_node(struct call *c, struct iterator *it, struct value *ret)
{
    struct node_list *l = (struct node_list *)it->self;
    struct dom *d;

    if (it->state[0].u64 >= l->n)
        return 0;
    d = wrap(c, l->document, l->v[it->state[0].u64++]);
    *ret = value_ref(d);
    return d ? 1 : -1;
}

static bool
list_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it)
{
    *it = (struct iterator){.next = next_node, .self = self};
    return true;
}

/* A node enumerates its children. */
static bool
node_iterate(struct call *c, struct object *self, const struct type *as, struct iterator *it)
{
    struct value args[1] = {value_ref(self)};
    struct call inner = {.run = c->run, .args = args, .n_args = 1};

    return child_nodes(&inner) && list_iterate(c, inner.ret.ref, as, it);
}

static bool
nodes_equal(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    *ret = a.ref == b.ref || (a.ref && b.ref && a.ref->type == b.ref->type && ((struct dom *)a.ref)->n == ((struct dom *)b.ref)->n);
    return true;
}

static bool
node_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    *ret = (int32_t)((uintptr_t)((struct dom *)v.ref)->n >> 4);
    return true;
}

static const struct type_hooks list_hooks = {.iterate = list_iterate};
static const struct type_hooks node_hooks = {.iterate = node_iterate, .equals = nodes_equal, .hash = node_hash};

#define X "System.Xml."
#define NODE_CLASS(name, base, flags) {TYPE_CLASS, X name, base, NULL, NULL, TYPE_IS_EXTRA | TYPE_IS_IMPORTED | (flags), NULL}
#define N "XmlNode"
#define E "XmlElement"
#define D "XmlDocument"
#define MANAGER ", XmlNamespaceManager nsmgr"

static const struct type_row types[] = {
    {TYPE_CLASS, X N, NULL, "IEnumerable<XmlNode>", &node_hooks, TYPE_IS_EXTRA | TYPE_IS_IMPORTED | TYPE_IS_ABSTRACT, NULL},
    NODE_CLASS(D, N, 0),
    NODE_CLASS(E, N, TYPE_IS_ABSTRACT),
    NODE_CLASS("XmlAttribute", N, TYPE_IS_ABSTRACT),
    NODE_CLASS("XmlCharacterData", N, TYPE_IS_ABSTRACT),
    NODE_CLASS("XmlText", "XmlCharacterData", TYPE_IS_ABSTRACT),
    NODE_CLASS("XmlCDataSection", "XmlCharacterData", TYPE_IS_ABSTRACT),
    NODE_CLASS("XmlComment", "XmlCharacterData", TYPE_IS_ABSTRACT),
    NODE_CLASS("XmlProcessingInstruction", N, TYPE_IS_ABSTRACT),
    NODE_CLASS("XmlDocumentType", N, TYPE_IS_ABSTRACT),
    {TYPE_CLASS, LIST, NULL, "IEnumerable<XmlNode>", &list_hooks, TYPE_IS_EXTRA | TYPE_IS_IMPORTED | TYPE_IS_ABSTRACT, NULL},
    {TYPE_CLASS, ATTRIBUTES, NULL, "IEnumerable<XmlNode>", &list_hooks, TYPE_IS_EXTRA | TYPE_IS_IMPORTED | TYPE_IS_ABSTRACT, NULL},
};

static const struct member_row members[] = {
    M(N, "string Name { get; }", name),
    M(N, "string LocalName { get; }", local_name),
    M(N, "string NamespaceURI { get; }", namespace_uri),
    M(N, "string Prefix { get; }", prefix),
    M(N, "XmlNodeType NodeType { get; }", node_type),
    P(N, "string Value { get; set; }", value, set_value),
    P(N, "string InnerText { get; set; }", inner_text, set_inner_text),
    P(N, "string InnerXml { get; set; }", inner_xml, set_inner_xml),
    M(N, "string OuterXml { get; }", outer_xml),
    M(N, "XmlNode ParentNode { get; }", parent_node),
    M(N, "XmlDocument OwnerDocument { get; }", owner_document),
    M(N, "XmlNodeList ChildNodes { get; }", child_nodes),
    M(N, "XmlNode FirstChild { get; }", first_child),
    M(N, "XmlNode LastChild { get; }", last_child),
    M(N, "XmlNode NextSibling { get; }", next_sibling),
    M(N, "XmlNode PreviousSibling { get; }", previous_sibling),
    M(N, "bool HasChildNodes { get; }", has_children),
    M(N, "XmlAttributeCollection Attributes { get; }", attributes),
    M(N, "XmlElement this[string name] { get; }", child_named),
    M(N, "XmlNode SelectSingleNode(string xpath)", select_single),
    M(N, "XmlNode SelectSingleNode(string xpath" MANAGER ")", select_single),
    M(N, "XmlNodeList SelectNodes(string xpath)", select_nodes),
    M(N, "XmlNodeList SelectNodes(string xpath" MANAGER ")", select_nodes),
    M(N, "XmlNode AppendChild(XmlNode newChild)", append_child),
    M(N, "XmlNode PrependChild(XmlNode newChild)", prepend_child),
    M(N, "XmlNode InsertBefore(XmlNode newChild, XmlNode refChild)", insert_before),
    M(N, "XmlNode InsertAfter(XmlNode newChild, XmlNode refChild)", insert_after),
    M(N, "XmlNode RemoveChild(XmlNode oldChild)", remove_child),
    M(N, "XmlNode ReplaceChild(XmlNode newChild, XmlNode oldChild)", replace_child),
    M(N, "void RemoveAll()", remove_all),
    M(N, "XmlNode CloneNode(bool deep)", clone_node),

    M(D, "new()", document_new),
    M(D, "void LoadXml(string xml)", load_xml),
    M(D, "void Load(TextReader txtReader)", load_reader),
    M(D, "void Save(TextWriter writer)", save),
    M(D, "XmlElement DocumentElement { get; }", document_element),
    P(D, "bool PreserveWhitespace { get; set; }", keeps_blanks, set_keeps_blanks),
    M(D, "XmlNameTable NameTable { get; }", name_table),
    M(D, "XmlElement CreateElement(string name)", create_element),
    M(D, "XmlElement CreateElement(string qualifiedName, string namespaceURI)", create_element),
    M(D, "XmlElement CreateElement(string prefix, string localName, string namespaceURI)", create_element),
    M(D, "XmlAttribute CreateAttribute(string name)", create_attribute),
    M(D, "XmlAttribute CreateAttribute(string qualifiedName, string namespaceURI)", create_attribute),
    M(D, "XmlText CreateTextNode(string text)", create_text_node),
    M(D, "XmlCDataSection CreateCDataSection(string data)", create_cdata),
    M(D, "XmlComment CreateComment(string data)", create_comment),
    M(D, "XmlNode ImportNode(XmlNode node, bool deep)", import_node),
    M(D, "XmlNodeList GetElementsByTagName(string name)", elements_by_name),
    M(D, "XmlNodeList GetElementsByTagName(string localName, string namespaceURI)", elements_by_name),

    M(E, "string GetAttribute(string name)", get_attribute),
    M(E, "string GetAttribute(string localName, string namespaceURI)", get_attribute),
    M(E, "bool HasAttribute(string name)", has_attribute),
    M(E, "bool HasAttributes { get; }", has_attributes),
    M(E, "bool IsEmpty { get; }", is_empty),
    M(E, "XmlAttribute GetAttributeNode(string name)", get_attribute_node),
    M(E, "void SetAttribute(string name, string value)", set_attribute),
    M(E, "void RemoveAttribute(string name)", remove_attribute),
    M(E, "XmlNodeList GetElementsByTagName(string name)", elements_by_name),
    M(E, "XmlNodeList GetElementsByTagName(string localName, string namespaceURI)", elements_by_name),

    M("XmlNodeList", "int Count { get; }", count),
    M("XmlNodeList", "XmlNode Item(int index)", item),
    M("XmlNodeList", "XmlNode this[int i] { get; }", item),
    M("XmlAttributeCollection", "int Count { get; }", count),
    M("XmlAttributeCollection", "XmlNode Item(int index)", item),
    M("XmlAttributeCollection", "XmlAttribute this[int i] { get; }", item),
    M("XmlAttributeCollection", "XmlAttribute this[string name] { get; }", item_named),
    M("XmlAttributeCollection", "XmlNode GetNamedItem(string name)", item_named),
};

const struct library clr_xml_document = LIBRARY("xml document", types, members);
