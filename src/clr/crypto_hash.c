/* crypto_hash.c: HashAlgorithm, the keyed ones below it, HashAlgorithmName, Oid, random bytes.
 *
 * An algorithm object is told by its type's name ("SHA256Managed", "HMACSHA1"), which is read once, at construction.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/crypto.h"

#include "base/rand.h"
#include "clr/families.h"

struct hash_object {
    struct object head;
    enum crypto_hash hash;
    struct array *key;                /* HMACs */
    struct buf pending;               /* of TransformBlock */
    struct array *last;               /* the Hash property */
};

static struct hash_object *
self_of(const struct call *c)
{
    return (struct hash_object *)c->args[0].ref;
}

/* The function in a type's name: HMACSHA256 -> SHA256; SHA1CryptoServiceProvider -> SHA1. */
static bool
hash_in_name(struct str name, enum crypto_hash *ret)
{
    static const char *const ends[] = {"", "Managed", "CryptoServiceProvider", "Cng"};

    if (str_starts_with(name, STR("System.Security.Cryptography.")))
        name = str_skip(name, strlen("System.Security.Cryptography."));
    if (str_starts_with_nocase(name, STR("HMAC")))
        name = str_skip(name, 4);
    for (size_t i = 0; i < COUNTOF(ends); i++)
        if (str_ends_with(name, str_from_c(ends[i])) &&
            crypto_hash_named(str_sub(name, 0, name.len - strlen(ends[i])), ret))
            return true;
    return false;
}

static struct hash_object *
hash_new(struct call *c, const struct type *type)
{
    struct hash_object *h = object_new(c, type, struct hash_object);

    if (h) {
        hash_in_name(type->name, &h->hash);
        h->pending = call_buf(c);
    }
    return h;
}

/* MD5.Create(), new SHA256Managed() */
static bool
hash_create(struct call *c)
{
    return return_new(c, hash_new(c, c->owner));
}

static bool
hmac_with_key(struct call *c, const struct type *type, struct array *key)
{
    struct hash_object *h = hash_new(c, type);

    if (!h)
        return false;
    if (!key) {
        h->key = array_of_bytes(c, "", 0);
        return throw_argument_null(c, "key");
    }
    h->key = array_of_bytes(c, key->u.bytes, key->n);
    return h->key && return_ref(c, h);
}

static bool
hmac_new(struct call *c)
{
    return hmac_with_key(c, c->owner, (struct array *)c->args[0].ref);
}

/* With a random key of the block size. */
static bool
hmac_random(struct call *c, const struct type *type)
{
    uint8_t bytes[128];
    struct hash_object *h = hash_new(c, type);

    if (!h)
        return false;
    rand_secret(bytes, crypto_hash_block(h->hash));
    h->key = array_of_bytes(c, bytes, (uint32_t)crypto_hash_block(h->hash));
    return h->key && return_ref(c, h);
}

static bool
hmac_new_random(struct call *c)
{
    return hmac_random(c, c->owner);
}

static bool
create_by_name(struct call *c, struct str name)
{
    bool keyed = str_starts_with_nocase(name, STR("HMAC")) || str_starts_with_nocase(name, STR("System.Security.Cryptography.HMAC"));
    enum crypto_hash hash;
    const struct type *type;
    static const char *const plain[] = {"MD5", "SHA1", "SHA256", "SHA384", "SHA512"};

    if (!hash_in_name(name, &hash))
        return return_ref(c, NULL);
    struct str full = str_printf(c->run->arena, "System.Security.Cryptography.%s%s", keyed ? "HMAC" : "", plain[hash]);
    type = full.p ? type_find(c->run->env, full, NULL, 0) : NULL;
    if (!type)
        return return_ref(c, NULL);
    return keyed ? hmac_random(c, type) : return_new(c, hash_new(c, type));
}

/* HashAlgorithm.Create(name), HMAC.Create(name): NULL for a name that is none. */
static bool
create_named(struct call *c)
{
    return create_by_name(c, c->args[0].ref ? string_str(call_string(c, 0)) : STR(""));
}

static bool create_default(struct call *c) { return create_by_name(c, STR("SHA1")); }
static bool create_default_keyed(struct call *c) { return create_by_name(c, STR("HMACSHA1")); }

/* ---- computing ---- */

