/* addr.c: addresses as text and as the kernel has them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include "base/hash.h"
#include "base/num.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* ::ffff:a.b.c.d is a.b.c.d, so that one client has one address whatever the socket's family. */
static void
unmap(struct addr *a)
{
    if (a->kind != ADDR_V6 || memcmp(a->ip, mapped_prefix, sizeof(mapped_prefix)) != 0)
        return;
    a->kind = ADDR_V4;
    a->scope = 0;
    memmove(a->ip, a->ip + 12, 4);
    memset(a->ip + 4, 0, 12);
}

static size_t
ip_len(const struct addr *a)
{
    return a->kind == ADDR_V4 ? 4 : a->kind == ADDR_V6 ? 16 : 0;
}

/* The zone of a link-local address: a number or an interface's name. */
static bool
parse_scope(struct str zone, uint32_t *ret)
{
    char name[IF_NAMESIZE];

    if (num_parse_u32(zone, UINT32_MAX, ret, NULL))
        return true;
    if (zone.len == 0 || zone.len >= sizeof(name))
        return false;
    memcpy(name, zone.p, zone.len);
    name[zone.len] = 0;
    *ret = if_nametoindex(name);
    return *ret != 0;
}

bool
addr_parse_ip(struct str text, struct addr *ret, struct err *err)
{
    struct addr a = {.kind = ADDR_V6};
    struct str ip = text;
    char c[INET6_ADDRSTRLEN];

    if (ip.len >= 2 && ip.p[0] == '[' && ip.p[ip.len - 1] == ']')
        ip = str_sub(ip, 1, ip.len - 1);
    ptrdiff_t zone = str_find_char(ip, '%', 0);
    if (zone >= 0 && !parse_scope(str_skip(ip, (size_t)zone + 1), &a.scope))
        return err_set(err, ERR_SYNTAX, "unknown zone in address '%.*s'", STR_ARG(text));
    if (zone >= 0)
        ip = str_sub(ip, 0, (size_t)zone);
    if (ip.len == 0 || ip.len >= sizeof(c) || memchr(ip.p, 0, ip.len))
        return err_set(err, ERR_SYNTAX, "'%.*s' is not an IP address", STR_ARG(text));
    memcpy(c, ip.p, ip.len);
    c[ip.len] = 0;
    if (inet_pton(AF_INET6, c, a.ip) != 1) {
        a.kind = ADDR_V4;
        if (zone >= 0 || inet_pton(AF_INET, c, a.ip) != 1)
            return err_set(err, ERR_SYNTAX, "'%.*s' is not an IP address", STR_ARG(text));
    }
    unmap(&a);
    *ret = a;
    return true;
}

/* Where the port begins: behind the bracket of an IPv6 address, or behind the only colon. -1: no port. */
static ptrdiff_t
find_port(struct str text)
{
    ptrdiff_t colon = str_rfind_char(text, ':'), bracket = str_rfind_char(text, ']');

    if (colon < 0 || colon < bracket)
        return -1;
    if (bracket < 0 && str_find_char(text, ':', 0) != colon)
        return -1;                       /* a bare IPv6 address */
    return colon;
}

bool
addr_parse(struct str text, uint16_t default_port, struct addr *ret, struct err *err)
{
    struct addr a = {0};
    uint32_t port = default_port;

    if (str_starts_with(text, STR("unix:"))) {
        struct str path = str_skip(text, 5);
        if (path.len == 0 || path.len >= sizeof(((struct sockaddr_un *)0)->sun_path))
            return err_set(err, ERR_SYNTAX, "'%.*s': expected unix: and a path of 1 to 107 bytes", STR_ARG(text));
        if (path.p[0] == '@')            /* elsewhere that is an abstract name, and no mode would guard it */
            return err_set(err, ERR_SYNTAX, "'%.*s': sockets with abstract names are not supported, expected unix: and a path",
                           STR_ARG(text));
        *ret = (struct addr){.kind = ADDR_UNIX, .path = path.p};
        return true;
    }
    ptrdiff_t colon = find_port(text);
    if (colon >= 0 && !num_parse_u32(str_skip(text, (size_t)colon + 1), 65535, &port, err))
        return err_prefix(err, "port of '%.*s'", STR_ARG(text));
    if (colon < 0 && default_port == 0)
        return err_set(err, ERR_SYNTAX, "'%.*s': expected ADDRESS:PORT", STR_ARG(text));
    struct str ip = colon >= 0 ? str_sub(text, 0, (size_t)colon) : text;
    if (ip.len == 0 || str_eq_lit(ip, "*"))
        a.kind = ADDR_V6;                /* the unspecified address; takes IPv4 as well */
    else if (!addr_parse_ip(ip, &a, err))
        return false;
    a.port = (uint16_t)port;
    *ret = a;
    return true;
}

