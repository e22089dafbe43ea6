/* revocation.h: whether a certificate was revoked: by OCSP (RFC 6960) where it names a responder, else by the lists it names. Lists are
 * kept for all workers until their next update.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/exchange.h"

/* path: DER of a verified way up, the certificate first, the root last. True when none of them is revoked, the root not asked for; a
 * certificate that names neither responder nor list has nobody to ask and is taken for good. *ret_valid_s: how long that serves.
 * False with ERR_DENIED: one is revoked; others: it could not be found out. Runs on a detached exchange; addresses in certificates
 * follow egress rules. Yields. */
MUST_USE bool revocation_check(struct exchange *ex, struct str path, uint64_t *ret_valid_s, struct err *err);
