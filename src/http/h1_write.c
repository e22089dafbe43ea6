/* h1_write.c: heads as bytes (h1_write.h).
 *
 * A head is measured first and then written without further checks of room; copying a value also looks for bytes
 * that must not be in one, so no head leaves that its reader could take for two (robustness G6).
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/h1_write.h"

#include "base/arena.h"
#include "http/h1_scan.h"

/* Framing, connection and what out-> adds: generously. */
#define EXTRA_BYTES 256

static inline char *
put(char *to, struct str s)
{
    memcpy(to, s.p, s.len);
    return to + s.len;
}

#define put_lit(to, lit) ((char *)memcpy((to), "" lit, sizeof(lit) - 1) + sizeof(lit) - 1)

static char *
put_u64(char *to, uint64_t n)
{
    char digits[20], *p = digits + sizeof(digits);

    do
        *--p = (char)('0' + n % 10);
    while (n /= 10);
    return put(to, str_from(p, (size_t)(digits + sizeof(digits) - p)));
}

/* Fields that the writer itself decides about. */
static bool
is_ours(unsigned id)
{
    switch (id) {
    case HTTP_CONTENT_LENGTH:
    case HTTP_TRANSFER_ENCODING:
    case HTTP_CONNECTION:
    case HTTP_KEEP_ALIVE:
    case HTTP_PROXY_CONNECTION:
    case HTTP_UPGRADE:
    case HTTP_HTTP2_SETTINGS:
    case HTTP_EXPECT:
    case HTTP_TE:
        return true;
    default:
        return false;
    }
}

static size_t
fields_size(const struct http_headers *h)
{
    size_t n = 2;

    for (uint32_t i = 0; i < h->n; i++)
        n += h->v[i].name.len + h->v[i].value.len + 4;
    return n;
}

/* NULL when a field holds what it may not. */
static char *
put_fields(char *to, const struct http_headers *h, bool without_host)
{
    for (uint32_t i = 0; i < h->n; i++) {
        const struct http_field *f = &h->v[i];
        const char *end = f->value.p + f->value.len;

        if (is_ours(f->id) || (without_host && f->id == HTTP_HOST))
            continue;
        if (f->id == HTTP_FIELD_OTHER && !http_name_is_valid(f->name))
            return NULL;
        if (f->value.len && h1_scan_value(f->value.p, end) != end)
            return NULL;
        to = put(to, f->name);
        to = put_lit(to, ": ");
        if (f->value.len)
            to = put(to, f->value);
        to = put_lit(to, "\r\n");
    }
    return to;
}

static char *
put_framing(char *to, const struct h1_out *out)
{
    if (out->content_length >= 0) {
        to = put_lit(to, "Content-Length: ");
        to = put_u64(to, (uint64_t)out->content_length);
        to = put_lit(to, "\r\n");
    } else if (out->is_chunked) {
        to = put_lit(to, "Transfer-Encoding: chunked\r\n");
    }
    if (out->upgrade.p) {
        to = put_lit(to, "Connection: Upgrade\r\nUpgrade: ");
        to = put(to, out->upgrade);
        to = put_lit(to, "\r\n");
    } else if (out->want_close) {
        to = out->want_trailers ? put_lit(to, "Connection: close, TE\r\n")
                                : put_lit(to, "Connection: close\r\n");
    } else if (out->want_keep_alive) {
        to = put_lit(to, "Connection: keep-alive\r\n");
    } else if (out->want_trailers) {
        to = put_lit(to, "Connection: TE\r\n");
    }
    return put_lit(to, "\r\n");
}

size_t
h1_response_size(const struct http_response *r, const struct h1_out *out)
{
    return EXTRA_BYTES + r->reason.len + out->date.len + out->server.len + out->upgrade.len +
           out->request_id.len + fields_size(&r->headers);
}

