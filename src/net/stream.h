/* stream.h: an ordered stream of bytes to a peer: plain or TLS behind one table. A stream belongs to one worker.
 *
 * Three ways to use it:
 *   try-forms       never wait: event-driven code (idle connections, HTTP/2)
 *   stream_when_…   one-shot callbacks from the loop, no fiber and no buffer while waiting
 *   fiber forms     wait: straight-line code
 * Results are counts or enum io_status (rt/loop.h). At most one reader and one writer wait at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "net/addr.h"
#include "rt/fiber.h"
#include "rt/io.h"

struct listener;
struct stream;

struct stream_ops {
    int64_t (*try_read)(struct stream *s, void *p, size_t n);
    int64_t (*try_writev)(struct stream *s, const struct iovec *v, int n);
    int64_t (*try_flush)(struct stream *s);      /* IO_OK when nothing accepted is left unsent */
    bool (*has_input)(const struct stream *s);   /* a read would give something without the descriptor */
    void (*shutdown)(struct stream *s);
    void (*farewell)(struct stream *s);          /* before the descriptor is closed; may be NULL */
    struct tls_info (*info)(struct stream *s);   /* NULL: plain */
    void (*destroy)(struct stream *s);           /* frees the stream; its io is closed already */
};

/* What is known of a TLS connection; empty fields on a plain one. Views into the stream. */
struct tls_info {
    const char *version;                 /* "TLSv1.3" */
    const char *cipher;                  /* "TLS_AES_128_GCM_SHA256" */
    struct str server_name;              /* SNI, as the client sent it */
    struct str alpn;                     /* "h2", "http/1.1", or empty */
    struct str client_cert_der;          /* the peer's certificate (server side: only when asked for) */
    struct str client_chain_der;         /* what it sent beside it, one after another; whoever sends any is not resumed */
    struct str client_ca_pem;            /* CAs that this listener takes client certificates of */
    struct str client_rules;             /* a digest of listener and these CAs */
    bool is_client_cert_ok;              /* it was verified against the listener's CAs */
    bool is_resumed;
};

struct stream {
    const struct stream_ops *ops;
    struct io io;
    struct addr peer;                    /* the client's; what PROXY protocol said where the listener trusts it */
    struct listener *listener;           /* it came from; NULL for outgoing */
    void (*when_readable)(struct stream *s, void *ctx);
    void (*when_writable)(struct stream *s, void *ctx);
    void *readable_ctx, *writable_ctx;
    struct io_op in, out;
    bool is_tls;
    bool is_address_counted;             /* in the listener's limits */
    bool has_proxied_addr;               /* peer came by PROXY protocol */
};

/* Outgoing plain stream over a connected descriptor; takes fd. */
struct stream *stream_from_fd(struct loop *loop, int fd, struct err *err);

/* Up to n bytes (n > 0): a count, IO_AGAIN, IO_EOF, IO_ERROR. */
static inline int64_t
stream_try_read(struct stream *s, void *p, size_t n)
{
    return s->ops->try_read(s, p, n);
}
/* A count (maybe less than asked), IO_AGAIN, IO_ERROR. What is counted has been sent or, with TLS, will be: the stream
 * sends the rest itself when the socket takes more, and says IO_AGAIN until then. */
static inline int64_t
stream_try_writev(struct stream *s, const struct iovec *v, int n)
{
    return s->ops->try_writev(s, v, n);
}
int64_t stream_try_write(struct stream *s, const void *p, size_t n);

/* Calls fn once from the loop, never from within, when a read (a write) has something to say, failure and end
 * included. A second call replaces the first; NULL forgets it. */
void stream_when_readable(struct stream *s, void (*fn)(struct stream *s, void *ctx), void *ctx);
void stream_when_writable(struct stream *s, void (*fn)(struct stream *s, void *ctx), void *ctx);

/* 1 to n bytes, or IO_EOF, IO_ERROR, IO_TIMEOUT, IO_CANCELLED. Tries before it waits. Yields. */
int64_t stream_read(struct stream *s, void *p, size_t n, uint64_t deadline_ms);
/* All of it: IO_OK once the kernel has the last byte, or a failure, after which the stream is only good for closing.
 * The iovecs are left as they were. Yields. */
int64_t stream_writev(struct stream *s, const struct iovec *v, int n, uint64_t deadline_ms);
int64_t stream_write(struct stream *s, const void *p, size_t n, uint64_t deadline_ms);
/* Until a read would not wait. Yields. */
enum io_status stream_wait_readable(struct stream *s, uint64_t deadline_ms);

/* True when the peer has closed or sent something on a connection that should be idle: not fit for another use. Never
 * yields, reads nothing. */
bool stream_is_stale(struct stream *s);

/* No more writing: close_notify and FIN. Reading goes on. */
void stream_shutdown(struct stream *s);
/* What the kernel still holds for the peer is dropped when the stream is closed, and the peer told so (RST): else it would be kept for
 * as long as a peer that takes nothing likes. */
void stream_drop_unsent(struct stream *s);
/* Ends the connection at once for the peer (RST), and gives the kernel's buffers back; reads and writes fail from now on. */
void stream_abort(struct stream *s);
/* Closes and frees, at once; a waiting fiber or callback must be gone. NULL is fine. */
void stream_close(struct stream *s);
/* Sends what is left and FIN, then reads and drops what the peer still sends, so that it sees our last answer and no
 * reset; closes after the peer's FIN, max_bytes or max_ms. Takes the stream; needs no fiber. NULL is fine. */
void stream_close_gently(struct stream *s, size_t max_bytes, uint64_t max_ms);

/* Those of this loop that are being closed gently are closed at once: before the loop goes. */
void stream_close_lingering(struct loop *loop);

/* What a TCP peer has acknowledged, and what it has not though it was sent. False when the socket cannot tell (another kind, an old
 * kernel). A system call or two. */
struct stream_progress {
    uint64_t taken, untaken;
};
bool stream_progress(const struct stream *s, struct stream_progress *ret);

/* The address the client connected to. */
struct addr stream_local_addr(const struct stream *s);
struct tls_info stream_tls_info(struct stream *s);
/* Sends on the wire at once (true, the default for TCP) or when full. */
void stream_set_nodelay(struct stream *s, bool is_on);
static inline struct loop *
stream_loop(const struct stream *s)
{
    return s->io.loop;
}
static inline int
stream_errno(const struct stream *s)
{
    return s->io.error;
}
