/* tls_stream.c: TLS over a stream's socket by a BIO of our own.
 *
 *     socket -> in (this loop's) -> BIO -> OpenSSL -> caller's buffer
 *     caller's pieces -> plain (this loop's) -> OpenSSL -> BIO -> out (this loop's) -> socket
 * One recv() feeds many records and one send() takes many. The three buffers belong to the loop, since nothing of them
 * is needed between two calls: input that the caller had no room for, and output that the socket did not take, move to
 * memory of the connection until they are used up. An idle connection holds neither, and OpenSSL gives its own back
 * (SSL_MODE_RELEASE_BUFFERS).
 * Invariants:
 *   S1  between calls in the loop's buffers nothing is left: it has moved to `kept_in` or `kept_out`
 *   S2  while kept_out is not empty nothing new is encrypted, so order holds and memory is bounded
 * The OpenSSL error queue is the thread's: emptied before each operation whose error we look at.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "net/stream_internal.h"
#include "net/tls_internal.h"
#include "rt/timer.h"

#define RECORD_MAX ((size_t)16384)
#define RECORD_HEAD ((size_t)5)
#define IN_SIZE ((size_t)32 << 10)
#define OUT_SIZE ((size_t)64 << 10)
#define OUT_ROOM (RECORD_MAX + 1024)     /* one more record always fits */

struct tls_buffers {                     /* one a loop */
    BIO *bio;                            /* all connections of the loop share it: */
    struct tls_stream *current;          /* the one in operation, which it serves */
    uint32_t in_at, in_len;              /* what is left of a recv() */
    size_t out_len;
    char in[IN_SIZE];
    char out[OUT_SIZE + OUT_ROOM];
    char plain[RECORD_MAX];
};

struct kept {
    char *p;
    uint32_t at, len;                    /* [at, len) is left */
};

struct handshake {
    struct timer limit;
    void (*on_done)(void *ctx, struct stream *s, enum io_status status);
    void *ctx;
    struct tls_stream *stream;           /* for the timer */
};

struct tls_stream {
    struct stream super;
    SSL *ssl;
    struct tls_server_conf *conf;        /* server side */
    struct tls_client *client;           /* client side */
    struct kept kept_in, kept_out;
    struct handshake *handshake;         /* NULL when done */
    char *session_key;                   /* client side */
    char *peer_der;                      /* made when asked for */
    size_t peer_der_len, peer_chain_len;
    bool has_failed;                     /* OpenSSL must not be called any more */
};

static struct tls_stream *
tls_of(const struct stream *s)
{
    return CONTAINER_OF(s, struct tls_stream, super);
}

/* --- the BIO ---
 * OpenSSL keeps 200 bytes for each; one a loop is enough, as only one connection is in operation at a time. */

static void
kept_free(struct kept *k)
{
    free(k->p);
    *k = (struct kept){0};
}

static bool
kept_add(struct kept *k, const char *p, size_t n)
{
    if (n == 0)
        return true;
    size_t left = k->len - k->at;
    char *fresh = left + n <= UINT32_MAX ? malloc(left + n) : NULL;
    if (!fresh)
        return false;
    if (left)
        memcpy(fresh, k->p + k->at, left);
    memcpy(fresh + left, p, n);
    free(k->p);
    *k = (struct kept){fresh, 0, (uint32_t)(left + n)};
    return true;
}

static size_t
take(const char *from, uint32_t *at, uint32_t len, char *to, size_t n)
{
    n = MIN(n, (size_t)(len - *at));
    memcpy(to, from + *at, n);
    *at += (uint32_t)n;
    return n;
}

static int
ring_read(BIO *bio, char *to, size_t n, size_t *ret)
{
    struct tls_buffers *b = BIO_get_data(bio);
    struct tls_stream *t = b->current;

    BIO_clear_retry_flags(bio);
    if (t->kept_in.at < t->kept_in.len) {
        *ret = take(t->kept_in.p, &t->kept_in.at, t->kept_in.len, to, n);
        if (t->kept_in.at == t->kept_in.len)
            kept_free(&t->kept_in);
        return 1;
    }
    if (b->in_at == b->in_len) {
        int64_t got = io_try_recv(&t->super.io, b->in, IN_SIZE);
        if (got == IO_AGAIN)
            BIO_set_retry_read(bio);
        if (got < 0)
            return 0;
        b->in_at = 0;
        b->in_len = (uint32_t)got;
    }
    *ret = take(b->in, &b->in_at, b->in_len, to, n);
    return 1;
}

