/* backends.h: the backends of one configuration, ready to be called: each entity with its credentials, each API's own
 * service URL. Made at publish, immutable, shared by all workers.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "backend/target.h"
#include "base/diag.h"
#include "base/hash.h"

struct backend_conf;
struct http_headers;
struct model;

struct backend {
    const struct backend_conf *conf;
    struct target target;         /* of a single backend; target.text empty: it cannot be used, `problem` says why */
    struct str problem;
};

struct backends {
    struct arena arena;
    uint32_t n, n_apis;
    struct backend *v;            /* by backend_conf.index */
    struct target *apis;          /* by api.index; text empty: the API has no service URL */
    struct target_env env;
    struct certificates *certificates;    /* backend/certificates.h: of the configuration, for policies and entities */
    struct backend_tls {
        struct tls_client *client;    /* referenced */
        struct hash128 of;            /* what it was made of */
    } *tls;                       /* the one that most share, and those of backends with rules of their own */
    uint32_t n_tls;
    const struct backends *before;    /* while being made */
};

struct backends_input {
    struct http_origins *origins;     /* outlives the result */
    struct http_origin_conf origin;   /* limits where a backend has none of its own */
    const struct backends *before;    /* of the configuration before this one, read only now; may be NULL */
};

/* The model outlives the result. Reads certificates (blocks). Addresses and certificates that cannot be used are
 * diagnostics, and errors of their API or backend alone, not failures. */
struct backends *backends_new(const struct model *m, const struct backends_input *in, struct diags *diags);
void backends_delete(struct backends *b);
/* By entity name, case ignored; NULL when there is none. */
const struct backend *backends_find(const struct backends *b, struct str name);

/* Puts an entity's credentials into a request on its way out: headers replace those of the same name, query parameters
 * are added to *query. False when the arena is full. */
bool backend_add_credentials(const struct backend *b, struct arena *a, struct http_headers *headers, struct str *query);
