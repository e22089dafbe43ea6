/* string_io.h: StringReader and StringWriter as other families read and write them.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/native.h"

/* writer is a TextWriter. False after throwing: it was closed, or a budget is exceeded. */
bool writer_add(struct call *c, struct object *writer, struct str text);
/* All that a TextReader has left. False after throwing. */
bool reader_take_rest(struct call *c, struct object *reader, struct str *ret);
