/* target.h: a base address that requests can be sent to: its parts, and the origin (pool, TLS rules) behind it. Made when a
 * configuration is published for every address that is known then; at run time only for addresses that an expression
 * computes, and kept by each worker for the next request.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "backend/url.h"
#include "base/map.h"
#include "http/client.h"

struct backend_conf;
struct tls_client;

struct target {
    struct url base;              /* path without a trailing slash (but "/"); query of a base-url kept */
    struct http_origin *origins[3];   /* by enum http_protocol, referenced; same place, different ways to speak */
    struct str text;              /* as it was written */
};

/* What addresses are turned into origins with; of one snapshot. */
struct target_env {
    struct http_origins *origins;
    struct http_origin_conf origin;   /* limits where a backend has none of its own; host, port, tls are not looked at */
    struct tls_client *tls;       /* checks against the system's and configured CAs; NULL: https cannot be reached */
    struct str extra_ca_pem;      /* those configured CAs, for backends with rules of their own */
    const struct http_proxy *proxy;   /* NULL: none */
};

/* "http://host:port", and what to show it (both may be empty), as a proxy; texts of the arena. */
MUST_USE bool target_read_proxy(struct arena *a, struct str address, struct str user, struct str password, struct http_proxy *ret,
                                struct err *err);

/* The target of an address, in the arena; conf (may be NULL) adds a backend's TLS rules and limits. ERR_SYNTAX for what
 * is no address. The caller gives the origin back with target_close(). */
MUST_USE bool target_make(struct arena *a, const struct target_env *env, struct str address, const struct backend_conf *conf,
                 struct target *ret, struct err *err);
/* The same place reached otherwise: by another TLS client, or through a proxy. Its texts are those of `from`. */
void target_make_variant(const struct target_env *env, const struct target *from, const struct backend_conf *conf, struct target *ret);
void target_close(struct target *t);
bool target_is_tls(const struct target *t);

/* Addresses that were computed at run time, by text; of one worker and one snapshot. */
struct target_cache {
    const struct target_env *env;
    struct arena arena;
    struct map by_text;
};
void target_cache_create(struct target_cache *c, const struct target_env *env);
void target_cache_destroy(struct target_cache *c);
/* NULL and *err for what is no address; ERR_LIMIT when the cache is full: use target_make(). For addresses of documents
 * and for origins, which are few. Valid until the cache is destroyed. */
const struct target *target_find(struct target_cache *c, struct str address, struct err *err);
