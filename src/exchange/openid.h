/* openid.h: what an issuer publishes: its name and its signing keys, found through its discovery document and kept for an hour.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "data/jwt.h"
#include "exchange/supply.h"

#define OPENID_BYTES_MAX ((size_t)1 << 20)      /* of the discovery document and of the key set, each */
#define OPENID_WAIT_MS 5000                     /* for both together */
#define OPENID_FRESH_MS (3600u * 1000)
#define OPENID_AHEAD_MS (30u * 1000)            /* so long before its end a set is fetched anew */
#define OPENID_UNKNOWN_KID_MS (300u * 1000)     /* between two fetches that unknown key ids cause */

struct openid {
    struct supply_value super;
    char *issuer;                     /* as published; may hold {tenantid} */
    struct jwt_key *keys;
    size_t n;
};

/* The place of an issuer, by the address of its discovery document. The caller gives the reference back. NULL: no table. */
struct supply_entry *openid_entry(struct exchange *ex, struct str url);
/* NULL with *err when nothing is known and nothing can be had: ERR_TIMEOUT, ERR_CONNECT, ERR_DENIED (egress), ERR_INVALID ... The
 * caller gives the reference back with openid_unref(). Yields. */
const struct openid *openid_get(struct exchange *ex, struct supply_entry *e, struct str url, struct err *err);
/* After a key id that `than` does not have: NULL when it is too early, or nothing changed. Yields. */
const struct openid *openid_get_newer(struct exchange *ex, struct supply_entry *e, struct str url, const struct openid *than);
void openid_unref(const struct openid *o);

/* The two documents read: for openid.c and its fuzzer. Texts of the arena. */
struct openid_discovery {
    struct str issuer, jwks_uri;
};
MUST_USE bool openid_read_discovery(struct arena *a, struct str text, struct openid_discovery *ret, struct err *err);
/* With one reference. */
MUST_USE bool openid_read_keys(struct arena *a, struct str issuer, struct str text, struct openid **ret, struct err *err);
