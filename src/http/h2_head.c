/* h2_head.c: fields in, fields out (h2_head.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/h2_head.h"

#include <stdio.h>

#include "base/buf.h"
#include "http/h1_scan.h"

#define FLOOD_TIMES 4u  /* so far above a limit a block is an attack, no longer a mistake */

/* ---- in ---- */

void
h2_head_init(struct h2_head *h, struct arena *arena, const struct h2_head_limits *limits)
{
    *h = (struct h2_head){.arena = arena, .limits = limits, .headers = http_headers_in(arena)};
}

/* RFC 9110 5.6.2, without upper case (RFC 9113 8.2.1). */
static bool
is_lower_token(struct str name)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        if (!(c >= 'a' && c <= 'z') && !ascii_is_digit(c) && (!c || !strchr(others, c)))
            return false;
    }
    return name.len > 0;
}

static bool
is_value(struct str v)
{
    bool has_blank_end = v.len && (v.p[0] == ' ' || v.p[0] == '\t' || v.p[v.len - 1] == ' ' || v.p[v.len - 1] == '\t');

    return !has_blank_end && h1_scan_value(v.p, v.p + v.len) == v.p + v.len;
}

/* The fields that only make sense on an HTTP/1 connection (RFC 9113 8.2.2). */
static bool
is_connection_field(enum http_field_id id, struct str value)
{
    if (id == HTTP_TE)
        return !str_eq_nocase(value, STR("trailers"));
    return id == HTTP_CONNECTION || id == HTTP_KEEP_ALIVE || id == HTTP_PROXY_CONNECTION ||
           id == HTTP_TRANSFER_ENCODING || id == HTTP_UPGRADE || id == HTTP_HTTP2_SETTINGS;
}

/* A copy without a NUL behind it; the arena is the exchange's, so views into it live as long. */
static struct str
keep(struct arena *arena, struct str s)
{
    char *p = arena_alloc(arena, MAX(s.len, (size_t)1), 1, 1);

    return p ? str_from(memcpy(p, s.p, s.len), s.len) : STR_NONE;
}

static enum h2_field_verdict
add_pseudo(struct h2_head *h, struct str name, struct str value)
{
    struct str *to = str_eq_lit(name, ":path")        ? &h->path
                     : str_eq_lit(name, ":method")    ? &h->method
                     : str_eq_lit(name, ":authority") ? &h->authority
                     : str_eq_lit(name, ":scheme")    ? &h->scheme
                     : str_eq_lit(name, ":protocol")  ? &h->protocol
                                                      : NULL;
    uint64_t status = 0;

    if (h->headers.n > 0)
        return H2_FIELD_BAD; /* behind a regular field */
    if (str_eq_lit(name, ":status")) {
        for (size_t i = 0; i < value.len && value.len == 3; i++)
            status = ascii_is_digit(value.p[i]) ? status * 10 + (uint64_t)(value.p[i] - '0') : 9999;
        if (h->status || status < 100 || status > 599)
            return H2_FIELD_BAD;
        h->status = (uint16_t)status;
        return H2_FIELD_OK;
    }
    if (!to || to->p || h1_scan_target(value.p, value.p + value.len) != value.p + value.len)
        return H2_FIELD_BAD;
    *to = keep(h->arena, value);
    return to->p ? H2_FIELD_OK : H2_FIELD_FLOOD;
}