static int
ring_write(BIO *bio, const char *from, size_t n, size_t *ret)
{
    struct tls_buffers *b = BIO_get_data(bio);
    struct tls_stream *t = b->current;

    BIO_clear_retry_flags(bio);
    if (b->out_len + n <= sizeof(b->out)) {
        memcpy(b->out + b->out_len, from, n);
        b->out_len += n;
    } else if (!kept_add(&t->kept_out, b->out, b->out_len) || !kept_add(&t->kept_out, from, n)) {
        return 0;
    } else {
        b->out_len = 0;                  /* a long certificate chain */
    }
    *ret = n;
    return 1;
}

static long
ring_ctrl(BIO *bio, int command, long number, void *p)
{
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

static BIO_METHOD *ring_method;          /* immutable once made */

static void
ring_method_make(void)
{
    ring_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "headgate");
    BIO_meth_set_read_ex(ring_method, ring_read);
    BIO_meth_set_write_ex(ring_method, ring_write);
    BIO_meth_set_ctrl(ring_method, ring_ctrl);
}

static void
buffers_free(void *p)
{
    struct tls_buffers *b = p;

    BIO_free(b->bio);
    free(b);
}

static struct tls_buffers *
buffers_of(struct loop *loop)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct tls_buffers *b = loop->tls;

    if (LIKELY(b != NULL))
        return b;
    pthread_once(&once, ring_method_make);
    b = xmalloc(sizeof(*b));             /* not zeroed: pages are touched when they are needed */
    b->in_at = b->in_len = b->out_len = 0;
    b->current = NULL;
    b->bio = BIO_new(ring_method);
    if (b->bio) {
        BIO_set_data(b->bio, b);
        BIO_set_init(b->bio, 1);
    }
    loop->tls = b;
    loop->free_tls = buffers_free;
    return b;
}

/* Before each call into OpenSSL for this connection. */
static struct tls_buffers *
begin(struct tls_stream *t)
{
    struct tls_buffers *b = buffers_of(t->super.io.loop);

    b->current = t;
    ERR_clear_error();
    return b;
}

/* --- between the loop's buffers and the socket --- */

static int64_t
flush_kept(struct tls_stream *t)
{
    while (t->kept_out.at < t->kept_out.len) {
        int64_t n = io_try_send(&t->super.io, t->kept_out.p + t->kept_out.at, t->kept_out.len - t->kept_out.at);
        if (n < 0)
            return n;
        t->kept_out.at += (uint32_t)n;
    }
    kept_free(&t->kept_out);
    return IO_OK;
}

/* Sends what an operation has produced; what the socket does not take is kept and sent by itself later. */
static int64_t
push_out(struct tls_stream *t)
{
    struct tls_buffers *b = buffers_of(t->super.io.loop);
    int64_t n = flush_kept(t);
    size_t gone = 0;

    if (n == IO_OK && b->out_len > 0) {
        n = io_try_send(&t->super.io, b->out, b->out_len);
        gone = n > 0 ? (size_t)n : 0;
    }
    if (n != IO_ERROR && gone < b->out_len && !kept_add(&t->kept_out, b->out + gone, b->out_len - gone))
        n = IO_ERROR;
    b->out_len = 0;                      /* S1 */
    if (n == IO_ERROR)
        return IO_ERROR;
    if (t->kept_out.p) {
        stream_watch_out(&t->super);
        return IO_AGAIN;
    }
    return IO_OK;
}

static void
keep_input(struct tls_stream *t)
{
    struct tls_buffers *b = buffers_of(t->super.io.loop);

    if (!kept_add(&t->kept_in, b->in + b->in_at, b->in_len - b->in_at))
        t->has_failed = true;
    b->in_at = b->in_len = 0;            /* S1 */
}

/* --- reading and writing --- */

/* What an unsuccessful SSL_read or SSL_write means. */
static int64_t
failure(struct tls_stream *t, int result)
{
    int error = SSL_get_error(t->ssl, result);

    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return IO_AGAIN;
    if (error == SSL_ERROR_ZERO_RETURN)
        return IO_EOF;
    /* Without close_notify an end is a cut: whoever reads until the end must not take it for one. */
    t->has_failed = true;
    if (!t->super.io.error)
        t->super.io.error = error == SSL_ERROR_SYSCALL ? ECONNRESET : EPROTO;
    return IO_ERROR;
}

