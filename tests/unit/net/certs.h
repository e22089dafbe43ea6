/* certs.h: certificates made for a test: an authority, and leaves it signs.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "net/tls.h"

struct test_cert {
    X509 *cert;
    EVP_PKEY *key;
    struct buf cert_pem, key_pem;
};

static UNUSED void
test_cert_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    X509_add_ext(cert, e, -1);
    X509_EXTENSION_free(e);
}

/* ca NULL: self-signed authority. sans: "DNS:a,IP:127.0.0.1" or NULL. days may be negative: expired. */
static UNUSED struct test_cert
test_cert_make(const char *common_name, const char *sans, const struct test_cert *ca, int days)
{
    static long serial = 1;
    struct test_cert c = {.cert = X509_new(), .key = EVP_EC_gen("P-256")};
    X509_NAME *name = X509_get_subject_name(c.cert);
    char *p;
    long n;

    X509_set_version(c.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c.cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(c.cert), -86400L * 30);
    X509_gmtime_adj(X509_getm_notAfter(c.cert), 86400L * days);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const void *)common_name, -1, -1, 0);
    X509_set_issuer_name(c.cert, ca ? X509_get_subject_name(ca->cert) : name);
    X509_set_pubkey(c.cert, c.key);
    if (!ca)
        test_cert_extend(c.cert, c.cert, NID_basic_constraints, "critical,CA:TRUE");
    if (sans)
        test_cert_extend(c.cert, ca ? ca->cert : c.cert, NID_subject_alt_name, sans);
    X509_sign(c.cert, ca ? ca->key : c.key, EVP_sha256());
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, c.cert);
    n = BIO_get_mem_data(bio, &p);
    buf_add(&c.cert_pem, p, (size_t)n);
    BIO_free(bio);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, c.key, NULL, NULL, 0, NULL, NULL);
    n = BIO_get_mem_data(bio, &p);
    buf_add(&c.key_pem, p, (size_t)n);
    BIO_free(bio);
    return c;
}

static UNUSED void
test_cert_free(struct test_cert *c)
{
    X509_free(c->cert);
    EVP_PKEY_free(c->key);
    buf_destroy(&c->cert_pem);
    buf_destroy(&c->key_pem);
}

static UNUSED struct tls_identity
test_identity(struct test_cert *c)
{
    return (struct tls_identity){.cert = buf_str(&c->cert_pem), .key = buf_str(&c->key_pem)};
}
