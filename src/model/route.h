/* route.h: which API and operation a request is for. Built once per model, then only read; matching allocates nothing.
 *
 * All APIs share one tree of path segments. An edge is an entry of one hash table, keyed by node and segment, so a
 * step costs the same with ten APIs and with ten thousand:
 *
 *     "" --shop--> o --v1--> [api shop-v1] --items--> o --{}--> leaf GET get-item, DELETE delete-item
 *                   \--v2--> [api shop-v2]             \--special--> leaf GET get-special
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/diag.h"
#include "base/str.h"

struct api;
struct operation;
struct model;
struct route_table;

#define ROUTE_PARAMETERS_MAX 32

/* What a request shows to the router. Views must outlive the match. */
struct route_request {
    struct str method;
    struct str host;                  /* without port; empty: none */
    struct str path;                  /* normal form of http/path.h, "/shop/v1/items/7" */
    struct str query;                 /* raw, without '?' */
    bool is_secure;                   /* TLS */
    bool is_plain_trusted;            /* not TLS, but a place where https-only APIs are served as well */
    /* For version sets that use a header; NULL: no headers. STR_NONE when absent. */
    struct str (*get_header)(const void *ctx, struct str name);
    const void *headers;
};

struct route_parameter {
    struct str name;                  /* as in the template, without braces, '*' and '?' */
    struct str value;                 /* as received: still percent-encoded */
};

struct route_match {
    const struct api *api;            /* set as soon as an API was found */
    const struct operation *operation;
    struct str api_path;              /* "/shop/v1" or "/shop/v1;rev=2": the part that named API, version, revision */
    struct str operation_path;        /* the rest, "/items/7"; "/" when nothing is left */
    uint32_t n_parameters;
    struct route_parameter parameters[ROUTE_PARAMETERS_MAX];   /* path, then query, then defaults; more are not read */
};

enum route_result {
    ROUTE_FOUND,
    ROUTE_NO_API,
    ROUTE_NO_OPERATION,               /* ret->api says which API; also when only the method differs */
};

/* Never yields, allocates nothing. */
enum route_result route_find(const struct route_table *t, const struct route_request *rq, struct route_match *ret);

/* For a CORS preflight: what a request like this one with `method` would match (Access-Control-Request-Method). An
 * OPTIONS operation of the API is found by route_find() itself. */
enum route_result route_find_method(const struct route_table *t, const struct route_request *rq, struct str method,
                                    struct route_match *ret);

/* The value of a matched parameter; STR_NONE when there is none. Names are compared with case, as templates are. */
struct str route_parameter_value(const struct route_match *m, struct str name);

/* From the model's APIs; in arena `a`, which must outlive the table. Clashes (two operations no request can tell
 * apart, two APIs with one path) are reported, the first wins. NULL only when the arena is full. */
struct route_table *route_table_new(struct arena *a, const struct model *m, struct diags *diags);
