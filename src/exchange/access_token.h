/* access_token.h: tokens that the gateway gets for itself: of managed identities, and of credential providers. Kept for all workers until
 * shortly before they expire, fetched ahead of that, one fetch for all who wait.
 *
 *     if (!identity_token(ex, resource, client_id, &token, &err)) ...       Yields
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "exchange/exchange.h"

struct authorization_conf;
struct provider_conf;

/* A token for a resource ("https://vault.azure.net"), of the identity with this client id (empty: the system's own). In the exchange's
 * arena. ERR_NOT_FOUND: no such identity is configured; ERR_TIMEOUT, ERR_CONNECT, ERR_INVALID: its source did not give one; the
 * text never holds secrets. Yields. */
MUST_USE bool identity_token(struct exchange *ex, struct str resource, struct str client_id, struct str *ret, struct err *err);
/* The token of one connection of a credential provider. Yields. */
MUST_USE bool authorization_token(struct exchange *ex, const struct provider_conf *p, const struct authorization_conf *a,
                                  struct str *ret, struct err *err);

/* What a source answered, for access_token.c and its tests: {"access_token": ..., "expires_in" | "expires_on": ...}, also as text, or
 * with accessToken and expiresOn. now_s: seconds since 1970. */
struct token_answer {
    struct str token;
    uint64_t valid_s;                 /* from now */
    uint64_t refresh_s;               /* refresh_in; 0: not said */
};
MUST_USE bool token_answer_read(struct arena *a, struct str text, int64_t now_s, struct token_answer *ret, struct err *err);
