/* jwt_sign.c: making tokens: client assertions towards identity providers, and what test scripts send.
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include "base/codec.h"
#include "data/jwt_part.h"

/* OpenSSL's DER becomes raw r || s. */
static bool
sign_ec(const struct jwt_key *k, struct str digest, struct buf *to)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
    unsigned char der[160], raw[2 * 66];
    const unsigned char *p = der;
    size_t n = sizeof(der), half = k->coordinate_size;
    ECDSA_SIG *sig = NULL;
    bool ok = ctx && EVP_PKEY_sign_init(ctx) == 1 &&
              EVP_PKEY_sign(ctx, der, &n, (const unsigned char *)digest.p, digest.len) == 1 &&
              (sig = d2i_ECDSA_SIG(NULL, &p, (long)n)) != NULL &&
              BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, (int)half) == (int)half &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + half, (int)half) == (int)half;

    EVP_PKEY_CTX_free(ctx);
    ECDSA_SIG_free(sig);
    return ok && buf_add(to, raw, 2 * half);
}

static bool
sign_ed25519(const struct jwt_key *k, struct str text, struct buf *to)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char raw[64];
    size_t n = sizeof(raw);
    bool ok = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, k->pkey) == 1 &&
              EVP_DigestSign(ctx, raw, &n, (const unsigned char *)text.p, text.len) == 1;

    EVP_MD_CTX_free(ctx);
    return ok && buf_add(to, raw, n);
}

static bool
signature_of(const struct jwt_key *k, const struct jwt_algorithm *alg, struct str text, struct buf *to)
{
    uint8_t bytes[CRYPTO_HASH_MAX];
    struct str digest = {(const char *)bytes, alg->kind == JWT_KEY_ED25519 ? 0 : crypto_hash_size(alg->hash)};

    switch (alg->kind) {
    case JWT_KEY_ED25519:
        return sign_ed25519(k, text, to);
    case JWT_KEY_SECRET:
        return crypto_hmac(alg->hash, str_from((const char *)k->secret, k->secret_size), text, bytes) && buf_add_str(to, digest);
    case JWT_KEY_EC:
        return crypto_digest(alg->hash, text, bytes) && sign_ec(k, digest, to);
    case JWT_KEY_RSA:
        break;
    }
    return crypto_digest(alg->hash, text, bytes) && crypto_rsa_sign(k->pkey, alg->hash, alg->padding, digest, to, NULL);
}

bool
jwt_sign(const struct jwt_key *key, struct str alg, struct str header, struct str claims, struct buf *to, struct err *err)
{
    const struct jwt_algorithm *algorithm = jwt_algorithm_named(alg);
    struct buf signature AUTO(buf_destroy) = BUF_INIT;
    size_t from = to->len;

    if (!algorithm)
        return err_set(err, ERR_INVALID, "'%.*s' is no algorithm for signatures", STR_ARG(alg));
    if (algorithm->kind != key->kind || algorithm->coordinate_size != key->coordinate_size)
        return err_set(err, ERR_INVALID, "the key is not for the algorithm %s", algorithm->name);
    codec_base64url_encode(to, header);
    buf_add_char(to, '.');
    codec_base64url_encode(to, claims);
    if (to->failed)
        return err_set(err, ERR_NO_MEMORY, "no memory left for a token");
    if (!signature_of(key, algorithm, str_from(to->p + from, to->len - from), &signature)) {
        ERR_clear_error();
        return err_set(err, ERR_INVALID, "the key cannot sign; is its private part there?");
    }
    buf_add_char(to, '.');
    codec_base64url_encode(to, buf_str(&signature));
    return !to->failed || err_set(err, ERR_NO_MEMORY, "no memory left for a token");
}

/* ---- keys as JSON ---- */

static bool
write_number(EVP_PKEY *pkey, const char *param, const char *name, uint32_t size, struct buf *to)
{
    unsigned char bytes[2048];
    BIGNUM *n = NULL;
    bool ok = EVP_PKEY_get_bn_param(pkey, param, &n) == 1;
    int len = ok ? (size ? (int)size : BN_num_bytes(n)) : 0;

    ok = ok && len <= (int)sizeof(bytes) && BN_bn2binpad(n, bytes, len) == len;
    BN_free(n);
    if (!ok)
        return false;
    buf_printf(to, ",\"%s\":\"", name);
    codec_base64url_encode(to, str_from((const char *)bytes, (size_t)len));
    return buf_add_char(to, '"');
}

static bool
write_ec(const struct jwt_key *k, struct buf *to)
{
    buf_printf(to, "\"kty\":\"EC\",\"crv\":\"P-%d\"", k->coordinate_size == 32 ? 256 : k->coordinate_size == 48 ? 384 : 521);
    return write_number(k->pkey, OSSL_PKEY_PARAM_EC_PUB_X, "x", k->coordinate_size, to) &&
           write_number(k->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, "y", k->coordinate_size, to);
}

static bool
write_ed25519(const struct jwt_key *k, struct buf *to)
{
    unsigned char x[32];
    size_t n = sizeof(x);

    if (EVP_PKEY_get_raw_public_key(k->pkey, x, &n) != 1)
        return false;
    buf_add_lit(to, "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
    codec_base64url_encode(to, str_from((const char *)x, n));
    return buf_add_char(to, '"');
}

bool
jwt_key_write_jwk(const struct jwt_key *key, struct buf *to)
{
    bool ok = false;

    buf_add_char(to, '{');
    switch (key->kind) {
    case JWT_KEY_SECRET:
        break;
    case JWT_KEY_RSA:
        buf_add_lit(to, "\"kty\":\"RSA\"");
        ok = write_number(key->pkey, OSSL_PKEY_PARAM_RSA_N, "n", 0, to) && write_number(key->pkey, OSSL_PKEY_PARAM_RSA_E, "e", 0, to);
        break;
    case JWT_KEY_EC:
        ok = write_ec(key, to);
        break;
    case JWT_KEY_ED25519:
        ok = write_ed25519(key, to);
        break;
    }
    if (key->kid) {
        buf_add_lit(to, ",\"kid\":\"");
        buf_add_json_escaped(to, str_from_c(key->kid));
        buf_add_char(to, '"');
    }
    if (key->alg) {
        buf_add_lit(to, ",\"alg\":\"");
        buf_add_json_escaped(to, str_from_c(key->alg));
        buf_add_char(to, '"');
    }
    buf_add_lit(to, ",\"use\":\"sig\"}");
    ERR_clear_error();
    return ok && !to->failed;
}
