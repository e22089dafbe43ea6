/* h1_framing.c: where a message ends (h1_framing.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/h1_framing.h"

#include "http/forward.h"
#include "http/path.h"

#define CODING_NAMES_MAX 8

static bool
refuse(struct h1_refusal *why, uint16_t status, const char *text)
{
    *why = (struct h1_refusal){status, text};
    return false;
}

static uint32_t
count(const struct http_headers *h, enum http_field_id id)
{
    uint32_t n = 0;

    if (http_headers_has(h, id))
        for (uint32_t i = 0; i < h->n; i++)
            n += h->v[i].id == id;
    return n;
}

/* content-length = 1*19DIGIT, at most 2^63 - 1. A sign, a list, a repeat are refused: each has been read two ways. */
static bool
content_length(const struct http_headers *h, int64_t *ret, struct h1_refusal *why)
{
    struct str text = http_headers_get(h, HTTP_CONTENT_LENGTH);
    uint64_t n = 0;

    if (count(h, HTTP_CONTENT_LENGTH) != 1)
        return refuse(why, 400, "more than one Content-Length");
    if (text.len == 0 || text.len > 19)
        return refuse(why, 400, "Content-Length is not a plain number");
    for (size_t i = 0; i < text.len; i++) {
        if (!ascii_is_digit(text.p[i]))
            return refuse(why, 400, "Content-Length is not a plain number");
        n = n * 10 + (uint64_t)(text.p[i] - '0');
    }
    if (n > INT64_MAX)
        return refuse(why, 400, "Content-Length is not a plain number");
    *ret = (int64_t)n;
    return true;
}

/* Names of transfer codings that exist and that we do not do: the answer to them is 501, to anything else 400. */
static bool
is_other_coding(struct str word)
{
    static const struct str names[] = {STR_INIT("gzip"), STR_INIT("x-gzip"), STR_INIT("deflate"),
                                       STR_INIT("compress"), STR_INIT("x-compress")};

    for (size_t i = 0; i < COUNTOF(names); i++)
        if (str_eq_nocase(word, names[i]))
            return true;
    return false;
}

/* True when the field says "chunked" and nothing else. */
static bool
transfer_encoding(const struct http_headers *h, uint8_t version, struct h1_refusal *why)
{
    struct str rest = http_headers_get(h, HTTP_TRANSFER_ENCODING), word;
    bool is_known = rest.len > 0;

    if (version < HTTP_1_1)
        return refuse(why, 400, "Transfer-Encoding in an HTTP/1.0 message");
    if (count(h, HTTP_TRANSFER_ENCODING) != 1)
        return refuse(why, 400, "more than one Transfer-Encoding");
    if (http_headers_has(h, HTTP_CONTENT_LENGTH))
        return refuse(why, 400, "both Transfer-Encoding and Content-Length");
    if (str_eq_nocase(rest, STR("chunked")))
        return true;
    for (unsigned n = 0; is_known && str_split_next(&rest, ',', &word); n++) {
        word = str_trim(word);
        is_known = n < CODING_NAMES_MAX && (is_other_coding(word) ||
                   (n > 0 && !rest.p && str_eq_nocase(word, STR("chunked"))));
    }
    return is_known ? refuse(why, 501, "a transfer coding other than chunked")
                    : refuse(why, 400, "Transfer-Encoding is not chunked");
}

/* A name that becomes a framing, routing or security field once '_' is read as '-', as CGI does (A7). */
static bool
is_spoof(struct str name)
{
    char dashed[64];

    if (name.len > sizeof(dashed) || !memchr(name.p, '_', name.len))
        return false;
    for (size_t i = 0; i < name.len; i++)
        dashed[i] = name.p[i] == '_' ? '-' : name.p[i];
    return http_is_claim(str_from(dashed, name.len)) ||
           http_field_flags(http_field_id(str_from(dashed, name.len))) & HTTP_FIELD_SPOOF;
}

static bool
has_spoof(const struct http_headers *h)
{
    for (uint32_t i = 0; i < h->n; i++)
        if (h->v[i].id == HTTP_FIELD_OTHER && is_spoof(h->v[i].name))
            return true;
    return false;
}

/* Splits the target and settles the authority: an absolute target's wins over Host, which is rewritten (A9). */
static bool
target_and_host(struct http_request *rq, struct str scheme, struct h1_refusal *why)
{
    struct http_target t;
    struct str host = http_headers_get(&rq->headers, HTTP_HOST);
    uint32_t hosts = count(&rq->headers, HTTP_HOST);

    if (hosts > 1 || (hosts == 0 && rq->version >= HTTP_1_1))
        return refuse(why, 400, hosts ? "more than one Host" : "Host is missing");
    if (hosts == 1 && !http_authority_is_valid(host))
        return refuse(why, 400, "Host is not a host name with an optional port");
    if (!http_target_split(rq->target, &t))
        return refuse(why, 400, "the request target is neither a path nor an http URL");
    if (t.authority.p && !http_authority_is_valid(t.authority))
        return refuse(
            why, 400,
            "the authority in the request target is not a host name with an optional port");
    if (str_eq_lit(t.path, "*") && rq->method != HTTP_METHOD_OPTIONS)
        return refuse(why, 400, "only OPTIONS may be asked of *");
    rq->scheme = t.scheme.p ? t.scheme : scheme;
    rq->authority = t.authority.p ? t.authority : host;
    rq->path = t.path;
    rq->query = t.query;
    if (t.authority.p && hosts == 1)
        http_headers_set(&rq->headers, STR("Host"), t.authority);
    return true;
}

