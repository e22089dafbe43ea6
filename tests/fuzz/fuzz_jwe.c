/* fuzz_jwe.c: encrypted tokens. First byte 't': the rest is a token, tried with a key of each kind; 's': header JSON, NUL, text, sealed
 * here with a key that opens it, so that what lies behind the tag (zip, limits) is reached, too.
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "base/codec.h"
#include "data/jwe.h"

#define IV "abcdefghijkl"
#define KEY "sixteen bytes.. "

/* dir with A128GCM. */
static struct str
seal(struct arena *a, struct str header, struct str plain)
{
    struct buf token = buf_in(a);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    unsigned char *text = arena_alloc(a, plain.len + 16, 1, 1), tag[16];
    int n = 0, last = 0;

    ASSERT(ctx && text);
    codec_base64url_encode(&token, header);
    EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, (const unsigned char *)KEY, (const unsigned char *)IV);
    if (token.len)
        EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)token.p, (int)token.len);
    n = 0;
    if (plain.len)
        EVP_EncryptUpdate(ctx, text, &n, (const unsigned char *)plain.p, (int)plain.len);
    EVP_EncryptFinal_ex(ctx, text + n, &last);
    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, tag);
    EVP_CIPHER_CTX_free(ctx);
    buf_add_lit(&token, "..");
    codec_base64url_encode(&token, STR(IV));
    buf_add_char(&token, '.');
    codec_base64url_encode(&token, str_from((const char *)text, plain.len));
    buf_add_char(&token, '.');
    codec_base64url_encode(&token, str_from((const char *)tag, 16));
    return buf_str(&token);
}

struct keyring {
    struct jwt_key keys[4];
    size_t n;
};

static void
add_pkey(struct keyring *r, EVP_PKEY *pkey)
{
    ASSERT(jwt_key_from_pkey(pkey, STR_NONE, &r->keys[r->n++], NULL));
    EVP_PKEY_free(pkey);
}

static const struct keyring *
keyring(void)
{
    static struct keyring r;

    if (r.n == 0) {
        ASSERT(jwt_key_from_secret(STR(KEY), STR_NONE, &r.keys[r.n++], NULL));
        add_pkey(&r, EVP_EC_gen("P-256"));
        add_pkey(&r, EVP_EC_gen("P-521"));
        add_pkey(&r, EVP_RSA_gen(2048));
    }
    return &r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 16 << 20);
    struct str text = {(const char *)data + 1, size ? size - 1 : 0}, plain;
    const struct keyring *r = keyring();
    ptrdiff_t nul;
    struct err err = ERR_INIT;

    if (size == 0)
        return 0;
    nul = str_find_char(text, 0, 0);
    if (data[0] == 's' && nul >= 0)
        text = seal(&arena, str_sub(text, 0, (size_t)nul), str_skip(text, (size_t)nul + 1));
    if (jwe_decrypt(&arena, text, r->keys, r->n, &plain, &err))
        ASSERT(plain.p && plain.len <= JWE_PLAIN_MAX);
    else
        ASSERT(err.code != ERR_NONE);
    return 0;
}
