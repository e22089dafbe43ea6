/* crypto_rsa.c: AsymmetricAlgorithm, RSA and its paddings. Keys come from certificates (x509.c), from their
 * numbers (crypto_keys.c), or are made here.
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/rsa.h>

#include "base/codec.h"
#include "clr/crypto.h"
#include "clr/families.h"

/* RSASignaturePadding, RSAEncryptionPadding */
struct padding {
    struct object head;
    enum rsa_padding padding;
    enum crypto_hash hash;            /* of OAEP */
};

static void
free_key(void *key)
{
    EVP_PKEY_free(key);
}

bool
rsa_take_key(struct call *c, struct rsa *r, EVP_PKEY *key, bool is_private)
{
    if (!r || !arena_defer(c->run->arena, free_key, key)) {
        EVP_PKEY_free(key);
        return r ? call_exceed(c, BUDGET_BYTES) : false;
    }
    r->key = key;
    r->is_private = is_private;
    return true;
}

/* Every key is an RSACng, as on Windows, where certificates' keys are. */
struct object *
rsa_new(struct call *c, EVP_PKEY *key, bool is_private)
{
    struct rsa *r = object_new(c, type_find(c->run->env, STR("System.Security.Cryptography.RSACng"), NULL, 0), struct rsa);

    return rsa_take_key(c, r, key, is_private) ? &r->head : NULL;
}

static struct rsa *
self_of(const struct call *c)
{
    return (struct rsa *)c->args[0].ref;
}

static bool
failed(struct call *c, const char *text)
{
    return call_throw(c, EXC_CRYPTOGRAPHIC, "%s", text);
}

static bool
needs_private(struct call *c)
{
    return self_of(c)->is_private || failed(c, "Key does not exist.");
}

static bool
same_padding(struct value a, struct value b)
{
    const struct padding *x = (struct padding *)a.ref, *y = (struct padding *)b.ref;

    return x == y || (x && y && x->head.type == y->head.type && x->padding == y->padding &&
                      (x->padding != RSA_PADDING_OAEP || x->hash == y->hash));
}

static bool
rsa_create(struct call *c)
{
    int64_t bits = c->n_args ? c->args[0].i64 : 2048;
    EVP_PKEY *key;

    if (bits < 512 || bits > 4096 || bits % 64)
        return failed(c, "Specified key size is not valid for this algorithm.");
    if (!call_charge(c, 200000) || !(key = EVP_RSA_gen((unsigned)bits)))
        return call_throw_default(c, EXC_CRYPTOGRAPHIC);
    return return_new(c, rsa_new(c, key, true));
}

static bool
rsa_key_size(struct call *c)
{
    return return_i64(c, EVP_PKEY_get_bits(self_of(c)->key));
}

/* Another size is another key. */
static bool
rsa_set_key_size(struct call *c)
{
    int64_t bits = c->args[1].i64;
    EVP_PKEY *key;

    if (bits == EVP_PKEY_get_bits(self_of(c)->key))
        return true;
    if (bits < 512 || bits > 4096 || bits % 64)
        return failed(c, "Specified key is not a valid size for this algorithm.");
    if (!call_charge(c, 200000) || !(key = EVP_RSA_gen((unsigned)bits)))
        return call_throw_default(c, EXC_CRYPTOGRAPHIC);
    return rsa_take_key(c, self_of(c), key, true);
}

/* Create("RSA"); null for a name that is none. */
static bool
rsa_create_named(struct call *c)
{
    static const char *const names[] = {"RSA", "System.Security.Cryptography.RSA", "RSACng", "System.Security.Cryptography.RSACng",
                                        "System.Security.Cryptography.AsymmetricAlgorithm"};

    if (!call_string(c, 0))
        return throw_argument_null(c, "name");
    for (size_t i = 0; i < COUNTOF(names); i++)
        if (str_eq_nocase(string_str(call_string(c, 0)), str_from_c(names[i]))) {
            c->n_args = 0;
            return rsa_create(c);
        }
    return return_ref(c, NULL);
}

static bool
rsa_legal_sizes(struct call *c)
{
    return return_new(c, key_sizes_new(c, 512, 4096, 64));
}

/* EncryptValue and DecryptValue: raw RSA, which no key here does. */
static bool
rsa_raw(struct call *c)
{
    return call_throw(c, EXC_NOT_SUPPORTED, "Method is not supported.");
}

static bool
padding_equals(struct call *c)
{
    return return_bool(c, c->args[1].ref && c->args[1].ref->type == c->args[0].ref->type && same_padding(c->args[0], c->args[1]));
}