static bool
keep_alive(const struct http_headers *h, uint8_t version)
{
    bool close = false, keep = false;

    if (!http_headers_has(h, HTTP_CONNECTION))
        return version >= HTTP_1_1;
    for (uint32_t i = 0; i < h->n; i++) {
        if (h->v[i].id != HTTP_CONNECTION)
            continue;
        close |= http_list_has(h->v[i].value, STR("close"));
        keep |= http_list_has(h->v[i].value, STR("keep-alive"));
    }
    return !close && (version >= HTTP_1_1 || keep);
}

/* What follows: nothing, so many bytes, or chunks. */
static bool
request_body(struct http_request *rq, struct h1_framing *ret, struct h1_refusal *why)
{
    rq->content_length = 0;
    rq->has_body = false;
    ret->kind = H1_BODY_NONE;
    if (http_headers_has(&rq->headers, HTTP_TRANSFER_ENCODING)) {
        if (!transfer_encoding(&rq->headers, rq->version, why))
            return false;
        ret->kind = H1_BODY_CHUNKED;
        rq->content_length = HTTP_LENGTH_UNKNOWN;
        rq->has_body = true;
    } else if (http_headers_has(&rq->headers, HTTP_CONTENT_LENGTH)) {
        if (!content_length(&rq->headers, &rq->content_length, why))
            return false;
        ret->kind = rq->content_length ? H1_BODY_LENGTH : H1_BODY_NONE;
        rq->has_body = true;
    }
    return true;
}

/* RFC 9110 10.1.1: only 100-continue exists; anything else, or a disguise of it, fails (A11). */
static bool
expectation(const struct http_request *rq, struct h1_framing *ret, struct h1_refusal *why)
{
    ret->expects_continue = false;
    if (!http_headers_has(&rq->headers, HTTP_EXPECT))
        return true;
    if (count(&rq->headers, HTTP_EXPECT) != 1 ||
        !str_eq_nocase(http_headers_get(&rq->headers, HTTP_EXPECT), STR("100-continue")))
        return refuse(why, 417, "the only expectation that can be met is 100-continue");
    ret->expects_continue = rq->version >= HTTP_1_1 && ret->kind != H1_BODY_NONE;
    return true;
}

bool
h1_frame_request(struct http_request *rq, struct str scheme, bool has_underscore,
                 struct h1_framing *ret, struct h1_refusal *why)
{
    if (!request_body(rq, ret, why))
        return false;
    if (has_underscore && has_spoof(&rq->headers))
        return refuse(why, 400,
                      "a header name that reads as a protected one when '_' is taken for '-'");
    if (rq->method == HTTP_METHOD_CONNECT || rq->method == HTTP_METHOD_TRACE ||
        str_eq_lit(rq->method_text, "TRACK"))
        return refuse(why, 405, "this method is not served here");
    if (!target_and_host(rq, scheme, why) || !expectation(rq, ret, why))
        return false;
    ret->keep_alive = keep_alive(&rq->headers, rq->version);
    return true;
}

/* An answer without a body may announce one's length (HEAD, 304); an interim one may not have framing at all (B3). */
static bool
bodiless_response(struct http_response *rs, struct h1_framing *ret, struct h1_refusal *why)
{
    int64_t length = 0;
    bool has_length = http_headers_has(&rs->headers, HTTP_CONTENT_LENGTH);

    ret->kind = H1_BODY_NONE;
    if (has_length && !content_length(&rs->headers, &length, why))
        return false;
    if (rs->status < 200 && (length > 0 || http_headers_has(&rs->headers, HTTP_TRANSFER_ENCODING)))
        return refuse(why, 502, "an interim answer with a body");
    if (rs->status == 204 && (length > 0 || http_headers_has(&rs->headers, HTTP_TRANSFER_ENCODING)))
        ret->keep_alive = false;
    rs->content_length = has_length ? length : HTTP_LENGTH_UNKNOWN;
    return true;
}

bool
h1_frame_response(struct http_response *rs, enum http_method method, struct h1_framing *ret,
                  struct h1_refusal *why)
{
    ret->expects_continue = false;
    ret->keep_alive = keep_alive(&rs->headers, rs->version);
    if (http_headers_has(&rs->headers, HTTP_TRANSFER_ENCODING) &&
        !transfer_encoding(&rs->headers, rs->version, why))
        return false;
    if (!http_status_has_body(rs->status) || method == HTTP_METHOD_HEAD)
        return bodiless_response(rs, ret, why);
    rs->content_length = HTTP_LENGTH_UNKNOWN;
    if (http_headers_has(&rs->headers, HTTP_TRANSFER_ENCODING)) {
        ret->kind = H1_BODY_CHUNKED;
    } else if (http_headers_has(&rs->headers, HTTP_CONTENT_LENGTH)) {
        if (!content_length(&rs->headers, &rs->content_length, why))
            return false;
        ret->kind = rs->content_length ? H1_BODY_LENGTH : H1_BODY_NONE;
    } else {
        ret->kind = H1_BODY_UNTIL_CLOSE;
        ret->keep_alive = false;
    }
    return true;
}

void
h1_clean_trailers(struct http_headers *t, bool has_underscore)
{
    uint32_t kept = 0;

    t->present[0] = t->present[1] = 0;
    for (uint32_t i = 0; i < t->n; i++) {
        struct http_field f = t->v[i];
        if ((http_field_flags(f.id) & HTTP_FIELD_NOTRAIL) || (f.id == HTTP_FIELD_OTHER && http_is_claim(f.name)) ||
            (has_underscore && is_spoof(f.name)))
            continue;
        t->v[kept++] = f;
        t->present[f.id >> 6] |= (uint64_t)1 << (f.id & 63);
    }
    t->n = kept;
}