enum h2_field_verdict
h2_head_add(struct h2_head *h, struct str name, struct str value)
{
    enum http_field_id id;

    h->bytes += (uint32_t)(name.len + value.len + 32);
    h->fields++;
    if (h->bytes > h->limits->bytes * FLOOD_TIMES || h->fields > h->limits->fields * FLOOD_TIMES)
        return H2_FIELD_FLOOD;
    if (name.len && name.p[0] == ':')
        return h->is_too_large ? H2_FIELD_OK : add_pseudo(h, name, value);
    if (h->bytes > h->limits->bytes || h->fields > h->limits->fields)
        h->is_too_large = true;
    if (h->is_too_large)
        return H2_FIELD_OK;
    id = http_field_id(name);
    if ((id == HTTP_FIELD_OTHER && !is_lower_token(name)) || !is_value(value) || is_connection_field(id, value))
        return H2_FIELD_BAD;
    if (id == HTTP_FIELD_OTHER) {
        h->has_underscore |= memchr(name.p, '_', name.len) != NULL;
        name = keep(h->arena, name);
    } else if (!str_eq(name, http_field_name(id))) {
        return H2_FIELD_BAD; /* upper case */
    } else {
        name = http_field_name(id);
    }
    value = keep(h->arena, value);
    if (!name.p || !value.p || !http_headers_add_id(&h->headers, id, name, value))
        h->is_too_large = true; /* the exchange's memory is at its limit */
    return H2_FIELD_OK;
}

/* HTTP/2 may cut cookies into several fields; everybody else reads one (RFC 9113 8.2.3). */
static bool
join_cookies(struct h2_head *h)
{
    uint32_t at = 0;
    struct str joined;

    if (!http_headers_has(&h->headers, HTTP_COOKIE))
        return true;
    http_headers_next(&h->headers, STR("cookie"), &at);
    if (!http_headers_next(&h->headers, STR("cookie"), &at))
        return true;
    joined = http_headers_get_joined(&h->headers, STR("cookie"));
    return joined.p && http_headers_set(&h->headers, STR("cookie"), joined);
}

/* :authority and Host say the same, and at least one of them is there (C9). */
static bool
settle_host(struct h2_head *h, struct h1_refusal *why)
{
    struct str host = http_headers_get(&h->headers, HTTP_HOST);
    uint32_t at = 0;

    if (host.p && http_headers_next(&h->headers, STR("host"), &at) && http_headers_next(&h->headers, STR("host"), &at))
        return *why = (struct h1_refusal){400, "more than one Host"}, false;
    if (host.p && h->authority.p && !http_authority_eq(host, h->authority, h->scheme))
        return *why = (struct h1_refusal){400, ":authority and Host differ"}, false;
    if (!host.p && !h->authority.p)
        return *why = (struct h1_refusal){400, ":authority is missing"}, false;
    if (h->authority.p && !http_headers_set(&h->headers, STR("host"), h->authority))
        return *why = (struct h1_refusal){431, "the request head is too large"}, false;
    return true;
}

static bool
is_token(struct str s)
{
    return http_name_is_valid(s);
}

/* What makes a block a request (RFC 9113 8.3.1, RFC 8441 4). */
static bool
is_whole_request(const struct h2_head *h)
{
    bool is_connect = str_eq_lit(h->method, "CONNECT");

    if (!h->method.p || !is_token(h->method) || h->status)
        return false;
    if (is_connect && !h->protocol.p)
        return h->authority.len && !h->path.p && !h->scheme.p;
    if (h->protocol.p && (!is_connect || !is_token(h->protocol)))
        return false;
    return h->path.len && (str_eq_lit(h->scheme, "http") || str_eq_lit(h->scheme, "https"));
}

enum h2_head_verdict
h2_head_request(struct h2_head *h, bool has_body, struct http_request *ret, bool *ret_expects_continue,
                struct h1_refusal *why)
{
    struct h1_framing framing = {0};
    bool is_tunnel = h->protocol.p != NULL;

