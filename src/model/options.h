/* options.h: what headgate.yaml says about the process. Every key, its type, default and sentence are rows of
 * store/config_keys.def; a field here is where a row's value lands. Read once at start; never changes afterwards, except
 * for `service`, which each load of the configuration reads anew into its model.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/str.h"
#include "model/model.h"
#include "model/transform_limits.h"

/* One certificate that a listener may present. Without names those in the certificate are used. */
struct tls_certificate {
    struct str certificate;           /* file: PEM chain, or PKCS#12 */
    struct str key;                   /* file: PEM key; empty: in `certificate` */
    struct secret password;
    struct str_list names;            /* SNI names, "*.example.org" included */
    uint32_t client_certificates;     /* of clients that ask for these: enum client_certificates; _INHERIT: the listener's */
    struct str client_ca;             /* the same; empty: the listener's */
};

enum client_certificates {
    CLIENT_CERTIFICATES_OFF, CLIENT_CERTIFICATES_ASK, CLIENT_CERTIFICATES_REQUIRE, CLIENT_CERTIFICATES_INHERIT,
};
enum tls_version { TLS_VERSION_1_2, TLS_VERSION_1_3 };

struct listener_conf {
    struct str name;                  /* for logs; "address:port" unless set */
    struct str address;               /* "127.0.0.1", "::", or "unix:/run/headgate.sock" */
    uint32_t port;
    uint32_t unix_mode;               /* of a unix socket: 0660 */
    bool proxy_protocol;
    bool http2;
    uint32_t backlog;
    bool is_tls;                      /* tls: names certificates */
    struct listener_tls {
        const struct tls_certificate *certificates;
        uint32_t n_certificates;
        uint32_t min_version;         /* enum tls_version */
        struct str ciphers, suites;   /* OpenSSL lists for 1.2 and 1.3; empty: its defaults */
        uint32_t client_certificates; /* enum client_certificates */
        struct str client_ca;         /* file of CAs that sign client certificates */
        bool tickets;
        uint64_t ticket_rotation_ms;
    } tls;
};

/* Every limit has a name, a default, a counter and a defined answer. 0 switches off only where its row says so. */
struct limit_options {
    uint64_t head_bytes;              /* request line and fields: 431 */
    uint32_t head_fields;             /* 431 */
    uint64_t target_bytes;            /* 414 */
    uint64_t body_bytes;              /* 413 */
    uint64_t buffered_body_bytes;     /* of one message a policy reads as a whole: 413 */
    uint64_t buffered_total_bytes;    /* of all exchanges together: 503 */
    uint64_t memory_bytes;            /* of the process: gateway/memory.h; 0: the control group's or the machine's */
    uint64_t chunk_extension_bytes;   /* 400 */
    uint64_t trailer_bytes;           /* 431 */
    uint64_t answer_head_bytes;       /* of a backend: BackendConnectionFailure */
    uint32_t answer_head_fields;
    uint32_t interim_answers;         /* 1xx before the final one */
    uint64_t exchange_bytes;          /* arena of one exchange: 500 */
    uint32_t exchanges;               /* in flight in the process: 503 */
    uint32_t connections;             /* of the process */
    uint32_t connections_per_address; /* 0: no limit */
    uint32_t requests_per_connection; /* then the connection is closed */
    uint32_t pipelined_requests;
    uint64_t drain_body_bytes;        /* of a body nobody read, before the connection is closed instead */
    uint32_t loop_hops;               /* 508 */
    uint32_t retries_percent;         /* of the exchanges in flight; 0: no limit */
    uint32_t retries_at_least;
    uint32_t counters;                /* keys of rate limits, quotas, concurrency */
    uint32_t inflate_ratio;           /* after the first MiB */
    uint32_t h2_streams, h2_block_bytes, h2_block_frames, h2_resets_percent, h2_resets_sample;
    uint32_t h2_control_frames;       /* queued control answers, and inbound a second */
    uint32_t h2_window_bytes;
    uint32_t fibers;                  /* of one worker: 503 */
    uint32_t one_way_requests;        /* of one worker */
    uint32_t emitted_series;          /* of all metrics that documents make */
};

