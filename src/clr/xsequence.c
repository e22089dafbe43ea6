/* xsequence.c: see xsequence.h; and System.Xml.Linq.Extensions, System.Xml.XPath.Extensions.
 *
 * A walk collects its nodes when it begins, so that a loop may remove what it is given.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/xsequence.h"

#include "clr/collections.h"
#include "clr/families.h"

enum axis {
    AXIS_ANCESTORS, AXIS_ANCESTORS_AND_SELF, AXIS_AFTER, AXIS_BEFORE, AXIS_DESCENDANTS, AXIS_DESCENDANTS_AND_SELF,
    AXIS_CHILDREN, AXIS_ATTRIBUTES,
};

struct xsequence {
    struct sequence super;
    enum axis axis;
    bool elements_only;
    struct xname *name;               /* NULL: any */
    bool has_name;                    /* with a null name nothing matches */
    struct xnode *node;               /* or */
    struct object *source;            /* a sequence of nodes */
};

struct node_list {
    struct xnode **v;
    uint32_t n, cap;
};

static bool
list_add(struct call *c, struct node_list *l, struct xnode *n)
{
    if (l->n == l->cap) {
        uint32_t cap = MAX(8u, 2 * l->cap);
        struct xnode **v = call_alloc(c, (size_t)cap * sizeof(*v));

        if (!v)
            return false;
        if (l->n)
            memcpy(v, l->v, l->n * sizeof(*v));
        l->v = v;
        l->cap = cap;
    }
    l->v[l->n++] = n;
    return true;
}

/* Adds a node that the sequence is about. */
static bool
offer(struct call *c, const struct xsequence *s, struct xnode *n, struct node_list *l)
{
    if (!call_charge(c, 1))
        return false;
    if (n->kind == XKIND_DOCUMENT || (s->elements_only && n->kind != XKIND_ELEMENT))
        return true;
    if (s->has_name && !xname_eq(n->kind == XKIND_ATTRIBUTE ? ((struct xattribute *)n)->name : ((struct xelement *)n)->name, s->name))
        return true;
    return list_add(c, l, n);
}

static bool
collect_from(struct call *c, const struct xsequence *s, struct xnode *from, struct node_list *l)
{
    struct xelement *e = (struct xelement *)from;
    bool and_self = s->axis == AXIS_ANCESTORS_AND_SELF || s->axis == AXIS_DESCENDANTS_AND_SELF, ok = true;

    if (and_self && !offer(c, s, from, l))
        return false;
    switch (s->axis) {
    case AXIS_ANCESTORS: case AXIS_ANCESTORS_AND_SELF:
        for (struct xelement *up = from->parent; ok && up; up = up->node.parent)
            ok = offer(c, s, &up->node, l);
        break;
    case AXIS_AFTER:
        for (struct xnode *n = from->next; ok && n; n = n->next)
            ok = offer(c, s, n, l);
        break;
    case AXIS_BEFORE:
        for (struct xnode *n = from->parent ? from->parent->first : from; ok && n != from; n = n->next)
            ok = offer(c, s, n, l);
        break;
    case AXIS_DESCENDANTS: case AXIS_DESCENDANTS_AND_SELF:
        if (xnode_is_container(from))
            for (struct xnode *n = e->first; ok && n; n = xnode_next_in(from, n))
                ok = offer(c, s, n, l);
        break;
    case AXIS_CHILDREN:
        for (struct xnode *n = xnode_is_container(from) ? e->first : NULL; ok && n; n = n->next)
            ok = offer(c, s, n, l);
        break;
    case AXIS_ATTRIBUTES:
        for (struct xattribute *a = from->kind == XKIND_ELEMENT ? e->first_attribute : NULL; ok && a;
             a = (struct xattribute *)a->node.next)
            ok = offer(c, s, &a->node, l);
        break;
    }
    return ok;
}

static bool
collect(struct call *c, const struct xsequence *s, struct node_list *l)
{
    struct iterator it;
    struct value v;
    int got;

    if (!s->source)
        return collect_from(c, s, s->node, l);
    if (!iterate(c, s->source, NULL, &it))
        return false;
    while ((got = iterate_next(c, &it, &v)) > 0)
        if (v.ref && !collect_from(c, s, (struct xnode *)v.ref, l))
            return false;
    return got == 0;
}

static int
list_next(struct call *c, struct iterator *it, struct value *ret)
{
    struct node_list *l = it->state[0].p;

    if (it->state[1].u64 >= l->n)
        return 0;
    *ret = value_ref(l->v[it->state[1].u64++]);
    return 1;
}

