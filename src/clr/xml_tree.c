/* xml_tree.c: XName, XNamespace, XObject, XNode, XContainer, XDocument and the nodes that hold only text.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/collections.h"
#include "clr/comparer.h"
#include "clr/annotations.h"
#include "clr/families.h"
#include "clr/xsequence.h"
#include "data/xml.h"

static struct xnode *
node_of(const struct call *c)
{
    return (struct xnode *)c->args[0].ref;
}

static struct xelement *
container_of(const struct call *c)
{
    return (struct xelement *)c->args[0].ref;
}

static bool
return_str(struct call *c, struct str s)
{
    return s.p ? return_new(c, string_view(c, s)) : return_ref(c, NULL);
}

/* ---- XName ---- */

static struct xname *
name_at(const struct call *c, uint32_t i)
{
    return (struct xname *)c->args[i].ref;
}

static bool
name_from_string(struct call *c)
{
    if (!c->args[0].ref)
        return return_ref(c, NULL);
    return return_new(c, xname_parse(c, string_str(call_string(c, 0))));
}

static bool
name_get(struct call *c)
{
    if (!c->args[0].ref)
        return throw_argument_null(c, "expandedName");
    return name_from_string(c);
}

static bool
name_get_with_space(struct call *c)
{
    struct xname *n;

    if (!c->args[0].ref || !c->args[1].ref)
        return throw_argument_null(c, c->args[0].ref ? "namespaceName" : "localName");
    n = xname_parse(c, string_str(call_string(c, 0)));
    if (n)
        n->space = string_str(call_string(c, 1));
    return return_new(c, n);
}

static bool
name_local(struct call *c)
{
    return return_str(c, name_at(c, 0)->local);
}

static bool
name_space_name(struct call *c)
{
    return return_str(c, name_at(c, 0)->space);
}

static struct xnamespace *
namespace_new(struct call *c, struct str uri)
{
    struct xnamespace *n = object_new(c, type_find(c->run->env, STR("System.Xml.Linq.XNamespace"), NULL, 0), struct xnamespace);

    if (n)
        n->uri = uri;
    return n;
}

static bool
name_namespace(struct call *c)
{
    return return_new(c, namespace_new(c, name_at(c, 0)->space));
}

static bool
name_equal(struct call *c)
{
    return return_bool(c, xname_eq(name_at(c, 0), name_at(c, 1)));
}

static bool
name_not_equal(struct call *c)
{
    return return_bool(c, !xname_eq(name_at(c, 0), name_at(c, 1)));
}

static bool
name_hook_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    const struct xname *x = (struct xname *)a.ref, *y = (struct xname *)b.ref;

    *ret = x == y || (x && y && x->head.type == y->head.type && xname_eq(x, y));
    return true;
}

static bool
str_hash(struct call *c, struct str s, int32_t *ret)
{
    struct string text = {{core_types(c->run->env)->string}, s.p, (uint32_t)s.len, (uint32_t)s.len, NULL};

    return value_hash(c, text.head.type, value_ref(&text), ret);
}

static bool
name_hook_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    int32_t space, local;
    const struct xname *n = (struct xname *)v.ref;

    if (!str_hash(c, n->space, &space) || !str_hash(c, n->local, &local))
        return false;
    *ret = (int32_t)((uint32_t)space * 31 + (uint32_t)local);
    return true;
}

static bool
name_hook_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    const struct xname *n = (struct xname *)v.ref;

    *ret = n->space.len ? string_printf(c, "{%.*s}%.*s", STR_ARG(n->space), STR_ARG(n->local)) : string_view(c, n->local);
    return *ret != NULL;
}

/* ---- XNamespace ---- */

static struct xnamespace *
space_at(const struct call *c, uint32_t i)
{
    return (struct xnamespace *)c->args[i].ref;
}

static bool
namespace_from_string(struct call *c)
{
    if (!c->args[0].ref)
        return return_ref(c, NULL);
    return return_new(c, namespace_new(c, string_str(call_string(c, 0))));
}

static bool
namespace_get(struct call *c)
{
    if (!c->args[0].ref)
        return throw_argument_null(c, "namespaceName");
    return namespace_from_string(c);
}

static bool
namespace_none(struct call *c)
{
    return return_new(c, namespace_new(c, STR("")));
}