    *ret_expects_continue = false;
    if (h->is_too_large)
        return *why = (struct h1_refusal){431, "the request head is too large"}, H2_HEAD_REFUSED;
    if (!is_whole_request(h))
        return H2_HEAD_BAD;
    *ret = (struct http_request){.version = HTTP_2, .method_text = is_tunnel ? STR("GET") : h->method,
                                 .target = h->path, .protocol = h->protocol};
    ret->method = http_method_from(ret->method_text);
    if (h->method.len > HTTP_METHOD_BYTES_MAX)
        return *why = (struct h1_refusal){400, "the method is too long"}, H2_HEAD_REFUSED;
    if (!h->path.p)
        return *why = (struct h1_refusal){405, "this method is not served here"}, H2_HEAD_REFUSED;
    if (h->path.len > h->limits->target_bytes)
        return *why = (struct h1_refusal){414, "the request target is too long"}, H2_HEAD_REFUSED;
    if (h->path.p[0] != '/' && !(str_eq_lit(h->path, "*") && ret->method == HTTP_METHOD_OPTIONS))
        return *why = (struct h1_refusal){400, ":path does not begin with '/'"}, H2_HEAD_REFUSED;
    if (!settle_host(h, why))
        return H2_HEAD_REFUSED;
    if (!join_cookies(h))
        return *why = (struct h1_refusal){431, "the request head is too large"}, H2_HEAD_REFUSED;
    ret->headers = h->headers;
    if (!h1_frame_request(ret, h->scheme, h->has_underscore, &framing, why))
        return H2_HEAD_REFUSED;
    if (!has_body && ret->content_length > 0)
        return H2_HEAD_BAD;
    /* A tunnel's bytes are not a body. */
    ret->has_body = has_body && !is_tunnel;
    if (ret->has_body && !http_headers_has(&ret->headers, HTTP_CONTENT_LENGTH))
        ret->content_length = HTTP_LENGTH_UNKNOWN;
    *ret_expects_continue = ret->has_body && http_headers_has(&ret->headers, HTTP_EXPECT);
    return H2_HEAD_OK;
}

enum h2_head_verdict
h2_head_response(struct h2_head *h, bool has_body, enum http_method method, struct http_response *ret,
                 struct h1_refusal *why)
{
    struct h1_framing framing = {0};

    if (h->is_too_large)
        return *why = (struct h1_refusal){502, "the head of the answer is too large"}, H2_HEAD_REFUSED;
    if (!h->status || h->method.p || h->path.p || h->scheme.p || h->authority.p || h->status == 101)
        return H2_HEAD_BAD;
    *ret = (struct http_response){.status = h->status, .version = HTTP_2, .headers = h->headers};
    if (!h1_frame_response(ret, method, &framing, why))
        return H2_HEAD_REFUSED;
    if (!has_body && ret->content_length == HTTP_LENGTH_UNKNOWN && ret->status >= 200)
        ret->content_length = method == HTTP_METHOD_HEAD || !http_status_has_body(ret->status) ? HTTP_LENGTH_UNKNOWN : 0;
    return H2_HEAD_OK;
}

/* ---- out ---- */

static bool
add_field(struct h2_fields *f, struct str name, struct str value, uint8_t flags)
{
    if (h1_scan_value(value.p, value.p + value.len) != value.p + value.len)
        return false;
    f->v[f->n++] = (nghttp2_nv){(uint8_t *)name.p, (uint8_t *)value.p, name.len, value.len,
                                (uint8_t)(flags | NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE)};
    return true;
}

static struct str
lower_name(struct arena *arena, const struct http_field *f)
{
    if (f->id != HTTP_FIELD_OTHER)
        return http_field_name((enum http_field_id)f->id);
    for (size_t i = 0; i < f->name.len; i++)
        if (f->name.p[i] >= 'A' && f->name.p[i] <= 'Z')
            return str_lower(arena, f->name);
    return f->name;
}

static uint8_t
field_flags(uint16_t id)
{
    return http_field_flags(id) & HTTP_FIELD_ALONE ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
}

/* Everything but framing, connection and Host, which are written anew. */
static bool
add_headers(struct arena *arena, struct h2_fields *f, const struct http_headers *h, bool is_tunnel)
{
    for (uint32_t i = 0; i < h->n; i++) {
        const struct http_field *field = &h->v[i];
        if (field->id == HTTP_CONTENT_LENGTH || field->id == HTTP_HOST || (http_field_flags(field->id) & HTTP_FIELD_HOP))
            continue;
        if (is_tunnel && (field->id == HTTP_SEC_WEBSOCKET_KEY || field->id == HTTP_SEC_WEBSOCKET_ACCEPT))
            continue; /* the handshake of HTTP/1 (RFC 8441 5) */
        struct str name = lower_name(arena, field);
        if (!name.p || !http_name_is_valid(name) || !add_field(f, name, field->value, field_flags(field->id)))
            return false;
    }
    return true;
}

