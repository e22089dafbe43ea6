/* xml_io.c: XElement and XDocument from readers and to writers, and System.Xml.XmlReader.
 *
 * An XmlReader walks a tree that was parsed when it was made: expressions have their text whole. `at` is the node it stands on,
 * is_end tells that it stands on the end tag of that element; `attribute` overrides both while it looks at an attribute.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/families.h"
#include "clr/string_io.h"
#include "clr/xtree.h"
#include "expr/member.h"

/* --- Load, Save ----------------------------------------------------------------------------------------------------------------- */

static bool
no_files(struct call *c)
{
    return call_throw(c, EXC_IO, "Access is denied: an expression reads and writes no files.");
}

static struct xnode *
root_of(struct xelement *document)
{
    struct xnode *n = document->first;

    while (n && n->kind != XKIND_ELEMENT)
        n = n->next;
    return n;
}

/* XElement.Load(TextReader [, options]) */
static bool
load_element(struct call *c)
{
    struct xelement *d;
    struct xnode *root;
    struct str text;

    if (!c->args[0].ref)
        return throw_argument_null(c, "textReader");
    if (!reader_take_rest(c, c->args[0].ref, &text) || !(d = xdocument_parse(c, text, c->n_args > 1 && c->args[1].i64 & 1)))
        return false;
    root = root_of(d);
    xnode_unlink(root);
    return return_ref(c, root);
}

/* Save(TextWriter [, options]): with a declaration, as a writer of text has it. */
static bool
save(struct call *c)
{
    bool indented = !(c->n_args > 2 && c->args[2].i64 & 1);
    struct buf b = call_buf(c);

    if (!c->args[1].ref)
        return throw_argument_null(c, "textWriter");
    buf_add_lit(&b, "<?xml version=\"1.0\" encoding=\"utf-16\"?>");
    if (indented)
        buf_add_char(&b, '\n');
    return xnode_write(c, (struct xnode *)c->args[0].ref, indented, &b) && writer_add(c, c->args[1].ref, buf_str(&b));
}

/* --- XmlReader ------------------------------------------------------------------------------------------------------------------- */

struct reader {
    struct object head;
    struct xnode *top;                /* a document, or the node that CreateReader() was asked of */
    struct xnode *at;                 /* NULL: before the first node, or behind the last */
    struct xattribute *attribute;
    uint32_t depth;
    bool is_end, has_begun, is_closed;
};

static struct reader *
self_of(const struct call *c)
{
    return (struct reader *)c->args[0].ref;
}

static struct reader *
reader_over(struct call *c, struct xnode *top)
{
    struct reader *r = object_new(c, type_find(c->run->env, STR("System.Xml.XmlReader"), NULL, 0), struct reader);

    if (r)
        r->top = top;
    return r;
}

/* Create(TextReader [, settings]) */
static bool
reader_create(struct call *c)
{
    struct xelement *d;
    struct str text;

    if (!c->args[0].ref)
        return throw_argument_null(c, "input");
    if (!reader_take_rest(c, c->args[0].ref, &text) || !(d = xdocument_parse(c, text, true)))
        return false;
    return return_new(c, reader_over(c, &d->node));
}

static bool
create_reader(struct call *c)
{
    return return_new(c, reader_over(c, (struct xnode *)c->args[0].ref));
}

static bool
is_empty_element(const struct xnode *n)
{
    const struct xelement *e = (const struct xelement *)n;

    return n->kind == XKIND_ELEMENT && !e->first && !e->has_content;
}

/* To the node behind the one it stands on, its end tag or its first child. False at the end. */
static bool
step(struct reader *r)
{
    struct xnode *n = r->at;

    r->attribute = NULL;
    if (!r->has_begun) {
        r->has_begun = true;
        r->at = r->top->kind == XKIND_DOCUMENT ? ((struct xelement *)r->top)->first : r->top;
        return r->at != NULL;
    }
    if (!n)
        return false;
    if (n->kind == XKIND_ELEMENT && !r->is_end && !is_empty_element(n)) {
        struct xnode *first = ((struct xelement *)n)->first;
        if (first)
            r->depth++;
        r->at = first ? first : n;
        r->is_end = !first;
        return true;
    }
    r->is_end = false;
    if (n == r->top) {
        r->at = NULL;
    } else if (n->next) {
        r->at = n->next;
    } else if (&n->parent->node == r->top && r->top->kind == XKIND_DOCUMENT) {
        r->at = NULL;
    } else {
        r->at = &n->parent->node;
        r->is_end = true;
        r->depth--;
    }
    return r->at != NULL;
}

