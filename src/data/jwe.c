/* jwe.c: header.key.iv.text.tag: the header names how the content key (CEK) was wrapped and what the content was sealed with.
 *
 *     token -> parts, header checked -> for each key that fits: unwrap the CEK -> open the content -> inflate
 * Sealing is the same way back, for the algorithms that tests and assertions need.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/jwe.h"

#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <zlib.h>

#include "base/codec.h"
#include "data/jwt_part.h"

#define CEK_MAX 64
#define GCM_IV 12
#define TAG 16

/* ---- algorithms ---- */

struct content_algorithm {
    const char *name;
    uint32_t key_size;                /* of the CEK; with CBC half of it is for the MAC */
    enum crypto_hash hash;            /* CBC */
    bool is_gcm;
};

static const struct content_algorithm content_algorithms[] = {
    {"A128CBC-HS256", 32, HASH_SHA256, false}, {"A192CBC-HS384", 48, HASH_SHA384, false}, {"A256CBC-HS512", 64, HASH_SHA512, false},
    {"A128GCM", 16, 0, true},                  {"A192GCM", 24, 0, true},                  {"A256GCM", 32, 0, true},
};

enum wrapping { WRAP_DIRECT, WRAP_KW, WRAP_GCMKW, WRAP_RSA, WRAP_RSA15, WRAP_ECDH, WRAP_PBES2 };

struct key_algorithm {
    const char *name;
    enum wrapping wrapping;
    enum jwt_key_kind kind;
    uint32_t kek_size;                /* of the key that wraps; 0: none, or the key's own business */
    enum crypto_hash hash;            /* of OAEP, of PBES2 */
};

static const struct key_algorithm key_algorithms[] = {
    {"dir", WRAP_DIRECT, JWT_KEY_SECRET, 0, 0},
    {"A128KW", WRAP_KW, JWT_KEY_SECRET, 16, 0},
    {"A192KW", WRAP_KW, JWT_KEY_SECRET, 24, 0},
    {"A256KW", WRAP_KW, JWT_KEY_SECRET, 32, 0},
    {"A128GCMKW", WRAP_GCMKW, JWT_KEY_SECRET, 16, 0},
    {"A192GCMKW", WRAP_GCMKW, JWT_KEY_SECRET, 24, 0},
    {"A256GCMKW", WRAP_GCMKW, JWT_KEY_SECRET, 32, 0},
    {"RSA-OAEP", WRAP_RSA, JWT_KEY_RSA, 0, HASH_SHA1},
    {"RSA-OAEP-256", WRAP_RSA, JWT_KEY_RSA, 0, HASH_SHA256},
    {"RSA-OAEP-384", WRAP_RSA, JWT_KEY_RSA, 0, HASH_SHA384},
    {"RSA-OAEP-512", WRAP_RSA, JWT_KEY_RSA, 0, HASH_SHA512},
    {"RSA1_5", WRAP_RSA15, JWT_KEY_RSA, 0, 0},
    {"ECDH-ES", WRAP_ECDH, JWT_KEY_EC, 0, 0},
    {"ECDH-ES+A128KW", WRAP_ECDH, JWT_KEY_EC, 16, 0},
    {"ECDH-ES+A192KW", WRAP_ECDH, JWT_KEY_EC, 24, 0},
    {"ECDH-ES+A256KW", WRAP_ECDH, JWT_KEY_EC, 32, 0},
    {"PBES2-HS256+A128KW", WRAP_PBES2, JWT_KEY_SECRET, 16, HASH_SHA256},
    {"PBES2-HS384+A192KW", WRAP_PBES2, JWT_KEY_SECRET, 24, HASH_SHA384},
    {"PBES2-HS512+A256KW", WRAP_PBES2, JWT_KEY_SECRET, 32, HASH_SHA512},
};

