/* fuzz_openid.c: what an issuer publishes: first byte 'd': a discovery document, else a key set, whose keys must be fit for use.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/openid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 64 << 20);
    struct str text = {(const char *)data + 1, size ? size - 1 : 0};
    struct openid_discovery d;
    struct openid *o;
    struct jwt t;
    struct err err = ERR_INIT;

    if (size == 0)
        return 0;
    if (data[0] == 'd') {
        if (openid_read_discovery(&arena, text, &d, &err))
            ASSERT(d.issuer.len && d.jwks_uri.len);
        return 0;
    }
    if (!openid_read_keys(&arena, STR("https://issuer.example"), text, &o, &err))
        return 0;
    ASSERT(jwt_parse(&arena, STR("eyJhbGciOiJSUzI1NiJ9.e30.AAAA"), JWT_STRICT, &t, &err));
    ASSERT(jwt_verify(&t, o->keys, o->n, JWT_KID_DECIDES, &err) != JWT_VALID);
    for (size_t i = 0; i < o->n; i++) {
        struct buf jwk = buf_in(&arena);

        ASSERT(o->keys[i].kind != JWT_KEY_SECRET);
        ASSERT(jwt_key_write_jwk(&o->keys[i], &jwk));
    }
    openid_unref(o);
    return 0;
}
