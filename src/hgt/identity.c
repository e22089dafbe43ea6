/* identity.c: keys and certificates for tests, by OpenSSL's calls.
 * SPDX-License-Identifier: Apache-2.0 */
#include "hgt/identity.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/rand.h"

/* False when OpenSSL does not understand the value. */
static bool
try_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;

    X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (!e)
        return false;
    X509_add_ext(certificate, e, -1);
    X509_EXTENSION_free(e);
    return true;
}

static void
add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    bool ok = try_extension(certificate, issuer, nid, value);

    ASSERT(ok);
}

static X509 *
certificate_new(EVP_PKEY *key, const char *name)
{
    X509 *c = X509_new();
    uint64_t serial;

    rand_secret(&serial, sizeof(serial));
    X509_set_version(c, 2);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(c), serial >> 1);
    X509_gmtime_adj(X509_getm_notBefore(c), -3600);
    X509_gmtime_adj(X509_getm_notAfter(c), 30L * 24 * 3600);
    X509_set_pubkey(c, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
    return c;
}

void
identity_create_authority(struct identity *ret, const char *name)
{
    ret->key = EVP_EC_gen("P-256");
    ret->certificate = certificate_new(ret->key, name);
    X509_set_issuer_name(ret->certificate, X509_get_subject_name(ret->certificate));
    add_extension(ret->certificate, ret->certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(ret->certificate, ret->certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(ret->certificate, ret->certificate, NID_subject_key_identifier, "hash");
    ASSERT(X509_sign(ret->certificate, ret->key, EVP_sha256()) > 0);
}

void
identity_create_for(struct identity *ret, const struct identity *authority, const char *name)
{
    char names[512];
    unsigned char address[16];
    bool is_address = inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;

    ret->key = EVP_EC_gen("P-256");
    ret->certificate = certificate_new(ret->key, name);
    X509_set_issuer_name(ret->certificate, X509_get_subject_name(authority->certificate));
    snprintf(names, sizeof(names), "%s:%s", is_address ? "IP" : "DNS", name);
    add_extension(ret->certificate, authority->certificate, NID_subject_alt_name, names);
    add_extension(ret->certificate, authority->certificate, NID_ext_key_usage, "serverAuth,clientAuth");
    ASSERT(X509_sign(ret->certificate, authority->key, EVP_sha256()) > 0);
}

/* ---- certificates of scripts ---- */

/* "CN=alice, O=Contoso": a value may be quoted to hold commas. */
static bool
set_subject(X509_NAME *name, struct str text, struct arena *a)
{
    while (text.len) {
        struct str key, value;
        ptrdiff_t end;

        if (!str_split_next(&text, '=', &key) || !text.p)
            return false;
        text = str_trim(text);
        end = text.len && text.p[0] == '"' ? str_find_char(text, '"', 1) : -1;
        if (end > 0) {
            value = str_sub(text, 1, (size_t)end);
            text = str_skip(text, (size_t)end + 1);
            if (text.len)
                text = str_skip(text, 1);
        } else {
            str_split_next(&text, ',', &value);
        }
        value = str_trim(value);
        if (!X509_NAME_add_entry_by_txt(name, str_dup(a, str_trim(key)).p, MBSTRING_UTF8, (const unsigned char *)value.p, (int)value.len,
                                        -1, 0))
            return false;
    }
    return true;
}

static bool
add_text_extension(X509 *c, X509 *issuer, int nid, const char *format, struct str value, struct arena *a)
{
    return !value.len || try_extension(c, issuer, nid, str_printf(a, format, STR_ARG(value)).p);
}

static bool
add_traits(X509 *c, X509 *issuer, const struct identity_traits *t, struct arena *a)
{
    if (t->is_authority) {
        add_extension(c, issuer, NID_basic_constraints, "critical,CA:TRUE");
        add_extension(c, issuer, NID_key_usage, "critical,keyCertSign,cRLSign,digitalSignature");
    }
    return add_text_extension(c, issuer, NID_name_constraints, "critical,permitted;DNS:%.*s", t->permitted, a) &&
           (t->is_authority ||
            add_text_extension(c, issuer, NID_ext_key_usage, "%.*s", t->usage.len ? t->usage : STR("clientAuth"), a)) &&
           add_text_extension(c, issuer, NID_subject_alt_name, "DNS:%.*s", t->dns, a) &&
           add_text_extension(c, issuer, NID_crl_distribution_points, "URI:%.*s", t->crl_url, a) &&
           add_text_extension(c, issuer, NID_info_access, "OCSP;URI:%.*s", t->ocsp_url, a);
}

bool
identity_create_with(struct identity *ret, const struct identity *authority, const struct identity_traits *t, struct arena *a)
{
    X509_NAME *name = X509_NAME_new();
    bool ok = set_subject(name, t->subject, a);

    if (ok) {
        ret->key = t->is_rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
        ret->certificate = certificate_new(ret->key, "x");
        X509_set_subject_name(ret->certificate, name);
        ASN1_TIME_set(X509_getm_notBefore(ret->certificate), (time_t)t->from_s);
        ASN1_TIME_set(X509_getm_notAfter(ret->certificate), (time_t)t->to_s);
        X509_set_issuer_name(ret->certificate, X509_get_subject_name(authority ? authority->certificate : ret->certificate));
        ok = add_traits(ret->certificate, authority ? authority->certificate : ret->certificate, t, a);
        ASSERT(X509_sign(ret->certificate, authority ? authority->key : ret->key, EVP_sha256()) > 0);
    }
    X509_NAME_free(name);
    if (!ok)
        identity_destroy(ret);
    return ok;
}

/* What OpenSSL wrote, as the arena's; *bytes is freed. */
static struct str
taken(unsigned char *bytes, int n, struct arena *a)
{
    struct str copy = n > 0 ? str_dup(a, str_from((const char *)bytes, (size_t)n)) : STR_NONE;

    OPENSSL_free(bytes);
    return copy;
}

struct str
identity_pkcs12(const struct identity *id, const char *password, struct arena *a)
{
    PKCS12 *file = PKCS12_create(password, "headgate", id->key, id->certificate, NULL, 0, 0, 2048, 1, 0);
    unsigned char *der = NULL;
    int n = i2d_PKCS12(file, &der);

    PKCS12_free(file);
    return taken(der, n, a);
}

struct str
identity_thumbprint(const struct identity *id, struct arena *a)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    X509_digest(id->certificate, EVP_sha1(), digest, &n);
    return str_dup(a, str_from((const char *)digest, n));
}

struct str
identity_serial(const struct identity *id, struct arena *a)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(id->certificate);

    return str_dup(a, str_from((const char *)ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)));
}