/* Plain decimal in the arena. */
static struct str
decimal(struct arena *arena, int64_t n)
{
    struct buf b = buf_in(arena);

    buf_add_i64(&b, n);
    return buf_str(&b);
}

static struct h2_fields
fields_for(struct arena *arena, const struct http_headers *h, uint32_t more)
{
    return (struct h2_fields){arena_alloc(arena, h->n + more, sizeof(nghttp2_nv), _Alignof(nghttp2_nv)), 0};
}

struct h2_fields
h2_response_fields(struct arena *arena, const struct http_response *r, int64_t content_length,
                   const struct h2_extras *extras)
{
    struct h2_fields f = fields_for(arena, &r->headers, 5);
    char *status = arena_alloc(arena, 4, 1, 1);
    struct str length = content_length >= 0 ? decimal(arena, content_length) : STR_NONE;

    if (!f.v || !status || (content_length >= 0 && !length.p))
        return (struct h2_fields){0};
    status[0] = (char)('0' + r->status / 100 % 10);
    status[1] = (char)('0' + r->status / 10 % 10);
    status[2] = (char)('0' + r->status % 10);
    bool ok = add_field(&f, STR(":status"), str_from(status, 3), 0);
    if (extras->date.len && !http_headers_has(&r->headers, HTTP_DATE))
        ok &= add_field(&f, STR("date"), extras->date, 0);
    if (extras->server.len && !http_headers_has(&r->headers, HTTP_SERVER))
        ok &= add_field(&f, STR("server"), extras->server, 0);
    if (extras->request_id.len && !http_headers_has(&r->headers, HTTP_X_REQUEST_ID))
        ok &= add_field(&f, STR("x-request-id"), extras->request_id, field_flags(HTTP_X_REQUEST_ID));
    if (length.p)
        ok &= add_field(&f, STR("content-length"), length, 0);
    return ok && add_headers(arena, &f, &r->headers, false) ? f : (struct h2_fields){0};
}

struct h2_fields
h2_request_fields(struct arena *arena, const struct http_request *r, int64_t content_length, bool want_trailers,
                  bool is_tunnel)
{
    struct h2_fields f = fields_for(arena, &r->headers, 8);
    struct str length = content_length >= 0 ? decimal(arena, content_length) : STR_NONE;
    struct str target = r->target.len ? r->target : STR("/");
    bool ok = f.v && (content_length < 0 || length.p);

    if (!ok || !http_name_is_valid(r->method_text) || !http_authority_is_valid(r->authority) ||
        h1_scan_target(target.p, target.p + target.len) != target.p + target.len)
        return (struct h2_fields){0};
    ok &= add_field(&f, STR(":method"), is_tunnel ? STR("CONNECT") : r->method_text, 0);
    if (is_tunnel)
        ok &= add_field(&f, STR(":protocol"), r->protocol, 0);
    ok &= add_field(&f, STR(":scheme"), r->scheme.len ? r->scheme : STR("https"), 0);
    ok &= add_field(&f, STR(":authority"), r->authority, 0);
    ok &= add_field(&f, STR(":path"), target, 0);
    if (length.p)
        ok &= add_field(&f, STR("content-length"), length, 0);
    if (want_trailers || http_headers_has(&r->headers, HTTP_TE))
        ok &= add_field(&f, STR("te"), STR("trailers"), 0);
    return ok && add_headers(arena, &f, &r->headers, is_tunnel) ? f : (struct h2_fields){0};
}

struct h2_fields
h2_trailer_fields(struct arena *arena, const struct http_headers *trailers)
{
    struct h2_fields f = fields_for(arena, trailers, 1);

    return f.v && add_headers(arena, &f, trailers, false) ? f : (struct h2_fields){0};
}
