/* x509.c: X509Certificate, X509Certificate2, PublicKey, X500DistinguishedName.
 *
 * A certificate object holds one X509 and maybe its private key; the run's arena frees both. Constructors from a file name
 * do not exist: an expression reads no files.
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include "base/codec.h"
#include "base/utf8.h"
#include "clr/crypto.h"
#include "clr/datetime.h"
#include "clr/families.h"
#include "net/tls.h"

struct certificate_object {
    struct object head;
    struct crypto_certificate c;
    struct string *friendly_name;
    bool archived;
};

struct name_object {
    struct object head;
    const X509_NAME *name;
};

static void
free_certificate(void *certificate)
{
    crypto_certificate_destroy(certificate);
}

static bool
keep(struct call *c, struct certificate_object *o, struct crypto_certificate certificate)
{
    if (!o || !arena_defer(c->run->arena, free_certificate, &o->c)) {
        crypto_certificate_destroy(&certificate);
        return o ? call_exceed(c, BUDGET_BYTES) : false;
    }
    o->c = certificate;
    return true;
}

struct object *
x509_new(struct call *c, struct crypto_certificate certificate)
{
    const struct type *type =
        type_find(c->run->env, STR("System.Security.Cryptography.X509Certificates.X509Certificate2"), NULL, 0);
    struct certificate_object *o = object_new(c, type, struct certificate_object);

    return keep(c, o, certificate) ? &o->head : NULL;
}

const struct crypto_certificate *
x509_certificate(const struct object *o)
{
    return &((const struct certificate_object *)o)->c;
}

static X509 *
self_of(const struct call *c)
{
    return ((struct certificate_object *)c->args[0].ref)->c.x509;
}

/* ---- making ---- */

static bool
certificate_new(struct call *c)
{
    struct certificate_object *o = object_new(c, c->owner, struct certificate_object);
    struct str password = c->n_args > 1 && c->args[1].ref ? string_str(call_string(c, 1)) : STR("");
    struct crypto_certificate certificate;
    struct buf decoded = call_buf(c);
    struct str bytes;
    struct err err;

    if (!o || !bytes_argument(c, 0, "rawData", &bytes) || !call_charge(c, 5000))
        return false;
    /* Bare Base64 of DER is taken too, as Windows does. */
    if (bytes.len && bytes.p[0] == 'M' && codec_base64_decode_blanks(&decoded, bytes, NULL))
        bytes = buf_str(&decoded);
    if (!crypto_certificate_read(bytes, password, &certificate, &err))
        return call_throw(c, EXC_CRYPTOGRAPHIC, "Cannot find the requested object.");
    return keep(c, o, certificate) && return_ref(c, o);
}

/* Constructors and Import with a file's name. */
static bool
no_files(struct call *c)
{
    return call_throw(c, EXC_CRYPTOGRAPHIC, "Access is denied: an expression reads no files.");
}

static bool
certificate_import(struct call *c)
{
    struct certificate_object *o = (struct certificate_object *)c->args[0].ref;
    struct call inner = *c;

    inner.args++;
    inner.n_args--;
    inner.owner = o->head.type;
    if (!certificate_new(&inner))
        return false;
    o->c = ((struct certificate_object *)inner.ret.ref)->c; /* which the other object frees */
    return true;
}

static bool
with_key(struct call *c, struct certificate_object *o, X509 *x509, const struct object *rsa)
{
    EVP_PKEY *key = rsa ? ((const struct rsa *)rsa)->key : NULL;

    if (key && X509_check_private_key(x509, key) != 1) {
        ERR_clear_error();
        return throw_argument(c, "privateKey", "The provided key does not match the public key for this certificate.");
    }
    X509_up_ref(x509);
    if (key)
        EVP_PKEY_up_ref(key);
    return keep(c, o, (struct crypto_certificate){x509, key});
}