static bool
namespace_xml(struct call *c)
{
    return return_new(c, namespace_new(c, STR(XML_URI)));
}

static bool
namespace_xmlns(struct call *c)
{
    return return_new(c, namespace_new(c, STR(XMLNS_URI)));
}

/* ns + "local", ns.GetName("local") */
static bool
namespace_name(struct call *c)
{
    struct xname *n;

    if (!c->args[0].ref || !c->args[1].ref)
        return throw_argument_null(c, c->args[0].ref ? "localName" : "ns");
    n = xname_parse(c, string_str(call_string(c, 1)));
    if (n)
        n->space = space_at(c, 0)->uri;
    return return_new(c, n);
}

static bool
namespace_uri(struct call *c)
{
    return return_str(c, space_at(c, 0)->uri);
}

static bool
same_namespace(const struct xnamespace *a, const struct xnamespace *b)
{
    return a == b || (a && b && str_eq(a->uri, b->uri));
}

static bool
namespace_equal(struct call *c)
{
    return return_bool(c, same_namespace(space_at(c, 0), space_at(c, 1)));
}

static bool
namespace_not_equal(struct call *c)
{
    return return_bool(c, !same_namespace(space_at(c, 0), space_at(c, 1)));
}

static bool
namespace_hook_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    *ret = a.ref == b.ref || (a.ref && b.ref && a.ref->type == b.ref->type &&
                              same_namespace((struct xnamespace *)a.ref, (struct xnamespace *)b.ref));
    return true;
}

static bool
namespace_hook_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    return str_hash(c, ((struct xnamespace *)v.ref)->uri, ret);
}

static bool
namespace_hook_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    return (*ret = string_view(c, ((struct xnamespace *)v.ref)->uri)) != NULL;
}

/* ---- XObject, XNode ---- */

static bool
object_kind(struct call *c)
{
    return return_i64(c, node_of(c)->kind);
}

/* A document is nobody's Parent. */
static bool
object_parent(struct call *c)
{
    struct xelement *parent = node_of(c)->parent;

    return return_ref(c, parent && parent->node.kind == XKIND_ELEMENT ? parent : NULL);
}

static bool
object_document(struct call *c)
{
    struct xnode *n = node_of(c);

    while (n->parent)
        n = &n->parent->node;
    return return_ref(c, n->kind == XKIND_DOCUMENT ? n : NULL);
}

static bool
object_base_uri(struct call *c)
{
    return return_new(c, string_lit(c, ""));
}

static bool
node_next(struct call *c)
{
    return return_ref(c, node_of(c)->next);
}

static bool
node_previous(struct call *c)
{
    return return_ref(c, node_of(c)->prev);
}

static bool
missing_parent(struct call *c)
{
    return call_throw(c, EXC_INVALID_OPERATION, "The parent is missing.");
}

static bool
node_remove(struct call *c)
{
    if (!node_of(c)->parent)
        return missing_parent(c);
    xnode_unlink(node_of(c));
    return true;
}

static bool
node_add_after(struct call *c)
{
    struct xnode *n = node_of(c);

    return n->parent ? xelement_add_content(c, n->parent, n->next, c->args[1].ref) : missing_parent(c);
}

static bool
node_add_before(struct call *c)
{
    struct xnode *n = node_of(c);

    return n->parent ? xelement_add_content(c, n->parent, n, c->args[1].ref) : missing_parent(c);
}

static bool
node_replace(struct call *c)
{
    struct xelement *parent = node_of(c)->parent;
    struct xnode *next = node_of(c)->next;

    if (!parent)
        return missing_parent(c);
    xnode_unlink(node_of(c));
    return xelement_add_content(c, parent, next, c->args[1].ref);
}

/* <0: a before b in document order. Both in one tree. */
static bool
compare_order(struct call *c, struct xnode *a, struct xnode *b, int *ret)
{
    struct xnode *top = a, *other = b;

    *ret = (b == NULL) - (a == NULL); /* nothing stands before everything */
    if (!a || !b || a == b)
        return true;
    while (top->parent)
        top = &top->parent->node;
    while (other->parent)
        other = &other->parent->node;
    if (top != other)
        return call_throw(c, EXC_INVALID_OPERATION, "A common ancestor is missing.");
    for (struct xnode *n = top; n; n = xnode_next_in(top, n)) {
        if (!call_charge(c, 1))
            return false;
        if (n == a || n == b) {
            *ret = n == a ? -1 : 1;
            return true;
        }
    }
    return true;
}

