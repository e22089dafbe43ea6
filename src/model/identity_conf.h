/* identity_conf.h: who the gateway is towards others: managed identities and credential providers, as configured. Part of a model:
 * immutable. What gets tokens for them is exchange/access_token.h.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

/* How a client proves itself to a token endpoint: by a secret, or by an assertion signed with a certificate's key. */
struct client_proof {
    struct str secret;                /* empty: none */
    struct str certificate;           /* id or thumbprint of a configured certificate; empty: none */
    struct str certificate_bytes;     /* PKCS#12 or PEM from a named value; empty: none */
    struct str certificate_password;
};

enum identity_source {
    IDENTITY_ENDPOINT,                /* an endpoint of the platform, shaped as the instance metadata service */
    IDENTITY_WORKLOAD,                /* a token file of the platform, exchanged at the token endpoint */
    IDENTITY_CLIENT,                  /* client credentials */
    IDENTITY_EXECUTABLE,              /* a program that prints a token */
};

struct identity_conf {
    struct str name;                  /* id */
    struct str client_id;             /* empty: the platform's own choice */
    enum identity_source source;
    struct str endpoint;              /* ENDPOINT: its address */
    struct str endpoint_secret;       /* ENDPOINT: of the X-IDENTITY-HEADER; empty: `Metadata: true` instead */
    struct str token_url;             /* WORKLOAD, CLIENT */
    struct str token_file;            /* WORKLOAD */
    struct client_proof proof;        /* CLIENT */
    const struct str *command;        /* EXECUTABLE: program and arguments */
    uint32_t n_command;
    uint32_t timeout_ms;              /* of one attempt to get a token */
    struct str fingerprint;           /* of all of it: another configuration gets other tokens */
};

/* One connection of a credential provider: what get-authorization-context names. */
struct authorization_conf {
    struct str name;
    struct str client_id;
    struct client_proof proof;
    struct str scope;                 /* blanks between; empty: the provider's */
    const struct str *object_ids;     /* who may use it with identity-type jwt; none: anybody with a valid token */
    uint32_t n_object_ids;
    struct str fingerprint;
};

struct provider_conf {
    struct str name;
    struct str token_url;
    struct str scope, resource, audience;
    bool uses_basic;                  /* client id and secret go into the Authorization header */
    uint32_t timeout_ms;
    const struct authorization_conf *authorizations;
    uint32_t n_authorizations;
};

struct model;
/* By id or client id; an endpoint without a client id answers for every one. `client_id` empty: the one called `system`, else the
 * first. NULL: there is none. */
const struct identity_conf *model_find_identity(const struct model *m, struct str client_id);
/* By ids, case ignored; NULL. */
const struct provider_conf *model_find_provider(const struct model *m, struct str id);
const struct authorization_conf *provider_find_authorization(const struct provider_conf *p, struct str id);
