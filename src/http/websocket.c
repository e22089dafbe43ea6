/* websocket.c: keys and their echo (RFC 6455 4).
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/websocket.h"

#include <openssl/evp.h>

#include "base/codec.h"
#include "base/rand.h"

#define KEY_BYTES 16u
#define KEY_SUFFIX "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

static bool
refuse(struct h1_refusal *why, uint16_t status, const char *text)
{
    *why = (struct h1_refusal){status, text};
    return false;
}

static bool
is_key(struct str text)
{
    struct buf key AUTO(buf_destroy) = BUF_INIT;

    return codec_base64_decode(&key, text, NULL) && key.len == KEY_BYTES;
}

/* Of a field that may be there once (RFC 6455 11.3); empty when it is not, or repeated. */
static struct str
only(const struct http_headers *h, enum http_field_id id)
{
    struct str found = STR("");
    uint32_t n = 0;

    for (uint32_t i = 0; i < h->n; i++) {
        if (h->v[i].id != id)
            continue;
        found = str_trim(h->v[i].value);
        n++;
    }
    return n == 1 ? found : STR("");
}

bool
websocket_request_is_valid(const struct http_request *r, struct h1_refusal *why)
{
    if (r->method != HTTP_METHOD_GET)
        return refuse(why, 400, "a WebSocket begins with GET");
    if (!str_eq_lit(only(&r->headers, HTTP_SEC_WEBSOCKET_VERSION), "13"))
        return refuse(why, 426, "only version 13 of the WebSocket protocol is served");
    if (r->version < HTTP_2 && !is_key(only(&r->headers, HTTP_SEC_WEBSOCKET_KEY)))
        return refuse(why, 400, "Sec-WebSocket-Key is not 16 bytes in base64");
    return true;
}

struct str
websocket_accept(struct arena *arena, struct str key)
{
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct buf accept = buf_in(arena);
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    buf_add_str(&text, key);
    buf_add_lit(&text, KEY_SUFFIX);
    if (!EVP_Digest(text.p, text.len, digest, &n, EVP_sha1(), NULL))
        return STR_NONE;
    codec_base64_encode(&accept, str_from((char *)digest, n));
    return buf_str(&accept);
}

bool
websocket_complete(struct http_headers *h, struct str protocol)
{
    struct buf key = buf_in(h->arena);
    char bytes[KEY_BYTES];

    if (!str_eq_nocase(protocol, STR("websocket")) || http_headers_has(h, HTTP_SEC_WEBSOCKET_KEY))
        return true;
    rand_secret(bytes, sizeof(bytes));
    codec_base64_encode(&key, str_from(bytes, sizeof(bytes)));
    return !key.failed && http_headers_set(h, STR("Sec-WebSocket-Key"), buf_str(&key));
}