/* By hand: each request that is forwarded names its client. */
static bool
format_v4(struct buf *to, const uint8_t ip[4])
{
    char text[16], *at = text;

    for (int i = 0; i < 4; i++) {
        if (i)
            *at++ = '.';
        if (ip[i] >= 100)
            *at++ = (char)('0' + ip[i] / 100);
        if (ip[i] >= 10)
            *at++ = (char)('0' + ip[i] / 10 % 10);
        *at++ = (char)('0' + ip[i] % 10);
    }
    return buf_add(to, text, (size_t)(at - text));
}

bool
addr_format_ip(struct buf *to, const struct addr *a)
{
    char c[INET6_ADDRSTRLEN];

    switch ((enum addr_kind)a->kind) {
    case ADDR_NONE: return buf_add_lit(to, "-");
    case ADDR_UNIX: return buf_add_lit(to, "unix:") && buf_add_str(to, str_from_c(a->path));
    case ADDR_V4: return format_v4(to, a->ip);
    case ADDR_V6: inet_ntop(AF_INET6, a->ip, c, sizeof(c)); break;
    }
    return buf_add_str(to, str_from_c(c)) && (!a->scope || buf_printf(to, "%%%" PRIu32, a->scope));
}

bool
addr_format(struct buf *to, const struct addr *a)
{
    bool is_v6 = a->kind == ADDR_V6;

    if (a->kind == ADDR_NONE || a->kind == ADDR_UNIX)
        return addr_format_ip(to, a);
    return (!is_v6 || buf_add_char(to, '[')) && addr_format_ip(to, a) && (!is_v6 || buf_add_char(to, ']')) &&
           buf_add_char(to, ':') && buf_add_u64(to, a->port);
}

static struct str
format_into(const struct addr *a, char text[ADDR_TEXT_MAX], bool (*format)(struct buf *to, const struct addr *a))
{
    struct buf b = {.p = text, .cap = ADDR_TEXT_MAX, .max = ADDR_TEXT_MAX - 1}; /* never grows */

    format(&b, a);
    text[b.len] = '\0';
    return str_from(text, b.len);
}

struct str
addr_text(const struct addr *a, char text[ADDR_TEXT_MAX])
{
    return format_into(a, text, addr_format);
}

struct str
addr_ip_text(const struct addr *a, char text[ADDR_TEXT_MAX])
{
    return format_into(a, text, addr_format_ip);
}

bool
addr_same_ip(const struct addr *a, const struct addr *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == ADDR_UNIX)
        return str_eq(str_from_c(a->path), str_from_c(b->path));
    return a->scope == b->scope && memcmp(a->ip, b->ip, ip_len(a)) == 0;
}

bool
addr_eq(const struct addr *a, const struct addr *b)
{
    return a->port == b->port && addr_same_ip(a, b);
}

uint64_t
addr_hash_ip(const struct addr *a)
{
    return hash_mix(hash_sip(str_from((const char *)a->ip, ip_len(a))), a->kind);
}

bool
addr_is_loopback(const struct addr *a)
{
    static const uint8_t one[16] = {[15] = 1};

    return a->kind == ADDR_UNIX || (a->kind == ADDR_V4 && a->ip[0] == 127) ||
           (a->kind == ADDR_V6 && memcmp(a->ip, one, 16) == 0);
}

/* Networks of the special-purpose registries (RFC 6890) that are not the open internet. */
static const struct { uint8_t kind, bits, ip[16]; } internal_nets[] = {
    {ADDR_V4, 8, {0}},                   /* this network */
    {ADDR_V4, 8, {10}},
    {ADDR_V4, 10, {100, 64}},            /* shared, carrier NAT */
    {ADDR_V4, 8, {127}},
    {ADDR_V4, 16, {169, 254}},           /* link-local, metadata services */
    {ADDR_V4, 12, {172, 16}},
    {ADDR_V4, 24, {192, 0, 0}},
    {ADDR_V4, 24, {192, 0, 2}},          /* documentation */
    {ADDR_V4, 16, {192, 168}},
    {ADDR_V4, 15, {198, 18}},            /* benchmarks */
    {ADDR_V4, 24, {198, 51, 100}},
    {ADDR_V4, 24, {203, 0, 113}},
    {ADDR_V4, 3, {224}},                 /* multicast, reserved, broadcast */
    {ADDR_V6, 96, {0}},                  /* ::, ::1, IPv4-compatible */
    {ADDR_V6, 48, {0, 0x64, 0xff, 0x9b, 0, 1}},  /* local NAT64 */
    {ADDR_V6, 64, {0x01}},               /* discard */
    {ADDR_V6, 32, {0x20, 0x01, 0x0d, 0xb8}},     /* documentation */
    {ADDR_V6, 7, {0xfc}},                /* unique local */
    {ADDR_V6, 10, {0xfe, 0x80}},         /* link-local */
    {ADDR_V6, 10, {0xfe, 0xc0}},         /* site-local, deprecated */
    {ADDR_V6, 8, {0xff}},                /* multicast */
};

