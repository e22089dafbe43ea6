/* jwt_part.h: the parts that signed and encrypted tokens are made of; inside data/ only.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/crypto.h"
#include "data/jwt.h"

/* Base64url without padding or spare bits, into the arena. An empty text gives "". */
MUST_USE bool jwt_part_bytes(struct arena *a, struct str text, struct str *ret, struct err *err);
/* A part that is a JSON object; `what` it is called in messages. */
MUST_USE bool jwt_part_object(struct arena *a, struct str text, enum jwt_reading how, const char *what, const struct json **ret,
                              struct err *err);
/* A member of a header that must be a string when it is there; STR_NONE when it is not. */
MUST_USE bool jwt_header_text(const struct json *header, struct str name, struct str *ret, struct err *err);
/* What every header must hold to: a kid of at most 256 bytes, no extension that has to be understood. */
MUST_USE bool jwt_header_check(const struct json *header, struct str kid, struct err *err);

struct jwt_algorithm {
    const char *name;
    enum jwt_key_kind kind;
    enum crypto_hash hash;
    enum rsa_padding padding;
    uint32_t coordinate_size;         /* of the one curve that ES... stands for */
};
/* NULL for what is none; `none` is none. */
const struct jwt_algorithm *jwt_algorithm_named(struct str name);
