/* url.h: an absolute http address in parts.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* An absolute address in parts, each as it is written (percent-encoding kept). */
struct url {
    struct str scheme;            /* lower case */
    struct str host;              /* lower case, IPv6 in brackets */
    uint16_t port;                /* never 0 */
    struct str path;              /* begins with '/' */
    struct str query;             /* without '?'; STR_NONE when there is none */
};

/* Parts of "http[s]://host[:port][/path][?query]"; a fragment is dropped. Views into text, but what has to change
 * (case, a missing path) comes from the arena. ERR_SYNTAX quotes the text. */
bool url_parse(struct arena *a, struct str text, struct url *ret, struct err *err);
/* The whole address; the scheme's own port is left out. */
struct str url_print(struct arena *a, const struct url *url);
bool url_has_default_port(const struct url *url);
/* A reference against the address it stands in (RFC 3986 5.2; a fragment is dropped): absolute, with or without scheme, absolute or
 * relative path, query alone. False for what is no http address, or when the arena is full. */
bool url_resolve(struct arena *a, const struct url *base, struct str reference, struct url *ret);
