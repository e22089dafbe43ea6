/* explain_pass.c: HMAC-SHA256 over the end of its time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/explain_pass.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include "base/codec.h"
#include "base/num.h"

bool
explain_pass_make(struct buf *to, struct str token, uint64_t until_s)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    char text[64];
    unsigned n = 0;
    int len = snprintf(text, sizeof(text), "headgate explain %llu", (unsigned long long)until_s);

    if (!token.len || !HMAC(EVP_sha256(), token.p, (int)token.len, (const unsigned char *)text, (size_t)len, mac, &n))
        return false;
    return buf_printf(to, "%llu.", (unsigned long long)until_s) && codec_base64url_encode(to, str_from((const char *)mac, n));
}

bool
explain_pass_is_good(struct str pass, struct str token, uint64_t now_s)
{
    struct buf own AUTO(buf_destroy) = BUF_INIT;
    ptrdiff_t dot = str_find_char(pass, '.', 0);
    uint64_t until_s;

    if (dot <= 0 || !num_parse_u64(str_sub(pass, 0, (size_t)dot), INT64_MAX, &until_s, NULL) || until_s < now_s ||
        until_s - now_s > EXPLAIN_PASS_MAX_S || !explain_pass_make(&own, token, until_s))
        return false;
    return own.len == pass.len && CRYPTO_memcmp(own.p, pass.p, pass.len) == 0;
}
