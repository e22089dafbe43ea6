/* guid.h: System.Guid: 16 bytes kept in the order of its text (network order); ToByteArray() swaps the first three fields.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"
#include "expr/value.h"

#define GUID_TEXT_MAX 72

/* Formats N D B P X; any of the five is recognised by its shape. */
MUST_USE bool guid_parse(struct str text, uint8_t ret[16]);
/* Only one of them: letter N D B P X. */
MUST_USE bool guid_parse_exact(struct str text, char letter, uint8_t ret[16]);
/* Returns the length; 0 when the letter (any case; '\0': D) is no format. */
size_t guid_format(const uint8_t guid[16], char letter, char text[GUID_TEXT_MAX]);
/* To and from .NET's byte order. */
void guid_swap(const uint8_t from[16], uint8_t to[16]);

static inline void
guid_bytes(struct value v, uint8_t ret[16])
{
    memcpy(ret, &v, 16);
}

static inline struct value
value_guid(const uint8_t guid[16])
{
    struct value v;

    memcpy(&v, guid, 16);
    return v;
}
