/* jwe.h: encrypted tokens (RFC 7516, compact form): opened with keys that are configured.
 *
 *     if (jwt_is_encrypted(text) && !jwe_decrypt(&arena, text, keys, n_keys, &inner, &err)) ...
 * Key management: dir, AES key wrap (A...KW, A...GCMKW), RSA-OAEP and RSA-OAEP-256, -384, -512, RSA1_5, ECDH-ES with and without key
 * wrap, PBES2. Content: A128CBC-HS256 and its larger kin, A128GCM, A192GCM, A256GCM. zip DEF.
 * What attacks made rules: the key's type admits algorithms, the header only chooses among them; every failure behind the
 * header is one error, and a bad RSA1_5 padding goes the way of a wrong key; inflated text and PBES2 rounds are bounded.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/jwt.h"

#define JWE_PLAIN_MAX ((size_t)256 << 10)
#define JWE_PBES2_ROUNDS_MAX 10000

/* Tries the keys that fit the token's algorithm, one after another. ERR_SYNTAX, ERR_INVALID, ERR_LIMIT, ERR_UNSUPPORTED for the
 * token's form; ERR_NOT_FOUND when no key fits; ERR_DENIED for everything that keys decide. */
MUST_USE bool jwe_decrypt(struct arena *a, struct str token, const struct jwt_key *keys, size_t n, struct str *ret_plain,
                          struct err *err);

/* Seals a text for a key, as `alg` (dir, A...KW, RSA-OAEP, RSA-OAEP-256) with `enc`, and appends the compact token. header: members
 * beside alg and enc, as JSON text (`"cty":"JWT"`), or empty. ERR_UNSUPPORTED, ERR_INVALID. */
MUST_USE bool jwe_encrypt(const struct jwt_key *key, struct str alg, struct str enc, struct str header, struct str plain,
                          struct buf *to, struct err *err);
