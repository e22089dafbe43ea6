/* jwt_key.c: keys for verifying tokens: JSON Web Keys, secrets, public keys.
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <stdlib.h>

#include "base/codec.h"
#include "base/vec.h"
#include "data/crypto.h"
#include "data/jwt.h"

static char *
copy_of(struct str s)
{
    return s.len ? xstrndup(s.p, s.len) : NULL;
}

bool
jwt_key_from_secret(struct str bytes, struct str kid, struct jwt_key *ret, struct err *err)
{
    if (bytes.len == 0)
        return err_set(err, ERR_INVALID, "a signing key is empty");
    *ret = (struct jwt_key){.kind = JWT_KEY_SECRET, .kid = copy_of(kid), .secret = xmalloc(bytes.len), .secret_size = bytes.len};
    memcpy(ret->secret, bytes.p, bytes.len);
    return true;
}

/* Bytes of r and s for the curves that have an ES algorithm; 0 for others. */
static uint32_t
coordinate_size(EVP_PKEY *pkey)
{
    char group[80];

    if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL) != 1)
        return 0;
    return strcmp(group, "prime256v1") == 0 ? 32 : strcmp(group, "secp384r1") == 0 ? 48 : strcmp(group, "secp521r1") == 0 ? 66 : 0;
}

bool
jwt_key_from_pkey(EVP_PKEY *pkey, struct str kid, struct jwt_key *ret, struct err *err)
{
    struct jwt_key k = {0};

    switch (EVP_PKEY_get_base_id(pkey)) {
    case EVP_PKEY_RSA:
        k.kind = JWT_KEY_RSA;
        if (EVP_PKEY_get_bits(pkey) < JWT_RSA_BITS_MIN)
            return err_set(err, ERR_INVALID, "an RSA key has %d bits; at least %d are needed", EVP_PKEY_get_bits(pkey), JWT_RSA_BITS_MIN);
        break;
    case EVP_PKEY_EC:
        k.kind = JWT_KEY_EC;
        k.coordinate_size = coordinate_size(pkey);
        if (!k.coordinate_size)
            return err_set(err, ERR_UNSUPPORTED, "an elliptic key is on a curve other than P-256, P-384 and P-521");
        break;
    case EVP_PKEY_ED25519: k.kind = JWT_KEY_ED25519; break;
    default: return err_set(err, ERR_UNSUPPORTED, "a key is neither RSA nor elliptic");
    }
    EVP_PKEY_up_ref(pkey);
    k.pkey = pkey;
    k.kid = copy_of(kid);
    *ret = k;
    return true;
}

/* Takes over the reference. */
static bool
adopt(EVP_PKEY *pkey, struct str kid, struct jwt_key *ret, struct err *err)
{
    bool ok = pkey ? jwt_key_from_pkey(pkey, kid, ret, err) : err_set(err, ERR_INVALID, "the numbers of a key make no key");

    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return ok;
}

bool
jwt_key_from_rsa(struct str n, struct str e, struct str kid, struct jwt_key *ret, struct err *err)
{
    struct buf modulus AUTO(buf_destroy) = BUF_INIT, exponent AUTO(buf_destroy) = BUF_INIT;

    if (!codec_base64url_decode(&modulus, n, err) || !codec_base64url_decode(&exponent, e, err))
        return err_prefix(err, "an RSA key");
    if (modulus.len == 0 || exponent.len == 0 || modulus.len > 2048)
        return err_set(err, ERR_INVALID, "an RSA key without modulus or exponent");
    return adopt(crypto_rsa_public(buf_str(&modulus), buf_str(&exponent)), kid, ret, err);
}