static bool
finish(struct call *c, struct str bytes)
{
    struct hash_object *h = self_of(c);
    uint8_t digest[CRYPTO_HASH_MAX];
    bool ok;

    if (!call_charge(c, bytes.len / 32 + 20))
        return false;
    ok = h->key ? crypto_hmac(h->hash, str_from((const char *)h->key->u.bytes, h->key->n), bytes, digest)
                : crypto_digest(h->hash, bytes, digest);
    if (!ok)
        return call_throw_default(c, EXC_CRYPTOGRAPHIC);
    h->last = array_of_bytes(c, digest, (uint32_t)crypto_hash_size(h->hash));
    return return_new(c, h->last);
}

bool
bytes_argument(struct call *c, uint32_t i, const char *name, struct str *ret)
{
    struct array *a = (struct array *)c->args[i].ref;

    if (!a)
        return throw_argument_null(c, name);
    *ret = str_from((const char *)a->u.bytes, a->n);
    return true;
}

bool
bytes_part_argument(struct call *c, uint32_t i, const char *name, struct str *ret)
{
    int64_t at = c->args[i + 1].i64, n = c->args[i + 2].i64;

    if (!bytes_argument(c, i, name, ret))
        return false;
    if (at < 0)
        return throw_argument_range(c, "offset", "Non-negative number required.");
    if (n < 0 || at > (int64_t)ret->len || n > (int64_t)ret->len - at)
        return throw_argument(c, NULL, "Offset and length were out of bounds for the array or count is greater than the "
                                       "number of elements from index to the end of the source collection.");
    *ret = str_sub(*ret, (size_t)at, (size_t)(at + n));
    return true;
}

static bool
hash_compute(struct call *c)
{
    struct str bytes;

    return bytes_argument(c, 1, "buffer", &bytes) && finish(c, bytes);
}

static bool
hash_compute_part(struct call *c)
{
    struct str bytes;

    return bytes_part_argument(c, 1, "buffer", &bytes) && finish(c, bytes);
}

/* SHA256.HashData(bytes) and the like. */
static bool
hash_data(struct call *c)
{
    enum crypto_hash hash = HASH_SHA256;
    uint8_t digest[CRYPTO_HASH_MAX];
    struct str bytes;

    hash_in_name(c->owner->name, &hash);
    if (!bytes_argument(c, 0, "source", &bytes) || !call_charge(c, bytes.len / 32 + 20))
        return false;
    return crypto_digest(hash, bytes, digest) && return_new(c, array_of_bytes(c, digest, (uint32_t)crypto_hash_size(hash)));
}

/* TransformBlock(input, offset, count, output, outputOffset): gathers; the output gets a copy. */
static bool
hash_transform_block(struct call *c)
{
    struct array *out = (struct array *)c->args[4].ref;
    int64_t at = c->args[5].i64;
    struct str bytes;

    if (!bytes_part_argument(c, 1, "inputBuffer", &bytes))
        return false;
    if (!buf_add_str(&self_of(c)->pending, bytes))
        return call_exceed(c, BUDGET_BYTES);
    if (out && (at < 0 || at > out->n || (int64_t)bytes.len > out->n - at))
        return throw_argument(c, NULL, "Value was invalid.");
    if (out && bytes.len)
        memmove(out->u.bytes + at, bytes.p, bytes.len);
    return return_i64(c, (int64_t)bytes.len);
}

static bool
hash_transform_final(struct call *c)
{
    struct hash_object *h = self_of(c);
    struct str bytes;

    if (!bytes_part_argument(c, 1, "inputBuffer", &bytes))
        return false;
    if (!buf_add_str(&h->pending, bytes))
        return call_exceed(c, BUDGET_BYTES);
    if (!finish(c, buf_str(&h->pending)))
        return false;
    buf_clear(&h->pending);
    return return_new(c, array_of_bytes(c, bytes.p, (uint32_t)bytes.len));
}

static bool
hash_initialize(struct call *c)
{
    buf_clear(&self_of(c)->pending);
    return true;
}

static bool
hash_hash(struct call *c)
{
    return return_ref(c, self_of(c)->last);
}

static bool
hash_size(struct call *c)
{
    return return_i64(c, (int64_t)crypto_hash_size(self_of(c)->hash) * 8);
}

static bool
return_one(struct call *c)
{
    return return_i64(c, 1);
}

static bool
nothing(struct call *c)
{
    return true;
}

