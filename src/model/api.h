/* api.h: APIs and their operations as configured. Part of a model (model.h): immutable, shared by all workers.
 *
 *     api "shop"          prefix shop/v1     version set -> v1, v2        products -> gold, free
 *       operation "get-item"   GET /items/{id}?lang={lang}
 *         response 200 -> application/json -> examples, a sample made from the schema
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/diag.h"
#include "base/str.h"

struct str_list {
    const struct str *v;
    uint32_t n;
};

struct str_pair {
    struct str name, value;
};

struct str_pairs {
    const struct str_pair *v;
    uint32_t n;
};

struct api;
struct product;
struct workspace;
struct diagnostic;

enum versioning_scheme { VERSION_SEGMENT, VERSION_QUERY, VERSION_HEADER };

/* APIs that are versions of one another. */
struct version_set {
    struct str name, display_name, description;
    enum versioning_scheme scheme;
    struct str query_name;            /* VERSION_QUERY */
    struct str header_name;           /* VERSION_HEADER */
    const struct workspace *workspace;
};

enum api_kind {
    API_HTTP, API_SOAP, API_WEBSOCKET, API_GRAPHQL, API_ODATA, API_GRPC, API_MCP, API_A2A, API_OTHER_KIND,
};

enum api_protocol { PROTOCOL_HTTP = 1, PROTOCOL_HTTPS = 2, PROTOCOL_WS = 4, PROTOCOL_WSS = 8 };

/* One body that a request or response may have, or one example of it. */
struct example {
    struct str name;
    struct str body;                  /* as it goes on the wire: JSON text, or the string as written */
};

struct representation {
    struct str content_type;
    const struct example *examples;   /* in document order */
    uint32_t n_examples;
    struct str sample;                /* made from the schema; STR_NONE when there is no schema or no sense in one */
    struct str schema_pointer;        /* JSON pointer into api->specification, "#/components/schemas/item"; or STR_NONE */
    struct str type_name;             /* last part of a schema given by reference; or STR_NONE */
};

/* How lists and objects are written into one parameter (OpenAPI; version 2's collectionFormat likewise). */
enum parameter_style {
    STYLE_SIMPLE,                     /* a,b  k,v  or with explode k=v */
    STYLE_FORM,                       /* a,b, or with explode the parameter repeated */
    STYLE_LABEL, STYLE_MATRIX,        /* .a.b  ;name=a,b */
    STYLE_SPACE, STYLE_PIPE, STYLE_TAB,   /* separated by a blank, '|', a tab */
    STYLE_DEEP,                       /* name[key]=value */
};

enum parameter_place { PARAMETER_PATH, PARAMETER_QUERY, PARAMETER_HEADER };

struct parameter {
    struct str name;
    enum parameter_place place;
    bool is_required;
    bool has_default;
    struct str default_value;
    struct str type;                  /* "string", "integer", ...; STR_NONE: not said */
    const struct str *values;         /* the allowed ones; n_values == 0: any */
    uint32_t n_values;
    struct str schema_pointer;        /* as in struct representation */
    enum parameter_style style;
    bool explode;
    bool is_json;                     /* the value is JSON text (`content: application/json`) */
    struct str type_name;             /* as in struct representation */
};

struct operation_response {
    uint16_t status;                  /* 0: "default" */
    uint8_t status_class;             /* 2 for "2XX"; 0 otherwise */
    struct str description;
    const struct representation *representations;
    uint32_t n_representations;
    const struct parameter *headers;
    uint32_t n_headers;
};

struct operation {
    struct str name;                  /* resource name, "get-item"; what context.Operation.Id and a directory say */
    struct str display_name, description;
    struct str method;                /* upper case; empty: any */
    struct str url_template;          /* "/items/{id}?lang={lang}" */
    const struct api *api;
    bool is_implicit;                 /* the one operation of an API that has none */
    uint32_t index;                   /* within api->operations */

    const struct parameter *parameters;       /* template parameters first (path, then query of the template) */
    uint32_t n_parameters, n_template_parameters;
    const struct representation *request;     /* bodies of the request */
    uint32_t n_request;
    bool is_request_body_required;
    const struct operation_response *responses;
    uint32_t n_responses;

    const struct source *policy;      /* NULL: none saved */
    const struct str *tags;
    uint32_t n_tags;
};

enum cache_mode { CACHE_MODE_POLICIES, CACHE_MODE_RFC9111 };
enum on_publish { ON_PUBLISH_KEEP, ON_PUBLISH_PURGE, ON_PUBLISH_WARM };

