/* test_proxy_protocol.c: both versions, cut at each byte, and what must be refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/proxy_protocol.c"

#include "test.h"

#define V2(command, family, len) "\r\n\r\n\0\r\nQUIT\n" command family len

static const char v2_tcp4[] = V2("\x21", "\x11", "\x00\x0c") "\x0a\x00\x00\x01\x0a\x00\x00\x02\x1f\x90\x01\xbb";
static const char v2_tlv[] = V2("\x21", "\x11", "\x00\x10") "\x0a\x00\x00\x01\x0a\x00\x00\x02\x1f\x90\x01\xbb\x04\x00\x01\x00";
static const char v2_tcp6[] = V2("\x21", "\x21", "\x00\x24")
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07" "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x01\x02\x03" "\x00\x50\x01\xbb";
static const char v2_local[] = V2("\x20", "\x00", "\x00\x00");
static const char v2_unix[] = V2("\x21", "\x31", "\x00\x01") "x";

#define BYTES(lit) str_from((lit), sizeof(lit) - 1)

static void
expect_header(struct str bytes, const char *source, const char *destination)
{
    struct proxy_header h;
    char text[ADDR_TEXT_MAX];

    for (size_t cut = 0; cut < bytes.len; cut++)
        EXPECT_EQ(proxy_header_parse(str_sub(bytes, 0, cut), &h, NULL), 0);
    EXPECT_EQ(proxy_header_parse(bytes, &h, NULL), (int)bytes.len);
    EXPECT_STR(addr_text(&h.source, text), source);
    EXPECT_STR(addr_text(&h.destination, text), destination);
}

TEST(both_versions_tell_the_addresses)
{
    expect_header(STR("PROXY TCP4 192.0.2.1 198.51.100.2 5000 443\r\n"), "192.0.2.1:5000", "198.51.100.2:443");
    expect_header(STR("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n"), "[2001:db8::1]:1", "[::1]:65535");
    expect_header(BYTES(v2_tcp4), "10.0.0.1:8080", "10.0.0.2:443");
    expect_header(BYTES(v2_tlv), "10.0.0.1:8080", "10.0.0.2:443");
    expect_header(BYTES(v2_tcp6), "[2001:db8::7]:80", "10.1.2.3:443");
}

TEST(local_and_unknown_keep_the_connections_own)
{
    struct proxy_header h;

    EXPECT_EQ(proxy_header_parse(STR("PROXY UNKNOWN\r\n"), &h, NULL), 15);
    EXPECT(h.is_local);
    EXPECT(proxy_header_parse(STR("PROXY UNKNOWN ffff::1 what ever\r\n"), &h, NULL) > 0);
    EXPECT(h.is_local);
    EXPECT_EQ(proxy_header_parse(BYTES(v2_local), &h, NULL), 16);
    EXPECT(h.is_local);
    EXPECT_EQ(proxy_header_parse(BYTES(v2_unix), &h, NULL), 17);
    EXPECT_EQ(h.source.kind, ADDR_NONE);
}

TEST(what_follows_is_not_taken)
{
    struct proxy_header h;
    EXPECT_EQ(proxy_header_parse(STR("PROXY UNKNOWN\r\nPROXY UNKNOWN\r\n"), &h, NULL), 15);
}

TEST(anything_else_is_refused)
{
    static const struct str bad[] = {
        STR_INIT("GET / HTTP/1.1\r\n"), STR_INIT("PROXY\r\n"), STR_INIT("PROXY TCP4\r\n"),
        STR_INIT("PROXY TCP5 1.1.1.1 1.1.1.1 1 1\r\n"), STR_INIT("PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n"),
        STR_INIT("PROXY TCP4 1.1.1.1 1.1.1.1 1 1 1\r\n"), STR_INIT("PROXY TCP4 ::1 ::1 1 1\r\n"),
        STR_INIT("PROXY TCP6 1.1.1.1 1.1.1.1 1 1\r\n"), STR_INIT("PROXY  TCP4 1.1.1.1 1.1.1.1 1 1\r\n"),
        STR_INIT("PROXY TCP4 1.1.1.1 1.1.1.1 01 1\r\n"), STR_INIT("PROXY TCP4 1.1.1.1 1.1.1.1 65536 1\r\n"),
        STR_INIT("PROXY TCP4 1.1.1.256 1.1.1.1 1 1\r\n"), STR_INIT("PROXY TCP4 1.1.1.1 1.1.1.1 1 1 \r\n"),
        STR_INIT("PROXY UNKNOWNX\r\n"), STR_INIT("PROXY TCP6 [::1] ::1 1 1\r\n"), STR_INIT("proxy UNKNOWN\r\n"),
        STR_INIT(V2("\x11", "\x11", "\x00\x0c") "............"), STR_INIT(V2("\x22", "\x11", "\x00\x0c") "............"),
        STR_INIT(V2("\x21", "\x12", "\x00\x0c") "............"), STR_INIT(V2("\x21", "\x11", "\x00\x0b") "..........."),
        STR_INIT(V2("\x21", "\x11", "\x08\x00")), STR_INIT("\r\n\r\n\0\r\nQUIT\r"),
    };
    struct proxy_header h;
    char long_line[120];

    for (size_t i = 0; i < COUNTOF(bad); i++)
        if (proxy_header_parse(bad[i], &h, NULL) != -1)
            TEST_FAIL("row %zu was not refused", i);
    memset(long_line, 'x', sizeof(long_line));
    memcpy(long_line, "PROXY UNKNOWN ", 14);
    EXPECT_EQ(proxy_header_parse(str_from(long_line, 106), &h, NULL), 0);
    EXPECT_EQ(proxy_header_parse(str_from(long_line, 107), &h, NULL), -1);
}
