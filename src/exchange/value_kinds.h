/* value_kinds.h: the kinds of encoded values, for the two files that write and read them (value_codec.h has the format).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/type.h"

#define VALUE_VERSION 1
#define VALUE_DEPTH_MAX 16u

enum value_kind {
    VALUE_STRING = 's', VALUE_BOX = 'v', VALUE_BYTES = 'b', VALUE_ARRAY = 'a', VALUE_LIST = 'l', VALUE_TABLE = 'd',
    VALUE_RECORD = 'o', VALUE_JSON = 'j', VALUE_PROPERTY = 'p', VALUE_ELEMENT = 'x', VALUE_DOCUMENT = 'X', VALUE_URI = 'u',
    VALUE_BUILDER = 'w', VALUE_TOKEN = 't', VALUE_REPLY = 'r', VALUE_NULL = 'n',
};

/* Fields by position behind one header: struct record. */
static inline bool
value_type_is_record(const struct type *t)
{
    return type_begins(t, STR("System.Tuple`")) || type_begins(t, STR("System.ValueTuple`")) ||
           type_begins(t, STR("System.Collections.Generic.KeyValuePair`"));
}