/* A token in its parts, decoded. */
struct jwe {
    const struct json *header;
    struct str protected;             /* the header as it stands: what the tag covers */
    struct str wrapped, iv, text, tag;
    const struct key_algorithm *alg;
    const struct content_algorithm *enc;
    bool is_deflated;
    /* Of single algorithms; STR_NONE, NULL, 0 for the others. */
    struct str key_iv, key_tag;       /* GCMKW */
    struct str salt;                  /* PBES2: name, 0, p2s */
    uint32_t rounds;
    struct jwt_key epk;               /* ECDH: the sender's; freed by jwe_destroy() */
    struct str apu, apv;
};

static void
jwe_destroy(struct jwe *t)
{
    jwt_key_destroy(&t->epk);
}

/* ---- reading ---- */

static bool
split(struct arena *a, struct str token, struct jwe *t, struct str *ret_header, struct err *err)
{
    struct str rest = token, parts[5];

    if (token.len > JWT_TEXT_MAX)
        return err_set(err, ERR_LIMIT, "the token is longer than %zu bytes", JWT_TEXT_MAX);
    for (size_t i = 0; i < COUNTOF(parts); i++)
        if (!str_split_next(&rest, '.', &parts[i]))
            return err_set(err, ERR_SYNTAX, "expected a token of five parts divided by dots");
    if (rest.p)
        return err_set(err, ERR_SYNTAX, "expected a token of five parts divided by dots");
    t->protected = *ret_header = parts[0];
    if (jwt_part_bytes(a, parts[1], &t->wrapped, err) && jwt_part_bytes(a, parts[2], &t->iv, err) &&
        jwt_part_bytes(a, parts[3], &t->text, err) && jwt_part_bytes(a, parts[4], &t->tag, err))
        return true;
    return err_prefix(err, "the token");
}

/* A member of the header that is Base64url. */
static bool
header_bytes(struct arena *a, const struct jwe *t, struct str name, struct str *ret, struct err *err)
{
    struct str text;

    if (!jwt_header_text(t->header, name, &text, err))
        return false;
    if (!text.p) {
        *ret = STR_NONE;
        return true;
    }
    return jwt_part_bytes(a, text, ret, err) || err_prefix(err, "the token's '%.*s'", STR_ARG(name));
}

static bool
read_gcmkw(struct arena *a, struct jwe *t, struct err *err)
{
    if (!header_bytes(a, t, STR("iv"), &t->key_iv, err) || !header_bytes(a, t, STR("tag"), &t->key_tag, err))
        return false;
    return (t->key_iv.len == GCM_IV && t->key_tag.len == TAG) ||
           err_set(err, ERR_INVALID, "the token's header needs an 'iv' of 12 bytes and a 'tag' of 16");
}

static bool
read_pbes2(struct arena *a, struct jwe *t, struct err *err)
{
    int64_t rounds = json_i64(json_get_lit(t->header, "p2c"), 0);
    struct str salt;

    if (!header_bytes(a, t, STR("p2s"), &salt, err))
        return false;
    if (salt.len < 8 || rounds < 1)
        return err_set(err, ERR_INVALID, "the token's header needs a 'p2s' of 8 bytes or more and a 'p2c'");
    if (rounds > JWE_PBES2_ROUNDS_MAX)
        return err_set(err, ERR_LIMIT, "the token's 'p2c' is above %d", JWE_PBES2_ROUNDS_MAX);
    t->rounds = (uint32_t)rounds;
    t->salt = str_concat(a, str_from(t->alg->name, strlen(t->alg->name) + 1), salt);
    return t->salt.p || err_set(err, ERR_NO_MEMORY, "the token does not fit the memory limit");
}

static bool
read_ecdh(struct arena *a, struct jwe *t, struct err *err)
{
    const struct json *epk = json_get_lit(t->header, "epk");

    if (!json_is(epk, JSON_OBJECT) || !str_eq_lit(json_str(json_get_lit(epk, "kty"), STR("")), "EC") ||
        !jwt_key_from_jwk(epk, &t->epk, err))
        return err_set(err, ERR_INVALID, "the token's header needs an 'epk', a public key on P-256, P-384 or P-521");
    return header_bytes(a, t, STR("apu"), &t->apu, err) && header_bytes(a, t, STR("apv"), &t->apv, err);
}