static bool
copy_with_private_key(struct call *c)
{
    struct certificate_object *from = (struct certificate_object *)c->args[0].ref, *o;

    if (!from || !c->args[1].ref)
        return throw_argument_null(c, from ? "privateKey" : "certificate");
    if (from->c.key)
        return call_throw(c, EXC_INVALID_OPERATION, "The certificate already has an associated private key.");
    o = object_new(c, from->head.type, struct certificate_object);
    return with_key(c, o, from->c.x509, c->args[1].ref) && return_ref(c, o);
}

static bool
certificate_set_private_key(struct call *c)
{
    struct certificate_object *o = (struct certificate_object *)c->args[0].ref;

    return with_key(c, o, o->c.x509, c->args[1].ref);
}

static bool certificate_archived(struct call *c) { return return_bool(c, ((struct certificate_object *)c->args[0].ref)->archived); }

static bool
certificate_set_archived(struct call *c)
{
    ((struct certificate_object *)c->args[0].ref)->archived = call_bool(c, 1);
    return true;
}

static bool
certificate_copy(struct call *c)
{
    struct certificate_object *from = (struct certificate_object *)c->args[0].ref;
    struct certificate_object *o = object_new(c, c->owner, struct certificate_object);

    if (!from)
        return throw_argument_null(c, "certificate");
    X509_up_ref(from->c.x509);
    if (from->c.key)
        EVP_PKEY_up_ref(from->c.key);
    return keep(c, o, from->c) && return_ref(c, o);
}

/* ---- names ---- */

/* The letter codes that Windows writes; other attributes appear as OID.1.2.3. */
static void
add_attribute(struct buf *b, const ASN1_OBJECT *object)
{
    static const struct { int nid; const char *name; } names[] = {
        {NID_commonName, "CN"}, {NID_organizationName, "O"}, {NID_organizationalUnitName, "OU"}, {NID_localityName, "L"},
        {NID_stateOrProvinceName, "S"}, {NID_countryName, "C"}, {NID_pkcs9_emailAddress, "E"}, {NID_streetAddress, "STREET"},
        {NID_serialNumber, "SERIALNUMBER"}, {NID_title, "T"}, {NID_givenName, "G"}, {NID_initials, "I"}, {NID_surname, "SN"},
        {NID_domainComponent, "DC"},
    };
    char text[80];

    for (size_t i = 0; i < COUNTOF(names); i++) {
        if (OBJ_obj2nid(object) == names[i].nid) {
            buf_add_str(b, str_from_c(names[i].name));
            return;
        }
    }
    OBJ_obj2txt(text, sizeof(text), object, 1);
    buf_printf(b, "OID.%s", text);
}

static void
add_value(struct buf *b, struct str value)
{
    bool quote = value.len == 0 || value.p[0] == ' ' || value.p[value.len - 1] == ' ';

    for (size_t i = 0; i < value.len && !quote; i++)
        quote = strchr(",+=\"\n<>#;", value.p[i]) != NULL;
    if (!quote) {
        buf_add_str(b, value);
        return;
    }
    buf_add_char(b, '"');
    for (size_t i = 0; i < value.len; i++) {
        if (value.p[i] == '"')
            buf_add_char(b, '"');
        buf_add_char(b, value.p[i]);
    }
    buf_add_char(b, '"');
}

/* "CN=name, O=org, C=US": the most specific part first. */
static struct string *
name_text(struct call *c, const X509_NAME *name)
{
    struct buf b = call_buf(c);

    for (int i = X509_NAME_entry_count(name) - 1; i >= 0; i--) {
        X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        unsigned char *utf8 = NULL;
        int n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));

        if (b.len)
            buf_add_lit(&b, ", ");
        add_attribute(&b, X509_NAME_ENTRY_get_object(entry));
        buf_add_char(&b, '=');
        add_value(&b, str_from(utf8 ? (char *)utf8 : "", n > 0 ? (size_t)n : 0));
        OPENSSL_free(utf8);
    }
    ERR_clear_error();
    return string_from_buf(c, &b);
}

static bool
certificate_subject(struct call *c)
{
    return return_new(c, name_text(c, X509_get_subject_name(self_of(c))));
}

static bool
certificate_issuer(struct call *c)
{
    return return_new(c, name_text(c, X509_get_issuer_name(self_of(c))));
}

