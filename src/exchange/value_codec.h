/* value_codec.h: values of expressions as bytes that outlive their request: typed, versioned, the same on every node. What
 * has no encoding (a delegate, a key, an anonymous object) is refused, and whoever wanted it stored says so.
 *
 *     version  kind  content
 *        1      's'  text                                        string
 *        1      'v'  type, 16 bytes                              numbers, bool, char, enums, DateTime, DateTimeOffset, TimeSpan, Guid
 *        1      'b'  bytes                                       byte[]
 *        1      'a'  element type, count, items                  arrays; a sequence still to be computed is stored as one
 *        1      'l'  type, count, items                          List, ReadOnlyCollection, Queue, Stack, HashSet
 *        1      'd'  type, count, keys and values as items       Dictionary
 *        1      'o'  type, items                                 Tuple, ValueTuple, KeyValuePair
 *        1      'j'  JSON text                                   JToken and its kinds
 *        1      'p'  name, JSON text                             JProperty
 *        1      'x'  text                                        XElement; 'X': XDocument
 *        1      'u'  text                                        Uri
 *        1      'w'  text                                        StringBuilder
 *        1      't'  the token                                   Jwt
 *        1      'r'  status, head, body                          IResponse
 *        1      'n'                                              null, inside others
 *
 *     type, name  u32 length, text: a type as Type.ToString() writes it
 *     items       each u32 length + an encoded value
 *     behind the type of HashSet and Dictionary: u32, 0 for the usual comparer, else 1 + the StringComparison of a StringComparer
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "exchange/exchange.h"

/* Appends the encoding. ERR_UNSUPPORTED names the type that has none. A response's body is read. Yields. */
MUST_USE bool value_encode(struct exchange *ex, struct object *o, struct buf *to, struct err *err);
/* A private copy in the exchange's arena; bytes may be freed afterwards. ERR_INVALID for anything odd: what comes from elsewhere
 * is believed in nothing, types of items included. */
MUST_USE bool value_decode(struct exchange *ex, struct str bytes, struct object **ret, struct err *err);