static bool
find_algorithms(struct str alg, struct str enc, struct jwe *t, struct err *err)
{
    for (size_t i = 0; i < COUNTOF(key_algorithms); i++)
        if (str_eq(alg, str_from_c(key_algorithms[i].name)))
            t->alg = &key_algorithms[i];
    for (size_t i = 0; i < COUNTOF(content_algorithms); i++)
        if (str_eq(enc, str_from_c(content_algorithms[i].name)))
            t->enc = &content_algorithms[i];
    if (t->alg && t->enc)
        return true;
    return err_set(err, ERR_UNSUPPORTED, "the token's encryption '%.*s' with '%.*s' is not accepted", (int)MIN(alg.len, (size_t)32),
                   alg.p ? alg.p : "", (int)MIN(enc.len, (size_t)32), enc.p ? enc.p : "");
}

static bool
read_algorithms(struct jwe *t, struct err *err)
{
    struct str alg, enc, zip, kid;

    if (!jwt_header_text(t->header, STR("alg"), &alg, err) || !jwt_header_text(t->header, STR("enc"), &enc, err) ||
        !jwt_header_text(t->header, STR("zip"), &zip, err) || !jwt_header_text(t->header, STR("kid"), &kid, err) ||
        !jwt_header_check(t->header, kid, err))
        return false;
    if (!find_algorithms(alg, enc, t, err))
        return false;
    if (zip.p && !str_eq_lit(zip, "DEF"))
        return err_set(err, ERR_UNSUPPORTED, "the token's 'zip' is not DEF");
    t->is_deflated = zip.p != NULL;
    return true;
}

static bool
read_token(struct arena *a, struct str token, struct jwe *t, struct err *err)
{
    struct str header;

    if (!split(a, token, t, &header, err) || !jwt_part_object(a, header, JWT_STRICT, "header", &t->header, err) ||
        !read_algorithms(t, err))
        return false;
    switch (t->alg->wrapping) {
    case WRAP_GCMKW: return read_gcmkw(a, t, err);
    case WRAP_PBES2: return read_pbes2(a, t, err);
    case WRAP_ECDH: return read_ecdh(a, t, err);
    case WRAP_DIRECT: case WRAP_KW: case WRAP_RSA: case WRAP_RSA15: break;
    }
    return true;
}

/* ---- primitives ---- */

static const EVP_CIPHER *
aes_wrap(size_t key_size)
{
    return key_size == 16 ? EVP_aes_128_wrap() : key_size == 24 ? EVP_aes_192_wrap() : EVP_aes_256_wrap();
}

static const EVP_CIPHER *
aes_gcm(size_t key_size)
{
    return key_size == 16 ? EVP_aes_128_gcm() : key_size == 24 ? EVP_aes_192_gcm() : EVP_aes_256_gcm();
}

/* RFC 3394: the result is 8 bytes shorter. */
static bool
key_unwrap(struct str kek, struct str wrapped, uint8_t *ret, size_t size)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t out[CEK_MAX + 16];
    int n = 0, last = 0;
    bool ok = ctx && wrapped.len == size + 8 && wrapped.len <= CEK_MAX + 8;

    if (ok) {
        EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
        ok = EVP_DecryptInit_ex(ctx, aes_wrap(kek.len), NULL, (const unsigned char *)kek.p, NULL) == 1 &&
             EVP_DecryptUpdate(ctx, out, &n, (const unsigned char *)wrapped.p, (int)wrapped.len) == 1 &&
             EVP_DecryptFinal_ex(ctx, out + n, &last) == 1 && (size_t)(n + last) == size;
    }
    if (ok)
        memcpy(ret, out, size);
    OPENSSL_cleanse(out, sizeof(out));
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