static bool
is_dry(const struct tls_stream *t)
{
    const struct tls_buffers *b = t->super.io.loop->tls;

    return b->in_at == b->in_len && !t->kept_in.p && !t->super.io.can_in && SSL_pending(t->ssl) == 0;
}

static int64_t
tls_try_read(struct stream *s, void *p, size_t n)
{
    struct tls_stream *t = tls_of(s);
    size_t sum = 0, got;
    int64_t status = IO_AGAIN;

    if (t->has_failed)
        return IO_ERROR;
    begin(t);
    while (sum < n && !is_dry(t)) {
        int result = SSL_read_ex(t->ssl, (char *)p + sum, n - sum, &got);
        if (result != 1) {
            status = failure(t, result);
            break;
        }
        sum += got;
    }
    keep_input(t);
    if (push_out(t) == IO_ERROR && sum == 0 && status == IO_AGAIN)
        status = IO_ERROR;               /* an answer to a key update could not be sent */
    return sum ? (int64_t)sum : status;
}

/* The next record's worth: straight from the caller when it is one piece, gathered otherwise. */
static const void *
next_record(struct tls_buffers *b, const struct iovec *v, int n, size_t skip, size_t *ret_len)
{
    size_t len = 0;

    if (n == 1 || v->iov_len - skip >= RECORD_MAX) {
        *ret_len = MIN(v->iov_len - skip, RECORD_MAX);
        return (const char *)v->iov_base + skip;
    }
    for (; n > 0 && len < RECORD_MAX; n--, v++, skip = 0) {
        size_t part = MIN(v->iov_len - skip, RECORD_MAX - len);
        memcpy(b->plain + len, (const char *)v->iov_base + skip, part);
        len += part;
    }
    *ret_len = len;
    return b->plain;
}

static int64_t
tls_try_writev(struct stream *s, const struct iovec *v, int n)
{
    struct tls_stream *t = tls_of(s);
    struct tls_buffers *b;
    size_t skip = 0, sum = 0, len, done;
    int64_t status = t->has_failed ? IO_ERROR : flush_kept(t);

    if (status != IO_OK) {
        if (status == IO_AGAIN)
            stream_watch_out(s);
        return status;                   /* S2 */
    }
    b = begin(t);
    while (n > 0 && status == IO_OK) {
        for (; n > 0 && skip >= v->iov_len; n--, v++)
            skip -= v->iov_len;
        if (n == 0)
            break;
        const void *record = next_record(b, v, n, skip, &len);
        int result = SSL_write_ex(t->ssl, record, len, &done);
        if (result != 1) {
            b->out_len = 0;
            return failure(t, result) == IO_AGAIN ? IO_AGAIN : IO_ERROR;
        }
        sum += done;
        skip += done;
        if (b->out_len >= OUT_SIZE)
            status = push_out(t);
    }
    if (b->out_len > 0)
        status = push_out(t);
    return status == IO_ERROR ? IO_ERROR : (int64_t)sum;
}

static int64_t
tls_try_flush(struct stream *s)
{
    int64_t status = flush_kept(tls_of(s));

    return status == IO_OK ? io_try_flush(&s->io) : status;
}

static bool
tls_has_input(const struct stream *s)
{
    const struct tls_stream *t = tls_of(s);

    return t->ssl && (t->kept_in.p || (!t->handshake && SSL_pending(t->ssl) > 0));
}

/* --- the end --- */

static void
say_goodbye(struct tls_stream *t)
{
    if (t->has_failed || t->handshake || (SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN))
        return;
    begin(t);
    SSL_shutdown(t->ssl);
    push_out(t);
}

static void
tls_shutdown(struct stream *s)
{
    say_goodbye(tls_of(s));
    io_shutdown(&s->io);
}

static void
tls_farewell(struct stream *s)
{
    say_goodbye(tls_of(s));
}

static void
tls_destroy(struct stream *s)
{
    struct tls_stream *t = tls_of(s);

    if (t->ssl && !t->has_failed)        /* or OpenSSL takes the session for broken and never resumes it */
        SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(t->ssl);
    ERR_clear_error();
    tls_server_conf_unref(t->conf);
    tls_client_unref(t->client);
    kept_free(&t->kept_in);
    kept_free(&t->kept_out);
    if (t->handshake)
        timer_stop(s->io.loop, &t->handshake->limit);
    free(t->handshake);
    free(t->session_key);
    free(t->peer_der);
    free(t);
}

