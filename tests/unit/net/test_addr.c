/* test_addr.c: addresses as text, networks, what is internal.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/addr.c"

#include "test.h"

static void
expect_text(const char *in, const char *out)
{
    struct addr a;
    struct err err = ERR_INIT;
    char text[ADDR_TEXT_MAX];

    EXPECT_OK(addr_parse(str_from_c(in), 0, &a, &err));
    EXPECT_STR(addr_text(&a, text), out);
}

TEST(addresses_are_read_and_written)
{
    expect_text("127.0.0.1:80", "127.0.0.1:80");
    expect_text("[::1]:8080", "[::1]:8080");
    expect_text("*:443", "[::]:443");
    expect_text(":443", "[::]:443");
    expect_text("[::ffff:10.1.2.3]:1", "10.1.2.3:1");
    expect_text("[2001:DB8:0:0::1]:65535", "[2001:db8::1]:65535");
    expect_text("unix:/run/x.sock", "unix:/run/x.sock");
}

TEST(what_is_no_address_is_refused)
{
    static const char *const bad[] = {"", "1.2.3.4", "1.2.3:80", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "::1:80:",
        "[::1]", "[::1]80", "name:80", "unix:", "unix:@x", "0x7f.1:80", "1.2.3.4%1:80", "[fe80::1%nope]:1", "127.1:80"};
    struct addr a;
    struct err err;

    for (size_t i = 0; i < COUNTOF(bad); i++)
        if (addr_parse(str_from_c(bad[i]), 0, &a, &err))
            TEST_FAIL("'%s' was accepted", bad[i]);
}

TEST(a_port_can_be_left_out_where_there_is_a_default)
{
    struct addr a;
    struct err err = ERR_INIT;

    EXPECT_OK(addr_parse(STR("::1"), 53, &a, &err));
    EXPECT_EQ(a.port, 53);
    EXPECT_OK(addr_parse(STR("10.0.0.1"), 53, &a, &err));
    EXPECT_EQ(a.port, 53);
}

TEST(networks_hold_what_they_cover)
{
    static const struct { const char *net, *ip; bool has; } rows[] = {
        {"10.0.0.0/8", "10.255.0.1", true}, {"10.0.0.0/8", "11.0.0.1", false}, {"10.1.2.3", "10.1.2.3", true},
        {"10.1.2.3", "10.1.2.4", false}, {"0.0.0.0/0", "8.8.8.8", true}, {"0.0.0.0/0", "::1", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true}, {"2001:db8::/33", "2001:db8:8000::1", false},
        {"10.0.0.0/8", "::ffff:10.1.1.1", true}, {"192.168.4.0/22", "192.168.7.255", true},
        {"192.168.4.0/22", "192.168.8.0", false},
    };
    struct err err = ERR_INIT;
    struct addr_net net;
    struct addr ip;

    for (size_t i = 0; i < COUNTOF(rows); i++) {
        EXPECT_OK(addr_net_parse(str_from_c(rows[i].net), &net, &err));
        EXPECT_OK(addr_parse_ip(str_from_c(rows[i].ip), &ip, &err));
        if (addr_net_has(&net, &ip) != rows[i].has)
            TEST_FAIL("%s in %s", rows[i].ip, rows[i].net);
    }
    EXPECT(!addr_net_parse(STR("10.0.0.0/33"), &net, &err));
    EXPECT(!addr_net_parse(STR("10.0.0.0/"), &net, &err));
}

TEST(link_local_addresses_are_known_in_every_form)
{
    static const struct { const char *text; bool is; } cases[] = {
        {"169.254.169.254", true}, {"169.254.0.0", true}, {"::ffff:169.254.1.1", true}, {"fe80::1", true}, {"febf::1", true},
        {"64:ff9b::169.254.169.254", true}, {"2002:a9fe:a9fe::1", true}, {"169.253.1.1", false}, {"10.0.0.1", false}, {"fec0::1", false},
        {"::1", false}, {"8.8.8.8", false}};
    struct err err = ERR_INIT;
    struct addr a;

    for (size_t i = 0; i < COUNTOF(cases); i++) {
        EXPECT_OK(addr_parse_ip(str_from_c(cases[i].text), &a, &err));
        if (addr_is_link_local(&a) != cases[i].is)
            TEST_FAIL("%s", cases[i].text);
    }
}

TEST(internal_addresses_are_known_in_every_form)
{
    static const char *const inside[] = {"127.0.0.1", "10.9.8.7", "172.16.0.1", "172.31.255.255", "192.168.0.1",
        "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1",
        "fd12::1", "ff02::1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "2002:7f00:1::", "::127.0.0.1", "198.18.0.1"};
    static const char *const outside[] = {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1", "64:ff9b::8.8.8.8",
        "192.169.0.1", "169.253.0.1", "2002:808:808::1"};
    struct err err = ERR_INIT;
    struct addr a;

    for (size_t i = 0; i < COUNTOF(inside); i++) {
        EXPECT_OK(addr_parse_ip(str_from_c(inside[i]), &a, &err));
        if (!addr_is_internal(&a))
            TEST_FAIL("%s is internal", inside[i]);
    }
    for (size_t i = 0; i < COUNTOF(outside); i++) {
        EXPECT_OK(addr_parse_ip(str_from_c(outside[i]), &a, &err));
        if (addr_is_internal(&a))
            TEST_FAIL("%s is not internal", outside[i]);
    }
}
