/* xtree.h: the node tree of System.Xml.Linq, in the run's arena.
 *
 *     XDocument -> XElement -> XText / XElement / XComment ...      children: a doubly linked list, first to last
 *                         \> XAttribute -> XAttribute               attributes likewise
 * A node has at most one parent; adding one that has a parent adds a copy, as .NET does. Names are compared by content.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/native.h"

/* System.Xml.XmlNodeType, same numbers, of those that occur. */
enum xkind {
    XKIND_ELEMENT = 1, XKIND_ATTRIBUTE = 2, XKIND_TEXT = 3, XKIND_CDATA = 4, XKIND_INSTRUCTION = 7, XKIND_COMMENT = 8,
    XKIND_DOCUMENT = 9, XKIND_DOCUMENT_TYPE = 10,
};

enum { XTREE_DEPTH_MAX = 256 };       /* of trees built by hand; deeper ones end the run (BUDGET_DEPTH) */

struct xname {
    struct object head;
    struct str space, local;          /* space "" : none */
};

struct xnamespace {
    struct object head;
    struct str uri;
};

/* XObject: nodes and attributes. */
struct xnode {
    struct object head;
    enum xkind kind;
    struct xelement *parent;          /* an element or a document */
    struct xnode *prev, *next;
};

/* XElement and XDocument. */
struct xelement {
    struct xnode node;
    struct xname *name;               /* NULL: a document */
    struct xnode *first, *last;
    struct xattribute *first_attribute, *last_attribute;
    bool has_content;                 /* false: written as <a />; true with no children: <a></a> */
    struct object *declaration;       /* of a document */
    uint32_t version;                 /* counts changes of children */
};

struct xattribute {
    struct xnode node;
    struct xname *name;
    struct str value;
};

/* XText, XCData, XComment, XProcessingInstruction (with target), XDocumentType (target is its name). */
struct xtext {
    struct xnode node;
    struct str text;
    struct str target;
};

#define XMLNS_URI "http://www.w3.org/2000/xmlns/"
#define XML_URI "http://www.w3.org/XML/1998/namespace"

static inline bool
xnode_is_container(const struct xnode *n)
{
    return n->kind == XKIND_ELEMENT || n->kind == XKIND_DOCUMENT;
}

static inline bool
xnode_is_text(const struct xnode *n)
{
    return n->kind == XKIND_TEXT || n->kind == XKIND_CDATA;
}

static inline bool
xname_eq(const struct xname *a, const struct xname *b)
{
    return a == b || (a && b && str_eq(a->local, b->local) && str_eq(a->space, b->space));
}

/* True for XObject and all below it. */
bool object_is_xobject(const struct object *o);
const struct type *xtype(struct call *c, enum xkind kind);
struct xname *xname_new(struct call *c, struct str space, struct str local);
/* "local" or "{namespace}local"; throws XmlException for what is no name. */
struct xname *xname_parse(struct call *c, struct str text);

struct xelement *xelement_new(struct call *c, struct xname *name);
struct xattribute *xattribute_new(struct call *c, struct xname *name, struct str value);
struct xtext *xtext_new(struct call *c, enum xkind kind, struct str text);
/* The document, or its root element alone; throws XmlException. keep_blanks: LoadOptions.PreserveWhitespace. */
struct xelement *xdocument_parse(struct call *c, struct str text, bool keep_blanks);

/* Puts a node (copied when it has a parent) before `before`; NULL: at the end. Checks what a document may hold. */
bool xelement_insert(struct call *c, struct xelement *into, struct xnode *before, struct xnode *n);
/* What Add(object) takes: nodes, attributes, text, sequences of them. */
bool xelement_add_content(struct call *c, struct xelement *into, struct xnode *before, struct object *content);
void xnode_unlink(struct xnode *n);
bool xelement_set_attribute(struct call *c, struct xelement *e, struct xname *name, struct str value);
void xattribute_unlink(struct xattribute *a);
struct xattribute *xelement_attribute(const struct xelement *e, const struct xname *name);
void xelement_clear(struct xelement *e);
struct xnode *xnode_clone(struct call *c, const struct xnode *n);
bool xnode_deep_equals(struct call *c, const struct xnode *a, const struct xnode *b, bool *ret);
/* The next node in document order inside top; NULL at its end. */
struct xnode *xnode_next_in(const struct xnode *top, const struct xnode *n);

/* Concatenated text of all descendants. */
bool xelement_value(struct call *c, const struct xelement *e, struct str *ret);
/* XML text; indented as XmlWriter does. */
bool xnode_write(struct call *c, const struct xnode *n, bool indented, struct buf *to);
/* A plain value as XLinq writes it: true, 1.5, 2024-01-02T03:04:05Z. Throws for an XObject or null. */
bool xvalue_text(struct call *c, struct object *value, struct str *ret);
/* The prefix that stands for a namespace at e: *ret STR_NONE when there is none, "" for the default one. */
bool xelement_prefix_of(const struct xelement *e, struct str space, bool allow_default, struct str *ret);
/* The namespace of a prefix ("" : the default one) at e; STR_NONE when it is not declared. */
struct str xelement_space_of(const struct xelement *e, struct str prefix);

/* A System.Xml.XmlNamespaceManager: prefixes for XPath and their namespaces. */
struct xprefixes {
    struct object head;
    uint32_t n, cap;
    struct xprefix {
        struct str prefix, uri;
        uint32_t scope;
    } *v;
    uint32_t scope;                   /* PushScope() counts */
};

/* XPath 1.0 from n; prefixes are those in scope at `n`, and of `prefixes` (may be NULL), which come first. Matches in document
 * order. Throws for a path whose value is no set of nodes. */
bool xpath_select(struct call *c, struct xnode *n, struct str path, const struct xprefixes *prefixes, struct xnode ***ret,
                  uint32_t *ret_n);
enum xpath_kind { XPATH_IS_NODES, XPATH_IS_TEXT, XPATH_IS_NUMBER, XPATH_IS_BOOL };
struct xpath_result {
    enum xpath_kind kind;
    struct xnode **nodes;
    uint32_t n_nodes;
    struct string *text;
    double number;
    bool truth;
};
/* The same for a path of any kind. */
bool xpath_evaluate(struct call *c, struct xnode *n, struct str path, const struct xprefixes *prefixes, struct xpath_result *ret);
