/* crypto_symmetric.c: SymmetricAlgorithm, its transforms, and the Encrypt and Decrypt extensions of byte[].
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/rand.h"
#include "clr/crypto.h"
#include "clr/families.h"

struct algorithm {
    struct object head;
    enum cipher_kind kind;
    int64_t mode, padding;
    uint32_t key_bits;
    struct array *key, *iv;           /* NULL: made at first need, as .NET does */
};

/* ICryptoTransform: the algorithm's state when it was made. */
struct transform {
    struct object head;
    struct cipher cipher;
    bool encrypt;
    struct buf pending;
};

static struct algorithm *
self_of(const struct call *c)
{
    return (struct algorithm *)c->args[0].ref;
}

static uint32_t
block_size(enum cipher_kind kind)
{
    return kind == CIPHER_AES ? 16 : 8;
}

static bool
kind_named(struct str name, enum cipher_kind *ret)
{
    static const struct { const char *name; enum cipher_kind kind; } names[] = {
        {"AES", CIPHER_AES}, {"AesManaged", CIPHER_AES}, {"AesCryptoServiceProvider", CIPHER_AES}, {"Rijndael", CIPHER_AES},
        {"RijndaelManaged", CIPHER_AES}, {"TripleDES", CIPHER_DES3}, {"3DES", CIPHER_DES3}, {"Triple DES", CIPHER_DES3},
    };

    if (str_starts_with_nocase(name, STR("System.Security.Cryptography.")))
        name = str_skip(name, strlen("System.Security.Cryptography."));
    for (size_t i = 0; i < COUNTOF(names); i++) {
        if (str_eq_nocase(name, str_from_c(names[i].name))) {
            *ret = names[i].kind;
            return true;
        }
    }
    return false;
}

static struct algorithm *
algorithm_new(struct call *c, enum cipher_kind kind)
{
    struct str name = kind == CIPHER_AES ? STR("System.Security.Cryptography.Aes") : STR("System.Security.Cryptography.TripleDES");
    struct algorithm *a = object_new(c, type_find(c->run->env, name, NULL, 0), struct algorithm);

    if (a) {
        a->kind = kind;
        a->mode = MODE_CBC;
        a->padding = PADDING_PKCS7;
        a->key_bits = kind == CIPHER_AES ? 256 : 192;
    }
    return a;
}

static bool
create_named(struct call *c)
{
    enum cipher_kind kind;

    if (!c->args[0].ref)
        return throw_argument_null(c, "algName");
    if (!kind_named(string_str(call_string(c, 0)), &kind))
        return return_ref(c, NULL);
    return return_new(c, algorithm_new(c, kind));
}

static bool
create_aes(struct call *c)
{
    return return_new(c, algorithm_new(c, CIPHER_AES));
}

static bool
create_des3(struct call *c)
{
    return return_new(c, algorithm_new(c, CIPHER_DES3));
}

static struct array *
random_bytes(struct call *c, uint32_t n)
{
    uint8_t bytes[32];

    rand_secret(bytes, n);
    return array_of_bytes(c, bytes, n);
}

static bool
ensure_key(struct call *c, struct algorithm *a)
{
    return a->key || (a->key = random_bytes(c, a->key_bits / 8));
}

static bool
ensure_iv(struct call *c, struct algorithm *a)
{
    return a->iv || (a->iv = random_bytes(c, block_size(a->kind)));
}

static bool
bad_key_size(struct call *c)
{
    return call_throw(c, EXC_CRYPTOGRAPHIC, "Specified key is not a valid size for this algorithm.");
}

static bool
key_size_fits(enum cipher_kind kind, int64_t bits)
{
    return kind == CIPHER_AES ? bits == 128 || bits == 192 || bits == 256 : bits == 192;
}

/* ---- properties ---- */

/* CFB works on 8 bits at a time, as .NET's does without being told otherwise. */
static bool get_feedback_size(struct call *c) { return return_i64(c, 8); }

static bool
set_feedback_size(struct call *c)
{
    return c->args[1].i64 == 8 || call_throw(c, EXC_CRYPTOGRAPHIC, "Specified feedback size is not valid for this algorithm.");
}