static bool read(struct call *c) { return call_charge(c, 1) && return_bool(c, step(self_of(c))); }
static bool is_at_end(struct call *c) { return return_bool(c, self_of(c)->has_begun && !self_of(c)->at); }
static bool depth(struct call *c) { return return_i64(c, self_of(c)->depth + (self_of(c)->attribute ? 1 : 0)); }

static bool
is_blank(struct str s)
{
    return str_trim(s).len == 0;
}

/* XmlNodeType */
static int64_t
kind_of(const struct reader *r)
{
    enum { NONE = 0, WHITESPACE = 13, END_ELEMENT = 15 };

    if (r->attribute)
        return XKIND_ATTRIBUTE;
    if (!r->at)
        return NONE;
    if (r->is_end)
        return END_ELEMENT;
    if (r->at->kind == XKIND_TEXT && is_blank(((const struct xtext *)r->at)->text))
        return WHITESPACE;
    return r->at->kind;
}

static bool node_type(struct call *c) { return return_i64(c, kind_of(self_of(c))); }

static const struct xname *
name_at(const struct reader *r)
{
    if (r->attribute)
        return r->attribute->name;
    return r->at && r->at->kind == XKIND_ELEMENT ? ((const struct xelement *)r->at)->name : NULL;
}

/* "prefix:local", or the target of an instruction. */
static bool
name_text(struct call *c, bool with_prefix)
{
    const struct reader *r = self_of(c);
    const struct xname *name = name_at(r);
    struct str prefix = STR_NONE;

    if (!name) {
        bool has_target = r->at && !r->is_end && (r->at->kind == XKIND_INSTRUCTION || r->at->kind == XKIND_DOCUMENT_TYPE);
        return return_new(c, string_view(c, has_target ? ((const struct xtext *)r->at)->target : STR("")));
    }
    if (with_prefix && name->space.len &&
        !xelement_prefix_of(r->attribute ? r->attribute->node.parent : (const struct xelement *)r->at, name->space, !r->attribute, &prefix))
        return false;
    return return_new(c, prefix.len ? string_printf(c, "%.*s:%.*s", STR_ARG(prefix), STR_ARG(name->local)) : string_view(c, name->local));
}

static bool name(struct call *c) { return name_text(c, true); }
static bool local_name(struct call *c) { return name_text(c, false); }

static bool
namespace_uri(struct call *c)
{
    const struct xname *n = name_at(self_of(c));

    return return_new(c, string_view(c, n ? n->space : STR("")));
}

static bool
prefix(struct call *c)
{
    const struct reader *r = self_of(c);
    const struct xname *n = name_at(r);
    struct str found = STR_NONE;

    if (n && n->space.len &&
        !xelement_prefix_of(r->attribute ? r->attribute->node.parent : (const struct xelement *)r->at, n->space, !r->attribute, &found))
        return false;
    return return_new(c, string_view(c, found.p ? found : STR("")));
}

static bool
value(struct call *c)
{
    const struct reader *r = self_of(c);
    struct str text = STR("");

    if (r->attribute)
        text = r->attribute->value;
    else if (r->at && !xnode_is_container(r->at))
        text = ((const struct xtext *)r->at)->text;
    return return_new(c, string_view(c, text));
}

static const struct xelement *
element_at(const struct reader *r)
{
    return r->at && r->at->kind == XKIND_ELEMENT && !r->is_end ? (const struct xelement *)r->at : NULL;
}

static bool is_empty(struct call *c) { return return_bool(c, element_at(self_of(c)) && is_empty_element(self_of(c)->at)); }
static bool has_value(struct call *c) { return return_bool(c, self_of(c)->attribute || (self_of(c)->at && !xnode_is_container(self_of(c)->at))); }

