/* jwt.c: reading and verifying tokens; keys stand in jwt_key.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/jwt.h"

#include <math.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/codec.h"
#include "data/crypto.h"
#include "data/jwt_part.h"

/* ---- reading ---- */

bool
jwt_part_bytes(struct arena *a, struct str text, struct str *ret, struct err *err)
{
    struct buf b = buf_in(a);

    if (!codec_base64url_decode(&b, text, err))
        return false;
    *ret = b.len ? buf_str(&b) : STR("");
    return ret->p || err_set(err, ERR_NO_MEMORY, "the token does not fit the memory limit");
}

static bool
parse_object(struct arena *a, struct str bytes, enum jwt_reading how, const char *what, const struct json **ret, struct err *err)
{
    struct json_problem problem;
    const struct json *j = json_parse(a, bytes, how == JWT_TOLERANT ? JSON_STRICT : JSON_STRICT_UNIQUE, &problem);

    if (!j)
        return err_set(err, problem.err.code, "the %s of the token: %s", what, problem.err.text);
    *ret = j;
    return json_is(j, JSON_OBJECT) || err_set(err, ERR_INVALID, "the %s of the token is no JSON object", what);
}

bool
jwt_part_object(struct arena *a, struct str text, enum jwt_reading how, const char *what, const struct json **ret, struct err *err)
{
    struct str bytes;

    if (!jwt_part_bytes(a, text, &bytes, err))
        return err_prefix(err, "the %s of the token", what);
    return parse_object(a, bytes, how, what, ret, err);
}

bool
jwt_header_text(const struct json *header, struct str name, struct str *ret, struct err *err)
{
    const struct json *j = json_get(header, name);

    *ret = json_str(j, STR_NONE);
    return !j || ret->p || err_set(err, ERR_INVALID, "the token's header has a '%.*s' that is no string", STR_ARG(name));
}

bool
jwt_header_check(const struct json *header, struct str kid, struct err *err)
{
    if (!json_get_lit(header, "alg"))
        return err_set(err, ERR_INVALID, "the token's header has no 'alg'");
    if (kid.len > JWT_KID_MAX)
        return err_set(err, ERR_LIMIT, "the token's 'kid' is longer than %d bytes", JWT_KID_MAX);
    if (json_get_lit(header, "crit") || json_get_lit(header, "b64"))
        return err_set(err, ERR_UNSUPPORTED, "the token asks for extensions ('crit', 'b64') that are not supported");
    return true;
}

bool
jwt_is_encrypted(struct str text)
{
    size_t dots = 0;

    for (size_t i = 0; i < text.len; i++)
        dots += text.p[i] == '.';
    return dots == 4;
}

bool
jwt_parse(struct arena *a, struct str text, enum jwt_reading how, struct jwt *ret, struct err *err)
{
    struct str rest = text, header, payload = STR_NONE, signature = STR_NONE;
    struct jwt t = {0};

    if (text.len > JWT_TEXT_MAX)
        return err_set(err, ERR_LIMIT, "the token is longer than %zu bytes", JWT_TEXT_MAX);
    str_split_next(&rest, '.', &header);
    str_split_next(&rest, '.', &payload);
    if (rest.p)
        str_split_next(&rest, '.', &signature);
    if (!payload.p || rest.p || (how != JWT_TOLERANT && !signature.p))
        return err_set(err, ERR_SYNTAX, "expected a token of three parts divided by dots");
    t.signed_part = str_sub(text, 0, header.len + 1 + payload.len);
    if (!jwt_part_object(a, header, how, "header", &t.header, err))
        return false;
    if (!jwt_part_bytes(a, payload, &t.payload, err))
        return err_prefix(err, "the payload of the token");
    if (how != JWT_ANY_PAYLOAD && !parse_object(a, t.payload, how, "payload", &t.claims, err))
        return false;
    if (how != JWT_TOLERANT && !jwt_part_bytes(a, signature, &t.signature, err))
        return err_prefix(err, "the signature of the token");
    if (!jwt_header_text(t.header, STR("alg"), &t.alg, err) || !jwt_header_text(t.header, STR("kid"), &t.kid, err) ||
        !jwt_header_text(t.header, STR("typ"), &t.typ, err)) {
        if (how != JWT_TOLERANT)
            return false;
    }
    if (how != JWT_TOLERANT && !jwt_header_check(t.header, t.kid, err))
        return false;
    *ret = t;
    return true;
}