static bool
legal_key_sizes(struct call *c)
{
    enum cipher_kind kind = self_of(c)->kind;

    return return_new(c, kind == CIPHER_AES ? key_sizes_new(c, 128, 256, 64) : key_sizes_new(c, 128, 192, 64));
}

static bool
legal_block_sizes(struct call *c)
{
    int64_t bits = block_size(self_of(c)->kind) * 8;

    return return_new(c, key_sizes_new(c, bits, bits, 0));
}

static bool
get_key(struct call *c)
{
    struct algorithm *a = self_of(c);

    return ensure_key(c, a) && return_new(c, array_of_bytes(c, a->key->u.bytes, a->key->n));
}

static bool
set_key(struct call *c)
{
    struct str key;

    if (!bytes_argument(c, 1, "value", &key))
        return false;
    if (!key_size_fits(self_of(c)->kind, (int64_t)key.len * 8))
        return bad_key_size(c);
    self_of(c)->key = array_of_bytes(c, key.p, (uint32_t)key.len);
    self_of(c)->key_bits = (uint32_t)key.len * 8;
    return self_of(c)->key != NULL;
}

static bool
get_iv(struct call *c)
{
    struct algorithm *a = self_of(c);

    return ensure_iv(c, a) && return_new(c, array_of_bytes(c, a->iv->u.bytes, a->iv->n));
}

static bool
set_iv(struct call *c)
{
    struct str iv;

    if (!bytes_argument(c, 1, "value", &iv))
        return false;
    if (iv.len != block_size(self_of(c)->kind))
        return call_throw(c, EXC_CRYPTOGRAPHIC,
                          "Specified initialization vector (IV) does not match the block size for this algorithm.");
    self_of(c)->iv = array_of_bytes(c, iv.p, (uint32_t)iv.len);
    return self_of(c)->iv != NULL;
}

static bool
get_key_size(struct call *c)
{
    return return_i64(c, self_of(c)->key_bits);
}

static bool
set_key_size(struct call *c)
{
    if (!key_size_fits(self_of(c)->kind, c->args[1].i64))
        return bad_key_size(c);
    self_of(c)->key_bits = (uint32_t)c->args[1].i64;
    self_of(c)->key = NULL;
    return true;
}

static bool
valid_key_size(struct call *c)
{
    return return_bool(c, key_size_fits(self_of(c)->kind, c->args[1].i64));
}

static bool
get_block_size(struct call *c)
{
    return return_i64(c, block_size(self_of(c)->kind) * 8);
}

static bool
set_block_size(struct call *c)
{
    return c->args[1].i64 == block_size(self_of(c)->kind) * 8 ||
           call_throw(c, EXC_CRYPTOGRAPHIC, "Specified block size is not valid for this algorithm.");
}

static bool
get_mode(struct call *c)
{
    return return_i64(c, self_of(c)->mode);
}

static bool
set_mode(struct call *c)
{
    if (c->args[1].i64 != MODE_CBC && c->args[1].i64 != MODE_ECB && c->args[1].i64 != MODE_CFB)
        return call_throw(c, EXC_CRYPTOGRAPHIC, "Specified cipher mode is not valid for this algorithm.");
    self_of(c)->mode = c->args[1].i64;
    return true;
}

static bool
get_padding(struct call *c)
{
    return return_i64(c, self_of(c)->padding);
}

static bool
set_padding(struct call *c)
{
    if (c->args[1].i64 < PADDING_NONE || c->args[1].i64 > PADDING_ISO10126)
        return call_throw(c, EXC_CRYPTOGRAPHIC, "Specified padding mode is not valid for this algorithm.");
    self_of(c)->padding = c->args[1].i64;
    return true;
}

static bool
generate_key(struct call *c)
{
    self_of(c)->key = NULL;
    return ensure_key(c, self_of(c));
}

static bool
generate_iv(struct call *c)
{
    self_of(c)->iv = NULL;
    return ensure_iv(c, self_of(c));
}

static bool
nothing(struct call *c)
{
    return true;
}

/* ---- running ---- */

static struct str
bytes_of(const struct array *a)
{
    return a ? str_from((const char *)a->u.bytes, a->n) : STR("");
}

