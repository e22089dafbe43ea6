/* test_jwe.c: the examples of RFC 7516, 7517, 7518, 7519 and 7520, and what must not open.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/jwe.c"

#include "test.h"

#define WITH_ARENA struct arena arena AUTO(arena_destroy) = ARENA(NULL, 8 << 20)

#define JWS(...)
#define JWKS(...)

static const char *const keys[] = {
#define KEY(number, text) text,
#define JWE(...)
#include "jose_vectors.def"
#undef KEY
#undef JWE
};

static const struct vector {
    const char *name;
    int key;
    const char *token, *plain;
} vectors[] = {
#define KEY(...)
#define JWE(name, key, token, plain) {name, key, token, plain},
#include "jose_vectors.def"
#undef JWE
#undef JWKS
};

static const struct key_set {
    const char *name, *text;
} key_sets[] = {
#define JWE(...)
#define JWKS(name, text) {name, text},
#include "jose_vectors.def"
};

static void
key_of(struct arena *a, const char *jwk, struct jwt_key *ret)
{
    struct err err;

    EXPECT_OK(jwt_key_from_private_jwk(json_parse(a, str_from_c(jwk), JSON_STRICT, NULL), ret, &err));
}

static struct jwt_key
secret_key(size_t size)
{
    struct jwt_key k;
    char bytes[64];

    memset(bytes, 'k', sizeof(bytes));
    EXPECT(jwt_key_from_secret(str_from(bytes, size), STR_NONE, &k, NULL));
    return k;
}

/* ---- sealing, so that tests can make tokens of any header ---- */

static void
add_part(struct buf *to, struct str bytes)
{
    if (to->len)
        buf_add_char(to, '.');
    codec_base64url_encode(to, bytes);
}

/* dir with A128GCM under sixteen times 'k'. */
static struct str
seal(struct arena *a, const char *header, struct str plain)
{
    static const unsigned char iv[GCM_IV] = {1};
    struct buf token = buf_in(a);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    unsigned char *text = arena_alloc(a, plain.len + 16, 1, 1), tag[TAG];
    int n, last;

    codec_base64url_encode(&token, str_from_c(header));
    EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, (const unsigned char *)"kkkkkkkkkkkkkkkk", iv);
    EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)token.p, (int)token.len);
    EVP_EncryptUpdate(ctx, text, &n, (const unsigned char *)plain.p, (int)plain.len);
    EVP_EncryptFinal_ex(ctx, text + n, &last);
    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, tag);
    EVP_CIPHER_CTX_free(ctx);
    add_part(&token, STR_NONE);
    add_part(&token, str_from((const char *)iv, sizeof(iv)));
    add_part(&token, str_from((const char *)text, plain.len));
    add_part(&token, str_from((const char *)tag, TAG));
    return buf_str(&token);
}

static struct str
deflated(struct arena *a, struct str text)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)text.p, .avail_in = (uInt)text.len};
    size_t room = text.len + 1024;
    char *to = arena_alloc(a, room, 1, 1);

    EXPECT_EQ(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_out = (Bytef *)to;
    z.avail_out = (uInt)room;
    EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return str_from(to, z.total_out);
}

TEST(the_examples_of_the_rfcs_open)
{
    for (size_t i = 0; i < COUNTOF(vectors); i++) {
        const struct vector *v = &vectors[i];
        WITH_ARENA;
        struct jwt_key k;
        struct err err;
        struct str plain;

        key_of(&arena, keys[v->key], &k);
        if (!jwe_decrypt(&arena, str_from_c(v->token), &k, 1, &plain, &err))
            TEST_FAIL("%s: %s", v->name, err.text);
        else if (!str_eq(plain, str_from_c(v->plain)))
            TEST_FAIL("%s: another text", v->name);
        jwt_key_destroy(&k);
    }
}

