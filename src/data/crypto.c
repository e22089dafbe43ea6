/* crypto.c: see crypto.h. What is fetched from OpenSSL is written once, before the first use, and read by all threads.
 * OpenSSL's error queue is cleared where a call may fail on foreign input, so nothing is left for somebody else's report.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdlib.h>

static const struct hash_info {
    const char *name;
    size_t size, block;
} hashes[HASH_COUNT] = {
    [HASH_MD5] = {"MD5", 16, 64},        [HASH_SHA1] = {"SHA1", 20, 64},      [HASH_SHA256] = {"SHA256", 32, 64},
    [HASH_SHA384] = {"SHA384", 48, 128}, [HASH_SHA512] = {"SHA512", 64, 128},
};

static struct {
    EVP_MD *md[HASH_COUNT];
    EVP_MAC *hmac;
} fetched;
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

static void
fetch(void)
{
    for (int i = 0; i < HASH_COUNT; i++)
        fetched.md[i] = EVP_MD_fetch(NULL, hashes[i].name, NULL);
    fetched.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
}

size_t
crypto_hash_size(enum crypto_hash hash)
{
    return hashes[hash].size;
}

size_t
crypto_hash_block(enum crypto_hash hash)
{
    return hashes[hash].block;
}

bool
crypto_hash_named(struct str name, enum crypto_hash *ret)
{
    for (int i = 0; i < HASH_COUNT; i++) {
        struct str known = str_from_c(hashes[i].name);

        if (str_eq_nocase(name, known) ||
            (name.len == known.len + 1 && name.p[3] == '-' && str_eq_nocase(str_sub(name, 0, 3), str_sub(known, 0, 3)) &&
             str_eq(str_skip(name, 4), str_skip(known, 3)))) {
            *ret = (enum crypto_hash)i;
            return true;
        }
    }
    return false;
}

const EVP_MD *
crypto_md(enum crypto_hash hash)
{
    pthread_once(&fetch_once, fetch);
    return fetched.md[hash];
}

bool
crypto_digest(enum crypto_hash hash, struct str bytes, uint8_t *ret)
{
    return EVP_Digest(bytes.p, bytes.len, ret, NULL, crypto_md(hash), NULL) == 1;
}

bool
crypto_hmac(enum crypto_hash hash, struct str key, struct str bytes, uint8_t *ret)
{
    OSSL_PARAM params[2] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)hashes[hash].name, 0),
        OSSL_PARAM_construct_end(),
    };
    static const unsigned char empty[1];
    EVP_MAC_CTX *ctx;
    size_t n;
    bool ok;

    pthread_once(&fetch_once, fetch);
    ctx = EVP_MAC_CTX_new(fetched.hmac);
    ok = ctx && EVP_MAC_init(ctx, key.len ? (const unsigned char *)key.p : empty, key.len, params) == 1 &&
         EVP_MAC_update(ctx, (const unsigned char *)bytes.p, bytes.len) == 1 &&
         EVP_MAC_final(ctx, ret, &n, CRYPTO_HASH_MAX) == 1;
    EVP_MAC_CTX_free(ctx);
    return ok;
}

bool
crypto_equal(struct str a, struct str b)
{
    return a.len == b.len && CRYPTO_memcmp(a.p, b.p, a.len) == 0;
}

/* ---- symmetric ciphers ---- */

static bool
openssl_failed(struct err *err, const char *what)
{
    ERR_clear_error();
    return err_set(err, ERR_INVALID, "%s", what);
}

static const EVP_CIPHER *
cipher_of(const struct cipher *c)
{
    size_t bits = c->key.len * 8;

    if (c->kind == CIPHER_DES3)
        return bits != 192 ? NULL : c->mode == MODE_CBC ? EVP_des_ede3_cbc() : c->mode == MODE_ECB ? EVP_des_ede3_ecb() : NULL;
    if (c->kind != CIPHER_AES)
        return NULL;
    switch (c->mode) {
    case MODE_CBC: return bits == 128 ? EVP_aes_128_cbc() : bits == 192 ? EVP_aes_192_cbc() : bits == 256 ? EVP_aes_256_cbc() : NULL;
    case MODE_ECB: return bits == 128 ? EVP_aes_128_ecb() : bits == 192 ? EVP_aes_192_ecb() : bits == 256 ? EVP_aes_256_ecb() : NULL;
    case MODE_CFB: return bits == 128 ? EVP_aes_128_cfb8() : bits == 192 ? EVP_aes_192_cfb8() : bits == 256 ? EVP_aes_256_cfb8() : NULL;
    case MODE_OFB: case MODE_CTS: break;
    }
    return NULL;
}

