/* xsequence.h: sequences of XML nodes: Elements(), Descendants(name) ... and the same over sequences.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "clr/xtree.h"

/* Natives of XNode, XContainer and XElement: the receiver in args[0], an XName in args[1] where the row has one. */
bool xsequence_ancestors(struct call *c);
bool xsequence_ancestors_and_self(struct call *c);
bool xsequence_elements_after(struct call *c);
bool xsequence_elements_before(struct call *c);
bool xsequence_nodes_after(struct call *c);
bool xsequence_nodes_before(struct call *c);
bool xsequence_descendant_nodes(struct call *c);
bool xsequence_descendant_nodes_and_self(struct call *c);
bool xsequence_descendants(struct call *c);
bool xsequence_descendants_and_self(struct call *c);
bool xsequence_elements(struct call *c);
bool xsequence_nodes(struct call *c);
bool xsequence_attributes(struct call *c);