/* 0x04 || x || y on a named curve. */
static EVP_PKEY *
ec_public(const char *group, struct str point)
{
    OSSL_PARAM params[3] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point.p, point.len),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *pkey = NULL;

    if (ctx && EVP_PKEY_fromdata_init(ctx) == 1)
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static bool
key_from_ec(const struct json *jwk, struct str kid, struct jwt_key *ret, struct err *err)
{
    static const struct { const char *name, *group; size_t size; } curves[] = {
        {"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48}, {"P-521", "secp521r1", 66}};
    struct str crv = json_str(json_get_lit(jwk, "crv"), STR(""));
    struct buf point AUTO(buf_destroy) = BUF_INIT;

    for (size_t i = 0; i < COUNTOF(curves); i++) {
        if (!str_eq(crv, str_from_c(curves[i].name)))
            continue;
        buf_add_char(&point, 4);
        if (!codec_base64url_decode(&point, json_str(json_get_lit(jwk, "x"), STR("")), err) || point.len != 1 + curves[i].size ||
            !codec_base64url_decode(&point, json_str(json_get_lit(jwk, "y"), STR("")), err) || point.len != 1 + 2 * curves[i].size)
            return err_set(err, ERR_INVALID, "an elliptic key whose point has not the size of its curve");
        return adopt(ec_public(curves[i].group, buf_str(&point)), kid, ret, err);
    }
    return err_set(err, ERR_UNSUPPORTED, "an elliptic key is on a curve other than P-256, P-384 and P-521");
}

static bool
key_from_okp(const struct json *jwk, struct str kid, struct jwt_key *ret, struct err *err)
{
    struct buf x AUTO(buf_destroy) = BUF_INIT;

    if (!str_eq_lit(json_str(json_get_lit(jwk, "crv"), STR("")), "Ed25519"))
        return err_set(err, ERR_UNSUPPORTED, "a key on a curve other than Ed25519");
    if (!codec_base64url_decode(&x, json_str(json_get_lit(jwk, "x"), STR("")), err) || x.len != 32)
        return err_set(err, ERR_INVALID, "an Ed25519 key that has not 32 bytes");
    return adopt(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)x.p, x.len), kid, ret, err);
}

static bool
key_from_oct(const struct json *jwk, struct str kid, struct jwt_key *ret, struct err *err)
{
    struct buf k AUTO(buf_destroy) = BUF_INIT;

    if (!codec_base64url_decode(&k, json_str(json_get_lit(jwk, "k"), STR("")), err))
        return err_prefix(err, "a secret key");
    return jwt_key_from_secret(buf_str(&k), kid, ret, err);
}

/* `use` and `key_ops`, where they are given, must allow verifying. */
static bool
is_for_signatures(const struct json *jwk)
{
    const struct json *use = json_get_lit(jwk, "use"), *ops = json_get_lit(jwk, "key_ops");

    if (use && !str_eq_lit(json_str(use, STR("")), "sig"))
        return false;
    for (size_t i = 0; i < json_count(ops); i++)
        if (str_eq_lit(json_str(json_item(ops, i), STR("")), "verify"))
            return true;
    return !ops;
}

bool
jwt_key_from_jwk(const struct json *jwk, struct jwt_key *ret, struct err *err)
{
    struct str kty = json_str(json_get_lit(jwk, "kty"), STR("")), kid = json_str(json_get_lit(jwk, "kid"), STR_NONE);
    bool ok;

    if (!is_for_signatures(jwk))
        return err_set(err, ERR_UNSUPPORTED, "a key that is not for signatures");
    if (str_eq_lit(kty, "RSA"))
        ok = jwt_key_from_rsa(json_str(json_get_lit(jwk, "n"), STR("")), json_str(json_get_lit(jwk, "e"), STR("")), kid, ret, err);
    else if (str_eq_lit(kty, "EC"))
        ok = key_from_ec(jwk, kid, ret, err);
    else if (str_eq_lit(kty, "oct"))
        ok = key_from_oct(jwk, kid, ret, err);
    else if (str_eq_lit(kty, "OKP"))
        ok = key_from_okp(jwk, kid, ret, err);
    else
        ok = err_set(err, ERR_UNSUPPORTED, "a key of unknown type '%.*s'", (int)MIN(kty.len, (size_t)32), kty.p);
    if (ok)
        ret->alg = copy_of(json_str(json_get_lit(jwk, "alg"), STR_NONE));
    return ok;
}

bool
jwt_keys_from_jwks(const struct json *jwks, struct jwt_key **ret, size_t *ret_n, struct err *err)
{
    const struct json *list = json_get_lit(jwks, "keys");
    VEC(struct jwt_key) keys = {0};

    if (!json_is(list, JSON_ARRAY))
        return err_set(err, ERR_INVALID, "a key set has no 'keys'");
    for (size_t i = 0; i < json_count(list); i++) {
        struct jwt_key k;
        if (jwt_key_from_jwk(json_item(list, i), &k, NULL))
            *vec_push(&keys) = k;
    }
    *ret = keys.v;
    *ret_n = keys.n;
    return true;
}

void
jwt_key_destroy(struct jwt_key *k)
{
    EVP_PKEY_free(k->pkey);
    if (k->secret)
        OPENSSL_cleanse(k->secret, k->secret_size);
    free(k->secret);
    free(k->kid);
    free(k->alg);
    *k = (struct jwt_key){0};
}

void
jwt_keys_delete(struct jwt_key *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        jwt_key_destroy(&keys[i]);
    free(keys);
}