struct str
identity_crl(const struct identity *authority, X509 *const *revoked, size_t n, int64_t now_s, struct arena *a)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)now_s - 60), *next = ASN1_TIME_set(NULL, (time_t)now_s + 3600);
    unsigned char *der = NULL;

    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(authority->certificate));
    X509_CRL_set1_lastUpdate(crl, at);
    X509_CRL_set1_nextUpdate(crl, next);
    for (size_t i = 0; i < n; i++) {
        X509_REVOKED *r = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(revoked[i]));
        X509_REVOKED_set_revocationDate(r, at);
        X509_CRL_add0_revoked(crl, r);
    }
    ASSERT(X509_CRL_sign(crl, authority->key, EVP_sha256()) > 0);
    int len = i2d_X509_CRL(crl, &der);
    ASN1_TIME_free(at);
    ASN1_TIME_free(next);
    X509_CRL_free(crl);
    return taken(der, len, a);
}

struct str
identity_ocsp(const struct identity *authority, const struct identity *about, bool is_revoked, int64_t now_s, struct arena *a)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), about->certificate, authority->certificate);
    ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)now_s - 60), *next = ASN1_TIME_set(NULL, (time_t)now_s + 3600);
    unsigned char *der = NULL;

    OCSP_basic_add1_status(basic, id, is_revoked ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD,
                           OCSP_REVOKED_STATUS_UNSPECIFIED, is_revoked ? at : NULL, at, next);
    ASSERT(OCSP_basic_sign(basic, authority->certificate, authority->key, EVP_sha256(), NULL, 0) == 1);
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    int len = i2d_OCSP_RESPONSE(response, &der);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(at);
    ASN1_TIME_free(next);
    return taken(der, len, a);
}

void
identity_destroy(struct identity *id)
{
    X509_free(id->certificate);
    EVP_PKEY_free(id->key);
    *id = (struct identity){0};
}

struct str
identity_pem(const struct identity *id, bool with_key, struct arena *a)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    long len;
    struct str copy;

    PEM_write_bio_X509(bio, id->certificate);
    if (with_key)
        PEM_write_bio_PrivateKey(bio, id->key, NULL, NULL, 0, NULL, NULL);
    len = BIO_get_mem_data(bio, &text);
    copy = str_dup(a, str_from(text, (size_t)len));
    BIO_free(bio);
    return copy;
}

static int
accept_any(int is_ok, X509_STORE_CTX *store)
{
    return 1;
}

SSL_CTX *
identity_server_context(const struct identity *id)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    ASSERT(SSL_CTX_use_certificate(ctx, id->certificate) == 1 && SSL_CTX_use_PrivateKey(ctx, id->key) == 1);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, accept_any);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"hgt", 3);
    return ctx;
}

SSL_CTX *
identity_client_context(const struct identity *authority)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), authority->certificate);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    return ctx;
}