static void
add_der(struct buf *to, X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);

    if (len > 0)
        buf_add(to, der, (size_t)len);
    OPENSSL_free(der);
}

/* The peer's certificate, then those it sent with it. */
static void
make_peer_der(struct tls_stream *t)
{
    X509 *cert = SSL_get0_peer_certificate(t->ssl);
    STACK_OF(X509) *chain = cert && t->conf ? SSL_get_peer_cert_chain(t->ssl) : NULL;
    struct buf b = BUF_INIT;

    if (!cert)
        return;
    add_der(&b, cert);
    t->peer_der_len = b.len;
    for (int i = 0; i < sk_X509_num(chain); i++)
        add_der(&b, sk_X509_value(chain, i));
    t->peer_chain_len = b.len - t->peer_der_len;
    t->peer_der = b.p;
}

/* Verified when it was first shown, and not expired since: a session may be hours old. */
static bool
is_client_cert_ok(const struct tls_stream *t)
{
    X509 *cert = SSL_get0_peer_certificate(t->ssl);

    return cert && t->conf && tls_shown_of(t->conf, t->ssl)->client_ca_pem.len && SSL_get_verify_result(t->ssl) == X509_V_OK &&
           X509_cmp_current_time(X509_get0_notAfter(cert)) > 0;
}

static struct tls_info
tls_info(struct stream *s)
{
    struct tls_stream *t = tls_of(s);
    const struct tls_shown *shown = t->conf ? tls_shown_of(t->conf, t->ssl) : NULL;
    const unsigned char *alpn;
    unsigned alpn_len;

    if (!t->peer_der)
        make_peer_der(t);
    SSL_get0_alpn_selected(t->ssl, &alpn, &alpn_len);
    return (struct tls_info){
        .version = SSL_get_version(t->ssl),
        .cipher = SSL_get_cipher_name(t->ssl),
        .server_name = str_from_c(SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name)),
        .alpn = str_from((const char *)alpn, alpn_len),
        .client_cert_der = str_from(t->peer_der, t->peer_der_len),
        .client_chain_der = t->peer_chain_len ? str_from(t->peer_der + t->peer_der_len, t->peer_chain_len) : STR_NONE,
        .client_ca_pem = shown ? shown->client_ca_pem : STR_NONE,
        .client_rules = shown ? str_from((const char *)shown->binding, sizeof(shown->binding)) : STR_NONE,
        .is_client_cert_ok = is_client_cert_ok(t),
        .is_resumed = SSL_session_reused(t->ssl),
    };
}

bool
tls_stream_is_misdirected(struct stream *s, struct str host)
{
    const struct tls_stream *t = tls_of(s);

    if (LIKELY(!t->conf || !t->conf->has_several_rules))
        return false;
    return memcmp(tls_shown_of(t->conf, t->ssl)->binding, tls_shown_for(t->conf, host)->binding, sizeof(t->conf->usual->binding)) != 0;
}

static const struct stream_ops tls_ops = {
    .try_read = tls_try_read,
    .try_writev = tls_try_writev,
    .try_flush = tls_try_flush,
    .has_input = tls_has_input,
    .shutdown = tls_shutdown,
    .farewell = tls_farewell,
    .info = tls_info,
    .destroy = tls_destroy,
};

/* --- handshakes --- */

/* OpenSSL's half. What it could not have shows in the first step of the handshake. */
static void
make_ssl(struct tls_stream *t, SSL_CTX *context)
{
    BIO *bio = buffers_of(t->super.io.loop)->bio;

    t->ssl = SSL_new(context);
    if (!t->ssl || !bio) {
        t->has_failed = true;
        return;
    }
    BIO_up_ref(bio);
    SSL_set_bio(t->ssl, bio, bio);
}

/* Turns the plain stream into a TLS stream: same descriptor, same place in the listener's counts. */
static struct tls_stream *
wrap(struct stream *plain)
{
    struct tls_stream *t = xnew(struct tls_stream);

    ASSERT(plain->in.kind == 0 && plain->out.kind == 0);
    t->super = *plain;
    t->super.ops = &tls_ops;
    t->super.is_tls = true;
    io_move(&t->super.io, &plain->io);
    plain->listener = NULL;
    plain->ops->destroy(plain);
    t->handshake = xnew(struct handshake);
    return t;
}

