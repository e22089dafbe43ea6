/* crypto.h: what the families of System.Security.Cryptography share.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/crypto.h"
#include "expr/native.h"

/* A byte[] argument; throws ArgumentNull(name). */
bool bytes_argument(struct call *c, uint32_t i, const char *name, struct str *ret);
/* The same followed by offset and count. */
bool bytes_part_argument(struct call *c, uint32_t i, const char *name, struct str *ret);
/* A HashAlgorithmName argument. */
bool hash_name_argument(struct call *c, uint32_t i, enum crypto_hash *ret);
/* Plain fields behind an object of a library type. */
struct record *record_of(struct call *c, const struct type *type, uint32_t n);
/* System.Security.Cryptography.Oid of a dotted number. */
struct object *oid_new(struct call *c, struct str value);

/* RSA; the key is the run's. */
struct rsa {
    struct object head;
    EVP_PKEY *key;
    bool is_private;
};
/* Gives r the key, whose reference becomes the run's. False after a budget was exceeded; the key is freed then. */
bool rsa_take_key(struct call *c, struct rsa *r, EVP_PKEY *key, bool is_private);
/* KeySizes[] of one range. */
struct array *key_sizes_new(struct call *c, int64_t min, int64_t max, int64_t skip);

/* An RSA object; the key's reference becomes the run's (freed with its arena). is_private: the private part may be used. */
struct object *rsa_new(struct call *c, EVP_PKEY *key, bool is_private);
/* An X509Certificate2; both references become the run's. key may be NULL. */
struct object *x509_new(struct call *c, struct crypto_certificate certificate);
/* The certificate behind an X509Certificate2 (the object keeps it). */
const struct crypto_certificate *x509_certificate(const struct object *o);
