/* wire.c: sockets and HTTP/1 of the test side.
 * SPDX-License-Identifier: Apache-2.0 */
#include "hgt/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/num.h"
#include "base/vec.h"

#define READ_BYTES ((size_t)64 << 10)

static bool
wait_for(struct wire *w, short events, int wait_ms)
{
    struct pollfd p = {.fd = w->fd, .events = events};
    int n;

    do
        n = poll(&p, 1, wait_ms);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

/* Whether a call on the connection that returned `n` was only interrupted. A socket with time limits is, also where no
 * handler ran (signal(7)). */
static bool
is_interrupted(const struct wire *w, ssize_t n)
{
    if (n > 0 || errno != EINTR)
        return false;
    int why = w->ssl ? SSL_get_error(w->ssl, (int)n) : SSL_ERROR_NONE;
    return w->ssl ? why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE : n < 0;
}

static bool
handshake(struct wire *w, SSL_CTX *ctx, const char *server_name)
{
    int n;

    w->ssl = SSL_new(ctx);
    SSL_set_fd(w->ssl, w->fd);
    if (server_name)
        SSL_set_tlsext_host_name(w->ssl, server_name);
    do
        n = server_name ? SSL_connect(w->ssl) : SSL_accept(w->ssl);
    while (is_interrupted(w, n));
    return n == 1;
}

/* POSIX: an interrupted connect() goes on by itself; false with errno. */
static bool
connect_fully(struct wire *w, const struct sockaddr_in *to)
{
    socklen_t len = sizeof(int);
    int failure = 0;

    if (connect(w->fd, (const struct sockaddr *)to, sizeof(*to)) == 0)
        return true;
    if (errno != EINTR)
        return false;
    if (!wait_for(w, POLLOUT, WIRE_WAIT_MS))
        failure = ETIMEDOUT;
    else if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &failure, &len) != 0)
        failure = errno;
    errno = failure;
    return failure == 0;
}

static void
set_waits(int fd)
{
    struct timeval tv = {.tv_sec = WIRE_WAIT_MS / 1000};
    int one = 1;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

bool
wire_connect(struct wire *w, uint16_t port, SSL_CTX *ctx, const char *server_name, struct err *err)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    *w = (struct wire){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    set_waits(w->fd);
    if (!connect_fully(w, &to)) {
        int failure = errno;
        wire_close(w, false);
        return err_set_errno(err, ERR_CONNECT, failure, "127.0.0.1:%u", port);
    }
    if (ctx && !handshake(w, ctx, server_name)) {
        char text[256];
        ERR_error_string_n(ERR_get_error(), text, sizeof(text));
        wire_close(w, false);
        return err_set(err, ERR_TLS, "TLS with 127.0.0.1:%u: %s", port, text);
    }
    return true;
}

bool
wire_accept(struct wire *w, int fd, SSL_CTX *ctx)
{
    *w = (struct wire){.fd = fd};
    set_waits(fd);
    if (ctx && !handshake(w, ctx, NULL)) {
        ERR_clear_error();
        wire_close(w, false);
        return false;
    }
    return true;
}

static void
note_broken(struct wire *w)
{
    w->is_broken = true;
    w->failure = !w->ssl || errno == EAGAIN ? errno : 0;
    ERR_clear_error();
}

bool
wire_write(struct wire *w, struct str bytes)
{
    while (bytes.len) {
        ssize_t n = w->ssl ? SSL_write(w->ssl, bytes.p, (int)MIN(bytes.len, (size_t)1 << 20))
                           : send(w->fd, bytes.p, bytes.len, MSG_NOSIGNAL);
        if (is_interrupted(w, n))
            continue;
        if (n <= 0) {
            note_broken(w);
            return false;
        }
        bytes = str_skip(bytes, (size_t)n);
    }
    return true;
}

size_t
wire_read(struct wire *w, char *to, size_t room)
{
    ssize_t n;

    if (w->is_eof || w->is_broken)
        return 0;
    do
        n = w->ssl ? SSL_read(w->ssl, to, (int)room) : recv(w->fd, to, room, 0);
    while (is_interrupted(w, n));
    if (n > 0)
        return (size_t)n;
    if (w->ssl ? SSL_get_error(w->ssl, (int)n) == SSL_ERROR_ZERO_RETURN : n == 0)
        w->is_eof = true;
    else
        note_broken(w);
    ERR_clear_error();
    return 0;
}

/* One read more into w->in; false at the end, on an error or when nothing comes. */
static bool
fill(struct wire *w)
{
    char *room = buf_reserve(&w->in, READ_BYTES);
    size_t n = wire_read(w, room, READ_BYTES);

    w->in.len += n;
    return n != 0;
}

static struct str
waiting(const struct wire *w)
{
    return str_from(w->in.p + w->taken, w->in.len - w->taken);
}

/* The next line without its CR LF, copied; STR_NONE at the end of the connection. */
static struct str
read_line(struct wire *w, struct arena *a, struct wire_message *m)
{
    size_t from = 0;

    for (;;) {
        struct str in = waiting(w);
        ptrdiff_t newline = str_find_char(in, '\n', from);

        if (newline >= 0) {
            bool has_cr = newline > 0 && in.p[newline - 1] == '\r';
            w->taken += (size_t)newline + 1;
            if (!has_cr)
                m->fault = STR("a line ends without CR");
            return str_dup(a, str_sub(in, 0, (size_t)newline - has_cr));
        }
        from = in.len;
        if (!fill(w))
            return STR_NONE;
    }
}

static bool
read_bytes(struct wire *w, size_t n, struct buf *to)
{
    while (waiting(w).len < n && fill(w))
        ;
    struct str got = str_sub(waiting(w), 0, n);
    buf_add_str(to, got);
    w->taken += got.len;
    return got.len == n;
}

/* Header lines up to the empty one. */
static bool
read_fields(struct wire *w, struct arena *a, struct wire_message *m, struct wire_header **ret, size_t *ret_n)
{
    struct {
        struct wire_header *v;
        size_t n, cap;
    } fields = {0};

    for (;;) {
        struct str line = read_line(w, a, m);
        ptrdiff_t colon;

        if (!line.p)
            return false;
        if (!line.len)
            break;
        colon = str_find_char(line, ':', 0);
        if (colon <= 0 || line.p[0] == ' ' || line.p[colon - 1] == ' ') {
            m->fault = STR("a header line without a proper name");
            colon = MAX(colon, 0);
        }
        for (size_t i = 0; i < line.len; i++)
            if ((unsigned char)line.p[i] < 0x20 && line.p[i] != '\t')
                m->fault = STR("a control byte in a header");
        *avec_push(a, &fields) = (struct wire_header){str_sub(line, 0, (size_t)colon), str_trim(str_skip(line, (size_t)colon + 1))};
    }
    *ret = fields.v;
    *ret_n = fields.n;
    return true;
}

static bool
read_chunks(struct wire *w, struct arena *a, struct wire_message *m, struct buf *body)
{
    for (;;) {
        struct str line = read_line(w, a, m), size;
        uint64_t n;

        if (!line.p || !str_split_next(&line, ';', &size) || !num_parse_hex(size, &n, NULL)) {
            m->fault = STR("a chunk without a size");
            return false;
        }
        if (n == 0)
            return read_fields(w, a, m, &m->trailers, &m->n_trailers);
        if (!read_bytes(w, n, body))
            return false;
        line = read_line(w, a, m);
        if (!line.p || line.len) {
            m->fault = STR("a chunk that is longer than its size");
            return false;
        }
    }
}

static size_t
count_headers(const struct wire_message *m, struct str name)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n_headers; i++)
        n += str_eq_nocase(m->headers[i].name, name);
    return n;
}