/* One step on whatever has come. IO_OK: done. On the loop's stack: signatures go 13 KiB deep. */
static enum io_status
handshake_step(struct tls_stream *t)
{
    int64_t status = IO_OK;

    if (t->has_failed)
        return IO_ERROR;
    begin(t);
    int result = SSL_do_handshake(t->ssl);
    if (result != 1)
        status = failure(t, result);
    keep_input(t);
    if (push_out(t) == IO_ERROR && status == IO_AGAIN)
        status = IO_ERROR;               /* alerts that fail to go do not matter */
    return status == IO_OK || status == IO_AGAIN ? (enum io_status)status : IO_ERROR;
}

static void
empty_key(EVP_PKEY *key)
{
    EVP_PKEY_set_type(key, EVP_PKEY_get_id(key));    /* lets go of what it holds */
    EVP_PKEY_free(key);
}

/* The keys that both sides made for this handshake have done their work, and OpenSSL would hold them as long as the
 * connection: half a kilobyte, and a secret that opens what was recorded of it. Before TLS 1.3 it lets go by itself. */
static void
handshake_over(struct tls_stream *t)
{
    EVP_PKEY *key;

    free(t->handshake);
    t->handshake = NULL;
    if (SSL_version(t->ssl) < TLS1_3_VERSION)
        return;
    if (SSL_get_tmp_key(t->ssl, &key))
        empty_key(key);
    if (SSL_get_peer_tmp_key(t->ssl, &key))
        empty_key(key);
    ERR_clear_error();
}

static void
accept_end(struct tls_stream *t, enum io_status status)
{
    struct handshake h = *t->handshake;

    timer_stop(t->super.io.loop, &t->handshake->limit);
    stream_when_readable(&t->super, NULL, NULL);
    if (status == IO_OK) {
        handshake_over(t);
        h.on_done(h.ctx, &t->super, IO_OK);
        return;
    }
    stream_close(&t->super);
    h.on_done(h.ctx, NULL, status);
}

/* Whether a client's first record is there; what begins otherwise than one is OpenSSL's to refuse. */
static bool
has_first_record(const struct kept *in)
{
    const unsigned char *p = (const unsigned char *)in->p;

    if (in->len < RECORD_HEAD)
        return in->len > 0 && p[0] != SSL3_RT_HANDSHAKE;
    size_t size = (size_t)p[3] << 8 | p[4];
    return p[0] != SSL3_RT_HANDSHAKE || size > RECORD_MAX || in->len >= RECORD_HEAD + size;
}

/* OpenSSL takes 45 KiB for a handshake: who connects and does not get to the end of a record costs a struct and what he has
 * sent. IO_OK: OpenSSL is there, and has something to read. */
static enum io_status
begin_handshake(struct tls_stream *t)
{
    struct tls_buffers *b = buffers_of(t->super.io.loop);
    int64_t n = io_try_recv(&t->super.io, b->in, IN_SIZE);

    if (n < 0)
        return n == IO_AGAIN ? IO_AGAIN : IO_ERROR;
    if (!kept_add(&t->kept_in, b->in, (size_t)n))
        return IO_ERROR;
    if (!has_first_record(&t->kept_in))
        return IO_AGAIN;
    make_ssl(t, t->conf->usual->context);
    if (t->ssl)
        SSL_set_accept_state(t->ssl);
    return IO_OK;
}

static void
on_handshake_input(struct stream *s, void *ctx)
{
    struct tls_stream *t = ctx;
    enum io_status status = t->ssl ? IO_OK : begin_handshake(t);

    if (status == IO_OK)
        status = handshake_step(t);
    if (status == IO_AGAIN)
        stream_when_readable(s, on_handshake_input, t);
    else
        accept_end(t, status);
}

static void
on_handshake_limit(struct timer *timer)
{
    struct handshake *h = CONTAINER_OF(timer, struct handshake, limit);
    accept_end(h->stream, IO_TIMEOUT);
}

void
tls_accept(struct tls_server *server, struct stream *plain, uint64_t deadline_ms,
           void (*on_done)(void *ctx, struct stream *s, enum io_status status), void *ctx)
{
    struct tls_stream *t = wrap(plain);

    t->conf = tls_server_conf_ref(server);
    t->handshake->on_done = on_done;
    t->handshake->ctx = ctx;
    t->handshake->stream = t;
    timer_start(t->super.io.loop, &t->handshake->limit, deadline_ms, on_handshake_limit);
    stream_when_readable(&t->super, on_handshake_input, t);
}

struct str
tls_stream_session_key(SSL *ssl)
{
    const struct tls_stream *t = SSL_get_app_data(ssl);
    return str_from_c(t->session_key);
}