static bool
name_object(struct call *c, const X509_NAME *name)
{
    struct name_object *o = object_new(c, c->ret_type, struct name_object);

    if (o)
        o->name = name;
    return return_new(c, o);
}

static bool
certificate_subject_name(struct call *c)
{
    return name_object(c, X509_get_subject_name(self_of(c)));
}

static bool
certificate_issuer_name(struct call *c)
{
    return name_object(c, X509_get_issuer_name(self_of(c)));
}

static bool
name_name(struct call *c)
{
    return return_new(c, name_text(c, ((struct name_object *)c->args[0].ref)->name));
}

/* The last attribute of this kind in a name. */
static bool
last_entry(struct call *c, const X509_NAME *name, int nid, struct string **ret)
{
    unsigned char *utf8 = NULL;
    int at = -1, found = -1, n;

    *ret = NULL;
    while ((at = X509_NAME_get_index_by_NID((X509_NAME *)name, nid, at)) >= 0)
        found = at;
    if (found < 0)
        return true;
    n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, found)));
    *ret = string_new(c, str_from(utf8 ? (char *)utf8 : "", n > 0 ? (size_t)n : 0));
    OPENSSL_free(utf8);
    return *ret != NULL;
}

/* The first subject alternative name of this kind. */
static bool
alternative_name(struct call *c, X509 *x509, int kind, struct string **ret)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);

    *ret = NULL;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !*ret; i++) {
        GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == kind)
            *ret = string_new(c, str_from((const char *)ASN1_STRING_get0_data(name->d.ia5),
                                          (size_t)ASN1_STRING_length(name->d.ia5)));
    }
    GENERAL_NAMES_free(names);
    return true;
}

enum name_type { NAME_SIMPLE, NAME_EMAIL, NAME_UPN, NAME_DNS, NAME_URL, NAME_DNS_ALTERNATIVE };

/* GetNameInfo(nameType, forIssuer) */
static bool
certificate_name_info(struct call *c)
{
    const X509_NAME *name = call_bool(c, 2) ? X509_get_issuer_name(self_of(c)) : X509_get_subject_name(self_of(c));
    static const int simple[] = {NID_commonName, NID_organizationalUnitName, NID_organizationName, NID_pkcs9_emailAddress};
    struct string *found = NULL;

    switch ((enum name_type)c->args[1].i64) {
    case NAME_SIMPLE:
        for (size_t i = 0; i < COUNTOF(simple) && !found; i++)
            if (!last_entry(c, name, simple[i], &found))
                return false;
        break;
    case NAME_EMAIL:
        if (!alternative_name(c, self_of(c), GEN_EMAIL, &found) || (!found && !last_entry(c, name, NID_pkcs9_emailAddress, &found)))
            return false;
        break;
    case NAME_DNS: case NAME_DNS_ALTERNATIVE:
        if (!alternative_name(c, self_of(c), GEN_DNS, &found) || (!found && !last_entry(c, name, NID_commonName, &found)))
            return false;
        break;
    case NAME_URL:
        if (!alternative_name(c, self_of(c), GEN_URI, &found))
            return false;
        break;
    case NAME_UPN: break;
    }
    return return_new(c, found ? found : string_lit(c, ""));
}

/* ---- bytes and numbers ---- */

static struct string *
hex(struct call *c, struct str bytes)
{
    struct buf b = call_buf(c);

    codec_hex_encode(&b, bytes, true);
    return string_from_buf(c, &b);
}

/* DER of the whole certificate, in the run's arena. */
static bool
der_of(struct call *c, X509 *x509, struct str *ret)
{
    int n = i2d_X509(x509, NULL);
    unsigned char *p = n > 0 ? call_alloc(c, (size_t)n) : NULL;

    if (!p)
        return false;
    *ret = str_from((const char *)p, (size_t)n);
    return i2d_X509(x509, &p) == n;
}

static bool
hash_of(struct call *c, enum crypto_hash hash, uint8_t digest[CRYPTO_HASH_MAX])
{
    struct str der;

    return der_of(c, self_of(c), &der) && crypto_digest(hash, der, digest) && call_charge(c, der.len / 16);
}