static bool
xsequence_iterate(struct call *c, struct sequence *self, struct iterator *it)
{
    struct node_list *l = call_alloc(c, sizeof(*l));

    if (!l || !collect(c, (struct xsequence *)self, l))
        return false;
    *it = (struct iterator){.next = list_next, .self = &self->head};
    it->state[0].p = l;
    return true;
}

/* A sequence over the node in args[0], or over each node of the sequence there. */
static bool
walk(struct call *c, enum axis axis, bool elements_only, bool is_over_sequence)
{
    struct xsequence *s;

    if (!c->args[0].ref)
        return throw_argument_null(c, "source");
    s = object_new(c, c->ret_type, struct xsequence);
    if (!s)
        return false;
    s->super.iterate = xsequence_iterate;
    s->axis = axis;
    s->elements_only = elements_only;
    s->has_name = c->n_args > 1;
    s->name = s->has_name ? (struct xname *)c->args[1].ref : NULL;
    if (is_over_sequence)
        s->source = c->args[0].ref;
    else
        s->node = (struct xnode *)c->args[0].ref;
    return return_ref(c, s);
}

#define AXIS(name, axis, elements_only) \
    bool \
    xsequence_##name(struct call *c) \
    { \
        return walk(c, axis, elements_only, false); \
    } \
    static bool \
    each_##name(struct call *c) \
    { \
        return walk(c, axis, elements_only, true); \
    }
AXIS(ancestors, AXIS_ANCESTORS, true)
AXIS(ancestors_and_self, AXIS_ANCESTORS_AND_SELF, true)
AXIS(descendant_nodes, AXIS_DESCENDANTS, false)
AXIS(descendant_nodes_and_self, AXIS_DESCENDANTS_AND_SELF, false)
AXIS(descendants, AXIS_DESCENDANTS, true)
AXIS(descendants_and_self, AXIS_DESCENDANTS_AND_SELF, true)
AXIS(elements, AXIS_CHILDREN, true)
AXIS(nodes, AXIS_CHILDREN, false)
AXIS(attributes, AXIS_ATTRIBUTES, false)

bool
xsequence_elements_after(struct call *c)
{
    return walk(c, AXIS_AFTER, true, false);
}

bool
xsequence_elements_before(struct call *c)
{
    return walk(c, AXIS_BEFORE, true, false);
}

bool
xsequence_nodes_after(struct call *c)
{
    return walk(c, AXIS_AFTER, false, false);
}

bool
xsequence_nodes_before(struct call *c)
{
    return walk(c, AXIS_BEFORE, false, false);
}

/* ---- Extensions ---- */

/* Removes every node (or attribute) of a sequence from its parent. */
static bool
remove_each(struct call *c)
{
    struct value *v;
    uint32_t n;

    if (!sequence_collect(c, c->args[0].ref, NULL, "source", &v, &n))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        struct xnode *node = (struct xnode *)v[i].ref;
        if (!node || !node->parent)
            continue;
        if (node->kind == XKIND_ATTRIBUTE)
            xattribute_unlink((struct xattribute *)node);
        else
            xnode_unlink(node);
    }
    return true;
}

static bool
in_document_order(struct call *c)
{
    return return_ref(c, c->args[0].ref) && (c->args[0].ref || throw_argument_null(c, "source"));
}

/* ---- XPath ---- */

static bool
select_nodes(struct call *c, struct xnode ***ret, uint32_t *ret_n)
{
    if (!c->args[0].ref || !c->args[1].ref)
        return throw_argument_null(c, c->args[0].ref ? "expression" : "node");
    return xpath_select(c, (struct xnode *)c->args[0].ref, string_str(call_string(c, 1)),
                        c->n_args > 2 ? (const struct xprefixes *)c->args[2].ref : NULL, ret, ret_n);
}

static bool
select_element(struct call *c)
{
    struct xnode **v;
    uint32_t n;

    if (!select_nodes(c, &v, &n))
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (v[i]->kind == XKIND_ELEMENT)
            return return_ref(c, v[i]);
    return return_ref(c, NULL);
}

static bool
select_elements(struct call *c)
{
    const struct type *list_type = type_find_lit(c->run->env, "System.Collections.Generic.List", c->ret_type->args[0]);
    struct clr_list *l = clr_list_new(c, list_type, 0);
    struct xnode **v;
    uint32_t n;

    if (!l || !select_nodes(c, &v, &n))
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (v[i]->kind == XKIND_ELEMENT && !clr_list_add(c, l, value_ref(v[i])))
            return false;
    return return_ref(c, l);
}

