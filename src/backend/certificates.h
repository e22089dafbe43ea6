/* certificates.h: the certificates of one configuration, read once at publish: to verify and decrypt tokens with, and to show to
 * backends. Beside them those that expressions give as bytes, kept as long as the configuration. Shared by all workers.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/diag.h"
#include "data/crypto.h"

struct certificate;
struct certificates;
struct model;
struct tls_client;

struct loaded_certificate {
    const struct certificate *conf;   /* NULL: given as bytes */
    struct crypto_certificate own;    /* x509 NULL: it could not be read; key NULL: it has none */
    struct str problem;               /* why it cannot be shown; STR_NONE: it can */
};

/* Reads the files of all of them (blocks). What cannot be read is a diagnostic and the problem of who uses it. trust: what the
 * clients made here believe; may be NULL. The model outlives the result. */
struct certificates *certificates_new(const struct model *m, struct tls_client *trust, struct diags *diags);
void certificates_delete(struct certificates *c);

/* By id or thumbprint, as policies name them; NULL: there is none. */
const struct loaded_certificate *certificates_find(const struct certificates *c, struct str id_or_thumbprint);
const struct loaded_certificate *certificates_of(const struct certificates *c, const struct certificate *conf);
/* PKCS#12, or PEM with its key, that came as bytes. NULL with ERR_INVALID, or ERR_LIMIT when too many different ones came. */
const struct loaded_certificate *certificates_given(struct certificates *c, struct str bytes, struct str password, struct err *err);

/* What connections that show it are made with; the rules are a backend's. Borrowed, as long as the configuration. NULL with *err when
 * it has no key, or could not be read. */
struct tls_client *certificates_tls(struct certificates *c, const struct loaded_certificate *certificate, bool verify_chain,
                                    bool verify_name, struct err *err);
