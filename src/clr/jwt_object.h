/* jwt_object.h: the Jwt and BasicAuthCredentials objects of expressions, for the policies that make them.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/jwt.h"
#include "expr/native.h"

/* A Jwt of a parsed token; what the token points to must live as long as the run. NULL after a budget. */
struct object *jwt_object_new(struct call *c, const struct jwt *token);
/* Parses the text, with or without "Bearer ", as AsJwt() does; *ret NULL when it is no token. */
bool jwt_object_parse(struct call *c, struct str text, struct object **ret);
/* The token's claims as JSON. */
const struct json *jwt_object_claims(const struct object *o);
const struct json *jwt_object_header(const struct object *o);
/* Appends the token's text, without "Bearer ". False when `to` is full. */
bool jwt_object_write(const struct object *o, struct buf *to);
