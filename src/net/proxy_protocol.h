/* proxy_protocol.h: the header that HAProxy's PROXY protocol puts before a connection, versions 1 and 2.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "net/addr.h"

/* A longer header (version 2 with many TLVs) is refused. */
#define PROXY_HEADER_MAX 2048

struct proxy_header {
    bool is_local;                       /* LOCAL or UNKNOWN: the addresses of the connection itself stand */
    struct addr source, destination;     /* ADDR_NONE when not told */
};

/* Looks at the first bytes of a connection. Returns the header's length, 0 when more bytes are needed to tell, -1 when
 * this is no PROXY header (err says why). */
int proxy_header_parse(struct str bytes, struct proxy_header *ret, struct err *err);
