/* test_jwt.c: the examples of RFC 7515, 7519 and 7520, the key sets of RFC 7517 with tokens, and what must not pass.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/jwt.c"

#include <openssl/x509.h>

#include "test.h"

#define WITH_ARENA struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20)

/* RFC 7515, appendix A.1, which is the example of RFC 7519 3.1, too. */
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

static struct str
signed_by(struct arena *a, const struct jwt_key *key, const char *alg, const char *header)
{
    struct buf b = buf_in(a);
    struct err err;

    EXPECT_OK(jwt_sign(key, str_from_c(alg), str_from_c(header), STR("{\"sub\":\"x\"}"), &b, &err));
    return buf_str(&b);
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
    EXPECT_EQ(jwt_verify(&t, &key, 1, JWT_KID_DECIDES, &err), JWT_VALID);
    key.secret[0] ^= 1;
    EXPECT_EQ(jwt_verify(&t, &key, 1, JWT_KID_DECIDES, &err), JWT_BAD_SIGNATURE);
    EXPECT_EQ(jwt_verify(&t, NULL, 0, JWT_KID_DECIDES, &err), JWT_NO_KEY);
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
    EXPECT_EQ(jwt_verify(&t, &key, 1, JWT_KID_DECIDES, &err), JWT_BAD_SIGNATURE);
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
        EXPECT_EQ(jwt_verify(&t, &key, 1, JWT_KID_DECIDES, &err), JWT_BAD_ALGORITHM);
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

/* ---- the examples of the RFCs ---- */

#undef KEY
#define JWE(...)

static const char *const vector_keys[] = {
#define KEY(number, text) text,
#define JWS(...)
#define JWKS(...)
#include "jose_vectors.def"
#undef KEY
#undef JWS
};

static const struct vector {
    const char *name;
    int key;
    const char *token, *payload;
} vectors[] = {
#define KEY(...)
#define JWS(name, key, token, payload) {name, key, token, payload},
#include "jose_vectors.def"
#undef JWS
#undef JWKS
};

static const struct key_set {
    const char *name, *text;
} key_sets[] = {
#define JWS(...)
#define JWKS(name, text) {name, text},
#include "jose_vectors.def"
};

TEST(the_examples_of_the_rfcs_are_valid)
{
    for (size_t i = 0; i < COUNTOF(vectors); i++) {
        WITH_ARENA;
        const struct vector *v = &vectors[i];
        struct jwt t;
        struct jwt_key key;
        struct err err;

        EXPECT_OK(jwt_parse(&arena, str_from_c(v->token), JWT_ANY_PAYLOAD, &t, &err));
        EXPECT(str_eq(t.payload, str_from_c(v->payload)));
        EXPECT(key_of(&arena, vector_keys[v->key], &key));
        if (jwt_verify(&t, &key, 1, JWT_KID_DECIDES, &err) != JWT_VALID)
            TEST_FAIL("%s: %s", v->name, err.text);
        jwt_key_destroy(&key);
    }
}

TEST(a_changed_byte_is_never_valid)
{
    for (size_t i = 0; i < COUNTOF(vectors); i++) {
        WITH_ARENA;
        struct str token = str_dup(&arena, str_from_c(vectors[i].token));
        struct jwt_key key;
        char *p = (char *)token.p;

        EXPECT(key_of(&arena, vector_keys[vectors[i].key], &key));
        for (size_t at = 0; at < token.len; at += 17) {
            struct jwt t;
            struct err err;
            char was = p[at];

            if (was == '.')
                continue;
            p[at] = was == 'Q' ? 'g' : 'Q';
            if (jwt_parse(&arena, token, JWT_ANY_PAYLOAD, &t, &err) && jwt_verify(&t, &key, 1, JWT_KID_DECIDES, &err) == JWT_VALID)
                TEST_FAIL("%s: valid with byte %zu changed", vectors[i].name, at);
            p[at] = was;
        }
        jwt_key_destroy(&key);
    }
}

/* RFC 7519 3.1, and 4.1.4: at `exp` it is over. */
TEST(the_claims_of_rfc_7519_are_read)
{
    WITH_ARENA;
    struct jwt t;
    struct err err;
    int64_t exp;

    EXPECT_OK(jwt_parse(&arena, STR(HEADER "." PAYLOAD "." SIGNATURE), JWT_STRICT, &t, &err));
    EXPECT_STR(t.typ, "JWT");
    EXPECT_EQ(json_count(t.claims), 3);
    EXPECT_STR(json_str(json_get_lit(t.claims, "iss"), STR("")), "joe");
    EXPECT(jwt_claim_time(&t, STR("exp"), &exp));
    EXPECT_EQ(exp, 1300819380);
    EXPECT(json_bool(json_get_lit(t.claims, "http://example.com/is_root"), false));
    EXPECT_OK(jwt_check_times(&t, 1300819379, 0, true, &err));
    EXPECT_ERR(jwt_check_times(&t, 1300819380, 0, true, &err), ERR_TIMEOUT);
}

/* RFC 7519 6.1 and RFC 7515 A.5, and the same with a signature behind it. */
TEST(the_unsecured_example_of_rfc_7519_is_valid_by_no_key)
{
    WITH_ARENA;
    static const char *const tokens[] = {"eyJhbGciOiJub25lIn0." PAYLOAD ".", "eyJhbGciOiJub25lIn0." PAYLOAD "." SIGNATURE};

    for (size_t i = 0; i < COUNTOF(tokens); i++) {
        struct jwt t;
        struct err err;

        EXPECT_OK(jwt_parse(&arena, str_from_c(tokens[i]), JWT_STRICT, &t, &err));
        EXPECT_STR(t.alg, "none");
        EXPECT_EQ(jwt_verify(&t, NULL, 0, JWT_KID_PREFERS, &err), JWT_BAD_ALGORITHM);
        for (size_t k = 0; k < COUNTOF(vectors); k++) {
            struct jwt_key key;
            EXPECT(key_of(&arena, vector_keys[vectors[k].key], &key));
            EXPECT_EQ(jwt_verify(&t, &key, 1, JWT_KID_PREFERS, &err), JWT_BAD_ALGORITHM);
            jwt_key_destroy(&key);
        }
    }
    /* Without the second dot it is no token at all. */
    struct jwt t;
    struct err err;
    EXPECT_ERR(jwt_parse(&arena, STR("eyJhbGciOiJub25lIn0." PAYLOAD), JWT_STRICT, &t, &err), ERR_SYNTAX);
}

/* RFC 7519 5.2: nested by signing. Only the other way is read, a signed token in an encrypted one (test_jwe.c). */
TEST(a_token_that_is_signed_again_is_refused)
{
    WITH_ARENA;
    struct buf token = buf_in(&arena);
    struct jwt_key key;
    struct jwt t;
    struct err err;

    EXPECT(key_of(&arena, vector_keys[vectors[0].key], &key));
    EXPECT_OK(jwt_sign(&key, STR("HS256"), STR("{\"alg\":\"HS256\",\"cty\":\"JWT\"}"), STR(HEADER "." PAYLOAD "." SIGNATURE), &token,
                       &err));
    EXPECT(!jwt_parse(&arena, buf_str(&token), JWT_STRICT, &t, &err));
    EXPECT(str_find(str_from_c(err.text), STR("payload"), 0) >= 0);
    jwt_key_destroy(&key);
}

/* ---- the key sets of RFC 7517 ---- */

static const struct json *
set_named(struct arena *a, const char *name)
{
    for (size_t i = 0; i < COUNTOF(key_sets); i++)
        if (strcmp(key_sets[i].name, name) == 0)
            return json_parse(a, str_from_c(key_sets[i].text), JSON_STRICT, NULL);
    return NULL;
}

static const struct json *
key_in(struct arena *a, const char *set, size_t i)
{
    return json_item(json_get_lit(set_named(a, set), "keys"), i);
}

/* Whether the private part belongs to the public one, as OpenSSL judges. */
static bool
is_pair(const struct jwt_key *k)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
    bool ok = ctx && EVP_PKEY_pairwise_check(ctx) == 1;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

TEST(the_public_keys_of_rfc_7517_a_1)
{
    WITH_ARENA;
    struct jwt_key *keys, key;
    size_t n = 0;
    struct err err;

    EXPECT_ERR(jwt_key_from_jwk(key_in(&arena, "RFC 7517 A.1", 0), &key, &err), ERR_UNSUPPORTED);         /* use enc */
    EXPECT_OK(jwt_keys_from_jwks(set_named(&arena, "RFC 7517 A.1"), &keys, &n, &err));
    EXPECT_EQ(n, 1);
    EXPECT_EQ(keys[0].kind, JWT_KEY_RSA);
    EXPECT_EQ(EVP_PKEY_get_bits(keys[0].pkey), 2048);
    EXPECT_STR(str_from_c(keys[0].kid), "2011-04-29");
    EXPECT_STR(str_from_c(keys[0].alg), "RS256");
    jwt_keys_delete(keys, n);
}

TEST(the_private_keys_of_rfc_7517_a_2_belong_to_the_public_ones)
{
    WITH_ARENA;
    struct jwt_key ec, rsa, *public;
    struct buf jwk = buf_in(&arena);
    size_t n = 0;
    struct jwt t;
    struct err err;

    EXPECT_OK(jwt_keys_from_jwks(set_named(&arena, "RFC 7517 A.1"), &public, &n, &err));
    EXPECT_EQ(n, 1);
    EXPECT_OK(jwt_key_from_private_jwk(key_in(&arena, "RFC 7517 A.2", 0), &ec, &err));
    EXPECT_EQ(ec.kind, JWT_KEY_EC);
    EXPECT_EQ(ec.coordinate_size, 32);
    EXPECT_STR(str_from_c(ec.kid), "1");
    EXPECT(is_pair(&ec));
    EXPECT(jwt_key_write_jwk(&ec, &jwk));
    const struct json *written = json_parse(&arena, buf_str(&jwk), JSON_STRICT, NULL), *given = key_in(&arena, "RFC 7517 A.1", 0);
    EXPECT(str_eq(json_str(json_get_lit(written, "x"), STR("")), json_str(json_get_lit(given, "x"), STR_NONE)));
    EXPECT(str_eq(json_str(json_get_lit(written, "y"), STR("")), json_str(json_get_lit(given, "y"), STR_NONE)));
    EXPECT_OK(jwt_key_from_private_jwk(key_in(&arena, "RFC 7517 A.2", 1), &rsa, &err));
    EXPECT_STR(str_from_c(rsa.kid), "2011-04-29");
    EXPECT(is_pair(&rsa));
    EXPECT_EQ(EVP_PKEY_eq(rsa.pkey, public[0].pkey), 1);
    EXPECT_OK(jwt_parse(&arena, signed_by(&arena, &rsa, "RS256", "{\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}"), JWT_STRICT, &t, &err));
    EXPECT_EQ(jwt_verify(&t, public, n, JWT_KID_DECIDES, &err), JWT_VALID);
    EXPECT_OK(jwt_parse(&arena, signed_by(&arena, &rsa, "RS256", "{\"alg\":\"RS256\",\"kid\":\"1\"}"), JWT_STRICT, &t, &err));
    EXPECT_EQ(jwt_verify(&t, public, n, JWT_KID_DECIDES, &err), JWT_NO_KEY);
    EXPECT_OK(jwt_parse(&arena, signed_by(&arena, &rsa, "PS256", "{\"alg\":\"PS256\"}"), JWT_STRICT, &t, &err));
    EXPECT_EQ(jwt_verify(&t, public, n, JWT_KID_DECIDES, &err), JWT_NO_KEY);             /* the key says RS256 */
    jwt_key_destroy(&ec);
    jwt_key_destroy(&rsa);
    jwt_keys_delete(public, n);
}

/* An issuer that publishes private numbers by mistake: its keys verify, and nothing here could sign with them. */
TEST(private_numbers_in_a_published_set_are_not_taken)
{
    WITH_ARENA;
    struct buf token = buf_in(&arena);
    struct jwt_key *keys;
    size_t n = 0;
    struct err err;

    EXPECT_OK(jwt_keys_from_jwks(set_named(&arena, "RFC 7517 A.2"), &keys, &n, &err));
    EXPECT_EQ(n, 1);
    EXPECT_ERR(jwt_sign(&keys[0], STR("RS256"), STR("{\"alg\":\"RS256\"}"), STR("{}"), &token, &err), ERR_INVALID);
    jwt_keys_delete(keys, n);
}

/* The second is the key of RFC 7515 A.1; the first is for A128KW and verifies nothing (it opens a token in test_jwe.c). */
TEST(the_symmetric_keys_of_rfc_7517_a_3)
{
    WITH_ARENA;
    struct jwt_key *keys;
    size_t n = 0;
    struct jwt t;
    struct err err;

    EXPECT_OK(jwt_keys_from_jwks(set_named(&arena, "RFC 7517 A.3"), &keys, &n, &err));
    EXPECT_EQ(n, 2);
    EXPECT_EQ(keys[0].secret_size, 16);
    EXPECT_STR(str_from_c(keys[0].alg), "A128KW");
    EXPECT(!keys[0].kid);
    EXPECT_EQ(keys[1].secret_size, 64);
    EXPECT_STR(str_from_c(keys[1].kid), "HMAC key used in JWS spec Appendix A.1 example");
    EXPECT(!keys[1].alg);
    EXPECT_OK(jwt_parse(&arena, STR(HEADER "." PAYLOAD "." SIGNATURE), JWT_STRICT, &t, &err));
    EXPECT_EQ(jwt_verify(&t, keys, 1, JWT_KID_DECIDES, &err), JWT_NO_KEY);
    EXPECT_EQ(jwt_verify(&t, keys, 2, JWT_KID_DECIDES, &err), JWT_VALID);
    jwt_keys_delete(keys, n);
}

/* RFC 7517 4.7: the numbers are the key, and its certificate holds the same ones; a certificate alone is no key (RFC 7518 6.3.1: n and
 * e must be there). */
TEST(the_key_with_a_certificate_of_rfc_7517_b)
{
    WITH_ARENA;
    struct str text = json_str(json_item(json_get_lit(key_in(&arena, "RFC 7517 B", 0), "x5c"), 0), STR(""));
    struct buf der = buf_in(&arena);
    struct jwt_key *keys, key;
    size_t n = 0;
    struct err err;

    EXPECT_OK(codec_base64_decode(&der, text, &err));
    const unsigned char *p = (const unsigned char *)der.p;
    X509 *certificate = d2i_X509(NULL, &p, (long)der.len);
    EXPECT(certificate);
    EXPECT_OK(jwt_keys_from_jwks(set_named(&arena, "RFC 7517 B"), &keys, &n, &err));
    EXPECT_EQ(n, 1);
    EXPECT_STR(str_from_c(keys[0].kid), "1b94c");
    EXPECT(!keys[0].alg);
    EXPECT_EQ(EVP_PKEY_eq(keys[0].pkey, X509_get0_pubkey(certificate)), 1);
    EXPECT_EQ(X509_verify(certificate, keys[0].pkey), 1);                                /* it signed itself */
    X509_free(certificate);
    jwt_keys_delete(keys, n);
    struct str alone = str_printf(&arena, "{\"kty\":\"RSA\",\"use\":\"sig\",\"kid\":\"1b94c\",\"x5c\":[\"%.*s\"]}", STR_ARG(text));
    EXPECT_ERR(jwt_key_from_jwk(json_parse(&arena, alone, JSON_STRICT, NULL), &key, &err), ERR_INVALID);
}

/* ---- attacks ---- */

/* Both parts of the RSA key of RFC 7515 A.2. */
static void
rsa_keys(struct arena *a, struct jwt_key *private, struct jwt_key *public)
{
    const struct json *jwk = json_parse(a, str_from_c(vector_keys[vectors[1].key]), JSON_STRICT, NULL);
    struct err err;

    EXPECT_OK(jwt_key_from_private_jwk(jwk, private, &err));
    EXPECT_OK(jwt_key_from_jwk(jwk, public, &err));
}

TEST(a_public_key_is_no_hmac_secret)
{
    WITH_ARENA;
    struct jwt_key private, public, forger;
    struct buf pem = buf_in(&arena);
    struct jwt t;
    struct err err;

    rsa_keys(&arena, &private, &public);
    EXPECT(jwt_key_write_jwk(&public, &pem));
    EXPECT_OK(jwt_key_from_secret(buf_str(&pem), STR_NONE, &forger, &err));
    struct str token = signed_by(&arena, &forger, "HS256", "{\"alg\":\"HS256\"}");
    EXPECT_OK(jwt_parse(&arena, token, JWT_STRICT, &t, &err));
    EXPECT_EQ(jwt_verify(&t, &public, 1, JWT_KID_PREFERS, &err), JWT_NO_KEY);
    jwt_key_destroy(&private);
    jwt_key_destroy(&public);
    jwt_key_destroy(&forger);
}

TEST(the_padding_is_the_algorithms_not_the_keys)
{
    WITH_ARENA;
    static const struct { const char *signed_with, *claims_to_be; } cases[] = {
        {"RS256", "PS256"}, {"PS256", "RS256"}, {"RS256", "RS384"}, {"RS512", "RS256"}, {"PS384", "PS512"}, {"RS256", "ES256"}};
    struct jwt_key private, public;

    rsa_keys(&arena, &private, &public);
    for (size_t i = 0; i < COUNTOF(cases); i++) {
        struct str header = str_printf(&arena, "{\"alg\":\"%s\"}", cases[i].claims_to_be);
        struct str token = signed_by(&arena, &private, cases[i].signed_with, header.p);
        struct jwt t;
        struct err err;

        EXPECT_OK(jwt_parse(&arena, token, JWT_STRICT, &t, &err));
        EXPECT(jwt_verify(&t, &public, 1, JWT_KID_PREFERS, &err) != JWT_VALID);
    }
    jwt_key_destroy(&private);
    jwt_key_destroy(&public);
}

TEST(keys_in_the_header_are_not_looked_at)
{
    WITH_ARENA;
    struct jwt_key private, public;
    struct buf jwk = buf_in(&arena), bob = buf_in(&arena);
    struct jwt_key other;
    struct jwt t;
    struct err err;

    rsa_keys(&arena, &private, &public);
    EXPECT(jwt_key_write_jwk(&public, &jwk));
    EXPECT(key_of(&arena, vector_keys[vectors[4].key], &other));
    EXPECT(jwt_key_write_jwk(&other, &bob));
    struct str header = str_printf(&arena, "{\"alg\":\"RS256\",\"jwk\":%.*s,\"jku\":\"https://evil.example/\",\"x5u\":\"https://evil.example/\"}", STR_ARG(buf_str(&jwk)));
    EXPECT_OK(jwt_parse(&arena, signed_by(&arena, &private, "RS256", header.p), JWT_STRICT, &t, &err));
    EXPECT_EQ(jwt_verify(&t, &other, 1, JWT_KID_PREFERS, &err), JWT_BAD_SIGNATURE);
    EXPECT_EQ(jwt_verify(&t, &public, 1, JWT_KID_PREFERS, &err), JWT_VALID);
    jwt_key_destroy(&private);
    jwt_key_destroy(&public);
    jwt_key_destroy(&other);
}

TEST(a_kid_chooses_among_the_keys_of_an_issuer_and_is_a_hint_for_others)
{
    WITH_ARENA;
    struct jwt_key keys[2];
    struct jwt t;
    struct err err;

    EXPECT_OK(jwt_key_from_secret(STR("first-secret-of-some-length-0001"), STR("a"), &keys[0], &err));
    EXPECT_OK(jwt_key_from_secret(STR("second-secret-of-some-length-002"), STR("b"), &keys[1], &err));
    EXPECT_OK(jwt_parse(&arena, signed_by(&arena, &keys[1], "HS256", "{\"alg\":\"HS256\",\"kid\":\"b\"}"), JWT_STRICT, &t, &err));
    EXPECT_EQ(jwt_verify(&t, keys, 2, JWT_KID_DECIDES, &err), JWT_VALID);
    EXPECT_EQ(jwt_verify(&t, keys, 1, JWT_KID_DECIDES, &err), JWT_NO_KEY);
    EXPECT_EQ(jwt_verify(&t, keys, 1, JWT_KID_PREFERS, &err), JWT_BAD_SIGNATURE);
    EXPECT_OK(jwt_parse(&arena, signed_by(&arena, &keys[1], "HS256", "{\"alg\":\"HS256\",\"kid\":\"a\"}"), JWT_STRICT, &t, &err));
    EXPECT_EQ(jwt_verify(&t, keys, 2, JWT_KID_PREFERS, &err), JWT_BAD_SIGNATURE);     /* there is an `a`, so it is that one */
    EXPECT_OK(jwt_parse(&arena, signed_by(&arena, &keys[1], "HS256", "{\"alg\":\"HS256\",\"kid\":\"c\"}"), JWT_STRICT, &t, &err));
    EXPECT_EQ(jwt_verify(&t, keys, 2, JWT_KID_DECIDES, &err), JWT_NO_KEY);
    EXPECT_EQ(jwt_verify(&t, keys, 2, JWT_KID_PREFERS, &err), JWT_VALID);
    jwt_key_destroy(&keys[0]);
    jwt_key_destroy(&keys[1]);
}

TEST(kids_are_bounded_and_opaque)
{
    WITH_ARENA;
    char kid[300];
    struct jwt t;
    struct err err;

    memset(kid, 'k', sizeof(kid));
    struct str longest = str_printf(&arena, "{\"alg\":\"HS256\",\"kid\":\"%.256s\"}", kid);
    EXPECT_OK(jwt_parse(&arena, unsigned_token(&arena, longest.p, "{}"), JWT_STRICT, &t, &err));
    EXPECT_EQ(t.kid.len, 256);
    longest = str_printf(&arena, "{\"alg\":\"HS256\",\"kid\":\"%.257s\"}", kid);
    EXPECT_ERR(jwt_parse(&arena, unsigned_token(&arena, longest.p, "{}"), JWT_STRICT, &t, &err), ERR_LIMIT);
}

TEST(ecdsa_numbers_are_in_range_and_raw)
{
    WITH_ARENA;
    struct jwt_key key;
    struct jwt t;
    struct err err;
    struct str es256 = str_from_c(vectors[2].token);
    size_t dot = (size_t)str_rfind_char(es256, '.');
    unsigned char bad[4][72] = {0};
    size_t sizes[4] = {64, 64, 64, 70};

    EXPECT_STR(str_from_c(vectors[2].name), "RFC 7515 A.3");
    EXPECT(key_of(&arena, vector_keys[vectors[2].key], &key));
    memset(bad[1], 0xff, 64);                                   /* above the order */
    bad[2][31] = 1;                                             /* s is zero */
    memcpy(bad[3], "\x30\x44\x02\x20", 4);                  /* DER */
    for (size_t i = 0; i < COUNTOF(bad); i++) {
        struct buf b = buf_in(&arena);
        buf_add_str(&b, str_sub(es256, 0, dot + 1));
        codec_base64url_encode(&b, str_from((const char *)bad[i], sizes[i]));
        EXPECT_OK(jwt_parse(&arena, buf_str(&b), JWT_STRICT, &t, &err));
        EXPECT_EQ(jwt_verify(&t, &key, 1, JWT_KID_PREFERS, &err), JWT_BAD_SIGNATURE);
    }
    jwt_key_destroy(&key);
}

/* ---- keys ---- */

TEST(weak_keys_are_refused)
{
    WITH_ARENA;
    static const char *const weak[] = {
        "{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0O\"}",
        "{\"kty\":\"RSA\",\"e\":\"AQ\",\"n\":\"u-SfdHPjFtGmzuoH6gheIIZ4nLwUHBQEtFGqOe0N8JuZUc5VOzlI8yl0r8ESilAouttkdftexj4VFJz5R9FH90ypVQDPL0H4mC_RtkcJ1DBB8MriU8dmzqSXP1SBs4s5L-pJWxKKLjXu-SfdHPjFtGmzuoH6gheIIZ4nLwUHBQEtFGqOe0N8JuZUc5VOzlI8yl0r8ESilAouttkdftexj4VFJz5R9FH90ypVQDPL0H4mC_RtkcJ1DBB8MriU8dmzqSXP1SBs4s5L-pJWxKKLjXu-SfdHPjFtGmzuoH6gheIIZ4nLwUHBQEtFGqOe0N8JuZUc5VOzlI8yl0r8ESilAouttkdfteE\"}",
        "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"Ss6na3mcci8Ud4lQrjaB_T40sfKApEcl2RLIWOJdjow\",\"y\":\"7l9qIKtKPW6oEiOYBt7r22Sm0mtFJU-yBkkvMvpscd8\"}",
    };
    struct jwt_key key;

    for (size_t i = 0; i < COUNTOF(weak); i++)
        if (key_of(&arena, weak[i], &key))
            TEST_FAIL("took %s", weak[i]);
    EXPECT(!jwt_key_from_secret(STR("fifteen bytes.."), STR_NONE, &key, NULL));
}

TEST(secrets_of_a_set_have_the_size_of_their_hash)
{
    WITH_ARENA;
    struct jwt_key full, own;
    struct jwt t;
    struct err err;

    EXPECT(key_of(&arena, "{\"kty\":\"oct\",\"k\":\"MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI\"}", &full));
    EXPECT_OK(jwt_key_from_secret(STR("12345678901234567890123456789012"), STR_NONE, &own, &err));
    EXPECT_OK(jwt_parse(&arena, signed_by(&arena, &own, "HS512", "{\"alg\":\"HS512\"}"), JWT_STRICT, &t, &err));
    EXPECT_EQ(jwt_verify(&t, &full, 1, JWT_KID_PREFERS, &err), JWT_NO_KEY);
    EXPECT_EQ(jwt_verify(&t, &own, 1, JWT_KID_PREFERS, &err), JWT_VALID);
    EXPECT_OK(jwt_parse(&arena, signed_by(&arena, &own, "HS256", "{\"alg\":\"HS256\"}"), JWT_STRICT, &t, &err));
    EXPECT_EQ(jwt_verify(&t, &full, 1, JWT_KID_PREFERS, &err), JWT_VALID);
    jwt_key_destroy(&full);
    jwt_key_destroy(&own);
}

TEST(an_algorithm_in_a_key_admits_no_weaker_one)
{
    WITH_ARENA;
    static const struct { const char *key, *token; bool ok; } cases[] = {
        {"PS256", "PS256", true}, {"PS256", "PS512", true}, {"PS512", "PS256", false}, {"RS256", "PS256", false},
        {"RSA-OAEP", "RS256", false}, {"", "RS256", true}, {"ES521", "RS256", false}};
    struct jwt_key private, public;

    rsa_keys(&arena, &private, &public);
    for (size_t i = 0; i < COUNTOF(cases); i++) {
        struct str header = str_printf(&arena, "{\"alg\":\"%s\"}", cases[i].token);
        struct jwt t;
        struct err err;

        free(public.alg);
        public.alg = cases[i].key[0] ? xstrndup(cases[i].key, strlen(cases[i].key)) : NULL;
        EXPECT_OK(jwt_parse(&arena, signed_by(&arena, &private, cases[i].token, header.p), JWT_STRICT, &t, &err));
        EXPECT_EQ(jwt_verify(&t, &public, 1, JWT_KID_PREFERS, &err) == JWT_VALID, cases[i].ok);
    }
    jwt_key_destroy(&private);
    jwt_key_destroy(&public);
}

#define RSA_N \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs" \
    "D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV" \
    "MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"

static size_t
keys_in(struct arena *a, const char *set)
{
    struct jwt_key *keys;
    size_t n = 0;
    struct err err;

    EXPECT_OK(jwt_keys_from_jwks(json_parse(a, str_from_c(set), JSON_STRICT, NULL), &keys, &n, &err));
    jwt_keys_delete(keys, n);
    return n;
}

TEST(key_sets_keep_what_can_be_trusted)
{
    WITH_ARENA;
    static const char rsa[] = "{\"kty\":\"RSA\",\"kid\":\"a\",\"e\":\"AQAB\",\"n\":\"" RSA_N "\"}";
    static const char secret[] = "{\"kty\":\"oct\",\"kid\":\"s\",\"k\":\"MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI\"}";
    static const char other[] = "{\"kty\":\"oct\",\"kid\":\"s\",\"k\":\"MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTM\"}";
    struct jwt_key *keys;
    size_t n;
    struct err err;

    EXPECT_EQ(keys_in(&arena, str_printf(&arena, "{\"keys\":[%s]}", rsa).p), 1);
    EXPECT_EQ(keys_in(&arena, str_printf(&arena, "{\"keys\":[%s,%s]}", rsa, rsa).p), 2);           /* twice the same */
    EXPECT_EQ(keys_in(&arena, str_printf(&arena, "{\"keys\":[%s,%s]}", rsa, secret).p), 1);        /* a secret anybody can read */
    EXPECT_EQ(keys_in(&arena, str_printf(&arena, "{\"keys\":[%s]}", secret).p), 1);
    EXPECT_EQ(keys_in(&arena, str_printf(&arena, "{\"keys\":[%s,%s]}", secret, other).p), 0);      /* two keys, one name */
    EXPECT_EQ(keys_in(&arena, "{\"keys\":[1,\"x\",null,{},{\"kty\":\"RSA\"}]}"), 0);
    EXPECT_ERR(jwt_keys_from_jwks(json_parse(&arena, STR("{\"keys\":{}}"), JSON_STRICT, NULL), &keys, &n, &err), ERR_INVALID);
    struct buf many = buf_in(&arena);
    buf_add_lit(&many, "{\"keys\":[0");
    for (int i = 0; i < JWT_KEYS_MAX; i++)
        buf_add_lit(&many, ",0");
    buf_add_lit(&many, "]}");
    EXPECT_ERR(jwt_keys_from_jwks(json_parse(&arena, buf_str(&many), JSON_STRICT, NULL), &keys, &n, &err), ERR_LIMIT);
}

TEST(what_is_signed_here_is_valid_here)
{
    static const char *const algorithms_by_vector[][4] = {
        {"HS256", "HS384", "HS512", NULL}, {"RS256", "RS512", "PS256", "PS384"}, {"ES256", NULL, NULL, NULL}, {"ES512", NULL, NULL, NULL}};

    for (size_t i = 0; i < COUNTOF(algorithms_by_vector); i++) {
        WITH_ARENA;
        const struct json *jwk = json_parse(&arena, str_from_c(vector_keys[vectors[i].key]), JSON_STRICT, NULL);
        struct jwt_key private, public, again;
        struct buf text = buf_in(&arena);
        struct err err;

        EXPECT_OK(jwt_key_from_private_jwk(jwk, &private, &err));
        EXPECT_OK(jwt_key_from_jwk(jwk, &public, &err));
        for (size_t k = 0; k < 4 && algorithms_by_vector[i][k]; k++) {
            struct str header = str_printf(&arena, "{\"alg\":\"%s\"}", algorithms_by_vector[i][k]);
            struct jwt t;
            EXPECT_OK(jwt_parse(&arena, signed_by(&arena, &private, algorithms_by_vector[i][k], header.p), JWT_STRICT, &t, &err));
            EXPECT_EQ(jwt_verify(&t, &public, 1, JWT_KID_PREFERS, &err), JWT_VALID);
        }
        EXPECT_ERR(jwt_sign(&private, STR("none"), STR("{}"), STR("{}"), &text, &err), ERR_INVALID);
        EXPECT_ERR(jwt_sign(&private, STR("EdDSA"), STR("{}"), STR("{}"), &text, &err), ERR_INVALID);
        buf_clear(&text);
        EXPECT_EQ(jwt_key_write_jwk(&public, &text), public.kind != JWT_KEY_SECRET);
        if (public.kind != JWT_KEY_SECRET) {
            EXPECT(key_of(&arena, buf_str(&text).p, &again));
            EXPECT_EQ(EVP_PKEY_eq(public.pkey, again.pkey), 1);
            jwt_key_destroy(&again);
        }
        jwt_key_destroy(&private);
        jwt_key_destroy(&public);
    }
}

/* RFC 8037, appendix A. */
TEST(ed25519_signs_and_verifies)
{
    WITH_ARENA;
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    struct jwt_key key, public;
    struct buf jwk = buf_in(&arena);
    struct jwt t;
    struct err err;

    EXPECT_OK(jwt_key_from_pkey(pkey, STR("e"), &key, &err));
    EXPECT_OK(jwt_parse(&arena, signed_by(&arena, &key, "EdDSA", "{\"alg\":\"EdDSA\"}"), JWT_STRICT, &t, &err));
    EXPECT(jwt_key_write_jwk(&key, &jwk));
    EXPECT(key_of(&arena, buf_str(&jwk).p, &public));
    EXPECT_EQ(jwt_verify(&t, &public, 1, JWT_KID_PREFERS, &err), JWT_VALID);
    EXPECT_ERR(jwt_sign(&public, STR("EdDSA"), STR("{}"), STR("{}"), &jwk, &err), ERR_INVALID);   /* no private part */
    jwt_key_destroy(&key);
    jwt_key_destroy(&public);
    EVP_PKEY_free(pkey);
}
