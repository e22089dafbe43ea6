/* h1_head.c: the head parser (h1_head.h).
 *
 * A cursor walks the bytes once. Each production returns true with the cursor behind it, or false with the cursor's
 * `result` set to H1_MORE (the bytes ended inside it) or H1_BAD. Bytes that are there are judged at once, so a bad
 * head is refused before its end has come.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/h1_head.h"

#include "http/h1_scan.h"


struct cursor {
    const char *p, *end;
    int result;                       /* why the last production failed */
    struct h1_refusal *why;
    bool has_underscore;              /* in a field name */
};

/* 1: a token character, 2: '_', which is one too and is noted. */
static const uint8_t token_chars[256] = {
    ['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1,         ['&'] = 1,         ['\''] = 1,
    ['*'] = 1, ['+'] = 1, ['-'] = 1, ['.'] = 1,         ['^'] = 1,         ['_'] = 2,
    ['`'] = 1, ['|'] = 1, ['~'] = 1, ['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1,
};

static bool
bad(struct cursor *c, uint16_t status, const char *why)
{
    *c->why = (struct h1_refusal){status, why};
    c->result = H1_BAD;
    return false;
}

static bool
more(struct cursor *c)
{
    c->result = H1_MORE;
    return false;
}

/* line-end = CR LF */
static bool
line_end(struct cursor *c, const char *why)
{
    if (c->p == c->end)
        return more(c);
    if (*c->p != '\r')
        return bad(c, 400, why);
    if (c->p + 1 == c->end)
        return more(c);
    if (c->p[1] != '\n')
        return bad(c, 400, "a carriage return without a line feed");
    c->p += 2;
    return true;
}

/* field-line = token ":" OWS value OWS line-end */
static bool
field_line(struct cursor *c, struct http_field *ret)
{
    const char *name = c->p, *p = name, *value;
    uint8_t kinds = 0;

    while (p < c->end && token_chars[(uint8_t)*p])
        kinds |= token_chars[(uint8_t)*p++];
    c->has_underscore |= kinds >> 1;
    if (p == c->end)
        return more(c);
    if (*p != ':' || p == name)
        return bad(c, 400,
                   p == name ? "a header line without a name"
                             : "a header name that is not a token");
    ret->name = str_from(name, (size_t)(p - name));
    for (p++; p < c->end && (*p == ' ' || *p == '\t'); p++)
        ;
    value = p;
    c->p = p = h1_scan_value(p, c->end);
    if (!line_end(c, "a control character in a header value"))
        return false;
    while (p > value && (p[-1] == ' ' || p[-1] == '\t'))
        p--;
    ret->value = str_from(value, (size_t)(p - value));
    return true;
}

/* fields = *field-line line-end */
static bool
fields(struct cursor *c, const struct h1_head_limits *limits, struct http_headers *ret)
{
    ret->n = 0;
    ret->present[0] = ret->present[1] = 0;
    for (;;) {
        struct http_field f;

        if (c->p == c->end)
            return more(c);
        if (*c->p == '\r')
            return line_end(c, "");
        if (*c->p == ' ' || *c->p == '\t')
            return bad(c, 400, "a folded header line, or a blank before a header name");
        if (!field_line(c, &f))
            return false;
        if (ret->n >= limits->fields)
            return bad(c, 431, "too many header fields");
        if (!http_headers_add_id(ret, http_field_id(f.name), f.name, f.value))
            return bad(c, 431, "too many header fields");
    }
}

/* version = "HTTP/1." ( "0" / "1" ) */
static bool
version(struct cursor *c, uint8_t *ret)
{
    static const char prefix[] = "HTTP/";
    size_t have = (size_t)(c->end - c->p);

    if (memcmp(c->p, prefix, MIN(have, 5u)) != 0)
        return bad(c, 400, "the version is not HTTP/1.0 or HTTP/1.1");
    if (have < 8)
        return more(c);
    if (!ascii_is_digit(c->p[5]) || c->p[6] != '.' || !ascii_is_digit(c->p[7]))
        return bad(c, 400, "the version is not HTTP/1.0 or HTTP/1.1");
    if (c->p[5] != '1')
        return bad(c, 505, "this version of HTTP is not supported here");
    if (c->p[7] > '1')
        return bad(c, 400, "the version is not HTTP/1.0 or HTTP/1.1");
    *ret = (uint8_t)(10 + c->p[7] - '0');
    c->p += 8;
    return true;
}

/* method = token SP */
static bool
method(struct cursor *c, struct http_request *ret)
{
    const char *start = c->p, *p = start;

    while (p < c->end && token_chars[(uint8_t)*p])
        p++;
    if (p - start > HTTP_METHOD_BYTES_MAX)
        return bad(c, 400, "the method is too long");
    if (p == c->end)
        return more(c);
    if (*p != ' ' || p == start)
        return bad(c, 400, "the method is not a token");
    ret->method_text = str_from(start, (size_t)(p - start));
    ret->method = http_method_from(ret->method_text);
    c->p = p + 1;
    return true;
}

/* request-line = method SP target SP version line-end */
static bool
request_line(struct cursor *c, const struct h1_head_limits *limits, struct http_request *ret)
{
    const char *start;

    if (!method(c, ret))
        return false;
    start = c->p;
    c->p = h1_scan_target(start, c->end);
    if ((size_t)(c->p - start) > limits->target_bytes)
        return bad(c, 414, "the request target is too long");
    if (c->p == c->end)
        return more(c);
    if (*c->p != ' ' || c->p == start)
        return bad(c, 400, "a character in the request target that does not belong there");
    ret->target = str_from(start, (size_t)(c->p - start));
    c->p++;
    return version(c, &ret->version) &&
           line_end(c, "more in the request line than method, target and version");
}

/* status-line = version SP 3DIGIT SP [ reason ] line-end; the second SP may be missing before an empty reason */
static bool
status_line(struct cursor *c, struct http_response *ret)
{
    const char *start;

    if (!version(c, &ret->version))
        return false;
    if (c->end - c->p < 4)
        return more(c);
    if (c->p[0] != ' ' || c->p[1] < '1' || c->p[1] > '9' || !ascii_is_digit(c->p[2]) ||
        !ascii_is_digit(c->p[3]))
        return bad(c, 502, "the status is not three digits");
    ret->status = (uint16_t)((c->p[1] - '0') * 100 + (c->p[2] - '0') * 10 + (c->p[3] - '0'));
    c->p += 4;
    if (c->p < c->end && *c->p != ' ' && *c->p != '\r')
        return bad(c, 502, "the status is not three digits");
    if (c->p < c->end && *c->p == ' ')
        c->p++;
    start = c->p;
    c->p = h1_scan_value(start, c->end);
    ret->reason = str_from(start, (size_t)(c->p - start));
    return line_end(c, "a control character in the reason phrase");
}

static struct cursor
cursor_over(struct str bytes, struct h1_refusal *why)
{
    return (struct cursor){.p = bytes.p, .end = bytes.p + bytes.len, .why = why};
}

static ptrdiff_t
result(const struct cursor *c, struct str bytes, bool is_whole)
{
    return is_whole ? c->p - bytes.p : c->result;
}

ptrdiff_t
h1_parse_request(struct str bytes, const struct h1_head_limits *limits, struct http_request *ret,
                 bool *ret_has_underscore, struct h1_refusal *why)
{
    struct cursor c = cursor_over(bytes, why);
    bool is_whole = request_line(&c, limits, ret) && fields(&c, limits, &ret->headers);

    *ret_has_underscore = c.has_underscore;
    return result(&c, bytes, is_whole);
}

ptrdiff_t
h1_parse_response(struct str bytes, const struct h1_head_limits *limits, struct http_response *ret,
                  struct h1_refusal *why)
{
    struct cursor c = cursor_over(bytes, why);

    return result(&c, bytes, status_line(&c, ret) && fields(&c, limits, &ret->headers));
}

ptrdiff_t
h1_parse_fields(struct str bytes, const struct h1_head_limits *limits, struct http_headers *ret,
                bool *ret_has_underscore, struct h1_refusal *why)
{
    struct cursor c = cursor_over(bytes, why);
    bool is_whole = fields(&c, limits, ret);

    *ret_has_underscore = c.has_underscore;
    return result(&c, bytes, is_whole);
}
