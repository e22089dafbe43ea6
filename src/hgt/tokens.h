/* tokens.h: keys, tokens and certificates that a script makes for itself, with what ${...} shows of them.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/jwt.h"
#include "hgt/identity.h"
#include "hgt/script.h"

struct test_key {
    struct str name;
    struct jwt_key key;
    struct str default_alg;           /* what tokens are signed as */
    struct test_key *next;
};

struct test_identity {
    struct str name;
    struct identity identity;
    const struct test_identity *authority;   /* NULL: the script's own */
    bool is_self_signed, is_revoked;
    SSL_CTX *client;                  /* shows it; made at first use */
    struct str file, pfx;             /* paths, once asked for */
    struct test_identity *next;
};

/* Everything of one script; zero-initialised but for the clock. */
struct secrets {
    struct test_key *keys;
    struct test_identity *identities;
    const struct clock *clock;        /* the gateway's: what certificates and lists say of times counts from there */
};
void secrets_destroy(struct secrets *s);

/* The steps `key`, `token`, `identity`; texts are expanded already. A token's text goes to *ret. */
bool secrets_add_key(struct secrets *s, struct arena *a, const struct step *step, struct str text, struct err *err);
bool secrets_make_token(struct secrets *s, struct arena *a, const struct step *step, struct str header, struct str claims,
                        struct str *ret, struct err *err);
bool secrets_add_identity(struct secrets *s, struct arena *a, const struct identity *authority, const struct step *step,
                          struct str lines, struct err *err);
struct test_identity *secrets_identity(struct secrets *s, struct str name);
/* A client's context that trusts the authority and shows this identity. */
SSL_CTX *secrets_client(struct test_identity *id, const struct identity *authority);

/* ${key.NAME.PART}: jwk, jwks, n, e, base64. STR_NONE for what there is not. */
struct str secrets_key_part(struct secrets *s, struct arena *a, struct str name, struct str part);
/* ${identity.NAME.PART}: file, pfx (paths, written at first use into the folder), base64, thumbprint, serial, der, crl, ocsp. */
struct str secrets_identity_part(struct secrets *s, struct arena *a, const char *folder, struct str name, struct str part);