static bool
rsa_key_exchange(struct call *c)
{
    return return_new(c, string_lit(c, "RSA"));
}

static bool
rsa_signature_algorithm(struct call *c)
{
    return return_new(c, string_lit(c, "RSA"));
}

static bool
nothing(struct call *c)
{
    return true;
}

/* ---- signing ---- */

static bool
padding_argument(struct call *c, uint32_t i, struct padding **ret)
{
    *ret = (struct padding *)c->args[i].ref;
    return *ret || throw_argument_null(c, "padding");
}

static bool
sign_digest(struct call *c, enum crypto_hash hash, const struct padding *p, struct str digest)
{
    struct buf to = call_buf(c);
    struct err err;

    if (!crypto_rsa_sign(self_of(c)->key, hash, p->padding, digest, &to, &err))
        return failed(c, err.text);
    return return_new(c, array_of_bytes(c, to.p, (uint32_t)to.len));
}

static bool
sign_data(struct call *c, struct str data, uint32_t hash_at)
{
    uint8_t digest[CRYPTO_HASH_MAX];
    enum crypto_hash hash;
    struct padding *p;

    if (!needs_private(c) || !hash_name_argument(c, hash_at, &hash) || !padding_argument(c, hash_at + 1, &p) ||
        !call_charge(c, data.len / 32 + 5000))
        return false;
    if (!crypto_digest(hash, data, digest))
        return call_throw_default(c, EXC_CRYPTOGRAPHIC);
    return sign_digest(c, hash, p, str_from((const char *)digest, crypto_hash_size(hash)));
}

static bool
rsa_sign_data(struct call *c)
{
    struct str data;

    return bytes_argument(c, 1, "data", &data) && sign_data(c, data, 2);
}

static bool
rsa_sign_data_part(struct call *c)
{
    struct str data;

    return bytes_part_argument(c, 1, "data", &data) && sign_data(c, data, 4);
}

static bool
rsa_sign_hash(struct call *c)
{
    struct str digest;
    enum crypto_hash hash;
    struct padding *p;

    if (!needs_private(c) || !bytes_argument(c, 1, "hash", &digest) || !hash_name_argument(c, 2, &hash) ||
        !padding_argument(c, 3, &p) || !call_charge(c, 5000))
        return false;
    if (digest.len != crypto_hash_size(hash))
        return failed(c, "The provided hash value is not the expected size for the specified hash algorithm.");
    return sign_digest(c, hash, p, digest);
}

static bool
verify(struct call *c, struct str digest, uint32_t signature_at, enum crypto_hash hash)
{
    struct padding *p;
    struct str signature;

    if (!bytes_argument(c, signature_at, "signature", &signature) || !padding_argument(c, signature_at + 2, &p) ||
        !call_charge(c, 2000))
        return false;
    return return_bool(c, crypto_rsa_verify(self_of(c)->key, hash, p->padding, digest, signature));
}

static bool
verify_data(struct call *c, struct str data, uint32_t signature_at)
{
    uint8_t digest[CRYPTO_HASH_MAX];
    enum crypto_hash hash;

    if (!hash_name_argument(c, signature_at + 1, &hash) || !call_charge(c, data.len / 32))
        return false;
    if (!crypto_digest(hash, data, digest))
        return call_throw_default(c, EXC_CRYPTOGRAPHIC);
    return verify(c, str_from((const char *)digest, crypto_hash_size(hash)), signature_at, hash);
}

static bool
rsa_verify_data(struct call *c)
{
    struct str data;

    return bytes_argument(c, 1, "data", &data) && verify_data(c, data, 2);
}

static bool
rsa_verify_data_part(struct call *c)
{
    struct str data;

    return bytes_part_argument(c, 1, "data", &data) && verify_data(c, data, 4);
}

static bool
rsa_verify_hash(struct call *c)
{
    struct str digest;
    enum crypto_hash hash;

    return bytes_argument(c, 1, "hash", &digest) && hash_name_argument(c, 3, &hash) && verify(c, digest, 2, hash);
}

/* ---- encrypting ---- */

static bool
rsa_encrypt(struct call *c)
{
    struct buf to = call_buf(c);
    struct str data;
    struct padding *p;
    struct err err;

    if (!bytes_argument(c, 1, "data", &data) || !padding_argument(c, 2, &p) || !call_charge(c, 2000))
        return false;
    if (!crypto_rsa_encrypt(self_of(c)->key, p->padding, p->hash, data, &to, &err))
        return failed(c, err.text);
    return return_new(c, array_of_bytes(c, to.p, (uint32_t)to.len));
}