TEST(a_changed_part_never_opens)
{
    for (size_t i = 0; i < COUNTOF(vectors); i++) {
        const struct vector *v = &vectors[i];
        WITH_ARENA;
        struct jwt_key k;
        struct str token = str_dup(&arena, str_from_c(v->token)), plain;
        char *p = (char *)token.p;

        key_of(&arena, keys[v->key], &k);
        for (size_t at = 3; at + 3 < token.len; at += 29) {
            struct err err;
            char was = p[at];
            if (was == '.')
                continue;
            p[at] = was == 'A' ? 'B' : 'A';
            if (jwe_decrypt(&arena, token, &k, 1, &plain, &err))
                TEST_FAIL("%s: opened with byte %zu changed", v->name, at);
            p[at] = was;
        }
        jwt_key_destroy(&k);
    }
}

TEST(the_key_agreement_of_rfc_7518_c)
{
    WITH_ARENA;
    static const char alice[] = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0\","
                                "\"y\":\"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps\"}";
    static const char bob[] = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ\","
                              "\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck\",\"d\":\"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw\"}";
    struct jwe t AUTO(jwe_destroy) = {.alg = &key_algorithms[12], .enc = &content_algorithms[3], .apu = STR("Alice"), .apv = STR("Bob")};
    struct jwt_key k;
    struct buf text = buf_in(&arena);
    struct err err;
    uint8_t cek[CEK_MAX];

    EXPECT_STR(str_from_c(t.alg->name), "ECDH-ES");
    EXPECT_STR(str_from_c(t.enc->name), "A128GCM");
    EXPECT_OK(jwt_key_from_jwk(json_parse(&arena, str_from_c(alice), JSON_STRICT, NULL), &t.epk, &err));
    key_of(&arena, bob, &k);
    EXPECT(unwrap_ecdh(&t, &k, cek));
    codec_base64url_encode(&text, str_from((const char *)cek, 16));
    EXPECT_STR(buf_str(&text), "VqqN6vgjbSBcIijNcacQGg");
    jwt_key_destroy(&k);
}

static const struct vector *
vector_named(const char *name)
{
    for (size_t i = 0; i < COUNTOF(vectors); i++)
        if (strcmp(vectors[i].name, name) == 0)
            return &vectors[i];
    TEST_FAIL("no example is called %s", name);
    return &vectors[0];
}

/* RFC 7519 A.2: what comes out is the token of RFC 7515 A.2, to be verified with the key that stands there. */
TEST(the_nested_token_of_rfc_7519_is_opened_and_then_verified)
{
    WITH_ARENA;
    const struct vector *v = vector_named("RFC 7519 A.2");
    struct jwt_key recipient, signer;
    struct str inner;
    struct jwt t;
    struct err err;

    key_of(&arena, keys[v->key], &recipient);
    key_of(&arena, keys[1], &signer);
    EXPECT(jwt_is_encrypted(str_from_c(v->token)));
    EXPECT(!jwt_parse(&arena, str_from_c(v->token), JWT_STRICT, &t, &err));
    EXPECT_ERR(jwe_decrypt(&arena, str_from_c(v->token), &signer, 1, &inner, &err), ERR_DENIED);
    EXPECT_OK(jwe_decrypt(&arena, str_from_c(v->token), &recipient, 1, &inner, &err));
    EXPECT_EQ(inner.len, 458);
    EXPECT(!jwt_is_encrypted(inner));
    EXPECT_OK(jwt_parse(&arena, inner, JWT_STRICT, &t, &err));
    EXPECT_STR(t.alg, "RS256");
    EXPECT_EQ(jwt_verify(&t, &signer, 1, JWT_KID_PREFERS, &err), JWT_VALID);
    EXPECT_EQ(jwt_verify(&t, &recipient, 1, JWT_KID_PREFERS, &err), JWT_BAD_SIGNATURE);
    EXPECT_STR(json_str(json_get_lit(t.claims, "iss"), STR("")), "joe");
    jwt_key_destroy(&recipient);
    jwt_key_destroy(&signer);
}