static bool
node_is_after(struct call *c)
{
    int order;

    return compare_order(c, node_of(c), (struct xnode *)c->args[1].ref, &order) && return_bool(c, order > 0);
}

static bool
node_is_before(struct call *c)
{
    int order;

    return compare_order(c, node_of(c), (struct xnode *)c->args[1].ref, &order) && return_bool(c, order < 0);
}

static bool
node_compare_order(struct call *c)
{
    struct xnode *a = node_of(c), *b = (struct xnode *)c->args[1].ref;
    int order;

    if (!a || !b)
        return return_i64(c, (a != NULL) - (b != NULL));
    return compare_order(c, a, b, &order) && return_i64(c, order);
}

static bool
node_deep_equals(struct call *c)
{
    bool same;

    return xnode_deep_equals(c, node_of(c), (struct xnode *)c->args[1].ref, &same) && return_bool(c, same);
}

/* ToString(SaveOptions) */
static bool
node_to_string_options(struct call *c)
{
    enum { DISABLE_FORMATTING = 1 };
    struct buf b = call_buf(c);

    return xnode_write(c, node_of(c), !(c->args[1].i64 & DISABLE_FORMATTING), &b) && return_new(c, string_from_buf(c, &b));
}

/* ---- comparers ---- */

static bool
nodes_equal(struct call *c, struct comparer *self, struct value a, struct value b, bool *ret)
{
    return xnode_deep_equals(c, (struct xnode *)a.ref, (struct xnode *)b.ref, ret);
}

static bool
node_hash(struct call *c, struct comparer *self, struct value v, int32_t *ret)
{
    struct xnode *n = (struct xnode *)v.ref;
    struct str text = STR("");

    if (n && xnode_is_container(n) && !xelement_value(c, (struct xelement *)n, &text))
        return false;
    return str_hash(c, text, ret);
}

static bool
nodes_compare(struct call *c, struct comparer *self, struct value a, struct value b, int *ret)
{
    *ret = (a.ref != NULL) - (b.ref != NULL);
    return !a.ref || !b.ref || compare_order(c, (struct xnode *)a.ref, (struct xnode *)b.ref, ret);
}

static const struct comparer_ops node_ops = {nodes_equal, node_hash, nodes_compare};

static bool
comparer_new(struct call *c)
{
    struct comparer *comparer = object_new(c, c->ret_type, struct comparer);

    if (comparer)
        comparer->ops = &node_ops;
    return return_new(c, comparer);
}

static bool
comparer_equals(struct call *c)
{
    bool same;

    return nodes_equal(c, NULL, c->args[1], c->args[2], &same) && return_bool(c, same);
}

static bool
comparer_hash(struct call *c)
{
    int32_t hash;

    return node_hash(c, NULL, c->args[1], &hash) && return_i64(c, hash);
}

static bool
comparer_compare(struct call *c)
{
    int order;

    return nodes_compare(c, NULL, c->args[1], c->args[2], &order) && return_i64(c, order);
}

/* ---- XContainer ---- */

static bool
container_first(struct call *c)
{
    return return_ref(c, container_of(c)->first);
}

static bool
container_last(struct call *c)
{
    return return_ref(c, container_of(c)->last);
}

static bool
container_add(struct call *c)
{
    return xelement_add_content(c, container_of(c), NULL, c->args[1].ref);
}

static bool
container_add_first(struct call *c)
{
    return xelement_add_content(c, container_of(c), container_of(c)->first, c->args[1].ref);
}

static bool
container_remove_nodes(struct call *c)
{
    xelement_clear(container_of(c));
    return true;
}

static bool
container_replace_nodes(struct call *c)
{
    xelement_clear(container_of(c));
    return container_add(c);
}

static bool
container_element(struct call *c)
{
    struct xnode *n = container_of(c)->first;

    while (n && !(n->kind == XKIND_ELEMENT && xname_eq(((struct xelement *)n)->name, name_at(c, 1))))
        n = n->next;
    return return_ref(c, n);
}

/* ---- XDocument, XDeclaration ---- */