struct timeout_options {
    uint64_t head_ms;                 /* the whole request head: 408 */
    uint64_t body_idle_ms;            /* between two pieces of a body: 408 */
    uint32_t body_rate;               /* bytes a second at least, after the grace */
    uint64_t body_grace_ms;
    uint64_t write_idle_ms;           /* a client that reads nothing */
    uint32_t write_rate;              /* bytes a second at least, after the grace */
    uint64_t write_grace_ms;
    uint64_t keep_alive_ms;           /* idle connections */
    uint64_t handshake_ms;
    uint64_t drain_body_ms;
    uint64_t tunnel_idle_ms;          /* WebSocket; 0: none */
};

/* Towards backends. */
struct upstream_options {
    uint64_t connect_ms, first_byte_ms, idle_ms, total_ms;    /* first byte: unless forward-request says; 0: none */
    uint64_t keep_alive_ms;
    uint32_t idle_connections;        /* a worker and origin */
    uint32_t connections_max;         /* an origin, for the process */
    uint32_t queue_max;               /* waiting for one of these: 503 */
    uint64_t queue_ms;
    bool http2;                       /* offered by ALPN */
    uint64_t happy_eyeballs_ms;
    uint64_t dns_ttl_max_ms;
    struct str_list nameservers;      /* empty: the system's */
};

