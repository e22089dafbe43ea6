/* proxy.c: one CONNECT and its answer. The answer's head is parsed by the parser of all answers; nothing may stand behind it, as the
 * other end speaks only when spoken to.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/proxy.h"

#include "http/origin.h"

#include "base/buf.h"
#include "http/h1_head.h"
#include "http/headers.h"
#include "net/stream.h"
#include "net/tls.h"

#define HEAD_BYTES_MAX ((size_t)16 << 10)
#define FIELDS_MAX 100

bool
http_proxy_needs_tunnel(const struct http_origin_conf *o)
{
    return o->tls || o->protocol == HTTP_PROTOCOL_2;
}

static void
add_authority(struct buf *to, const struct http_origin_conf *o)
{
    bool is_v6 = str_find_char(o->host, ':', 0) >= 0;

    buf_printf(to, "%s%.*s%s:%u", is_v6 ? "[" : "", STR_ARG(o->host), is_v6 ? "]" : "", o->port);
}

static bool
send_connect(struct stream *s, const struct http_origin_conf *o, uint64_t deadline_ms, struct err *err)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    int64_t status;

    buf_add_lit(&b, "CONNECT ");
    add_authority(&b, o);
    buf_add_lit(&b, " HTTP/1.1\r\nHost: ");
    add_authority(&b, o);
    buf_add_lit(&b, "\r\n");
    if (o->proxy.authorization.len)
        buf_printf(&b, "Proxy-Authorization: %.*s\r\n", STR_ARG(o->proxy.authorization));
    buf_add_lit(&b, "\r\n");
    status = stream_write(s, b.p, b.len, deadline_ms);
    return status == IO_OK || err_set(err, io_status_err(status), "the proxy %.*s: %s", STR_ARG(o->proxy.host), io_status_text(status));
}

static bool
judge(const struct http_origin_conf *o, const struct http_response *r, bool has_more, struct err *err)
{
    if (r->status / 100 != 2)
        return err_set(err, ERR_CONNECT, "the proxy %.*s refuses the way to %.*s: %u", STR_ARG(o->proxy.host), STR_ARG(o->host), r->status);
    return !has_more || err_set(err, ERR_PROTOCOL, "the proxy %.*s sends bytes before it is asked", STR_ARG(o->proxy.host));
}

static bool
read_answer(struct stream *s, const struct http_origin_conf *o, uint64_t deadline_ms, struct err *err)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, (size_t)64 << 10);
    const struct h1_head_limits limits = {.fields = FIELDS_MAX};
    struct buf in = buf_in(&arena);

    while (in.len < HEAD_BYTES_MAX) {
        struct http_response r = {.headers = http_headers_in(&arena)};
        struct h1_refusal why;
        char *room = buf_reserve(&in, 2048);
        int64_t n = room ? stream_read(s, room, 2048, deadline_ms) : IO_ERROR;
        ptrdiff_t head;

        if (n < 0)
            return err_set(err, io_status_err(n), "the proxy %.*s: %s", STR_ARG(o->proxy.host), io_status_text(n));
        in.len += (size_t)n;
        if (!http_headers_reserve(&r.headers, FIELDS_MAX))
            return err_set(err, ERR_NO_MEMORY, "no memory left for a proxy's answer");
        head = h1_parse_response(str_from(in.p, in.len), &limits, &r, &why);
        if (head == H1_BAD)
            return err_set(err, ERR_PROTOCOL, "the proxy %.*s answers with what is no HTTP: %s", STR_ARG(o->proxy.host), why.why);
        if (head > 0)
            return judge(o, &r, (size_t)head < in.len && r.status / 100 == 2, err);
    }
    return err_set(err, ERR_LIMIT, "the proxy %.*s answers with a head above %zu bytes", STR_ARG(o->proxy.host), HEAD_BYTES_MAX);
}

struct stream *
http_proxy_tunnel(struct stream *plain, const struct http_origin_conf *o, uint64_t deadline_ms, struct err *err)
{
    if (!send_connect(plain, o, deadline_ms, err) || !read_answer(plain, o, deadline_ms, err)) {
        stream_close(plain);
        return NULL;
    }
    if (!o->tls)
        return plain;
    return tls_connect(o->tls, plain, o->tls_name.len ? o->tls_name : o->host, http_tls_offer(o->protocol), deadline_ms, err);
}