static bool
hmac_key(struct call *c)
{
    struct array *key = self_of(c)->key;

    return return_new(c, array_of_bytes(c, key ? (const char *)key->u.bytes : "", key ? key->n : 0));
}

static bool
hmac_set_key(struct call *c)
{
    struct str bytes;

    if (!bytes_argument(c, 1, "value", &bytes))
        return false;
    self_of(c)->key = array_of_bytes(c, bytes.p, (uint32_t)bytes.len);
    return self_of(c)->key != NULL;
}

static bool
hmac_hash_name(struct call *c)
{
    static const char *const names[] = {"MD5", "SHA1", "SHA256", "SHA384", "SHA512"};

    return return_new(c, string_view(c, str_from_c(names[self_of(c)->hash])));
}

static bool
hook_dispose(struct call *c, struct object *self)
{
    return true;
}

static const struct type_hooks disposable_hooks = {.dispose = hook_dispose};

/* ---- HashAlgorithmName: a name, kept in the value ---- */

static bool
name_of(struct call *c, struct str name)
{
    struct string *s = string_view(c, name);

    c->ret = value_ref(s);
    return s != NULL;
}

#define NAME(function, text) \
    static bool \
    function(struct call *c) \
    { \
        return name_of(c, STR(text)); \
    }
NAME(name_md5, "MD5")
NAME(name_sha1, "SHA1")
NAME(name_sha256, "SHA256")
NAME(name_sha384, "SHA384")
NAME(name_sha512, "SHA512")

static bool
name_new(struct call *c)
{
    c->ret = c->args[0];
    return true;
}

static bool
name_name(struct call *c)
{
    return return_ref(c, c->args[0].ref);
}

static bool
name_hook_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    return (*ret = v.ref ? (struct string *)v.ref : string_lit(c, "")) != NULL;
}

static bool
name_hook_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    *ret = string_eq((struct string *)a.ref, (struct string *)b.ref);
    return true;
}

static bool
name_hook_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    *ret = 0;
    return !v.ref || value_hash(c, core_types(c->run->env)->string, v, ret);
}

static bool
name_equal(struct call *c)
{
    return return_bool(c, string_eq((struct string *)c->args[0].ref, (struct string *)c->args[1].ref));
}

static bool
name_not_equal(struct call *c)
{
    return return_bool(c, !string_eq((struct string *)c->args[0].ref, (struct string *)c->args[1].ref));
}

static const struct type_hooks name_hooks = {.to_string = name_hook_to_string, .equals = name_hook_equals,
                                             .hash = name_hook_hash};

bool
hash_name_argument(struct call *c, uint32_t i, enum crypto_hash *ret)
{
    struct string *s = (struct string *)c->args[i].ref;

    if (!s || s->size == 0)
        return throw_argument(c, "hashAlgorithm", "The hash algorithm name cannot be null or empty.");
    return crypto_hash_named(string_str(s), ret) ||
           call_throw(c, EXC_CRYPTOGRAPHIC, "'%.*s' is not a known hash algorithm.", STR_ARG(string_str(s)));
}

/* ---- Oid ---- */

static const struct { const char *value, *name; } oids[] = {
    {"1.2.840.113549.1.1.1", "RSA"},              {"1.2.840.113549.1.1.5", "sha1RSA"},
    {"1.2.840.113549.1.1.11", "sha256RSA"},       {"1.2.840.113549.1.1.12", "sha384RSA"},
    {"1.2.840.113549.1.1.13", "sha512RSA"},       {"1.2.840.113549.1.1.10", "RSASSA-PSS"},
    {"1.2.840.113549.2.5", "md5"},                {"1.3.14.3.2.26", "sha1"},
    {"2.16.840.1.101.3.4.2.1", "sha256"},         {"2.16.840.1.101.3.4.2.2", "sha384"},
    {"2.16.840.1.101.3.4.2.3", "sha512"},         {"1.2.840.10045.2.1", "ECC"},
    {"1.2.840.10045.4.3.2", "sha256ECDSA"},       {"1.2.840.10045.4.3.3", "sha384ECDSA"},
    {"1.3.6.1.5.5.7.3.1", "Server Authentication"}, {"1.3.6.1.5.5.7.3.2", "Client Authentication"},
};

