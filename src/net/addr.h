/* addr.h: network addresses and networks, small enough to keep one in each connection.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum addr_kind { ADDR_NONE, ADDR_V4, ADDR_V6, ADDR_UNIX };

struct addr {
    uint8_t kind;                        /* enum addr_kind */
    uint16_t port;                       /* host order */
    uint32_t scope;                      /* of link-local IPv6 */
    union {
        uint8_t ip[16];                  /* network order; the first 4 for IPv4. Mapped IPv4 is kept as IPv4 */
        const char *path;                /* ADDR_UNIX: borrowed; NULL for an unnamed peer */
    };
};

union addr_socket {
    struct sockaddr sa;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un un;
    struct sockaddr_storage any;
};

/* "127.0.0.1:80", "[::1]:80", "*:80" and ":80" (every IPv6 and IPv4 address), "unix:/run/x.sock" (text.p must stay and
 * be followed by NUL; no abstract names). A port is needed unless default_port is given (0: none). */
MUST_USE bool addr_parse(struct str text, uint16_t default_port, struct addr *ret, struct err *err);
/* An IP address alone, with or without brackets; no names. */
MUST_USE bool addr_parse_ip(struct str text, struct addr *ret, struct err *err);
/* "127.0.0.1:80", "[::1]:80", "unix:PATH"; the second form without the port and brackets. */
bool addr_format(struct buf *to, const struct addr *a);
bool addr_format_ip(struct buf *to, const struct addr *a);
/* The same into a caller's array: text ends with NUL. */
#define ADDR_TEXT_MAX 128
struct str addr_text(const struct addr *a, char text[ADDR_TEXT_MAX]);
struct str addr_ip_text(const struct addr *a, char text[ADDR_TEXT_MAX]);

bool addr_eq(const struct addr *a, const struct addr *b);
bool addr_same_ip(const struct addr *a, const struct addr *b);
uint64_t addr_hash_ip(const struct addr *a);
bool addr_is_loopback(const struct addr *a);            /* unix sockets too */
/* Private, loopback, link-local, unspecified, shared (100.64/10), multicast, documentation, NAT64 and mapped forms of
 * these: what a request to the outside has no business with. */
bool addr_is_internal(const struct addr *a);
/* 169.254.0.0/16 and fe80::/10, where platforms keep their metadata. */
bool addr_is_link_local(const struct addr *a);

/* From and to the kernel's form. */
struct addr addr_from_sockaddr(const struct sockaddr *sa, socklen_t len);
socklen_t addr_to_sockaddr(const struct addr *a, union addr_socket *ret);

/* "10.0.0.0/8", "::1", ... */
struct addr_net {
    struct addr base;
    uint8_t bits;
};
MUST_USE bool addr_net_parse(struct str text, struct addr_net *ret, struct err *err);
bool addr_net_has(const struct addr_net *net, const struct addr *a);
bool addr_nets_have(const struct addr_net *nets, size_t n, const struct addr *a);
