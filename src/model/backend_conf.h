/* backend_conf.h: backends, pools and breakers as configured. Part of a model: immutable. What runs them is backend/.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/diag.h"
#include "base/str.h"

struct backend_conf;
struct certificate;
struct workspace;

/* One header or query parameter that the gateway adds, with all its values. */
struct named_strings {
    struct str name;
    const struct str *values;
    uint32_t n_values;
};

struct backend_credentials {
    struct str authorization_scheme, authorization_parameter;   /* both empty: none */
    const struct named_strings *headers, *query;
    uint32_t n_headers, n_query;
    const struct certificate *const *certificates;              /* presented to the backend; the first is used */
    uint32_t n_certificates;
    struct str managed_identity_client, managed_identity_resource;
};

struct status_range {
    uint16_t min, max;
};

/* One circuit breaker rule: `count` or `percentage` of failures within the interval opens it. */
struct breaker_rule {
    struct str name;
    uint32_t count;                   /* 0: the percentage counts */
    uint32_t percentage;
    uint64_t interval_ms, trip_ms;
    const struct status_range *statuses;
    uint32_t n_statuses;
    const struct str *error_reasons;  /* "Timeout", "BackendConnectionFailure", ... */
    uint32_t n_error_reasons;
    bool accept_retry_after;
};

struct pool_member {
    const struct backend_conf *backend;
    uint32_t weight;                  /* 1 when not set */
    uint32_t priority;                /* lower first; 0 when not set */
};

/* Health checks and ejection, from headgate.yaml `backends:`; off unless set. */
struct probe_conf {
    bool is_on;
    struct str path, method;
    uint64_t interval_ms, timeout_ms;
    uint32_t failures_out, successes_in;
};

struct backend_conf {
    struct str name, title, description;
    struct str url;                   /* with named values put in */
    struct str protocol;              /* "http" or "soap" */
    struct str resource_id;
    struct backend_credentials credentials;
    struct str proxy_url, proxy_user, proxy_password;
    bool verify_chain, verify_name;   /* true unless switched off */
    const struct breaker_rule *breakers;
    uint32_t n_breakers;

    bool is_pool;
    const struct pool_member *members;
    uint32_t n_members;
    struct str affinity_cookie;       /* session affinity; empty: none */

    struct probe_conf probe;
    uint32_t connections_max;         /* 0: upstream.connections-max */
    uint32_t queue_max;
    struct str problem;               /* why it cannot be used; STR_NONE: it can */
    const struct workspace *workspace;
    const struct source *information;
    uint32_t index;                   /* within model->backends */
};
