/* context_body.c: bodies as XML.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/context_body.h"

#include "clr/xtree.h"

bool
context_body_as_xml(struct call *c, const struct type *wanted, struct str text)
{
    bool is_document = str_eq_lit(wanted->name, "XDocument");
    struct xelement *d;
    struct xnode *root;

    if (!is_document && !str_eq_lit(wanted->name, "XElement") && !str_eq_lit(wanted->name, "XNode"))
        return call_throw(c, EXC_NOT_SUPPORTED, "A message body cannot be read as %.*s.", STR_ARG(wanted->name));
    if (!(d = xdocument_parse(c, text, false)) || is_document)
        return return_new(c, d);
    for (root = d->first; root->kind != XKIND_ELEMENT;)
        root = root->next;
    xnode_unlink(root);
    return return_ref(c, root);
}