static bool
rsa_decrypt(struct call *c)
{
    struct buf to = call_buf(c);
    struct str data;
    struct padding *p;
    struct err err;

    if (!needs_private(c) || !bytes_argument(c, 1, "data", &data) || !padding_argument(c, 2, &p) || !call_charge(c, 5000))
        return false;
    if (!crypto_rsa_decrypt(self_of(c)->key, p->padding, p->hash, data, &to, &err))
        return failed(c, err.text);
    return return_new(c, array_of_bytes(c, to.p ? to.p : "", (uint32_t)to.len));
}

/* ---- paddings ---- */

static bool
padding_new(struct call *c, enum rsa_padding padding, enum crypto_hash hash)
{
    struct padding *p = object_new(c, c->ret_type, struct padding);

    if (p) {
        p->padding = padding;
        p->hash = hash;
    }
    return return_new(c, p);
}

#define PADDING(name, padding, hash) \
    static bool \
    name(struct call *c) \
    { \
        return padding_new(c, padding, hash); \
    }
PADDING(padding_pkcs1, RSA_PADDING_PKCS1, HASH_SHA1)
PADDING(padding_pss, RSA_PADDING_PSS, HASH_SHA1)
PADDING(padding_oaep_sha1, RSA_PADDING_OAEP, HASH_SHA1)
PADDING(padding_oaep_sha256, RSA_PADDING_OAEP, HASH_SHA256)
PADDING(padding_oaep_sha384, RSA_PADDING_OAEP, HASH_SHA384)
PADDING(padding_oaep_sha512, RSA_PADDING_OAEP, HASH_SHA512)

static bool
padding_create_oaep(struct call *c)
{
    enum crypto_hash hash;

    return hash_name_argument(c, 0, &hash) && padding_new(c, RSA_PADDING_OAEP, hash);
}

static bool
padding_mode(struct call *c)
{
    return return_i64(c, ((struct padding *)c->args[0].ref)->padding != RSA_PADDING_PKCS1);
}

static bool
padding_hash(struct call *c)
{
    static const char *const names[] = {"MD5", "SHA1", "SHA256", "SHA384", "SHA512"};
    struct padding *p = (struct padding *)c->args[0].ref;

    if (p->padding != RSA_PADDING_OAEP)
        return return_ref(c, NULL);
    return return_new(c, string_view(c, str_from_c(names[p->hash])));
}

static bool
hook_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    *ret = same_padding(a, b);
    return true;
}

static bool
hook_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    *ret = (int32_t)((struct padding *)v.ref)->padding;
    return true;
}

static bool
hook_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    static const char *const names[] = {"Pkcs1", "Pss", "OaepSHA1"};
    const struct padding *p = (struct padding *)v.ref;

    if (p->padding == RSA_PADDING_OAEP && p->hash >= HASH_SHA256)
        *ret = string_printf(c, "OaepSHA%d", p->hash == HASH_SHA256 ? 256 : p->hash == HASH_SHA384 ? 384 : 512);
    else
        *ret = string_view(c, str_from_c(names[p->padding]));
    return *ret != NULL;
}

static bool
padding_equal(struct call *c)
{
    return return_bool(c, same_padding(c->args[0], c->args[1]));
}

static bool
padding_not_equal(struct call *c)
{
    return return_bool(c, !same_padding(c->args[0], c->args[1]));
}

static bool
hook_dispose(struct call *c, struct object *self)
{
    return true;
}

static const struct type_hooks disposable_hooks = {.dispose = hook_dispose};
static const struct type_hooks padding_hooks = {.equals = hook_equals, .hash = hook_hash, .to_string = hook_to_string};

#define N "System.Security.Cryptography."

static const struct type_row types[] = {
    CLASS_ABSTRACT(N "AsymmetricAlgorithm", NULL, "IDisposable", &disposable_hooks),
    CLASS_ABSTRACT(N "RSA", "AsymmetricAlgorithm", NULL, NULL),
    {TYPE_CLASS, N "RSACng", "RSA", NULL, NULL, TYPE_IS_EXTRA, NULL},
    ENUM(N "RSASignaturePaddingMode", "Pkcs1 = 0, Pss = 1"),
    ENUM(N "RSAEncryptionPaddingMode", "Pkcs1 = 0, Oaep = 1"),
    CLASS_ABSTRACT(N "RSASignaturePadding", NULL, NULL, &padding_hooks),
    CLASS_ABSTRACT(N "RSAEncryptionPadding", NULL, NULL, &padding_hooks),
};