static bool
attribute_count(struct call *c)
{
    const struct xelement *e = element_at(self_of(c));
    int64_t n = 0;

    for (const struct xattribute *a = e ? e->first_attribute : NULL; a; a = (const struct xattribute *)a->node.next)
        n++;
    return return_i64(c, n);
}

static bool has_attributes(struct call *c) { return attribute_count(c) && return_bool(c, c->ret.i64 > 0); }

/* By "prefix:local" (or local and namespace), or by number. */
static struct xattribute *
find_attribute(struct call *c)
{
    const struct xelement *e = element_at(self_of(c));
    struct xattribute *a = e ? e->first_attribute : NULL;

    if (e && c->member->parameters[0].type->kind == TYPE_STRING) {
        if (!call_string(c, 1))
            return NULL;
        struct str wanted = string_str(call_string(c, 1));
        ptrdiff_t colon = str_find_char(wanted, ':', 0);
        struct str space = c->n_args > 2 && call_string(c, 2) ? string_str(call_string(c, 2)) : STR("");
        if (c->n_args < 3 && colon > 0) {
            space = str_eq_lit(str_sub(wanted, 0, (size_t)colon), "xmlns") ? STR(XMLNS_URI)
                                                                           : xelement_space_of(e, str_sub(wanted, 0, (size_t)colon));
            wanted = str_skip(wanted, (size_t)colon + 1);
        }
        while (a && !(str_eq(a->name->local, wanted) && str_eq(a->name->space, space)))
            a = (struct xattribute *)a->node.next;
        return a;
    }
    for (int64_t i = c->args[1].i64; a && i > 0; i--)
        a = (struct xattribute *)a->node.next;
    return a;
}

static bool
get_attribute(struct call *c)
{
    struct xattribute *a = find_attribute(c);

    return a ? return_new(c, string_view(c, a->value)) : return_ref(c, NULL);
}

static bool
move_to_attribute(struct call *c)
{
    struct xattribute *a = find_attribute(c);

    if (a)
        self_of(c)->attribute = a;
    return return_bool(c, a != NULL);
}

static bool
move_to(struct call *c, struct xattribute *a)
{
    if (a)
        self_of(c)->attribute = a;
    return return_bool(c, a != NULL);
}

static bool
move_to_first(struct call *c)
{
    const struct xelement *e = element_at(self_of(c));

    return move_to(c, e ? e->first_attribute : NULL);
}

static bool
move_to_next(struct call *c)
{
    struct xattribute *now = self_of(c)->attribute;

    return now ? move_to(c, (struct xattribute *)now->node.next) : move_to_first(c);
}

static bool
move_to_element(struct call *c)
{
    bool was = self_of(c)->attribute != NULL;

    self_of(c)->attribute = NULL;
    return return_bool(c, was);
}

/* Over blanks, comments and instructions to what is content. */
static bool
to_content(struct call *c, struct reader *r)
{
    enum { WHITESPACE = 13 };

    r->attribute = NULL;
    if (!r->has_begun)
        step(r);
    while (r->at && !r->is_end &&
           (kind_of(r) == WHITESPACE || r->at->kind == XKIND_COMMENT || r->at->kind == XKIND_INSTRUCTION ||
            r->at->kind == XKIND_DOCUMENT_TYPE)) {
        if (!call_charge(c, 1))
            return false;
        step(r);
    }
    return true;
}

static bool move_to_content(struct call *c) { return to_content(c, self_of(c)) && return_i64(c, kind_of(self_of(c))); }

/* Whether a name argument (and a namespace behind it) is that of the element here. */
static bool
is_named(struct call *c, const struct reader *r)
{
    const struct xelement *e = element_at(r);
    struct str wanted = call_string(c, 1) ? string_str(call_string(c, 1)) : STR("");
    ptrdiff_t colon = str_find_char(wanted, ':', 0);

    if (!e)
        return false;
    if (c->n_args > 2)
        return str_eq(e->name->local, wanted) && call_string(c, 2) && str_eq(e->name->space, string_str(call_string(c, 2)));
    if (colon > 0)
        return str_eq(e->name->local, str_skip(wanted, (size_t)colon + 1)) &&
               str_eq(e->name->space, xelement_space_of(e, str_sub(wanted, 0, (size_t)colon)));
    return str_eq(e->name->local, wanted) && (!e->name->space.len || str_eq(e->name->space, xelement_space_of(e, STR(""))));
}