static bool
document_new(struct call *c)
{
    struct xelement *d = xelement_new(c, NULL);
    bool with_declaration = c->n_args == 2;

    if (!d)
        return false;
    if (with_declaration)
        d->declaration = c->args[0].ref;
    return (c->n_args == 0 || xelement_add_content(c, d, NULL, c->args[c->n_args - 1].ref)) && return_ref(c, d);
}

static bool
document_copy(struct call *c)
{
    if (!c->args[0].ref)
        return throw_argument_null(c, "other");
    return return_new(c, xnode_clone(c, node_of(c)));
}

static struct record *
declaration_new(struct call *c, const struct xml_declaration *from)
{
    const struct type *type = type_find(c->run->env, STR("System.Xml.Linq.XDeclaration"), NULL, 0);
    struct record *r = (struct record *)object_new_(c, type, sizeof(*r) + 3 * sizeof(struct value));
    const struct str parts[3] = {from->version, from->encoding, from->standalone};

    for (int i = 0; r && i < 3; i++)
        if (parts[i].p)
            r->v[i] = value_ref(string_new(c, parts[i]));
    return r;
}

static bool
document_parse(struct call *c)
{
    struct xml_declaration declaration;
    struct xelement *d;
    struct str text;

    if (!c->args[0].ref)
        return throw_argument_null(c, "text");
    text = string_str(call_string(c, 0));
    d = xdocument_parse(c, text, c->n_args > 1 && c->args[1].i64 & 1);
    if (d && xml_read_declaration(text, &declaration))
        d->declaration = (struct object *)declaration_new(c, &declaration);
    return return_new(c, d);
}

static bool
document_root(struct call *c)
{
    struct xnode *n = container_of(c)->first;

    while (n && n->kind != XKIND_ELEMENT)
        n = n->next;
    return return_ref(c, n);
}

static bool
document_declaration(struct call *c)
{
    return return_ref(c, container_of(c)->declaration);
}

static bool
document_set_declaration(struct call *c)
{
    container_of(c)->declaration = c->args[1].ref;
    return true;
}

static bool
document_type(struct call *c)
{
    struct xnode *n = container_of(c)->first;

    while (n && n->kind != XKIND_DOCUMENT_TYPE)
        n = n->next;
    return return_ref(c, n);
}

static bool
declaration_make(struct call *c)
{
    struct record *r = (struct record *)object_new_(c, c->owner, sizeof(*r) + 3 * sizeof(struct value));

    if (r)
        memcpy(r->v, c->args, 3 * sizeof(struct value));
    return return_new(c, r);
}

static bool
declaration_copy(struct call *c)
{
    struct record *r = (struct record *)object_new_(c, c->owner, sizeof(*r) + 3 * sizeof(struct value));

    if (!c->args[0].ref)
        return throw_argument_null(c, "other");
    if (r)
        memcpy(r->v, ((struct record *)c->args[0].ref)->v, 3 * sizeof(struct value));
    return return_new(c, r);
}

#define DECLARATION_PART(name, i) \
    static bool \
    declaration_##name(struct call *c) \
    { \
        c->ret = ((struct record *)c->args[0].ref)->v[i]; \
        return true; \
    } \
    static bool \
    declaration_set_##name(struct call *c) \
    { \
        ((struct record *)c->args[0].ref)->v[i] = c->args[1]; \
        return true; \
    }
DECLARATION_PART(version, 0)
DECLARATION_PART(encoding, 1)
DECLARATION_PART(standalone, 2)

static bool
declaration_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    static const char *const names[] = {"version", "encoding", "standalone"};
    struct record *r = (struct record *)v.ref;
    struct buf b = call_buf(c);

    buf_add_lit(&b, "<?xml");
    for (int i = 0; i < 3; i++)
        if (r->v[i].ref)
            buf_printf(&b, " %s=\"%.*s\"", names[i], STR_ARG(string_str((struct string *)r->v[i].ref)));
    buf_add_lit(&b, "?>");
    return (*ret = string_from_buf(c, &b)) != NULL;
}

/* ---- text nodes ---- */

static struct xtext *
text_of(const struct call *c)
{
    return (struct xtext *)c->args[0].ref;
}

