/* number_format.h: numbers as text by .NET's standard (C D E F G N P R X) and custom formats (0 # . , % E+0 ;), invariant culture.
 * All append to the buffer; false means that .NET throws a FormatException for this format (the buffer is then undefined).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "data/decimal.h"

/* bits: the width that X shows of a negative number (8, 16, 32, 64). */
MUST_USE bool format_i64(struct buf *to, int64_t n, unsigned bits, struct str format);
MUST_USE bool format_u64(struct buf *to, uint64_t n, unsigned bits, struct str format);
MUST_USE bool format_double(struct buf *to, double d, struct str format);
MUST_USE bool format_float(struct buf *to, float f, struct str format);
MUST_USE bool format_decimal(struct buf *to, struct decimal d, struct str format);
