/* caller.h: HTTP requests of commands: to the admin listener of a running gateway, or to its clients' side.
 *
 *     struct caller c;
 *     if (!caller_create(&c, "http://127.0.0.1:8080", arena, &err)) ...
 *     caller_run(&c, fn, arg);                       fn on a fiber; returns when it has
 *     caller_destroy(&c);
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct http_client;
struct http_origin;
struct http_origins;
struct loop;
struct options;
struct tls_client;

struct caller {
    struct arena *arena;
    struct loop *loop;
    struct http_origins *origins;
    struct http_origin *origin;
    struct http_client *client;
    struct tls_client *tls;
    struct str scheme, authority, token;   /* token: sent as a bearer; empty: none */
};

/* "http://HOST[:PORT]", "https://...", "unix:PATH"; trust_pem: CA certificates beside the system's. ERR_SYNTAX and others. */
MUST_USE bool caller_create(struct caller *c, struct str base, struct str trust_pem, struct arena *arena, struct err *err);
/* The admin listener that headgate.yaml describes, with its token. ERR_NOT_FOUND and others: no token can be read. */
MUST_USE bool caller_create_admin(struct caller *c, const struct options *o, struct arena *arena, struct err *err);
void caller_destroy(struct caller *c);
/* Runs fn(arg) on a fiber of the caller's loop until it returns. */
bool caller_run(struct caller *c, void (*fn)(void *arg), void *arg);

struct caller_field { struct str name, value; };
struct caller_reply {
    uint16_t status;
    struct str body;                  /* in the arena; STR_NONE unless it was asked for */
    bool is_from_cache;               /* it has an Age */
};
/* One request; the body is read to its end, and kept when wants_body. Yields. */
MUST_USE bool caller_request(struct caller *c, struct str method, struct str target, const struct caller_field *fields, uint32_t n,
                             bool wants_body, struct arena *arena, struct caller_reply *ret, struct err *err);