static bool
certificate_thumbprint(struct call *c)
{
    uint8_t digest[CRYPTO_HASH_MAX];

    return hash_of(c, HASH_SHA1, digest) && return_new(c, hex(c, str_from((const char *)digest, 20)));
}

static bool
certificate_hash(struct call *c)
{
    enum crypto_hash hash = HASH_SHA1;
    uint8_t digest[CRYPTO_HASH_MAX];

    if (c->n_args > 1 && !hash_name_argument(c, 1, &hash))
        return false;
    return hash_of(c, hash, digest) && return_new(c, array_of_bytes(c, digest, (uint32_t)crypto_hash_size(hash)));
}

static bool
certificate_hash_string(struct call *c)
{
    enum crypto_hash hash = HASH_SHA1;
    uint8_t digest[CRYPTO_HASH_MAX];

    if (c->n_args > 1 && !hash_name_argument(c, 1, &hash))
        return false;
    return hash_of(c, hash, digest) && return_new(c, hex(c, str_from((const char *)digest, crypto_hash_size(hash))));
}

static struct str
serial_of(X509 *x509)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x509);

    return str_from((const char *)ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial));
}

static bool
certificate_serial_text(struct call *c)
{
    return return_new(c, hex(c, serial_of(self_of(c))));
}

/* GetSerialNumber(): little-endian. */
static bool
certificate_serial(struct call *c)
{
    struct str serial = serial_of(self_of(c));
    struct array *a = array_of_bytes(c, serial.p, (uint32_t)serial.len);

    for (uint32_t i = 0; a && i < a->n; i++)
        a->u.bytes[i] = (uint8_t)serial.p[serial.len - 1 - i];
    return return_new(c, a);
}

static bool
certificate_raw(struct call *c)
{
    struct str der;

    return der_of(c, self_of(c), &der) && return_new(c, array_of_bytes(c, der.p, (uint32_t)der.len));
}

static bool
certificate_raw_text(struct call *c)
{
    struct str der;

    return der_of(c, self_of(c), &der) && return_new(c, hex(c, der));
}

static struct str
public_key_bytes(X509 *x509)
{
    const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(x509);

    return str_from((const char *)ASN1_STRING_get0_data(bits), (size_t)ASN1_STRING_length(bits));
}

static bool
certificate_public_key_bytes(struct call *c)
{
    struct str key = public_key_bytes(self_of(c));

    return return_new(c, array_of_bytes(c, key.p, (uint32_t)key.len));
}

static bool
certificate_public_key_text(struct call *c)
{
    return return_new(c, hex(c, public_key_bytes(self_of(c))));
}

static bool
key_algorithm(X509 *x509, char text[80])
{
    ASN1_OBJECT *object = NULL;

    X509_PUBKEY_get0_param(&object, NULL, NULL, NULL, X509_get_X509_PUBKEY(x509));
    return object && OBJ_obj2txt(text, 80, object, 1) > 0;
}

static bool
certificate_key_algorithm(struct call *c)
{
    char text[80] = "";

    key_algorithm(self_of(c), text);
    return return_new(c, string_new(c, str_from_c(text)));
}

/* DER of the key algorithm's parameters: 05-00, a NULL, for RSA. */
static bool
key_parameters(struct call *c, struct str *ret)
{
    X509_ALGOR *algorithm = NULL;
    unsigned char *der = NULL;
    const ASN1_TYPE *parameter;
    int n;

    X509_PUBKEY_get0_param(NULL, NULL, NULL, &algorithm, X509_get_X509_PUBKEY(self_of(c)));
    parameter = algorithm ? algorithm->parameter : NULL;
    n = parameter ? i2d_ASN1_TYPE(parameter, &der) : 0;
    *ret = n > 0 ? str_dup(c->run->arena, str_from((const char *)der, (size_t)n)) : STR("");
    OPENSSL_free(der);
    return ret->p || call_exceed(c, BUDGET_BYTES);
}

static bool
certificate_key_parameters(struct call *c)
{
    struct str der;

    return key_parameters(c, &der) && return_new(c, array_of_bytes(c, der.p, (uint32_t)der.len));
}