static bool
text_make(struct call *c, enum xkind kind)
{
    if (!c->args[0].ref)
        return throw_argument_null(c, "value");
    return return_new(c, xtext_new(c, kind, string_str(call_string(c, 0))));
}

static bool
text_new(struct call *c)
{
    return text_make(c, XKIND_TEXT);
}

static bool
cdata_new(struct call *c)
{
    return text_make(c, XKIND_CDATA);
}

static bool
comment_new(struct call *c)
{
    return text_make(c, XKIND_COMMENT);
}

static bool
instruction_new(struct call *c)
{
    struct xtext *t;

    if (!c->args[0].ref || !c->args[1].ref)
        return throw_argument_null(c, c->args[0].ref ? "data" : "target");
    if ((t = xtext_new(c, XKIND_INSTRUCTION, string_str(call_string(c, 1)))))
        t->target = string_str(call_string(c, 0));
    return return_new(c, t);
}

static bool
document_type_new(struct call *c)
{
    struct xtext *t;

    if (!c->args[0].ref)
        return throw_argument_null(c, "name");
    if ((t = xtext_new(c, XKIND_DOCUMENT_TYPE, STR(""))))
        t->target = string_str(call_string(c, 0));
    return return_new(c, t);
}

static bool
text_value(struct call *c)
{
    return return_str(c, text_of(c)->text);
}

static bool
text_set_value(struct call *c)
{
    if (!c->args[1].ref)
        return throw_argument_null(c, "value");
    text_of(c)->text = string_str(call_string(c, 1));
    return true;
}

static bool
text_target(struct call *c)
{
    return return_str(c, text_of(c)->target);
}

static bool
text_set_target(struct call *c)
{
    text_of(c)->target = c->args[1].ref ? string_str(call_string(c, 1)) : STR("");
    return true;
}

/* ---- hooks ---- */

static bool
node_hook_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    struct buf b = call_buf(c);

    return xnode_write(c, (struct xnode *)v.ref, true, &b) && (*ret = string_from_buf(c, &b));
}

static const struct type_hooks node_hooks = {.to_string = node_hook_to_string};
static const struct type_hooks name_hooks = {.equals = name_hook_equals, .hash = name_hook_hash,
                                             .to_string = name_hook_to_string};
static const struct type_hooks namespace_hooks = {.equals = namespace_hook_equals, .hash = namespace_hook_hash,
                                                  .to_string = namespace_hook_to_string};
static const struct type_hooks declaration_hooks = {.to_string = declaration_to_string};

bool
object_is_xobject(const struct object *o)
{
    return o->type->hooks->to_string == node_hook_to_string;
}

#define N "System.Xml.Linq."

static const struct type_row types[] = {
    ENUM("System.Xml.XmlNodeType",
         "None = 0, Element = 1, Attribute = 2, Text = 3, CDATA = 4, EntityReference = 5, Entity = 6, ProcessingInstruction = 7, "
         "Comment = 8, Document = 9, DocumentType = 10, DocumentFragment = 11, Notation = 12, Whitespace = 13, "
         "SignificantWhitespace = 14, EndElement = 15, EndEntity = 16, XmlDeclaration = 17"),
    ENUM_FLAGS(N "SaveOptions", "None = 0, DisableFormatting = 1, OmitDuplicateNamespaces = 2"),
    ENUM_FLAGS(N "LoadOptions", "None = 0, PreserveWhitespace = 1, SetBaseUri = 2, SetLineInfo = 4"),
    CLASS_ABSTRACT(N "XName", NULL, NULL, &name_hooks),
    CLASS_ABSTRACT(N "XNamespace", NULL, NULL, &namespace_hooks),
    CLASS_ABSTRACT(N "XObject", NULL, NULL, &node_hooks),
    CLASS_ABSTRACT(N "XNode", "XObject", NULL, NULL),
    CLASS_ABSTRACT(N "XContainer", "XNode", NULL, NULL),
    CLASS(N "XDocument", "XContainer", NULL, NULL),
    CLASS(N "XDeclaration", NULL, NULL, &declaration_hooks),
    CLASS(N "XText", "XNode", NULL, NULL),
    CLASS(N "XCData", "XText", NULL, NULL),
    CLASS(N "XComment", "XNode", NULL, NULL),
    CLASS(N "XProcessingInstruction", "XNode", NULL, NULL),
    CLASS(N "XDocumentType", "XNode", NULL, NULL),
    CLASS(N "XNodeDocumentOrderComparer", NULL, "IComparer<XNode>", NULL),
    CLASS(N "XNodeEqualityComparer", NULL, "IEqualityComparer<XNode>", NULL),
};

