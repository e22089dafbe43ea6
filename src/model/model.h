/* model.h: everything that is configured, as one immutable value.
 *
 *     model --> apis --> operations          (api.h)
 *           --> products, subscriptions      (access.h)
 *           --> backends                     (backend_conf.h)
 *           --> named values, fragments, certificates, caches, loggers, settings   (here)
 *           --> routes, keys                 (route.h, access.h: compiled from the rest)
 *
 * A store (store/) fills it; nobody changes it afterwards. All of it lives in one arena; the last model_unref() frees it,
 * on whichever thread that happens. Where it came from is not known here, but for the sources that diagnostics show.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/diag.h"
#include "base/map.h"
#include "base/str.h"
#include "model/access.h"
#include "model/api.h"
#include "model/backend_conf.h"
#include "model/logger_target.h"

struct identity_conf;
struct provider_conf;
struct route_table;

/* A value that may be a secret: what it is, and what was written for it. */
struct secret {
    struct str value;                 /* resolved; empty when it could not be */
    struct str reference;             /* "env:NAME", "file:PATH"; STR_NONE: written in the clear */
    bool is_set;                      /* false: nothing to use; who needs it reports that */
};

struct named_value {
    struct str name;                  /* resource name */
    struct str display_name;          /* what {{...}} says */
    struct secret value;
    struct str missing;               /* why it has no value, and how to give it one; STR_NONE: it has */
    struct str stand_in;              /* "{{name}}" in documents that are checked where the value is not; else STR_NONE */
    bool is_secret;                   /* masked wherever it might be shown */
    const struct str *tags;
    uint32_t n_tags;
    const struct workspace *workspace;
    const struct source *information;
};

struct fragment {
    struct str name, description;
    const struct source *policy;      /* its document, <fragment>...; NULL when the file is missing */
    const struct workspace *workspace;
};

/* A schema of the service, for validate-content. */
struct schema_conf {
    struct str name;                  /* schema-id */
    bool is_xml;                      /* XML Schema; else JSON Schema */
    const struct source *source;
};

struct certificate {
    struct str name;                  /* resource name, the id that policies use */
    struct str file;                  /* PEM or PKCS#12, as an absolute path */
    struct str key_file;              /* PEM key apart from it; empty: in `file` */
    struct secret password;
    struct str thumbprint;            /* as written or computed: upper-case hexadecimal SHA-1 */
};

struct cache_conf {
    struct str name;                  /* id; "default" serves every region without its own */
    struct secret connection;         /* host:port,password=...,ssl=True,abortConnect=False */
    struct str use_from;              /* region, or "default" */
    struct str description;
    uint64_t timeout_ms;              /* of one operation */
    uint64_t compress_bytes;          /* bodies from here on are stored compressed; 0: none */
    bool is_strict;                   /* while it is away prefer-external misses, too */
};

struct workspace {
    struct str name, display_name, description;
    const struct source *policy;
};

struct logger {
    struct str name, type, description;
    struct logger_target target;         /* where its messages go */
    struct named_strings *credentials;   /* name and one value each; secrets resolved */
    uint32_t n_credentials;
    bool is_buffered;
    struct str resource_id;
};

/* A namespace of Service Bus. */
struct service_bus {
    struct str host;                  /* as documents name it */
    struct str base;                  /* https://host[:port] */
    struct str key_name, key;         /* of the signature; empty key: a token of an identity */
};

struct diagnostic_message {
    const struct str *headers;        /* names that are logged */
    uint32_t n_headers;
    uint32_t body_bytes;
    const struct mask_rule {
        struct str name;
        bool hide;                    /* false: replaced by asterisks */
    } *mask_headers, *mask_query;
    uint32_t n_mask_headers, n_mask_query;
};

struct diagnostic {
    struct str name;                  /* applicationinsights, azuremonitor, local */
    const struct logger *logger;      /* NULL: not there */
    bool always_log_errors, log_client_ip, has_metrics;
    double sampling_percentage;       /* 100 */
    struct str correlation_protocol, verbosity, operation_name_format;
    struct diagnostic_message frontend_request, frontend_response, backend_request, backend_response;
};

struct deployment {
    struct str region, service_name, service_id, gateway_id;
    const struct str *hostnames;      /* names the service answers for, shown in context; never a filter */
    uint32_t n_hostnames;
};

