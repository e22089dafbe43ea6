/* test_openid.c: reading what issuers publish.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/openid.c"

#include "test.h"

#define WITH_ARENA struct arena arena AUTO(arena_destroy) = ARENA(NULL, 8 << 20)
#define EC_KEY "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\",\"x\":\"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ\"," \
               "\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck\"}"
#define SECRET "{\"kty\":\"oct\",\"kid\":\"s\",\"k\":\"MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI\"}"

TEST(a_discovery_document_names_issuer_and_keys)
{
    WITH_ARENA;
    struct openid_discovery d;
    struct err err;

    EXPECT_OK(openid_read_discovery(&arena, STR("{\"issuer\":\"https://i\",\"jwks_uri\":\"https://i/k\",\"x\":[]}"), &d, &err));
    EXPECT_STR(d.issuer, "https://i");
    EXPECT_STR(d.jwks_uri, "https://i/k");
}

TEST(odd_discovery_documents_are_refused)
{
    WITH_ARENA;
    static const char *const refused[] = {"", "[]", "null", "<html>", "{}", "{\"issuer\":\"https://i\"}", "{\"jwks_uri\":\"https://i\"}",
                                          "{\"issuer\":1,\"jwks_uri\":\"x\"}", "{\"issuer\":\"\",\"jwks_uri\":\"x\"}",
                                          "{\"issuer\":\"a\",\"issuer\":\"b\",\"jwks_uri\":\"x\"}"};
    struct openid_discovery d;
    struct err err;

    for (size_t i = 0; i < COUNTOF(refused); i++)
        EXPECT_ERR(openid_read_discovery(&arena, str_from_c(refused[i]), &d, &err), ERR_INVALID);
}

TEST(a_key_set_has_a_tag_of_its_content)
{
    WITH_ARENA;
    struct openid *a, *b, *c;
    struct err err;

    EXPECT_OK(openid_read_keys(&arena, STR("i"), STR("{\"keys\":[" EC_KEY "]}"), &a, &err));
    EXPECT_OK(openid_read_keys(&arena, STR("i"), STR("{\"keys\":[" EC_KEY "]}"), &b, &err));
    EXPECT_OK(openid_read_keys(&arena, STR("j"), STR("{\"keys\":[" EC_KEY "]}"), &c, &err));
    EXPECT_EQ(a->n, 1);
    EXPECT_EQ(a->super.tag, b->super.tag);
    EXPECT(a->super.tag != c->super.tag);
    openid_unref(a);
    openid_unref(b);
    openid_unref(c);
}

TEST(secrets_in_public_are_left_out)
{
    WITH_ARENA;
    struct openid *o;
    struct err err;

    EXPECT_OK(openid_read_keys(&arena, STR("i"), STR("{\"keys\":[" SECRET "]}"), &o, &err));
    EXPECT_EQ(o->n, 0);
    openid_unref(o);
    EXPECT_ERR(openid_read_keys(&arena, STR("i"), STR("{\"keys\":1}"), &o, &err), ERR_INVALID);
    EXPECT_ERR(openid_read_keys(&arena, STR("i"), STR("nothing"), &o, &err), ERR_INVALID);
}