/* ---- verifying ---- */

static const struct jwt_algorithm algorithms[] = {
    {"HS256", JWT_KEY_SECRET, HASH_SHA256, 0, 0}, {"HS384", JWT_KEY_SECRET, HASH_SHA384, 0, 0},
    {"HS512", JWT_KEY_SECRET, HASH_SHA512, 0, 0}, {"RS256", JWT_KEY_RSA, HASH_SHA256, RSA_PADDING_PKCS1, 0},
    {"RS384", JWT_KEY_RSA, HASH_SHA384, RSA_PADDING_PKCS1, 0}, {"RS512", JWT_KEY_RSA, HASH_SHA512, RSA_PADDING_PKCS1, 0},
    {"PS256", JWT_KEY_RSA, HASH_SHA256, RSA_PADDING_PSS, 0}, {"PS384", JWT_KEY_RSA, HASH_SHA384, RSA_PADDING_PSS, 0},
    {"PS512", JWT_KEY_RSA, HASH_SHA512, RSA_PADDING_PSS, 0}, {"ES256", JWT_KEY_EC, HASH_SHA256, 0, 32},
    {"ES384", JWT_KEY_EC, HASH_SHA384, 0, 48}, {"ES512", JWT_KEY_EC, HASH_SHA512, 0, 66},
    {"EdDSA", JWT_KEY_ED25519, 0, 0, 0},
};

const struct jwt_algorithm *
jwt_algorithm_named(struct str name)
{
    for (size_t i = 0; i < COUNTOF(algorithms); i++)
        if (str_eq(name, str_from_c(algorithms[i].name)))
            return &algorithms[i];
    return NULL;
}

/* Raw r || s becomes what OpenSSL reads. */
static bool
verify_ec(const struct jwt_key *k, struct str digest, struct str signature)
{
    size_t half = k->coordinate_size;
    ECDSA_SIG *sig;
    BIGNUM *r, *s;
    unsigned char *der = NULL;
    int n;
    bool ok = false;

    if (signature.len != 2 * half)
        return false;
    sig = ECDSA_SIG_new();
    r = BN_bin2bn((const unsigned char *)signature.p, (int)half, NULL);
    s = BN_bin2bn((const unsigned char *)signature.p + half, (int)half, NULL);
    if (!sig || !r || !s || BN_is_zero(r) || BN_is_zero(s) || ECDSA_SIG_set0(sig, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(sig);
        return false;
    }
    n = i2d_ECDSA_SIG(sig, &der);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
    ok = n > 0 && ctx && EVP_PKEY_verify_init(ctx) == 1 &&
         EVP_PKEY_verify(ctx, der, (size_t)n, (const unsigned char *)digest.p, digest.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);
    ERR_clear_error();
    return ok;
}

static bool
verify_ed25519(const struct jwt_key *k, const struct jwt *t)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, k->pkey) == 1 &&
              EVP_DigestVerify(ctx, (const unsigned char *)t->signature.p, t->signature.len,
                               (const unsigned char *)t->signed_part.p, t->signed_part.len) == 1;

    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

static bool
verify_with(const struct jwt_key *k, const struct jwt_algorithm *alg, const struct jwt *t)
{
    uint8_t bytes[CRYPTO_HASH_MAX];
    struct str digest;

    if (alg->kind == JWT_KEY_ED25519)
        return verify_ed25519(k, t);
    digest = str_from((const char *)bytes, crypto_hash_size(alg->hash));
    if (alg->kind == JWT_KEY_SECRET)
        return crypto_hmac(alg->hash, str_from((const char *)k->secret, k->secret_size), t->signed_part, bytes) &&
               crypto_equal(digest, t->signature);
    if (!crypto_digest(alg->hash, t->signed_part, bytes))
        return false;
    if (alg->kind == JWT_KEY_EC)
        return verify_ec(k, digest, t->signature);
    return t->signature.len == (size_t)EVP_PKEY_get_size(k->pkey) &&
           crypto_rsa_verify(k->pkey, alg->hash, alg->padding, digest, t->signature);
}

/* A key may name a weaker hash of the same kind than the token uses, never a stronger one: PS256 serves PS384, not RS256.
 * ES521 is how some write ES512. */