struct object *
oid_new(struct call *c, struct str value)
{
    struct record *r = record_of(c, type_find(c->run->env, STR("System.Security.Cryptography.Oid"), NULL, 0), 2);

    if (!r || !(r->v[0].ref = (struct object *)string_new(c, value)))
        return NULL;
    for (size_t i = 0; i < COUNTOF(oids); i++)
        if (str_eq(value, str_from_c(oids[i].value)))
            r->v[1] = value_ref(string_view(c, str_from_c(oids[i].name)));
    return &r->head;
}

struct record *
record_of(struct call *c, const struct type *type, uint32_t n)
{
    return (struct record *)object_new_(c, type, sizeof(struct record) + n * sizeof(struct value));
}

static bool
oid_make(struct call *c)
{
    struct record *r = record_of(c, c->owner, 2);
    struct string *text = c->n_args ? call_string(c, 0) : NULL;

    if (!r)
        return false;
    r->v[0] = value_ref(text);
    if (c->n_args > 1)
        r->v[1] = c->args[1];
    for (size_t i = 0; text && c->n_args == 1 && i < COUNTOF(oids); i++) {
        if (str_eq(string_str(text), str_from_c(oids[i].value)))
            r->v[1] = value_ref(string_view(c, str_from_c(oids[i].name)));
        if (!str_eq_nocase(string_str(text), str_from_c(oids[i].name)))
            continue;
        r->v[0] = value_ref(string_view(c, str_from_c(oids[i].value)));
        r->v[1] = value_ref(text);
    }
    return return_ref(c, r);
}

static bool
oid_copy(struct call *c)
{
    struct record *from = (struct record *)c->args[0].ref, *r = record_of(c, c->owner, 2);

    if (!from)
        return throw_argument_null(c, "oid");
    if (r)
        memcpy(r->v, from->v, 2 * sizeof(r->v[0]));
    return return_new(c, r);
}

#define FIELD(name, i) \
    static bool \
    oid_##name(struct call *c) \
    { \
        c->ret = ((struct record *)c->args[0].ref)->v[i]; \
        return true; \
    } \
    static bool \
    oid_set_##name(struct call *c) \
    { \
        ((struct record *)c->args[0].ref)->v[i] = c->args[1]; \
        return true; \
    }
FIELD(value, 0)
FIELD(friendly_name, 1)

/* ---- random bytes ---- */

/* The oid that a table of ours knows. False after throwing. */
static bool
oid_known(struct call *c, bool by_name)
{
    struct string *text = call_string(c, 0);
    struct record *r;

    if (!text)
        return throw_argument_null(c, by_name ? "friendlyName" : "oidValue");
    for (size_t i = 0; i < COUNTOF(oids); i++) {
        if (!(by_name ? str_eq_nocase(string_str(text), str_from_c(oids[i].name)) : str_eq(string_str(text), str_from_c(oids[i].value))))
            continue;
        if (!(r = (struct record *)oid_new(c, str_from_c(oids[i].value))))
            return false;
        r->v[1] = value_ref(string_view(c, str_from_c(oids[i].name)));
        return return_ref(c, r);
    }
    return call_throw(c, EXC_CRYPTOGRAPHIC, by_name ? "No OID value matches this name." : "The OID value is invalid.");
}

static bool oid_from_name(struct call *c) { return oid_known(c, true); }
static bool oid_from_value(struct call *c) { return oid_known(c, false); }

/* ProduceLegacyHmacValues asks for a mistake of .NET 2.0 that is not made here. */
static bool legacy(struct call *c) { return return_bool(c, false); }

static bool
set_legacy(struct call *c)
{
    return !call_bool(c, 1) || call_throw(c, EXC_PLATFORM_NOT_SUPPORTED, "The values of .NET 2.0 are not produced.");
}

static bool
hmac_set_hash_name(struct call *c)
{
    struct str name = call_string(c, 1) ? string_str(call_string(c, 1)) : STR("");
    enum crypto_hash hash;

    if (!hash_in_name(name, &hash))
        return throw_argument_null(c, "HashName");
    self_of(c)->hash = hash;
    return true;
}

static bool
rng_new(struct call *c)
{
    return return_new(c, object_new(c, c->owner, struct hash_object));
}

static bool
rng_get_bytes(struct call *c)
{
    struct str bytes;

    if (!(c->n_args > 2 ? bytes_part_argument(c, 1, "data", &bytes) : bytes_argument(c, 1, "data", &bytes)))
        return false;
    rand_secret((void *)(uintptr_t)bytes.p, bytes.len);
    return call_charge(c, bytes.len / 16);
}

