/* test_x500.c: names as people write them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/x500.c"

#include "test.h"

#define WITH_ARENA struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20)

static X509_NAME *
name_of(const char *const (*parts)[2], size_t n)
{
    X509_NAME *name = X509_NAME_new();

    for (size_t i = 0; i < n; i++)
        EXPECT(X509_NAME_add_entry_by_txt(name, parts[i][0], MBSTRING_UTF8, (const unsigned char *)parts[i][1], -1, -1, 0) == 1);
    return name;
}

TEST(a_name_is_read_in_every_spelling)
{
    static const char *const parts[][2] = {{"C", "US"}, {"ST", "Illinois"}, {"O", "Contoso, Inc."}, {"CN", "*.contoso.com"}};
    static const struct { const char *text; bool matches; } cases[] = {
        {"C=US, ST=Illinois, O=\"Contoso, Inc.\", CN=*.contoso.com", true},
        {"CN=*.contoso.com,O=Contoso\\, Inc.,S=Illinois,C=US", true},
        {"c=us; st=ILLINOIS; o=\"contoso,  inc.\"; cn=*.Contoso.com", true},
        {"OID.2.5.4.6=US, 2.5.4.8=Illinois, O=\"Contoso, Inc.\", CN=*.contoso.com", true},
        {"C=US, ST=Illinois, O=\"Contoso, Inc.\", CN=www.contoso.com", false},
        {"C=US, ST=Illinois, O=\"Contoso, Inc.\"", false},
        {"C=US, ST=Illinois, O=\"Contoso, Inc.\", OU=x, CN=*.contoso.com", false},
        {"ST=Illinois, C=US, O=\"Contoso, Inc.\", CN=*.contoso.com", false},
        {"CN=*.contoso.com", false},
    };
    X509_NAME *name = name_of(parts, COUNTOF(parts));

    for (size_t i = 0; i < COUNTOF(cases); i++) {
        WITH_ARENA;
        struct x500_name n;
        struct err err;

        EXPECT_OK(x500_parse(&arena, str_from_c(cases[i].text), &n, &err));
        if (x500_matches(&n, name) != cases[i].matches)
            TEST_FAIL("%s", cases[i].text);
    }
    X509_NAME_free(name);
}

TEST(what_is_no_name)
{
    static const char *const bad[] = {"", " ", "CN", "CN=a, O", "=x", "XYZ=1", "CN=\"open", "CN=\"a\"b", "1.2.x=y"};

    for (size_t i = 0; i < COUNTOF(bad); i++) {
        WITH_ARENA;
        struct x500_name n;
        struct err err;

        if (x500_parse(&arena, str_from_c(bad[i]), &n, &err))
            TEST_FAIL("took %s", bad[i]);
    }
}

TEST(single_attributes)
{
    WITH_ARENA;
    static const char *const parts[][2] = {{"O", "Gr\303\266\303\237e"}, {"CN", "first"}, {"CN", "second"}};
    X509_NAME *name = name_of(parts, COUNTOF(parts));

    EXPECT_STR(x500_get(&arena, name, NID_commonName), "first");
    EXPECT_STR(x500_get(&arena, name, NID_organizationName), "Gr\303\266\303\237e");
    EXPECT(!x500_get(&arena, name, NID_countryName).p);
    X509_NAME_free(name);
}