/* How answers of an API are cached beyond what its documents say (`apis.NAME.cache`). */
struct cache_settings {
    uint32_t mode;                    /* enum cache_mode */
    bool collapse;                    /* one fetch for many waiting requests */
    uint64_t collapse_wait_ms;        /* then a request goes on its own */
    uint64_t revalidate_ms, error_ms; /* stale-while-revalidate, stale-if-error; 0: as the backend says */
    bool backend_stale;               /* the backend's own such directives count */
    uint32_t ahead_percent;           /* of the life of a hot entry, at its end, in which it is refreshed; 0: none */
    uint64_t negative_ms;             /* how long statuses are kept that the document does not store; 0: not */
    struct str_list negative_statuses;
    bool strict_keying;               /* cacheable exchanges forward only what the cache key holds */
    uint32_t on_publish;              /* enum on_publish */
    uint32_t warm_rate;               /* requests a second */
    bool drops_on_write;              /* unsafe requests that succeed drop what they change */
    struct str_pairs writes;          /* operation -> paths it drops, instead of what its template says */
    bool says_status;                 /* Cache-Status in answers */
    bool surrogate_control;           /* Surrogate-Control counts */
    bool keeps_set_cookie;            /* answers with Set-Cookie are stored */
    bool client_directives;           /* Cache-Control of requests counts */
    uint32_t heuristic_percent;       /* of the time since Last-Modified, where an answer says nothing of its life */
    uint64_t heuristic_max_ms;
};

/* What headgate.yaml adds to an API (`apis:`), defaults filled in. */
struct api_settings {
    const struct str *hosts;          /* answers for these host names only; n_hosts == 0: all */
    uint32_t n_hosts;
    bool compress;                    /* gzip, brotli, zstd answers for clients that accept them */
    bool allow_encoded_slash;         /* %2F and %5C stay in path parameters */
    struct cache_settings cache;
    uint64_t request_body_max, response_buffer_max;  /* bytes; 0: the process limit */
    uint32_t status_when_unsupported; /* 501 */
};

struct api {
    /* What each request asks, side by side. */
    struct str key_header, key_query; /* "Ocp-Apim-Subscription-Key", "subscription-key" unless set */
    const struct product *open_product;       /* the first of products without "requires subscription", or NULL */
    const struct product *const *products;    /* that contain it */
    uint32_t n_products;
    uint32_t index;                   /* within model->apis */
    uint16_t key_header_id;           /* enum http_field_id of key_header; 0: it has none */
    enum api_kind kind;
    bool is_subscription_required;
    struct api_settings settings;

    struct str name;                  /* resource name with its revision: "shop", "shop;rev=2" */
    struct str root_name;             /* "shop": what scopes, links and context.Api.Id speak of */
    struct str display_name, description;
    struct str kind_text;             /* as written, "graphql" */
    struct str path;                  /* "shop/public", no slash at either end; may be empty */
    struct str prefix;                /* path with the version segment, "shop/public/v1" */
    uint8_t protocols;                /* enum api_protocol bits */
    struct str service_url;           /* empty: none */
    struct str revision;              /* "1" */
    bool is_current;
    struct str version;               /* empty: the original, unversioned one */
    const struct version_set *version_set;    /* NULL: not versioned */

    const struct operation *operations;       /* never empty once loaded */
    uint32_t n_operations;
    const struct str *tags;
    uint32_t n_tags;
    const struct workspace *workspace;        /* NULL: the service itself */
    const struct source *policy;              /* NULL: none saved */
    const struct source *information;         /* the file that describes it */
    const struct source *specification;       /* NULL: none */
    const struct diagnostic *const *diagnostics;
    uint32_t n_diagnostics;

    struct str problem;               /* why it cannot be served; STR_NONE: it can */
    uint16_t problem_status;          /* the answer then: 501 for what is not built, 503 for what did not load */
};

/* By resource name, or NULL. */
const struct operation *api_find_operation(const struct api *api, struct str name);
/* The response for a status: the exact one, else its class ("4XX"), else the default; NULL when none is described. */
const struct operation_response *operation_find_response(const struct operation *op, uint16_t status);
/* The first whose media type matches (parameters ignored, case ignored; "application/json" also finds
 * "application/hal+json" last); an empty content_type finds the first. NULL when none. */
const struct representation *response_find_representation(const struct operation_response *r, struct str content_type);
const char *api_kind_name(enum api_kind kind);