static bool
run(struct call *c, const struct cipher *cipher, bool encrypt, struct str bytes)
{
    struct buf to = call_buf(c);
    struct err err = ERR_INIT;

    if (!call_charge(c, bytes.len / 32 + 20))
        return false;
    if (!crypto_cipher(cipher, encrypt, bytes, &to, &err)) {
        if (err.code == ERR_NO_MEMORY)
            return call_exceed(c, BUDGET_BYTES);
        return call_throw(c, EXC_CRYPTOGRAPHIC, "%s", err.text);
    }
    return return_new(c, array_of_bytes(c, to.p ? to.p : "", (uint32_t)to.len));
}

static bool
cipher_of(struct call *c, struct algorithm *a, struct cipher *ret)
{
    if (!ensure_key(c, a) || !ensure_iv(c, a))
        return false;
    *ret = (struct cipher){.kind = a->kind, .mode = (enum cipher_mode)a->mode, .padding = (enum cipher_padding)a->padding,
                           .key = bytes_of(a->key), .iv = bytes_of(a->iv)};
    return true;
}

static bool
make_transform(struct call *c, bool encrypt)
{
    struct transform *t = object_new(c, c->ret_type, struct transform);

    if (!t || !cipher_of(c, self_of(c), &t->cipher))
        return false;
    if (c->n_args > 1 && (!bytes_argument(c, 1, "rgbKey", &t->cipher.key)))
        return false;
    if (c->n_args > 2 && c->args[2].ref)
        t->cipher.iv = bytes_of((struct array *)c->args[2].ref);
    t->encrypt = encrypt;
    t->pending = call_buf(c);
    return return_ref(c, t);
}

static bool
create_encryptor(struct call *c)
{
    return make_transform(c, true);
}

static bool
create_decryptor(struct call *c)
{
    return make_transform(c, false);
}

static bool
transform_final(struct call *c)
{
    struct transform *t = (struct transform *)c->args[0].ref;
    struct str bytes;

    if (!bytes_part_argument(c, 1, "inputBuffer", &bytes))
        return false;
    if (!buf_add_str(&t->pending, bytes))
        return call_exceed(c, BUDGET_BYTES);
    bytes = buf_str(&t->pending);
    buf_clear(&t->pending);
    return run(c, &t->cipher, t->encrypt, bytes);
}

static bool
transform_block_size(struct call *c)
{
    return return_i64(c, block_size(((struct transform *)c->args[0].ref)->cipher.kind));
}

/* Encrypt(input, "Aes", key, iv) */
static bool
extension_named(struct call *c, bool encrypt)
{
    struct cipher cipher = {.mode = MODE_CBC, .padding = PADDING_PKCS7};
    struct str input;

    if (!bytes_argument(c, 0, "input", &input) || !bytes_argument(c, 2, "key", &cipher.key))
        return false;
    if (!c->args[1].ref)
        return throw_argument_null(c, "alg");
    if (!kind_named(string_str(call_string(c, 1)), &cipher.kind))
        return throw_argument(c, "alg", "'%.*s' is not a known symmetric algorithm.", STR_ARG(string_str(call_string(c, 1))));
    if (!key_size_fits(cipher.kind, (int64_t)cipher.key.len * 8))
        return bad_key_size(c);
    cipher.iv = bytes_of((struct array *)c->args[3].ref);
    return run(c, &cipher, encrypt, input);
}

/* Encrypt(input, algorithm), Encrypt(input, algorithm, key, iv) */
static bool
extension_algorithm(struct call *c, bool encrypt)
{
    struct cipher cipher;
    struct str input;

    if (!bytes_argument(c, 0, "input", &input))
        return false;
    if (!c->args[1].ref)
        return throw_argument_null(c, "alg");
    if (!cipher_of(c, (struct algorithm *)c->args[1].ref, &cipher))
        return false;
    if (c->n_args > 2) {
        if (!bytes_argument(c, 2, "key", &cipher.key))
            return false;
        cipher.iv = bytes_of((struct array *)c->args[3].ref);
    }
    return run(c, &cipher, encrypt, input);
}

static bool
encrypt_named(struct call *c)
{
    return extension_named(c, true);
}

static bool
decrypt_named(struct call *c)
{
    return extension_named(c, false);
}

static bool
encrypt_algorithm(struct call *c)
{
    return extension_algorithm(c, true);
}