static bool
is_for(const struct jwt_key *k, const struct jwt_algorithm *alg)
{
    const struct jwt_algorithm *own;

    if (!k->alg)
        return true;
    own = strcmp(k->alg, "ES521") == 0 ? jwt_algorithm_named(STR("ES512")) : jwt_algorithm_named(str_from_c(k->alg));
    return own && own->kind == alg->kind && own->padding == alg->padding && own->hash <= alg->hash &&
           own->coordinate_size == alg->coordinate_size;
}

static bool
key_fits(const struct jwt_key *k, const struct jwt_algorithm *alg)
{
    if (k->kind != alg->kind || !is_for(k, alg))
        return false;
    if (k->kind == JWT_KEY_EC && k->coordinate_size != alg->coordinate_size)
        return false;
    return k->kind != JWT_KEY_SECRET || !k->is_full_size || k->secret_size >= crypto_hash_size(alg->hash);
}

static bool
has_kid(const struct jwt_key *k, const struct jwt *t)
{
    return k->kid && str_eq(t->kid, str_from_c(k->kid));
}

/* Whether the token's kid speaks for this key. */
static bool
kid_admits(const struct jwt *t, const struct jwt_key *keys, size_t n, enum jwt_kid_use use, const struct jwt_key *k)
{
    if (!t->kid.p || has_kid(k, t))
        return true;
    if (use == JWT_KID_DECIDES)
        return !k->kid;
    for (size_t i = 0; i < n; i++)
        if (has_kid(&keys[i], t))
            return false;
    return true;
}

enum jwt_result
jwt_verify(const struct jwt *t, const struct jwt_key *keys, size_t n, enum jwt_kid_use use, struct err *err)
{
    const struct jwt_algorithm *alg = jwt_algorithm_named(t->alg);
    bool tried = false;

    if (!alg) {
        err_set(err, ERR_DENIED, "the token's algorithm '%.*s' is not accepted", (int)MIN(t->alg.len, (size_t)32), t->alg.p);
        return JWT_BAD_ALGORITHM;
    }
    for (size_t i = 0; i < n; i++) {
        if (!key_fits(&keys[i], alg) || !kid_admits(t, keys, n, use, &keys[i]))
            continue;
        tried = true;
        if (verify_with(&keys[i], alg, t))
            return JWT_VALID;
    }
    if (tried) {
        err_set(err, ERR_DENIED, "the token's signature does not match");
        return JWT_BAD_SIGNATURE;
    }
    err_set(err, ERR_NOT_FOUND, "no configured key fits the token's key id and algorithm");
    return JWT_NO_KEY;
}

/* ---- claims ---- */

bool
jwt_claim_time(const struct jwt *t, struct str name, int64_t *ret)
{
    const struct json *j = json_get(t->claims, name);
    double d = json_double(j, NAN);

    if (!json_is(j, JSON_NUMBER) || !(d >= 0 && d < 1e15))
        return false;
    *ret = (int64_t)d;
    return true;
}

/* Absent is fine unless it is required. */
static bool
time_claim(const struct jwt *t, struct str name, bool required, int64_t *ret, bool *ret_some, struct err *err)
{
    *ret_some = jwt_claim_time(t, name, ret);
    if (*ret_some)
        return true;
    if (json_get(t->claims, name))
        return err_set(err, ERR_INVALID, "the token's '%.*s' is no time", STR_ARG(name));
    return !required || err_set(err, ERR_INVALID, "the token has no '%.*s'", STR_ARG(name));
}

bool
jwt_check_times(const struct jwt *t, int64_t now_s, int64_t skew_s, bool require_exp, struct err *err)
{
    int64_t exp, nbf;
    bool has_exp, has_nbf;

    if (!time_claim(t, STR("exp"), require_exp, &exp, &has_exp, err) || !time_claim(t, STR("nbf"), false, &nbf, &has_nbf, err))
        return false;
    if (has_exp && now_s - skew_s >= exp)
        return err_set(err, ERR_TIMEOUT, "the token expired at %" PRId64, exp);
    if (has_nbf && now_s + skew_s < nbf)
        return err_set(err, ERR_DENIED, "the token is not valid before %" PRId64, nbf);
    return true;
}

struct str
jwt_claim_text(struct arena *a, const struct json *value)
{
    struct buf b = buf_in(a);
    struct json_writer w = JSON_WRITER(&b);

    if (json_is(value, JSON_STRING) || json_is(value, JSON_NUMBER))
        return json_text(value);
    json_write(&w, value);
    return buf_str(&b);
}
