/* xpath.c: XPath 1.0 over our tree by libxml2: a copy of the tree is made whose nodes remember ours, evaluated, and thrown away.
 * No functions but XPath's own exist there, so nothing reaches files or the network.
 * SPDX-License-Identifier: Apache-2.0 */
#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <stdlib.h>

#include "clr/xtree.h"

struct copy {
    struct call *c;
    xmlDocPtr doc;
    const struct xnode *wanted;       /* the context node, */
    xmlNodePtr found;                 /* and its copy */
};

static char *
c_text(struct str s)
{
    return xstrndup(s.p, s.len);
}

static xmlNsPtr
namespace_of(xmlDocPtr doc, xmlNodePtr node, struct str space)
{
    xmlNsPtr ns;
    char *uri, prefix[24];
    static const char *const xml = XML_URI;

    if (space.len == 0)
        return NULL;
    uri = c_text(space);
    ns = strcmp(uri, xml) == 0 ? xmlSearchNsByHref(doc, node, BAD_CAST uri) : NULL;
    for (xmlNsPtr def = node->nsDef; def && !ns; def = def->next)
        if (strcmp((const char *)def->href, uri) == 0)
            ns = def;
    if (!ns) {
        /* Prefixes mean nothing in the copy: names are compared by namespace. */
        int n = 0;
        for (xmlNsPtr def = node->nsDef; def; def = def->next)
            n++;
        snprintf(prefix, sizeof(prefix), "n%d", n);
        ns = xmlNewNs(node, BAD_CAST uri, BAD_CAST prefix);
    }
    free(uri);
    return ns;
}

static xmlNodePtr
copy_element(struct copy *k, const struct xelement *e)
{
    char *name = c_text(e->name->local);
    xmlNodePtr node = xmlNewDocNode(k->doc, NULL, BAD_CAST name, NULL);

    free(name);
    if (!node)
        return NULL;
    node->_private = (void *)(uintptr_t)e;
    xmlSetNs(node, namespace_of(k->doc, node, e->name->space));
    for (const struct xattribute *a = e->first_attribute; a; a = (const struct xattribute *)a->node.next) {
        char *local, *value;
        xmlAttrPtr attribute;

        if (str_eq_lit(a->name->space, XMLNS_URI) || (a->name->space.len == 0 && str_eq_lit(a->name->local, "xmlns")))
            continue;
        local = c_text(a->name->local);
        value = c_text(a->value);
        attribute = xmlNewNsProp(node, namespace_of(k->doc, node, a->name->space), BAD_CAST local, BAD_CAST value);
        if (attribute)
            attribute->_private = (void *)(uintptr_t)a;
        free(local);
        free(value);
    }
    return node;
}

static xmlNodePtr
copy_node(struct copy *k, const struct xnode *n)
{
    const struct xtext *t = (const struct xtext *)n;
    xmlNodePtr node = NULL;
    char *text, *target;

    if (n->kind == XKIND_ELEMENT) {
        node = copy_element(k, (const struct xelement *)n);
    } else {
        text = c_text(t->text);
        target = c_text(t->target);
        if (xnode_is_text(n))
            node = xmlNewDocText(k->doc, BAD_CAST text);
        else if (n->kind == XKIND_COMMENT)
            node = xmlNewDocComment(k->doc, BAD_CAST text);
        else if (n->kind == XKIND_INSTRUCTION)
            node = xmlNewDocPI(k->doc, BAD_CAST target, BAD_CAST text);
        free(text);
        free(target);
        if (node)
            node->_private = (void *)(uintptr_t)n;
    }
    if (n == k->wanted)
        k->found = node;
    return node;
}

/* Copies what is below `top` (a container whose copy is `at`), in document order. */
static bool
copy_below(struct copy *k, const struct xelement *top, xmlNodePtr at)
{
    const struct xelement *parent = top;
    const struct xnode *n = top->first;

    while (n) {
        xmlNodePtr node = copy_node(k, n);

        if (!call_charge(k->c, 4))
            return false;
        if (node)
            node = xmlAddChild(at, node); /* joins texts: then another node than ours */
        if (n == k->wanted)
            k->found = node;
        if (n->kind == XKIND_ELEMENT && ((const struct xelement *)n)->first && node) {
            parent = (const struct xelement *)n;
            at = node;
            n = parent->first;
            continue;
        }
        while (!n->next && parent != top) {
            n = &parent->node;
            parent = n->parent;
            at = at->parent;
        }
        n = n->next;
    }
    return true;
}

/* Prefixes of the path are those declared around the context node. */
static void
register_prefixes(xmlXPathContextPtr context, const struct xelement *e)
{
    for (; e; e = e->node.parent) {
        for (const struct xattribute *a = e->first_attribute; a; a = (const struct xattribute *)a->node.next) {
            char *prefix, *uri;

            if (!str_eq_lit(a->name->space, XMLNS_URI))
                continue;
            prefix = c_text(a->name->local);
            uri = c_text(a->value);
            if (!xmlXPathNsLookup(context, BAD_CAST prefix))
                xmlXPathRegisterNs(context, BAD_CAST prefix, BAD_CAST uri);
            free(prefix);
            free(uri);
        }
    }
}