size_t
h1_write_response(char *to, const struct http_response *r, const struct h1_out *out)
{
    char *start = to;
    struct str reason = r->reason.len ? r->reason : http_reason(r->status);

    if (r->status < 100 || r->status > 999 || !http_value_is_valid(reason))
        return 0;
    to = put_lit(to, "HTTP/1.1 ");
    to = put_u64(to, r->status);
    *to++ = ' ';
    to = put(to, reason);
    to = put_lit(to, "\r\n");
    if (!(to = put_fields(to, &r->headers, false)))
        return 0;
    if (out->date.p && !http_headers_has(&r->headers, HTTP_DATE)) {
        to = put_lit(to, "Date: ");
        to = put(to, out->date);
        to = put_lit(to, "\r\n");
    }
    if (out->server.len && !http_headers_has(&r->headers, HTTP_SERVER)) {
        to = put_lit(to, "Server: ");
        to = put(to, out->server);
        to = put_lit(to, "\r\n");
    }
    if (out->request_id.len && !http_headers_has(&r->headers, HTTP_X_REQUEST_ID)) {
        to = put_lit(to, "x-request-id: ");
        to = put(to, out->request_id);
        to = put_lit(to, "\r\n");
    }
    to = put_framing(to, out);
    return (size_t)(to - start);
}

size_t
h1_request_size(const struct http_request *r, const struct h1_out *out)
{
    return EXTRA_BYTES + r->method_text.len + r->path.len + r->query.len + r->authority.len +
           out->upgrade.len + out->absolute.len + out->proxy_authorization.len + fields_size(&r->headers);
}

/* The target is the path and the query as they stand; blanks and controls cannot be in one. */
static char *
put_target(char *to, const struct http_request *r)
{
    char *start = to;

    to = r->path.len ? put(to, r->path) : put_lit(to, "/");
    if (r->query.p) {
        *to++ = '?';
        to = put(to, r->query);
    }
    return h1_scan_target(start, to) == to && (*start == '/' || (*start == '*' && to == start + 1))
               ? to
               : NULL;
}

size_t
h1_write_request(char *to, const struct http_request *r, const struct h1_out *out)
{
    char *start = to;

    if (!http_name_is_valid(r->method_text) || !http_authority_is_valid(r->authority))
        return 0;
    to = put(to, r->method_text);
    *to++ = ' ';
    if (out->absolute.len)
        to = put(to, out->absolute);
    if (!(to = put_target(to, r)))
        return 0;
    to = put_lit(to, " HTTP/1.1\r\nHost: ");
    to = put(to, r->authority);
    to = put_lit(to, "\r\n");
    if (out->proxy_authorization.len) {
        to = put_lit(to, "Proxy-Authorization: ");
        to = put(to, out->proxy_authorization);
        to = put_lit(to, "\r\n");
    }
    if (!(to = put_fields(to, &r->headers, true)))
        return 0;
    if (out->want_trailers)
        to = put_lit(to, "TE: trailers\r\n");
    if (out->expect_continue)
        to = put_lit(to, "Expect: 100-continue\r\n");
    to = put_framing(to, out);
    return (size_t)(to - start);
}

size_t
h1_write_chunk_line(char to[H1_CHUNK_LINE_MAX], uint64_t size)
{
    static const char digits[] = "0123456789abcdef";
    int shift = size ? (63 - __builtin_clzll(size)) & ~3 : 0;
    char *p = to;

    for (; shift >= 0; shift -= 4)
        *p++ = digits[size >> shift & 15];
    p = put_lit(p, "\r\n");
    return (size_t)(p - to);
}

struct str
h1_write_last_chunk(struct arena *arena, const struct http_headers *trailers)
{
    char *start, *to;

    if (!trailers || trailers->n == 0)
        return STR("0\r\n\r\n");
    start = to = arena_alloc(arena, 8 + fields_size(trailers), 1, 1);
    if (!to)
        return STR_NONE;
    to = put_lit(to, "0\r\n");
    if (!(to = put_fields(to, trailers, false)))
        return STR_NONE;
    to = put_lit(to, "\r\n");
    return str_from(start, (size_t)(to - start));
}