/* RFC 7517 C: a password opens it, and what comes out is a private key whose parts belong together. */
TEST(the_encrypted_key_of_rfc_7517_is_a_key)
{
    WITH_ARENA;
    const struct vector *v = vector_named("RFC 7517 C");
    struct jwt_key password, other, rsa;
    struct str plain;
    struct err err;

    key_of(&arena, keys[v->key], &password);
    EXPECT_STR(str_from((const char *)password.secret, password.secret_size), "Thus from my lips, by yours, my sin is purged.");
    EXPECT_OK(jwt_key_from_secret(STR("Thus from my lips, by yours, my sin is purged"), STR_NONE, &other, &err));
    EXPECT_ERR(jwe_decrypt(&arena, str_from_c(v->token), &other, 1, &plain, &err), ERR_DENIED);
    EXPECT_OK(jwe_decrypt(&arena, str_from_c(v->token), &password, 1, &plain, &err));
    EXPECT_OK(jwt_key_from_private_jwk(json_parse(&arena, plain, JSON_STRICT, NULL), &rsa, &err));
    EXPECT_STR(str_from_c(rsa.kid), "juliet@capulet.lit");
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(rsa.pkey, NULL);
    EXPECT_EQ(EVP_PKEY_pairwise_check(ctx), 1);
    EVP_PKEY_CTX_free(ctx);
    jwt_key_destroy(&password);
    jwt_key_destroy(&other);
    jwt_key_destroy(&rsa);
}

/* RFC 7517 A.3: the first key is the one of RFC 7516 A.3, and says that it is for A128KW. */
TEST(a_symmetric_key_opens_what_its_algorithm_says)
{
    WITH_ARENA;
    static const char of_another[] = "{\"kty\":\"oct\",\"alg\":\"A128GCMKW\",\"k\":\"GawgguFyGrWKav7AX4VKUg\"}";
    struct str token = str_from_c(vector_named("RFC 7516 A.3")->token), plain;
    struct jwt_key k, other;
    struct err err;

    EXPECT_STR(str_from_c(key_sets[2].name), "RFC 7517 A.3");
    const struct json *set = json_parse(&arena, str_from_c(key_sets[2].text), JSON_STRICT, NULL);
    EXPECT_OK(jwt_key_from_private_jwk(json_item(json_get_lit(set, "keys"), 0), &k, &err));
    key_of(&arena, of_another, &other);
    EXPECT_OK(jwe_decrypt(&arena, token, &k, 1, &plain, &err));
    EXPECT_STR(plain, "Live long and prosper.");
    EXPECT_ERR(jwe_decrypt(&arena, token, &other, 1, &plain, &err), ERR_NOT_FOUND);
    jwt_key_destroy(&k);
    jwt_key_destroy(&other);
}

TEST(the_type_of_the_key_decides)
{
    WITH_ARENA;
    struct jwt_key k = secret_key(16), rsa;
    struct str plain;
    struct err err;

    EXPECT_OK(jwe_decrypt(&arena, seal(&arena, "{\"alg\":\"dir\",\"enc\":\"A128GCM\"}", STR("x")), &k, 1, &plain, &err));
    EXPECT_STR(plain, "x");
    key_of(&arena, keys[vectors[0].key], &rsa);
    EXPECT_ERR(jwe_decrypt(&arena, seal(&arena, "{\"alg\":\"dir\",\"enc\":\"A128GCM\"}", STR("x")), &rsa, 1, &plain, &err), ERR_NOT_FOUND);
    EXPECT_ERR(jwe_decrypt(&arena, str_from_c(vectors[0].token), &k, 1, &plain, &err), ERR_NOT_FOUND);
    k.alg = xstrndup("A128KW", 6);
    EXPECT_ERR(jwe_decrypt(&arena, seal(&arena, "{\"alg\":\"dir\",\"enc\":\"A128GCM\"}", STR("x")), &k, 1, &plain, &err), ERR_NOT_FOUND);
    EXPECT_ERR(jwe_decrypt(&arena, str_from_c(vectors[0].token), NULL, 0, &plain, &err), ERR_NOT_FOUND);
    jwt_key_destroy(&rsa);
    jwt_key_destroy(&k);
}