/* double, bool, string, or the nodes. */
static bool
evaluate(struct call *c)
{
    const struct core_types *core = core_types(c->run->env);
    struct xpath_result r = {.kind = XPATH_IS_NODES};
    struct object *boxed;
    struct clr_list *l;

    if (!c->args[0].ref || !c->args[1].ref)
        return throw_argument_null(c, c->args[0].ref ? "expression" : "node");
    if (!xpath_evaluate(c, (struct xnode *)c->args[0].ref, string_str(call_string(c, 1)),
                        c->n_args > 2 ? (const struct xprefixes *)c->args[2].ref : NULL, &r))
        return false;
    switch (r.kind) {
    case XPATH_IS_TEXT: return return_ref(c, r.text);
    case XPATH_IS_NUMBER: return value_box(c, core->double_, value_f64(r.number), &boxed) && return_ref(c, boxed);
    case XPATH_IS_BOOL: return value_box(c, core->bool_, value_bool(r.truth), &boxed) && return_ref(c, boxed);
    case XPATH_IS_NODES: break;
    }
    l = clr_list_new(c, type_find_lit(c->run->env, "System.Collections.Generic.List", core->object), r.n_nodes);
    for (uint32_t i = 0; l && i < r.n_nodes; i++)
        if (!clr_list_add(c, l, value_ref(r.nodes[i])))
            return false;
    return return_new(c, l);
}

static const struct type_row types[] = {
    STATIC_CLASS("System.Xml.Linq.Extensions"),
    STATIC_CLASS("System.Xml.XPath.Extensions"),
};

#define E "System.Xml.Linq.Extensions"
#define X "System.Xml.XPath.Extensions"

static const struct member_row members[] = {
    M(E, "static IEnumerable<XElement> Ancestors<T>(this IEnumerable<T> source) where T : XNode", each_ancestors),
    M(E, "static IEnumerable<XElement> Ancestors<T>(this IEnumerable<T> source, XName name) where T : XNode", each_ancestors),
    M(E, "static IEnumerable<XElement> AncestorsAndSelf(this IEnumerable<XElement> source)", each_ancestors_and_self),
    M(E, "static IEnumerable<XElement> AncestorsAndSelf(this IEnumerable<XElement> source, XName name)", each_ancestors_and_self),
    M(E, "static IEnumerable<XAttribute> Attributes(this IEnumerable<XElement> source)", each_attributes),
    M(E, "static IEnumerable<XAttribute> Attributes(this IEnumerable<XElement> source, XName name)", each_attributes),
    M(E, "static IEnumerable<XNode> DescendantNodes<T>(this IEnumerable<T> source) where T : XContainer", each_descendant_nodes),
    M(E, "static IEnumerable<XNode> DescendantNodesAndSelf(this IEnumerable<XElement> source)", each_descendant_nodes_and_self),
    M(E, "static IEnumerable<XElement> Descendants<T>(this IEnumerable<T> source) where T : XContainer", each_descendants),
    M(E, "static IEnumerable<XElement> Descendants<T>(this IEnumerable<T> source, XName name) where T : XContainer", each_descendants),
    M(E, "static IEnumerable<XElement> DescendantsAndSelf(this IEnumerable<XElement> source)", each_descendants_and_self),
    M(E, "static IEnumerable<XElement> DescendantsAndSelf(this IEnumerable<XElement> source, XName name)", each_descendants_and_self),
    M(E, "static IEnumerable<XElement> Elements<T>(this IEnumerable<T> source) where T : XContainer", each_elements),
    M(E, "static IEnumerable<XElement> Elements<T>(this IEnumerable<T> source, XName name) where T : XContainer", each_elements),
    M(E, "static IEnumerable<T> InDocumentOrder<T>(this IEnumerable<T> source) where T : XNode", in_document_order),
    M(E, "static IEnumerable<XNode> Nodes<T>(this IEnumerable<T> source) where T : XContainer", each_nodes),
    M(E, "static void Remove(this IEnumerable<XAttribute> source)", remove_each),
    M(E, "static void Remove<T>(this IEnumerable<T> source) where T : XNode", remove_each),
    M(X, "static XElement XPathSelectElement(this XNode node, string expression)", select_element),
    M(X, "static IEnumerable<XElement> XPathSelectElements(this XNode node, string expression)", select_elements),
    M(X, "static XElement XPathSelectElement(this XNode node, string expression, IXmlNamespaceResolver resolver)", select_element),
    M(X, "static IEnumerable<XElement> XPathSelectElements(this XNode node, string expression, IXmlNamespaceResolver resolver)",
      select_elements),
    M(X, "static object XPathEvaluate(this XNode node, string expression)", evaluate),
    M(X, "static object XPathEvaluate(this XNode node, string expression, IXmlNamespaceResolver resolver)", evaluate),
};

const struct library clr_xml_extensions = LIBRARY("xml extensions", types, members);