static bool
is_start(struct call *c)
{
    struct reader *r = self_of(c);

    return to_content(c, r) && return_bool(c, c->n_args > 1 ? is_named(c, r) : element_at(r) != NULL);
}

static bool
not_here(struct call *c, const char *wanted)
{
    return call_throw(c, EXC_XML, "'%s' is an invalid XmlNodeType.", wanted);
}

static bool
read_start(struct call *c)
{
    struct reader *r = self_of(c);

    if (!to_content(c, r))
        return false;
    if (!element_at(r))
        return not_here(c, r->is_end ? "EndElement" : "Text");
    if (c->n_args > 1 && !is_named(c, r))
        return call_throw(c, EXC_XML, "Element '%.*s' was not found.", STR_ARG(string_str(call_string(c, 1))));
    step(r);
    return true;
}

static bool
read_end(struct call *c)
{
    struct reader *r = self_of(c);

    if (!to_content(c, r))
        return false;
    if (!r->is_end)
        return not_here(c, r->at && r->at->kind == XKIND_ELEMENT ? "Element" : "Text");
    step(r);
    return true;
}

/* Behind the element (or other node) it stands on. */
static void
skip_node(struct reader *r)
{
    if (element_at(r) && !is_empty_element(r->at))
        r->is_end = true;
    step(r);
}

static bool
skip(struct call *c)
{
    skip_node(self_of(c));
    return true;
}

/* To the next element of that name: anywhere behind, below the one it stands on, or beside it. */
static bool
read_to(struct call *c, bool below, bool beside)
{
    struct reader *r = self_of(c);
    struct xnode *start = r->at;
    uint32_t level = r->depth;

    if (below && !r->has_begun) /* everything is below the beginning */
        below = false;
    if (below && (!element_at(r) || is_empty_element(r->at)))
        return return_bool(c, false);
    for (;;) {
        if (!call_charge(c, 1))
            return false;
        if (beside)
            skip_node(r);
        else
            step(r);
        if (!r->at || (below && r->at == start && r->is_end) || (beside && (r->is_end || r->depth < level)))
            return return_bool(c, false);
        if (is_named(c, r))
            return return_bool(c, true);
    }
}

static bool read_to_following(struct call *c) { return read_to(c, false, false); }
static bool read_to_descendant(struct call *c) { return read_to(c, true, false); }
static bool read_to_next_sibling(struct call *c) { return read_to(c, false, true); }

/* The text inside the element, behind which the reader then stands. */
static bool
read_element_text(struct call *c)
{
    struct reader *r = self_of(c);
    const struct xelement *e;
    struct str text;

    if (!to_content(c, r))
        return false;
    if (!(e = element_at(r)))
        return call_throw(c, EXC_INVALID_OPERATION, "The ReadElementContentAsString method is not supported on node type %s.",
                          r->is_end ? "EndElement" : "Text");
    for (const struct xnode *n = e->first; n; n = n->next)
        if (n->kind == XKIND_ELEMENT)
            return call_throw(c, EXC_XML, "ReadElementContentAs() methods cannot be called on an element that has child elements.");
    if (!xelement_value(c, e, &text))
        return false;
    skip_node(r);
    return return_new(c, string_view(c, text));
}

/* Text from here to the next tag. */
static bool
read_content_text(struct call *c)
{
    struct reader *r = self_of(c);
    struct buf b = call_buf(c);

    if (r->attribute)
        return value(c);
    for (; r->at && !r->is_end && r->at->kind != XKIND_ELEMENT; step(r))
        if (xnode_is_text(r->at))
            buf_add_str(&b, ((const struct xtext *)r->at)->text);
    return return_new(c, string_from_buf(c, &b));
}