TEST(the_second_key_is_tried_when_the_first_does_not_open)
{
    WITH_ARENA;
    struct jwt_key two[2] = {secret_key(16), secret_key(16)};
    struct str plain;
    struct err err;

    two[0].secret[0] = 'x';
    EXPECT_OK(jwe_decrypt(&arena, seal(&arena, "{\"alg\":\"dir\",\"enc\":\"A128GCM\"}", STR("x")), two, 2, &plain, &err));
    EXPECT_ERR(jwe_decrypt(&arena, seal(&arena, "{\"alg\":\"dir\",\"enc\":\"A128GCM\"}", STR("x")), two, 1, &plain, &err), ERR_DENIED);
    jwt_key_destroy(&two[0]);
    jwt_key_destroy(&two[1]);
}

TEST(headers_that_are_refused)
{
    WITH_ARENA;
    static const struct { const char *header; enum err_code code; } cases[] = {
        {"{\"alg\":\"none\",\"enc\":\"A128GCM\"}", ERR_UNSUPPORTED},
        {"{\"alg\":\"dir\",\"enc\":\"A128CBC\"}", ERR_UNSUPPORTED},
        {"{\"alg\":\"dir\"}", ERR_UNSUPPORTED},
        {"{\"enc\":\"A128GCM\"}", ERR_INVALID},
        {"{\"alg\":\"dir\",\"enc\":\"A128GCM\",\"zip\":\"GZIP\"}", ERR_UNSUPPORTED},
        {"{\"alg\":\"dir\",\"enc\":\"A128GCM\",\"zip\":1}", ERR_INVALID},
        {"{\"alg\":\"dir\",\"enc\":\"A128GCM\",\"crit\":[\"exp\"],\"exp\":1}", ERR_UNSUPPORTED},
        {"{\"alg\":\"dir\",\"enc\":\"A128GCM\",\"enc\":\"A128GCM\"}", ERR_INVALID},
        {"{\"alg\":\"dir\",\"enc\":\"A192GCM\"}", ERR_DENIED},
        {"{\"alg\":\"A128GCMKW\",\"enc\":\"A128GCM\"}", ERR_INVALID},
        {"{\"alg\":\"A128GCMKW\",\"enc\":\"A128GCM\",\"iv\":\"AAAA\",\"tag\":\"AAAA\"}", ERR_INVALID},
        {"{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A128GCM\",\"p2s\":\"AAAAAAAAAAAAAAAA\",\"p2c\":10001}", ERR_LIMIT},
        {"{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A128GCM\",\"p2s\":\"AAAAAAAAAAAAAAAA\",\"p2c\":2000000000}", ERR_LIMIT},
        {"{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A128GCM\",\"p2s\":\"AAAAAAAAAAAAAAAA\",\"p2c\":-1}", ERR_INVALID},
        {"{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A128GCM\",\"p2s\":\"AAAAAAAAAAAAAAAA\",\"p2c\":1e400}", ERR_INVALID},
        {"{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A128GCM\",\"p2s\":\"AA\",\"p2c\":1000}", ERR_INVALID},
        {"{\"alg\":\"PBES2-HS256+A128KW\",\"enc\":\"A128GCM\",\"p2s\":\"AAAAAAAAAAAAAAAA\",\"p2c\":1000}", ERR_DENIED},
        {"{\"alg\":\"ECDH-ES\",\"enc\":\"A128GCM\"}", ERR_INVALID},
        {"{\"alg\":\"ECDH-ES\",\"enc\":\"A128GCM\",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAB\",\"y\":\"AQAB\"}}", ERR_INVALID},
        {"{\"alg\":\"ECDH-ES\",\"enc\":\"A128GCM\",\"epk\":{\"kty\":\"oct\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}}", ERR_INVALID},
    };
    struct jwt_key k = secret_key(16);
    struct str plain;

    for (size_t i = 0; i < COUNTOF(cases); i++) {
        struct err err = ERR_INIT;
        if (jwe_decrypt(&arena, seal(&arena, cases[i].header, STR("x")), &k, 1, &plain, &err) || err.code != cases[i].code)
            TEST_FAIL("%s: %s", cases[i].header, err.text);
    }
    jwt_key_destroy(&k);
}