static bool
gcm_open(struct str key, struct str iv, struct str covered, struct str text, struct str tag, uint8_t *ret)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0, last = 0;
    bool ok = ctx && iv.len == GCM_IV && tag.len == TAG &&
              EVP_DecryptInit_ex(ctx, aes_gcm(key.len), NULL, (const unsigned char *)key.p, (const unsigned char *)iv.p) == 1 &&
              (!covered.len || EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)covered.p, (int)covered.len) == 1) &&
              (!text.len || EVP_DecryptUpdate(ctx, ret, &n, (const unsigned char *)text.p, (int)text.len) == 1) &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, (void *)(uintptr_t)tag.p) == 1 &&
              EVP_DecryptFinal_ex(ctx, ret + (text.len ? n : 0), &last) == 1;

    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

/* ---- from the wrapped key to the CEK ---- */

/* RFC 7518 4.6.2: Concat KDF with SHA-256. `for_name` is the algorithm the derived key is for. */
static bool
derive_key(const struct jwe *t, struct str shared, const char *for_name, uint8_t *ret, size_t size)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct str parts[] = {str_from_c(for_name), t->apu, t->apv};
    uint8_t digest[CRYPTO_HASH_MAX];
    bool ok = true;

    for (uint32_t round = 1; ok && (round - 1) * 32 < size; round++) {
        size_t from = (round - 1) * 32;

        buf_clear(&b);
        buf_add(&b, (uint8_t[]){0, 0, 0, (uint8_t)round}, 4);
        buf_add_str(&b, shared);
        for (size_t i = 0; i < COUNTOF(parts); i++) {
            uint32_t n = (uint32_t)parts[i].len;
            buf_add(&b, (uint8_t[]){(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}, 4);
            buf_add_str(&b, parts[i]);
        }
        buf_add(&b, (uint8_t[]){0, 0, (uint8_t)(size * 8 >> 8), (uint8_t)(size * 8)}, 4);
        ok = crypto_digest(HASH_SHA256, buf_str(&b), digest);
        memcpy(ret + from, digest, MIN(size - from, (size_t)32));
    }
    if (b.p)
        OPENSSL_cleanse(b.p, b.cap);
    return ok;
}

static bool
unwrap_ecdh(const struct jwe *t, const struct jwt_key *k, uint8_t *cek)
{
    uint8_t shared[66], kek[CEK_MAX];
    size_t n = sizeof(shared), size = t->alg->kek_size ? t->alg->kek_size : t->enc->key_size;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
    bool ok = ctx && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, t->epk.pkey) == 1 &&
              EVP_PKEY_derive(ctx, shared, &n) == 1 &&
              derive_key(t, str_from((const char *)shared, n), t->alg->kek_size ? t->alg->name : t->enc->name, kek, size);

    EVP_PKEY_CTX_free(ctx);
    if (ok && t->alg->kek_size)
        ok = key_unwrap(str_from((const char *)kek, size), t->wrapped, cek, t->enc->key_size);
    else if (ok)
        memcpy(cek, kek, size);
    if (!t->alg->kek_size)
        ok = ok && t->wrapped.len == 0;
    OPENSSL_cleanse(kek, sizeof(kek));
    OPENSSL_cleanse(shared, sizeof(shared));
    return ok;
}

