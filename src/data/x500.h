/* x500.h: distinguished names as people write them ("CN=me, O=\"Contoso, Inc.\", C=US"), compared with those of certificates.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <openssl/x509.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct x500_part {
    int nid;                          /* of the attribute: NID_commonName ... */
    struct str value;
};

struct x500_name {
    struct x500_part *v;
    uint32_t n;
};

/* Attributes by short name (CN, O, OU, C, ST or S, L, E ...) or OID; values may stand in double quotes or hold backslash escapes. */
MUST_USE bool x500_parse(struct arena *a, struct str text, struct x500_name *ret, struct err *err);
/* The same parts in the same order, or in the opposite one (both are in use); values without regard to case and repeated blanks. */
bool x500_matches(const struct x500_name *name, const X509_NAME *other);
/* The first value of an attribute, as UTF-8, in the arena; STR_NONE. */
struct str x500_get(struct arena *a, const X509_NAME *name, int nid);