/* A point that is on no curve must not reach the private key. */
TEST(an_ephemeral_key_off_its_curve_is_refused)
{
    WITH_ARENA;
    struct str header = STR("{\"alg\":\"ECDH-ES\",\"enc\":\"A128GCM\",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\","
                            "\"x\":\"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0\",\"y\":\"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFppt\"}}");
    struct str zero = STR("{\"alg\":\"ECDH-ES\",\"enc\":\"A128GCM\",\"epk\":{\"kty\":\"EC\",\"crv\":\"P-256\","
                          "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}}");
    struct str plain;
    struct err err;

    EXPECT_ERR(jwe_decrypt(&arena, seal(&arena, header.p, STR("x")), NULL, 0, &plain, &err), ERR_INVALID);
    EXPECT_ERR(jwe_decrypt(&arena, seal(&arena, zero.p, STR("x")), NULL, 0, &plain, &err), ERR_INVALID);
}

TEST(what_is_inflated_is_bounded)
{
    WITH_ARENA;
    static const char header[] = "{\"alg\":\"dir\",\"enc\":\"A128GCM\",\"zip\":\"DEF\"}";
    char *zeros = arena_alloc(&arena, JWE_PLAIN_MAX + 1, 1, 1);
    struct jwt_key k = secret_key(16);
    struct str plain;
    struct err err;

    memset(zeros, '0', JWE_PLAIN_MAX + 1);
    EXPECT_OK(jwe_decrypt(&arena, seal(&arena, header, deflated(&arena, str_from(zeros, JWE_PLAIN_MAX))), &k, 1, &plain, &err));
    EXPECT_EQ(plain.len, JWE_PLAIN_MAX);
    EXPECT_ERR(jwe_decrypt(&arena, seal(&arena, header, deflated(&arena, str_from(zeros, JWE_PLAIN_MAX + 1))), &k, 1, &plain, &err), ERR_DENIED);
    EXPECT_ERR(jwe_decrypt(&arena, seal(&arena, header, STR("no deflate")), &k, 1, &plain, &err), ERR_DENIED);
    struct str more = str_concat(&arena, deflated(&arena, STR("x")), STR("tail"));
    EXPECT_ERR(jwe_decrypt(&arena, seal(&arena, header, more), &k, 1, &plain, &err), ERR_DENIED);
    EXPECT_OK(jwe_decrypt(&arena, seal(&arena, header, deflated(&arena, STR(""))), &k, 1, &plain, &err));
    EXPECT_EQ(plain.len, 0);
    jwt_key_destroy(&k);
}

