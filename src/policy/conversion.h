/* conversion.h: what json-to-xml and xml-to-json share: whether to convert, and putting the result in place.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "policy/policy.h"

/* application/json, text/json, application/problem+json ... for the format "json"; likewise "xml". */
bool media_type_is(struct str content_type, struct str format);

struct conversion {
    bool is_to_json;
    bool always;                  /* whatever the content type says */
    bool considers_accept;        /* only when the request asks for the other format */
};

/* Reads the body when it is to be converted: true with *ret_body set (STR_NONE: nothing to do); false with ex->error. */
MUST_USE bool conversion_body(struct exchange *ex, const struct conversion *c, struct str *ret_body);
/* Puts the result and its content type in place. */
enum flow conversion_finish(struct exchange *ex, const struct conversion *c, struct buf *result);