static bool
certificate_key_parameters_text(struct call *c)
{
    struct str der;

    return key_parameters(c, &der) && return_new(c, hex(c, der));
}

static bool
certificate_signature_algorithm(struct call *c)
{
    const X509_ALGOR *algorithm;
    const ASN1_OBJECT *object;
    char text[80] = "";

    X509_get0_signature(NULL, &algorithm, self_of(c));
    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    OBJ_obj2txt(text, sizeof(text), object, 1);
    return return_new(c, oid_new(c, str_from_c(text)));
}

static bool
certificate_version(struct call *c)
{
    return return_i64(c, X509_get_version(self_of(c)) + 1);
}

static bool
certificate_format(struct call *c)
{
    return return_new(c, string_lit(c, "X509"));
}

static bool
certificate_friendly_name(struct call *c)
{
    struct string *name = ((struct certificate_object *)c->args[0].ref)->friendly_name;

    return return_new(c, name ? name : string_lit(c, ""));
}

static bool
certificate_set_friendly_name(struct call *c)
{
    ((struct certificate_object *)c->args[0].ref)->friendly_name = call_string(c, 1);
    return true;
}

/* ---- dates: local time, which is UTC here ---- */

static struct value
date_of(const ASN1_TIME *t)
{
    struct tm tm;
    struct civil civil;
    int64_t ticks = 0;

    if (ASN1_TIME_to_tm(t, &tm) == 1) {
        civil = (struct civil){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, 0};
        if (!ticks_from_civil(&civil, &ticks))
            ticks = 0;
    }
    return value_datetime(ticks, KIND_LOCAL);
}

static bool
certificate_not_before(struct call *c)
{
    c->ret = date_of(X509_get0_notBefore(self_of(c)));
    return true;
}

static bool
certificate_not_after(struct call *c)
{
    c->ret = date_of(X509_get0_notAfter(self_of(c)));
    return true;
}

static bool
date_text(struct call *c, const ASN1_TIME *t)
{
    const struct type *date = type_find(c->run->env, STR("System.DateTime"), NULL, 0);
    struct string *text;

    return value_to_string(c, date, date_of(t), STR_NONE, &text) && return_ref(c, text);
}

static bool
certificate_effective_text(struct call *c)
{
    return date_text(c, X509_get0_notBefore(self_of(c)));
}

static bool
certificate_expiration_text(struct call *c)
{
    return date_text(c, X509_get0_notAfter(self_of(c)));
}

/* ---- keys ---- */

static bool
certificate_has_private_key(struct call *c)
{
    return return_bool(c, x509_certificate(c->args[0].ref)->key != NULL);
}

