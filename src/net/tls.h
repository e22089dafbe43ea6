/* tls.h: TLS 1.2 and 1.3 on OpenSSL: what a server shows and asks for, what a client trusts and shows, and streams on
 * top of streams' sockets. No renegotiation, no compression, no early data.
 *
 * Contexts are shared by all workers, counted, and immutable but for tls_server_reload(), which swaps certificates
 * under running listeners: handshakes that have begun finish with what they saw.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "net/stream.h"

enum tls_client_cert { TLS_CLIENT_CERT_NONE, TLS_CLIENT_CERT_REQUEST, TLS_CLIENT_CERT_REQUIRE };

/* What clients must show. */
struct tls_client_rules {
    enum tls_client_cert cert;
    struct str ca_pem;                   /* who signs their certificates; empty: any is taken, is_client_cert_ok says no */
};

/* A certificate with its key. PEM: leaf first, chain after it. PFX (PKCS#12) is recognised by its first byte. */
struct tls_identity {
    struct str cert;                     /* PEM text, or PKCS#12 bytes */
    struct str key;                      /* PEM; empty: it is in cert */
    struct str password;                 /* of the key or PKCS#12; empty: none */
    const struct str *names;             /* a server shows it for these ("*.example.org" too); none: those it holds */
    size_t n_names;
    const struct tls_client_rules *rules; /* of a server for these names; NULL: the server's own */
    struct str label;                    /* in messages; empty: its number */
};

/* Session ticket keys, shared by all workers and servers that name them, made anew every rotate_s; the two keys before
 * still open tickets. Any thread. */
struct tls_tickets;
struct tls_tickets *tls_tickets_new(const struct clock *clock, uint32_t rotate_s /* 0: 3600 */);
void tls_tickets_unref(struct tls_tickets *t);

/* --- server --- */

struct tls_server_options {
    const char *listener;                /* part of what tickets are bound to */
    /* Chosen by SNI: exact name, wildcard; the first when none fits. Two with keys of different kinds (ECDSA and RSA) may have a
     * name in common: then by what the client can verify. */
    const struct tls_identity *identities;
    size_t n_identities;
    struct tls_client_rules rules;
    bool http2;                          /* ALPN offers h2 before http/1.1 */
    bool tls12_off;                      /* 1.3 only */
    struct str ciphers_tls12;            /* OpenSSL list; empty: ECDHE with AEAD */
    struct str suites_tls13;             /* the same for 1.3; empty: OpenSSL's */
    struct tls_tickets *tickets;         /* NULL: no resumption. Referenced */
};

struct tls_server;
/* ERR_TLS or ERR_INVALID names the identity (from 1) and what is wrong with it: unreadable, key does not fit. */
struct tls_server *tls_server_new(const struct tls_server_options *options, struct err *err);
struct tls_server *tls_server_ref(struct tls_server *s);
void tls_server_unref(struct tls_server *s);
/* New certificates, CAs and settings for handshakes from now on. False: the old ones stay. Any thread. */
MUST_USE bool tls_server_reload(struct tls_server *s, const struct tls_server_options *options, struct err *err);

/* --- client --- */

struct tls_client_options {
    struct str extra_ca_pem;             /* trusted beside the system's store */
    bool no_system_store;
    const struct tls_client *trust_like; /* trusts what this one trusts, extra_ca_pem unread: no second copy of the system's store */
    bool no_verify_chain, no_verify_name;  /* APIM backends can switch each off; both off by default, so all is checked */
    const struct tls_identity *identity; /* shown when the peer asks; may be NULL */
    bool tls12_off;
};

/* The CAs that the system trusts, read at the first call, once a process: 140 certificates take 40 ms, so a start has a thread
 * call it beside what else there is to do. Not to be changed or freed; NULL: OpenSSL has no memory. Any thread. */
struct x509_store_st *tls_system_store(void);

struct tls_client;
struct tls_client *tls_client_new(const struct tls_client_options *options, struct err *err);
struct tls_client *tls_client_ref(struct tls_client *c);
void tls_client_unref(struct tls_client *c);

/* Whether a client's certificate leads to a CA that `c` trusts, or to one of those that a server asks for (`also_pem`, may be empty), for
 * authenticating clients, at a moment. chain: DER of what the client sent beside it. Times of the certificate itself are checked as
 * asked. On success *ret_path is the way up, DER one after another, the certificate first, the root last; the caller frees it with
 * buf_destroy(). ERR_TLS says what is wrong. Costs signatures: not for a worker's loop. */
struct tls_client_check {
    struct str certificate, chain;       /* DER */
    struct str also_pem;
    int64_t now_s;
    bool ignores_not_before, ignores_not_after;
};
MUST_USE bool tls_client_check(const struct tls_client *c, const struct tls_client_check *check, struct buf *ret_path, struct err *err);

/* --- on a connection; takes `plain` in any case --- */

/* Server side, without a fiber: calls on_done(ctx, stream) from the loop, or (ctx, NULL, status) when the handshake
 * failed or the deadline passed; the plain stream is closed then. */
void tls_accept(struct tls_server *server, struct stream *plain, uint64_t deadline_ms,
                void (*on_done)(void *ctx, struct stream *s, enum io_status status), void *ctx);
/* Server side: does this connection not answer for `host` (lower case, without a port), because what clients must show under that name
 * is not what was asked for at the handshake (RFC 9110 15.5.20)? */
bool tls_stream_is_misdirected(struct stream *s, struct str host);
/* What a client offers by ALPN, on each connection anew. */
enum tls_offer { TLS_OFFER_HTTP1, TLS_OFFER_EITHER, TLS_OFFER_HTTP2 };
/* Client side: handshake and check of the peer against `name` (a host name or an address). NULL with ERR_TLS (saying
 * which check failed), ERR_CLOSED, ERR_TIMEOUT, ERR_CANCELLED. Sessions are kept per context, name and port. Yields. */
struct stream *tls_connect(struct tls_client *client, struct stream *plain, struct str name, enum tls_offer offer,
                           uint64_t deadline_ms, struct err *err);