TEST(tokens_of_another_shape_are_refused)
{
    WITH_ARENA;
    static const char *const refused[] = {"", "....", "a.b.c", "a.b.c.d", "e30.....", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0....=",
                                          "e30....", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0.AAAA.AAAA.AAAA.AAAA"};
    struct jwt_key k = secret_key(16);
    struct str plain;
    struct err err;

    for (size_t i = 0; i < COUNTOF(refused); i++)
        if (jwe_decrypt(&arena, str_from_c(refused[i]), &k, 1, &plain, &err))
            TEST_FAIL("opened %s", refused[i]);
    EXPECT(!jwt_is_encrypted(STR("a.b.c")));
    EXPECT(jwt_is_encrypted(STR("a.b.c.d.e")));
    jwt_key_destroy(&k);
}

/* One answer for everything that keys decide, whatever went wrong inside. */
TEST(all_failures_of_decryption_read_alike)
{
    WITH_ARENA;
    struct jwt_key k;
    struct str plain, token = str_from_c(vectors[1].token), first = STR_NONE;
    ptrdiff_t dot = str_find_char(token, '.', 0), second = str_find_char(token, '.', (size_t)dot + 1);

    EXPECT_STR(str_from_c(vectors[1].name), "RFC 7516 A.2");           /* RSA1_5 */
    key_of(&arena, keys[vectors[1].key], &k);
    for (int which = 0; which < 4; which++) {
        struct str copy = str_dup(&arena, token);
        char *p = (char *)copy.p;
        size_t at = which == 0 ? (size_t)dot + 5 : which == 1 ? (size_t)second - 4 : which == 2 ? (size_t)second + 3 : copy.len - 5;
        struct err err;

        p[at] = p[at] == 'A' ? 'B' : 'A';
        EXPECT_ERR(jwe_decrypt(&arena, copy, &k, 1, &plain, &err), ERR_DENIED);
        struct str text = str_dup(&arena, str_from_c(err.text));
        EXPECT(!first.p || str_eq(first, text));
        first = text;
    }
    jwt_key_destroy(&k);
}

TEST(what_is_sealed_here_opens_here)
{
    static const struct { const char *alg; size_t secret; } wraps[] = {{"dir", 0}, {"A128KW", 16}, {"A192KW", 24}, {"A256KW", 32},
                                                                       {"RSA-OAEP", 1000}, {"RSA-OAEP-256", 1000}};

    for (size_t w = 0; w < COUNTOF(wraps); w++) {
        for (size_t e = 0; e < COUNTOF(content_algorithms); e++) {
            WITH_ARENA;
            struct str enc = str_from_c(content_algorithms[e].name), plain;
            struct buf token = buf_in(&arena);
            struct jwt_key k;
            struct err err;

            if (wraps[w].secret == 1000)
                key_of(&arena, keys[vectors[0].key], &k);
            else
                k = secret_key(wraps[w].secret ? wraps[w].secret : content_algorithms[e].key_size);
            free(k.alg);
            k.alg = NULL;
            EXPECT_OK(jwe_encrypt(&k, str_from_c(wraps[w].alg), enc, STR("\"cty\":\"JWT\""), STR("inner"), &token, &err));
            EXPECT_OK(jwe_decrypt(&arena, buf_str(&token), &k, 1, &plain, &err));
            EXPECT_STR(plain, "inner");
            jwt_key_destroy(&k);
        }
    }
}

TEST(a_key_seals_only_what_it_fits)
{
    WITH_ARENA;
    struct jwt_key k = secret_key(16);
    struct buf token = buf_in(&arena);
    struct err err;

    EXPECT_ERR(jwe_encrypt(&k, STR("dir"), STR("A256GCM"), STR(""), STR("x"), &token, &err), ERR_INVALID);
    EXPECT_ERR(jwe_encrypt(&k, STR("A256KW"), STR("A256GCM"), STR(""), STR("x"), &token, &err), ERR_INVALID);
    EXPECT_ERR(jwe_encrypt(&k, STR("RSA-OAEP"), STR("A256GCM"), STR(""), STR("x"), &token, &err), ERR_INVALID);
    EXPECT_ERR(jwe_encrypt(&k, STR("ECDH-ES"), STR("A256GCM"), STR(""), STR("x"), &token, &err), ERR_INVALID);
    EXPECT_ERR(jwe_encrypt(&k, STR("none"), STR("A256GCM"), STR(""), STR("x"), &token, &err), ERR_UNSUPPORTED);
    jwt_key_destroy(&k);
}
