/* message.h: a request and a response as structures. Every outgoing message is written from one of these; no byte
 * of a received head, chunk line or trailer is copied through. Framing (Content-Length, Transfer-Encoding,
 * Connection) is written anew by whoever sends: fields of these names in `headers` are ignored there.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "http/headers.h"

/* METHOD(id, text): those that the code has a case for. */
#define HTTP_METHODS(METHOD) \
    METHOD(GET, "GET") \
    METHOD(HEAD, "HEAD") \
    METHOD(POST, "POST") \
    METHOD(PUT, "PUT") \
    METHOD(DELETE, "DELETE") \
    METHOD(PATCH, "PATCH") \
    METHOD(OPTIONS, "OPTIONS") \
    METHOD(TRACE, "TRACE") \
    METHOD(CONNECT, "CONNECT")

enum http_method {
    HTTP_METHOD_OTHER,                /* any other token; the text is in method_text */
#define METHOD(id, text) HTTP_METHOD_##id,
    HTTP_METHODS(METHOD)
#undef METHOD
};

enum http_version {
    HTTP_1_0 = 10,
    HTTP_1_1 = 11,
    HTTP_2 = 20,
};

#define HTTP_LENGTH_UNKNOWN (-1)      /* a body that ends when it ends */

/* "HTTP/1.1" and the like, as logs name it. */
static inline struct str
http_version_name(uint8_t version)
{
    return version == HTTP_2 ? STR("HTTP/2") : version == HTTP_1_0 ? STR("HTTP/1.0") : STR("HTTP/1.1");
}

struct http_request {
    enum http_method method;
    uint8_t version;                  /* enum http_version */
    bool has_body;                    /* framing announced one, be it empty */
    struct str method_text;           /* as received; methods are case-sensitive */
    struct str scheme;                /* "http" or "https" */
    struct str authority;             /* host[:port] as received, from the target or Host; in Host when sent */
    struct str target;                /* raw: path and query as received, "*" for OPTIONS * */
    struct str path;                  /* normal form once path.h has run; the raw path before */
    struct str query;                 /* behind '?', as it may be forwarded (path.h); STR_NONE without '?' */
    struct str protocol;              /* :protocol of an extended CONNECT or the word of Upgrade; STR_NONE otherwise */
    struct http_headers headers;      /* without pseudo-headers */
    int64_t content_length;           /* as framed; 0 without a body, HTTP_LENGTH_UNKNOWN when chunked */
};

struct http_response {
    uint16_t status;
    uint8_t version;
    struct str reason;                /* empty: the usual one for the status; never sent on HTTP/2 */
    struct http_headers headers;
    int64_t content_length;           /* as framed (or announced to HEAD); HTTP_LENGTH_UNKNOWN: chunked or until close */
};

#define HTTP_METHOD_BYTES_MAX 64
enum http_method http_method_from(struct str text);
struct str http_method_text(enum http_method method);
/* By IANA's registry (methods.def), extensions such as WebDAV's among them; what it does not list is neither. */
bool http_method_is_safe(struct str method);
bool http_method_is_idempotent(struct str method);
/* The usual words for a status, "Unknown" for others. */
struct str http_reason(uint16_t status);
/* 1xx, 204 and 304 never have a body, whatever the fields say. */
static inline bool
http_status_has_body(uint16_t status)
{
    return status >= 200 && status != 204 && status != 304;
}

/* host, [v6] or v4, with an optional :port; no userinfo, no blanks, nothing that a Host field may not hold. */
bool http_authority_is_valid(struct str authority);
/* The host (brackets kept, no trailing dot) and the port, or the scheme's own. */
void http_authority_split(struct str authority, struct str scheme, struct str *ret_host,
                          uint16_t *ret_port);
/* Without case, default port and trailing dot (robustness A9). */
bool http_authority_eq(struct str a, struct str b, struct str scheme);

/* "Sun, 06 Nov 1994 08:49:37 GMT", 29 characters. */
void http_date_format(uint64_t unix_s, char out[30]);
/* The three forms of RFC 9110 5.6.7. */
bool http_date_parse(struct str text, uint64_t *ret_unix_s);