static bool
same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    return memcmp(a, b, whole) == 0 && (rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0);
}

/* The IPv4 address that an IPv6 one carries and that a translator would talk to: NAT64 and 6to4. */
static bool
embedded_v4(const struct addr *a, struct addr *ret)
{
    static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};

    *ret = (struct addr){.kind = ADDR_V4};
    if (a->kind == ADDR_V6 && memcmp(a->ip, nat64, sizeof(nat64)) == 0)
        memcpy(ret->ip, a->ip + 12, 4);
    else if (a->kind == ADDR_V6 && a->ip[0] == 0x20 && a->ip[1] == 0x02)
        memcpy(ret->ip, a->ip + 2, 4);
    else
        return false;
    return true;
}

bool
addr_is_internal(const struct addr *a)
{
    struct addr inner;

    if (a->kind == ADDR_NONE || a->kind == ADDR_UNIX)
        return true;
    for (size_t i = 0; i < COUNTOF(internal_nets); i++)
        if (internal_nets[i].kind == a->kind && same_prefix(a->ip, internal_nets[i].ip, internal_nets[i].bits))
            return true;
    return embedded_v4(a, &inner) && addr_is_internal(&inner);
}

bool
addr_is_link_local(const struct addr *a)
{
    static const uint8_t v4[] = {169, 254}, v6[] = {0xfe, 0x80};
    struct addr inner;

    if (a->kind == ADDR_V4)
        return same_prefix(a->ip, v4, 16);
    return a->kind == ADDR_V6 && (same_prefix(a->ip, v6, 10) || (embedded_v4(a, &inner) && addr_is_link_local(&inner)));
}

struct addr
addr_from_sockaddr(const struct sockaddr *sa, socklen_t len)
{
    struct addr a = {0};

    if (sa->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *v4 = (const void *)sa;
        a.kind = ADDR_V4;
        a.port = ntohs(v4->sin_port);
        memcpy(a.ip, &v4->sin_addr, 4);
    } else if (sa->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
        const struct sockaddr_in6 *v6 = (const void *)sa;
        a.kind = ADDR_V6;
        a.port = ntohs(v6->sin6_port);
        a.scope = v6->sin6_scope_id;
        memcpy(a.ip, &v6->sin6_addr, 16);
        unmap(&a);
    } else if (sa->sa_family == AF_UNIX) {
        a.kind = ADDR_UNIX;              /* the path would have to be owned by somebody */
        a.path = NULL;
    }
    return a;
}

socklen_t
addr_to_sockaddr(const struct addr *a, union addr_socket *ret)
{
    memset(ret, 0, sizeof(*ret));
    switch ((enum addr_kind)a->kind) {
    case ADDR_NONE: break;
    case ADDR_V4:
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = htons(a->port);
        memcpy(&ret->v4.sin_addr, a->ip, 4);
        return sizeof(ret->v4);
    case ADDR_V6:
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = htons(a->port);
        ret->v6.sin6_scope_id = a->scope;
        memcpy(&ret->v6.sin6_addr, a->ip, 16);
        return sizeof(ret->v6);
    case ADDR_UNIX:
        ret->un.sun_family = AF_UNIX;
        strncpy(ret->un.sun_path, a->path ? a->path : "", sizeof(ret->un.sun_path) - 1);
        return sizeof(ret->un);
    }
    return 0;
}

bool
addr_net_parse(struct str text, struct addr_net *ret, struct err *err)
{
    struct addr_net net;
    ptrdiff_t slash = str_find_char(text, '/', 0);
    uint32_t bits;

    if (str_eq_lit(text, "unix")) {      /* bits 0: every unix socket */
        *ret = (struct addr_net){.base.kind = ADDR_UNIX};
        return true;
    }
    if (!addr_parse_ip(slash >= 0 ? str_sub(text, 0, (size_t)slash) : text, &net.base, err))
        return false;
    uint32_t bits_max = (uint32_t)ip_len(&net.base) * 8;
    bits = bits_max;
    if (slash >= 0 && !num_parse_u32(str_skip(text, (size_t)slash + 1), bits_max, &bits, err))
        return err_prefix(err, "network '%.*s'", STR_ARG(text));
    net.bits = (uint8_t)bits;
    *ret = net;
    return true;
}

bool
addr_net_has(const struct addr_net *net, const struct addr *a)
{
    return net->base.kind == a->kind && same_prefix(net->base.ip, a->ip, net->bits);
}

bool
addr_nets_have(const struct addr_net *nets, size_t n, const struct addr *a)
{
    for (size_t i = 0; i < n; i++)
        if (addr_net_has(&nets[i], a))
            return true;
    return false;
}