/* Another reference to the key as an RSA; null for other kinds. */
static bool
return_rsa(struct call *c, EVP_PKEY *key, bool is_private)
{
    if (!key || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
        return return_ref(c, NULL);
    EVP_PKEY_up_ref(key);
    return return_new(c, rsa_new(c, key, is_private));
}

static bool
certificate_private_rsa(struct call *c)
{
    if (!c->args[0].ref)
        return throw_argument_null(c, "certificate");
    return return_rsa(c, x509_certificate(c->args[0].ref)->key, true);
}

static bool
certificate_public_rsa(struct call *c)
{
    if (!c->args[0].ref)
        return throw_argument_null(c, "certificate");
    return return_rsa(c, X509_get0_pubkey(self_of(c)), false);
}

/* PublicKey: shows the certificate it was asked of. */
struct public_key {
    struct object head;
    struct certificate_object *certificate;
};

static bool
certificate_public_key(struct call *c)
{
    struct public_key *k = object_new(c, c->ret_type, struct public_key);

    if (k)
        k->certificate = (struct certificate_object *)c->args[0].ref;
    return return_new(c, k);
}

static bool
public_key_key(struct call *c)
{
    return return_rsa(c, X509_get0_pubkey(((struct public_key *)c->args[0].ref)->certificate->c.x509), false);
}

static bool
public_key_oid(struct call *c)
{
    char text[80] = "";

    key_algorithm(((struct public_key *)c->args[0].ref)->certificate->c.x509, text);
    return return_new(c, oid_new(c, str_from_c(text)));
}

/* ---- trust ---- */

static bool
is_trusted_by_system(X509 *certificate)
{
    X509_STORE *system_store = tls_system_store();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    bool ok;

    ok = ctx && system_store && X509_STORE_CTX_init(ctx, system_store, certificate, NULL) == 1 && X509_verify_cert(ctx) == 1;
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

/* Verify(): the chain ends at a CA that the host trusts (without one, this machine), and the dates hold. Revocation is asked by
 * validate-client-certificate alone. */
static bool
certificate_verify(struct call *c)
{
    unsigned char *der = NULL;
    bool ok = false, is_known;
    int len;

    if (!call_charge(c, 10000))
        return false;
    if (!c->run->trusts)
        return return_bool(c, is_trusted_by_system(self_of(c)));
    len = i2d_X509(self_of(c), &der);
    is_known = len > 0 && c->run->trusts(c->run, str_from((const char *)der, (size_t)len), &ok);
    OPENSSL_free(der);
    if (!is_known)
        return call_throw(c, EXC_CRYPTOGRAPHIC, "The chain of the certificate cannot be checked.");
    return return_bool(c, ok);
}

/* ---- comparing, showing ---- */

static bool
hook_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    *ret = a.ref == b.ref || (a.ref && b.ref && b.ref->type->hooks->equals == hook_equals &&
                              X509_cmp(x509_certificate(a.ref)->x509, x509_certificate(b.ref)->x509) == 0);
    return true;
}

static bool
hook_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    *ret = (int32_t)X509_subject_name_hash(x509_certificate(v.ref)->x509);
    return true;
}

static bool
hook_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    struct string *subject = name_text(c, X509_get_subject_name(x509_certificate(v.ref)->x509));
    struct string *issuer = name_text(c, X509_get_issuer_name(x509_certificate(v.ref)->x509));

    *ret = subject && issuer ? string_printf(c, "[Subject]\n  %.*s\n\n[Issuer]\n  %.*s\n", STR_ARG(string_str(subject)),
                                             STR_ARG(string_str(issuer)))
                             : NULL;
    return *ret != NULL;
}

static bool
certificate_to_string(struct call *c)
{
    struct string *s;

    return value_to_string(c, c->args[0].ref->type, c->args[0], STR_NONE, &s) && return_ref(c, s);
}

/* What bytes hold: a certificate, or PKCS#12. */
static bool
content_type(struct call *c)
{
    enum { CONTENT_CERT = 1, CONTENT_PFX = 3 };
    struct crypto_certificate certificate;
    const unsigned char *p;
    struct str bytes;
    PKCS12 *pfx;

    if (!bytes_argument(c, 0, "rawData", &bytes) || !call_charge(c, 5000))
        return false;
    p = (const unsigned char *)bytes.p;
    if ((pfx = d2i_PKCS12(NULL, &p, (long)bytes.len))) {
        PKCS12_free(pfx);
        return return_i64(c, CONTENT_PFX);
    }
    ERR_clear_error();
    if (!crypto_certificate_read(bytes, STR(""), &certificate, NULL))
        return call_throw(c, EXC_CRYPTOGRAPHIC, "Cannot find the requested object.");
    crypto_certificate_destroy(&certificate);
    return return_i64(c, CONTENT_CERT);
}

static bool
hook_dispose(struct call *c, struct object *self)
{
    return true;
}

static bool
nothing(struct call *c)
{
    return true;
}

static bool
certificate_equals(struct call *c)
{
    bool same;

    return hook_equals(c, NULL, c->args[0], c->args[1], &same) && return_bool(c, same);
}

/* Export(contentType[, password]): DER of the certificate; PKCS#12 only for what has an exportable key, which deployment
 * certificates have not. */
static bool
certificate_export(struct call *c)
{
    enum { CONTENT_CERT = 1 };

    if (c->args[1].i64 != CONTENT_CERT)
        return call_throw(c, EXC_CRYPTOGRAPHIC, "Key not valid for use in specified state.");
    return certificate_raw(c);
}