static bool
read_body(struct wire *w, struct arena *a, bool is_answer, struct wire_message *m)
{
    struct buf body = buf_in(a);
    struct str length = wire_header_get(m, STR("Content-Length"));
    uint64_t n = 0;
    bool ok = true;

    m->is_chunked = wire_header_get(m, STR("Transfer-Encoding")).p != NULL;
    if (count_headers(m, STR("Content-Length")) + m->is_chunked > 1)
        m->fault = STR("more than one framing header");
    if (m->is_chunked) {
        ok = read_chunks(w, a, m, &body);
    } else if (length.p) {
        ok = num_parse_u64(length, UINT64_MAX, &n, NULL) && read_bytes(w, n, &body);
    } else if (is_answer) {
        m->until_close = true;
        while (fill(w))
            ;
        read_bytes(w, waiting(w).len, &body);
        ok = w->is_eof;
    }
    m->body = buf_str(&body);
    return ok;
}

bool
wire_read_message(struct wire *w, struct arena *a, bool is_answer, bool has_no_body, struct wire_message *ret)
{
    struct wire_message *m = ret;
    struct str status;

    *m = (struct wire_message){.body = STR("")};
    do
        m->start_line = read_line(w, a, m);
    while (m->start_line.p && !m->start_line.len && !is_answer); /* RFC 9112 2.2: an empty line before a request */
    if (!m->start_line.p || !read_fields(w, a, m, &m->headers, &m->n_headers))
        return false;
    status = str_sub(m->start_line, 9, 12);
    if (is_answer && (has_no_body || status.p[0] == '1' || str_eq_lit(status, "204") || str_eq_lit(status, "304")))
        m->is_complete = true;
    else
        m->is_complete = read_body(w, a, is_answer, m);
    return true;
}

struct str
wire_end(const struct wire *w, struct arena *a)
{
    if (w->is_broken)
        return str_printf(a, "the connection broke: %s", w->failure == EAGAIN ? "nothing came for too long"
                                                         : w->failure         ? strerrordesc_np(w->failure)
                                                                              : "TLS failed");
    return w->is_eof ? STR("the connection was closed") : STR("the connection is open");
}

bool
wire_wait_closed(struct wire *w, int wait_ms)
{
    if (waiting(w).len)
        return false;
    if (w->is_eof || w->is_broken)
        return true;
    if (!wait_for(w, POLLIN, wait_ms))
        return false;
    return !fill(w) || waiting(w).len == 0;
}

bool
wire_wait_bytes(struct wire *w, int wait_ms)
{
    return waiting(w).len || (wait_for(w, POLLIN, wait_ms) && fill(w));
}

void
wire_close(struct wire *w, bool is_reset)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    if (w->ssl) {
        if (!is_reset && !w->is_broken)
            SSL_shutdown(w->ssl);
        SSL_free(w->ssl);
        ERR_clear_error();
    }
    if (w->fd >= 0) {
        if (is_reset)
            setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        close(w->fd);
    }
    buf_destroy(&w->in);
    *w = (struct wire){.fd = -1, .is_eof = true};
}

struct str
wire_header_get(const struct wire_message *m, struct str name)
{
    for (size_t i = 0; i < m->n_headers; i++)
        if (str_eq_nocase(m->headers[i].name, name))
            return m->headers[i].value;
    return STR_NONE;
}

struct str
wire_header_joined(const struct wire_header *headers, size_t n, struct str name, struct arena *a)
{
    struct str all = STR_NONE;

    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(headers[i].name, name))
            all = all.p ? str_printf(a, "%.*s, %.*s", STR_ARG(all), STR_ARG(headers[i].value))
                        : str_dup(a, headers[i].value);
    return all;
}
