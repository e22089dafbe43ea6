/* uri.h: absolute http(s) URLs of configuration: service URLs, backends, servers of OpenAPI documents.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct uri {
    struct str scheme;                /* as written */
    struct str user_info;             /* STR_NONE: none */
    struct str host;                  /* without the brackets of an IPv6 address */
    uint16_t port;                    /* the scheme's own when none is written; 0 for another scheme */
    bool has_port;
    struct str path;                  /* may be empty */
    struct str query;                 /* without '?'; STR_NONE: none */
};

/* Views of `text`. Needs scheme and host; refuses blanks, controls, a fragment and bytes that no URL may hold. */
MUST_USE bool uri_parse(struct str text, struct uri *ret, struct err *err);
/* The same, and http or https (ws, wss) only. */
MUST_USE bool uri_parse_http(struct str text, struct uri *ret, struct err *err);

/* Steps through "a=1&b": false at the end. Raw, undecoded; value is STR_NONE without '='. */
bool query_next(struct str *rest, struct str *ret_name, struct str *ret_value);
/* Whether two names or values of queries are the same text, however they are escaped; '+' is a blank. */
bool query_text_is(struct str x, struct str y, bool ignore_case);
