/* jwt.h: JSON Web Tokens: compact JWS read strictly, keys (JWK, JWKS, secrets, certificates), signatures checked.
 *
 *     struct jwt token;
 *     if (!jwt_parse(&arena, text, JWT_STRICT, &token, &err)) ...            shape, Base64url, JSON, header rules
 *     switch (jwt_verify(&token, keys, n_keys, &err)) ...                    the key decides the algorithm
 *     if (!jwt_check_times(&token, now_s, skew_s, true, &err)) ...           exp, nbf
 * Rules that attacks made: `alg` none is never valid; the key's type and its own `alg` decide, the header may only agree; keys in
 * the header (jwk, x5c, jku, x5u) are not looked at; unknown `crit` and `b64` are refused; Base64url without padding or spare
 * bits; no repeated member names; RSA from 2048 bits; ECDSA signatures raw and of exact length.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <openssl/evp.h>

#include "base/arena.h"
#include "base/err.h"
#include "data/json.h"

#define JWT_TEXT_MAX ((size_t)256 << 10)
#define JWT_KID_MAX 256
#define JWT_RSA_BITS_MIN 2048

enum jwt_reading {
    JWT_STRICT,          /* for tokens that will be verified */
    JWT_TOLERANT,        /* AsJwt(): header and payload must be JSON objects, nothing else is asked */
};

struct jwt {
    const struct json *header, *claims;
    struct str alg, kid, typ;         /* of the header; STR_NONE when absent */
    struct str signed_part;           /* "header.payload", in the token's text */
    struct str signature;             /* decoded bytes */
};

/* "Bearer " in front is not part of a token. The text must live as long as the result. */
MUST_USE bool jwt_parse(struct arena *a, struct str text, enum jwt_reading how, struct jwt *ret, struct err *err);
/* True for five parts: an encrypted token (JWE). */
bool jwt_is_encrypted(struct str text);

enum jwt_key_kind { JWT_KEY_SECRET, JWT_KEY_RSA, JWT_KEY_EC, JWT_KEY_ED25519 };

/* One key for verifying. Filled by the functions below, emptied by jwt_key_destroy(). */
struct jwt_key {
    enum jwt_key_kind kind;
    char *kid;                        /* NULL: none */
    char *alg;                        /* the only algorithm it is for; NULL: every one of its kind */
    EVP_PKEY *pkey;                   /* all but JWT_KEY_SECRET */
    uint8_t *secret;
    size_t secret_size;
    uint32_t coordinate_size;         /* JWT_KEY_EC: bytes of r and s */
};

MUST_USE bool jwt_key_from_secret(struct str bytes, struct str kid, struct jwt_key *ret, struct err *err);
/* Base64url modulus and exponent. */
MUST_USE bool jwt_key_from_rsa(struct str n, struct str e, struct str kid, struct jwt_key *ret, struct err *err);
/* Takes a reference of its own. */
MUST_USE bool jwt_key_from_pkey(EVP_PKEY *pkey, struct str kid, struct jwt_key *ret, struct err *err);
/* ERR_UNSUPPORTED: a key that is none for verifying (use enc, unknown kty or crv). */
MUST_USE bool jwt_key_from_jwk(const struct json *jwk, struct jwt_key *ret, struct err *err);
/* All usable keys of {"keys": [...]}; unusable ones are left out. The array is the caller's: destroy each, free it. */
MUST_USE bool jwt_keys_from_jwks(const struct json *jwks, struct jwt_key **ret, size_t *ret_n, struct err *err);
void jwt_key_destroy(struct jwt_key *k);
void jwt_keys_delete(struct jwt_key *keys, size_t n);

enum jwt_result {
    JWT_VALID,
    JWT_BAD_SIGNATURE,   /* a key that fits was tried */
    JWT_NO_KEY,          /* no key has the token's kid and algorithm */
    JWT_BAD_ALGORITHM,   /* none, unknown */
};
/* With a kid in the token keys with that kid are tried, and those without one; else all that fit the algorithm. */
enum jwt_result jwt_verify(const struct jwt *t, const struct jwt_key *keys, size_t n, struct err *err);

/* exp after now, nbf not after now, both within the skew; both must be numbers. */
MUST_USE bool jwt_check_times(const struct jwt *t, int64_t now_s, int64_t skew_s, bool require_exp, struct err *err);
/* A NumericDate claim in seconds. False when absent (*ret untouched, *err NULL-able) or no number. */
bool jwt_claim_time(const struct jwt *t, struct str name, int64_t *ret);
/* How a claim reads as text: strings as they are, numbers as written, true/false, objects as JSON. */
struct str jwt_claim_text(struct arena *a, const struct json *value);
