/* grpc.c: HTTP status to gRPC status, after the mapping that gRPC's clients use themselves.
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/grpc.h"

#include "base/buf.h"
#include "base/codec.h"

enum grpc_status {
    GRPC_UNKNOWN = 2,
    GRPC_PERMISSION_DENIED = 7,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_INTERNAL = 13,
    GRPC_UNAVAILABLE = 14,
    GRPC_UNAUTHENTICATED = 16,
};

bool
http_is_grpc(const struct http_headers *h)
{
    struct str type = http_headers_get(h, HTTP_CONTENT_TYPE);

    return str_starts_with_nocase(type, STR("application/grpc")) &&
           (type.len == 16 || type.p[16] == '+' || type.p[16] == ';' || type.p[16] == ' ');
}

static enum grpc_status
grpc_status(uint16_t status)
{
    switch (status) {
    case 400: return GRPC_INTERNAL;
    case 401: return GRPC_UNAUTHENTICATED;
    case 403: return GRPC_PERMISSION_DENIED;
    case 404: return GRPC_UNIMPLEMENTED;
    case 429: case 502: case 503: case 504: return GRPC_UNAVAILABLE;
    default: return GRPC_UNKNOWN;
    }
}

bool
http_grpc_refusal(struct arena *arena, const struct http_response *from, struct http_response *ret)
{
    struct str number = str_printf(arena, "%d", (int)grpc_status(from->status));
    struct buf message = buf_in(arena);

    buf_printf(&message, "HTTP %u ", from->status);
    codec_percent_encode(&message, from->reason.len ? from->reason : http_reason(from->status),
                         " ");
    *ret = (struct http_response){.status = 200, .version = from->version, .content_length = HTTP_LENGTH_UNKNOWN,
                                  .headers = http_headers_in(arena)};
    if (!number.p || message.failed || !http_headers_copy(&ret->headers, &from->headers))
        return false;
    http_headers_remove_id(&ret->headers, HTTP_CONTENT_ENCODING);
    return http_headers_set(&ret->headers, STR("content-type"), STR("application/grpc")) &&
           http_headers_set(&ret->headers, STR("grpc-status"), number) &&
           http_headers_set(&ret->headers, STR("grpc-message"), buf_str(&message));
}