/* SNI, the name to check, and a session to resume. */
static bool
client_prepare(struct tls_stream *t, struct tls_client *client, struct str name, enum tls_offer offer)
{
    static const unsigned char protocols[] = "\x02h2\x08http/1.1";
    unsigned from = offer == TLS_OFFER_HTTP1 ? 3 : 0, to = offer == TLS_OFFER_HTTP2 ? 3 : 12;
    char text[256];
    struct addr ip;
    SSL_SESSION *session;

    if (!t->ssl || name.len == 0 || name.len >= sizeof(text) || memchr(name.p, 0, name.len))
        return false;
    memcpy(text, name.p, name.len);
    text[name.len] = 0;
    if (text[name.len - 1] == '.')
        text[name.len - 1] = 0;          /* "example.com." names the same host; certificates do not have the dot */
    bool is_ip = addr_parse_ip(str_from_c(text), &ip, NULL);
    SSL_set_app_data(t->ssl, t);         /* for tls_stream_session_key(); the server side saves the memory */
    SSL_set_connect_state(t->ssl);
    if (SSL_set_alpn_protos(t->ssl, protocols + from, to - from) != 0)
        return false;
    if (!is_ip && SSL_set_tlsext_host_name(t->ssl, text) != 1)
        return false;
    if (!client->no_verify_name) {
        X509_VERIFY_PARAM *param = SSL_get0_param(t->ssl);
        X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        int ok = is_ip ? X509_VERIFY_PARAM_set1_ip(param, ip.ip, ip.kind == ADDR_V4 ? 4 : 16)
                       : X509_VERIFY_PARAM_set1_host(param, text, 0);
        if (ok != 1)
            return false;
    }
    t->session_key = xmalloc(name.len + 8);
    snprintf(t->session_key, name.len + 8, "%s:%u", text, t->super.peer.port);
    if ((session = tls_client_session(client, str_from_c(t->session_key)))) {
        SSL_set_session(t->ssl, session);
        SSL_SESSION_free(session);
    }
    return true;
}

struct step {
    struct tls_stream *t;
    enum io_status status;
    char why[160];                       /* OpenSSL's reason, taken before the queue is anybody else's */
};

static void
step_on_loop_stack(void *arg)
{
    struct step *step = arg;
    unsigned long code;

    step->status = handshake_step(step->t);
    if (step->status != IO_ERROR)
        return;
    code = ERR_peek_last_error();
    snprintf(step->why, sizeof(step->why), "%s", code ? ERR_reason_error_string(code) : "");
    ERR_clear_error();
}

static void
explain(struct err *err, const struct step *step, struct str name, enum io_status status)
{
    long verify = step->t->ssl ? SSL_get_verify_result(step->t->ssl) : X509_V_OK;

    if (status == IO_TIMEOUT || status == IO_CANCELLED)
        err_set(err, io_status_err(status), "TLS handshake with '%.*s': %s", STR_ARG(name), io_status_text(status));
    else if (verify != X509_V_OK)
        err_set(err, ERR_TLS, "the certificate of '%.*s' is not accepted: %s", STR_ARG(name),
                X509_verify_cert_error_string(verify));
    else
        err_set(err, ERR_TLS, "TLS handshake with '%.*s' failed%s%s", STR_ARG(name), *step->why ? ": " : "", step->why);
}

struct stream *
tls_connect(struct tls_client *client, struct stream *plain, struct str name, enum tls_offer offer, uint64_t deadline_ms,
            struct err *err)
{
    struct step step = {.t = wrap(plain)};
    struct tls_stream *t = step.t;
    enum io_status status = IO_ERROR;

    make_ssl(t, client->context);
    t->client = tls_client_ref(client);
    if (!client_prepare(t, client, name, offer)) {
        err_set(err, ERR_TLS, "'%.*s' cannot be the name of a TLS server", STR_ARG(name));
        stream_close(&t->super);
        return NULL;
    }
    for (;;) {
        fiber_call_on_loop_stack(step_on_loop_stack, &step);
        status = step.status;
        if (status == IO_AGAIN)
            status = stream_wait_readable(&t->super, deadline_ms);
        else
            break;
        if (status != IO_OK)
            break;
    }
    if (status == IO_OK) {
        handshake_over(t);
        return &t->super;
    }
    explain(err, &step, name, status);
    stream_close(&t->super);
    return NULL;
}