static const struct member_row members[] = {
    M("XName", "static implicit operator XName(string expandedName)", name_from_string),
    M("XName", "static XName Get(string expandedName)", name_get),
    M("XName", "static XName Get(string localName, string namespaceName)", name_get_with_space),
    M("XName", "string LocalName { get; }", name_local),
    M("XName", "XNamespace Namespace { get; }", name_namespace),
    M("XName", "string NamespaceName { get; }", name_space_name),
    M("XName", "static bool operator ==(XName left, XName right)", name_equal),
    M("XName", "static bool operator !=(XName left, XName right)", name_not_equal),
    M("XNamespace", "static implicit operator XNamespace(string namespaceName)", namespace_from_string),
    M("XNamespace", "static XNamespace Get(string namespaceName)", namespace_get),
    M("XNamespace", "static XNamespace None { get; }", namespace_none),
    M("XNamespace", "static XNamespace Xml { get; }", namespace_xml),
    M("XNamespace", "static XNamespace Xmlns { get; }", namespace_xmlns),
    M("XNamespace", "static XName operator +(XNamespace ns, string localName)", namespace_name),
    M("XNamespace", "XName GetName(string localName)", namespace_name),
    M("XNamespace", "string NamespaceName { get; }", namespace_uri),
    M("XNamespace", "static bool operator ==(XNamespace left, XNamespace right)", namespace_equal),
    M("XNamespace", "static bool operator !=(XNamespace left, XNamespace right)", namespace_not_equal),

    M("XObject", "string BaseUri { get; }", object_base_uri),
    M("XObject", "XDocument Document { get; }", object_document),
    M("XObject", "XmlNodeType NodeType { get; }", object_kind),
    M("XObject", "XElement Parent { get; }", object_parent),
    ANNOTATION_ROWS("XObject"),
    M_LATER("XObject", "object Changed { get; }"),
    M_LATER("XObject", "object Changing { get; }"),

    M("XNode", "static XNodeDocumentOrderComparer DocumentOrderComparer { get; }", comparer_new),
    M("XNode", "static XNodeEqualityComparer EqualityComparer { get; }", comparer_new),
    M("XNode", "XNode NextNode { get; }", node_next),
    M("XNode", "XNode PreviousNode { get; }", node_previous),
    M("XNode", "void AddAfterSelf(object content)", node_add_after),
    M("XNode", "void AddAfterSelf(params object[] content)", node_add_after),
    M("XNode", "void AddBeforeSelf(object content)", node_add_before),
    M("XNode", "void AddBeforeSelf(params object[] content)", node_add_before),
    M("XNode", "IEnumerable<XElement> Ancestors()", xsequence_ancestors),
    M("XNode", "IEnumerable<XElement> Ancestors(XName name)", xsequence_ancestors),
    M("XNode", "IEnumerable<XElement> ElementsAfterSelf()", xsequence_elements_after),
    M("XNode", "IEnumerable<XElement> ElementsAfterSelf(XName name)", xsequence_elements_after),
    M("XNode", "IEnumerable<XElement> ElementsBeforeSelf()", xsequence_elements_before),
    M("XNode", "IEnumerable<XElement> ElementsBeforeSelf(XName name)", xsequence_elements_before),
    M("XNode", "IEnumerable<XNode> NodesAfterSelf()", xsequence_nodes_after),
    M("XNode", "IEnumerable<XNode> NodesBeforeSelf()", xsequence_nodes_before),
    M("XNode", "static int CompareDocumentOrder(XNode n1, XNode n2)", node_compare_order),
    M("XNode", "static bool DeepEquals(XNode n1, XNode n2)", node_deep_equals),
    M("XNode", "bool IsAfter(XNode node)", node_is_after),
    M("XNode", "bool IsBefore(XNode node)", node_is_before),
    M("XNode", "void Remove()", node_remove),
    M("XNode", "void ReplaceWith(object content)", node_replace),
    M("XNode", "void ReplaceWith(params object[] content)", node_replace),
    M("XNode", "string ToString(SaveOptions options)", node_to_string_options),

    M("XNodeDocumentOrderComparer", "new()", comparer_new),
    M("XNodeDocumentOrderComparer", "int Compare(XNode x, XNode y)", comparer_compare),
    M("XNodeEqualityComparer", "new()", comparer_new),
    M("XNodeEqualityComparer", "bool Equals(XNode x, XNode y)", comparer_equals),
    M("XNodeEqualityComparer", "int GetHashCode(XNode obj)", comparer_hash),

    M("XContainer", "XNode FirstNode { get; }", container_first),
    M("XContainer", "XNode LastNode { get; }", container_last),
    M("XContainer", "void Add(object content)", container_add),
    M("XContainer", "void Add(params object[] content)", container_add),
    M("XContainer", "void AddFirst(object content)", container_add_first),
    M("XContainer", "void AddFirst(params object[] content)", container_add_first),
    M("XContainer", "IEnumerable<XNode> DescendantNodes()", xsequence_descendant_nodes),
    M("XContainer", "IEnumerable<XElement> Descendants()", xsequence_descendants),
    M("XContainer", "IEnumerable<XElement> Descendants(XName name)", xsequence_descendants),
    M("XContainer", "XElement Element(XName name)", container_element),
    M("XContainer", "IEnumerable<XElement> Elements()", xsequence_elements),
    M("XContainer", "IEnumerable<XElement> Elements(XName name)", xsequence_elements),
    M("XContainer", "IEnumerable<XNode> Nodes()", xsequence_nodes),
    M("XContainer", "void RemoveNodes()", container_remove_nodes),
    M("XContainer", "void ReplaceNodes(object content)", container_replace_nodes),
    M("XContainer", "void ReplaceNodes(params object[] content)", container_replace_nodes),

    M("XDocument", "new()", document_new),
    M("XDocument", "new(params object[] content)", document_new),
    M("XDocument", "new(XDeclaration declaration, params object[] content)", document_new),
    M("XDocument", "new(XDocument other)", document_copy),
    P("XDocument", "XDeclaration Declaration { get; set; }", document_declaration, document_set_declaration),
    M("XDocument", "XDocumentType DocumentType { get; }", document_type),
    M("XDocument", "XElement Root { get; }", document_root),
    M("XDocument", "static XDocument Parse(string text)", document_parse),
    M("XDocument", "static XDocument Parse(string text, LoadOptions options)", document_parse),

    M("XDeclaration", "new(string version, string encoding, string standalone)", declaration_make),
    M("XDeclaration", "new(XDeclaration other)", declaration_copy),
    P("XDeclaration", "string Version { get; set; }", declaration_version, declaration_set_version),
    P("XDeclaration", "string Encoding { get; set; }", declaration_encoding, declaration_set_encoding),
    P("XDeclaration", "string Standalone { get; set; }", declaration_standalone, declaration_set_standalone),

    M("XText", "new(string value)", text_new),
    M("XText", "new(XText other)", document_copy),
    P("XText", "string Value { get; set; }", text_value, text_set_value),
    M("XCData", "new(string value)", cdata_new),
    M("XCData", "new(XCData other)", document_copy),
    M("XComment", "new(string value)", comment_new),
    M("XComment", "new(XComment other)", document_copy),
    P("XComment", "string Value { get; set; }", text_value, text_set_value),
    M("XProcessingInstruction", "new(string target, string data)", instruction_new),
    M("XProcessingInstruction", "new(XProcessingInstruction other)", document_copy),
    P("XProcessingInstruction", "string Data { get; set; }", text_value, text_set_value),
    P("XProcessingInstruction", "string Target { get; set; }", text_target, text_set_target),
    M("XDocumentType", "new(string name, string publicId, string systemId, string internalSubset)", document_type_new),
    M("XDocumentType", "new(XDocumentType other)", document_copy),
    P("XDocumentType", "string Name { get; set; }", text_target, text_set_target),
    M_LATER("XDocumentType", "string PublicId { get; set; }"),
    M_LATER("XDocumentType", "string SystemId { get; set; }"),
    M_LATER("XDocumentType", "string InternalSubset { get; set; }"),
};

const struct library clr_xml_tree = LIBRARY("xml tree", types, members);
