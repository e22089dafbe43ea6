/* jwt_key.c: keys for verifying tokens: JSON Web Keys, secrets, public keys.
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/bn.h>
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
    if (bytes.len < JWT_SECRET_MIN)
        return err_set(err, ERR_INVALID, "a secret has %zu bytes; at least %d are needed", bytes.len, JWT_SECRET_MIN);
    *ret = (struct jwt_key){.kind = JWT_KEY_SECRET, .kid = copy_of(kid), .secret = xmalloc(bytes.len), .secret_size = bytes.len};
    memcpy(ret->secret, bytes.p, bytes.len);
    return true;
}

/* ---- RSA ---- */

/* Moduli of a library whose primes were k * M + (65537^a mod M), M the product of small primes: they can be factored
 * (CVE-2017-15361). Such a modulus is a power of 65537 modulo each of these primes, others are by chance alone. */
static bool
is_roca(const BIGNUM *n)
{
    static const uint8_t primes[] = {3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
                                     107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};

    for (size_t i = 0; i < COUNTOF(primes); i++) {
        uint32_t p = primes[i], rest = (uint32_t)BN_mod_word(n, p), power = 1;
        bool found = false;
        for (uint32_t k = 0; k < p && !found; k++, power = power * (65537 % p) % p)
            found = power == rest;
        if (!found)
            return false;
    }
    return true;
}

static bool
check_rsa(EVP_PKEY *pkey, struct err *err)
{
    BIGNUM *n = NULL, *e = NULL;
    bool ok = false;

    if (EVP_PKEY_get_bits(pkey) < JWT_RSA_BITS_MIN)
        return err_set(err, ERR_INVALID, "an RSA key has %d bits; at least %d are needed", EVP_PKEY_get_bits(pkey), JWT_RSA_BITS_MIN);
    if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) != 1 || EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) != 1)
        err_set(err, ERR_INVALID, "an RSA key without modulus or exponent");
    else if (!BN_is_odd(e) || BN_is_one(e) || BN_num_bits(e) > 64)
        err_set(err, ERR_INVALID, "an RSA key whose public exponent is not odd and between 3 and 2^64");
    else if (is_roca(n))
        err_set(err, ERR_INVALID, "an RSA key that can be factored (ROCA, CVE-2017-15361)");
    else
        ok = true;
    BN_free(n);
    BN_free(e);
    return ok;
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
        if (!check_rsa(pkey, err))
            return false;
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
    if (!jwt_key_from_secret(buf_str(&k), kid, ret, err))
        return false;
    ret->is_full_size = true;
    return true;
}

/* ---- private keys ---- */

/* A number of a JWK, by its member. False when it is missing or no Base64url; the limit is that of RSA-16384. */
static bool
number_of(const struct json *jwk, struct str member, BIGNUM **ret)
{
    struct buf bytes AUTO(buf_destroy) = BUF_INIT;

    if (!codec_base64url_decode(&bytes, json_str(json_get(jwk, member), STR("")), NULL) || bytes.len == 0 || bytes.len > 2048)
        return false;
    *ret = BN_bin2bn((const unsigned char *)bytes.p, (int)bytes.len, NULL);
    OPENSSL_cleanse(bytes.p, bytes.len);
    return *ret != NULL;
}

static EVP_PKEY *
key_from_params(const char *type, OSSL_PARAM_BLD *build)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY *pkey = NULL;

    if (ctx && params && EVP_PKEY_fromdata_init(ctx) == 1)
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return pkey;
}

