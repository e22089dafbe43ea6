/* conversion.h: what json-to-xml and xml-to-json share: whether to convert, the work itself, and putting the result in place.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "policy/policy.h"

/* application/json, text/json, application/problem+json ... for the format "json"; likewise "xml". */
bool media_type_is(struct str content_type, struct str format);

/* A body's text as UTF-8, however it is encoded. False with ex->error set when memory is short. */
MUST_USE bool message_text(struct exchange *ex, const struct http_headers *headers, struct str bytes, bool is_xml, struct str *ret);

struct conversion {
    const char *policy;
    bool is_to_json;
    bool always;                  /* whatever the content type says */
    bool considers_accept;        /* only when the request asks for the other format */
    /* Long bodies: on an offload thread. `how` is handed on. */
    bool (*convert)(struct arena *a, struct str body, const void *how, struct buf *to, struct err *err);
    const void *how;
};

/* Converts the body of the message when it is to be converted, and sets its content type. Yields. */
enum flow conversion_run(struct exchange *ex, const struct conversion *c);
