/* format.h: composite formatting: "{0,-8:N2}" with arguments, for String.Format, StringBuilder.AppendFormat and the like.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "expr/native.h"

/* Appends to a buffer of call_buf(). args are objects (NULL: null). False after a FormatException or a budget. */
MUST_USE bool format_composite(struct call *c, struct buf *to, struct str format, struct object *const *args, uint32_t n);
/* An object's ToString(format) into the buffer; null adds nothing. */
MUST_USE bool format_object(struct call *c, struct buf *to, struct object *o, struct str format);
/* The object[] of a params argument as objects for the above; NULL when out of budget. */
struct object *const *format_arguments(struct call *c, const struct array *args);