static const struct type_hooks certificate_hooks = {.equals = hook_equals, .hash = hook_hash, .to_string = hook_to_string,
                                                    .dispose = hook_dispose};

#define N "System.Security.Cryptography.X509Certificates."

static const struct type_row types[] = {
    ENUM(N "X509ContentType", "Unknown = 0, Cert = 1, SerializedCert = 2, Pfx = 3, Pkcs12 = 3, SerializedStore = 4, Pkcs7 = 5, "
                              "Authenticode = 6"),
    ENUM(N "X509NameType", "SimpleName = 0, EmailName = 1, UpnName = 2, DnsName = 3, DnsFromAlternativeName = 4, UrlName = 5"),
    ENUM_FLAGS(N "X509KeyStorageFlags", "DefaultKeySet = 0, UserKeySet = 1, MachineKeySet = 2, Exportable = 4, UserProtected = 8, "
                                        "PersistKeySet = 16, EphemeralKeySet = 32"),
    TYPE_LATER("System.Security.Cryptography.AsnEncodedData"),
    CLASS(N "X509Certificate", NULL, "IDisposable", &certificate_hooks),
    CLASS(N "X509Certificate2", "X509Certificate", NULL, NULL),
    CLASS_ABSTRACT(N "PublicKey", NULL, NULL, NULL),
    CLASS_ABSTRACT(N "X500DistinguishedName", NULL, NULL, NULL),
    STATIC_CLASS(N "RSACertificateExtensions"),
    STATIC_CLASS("Microsoft.Azure.ApiManagement.CertificateExtensions"),
};

#define C1 "X509Certificate"
#define C2 "X509Certificate2"