/* RFC 7516 11.5: whatever RSA says, a key of the right size comes out, and the tag will tell. */
static bool
unwrap_rsa15(const struct jwe *t, const struct jwt_key *k, uint8_t *cek)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
    size_t n = (size_t)EVP_PKEY_get_size(k->pkey), size = t->enc->key_size;
    uint8_t *out = xmalloc(n), other[CEK_MAX], take;
    bool ok;

    memset(out, 0, n);
    ok = RAND_bytes(other, sizeof(other)) == 1 && ctx && EVP_PKEY_decrypt_init(ctx) == 1 &&
         EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
    if (ok) {
        size_t got = n;
        bool is_good = EVP_PKEY_decrypt(ctx, out, &got, (const unsigned char *)t->wrapped.p, t->wrapped.len) == 1;
        take = (uint8_t)-(int)(is_good & (got == size));
        for (size_t i = 0; i < size; i++)
            cek[i] = (uint8_t)((out[i] & take) | (other[i] & ~take));
    }
    OPENSSL_cleanse(out, n);
    free(out);
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static bool
unwrap_rsa(const struct jwe *t, const struct jwt_key *k, uint8_t *cek)
{
    struct buf out AUTO(buf_destroy) = BUF_INIT;
    bool ok = crypto_rsa_decrypt(k->pkey, RSA_PADDING_OAEP, t->alg->hash, t->wrapped, &out, NULL) && out.len == t->enc->key_size;

    if (ok)
        memcpy(cek, out.p, out.len);
    if (out.p)
        OPENSSL_cleanse(out.p, out.cap);
    return ok;
}

static bool
unwrap_pbes2(const struct jwe *t, struct str password, uint8_t *cek)
{
    uint8_t kek[32];
    bool ok = PKCS5_PBKDF2_HMAC(password.p, (int)password.len, (const unsigned char *)t->salt.p, (int)t->salt.len, (int)t->rounds,
                                crypto_md(t->alg->hash), (int)t->alg->kek_size, kek) == 1 &&
              key_unwrap(str_from((const char *)kek, t->alg->kek_size), t->wrapped, cek, t->enc->key_size);

    OPENSSL_cleanse(kek, sizeof(kek));
    return ok;
}

static bool
unwrap(const struct jwe *t, const struct jwt_key *k, uint8_t *cek)
{
    struct str secret = {(const char *)k->secret, k->secret_size};

    switch (t->alg->wrapping) {
    case WRAP_DIRECT:
        if (secret.len != t->enc->key_size || t->wrapped.len)
            return false;
        memcpy(cek, secret.p, secret.len);
        return true;
    case WRAP_KW: return secret.len == t->alg->kek_size && key_unwrap(secret, t->wrapped, cek, t->enc->key_size);
    case WRAP_GCMKW:
        return secret.len == t->alg->kek_size && t->wrapped.len == t->enc->key_size &&
               gcm_open(secret, t->key_iv, STR_NONE, t->wrapped, t->key_tag, cek);
    case WRAP_RSA: return unwrap_rsa(t, k, cek);
    case WRAP_RSA15: return unwrap_rsa15(t, k, cek);
    case WRAP_ECDH: return unwrap_ecdh(t, k, cek);
    case WRAP_PBES2: return unwrap_pbes2(t, secret, cek);
    }
    return false;
}

/* ---- the content ---- */

/* RFC 7518 5.2.2.1: over header, IV, text and the header's length in bits, with the first half of the key. */
static bool
cbc_tag(const struct jwe *t, struct str cek, uint8_t *tag)
{
    uint64_t bits = t->protected.len * 8;
    struct buf covered AUTO(buf_destroy) = BUF_INIT;

    buf_add_str(&covered, t->protected);
    buf_add_str(&covered, t->iv);
    buf_add_str(&covered, t->text);
    for (int shift = 56; shift >= 0; shift -= 8)
        buf_add_char(&covered, (char)(bits >> shift));
    return crypto_hmac(t->enc->hash, str_sub(cek, 0, cek.len / 2), buf_str(&covered), tag);
}

/* The tag is looked at before anything is decrypted. */
static bool
cbc_open(const struct jwe *t, struct str cek, struct buf *to)
{
    size_t half = cek.len / 2;
    uint8_t tag[CRYPTO_HASH_MAX];
    struct cipher cipher = {.kind = CIPHER_AES, .mode = MODE_CBC, .padding = PADDING_PKCS7, .key = str_skip(cek, half), .iv = t->iv};

    if (t->iv.len != 16 || t->tag.len != half || t->text.len == 0 || t->text.len % 16)
        return false;
    return cbc_tag(t, cek, tag) && crypto_equal(str_from((const char *)tag, half), t->tag) &&
           crypto_cipher(&cipher, false, t->text, to, NULL);
}