static bool
rng_get_non_zero_bytes(struct call *c)
{
    struct str bytes;

    if (!bytes_argument(c, 1, "data", &bytes) || !call_charge(c, bytes.len / 8))
        return false;
    for (size_t i = 0; i < bytes.len; i++)
        do
            rand_secret((void *)(uintptr_t)(bytes.p + i), 1);
        while (bytes.p[i] == 0);
    return true;
}

#define N "System.Security.Cryptography."
#define HASHED(name, base) CLASS(N name, base, NULL, NULL)

static const struct type_row types[] = {
    CLASS_ABSTRACT(N "HashAlgorithm", NULL, "IDisposable", &disposable_hooks),
    CLASS_ABSTRACT(N "KeyedHashAlgorithm", "HashAlgorithm", NULL, NULL),
    CLASS_ABSTRACT(N "HMAC", "KeyedHashAlgorithm", NULL, NULL),
    CLASS_ABSTRACT(N "MD5", "HashAlgorithm", NULL, NULL),
    CLASS_ABSTRACT(N "SHA1", "HashAlgorithm", NULL, NULL),
    CLASS_ABSTRACT(N "SHA256", "HashAlgorithm", NULL, NULL),
    CLASS_ABSTRACT(N "SHA384", "HashAlgorithm", NULL, NULL),
    CLASS_ABSTRACT(N "SHA512", "HashAlgorithm", NULL, NULL),
    HASHED("SHA1Managed", "SHA1"), HASHED("SHA256Managed", "SHA256"), HASHED("SHA384Managed", "SHA384"),
    HASHED("SHA512Managed", "SHA512"), HASHED("HMACMD5", "HMAC"), HASHED("HMACSHA1", "HMAC"),
    HASHED("HMACSHA256", "HMAC"), HASHED("HMACSHA384", "HMAC"), HASHED("HMACSHA512", "HMAC"),
    STRUCT(N "HashAlgorithmName", NULL, &name_hooks),
    CLASS(N "Oid", NULL, NULL, NULL),
    ENUM(N "OidGroup", "All = 0, HashAlgorithm = 1, EncryptionAlgorithm = 2, PublicKeyAlgorithm = 3, SignatureAlgorithm = 4, "
                       "Attribute = 5, ExtensionOrAttribute = 6, EnhancedKeyUsage = 7, Policy = 8, Template = 9, KeyDerivationFunction = 10"),
    TYPE_LATER("System.IO.Stream"),
    TYPE_LATER(N "CspParameters"),
    CLASS_ABSTRACT(N "RandomNumberGenerator", NULL, "IDisposable", &disposable_hooks),
    CLASS(N "RNGCryptoServiceProvider", "RandomNumberGenerator", NULL, NULL),
};

#define PLAIN(name) \
    M(name, "static " name " Create()", hash_create), \
    M_EXTRA(name, "static byte[] HashData(byte[] source)", hash_data)
#define KEYED(name) \
    M(name, "new()", hmac_new_random), \
    M(name, "new(byte[] key)", hmac_new)