static bool
decrypt_algorithm(struct call *c)
{
    return extension_algorithm(c, false);
}

static bool
hook_dispose(struct call *c, struct object *self)
{
    return true;
}

static const struct type_hooks disposable_hooks = {.dispose = hook_dispose};

#define N "System.Security.Cryptography."

static const struct type_row types[] = {
    ENUM(N "CipherMode", "CBC = 1, ECB = 2, OFB = 3, CFB = 4, CTS = 5"),
    ENUM(N "PaddingMode", "None = 1, PKCS7 = 2, Zeros = 3, ANSIX923 = 4, ISO10126 = 5"),
    CLASS_ABSTRACT(N "SymmetricAlgorithm", NULL, "IDisposable", &disposable_hooks),
    CLASS_ABSTRACT(N "Aes", "SymmetricAlgorithm", NULL, NULL),
    CLASS_ABSTRACT(N "TripleDES", "SymmetricAlgorithm", NULL, NULL),
    CLASS_ABSTRACT(N "ICryptoTransform", NULL, "IDisposable", &disposable_hooks),
    STATIC_CLASS("Microsoft.Azure.ApiManagement.CryptographyExtensions"),
};

#define S "SymmetricAlgorithm"
#define X "CryptographyExtensions"

static const struct member_row members[] = {
    M(S, "static SymmetricAlgorithm Create(string algName)", create_named),
    P(S, "int BlockSize { get; set; }", get_block_size, set_block_size),
    P(S, "byte[] IV { get; set; }", get_iv, set_iv),
    P(S, "byte[] Key { get; set; }", get_key, set_key),
    P(S, "int KeySize { get; set; }", get_key_size, set_key_size),
    P(S, "int FeedbackSize { get; set; }", get_feedback_size, set_feedback_size),
    M(S, "KeySizes[] LegalKeySizes { get; }", legal_key_sizes),
    M(S, "KeySizes[] LegalBlockSizes { get; }", legal_block_sizes),
    P(S, "CipherMode Mode { get; set; }", get_mode, set_mode),
    P(S, "PaddingMode Padding { get; set; }", get_padding, set_padding),
    M(S, "void Clear()", nothing),
    M(S, "void Dispose()", nothing),
    M(S, "ICryptoTransform CreateDecryptor()", create_decryptor),
    M(S, "ICryptoTransform CreateDecryptor(byte[] rgbKey, byte[] rgbIV)", create_decryptor),
    M(S, "ICryptoTransform CreateEncryptor()", create_encryptor),
    M(S, "ICryptoTransform CreateEncryptor(byte[] rgbKey, byte[] rgbIV)", create_encryptor),
    M(S, "void GenerateIV()", generate_iv),
    M(S, "void GenerateKey()", generate_key),
    M(S, "bool ValidKeySize(int bitLength)", valid_key_size),
    M_EXTRA("Aes", "static Aes Create()", create_aes),
    M_EXTRA("TripleDES", "static TripleDES Create()", create_des3),
    M("ICryptoTransform", "byte[] TransformFinalBlock(byte[] inputBuffer, int inputOffset, int inputCount)", transform_final),
    M("ICryptoTransform", "int InputBlockSize { get; }", transform_block_size),
    M("ICryptoTransform", "int OutputBlockSize { get; }", transform_block_size),
    M("ICryptoTransform", "void Dispose()", nothing),

    M(X, "static byte[] Encrypt(this byte[] input, string alg, byte[] key, byte[] iv)", encrypt_named),
    M(X, "static byte[] Encrypt(this byte[] input, SymmetricAlgorithm alg)", encrypt_algorithm),
    M(X, "static byte[] Encrypt(this byte[] input, SymmetricAlgorithm alg, byte[] key, byte[] iv)", encrypt_algorithm),
    M(X, "static byte[] Decrypt(this byte[] input, string alg, byte[] key, byte[] iv)", decrypt_named),
    M(X, "static byte[] Decrypt(this byte[] input, SymmetricAlgorithm alg)", decrypt_algorithm),
    M(X, "static byte[] Decrypt(this byte[] input, SymmetricAlgorithm alg, byte[] key, byte[] iv)", decrypt_algorithm),
};

const struct library clr_crypto_symmetric = LIBRARY("crypto symmetric", types, members);