#define SP "RSASignaturePadding"
#define EP "RSAEncryptionPadding"

static const struct member_row members[] = {
    P("AsymmetricAlgorithm", "int KeySize { get; set; }", rsa_key_size, rsa_set_key_size),
    M("AsymmetricAlgorithm", "KeySizes[] LegalKeySizes { get; }", rsa_legal_sizes),
    M("AsymmetricAlgorithm", "static AsymmetricAlgorithm Create()", rsa_create),
    M("AsymmetricAlgorithm", "static AsymmetricAlgorithm Create(string algName)", rsa_create_named),
    M("AsymmetricAlgorithm", "string KeyExchangeAlgorithm { get; }", rsa_key_exchange),
    M("AsymmetricAlgorithm", "string SignatureAlgorithm { get; }", rsa_signature_algorithm),
    M("AsymmetricAlgorithm", "void Clear()", nothing),
    M("AsymmetricAlgorithm", "void Dispose()", nothing),

    M("RSA", "static RSA Create()", rsa_create),
    M("RSA", "static RSA Create(int keySizeInBits)", rsa_create),
    M("RSA", "static RSA Create(string algName)", rsa_create_named),
    M("RSA", "byte[] EncryptValue(byte[] rgb)", rsa_raw),
    M("RSA", "byte[] DecryptValue(byte[] rgb)", rsa_raw),
    M_LATER("RSA", "byte[] SignData(Stream data, HashAlgorithmName hashAlgorithm, " SP " padding)"),
    M_LATER("RSA", "bool VerifyData(Stream data, byte[] signature, HashAlgorithmName hashAlgorithm, " SP " padding)"),
    M("RSACng", "new()", rsa_create),
    M("RSACng", "new(int keySize)", rsa_create),
    M("RSA", "byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm, " SP " padding)", rsa_sign_data),
    M("RSA", "byte[] SignData(byte[] data, int offset, int count, HashAlgorithmName hashAlgorithm, " SP " padding)", rsa_sign_data_part),
    M("RSA", "byte[] SignHash(byte[] hash, HashAlgorithmName hashAlgorithm, " SP " padding)", rsa_sign_hash),
    M("RSA", "bool VerifyData(byte[] data, byte[] signature, HashAlgorithmName hashAlgorithm, " SP " padding)", rsa_verify_data),
    M("RSA", "bool VerifyData(byte[] data, int offset, int count, byte[] signature, HashAlgorithmName hashAlgorithm, " SP " padding)", rsa_verify_data_part),
    M("RSA", "bool VerifyHash(byte[] hash, byte[] signature, HashAlgorithmName hashAlgorithm, " SP " padding)", rsa_verify_hash),
    M("RSA", "byte[] Encrypt(byte[] data, " EP " padding)", rsa_encrypt),
    M("RSA", "byte[] Decrypt(byte[] data, " EP " padding)", rsa_decrypt),

    M(SP, "static " SP " Pkcs1 { get; }", padding_pkcs1),
    M(SP, "static " SP " Pss { get; }", padding_pss),
    M(SP, "RSASignaturePaddingMode Mode { get; }", padding_mode),
    M(SP, "bool Equals(" SP " other)", padding_equals),
    M(SP, "static bool operator ==(" SP " left, " SP " right)", padding_equal),
    M(SP, "static bool operator !=(" SP " left, " SP " right)", padding_not_equal),
    M(EP, "static " EP " Pkcs1 { get; }", padding_pkcs1),
    M(EP, "static " EP " OaepSHA1 { get; }", padding_oaep_sha1),
    M(EP, "static " EP " OaepSHA256 { get; }", padding_oaep_sha256),
    M(EP, "static " EP " OaepSHA384 { get; }", padding_oaep_sha384),
    M(EP, "static " EP " OaepSHA512 { get; }", padding_oaep_sha512),
    M(EP, "static " EP " CreateOaep(HashAlgorithmName hashAlgorithm)", padding_create_oaep),
    M(EP, "RSAEncryptionPaddingMode Mode { get; }", padding_mode),
    M(EP, "HashAlgorithmName OaepHashAlgorithm { get; }", padding_hash),
    M(EP, "bool Equals(" EP " other)", padding_equals),
    M(EP, "static bool operator ==(" EP " left, " EP " right)", padding_equal),
    M(EP, "static bool operator !=(" EP " left, " EP " right)", padding_not_equal),
};

const struct library clr_crypto_rsa = LIBRARY("crypto rsa", types, members);
