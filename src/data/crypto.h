/* crypto.h: digests, HMACs, AES, RSA and certificates on OpenSSL, whose algorithms are fetched once a process: a fetch costs
 * more than a small digest. All functions may be called from any thread; nothing is kept between calls.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum crypto_hash { HASH_MD5, HASH_SHA1, HASH_SHA256, HASH_SHA384, HASH_SHA512, HASH_COUNT };

#define CRYPTO_HASH_MAX 64

/* Bytes of the digest; of a block of the function, which HMAC keys are filled up to. */
size_t crypto_hash_size(enum crypto_hash hash);
size_t crypto_hash_block(enum crypto_hash hash);
/* "SHA256", "sha-256" ... in any case. */
bool crypto_hash_named(struct str name, enum crypto_hash *ret);
const EVP_MD *crypto_md(enum crypto_hash hash);

/* Both write crypto_hash_size() bytes. False only when OpenSSL cannot allocate. */
bool crypto_digest(enum crypto_hash hash, struct str bytes, uint8_t *ret);
bool crypto_hmac(enum crypto_hash hash, struct str key, struct str bytes, uint8_t *ret);
/* In time that does not depend on where they differ. */
bool crypto_equal(struct str a, struct str b);

enum cipher_kind { CIPHER_AES, CIPHER_DES3, CIPHER_DES, CIPHER_RC2 };
enum cipher_mode { MODE_CBC = 1, MODE_ECB = 2, MODE_OFB = 3, MODE_CFB = 4, MODE_CTS = 5 };     /* .NET's numbers */
enum cipher_padding { PADDING_NONE = 1, PADDING_PKCS7 = 2, PADDING_ZEROS = 3, PADDING_ANSI_X923 = 4, PADDING_ISO10126 = 5 };

struct cipher {
    enum cipher_kind kind;
    enum cipher_mode mode;
    enum cipher_padding padding;
    struct str key, iv;
};
/* Appends. ERR_INVALID: a key, IV or length that does not fit, or bad padding (one message for all wrong keys). */
MUST_USE bool crypto_cipher(const struct cipher *c, bool encrypt, struct str bytes, struct buf *to, struct err *err);

/* ---- keys ---- */

enum rsa_padding { RSA_PADDING_PKCS1, RSA_PADDING_PSS, RSA_PADDING_OAEP };

/* Sign or verify a digest that was computed before. */
MUST_USE bool crypto_rsa_sign(EVP_PKEY *key, enum crypto_hash hash, enum rsa_padding padding, struct str digest, struct buf *to,
                              struct err *err);
bool crypto_rsa_verify(EVP_PKEY *key, enum crypto_hash hash, enum rsa_padding padding, struct str digest, struct str signature);
/* hash: of OAEP. */
MUST_USE bool crypto_rsa_encrypt(EVP_PKEY *key, enum rsa_padding padding, enum crypto_hash hash, struct str bytes, struct buf *to,
                                 struct err *err);
MUST_USE bool crypto_rsa_decrypt(EVP_PKEY *key, enum rsa_padding padding, enum crypto_hash hash, struct str bytes, struct buf *to,
                                 struct err *err);
/* A public key of modulus and exponent, big-endian. NULL when they make none. The caller frees it. */
EVP_PKEY *crypto_rsa_public(struct str modulus, struct str exponent);

/* ---- certificates ---- */

struct crypto_certificate {
    X509 *x509;
    EVP_PKEY *key;                    /* private; NULL: none */
};
/* DER, PEM (with or without a key), or PKCS#12 with its password. The caller frees with crypto_certificate_destroy(). */
MUST_USE bool crypto_certificate_read(struct str bytes, struct str password, struct crypto_certificate *ret, struct err *err);
void crypto_certificate_destroy(struct crypto_certificate *c);
