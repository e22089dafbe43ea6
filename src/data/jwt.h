/* jwt.h: JSON Web Tokens: compact JWS read strictly, keys (JWK, JWKS, secrets, certificates), signatures checked.
 *
 *     struct jwt token;
 *     if (!jwt_parse(&arena, text, JWT_STRICT, &token, &err)) ...            shape, Base64url, JSON, header rules
 *     switch (jwt_verify(&token, keys, n_keys, JWT_KID_DECIDES, &err)) ...   the key decides the algorithm
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
#define JWT_KEYS_MAX 256                /* of one set */

enum jwt_reading {
    JWT_STRICT,          /* for tokens that will be verified */
    JWT_ANY_PAYLOAD,     /* the same, but what is signed need not be claims: a JWS (RFC 7515) */
    JWT_TOLERANT,        /* AsJwt(): header and payload must be JSON objects, nothing else is asked */
};

struct jwt {
    const struct json *header, *claims;   /* claims: NULL with JWT_ANY_PAYLOAD */
    struct str alg, kid, typ;         /* of the header; STR_NONE when absent */
    struct str signed_part;           /* "header.payload", in the token's text */
    struct str payload;               /* decoded bytes */
    struct str signature;             /* decoded bytes */
};

/* "Bearer " in front is not part of a token. The text must live as long as the result. */
MUST_USE bool jwt_parse(struct arena *a, struct str text, enum jwt_reading how, struct jwt *ret, struct err *err);
/* True for five parts: an encrypted token (JWE). */
bool jwt_is_encrypted(struct str text);

enum jwt_key_kind { JWT_KEY_SECRET, JWT_KEY_RSA, JWT_KEY_EC, JWT_KEY_ED25519 };

/* One key: for verifying; with its private part for signing and decrypting. Filled by the functions below, emptied by
 * jwt_key_destroy(). */
struct jwt_key {
    enum jwt_key_kind kind;
    char *kid;                        /* NULL: none */
    char *alg;                        /* the algorithm it is for; NULL: each of its kind */
    EVP_PKEY *pkey;                   /* all but JWT_KEY_SECRET */
    uint8_t *secret;
    size_t secret_size;
    bool is_full_size;                /* a secret that must be as long as the hash it is used with (RFC 7518 3.2) */
    uint32_t coordinate_size;         /* JWT_KEY_EC: bytes of r and s */
};

#define JWT_SECRET_MIN 16                /* bytes */
/* A secret that somebody configured: its size is his business from JWT_SECRET_MIN on. */
MUST_USE bool jwt_key_from_secret(struct str bytes, struct str kid, struct jwt_key *ret, struct err *err);
/* Base64url modulus and exponent. */
MUST_USE bool jwt_key_from_rsa(struct str n, struct str e, struct str kid, struct jwt_key *ret, struct err *err);
/* Takes a reference of its own. */
MUST_USE bool jwt_key_from_pkey(EVP_PKEY *pkey, struct str kid, struct jwt_key *ret, struct err *err);
/* ERR_UNSUPPORTED: a key that is none for verifying (use enc, unknown kty or crv). */
MUST_USE bool jwt_key_from_jwk(const struct json *jwk, struct jwt_key *ret, struct err *err);
/* The same with the private numbers, for signing and decrypting: RSA with its factors, EC on the three curves, oct. `use` and
 * `key_ops` are not looked at. */
MUST_USE bool jwt_key_from_private_jwk(const struct json *jwk, struct jwt_key *ret, struct err *err);
/* The public part as a JSON Web Key with use sig; of RSA, EC and Ed25519 keys. False for a secret. */
MUST_USE bool jwt_key_write_jwk(const struct jwt_key *key, struct buf *to);
/* All usable keys of {"keys": [...]}. Left out are those that are none for verifying, secrets beside public keys (whoever can
 * read the set could sign), and different keys of one type under one kid. The array is the caller's: jwt_keys_delete(). */
MUST_USE bool jwt_keys_from_jwks(const struct json *jwks, struct jwt_key **ret, size_t *ret_n, struct err *err);
void jwt_key_destroy(struct jwt_key *k);
void jwt_keys_delete(struct jwt_key *keys, size_t n);

enum jwt_result {
    JWT_VALID,
    JWT_BAD_SIGNATURE,   /* a key that fits was tried */
    JWT_NO_KEY,          /* no key has the token's kid and algorithm */
    JWT_BAD_ALGORITHM,   /* none, unknown */
};
/* What a kid in the token means. Without one, all keys that fit the algorithm are tried. */
enum jwt_kid_use {
    JWT_KID_DECIDES,     /* keys with that kid, and those without one: key sets of issuers */
    JWT_KID_PREFERS,     /* those with that kid when there are any, else all: keys that are configured by hand */
};
enum jwt_result jwt_verify(const struct jwt *t, const struct jwt_key *keys, size_t n, enum jwt_kid_use use, struct err *err);

/* Signs header and claims, both JSON texts, and appends the compact token. The header's alg must be `alg`, which must fit the
 * key; the key needs its private part. ERR_INVALID. */
MUST_USE bool jwt_sign(const struct jwt_key *key, struct str alg, struct str header, struct str claims, struct buf *to,
                       struct err *err);

/* exp after now, nbf not after now, both within the skew; both must be numbers. */
MUST_USE bool jwt_check_times(const struct jwt *t, int64_t now_s, int64_t skew_s, bool require_exp, struct err *err);
/* A NumericDate claim in seconds. False when absent (*ret untouched, *err NULL-able) or no number. */
bool jwt_claim_time(const struct jwt *t, struct str name, int64_t *ret);
/* How a claim reads as text: strings as they are, numbers as written, true/false, objects as JSON. */
struct str jwt_claim_text(struct arena *a, const struct json *value);
