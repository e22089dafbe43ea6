/* uri_parts.h: a System.Uri inside, for the files about it.
 *
 * An absolute Uri is kept as its canonical text with the borders of its parts: lower-case scheme and host, default port dropped,
 * dot segments removed (for schemes with a host), characters that a URI may not hold escaped, letters and digits not.
 *     https://user@host:8443/a/b?x=1#f
 *          |       |   |    |   |   \ fragment
 * A relative one keeps its text; asking it for a part throws InvalidOperationException.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/native.h"

struct uri {
    struct object head;
    struct str original;
    struct str text;                  /* canonical: AbsoluteUri */
    struct str scheme, user, host, path, query, fragment;   /* query with '?', fragment with '#' */
    int32_t port;                     /* -1: none */
    bool is_absolute, has_authority, is_default_port;
    bool is_drive_path;               /* read from "C:\\..." */
};

/* System.UriKind. */
enum uri_kind { URI_EITHER, URI_ABSOLUTE, URI_RELATIVE };
/* System.UriHostNameType. */
enum host_kind { HOST_UNKNOWN, HOST_BASIC, HOST_DNS, HOST_IPV4, HOST_IPV6 };

/* NULL and *problem for text that is no Uri of that kind; NULL without *problem when out of budget. */
struct uri *uri_read(struct call *c, const struct type *type, struct str text, enum uri_kind kind, const char **problem);
/* The same, throwing. */
struct uri *uri_make(struct call *c, const struct type *type, struct str text, enum uri_kind kind);
/* Reference resolution of RFC 3986; NULL and *problem as above. */
struct uri *uri_resolve(struct call *c, const struct type *type, const struct uri *base, struct str relative, const char **problem);
/* Cuts path?query#fragment; the query keeps its '?', the fragment its '#'. */
void uri_cut_tail(struct str tail, struct str *path, struct str *query, struct str *fragment);
/* "C:..." */
bool uri_has_drive(struct str s);
/* Text with the escapes undone that stand for harmless characters, as ToString() does; NULL when out of budget. */
struct string *uri_readable(struct call *c, struct str text);
/* Of a host as it stands in a Uri, an IPv6 address in brackets. */
enum host_kind uri_host_kind(struct str host);
/* As ASCII for the DNS: labels with other characters become xn--... NULL when out of budget. */
struct string *uri_idn_host(struct call *c, struct str host);
/* Characters that may stand in a URI besides letters and digits, '%' included. */
extern const char uri_reserved_and_more[];