static void
ignore_error(void *ctx, xmlErrorPtr error)
{
}

static bool
collect(struct call *c, xmlNodeSetPtr set, struct xnode ***ret, uint32_t *ret_n)
{
    uint32_t n = set ? (uint32_t)set->nodeNr : 0;

    *ret_n = 0;
    *ret = call_alloc(c, MAX(n, 1u) * sizeof(**ret));
    if (!*ret)
        return false;
    xmlXPathNodeSetSort(set);
    for (uint32_t i = 0; i < n; i++)
        if (set->nodeTab[i]->type != XML_NAMESPACE_DECL && set->nodeTab[i]->_private)
            (*ret)[(*ret_n)++] = set->nodeTab[i]->_private;
    return true;
}

static void
register_manager(xmlXPathContextPtr context, const struct xprefixes *p)
{
    for (uint32_t i = p ? p->n : 0; i > 0; i--) { /* inner scopes first */
        char *prefix = c_text(p->v[i - 1].prefix), *uri = c_text(p->v[i - 1].uri);
        if (*prefix && !xmlXPathNsLookup(context, BAD_CAST prefix))
            xmlXPathRegisterNs(context, BAD_CAST prefix, BAD_CAST uri);
        free(prefix);
        free(uri);
    }
}

static bool
take_result(struct call *c, xmlXPathObjectPtr result, struct xpath_result *ret)
{
    switch (result->type) {
    case XPATH_NODESET:
        ret->kind = XPATH_IS_NODES;
        return collect(c, result->nodesetval, &ret->nodes, &ret->n_nodes);
    case XPATH_STRING:
        ret->kind = XPATH_IS_TEXT;
        ret->text = string_new(c, str_from_c(result->stringval ? (const char *)result->stringval : ""));
        return ret->text != NULL;
    case XPATH_NUMBER:
        ret->kind = XPATH_IS_NUMBER;
        ret->number = result->floatval;
        return true;
    case XPATH_BOOLEAN:
        ret->kind = XPATH_IS_BOOL;
        ret->truth = result->boolval != 0;
        return true;
    default: return call_throw(c, EXC_INVALID_OPERATION, "The XPath expression evaluated to unexpected type.");
    }
}

/* An unknown prefix is told apart, as it is the usual mistake. */
static bool
bad_path(struct call *c, xmlXPathContextPtr context, struct str path)
{
    if (context->lastError.code == XML_XPATH_UNDEF_PREFIX_ERROR)
        return call_throw(c, EXC_XPATH, "Namespace Manager or XsltContext needed. This query has a prefix, variable, or user-defined function.");
    return call_throw(c, EXC_XPATH, "'%.*s' has an invalid token.", STR_ARG(path));
}

static bool
evaluate(struct copy *k, const struct xnode *n, struct str path, const struct xprefixes *prefixes, struct xpath_result *ret)
{
    xmlXPathContextPtr context = xmlXPathNewContext(k->doc);
    char *text = c_text(path);
    xmlXPathObjectPtr result;
    bool ok;

    context->node = k->found ? k->found : (xmlNodePtr)k->doc;
    context->error = ignore_error;
    context->opLimit = 5000000;
    register_manager(context, prefixes);
    register_prefixes(context, xnode_is_container(n) ? (const struct xelement *)n : n->parent);
    result = xmlXPathEval(BAD_CAST text, context);
    ok = result ? take_result(k->c, result, ret) : bad_path(k->c, context, path);
    xmlXPathFreeObject(result);
    xmlXPathFreeContext(context);
    free(text);
    return ok;
}

bool
xpath_evaluate(struct call *c, struct xnode *n, struct str path, const struct xprefixes *prefixes, struct xpath_result *ret)
{
    struct copy k = {.c = c, .doc = xmlNewDoc(BAD_CAST "1.0"), .wanted = n};
    const struct xnode *top = n;
    xmlNodePtr root;
    bool ok = true;

    if (!k.doc)
        return call_exceed(c, BUDGET_BYTES);
    while (top->parent)
        top = &top->parent->node;
    if (top->kind == XKIND_DOCUMENT) {
        ok = copy_below(&k, (const struct xelement *)top, (xmlNodePtr)k.doc);
    } else {
        root = copy_node(&k, top);
        if (root)
            xmlDocSetRootElement(k.doc, root);
        if (root && top->kind == XKIND_ELEMENT)
            ok = copy_below(&k, (const struct xelement *)top, root);
    }
    ok = ok && evaluate(&k, n, path, prefixes, ret);
    xmlFreeDoc(k.doc);
    return ok;
}

bool
xpath_select(struct call *c, struct xnode *n, struct str path, const struct xprefixes *prefixes, struct xnode ***ret,
             uint32_t *ret_n)
{
    struct xpath_result result = {.kind = XPATH_IS_NODES};

    if (!xpath_evaluate(c, n, path, prefixes, &result))
        return false;
    if (result.kind != XPATH_IS_NODES)
        return call_throw(c, EXC_INVALID_OPERATION, "The XPath expression evaluated to unexpected type.");
    *ret = result.nodes;
    *ret_n = result.n_nodes;
    return true;
}