static bool
private_rsa(const struct json *jwk, struct str kid, struct jwt_key *ret, struct err *err)
{
    static const struct { struct str member; const char *param; } parts[] = {
        {STR_INIT("n"), OSSL_PKEY_PARAM_RSA_N}, {STR_INIT("e"), OSSL_PKEY_PARAM_RSA_E}, {STR_INIT("d"), OSSL_PKEY_PARAM_RSA_D},
        {STR_INIT("p"), OSSL_PKEY_PARAM_RSA_FACTOR1}, {STR_INIT("q"), OSSL_PKEY_PARAM_RSA_FACTOR2},
        {STR_INIT("dp"), OSSL_PKEY_PARAM_RSA_EXPONENT1}, {STR_INIT("dq"), OSSL_PKEY_PARAM_RSA_EXPONENT2},
        {STR_INIT("qi"), OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *numbers[COUNTOF(parts)] = {0};
    EVP_PKEY *pkey = NULL;
    bool ok = build != NULL;

    for (size_t i = 0; ok && i < COUNTOF(parts); i++)
        ok = number_of(jwk, parts[i].member, &numbers[i]) && OSSL_PARAM_BLD_push_BN(build, parts[i].param, numbers[i]) == 1;
    if (ok)
        pkey = key_from_params("RSA", build);
    for (size_t i = 0; i < COUNTOF(parts); i++)
        BN_clear_free(numbers[i]);
    OSSL_PARAM_BLD_free(build);
    return adopt(pkey, kid, ret, err);
}

/* The public point comes from key_from_ec(), which has checked it. */
static bool
private_ec(const struct json *jwk, struct str kid, struct jwt_key *ret, struct err *err)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    struct jwt_key public;
    unsigned char point[1 + 2 * 66];
    char group[80];
    size_t n;
    BIGNUM *d = NULL;
    EVP_PKEY *pkey = NULL;

    if (!key_from_ec(jwk, STR_NONE, &public, err)) {
        OSSL_PARAM_BLD_free(build);
        return false;
    }
    if (build && number_of(jwk, STR("d"), &d) &&
        EVP_PKEY_get_utf8_string_param(public.pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL) == 1 &&
        EVP_PKEY_get_octet_string_param(public.pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &n) == 1 &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d) == 1)
        pkey = key_from_params("EC", build);
    BN_clear_free(d);
    OSSL_PARAM_BLD_free(build);
    jwt_key_destroy(&public);
    return adopt(pkey, kid, ret, err);
}

bool
jwt_key_from_private_jwk(const struct json *jwk, struct jwt_key *ret, struct err *err)
{
    struct str kty = json_str(json_get_lit(jwk, "kty"), STR("")), kid = json_str(json_get_lit(jwk, "kid"), STR_NONE);
    bool ok;

    if (str_eq_lit(kty, "RSA"))
        ok = private_rsa(jwk, kid, ret, err);
    else if (str_eq_lit(kty, "EC"))
        ok = private_ec(jwk, kid, ret, err);
    else if (str_eq_lit(kty, "oct"))
        ok = key_from_oct(jwk, kid, ret, err);
    else
        ok = err_set(err, ERR_UNSUPPORTED, "a private key of type '%.*s'", (int)MIN(kty.len, (size_t)32), kty.p);
    if (ok)
        ret->alg = copy_of(json_str(json_get_lit(jwk, "alg"), STR_NONE));
    return ok;
}

/* ---- public keys and key sets ---- */

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

static bool
has_same(const struct json *a, const struct json *b, struct str member)
{
    return str_eq(json_str(json_get(a, member), STR("")), json_str(json_get(b, member), STR("")));
}

static bool
is_other_key_of_same_name(const struct json *a, const struct json *b)
{
    if (!json_get_lit(a, "kid") || !has_same(a, b, STR("kid")) || !has_same(a, b, STR("kty")) || !is_for_signatures(b))
        return false;
    return !has_same(a, b, STR("n")) || !has_same(a, b, STR("k")) || !has_same(a, b, STR("x")) || !has_same(a, b, STR("y"));
}

static bool
is_secret(const struct json *jwk)
{
    return str_eq_lit(json_str(json_get_lit(jwk, "kty"), STR("")), "oct");
}

static bool
is_usable_in(const struct json *list, const struct json *jwk)
{
    for (size_t i = 0; i < json_count(list); i++)
        if (is_other_key_of_same_name(jwk, json_item(list, i)) || (is_secret(jwk) && !is_secret(json_item(list, i))))
            return false;
    return true;
}

bool
jwt_keys_from_jwks(const struct json *jwks, struct jwt_key **ret, size_t *ret_n, struct err *err)
{
    const struct json *list = json_get_lit(jwks, "keys");
    VEC(struct jwt_key) keys = {0};

    if (!json_is(list, JSON_ARRAY))
        return err_set(err, ERR_INVALID, "a key set has no 'keys'");
    if (json_count(list) > JWT_KEYS_MAX)
        return err_set(err, ERR_LIMIT, "a key set has more than %d keys", JWT_KEYS_MAX);
    for (size_t i = 0; i < json_count(list); i++) {
        struct jwt_key k;
        if (is_usable_in(list, json_item(list, i)) && jwt_key_from_jwk(json_item(list, i), &k, NULL))
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