struct resolve_rule {
    struct str host;                  /* lower case */
    uint16_t port;                    /* 0: any */
    struct str address;               /* numeric, or "unix:PATH" */
    uint16_t to_port;                 /* 0: the port asked for */
};

/* What an APIOps folder cannot hold: from headgate.yaml, or later from the management store. */
struct service_settings {
    struct deployment deployment;
    struct str default_openid_config; /* jwt.default-openid-config */
    const struct resolve_rule *resolve;
    uint32_t n_resolve;
    const struct str *trust;          /* files with CA certificates beside the system's */
    uint32_t n_trust;
    const struct str *egress_allow;   /* hosts, addresses, networks (10.0.0.0/8) */
    uint32_t n_egress_allow;
    bool egress_allow_private;
    bool https_only_in_plain;         /* serve https-only APIs on every plain listener */
};

struct model {
    struct arena arena;
    _Atomic uint32_t refs;
    uint64_t generation;              /* grows with every load of this process; 0 before it is published */
    struct str origin;                /* where it came from, for people: "folder /etc/headgate/apis" */

    const struct source *policy;      /* global document; NULL: the default one */
    const struct api *apis;           /* sorted by name */
    uint32_t n_apis, n_operations;
    const struct version_set *version_sets;
    uint32_t n_version_sets;
    const struct product *products;
    uint32_t n_products;
    const struct subscription *subscriptions;
    uint32_t n_subscriptions;
    const struct user *users;
    uint32_t n_users;
    const struct group *groups;
    uint32_t n_groups;
    const struct backend_conf *backends;
    uint32_t n_backends;
    const struct named_value *named_values;
    uint32_t n_named_values;
    const struct fragment *fragments;
    uint32_t n_fragments;
    const struct certificate *certificates;
    uint32_t n_certificates;
    const struct identity_conf *identities;   /* identity_conf.h */
    uint32_t n_identities;
    const struct provider_conf *providers;
    uint32_t n_providers;
    const struct schema_conf *schemas;
    uint32_t n_schemas;
    const struct cache_conf *caches;
    uint32_t n_caches;
    const struct workspace *workspaces;
    uint32_t n_workspaces;
    const struct service_bus *service_buses;
    uint32_t n_service_buses;
    const struct logger *loggers;
    uint32_t n_loggers;
    const struct diagnostic *diagnostics;   /* of the service */
    uint32_t n_diagnostics;
    struct service_settings settings;

    const struct route_table *routes;
    const struct access_table *keys;
    struct model_index *index;        /* names to things */
};

/* With one reference, its arena empty. */
struct model *model_new(void);
struct model *model_ref(struct model *m);
void model_unref(struct model *m);
void model_unrefp(struct model **m);

/* By resource name (fragment-id, backend-id, ...), case ignored; a name of the workspace wins over the service's, which
 * is found from everywhere. workspace may be NULL. NULL when there is none. */
const struct api *model_find_api(const struct model *m, struct str name, const struct workspace *w);
const struct product *model_find_product(const struct model *m, struct str name, const struct workspace *w);
const struct backend_conf *model_find_backend(const struct model *m, struct str name, const struct workspace *w);
const struct fragment *model_find_fragment(const struct model *m, struct str name, const struct workspace *w);
const struct logger *model_find_logger(const struct model *m, struct str name);
const struct user *model_find_user(const struct model *m, struct str name);
const struct group *model_find_group(const struct model *m, struct str name, const struct workspace *w);
/* Case ignored. */
const struct schema_conf *model_find_schema(const struct model *m, struct str name);
/* By display name, as {{...}} gives it; case matters. */
const struct named_value *model_find_named_value(const struct model *m, struct str display_name,
                                                 const struct workspace *w);
/* By id, or by thumbprint (case and blanks ignored). */
const struct certificate *model_find_certificate(const struct model *m, struct str id_or_thumbprint);
/* Regions are named in either way, "West Europe" and "westeurope". */
bool region_is(struct str a, struct str b);
/* The cache whose use_from is the region, else the one used from "default"; NULL when none is configured. */
const struct cache_conf *model_find_cache(const struct model *m, struct str region);

/* Completes a filled model, for the store: first the names (model_find_... work then), after the links between things
 * are set the routes and keys. False when the arena is full. */
bool model_index_names(struct model *m);
bool model_compile(struct model *m, struct diags *diags);