static bool
content_open(const struct jwe *t, struct str cek, struct buf *to)
{
    char *at;

    if (!t->enc->is_gcm)
        return cbc_open(t, cek, to);
    at = buf_reserve(to, t->text.len + 16);
    if (!at || !gcm_open(cek, t->iv, t->protected, t->text, t->tag, (uint8_t *)at))
        return false;
    to->len += t->text.len;
    return true;
}

/* Raw deflate (RFC 1951), to its end and not beyond the limit. */
static bool
inflate_text(struct str text, struct buf *to)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)text.p, .avail_in = (uInt)text.len};
    char *at = buf_reserve(to, JWE_PLAIN_MAX);
    int result;

    if (!at || inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return false;
    z.next_out = (Bytef *)at;
    z.avail_out = JWE_PLAIN_MAX;
    result = inflate(&z, Z_FINISH);
    to->len += z.total_out;
    inflateEnd(&z);
    return result == Z_STREAM_END && z.avail_in == 0;
}

static bool
open_with(struct arena *a, const struct jwe *t, const struct jwt_key *k, struct str *ret)
{
    struct buf plain = buf_in(a), inflated = buf_in(a);
    uint8_t cek[CEK_MAX];
    bool ok = unwrap(t, k, cek) && content_open(t, str_from((const char *)cek, t->enc->key_size), &plain);

    OPENSSL_cleanse(cek, sizeof(cek));
    ERR_clear_error();
    if (ok && t->is_deflated)
        ok = inflate_text(buf_str(&plain), &inflated);
    if (!ok)
        return false;
    *ret = t->is_deflated ? (inflated.len ? buf_str(&inflated) : STR("")) : plain.len ? buf_str(&plain) : STR("");
    return ret->p != NULL;
}

/* What a key is for is the wrapping; where nothing is wrapped, people write what the content is sealed with. */
static bool
key_fits(const struct jwt_key *k, const struct jwe *t)
{
    if (k->kind != t->alg->kind || (k->kind == JWT_KEY_EC && k->coordinate_size != t->epk.coordinate_size))
        return false;
    return !k->alg || strcmp(k->alg, t->alg->name) == 0 ||
           (t->alg->wrapping == WRAP_DIRECT && strcmp(k->alg, t->enc->name) == 0);
}

bool
jwe_decrypt(struct arena *a, struct str token, const struct jwt_key *keys, size_t n, struct str *ret_plain, struct err *err)
{
    struct jwe t AUTO(jwe_destroy) = {0};
    bool tried = false;

    if (!read_token(a, token, &t, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!key_fits(&keys[i], &t))
            continue;
        tried = true;
        if (open_with(a, &t, &keys[i], ret_plain))
            return true;
    }
    if (!tried)
        return err_set(err, ERR_NOT_FOUND, "no configured key fits the token's encryption");
    return err_set(err, ERR_DENIED, "the token cannot be decrypted");
}

/* ---- sealing ---- */

static bool
wrap_aes(struct str kek, const uint8_t *cek, size_t size, struct buf *to)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    char *at = buf_reserve(to, size + 16);
    int n = 0;
    bool ok = ctx && at;

    if (ok) {
        EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
        ok = EVP_EncryptInit_ex(ctx, aes_wrap(kek.len), NULL, (const unsigned char *)kek.p, NULL) == 1 &&
             EVP_EncryptUpdate(ctx, (unsigned char *)at, &n, cek, (int)size) == 1;
        to->len += ok ? (size_t)n : 0;
    }
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