/* Fills the last block by the paddings that OpenSSL does not do. */
static bool
add_padding(struct buf *to, enum cipher_padding padding, size_t block)
{
    size_t n = block - to->len % block;
    char *at;

    if (padding == PADDING_NONE || (padding == PADDING_ZEROS && n == block))
        return true;
    at = buf_reserve(to, n);
    if (!at)
        return false;
    memset(at, padding == PADDING_PKCS7 ? (int)n : 0, n);
    if (padding == PADDING_ISO10126)
        RAND_bytes((unsigned char *)at, (int)n - 1);
    if (padding != PADDING_ZEROS)
        at[n - 1] = (char)n;
    to->len += n;
    return true;
}

/* Takes the padding off `plain`. Zeros stay, as .NET leaves them. */
static bool
remove_padding(struct str *plain, enum cipher_padding padding, size_t block)
{
    size_t n;
    bool good = true;

    if (padding == PADDING_NONE || padding == PADDING_ZEROS)
        return true;
    if (plain->len == 0 || plain->len % block)
        return false;
    n = (unsigned char)plain->p[plain->len - 1];
    if (n == 0 || n > block)
        return false;
    for (size_t i = 2; padding != PADDING_ISO10126 && i <= n; i++)
        good &= (unsigned char)plain->p[plain->len - i] == (padding == PADDING_PKCS7 ? n : 0);
    plain->len -= n;
    return good;
}

/* One pass over whole blocks, no padding. */
static bool
run_cipher(const struct cipher *c, const EVP_CIPHER *algorithm, bool encrypt, struct str bytes, struct buf *to)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    char *at = buf_reserve(to, bytes.len + EVP_MAX_BLOCK_LENGTH);
    int n = 0, last = 0;
    bool ok;

    ok = ctx && at && bytes.len < INT32_MAX &&
         EVP_CipherInit_ex(ctx, algorithm, NULL, (const unsigned char *)c->key.p, (const unsigned char *)c->iv.p, encrypt) == 1 &&
         EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
         EVP_CipherUpdate(ctx, (unsigned char *)at, &n, (const unsigned char *)bytes.p, (int)bytes.len) == 1 &&
         EVP_CipherFinal_ex(ctx, (unsigned char *)at + n, &last) == 1;
    if (ok)
        to->len += (size_t)(n + last);
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

bool
crypto_cipher(const struct cipher *c, bool encrypt, struct str bytes, struct buf *to, struct err *err)
{
    const EVP_CIPHER *algorithm = cipher_of(c);
    struct buf work AUTO(buf_destroy) = BUF_INIT;
    struct str plain;
    size_t block;

    if (!algorithm)
        return err_set(err, ERR_INVALID, "Specified key is not a valid size for this algorithm.");
    block = c->kind == CIPHER_DES3 ? 8 : 16;
    if (c->mode != MODE_ECB && c->iv.len != block)
        return err_set(err, ERR_INVALID, "Specified initialization vector (IV) does not match the block size for this algorithm.");
    if (encrypt) {
        buf_add_str(&work, bytes);
        if (!add_padding(&work, c->padding, block))
            return err_set(err, ERR_NO_MEMORY, "out of memory");
        bytes = buf_str(&work);
        if (bytes.len % block && c->mode != MODE_CFB)
            return err_set(err, ERR_INVALID, "Length of the data to encrypt is invalid.");
        return run_cipher(c, algorithm, true, bytes, to) || openssl_failed(err, "The data cannot be encrypted.");
    }
    if (bytes.len % block && c->mode != MODE_CFB)
        return err_set(err, ERR_INVALID, "Length of the data to decrypt is invalid.");
    if (!run_cipher(c, algorithm, false, bytes, &work))
        return openssl_failed(err, "The data cannot be decrypted.");
    plain = str_from(work.p ? work.p : "", work.len);
    if (!remove_padding(&plain, bytes.len ? c->padding : PADDING_NONE, block))
        return err_set(err, ERR_INVALID, "Padding is invalid and cannot be removed.");
    return buf_add_str(to, plain) || err_set(err, ERR_NO_MEMORY, "out of memory");
}

/* ---- RSA ---- */

static bool
set_padding(EVP_PKEY_CTX *ctx, enum rsa_padding padding, enum crypto_hash hash, bool is_signature)
{
    int mode = padding == RSA_PADDING_PKCS1 ? RSA_PKCS1_PADDING : padding == RSA_PADDING_PSS ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_OAEP_PADDING;

    if (EVP_PKEY_CTX_set_rsa_padding(ctx, mode) != 1)
        return false;
    if (is_signature && EVP_PKEY_CTX_set_signature_md(ctx, crypto_md(hash)) != 1)
        return false;
    if (padding == RSA_PADDING_PSS)
        return EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    return padding != RSA_PADDING_OAEP || EVP_PKEY_CTX_set_rsa_oaep_md(ctx, crypto_md(hash)) == 1;
}

bool
crypto_rsa_sign(EVP_PKEY *key, enum crypto_hash hash, enum rsa_padding padding, struct str digest, struct buf *to,
                struct err *err)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    size_t n = (size_t)EVP_PKEY_get_size(key);
    char *at = buf_reserve(to, n);
    bool ok = ctx && at && EVP_PKEY_sign_init(ctx) == 1 && set_padding(ctx, padding, hash, true) &&
              EVP_PKEY_sign(ctx, (unsigned char *)at, &n, (const unsigned char *)digest.p, digest.len) == 1;

    EVP_PKEY_CTX_free(ctx);
    if (!ok)
        return openssl_failed(err, "The key cannot sign this.");
    to->len += n;
    return true;
}

