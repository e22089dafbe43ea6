/* proxy_protocol.c: the grammar of both versions, strict.
 *
 *     v1: "PROXY" SP ("TCP4"|"TCP6") SP source SP destination SP port SP port CRLF | "PROXY UNKNOWN" ... CRLF, <= 107 bytes
 *     v2: 12 bytes signature, version and command, family and protocol, length (16 bits), addresses, TLVs
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/proxy_protocol.h"

#include <string.h>

#include "base/num.h"

#define V1_MAX 107
#define V2_HEAD 16

static const char v2_signature[12] = "\r\n\r\n\0\r\nQUIT\n";

static int
refuse(struct err *err, const char *why)
{
    err_set(err, ERR_SYNTAX, "PROXY header: %s", why);
    return -1;
}

/* --- version 1 --- */

static bool
v1_port(struct str text, uint16_t *ret)
{
    uint32_t port;

    if (text.len > 1 && text.p[0] == '0')
        return false;
    if (!num_parse_u32(text, 65535, &port, NULL))
        return false;
    *ret = (uint16_t)port;
    return true;
}

static bool
v1_addr(struct str ip, struct str port, enum addr_kind kind, struct addr *ret)
{
    /* No brackets and no zone; ::ffff:1.2.3.4 is an IPv6 word here and becomes IPv4 by addr_parse_ip(). */
    if (ip.len == 0 || ip.p[0] == '[' || str_find_char(ip, '%', 0) >= 0)
        return false;
    bool is_v6_text = str_find_char(ip, ':', 0) >= 0;
    return is_v6_text == (kind == ADDR_V6) && addr_parse_ip(ip, ret, NULL) && v1_port(port, &ret->port);
}

static int
v1_parse(struct str bytes, struct proxy_header *ret, struct err *err)
{
    struct proxy_header h = {0};
    struct str word[6] = {STR_NONE};
    ptrdiff_t end = str_find(str_sub(bytes, 0, V1_MAX), STR("\r\n"), 0);
    int n = 0;

    if (end < 0)
        return bytes.len >= V1_MAX ? refuse(err, "no line end within 107 bytes") : 0;
    struct str rest = str_sub(bytes, 0, (size_t)end);
    if (str_starts_with(rest, STR("PROXY UNKNOWN")) && (rest.len == 13 || rest.p[13] == ' ')) {
        h.is_local = true;
        *ret = h;
        return (int)end + 2;
    }
    while (n < 6 && str_split_next(&rest, ' ', &word[n]))
        n++;
    bool is_v6 = str_eq_lit(word[1], "TCP6");
    if (n != 6 || rest.p || !str_eq_lit(word[0], "PROXY") || (!is_v6 && !str_eq_lit(word[1], "TCP4")))
        return refuse(err, "expected PROXY TCP4|TCP6 and four more words");
    if (!v1_addr(word[2], word[4], is_v6 ? ADDR_V6 : ADDR_V4, &h.source) ||
        !v1_addr(word[3], word[5], is_v6 ? ADDR_V6 : ADDR_V4, &h.destination))
        return refuse(err, "an address or a port is not one");
    *ret = h;
    return (int)end + 2;
}

/* --- version 2 --- */

static uint16_t
read_u16(const char *p)
{
    return (uint16_t)((uint8_t)p[0] << 8 | (uint8_t)p[1]);
}

static struct addr
v2_addr(const char *ip, size_t ip_len, const char *port)
{
    struct addr a = {.kind = ip_len == 4 ? ADDR_V4 : ADDR_V6, .port = read_u16(port)};
    union addr_socket through;

    memcpy(a.ip, ip, ip_len);
    /* Through the kernel's form and back: mapped IPv4 becomes IPv4. */
    socklen_t len = addr_to_sockaddr(&a, &through);
    return addr_from_sockaddr(&through.sa, len);
}

static int
v2_parse(struct str bytes, struct proxy_header *ret, struct err *err)
{
    struct proxy_header h = {0};

    if (bytes.len < V2_HEAD)
        return 0;
    uint8_t command = (uint8_t)bytes.p[12], family = (uint8_t)bytes.p[13];
    size_t len = read_u16(bytes.p + 14);
    const char *at = bytes.p + V2_HEAD;
    if (command >> 4 != 2 || (command & 15) > 1)
        return refuse(err, "unknown version or command");
    if (V2_HEAD + len > PROXY_HEADER_MAX)
        return refuse(err, "longer than 2048 bytes");
    if (bytes.len < V2_HEAD + len)
        return 0;
    h.is_local = (command & 15) == 0;
    if (!h.is_local && family == 0x11 && len >= 12) {
        h.source = v2_addr(at, 4, at + 8);
        h.destination = v2_addr(at + 4, 4, at + 10);
    } else if (!h.is_local && family == 0x21 && len >= 36) {
        h.source = v2_addr(at, 16, at + 32);
        h.destination = v2_addr(at + 16, 16, at + 34);
    } else if (!h.is_local && (family == 0x11 || family == 0x21)) {
        return refuse(err, "shorter than its addresses");
    } else if (!h.is_local && family != 0x00 && family != 0x31) {
        return refuse(err, "neither TCP nor a unix stream");
    }
    *ret = h;
    return (int)(V2_HEAD + len);
}

int
proxy_header_parse(struct str bytes, struct proxy_header *ret, struct err *err)
{
    size_t n2 = MIN(bytes.len, sizeof(v2_signature)), n1 = MIN(bytes.len, (size_t)6);

    if (bytes.len == 0)
        return 0;
    if (memcmp(bytes.p, v2_signature, n2) == 0)
        return n2 < sizeof(v2_signature) ? 0 : v2_parse(bytes, ret, err);
    if (memcmp(bytes.p, "PROXY ", n1) == 0)
        return n1 < 6 ? 0 : v1_parse(bytes, ret, err);
    return refuse(err, "neither version 1 nor 2");
}
