/* numbers.h: what the families about numbers share: ranges, and the one conversion that Convert, casts of boxed values and
 * IConvertible stand on.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "clr/number_parse.h"
#include "clr/values.h"

struct integer_range {
    int64_t min;
    uint64_t max;
    uint8_t bits;
    bool is_signed;
    const char *name;                 /* "an Int32" */
};

/* NULL for kinds that are no integers (char is one). */
const struct integer_range *integer_range(enum type_kind kind);

/* System.TypeCode. */
enum type_code { CODE_EMPTY, CODE_OBJECT, CODE_DB_NULL, CODE_BOOLEAN, CODE_CHAR, CODE_SBYTE, CODE_BYTE, CODE_INT16, CODE_UINT16,
                 CODE_INT32, CODE_UINT32, CODE_INT64, CODE_UINT64, CODE_SINGLE, CODE_DOUBLE, CODE_DECIMAL, CODE_DATE_TIME,
                 CODE_STRING = 18 };
enum type_code type_code(const struct type *t);

/* "Value was either too large or too small for an Int32." Always false. */
bool throw_number_overflow(struct call *c, enum type_kind kind);
/* Throws for a status other than OK. */
bool check_number(struct call *c, enum number_status status, enum type_kind kind);
/* Text as a number of this kind by its Parse(). False after throwing. */
bool parse_number(struct call *c, struct str text, enum type_kind kind, struct value *ret);
/* The same without exceptions. */
enum number_status try_parse_number(struct str text, enum type_kind kind, unsigned style, struct value *ret);

/* Convert.ToXxx: `from` and `to` are bool, char, the numbers or string (as source); floats round half to even; what does not
 * fit throws OverflowException, what makes no sense InvalidCastException. */
bool convert_number(struct call *c, enum type_kind from, struct value v, enum type_kind to, struct value *ret);
