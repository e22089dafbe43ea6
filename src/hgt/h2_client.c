/* h2_client.c: a small HTTP/2 client on nghttp2's memory interface and a blocking wire.
 * SPDX-License-Identifier: Apache-2.0 */
#include "hgt/h2_client.h"

#include <nghttp2/nghttp2.h>

#include "base/vec.h"

struct client {
    struct wire wire;
    struct arena *arena;
    struct client_reply *reply;
    struct {
        struct wire_header *v;
        size_t n, cap;
    } headers, trailers;
    struct str status, body_out;
    struct buf body;
    bool is_done, is_in_trailers;
};

static int
on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len, const uint8_t *value,
          size_t value_len, uint8_t flags, void *user)
{
    struct client *c = user;
    struct wire_header h = {str_dup(c->arena, str_from((const char *)name, name_len)),
                            str_dup(c->arena, str_from((const char *)value, value_len))};

    if (str_eq_lit(h.name, ":status"))
        c->status = h.value;
    else if (c->is_in_trailers)
        *avec_push(c->arena, &c->trailers) = h;
    else
        *avec_push(c->arena, &c->headers) = h;
    return 0;
}

static int
on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct client *c = user;

    if (frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    if (c->status.len == 3 && c->status.p[0] == '1') {
        c->reply->n_interim++;
        c->headers.n = 0;
    } else {
        c->is_in_trailers = true;
    }
    return 0;
}

static int
on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t len, void *user)
{
    struct client *c = user;

    buf_add(&c->body, data, len);
    return 0;
}

static int
on_close(nghttp2_session *session, int32_t stream, uint32_t code, void *user)
{
    struct client *c = user;

    c->is_done = true;
    c->reply->message.is_complete = code == NGHTTP2_NO_ERROR;
    return 0;
}

static ssize_t
read_body(nghttp2_session *session, int32_t stream, uint8_t *to, size_t len, uint32_t *flags, nghttp2_data_source *source,
          void *user)
{
    struct client *c = user;
    size_t n = MIN(len, c->body_out.len);

    memcpy(to, c->body_out.p, n);
    c->body_out = str_skip(c->body_out, n);
    if (!c->body_out.len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static void
add_field(struct arena *a, nghttp2_nv *nv, size_t *n, struct str name, struct str value)
{
    struct str lower = str_lower(a, name);

    nv[(*n)++] = (nghttp2_nv){(uint8_t *)lower.p, (uint8_t *)value.p, lower.len, value.len, 0};
}

/* The fields of the HTTP/1 text as HTTP/2 ones; what only HTTP/1 knows is left out. Returns how many. */
static size_t
translate(struct client *c, struct str request, bool is_tls, nghttp2_nv *nv, size_t max)
{
    struct str line, method, target, host = STR("gateway.test"), all = request;
    size_t n = 0;
    ptrdiff_t end = str_find(request, STR("\r\n\r\n"), 0);

    c->body_out = str_skip(request, (size_t)end + 4);
    all = str_sub(request, 0, (size_t)end);
    str_split_next(&all, '\n', &line);
    str_split_next(&line, ' ', &method);
    str_split_next(&line, ' ', &target);
    for (struct str rest = all; str_split_next(&rest, '\n', &line);)
        if (str_starts_with_nocase(line, STR("host:")))
            host = str_trim(str_skip(line, 5));
    add_field(c->arena, nv, &n, STR(":method"), method);
    add_field(c->arena, nv, &n, STR(":scheme"), is_tls ? STR("https") : STR("http"));
    add_field(c->arena, nv, &n, STR(":authority"), host);
    add_field(c->arena, nv, &n, STR(":path"), target);
    while (n < max && str_split_next(&all, '\n', &line)) {
        ptrdiff_t colon = str_find_char(line, ':', 0);
        struct str name = str_sub(line, 0, (size_t)MAX(colon, 0));
        if (colon <= 0 || str_eq_nocase(name, STR("host")) || str_eq_nocase(name, STR("connection")))
            continue;
        add_field(c->arena, nv, &n, name, str_trim(str_skip(line, (size_t)colon + 1)));
    }
    return n;
}

static bool
flush(struct client *c, nghttp2_session *session)
{
    const uint8_t *data;
    ssize_t n;

    while ((n = nghttp2_session_mem_send(session, &data)) > 0)
        if (!wire_write(&c->wire, str_from((const char *)data, (size_t)n)))
            return false;
    return n == 0;
}

static void
talk(struct client *c, nghttp2_session *session)
{
    char bytes[16384];

    while (flush(c, session) && !c->is_done && nghttp2_session_want_read(session)) {
        size_t n = wire_read(&c->wire, bytes, sizeof(bytes));
        if (!n || nghttp2_session_mem_recv(session, (const uint8_t *)bytes, n) < 0)
            break;
    }
}

bool
h2_client_exchange(uint16_t port, SSL_CTX *ctx, struct str request, struct arena *a, struct client_reply *ret)
{
    struct client c = {.arena = a, .reply = ret, .body = buf_in(a)};
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;
    nghttp2_data_provider body = {.read_callback = read_body};
    nghttp2_nv nv[128];
    struct err err;

    if (ctx)
        SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\x02h2", 3);
    if (!wire_connect(&c.wire, port, ctx, "gateway.test", &err)) {
        ret->trouble = str_dup(a, str_from_c(err.text));
        return false;
    }
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_client_new(&session, callbacks, &c);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0);
    size_t n = translate(&c, request, ctx != NULL, nv, COUNTOF(nv) - 1);
    nghttp2_submit_request(session, NULL, nv, n, c.body_out.len ? &body : NULL, NULL);
    talk(&c, session);
    nghttp2_session_del(session);
    if (c.status.len != 3)
        ret->trouble = wire_end(&c.wire, a);
    wire_close(&c.wire, false);
    if (ctx)
        SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\x08http/1.1", 9);
    ret->has_answer = c.status.len == 3;
    ret->n_answers = ret->has_answer;
    ret->message.start_line = str_printf(a, "HTTP/2.0 %.*s ", STR_ARG(c.status));
    ret->message.headers = c.headers.v;
    ret->message.n_headers = c.headers.n;
    ret->message.trailers = c.trailers.v;
    ret->message.n_trailers = c.trailers.n;
    ret->message.body = c.body.p ? buf_str(&c.body) : STR("");
    return ret->has_answer;
}
