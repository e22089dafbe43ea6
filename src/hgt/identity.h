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
void identity_destroy(struct identity *id);
/* The certificate, then the key, in PEM. */
struct str identity_pem(const struct identity *id, bool with_key, struct arena *a);
/* A context that serves with it (TLS 1.2 and 1.3), or one that trusts it as an authority. */
SSL_CTX *identity_server_context(const struct identity *id);
SSL_CTX *identity_client_context(const struct identity *authority);
