/* conf.h: how a Redis is reached, as people write it: the connection string of Azure and StackExchange.Redis, or a URL.
 *
 *     cache.example.net:6380,password=…,ssl=True,abortConnect=False
 *     10.0.0.1:6379,10.0.0.2:6379,user=gateway,password=…,defaultDatabase=2
 *     redis://user:password@host:6379/2      rediss://… with TLS      unix:/run/redis.sock
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define REDIS_ENDPOINTS_MAX 16u

struct redis_endpoint {
    struct str host;                  /* name or address, without brackets; "unix:/path" */
    uint16_t port;                    /* 0 for a unix socket */
};

struct redis_conf {
    struct redis_endpoint endpoints[REDIS_ENDPOINTS_MAX];  /* tried in turn; of a cluster any of its nodes */
    uint32_t n_endpoints;             /* at least 1 */
    bool is_tls;
    struct str tls_name;              /* sslHost: whom the certificate names; empty: the endpoint's host */
    struct str user, password;        /* empty user: the server's default one; absent password: no AUTH */
    struct str client_name;           /* for CLIENT SETNAME; empty: the caller's */
    uint32_t database;
    uint32_t connect_ms;              /* name, TCP, TLS and handshake together */
    uint8_t protocol;                 /* 2: never RESP3; otherwise it is tried first */
};

/* Texts are kept in the arena. ERR_SYNTAX, ERR_INVALID or ERR_UNSUPPORTED name the part that is wrong, never a password. */
MUST_USE bool redis_conf_parse(struct arena *a, struct str text, struct redis_conf *ret, struct err *err);
/* The same server in the same way? */
bool redis_conf_eq(const struct redis_conf *a, const struct redis_conf *b);
