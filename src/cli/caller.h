/* caller.h: HTTP requests of commands: to the admin listener of a running gateway, or to its clients' side.
 *
 *     if (!caller_find_admin(arena, "cache stats", &words, &at)) ...       where it listens, and how we prove who we are
 *     caller_ask(arena, &at, "GET", target, &reply, &err);                 one request
 *
 *     struct caller c;                                                     many, on fibers
 *     if (!caller_create(&c, &at, arena, &err)) ...
 *     caller_run(&c, fn, arg);                                             fn on a fiber; returns when it has
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

/* --admin, --state, --token-file and --config of a command; NULL: not said. */
struct caller_words { const char *address, *state, *token_file, *config; };
/* Whom to ask: base is "http://HOST[:PORT]", "https://..." or "unix:PATH"; token is empty for the clients' side. */
struct caller_at { struct str base, token; };

/* The admin listener of a running gateway: what the words say, otherwise its configuration; without --config that is ./headgate.yaml if
 * it is there. False: problems are printed to standard error, as of `headgate COMMAND`. */
bool caller_find_admin(struct arena *arena, const char *command, const struct caller_words *w, struct caller_at *ret);

/* ERR_SYNTAX and others. */
MUST_USE bool caller_create(struct caller *c, const struct caller_at *at, struct arena *arena, struct err *err);
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

/* One request without fields and its body, from outside of any loop. ERR_CONNECT: no gateway answers. */
MUST_USE bool caller_ask(struct arena *arena, const struct caller_at *at, const char *method, struct str target,
                         struct caller_reply *ret, struct err *err);