static const struct member_row members[] = {
    M("HashAlgorithm", "static HashAlgorithm Create(string hashName)", create_named),
    M("HashAlgorithm", "bool CanReuseTransform { get; }", return_one),
    M("HashAlgorithm", "bool CanTransformMultipleBlocks { get; }", return_one),
    M("HashAlgorithm", "byte[] Hash { get; }", hash_hash),
    M("HashAlgorithm", "int HashSize { get; }", hash_size),
    M("HashAlgorithm", "int InputBlockSize { get; }", return_one),
    M("HashAlgorithm", "int OutputBlockSize { get; }", return_one),
    M("HashAlgorithm", "void Clear()", nothing),
    M("HashAlgorithm", "void Dispose()", nothing),
    M("HashAlgorithm", "void Initialize()", hash_initialize),
    M("HashAlgorithm", "byte[] ComputeHash(byte[] buffer)", hash_compute),
    M("HashAlgorithm", "byte[] ComputeHash(byte[] buffer, int offset, int count)", hash_compute_part),
    M("HashAlgorithm", "int TransformBlock(byte[] inputBuffer, int inputOffset, int inputCount, byte[] outputBuffer, int outputOffset)", hash_transform_block),
    M("HashAlgorithm", "byte[] TransformFinalBlock(byte[] inputBuffer, int inputOffset, int inputCount)", hash_transform_final),
    P("KeyedHashAlgorithm", "byte[] Key { get; set; }", hmac_key, hmac_set_key),
    M("HMAC", "static HMAC Create(string algorithmName)", create_named),
    P("HMAC", "string HashName { get; set; }", hmac_hash_name, hmac_set_hash_name),
    M("HMAC", "static HMAC Create()", create_default_keyed),
    M("KeyedHashAlgorithm", "static KeyedHashAlgorithm Create()", create_default_keyed),
    M("KeyedHashAlgorithm", "static KeyedHashAlgorithm Create(string algName)", create_named),
    M("HashAlgorithm", "static HashAlgorithm Create()", create_default),
    M_LATER("HashAlgorithm", "byte[] ComputeHash(Stream inputStream)"),
    P("HMACSHA384", "bool ProduceLegacyHmacValues { get; set; }", legacy, set_legacy),
    P("HMACSHA512", "bool ProduceLegacyHmacValues { get; set; }", legacy, set_legacy),
    PLAIN("MD5"), PLAIN("SHA1"), PLAIN("SHA256"), PLAIN("SHA384"), PLAIN("SHA512"),
    M("SHA1Managed", "new()", hash_create), M("SHA256Managed", "new()", hash_create), M("SHA384Managed", "new()", hash_create),
    M("SHA512Managed", "new()", hash_create),
    KEYED("HMACMD5"), KEYED("HMACSHA1"), KEYED("HMACSHA256"), KEYED("HMACSHA384"), KEYED("HMACSHA512"),
    M("HMACSHA1", "new(byte[] key, bool useManagedSha1)", hmac_new),

    M("HashAlgorithmName", "new(string name)", name_new),
    M("HashAlgorithmName", "string Name { get; }", name_name),
    M("HashAlgorithmName", "static HashAlgorithmName MD5 { get; }", name_md5),
    M("HashAlgorithmName", "static HashAlgorithmName SHA1 { get; }", name_sha1),
    M("HashAlgorithmName", "static HashAlgorithmName SHA256 { get; }", name_sha256),
    M("HashAlgorithmName", "static HashAlgorithmName SHA384 { get; }", name_sha384),
    M("HashAlgorithmName", "static HashAlgorithmName SHA512 { get; }", name_sha512),
    M("HashAlgorithmName", "bool Equals(HashAlgorithmName other)", name_equal),
    M("HashAlgorithmName", "static bool operator ==(HashAlgorithmName left, HashAlgorithmName right)", name_equal),
    M("HashAlgorithmName", "static bool operator !=(HashAlgorithmName left, HashAlgorithmName right)", name_not_equal),

    M("Oid", "new()", oid_make),
    M("Oid", "new(string oid)", oid_make),
    M("Oid", "new(string value, string friendlyName)", oid_make),
    M("Oid", "new(Oid oid)", oid_copy),
    M("Oid", "static Oid FromFriendlyName(string friendlyName, OidGroup group)", oid_from_name),
    M("Oid", "static Oid FromOidValue(string oidValue, OidGroup group)", oid_from_value),
    P("Oid", "string Value { get; set; }", oid_value, oid_set_value),
    P("Oid", "string FriendlyName { get; set; }", oid_friendly_name, oid_set_friendly_name),

    M("RandomNumberGenerator", "static RandomNumberGenerator Create()", rng_new),
    M("RandomNumberGenerator", "void Dispose()", nothing),
    M("RandomNumberGenerator", "void GetBytes(byte[] data)", rng_get_bytes),
    M("RandomNumberGenerator", "void GetBytes(byte[] data, int offset, int count)", rng_get_bytes),
    M("RandomNumberGenerator", "void GetNonZeroBytes(byte[] data)", rng_get_non_zero_bytes),
    M("RNGCryptoServiceProvider", "new()", rng_new),
    M("RNGCryptoServiceProvider", "new(byte[] rgb)", rng_new),
    M("RNGCryptoServiceProvider", "new(string str)", rng_new),
    M_LATER("RNGCryptoServiceProvider", "new(CspParameters cspParams)"),
};

const struct library clr_crypto_hash = LIBRARY("crypto hash", types, members);
