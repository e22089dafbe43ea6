/* json_parts.h: what writing values as JSON (json_convert.c) and reading them back (json_read.c) share.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "clr/jtoken.h"

/* Values and tokens nested deeper are refused. */
enum { SERIALIZE_DEPTH_MAX = 64 };

/* KeyValuePair<K,V>; t may be NULL. */
bool json_is_pair(const struct type *t);
/* A struct record with named fields: tuples, pairs, anonymous types. */
bool json_is_record(const struct type *t);
/* Written as one JSON value, as a JValue holds it: numbers, bool, enums, string, byte[], dates, Guid, TimeSpan, Uri. */
bool json_is_value(const struct type *t);

/* Tokens as the object a type stands for, by JsonSerializer's rules: as JToken.ToObject() does (text STR_NONE: what casts are
 * there decide about the token itself), or as DeserializeObject() does with the text that was parsed to t. Throws
 * JsonReaderException, JsonSerializationException, and what the casts throw. *ret kept as `to` keeps it. */
bool json_read_as(struct call *c, struct jtoken *t, const struct type *to, struct str text, struct value *ret);
/* As DeserializeObject() without a type: tokens for objects and arrays, plain values for the rest. */
bool json_read_object(struct call *c, struct jtoken *t, struct value *ret);