static const struct member_row members[] = {
    M(C1, "new(byte[] data)", certificate_new),
    M(C1, "new(byte[] rawData, string password)", certificate_new),
    M(C1, "new(X509Certificate cert)", certificate_copy),
    M_LATER(C1, "new()"),
    M(C1, "new(byte[] rawData, string password, X509KeyStorageFlags keyStorageFlags)", certificate_new),
    M(C1, "new(string fileName)", no_files),
    M(C1, "new(string fileName, string password)", no_files),
    M(C1, "new(string fileName, string password, X509KeyStorageFlags keyStorageFlags)", no_files),
    M(C1, "static X509Certificate CreateFromCertFile(string filename)", no_files),
    M(C1, "static X509Certificate CreateFromSignedFile(string filename)", no_files),
    M(C1, "void Import(byte[] rawData)", certificate_import),
    M(C1, "void Import(byte[] rawData, string password, X509KeyStorageFlags keyStorageFlags)", certificate_import),
    M(C1, "void Import(string fileName)", no_files),
    M(C1, "void Import(string fileName, string password, X509KeyStorageFlags keyStorageFlags)", no_files),
    M(C1, "void Reset()", nothing),
    M(C1, "byte[] GetKeyAlgorithmParameters()", certificate_key_parameters),
    M(C1, "string GetKeyAlgorithmParametersString()", certificate_key_parameters_text),
    M(C1, "string ToString(bool fVerbose)", certificate_to_string),
    M(C1, "string Issuer { get; }", certificate_issuer),
    M(C1, "string Subject { get; }", certificate_subject),
    M(C1, "void Dispose()", nothing),
    M(C1, "bool Equals(X509Certificate other)", certificate_equals),
    M(C1, "byte[] Export(X509ContentType contentType)", certificate_export),
    M(C1, "byte[] Export(X509ContentType contentType, string password)", certificate_export),
    M(C1, "byte[] GetCertHash()", certificate_hash),
    M(C1, "byte[] GetCertHash(HashAlgorithmName hashAlgorithm)", certificate_hash),
    M(C1, "string GetCertHashString()", certificate_hash_string),
    M(C1, "string GetCertHashString(HashAlgorithmName hashAlgorithm)", certificate_hash_string),
    M(C1, "string GetEffectiveDateString()", certificate_effective_text),
    M(C1, "string GetExpirationDateString()", certificate_expiration_text),
    M(C1, "string GetFormat()", certificate_format),
    M(C1, "string GetIssuerName()", certificate_issuer),
    M(C1, "string GetKeyAlgorithm()", certificate_key_algorithm),
    M(C1, "string GetName()", certificate_subject),
    M(C1, "byte[] GetPublicKey()", certificate_public_key_bytes),
    M(C1, "string GetPublicKeyString()", certificate_public_key_text),
    M(C1, "byte[] GetRawCertData()", certificate_raw),
    M(C1, "string GetRawCertDataString()", certificate_raw_text),
    M(C1, "byte[] GetSerialNumber()", certificate_serial),
    M(C1, "string GetSerialNumberString()", certificate_serial_text),

    M(C2, "new(byte[] rawData)", certificate_new),
    M(C2, "new(byte[] rawData, string password)", certificate_new),
    M(C2, "new(X509Certificate certificate)", certificate_copy),
    M_LATER(C2, "new()"),
    M(C2, "new(byte[] rawData, string password, X509KeyStorageFlags keyStorageFlags)", certificate_new),
    M(C2, "new(string fileName)", no_files),
    M(C2, "new(string fileName, string password)", no_files),
    M(C2, "new(string fileName, string password, X509KeyStorageFlags keyStorageFlags)", no_files),
    M(C2, "static X509ContentType GetCertContentType(byte[] rawData)", content_type),
    M(C2, "static X509ContentType GetCertContentType(string fileName)", no_files),
    P(C2, "bool Archived { get; set; }", certificate_archived, certificate_set_archived),
    P(C2, "string FriendlyName { get; set; }", certificate_friendly_name, certificate_set_friendly_name),
    M(C2, "bool HasPrivateKey { get; }", certificate_has_private_key),
    M(C2, "X500DistinguishedName IssuerName { get; }", certificate_issuer_name),
    M(C2, "DateTime NotAfter { get; }", certificate_not_after),
    M(C2, "DateTime NotBefore { get; }", certificate_not_before),
    P(C2, "AsymmetricAlgorithm PrivateKey { get; set; }", certificate_private_rsa, certificate_set_private_key),
    M(C2, "PublicKey PublicKey { get; }", certificate_public_key),
    M(C2, "byte[] RawData { get; }", certificate_raw),
    M(C2, "string SerialNumber { get; }", certificate_serial_text),
    M(C2, "Oid SignatureAlgorithm { get; }", certificate_signature_algorithm),
    M(C2, "X500DistinguishedName SubjectName { get; }", certificate_subject_name),
    M(C2, "string Thumbprint { get; }", certificate_thumbprint),
    M(C2, "int Version { get; }", certificate_version),
    M(C2, "string GetNameInfo(X509NameType nameType, bool forIssuer)", certificate_name_info),
    M(C2, "bool Verify()", certificate_verify),
    M_LATER(C2, "object Extensions { get; }"),

    M("PublicKey", "AsymmetricAlgorithm Key { get; }", public_key_key),
    M("PublicKey", "Oid Oid { get; }", public_key_oid),
    M_LATER("PublicKey", "new(Oid oid, AsnEncodedData parameters, AsnEncodedData keyValue)"),
    M_LATER("PublicKey", "object EncodedKeyValue { get; }"),
    M_LATER("PublicKey", "object EncodedParameters { get; }"),
    M("X500DistinguishedName", "string Name { get; }", name_name),
    M("RSACertificateExtensions", "static RSA GetRSAPrivateKey(this X509Certificate2 certificate)", certificate_private_rsa),
    M("RSACertificateExtensions", "static RSA GetRSAPublicKey(this X509Certificate2 certificate)", certificate_public_rsa),
    M("RSACertificateExtensions", "static X509Certificate2 CopyWithPrivateKey(this X509Certificate2 certificate, RSA privateKey)",
      copy_with_private_key),
    M("CertificateExtensions", "static bool VerifyNoRevocation(this X509Certificate2 certificate)", certificate_verify),
};

const struct library clr_x509 = LIBRARY("x509", types, members);
