/* identity.h: a certificate authority made for one test run, and certificates it signs for the names of fake backends.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <openssl/ssl.h>

#include "base/str.h"

struct identity {
    X509 *certificate;
    EVP_PKEY *key;
};

/* A self-signed authority (P-256, valid for a day around now). */
void identity_create_authority(struct identity *ret, const char *name);
/* A server certificate for a DNS name or an IP address, signed by the authority. */
void identity_create_for(struct identity *ret, const struct identity *authority, const char *name);
/* What a script wants in a certificate. */
struct identity_traits {
    struct str subject;               /* "CN=alice, O=Contoso, C=US" */
    struct str dns, usage;            /* subjectAltName; extendedKeyUsage, clientAuth unless set */
    struct str crl_url, ocsp_url;
    struct str permitted;             /* of an authority: the DNS names it may sign for */
    bool is_authority, is_rsa;
    int64_t from_s, to_s;             /* validity, seconds since 1970 */
};
/* authority NULL: signed by itself. False when OpenSSL takes a trait for nonsense. */
bool identity_create_with(struct identity *ret, const struct identity *authority, const struct identity_traits *traits,
                          struct arena *a);
void identity_destroy(struct identity *id);
/* DER of a PKCS#12 file; SHA-1 of the certificate; its serial number, big-endian. */
struct str identity_pkcs12(const struct identity *id, const char *password, struct arena *a);
struct str identity_thumbprint(const struct identity *id, struct arena *a);
struct str identity_serial(const struct identity *id, struct arena *a);
/* DER: a list of what the authority revoked; a responder's answer about one certificate. Both hold for an hour from now_s. */
struct str identity_crl(const struct identity *authority, X509 *const *revoked, size_t n, int64_t now_s, struct arena *a);
struct str identity_ocsp(const struct identity *authority, const struct identity *about, bool is_revoked, int64_t now_s,
                         struct arena *a);
/* The certificate, then the key, in PEM. */
struct str identity_pem(const struct identity *id, bool with_key, struct arena *a);
/* A context that serves with it (TLS 1.2 and 1.3) and takes any client's certificate, or one that trusts it as an authority. */
SSL_CTX *identity_server_context(const struct identity *id);
SSL_CTX *identity_client_context(const struct identity *authority);