static bool
read_xml(struct call *c, bool inner)
{
    struct reader *r = self_of(c);
    const struct xelement *e = element_at(r);
    struct buf b = call_buf(c);

    if (!r->at || r->is_end)
        return return_new(c, string_lit(c, ""));
    if (inner && !e)
        return return_new(c, string_lit(c, ""));
    if (!inner && !xnode_write(c, r->at, false, &b))
        return false;
    for (const struct xnode *n = inner ? e->first : NULL; n; n = n->next)
        if (!xnode_write(c, n, false, &b))
            return false;
    skip_node(r);
    return return_new(c, string_from_buf(c, &b));
}

static bool read_inner_xml(struct call *c) { return read_xml(c, true); }
static bool read_outer_xml(struct call *c) { return read_xml(c, false); }

static bool
reader_dispose(struct call *c, struct object *self)
{
    ((struct reader *)self)->at = NULL;
    ((struct reader *)self)->has_begun = true;
    return true;
}

static bool close_reader(struct call *c) { return reader_dispose(c, c->args[0].ref); }

static const struct type_hooks reader_hooks = {.dispose = reader_dispose};

/* XNode.ReadFrom(reader), XElement.Load(reader): a copy of the node; the reader goes behind it. */
static bool
read_node(struct call *c)
{
    struct reader *r = (struct reader *)c->args[0].ref;
    struct xnode *copy;

    if (!r)
        return throw_argument_null(c, "reader");
    if (!r->at || r->is_end)
        return call_throw(c, EXC_INVALID_OPERATION, "The XmlReader state should be Interactive.");
    if (!(copy = xnode_clone(c, r->at)))
        return false;
    skip_node(r);
    return return_ref(c, copy);
}

static bool
load_from_reader(struct call *c)
{
    struct reader *r = (struct reader *)c->args[0].ref;

    if (!r)
        return throw_argument_null(c, "reader");
    if (!to_content(c, r))
        return false;
    if (!element_at(r))
        return call_throw(c, EXC_INVALID_OPERATION, "The XmlReader must be on a node of type Element instead of a node of type None.");
    return read_node(c);
}

static bool settings_new(struct call *c) { return return_new(c, object_new(c, c->owner, struct reader)); }

#define X "System.Xml."
#define R "XmlReader"
#define EXTRA_CLASS(name, interfaces, hooks, flags) {TYPE_CLASS, X name, NULL, interfaces, hooks, TYPE_IS_EXTRA | TYPE_IS_IMPORTED | (flags), NULL}

static const struct type_row types[] = {
    EXTRA_CLASS(R, "IDisposable", &reader_hooks, TYPE_IS_ABSTRACT),
    EXTRA_CLASS("XmlReaderSettings", NULL, NULL, 0),
    TYPE_LATER(X "XmlWriter"),
    TYPE_LATER("System.Xml.Linq.XStreamingElement"),
    ENUM_FLAGS("System.Xml.Linq.ReaderOptions", "None = 0, OmitDuplicateNamespaces = 1"),
};

#define L(type, signature) M_LATER(type, signature)

