/* compress.c: which answers are packed, and how they say so (compress.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/compress.h"

#define LENGTH_MIN 1024   /* shorter ones grow, or fit one packet anyway */

/* Quality in thousandths; 1000 when there is none, 0 for what cannot be read (RFC 9110 12.4.2). */
static uint32_t
quality(struct str parameters)
{
    struct str part;
    uint32_t q = 0, scale = 1000;

    while (str_split_next(&parameters, ';', &part)) {
        part = str_trim(part);
        if (part.len < 3 || ascii_lower(part.p[0]) != 'q' || part.p[1] != '=')
            continue;
        if (part.p[2] == '1')
            return 1000;
        for (size_t i = 4; i < part.len && i < 7 && ascii_is_digit(part.p[i]); i++)
            q += (uint32_t)(part.p[i] - '0') * (scale /= 10);
        return q;
    }
    return 1000;
}

enum http_coding
http_accepted_coding(struct str accept)
{
    uint32_t gzip = 0, brotli = 0, any = 0, plain = 0, q;
    bool has_gzip = false, has_brotli = false;
    struct str item, word;

    while (http_list_next(&accept, &item)) {
        str_split_next(&item, ';', &word);
        word = str_trim(word);
        q = quality(item);
        if (str_eq_nocase(word, STR("gzip")) || str_eq_nocase(word, STR("x-gzip")))
            gzip = q, has_gzip = true;
        else if (str_eq_nocase(word, STR("br")))
            brotli = q, has_brotli = true;
        else if (str_eq_nocase(word, STR("identity")))
            plain = q;
        else if (str_eq_lit(word, "*"))
            any = q;
    }
    gzip = has_gzip ? gzip : any;
    brotli = has_brotli ? brotli : any;
    if ((!gzip && !brotli) || plain > MAX(gzip, brotli))
        return HTTP_CODING_IDENTITY;
    return brotli >= gzip ? HTTP_CODING_BROTLI : HTTP_CODING_GZIP;
}

bool
http_accepts_coding(struct str accept, enum http_coding coding)
{
    enum http_coding named;
    struct str item, word;
    bool any = false;

    while (http_list_next(&accept, &item)) {
        str_split_next(&item, ';', &word);
        word = str_trim(word);
        if (http_coding_from(word, &named) && named == coding)
            return quality(item) > 0;
        if (str_eq_lit(word, "*"))
            any = quality(item) > 0;
    }
    return any;
}

/* Text, and formats made of it. */
static bool
is_packable_type(struct str type)
{
    static const struct str whole[] = {
        STR_INIT("application/json"), STR_INIT("application/javascript"), STR_INIT("application/xml"),
        STR_INIT("application/graphql"), STR_INIT("application/wasm"), STR_INIT("application/x-ndjson"),
        STR_INIT("application/x-www-form-urlencoded"), STR_INIT("application/yaml"), STR_INIT("image/svg+xml"),
    };
    ptrdiff_t end = str_find_char(type, ';', 0);

    type = str_trim(end < 0 ? type : str_sub(type, 0, (size_t)end));
    for (size_t i = 0; i < COUNTOF(whole); i++)
        if (str_eq_nocase(type, whole[i]))
            return true;
    return str_starts_with_nocase(type, STR("text/")) ||
           (type.len > 5 && str_eq_nocase(str_skip(type, type.len - 5), STR("+json"))) ||
           (type.len > 4 && str_eq_nocase(str_skip(type, type.len - 4), STR("+xml")));
}

static bool
is_packable(const struct http_response *r, int64_t length)
{
    const struct http_headers *h = &r->headers;

    return http_status_has_body(r->status) && r->status != 206 && (length == HTTP_LENGTH_UNKNOWN || length >= LENGTH_MIN) &&
           !http_headers_has(h, HTTP_CONTENT_ENCODING) && !http_headers_has(h, HTTP_CONTENT_RANGE) &&
           !http_list_has(http_headers_get_joined(h, STR("cache-control")), STR("no-transform")) &&
           is_packable_type(http_headers_get(h, HTTP_CONTENT_TYPE));
}

bool
http_vary_by_coding(struct arena *arena, struct http_headers *h)
{
    struct str vary = http_headers_get_joined(h, STR("vary"));

    if (http_list_has(vary, STR("accept-encoding")) || http_list_has(vary, STR("*")))
        return true;
    if (!vary.len)
        return http_headers_set(h, STR("Vary"), STR("Accept-Encoding"));
    vary = str_concat(arena, vary, STR(", Accept-Encoding"));
    return vary.p && http_headers_set(h, STR("Vary"), vary);
}

/* The packed bytes are another representation: equal only in meaning (RFC 9110 8.8.1). */
bool
http_weaken_etag(struct arena *arena, struct http_headers *h)
{
    struct str etag = http_headers_get(h, HTTP_ETAG);

    if (!etag.len || str_starts_with(etag, STR("W/")))
        return true;
    etag = str_concat(arena, STR("W/"), etag);
    return etag.p && http_headers_set(h, STR("ETag"), etag);
}

bool
http_compress(struct arena *arena, const struct http_request *request, struct http_response *response,
              struct body **body)
{
    struct http_headers *h = &response->headers;
    enum http_coding coding;
    struct body *packed;

    bool is_head = request->method == HTTP_METHOD_HEAD;

    if ((!*body && !is_head) || !is_packable(response, is_head ? response->content_length : (*body)->length))
        return true;
    if (!http_vary_by_coding(arena, h))
        return false;
    coding = http_accepted_coding(http_headers_get_joined(&request->headers, STR("accept-encoding")));
    if (coding == HTTP_CODING_IDENTITY)
        return true;
    http_headers_remove_id(h, HTTP_CONTENT_LENGTH);
    http_headers_remove_id(h, HTTP_ACCEPT_RANGES);
    response->content_length = HTTP_LENGTH_UNKNOWN;
    if (!http_weaken_etag(arena, h) || !http_headers_set(h, STR("Content-Encoding"), http_coding_name(coding)))
        return false;
    if (is_head)                      /* as GET would say it (RFC 9110 9.3.2) */
        return true;
    if (!(packed = body_encode(arena, *body, coding)))
        return false;
    *body = packed;
    return true;
}