enum log_format_option { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log_options {
    uint32_t level;                   /* enum log_level */
    uint32_t format;                  /* enum log_format_option */
};

enum log_sink_kind { LOG_SINK_STDOUT, LOG_SINK_FILE, LOG_SINK_SYSLOG };
struct log_sink_options {
    uint32_t kind;                    /* enum log_sink_kind */
    struct str path;
};

/* One row a request, columns as ApiManagementGatewayLogs. */
struct gateway_log_options {
    bool is_on;
    const struct log_sink_options *sinks;
    uint32_t n_sinks;
    double sampling;                  /* per cent of successful requests */
    bool always_log_errors;
    struct str_list mask_headers;
    struct str_list headers;          /* request and response headers that are logged */
    uint32_t traces;                  /* enum trace_detail, exchange/exchange.h: where no diagnostic says it */
    uint32_t queue_rows;              /* rows waiting for a slow sink; then dropped and counted */
};

enum forwarded_style { FORWARDED_X = 1, FORWARDED_RFC7239 = 2 };

struct forwarding_options {
    struct str_list trusted_proxies;  /* addresses, networks, "unix" */
    bool x_forwarded;                 /* X-Forwarded-For, -Host, -Proto */
    bool forwarded;                   /* RFC 7239 */
    struct str via;                   /* pseudonym; empty: no Via */
    bool request_id;                  /* x-request-id in answers */
    bool keep_subscription_key;       /* the key goes on to the backend */
};

struct cache_memory_options {
    uint64_t bytes;
    uint64_t object_bytes;            /* larger answers are not kept */
    uint32_t variants;                /* of one key */
    struct str snapshot;              /* file of what memory holds while the process is stopped; empty: none */
    uint64_t snapshot_ms;             /* longest time for writing and for reading it */
    uint32_t purges_per_s;            /* that the admin listener takes */
};

struct admin_options {
    bool is_on;
    struct str address;               /* loopback, or "unix:PATH" */
    uint32_t port;
    uint32_t connections;             /* at most, from all clients */
    struct str token_file;            /* empty: admin-token in the state folder */
    bool metrics_open;                /* /metrics and health without the token */
};

struct drain_options {
    uint64_t announce_ms;             /* readiness fails, still listening */
    uint64_t quiet_ms;                /* idle connections are closed after that long without an answer */
    uint64_t limit_ms;                /* hard stop */
};

struct watch_options {
    bool is_on;
    uint64_t settle_ms;               /* quiet time after the last change */
};

/* One run of an expression. */
struct expression_options {
    uint64_t steps, bytes;
    uint32_t depth, regex_steps;
    uint64_t output_bytes;
};

struct watchdog_conf {
    uint64_t warn_ms, abort_ms;       /* a worker that does not turn; abort 0: never */
};

/* `named-values:`, `backends:` and `apis:` rows: by name. */
struct named_value_override {
    struct str name;                  /* display name */
    struct secret value;
    bool is_secret;
};

struct backend_override {
    struct str name;
    struct str url;                   /* empty: the file's */
    bool verify_chain, verify_name;
    struct probe_conf probe;
    uint32_t connections_max, queue_max;
};

struct api_override {
    struct str name;                  /* root name, or "*" */
    struct str service_url;           /* empty: the file's */
    struct str_list hosts;
    bool compress, allow_encoded_slash;
    struct cache_settings cache;
    uint64_t request_body_max, response_buffer_max;
    uint32_t status_when_unsupported;
};

struct certificate_option {
    struct str name, file, key_file, thumbprint;
    struct secret password;
};

/* How we prove who we are: model/identity_conf.h. */
struct client_proof_option {
    struct secret secret, certificate_data, certificate_password;
    struct str certificate;
};

struct identity_option {
    struct str name, client_id;
    uint32_t source;                  /* enum identity_source */
    struct str endpoint;
    struct secret endpoint_secret;
    struct str tenant, authority, token_url, token_file;
    struct client_proof_option proof;
    struct str_list command;
    uint64_t timeout_ms;
};

enum logger_sink { LOGGER_SINK_EVENTHUB, LOGGER_SINK_KAFKA, LOGGER_SINK_HTTP, LOGGER_SINK_FILE };
struct logger_option {
    struct str name;
    uint32_t sink;                    /* enum logger_sink */
    struct secret connection;
    struct str endpoint, client_id;
    struct str servers, topic, username;
    struct secret password;
    bool is_tls;
    struct str url;
    struct secret authorization;
    struct str file;
    uint64_t queue_bytes, timeout_ms;
};

struct service_bus_option {
    struct str name_space;
    struct secret connection;
};

struct authorization_option {
    struct str name, client_id, scope;
    struct client_proof_option proof;
    struct str_list object_ids;
};

struct provider_option {
    struct str name, token_url, scope, resource, audience;
    uint32_t authentication;          /* 0: in the form, 1: in the Authorization header */
    uint64_t timeout_ms;
    const struct authorization_option *authorizations;
    uint32_t n_authorizations;
};

struct cache_option {
    struct str name, use_from, description;
    struct secret connection;
    uint64_t timeout_ms, compress_bytes;
    uint32_t when_away;               /* memory, miss */
};

/* What belongs to the service and not to the process: goes into the model with every load. */
struct service_options {
    struct deployment_option {
        struct str region, service_name, service_id, gateway_id;
        struct str_list hostnames;
    } deployment;
    struct jwt_option {
        struct str default_openid_config;
        uint64_t cache_bytes;         /* of a worker: tokens verified before */
    } jwt;
    struct str_pairs resolve;         /* "HOST:PORT" -> "ADDRESS[:PORT]" */
    struct str_list trust;            /* files */
    struct egress_option {
        struct str_list allow;
        bool allow_private;
    } egress;
    bool https_only_in_plain;
    const struct certificate_option *certificates;
    uint32_t n_certificates;
    const struct identity_option *identities;
    uint32_t n_identities;
    const struct provider_option *providers;
    uint32_t n_providers;
    const struct cache_option *caches;
    uint32_t n_caches;
    const struct logger_option *loggers;
    uint32_t n_loggers;
    const struct service_bus_option *service_buses;
    uint32_t n_service_buses;
    const struct named_value_override *named_values;
    uint32_t n_named_values;
    const struct backend_override *backends;
    uint32_t n_backends;
    const struct api_override *apis;
    uint32_t n_apis;
};

struct options {
    struct str config_path;           /* the file that was read, and is again by every load; empty: none */
    struct str_list files;            /* every path that the file names */
    const uint64_t *said;             /* hashes of what the file says, by its keys at the top: config.c; NULL: nothing */
    uint32_t version;                 /* of the file's format */
    uint32_t workers;                 /* 0: one a core */
    uint32_t io;                      /* enum loop_io */
    uint32_t offload_threads;
    struct str user, group;           /* to become after binding; empty: stay */
    struct str state;                 /* state folder; empty: none, nothing survives a restart */
    struct str artifacts;             /* APIOps folder */
    struct str users;                 /* users.yaml; empty: the one in the folder, if any */
    bool keep_going;                  /* at the first start: serve the rest, 503 for what does not load */
    bool strict;                      /* refuse what Azure would refuse */
    const struct listener_conf *listeners;
    uint32_t n_listeners;             /* never 0 */
    struct admin_options admin;
    struct limit_options limits;
    struct timeout_options timeouts;
    struct upstream_options upstream;
    struct log_options log;
    struct gateway_log_options gateway_log;
    struct forwarding_options forwarding;
    struct cache_memory_options cache_memory;
    struct drain_options drain;
    struct watch_options watch;
    struct expression_options expressions;
    struct transform_limits transform;
    struct watchdog_conf watchdog;
    struct service_options service;
};
