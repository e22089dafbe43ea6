/* wire.h: the test side of a connection: blocking sockets with a deadline, and just enough HTTP/1 to read what comes. It
 * shares no code with src/http on purpose, so that a mistake there is not made twice. Threads of the test only.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <openssl/ssl.h>

#include "base/buf.h"
#include "base/err.h"

#define WIRE_WAIT_MS 10000            /* longest wait for anything, so that a broken test ends */

struct wire {
    int fd;
    SSL *ssl;                         /* NULL: plain */
    struct buf in;                    /* read and not yet taken, from `taken` on */
    size_t taken;
    bool is_eof, is_broken;           /* orderly end; reset or error */
    int failure;                      /* errno of what broke it, EAGAIN: nothing came in time; 0: none, or TLS did */
};

struct wire_header {
    struct str name, value;
};

/* One message as it came. Text lives in the arena given to the reader. */
struct wire_message {
    struct str start_line;
    struct wire_header *headers;
    size_t n_headers;
    struct str body;
    struct wire_header *trailers;
    size_t n_trailers;
    bool is_complete;                 /* framing was kept to the end */
    bool is_chunked, until_close;
    struct str fault;                 /* what a strict reader objects to; STR_NONE when nothing */
};

/* Connects to 127.0.0.1. ctx: TLS with this name, or NULL. */
bool wire_connect(struct wire *w, uint16_t port, SSL_CTX *ctx, const char *server_name, struct err *err);
/* Takes over an accepted descriptor; with ctx the TLS handshake is made as a server. */
bool wire_accept(struct wire *w, int fd, SSL_CTX *ctx);
bool wire_write(struct wire *w, struct str bytes);
/* One read, past what waits in w->in; 0: the end, and is_eof or is_broken says which. room: at most INT_MAX. */
size_t wire_read(struct wire *w, char *to, size_t room);
/* Reads one head and its body. has_no_body: the answer to HEAD. False when the peer ended before any byte, or with
 * a fault in the message. */
bool wire_read_message(struct wire *w, struct arena *a, bool is_answer, bool has_no_body, struct wire_message *ret);
/* How it ended, in words: "the connection was closed", "the connection broke: Connection reset by peer". */
struct str wire_end(const struct wire *w, struct arena *a);
/* Waits for the peer's end of file; false when wait_ms passed first, or bytes came. */
bool wire_wait_closed(struct wire *w, int wait_ms);
/* Waits for at least one byte that was not taken yet. */
bool wire_wait_bytes(struct wire *w, int wait_ms);
/* is_reset: with RST. */
void wire_close(struct wire *w, bool is_reset);

struct str wire_header_get(const struct wire_message *m, struct str name);
/* All values of the name, joined by ", ". */
struct str wire_header_joined(const struct wire_header *headers, size_t n, struct str name, struct arena *a);
