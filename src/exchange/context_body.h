/* context_body.h: what a message body is read as.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/native.h"

/* The text of a body by its byte order mark, the charset of its Content-Type or, of XML, its declaration; bad bytes are U+FFFD. */
bool context_body_text(struct call *c, struct str bytes, struct str content_type, bool is_xml, struct str *ret);
/* XElement, XDocument, XNode; throws for a type that a body cannot be read as. */
bool context_body_as_xml(struct call *c, const struct type *wanted, struct str text);