/* Makes the CEK, and its wrapped form. */
static bool
wrap_new_key(const struct jwe *t, const struct jwt_key *k, uint8_t *cek, struct buf *wrapped)
{
    struct str secret = {(const char *)k->secret, k->secret_size};
    size_t size = t->enc->key_size;

    if (t->alg->wrapping == WRAP_DIRECT) {
        if (secret.len != size)
            return false;
        memcpy(cek, secret.p, size);
        return true;
    }
    if (RAND_bytes(cek, (int)size) != 1)
        return false;
    if (t->alg->wrapping == WRAP_KW)
        return secret.len == t->alg->kek_size && wrap_aes(secret, cek, size, wrapped);
    return t->alg->wrapping == WRAP_RSA &&
           crypto_rsa_encrypt(k->pkey, RSA_PADDING_OAEP, t->alg->hash, str_from((const char *)cek, size), wrapped, NULL);
}

static bool
gcm_seal(struct str key, struct str iv, struct str covered, struct str plain, struct buf *text, uint8_t *tag)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    char *at = buf_reserve(text, plain.len + 16);
    int n = 0, last = 0;
    bool ok = ctx && at &&
              EVP_EncryptInit_ex(ctx, aes_gcm(key.len), NULL, (const unsigned char *)key.p, (const unsigned char *)iv.p) == 1 &&
              EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)covered.p, (int)covered.len) == 1 &&
              (!plain.len || EVP_EncryptUpdate(ctx, (unsigned char *)at, &n, (const unsigned char *)plain.p, (int)plain.len) == 1) &&
              EVP_EncryptFinal_ex(ctx, (unsigned char *)at + plain.len, &last) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, tag) == 1;

    text->len += ok ? plain.len : 0;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

static bool
content_seal(struct jwe *t, struct str cek, struct str plain, struct buf *text, uint8_t *tag)
{
    struct cipher cipher = {.kind = CIPHER_AES, .mode = MODE_CBC, .padding = PADDING_PKCS7, .key = str_skip(cek, cek.len / 2), .iv = t->iv};

    if (t->enc->is_gcm) {
        t->tag = str_from((const char *)tag, TAG);
        return gcm_seal(cek, t->iv, t->protected, plain, text, tag);
    }
    t->tag = str_from((const char *)tag, cek.len / 2);
    if (!crypto_cipher(&cipher, true, plain, text, NULL))
        return false;
    t->text = buf_str(text);
    return cbc_tag(t, cek, tag);
}

bool
jwe_encrypt(const struct jwt_key *key, struct str alg, struct str enc, struct str header, struct str plain, struct buf *to,
            struct err *err)
{
    struct buf wrapped AUTO(buf_destroy) = BUF_INIT, text AUTO(buf_destroy) = BUF_INIT, head AUTO(buf_destroy) = BUF_INIT;
    struct jwe t = {0};
    uint8_t cek[CEK_MAX], iv[16], tag[CRYPTO_HASH_MAX];
    size_t from = to->len;
    bool ok;

    if (!find_algorithms(alg, enc, &t, err))
        return false;
    if (t.alg->kind != key->kind || !wrap_new_key(&t, key, cek, &wrapped) || RAND_bytes(iv, sizeof(iv)) != 1)
        return err_set(err, ERR_INVALID, "the key cannot wrap by %s for %s", t.alg->name, t.enc->name);
    buf_printf(&head, "{\"alg\":\"%s\",\"enc\":\"%s\"%s%.*s}", t.alg->name, t.enc->name, header.len ? "," : "", STR_ARG(header));
    codec_base64url_encode(to, buf_str(&head));
    t.protected = str_from(to->p + from, to->len - from);
    t.iv = str_from((const char *)iv, t.enc->is_gcm ? GCM_IV : 16);
    ok = content_seal(&t, str_from((const char *)cek, t.enc->key_size), plain, &text, tag);
    OPENSSL_cleanse(cek, sizeof(cek));
    struct str parts[] = {buf_str(&wrapped), t.iv, buf_str(&text), t.tag};
    for (size_t i = 0; i < COUNTOF(parts); i++) {
        buf_add_char(to, '.');
        codec_base64url_encode(to, parts[i]);
    }
    return (ok && !to->failed) || err_set(err, ERR_NO_MEMORY, "no memory left for a token");
}
