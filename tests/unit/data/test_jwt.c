/* test_jwt.c: the example of RFC 7515 A.1 and what must not pass.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/jwt.c"

#include "test.h"

#define WITH_ARENA struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20)

/* RFC 7515, appendix A.1. */
#define HEADER "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
#define PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define SIGNATURE "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define KEY "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}"

static bool
key_of(struct arena *a, const char *jwk, struct jwt_key *ret)
{
    struct err err;

    return jwt_key_from_jwk(json_parse(a, str_from_c(jwk), JSON_STRICT, NULL), ret, &err);
}

/* A token with this header and payload (JSON text) and an empty signature. */
static struct str
unsigned_token(struct arena *a, const char *header, const char *payload)
{
    struct buf b = buf_in(a);

    codec_base64url_encode(&b, str_from_c(header));
    buf_add_char(&b, '.');
    codec_base64url_encode(&b, str_from_c(payload));
    buf_add_char(&b, '.');
    return buf_str(&b);
}

TEST(the_example_of_rfc_7515_is_valid)
{
    WITH_ARENA;
    struct jwt t;
    struct jwt_key key;
    struct err err;

    EXPECT_OK(jwt_parse(&arena, STR(HEADER "." PAYLOAD "." SIGNATURE), JWT_STRICT, &t, &err));
    EXPECT_STR(t.alg, "HS256");
    EXPECT(key_of(&arena, KEY, &key));
    EXPECT_EQ(jwt_verify(&t, &key, 1, &err), JWT_VALID);
    key.secret[0] ^= 1;
    EXPECT_EQ(jwt_verify(&t, &key, 1, &err), JWT_BAD_SIGNATURE);
    EXPECT_EQ(jwt_verify(&t, NULL, 0, &err), JWT_NO_KEY);
    jwt_key_destroy(&key);
}

TEST(a_changed_payload_is_not_valid)
{
    WITH_ARENA;
    struct jwt t;
    struct jwt_key key;
    struct err err;

    EXPECT_OK(jwt_parse(&arena, STR(HEADER ".eyJpc3MiOiJqb2UifQ." SIGNATURE), JWT_STRICT, &t, &err));
    EXPECT(key_of(&arena, KEY, &key));
    EXPECT_EQ(jwt_verify(&t, &key, 1, &err), JWT_BAD_SIGNATURE);
    jwt_key_destroy(&key);
}

TEST(none_is_no_algorithm)
{
    WITH_ARENA;
    static const char *const names[] = {"none", "None", "NONE", "", "HS257", "hs256"};
    struct jwt_key key;
    struct jwt t;
    struct err err;

    EXPECT(key_of(&arena, KEY, &key));
    for (size_t i = 0; i < COUNTOF(names); i++) {
        struct str header = str_printf(&arena, "{\"alg\":\"%s\"}", names[i]);
        EXPECT_OK(jwt_parse(&arena, unsigned_token(&arena, header.p, "{}"), JWT_STRICT, &t, &err));
        EXPECT_EQ(jwt_verify(&t, &key, 1, &err), JWT_BAD_ALGORITHM);
    }
    jwt_key_destroy(&key);
}

TEST(malformed_tokens_are_refused)
{
    WITH_ARENA;
    static const char *const refused[] = {
        "", ".", "..", "a.b", HEADER, HEADER "." PAYLOAD, HEADER "." PAYLOAD "." SIGNATURE ".x",
        HEADER "=." PAYLOAD "." SIGNATURE, HEADER "." PAYLOAD "." SIGNATURE "=", HEADER "." PAYLOAD ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl",
        " " HEADER "." PAYLOAD "." SIGNATURE, HEADER "." PAYLOAD "." SIGNATURE "\n", HEADER "." PAYLOAD ".dBjftJeZ4CVP+mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    };
    struct jwt t;
    struct err err;

    for (size_t i = 0; i < COUNTOF(refused); i++)
        if (jwt_parse(&arena, str_from_c(refused[i]), JWT_STRICT, &t, &err))
            TEST_FAIL("accepted %s", refused[i]);
}

TEST(headers_that_ask_for_more_are_refused)
{
    WITH_ARENA;
    static const char *const headers[] = {
        "{}", "[]", "{\"alg\":1}", "{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}", "{\"alg\":\"HS256\",\"b64\":false}",
        "{\"alg\":\"HS256\",\"alg\":\"none\"}", "{\"alg\":\"HS256\",\"kid\":5}",
    };
    struct jwt t;
    struct err err;

    for (size_t i = 0; i < COUNTOF(headers); i++)
        if (jwt_parse(&arena, unsigned_token(&arena, headers[i], "{}"), JWT_STRICT, &t, &err))
            TEST_FAIL("accepted %s", headers[i]);
    EXPECT_ERR(jwt_parse(&arena, unsigned_token(&arena, "{\"alg\":\"HS256\"}", "{\"a\":1,\"a\":2}"), JWT_STRICT, &t, &err), ERR_INVALID);
    EXPECT(jwt_parse(&arena, unsigned_token(&arena, "{\"alg\":\"none\"}", "{\"a\":1,\"a\":2}"), JWT_TOLERANT, &t, &err));
}

TEST(times_are_numbers_within_the_skew)
{
    WITH_ARENA;
    static const struct { const char *claims; int64_t now, skew; bool valid; } cases[] = {
        {"{\"exp\":100}", 99, 0, true},   {"{\"exp\":100}", 100, 0, false}, {"{\"exp\":100}", 104, 5, true},
        {"{\"exp\":\"100\"}", 9, 0, false}, {"{\"exp\":-1}", 9, 0, false},    {"{\"exp\":1e400}", 9, 0, false},
        {"{}", 9, 0, false},              {"{\"exp\":100,\"nbf\":50}", 49, 0, false}, {"{\"exp\":100,\"nbf\":50}", 49, 1, true},
        {"{\"exp\":100,\"nbf\":null}", 60, 0, false}, {"{\"exp\":100.5}", 99, 0, true},
    };
    struct jwt t;
    struct err err;

    for (size_t i = 0; i < COUNTOF(cases); i++) {
        EXPECT_OK(jwt_parse(&arena, unsigned_token(&arena, "{\"alg\":\"HS256\"}", cases[i].claims), JWT_STRICT, &t, &err));
        if (jwt_check_times(&t, cases[i].now, cases[i].skew, true, &err) != cases[i].valid)
            TEST_FAIL("%s at %d", cases[i].claims, (int)cases[i].now);
    }
}

TEST(keys_that_are_not_for_signatures_are_left_out)
{
    WITH_ARENA;
    struct jwt_key key;

    EXPECT(!key_of(&arena, "{\"kty\":\"oct\",\"k\":\"AyM1\",\"use\":\"enc\"}", &key));
    EXPECT(!key_of(&arena, "{\"kty\":\"oct\",\"k\":\"AyM1\",\"key_ops\":[\"sign\"]}", &key));
    EXPECT(!key_of(&arena, "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", &key));
    EXPECT(!key_of(&arena, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAB\",\"y\":\"AQAB\"}", &key));
    EXPECT(!key_of(&arena, "{}", &key));
}
