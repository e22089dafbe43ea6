/* tls_internal.h: between tls_context.c, tls_tickets.c and tls_stream.c.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "net/tls.h"

/* An identity, or two with keys of different kinds for names that both have, and what is asked of clients. */
struct tls_shown {
    SSL_CTX *context;
    size_t first, also;                  /* identities; also: SIZE_MAX when it is one alone */
    struct str client_ca_pem;            /* malloc */
    uint8_t binding[32];                 /* digest of listener and verification policy: part of the session's context */
};

/* What a server shows at one time. Immutable, counted: a reload makes a new one. */
struct tls_server_conf {
    _Atomic uint32_t refs;
    size_t n, cap;
    struct tls_shown **shown;            /* one an identity, then pairs */
    const struct tls_shown *usual;       /* for all names that are in neither: */
    struct map exact, wildcard;          /* lower-case name (without "*.") -> struct tls_shown */
    bool http2;
    bool has_several_rules;              /* not all of them ask the same of clients */
    struct tls_tickets *tickets;
};

struct tls_server {
    _Atomic uint32_t refs;
    pthread_mutex_t lock;                /* covers conf */
    struct tls_server_conf *conf;
};

struct tls_client {
    _Atomic uint32_t refs;
    SSL_CTX *context;
    bool no_verify_name;
    pthread_mutex_t lock;                /* covers sessions */
    struct map sessions;                 /* "name:port" -> struct tls_sessions */
};

/* Sessions of one server, the newest last. Those of TLS 1.3 serve once. */
#define TLS_SESSIONS_KEPT 4
struct tls_sessions {
    uint32_t n;
    SSL_SESSION *v[TLS_SESSIONS_KEPT];
};

/* What is shown to who asks for this name (lower case). */
const struct tls_shown *tls_shown_for(const struct tls_server_conf *conf, struct str name);
/* What a connection shows. */
const struct tls_shown *tls_shown_of(const struct tls_server_conf *conf, const SSL *ssl);
struct tls_server_conf *tls_server_conf_ref(struct tls_server *s);
void tls_server_conf_unref(struct tls_server_conf *conf);

/* A session to resume, owned by the caller; NULL when there is none. */
SSL_SESSION *tls_client_session(struct tls_client *c, struct str key);

/* tls_tickets.c: OpenSSL's callback for SSL_CTX with these tickets. */
void tls_tickets_install(struct tls_tickets *t, SSL_CTX *context);
struct tls_tickets *tls_tickets_ref(struct tls_tickets *t);

/* tls_stream.c: the key under which a client connection keeps its session. */
struct str tls_stream_session_key(SSL *ssl);

/* Sets ERR_TLS with what OpenSSL says last, and empties its queue. Always false. */
bool tls_fail(struct err *err, const char *what);