static const struct member_row members[] = {
    M("XElement", "static XElement Load(TextReader textReader)", load_element),
    M("XElement", "static XElement Load(TextReader textReader, LoadOptions options)", load_element),
    M("XElement", "static XElement Load(XmlReader reader)", load_from_reader),
    M("XElement", "static XElement Load(XmlReader reader, LoadOptions options)", load_from_reader),
    M("XElement", "static XElement Load(string uri)", no_files),
    M("XElement", "static XElement Load(string uri, LoadOptions options)", no_files),
    L("XElement", "static XElement Load(Stream stream)"),
    L("XElement", "static XElement Load(Stream stream, LoadOptions options)"),
    L("XElement", "new(XStreamingElement other)"),
    M("XElement", "void Save(TextWriter textWriter)", save),
    M("XElement", "void Save(TextWriter textWriter, SaveOptions options)", save),
    M("XElement", "void Save(string fileName)", no_files),
    M("XElement", "void Save(string fileName, SaveOptions options)", no_files),
    L("XElement", "void Save(Stream stream)"),
    L("XElement", "void Save(Stream stream, SaveOptions options)"),
    L("XElement", "void Save(XmlWriter writer)"),
    M("XDocument", "void Save(TextWriter textWriter)", save),
    M("XDocument", "void Save(TextWriter textWriter, SaveOptions options)", save),
    M("XDocument", "void Save(string fileName)", no_files),
    M("XDocument", "void Save(string fileName, SaveOptions options)", no_files),
    L("XDocument", "void Save(Stream stream)"),
    L("XDocument", "void Save(Stream stream, SaveOptions options)"),
    L("XDocument", "void Save(XmlWriter writer)"),
    M("XNode", "static XNode ReadFrom(XmlReader reader)", read_node),
    M("XNode", "XmlReader CreateReader()", create_reader),
    M("XNode", "XmlReader CreateReader(ReaderOptions readerOptions)", create_reader),
    L("XNode", "void WriteTo(XmlWriter writer)"),
    L("XContainer", "XmlWriter CreateWriter()"),

    M("XmlReaderSettings", "new()", settings_new),
    M(R, "static XmlReader Create(TextReader input)", reader_create),
    M(R, "static XmlReader Create(TextReader input, XmlReaderSettings settings)", reader_create),
    M(R, "static XmlReader Create(string inputUri)", no_files),
    M(R, "bool Read()", read),
    M(R, "bool EOF { get; }", is_at_end),
    M(R, "int Depth { get; }", depth),
    M(R, "XmlNodeType NodeType { get; }", node_type),
    M(R, "string Name { get; }", name),
    M(R, "string LocalName { get; }", local_name),
    M(R, "string NamespaceURI { get; }", namespace_uri),
    M(R, "string Prefix { get; }", prefix),
    M(R, "string Value { get; }", value),
    M(R, "bool HasValue { get; }", has_value),
    M(R, "bool IsEmptyElement { get; }", is_empty),
    M(R, "bool HasAttributes { get; }", has_attributes),
    M(R, "int AttributeCount { get; }", attribute_count),
    M(R, "string GetAttribute(string name)", get_attribute),
    M(R, "string GetAttribute(string name, string namespaceURI)", get_attribute),
    M(R, "string GetAttribute(int i)", get_attribute),
    M(R, "string this[string name] { get; }", get_attribute),
    M(R, "string this[int i] { get; }", get_attribute),
    M(R, "bool MoveToAttribute(string name)", move_to_attribute),
    M(R, "bool MoveToFirstAttribute()", move_to_first),
    M(R, "bool MoveToNextAttribute()", move_to_next),
    M(R, "bool MoveToElement()", move_to_element),
    M(R, "XmlNodeType MoveToContent()", move_to_content),
    M(R, "bool IsStartElement()", is_start),
    M(R, "bool IsStartElement(string name)", is_start),
    M(R, "bool IsStartElement(string localname, string ns)", is_start),
    M(R, "void ReadStartElement()", read_start),
    M(R, "void ReadStartElement(string name)", read_start),
    M(R, "void ReadStartElement(string localname, string ns)", read_start),
    M(R, "void ReadEndElement()", read_end),
    M(R, "void Skip()", skip),
    M(R, "bool ReadToFollowing(string name)", read_to_following),
    M(R, "bool ReadToFollowing(string localName, string namespaceURI)", read_to_following),
    M(R, "bool ReadToDescendant(string name)", read_to_descendant),
    M(R, "bool ReadToDescendant(string localName, string namespaceURI)", read_to_descendant),
    M(R, "bool ReadToNextSibling(string name)", read_to_next_sibling),
    M(R, "bool ReadToNextSibling(string localName, string namespaceURI)", read_to_next_sibling),
    M(R, "string ReadElementContentAsString()", read_element_text),
    M(R, "string ReadElementString()", read_element_text),
    M(R, "string ReadContentAsString()", read_content_text),
    M(R, "string ReadString()", read_content_text),
    M(R, "string ReadInnerXml()", read_inner_xml),
    M(R, "string ReadOuterXml()", read_outer_xml),
    M(R, "void Close()", close_reader),
    M(R, "void Dispose()", close_reader),
};

const struct library clr_xml_io = LIBRARY("xml readers", types, members);