bool
crypto_rsa_verify(EVP_PKEY *key, enum crypto_hash hash, enum rsa_padding padding, struct str digest, struct str signature)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool ok = ctx && EVP_PKEY_verify_init(ctx) == 1 && set_padding(ctx, padding, hash, true) &&
              EVP_PKEY_verify(ctx, (const unsigned char *)signature.p, signature.len, (const unsigned char *)digest.p,
                              digest.len) == 1;

    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

typedef int crypt_init(EVP_PKEY_CTX *ctx);
typedef int crypt_run(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *n, const unsigned char *in, size_t in_n);

static bool
rsa_crypt(EVP_PKEY *key, crypt_init *init, crypt_run *run, enum rsa_padding padding, enum crypto_hash hash, struct str bytes,
          struct buf *to, struct err *err)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    size_t n = (size_t)EVP_PKEY_get_size(key);
    char *at = buf_reserve(to, n);
    bool ok = ctx && at && init(ctx) == 1 && set_padding(ctx, padding, hash, false) &&
              run(ctx, (unsigned char *)at, &n, (const unsigned char *)bytes.p, bytes.len) == 1;

    EVP_PKEY_CTX_free(ctx);
    if (!ok)
        return openssl_failed(err, "The parameter is incorrect.");
    to->len += n;
    return true;
}

bool
crypto_rsa_encrypt(EVP_PKEY *key, enum rsa_padding padding, enum crypto_hash hash, struct str bytes, struct buf *to,
                   struct err *err)
{
    return rsa_crypt(key, EVP_PKEY_encrypt_init, EVP_PKEY_encrypt, padding, hash, bytes, to, err);
}

bool
crypto_rsa_decrypt(EVP_PKEY *key, enum rsa_padding padding, enum crypto_hash hash, struct str bytes, struct buf *to,
                   struct err *err)
{
    return rsa_crypt(key, EVP_PKEY_decrypt_init, EVP_PKEY_decrypt, padding, hash, bytes, to, err);
}

EVP_PKEY *
crypto_rsa_public(struct str modulus, struct str exponent)
{
    BIGNUM *n = BN_bin2bn((const unsigned char *)modulus.p, (int)modulus.len, NULL);
    BIGNUM *e = BN_bin2bn((const unsigned char *)exponent.p, (int)exponent.len, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;

    if (n && e && build && ctx && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1 && (params = OSSL_PARAM_BLD_to_param(build)) &&
        EVP_PKEY_fromdata_init(ctx) == 1)
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    BN_free(n);
    BN_free(e);
    ERR_clear_error();
    return key;
}

/* ---- certificates ---- */

static bool
read_pem(struct str bytes, struct str password, struct crypto_certificate *ret)
{
    char *secret = xstrndup(password.p, password.len);
    BIO *bio = BIO_new_mem_buf(bytes.p, (int)bytes.len);

    ret->x509 = PEM_read_bio_X509(bio, NULL, NULL, secret);
    BIO_free(bio);
    bio = BIO_new_mem_buf(bytes.p, (int)bytes.len);
    ret->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, secret);
    BIO_free(bio);
    free(secret);
    return ret->x509 != NULL;
}

static bool
read_pkcs12(struct str bytes, struct str password, struct crypto_certificate *ret)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    PKCS12 *pkcs12 = d2i_PKCS12(NULL, &p, (long)bytes.len);
    char *secret = xstrndup(password.p, password.len);
    bool ok = pkcs12 && PKCS12_parse(pkcs12, secret, &ret->key, &ret->x509, NULL) == 1 && ret->x509;

    free(secret);
    PKCS12_free(pkcs12);
    return ok;
}

bool
crypto_certificate_read(struct str bytes, struct str password, struct crypto_certificate *ret, struct err *err)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    struct crypto_certificate c = {0};
    bool ok;

    if (bytes.len > INT32_MAX)
        return err_set(err, ERR_LIMIT, "the certificate is too large");
    if (str_find(bytes, STR("-----BEGIN"), 0) >= 0)
        ok = read_pem(bytes, password, &c);
    else
        ok = (c.x509 = d2i_X509(NULL, &p, (long)bytes.len)) || read_pkcs12(bytes, password, &c);
    ERR_clear_error();
    if (!ok) {
        crypto_certificate_destroy(&c);
        return err_set(err, ERR_INVALID, "expected a certificate (PEM, DER or PKCS#12 with its password)");
    }
    *ret = c;
    return true;
}

void
crypto_certificate_destroy(struct crypto_certificate *c)
{
    X509_free(c->x509);
    EVP_PKEY_free(c->key);
    c->x509 = NULL;
    c->key = NULL;
}
