/* context_body.c: bodies as XML.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/context_body.h"

bool
context_body_as_xml(struct call *c, const struct type *wanted, struct str text)
{
    return call_throw(c, EXC_NOT_SUPPORTED, "A message body cannot be read as %.*s.", STR_ARG(wanted->name));
}
