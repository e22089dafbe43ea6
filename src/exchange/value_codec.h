/* value_codec.h: values of expressions as bytes that outlive their request: typed, versioned, the same on every node. What
 * has no encoding (a delegate, a key) is refused, and whoever wanted it stored says so.
 *
 *     version  kind  content
 *        1      's'  text                              string
 *        1      'v'  name length, type name, 16 bytes  numbers, bool, char, DateTime, Guid ... : what is kept in a value
 *        1      'b'  bytes                             byte[]
 *        1      'a'  name length, element type, count, items each as u32 length + encoded value      arrays
 *        1      'j'  JSON text                         JToken and its kinds
 *        1      'r'  status, head, body                IResponse
 *        1      'n'                                    null, inside arrays
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "exchange/exchange.h"

/* Appends the encoding. ERR_UNSUPPORTED names the type that has none. A response's body is read. Yields. */
MUST_USE bool value_encode(struct exchange *ex, struct object *o, struct buf *to, struct err *err);
/* A private copy in the exchange's arena; bytes may be freed afterwards. ERR_INVALID for anything odd. */
MUST_USE bool value_decode(struct exchange *ex, struct str bytes, struct object **ret, struct err *err);
