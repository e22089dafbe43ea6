/* identity.c: keys and certificates for tests, by OpenSSL's calls.
 * SPDX-License-Identifier: Apache-2.0 */
#include "hgt/identity.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "base/rand.h"

static void
add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;

    X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ASSERT(e);
    X509_add_ext(certificate, e, -1);
    X509_EXTENSION_free(e);
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

SSL_CTX *
identity_server_context(const struct identity *id)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    ASSERT(SSL_CTX_use_certificate(ctx, id->certificate) == 1 && SSL_CTX_use_PrivateKey(ctx, id->key) == 1);
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
